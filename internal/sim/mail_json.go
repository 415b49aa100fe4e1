package sim

import (
	"encoding/base64"
	"fmt"
	"html"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// view says how messages of a call are shown.
type view struct {
	c         *Call
	immutable bool
	text      bool   // bodies as text, whatever they are
	html      bool   // bodies as HTML, whatever they are
	zone      string // times of events in this zone, default UTC
	one       bool   // a call for one item, which shows more
}

func (c *Call) view() (view, error) {
	v := view{c: c}
	if t, ok := c.Prefer("IdType"); ok {
		v.immutable = strings.EqualFold(t, "ImmutableId")
	}
	if t, ok := c.Prefer("outlook.body-content-type"); ok {
		switch strings.ToLower(t) {
		case "text":
			v.text = true
		case "html":
			v.html = true
		default:
			return v, Fail(400, "ErrorInvalidRequest", "The value '%s' of the preference 'outlook.body-content-type' is not valid.", t)
		}
	}
	return v, nil
}

// applied tells the client which of its preferences were honoured.
func (v view) applied(r *Reply) *Reply {
	var out []string
	if v.immutable {
		out = append(out, `IdType="ImmutableId"`)
	}
	if v.text {
		out = append(out, `outlook.body-content-type="text"`)
	} else if v.html {
		out = append(out, `outlook.body-content-type="html"`)
	}
	if len(out) > 0 {
		r.With("Preference-Applied", strings.Join(out, ", "))
	}
	return r
}

func recipient(a *mailAddress) any {
	if a == nil {
		return nil
	}
	return map[string]any{"emailAddress": map[string]any{"name": a.Name, "address": a.Address}}
}

func recipients(list []mailAddress) []any {
	out := make([]any, len(list))
	for i := range list {
		out[i] = recipient(&list[i])
	}
	return out
}

func (f flag) json() map[string]any {
	m := map[string]any{"flagStatus": f.status}
	for k, t := range map[string]*dateTimeZone{"startDateTime": f.start, "dueDateTime": f.due, "completedDateTime": f.completed} {
		if t != nil {
			m[k] = map[string]any{"dateTime": t.DateTime, "timeZone": t.TimeZone}
		}
	}
	return m
}

func changeKey(tag [16]byte, m *message) string {
	b := append([]byte{0x09, 0, 0, 0, 0x16, 0, 0, 0}, tag[:8]...)
	x := mix(m.key) ^ mix(m.version)
	for i := range 8 {
		b = append(b, byte(x>>(8*i)))
	}
	return base64.StdEncoding.EncodeToString(b)
}

// messageProperties are the properties of microsoft.graph.message in v1.0.
var messageProperties = []string{"bccRecipients", "body", "bodyPreview", "categories", "ccRecipients", "changeKey", "conversationId", "conversationIndex", "createdDateTime", "flag", "from", "hasAttachments", "id", "importance",
	"inferenceClassification", "internetMessageHeaders", "internetMessageId", "isDeliveryReceiptRequested", "isDraft", "isRead", "isReadReceiptRequested", "lastModifiedDateTime", "parentFolderId", "receivedDateTime", "replyTo",
	"sender", "sentDateTime", "subject", "toRecipients", "uniqueBody", "webLink"}

// onRequest are properties that are only shown when selected.
var onRequest = []string{"internetMessageHeaders", "uniqueBody"}

func (s *Sim) checkSelect(sel []string) error {
	for _, n := range sel {
		name, _, _ := strings.Cut(n, "/")
		if !s.cloud.has("message."+name) || n != "*" && !slices.Contains(messageProperties, name) && name != "attachments" && name != "extensions" && name != "singleValueExtendedProperties" && name != "multiValueExtendedProperties" {
			return Fail(400, "BadRequest", "Parsing OData Select and Expand failed: Could not find a property named '%s' on type 'microsoft.graph.message'.", name)
		}
	}
	return nil
}

// messageJSON shows a message with the selected and expanded properties. The mailbox need not be locked.
func (b *mailbox) messageJSON(v view, m *message, sel []string, expand []Expand) (map[string]any, error) {
	out := map[string]any{"id": b.itemID(m, v.immutable)}
	key := changeKey(b.tag, m)
	out["@odata.etag"] = `W/"` + key + `"`
	all := len(sel) == 0 || slices.Contains(sel, "*")
	has := func(name string) bool {
		if !b.s.cloud.has("message." + name) {
			return false
		}
		if all && !slices.Contains(onRequest, name) {
			return true
		}
		return slices.ContainsFunc(sel, func(s string) bool { n, _, _ := strings.Cut(s, "/"); return n == name })
	}
	put := func(name string, val func() any) {
		if has(name) {
			out[name] = val()
		}
	}
	put("changeKey", func() any { return key })
	put("createdDateTime", func() any { return stamp(m.created) })
	put("lastModifiedDateTime", func() any { return stamp(m.modified) })
	put("receivedDateTime", func() any { return stamp(m.received) })
	put("sentDateTime", func() any { return stamp(m.sent) })
	put("hasAttachments", func() any { return m.hasAttachments() })
	put("internetMessageId", func() any { return m.messageID })
	put("subject", func() any { return m.subject })
	put("importance", func() any { return m.importance })
	put("parentFolderId", func() any {
		if m.folder == 0 {
			return nil
		}
		return b.folderID(m.folder)
	})
	put("conversationId", func() any { return b.conversationID(m) })
	put("conversationIndex", func() any {
		if m.conversationIndex == nil {
			return nil
		}
		return base64.StdEncoding.EncodeToString(m.conversationIndex)
	})
	put("isDeliveryReceiptRequested", func() any { return m.deliveryReceipt })
	put("isReadReceiptRequested", func() any { return m.readReceipt })
	put("isRead", func() any { return m.isRead })
	put("isDraft", func() any { return m.isDraft })
	put("webLink", func() any {
		return "https://" + b.s.cloud.outlook[0] + "/owa/?ItemID=" + url.QueryEscape(b.itemID(m, false)) + "&exvsurl=1&viewmodel=ReadMessageItem"
	})
	put("inferenceClassification", func() any { return m.inference })
	put("categories", func() any { return append([]string{}, m.categories...) })
	put("from", func() any { return recipient(m.from) })
	put("sender", func() any { return recipient(m.sender) })
	put("toRecipients", func() any { return recipients(m.to) })
	put("ccRecipients", func() any { return recipients(m.cc) })
	put("bccRecipients", func() any { return recipients(m.bcc) })
	put("replyTo", func() any { return recipients(m.replyTo) })
	put("flag", func() any { return m.flag.json() })
	put("internetMessageHeaders", func() any {
		hs := []any{}
		for _, h := range m.transportHeaders() {
			hs = append(hs, map[string]any{"name": h.Name, "value": h.Value})
		}
		return hs
	})
	if has("bodyPreview") {
		p, err := b.s.preview(m)
		if err != nil {
			return nil, err
		}
		out["bodyPreview"] = p
	}
	if has("body") || has("uniqueBody") {
		body, err := b.s.bodyJSON(v, m)
		if err != nil {
			return nil, err
		}
		if has("body") {
			out["body"] = body
		}
		if has("uniqueBody") {
			out["uniqueBody"] = body
		}
	}
	for _, e := range expand {
		switch strings.ToLower(e.Name) {
		case "attachments":
			list := []any{}
			for _, a := range m.attachments {
				aj, err := b.attachmentJSON(v, m, a, e.Select, e.Expand)
				if err != nil {
					return nil, err
				}
				list = append(list, aj)
			}
			out["attachments"] = list
		case "singlevalueextendedproperties":
			ids, err := extendedIDs(e)
			if err != nil {
				return nil, err
			}
			list := []any{}
			for _, id := range ids {
				val, ok, err := b.extended(m, id)
				if err != nil {
					return nil, err
				}
				if ok {
					list = append(list, map[string]any{"id": id, "value": val})
				}
			}
			if len(list) > 0 {
				out["singleValueExtendedProperties"] = list
			}
		case "multivalueextendedproperties":
			ids, err := extendedIDs(e)
			if err != nil {
				return nil, err
			}
			list := []any{}
			for _, id := range ids {
				if val, ok := m.multi[id]; ok {
					list = append(list, map[string]any{"id": id, "value": val})
				}
			}
			if len(list) > 0 {
				out["multiValueExtendedProperties"] = list
			}
		case "extensions":
			out["extensions"] = []any{}
		default:
			return nil, Fail(400, "BadRequest", "Parsing OData Select and Expand failed: Could not find a property named '%s' on type 'microsoft.graph.message'.", e.Name)
		}
	}
	return out, nil
}

func (m *message) hasAttachments() bool {
	return slices.ContainsFunc(m.attachments, func(a *attachment) bool { return !a.inline })
}

// transportHeaders are the header lines with which the message came; a draft has none but its own x- headers.
func (m *message) transportHeaders() []header {
	if text, ok := m.ext["String 0x7d"]; ok {
		return parseMIME([]byte(text), maxMIMEDepth).headers
	}
	return m.headers
}

func (s *Sim) bodyJSON(v view, m *message) (map[string]any, error) {
	b, err := s.load(m.body)
	if err != nil {
		return nil, err
	}
	kind, text := "text", string(b)
	if m.html {
		kind = "html"
	}
	switch {
	case v.text && m.html:
		kind, text = "text", htmlToText(text)
	case v.html && !m.html:
		kind, text = "html", "<html><head>\r\n<meta http-equiv=\"Content-Type\" content=\"text/html; charset=utf-8\"></head><body><div class=\"PlainText\">"+
			strings.ReplaceAll(html.EscapeString(text), "\r\n", "<br>\r\n")+"</div></body></html>"
	}
	return map[string]any{"contentType": kind, "content": text}, nil
}

// --- extended properties ---------------------------------------------------------------------------------------------

var extendedTypes = []string{"ApplicationTime", "Binary", "Boolean", "CLSID", "Currency", "Double", "Error", "Float", "Integer", "Long", "Null", "Object", "Short", "String", "SystemTime"}

// canonicalID is an extended property's id as the service spells it: "Integer 0xe07", "String {guid} Name x".
func canonicalID(id string, multi bool) (string, error) {
	bad := Fail(400, "ErrorInvalidProperty", "The extended property id '%s' is not valid.", id)
	kind, rest, ok := strings.Cut(strings.TrimSpace(id), " ")
	base := kind
	if multi {
		base, ok = strings.CutSuffix(kind, "Array")
	}
	i := slices.IndexFunc(extendedTypes, func(t string) bool { return strings.EqualFold(t, base) })
	if !ok || i < 0 {
		return "", bad
	}
	kind = extendedTypes[i]
	if multi {
		kind += "Array"
	}
	rest = strings.TrimSpace(rest)
	if hex, ok := strings.CutPrefix(strings.ToLower(rest), "0x"); ok {
		n, err := strconv.ParseUint(hex, 16, 16)
		if err != nil || n == 0 || n >= 0x8000 {
			return "", bad
		}
		return fmt.Sprintf("%s 0x%x", kind, n), nil
	}
	guid, rest, ok := strings.Cut(rest, " ")
	if !ok || len(guid) != 38 || guid[0] != '{' || guid[37] != '}' || !isGUID(guid[1:37]) {
		return "", bad
	}
	how, name, ok := strings.Cut(strings.TrimSpace(rest), " ")
	name = strings.TrimSpace(name)
	if !ok || name == "" {
		return "", bad
	}
	switch {
	case strings.EqualFold(how, "Name"):
		return kind + " " + strings.ToLower(guid) + " Name " + name, nil
	case strings.EqualFold(how, "Id"):
		n, err := strconv.ParseUint(strings.TrimPrefix(strings.ToLower(name), "0x"), 16, 32)
		if err != nil {
			return "", bad
		}
		return fmt.Sprintf("%s %s Id 0x%x", kind, strings.ToLower(guid), n), nil
	}
	return "", bad
}

func isGUID(s string) bool {
	for i, c := range []byte(s) {
		if i == 8 || i == 13 || i == 18 || i == 23 {
			if c != '-' {
				return false
			}
		} else if !strings.ContainsRune("0123456789abcdefABCDEF", rune(c)) {
			return false
		}
	}
	return len(s) == 36
}

// extendedIDs are the ids that the filter of an $expand names.
func extendedIDs(e Expand) ([]string, error) {
	multi := strings.EqualFold(e.Name, "multiValueExtendedProperties")
	if e.Filter == nil {
		return nil, Fail(400, "ErrorInvalidUrlQuery", "The $expand of '%s' needs a $filter on id.", e.Name)
	}
	var ids []string
	var walk func(x *Expr) error
	walk = func(x *Expr) error {
		switch {
		case x.Op == "or":
			if err := walk(x.Args[0]); err != nil {
				return err
			}
			return walk(x.Args[1])
		case x.Op == "eq" && x.Args[0].Op == "path" && strings.EqualFold(x.Args[0].Path, "id"):
			s, _ := x.Args[1].Value.(string)
			id, err := canonicalID(s, multi)
			ids = append(ids, id)
			return err
		}
		return Fail(400, "ErrorInvalidUrlQueryFilter", "The $filter of an expanded extended property may only compare id, joined by or.")
	}
	if err := walk(e.Filter); err != nil {
		return nil, err
	}
	if len(ids) > 20 {
		return nil, Fail(400, "ErrorInvalidUrlQueryFilter", "Too many extended properties.")
	}
	return ids, nil
}

const mapiTime = "2006-01-02T15:04:05Z"

// The dates of a flag: PidLidTaskStartDate, PidLidTaskDueDate and PidLidTaskDateCompleted of MS-OXOFLAG.
const (
	flagStart     = "SystemTime {00062003-0000-0000-c000-000000000046} Id 0x8104"
	flagDue       = "SystemTime {00062003-0000-0000-c000-000000000046} Id 0x8105"
	flagCompleted = "SystemTime {00062003-0000-0000-c000-000000000046} Id 0x810f"
)

// extended gives an extended property: one that is computed from the message, or one that was set.
func (b *mailbox) extended(m *message, id string) (string, bool, error) {
	switch id {
	case "Integer 0xe07":
		n := 0
		if m.isRead {
			n |= 1
		}
		if m.unmodified {
			n |= 2
		}
		if m.isDraft {
			n |= 8
		} else if m.ext["Integer 0xe07"] != "" {
			n |= 4
		}
		if m.hasAttachments() {
			n |= 0x10
		}
		return strconv.Itoa(n), true, nil
	case "SystemTime 0x39":
		return m.sent.UTC().Format(mapiTime), true, nil
	case "SystemTime 0xe06":
		return m.received.UTC().Format(mapiTime), true, nil
	case "SystemTime 0x3007":
		return m.created.UTC().Format(mapiTime), true, nil
	case "SystemTime 0x3008":
		return m.modified.UTC().Format(mapiTime), true, nil
	case "Integer 0xe08", "Long 0xe08":
		n, err := b.s.messageSize(m)
		return strconv.Itoa(n), true, err
	case "String 0x1a":
		if v, ok := m.ext[id]; ok {
			return v, true, nil
		}
		return "IPM.Note", true, nil
	case "String 0x37":
		return m.subject, true, nil
	case "String 0x1035":
		return m.messageID, m.messageID != "", nil
	case "Integer 0x1090": // PidTagFlagStatus: followupComplete, followupFlagged; none without a flag
		n := map[string]string{"complete": "1", "flagged": "2"}[m.flag.status]
		return n, n != "", nil
	case flagStart, flagDue, flagCompleted:
		t := map[string]*dateTimeZone{flagStart: m.flag.start, flagDue: m.flag.due, flagCompleted: m.flag.completed}[id]
		if t == nil {
			v, ok := m.ext[id]
			return v, ok, nil
		}
		at, ok := parseTime(t.DateTime + "Z")
		return at.UTC().Format(mapiTime), ok, nil
	case "Binary 0x71":
		return base64.StdEncoding.EncodeToString(m.conversationIndex), m.conversationIndex != nil, nil
	case "String 0x7d":
		if v, ok := m.ext[id]; ok {
			return v, true, nil
		}
		if len(m.headers) == 0 {
			return "", false, nil
		}
		var t strings.Builder
		for _, h := range m.headers {
			t.WriteString(h.Name + ": " + h.Value + "\r\n")
		}
		return t.String(), true, nil
	}
	v, ok := m.ext[id]
	return v, ok, nil
}

// messageSize is about what the message takes in the store.
func (s *Sim) messageSize(m *message) (int, error) {
	n := 2048 + 2*len(m.subject)
	if m.body.kind == textContent || m.body.kind == htmlContent {
		n += m.body.size // exact size would cost making it
	} else {
		l, err := s.length(m.body)
		if err != nil {
			return 0, err
		}
		n += l
	}
	for _, a := range m.attachments {
		l, err := s.attachmentSize(a)
		if err != nil {
			return 0, err
		}
		n += l
	}
	return n, nil
}

// attachmentSize is the size that the service states: the content and some properties around it.
func (s *Sim) attachmentSize(a *attachment) (int, error) {
	if a.kind == itemAttachment {
		return s.messageSize(a.item)
	}
	n, err := s.length(a.content)
	return n + 2*len(a.name) + 130, err
}

// --- attachments -----------------------------------------------------------------------------------------------------

func (b *mailbox) attachmentID(m *message, a *attachment, immutable bool) string {
	return b.itemID(m, immutable) + base64.URLEncoding.EncodeToString(binaryID(a.id))
}

func binaryID(id uint64) []byte {
	x := mix(id)
	out := []byte{1, 0x12, 0, 0x10}
	for i := range 8 {
		out = append(out, byte(x>>(8*i)))
	}
	return out
}

func (b *mailbox) attachment(m *message, id string) (*attachment, error) {
	for _, a := range m.attachments {
		if id == b.attachmentID(m, a, true) || id == b.attachmentID(m, a, false) {
			return a, nil
		}
	}
	if len(id) < 16 {
		return nil, Fail(400, "ErrorInvalidIdMalformed", "Id is malformed.")
	}
	return nil, Fail(404, "ErrorItemNotFound", "The specified object was not found in the store., The attachment was not found.")
}

var attachmentProperties = []string{"id", "contentType", "isInline", "lastModifiedDateTime", "name", "size", "contentBytes", "contentId", "contentLocation", "item"}

func (b *mailbox) attachmentJSON(v view, m *message, a *attachment, sel []string, expand []Expand) (map[string]any, error) {
	for _, n := range sel {
		_, n, _ = cutCast(n)
		if n != "*" && !slices.Contains(attachmentProperties, n) {
			return nil, Fail(400, "BadRequest", "Parsing OData Select and Expand failed: Could not find a property named '%s' on type 'microsoft.graph.attachment'.", n)
		}
	}
	has := func(name string) bool {
		return len(sel) == 0 || slices.Contains(sel, "*") || slices.ContainsFunc(sel, func(s string) bool { _, n, _ := cutCast(s); return n == name })
	}
	out := map[string]any{"id": b.attachmentID(m, a, v.immutable)}
	put := func(name string, val any) {
		if has(name) {
			out[name] = val
		}
	}
	put("name", a.name)
	put("isInline", a.inline)
	put("lastModifiedDateTime", stamp(a.modified))
	if a.contentType == "" {
		put("contentType", nil)
	} else {
		put("contentType", a.contentType)
	}
	if has("size") {
		n, err := b.s.attachmentSize(a)
		if err != nil {
			return nil, err
		}
		out["size"] = n
	}
	switch a.kind {
	case fileAttachment:
		out["@odata.type"] = "#microsoft.graph.fileAttachment"
		if a.contentType != "" {
			out["@odata.mediaContentType"] = a.contentType
		}
		cid, loc := any(a.contentID), any(a.location)
		if a.contentID == "" {
			cid = nil
		}
		if a.location == "" {
			loc = nil
		}
		put("contentId", cid)
		put("contentLocation", loc)
		if has("contentBytes") {
			data, err := b.s.load(a.content)
			if err != nil {
				return nil, err
			}
			out["contentBytes"] = base64.StdEncoding.EncodeToString(data)
		}
	case itemAttachment:
		out["@odata.type"] = "#microsoft.graph.itemAttachment"
		for _, e := range expand {
			cast, name, _ := cutCast(e.Name)
			if !strings.EqualFold(name, "item") || cast != "" && !strings.EqualFold(cast, "microsoft.graph.itemAttachment") {
				return nil, Fail(400, "BadRequest", "Parsing OData Select and Expand failed: Could not find a property named '%s' on type 'microsoft.graph.attachment'.", e.Name)
			}
			item, err := b.nestedJSON(v, a.item, a.itemType, 0)
			if err != nil {
				return nil, err
			}
			out["item"] = item
		}
	case referenceAttachment:
		out["@odata.type"] = "#microsoft.graph.referenceAttachment"
	}
	return out, nil
}

// nestedJSON shows a message within a message; it has no id that could be asked for.
func (b *mailbox) nestedJSON(v view, m *message, kind string, depth int) (map[string]any, error) {
	if m.foreign != nil {
		out := map[string]any{"@odata.type": kind, "id": "", "createdDateTime": stamp(m.created), "lastModifiedDateTime": stamp(m.modified)}
		for name, raw := range m.foreign {
			out[name] = raw
		}
		return out, nil
	}
	out, err := b.messageJSON(v, m, nil, nil)
	if err != nil {
		return nil, err
	}
	for _, k := range []string{"@odata.etag", "changeKey", "parentFolderId", "inferenceClassification", "flag", "bccRecipients", "webLink", "bodyPreview"} {
		if k != "flag" && k != "bccRecipients" {
			delete(out, k)
		}
	}
	out["id"] = ""
	out["@odata.type"] = kind
	if depth < 5 {
		list := []any{}
		for _, a := range m.attachments {
			aj, err := b.attachmentJSON(v, m, a, nil, nil)
			if err != nil {
				return nil, err
			}
			aj["id"] = fmt.Sprintf("nested-%d", a.id)
			if a.kind == itemAttachment {
				if aj["item"], err = b.nestedJSON(v, a.item, a.itemType, depth+1); err != nil {
					return nil, err
				}
			}
			list = append(list, aj)
		}
		if len(list) > 0 {
			out["attachments"] = list
		}
	}
	return out, nil
}

// cutCast takes a type cast off a property: "microsoft.graph.fileAttachment/contentBytes".
func cutCast(s string) (cast, name string, ok bool) {
	if i := strings.LastIndexByte(s, '/'); i >= 0 {
		return s[:i], s[i+1:], true
	}
	return "", s, false
}

// --- folders ---------------------------------------------------------------------------------------------------------

var folderProperties = []string{"id", "childFolderCount", "displayName", "isHidden", "parentFolderId", "totalItemCount", "unreadItemCount"}

func (b *mailbox) folderJSON(f *folder, q *Query) (map[string]any, error) {
	children := 0
	for _, k := range b.order {
		if c := b.folders[k]; c.parent == f.key && !c.deleted && !c.apart() {
			children++
		}
	}
	var parent any
	if f.parent != 0 {
		parent = b.folderID(f.parent)
	} else {
		parent = b.folderID(f.key)
	}
	full := map[string]any{"id": b.folderID(f.key), "displayName": f.name, "parentFolderId": parent, "childFolderCount": children,
		"totalItemCount": f.total(), "unreadItemCount": f.unread(), "isHidden": f.hidden}
	if !b.s.cloud.has("mailFolder.isHidden") {
		delete(full, "isHidden")
	}
	out, err := project(full, q.Select, "microsoft.graph.mailFolder", func(string) bool { return false })
	if err != nil {
		return nil, err
	}
	for _, e := range q.Expand {
		switch strings.ToLower(e.Name) {
		case "singlevalueextendedproperties":
			if !b.s.cloud.has("mailFolder.singleValueExtendedProperties") {
				return nil, Fail(400, "BadRequest", "Parsing OData Select and Expand failed: Could not find a property named '%s' on type 'microsoft.graph.mailFolder'.", e.Name)
			}
			ids, err := extendedIDs(e)
			if err != nil {
				return nil, err
			}
			list := []any{}
			for _, id := range ids {
				if id == "String 0x3613" { // container class
					list = append(list, map[string]any{"id": id, "value": f.class()})
				} else if v, ok := f.ext[id]; ok {
					list = append(list, map[string]any{"id": id, "value": v})
				}
			}
			if len(list) > 0 {
				out["singleValueExtendedProperties"] = list
			}
		case "childfolders":
			list := []any{}
			for _, k := range b.order {
				if c := b.folders[k]; c.parent == f.key && !c.deleted && !c.hidden && !c.apart() {
					cj, err := b.folderJSON(c, &Query{Select: e.Select})
					if err != nil {
						return nil, err
					}
					list = append(list, cj)
				}
			}
			out["childFolders"] = list
		default:
			return nil, Fail(400, "BadRequest", "Parsing OData Select and Expand failed: Could not find a property named '%s' on type 'microsoft.graph.mailFolder'.", e.Name)
		}
	}
	return out, nil
}

// mapiStamp reads a SystemTime value.
func mapiStamp(v string) (time.Time, bool) {
	t, ok := parseTime(v)
	return t.Truncate(time.Second), ok
}
