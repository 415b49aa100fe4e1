package rest

import (
	"context"

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

// organizationRbacGetLoggedInUserEffectiveScope lists the users of whom backups hold something that the caller may see. Their ids name a
// scope when exploring.
func (a *API) organizationRbacGetLoggedInUserEffectiveScope(ctx context.Context, r *request) (any, error) {
	users, err := a.services.Protected.Users(ctx, r.user, service.ProtectedFilter{}, holdfast.Page{})
	if err != nil {
		return nil, err
	}
	return contract.RESTRbacEffectiveScope{
		Users: list(users, func(u service.ProtectedUser) contract.RESTRbacUserItem {
			return contract.RESTRbacUserItem{Type: contract.RESTRbacItemTypeUser, ID: u.ID, User: *rbacUser(u.ObjectID, u.Address, u.Name, "")}
		}),
		Sites: []contract.RESTRbacSiteItem{}, Teams: []contract.RESTRbacTeamItem{},
	}, nil
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
		u, err := a.services.Protected.User(ctx, r.user, item, service.ProtectedFilter{})
		if err != nil {
			return nil, err
		}
		f.Organization, f.Owner = u.Organization, u.ObjectID
	}
	points, err := a.services.RestorePoints.List(ctx, r.user, f, holdfast.Page{Limit: maxLimit})
	if err != nil {
		return nil, err
	}
	return a.restorePointsToContract(ctx, r, points)
}

// restoreSessionExploreAction opens the caller's own objects.
func (a *API) restoreSessionExploreAction(ctx context.Context, r *request) (any, error) {
	var in contract.RESTExploreOptions
	if err := r.decodeOptional(&in); err != nil {
		return nil, err
	}
	u, _, err := a.services.Users.Self(ctx, r.user)
	if err != nil {
		return nil, err
	} else if u.Local() {
		return nil, holdfast.Conflict("%s is a user of Holdfast and has no mailbox or OneDrive: explore an organization, or as an operator POST /%s/Organization/OperatorExplore", u.Name, served)
	}
	return a.explore(ctx, r, exploration{Organization: u.Organization, Owner: u.ObjectID, at: in.DateTime, kind: string(value(in.Type)), showDeleted: in.ShowDeleted, allVersions: in.ShowAllVersions})
}

// restoreSessionOperatorExploreAction opens the objects of a user whom a restore role of the caller manages.
func (a *API) restoreSessionOperatorExploreAction(ctx context.Context, r *request) (any, error) {
	var in contract.RESTOperatorExploreOptions
	if err := r.decode(&in); err != nil {
		return nil, err
	}
	if in.Scope == nil || value(in.Scope.Type) != contract.RESTRbacItemTypeUser {
		return nil, holdfast.Invalid("scope is missing: it names a user of GET /%s/Organization/LoggedInUser/EffectiveScope; sites and teams are not protected by this version of Holdfast", served)
	}
	id := value(in.Scope.ID)
	if id == "" && in.Scope.User != nil {
		id = in.Scope.User.ID
	}
	u, err := a.services.Protected.User(ctx, r.user, id, service.ProtectedFilter{})
	if err != nil {
		return nil, err
	}
	e := exploration{Organization: u.Organization, Owner: u.ObjectID, at: in.DateTime, kind: string(value(in.Type)), showDeleted: in.ShowDeleted, allVersions: in.ShowAllVersions, reason: value(in.Reason)}
	if in.RepositoryID != nil {
		e.Repository = holdfast.RepositoryID(in.RepositoryID.String())
	}
	return a.explore(ctx, r, e)
}
