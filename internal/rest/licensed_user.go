package rest

import (
	"context"

	"holdfast/internal/holdfast"
	"holdfast/internal/rest/contract"
	"holdfast/internal/service"
)

func (a *API) licensedUserGet(ctx context.Context, r *request) (any, error) {
	w, err := r.window()
	if err != nil {
		return nil, err
	}
	organization, err := r.queryID("organizationId")
	if err != nil {
		return nil, err
	}
	if organization == "" {
		if organization, err = r.queryID("backedUpOrganizationId"); err != nil {
			return nil, err
		}
	}
	name, _ := r.query("name")
	users, err := a.services.Licenses.Users(ctx, r.user, holdfast.OrganizationID(organization), name, w.page())
	if err != nil {
		return nil, err
	}
	return page(r, w, users, func(u service.LicensedUser) contract.RESTLicensedUser {
		state := contract.RESTLicensedUserLicenseStateLicensed
		if u.New {
			state = contract.RESTLicensedUserLicenseStateNew
		}
		return contract.RESTLicensedUser{
			ID:                     &u.ID,
			Name:                   &u.Name,
			IsBackedUp:             new(true),
			LastBackupDate:         stamp(u.Last),
			LicenseState:           &state,
			OrganizationID:         uid(u.Organization.ID),
			BackedUpOrganizationID: new(string(u.Organization.ID)),
			OrganizationName:       optional(u.Organization.Name),
			Links:                  contract.RESTLinkHALDictionary{"organization": r.links.to(organizationPath, string(u.Organization.ID))},
		}
	}), nil
}

// licensedUserRemove: nobody holds a licence, so there is none to take away.
func (a *API) licensedUserRemove(context.Context, *request) (any, error) {
	return nil, holdfast.Conflict("Holdfast needs no licence, so there is none to take away; a user leaves the report when no backup holds anything of him")
}
