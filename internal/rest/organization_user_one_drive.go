package rest

import (
	"context"

	"holdfast/internal/holdfast"
	"holdfast/internal/rest/contract"
	"holdfast/internal/service"
)

func (a *API) organizationUserOneDriveGetPage(ctx context.Context, r *request) (any, error) {
	id, err := r.id("organizationId")
	if err != nil {
		return nil, err
	}
	w, err := r.window()
	if err != nil {
		return nil, err
	}
	drives, err := a.services.Organizations.Drives(ctx, r.user, holdfast.OrganizationID(id), r.param("userId"))
	if err != nil {
		return nil, err
	}
	return page(r, w, cut(w, drives), func(d service.DirectoryDrive) contract.RESTOneDrive {
		return driveToContract(r.links, id, r.param("userId"), d)
	}).inSet(r), nil
}

func (a *API) organizationUserOneDriveGetOne(ctx context.Context, r *request) (any, error) {
	id, err := r.id("organizationId")
	if err != nil {
		return nil, err
	}
	drives, err := a.services.Organizations.Drives(ctx, r.user, holdfast.OrganizationID(id), r.param("userId"))
	if err != nil {
		return nil, err
	}
	for _, d := range drives {
		if d.ID == r.param("onedriveId") {
			return driveToContract(r.links, id, r.param("userId"), d), nil
		}
	}
	return nil, holdfast.NotFound("user %s has no OneDrive %s", r.param("userId"), r.param("onedriveId"))
}

func driveToContract(l links, organization, user string, d service.DirectoryDrive) contract.RESTOneDrive {
	return contract.RESTOneDrive{
		ID:   &d.ID,
		Name: optional(d.Name),
		URL:  optional(d.URL),
		Links: contract.RESTLinkHALDictionary{
			"self": l.to(organizationPath+"/Users/{userId}/OneDrives/{onedriveId}", organization, user, d.ID),
			"user": l.to(organizationPath+"/Users/{userId}", organization, user),
		},
	}
}
