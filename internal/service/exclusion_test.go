package service_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"holdfast/internal/holdfast"
	"holdfast/internal/service"
	"holdfast/internal/store/storetest"
)

func (w *world) leaveOut(change func(*holdfast.FolderExclusions)) {
	w.t.Helper()
	w.ok(w.Exclusions.ChangeFolders(w.ctx, admin, func(e *holdfast.FolderExclusions) error { change(e); return nil }))
}

// TestScopeTableOfGlobalExclusions: each folder that can be left out is told to who reads a mailbox, whatever the job selects, and to nobody else.
func TestScopeTableOfGlobalExclusions(t *testing.T) {
	for name, tc := range map[string]struct {
		leave func(*holdfast.FolderExclusions)
		want  string
		says  string
	}{
		"Global exclusions: none at first": {func(*holdfast.FolderExclusions) {}, "", ""},
		"Global exclusions: Deleted Items": {func(e *holdfast.FolderExclusions) { e.DeletedItems = true }, "deleteditems", "Deleted Items"},
		"Global exclusions: Drafts":        {func(e *holdfast.FolderExclusions) { e.Drafts = true }, "drafts", "Drafts"},
		"Global exclusions: Junk":          {func(e *holdfast.FolderExclusions) { e.JunkEmail = true }, "junkemail", "Junk Email"},
		"Global exclusions: Outbox":        {func(e *holdfast.FolderExclusions) { e.Outbox = true }, "outbox", "Outbox"},
		"Global exclusions: Sync Issues":   {func(e *holdfast.FolderExclusions) { e.SyncIssues = true }, "syncissues", "Sync Issues"},
		"Global exclusions: several": {func(e *holdfast.FolderExclusions) { e.DeletedItems, e.JunkEmail = true, true }, "deleteditems junkemail",
			"Deleted Items, Junk Email"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newScoped(t)
			s.leaveOut(tc.leave)
			for _, j := range []holdfast.Job{s.made([]holdfast.JobItem{user("ann")}, nil), s.made(nil, nil)} {
				told := map[holdfast.ContainerKind]map[string]bool{}
				s.k.told = func(task holdfast.Task, a holdfast.Access) {
					kind := task.Container.Kind
					if told[kind] == nil {
						told[kind] = map[string]bool{}
					}
					told[kind][strings.Join(a.FoldersLeftOut.Names(), " ")] = true
				}
				session := s.run(j, s.k)
				if got := told[holdfast.Mailbox]; len(got) != 1 || !got[tc.want] {
					t.Errorf("%s: who reads mailboxes is told %v, want %q", j.Name, got, tc.want)
				}
				if got := told[holdfast.Drive]; len(got) != 1 || !got[""] {
					t.Errorf("%s: who reads OneDrives is told %v", j.Name, got)
				}
				if text := s.log(session, "None"); tc.says != strings.TrimPrefix(line(text, "Left out of all mailboxes"), "Left out of all mailboxes, as the exclusions say: ") {
					t.Errorf("%s: the log says %s", j.Name, text)
				}
				if session.Status != holdfast.StatusSuccess {
					t.Errorf("%s: %s", j.Name, session.Status)
				}
			}
		})
	}
}

// line gives the line of a text that begins so.
func line(text, begin string) string {
	for l := range strings.Lines(text) {
		if strings.HasPrefix(l, begin) {
			return strings.TrimSpace(l)
		}
	}
	return ""
}

func TestExclusionsAreInTheAuditAndSurvive(t *testing.T) {
	w := newWorld(t, storetest.SQLite(t))
	org := w.organization()
	w.leaveOut(func(e *holdfast.FolderExclusions) { e.DeletedItems = true })
	w.leaveOut(func(e *holdfast.FolderExclusions) { e.Drafts = true })
	folders, err := w.Exclusions.Folders(w.ctx, admin)
	w.ok(err)
	if want := (holdfast.FolderExclusions{DeletedItems: true, Drafts: true}); folders != want {
		t.Errorf("folders %+v, want %+v", folders, want)
	}
	is := func(want holdfast.RetentionExclusion) {
		t.Helper()
		got, err := w.Exclusions.OrganizationRetention(w.ctx, admin, org.ID)
		w.ok(err)
		if got != want {
			t.Errorf("retention spares %+v, want %+v", got, want)
		}
	}
	is(holdfast.RetentionExclusion{})
	w.ok(w.Exclusions.SetRetention(w.ctx, admin, holdfast.RetentionExclusion{Contacts: true}))
	is(holdfast.RetentionExclusion{Contacts: true})
	w.ok(w.Exclusions.SetOrganizationRetention(w.ctx, admin, org.ID, holdfast.RetentionExclusion{Calendar: true}))
	is(holdfast.RetentionExclusion{Calendar: true})
	w.ok(w.Exclusions.DropOrganizationRetention(w.ctx, admin, org.ID))
	is(holdfast.RetentionExclusion{Contacts: true})
	w.kind(w.Exclusions.SetOrganizationRetention(w.ctx, admin, "00000000-0000-4000-8000-0000000000ff", holdfast.RetentionExclusion{}), holdfast.KindNotFound, "")
	var acts []string
	entries, err := w.Audit.List(w.ctx, admin, holdfast.Page{})
	w.ok(err)
	for _, e := range entries {
		if strings.HasPrefix(e.Act, "exclusion.") {
			acts = append(acts, e.Act+" "+e.Detail)
		}
	}
	slices.Reverse(acts)
	want := []string{"exclusion.folders left out: Deleted Items", "exclusion.folders left out: Deleted Items, Drafts", "exclusion.retention of all organizations: spared: contacts",
		"exclusion.retention of " + org.Name + ": spared: calendar", "exclusion.retention of " + org.Name + ": as of all organizations"}
	if !slices.Equal(acts, want) {
		t.Errorf("audit %q\nwant  %q", acts, want)
	}
	for _, role := range []service.Role{service.RoleAuditor, service.RoleStorage, service.RoleOperator, service.RoleEndUser} {
		u := service.User{ID: "u", Name: "u", Role: role}
		w.kind(w.Exclusions.ChangeFolders(w.ctx, u, func(*holdfast.FolderExclusions) error { return nil }), holdfast.KindDenied, "")
	}
}

// TestRetentionSparesContactsAndCalendars: the restore points of mailboxes stay while anything of them is spared; those of drives do not, and what
// holds for an organization wins over what holds for all.
func TestRetentionSparesContactsAndCalendars(t *testing.T) {
	w := newWorld(t, storetest.SQLite(t))
	org, repo := w.organization(), w.repository("r")
	yes := true
	_, err := w.Organizations.Update(w.ctx, admin, org.ID, service.OrganizationSpec{SharePoint: &yes})
	w.ok(err)
	j := w.job("all", org, repo, nil)
	k := &worker{w: w, found: []holdfast.Container{mailbox("ann")}}
	mails := w.run(j, k).RestorePoint
	k.found = []holdfast.Container{drive("ann")}
	files := w.run(w.job("files", org, repo, func(s *service.JobSpec) {
		s.Scope, s.Selected = holdfast.SelectedItems, []holdfast.JobItem{{Type: "User", ObjectID: "ann", OneDrive: true}}
	}), k).RestorePoint
	w.clock.Move(31 * 24 * time.Hour)
	w.ok(w.Exclusions.SetRetention(w.ctx, admin, holdfast.RetentionExclusion{Calendar: true}))
	w.ok(w.Repositories.Retain(w.ctx, admin, repo.ID))
	task := k.claim(1)[0]
	a, err := w.Control.Access(w.ctx, task.Lease())
	w.ok(err)
	for _, point := range []struct {
		id     holdfast.RestorePointID
		spared bool
	}{{mails, true}, {files, false}} {
		p, err := w.RestorePoints.Get(w.ctx, admin, point.id)
		w.ok(err)
		if got := a.RetentionExclusions.Of(org.ID).Spares(p); got != point.spared {
			t.Errorf("point of %+v is spared: %t", p.Entries, got)
		}
	}
	w.kind(w.Control.ForgetRestorePoints(w.ctx, task.Lease(), []holdfast.RestorePointID{mails}), holdfast.KindConflict, "retention spares")
	w.ok(w.Exclusions.SetOrganizationRetention(w.ctx, admin, org.ID, holdfast.RetentionExclusion{}))
	w.ok(w.Control.ForgetRestorePoints(w.ctx, task.Lease(), []holdfast.RestorePointID{mails, files}))
}
