package exchange

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"mime"
	"os"
	"strings"

	"github.com/emersion/go-message"
	"golang.org/x/text/encoding/htmlindex"
)

const (
	maxDepth = 32    // of nested parts and messages; deeper ones stay raw attachments
	maxParts = 5_000 // of one message
	// spoolFrom is from which size on an attachment waits in a temporary file instead of memory.
	spoolFrom = 4 << 20
	maxHeader = 4 << 20
)

// mail is a MIME message taken apart the way a Graph message is built: one body and a list of attachments.
type mail struct {
	header    message.Header
	rawHeader []byte // as it came, malformed lines too
	html      bool
	body      string
	hasBody   bool
	parts     []attachment
	// alternative says that the message had a plain text beside the HTML, which Graph has no place for.
	alternative bool
	// damaged says that a part could not be told from the next: a restore then attaches the whole message as well.
	damaged bool
}

// attachment is a leaf part that is not the body, or a message within the message (nested not nil).
type attachment struct {
	name        string
	contentType string
	contentID   string
	location    string
	inline      bool
	nested      *mail
	content     spooled
}

// close removes the temporary files.
func (m *mail) close() {
	for i := range m.parts {
		m.parts[i].close()
	}
}

func (a *attachment) close() {
	a.content.close()
	if a.nested != nil {
		a.nested.close()
	}
}

// takeApart reads a MIME message. Broken parts are kept as they are; only an error of r is an error.
func takeApart(r io.Reader) (*mail, error) {
	in := &errReader{r: r}
	w := walker{in: in}
	m, err := w.message(in, 0)
	if in.err != nil {
		err = in.err
	}
	if err != nil {
		if m != nil {
			m.close()
		}
		return nil, err
	}
	return m, nil
}

// errReader remembers a read error, so that it is told from a message that is malformed.
type errReader struct {
	r   io.Reader
	err error
}

func (e *errReader) Read(p []byte) (int, error) {
	n, err := e.r.Read(p)
	if err != nil && err != io.EOF {
		e.err = err
	}
	return n, err
}

type walker struct {
	in    *errReader
	parts int
}

func (w *walker) message(r io.Reader, depth int) (*mail, error) {
	in := bufio.NewReader(r)
	raw, clean, body, err := readHeader(in)
	if err != nil {
		return nil, fmt.Errorf("read mail: %w", err)
	}
	e, err := message.ReadWithOptions(io.MultiReader(bytes.NewReader(clean), bytes.NewReader(body), in), &message.ReadOptions{MaxHeaderBytes: maxHeader + 1<<10})
	if err != nil && (e == nil || !message.IsUnknownCharset(err) && !message.IsUnknownEncoding(err)) {
		return nil, fmt.Errorf("read mail: %w", err)
	}
	m := &mail{header: e.Header, rawHeader: raw}
	return m, w.part(m, e, depth, false)
}

// readHeader reads a header with its blank line: as it came, and without the lines that are none ("From " of a mail box, names with spaces),
// which real mail has and strict parsers refuse. A line that cannot be of a header begins the body, though no blank line came before it, and is
// given as body. A header that is too long ends where that shows; what follows is taken for the body.
func readHeader(in *bufio.Reader) (raw, clean, body []byte, err error) {
	kept := false
	for len(raw) < maxHeader {
		line, err := in.ReadSlice('\n')
		if err == bufio.ErrBufferFull {
			rest, rerr := in.ReadBytes('\n')
			line, err = append(append([]byte(nil), line...), rest...), rerr
		}
		if err != nil && err != io.EOF {
			return nil, nil, nil, err
		}
		text := bytes.TrimRight(line, "\r\n")
		if folded := len(raw) > 0 && len(text) > 0 && (text[0] == ' ' || text[0] == '\t'); len(text) > 0 && !folded && !isField(text) &&
			!(len(raw) == 0 && bytes.HasPrefix(text, []byte("From "))) {
			body = append([]byte(nil), line...)
			break
		}
		raw = append(raw, line...)
		if len(text) == 0 {
			break
		}
		if text[0] == ' ' || text[0] == '\t' {
			if kept {
				clean = append(append(clean, text...), "\r\n"...)
			}
		} else if kept = isField(text); kept {
			clean = append(append(clean, text...), "\r\n"...)
		}
		if err == io.EOF {
			break
		}
	}
	return raw, append(clean, "\r\n"...), body, nil
}

// isField tells whether a line begins a header field: a name of printable ASCII and a colon.
func isField(line []byte) bool {
	colon := bytes.IndexByte(line, ':')
	if colon <= 0 {
		return false
	}
	for _, c := range bytes.TrimRight(line[:colon], " \t") {
		if c <= ' ' || c >= 0x7f {
			return false
		}
	}
	return true
}

// part adds what is in e to m. related says that e stands beside an HTML body that may refer to it.
func (w *walker) part(m *mail, e *message.Entity, depth int, related bool) error {
	w.parts++
	if w.parts > maxParts {
		return errors.New("mail has more parts than Holdfast takes apart")
	}
	kind, params, err := e.Header.ContentType()
	if err != nil { // parameters that nobody can read are no part of the type
		kind, _, _ = strings.Cut(kind, ";")
		kind = strings.ToLower(strings.TrimSpace(kind))
	}
	if kind == "" {
		kind = "text/plain"
	}
	if depth < maxDepth && strings.HasPrefix(kind, "multipart/") {
		if mr := e.MultipartReader(); mr != nil {
			defer mr.Close()
			alternatives := kind == "multipart/alternative" || kind == "multipart/related"
			for {
				p, err := mr.NextPart()
				if err == io.EOF {
					return nil
				}
				if err != nil && (p == nil || !message.IsUnknownCharset(err) && !message.IsUnknownEncoding(err)) {
					if w.in.err != nil {
						return w.in.err
					}
					m.damaged = true // a malformed part, or no end; what came is kept
					return nil
				}
				if err := w.part(m, p, depth+1, related || alternatives); err != nil {
					return err
				}
			}
		}
	}
	a := attachment{contentType: kind, contentID: strings.Trim(e.Header.Get("Content-Id"), "<> \t"), location: e.Header.Get("Content-Location")}
	disposition, dparams, err := e.Header.ContentDisposition()
	if err != nil {
		disposition = strings.ToLower(strings.TrimSpace(strings.SplitN(e.Header.Get("Content-Disposition"), ";", 2)[0]))
	}
	a.name = firstOf(dparams["filename"], params["name"], rawName(e.Header.Get("Content-Disposition")))
	a.inline = disposition == "inline" || related && a.contentID != "" && disposition != "attachment"

	if kind == "message/rfc822" && depth < maxDepth && disposition != "none" {
		var buf spooled
		if err := buf.readFrom(e.Body); err != nil {
			return w.fail(err)
		}
		inner, err := buf.open()
		if err != nil {
			return err
		}
		nested, err := w.message(inner, depth+1)
		inner.Close()
		if err == nil {
			a.nested = nested
			a.content = buf // for a place that takes it only as a file
			if a.name == "" {
				a.name, _ = nested.header.Text("Subject")
			}
			m.parts = append(m.parts, a)
			return nil
		}
		a.content = buf // not a message after all
		m.parts = append(m.parts, a)
		return nil
	}

	text := kind == "text/plain" || kind == "text/html"
	if text && disposition != "attachment" && a.name == "" {
		raw, err := io.ReadAll(e.Body)
		if err != nil && w.in.err != nil {
			return w.in.err
		}
		body := decodeText(raw, params["charset"])
		switch {
		case !m.hasBody:
			m.body, m.html, m.hasBody = body, kind == "text/html", true
			return nil
		case kind == "text/html" && !m.html && related:
			m.body, m.html, m.alternative = body, true, true
			return nil
		case kind == "text/plain" && m.html && related:
			m.alternative = true
			return nil
		}
		// A second text outside an alternative is shown below the first by mail programs: it becomes an attachment, with its bytes as they were.
		a.content.set(raw)
		m.parts = append(m.parts, a)
		return nil
	}
	if err := a.content.readFrom(e.Body); err != nil {
		return w.fail(err)
	}
	m.parts = append(m.parts, a)
	return nil
}

// fail passes read errors on and forgives what is only badly encoded.
func (w *walker) fail(err error) error {
	if w.in.err != nil {
		return w.in.err
	}
	var p *os.PathError
	if errors.As(err, &p) {
		return err
	}
	return nil
}

func firstOf(s ...string) string {
	for _, v := range s {
		if v != "" {
			return decodeWords(v)
		}
	}
	return ""
}

// rawName finds an unquoted file name that a strict parser refuses.
func rawName(disposition string) string {
	_, rest, ok := strings.Cut(disposition, "filename=")
	if !ok {
		return ""
	}
	return strings.Trim(strings.SplitN(rest, ";", 2)[0], "\" \t")
}

var words = mime.WordDecoder{CharsetReader: func(charset string, in io.Reader) (io.Reader, error) {
	enc, err := htmlindex.Get(charset)
	if err != nil {
		return nil, err
	}
	return enc.NewDecoder().Reader(in), nil
}}

// decodeWords decodes RFC 2047 words, or leaves s as it is.
func decodeWords(s string) string {
	if d, err := words.DecodeHeader(s); err == nil {
		return d
	}
	return s
}

// decodeText gives text of a charset as UTF-8; what can't be decoded becomes U+FFFD.
func decodeText(raw []byte, charset string) string {
	if enc, err := htmlindex.Get(strings.TrimSpace(charset)); err == nil {
		if out, err := enc.NewDecoder().Bytes(raw); err == nil {
			return string(out)
		}
	}
	return strings.ToValidUTF8(string(raw), "\uFFFD")
}

// spooled holds bytes in memory, or in a temporary file when there are many. The zero value is empty.
type spooled struct {
	data []byte
	file string
	size int64
}

func (s *spooled) set(b []byte) { s.data, s.size = b, int64(len(b)) }

// readFrom takes all of r. What came before an error is kept.
func (s *spooled) readFrom(r io.Reader) error {
	var buf bytes.Buffer
	n, err := io.CopyN(&buf, r, spoolFrom)
	if err == io.EOF {
		s.data, s.size = buf.Bytes(), n
		return nil
	}
	if err != nil {
		s.data, s.size = buf.Bytes(), n
		return err
	}
	f, ferr := os.CreateTemp("", "holdfast-restore-*")
	if ferr != nil {
		return ferr
	}
	defer f.Close()
	s.file = f.Name()
	s.size, err = io.Copy(f, io.MultiReader(&buf, r))
	return err
}

func (s *spooled) open() (io.ReadCloser, error) {
	if s.file != "" {
		return os.Open(s.file)
	}
	return io.NopCloser(bytes.NewReader(s.data)), nil
}

func (s *spooled) close() {
	if s.file != "" {
		os.Remove(s.file)
		s.file = ""
	}
}
