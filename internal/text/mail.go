package text

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
	"strings"

	"golang.org/x/text/encoding/htmlindex"
)

// Bounds of a mail.
const (
	deepestMail = 12
	mostParts   = 500
	longestPart = 4 << 20 // of a body
)

// Mail gets the text of a mail: its bodies, the names of what is attached, and the text of that. Headers are left out.
// Its error is one of reading r, or ctx's.
func Mail(ctx context.Context, r io.Reader, l Limits) (Result, error) {
	o := newOut(l)
	err := o.mail(ctx, r, 0)
	return o.result(), err
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

func (o *out) mail(ctx context.Context, r io.Reader, depth int) error {
	s := &source{r: io.LimitReader(r, 4*o.limits.Input)}
	parts := 0
	w := &mailWalk{out: o, ctx: ctx, parts: &parts}
	b := bufio.NewReaderSize(s, 4096)
	header, err := textproto.NewReader(b).ReadMIMEHeader()
	if err != nil && len(header) == 0 && s.err == nil {
		o.remark("a mail has no readable header")
		return ctx.Err()
	}
	if s.err == nil {
		w.part(header, b, depth)
	}
	if s.err != nil {
		return s.err
	}
	return errors.Join(ctx.Err(), w.err)
}

type mailWalk struct {
	*out
	ctx   context.Context
	parts *int
	err   error // of the caller's own, not of the mail
}

func (w *mailWalk) part(header textproto.MIMEHeader, r io.Reader, depth int) {
	if *w.parts++; *w.parts > mostParts || depth > deepestMail {
		w.remark("a mail has too many parts")
		return
	}
	if w.ctx.Err() != nil || w.err != nil || w.full() {
		return
	}
	kind, params := mediaType(header.Get("Content-Type"))
	if strings.HasPrefix(kind, "multipart/") && params["boundary"] != "" {
		w.multi(kind, params["boundary"], r, depth)
		return
	}
	body := decodeTransfer(header.Get("Content-Transfer-Encoding"), r)
	disposition, more := mediaType(header.Get("Content-Disposition"))
	name := more["filename"]
	if name == "" {
		name = params["name"]
	}
	name = decodeWords(name)
	if name != "" {
		w.gap()
		w.add(name)
		w.gap()
	}
	switch {
	case kind == "message/rfc822":
		b := bufio.NewReaderSize(body, 4096)
		inner, err := textproto.NewReader(b).ReadMIMEHeader()
		if err == nil || len(inner) > 0 {
			w.add(decodeWords(inner.Get("Subject")))
			w.gap()
			w.part(inner, b, depth+1)
		}
	case disposition == "attachment" || name != "" && Readable(name) && byExtension[strings.ToLower(path.Ext(name))] != html:
		if err := w.file(w.ctx, name, byExtension[strings.ToLower(path.Ext(name))], body, depth); err != nil && w.ctx.Err() != nil {
			w.err = w.ctx.Err()
		}
	case kind == "text/html":
		w.html(inCharset(params["charset"], io.LimitReader(body, longestPart)))
		w.gap()
	case strings.HasPrefix(kind, "text/"):
		b, err := io.ReadAll(inCharset(params["charset"], io.LimitReader(body, longestPart)))
		if len(b) > 0 || err == nil {
			w.add(string(b))
			w.gap()
		}
	}
}

// multi walks the parts. Of alternatives the plain one is taken unless it says much less than the page does.
func (w *mailWalk) multi(kind, boundary string, r io.Reader, depth int) {
	m := multipart.NewReader(r, boundary)
	var plainText, page []byte
	var pageParams map[string]string
	for {
		p, err := m.NextRawPart()
		if err != nil {
			break // the end, or as far as it can be read
		}
		t, params := mediaType(p.Header.Get("Content-Type"))
		if kind != "multipart/alternative" || t != "text/plain" && t != "text/html" {
			w.part(p.Header, p, depth+1)
		} else {
			b, _ := io.ReadAll(io.LimitReader(decodeTransfer(p.Header.Get("Content-Transfer-Encoding"), p), longestPart)) // as far as it can be read
			if t == "text/html" {
				page, pageParams = b, params
			} else if plainText == nil {
				plainText, _ = io.ReadAll(inCharset(params["charset"], bytes.NewReader(b)))
			}
		}
		if w.full() || w.err != nil || *w.parts > mostParts {
			break
		}
	}
	if len(page) > 0 && len(bytes.TrimSpace(plainText)) < len(page)/20 {
		w.html(inCharset(pageParams["charset"], bytes.NewReader(page)))
	} else {
		w.add(string(plainText))
	}
	w.gap()
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
	switch strings.ToLower(strings.TrimSpace(encoding)) {
	case "quoted-printable":
		return quotedprintable.NewReader(r)
	case "base64":
		return base64.NewDecoder(base64.StdEncoding, r)
	}
	return r
}

// inCharset decodes to UTF-8; an unknown charset is read as windows-1252, which loses no letter of ASCII.
func inCharset(charset string, r io.Reader) io.Reader {
	switch charset = strings.ToLower(strings.Trim(charset, `" `)); charset {
	case "", "us-ascii", "utf-8", "utf8":
		return r
	}
	e, err := htmlindex.Get(charset)
	if err != nil {
		e, _ = htmlindex.Get("windows-1252") // always known
	}
	return e.NewDecoder().Reader(r)
}

var words = mime.WordDecoder{CharsetReader: func(charset string, in io.Reader) (io.Reader, error) { return inCharset(charset, in), nil }}

func decodeWords(s string) string {
	if d, err := words.DecodeHeader(s); err == nil {
		return d
	}
	return s
}
