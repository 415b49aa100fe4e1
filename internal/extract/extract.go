// Package extract takes plain text out of mails and files: plain text in any charset, HTML, Office and OpenDocument files, PDF.
//
// Whatever the input, it ends within its bounds: it is fed with what strangers sent. The preview shows what From gives, the search index
// has what Mail, File and FromPersonal give.
package extract

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"path"
	"strings"
	"sync"
	"time"
	"unicode"
	"unicode/utf8"

	"golang.org/x/net/html"
)

// Limits bound one extraction. The zero value takes defaults.
type Limits struct {
	Input    int64         // bytes of the file that are taken; default 32 MiB
	Text     int           // bytes of text that are given; default 4 MiB
	Unpacked int64         // bytes that are unpacked of archives in all; default 128 MiB
	Time     time.Duration // for a PDF; default 20 s
}

func (l Limits) withDefaults() Limits {
	if l.Input <= 0 {
		l.Input = 32 << 20
	}
	if l.Text <= 0 {
		l.Text = 4 << 20
	}
	if l.Unpacked <= 0 {
		l.Unpacked = 128 << 20
	}
	if l.Time <= 0 {
		l.Time = 20 * time.Second
	}
	return l
}

// Text is what was found.
type Text struct {
	Text      string // UTF-8, lines end with \n, no control characters but that and tabs
	Format    string // text, html, docx, xlsx, pptx, odt, pdf, …
	Charset   string // of plain text and HTML
	Truncated bool   // there is more than the limits let through
}

// ErrNone says that a file has no text that can be taken out.
var ErrNone = errors.New("no text can be taken out of this kind of file")

// ErrLocked says that a file is encrypted.
var ErrLocked = errors.New("the file is protected by a password")

// errEnough ends an extraction whose limit is reached.
var errEnough = errors.New("enough")

// From takes the text out of a file. What the file is, its first bytes say; its name says it only where they can't. A garbled file gives
// an error, or what could be read of it.
func From(ctx context.Context, name string, r io.Reader, l Limits) (Text, error) {
	l = l.withDefaults()
	b := &builder{ctx: ctx, limit: l.Text, unpacked: l.Unpacked}
	data, give, err := readAll(r, l.Input+1)
	defer give()
	if err != nil {
		return Text{}, err
	}
	out, err := from(b, name, data, l)
	out.Text = strings.TrimSpace(b.String())
	return out, err
}

// buffers lends memory for files that are read whole: most are of a size, and there is one after the other.
var buffers = sync.Pool{New: func() any { return new(bytes.Buffer) }}

// readAll reads up to so many bytes. They are lent until give.
func readAll(r io.Reader, most int64) (data []byte, give func(), err error) {
	b := buffers.Get().(*bytes.Buffer)
	b.Reset()
	_, err = b.ReadFrom(io.LimitReader(r, most))
	return b.Bytes(), func() {
		if b.Cap() <= 1<<20 {
			buffers.Put(b)
		}
	}, err
}

// from adds the text of a file, or of the first bytes of one that is larger than it may be, to b.
func from(b *builder, name string, data []byte, l Limits) (out Text, err error) {
	cut := int64(len(data)) > l.Input
	if cut {
		data = data[:l.Input]
	}
	ext := strings.ToLower(path.Ext(name))
	switch {
	case bytes.HasPrefix(data, []byte("PK\x03\x04")):
		if cut {
			return out, fmt.Errorf("the file has more than %d bytes: %w", l.Input, ErrNone)
		}
		out.Format, err = office(b, data)
	case bytes.HasPrefix(bytes.TrimLeft(data[:min(len(data), 1024)], "\x00\t\r\n "), []byte("%PDF-")):
		if cut {
			return out, fmt.Errorf("the file has more than %d bytes: %w", l.Input, ErrNone)
		}
		out.Format = "pdf"
		err = fromPDF(b, data, l.Time)
	case bytes.HasPrefix(data, []byte("\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1")):
		// What was a .docx is a compound file when a password protects it; older formats are compound files always.
		if bytes.Contains(data[:min(len(data), 1<<16)], utf16le("EncryptedPackage")) {
			return out, ErrLocked
		}
		return out, ErrNone
	default:
		var text string
		var ok bool
		if text, out.Charset, ok = Decode(data, ""); !ok {
			return out, ErrNone
		}
		out.Format = "text"
		if ext == ".html" || ext == ".htm" || looksLikeHTML(text) {
			out.Format = "html"
			err = fromHTML(b, text)
		} else {
			err = b.add(text)
		}
		out.Truncated = cut
	}
	out.Truncated = out.Truncated || b.full
	if errors.Is(err, errEnough) {
		err = nil
	}
	if err == nil && b.ctx.Err() != nil {
		err = context.Cause(b.ctx)
	}
	return out, err
}

// HTML takes the text out of HTML: what a reader sees, a line for each block.
func HTML(ctx context.Context, text string, l Limits) Text {
	b := &builder{ctx: ctx, limit: l.withDefaults().Text}
	_ = fromHTML(b, text) // the only error is that there is enough
	return Text{Text: strings.TrimSpace(b.String()), Format: "html", Truncated: b.full}
}

func utf16le(s string) []byte {
	var b []byte
	for _, c := range []byte(s) {
		b = append(b, c, 0)
	}
	return b
}

func looksLikeHTML(text string) bool {
	start := strings.ToLower(strings.TrimSpace(text[:min(len(text), 1024)]))
	return strings.HasPrefix(start, "<!doctype html") || strings.HasPrefix(start, "<html")
}

// builder collects text up to a limit.
type builder struct {
	ctx   context.Context
	limit int
	full  bool
	n     int
	// unpacked is how many bytes of archives may still be unpacked.
	unpacked int64
	// searched says that the text is for the index: titles and what stands in place of pictures count too.
	searched bool
	strings.Builder
}

// add appends text without what is no text.
func (b *builder) add(s string) error {
	if b.n++; b.n%256 == 0 && b.ctx.Err() != nil {
		return context.Cause(b.ctx)
	}
	b.room(len(s))
	for len(s) > 0 {
		// Most text is letters of one byte; they are taken together.
		plain := 0
		for plain < len(s) && (s[plain] >= ' ' && s[plain] < 0x7f || s[plain] == '\n' || s[plain] == '\t') {
			plain++
		}
		if plain > 0 {
			room := b.limit - b.Len()
			b.WriteString(s[:min(plain, room)])
			if plain > room {
				b.full = true
				return errEnough
			}
			s = s[plain:]
			continue
		}
		c, n := utf8.DecodeRuneInString(s)
		s = s[n:]
		switch {
		case c == '\r':
			if strings.HasPrefix(s, "\n") {
				continue
			}
			c = '\n'
		case c < ' ' || c == 0x7f || c >= 0x80 && c < 0xa0 || c == 0xfeff || c == utf8.RuneError && n == 1:
			continue
		}
		if b.Len()+utf8.RuneLen(c) > b.limit {
			b.full = true
			return errEnough
		}
		b.WriteRune(c)
	}
	return nil
}

// room makes room for a text that is the first of b, and mostly the longest.
func (b *builder) room(size int) {
	if b.Cap() == 0 && size > 64 {
		b.Grow(min(size+64, b.limit, 64<<10))
	}
}

// line ends the current line, once.
func (b *builder) line() error {
	if b.Len() == 0 || strings.HasSuffix(b.String(), "\n") {
		return nil
	}
	return b.add("\n")
}

// blocks are the elements that stand on lines of their own.
var blocks = map[string]bool{"p": true, "div": true, "br": true, "tr": true, "li": true, "ul": true, "ol": true, "table": true, "h1": true, "h2": true, "h3": true, "h4": true, "h5": true, "h6": true,
	"blockquote": true, "pre": true, "hr": true, "section": true, "article": true, "header": true, "footer": true, "dt": true, "dd": true, "title": true}

// unseen are the elements whose text no reader sees.
var unseen = map[string]bool{"script": true, "style": true, "head": true, "template": true, "noscript": true, "svg": true, "math": true, "object": true, "iframe": true}

// htmlSpace is what HTML takes for one space.
const htmlSpace = " \t\r\n\f"

func fromHTML(b *builder, text string) error {
	b.room(len(text) * 3 / 4) // the rest is markup
	z := html.NewTokenizer(strings.NewReader(text))
	z.SetMaxBuf(4 << 20)
	hidden := ""
	depth := 0
	space := false
	for {
		kind := z.Next()
		switch kind {
		case html.ErrorToken:
			return nil // the end, or a token that is too long
		case html.StartTagToken, html.SelfClosingTagToken, html.EndTagToken:
			raw, attributes := z.TagName()
			name := string(raw)
			if b.searched && hidden == "" && attributes && name == "img" {
				if err := alternative(b, z); err != nil {
					return err
				}
				space = false
			}
			switch {
			case hidden != "":
				if name == hidden && kind == html.StartTagToken {
					depth++
				} else if name == hidden && kind == html.EndTagToken {
					if depth--; depth == 0 {
						hidden = ""
					}
				}
			case unseen[name] && kind == html.StartTagToken && !(name == "head" && b.searched):
				hidden, depth = name, 1
			case blocks[name]:
				if err := b.line(); err != nil {
					return err
				}
				space = false
			case name == "td" || name == "th":
				space = true
			}
		case html.TextToken:
			if hidden != "" {
				continue
			}
			raw := string(z.Raw())
			space = space || strings.TrimLeft(raw, htmlSpace) != raw
			if strings.IndexByte(raw, '&') >= 0 {
				raw = html.UnescapeString(raw)
			}
			if trimmed := strings.Trim(raw, htmlSpace); singleSpaced(trimmed) {
				if err := b.word(trimmed, space); err != nil {
					return err
				}
				space = strings.TrimRight(raw, htmlSpace) != raw
				continue
			}
			empty := true
			for word := range fields(raw) {
				empty = false
				if err := b.word(word, space); err != nil {
					return err
				}
				space = true
			}
			if empty {
				space = space || raw != ""
			} else {
				space = strings.TrimRight(raw, htmlSpace) != raw
			}
		}
	}
}

// singleSpaced says that s is some words of ASCII with one space between any two, as most text of pages is.
func singleSpaced(s string) bool {
	last := byte(' ')
	for i := range len(s) {
		c := s[i]
		if c < ' ' || c >= 0x7f || c == ' ' && last == ' ' {
			return false
		}
		last = c
	}
	return last != ' '
}

// fields gives what strings.FieldsSeq does; most text has letters of one byte, between which it is faster.
func fields(s string) iter.Seq[string] {
	return func(yield func(string) bool) {
		for len(s) > 0 {
			n := 0
			for n < len(s) && s[n] > ' ' && s[n] < utf8.RuneSelf {
				n++
			}
			if n < len(s) && strings.IndexByte(" \t\n\v\f\r", s[n]) < 0 {
				if n = strings.IndexFunc(s, unicode.IsSpace); n < 0 {
					n = len(s)
				}
			}
			if n > 0 {
				if !yield(s[:n]) {
					return
				}
				s = s[n:]
				continue
			}
			_, size := utf8.DecodeRuneInString(s)
			s = s[size:]
		}
	}
}

// word adds a word of a page, or some with single spaces, with a space before it unless it begins a line.
func (b *builder) word(w string, space bool) error {
	space = space && b.Len() > 0 && !strings.HasSuffix(b.String(), "\n")
	plain := 0
	for plain < len(w) && w[plain] >= ' ' && w[plain] < 0x7f {
		plain++
	}
	if b.n++; plain == len(w) && b.n%256 > 0 && b.Len()+len(w) < b.limit {
		if space {
			b.WriteByte(' ')
		}
		b.WriteString(w)
		return nil
	}
	if space {
		if err := b.add(" "); err != nil {
			return err
		}
	}
	return b.add(w)
}

// alternative adds what stands in place of a picture.
func alternative(b *builder, z *html.Tokenizer) error {
	for {
		key, value, more := z.TagAttr()
		if k := string(key); k == "alt" || k == "title" {
			if err := b.line(); err != nil {
				return err
			}
			if err := b.add(string(value)); err != nil {
				return err
			}
			if err := b.line(); err != nil {
				return err
			}
		}
		if !more {
			return nil
		}
	}
}
