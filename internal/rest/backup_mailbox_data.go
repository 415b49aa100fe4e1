package rest

import (
	"context"

	"github.com/google/uuid"

	"holdfast/internal/holdfast"
	"holdfast/internal/rest/contract"
)

const mailboxDataPath = repositoryPath + "/MailboxData/{mailboxId}"

func (a *API) backupMailboxDataGetMailboxesData(ctx context.Context, r *request) (any, error) {
	return dataContainers(ctx, a, r, holdfast.Mailbox, mailboxDataToContract)
}

func (a *API) backupMailboxDataGetMailboxData(ctx context.Context, r *request) (any, error) {
	return dataContainer(ctx, a, r, holdfast.Mailbox, "mailboxId", mailboxDataToContract)
}

func mailboxDataToContract(l links, c holdfast.ContainerRecord) contract.RESTBackupMailboxData {
	return contract.RESTBackupMailboxData{
		ID: c.PublicID(), ItemType: contract.RESTBackupItemTypeMailbox, RepositoryID: uuid.MustParse(string(c.Repository)), DisplayName: optional(c.Name), Email: c.Address,
		BackedUpTime: stamp(c.HeadTime), OrganizationID: uid(c.Organization), BackedUpOrganizationID: string(c.Organization),
		Links: dataLinks(l, mailboxDataPath, c.Repository, c.PublicID(), c.Organization),
	}
}
