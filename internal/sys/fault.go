package sys

import (
	"context"
	"errors"
	"fmt"
	"sync"
)

// ErrInjected is the cause of every error that a fault point made.
var ErrInjected = errors.New("injected fault")

// FaultMode says what happens at the chosen call.
type FaultMode int

// The ways in which a call can break.
const (
	// FaultError fails the call before it has any effect.
	FaultError FaultMode = iota
	// FaultErrorAfter lets the call take effect and then reports an error (a lost acknowledgement).
	FaultErrorAfter
	// FaultTorn lets half of a write take effect and reports an error; a call that writes nothing fails as FaultError.
	FaultTorn
	// FaultCrash ends the process's view of the world: this call has no effect and every later call fails too.
	FaultCrash
)

func (m FaultMode) String() string {
	return [...]string{"error", "error-after", "torn", "crash"}[m]
}

// Faults counts calls to named points and breaks the ones that a test chose. The zero value and nil break nothing,
// so production passes nil.
type Faults struct {
	mu      sync.Mutex // guards all below
	calls   int
	byPoint map[string]int
	at      int
	point   string
	mode    FaultMode
	crashed bool
	fired   string
}

// BreakAt makes the n-th call (from 1) to point break in the given mode; an empty point counts calls to all points together.
func BreakAt(point string, n int, mode FaultMode) *Faults {
	return &Faults{at: n, point: point, mode: mode}
}

// Fault is what a point must do at one call. A nil *Fault means: go on.
type Fault struct {
	Mode FaultMode
	Err  error
}

// Hit counts a call to point and returns the fault to act out, or nil.
func (f *Faults) Hit(point string) *Fault {
	if f == nil {
		return nil
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.crashed {
		return &Fault{Mode: FaultCrash, Err: fmt.Errorf("%w: process is down at %s", ErrInjected, point)}
	}
	if f.byPoint == nil {
		f.byPoint = map[string]int{}
	}
	f.calls++
	f.byPoint[point]++
	n := f.calls
	if f.point != "" {
		n = f.byPoint[point]
		if f.point != point {
			return nil
		}
	}
	if f.at == 0 || n != f.at {
		return nil
	}
	f.fired = point
	f.crashed = f.mode == FaultCrash
	return &Fault{Mode: f.mode, Err: fmt.Errorf("%w: %s at call %d of %s", ErrInjected, f.mode, n, point)}
}

// Do runs fn as one call to point: not at all, wholly, or wholly with an error reported, as the fault says.
// A point that can tear a write uses Hit instead.
func (f *Faults) Do(ctx context.Context, point string, fn func(context.Context) error) error {
	fault := f.Hit(point)
	if fault == nil {
		return fn(ctx)
	}
	if fault.Mode == FaultErrorAfter {
		if err := fn(ctx); err != nil {
			return err
		}
	}
	return fault.Err
}

// Calls is how many calls all points have seen; a sweep ends when the chosen n is above it.
func (f *Faults) Calls() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.calls
}

// Fired names the point at which the fault struck, or is empty.
func (f *Faults) Fired() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.fired
}
