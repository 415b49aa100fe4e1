package service_test

import (
	"slices"
	"strings"
	"testing"

	"holdfast/internal/holdfast"
	"holdfast/internal/service"
	"holdfast/internal/store/storetest"
)

func chatList(user string) holdfast.Container {
	return holdfast.Container{Kind: holdfast.ChatList, Source: user, Owner: user, Name: user, Address: user + "@contoso.example"}
}

// chatWorker plays the backups of lists of chats, which find chats, and of chats, which learn who takes part in them.
type chatWorker struct {
	*worker
	chats   map[string][]string // members by chat
	marks   map[string]string   // of the lists, by chat
	refused map[string]bool     // users whose list can't be read
	read    []string            // chats that were read, with their hints
}

func (k *chatWorker) drain() {
	k.w.t.Helper()
	for {
		tasks := k.claim(1)
		if len(tasks) == 0 {
			return
		}
		t := tasks[0]
		switch {
		case t.Kind != holdfast.TaskBackup || t.Container.Kind != holdfast.ChatList && t.Container.Kind != holdfast.Chat:
			k.work(t)
		case t.Container.Kind == holdfast.Chat:
			k.read = append(k.read, t.Container.Source+" "+string(t.Request))
			h := k.next(t)
			h.Container.Owner = holdfast.OwnedBy(k.chats[t.Container.Source]...)
			k.w.ok(k.w.Control.CommitHeads(k.w.ctx, []holdfast.HeadCommit{{Lease: t.Lease(), Head: h}}))
			k.w.ok(k.w.Control.Complete(k.w.ctx, t.Lease(), holdfast.TaskResult{Entry: holdfast.PointEntry{Container: h.Container, Head: h.Number, HeadTime: h.Time, State: holdfast.StateUpdated}}))
		case k.refused[t.Container.Owner]:
			k.w.ok(k.w.Control.Complete(k.w.ctx, t.Lease(), holdfast.TaskResult{Err: "denied: 403", Reason: holdfast.SkipDenied}))
		default:
			h := k.commit(t)
			r := holdfast.TaskResult{Entry: holdfast.PointEntry{Container: h.Container, Head: h.Number, HeadTime: h.Time, State: holdfast.StateUpdated}, Hints: map[string]string{}}
			for id, members := range k.chats {
				if slices.Contains(members, t.Container.Owner) {
					c := holdfast.Container{Kind: holdfast.Chat, Source: id, Name: id, Address: id, Owner: t.Container.Owner}
					r.Found = append(r.Found, c)
					r.Hints[c.Key()] = k.marks[id] + t.Container.Owner
				}
			}
			k.w.ok(k.w.Control.Complete(k.w.ctx, t.Lease(), r))
		}
	}
}

func (k *chatWorker) run(j holdfast.Job) (holdfast.JobSession, map[string]holdfast.PointEntry) {
	k.w.t.Helper()
	k.read = nil
	s, err := k.w.Jobs.Start(k.w.ctx, admin, j.ID, false)
	k.w.ok(err)
	k.drain()
	s, err = k.w.JobSessions.Get(k.w.ctx, admin, s.ID)
	k.w.ok(err)
	entries := map[string]holdfast.PointEntry{}
	if s.RestorePoint != "" {
		p, err := k.w.RestorePoints.Get(k.w.ctx, admin, s.RestorePoint)
		k.w.ok(err)
		for _, e := range p.Entries {
			entries[e.Container.Key()] = e
		}
	}
	return s, entries
}

func chatJob(w *world, repo holdfast.Repository) holdfast.Job {
	return w.job("chats", w.organization(), repo, func(s *service.JobSpec) {
		s.Selected = []holdfast.JobItem{{Type: "User", ObjectID: "ann", Chats: true}, {Type: "User", ObjectID: "bob", Chats: true}}
	})
}

// A chat is read once a session, whoever takes part in it; its head says who does, and whoever of them may be seen decides who sees it.
func TestAChatIsReadOnceAndIsItsMembers(t *testing.T) {
	storetest.Each(t, func(t *testing.T, open storetest.Open) {
		w := newWorld(t, open)
		repo := w.repository("r")
		j := chatJob(w, repo)
		k := &chatWorker{worker: &worker{w: w, found: []holdfast.Container{chatList("ann"), chatList("bob")}},
			chats: map[string][]string{"both": {"ann", "bob"}, "far": {"ann", "zoe"}, "alone": {"bob"}}, marks: map[string]string{"both": "5 "}}
		s, entries := k.run(j)
		if s.Status != holdfast.StatusSuccess || len(entries) != 5 {
			t.Fatalf("session %s %q, entries %v", s.Status, s.Details, entries)
		}
		slices.Sort(k.read)
		if len(k.read) != 3 || !strings.HasPrefix(k.read[0], "alone ") || !strings.HasPrefix(k.read[1], "both 5 ") {
			t.Errorf("read %q: each chat once, with the greatest hint", k.read)
		}
		if got := entries["chat/both"].Container.Owner; got != "ann bob" {
			t.Errorf("the entry's owner is %q", got)
		}
		_, id, _ := w.user("op", service.RoleOperator)
		sees := func(want []string, items ...holdfast.RbacItem) {
			t.Helper()
			roles, err := w.RbacRoles.List(w.ctx, admin, j.Organization)
			w.ok(err)
			for _, r := range roles {
				w.ok(w.RbacRoles.Delete(w.ctx, admin, r.ID))
			}
			_, err = w.RbacRoles.Create(w.ctx, admin, j.Organization, service.RbacSpec{Name: new("r"), Operators: []holdfast.RbacItem{{Type: "User", ObjectID: string(id)}}, Selected: items})
			w.ok(err)
			u := w.signIn("op", "").User
			held, err := w.Protected.Containers(w.ctx, u, holdfast.Chat, service.ProtectedFilter{}, holdfast.Page{})
			w.ok(err)
			var got []string
			for _, c := range held {
				got = append(got, c.Source)
			}
			if !slices.Equal(got, want) {
				t.Errorf("sees %q, want %q", got, want)
			}
			p, err := w.RestorePoints.Get(w.ctx, u, s.RestorePoint)
			w.ok(err)
			n := 0
			for _, e := range p.Entries {
				if e.Container.Kind == holdfast.Chat {
					n++
				}
			}
			if n != len(want) {
				t.Errorf("the restore point shows %d chats, want %d", n, len(want))
			}
		}
		sees([]string{"both", "far"}, holdfast.RbacItem{Type: "User", ObjectID: "ann"})
		sees([]string{"alone", "both"}, holdfast.RbacItem{Type: "User", ObjectID: "bob"})
		users, err := w.Protected.Users(w.ctx, admin, service.ProtectedFilter{}, holdfast.Page{})
		w.ok(err)
		if len(users) != 0 {
			t.Errorf("chats and lists of them are shown as %d users", len(users))
		}
	})
}

// A chat whose members' list can't be read keeps the state before and says why; one that nobody protected takes part in any more is gone.
func TestAChatThatWasNotFoundKeepsItsState(t *testing.T) {
	w := newWorld(t, storetest.SQLite(t))
	j := chatJob(w, w.repository("r"))
	k := &chatWorker{worker: &worker{w: w, found: []holdfast.Container{chatList("ann"), chatList("bob")}}, chats: map[string][]string{"both": {"ann", "bob"}, "far": {"ann", "zoe"}}}
	_, first := k.run(j)
	k.refused = map[string]bool{"ann": true}
	s, entries := k.run(j)
	if e := entries["chat/far"]; s.Status != holdfast.StatusWarning || e.State != holdfast.StateNotUpdated || e.Head != first["chat/far"].Head || !strings.Contains(e.Reason, "ann@contoso.example was not read") {
		t.Errorf("session %s, the chat that only the refused list has: %+v", s.Status, e)
	}
	if e := entries["chat/both"]; e.State != holdfast.StateUpdated {
		t.Errorf("the chat that another list has: %+v", e)
	}
	k.refused, k.chats = nil, map[string][]string{"both": {"ann", "bob"}}
	if s, entries = k.run(j); entries["chat/far"].State != holdfast.StateGone || s.Status != holdfast.StatusWarning {
		t.Errorf("session %s, a chat that nobody takes part in: %+v", s.Status, entries["chat/far"])
	}
	if s, entries = k.run(j); entries["chat/far"].State != holdfast.StateGone || s.Status != holdfast.StatusSuccess {
		t.Errorf("what is gone is told twice: %s %q", s.Status, s.Details)
	}
}

// A job asks for chats by its own will: then the application must be able to read them, and the organization says that it can.
func TestChatsAreAskedForByAJob(t *testing.T) {
	w := newWorld(t, storetest.SQLite(t))
	org, repo := w.organization(), w.repository("r")
	spec := service.JobSpec{Organization: org.ID, Repository: repo.ID, Scope: holdfast.SelectedItems, Selected: []holdfast.JobItem{{Type: "User", ObjectID: "ann", Mailbox: true}}}
	_, err := w.Jobs.Create(w.ctx, admin, spec)
	w.ok(err)
	if org, err = w.Organizations.Get(w.ctx, admin, org.ID); err != nil || org.Chats {
		t.Fatalf("a job without chats switched them on (%v)", err)
	}
	w.directory.lacking = map[string]bool{"Chat.Read.All": true}
	spec.Name, spec.Selected = new("with"), []holdfast.JobItem{{Type: "User", ObjectID: "ann", Chats: true}}
	_, err = w.Jobs.Create(w.ctx, admin, spec)
	w.kind(err, holdfast.KindDenied, "Chat.Read.All")
	spec.Scope, spec.Selected, spec.Chats = holdfast.EntireOrganization, nil, new(true)
	_, err = w.Jobs.Create(w.ctx, admin, spec)
	w.kind(err, holdfast.KindDenied, "Chat.Read.All")
	w.directory.lacking = nil
	j, err := w.Jobs.Create(w.ctx, admin, spec)
	w.ok(err)
	if org, err = w.Organizations.Get(w.ctx, admin, org.ID); err != nil || !org.Chats || !j.Chats {
		t.Errorf("chats of the organization %v, of the job %v (%v)", org.Chats, j.Chats, err)
	}
	if j, err = w.Jobs.Update(w.ctx, admin, j.ID, service.JobSpec{Description: new("x")}); err != nil || !j.Chats {
		t.Errorf("another change took the chats (%v)", err)
	}
	if j, err = w.Jobs.Update(w.ctx, admin, j.ID, service.JobSpec{Chats: new(false)}); err != nil || j.Chats {
		t.Errorf("chats stay (%v)", err)
	}
	china, err := w.Organizations.Create(w.ctx, admin, service.OrganizationSpec{Region: holdfast.China, ExchangeConnection: &service.Connection{Tenant: "c.example", Application: "other", Secret: "s"}})
	w.ok(err)
	spec.Organization, spec.Name = china.ID, new("china")
	_, err = w.Jobs.Create(w.ctx, admin, spec)
	w.kind(err, holdfast.KindInvalid, "China")
}
