//go:build long

package e2e_test

import (
	"os"
	"testing"
)

// 200 schedules more than CI has.
func TestLongKilledAtAnyTime(t *testing.T) {
	for i := range uint64(5) {
		killed(t, 40, seedOf(t)+i)
	}
}

func TestLongKilledDuringARestore(t *testing.T) { killedRestoring(t, 40, seedOf(t)) }

// Every byte of what is not packs, and every 97th of the packs: each is one run of verify.
func TestLongEveryChangedByteIsFoundAndNamed(t *testing.T) {
	t.Parallel()
	w := smallWorld(t)
	w.server.Kill()
	for _, f := range filesOf(t, w.place) {
		info, err := os.Stat(f)
		w.must(err)
		step := int64(1)
		if info.Size() > 4<<10 {
			step = 97
		}
		for at := int64(0); at < info.Size(); at += step {
			w.damaged(f, at, 1<<(at%8), "--data", w.server.Data, "--repository", "main")
		}
	}
	w.verified()
}
