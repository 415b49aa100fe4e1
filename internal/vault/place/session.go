package place

import (
	"context"
	"errors"
	"io"
	"sync"
	"time"

	"github.com/kopia/kopia/repo"
	"github.com/kopia/kopia/repo/compression"
	"github.com/kopia/kopia/repo/content"
	"github.com/kopia/kopia/repo/object"

	"holdfast/internal/holdfast"
)

// ObjectID names a stored object; kopia's text form. ContentID names one of the contents that it consists of.
type (
	ObjectID  string
	ContentID string
)

// Hint says how an object is best stored.
type Hint int

// The kinds of objects.
const (
	Block  Hint = iota // packed by the caller already (compressed or not worth it), at most 4 MiB, stored whole
	File               // a file or attachment: split by content so that equal parts are stored once, compressed where it helps
	Packed             // a file that does not compress (zip, jpeg): split, not compressed
)

const compressor compression.Name = "zstd-fastest"

func (h Hint) options() object.WriterOptions {
	switch h {
	case File:
		return object.WriterOptions{Compressor: compressor, MetadataCompressor: compressor, Splitter: fileSplitter}
	case Packed:
		return object.WriterOptions{MetadataCompressor: compressor, Splitter: fileSplitter}
	}
	return object.WriterOptions{MetadataCompressor: compressor, Splitter: blockSplitter}
}

// Session writes objects of many containers into common packs. All methods may be called at the same time.
//
// After an error of Put or Flush the session is spent: what was not flushed must be written again in a new one.
type Session struct {
	store *Store
	w     repo.DirectRepositoryWriter
	slots chan struct{} // bounds writers

	mu      sync.Mutex // guards all below
	err     error      // of the first failed write
	dirty   time.Time  // when the oldest write since the last flush was made; zero: all is flushed
	writing sync.WaitGroup
	closed  bool
}

// Session starts a write session.
func (s *Store) Session(ctx context.Context) (*Session, error) {
	if s.options.ReadOnly {
		return nil, holdfast.Conflict("the backup repository in %s was opened for reading only", s.storage.disk.root)
	}
	if err := s.usable(); err != nil {
		return nil, err
	}
	ctx, done := withBreaker(ctx)
	defer done()
	_, w, err := s.kopia.NewDirectWriter(ctx, repo.WriteSessionOptions{Purpose: "holdfast"})
	if err != nil {
		return nil, s.storage.clear(ctx, err)
	}
	session := &Session{store: s, w: w, slots: make(chan struct{}, s.options.Limits.Writers)}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sessions[session] = struct{}{}
	return session, nil
}

// Put stores what r gives and returns its id and size. Nothing is durable before Flush. An error of r and the end of ctx leave the session usable: packs
// belong to all containers, so ctx is looked at between reads of r and never while one is written.
func (w *Session) Put(ctx context.Context, r io.Reader, h Hint) (ObjectID, int64, error) {
	select {
	case w.slots <- struct{}{}:
		defer func() { <-w.slots }()
	case <-ctx.Done():
		return "", 0, ctx.Err()
	}
	if err := w.begin(); err != nil {
		return "", 0, err
	}
	defer w.end()
	source := &sourceReader{ctx: ctx, r: r}
	ctx, done := withBreaker(context.WithoutCancel(ctx))
	defer done()
	out := w.w.NewObjectWriter(ctx, h.options())
	buffer := copies.Get().(*[]byte)
	n, err := io.CopyBuffer(justWriter{out}, source, *buffer)
	copies.Put(buffer)
	var id object.ID
	if err == nil {
		id, err = out.Result()
	}
	err = errors.Join(err, out.Close())
	if err != nil {
		if source.err != nil {
			return "", 0, source.err
		}
		return "", 0, w.fail(w.store.storage.clear(ctx, err))
	}
	return ObjectID(id.String()), n, nil
}

// copies are the buffers of Put.
var copies = sync.Pool{New: func() any { b := make([]byte, 64<<10); return &b }}

// justWriter hides a ReadFrom, which would not use the buffer.
type justWriter struct{ io.Writer }

// sourceReader keeps the error of the data's source apart from those of the repository. It lives no longer than the Put whose context it holds.
type sourceReader struct {
	ctx context.Context
	r   io.Reader
	err error
}

func (s *sourceReader) Read(p []byte) (int, error) {
	if s.err = s.ctx.Err(); s.err != nil {
		return 0, s.err
	}
	n, err := s.r.Read(p)
	if err != nil && err != io.EOF {
		s.err = err
	}
	return n, err
}

func (w *Session) begin() error {
	if err := w.store.usable(); err != nil {
		return err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed {
		return errors.New("write session is closed")
	}
	if w.err != nil {
		return w.err
	}
	w.touch()
	w.writing.Add(1)
	return nil
}

// end closes what begin opened. A flush may have run in between, so the session counts as dirty again.
func (w *Session) end() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.touch()
	w.writing.Done()
}

func (w *Session) touch() {
	if w.dirty.IsZero() {
		w.dirty = w.store.clock.Now()
	}
}

func (w *Session) fail(err error) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.err == nil {
		w.err = err
	}
	return err
}

// Flush makes all objects whose Put has returned durable. A record put afterwards brings the ledger up to date. Puts that run at the same
// time are flushed by the next. Once begun it is not cut short by the end of ctx.
func (w *Session) Flush(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	w.mu.Lock()
	if w.err != nil || w.closed || w.dirty.IsZero() {
		defer w.mu.Unlock()
		return w.err
	}
	before := w.dirty
	w.dirty = time.Time{}
	w.mu.Unlock()
	ctx, done := withBreaker(context.WithoutCancel(ctx))
	defer done()
	if err := w.w.Flush(ctx); err != nil {
		w.mu.Lock()
		w.dirty = before
		w.mu.Unlock()
		return w.fail(w.store.storage.clear(ctx, err))
	}
	return nil
}

// OpenObject opens an object that this session wrote, flushed or not.
func (w *Session) OpenObject(ctx context.Context, id ObjectID) (io.ReadSeekCloser, int64, error) {
	return w.store.openObject(ctx, w.w, id)
}

// Close ends the session without a flush.
func (w *Session) Close(ctx context.Context) error {
	w.mu.Lock()
	if w.closed {
		w.mu.Unlock()
		return nil
	}
	w.closed = true
	w.mu.Unlock()
	w.writing.Wait()
	w.store.mu.Lock()
	delete(w.store.sessions, w)
	w.store.mu.Unlock()
	return w.w.Close(ctx)
}

// oldestWrite is when the oldest unflushed write was made; zero when all is flushed.
func (w *Session) oldestWrite() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.dirty
}

// OpenObject opens a flushed object. An object that is missing or damaged gives Damaged, at open or at read.
func (s *Store) OpenObject(ctx context.Context, id ObjectID) (io.ReadSeekCloser, int64, error) {
	if err := s.usable(); err != nil {
		return nil, 0, err
	}
	return s.openObject(ctx, s.reader(), id)
}

type opener interface {
	OpenObject(ctx context.Context, id object.ID) (object.Reader, error)
}

func (s *Store) openObject(ctx context.Context, from opener, id ObjectID) (io.ReadSeekCloser, int64, error) {
	oid, err := object.ParseID(string(id))
	if err != nil || id == "" {
		return nil, 0, holdfast.Invalid("object id %q is malformed", id)
	}
	ctx, done := withBreaker(ctx)
	r, err := from.OpenObject(ctx, oid)
	if err != nil {
		defer done()
		return nil, 0, s.readError(ctx, id, err)
	}
	return &objectReader{Reader: r, store: s, id: id, ctx: ctx, done: done}, r.Length(), nil
}

// readError is what a failed read means: the storage can't be reached, or what it gave is not what was written.
func (s *Store) readError(ctx context.Context, id ObjectID, err error) error {
	err = s.storage.clear(ctx, err)
	var clear *holdfast.Error
	if errors.As(err, &clear) || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	return holdfast.Damaged("object %s in %s is damaged: %w", id, s.storage.disk.root, err)
}

// objectReader maps the errors of kopia's reader. It keeps the context of its opening, as kopia's does.
type objectReader struct {
	object.Reader
	store *Store
	id    ObjectID
	ctx   context.Context
	done  context.CancelFunc
}

func (r *objectReader) Read(p []byte) (int, error) {
	n, err := r.Reader.Read(p)
	if err != nil && err != io.EOF {
		err = r.store.readError(r.ctx, r.id, err)
	}
	return n, err
}

func (r *objectReader) Close() error {
	r.done()
	return r.Reader.Close()
}

// Contents gives the contents that an object consists of, its index included. Only an object of several contents is looked up;
// Damaged when one of those is not known.
func (s *Store) Contents(ctx context.Context, id ObjectID) ([]ContentID, error) {
	ctx, done := withBreaker(ctx)
	defer done()
	list, err := s.contents(ctx, id)
	if err != nil {
		return nil, s.readError(ctx, id, err)
	}
	out := make([]ContentID, len(list))
	for i, c := range list {
		out[i] = ContentID(c.String())
	}
	return out, nil
}

func (s *Store) contents(ctx context.Context, id ObjectID) ([]content.ID, error) {
	oid, err := object.ParseID(string(id))
	if err != nil {
		return nil, holdfast.Invalid("object id %q is malformed", id)
	}
	if c, _, ok := oid.ContentID(); ok {
		if c == content.EmptyID {
			return nil, nil
		}
		return []content.ID{c}, nil // most objects: no look-up
	}
	return s.reader().VerifyObject(ctx, oid)
}
