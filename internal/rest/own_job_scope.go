package rest

import (
	"context"
	"time"

	"holdfast/internal/holdfast"
	"holdfast/internal/rest/contract"
	"holdfast/internal/service"
)

type scopeCount struct {
	Kind      string `json:"kind"`
	Objects   int    `json:"objects"`
	Excluded  int    `json:"excluded"`
	Elsewhere int    `json:"elsewhere"`
}

type scopeOverlap struct {
	Job     string `json:"job"`
	Objects int    `json:"objects"`
}

// jobScopePreview answers what a job would protect that is not made yet, or not changed yet.
func (a *API) jobScopePreview(ctx context.Context, r *request) (any, error) {
	id, err := r.id("organizationId")
	if err != nil {
		return nil, err
	}
	if _, err := a.services.Organizations.Get(ctx, r.user, holdfast.OrganizationID(id)); err != nil { // before anything is said of the body
		return nil, err
	}
	var in struct {
		Job      holdfast.JobID                 `json:"jobId,omitzero"`
		Scope    string                         `json:"backupType"`
		Personal *bool                          `json:"personalSites,omitzero"`
		Selected []contract.RESTJobItemComposed `json:"selectedItems,omitzero"`
		Excluded []contract.RESTJobItemComposed `json:"excludedItems,omitzero"`
	}
	if err := r.decode(&in); err != nil {
		return nil, err
	}
	spec := service.JobSpec{Organization: holdfast.OrganizationID(id), Scope: holdfast.JobScope(in.Scope), Personal: in.Personal}
	if spec.Selected, err = itemsFromContract("selectedItems", in.Selected); err != nil {
		return nil, err
	}
	if spec.Excluded, err = itemsFromContract("excludedItems", in.Excluded); err != nil {
		return nil, err
	}
	s, err := a.services.Jobs.Preview(ctx, r.user, in.Job, spec)
	if err != nil {
		return nil, err
	}
	out := struct {
		Counts   []scopeCount   `json:"counts"`
		Overlaps []scopeOverlap `json:"overlaps"`
		Notes    []string       `json:"notes"`
		Synced   *time.Time     `json:"synced,omitzero"`
	}{Counts: []scopeCount{}, Overlaps: []scopeOverlap{}, Notes: append([]string{}, s.Notes...), Synced: stamp(s.Synced)}
	for _, n := range s.Counts {
		out.Counts = append(out.Counts, scopeCount{string(n.Kind), n.Objects, n.Excluded, n.Elsewhere})
	}
	for _, o := range s.Overlaps {
		out.Overlaps = append(out.Overlaps, scopeOverlap(o))
	}
	return out, nil
}
