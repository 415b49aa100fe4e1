package rest

import (
	"context"

	"holdfast/internal/holdfast"
	"holdfast/internal/rest/contract"
)

func (a *API) organizationLicensingInformationGetLicenseCount(ctx context.Context, r *request) (any, error) {
	id, err := r.id("organizationId")
	if err != nil {
		return nil, err
	}
	counts, err := a.services.Organizations.Licensing(ctx, r.user, holdfast.OrganizationID(id))
	if err != nil {
		return nil, err
	}
	return contract.RESTOrganizationLicensingInformation{LicensedUsers: new(int32(counts.Licensed)), NewUsers: new(int32(counts.New))}, nil
}
