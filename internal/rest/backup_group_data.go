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
	w, err := r.window()
	if err != nil {
		return nil, err
	}
	f, err := r.dataFilter()
	if err != nil {
		return nil, err
	}
	groups, err := a.services.Protected.Groups(ctx, r.user, f, w.page())
	if err != nil {
		return nil, err
	}
	return page(r, w, groups, func(g service.ProtectedGroup) contract.RESTBackupGroupData {
		return groupDataToContract(r.links, f.Repository, g)
	}), nil
}

func (a *API) backupGroupDataGetSingleGroupData(ctx context.Context, r *request) (any, error) {
	f, err := r.dataFilter()
	if err != nil {
		return nil, err
	}
	g, err := a.services.Protected.Group(ctx, r.user, r.param("groupId"), f)
	if err != nil {
		return nil, err
	}
	return groupDataToContract(r.links, f.Repository, g), nil
}

// groupDataToContract encodes a group by its mailbox. Its site is protected as a site, which does not tell that it is a group's: isSiteBackedUp is
// left out, not false.
func groupDataToContract(l links, repository holdfast.RepositoryID, g service.ProtectedGroup) contract.RESTBackupGroupData {
	out := contract.RESTBackupGroupData{
		ID: g.ID, ItemType: contract.RESTBackupItemTypeGroup, RepositoryID: uuid.MustParse(string(repository)), AccountID: &g.ObjectID, DisplayName: optional(g.Name), Email: optional(g.Address),
		OrganizationID: uid(g.Organization), BackedUpOrganizationID: string(g.Organization), Links: dataLinks(l, groupDataPath, repository, g.ID, g.Organization),
	}
	out.MailboxBackedUpTime, out.IsMailboxBackedUp = newestOf(g.Containers, holdfast.Mailbox)
	return out
}
