package rest

import (
	"context"

	"github.com/google/uuid"

	"holdfast/internal/holdfast"
	"holdfast/internal/rest/contract"
)

const teamDataPath = repositoryPath + "/TeamData/{teamId}"

func (a *API) backupTeamDataGetTeamsData(ctx context.Context, r *request) (any, error) {
	return dataContainers(ctx, a, r, holdfast.Team, teamDataToContract)
}

func (a *API) backupTeamDataGetTeamData(ctx context.Context, r *request) (any, error) {
	return dataContainer(ctx, a, r, holdfast.Team, "teamId", teamDataToContract)
}

func teamDataToContract(l links, c holdfast.ContainerRecord) contract.RESTBackupTeamData {
	return contract.RESTBackupTeamData{
		ID: c.PublicID(), ItemType: contract.RESTBackupItemTypeTeam, RepositoryID: uuid.MustParse(string(c.Repository)), DisplayName: optional(c.Name),
		BackedUpTime: stamp(c.HeadTime), OrganizationID: uid(c.Organization), BackedUpOrganizationID: string(c.Organization), Msid: uid(c.Source),
		Links: dataLinks(l, teamDataPath, c.Repository, c.PublicID(), c.Organization),
	}
}
