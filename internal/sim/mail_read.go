package sim

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Permissions that suffice for reading and for writing mail.
var (
	mailBasic = []string{"Mail.ReadBasic.All", "Mail.Read", "Mail.ReadWrite"}
	mailOne   = []string{"Mail.ReadBasic.All", "Mail.Read"} // Mail.ReadWrite is not in the table's row
	mailData  = []string{"Mail.Read"}
	mailRead  = []string{"Mail.Read", "Mail.ReadWrite"}
	mailWrite = []string{"Mail.ReadWrite"}
	mailSend  = []string{"Mail.Send"}
)

func (s *Sim) mailRoutes() []Route {
	var out []Route
	add := func(method, pattern string, perms []string, h Handler) {
		out = append(out, Route{Host: HostGraph, Method: method, Pattern: "/v1.0/users/{user}" + pattern, Class: ClassOutlook, Permissions: perms, Handle: h})
	}
	add("GET", "/mailFolders", mailBasic, s.foldersList)
	add("POST", "/mailFolders", mailWrite, s.folderCreate)
	add("GET", "/mailFolders/delta", mailBasic, s.foldersDelta)
	add("GET", "/mailFolders/{folder}", mailBasic, s.folderGet)
	add("PATCH", "/mailFolders/{folder}", mailWrite, s.folderPatch)
	add("DELETE", "/mailFolders/{folder}", mailWrite, s.folderDelete)
	add("POST", "/mailFolders/{folder}/move", mailWrite, s.folderMove)
	add("GET", "/mailFolders/{folder}/childFolders", mailBasic, s.foldersList)
	add("POST", "/mailFolders/{folder}/childFolders", mailWrite, s.folderCreate)
	add("GET", "/mailFolders/{folder}/messages/delta", mailBasic, s.messagesDelta)
	for _, at := range []string{"", "/mailFolders/{folder}"} {
		add("GET", at+"/messages", mailBasic, s.messagesList)
		add("GET", at+"/messages/$count", mailBasic, s.messagesCount)
		add("POST", at+"/messages", mailWrite, s.messageCreate)
		add("GET", at+"/messages/{message}", mailOne, s.messageGet)
		add("PATCH", at+"/messages/{message}", mailWrite, s.messagePatch)
		add("DELETE", at+"/messages/{message}", mailWrite, s.messageDelete)
		add("GET", at+"/messages/{message}/$value", mailData, s.messageMIME)
		add("POST", at+"/messages/{message}/move", mailWrite, s.messageMove)
		add("POST", at+"/messages/{message}/copy", mailWrite, s.messageCopy)
		add("GET", at+"/messages/{message}/attachments", mailData, s.attachmentsList)
		add("POST", at+"/messages/{message}/attachments", mailWrite, s.attachmentCreate)
		add("POST", at+"/messages/{message}/attachments/createUploadSession", mailWrite, s.attachmentUpload)
		add("GET", at+"/messages/{message}/attachments/{attachment}", mailData, s.attachmentGet)
		add("DELETE", at+"/messages/{message}/attachments/{attachment}", mailWrite, s.attachmentDelete)
		add("GET", at+"/messages/{message}/attachments/{attachment}/$value", mailData, s.attachmentValue)
		for _, verb := range []string{"send", "reply", "replyAll", "forward"} {
			add("POST", at+"/messages/{message}/"+verb, mailSend, s.messageSend)
		}
	}
	add("POST", "/sendMail", mailSend, s.sendMail)
	add("POST", "/translateExchangeIds", []string{"User.Read.All", "User.ReadWrite.All"}, s.translateIDs)
	put := func(method string, max int64, h Handler) {
		out = append(out, Route{Host: HostOutlook, Method: method, Pattern: uploadPattern, Public: true, Class: ClassOutlook, MaxBody: max, Handle: h})
	}
	put("PUT", uploadChunk, s.uploadPut)
	put("GET", 0, s.uploadStatus)
	put("DELETE", 0, s.uploadCancel)
	return out
}

// basicOnly refuses what Mail.ReadBasic does not give: bodies, attachments, extended properties.
func (s *Sim) basicOnly(c *Call, sel []string, expand []Expand) error {
	if s.entra.holds(c, mailRead) {
		return nil
	}
	for _, n := range sel {
		if n == "body" || n == "uniqueBody" || n == "bodyPreview" {
			return Fail(403, "ErrorAccessDenied", "Access is denied. Check credentials and try again.")
		}
	}
	if len(expand) > 0 {
		return Fail(403, "ErrorAccessDenied", "Access is denied. Check credentials and try again.")
	}
	return nil
}

func withoutBodies(m map[string]any) {
	for _, k := range []string{"body", "uniqueBody", "bodyPreview"} {
		delete(m, k)
	}
}

// --- folders ---------------------------------------------------------------------------------------------------------

func (s *Sim) foldersList(c *Call) (*Reply, error) {
	q, err := c.OData("select", "top", "skip", "filter", "expand", "count", "skiptoken", "orderby")
	if err != nil {
		return nil, err
	}
	b, err := s.box(c)
	if err != nil {
		return nil, err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	parent := rootFolder
	if id := c.Params["folder"]; id != "" {
		f, err := b.folder(id)
		if err != nil {
			return nil, err
		}
		parent = f.key
	}
	hidden := false
	for k, v := range c.Query {
		if strings.EqualFold(k, "includeHiddenFolders") {
			hidden = len(v) > 0 && strings.EqualFold(v[0], "true")
		}
	}
	var rows []map[string]any
	for _, k := range b.order {
		f := b.folders[k]
		if f.parent != parent || f.deleted || f.apart() || f.hidden && !hidden {
			continue
		}
		if q.Filter != nil {
			full, err := b.folderJSON(f, &Query{})
			if err != nil {
				return nil, err
			}
			if ok, err := q.Filter.Match(lookupIn(full)); err != nil {
				return nil, err
			} else if !ok {
				continue
			}
		}
		m, err := b.folderJSON(f, q)
		if err != nil {
			return nil, err
		}
		rows = append(rows, m)
	}
	return listPage(c, q, "users('"+c.Params["user"]+"')/mailFolders", rows)
}

// listPage cuts a small list into pages: $top (default 10), $skip.
func listPage(c *Call, q *Query, context string, rows []map[string]any) (*Reply, error) {
	if q.Top == -1 {
		q.Top = 10
	}
	if q.Top == 0 || q.Top > maxPageItems {
		return nil, Fail(400, "ErrorInvalidPagingParameters", "The value of $top must be from 1 to %d.", maxPageItems)
	}
	from := min(q.Skip, len(rows))
	to := min(from+q.Top, len(rows))
	out := []any{}
	for _, r := range rows[from:to] {
		out = append(out, r)
	}
	body := map[string]any{"@odata.context": c.context(context), "value": out}
	if q.Count {
		body["@odata.count"] = len(rows)
	}
	if to < len(rows) {
		body["@odata.nextLink"] = c.nextURL(map[string]string{"$skip": strconv.Itoa(to)}, "skip")
	}
	c.Sim.faults.page(c, body, c.nextURL(nil), false)
	return JSON(200, body), nil
}

func (s *Sim) folderGet(c *Call) (*Reply, error) {
	q, err := c.OData("select", "expand")
	if err != nil {
		return nil, err
	}
	b, err := s.box(c)
	if err != nil {
		return nil, err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	f, err := b.folder(c.Params["folder"])
	if err != nil {
		return nil, err
	}
	m, err := b.folderJSON(f, q)
	if err != nil {
		return nil, err
	}
	m["@odata.context"] = c.context("users('" + c.Params["user"] + "')/mailFolders/$entity")
	return JSON(200, m), nil
}

// --- message lists ---------------------------------------------------------------------------------------------------

// mailToken is the state inside the links of mail.
type mailToken struct {
	Kind   string    `json:"k"` // list, delta, folders
	Box    int       `json:"u"`
	Folder uint32    `json:"f,omitempty"`
	Since  uint64    `json:"s,omitempty"` // changes up to here are told
	Wipe   int       `json:"w,omitempty"` // of a wipe that is being told: rows told
	First  bool      `json:"e,omitempty"` // the first enumeration goes on
	Pos    *position `json:"p,omitempty"`
	Issued int64     `json:"i"`
	Select string    `json:"q,omitempty"`
	Expand string    `json:"x,omitempty"`
	Filter string    `json:"r,omitempty"`
	Page   int       `json:"n,omitempty"`
	Told   int       `json:"t,omitempty"`
	Hidden bool      `json:"h,omitempty"`
	Pad    string    `json:"z,omitempty"` // links of the real service have some 1,000 characters
}

// heads merges the messages of folders in order of date.
type heads struct {
	asc  bool
	each []*walker
}

func (h *heads) first() *walker {
	var best *walker
	var bp position
	for _, w := range h.each {
		p, _, ok := w.peek()
		if !ok {
			continue
		}
		if best != nil {
			first := newer(time.Unix(0, p.Time), p.Key, time.Unix(0, bp.Time), bp.Key) < 0
			if first == h.asc {
				continue
			}
		}
		best, bp = w, p
	}
	return best
}

func (b *mailbox) list(fs []*folder, asc bool, pos *position) *heads {
	h := &heads{asc: asc}
	for _, f := range fs {
		h.each = append(h.each, b.walk(f, asc, pos))
	}
	return h
}

// listed are the folders that a list covers.
func (b *mailbox) listed(id string) ([]*folder, error) {
	if id != "" {
		f, err := b.folder(id)
		return []*folder{f}, err
	}
	var fs []*folder
	for _, k := range b.order {
		if f := b.folders[k]; !f.deleted && f.holds == "" {
			fs = append(fs, f)
		}
	}
	return fs, nil
}

// bounds are the limits of received time that a filter demands.
func bounds(e *Expr) (lo, hi time.Time) {
	if e == nil {
		return
	}
	if e.Op == "and" {
		for _, a := range e.Args {
			l, h := bounds(a)
			if l.After(lo) {
				lo = l
			}
			if !h.IsZero() && (hi.IsZero() || h.Before(hi)) {
				hi = h
			}
		}
		return lo, hi
	}
	if len(e.Args) != 2 || e.Args[0].Op != "path" || e.Args[0].Path != "receivedDateTime" {
		return
	}
	t, ok := e.Args[1].Value.(time.Time)
	if s, isText := e.Args[1].Value.(string); isText {
		t, ok = parseTime(s)
	}
	if !ok {
		return
	}
	switch e.Op {
	case "ge", "gt":
		lo = t
	case "le", "lt":
		hi = t
	case "eq":
		lo, hi = t, t
	}
	return lo, hi
}

// namesOwnProperty reports that a filter demands an extended property with a name, which no generated message has.
func namesOwnProperty(e *Expr) bool {
	if e == nil {
		return false
	}
	if e.Op == "and" {
		return slices.ContainsFunc(e.Args, namesOwnProperty)
	}
	if e.Op != "any" || !strings.EqualFold(e.Path, "singleValueExtendedProperties") || len(e.Args) == 0 {
		return false
	}
	ids := comparedIDs(e.Args[0], e.Var)
	return len(ids) > 0 && !slices.ContainsFunc(ids, func(id string) bool { return !strings.Contains(id, "{") })
}

// comparedIDs are the ids with which an expression compares.
func comparedIDs(e *Expr, v string) []string {
	if e.Op == "eq" && e.Args[0].Op == "path" && strings.EqualFold(e.Args[0].Path, v+"/id") {
		if s, ok := e.Args[1].Value.(string); ok {
			return []string{s}
		}
	}
	var out []string
	for _, a := range e.Args {
		out = append(out, comparedIDs(a, v)...)
	}
	return out
}

// lookup lets a filter look at a message.
func (b *mailbox) lookup(m *message, e *Expr) Lookup {
	person := func(a *mailAddress, rest string) (any, bool) {
		if a == nil {
			a = &mailAddress{}
		}
		switch rest {
		case "emailAddress/address":
			return a.Address, true
		case "emailAddress/name":
			return a.Name, true
		}
		return nil, false
	}
	people := func(list []mailAddress) []Lookup {
		var out []Lookup
		for i := range list {
			out = append(out, func(path string) (any, bool) { return person(&list[i], path) })
		}
		return out
	}
	return func(path string) (any, bool) {
		first, rest, _ := strings.Cut(path, "/")
		switch first {
		case "receivedDateTime":
			return m.received, true
		case "sentDateTime":
			return m.sent, true
		case "createdDateTime":
			return m.created, true
		case "lastModifiedDateTime":
			return m.modified, true
		case "subject":
			return m.subject, true
		case "isRead":
			return m.isRead, true
		case "isDraft":
			return m.isDraft, true
		case "hasAttachments":
			return m.hasAttachments(), true
		case "importance":
			return m.importance, true
		case "inferenceClassification":
			return m.inference, true
		case "internetMessageId":
			return m.messageID, true
		case "conversationId":
			return b.conversationID(m), true
		case "parentFolderId":
			return b.folderID(m.folder), true
		case "changeKey":
			return changeKey(b.tag, m), true
		case "categories":
			return m.categories, true
		case "flag":
			return m.flag.status, rest == "flagStatus"
		case "from":
			return person(m.from, rest)
		case "sender":
			return person(m.sender, rest)
		case "toRecipients":
			return people(m.to), true
		case "ccRecipients":
			return people(m.cc), true
		case "singleValueExtendedProperties":
			var out []Lookup
			for _, id := range extendedNamed(e) {
				can, err := canonicalID(id, false)
				if err != nil {
					continue
				}
				if v, ok, err := b.extended(m, can); ok && err == nil {
					out = append(out, func(p string) (any, bool) {
						switch p {
						case "id":
							return id, true
						case "value":
							return v, true
						}
						return nil, false
					})
				}
			}
			return out, true
		}
		return nil, false
	}
}

func extendedNamed(e *Expr) []string {
	if e == nil {
		return nil
	}
	if (e.Op == "any" || e.Op == "all") && strings.EqualFold(e.Path, "singleValueExtendedProperties") && len(e.Args) > 0 {
		return comparedIDs(e.Args[0], e.Var)
	}
	var out []string
	for _, a := range e.Args {
		out = append(out, extendedNamed(a)...)
	}
	return out
}

// direction reads $orderby, which must agree with $filter as Exchange demands it.
func direction(q *Query) (asc bool, err error) {
	if len(q.OrderBy) == 0 {
		return false, nil
	}
	if len(q.OrderBy) > 1 || q.OrderBy[0].Path != "receivedDateTime" {
		return false, Fail(400, "ErrorInvalidUrlQuery", "The simulator orders messages by receivedDateTime only.")
	}
	if q.Filter != nil {
		if lo, hi := bounds(q.Filter); lo.IsZero() && hi.IsZero() {
			return false, Fail(400, "InefficientFilter", "The restriction or sort order is too complex for this operation.")
		}
	}
	return !q.OrderBy[0].Desc, nil
}

func (s *Sim) messagesList(c *Call) (*Reply, error) {
	q, err := c.OData("select", "top", "skip", "filter", "expand", "orderby", "count", "skiptoken")
	if err != nil {
		return nil, err
	}
	if err := s.checkSelect(q.Select); err != nil {
		return nil, err
	}
	v, err := c.view()
	if err != nil {
		return nil, err
	}
	asc, err := direction(q)
	if err != nil {
		return nil, err
	}
	if q.Top == -1 {
		q.Top = 10
	}
	if q.Top == 0 || q.Top > maxPageItems {
		return nil, Fail(400, "ErrorInvalidPagingParameters", "The value of $top must be from 1 to %d.", maxPageItems)
	}
	if err := s.basicOnly(c, q.Select, q.Expand); err != nil {
		return nil, err
	}
	if s.fat(c, q, q.Top) {
		return nil, Fail(504, "UnknownError", "The server did not answer in time.")
	}
	b, err := s.box(c)
	if err != nil {
		return nil, err
	}
	var pos *position
	if q.Token != "" {
		var t mailToken
		if !openToken(q.Token, &t) || t.Kind != "list" || t.Box != b.user.Index {
			return nil, Fail(400, "ErrorInvalidUrlQuery", "The $skiptoken is not valid.")
		}
		pos = t.Pos
	}
	page, last, more, total, err := b.pageOf(c.Params["folder"], q, asc, pos)
	if err != nil {
		return nil, err
	}
	rows, err := b.rows(c, v, page, q)
	if err != nil {
		return nil, err
	}
	body := map[string]any{"@odata.context": c.context("users('" + c.Params["user"] + "')/messages"), "value": rows}
	if q.Count {
		body["@odata.count"] = total
	}
	if more {
		body["@odata.nextLink"] = c.nextURL(map[string]string{"$skiptoken": sealToken(mailToken{Kind: "list", Box: b.user.Index, Pos: &last, Issued: c.Now.Unix()})}, "skiptoken", "skip")
	}
	s.faults.page(c, body, c.nextURL(nil), false)
	return v.applied(JSON(200, body)), nil
}

// fat lets the fault of slow pages strike on pages that carry bodies.
func (s *Sim) fat(c *Call, q *Query, size int) bool {
	bodies := len(q.Select) == 0 || slices.Contains(q.Select, "body") || slices.Contains(q.Select, "*") || slices.ContainsFunc(q.Expand, func(e Expand) bool { return strings.EqualFold(e.Name, "attachments") && len(e.Select) == 0 })
	return size > 25 && bodies && s.faults.hit(c, FaultFatPage)
}

// pageOf collects one page of messages. The lock is held only here; contents are made afterwards.
func (b *mailbox) pageOf(folderID string, q *Query, asc bool, pos *position) (page []*message, last position, more bool, total int, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	fs, err := b.listed(folderID)
	if err != nil {
		return nil, last, false, 0, err
	}
	for _, f := range fs {
		total += f.total()
	}
	lo, hi := bounds(q.Filter)
	start := pos
	if start == nil && q.Filter != nil { // begin where the filter begins
		if asc && !lo.IsZero() {
			start = &position{Time: lo.UnixNano() - 1, Key: ^uint64(0)}
		} else if !asc && !hi.IsZero() {
			start = &position{Time: hi.UnixNano() + 1}
		}
	}
	var next func() (*message, bool)
	if namesOwnProperty(q.Filter) {
		next = b.overlayOnly(fs, asc, start)
	} else {
		h := b.list(fs, asc, start)
		for range q.Skip {
			if pos != nil || q.Filter != nil {
				break
			}
			w := h.first()
			if w == nil || !w.skip() {
				break
			}
		}
		next = func() (*message, bool) {
			w := h.first()
			if w == nil {
				return nil, false
			}
			return w.next(), true
		}
	}
	skip := 0
	if pos == nil && q.Filter != nil {
		skip = q.Skip
	}
	for {
		m, ok := next()
		if !ok || asc && !hi.IsZero() && m.received.After(hi) || !asc && !lo.IsZero() && m.received.Before(lo) {
			return page, last, false, total, nil
		}
		if q.Filter != nil {
			match, err := q.Filter.Match(b.lookup(m, q.Filter))
			if err != nil {
				return nil, last, false, 0, err
			}
			if !match {
				continue
			}
			if skip > 0 {
				skip--
				continue
			}
		}
		if len(page) == q.Top {
			return page, last, true, total, nil
		}
		page = append(page, m)
		last = position{Time: m.received.UnixNano(), Key: m.key}
	}
}

// overlayOnly walks the messages that were changed or created, in order.
func (b *mailbox) overlayOnly(fs []*folder, asc bool, pos *position) func() (*message, bool) {
	in := map[uint32]bool{}
	for _, f := range fs {
		in[f.key] = true
	}
	var list []*message
	for _, m := range b.items {
		if !m.deleted && in[m.folder] && b.get(m.key) != nil {
			if pos != nil {
				after := newer(time.Unix(0, pos.Time), pos.Key, m.received, m.key) < 0
				if after == asc || m.key == pos.Key {
					continue
				}
			}
			list = append(list, m)
		}
	}
	slices.SortFunc(list, func(x, y *message) int {
		n := newer(x.received, x.key, y.received, y.key)
		if asc {
			return -n
		}
		return n
	})
	i := 0
	return func() (*message, bool) {
		if i == len(list) {
			return nil, false
		}
		i++
		return list[i-1], true
	}
}

// rows shows messages and reports them to the oracle.
func (b *mailbox) rows(c *Call, v view, page []*message, q *Query) ([]any, error) {
	out := make([]any, 0, len(page))
	full := b.s.entra.holds(c, mailRead)
	for _, m := range page {
		j, err := b.messageJSON(v, m, q.Select, q.Expand)
		if err != nil {
			return nil, err
		}
		if !full {
			withoutBodies(j)
		}
		out = append(out, j)
		if err := b.served(c, ServedJSON, m, 0, [32]byte{}); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func (b *mailbox) served(c *Call, kind ServedKind, m *message, size int, sum [32]byte) error {
	return b.s.oracle.served(c.Now, kind, hash64("mail:"+b.user.ID), m.key, m.version, int64(size), sum)
}

func (s *Sim) messagesCount(c *Call) (*Reply, error) {
	b, err := s.box(c)
	if err != nil {
		return nil, err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	fs, err := b.listed(c.Params["folder"])
	if err != nil {
		return nil, err
	}
	n := 0
	for _, f := range fs {
		n += f.total()
	}
	return Bytes(200, "text/plain", []byte(strconv.Itoa(n))), nil
}

// --- single messages -------------------------------------------------------------------------------------------------

// one finds the message of a call and lets the faults of single reads strike.
func (s *Sim) one(c *Call) (*mailbox, *message, error) {
	b, err := s.box(c)
	if err != nil {
		return nil, nil, err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	m, err := b.inFolder(c)
	if err != nil {
		return nil, nil, err
	}
	if c.Method == "GET" {
		if s.faults.hit(c, FaultItemVanished) {
			b.remove(m, c.Now)
			_, err := b.message(c.Params["message"])
			return nil, nil, err
		}
		if s.faults.on(FaultItemBroken) && mix(m.key)%10 == 0 && s.faults.hit(c, FaultItemBroken) {
			return nil, nil, Fail(500, "ErrorCorruptData", "Corrupt data.")
		}
	}
	return b, m, nil
}

// inFolder finds the message that a call names; it must lie in the folder that the path names, if it names one.
func (b *mailbox) inFolder(c *Call) (*message, error) {
	m, err := b.message(c.Params["message"])
	if err != nil {
		return nil, err
	}
	if id := c.Params["folder"]; id != "" {
		f, err := b.folder(id)
		if err != nil {
			return nil, err
		}
		if f.key != m.folder {
			return nil, Fail(404, "ErrorItemNotFound", "The specified object was not found in the store.")
		}
	}
	return m, nil
}

// changeAfterRead is the fault of a message that changes while it is read.
func (s *Sim) changeAfterRead(c *Call, b *mailbox, m *message) {
	if !s.faults.hit(c, FaultItemChanged) {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	cur := b.get(m.key)
	if cur == nil {
		return
	}
	n := b.edit(cur)
	n.isRead = !cur.isRead
	n.categories = []string{fmt.Sprintf("Changed while read %d", b.seq)}
	b.store(cur, n, c.Now)
}

func (s *Sim) messageGet(c *Call) (*Reply, error) {
	q, err := c.OData("select", "expand")
	if err != nil {
		return nil, err
	}
	if err := s.checkSelect(q.Select); err != nil {
		return nil, err
	}
	v, err := c.view()
	if err != nil {
		return nil, err
	}
	if err := s.basicOnly(c, q.Select, q.Expand); err != nil {
		return nil, err
	}
	b, m, err := s.one(c)
	if err != nil {
		return nil, err
	}
	j, err := b.messageJSON(v, m, q.Select, q.Expand)
	if err != nil {
		return nil, err
	}
	if !s.entra.holds(c, mailRead) {
		withoutBodies(j)
	}
	j["@odata.context"] = c.context("users('" + c.Params["user"] + "')/messages/$entity")
	if err := b.served(c, ServedJSON, m, 0, [32]byte{}); err != nil {
		return nil, err
	}
	s.changeAfterRead(c, b, m)
	return v.applied(JSON(200, j)), nil
}

func (s *Sim) messageMIME(c *Call) (*Reply, error) {
	b, m, err := s.one(c)
	if err != nil {
		return nil, err
	}
	raw, err := s.mimeOf(m, s.faults.salt(c))
	if err != nil {
		return nil, err
	}
	if err := b.served(c, ServedMIME, m, len(raw), sha(raw)); err != nil {
		return nil, err
	}
	s.changeAfterRead(c, b, m)
	return Bytes(200, "text/plain", raw), nil
}

func (s *Sim) attachmentsList(c *Call) (*Reply, error) {
	q, err := c.OData("select", "expand", "top", "skip", "count", "filter")
	if err != nil {
		return nil, err
	}
	v, err := c.view()
	if err != nil {
		return nil, err
	}
	b, m, err := s.one(c)
	if err != nil {
		return nil, err
	}
	out := []any{}
	for _, a := range m.attachments {
		j, err := b.attachmentJSON(v, m, a, q.Select, q.Expand)
		if err != nil {
			return nil, err
		}
		if q.Filter != nil {
			if ok, err := q.Filter.Match(lookupIn(j)); err != nil {
				return nil, err
			} else if !ok {
				continue
			}
		}
		out = append(out, j)
	}
	return v.applied(JSON(200, map[string]any{"@odata.context": c.context("users('" + c.Params["user"] + "')/messages('" + c.Params["message"] + "')/attachments"), "value": out})), nil
}

func (s *Sim) oneAttachment(c *Call) (*mailbox, *message, *attachment, error) {
	b, m, err := s.one(c)
	if err != nil {
		return nil, nil, nil, err
	}
	a, err := b.attachment(m, c.Params["attachment"])
	return b, m, a, err
}

func (s *Sim) attachmentGet(c *Call) (*Reply, error) {
	q, err := c.OData("select", "expand")
	if err != nil {
		return nil, err
	}
	v, err := c.view()
	if err != nil {
		return nil, err
	}
	b, m, a, err := s.oneAttachment(c)
	if err != nil {
		return nil, err
	}
	j, err := b.attachmentJSON(v, m, a, q.Select, q.Expand)
	if err != nil {
		return nil, err
	}
	j["@odata.context"] = c.context("users('" + c.Params["user"] + "')/messages('" + c.Params["message"] + "')/attachments/$entity")
	return v.applied(JSON(200, j)), nil
}

func (s *Sim) attachmentValue(c *Call) (*Reply, error) {
	b, m, a, err := s.oneAttachment(c)
	if err != nil {
		return nil, err
	}
	var raw []byte
	kind := a.contentType
	switch a.kind {
	case referenceAttachment:
		return nil, Fail(405, "ErrorInvalidRequest", "The media stream of a reference attachment cannot be read.")
	case itemAttachment:
		kind = "text/plain"
		raw, err = s.mimeOf(a.item, "")
	default:
		if a.content.kind == storedContent {
			if err := b.served(c, ServedAttachment, m, int(a.content.blob.size), a.content.blob.sum); err != nil {
				return nil, err
			}
			r := &Reply{Status: 200, Content: s.blobs.reader(a.content.blob), Length: a.content.blob.size}
			return r.With("Content-Type", orOctets(kind)), nil
		}
		raw, err = s.load(a.content)
	}
	if err != nil {
		return nil, err
	}
	if err := b.served(c, ServedAttachment, m, len(raw), sha(raw)); err != nil {
		return nil, err
	}
	return Bytes(200, orOctets(kind), raw), nil
}

func orOctets(kind string) string {
	if kind == "" || strings.ContainsAny(kind, "\r\n") {
		return "application/octet-stream"
	}
	return kind
}
