package rest

import (
	"context"

	"holdfast/internal/holdfast"
	"holdfast/internal/rest/contract"
	"holdfast/internal/service"
)

const organizationDataPath = repositoryPath + "/OrganizationData/{organizationId}"

func (a *API) backupOrganizationDataGetOrganizationData(ctx context.Context, r *request) (any, error) {
	return dataPage(ctx, r, a.services.Protected.Organizations, organizationDataToContract)
}

func (a *API) backupOrganizationDataGetSingleOrganizationData(ctx context.Context, r *request) (any, error) {
	f, err := r.dataFilter()
	if err != nil {
		return nil, err
	}
	id, err := r.id("organizationId")
	if err != nil {
		return nil, err
	}
	f.Organization = holdfast.OrganizationID(id)
	all, err := a.services.Protected.Organizations(ctx, r.user, f, holdfast.Page{Limit: 1})
	if err != nil {
		return nil, err
	}
	if len(all) == 0 {
		return nil, holdfast.NotFound("the repository holds nothing of an organization %s", id)
	}
	return organizationDataToContract(r.links, f.Repository, all[0]), nil
}

// organizationDataToContract encodes an organization. One that was removed since has its data here all the same, but no id of its own.
func organizationDataToContract(l links, repository holdfast.RepositoryID, o service.ProtectedOrganization) contract.RESTBackupOrganizationData {
	out := contract.RESTBackupOrganizationData{DisplayName: optional(o.Name), BackedUpOrganizationID: new(string(o.ID)), Msid: uid(o.Tenant), Links: dataLinks(l, organizationDataPath, repository, string(o.ID), o.ID)}
	if o.Removed {
		delete(out.Links, "organization")
	} else {
		out.OrganizationID = uid(o.ID)
	}
	return out
}
