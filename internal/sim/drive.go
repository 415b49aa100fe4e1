package sim

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"
)

// driveService is OneDrive for Business and the document libraries of sites: one drive per user and per library, by Graph and by SharePoint's own
// _api/v2.0.
type driveService struct {
	s         *Sim
	corpus    *documents
	everybody []*User          // as the tenant began; persons are indexes
	bySite    map[string]*User // by the name of the personal site
	key       [32]byte         // signs pre-authenticated addresses and delta tokens

	mu       sync.Mutex        // guards all below
	drives   map[string]*drive // by id
	byUser   map[string]*drive
	uploads  map[string]*upload
	copies   map[string]string // monitor id -> resource id
	sums     map[uint64][32]byte
	settings DriveSettings

	faults driveFaults
}

// DriveSettings are switches of the drives that POST /drives/settings changes.
type DriveSettings struct {
	// DownloadLife is how long a download address is good, default one hour.
	DownloadLife Duration `json:"downloadLife"`
	// UploadLife is how long an upload session is good, default 24 hours (the service says days; it is not promised).
	UploadLife Duration `json:"uploadLife"`
	// DeltaLife is how long a delta token is good, default 60 days, SharePoint's change log.
	DeltaLife Duration `json:"deltaLife"`
	// TempAuthRetired hands out download and upload addresses that are not pre-authenticated and ask for a token of the
	// SharePoint host, as Microsoft announced for 1 April 2027.
	TempAuthRetired bool `json:"tempAuthRetired"`
	// FolderDeleteOnly reports the deletion of a folder as one row, not one for each item below it.
	FolderDeleteOnly bool `json:"folderDeleteOnly"`
}

// Duration is a time.Duration that is a Go duration string in JSON.
type Duration time.Duration

// MarshalText writes "1h0m0s".
func (d Duration) MarshalText() ([]byte, error) { return []byte(time.Duration(d).String()), nil }

// UnmarshalText reads "90m".
func (d *Duration) UnmarshalText(b []byte) error {
	v, err := time.ParseDuration(string(b))
	*d = Duration(v)
	return err
}

func defaultDriveSettings() DriveSettings {
	return DriveSettings{DownloadLife: Duration(time.Hour), UploadLife: Duration(24 * time.Hour), DeltaLife: Duration(60 * 24 * time.Hour)}
}

func (s *Sim) initDrives() error {
	docs, err := loadDocuments(s.opt.Corpus)
	if err != nil {
		return err
	}
	d := &driveService{s: s, corpus: docs, drives: map[string]*drive{}, byUser: map[string]*drive{}, uploads: map[string]*upload{},
		copies: map[string]string{}, everybody: s.dir.all(), bySite: map[string]*User{}, sums: map[uint64][32]byte{}, settings: defaultDriveSettings()}
	for _, u := range d.everybody {
		d.bySite[personal(u)] = u
	}
	copy(d.key[:], newRand(s.opt.Seed, "drive keys").bytes(32))
	s.drives = d
	s.limiters[ClassSharePoint] = newSharePointLimiter(s)
	d.controlRoutes()
	return nil
}

func (d *driveService) people() int { return len(d.everybody) }

func (d *driveService) user(p person) *User {
	return d.everybody[min(max(int(p), 0), len(d.everybody)-1)]
}

// provisioned says whether a user ever got a drive: one in ten never opened OneDrive, the first nine always did. Guests have none.
func (d *driveService) provisioned(u *User) bool { return u.Index%10 != 9 && !u.guest }

// of returns a user's drive, or nil if it was never provisioned.
func (d *driveService) of(u *User) *drive {
	if !d.provisioned(u) {
		return nil
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if x := d.byUser[u.ID]; x != nil {
		return x
	}
	n := d.s.shape.files
	if d.s.shape.large && u.Index == 0 && d.s.opt.FilesPer == 0 {
		n = 1_000_000
	}
	x := newDrive(d.s, u, u.ID, n)
	d.byUser[u.ID] = x
	d.drives[x.id] = x
	return x
}

// find returns the drive with an id.
func (d *driveService) find(id string) *drive {
	d.mu.Lock()
	x := d.drives[id]
	d.mu.Unlock()
	if x != nil {
		return x
	}
	for _, u := range d.s.dir.all() { // drives are made when they are first asked for
		if x := d.of(u); x != nil && x.id == id {
			return x
		}
	}
	return nil
}

// driveID is the id of a user's drive, empty if it was never provisioned.
func (s *Sim) driveID(u *User) string {
	if d := s.drives.of(u); d != nil {
		return d.id
	}
	return ""
}

func (s *Sim) driveHost() string { return s.opt.Tenant + "-my." + s.cloud.sharePoint }

// personal is the name of a user's site below /personal.
func personal(u *User) string {
	return strings.NewReplacer("@", "_", ".", "_").Replace(strings.ToLower(u.UPN))
}

// host is the name of the host that serves the drive's content.
func (d *drive) host() string {
	if d.library != nil {
		return d.library.site.host()
	}
	return d.s.driveHost()
}

// sitePath is the path of the drive's site, without slashes at its ends, in lower case.
func (d *drive) sitePath() string {
	if d.library != nil {
		return strings.ToLower(strings.Trim(d.library.site.path, "/"))
	}
	return "personal/" + personal(d.owner)
}

// siteURL is the address of the drive's site.
func (d *drive) siteURL() string {
	if d.library != nil {
		return d.library.site.url()
	}
	return "https://" + d.host() + "/" + d.sitePath()
}

func (d *drive) webURL() string {
	if d.library != nil {
		return d.library.webURL()
	}
	return d.siteURL() + "/Documents"
}

// kind is the drive's driveType.
func (d *drive) kind() string {
	if d.library != nil {
		return "documentLibrary"
	}
	return "business"
}

// calledSite is the path of the site below which a call to a SharePoint host is, as sitePath has it.
func calledSite(c *Call) string {
	path, err := url.PathUnescape(c.Path)
	if err != nil {
		path = c.Path
	}
	before, _, _ := strings.Cut(path, "/_")
	return strings.ToLower(strings.Trim(before, "/"))
}

func base64URL(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

// sign makes a short proof that a text came from this simulator.
func (d *driveService) sign(text string) string {
	m := hmac.New(sha256.New, d.key[:])
	m.Write([]byte(text))
	return base64URL(m.Sum(nil)[:16])
}

var (
	driveRead  = []string{"Files.Read.All", "Files.ReadWrite.All", "Sites.Read.All", "Sites.ReadWrite.All"}
	driveWrite = []string{"Files.ReadWrite.All", "Sites.ReadWrite.All"}
	// driveUpload: Microsoft's permission table lists only this one for createUploadSession.
	driveUpload = []string{"Sites.ReadWrite.All"}
)

// maxSimpleUpload bounds the body of PUT content. The service takes 250 MB; a body is held in memory here.
const maxSimpleUpload = 64 << 20

func (s *Sim) driveRoutes() []Route {
	var out []Route
	for _, base := range []struct {
		host    HostKind
		pattern string
	}{
		{HostGraph, "/v1.0/drives/{drive}"},
		{HostGraph, "/v1.0/users/{user}/drive"},
		{HostSharePoint, "/_api/v2.0/drives/{drive}"},
	} {
		add := func(method, pattern string, permissions []string, max int64) {
			out = append(out, Route{Host: base.host, Method: method, Pattern: base.pattern + pattern, Class: ClassSharePoint,
				Permissions: permissions, MaxBody: max, Handle: s.drives.faulty(s.drives.handle)})
		}
		// The named patterns are there for statistics and permissions; handle reads the address itself.
		for _, p := range []string{"", "/root", "/root/delta", "/root/children", "/items/{item}", "/items/{item}/children", "/items/{item}/delta", "/items/{item}/content",
			"/items/{item}/versions", "/items/{item}/versions/{version}", "/items/{item}/versions/{version}/content",
			"/items/{item}/permissions", "/items/{item}/permissions/{permission}", "/{rest...}"} {
			add("GET", p, driveRead, 0)
		}
		for _, p := range []string{"/root/children", "/items/{item}/children", "/items/{item}/copy", "/items/{item}/invite", "/items/{item}/createLink",
			"/items/{item}/versions/{version}/restoreVersion", "/{rest...}"} {
			add("POST", p, driveWrite, 0)
		}
		add("POST", "/items/{item}/createUploadSession", driveUpload, 0)
		for _, p := range []string{"/items/{item}/content", "/{rest...}"} {
			add("PUT", p, driveWrite, maxSimpleUpload)
		}
		for _, method := range []string{"PATCH", "DELETE"} {
			for _, p := range []string{"/items/{item}", "/items/{item}/permissions/{permission}", "/{rest...}"} {
				add(method, p, driveWrite, 0)
			}
		}
	}
	graph := func(method, pattern string, h Handler) {
		out = append(out, Route{Host: HostGraph, Method: method, Pattern: pattern, Class: ClassSharePoint, Permissions: driveRead, Handle: s.drives.faulty(h)})
	}
	graph("GET", "/v1.0/users/{user}/drives", s.drives.listDrives)
	for _, at := range []string{"/personal/{site}", "", "/sites/{site}", "/sites/{site}/{web}"} {
		for _, method := range []string{"GET", "HEAD"} {
			out = append(out, Route{Host: HostSharePoint, Method: method, Pattern: at + "/_layouts/15/download.aspx", Class: ClassSharePoint,
				Public: true, Handle: s.drives.faulty(s.drives.download)})
		}
		for _, method := range []string{"PUT", "GET", "DELETE", "POST"} {
			out = append(out, Route{Host: HostSharePoint, Method: method, Pattern: at + "/_api/v2.0/uploadSessions/{session}", Class: ClassSharePoint,
				Public: true, MaxBody: maxFragment + 1, Handle: s.drives.faulty(s.drives.uploadFragment)})
		}
		out = append(out, Route{Host: HostSharePoint, Method: "GET", Pattern: at + "/_api/v2.0/monitor/{operation}", Class: ClassSharePoint,
			Public: true, Handle: s.drives.monitor})
	}
	return out
}

func notFound() *Error { return Fail(404, "itemNotFound", "The resource could not be found.") }

// driveOf finds the drive that a call names.
func (d *driveService) driveOf(c *Call) (*drive, error) {
	if id, ok := c.Params["drive"]; ok {
		if x := d.find(id); x != nil {
			return x, nil
		}
		if !strings.HasPrefix(id, "b!") {
			return nil, Fail(400, "invalidRequest", "The provided drive id appears to be malformed, or does not represent a valid drive.")
		}
		return nil, Fail(404, "itemNotFound", "The specified drive was not found.")
	}
	u, err := d.s.user(c)
	if err != nil {
		return nil, err
	}
	x := d.of(u)
	if x == nil {
		return nil, Fail(404, "ResourceNotFound", "User's mysite not found.")
	}
	return x, nil
}

// scope is the owner's id of the drive that a call names, for faults and statistics.
func (d *driveService) scope(c *Call) string {
	x := (*drive)(nil)
	if id := c.Params["drive"]; id != "" {
		x = d.find(id)
	} else if c.host == HostSharePoint {
		x = d.siteDrive(c)
	}
	if x == nil {
		return ""
	}
	return x.owner.ID
}

// States of a drive, see SetDrive.
const (
	DriveOpen   = "open"
	DriveGone   = "gone"   // answers 404, as after the end of its retention
	DriveLocked = "locked" // the whole site is locked: 423
)

// SetDrive opens, locks or removes a user's drive with the site that it is in; its content stays for a later return. A drive outlives the licence of its owner.
func (s *Sim) SetDrive(user, state string) error {
	u := s.dir.find(user)
	if u == nil {
		return fmt.Errorf("no user %q", user)
	}
	x := s.drives.of(u)
	if x == nil {
		return fmt.Errorf("user %q has no drive", user)
	}
	if state != DriveOpen && state != DriveGone && state != DriveLocked {
		return fmt.Errorf("state %q: want open, gone or locked", state)
	}
	s.sites.mu.Lock()
	defer s.sites.mu.Unlock()
	s.sites.personalOf(u).setState(state)
	return nil
}

// reachable refuses calls on a drive that is gone or locked. The drive's lock is held.
func (d *drive) reachable() error {
	switch d.state {
	case DriveGone:
		return Fail(404, "itemNotFound", "The resource could not be found.")
	case DriveLocked:
		return Fail(423, "resourceLocked", "The site is locked.")
	}
	return nil
}

// drivePath is the part of a path that follows the drive.
type drivePath struct {
	id    string   // of the item, "root", or empty for the drive itself
	names []string // path below it
	raw   []string // what is asked of it: children, versions/1.0/content …
}

// splitDrivePath reads "root", "root:/a/b:/children", "items/ID", "items/ID:/a:/content" and the like.
func splitDrivePath(c *Call) (p drivePath, err error) {
	segs := pathSegments(c.Path)
	skip := 3 // v1.0/drives/{id}
	if c.host == HostSharePoint || len(segs) > 1 && strings.EqualFold(segs[1], "users") {
		skip = 4 // _api/v2.0/drives/{id}, v1.0/users/{id}/drive
	}
	segs = segs[min(skip, len(segs)):]
	if len(segs) == 0 {
		return p, nil
	}
	byPath := false
	switch first := strings.ToLower(segs[0]); {
	case first == "root" || first == "root:":
		p.id, byPath = "root", first == "root:"
	case first == "items" && len(segs) > 1:
		segs = segs[1:]
		id, err := url.PathUnescape(segs[0])
		if err != nil {
			return p, notFound()
		}
		if p.id, byPath = strings.CutSuffix(id, ":"); p.id == "" {
			return p, notFound()
		}
	default:
		return p, Fail(400, "invalidRequest", "Resource not found for the segment '%s'.", segs[0])
	}
	segs = segs[1:]
	for byPath && len(segs) > 0 {
		name := segs[0]
		segs = segs[1:]
		last := strings.HasSuffix(name, ":")
		if name, err = url.PathUnescape(strings.TrimSuffix(name, ":")); err != nil {
			return p, Fail(400, "invalidRequest", "The path is malformed.")
		}
		if name != "" {
			p.names = append(p.names, name)
		}
		if last {
			break
		}
	}
	for _, t := range segs {
		if u, err := url.PathUnescape(t); err == nil {
			t = u
		}
		p.raw = append(p.raw, t)
	}
	return p, nil
}

// tail is what is asked of the item, in lower case.
func (p drivePath) tail() string { return strings.ToLower(strings.Join(p.raw, "/")) }

// address is a drive path on its drive.
type address struct {
	drivePath
	drive *drive
	base  uint64 // key of the item by id, 0 for the root
}

// parse reads the address in a path.
func (d *driveService) parse(c *Call) (*address, error) {
	x, err := d.driveOf(c)
	if err != nil {
		return nil, err
	}
	a := &address{drive: x}
	if a.drivePath, err = splitDrivePath(c); err != nil {
		return nil, err
	}
	if a.id != "" {
		key, ok := x.itemKey(a.id)
		if !ok {
			return nil, notFound()
		}
		a.base = key
	}
	return a, nil
}

// item finds the item of an address. The drive's lock is held.
func (a *address) item() (*node, error) {
	n, ok := a.drive.get(a.base)
	if !ok {
		return nil, notFound()
	}
	for _, name := range a.names {
		if n, ok = a.drive.child(n.key, name); !ok {
			return nil, notFound()
		}
	}
	return n, nil
}

// parent finds the folder that the last name of a path address lies in and makes missing folders on the way, as the
// service does for uploads.
func (a *address) parent(d *driveService, create bool) (folder *node, name string, err error) {
	n, ok := a.drive.get(a.base)
	if !ok || len(a.names) == 0 {
		return nil, "", notFound()
	}
	for _, part := range a.names[:len(a.names)-1] {
		next, ok := a.drive.child(n.key, part)
		switch {
		case !ok && !create:
			return nil, "", notFound()
		case !ok:
			if err := a.drive.checkName(n, part); err != nil {
				return nil, "", err
			}
			next = a.drive.newFolder(n.key, part)
		case !next.folder:
			return nil, "", Fail(409, "nameAlreadyExists", "A file is in the way of the path.")
		}
		n = next
	}
	if !n.folder {
		return nil, "", Fail(400, "invalidRequest", "The parent is not a folder.")
	}
	return n, a.names[len(a.names)-1], nil
}

// handle serves every call on a drive and its items.
func (d *driveService) handle(c *Call) (*Reply, error) {
	a, err := d.parse(c)
	if err != nil {
		return nil, err
	}
	c.User = a.drive.owner
	if a.drive.library != nil && strings.Contains(c.Query.Get("$expand"), "listItem") { // its columns are the site's
		d.s.sites.mu.Lock()
		defer d.s.sites.mu.Unlock()
	}
	a.drive.mu.Lock()
	defer a.drive.mu.Unlock()
	if err := a.drive.reachable(); err != nil {
		return nil, err
	}
	if a.id == "" {
		if c.Method != http.MethodGet {
			return nil, Fail(400, "invalidRequest", "The request is not supported for a drive.")
		}
		return a.drive.get200(c)
	}
	tail := a.tail()
	if c.Method == http.MethodPost && tail == "createuploadsession" {
		return d.createUploadSession(c, a)
	}
	if c.Method == http.MethodPut && tail == "content" {
		return d.putContent(c, a)
	}
	n, err := a.item()
	if err != nil {
		return nil, err
	}
	if parts := strings.SplitN(tail, "/", 3); len(parts) > 1 { // versions/{id}/…, permissions/{id}
		parts[1] = "*"
		tail = strings.Join(parts, "/")
	} else if name, _, ok := strings.Cut(tail, "("); ok && name == "delta" { // delta(token='…')
		tail = name
	}
	verb := c.Method + " " + tail
	switch verb {
	case "GET ":
		return d.getItem(c, a, n)
	case "GET children":
		return d.getChildren(c, a, n)
	case "GET delta":
		return d.delta(c, a, n)
	case "GET content":
		return d.getContent(c, a, n)
	case "GET versions":
		return d.getVersions(c, a, n)
	case "GET versions/*":
		return d.getVersion(c, a, n)
	case "GET versions/*/content":
		return d.getVersionContent(c, a, n)
	case "POST versions/*/restoreversion":
		return d.restoreVersion(c, a, n)
	case "GET permissions":
		return d.getPermissions(c, a, n)
	case "GET permissions/*":
		return d.getPermission(c, a, n)
	case "PATCH permissions/*":
		return d.patchPermission(c, a, n)
	case "DELETE permissions/*":
		return d.deletePermission(c, a, n)
	case "POST invite":
		return d.invite(c, a, n)
	case "POST createlink":
		return d.createLink(c, a, n)
	case "POST children":
		return d.postChildren(c, a, n)
	case "POST copy":
		return d.copyItem(c, a, n)
	case "PATCH ":
		return d.patchItem(c, a, n)
	case "DELETE ":
		return d.deleteItem(c, a, n)
	}
	last := "the path"
	if len(a.raw) > 0 {
		last = a.raw[len(a.raw)-1]
	}
	return nil, Fail(400, "invalidRequest", "The request is not supported for the segment '%s'.", last)
}

func (d *driveService) listDrives(c *Call) (*Reply, error) {
	u, err := d.s.user(c)
	if err != nil {
		return nil, err
	}
	rows := []any{}
	x := d.of(u)
	if x == nil {
		return nil, Fail(404, "ResourceNotFound", "User's mysite not found.")
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	if err := x.reachable(); err != nil {
		return nil, err
	}
	return JSON(200, map[string]any{"@odata.context": c.URL("/v1.0/$metadata#drives"), "value": append(rows, x.json(c))}), nil
}

// preconditions checks If-Match and If-None-Match against an item's tags.
func (d *drive) preconditions(c *Call, n *node) error {
	matches := func(list string) bool {
		for t := range strings.SplitSeq(list, ",") { // tags contain a comma, so both whole and parts are looked at
			if strings.TrimSpace(t) == "*" {
				return true
			}
		}
		for _, tag := range []string{d.eTag(n), d.cTag(n)} {
			if strings.Contains(list, tag) {
				return true
			}
		}
		return false
	}
	if v := c.Header.Get("If-Match"); v != "" && !matches(v) {
		return Fail(412, "resourceModified", "ETag does not match current item's value")
	}
	if v := c.Header.Get("If-None-Match"); v != "" && matches(v) {
		if c.Method == http.MethodGet {
			return &Error{Status: http.StatusNotModified, Empty: true}
		}
		return Fail(412, "resourceModified", "ETag matches current item's value")
	}
	return nil
}

// writable refuses changes of a locked item.
func writable(n *node) error {
	if n.locked {
		return Fail(423, "resourceLocked", "The resource you are attempting to access is locked")
	}
	return nil
}

func (d *drive) ownerPerson() person { return person(d.owner.Index) }

func itoa(n int64) string { return strconv.FormatInt(n, 10) }
