package service_test

import (
	"slices"
	"strings"
	"testing"

	"holdfast/internal/holdfast"
	"holdfast/internal/service"
)

// TestTheEntireOrganizationTakesPersonalSitesWhenAsked: not without it, and never those that another job has.
func TestTheEntireOrganizationTakesPersonalSitesWhenAsked(t *testing.T) {
	s := newScoped(t)
	all := s.made(nil, nil)
	sites := func() []string {
		t.Helper()
		got, _ := s.protects(all)
		return slices.DeleteFunc(got, func(name string) bool {
			return !strings.HasPrefix(name, "site/") || slices.Contains([]string{"site/root", "site/rooted", "site/sub", "site/team"}, name)
		})
	}
	check := func(what string, want ...string) {
		t.Helper()
		if got := sites(); !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", what, got, want)
		}
	}
	check("as it is made")
	yes, no := true, false
	_, err := s.Jobs.Update(s.ctx, admin, all.ID, service.JobSpec{Personal: &yes})
	s.ok(err)
	check("with personal sites", "site/ann", "site/bob", "site/cid", "site/dan")
	_, err = s.make([]holdfast.JobItem{{Type: "User", ObjectID: "ann", Sites: true}}, nil)
	s.ok(err)
	check("beside a job that has one", "site/bob", "site/cid", "site/dan")
	_, err = s.Jobs.Update(s.ctx, admin, all.ID, service.JobSpec{Excluded: []holdfast.JobItem{{Type: "User", ObjectID: "bob", Sites: true}}})
	s.ok(err)
	check("with an exclusion", "site/cid", "site/dan")
	s.k.found = slices.DeleteFunc(s.k.found, func(c holdfast.Container) bool { return c.Personal() && c.Owner == "cid" })
	check("when one has left", "site/cid gone", "site/dan")
	_, err = s.Jobs.Update(s.ctx, admin, all.ID, service.JobSpec{Personal: &no})
	s.ok(err)
	check("without them again")
}

// TestAPersonalSiteIsItsUsers: who has one counts as protected user, by his own name; whose site is known is told to who looks for objects.
func TestAPersonalSiteIsItsUsers(t *testing.T) {
	s := newScoped(t)
	job := s.made([]holdfast.JobItem{{Type: "PersonalSites"}, {Type: "User", ObjectID: "ann", OneDrive: true, Sites: true}}, nil)
	got, session := s.protects(job)
	if want := []string{"drive/ann", "site/ann", "site/bob", "site/cid", "site/dan"}; !slices.Equal(got, want) {
		t.Fatalf("protects %q, want %q", got, want)
	}
	if text := s.log(session, "None"); !strings.Contains(text, "4 personal sites are read without the library that is their user's OneDrive") {
		t.Errorf("the log does not say what is not read: %s", text)
	}
	users, err := s.Protected.Users(s.ctx, admin, service.ProtectedFilter{}, holdfast.Page{})
	s.ok(err)
	var told []string
	for _, u := range users {
		told = append(told, u.ObjectID+" "+u.Address)
	}
	slices.Sort(told)
	if want := []string{"ann ann@contoso.example", "bob bob@contoso.example", "cid cid@contoso.example", "dan dan@contoso.example"}; !slices.Equal(told, want) {
		t.Errorf("protected users %q, want %q", told, want)
	}
	one, err := s.Protected.User(s.ctx, admin, "ann", service.ProtectedFilter{})
	s.ok(err)
	if len(one.Containers) != 2 || one.Containers[0].Kind != holdfast.Drive {
		t.Errorf("of ann there are %+v", one.Containers)
	}
	left, err := s.Overview.Unprotected(s.ctx, admin, s.org.ID)
	s.ok(err)
	for _, u := range left.Users {
		if u.ID == "ann" {
			t.Error("ann, whose OneDrive is stored, is said to be unprotected")
		}
	}

	_, err = s.Jobs.Start(s.ctx, admin, job.ID, false)
	s.ok(err)
	look := s.k.claim(1)[0]
	a, err := s.Control.Access(s.ctx, look.Lease())
	s.ok(err)
	if !slices.ContainsFunc(a.Job.Selected, func(i holdfast.JobItem) bool { return i.Type == "PersonalSites" }) {
		t.Errorf("who looks for objects is told of %+v", a.Job.Selected)
	}
	for _, u := range a.Users {
		if want := personalSite(u.ID); slices.Contains([]string{"ann", "bob", "cid", "dan"}, u.ID) && (u.Site.Source != want.Source || u.Site.Address != want.Address) {
			t.Errorf("the site of %s is told as %+v", u.ID, u.Site)
		}
	}
}

// TestAPreviewCountsPersonalSites: those of everybody who may have one.
func TestAPreviewCountsPersonalSites(t *testing.T) {
	s := newScoped(t)
	sum, err := s.Jobs.Preview(s.ctx, admin, "", service.JobSpec{Organization: s.org.ID, Scope: holdfast.SelectedItems, Selected: []holdfast.JobItem{{Type: "PersonalSites"}},
		Excluded: []holdfast.JobItem{{Type: "User", ObjectID: "eve", Sites: true}}})
	s.ok(err)
	for _, n := range sum.Counts {
		if n.Kind == holdfast.Site && (n.Objects != 5 || n.Excluded != 1) {
			t.Errorf("sites: %+v", n)
		}
	}
}
