package sim

import (
	"slices"
	"strconv"
	"time"
)

// grantee is a permission of its own that an item has.
type grantee struct {
	id      string
	people  []string // mail addresses; of a link of scope users, those whom it works for
	role    string   // read or write
	link    string   // view or edit; empty for a direct grant
	scope   string   // of a link: anonymous, organization, users
	expires time.Time
	secret  bool // of a link: has a password
	group   int  // of a library: a group of SharePoint's own, instead of people
	level   int  // of a library: the permission level, if it was given by one
}

// baseGrants is what the seed shares: every fiftieth item, and two at fixed places so that the smallest drive has both.
func (d *drive) baseGrants(i uint64) []grantee {
	h := d.h(i, forSharing)
	direct, link := h%d.sharing == 0, h%d.sharing == 1
	if d.n >= 8 {
		direct, link = direct || i == 4, link || i == 6
	}
	u := d.s.drives.user(person(h >> 8 % uint64(d.s.drives.people())))
	var out []grantee
	if direct && u != d.owner {
		out = append(out, grantee{id: d.grantID(i, 1), people: []string{u.Mail}, role: pickOne(h>>40, "read", "write")})
	}
	if link {
		out = append(out, grantee{id: d.grantID(i, 2), link: pickOne(h>>41, "view", "edit"), role: pickOne(h>>41, "read", "write"), scope: "organization"})
	}
	return out
}

func pickOne(h uint64, a, b string) string {
	if h&1 == 0 {
		return a
	}
	return b
}

func (d *drive) grantID(key, n uint64) string {
	return base64URL([]byte("p:" + strconv.FormatUint(mix(key^d.seed)+n, 36)))
}

// scopeRoots are the items, from n up, that have grants of their own; whole says that they are all that applies, for one of them inherits nothing.
func (d *drive) scopeRoots(n *node) (roots []*node, whole bool) {
	for {
		if len(n.grants) > 0 {
			roots = append(roots, n)
		}
		if n.key == 0 || n.alone {
			return roots, n.alone
		}
		p, ok := d.get(n.parent)
		if !ok {
			return roots, false
		}
		n = p
	}
}

// sharedScope is the shared facet: of the item itself, or also what it inherits.
func (d *drive) sharedScope(n *node, inherited bool) (string, bool) {
	roots := []*node{n}
	if inherited {
		roots, _ = d.scopeRoots(n)
	}
	scope := ""
	for _, r := range roots {
		for _, g := range r.grants {
			switch {
			case g.scope == "anonymous":
				scope = "anonymous"
			case g.scope == "organization" && scope != "anonymous":
				scope = "organization"
			case scope == "":
				scope = "users"
			}
		}
	}
	return scope, scope != ""
}

// permissions lists the owner, what the item inherits and what it has of its own.
func (d *drive) permissions(n *node) []any {
	owner := map[string]any{"id": d.owner.ID, "displayName": d.owner.DisplayName}
	inherited := map[string]any{"driveId": d.id, "driveType": d.kind(), "id": d.itemID(0), "path": "/drives/" + d.id + "/root:"}
	out := []any{map[string]any{
		"id": base64URL([]byte("owner:" + d.owner.ID)), "roles": []string{"owner"}, "shareId": base64URL([]byte("u!" + d.itemID(n.key)[2:12])),
		"grantedTo":   map[string]any{"user": owner},
		"grantedToV2": map[string]any{"user": owner, "siteUser": siteUser("4", d.owner)},
	}}
	roots, whole := d.scopeRoots(n)
	if d.library != nil { // a site's own groups instead of an owner
		out = out[:0]
		x := d.library.site
		for _, g := range x.groups() {
			for _, r := range x.webRoles() {
				if r.principal == g.id && !whole {
					out = append(out, map[string]any{"id": base64URL([]byte("group:" + g.title)), "roles": []string{x.graphRole(r.role)}, "shareId": base64URL([]byte("u!" + d.itemID(n.key)[2:12])),
						"grantedTo":   map[string]any{"user": map[string]any{"displayName": g.title}},
						"grantedToV2": map[string]any{"siteGroup": siteGroupJSON(&g)}})
				}
			}
		}
	}
	if n.key != 0 {
		for _, p := range out {
			p.(map[string]any)["inheritedFrom"] = inherited
		}
	}
	slices.Reverse(roots)
	for _, r := range roots {
		for i := range r.grants {
			out = append(out, d.permission(r, &r.grants[i], n))
		}
	}
	return out
}

func siteGroupJSON(g *siteGroup) map[string]any {
	return map[string]any{"id": strconv.Itoa(g.id), "displayName": g.title, "loginName": g.title}
}

func siteUser(id string, u *User) map[string]any {
	return map[string]any{"id": id, "displayName": u.DisplayName, "loginName": "i:0#.f|membership|" + u.UPN}
}

func (d *drive) permission(of *node, g *grantee, seenFrom *node) map[string]any {
	m := map[string]any{"id": g.id, "roles": []string{g.role}, "shareId": base64URL([]byte("u!" + g.id))}
	var sets, sets2 []any
	for _, mail := range g.people {
		identity := map[string]any{"displayName": mail}
		both := map[string]any{}
		if u := d.s.dir.find(mail); u != nil {
			identity = map[string]any{"id": u.ID, "displayName": u.DisplayName}
			both["siteUser"] = siteUser(strconv.Itoa(10+u.Index), u)
		}
		both["user"] = identity
		sets, sets2 = append(sets, map[string]any{"user": identity}), append(sets2, both)
	}
	if g.group != 0 {
		for _, x := range d.library.site.groups() {
			if x.id == g.group {
				m["grantedTo"], m["grantedToV2"] = map[string]any{"user": map[string]any{"displayName": x.title}}, map[string]any{"siteGroup": siteGroupJSON(&x)}
			}
		}
	} else if g.link == "" {
		if len(sets) > 0 {
			m["grantedTo"], m["grantedToV2"] = sets[0], sets2[0]
		}
	} else {
		m["link"] = map[string]any{"type": g.link, "scope": g.scope, "preventsDownload": false,
			"webUrl": "https://" + d.host() + "/:b:/g/" + d.sitePath() + "/" + g.id}
		m["hasPassword"] = g.secret
		if sets == nil {
			sets, sets2 = []any{}, []any{}
		}
		m["grantedToIdentities"], m["grantedToIdentitiesV2"] = sets, sets2
	}
	if !g.expires.IsZero() {
		m["expirationDateTime"] = stamp(g.expires)
	}
	if of.key != seenFrom.key {
		m["inheritedFrom"] = map[string]any{"driveId": d.id, "driveType": d.kind(), "id": d.itemID(of.key), "path": "/drives/" + d.id + "/root:" + escapedPath(d.path(of))}
	}
	return m
}

func (d *driveService) getPermissions(c *Call, a *address, n *node) (*Reply, error) {
	if _, err := c.OData("select", "top"); err != nil {
		return nil, err
	}
	return JSON(200, map[string]any{"@odata.context": c.URL(prefix(c) + "/$metadata#drives('" + a.drive.id + "')/items/permissions"), "value": a.drive.permissions(n)}), nil
}

func (d *driveService) getPermission(c *Call, a *address, n *node) (*Reply, error) {
	for _, p := range a.drive.permissions(n) {
		if m := p.(map[string]any); m["id"] == a.raw[1] {
			m["@odata.context"] = c.URL(prefix(c) + "/$metadata#permission")
			return JSON(200, m), nil
		}
	}
	return nil, notFound()
}

// grantAt finds a permission that the item has of its own; inherited ones cannot be changed here.
func (a *address) grantAt(n *node) (int, error) {
	for i, g := range n.grants {
		if g.id == a.raw[1] {
			return i, nil
		}
	}
	for _, p := range a.drive.permissions(n) {
		if p.(map[string]any)["id"] == a.raw[1] {
			return 0, Fail(403, "accessDenied", "Inherited permissions are changed where they come from.")
		}
	}
	return 0, notFound()
}

func (d *drive) sharingChanged(n *node) {
	n.etag++
	d.note(n, true)
}

func (d *driveService) deletePermission(_ *Call, a *address, n *node) (*Reply, error) {
	i, err := a.grantAt(n)
	if err != nil {
		return nil, err
	}
	n, _ = a.drive.own(n.key)
	n.grants = slices.Delete(slices.Clone(n.grants), i, i+1)
	a.drive.sharingChanged(n)
	return &Reply{Status: 204}, nil
}

func (d *driveService) patchPermission(c *Call, a *address, n *node) (*Reply, error) {
	var in struct {
		Roles   []string   `json:"roles"`
		Expires *time.Time `json:"expirationDateTime"`
	}
	if err := c.Decode(&in); err != nil {
		return nil, err
	}
	i, err := a.grantAt(n)
	if err != nil {
		return nil, err
	}
	role := n.grants[i].role
	if len(in.Roles) > 0 {
		if role, err = oneRole(in.Roles); err != nil {
			return nil, err
		}
	}
	n, _ = a.drive.own(n.key)
	n.grants = slices.Clone(n.grants)
	n.grants[i].role = role
	if in.Expires != nil {
		n.grants[i].expires = *in.Expires
	}
	a.drive.sharingChanged(n)
	m := a.drive.permission(n, &n.grants[i], n)
	m["@odata.context"] = c.URL(prefix(c) + "/$metadata#permission")
	return JSON(200, m), nil
}

func oneRole(roles []string) (string, error) {
	if len(roles) == 1 && (roles[0] == "read" || roles[0] == "write") {
		return roles[0], nil
	}
	return "", Fail(400, "invalidRequest", "One role, read or write, is required.")
}

// invite grants people access. With sendInvitation a mail goes out: it is recorded.
func (d *driveService) invite(c *Call, a *address, n *node) (*Reply, error) {
	var in struct {
		Recipients []struct {
			Email    string `json:"email"`
			Alias    string `json:"alias"`
			ObjectID string `json:"objectId"`
		} `json:"recipients"`
		Message        string     `json:"message"`
		RequireSignIn  bool       `json:"requireSignIn"`
		SendInvitation bool       `json:"sendInvitation"`
		Roles          []string   `json:"roles"`
		Expires        *time.Time `json:"expirationDateTime"`
		Password       string     `json:"password"`
		Retain         bool       `json:"retainInheritedPermissions"`
	}
	if err := c.Decode(&in); err != nil {
		return nil, err
	}
	role, err := oneRole(in.Roles)
	if err != nil {
		return nil, err
	}
	if len(in.Recipients) == 0 {
		return nil, Fail(400, "invalidRequest", "No recipients are given.")
	}
	if !in.SendInvitation && !in.RequireSignIn {
		return nil, Fail(400, "invalidRequest", "One of requireSignIn and sendInvitation is required.")
	}
	var people []*User
	for _, r := range in.Recipients {
		key := r.ObjectID
		if key == "" {
			key = r.Email
		}
		if key == "" {
			key = r.Alias
		}
		u := d.s.dir.find(key)
		if u == nil {
			return nil, Fail(400, "invalidRequest", "The recipient '%s' cannot be resolved.", key)
		}
		people = append(people, u)
	}
	x := a.drive
	n, _ = x.own(n.key)
	n.grants = slices.Clone(n.grants)
	out := []any{}
	var mails []string
	for _, u := range people {
		mails = append(mails, u.Mail)
		at := slices.IndexFunc(n.grants, func(g grantee) bool { return g.link == "" && slices.Contains(g.people, u.Mail) })
		if at < 0 {
			n.grants = append(n.grants, grantee{id: x.grantID(n.key, 100+hash64(u.ID)%1000000), people: []string{u.Mail}})
			at = len(n.grants) - 1
		}
		n.grants[at].role = role
		if in.Expires != nil {
			n.grants[at].expires = *in.Expires
		}
		out = append(out, x.permission(n, &n.grants[at], n))
	}
	x.sharingChanged(n)
	if in.SendInvitation {
		d.s.stats.mail(SentMail{Time: c.Now, User: x.owner.UPN, How: "POST invite", Subject: x.owner.DisplayName + " shared \"" + n.name + "\" with you", Recipients: mails})
	}
	return JSON(200, map[string]any{"@odata.context": c.URL(prefix(c) + "/$metadata#Collection(permission)"), "value": out}), nil
}

// createLink makes a sharing link or returns the one of the same kind. v1.0 notifies nobody unless scope users names
// recipients, which v1.0 cannot.
func (d *driveService) createLink(c *Call, a *address, n *node) (*Reply, error) {
	var in struct {
		Type     string     `json:"type"`
		Scope    string     `json:"scope"`
		Password string     `json:"password"`
		Message  string     `json:"message"`
		Expires  *time.Time `json:"expirationDateTime"`
		Retain   *bool      `json:"retainInheritedPermissions"`
	}
	if err := c.Decode(&in); err != nil {
		return nil, err
	}
	role := map[string]string{"view": "read", "edit": "write"}[in.Type]
	if role == "" {
		return nil, Fail(400, "invalidRequest", "The link type '%s' is not supported in OneDrive for Business.", in.Type)
	}
	if in.Scope == "" {
		in.Scope = "organization"
	}
	if !slices.Contains([]string{"anonymous", "organization", "users"}, in.Scope) {
		return nil, Fail(400, "invalidRequest", "The link scope '%s' is not known.", in.Scope)
	}
	x := a.drive
	status := 200
	at := slices.IndexFunc(n.grants, func(g grantee) bool { return g.link == in.Type && g.scope == in.Scope })
	if at < 0 {
		status = 201
		n, _ = x.own(n.key)
		g := grantee{id: x.grantID(n.key, 50+uint64(len(n.grants))+uint64(len(x.log))*100), link: in.Type, scope: in.Scope, role: role, secret: in.Password != ""}
		if in.Expires != nil {
			g.expires = *in.Expires
		}
		n.grants = append(slices.Clone(n.grants), g)
		at = len(n.grants) - 1
		x.sharingChanged(n)
	}
	m := x.permission(n, &n.grants[at], n)
	m["@odata.context"] = c.URL(prefix(c) + "/$metadata#permission")
	return JSON(status, m), nil
}

// needs checks a permission that depends on more than the route, and puts it in the route's place.
func (s *Sim) needs(c *Call, permissions []string) error {
	r := *c.Route
	r.Permissions = permissions
	c.Route = &r
	return s.entra.authorize(c)
}
