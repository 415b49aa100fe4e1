package sim

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"io"
	"mime"
	"mime/quotedprintable"
	"net/mail"
	"strings"
	"time"
	"unicode/utf8"

	"golang.org/x/text/encoding/htmlindex"
)

// --- writing ---------------------------------------------------------------------------------------------------------

// mimeWriter writes a message as MIME. The result is a function of the message and of salt, which only changes boundaries.
type mimeWriter struct {
	s    *Sim
	w    *bytes.Buffer
	salt string
	n    int
	root uint64
}

// mimeOf is the message as MIME: its exact bytes if it came as MIME, else generated from its parts.
func (s *Sim) mimeOf(m *message, salt string) ([]byte, error) {
	if m.raw != nil {
		return s.load(*m.raw)
	}
	w := &mimeWriter{s: s, w: &bytes.Buffer{}, salt: salt, root: m.key}
	if err := w.message(m); err != nil {
		return nil, err
	}
	return w.w.Bytes(), nil
}

func (w *mimeWriter) boundary() string {
	w.n++
	sum := sha(fmt.Appendf(nil, "%d/%s/%d", w.root, w.salt, w.n))
	return fmt.Sprintf("_%03d_%X_", w.n, sum[:16])
}

func (w *mimeWriter) line(name, value string) {
	if value == "" {
		return
	}
	fmt.Fprintf(w.w, "%s: %s\r\n", name, value)
}

// text writes a header whose value is prose.
func (w *mimeWriter) text(name, value string) {
	if value == "" {
		return
	}
	value = strings.Map(func(r rune) rune {
		if r == '\r' || r == '\n' {
			return ' '
		}
		return r
	}, value)
	w.line(name, strings.ReplaceAll(mime.BEncoding.Encode("utf-8", value), "?= =?", "?=\r\n =?"))
}

func (w *mimeWriter) addresses(name string, list ...mailAddress) {
	if len(list) == 0 {
		return
	}
	parts := make([]string, len(list))
	for i, a := range list {
		switch {
		case a.Name == "" && a.Address == "":
			parts[i] = "undisclosed-recipients:;"
		case a.Address == "":
			parts[i] = mime.BEncoding.Encode("utf-8", a.Name)
		default:
			parts[i] = strings.ReplaceAll((&mail.Address{Name: a.Name, Address: a.Address}).String(), "?= =?", "?=\r\n =?")
		}
	}
	w.line(name, strings.Join(parts, ",\r\n\t"))
}

func (w *mimeWriter) message(m *message) error {
	for _, h := range m.headers {
		if name := strings.ToLower(h.Name); strings.HasPrefix(name, "x-") || name == "received" {
			w.text(h.Name, h.Value)
		}
	}
	if m.from != nil {
		w.addresses("From", *m.from)
	}
	if m.sender != nil && (m.from == nil || *m.sender != *m.from) {
		w.addresses("Sender", *m.sender)
	}
	w.addresses("To", m.to...)
	w.addresses("CC", m.cc...)
	w.addresses("BCC", m.bcc...)
	w.addresses("Reply-To", m.replyTo...)
	w.text("Subject", m.subject)
	if len(m.conversationIndex) > 0 {
		w.line("Thread-Index", base64.StdEncoding.EncodeToString(m.conversationIndex))
	}
	if !m.sent.IsZero() {
		w.line("Date", m.sent.UTC().Format("Mon, 2 Jan 2006 15:04:05 -0700"))
	}
	w.line("Message-ID", m.messageID)
	w.text("In-Reply-To", m.ext["String 0x1042"])
	w.text("References", m.ext["String 0x1039"])
	switch m.importance {
	case "high":
		w.line("Importance", "high")
		w.line("X-Priority", "1")
	case "low":
		w.line("Importance", "low")
		w.line("X-Priority", "5")
	}
	if m.from != nil {
		if m.readReceipt {
			w.addresses("Disposition-Notification-To", *m.from)
		}
		if m.deliveryReceipt {
			w.addresses("Return-Receipt-To", *m.from)
		}
	}
	w.line("MIME-Version", "1.0")
	return w.body(m)
}

// body writes mixed(related(alternative, inline), attachments), as far as needed.
func (w *mimeWriter) body(m *message) error {
	var inline, files []*attachment
	for _, a := range m.attachments {
		switch {
		case a.kind == referenceAttachment: // a link; MIME has no place for it
		case a.inline && a.contentID != "" && m.html:
			inline = append(inline, a)
		default:
			files = append(files, a)
		}
	}
	if len(files) == 0 {
		return w.related(m, inline)
	}
	b := w.boundary()
	fmt.Fprintf(w.w, "Content-Type: multipart/mixed;\r\n\tboundary=\"%s\"\r\n\r\n--%s\r\n", b, b)
	if err := w.related(m, inline); err != nil {
		return err
	}
	for _, a := range files {
		fmt.Fprintf(w.w, "\r\n--%s\r\n", b)
		if err := w.attachment(a); err != nil {
			return err
		}
	}
	fmt.Fprintf(w.w, "\r\n--%s--\r\n", b)
	return nil
}

func (w *mimeWriter) related(m *message, inline []*attachment) error {
	if len(inline) == 0 {
		return w.alternative(m)
	}
	b := w.boundary()
	fmt.Fprintf(w.w, "Content-Type: multipart/related;\r\n\tboundary=\"%s\";\r\n\ttype=\"multipart/alternative\"\r\n\r\n--%s\r\n", b, b)
	if err := w.alternative(m); err != nil {
		return err
	}
	for _, a := range inline {
		fmt.Fprintf(w.w, "\r\n--%s\r\n", b)
		if err := w.attachment(a); err != nil {
			return err
		}
	}
	fmt.Fprintf(w.w, "\r\n--%s--\r\n", b)
	return nil
}

func (w *mimeWriter) alternative(m *message) error {
	body, err := w.s.load(m.body)
	if err != nil {
		return err
	}
	if !m.html {
		return w.quoted("text/plain", body)
	}
	b := w.boundary()
	fmt.Fprintf(w.w, "Content-Type: multipart/alternative;\r\n\tboundary=\"%s\"\r\n\r\n--%s\r\n", b, b)
	if err := w.quoted("text/plain", []byte(htmlToText(string(body)))); err != nil {
		return err
	}
	fmt.Fprintf(w.w, "\r\n--%s\r\n", b)
	if err := w.quoted("text/html", body); err != nil {
		return err
	}
	fmt.Fprintf(w.w, "\r\n--%s--\r\n", b)
	return nil
}

func (w *mimeWriter) quoted(kind string, b []byte) error {
	fmt.Fprintf(w.w, "Content-Type: %s; charset=\"utf-8\"\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n", kind)
	q := quotedprintable.NewWriter(w.w)
	if _, err := q.Write(b); err != nil {
		return err
	}
	return q.Close()
}

func (w *mimeWriter) attachment(a *attachment) error {
	if a.kind == itemAttachment {
		fmt.Fprintf(w.w, "Content-Type: message/rfc822\r\nContent-Disposition: attachment; creation-date=\"%s\"\r\n\r\n", a.modified.UTC().Format(time.RFC1123Z))
		if a.item.raw != nil {
			raw, err := w.s.load(*a.item.raw)
			w.w.Write(raw)
			return err
		}
		return w.message(a.item)
	}
	disposition := "attachment"
	if a.inline {
		disposition = "inline"
	}
	ct, _, err := mime.ParseMediaType(a.contentType)
	if err != nil || strings.HasPrefix(ct, "multipart/") || strings.HasPrefix(ct, "message/") {
		ct = "application/octet-stream"
	}
	name := mime.QEncoding.Encode("utf-8", strings.NewReplacer("\r", "", "\n", "", `"`, "'", `\`, "_").Replace(a.name))
	fmt.Fprintf(w.w, "Content-Type: %s; name=\"%s\"\r\nContent-Description: %s\r\nContent-Disposition: %s; filename=\"%s\"\r\n", ct, name, name, disposition, name)
	if a.contentID != "" {
		w.line("Content-ID", "<"+strings.NewReplacer("\r", "", "\n", "").Replace(a.contentID)+">")
	}
	w.line("Content-Transfer-Encoding", "base64\r\n")
	body, err := w.s.load(a.content)
	if err != nil {
		return err
	}
	w.w.Grow(len(body) * 79 / 57)
	for len(body) > 0 {
		n := min(57, len(body))
		w.w.Write(base64.StdEncoding.AppendEncode(w.w.AvailableBuffer(), body[:n]))
		w.w.WriteString("\r\n")
		body = body[n:]
	}
	return nil
}

// --- reading ---------------------------------------------------------------------------------------------------------

// mimePart is one part of a message, taken apart without ever failing: what is broken becomes plain content.
type mimePart struct {
	headers []header
	kind    string // lower-case media type
	params  map[string]string
	body    []byte // raw
	parts   []*mimePart
}

const maxMIMEDepth = 30

func (p *mimePart) get(name string) string {
	for _, h := range p.headers {
		if strings.EqualFold(h.Name, name) {
			return h.Value
		}
	}
	return ""
}

// parseMIME takes a message apart.
func parseMIME(raw []byte, depth int) *mimePart {
	p := &mimePart{}
	for len(raw) > 0 {
		i := bytes.IndexByte(raw, '\n')
		line := raw
		if i >= 0 {
			line = raw[:i+1]
		}
		text := bytes.TrimRight(line, "\r\n")
		if len(text) == 0 {
			raw = raw[len(line):]
			break
		}
		name, value, ok := strings.Cut(string(text), ":")
		name = strings.TrimRight(name, " \t") // RFC 5322, obs-optional
		switch {
		case (text[0] == ' ' || text[0] == '\t') && len(p.headers) > 0:
			p.headers[len(p.headers)-1].Value += "\r\n" + string(text)
		case ok && name != "" && !strings.ContainsAny(name, " \t"):
			p.headers = append(p.headers, header{name, strings.TrimLeft(value, " \t")})
		case bytes.HasPrefix(text, []byte("From ")) && len(p.headers) == 0: // an mbox line
		default: // not a header: the body begins
			p.finish(raw, depth)
			return p
		}
		raw = raw[len(line):]
	}
	p.finish(raw, depth)
	return p
}

func (p *mimePart) finish(body []byte, depth int) {
	p.body = body
	p.kind, p.params = mediaType(p.get("Content-Type"))
	if p.kind == "" {
		p.kind = "text/plain"
	}
	if depth >= maxMIMEDepth || !strings.HasPrefix(p.kind, "multipart/") || p.params["boundary"] == "" {
		return
	}
	for _, part := range splitParts(body, p.params["boundary"]) {
		p.parts = append(p.parts, parseMIME(part, depth+1))
	}
}

// mediaType reads a Content-Type or Content-Disposition, also slightly broken ones.
func mediaType(v string) (string, map[string]string) {
	v = strings.NewReplacer("\r", "", "\n", "").Replace(v)
	if kind, params, err := mime.ParseMediaType(v); err == nil {
		return kind, params
	}
	fields := splitOutside(v, ';')
	params := map[string]string{}
	for _, f := range fields[1:] {
		if k, x, ok := strings.Cut(f, "="); ok {
			params[strings.ToLower(strings.TrimSpace(k))] = strings.Trim(strings.TrimSpace(x), `"`)
		}
	}
	kind := strings.ToLower(strings.TrimSpace(fields[0]))
	if !strings.Contains(kind, "/") && kind != "attachment" && kind != "inline" {
		kind = ""
	}
	return kind, params
}

func splitParts(body []byte, boundary string) [][]byte {
	mark := []byte("--" + boundary)
	var parts [][]byte
	start := -1
	for at := 0; at < len(body); {
		end := bytes.IndexByte(body[at:], '\n')
		next := len(body)
		if end >= 0 {
			next = at + end + 1
		}
		line := bytes.TrimRight(body[at:next], " \t\r\n")
		last := bytes.Equal(line, append(mark[:len(mark):len(mark)], "--"...))
		if last || bytes.Equal(line, mark) {
			if start >= 0 {
				part := body[start:at]
				part = bytes.TrimSuffix(part, []byte("\n"))
				parts = append(parts, bytes.TrimSuffix(part, []byte("\r")))
			}
			start = next
			if last {
				return parts
			}
		}
		at = next
	}
	if start >= 0 && start <= len(body) { // the closing line is missing
		parts = append(parts, body[start:])
	}
	return parts
}

// decoded undoes the transfer encoding; broken ones give what could be read.
func (p *mimePart) decoded() []byte {
	switch strings.ToLower(strings.TrimSpace(p.get("Content-Transfer-Encoding"))) {
	case "base64":
		clean := bytes.Map(func(r rune) rune {
			if r < 128 && strings.ContainsRune("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/", r) {
				return r
			}
			return -1
		}, p.body)
		clean = clean[:len(clean)-map[int]int{1: 1}[len(clean)%4]]
		out, err := base64.RawStdEncoding.DecodeString(string(clean))
		if err != nil {
			return p.body
		}
		return out
	case "quoted-printable":
		out, err := io.ReadAll(quotedprintable.NewReader(bytes.NewReader(p.body)))
		if err != nil && len(out) < len(p.body)/2 {
			return p.body
		}
		return out
	}
	return p.body
}

// utf8Text is decoded text as UTF-8.
func (p *mimePart) utf8Text() string {
	return toUTF8(p.params["charset"], p.decoded())
}

// toUTF8 reads text in its character set; what names none, or one that is not known, is UTF-8 or else Latin 1.
func toUTF8(charset string, b []byte) string {
	if enc, err := htmlindex.Get(strings.Trim(strings.TrimSpace(charset), `"'`)); err == nil {
		if out, err := enc.NewDecoder().Bytes(b); err == nil {
			return strings.ToValidUTF8(string(out), "\uFFFD")
		}
	}
	if utf8.Valid(b) {
		return string(b)
	}
	out := make([]rune, len(b))
	for i, c := range b {
		out[i] = rune(c)
	}
	return string(out)
}

var wordDecoder = mime.WordDecoder{CharsetReader: func(charset string, r io.Reader) (io.Reader, error) {
	b, err := io.ReadAll(r)
	return strings.NewReader(toUTF8(charset, b)), err
}}

// headerText is a header without folds and encoded words.
func headerText(v string) string {
	v = strings.NewReplacer("\r\n", "", "\r", "", "\n", "").Replace(v)
	out, err := wordDecoder.DecodeHeader(v)
	if err != nil || !utf8.ValidString(out) {
		return toUTF8("", []byte(v))
	}
	return out
}

func headerAddresses(v string) []mailAddress {
	v = strings.NewReplacer("\r\n", "", "\r", "", "\n", "").Replace(v)
	if strings.TrimSpace(v) == "" {
		return nil
	}
	parser := mail.AddressParser{WordDecoder: &wordDecoder}
	list, err := parser.ParseList(v)
	if err != nil {
		return []mailAddress{{Name: headerText(v)}}
	}
	var out []mailAddress
	for _, a := range list {
		out = append(out, mailAddress{Name: strings.ToValidUTF8(a.Name, "\uFFFD"), Address: strings.ToValidUTF8(a.Address, "\uFFFD")})
	}
	return out
}

// messageFromMIME makes a message from MIME and keeps its exact bytes.
func (s *Sim) messageFromMIME(raw []byte) (*message, error) {
	return s.messageFromPart(parseMIME(raw, 0), raw, 0)
}

func (s *Sim) messageFromPart(p *mimePart, raw []byte, depth int) (*message, error) {
	m := &message{importance: "normal", inference: "focused", isRead: true, flag: flag{status: "notFlagged"}, unmodified: true, ext: map[string]string{}}
	exact, err := s.stored(raw)
	if err != nil {
		return nil, err
	}
	m.raw = &exact
	m.subject = headerText(p.get("Subject"))
	if a := headerAddresses(p.get("From")); len(a) > 0 {
		m.from, m.sender = &a[0], &a[0]
	}
	if a := headerAddresses(p.get("Sender")); len(a) > 0 {
		m.sender = &a[0]
	}
	m.to, m.cc, m.bcc, m.replyTo = headerAddresses(p.get("To")), headerAddresses(p.get("Cc")), headerAddresses(p.get("Bcc")), headerAddresses(p.get("Reply-To"))
	m.messageID = strings.TrimSpace(headerText(p.get("Message-ID")))
	if t, err := mail.ParseDate(strings.NewReplacer("\r\n", "", "\n", "").Replace(p.get("Date"))); err == nil && t.Year() > 1980 && t.Before(epochEnd.AddDate(20, 0, 0)) {
		m.sent = t.UTC().Truncate(time.Second)
	} else {
		m.sent = epoch
	}
	m.received, m.created, m.modified = m.sent, m.sent, m.sent
	switch strings.ToLower(strings.TrimSpace(p.get("Importance"))) {
	case "high":
		m.importance = "high"
	case "low":
		m.importance = "low"
	}
	for id, name := range map[string]string{"String 0x1042": "In-Reply-To", "String 0x1039": "References"} {
		if v := strings.TrimSpace(headerText(p.get(name))); v != "" {
			m.ext[id] = v
		}
	}
	if b, err := base64.StdEncoding.DecodeString(strings.TrimSpace(p.get("Thread-Index"))); err == nil && len(b) >= 22 {
		m.conversationIndex = b
	} else { // delivery gives every message one; without an index of its own the topic decides
		sum := sha([]byte(topic(m.subject)))
		m.conversationIndex = conversationIndex(sum[:16], m.sent, 0)
	}
	m.readReceipt = p.get("Disposition-Notification-To") != ""
	m.deliveryReceipt = p.get("Return-Receipt-To") != ""
	for _, h := range p.headers {
		m.headers = append(m.headers, header{h.Name, headerText(h.Value)})
	}
	var body *mimePart
	if err := s.collect(m, p, &body, depth); err != nil {
		return nil, err
	}
	if body != nil {
		m.html = body.kind == "text/html"
		if m.body, err = s.stored([]byte(body.utf8Text())); err != nil {
			return nil, err
		}
	}
	return m, nil
}

// collect sorts the parts into the body and attachments.
func (s *Sim) collect(m *message, p *mimePart, body **mimePart, depth int) error {
	if len(p.parts) > 0 {
		if p.kind == "multipart/alternative" { // the last one that can be shown; attachments within stay
			var best *mimePart
			for _, c := range p.parts {
				if c.kind == "text/plain" && best == nil || c.kind == "text/html" {
					best = c
				}
			}
			for _, c := range p.parts {
				if c == best && *body == nil {
					*body = c
				} else if !strings.HasPrefix(c.kind, "text/") {
					if err := s.collect(m, c, body, depth); err != nil {
						return err
					}
				}
			}
			return nil
		}
		for _, c := range p.parts {
			if err := s.collect(m, c, body, depth); err != nil {
				return err
			}
		}
		return nil
	}
	disposition, dparams := mediaType(p.get("Content-Disposition"))
	name := headerText(dparams["filename"])
	if name == "" {
		name = headerText(p.params["name"])
	}
	// A multipart that could not be split is shown as it stands.
	isText := p.kind == "text/plain" || p.kind == "text/html" || strings.HasPrefix(p.kind, "multipart/")
	if *body == nil && isText && disposition != "attachment" && (name == "" || disposition == "inline") {
		*body = p
		return nil
	}
	a := &attachment{id: uint64(len(m.attachments) + 1), name: name, contentType: p.kind, modified: m.received, inline: disposition == "inline" || p.get("Content-ID") != "" && disposition != "attachment",
		contentID: strings.Trim(strings.TrimSpace(p.get("Content-ID")), "<>"), location: strings.TrimSpace(headerText(p.get("Content-Location")))}
	if p.kind == "message/rfc822" && depth < maxMIMEDepth {
		inner := p.decoded()
		item, err := s.messageFromPart(parseMIME(inner, depth+1), inner, depth+1)
		if err != nil {
			return err
		}
		a.kind, a.item, a.itemType, a.inline = itemAttachment, item, "#microsoft.graph.message", false
		if a.name == "" {
			a.name = item.subject
		}
		a.contentType = ""
		m.attachments = append(m.attachments, a)
		return nil
	}
	var err error
	if a.content, err = s.stored(p.decoded()); err != nil {
		return err
	}
	m.attachments = append(m.attachments, a)
	return nil
}
