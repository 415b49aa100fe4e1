package sim

import (
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

// controlRoutes are the drives' endpoints of the control port:
//
//	GET|POST /drives/settings       lives of addresses and tokens, retired pre-authentication
//	POST|DELETE /drives/faults      see DriveFault
//	POST /drives/{user}/flag        {"path", "malware", "locked"}
//	POST /drives/{user}/state       {"state": "open", "gone" or "locked"}
//	POST /drives/{user}/churn       {"changes", "seed"}
//	GET  /oracle/drives/{user}      the whole state, one JSON line an item in order of path; ?sha256=1 adds sums
//	GET  /oracle/drives/{user}/served   every version served
func (d *driveService) controlRoutes() {
	handle := func(pattern string, fn func(r *http.Request, x *drive) (any, error), withDrive bool) {
		d.s.control.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			var x *drive
			if withDrive {
				u := d.s.dir.find(r.PathValue("user"))
				if u != nil {
					x = d.of(u)
				}
				if x == nil {
					controlError(w, http.StatusNotFound, errors.New("no such user, or the user has no drive"))
					return
				}
			}
			v, err := fn(r, x)
			if err != nil {
				controlError(w, http.StatusBadRequest, err)
				return
			}
			controlJSON(w, v)
		})
	}
	handle("GET /drives/settings", func(*http.Request, *drive) (any, error) { return d.set(), nil }, false)
	handle("POST /drives/settings", func(r *http.Request, _ *drive) (any, error) {
		in := d.set()
		if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
			return nil, err
		}
		d.s.SetDrives(in)
		return in, nil
	}, false)
	handle("POST /drives/faults", func(r *http.Request, _ *drive) (any, error) {
		var in DriveFault
		if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
			return nil, err
		}
		return in, d.s.AddDriveFault(in)
	}, false)
	handle("DELETE /drives/faults", func(*http.Request, *drive) (any, error) {
		d.s.ClearDriveFaults()
		return map[string]any{}, nil
	}, false)
	handle("POST /drives/{user}/flag", func(r *http.Request, x *drive) (any, error) {
		var in struct {
			Path    string `json:"path"`
			Malware bool   `json:"malware"`
			Locked  bool   `json:"locked"`
		}
		if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
			return nil, err
		}
		return in, x.flag(in.Path, in.Malware, in.Locked)
	}, true)
	handle("POST /drives/{user}/state", func(r *http.Request, _ *drive) (any, error) {
		var in struct {
			State string `json:"state"`
		}
		if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
			return nil, err
		}
		return in, d.s.SetDrive(r.PathValue("user"), in.State)
	}, true)
	handle("POST /drives/{user}/churn", func(r *http.Request, x *drive) (any, error) {
		var in struct {
			Changes int    `json:"changes"`
			Seed    uint64 `json:"seed"`
		}
		if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
			return nil, err
		}
		return d.churn(x, in.Changes, in.Seed), nil
	}, true)
	d.s.control.HandleFunc("GET /oracle/drives/{user}", func(w http.ResponseWriter, r *http.Request) {
		rows, err := d.s.DumpDrive(r.PathValue("user"), r.URL.Query().Get("sha256") != "")
		if err != nil {
			controlError(w, http.StatusNotFound, err)
			return
		}
		w.Header().Set("Content-Type", "application/x-ndjson")
		enc := json.NewEncoder(w)
		enc.SetEscapeHTML(false)
		for _, row := range rows {
			if enc.Encode(row) != nil {
				return // the reader has gone
			}
		}
	})
	handle("GET /oracle/drives/{user}/served", func(_ *http.Request, x *drive) (any, error) { return d.servedBy(x) }, true)
}

// SetDrives changes the settings of all drives.
func (s *Sim) SetDrives(in DriveSettings) {
	s.drives.mu.Lock()
	defer s.drives.mu.Unlock()
	s.drives.settings = in
}

func (d *drive) at(path string) (*node, error) {
	n := d.mustGet(0)
	for p := range strings.SplitSeq(strings.Trim(path, "/"), "/") {
		if p == "" {
			continue
		}
		next, ok := d.child(n.key, p)
		if !ok {
			return nil, fmt.Errorf("no item %q in %q", p, path)
		}
		n = next
	}
	return n, nil
}

func (d *drive) flag(path string, malware, locked bool) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	n, err := d.at(path)
	if err != nil {
		return err
	}
	n, _ = d.own(n.key)
	n.locked = locked
	n.malware = ""
	if malware {
		n.malware = "Virus:EICAR_Test_File"
	}
	n.etag++
	d.note(n, false)
	return nil
}

// DriveRow is one item in a dump of a drive. Tags, service times and editors are left out, so that, but for ID, the dump of
// a restored drive can be compared with the dump from before.
type DriveRow struct {
	Path        string         `json:"path"`
	ID          string         `json:"id"`
	Folder      bool           `json:"folder,omitempty"`
	Size        int64          `json:"size"`
	QuickXor    string         `json:"quickXorHash,omitempty"`
	SHA256      string         `json:"sha256,omitempty"`
	Created     time.Time      `json:"created"`
	Modified    time.Time      `json:"modified"`
	Description string         `json:"description,omitempty"`
	Versions    []DriveVersion `json:"versions,omitempty"` // oldest first
	Grants      []DriveGrant   `json:"grants,omitempty"`
	Alone       bool           `json:"alone,omitempty"` // of a library: inherits no permissions
	Malware     bool           `json:"malware,omitempty"`
	Columns     map[string]any `json:"columns,omitempty"`   // of a file or folder of a library, as Graph writes them
	CreatedBy   string         `json:"createdBy,omitempty"` // of a file of a library: address, or "application"
	ModifiedBy  string         `json:"modifiedBy,omitempty"`
}

// DriveVersion is one version in a dump.
type DriveVersion struct {
	Size     int64     `json:"size"`
	QuickXor string    `json:"quickXorHash"`
	SHA256   string    `json:"sha256,omitempty"`
	Modified time.Time `json:"modified"`
	By       string    `json:"by"` // address of who made it, or "application"
}

// DriveGrant is one permission of an item's own in a dump.
type DriveGrant struct {
	People  []string   `json:"people,omitempty"`
	Group   string     `json:"group,omitempty"` // of SharePoint's own
	Role    string     `json:"role"`
	Link    string     `json:"link,omitempty"`
	Scope   string     `json:"scope,omitempty"`
	Expires *time.Time `json:"expires,omitempty"`
}

// DumpDrive is the full state of a user's drive in order of path, without the root. sums adds the SHA-256 of each version, which reads all
// content.
func (s *Sim) DumpDrive(user string, sums bool) ([]DriveRow, error) {
	u := s.dir.find(user)
	if u == nil {
		return nil, fmt.Errorf("no user %q", user)
	}
	x := s.drives.of(u)
	if x == nil {
		return nil, fmt.Errorf("user %q has no drive", user)
	}
	return x.dump(sums)
}

func (x *drive) dump(sums bool) ([]DriveRow, error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	rows := []DriveRow{}
	var failed error
	x.subtree(0, func(n *node) {
		row, err := x.row(n, sums)
		failed = errors.Join(failed, err)
		rows = append(rows, row)
	})
	slices.SortFunc(rows, func(a, b DriveRow) int { return strings.Compare(a.Path, b.Path) })
	return rows, failed
}

// personName is an address, or "application".
func (d *driveService) personName(p person) string {
	if p == theApp {
		return "application"
	}
	return d.user(p).UPN
}

func (d *drive) row(n *node, sums bool) (DriveRow, error) {
	row := DriveRow{Path: strings.Join(d.path(n), "/"), ID: d.itemID(n.key), Folder: n.folder, Size: n.size(), Created: n.created, Modified: n.modified, Description: n.description, Alone: n.alone, Malware: n.malware != ""}
	if d.library != nil && n.key != 0 {
		row.Columns = d.library.columnRow(n)
	}
	if d.library != nil && !n.folder {
		row.CreatedBy, row.ModifiedBy = d.s.drives.personName(n.creator), d.s.drives.personName(n.editor)
	}
	for i := range n.versions {
		v := &n.versions[i]
		out := DriveVersion{Size: v.content.size, QuickXor: hashString(v.content.quickXor(d.s.drives.corpus)), Modified: v.at, By: d.s.drives.personName(v.by)}
		if sums {
			sum, err := v.content.sum(d.s)
			if err != nil {
				return row, err
			}
			out.SHA256 = hex.EncodeToString(sum[:])
		}
		row.Versions = append(row.Versions, out)
		row.QuickXor, row.SHA256 = out.QuickXor, out.SHA256
	}
	for _, g := range n.grants {
		out := DriveGrant{People: slices.Sorted(slices.Values(g.people)), Role: g.role, Link: g.link, Scope: g.scope}
		if g.group != 0 {
			out.Group = d.library.site.principal(g.group).title
		}
		if !g.expires.IsZero() {
			out.Expires = &g.expires
		}
		row.Grants = append(row.Grants, out)
	}
	slices.SortFunc(row.Grants, func(a, b DriveGrant) int {
		return strings.Compare(a.Link+a.Scope+a.Role+a.Group+strings.Join(a.People, ","), b.Link+b.Scope+b.Role+b.Group+strings.Join(b.People, ","))
	})
	return row, nil
}

// servedBy lists every version of every item of a drive that was served.
func (d *driveService) servedBy(x *drive) ([]Served, error) {
	out := []Served{}
	err := d.s.oracle.each(hash64(x.id), 0, func(r ServedRecord) error {
		out = append(out, Served{Time: r.Time, Kind: r.Kind.String(), Owner: x.owner.UPN, Item: x.itemID(r.Item), Version: r.Version, Size: r.Size, SHA256: hex.EncodeToString(r.Sum[:])})
		return nil
	})
	return out, err
}

// DriveChurn counts what a churn did.
type DriveChurn struct {
	Created int `json:"created"`
	Edited  int `json:"edited"`
	Renamed int `json:"renamed"`
	Moved   int `json:"moved"`
	Deleted int `json:"deleted"`
	Shared  int `json:"shared"`
}

// churn changes a drive as its users would: new files, edits, renames, moves, deletions, sharing.
func (d *driveService) churn(x *drive, changes int, seed uint64) DriveChurn {
	x.mu.Lock()
	defer x.mu.Unlock()
	r := newRand(d.s.opt.Seed, "drive churn", x.seed, seed, x.seq())
	var out DriveChurn
	for i := 0; i < changes; i++ {
		n, ok := x.someItem(r)
		if !ok {
			break
		}
		switch roll := r.IntN(20); {
		case roll < 5 || n.key == 0:
			folder := n
			if !n.folder {
				folder = x.mustGet(n.parent)
			}
			name := "New " + strconv.FormatUint(r.Uint64()%1_000_000, 36) + pick(r, fileKinds).ext
			if _, taken := x.child(folder.key, name); taken || x.checkName(folder, name) != nil {
				continue
			}
			if r.IntN(8) == 0 {
				x.newFolder(folder.key, name)
			} else {
				made := x.newFile(folder.key, name, randomContent(r, name))
				made.creator, made.editor = x.ownerPerson(), x.ownerPerson()
			}
			out.Created++
		case roll < 12 && !n.folder && !n.locked:
			n, _ = x.own(n.key)
			d.edit(x, n, r.Uint64())
			out.Edited++
		case roll < 14:
			name := "Renamed " + strconv.FormatUint(r.Uint64()%1_000_000, 36)
			if at := strings.LastIndexByte(n.name, '.'); at > 0 && !n.folder {
				name += n.name[at:]
			}
			if _, taken := x.child(n.parent, name); taken || x.checkName(x.mustGet(n.parent), name) != nil {
				continue
			}
			n, _ = x.own(n.key)
			x.relocate(n, n.parent, name)
			n.etag++
			n.changed = d.s.now().UTC().Truncate(time.Second)
			x.note(n, false)
			out.Renamed++
		case roll < 16:
			to, ok := x.someItem(r)
			if !ok || !to.folder || to.key == n.parent || n.folder && x.below(to.key, n.key) || x.checkName(to, n.name) != nil {
				continue
			}
			if _, taken := x.child(to.key, n.name); taken {
				continue
			}
			n, _ = x.own(n.key)
			x.relocate(n, to.key, n.name)
			n.etag++
			n.changed = d.s.now().UTC().Truncate(time.Second)
			x.note(n, false)
			out.Moved++
		case roll < 18:
			if n.folder && x.childCount(n.key) > 20 {
				continue
			}
			x.remove(n)
			out.Deleted++
		default:
			n, _ = x.own(n.key)
			u := d.user(person(r.IntN(d.people())))
			if slices.ContainsFunc(n.grants, func(g grantee) bool { return g.link == "" && slices.Contains(g.people, u.Mail) }) {
				continue // the service keeps one direct grant of a person
			}
			n.grants = append(slices.Clone(n.grants), grantee{id: x.grantID(n.key, 1000+x.seq()), people: []string{u.Mail}, role: "read"})
			x.sharingChanged(n)
			out.Shared++
		}
	}
	return out
}

// ChurnDrive changes a user's drive in so many places.
func (s *Sim) ChurnDrive(user string, changes int, seed uint64) (DriveChurn, error) {
	u := s.dir.find(user)
	if u == nil {
		return DriveChurn{}, fmt.Errorf("no user %q", user)
	}
	x := s.drives.of(u)
	if x == nil {
		return DriveChurn{}, fmt.Errorf("user %q has no drive", user)
	}
	return s.drives.churn(x, changes, seed), nil
}

// someItem picks an item, the root now and then.
func (d *drive) someItem(r random) (*node, bool) {
	for range 50 {
		total := d.n + 1 + (d.nextKey - newBase)
		key := r.Uint64() % total
		if key > d.n {
			key = newBase + key - d.n - 1
		}
		if n, ok := d.get(key); ok {
			return n, true
		}
	}
	return nil, false
}

func randomContent(r random, name string) content {
	size := int64(r.around(40 << 10))
	if size == 0 {
		return content{kind: contentEmpty}
	}
	kind := contentBinary
	if strings.HasSuffix(name, ".txt") || strings.HasSuffix(name, ".md") || strings.HasSuffix(name, ".csv") {
		kind = contentText
	}
	return content{kind: kind, size: size, seed: r.Uint64()}
}

// edit gives a file a new version.
func (d *driveService) edit(x *drive, n *node, seed uint64) {
	now := d.s.now().UTC().Truncate(time.Second)
	x.addVersion(n, randomContent(newRand(seed, "drive edit", n.key), n.name), x.ownerPerson(), now)
	n.modified, n.changed, n.editor = now, now, x.ownerPerson()
	n.etag++
	n.ctag++
	x.note(n, false)
}
