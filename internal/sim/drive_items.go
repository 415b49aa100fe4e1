package sim

import (
	"encoding/base64"
	"encoding/json"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

func (d *drive) identity(p person) map[string]any {
	if p == theApp {
		return map[string]any{"application": map[string]any{"id": d.s.tenant.ApplicationID, "displayName": "Simulated application"}}
	}
	u := d.s.drives.user(p)
	return map[string]any{"user": map[string]any{"id": u.ID, "displayName": u.DisplayName}}
}

func (d *drive) json(c *Call) map[string]any {
	used := d.folderSize(0)
	const total = int64(1) << 40
	m := map[string]any{
		"@odata.context": c.URL(prefix(c) + "/$metadata#drives/$entity"),
		"id":             d.id, "driveType": d.kind(), "name": "OneDrive", "description": "", "webUrl": d.webURL(),
		"createdDateTime": stamp(epoch), "lastModifiedDateTime": stamp(d.lastChange()),
		"createdBy": map[string]any{"user": map[string]any{"displayName": "System Account"}},
		"owner":     map[string]any{"user": map[string]any{"id": d.owner.ID, "displayName": d.owner.DisplayName}},
		"quota":     map[string]any{"total": total, "used": used, "remaining": total - used, "deleted": 0, "state": "normal"},
	}
	if d.library != nil {
		m["name"], m["description"] = d.library.title, d.library.description
		m["owner"] = map[string]any{"user": map[string]any{"displayName": d.library.site.title + " Owners"}}
	}
	if strings.Contains(c.Query.Get("$select"), "sharePointIds") { // served only when it is selected
		ids := strings.Split(d.site, ",")
		m["sharePointIds"] = map[string]any{"listId": d.list, "siteId": ids[1], "webId": ids[2], "siteUrl": d.siteURL(), "tenantId": d.s.tenant.TenantID}
	}
	return m
}

func (d *drive) lastChange() time.Time {
	if n := len(d.log); n > 0 {
		return time.Unix(d.log[n-1].at, 0)
	}
	return epochEnd
}

// prefix is the beginning of the paths on the host that was called.
func prefix(c *Call) string {
	if c.host == HostSharePoint {
		return "/_api/v2.0"
	}
	return "/v1.0"
}

func downloadKey(c *Call) string {
	if c.host == HostSharePoint {
		return "@content.downloadUrl"
	}
	return "@microsoft.graph.downloadUrl"
}

// rowStyle says what of an item a row shows.
type rowStyle struct {
	delta     bool // no path in the parent reference
	inherited bool // the shared facet also on items below a shared one
}

// item writes an item as JSON.
func (d *drive) item(c *Call, n *node, style rowStyle) map[string]any {
	m := map[string]any{
		"id": d.itemID(n.key), "name": n.name, "eTag": d.eTag(n), "cTag": d.cTag(n),
		"createdDateTime": stamp(n.added), "lastModifiedDateTime": stamp(n.changed),
		"createdBy": d.identity(n.creator), "lastModifiedBy": d.identity(n.editor),
		"fileSystemInfo": map[string]any{"createdDateTime": stamp(n.created), "lastModifiedDateTime": stamp(n.modified)},
	}
	if n.description != "" {
		m["description"] = n.description
	}
	web := d.webURL()
	names := d.path(n)
	for _, p := range names {
		web += "/" + url.PathEscape(p)
	}
	m["webUrl"] = web
	if n.key == 0 {
		m["root"] = map[string]any{}
		m["parentReference"] = map[string]any{"driveId": d.id, "driveType": d.kind()}
	} else {
		m["parentReference"] = d.reference(n, names, style)
	}
	if n.folder {
		m["size"] = d.folderSize(n.key)
		m["folder"] = map[string]any{"childCount": d.childCount(n.key)}
	} else {
		v := n.current()
		m["size"] = v.content.size
		m["file"] = map[string]any{"mimeType": mimeType(n.name), "hashes": map[string]any{"quickXorHash": hashString(v.content.quickXor(d.s.drives.corpus))}}
		m[downloadKey(c)] = d.s.drives.downloadURL(d, n, "", c.Now)
		if n.malware != "" {
			m["malware"] = map[string]any{"description": n.malware}
		}
	}
	if scope, ok := d.sharedScope(n, style.inherited); ok {
		m["shared"] = map[string]any{"scope": scope}
	}
	return m
}

func (d *drive) reference(n *node, names []string, style rowStyle) map[string]any {
	ref := map[string]any{"driveId": d.id, "driveType": d.kind(), "id": d.itemID(n.parent), "siteId": strings.Split(d.site, ",")[1]}
	if !style.delta {
		ref["path"] = "/drives/" + d.id + "/root:" + escapedPath(names[:len(names)-1])
		ref["name"] = "root"
		if len(names) > 1 {
			ref["name"] = names[len(names)-2]
		}
	}
	return ref
}

func escapedPath(names []string) string {
	var b strings.Builder
	for _, n := range names {
		b.WriteString("/" + url.PathEscape(n))
	}
	return b.String()
}

var mimeTypes = map[string]string{
	".docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
	".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
	".pptx": "application/vnd.openxmlformats-officedocument.presentationml.presentation",
	".md":   "application/octet-stream", ".csv": "text/csv", ".txt": "text/plain", ".pdf": "application/pdf",
	".jpg": "image/jpeg", ".png": "image/png", ".zip": "application/zip", ".html": "text/html", ".xml": "text/xml",
}

func mimeType(name string) string {
	i := strings.LastIndexByte(name, '.')
	if i < 0 {
		return "application/octet-stream"
	}
	ext := strings.ToLower(name[i:])
	if t, ok := mimeTypes[ext]; ok {
		return t
	}
	if t, _, err := mime.ParseMediaType(mime.TypeByExtension(ext)); err == nil {
		return t
	}
	return "application/octet-stream"
}

// itemProperties are what $select may name on an item.
var itemProperties = map[string]bool{}

func init() {
	for _, p := range strings.Fields(`id name eTag cTag createdDateTime lastModifiedDateTime createdBy lastModifiedBy fileSystemInfo description webUrl root
		parentReference size folder file malware shared deleted webDavUrl audio bundle content image location package pendingOperations photo publication
		remoteItem searchResult sharepointIds specialFolder video permissions children versions listItem thumbnails
		@microsoft.graph.downloadUrl @content.downloadUrl content.downloadUrl driveType owner quota system sharePointIds activities`) {
		itemProperties[p] = true
	}
}

// selected keeps the properties that $select names; without one, all.
func selected(m map[string]any, sel []string) (map[string]any, error) {
	if len(sel) == 0 || slices.Contains(sel, "*") {
		return m, nil
	}
	out := map[string]any{}
	for k, v := range m {
		if strings.HasPrefix(k, "@odata.") || k == "deleted" || k == "@microsoft.graph.sharedChanged" {
			out[k] = v
		}
	}
	for _, s := range sel {
		name, _, _ := strings.Cut(s, "/")
		if !itemProperties[name] {
			return nil, Fail(400, "invalidRequest", "Could not find a property named '%s' on type 'microsoft.graph.driveItem'.", name)
		}
		names := []string{name}
		if strings.HasSuffix(name, "content.downloadUrl") {
			names = []string{"@microsoft.graph.downloadUrl", "@content.downloadUrl"}
		}
		for _, k := range names {
			if v, ok := m[k]; ok {
				out[k] = v
			}
		}
	}
	return out, nil
}

func (d *drive) get200(c *Call) (*Reply, error) {
	q, err := c.OData("select", "expand")
	if err != nil {
		return nil, err
	}
	m, err := selected(d.json(c), q.Select)
	if err != nil {
		return nil, err
	}
	return JSON(200, m), nil
}

// expanded serves $expand: permissions, children one level deep, and thumbnails, of which there are none.
func (d *driveService) expanded(c *Call, x *drive, n *node, m map[string]any, q *Query) error {
	for _, e := range q.Expand {
		switch e.Name {
		case "permissions":
			m["permissions"] = x.permissions(n)
		case "children":
			rows := []any{}
			keys, _ := x.children(n.key)
			for _, k := range keys {
				if len(rows) == defaultChildren {
					m["children@odata.nextLink"] = c.URL(prefix(c) + "/drives/" + x.id + "/items/" + x.itemID(n.key) + "/children?$skiptoken=" + skipToken(foldName(x.mustGet(keys[len(rows)-1]).name)))
					break
				}
				row, err := selected(x.item(c, x.mustGet(k), rowStyle{inherited: true}), e.Select)
				if err != nil {
					return err
				}
				rows = append(rows, row)
			}
			if n.folder {
				m["children"] = rows
			}
		case "thumbnails":
			m["thumbnails"] = []any{}
		case "listItem":
			if x.library == nil {
				return Fail(501, "notSupported", "The list of a OneDrive is not simulated.")
			}
			if n.key == 0 {
				continue
			}
			row, err := x.library.itemRow(x.library.fileItem(n), &e.Query)
			if err != nil {
				return err
			}
			m["listItem"] = row
		default:
			return Fail(400, "invalidRequest", "The property '%s' cannot be expanded.", e.Name)
		}
	}
	return nil
}

func (d *drive) mustGet(key uint64) *node {
	n, _ := d.get(key)
	return n
}

func (d *driveService) getItem(c *Call, a *address, n *node) (*Reply, error) {
	q, err := c.OData("select", "expand")
	if err != nil {
		return nil, err
	}
	if err := a.drive.preconditions(c, n); err != nil {
		return nil, err
	}
	m, err := selected(a.drive.item(c, n, rowStyle{inherited: true}), q.Select)
	if err != nil {
		return nil, err
	}
	if err := d.expanded(c, a.drive, n, m, q); err != nil {
		return nil, err
	}
	m["@odata.context"] = c.URL(prefix(c) + "/$metadata#drives('" + a.drive.id + "')/items/$entity")
	return JSON(200, m).With("ETag", a.drive.eTag(n)), nil
}

const (
	defaultChildren = 200
	maxChildren     = 1000
)

func skipToken(foldedName string) string {
	return url.QueryEscape("n." + base64URL([]byte(foldedName)))
}

func (d *driveService) getChildren(c *Call, a *address, n *node) (*Reply, error) {
	q, err := c.OData("select", "expand", "top", "orderby", "skiptoken")
	if err != nil {
		return nil, err
	}
	x := a.drive
	if !n.folder {
		return JSON(200, map[string]any{"@odata.context": c.URL(prefix(c) + "/$metadata#children"), "value": []any{}}), nil
	}
	desc := false
	for _, o := range q.OrderBy {
		if o.Path != "name" {
			return nil, Fail(400, "invalidRequest", "Ordering by '%s' is not supported.", o.Path)
		}
		desc = o.Desc
	}
	keys, names := x.children(n.key)
	if desc {
		keys, names = slices.Clone(keys), slices.Clone(names)
		slices.Reverse(keys)
		slices.Reverse(names)
	}
	top := q.Top
	if top <= 0 {
		top = defaultChildren
	}
	top = min(top, maxChildren)
	from := 0
	if q.Token != "" {
		after, err := parseSkipToken(q.Token)
		if err != nil {
			return nil, err
		}
		from = slices.IndexFunc(names, func(s string) bool { return !desc && s > after || desc && s < after })
		if from < 0 {
			from = len(names)
		}
	}
	to := min(from+top, len(keys))
	rows := make([]any, 0, to-from)
	for _, k := range keys[from:to] {
		child := x.mustGet(k)
		m, err := selected(x.item(c, child, rowStyle{inherited: true}), q.Select)
		if err != nil {
			return nil, err
		}
		if err := d.expanded(c, x, child, m, q); err != nil {
			return nil, err
		}
		rows = append(rows, m)
	}
	page := map[string]any{"@odata.context": c.URL(prefix(c) + "/$metadata#drives('" + x.id + "')/items('" + x.itemID(n.key) + "')/children"), "value": rows}
	if to < len(keys) {
		page["@odata.nextLink"] = nextLink(c, "$skiptoken", skipToken(names[to-1]))
	} else if c.Query.Get("$top") == "" {
		page["@odata.count"] = len(keys)
	}
	d.s.faults.page(c, page, c.again(), false)
	return JSON(200, page), nil
}

func parseSkipToken(t string) (string, error) {
	raw, ok := strings.CutPrefix(t, "n.")
	b, err := base64.RawURLEncoding.DecodeString(raw)
	if !ok || err != nil {
		return "", Fail(400, "invalidRequest", "The skip token is not valid.")
	}
	return string(b), nil
}

// again is the called address.
func (c *Call) again() string {
	if c.RawQuery == "" {
		return c.URL(c.Path)
	}
	return c.URL(c.Path) + "?" + c.RawQuery
}

// nextLink is the called address with one query option replaced; value is escaped already.
func nextLink(c *Call, key, value string) string {
	var parts []string
	for p := range strings.SplitSeq(c.RawQuery, "&") {
		name, _, _ := strings.Cut(p, "=")
		if u, err := url.QueryUnescape(name); err == nil && p != "" && !strings.EqualFold(u, key) {
			parts = append(parts, p)
		}
	}
	return c.URL(c.Path) + "?" + strings.Join(append(parts, key+"="+value), "&")
}

// facet is what a client may send of an item.
type itemBody struct {
	Name             *string          `json:"name"`
	Folder           *json.RawMessage `json:"folder"`
	File             *json.RawMessage `json:"file"`
	Description      *string          `json:"description"`
	Conflict         string           `json:"@microsoft.graph.conflictBehavior"`
	ConflictOld      string           `json:"@name.conflictBehavior"`
	ParentReference  *referenceBody   `json:"parentReference"`
	FileSystemInfo   *times           `json:"fileSystemInfo"`
	FileSize         int64            `json:"fileSize"`
	IncludeAll       bool             `json:"includeAllVersionHistory"`
	DriveItemContent json.RawMessage  `json:"content"`
}

type referenceBody struct {
	ID      string `json:"id"`
	DriveID string `json:"driveId"`
	Path    string `json:"path"`
}

type times struct {
	Created  *time.Time `json:"createdDateTime"`
	Modified *time.Time `json:"lastModifiedDateTime"`
}

func (b *itemBody) conflict(c *Call, otherwise string) (string, error) {
	v := b.Conflict
	if v == "" {
		v = b.ConflictOld
	}
	if v == "" {
		v = c.Query.Get("@microsoft.graph.conflictBehavior")
	}
	if v == "" {
		v = c.Query.Get("@name.conflictBehavior")
	}
	switch v {
	case "":
		return otherwise, nil
	case "fail", "replace", "rename":
		return v, nil
	}
	return "", Fail(400, "invalidRequest", "The conflict behavior '%s' is not known.", v)
}

// apply sets the client's times; SharePoint keeps whole seconds.
func (t *times) apply(n *node) bool {
	if t == nil {
		return false
	}
	changed := false
	if t.Created != nil && !t.Created.Truncate(time.Second).Equal(n.created) {
		n.created, changed = t.Created.UTC().Truncate(time.Second), true
	}
	if t.Modified != nil && !t.Modified.Truncate(time.Second).Equal(n.modified) {
		n.modified, changed = t.Modified.UTC().Truncate(time.Second), true
	}
	return changed
}

func (d *drive) newFolder(parent uint64, name string) *node {
	now := d.s.now().UTC().Truncate(time.Second)
	n := &node{parent: parent, name: name, folder: true, created: now, modified: now, added: now, changed: now, creator: theApp, editor: theApp, etag: 1, ctag: 1}
	d.add(n)
	return n
}

func (d *drive) newFile(parent uint64, name string, content content) *node {
	now := d.s.now().UTC().Truncate(time.Second)
	n := &node{parent: parent, name: name, created: now, modified: now, added: now, changed: now, creator: theApp, editor: theApp, etag: 1, ctag: 1,
		versions: []version{{id: "1.0", content: content, at: now, by: theApp}}, nextVersion: 2}
	d.add(n)
	return n
}

func nameTaken() *Error {
	return Fail(409, "nameAlreadyExists", "An item with the same name already exists under the parent")
}

func (d *driveService) created(c *Call, x *drive, n *node, status int) *Reply {
	m := x.item(c, n, rowStyle{inherited: true})
	m["@odata.context"] = c.URL(prefix(c) + "/$metadata#drives('" + x.id + "')/items/$entity")
	return JSON(status, m).With("ETag", x.eTag(n))
}

// postChildren creates a folder; a file is created by its content.
func (d *driveService) postChildren(c *Call, a *address, n *node) (*Reply, error) {
	var in itemBody
	if err := c.Decode(&in); err != nil {
		return nil, err
	}
	if !n.folder {
		return nil, Fail(400, "invalidRequest", "The parent is not a folder.")
	}
	if in.Name == nil || in.Folder == nil {
		return nil, Fail(400, "invalidRequest", "A name and exactly one facet, folder, are required.")
	}
	how, err := in.conflict(c, "fail")
	if err != nil {
		return nil, err
	}
	x := a.drive
	name := *in.Name
	if err := x.checkName(n, name); err != nil {
		return nil, err
	}
	if old, taken := x.child(n.key, name); taken {
		switch how {
		case "rename":
			name = x.freeName(n.key, name)
		case "replace":
			if !old.folder {
				return nil, nameTaken()
			}
			return d.created(c, x, old, 200), nil
		default:
			return nil, nameTaken()
		}
	}
	return d.created(c, x, x.newFolder(n.key, name), 201), nil // fileSystemInfo is not taken at creation; PATCH sets it
}

// patchItem renames, moves and sets times.
func (d *driveService) patchItem(c *Call, a *address, n *node) (*Reply, error) {
	var in itemBody
	if err := c.Decode(&in); err != nil {
		return nil, err
	}
	x := a.drive
	if err := x.preconditions(c, n); err != nil {
		return nil, err
	}
	if err := writable(n); err != nil {
		return nil, err
	}
	if n.key == 0 && (in.Name != nil || in.ParentReference != nil) {
		return nil, Fail(403, "accessDenied", "The root cannot be moved or renamed.")
	}
	how, err := in.conflict(c, "fail")
	if err != nil {
		return nil, err
	}
	parent, name := n.parent, n.name
	if in.Name != nil {
		name = *in.Name
	}
	if ref := in.ParentReference; ref != nil && (ref.ID != "" || ref.Path != "") {
		if ref.DriveID != "" && ref.DriveID != x.id {
			return nil, Fail(400, "invalidRequest", "An item cannot be moved to another drive; copy it.")
		}
		target, err := x.byReference(ref)
		if err != nil {
			return nil, err
		}
		if !target.folder {
			return nil, Fail(400, "invalidRequest", "The destination is not a folder.")
		}
		if n.folder && x.below(target.key, n.key) {
			return nil, Fail(409, "invalidRequest", "A folder cannot be moved into itself.")
		}
		parent = target.key
	}
	if n.key != 0 && (parent != n.parent || name != n.name) {
		folder := x.mustGet(parent)
		if err := x.checkName(folder, name); err != nil {
			return nil, err
		}
		if old, taken := x.child(parent, name); taken && old.key != n.key {
			switch how {
			case "rename":
				name = x.freeName(parent, name)
			case "replace":
				if old.folder || n.folder {
					return nil, nameTaken()
				}
				x.remove(old)
			default:
				return nil, nameTaken()
			}
		}
		n, _ = x.own(n.key)
		x.relocate(n, parent, name)
	}
	n, _ = x.own(n.key)
	retimed := in.FileSystemInfo.apply(n)
	if in.Description != nil {
		n.description = *in.Description
	}
	now := c.Now.UTC().Truncate(time.Second)
	if retimed && !n.folder { // a change of the metadata of a document is a new version in SharePoint
		x.addVersion(n, n.current().content, theApp, now)
	}
	n.etag++
	n.editor = theApp
	n.changed = now
	x.note(n, false)
	return d.created(c, x, n, 200), nil
}

// byReference finds a folder by the parentReference of a body.
func (d *drive) byReference(ref *referenceBody) (*node, error) {
	if ref.ID != "" {
		key, ok := d.itemKey(ref.ID)
		n, found := d.get(key)
		if !ok || !found {
			return nil, notFound()
		}
		return n, nil
	}
	_, rest, ok := strings.Cut(ref.Path, "root:")
	n := d.mustGet(0)
	for p := range strings.SplitSeq(rest, "/") {
		if p == "" || !ok {
			continue
		}
		if u, err := url.PathUnescape(p); err == nil {
			p = u
		}
		if n, ok = d.child(n.key, p); !ok {
			return nil, notFound()
		}
	}
	return n, nil
}

// deleteItem moves an item and all below it to the recycle bin.
func (d *driveService) deleteItem(c *Call, a *address, n *node) (*Reply, error) {
	x := a.drive
	if n.key == 0 {
		return nil, Fail(403, "accessDenied", "The root cannot be deleted.")
	}
	if err := x.preconditions(c, n); err != nil {
		return nil, err
	}
	if err := writable(n); err != nil {
		return nil, err
	}
	x.remove(n)
	return &Reply{Status: 204}, nil
}

// putContent creates or replaces a file by its bytes.
func (d *driveService) putContent(c *Call, a *address) (*Reply, error) {
	x := a.drive
	n, err := a.item()
	how := "replace"
	var parent *node
	name := ""
	if err != nil || len(a.names) > 0 {
		if len(a.names) == 0 {
			return nil, err
		}
		if how, err = (&itemBody{}).conflict(c, "replace"); err != nil {
			return nil, err
		}
		if parent, name, err = a.parent(d, true); err != nil {
			return nil, err
		}
		if err := x.checkName(parent, name); err != nil {
			return nil, err
		}
		n, _ = x.child(parent.key, name)
	}
	if n != nil && n.folder {
		return nil, Fail(409, "nameAlreadyExists", "A folder with this name already exists under the parent.")
	}
	content, err := d.s.storeContent(c.Body)
	if err != nil {
		return nil, err
	}
	return d.commit(c, x, commit{existing: n, parent: parent, name: name, how: how, content: content})
}

// commit is the end of an upload.
type commit struct {
	existing *node // to be replaced, or nil
	parent   *node
	name     string
	how      string
	content  content
	times    *times
	about    *string
}

func (d *driveService) commit(c *Call, x *drive, in commit) (*Reply, error) {
	n := in.existing
	if n != nil {
		switch in.how {
		case "fail":
			return nil, nameTaken()
		case "rename":
			in.name = x.freeName(in.parent.key, in.name)
			n = nil
		}
	}
	status := 201
	if n == nil {
		n = x.newFile(in.parent.key, in.name, in.content)
		in.times.apply(n)
	} else {
		if err := x.preconditions(c, n); err != nil {
			return nil, err
		}
		if err := writable(n); err != nil {
			return nil, err
		}
		status = 200
		n, _ = x.own(n.key)
		now := c.Now.UTC().Truncate(time.Second)
		x.addVersion(n, in.content, theApp, now)
		n.modified, n.changed, n.editor = now, now, theApp
		in.times.apply(n)
		n.etag++
		n.ctag++
		n.malware = ""
		x.note(n, false)
	}
	if in.about != nil {
		n.description = *in.about
	}
	return d.created(c, x, n, status), nil
}

// copyItem copies a file or a tree; the copy is done at once and reported by the monitor.
func (d *driveService) copyItem(c *Call, a *address, n *node) (*Reply, error) {
	var in itemBody
	if err := c.Decode(&in); err != nil {
		return nil, err
	}
	how, err := in.conflict(c, "fail")
	if err != nil {
		return nil, err
	}
	x, target := a.drive, a.drive
	if in.ParentReference != nil && in.ParentReference.DriveID != "" && in.ParentReference.DriveID != x.id {
		if target = d.find(in.ParentReference.DriveID); target == nil {
			return nil, notFound()
		}
		// Two drives are locked in the order of their ids; ours is locked already.
		if target.id < x.id {
			x.mu.Unlock()
			target.mu.Lock()
			x.mu.Lock()
		} else {
			target.mu.Lock()
		}
		defer target.mu.Unlock()
		again, ok := x.get(n.key)
		if !ok {
			return nil, notFound()
		}
		n = again
	}
	parent := target.mustGet(0)
	if target == x {
		parent = x.mustGet(n.parent)
	}
	if ref := in.ParentReference; ref != nil && (ref.ID != "" || ref.Path != "") {
		if parent, err = target.byReference(ref); err != nil {
			return nil, err
		}
	}
	if !parent.folder || target == x && n.folder && x.below(parent.key, n.key) {
		return nil, Fail(400, "invalidRequest", "The destination cannot hold the copy.")
	}
	name := n.name
	if in.Name != nil {
		name = *in.Name
	}
	if err := target.checkName(parent, name); err != nil {
		return nil, err
	}
	if old, taken := target.child(parent.key, name); taken {
		switch {
		case how == "rename":
			name = target.freeName(parent.key, name)
		case how == "replace" && !old.folder && !n.folder:
			target.remove(old)
		default:
			return nil, nameTaken()
		}
	}
	made := x.copyTree(n, target, parent.key, name)
	id := newUUID()
	d.mu.Lock()
	if len(d.copies) > 10000 {
		clear(d.copies)
	}
	d.copies[id] = target.itemID(made.key)
	d.mu.Unlock()
	return (&Reply{Status: 202}).With("Location", target.siteURL()+"/_api/v2.0/monitor/"+id+"?tempauth="+d.sign(id)), nil
}

func (d *drive) copyTree(n *node, target *drive, parent uint64, name string) *node {
	if !n.folder {
		made := target.newFile(parent, name, n.current().content)
		made.created, made.modified = n.created, n.modified
		return made
	}
	made := target.newFolder(parent, name)
	made.created, made.modified = n.created, n.modified
	keys, _ := d.children(n.key)
	for _, k := range slices.Clone(keys) {
		child := d.mustGet(k)
		d.copyTree(child, target, made.key, child.name)
	}
	return made
}

func (d *driveService) monitor(c *Call) (*Reply, error) {
	d.mu.Lock()
	id, ok := d.copies[c.Params["operation"]]
	d.mu.Unlock()
	if !ok || c.Query.Get("tempauth") != d.sign(c.Params["operation"]) {
		return nil, notFound()
	}
	return JSON(200, map[string]any{"operation": "itemCopy", "percentageComplete": 100.0, "resourceId": id, "status": "completed"}), nil
}

func (d *driveService) version(n *node, id string) (*version, bool) {
	for i := range n.versions {
		if n.versions[i].id == id {
			return &n.versions[i], true
		}
	}
	return nil, false
}

func (d *driveService) versionJSON(c *Call, x *drive, n *node, v *version) map[string]any {
	m := map[string]any{"id": v.id, "lastModifiedDateTime": stamp(v.at), "lastModifiedBy": x.identity(v.by), "size": v.content.size}
	if v != n.current() {
		m[downloadKey(c)] = d.downloadURL(x, n, v.id, c.Now)
	}
	return m
}

func (d *driveService) getVersions(c *Call, a *address, n *node) (*Reply, error) {
	q, err := c.OData("select", "top", "expand", "orderby", "skiptoken")
	if err != nil {
		return nil, err
	}
	if n.folder {
		return nil, Fail(400, "invalidRequest", "Versions are kept of files only.")
	}
	from := 0
	if q.Token != "" {
		if from, err = strconv.Atoi(q.Token); err != nil || from < 0 {
			return nil, Fail(400, "invalidRequest", "The skip token is not valid.")
		}
	}
	top := q.Top
	if top <= 0 {
		top = defaultChildren
	}
	rows := []any{}
	for i := len(n.versions) - 1 - from; i >= 0 && len(rows) < top; i-- {
		rows = append(rows, d.versionJSON(c, a.drive, n, &n.versions[i]))
	}
	page := map[string]any{"@odata.context": c.URL(prefix(c) + "/$metadata#Collection(driveItemVersion)"), "value": rows}
	if from+len(rows) < len(n.versions) {
		page["@odata.nextLink"] = nextLink(c, "$skiptoken", strconv.Itoa(from+len(rows)))
	}
	return JSON(200, page), nil
}

func (d *driveService) getVersion(c *Call, a *address, n *node) (*Reply, error) {
	v, err := d.versionOf(a, n)
	if err != nil {
		return nil, err
	}
	m := d.versionJSON(c, a.drive, n, v)
	m["@odata.context"] = c.URL(prefix(c) + "/$metadata#driveItemVersion")
	return JSON(200, m), nil
}

func (d *driveService) versionOf(a *address, n *node) (*version, error) {
	if n.folder {
		return nil, Fail(400, "invalidRequest", "Versions are kept of files only.")
	}
	id := strings.ToLower(a.raw[1])
	if id == "current" {
		return n.current(), nil
	}
	v, ok := d.version(n, id)
	if !ok {
		return nil, notFound()
	}
	return v, nil
}

// getVersionContent redirects to an older version; the current one is had by the item's content only
// (driveItemVersion: get contents, note).
func (d *driveService) getVersionContent(c *Call, a *address, n *node) (*Reply, error) {
	v, err := d.versionOf(a, n)
	if err != nil {
		return nil, err
	}
	if v == n.current() {
		return nil, Fail(400, "invalidRequest", "You cannot get the content of the current version.")
	}
	return (&Reply{Status: 302}).With("Location", d.downloadURL(a.drive, n, v.id, c.Now)), nil
}

func (d *driveService) restoreVersion(c *Call, a *address, n *node) (*Reply, error) {
	v, err := d.versionOf(a, n)
	if err != nil {
		return nil, err
	}
	if v == n.current() {
		return nil, Fail(400, "invalidRequest", "The current version cannot be restored.")
	}
	if err := writable(n); err != nil {
		return nil, err
	}
	content := v.content
	x := a.drive
	n, _ = x.own(n.key)
	now := c.Now.UTC().Truncate(time.Second)
	x.addVersion(n, content, theApp, now)
	n.modified, n.changed, n.editor = now, now, theApp
	n.etag++
	n.ctag++
	x.note(n, false)
	return &Reply{Status: 204}, nil
}

// getContent redirects to the pre-authenticated address.
func (d *driveService) getContent(c *Call, a *address, n *node) (*Reply, error) {
	if n.folder {
		return nil, Fail(400, "invalidRequest", "A folder has no content.")
	}
	if err := a.drive.preconditions(c, n); err != nil {
		return nil, err
	}
	if n.malware != "" {
		return nil, malwareDetected()
	}
	return (&Reply{Status: http.StatusFound}).With("Location", d.downloadURL(a.drive, n, "", c.Now)), nil
}

func malwareDetected() *Error {
	return Fail(403, "malwareDetected", "Malware detected in requested resource").With("X-Virus-Infected", "Infected")
}
