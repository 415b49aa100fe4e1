package sim

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// The part of SharePoint's own REST interface (_api) that Graph has no counterpart for: attachments, permissions, views, form values, the log of
// changes. Answers are those of odata=nometadata.

// restRoutes take any address below a site's _api; rest reads it.
func (s *Sim) restRoutes() []Route {
	var out []Route
	for _, at := range []string{"", "/sites/{site}", "/sites/{site}/{web}", "/personal/{site}"} {
		for _, method := range []string{"GET", "POST"} {
			permissions := []string{"Sites.FullControl.All", "Sites.Manage.All", "Sites.ReadWrite.All"}
			if method == "GET" {
				permissions = append(permissions, "Sites.Read.All")
			}
			out = append(out, Route{Host: HostSharePoint, Method: method, Pattern: at + "/_api/{rest...}", Class: ClassSharePoint, Cost: 2, MaxBody: 64 << 20,
				Permissions: permissions, Handle: s.drives.faulty(s.sites.rest)})
		}
	}
	return out
}

// restFail is an error as _api writes it.
func restFail(status int, code, format string, args ...any) *Reply {
	return JSON(status, map[string]any{"odata.error": map[string]any{"code": code, "message": map[string]any{"lang": "en-US", "value": fmt.Sprintf(format, args...)}}})
}

func restNotFound(what string) *Reply {
	return restFail(404, "-2130575338, Microsoft.SharePoint.SPException", "%s does not exist.", what)
}

// segmentCall is a segment of an address with its arguments: lists(guid'…'), items(5), add(FileName='a.txt').
type segmentCall struct {
	name string
	args string
}

// arg is a named argument, or the only one, without its quotes.
func (s segmentCall) arg(name string) string {
	v := s.args
	for p := range strings.SplitSeq(s.args, ",") {
		if k, x, ok := strings.Cut(p, "="); ok && strings.EqualFold(strings.TrimSpace(k), name) {
			v = x
		}
	}
	v = strings.TrimPrefix(strings.TrimSpace(v), "guid")
	if len(v) >= 2 && v[0] == '\'' && v[len(v)-1] == '\'' {
		v = strings.ReplaceAll(v[1:len(v)-1], "''", "'")
	}
	return v
}

func restSegments(c *Call) ([]segmentCall, error) {
	_, rest, _ := strings.Cut(c.Path, "/_api/")
	var out []segmentCall
	for p := range strings.SplitSeq(strings.Trim(rest, "/"), "/") {
		text, err := url.PathUnescape(p)
		if err != nil {
			return nil, err
		}
		name, args, ok := strings.Cut(text, "(")
		if ok {
			args = strings.TrimSuffix(args, ")")
		}
		out = append(out, segmentCall{strings.ToLower(name), args})
	}
	return out, nil
}

// digestLife is how long a form digest is good; SharePoint gives 30 minutes.
const digestLife = 30 * time.Minute

func (sv *siteService) digest(x *site, at time.Time) string {
	stampText := at.UTC().Format("02 Jan 2006 15:04:05 -0000")
	return "0x" + sv.s.drives.sign(x.web+stampText) + "," + stampText
}

// digested checks a form digest. A call with a token of its own needs none, but one that is sent must be good.
func (sv *siteService) digested(c *Call, x *site) *Reply {
	given := c.Header.Get("X-RequestDigest")
	if given == "" {
		return nil
	}
	_, when, _ := strings.Cut(given, ",")
	at, err := time.Parse("02 Jan 2006 15:04:05 -0000", when)
	if err != nil || given != sv.digest(x, at) || c.Now.Sub(at) > digestLife {
		return restFail(403, "-2130575252, Microsoft.SharePoint.SPException", "The security validation for this page is invalid and might be corrupted. Please use your web browser's Back button to try your operation again.")
	}
	return nil
}

// rest serves one address.
func (sv *siteService) rest(c *Call) (*Reply, error) {
	segs, err := restSegments(c)
	if err != nil {
		return restFail(400, "-1, Microsoft.SharePoint.Client.InvalidClientQueryException", "The address is malformed."), nil
	}
	sv.mu.Lock()
	defer sv.mu.Unlock()
	x := sv.find("/" + calledSite(c))
	if calledSite(c) == "" {
		x = sv.find("root")
	}
	if x == nil || x.state == DriveGone || c.Host != x.host() {
		return restFail(404, "-2147024894, System.IO.FileNotFoundException", "The site could not be found."), nil
	}
	if x.state == DriveLocked {
		return restFail(423, "-2147018887, Microsoft.SharePoint.SPLockedException", "Access to this site has been blocked."), nil
	}
	if c.Method == http.MethodPost {
		if r := sv.digested(c, x); r != nil {
			return r, nil
		}
	}
	at := restAt{sv: sv, c: c, site: x, segs: segs}
	switch segs[0].name {
	case "contextinfo":
		return JSON(200, map[string]any{"FormDigestTimeoutSeconds": int(digestLife / time.Second), "FormDigestValue": sv.digest(x, c.Now), "WebFullUrl": x.url(), "SiteFullUrl": x.url(), "LibraryVersion": "16.0"}), nil
	case "web":
		return at.web(), nil
	case "site":
		if len(segs) > 1 && segs[1].name == "rootweb" {
			for at.site.parent != nil {
				at.site = at.site.parent
			}
			at.segs = segs[1:]
			return at.web(), nil
		}
	}
	return at.unknown(), nil
}

type restAt struct {
	sv   *siteService
	c    *Call
	site *site
	segs []segmentCall
}

func (a restAt) unknown() *Reply {
	return restFail(404, "-1, Microsoft.SharePoint.Client.ResourceNotFoundException", "Cannot find resource for the request %s.", a.segs[len(a.segs)-1].name)
}

// verb is the method and the names of the segments from i on.
func (a restAt) verb(i int) string {
	names := []string{}
	for _, s := range a.segs[min(i, len(a.segs)):] {
		names = append(names, s.name)
	}
	return a.c.Method + " " + strings.Join(names, "/")
}

func (a restAt) selected(m map[string]any) map[string]any {
	sel := a.c.Query.Get("$select")
	if sel == "" {
		return m
	}
	out := map[string]any{}
	for _, part := range []string{sel, a.c.Query.Get("$expand")} {
		for k := range strings.SplitSeq(part, ",") {
			k, _, _ = strings.Cut(k, "/")
			if v, ok := m[k]; ok {
				out[k] = v
			}
		}
	}
	return out
}

func value(rows []any) *Reply {
	if rows == nil {
		rows = []any{}
	}
	return JSON(200, map[string]any{"value": rows})
}

func (a restAt) web() *Reply {
	x := a.site
	if len(a.segs) > 1 {
		if r := a.webAccess(); r != nil {
			return r
		}
	}
	switch a.verb(1) {
	case "GET ":
		m := map[string]any{"Id": x.web, "Title": x.title, "Description": x.about, "Url": x.url(), "ServerRelativeUrl": x.path, "WebTemplate": strings.Split(x.template, "#")[0],
			"Created": stamp(x.created), "LastItemModifiedDate": stamp(x.changed), "Language": 1033, "HasUniqueRoleAssignments": x.ownRoles(), "CurrentChangeToken": map[string]any{"StringValue": a.sv.changeToken(x, x.position(), a.c.Now)}}
		for _, g := range x.groups() {
			if name := map[string]string{"owners": "AssociatedOwnerGroup", "members": "AssociatedMemberGroup", "visitors": "AssociatedVisitorGroup"}[g.use]; name != "" && strings.Contains(a.c.Query.Get("$expand"), name) {
				m[name] = x.principal(g.id).json()
			}
		}
		return JSON(200, a.selected(m))
	case "GET siteusers":
		var rows []any
		for u := range a.sv.s.drives.people() {
			rows = append(rows, x.principal(siteUserID(u)).json())
		}
		rows = append(rows, x.principal(appPrincipal).json())
		return value(rows)
	case "POST ensureuser":
		var in struct{ LogonName string }
		if r := a.decode(&in); r != nil {
			return r
		}
		id, ok := x.login(in.LogonName)
		if !ok {
			return restFail(404, "-2130575276, Microsoft.SharePoint.SPException", "The specified user %s could not be found.", in.LogonName)
		}
		x.ensured[id] = in.LogonName
		return JSON(200, x.principal(id).json())
	case "GET availablecontenttypes":
		var rows []any
		for _, t := range siteTypes() {
			rows = append(rows, a.selected(map[string]any{"StringId": t.id, "Name": t.name, "Description": t.about, "Group": t.group}))
		}
		return value(rows)
	case "POST getchanges":
		return a.changes()
	}
	if len(a.segs) > 1 && a.segs[1].name == "lists" {
		return a.lists()
	}
	if len(a.segs) > 1 && a.segs[1].name == "getfolderbyserverrelativepath" {
		return a.folder()
	}
	if len(a.segs) > 1 && a.segs[1].name == "getfilebyid" {
		return a.file()
	}
	return a.unknown()
}

func (p *principal) json() map[string]any {
	m := map[string]any{"Id": p.id, "PrincipalType": p.kind, "Title": p.title, "LoginName": p.login}
	if p.kind == 1 {
		m["Email"], m["UserPrincipalName"] = p.email, p.login[strings.LastIndexByte(p.login, '|')+1:]
	}
	return m
}

func (a restAt) decode(v any) *Reply {
	if err := json.Unmarshal(a.c.Body, v); err != nil {
		return restFail(400, "-1, Microsoft.SharePoint.Client.InvalidClientQueryException", "Invalid JSON. %v", err)
	}
	return nil
}

// assignments lists who has which roles, with the members and definitions when $expand asks for them.
func (a restAt) assignments(roles []assignment) *Reply {
	expand := strings.ToLower(a.c.Query.Get("$expand"))
	var ids []int
	for _, r := range roles {
		if !slices.Contains(ids, r.principal) {
			ids = append(ids, r.principal)
		}
	}
	var rows []any
	for _, id := range ids {
		row := map[string]any{"PrincipalId": id}
		if strings.Contains(expand, "member") {
			row["Member"] = a.site.principal(id).json()
		}
		if strings.Contains(expand, "roledefinitionbindings") {
			var defs []any
			for _, r := range roles {
				if r.principal == id {
					defs = append(defs, map[string]any{"Id": r.role, "Name": a.site.levelName(r.role)})
				}
			}
			row["RoleDefinitionBindings"] = defs
		}
		rows = append(rows, row)
	}
	return value(rows)
}

func (a restAt) lists() *Reply {
	x := a.site
	if a.segs[1].args == "" {
		if a.verb(1) != "GET lists" {
			return a.unknown()
		}
		var rows []any
		for _, l := range x.lists {
			rows = append(rows, a.selected(l.restJSON()))
		}
		return value(rows)
	}
	l := x.list(a.segs[1].arg("guid"))
	if l == nil {
		return restNotFound("List")
	}
	switch a.verb(2) {
	case "GET ":
		return JSON(200, a.selected(l.restJSON()))
	case "POST ":
		return a.merge(l)
	case "POST contenttypes/addavailablecontenttype":
		return a.addType(l)
	case "GET views":
		var rows []any
		for _, v := range l.views {
			rows = append(rows, a.selected(v.json(strings.Contains(strings.ToLower(a.c.Query.Get("$expand")), "viewfields"))))
		}
		return value(rows)
	case "POST views":
		var in struct {
			Title, ViewQuery    string
			RowLimit            int
			Paged, PersonalView bool
			SetAsDefaultView    bool
			ViewFields          *struct{ Items []string }
		}
		if r := a.decode(&in); r != nil {
			return r
		}
		if in.Title == "" {
			return restFail(400, "-2147024809, System.ArgumentException", "A view needs a title.")
		}
		v := &listView{id: newRand(a.sv.s.opt.Seed, "view", hash64(l.id), uint64(len(l.views))).uuid(), title: in.Title, query: in.ViewQuery, rowLimit: in.RowLimit, paged: in.Paged, fields: []string{}}
		l.views = append(l.views, v)
		l.note(0, changeUpdate)
		return JSON(201, v.json(false))
	case "POST addvalidateupdateitemusingpath":
		return a.add(l)
	case "POST breakroleinheritance":
		return a.breakInheritance(&l.unique, &l.roles, x.webRoles(), func(kind int) { l.note(0, kind) })
	case "GET roleassignments":
		return a.assignments(l.effective())
	case "GET items":
		return a.items(l)
	}
	if len(a.segs) > 3 {
		switch a.segs[2].name {
		case "views":
			return a.view(l)
		case "roleassignments":
			return a.assign(&l.roles, l.unique, func(kind int) { l.note(0, kind) })
		}
	}
	if len(a.segs) > 2 && a.segs[2].name == "items" && a.segs[2].args != "" {
		return a.item(l)
	}
	return a.unknown()
}

// effective are the assignments that apply to a list, its own or the site's.
func (l *list) effective() []assignment {
	if l.unique {
		return l.roles
	}
	return l.site.webRoles()
}

func (l *list) restJSON() map[string]any {
	m := map[string]any{"Id": l.id, "Title": l.title, "Description": l.description, "Hidden": l.hidden, "BaseTemplate": map[string]int{"genericList": 100, "documentLibrary": 101, "webPageLibrary": 119}[l.template],
		"ItemCount": len(l.items), "EnableVersioning": l.versioning, "EnableAttachments": l.attachments, "HasUniqueRoleAssignments": l.unique, "Created": stamp(l.created),
		"LastItemModifiedDate": stamp(l.lastChange()), "LastItemDeletedDate": stamp(l.deletedAt), "ContentTypesEnabled": l.manyTypes, "MajorVersionLimit": l.more.limit, "ValidationFormula": l.more.validation, "ValidationMessage": l.more.validationError,
		"EnableModeration": l.more.moderation, "ForceCheckout": l.more.checkout, "NoCrawl": l.more.noCrawl, "RootFolder": map[string]any{"ServerRelativeUrl": l.path()}}
	return m
}

func (v *listView) json(fields bool) map[string]any {
	m := map[string]any{"Id": v.id, "Title": v.title, "ViewQuery": v.query, "RowLimit": v.rowLimit, "Paged": v.paged, "DefaultView": v.isDefault, "Hidden": v.hidden, "PersonalView": false, "ViewType": "HTML"}
	if fields {
		m["ViewFields"] = map[string]any{"SchemaXml": "", "Items": v.fields}
	}
	return m
}

// view serves one view's fields.
func (a restAt) view(l *list) *Reply {
	id := a.segs[2].arg("guid")
	for _, v := range l.views {
		if v.id != id {
			continue
		}
		switch a.verb(3) {
		case "POST viewfields/removeallviewfields":
			v.fields = []string{}
			return &Reply{Status: 200, raw: []byte(`{"odata.null":true}`)}
		case "POST viewfields/addviewfield":
			v.fields = append(v.fields, a.segs[4].arg("strField"))
			return &Reply{Status: 200, raw: []byte(`{"odata.null":true}`)}
		}
		return a.unknown()
	}
	return restNotFound("View")
}

const restPage = 5000

var pagedAfter = regexp.MustCompile(`p_ID=(\d+)`)

// items lists items: what $select names of Id, GUID, HasUniqueRoleAssignments, Attachments, FileSystemObjectType, FileRef, FileDirRef, and files with $expand=AttachmentFiles.
func (a restAt) items(l *list) *Reply {
	top, after := restPage, 0
	if n, err := strconv.Atoi(a.c.Query.Get("$top")); err == nil {
		top = min(n, restPage)
	}
	if m := pagedAfter.FindStringSubmatch(a.c.Query.Get("$skiptoken")); m != nil {
		after, _ = strconv.Atoi(m[1]) // digits only
	}
	var rows []any
	next := ""
	for _, it := range l.sorted() {
		if it.id <= after {
			continue
		}
		if len(rows) == top {
			q := url.Values{}
			for k, v := range a.c.Query {
				q[k] = v
			}
			q.Set("$skiptoken", fmt.Sprintf("Paged=TRUE&p_ID=%d", after))
			next = a.c.URL(a.c.Path) + "?" + q.Encode()
			break
		}
		after = it.id
		rows = append(rows, a.selected(map[string]any{"Id": it.id, "ID": it.id, "GUID": it.guid, "HasUniqueRoleAssignments": it.unique, "Attachments": len(it.attachments) > 0,
			"AttachmentFiles": l.attachmentRows(it), "Modified": stamp(it.changed), "FileSystemObjectType": map[bool]int{true: 1}[it.folder != ""], "FileRef": l.ref(it), "FileDirRef": l.dir(it)}))
	}
	r := value(rows)
	if next != "" {
		r.body.(map[string]any)["odata.nextLink"] = next
	}
	return r
}

func (l *list) attachmentRows(it *listItem) []any {
	rows := []any{}
	for _, f := range it.attachments {
		rows = append(rows, map[string]any{"FileName": f.name, "FileNameAsPath": map[string]any{"DecodedUrl": f.name}, "ServerRelativeUrl": fmt.Sprintf("%s/Attachments/%d/%s", l.path(), it.id, f.name)})
	}
	return rows
}

func (a restAt) item(l *list) *Reply {
	n, err := strconv.Atoi(a.segs[2].arg(""))
	it := l.find(n)
	if err != nil || it == nil {
		return restNotFound("Item")
	}
	if it.node != nil && a.verb(3) != "POST validateupdatelistitem" {
		return a.fileAccess(l, it)
	}
	switch a.verb(3) {
	case "GET attachmentfiles":
		return value(l.attachmentRows(it))
	case "POST attachmentfiles/add":
		return a.attach(l, it)
	case "GET attachmentfiles/$value":
		name := a.segs[3].arg("")
		for _, f := range it.attachments {
			if strings.EqualFold(f.name, name) {
				return Bytes(200, "application/octet-stream", f.data)
			}
		}
		return restNotFound("File")
	case "POST attachmentfiles":
		if a.c.Header.Get("X-HTTP-Method") != "DELETE" {
			return a.unknown()
		}
		name := a.segs[3].arg("")
		at := slices.IndexFunc(it.attachments, func(f attached) bool { return strings.EqualFold(f.name, name) })
		if at < 0 {
			return restNotFound("File")
		}
		it.attachments = slices.Delete(slices.Clone(it.attachments), at, at+1)
		l.touch(it, theApp, false)
		l.note(it.id, changeUpdate)
		return &Reply{Status: 200}
	case "POST validateupdatelistitem":
		return a.form(l, it)
	case "POST breakroleinheritance":
		return a.breakInheritance(&it.unique, &it.roles, l.effective(), func(kind int) { l.note(it.id, kind) })
	case "GET roleassignments":
		if it.unique {
			return a.assignments(it.roles)
		}
		return a.assignments(l.effective())
	}
	if len(a.segs) > 4 && a.segs[3].name == "roleassignments" {
		return a.assign(&it.roles, it.unique, func(kind int) { l.note(it.id, kind) })
	}
	return a.unknown()
}

// attach adds a file; one that is there is refused. It counts as a change of the item by who sends it.
func (a restAt) attach(l *list, it *listItem) *Reply {
	name := a.segs[4].arg("FileName")
	switch {
	case !l.attachments, it.folder != "":
		return restFail(400, "-2130575227, Microsoft.SharePoint.SPException", "Attachments are disabled in this list.")
	case name == "" || strings.ContainsAny(name, `"*:<>?/\|#%`) && strings.ContainsAny(name, `"*:<>?/\|`):
		return restFail(400, "-2130575245, Microsoft.SharePoint.SPException", "The file name contains characters that cannot be used.")
	case slices.ContainsFunc(it.attachments, func(f attached) bool { return strings.EqualFold(f.name, name) }):
		return restFail(400, "-2130575257, Microsoft.SharePoint.SPException", "The specified name is already in use. A document or folder with the same name already exists.")
	}
	it.attachments = append(slices.Clone(it.attachments), attached{name, slices.Clone(a.c.Body)})
	l.touch(it, theApp, false)
	l.note(it.id, changeUpdate)
	return JSON(200, l.attachmentRows(it)[len(it.attachments)-1])
}

// form is ValidateUpdateListItem: each value is answered for itself, and when one is refused nothing is changed.
func (a restAt) form(l *list, it *listItem) *Reply {
	var in struct {
		FormValues []struct{ FieldName, FieldValue string } `json:"formValues"`
		NewUpdate  bool                                     `json:"bNewDocumentUpdate"`
		UTC        bool                                     `json:"datesInUTC"`
		Invariant  bool                                     `json:"numberInInvariantCulture"`
	}
	if r := a.decode(&in); r != nil {
		return r
	}
	changed := *it
	changed.fields = cloneFields(it.fields)
	if !in.NewUpdate {
		l.touch(&changed, theApp, true)
	}
	before := changed
	var rows []any
	refused := false
	for _, v := range in.FormValues {
		why := l.setForm(&changed, v.FieldName, v.FieldValue, in.UTC, in.Invariant)
		refused = refused || why != ""
		row := map[string]any{"FieldName": v.FieldName, "FieldValue": v.FieldValue, "HasException": why != "", "ItemId": it.id, "ErrorMessage": nil, "ErrorCode": 0}
		if why != "" {
			row["ErrorMessage"], row["ErrorCode"] = why, -2130575155
		}
		rows = append(rows, row)
	}
	if why := l.invalid(changed.fields); why != "" && !refused { // of the item as a whole: no field bears it
		return restFail(400, "-2130575163, Microsoft.SharePoint.SPException", "%s", why)
	}
	if !refused {
		if !in.NewUpdate { // a new version is made now, by who makes it
			changed.changed, changed.editor = before.changed, before.editor
		}
		changed.etag++
		*it = changed
		l.keep(it, !in.NewUpdate)
	}
	return value(rows)
}

// breakInheritance gives a list or an item roles of its own: copies of those that applied, or none.
func (a restAt) breakInheritance(unique *bool, roles *[]assignment, inherited []assignment, note func(kind int)) *Reply {
	if r := a.mayManage(); r != nil {
		return r
	}
	copies := strings.EqualFold(a.segs[len(a.segs)-1].arg("copyRoleAssignments"), "true")
	if !*unique {
		*unique = true
		*roles = nil
		if copies {
			*roles = slices.Clone(inherited)
		}
		note(changeRoleAdd)
	}
	return &Reply{Status: 200, raw: []byte(`{"odata.null":true}`)}
}

func (a restAt) assign(roles *[]assignment, unique bool, note func(kind int)) *Reply {
	if r := a.mayManage(); r != nil {
		return r
	}
	call := a.segs[len(a.segs)-1]
	principal, err1 := strconv.Atoi(call.arg("principalid"))
	role, err2 := strconv.Atoi(call.arg("roledefid"))
	switch {
	case err1 != nil || err2 != nil || a.site.principal(principal) == nil || a.site.levelName(role) == "":
		return restFail(404, "-2146232832, Microsoft.SharePoint.SPException", "Can not find the principal or the role definition.")
	case !unique:
		return restFail(400, "-2146233079, System.InvalidOperationException", "You cannot customize permissions for an object that inherits them.")
	}
	one := assignment{principal, role}
	switch call.name {
	case "addroleassignment":
		if !slices.Contains(*roles, one) {
			*roles = append(slices.Clone(*roles), one)
			note(changeRoleAdd)
		}
	case "removeroleassignment":
		*roles = slices.DeleteFunc(slices.Clone(*roles), func(r assignment) bool { return r == one })
		note(changeRoleDelete)
	default:
		return a.unknown()
	}
	return &Reply{Status: 200, raw: []byte(`{"odata.null":true}`)}
}

// position is where the site's logs end: its own, then each library's, in order of the lists' ids.
func (x *site) position() []int {
	at := []int{len(x.log)}
	for _, l := range x.libraries() {
		l.drive.mu.Lock()
		at = append(at, len(l.drive.log))
		l.drive.mu.Unlock()
	}
	return at
}

func (x *site) libraries() []*list {
	var out []*list
	for _, l := range x.lists {
		if l.isLibrary() {
			out = append(out, l)
		}
	}
	return out
}

// changeToken is a position in the change log as text: version, scope (2, the web), its id, when, and where.
func (sv *siteService) changeToken(x *site, at []int, now time.Time) string {
	var where []string
	for _, n := range at {
		where = append(where, strconv.Itoa(n))
	}
	return fmt.Sprintf("1;2;%s;%d;%s", x.web, now.UnixNano()/100+621355968000000000, strings.Join(where, "."))
}

// changes answers what changed in the site since a token, at most FetchLimit or 1,000 of them.
func (a restAt) changes() *Reply {
	var in struct {
		Query struct {
			ChangeTokenStart *struct{ StringValue string }
			FetchLimit       string
		} `json:"query"`
	}
	if r := a.decode(&in); r != nil {
		return r
	}
	x := a.site
	end := x.position()
	from := make([]int, len(end))
	if in.Query.ChangeTokenStart != nil {
		parts := strings.Split(in.Query.ChangeTokenStart.StringValue, ";")
		bad := restFail(400, "-2147024809, System.ArgumentException", "The changeToken refers to a time before the start of the current change log.")
		if len(parts) != 5 || parts[2] != x.web {
			return restFail(400, "-2130575172, Microsoft.SharePoint.SPException", "Cannot complete this action: the change token is not of this site.")
		}
		ticks, err := strconv.ParseInt(parts[3], 10, 64)
		if err != nil || a.c.Now.Sub(time.Unix(0, (ticks-621355968000000000)*100)) > time.Duration(a.sv.settings.DeltaLife) || a.sv.s.drives.strikes(FaultDeltaExpired, nil) {
			return bad
		}
		for i, p := range strings.Split(parts[4], ".") {
			if i < len(from) {
				from[i], _ = strconv.Atoi(p) // ours
			}
		}
	}
	limit := 1000
	var rows []any
	row := func(list string, item, kind int, at time.Time) {
		m := map[string]any{"ChangeType": kind, "SiteId": x.collection, "WebId": x.web, "Time": stamp(at), "ChangeToken": map[string]any{"StringValue": a.sv.changeToken(x, from, a.c.Now)}}
		if list != "" {
			m["ListId"] = list
		}
		if item != 0 {
			m["ItemId"] = item
		}
		rows = append(rows, m)
	}
	for ; from[0] < end[0] && len(rows) < limit; from[0]++ {
		ch := x.log[from[0]]
		at := from[0]
		from[0]++
		id := ""
		if ch.list != nil {
			id = ch.list.id
		}
		row(id, ch.item, ch.kind, ch.at)
		from[0] = at
	}
	for i, l := range x.libraries() {
		l.drive.mu.Lock()
		for ; from[i+1] < end[i+1] && len(rows) < limit; from[i+1]++ {
			ch := l.drive.log[from[i+1]]
			at := from[i+1]
			from[i+1]++
			row(l.id, l.drive.listItem(ch.key), changeUpdate, time.Unix(ch.at, 0))
			from[i+1] = at
		}
		l.drive.mu.Unlock()
	}
	return value(rows)
}
