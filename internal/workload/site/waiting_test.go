package site_test

import (
	"context"
	"iter"
	"slices"
	"strings"
	"testing"

	"holdfast/internal/engine"
	"holdfast/internal/holdfast"
	"holdfast/internal/m365/sharepoint"
	"holdfast/internal/sim"
	"holdfast/internal/workload/workloadtest"
)

// remembering is a state that keeps on record what its last read skipped, as the engine's does.
type remembering struct {
	*workloadtest.Container
	list string
}

func (m remembering) Missed(context.Context) iter.Seq2[engine.Missed, error] {
	return func(yield func(engine.Missed, error) bool) {
		for id, s := range m.Skips {
			if s.Reason != holdfast.SkipVanished && !yield(engine.Missed{Item: holdfast.Item{ID: id, Kind: holdfast.KindListItem, Parent: m.list}, Reason: s.Reason}, nil) {
				return
			}
		}
	}
}

// An application without the permission is not shown what waits for approval: each session names it until the permission is there, and then all items are
// read again, for no change tells of what was not shown.
func TestWhatWaitsForApprovalIsNamedUntilItIsShown(t *testing.T) {
	some := []string{"Sites.Read.All", "User.Read.All"}
	r := start(t, sim.Options{Site: sim.SiteShape{Sites: 2, Items: 3, Files: 3}})
	list := r.info("/sites/Falcon").Lists["Categories"]
	web, err := sharepoint.At(r.g.M365(), r.box.Address)
	if err != nil {
		t.Fatal(err)
	}
	if err := web.SetRules(t.Context(), list, sharepoint.Rules{Approval: true}); err != nil {
		t.Fatal(err)
	}
	grant := func(roles []string) {
		t.Helper()
		r.sim.SetRoles(roles)
		if err := r.g.M365().Renew(t.Context(), "graph.microsoft.com"); err != nil {
			t.Fatal(err)
		}
	}
	named := func(c *workloadtest.Container) bool {
		s := c.Skips[list+".waiting"]
		return s != nil && s.Reason == holdfast.SkipDenied && strings.Contains(s.Error(), "Sites.Manage.All")
	}
	walks := func() (n int) {
		for name, e := range r.sim.Stats().Endpoints {
			if strings.Contains(name, "/lists/{list}/items/delta") {
				n += int(e.Calls + e.Parts)
			}
		}
		return n
	}
	all, err := r.g.M365().Roles(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	all = slices.Clone(all)
	c := workloadtest.New()
	backup := func() {
		t.Helper()
		folder := ""
		for id, s := range c.Items() {
			if s.Name == "Categories" && s.Kind == holdfast.KindFolder {
				folder = id
			}
		}
		if err := r.source.Read(t.Context(), r.box, remembering{c, folder}, c.Sink()); err != nil {
			t.Fatal(err)
		}
		c.Commit()
	}
	grant(some)
	for range 2 {
		backup()
		if !named(c) {
			t.Fatalf("what waits is not named: %v", c.Skips)
		}
	}
	before := walks()
	backup()
	again := walks() - before
	grant(all)
	before = walks()
	backup()
	if s := c.Skips[list+".waiting"]; s != nil && s.Reason != holdfast.SkipVanished {
		t.Errorf("what is shown is still named: %v", s)
	}
	if read := walks() - before; read <= again {
		t.Errorf("%d calls for changes once all is shown, %d before: items were not listed anew", read, again)
	}
	before = walks()
	backup()
	if read := walks() - before; read != 0 {
		t.Errorf("%d calls when nothing is amiss any more", read)
	}
}
