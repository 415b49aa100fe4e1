package sim

import (
	"cmp"
	"slices"
)

// Items as the mailbox import/export API lists them: all that lies in a folder, of whatever class, by id, version and class alone.

// exchangeItem shows an item of the mail store as a mailboxItem, which has neither subject nor people.
func (b *mailbox) exchangeItem(v view, m *message, q *Query) (map[string]any, error) {
	row, err := b.messageJSON(v, m, []string{"id", "changeKey", "createdDateTime", "lastModifiedDateTime", "categories"}, q.Expand)
	if err != nil {
		return nil, err
	}
	size, err := b.s.messageSize(m)
	if err != nil {
		return nil, err
	}
	class, _, err := b.extended(m, "String 0x1a")
	if err != nil {
		return nil, err
	}
	row["size"], row["type"] = size, class
	return asMailboxItem(row, q)
}

func asMailboxItem(row map[string]any, q *Query) (map[string]any, error) {
	out, err := project(row, q.Select, "microsoft.graph.mailboxItem", func(n string) bool { return n == "singleValueExtendedProperties" })
	if err == nil && row["singleValueExtendedProperties"] != nil {
		out["singleValueExtendedProperties"] = row["singleValueExtendedProperties"]
	}
	return out, err
}

// shelfClasses are the classes of what is on shelves.
var shelfClasses = map[*shelfKind]string{contactsKind: "IPM.Contact", calendarKind: "IPM.Appointment", todoKind: "IPM.Task"}

// exchangeShelfItem shows a contact, an event or a task.
func (s *shelf) exchangeShelfItem(v view, it *pimItem, q *Query) (map[string]any, error) {
	key := pimChangeKey(s.tag, it.key, it.version)
	categories, _ := it.props["categories"].([]any)
	return asMailboxItem(map[string]any{"id": s.itemID(it, 0, v.immutable), "@odata.etag": `W/"` + key + `"`, "changeKey": key, "createdDateTime": stamp(it.created), "lastModifiedDateTime": stamp(it.modified),
		"categories": append([]any{}, categories...), "size": 4096, "type": shelfClasses[s.kind]}, q)
}

func (s *Sim) exchangeItemsList(c *Call) (*Reply, error) { return s.exchangeRows(c, "items", false) }

func (s *Sim) exchangeItemsDelta(c *Call) (*Reply, error) {
	return s.exchangeRows(c, "itemsDelta", true)
}

// itemPage is a page of a folder's items.
type itemPage struct {
	messages []*message
	others   []*pimItem // of the folder's shelf
	removed  []string   // ids
}

func (p *itemPage) size() int { return len(p.messages) + len(p.others) + len(p.removed) }

// exchangeRows lists the items of a folder, or what changed in it.
func (s *Sim) exchangeRows(c *Call, kind string, delta bool) (*Reply, error) {
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
	defer b.mu.Unlock()
	f, err := b.exchangeFolderOf(c.Params["folder"])
	if err != nil {
		return nil, err
	}
	t, err := s.begin(c, b, kind, f.key)
	if err != nil {
		return nil, err
	}
	if t.Issued == 0 {
		t.Select, t.Expand, t.Filter = c.Query.Get("$select"), c.Query.Get("$expand"), c.Query.Get("$filter")
		if q.Top > 0 {
			t.Page = min(q.Top, maxPageItems)
		}
	} else if *q, err = t.query(); err != nil {
		return nil, err
	}
	if delta {
		if err := deltaQuery(q); err != nil {
			return nil, err
		}
	}
	before := *t
	page, done := b.itemsOf(v, f, t, q)
	rows := []any{}
	add := func(row map[string]any, err error) error {
		if err == nil {
			row["@odata.type"] = "#microsoft.graph.mailboxItem"
			rows = append(rows, row)
		}
		return err
	}
	for _, m := range page.messages {
		if q.Filter != nil && !delta {
			if ok, err := q.Filter.Match(b.lookup(m, q.Filter)); err != nil {
				return nil, err
			} else if !ok {
				continue
			}
		}
		if err := add(b.exchangeItem(v, m, q)); err != nil {
			return nil, err
		}
	}
	for _, it := range page.others {
		if q.Filter != nil && !delta {
			continue // no contact, event or task has what such a filter asks for
		}
		if err := add(f.shelf.exchangeShelfItem(v, it, q)); err != nil {
			return nil, err
		}
	}
	for _, id := range page.removed {
		rows = append(rows, map[string]any{"@odata.type": "#microsoft.graph.mailboxItem", "id": id, "@removed": map[string]any{"reason": "deleted"}})
	}
	body := map[string]any{"@odata.context": c.context("Collection(mailboxItem)"), "value": rows}
	if name, link := c.mailLink(t, done); delta || !done {
		body[name] = link
	}
	if delta {
		_, again := c.mailLink(&before, false)
		s.faults.page(c, body, again, true)
	}
	return v.applied(JSON(200, body)), nil
}

// itemsOf gives the next page of a folder's items, or of what happened to them.
func (b *mailbox) itemsOf(v view, f *folder, t *mailToken, q *Query) (p itemPage, done bool) {
	lo, _ := bounds(q.Filter) // of a delta; a list is filtered behind
	if !t.First {
		if f.of != nil {
			return b.shelfChanges(v, f, t)
		}
		var removed []uint64
		p.messages, removed, done = b.changes(f, t, lo)
		for _, k := range removed {
			p.removed = append(p.removed, b.itemID(&message{key: k}, v.immutable))
		}
		return p, done
	}
	if t.Wipe == 0 { // the items of the shelf, which come behind, count in Wipe
		w := b.walk(f, false, t.Pos)
		for len(p.messages) < t.Page && !done {
			m := w.next()
			if done = m == nil || m.received.Before(lo); !done {
				p.messages = append(p.messages, m)
				t.Pos = &position{Time: m.received.UnixNano(), Key: m.key}
			}
		}
		if _, _, more := w.peek(); !more {
			done = true
		}
		if !done {
			return p, false
		}
	}
	if f.of != nil {
		keys := f.shelf.keys(f.of)
		for ; t.Wipe < len(keys); t.Wipe++ {
			if p.size() >= t.Page {
				return p, false
			}
			p.others = append(p.others, f.shelf.get(keys[t.Wipe]))
		}
	}
	t.First, t.Pos, t.Wipe = false, nil, 0
	return p, true
}

// shelfChanges is changes for a folder whose items lie in two places.
func (b *mailbox) shelfChanges(v view, f *folder, t *mailToken) (p itemPage, done bool) {
	type change struct {
		logEntry
		ofShelf bool
	}
	var list []change
	for _, e := range f.log {
		if e.seq > t.Since && (e.wipe || f.last[e.item] == e.seq) {
			list = append(list, change{e, false})
		}
	}
	for _, e := range f.of.log {
		if e.seq > t.Since && f.of.last[e.item] == e.seq {
			list = append(list, change{e, true})
		}
	}
	slices.SortFunc(list, func(x, y change) int { return cmp.Compare(x.seq, y.seq) })
	for _, e := range list {
		if p.size() >= t.Page {
			return p, false
		}
		t.Since = e.seq
		switch {
		case e.wipe:
			for j := range f.base {
				if !f.gone[uint32(j)] {
					p.removed = append(p.removed, b.itemID(&message{key: itemKey(f.key, j)}, v.immutable))
				}
			}
		case e.ofShelf:
			if it := f.shelf.get(e.item); it != nil && it.folder == f.of.key {
				p.others = append(p.others, it)
			} else {
				p.removed = append(p.removed, f.shelf.itemID(&pimItem{key: e.item}, 0, v.immutable))
			}
		default:
			if m := b.get(e.item); m != nil && m.folder == f.key {
				p.messages = append(p.messages, m)
			} else {
				p.removed = append(p.removed, b.itemID(&message{key: e.item}, v.immutable))
			}
		}
	}
	t.Since = b.seq
	return p, true
}

func (s *Sim) exchangeItemGet(c *Call) (*Reply, error) {
	q, err := c.OData("select", "expand")
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
	defer b.mu.Unlock()
	f, err := b.exchangeFolderOf(c.Params["folder"])
	if err != nil {
		return nil, err
	}
	var row map[string]any
	if m, merr := b.message(c.Params["item"]); merr == nil && m.folder == f.key {
		row, err = b.exchangeItem(v, m, q)
	} else if f.of == nil {
		return nil, cmp.Or[error](merr, errNotInStore)
	} else if it, day, ierr := f.shelf.item(c.Params["item"]); ierr == nil && day == 0 && it.folder == f.of.key {
		row, err = f.shelf.exchangeShelfItem(v, it, q)
	} else {
		return nil, errNotInStore
	}
	if err != nil {
		return nil, err
	}
	row["@odata.context"] = c.atMailbox("folders('" + c.Params["folder"] + "')/items/$entity")
	return v.applied(JSON(200, row)), nil
}
