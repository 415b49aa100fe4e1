package search

import (
	"context"
	"errors"
	"io"

	"holdfast/internal/extract"
	"holdfast/internal/fasttransfer"
	"holdfast/internal/holdfast"
	"holdfast/internal/vault"
)

// exportedText reads the text of a mail that was exported.
func exportedText(ctx context.Context, i *holdfast.Item, c vault.Content, l extract.Limits, kept *extract.Cache) (got extract.Personal, err error) {
	pieces, ok := c.Pieces(ctx, holdfast.FormFTS)
	if !ok {
		return got, nil
	}
	if why := i.Fields[holdfast.FieldUnreadable]; why != "" {
		got.Remark = []string{"its content can't be read: " + why}
		return got, nil
	}
	s := &exported{pieces: pieces}
	got.Words, err = extract.Exported(ctx, s, l, kept)
	var bad *fasttransfer.Error
	switch {
	case s.err != nil:
		err = s.err // whatever was made of it
	case errors.As(err, &bad):
		got.Remark, err = append(got.Remark, "its content can't be read: "+bad.Reason), nil
	}
	return got, errors.Join(err, s.close())
}

// exported reads the stored pieces of an exported mail, in which a large attachment is a piece of its own. It is an extract.Stream: one reader at a time.
type exported struct {
	pieces []vault.Piece
	open   *section // the one reader
	err    error    // of storage
}

// Open implements extract.Stream.
func (s *exported) Open() io.Reader {
	size := int64(0)
	for i := range s.pieces {
		size += s.pieces[i].Size
	}
	return s.Again(0, size)
}

// Again implements extract.Stream. What was opened before can't be read any more.
func (s *exported) Again(at, size int64) io.Reader {
	if err := s.close(); s.err == nil {
		s.err = err
	}
	p := &section{stream: s, left: size}
	s.open = p
	p.leave(at)
	return p
}

// Name implements extract.Stream.
func (s *exported) Name(at, size int64) string {
	for i := range s.pieces {
		if p := &s.pieces[i]; at == 0 && p.Size == size {
			return p.Name
		} else if at -= p.Size; at < 0 {
			break
		}
	}
	return ""
}

func (s *exported) close() error {
	if s.open == nil || s.open.in == nil {
		return nil
	}
	in := s.open.in
	s.open.in = nil
	return in.Close()
}

// section reads a part of the stream. A read ends with a piece, so that what the next one holds is not read before it is asked for.
type section struct {
	stream *exported
	next   int           // piece, when in is nil
	skip   int64         // bytes of the next piece that come before what is read
	in     io.ReadCloser // of the piece before next
	inLeft int64         // of in
	left   int64         // of the section
}

// leave goes past n bytes of the pieces from the next one on.
func (p *section) leave(n int64) {
	for all := p.stream.pieces; p.next < len(all) && p.skip+n >= all[p.next].Size; p.next++ {
		n -= all[p.next].Size - p.skip
		p.skip = 0
	}
	p.skip += n
}

// Skip implements fasttransfer.Skipper.
func (p *section) Skip(n int64) error {
	if n > p.left {
		return io.ErrUnexpectedEOF
	}
	if p.in != nil && n < p.inLeft {
		_, err := io.CopyN(io.Discard, p, n)
		return err
	}
	p.left -= n
	if p.in != nil {
		n -= p.inLeft
		p.inLeft = 0
		if err := p.end(); err != nil {
			return err
		}
	}
	p.leave(n)
	return nil
}

// Read implements io.Reader.
func (p *section) Read(b []byte) (int, error) {
	s := p.stream
	if s.err != nil {
		return 0, s.err
	}
	if s.open != p {
		return 0, errors.New("another part of the mail was opened")
	}
	for p.left > 0 && len(b) > 0 {
		if p.in == nil {
			if err := p.begin(); err != nil {
				return 0, err
			}
		}
		n, err := p.in.Read(b[:min(int64(len(b)), p.left, max(p.inLeft, 1))])
		p.inLeft -= int64(n)
		p.left -= int64(n)
		if err == io.EOF || err == nil && p.inLeft == 0 {
			err = p.end()
		}
		if err != nil {
			s.err = err
		}
		if n > 0 || err != nil {
			return n, err
		}
	}
	if len(b) == 0 {
		return 0, nil
	}
	return 0, io.EOF
}

// begin opens the next piece.
func (p *section) begin() (err error) {
	s := p.stream
	if p.next == len(s.pieces) {
		s.err = holdfast.Damaged("a mail ends %d bytes early", p.left)
		return s.err
	}
	piece := &s.pieces[p.next]
	if p.in, err = piece.Open(); err != nil {
		p.in = nil
		s.err = err
		return err
	}
	p.next++
	p.inLeft = piece.Size
	skip := p.skip
	p.skip = 0
	if skip == 0 {
		return nil
	}
	n, err := io.CopyN(io.Discard, p.in, skip)
	if p.inLeft -= n; err != nil {
		s.err = err
	}
	return err
}

// end closes the piece.
func (p *section) end() error {
	in := p.in
	p.in = nil
	err := in.Close()
	if err == nil && p.inLeft > 0 {
		err = holdfast.Damaged("a piece of a mail ends %d bytes early", p.inLeft)
	}
	return err
}
