package rest

import (
	"context"

	"holdfast/internal/rest/contract"
	"holdfast/internal/service"
)

func (a *API) sharePointLibraryGet(ctx context.Context, r *request) (any, error) {
	w, err := r.window()
	if err != nil {
		return nil, err
	}
	p, err := a.site(ctx, r)
	if err != nil {
		return nil, err
	}
	all, err := a.siteFolders(ctx, r, p, specialLibrary)
	if err != nil {
		return nil, err
	}
	return page(r, w, cut(w, all), func(e service.Entry) contract.RESTSharePointLibrary { return libraryToContract(r.links, p, e) }), nil
}

func (a *API) sharePointLibraryGetById(ctx context.Context, r *request) (any, error) {
	p, e, err := a.siteEntry(ctx, r, "libraryId", isLibrary)
	if err != nil {
		return nil, err
	}
	return libraryToContract(r.links, p, e), nil
}

func libraryToContract(l links, p place, e service.Entry) contract.RESTSharePointLibrary {
	return contract.RESTSharePointLibrary{ID: &e.ID, Name: &e.Name, CreationTime: stamp(createdOf(e)), SiteID: &p.id, Links: siteLinks(l, p, e)}
}

func (a *API) sharePointLibraryRestoreLibraryAction(ctx context.Context, r *request) (any, error) {
	return a.restoreEntry(ctx, r, "libraryId", false, isLibrary)
}

func (a *API) sharePointLibraryRestoreLibraryActionTo(ctx context.Context, r *request) (any, error) {
	return a.restoreEntry(ctx, r, "libraryId", true, isLibrary)
}

func (a *API) sharePointLibrarySearchLibraryByOptions(ctx context.Context, r *request) (any, error) {
	p, e, err := a.siteEntry(ctx, r, "libraryId", isLibrary)
	if err != nil {
		return nil, err
	}
	return a.searchSite(ctx, r, []place{p}, e.ID)
}

func (a *API) sharePointLibrarySaveLibraryAction(ctx context.Context, r *request) (any, error) {
	p, e, err := a.siteEntry(ctx, r, "libraryId", isLibrary)
	if err != nil {
		return nil, err
	}
	return a.save(r, p, []string{e.ID}, true, e.Name)
}

func (a *API) sharePointLibrarySendLibraryAction(ctx context.Context, r *request) (any, error) {
	return a.send(ctx, r, (*API).sharePointLibrarySaveLibraryAction)
}
