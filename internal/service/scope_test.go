package service_test

import (
	"bytes"
	"context"
	"slices"
	"testing"
	"time"

	"holdfast/internal/holdfast"
	"holdfast/internal/service"
	"holdfast/internal/store/storetest"
)

// TestScopesAreInTheDatabase: whoever sees only a part gets only that part, by every way to it, from both databases.
func TestScopesAreInTheDatabase(t *testing.T) {
	storetest.Each(t, func(t *testing.T, open storetest.Open) {
		w := newWorld(t, open)
		w.directory.groups = map[string][]string{"board": {"bob"}, "staff": {"ann", "bob"}}
		repo := w.repository("r")
		type side struct {
			org   holdfast.Organization
			job   holdfast.Job
			point holdfast.RestorePoint
		}
		var sides []side
		for _, app := range []string{"app", "other"} {
			c := &service.Connection{Tenant: "t.example", Application: app, Secret: "s"}
			org, err := w.Organizations.Create(w.ctx, admin, service.OrganizationSpec{ExchangeConnection: c})
			w.ok(err)
			j := w.job("job of "+app, org, repo, nil)
			w.run(j, &worker{w: w, found: []holdfast.Container{mailbox("ann"), mailbox("bob")}})
			points, err := w.RestorePoints.List(w.ctx, admin, holdfast.PointFilter{Job: j.ID}, holdfast.Page{})
			w.ok(err)
			sides = append(sides, side{org, j, points[0]})
		}
		a, b := sides[0], sides[1]
		_, id, _ := w.user("op", service.RoleOperator)
		role := func(spec service.RbacSpec) holdfast.RbacRole {
			t.Helper()
			r, err := w.RbacRoles.Create(w.ctx, admin, a.org.ID, spec)
			w.ok(err)
			return r
		}
		operator := []holdfast.RbacItem{{Type: "User", ObjectID: string(id)}}
		now := func() service.User { t.Helper(); return w.signIn("op", "").User }
		sees := func(u service.User, want ...string) {
			t.Helper()
			held, err := w.Protected.Containers(w.ctx, u, "", service.ProtectedFilter{}, holdfast.Page{})
			w.ok(err)
			var owners []string
			for _, c := range held {
				if c.Organization != a.org.ID {
					t.Errorf("sees %+v", c)
				}
				owners = append(owners, c.Owner)
			}
			points, err := w.RestorePoints.List(w.ctx, u, holdfast.PointFilter{}, holdfast.Page{})
			w.ok(err)
			if len(want) == 0 && len(points) > 0 || len(want) > 0 && (len(points) != 1 || points[0].ID != a.point.ID) {
				t.Errorf("restore points %+v", points)
			}
			slices.Sort(owners)
			if !slices.Equal(owners, want) {
				t.Errorf("sees %q, want %q", owners, want)
			}
		}
		sees(now()) // no role, nothing
		_, err := w.RestoreSessions.Open(w.ctx, now(), service.ExploreSpec{Type: holdfast.ExploreExchange})
		w.kind(err, holdfast.KindDenied, "no restore role")

		whole := role(service.RbacSpec{Name: new("whole"), Whole: new(true), Operators: operator, Excluded: []holdfast.RbacItem{{Type: "Group", ObjectID: "board"}}})
		u := now()
		sees(u, "ann")
		p, err := w.RestorePoints.Get(w.ctx, u, a.point.ID)
		w.ok(err)
		if len(p.Entries) != 1 || p.Entries[0].Container.Owner != "ann" {
			t.Errorf("entries %+v", p.Entries)
		}
		for what, err := range map[string]error{
			"point":   ignore(w.RestorePoints.Get(w.ctx, u, b.point.ID)),
			"org":     ignore(w.Organizations.Get(w.ctx, u, b.org.ID)),
			"explore": ignore(w.RestoreSessions.Open(w.ctx, u, service.ExploreSpec{Type: holdfast.ExploreExchange, Organization: b.org.ID})),
			"at":      ignore(w.RestoreSessions.Open(w.ctx, u, service.ExploreSpec{Type: holdfast.ExploreExchange, Point: b.point.ID})),
			"job":     ignore(w.RestoreSessions.Open(w.ctx, u, service.ExploreSpec{Type: holdfast.ExploreExchange, Job: b.job.ID})),
		} {
			if holdfast.KindOf(err) != holdfast.KindNotFound {
				t.Errorf("%s: %v", what, err)
			}
		}
		s, err := w.RestoreSessions.Open(w.ctx, u, service.ExploreSpec{Type: holdfast.ExploreExchange})
		w.ok(err)
		boxes, err := w.RestoreSessions.Containers(w.ctx, u, s.ID, holdfast.Page{})
		w.ok(err)
		if len(boxes) != 1 || boxes[0].Container.Owner != "ann" {
			t.Fatalf("mailboxes %+v", boxes)
		}
		bobs := mailbox("bob")
		bobs.Organization = a.org.ID
		_, err = w.RestoreSessions.Items(w.ctx, u, s.ID, bobs.PublicID(), service.ItemQuery{Search: "x"})
		w.kind(err, holdfast.KindNotFound, "")
		w.kind(w.RestoreSessions.SaveMany(w.ctx, u, s.ID, bobs.PublicID(), nil, &bytes.Buffer{}), holdfast.KindNotFound, "")

		// Restoring to somebody else takes that somebody to be in scope too; a foreign application is not taken.
		anns := boxes[0].Container.PublicID()
		_, err = w.RestoreSessions.Restore(w.ctx, u, s.ID, service.RestoreSpec{Container: anns, To: "bob@contoso.example", Mode: "skip"})
		w.kind(err, holdfast.KindNotFound, "")
		_, err = w.RestoreSessions.Restore(w.ctx, u, s.ID, service.RestoreSpec{Container: anns, Mode: "skip", Credential: &holdfast.Credential{ApplicationID: "mine", ApplicationSecret: "s"}})
		w.kind(err, holdfast.KindDenied, "own application only")
		_, err = w.RestoreSessions.Restore(w.ctx, u, s.ID, service.RestoreSpec{Container: anns, Mode: "skip"})
		w.ok(err)

		// What is taken away is gone at once, also from a session that is open and was read before.
		w.ok(ignore(w.RbacRoles.Update(w.ctx, admin, whole.ID, service.RbacSpec{Excluded: []holdfast.RbacItem{{Type: "User", ObjectID: "ann"}}})))
		sees(now(), "bob")
		_, err = w.RestoreSessions.Container(w.ctx, now(), s.ID, anns)
		w.kind(err, holdfast.KindNotFound, "")
		w.ok(ignore(w.RbacRoles.Update(w.ctx, admin, whole.ID, service.RbacSpec{Excluded: []holdfast.RbacItem{}, Acts: []holdfast.GrantAct{holdfast.GrantRead}})))
		sees(now(), "ann", "bob")
		_, err = w.RestoreSessions.Save(w.ctx, now(), s.ID, anns, "x")
		w.kind(err, holdfast.KindDenied, "")
		w.ok(w.RbacRoles.Delete(w.ctx, admin, whole.ID))
		sees(now())

		// Groups stand for their members, as they are now.
		role(service.RbacSpec{Name: new("some"), Whole: new(false), Operators: operator, Selected: []holdfast.RbacItem{{Type: "Group", ObjectID: "staff"}, {Type: "User", ObjectID: "bob"}}, Excluded: users("bob")})
		sees(now(), "ann")
		w.directory.mu.Lock()
		w.directory.groups["staff"] = nil
		w.directory.mu.Unlock()
		w.clock.Move(31 * time.Minute)
		w.ok(w.TidyForTest(w.ctx))
		sees(now())

		// Others' sessions are not there, and an end user has his own only.
		mine, err := w.RestoreSessions.Open(w.ctx, admin, service.ExploreSpec{Type: holdfast.ExploreExchange, Organization: a.org.ID})
		w.ok(err)
		bob, err := w.BrowserSessions.OpenDirectory(w.ctx, service.DirectoryIdentity{Organization: a.org.ID, ObjectID: "bob", Name: "bob@contoso.example"}, "b", "")
		w.ok(err)
		if bob.User.Role != service.RoleEndUser {
			t.Errorf("bob is %+v", bob.User)
		}
		sees(bob.User, "bob")
		w.kind(ignore(w.RestoreSessions.Get(w.ctx, bob.User, mine.ID)), holdfast.KindNotFound, "")
		w.kind(w.RestoreSessions.Stop(w.ctx, bob.User, mine.ID), holdfast.KindNotFound, "")
		if all, err := w.RestoreSessions.List(w.ctx, bob.User, holdfast.RestoreSessionFilter{}, holdfast.Page{}); err != nil || len(all) != 0 {
			t.Errorf("bob sees sessions %+v, %v", all, err)
		}
	})
}

func users(id string) []holdfast.RbacItem {
	return []holdfast.RbacItem{{Type: "User", ObjectID: id}}
}

// TestAnExcludedGroupThatIsNotKnownShutsTheRole: better nothing than too much.
func TestAnExcludedGroupThatIsNotKnownShutsTheRole(t *testing.T) {
	w := newWorld(t, storetest.SQLite(t))
	org := w.organization()
	w.directory.groups = map[string][]string{"board": {"bob"}}
	_, id, _ := w.user("op", service.RoleOperator)
	r, err := w.RbacRoles.Create(w.ctx, admin, org.ID, service.RbacSpec{Name: new("r"), Whole: new(true), Operators: users(string(id)), Excluded: []holdfast.RbacItem{{Type: "Group", ObjectID: "board"}}})
	w.ok(err)
	if u := w.signIn("op", "").User; len(u.Grants) != 1 {
		t.Fatalf("grants %+v", u.Grants)
	}
	r.Excluded[0].ObjectID = "never read"
	w.ok(w.Store.Write(w.ctx, func(ctx context.Context, tx service.Tx) error { return tx.PutRbacRole(ctx, r) }))
	if u := w.signIn("op", "").User; len(u.Grants) != 0 {
		t.Errorf("grants %+v", u.Grants)
	}
}
