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
