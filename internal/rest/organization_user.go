package rest

import (
	"context"

	"holdfast/internal/holdfast"
	"holdfast/internal/rest/contract"
	"holdfast/internal/service"
)

// organizationUserGet lists an organization's users, from the copy of its directory unless dataSource says otherwise.
func (a *API) organizationUserGet(ctx context.Context, r *request) (any, error) {
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
	q.Name, _ = r.query("userName")
	q.DisplayName, _ = r.query("displayName")
	var users []service.DirectoryUser
	if cloud {
		if users, err = a.services.Organizations.Users(ctx, r.user, holdfast.OrganizationID(id), q); err != nil {
			return nil, err
		}
	}
	return page(r, w, users, func(u service.DirectoryUser) contract.RESTUser { return userToContract(r.links, id, u) }).inSet(r), nil
}

func (a *API) organizationUserGetById(ctx context.Context, r *request) (any, error) {
	id, err := r.id("organizationId")
	if err != nil {
		return nil, err
	}
	u, err := a.services.Organizations.User(ctx, r.user, holdfast.OrganizationID(id), r.param("userId"), r.dataSource())
	if err != nil {
		return nil, err
	}
	return userToContract(r.links, id, u), nil
}

func userToContract(l links, organization string, u service.DirectoryUser) contract.RESTUser {
	kind := contract.RESTUserTypeUser
	if u.Shared {
		kind = contract.RESTUserTypeShared
	}
	return contract.RESTUser{
		ID:           &u.ID,
		Msid:         uid(u.ID),
		DisplayName:  &u.DisplayName,
		Name:         &u.Name,
		Type:         &kind,
		LocationType: new(contract.RESTUserLocationTypeCloud),
		Office:       optional(u.Office),
		AssignedLicenses: list(u.Licenses, func(l service.License) contract.RESTOfficeLicense {
			return contract.RESTOfficeLicense{SkuID: uid(l.SKU), SkuPartNumber: optional(l.PartNumber)}
		}),
		Links: contract.RESTLinkHALDictionary{
			"self":         l.to(organizationPath+"/Users/{userId}", organization, u.ID),
			"organization": l.to(organizationPath, organization),
			"onedrives":    l.to(organizationPath+"/Users/{userId}/OneDrives", organization, u.ID),
		},
	}
}
