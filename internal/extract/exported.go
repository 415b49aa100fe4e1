package extract

import (
	"bytes"
	"context"
	"io"
	"strings"

	"holdfast/internal/fasttransfer"
)

// Stream is a mail as Exchange exports it.
type Stream interface {
	// Open gives the stream from its start.
	Open() io.Reader
	// Again gives a part of it.
	Again(at, size int64) io.Reader
	// Name, unless it is empty, tells what a part holds from all else that goes through one Cache.
	Name(at, size int64) string
}

// Exported takes out of an exported mail what Mail does of the same one in MIME, and reads no attachment that has no text. Its error is one of reading,
// a *fasttransfer.Error for a stream that is not understood, or ctx's. kept is as for Mail.
func Exported(ctx context.Context, s Stream, l Limits, kept *Cache) (Words, error) {
	o := fasttransfer.Options{Again: s.Again, TextOnly: true}
	m, err := fasttransfer.Read(s.Open(), o)
	if err == nil && formatted(m) {
		if err = m.Close(); err == nil {
			o.TextOnly = false
			m, err = fasttransfer.Read(s.Open(), o)
		}
	}
	if err != nil {
		return Words{}, err
	}
	defer m.Close()
	c := newCollector(ctx, l)
	c.cache = kept
	w := &exported{mailWalk{collector: c}, s}
	w.message(m, 0)
	if w.err == nil {
		w.err = ctx.Err()
	}
	return c.words(), w.err
}

// formatted says that a message, or one in it, has a form of its own beside its text, for which all of its properties are needed.
func formatted(m *fasttransfer.Message) bool {
	switch m.Kind() {
	case fasttransfer.KindAppointment, fasttransfer.KindMeeting, fasttransfer.KindTask, fasttransfer.KindContact, fasttransfer.KindList, fasttransfer.KindJournal:
		return true
	}
	for _, a := range m.Attachments {
		if a.Message != nil && formatted(a.Message) {
			return true
		}
	}
	return false
}

// exported walks a message as mailWalk does the mail that is made of it (fasttransfer.Message.WriteEML).
type exported struct {
	mailWalk
	stream Stream
}

func (w *exported) message(m *fasttransfer.Message, depth int) {
	if w.parts++; w.parts > mostParts || depth > deepestMail {
		w.remark("a mail has too many parts")
		return
	}
	if w.ended() {
		return
	}
	if data, ok := m.Signed(); ok {
		w.err = w.mail(data.Reader(), nil, depth)
		return
	} else if m.Enveloped() {
		w.add("smime.p7m")
		return
	}
	body := m.Body()
	kind := m.Kind()
	if _, ok := m.Appointment(); ok && (kind == fasttransfer.KindAppointment || kind == fasttransfer.KindMeeting) || kind == fasttransfer.KindTask {
		w.written(m.WriteICalendar, func(data []byte) { w.plain(data, "utf-8") })
	}
	if details := m.Details(); details != "" && !w.ended() {
		w.plain([]byte(details), "utf-8")
	}
	w.body(&body)
	for _, inline := range []bool{true, false} {
		for _, a := range m.Attachments {
			if !a.Exception() && (a.Inline() && body.HTML != nil) == inline && !w.ended() {
				w.attachment(a, depth)
			}
		}
	}
	if kind == fasttransfer.KindContact {
		w.add("contact.vcf")
		w.written(m.WriteVCard, func(data []byte) { w.err = w.file("contact.vcf", bytes.NewReader(data), depth) })
	}
	if body.Problem != nil {
		w.add("body.rtf-compressed")
	}
}

// written takes what write writes.
func (w *exported) written(write func(io.Writer) error, take func(data []byte)) {
	if w.ended() {
		return
	}
	var b bytes.Buffer
	if w.err = write(&b); w.err == nil {
		take(b.Bytes())
	}
}

// body takes the plain text unless it says much less than the page does. RTF, which other forms are made of, is taken where nothing could be.
func (w *exported) body(b *fasttransfer.Body) {
	plain, plainCharset := w.text(b.Plain)
	page, pageCharset := w.text(b.HTML)
	switch {
	case w.ended():
	case b.HTML != nil && (b.Plain == nil || len(bytes.TrimSpace(plain)) < len(page)/20):
		w.page(page, pageCharset)
	case b.Plain == nil && b.HTML == nil:
		w.plain(w.text(b.RTF))
	default:
		w.plain(plain, plainCharset)
	}
}

func (w *exported) text(p *fasttransfer.Part) (data []byte, charset string) {
	if p == nil || w.err != nil {
		return nil, ""
	}
	data, charset, w.err = p.Bytes(longestPart)
	return data, charset
}

func (w *exported) attachment(a *fasttransfer.Attachment, depth int) {
	name := decodeWords(strings.ToValidUTF8(a.Name(), "_"))
	if a.Message != nil {
		if name != "" && !strings.HasSuffix(strings.ToLower(name), ".eml") {
			name += ".eml"
		}
		w.add(name)
		w.add(a.Message.Subject())
		w.message(a.Message, depth+1)
		return
	}
	if w.parts++; w.parts > mostParts {
		w.remark("a mail has too many parts")
		return
	}
	data := a.Data()
	if a.Method() == fasttransfer.ByLink && data.Size() == 0 {
		if name == "" {
			name = "link"
		}
		w.add(name + ".url")
		return
	}
	if name != "" {
		w.add(name)
	}
	kind := a.MediaType()
	page := strings.HasSuffix(strings.ToLower(name), ".html") || strings.HasSuffix(strings.ToLower(name), ".htm")
	switch {
	case !a.Inline() || name != "" && Readable(name) && !page:
		w.err = w.attached(name, data, depth)
	case strings.HasPrefix(kind, "text/"):
		var b []byte
		var give func()
		if b, give, w.err = readAll(data.Reader(), longestPart); w.err == nil && kind == "text/html" {
			w.page(b, "")
		} else if w.err == nil {
			w.plain(b, "")
		}
		give()
	}
}

// attached reads a file, unless its text is known already.
func (w *exported) attached(name string, data fasttransfer.Content, depth int) error {
	if !Readable(name) {
		return nil
	}
	if at, ok := data.At(); ok && w.cache != nil && dear(name) {
		if key := w.stream.Name(at, data.Size()); key != "" {
			return w.kept(name, key, data.Reader, depth)
		}
	}
	return w.file(name, data.Reader(), depth)
}
