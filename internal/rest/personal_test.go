package rest_test

import (
	"testing"

	"holdfast/internal/holdfast"
	"holdfast/internal/service"
)

// TestAPersonalSiteIsSeenByItsUser: with what else is his, by him and by nobody else, in the portal and in the lists of what is protected.
func TestAPersonalSiteIsSeenByItsUser(t *testing.T) {
	w := newWorld(t)
	personal := holdfast.Container{Kind: holdfast.Site, Source: "contoso-my.sharepoint.example,c,w", Owner: ada, Name: "Ada", Address: "https://contoso-my.sharepoint.example/personal/ada_contoso_example"}
	_, sides := w.sides(application)
	job, err := w.services.Jobs.Create(t.Context(), asTest, service.JobSpec{Organization: sides[0].org.ID, Repository: sides[0].job.Repository, Name: new("own"), Scope: holdfast.SelectedItems, Selected: []holdfast.JobItem{{Type: "PersonalSites"}}})
	w.must(err)
	_, err = w.services.Jobs.Start(t.Context(), asTest, job.ID, false)
	w.must(err)
	w.backUp(personal)

	as := func(object string) service.User {
		tokens, err := w.services.Admin.LoginDirectory(t.Context(), service.DirectoryIdentity{Organization: sides[0].org.ID, ObjectID: object, Name: "x"}, "")
		w.must(err)
		return tokens.User
	}
	for user, want := range map[string]bool{ada: true, bob: false} {
		all, _, err := w.services.Portal.Objects(t.Context(), as(user), "", holdfast.Page{})
		w.must(err)
		if len(all) != 1 || !all[0].Self || all[0].PersonalSite != want || all[0].Site || all[0].Address == personal.Address {
			t.Errorf("%s sees %+v", user, all)
		}
		sites, err := w.services.Protected.Containers(t.Context(), as(user), holdfast.Site, service.ProtectedFilter{}, holdfast.Page{})
		if err == nil && (len(sites) == 1) != want {
			t.Errorf("%s sees the sites %+v", user, sites)
		}
		s, err := w.services.RestoreSessions.Open(t.Context(), as(user), service.ExploreSpec{Type: holdfast.ExploreSites, Organization: sides[0].org.ID})
		w.must(err)
		there, err := w.services.RestoreSessions.Containers(t.Context(), as(user), s.ID, holdfast.Page{})
		w.must(err)
		var keys []string
		for _, c := range there {
			keys = append(keys, c.Container.Key())
		}
		if (len(keys) == 1 && keys[0] == personal.Key()) != want || !want && len(keys) > 0 {
			t.Errorf("%s explores the sites %q", user, keys)
		}
	}
	at := "/v8/BackupRepositories/" + string(sides[0].job.Repository) + "/UserData"
	w.bearer = w.call("POST", "/v8/token", map[string]any{"grant_type": "password", "userName": "admin", "password": "correct horse battery", "disable_antiforgery_token": "True"}).want(200).text("access_token")
	told := w.call("GET", at, nil).want(200)
	for i := range told.get("results").([]any) {
		one := told.get("results", i).(map[string]any)
		has := one["accountId"] == ada
		if one["isPersonalSiteBackedUp"] != has || (one["personalSiteBackedUpTime"] != nil) != has || (one["personalSiteUrl"] != nil) != has {
			t.Errorf("of a user is told %v", one)
		}
	}
}
