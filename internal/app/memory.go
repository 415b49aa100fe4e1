package app

import (
	"context"
	"math"
	"os"
	"runtime/debug"
	"runtime/metrics"
	"time"

	"holdfast/internal/sys"
)

// softMemory is what the memory that Go manages is kept within as long as four fifths of it are enough for what is in use: the collector runs more often
// instead of letting the process grow to twice what is in use at the moment when most is. What the database has and the program's own pages come on
// top, some 70 MiB.
const softMemory = 336 << 20

// memoryEvery is how often what is in use is looked at.
const memoryEvery = 5 * time.Second

// memoryLimit is the soft limit for so many bytes in use. Where four fifths of softMemory are not enough it gives way, so that the collector never runs
// more than four times as often as it would without a limit.
func memoryLimit(live uint64) int64 {
	if live > math.MaxInt64/2 {
		return math.MaxInt64
	}
	return max(softMemory, int64(live)+int64(live)/4)
}

// boundMemory keeps the process small until ctx ends. The environment's GOMEMLIMIT, where it is set, stands instead.
func boundMemory(ctx context.Context, clock sys.Clock) error {
	if os.Getenv("GOMEMLIMIT") != "" {
		<-ctx.Done()
		return nil
	}
	before := debug.SetMemoryLimit(softMemory)
	defer debug.SetMemoryLimit(before)
	live := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	for {
		metrics.Read(live)
		if v := live[0].Value; v.Kind() == metrics.KindUint64 {
			debug.SetMemoryLimit(memoryLimit(v.Uint64()))
		}
		if clock.Sleep(ctx, memoryEvery) != nil {
			return nil
		}
	}
}
