package sim

import (
	"encoding/base64"
	"encoding/json"
	"net/url"
	"strings"
	"time"
)

// deltaToken is where a reader of changes stands. With Full it walks all items and ends at the log position at which
// the walk began; without, it walks the log.
type deltaToken struct {
	Drive  uint32 `json:"d"`
	Full   bool   `json:"f,omitempty"`
	At     uint64 `json:"a"`           // key to go on with, or log position already told
	Seq    uint64 `json:"s,omitempty"` // of a walk: log position at its beginning
	Issued int64  `json:"i"`           // Unix seconds
}

func (d *driveService) encodeToken(t deltaToken) string {
	b, err := json.Marshal(t)
	if err != nil {
		panic(err) // plain numbers
	}
	s := base64URL(b)
	return s + "." + d.sign(s)
}

func (d *driveService) decodeToken(s string) (deltaToken, bool) {
	var t deltaToken
	body, proof, ok := strings.Cut(s, ".")
	if !ok || proof != d.sign(body) {
		return t, false
	}
	b, err := base64.RawURLEncoding.DecodeString(body)
	return t, err == nil && json.Unmarshal(b, &t) == nil
}

const (
	defaultDeltaPage = 200
	maxDeltaPage     = 1000
)

// delta serves the changes of a whole drive; the service has it at the root only.
func (d *driveService) delta(c *Call, a *address, n *node) (*Reply, error) {
	x := a.drive
	if n.key != 0 {
		return nil, Fail(400, "invalidRequest", "Delta is supported only on the root of a drive.")
	}
	q, err := c.OData("select", "expand", "top", "skiptoken")
	if err != nil {
		return nil, err
	}
	raw := c.Query.Get("token")
	if args, ok := strings.CutPrefix(a.raw[0], "delta("); ok {
		args = strings.TrimSuffix(args, ")")
		if _, v, named := strings.Cut(args, "="); named {
			args = v
		}
		raw = strings.Trim(args, "'")
	}
	tag := uint32(mix(x.seed + 11))
	t := deltaToken{Drive: tag, Full: true, Seq: x.seq(), Issued: c.Now.Unix()}
	switch {
	case raw == "":
	case raw == "latest":
		return JSON(200, d.deltaPage(c, x, []any{}, "@odata.deltaLink", deltaToken{Drive: tag, At: x.seq(), Issued: c.Now.Unix()})), nil
	default:
		if at, err := time.Parse(time.RFC3339, raw); err == nil {
			t = deltaToken{Drive: tag, At: x.seqAt(at), Issued: c.Now.Unix()}
			break
		}
		var ok bool
		if t, ok = d.decodeToken(raw); !ok || t.Drive != tag {
			return nil, Fail(400, "invalidRequest", "The provided delta token is not valid.")
		}
		if c.Now.Sub(time.Unix(t.Issued, 0)) > time.Duration(d.set().DeltaLife) {
			return nil, d.resync(c, x, "resyncChangesApplyDifferences")
		}
		if d.strikes(FaultDeltaExpired, x.owner) {
			return nil, d.resync(c, x, "resyncChangesApplyDifferences")
		}
		if d.strikes(FaultDeltaUpload, x.owner) {
			return nil, d.resync(c, x, "resyncChangesUploadDifferences")
		}
		if d.strikes(FaultEmptyPages, x.owner) {
			return JSON(200, d.deltaPage(c, x, []any{}, "@odata.nextLink", t)), nil
		}
	}
	top := q.Top
	if top <= 0 {
		top = defaultDeltaPage
	}
	top = min(top, maxDeltaPage)
	var rows []any
	row := func(m map[string]any) error {
		m, err := selected(m, q.Select)
		if err != nil {
			return err
		}
		m["@odata.type"] = "#microsoft.graph.driveItem"
		rows = append(rows, m)
		return nil
	}
	_, hierarchical := c.Prefer("hierarchicalsharing")
	style := rowStyle{delta: true, inherited: !hierarchical}
	full := func(n *node) error {
		m := x.item(c, n, style)
		for _, e := range q.Expand {
			if e.Name != "permissions" {
				return Fail(400, "invalidRequest", "The property '%s' cannot be expanded.", e.Name)
			}
			m["permissions"] = x.permissions(n)
		}
		return row(m)
	}
	rows = []any{}
	if t.Full {
		key, done := t.At, false
		repeat := d.strikes(FaultDuplicateRows, x.owner)
		for len(rows) < top {
			if n, ok := x.get(key); ok {
				if repeat && key%5 == 0 { // an earlier state first; the last row of an id wins
					if err := full(n); err != nil {
						return nil, err
					}
					stale(rows[len(rows)-1].(map[string]any))
				}
				if err := full(n); err != nil {
					return nil, err
				}
			}
			if key, done = x.after(key); done {
				break
			}
		}
		if !done {
			t.At = key
			return d.damaged(c, d.deltaPage(c, x, rows, "@odata.nextLink", t), repeat), nil
		}
		return d.damaged(c, d.deltaPage(c, x, rows, "@odata.deltaLink", deltaToken{Drive: tag, At: t.Seq, Issued: c.Now.Unix()}), repeat), nil
	}
	_, sharing := c.Prefer("deltashowsharingchanges")
	duplicates := d.strikes(FaultDuplicateRows, x.owner)
	seq := t.At
	for ; seq < x.seq() && len(rows) < top; seq++ {
		ch := x.log[seq]
		if dead, ok := x.gone[ch.key]; ok {
			if dead.seq == seq+1 && !(d.set().FolderDeleteOnly && x.goneWithParent(dead)) {
				if err := row(x.deletedRow(ch.key, dead)); err != nil {
					return nil, err
				}
			}
			continue
		}
		n, ok := x.get(ch.key)
		switch {
		case !ok:
		case ch.sharing:
			if sharing && n.sharedSeq == seq+1 {
				if err := full(n); err != nil {
					return nil, err
				}
				rows[len(rows)-1].(map[string]any)["@microsoft.graph.sharedChanged"] = "True"
			}
		case n.seq == seq+1 || duplicates:
			if err := full(n); err != nil {
				return nil, err
			}
			if n.seq != seq+1 { // an earlier state of the item; the last row of an id wins
				stale(rows[len(rows)-1].(map[string]any))
			}
		}
	}
	t = deltaToken{Drive: tag, At: seq, Issued: c.Now.Unix()}
	if seq < x.seq() {
		return d.damaged(c, d.deltaPage(c, x, rows, "@odata.nextLink", t), duplicates), nil
	}
	return d.damaged(c, d.deltaPage(c, x, rows, "@odata.deltaLink", t), duplicates), nil
}

// stale makes a row tell an earlier state.
func stale(m map[string]any) {
	if _, ok := m["name"]; ok {
		m["name"] = "earlier name " + m["id"].(string)[:8]
	}
	if t, ok := m["eTag"].(string); ok {
		m["eTag"] = strings.Replace(t, "},", "},9", 1)
	}
}

// after is the key that follows in the walk over all items.
func (d *drive) after(key uint64) (next uint64, done bool) {
	key++
	if key > d.n && key < newBase {
		key = newBase
	}
	return key, key >= newBase && key >= d.nextKey
}

// seqAt is the log position of a time.
func (d *drive) seqAt(t time.Time) uint64 {
	for i, c := range d.log {
		if c.at > t.Unix() {
			return uint64(i)
		}
	}
	return d.seq()
}

func (d *drive) goneWithParent(t tombstone) bool {
	_, ok := d.gone[t.parent]
	return ok
}

// deletedRow has no name, as on the service.
func (d *drive) deletedRow(key uint64, t tombstone) map[string]any {
	m := map[string]any{
		"id": d.itemID(key), "size": 0, "deleted": map[string]any{"state": "deleted"},
		"parentReference": map[string]any{"driveId": d.id, "driveType": d.kind(), "id": d.itemID(t.parent), "siteId": strings.Split(d.site, ",")[1]},
	}
	if t.folder {
		m["folder"] = map[string]any{"childCount": 0}
	} else {
		m["file"] = map[string]any{}
	}
	return m
}

// damaged lets the faults of lists strike at a page; not on top of earlier states, whose order matters.
func (d *driveService) damaged(c *Call, page map[string]any, told bool) *Reply {
	if !told {
		d.s.faults.page(c, page, c.again(), true)
	}
	return JSON(200, page)
}

func (d *driveService) deltaPage(c *Call, x *drive, rows []any, link string, t deltaToken) map[string]any {
	path, _, _ := strings.Cut(c.Path, "(")
	u := c.URL(path) + "?"
	for p := range strings.SplitSeq(c.RawQuery, "&") {
		name, _, _ := strings.Cut(p, "=")
		if n, err := url.QueryUnescape(name); err == nil && p != "" && n != "token" {
			u += p + "&"
		}
	}
	return map[string]any{
		"@odata.context": c.URL(prefix(c) + "/$metadata#Collection(driveItem)"),
		"value":          rows, link: u + "token=" + d.encodeToken(t),
	}
}

// resync is the answer to a token that is too old: 410, and in Location the beginning of a new enumeration.
func (d *driveService) resync(c *Call, x *drive, code string) *Error {
	page := d.deltaPage(c, x, nil, "next", deltaToken{Drive: uint32(mix(x.seed + 11)), Full: true, Seq: x.seq(), Issued: c.Now.Unix()})
	return Fail(410, code, "Resync required. Replace any local items with the server's version (including deletes) if you're sure that the service was up to date with your local changes when you last sync'd.").
		With("Location", page["next"].(string))
}
