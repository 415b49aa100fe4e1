package app

import (
	"context"
	"math"
	"runtime/debug"
	"testing"
	"testing/synctest"
	"time"

	"holdfast/internal/sys"
)

func TestMemoryLimitGivesWayToWhatIsInUse(t *testing.T) {
	for live, want := range map[uint64]int64{0: softMemory, softMemory / 5 * 4: softMemory, softMemory: softMemory / 4 * 5, math.MaxUint64: math.MaxInt64} {
		if got := memoryLimit(live); got != want {
			t.Errorf("with %d bytes in use: %d, want %d", live, got, want)
		}
	}
}

// TestMemoryIsBoundWhileAServerRuns: the limit holds as long as the server runs, grows with what is in use, and is as it was afterwards. One that the
// environment sets is left alone.
func TestMemoryIsBoundWhileAServerRuns(t *testing.T) {
	for name, tc := range map[string]struct {
		environment string
		bound       bool
	}{"by itself": {"", true}, "by the environment": {"1GiB", false}} {
		t.Run(name, func(t *testing.T) {
			t.Setenv("GOMEMLIMIT", tc.environment)
			synctest.Test(t, func(t *testing.T) {
				before := debug.SetMemoryLimit(-1)
				ctx, cancel := context.WithCancel(t.Context())
				done := make(chan error)
				go func() { done <- boundMemory(ctx, sys.System) }()
				if err := sys.System.Sleep(ctx, 2*memoryEvery+time.Millisecond); err != nil {
					t.Fatal(err)
				}
				synctest.Wait()
				if at := debug.SetMemoryLimit(-1); tc.bound && (at < softMemory || at == before) || !tc.bound && at != before {
					t.Errorf("the limit is %d, before it was %d", at, before)
				}
				cancel()
				if err := <-done; err != nil {
					t.Error(err)
				}
				if at := debug.SetMemoryLimit(-1); at != before {
					t.Errorf("afterwards the limit is %d, before it was %d", at, before)
				}
			})
		})
	}
}
