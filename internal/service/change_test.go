package service_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"holdfast/internal/holdfast"
	"holdfast/internal/service"
	"holdfast/internal/store/storetest"
)

// TestTheEndOfThingsIsTold deletes a repository of two that hold the same user, then a job, and lets a year pass.
func TestTheEndOfThingsIsTold(t *testing.T) {
	w := newWorld(t, storetest.SQLite(t))
	token := ""
	told := func() []string {
		t.Helper()
		if token == "" {
			token = "latest"
		}
		changes, next, err := w.Events.Since(w.ctx, admin, token, 1000, 0, nil)
		w.ok(err)
		token = next
		count := map[service.ChangeType]int{}
		for _, c := range changes {
			count[c.Type]++
			if c.ID == "" || c.Organization == "" && c.Type != service.RestorePointDeleted {
				t.Errorf("told without an id or organization: %+v", c)
			}
		}
		out := []string{}
		for kind, n := range count {
			out = append(out, fmt.Sprint(kind, " ", n))
		}
		slices.Sort(out)
		return out
	}
	want := func(what string, want ...string) {
		t.Helper()
		if got := told(); !slices.Equal(got, want) {
			t.Errorf("%s: told\n%q, want\n%q", what, got, want)
		}
	}
	org, one, other := w.organization(), w.repository("one"), w.repository("other")
	told()
	site := holdfast.Container{Kind: holdfast.Site, Source: "s", Name: "Site", Address: "https://contoso.example/sites/s"}
	ann, bob := &worker{w: w, found: []holdfast.Container{mailbox("ann"), drive("ann")}}, &worker{w: w, found: []holdfast.Container{mailbox("ann"), mailbox("bob"), site}}
	first, second := w.job("first", org, one, nil), w.job("second", org, other, nil)
	want("new jobs for everybody", "JobSelectedItemsChange 2", "JobUpdate 2")
	w.run(first, ann)
	want("a first run", "JobSessionUpdate 1", "JobUpdate 1", "ProtectedUserUpdate 1", "RestorePointObjectsChange 1", "RestorePointUpdate 1")
	w.run(first, ann)
	want("a run that finds nobody new", "JobSessionUpdate 1", "JobUpdate 1", "RestorePointObjectsChange 1", "RestorePointUpdate 1")
	w.run(second, bob)
	want("a run of two users and a site", "JobSessionUpdate 1", "JobUpdate 1", "ProtectedSiteUpdate 1", "ProtectedUserUpdate 2", "RestorePointObjectsChange 1", "RestorePointUpdate 1")

	w.ok(w.Jobs.Delete(w.ctx, admin, second.ID))
	want("a deleted job", "JobDelete 1", "JobSessionDelete 1")
	w.ok(w.Repositories.Delete(w.ctx, admin, other.ID))
	want("a forgotten repository", "ProtectedSiteDelete 1", "ProtectedUserDelete 1", "ProtectedUserUpdate 1", "RestorePointDelete 1")

	s, err := w.RestoreSessions.Open(w.ctx, admin, service.ExploreSpec{Type: holdfast.ExploreExchange, Organization: org.ID})
	w.ok(err)
	w.ok(w.RestoreSessions.Stop(w.ctx, admin, s.ID))
	want("a restore session", "RestoreSessionUpdate 1")
	w.ok(w.TidyForTest(w.ctx))
	want("history that is young")
	w.clock.Move(2 * 365 * 24 * time.Hour)
	w.ok(w.TidyForTest(w.ctx))
	want("history that is old", "JobSessionDelete 2", "RestoreSessionDelete 1")
}
