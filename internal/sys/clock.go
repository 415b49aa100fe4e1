// Package sys holds the outside world behind small interfaces: time, randomness, the dialler and fault points,
// so that a test can move, cut or break any of them. It is the only package that calls time.Now.
package sys

import (
	"context"
	"sync"
	"time"
)

// Clock tells and waits for time. Retention, schedules, leases and retries take one; nobody calls time.Now.
type Clock interface {
	// Now is the wall clock, UTC.
	Now() time.Time
	// Sleep waits for d or until ctx ends, whose error it then returns.
	Sleep(ctx context.Context, d time.Duration) error
	// After delivers once, after d. The channel has room for one.
	After(d time.Duration) <-chan time.Time
}

// System is the machine's clock. In a testing/synctest bubble it is the bubble's clock.
var System Clock = systemClock{}

type systemClock struct{}

func (systemClock) Now() time.Time { return time.Now().UTC() }

func (systemClock) Sleep(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}

func (systemClock) After(d time.Duration) <-chan time.Time { return time.After(d) }

// Shifted is a clock that runs at the speed of another one, moved by an offset that can be changed.
// The simulator's clock and tests of clock jumps use it. Waiting is not shortened by a move.
type Shifted struct {
	base Clock
	mu   sync.Mutex // guards by
	by   time.Duration
}

// NewShifted returns a clock that shows base's time until it is moved.
func NewShifted(base Clock) *Shifted { return &Shifted{base: base} }

// Now is base's time plus the offset.
func (c *Shifted) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.base.Now().Add(c.by)
}

// Move adds d, which may be negative, to the offset.
func (c *Shifted) Move(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.by += d
}

// Sleep waits for d of base's time.
func (c *Shifted) Sleep(ctx context.Context, d time.Duration) error { return c.base.Sleep(ctx, d) }

// After delivers after d of base's time.
func (c *Shifted) After(d time.Duration) <-chan time.Time { return c.base.After(d) }

var started = time.Now()

// Monotonic is time that passed since the process started. Setting the clock does not change it.
func Monotonic() time.Duration { return time.Since(started) }
