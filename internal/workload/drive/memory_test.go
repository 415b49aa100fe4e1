package drive_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"

	"holdfast/internal/engine"
	"holdfast/internal/holdfast"
)

// memory is what the vault has of one container, as a Previous.
type memory struct {
	items   map[string]held
	cursors map[string]string
	missed  map[string]engine.Missed
	anew    bool
}

type held struct {
	item  holdfast.Item
	forms map[holdfast.Form][]byte
}

func newMemory() *memory {
	return &memory{items: map[string]held{}, cursors: map[string]string{}, missed: map[string]engine.Missed{}}
}

func (m *memory) clone() *memory {
	return &memory{items: maps.Clone(m.items), cursors: maps.Clone(m.cursors), missed: maps.Clone(m.missed)}
}

func (m *memory) Anew() bool { return m.anew }

func (m *memory) Empty() bool { return len(m.items) == 0 && len(m.cursors) == 0 }

func (m *memory) Cursor(_ context.Context, name string) (string, bool, error) {
	v, ok := m.cursors[name]
	return v, ok, nil
}

func (m *memory) Cursors(context.Context) iter.Seq2[engine.Cursor, error] {
	return func(yield func(engine.Cursor, error) bool) {
		for _, k := range slices.Sorted(maps.Keys(m.cursors)) {
			if !yield(engine.Cursor{Name: k, Value: m.cursors[k]}, nil) {
				return
			}
		}
	}
}

func (m *memory) Item(_ context.Context, id string) (holdfast.Item, bool, error) {
	h, ok := m.items[id]
	return h.item, ok, nil
}

func (m *memory) all(want func(holdfast.Item) bool) iter.Seq2[holdfast.Item, error] {
	return func(yield func(holdfast.Item, error) bool) {
		for _, id := range slices.Sorted(maps.Keys(m.items)) {
			if it := m.items[id].item; want(it) && !yield(it, nil) {
				return
			}
		}
	}
}

func (m *memory) Children(_ context.Context, parent string) iter.Seq2[holdfast.Item, error] {
	return m.all(func(i holdfast.Item) bool { return i.Parent == parent })
}

func (m *memory) All(context.Context) iter.Seq2[holdfast.Item, error] {
	return m.all(func(holdfast.Item) bool { return true })
}

func (m *memory) Missed(context.Context) iter.Seq2[engine.Missed, error] {
	return func(yield func(engine.Missed, error) bool) {
		for _, id := range slices.Sorted(maps.Keys(m.missed)) {
			if !yield(m.missed[id], nil) {
				return
			}
		}
	}
}

// path is where an item lies.
func (m *memory) path(item holdfast.Item) (string, error) {
	var parts []string
	for item.Parent != "" {
		parts = append(parts, item.Name)
		above, ok := m.items[item.Parent]
		if !ok || len(parts) > 100 {
			return "", fmt.Errorf("%q has no way to the root", item.Name)
		}
		item = above.item
	}
	slices.Reverse(parts)
	return strings.Join(parts, "/"), nil
}

var errCrash = errors.New("crash of the test")

// taking is a Sink over a memory.
type taking struct {
	t      *testing.T
	before *memory
	slots  chan struct{}
	wg     sync.WaitGroup

	mu      sync.Mutex // guards all below
	now     *memory
	saved   *memory // last checkpoint
	err     error
	puts    int
	deletes int
	gone    []string
	skips   map[string]holdfast.SkipReason
	calls   int
	crashAt int // the call that fails, with everything after it; 0 for none
	keyMu   map[string]*sync.Mutex

	atSavepoint func(now *memory) // when set, called at each savepoint
}

func takeFrom(t *testing.T, before *memory) *taking {
	return &taking{t: t, before: before, now: before.clone(), slots: make(chan struct{}, 4), skips: map[string]holdfast.SkipReason{}}
}

func (s *taking) call() error {
	s.calls++
	if s.crashAt > 0 && s.calls >= s.crashAt {
		return errCrash
	}
	return nil
}

func (s *taking) Put(_ context.Context, item holdfast.Item, payloads ...holdfast.Payload) error {
	h := held{item: item, forms: map[holdfast.Form][]byte{}}
	for _, p := range payloads {
		if p.Keep {
			s.mu.Lock()
			old, ok := s.now.items[item.ID].forms[p.Form]
			s.mu.Unlock()
			if !ok {
				return holdfast.NotFound("no earlier payload")
			}
			h.forms[p.Form] = old
			continue
		}
		var all []byte
		for piece, err := range p.Pieces {
			if err != nil {
				return err
			}
			b, err := io.ReadAll(piece.Reader)
			if err != nil {
				return err
			}
			if piece.Size >= 0 && int64(len(b)) != piece.Size {
				return fmt.Errorf("a piece gave %d bytes, not %d", len(b), piece.Size)
			}
			all = append(all, b...)
		}
		h.forms[p.Form] = all
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.call(); err != nil {
		return err
	}
	s.puts++
	s.now.items[item.ID] = h
	delete(s.now.missed, item.ID)
	return nil
}

func (s *taking) Delete(_ context.Context, id string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.call(); err != nil {
		return err
	}
	if _, ok := s.now.items[id]; ok {
		s.deletes++
		s.gone = append(s.gone, id)
	}
	delete(s.now.items, id)
	delete(s.now.missed, id)
	return nil
}

func (s *taking) Skip(_ context.Context, item holdfast.Item, why *holdfast.Skip) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.skips[item.Name] = why.Reason
	if why.Reason != holdfast.SkipVanished {
		s.now.missed[item.ID] = engine.Missed{Item: item, Reason: why.Reason}
	}
}

func (s *taking) Cursor(_ context.Context, name, value string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.call(); err != nil {
		return err
	}
	if value == "" {
		delete(s.now.cursors, name)
	} else {
		s.now.cursors[name] = value
	}
	return nil
}

func (s *taking) Go(ctx context.Context, _ int64, fn func(ctx context.Context) error) {
	s.slots <- struct{}{}
	s.wg.Go(func() {
		defer func() { <-s.slots }()
		if err := fn(ctx); err != nil {
			s.mu.Lock()
			defer s.mu.Unlock()
			if s.err == nil {
				s.err = err
			}
		}
	})
}

func (s *taking) Wait() error {
	s.wg.Wait()
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.err
}

func (s *taking) Savepoint(context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.call(); err != nil {
		return err
	}
	s.saved = s.now.clone()
	if s.atSavepoint != nil {
		s.atSavepoint(s.saved)
	}
	return nil
}
