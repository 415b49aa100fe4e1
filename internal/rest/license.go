package rest

import (
	"context"
	"time"

	"holdfast/internal/holdfast"
	"holdfast/internal/rest/contract"
)

// Holdfast is free: what the contract calls the licence is a report of use. It is always valid.

// endless is the end of what never ends, for clients that can't do without a date.
var endless = time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC)

func (a *API) licenseGet(ctx context.Context, r *request) (any, error) {
	counts, err := a.services.Licenses.Counts(ctx, r.user, "")
	if err != nil {
		return nil, err
	}
	return contract.RESTLicense{
		Status:         new(contract.RESTLicenseStatusValid),
		Type:           new(contract.RESTLicenseTypeCommunity),
		LicenseExpires: &endless,
		Package:        new("Holdfast"),
		LicensedTo:     new("everybody"),
		TotalNumber:    new(int32(counts.Licensed)),
		UsedNumber:     new(int32(counts.Licensed - counts.New)),
		NewNumber:      new(int32(counts.New)),
	}, nil
}

func (a *API) licenseInstallAction(context.Context, *request) (any, error) { return nil, errNoLicense }

func (a *API) licenseUpdateAction(context.Context, *request) (any, error) { return nil, errNoLicense }

var errNoLicense = holdfast.Conflict("Holdfast needs no licence: there is nothing to install or renew")

func (a *API) licenseGetAutoUpdate(_ context.Context, r *request) (any, error) {
	return contract.RESTLicenseAutoUpdate{IsEnabled: new(false), Links: contract.RESTLinkHALDictionary{"self": r.links.to("/License/AutoUpdate")}}, nil
}

func (a *API) licenseUpdate(_ context.Context, r *request) (any, error) {
	var in contract.RESTLicenseAutoUpdate
	if err := r.decode(&in); err != nil {
		return nil, err
	}
	if value(in.IsEnabled) {
		return nil, errNoLicense
	}
	return nil, nil
}
