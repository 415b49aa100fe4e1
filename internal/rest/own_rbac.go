package rest

import (
	"context"
	"slices"
	"strings"

	"holdfast/internal/holdfast"
	"holdfast/internal/service"
)

// What a restore role allows with what it manages: the contract has no words for it.

type rbacActs struct {
	Acts []string `json:"acts"`
}

func (a *API) rbacActGet(ctx context.Context, r *request) (any, error) {
	id, err := r.id("roleId")
	if err != nil {
		return nil, err
	}
	role, err := a.services.RbacRoles.Get(ctx, r.user, id)
	if err != nil {
		return nil, err
	}
	return rbacActs{list(role.Acts, func(g holdfast.GrantAct) string { return string(g) })}, nil
}

func (a *API) rbacActPut(ctx context.Context, r *request) (any, error) {
	id, err := r.id("roleId")
	if err != nil {
		return nil, err
	}
	var in rbacActs
	if err := r.decode(&in); err != nil {
		return nil, err
	}
	_, err = a.services.RbacRoles.Update(ctx, r.user, id, service.RbacSpec{Acts: list(in.Acts, func(text string) holdfast.GrantAct {
		if i := slices.IndexFunc(holdfast.GrantActs, func(g holdfast.GrantAct) bool { return strings.EqualFold(string(g), text) }); i >= 0 {
			return holdfast.GrantActs[i]
		}
		return holdfast.GrantAct(text)
	})})
	return nil, err
}
