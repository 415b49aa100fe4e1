package rest

import (
	"context"
	"slices"

	"github.com/google/uuid"

	"holdfast/internal/holdfast"
	"holdfast/internal/rest/contract"
	"holdfast/internal/service"
)

// The Restore Portal asks with these who has signed in, and for whom he may restore.

func (a *API) organizationRbacGetLoggedInUser(ctx context.Context, r *request) (any, error) {
	u, _, err := a.services.Users.Self(ctx, r.user)
	if err != nil {
		return nil, err
	}
	id := u.ObjectID
	if u.Local() {
		id = string(u.ID)
	}
	return contract.RESTRbacLoggedInUser{ID: id, Name: u.Name}, nil
}

func (a *API) organizationRbacGetLoggedInUserOperatorInfo(_ context.Context, r *request) (any, error) {
	return contract.RESTOperatorInfo{IsOperator: r.user.Role == service.RoleOperator}, nil
}

// organizationRbacGetLoggedInUserEffectiveScope lists the users, sites and teams of which backups hold something that the caller may see. Their ids
// name a scope when exploring.
func (a *API) organizationRbacGetLoggedInUserEffectiveScope(ctx context.Context, r *request) (any, error) {
	users, err := a.services.Protected.Users(ctx, r.user, service.ProtectedFilter{}, holdfast.Page{})
	if err != nil {
		return nil, err
	}
	sites, err := a.protectedOnce(ctx, r, holdfast.Site)
	if err != nil {
		return nil, err
	}
	teams, err := a.protectedOnce(ctx, r, holdfast.Team)
	if err != nil {
		return nil, err
	}
	return contract.RESTRbacEffectiveScope{
		Users: list(users, func(u service.ProtectedOwner) contract.RESTRbacUserItem {
			return contract.RESTRbacUserItem{Type: contract.RESTRbacItemTypeUser, ID: u.ID, User: *rbacUser(u.ObjectID, u.Address, u.Name, string(*accountType(u.Shared)))}
		}),
		Sites: list(sites, func(c holdfast.ContainerRecord) contract.RESTRbacSiteItem {
			return contract.RESTRbacSiteItem{Type: contract.RESTRbacItemTypeSite, ID: c.PublicID(), Site: contract.RESTRbacSite{ID: c.PublicID(), URL: &c.Address, Title: c.Name, IsCloud: new(true), IsPersonal: new(c.Personal())}}
		}),
		Teams: list(teams, func(c holdfast.ContainerRecord) contract.RESTRbacTeamItem {
			return contract.RESTRbacTeamItem{Type: contract.RESTRbacItemTypeTeam, ID: c.PublicID(), Team: contract.RESTRbacTeam{ID: uuid.MustParse(c.PublicID()), DisplayName: c.Name, Mail: c.Address}}
		}),
	}, nil
}

// protectedOnce lists the containers of a kind that the caller sees, each once however many repositories hold it.
func (a *API) protectedOnce(ctx context.Context, r *request, kind holdfast.ContainerKind) ([]holdfast.ContainerRecord, error) {
	all, err := a.services.Protected.Containers(ctx, r.user, kind, service.ProtectedFilter{}, holdfast.Page{})
	seen := map[string]bool{}
	return slices.DeleteFunc(all, func(c holdfast.ContainerRecord) bool {
		twice := seen[c.PublicID()]
		seen[c.PublicID()] = true
		return twice
	}), err
}

// scopeItem is the organization and the owner of what an id of the effective scope names: a user, a site or a team.
func (a *API) scopeItem(ctx context.Context, r *request, id string) (holdfast.OrganizationID, string, error) {
	u, err := a.services.Protected.User(ctx, r.user, id, service.ProtectedFilter{})
	if holdfast.KindOf(err) != holdfast.KindNotFound {
		return u.Organization, u.ObjectID, err
	}
	for _, kind := range []holdfast.ContainerKind{holdfast.Site, holdfast.Team} {
		c, err := a.services.Protected.Container(ctx, r.user, kind, service.ProtectedFilter{}, id)
		if holdfast.KindOf(err) != holdfast.KindNotFound {
			return c.Organization, c.Owner, err
		}
	}
	return "", "", holdfast.NotFound("no backup holds anything of a user, a site or a team %s", id)
}

// organizationRbacGetLoggedInUserRestorePoints lists the restore points in which the caller sees something, or something of rbacItem.
func (a *API) organizationRbacGetLoggedInUserRestorePoints(ctx context.Context, r *request) (any, error) {
	var f holdfast.PointFilter
	copies, err := r.queryBool("isCopy", false)
	if err != nil {
		return nil, err
	}
	if copies { // there are no copy jobs that could have made any
		return []contract.RESTRestorePoint{}, nil
	}
	if item, given := r.query("rbacItem"); given {
		organization, owner, err := a.scopeItem(ctx, r, item)
		if err != nil {
			return nil, err
		}
		f.Organization, f.Owner = organization, owner
	}
	points, err := a.services.RestorePoints.List(ctx, r.user, f, holdfast.Page{Limit: maxLimit})
	if err != nil {
		return nil, err
	}
	return a.restorePointsToContract(ctx, r, points)
}
