//go:build long

package place_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"holdfast/internal/sys"
	"holdfast/internal/vault/place"
)

// TestTenMillionContents takes one store through index, open, mark and sweep and prints what each costs (docs/adr has a table).
// HOLDFAST_CONTENTS makes it smaller.
func TestTenMillionContents(t *testing.T) {
	total := 10_000_000
	if v := os.Getenv("HOLDFAST_CONTENTS"); v != "" {
		n, err := strconv.Atoi(v)
		if err != nil {
			t.Fatal(err)
		}
		total = n
	}
	ctx := context.Background()
	o := options(t, filepath.Join(t.TempDir(), "place"))
	o.CacheDir = filepath.Join(t.TempDir(), "cache")
	clock := sys.NewShifted(sys.System)
	o.Clock = clock
	prepare(t, o.Dir)
	if err := place.Create(ctx, o); err != nil {
		t.Fatal(err)
	}
	step := func(name string, fn func()) {
		before, start := cpu(t), sys.System.Now()
		fn()
		t.Logf("%-28s %8.1f s wall %8.1f s cpu   heap %5d MB   peak RSS %5d MB", name, sys.System.Now().Sub(start).Seconds(), (cpu(t) - before).Seconds(), heapMB(), peakRSS(t))
	}
	ids := make([][16]byte, 0, total) // 16 bytes each, so that the test's own memory does not drown the store's
	id := func(i int) place.ObjectID { return place.ObjectID(hex.EncodeToString(ids[i][:])) }
	step("put and flush", func() {
		s := open(t, o)
		w := session(t, s)
		data := make([]byte, 64)
		for i := range total {
			binary.BigEndian.PutUint64(data, uint64(i))
			raw, err := hex.DecodeString(string(put(t, w, data, place.Block)))
			if err != nil {
				t.Fatal(err)
			}
			ids = append(ids, [16]byte(raw))
			if (i+1)%1_000_000 == 0 {
				flush(t, w)
				record(t, s, fmt.Sprintf("journal/%08d", i), "checkpoint")
			}
		}
		flush(t, w)
		record(t, s, "point/a", "point")
		closeStore(t, s)
	})
	index := int64(0)
	for _, f := range files(t, o.Dir) {
		if strings.Contains(f, "/x/") {
			fi, err := os.Stat(filepath.Join(o.Dir, f))
			if err != nil {
				t.Fatal(err)
			}
			index += fi.Size()
		}
	}
	t.Logf("index: %d MB, %.1f bytes a content", index>>20, float64(index)/float64(total))
	var s *place.Store
	step("open and first read", func() {
		s = open(t, o)
		if got, err := get(s, id(0)); err != nil || !bytes.Equal(got, make([]byte, 64)) {
			t.Fatalf("first object: %x, %v", got, err)
		}
	})
	step("10,000 random reads", func() {
		for i := range 10_000 {
			if _, err := get(s, id((i*7919)%total)); err != nil {
				t.Fatal(err)
			}
		}
	})
	closeStore(t, s)
	// Every fourth object dies; four maintenance runs on four days.
	live := func(yield func(place.ObjectID) error) error {
		for i := range ids {
			if i%4 != 0 {
				if err := yield(id(i)); err != nil {
					return err
				}
			}
		}
		return nil
	}
	for day := range 4 {
		clock.Move(25 * time.Hour)
		s = open(t, o)
		var r place.Report
		step(fmt.Sprintf("mark and sweep, day %d", day+1), func() {
			var err error
			if r, err = s.Maintain(ctx, place.MaintainOptions{Live: live}); err != nil {
				t.Fatal(err)
			}
		})
		t.Logf("  %+v", r)
		closeStore(t, s)
	}
	s = open(t, o)
	for i := 1; i < total; i += max(1, total/1000) {
		if i%4 == 0 {
			continue
		}
		got, err := get(s, id(i))
		if err != nil || binary.BigEndian.Uint64(got) != uint64(i) {
			t.Fatalf("live object %d: %x, %v", i, got, err)
		}
	}
}

func cpu(t *testing.T) time.Duration {
	t.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		t.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func heapMB() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc >> 20
}

// peakRSS is the most memory that the process ever had resident.
func peakRSS(t *testing.T) int64 {
	t.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		t.Fatal(err)
	}
	return u.Maxrss >> 10
}
