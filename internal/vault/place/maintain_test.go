package place_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"holdfast/internal/holdfast"
	"holdfast/internal/sys"
	"holdfast/internal/vault/place"
)

func yields(ids ...place.ObjectID) func(func(place.ObjectID) error) error {
	return func(yield func(place.ObjectID) error) error {
		for _, id := range ids {
			if err := yield(id); err != nil {
				return err
			}
		}
		return nil
	}
}

// nightly opens the store a day later than last time, maintains it and closes it.
func nightly(t testing.TB, o place.Options, clock *sys.Shifted, live ...place.ObjectID) place.Report {
	t.Helper()
	clock.Move(25 * time.Hour)
	s := open(t, o)
	defer closeStore(t, s)
	r, err := s.Maintain(context.Background(), place.MaintainOptions{Live: yields(live...)})
	if err != nil {
		t.Fatalf("maintain: %v", err)
	}
	return r
}

func size(t testing.TB, dir string) (total int64) {
	t.Helper()
	for _, f := range files(t, dir) {
		fi, err := os.Stat(filepath.Join(dir, f))
		if err != nil {
			t.Fatal(err)
		}
		total += fi.Size()
	}
	return total
}

// A lone pack of which three quarters are garbage gives its space back, what lives stays readable at every step, and the ledger follows.
func TestSpaceOfDeadContentsComesBack(t *testing.T) {
	t.Parallel()
	o := options(t, filepath.Join(t.TempDir(), "place"))
	clock := sys.NewShifted(sys.System)
	o.Clock = clock
	prepare(t, o.Dir)
	if err := place.Create(context.Background(), o); err != nil {
		t.Fatal(err)
	}
	s := open(t, o)
	w := session(t, s)
	var live []place.ObjectID
	want := map[place.ObjectID][]byte{}
	for i := range 40 {
		data := random(uint64(i), 100<<10)
		id := put(t, w, data, place.Packed)
		if i%4 == 0 {
			live = append(live, id)
			want[id] = data
		}
	}
	flush(t, w)
	record(t, s, "point/a", "point")
	closeStore(t, s)
	before := size(t, o.Dir)
	var sum place.Report
	for range 8 {
		r := nightly(t, o, clock, live...)
		sum.Marked += r.Marked
		sum.Repacked += r.Repacked
		sum.BytesFreed += r.BytesFreed
		s := open(t, o)
		for id, data := range want {
			if got, err := get(s, id); err != nil || !bytes.Equal(got, data) {
				t.Fatalf("live object %s: %d bytes, %v", id, len(got), err)
			}
		}
		if got, err := s.ReadRecord(context.Background(), "point/a"); err != nil || string(got) != "point" {
			t.Fatalf("record = %q, %v", got, err)
		}
		if found := verifyStore(t, s); len(found) != 0 {
			t.Fatalf("findings after maintenance: %+v", found)
		}
		closeStore(t, s)
	}
	after := size(t, o.Dir)
	t.Logf("%d bytes before, %d after; %+v", before, after, sum)
	if sum.Marked != 30 || sum.Repacked == 0 || after > before*2/5 {
		t.Errorf("%d bytes before, %d after, %+v; want 30 marked, something repacked and at most 40 %% left", before, after, sum)
	}
}

func TestMaintenanceUnmarksWhatLivesAgain(t *testing.T) {
	o, acknowledged := template(t)
	clock := sys.NewShifted(sys.System)
	o.Clock = clock
	s := open(t, o)
	w := session(t, s)
	other := put(t, w, []byte("other"), place.Block)
	flush(t, w)
	record(t, s, "journal/000002", "other")
	closeStore(t, s)
	if r := nightly(t, o, clock, other); r.Marked != 1 {
		t.Fatalf("first run: %+v, want 1 marked", r)
	}
	if r := nightly(t, o, clock, other, acknowledged); r.Recovered != 1 {
		t.Fatalf("second run: %+v, want 1 recovered", r)
	}
	for range 4 {
		nightly(t, o, clock, other, acknowledged)
	}
	s = open(t, o)
	if got, err := get(s, acknowledged); err != nil || string(got) != "acknowledged" {
		t.Errorf("object = %q, %v", got, err)
	}
}

func TestMaintenanceRefuses(t *testing.T) {
	base, acknowledged := template(t)
	clock := sys.NewShifted(sys.System)
	ctx := context.Background()
	good := func() place.MaintainOptions { return place.MaintainOptions{Live: yields(acknowledged)} }
	for name, tc := range map[string]struct {
		before func(t *testing.T, o *place.Options)
		change func(t *testing.T, s *place.Store, m *place.MaintainOptions)
		kind   holdfast.Kind
		words  string
	}{
		"a clock behind the newest record": {
			change: func(_ *testing.T, _ *place.Store, m *place.MaintainOptions) {
				m.NewestRecord = clock.Now().Add(time.Minute)
			},
			kind: holdfast.KindConflict, words: "set the clock",
		},
		"a clock behind the ledger": {
			before: func(t *testing.T, o *place.Options) {
				moved := sys.NewShifted(sys.System)
				moved.Move(-time.Minute * 30)
				o.Clock = moved
			},
			kind: holdfast.KindConflict, words: "set the clock",
		},
		"a clock that jumped": {
			change: func(*testing.T, *place.Store, *place.MaintainOptions) { clock.Move(61 * time.Minute) },
			kind:   holdfast.KindConflict, words: "jumped by 1h1m",
		},
		"a writer without a checkpoint": {
			change: func(_ *testing.T, _ *place.Store, m *place.MaintainOptions) {
				m.OldestCheckpoint = clock.Now().Add(-place.WriterMargin - time.Minute)
			},
			kind: holdfast.KindConflict, words: "last checkpoint",
		},
		"unflushed writes of our own": {
			change: func(t *testing.T, s *place.Store, m *place.MaintainOptions) {
				put(t, session(t, s), []byte("unflushed"), place.Block)
				clock.Move(place.WriterMargin + time.Minute)
				m.TrustClock = true
			},
			kind: holdfast.KindConflict, words: "last checkpoint",
		},
		"nothing alive": {
			change: func(_ *testing.T, _ *place.Store, m *place.MaintainOptions) { m.Live = yields() },
			kind:   holdfast.KindInvalid, words: "would delete everything",
		},
		"a mark that fails": {
			change: func(_ *testing.T, _ *place.Store, m *place.MaintainOptions) {
				m.Live = func(func(place.ObjectID) error) error { return errors.New("database is away") }
			},
			kind: holdfast.KindInternal, words: "database is away",
		},
		"a live content that the index lacks": {
			change: func(_ *testing.T, _ *place.Store, m *place.MaintainOptions) {
				m.Live = yields(acknowledged, "00112233445566778899aabbccddeeff")
			},
			kind: holdfast.KindDamaged, words: "1 of 2 live contents",
		},
		"a lost index blob": {
			before: func(t *testing.T, o *place.Options) { removeOne(t, o.Dir, "/x/") },
			kind:   holdfast.KindDamaged, words: "nothing is deleted",
		},
		"a lost pack": {
			before: func(t *testing.T, o *place.Options) { removeOne(t, o.Dir, "/p/") },
			kind:   holdfast.KindDamaged, words: "nothing is deleted",
		},
		"a place opened for reading": {
			before: func(_ *testing.T, o *place.Options) { o.ReadOnly = true },
			kind:   holdfast.KindConflict, words: "reading only",
		},
	} {
		t.Run(name, func(t *testing.T) {
			o := copyOf(t, base)
			clock = sys.NewShifted(sys.System)
			o.Clock = clock
			if tc.before != nil {
				tc.before(t, &o)
			}
			s := open(t, o)
			before := packsAndIndexes(t, o.Dir)
			m := good()
			if tc.change != nil {
				tc.change(t, s, &m)
			}
			_, err := s.Maintain(ctx, m)
			if err == nil || holdfast.KindOf(err) != tc.kind || !strings.Contains(err.Error(), tc.words) {
				t.Errorf("error %v of kind %v, want kind %v and %q", err, holdfast.KindOf(err), tc.kind, tc.words)
			}
			if after := packsAndIndexes(t, o.Dir); len(after) < len(before) {
				t.Errorf("files went from %v to %v", before, after)
			}
		})
	}
}

func packsAndIndexes(t *testing.T, dir string) []string {
	return slices.DeleteFunc(files(t, dir), func(f string) bool { return strings.Contains(f, "/h/") })
}

func removeOne(t *testing.T, dir, part string) {
	t.Helper()
	for _, f := range files(t, dir) {
		if strings.Contains(f, part) {
			if err := os.Remove(filepath.Join(dir, f)); err != nil {
				t.Fatal(err)
			}
			return
		}
	}
	t.Fatalf("no file with %s", part)
}

// Maintenance crashes at its n-th call: what lives is there, the next maintenance works, and nothing is found wrong.
func TestMaintenanceCrashesAtEachCall(t *testing.T) {
	t.Parallel()
	o, acknowledged := template(t)
	clock := sys.NewShifted(sys.System)
	o.Clock = clock
	s := open(t, o)
	w := session(t, s)
	for i := range 3 {
		put(t, w, random(uint64(i), 50<<10), place.Packed)
		flush(t, w)
	}
	record(t, s, "journal/000002", "garbage")
	closeStore(t, s)
	for range 2 {
		nightly(t, o, clock, acknowledged)
	}
	base := o
	clock.Move(25 * time.Hour)
	dry := copyOf(t, base)
	dry.Faults = &sys.Faults{}
	s = open(t, dry)
	opening := dry.Faults.Calls()
	if _, err := s.Maintain(context.Background(), place.MaintainOptions{Live: yields(acknowledged)}); err != nil {
		t.Fatal(err)
	}
	total := dry.Faults.Calls()
	closeStore(t, s)
	step := max(1, (total-opening)/sweepSteps)
	t.Logf("%d calls in one maintenance, every %d broken", total-opening, step)
	for n := opening + 1; n <= total; n += step {
		o := copyOf(t, base)
		o.Faults = sys.BreakAt("", n, sys.FaultCrash)
		s, err := place.Open(context.Background(), o)
		if err != nil {
			t.Fatalf("call %d: open: %v", n, err)
		}
		_, err = s.Maintain(context.Background(), place.MaintainOptions{Live: yields(acknowledged)})
		fired := o.Faults.Fired()
		if !errors.Is(err, sys.ErrInjected) && fired != "blob.remove" && fired != "blob.list" {
			t.Errorf("call %d (%s): error %v", n, fired, err)
		}
		_ = s.Close(context.Background()) // it is down
		o.Faults = nil
		s = open(t, o)
		if got, err := get(s, acknowledged); err != nil || string(got) != "acknowledged" {
			t.Errorf("call %d (%s): object = %q, %v", n, fired, got, err)
		}
		for _, d := range verifyStore(t, s) {
			if !d.Kind.Remark() {
				t.Errorf("call %d (%s): %+v", n, fired, d)
			}
		}
		if _, err := s.Maintain(context.Background(), place.MaintainOptions{Live: yields(acknowledged)}); err != nil {
			t.Errorf("call %d (%s): next maintenance: %v", n, fired, err)
		}
		if got, err := get(s, acknowledged); err != nil || string(got) != "acknowledged" {
			t.Errorf("call %d (%s): object after next maintenance = %q, %v", n, fired, got, err)
		}
		for _, d := range verifyStore(t, s) {
			t.Errorf("call %d (%s): after next maintenance: %+v", n, fired, d)
		}
		closeStore(t, s)
		if t.Failed() {
			return
		}
	}
}

func TestForeignLeaseIsRespectedUntilItRunsOut(t *testing.T) {
	o, acknowledged := template(t)
	clock := sys.NewShifted(sys.System)
	o.Clock = clock
	o.Faults = sys.BreakAt("blob.put", 2, sys.FaultCrash) // the lease is the first; then the machine dies
	s := open(t, o)
	if _, err := s.Maintain(context.Background(), place.MaintainOptions{Live: yields(acknowledged), Owner: "proxy-a"}); !errors.Is(err, sys.ErrInjected) {
		t.Fatalf("error %v, want the crash", err)
	}
	_ = s.Close(context.Background()) // it is down
	o.Faults = nil
	s = open(t, o)
	_, err := s.Maintain(context.Background(), place.MaintainOptions{Live: yields(acknowledged), Owner: "proxy-b"})
	wantKind(t, err, holdfast.KindConflict, "proxy-a")
	closeStore(t, s)
	clock.Move(7 * time.Hour)
	s = open(t, o)
	if _, err := s.Maintain(context.Background(), place.MaintainOptions{Live: yields(acknowledged), Owner: "proxy-b"}); err != nil {
		t.Errorf("after the lease ran out: %v", err)
	}
	if found := verifyStore(t, s); len(found) != 0 {
		t.Errorf("findings: %+v", found)
	}
}

// An index blob that maintenance deleted and someone puts back would resurrect contents whose packs are gone.
func TestDeletedBlobThatComesBackIsNeverRead(t *testing.T) {
	o, acknowledged := template(t)
	clock := sys.NewShifted(sys.System)
	o.Clock = clock
	s := open(t, o)
	w := session(t, s)
	put(t, w, []byte("garbage"), place.Block)
	flush(t, w)
	record(t, s, "journal/000002", "garbage")
	closeStore(t, s)
	old := filepath.Join(t.TempDir(), "old")
	if err := os.CopyFS(old, os.DirFS(o.Dir)); err != nil {
		t.Fatal(err)
	}
	for range 6 {
		nightly(t, o, clock, acknowledged)
	}
	back := 0
	for _, f := range files(t, old) {
		if _, err := os.Stat(filepath.Join(o.Dir, f)); err != nil && (strings.Contains(f, "/x/") || strings.Contains(f, "/p/")) {
			data, err := os.ReadFile(filepath.Join(old, f))
			if err != nil {
				t.Fatal(err)
			}
			if err := os.MkdirAll(filepath.Dir(filepath.Join(o.Dir, f)), 0o700); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(o.Dir, f), data, 0o600); err != nil {
				t.Fatal(err)
			}
			back++
		}
	}
	if back == 0 {
		t.Fatal("maintenance deleted nothing")
	}
	s = open(t, o)
	for _, d := range verifyStore(t, s) {
		if d.Kind != place.LeftOver {
			t.Errorf("finding %+v, want left overs only", d)
		}
	}
	w = session(t, s)
	id := put(t, w, []byte("garbage"), place.Block)
	flush(t, w)
	record(t, s, "journal/000003", "again")
	if got, err := get(s, id); err != nil || string(got) != "garbage" {
		t.Errorf("object written again = %q, %v", got, err)
	}
	if _, err := s.Maintain(context.Background(), place.MaintainOptions{Live: yields(acknowledged, id)}); err != nil {
		t.Fatal(err)
	}
	if found := verifyStore(t, s); len(found) != 0 {
		t.Errorf("after maintenance: %+v", found)
	}
}

func TestLedgerIsPrunedAndKeepsItsAnchors(t *testing.T) {
	o, acknowledged := template(t)
	s := open(t, o)
	anchor := s.LedgerHead()
	run := func() {
		for range 70 {
			record(t, s, "journal/"+s.LedgerHead().Hash[:20], "x")
		}
		if _, err := s.Maintain(context.Background(), place.MaintainOptions{Live: yields(acknowledged)}); err != nil {
			t.Fatal(err)
		}
	}
	run()
	run()
	run()
	head := s.LedgerHead()
	closeStore(t, s)
	entries := 0
	for _, f := range files(t, o.Dir) {
		if strings.Contains(f, "hledger") {
			entries++
		}
	}
	if entries > 160 {
		t.Errorf("%d ledger entries are left of %d", entries, head.Sequence)
	}
	s = open(t, o)
	if s.Anchoring(anchor) != place.Anchored || s.Anchoring(head) != place.Anchored || s.Anchoring(place.Head{Sequence: anchor.Sequence, Hash: "00"}) != place.Forked {
		t.Error("anchors are not known any more")
	}
	if found := verifyStore(t, s); len(found) != 0 {
		t.Errorf("findings: %+v", found)
	}
}

func TestMaintenanceBesideAWriter(t *testing.T) {
	o, acknowledged := template(t)
	clock := sys.NewShifted(sys.System)
	clock.Move(30 * time.Hour) // what the template holds is old enough to be swept
	o.Clock = clock
	s := open(t, o)
	ctx := context.Background()
	var mu sync.Mutex // guards want
	want := map[place.ObjectID][]byte{acknowledged: []byte("acknowledged")}
	var wait sync.WaitGroup
	for c := range 2 {
		wait.Go(func() {
			w, err := s.Session(ctx)
			if err != nil {
				t.Error(err)
				return
			}
			for i := range 15 {
				data := random(uint64(c*100+i), 2000)
				id, _, err := w.Put(ctx, bytes.NewReader(data), place.Block)
				if err == nil {
					err = w.Flush(ctx)
				}
				if err == nil {
					err = s.PutRecord(ctx, place.Record{Name: fmt.Sprintf("journal/%d-%d", c, i), Data: []byte(id)})
				}
				if err != nil {
					t.Error(err)
					return
				}
				mu.Lock()
				want[id] = data
				mu.Unlock()
			}
		})
	}
	for range 3 {
		mu.Lock()
		live := slices.Collect(maps.Keys(want))
		mu.Unlock()
		if _, err := s.Maintain(ctx, place.MaintainOptions{Live: yields(live...), OldestCheckpoint: clock.Now()}); err != nil {
			t.Fatal(err)
		}
	}
	wait.Wait()
	for id, data := range want {
		if got, err := get(s, id); err != nil || !bytes.Equal(got, data) {
			t.Errorf("object %s: %d bytes, %v", id, len(got), err)
		}
	}
	if found := verifyStore(t, s); len(found) != 0 {
		t.Errorf("findings: %+v", found)
	}
	closeStore(t, s)
	for _, d := range verify(t, o) {
		t.Errorf("finding after reopening: %+v", d)
	}
}
