package rest

import (
	"context"

	"holdfast/internal/holdfast"
	"holdfast/internal/rest/contract"
	"holdfast/internal/service"
)

// organizationGroupMemberGet lists what is directly in a group: users, and groups whose own members are theirs to tell.
func (a *API) organizationGroupMemberGet(ctx context.Context, r *request) (any, error) {
	id, err := r.id("organizationId")
	if err != nil {
		return nil, err
	}
	w, err := r.window()
	if err != nil {
		return nil, err
	}
	group := r.param("groupId")
	members, err := a.services.Organizations.GroupMembers(ctx, r.user, holdfast.OrganizationID(id), group, r.dataSource(), w.page())
	if err != nil {
		return nil, err
	}
	return page(r, w, members, func(m service.GroupMember) contract.RESTGroupMember {
		kind, link := contract.RESTGroupMemberTypeUser, r.links.to(organizationPath+"/Users/{userId}", id, m.ID)
		if m.Kind == holdfast.DirectoryGroup {
			kind, link = contract.RESTGroupMemberTypeGroup, r.links.to(organizationPath+"/Groups/{groupId}", id, m.ID)
		}
		return contract.RESTGroupMember{
			GroupID: &group, Name: &m.Display, Login: &m.Name, Type: &kind, IsCloud: new(true),
			Links: contract.RESTLinkHALDictionary{"member": link, "group": r.links.to(organizationPath+"/Groups/{groupId}", id, group)},
		}
	}).inSet(r), nil
}
