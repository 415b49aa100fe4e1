package fasttransfer

import (
	"bytes"
	"fmt"
	"io"
	"strings"

	"golang.org/x/net/html/charset"
	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/htmlindex"
	"golang.org/x/text/transform"
)

// Part is one form of a message's text.
type Part struct {
	Type    string // text/plain, text/html or text/rtf
	Charset string // in MIME's words; empty when nothing says it
	Content Content
}

// UTF8 gives the part's text.
func (p *Part) UTF8() io.Reader {
	r := p.Content.Reader()
	switch e, ok := charsets[p.Charset]; {
	case p.Charset == "utf-8" || p.Charset == "us-ascii":
		return r
	case p.Charset == pages[pageUTF16].charset:
		return transform.NewReader(r, fromUTF16{})
	case ok:
		return transform.NewReader(r, e.NewDecoder())
	}
	if e, err := htmlindex.Get(p.Charset); err == nil {
		return transform.NewReader(r, e.NewDecoder())
	}
	return r
}

// charsets has the encoding of each code page by its name in MIME.
var charsets = func() map[string]encoding.Encoding {
	all := map[string]encoding.Encoding{}
	for _, p := range pages {
		if p.encoding != nil {
			all[p.charset] = p.encoding
		}
	}
	return all
}()

// inMIME says in which charset a mail has the part: in its own, or in UTF-8 where mail has no use for that.
func (p *Part) inMIME() (charset string, asItIs bool) {
	if p.Charset == "" || strings.HasPrefix(p.Charset, "utf-") || strings.HasPrefix(p.Charset, "x-") {
		return "utf-8", false
	}
	return p.Charset, true
}

// Bytes gives up to limit bytes of the part as a mail has it, and their charset. They must not be changed.
func (p *Part) Bytes(limit int64) (data []byte, charset string, err error) {
	charset, asItIs := p.inMIME()
	c := p.Content
	inMemory := c.file == nil && c.again == nil && !c.unread
	switch {
	case inMemory && (asItIs || p.Charset == "utf-8"):
		return c.memory[:min(limit, c.size)], charset, nil
	case inMemory && p.Charset == pages[pageUTF16].charset && c.size <= limit:
		data, _ = decodeUTF16(make([]byte, 0, utf8Room(len(c.memory))), c.memory, true)
		return data[:min(limit, int64(len(data)))], charset, nil
	case asItIs:
		data, err = io.ReadAll(io.LimitReader(c.Reader(), limit))
	default:
		data, err = io.ReadAll(io.LimitReader(p.UTF8(), limit))
	}
	return data, charset, err
}

// Body is a message's text in the forms that it has or that are made of what it has. A part that there is not is nil.
type Body struct {
	Plain, HTML, RTF *Part
	Problem          error // why a part that is there could not be read
}

// Body gives the message's text. HTML or plain text that only lies in the RTF is taken out of it, once.
func (m *Message) Body() Body {
	if m.body == nil {
		b := m.makeBody()
		m.body = &b
	}
	return *m.body
}

func (m *Message) makeBody() Body {
	var b Body
	if p := m.find(propBody); p != nil {
		if page, ok := m.textPage(p.Type); ok {
			b.Plain = &Part{Type: "text/plain", Charset: pageOf(page).charset, Content: trimZeros(p.Content(), page)}
		}
	}
	if p := m.find(propHTML); p != nil {
		part := &Part{Type: "text/html", Content: p.Content()}
		if page, ok := m.textPage(p.Type); ok {
			part.Charset, part.Content = pageOf(page).charset, trimZeros(part.Content, page)
		} else {
			part.Charset = m.htmlCharset(part.Content)
		}
		b.HTML = part
	}
	if p := m.find(propRTF); p != nil && p.Content().Size() > 0 {
		if err := m.unwrap(p.Content(), &b); err != nil {
			b.Problem = err
		}
	}
	return b
}

func (m *Message) htmlCharset(c Content) string {
	if n, ok := m.number(propInternetCodePage); ok && knownCodePage(int(n)) {
		return pages[int(n)].charset
	}
	start := make([]byte, 1024)
	n, _ := io.ReadFull(c.Reader(), start)
	if _, name, certain := charset.DetermineEncoding(start[:n], "text/html"); certain {
		return name
	}
	return ""
}

// unwrap fills what b lacks from the compressed RTF.
func (m *Message) unwrap(compressed Content, b *Body) error {
	rtf, err := decompressRTF(compressed.Reader())
	if err != nil {
		return err
	}
	raw, err := m.store.collect(func(w io.Writer) error { _, err := io.Copy(w, rtf); return err })
	if err != nil {
		return err
	}
	var source string
	content, err := m.store.collect(func(w io.Writer) (err error) { source, err = unwrapRTF(w, raw.Reader()); return err })
	if err != nil {
		b.RTF = &Part{Type: "text/rtf", Charset: "us-ascii", Content: raw}
		return fmt.Errorf("the body in RTF: %w", err)
	}
	switch {
	case source == fromHTML && b.HTML == nil:
		b.HTML = &Part{Type: "text/html", Charset: "utf-8", Content: content}
	case source == fromRTF:
		b.RTF = &Part{Type: "text/rtf", Charset: "us-ascii", Content: raw}
	}
	if source != fromHTML && b.Plain == nil {
		b.Plain = &Part{Type: "text/plain", Charset: "utf-8", Content: content}
	}
	return nil
}

// trimZeros takes away the zero that ends text in a stream.
func trimZeros(c Content, page int) Content {
	width := int64(1)
	if page == pageUTF16 || page == 1201 {
		width = 2
	}
	for c.size >= width {
		var end [2]byte
		var err error
		if c.file != nil {
			_, err = c.file.ReadAt(end[:width], c.at+c.size-width)
		} else {
			copy(end[:], c.memory[c.size-width:c.size])
		}
		if err != nil || end != [2]byte{} {
			break
		}
		c.size -= width
	}
	if c.file == nil {
		c.memory = c.memory[:c.size]
	}
	return c
}

// collector holds what is written to it in memory, or in the message's file when it becomes much.
type collector struct {
	store *store
	mem   bytes.Buffer
	limit int64
	file  *Content
}

func (c *collector) Write(p []byte) (int, error) {
	if c.file == nil && int64(c.mem.Len()+len(p)) <= c.limit {
		return c.mem.Write(p)
	}
	if c.file == nil {
		content, err := c.store.spool(&c.mem)
		if err != nil {
			return 0, err
		}
		c.file = &content
	}
	n, err := c.file.file.Write(p)
	c.store.end += int64(n)
	c.file.size += int64(n)
	return n, err
}

// collect keeps what write writes. Nothing else may be collected meanwhile.
func (st *store) collect(write func(io.Writer) error) (Content, error) {
	c := &collector{store: st, limit: min(st.left, 1<<20)}
	if err := write(c); err != nil {
		return Content{}, err
	}
	if c.file != nil {
		return *c.file, nil
	}
	return Content{memory: c.mem.Bytes(), size: int64(c.mem.Len())}, nil
}
