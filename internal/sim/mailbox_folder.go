package sim

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Folders as the mailbox import/export API has them: of every type, in one tree. Contact folders, calendars and lists of tasks lie on shelves of their own;
// what is in them that is no contact, event or task of To Do lies in a mail folder beside each, which no list of mail folders has.

// Container classes (MS-OXOSFLD 2.2.5).
const (
	notesClass       = "IPF.StickyNote"
	journalClass     = "IPF.Journal"
	contactClass     = "IPF.Contact"
	taskClass        = "IPF.Task"
	appointmentClass = "IPF.Appointment"
)

// beside is the folder of what a shelf's folder has besides its kind.
func (b *mailbox) beside(sh *shelf, of *pimFolder) *folder {
	for _, k := range b.order {
		if f := b.folders[k]; f.of == of {
			return f
		}
	}
	f := &folder{key: b.nextFold, parent: rootFolder, version: 1, holds: map[*shelfKind]string{contactsKind: contactClass, calendarKind: appointmentClass, todoKind: taskClass}[sh.kind], shelf: sh, of: of}
	if b.s.opt.Items && sh.kind == contactsKind && of.known {
		f.base = 1 // a contact group
	}
	b.nextFold++
	b.folders[f.key] = f
	b.order = append(b.order, f.key)
	return f
}

// exchangeFolders are all folders but the root, those of mail first.
func (b *mailbox) exchangeFolders() []*folder {
	var out []*folder
	for _, k := range slices.Clone(b.order) {
		if f := b.folders[k]; f.of == nil && f.key != rootFolder {
			out = append(out, f)
		}
	}
	for _, kind := range shelfKinds {
		sh := b.shelf(kind)
		for _, of := range sh.folders {
			if !of.system {
				out = append(out, b.beside(sh, of))
			}
		}
	}
	return out
}

// lost says that the folder is deleted.
func (f *folder) lost() bool { return f.deleted || f.of != nil && f.of.deleted }

// above is the folder that a folder is in.
func (b *mailbox) above(f *folder) uint32 {
	if f.of != nil && f.shelf.kind == contactsKind && f.of.parent != 0 {
		return b.beside(f.shelf, f.shelf.folders[f.of.parent-1]).key
	}
	return f.parent
}

func (b *mailbox) exchangeFolderID(f *folder) string {
	if f.of != nil {
		return f.shelf.folderID(f.of.key)
	}
	return b.folderID(f.key)
}

// exchangeFolderOf finds a folder of any type by its id or, of mail, by its well-known name.
func (b *mailbox) exchangeFolderOf(id string) (*folder, error) {
	f, err := b.folder(id)
	if err == nil && f.of == nil {
		return f, nil
	}
	for _, kind := range shelfKinds {
		sh := b.shelf(kind)
		if of, ferr := sh.folder(id); ferr == nil && !of.system {
			return b.beside(sh, of), nil
		}
	}
	if err == nil {
		err = errNotInStore
	}
	return nil, err
}

// exchangeFolder shows a folder.
func (b *mailbox) exchangeFolder(f *folder, all []*folder, q *Query) (map[string]any, error) {
	children := 0
	for _, c := range all {
		if !c.lost() && b.above(c) == f.key {
			children++
		}
	}
	name, total, parent := f.name, f.total(), f.key
	if f.of != nil {
		name, total = f.of.name(f.shelf.kind), total+len(f.shelf.keys(f.of))
	}
	if f.key != rootFolder {
		parent = b.above(f)
	}
	full := map[string]any{"id": b.exchangeFolderID(f), "displayName": name, "parentFolderId": b.exchangeFolderID(b.folders[parent]), "childFolderCount": children,
		"totalItemCount": total, "type": f.class()}
	return project(full, q.Select, "microsoft.graph.mailboxFolder", func(string) bool { return false })
}

func (s *Sim) exchangeFoldersList(c *Call) (*Reply, error) {
	q, err := c.OData("select", "filter", "top", "skip")
	if err != nil {
		return nil, err
	}
	b, err := s.box(c)
	if err != nil {
		return nil, err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	parent := rootFolder
	if id := c.Params["folder"]; id != "" {
		f, err := b.exchangeFolderOf(id)
		if err != nil {
			return nil, err
		}
		parent = f.key
	}
	var rows []map[string]any
	all := b.exchangeFolders()
	for _, f := range all {
		if f.lost() || b.above(f) != parent {
			continue
		}
		if q.Filter != nil {
			full, err := b.exchangeFolder(f, all, &Query{})
			if err != nil {
				return nil, err
			}
			if ok, err := q.Filter.Match(lookupIn(full)); err != nil {
				return nil, err
			} else if !ok {
				continue
			}
		}
		row, err := b.exchangeFolder(f, all, q)
		if err != nil {
			return nil, err
		}
		rows = append(rows, row)
	}
	return listPage(c, q, "admin/exchange/mailboxes('"+c.Params["mailbox"]+"')/folders", rows)
}

func (s *Sim) exchangeFolderGet(c *Call) (*Reply, error) {
	q, err := c.OData("select")
	if err != nil {
		return nil, err
	}
	b, err := s.box(c)
	if err != nil {
		return nil, err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	f, err := b.exchangeFolderOf(c.Params["folder"])
	if err != nil {
		return nil, err
	}
	row, err := b.exchangeFolder(f, b.exchangeFolders(), q)
	if err != nil {
		return nil, err
	}
	row["@odata.context"] = c.atMailbox("folders/$entity")
	return JSON(200, row), nil
}

// exchangeFoldersDelta tells of folders of every type.
func (s *Sim) exchangeFoldersDelta(c *Call) (*Reply, error) {
	q, err := c.OData("select", "skiptoken")
	if err != nil {
		return nil, err
	}
	b, err := s.box(c)
	if err != nil {
		return nil, err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	t, err := s.begin(c, b, "exchangeFolders", 0)
	if err != nil {
		return nil, err
	}
	if t.Issued == 0 {
		t.Select = c.Query.Get("$select")
	} else if *q, err = t.query(); err != nil {
		return nil, err
	}
	before := *t
	all := b.exchangeFolders()
	told, done := all, true
	if t.First {
		told = all[min(t.Wipe, len(all)):]
		if done = len(told) <= t.Page; !done {
			told = told[:t.Page]
		}
		t.Wipe += len(told)
	} else {
		told, done = b.foldersSince(all, t)
	}
	rows := []any{}
	for _, f := range told {
		row := map[string]any{"id": b.exchangeFolderID(f), "@removed": map[string]any{"reason": "deleted"}}
		if f.lost() && t.First {
			continue
		} else if !f.lost() {
			if row, err = b.exchangeFolder(f, all, q); err != nil {
				return nil, err
			}
		}
		row["@odata.type"] = "#microsoft.graph.mailboxFolder"
		rows = append(rows, row)
	}
	if t.First && done {
		t.First, t.Wipe = false, 0
	}
	body := map[string]any{"@odata.context": c.context("Collection(mailboxFolder)"), "value": rows}
	name, link := c.mailLink(t, done)
	body[name] = link
	_, again := c.mailLink(&before, false)
	s.faults.page(c, body, again, true)
	return JSON(200, body), nil
}

// foldersSince gives a page of the folders that changed, each once.
func (b *mailbox) foldersSince(all []*folder, t *mailToken) (out []*folder, done bool) {
	type change struct {
		seq uint64
		f   *folder
	}
	var list []change
	for _, f := range all {
		log, key := b.folderLog, uint64(f.key)
		if f.of != nil {
			log, key = f.shelf.log, uint64(f.of.key)
		}
		var last uint64
		for _, e := range log {
			if e.item == key {
				last = e.seq
			}
		}
		if last > t.Since {
			list = append(list, change{last, f})
		}
	}
	slices.SortFunc(list, func(x, y change) int { return cmp.Compare(x.seq, y.seq) })
	for _, x := range list {
		if len(out) >= t.Page {
			return out, false
		}
		out, t.Since = append(out, x.f), x.seq
	}
	t.Since = b.seq
	return out, true
}

// exchangeFolderCreate makes a folder of the type that is asked for.
func (s *Sim) exchangeFolderCreate(c *Call) (*Reply, error) {
	var in fields
	if err := c.Decode(&in); err != nil {
		return nil, err
	}
	b, err := s.box(c)
	if err != nil {
		return nil, err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	text := map[string]string{}
	for k, raw := range in {
		if k != "displayName" && k != "type" {
			return nil, Fail(400, "RequestBodyRead", "The property '%s' does not exist on type 'microsoft.graph.mailboxFolder' or can't be set.", k)
		}
		if text[k], err = readAs[string](k, "Edm.String", raw); err != nil {
			return nil, err
		}
	}
	name, class := strings.TrimSpace(text["displayName"]), text["type"]
	if name == "" || !strings.HasPrefix(class, "IPF.") {
		return nil, Fail(400, "ErrorInvalidRequest", "displayName and type are required.")
	}
	up := b.folders[rootFolder]
	if id := c.Params["folder"]; id != "" {
		if up, err = b.exchangeFolderOf(id); err != nil {
			return nil, err
		}
	}
	all := b.exchangeFolders()
	for _, f := range all {
		row, err := b.exchangeFolder(f, nil, &Query{})
		if err != nil {
			return nil, err
		}
		if !f.lost() && b.above(f) == up.key && strings.EqualFold(fmt.Sprint(row["displayName"]), name) {
			return nil, folderExists
		}
	}
	var f *folder
	if sh := b.shelf(contactsKind); class == contactClass && (up.key == rootFolder || up.shelf == sh) {
		var parent uint32
		if up.of != nil {
			parent = up.of.key
		}
		of := sh.addFolder(parent, map[string]any{"displayName": name}, 0)
		sh.noteFolder(of)
		f = b.beside(sh, of)
	} else {
		f = &folder{key: b.nextFold, parent: up.key, name: name, holds: class}
		if class == "IPF.Note" {
			f.holds = ""
		}
		b.nextFold++
		b.folders[f.key] = f
		b.order = append(b.order, f.key)
		b.noteFolder(f)
	}
	row, err := b.exchangeFolder(f, nil, &Query{})
	if err != nil {
		return nil, err
	}
	row["@odata.context"] = c.atMailbox("folders/$entity")
	return JSON(201, row), nil
}
