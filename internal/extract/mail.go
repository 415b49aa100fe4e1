package extract

import (
	"bufio"
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net/textproto"
	"path"
	"slices"
	"strings"
)

// Bounds of a mail.
const (
	deepestMail = 12
	mostParts   = 500
	longestPart = 4 << 20 // of a body
)

// Mail takes out what a search looks through in a mail: its bodies, the names of what is attached, and the text of that. Headers are left
// out. Its error is one of reading pieces, or ctx's. kept, unless it is nil, is one for all mails that have the same limits.
func Mail(ctx context.Context, pieces []Piece, l Limits, kept *Cache) (Words, error) {
	c := newCollector(ctx, l)
	c.cache = kept
	f := &folded{pieces: pieces}
	in := f
	if !slices.ContainsFunc(pieces, func(p Piece) bool { return p.Decoded != nil }) {
		in = nil
	}
	err := c.mail(f, in, 0)
	return c.words(), errors.Join(err, f.Close())
}

// source remembers the error of a reader, to tell it from those of what is read.
type source struct {
	r   io.Reader
	err error
}

func (s *source) Read(p []byte) (int, error) {
	n, err := s.r.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		s.err = err
	}
	return n, err
}

// mail reads one; f is r, or nil when nothing is folded in it.
func (c *collector) mail(r io.Reader, f *folded, depth int) error {
	s := &source{r: io.LimitReader(r, 4*c.limits.Input)}
	w := &mailWalk{collector: c, folded: f}
	b := bufio.NewReaderSize(s, 4096)
	header, err := textproto.NewReader(b).ReadMIMEHeader()
	if err != nil && len(header) == 0 && s.err == nil {
		c.remark("a mail has no readable header")
		return c.b.ctx.Err()
	}
	if s.err == nil {
		w.part(header, b, depth)
	}
	if s.err != nil {
		return s.err
	}
	if f != nil && f.err != nil {
		return f.err
	}
	return errors.Join(c.b.ctx.Err(), w.err)
}

type mailWalk struct {
	*collector
	folded *folded
	parts  int
	err    error // of the caller's own, not of the mail
}

// ended says that nothing more is to be read.
func (w *mailWalk) ended() bool {
	return w.b.ctx.Err() != nil || w.err != nil || w.b.full || w.folded != nil && w.folded.err != nil
}

// body gives a part's body as it was before it was encoded. Close it.
func (w *mailWalk) body(kind string, header textproto.MIMEHeader, r io.Reader) io.ReadCloser {
	encoding := strings.ToLower(strings.TrimSpace(header.Get("Content-Transfer-Encoding")))
	// What is folded in a mail within the mail stays so: its parts are looked at one by one.
	if w.folded == nil || kind == "message/rfc822" && encoding != "base64" && encoding != "quoted-printable" {
		return io.NopCloser(decodeTransfer(encoding, r))
	}
	p := w.folded.part(r)
	if piece, ok := p.whole(); ok && encoding == "base64" {
		return &lazy{mail: w.folded, piece: piece}
	}
	return struct {
		io.Reader
		io.Closer
	}{decodeTransfer(encoding, p), p}
}

func (w *mailWalk) part(header textproto.MIMEHeader, r io.Reader, depth int) {
	if w.parts++; w.parts > mostParts || depth > deepestMail {
		w.remark("a mail has too many parts")
		return
	}
	if w.ended() {
		return
	}
	kind, params := mediaType(header.Get("Content-Type"))
	if strings.HasPrefix(kind, "multipart/") && params["boundary"] != "" {
		w.multi(kind, params["boundary"], r, depth)
		return
	}
	body := w.body(kind, header, r)
	defer func() { w.err = errors.Join(w.err, body.Close()) }()
	disposition, more := mediaType(header.Get("Content-Disposition"))
	name := more["filename"]
	if name == "" {
		name = params["name"]
	}
	name = decodeWords(name)
	if name != "" {
		w.add(name)
	}
	ext := strings.ToLower(path.Ext(name))
	switch {
	case kind == "message/rfc822":
		b := bufio.NewReaderSize(body, 4096)
		inner, err := textproto.NewReader(b).ReadMIMEHeader()
		if err == nil || len(inner) > 0 {
			w.add(decodeWords(inner.Get("Subject")))
			w.part(inner, b, depth+1)
		}
	case disposition == "attachment" || name != "" && Readable(name) && ext != ".html" && ext != ".htm":
		read := w.file
		if piece, ok := body.(*lazy); ok && w.cache != nil && piece.piece.Name != "" && dear(name) {
			read = func(name string, r io.Reader, depth int) error {
				return w.kept(name, piece.piece.Name, func() io.Reader { return r }, depth)
			}
		}
		if err := read(name, body, depth); err != nil && w.b.ctx.Err() != nil {
			w.err = w.b.ctx.Err()
		}
	case kind == "text/html":
		w.html(body, params["charset"])
	case strings.HasPrefix(kind, "text/"):
		data, give, _ := readAll(body, longestPart) // as far as it can be read
		defer give()
		w.plain(data, params["charset"])
	}
}

// html takes a page; an unknown charset is found out.
func (w *mailWalk) html(r io.Reader, charset string) {
	data, give, _ := readAll(r, longestPart) // as far as it can be read
	defer give()
	w.page(data, charset)
}

func (w *mailWalk) page(data []byte, charset string) {
	if text, _, ok := Decode(data, charset); ok {
		w.b.Grow(min(len(text), max(0, w.b.limit-w.b.Len())))
		_ = fromHTML(w.b, text) // the only error is that there is enough
		_ = w.b.line()
	}
}

func (w *mailWalk) plain(data []byte, charset string) {
	if text, _, ok := Decode(data, charset); ok {
		w.add(text)
	}
}

// multi walks the parts. Of alternatives the plain one is taken unless it says much less than the page does.
func (w *mailWalk) multi(kind, boundary string, r io.Reader, depth int) {
	m := multipart.NewReader(r, boundary)
	var plain, page []byte
	var plainCharset, pageCharset string
	for {
		p, err := m.NextRawPart()
		if err != nil {
			break // the end, or as far as it can be read
		}
		t, params := mediaType(p.Header.Get("Content-Type"))
		if kind != "multipart/alternative" || t != "text/plain" && t != "text/html" {
			w.part(p.Header, p, depth+1)
		} else {
			body := w.body(t, p.Header, p)
			b, give, _ := readAll(body, longestPart) // as far as it can be read
			defer give()
			w.err = errors.Join(w.err, body.Close())
			if t == "text/html" {
				page, pageCharset = b, params["charset"]
			} else if plain == nil {
				plain, plainCharset = b, params["charset"]
			}
		}
		if w.ended() || w.parts > mostParts {
			break
		}
	}
	if len(page) > 0 && len(bytes.TrimSpace(plain)) < len(page)/20 {
		w.page(page, pageCharset)
	} else {
		w.plain(plain, plainCharset)
	}
}

// mediaType reads a header as far as it can be read.
func mediaType(value string) (string, map[string]string) {
	if value == "" {
		return "text/plain", nil
	}
	t, params, err := mime.ParseMediaType(value)
	if err != nil && t == "" {
		t, _, _ = strings.Cut(value, ";")
		t = strings.ToLower(strings.TrimSpace(t))
	}
	return t, params
}

func decodeTransfer(encoding string, r io.Reader) io.Reader {
	switch encoding {
	case "quoted-printable":
		return quotedprintable.NewReader(r)
	case "base64":
		return base64.NewDecoder(base64.StdEncoding, r)
	}
	return r
}

var wordDecoder = mime.WordDecoder{CharsetReader: func(charset string, in io.Reader) (io.Reader, error) {
	data, err := io.ReadAll(in)
	text, _, _ := Decode(data, charset)
	return strings.NewReader(text), err
}}

func decodeWords(s string) string {
	if d, err := wordDecoder.DecodeHeader(s); err == nil {
		return d
	}
	return s
}
