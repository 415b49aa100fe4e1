package sim

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// controlRoutes are the sites' endpoints of the control port:
//
//	GET  /sites                     ids, paths and lists
//	GET|POST /sites/settings        see SiteSettings
//	GET  /sites/personal            personal sites, as GET /sites lists the others
//	POST /sites/state               {"site", "state": "open", "gone" or "locked"}
//	POST /sites/churn               {"site", "changes", "seed"}
//	POST /sites/empty               {"site", "list"}: deletes all that is in a list or library
//	POST /sites/drop                {"site", "list"}: deletes a list itself
//	POST /sites/undrop              {"site", "list"}: takes it out of the recycle bin again
//	GET  /oracle/sites?site=        lists, items and pages, one JSON line each
//	POST /sites/strip               {"site"}: only the groups that every site has are left, empty, and the levels that every site has
//	GET  /oracle/access?site=       groups, permission levels and who may do what, one JSON line each
//	GET  /oracle/libraries?site=&list=   a library's files, as /oracle/drives
func (sv *siteService) controlRoutes() {
	s := sv.s
	s.control.HandleFunc("GET /sites", func(w http.ResponseWriter, _ *http.Request) { controlJSON(w, s.Sites()) })
	s.control.HandleFunc("GET /sites/personal", func(w http.ResponseWriter, _ *http.Request) { controlJSON(w, s.PersonalSites()) })
	s.control.HandleFunc("GET /sites/settings", func(w http.ResponseWriter, _ *http.Request) {
		sv.mu.Lock()
		defer sv.mu.Unlock()
		controlJSON(w, sv.settings)
	})
	s.control.HandleFunc("POST /sites/settings", func(w http.ResponseWriter, r *http.Request) {
		sv.mu.Lock()
		defer sv.mu.Unlock()
		in := sv.settings
		if !controlDecode(w, r, &in) {
			return
		}
		sv.settings = in
		controlJSON(w, in)
	})
	answer := func(w http.ResponseWriter, v any, err error) {
		if err != nil {
			controlError(w, http.StatusBadRequest, err)
			return
		}
		controlJSON(w, v)
	}
	s.control.HandleFunc("POST /sites/state", func(w http.ResponseWriter, r *http.Request) {
		var in struct {
			Site  string `json:"site"`
			State string `json:"state"`
		}
		if controlDecode(w, r, &in) {
			answer(w, in, s.SetSite(in.Site, in.State))
		}
	})
	s.control.HandleFunc("POST /sites/churn", func(w http.ResponseWriter, r *http.Request) {
		var in struct {
			Site    string `json:"site"`
			Changes int    `json:"changes"`
			Seed    uint64 `json:"seed"`
		}
		if controlDecode(w, r, &in) {
			done, err := s.ChurnSite(in.Site, in.Changes, in.Seed)
			answer(w, done, err)
		}
	})
	s.control.HandleFunc("POST /sites/empty", func(w http.ResponseWriter, r *http.Request) {
		var in struct {
			Site string `json:"site"`
			List string `json:"list"`
		}
		if controlDecode(w, r, &in) {
			answer(w, in, s.EmptyList(in.Site, in.List))
		}
	})
	s.control.HandleFunc("POST /sites/drop", func(w http.ResponseWriter, r *http.Request) {
		var in struct {
			Site string `json:"site"`
			List string `json:"list"`
		}
		if controlDecode(w, r, &in) {
			answer(w, in, s.DropList(in.Site, in.List))
		}
	})
	s.control.HandleFunc("POST /sites/strip", func(w http.ResponseWriter, r *http.Request) {
		var in struct {
			Site string `json:"site"`
		}
		if controlDecode(w, r, &in) {
			answer(w, in, s.StripSite(in.Site))
		}
	})
	s.control.HandleFunc("POST /sites/undrop", func(w http.ResponseWriter, r *http.Request) {
		var in struct {
			Site string `json:"site"`
			List string `json:"list"`
		}
		if controlDecode(w, r, &in) {
			answer(w, in, s.UndropList(in.Site, in.List))
		}
	})
	lines := func(w http.ResponseWriter, n int, row func(i int) any, err error) {
		if err != nil {
			controlError(w, http.StatusNotFound, err)
			return
		}
		w.Header().Set("Content-Type", "application/x-ndjson")
		enc := json.NewEncoder(w)
		enc.SetEscapeHTML(false)
		for i := range n {
			if enc.Encode(row(i)) != nil {
				return // the reader has gone
			}
		}
	}
	s.control.HandleFunc("GET /oracle/sites", func(w http.ResponseWriter, r *http.Request) {
		rows, err := s.DumpSite(r.URL.Query().Get("site"))
		lines(w, len(rows), func(i int) any { return rows[i] }, err)
	})
	s.control.HandleFunc("GET /oracle/access", func(w http.ResponseWriter, r *http.Request) {
		rows, err := s.DumpSiteAccess(r.URL.Query().Get("site"))
		lines(w, len(rows), func(i int) any { return rows[i] }, err)
	})
	s.control.HandleFunc("GET /oracle/libraries", func(w http.ResponseWriter, r *http.Request) {
		rows, err := s.DumpLibrary(r.URL.Query().Get("site"), r.URL.Query().Get("list"), r.URL.Query().Get("sha256") != "")
		lines(w, len(rows), func(i int) any { return rows[i] }, err)
	})
}

// SiteRow is a list, an item or a page in a dump of a site. Ids and tags are left out: people are named by their addresses, items that are looked
// up by their titles, so that the dump of a restored site can be compared with the one from before.
type SiteRow struct {
	List        string            `json:"list"`
	Kind        string            `json:"kind"`             // list, item, folder, page
	Folder      string            `json:"folder,omitempty"` // where an item lies: names of folders
	ID          int               `json:"id,omitempty"`
	Title       string            `json:"title,omitempty"`
	Template    string            `json:"template,omitempty"`
	Description string            `json:"description,omitempty"`
	Columns     []string          `json:"columns,omitempty"` // name and type
	Views       []string          `json:"views,omitempty"`
	Settings    string            `json:"settings,omitempty"` // of a list
	Types       []string          `json:"types,omitempty"`    // of a list: names of its content types
	ContentType string            `json:"contentType,omitempty"`
	Fields      map[string]string `json:"fields,omitempty"`
	Created     time.Time         `json:"created,omitzero"`
	Modified    time.Time         `json:"modified,omitzero"`
	Author      string            `json:"author,omitempty"`
	Editor      string            `json:"editor,omitempty"`
	Versions    []string          `json:"versions,omitempty"` // older ones, oldest first: editor, time, fields
	Attachments []string          `json:"attachments,omitempty"`
	Roles       []string          `json:"roles,omitempty"` // of its own
	Page        string            `json:"page,omitempty"`
}

func (x *site) personName(p person) string { return x.of.s.drives.personName(p) }

// text is a value in words that do not depend on ids.
func (l *list) text(c *column, v any) string {
	name := func(id int) string {
		if c.kind == "lookup" || c.kind == "lookups" {
			return c.lookupTitle(id)
		}
		if p := l.site.principal(id); p != nil {
			return p.login
		}
		return "?"
	}
	switch v := v.(type) {
	case int:
		return name(v)
	case []int:
		var out []string
		for _, id := range v {
			out = append(out, name(id))
		}
		return strings.Join(out, "; ")
	case time.Time:
		return stamp(v)
	case hyperlink:
		return v.url + " " + v.about
	case term:
		return v.label + "|" + v.guid
	case []term:
		var out []string
		for _, t := range v {
			out = append(out, t.label+"|"+t.guid)
		}
		return strings.Join(out, "; ")
	}
	b, err := json.Marshal(v)
	if err != nil {
		return err.Error()
	}
	return string(b)
}

func (l *list) texts(values map[string]any) map[string]string {
	out := map[string]string{}
	for _, c := range l.columns {
		if v, ok := values[c.name]; ok && v != nil {
			out[c.name] = l.text(c, v)
		}
	}
	return out
}

func (x *site) roleTexts(roles []assignment) []string {
	var out []string
	for _, r := range roles {
		out = append(out, x.principal(r.principal).login+": "+x.levelName(r.role))
	}
	slices.Sort(out)
	return out
}

// DumpSite is the state of a site's lists, items and pages; files are in DumpLibrary.
func (s *Sim) DumpSite(key string) ([]SiteRow, error) {
	s.sites.mu.Lock()
	defer s.sites.mu.Unlock()
	x := s.sites.find(key)
	if x == nil {
		return nil, fmt.Errorf("no site %q", key)
	}
	rows := []SiteRow{}
	for _, l := range x.lists {
		row := SiteRow{List: l.title, Kind: "list", Title: l.title, Template: l.template, Description: l.description, Settings: l.settingsText(), Types: l.typesText()}
		for _, c := range l.columns {
			if c.own {
				text := c.name + " " + c.kind + map[bool]string{true: " indexed"}[c.indexed]
				if c.of != nil {
					text += " of " + c.of.title
				}
				row.Columns = append(row.Columns, text)
			}
		}
		for _, v := range l.views {
			row.Views = append(row.Views, fmt.Sprintf("%s %v %s", v.title, v.fields, v.query))
		}
		slices.Sort(row.Views)
		if l.unique {
			row.Roles = x.roleTexts(l.roles)
		}
		rows = append(rows, row)
		for _, it := range l.sorted() {
			rows = append(rows, l.dumpItem(it))
		}
	}
	return rows, nil
}

func (l *list) dumpItem(it *listItem) SiteRow {
	x := l.site
	row := SiteRow{List: l.title, Kind: "item", ID: it.id, ContentType: l.contentTypeName(it.contentType), Fields: l.texts(it.fields), Created: it.created, Modified: it.changed,
		Author: x.personName(it.author), Editor: x.personName(it.editor)}
	row.Title, _ = it.fields["Title"].(string)
	row.Folder = l.folderPath(it)
	if it.folder != "" {
		row.Kind, row.Title = "folder", it.folder
	}
	for _, v := range it.versions {
		b, err := json.Marshal(l.texts(v.fields))
		if err != nil {
			b = []byte(err.Error())
		}
		row.Versions = append(row.Versions, x.personName(v.by)+" "+stamp(v.at)+" "+string(b))
	}
	for _, f := range it.attachments {
		sum := sha256.Sum256(f.data)
		row.Attachments = append(row.Attachments, f.name+" "+hex.EncodeToString(sum[:]))
	}
	slices.Sort(row.Attachments)
	if it.unique {
		row.Roles = x.roleTexts(it.roles)
	}
	if p := it.page; p != nil {
		row.Kind, row.Title = "page", p.title
		b, err := json.Marshal([]any{p.name, p.layout, p.titleArea, p.canvas, p.about, p.thumbnail, p.promotion, p.comments, p.recommended, p.published})
		if err != nil {
			b = []byte(err.Error())
		}
		row.Page = string(b)
	}
	return row
}

// DumpLibrary is the full state of a site's library, as DumpDrive is of a OneDrive.
func (s *Sim) DumpLibrary(key, list string, sums bool) ([]DriveRow, error) {
	s.sites.mu.Lock()
	defer s.sites.mu.Unlock()
	x := s.sites.find(key)
	if x == nil {
		return nil, fmt.Errorf("no site %q", key)
	}
	l := x.list(list)
	if l == nil || !l.isLibrary() {
		return nil, fmt.Errorf("no library %q in %s", list, key)
	}
	return l.drive.dump(sums)
}

// EmptyList deletes all items of a list, or all files of a library.
func (s *Sim) EmptyList(key, list string) error {
	s.sites.mu.Lock()
	defer s.sites.mu.Unlock()
	x := s.sites.find(key)
	if x == nil {
		return fmt.Errorf("no site %q", key)
	}
	l := x.list(list)
	if l == nil {
		return fmt.Errorf("no list %q in %s", list, key)
	}
	for _, it := range l.sorted() {
		if l.items[it.id] != nil { // else a folder took it along
			l.drop(it)
		}
	}
	if l.isLibrary() {
		l.drive.mu.Lock()
		defer l.drive.mu.Unlock()
		keys, _ := l.drive.children(0)
		for _, k := range slices.Clone(keys) {
			l.drive.remove(l.drive.mustGet(k))
		}
	}
	return nil
}

// DropList deletes a list or a library, as its owner does in the settings: it goes into the site's recycle bin.
func (s *Sim) DropList(key, title string) error {
	s.sites.mu.Lock()
	defer s.sites.mu.Unlock()
	x := s.sites.find(key)
	if x == nil {
		return fmt.Errorf("no site %q", key)
	}
	l := x.list(title)
	if l == nil {
		return fmt.Errorf("no list %q in %s", title, key)
	}
	l.note(0, changeDelete)
	x.lists = slices.DeleteFunc(x.lists, func(o *list) bool { return o == l })
	x.dropped = append(x.dropped, l)
	return nil
}

// UndropList takes a list or a library out of the site's recycle bin: it has its id and all that was in it, and nothing in it has changed.
func (s *Sim) UndropList(key, title string) error {
	s.sites.mu.Lock()
	defer s.sites.mu.Unlock()
	x := s.sites.find(key)
	if x == nil {
		return fmt.Errorf("no site %q", key)
	}
	at := slices.IndexFunc(x.dropped, func(l *list) bool { return strings.EqualFold(l.title, title) })
	if at < 0 {
		return fmt.Errorf("no deleted list %q in %s", title, key)
	}
	l := x.dropped[at]
	x.dropped = slices.Delete(x.dropped, at, at+1)
	x.lists = append(x.lists, l)
	l.note(0, changeRestore)
	return nil
}

// SiteChurn counts what a churn did.
type SiteChurn struct {
	Created, Edited, Deleted, Attached, Shared int
	Foldered                                   int // what happened to folders of the list, or to where an item lies
	Library                                    DriveChurn
}

// ChurnSite changes a site's lists and its first library as its users would.
func (s *Sim) ChurnSite(key string, changes int, seed uint64) (SiteChurn, error) {
	sv := s.sites
	sv.mu.Lock()
	x := sv.find(key)
	if x == nil {
		sv.mu.Unlock()
		return SiteChurn{}, fmt.Errorf("no site %q", key)
	}
	r := newRand(s.opt.Seed, "site churn", hash64(x.web), seed, uint64(len(x.log)))
	var out SiteChurn
	l := x.list("Incidents")
	if l == nil {
		sv.mu.Unlock()
		return out, errors.New("the site has no list to churn")
	}
	people := s.drives.people()
	for i := range changes {
		var all, folders []*listItem
		for _, it := range l.sorted() {
			if it.folder != "" {
				folders = append(folders, it)
			} else {
				all = append(all, it)
			}
		}
		now := s.now().UTC().Truncate(time.Second)
		roll := r.IntN(12)
		if len(all) == 0 {
			roll = 0
		}
		switch {
		case roll < 3:
			it := l.newItem(now, person(r.IntN(people)))
			it.fields["Title"], it.fields["Status"] = fmt.Sprintf("Churned %d-%d", seed, i), "Open"
			it.fields["AssignedTo"] = siteUserID(r.IntN(people))
			if len(folders) > 0 && i%3 == 1 {
				it.in = pick(r, folders).id
			}
			l.note(it.id, changeAdd)
			out.Created++
		case roll < 6:
			it := pick(r, all)
			fields := cloneFields(it.fields)
			l.touch(it, person(r.IntN(people)), true)
			fields["Title"] = "Edited " + strconv.FormatUint(r.Uint64()%1000, 36)
			it.fields = fields
			l.note(it.id, changeUpdate)
			out.Edited++
		case roll < 7:
			it := pick(r, all)
			delete(l.items, it.id)
			l.note(it.id, changeDelete)
			out.Deleted++
		case roll < 9:
			it := pick(r, all)
			it.attachments = append(slices.Clone(it.attachments), attached{fmt.Sprintf("churn %d-%d.bin", seed, len(x.log)), r.bytes(100 + r.IntN(4000))})
			l.touch(it, person(r.IntN(people)), false)
			l.note(it.id, changeUpdate)
			out.Attached++
		case roll < 11 && len(folders) > 0:
			out.Foldered++
			f := pick(r, folders)
			switch r.IntN(6) {
			case 0:
				l.drop(f)
			case 1:
				f.folder = "Renamed " + strconv.FormatUint(r.Uint64()%1000, 36)
				l.touch(f, person(r.IntN(people)), true)
				l.note(f.id, changeUpdate)
			case 2:
				made := l.newFolder(now, person(r.IntN(people)), f.id, fmt.Sprintf("Churned %d-%d", seed, i))
				l.note(made.id, changeAdd)
			default:
				it := pick(r, all)
				if it.in = f.id; r.IntN(3) == 0 {
					it.in = 0
				}
				l.touch(it, person(r.IntN(people)), true)
				l.note(it.id, changeUpdate)
			}
		default:
			it := pick(r, all)
			it.unique, it.roles = true, []assignment{{siteUserID(r.IntN(people)), roleRead}}
			l.note(it.id, changeRoleAdd)
			out.Shared++
		}
	}
	library := x.libraries()
	sv.mu.Unlock()
	if len(library) > 0 {
		out.Library = s.drives.churn(library[0].drive, changes, seed)
	}
	return out, nil
}
