package rest

import (
	"context"

	"holdfast/internal/holdfast"
	"holdfast/internal/rest/contract"
)

func (a *API) sharePointSiteGet(ctx context.Context, r *request) (any, error) {
	w, err := r.window()
	if err != nil {
		return nil, err
	}
	all, err := a.sitePlaces(ctx, r, w)
	if err != nil {
		return nil, err
	}
	return page(r, w, all, func(p place) contract.RESTSharePointSite { return siteToContract(r.links, p) }), nil
}

func (a *API) sharePointSiteGetById(ctx context.Context, r *request) (any, error) {
	p, err := a.site(ctx, r)
	if err != nil {
		return nil, err
	}
	return siteToContract(r.links, p), nil
}

func siteToContract(l links, p place) contract.RESTSharePointSite {
	session := string(p.session)
	return contract.RESTSharePointSite{
		ID: &p.id, Name: &p.container.Container.Name, URL: &p.container.Container.Address,
		Links: map[string]contract.RESTLinkHAL{
			"self":      l.to(sitePath, session, p.id),
			"lists":     l.to(sitePath+"/Lists", session, p.id),
			"libraries": l.to(sitePath+"/Libraries", session, p.id),
			"subsites":  l.with(l.to(sitesPath, session), "parentId", p.id),
		},
	}
}

func (a *API) sharePointSiteRestoreSiteAction(ctx context.Context, r *request) (any, error) {
	return a.restoreWholeSite(ctx, r, false)
}

func (a *API) sharePointSiteRestoreSiteActionTo(ctx context.Context, r *request) (any, error) {
	return a.restoreWholeSite(ctx, r, true)
}

func (a *API) restoreWholeSite(ctx context.Context, r *request, toOther bool) (any, error) {
	p, err := a.site(ctx, r)
	if err != nil {
		return nil, err
	}
	var in siteRestore
	if err := r.decodeOptional(&in); err != nil {
		return nil, err
	}
	return a.restoreSite(ctx, r, p, in, toOther)
}

func (a *API) sharePointSiteSearchSitesByOptions(ctx context.Context, r *request) (any, error) {
	all, err := a.places(ctx, r, holdfast.Site, holdfast.Page{})
	if err != nil {
		return nil, err
	}
	return a.searchSite(ctx, r, all, "")
}

func (a *API) sharePointSiteSearchSiteByOptions(ctx context.Context, r *request) (any, error) {
	p, err := a.site(ctx, r)
	if err != nil {
		return nil, err
	}
	return a.searchSite(ctx, r, []place{p}, "")
}
