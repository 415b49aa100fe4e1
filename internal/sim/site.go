package sim

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// siteService is SharePoint: sites with subsites, lists with items, document libraries (each of which is a drive) and pages, by Graph and by
// SharePoint's own _api.
type siteService struct {
	s *Sim

	mu       sync.Mutex       // guards all below and everything in a site but its drives; taken before a drive's
	sites    []*site          // but personal ones
	personal map[string]*site // personal sites that were asked for, by their user's id
	byID     map[string]*User // whose a personal site is, by its id
	settings SiteSettings
	changes  []siteChange // for sites/delta
}

// siteChange is a site that came, changed or went.
type siteChange struct {
	site *site
	at   time.Time
}

// SiteSettings are switches of the sites that POST /sites/settings changes.
type SiteSettings struct {
	// DeltaLife is how long a token of list items, of sites or of the change log is good, default 60 days.
	DeltaLife Duration `json:"deltaLife"`
	// TimeZone is how many minutes the sites' time zone is behind UTC (SharePoint's bias), for form values that are not said to be UTC.
	TimeZone int `json:"timeZone"`
}

// SiteShape describes the generated sites.
type SiteShape struct {
	Sites     int   // sites besides the personal ones
	Items     int   // items in a list
	Files     int   // files and folders in a site's library
	Sharing   int   // one of so many files has a grant, one a link; default 50
	FileBytes int64 // files are no longer than this; 0 is as of drives
	OneEach   bool  // files have one version
}

// site is a SharePoint web, the top one of a site collection or one below.
type site struct {
	of         *siteService
	index      int
	collection string // GUID of the site collection
	web        string // GUID
	path       string // "", "/sites/name", "/sites/name/below"
	title      string
	about      string
	template   string // web template
	created    time.Time
	changed    time.Time
	parent     *site
	owner      *User
	personal   *User  // whose personal site it is
	state      string // DriveOpen, DriveGone, DriveLocked
	lists      []*list
	dropped    []*list     // in the site's recycle bin
	access     *siteAccess // of its site collection
	log        []webChange
	ensured    map[int]string // principals that were added by ensureuser, by id
}

// webChange is one entry of a site's change log; that of a library's files is in its drive.
type webChange struct {
	list *list // nil: of the site itself
	item int
	kind int
	at   time.Time
}

// The kinds of changes, as SP.ChangeType numbers them.
const (
	changeAdd        = 1
	changeUpdate     = 2
	changeDelete     = 3
	changeRestore    = 7
	changeLevelAdd   = 8
	changeRoleAdd    = 11
	changeRoleDelete = 12
	changeMemberAdd  = 13
)

// list is a list or a document library.
type list struct {
	site        *site
	id          string
	name        string // in addresses
	title       string
	description string
	template    string // genericList, documentLibrary, webPageLibrary, …
	hidden      bool
	versioning  bool
	attachments bool
	manyTypes   bool // content types are managed
	more        listSettings
	created     time.Time
	changed     time.Time
	deletedAt   time.Time
	etag        int
	columns     []*column
	types       []*contentType
	views       []*listView
	items       map[int]*listItem
	next        int
	log         []listChange
	drive       *drive
	filled      *list // of a library: that its columns look up, when the seed gives its files values; else nil
	unique      bool
	roles       []assignment
}

type listChange struct {
	item int
	at   time.Time
}

type contentType struct {
	id, name, about, group string
}

type listView struct {
	id, title, query string
	fields           []string
	isDefault        bool
	hidden           bool
	rowLimit         int
	paged            bool
}

type listItem struct {
	id          int
	guid        string
	fields      map[string]any // see column
	contentType string         // id
	created     time.Time
	changed     time.Time
	author      person
	editor      person
	etag        int
	versions    []itemVersion // older ones, oldest first
	attachments []attached
	unique      bool
	roles       []assignment
	page        *sitePage
	node        *node  // of a library's item, which is a copy
	folder      string // of a folder in a list: its name
	in          int    // the folder that it lies in; 0: none
}

type itemVersion struct {
	number int
	fields map[string]any
	at     time.Time
	by     person
}

type attached struct {
	name string
	data []byte
}

// uiVersion is the number of the present version.
func (i *listItem) uiVersion() int { return len(i.versions) + 1 }

func (l *list) isLibrary() bool { return l.drive != nil }

func (s *Sim) siteHost() string { return s.opt.Tenant + "." + s.cloud.sharePoint }

func (x *site) host() string {
	if x.personal != nil {
		return x.of.s.driveHost()
	}
	return x.of.s.siteHost()
}

func (x *site) id() string { return x.host() + "," + x.collection + "," + x.web }

func (x *site) url() string { return "https://" + x.host() + x.path }

func (l *list) path() string {
	if l.isLibrary() || l.template == "webPageLibrary" {
		return l.site.path + "/" + l.name
	}
	return l.site.path + "/Lists/" + l.name
}

func (l *list) webURL() string {
	return "https://" + l.site.host() + strings.ReplaceAll(l.path(), " ", "%20")
}

func (s *Sim) initSites() {
	sv := &siteService{s: s, personal: map[string]*site{}, byID: map[string]*User{}, settings: SiteSettings{DeltaLife: Duration(60 * 24 * time.Hour)}}
	s.sites = sv
	for i := range s.shape.sites.Sites {
		sv.add(i)
	}
	sv.controlRoutes()
}

var siteNames = []string{"", "Falcon", "Planning", "Marketing", "Engineering", "Finance", "People", "Sales", "Quality", "Purchasing"}

// add makes the generated site of an index: the root, a team site, a subsite of that one, then more team sites.
func (sv *siteService) add(i int) *site {
	r := newRand(sv.s.opt.Seed, "site", uint64(i))
	name := siteNames[i%len(siteNames)]
	if i >= len(siteNames) {
		name = siteNames[1+i%(len(siteNames)-1)] + strconv.Itoa(i)
	}
	x := &site{of: sv, index: i, collection: r.uuid(), web: r.uuid(), title: name, about: "Everything about " + strings.ToLower(name), template: "STS#3",
		created: epoch.Add(time.Duration(i) * time.Hour), owner: sv.s.drives.user(person(i % sv.s.drives.people())), state: DriveOpen, ensured: map[int]string{}}
	x.changed = x.created
	switch {
	case i == 0:
		x.title, x.about, x.template = "Communication site", "Where everybody begins", "SITEPAGEPUBLISHING#0"
	case i == 2:
		x.parent = sv.sites[1]
		x.collection, x.path = x.parent.collection, x.parent.path+"/"+strings.ToLower(name)
	default:
		x.path = "/sites/" + name
	}
	if x.parent != nil {
		x.access = x.parent.access
	} else {
		x.access = newAccess(x, func(group int) (members []int) {
			for u := range min(3, sv.s.drives.people()) {
				if (u+i+group)%2 == 0 {
					members = append(members, u)
				}
			}
			return members
		})
		if i%2 == 1 {
			x.access.addReviewers(x)
		}
	}
	x.generate(r)
	sv.sites = append(sv.sites, x)
	sv.changes = append(sv.changes, siteChange{x, x.created})
	return x
}

// generate fills a site: a library, pages, a list that others look up, one with every type of column, a hidden one, and often a second library.
func (x *site) generate(r random) {
	shape := x.of.s.shape.sites
	docs := x.newLibrary(r, "Documents", "Shared Documents", shape.Files)
	docs.description = "Files of the site"
	x.newPages(r, "Home", "Über uns")
	categories := x.newList(r, "Categories", "genericList")
	for i := range 5 {
		it := categories.newItem(x.created.Add(time.Duration(i)*time.Minute), person(0))
		it.fields["Title"] = []string{"Hardware", "Software", "Network", "Ünïcödé – naïve", "Other & more"}[i]
	}
	all := x.newList(r, "Incidents", "genericList")
	all.versioning, all.attachments, all.description = true, true, "What happened, with every type of column"
	all.columns = append(all.columns, everyColumn(categories)...)
	all.types, all.manyTypes = append(all.types, contentType2()), true
	all.more = listSettings{limit: 50, validation: "=LEN([Title])<=200", validationError: "The title is too long", noCrawl: true}
	all.views = append(all.views, &listView{id: r.uuid(), title: "Open ones", query: `<Where><Eq><FieldRef Name="Status" /><Value Type="Choice">Open</Value></Eq></Where>`, fields: []string{"LinkTitle", "Status", "Due"}, rowLimit: 30, paged: true})
	for i := range shape.Items {
		all.generateItem(r, i, categories)
	}
	all.generateFolders(newRand(x.of.s.opt.Seed, "folders "+all.id, 0))
	hidden := x.newList(r, "AppSettings", "genericList")
	hidden.hidden = true
	hidden.newItem(x.created, theApp).fields["Title"] = "key"
	if x.index%2 == 1 {
		x.newLibrary(r, "Archive", "Archive", shape.Files/3)
		x.newContracts(r, categories, min(shape.Files/3, 30))
	}
}

func contentType2() *contentType {
	return &contentType{id: "0x0100A33D9AD9805788419BDAAC2CCB37501E", name: "Incident", about: "Something happened", group: "Custom Content Types"}
}

// newList makes an empty list with the columns that every list has.
func (x *site) newList(r random, title, template string) *list {
	l := &list{site: x, id: r.uuid(), name: strings.ReplaceAll(title, "/", ""), title: title, template: template, created: x.created, changed: x.created, etag: 1, next: 1,
		items: map[int]*listItem{}, columns: baseColumns(), attachments: true,
		types: []*contentType{{id: "0x0100" + strings.ToUpper(strings.ReplaceAll(r.uuid(), "-", "")), name: "Item", about: "Create a new list item.", group: "List Content Types"}}}
	l.types = append(l.types, x.folderContentType(newRand(x.of.s.opt.Seed, "folder type "+l.id, 0)))
	l.views = []*listView{{id: r.uuid(), title: "All Items", query: `<OrderBy><FieldRef Name="ID" /></OrderBy>`, fields: []string{"LinkTitle"}, isDefault: true, rowLimit: 30, paged: true}}
	x.lists = append(x.lists, l)
	return l
}

// newLibraryList makes a library's list, without a drive.
func (x *site) newLibraryList(r random, title, name string) *list {
	l := x.newList(r, title, "documentLibrary")
	l.name, l.versioning, l.attachments = name, true, false
	l.types[0].name, l.types[0].about = "Document", "Create a new document."
	l.types[0].id = "0x0101" + l.types[0].id[6:]
	l.columns[0].required = false
	l.columns = append(l.columns, &column{id: newRand(0, "column FileLeafRef", 0).uuid(), name: "FileLeafRef", title: "Name", kind: "text", required: true})
	return l
}

func (x *site) newLibrary(r random, title, name string, files int) *list {
	l := x.newLibraryList(r, title, name)
	shape := x.of.s.shape.sites
	d := newDrive(x.of.s, x.owner, "library "+l.id, files)
	d.library, d.list, d.site = l, l.id, x.id()
	d.noHistory, d.small = shape.OneEach, shape.FileBytes
	if shape.Sharing > 0 {
		d.sharing = uint64(shape.Sharing)
	}
	l.drive = d
	sv := x.of.s.drives
	sv.mu.Lock()
	sv.drives[d.id] = d
	sv.mu.Unlock()
	return l
}

// newItem adds an item; nothing is logged of what the seed makes.
func (l *list) newItem(at time.Time, by person) *listItem {
	it := &listItem{id: l.next, guid: newRand(l.site.of.s.opt.Seed, "item "+l.id, uint64(l.next)).uuid(), fields: map[string]any{}, contentType: l.types[0].id,
		created: at, changed: at, author: by, editor: by, etag: 1}
	l.items[it.id] = it
	l.next++
	return it
}

// note logs a change of an item, or of the list itself when item is 0.
func (l *list) note(item, kind int) {
	now := l.site.of.s.now().UTC().Truncate(time.Second)
	if kind == changeDelete {
		l.deletedAt = now
	} else {
		l.changed = now
	}
	l.site.log = append(l.site.log, webChange{list: l, item: item, kind: kind, at: now})
	if item != 0 && kind != changeRoleAdd && kind != changeRoleDelete {
		l.log = append(l.log, listChange{item: item, at: now})
	}
	if item == 0 {
		l.etag++
	}
	l.site.touched(now)
}

// touched notes that a site changed, for sites/delta.
func (x *site) touched(at time.Time) {
	x.changed = at
	if x.personal == nil {
		x.of.changes = append(x.of.changes, siteChange{x, at})
	}
}

// touch makes a new version of an item.
func (l *list) touch(it *listItem, by person, fresh bool) {
	if fresh && l.versioning {
		it.versions = append(it.versions, itemVersion{number: it.uiVersion(), fields: cloneFields(it.fields), at: it.changed, by: it.editor})
	}
	it.changed, it.editor = l.site.of.s.now().UTC().Truncate(time.Second), by
	it.etag++
}

func (l *list) sorted() []*listItem {
	out := make([]*listItem, 0, len(l.items))
	for _, it := range l.items {
		out = append(out, it)
	}
	slices.SortFunc(out, func(a, b *listItem) int { return a.id - b.id })
	return out
}

func (x *site) list(key string) *list {
	key = strings.ToLower(strings.Trim(key, "{}"))
	for _, l := range x.lists {
		if l.id == key || strings.ToLower(l.title) == key || strings.ToLower(l.name) == key {
			return l
		}
	}
	return nil
}

// library finds the drive of a site's library by the site's path and the list's id.
func (sv *siteService) library(path, list string) *drive {
	sv.mu.Lock()
	defer sv.mu.Unlock()
	for _, x := range sv.every() {
		if strings.ToLower(strings.Trim(x.path, "/")) != path {
			continue
		}
		for _, l := range x.lists {
			if l.drive != nil && l.id == list {
				return l.drive
			}
		}
	}
	return nil
}

// find gives a site by its id (host,collection,web; the last two or one of them will do), or by its path. mu is held.
func (sv *siteService) find(key string) *site {
	key = strings.ToLower(key)
	for _, x := range sv.sites {
		switch key {
		case strings.ToLower(x.id()), x.collection + "," + x.web, x.web, strings.ToLower(x.path), strings.ToLower(x.url()):
			return x
		case x.collection:
			if x.parent == nil {
				return x
			}
		case "root", x.host():
			if x.path == "" {
				return x
			}
		}
	}
	return sv.personalAt(key)
}

// SetSite opens, locks or removes a site, as SetDrive does a drive.
func (s *Sim) SetSite(key, state string) error {
	s.sites.mu.Lock()
	defer s.sites.mu.Unlock()
	x := s.sites.find(key)
	if x == nil {
		return fmt.Errorf("no site %q", key)
	}
	if state != DriveOpen && state != DriveGone && state != DriveLocked {
		return fmt.Errorf("state %q: want open, gone or locked", state)
	}
	x.setState(state)
	return nil
}

// setState opens, locks or removes a site with its libraries. The service's lock is held.
func (x *site) setState(state string) {
	x.state = state
	x.touched(x.of.s.now().UTC())
	for _, l := range x.lists {
		if l.drive != nil {
			l.drive.mu.Lock()
			l.drive.state = state
			l.drive.mu.Unlock()
		}
	}
}

// SiteInfo tells a site's names.
type SiteInfo struct {
	ID, Path, URL, Title string
	Parent               string // id of the site above
	Lists                map[string]string
}

// Sites lists the sites, personal ones left out.
func (s *Sim) Sites() []SiteInfo {
	s.sites.mu.Lock()
	defer s.sites.mu.Unlock()
	var out []SiteInfo
	for _, x := range s.sites.sites {
		out = append(out, x.info())
	}
	return out
}

func (x *site) info() SiteInfo {
	info := SiteInfo{ID: x.id(), Path: x.path, URL: x.url(), Title: x.title, Lists: map[string]string{}}
	if x.parent != nil {
		info.Parent = x.parent.id()
	}
	for _, l := range x.lists {
		info.Lists[l.title] = l.id
	}
	return info
}
