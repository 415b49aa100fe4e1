package sim

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
)

// fields is a JSON object whose members are read one by one, so that a wrong type names the property.
// --- reading JSON by Microsoft's types ------------------------------------------------------------------------------

type fields map[string]json.RawMessage

func wrongType(name, want string) *Error {
	return Fail(400, "RequestBodyRead", "Cannot convert the value of the property '%s' to the expected type '%s'.", name, want)
}

func readAs[T any](name, want string, raw json.RawMessage) (T, error) {
	var v T
	if err := json.Unmarshal(raw, &v); err != nil {
		return v, wrongType(name, want)
	}
	return v, nil
}

// object reads an object and refuses members that its type does not have.
func object(name, typ string, raw json.RawMessage, known ...string) (fields, error) {
	var f fields
	if err := json.Unmarshal(raw, &f); err != nil {
		return nil, wrongType(name, typ)
	}
	for k := range f {
		if !strings.Contains(k, "@") && !slices.Contains(known, k) {
			return nil, Fail(400, "RequestBodyRead", "The property '%s' does not exist on type '%s'. Make sure to only use property names that are defined by the type.", k, typ)
		}
	}
	return f, nil
}

func readRecipient(name string, raw json.RawMessage) (*mailAddress, error) {
	if isNull(raw) {
		return nil, nil
	}
	f, err := object(name, "microsoft.graph.recipient", raw, "emailAddress")
	if err != nil {
		return nil, err
	}
	if isNull(f["emailAddress"]) {
		return nil, nil
	}
	e, err := object("emailAddress", "microsoft.graph.emailAddress", f["emailAddress"], "name", "address")
	if err != nil {
		return nil, err
	}
	a := &mailAddress{}
	for k, to := range map[string]*string{"name": &a.Name, "address": &a.Address} {
		if !isNull(e[k]) {
			if *to, err = readAs[string](k, "Edm.String", e[k]); err != nil {
				return nil, err
			}
		}
	}
	return a, nil
}

func readRecipients(name string, raw json.RawMessage) ([]mailAddress, error) {
	list, err := readAs[[]json.RawMessage](name, "Collection(microsoft.graph.recipient)", raw)
	if err != nil {
		return nil, err
	}
	var out []mailAddress
	for _, r := range list {
		a, err := readRecipient(name, r)
		if err != nil {
			return nil, err
		}
		if a != nil {
			out = append(out, *a)
		}
	}
	if len(out) > 5000 {
		return nil, Fail(400, "ErrorInvalidRecipients", "At least one recipient isn't valid., The number of recipients is above the limit.")
	}
	return out, nil
}

func isNull(raw json.RawMessage) bool {
	return len(raw) == 0 || string(bytes.TrimSpace(raw)) == "null"
}

func readEnum(name, typ string, raw json.RawMessage, members ...string) (string, error) {
	v, err := readAs[string](name, typ, raw)
	if err != nil {
		return "", err
	}
	for _, m := range members {
		if strings.EqualFold(m, v) {
			return m, nil
		}
	}
	return "", Fail(400, "RequestBodyRead", "Requested value '%s' was not found. Cannot convert the value of the property '%s' to the expected type '%s'.", v, name, typ)
}

func readFlag(raw json.RawMessage) (flag, error) {
	f, err := object("flag", "microsoft.graph.followupFlag", raw, "flagStatus", "startDateTime", "dueDateTime", "completedDateTime")
	if err != nil {
		return flag{}, err
	}
	out := flag{status: "notFlagged"}
	if !isNull(f["flagStatus"]) {
		if out.status, err = readEnum("flagStatus", "microsoft.graph.followupFlagStatus", f["flagStatus"], "notFlagged", "complete", "flagged"); err != nil {
			return out, err
		}
	}
	for k, to := range map[string]**dateTimeZone{"startDateTime": &out.start, "dueDateTime": &out.due, "completedDateTime": &out.completed} {
		if isNull(f[k]) {
			continue
		}
		if _, err := object(k, "microsoft.graph.dateTimeTimeZone", f[k], "dateTime", "timeZone"); err != nil {
			return out, err
		}
		d, err := readAs[dateTimeZone](k, "microsoft.graph.dateTimeTimeZone", f[k])
		if err != nil {
			return out, err
		}
		t, ok := parseTime(d.DateTime)
		if !ok {
			return out, wrongType(k, "microsoft.graph.dateTimeTimeZone")
		}
		if d.TimeZone == "" {
			d.TimeZone = "UTC"
		}
		d.DateTime = t.Format("2006-01-02T15:04:05.0000000")
		*to = &d
	}
	if out.start != nil && out.due == nil {
		return out, Fail(400, "ErrorInvalidRequest", "A flag with a startDateTime needs a dueDateTime.")
	}
	if out.due != nil && out.start == nil {
		start := *out.due
		out.start = &start
	}
	if out.status == "notFlagged" {
		out.start, out.due, out.completed = nil, nil, nil
	}
	return out, nil
}

// --- message properties ----------------------------------------------------------------------------------------------

// Where a property may be written. Sources and confidence: docs/sim-fidelity.md.
const (
	onCreate = 1 << iota
	onPatch
	onPatchOfDraft
)

var messageWrites = map[string]int{
	"subject": onCreate | onPatchOfDraft, "body": onCreate | onPatchOfDraft, "toRecipients": onCreate | onPatchOfDraft, "ccRecipients": onCreate | onPatchOfDraft,
	"bccRecipients": onCreate | onPatchOfDraft, "replyTo": onCreate | onPatchOfDraft, "from": onCreate | onPatchOfDraft, "sender": onCreate | onPatchOfDraft,
	"internetMessageId": onCreate | onPatchOfDraft, "importance": onCreate | onPatch, "categories": onCreate | onPatch, "flag": onCreate | onPatch, "isRead": onCreate | onPatch,
	"inferenceClassification": onCreate | onPatch, "isDeliveryReceiptRequested": onCreate | onPatch, "isReadReceiptRequested": onCreate | onPatch,
	"internetMessageHeaders": onCreate, "attachments": onCreate,
	"singleValueExtendedProperties": onCreate | onPatch, "multiValueExtendedProperties": onCreate | onPatch,
}

// fill sets the properties of a JSON message. Read-only properties are ignored, as by the real service.
func (s *Sim) fill(m *message, f fields, mode int) error {
	for k := range f {
		if strings.HasPrefix(k, "@") || strings.Contains(k, "@odata.") {
			continue
		}
		if !s.cloud.has("message."+k) || !slices.Contains(messageProperties, k) && messageWrites[k] == 0 && k != "extensions" {
			return Fail(400, "RequestBodyRead", "The property '%s' does not exist on type 'microsoft.graph.message'. Make sure to only use property names that are defined by the type.", k)
		}
		if w := messageWrites[k]; mode == onPatch && w&onPatch == 0 && w&onPatchOfDraft != 0 && !m.isDraft {
			return Fail(403, "ErrorAccessDenied", "Access is denied. The property '%s' of a message that is not a draft can only be changed with Mail-Advanced.ReadWrite.", k)
		}
	}
	set := func(name string) (json.RawMessage, bool) {
		raw, ok := f[name]
		w := messageWrites[name]
		return raw, ok && !isNull(raw) && (w&mode != 0 || mode == onPatch && w&onPatchOfDraft != 0)
	}
	var err error
	if raw, ok := set("subject"); ok {
		if m.subject, err = readAs[string]("subject", "Edm.String", raw); err != nil {
			return err
		}
		m.subject = clip(m.subject, 255*4)
	}
	if raw, ok := set("internetMessageId"); ok {
		if m.messageID, err = readAs[string]("internetMessageId", "Edm.String", raw); err != nil {
			return err
		}
	}
	if raw, ok := set("body"); ok {
		if err := s.fillBody(m, raw); err != nil {
			return err
		}
	}
	for name, to := range map[string]*[]mailAddress{"toRecipients": &m.to, "ccRecipients": &m.cc, "bccRecipients": &m.bcc, "replyTo": &m.replyTo} {
		if raw, ok := set(name); ok {
			if *to, err = readRecipients(name, raw); err != nil {
				return err
			}
		}
	}
	for name, to := range map[string]**mailAddress{"from": &m.from, "sender": &m.sender} {
		if raw, ok := set(name); ok {
			if *to, err = readRecipient(name, raw); err != nil {
				return err
			}
		}
	}
	if raw, ok := set("importance"); ok {
		if m.importance, err = readEnum("importance", "microsoft.graph.importance", raw, "low", "normal", "high"); err != nil {
			return err
		}
	}
	if raw, ok := set("inferenceClassification"); ok {
		if m.inference, err = readEnum("inferenceClassification", "microsoft.graph.inferenceClassificationType", raw, "focused", "other"); err != nil {
			return err
		}
	}
	if raw, ok := set("categories"); ok {
		if m.categories, err = readAs[[]string]("categories", "Collection(Edm.String)", raw); err != nil {
			return err
		}
	}
	if raw, ok := set("flag"); ok {
		if m.flag, err = readFlag(raw); err != nil {
			return err
		}
	}
	for name, to := range map[string]*bool{"isRead": &m.isRead, "isDeliveryReceiptRequested": &m.deliveryReceipt, "isReadReceiptRequested": &m.readReceipt} {
		if raw, ok := set(name); ok {
			if *to, err = readAs[bool](name, "Edm.Boolean", raw); err != nil {
				return err
			}
		}
	}
	if raw, ok := set("internetMessageHeaders"); ok {
		list, err := readAs[[]json.RawMessage]("internetMessageHeaders", "Collection(microsoft.graph.internetMessageHeader)", raw)
		if err != nil {
			return err
		}
		for _, r := range list {
			if _, err := object("internetMessageHeaders", "microsoft.graph.internetMessageHeader", r, "name", "value"); err != nil {
				return err
			}
			h, err := readAs[header]("internetMessageHeaders", "microsoft.graph.internetMessageHeader", r)
			if err != nil {
				return err
			}
			if !strings.HasPrefix(strings.ToLower(h.Name), "x-") || strings.ContainsAny(h.Name, " :\r\n") {
				return Fail(400, "InvalidInternetMessageHeader", "The internet message header name '%s' should start with 'x-' or 'X-'.", h.Name)
			}
			m.headers = append(slices.Clone(m.headers), h)
		}
	}
	if raw, ok := set("singleValueExtendedProperties"); ok {
		if err := m.fillExtended(raw, mode); err != nil {
			return err
		}
	}
	if raw, ok := set("multiValueExtendedProperties"); ok {
		if err := m.fillMulti(raw); err != nil {
			return err
		}
	}
	if raw, ok := set("attachments"); ok && mode == onCreate {
		list, err := readAs[[]json.RawMessage]("attachments", "Collection(microsoft.graph.attachment)", raw)
		if err != nil {
			return err
		}
		for _, r := range list {
			a, err := s.readAttachment(r, m.modified, 0)
			if err != nil {
				return err
			}
			m.attach(a)
		}
	}
	return nil
}

func (m *message) attach(a *attachment) {
	a.id = 1
	for _, x := range m.attachments {
		a.id = max(a.id, x.id+1)
	}
	m.attachments = append(slices.Clone(m.attachments), a)
}

func (s *Sim) fillBody(m *message, raw json.RawMessage) error {
	b, err := object("body", "microsoft.graph.itemBody", raw, "contentType", "content")
	if err != nil {
		return err
	}
	kind, text := "text", ""
	if !isNull(b["contentType"]) {
		if kind, err = readEnum("contentType", "microsoft.graph.bodyType", b["contentType"], "text", "html"); err != nil {
			return err
		}
	}
	if !isNull(b["content"]) {
		if text, err = readAs[string]("content", "Edm.String", b["content"]); err != nil {
			return err
		}
	}
	m.html = kind == "html"
	m.body, err = s.stored([]byte(text))
	return err
}

// fillExtended sets single-value extended properties. Those that are computed are ignored; those that stand for
// properties of the message set these.
func (m *message) fillExtended(raw json.RawMessage, mode int) error {
	list, err := readAs[[]json.RawMessage]("singleValueExtendedProperties", "Collection(microsoft.graph.singleValueLegacyExtendedProperty)", raw)
	if err != nil {
		return err
	}
	ext := maps.Clone(m.ext)
	if ext == nil {
		ext = map[string]string{}
	}
	for _, r := range list {
		f, err := object("singleValueExtendedProperties", "microsoft.graph.singleValueLegacyExtendedProperty", r, "id", "value")
		if err != nil {
			return err
		}
		rawID, err := readAs[string]("id", "Edm.String", f["id"])
		if err != nil {
			return err
		}
		id, err := canonicalID(rawID, false)
		if err != nil {
			return err
		}
		value := ""
		if !isNull(f["value"]) {
			if value, err = readAs[string]("value", "Edm.String", f["value"]); err != nil {
				return err
			}
		}
		if err := checkExtended(id, value); err != nil {
			return err
		}
		switch id {
		case "Integer 0xe07":
			if mode != onCreate { // MAPI: mfUnsent can only be changed before the first save
				continue
			}
			n, _ := strconv.Atoi(value)
			m.isDraft = n&8 != 0
			m.unmodified = n&2 != 0
			if n&1 != 0 {
				m.isRead = true
			}
			ext[id] = value
		case "SystemTime 0x39":
			m.sent, _ = mapiStamp(value)
		case "SystemTime 0xe06":
			m.received, _ = mapiStamp(value)
		case "Integer 0x1090":
			if m.flag.status = map[string]string{"1": "complete", "2": "flagged"}[value]; m.flag.status == "" {
				m.flag.status = "notFlagged"
			}
		case flagStart, flagDue, flagCompleted:
			at, _ := mapiStamp(value)
			set := &dateTimeZone{DateTime: at.UTC().Format("2006-01-02T15:04:05.0000000"), TimeZone: "UTC"}
			*map[string]**dateTimeZone{flagStart: &m.flag.start, flagDue: &m.flag.due, flagCompleted: &m.flag.completed}[id] = set
		case "Binary 0x71":
			m.conversationIndex, _ = base64.StdEncoding.DecodeString(value)
		case "String 0x1035":
			m.messageID = value
		case "SystemTime 0x3007", "SystemTime 0x3008", "Integer 0xe08", "Long 0xe08": // computed by the store
		default:
			ext[id] = value
		}
	}
	m.ext = ext
	return nil
}

func checkExtended(id, v string) error {
	bad := Fail(400, "ErrorInvalidProperty", "The value of the extended property '%s' is not valid for its type.", id)
	kind, _, _ := strings.Cut(id, " ")
	switch kind {
	case "Integer", "Long", "Short", "Currency", "Error":
		if _, err := strconv.ParseInt(v, 10, 64); err != nil {
			return bad
		}
	case "Double", "Float":
		if _, err := strconv.ParseFloat(v, 64); err != nil {
			return bad
		}
	case "Boolean":
		if !strings.EqualFold(v, "true") && !strings.EqualFold(v, "false") {
			return bad
		}
	case "SystemTime":
		if _, ok := parseTime(v); !ok {
			return bad
		}
	case "Binary":
		if _, err := base64.StdEncoding.DecodeString(v); err != nil {
			return bad
		}
	case "CLSID":
		if !isGUID(strings.Trim(v, "{}")) {
			return bad
		}
	}
	return nil
}

func (m *message) fillMulti(raw json.RawMessage) error {
	list, err := readAs[[]json.RawMessage]("multiValueExtendedProperties", "Collection(microsoft.graph.multiValueLegacyExtendedProperty)", raw)
	if err != nil {
		return err
	}
	multi := maps.Clone(m.multi)
	if multi == nil {
		multi = map[string][]string{}
	}
	for _, r := range list {
		f, err := object("multiValueExtendedProperties", "microsoft.graph.multiValueLegacyExtendedProperty", r, "id", "value")
		if err != nil {
			return err
		}
		rawID, err := readAs[string]("id", "Edm.String", f["id"])
		if err != nil {
			return err
		}
		id, err := canonicalID(rawID, true)
		if err != nil {
			return err
		}
		if multi[id], err = readAs[[]string]("value", "Collection(Edm.String)", f["value"]); err != nil {
			return err
		}
	}
	m.multi = multi
	return nil
}

// maxInlineAttachment is what an attachment may have when it is sent as JSON.
const maxInlineAttachment = 3 << 20

func (s *Sim) readAttachment(raw json.RawMessage, now time.Time, depth int) (*attachment, error) {
	const typ = "microsoft.graph.attachment"
	if depth > 5 {
		return nil, Fail(400, "ErrorInvalidRequest", "Messages are nested too deeply.")
	}
	var f fields
	if err := json.Unmarshal(raw, &f); err != nil {
		return nil, wrongType("attachments", typ)
	}
	var kind string
	if !isNull(f["@odata.type"]) {
		var err error
		if kind, err = readAs[string]("@odata.type", "Edm.String", f["@odata.type"]); err != nil {
			return nil, err
		}
	}
	common := []string{"id", "name", "contentType", "isInline", "size", "lastModifiedDateTime"}
	a := &attachment{modified: now}
	var err error
	switch strings.TrimPrefix(kind, "#") {
	case "microsoft.graph.fileAttachment":
		a.kind = fileAttachment
		f, err = object("attachments", "microsoft.graph.fileAttachment", raw, append(common, "contentBytes", "contentId", "contentLocation")...)
	case "microsoft.graph.itemAttachment":
		a.kind = itemAttachment
		f, err = object("attachments", "microsoft.graph.itemAttachment", raw, append(common, "item")...)
	case "microsoft.graph.referenceAttachment":
		a.kind = referenceAttachment
		f, err = object("attachments", "microsoft.graph.referenceAttachment", raw, common...)
	case "":
		return nil, Fail(400, "RequestBodyRead", "The type of an attachment must be given by '@odata.type'; '%s' is abstract.", typ)
	default:
		return nil, Fail(400, "RequestBodyRead", "A type named '%s' could not be resolved by the model.", strings.TrimPrefix(kind, "#"))
	}
	if err != nil {
		return nil, err
	}
	for k, to := range map[string]*string{"name": &a.name, "contentType": &a.contentType, "contentId": &a.contentID, "contentLocation": &a.location} {
		if !isNull(f[k]) {
			if *to, err = readAs[string](k, "Edm.String", f[k]); err != nil {
				return nil, err
			}
		}
	}
	if !isNull(f["isInline"]) {
		if a.inline, err = readAs[bool]("isInline", "Edm.Boolean", f["isInline"]); err != nil {
			return nil, err
		}
	}
	if a.name == "" {
		return nil, Fail(400, "ErrorInvalidRequest", "The attachment has no name.")
	}
	switch a.kind {
	case fileAttachment:
		if isNull(f["contentBytes"]) {
			return nil, Fail(400, "ErrorInvalidRequest", "The attachment has no contentBytes.")
		}
		b, err := readAs[[]byte]("contentBytes", "Edm.Binary", f["contentBytes"])
		if err != nil {
			return nil, err
		}
		if len(b) >= maxInlineAttachment {
			return nil, Fail(413, "ErrorAttachmentSizeLimitExceeded", "The attachment is above the limit of %d bytes; use an upload session.", maxInlineAttachment)
		}
		if a.contentType == "" {
			a.contentType = "application/octet-stream"
		}
		a.content, err = s.stored(b)
		return a, err
	case itemAttachment:
		if isNull(f["item"]) {
			return nil, Fail(400, "ErrorInvalidRequest", "The attachment has no item.")
		}
		var in fields
		if err := json.Unmarshal(f["item"], &in); err != nil {
			return nil, wrongType("item", "microsoft.graph.outlookItem")
		}
		kind := ""
		if !isNull(in["@odata.type"]) {
			if kind, err = readAs[string]("@odata.type", "Edm.String", in["@odata.type"]); err != nil {
				return nil, err
			}
		}
		if kind := strings.TrimPrefix(kind, "#"); foreignItems[kind] != nil {
			a.item, err = s.foreignItem(kind, in, now)
			a.itemType = "#" + kind
			return a, err
		} else if kind != "microsoft.graph.message" {
			return nil, Fail(400, "RequestBodyRead", "The simulator takes items of the types message, event and contact only, not '%s'.", kind)
		}
		item := newMessage(now)
		nested := in["attachments"]
		delete(in, "attachments")
		if err := s.fill(item, in, onCreate); err != nil {
			return nil, err
		}
		if !isNull(nested) {
			list, err := readAs[[]json.RawMessage]("attachments", "Collection(microsoft.graph.attachment)", nested)
			if err != nil {
				return nil, err
			}
			for _, r := range list {
				x, err := s.readAttachment(r, now, depth+1)
				if err != nil {
					return nil, err
				}
				item.attach(x)
			}
		}
		a.item, a.itemType = item, "#microsoft.graph.message"
	}
	return a, nil
}

// foreignItems are the items that may be attached besides messages, with the properties that a client sets.
var foreignItems = map[string][]string{
	"microsoft.graph.event": {"allowNewTimeProposals", "attendees", "body", "categories", "end", "hideAttendees", "importance", "isAllDay", "isReminderOn", "location", "locations",
		"recurrence", "reminderMinutesBeforeStart", "responseRequested", "sensitivity", "showAs", "start", "subject", "transactionId"},
	"microsoft.graph.contact": {"assistantName", "birthday", "businessAddress", "businessHomePage", "businessPhones", "categories", "children", "companyName", "department", "displayName",
		"emailAddresses", "fileAs", "generation", "givenName", "homeAddress", "homePhones", "imAddresses", "initials", "jobTitle", "manager", "middleName", "mobilePhone", "nickName",
		"officeLocation", "otherAddress", "personalNotes", "profession", "spouseName", "surname", "title"},
}

// foreignReadOnly are properties of these items that the service sets; a client's value is ignored.
var foreignReadOnly = []string{"id", "changeKey", "createdDateTime", "lastModifiedDateTime", "parentFolderId"}

// foreignItem is an attached event or contact: its properties as they came, unchecked, and a message that renders it in MIME.
func (s *Sim) foreignItem(kind string, in fields, now time.Time) (*message, error) {
	m := newMessage(now)
	m.foreign = fields{}
	for name, raw := range in {
		switch {
		case strings.Contains(name, "@"), slices.Contains(foreignReadOnly, name), isNull(raw):
		case slices.Contains(foreignItems[kind], name):
			m.foreign[name] = raw
		default:
			return nil, Fail(400, "RequestBodyRead", "The property '%s' does not exist on type '%s'. Make sure to only use property names that are defined by the type.", name, kind)
		}
	}
	for _, name := range []string{"subject", "displayName"} {
		if raw := m.foreign[name]; raw != nil {
			var err error
			if m.subject, err = readAs[string](name, "Edm.String", raw); err != nil {
				return nil, err
			}
		}
	}
	var err error
	m.body, err = s.stored([]byte("When: " + string(m.foreign["start"]) + "\r\n"))
	return m, err
}
