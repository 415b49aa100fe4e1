package rest

import (
	"context"

	"holdfast/internal/holdfast"
	"holdfast/internal/rest/contract"
	"holdfast/internal/service"
)

// organizationGroupGet lists an organization's groups live from Microsoft, as organizationUserGet does users.
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
	q := service.DirectoryQuery{Offset: w.Offset, Limit: w.Limit}
	q.Name, _ = r.query("groupName")
	q.DisplayName, _ = r.query("displayName")
	var groups []service.DirectoryGroup
	if cloud {
		if groups, err = a.services.Organizations.Groups(ctx, r.user, holdfast.OrganizationID(id), q); err != nil {
			return nil, err
		}
	}
	return page(r, w, groups, func(g service.DirectoryGroup) contract.RESTGroup {
		return contract.RESTGroup{
			ID:           &g.ID,
			Msid:         uid(g.ID),
			DisplayName:  &g.DisplayName,
			Name:         optional(g.Name),
			Type:         optional(contract.RESTGroupType(g.Type)),
			LocationType: new(contract.RESTGroupLocationTypeCloud),
			Links:        contract.RESTLinkHALDictionary{"organization": r.links.to(organizationPath, id)},
		}
	}).inSet(r), nil
}
