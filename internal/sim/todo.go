package sim

import (
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

var (
	tasksRead  = []string{"Tasks.Read.All", "Tasks.ReadWrite.All"}
	tasksWrite = []string{"Tasks.ReadWrite.All"}
)

var todoKind = &shelfKind{
	name: "tasks", item: "todoTask", folder: "todoTaskList", title: "displayName", immutable: true,
	readOnly: []string{"id", "createdDateTime", "lastModifiedDateTime", "bodyLastModifiedDateTime", "hasAttachments"},
}

func init() { // the functions name the kind
	todoKind.fill, todoKind.show, todoKind.stock, todoKind.generate = taskFill, taskShow, todoStock, taskGenerate
	pimTypes["todoTaskList"] = "displayName"
	pimTypes["todoTask"] = "body:itemBody categories:[string] completedDateTime:dateTimeTimeZone dueDateTime:dateTimeTimeZone importance:importance isReminderOn:bool " +
		"recurrence:patternedRecurrence reminderDateTime:dateTimeTimeZone startDateTime:dateTimeTimeZone status:taskStatus title"
	pimTypes["checklistItem"] = "displayName isChecked:bool checkedDateTime:time createdDateTime:time"
	pimTypes["linkedResource"] = "applicationName displayName externalId webUrl"
	pimTypes["taskFileAttachment"] = "name contentType size:int"
}

// partTypes are what stands in a task.
var partTypes = map[string]struct {
	typ      string
	readOnly []string
}{
	"checklistItems":  {"checklistItem", []string{"id"}},
	"linkedResources": {"linkedResource", []string{"id"}},
	"attachments":     {"taskFileAttachment", []string{"id", "lastModifiedDateTime"}},
	"extensions":      {"openTypeExtension", nil},
}

func (s *Sim) todoRoutes() []Route {
	var out []Route
	k := todoKind
	add := func(method, pattern string, perms []string, h Handler) {
		out = append(out, Route{Host: HostGraph, Method: method, Pattern: "/v1.0/users/{user}/todo" + pattern, Class: ClassOutlook, Permissions: perms, Handle: h})
	}
	lists := func(_ *Call, sh *shelf) ([]*pimFolder, error) { return sh.all(), nil }
	none := func(*Call, *shelf) (uint32, error) { return 0, nil }
	add("GET", "/lists", tasksRead, s.pimFolders(k, lists))
	add("POST", "/lists", tasksWrite, s.pimFolderCreate(k, none))
	add("GET", "/lists/delta", tasksRead, s.pimFoldersDelta(k))
	add("GET", "/lists/{folder}", tasksRead, s.pimFolderGet(k))
	add("PATCH", "/lists/{folder}", tasksWrite, s.pimFolderPatch(k))
	add("DELETE", "/lists/{folder}", tasksWrite, s.pimFolderDelete(k))
	add("GET", "/lists/{folder}/tasks", tasksRead, s.pimList(k))
	add("POST", "/lists/{folder}/tasks", tasksWrite, s.pimCreate(k))
	add("GET", "/lists/{folder}/tasks/delta", tasksRead, s.pimDelta(k))
	add("GET", "/lists/{folder}/tasks/{item}", tasksRead, s.pimGet(k))
	add("PATCH", "/lists/{folder}/tasks/{item}", tasksWrite, s.pimPatch(k))
	add("DELETE", "/lists/{folder}/tasks/{item}", tasksWrite, s.pimDelete(k))
	for _, kind := range []string{"checklistItems", "linkedResources", "attachments"} {
		at := "/lists/{folder}/tasks/{item}/" + kind
		add("GET", at, tasksRead, s.partList(kind))
		add("POST", at, tasksWrite, s.partCreate(kind))
		add("GET", at+"/{part}", tasksRead, s.partGet(kind))
		if kind != "attachments" {
			add("PATCH", at+"/{part}", tasksWrite, s.partPatch(kind))
		}
		add("DELETE", at+"/{part}", tasksWrite, s.partDelete(kind))
	}
	add("GET", "/lists/{folder}/tasks/{item}/attachments/{part}/$value", tasksRead, s.partValue)
	add("POST", "/lists/{folder}/tasks/{item}/attachments/createUploadSession", tasksWrite, s.attachmentUpload)
	return out
}

func (s *shelf) listJSON(f *pimFolder, out map[string]any) {
	known := "none"
	if f.known {
		known = "defaultList"
	} else if f.system {
		known = "flaggedEmails"
	}
	out["isOwner"], out["isShared"], out["wellknownListName"] = true, false, known
	out["@odata.etag"] = `W/"` + pimChangeKey(s.tag, uint64(f.key), f.version) + `"`
}

// taskFill checks and completes what a client asks a task to be.
func taskFill(s *shelf, old, now *pimItem, asked map[string]bool) error {
	if strings.TrimSpace(now.text("title")) == "" {
		return Fail(400, "invalidRequest", "The property 'title' is required.")
	}
	for k, v := range map[string]any{"body": map[string]any{"contentType": "text", "content": ""}, "importance": "normal", "isReminderOn": false, "status": "notStarted"} {
		if now.props[k] == nil {
			now.props[k] = v
		}
	}
	switch done := now.text("status") == "completed"; {
	case !done:
		delete(now.props, "completedDateTime")
	case now.props["completedDateTime"] == nil:
		now.props["completedDateTime"] = map[string]any{"dateTime": s.b.s.now().UTC().Format(momentForm), "timeZone": "UTC"}
	}
	if now.props["reminderDateTime"] != nil && !asked["isReminderOn"] && asked["reminderDateTime"] {
		now.props["isReminderOn"] = true
	}
	if v, _ := now.props["recurrence"].(map[string]any); v != nil {
		if now.props["dueDateTime"] == nil {
			return Fail(400, "invalidRequest", "A task that recurs needs a dueDateTime.")
		}
		full, ok := completeRule(v, "UTC")
		if _, valid := ruleOf(full); !ok || !valid {
			return Fail(400, "invalidRequest", "The recurrence of the task is not valid.")
		}
		now.props["recurrence"] = full
	}
	return nil
}

// taskShow adds what the service computes. A due date has no time of day.
func taskShow(s *shelf, _ view, it *pimItem, out map[string]any) {
	out["bodyLastModifiedDateTime"] = stamp(it.created)
	out["hasAttachments"] = len(it.parts["attachments"]) > 0
}

func todoStock(s *shelf) {
	n := s.b.s.shape.pim.Tasks
	side := n / 3
	s.addFolder(0, map[string]any{"displayName": "Tasks"}, n-side).known = true
	s.addFolder(0, map[string]any{"displayName": "Flagged Emails"}, 0).system = true
	if n > 0 {
		s.addFolder(0, map[string]any{"displayName": "Einkauf 🛒"}, side)
	}
}

func taskGenerate(s *shelf, f *pimFolder, j int) *pimItem {
	r := newRand(s.b.s.opt.Seed, "task", s.b.index, uint64(f.key), uint64(j))
	it := &pimItem{created: pimTime(r), parts: map[string][]*pimPart{}}
	it.modified = it.created
	day := func(d int) map[string]any { return at("UTC", 2026, time.Month(1+r.IntN(12)), d, 0, 0) }
	p := map[string]any{"title": pick(r, []string{"Call", "Order parts", "Prüfen:", "送る", "Renew contract"}) + " " + pick(r, surnames), "status": "notStarted", "importance": "normal", "isReminderOn": false,
		"body": map[string]any{"contentType": "text", "content": string(mailProse(r.Uint64(), 40+r.IntN(300)))}}
	switch j % 5 {
	case 0:
		for i := range 3 {
			c := &pimPart{id: uint64(i + 1), created: it.created, props: map[string]any{"displayName": fmt.Sprintf("Step %d", i+1), "isChecked": i == 0}}
			if i == 0 {
				c.props["checkedDateTime"] = stamp(it.created)
			}
			it.parts["checklistItems"] = append(it.parts["checklistItems"], c)
		}
		p["dueDateTime"], p["categories"] = day(7), []any{pick(r, categoryNames)}
	case 1:
		p["status"], p["completedDateTime"], p["importance"] = "completed", day(3), "high"
	case 2:
		it.parts["linkedResources"] = []*pimPart{{id: 1, created: it.created, props: map[string]any{"applicationName": "Tickets", "displayName": "Ticket 17", "externalId": fmt.Sprintf("t-%d", r.IntN(1e6)), "webUrl": "https://tickets.example.com/17"}}}
		p["isReminderOn"], p["reminderDateTime"] = true, at("UTC", 2026, time.October, 5, 9, 15)
		p["startDateTime"] = day(2)
	case 3:
		content := payload{kind: binaryContent, size: 900 + r.IntN(9000), seed: r.Uint64()}
		it.parts["attachments"] = []*pimPart{{id: 1, created: it.created, modified: it.created, content: &content, props: map[string]any{"name": "Beleg " + pick(r, surnames) + ".bin", "contentType": "application/octet-stream", "size": content.size}}}
		p["body"] = map[string]any{"contentType": "html", "content": string(proseHTML(r.Uint64(), 400))}
	case 4:
		p["dueDateTime"] = at("UTC", 2026, time.March, 2, 0, 0)
		p["recurrence"] = repeat("weekly", "2026-03-02", map[string]any{"recurrenceTimeZone": "UTC", "endDate": "0001-01-01", "numberOfOccurrences": 0},
			map[string]any{"daysOfWeek": []any{"monday"}, "firstDayOfWeek": "sunday", "month": 0, "dayOfMonth": 0, "index": "first"})
		p["status"] = "inProgress"
	}
	it.props = p
	return it
}

// --- what stands in tasks --------------------------------------------------------------------------------------------

func (s *shelf) partID(it *pimItem, p *pimPart) string {
	b := binary.BigEndian.AppendUint64(nil, mix(it.key))
	return base64.RawURLEncoding.EncodeToString(binary.BigEndian.AppendUint64(b, mix(p.id+uint64(len(s.tag)))))
}

func (s *shelf) partJSON(kind string, it *pimItem, p *pimPart, whole bool) map[string]any {
	out := map[string]any{"id": s.partID(it, p)}
	if kind == "extensions" {
		maps.Copy(out, p.props)
		out["@odata.type"], out["id"] = "#microsoft.graph.openTypeExtension", "microsoft.graph.openTypeExtension."+orText(p.props["extensionName"], "")
		return out
	}
	for name := range members(partTypes[kind].typ) {
		out[name] = p.props[name]
	}
	switch kind {
	case "checklistItems":
		out["createdDateTime"] = stamp(p.created)
		if out["checkedDateTime"] == nil {
			delete(out, "checkedDateTime")
		}
	case "attachments":
		out["@odata.type"], out["lastModifiedDateTime"] = "#microsoft.graph.taskFileAttachment", stamp(p.modified)
		if whole {
			if data, err := s.b.s.load(*p.content); err == nil {
				out["contentBytes"] = base64.StdEncoding.EncodeToString(data)
			}
		}
	}
	return out
}

// addPart puts a part into a task that is being changed.
func (it *pimItem) addPart(kind string, p *pimPart) {
	for _, x := range it.parts[kind] {
		p.id = max(p.id, x.id)
	}
	p.id++
	if it.parts == nil {
		it.parts = map[string][]*pimPart{}
	}
	it.parts[kind] = append(slices.Clone(it.parts[kind]), p)
}

// takeParts reads what of a task's parts its own JSON may carry: linked resources on creation, and open extensions.
func (s *shelf) takeParts(c *Call, old, now *pimItem, f fields) error {
	for _, kind := range []string{"linkedResources", "extensions"} {
		if isNull(f[kind]) {
			continue
		}
		list, err := readAs[[]fields](kind, "Collection("+partTypes[kind].typ+")", f[kind])
		if err != nil {
			return err
		}
		for _, in := range list {
			p := &pimPart{created: c.Now.UTC().Truncate(time.Second), props: map[string]any{}}
			if kind == "extensions" {
				for k, raw := range in {
					if !strings.Contains(k, "@") && k != "id" {
						if p.props[k], err = readAs[string](k, "Edm.String", raw); err != nil {
							return err
						}
					}
				}
				if p.props["extensionName"] == nil {
					return Fail(400, "invalidRequest", "An open extension needs an extensionName.")
				}
			} else if p.props, err = readProps(partTypes[kind].typ, in, partTypes[kind].readOnly); err != nil {
				return err
			}
			now.addPart(kind, p)
		}
	}
	return nil
}

// parted is a handler of a part of a task.
func (s *Sim) parted(kind string, fn func(c *Call, sh *shelf, it *pimItem, p *pimPart) (*Reply, error)) Handler {
	return s.shelved(todoKind, func(c *Call, sh *shelf, _ view) (*Reply, error) {
		it, _, err := s.pimOne(c, sh)
		if err != nil {
			return nil, err
		}
		i := slices.IndexFunc(it.parts[kind], func(p *pimPart) bool { return sh.partID(it, p) == c.Params["part"] })
		if i < 0 {
			return nil, errNotInStore
		}
		return fn(c, sh, it, it.parts[kind][i])
	})
}

func (s *Sim) partContext(c *Call, kind string) string {
	return c.under("todo/lists('" + c.Params["folder"] + "')/tasks('" + c.Params["item"] + "')/" + kind)
}

func (s *Sim) partList(kind string) Handler {
	return s.shelved(todoKind, func(c *Call, sh *shelf, _ view) (*Reply, error) {
		q, err := c.OData("top", "skip", "select")
		if err != nil {
			return nil, err
		}
		it, _, err := s.pimOne(c, sh)
		if err != nil {
			return nil, err
		}
		var rows []map[string]any
		for _, p := range it.parts[kind] {
			rows = append(rows, sh.partJSON(kind, it, p, kind != "attachments")) // the list has no contentBytes
		}
		if q.Top == -1 {
			q.Top = 100
		}
		return listPage(c, q, "users('"+c.Params["user"]+"')/todo/lists('"+c.Params["folder"]+"')/tasks('"+c.Params["item"]+"')/"+kind, rows)
	})
}

func (s *Sim) partGet(kind string) Handler {
	return s.parted(kind, func(c *Call, sh *shelf, it *pimItem, p *pimPart) (*Reply, error) {
		j := sh.partJSON(kind, it, p, true)
		j["@odata.context"] = s.partContext(c, kind+"/$entity")
		return JSON(200, j), nil
	})
}

func (s *Sim) partValue(c *Call) (*Reply, error) {
	return s.parted("attachments", func(_ *Call, _ *shelf, _ *pimItem, p *pimPart) (*Reply, error) {
		data, err := s.load(*p.content)
		return Bytes(200, orOctets(orText(p.props["contentType"], "")), data), err
	})(c)
}

func (s *Sim) partCreate(kind string) Handler {
	return s.shelved(todoKind, func(c *Call, sh *shelf, _ view) (*Reply, error) {
		var f fields
		if err := c.Decode(&f); err != nil {
			return nil, err
		}
		it, _, err := s.pimOne(c, sh)
		if err != nil {
			return nil, err
		}
		now := it.edit()
		p := &pimPart{created: c.Now.UTC().Truncate(time.Second)}
		p.modified = p.created
		if p.props, err = readProps(partTypes[kind].typ, f, partTypes[kind].readOnly, "contentBytes"); err != nil {
			return nil, err
		}
		if err := sh.finishPart(kind, p, f); err != nil {
			return nil, err
		}
		now.addPart(kind, p)
		sh.put(now, c.Now)
		j := sh.partJSON(kind, now, p, false)
		j["@odata.context"] = s.partContext(c, kind+"/$entity")
		return JSON(201, j), nil
	})
}

// finishPart checks a new part and stores what it holds.
func (s *shelf) finishPart(kind string, p *pimPart, f fields) error {
	switch kind {
	case "checklistItems":
		if strings.TrimSpace(orText(p.props["displayName"], "")) == "" {
			return Fail(400, "invalidRequest", "A checklist item needs a displayName.")
		}
		if p.props["isChecked"] == nil {
			p.props["isChecked"] = false
		}
		if t, ok := parseTime(orText(p.props["createdDateTime"], "")); ok { // taken on creation
			p.created = t
		}
		delete(p.props, "createdDateTime")
		if p.props["isChecked"] == true && p.props["checkedDateTime"] == nil {
			p.props["checkedDateTime"] = stamp(p.created)
		}
	case "attachments":
		data, err := readAs[[]byte]("contentBytes", "Edm.Binary", f["contentBytes"])
		if err != nil || orText(p.props["name"], "") == "" {
			return Fail(400, "invalidRequest", "An attachment of a task needs a name and contentBytes.")
		}
		if len(data) >= maxInlineAttachment {
			return Fail(413, "invalidRequest", "The attachment is above the limit of %d bytes; use an upload session.", maxInlineAttachment)
		}
		content, err := s.b.s.stored(data)
		if err != nil {
			return err
		}
		p.content, p.props["size"] = &content, len(data)
		p.props["contentType"] = orText(p.props["contentType"], "application/octet-stream")
	}
	return nil
}

func (s *Sim) partPatch(kind string) Handler {
	return s.parted(kind, func(c *Call, sh *shelf, it *pimItem, old *pimPart) (*Reply, error) {
		var f fields
		if err := c.Decode(&f); err != nil {
			return nil, err
		}
		props, err := readProps(partTypes[kind].typ, f, append([]string{"createdDateTime"}, partTypes[kind].readOnly...))
		if err != nil {
			return nil, err
		}
		p := *old
		p.props = maps.Clone(old.props)
		maps.Copy(p.props, props)
		now := it.edit()
		now.parts[kind] = slices.Clone(it.parts[kind])
		now.parts[kind][slices.Index(it.parts[kind], old)] = &p
		sh.put(now, c.Now)
		j := sh.partJSON(kind, now, &p, true)
		j["@odata.context"] = s.partContext(c, kind+"/$entity")
		return JSON(200, j), nil
	})
}

func (s *Sim) partDelete(kind string) Handler {
	return s.parted(kind, func(c *Call, sh *shelf, it *pimItem, old *pimPart) (*Reply, error) {
		now := it.edit()
		now.parts[kind] = slices.DeleteFunc(slices.Clone(it.parts[kind]), func(p *pimPart) bool { return p == old })
		sh.put(now, c.Now)
		return nil, nil
	})
}

// uploadIntoTask is the end of an upload to a task.
func (s *Sim) uploadIntoTask(c *Call, b *mailbox) (string, func(*attachment, time.Time) (string, error), error) {
	sh := b.shelf(todoKind)
	it, _, err := s.pimOne(c, sh)
	if err != nil {
		return "", nil, err
	}
	return sh.itemID(it, 0, true), func(a *attachment, now time.Time) (string, error) {
		it := sh.get(it.key)
		if it == nil {
			return "", errNotInStore
		}
		n := it.edit()
		content := a.content
		p := &pimPart{created: now, modified: now, content: &content, props: map[string]any{"name": a.name, "contentType": a.contentType, "size": content.size}}
		n.addPart("attachments", p)
		sh.put(n, now)
		return sh.partID(n, p), nil
	}, nil
}
