package vault

import (
	"context"
	"sync"
	"time"

	"holdfast/internal/holdfast"
	"holdfast/internal/sys"
)

// clockWatch notices when the system clock is set: it compares how far it went with how much time really passed.
type clockWatch struct {
	clock sys.Clock

	mu     sync.Mutex // guards all below
	wall   time.Time
	ticks  time.Duration
	jumped time.Duration // the sum of all jumps since the clock was last trusted
}

func newClockWatch(c sys.Clock) *clockWatch {
	return &clockWatch{clock: c, wall: c.Now(), ticks: sys.Monotonic()}
}

// clockTolerance is by how much the system clock may be off for retention to act.
const clockTolerance = time.Hour

// drift is by how much the clock was set since the vault was made or the clock trusted.
func (w *clockWatch) drift() time.Duration {
	w.mu.Lock()
	defer w.mu.Unlock()
	now, ticks := w.clock.Now(), sys.Monotonic()
	w.jumped += now.Round(0).Sub(w.wall.Round(0)) - (ticks - w.ticks)
	w.wall, w.ticks = now, ticks
	return w.jumped
}

func (w *clockWatch) trust() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.wall, w.ticks, w.jumped = w.clock.Now(), sys.Monotonic(), 0
}

// TrustClock says that a person has looked at the system clock and found it right, after Retain refused because it jumped.
func (v *Vault) TrustClock() { v.watch.trust() }

// trustedNow is the time by which restore points may expire: the later of the system's and the journal's. It refuses when the
// system clock was set by more than an hour, or lies behind the journal.
func (s *shared) trustedNow(ctx context.Context) (time.Time, error) {
	if d := s.vault.watch.drift(); d > clockTolerance || d < -clockTolerance {
		return time.Time{}, holdfast.Conflict("the system clock was set by %v while Holdfast ran: retention waits until someone has checked the clock and confirmed it or restarted Holdfast", d.Round(time.Second))
	}
	now := s.clock.Now().UTC()
	last, err := s.lastEntry(ctx)
	if err != nil {
		return time.Time{}, err
	}
	t, ok := entryTime(last)
	switch {
	case !ok:
		return now, nil
	case t.Sub(now) > behindTolerance:
		return time.Time{}, holdfast.Conflict("the system clock (%s) lies behind the newest entry of the repository's journal (%s): set the clock right, then run retention again",
			now.Format(time.RFC3339), t.Format(time.RFC3339))
	case t.After(now):
		return t, nil
	}
	return now, nil
}

// behindTolerance is what a clock may lie behind the journal when it is kept right by small steps.
const behindTolerance = time.Minute
