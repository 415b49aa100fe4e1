package sim

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"sort"
	"strconv"
	"strings"
	"time"
)

// shelved is a handler below a mailbox's shelf, which is locked meanwhile.
func (s *Sim) shelved(kind *shelfKind, fn func(c *Call, sh *shelf, v view) (*Reply, error)) Handler {
	return func(c *Call) (*Reply, error) {
		v, err := c.view()
		if err != nil {
			return nil, err
		}
		if zone, ok := c.Prefer("outlook.timezone"); ok && kind == calendarKind {
			if _, known := zoneOf(zone); !known {
				return nil, Fail(400, "TimeZoneNotSupportedException", "A valid TimeZone value must be specified. The following TimeZone value is not supported: '%s'.", zone)
			}
			v.zone = zone
		}
		b, err := s.box(c)
		if err != nil {
			return nil, err
		}
		b.mu.Lock()
		defer b.mu.Unlock()
		r, err := fn(c, b.shelf(kind), v)
		if err != nil {
			return nil, err
		}
		return r, nil
	}
}

func (c *Call) under(path string) string {
	return c.context("users('" + c.Params["user"] + "')/" + path)
}

// --- how things are shown --------------------------------------------------------------------------------------------

// itemJSON shows an item with the selected and expanded properties.
func (s *shelf) itemJSON(v view, it *pimItem, q *Query) (map[string]any, error) {
	full := map[string]any{}
	for name, typ := range members(s.kind.item) {
		full[name] = nil
		if strings.HasPrefix(typ, "[") {
			full[name] = []any{}
		}
		if x := it.props[name]; x != nil {
			full[name] = x
		}
	}
	key := pimChangeKey(s.tag, it.key, it.version)
	full["id"] = s.itemID(it, 0, v.immutable)
	full["@odata.etag"] = `W/"` + key + `"`
	full["createdDateTime"], full["lastModifiedDateTime"] = stamp(it.created), stamp(it.modified)
	s.kind.show(s, v, it, full)
	return s.finish(v, it, full, q)
}

// finish selects and expands.
func (s *shelf) finish(v view, it *pimItem, full map[string]any, q *Query) (map[string]any, error) {
	for _, name := range s.kind.onRequest {
		if !slices.Contains(q.Select, name) {
			delete(full, name)
		}
	}
	out, err := project(full, q.Select, "microsoft.graph."+s.kind.item, func(name string) bool {
		return slices.Contains(s.kind.onRequest, name) && s.b.s.cloud.has(s.kind.item+"."+name) || name == "singleValueExtendedProperties" || name == "attachments" || name == "exceptionOccurrences"
	})
	if err != nil {
		return nil, err
	}
	for _, e := range q.Expand {
		if err := s.expand(v, it, e, out); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func (s *shelf) expand(v view, it *pimItem, e Expand, out map[string]any) error {
	switch name := strings.ToLower(e.Name); {
	case name == "singlevalueextendedproperties" && s.kind != todoKind:
		ids, err := extendedIDs(e)
		if err != nil {
			return err
		}
		list := []any{}
		for _, id := range ids {
			if val, ok := s.extended(it, id); ok {
				list = append(list, map[string]any{"id": id, "value": val})
			}
		}
		if len(list) > 0 {
			out["singleValueExtendedProperties"] = list
		}
		return nil
	case s.kind == calendarKind && name == "attachments":
		list, err := s.attachmentsJSON(v, it, 0, e.Select, e.Expand)
		out["attachments"] = list
		return err
	case s.kind == calendarKind && name == "exceptionoccurrences" && s.b.s.cloud.has("event.exceptionOccurrences"):
		list, err := s.exceptionsJSON(v, it, &e.Query)
		out["exceptionOccurrences"] = list
		return err
	case s.kind == todoKind && partTypes[e.Name].typ != "":
		list := []any{}
		for _, p := range it.parts[e.Name] {
			list = append(list, s.partJSON(e.Name, it, p, e.Name != "attachments"))
		}
		out[e.Name] = list
		return nil
	}
	return Fail(400, "BadRequest", "Parsing OData Select and Expand failed: Could not find a property named '%s' on type 'microsoft.graph.%s'.", e.Name, s.kind.item)
}

// hasPicture is PidLidHasPicture of a contact (MS-OXOCNTC 2.2.1.8.2).
const hasPicture = "Boolean {00062004-0000-0000-c000-000000000046} Id 0x8015"

// extended gives an extended property that was set, or one that the store keeps.
func (s *shelf) extended(it *pimItem, id string) (string, bool) {
	switch {
	case id == hasPicture && s.kind == contactsKind:
		return strconv.FormatBool(it.photo != nil), it.photo != nil
	case id == "String 0x1a":
		return map[*shelfKind]string{contactsKind: "IPM.Contact", calendarKind: "IPM.Appointment"}[s.kind], true
	}
	v, ok := it.ext[id]
	return v, ok
}

// lookup lets a filter or an order look at an item.
func (s *shelf) lookup(v view, it *pimItem, e *Expr) (Lookup, error) {
	j, err := s.itemJSON(v, it, &Query{})
	if err != nil {
		return nil, err
	}
	in := lookupIn(j)
	return func(path string) (any, bool) {
		if path != "singleValueExtendedProperties" {
			return in(path)
		}
		var out []Lookup
		for _, id := range extendedNamed(e) {
			can, err := canonicalID(id, false)
			if err != nil {
				continue
			}
			if val, ok := s.extended(it, can); ok {
				out = append(out, func(p string) (any, bool) {
					switch p {
					case "id":
						return id, true
					case "value":
						return val, true
					}
					return nil, false
				})
			}
		}
		return out, true
	}, nil
}

// --- items -----------------------------------------------------------------------------------------------------------

// folderOf is the folder of a call: the one that the path names, or the default one.
func (s *shelf) folderOf(c *Call) (*pimFolder, error) {
	if id := c.Params["folder"]; id != "" {
		return s.folder(id)
	}
	return s.folders[0], nil
}

func (s *Sim) pimList(kind *shelfKind) Handler {
	return s.shelved(kind, func(c *Call, sh *shelf, v view) (*Reply, error) {
		q, err := c.OData("select", "top", "skip", "filter", "expand", "orderby", "count")
		if err != nil {
			return nil, err
		}
		f, err := sh.folderOf(c)
		if err != nil {
			return nil, err
		}
		var items []*pimItem
		for _, k := range sh.keys(f) {
			items = append(items, sh.get(k))
		}
		if c.Params["folder"] == "" && kind == calendarKind && len(q.OrderBy) == 0 && q.Filter != nil { // the whole mailbox is searched
			for _, o := range sh.folders[1:] {
				if !o.deleted {
					for _, k := range sh.keys(o) {
						items = append(items, sh.get(k))
					}
				}
			}
		}
		if q.Filter != nil {
			kept := items[:0]
			for _, it := range items {
				get, err := sh.lookup(v, it, q.Filter)
				if err != nil {
					return nil, err
				}
				ok, err := q.Filter.Match(get)
				if err != nil {
					return nil, err
				}
				if ok {
					kept = append(kept, it)
				}
			}
			items = kept
		}
		if err := sh.order(v, items, q); err != nil {
			return nil, err
		}
		if q.Top == -1 {
			q.Top = 10
		}
		if q.Top == 0 || q.Top > maxPageItems {
			return nil, Fail(400, "ErrorInvalidPagingParameters", "The value of $top must be from 1 to %d.", maxPageItems)
		}
		if s.fat(c, q, q.Top) {
			return nil, Fail(504, "UnknownError", "The server did not answer in time.")
		}
		from := min(q.Skip, len(items))
		to := min(from+q.Top, len(items))
		rows := []any{}
		for _, it := range items[from:to] {
			j, err := sh.itemJSON(v, it, q)
			if err != nil {
				return nil, err
			}
			rows = append(rows, j)
		}
		body := map[string]any{"@odata.context": c.under(kind.name), "value": rows}
		if q.Count {
			body["@odata.count"] = len(items)
		}
		if to < len(items) {
			body["@odata.nextLink"] = c.nextURL(map[string]string{"$skip": strconv.Itoa(to)}, "skip")
		}
		s.faults.page(c, body, c.nextURL(nil), false)
		return v.applied(JSON(200, body)), nil
	})
}

// order sorts by what $orderby names, text or times.
func (s *shelf) order(v view, items []*pimItem, q *Query) error {
	if len(q.OrderBy) == 0 {
		return nil
	}
	keys := map[*pimItem]string{}
	for _, it := range items {
		get, err := s.lookup(v, it, nil)
		if err != nil {
			return err
		}
		x, ok := get(q.OrderBy[0].Path)
		if !ok || len(q.OrderBy) > 1 {
			return Fail(400, "ErrorInvalidUrlQuery", "The simulator orders by one property that is there.")
		}
		keys[it] = fmt.Sprint(x)
	}
	slices.SortStableFunc(items, func(a, b *pimItem) int {
		n := cmp.Compare(keys[a], keys[b])
		if q.OrderBy[0].Desc {
			return -n
		}
		return n
	})
	return nil
}

// pimOne finds the item of a call and lets the faults of single reads strike. day is that of an occurrence.
func (s *Sim) pimOne(c *Call, sh *shelf) (it *pimItem, day int, err error) {
	it, day, err = sh.item(c.Params["item"])
	if err != nil {
		return nil, 0, err
	}
	if id := c.Params["folder"]; id != "" {
		f, err := sh.folder(id)
		if err != nil {
			return nil, 0, err
		}
		if f.key != it.folder {
			return nil, 0, errNotInStore
		}
	}
	if c.Method == "GET" {
		if s.faults.hit(c, FaultItemVanished) {
			sh.remove(it, c.Now)
			return nil, 0, errNotInStore
		}
		if s.faults.on(FaultItemBroken) && mix(it.key)%10 == 0 && s.faults.hit(c, FaultItemBroken) {
			return nil, 0, Fail(500, "ErrorCorruptData", "Corrupt data.")
		}
	}
	return it, day, nil
}

// afterRead is the fault of an item that changes while it is read.
func (s *Sim) afterRead(c *Call, sh *shelf, it *pimItem) {
	if s.faults.hit(c, FaultItemChanged) {
		n := it.edit()
		n.props["categories"] = []any{fmt.Sprintf("Changed while read %d", sh.b.seq)}
		sh.put(n, c.Now)
	}
}

func (s *Sim) pimGet(kind *shelfKind) Handler {
	return s.shelved(kind, func(c *Call, sh *shelf, v view) (*Reply, error) {
		q, err := c.OData("select", "expand")
		if err != nil {
			return nil, err
		}
		it, day, err := s.pimOne(c, sh)
		if err != nil {
			return nil, err
		}
		v.one = true
		j, err := sh.oneJSON(v, it, day, q)
		if err != nil {
			return nil, err
		}
		j["@odata.context"] = c.under(kind.name + "/$entity")
		s.afterRead(c, sh, it)
		return v.applied(JSON(200, j)), nil
	})
}

// oneJSON shows an item, or an occurrence of it.
func (s *shelf) oneJSON(v view, it *pimItem, day int, q *Query) (map[string]any, error) {
	if day != 0 {
		return s.occurrenceJSON(v, it, day, q)
	}
	return s.itemJSON(v, it, q)
}

func (s *Sim) pimCreate(kind *shelfKind) Handler {
	return s.shelved(kind, func(c *Call, sh *shelf, v view) (*Reply, error) {
		var f fields
		if err := c.Decode(&f); err != nil {
			return nil, err
		}
		folder, err := sh.folderOf(c)
		if err != nil {
			return nil, err
		}
		if folder.system {
			return nil, Fail(403, "ErrorAccessDenied", "Access is denied. Check credentials and try again.")
		}
		it := &pimItem{folder: folder.key, props: map[string]any{}}
		if err := sh.change(c, nil, it, f); err != nil {
			return nil, err
		}
		sh.mailed(c, "invitation to an event", it, nil)
		sh.put(it, c.Now)
		j, err := sh.itemJSON(v, it, &Query{})
		if err != nil {
			return nil, err
		}
		j["@odata.context"] = c.under(kind.name + "/$entity")
		return v.applied(JSON(201, j)), nil
	})
}

// change gives an item what a client asks for.
func (s *shelf) change(c *Call, old, now *pimItem, f fields) error {
	if f == nil {
		return badJSON(fmt.Errorf("the body must be an object"))
	}
	others := []string{"singleValueExtendedProperties", "extensions"}
	if old == nil {
		others = append(others, "linkedResources")
	}
	asked, err := readProps(s.kind.item, f, s.kind.readOnly, others...)
	if err != nil {
		return err
	}
	names := map[string]bool{}
	for k, v := range asked {
		names[k] = true
		if v == nil {
			delete(now.props, k)
			continue
		}
		now.props[k] = v
	}
	if s.kind != todoKind {
		if now.ext, err = readExtended(now.ext, f["singleValueExtendedProperties"]); err != nil {
			return err
		}
	} else if err := s.takeParts(c, old, now, f); err != nil {
		return err
	}
	return s.kind.fill(s, old, now, names)
}

// pimIfMatch checks an If-Match header against an item.
func (s *shelf) pimIfMatch(c *Call, it *pimItem) error {
	want := c.Header.Get("If-Match")
	if want == "" || want == "*" || strings.Contains(want, pimChangeKey(s.tag, it.key, it.version)) {
		return nil
	}
	return Fail(412, "ErrorIrresolvableConflict", "The send or update operation could not be performed because the change key passed in the request does not match the current change key for the item.")
}

func (s *Sim) pimPatch(kind *shelfKind) Handler {
	return s.shelved(kind, func(c *Call, sh *shelf, v view) (*Reply, error) {
		var f fields
		if err := c.Decode(&f); err != nil {
			return nil, err
		}
		old, day, err := s.pimOne(c, sh)
		if err != nil {
			return nil, err
		}
		if err := sh.pimIfMatch(c, old); err != nil {
			return nil, err
		}
		now := old.edit()
		if day != 0 {
			if err := sh.changeOccurrence(c, old, now, day, f); err != nil {
				return nil, err
			}
		} else if err := sh.change(c, old, now, f); err != nil {
			return nil, err
		}
		sh.mailed(c, "update of an event", map[bool]*pimItem{true: now, false: old}[len(f["attendees"]) > 0 && day == 0], f)
		sh.put(now, c.Now)
		j, err := sh.oneJSON(v, now, day, &Query{})
		if err != nil {
			return nil, err
		}
		j["@odata.context"] = c.under(kind.name + "/$entity")
		return v.applied(JSON(200, j)), nil
	})
}

func (s *Sim) pimDelete(kind *shelfKind) Handler {
	return s.shelved(kind, func(c *Call, sh *shelf, _ view) (*Reply, error) {
		it, day, err := s.pimOne(c, sh)
		if err != nil {
			return nil, err
		}
		if err := sh.pimIfMatch(c, it); err != nil {
			return nil, err
		}
		sh.mailed(c, "cancellation of an event", it, nil)
		if day != 0 {
			now := it.edit()
			if err := sh.cancelOccurrence(now, day); err != nil {
				return nil, err
			}
			sh.put(now, c.Now)
			return nil, nil
		}
		sh.remove(it, c.Now)
		return nil, nil
	})
}

func (s *Sim) pimDelta(kind *shelfKind) Handler {
	return s.shelved(kind, func(c *Call, sh *shelf, v view) (*Reply, error) {
		q, err := c.OData("select", "expand", "top", "skiptoken")
		if err != nil {
			return nil, err
		}
		f, err := sh.folder(c.Params["folder"])
		if err == nil && s.faults.hit(c, FaultFolderLost) {
			err = errNotInStore
		}
		if err != nil {
			return nil, err
		}
		t, q, err := s.beginDelta(c, sh, "items", f.key, q)
		if err != nil {
			return nil, err
		}
		if len(q.Expand) > 0 && s.faults.hit(c, FaultDeepRefused) {
			return nil, Fail(400, "BadRequest", "Parsing OData Select and Expand failed: expanding is not allowed here.")
		}
		if s.fat(c, q, t.Page) {
			return nil, Fail(504, "UnknownError", "The server did not answer in time.")
		}
		before := *t
		rows, done := []any{}, true
		row := func(it *pimItem) error {
			j, err := sh.itemJSON(v, it, q)
			if err == nil {
				j["@odata.type"] = "#microsoft.graph." + kind.item
				rows = append(rows, j)
			}
			return err
		}
		if t.First {
			for _, k := range sh.keys(f) {
				if t.Pos != nil && k <= t.Pos.Key {
					continue
				}
				if len(rows) == t.Page {
					done = false
					break
				}
				if err := row(sh.get(k)); err != nil {
					return nil, err
				}
				t.Pos = &position{Key: k}
			}
			if done {
				t.First, t.Pos = false, nil
			}
		} else {
			i := sort.Search(len(f.log), func(i int) bool { return f.log[i].seq > t.Since })
			for ; i < len(f.log); i++ {
				e := f.log[i]
				if f.last[e.item] != e.seq { // told later
					continue
				}
				if len(rows) == t.Page {
					done = false
					break
				}
				if it := sh.get(e.item); it == nil {
					rows = append(rows, sh.removed(sh.itemID(&pimItem{key: e.item}, 0, v.immutable)))
				} else if err := row(it); err != nil {
					return nil, err
				}
				t.Since = e.seq
			}
			if done {
				t.Since = sh.b.seq
			}
		}
		return s.deltaPage(c, sh, v, &before, t, rows, done), nil
	})
}

func (s *shelf) removed(id string) map[string]any {
	return map[string]any{"@odata.type": "#microsoft.graph." + s.kind.item, "id": id, "@removed": map[string]any{"reason": "deleted"}}
}

// beginDelta reads the link of a delta, or begins one; the first call says what all later ones give.
func (s *Sim) beginDelta(c *Call, sh *shelf, what string, folder uint32, q *Query) (*mailToken, *Query, error) {
	t, err := s.begin(c, sh.b, sh.kind.name+" "+what, folder)
	if err != nil {
		return nil, nil, err
	}
	if t.Issued == 0 {
		t.Select, t.Expand = c.Query.Get("$select"), c.Query.Get("$expand")
		if q.Top > 0 {
			t.Page = min(q.Top, maxPageItems)
		}
		return t, q, nil
	}
	again, err := t.query()
	return t, &again, err
}

func (s *Sim) deltaPage(c *Call, sh *shelf, v view, before, t *mailToken, rows []any, done bool) *Reply {
	body := map[string]any{"@odata.context": c.context("Collection(" + sh.kind.item + ")"), "value": rows}
	name, link := c.mailLink(t, done)
	body[name] = link
	_, again := c.mailLink(before, false)
	s.faults.page(c, body, again, true)
	return v.applied(JSON(200, body))
}

// --- folders ---------------------------------------------------------------------------------------------------------

func (s *Sim) pimFolders(kind *shelfKind, list func(c *Call, sh *shelf) ([]*pimFolder, error)) Handler {
	return s.shelved(kind, func(c *Call, sh *shelf, _ view) (*Reply, error) {
		q, err := c.OData("select", "top", "skip", "count", "filter", "orderby")
		if err != nil {
			return nil, err
		}
		fs, err := list(c, sh)
		if err != nil {
			return nil, err
		}
		var rows []map[string]any
		for _, f := range fs {
			full := sh.folderJSON(f)
			if q.Filter != nil {
				if ok, err := q.Filter.Match(lookupIn(full)); err != nil {
					return nil, err
				} else if !ok {
					continue
				}
			}
			j, err := project(full, q.Select, "microsoft.graph."+kind.folder, func(string) bool { return false })
			if err != nil {
				return nil, err
			}
			rows = append(rows, j)
		}
		return listPage(c, q, "users('"+c.Params["user"]+"')/"+kind.folder+"s", rows)
	})
}

// all are the folders that are there.
func (s *shelf) all() []*pimFolder {
	return slices.DeleteFunc(slices.Clone(s.folders), func(f *pimFolder) bool { return f.deleted })
}

func (s *Sim) pimFolderGet(kind *shelfKind) Handler {
	return s.shelved(kind, func(c *Call, sh *shelf, _ view) (*Reply, error) {
		f, err := sh.folderOf(c)
		if err != nil {
			return nil, err
		}
		j := sh.folderJSON(f)
		j["@odata.context"] = c.under(kind.folder + "s/$entity")
		return JSON(200, j), nil
	})
}

// folderReadOnly are properties of folders that the service sets.
var folderReadOnly = []string{"id", "parentFolderId", "changeKey", "owner", "canEdit", "canShare", "canViewPrivateItems", "isDefaultCalendar", "isRemovable", "isTallyingResponses",
	"allowedOnlineMeetingProviders", "defaultOnlineMeetingProvider", "hexColor", "isOwner", "isShared", "wellknownListName", "classId"}

func (s *Sim) pimFolderCreate(kind *shelfKind, parent func(c *Call, sh *shelf) (uint32, error)) Handler {
	return s.shelved(kind, func(c *Call, sh *shelf, _ view) (*Reply, error) {
		var in fields
		if err := c.Decode(&in); err != nil {
			return nil, err
		}
		up, err := parent(c, sh)
		if err != nil {
			return nil, err
		}
		props, err := readProps(kind.folder, in, folderReadOnly)
		if err != nil {
			return nil, err
		}
		f := &pimFolder{props: props, parent: up}
		if err := sh.checkName(f); err != nil {
			return nil, err
		}
		made := sh.addFolder(up, props, 0)
		sh.noteFolder(made)
		j := sh.folderJSON(made)
		j["@odata.context"] = c.under(kind.folder + "s/$entity")
		return JSON(201, j), nil
	})
}

// checkName refuses folders without a name, and a second one of that name where the service does.
func (s *shelf) checkName(f *pimFolder) error {
	name := f.name(s.kind)
	if strings.TrimSpace(name) == "" || len(name) > 255*4 {
		return Fail(400, "ErrorInvalidRequest", "The name of a folder is missing or too long.")
	}
	if s.kind == todoKind {
		return nil // To Do tells lists apart by id
	}
	for _, o := range s.folders {
		if !o.deleted && o.key != f.key && (s.kind == calendarKind || o.parent == f.parent) && strings.EqualFold(o.name(s.kind), name) {
			return folderExists
		}
	}
	return nil
}

func (s *Sim) pimFolderPatch(kind *shelfKind) Handler {
	return s.shelved(kind, func(c *Call, sh *shelf, _ view) (*Reply, error) {
		var in fields
		if err := c.Decode(&in); err != nil {
			return nil, err
		}
		f, err := sh.folder(c.Params["folder"])
		if err != nil {
			return nil, err
		}
		props, err := readProps(kind.folder, in, folderReadOnly)
		if err != nil {
			return nil, err
		}
		n := *f
		n.props = maps.Clone(f.props)
		maps.Copy(n.props, props)
		if f.known && n.name(kind) != f.name(kind) {
			return nil, Fail(400, "ErrorMoveDistinguishedFolder", "Distinguished folders cannot be renamed or moved.")
		}
		if err := sh.checkName(&n); err != nil {
			return nil, err
		}
		*f = n
		sh.noteFolder(f)
		j := sh.folderJSON(f)
		j["@odata.context"] = c.under(kind.folder + "s/$entity")
		return JSON(200, j), nil
	})
}

func (s *Sim) pimFolderDelete(kind *shelfKind) Handler {
	return s.shelved(kind, func(c *Call, sh *shelf, _ view) (*Reply, error) {
		f, err := sh.folder(c.Params["folder"])
		if err != nil {
			return nil, err
		}
		if f.known || f.system {
			return nil, Fail(400, "ErrorDeleteDistinguishedFolder", "Distinguished folders cannot be deleted.")
		}
		sh.removeFolder(f, c.Now)
		return nil, nil
	})
}

// pimFoldersDelta tells folders in one flat list.
func (s *Sim) pimFoldersDelta(kind *shelfKind) Handler {
	return s.shelved(kind, func(c *Call, sh *shelf, v view) (*Reply, error) {
		q, err := c.OData("select", "top", "skiptoken")
		if err != nil {
			return nil, err
		}
		if c.Query.Has("$deltatoken") && s.faults.hit(c, FaultFolderLost) {
			return nil, errNotInStore
		}
		t, _, err := s.beginDelta(c, sh, "folders", 0, q)
		if err != nil {
			return nil, err
		}
		before := *t
		rows, done := []any{}, true
		tell := func(f *pimFolder) {
			if f.known && kind == contactsKind {
				return
			}
			j := map[string]any{"id": sh.folderID(f.key), "@removed": map[string]any{"reason": "deleted"}}
			if !f.deleted {
				j = sh.folderJSON(f)
			} else if t.First {
				return
			}
			j["@odata.type"] = "#microsoft.graph." + kind.folder
			rows = append(rows, j)
		}
		if t.First {
			for ; t.Wipe < len(sh.folders) && done; t.Wipe++ {
				if done = len(rows) < t.Page; !done {
					break
				}
				tell(sh.folders[t.Wipe])
			}
			if done {
				t.First, t.Wipe = false, 0
			}
		} else {
			last := map[uint64]uint64{}
			for _, e := range sh.log {
				last[e.item] = e.seq
			}
			for _, e := range sh.log {
				if e.seq <= t.Since || last[e.item] != e.seq {
					continue
				}
				if done = len(rows) < t.Page; !done {
					break
				}
				tell(sh.folders[e.item-1])
				t.Since = e.seq
			}
			if done {
				t.Since = sh.b.seq
			}
		}
		body := map[string]any{"@odata.context": c.context("Collection(" + kind.folder + ")"), "value": rows}
		name, link := c.mailLink(t, done)
		body[name] = link
		_, again := c.mailLink(&before, false)
		s.faults.page(c, body, again, true)
		return v.applied(JSON(200, body)), nil
	})
}

func (s *shelf) folderJSON(f *pimFolder) map[string]any {
	out := map[string]any{"id": s.folderID(f.key)}
	for name, typ := range members(s.kind.folder) {
		if out[name] = f.props[name]; out[name] == nil && strings.HasPrefix(typ, "[") {
			out[name] = []any{}
		}
	}
	switch s.kind {
	case contactsKind:
		out["parentFolderId"] = s.b.folderID(rootFolder)
		if f.parent != 0 {
			out["parentFolderId"] = s.folderID(f.parent)
		}
	case calendarKind:
		s.calendarJSON(f, out)
	case todoKind:
		s.listJSON(f, out)
	}
	return out
}

// --- what a fixed time is -------------------------------------------------------------------------------------------

func pimTime(r random) time.Time {
	return epoch.Add(time.Duration(r.Int64N(int64(epochEnd.Sub(epoch))))).Truncate(time.Second)
}
