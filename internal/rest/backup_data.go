package rest

import (
	"context"
	"time"

	"holdfast/internal/holdfast"
	"holdfast/internal/rest/contract"
	"holdfast/internal/service"
)

// What the lists of a repository's data share: one object is what the repository holds of one mailbox, OneDrive, site, team, user, group or
// organization. All are narrowed to what the caller may see.

// dataFilter is the repository that the path names, and what the query narrows its data by.
func (r *request) dataFilter() (service.ProtectedFilter, error) {
	var f service.ProtectedFilter
	id, err := r.id("repositoryId")
	if err != nil {
		return f, err
	}
	f.Repository = holdfast.RepositoryID(id)
	organization, err := r.queryID("organizationId")
	if err != nil {
		return f, err
	}
	f.Organization = holdfast.OrganizationID(organization)
	f.Name, _ = r.query("filter")
	f.At, err = r.queryTime("pointInTime")
	return f, err
}

// dataContainers lists the containers of a kind in a repository.
func dataContainers[T any](ctx context.Context, a *API, r *request, kind holdfast.ContainerKind, encode func(links, holdfast.ContainerRecord) T) (any, error) {
	w, err := r.window()
	if err != nil {
		return nil, err
	}
	f, err := r.dataFilter()
	if err != nil {
		return nil, err
	}
	all, err := a.services.Protected.Containers(ctx, r.user, kind, f, w.page())
	if err != nil {
		return nil, err
	}
	return page(r, w, all, func(c holdfast.ContainerRecord) T { return encode(r.links, c) }), nil
}

// dataContainer answers the one that a path parameter names.
func dataContainer[T any](ctx context.Context, a *API, r *request, kind holdfast.ContainerKind, parameter string, encode func(links, holdfast.ContainerRecord) T) (any, error) {
	f, err := r.dataFilter()
	if err != nil {
		return nil, err
	}
	c, err := a.services.Protected.Container(ctx, r.user, kind, f, r.param(parameter))
	if err != nil {
		return nil, err
	}
	return encode(r.links, c), nil
}

// dataLinks lead from one object to itself, its repository and its organization.
func dataLinks(l links, path string, repository holdfast.RepositoryID, id string, organization holdfast.OrganizationID) contract.RESTLinkHALDictionary {
	return contract.RESTLinkHALDictionary{
		"self":         l.to(path, string(repository), id),
		"repository":   l.to(repositoryPath, string(repository)),
		"organization": l.to(organizationPath, string(organization)),
	}
}

// newestOf is when the last backup of what has a kind was, and whether there is one.
func newestOf(all []holdfast.ContainerRecord, kind holdfast.ContainerKind) (at *time.Time, held *bool) {
	var newest time.Time
	var any bool
	for _, c := range all {
		if c.Kind == kind {
			any = true
			if c.HeadTime.After(newest) {
				newest = c.HeadTime
			}
		}
	}
	return stamp(newest), &any
}
