package e2e_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"holdfast/internal/sim"
	"holdfast/internal/sys"
)

// Sites are backed up by a server that is killed at random times, lose all that is in them, and are restored by a server that is killed, too.
// Afterwards everything is back, once.
func TestSites(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(seedOf(t), 3))
	s := newSim(t, "--users", "2", "--limits", "off", "--mail-messages", "1", "--files", "1")
	w := newServer(t, s, "--m365-limits", "off")
	var err error
	w.org, err = w.server.AddOrganization(w.ctx, true)
	w.must(err)
	w.repo, err = w.server.AddRepository(w.ctx, "main", w.place)
	w.must(err)
	w.job, err = w.server.AddJob(w.ctx, "sites", w.org, w.repo, map[string]any{"backupType": "SelectedItems",
		"selectedItems": []map[string]any{{"type": "PartialOrganization", "mailbox": false, "oneDrive": false, "sites": true}}})
	w.must(err)
	var sites []sim.SiteInfo
	w.must(w.sim.Ask(w.ctx, http.MethodGet, "/sites", nil, &sites))
	site := sites[0]
	for _, other := range sites {
		if other.Lists["Incidents"] != "" {
			site = other
			break
		}
	}
	killed := func(i int) {
		delay := time.Duration(r.IntN(900)) * time.Millisecond
		t.Logf("%d: killed after %v", i, delay)
		w.must(sys.System.Sleep(w.ctx, delay))
		w.server.Kill()
		w.must(w.server.Start(w.ctx))
	}
	for i := range 4 {
		w.must(w.sim.Ask(w.ctx, http.MethodPost, "/sites/churn", map[string]any{"site": site.ID, "changes": 6, "seed": i}, nil))
		session, err := w.server.StartJob(w.ctx, w.job)
		w.must(err)
		killed(i)
		ended, err := w.server.WaitSession(w.ctx, session.ID)
		w.must(err)
		if ended.Status != "Success" {
			t.Fatalf("the session ended with %s: %s\n%s", ended.Status, ended.Details, w.server.SessionLog(w.ctx, session.ID))
		}
	}
	w.verified()
	want := w.site(site)
	for i := range 2 {
		for _, list := range site.Lists {
			w.must(w.sim.Ask(w.ctx, http.MethodPost, "/sites/empty", map[string]any{"site": site.ID, "list": list}, nil))
		}
		var o object
		w.call(http.MethodPost, "/v8/Organizations/"+w.org+"/explore", map[string]any{"type": "Vesp", "showAllVersions": true}, &o)
		l := &look{w: w, session: o.ID}
		at := "/v8/RestoreSessions/" + o.ID + "/Organization/Sites"
		var found struct {
			Results []struct{ ID, URL string }
		}
		w.call(http.MethodGet, at, nil, &found)
		id := ""
		for _, one := range found.Results {
			if strings.EqualFold(one.URL, site.URL) {
				id = one.ID
			}
		}
		if id == "" {
			t.Fatalf("the restore point has no site %s: %v", site.URL, found.Results)
		}
		w.call(http.MethodPost, at+"/"+id+"/restore", map[string]any{"documentVersion": "All", "documentLastVersionAction": "Overwrite", "restorePermissions": true}, nil)
		killed(i)
		l.restored()
		w.same("the restored site", w.site(site), want)
		if t.Failed() {
			t.FailNow()
		}
	}
}

// site is what is in a site: a text for each item, page and file.
func (w *world) site(site sim.SiteInfo) map[string]int {
	w.Helper()
	out := map[string]int{}
	w.lines("/oracle/sites?site="+url.QueryEscape(site.ID), func(line []byte) error {
		var row sim.SiteRow
		err := json.Unmarshal(line, &row)
		switch row.Kind {
		case "list":
			if row.Template == "documentLibrary" {
				w.lines("/oracle/libraries?sha256=1&site="+url.QueryEscape(site.ID)+"&list="+url.QueryEscape(row.List), func(line []byte) error {
					var f sim.DriveRow
					err := json.Unmarshal(line, &f)
					out[fmt.Sprintf("%s: file %s %d %s", row.List, f.Path, f.Size, f.SHA256)]++
					return err
				})
			}
		case "page":
			out[row.List+": page "+row.Title]++
		default:
			out[fmt.Sprintf("%s: %q by %s at %v, changed by %s at %v: %d versions, %v, %v", row.List, row.Title, row.Author, row.Created, row.Editor, row.Modified, len(row.Versions), row.Attachments, row.Roles)]++
		}
		return err
	})
	return out
}
