package sim

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Folders of a list that is no library are items of it: of content type Folder, with a name that is a segment of the addresses of what lies in them.
// Graph lists items of all folders alike and makes none in a folder; _api does both.

// folderType is the content type of a list's folders; a list has a child of it.
const folderType = "0x0120"

func (x *site) folderContentType(r random) *contentType {
	return &contentType{id: folderType + "00" + strings.ToUpper(strings.ReplaceAll(r.uuid(), "-", "")), name: "Folder", about: "Create a new folder.", group: "Folder Content Types"}
}

// dir is the server-relative path of where an item lies.
func (l *list) dir(it *listItem) string {
	if above := l.items[it.in]; above != nil {
		return l.ref(above)
	}
	return l.path()
}

// ref is the server-relative path of an item (FileRef).
func (l *list) ref(it *listItem) string {
	if it.folder != "" {
		return l.dir(it) + "/" + it.folder
	}
	return fmt.Sprintf("%s/%d_.000", l.dir(it), it.id)
}

// folderAt finds the folder at a server-relative path; nil with true is the list itself.
func (l *list) folderAt(path string) (*listItem, bool) {
	path = strings.TrimSuffix(path, "/")
	if strings.EqualFold(path, l.path()) {
		return nil, true
	}
	for _, it := range l.items {
		if it.folder != "" && strings.EqualFold(l.ref(it), path) {
			return it, true
		}
	}
	return nil, false
}

// newFolder adds a folder.
func (l *list) newFolder(at time.Time, by person, in int, name string) *listItem {
	it := l.newItem(at, by)
	it.folder, it.in, it.fields["Title"] = name, in, name
	for _, t := range l.types {
		if t.name == "Folder" {
			it.contentType = t.id
		}
	}
	return it
}

// drop deletes an item, and all that lies in it when it is a folder; only the item itself is logged, as only it is what somebody deleted.
func (l *list) drop(it *listItem) {
	below := []int{it.id}
	for len(below) > 0 {
		id := below[0]
		below = below[1:]
		delete(l.items, id)
		for _, other := range l.sorted() {
			if other.in == id {
				below = append(below, other.id)
			}
		}
	}
	l.note(it.id, changeDelete)
}

// folder serves a folder of a list by its path: what it has as an item.
func (a restAt) folder() *Reply {
	path := a.segs[1].arg("decodedurl")
	for _, l := range a.site.lists {
		if l.isLibrary() {
			continue // its folders are asked for by its drive
		}
		if it, ok := l.folderAt(path); ok && it != nil && a.verb(2) == "GET listitemallfields" {
			return JSON(200, a.selected(map[string]any{"Id": it.id, "ID": it.id, "GUID": it.guid, "FileSystemObjectType": 1, "ContentTypeId": it.contentType}))
		}
	}
	return restFail(404, "-2147024894, System.IO.FileNotFoundException", "File Not Found.")
}

// add is AddValidateUpdateItemUsingPath: an item or a folder is made in a folder, with values as of a form. When one is refused nothing is made.
func (a restAt) add(l *list) *Reply {
	var in struct {
		Info struct {
			FolderPath, LeafName *struct{ DecodedUrl string }
			UnderlyingObjectType int
		} `json:"listItemCreateInfo"`
		FormValues []struct{ FieldName, FieldValue string } `json:"formValues"`
		UTC        bool                                     `json:"datesInUTC"`
		Invariant  bool                                     `json:"numberInInvariantCulture"`
	}
	if r := a.decode(&in); r != nil {
		return r
	}
	if l.isLibrary() || l.template == "webPageLibrary" {
		return restFail(400, "-2130575254, Microsoft.SharePoint.SPException", "To add an item to a document library, use SPFileCollection.Add()")
	}
	made := listItem{id: l.next, guid: newRand(a.sv.s.opt.Seed, "item "+l.id, uint64(l.next)).uuid(), fields: map[string]any{}, contentType: l.types[0].id, author: theApp, editor: theApp, etag: 1}
	made.created = a.c.Now.UTC().Truncate(time.Second)
	made.changed = made.created
	if p := in.Info.FolderPath; p != nil {
		path := p.DecodedUrl
		if u, err := url.Parse(path); err == nil && u.Host != "" { // a whole address will do
			path = u.Path
		}
		above, ok := l.folderAt(path)
		if !ok {
			return restFail(404, "-2147024894, System.IO.FileNotFoundException", "File Not Found.")
		}
		if above != nil {
			made.in = above.id
		}
	}
	var rows []any
	refused := false
	answer := func(name, value, why string) {
		row := map[string]any{"FieldName": name, "FieldValue": value, "HasException": why != "", "ItemId": 0, "ErrorMessage": nil, "ErrorCode": 0}
		if why != "" {
			refused = true
			row["ErrorMessage"], row["ErrorCode"] = why, -2130575155
		}
		rows = append(rows, row)
	}
	switch in.Info.UnderlyingObjectType {
	case 0:
	case 1:
		if in.Info.LeafName == nil || in.Info.LeafName.DecodedUrl == "" || strings.ContainsAny(in.Info.LeafName.DecodedUrl, `"*:<>?/\|`) {
			return restFail(400, "-2130575245, Microsoft.SharePoint.SPException", "The folder name is not valid.")
		}
		made.folder = in.Info.LeafName.DecodedUrl
		for _, t := range l.types {
			if t.name == "Folder" {
				made.contentType = t.id
			}
		}
		if _, there := l.folderAt(l.ref(&made)); there {
			answer("FileLeafRef", made.folder, "A file or folder with the name "+l.ref(&made)+" already exists.")
		}
	default:
		return restFail(400, "-2147024809, System.ArgumentException", "Value does not fall within the expected range.")
	}
	for _, v := range in.FormValues {
		answer(v.FieldName, v.FieldValue, l.setForm(&made, v.FieldName, v.FieldValue, in.UTC, in.Invariant))
	}
	if why := l.invalid(made.fields); why != "" && !refused {
		return restFail(400, "-2130575163, Microsoft.SharePoint.SPException", "%s", why)
	}
	if refused {
		return value(rows)
	}
	l.items[made.id] = &made
	l.next++
	l.note(made.id, changeAdd)
	return value(append(rows, map[string]any{"FieldName": "Id", "FieldValue": strconv.Itoa(made.id), "HasException": false, "ItemId": made.id, "ErrorMessage": nil, "ErrorCode": 0}))
}

// generateFolders puts some of a list's items into folders, one in the other.
func (l *list) generateFolders(r random) {
	if len(l.items) < 6 {
		return
	}
	people := l.site.of.s.drives.people()
	all := l.sorted()
	above := 0
	for i, name := range []string{"Closed & old", "Größe – 2025"} {
		at := l.site.created.Add(time.Duration(i+1) * time.Minute)
		f := l.newFolder(at, person(r.IntN(people)), above, name)
		f.fields["Details"] = "What is in " + name
		above = f.id
		for j, it := range all {
			if j%6 == 5-i {
				it.in = f.id
			}
		}
		if i == 1 {
			f.unique, f.roles = true, []assignment{{siteUserID(r.IntN(people)), roleRead}}
			for v := range 2 {
				f.versions = append(f.versions, itemVersion{number: f.uiVersion(), fields: cloneFields(f.fields), at: f.changed, by: f.editor})
				f.fields["Details"] = fmt.Sprintf("What is in %s, looked through %d times", name, v+1)
				f.changed, f.editor = f.changed.Add(50*time.Hour), person(r.IntN(people))
				f.etag++
			}
		}
	}
}

// MoveListItem puts an item or a folder of a list into a folder, named by its path in the list ("" is the list itself), as somebody in the list does.
// The log of changes names the item; a folder's content is told by nobody.
func (s *Sim) MoveListItem(site, title string, id int, folder string) error {
	return s.changeListItem(site, title, id, func(l *list, it *listItem) error {
		to, ok := l.folderAt(strings.TrimSuffix(l.path()+"/"+folder, "/"))
		if !ok {
			return fmt.Errorf("no folder %q in %s", folder, title)
		}
		it.in = 0
		for up := to; up != nil; up = l.items[up.in] {
			if up == it {
				return errors.New("a folder does not go into itself")
			}
		}
		if to != nil {
			it.in = to.id
		}
		return nil
	})
}

// RenameListFolder gives a folder of a list another name.
func (s *Sim) RenameListFolder(site, title string, id int, name string) error {
	return s.changeListItem(site, title, id, func(l *list, it *listItem) error {
		if it.folder == "" {
			return fmt.Errorf("item %d is no folder", id)
		}
		it.folder = name
		return nil
	})
}

// AddListItems adds n items to a list that keeps versions from now on, and gives the number of the last.
func (s *Sim) AddListItems(site, title string, n int) (last int, err error) {
	sv := s.sites
	sv.mu.Lock()
	defer sv.mu.Unlock()
	x := sv.find(site)
	if x == nil {
		return 0, fmt.Errorf("no site %q", site)
	}
	l := x.list(title)
	if l == nil || l.isLibrary() {
		return 0, fmt.Errorf("no list %q in %s", title, site)
	}
	l.versioning = true
	for range n {
		it := l.newItem(s.now().UTC().Truncate(time.Second), person(0))
		it.fields["Title"] = fmt.Sprintf("Added %d", it.id)
		l.note(it.id, changeAdd)
		last = it.id
	}
	return last, nil
}

// EditListItems changes the title of each item of a list, as somebody in it does.
func (s *Sim) EditListItems(site, title string) error {
	sv := s.sites
	sv.mu.Lock()
	defer sv.mu.Unlock()
	x := sv.find(site)
	if x == nil || x.list(title) == nil {
		return fmt.Errorf("no list %q in a site %q", title, site)
	}
	l := x.list(title)
	for _, it := range l.sorted() {
		l.touch(it, person(0), true)
		it.fields = cloneFields(it.fields)
		it.fields["Title"] = fmt.Sprintf("Edited %d", it.id)
		l.note(it.id, changeUpdate)
	}
	return nil
}

// DeleteListItem deletes an item of a list, or a folder with all that is in it.
func (s *Sim) DeleteListItem(site, title string, id int) error {
	sv := s.sites
	sv.mu.Lock()
	defer sv.mu.Unlock()
	l, it, err := sv.listItem(site, title, id)
	if err == nil {
		l.drop(it)
	}
	return err
}

func (sv *siteService) listItem(site, title string, id int) (*list, *listItem, error) {
	x := sv.find(site)
	if x == nil {
		return nil, nil, fmt.Errorf("no site %q", site)
	}
	l := x.list(title)
	if l == nil || l.items[id] == nil {
		return nil, nil, fmt.Errorf("no item %d in a list %q of %s", id, title, site)
	}
	return l, l.items[id], nil
}

func (s *Sim) changeListItem(site, title string, id int, change func(l *list, it *listItem) error) error {
	sv := s.sites
	sv.mu.Lock()
	defer sv.mu.Unlock()
	l, it, err := sv.listItem(site, title, id)
	if err != nil {
		return err
	}
	if err := change(l, it); err != nil {
		return err
	}
	l.touch(it, person(0), true)
	l.note(it.id, changeUpdate)
	return nil
}

// folderPath is where an item lies, in names of folders.
func (l *list) folderPath(it *listItem) string {
	var names []string
	for up := l.items[it.in]; up != nil; up = l.items[up.in] {
		names = append(names, up.folder)
	}
	slices.Reverse(names)
	return strings.Join(names, "/")
}
