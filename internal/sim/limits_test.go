package sim

import (
	"testing"
	"time"
)

// Calls that come together are counted in any order; none is forgotten.
func TestAWindowCountsCallsThatComeOutOfOrder(t *testing.T) {
	var w window
	at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for i, back := range []time.Duration{0, time.Millisecond, 2 * time.Second, -time.Second} {
		if _, ok := w.add(at.Add(-back), time.Minute, 1, 4); !ok {
			t.Fatalf("call %d of 4 is refused", i+1)
		}
	}
	if wait, ok := w.add(at, time.Minute, 1, 4); ok || wait <= 0 || wait > time.Minute {
		t.Errorf("the fifth call of 4 is let in: %t, wait %v", ok, wait)
	}
	if _, ok := w.add(at.Add(time.Minute), time.Minute, 1, 4); !ok {
		t.Error("the next window lets nothing in")
	}
	if _, ok := w.add(at.Add(-time.Hour), time.Minute, 1, 4); !ok {
		t.Error("a clock that was moved back lets nothing in")
	}
}
