package sharepoint

import (
	"context"
	"fmt"
	"net/http"

	"holdfast/internal/m365"
)

// Who may do what in a site: groups of SharePoint's own, permission levels, assignments.
// https://learn.microsoft.com/previous-versions/office/developer/sharepoint-rest-reference/dn531432(v=office.15)

// Group is a group of SharePoint's own with its members. All sites of a collection share their groups.
type Group struct {
	Principal
	Description string      `json:"Description"`
	MembersEdit bool        `json:"AllowMembersEditMembership"`
	MembersOnly bool        `json:"OnlyAllowMembersViewMembership"`
	Requests    bool        `json:"AllowRequestToJoinLeave"`
	Users       []Principal `json:"Users"`
}

// Level is a permission level with its rights. Kind is 0 for one that somebody made, else what SP.RoleType calls it: 1 limited access, 2 read, 3 contribute,
// 4 design, 5 full control, 6 edit. The names of these are in the site's language.
type Level struct {
	Role
	Description string `json:"Description"`
	Order       int    `json:"Order"`
	Kind        int    `json:"RoleTypeKind"`
	Rights      Rights `json:"BasePermissions"`
}

// Rights are the two halves of a mask of rights, as decimal numbers.
type Rights struct {
	High string `json:"High"`
	Low  string `json:"Low"`
}

// Access says whether a site has assignments of its own, and which of its groups are its owners, members and visitors; 0: none is.
type Access struct {
	Unique   bool `json:"HasUniqueRoleAssignments"`
	Owners   int  `json:"owners"`
	Members  int  `json:"members"`
	Visitors int  `json:"visitors"`
}

// Access reads it.
func (w *Web) Access(ctx context.Context) (Access, error) {
	type group struct {
		ID int `json:"Id"`
	}
	var in struct {
		Unique   bool   `json:"HasUniqueRoleAssignments"`
		Owners   *group `json:"AssociatedOwnerGroup"`
		Members  *group `json:"AssociatedMemberGroup"`
		Visitors *group `json:"AssociatedVisitorGroup"`
	}
	const groups = "AssociatedOwnerGroup,AssociatedMemberGroup,AssociatedVisitorGroup"
	err := w.get(ctx, "/web?$select=HasUniqueRoleAssignments,AssociatedOwnerGroup/Id,AssociatedMemberGroup/Id,AssociatedVisitorGroup/Id&$expand="+groups, &in)
	out := Access{Unique: in.Unique}
	for to, g := range map[*int]*group{&out.Owners: in.Owners, &out.Members: in.Members, &out.Visitors: in.Visitors} {
		if g != nil {
			*to = g.ID
		}
	}
	return out, err
}

// Groups lists the site's own groups with their members.
func (w *Web) Groups(ctx context.Context) ([]Group, error) {
	return all[Group](ctx, w, "/web/sitegroups?$expand=Users")
}

// Levels lists the permission levels that the site has.
func (w *Web) Levels(ctx context.Context) ([]Level, error) {
	return all[Level](ctx, w, "/web/roledefinitions")
}

// CreateGroup makes a group without members. One of that title that is there is an error of kind Conflict.
func (w *Web) CreateGroup(ctx context.Context, g Group) (*Group, error) {
	out := &Group{}
	in := map[string]any{"Title": g.Title, "Description": g.Description, "AllowMembersEditMembership": g.MembersEdit, "OnlyAllowMembersViewMembership": g.MembersOnly, "AllowRequestToJoinLeave": g.Requests}
	return out, w.decode(ctx, http.MethodPost, "/web/sitegroups", in, out, write, false)
}

// AddMember adds somebody to a group. Nobody is mailed, and nothing happens when he is in it.
func (w *Web) AddMember(ctx context.Context, group int, login string) error {
	return w.decode(ctx, http.MethodPost, fmt.Sprintf("/web/sitegroups(%d)/users", group), map[string]string{"LoginName": login}, nil, write, true)
}

// CreateLevel makes a permission level, of a site that has none of its own in the topmost one (SP.Site.RootWeb). One of that name that is there is an error of
// kind Conflict.
func (w *Web) CreateLevel(ctx context.Context, l Level) (*Level, error) {
	out := &Level{}
	in := map[string]any{"Name": l.Name, "Description": l.Description, "Order": l.Order, "BasePermissions": l.Rights}
	err := w.decode(ctx, http.MethodPost, "/web/roledefinitions", in, out, write, false)
	if m365.KindOf(err) == m365.Invalid { // a site below another one has that one's levels, and lets nobody add to them
		return out, w.decode(ctx, http.MethodPost, "/site/rootweb/roledefinitions", in, out, write, false)
	}
	return out, err
}

// Scope names what has permissions: the site when List is empty, a list when Item is, else an item.
type Scope struct{ List, Item string }

func (s Scope) path() string {
	switch {
	case s.List == "":
		return "/web"
	case s.Item == "":
		return list(s.List)
	}
	return item(s.List, s.Item)
}

// Assignments lists who has which roles.
func (w *Web) Assignments(ctx context.Context, s Scope) ([]Assignment, error) {
	return all[Assignment](ctx, w, s.path()+"/roleassignments?$expand=Member,RoleDefinitionBindings")
}

// BreakInheritance gives a site, a list or an item permissions of its own: copies of those that it inherited, or none at first. What has some keeps them.
func (w *Web) BreakInheritance(ctx context.Context, s Scope, copied bool) error {
	return w.decode(ctx, http.MethodPost, fmt.Sprintf("%s/breakroleinheritance(copyRoleAssignments=%v,clearSubscopes=false)", s.path(), copied), nil, nil, write, true)
}

// Assign gives a principal a role.
func (w *Web) Assign(ctx context.Context, s Scope, principal, role int) error {
	return w.decode(ctx, http.MethodPost, fmt.Sprintf("%s/roleassignments/addroleassignment(principalid=%d,roledefid=%d)", s.path(), principal, role), nil, nil, write, true)
}

// EnsureUser makes a person known to the site.
func (w *Web) EnsureUser(ctx context.Context, login string) (*Principal, error) {
	out := &Principal{}
	return out, w.decode(ctx, http.MethodPost, "/web/ensureuser", map[string]string{"logonName": login, "LogonName": login}, out, write, true)
}
