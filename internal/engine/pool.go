package engine

import (
	"container/list"
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"sync"

	"holdfast/internal/holdfast"
)

// PoolLimits bounds what runs at one time. The zero value takes the defaults.
type PoolLimits struct {
	Count        int   // reads in all; default 16
	Bytes        int64 // bytes of what is being read, as the sources state sizes; default 256 MiB. A bigger one runs alone.
	PerContainer int   // reads of one container; default 4, the number that Outlook allows for one mailbox
	Queue        int   // reads of one container that wait; default 64. Go blocks above it.
}

func (l PoolLimits) withDefaults() PoolLimits {
	if l.Count <= 0 {
		l.Count = 16
	}
	if l.Bytes <= 0 {
		l.Bytes = 256 << 20
	}
	if l.PerContainer <= 0 {
		l.PerContainer = 4
	}
	if l.Queue <= 0 {
		l.Queue = 64
	}
	return l
}

// smallestRead is what a read counts as at least, so that a million empty ones do not all run at once.
const smallestRead = 16 << 10

// Pool runs the reads of all containers, in turns: each container that has something waiting gets one read started before any
// gets a second. A read that does not fit into the bytes yet holds the turn, so that big ones are not passed over for ever.
type Pool struct {
	limits PoolLimits

	mu    sync.Mutex // guards all below, and the fields of each lane
	turn  *list.List // of *lane: those with something that they may start, next one first
	count int
	bytes int64
}

// NewPool returns a pool; it has no goroutines of its own while nothing runs.
func NewPool(l PoolLimits) *Pool { return &Pool{limits: l.withDefaults(), turn: list.New()} }

// lane is one container's share of the pool. Its owner calls wait before it lets go of it.
type lane struct {
	pool   *Pool
	ctx    context.Context // the container's work; ended by the first error
	cancel context.CancelCauseFunc

	queue   []read
	running int
	place   *list.Element // in pool.turn
	err     error
	changed chan struct{} // closed and replaced whenever queue or running shrinks
}

type read struct {
	size int64
	fn   func(ctx context.Context) error
}

// insideKey marks the context of a running read: what it queues itself must not wait for a place that only its end can free.
type insideKey struct{}

func (p *Pool) lane(ctx context.Context) *lane {
	ctx, cancel := context.WithCancelCause(ctx)
	return &lane{pool: p, ctx: ctx, cancel: cancel, changed: make(chan struct{})}
}

// run queues fn. It waits while the lane's queue is full and drops fn when the lane has ended.
func (l *lane) run(ctx context.Context, size int64, fn func(ctx context.Context) error) {
	p := l.pool
	size = min(max(size, smallestRead), p.limits.Bytes)
	inside, _ := ctx.Value(insideKey{}).(*lane)
	p.mu.Lock()
	for len(l.queue) >= p.limits.Queue && inside != l {
		if l.ctx.Err() != nil || ctx.Err() != nil {
			break
		}
		changed := l.changed
		p.mu.Unlock()
		select {
		case <-changed:
		case <-l.ctx.Done():
		case <-ctx.Done():
		}
		p.mu.Lock()
	}
	defer p.mu.Unlock()
	if err := context.Cause(l.ctx); err != nil {
		l.fail(err)
		return
	}
	if err := context.Cause(ctx); err != nil {
		l.fail(err)
		return
	}
	l.queue = append(l.queue, read{size: size, fn: fn})
	l.line()
	p.dispatch()
}

// line puts the lane into the turn when it may start something. The pool's lock is held.
func (l *lane) line() {
	may := len(l.queue) > 0 && l.running < l.pool.limits.PerContainer
	if may && l.place == nil {
		l.place = l.pool.turn.PushBack(l)
	} else if !may && l.place != nil {
		l.pool.turn.Remove(l.place)
		l.place = nil
	}
}

// dispatch starts what there is room for. The pool's lock is held.
func (p *Pool) dispatch() {
	for p.count < p.limits.Count {
		front := p.turn.Front()
		if front == nil {
			return
		}
		l := front.Value.(*lane)
		next := l.queue[0]
		if p.bytes > 0 && p.bytes+next.size > p.limits.Bytes {
			return
		}
		l.queue[0] = read{}
		l.queue = l.queue[1:]
		l.running++
		p.count++
		p.bytes += next.size
		p.turn.Remove(front)
		l.place = nil
		l.line()
		l.tell()
		go l.start(next)
	}
}

func (l *lane) start(r read) {
	var err error
	if err = context.Cause(l.ctx); err == nil {
		err = guard(func() error { return r.fn(context.WithValue(l.ctx, insideKey{}, l)) })
	}
	p := l.pool
	p.mu.Lock()
	defer p.mu.Unlock()
	l.running--
	p.count--
	p.bytes -= r.size
	var skip *holdfast.Skip
	if err != nil && !errors.As(err, &skip) {
		l.fail(err)
	}
	l.line()
	l.tell()
	p.dispatch()
}

// fail ends the lane: nothing that waits is started any more. The pool's lock is held.
func (l *lane) fail(err error) {
	if l.err == nil {
		l.err = err
		l.cancel(err)
	}
	l.queue = nil
	l.line()
	l.tell()
}

func (l *lane) tell() {
	close(l.changed)
	l.changed = make(chan struct{})
}

// wait waits until nothing runs or waits, and returns the first error.
func (l *lane) wait() error {
	p := l.pool
	p.mu.Lock()
	defer p.mu.Unlock()
	ended := l.ctx.Done()
	for l.running > 0 || len(l.queue) > 0 {
		changed := l.changed
		p.mu.Unlock()
		select {
		case <-changed:
			p.mu.Lock()
		case <-ended:
			ended = nil
			p.mu.Lock()
			l.fail(context.Cause(l.ctx))
		}
	}
	return l.err
}

// close drops what waits, waits for what runs, and frees the lane.
func (l *lane) close() {
	l.pool.mu.Lock()
	l.queue = nil
	l.line()
	l.tell()
	l.pool.mu.Unlock()
	l.cancel(context.Canceled)
	_ = l.wait() // the lane's error has been returned by the wait before, or its work was given up
}

// guard turns a panic of fn into an error: a workload's mistake ends one container, not the process.
func guard(fn func() error) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("internal check: panic: %v\n%s", r, debug.Stack())
		}
	}()
	return fn()
}
