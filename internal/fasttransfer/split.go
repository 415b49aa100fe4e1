package fasttransfer

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/maphash"
	"io"
	"iter"
	"math"
)

const (
	// textPart bounds a part of small values.
	textPart = 256 << 10
	// largeValue is from where on any value is a part of its own.
	largeValue = 128 << 10
	// recordsVersion begins what Records gives.
	recordsVersion = 1
	maxRecords     = 1 << 20 // of differing lengths, in what Records gives
)

// Piece is a run of a stream without its records. An attachment's content lies in one part with nothing else, so that equal attachments of different
// items have equal parts, wherever their records end.
type Piece struct {
	Reader io.Reader // to be read to its end before the next part is asked for
	Size   int64
	Apart  bool // a large value
}

// Splitter parts an exported item into its stream and the records around that, in bounded memory.
type Splitter struct {
	in      *tail
	scanner *Scanner
	apart   int64
	served  maphash.Hash // of what came
	joined  maphash.Hash // of what Join would give
	stream  func(b []byte)
	text    []byte // not given out yet
	aside   bool   // the value is read by who asked for the part
	lengths []run  // of the records of content
	late    bool   // a record of another kind came after the first one of content
	head    int    // how much of the head was joined
	done    bool
}

// seed is the process's, so that sums of one stream that is read twice are equal.
var seed = maphash.MakeSeed()

// run is a number of records of one length.
type run struct{ size, count uint64 }

// NewSplitter reads r. Attachments from apart bytes on are parts of their own. stream, if not nil, is told all bytes of the parts.
func NewSplitter(r io.Reader, apart int, stream func(b []byte)) *Splitter {
	s := &Splitter{apart: int64(apart), stream: stream}
	s.served.SetSeed(seed)
	s.joined.SetSeed(seed)
	s.in = &tail{r: io.TeeReader(r, &s.served)}
	s.scanner = NewScanner(s.in)
	s.scanner.in.taken, s.scanner.in.framing = s.take, s.frame
	return s
}

func (s *Splitter) take(b []byte) {
	if s.stream != nil {
		s.stream(b)
	}
	_, _ = s.joined.Write(b) // never fails
	if !s.aside {
		s.text = append(s.text, b...)
	}
}

func (s *Splitter) frame(kind uint32, size int64) {
	if kind != recordContent {
		s.late = s.late || len(s.lengths) > 0
		return
	}
	if head := s.scanner.in.head; s.head == 0 {
		_, _ = s.joined.Write(head)
		s.head = len(head)
	}
	_, _ = s.joined.Write(recordHead(uint64(size)))
	if n := len(s.lengths); n > 0 && s.lengths[n-1].size == uint64(size) {
		s.lengths[n-1].count++
		return
	}
	s.lengths = append(s.lengths, run{uint64(size), 1})
}

func recordHead(size uint64) []byte {
	return binary.LittleEndian.AppendUint32(binary.LittleEndian.AppendUint32(make([]byte, 0, 8), recordContent), uint32(size))
}

// Parts gives the stream's parts in order. After the last one it is sure that Join gives back what came. An *Error is a stream that is not understood;
// what was given until then is of no use.
func (s *Splitter) Parts() iter.Seq2[Piece, error] {
	return func(yield func(Piece, error) bool) {
		for {
			e, err := s.scanner.Next()
			if err == io.EOF {
				break
			} else if err != nil {
				yield(Piece{}, s.in.verdict(err))
				return
			}
			if e.Is(uint16(propAttachData.ID)) && e.Size >= s.apart || e.Size >= largeValue {
				if !s.flush(yield) {
					return
				}
				s.aside = true
				ok := yield(Piece{Reader: valueReader{s}, Size: e.Size, Apart: true}, nil)
				s.aside = false
				if !ok {
					return
				}
				continue
			}
			if len(s.text) >= textPart && !s.flush(yield) {
				return
			}
		}
		if !s.flush(yield) {
			return
		}
		if s.late || len(s.lengths) > maxRecords || s.served.Sum64() != s.joined.Sum64() {
			yield(Piece{}, s.in.verdict(s.scanner.in.errorf(s.scanner.in.offset(), "its records can't be made again")))
			return
		}
		s.done = true
	}
}

// valueReader reads a large value.
type valueReader struct{ s *Splitter }

func (v valueReader) Read(p []byte) (int, error) {
	n, err := v.s.scanner.Read(p)
	if err != nil && err != io.EOF {
		err = v.s.in.verdict(err)
	}
	return n, err
}

func (s *Splitter) flush(yield func(Piece, error) bool) bool {
	if len(s.text) == 0 {
		return true
	}
	text := s.text
	s.text = s.text[:0] // it is read to its end before anything is added
	return yield(Piece{Reader: bytes.NewReader(text), Size: int64(len(text))}, nil)
}

// Served is a sum of all that came, good within this process, after Parts ended, with an *Error too.
func (s *Splitter) Served() uint64 { return s.served.Sum64() }

// Whole gives an item's stream as it is, in records or not, understood or not, except that one that the server broke off ends with an *Error.
func Whole(r io.Reader) io.Reader { return &whole{tail{r: r}} }

type whole struct{ tail }

func (w *whole) Read(p []byte) (int, error) {
	n, err := w.tail.Read(p)
	if err == io.EOF && bytes.HasSuffix(w.last, truncated) {
		err = &Error{Reason: "the server broke the export off", Truncated: true}
	}
	return n, err
}

// tail remembers how what is read ends.
type tail struct {
	r    io.Reader
	last []byte
}

func (t *tail) Read(p []byte) (int, error) {
	n, err := t.r.Read(p)
	if n >= len(truncated) {
		t.last = append(t.last[:0], p[n-len(truncated):n]...)
	} else if n > 0 {
		t.last = append(t.last, p[:n]...)
		t.last = t.last[max(0, len(t.last)-len(truncated)):]
	}
	return n, err
}

// verdict reads to the end after a stream was not understood, for how it ends tells why.
func (t *tail) verdict(err error) error {
	var e *Error
	if !errors.As(err, &e) {
		return err
	}
	if _, err := io.Copy(io.Discard, t); err != nil {
		return err // broken on the way, whatever the stream is
	}
	e.Truncated = bytes.HasSuffix(t.last, truncated)
	return e
}

// Records says after the last part what Join needs to give back what came, a few dozen bytes; nil when there were none.
func (s *Splitter) Records() []byte {
	if !s.done || !s.scanner.in.framed {
		return nil
	}
	head := s.scanner.in.head
	b := append(binary.AppendUvarint([]byte{recordsVersion}, uint64(len(head))), head...)
	for _, r := range s.lengths {
		b = binary.AppendUvarint(binary.AppendUvarint(b, r.size), r.count)
	}
	return b
}

// Join puts a stream into its records again: what it gives is what NewSplitter read. Without records it gives the stream.
func Join(records []byte, stream io.Reader) (io.Reader, error) {
	if len(records) == 0 {
		return stream, nil
	}
	bad := errors.New("the records of an exported item are not understood")
	if records[0] != recordsVersion {
		return nil, fmt.Errorf("%w: version %d", bad, records[0])
	}
	in := bytes.NewReader(records[1:])
	n, err := binary.ReadUvarint(in)
	if err != nil || n > uint64(in.Len()) {
		return nil, bad
	}
	j := &joiner{in: stream, next: records[len(records)-in.Len():][:n]}
	for _, _ = in.Seek(int64(n), io.SeekCurrent); in.Len() > 0; { // within its bounds
		size, err := binary.ReadUvarint(in)
		if err != nil || size > math.MaxUint32 {
			return nil, bad
		}
		count, err := binary.ReadUvarint(in)
		if err != nil || count == 0 {
			return nil, bad
		}
		j.records = append(j.records, run{size, count})
	}
	return bufio.NewReaderSize(j, 32<<10), nil
}

type joiner struct {
	in      io.Reader
	next    []byte // what comes first
	left    uint64 // of the stream, in the record
	records []run
}

func (j *joiner) Read(p []byte) (int, error) {
	for len(j.next) == 0 && j.left == 0 {
		if len(j.records) == 0 {
			if n, err := io.ReadFull(j.in, make([]byte, 1)); n > 0 {
				return 0, errors.New("an exported item's stream has more than its records hold")
			} else if err != io.EOF {
				return 0, err // the verdict on what was read
			}
			return 0, io.EOF
		}
		r := &j.records[0]
		j.next, j.left = recordHead(r.size), r.size
		if r.count--; r.count == 0 {
			j.records = j.records[1:]
		}
	}
	if len(j.next) > 0 {
		n := copy(p, j.next)
		j.next = j.next[n:]
		return n, nil
	}
	n, err := j.in.Read(p[:min(uint64(len(p)), j.left)])
	if j.left -= uint64(n); err == io.EOF && j.left > 0 {
		return n, io.ErrUnexpectedEOF
	} else if err == io.EOF {
		err = nil // a last record may be empty
	}
	return n, err
}
