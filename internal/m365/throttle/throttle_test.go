package throttle_test

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"holdfast/internal/m365/throttle"
	"holdfast/internal/sys"
)

func outlook(mailbox string, upload int64) throttle.Charge {
	return throttle.Charge{Service: throttle.Outlook, Mailbox: mailbox, Requests: 1, Upload: upload}
}

func units(n int) throttle.Charge {
	return throttle.Charge{Service: throttle.SharePoint, Requests: 1, Units: n}
}

// Wherever a minute begins, the service sees no more in it than is allowed, though calls are up to a second on their way.
func TestNoSpanEverSeesMoreThanTheLimit(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		limit := rapid.Int64Range(5, 200).Draw(rt, "limit")
		class := rapid.SampledFrom([]throttle.Class{throttle.Backup, throttle.Restore}).Draw(rt, "class")
		pauses := rapid.SliceOfN(rapid.IntRange(0, 3000), 50, 300).Draw(rt, "pauses")
		costs := rapid.SliceOfN(rapid.IntRange(1, 5), len(pauses), len(pauses)).Draw(rt, "costs")
		late := rapid.SliceOfN(rapid.IntRange(0, 1000), len(pauses), len(pauses)).Draw(rt, "milliseconds on the way")
		synctest.Test(t, func(t *testing.T) {
			type call struct {
				at time.Time
				n  int64
			}
			var calls []call
			b := throttle.New(sys.System, throttle.Limits{SharePointPerMinute: limit, RestoreShare: 0.2})
			ctx := throttle.WithClass(t.Context(), class)
			for i, p := range pauses {
				if err := sys.System.Sleep(ctx, time.Duration(p)*time.Millisecond); err != nil {
					t.Fatal(err)
				}
				release, err := b.Acquire(ctx, units(costs[i]))
				if err != nil {
					t.Fatal(err)
				}
				release()
				calls = append(calls, call{sys.System.Now().Add(time.Duration(late[i]) * time.Millisecond), int64(costs[i])})
			}
			slices.SortFunc(calls, func(x, y call) int { return x.at.Compare(y.at) })
			allowed := limit
			if class == throttle.Backup {
				allowed = int64(float64(limit) * 0.8)
			}
			from, sum := 0, int64(0)
			for _, c := range calls {
				for sum += c.n; c.at.Sub(calls[from].at) >= time.Minute; from++ {
					sum -= calls[from].n
				}
				if sum > allowed && sum > c.n {
					rt.Fatalf("%d units within a minute, allowed are %d", sum, allowed)
				}
			}
		})
	})
}

// Where one request a second is allowed, two of them keep so far apart that one which is slow on its way does not meet the next one.
func TestRequestsOnOneChatKeepApart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := throttle.New(sys.System, throttle.Published(0))
		var last time.Time
		for n := range 20 {
			release, err := b.Acquire(t.Context(), throttle.Charge{Service: throttle.Teams, Mailbox: throttle.ChatLane + "19:x", Requests: 1})
			if err != nil {
				t.Fatal(err)
			}
			release()
			if now := sys.System.Now(); n > 0 && (now.Sub(last) < 1200*time.Millisecond || now.Sub(last) > 1300*time.Millisecond) {
				t.Fatalf("the %d. request came %v after the one before", n+1, now.Sub(last))
			}
			last = sys.System.Now()
			if err := sys.System.Sleep(t.Context(), time.Duration(n)*7*time.Millisecond); err != nil { // wherever it falls in a bin
				t.Fatal(err)
			}
		}
	})
}

func TestTheWholeBudgetCanBeUsed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := throttle.New(sys.System, throttle.Limits{OutlookPer10m: 10_000})
		start := sys.System.Now()
		for range 20_000 {
			release, err := b.Acquire(t.Context(), outlook("a", 0))
			if err != nil {
				t.Fatal(err)
			}
			release()
		}
		// 10,000 at once and 10,000 when the window has passed, in 60 bins of ten seconds.
		if took := sys.System.Now().Sub(start); took < 10*time.Minute || took > 10*time.Minute+20*time.Second {
			t.Errorf("20,000 requests took %v, want about 10 minutes", took)
		}
	})
}

func TestAMailboxHasFourCallsAtOnceAndOthersAreNotHeldUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := throttle.New(sys.System, throttle.Published(0))
		var mu sync.Mutex
		busy, most := map[string]int{}, map[string]int{}
		var wg sync.WaitGroup
		start := sys.System.Now()
		for i := range 24 {
			box := []string{"A", "b", "a"}[i%3] // mailboxes are compared without regard to case
			wg.Go(func() {
				release, err := b.Acquire(t.Context(), outlook(box, 0))
				if err != nil {
					t.Error(err)
					return
				}
				key := map[string]string{"A": "a", "a": "a", "b": "b"}[box]
				mu.Lock()
				busy[key]++
				most[key] = max(most[key], busy[key])
				mu.Unlock()
				_ = sys.System.Sleep(t.Context(), time.Second)
				mu.Lock()
				busy[key]--
				mu.Unlock()
				release()
				release() // twice is harmless
			})
		}
		wg.Wait()
		if most["a"] != 4 || most["b"] != 4 {
			t.Errorf("most at once: %v, want 4 each", most)
		}
		if took := sys.System.Now().Sub(start); took != 4*time.Second {
			t.Errorf("16 calls of one mailbox and 8 of another took %v, want 4s", took)
		}
	})
}

func TestBackupsLeaveRestoresTheirShareAndRestoresGoFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := throttle.New(sys.System, throttle.Limits{SharePointPerMinute: 100, RestoreShare: 0.2})
		ctx, cancel := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		for range 8 {
			wg.Go(func() {
				for ctx.Err() == nil {
					if release, err := b.Acquire(ctx, units(1)); err == nil {
						release()
					}
				}
			})
		}
		synctest.Wait() // the backups have used what they may
		restore := throttle.WithClass(t.Context(), throttle.Restore)
		start := sys.System.Now()
		for range 20 {
			release, err := b.Acquire(restore, units(1))
			if err != nil {
				t.Fatal(err)
			}
			release()
		}
		if waited := sys.System.Now().Sub(start); waited != 0 {
			t.Errorf("the restore's share was not there: waited %v", waited)
		}
		cancel()
		wg.Wait()
	})
}

func TestBackupsAreNotStarvedByRestores(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := throttle.New(sys.System, throttle.Limits{OutlookConcurrent: 1, RestoreShare: 0.2})
		ctx, cancel := context.WithCancel(throttle.WithClass(t.Context(), throttle.Restore))
		var wg sync.WaitGroup
		for range 3 {
			wg.Go(func() {
				for ctx.Err() == nil {
					if release, err := b.Acquire(ctx, outlook("a", 0)); err == nil {
						_ = sys.System.Sleep(ctx, time.Second)
						release()
					}
				}
			})
		}
		synctest.Wait()
		start := sys.System.Now()
		for range 3 {
			release, err := b.Acquire(t.Context(), outlook("a", 0))
			if err != nil {
				t.Fatal(err)
			}
			release()
		}
		if took := sys.System.Now().Sub(start); took > 16*time.Second {
			t.Errorf("three calls of a backup beside restores took %v, want one of five turns", took)
		}
		cancel()
		wg.Wait()
	})
}

func TestAPauseHoldsEveryCallOfItsLaneAndIsAccounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := throttle.New(sys.System, throttle.Published(0))
		var account throttle.Account
		ctx := throttle.WithAccount(t.Context(), &account)
		b.Pause(units(1), 30*time.Second)
		b.Pause(units(1), 10*time.Second) // never shortens
		start := sys.System.Now()
		var wg sync.WaitGroup
		for range 5 {
			wg.Go(func() {
				release, err := b.Acquire(ctx, units(2))
				if err != nil {
					t.Error(err)
					return
				}
				release()
				if at := sys.System.Now().Sub(start); at < 30*time.Second {
					t.Errorf("call went out after %v of a pause of 30s", at)
				}
			})
		}
		release, err := b.Acquire(ctx, outlook("a", 0))
		if err != nil {
			t.Fatal(err)
		}
		release()
		if !sys.System.Now().Equal(start) {
			t.Error("a mailbox waited for SharePoint's pause")
		}
		wg.Wait()
		if u := account.Usage(); u.Units != 10 || u.Requests != 6 || u.Waited != 150*time.Second {
			t.Errorf("account is %+v, want 10 units, 6 requests, 150s of waiting", u)
		}
	})
}

func TestAPauseTooLongForACallIsAnError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := throttle.New(sys.System, throttle.Published(0))
		b.Pause(units(1), 10*365*24*time.Hour)
		_, err := b.Acquire(t.Context(), units(1))
		var paused *throttle.PausedError
		if !errors.As(err, &paused) {
			t.Fatalf("got %v, want a PausedError", err)
		}
		if left := paused.Until.Sub(sys.System.Now()); left != 24*time.Hour {
			t.Errorf("an absurd pause lasts %v, want it cut to 24h", left)
		}
		if err := sys.System.Sleep(t.Context(), 24*time.Hour); err != nil {
			t.Fatal(err)
		}
		if _, err := b.Acquire(t.Context(), units(1)); err != nil {
			t.Errorf("after the pause: %v", err)
		}
	})
}

func TestRateLimitHeadersHoldCallsBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := throttle.New(sys.System, throttle.Published(0))
		b.Observe(units(1), http.Header{"Ratelimit-Limit": {"1250"}, "Ratelimit-Remaining": {"252"}, "Ratelimit-Reset": {"20"}})
		start := sys.System.Now()
		var at []time.Duration
		for range 4 {
			release, err := b.Acquire(t.Context(), units(1))
			if err != nil {
				t.Fatal(err)
			}
			release()
			at = append(at, sys.System.Now().Sub(start))
		}
		// A fifth of 1250 is the restores'; two are left for a backup before the reset.
		if at[1] != 0 || at[2] != 20*time.Second {
			t.Errorf("calls went at %v, want two now and the rest after the reset", at)
		}
	})
}

func TestUploadBytesCountPerMailbox(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := throttle.New(sys.System, throttle.Published(0))
		ctx := throttle.WithClass(t.Context(), throttle.Restore)
		start := sys.System.Now()
		for range 4 {
			release, err := b.Acquire(ctx, outlook("a", 50<<20))
			if err != nil {
				t.Fatal(err)
			}
			release()
		}
		if took := sys.System.Now().Sub(start); took < 5*time.Minute {
			t.Errorf("200 MB went up within %v, 150 MB per 5 minutes are allowed", took)
		}
	})
}

func TestACancelledWaiterLeavesTheQueue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := throttle.New(sys.System, throttle.Published(0))
		var held []func()
		for range 4 {
			release, err := b.Acquire(t.Context(), outlook("a", 0))
			if err != nil {
				t.Fatal(err)
			}
			held = append(held, release)
		}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() {
			_, err := b.Acquire(ctx, outlook("a", 0))
			done <- err
		}()
		synctest.Wait()
		cancel()
		if err := <-done; !errors.Is(err, context.Canceled) {
			t.Errorf("got %v, want cancelled", err)
		}
		held[0]()
		if _, err := b.Acquire(t.Context(), outlook("a", 0)); err != nil {
			t.Error(err)
		}
	})
}

func TestPublishedLimitsGrowWithLicences(t *testing.T) {
	for licenses, want := range map[int]int64{0: 1250, 1000: 1250, 1001: 2500, 5001: 3750, 15_001: 5000, 50_001: 6250} {
		if got := throttle.Published(licenses).SharePointPerMinute; got != want {
			t.Errorf("%d licences: %d units a minute, want %d", licenses, got, want)
		}
	}
}
