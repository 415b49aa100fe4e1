package rest

import (
	"context"

	"holdfast/internal/holdfast"
	"holdfast/internal/rest/contract"
)

func (a *API) organizationSyncGetStates(ctx context.Context, r *request) (any, error) {
	states, err := a.services.Directories.States(ctx, r.user)
	if err != nil {
		return nil, err
	}
	return list(states, func(s holdfast.DirectoryState) contract.RESTOrganizationSyncState {
		return syncStateToContract(r.links, s)
	}), nil
}

func (a *API) organizationSyncGetState(ctx context.Context, r *request) (any, error) {
	id, err := r.id("organizationId")
	if err != nil {
		return nil, err
	}
	s, err := a.services.Directories.State(ctx, r.user, holdfast.OrganizationID(id))
	if err != nil {
		return nil, err
	}
	return syncStateToContract(r.links, s), nil
}

// organizationSyncStart asks for a synchronisation, an incremental one when the body does not say.
func (a *API) organizationSyncStart(ctx context.Context, r *request) (any, error) {
	id, err := r.id("organizationId")
	if err != nil {
		return nil, err
	}
	if _, err := a.services.Organizations.Get(ctx, r.user, holdfast.OrganizationID(id)); err != nil { // before anything is said of the body
		return nil, err
	}
	var in contract.RESTOrganizationSyncOptions
	if err := r.decodeOptional(&in); err != nil {
		return nil, err
	}
	kind := holdfast.SyncType(value(in.Type))
	if kind == "" {
		kind = holdfast.SyncIncremental
	}
	return nil, a.services.Directories.Sync(ctx, r.user, holdfast.OrganizationID(id), kind)
}

func syncStateToContract(l links, s holdfast.DirectoryState) contract.RESTOrganizationSyncState {
	out := contract.RESTOrganizationSyncState{
		OrganizationID: uid(s.Organization),
		Links: contract.RESTLinkHALDictionary{
			"self":         l.to(organizationPath+"/SyncState", string(s.Organization)),
			"organization": l.to(organizationPath, string(s.Organization)),
		},
	}
	if last := s.Last; !last.Started.IsZero() {
		result := contract.RESTOrganizationLastSyncStateResultSuccess
		if last.Error != "" {
			result = contract.RESTOrganizationLastSyncStateResultError
		}
		out.LastSyncState = &contract.RESTOrganizationLastSyncState{Type: new(contract.RESTOrganizationLastSyncStateType(last.Type)), Result: &result, StartTime: stamp(last.Started), EndTime: stamp(last.Ended),
			Error: optional(last.Error)}
	}
	if wanted := s.Wanted; !wanted.Scheduled.IsZero() {
		status := contract.RESTOrganizationCurrentSyncStateStatusQueued
		if !wanted.Started.IsZero() {
			status = contract.RESTOrganizationCurrentSyncStateStatusRunning
		}
		out.CurrentSyncState = &contract.RESTOrganizationCurrentSyncState{Type: new(contract.RESTOrganizationCurrentSyncStateType(wanted.Type)), Status: &status, ScheduledTime: stamp(wanted.Scheduled), StartTime: stamp(wanted.Started)}
	}
	return out
}
