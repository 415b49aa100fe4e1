package sys_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"holdfast/internal/sys"
)

func TestFaultStrikesOnceAtTheChosenCall(t *testing.T) {
	f := sys.BreakAt("put", 2, sys.FaultErrorAfter)
	ran := 0
	call := func(point string) error {
		return f.Do(context.Background(), point, func(context.Context) error { ran++; return nil })
	}
	for i, want := range []bool{false, false, true, false} {
		point := "put"
		if i == 0 {
			point = "get"
		}
		if got := errors.Is(call(point), sys.ErrInjected); got != want {
			t.Errorf("call %d: fault = %v, want %v", i, got, want)
		}
	}
	if ran != 4 || f.Fired() != "put" || f.Calls() != 4 {
		t.Errorf("ran %d, fired %q, calls %d; want 4, put, 4", ran, f.Fired(), f.Calls())
	}
}

func TestCrashFailsEveryLaterCall(t *testing.T) {
	f := sys.BreakAt("", 2, sys.FaultCrash)
	if f.Hit("a") != nil {
		t.Fatal("first call broke")
	}
	for _, p := range []string{"b", "c", "d"} {
		if f.Hit(p) == nil {
			t.Errorf("call to %s went through after the crash", p)
		}
	}
}

func TestNilFaultsBreakNothing(t *testing.T) {
	var f *sys.Faults
	if err := f.Do(context.Background(), "x", func(context.Context) error { return nil }); err != nil {
		t.Fatal(err)
	}
}

func TestShiftedClockMoves(t *testing.T) {
	c := sys.NewShifted(sys.System)
	before := c.Now()
	c.Move(-3 * time.Hour)
	if got := before.Sub(c.Now()); got < 2*time.Hour || got > 3*time.Hour {
		t.Errorf("moved back by %v, want about 3h", got)
	}
}
