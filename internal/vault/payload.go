package vault

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"hash"
	"io"
	"strconv"
	"sync"

	"holdfast/internal/holdfast"
)

// block collects small pieces of many payloads of one container, which are packed together. Stored: version 1, then a zstd frame.
type block struct {
	raw  *[]byte
	done chan struct{} // closed when ref or err is set
	ref  objectRef
	err  error
}

const (
	blockVersion = 1
	maxBlock     = 8 << 20
)

// encodeBlock appends the stored form of a block to dst.
func (s *shared) encodeBlock(dst, raw []byte) []byte {
	return s.vault.zip.pack(append(dst, blockVersion), raw, false)
}

// buffers are scratch memory of about a block's size: of small pieces that are read, of blocks that are filled and of their stored form.
var buffers = sync.Pool{New: func() any { b := make([]byte, 0, 320<<10); return &b }}

// encoded are the buffers of exactHash.
var encoded = sync.Pool{New: func() any { b := make([]byte, 0, encodedSize+128); return &b }}

const encodedSize = 8 << 10

// scratch lends an empty buffer; give takes it back once nobody else has it. What grew far is left to the collector.
func scratch() *[]byte { return buffers.Get().(*[]byte) }

func give(b *[]byte) {
	if cap(*b) > 2<<20 {
		return
	}
	*b = (*b)[:0]
	buffers.Put(b)
}

func decodeBlock(z *zip, data []byte) ([]byte, error) {
	if len(data) == 0 {
		return nil, errGarbled
	}
	if data[0] > blockVersion {
		return nil, tooNew("block", int(data[0]))
	} else if data[0] != blockVersion {
		return nil, errGarbled
	}
	return z.unpack(data[1:], maxBlock)
}

// loadBlock reads a block through the cache.
func (s *shared) loadBlock(ctx context.Context, ref objectRef) ([]byte, error) {
	return load(s.vault.cache, s.cacheKey("block", ref.id), func() ([]byte, int64, error) {
		data, err := s.store.get(ctx, ref.id, 2*maxBlock)
		if err != nil {
			return nil, 0, err
		}
		raw, err := decodeBlock(s.vault.zip, data)
		if err == nil && int64(len(raw)) != ref.size {
			err = errGarbled
		}
		if err != nil {
			return nil, 0, damaged("block", ref.id, err)
		}
		return raw, int64(len(raw)), nil
	})
}

// intake reads payloads on behalf of one Put: small pieces into memory, large ones into objects.
type intake struct {
	repo   *shared
	to     *writeSession
	buffer []byte
	stored int64
	list   []payload
	// pack moves the buffer into blocks; also before the end of a Put whose small pieces are too many to wait in memory.
	pack func(ctx context.Context, in *intake) error
}

// inBuffer marks a piece whose bytes still lie in intake.buffer at its offset.
var inBuffer = &block{}

// maxBuffered is how much of small pieces one Put keeps in memory before it starts to fill blocks.
const maxBuffered = 1 << 20

// payload reads one payload and adds it to the list.
func (in *intake) payload(ctx context.Context, p holdfast.Payload) error {
	got := payload{form: p.Form}
	h := sha256.New()
	sums := []hash.Hash{h}
	var sum hash.Hash64
	if p.Served != nil {
		sum = holdfast.NewSum()
		sums = append(sums, sum)
	}
	in.list = append(in.list, got)
	at := len(in.list) - 1
	if p.Pieces == nil {
		return holdfast.Invalid("payload %s has no pieces", p.Form)
	}
	for piece, err := range p.Pieces {
		if err != nil {
			return err
		}
		n, err := in.piece(ctx, at, piece, sums)
		if err != nil {
			return err
		}
		in.list[at].size += n
	}
	h.Sum(in.list[at].sum[:0])
	if sum != nil && p.Served() != sum.Sum64() {
		return fmt.Errorf("payload %s: %w", p.Form, ErrNotExact)
	}
	return nil
}

// ErrNotExact says that the pieces of a payload do not give the bytes that the source served. Store it as one raw piece.
var ErrNotExact = errors.New("the pieces do not give back the exact bytes")

// piece stores one piece and returns how many exact bytes it stands for.
func (in *intake) piece(ctx context.Context, at int, p holdfast.Piece, sums []hash.Hash) (int64, error) {
	if p.Transform != holdfast.Raw && p.Transform != holdfast.Base64 {
		return 0, holdfast.Invalid("there is no transform %q", p.Transform)
	}
	if p.Reader == nil {
		return 0, holdfast.Invalid("a piece has no reader")
	}
	exact := &exactHash{sums: sums, lines: p.Transform == holdfast.Base64}
	if exact.lines {
		lines := encoded.Get().(*[]byte)
		exact.out = *lines
		defer func() {
			*lines = exact.out
			encoded.Put(lines)
		}()
	}
	from := len(in.buffer)
	limit := in.repo.layout().apart
	if p.Apart {
		limit = in.repo.layout().apartAsked
	}
	n, err := readSome(p.Reader, &in.buffer, limit)
	if err != nil && err != io.EOF {
		in.buffer = in.buffer[:from]
		return 0, err
	}
	c := piece{base64: exact.lines, length: int64(n)}
	if err == io.EOF {
		exact.write(in.buffer[from:])
		c.block, c.offset = inBuffer, int64(from)
	} else {
		head := bytes.Clone(in.buffer[from:])
		in.buffer = in.buffer[:from]
		c.ref.id, c.length, err = in.to.putStream(ctx, io.TeeReader(io.MultiReader(bytes.NewReader(head), p.Reader), exact))
		if err != nil {
			return 0, err
		}
		c.ref.size = c.length
		in.stored += c.length
	}
	size := exact.finish()
	if p.Size >= 0 && p.Size != c.length {
		return 0, fmt.Errorf("a piece gave %d bytes, not %d: %w", c.length, p.Size, io.ErrUnexpectedEOF)
	}
	if c.length == 0 {
		return 0, nil
	}
	pieces := &in.list[at].pieces
	if k := len(*pieces) - 1; k >= 0 && c.block == inBuffer && !c.base64 {
		if last := &(*pieces)[k]; last.block == inBuffer && !last.base64 && last.offset+last.length == c.offset {
			last.length += c.length
			return size, in.relieve(ctx)
		}
	}
	*pieces = append(*pieces, c)
	return size, in.relieve(ctx)
}

func (in *intake) relieve(ctx context.Context) error {
	if len(in.buffer) < maxBuffered {
		return nil
	}
	return in.pack(ctx, in)
}

// readSome appends up to limit bytes of r to buf; io.EOF says that this was all of it.
func readSome(r io.Reader, buf *[]byte, limit int) (int, error) {
	from := len(*buf)
	for empty := 0; ; {
		if len(*buf)-from >= limit {
			return len(*buf) - from, nil
		}
		if cap(*buf)-len(*buf) < 512 {
			grown := make([]byte, len(*buf), 2*cap(*buf)+4096)
			copy(grown, *buf)
			*buf = grown
		}
		end := min(cap(*buf), from+limit)
		n, err := r.Read((*buf)[len(*buf):end])
		*buf = (*buf)[:len(*buf)+n]
		if err != nil {
			return len(*buf) - from, err
		}
		if n > 0 {
			empty = 0
		} else if empty++; empty > 100 {
			return len(*buf) - from, io.ErrNoProgress
		}
	}
}

// exactHash hashes what the bytes written to it stand for.
type exactHash struct {
	sums  []hash.Hash
	lines bool // base64 in lines, as holdfast.EncodeBase64Lines gives it
	size  int64
	part  []byte // of a line
	out   []byte
}

const rawLine = 57 // bytes that a line of 76 columns stands for

// Write implements io.Writer; it never fails.
func (e *exactHash) Write(p []byte) (int, error) {
	e.write(p)
	return len(p), nil
}

func (e *exactHash) write(p []byte) {
	if !e.lines {
		e.add(p)
		return
	}
	if len(e.part) > 0 {
		n := min(rawLine-len(e.part), len(p))
		e.part = append(e.part, p[:n]...)
		p = p[n:]
		if len(e.part) < rawLine {
			return
		}
		e.encode(e.part)
		e.part = e.part[:0]
	}
	whole := len(p) / rawLine * rawLine
	e.encode(p[:whole])
	e.part = append(e.part, p[whole:]...)
}

func (e *exactHash) add(p []byte) {
	for _, h := range e.sums {
		_, _ = h.Write(p) // never fails
	}
	e.size += int64(len(p))
}

func (e *exactHash) encode(p []byte) {
	e.out = e.out[:0]
	flush := func() {
		e.add(e.out)
		e.out = e.out[:0]
	}
	for len(p) > 0 {
		n := min(len(p), rawLine)
		e.out = base64.StdEncoding.AppendEncode(e.out, p[:n])
		e.out = append(e.out, "\r\n"...)
		p = p[n:]
		if len(e.out) > encodedSize {
			flush()
		}
	}
	flush()
}

func (e *exactHash) finish() int64 {
	if e.lines && len(e.part) > 0 {
		e.encode(e.part)
		e.part = e.part[:0]
	}
	return e.size
}

// Piece is a piece of a payload as it is stored.
type Piece struct {
	// Base64: the payload's bytes are the stored ones as holdfast.EncodeBase64Lines writes them.
	Base64 bool
	Size   int64 // of the stored bytes
	// Name tells pieces apart: two of a repository with the same name have the same bytes.
	Name string
	// Open gives the stored bytes. What can't be read is holdfast.Damaged, but nothing proves the SHA-256 of the payload.
	Open func() (io.ReadCloser, error)
}

// Content is what is stored of an item besides its row.
type Content struct {
	repo *shared
	row  *row
}

// Forms are those that the item has.
func (c Content) Forms() []holdfast.Form {
	forms := make([]holdfast.Form, len(c.row.payloads))
	for i := range c.row.payloads {
		forms[i] = c.row.payloads[i].form
	}
	return forms
}

// Open gives the exact bytes of a payload; ok is false when the item has no such form. Reading to the end proves the SHA-256:
// what is not as it was written gives holdfast.Damaged instead of io.EOF.
func (c Content) Open(ctx context.Context, f holdfast.Form) (r io.ReadCloser, ok bool) {
	p, what := c.payload(f)
	if p == nil {
		return nil, false
	}
	return c.repo.openPayload(ctx, p, what), true
}

// Pieces gives what is stored of a payload, in order, for who needs only some of it; ok is false when the item has no such form.
func (c Content) Pieces(ctx context.Context, f holdfast.Form) (list []Piece, ok bool) {
	p, what := c.payload(f)
	if p == nil {
		return nil, false
	}
	for i := range p.pieces {
		x := &p.pieces[i]
		one := Piece{Base64: x.base64, Size: x.length, Name: x.ref.id + "/" + strconv.FormatInt(x.offset, 10) + "/" + strconv.FormatInt(x.length, 10), Open: func() (io.ReadCloser, error) {
			r, err := c.repo.openStored(ctx, x)
			if err != nil {
				return nil, named(err, what)
			}
			return r, nil
		}}
		list = append(list, one)
	}
	return list, true
}

func (c Content) payload(f holdfast.Form) (p *payload, what string) {
	for i := range c.row.payloads {
		if p := &c.row.payloads[i]; p.form == f {
			return p, fmt.Sprintf("%s of item %q", f, c.row.item.ID)
		}
	}
	return nil, ""
}

// stored reads the stored bytes of a piece. At their end it is holdfast.Damaged when there are too few.
type stored struct {
	in     io.Reader
	object io.Closer // nil when the piece lies in a block
	left   int64     // bytes still to come of an object
}

func (s *shared) openStored(ctx context.Context, c *piece) (*stored, error) {
	if c.ref.packed {
		raw, err := s.loadBlock(ctx, c.ref)
		if err != nil {
			return nil, err
		}
		return &stored{in: bytes.NewReader(raw[c.offset : c.offset+c.length])}, nil // decodeRow and loadBlock checked the bounds
	}
	o, err := s.store.open(ctx, c.ref.id)
	if err != nil {
		return nil, err
	}
	return &stored{in: io.LimitReader(o, c.length), object: o, left: c.length}, nil
}

// Read implements io.Reader.
func (r *stored) Read(p []byte) (int, error) {
	n, err := r.in.Read(p)
	if r.object != nil {
		if r.left -= int64(n); err == io.EOF && r.left != 0 {
			err = holdfast.Damaged("an object ends %d bytes early", r.left)
		}
	}
	return n, err
}

// Close implements io.Closer.
func (r *stored) Close() error {
	if r.object == nil {
		return nil
	}
	return r.object.Close()
}

// named says of an error what could not be read.
func named(err error, what string) error {
	if holdfast.KindOf(err) == holdfast.KindDamaged {
		return holdfast.Damaged("%s is damaged: %w", what, err)
	}
	return fmt.Errorf("read %s: %w", what, err)
}

// openPayload streams the exact bytes of a payload; what names it in errors.
func (s *shared) openPayload(ctx context.Context, p *payload, what string) io.ReadCloser {
	return &payloadReader{ctx: ctx, repo: s, p: p, what: what, h: sha256.New()}
}

// payloadReader keeps the context of its opening, as an io.Reader must.
type payloadReader struct {
	ctx    context.Context
	repo   *shared
	p      *payload
	what   string
	h      hash.Hash
	size   int64
	next   int // piece
	piece  io.Reader
	stored io.Closer // what piece reads
	err    error
}

// Read implements io.Reader.
func (r *payloadReader) Read(b []byte) (int, error) {
	if r.err != nil {
		return 0, r.err
	}
	if len(b) == 0 {
		return 0, nil
	}
	for {
		if r.piece == nil {
			if r.next == len(r.p.pieces) {
				r.err = r.verdict()
				return 0, r.err
			}
			if err := r.openPiece(); err != nil {
				r.err = named(err, r.what)
				return 0, r.err
			}
		}
		n, err := r.piece.Read(b)
		_, _ = r.h.Write(b[:n])
		r.size += int64(n)
		switch {
		case err == io.EOF:
			if err := r.closePiece(); err != nil {
				r.err = named(err, r.what)
				return n, r.err
			}
		case err != nil:
			r.err = named(err, r.what)
			return n, r.err
		}
		if n > 0 {
			return n, nil
		}
	}
}

func (r *payloadReader) verdict() error {
	if r.size != r.p.size || [sha256.Size]byte(r.h.Sum(nil)) != r.p.sum {
		return holdfast.Damaged("%s is not what was stored: %d bytes with another hash than the %d that were written", r.what, r.size, r.p.size)
	}
	return io.EOF
}

func (r *payloadReader) openPiece() error {
	c := &r.p.pieces[r.next]
	r.next++
	in, err := r.repo.openStored(r.ctx, c)
	if err != nil {
		return err
	}
	r.piece, r.stored = in, in
	if c.base64 {
		r.piece = holdfast.EncodeBase64Lines(in)
	}
	return nil
}

func (r *payloadReader) closePiece() error {
	if r.stored == nil {
		return nil
	}
	err := r.stored.Close()
	r.piece, r.stored = nil, nil
	return err
}

// Close implements io.Closer.
func (r *payloadReader) Close() error {
	if r.err == nil {
		r.err = errors.New("read after close")
	}
	return r.closePiece()
}
