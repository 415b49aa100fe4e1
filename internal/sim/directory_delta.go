package sim

import (
	"encoding/base64"
	"encoding/json"
	"slices"
	"strings"
	"time"
)

// dirToken is the state inside a delta or page link of the directory.
type dirToken struct {
	Kind   string   `json:"k"`
	Since  uint64   `json:"s"`           // changes after it are not yet told
	Until  uint64   `json:"u,omitempty"` // within pages of changes: the last one that they tell
	At     int      `json:"a"`           // rows of the first enumeration already told; -1 after it
	Told   int      `json:"t,omitempty"` // members of the row At that were told, or changes of these pages
	Issued int64    `json:"i"`           // unix seconds
	Select []string `json:"f,omitempty"` // carried from the first call
}

const (
	directoryDeltaLife = 7 * 24 * time.Hour
	directoryDeltaPage = 100
)

func sealToken(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err) // plain structs only
	}
	sum := sha(append([]byte("token:"), b...))
	return base64.RawURLEncoding.EncodeToString(append(sum[:6], b...))
}

func openToken(s string, v any) bool {
	b, err := base64.RawURLEncoding.DecodeString(s)
	if err != nil || len(b) < 7 {
		return false
	}
	sum := sha(append([]byte("token:"), b[6:]...))
	return string(sum[:6]) == string(b[:6]) && json.Unmarshal(b[6:], v) == nil
}

// deltaRow is an object of the directory as a delta tells it.
type deltaRow struct {
	id      string
	gone    string         // why it is not there: "changed" when it can come back, "deleted"; else empty
	full    map[string]any // all properties
	members []string       // of a group
}

func (s *Sim) usersDelta(c *Call) (*Reply, error) {
	s.dir.mu.Lock()
	users := slices.Clone(s.dir.users)
	s.dir.mu.Unlock()
	return s.directoryDelta(c, "users", len(users), func(i int) deltaRow {
		u := users[i]
		row := deltaRow{id: u.ID, full: s.userMap(u)}
		u.mu.Lock()
		defer u.mu.Unlock()
		if u.deleted {
			row.gone = "changed"
		}
		return row
	}, userProject)
}

// directoryDelta answers a first enumeration in pages, then changes; tokens die after seven days. A group with many members comes again on the
// next pages, each time with the members that follow.
func (s *Sim) directoryDelta(c *Call, of string, n int, row func(i int) deltaRow, proj func(map[string]any, []string) (map[string]any, error)) (*Reply, error) {
	for k := range c.Query {
		switch strings.ToLower(strings.TrimPrefix(k, "$")) {
		case "select", "filter", "deltatoken", "skiptoken":
		default:
			return nil, Fail(400, "Request_UnsupportedQuery", "The query parameter '%s' is not supported by delta queries of this resource.", k)
		}
	}
	q, err := c.OData("select", "filter", "skiptoken")
	if err != nil {
		return nil, err
	}
	s.dir.mu.Lock()
	seq, log := s.dir.seq, s.dir.log
	s.dir.mu.Unlock()
	t := dirToken{Kind: of, Since: seq, Issued: c.Now.Unix(), Select: q.Select}
	raw := c.Query.Get("$deltatoken")
	if raw == "" {
		raw = c.Query.Get("$skiptoken")
	}
	switch {
	case raw == "latest":
		t.At = -1
	case raw != "":
		if !openToken(raw, &t) || t.Kind != of {
			return nil, Fail(400, "Directory_SyncStateNotFound", "The specified delta token is not valid.")
		}
		if age := c.Now.Sub(time.Unix(t.Issued, 0)); age > directoryDeltaLife || s.faults.syncState(c) {
			return nil, Fail(410, "syncStateNotFound", "The sync state generation is not found; resync is required.")
		}
	}
	d := directoryDeltaAnswer{t: &t, project: proj, seq: seq, out: []any{}}
	if t.At >= 0 {
		err = d.enumerate(n, row)
	} else {
		err = d.changes(n, row, of == "groups", log)
	}
	if err != nil {
		return nil, err
	}
	t.Issued = c.Now.Unix()
	body := map[string]any{"@odata.context": c.context(of), "value": d.out}
	if d.more {
		body["@odata.nextLink"] = c.URL(c.Path) + "?$skiptoken=" + sealToken(t)
	} else {
		body["@odata.deltaLink"] = c.URL(c.Path) + "?$deltatoken=" + sealToken(t)
	}
	return JSON(200, body), nil
}

// directoryDeltaAnswer is one page of a delta in the making.
type directoryDeltaAnswer struct {
	t       *dirToken
	project func(map[string]any, []string) (map[string]any, error)
	seq     uint64
	out     []any
	more    bool
}

// tell adds a row; members nil means that none of them is told of.
func (d *directoryDeltaAnswer) tell(r deltaRow, members []any) error {
	if r.gone != "" {
		d.out = append(d.out, map[string]any{"id": r.id, "@removed": map[string]any{"reason": r.gone}})
		return nil
	}
	m, err := d.project(r.full, d.t.Select)
	if err != nil {
		return err
	}
	delete(m, "members")
	if len(members) > 0 && slices.Contains(d.t.Select, "members") {
		m["members@delta"] = members
	}
	d.out = append(d.out, m)
	return nil
}

func (d *directoryDeltaAnswer) enumerate(n int, row func(int) deltaRow) error {
	t := d.t
	for ; t.At < n && len(d.out) < directoryDeltaPage; t.At, t.Told = t.At+1, 0 {
		r := row(t.At)
		if r.gone != "" {
			continue
		}
		left := r.members[min(t.Told, len(r.members)):]
		page := left[:min(len(left), directoryDeltaPage)]
		var members []any
		for _, m := range page {
			members = append(members, memberRef(m))
		}
		if err := d.tell(r, members); err != nil {
			return err
		}
		if len(page) < len(left) {
			t.Told += len(page)
			d.more = true
			return nil
		}
	}
	if d.more = t.At < n; !d.more {
		t.At = -1
	}
	return nil
}

func (d *directoryDeltaAnswer) changes(n int, row func(int) deltaRow, groups bool, log []dirChange) error {
	t := d.t
	if t.Until == 0 {
		t.Until = d.seq
	}
	index := map[string]int{}
	for i := range n {
		index[row(i).id] = i
	}
	var changed []string
	members := map[string][]string{} // that came or went, by group
	seen := map[string]bool{}
	for _, ch := range log {
		if ch.group != groups || ch.seq <= t.Since || ch.seq > t.Until {
			continue
		}
		if !seen[ch.id] {
			seen[ch.id] = true
			changed = append(changed, ch.id)
		}
		if ch.member != "" && !seen[ch.id+"/"+ch.member] {
			seen[ch.id+"/"+ch.member] = true
			members[ch.id] = append(members[ch.id], ch.member)
		}
	}
	for ; t.Told < len(changed) && len(d.out) < directoryDeltaPage; t.Told++ {
		id := changed[t.Told]
		i, ok := index[id]
		if !ok {
			continue
		}
		r := row(i)
		var told []any
		for _, m := range members[id] {
			ref := memberRef(m)
			if !slices.Contains(r.members, m) {
				ref["@removed"] = map[string]any{"reason": "deleted"}
			}
			told = append(told, ref)
		}
		if err := d.tell(r, told); err != nil {
			return err
		}
	}
	if d.more = t.Told < len(changed); !d.more {
		t.Since, t.Until, t.Told = t.Until, 0, 0
	}
	return nil
}

// memberRef names a member as a delta does: "user/ID" or "group/ID".
func memberRef(m string) map[string]any {
	kind, id, _ := strings.Cut(m, "/")
	return map[string]any{"@odata.type": "#microsoft.graph." + kind, "id": id}
}
