package sim

import (
	"cmp"
	"encoding/base64"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// User is a user of the tenant. Fields may change; read them through the directory.
type User struct {
	Index       int
	ID          string
	UPN         string
	Mail        string
	DisplayName string
	GivenName   string
	Surname     string
	Department  string
	JobTitle    string
	Created     time.Time
	password    string // of the sign-in page
	guest       bool   // of another organization, invited into this one

	mu       sync.Mutex // guards all below
	licensed bool
	mailbox  bool // provisioned and not removed
	enabled  bool
	deleted  bool
	purpose  string // of the mailbox: user, shared, room, equipment, others; empty is user
}

// HasMailbox reports whether the user's mailbox answers.
func (u *User) HasMailbox() bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	return (u.licensed || u.purpose != "") && u.mailbox && !u.deleted
}

// purposeNow is what the mailbox is for.
func (u *User) purposeNow() string {
	u.mu.Lock()
	defer u.mu.Unlock()
	return cmp.Or(u.purpose, "user")
}

// administrator says whether the user may register applications and grant them permissions: the first one may.
func (u *User) administrator() bool { return u.Index == 0 }

// Licensed reports whether the user holds a licence with Exchange and OneDrive.
func (u *User) Licensed() bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.licensed
}

// directory holds users and groups and a log of their changes.
type directory struct {
	s *Sim

	seeded []*User // those of the seed, whom contents are made of: whoever comes later changes none

	mu     sync.Mutex // guards all below; taken before a User's
	users  []*User
	byKey  map[string]*User // id and lower-case upn
	groups []*Group
	seq    uint64
	log    []dirChange
}

type dirChange struct {
	seq    uint64
	group  bool
	id     string
	member string // of a group, that came or went; empty when the group itself changed
}

func newDirectory(s *Sim) *directory {
	d := &directory{s: s, byKey: map[string]*User{}}
	for i := range s.shape.users {
		r := newRand(s.opt.Seed, "user", uint64(i))
		given, sur := givenNames[i%len(givenNames)], surnames[(i/len(givenNames)+i)%len(surnames)]
		alias := strings.ToLower(given + "." + sur)
		if i >= len(givenNames)*len(surnames)/2 {
			alias += strconv.Itoa(i)
		}
		if _, dup := d.byKey[alias+"@"+s.tenant.Domain]; dup {
			alias += strconv.Itoa(i)
		}
		u := &User{Index: i, ID: r.uuid(), UPN: alias + "@" + s.tenant.Domain, DisplayName: given + " " + sur, GivenName: given, Surname: sur,
			Department: pick(r, departments), JobTitle: pick(r, jobTitles), Created: epoch.Add(time.Duration(r.IntN(1000)) * time.Hour)}
		d.add(u)
	}
	for i, name := range departments {
		r := newRand(s.opt.Seed, "group", uint64(i))
		nick := strings.ToLower(strings.ReplaceAll(name, " ", "-"))
		g := &Group{ID: r.uuid(), DisplayName: name, Description: "Everybody in " + name, Mail: nick + "@" + s.tenant.Domain, Nickname: nick, Unified: i%2 == 0, Created: epoch.Add(time.Hour)}
		for _, u := range d.users {
			if u.Department == name {
				g.Members = append(g.Members, u.ID)
			}
		}
		d.groups = append(d.groups, g)
	}
	for i := range s.shape.groups {
		d.groups = append(d.groups, d.projectGroup(i))
	}
	d.seeded = d.users[:len(d.users):len(d.users)]
	return d
}

// projectGroup is the further group of an index: a dozen people, in every second one with a mailbox.
func (d *directory) projectGroup(i int) *Group {
	r := newRand(d.s.opt.Seed, "project group", uint64(i))
	nick := "project-" + strconv.Itoa(i)
	g := &Group{ID: r.uuid(), DisplayName: "Project " + strconv.Itoa(i), Description: "Who works on project " + strconv.Itoa(i), Mail: nick + "@" + d.s.tenant.Domain, Nickname: nick, Unified: i%2 == 0,
		Created: epoch.Add(time.Duration(i) * time.Hour)}
	for n := range min(len(d.users), 12) {
		g.Members = append(g.Members, d.users[(i*7+n)%len(d.users)].ID)
	}
	return g
}

// add makes u one of the users, with a licence. The caller holds d.mu, or nobody else knows d yet.
func (d *directory) add(u *User) {
	u.Mail, u.licensed, u.mailbox, u.enabled = u.UPN, true, true, true
	u.password = base64.RawURLEncoding.EncodeToString(newRand(d.s.opt.Seed, "password", uint64(u.Index)).bytes(9))
	d.users = append(d.users, u)
	d.byKey[u.ID], d.byKey[u.UPN] = u, u
}

// hire adds a user who was not there when the simulator began. Without licence he has neither mailbox nor address.
func (d *directory) hire(alias string, licensed bool) *User {
	d.mu.Lock()
	defer d.mu.Unlock()
	i := len(d.users)
	u := &User{Index: i, ID: newRand(d.s.opt.Seed, "user", uint64(i)).uuid(), UPN: strings.ToLower(alias) + "@" + d.s.tenant.Domain, DisplayName: alias, GivenName: alias,
		Department: "New", JobTitle: "Newcomer", Created: d.s.now()}
	d.add(u)
	if !licensed {
		u.licensed, u.Mail = false, ""
	}
	d.note(dirChange{id: u.ID})
	return u
}

// all returns the users that are not deleted.
func (d *directory) all() []*User {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(d.users), func(u *User) bool {
		u.mu.Lock()
		defer u.mu.Unlock()
		return u.deleted
	})
}

// find returns a user by id or user principal name, or nil.
func (d *directory) find(key string) *User {
	d.mu.Lock()
	defer d.mu.Unlock()
	u := d.byKey[strings.ToLower(key)]
	if u == nil {
		return nil
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.deleted {
		return nil
	}
	return u
}

// change alters a user and logs that for users/delta.
func (d *directory) change(u *User, fn func(u *User)) {
	d.mu.Lock()
	defer d.mu.Unlock()
	u.mu.Lock()
	fn(u)
	u.mu.Unlock()
	d.note(dirChange{id: u.ID})
}

// note logs a change for the deltas. The caller holds d.mu.
func (d *directory) note(c dirChange) {
	d.seq++
	c.seq = d.seq
	d.log = append(d.log, c)
}

// user is the user that a call names, or Microsoft's 404.
func (s *Sim) user(c *Call) (*User, error) {
	key := c.Params["user"]
	if c.User != nil {
		return c.User, nil
	}
	u := s.dir.find(key)
	if u == nil {
		if c.Route.Class == ClassOutlook {
			return nil, Fail(404, "ErrorInvalidUser", "The requested user '%s' is invalid.", key)
		}
		return nil, Fail(404, "Request_ResourceNotFound", "Resource '%s' does not exist or one of its queried reference-property objects are not present.", key)
	}
	c.User = u
	return u, nil
}

func (s *Sim) directoryRoutes() []Route {
	var out []Route
	get := func(pattern string, cost int, h Handler, perms ...string) {
		out = append(out, Route{Host: HostGraph, Method: "GET", Pattern: "/v1.0" + pattern, Class: ClassIdentity, Cost: cost, Permissions: perms, Handle: h})
	}
	users := []string{"User.Read.All", "User.ReadWrite.All", "Directory.Read.All", "Directory.ReadWrite.All"}
	get("/organization", 1, s.organization, "Organization.Read.All", "Organization.ReadWrite.All", "Directory.Read.All", "Directory.ReadWrite.All")
	get("/organization/{organization}", 1, s.organization, "Organization.Read.All", "Organization.ReadWrite.All", "Directory.Read.All", "Directory.ReadWrite.All")
	get("/users", 2, s.usersList, users...)
	get("/users/delta", 2, s.usersDelta, users...)
	get("/users/{user}", 1, s.userGet, users...)
	return out
}

func (s *Sim) organization(c *Call) (*Reply, error) {
	t := s.tenant
	if id := c.Params["organization"]; id != "" && !strings.EqualFold(id, t.TenantID) {
		return nil, Fail(404, "Request_ResourceNotFound", "Resource '%s' does not exist or one of its queried reference-property objects are not present.", id)
	}
	q, err := c.OData("select", "top", "filter", "count")
	if err != nil {
		return nil, err
	}
	full := map[string]any{
		"id": t.TenantID, "displayName": "Simulated organization", "createdDateTime": stamp(t.created), "countryLetterCode": "DE", "preferredLanguage": "en",
		"tenantType": "AAD", "businessPhones": []string{}, "technicalNotificationMails": []string{},
		"verifiedDomains": []map[string]any{{"capabilities": "Email, OfficeCommunicationsOnline", "isDefault": true, "isInitial": true, "name": t.Domain, "type": "Managed"}},
		"assignedPlans":   []map[string]any{{"assignedDateTime": stamp(t.created), "capabilityStatus": "Enabled", "service": "exchange", "servicePlanId": exchangePlan}, {"assignedDateTime": stamp(t.created), "capabilityStatus": "Enabled", "service": "SharePoint", "servicePlanId": sharePointPlan}},
	}
	m, err := project(full, q.Select, "microsoft.graph.organization", func(string) bool { return false })
	if err != nil {
		return nil, err
	}
	if c.Params["organization"] != "" {
		m["@odata.context"] = c.context("organization/$entity")
		return JSON(200, m), nil
	}
	return JSON(200, map[string]any{"@odata.context": c.context("organization"), "value": []any{m}}), nil
}

func (c *Call) context(of string) string { return "https://" + c.Host + "/v1.0/$metadata#" + of }

// stamp is a time as Graph writes it.
func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05Z") }

const (
	skuE3          = "05e9a617-0261-4cee-bb44-138d3ef5d965"
	exchangePlan   = "efb87545-963c-4e0d-99df-69c6916d9eb0"
	sharePointPlan = "5dbe027f-2339-4123-9542-606e4d348a72"
)

var userDefault = []string{"businessPhones", "displayName", "givenName", "jobTitle", "mail", "mobilePhone", "officeLocation", "preferredLanguage", "surname", "userPrincipalName"}

// userKnown are real properties of a user that the simulator has no value for; selecting them is legal and yields null.
var userKnown = []string{"aboutMe", "ageGroup", "birthday", "city", "companyName", "country", "createdDateTime", "creationType", "deletedDateTime", "employeeId", "employeeType", "externalUserState", "faxNumber", "hireDate",
	"imAddresses", "lastPasswordChangeDateTime", "licenseAssignmentStates", "mailboxSettings", "mySite", "onPremisesDistinguishedName", "onPremisesDomainName", "onPremisesImmutableId", "onPremisesLastSyncDateTime",
	"onPremisesSamAccountName", "onPremisesSecurityIdentifier", "onPremisesSyncEnabled", "onPremisesUserPrincipalName", "otherMails", "passwordPolicies", "postalCode", "preferredDataLocation",
	"provisionedPlans", "securityIdentifier", "showInAddressList", "signInSessionsValidFromDateTime", "state", "streetAddress", "identities", "manager", "memberOf"}

func userType(u *User) string {
	if u.guest {
		return "Guest"
	}
	return "Member"
}

func (s *Sim) userMap(u *User) map[string]any {
	u.mu.Lock()
	defer u.mu.Unlock()
	m := map[string]any{
		"id": u.ID, "displayName": u.DisplayName, "givenName": u.GivenName, "surname": u.Surname, "jobTitle": u.JobTitle, "department": u.Department,
		"mail": nullable(u.Mail), "userPrincipalName": u.UPN, "businessPhones": []string{}, "mobilePhone": nil, "officeLocation": nil, "preferredLanguage": "en-US",
		"accountEnabled": u.enabled, "createdDateTime": stamp(u.Created), "mailNickname": strings.Split(u.UPN, "@")[0], "userType": userType(u), "usageLocation": "DE",
		"proxyAddresses": []string{}, "assignedLicenses": []any{}, "assignedPlans": []any{},
	}
	if u.Mail != "" {
		m["proxyAddresses"] = []string{"SMTP:" + u.Mail}
	}
	if u.licensed {
		m["assignedLicenses"] = []any{map[string]any{"disabledPlans": []string{}, "skuId": skuE3}}
		m["assignedPlans"] = []any{
			map[string]any{"assignedDateTime": stamp(u.Created), "capabilityStatus": "Enabled", "service": "exchange", "servicePlanId": exchangePlan},
			map[string]any{"assignedDateTime": stamp(u.Created), "capabilityStatus": "Enabled", "service": "SharePoint", "servicePlanId": sharePointPlan},
		}
	}
	return m
}

// nullable is s, or null when it is empty.
func nullable(s string) any {
	if s == "" {
		return nil
	}
	return s
}

func userProject(full map[string]any, sel []string) (map[string]any, error) {
	if len(sel) == 0 {
		sel = userDefault
	}
	return project(full, sel, "microsoft.graph.user", func(n string) bool { return slices.Contains(userKnown, n) })
}

// lookupIn lets a filter look into an entity's JSON.
func lookupIn(m map[string]any) Lookup {
	return func(path string) (any, bool) {
		var v any = m
		for p := range strings.SplitSeq(path, "/") {
			mm, ok := v.(map[string]any)
			if !ok {
				return nil, false
			}
			if v, ok = mm[p]; !ok {
				return nil, false
			}
		}
		switch x := v.(type) {
		case int:
			return float64(x), true
		case []any:
			var out []Lookup
			for _, e := range x {
				if em, ok := e.(map[string]any); ok {
					out = append(out, lookupIn(em))
				}
			}
			return out, true
		case string:
			if strings.HasSuffix(path, "DateTime") {
				if t, ok := parseTime(x); ok {
					return t, true
				}
			}
		}
		return v, true
	}
}

func (s *Sim) userGet(c *Call) (*Reply, error) {
	q, err := c.OData("select", "expand")
	if err != nil {
		return nil, err
	}
	u, err := s.user(c)
	if err != nil {
		return nil, err
	}
	m, err := userProject(s.userMap(u), q.Select)
	if err != nil {
		return nil, err
	}
	m["@odata.context"] = c.context("users/$entity")
	return JSON(200, m), nil
}

func (s *Sim) usersList(c *Call) (*Reply, error) {
	all := s.dir.all()
	rows := make([]func() map[string]any, len(all))
	for i, u := range all {
		rows[i] = func() map[string]any { return s.userMap(u) }
	}
	return s.directoryPage(c, "users", rows, userProject)
}

// directoryPage answers a list of the directory: filter, select, top (1 to 999), order, skiptoken.
func (s *Sim) directoryPage(c *Call, of string, rows []func() map[string]any, proj func(map[string]any, []string) (map[string]any, error)) (*Reply, error) {
	q, err := c.OData("select", "top", "filter", "orderby", "count", "skiptoken", "expand")
	if err != nil {
		return nil, err
	}
	if q.Top == -1 {
		q.Top = 100
	}
	if q.Top < 1 || q.Top > 999 {
		return nil, Fail(400, "Request_UnsupportedQuery", "Invalid page size specified: '%d'. Must be between 1 and 999 inclusive.", q.Top)
	}
	at := 0
	if q.Token != "" {
		b, err := base64.RawURLEncoding.DecodeString(q.Token)
		if err == nil {
			at, err = strconv.Atoi(strings.TrimPrefix(string(b), "dir:"))
		}
		if err != nil || at < 0 || at > len(rows) {
			return nil, Fail(400, "Directory_ExpiredPageToken", "The specified page token value has expired and can no longer be included in your request.")
		}
	}
	out := []any{}
	var maps []map[string]any
	if len(q.OrderBy) > 0 {
		for _, r := range rows {
			maps = append(maps, r())
		}
		slices.SortStableFunc(maps, func(a, b map[string]any) int {
			for _, o := range q.OrderBy {
				if n := strings.Compare(strings.ToLower(fmt.Sprint(a[o.Path])), strings.ToLower(fmt.Sprint(b[o.Path]))); n != 0 {
					if o.Desc {
						return -n
					}
					return n
				}
			}
			return 0
		})
	}
	i := at
	for ; i < len(rows) && len(out) < q.Top; i++ {
		var full map[string]any
		if maps != nil {
			full = maps[i]
		} else {
			full = rows[i]()
		}
		if q.Filter != nil {
			ok, err := q.Filter.Match(lookupIn(full))
			if err != nil {
				return nil, err
			}
			if !ok {
				continue
			}
		}
		m, err := proj(full, q.Select)
		if err != nil {
			return nil, err
		}
		out = append(out, m)
	}
	body := map[string]any{"@odata.context": c.context(of), "value": out}
	if q.Count {
		n := len(rows)
		if q.Filter != nil {
			n = 0
			for _, r := range rows {
				if ok, err := q.Filter.Match(lookupIn(r())); err != nil {
					return nil, err
				} else if ok {
					n++
				}
			}
		}
		body["@odata.count"] = n
	}
	if i < len(rows) {
		body["@odata.nextLink"] = c.nextURL(map[string]string{"$skiptoken": base64.RawURLEncoding.EncodeToString(fmt.Appendf(nil, "dir:%d", i))}, "skiptoken")
	}
	return JSON(200, body), nil
}

// Names of places and plants, so that no real person is meant.
var (
	givenNames  = []string{"Alder", "Briar", "Cedar", "Dune", "Ember", "Fern", "Gale", "Hazel", "Iris", "Juniper", "Kestrel", "Linden", "Maple", "Nettle", "Olive", "Poppy", "Quill", "Reed", "Sage", "Teal", "Umber", "Vale", "Willow", "Yarrow"}
	surnames    = []string{"Ashgrove", "Blackwater", "Coldstream", "Drumlin", "Eastbrook", "Fallowfield", "Greenhill", "Harbour", "Islet", "Kettlewell", "Longmeadow", "Millpond", "Northmoor", "Orchard", "Pinewood", "Quarry", "Ridgeway", "Saltmarsh", "Thornbury", "Underhill", "Verge", "Westbank", "Yardley"}
	departments = []string{"Finance", "Sales", "Engineering", "Legal", "Support", "Logistics"}
	jobTitles   = []string{"Analyst", "Manager", "Engineer", "Clerk", "Director", "Assistant"}
)
