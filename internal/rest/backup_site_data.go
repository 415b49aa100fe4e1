package rest

import (
	"context"
	"strings"

	"github.com/google/uuid"

	"holdfast/internal/holdfast"
	"holdfast/internal/rest/contract"
)

const siteDataPath = repositoryPath + "/SiteData/{siteId}"

func (a *API) backupSiteDataGetSitesData(ctx context.Context, r *request) (any, error) {
	return dataContainers(ctx, a, r, holdfast.Site, siteDataToContract)
}

func (a *API) backupSiteDataGetSiteData(ctx context.Context, r *request) (any, error) {
	return dataContainer(ctx, a, r, holdfast.Site, "siteId", siteDataToContract)
}

// siteDataToContract encodes a site. Microsoft's id of one has three parts, of which the last, its web's, is the one that fits in msid.
func siteDataToContract(l links, c holdfast.ContainerRecord) contract.RESTBackupSiteData {
	return contract.RESTBackupSiteData{
		ID: c.PublicID(), ItemType: contract.RESTBackupItemTypeSite, RepositoryID: uuid.MustParse(string(c.Repository)), Title: c.Name, URL: c.Address,
		BackedUpTime: stamp(c.HeadTime), OrganizationID: uid(c.Organization), BackedUpOrganizationID: string(c.Organization), Msid: uid(c.Source[strings.LastIndexByte(c.Source, ',')+1:]),
		Links: dataLinks(l, siteDataPath, c.Repository, c.PublicID(), c.Organization),
	}
}
