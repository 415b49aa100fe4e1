package engine_test

import (
	"context"
	"fmt"
	"os"
	"testing"
	"time"

	"holdfast/internal/engine"
	"holdfast/internal/holdfast"
	"holdfast/internal/sys"
	"holdfast/internal/vault"
)

const day = 24 * time.Hour

// long says that sweeps go over every call instead of a part of them.
var long = os.Getenv("HOLDFAST_LONG") != ""

// sweep breaks the n-th call of act, for n from 1 on until act makes fewer calls, in each mode. prepare makes the world before; after each
// act the world is started again without faults, act is repeated until it succeeds, and all invariants are checked. Unless long, only
// some of the calls that write are struck.
func sweep(t *testing.T, stride int, prepare func(w *world), act func(w *world) error, check func(w *world)) {
	ready := newWorld(t)
	ready.config.CheckpointBytes = 1
	ready.must(ready.start(nil))
	prepare(ready)
	ready.stop()
	for _, mode := range []sys.FaultMode{sys.FaultError, sys.FaultErrorAfter, sys.FaultTorn, sys.FaultCrash} {
		points, first, step, least := []string{""}, 1, 1, 100
		if !long {
			points, first, step, least = []string{"db", "blob.put"}, 1+int(mode)*stride/4, stride, 3
		}
		for _, point := range points {
			t.Run(mode.String()+" "+point, func(t *testing.T) {
				t.Parallel()
				struck := map[string]int{}
				n := first
				for ; ; n += step {
					fired := strike(t, ready, point, n, mode, act, check)
					if t.Failed() {
						t.Fatalf("%s at call %d of %q (%s)", mode, n, point, fired)
					}
					if fired == "" {
						break
					}
					struck[fired]++
				}
				t.Logf("up to %d calls; struck: %v", n, struck)
				if n < least {
					t.Errorf("only %d calls: the faults are not where they should be", n)
				}
			})
		}
	}
}

// strike breaks one call and says at which point it was.
func strike(t judge, ready *world, point string, n int, mode sys.FaultMode, act func(w *world) error, check func(w *world)) string {
	t.Helper()
	w := ready.copy(t)
	defer os.RemoveAll(w.dir)
	defer w.stop()
	faults := sys.BreakAt(point, n, mode)
	err := w.start(faults)
	if err == nil {
		err = act(w)
	}
	fired := faults.Fired()
	if err != nil && fired == "" {
		t.Errorf("nothing broke, but: %v", err)
	}
	w.must(w.start(nil))
	w.check() // what was acknowledged is there, whatever happened
	for try := 0; ; try++ {
		if err = act(w); err == nil || try == 3 {
			break
		}
	}
	if err != nil {
		t.Errorf("it does not come right again: %v", err)
	}
	w.check()
	check(w)
	return fired
}

// upToDate checks that the newest restore point shows the sources as they are.
func upToDate(w *world, sources ...string) {
	w.t.Helper()
	points := w.db.Points()
	if len(points) == 0 {
		w.t.Error("no restore point")
		return
	}
	newest := points[len(points)-1]
	for _, s := range sources {
		found := false
		for _, e := range newest.Entries {
			if e.Container.Source != s {
				continue
			}
			found = true
			for _, h := range w.db.All() {
				if h.Container.Key() == e.Container.Key() && h.Number == e.Head {
					if d := diff(w.held(h), w.tenant.Truth(s)); d != "" {
						w.t.Errorf("the newest restore point of %s:\n%s", s, d)
					}
				}
			}
		}
		if !found {
			w.t.Errorf("the newest restore point lacks %s", s)
		}
	}
}

func TestBackupSweep(t *testing.T) {
	sweep(t, 28, twoMailboxes, backupThree, func(w *world) { upToDate(w, "ann", "bob", "cid") })
}

// twoMailboxes are backed up, have changed since, and got a third one beside them.
func twoMailboxes(w *world) {
	w.fill("ann", 6)
	w.fill("bob", 3)
	_, err := w.backupSession("ann", "bob")
	w.must(err)
	w.tenant.Put("ann", "m001", "inbox", "changed", "changed")
	w.tenant.Delete("ann", "m002")
	w.fill("cid", 9)
	for i := range 4 {
		w.tenant.Put("bob", fmt.Sprint("n", i), "inbox", "new", fmt.Sprint(i))
	}
}

func backupThree(w *world) error {
	_, err := w.backupSession("ann", "bob", "cid")
	return err
}

// retain runs retention as a proxy does.
func (w *world) retain(period holdfast.RetentionPeriod) error {
	w.t.Helper()
	lease := w.db.Lease("retention")
	_, err := w.repo.Retain(w.t.Context(), vault.RetainOptions{Period: period, Forget: func(ctx context.Context, expired []holdfast.RestorePointID) error {
		return w.db.ForgetRestorePoints(ctx, lease, expired)
	}})
	if err != nil {
		return err
	}
	records, err := w.db.Heads(w.t.Context(), lease, w.repo.Ref().Repository)
	if err != nil {
		return err
	}
	var current []vault.Head
	for i := range records {
		h, err := engine.HeadOf(&records[i])
		if err != nil {
			return err
		}
		current = append(current, *h)
	}
	_, err = w.repo.Maintain(w.t.Context(), current)
	return err
}

func TestRetentionSweep(t *testing.T) {
	sweep(t, 8, func(w *world) {
		w.fill("ann", 4)
		_, err := w.backupSession("ann")
		w.must(err)
		// The vault is made anew at each start, so that this is no jump that it sees.
		w.clock.Move(40 * day)
		w.must(w.start(nil))
		for i := range 3 {
			w.tenant.Put("ann", fmt.Sprint("n", i), "inbox", "new", fmt.Sprint(i))
			_, err = w.backupSession("ann")
			w.must(err)
			w.clock.Move(day)
			w.must(w.start(nil))
		}
	}, func(w *world) error { return w.retain(holdfast.RetentionPeriod{Days: 30}) },
		func(w *world) {
			upToDate(w, "ann")
			if n := len(w.db.Points()); n != 3 {
				w.t.Errorf("%d restore points left, want 3", n)
			}
			_, err := w.backupSession("ann")
			w.must(err)
			w.check()
		})
}
