package rest

import (
	"context"

	"holdfast/internal/rest/contract"
)

func (a *API) serviceInstanceGet(ctx context.Context, _ *request) (any, error) {
	in, err := a.services.Instance(ctx)
	if err != nil {
		return nil, err
	}
	return contract.RESTServiceInstance{InstallationID: uid(in.ID), Version: &in.Version}, nil
}
