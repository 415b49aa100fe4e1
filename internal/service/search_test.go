package service_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"holdfast/internal/holdfast"
	"holdfast/internal/service"
	"holdfast/internal/store/storetest"
)

// searcher finds three pages of five in whatever scope it is given, and remembers that.
type searcher struct {
	scopes [][]holdfast.SearchScope
	found  []holdfast.Container // instead of five
	woken  int
}

func (s *searcher) Search(_ context.Context, q holdfast.SearchQuery, scope []holdfast.SearchScope) (page holdfast.SearchPage, err error) {
	s.scopes = append(s.scopes, scope)
	for _, c := range s.found {
		page.Results = append(page.Results, holdfast.SearchResult{Container: c})
	}
	if s.found != nil {
		return page, nil
	}
	n := len(q.Cursor)
	for i := range 5 {
		page.Results = append(page.Results, holdfast.SearchResult{Item: holdfast.Item{ID: fmt.Sprint(n, ".", i)}})
	}
	page.NotIndexed = []holdfast.NotIndexed{{Container: holdfast.Container{Name: "late"}}}
	if n < 2 {
		page.Cursor = q.Cursor + "x"
	}
	return page, nil
}

func (s *searcher) Status(context.Context, holdfast.SearchScope) (holdfast.SearchStatus, error) {
	return holdfast.SearchStatus{}, nil
}

func (s *searcher) Wake() { s.woken++ }

// TestSearchKeepsToWhatTheCallerMay: what is found may be read, and taken out where the role lets content be downloaded.
func TestSearchKeepsToWhatTheCallerMay(t *testing.T) {
	storetest.Each(t, func(t *testing.T, open storetest.Open) {
		w := newWorld(t, open)
		org, repo := w.organization(), w.repository("r")
		w.run(w.job("j", org, repo, nil), &worker{w: w, found: []holdfast.Container{mailbox("ann"), mailbox("bob")}})
		if w.searcher.woken < 2 {
			t.Errorf("woken %d times by heads and a restore point", w.searcher.woken)
		}
		_, id, _ := w.user("op", service.RoleOperator)
		spec := service.RbacSpec{Name: new("r"), Operators: []holdfast.RbacItem{{Type: "User", ObjectID: string(id)}}, Whole: new(false), Selected: []holdfast.RbacItem{{Type: "User", ObjectID: "ann"}}}
		role, err := w.RbacRoles.Create(w.ctx, admin, org.ID, spec)
		w.ok(err)
		now := func() service.User { t.Helper(); return w.signIn("op", "").User }
		q := holdfast.SearchQuery{Text: "budget", Limit: 5}
		export := func(u service.User) (ids []string, err error) {
			w.searcher.scopes = nil
			found, missing, err := w.Searches.Export(w.ctx, u, service.SearchIn{Organization: org.ID}, q)
			if err != nil {
				return nil, err
			}
			if len(missing) != 1 || missing[0].Container.Name != "late" {
				t.Errorf("not indexed yet is %+v", missing)
			}
			for r, err := range found {
				w.ok(err)
				ids = append(ids, r.Item.ID)
			}
			return ids, nil
		}
		keys := func(scopes [][]holdfast.SearchScope) (all []string) {
			for _, scope := range scopes {
				for _, s := range scope {
					if s.All || s.Organization != org.ID {
						t.Errorf("the scope is %+v", s)
					}
					all = append(all, s.Containers...)
				}
			}
			return all
		}
		ids, err := export(now())
		w.ok(err)
		if len(ids) != 15 || ids[0] != "0.0" || ids[14] != "2.4" {
			t.Errorf("exported %q", ids)
		}
		ann := mailbox("ann")
		ann.Organization = org.ID
		if got := keys(w.searcher.scopes); len(got) != 3 || slices.ContainsFunc(got, func(k string) bool { return k != ann.Key() }) {
			t.Errorf("exported from %q", got)
		}
		events, err := w.Audit.List(w.ctx, admin, holdfast.Page{Limit: 5})
		w.ok(err)
		if !slices.ContainsFunc(events, func(e holdfast.AuditEntry) bool {
			return e.Act == "search.export" && strings.Contains(e.Detail, "budget")
		}) {
			t.Errorf("the audit chain has %+v", events)
		}
		// Who may only read finds the same and takes nothing out.
		_, err = w.RbacRoles.Update(w.ctx, admin, role.ID, service.RbacSpec{Acts: []holdfast.GrantAct{holdfast.GrantRead}})
		w.ok(err)
		if ids, err = export(now()); err == nil && len(keys(w.searcher.scopes)) > 0 {
			t.Errorf("without the right to download: %q, %v", ids, w.searcher.scopes)
		}
		w.searcher.scopes = nil
		_, err = w.Searches.Find(w.ctx, now(), service.SearchIn{Organization: org.ID}, q)
		w.ok(err)
		if got := keys(w.searcher.scopes); !slices.Equal(got, []string{ann.Key()}) {
			t.Errorf("found in %q", got)
		}
		// One user's things are found by naming him, where the caller may see him.
		bob := mailbox("bob")
		bob.Organization = org.ID
		for _, tc := range []struct {
			u    service.User
			of   holdfast.Container
			want []string
		}{{now(), ann, []string{ann.Key()}}, {admin, bob, []string{bob.Key()}}, {now(), bob, nil}} {
			w.searcher.scopes = nil
			_, err := w.Searches.Find(w.ctx, tc.u, service.SearchIn{Owner: tc.of.OwnerID()}, q)
			if tc.want == nil {
				w.kind(err, holdfast.KindNotFound, "no backup holds anything")
			} else {
				w.ok(err)
			}
			if got := keys(w.searcher.scopes); !slices.Equal(got, tc.want) {
				t.Errorf("%s finds of %s in %q", tc.u.Name, tc.of.Name, got)
			}
		}
		auditor, _, _ := w.user("aud", service.RoleAuditor)
		_, _, err = w.Searches.Export(w.ctx, auditor, service.SearchIn{Organization: org.ID}, q)
		w.kind(err, holdfast.KindDenied, "")
	})
}

// TestAChatIsFoundByOneOfWhomTheCallerSees: by whom is asked for, oneself, or somebody whom a role covers, since that is whose chats can be explored. A site and a team are searched by their own ids.
func TestAChatIsFoundByOneOfWhomTheCallerSees(t *testing.T) {
	w := newWorld(t, storetest.SQLite(t))
	org, repo := w.organization(), w.repository("r")
	shared := func(kind holdfast.ContainerKind, source, owner string) holdfast.Container {
		return holdfast.Container{Organization: org.ID, Kind: kind, Source: source, Name: source, Owner: owner}
	}
	chat, site, team := shared(holdfast.Chat, "19:x", holdfast.OwnedBy("ann", "bob")), shared(holdfast.Site, "s1", "s1"), shared(holdfast.Team, "t1", "t1")
	w.run(w.job("j", org, repo, nil), &worker{w: w, found: []holdfast.Container{mailbox("ann"), mailbox("bob")}})
	w.ok(w.Store.Write(w.ctx, func(ctx context.Context, tx service.Tx) error {
		for _, c := range []holdfast.Container{chat, site, team} {
			if err := tx.PutContainer(ctx, holdfast.ContainerRecord{Container: c, Repository: repo.ID, Head: 1}); err != nil {
				return err
			}
		}
		return nil
	}))
	_, id, _ := w.user("op", service.RoleOperator)
	spec := service.RbacSpec{Name: new("r"), Operators: []holdfast.RbacItem{{Type: "User", ObjectID: string(id)}}, Whole: new(false), Selected: []holdfast.RbacItem{{Type: "User", ObjectID: "bob"}}}
	_, err := w.RbacRoles.Create(w.ctx, admin, org.ID, spec)
	w.ok(err)
	operator := w.signIn("op", "").User
	of := func(owner string) string { return holdfast.Container{Organization: org.ID, Owner: owner}.OwnerID() }
	w.searcher.found = []holdfast.Container{chat, site}
	for name, tc := range map[string]struct {
		u     service.User
		in    string
		where string
		owner string
	}{
		"nobody in particular": {admin, "", "", "ann"},
		"whom is asked for":    {admin, of("bob"), "chat/19:x mailbox/bob", "bob"},
		"whom the role covers": {operator, "", "chat/19:x mailbox/bob", "bob"},
		"a site":               {admin, site.PublicID(), "site/s1", "ann"},
		"a team":               {admin, team.PublicID(), "team/t1", "ann"},
	} {
		w.searcher.scopes = nil
		page, err := w.Searches.Find(w.ctx, tc.u, service.SearchIn{Owner: tc.in}, holdfast.SearchQuery{Text: "x", Limit: 5})
		w.ok(err)
		where := slices.Clone(w.searcher.scopes[0][0].Containers)
		slices.Sort(where)
		if got := strings.Join(where, " "); got != tc.where || page.Results[0].Owner != tc.owner || page.Results[1].Owner != "s1" {
			t.Errorf("%s: looked in %q, found by %q and %q", name, got, page.Results[0].Owner, page.Results[1].Owner)
		}
	}
	_, err = w.Searches.Find(w.ctx, operator, service.SearchIn{Owner: site.PublicID()}, holdfast.SearchQuery{Text: "x", Limit: 5})
	w.kind(err, holdfast.KindNotFound, "no backup holds anything")
}
