package engine_test

import (
	"flag"
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"holdfast/internal/holdfast"
	"holdfast/internal/sys"
)

// Random tenants, changes, sessions, crashes, breaks and retention, with the seed printed on failure: what was acknowledged is always
// there, holds what the source had, and a session that goes through shows the source as it is.
func TestRandomSchedules(t *testing.T) {
	t.Parallel()
	if !long { // a schedule costs a second
		checks := flag.Lookup("rapid.checks")
		if err := checks.Value.Set("4"); err != nil {
			t.Fatal(err)
		}
		defer checks.Value.Set(checks.DefValue)
	}
	rapid.Check(t, func(rt *rapid.T) {
		w := newWorld(schedule{T: t, rt: rt})
		defer w.stop()
		w.config.CheckpointBytes = int64(rapid.SampledFrom([]int{1, 500, 1 << 30}).Draw(rt, "checkpoint bytes"))
		w.tenant.Page = rapid.IntRange(1, 6).Draw(rt, "page")
		w.must(w.start(nil))
		sources := []string{"ann", "bob"}
		for _, s := range sources {
			w.fill(s, 2)
		}
		id := rapid.IntRange(0, 9)
		change := func() {
			s := rapid.SampledFrom(sources).Draw(rt, "source")
			name := fmt.Sprintf("m%03d", id.Draw(rt, "item"))
			switch rapid.IntRange(0, 9).Draw(rt, "change") {
			case 0, 1, 2, 3:
				w.tenant.Put(s, name, rapid.SampledFrom([]string{"inbox", "empty"}).Draw(rt, "parent"), "mail", rapid.StringN(0, 40, 200).Draw(rt, "content"))
			case 4, 5:
				w.tenant.Delete(s, name)
			case 6:
				w.tenant.Expire(s)
			case 7:
				w.tenant.Break(s, name, &holdfast.Skip{Reason: holdfast.SkipCorrupt, Err: fmt.Errorf("corrupt")})
			case 8:
				w.tenant.Break(s, name, nil)
			case 9:
				w.clock.Move(time.Duration(rapid.IntRange(1, 40).Draw(rt, "hours")) * time.Hour)
				w.must(w.start(nil)) // a new vault sees no jump
			}
		}
		for range rapid.IntRange(1, 5).Draw(rt, "rounds") {
			for range rapid.IntRange(0, 6).Draw(rt, "changes") {
				change()
			}
			faults := sys.BreakAt(
				rapid.SampledFrom([]string{"", "db", "blob.put", "source", "nowhere"}).Draw(rt, "point"), rapid.IntRange(1, 30).Draw(rt, "call"),
				rapid.SampledFrom([]sys.FaultMode{sys.FaultError, sys.FaultErrorAfter, sys.FaultTorn, sys.FaultCrash}).Draw(rt, "mode"))
			if w.start(faults) == nil {
				if rapid.IntRange(0, 3).Draw(rt, "retention") == 0 {
					_ = w.retain(holdfast.RetentionPeriod{Days: 1}) // may break; what matters is what is left
				} else {
					_, _ = w.backupSession(sources...)
				}
			}
			w.must(w.start(nil))
			w.check()
		}
		for _, s := range sources {
			for i := range 10 {
				w.tenant.Break(s, fmt.Sprintf("m%03d", i), nil)
			}
		}
		if _, err := w.backupSession(sources...); err != nil {
			rt.Fatalf("with nothing broken: %v", err)
		}
		w.check()
		upToDate(w, sources...)
	})
}

// schedule judges by rapid, so that it can shrink; the rest is the test's.
type schedule struct {
	*testing.T
	rt *rapid.T
}

func (s schedule) Errorf(format string, args ...any) { s.rt.Errorf(format, args...) }
func (s schedule) Error(args ...any)                 { s.rt.Error(args...) }
func (s schedule) Fatalf(format string, args ...any) { s.rt.Fatalf(format, args...) }
func (s schedule) Fatal(args ...any)                 { s.rt.Fatal(args...) }
func (s schedule) Failed() bool                      { return s.rt.Failed() }
