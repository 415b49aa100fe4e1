package vault

import (
	"bytes"
	"context"
	"errors"
	"io"
	"sync"

	"holdfast/internal/holdfast"
)

// writeSession is the session that all writers of a repository share, so that what many containers add fills common packs.
// When it breaks, what was not published is lost for all of them: they end, and the next writer starts a new one.
type writeSession struct {
	s *session

	mu  sync.Mutex // guards err
	err error
}

// acquire gives the session that is in use, or a new one.
func (s *shared) acquire(ctx context.Context) (*writeSession, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.current != nil && s.current.broken() == nil {
		return s.current, nil
	}
	if s.current != nil {
		old := s.current
		s.current = nil
		clear(s.sealed)
		if err := old.s.close(context.WithoutCancel(ctx)); err != nil {
			s.vault.options.Log.WarnContext(ctx, "broken write session did not close", "error", err)
		}
	}
	got, err := s.store.session(ctx)
	if err != nil {
		return nil, err
	}
	s.current = &writeSession{s: got}
	return s.current, nil
}

// broken is the error that spent the session, or nil.
func (w *writeSession) broken() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.err
}

func (w *writeSession) fail(err error) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.err == nil {
		w.err = err
	}
	return err
}

// errSpent wraps what broke the session for the writers that had no part in it.
func errSpent(cause error) error {
	return holdfast.Unavailable("writing to the backup repository broke off; it goes on from the last checkpoint: %w", cause)
}

func (w *writeSession) put(ctx context.Context, data []byte) (string, error) {
	if err := w.broken(); err != nil {
		return "", errSpent(err)
	}
	id, err := w.s.put(ctx, data)
	if err != nil {
		return "", w.fail(err)
	}
	return id, nil
}

func (w *writeSession) putStream(ctx context.Context, r io.Reader) (string, int64, error) {
	if err := w.broken(); err != nil {
		return "", 0, errSpent(err)
	}
	source := &faulty{r: r}
	id, n, err := w.s.putStream(ctx, source)
	switch {
	case err == nil:
		return id, n, nil
	case source.err != nil:
		return "", 0, source.err
	}
	return "", 0, w.fail(err)
}

func (w *writeSession) flush(ctx context.Context) error {
	if err := w.broken(); err != nil {
		return errSpent(err)
	}
	if err := w.s.flush(ctx); err != nil {
		return w.fail(err)
	}
	return nil
}

// faulty remembers the error of a source.
type faulty struct {
	r   io.Reader
	err error
}

func (f *faulty) Read(p []byte) (int, error) {
	n, err := f.r.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		f.err = err
	}
	return n, err
}

// whole reads r to its end, at most limit bytes.
func whole(r io.Reader, size, limit int64) ([]byte, error) {
	if size > limit {
		return nil, holdfast.Damaged("an object of %d bytes was found where at most %d are expected", size, limit)
	}
	b := bytes.NewBuffer(make([]byte, 0, max(size, 0)+bytes.MinRead))
	n, err := b.ReadFrom(io.LimitReader(r, limit+1))
	if err == nil && n > limit {
		err = holdfast.Damaged("an object of more than %d bytes was found", limit)
	}
	return b.Bytes(), err
}
