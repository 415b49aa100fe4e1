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

// dataPage lists what the repository holds: a page of what list gives for the filter of the query.
func dataPage[S, T any](ctx context.Context, r *request, list func(context.Context, service.User, service.ProtectedFilter, holdfast.Page) ([]S, error), encode func(links, holdfast.RepositoryID, S) T) (any, error) {
	w, err := r.window()
	if err != nil {
		return nil, err
	}
	f, err := r.dataFilter()
	if err != nil {
		return nil, err
	}
	all, err := list(ctx, r.user, f, w.page())
	if err != nil {
		return nil, err
	}
	return page(r, w, all, func(x S) T { return encode(r.links, f.Repository, x) }), nil
}

// dataOne answers the one that a path parameter names.
func dataOne[S, T any](ctx context.Context, r *request, parameter string, get func(context.Context, service.User, string, service.ProtectedFilter) (S, error), encode func(links, holdfast.RepositoryID, S) T) (any, error) {
	f, err := r.dataFilter()
	if err != nil {
		return nil, err
	}
	x, err := get(ctx, r.user, r.param(parameter), f)
	if err != nil {
		return nil, err
	}
	return encode(r.links, f.Repository, x), nil
}

// dataContainers lists the containers of a kind in a repository.
func dataContainers[T any](ctx context.Context, a *API, r *request, kind holdfast.ContainerKind, encode func(links, holdfast.ContainerRecord) T) (any, error) {
	list := func(ctx context.Context, u service.User, f service.ProtectedFilter, p holdfast.Page) ([]holdfast.ContainerRecord, error) {
		return a.services.Protected.Containers(ctx, u, kind, f, p)
	}
	return dataPage(ctx, r, list, func(l links, _ holdfast.RepositoryID, c holdfast.ContainerRecord) T { return encode(l, c) })
}

// dataContainer answers the one that a path parameter names.
func dataContainer[T any](ctx context.Context, a *API, r *request, kind holdfast.ContainerKind, parameter string, encode func(links, holdfast.ContainerRecord) T) (any, error) {
	get := func(ctx context.Context, u service.User, id string, f service.ProtectedFilter) (holdfast.ContainerRecord, error) {
		return a.services.Protected.Container(ctx, u, kind, f, id)
	}
	return dataOne(ctx, r, parameter, get, func(l links, _ holdfast.RepositoryID, c holdfast.ContainerRecord) T { return encode(l, c) })
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
