package rest

import (
	"context"

	"holdfast/internal/holdfast"
	"holdfast/internal/rest/contract"
	"holdfast/internal/service"
)

func (r *request) protectedFilter() (service.ProtectedFilter, error) {
	var f service.ProtectedFilter
	for _, q := range []struct {
		name string
		into func(string)
	}{
		{"backedUpOrganizationId", func(id string) { f.Organization = holdfast.OrganizationID(id) }},
		{"organizationId", func(id string) { f.Organization = holdfast.OrganizationID(id) }},
		{"repositoryId", func(id string) { f.Repository = holdfast.RepositoryID(id) }},
		{"restorePointId", func(id string) { f.Point = holdfast.RestorePointID(id) }},
	} {
		id, err := r.queryID(q.name)
		if err != nil {
			return f, err
		}
		if id != "" {
			q.into(id)
		}
	}
	return f, nil
}

func (a *API) protectedDataGetProtectedUsers(ctx context.Context, r *request) (any, error) {
	w, err := r.window()
	if err != nil {
		return nil, err
	}
	f, err := r.protectedFilter()
	if err != nil {
		return nil, err
	}
	users, err := a.services.Protected.Users(ctx, r.user, f, w.page())
	if err != nil {
		return nil, err
	}
	return page(r, w, users, protectedUserToContract), nil
}

func (a *API) protectedDataGetProtectedUser(ctx context.Context, r *request) (any, error) {
	u, err := a.services.Protected.User(ctx, r.user, r.param("protectedUserId"), service.ProtectedFilter{})
	if err != nil {
		return nil, err
	}
	return protectedUserToContract(u), nil
}

func protectedUserToContract(u service.ProtectedOwner) contract.RESTProtectedUser {
	out := contract.RESTProtectedUser{
		ID:                     &u.ID,
		Msid:                   optional(u.ObjectID),
		DisplayName:            &u.Name,
		AccountType:            accountType(u.Shared),
		OrganizationID:         uid(u.Organization),
		BackedUpOrganizationID: new(string(u.Organization)),
		Mailboxes:              []contract.RESTProtectedMailbox{},
		OneDrives:              []contract.RESTProtectedOneDrive{},
		Sites:                  []contract.RESTProtectedSite{},
	}
	seen := map[string]bool{} // a container may be in several repositories
	for _, c := range u.Containers {
		id := c.PublicID()
		if seen[id] {
			continue
		}
		seen[id] = true
		switch c.Kind {
		case holdfast.Mailbox:
			out.Mailboxes = append(out.Mailboxes, contract.RESTProtectedMailbox{ID: uid(id), DisplayName: &c.Name, Email: &c.Address, IsArchive: new(false)})
		case holdfast.Drive:
			out.OneDrives = append(out.OneDrives, contract.RESTProtectedOneDrive{ID: &id, DisplayName: &c.Name})
		case holdfast.Site:
			out.Sites = append(out.Sites, protectedSiteToContract(c))
		}
	}
	return out
}

// accountType is what an account is; rooms and equipment are as shared mailboxes are, for the contract has no word for them.
func accountType(shared bool) *contract.RESTProtectedUserAccountType {
	if shared {
		return new(contract.RESTProtectedUserAccountTypeSharedMailbox)
	}
	return new(contract.RESTProtectedUserAccountTypeUser)
}

func (a *API) protectedDataGetProtectedGroups(ctx context.Context, r *request) (any, error) {
	w, err := r.window()
	if err != nil {
		return nil, err
	}
	f, err := r.protectedFilter()
	if err != nil {
		return nil, err
	}
	groups, err := a.services.Protected.Groups(ctx, r.user, f, w.page())
	if err != nil {
		return nil, err
	}
	return page(r, w, groups, protectedGroupToContract), nil
}

// protectedGroupToContract encodes a group by its mailbox. Its site is protected as a site, which does not tell whose it is.
func protectedGroupToContract(g service.ProtectedOwner) contract.RESTProtectedGroup {
	out := contract.RESTProtectedGroup{ID: &g.ID, Msid: &g.ObjectID, DisplayName: &g.Name, OrganizationID: uid(g.Organization), BackedUpOrganizationID: new(string(g.Organization)), Mailboxes: []contract.RESTProtectedMailbox{}}
	seen := map[string]bool{} // a mailbox may be in several repositories
	for _, c := range g.Containers {
		if id := c.PublicID(); !seen[id] {
			seen[id] = true
			out.Mailboxes = append(out.Mailboxes, contract.RESTProtectedMailbox{ID: uid(id), DisplayName: &c.Name, Email: &c.Address, IsArchive: new(false)})
		}
	}
	return out
}

func (a *API) protectedDataGetProtectedSites(ctx context.Context, r *request) (any, error) {
	w, err := r.window()
	if err != nil {
		return nil, err
	}
	f, err := r.protectedFilter()
	if err != nil {
		return nil, err
	}
	sites, err := a.services.Protected.Containers(ctx, r.user, holdfast.Site, f, w.page())
	if err != nil {
		return nil, err
	}
	return page(r, w, sites, protectedSiteToContract), nil
}

func protectedSiteToContract(c holdfast.ContainerRecord) contract.RESTProtectedSite {
	return contract.RESTProtectedSite{ID: new(c.PublicID()), Msid: &c.Source, DisplayName: &c.Name, URL: &c.Address, OrganizationID: uid(c.Organization), BackedUpOrganizationID: new(string(c.Organization))}
}

func (a *API) protectedDataGetProtectedTeams(ctx context.Context, r *request) (any, error) {
	w, err := r.window()
	if err != nil {
		return nil, err
	}
	f, err := r.protectedFilter()
	if err != nil {
		return nil, err
	}
	teams, err := a.services.Protected.Containers(ctx, r.user, holdfast.Team, f, w.page())
	if err != nil {
		return nil, err
	}
	return page(r, w, teams, protectedTeamToContract), nil
}

func protectedTeamToContract(c holdfast.ContainerRecord) contract.RESTProtectedTeam {
	return contract.RESTProtectedTeam{ID: uid(c.PublicID()), Msid: uid(c.Source), DisplayName: &c.Name, OrganizationID: uid(c.Organization), BackedUpOrganizationID: new(string(c.Organization))}
}

func (a *API) protectedDataGetProtectedGroup(ctx context.Context, r *request) (any, error) {
	g, err := a.services.Protected.Group(ctx, r.user, r.param("protectedGroupId"), service.ProtectedFilter{})
	if err != nil {
		return nil, err
	}
	return protectedGroupToContract(g), nil
}

func (a *API) protectedDataGetProtectedSite(ctx context.Context, r *request) (any, error) {
	c, err := a.services.Protected.Container(ctx, r.user, holdfast.Site, service.ProtectedFilter{}, r.param("protectedSiteId"))
	if holdfast.KindOf(err) == holdfast.KindNotFound {
		return nil, holdfast.NotFound("no backup holds anything of site %s", r.param("protectedSiteId"))
	} else if err != nil {
		return nil, err
	}
	return protectedSiteToContract(c), nil
}

func (a *API) protectedDataGetProtectedTeam(ctx context.Context, r *request) (any, error) {
	c, err := a.services.Protected.Container(ctx, r.user, holdfast.Team, service.ProtectedFilter{}, r.param("protectedTeamId"))
	if holdfast.KindOf(err) == holdfast.KindNotFound {
		return nil, holdfast.NotFound("no backup holds anything of team %s", r.param("protectedTeamId"))
	} else if err != nil {
		return nil, err
	}
	return protectedTeamToContract(c), nil
}

// protectedIn narrows protected data as a filter of restore points does.
func protectedIn(f holdfast.PointFilter) service.ProtectedFilter {
	return service.ProtectedFilter{Organization: f.Organization, Repository: f.Repository}
}
