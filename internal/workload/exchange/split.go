package exchange

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"errors"
	"io"
	"iter"
	"sync"

	"holdfast/internal/holdfast"
)

const (
	// minRun is how many full base64 lines make a run worth a piece of its own.
	minRun = 8
	// apart is from how many decoded bytes on a run becomes an object of its own, so that equal attachments are stored once.
	apart = 24 << 10
	// rawPiece bounds a piece of text.
	rawPiece = 256 << 10
)

// split cuts a MIME stream into pieces whose concatenation is exactly r: text as it is, and runs of canonical base64
// (lines of 76 columns with CRLF, as Exchange writes attachments) decoded. It looks at lines only, not at headers:
// a run that is not an attachment is no less exact. Memory is bounded by the sizes above, whatever r holds.
func split(r io.Reader) iter.Seq2[holdfast.Piece, error] {
	return func(yield func(holdfast.Piece, error) bool) {
		s := splitters.Get().(*splitter)
		s.in.Reset(r)
		s.yield, s.text, s.decoded, s.lines, s.partial = yield, s.text[:0], s.decoded[:0], 0, false
		s.run()
		s.in.Reset(nil)
		s.yield = nil
		if cap(s.text) <= 2*rawPiece {
			splitters.Put(s)
		}
	}
}

// splitters keeps buffers: a mailbox has many small mails.
var splitters = sync.Pool{New: func() any { return &splitter{in: bufio.NewReaderSize(nil, 64<<10)} }}

type splitter struct {
	in      *bufio.Reader
	yield   func(holdfast.Piece, error) bool
	text    []byte // not yet given out
	decoded []byte // of the run that is being read
	lines   int    // of that run
	line    [base64Line + 3]byte
	partial bool // the next bytes continue a line that is longer than the buffer
}

const base64Line = 57 // decoded bytes of a full line

func (s *splitter) run() {
	for {
		line, err := s.in.ReadSlice('\n')
		start := !s.partial
		s.partial = errors.Is(err, bufio.ErrBufferFull)
		if err != nil && err != io.EOF && !s.partial {
			s.yield(holdfast.Piece{}, err)
			return
		}
		end := err == io.EOF
		n, last, ok := s.decodeLine(line, start)
		switch {
		case ok:
			s.decoded = append(s.decoded, s.line[:n]...)
			s.lines++
			if !last && len(s.decoded) >= apart {
				if !s.flushText() || !s.stream() {
					return
				}
			} else if last && !s.endRun() {
				return
			}
		default:
			if !s.endRun() {
				return
			}
			s.text = append(s.text, line...)
			if len(s.text) >= rawPiece && !s.flushText() {
				return
			}
		}
		if end {
			_ = s.endRun() && s.flushText()
			return
		}
	}
}

// decodeLine decodes line into s.line when it is a full line of a run (n is 57), or the shorter last one of a run that has begun.
func (s *splitter) decodeLine(line []byte, start bool) (n int, last, ok bool) {
	if !start || len(line) < 6 || len(line) > 78 || (len(line) < 78 && s.lines == 0) || !bytes.HasSuffix(line, []byte("\r\n")) {
		return 0, false, false
	}
	text := line[:len(line)-2]
	if len(text)%4 != 0 || bytes.IndexByte(text, '\r') >= 0 {
		return 0, false, false
	}
	n, err := base64.StdEncoding.Strict().Decode(s.line[:], text)
	if err != nil {
		return 0, false, false
	}
	return n, n < base64Line, true
}

// endRun gives the run out as a piece, or puts it back into the text when it is too short for that.
func (s *splitter) endRun() bool {
	if s.lines == 0 {
		return true
	}
	decoded, lines := s.decoded, s.lines
	s.decoded, s.lines = s.decoded[:0], 0 // what was read of it stays until the piece has been read
	if lines < minRun {
		text, _ := io.ReadAll(holdfast.EncodeBase64Lines(bytes.NewReader(decoded))) // a bytes.Reader has no error
		s.text = append(s.text, text...)
		return true
	}
	if !s.flushText() {
		return false
	}
	return s.yield(holdfast.Piece{Transform: holdfast.Base64, Reader: bytes.NewReader(decoded), Size: int64(len(decoded)), Apart: len(decoded) >= apart}, nil)
}

// stream gives the run out while it is read.
func (s *splitter) stream() bool {
	r := &runReader{s: s, left: s.decoded}
	if !s.yield(holdfast.Piece{Transform: holdfast.Base64, Reader: r, Size: -1, Apart: true}, nil) {
		return false
	}
	s.decoded, s.lines = s.decoded[:0], 0
	return true
}

func (s *splitter) flushText() bool {
	if len(s.text) == 0 {
		return true
	}
	text := s.text
	s.text = s.text[:0] // the piece is read to its end before anything is added
	return s.yield(holdfast.Piece{Reader: bytes.NewReader(text), Size: int64(len(text))}, nil)
}

// runReader reads on through a run. It ends before the first line that does not belong to it.
type runReader struct {
	s    *splitter
	left []byte
	done bool
}

func (r *runReader) Read(p []byte) (int, error) {
	if len(r.left) == 0 {
		if r.done {
			return 0, io.EOF
		}
		if err := r.fill(); err != nil {
			return 0, err
		}
		if len(r.left) == 0 {
			return 0, io.EOF
		}
	}
	n := copy(p, r.left)
	r.left = r.left[n:]
	return n, nil
}

// fill decodes further lines; a line is taken from the input only when it belongs to the run.
func (r *runReader) fill() error {
	s := r.s
	s.decoded = s.decoded[:0]
	for len(s.decoded) < apart {
		ahead, err := s.in.Peek(78)
		if err != nil && err != io.EOF {
			return err
		}
		end := bytes.IndexByte(ahead, '\n')
		if end < 0 {
			r.done = true
			break
		}
		n, last, ok := s.decodeLine(ahead[:end+1], true)
		if !ok {
			r.done = true
			break
		}
		s.decoded = append(s.decoded, s.line[:n]...)
		if _, err := s.in.Discard(end + 1); err != nil {
			return err
		}
		if last {
			r.done = true
			break
		}
	}
	r.left = s.decoded
	return nil
}
