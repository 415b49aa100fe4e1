package place_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"holdfast/internal/holdfast"
	"holdfast/internal/sys"
	"holdfast/internal/vault/place"
)

// template is a place with one store and one acknowledged object, copied for each run of a sweep.
func template(t *testing.T) (o place.Options, acknowledged place.ObjectID) {
	t.Helper()
	o = create(t)
	s := open(t, o)
	w := session(t, s)
	acknowledged = put(t, w, []byte("acknowledged"), place.Block)
	flush(t, w)
	record(t, s, "journal/000001", "acknowledged")
	closeStore(t, s)
	return o, acknowledged
}

func copyOf(t *testing.T, o place.Options) place.Options {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "copy")
	if err := os.CopyFS(dir, os.DirFS(o.Dir)); err != nil {
		t.Fatal(err)
	}
	o.Dir = dir
	return o
}

// The n-th call to storage breaks, for all n and all modes, during put, flush and record. Whatever was acknowledged reads back equal, errors are
// clear, the next open works, and what an unacknowledged record holds is all or nothing.
func TestEachStorageCallBreaks(t *testing.T) {
	t.Parallel()
	base, acknowledged := template(t)
	dry := base
	dry.Faults = &sys.Faults{}
	closeStore(t, open(t, dry))
	opening := dry.Faults.Calls()
	type sweep struct {
		point string
		mode  sys.FaultMode
		from  int
	}
	sweeps := []sweep{
		{"", sys.FaultCrash, opening - 1}, // until the store is open only reads happen
		{"blob.put", sys.FaultError, 1},
		{"blob.put", sys.FaultErrorAfter, 1},
		{"blob.put", sys.FaultTorn, 1},
	}
	if everyByte {
		sweeps = []sweep{{"", sys.FaultCrash, 1}, {"", sys.FaultError, 1}, {"", sys.FaultErrorAfter, 1}, {"", sys.FaultTorn, 1}}
	}
	for _, sweep := range sweeps {
		mode := sweep.mode
		for n := sweep.from; ; n++ {
			o := copyOf(t, base)
			o.Faults = sys.BreakAt(sweep.point, n, mode)
			name := fmt.Sprintf("%v at call %d", mode, n)
			id, data, flushed, recorded := brokenRun(t, name, o, uint64(n))
			fired := o.Faults.Fired()
			if fired == "" {
				if n < sweep.from+3 {
					t.Fatalf("%s: only %d calls", name, n-1)
				}
				t.Logf("%v %s: %d calls", mode, sweep.point, n-sweep.from)
				break
			}
			o.Faults = nil
			s, err := place.Open(context.Background(), o)
			if err != nil {
				t.Fatalf("%s (%s): next open: %v", name, fired, err)
			}
			if got, err := get(s, acknowledged); err != nil || string(got) != "acknowledged" {
				t.Errorf("%s (%s): acknowledged object = %q, %v", name, fired, got, err)
			}
			if flushed {
				if got, err := get(s, id); err != nil || !bytes.Equal(got, data) {
					t.Errorf("%s (%s): flushed object: %d bytes, %v", name, fired, len(got), err)
				}
			}
			got, err := s.ReadRecord(context.Background(), "journal/000002")
			if err == nil && string(got) != "second" || err != nil && holdfast.KindOf(err) != holdfast.KindNotFound || recorded && err != nil {
				t.Errorf("%s (%s): record = %q, %v; acknowledged %v", name, fired, got, err, recorded)
			}
			if err == nil {
				// A record that is there means that what was flushed before it is there too.
				if got, err := get(s, id); err != nil || !bytes.Equal(got, data) {
					t.Errorf("%s (%s): object under a record: %d bytes, %v", name, fired, len(got), err)
				}
			}
			record(t, s, "journal/000003", "life goes on")
			for _, d := range verifyStore(t, s) {
				t.Errorf("%s (%s): finding after recovery: %+v", name, fired, d)
			}
			closeStore(t, s)
			if t.Failed() {
				return
			}
		}
	}
}

func brokenRun(t *testing.T, name string, o place.Options, seed uint64) (id place.ObjectID, data []byte, flushed, recorded bool) {
	t.Helper()
	ctx := context.Background()
	check := func(err error) {
		if err != nil && !errors.Is(err, sys.ErrInjected) {
			t.Errorf("%s: error hides its cause: %v", name, err)
		}
		if err != nil && holdfast.KindOf(err) == holdfast.KindInternal {
			t.Errorf("%s: error without a kind: %v", name, err)
		}
	}
	s, err := place.Open(ctx, o)
	if err != nil {
		check(err)
		return
	}
	defer func() { _ = s.Close(ctx) }() // may be down
	w, err := s.Session(ctx)
	if err != nil {
		check(err)
		return
	}
	data = random(seed, 3000)
	if id, _, err = w.Put(ctx, bytes.NewReader(data), place.Block); err != nil {
		check(err)
		return
	}
	if err := w.Flush(ctx); err != nil {
		check(err)
		if again := w.Flush(ctx); again == nil {
			t.Errorf("%s: a spent session flushes", name)
		}
		return
	}
	flushed = true
	if err := s.PutRecord(ctx, place.Record{Name: "journal/000002", Data: []byte("second")}); err != nil {
		check(err)
		// The outcome is unknown: putting it again settles it, unless the process is down.
		if err := s.PutRecord(ctx, place.Record{Name: "journal/000002", Data: []byte("second")}); err == nil {
			recorded = true
		}
		return
	}
	return id, data, true, true
}

func TestEachCallOfCreateBreaks(t *testing.T) {
	t.Parallel()
	for n := 1; ; n += createStep {
		o := options(t, filepath.Join(t.TempDir(), "place"))
		o.Wrapped = []byte("wrapped")
		prepare(t, o.Dir)
		o.Faults = sys.BreakAt("", n, sys.FaultCrash)
		err := place.Create(context.Background(), o)
		fired := o.Faults.Fired()
		o.Faults = nil
		if fired == "" {
			if err != nil || n < 5 {
				t.Errorf("after %d calls: %v", n-1, err)
			}
			return
		}
		if !errors.Is(err, sys.ErrInjected) {
			t.Errorf("call %d (%s): error %v", n, fired, err)
		}
		if err := place.Create(context.Background(), o); err != nil {
			t.Errorf("call %d (%s): next create: %v", n, fired, err)
		}
		if n%4 != 1 && !everyByte {
			continue // opening costs a key derivation
		}
		s := open(t, o)
		if found := verifyStore(t, s); len(found) != 0 {
			t.Errorf("call %d (%s): findings %+v", n, fired, found)
		}
		closeStore(t, s)
	}
}
