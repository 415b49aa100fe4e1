package sim

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

var (
	sitesRead   = []string{"Sites.Read.All", "Sites.ReadWrite.All"}
	sitesWrite  = []string{"Sites.ReadWrite.All"}
	sitesManage = []string{"Sites.FullControl.All", "Sites.Manage.All"}
	// sitesLists makes lists: Microsoft's table has ReadWrite for lists and Manage for columns.
	sitesLists = []string{"Sites.Manage.All", "Sites.ReadWrite.All"}
	sitesDelta = []string{"Sites.FullControl.All", "Sites.Manage.All", "Sites.Read.All", "Sites.ReadWrite.All"}
)

func (s *Sim) siteRoutes() []Route {
	var out []Route
	add := func(method, pattern string, cost int, permissions []string, h func(sv *siteService, c *Call) (*Reply, error)) {
		out = append(out, Route{Host: HostGraph, Method: method, Pattern: "/v1.0/sites" + pattern, Class: ClassSharePoint, Cost: cost, Permissions: permissions,
			Handle: s.drives.faulty(func(c *Call) (*Reply, error) {
				s.sites.mu.Lock()
				defer s.sites.mu.Unlock()
				return h(s.sites, c)
			})})
	}
	add("GET", "/getAllSites", 2, sitesRead, (*siteService).allSites)
	add("GET", "/delta", 2, sitesDelta, (*siteService).sitesDelta)
	add("GET", "/{site}", 1, sitesRead, (*siteService).getSite)
	add("GET", "/{site}:/{path...}", 1, sitesRead, (*siteService).getSiteByPath)
	add("GET", "/{site}/sites", 2, sitesRead, (*siteService).subsites)
	add("GET", "/{site}/drive", 1, driveRead, (*siteService).siteDrive)
	add("GET", "/{site}/drives", 2, driveRead, (*siteService).siteDrives)
	add("GET", "/{site}/lists", 2, sitesRead, (*siteService).getLists)
	add("POST", "/{site}/lists", 2, sitesLists, (*siteService).postList)
	add("GET", "/{site}/lists/{list}", 1, sitesRead, (*siteService).getList)
	add("GET", "/{site}/lists/{list}/drive", 1, driveRead, (*siteService).listDrive)
	add("GET", "/{site}/lists/{list}/columns", 2, sitesDelta, (*siteService).getColumns)
	add("POST", "/{site}/lists/{list}/columns", 2, sitesManage, (*siteService).postColumn)
	add("GET", "/{site}/lists/{list}/contentTypes", 2, sitesDelta, (*siteService).getTypes)
	add("GET", "/{site}/lists/{list}/items", 2, sitesRead, (*siteService).getItems)
	add("POST", "/{site}/lists/{list}/items", 2, sitesWrite, (*siteService).postItem)
	add("GET", "/{site}/lists/{list}/items/delta", 2, sitesRead, (*siteService).itemsDelta)
	add("GET", "/{site}/lists/{list}/items/{item}", 1, sitesRead, (*siteService).getListItem)
	add("DELETE", "/{site}/lists/{list}/items/{item}", 2, sitesWrite, (*siteService).deleteListItem)
	add("PATCH", "/{site}/lists/{list}/items/{item}/fields", 2, sitesWrite, (*siteService).patchFields)
	add("GET", "/{site}/lists/{list}/items/{item}/versions", 2, sitesRead, (*siteService).getItemVersions)
	out = append(out, s.pageRoutes(add)...)
	out = append(out, s.groupSiteRoute())
	return out
}

// siteOf finds the site that a call names. A site that is gone is not found, one that is locked refuses everything.
func (sv *siteService) siteOf(c *Call) (*site, error) {
	key := c.Params["site"]
	x := sv.find(key)
	if x == nil {
		if strings.Count(key, ",") != 2 && !strings.EqualFold(key, "root") {
			return nil, Fail(400, "invalidRequest", "Invalid hostname for this tenancy")
		}
		return nil, Fail(404, "itemNotFound", "Requested site could not be found")
	}
	return x, x.reachable()
}

func (x *site) reachable() error {
	switch x.state {
	case DriveGone:
		return Fail(404, "itemNotFound", "Requested site could not be found")
	case DriveLocked:
		return Fail(423, "resourceLocked", "Access to this site has been blocked.")
	}
	return nil
}

func (sv *siteService) listOf(c *Call) (*list, error) {
	x, err := sv.siteOf(c)
	if err != nil {
		return nil, err
	}
	l := x.list(c.Params["list"])
	if l == nil {
		return nil, Fail(404, "itemNotFound", "List not found")
	}
	return l, nil
}

func (sv *siteService) itemOf(c *Call) (*list, *listItem, error) {
	l, err := sv.listOf(c)
	if err != nil {
		return nil, nil, err
	}
	n, err := strconv.Atoi(c.Params["item"])
	if err != nil {
		return nil, nil, Fail(400, "invalidRequest", "Invalid item id")
	}
	it := l.find(n)
	if it == nil {
		return nil, nil, Fail(404, "itemNotFound", "The specified list item was not found.")
	}
	return l, it, nil
}

func (x *site) json() map[string]any {
	m := map[string]any{"id": x.id(), "name": x.path[strings.LastIndexByte(x.path, '/')+1:], "displayName": x.title, "description": x.about, "webUrl": x.url(),
		"createdDateTime": stamp(x.created), "lastModifiedDateTime": stamp(x.changed), "siteCollection": map[string]any{"hostname": x.host()}, "isPersonalSite": x.personal != nil}
	if x.parent == nil {
		m["root"] = map[string]any{}
	} else {
		m["parentReference"] = map[string]any{"siteId": x.collection}
	}
	return m
}

// sharePointIDs is the facet that must be selected.
func (x *site) sharePointIDs() map[string]any {
	return map[string]any{"siteId": x.collection, "webId": x.web, "siteUrl": x.url(), "tenantId": x.of.s.tenant.TenantID}
}

var siteKnown = []string{"sharepointIds", "parentReference", "root", "description", "eTag", "createdBy", "lastModifiedBy", "error"}

func siteSelect(m map[string]any, sel []string) (map[string]any, error) {
	return project(m, sel, "microsoft.graph.site", func(n string) bool { return slices.Contains(siteKnown, n) })
}

// rows answers a list of the sites' part: pages of up to 200, by $top and $skiptoken.
func (sv *siteService) rows(c *Call, q *Query, of string, all []map[string]any, proj func(map[string]any, []string) (map[string]any, error)) (*Reply, error) {
	at, top := 0, 200
	if q.Top > 0 {
		top = min(q.Top, 5000)
	}
	if q.Token != "" {
		b, err := base64.RawURLEncoding.DecodeString(q.Token)
		if at, err = strconv.Atoi(string(b)); err != nil || at < 0 || at > len(all) {
			return nil, Fail(400, "invalidRequest", "The skip token is not valid.")
		}
	}
	to := min(at+top, len(all))
	rows := []any{}
	for _, m := range all[at:to] {
		row, err := proj(m, q.Select)
		if err != nil {
			return nil, err
		}
		rows = append(rows, row)
	}
	page := map[string]any{"@odata.context": c.context(of), "value": rows}
	if to < len(all) {
		page["@odata.nextLink"] = c.nextURL(map[string]string{"$skiptoken": base64.RawURLEncoding.EncodeToString([]byte(strconv.Itoa(to)))}, "skiptoken")
	}
	sv.s.faults.page(c, page, c.again(), false)
	return JSON(200, page), nil
}

func (sv *siteService) allSites(c *Call) (*Reply, error) {
	q, err := c.OData("select", "top", "skiptoken", "filter")
	if err != nil {
		return nil, err
	}
	var all []map[string]any
	for _, x := range sv.sites {
		if x.state != DriveGone {
			all = append(all, x.json())
		}
	}
	all = append(all, sv.personalRows()...)
	if q.Filter != nil {
		var kept []map[string]any
		for _, m := range all {
			ok, err := q.Filter.Match(lookupIn(m))
			if err != nil {
				return nil, err
			}
			if ok {
				kept = append(kept, m)
			}
		}
		all = kept
	}
	return sv.rows(c, q, "sites", all, siteSelect)
}

// siteToken is where a reader of changes stands.
type siteToken struct {
	Of     string `json:"o"` // list id, or "sites"
	Full   bool   `json:"f,omitempty"`
	At     int    `json:"a"`           // of a walk: last id told; else position in the log
	Seq    int    `json:"s,omitempty"` // of a walk: position in the log at its beginning
	Issued int64  `json:"i"`
}

func (sv *siteService) seal(t siteToken) string {
	b, err := json.Marshal(t)
	if err != nil {
		panic(err) // plain values
	}
	text := base64URL(b)
	return text + "." + sv.s.drives.sign(text)
}

// open reads a token of a call: absent begins a walk, latest stands at the end.
func (sv *siteService) open(c *Call, of string, end int) (t siteToken, latest bool, err error) {
	raw := c.Query.Get("token")
	t = siteToken{Of: of, Full: true, Seq: end, Issued: c.Now.Unix()}
	switch raw {
	case "":
		return t, false, nil
	case "latest":
		return siteToken{Of: of, At: end, Issued: c.Now.Unix()}, true, nil
	}
	t = siteToken{}
	body, proof, ok := strings.Cut(raw, ".")
	b, derr := base64.RawURLEncoding.DecodeString(body)
	if !ok || derr != nil || proof != sv.s.drives.sign(body) || json.Unmarshal(b, &t) != nil || t.Of != of {
		return t, false, Fail(400, "invalidRequest", "The provided delta token is not valid.")
	}
	code := ""
	switch {
	case c.Now.Sub(time.Unix(t.Issued, 0)) > time.Duration(sv.settings.DeltaLife), sv.s.drives.strikes(FaultDeltaExpired, nil):
		code = "resyncChangesApplyDifferences"
	case sv.s.drives.strikes(FaultDeltaUpload, nil):
		code = "resyncChangesUploadDifferences"
	default:
		return t, false, nil
	}
	again := sv.deltaURL(c, siteToken{Of: of, Full: true, Seq: end, Issued: c.Now.Unix()})
	return t, false, Fail(410, code, "Resync required. Replace any local items with the server's version (including deletes).").With("Location", again)
}

// deltaURL is the called address with another token.
func (sv *siteService) deltaURL(c *Call, t siteToken) string {
	u := c.URL(c.Path) + "?"
	for p := range strings.SplitSeq(c.RawQuery, "&") {
		name, _, _ := strings.Cut(p, "=")
		if n, err := url.QueryUnescape(name); err == nil && p != "" && n != "token" {
			u += p + "&"
		}
	}
	return u + "token=" + sv.seal(t)
}

func (sv *siteService) sitesDelta(c *Call) (*Reply, error) {
	q, err := c.OData("select", "top")
	if err != nil {
		return nil, err
	}
	t, _, err := sv.open(c, "sites", len(sv.changes))
	if err != nil {
		return nil, err
	}
	rows := []any{}
	seen := map[*site]bool{}
	from := t.At
	if t.Full {
		from = 0
	}
	for _, ch := range sv.changes[min(from, len(sv.changes)):] {
		if seen[ch.site] {
			continue
		}
		seen[ch.site] = true
		m := ch.site.json()
		if ch.site.state == DriveGone {
			m = map[string]any{"id": ch.site.id(), "@removed": map[string]any{"reason": "deleted"}}
		}
		m, err := siteSelect(m, q.Select)
		if err != nil {
			return nil, err
		}
		rows = append(rows, m)
	}
	return JSON(200, map[string]any{"@odata.context": c.context("sites"), "value": rows, "@odata.deltaLink": sv.deltaURL(c, siteToken{Of: "sites", At: len(sv.changes), Issued: c.Now.Unix()})}), nil
}

func (sv *siteService) getSite(c *Call) (*Reply, error) {
	q, err := c.OData("select", "expand")
	if err != nil {
		return nil, err
	}
	x, err := sv.siteOf(c)
	if err != nil {
		return nil, err
	}
	return sv.siteReply(c, x, q)
}

func (sv *siteService) getSiteByPath(c *Call) (*Reply, error) {
	q, err := c.OData("select", "expand")
	if err != nil {
		return nil, err
	}
	path, err := url.PathUnescape(c.Params["path"])
	host := strings.ToLower(c.Params["site"])
	if err != nil || host != sv.s.siteHost() && host != sv.s.driveHost() {
		return nil, Fail(400, "invalidRequest", "Invalid hostname for this tenancy")
	}
	x := sv.find("/" + strings.Trim(path, "/:"))
	if x == nil || x.host() != host {
		return nil, Fail(404, "itemNotFound", "Requested site could not be found")
	}
	if err := x.reachable(); err != nil {
		return nil, err
	}
	return sv.siteReply(c, x, q)
}

func (sv *siteService) siteReply(c *Call, x *site, q *Query) (*Reply, error) {
	m := x.json()
	if slices.Contains(q.Select, "sharepointIds") {
		m["sharepointIds"] = x.sharePointIDs()
	}
	m, err := siteSelect(m, q.Select)
	if err != nil {
		return nil, err
	}
	m["@odata.context"] = c.context("sites/$entity")
	return JSON(200, m), nil
}

func (sv *siteService) subsites(c *Call) (*Reply, error) {
	q, err := c.OData("select", "top", "skiptoken")
	if err != nil {
		return nil, err
	}
	x, err := sv.siteOf(c)
	if err != nil {
		return nil, err
	}
	var all []map[string]any
	for _, y := range sv.sites {
		if y.parent == x && y.state != DriveGone {
			all = append(all, y.json())
		}
	}
	return sv.rows(c, q, "sites", all, siteSelect)
}

func (l *list) driveJSON(c *Call) map[string]any {
	l.drive.mu.Lock()
	defer l.drive.mu.Unlock()
	return l.drive.json(c)
}

func (sv *siteService) siteDrive(c *Call) (*Reply, error) {
	q, err := c.OData("select")
	if err != nil {
		return nil, err
	}
	x, err := sv.siteOf(c)
	if err != nil {
		return nil, err
	}
	for _, l := range x.lists {
		if l.isLibrary() {
			m, err := selected(l.driveJSON(c), q.Select)
			return JSON(200, m), err
		}
	}
	return nil, Fail(404, "itemNotFound", "The site has no document library.")
}

func (sv *siteService) siteDrives(c *Call) (*Reply, error) {
	q, err := c.OData("select", "top")
	if err != nil {
		return nil, err
	}
	x, err := sv.siteOf(c)
	if err != nil {
		return nil, err
	}
	var all []map[string]any
	for _, l := range x.lists {
		if l.isLibrary() && !l.hidden {
			m := l.driveJSON(c)
			delete(m, "@odata.context")
			all = append(all, m)
		}
	}
	return sv.rows(c, q, "drives", all, selected)
}

func (sv *siteService) listDrive(c *Call) (*Reply, error) {
	q, err := c.OData("select")
	if err != nil {
		return nil, err
	}
	l, err := sv.listOf(c)
	if err != nil {
		return nil, err
	}
	if !l.isLibrary() {
		return nil, Fail(404, "itemNotFound", "The list is not a document library.")
	}
	m, err := selected(l.driveJSON(c), q.Select)
	if err != nil {
		return nil, err
	}
	return JSON(200, m), nil
}

// lastChange is when something in the list changed last.
func (l *list) lastChange() time.Time {
	if !l.isLibrary() {
		return l.changed
	}
	l.drive.mu.Lock()
	defer l.drive.mu.Unlock()
	if n := len(l.drive.log); n > 0 {
		return time.Unix(l.drive.log[n-1].at, 0).UTC()
	}
	return l.changed
}

func (l *list) json() map[string]any {
	by := map[string]any{"user": map[string]any{"id": l.site.owner.ID, "displayName": l.site.owner.DisplayName}}
	m := map[string]any{"id": l.id, "name": l.name, "displayName": l.title, "description": l.description, "webUrl": l.webURL(), "eTag": fmt.Sprintf(`"%s,%d"`, l.id, l.etag),
		"createdDateTime": stamp(l.created), "lastModifiedDateTime": stamp(l.lastChange()), "createdBy": by, "lastModifiedBy": by,
		"parentReference": map[string]any{"siteId": l.site.id()},
		"list":            map[string]any{"contentTypesEnabled": l.manyTypes, "hidden": l.hidden, "template": l.template}}
	if l.hidden {
		m["system"] = map[string]any{}
	}
	return m
}

var listKnown = []string{"system", "sharepointIds", "columns", "contentTypes", "drive", "items"}

func (l *list) expanded(c *Call, q *Query) (map[string]any, error) {
	m, err := project(l.json(), q.Select, "microsoft.graph.list", func(n string) bool { return slices.Contains(listKnown, n) })
	if err != nil {
		return nil, err
	}
	if !slices.Contains(q.Select, "system") {
		delete(m, "system")
	}
	for _, e := range q.Expand {
		switch e.Name {
		case "columns":
			m["columns"] = l.columnRows()
		case "contentTypes":
			m["contentTypes"] = l.typeRows()
		case "drive":
			if l.isLibrary() {
				d, err := selected(l.driveJSON(c), e.Select)
				if err != nil {
					return nil, err
				}
				delete(d, "@odata.context")
				m["drive"] = d
			}
		default:
			return nil, Fail(400, "invalidRequest", "The property '%s' cannot be expanded.", e.Name)
		}
	}
	return m, nil
}

func (l *list) columnRows() []any {
	rows := []any{}
	for _, c := range l.columns {
		rows = append(rows, c.json())
	}
	return rows
}

func (l *list) typeRows() []any {
	rows := []any{}
	for i, t := range l.types {
		rows = append(rows, map[string]any{"id": t.id, "name": t.name, "description": t.about, "group": t.group, "hidden": false, "readOnly": false, "sealed": false,
			"order": map[string]any{"default": i == 0, "position": i}})
	}
	return rows
}

func (sv *siteService) getLists(c *Call) (*Reply, error) {
	q, err := c.OData("select", "expand", "top", "skiptoken")
	if err != nil {
		return nil, err
	}
	x, err := sv.siteOf(c)
	if err != nil {
		return nil, err
	}
	var all []map[string]any
	for _, l := range x.lists {
		if l.hidden && !slices.Contains(q.Select, "system") {
			continue
		}
		m, err := l.expanded(c, q)
		if err != nil {
			return nil, err
		}
		all = append(all, m)
	}
	keep := func(m map[string]any, _ []string) (map[string]any, error) { return m, nil }
	return sv.rows(c, q, "lists", all, keep)
}

func (sv *siteService) getList(c *Call) (*Reply, error) {
	q, err := c.OData("select", "expand")
	if err != nil {
		return nil, err
	}
	l, err := sv.listOf(c)
	if err != nil {
		return nil, err
	}
	m, err := l.expanded(c, q)
	if err != nil {
		return nil, err
	}
	m["@odata.context"] = c.context("lists/$entity")
	return JSON(200, m), nil
}

func (sv *siteService) getColumns(c *Call) (*Reply, error) {
	l, err := sv.listOf(c)
	if err != nil {
		return nil, err
	}
	return JSON(200, map[string]any{"@odata.context": c.context("columns"), "value": l.columnRows()}), nil
}

func (sv *siteService) getTypes(c *Call) (*Reply, error) {
	l, err := sv.listOf(c)
	if err != nil {
		return nil, err
	}
	return JSON(200, map[string]any{"@odata.context": c.context("contentTypes"), "value": l.typeRows()}), nil
}

func (sv *siteService) postColumn(c *Call) (*Reply, error) {
	l, err := sv.listOf(c)
	if err != nil {
		return nil, err
	}
	var in map[string]any
	if err := c.Decode(&in); err != nil {
		return nil, err
	}
	col, err := l.addColumn(in)
	if err != nil {
		return nil, err
	}
	l.note(0, changeUpdate)
	m := col.json()
	m["@odata.context"] = c.context("columns/$entity")
	return JSON(201, m), nil
}

func (l *list) addColumn(in map[string]any) (*column, error) {
	col, err := l.site.columnFrom(in, newRand(l.site.of.s.opt.Seed, "column", hash64(l.id), uint64(len(l.columns))))
	if err != nil {
		return nil, err
	}
	if l.column(col.name) != nil {
		return nil, Fail(409, "nameAlreadyExists", "A column with the name %q is in the list already.", col.name)
	}
	l.columns = append(l.columns, col)
	return col, nil
}

func (sv *siteService) postList(c *Call) (*Reply, error) {
	x, err := sv.siteOf(c)
	if err != nil {
		return nil, err
	}
	var in struct {
		DisplayName string           `json:"displayName"`
		Description string           `json:"description"`
		Columns     []map[string]any `json:"columns"`
		List        struct {
			Template string `json:"template"`
		} `json:"list"`
	}
	if err := c.Decode(&in); err != nil {
		return nil, err
	}
	if in.DisplayName == "" {
		return nil, Fail(400, "invalidRequest", "A list needs a displayName.")
	}
	if x.list(in.DisplayName) != nil {
		return nil, Fail(409, "nameAlreadyExists", "Name already exists: %s", in.DisplayName)
	}
	r := newRand(sv.s.opt.Seed, "made list", hash64(x.web), uint64(len(x.log)), uint64(len(x.lists)))
	var l *list
	switch in.List.Template {
	case "", "genericList":
		l = x.newList(r, in.DisplayName, "genericList")
	case "documentLibrary":
		l = x.newLibrary(r, in.DisplayName, in.DisplayName, 0)
	case "events", "tasks", "contacts", "links", "announcements", "survey":
		l = x.newList(r, in.DisplayName, in.List.Template)
	default:
		return nil, Fail(400, "invalidRequest", "The list template %q is not supported.", in.List.Template)
	}
	l.description, l.created = in.Description, sv.s.now().UTC().Truncate(time.Second)
	l.versioning = true
	for _, col := range in.Columns {
		if _, err := l.addColumn(col); err != nil {
			x.lists = x.lists[:len(x.lists)-1]
			return nil, err
		}
	}
	l.note(0, changeAdd)
	m := l.json()
	m["@odata.context"] = c.context("lists/$entity")
	return JSON(201, m), nil
}

func (x *site) identity(p person) map[string]any {
	if p == theApp {
		return map[string]any{"application": map[string]any{"id": x.of.s.tenant.ApplicationID, "displayName": "Simulated application"}}
	}
	u := x.of.s.drives.user(p)
	return map[string]any{"user": map[string]any{"id": u.ID, "displayName": u.DisplayName}}
}

func (l *list) itemJSON(it *listItem, fields bool) map[string]any {
	tag := fmt.Sprintf(`"%s,%d"`, it.guid, it.etag)
	m := map[string]any{"@odata.etag": tag, "id": strconv.Itoa(it.id), "eTag": tag, "createdDateTime": stamp(it.created), "lastModifiedDateTime": stamp(it.changed),
		"createdBy": l.site.identity(it.author), "lastModifiedBy": l.site.identity(it.editor), "webUrl": "https://" + l.site.host() + (&url.URL{Path: l.ref(it)}).EscapedPath(),
		"parentReference": map[string]any{"id": l.id, "siteId": l.site.id()}, "contentType": map[string]any{"id": it.contentType, "name": l.contentTypeName(it.contentType)}}
	if fields {
		m["fields"] = l.graphFields(it, it.fields, it.uiVersion(), it.changed, it.editor)
	}
	return m
}

var itemKnown = []string{"sharepointIds", "fields", "deleted", "versions", "driveItem", "name", "description"}

// itemRow is an item as a list or delta shows it.
func (l *list) itemRow(it *listItem, q *Query) (map[string]any, error) {
	m, err := project(l.itemJSON(it, false), q.Select, "microsoft.graph.listItem", func(n string) bool { return slices.Contains(itemKnown, n) })
	if err != nil {
		return nil, err
	}
	for _, e := range q.Expand {
		switch e.Name {
		case "fields":
			m["fields"] = l.graphFields(it, it.fields, it.uiVersion(), it.changed, it.editor)
		default:
			return nil, Fail(400, "invalidRequest", "The property '%s' cannot be expanded.", e.Name)
		}
	}
	return m, nil
}

func (sv *siteService) getItems(c *Call) (*Reply, error) {
	q, err := c.OData("select", "expand", "top", "skiptoken")
	if err != nil {
		return nil, err
	}
	l, err := sv.listOf(c)
	if err != nil {
		return nil, err
	}
	if l.isLibrary() {
		return sv.fileItems(c, q, l)
	}
	var all []map[string]any
	for _, it := range l.sorted() {
		m, err := l.itemRow(it, q)
		if err != nil {
			return nil, err
		}
		all = append(all, m)
	}
	keep := func(m map[string]any, _ []string) (map[string]any, error) { return m, nil }
	return sv.rows(c, q, "items", all, keep)
}

func (sv *siteService) getListItem(c *Call) (*Reply, error) {
	q, err := c.OData("select", "expand")
	if err != nil {
		return nil, err
	}
	l, it, err := sv.itemOf(c)
	if err != nil {
		return nil, err
	}
	if len(q.Expand) == 0 && len(q.Select) == 0 {
		q.Expand = []Expand{{Name: "fields"}}
	}
	m, err := l.itemRow(it, q)
	if err != nil {
		return nil, err
	}
	m["@odata.context"] = c.context("items/$entity")
	return JSON(200, m), nil
}

// itemsDelta tells the items of a list, then what changed. Files of a library are told by its drive.
func (sv *siteService) itemsDelta(c *Call) (*Reply, error) {
	q, err := c.OData("select", "expand", "top")
	if err != nil {
		return nil, err
	}
	l, err := sv.listOf(c)
	if err != nil {
		return nil, err
	}
	t, latest, err := sv.open(c, l.id, len(l.log))
	if err != nil {
		return nil, err
	}
	top := 200
	if q.Top > 0 {
		top = min(q.Top, 1000)
	}
	rows := []any{}
	again := false
	if !latest && c.Query.Get("token") != "" && sv.s.drives.strikes(FaultEmptyPages, nil) {
		return JSON(200, map[string]any{"@odata.context": c.context("items"), "value": rows, "@odata.nextLink": sv.deltaURL(c, t)}), nil
	}
	next := siteToken{Of: l.id, At: t.Seq, Issued: c.Now.Unix()}
	more := false
	if t.Full {
		for _, it := range l.sorted() {
			if it.id <= t.At {
				continue
			}
			if len(rows) == top {
				more = true
				break
			}
			m, err := l.itemRow(it, q)
			if err != nil {
				return nil, err
			}
			rows = append(rows, m)
			next = siteToken{Of: l.id, Full: true, At: it.id, Seq: t.Seq, Issued: c.Now.Unix()}
		}
		if !more {
			next = siteToken{Of: l.id, At: t.Seq, Issued: c.Now.Unix()}
		}
	} else {
		at := t.At
		duplicates := sv.s.drives.strikes(FaultDuplicateRows, nil)
		for ; at < len(l.log) && len(rows) < top; at++ {
			ch := l.log[at]
			if last := slices.IndexFunc(l.log[at+1:], func(o listChange) bool { return o.item == ch.item }); last >= 0 && !duplicates {
				continue // told by its last change
			}
			it := l.items[ch.item]
			if it == nil {
				rows = append(rows, map[string]any{"id": strconv.Itoa(ch.item), "deleted": map[string]any{"state": "deleted"},
					"parentReference": map[string]any{"id": l.id, "siteId": l.site.id()}})
				continue
			}
			m, err := l.itemRow(it, q)
			if err != nil {
				return nil, err
			}
			rows = append(rows, m)
		}
		more = at < len(l.log)
		again = duplicates
		next = siteToken{Of: l.id, At: at, Issued: c.Now.Unix()}
	}
	page := map[string]any{"@odata.context": c.context("items"), "value": rows}
	if more {
		page["@odata.nextLink"] = sv.deltaURL(c, next)
	} else {
		page["@odata.deltaLink"] = sv.deltaURL(c, next)
	}
	if !again {
		sv.s.faults.page(c, page, c.again(), true)
	}
	return JSON(200, page), nil
}

func (sv *siteService) getItemVersions(c *Call) (*Reply, error) {
	q, err := c.OData("select", "expand", "top", "skiptoken")
	if err != nil {
		return nil, err
	}
	l, it, err := sv.itemOf(c)
	if err != nil {
		return nil, err
	}
	withFields := slices.ContainsFunc(q.Expand, func(e Expand) bool { return e.Name == "fields" }) || len(q.Expand) == 0
	row := func(number int, values map[string]any, at time.Time, by person) map[string]any {
		m := map[string]any{"id": strconv.Itoa(number) + ".0", "lastModifiedDateTime": stamp(at), "lastModifiedBy": l.site.identity(by), "publication": map[string]any{"level": "published", "versionId": strconv.Itoa(number) + ".0"}}
		if withFields {
			m["fields"] = l.graphFields(it, values, number, at, by)
		}
		return m
	}
	all := []map[string]any{row(it.uiVersion(), it.fields, it.changed, it.editor)}
	for _, v := range slices.Backward(it.versions) {
		all = append(all, row(v.number, v.fields, v.at, v.by))
	}
	keep := func(m map[string]any, _ []string) (map[string]any, error) { return m, nil }
	return sv.rows(c, q, "versions", all, keep)
}

// itemMatches checks If-Match.
func itemMatches(c *Call, it *listItem) error {
	tag := fmt.Sprintf(`%s,%d`, it.guid, it.etag)
	if v := c.Header.Get("If-Match"); v != "" && v != "*" && !strings.Contains(v, tag) {
		return Fail(412, "resourceModified", "ETag does not match current item's value")
	}
	return nil
}

func (sv *siteService) postItem(c *Call) (*Reply, error) {
	l, err := sv.listOf(c)
	if err != nil {
		return nil, err
	}
	if l.isLibrary() || l.template == "webPageLibrary" {
		return nil, Fail(400, "invalidRequest", "Items of a library are made by uploading files.")
	}
	var in struct {
		Fields      map[string]any `json:"fields"`
		ContentType struct {
			ID string `json:"id"`
		} `json:"contentType"`
	}
	if err := c.Decode(&in); err != nil {
		return nil, err
	}
	values := map[string]any{}
	if err := l.setGraph(values, in.Fields); err != nil {
		return nil, err
	}
	if why := l.invalid(values); why != "" {
		return nil, Fail(400, "invalidRequest", "%s", why)
	}
	it := l.newItem(sv.s.now().UTC().Truncate(time.Second), theApp)
	it.fields = values
	for _, t := range l.types {
		if in.ContentType.ID != "" && t.id == in.ContentType.ID || t.name == in.Fields["ContentType"] {
			it.contentType = t.id
		}
	}
	l.note(it.id, changeAdd)
	m := l.itemJSON(it, true)
	m["@odata.context"] = c.context("items/$entity")
	return JSON(http.StatusCreated, m), nil
}

func (sv *siteService) patchFields(c *Call) (*Reply, error) {
	l, it, err := sv.itemOf(c)
	if err != nil {
		return nil, err
	}
	if err := itemMatches(c, it); err != nil {
		return nil, err
	}
	var in map[string]any
	if err := c.Decode(&in); err != nil {
		return nil, err
	}
	if _, ok := in["FileLeafRef"]; ok && it.node != nil {
		return nil, Fail(501, "notSupported", "A file is renamed by its drive here.")
	}
	values := cloneFields(it.fields)
	if err := l.setGraph(values, in); err != nil {
		return nil, err
	}
	if why := l.invalid(values); why != "" {
		return nil, Fail(400, "invalidRequest", "%s", why)
	}
	l.touch(it, theApp, true)
	it.fields = values
	l.keep(it, true)
	m := l.graphFields(it, it.fields, it.uiVersion(), it.changed, it.editor)
	m["@odata.context"] = c.context("fields/$entity")
	return JSON(200, m), nil
}

func (sv *siteService) deleteListItem(c *Call) (*Reply, error) {
	l, it, err := sv.itemOf(c)
	if err != nil {
		return nil, err
	}
	if err := itemMatches(c, it); err != nil {
		return nil, err
	}
	if it.node != nil {
		l.drive.mu.Lock()
		defer l.drive.mu.Unlock()
		l.drive.remove(it.node)
		return &Reply{Status: 204}, nil
	}
	l.drop(it)
	return &Reply{Status: 204}, nil
}
