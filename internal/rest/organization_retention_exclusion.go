package rest

import (
	"context"

	"holdfast/internal/holdfast"
)

func (a *API) organizationRetentionExclusionOrganizationRetentionPolicyGet(ctx context.Context, r *request) (any, error) {
	id, err := r.id("organizationId")
	if err != nil {
		return nil, err
	}
	e, err := a.services.Exclusions.OrganizationRetention(ctx, r.user, holdfast.OrganizationID(id))
	if err != nil {
		return nil, err
	}
	return retentionExclusionToContract(e), nil
}

func (a *API) organizationRetentionExclusionOrganizationRetentionPolicyPut(ctx context.Context, r *request) (any, error) {
	id, err := r.id("organizationId")
	if err != nil {
		return nil, err
	}
	if _, err := a.services.Organizations.Get(ctx, r.user, holdfast.OrganizationID(id)); err != nil { // before anything is said of the body
		return nil, err
	}
	e, err := r.retentionExclusion()
	if err != nil {
		return nil, err
	}
	return nil, a.services.Exclusions.SetOrganizationRetention(ctx, r.user, holdfast.OrganizationID(id), e)
}

func (a *API) organizationRetentionExclusionOrganizationRetentionPolicyDelete(ctx context.Context, r *request) (any, error) {
	id, err := r.id("organizationId")
	if err != nil {
		return nil, err
	}
	return nil, a.services.Exclusions.DropOrganizationRetention(ctx, r.user, holdfast.OrganizationID(id))
}
