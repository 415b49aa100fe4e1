package rest

import (
	"context"

	"holdfast/internal/rest/contract"
	"holdfast/internal/service"
)

func (a *API) sharePointListGet(ctx context.Context, r *request) (any, error) {
	w, err := r.window()
	if err != nil {
		return nil, err
	}
	p, err := a.site(ctx, r)
	if err != nil {
		return nil, err
	}
	all, err := a.siteFolders(ctx, r, p, specialList, specialPages)
	if err != nil {
		return nil, err
	}
	return page(r, w, cut(w, all), func(e service.Entry) contract.RESTSharePointList { return listToContract(r.links, p, e) }), nil
}

func (a *API) sharePointListGetById(ctx context.Context, r *request) (any, error) {
	p, e, err := a.siteEntry(ctx, r, "listId", isList)
	if err != nil {
		return nil, err
	}
	return listToContract(r.links, p, e), nil
}

func listToContract(l links, p place, e service.Entry) contract.RESTSharePointList {
	return contract.RESTSharePointList{ID: &e.ID, Name: &e.Name, CreationTime: stamp(createdOf(e)), SiteID: &p.id, Links: siteLinks(l, p, e)}
}

func (a *API) sharePointListRestoreListAction(ctx context.Context, r *request) (any, error) {
	return a.restoreEntry(ctx, r, "listId", false, isList)
}

func (a *API) sharePointListRestoreListActionTo(ctx context.Context, r *request) (any, error) {
	return a.restoreEntry(ctx, r, "listId", true, isList)
}

func (a *API) sharePointListSearchListByOptions(ctx context.Context, r *request) (any, error) {
	p, e, err := a.siteEntry(ctx, r, "listId", isList)
	if err != nil {
		return nil, err
	}
	return a.searchSite(ctx, r, []place{p}, e.ID)
}
