package sim

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// siteAccess is who may do what in a site collection: groups of SharePoint's own and permission levels, which all its sites share, and what each site
// grants. Graph's part of the drives reads it under a drive's lock, so that it has a lock of its own, which is taken last.
type siteAccess struct {
	mu     sync.Mutex // guards all below; what is in the slices is never changed, but replaced
	groups []siteGroup
	levels []level
	next   int                    // of groups and levels that are made
	roles  map[*site][]assignment // of each site that does not inherit
}

// siteGroup is a group of SharePoint's own.
type siteGroup struct {
	id                                 int
	title, about                       string
	use                                string // what the site has it for: owners, members, visitors or nothing
	membersEdit, membersOnly, requests bool   // AllowMembersEditMembership, OnlyAllowMembersViewMembership, AllowRequestToJoinLeave
	members                            []int  // users, by index
}

// assignment gives a principal a permission level.
type assignment struct{ principal, role int }

// level is a permission level (role definition): a named set of rights.
type level struct {
	id, kind, order int // kind as SP.RoleType numbers it; 0 is one that somebody made
	name, about     string
	hidden          bool
	high, low       uint32 // the rights, as SP.BasePermissions has them
}

// The permission levels that every site has, with SharePoint's fixed numbers.
const (
	roleFull       = 1073741829
	roleDesign     = 1073741828
	roleEdit       = 1073741830
	roleContribute = 1073741827
	roleRead       = 1073741826
	roleLimited    = 1073741825
)

// firstMade is where ids of groups and levels that are made begin: above those of people.
const firstMade = 1_000_000

func everyLevel() []level {
	return []level{
		{roleFull, 5, 1, "Full Control", "Has full control.", false, 2147483647, 4294967295},
		{roleDesign, 4, 32, "Design", "Can view, add, update, delete, approve, and customize.", false, 432, 1012866047},
		{roleEdit, 6, 48, "Edit", "Can add, edit and delete lists; can view, add, update and delete list items and documents.", false, 432, 1011030767},
		{roleContribute, 3, 64, "Contribute", "Can view, add, update, and delete list items and documents.", false, 432, 1011028719},
		{roleRead, 2, 128, "Read", "Can view pages and list items and download documents.", false, 176, 138612833},
		{roleLimited, 1, 160, "Limited Access", "Can view specific lists, document libraries, list items, folders, or documents when given permissions.", true, 48, 134287360},
	}
}

// newAccess gives a site collection its three groups, called after it.
func newAccess(x *site, members func(group int) []int) *siteAccess {
	a := &siteAccess{levels: everyLevel(), next: firstMade, roles: map[*site][]assignment{}}
	for n, g := range []struct {
		title, use string
		role       int
	}{{"Owners", "owners", roleFull}, {"Visitors", "visitors", roleRead}, {"Members", "members", roleEdit}} {
		a.groups = append(a.groups, siteGroup{id: 3 + n, title: x.title + " " + g.title, use: g.use, membersOnly: true, members: members(n)})
		a.roles[x] = append(a.roles[x], assignment{3 + n, g.role})
	}
	return a
}

// addReviewers gives a site collection a group and a permission level that somebody made.
func (a *siteAccess) addReviewers(x *site) {
	a.levels = append(a.levels, level{id: firstMade, order: 2147483647, name: "Review", about: "Can read and approve", high: 176, low: 138612833 | 0x10})
	a.groups = append(a.groups, siteGroup{id: firstMade + 1, title: "Reviewers", about: "Those who approve", membersEdit: true, members: []int{0}})
	a.roles[x] = append(a.roles[x], assignment{firstMade + 1, firstMade})
	a.next = firstMade + 2
}

// top is the top site of the collection.
func (x *site) top() *site {
	for x.parent != nil {
		x = x.parent
	}
	return x
}

func (x *site) groups() []siteGroup {
	x.access.mu.Lock()
	defer x.access.mu.Unlock()
	return x.access.groups
}

func (x *site) levels() []level {
	x.access.mu.Lock()
	defer x.access.mu.Unlock()
	return x.access.levels
}

func (x *site) levelName(id int) string {
	for _, l := range x.levels() {
		if l.id == id {
			return l.name
		}
	}
	return ""
}

// webRoles are the assignments that apply to a site: its own, or those of the site above.
func (x *site) webRoles() []assignment {
	x.access.mu.Lock()
	defer x.access.mu.Unlock()
	for ; x.parent != nil; x = x.parent {
		if own, ok := x.access.roles[x]; ok {
			return own
		}
	}
	return x.access.roles[x]
}

// ownRoles says whether a site has assignments of its own.
func (x *site) ownRoles() bool {
	x.access.mu.Lock()
	defer x.access.mu.Unlock()
	return x.access.roles[x] != nil || x.parent == nil
}

func (x *site) setWebRoles(roles []assignment) {
	x.access.mu.Lock()
	defer x.access.mu.Unlock()
	x.access.roles[x] = roles
}

// graphRole is a level in Graph's words.
func (x *site) graphRole(id int) string {
	for _, l := range x.levels() {
		switch {
		case l.id != id:
		case l.id == roleFull:
			return "owner"
		case l.low&0x4 != 0: // EditListItems
			return "write"
		}
	}
	return "read"
}

// noteWeb logs a change of the site itself.
func (x *site) noteWeb(kind int) {
	now := x.of.s.now().UTC()
	x.log = append(x.log, webChange{kind: kind, at: now})
	x.touched(now)
}

// mayManage refuses who may not manage permissions: SharePoint wants full control for that.
func (a restAt) mayManage() *Reply {
	if a.sv.s.needs(a.c, []string{"Sites.FullControl.All"}) != nil {
		return restFail(403, "-2147024891, System.UnauthorizedAccessException", "Access denied. You do not have permission to perform this action or access this resource.")
	}
	return nil
}

func (a restAt) groupJSON(g *siteGroup, users bool) map[string]any {
	m := a.site.principal(g.id).json()
	m["Description"], m["OwnerTitle"] = g.about, a.site.groups()[0].title
	m["AllowMembersEditMembership"], m["OnlyAllowMembersViewMembership"], m["AllowRequestToJoinLeave"] = g.membersEdit, g.membersOnly, g.requests
	m["AutoAcceptRequestToJoinLeave"], m["RequestToJoinLeaveEmailSetting"] = false, ""
	if users {
		rows := []any{}
		for _, u := range g.members {
			rows = append(rows, a.site.principal(siteUserID(u)).json())
		}
		m["Users"] = rows
	}
	return m
}

// webAccess serves groups, permission levels and assignments of a site; nil is an address that is none of them.
// https://learn.microsoft.com/previous-versions/office/developer/sharepoint-rest-reference/dn531432(v=office.15)
func (a restAt) webAccess() *Reply {
	x := a.site
	if a.c.Method == "POST" {
		switch a.segs[1].name {
		case "sitegroups", "roledefinitions", "roleassignments", "breakroleinheritance":
			if r := a.mayManage(); r != nil {
				return r
			}
		}
	}
	switch a.verb(1) {
	case "GET roleassignments":
		return a.assignments(x.webRoles())
	case "GET roledefinitions":
		var rows []any
		for _, l := range x.levels() {
			rows = append(rows, l.json())
		}
		return value(rows)
	case "POST roledefinitions":
		return a.postLevel()
	case "GET sitegroups":
		if a.segs[1].args != "" {
			break
		}
		var rows []any
		for _, g := range x.groups() {
			rows = append(rows, a.selected(a.groupJSON(&g, strings.Contains(strings.ToLower(a.c.Query.Get("$expand")), "users"))))
		}
		return value(rows)
	case "POST sitegroups":
		return a.postGroup()
	case "POST sitegroups/users":
		return a.postMember()
	case "POST breakroleinheritance":
		var roles []assignment
		own := x.ownRoles()
		r := a.breakInheritance(&own, &roles, x.webRoles(), x.noteWeb)
		if !x.ownRoles() {
			x.setWebRoles(append([]assignment{}, roles...))
		}
		return r
	}
	if len(a.segs) == 3 && a.segs[1].name == "roleassignments" && a.c.Method == "POST" {
		roles := x.webRoles()
		r := a.assign(&roles, x.ownRoles(), x.noteWeb)
		if x.ownRoles() {
			x.setWebRoles(roles)
		}
		return r
	}
	return nil
}

func (l *level) json() map[string]any {
	return map[string]any{"Id": l.id, "Name": l.name, "Description": l.about, "Order": l.order, "Hidden": l.hidden, "RoleTypeKind": l.kind,
		"BasePermissions": map[string]any{"High": strconv.FormatUint(uint64(l.high), 10), "Low": strconv.FormatUint(uint64(l.low), 10)}}
}

// siteNameTaken is how SharePoint refuses a group or level of a name that there is.
func siteNameTaken() *Reply {
	return restFail(500, "-2130575293, Microsoft.SharePoint.SPException", "The specified name is already in use. Please try again with a new name.")
}

func (a restAt) postGroup() *Reply {
	var in struct {
		Title, Description                                                                  string
		AllowMembersEditMembership, OnlyAllowMembersViewMembership, AllowRequestToJoinLeave bool
	}
	if r := a.decode(&in); r != nil {
		return r
	}
	if in.Title == "" || len([]rune(in.Title)) > 255 {
		return restFail(400, "-2147024809, System.ArgumentException", "The group name is empty, or you are using one or more of the following invalid characters.")
	}
	acc := a.site.access
	if slices.ContainsFunc(a.site.groups(), func(g siteGroup) bool { return strings.EqualFold(g.title, in.Title) }) {
		return siteNameTaken()
	}
	acc.mu.Lock()
	g := siteGroup{id: acc.next, title: in.Title, about: in.Description, membersEdit: in.AllowMembersEditMembership, membersOnly: in.OnlyAllowMembersViewMembership, requests: in.AllowRequestToJoinLeave}
	acc.next++
	acc.groups = append(slices.Clone(acc.groups), g)
	acc.mu.Unlock()
	a.site.noteWeb(changeAdd)
	return JSON(201, a.groupJSON(&g, false))
}

// postMember adds somebody to a group; nobody is mailed. Who is in it already is answered as one who was added.
func (a restAt) postMember() *Reply {
	var in struct{ LoginName string }
	if r := a.decode(&in); r != nil {
		return r
	}
	x := a.site
	id, err := strconv.Atoi(a.segs[1].arg(""))
	groups := slices.Clone(x.groups())
	i := slices.IndexFunc(groups, func(g siteGroup) bool { return g.id == id })
	if err != nil || i < 0 {
		return restFail(404, "-2146232832, Microsoft.SharePoint.SPException", "Group cannot be found.")
	}
	who, ok := x.login(in.LoginName)
	if !ok {
		return restFail(400, "-2130575276, Microsoft.SharePoint.SPException", "The specified user %s could not be found.", in.LoginName)
	}
	u := who - siteUserID(0)
	if !slices.Contains(groups[i].members, u) {
		groups[i].members = append(slices.Clone(groups[i].members), u)
		x.access.mu.Lock()
		x.access.groups = groups
		x.access.mu.Unlock()
		x.noteWeb(changeMemberAdd)
	}
	return JSON(201, x.principal(who).json())
}

func (a restAt) postLevel() *Reply {
	var in struct {
		Name, Description string
		Order             int
		BasePermissions   struct{ High, Low string }
	}
	if r := a.decode(&in); r != nil {
		return r
	}
	x := a.site
	high, err1 := strconv.ParseUint(in.BasePermissions.High, 10, 32)
	low, err2 := strconv.ParseUint(in.BasePermissions.Low, 10, 32)
	switch {
	case x.parent != nil: // a site below takes them from above
		return restFail(400, "-2146233079, System.InvalidOperationException", "You cannot add or remove permission levels on a web site that inherits permission levels.")
	case in.Name == "" || err1 != nil || err2 != nil:
		return restFail(400, "-2147024809, System.ArgumentException", "A permission level needs a name and its permissions.")
	case slices.ContainsFunc(x.levels(), func(l level) bool { return strings.EqualFold(l.name, in.Name) }):
		return siteNameTaken()
	}
	acc := x.access
	acc.mu.Lock()
	l := level{id: acc.next, order: in.Order, name: in.Name, about: in.Description, high: uint32(high), low: uint32(low)}
	acc.next++
	acc.levels = append(slices.Clone(acc.levels), l)
	acc.mu.Unlock()
	x.noteWeb(changeLevelAdd)
	return JSON(201, l.json())
}

// SiteAccessRow is a group, a permission level or what a site grants, in a dump.
type SiteAccessRow struct {
	Kind    string   `json:"kind"` // group, level, site
	Title   string   `json:"title"`
	About   string   `json:"about,omitempty"`
	Use     string   `json:"use,omitempty"`     // of a group: owners, members, visitors
	Members []string `json:"members,omitempty"` // of a group: addresses
	Rights  string   `json:"rights,omitempty"`  // of a level: both halves; of a group: what its members and others may do with it
	Roles   []string `json:"roles,omitempty"`   // of the site: who has which level
}

// DumpSiteAccess is the state of a site's groups and permission levels, and who may do what in it.
func (s *Sim) DumpSiteAccess(key string) ([]SiteAccessRow, error) {
	s.sites.mu.Lock()
	defer s.sites.mu.Unlock()
	x := s.sites.find(key)
	if x == nil {
		return nil, fmt.Errorf("no site %q", key)
	}
	var rows []SiteAccessRow
	for _, g := range x.groups() {
		row := SiteAccessRow{Kind: "group", Title: g.title, About: g.about, Use: g.use, Rights: fmt.Sprint(g.membersEdit, g.membersOnly, g.requests)}
		for _, u := range g.members {
			row.Members = append(row.Members, x.personName(person(u)))
		}
		slices.Sort(row.Members)
		rows = append(rows, row)
	}
	for _, l := range x.levels() {
		rows = append(rows, SiteAccessRow{Kind: "level", Title: l.name, About: l.about, Rights: fmt.Sprintf("%d %d", l.high, l.low)})
	}
	row := SiteAccessRow{Kind: "site", Title: x.title}
	if x.ownRoles() {
		row.Roles = x.roleTexts(x.webRoles())
	}
	slices.SortFunc(rows, func(a, b SiteAccessRow) int { return strings.Compare(a.Kind+a.Title, b.Kind+b.Title) })
	return append(rows, row), nil
}

// StripSite takes from a site what its owners made of groups, permission levels and members: only the three groups that every site has are left, empty. What
// named the groups loses them, as it does when SharePoint removes one.
func (s *Sim) StripSite(key string) error {
	s.sites.mu.Lock()
	defer s.sites.mu.Unlock()
	x := s.sites.find(key)
	if x == nil {
		return fmt.Errorf("no site %q", key)
	}
	x = x.top()
	acc := x.access
	acc.mu.Lock()
	var kept []siteGroup
	gone := map[int]bool{}
	for _, g := range acc.groups {
		if g.use == "" {
			gone[g.id] = true
			continue
		}
		g.members = nil
		kept = append(kept, g)
	}
	acc.groups, acc.levels = kept, everyLevel()
	without := func(roles []assignment) []assignment {
		return slices.DeleteFunc(slices.Clone(roles), func(r assignment) bool { return gone[r.principal] })
	}
	for y, roles := range acc.roles {
		acc.roles[y] = without(roles)
	}
	acc.mu.Unlock()
	for _, y := range s.sites.every() {
		if y.access != acc {
			continue
		}
		for _, l := range y.lists {
			l.roles = without(l.roles)
			for _, it := range l.items {
				it.roles = without(it.roles)
			}
			if l.isLibrary() {
				l.drive.mu.Lock()
				l.drive.forget(gone)
				l.drive.mu.Unlock()
			}
		}
	}
	x.noteWeb(changeDelete)
	return nil
}
