package rest

import (
	"context"
	"time"

	"holdfast/internal/holdfast"
	"holdfast/internal/rest/contract"
	"holdfast/internal/service"
)

// organizationBackupApplicationsOrganizationDeviceCode begins a sign-in of an administrator of an organization that there is.
func (a *API) organizationBackupApplicationsOrganizationDeviceCode(ctx context.Context, r *request) (any, error) {
	id, err := r.id("organizationId")
	if err != nil {
		return nil, err
	}
	if err := r.decodeOptional(&struct{}{}); err != nil {
		return nil, err
	}
	s, err := a.services.Organizations.BeginSignIn(ctx, r.user, "", holdfast.OrganizationID(id))
	if err != nil {
		return nil, err
	}
	return a.deviceCodeToContract(s), nil
}

func (a *API) deviceCodeToContract(s service.AdminSignIn) contract.RESTDeviceCodeResponse {
	left := int64(max(s.Expires.Sub(a.clock.Now()), 0) / time.Second)
	return contract.RESTDeviceCodeResponse{UserCode: &s.UserCode, VerificationURL: &s.VerificationURL, ExpiresIn: &left, Message: &s.Message}
}
