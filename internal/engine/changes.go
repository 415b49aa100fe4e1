package engine

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"

	"holdfast/internal/holdfast"
	"holdfast/internal/vault"
)

// Change is what the source has now of one item, beside what a state has. Before is zero of an added one, After of a removed one.
type Change struct {
	Kind          holdfast.DifferenceKind
	Before, After holdfast.Item
}

type comparingKey struct{}

// Comparing tells a Source that what it reads is compared and not stored: what the service no longer lists may be told as deleted without asking for it.
func Comparing(ctx context.Context) bool {
	on, _ := ctx.Value(comparingKey{}).(bool)
	return on
}

// changesKept bounds what one comparison collects.
const changesKept = 100_000

// Changes reads what happened at the source since a state, as a backup from that state would, and stores nothing.
func (e *Engine) Changes(ctx context.Context, repo *vault.Repository, head *vault.Head, src Source, c holdfast.Container) ([]Change, error) {
	view, err := repo.View(ctx, head)
	if err != nil {
		return nil, fmt.Errorf("open the restore point of %s: %w", c, err)
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	l := &looking{room: make(chan struct{}, 4), stop: cancel, now: map[string]*holdfast.Item{}}
	err = guard(func() error {
		return src.Read(context.WithValue(ctx, comparingKey{}, true), c, previous{view: view}, l)
	})
	if err != nil {
		cancel(err)
	}
	if failed := l.Wait(); failed != nil {
		err = failed // what the source then says is that it was stopped
	}
	if err != nil {
		return nil, fmt.Errorf("compare with %s: %w", c, err)
	}
	var out []Change
	for id, now := range l.now {
		before, had, err := view.Item(ctx, id)
		switch {
		case err != nil:
			return nil, err
		case had && now == nil:
			out = append(out, Change{Kind: holdfast.Removed, Before: before})
		case !had && now != nil:
			out = append(out, Change{Kind: holdfast.Added, After: *now})
		case had && (before.Version != now.Version || before.Parent != now.Parent || before.Name != now.Name):
			out = append(out, Change{Kind: holdfast.Changed, Before: before, After: *now})
		}
	}
	return out, nil
}

// looking is a Sink that only notes what it is told.
type looking struct {
	room chan struct{} // of work at once
	stop context.CancelCauseFunc
	work sync.WaitGroup

	mu  sync.Mutex                // guards all below
	now map[string]*holdfast.Item // nil: deleted
	err error                     // the first one
}

func (l *looking) note(ctx context.Context, id string, item *holdfast.Item) error {
	holdfast.Progress(ctx, 1)
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.now[id] = item; len(l.now) > changesKept {
		return holdfast.Conflict("more than %d items changed since: compare with a newer restore point", changesKept)
	}
	return nil
}

// Put notes an item. Its content is read only as far as the source needs it to say what the item is.
func (l *looking) Put(ctx context.Context, item holdfast.Item, payloads ...holdfast.Payload) error {
	if item.Kind == holdfast.KindVersion {
		return nil
	}
	for _, p := range payloads {
		if p.Keep || p.Form == holdfast.FormFile || p.Pieces == nil {
			continue // a file's row says what it is
		}
		for piece, err := range p.Pieces {
			if err != nil {
				return err
			}
			if _, err := io.Copy(io.Discard, piece.Reader); err != nil {
				return err
			}
		}
	}
	return l.note(ctx, item.ID, &item)
}

func (l *looking) Delete(ctx context.Context, id string) error { return l.note(ctx, id, nil) }

// Skip has nothing to compare: the item can't be read now.
func (l *looking) Skip(context.Context, holdfast.Item, *holdfast.Skip) {}

func (l *looking) Cursor(context.Context, string, string) error { return nil }

// Go waits for room before it returns, so that what waits is with the source.
func (l *looking) Go(ctx context.Context, _ int64, fn func(ctx context.Context) error) {
	l.room <- struct{}{}
	l.work.Go(func() {
		defer func() { <-l.room }()
		err := guard(func() error { return fn(ctx) })
		var skip *holdfast.Skip
		if err == nil || errors.As(err, &skip) {
			return
		}
		l.mu.Lock()
		defer l.mu.Unlock()
		if l.err == nil {
			l.err = err
			l.stop(err)
		}
	})
}

func (l *looking) Wait() error {
	l.work.Wait()
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.err
}

func (l *looking) Savepoint(context.Context) error { return nil }
