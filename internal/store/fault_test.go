package store_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"holdfast/internal/holdfast"
	"holdfast/internal/store"
	"holdfast/internal/store/storetest"
	"holdfast/internal/sys"
)

// counted adds one to a number and to its mirror, so that half a transaction would show.
func counted(ctx context.Context, s *store.Store) error {
	return s.Write(ctx, func(ctx context.Context, tx *store.Tx) error {
		n, _, err := number(ctx, tx, "n")
		if err != nil {
			return err
		}
		if err := tx.PutSetting(ctx, "n", fmt.Sprint(n+1)); err != nil {
			return err
		}
		return tx.PutSetting(ctx, "mirror", fmt.Sprint(n+1))
	})
}

func number(ctx context.Context, tx *store.Tx, name string) (n int, ok bool, err error) {
	v, ok, err := tx.Setting(ctx, name)
	if err != nil || !ok {
		return 0, ok, err
	}
	_, err = fmt.Sscan(v, &n)
	return n, true, err
}

// Each call to the database fails once, in each way. A write that was acknowledged is there, one that was refused is not,
// one whose outcome is not known says so, and no half of any is ever seen.
func TestEveryCallToTheDatabaseMayFail(t *testing.T) {
	// PostgreSQL opens slowly, so there only commits break: the calls whose outcome may be unknown.
	points := map[string]string{"SQLite": "", "PostgreSQL": store.PointCommit}
	storetest.Each(t, func(t *testing.T, open storetest.Open) {
		point := points[t.Name()[strings.LastIndexByte(t.Name(), '/')+1:]]
		for _, mode := range []sys.FaultMode{sys.FaultError, sys.FaultErrorAfter, sys.FaultCrash} {
			for n := 1; ; n++ {
				ctx := context.Background()
				faults := sys.BreakAt(point, n, mode)
				before := state(t, open)
				want, unknown, crashed := before, false, false
				s, err := open(nil, faults)
				if err == nil {
					for range 3 {
						switch err := counted(ctx, s); {
						case err == nil:
							want++
						case holdfast.KindOf(err) == holdfast.KindUnknown:
							unknown = true
						case !errors.Is(err, sys.ErrInjected):
							t.Fatalf("%v at call %d: %v", mode, n, err)
						}
					}
					crashed = faults.Fired() != "" && mode == sys.FaultCrash
					if err := s.Close(); err != nil && !crashed {
						t.Fatalf("%v at call %d: close: %v", mode, n, err)
					}
				} else if !errors.Is(err, sys.ErrInjected) {
					t.Fatalf("%v at call %d: open: %v", mode, n, err)
				}
				got := state(t, open)
				if got != want && !(unknown && got == want+1) {
					t.Errorf("%v at call %d (%s): the number is %d, want %d (unknown outcome: %t)", mode, n, faults.Fired(), got, want, unknown)
				}
				if faults.Fired() == "" {
					if n < 3 || point == "" && n < 10 {
						t.Errorf("only %d calls were broken", n-1)
					}
					break
				}
			}
		}
	})
}

func state(t *testing.T, open storetest.Open) int {
	t.Helper()
	s, err := open(nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}()
	var n, mirror int
	if err := s.Read(context.Background(), func(ctx context.Context, tx *store.Tx) error {
		var err error
		if n, _, err = number(ctx, tx, "n"); err != nil {
			return err
		}
		mirror, _, err = number(ctx, tx, "mirror")
		return err
	}); err != nil {
		t.Fatal(err)
	}
	if n != mirror {
		t.Fatalf("half a transaction: %d and %d", n, mirror)
	}
	return n
}

// A migration that is cut short at any statement has not happened; the next start does it.
func TestMigrationCutShortRollsForward(t *testing.T) {
	// One call after the other on a new database each; PostgreSQL makes databases slowly, so a few of its calls stand for all.
	t.Run("SQLite", func(t *testing.T) {
		for n := 1; cutShort(t, storetest.SQLite(t), n); n++ {
		}
	})
	t.Run("PostgreSQL", func(t *testing.T) {
		for _, n := range []int{7, 40} {
			cutShort(t, storetest.PostgreSQL(t), n)
		}
	})
}

func cutShort(t *testing.T, open storetest.Open, n int) (fired bool) {
	t.Helper()
	faults := sys.BreakAt("", n, sys.FaultCrash)
	s, err := open(nil, faults)
	if err == nil {
		if err := s.Close(); err != nil {
			t.Errorf("call %d: close: %v", n, err)
		}
	}
	if (err != nil) != (faults.Fired() != "") {
		t.Errorf("call %d: fault %q, error %v", n, faults.Fired(), err)
	}
	if s, err = open(nil, nil); err != nil {
		t.Fatalf("the start after a crash at call %d: %v", n, err)
	}
	if err := errors.Join(counted(context.Background(), s), s.Close()); err != nil {
		t.Errorf("after a crash at call %d: %v", n, err)
	}
	return faults.Fired() != ""
}

func TestNewerDatabaseIsRefused(t *testing.T) {
	open := storetest.SQLite(t)
	s, err := open(nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(s.SetVersionForTest(context.Background(), 9999), s.Close()); err != nil {
		t.Fatal(err)
	}
	if _, err := open(nil, nil); holdfast.KindOf(err) != holdfast.KindInvalid || !strings.Contains(err.Error(), "version 9999") {
		t.Errorf("got %v, want invalid with the version", err)
	}
}

func TestDamagedDatabaseSaysSo(t *testing.T) {
	path := filepath.Join(t.TempDir(), "h.db")
	if err := os.WriteFile(path, []byte(strings.Repeat("this is no database ", 1000)), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := store.Open(context.Background(), store.Options{Path: path})
	if holdfast.KindOf(err) != holdfast.KindDamaged || !strings.Contains(err.Error(), "rebuild from the repository") {
		t.Errorf("got %v, want damaged with the next step", err)
	}
}

// Reads of SQLite go on while a writer holds its transaction open.
func TestReadsDoNotWaitForAWriter(t *testing.T) {
	s := storetest.Must(t, storetest.SQLite(t))
	ctx := context.Background()
	if err := counted(ctx, s); err != nil {
		t.Fatal(err)
	}
	inside, leave := make(chan struct{}), make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		if err := s.Write(ctx, func(ctx context.Context, tx *store.Tx) error {
			err := tx.PutSetting(ctx, "n", "99")
			close(inside)
			<-leave
			return err
		}); err != nil {
			t.Error(err)
		}
	})
	<-inside
	for range 300 {
		if err := s.Read(ctx, func(ctx context.Context, tx *store.Tx) error {
			n, _, err := number(ctx, tx, "n")
			if n != 1 {
				t.Errorf("read %d of a transaction that has not ended", n)
			}
			return err
		}); err != nil {
			t.Fatal(err)
		}
	}
	close(leave)
	wg.Wait()
}

// The lease clock of SQLite is not moved by setting the wall clock; here it is the process's own.
func TestLeaseClockFollowsElapsedTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := storetest.Must(t, storetest.SQLite(t))
		before, err := s.Now(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(42 * time.Second)
		after, err := s.Now(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if got := after.Sub(before); got != 42*time.Second {
			t.Errorf("42 s took %v", got)
		}
	})
}
