package sim

import (
	"slices"
	"sort"
	"strconv"
	"strings"
	"time"
)

// deltaCap is how many messages a delta with a filter gives at most, all rounds of its first enumeration together.
const deltaCap = 5000

// begin reads the link of a delta call or starts a new one.
func (s *Sim) begin(c *Call, b *mailbox, kind string, folder uint32) (*mailToken, error) {
	t := &mailToken{Kind: kind, Box: b.user.Index, Folder: folder, Since: b.seq, First: true}
	raw, next := c.Query.Get("$deltatoken"), false
	if raw == "" {
		raw, next = c.Query.Get("$skiptoken"), true
	}
	if raw == "" {
		t.Page = 10
		if p, ok := c.Prefer("odata.maxpagesize"); ok {
			n, err := strconv.Atoi(p)
			if err != nil || n < 1 {
				return nil, Fail(400, "ErrorInvalidRequest", "The value of the preference 'odata.maxpagesize' is not valid.")
			}
			t.Page = min(n, maxPageItems)
		}
		return t, nil
	}
	*t = mailToken{}
	if !openToken(raw, t) || t.Kind != kind || t.Box != b.user.Index || t.Folder != folder {
		return nil, Fail(400, "SyncStateInvalid", "The sync state is not valid.")
	}
	if s.faults.hit(c, FaultSyncStateBad) {
		return nil, Fail(400, "SyncStateInvalid", "The sync state is not valid.")
	}
	if t.Since > b.seq || c.Now.Sub(time.Unix(t.Issued, 0)) > s.opt.DeltaLife || s.faults.syncState(c) {
		return nil, Fail(410, "SyncStateNotFound", "The sync state generation is not found; starting over is required.")
	}
	if p, ok := c.Prefer("odata.maxpagesize"); ok && next {
		if n, err := strconv.Atoi(p); err == nil && n > 0 {
			t.Page = min(n, maxPageItems)
		}
	}
	return t, nil
}

// linkPad makes links as long as the real ones, which a client has to store.
var linkPad = b64(newRand(7, "pad").bytes(330))

func (c *Call) mailLink(t *mailToken, done bool) (name, address string) {
	t.Issued, t.Pad = c.Now.Unix(), linkPad
	if done {
		return "@odata.deltaLink", c.URL(c.Path) + "?$deltatoken=" + sealToken(t)
	}
	return "@odata.nextLink", c.URL(c.Path) + "?$skiptoken=" + sealToken(t)
}

func (s *Sim) messagesDelta(c *Call) (*Reply, error) {
	q, err := c.OData("select", "expand", "top", "filter", "orderby", "skiptoken")
	if err != nil {
		return nil, err
	}
	v, err := c.view()
	if err != nil {
		return nil, err
	}
	b, err := s.box(c)
	if err != nil {
		return nil, err
	}
	b.mu.Lock()
	f, err := b.folder(c.Params["folder"])
	if err == nil && s.faults.hit(c, FaultFolderLost) {
		err = Fail(404, "ErrorItemNotFound", "The specified object was not found in the store.")
	}
	if err != nil {
		b.mu.Unlock()
		return nil, err
	}
	t, err := s.begin(c, b, "delta", f.key)
	if err != nil {
		b.mu.Unlock()
		return nil, err
	}
	if t.Pos == nil && t.First && t.Issued == 0 { // the first call says what all later ones give
		t.Select, t.Expand, t.Filter = c.Query.Get("$select"), c.Query.Get("$expand"), c.Query.Get("$filter")
		if q.Top > 0 {
			t.Page = min(q.Top, maxPageItems)
		}
	} else if *q, err = t.query(); err != nil {
		b.mu.Unlock()
		return nil, err
	}
	lo, _ := bounds(q.Filter)
	if err := deltaQuery(q); err != nil {
		b.mu.Unlock()
		return nil, err
	}
	var page []*message
	var removed []uint64
	done := false
	before := *t
	if t.First {
		w := b.walk(f, false, t.Pos)
		for len(page) < t.Page {
			m := w.next()
			if m == nil || m.received.Before(lo) || q.Filter != nil && t.Told >= deltaCap {
				t.First, done = false, true
				break
			}
			page = append(page, m)
			t.Pos = &position{Time: m.received.UnixNano(), Key: m.key}
			t.Told++
		}
		if !done {
			if _, _, ok := w.peek(); !ok {
				t.First, done = false, true
			}
		}
		if done {
			t.Pos = nil
		}
	} else {
		page, removed, done = b.changes(f, t, lo)
		if len(removed) > 0 && s.faults.hit(c, FaultUntold) {
			removed = slices.DeleteFunc(removed, func(item uint64) bool { return f.cameSince(item, before.Since) })
		}
	}
	gone := make([]any, len(removed))
	for i, k := range removed {
		// What left is named by the id that it had here; a move has given it another one unless ids are immutable.
		m := &message{key: k}
		if x := b.items[k]; x != nil && x.generation > 0 && x.folder != f.key {
			m.generation = x.generation - 1
		}
		gone[i] = map[string]any{"@odata.type": "#microsoft.graph.message", "id": b.itemID(m, v.immutable), "@removed": map[string]any{"reason": "deleted"}}
	}
	b.mu.Unlock()
	if err := s.checkSelect(q.Select); err != nil {
		return nil, err
	}
	if err := s.basicOnly(c, q.Select, q.Expand); err != nil {
		return nil, err
	}
	if deep(q.Expand) && s.faults.hit(c, FaultDeepRefused) {
		return nil, Fail(400, "BadRequest", "Parsing OData Select and Expand failed: expanding 'item' is not allowed here.")
	}
	if s.fat(c, q, t.Page) || deep(q.Expand) && slices.ContainsFunc(page, (*message).hasItems) && s.faults.hit(c, FaultDeepFat) {
		return nil, Fail(504, "UnknownError", "The server did not answer in time.")
	}
	rows, err := b.rows(c, v, page, q)
	if err != nil {
		return nil, err
	}
	for _, r := range rows {
		if m, ok := r.(map[string]any); ok {
			m["@odata.type"] = "#microsoft.graph.message"
		}
	}
	body := map[string]any{"@odata.context": c.context("Collection(message)"), "value": append(rows, gone...)}
	name, link := c.mailLink(t, done)
	body[name] = link
	_, again := c.mailLink(&before, false)
	s.faults.page(c, body, again, true)
	return v.applied(JSON(200, body)), nil
}

// cameSince says that a message was not in the folder yet when the change since was made.
func (f *folder) cameSince(item, since uint64) bool {
	if home, _ := splitKey(item); item&newItemBit == 0 && home == f.key {
		return false
	}
	i := slices.IndexFunc(f.log, func(e logEntry) bool { return !e.wipe && e.item == item })
	return i >= 0 && f.log[i].seq > since
}

// deep says that the items in attachments are asked for too.
func deep(expand []Expand) bool {
	return slices.ContainsFunc(expand, func(e Expand) bool { return strings.EqualFold(e.Name, "attachments") && len(e.Expand) > 0 })
}

func (m *message) hasItems() bool {
	return slices.ContainsFunc(m.attachments, func(a *attachment) bool { return a.kind == itemAttachment })
}

// deltaQuery refuses filters and orders that a delta of messages does not know.
func deltaQuery(q *Query) error {
	if q.Filter != nil {
		if e := q.Filter; e.Op != "ge" && e.Op != "gt" || e.Args[0].Path != "receivedDateTime" {
			return Fail(400, "ErrorInvalidUrlQueryFilter", "Change tracking supports filters of the form receivedDateTime ge or gt only.")
		}
	}
	if len(q.OrderBy) > 0 && (len(q.OrderBy) > 1 || q.OrderBy[0].Path != "receivedDateTime" || !q.OrderBy[0].Desc) {
		return Fail(400, "ErrorInvalidUrlQuery", "Change tracking supports the order receivedDateTime desc only.")
	}
	return nil
}

// query restores the options that the first call of a delta had.
func (t *mailToken) query() (Query, error) {
	q := Query{Top: -1}
	for k, v := range map[string]string{"select": t.Select, "expand": t.Expand, "filter": t.Filter} {
		if v != "" {
			if err := q.set(k, v); err != nil {
				return q, err
			}
		}
	}
	return q, nil
}

// changes gives the next page of what happened in a folder after t.Since: each item once, as it is now.
func (b *mailbox) changes(f *folder, t *mailToken, lo time.Time) (page []*message, removed []uint64, done bool) {
	i := sort.Search(len(f.log), func(i int) bool { return f.log[i].seq > t.Since })
	for ; i < len(f.log); i++ {
		e := f.log[i]
		if e.wipe {
			for ; t.Wipe < f.base; t.Wipe++ {
				if f.gone[uint32(t.Wipe)] {
					continue
				}
				if len(page)+len(removed) >= t.Page {
					return page, removed, false
				}
				removed = append(removed, itemKey(f.key, t.Wipe))
			}
			t.Since, t.Wipe = e.seq, 0
			continue
		}
		if f.last[e.item] != e.seq { // told later
			t.Since = e.seq
			continue
		}
		if len(page)+len(removed) >= t.Page {
			return page, removed, false
		}
		t.Since = e.seq
		if m := b.get(e.item); m != nil && m.folder == f.key {
			if !m.received.Before(lo) {
				page = append(page, m)
			}
		} else {
			removed = append(removed, e.item)
		}
	}
	t.Since = b.seq
	return page, removed, true
}

func (s *Sim) foldersDelta(c *Call) (*Reply, error) {
	q, err := c.OData("select", "expand", "skiptoken")
	if err != nil {
		return nil, err
	}
	b, err := s.box(c)
	if err != nil {
		return nil, err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if c.Query.Has("$deltatoken") && s.faults.hit(c, FaultFolderLost) {
		return nil, Fail(404, "ErrorItemNotFound", "The specified object was not found in the store.")
	}
	t, err := s.begin(c, b, "folders", 0)
	if err != nil {
		return nil, err
	}
	if t.Issued == 0 {
		t.Select, t.Expand = c.Query.Get("$select"), c.Query.Get("$expand")
		for k, v := range c.Query {
			if strings.EqualFold(k, "includeHiddenFolders") {
				t.Hidden = len(v) > 0 && strings.EqualFold(v[0], "true")
			}
		}
	} else if *q, err = t.query(); err != nil {
		return nil, err
	}
	before := *t
	rows := []any{}
	stale := s.faults.hit(c, FaultCounts)
	tell := func(f *folder) error {
		if f.key == rootFolder || f.apart() || f.hidden && !t.Hidden {
			return nil
		}
		if f.deleted {
			if !t.First {
				rows = append(rows, map[string]any{"@odata.type": "#microsoft.graph.mailFolder", "id": b.folderID(f.key), "@removed": map[string]any{"reason": "deleted"}})
			}
			return nil
		}
		m, err := b.folderJSON(f, q)
		if err == nil {
			m["@odata.type"] = "#microsoft.graph.mailFolder"
			if stale {
				m["totalItemCount"], m["unreadItemCount"] = 0, 0
			}
			rows = append(rows, m)
		}
		return err
	}
	done := true
	if t.First {
		for ; t.Wipe < len(b.order); t.Wipe++ {
			if len(rows) >= t.Page {
				done = false
				break
			}
			if err := tell(b.folders[b.order[t.Wipe]]); err != nil {
				return nil, err
			}
		}
		if done {
			t.First, t.Wipe = false, 0
		}
	} else {
		last := map[uint64]uint64{}
		for _, e := range b.folderLog {
			last[e.item] = e.seq
		}
		for _, e := range b.folderLog {
			if e.seq <= t.Since || last[e.item] != e.seq {
				continue
			}
			if len(rows) >= t.Page {
				done = false
				break
			}
			if err := tell(b.folders[uint32(e.item)]); err != nil {
				return nil, err
			}
			t.Since = e.seq
		}
		if done {
			t.Since = b.seq
		}
	}
	body := map[string]any{"@odata.context": c.context("Collection(mailFolder)"), "value": rows}
	name, link := c.mailLink(t, done)
	body[name] = link
	_, again := c.mailLink(&before, false)
	s.faults.page(c, body, again, true)
	return JSON(200, body), nil
}
