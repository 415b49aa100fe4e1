package sim

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
)

// Kinds of groups.
const (
	GroupUnified      = "unified"             // Microsoft 365
	GroupSecurity     = "security"            //
	GroupMailSecurity = "mailEnabledSecurity" //
	GroupDistribution = "distribution"        // made in Exchange; Graph shows it and cannot change it
)

// Group is a group of the tenant. The directory's mutex guards it.
type Group struct {
	ID, DisplayName, Description, Mail, Nickname string
	Unified, Team, Public                        bool
	Created                                      time.Time
	Members, Owners                              []string // ids; members are users and groups
	kind                                         string   // of those that are not Unified; empty is GroupSecurity
	deleted, purged                              bool
	deletedAt                                    time.Time
}

func (g *Group) kindOf() string {
	if g.Unified {
		return GroupUnified
	}
	return orElse(g.kind, GroupSecurity)
}

// GroupChange makes a group, or changes the one with ID. Absent fields stay.
type GroupChange struct {
	ID          string   `json:"id"`
	DisplayName *string  `json:"displayName"`
	Kind        string   `json:"kind"`        // of a new one; default security
	Add         []string `json:"add"`         // members: users by id or name, groups by id
	Remove      []string `json:"remove"`      //
	Owners      []string `json:"owners"`      // replaces them
	Deleted     *bool    `json:"deleted"`     // softly: it can come back with all that it had
	Purged      bool     `json:"purged"`      // for ever
	NewUsers    int      `json:"newUsers"`    // as many new users become members
	Unlicensed  bool     `json:"unlicensed"`  // of newUsers: without licence, so without mailbox
	NamePrefix  string   `json:"namePrefix"`  // of newUsers; default "newcomer"
	NamesFrom   int      `json:"namesFrom"`   // of newUsers: number of the first one's name
	Description *string  `json:"description"` //
}

// GroupRow is a group as control shows it.
type GroupRow struct {
	ID          string   `json:"id"`
	DisplayName string   `json:"displayName"`
	Kind        string   `json:"kind"`
	Members     []string `json:"members"` // "user/ID" or "group/ID"
	Owners      []string `json:"owners"`
	Deleted     bool     `json:"deleted"`
}

// Groups lists all groups, softly deleted ones too.
func (s *Sim) Groups() []GroupRow {
	s.dir.mu.Lock()
	defer s.dir.mu.Unlock()
	out := []GroupRow{}
	for _, g := range s.dir.groups {
		if !g.purged {
			out = append(out, s.dir.groupRow(g))
		}
	}
	return out
}

// groupRow is g for control. The caller holds d.mu.
func (d *directory) groupRow(g *Group) GroupRow {
	return GroupRow{ID: g.ID, DisplayName: g.DisplayName, Kind: g.kindOf(), Members: append([]string{}, d.refs(g)...), Owners: append([]string{}, g.Owners...), Deleted: g.deleted}
}

// refs are a group's members that are there, as "user/ID" and "group/ID". The caller holds d.mu.
func (d *directory) refs(g *Group) []string {
	var out []string
	for _, id := range g.Members {
		if u := d.byKey[id]; u != nil {
			u.mu.Lock()
			if !u.deleted {
				out = append(out, "user/"+id)
			}
			u.mu.Unlock()
		} else if x := d.group(id); x != nil {
			out = append(out, "group/"+id)
		}
	}
	return out
}

// group is a group that is not deleted, or nil. The caller holds d.mu.
func (d *directory) group(id string) *Group {
	for _, g := range d.groups {
		if strings.EqualFold(g.ID, id) && !g.deleted && !g.purged {
			return g
		}
	}
	return nil
}

// ref is how a delta names a member. The caller holds d.mu.
func (d *directory) ref(id string) string {
	if d.byKey[id] != nil {
		return "user/" + id
	}
	return "group/" + id
}

// ChangeGroup makes a group or changes one.
func (s *Sim) ChangeGroup(in GroupChange) (GroupRow, error) {
	var fresh []*User
	for i := range in.NewUsers {
		fresh = append(fresh, s.dir.hire(fmt.Sprintf("%s%d", orElse(in.NamePrefix, "newcomer"), in.NamesFrom+i), !in.Unlicensed))
	}
	d := s.dir
	d.mu.Lock()
	defer d.mu.Unlock()
	var g *Group
	if in.ID == "" {
		kind := orElse(in.Kind, GroupSecurity)
		if !slices.Contains([]string{GroupUnified, GroupSecurity, GroupMailSecurity, GroupDistribution}, kind) {
			return GroupRow{}, fmt.Errorf("kind %q: want unified, security, mailEnabledSecurity or distribution", kind)
		}
		r := newRand(s.opt.Seed, "group", uint64(len(d.groups)))
		nick := fmt.Sprintf("group%d", len(d.groups)+1)
		g = &Group{ID: r.uuid(), DisplayName: fmt.Sprintf("Group %d", len(d.groups)+1), kind: kind, Unified: kind == GroupUnified, Created: s.now(), Nickname: nick}
		if kind != GroupSecurity {
			g.Mail = nick + "@" + s.tenant.Domain
		}
		d.groups = append(d.groups, g)
	} else if i := slices.IndexFunc(d.groups, func(g *Group) bool { return strings.EqualFold(g.ID, in.ID) && !g.purged }); i >= 0 {
		g = d.groups[i]
	} else {
		return GroupRow{}, fmt.Errorf("no group %q", in.ID)
	}
	var add, remove []string
	for _, list := range []struct{ from, to *[]string }{{&in.Add, &add}, {&in.Remove, &remove}} {
		for _, key := range *list.from {
			if u := d.byKey[strings.ToLower(key)]; u != nil {
				*list.to = append(*list.to, u.ID)
			} else if x := slices.IndexFunc(d.groups, func(g *Group) bool { return strings.EqualFold(g.ID, key) }); x >= 0 {
				*list.to = append(*list.to, d.groups[x].ID)
			} else {
				return GroupRow{}, fmt.Errorf("no user or group %q", key)
			}
		}
	}
	for _, u := range fresh {
		add = append(add, u.ID)
	}
	if in.DisplayName != nil {
		g.DisplayName = *in.DisplayName
	}
	if in.Description != nil {
		g.Description = *in.Description
	}
	if in.Owners != nil {
		g.Owners = in.Owners
	}
	if in.Deleted != nil {
		g.deleted, g.deletedAt = *in.Deleted, s.now()
	}
	g.purged = g.purged || in.Purged
	d.note(dirChange{group: true, id: g.ID})
	for _, id := range add {
		if !slices.Contains(g.Members, id) {
			g.Members = append(g.Members, id)
			d.note(dirChange{group: true, id: g.ID, member: d.ref(id)})
		}
	}
	for _, id := range remove {
		if i := slices.Index(g.Members, id); i >= 0 {
			g.Members = slices.Delete(slices.Clone(g.Members), i, i+1)
			d.note(dirChange{group: true, id: g.ID, member: d.ref(id)})
		}
	}
	if in.Deleted != nil || in.Purged {
		d.leaveGroups("group/" + g.ID)
	}
	return d.groupRow(g), nil
}

// leaveGroups tells the groups of a user or group ("user/ID", "group/ID") that it has gone or come back; its place in them stays. The caller holds d.mu.
func (d *directory) leaveGroups(ref string) {
	_, id, _ := strings.Cut(ref, "/")
	for _, g := range d.groups {
		if slices.Contains(g.Members, id) {
			d.note(dirChange{group: true, id: g.ID, member: ref})
		}
	}
}

func orElse(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}

// groupControl are the endpoints of the control port for groups: GET /groups lists them, POST /groups makes or changes one, GET /oracle/groups/{group} gives the
// posts of the mailbox of a Microsoft 365 group, one JSON line each.
func (s *Sim) groupControl() {
	s.control.HandleFunc("GET /oracle/groups/{group}", func(w http.ResponseWriter, r *http.Request) {
		rows, err := s.DumpGroup(r.PathValue("group"))
		if err != nil {
			controlError(w, http.StatusNotFound, err)
			return
		}
		w.Header().Set("Content-Type", "application/x-ndjson")
		enc := json.NewEncoder(w)
		for _, row := range rows {
			if enc.Encode(row) != nil {
				return // the reader has gone
			}
		}
	})
	s.control.HandleFunc("GET /groups", func(w http.ResponseWriter, _ *http.Request) { controlJSON(w, s.Groups()) })
	s.control.HandleFunc("POST /groups", func(w http.ResponseWriter, r *http.Request) {
		var in GroupChange
		if !controlDecode(w, r, &in) {
			return
		}
		row, err := s.ChangeGroup(in)
		if err != nil {
			controlError(w, http.StatusBadRequest, err)
			return
		}
		controlJSON(w, row)
	})
}

func (s *Sim) groupReadRoutes() []Route {
	var out []Route
	get := func(pattern string, cost int, h Handler, perms ...string) {
		out = append(out, Route{Host: HostGraph, Method: "GET", Pattern: "/v1.0" + pattern, Class: ClassIdentity, Cost: cost, Permissions: perms, Handle: h})
	}
	groups := []string{"GroupMember.Read.All", "Group.Read.All", "Group.ReadWrite.All", "Directory.Read.All", "Directory.ReadWrite.All"}
	members := []string{"GroupMember.Read.All", "GroupMember.ReadWrite.All", "Group.Read.All", "Group.ReadWrite.All", "Directory.Read.All"}
	get("/groups", 2, s.groupsList, groups...)
	get("/groups/delta", 2, s.groupsDelta, groups...)
	get("/groups/{group}", 1, s.groupGet, groups...)
	get("/groups/{group}/members", 3, s.groupMembers, members...)
	get("/groups/{group}/transitiveMembers", 5, s.groupTransitiveMembers, members...)
	return out
}

func groupMap(g *Group) map[string]any {
	kind := g.kindOf()
	types := []string{}
	if g.Unified {
		types = []string{"Unified"}
	}
	m := map[string]any{"id": g.ID, "displayName": g.DisplayName, "description": g.Description, "mail": nil, "mailEnabled": kind != GroupSecurity, "mailNickname": g.Nickname,
		"securityEnabled": kind == GroupSecurity || kind == GroupMailSecurity, "groupTypes": types, "createdDateTime": stamp(g.Created), "visibility": "Private", "resourceProvisioningOptions": []string{}, "proxyAddresses": []string{}}
	if g.Team {
		m["resourceProvisioningOptions"] = []string{"Team"}
	}
	if g.Public {
		m["visibility"] = "Public"
	}
	if kind != GroupSecurity {
		m["mail"], m["proxyAddresses"] = g.Mail, []string{"SMTP:" + g.Mail}
	}
	return m
}

var groupKnown = []string{"classification", "deletedDateTime", "expirationDateTime", "isAssignableToRole", "membershipRule", "membershipRuleProcessingState", "onPremisesDomainName", "onPremisesLastSyncDateTime", "onPremisesNetBiosName",
	"onPremisesSamAccountName", "onPremisesSecurityIdentifier", "onPremisesSyncEnabled", "preferredDataLocation", "preferredLanguage", "renewedDateTime", "securityIdentifier", "theme", "members", "assignedLicenses", "owners"}

func groupProject(full map[string]any, sel []string) (map[string]any, error) {
	return project(full, sel, "microsoft.graph.group", func(n string) bool { return slices.Contains(groupKnown, n) })
}

func (s *Sim) groupsList(c *Call) (*Reply, error) {
	s.dir.mu.Lock()
	var rows []func() map[string]any
	for _, g := range s.dir.groups {
		if !g.deleted && !g.purged {
			m := groupMap(g)
			rows = append(rows, func() map[string]any { return m })
		}
	}
	s.dir.mu.Unlock()
	return s.directoryPage(c, "groups", rows, groupProject)
}

func (s *Sim) groupsDelta(c *Call) (*Reply, error) {
	s.dir.mu.Lock()
	rows := make([]deltaRow, len(s.dir.groups))
	for i, g := range s.dir.groups {
		rows[i] = deltaRow{id: g.ID, full: groupMap(g), members: s.dir.refs(g)}
		switch {
		case g.purged:
			rows[i].gone = "deleted"
		case g.deleted:
			rows[i].gone = "changed"
		}
	}
	s.dir.mu.Unlock()
	return s.directoryDelta(c, "groups", len(rows), func(i int) deltaRow { return rows[i] }, groupProject)
}

// within calls fn under the directory's lock with the group that a call names, or gives Microsoft's 404.
func (s *Sim) within(c *Call, fn func(g *Group)) error {
	s.dir.mu.Lock()
	defer s.dir.mu.Unlock()
	g := s.dir.group(c.Params["group"])
	if g == nil {
		return Fail(404, "Request_ResourceNotFound", "Resource '%s' does not exist or one of its queried reference-property objects are not present.", c.Params["group"])
	}
	fn(g)
	return nil
}

func (s *Sim) groupGet(c *Call) (*Reply, error) {
	q, err := c.OData("select", "expand")
	if err != nil {
		return nil, err
	}
	var full map[string]any
	if err := s.within(c, func(g *Group) { full = groupMap(g) }); err != nil {
		return nil, err
	}
	m, err := groupProject(full, q.Select)
	if err != nil {
		return nil, err
	}
	m["@odata.context"] = c.context("groups/$entity")
	return JSON(200, m), nil
}

func (s *Sim) groupMembers(c *Call) (*Reply, error) {
	var refs []string
	if err := s.within(c, func(g *Group) { refs = s.dir.refs(g) }); err != nil {
		return nil, err
	}
	return s.objectsPage(c, refs)
}

// groupTransitiveMembers lists each user and group within once, whatever the nesting; a circle ends where it began.
func (s *Sim) groupTransitiveMembers(c *Call) (*Reply, error) {
	var refs []string
	if err := s.within(c, func(g *Group) {
		seen := map[string]bool{"group/" + g.ID: true}
		var walk func(g *Group)
		walk = func(g *Group) {
			for _, ref := range s.dir.refs(g) {
				if seen[ref] {
					continue
				}
				seen[ref] = true
				refs = append(refs, ref)
				if x := s.dir.group(strings.TrimPrefix(ref, "group/")); x != nil {
					walk(x)
				}
			}
		}
		walk(g)
	}); err != nil {
		return nil, err
	}
	return s.objectsPage(c, refs)
}

// objectsPage lists users and groups, each with its type. Groups show what they have of the selected properties.
func (s *Sim) objectsPage(c *Call, refs []string) (*Reply, error) {
	var rows []func() map[string]any
	for _, ref := range refs {
		kind, id, _ := strings.Cut(ref, "/")
		if kind == "user" {
			if u := s.dir.find(id); u != nil {
				rows = append(rows, func() map[string]any { return s.userMap(u) })
			}
			continue
		}
		s.dir.mu.Lock()
		if g := s.dir.group(id); g != nil {
			m := groupMap(g)
			rows = append(rows, func() map[string]any { return m })
		}
		s.dir.mu.Unlock()
	}
	return s.directoryPage(c, "directoryObjects", rows, func(m map[string]any, sel []string) (map[string]any, error) {
		out, typ, err := m, "#microsoft.graph.user", error(nil)
		if _, group := m["groupTypes"]; group {
			typ = "#microsoft.graph.group"
			out, err = groupProject(m, slices.DeleteFunc(slices.Clone(sel), func(n string) bool {
				_, has := m[n]
				return !has && !slices.Contains(groupKnown, n)
			}))
		} else {
			out, err = userProject(m, sel)
		}
		if err == nil {
			out["@odata.type"] = typ
		}
		return out, err
	})
}

func (s *Sim) groups() []*Group {
	s.dir.mu.Lock()
	defer s.dir.mu.Unlock()
	return slices.Clone(s.dir.groups)
}

func (s *Sim) group(c *Call) (*Group, error) {
	for _, g := range s.groups() {
		if strings.EqualFold(g.ID, c.Params["group"]) && !g.deleted {
			return g, nil
		}
	}
	return nil, Fail(404, "Request_ResourceNotFound", "Resource '%s' does not exist or one of its queried reference-property objects are not present.", c.Params["group"])
}

// groupSiteRoute is the site of a Microsoft 365 group: groups with a team have one.
func (s *Sim) groupSiteRoute() Route {
	return Route{Host: HostGraph, Method: "GET", Pattern: "/v1.0/groups/{group}/sites/root", Class: ClassSharePoint, Cost: 1, Permissions: sitesRead, Handle: func(c *Call) (*Reply, error) {
		g, err := s.group(c)
		if err != nil {
			return nil, err
		}
		s.teams.mu.Lock()
		t := s.teams.team(g.ID)
		s.teams.mu.Unlock()
		if t == nil {
			return nil, Fail(404, "ResourceNotFound", "Resource is not found.")
		}
		c.Params["site"] = t.site.id()
		s.sites.mu.Lock()
		defer s.sites.mu.Unlock()
		return s.sites.getSite(c)
	}}
}
