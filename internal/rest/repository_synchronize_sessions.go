package rest

import (
	"context"

	"holdfast/internal/holdfast"
	"holdfast/internal/rest/contract"
	"holdfast/internal/service"
)

// A synchronisation session is the last one of its repository and has the repository's id.

func (a *API) repositorySynchronizeSessionsGetSynchronizeSessions(ctx context.Context, r *request) (any, error) {
	all, err := a.services.Repositories.Synchronizations(ctx, r.user)
	if err != nil {
		return nil, err
	}
	return list(all, func(s service.Synchronization) contract.RESTRepositorySynchronizeSession {
		return synchronizationToContract(r.links, s)
	}), nil
}

func (a *API) repositorySynchronizeSessionsGetRepositoriesById(ctx context.Context, r *request) (any, error) {
	id, err := r.id("sessionId")
	if err != nil {
		return nil, err
	}
	s, err := a.services.Repositories.Synchronization(ctx, r.user, holdfast.RepositoryID(id))
	if err != nil {
		return nil, err
	}
	return synchronizationToContract(r.links, s), nil
}

func synchronizationToContract(l links, s service.Synchronization) contract.RESTRepositorySynchronizeSession {
	return contract.RESTRepositorySynchronizeSession{
		ID:           uid(s.Repository),
		RepositoryID: uid(s.Repository),
		State:        new(contract.RESTRepositorySynchronizeSessionState(s.State)),
		Error:        optional(s.Error),
		Links: contract.RESTLinkHALDictionary{
			"self":             l.to("/RepositorySynchronizeSessions/{sessionId}", string(s.Repository)),
			"backupRepository": l.to(repositoryPath, string(s.Repository)),
		},
	}
}
