package sim

import (
	"cmp"
	"encoding/base64"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
)

// The files and folders of a library are items of its list too. What they have there besides a file's properties are the values of the library's
// columns; these are in their nodes.

// listItem is the number that an item of a library has in its list.
func (d *drive) listItem(key uint64) int {
	if key < newBase {
		return int(key)
	}
	return int(d.n + 1 + key - newBase)
}

// byListItem finds an item of a library by its number in the list. The drive's lock is held.
func (d *drive) byListItem(id int) (*node, bool) {
	key := uint64(id)
	if id < 1 {
		return nil, false
	}
	if key > d.n {
		key += newBase - d.n - 1
	}
	return d.get(key)
}

// values are what a file or folder has in the library's columns: what was set, else what the seed says. The drive's lock is held.
func (l *list) values(n *node) map[string]any {
	if n.fields != nil {
		return n.fields
	}
	out := map[string]any{}
	if l.filled == nil || n.key > l.drive.n || n.key == 0 {
		return out
	}
	r := newRand(l.site.of.s.opt.Seed, "columns "+l.id, n.key)
	if n.folder {
		out["Status"] = "Open"
		if n.key%2 == 0 {
			l.site.fillColumns(out, r, int(n.key), n.added, l.filled)
		}
		return out
	}
	out["Title"] = fmt.Sprintf("%s %d", pick(r, []string{"Agreement", "Größenplan – \"final\"", "合意書"}), n.key)
	out["Status"] = pick(r, []string{"Open", "Waiting", "Closed"})
	if n.key%5 != 4 {
		l.site.fillColumns(out, r, int(n.key), n.added, l.filled)
	}
	return out
}

// typeOf is the id of a file's content type.
func (l *list) typeOf(n *node) string {
	if n.contentType == "" && n.folder {
		return l.types[1].id
	}
	if n.contentType == "" && l.filled != nil && n.key <= l.drive.n && n.key%4 == 1 {
		return l.types[len(l.types)-1].id
	}
	return cmp.Or(n.contentType, l.types[0].id)
}

// fileItem is an item of a library as one of its list. The drive's lock is held.
func (l *list) fileItem(n *node) *listItem {
	it := &listItem{id: l.drive.listItem(n.key), guid: strings.ToLower(l.drive.guid(n.key)), fields: cloneFields(l.values(n)), contentType: l.typeOf(n), created: n.added, changed: n.changed,
		author: n.creator, editor: n.editor, etag: int(n.etag), node: n}
	it.fields["FileLeafRef"] = n.name
	if n.folder {
		return it
	}
	for i, v := range n.versions[:len(n.versions)-1] { // only how many there were is told
		it.versions = append(it.versions, itemVersion{number: i + 1, at: v.at, by: v.by})
	}
	return it
}

// find gives an item of a list by its number; of a library it is a copy, which keep writes back.
func (l *list) find(id int) *listItem {
	if !l.isLibrary() {
		return l.items[id]
	}
	l.drive.mu.Lock()
	defer l.drive.mu.Unlock()
	n, ok := l.drive.byListItem(id)
	if !ok {
		return nil
	}
	return l.fileItem(n)
}

// keep writes a changed item of a library back into its file. fresh: with a new version, of the same content.
func (l *list) keep(it *listItem, fresh bool) {
	if it.node == nil {
		l.note(it.id, changeUpdate)
		return
	}
	d := l.drive
	d.mu.Lock()
	defer d.mu.Unlock()
	n, _ := d.own(it.node.key)
	if fresh && !n.folder {
		d.addVersion(n, n.current().content, it.editor, it.changed)
	}
	delete(it.fields, "FileLeafRef")
	n.fields, n.contentType = it.fields, it.contentType
	n.added, n.changed, n.creator, n.editor = it.created, it.changed, it.author, it.editor
	n.etag++
	d.note(n, false)
}

// fileItems gives the items of a library page by page, in the order of their numbers.
func (sv *siteService) fileItems(c *Call, q *Query, l *list) (*Reply, error) {
	top, after := 200, 0
	if q.Top > 0 {
		top = min(q.Top, 5000)
	}
	if q.Token != "" {
		b, err := base64.RawURLEncoding.DecodeString(q.Token)
		if after, err = strconv.Atoi(string(b)); err != nil || after < 0 {
			return nil, Fail(400, "invalidRequest", "The skip token is not valid.")
		}
	}
	l.drive.mu.Lock()
	defer l.drive.mu.Unlock()
	rows := []any{}
	more := false
	last := l.drive.listItem(l.drive.nextKey)
	for id := after + 1; id < last; id++ {
		n, ok := l.drive.byListItem(id)
		if !ok {
			continue
		}
		if len(rows) == top {
			more = true
			break
		}
		m, err := l.itemRow(l.fileItem(n), q)
		if err != nil {
			return nil, err
		}
		rows = append(rows, m)
		after = id
	}
	page := map[string]any{"@odata.context": c.context("items"), "value": rows}
	if more {
		page["@odata.nextLink"] = c.nextURL(map[string]string{"$skiptoken": base64.RawURLEncoding.EncodeToString([]byte(strconv.Itoa(after)))}, "skiptoken")
	}
	sv.s.faults.page(c, page, c.again(), false)
	return JSON(200, page), nil
}

// newContracts makes a library whose site gave it columns and a content type of its own.
func (x *site) newContracts(r random, categories *list, files int) {
	l := x.newLibrary(r, "Contracts", "Contracts", files)
	l.filled = categories
	l.columns = append(l.columns, everyColumn(categories)...)
	l.manyTypes, l.more.limit = true, 500
	l.types = append(l.types, &contentType{id: "0x0101" + contentType2().id[6:], name: "Contract", about: "What was agreed", group: "Custom Content Types"})
	l.views = append(l.views, &listView{id: r.uuid(), title: "Due ones", query: `<OrderBy><FieldRef Name="Due" /></OrderBy>`, fields: []string{"LinkFilename", "Status", "Due"}, rowLimit: 30, paged: true})
}

// SetFileColumn changes the value of a column of a file, as somebody in the library does: kind and form of values are those of column. The file is
// named by its path in the library.
func (s *Sim) SetFileColumn(site, list, path, column string, value any) error {
	sv := s.sites
	sv.mu.Lock()
	defer sv.mu.Unlock()
	x := sv.find(site)
	if x == nil {
		return fmt.Errorf("no site %q", site)
	}
	l := x.list(list)
	if l == nil || !l.isLibrary() || l.column(column) == nil {
		return fmt.Errorf("no library %q with a column %q in %s", list, column, site)
	}
	l.drive.mu.Lock()
	var it *listItem
	l.drive.subtree(0, func(n *node) {
		if strings.Join(l.drive.path(n), "/") == path {
			it = l.fileItem(n)
		}
	})
	l.drive.mu.Unlock()
	if it == nil {
		return fmt.Errorf("no file %q in %s", path, list)
	}
	it.fields[column] = value
	it.changed, it.editor = s.now().UTC().Truncate(time.Second), person(0)
	l.keep(it, true)
	return nil
}

// columnRow is what a dump says of a file's columns: as Graph writes them, but for what every item has.
func (l *list) columnRow(n *node) map[string]any {
	it := l.fileItem(n)
	m := l.graphFields(it, it.fields, it.uiVersion(), it.changed, it.editor)
	for _, c := range l.columns {
		switch v := it.fields[c.name].(type) {
		case int:
			if c.kind == "lookup" { // by name: what is looked up may get another number
				m[c.name] = c.lookupTitle(v)
				delete(m, c.name+"LookupId")
			}
		case []int:
			if c.kind == "lookups" {
				titles := []any{}
				for _, id := range v {
					titles = append(titles, c.lookupTitle(id))
				}
				m[c.name] = titles
			}
		}
	}
	for k := range m {
		own := slices.ContainsFunc(l.columns, func(c *column) bool { return c.own && (k == c.name || k == c.name+"LookupId") })
		if !own && k != "Title" {
			delete(m, k)
		}
	}
	if it.contentType != l.types[0].id && it.contentType != l.types[1].id {
		m["ContentType"] = l.contentTypeName(it.contentType)
	}
	return m
}

// fileAccess serves the permissions of a file or folder of a library. What has a grant of its own inherits no more, as far as calls here are concerned.
func (a restAt) fileAccess(l *list, it *listItem) *Reply {
	d, x := l.drive, l.site
	d.mu.Lock()
	defer d.mu.Unlock()
	n, ok := d.get(it.node.key)
	if !ok {
		return restNotFound("Item")
	}
	unique := n.alone || len(n.grants) > 0
	roles := []assignment{}
	for _, g := range n.grants {
		one := assignment{g.group, g.level}
		if u := x.of.s.dir.find(strings.Join(g.people, "")); g.group == 0 && g.link == "" && u != nil {
			one.principal = siteUserID(u.Index)
		}
		if one.role == 0 {
			one.role = map[string]int{"owner": roleFull, "write": roleContribute, "read": roleRead}[g.role]
		}
		if one.principal != 0 {
			roles = append(roles, one)
		}
	}
	switch {
	case a.verb(3) == "GET roleassignments":
		if !unique {
			roles = l.effective()
		}
		return a.assignments(roles)
	case a.verb(3) == "POST breakroleinheritance":
		was := unique
		inherited := l.effective()
		r := a.breakInheritance(&unique, &roles, inherited, func(int) {})
		if !was && unique {
			n, _ = d.own(n.key)
			n.alone, n.grants = true, nil
			for _, one := range roles {
				n.grants = append(n.grants, d.groupGrant(n, x, one))
			}
			d.sharingChanged(n)
		}
		return r
	case len(a.segs) > 4 && a.segs[3].name == "roleassignments" && a.c.Method == "POST":
		before := slices.Clone(roles)
		r := a.assign(&roles, unique, func(int) {})
		for _, one := range roles {
			if !slices.Contains(before, one) {
				n, _ = d.own(n.key)
				n.grants = append(slices.Clone(n.grants), d.groupGrant(n, x, one))
				d.sharingChanged(n)
			}
		}
		return r
	}
	return a.unknown()
}

// groupGrant is an assignment as a grant.
func (d *drive) groupGrant(n *node, x *site, one assignment) grantee {
	g := grantee{id: d.grantID(n.key, 2000+uint64(one.principal)), role: x.graphRole(one.role), level: one.role, group: one.principal}
	if u := one.principal - siteUserID(0); u >= 0 && u < d.s.drives.people() {
		g.group, g.people = 0, []string{d.s.drives.user(person(u)).Mail}
	}
	return g
}

// forget takes away the grants of groups that are gone.
func (d *drive) forget(gone map[int]bool) {
	d.subtree(0, func(n *node) {
		if slices.ContainsFunc(n.grants, func(g grantee) bool { return gone[g.group] }) {
			n, _ = d.own(n.key)
			n.grants = slices.DeleteFunc(slices.Clone(n.grants), func(g grantee) bool { return gone[g.group] })
			d.sharingChanged(n)
		}
	})
}

// ShareFile gives an item of a library permissions of its own, as its owner does in "advanced" permissions: levels by the titles of groups. It inherits nothing
// any more.
func (s *Sim) ShareFile(site, list, path string, levels map[string]string) error {
	sv := s.sites
	sv.mu.Lock()
	defer sv.mu.Unlock()
	x := sv.find(site)
	if x == nil {
		return fmt.Errorf("no site %q", site)
	}
	l := x.list(list)
	if l == nil || !l.isLibrary() {
		return fmt.Errorf("no library %q in %s", list, site)
	}
	d := l.drive
	d.mu.Lock()
	defer d.mu.Unlock()
	found := false
	var err error
	d.subtree(0, func(n *node) {
		if strings.Join(d.path(n), "/") != path {
			return
		}
		found = true
		n, _ = d.own(n.key)
		n.alone, n.grants = true, nil
		for _, title := range slices.Sorted(maps.Keys(levels)) {
			name := levels[title]
			g := slices.IndexFunc(x.groups(), func(g siteGroup) bool { return g.title == title })
			v := slices.IndexFunc(x.levels(), func(v level) bool { return v.name == name })
			if g < 0 || v < 0 {
				err = fmt.Errorf("no group %q or level %q", title, name)
				return
			}
			n.grants = append(n.grants, d.groupGrant(n, x, assignment{x.groups()[g].id, x.levels()[v].id}))
		}
		d.sharingChanged(n)
	})
	if !found && err == nil {
		return fmt.Errorf("no file %q in %s", path, list)
	}
	return err
}
