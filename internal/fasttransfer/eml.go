package fasttransfer

import (
	"bufio"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io"
	"mime"
	"mime/quotedprintable"
	"net/mail"
	"net/textproto"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// WriteEML writes the message as a mail (RFC 5322, MIME). Equal messages give equal bytes. The header that a mail came with is kept, except for what is
// about the parts; what it lacks is made of the properties. An appointment has its iCalendar beside its text, a contact its vCard as an attachment.
//
// What of an attachment was not read with Options.WithoutData can't be written.
func (m *Message) WriteEML(w io.Writer) error {
	raw := sha256.New()
	n, err := m.rawWithin(raw)
	if err != nil {
		return err
	}
	out := &mailWriter{w: bufio.NewWriter(w)}
	if n > 0 {
		out.mark = hex.EncodeToString(raw.Sum(nil)[:16])
	}
	if err := out.message(m, 0); err != nil {
		return err
	}
	return out.w.Flush()
}

// rawWithin writes what of the messages within is written as it is, any line of which could look like a boundary.
func (m *Message) rawWithin(w io.Writer) (size int64, err error) {
	for _, a := range m.Attachments {
		if a.Message == nil {
			continue
		}
		n, err := a.Message.rawWithin(w)
		size += n
		if err != nil {
			return size, err
		}
		if raw, ok := a.Message.Signed(); ok {
			n, err := io.Copy(w, raw.Reader())
			size += n
			if err != nil {
				return size, err
			}
		}
	}
	return size, nil
}

// entity is a node of the tree of parts.
type entity struct {
	header   []string // whole fields, folded, without the end of the line
	write    func(io.Writer) error
	kind     string // of a multipart
	children []*entity
}

type mailWriter struct {
	w          *bufio.Writer
	boundaries int
	mark       string // in each boundary, so that none is in a text that is written as it is
}

func (out *mailWriter) message(m *Message, depth int) error {
	for _, field := range m.mailHeader() {
		out.w.WriteString(field + "\r\n")
	}
	out.w.WriteString("MIME-Version: 1.0\r\n")
	if signed := m.signed(); signed != nil {
		return signed(out.w)
	}
	body, err := m.mailBody(out, depth)
	if err != nil {
		return err
	}
	return out.entity(body)
}

func (out *mailWriter) entity(e *entity) error {
	boundary := ""
	if e.kind != "" {
		// No text in base64 or in quoted-printable has "=_" in it. None of the boundaries begins another.
		out.boundaries++
		boundary = fmt.Sprintf("=_holdfast_%d_%s", out.boundaries, out.mark)
		out.w.WriteString("Content-Type: multipart/" + e.kind + ";\r\n boundary=\"" + boundary + "\"\r\n")
	}
	for _, field := range e.header {
		out.w.WriteString(field + "\r\n")
	}
	if _, err := out.w.WriteString("\r\n"); err != nil {
		return err
	}
	if e.kind == "" {
		return e.write(out.w)
	}
	for _, child := range e.children {
		out.w.WriteString("--" + boundary + "\r\n")
		if err := out.entity(child); err != nil {
			return err
		}
		out.w.WriteString("\r\n")
	}
	_, err := out.w.WriteString("--" + boundary + "--\r\n")
	return err
}

// multipart puts entities into one, unless there is only one.
func multipart(kind string, children []*entity) *entity {
	if len(children) == 1 {
		return children[0]
	}
	return &entity{kind: kind, children: children}
}

func (m *Message) mailBody(out *mailWriter, depth int) (*entity, error) {
	body := m.Body()
	var texts []*entity
	for _, part := range []*Part{body.Plain, body.RTF, body.HTML} {
		if part != nil {
			texts = append(texts, part.entity())
		}
	}
	kind := m.Kind()
	if _, ok := m.Appointment(); ok && (kind == KindAppointment || kind == KindMeeting) || kind == KindTask {
		texts = append(texts, &entity{
			header: []string{"Content-Type: text/calendar; charset=utf-8", "Content-Transfer-Encoding: base64"},
			write:  func(w io.Writer) error { return inBase64(w, m.WriteICalendar) },
		})
	}
	var details []*entity
	if words := m.Details(); words != "" {
		if details, texts = detailed(words, &body, texts); len(texts) == 0 {
			details, texts = nil, details
		}
	}
	if len(texts) == 0 {
		texts = append(texts, &entity{header: []string{"Content-Type: text/plain; charset=us-ascii"}, write: func(io.Writer) error { return nil }})
	}
	var related, mixed []*entity
	for _, a := range m.Attachments {
		if a.Exception() {
			continue // the calendar has it
		}
		e := a.entity(out, depth)
		if a.Inline() && body.HTML != nil {
			related = append(related, e)
		} else {
			mixed = append(mixed, e)
		}
	}
	if kind == KindContact {
		mixed = append(mixed, &entity{
			header: []string{"Content-Type: text/vcard; charset=utf-8", "Content-Transfer-Encoding: base64", disposition("attachment", "contact.vcf", 0)},
			write:  func(w io.Writer) error { return inBase64(w, m.WriteVCard) },
		})
	}
	if body.Problem != nil {
		mixed = append(mixed, m.unreadBody())
	}
	whole := multipart("alternative", texts)
	whole = multipart("related", append([]*entity{whole}, related...))
	return multipart("mixed", slices.Concat(details, []*entity{whole}, mixed)), nil
}

// unreadBody carries a body that is not understood, so that nothing is lost.
func (m *Message) unreadBody() *entity {
	p, _ := m.Find(propRTF)
	return &entity{
		header: []string{"Content-Type: application/octet-stream", "Content-Transfer-Encoding: base64", disposition("attachment", "body.rtf-compressed", p.Content().Size())},
		write:  func(w io.Writer) error { return inBase64(w, copyOf(p.Content())) },
	}
}

func copyOf(c Content) func(io.Writer) error {
	return func(w io.Writer) error { _, err := io.Copy(w, c.Reader()); return err }
}

// entity writes the text in its own charset, or in UTF-8 where mail has no use for that.
func (p *Part) entity() *entity {
	charset, asItIs := p.inMIME()
	read := p.UTF8
	if asItIs {
		read = p.Content.Reader
	}
	return &entity{
		header: []string{"Content-Type: " + p.Type + "; charset=" + charset, "Content-Transfer-Encoding: quoted-printable"},
		write: func(w io.Writer) error {
			q := quotedprintable.NewWriter(w)
			if _, err := io.Copy(q, read()); err != nil {
				return err
			}
			return q.Close()
		},
	}
}

func (a *Attachment) entity(out *mailWriter, depth int) *entity {
	name := a.Name()
	if a.Message != nil {
		if name != "" && !strings.HasSuffix(strings.ToLower(name), ".eml") {
			name += ".eml"
		}
		e := &entity{header: []string{"Content-Type: message/rfc822", disposition("attachment", name, 0)}}
		e.write = func(io.Writer) error { return out.message(a.Message, depth+1) }
		return e
	}
	data := a.Data()
	kind := a.MediaType()
	content := copyOf(data)
	if a.Method() == ByLink && data.Size() == 0 {
		link := strings.Map(printable, a.Link())
		kind, name = "application/internet-shortcut", firstOf(name, "link")+".url"
		content = func(w io.Writer) error {
			_, err := io.WriteString(w, "[InternetShortcut]\r\nURL="+link+"\r\n")
			return err
		}
	}
	how := "attachment"
	if a.Inline() {
		how = "inline"
	}
	e := &entity{header: []string{"Content-Type: " + kind, "Content-Transfer-Encoding: base64", disposition(how, name, data.Size())}}
	if id := strings.Map(printable, a.ContentID()); id != "" {
		e.header = append(e.header, fold("Content-ID: <"+id+">"))
	}
	if at := strings.Map(printable, a.Location()); at != "" {
		e.header = append(e.header, fold("Content-Location: "+at))
	}
	e.write = func(w io.Writer) error {
		if err := inBase64(w, content); err != nil {
			return fmt.Errorf("attachment %q: %w", name, err)
		}
		return nil
	}
	return e
}

// MediaType is the attachment's type if it is one that a part of a mail may have.
func (a *Attachment) MediaType() string {
	kind, _, err := mime.ParseMediaType(a.Type())
	if err != nil || !strings.Contains(kind, "/") || strings.HasPrefix(kind, "multipart/") || strings.HasPrefix(kind, "message/") {
		return "application/octet-stream"
	}
	return kind
}

func disposition(how, name string, size int64) string {
	params := map[string]string{}
	if name != "" {
		params["filename"] = strings.ToValidUTF8(name, "_")
	}
	if size > 0 {
		params["size"] = fmt.Sprint(size)
	}
	value := mime.FormatMediaType(how, params)
	if value == "" {
		value = how
	}
	return "Content-Disposition: " + strings.ReplaceAll(value, "; ", ";\r\n ")
}

// inBase64 writes in lines of 76 characters, of which the last has no end.
func inBase64(w io.Writer, content func(io.Writer) error) error {
	l := &wrapped{w: w}
	e := base64.NewEncoder(base64.StdEncoding, l)
	if err := content(e); err != nil {
		return err
	}
	return e.Close()
}

type wrapped struct {
	w io.Writer
	n int
}

func (l *wrapped) Write(p []byte) (int, error) {
	for done := 0; done < len(p); {
		if l.n == 76 {
			if _, err := io.WriteString(l.w, "\r\n"); err != nil {
				return done, err
			}
			l.n = 0
		}
		n := min(76-l.n, len(p)-done)
		if _, err := l.w.Write(p[done : done+n]); err != nil {
			return done, err
		}
		l.n += n
		done += n
	}
	return len(p), nil
}

// signed is how to write a message whose one attachment is its whole body, signed or encrypted: as it is, for the signature's sake.
func (m *Message) signed() func(*bufio.Writer) error {
	if raw, ok := m.Signed(); ok {
		return func(w *bufio.Writer) error { return copyOf(raw)(w) }
	}
	if !m.Enveloped() {
		return nil
	}
	data := m.Attachments[0].Data()
	return func(w *bufio.Writer) error {
		w.WriteString("Content-Type: application/pkcs7-mime;\r\n name=\"smime.p7m\"\r\nContent-Transfer-Encoding: base64\r\n" + disposition("attachment", "smime.p7m", 0) + "\r\n\r\n")
		if err := inBase64(w, copyOf(data)); err != nil {
			return err
		}
		_, err := w.WriteString("\r\n")
		return err
	}
}

// Enveloped says that all of the mail lies in its one attachment, encrypted or within its signature.
func (m *Message) Enveloped() bool {
	class := strings.ToLower(m.Class())
	return strings.HasPrefix(class, "ipm.note.smime") && !strings.HasPrefix(class, classSigned) && len(m.Attachments) == 1 && m.Attachments[0].Message == nil
}

// addressed are the fields that the properties have too, address by address: where such a field is not fit for a header, it is made anew.
var addressed = map[string]bool{"from": true, "sender": true, "to": true, "cc": true, "bcc": true}

// classSigned is the class of mail that is signed and not hidden in its signature.
const classSigned = "ipm.note.smime.multipartsigned"

// Signed gives what a signed mail is: its parts as they came, which begin with the fields about them. ok is false for every other mail.
func (m *Message) Signed() (parts Content, ok bool) {
	if !strings.HasPrefix(strings.ToLower(m.Class()), classSigned) || len(m.Attachments) != 1 || m.Attachments[0].Message != nil {
		return Content{}, false
	}
	data := m.Attachments[0].Data()
	header, err := textproto.NewReader(bufio.NewReader(io.LimitReader(data.Reader(), maxPartsHeader))).ReadMIMEHeader()
	for name, values := range header {
		if !strings.HasPrefix(name, "Content-") || strings.ContainsAny(strings.Join(values, ""), "\r\x00") {
			return data, false
		}
	}
	return data, err == nil && len(header) > 0
}

// maxPartsHeader is how long the fields about the parts of a signed mail may be.
const maxPartsHeader = 64 << 10

// mailHeader gives the fields of the header, but for those about the parts.
func (m *Message) mailHeader() []string {
	var out []string
	have := map[string]bool{}
	for _, field := range splitHeader(m.InternetHeaders()) {
		name, value, _ := strings.Cut(field, ":")
		lower := strings.ToLower(name)
		if strings.HasPrefix(lower, "content-") || lower == "mime-version" || addressed[lower] && !fit(value) {
			continue
		}
		have[lower] = true
		out = append(out, asciiField(name, value))
	}
	add := func(name, value string) {
		if value != "" && !have[strings.ToLower(name)] {
			have[strings.ToLower(name)] = true
			out = append(out, fold(name+": "+value))
		}
	}
	from, sender := m.From(), m.Sender()
	add("From", mailbox(from))
	if sender != from && sender != (Address{}) {
		add("Sender", mailbox(sender))
	}
	for _, k := range []struct {
		name string
		kind RecipientKind
	}{{"To", To}, {"Cc", CC}, {"Bcc", BCC}} {
		var list []string
		for _, r := range m.Recipients {
			if a := r.Address(); r.Kind() == k.kind && a != (Address{}) {
				list = append(list, mailbox(a))
			}
		}
		add(k.name, strings.Join(list, ",\r\n "))
	}
	add("Subject", words(m.Subject()))
	for _, t := range []time.Time{m.Sent(), m.Received(), m.Created(), m.Modified()} {
		if !t.IsZero() {
			add("Date", t.Format("Mon, 02 Jan 2006 15:04:05 -0700"))
		}
	}
	add("Message-ID", identifier(m.MessageID()))
	add("In-Reply-To", identifier(m.InReplyTo()))
	add("References", identifier(m.References()))
	if topic := m.text(propTopic); topic != "" {
		add("Thread-Topic", words(topic))
	}
	if index := m.bytes(propThread, 4096); len(index) > 0 {
		add("Thread-Index", base64.StdEncoding.EncodeToString(index))
	}
	if m.Importance() != "normal" {
		add("Importance", m.Importance())
	}
	if s := m.Sensitivity(); s != "normal" {
		add("Sensitivity", map[string]string{"personal": "Personal", "private": "Private", "confidential": "Company-Confidential"}[s])
	}
	if categories := m.Categories(); len(categories) > 0 {
		add("Keywords", words(strings.Join(categories, ", ")))
	}
	if m.flag(propReceiptRequested) && from.Email != "" {
		add("Disposition-Notification-To", mailbox(from))
	}
	if m.Draft() {
		add("X-Unsent", "1")
	}
	return out
}

// splitHeader gives the fields of a header with their folds. What is no field, as the line that Outlook puts above, is left out, and what looks like
// the boundary of a mail around this one.
func splitHeader(s string) []string {
	var out []string
	var field strings.Builder
	end := func() {
		if field.Len() > 0 {
			out = append(out, field.String())
			field.Reset()
		}
	}
	for line := range strings.SplitSeq(strings.ReplaceAll(s, "\r\n", "\n"), "\n") {
		line = strings.TrimRight(line, "\r")
		if line == "" {
			if field.Len() > 0 || len(out) > 0 {
				break // the header ends
			}
			continue
		}
		if line[0] == ' ' || line[0] == '\t' {
			if field.Len() > 0 && strings.TrimSpace(line) != "" {
				field.WriteString("\r\n" + line)
			}
			continue
		}
		name, _, ok := strings.Cut(line, ":")
		switch {
		case ok && name != "" && !strings.HasPrefix(name, "--") && !strings.ContainsFunc(name, func(r rune) bool { return r <= ' ' || r >= 0x7f }):
			end()
			field.WriteString(line)
		case !ok && field.Len() > 0:
			field.WriteString("\r\n " + line) // a fold that lost its blank
		}
	}
	end()
	return out
}

// fit says whether a field's value may stand in a header.
func fit(value string) bool {
	for _, line := range strings.Split(value, "\r\n") {
		if len(line) > 990 || strings.ContainsFunc(line, func(r rune) bool { return r >= utf8.RuneSelf || r < ' ' && r != '\t' || r == 0x7f }) {
			return false
		}
	}
	return true
}

// asciiField is a field as it came. Only where it has what no header may have it is written in encoded words.
func asciiField(name, value string) string {
	if fit(value) {
		return name + ":" + value
	}
	return fold(name + ": " + words(strings.ReplaceAll(value, "\r\n", "")))
}

func printable(r rune) rune {
	if r <= ' ' || r >= 0x7f || r == '<' || r == '>' {
		return -1
	}
	return r
}

// identifier is a value that is made of identities and blanks.
func identifier(s string) string {
	return strings.Join(strings.FieldsFunc(s, func(r rune) bool { return r <= ' ' || r >= 0x7f }), " ")
}

// words is text for a header, in encoded words where it has to be.
func words(s string) string {
	s = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, "\ufffd"))
	return mime.QEncoding.Encode("utf-8", strings.TrimSpace(s))
}

// mailbox is an address for a header. One that only its own server knows is a group of nobody with its name.
func mailbox(a Address) string {
	if a == (Address{}) {
		return ""
	}
	clean := func(s string) string {
		return strings.Map(func(r rune) rune {
			if r < ' ' || r == 0x7f {
				return -1
			}
			return r
		}, strings.ToValidUTF8(s, ""))
	}
	name, email := clean(a.Name), clean(a.Email)
	if !strings.Contains(email, "@") {
		name = firstOf(name, clean(a.Entry), "unknown")
		encoded := words(name)
		if encoded == name {
			encoded = `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(name) + `"`
		}
		return encoded + ":;"
	}
	// What stands before the last @ is quoted where it has to be; the domain is not.
	at := strings.LastIndexByte(email, '@')
	email = email[:at] + strings.Map(func(r rune) rune {
		if strings.ContainsRune(` <>(),;"\`, r) {
			return -1
		}
		return r
	}, email[at:])
	if name == email {
		name = ""
	}
	return (&mail.Address{Name: name, Address: email}).String()
}

// fold breaks a field's lines at blanks where they are longer than 76 characters.
func fold(field string) string {
	var out strings.Builder
	for i, line := range strings.Split(field, "\r\n") {
		if i > 0 {
			out.WriteString("\r\n")
		}
		for len(line) > 76 {
			at := strings.LastIndexByte(line[:77], ' ')
			if at <= 1 || strings.TrimSpace(line[:at]) == "" {
				next := strings.IndexByte(line[77:], ' ')
				if next < 0 {
					break
				}
				at = 77 + next
			}
			out.WriteString(line[:at] + "\r\n")
			line = line[at:]
		}
		out.WriteString(line)
	}
	return out.String()
}
