package service_test

import (
	"testing"

	"holdfast/internal/holdfast"
	"holdfast/internal/service"
	"holdfast/internal/store/storetest"
)

func TestJobsTakeTeamsWhereTheOrganizationProtectsThem(t *testing.T) {
	storetest.Each(t, func(t *testing.T, open storetest.Open) {
		w := newWorld(t, open)
		repo := w.repository("r")
		c := &service.Connection{Tenant: "t.example", Application: "app", Secret: "s"}
		yes := true
		_, err := w.Organizations.Create(w.ctx, admin, service.OrganizationSpec{ExchangeConnection: c, Teams: &yes})
		w.kind(err, holdfast.KindInvalid, "SharePoint Online: protect that too")
		org, err := w.Organizations.Create(w.ctx, admin, service.OrganizationSpec{SharePointConnection: c})
		w.ok(err)
		team := func(name string) service.JobSpec {
			return service.JobSpec{Name: &name, Organization: org.ID, Repository: repo.ID, Scope: holdfast.SelectedItems, Selected: []holdfast.JobItem{{Type: service.ItemTeam, Name: name}}}
		}
		_, err = w.Jobs.Create(w.ctx, admin, team("Apollo"))
		w.kind(err, holdfast.KindInvalid, "does not protect Teams")
		_, err = w.Organizations.Update(w.ctx, admin, org.ID, service.OrganizationSpec{TeamsChats: &yes})
		w.kind(err, holdfast.KindInvalid, "posts are protected with their teams")
		org, err = w.Organizations.Update(w.ctx, admin, org.ID, service.OrganizationSpec{Teams: &yes, TeamsChats: &yes})
		w.ok(err)
		if !org.Teams || !org.TeamsChats {
			t.Errorf("teams %v, posts %v", org.Teams, org.TeamsChats)
		}
		_, err = w.Jobs.Create(w.ctx, admin, team("Nobody's"))
		w.kind(err, holdfast.KindNotFound, "no team")
		job, err := w.Jobs.Create(w.ctx, admin, team("Apollo"))
		w.ok(err)
		if i := job.Selected[0]; i.ObjectID != apollo || !i.Teams || i.Mailbox || i.OneDrive || i.Sites {
			t.Errorf("%+v", i)
		}
	})
}
