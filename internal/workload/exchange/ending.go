package exchange

import (
	"bytes"
	"io"
	"mime"
	"strings"
)

const (
	// maxTypeHeader is how much of a header is looked through for the boundary; of a longer one nothing is said.
	maxTypeHeader = 256 << 10
	// tailKept is how far from the end the last delimiter of a whole message is looked for.
	tailKept = 4 << 10
)

// endsError says that a MIME stream ended before its last delimiter. An answer that was cut off looks so, and so does a mail that came malformed.
type endsError struct{ got ended }

func (*endsError) Error() string { return "the MIME ends before its last delimiter" }

// ended is a MIME that ended early.
type ended struct {
	sum  uint64 // by a holdfast.NewSum
	size int64
}

// accepted tells whether what earlier reads of a mail gave shows that it is as it is: the longest that came, and twice before.
func (e ended) accepted(earlier []ended) bool {
	times := 0
	for _, o := range earlier {
		if o.size > e.size {
			return false
		}
		if o == e {
			times++
		}
	}
	return times >= 2
}

// ending reads a MIME stream and looks at its end. One that is not whole is an *endsError in the place of io.EOF, until earlier reads show that the
// mail has no end.
type ending struct {
	r       io.Reader
	sum     func() uint64 // by a holdfast.NewSum, of what was read
	size    int64
	earlier []ended

	header  []byte // until the body begins, or nil behind that
	body    bool
	tail    []byte
	closing []byte // "--boundary--" of a multipart message
}

func (e *ending) Read(p []byte) (int, error) {
	n, err := e.r.Read(p)
	e.size += int64(n)
	e.see(p[:n])
	if err != io.EOF || e.whole() {
		return n, err
	}
	if got := (ended{e.sum(), e.size}); !got.accepted(e.earlier) {
		return n, &endsError{got}
	}
	return n, err
}

func (e *ending) see(p []byte) {
	if !e.body {
		head := p // most headers come whole in the first read
		if len(e.header) > 0 {
			head = append(e.header, p...)
		}
		end := headerEnd(head)
		if end < 0 && len(head) <= maxTypeHeader {
			e.header = append(e.header, p...)
			return
		}
		if end >= 0 {
			e.closing = closing(head[:end])
			p = head[end:]
		}
		e.body, e.header = true, nil
	}
	if e.closing == nil {
		return
	}
	if len(p) >= tailKept {
		e.tail = append(e.tail[:0], p[len(p)-tailKept:]...)
		return
	}
	if over := len(e.tail) + len(p) - tailKept; over > 0 {
		e.tail = append(e.tail[:0], e.tail[over:]...)
	}
	e.tail = append(e.tail, p...)
}

func (e *ending) whole() bool {
	return e.body && (e.closing == nil || bytes.Contains(e.tail, e.closing))
}

// headerEnd is where the body begins; -1 when that has not come yet.
func headerEnd(b []byte) int {
	for at := 0; ; {
		i := bytes.IndexByte(b[at:], '\n')
		if i < 0 {
			return -1
		}
		at += i + 1
		switch rest := b[at:]; {
		case bytes.HasPrefix(rest, []byte("\n")):
			return at + 1
		case bytes.HasPrefix(rest, []byte("\r\n")):
			return at + 2
		}
	}
}

// closing is the last delimiter of a multipart message with that header; nil when it is none, or its type can't be read.
func closing(header []byte) []byte {
	var value []byte
	for line := range bytes.Lines(header) {
		folded := line[0] == ' ' || line[0] == '\t'
		name, rest, ok := bytes.Cut(line, []byte(":"))
		switch {
		case value != nil && !folded:
			return delimiter(string(bytes.TrimSpace(value)))
		case value != nil:
			value = append(append(value, ' '), bytes.TrimSpace(line)...)
		case ok && !folded && bytes.EqualFold(bytes.TrimSpace(name), []byte("Content-Type")):
			value = append([]byte{' '}, bytes.TrimSpace(rest)...)
		}
	}
	return nil // the header ends with a blank line, so a type has been met before
}

func delimiter(contentType string) []byte {
	kind, params, err := mime.ParseMediaType(contentType)
	if err != nil || !strings.HasPrefix(kind, "multipart/") || params["boundary"] == "" {
		return nil
	}
	return []byte("--" + params["boundary"] + "--")
}
