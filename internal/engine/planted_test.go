package engine_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"holdfast/internal/engine"
	"holdfast/internal/holdfast"
	"holdfast/internal/sys"
)

// Each mistake of the engine's bugs is planted here, and the named test must find it: a harness that finds nothing proves nothing.
func TestPlantedBugsAreFound(t *testing.T) {
	// A call that breaks somewhere in the middle of a session, as TestBackupSweep does it for every call.
	sweep := func(point string, mode sys.FaultMode) func(judge) {
		return func(t judge) {
			ready := newWorld(t)
			ready.config.CheckpointBytes = 1
			plant := ready.plant
			ready.plant = nil // what is there before is in order
			ready.must(ready.start(nil))
			twoMailboxes(ready)
			ready.stop()
			ready.plant = plant
			for n := 1; ; n++ {
				if strike(t, ready, point, n, mode, backupThree, func(w *world) { upToDate(w, "ann", "bob", "cid") }) == "" || t.Failed() {
					return
				}
			}
		}
	}
	for name, tc := range map[string]struct {
		plant    func(b *engine.Bugs)
		noEpochs bool // planted in the database
		test     string
		run      func(t judge)
	}{
		"the database hears of a head before the repository has it": {
			plant: engine.CommitFirst, test: "TestBackupSweep", run: sweep("blob.put", sys.FaultCrash)},
		"the storage's error is overlooked": {
			plant: engine.BelieveStorage, test: "TestBackupSweep", run: sweep("blob.put", sys.FaultError)},
		"an unknown outcome is taken for success": {
			plant: engine.GuessCommit, test: "TestBackupSweep", run: sweep("db", sys.FaultError)},
		"a stale epoch commits": {
			noEpochs: true, test: "TestStaleLeaseChangesNothing", run: staleLeaseChangesNothing},
		"one stale lease fails its whole group": {
			plant: engine.StaleTakesAll, test: "TestStaleLeaseInAGroupEndsOnlyItsOwnHead", run: staleLeaseInAGroupEndsOnlyItsOwnHead},
		"a container that is gone becomes an empty one": {
			plant: engine.EmptyWhenGone, test: "TestGoneContainerKeepsItsHistory", run: func(t judge) { goneContainerKeepsItsHistory(t, holdfast.SkipGone) }},
		"an unfinished state becomes current": {
			plant: engine.PublishCheckpoints, test: "TestCrashInFirstBackupResumesAtTheCheckpoint", run: crashInFirstBackupResumesAtTheCheckpoint},
		"what is in a checkpoint is never published": {
			plant: engine.SwallowCheckpoints, test: "TestCheckpointAtTheVeryEndDoesNotSwallowTheHead", run: checkpointAtTheVeryEndDoesNotSwallowTheHead},
		"an idle container gets a new head": {
			plant: engine.AlwaysNew, test: "TestBackupFullThenIncremental", run: backupFullThenIncremental},
		"a skip is forgotten by the next session": {
			plant: engine.ForgetMisses, test: "TestSkippedItemIsNamedUntilItIsRead", run: skippedItemIsNamedUntilItIsRead},
		"two puts of one item end in any order": {
			plant: engine.Unordered, test: "TestLastPutWins", run: lastPutWins},
		"a restore point is committed without its record": {
			plant: engine.PointUnwritten, test: "TestBackupFullThenIncremental", run: backupFullThenIncremental},
		"a repeated restore of an item is taken for a first one": {
			plant: engine.NeverAgain, test: "TestRestoreSweepMakesNoDuplicates", run: restoreSweepMakesNoDuplicates},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := &finder{T: t, plant: tc.plant, noEpochs: tc.noEpochs}
			f.try(tc.run)
			if len(f.found) == 0 {
				t.Errorf("%s did not find it", tc.test)
				return
			}
			t.Logf("%s: %.200s", tc.test, f.found[0])
		})
	}
}

// finder is a judge that notes what a test finds instead of failing.
type finder struct {
	*testing.T
	plant    func(b *engine.Bugs)
	noEpochs bool

	mu    sync.Mutex // guards found
	found []string
}

func (f *finder) note(what string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.found = append(f.found, what)
}

// enough ends a test that called Fatal.
type enough struct{}

func (f *finder) try(run func(t judge)) {
	defer func() {
		if r := recover(); r != nil && r != (enough{}) {
			f.Errorf("panic: %v", r)
		}
	}()
	run(f)
}

func (f *finder) Failed() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.found) > 0
}

func (f *finder) Errorf(format string, args ...any) {
	f.note(strings.TrimSpace(fmt.Sprintf(format, args...)))
}

func (f *finder) Error(args ...any) { f.note(fmt.Sprint(args...)) }

func (f *finder) Fatalf(format string, args ...any) {
	f.Errorf(format, args...)
	panic(enough{})
}

func (f *finder) Fatal(args ...any) {
	f.Error(args...)
	panic(enough{})
}
