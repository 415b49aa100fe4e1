package engine

import (
	"context"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"holdfast/internal/holdfast"
)

// A mailbox with a long queue must not keep a small one waiting: turns alternate.
func TestPoolTakesTurnsBetweenContainers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := NewPool(PoolLimits{Count: 1})
		var mu sync.Mutex
		var order []string
		job := func(name string) func(context.Context) error {
			return func(ctx context.Context) error {
				mu.Lock()
				defer mu.Unlock()
				order = append(order, name)
				return nil
			}
		}
		gate := make(chan struct{})
		hold := p.lane(t.Context())
		hold.run(t.Context(), 1, func(context.Context) error { <-gate; return nil })
		big, small := p.lane(t.Context()), p.lane(t.Context())
		for range 5 {
			big.run(t.Context(), 1, job("big"))
		}
		for range 2 {
			small.run(t.Context(), 1, job("small"))
		}
		synctest.Wait()
		close(gate)
		for _, l := range []*lane{hold, big, small} {
			if err := l.wait(); err != nil {
				t.Error(err)
			}
			l.close()
		}
		if got, want := strings.Join(order, " "), "big small big small big big big"; got != want {
			t.Errorf("order %q, want %q", got, want)
		}
	})
}

func TestPoolKeepsItsBounds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const mib = 1 << 20
		p := NewPool(PoolLimits{Count: 6, Bytes: 10 * mib, PerContainer: 4, Queue: 8})
		var all, bytes atomic.Int64
		var wg sync.WaitGroup
		for c := range 3 {
			wg.Go(func() {
				l := p.lane(t.Context())
				defer l.close()
				var mine atomic.Int64
				for i := range 40 {
					size := int64(i%7+c) * mib
					if i == 20 {
						size = 500 * mib // alone
					}
					l.run(t.Context(), size, func(ctx context.Context) error {
						counted := min(size, 10*mib)
						n, b, m := all.Add(1), bytes.Add(counted), mine.Add(1)
						if n > 6 || b > 10*mib || m > 4 {
							t.Errorf("%d reads of %d bytes, %d of this container", n, b, m)
						}
						time.Sleep(time.Second)
						all.Add(-1)
						bytes.Add(-counted)
						mine.Add(-1)
						return nil
					})
					p.mu.Lock()
					if len(l.queue) > 8 {
						t.Errorf("%d reads wait, want at most 8", len(l.queue))
					}
					p.mu.Unlock()
				}
				if err := l.wait(); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
	})
}

func TestPoolErrorEndsOneContainerOnly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := NewPool(PoolLimits{Count: 2})
		bad, good := p.lane(t.Context()), p.lane(t.Context())
		boom := errors.New("boom")
		bad.run(t.Context(), 1, func(context.Context) error { return &holdfast.Skip{Reason: holdfast.SkipLocked, Err: boom} })
		if err := bad.wait(); err != nil {
			t.Errorf("a skip ended the container: %v", err)
		}
		var ran atomic.Int64
		bad.run(t.Context(), 1, func(context.Context) error { return boom })
		for range 10 {
			good.run(t.Context(), 1, func(context.Context) error { ran.Add(1); return nil })
		}
		if err := bad.wait(); !errors.Is(err, boom) {
			t.Errorf("wait = %v, want boom", err)
		}
		bad.run(t.Context(), 1, func(context.Context) error { t.Error("ran after the error"); return nil })
		if err := good.wait(); err != nil || ran.Load() != 10 {
			t.Errorf("the other container: %v, %d of 10 ran", err, ran.Load())
		}
		bad.close()
		good.close()
	})
}

func TestPoolPanicIsAnError(t *testing.T) {
	l := NewPool(PoolLimits{}).lane(t.Context())
	defer l.close()
	l.run(t.Context(), 1, func(context.Context) error { panic("slip") })
	if err := l.wait(); err == nil || !strings.Contains(err.Error(), "slip") {
		t.Errorf("wait = %v, want the panic", err)
	}
}

// What a read queues itself must not wait for its own end.
func TestPoolReadMayQueueMoreThanTheQueueHolds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := NewPool(PoolLimits{Count: 1, Queue: 2}).lane(t.Context())
		defer l.close()
		var ran atomic.Int64
		l.run(t.Context(), 1, func(ctx context.Context) error {
			for range 20 {
				l.run(ctx, 1, func(context.Context) error { ran.Add(1); return nil })
			}
			return nil
		})
		if err := l.wait(); err != nil || ran.Load() != 20 {
			t.Errorf("%v, %d of 20 ran", err, ran.Load())
		}
	})
}

func TestPoolCancelEndsTheWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancelCause(t.Context())
		p := NewPool(PoolLimits{Count: 1})
		hold := p.lane(t.Context())
		gate := make(chan struct{})
		hold.run(t.Context(), 1, func(context.Context) error { <-gate; return nil })
		l := p.lane(ctx)
		l.run(ctx, 1, func(context.Context) error { t.Error("ran"); return nil })
		stop := errors.New("stopped by the user")
		go func() { time.Sleep(time.Second); cancel(stop) }()
		if err := l.wait(); !errors.Is(err, stop) {
			t.Errorf("wait = %v, want the cause", err)
		}
		l.close()
		close(gate)
		hold.close()
	})
}
