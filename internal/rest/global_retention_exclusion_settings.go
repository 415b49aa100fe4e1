package rest

import (
	"context"

	"holdfast/internal/holdfast"
	"holdfast/internal/rest/contract"
)

func (a *API) globalRetentionExclusionSettingsGlobalRetentionPolicyGet(ctx context.Context, r *request) (any, error) {
	e, err := a.services.Exclusions.Retention(ctx, r.user)
	if err != nil {
		return nil, err
	}
	return retentionExclusionToContract(e), nil
}

func (a *API) globalRetentionExclusionSettingsGlobalRetentionPolicyPut(ctx context.Context, r *request) (any, error) {
	e, err := r.retentionExclusion()
	if err != nil {
		return nil, err
	}
	return nil, a.services.Exclusions.SetRetention(ctx, r.user, e)
}

func retentionExclusionToContract(e holdfast.RetentionExclusion) contract.RESTRetentionExclusion {
	return contract.RESTRetentionExclusion{Contacts: &e.Contacts, Calendar: &e.Calendar}
}

// retentionExclusion decodes a whole one: what the body leaves out is not spared.
func (r *request) retentionExclusion() (holdfast.RetentionExclusion, error) {
	var in contract.RESTRetentionExclusion
	err := r.decode(&in)
	return holdfast.RetentionExclusion{Contacts: value(in.Contacts), Calendar: value(in.Calendar)}, err
}
