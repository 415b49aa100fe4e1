package site_test

import (
	"os"
	"strconv"
	"strings"
	"testing"

	"holdfast/internal/sim"
	"holdfast/internal/workload/workloadtest"
)

// TestResourceUnits counts what a site of many files costs: HOLDFAST_SITE_FILES=100000 is the size that the goals are for; what is not permissions
// grows by the pages of the delta only, so the small run has the same bound.
func TestResourceUnits(t *testing.T) {
	files := 4000
	if n, err := strconv.Atoi(os.Getenv("HOLDFAST_SITE_FILES")); err == nil {
		files = n
	}
	r := start(t, sim.Options{Users: 3, FilesPer: 1, Site: sim.SiteShape{Sites: 2, Items: 3, Files: files, Sharing: 200, FileBytes: 64, OneEach: true}})
	r.box = r.container("")
	c := workloadtest.New()
	spent := func(do func()) (units, permissions, downloads int64) {
		before := r.sim.Stats()
		do()
		after := r.sim.Stats()
		for name, e := range after.Endpoints {
			n := e.Calls - before.Endpoints[name].Calls
			switch {
			case strings.HasSuffix(name, "download.aspx"):
				downloads += n
			case strings.Contains(name, "/permissions"):
				permissions += 5 * n
			}
		}
		return after.ResourceUnits["sharepoint"] - before.ResourceUnits["sharepoint"] - downloads, permissions, downloads
	}
	units, permissions, downloads := spent(func() { r.backup(c) })
	shared := 0
	for _, s := range c.Items() {
		if s.Forms["permissions"] != nil {
			shared++
		}
	}
	t.Logf("%d files and folders, %d with permissions of their own: %d units besides %d downloads, %d of them for permissions of files", files, shared, units, downloads, permissions)
	if limit := int64(250); units-permissions > limit {
		t.Errorf("%d units that are not for permissions, want at most %d", units-permissions, limit)
	}
	if permissions != 5*int64(shared) {
		t.Errorf("%d units for the permissions of %d items", permissions, shared)
	}
	if files == 100_000 && units > 5400 {
		t.Errorf("%d units, want at most 5,400", units)
	}
	idle, _, downloads := spent(func() { r.backup(c) })
	if idle > 2 || downloads > 0 {
		t.Errorf("an idle backup takes %d units and %d downloads, want 2 and none", idle, downloads)
	}
	if _, err := r.sim.ChurnSite(r.box.Source, 10, 3); err != nil {
		t.Fatal(err)
	}
	few, _, downloads := spent(func() { r.backup(c) })
	t.Logf("after ten changes in a list and a library: %d units besides %d downloads", few, downloads)
	if few > 100 || downloads > 20 {
		t.Errorf("a backup after ten changes takes %d units and %d downloads", few, downloads)
	}
}
