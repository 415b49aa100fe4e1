package place

import (
	"cmp"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/kopia/kopia/repo"
	"github.com/kopia/kopia/repo/blob"
	"github.com/kopia/kopia/repo/content"
	"github.com/kopia/kopia/repo/maintenance"
	"github.com/kopia/kopia/repo/maintenancestats"

	"holdfast/internal/holdfast"
	"holdfast/internal/sys"
)

// kopia's own margins, on which safety beside running writers rests: contents younger than 24 hours are not looked at, what a sweep marks is dropped
// after two more sweeps at least 4 hours apart, packs are deleted 24 hours after they were written and an hour after a rewrite.
var safety = maintenance.SafetyFull

// WriterMargin is half of the least time between two effective sweeps: a writer whose last checkpoint is older stops maintenance, because what
// it wrote or reuses is not yet reachable from anything that the mark can see.
var WriterMargin = safety.MarginBetweenSnapshotGC / 2

const (
	clockJump   = time.Hour
	leaseTime   = 6 * time.Hour
	repackShare = 50         // percent of a pack: with less alive it is rewritten
	shortShare  = 60         // percent of a full pack: two shorter ones are joined
	repackBytes = 4 << 30    // at most this much is rewritten in one run
	sweepLimit  = 4 << 20    // contents marked in one run; the rest waits for the next
	baseEvery   = 64         // ledger entries after which a new base lets old ones go
	ownerName   = "holdfast" // in the lease when the caller names none
)

// MaintainOptions say what lives and what runs.
type MaintainOptions struct {
	// Live yields every object that anything kept refers to: heads, restore points, checkpoints, journal entries not yet decided. An error ends
	// maintenance before anything is deleted. Yielding an object twice is fine.
	Live func(yield func(ObjectID) error) error
	// Empty says that Live yields nothing on purpose.
	Empty bool
	// NewestRecord is the time of the caller's newest journal entry: with a clock behind it nothing is deleted.
	NewestRecord time.Time
	// OldestCheckpoint is the time of the last checkpoint of the slowest writer that runs; zero when none runs.
	OldestCheckpoint time.Time
	// TrustClock says that an administrator has confirmed the clock after a jump.
	TrustClock bool
	// Owner names who maintains; another owner's lease that has not run out is respected.
	Owner string
}

// Report is what maintenance did.
type Report struct {
	Contents     int64 // contents in the index
	LiveContents int64 // of these, reachable
	Marked       int64 // marked as deleted in this run
	Recovered    int64 // marked by an earlier run, found reachable, unmarked
	Young        int64 // unreachable, but too young to be looked at
	Repacked     int64 // bytes of live contents moved out of mostly dead packs
	BlobsDeleted int64
	BytesFreed   int64
}

type lease struct {
	Owner string    `json:"owner"`
	Until time.Time `json:"until"`
}

// Maintain deletes what no live object needs, in kopia's several steps: it takes at least three runs over more than a day until space is free.
// It refuses, changing nothing, when the clock, a writer, another maintainer or damage makes deletion unsafe.
func (s *Store) Maintain(ctx context.Context, o MaintainOptions) (report Report, err error) {
	ctx, done := withBreaker(withMaintenance(ctx))
	defer done()
	defer func() { err = s.storage.clear(ctx, err) }()
	if s.options.ReadOnly {
		return report, holdfast.Conflict("the backup repository in %s was opened for reading only", s.storage.disk.root)
	}
	if !s.maintaining.TryLock() {
		return report, holdfast.Conflict("maintenance of the backup repository in %s is running", s.storage.disk.root)
	}
	defer s.maintaining.Unlock()
	if err := s.mayMaintain(ctx, o); err != nil {
		return report, err
	}
	release, err := s.takeLease(ctx, cmp.Or(o.Owner, ownerName))
	if err != nil {
		return report, err
	}
	live, err := s.mark(ctx, o)
	if err == nil {
		err = s.sweep(ctx, live, &report)
	}
	// Whatever happened, the ledger learns what was written and deleted, and the lease goes.
	return report, errors.Join(err, s.settle(ctx, release, &report))
}

// mayMaintain refuses when deletion could hurt.
func (s *Store) mayMaintain(ctx context.Context, o MaintainOptions) error {
	if o.Live == nil {
		return holdfast.Invalid("maintenance needs to know what lives")
	}
	if err := s.usable(); err != nil {
		return err
	}
	now := s.clock.Now()
	if !o.TrustClock {
		s.mu.Lock()
		newest := s.ledger.newest
		s.mu.Unlock()
		if o.NewestRecord.After(newest) {
			newest = o.NewestRecord
		}
		if now.Before(newest) {
			return holdfast.Conflict("the clock (%s) lies behind the newest entry of the backup repository (%s): set the clock, then run retention again", stamp(now), stamp(newest))
		}
		// The monotonic clock of the machine can't be set.
		passed := sys.System.Now().Sub(s.openedMonotonic)
		if jump := now.Round(0).Sub(s.openedWall) - passed; jump.Abs() > clockJump {
			return holdfast.Conflict("the clock jumped by %s since the backup repository was opened: check the clock and restart holdfast, then run retention again", jump.Round(time.Second))
		}
	}
	oldest := o.OldestCheckpoint
	s.mu.Lock()
	for w := range s.sessions {
		if t := w.oldestWrite(); !t.IsZero() && (oldest.IsZero() || t.Before(oldest)) {
			oldest = t
		}
	}
	s.mu.Unlock()
	if !oldest.IsZero() && now.Sub(oldest) > WriterMargin {
		return holdfast.Conflict("a backup that runs made its last checkpoint at %s, over %s ago: retention waits until it makes one or ends", stamp(oldest), WriterMargin)
	}
	return s.sound(ctx)
}

func stamp(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05 MST") }

// sound refuses to delete from a damaged repository: with an index blob lost, living packs look like garbage.
func (s *Store) sound(ctx context.Context) error {
	s.mu.Lock()
	damaged := len(s.ledger.damage) > 0 || s.salvaged
	want := make(map[blob.ID]sum, len(s.ledger.blobs))
	for id, b := range s.ledger.blobs {
		want[id] = b
	}
	s.mu.Unlock()
	missing := ""
	for id, b := range want {
		if !isIndex(id) && renamed[id] == "" {
			continue
		}
		if have, err := s.storage.hashOf(ctx, id); isNotFound(err) || err == nil && have != b {
			damaged, missing = true, string(id)
			break
		} else if err != nil {
			return err
		}
	}
	if !damaged {
		err := s.storage.disk.list(ctx, "", func(m blob.Metadata) error {
			delete(want, m.BlobID)
			return nil
		}, nil)
		if err != nil {
			return err
		}
		for id := range want {
			damaged, missing = true, string(id)
			break
		}
	}
	if damaged {
		return holdfast.Damaged("the backup repository in %s is damaged (%s): nothing is deleted until 'holdfast vault verify' finds it sound", s.storage.disk.root, cmp.Or(missing, "ledger or index"))
	}
	return nil
}

func isIndex(id blob.ID) bool { return id[0] == 'x' }

// takeLease writes our lease into the repository. The lock of the folder keeps other processes of this machine out; the lease speaks to machines that share it
// without sharing locks, and to people.
func (s *Store) takeLease(ctx context.Context, owner string) (release func(), err error) {
	names, err := s.recordNames(ctx, "lease/")
	if err != nil {
		return nil, err
	}
	now := s.clock.Now()
	next := 1
	for _, name := range names {
		if n, err := strconv.Atoi(strings.TrimPrefix(name, "lease/")); err == nil {
			next = n + 1
		}
		var l lease
		if err := s.readJSON(ctx, name, &l); err != nil {
			return nil, err
		}
		if l.Owner != owner && l.Until.After(now) {
			return nil, holdfast.Conflict("%s maintains the backup repository in %s until %s: wait for it, or stop it and wait", l.Owner, s.storage.disk.root, stamp(l.Until))
		}
	}
	mine := fmt.Sprintf("lease/%06d", next)
	if err := s.writeJSON(ctx, mine, lease{Owner: owner, Until: now.Add(leaseTime)}); err != nil {
		return nil, err
	}
	return func() {
		for _, name := range append(names, mine) {
			s.discard(recordID(name))
		}
	}, nil
}

// discard deletes a blob with the next ledger entry.
func (s *Store) discard(id blob.ID) {
	s.storage.mu.Lock()
	defer s.storage.mu.Unlock()
	s.storage.doomed[id] = true
}

func (s *Store) readJSON(ctx context.Context, name string, into any) error {
	text, err := s.readRecord(ctx, name)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(text, into); err != nil {
		return holdfast.Damaged("record %s can't be read: %w", name, err)
	}
	return nil
}

func (s *Store) writeJSON(ctx context.Context, name string, from any) error {
	text, err := json.Marshal(from)
	if err != nil {
		return err
	}
	return s.putRecord(ctx, Record{Name: name, Data: text})
}

// liveSet holds 64 bits of the keyed hash of each live content: 8 bytes each, and an accidental match keeps garbage, never loses data.
type liveSet struct {
	ids    []uint64
	sorted int // ids[:sorted] are sorted and distinct
}

func contentKey(id content.ID) uint64 {
	h := id.Hash()
	if len(h) < 8 {
		return 0
	}
	return binary.BigEndian.Uint64(h)
}

func (l *liveSet) add(id content.ID) {
	l.ids = append(l.ids, contentKey(id))
	if len(l.ids) > 2*l.sorted+1<<20 {
		l.settle()
	}
}

func (l *liveSet) settle() {
	slices.Sort(l.ids)
	l.ids = slices.Compact(l.ids)
	l.sorted = len(l.ids)
}

func (l *liveSet) find(id content.ID) (int, bool) { return slices.BinarySearch(l.ids, contentKey(id)) }

// mark walks the live objects down to their contents.
func (s *Store) mark(ctx context.Context, o MaintainOptions) (*liveSet, error) {
	live := &liveSet{}
	objects := 0
	err := o.Live(func(id ObjectID) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		objects++
		contents, err := s.contents(ctx, id)
		if err != nil {
			return s.readError(ctx, id, err)
		}
		for _, c := range contents {
			live.add(c)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("mark what lives: %w", err)
	}
	if objects == 0 && !o.Empty {
		return nil, holdfast.Invalid("nothing was named as living: maintenance would delete everything and does not run")
	}
	live.settle()
	return live, nil
}

// sweep marks unreachable contents as deleted, moves the rest out of mostly dead packs and lets kopia drop, delete and compact by its margins.
func (s *Store) sweep(ctx context.Context, live *liveSet, report *Report) (err error) {
	if err := s.loadSchedule(ctx); err != nil {
		return err
	}
	_, w, err := s.kopia.NewDirectWriter(ctx, repo.WriteSessionOptions{Purpose: "holdfast maintenance"})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, w.Close(ctx)) }()
	params, err := maintenance.GetParams(ctx, w)
	if err != nil {
		return err
	}
	if me := w.ClientOptions().UsernameAtHost(); params.Owner != me {
		if params.Owner != "" {
			return holdfast.Conflict("maintenance of the backup repository in %s belongs to %s", s.storage.disk.root, params.Owner)
		}
		p := maintenance.DefaultParams()
		p.Owner, p.QuickCycle.Enabled, p.FullCycle.Enabled = me, false, false // no one but us, and not by itself
		if err := maintenance.SetParams(ctx, w, &p); err != nil {
			return err
		}
		if err := w.Flush(ctx); err != nil {
			return err
		}
	}
	ran := false
	err = maintenance.RunExclusive(ctx, w, maintenance.ModeFull, false, func(ctx context.Context, p maintenance.RunParameters) error {
		ran = true
		packs := map[blob.ID]int64{} // live bytes
		err := maintenance.ReportRun(ctx, w, maintenance.TaskSnapshotGarbageCollection, nil, func() (maintenancestats.Kind, error) {
			return nil, s.sweepContents(ctx, w, live, packs, report)
		})
		if err != nil {
			return err
		}
		if err := s.repack(ctx, w, packs, report); err != nil {
			return fmt.Errorf("repack: %w", err)
		}
		return maintenance.Run(ctx, p, safety)
	})
	if err == nil && !ran {
		return holdfast.Conflict("maintenance of the backup repository in %s is running", s.storage.disk.root)
	}
	return err
}

func (s *Store) sweepContents(ctx context.Context, w repo.DirectRepositoryWriter, live *liveSet, packs map[blob.ID]int64, report *Report) error {
	var dead, back []content.ID
	seen := make([]uint64, (len(live.ids)+63)/64)
	found := 0
	now := s.clock.Now()
	err := w.ContentReader().IterateContents(ctx, content.IterateOptions{IncludeDeleted: true}, func(c content.Info) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		report.Contents++
		i, lives := live.find(c.ContentID)
		if lives && seen[i/64]&(1<<(i%64)) == 0 {
			seen[i/64] |= 1 << (i % 64)
			found++
		}
		switch {
		case lives || c.ContentID.Prefix() == "m": // kopia's own manifests
			if lives {
				report.LiveContents++
			}
			if c.Deleted {
				back = append(back, c.ContentID)
			}
		case c.Deleted:
			return nil
		case now.Sub(c.Timestamp()) < safety.MinContentAgeSubjectToGC:
			report.Young++
		case len(dead) < sweepLimit:
			dead = append(dead, c.ContentID)
			return nil
		}
		packs[c.PackBlobID] += int64(c.PackedLength)
		return nil
	})
	if err != nil {
		return err
	}
	if found < len(live.ids) {
		return holdfast.Damaged("%d of %d live contents are not in the index of %s: nothing is deleted; run 'holdfast vault verify'", len(live.ids)-found, len(live.ids), s.storage.disk.root)
	}
	for _, id := range back {
		if err := w.ContentManager().UndeleteContent(ctx, id); err != nil {
			return err
		}
		report.Recovered++
	}
	for _, id := range dead {
		if err := w.ContentManager().DeleteContent(ctx, id); err != nil {
			return err
		}
		report.Marked++
	}
	return w.ContentManager().Flush(ctx)
}

// repack moves live contents out of packs that are mostly dead, and joins short packs. kopia's own rewrite, which this keeps from running, never touches a long
// pack or a lone short one, and copies deleted contents along, so that their space would come back much later. Like that one it waits until the packs that
// the last rewrite emptied were deleted, or it would put their deletion off for ever.
func (s *Store) repack(ctx context.Context, w repo.DirectRepositoryWriter, packs map[blob.ID]int64, report *Report) error {
	schedule, err := maintenance.GetSchedule(ctx, w)
	if err != nil {
		return err
	}
	last := func(tasks ...maintenance.TaskType) (t time.Time) {
		for _, task := range tasks {
			for _, r := range schedule.Runs[task] {
				if r.Success && r.End.After(t) {
					t = r.End
				}
			}
		}
		return t
	}
	rewritten := last(maintenance.TaskRewriteContentsFull, maintenance.TaskRewriteContentsQuick)
	if deleted := last(maintenance.TaskDeleteOrphanedBlobsFull, maintenance.TaskDeleteOrphanedBlobsQuick); !rewritten.IsZero() && deleted.Before(rewritten) {
		return nil
	}
	now := s.clock.Now()
	chosen := s.choosePacks(packs)
	var ids []content.ID
	moved := int64(0)
	err = w.ContentReader().IterateContents(ctx, content.IterateOptions{}, func(c content.Info) error {
		if chosen[c.PackBlobID] && now.Sub(c.Timestamp()) >= safety.RewriteMinAge {
			ids = append(ids, c.ContentID)
			moved += int64(c.PackedLength)
		}
		return nil
	})
	if err != nil {
		return err
	}
	if len(ids) == 0 {
		// Tell kopia that a rewrite is done with, so that it neither makes its own nor waits before it deletes.
		done := now.Add(-safety.MinRewriteToOrphanDeletionDelay)
		schedule.ReportRun(maintenance.TaskRewriteContentsFull, maintenance.RunInfo{Start: done, End: done, Success: true})
		return maintenance.SetSchedule(ctx, w, schedule)
	}
	return maintenance.ReportRun(ctx, w, maintenance.TaskRewriteContentsFull, nil, func() (maintenancestats.Kind, error) {
		stats, err := maintenance.RewriteContents(ctx, w, &maintenance.RewriteContentsOptions{ContentIDs: ids, Parallel: 2}, safety)
		if err != nil {
			return nil, err
		}
		report.Repacked += moved
		return stats, nil
	})
}

// choosePacks picks the packs to empty, given the live bytes of each.
func (s *Store) choosePacks(packs map[blob.ID]int64) map[blob.ID]bool {
	chosen := map[blob.ID]bool{}
	short := map[byte][]blob.ID{}
	budget := int64(repackBytes)
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, id := range slices.Sorted(maps.Keys(packs)) {
		live, size := packs[id], s.ledger.blobs[id].size // size 0: a pack of this very run
		switch {
		case size == 0 || live > budget:
		case live*100 < size*repackShare:
			chosen[id] = true
			budget -= live
		case size < packSize*shortShare/100:
			short[id[0]] = append(short[id[0]], id)
		}
	}
	for _, ids := range short {
		if len(ids) < 2 {
			continue
		}
		for _, id := range ids {
			if packs[id] <= budget {
				chosen[id] = true
				budget -= packs[id]
			}
		}
	}
	return chosen
}

// kopia overwrites its schedule many times in a run. We keep it in memory meanwhile and store it as a new record at the end; a crash loses the memory of
// one run, which makes kopia wait longer, never less.
func (s *Store) loadSchedule(ctx context.Context) error {
	names, err := s.recordNames(ctx, "schedule/")
	if err != nil || len(names) == 0 {
		return err
	}
	data, err := s.readRecord(ctx, names[len(names)-1])
	if err != nil {
		return err
	}
	s.storage.mu.Lock()
	defer s.storage.mu.Unlock()
	s.storage.schedule = &marker{data: data, at: s.clock.Now()}
	return nil
}

// settle stores the schedule, gives the lease back, lets the ledger have it all, and then deletes.
func (s *Store) settle(ctx context.Context, release func(), report *Report) error {
	names, err := s.recordNames(ctx, "schedule/")
	if err != nil {
		return err
	}
	s.storage.mu.Lock()
	schedule := s.storage.schedule
	s.storage.mu.Unlock()
	if schedule != nil {
		next := 1
		if len(names) > 0 {
			n, err := strconv.Atoi(strings.TrimPrefix(names[len(names)-1], "schedule/"))
			if err != nil {
				return err
			}
			next = n + 1
		}
		if err := s.putRecord(ctx, Record{Name: fmt.Sprintf("schedule/%06d", next), Data: schedule.data}); err != nil {
			return err
		}
		for _, name := range names {
			s.discard(recordID(name))
		}
	}
	release()
	s.count(report)
	if err := s.seal(ctx, nil); err != nil {
		return err
	}
	if err := s.buryAgain(ctx); err != nil {
		return err
	}
	if err := s.prune(ctx); err != nil {
		return err
	}
	return s.kopia.Refresh(ctx)
}

// count adds up what this run deletes; our own records are not counted.
func (s *Store) count(report *Report) {
	s.storage.mu.Lock()
	doomed := slices.Collect(maps.Keys(s.storage.doomed))
	s.storage.mu.Unlock()
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, id := range doomed {
		if id[0] != recordPrefix[0] {
			report.BlobsDeleted++
			report.BytesFreed += s.ledger.blobs[id].size
		}
	}
}

// buryAgain removes what an earlier run deleted in the ledger but, for a crash, not on disk.
func (s *Store) buryAgain(ctx context.Context) error {
	var again []blob.ID
	err := s.storage.disk.list(ctx, "", func(m blob.Metadata) error {
		if s.storage.invisible(m.BlobID) {
			again = append(again, m.BlobID)
		}
		return nil
	}, nil)
	return errors.Join(err, s.bury(ctx, again))
}

// prune writes a base entry when the chain has grown and deletes what lies before the base before it, so that one damaged base is no loss.
func (s *Store) prune(ctx context.Context) error {
	s.mu.Lock()
	l := s.ledger
	last := uint64(0)
	if len(l.bases) > 0 {
		last = l.bases[len(l.bases)-1]
	}
	if l.head().Sequence-last < baseEvery {
		s.mu.Unlock()
		return nil
	}
	base := func(e *ledgerEntry) {
		s.mu.Lock()
		defer s.mu.Unlock()
		written := e.Blobs
		e.Base, e.Blobs, e.Deleted, e.Files = true, nil, nil, l.files
		for _, id := range slices.Sorted(maps.Keys(l.blobs)) {
			e.Blobs = append(e.Blobs, ledgerBlob{ID: string(id), Size: l.blobs[id].size, Hash: l.blobs[id].hash})
		}
		e.Blobs = append(e.Blobs, written...)
		e.Gone = slices.Sorted(maps.Keys(l.gone))
		e.Heads = slices.Clone(l.heads[max(0, len(l.heads)-headsKept):])
	}
	old := slices.DeleteFunc(slices.Clone(l.entries), func(seq uint64) bool { return seq >= last })
	s.mu.Unlock()
	if err := s.seal(ctx, base); err != nil {
		return err
	}
	if _, err := s.readRecord(ctx, ledgerName(s.LedgerHead().Sequence)); err != nil {
		return err
	}
	for _, seq := range old {
		if err := s.bury(ctx, []blob.ID{recordID(ledgerName(seq))}); err != nil {
			return err
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ledger.entries = slices.DeleteFunc(s.ledger.entries, func(seq uint64) bool { return seq < last })
	return nil
}
