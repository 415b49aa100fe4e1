package rest

import (
	"context"

	"holdfast/internal/holdfast"
	"holdfast/internal/rest/contract"
)

// Restore operators are not built: there is no way to make a role, so there are none, and that is what reads say.

func (a *API) rbacRoleGetAll(context.Context, *request) (any, error) {
	return []contract.RESTRbacRole{}, nil
}

func (a *API) rbacRoleGetByOrganization(ctx context.Context, r *request) (any, error) {
	if _, err := a.organization(ctx, r); err != nil {
		return nil, err
	}
	return []contract.RESTRbacRole{}, nil
}

func (a *API) rbacRoleGet(_ context.Context, r *request) (any, error) {
	return nil, holdfast.NotFound("there is no restore operator role %s", r.param("roleId"))
}
