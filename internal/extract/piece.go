package extract

import (
	"bufio"
	"bytes"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"io"
	"strconv"
)

// Piece is a run of a mail's bytes.
type Piece struct {
	// Open gives the bytes.
	Open func() (io.ReadCloser, error)
	// Decoded, unless it is nil, gives what the bytes, which are lines of base64, stand for. It spares attachments being encoded to be decoded
	// again, and those that have no text being read.
	Decoded func() (io.ReadCloser, error)
	// Name, unless it is empty, tells what Decoded gives from all else that goes through one Cache.
	Name string
}

// folded reads a mail in which a line stands in for each piece of base64. The line has random bytes, so that no mail can hold one.
type folded struct {
	pieces []Piece
	next   int
	open   io.ReadCloser
	line   []byte // what is left of a line that stands in
	err    error  // of reading a piece, which is none of the mail's own
}

const (
	standInMark = 0
	indexSize   = 8
)

// standIn begins the line; the index of the piece follows.
var standIn = func() []byte {
	secret := make([]byte, 16)
	_, _ = rand.Read(secret) // never fails
	return append([]byte{standInMark}, hex.EncodeToString(secret)...)
}()

var standInSize = len(standIn) + indexSize

// Read implements io.Reader.
func (f *folded) Read(p []byte) (int, error) {
	for {
		switch {
		case f.err != nil:
			return 0, f.err
		case len(f.line) > 0:
			n := copy(p, f.line)
			f.line = f.line[n:]
			return n, nil
		case f.open != nil:
			n, err := f.open.Read(p)
			if err == io.EOF {
				err = f.open.Close()
				f.open = nil
			}
			if f.err = err; n > 0 || err != nil {
				return n, err
			}
		case f.next == len(f.pieces):
			return 0, io.EOF
		default:
			piece := &f.pieces[f.next]
			if f.next++; piece.Decoded != nil {
				f.line = fmt.Appendf(nil, "%s%0*d\r\n", standIn, indexSize, f.next-1)
			} else if f.open, f.err = piece.Open(); f.err != nil {
				f.open = nil
			}
		}
	}
}

// Close implements io.Closer.
func (f *folded) Close() error {
	if f.open == nil {
		return nil
	}
	return f.open.Close()
}

// at gives the piece that a line stands in for.
func (f *folded) at(line []byte) (*Piece, bool) {
	if len(line) < standInSize || !bytes.HasPrefix(line, standIn) {
		return nil, false
	}
	n, err := strconv.Atoi(string(line[len(standIn) : len(standIn)+indexSize]))
	if err != nil || n < 0 || n >= len(f.pieces) {
		return nil, false
	}
	return &f.pieces[n], true
}

// part is the body of a part of a folded mail as it was written.
type part struct {
	mail *folded
	in   *bufio.Reader
	open io.ReadCloser // the piece that a line stood in for
}

func (f *folded) part(r io.Reader) *part {
	return &part{mail: f, in: bufio.NewReaderSize(r, 4096)}
}

// whole gives the piece of which the body consists, when it is one only.
func (p *part) whole() (*Piece, bool) {
	line, _ := p.in.Peek(standInSize) // a body that is shorter is none
	piece, ok := p.mail.at(line)
	if !ok {
		return nil, false
	}
	rest, err := p.in.Peek(standInSize + len("\r\n"+"\r\n"))
	return piece, err == io.EOF && len(bytes.TrimSpace(rest[standInSize:])) == 0
}

// Read implements io.Reader.
func (p *part) Read(b []byte) (int, error) {
	for {
		if p.open != nil {
			n, err := p.open.Read(b)
			if err == io.EOF {
				err = p.open.Close()
				p.open = nil
			}
			if n > 0 || err != nil {
				return n, p.noted(err)
			}
			continue
		}
		if _, err := p.in.Peek(1); err != nil {
			return 0, err
		}
		ahead, _ := p.in.Peek(p.in.Buffered()) // it is there
		switch n := bytes.IndexByte(ahead, standInMark); {
		case n < 0:
			return p.in.Read(b)
		case n > 0:
			return p.in.Read(b[:min(n, len(b))])
		}
		line, _ := p.in.Peek(standInSize) // what is shorter is none
		piece, ok := p.mail.at(line)
		if !ok {
			return p.in.Read(b[:min(1, len(b))])
		}
		size := standInSize
		if end, _ := p.in.Peek(size + len("\r\n")); bytes.HasSuffix(end, []byte("\r\n")) {
			size = len(end) // the piece has its own
		}
		_, err := p.in.Discard(size)
		if err == nil {
			p.open, err = piece.Open()
		}
		if err != nil {
			p.open = nil
			return 0, p.noted(err)
		}
	}
}

// noted keeps an error of reading apart from those of the mail.
func (p *part) noted(err error) error {
	if err != nil {
		p.mail.err = err
	}
	return err
}

// Close implements io.Closer.
func (p *part) Close() error {
	if p.open == nil {
		return nil
	}
	return p.open.Close()
}

// lazy opens a piece when its first byte is asked for.
type lazy struct {
	mail  *folded
	piece *Piece
	open  io.ReadCloser
}

// Read implements io.Reader.
func (l *lazy) Read(p []byte) (n int, err error) {
	if l.open == nil {
		if l.open, err = l.piece.Decoded(); err != nil {
			l.open = nil
			l.mail.err = err
			return 0, err
		}
	}
	n, err = l.open.Read(p)
	if err != nil && err != io.EOF {
		l.mail.err = err
	}
	return n, err
}

// Close implements io.Closer.
func (l *lazy) Close() error {
	if l.open == nil {
		return nil
	}
	return l.open.Close()
}
