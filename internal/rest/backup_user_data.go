package rest

import (
	"context"

	"github.com/google/uuid"

	"holdfast/internal/holdfast"
	"holdfast/internal/rest/contract"
	"holdfast/internal/service"
)

const userDataPath = repositoryPath + "/UserData/{userId}"

func (a *API) backupUserDataGetUsersData(ctx context.Context, r *request) (any, error) {
	return dataPage(ctx, r, a.services.Protected.Users, userDataToContract)
}

func (a *API) backupUserDataGetUserData(ctx context.Context, r *request) (any, error) {
	return dataOne(ctx, r, "userId", a.services.Protected.User, userDataToContract)
}

// userDataToContract encodes a user. Archives are not read as such, so the repository holds none.
func userDataToContract(l links, repository holdfast.RepositoryID, u service.ProtectedOwner) contract.RESTBackupUserData {
	out := contract.RESTBackupUserData{
		ID: u.ID, ItemType: contract.RESTBackupItemTypeUser, RepositoryID: uuid.MustParse(string(repository)), AccountID: optional(u.ObjectID), AccountType: new(contract.RESTBackupUserAccountType(*accountType(u.Shared))), DisplayName: optional(u.Name), Email: optional(u.Address),
		IsArchiveBackedUp: new(false), OrganizationID: uid(u.Organization), BackedUpOrganizationID: string(u.Organization),
		Links: dataLinks(l, userDataPath, repository, u.ID, u.Organization),
	}
	out.MailboxBackedUpTime, out.IsMailboxBackedUp = newestOf(u.Containers, holdfast.Mailbox)
	out.OneDriveBackedUpTime, out.IsOneDriveBackedUp = newestOf(u.Containers, holdfast.Drive)
	out.PersonalSiteBackedUpTime, out.IsPersonalSiteBackedUp = newestOf(u.Containers, holdfast.Site)
	for _, c := range u.Containers {
		switch address := webAddress(c); {
		case c.Kind == holdfast.Drive && address != "":
			out.OneDriveURL = append(out.OneDriveURL, address)
		case c.Personal():
			out.PersonalSiteURL = append(out.PersonalSiteURL, c.Address)
		}
	}
	return out
}
