package service_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"holdfast/internal/holdfast"
	"holdfast/internal/service"
)

// TestPreviewsCountWhatAJobWouldProtect: each line is a scope, what it counts as "kind objects/excluded/elsewhere", and which other jobs have some of it.
func TestPreviewsCountWhatAJobWouldProtect(t *testing.T) {
	s := newScoped(t)
	var sites service.DirectoryChanges
	for _, c := range []holdfast.Container{rootSite, subSite, otherSite} {
		sites.Objects = append(sites.Objects, holdfast.DirectoryObject{Kind: holdfast.DirectorySite, ID: c.Source, Name: c.Address, DisplayName: c.Name})
	}
	s.directory.mu.Lock()
	s.directory.told = append(s.directory.told, sites)
	s.directory.mu.Unlock()
	s.clock.Move(time.Hour)
	s.ok(s.SyncDue(s.ctx))
	s.made([]holdfast.JobItem{{Type: "User", ObjectID: "ann", Mailbox: true}, groupItem("g-list")}, nil)
	disabled := s.made([]holdfast.JobItem{siteItem(rootSite)}, nil)
	s.ok(s.Jobs.Enable(s.ctx, admin, disabled.ID, false))
	look := func(id holdfast.JobID, spec service.JobSpec) string {
		t.Helper()
		spec.Organization = s.org.ID
		got, err := s.Jobs.Preview(s.ctx, admin, id, spec)
		s.ok(err)
		var out []string
		for _, n := range got.Counts {
			out = append(out, fmt.Sprintf("%s %d/%d/%d", n.Kind, n.Objects, n.Excluded, n.Elsewhere))
		}
		for _, o := range got.Overlaps {
			out = append(out, fmt.Sprintf("%s: %d", o.Job, o.Objects))
		}
		if got.Synced.IsZero() {
			t.Error("it does not say what it was counted in")
		}
		return strings.Join(append(out, got.Notes...), ", ")
	}
	before, err := s.Jobs.List(s.ctx, admin, holdfast.JobFilter{}, holdfast.Page{})
	s.ok(err)
	for name, tc := range map[string]struct {
		id   holdfast.JobID
		spec service.JobSpec
		want string
	}{
		// ann's mail, and dan and gus of the list, of whom gus has no mailbox, are elsewhere; the site below the root goes with it.
		"entire": {"", service.JobSpec{Scope: holdfast.EntireOrganization, Excluded: []holdfast.JobItem{user("eve")}}, "mailbox 2/1/2, drive 3/1/2, site 1/0/2, job 1: 4, job 2: 2"},
		"mixed": {"", service.JobSpec{Scope: holdfast.SelectedItems, Selected: []holdfast.JobItem{user("ann"), groupItem("g-sec"), siteItem(otherSite)}, Excluded: []holdfast.JobItem{{Type: "User", ObjectID: "cid", OneDrive: true}}},
			"mailbox 3/0/0, drive 2/1/0, site 1/0/0, job 1: 1"},
		"a job as it is itself": {disabled.ID, service.JobSpec{Scope: holdfast.SelectedItems, Selected: []holdfast.JobItem{siteItem(rootSite)}}, "mailbox 0/0/0, drive 0/0/0, site 2/0/0"},
		"mailboxes of groups":   {"", service.JobSpec{Scope: holdfast.SelectedItems, Selected: []holdfast.JobItem{{Type: "PartialOrganization", GroupMailboxes: true}}}, "mailbox 1/0/0, drive 0/0/0, site 0/0/0"},
	} {
		if got := look(tc.id, tc.spec); got != tc.want {
			t.Errorf("%s: %s\nwant %s", name, got, tc.want)
		}
	}
	after, err := s.Jobs.List(s.ctx, admin, holdfast.JobFilter{}, holdfast.Page{})
	s.ok(err)
	if fmt.Sprint(after) != fmt.Sprint(before) {
		t.Error("looking changed a job")
	}
	_, err = s.Jobs.Preview(s.ctx, admin, "", service.JobSpec{Organization: s.org.ID})
	s.kind(err, holdfast.KindInvalid, "backup type")
	_, err = s.Jobs.Preview(s.ctx, admin, "", service.JobSpec{Organization: s.org.ID, Scope: holdfast.SelectedItems, Selected: []holdfast.JobItem{groupItem("nobody")}})
	s.kind(err, holdfast.KindNotFound, "nobody")
	_, err = s.Jobs.Preview(s.ctx, service.User{ID: "x", Name: "x", Role: service.RoleAuditor}, "", service.JobSpec{Organization: s.org.ID, Scope: holdfast.EntireOrganization})
	s.kind(err, holdfast.KindDenied, "")
}
