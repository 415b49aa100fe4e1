package rest

import (
	"context"
	"strings"

	"github.com/google/uuid"

	"holdfast/internal/holdfast"
	"holdfast/internal/rest/contract"
)

const oneDriveDataPath = repositoryPath + "/OneDriveData/{oneDriveId}"

func (a *API) backupOneDriveDataGetOneDrivesData(ctx context.Context, r *request) (any, error) {
	return dataContainers(ctx, a, r, holdfast.Drive, oneDriveDataToContract)
}

func (a *API) backupOneDriveDataGetOneDriveData(ctx context.Context, r *request) (any, error) {
	return dataContainer(ctx, a, r, holdfast.Drive, "oneDriveId", oneDriveDataToContract)
}

func oneDriveDataToContract(l links, c holdfast.ContainerRecord) contract.RESTBackupOneDriveData {
	return contract.RESTBackupOneDriveData{
		ID: c.PublicID(), ItemType: contract.RESTBackupItemTypeOneDrive, RepositoryID: uuid.MustParse(string(c.Repository)), Title: c.Name, URL: webAddress(c),
		BackedUpTime: stamp(c.HeadTime), OrganizationID: uid(c.Organization), BackedUpOrganizationID: string(c.Organization),
		Links: dataLinks(l, oneDriveDataPath, c.Repository, c.PublicID(), c.Organization),
	}
}

// webAddress is a container's address where it is one of the web; a OneDrive is kept with its owner's mail address instead, which is no URL.
func webAddress(c holdfast.ContainerRecord) string {
	if strings.HasPrefix(c.Address, "https://") {
		return c.Address
	}
	return ""
}
