package rest

import (
	"context"
	"time"

	"holdfast/internal/holdfast"
	"holdfast/internal/service"
)

const savedSearchesPath = "/searches"

var savedSearchRoutes = []route{
	{"SavedSearch_Get", "GET", savedSearchesPath, 200, service.ActExplore, (*API).savedSearchGet},
	{"SavedSearch_Add", "POST", savedSearchesPath, 201, service.ActExplore, (*API).savedSearchAdd},
	{"SavedSearch_Delete", "DELETE", savedSearchesPath + "/{searchId}", 204, service.ActExplore, (*API).savedSearchDelete},
}

// Orders of a search's results.
const (
	sortNewest = "newest"
	sortOldest = "oldest"
)

type savedSearchShape struct {
	ID           string    `json:"id"`
	Name         string    `json:"name"`
	Query        string    `json:"query"`
	Organization string    `json:"organizationId,omitzero"`
	Kinds        []string  `json:"kinds,omitempty"`
	Deleted      bool      `json:"deleted"`
	Sort         string    `json:"sort"`
	Created      time.Time `json:"created"`
}

func savedSearchToShape(s holdfast.SavedSearch) savedSearchShape {
	sort := sortNewest
	if s.Oldest {
		sort = sortOldest
	}
	return savedSearchShape{string(s.ID), s.Name, s.Query, string(s.Organization), list(s.Kinds, func(k holdfast.ItemKind) string { return string(k) }), s.Deleted, sort, s.Created.UTC()}
}

// savedSearchGet lists the caller's own.
func (a *API) savedSearchGet(ctx context.Context, r *request) (any, error) {
	w, err := r.window()
	if err != nil {
		return nil, err
	}
	all, err := a.services.SavedSearches.List(ctx, r.user, w.page())
	if err != nil {
		return nil, err
	}
	return page(r, w, all, savedSearchToShape), nil
}

func (a *API) savedSearchAdd(ctx context.Context, r *request) (any, error) {
	var in struct {
		Name         string   `json:"name,omitzero"`
		Query        string   `json:"query"`
		Organization string   `json:"organizationId,omitzero"`
		Kinds        []string `json:"kinds,omitzero"`
		Deleted      bool     `json:"deleted,omitzero"`
		Sort         string   `json:"sort,omitzero"`
	}
	if err := r.decode(&in); err != nil {
		return nil, err
	}
	if in.Sort != "" && in.Sort != sortNewest && in.Sort != sortOldest {
		return nil, holdfast.Invalid("sort must be %s or %s", sortNewest, sortOldest)
	}
	search := holdfast.SavedSearch{Name: in.Name, Query: in.Query, Organization: holdfast.OrganizationID(in.Organization), Deleted: in.Deleted, Oldest: in.Sort == sortOldest}
	for _, k := range in.Kinds {
		search.Kinds = append(search.Kinds, holdfast.ItemKind(k))
	}
	saved, err := a.services.SavedSearches.Save(ctx, r.user, search)
	if err != nil {
		return nil, err
	}
	return savedSearchToShape(saved), nil
}

func (a *API) savedSearchDelete(ctx context.Context, r *request) (any, error) {
	id, err := r.id("searchId")
	if err != nil {
		return nil, err
	}
	return nil, a.services.SavedSearches.Delete(ctx, r.user, holdfast.SavedSearchID(id))
}
