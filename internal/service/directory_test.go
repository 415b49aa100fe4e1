package service_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"holdfast/internal/holdfast"
	"holdfast/internal/service"
	"holdfast/internal/store/storetest"
)

func copied(id string) holdfast.DirectoryObject {
	return holdfast.DirectoryObject{Kind: holdfast.DirectoryUser, ID: id, Name: id + "@contoso.example", DisplayName: id, Mail: id + "@contoso.example"}
}

func group(id, kind string) holdfast.DirectoryObject {
	return holdfast.DirectoryObject{Kind: holdfast.DirectoryGroup, ID: id, Name: id + "@contoso.example", DisplayName: id, Type: kind}
}

// in says who is in a group: names of groups begin with "g-".
func in(group string, members ...string) []holdfast.DirectoryMember {
	var out []holdfast.DirectoryMember
	for _, m := range members {
		kind := holdfast.DirectoryUser
		if len(m) > 2 && m[:2] == "g-" {
			kind = holdfast.DirectoryGroup
		}
		out = append(out, holdfast.DirectoryMember{Group: group, Kind: kind, Member: m})
	}
	return out
}

func gone(kind holdfast.DirectoryKind, id string) service.DirectoryChanges {
	return service.DirectoryChanges{Gone: []service.DirectoryRef{{Kind: kind, ID: id}}}
}

// TestTheCopyOfADirectoryFollowsIt: first everything, then what changed; from the beginning again when the position is forgotten, which marks as gone
// what was missed. A failure leaves the copy as it was, and says why.
func TestTheCopyOfADirectoryFollowsIt(t *testing.T) {
	storetest.Each(t, func(t *testing.T, open storetest.Open) {
		w := newWorld(t, open)
		org := w.organization()
		d := w.directory
		d.all = []service.DirectoryChanges{{Objects: []holdfast.DirectoryObject{copied("ann"), copied("bob"), group("g-all", holdfast.GroupSecurity)}, Members: in("g-all", "ann", "bob")}}
		users := func(source service.DataSource, prefix string) (out []string) {
			t.Helper()
			all, err := w.Organizations.Users(w.ctx, admin, org.ID, service.DirectoryQuery{Source: source, DisplayName: prefix})
			w.ok(err)
			for _, u := range all {
				out = append(out, u.ID)
			}
			return out
		}
		same := func(what string, got []string, want ...string) {
			t.Helper()
			if !slices.Equal(got, want) {
				t.Errorf("%s: got %q, want %q", what, got, want)
			}
		}
		state := func() holdfast.DirectoryState {
			t.Helper()
			s, err := w.Directories.State(w.ctx, admin, org.ID)
			w.ok(err)
			return s
		}
		d.users = append(d.users, service.DirectoryUser{ID: "live"})
		same("before the first synchronisation", users("", ""), "ann", "bob", "live")
		if s := state(); !s.Synced.IsZero() || !s.Last.Started.IsZero() {
			t.Errorf("never synchronised: %+v", s)
		}
		w.ok(w.SyncDue(w.ctx))
		same("the copy", users("", ""), "ann", "bob")
		same("by a prefix", users("", "B"), "bob")
		same("live", users(service.Production, ""), "ann", "bob", "live")
		if s := state(); s.Last.Type != holdfast.SyncFull || s.Last.Error != "" || s.Synced.IsZero() {
			t.Errorf("state %+v", s)
		}
		w.ok(w.SyncDue(w.ctx)) // it is fresh

		// What changed comes by the delta.
		d.told = []service.DirectoryChanges{{Objects: []holdfast.DirectoryObject{copied("cid")}}, gone(holdfast.DirectoryUser, "ann")}
		same("brought up to date", users(service.PreferLocalResynced, ""), "bob", "cid")
		_, err := w.Organizations.User(w.ctx, admin, org.ID, "cid", "")
		w.ok(err)
		d.users = nil
		_, err = w.Organizations.User(w.ctx, admin, org.ID, "ann", "")
		w.kind(err, holdfast.KindNotFound, "")
		members, err := w.Organizations.GroupMembers(w.ctx, admin, org.ID, "g-all", "", holdfast.Page{})
		w.ok(err)
		if len(members) != 1 || members[0].ID != "bob" {
			t.Errorf("members %+v", members)
		}

		// A forgotten position: everything again; bob was missed, ann is back.
		d.reset, d.all = true, []service.DirectoryChanges{{Objects: []holdfast.DirectoryObject{copied("cid"), copied("ann"), group("g-all", holdfast.GroupSecurity)}, Members: in("g-all", "ann")}}
		w.clock.Move(2 * time.Hour)
		w.ok(w.SyncDue(w.ctx))
		same("after the position was forgotten", users("", ""), "ann", "cid")
		if s := state(); s.Last.Type != holdfast.SyncFull {
			t.Errorf("state %+v", s)
		}
		same("asked from", d.synced, "", "link 1", "link 2", "")

		// By hand, and refused.
		w.ok(w.Directories.Sync(w.ctx, admin, org.ID, holdfast.SyncIncremental))
		w.ok(w.Directories.Sync(w.ctx, admin, org.ID, holdfast.SyncFull))
		if s := state(); s.Wanted.Type != holdfast.SyncFull || s.Wanted.Scheduled.IsZero() || !s.Wanted.Started.IsZero() {
			t.Errorf("waits: %+v", s)
		}
		w.kind(w.Directories.Sync(w.ctx, admin, org.ID, "Half"), holdfast.KindInvalid, "Incremental or Full")
		d.refuse = errors.New("the directory is on fire")
		w.ok(w.SyncDue(w.ctx))
		if s := state(); s.Last.Error == "" || !s.Wanted.Scheduled.IsZero() || s.Synced.IsZero() {
			t.Errorf("failed: %+v", s)
		}
		same("the copy after a failure", users("", ""), "ann", "cid")
		d.refuse = nil
		w.ok(w.Directories.Sync(w.ctx, admin, org.ID, holdfast.SyncFull))
		w.ok(w.SyncDue(w.ctx))
		if s := state(); s.Last.Error != "" {
			t.Errorf("state %+v", s)
		}
		w.ok(w.Organizations.Delete(w.ctx, admin, org.ID))
		if all, err := w.Directories.States(w.ctx, admin); err != nil || len(all) != 0 {
			t.Errorf("states %+v, %v", all, err)
		}
	})
}

// TestWhatMailboxesAreForIsToldByBackups: lists, live ones too, and what is protected know a mailbox as shared once a backup has read what it is for.
func TestWhatMailboxesAreForIsToldByBackups(t *testing.T) {
	w := newWorld(t, storetest.SQLite(t))
	org := w.organization()
	w.directory.told = []service.DirectoryChanges{{Objects: []holdfast.DirectoryObject{
		{Organization: org.ID, Kind: holdfast.DirectoryUser, ID: "ann", Name: "ann@contoso.example", Mail: "ann@contoso.example"},
		{Organization: org.ID, Kind: holdfast.DirectoryUser, ID: "bob", Name: "bob@contoso.example", Mail: "bob@contoso.example"}}}}
	w.ok(w.SyncDue(w.ctx))
	j := w.job("all", org, w.repository("r"), nil)
	run := func(purpose map[string]string) {
		t.Helper()
		_, err := w.Jobs.Start(w.ctx, admin, j.ID, false)
		w.ok(err)
		k := &worker{w: w, found: []holdfast.Container{mailbox("ann"), mailbox("bob")}}
		k.backup = func(c holdfast.Container) holdfast.TaskResult {
			return holdfast.TaskResult{Purpose: purpose[c.Owner], Entry: holdfast.PointEntry{State: holdfast.StateUpdated, Head: 1, HeadTime: w.clock.Now()}}
		}
		for _, task := range k.claim(1) {
			k.work(task)
		}
		for _, task := range k.claim(2) {
			h := k.commit(task)
			r := k.backup(task.Container)
			r.Entry.Head, r.Entry.HeadTime = h.Number, h.Time
			w.ok(w.Control.Complete(w.ctx, task.Lease(), r))
		}
		k.drain()
	}
	shared := func(source service.DataSource) (out []string) {
		t.Helper()
		users, err := w.Organizations.Users(w.ctx, admin, org.ID, service.DirectoryQuery{Source: source, Limit: 10})
		w.ok(err)
		for _, u := range users {
			if u.Shared {
				out = append(out, u.ID)
			}
		}
		return out
	}
	for i, tc := range []struct {
		purpose map[string]string
		want    []string
	}{
		{map[string]string{"ann": "user", "bob": ""}, nil},
		{map[string]string{"bob": "room"}, []string{"bob"}},
		{nil, []string{"bob"}}, // an idle backup that did not come to it
		{map[string]string{"ann": "shared", "bob": "user"}, []string{"ann"}},
	} {
		run(tc.purpose)
		for _, source := range []service.DataSource{service.PreferLocal, service.Production} {
			if got := shared(source); !slices.Equal(got, tc.want) {
				t.Errorf("session %d, %s: shared are %v, want %v", i+1, source, got, tc.want)
			}
		}
		users, err := w.Protected.Users(w.ctx, admin, service.ProtectedFilter{}, holdfast.Page{})
		w.ok(err)
		var got []string
		for _, u := range users {
			if u.Shared {
				got = append(got, u.ObjectID)
			}
		}
		if !slices.Equal(got, tc.want) {
			t.Errorf("session %d: shared among the protected are %v, want %v", i+1, got, tc.want)
		}
		one, err := w.Protected.User(w.ctx, admin, "ann", service.ProtectedFilter{})
		w.ok(err)
		if one.Shared != slices.Contains(tc.want, "ann") {
			t.Errorf("session %d: the one user is shared %t", i+1, one.Shared)
		}
	}
}
