package rest

import (
	"context"

	"github.com/google/uuid"

	"holdfast/internal/holdfast"
	"holdfast/internal/rest/contract"
	"holdfast/internal/service"
)

const groupDataPath = repositoryPath + "/GroupData/{groupId}"

func (a *API) backupGroupDataGetGroupsData(ctx context.Context, r *request) (any, error) {
	return dataPage(ctx, r, a.services.Protected.Groups, groupDataToContract)
}

func (a *API) backupGroupDataGetSingleGroupData(ctx context.Context, r *request) (any, error) {
	return dataOne(ctx, r, "groupId", a.services.Protected.Group, groupDataToContract)
}

// groupDataToContract encodes a group by its mailbox. Its site is protected as a site, which does not tell that it is a group's: isSiteBackedUp is
// left out, not false.
func groupDataToContract(l links, repository holdfast.RepositoryID, g service.ProtectedOwner) contract.RESTBackupGroupData {
	out := contract.RESTBackupGroupData{
		ID: g.ID, ItemType: contract.RESTBackupItemTypeGroup, RepositoryID: uuid.MustParse(string(repository)), AccountID: &g.ObjectID, DisplayName: optional(g.Name), Email: optional(g.Address),
		OrganizationID: uid(g.Organization), BackedUpOrganizationID: string(g.Organization), Links: dataLinks(l, groupDataPath, repository, g.ID, g.Organization),
	}
	out.MailboxBackedUpTime, out.IsMailboxBackedUp = newestOf(g.Containers, holdfast.Mailbox)
	return out
}
