//go:build long

package place_test

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"

	"holdfast/internal/vault/place"
)

// Sixteen containers write files and blocks at the same time; the process of its own that does it stays below the ceiling.
func TestMemoryOfSixteenContainers(t *testing.T) {
	const ceilingMB = 400
	if os.Getenv("HOLDFAST_TEST_MEMORY") == "" {
		cmd := exec.Command(os.Args[0], "-test.run=^TestMemoryOfSixteenContainers$", "-test.v")
		cmd.Env = append(os.Environ(), "HOLDFAST_TEST_MEMORY=1")
		out, err := cmd.CombinedOutput()
		t.Logf("%s", out)
		if err != nil || !strings.Contains(string(out), "--- PASS") {
			t.Error(err)
		}
		return
	}
	s := open(t, create(t))
	w := session(t, s)
	var wait sync.WaitGroup
	for c := range 16 {
		wait.Go(func() {
			source := rand.NewChaCha8([32]byte{byte(c)})
			for i := range 20 {
				_, _, err := w.Put(context.Background(), io.LimitReader(source, 4<<20), []place.Hint{place.Block, place.File, place.Packed}[i%3])
				if err == nil && i%5 == 4 {
					err = w.Flush(context.Background())
				}
				if err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	wait.Wait()
	flush(t, w)
	rss := peakRSS(t)
	fmt.Printf("peak RSS %d MB\n", rss)
	if rss > ceilingMB {
		t.Errorf("peak RSS %d MB, want at most %d", rss, ceilingMB)
	}
}
