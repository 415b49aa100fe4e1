package rest

import (
	"context"

	"holdfast/internal/holdfast"
	"holdfast/internal/rest/contract"
	"holdfast/internal/service"
)

// organizationGroupGet lists an organization's groups, as organizationUserGet does users.
func (a *API) organizationGroupGet(ctx context.Context, r *request) (any, error) {
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
	q := service.DirectoryQuery{Offset: w.Offset, Limit: w.Limit, Source: r.dataSource()}
	q.Name, _ = r.query("groupName")
	q.DisplayName, _ = r.query("displayName")
	var groups []service.DirectoryGroup
	if cloud {
		if groups, err = a.services.Organizations.Groups(ctx, r.user, holdfast.OrganizationID(id), q); err != nil {
			return nil, err
		}
	}
	return page(r, w, groups, func(g service.DirectoryGroup) contract.RESTGroup { return groupToContract(r.links, id, g) }).inSet(r), nil
}

func (a *API) organizationGroupGetById(ctx context.Context, r *request) (any, error) {
	id, err := r.id("organizationId")
	if err != nil {
		return nil, err
	}
	g, err := a.services.Organizations.Group(ctx, r.user, holdfast.OrganizationID(id), r.param("groupId"), r.dataSource())
	if err != nil {
		return nil, err
	}
	return groupToContract(r.links, id, g), nil
}

func groupToContract(l links, organization string, g service.DirectoryGroup) contract.RESTGroup {
	return contract.RESTGroup{
		ID:           &g.ID,
		Msid:         uid(g.ID),
		DisplayName:  &g.DisplayName,
		Name:         optional(g.Name),
		Type:         optional(contract.RESTGroupType(g.Type)),
		LocationType: new(contract.RESTGroupLocationTypeCloud),
		Links: contract.RESTLinkHALDictionary{
			"self":         l.to(organizationPath+"/Groups/{groupId}", organization, g.ID),
			"organization": l.to(organizationPath, organization),
			"members":      l.to(organizationPath+"/Groups/{groupId}/Members", organization, g.ID),
		},
	}
}
