package service_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"holdfast/internal/holdfast"
	"holdfast/internal/service"
	"holdfast/internal/store/storetest"
)

// exploreChats backs chats up and opens a restore session that shows them.
func exploreChats(w *world, chats map[string][]string) (*chatWorker, holdfast.Job, holdfast.RestoreSession) {
	w.t.Helper()
	j := chatJob(w, w.repository("r"))
	k := &chatWorker{worker: &worker{w: w, found: []holdfast.Container{chatList("ann"), chatList("bob")}}, chats: chats}
	k.run(j)
	s, err := w.RestoreSessions.Open(w.ctx, admin, service.ExploreSpec{Type: holdfast.ExploreChats, Organization: j.Organization})
	w.ok(err)
	return k, j, s
}

func TestWhichChatsAreRestoredAndByWhom(t *testing.T) {
	storetest.Each(t, func(t *testing.T, open storetest.Open) {
		w := newWorld(t, open)
		k, j, s := exploreChats(w, map[string][]string{"both": {"ann", "bob"}, "meeting": {"ann", "bob"}, "foreign": {"ann"}})
		restore := func(u service.User, spec service.RestoreSpec) error {
			_, err := w.RestoreSessions.Restore(w.ctx, u, s.ID, spec)
			return err
		}
		w.kind(restore(admin, service.RestoreSpec{Container: "meeting"}), holdfast.KindInvalid, "page of HTML")
		w.kind(restore(admin, service.RestoreSpec{Container: "foreign"}), holdfast.KindInvalid, "page of HTML")
		w.kind(restore(admin, service.RestoreSpec{Container: "both", To: "ann@contoso.example"}), holdfast.KindInvalid, "newChat")
		w.kind(restore(admin, service.RestoreSpec{Container: "both", Folder: "Back"}), holdfast.KindInvalid, "newChat")
		w.kind(restore(admin, service.RestoreSpec{Container: "both", Topic: "x"}), holdfast.KindInvalid, "set newChat")
		w.kind(restore(admin, service.RestoreSpec{Container: "both", Credential: &holdfast.Credential{ApplicationID: "other", ApplicationSecret: "s"}}), holdfast.KindInvalid, "leave the application out")
		w.kind(restore(admin, service.RestoreSpec{Container: "both", NewChat: true, Topic: "a: b"}), holdfast.KindInvalid, "no colon")
		w.directory.lacking["Teamwork.Migrate.All"] = true
		w.kind(restore(admin, service.RestoreSpec{Container: "both"}), holdfast.KindDenied, "Teamwork.Migrate.All")
		w.directory.lacking["Teamwork.Migrate.All"] = false

		// Whoever takes part in a chat may not decide what others find in it again: neither who sees only some, without the grant, nor its members.
		_, id, _ := w.user("op", service.RoleOperator)
		as := func(acts ...holdfast.GrantAct) service.User {
			t.Helper()
			roles, err := w.RbacRoles.List(w.ctx, admin, j.Organization)
			w.ok(err)
			for _, r := range roles {
				w.ok(w.RbacRoles.Delete(w.ctx, admin, r.ID))
			}
			_, err = w.RbacRoles.Create(w.ctx, admin, j.Organization, service.RbacSpec{Name: new("r"), Operators: []holdfast.RbacItem{{Type: "User", ObjectID: string(id)}}, Selected: []holdfast.RbacItem{{Type: "User", ObjectID: "ann"}}, Acts: acts})
			w.ok(err)
			return w.signIn("op", "").User
		}
		own := func(u service.User) error {
			session, err := w.RestoreSessions.Open(w.ctx, u, service.ExploreSpec{Type: holdfast.ExploreChats, Organization: j.Organization})
			w.ok(err)
			acts := service.ActsIn(u, session)
			err = ignore(w.RestoreSessions.Restore(w.ctx, u, session.ID, service.RestoreSpec{Container: "both"}))
			if slices.Contains(acts, service.ActRestore) != (err == nil) {
				t.Errorf("%s may %q, and %v", u.Name, acts, err)
			}
			other := ignore(w.RestoreSessions.Restore(w.ctx, u, session.ID, service.RestoreSpec{Container: "both", NewChat: true}))
			if err == nil {
				w.kind(other, holdfast.KindDenied, "restore to somebody else")
			}
			return err
		}
		w.kind(own(as(holdfast.GrantRead)), holdfast.KindDenied, "may not restore")
		w.ok(own(as(holdfast.GrantRead, holdfast.GrantRestore)))
		member := service.User{ID: "m", Name: "ann", Role: service.RoleEndUser, Grants: []holdfast.Grant{{Organization: j.Organization, Owners: []string{"ann"}, Acts: holdfast.GrantActs}}}
		w.kind(own(member), holdfast.KindDenied, "may not restore chats")
		k.claim(1)

		request, err := w.RestoreSessions.Restore(w.ctx, admin, s.ID, service.RestoreSpec{Container: "both", NewChat: true, Topic: "Evidence", Mode: "skip"})
		w.ok(err)
		task := k.claim(1)[0]
		var req holdfast.RestoreRequest
		w.ok(json.Unmarshal(task.Request, &req))
		events, err := w.RestoreSessions.Events(w.ctx, admin, s.ID, holdfast.Page{})
		w.ok(err)
		if req.ID != request || !req.NewChat || req.Topic != "Evidence" || events[0].Target != "a new chat, Evidence" {
			t.Errorf("request %+v, event %+v", req, events[0])
		}
	})
}

// A restore that is stopped after its worker died, or that could not close its chat, leaves a chat to which nobody can write. It is closed by a task of
// its own, which is tried until it succeeds, also when the session is stopped meanwhile.
func TestAChatThatARestoreLeftOpenIsClosed(t *testing.T) {
	storetest.Each(t, func(t *testing.T, open storetest.Open) {
		w := newWorld(t, open)
		k, _, s := exploreChats(w, map[string][]string{"both": {"ann", "bob"}})
		request, err := w.RestoreSessions.Restore(w.ctx, admin, s.ID, service.RestoreSpec{Container: "both", Mode: "skip"})
		w.ok(err)
		note := holdfast.RestoreNote(holdfast.NoteOpenChat)
		opened := func(task holdfast.Task, chat string) {
			t.Helper()
			_, _, err := w.Control.BeginItem(w.ctx, task.Lease(), request, note, "")
			w.ok(err)
			w.ok(w.Control.MadeItem(w.ctx, task.Lease(), request, note, chat))
		}
		task := k.claim(1)[0]
		opened(task, "both") // and its worker dies
		w.ok(w.RestoreSessions.Stop(w.ctx, admin, s.ID))
		w.clock.Move(10 * time.Second)
		w.ok(w.Tick(w.ctx))
		var waited []time.Duration
		for n := 1; ; n++ {
			last := w.clock.Now()
			var tasks []holdfast.Task
			for tasks = k.claim(1); len(tasks) == 0; tasks = k.claim(1) {
				if w.clock.Move(5 * time.Second); w.clock.Now().Sub(last) > 2*time.Hour {
					t.Fatalf("nobody closes the chat after %v", waited)
				}
			}
			waited = append(waited, w.clock.Now().Sub(last).Round(5*time.Second))
			closing := tasks[0]
			var req holdfast.RestoreRequest
			w.ok(json.Unmarshal(closing.Request, &req))
			if closing.Kind != holdfast.TaskRestore || closing.Container.Key() != "chat/both" || req.ID != request || req.End != n {
				t.Fatalf("%+v, %+v", closing, req)
			}
			if n < 4 {
				w.ok(w.Control.Complete(w.ctx, closing.Lease(), holdfast.TaskResult{Err: "503"}))
				continue
			}
			opened(closing, "")
			w.ok(w.Control.Complete(w.ctx, closing.Lease(), holdfast.TaskResult{}))
			break
		}
		if len(waited) != 4 || waited[0] != 0 || waited[1] < 10*time.Second || waited[3] <= waited[2] || waited[2] <= waited[1] {
			t.Errorf("it was tried after %v", waited)
		}
		w.clock.Move(3 * time.Hour)
		if more := k.claim(9); slices.ContainsFunc(more, func(t holdfast.Task) bool { return t.Kind == holdfast.TaskRestore }) {
			t.Errorf("it is closed once more: %+v", more)
		}
		events, err := w.RestoreSessions.Events(w.ctx, admin, s.ID, holdfast.Page{})
		w.ok(err)
		if len(events) != 2 || events[0].Status != "Cancelled" || events[1].Status != "Success" || !strings.Contains(events[1].Message, "can write to it again") || events[1].Type != "None" {
			t.Errorf("events %+v", events)
		}
	})
}
