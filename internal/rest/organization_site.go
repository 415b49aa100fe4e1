package rest

import (
	"context"

	"holdfast/internal/holdfast"
	"holdfast/internal/rest/contract"
	"holdfast/internal/service"
)

// organizationSiteGet lists an organization's sites; filter is a text in their titles or addresses. The list has what Microsoft Graph lists, which
// is all that its search finds, so includeSearchSites changes nothing.
func (a *API) organizationSiteGet(ctx context.Context, r *request) (any, error) {
	id, err := r.id("organizationId")
	if err != nil {
		return nil, err
	}
	w, err := r.window()
	if err != nil {
		return nil, err
	}
	cloud, err := r.cloud()
	if err != nil {
		return nil, err
	}
	q := service.SiteQuery{Offset: w.Offset, Limit: w.Limit, Source: r.dataSource()}
	q.Parent, _ = r.query("parentId")
	q.Text, _ = r.query("filter")
	if q.Personal, err = r.queryBool("includePersonalSites", false); err != nil {
		return nil, err
	}
	var sites []service.DirectorySite
	if cloud {
		if sites, err = a.services.Organizations.Sites(ctx, r.user, holdfast.OrganizationID(id), q); err != nil {
			return nil, err
		}
	}
	return page(r, w, sites, func(s service.DirectorySite) contract.RESTSite { return directorySiteToContract(r.links, id, s) }).inSet(r), nil
}

func (a *API) organizationSiteGetById(ctx context.Context, r *request) (any, error) {
	id, err := r.id("organizationId")
	if err != nil {
		return nil, err
	}
	s, err := a.services.Organizations.Site(ctx, r.user, holdfast.OrganizationID(id), r.param("siteId"), r.dataSource())
	if err != nil {
		return nil, err
	}
	return directorySiteToContract(r.links, id, s), nil
}

func directorySiteToContract(l links, organization string, s service.DirectorySite) contract.RESTSite {
	return contract.RESTSite{
		ID: s.ID, URL: s.URL, Name: &s.Name, Title: s.Name, IsCloud: true, IsPersonal: s.Personal, IsAvailable: new(true), Msid: &s.ID,
		Links: contract.RESTLinkHALDictionary{
			"self":         l.to(organizationPath+"/Sites/{siteId}", organization, s.ID),
			"organization": l.to(organizationPath, organization),
			"subsites":     l.with(l.to(organizationPath+"/Sites", organization), "parentId", s.ID),
		},
	}
}
