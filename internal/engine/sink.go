package engine

import (
	"context"
	"fmt"
	"io"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"holdfast/internal/holdfast"
	"holdfast/internal/sys"
	"holdfast/internal/vault"
)

// SkippedListed is how many skipped items a restore point's entry names; it counts all.
const SkippedListed = 100

// sink is one container's backup in progress.
type sink struct {
	engine *Engine
	task   BackupTask
	writer *vault.Writer
	lane   *lane
	save   func(ctx context.Context) error // publishes a checkpoint

	write sync.RWMutex // held for reading by each Put, Delete, Skip and Cursor, for writing while a checkpoint is sealed; before mu
	keys  keyLocks     // one item's Puts and Deletes, in the order in which they were called; before mu

	mu        sync.Mutex        // guards all below
	misses    map[string]Missed // by item id: what the head being written names as skipped
	vanished  map[string]Missed // named in this restore point only: the source no longer has them
	broken    error             // first error of the repository: the writer is spent
	described *holdfast.Container
	lastSaved time.Time
	readBytes atomic.Int64
	busy      atomic.Int64        // nanoseconds spent in what Go ran
	storing   atomic.Int64        // nanoseconds of Puts in which the repository, not the source, was waited for
	done      holdfast.Statistics // of what was sealed; guarded by mu
}

// use takes the right to write; give it back with s.write.RUnlock.
func (s *sink) use(ctx context.Context) error {
	if err := context.Cause(ctx); err != nil {
		return err
	}
	s.write.RLock()
	if broken := s.spent(); broken != nil {
		s.write.RUnlock()
		return broken
	}
	return nil
}

// spent is the error that ended the container's writing, if any.
func (s *sink) spent() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.broken
}

// spend records an error of the repository, which ends the whole container however the source takes it.
func (s *sink) spend(err error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.broken == nil {
		s.broken = err
	}
	return err
}

func (s *sink) Put(ctx context.Context, item holdfast.Item, payloads ...holdfast.Payload) error {
	if item.ID == "" || item.Kind == "" {
		return fmt.Errorf("internal check: an item without id or kind was put into %s", s.task.Container)
	}
	if !s.engine.bugs.unordered {
		unlock, err := s.keys.lock(ctx, item.ID)
		if err != nil {
			return err
		}
		defer unlock()
	}
	if err := s.use(ctx); err != nil {
		return err
	}
	defer s.write.RUnlock()
	watched := make([]holdfast.Payload, len(payloads))
	var outside atomic.Pointer[error] // the first error that came from a payload
	began, source := s.engine.Clock.Now(), &stopwatch{clock: s.engine.Clock}
	for i, p := range payloads {
		watched[i] = s.watch(ctx, p, &outside, source)
	}
	defer func() { s.storing.Add(int64(s.engine.Clock.Now().Sub(began) - source.total)) }()
	// A cancel ends the payloads' readers; in the middle of a write it would spoil what all containers of the repository share.
	if err := s.writer.Put(context.WithoutCancel(ctx), item, watched...); err != nil {
		switch {
		case outside.Load() != nil:
			return err
		case holdfast.KindOf(err) == holdfast.KindNotFound: // Keep of a form that there is none of
			return err
		case ctx.Err() != nil:
			return context.Cause(ctx)
		}
		return s.spend(fmt.Errorf("store %q of %s: %w", item.ID, s.task.Container, err))
	}
	return s.found(ctx, item.ID, false)
}

// watch counts what is read, ends it with ctx, and notes whose an error is.
func (s *sink) watch(ctx context.Context, p holdfast.Payload, outside *atomic.Pointer[error], source *stopwatch) holdfast.Payload {
	if p.Pieces == nil {
		return p
	}
	pieces := p.Pieces
	p.Pieces = func(yield func(holdfast.Piece, error) bool) {
		source.start() // finding where the next piece begins reads from the source, too
		defer source.stop()
		for piece, err := range pieces {
			if err != nil {
				outside.CompareAndSwap(nil, &err)
			} else {
				piece.Reader = &watchedReader{ctx: ctx, r: piece.Reader, sink: s, outside: outside, source: source}
			}
			source.stop()
			if !yield(piece, err) {
				return
			}
			source.start()
		}
	}
	return p
}

// stopwatch adds up what one goroutine spends between start and stop; starting what runs and stopping what stands does nothing.
type stopwatch struct {
	clock sys.Clock
	since time.Time // zero: it stands
	total time.Duration
}

func (w *stopwatch) start() {
	if w.since.IsZero() {
		w.since = w.clock.Now()
	}
}

func (w *stopwatch) stop() {
	if !w.since.IsZero() {
		w.total += w.clock.Now().Sub(w.since)
		w.since = time.Time{}
	}
}

type watchedReader struct {
	ctx     context.Context
	r       io.Reader
	sink    *sink
	outside *atomic.Pointer[error]
	source  *stopwatch
}

func (w *watchedReader) Read(p []byte) (int, error) {
	if err := w.ctx.Err(); err != nil {
		err = context.Cause(w.ctx)
		w.outside.CompareAndSwap(nil, &err)
		return 0, err
	}
	w.source.start()
	n, err := w.r.Read(p)
	w.source.stop()
	w.sink.readBytes.Add(int64(n))
	if err != nil && err != io.EOF {
		w.outside.CompareAndSwap(nil, &err)
	}
	return n, err
}

func (s *sink) Delete(ctx context.Context, id string) error {
	unlock, err := s.keys.lock(ctx, id)
	if err != nil {
		return err
	}
	defer unlock()
	if err := s.use(ctx); err != nil {
		return err
	}
	defer s.write.RUnlock()
	if err := s.writer.Delete(context.WithoutCancel(ctx), id); err != nil {
		return s.spend(fmt.Errorf("delete %q of %s: %w", id, s.task.Container, err))
	}
	return s.found(ctx, id, true)
}

// found takes an item off the list of what could not be read; deleting a folder takes off what was missed in it too.
func (s *sink) found(ctx context.Context, id string, deleted bool) error {
	s.mu.Lock()
	var names []string
	if _, ok := s.misses[id]; ok {
		names = append(names, id)
	}
	if deleted {
		for other, m := range s.misses {
			if m.Item.Parent == id && other != id {
				names = append(names, other)
			}
		}
	}
	for _, n := range names {
		delete(s.misses, n)
	}
	s.mu.Unlock()
	for _, n := range names {
		if err := s.writer.Cursor(context.WithoutCancel(ctx), missPrefix+n, ""); err != nil {
			return s.spend(fmt.Errorf("record that %q of %s is no longer missing: %w", n, s.task.Container, err))
		}
	}
	return nil
}

func (s *sink) Skip(ctx context.Context, item holdfast.Item, why *holdfast.Skip) {
	if err := s.use(ctx); err != nil {
		return // the container ends without a head: there is nothing to name it in
	}
	defer s.write.RUnlock()
	detail := ""
	if why.Err != nil {
		detail = why.Err.Error()
	}
	m := Missed{Item: item, Reason: why.Reason, Detail: cut(detail, 300)}
	if why.Reason == holdfast.SkipVanished {
		// It was gone before it could be read, so no restore point lacks it.
		if err := s.found(ctx, item.ID, false); err != nil {
			s.engine.Log.WarnContext(ctx, "skip not recorded", "container", s.task.Container.Key(), "item", item.ID, "error", err)
		}
		return
	}
	name, value, err := encodeMiss(m)
	if err == nil {
		s.mu.Lock()
		old, ok := s.misses[item.ID]
		s.misses[item.ID] = m
		s.mu.Unlock()
		if ok && old.Reason == m.Reason && old.Item.Version == m.Item.Version {
			return // on record already; another wording is no change
		}
		if s.engine.bugs.forgetMisses {
			return
		}
		err = s.writer.Cursor(context.WithoutCancel(ctx), name, value)
	}
	if err != nil {
		s.spend(fmt.Errorf("record that %q of %s was skipped: %w", item.ID, s.task.Container, err))
	}
}

func (s *sink) Cursor(ctx context.Context, name, value string) error {
	if strings.HasPrefix(name, ownPrefix) {
		return fmt.Errorf("internal check: cursor %q has a name of the engine's", name)
	}
	if err := s.use(ctx); err != nil {
		return err
	}
	defer s.write.RUnlock()
	if err := s.writer.Cursor(context.WithoutCancel(ctx), name, value); err != nil {
		return s.spend(fmt.Errorf("set cursor %q of %s: %w", name, s.task.Container, err))
	}
	return nil
}

func (s *sink) Go(ctx context.Context, size int64, fn func(ctx context.Context) error) {
	s.lane.run(ctx, size, func(ctx context.Context) error {
		began := s.engine.Clock.Now()
		defer func() { s.busy.Add(int64(s.engine.Clock.Now().Sub(began))) }()
		return fn(ctx)
	})
}

func (s *sink) Wait() error { return s.lane.wait() }

func (s *sink) Savepoint(ctx context.Context) error {
	s.progress()
	now := s.engine.Clock.Now()
	s.mu.Lock()
	due := s.writer.Bytes() >= s.engine.CheckpointBytes || now.Sub(s.lastSaved) >= s.engine.CheckpointEvery
	if now.Before(s.lastSaved) {
		s.lastSaved = now // the clock was moved back
	}
	s.mu.Unlock()
	if !due {
		return nil
	}
	if !s.write.TryLock() {
		return nil // something is still being put: a checkpoint here would lack it
	}
	defer s.write.Unlock()
	if broken := s.spent(); broken != nil {
		return broken
	}
	if err := s.save(ctx); err != nil {
		return s.spend(fmt.Errorf("checkpoint of %s: %w", s.task.Container, err))
	}
	s.mu.Lock()
	s.lastSaved = s.engine.Clock.Now()
	s.mu.Unlock()
	return nil
}

// seal counts what is about to be sealed, and seals it.
func (s *sink) seal(ctx context.Context) (head *vault.Head, bytes int64, err error) {
	items, bytes := s.writer.Items(), s.writer.Bytes()
	s.writer.Describe(s.container())
	head, err = s.writer.Seal(context.WithoutCancel(ctx))
	if err == nil && head != nil {
		s.mu.Lock()
		s.done.Items += items
		s.done.WrittenBytes += bytes
		s.mu.Unlock()
	}
	return head, bytes, err
}

// statistics is what has been done so far.
func (s *sink) statistics() holdfast.Statistics {
	s.mu.Lock()
	defer s.mu.Unlock()
	st := s.done
	st.Items += s.writer.Items()
	st.WrittenBytes += s.writer.Bytes()
	st.Skipped = int64(len(s.misses))
	st.ReadBytes = s.readBytes.Load()
	st.Bottleneck = bottleneck(s.busy.Load(), s.storing.Load())
	return st
}

// bottleneck names, in the contract's words, the side that reading and storing waited for longer; nothing when nothing was read.
func bottleneck(busy, storing int64) string {
	switch {
	case busy <= 0:
		return ""
	case 2*storing > busy:
		return "Target"
	}
	return "Source"
}

func (s *sink) progress() {
	if s.task.Progress != nil {
		s.task.Progress(s.statistics())
	}
}

// cut shortens a text for a record.
func cut(s string, n int) string {
	if len(s) <= n {
		return s
	}
	return strings.ToValidUTF8(s[:n], "") + "…"
}

// keyLocks lets one holder at a time have a key, in the order in which they asked. The zero value works.
type keyLocks struct {
	mu   sync.Mutex // guards last
	last map[string]chan struct{}
}

// lock waits for those who asked for key before, or for ctx.
func (k *keyLocks) lock(ctx context.Context, key string) (unlock func(), err error) {
	k.mu.Lock()
	if k.last == nil {
		k.last = map[string]chan struct{}{}
	}
	before, mine := k.last[key], make(chan struct{})
	k.last[key] = mine
	k.mu.Unlock()
	free := func() {
		k.mu.Lock()
		if k.last[key] == mine {
			delete(k.last, key)
		}
		k.mu.Unlock()
		close(mine)
	}
	if before != nil {
		select {
		case <-before:
		case <-ctx.Done():
			go func() { <-before; free() }() // those behind must not overtake those before
			return nil, context.Cause(ctx)
		}
	}
	return free, nil
}
