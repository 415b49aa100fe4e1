package sim

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf16"

	"holdfast/internal/sim/export"
)

// What a message is in an exported stream: properties by what MS-OXPROPS calls them. What has no place of its own in message is an extended
// property there, under the id that Graph has for it, so that nothing of an imported item is lost.

// Sets of named properties, in the order of the stream.
var (
	setPublic    = streamGUID("00020329-0000-0000-c000-000000000046")
	setTask      = streamGUID("00062003-0000-0000-c000-000000000046")
	setInference = streamGUID("23239608-685d-4732-9c55-4c95cb4e8e33")
	// setForeign names the properties of attached events and contacts, which the simulator keeps as JSON.
	setForeign = streamGUID("5e1f2d0a-6b1c-4f7e-9a55-3c0f6f1d2b7c")
)

func streamGUID(s string) (g [16]byte) {
	b := guidBytes(s)
	g = [16]byte{b[3], b[2], b[1], b[0], b[5], b[4], b[7], b[6]}
	copy(g[8:], b[8:])
	return g
}

func guidBytes(s string) [16]byte {
	var b [16]byte
	for i, at := 0, 0; i < len(b); i, at = i+1, at+2 {
		if s[at] == '-' {
			at++
		}
		n, _ := strconv.ParseUint(s[at:at+2], 16, 8) // isGUID, or a constant
		b[i] = byte(n)
	}
	return b
}

func guidText(g [16]byte) string {
	return fmt.Sprintf("%08x-%04x-%04x-%x-%x", binary.LittleEndian.Uint32(g[:]), binary.LittleEndian.Uint16(g[4:]), binary.LittleEndian.Uint16(g[6:]), g[8:10], g[10:])
}

// Types of extended properties and of streams.
var streamTypes = map[string]uint16{"Short": 0x0002, "Integer": 0x0003, "Float": 0x0004, "Double": 0x0005, "Currency": 0x0006, "ApplicationTime": 0x0007, "Error": 0x000a,
	"Boolean": 0x000b, "Long": 0x0014, "String": 0x84b0, "SystemTime": 0x0040, "CLSID": 0x0048, "Binary": 0x0102}

const manyValues = 0x1000

// --- out -------------------------------------------------------------------------------------------------------------

// exported is the message as exportItems gives it.
func (b *mailbox) exported(m *message) ([]byte, error) {
	item, err := b.streamItem(m)
	if err != nil {
		return nil, err
	}
	return export.Encode(item), nil
}

func (b *mailbox) streamItem(m *message) (export.Item, error) {
	var item export.Item
	put := func(p ...export.Property) { item.Properties = append(item.Properties, p...) }
	get := func(id string) string { v, _, _ := b.extended(m, id); return v } // no error without a size
	number := func(id string) int32 { n, _ := strconv.Atoi(get(id)); return int32(n) }
	put(export.Text(0x1a, get("String 0x1a")), export.Int(0x17, int32(slices.Index([]string{"low", "normal", "high"}, m.importance))), export.Text(0x37, m.subject),
		export.Text(0x70, topic(m.subject)), export.Time(0x39, m.sent), export.Time(0xe06, m.received), export.Time(0x3007, m.created), export.Time(0x3008, m.modified),
		export.Int(0xe07, number("Integer 0xe07")), export.Bool(0xe69, m.isRead), export.Bool(0x29, m.readReceipt), export.Bool(0x23, m.deliveryReceipt),
		export.Text(0, m.inference).Named(setInference, 0, "InferenceClassificationResult"))
	for id, v := range map[uint16]string{0x1035: m.messageID, 0x7d: get("String 0x7d")} {
		if v != "" {
			put(export.Text(id, v))
		}
	}
	slices.SortStableFunc(item.Properties, func(x, y export.Property) int { return int(x.ID) - int(y.ID) }) // a map has no order
	if m.conversationIndex != nil {
		put(export.Bytes(0x71, m.conversationIndex))
	}
	put(streamPerson(m.from, 0x42, 0x64, 0x65, 0x5d02)...)
	put(streamPerson(m.sender, 0xc1a, 0xc1e, 0xc1f, 0x5d01)...)
	if len(m.replyTo) > 0 {
		names := make([]string, len(m.replyTo))
		for i, a := range m.replyTo {
			names[i] = a.Name
		}
		put(export.Text(0x50, strings.Join(names, ";")), export.Bytes(0x4f, entryList(m.replyTo)))
	}
	if len(m.categories) > 0 {
		put(export.Texts(0, m.categories...).Named(setPublic, 0, "Keywords"))
	}
	if m.flag.status != "notFlagged" && m.flag.status != "" {
		put(export.Int(0x1090, number("Integer 0x1090")))
		for id, n := range map[string]uint32{flagStart: 0x8104, flagDue: 0x8105, flagCompleted: 0x810f} {
			if at, ok := parseTime(get(id)); ok {
				put(export.Time(0, at).Named(setTask, n, ""))
			}
		}
		slices.SortStableFunc(item.Properties, func(x, y export.Property) int { return int(x.Number) - int(y.Number) })
	}
	own := []string{"String 0x1a", "Integer 0xe07", "String 0x7d", "Integer 0x1090"}
	for _, id := range slices.Sorted(maps.Keys(m.ext)) {
		if slices.Contains(own, id) {
			continue
		}
		p, err := extendedProperty(id, m.ext[id])
		if err != nil {
			return item, err
		}
		put(p)
	}
	for _, id := range slices.Sorted(maps.Keys(m.multi)) {
		p, err := extendedProperty(id, m.multi[id]...)
		if err != nil {
			return item, err
		}
		put(p)
	}
	for _, name := range slices.Sorted(maps.Keys(m.foreign)) {
		put(export.Text(0, string(m.foreign[name])).Named(setForeign, 0, name))
	}
	body, err := b.s.load(m.body)
	if err != nil {
		return item, err
	}
	if m.html {
		put(export.Int(0x1016, 3), export.Int(0x3fde, 65001), export.Bytes(0x1013, body))
	} else {
		put(export.Int(0x1016, 1), export.Text(0x1000, string(body)))
	}
	for kind, list := range [][]mailAddress{1: m.to, 2: m.cc, 3: m.bcc} {
		for i := range list {
			r := streamPerson(&list[i], 0x3001, 0x3002, 0x3003, 0x39fe)
			item.Recipients = append(item.Recipients, append([]export.Property{export.Int(0xc15, int32(kind))}, r...))
		}
	}
	for _, a := range m.attachments {
		x, err := b.streamAttachment(a)
		if err != nil {
			return item, err
		}
		item.Attachments = append(item.Attachments, x)
	}
	return item, nil
}

// streamPerson is a person by its name, type of address, address and SMTP address.
func streamPerson(a *mailAddress, name, kind, address, smtp uint16) []export.Property {
	if a == nil {
		return nil
	}
	return []export.Property{export.Text(name, a.Name), export.Text(kind, "SMTP"), export.Text(address, a.Address), export.Text(smtp, a.Address)}
}

// oneOff begins a one-off entry (MS-OXCDATA 2.2.5.1): no flags, its provider, version 0, Unicode without rich text.
var oneOff = append([]byte{0, 0, 0, 0, 0x81, 0x2b, 0x1f, 0xa4, 0xbe, 0xa3, 0x10, 0x19, 0x9d, 0x6e, 0x00, 0xdd, 0x01, 0x0f, 0x54, 0x02, 0, 0}, 0x01, 0x90)

// entryList is people as a FLATENTRYLIST: how many, how many bytes, and each with its length, filled up to four bytes.
func entryList(list []mailAddress) []byte {
	var all []byte
	for _, a := range list {
		e := slices.Clone(oneOff)
		for _, s := range []string{a.Name, "SMTP", a.Address} {
			for _, u := range utf16.Encode([]rune(s + "\x00")) {
				e = binary.LittleEndian.AppendUint16(e, u)
			}
		}
		all = append(binary.LittleEndian.AppendUint32(all, uint32(len(e))), e...)
		for len(all)%4 != 0 {
			all = append(all, 0)
		}
	}
	head := binary.LittleEndian.AppendUint32(nil, uint32(len(list)))
	return append(binary.LittleEndian.AppendUint32(head, uint32(len(all))), all...)
}

func (b *mailbox) streamAttachment(a *attachment) (export.Attachment, error) {
	var x export.Attachment
	put := func(p ...export.Property) { x.Properties = append(x.Properties, p...) }
	put(export.Int(0xe21, int32(a.id)), export.Text(0x3707, a.name), export.Time(0x3008, a.modified))
	for id, v := range map[uint16]string{0x370e: a.contentType, 0x3712: a.contentID, 0x3713: a.location} {
		if v != "" {
			put(export.Text(id, v))
		}
	}
	slices.SortStableFunc(x.Properties, func(x, y export.Property) int { return int(x.ID) - int(y.ID) })
	if a.inline {
		put(export.Bool(0x7ffe, true), export.Int(0x3714, 4))
	}
	switch a.kind {
	case itemAttachment:
		inner, err := b.streamItem(a.item)
		if err != nil {
			return x, err
		}
		if class := map[string]string{"#microsoft.graph.event": "IPM.Appointment", "#microsoft.graph.contact": "IPM.Contact"}[a.itemType]; class != "" {
			inner.Properties[slices.IndexFunc(inner.Properties, func(p export.Property) bool { return p.ID == 0x1a })] = export.Text(0x1a, class)
		}
		put(export.Int(0x3705, 5))
		x.Item = &inner
	case referenceAttachment:
		put(export.Int(0x3705, 7), export.Text(0x370d, "https://"+b.s.cloud.sharePoint+"/"+a.name))
	default:
		content, err := b.s.load(a.content)
		if err != nil {
			return x, err
		}
		put(export.Int(0x3705, 1), export.Bytes(0x3701, content))
	}
	return x, nil
}

// extendedProperty is an extended property as a stream has it.
func extendedProperty(id string, values ...string) (export.Property, error) {
	kind, rest, _ := strings.Cut(id, " ")
	base, many := strings.CutSuffix(kind, "Array")
	p := export.Property{Type: streamTypes[base], Many: many}
	if many {
		if p.Type |= manyValues; base == "String" {
			p.Type = manyValues | 0x001f
		}
	}
	if hex, ok := strings.CutPrefix(rest, "0x"); ok {
		n, err := strconv.ParseUint(hex, 16, 16)
		if err != nil {
			return p, err
		}
		p.ID = uint16(n)
	} else {
		guid, rest, _ := strings.Cut(rest, " ")
		how, name, _ := strings.Cut(rest, " ")
		if how == "Id" {
			n, err := strconv.ParseUint(strings.TrimPrefix(name, "0x"), 16, 32)
			if err != nil {
				return p, err
			}
			p = p.Named(streamGUID(strings.Trim(guid, "{}")), uint32(n), "")
		} else {
			p = p.Named(streamGUID(strings.Trim(guid, "{}")), 0, name)
		}
	}
	for _, v := range values {
		raw, err := streamValue(base, v)
		if err != nil {
			return p, fmt.Errorf("extended property %s: %w", id, err)
		}
		p.Values = append(p.Values, raw)
	}
	return p, nil
}

var le = binary.LittleEndian

func streamValue(kind, v string) ([]byte, error) {
	switch kind {
	case "String":
		return export.Text(0, v).Values[0], nil
	case "Boolean":
		return export.Bool(0, strings.EqualFold(v, "true")).Values[0], nil
	case "SystemTime":
		at, ok := parseTime(v)
		if !ok {
			return nil, fmt.Errorf("no time: %q", v)
		}
		return export.Time(0, at).Values[0], nil
	case "Binary":
		return base64.StdEncoding.DecodeString(v)
	case "CLSID":
		g := streamGUID(strings.Trim(v, "{}"))
		return g[:], nil
	case "Double", "ApplicationTime", "Float":
		f, err := strconv.ParseFloat(v, 64)
		if kind == "Float" {
			return le.AppendUint32(nil, math.Float32bits(float32(f))), err
		}
		return le.AppendUint64(nil, math.Float64bits(f)), err
	}
	n, err := strconv.ParseInt(v, 10, 64)
	switch kind {
	case "Short":
		return le.AppendUint16(nil, uint16(n)), err
	case "Integer", "Error":
		return le.AppendUint32(nil, uint32(n)), err
	}
	return le.AppendUint64(nil, uint64(n)), err
}

// --- in --------------------------------------------------------------------------------------------------------------

// imported makes a message of a stream. What it can't hold is an error: Exchange takes what an export gave.
func (s *Sim) imported(data []byte, now time.Time) (*message, error) {
	item, err := export.Decode(data)
	if err != nil {
		return nil, err
	}
	return s.messageFromStream(item, now)
}

func (s *Sim) messageFromStream(item export.Item, now time.Time) (*message, error) {
	m := newMessage(now)
	m.isDraft, m.unmodified, m.ext = false, false, map[string]string{}
	var from, sender mailAddress
	var names, entries export.Property
	people := map[uint16]*string{0x42: &from.Name, 0x5d02: &from.Address, 0xc1a: &sender.Name, 0x5d01: &sender.Address}
	var codePage, native int32
	var htmlBody, plain []byte
	for _, p := range item.Properties {
		switch {
		case p.ID == 0x8000 && p.Set == setForeign:
			if m.foreign == nil {
				m.foreign = fields{}
			}
			m.foreign[p.Name] = json.RawMessage(p.String())
			continue
		case p.ID == 0x8000 && p.Set == setPublic && p.Name == "Keywords":
			m.categories = streamTexts(p)
			continue
		case p.ID == 0x8000 && p.Set == setInference && p.Name == "InferenceClassificationResult":
			m.inference = p.String()
			continue
		case p.ID >= 0x8000:
		case people[p.ID] != nil:
			*people[p.ID] = p.String()
			continue
		}
		known := true
		switch p.ID {
		case 0x17:
			if m.importance = "normal"; streamInt(p) != 1 {
				m.importance = map[bool]string{true: "high", false: "low"}[streamInt(p) == 2]
			}
		case 0x37:
			m.subject = p.String()
		case 0x70, 0x64, 0x65, 0xc1e, 0xc1f, 0x3008, 0xe08: // follow from others, or are the store's
		case 0x39:
			m.sent = streamTime(p)
		case 0xe06:
			m.received = streamTime(p)
		case 0x3007:
			m.created = streamTime(p)
		case 0xe07:
			n := streamInt(p)
			m.isRead, m.unmodified, m.isDraft = n&1 != 0, n&2 != 0, n&8 != 0
			if n&4 != 0 {
				m.ext["Integer 0xe07"] = strconv.Itoa(int(n))
			}
		case 0xe69:
			m.isRead = streamInt(p) != 0
		case 0x29:
			m.readReceipt = streamInt(p) != 0
		case 0x23:
			m.deliveryReceipt = streamInt(p) != 0
		case 0x1035:
			m.messageID = p.String()
		case 0x7d:
			for _, h := range parseMIME([]byte(p.String()), maxMIMEDepth).headers {
				m.headers = append(m.headers, header{h.Name, headerText(h.Value)})
			}
		case 0x71:
			m.conversationIndex = first(p)
		case 0x50:
			names = p
		case 0x4f:
			entries = p
		case 0x1090:
			m.flag.status = map[int32]string{1: "complete", 2: "flagged"}[streamInt(p)]
		case 0x1016:
			native = streamInt(p)
		case 0x3fde:
			codePage = streamInt(p)
		case 0x1013:
			htmlBody = first(p)
		case 0x1000:
			plain = []byte(p.String())
		default:
			known = false
		}
		if known {
			continue
		}
		if err := m.keepProperty(p); err != nil {
			return nil, err
		}
	}
	if m.flag.status == "" {
		m.flag.status = "notFlagged"
	}
	for p, to := range map[*mailAddress]**mailAddress{&from: &m.from, &sender: &m.sender} {
		if *p != (mailAddress{}) {
			*to = p
		}
	}
	if err := m.readReplyTo(names, entries); err != nil {
		return nil, err
	}
	if htmlBody != nil && codePage != 0 && codePage != 65001 {
		return nil, fmt.Errorf("HTML of code page %d: the simulator writes UTF-8 only", codePage)
	}
	body := plain
	if m.html = htmlBody != nil && native != 1; m.html {
		body = htmlBody
	}
	var err error
	if m.body, err = s.stored(body); err != nil {
		return nil, err
	}
	for _, r := range item.Recipients {
		var a mailAddress
		kind := int32(1)
		for _, p := range r {
			switch p.ID {
			case 0x3001:
				a.Name = p.String()
			case 0x39fe:
				a.Address = p.String()
			case 0xc15:
				kind = streamInt(p)
			}
		}
		switch kind & 0xf {
		case 1:
			m.to = append(m.to, a)
		case 2:
			m.cc = append(m.cc, a)
		case 3:
			m.bcc = append(m.bcc, a)
		default:
			return nil, fmt.Errorf("a recipient of kind %d", kind)
		}
	}
	for _, x := range item.Attachments {
		a, err := s.attachmentFromStream(x, now)
		if err != nil {
			return nil, err
		}
		m.attach(a)
	}
	return m, nil
}

// keepProperty keeps what the message has no field for.
func (m *message) keepProperty(p export.Property) error {
	kind := ""
	for name, t := range streamTypes {
		if base := p.Type &^ manyValues; t == p.Type || p.Many && (t == base || name == "String" && base == 0x001f) || !p.Many && name == "String" && p.Type == 0x001f {
			kind = name
		}
	}
	if kind == "" {
		return fmt.Errorf("property %#04x of type %#04x", p.ID, p.Type)
	}
	id := fmt.Sprintf("%s 0x%x", kind, p.ID)
	if p.Many {
		id = fmt.Sprintf("%sArray 0x%x", kind, p.ID)
	}
	if p.ID >= 0x8000 {
		head, _, _ := strings.Cut(id, " ")
		if id = fmt.Sprintf("%s {%s} Name %s", head, guidText(p.Set), p.Name); p.Name == "" {
			id = fmt.Sprintf("%s {%s} Id 0x%x", head, guidText(p.Set), p.Number)
		}
	}
	var texts []string
	for _, v := range p.Values {
		texts = append(texts, extendedText(kind, v))
	}
	if p.Many {
		if m.multi == nil {
			m.multi = map[string][]string{}
		}
		m.multi[id] = texts
		return nil
	}
	if flags := map[string]**dateTimeZone{flagStart: &m.flag.start, flagDue: &m.flag.due, flagCompleted: &m.flag.completed}; flags[id] != nil && !strings.HasPrefix(m.ext["String 0x1a"], "IPM.Task") { // a task has its own dates there
		*flags[id] = &dateTimeZone{DateTime: streamTime(p).Format("2006-01-02T15:04:05.0000000"), TimeZone: "UTC"}
		return nil
	}
	m.ext[id] = texts[0]
	return nil
}

// extendedText is the value of an extended property as Graph writes it.
func extendedText(kind string, v []byte) string {
	switch kind {
	case "String":
		return export.Property{Values: [][]byte{v}}.String()
	case "Boolean":
		return strconv.FormatBool(v[0]|v[1] != 0)
	case "SystemTime":
		return fromFileTime(v).Format(mapiTime)
	case "Binary":
		return base64.StdEncoding.EncodeToString(v)
	case "CLSID":
		return guidText([16]byte(v))
	case "Float":
		return strconv.FormatFloat(float64(math.Float32frombits(le.Uint32(v))), 'g', -1, 32)
	case "Double", "ApplicationTime":
		return strconv.FormatFloat(math.Float64frombits(le.Uint64(v)), 'g', -1, 64)
	case "Short":
		return strconv.Itoa(int(int16(le.Uint16(v))))
	case "Integer", "Error":
		return strconv.Itoa(int(int32(le.Uint32(v))))
	}
	return strconv.FormatInt(int64(le.Uint64(v)), 10)
}

func (m *message) readReplyTo(names, entries export.Property) error {
	b := first(entries)
	if len(b) == 0 {
		return nil
	}
	bad := errors.New("a list of people that is none")
	if len(b) < 8 || int(le.Uint32(b[4:])) != len(b)-8 {
		return bad
	}
	count := int(le.Uint32(b))
	for b = b[8:]; len(b) >= 4; {
		size := int(le.Uint32(b))
		whole := (size + 3) / 4 * 4
		if size < len(oneOff) || whole > len(b)-4 {
			return bad
		}
		// Name, kind and address, each ended by a zero; a mail may name somebody to reply to without an address.
		parts := strings.Split(export.Property{Values: [][]byte{append(slices.Clone(b[4+len(oneOff):4+size]), '.', 0)}}.String(), "\x00")
		if len(parts) != 4 || parts[3] != "." {
			return bad
		}
		m.replyTo = append(m.replyTo, mailAddress{parts[0], parts[2]})
		b = b[4+whole:]
	}
	if count != len(m.replyTo) || len(strings.Split(names.String(), ";")) < count {
		return bad
	}
	return nil
}

func (s *Sim) attachmentFromStream(x export.Attachment, now time.Time) (*attachment, error) {
	a := &attachment{modified: now.UTC().Truncate(time.Second)}
	method := int32(-1)
	var content []byte
	for _, p := range x.Properties {
		switch p.ID {
		case 0x3707:
			a.name = p.String()
		case 0x370e:
			a.contentType = p.String()
		case 0x3712:
			a.contentID = p.String()
		case 0x3713:
			a.location = p.String()
		case 0x3008:
			a.modified = streamTime(p)
		case 0x7ffe:
			a.inline = streamInt(p) != 0
		case 0x3705:
			method = streamInt(p)
		case 0x3701:
			content = first(p)
		case 0xe20, 0xe21, 0x3714, 0x370d:
		default:
			return nil, fmt.Errorf("property %#04x of an attachment, which the simulator can't keep", p.ID)
		}
	}
	var err error
	switch {
	case method == 5 && x.Item != nil:
		a.kind, a.itemType = itemAttachment, "#microsoft.graph.message"
		a.item, err = s.messageFromStream(*x.Item, now)
		if err == nil {
			a.item.modified = a.item.received
			for typ, class := range map[string]string{"#microsoft.graph.event": "IPM.Appointment", "#microsoft.graph.contact": "IPM.Contact"} {
				if a.item.ext["String 0x1a"] == class {
					a.itemType = typ
					delete(a.item.ext, "String 0x1a")
				}
			}
		}
	case method == 7 && x.Item == nil:
		a.kind = referenceAttachment
	case method == 1 && x.Item == nil:
		a.kind = fileAttachment
		a.content, err = s.stored(content)
	default:
		return nil, fmt.Errorf("an attachment of method %d", method)
	}
	return a, err
}

func first(p export.Property) []byte {
	if len(p.Values) == 0 {
		return nil
	}
	return p.Values[0]
}

func streamInt(p export.Property) int32 {
	switch v := first(p); len(v) {
	case 2:
		return int32(le.Uint16(v))
	case 4:
		return int32(le.Uint32(v))
	}
	return 0
}

func streamTime(p export.Property) time.Time { return fromFileTime(first(p)) }

// fromFileTime is in steps of 100 nanoseconds since 1601.
func fromFileTime(v []byte) time.Time {
	if len(v) != 8 {
		return time.Time{}
	}
	n := le.Uint64(v)
	return time.Unix(int64(n/10_000_000)-11_644_473_600, int64(n%10_000_000)*100).UTC()
}

func streamTexts(p export.Property) []string {
	var out []string
	for _, v := range p.Values {
		out = append(out, export.Property{Values: [][]byte{v}}.String())
	}
	return out
}
