package fasttransfer

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"sync"
)

// Records that an export puts around the stream: a number of four bytes, a length of four bytes, the content. The stream is what records of
// content hold, one after the other; a record may end anywhere.
const (
	recordConfig    = 1
	recordContent   = 2
	recordInterface = 3
	recordVersion   = 4
	recordLast      = 17 // 11 to 17 are about whole mailboxes; a stream is recognised as one in records by its first number
)

// truncated is what Exchange ends an export with that it could not finish.
var truncated = []byte("=== Truncated Data ===")

const (
	bufferSize = 64 << 10
	maxHead    = 4 << 10 // of the records that hold no content
)

// buffers are lent to what reads a stream, for a mailbox is many small ones.
var buffers = sync.Pool{New: func() any { return new([bufferSize]byte) }}

// input gives the bytes of a stream, with or without records around them.
type input struct {
	r        io.Reader
	buf      *[bufferSize]byte // nil when all is read
	pos, end int
	base     int64 // of buf[0] in what r gives
	record   int64 // bytes left in the record
	framed   bool
	begun    bool
	head     []byte   // the records before the first one with content
	small    [32]byte // bytes that lie across two records
	// Of who wants to know: what of the stream was taken, and the head of each record.
	taken   func(b []byte)
	framing func(kind uint32, size int64)
}

func newInput(r io.Reader) input { return input{r: r, buf: buffers.Get().(*[bufferSize]byte)} }

// release gives the buffer back. Nothing may be read afterwards.
func (in *input) release() {
	if in.buf != nil {
		buffers.Put(in.buf)
		in.buf = nil
	}
}

func (in *input) offset() int64 { return in.base + int64(in.pos) }

func (in *input) errorf(at int64, format string, args ...any) error {
	return &Error{Offset: at, Reason: fmt.Sprintf(format, args...)}
}

// fill reads more when the buffer is empty. io.EOF: there is no more.
func (in *input) fill() error {
	if in.pos < in.end {
		return nil
	}
	in.base += int64(in.end)
	in.pos, in.end = 0, 0
	for range 100 {
		n, err := in.r.Read(in.buf[:])
		if n > 0 {
			in.end = n
			return nil
		}
		if err != nil {
			return err
		}
	}
	return io.ErrNoProgress
}

// raw reads bytes without regard to records. io.EOF: not one was left.
func (in *input) raw(p []byte) error {
	for n := 0; n < len(p); {
		if err := in.fill(); err == io.EOF && n > 0 {
			return io.ErrUnexpectedEOF
		} else if err != nil {
			return err
		}
		c := copy(p[n:], in.buf[in.pos:in.end])
		in.pos += c
		n += c
	}
	return nil
}

// begin finds out whether there are records around the stream.
func (in *input) begin() error {
	in.begun = true
	in.record = math.MaxInt64
	for in.end < 4 {
		n, err := in.r.Read(in.buf[in.end:])
		in.end += n
		if err == io.EOF {
			break
		} else if err != nil {
			return err
		}
	}
	if in.end >= 4 {
		if first := binary.LittleEndian.Uint32(in.buf[:4]); first >= 1 && first <= recordLast {
			in.framed, in.record = true, 0
		}
	}
	return nil
}

// available makes sure that there is at least one byte in the buffer and in the record. io.EOF: the stream is over, between two records.
func (in *input) available() error {
	if !in.begun {
		if err := in.begin(); err != nil {
			return err
		}
	}
	for in.record == 0 {
		if err := in.nextRecord(); err != nil {
			return err
		}
	}
	if in.pos < in.end {
		return nil
	}
	err := in.fill()
	if err == io.EOF && in.framed {
		return in.errorf(in.offset(), "it ends within a record that has %d bytes more", in.record)
	}
	return err
}

func (in *input) nextRecord() error {
	at := in.offset()
	var head [8]byte
	if err := in.raw(head[:]); err == io.ErrUnexpectedEOF {
		return in.errorf(at, "it ends within the head of a record")
	} else if err != nil {
		return err
	}
	kind, size := binary.LittleEndian.Uint32(head[:]), int64(binary.LittleEndian.Uint32(head[4:]))
	if in.framing != nil {
		in.framing(kind, size)
	}
	switch {
	case kind == recordContent:
		in.record = size
		return nil
	case bytes.HasPrefix(truncated, head[:]):
		return in.errorf(at, "the server broke the export off (%q); export the item again", truncated)
	case kind == 0 || kind > recordLast:
		return in.errorf(at, "a record of unknown kind %#x", kind)
	case size > maxHead || len(in.head)+len(head)+int(size) > maxHead:
		return in.errorf(at, "a record of kind %d with %d bytes, where a few dozen are usual", kind, size)
	}
	in.head = append(in.head, head[:]...)
	for size > 0 {
		if err := in.fill(); err == io.EOF {
			return in.errorf(in.offset(), "it ends within a record of kind %d", kind)
		} else if err != nil {
			return err
		}
		n := min(size, int64(in.end-in.pos))
		in.head = append(in.head, in.buf[in.pos:in.pos+int(n)]...)
		in.pos += int(n)
		size -= n
	}
	return nil
}

// take gives the next n bytes (at most 32) of the stream, good until the next call. io.EOF: not one was left.
func (in *input) take(n int) ([]byte, error) {
	if in.end-in.pos >= n && in.record >= int64(n) {
		b := in.buf[in.pos : in.pos+n]
		in.advance(n)
		return b, nil
	}
	for have := 0; have < n; {
		if err := in.available(); err == io.EOF && have > 0 {
			return nil, in.ended()
		} else if err != nil {
			return nil, err
		}
		c := copy(in.small[have:n], in.now())
		in.advance(c)
		have += c
	}
	return in.small[:n], nil
}

// advance takes n bytes of what is in the buffer and in the record.
func (in *input) advance(n int) {
	if in.taken != nil {
		in.taken(in.buf[in.pos : in.pos+n])
	}
	in.pos += n
	in.record -= int64(n)
}

// now is what of the stream is in the buffer.
func (in *input) now() []byte {
	return in.buf[in.pos:min(in.end, in.pos+int(min(in.record, bufferSize)))]
}

func (in *input) ended() error {
	return in.errorf(in.offset(), "it ends in the middle of a property")
}

// read reads at least one byte of the stream into p.
func (in *input) read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	if err := in.available(); err == io.EOF {
		return 0, in.ended()
	} else if err != nil {
		return 0, err
	}
	c := copy(p, in.now())
	in.advance(c)
	return c, nil
}

// Skipper is a reader that can go on without reading. An end before n bytes is io.ErrUnexpectedEOF.
type Skipper interface{ Skip(n int64) error }

func (in *input) skip(n int64) error {
	for n > 0 {
		if r, ok := in.r.(Skipper); ok && in.begun && !in.framed && in.pos == in.end && in.taken == nil {
			in.base += int64(in.end) + n
			in.pos, in.end = 0, 0
			if err := r.Skip(n); err == io.ErrUnexpectedEOF {
				return in.ended()
			} else if err != nil {
				return err
			}
			return nil
		}
		if err := in.available(); err == io.EOF {
			return in.ended()
		} else if err != nil {
			return err
		}
		c := min(int64(len(in.now())), n)
		in.advance(int(c))
		n -= c
	}
	return nil
}
