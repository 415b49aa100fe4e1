package preview

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"html"
	"io"
	"mime"
	"net/mail"
	"regexp"
	"strings"

	"github.com/emersion/go-message"
	"golang.org/x/text/encoding/htmlindex"

	"holdfast/internal/extract"
	"holdfast/internal/holdfast"
)

// decoder decodes header fields in any charset; what it does not know stays as it is.
var decoder = mime.WordDecoder{CharsetReader: func(charset string, in io.Reader) (io.Reader, error) {
	enc, err := htmlindex.Get(charset)
	if err != nil {
		return nil, err
	}
	return enc.NewDecoder().Reader(in), nil
}}

// Mail previews a mail. The stream is read once and to its end; only texts and small images are kept.
func Mail(ctx context.Context, r io.Reader) (holdfast.Preview, error) {
	p := holdfast.Preview{Kind: holdfast.PreviewMail, Type: htmlType}
	source := &watched{ctx: ctx, r: r}
	m := &reader{images: map[string][]byte{}}
	top, err := read(source)
	if top == nil {
		if source.err != nil {
			return p, source.err
		}
		p.Why = holdfast.SayNoMail.With(plain(err))
		p.Body = document("<p>" + html.EscapeString(p.Why) + "</p>")
		return p, nil
	}
	headers(&p, top.Header)
	bodies := m.part(top, 0)
	if source.err != nil {
		return p, source.err // the mail could not be read from the repository, or who asked has left
	}
	c := &cleaner{images: m.images, used: map[string]bool{}, room: maxCIDs}
	var out strings.Builder
	for i, b := range bodies {
		if i > 0 {
			out.WriteString("<hr>")
		}
		p.Truncated = p.Truncated || b.cut
		if b.html {
			clean, err := c.clean(b.text)
			if err == nil {
				out.WriteString(clean)
				continue
			}
			c.add("markup that can't be taken apart", "")
			b.text = extract.HTML(ctx, b.text, extract.Limits{Text: maxBody}).Text
		}
		out.WriteString(`<pre style="white-space:pre-wrap;font-family:inherit">` + html.EscapeString(shown(b.text)) + "</pre>")
	}
	for i := range m.attachments {
		m.attachments[i].Inline = m.ids[i] != "" && c.used[m.ids[i]]
	}
	if m.broken != "" {
		p.Why = m.broken
	}
	p.Attachments, p.Removed, p.Body = m.attachments, c.list, document(out.String())
	return p, nil
}

// shown is plain text without control characters and without marks that turn its order.
func shown(s string) string {
	lines := strings.Split(strings.ReplaceAll(s, "\r\n", "\n"), "\n")
	for i, l := range lines {
		lines[i] = Visible(strings.ReplaceAll(l, "\t", "    "))
	}
	return strings.Join(lines, "\n")
}

// document frames cleaned HTML. Colours are the mail's own business: they are made for a white page.
func document(body string) []byte {
	return []byte(`<!DOCTYPE html><html><head><meta charset="utf-8"><title>Preview</title></head><body style="background-color:#ffffff;color:#000000;font-family:sans-serif">` + body + `</body></html>`)
}

// watched remembers how the stream that it reads ended, since a parser may take an error for the end of a part.
type watched struct {
	ctx context.Context
	r   io.Reader
	err error
}

func (w *watched) Read(p []byte) (int, error) {
	if w.err == nil && w.ctx.Err() != nil {
		w.err = context.Cause(w.ctx)
	}
	if w.err != nil {
		return 0, w.err
	}
	n, err := w.r.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		w.err = err
	}
	return n, err
}

// read takes an entity apart. It gives nil only when there is none.
func read(r io.Reader) (*message.Entity, error) {
	e, err := message.ReadWithOptions(r, &message.ReadOptions{MaxHeaderBytes: 1 << 20})
	if e != nil && (message.IsUnknownCharset(err) || message.IsUnknownEncoding(err)) {
		err = nil
	}
	if err != nil {
		return nil, err
	}
	return e, nil
}

func plain(err error) string {
	if err == nil {
		return "it is empty"
	}
	return shorten(Visible(err.Error()), 200)
}

func decode(s string) string {
	out, err := decoder.DecodeHeader(s)
	if err != nil {
		out = s
	}
	if t, _, ok := extract.Decode([]byte(out), ""); ok {
		out = t
	}
	return Visible(out)
}

// reader walks the parts of a mail.
type reader struct {
	images      map[string][]byte
	held        int // bytes of images
	attachments []holdfast.MailAttachment
	ids         []string // content ids of the attachments
	parts       int
	broken      string
	wanted      int // number of the attachment that is opened; with open
	open        func(holdfast.MailAttachment, io.Reader) error
	openErr     error
}

// shownPart is a text that is shown.
type shownPart struct {
	html bool
	text string
	cut  bool
}

// part walks an entity and gives the texts to show.
func (m *reader) part(e *message.Entity, depth int) []shownPart {
	if m.parts++; m.parts > maxParts || depth > maxNesting {
		m.broken = holdfast.SayManyParts.With(maxParts, maxNesting)
		return nil
	}
	kind, params, err := e.Header.ContentType()
	if err != nil || kind == "" {
		kind = "text/plain"
		if raw := e.Header.Get("Content-Type"); raw != "" {
			kind = strings.ToLower(strings.TrimSpace(strings.SplitN(raw, ";", 2)[0]))
		}
	}
	kind = strings.ToLower(kind)
	if multi := e.MultipartReader(); multi != nil {
		var all []shownPart
		for m.parts <= maxParts && m.openErr == nil {
			child, err := multi.NextPart()
			if child == nil || err != nil && !message.IsUnknownCharset(err) && !message.IsUnknownEncoding(err) {
				if err != nil && !errors.Is(err, io.EOF) && m.broken == "" {
					m.broken = holdfast.SayGarbled.With(plain(err))
				}
				break
			}
			found := m.part(child, depth+1)
			if kind == "multipart/alternative" && len(found) > 0 {
				// The last one that can be shown is the richest.
				if len(all) == 0 || found[0].html || !all[0].html {
					all = found
				}
				continue
			}
			all = append(all, found...)
		}
		return all
	}
	disposition, dparams, _ := e.Header.ContentDisposition()
	name := dparams["filename"]
	if name == "" {
		name = params["name"]
	}
	asText := (kind == "text/plain" || kind == "text/html") && !strings.EqualFold(disposition, "attachment") && name == ""
	if asText {
		data, err := io.ReadAll(io.LimitReader(e.Body, maxBody+1))
		cut := len(data) > maxBody
		if cut {
			data = data[:maxBody]
			_, _ = io.Copy(io.Discard, e.Body) // the rest is not shown, and an error in it is the stream's
		}
		if err != nil && m.broken == "" {
			m.broken = holdfast.SayTextGarbled.With(plain(err))
		}
		text, _, ok := extract.Decode(data, params["charset"])
		if !ok {
			text = strings.ToValidUTF8(string(data), "\ufffd")
		}
		return []shownPart{{html: kind == "text/html", text: text, cut: cut}}
	}
	m.attachment(e, kind, name, disposition)
	return nil
}

// attachment counts one, and keeps it when the text may show it.
func (m *reader) attachment(e *message.Entity, kind, name, disposition string) {
	a := holdfast.MailAttachment{Name: decode(name), Type: Visible(shorten(kind, 100))}
	id := strings.Trim(strings.TrimSpace(e.Header.Get("Content-Id")), "<>")
	body := bufio.NewReaderSize(e.Body, 4096)
	if kind == "message/rfc822" && a.Name == "" {
		a.Name = "attached mail.eml"
	}
	if a.Name == "" {
		ext := ""
		if all, err := mime.ExtensionsByType(kind); err == nil && len(all) > 0 {
			ext = all[0]
		}
		a.Name = fmt.Sprintf("part %d%s", len(m.attachments)+1, ext)
	}
	if m.open != nil && len(m.attachments) == m.wanted {
		m.attachments, m.ids = append(m.attachments, a), append(m.ids, id)
		m.openErr = m.open(a, body)
		if m.openErr == nil {
			m.openErr = errFound
		}
		return
	}
	if start, _ := body.Peek(32); m.open == nil && id != "" && imageType(start) != "" && m.held < maxCIDs {
		data, err := io.ReadAll(io.LimitReader(body, maxCID+1))
		if a.Size = int64(len(data)); err == nil && len(data) <= maxCID && m.images[id] == nil {
			m.images[id] = data
			m.held += len(data)
		}
	}
	n, err := io.Copy(io.Discard, body)
	if a.Size += n; err != nil && m.broken == "" {
		m.broken = holdfast.SayAttachmentGarbled.With(a.Name, plain(err))
	}
	m.attachments, m.ids = append(m.attachments, a), append(m.ids, id)
}

var errFound = errors.New("found")

// Attachment gives the bytes of one attachment of a mail, by its place in the list, to use. They are no business of a browser: serve them as
// a download.
func Attachment(ctx context.Context, r io.Reader, number int, use func(holdfast.MailAttachment, io.Reader) error) error {
	source := &watched{ctx: ctx, r: r}
	top, err := read(source)
	if top == nil {
		if source.err != nil {
			return source.err
		}
		return holdfast.NotFound("this is not a mail that can be taken apart: %s", plain(err))
	}
	m := &reader{images: map[string][]byte{}, wanted: number, open: use}
	if number >= 0 {
		m.part(top, 0)
	}
	switch {
	case errors.Is(m.openErr, errFound):
		return nil
	case m.openErr != nil:
		return m.openErr
	case source.err != nil:
		return source.err
	}
	return holdfast.NotFound("the mail has no attachment %d", number)
}

var spaces = regexp.MustCompile(`\s+`)

// headers takes what people read of a mail's header.
func headers(p *holdfast.Preview, h message.Header) {
	p.Subject = decode(h.Get("Subject"))
	p.Name = p.Subject
	if t, err := mail.ParseDate(h.Get("Date")); err == nil {
		p.Date = t.UTC()
	}
	for name, to := range map[string]*[]holdfast.MailAddress{"From": &p.From, "To": &p.To, "Cc": &p.Cc, "Bcc": &p.Bcc, "Reply-To": &p.ReplyTo} {
		*to = addresses(h.Get(name))
	}
	for f := h.Fields(); f.Next() && len(p.Headers) < maxHeaders; {
		p.Headers = append(p.Headers, holdfast.MailHeader{Name: Visible(f.Key()), Value: shorten(decode(spaces.ReplaceAllString(f.Value(), " ")), maxHeader)})
	}
}

// addresses reads a list of addresses. One that can't be read is shown as it stands.
func addresses(s string) []holdfast.MailAddress {
	if strings.TrimSpace(s) == "" {
		return nil
	}
	if len(s) > 256<<10 {
		s = s[:256<<10]
	}
	list, err := (&mail.AddressParser{WordDecoder: &decoder}).ParseList(s)
	if err != nil {
		return []holdfast.MailAddress{{Name: shorten(decode(s), 1000)}}
	}
	out := make([]holdfast.MailAddress, 0, len(list))
	for _, a := range list {
		out = append(out, holdfast.MailAddress{Name: Visible(a.Name), Address: Visible(a.Address)})
	}
	return out
}
