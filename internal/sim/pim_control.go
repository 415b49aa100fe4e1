package sim

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"time"
)

// PIMRow is a contact, an event or a task in a dump. What the service gives by itself stands apart, so that the rest can be compared with
// what a restore made.
type PIMRow struct {
	Kind     string    `json:"kind"` // contact, event, todoTask
	ID       string    `json:"id"`   // immutable
	Version  uint64    `json:"version"`
	Folder   string    `json:"folder"` // its name, for contact folders the path
	Created  time.Time `json:"created"`
	Modified time.Time `json:"modified"`

	Props       map[string]any      `json:"props"` // as JSON has them, times of events in the zones in which they were set
	Extended    map[string]string   `json:"extended,omitempty"`
	Photo       string              `json:"photo,omitempty"`       // SHA-256
	Attachments []string            `json:"attachments,omitempty"` // kind, name, type, SHA-256
	Exceptions  map[string]PIMRow   `json:"exceptions,omitempty"`  // by the date that the rule gives
	Cancelled   []string            `json:"cancelled,omitempty"`   // dates
	Organizer   string              `json:"organizer,omitempty"`
	Parts       map[string][]string `json:"parts,omitempty"` // of tasks: JSON of each, without ids
}

var shelfKinds = []*shelfKind{contactsKind, calendarKind, todoKind}

// DumpPIM calls fn for every contact, event and task of a mailbox.
func (s *Sim) DumpPIM(user string, fn func(PIMRow) error) error {
	b, err := s.mailboxOf(user)
	if err != nil {
		return err
	}
	b.mu.Lock()
	var rows []PIMRow
	for _, kind := range shelfKinds {
		sh := b.shelf(kind)
		for _, f := range sh.all() {
			for _, k := range sh.keys(f) {
				row, err := sh.row(sh.get(k))
				if err != nil {
					b.mu.Unlock()
					return err
				}
				row.Folder = sh.path(f)
				rows = append(rows, row)
			}
		}
	}
	b.mu.Unlock()
	for _, r := range rows {
		if err := fn(r); err != nil {
			return err
		}
	}
	return nil
}

// path is the name of a folder, below those of the folders that it is in.
func (s *shelf) path(f *pimFolder) string {
	name := f.name(s.kind)
	if s.kind == contactsKind && f.parent != 0 {
		return s.path(s.folders[f.parent-1]) + "/" + name
	}
	return name
}

func (s *shelf) row(it *pimItem) (PIMRow, error) {
	row := PIMRow{Kind: s.kind.item, ID: s.itemID(it, 0, true), Version: it.version, Created: it.created, Modified: it.modified, Props: it.props, Extended: it.ext}
	if it.photo != nil {
		data, err := s.b.s.load(*it.photo)
		if err != nil {
			return row, err
		}
		sum := sha(data)
		row.Photo = hex.EncodeToString(sum[:])
	}
	if it.organizer != nil {
		row.Organizer = it.organizer.Address
	}
	var err error
	if row.Attachments, err = s.attachmentRows(it.attachments); err != nil {
		return row, err
	}
	for _, d := range slices.Sorted(maps.Keys(it.cancelled)) {
		row.Cancelled = append(row.Cancelled, dateOf(d).Format(time.DateOnly))
	}
	for d := range it.exceptions {
		o, _, err := s.occurrence(it, d)
		if err != nil {
			return row, err
		}
		o.exceptions, o.cancelled = nil, nil
		x, err := s.row(o)
		if err != nil {
			return row, err
		}
		if row.Exceptions == nil {
			row.Exceptions = map[string]PIMRow{}
		}
		row.Exceptions[dateOf(d).Format(time.DateOnly)] = x
	}
	for kind, parts := range it.parts {
		for _, p := range parts {
			if kind == "extensions" {
				continue
			}
			j := s.partJSON(kind, it, p, true)
			for _, name := range []string{"id", "lastModifiedDateTime"} {
				delete(j, name)
			}
			raw, err := json.Marshal(j)
			if err != nil {
				return row, err
			}
			if row.Parts == nil {
				row.Parts = map[string][]string{}
			}
			row.Parts[kind] = append(row.Parts[kind], string(raw))
		}
		slices.Sort(row.Parts[kind])
	}
	return row, nil
}

func (s *shelf) attachmentRows(list []*attachment) ([]string, error) {
	var out []string
	for _, a := range list {
		var data []byte
		var err error
		switch {
		case a.kind == fileAttachment:
			data, err = s.b.s.load(a.content)
		case a.item != nil && a.item.foreign != nil:
			data, err = json.Marshal(a.item.foreign)
		case a.item != nil:
			data, err = s.b.s.load(a.item.body)
		}
		if err != nil {
			return nil, err
		}
		out = append(out, fmt.Sprintf("%s %s %s %x", [...]string{"file", "item", "reference"}[a.kind], a.name, a.contentType, sha(data)))
	}
	slices.Sort(out)
	return out, nil
}

// churnPIM makes n changes of a kind in a mailbox: new, changed and deleted items in turn, and for events also single occurrences.
func (b *mailbox) churnPIM(kind *shelfKind, n int, r random, now time.Time) (ids []string) {
	sh := b.shelf(kind)
	var keys []uint64
	for _, f := range sh.all() {
		if !f.system {
			keys = append(keys, sh.keys(f)...)
		}
	}
	r.Shuffle(len(keys), func(i, j int) { keys[i], keys[j] = keys[j], keys[i] })
	for i := range n {
		if i%3 == 0 || len(keys) == 0 {
			f := sh.folders[0]
			it := kind.generate(sh, f, 10_000+r.IntN(1<<20))
			it.key, it.folder = 0, f.key
			sh.put(it, now)
			ids = append(ids, sh.itemID(it, 0, true))
			continue
		}
		it := sh.get(keys[0])
		keys = keys[1:]
		ids = append(ids, sh.itemID(it, 0, true))
		if i%3 == 2 {
			sh.remove(it, now)
			continue
		}
		m := it.edit()
		m.props["categories"] = []any{pick(r, categoryNames), "Churn"}
		if rule, ok := ruleOf(it.props["recurrence"]); ok && kind == calendarKind {
			rule.dates(rule.start.AddDate(0, 4, 0), func(d time.Time) bool {
				if day := dayOf(d); m.exceptions[day] == nil && !m.cancelled[day] {
					return sh.cancelOccurrence(m, day) != nil
				}
				return true
			})
		}
		sh.put(m, now)
	}
	return ids
}

// settingsControl is the control endpoint GET /oracle/mailboxes/{user}/settings: what the mailbox is set to, one JSON line each.
func (s *Sim) settingsControl() {
	s.control.HandleFunc("GET /oracle/mailboxes/{user}/settings", func(w http.ResponseWriter, r *http.Request) {
		rows, err := s.DumpSettings(r.PathValue("user"))
		if err != nil {
			controlError(w, http.StatusNotFound, err)
			return
		}
		w.Header().Set("Content-Type", "application/x-ndjson")
		enc := json.NewEncoder(w)
		enc.SetEscapeHTML(false)
		for _, row := range rows {
			if err := enc.Encode(row); err != nil {
				panic(http.ErrAbortHandler) // a short answer must not look whole
			}
		}
	})
}

// pimControl is the control endpoint GET /oracle/mailboxes/{user}/pim: every contact, event and task, one JSON line each.
func (s *Sim) pimControl() {
	s.control.HandleFunc("GET /oracle/mailboxes/{user}/pim", func(w http.ResponseWriter, r *http.Request) {
		if _, err := s.mailboxOf(r.PathValue("user")); err != nil {
			controlError(w, http.StatusNotFound, err)
			return
		}
		w.Header().Set("Content-Type", "application/x-ndjson")
		enc := json.NewEncoder(w)
		enc.SetEscapeHTML(false)
		if err := s.DumpPIM(r.PathValue("user"), func(row PIMRow) error { return enc.Encode(row) }); err != nil {
			panic(http.ErrAbortHandler) // a short answer must not look whole
		}
	})
}
