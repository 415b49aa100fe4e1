package engine_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"holdfast/internal/engine"
	"holdfast/internal/engine/enginetest"
	"holdfast/internal/holdfast"
	"holdfast/internal/sys"
)

func TestBackupFullThenIncremental(t *testing.T) { backupFullThenIncremental(t) }

func backupFullThenIncremental(t judge) {
	w := newWorld(t)
	w.must(w.start(nil))
	w.fill("ann", 23)
	p1, err := w.backupSession("ann")
	w.must(err)
	first := w.tenant.Truth("ann")

	w.tenant.Put("ann", "m003", "empty", "moved and changed", "other")
	w.tenant.Delete("ann", "m004")
	w.tenant.Put("ann", "new", "inbox", "new", "new")
	reads := w.tenant.Reads("ann")
	p2, err := w.backupSession("ann")
	w.must(err)
	if n := w.tenant.Reads("ann") - reads; n != 2 {
		t.Errorf("an incremental backup of 2 changed items read %d", n)
	}
	p3, err := w.backupSession("ann")
	w.must(err)
	if p1.Entries[0].State != holdfast.StateUpdated || p2.Entries[0].State != holdfast.StateUpdated || p3.Entries[0].State != holdfast.StateUnchanged {
		t.Errorf("states %s, %s, %s; want updated, updated, unchanged", p1.Entries[0].State, p2.Entries[0].State, p3.Entries[0].State)
	}
	if p3.Entries[0].Head != p2.Entries[0].Head {
		t.Errorf("an idle backup made head %d after %d", p3.Entries[0].Head, p2.Entries[0].Head)
	}
	w.must(w.start(nil))
	w.check()
	if d := diff(w.held(w.db.All()[0]), first); d != "" {
		t.Errorf("the first restore point changed:\n%s", d)
	}
}

func TestExpiredTokenMakesNoDuplicatesAndNoFalseDeletes(t *testing.T) {
	w := newWorld(t)
	w.must(w.start(nil))
	w.fill("ann", 12)
	_, err := w.backupSession("ann")
	w.must(err)
	w.tenant.Delete("ann", "m001")
	w.tenant.Put("ann", "m002", "inbox", "changed", "changed")
	w.tenant.Expire("ann")
	_, err = w.backupSession("ann")
	w.must(err)
	w.check()
	if n := len(w.db.All()); n != 2 {
		t.Errorf("%d heads, want 2", n)
	}
}

func TestGoneContainerKeepsItsHistory(t *testing.T) {
	for name, reason := range map[string]holdfast.SkipReason{"gone": holdfast.SkipGone, "unlicensed": holdfast.SkipUnlicensed} {
		t.Run(name, func(t *testing.T) { goneContainerKeepsItsHistory(t, reason) })
	}
}

func goneContainerKeepsItsHistory(t judge, reason holdfast.SkipReason) {
	w := newWorld(t)
	w.must(w.start(nil))
	w.fill("ann", 3)
	w.fill("bob", 1)
	p, err := w.backupSession("ann", "bob")
	w.must(err)
	w.tenant.Refuse("ann", &holdfast.Skip{Reason: reason, Err: errors.New("404")})
	again, err := w.backupSession("ann", "bob")
	w.must(err)
	e := again.Entries[0]
	if e.State != holdfast.StateGone || e.Head != p.Entries[0].Head || !strings.Contains(e.Reason, "404") {
		t.Errorf("entry %+v, want gone with head %d and the reason", e, p.Entries[0].Head)
	}
	w.check()
}

func TestOtherSkipOfAContainerIsNotUpdated(t *testing.T) {
	w := newWorld(t)
	w.must(w.start(nil))
	w.fill("ann", 1)
	first, err := w.backup("ann")
	w.must(err)
	w.tenant.Refuse("ann", &holdfast.Skip{Reason: holdfast.SkipLocked, Err: errors.New("423")})
	e, err := w.backup("ann")
	var skip *holdfast.Skip
	if !errors.As(err, &skip) || e.State != holdfast.StateNotUpdated || e.Head != first.Head || e.Reason == "" {
		t.Errorf("entry %+v, error %v; want not updated with head %d and a reason", e, err, first.Head)
	}
}

// A skip stays on record until the item is read or gone, though later sessions do not hear of it again.
func TestSkippedItemIsNamedUntilItIsRead(t *testing.T) { skippedItemIsNamedUntilItIsRead(t) }

func skippedItemIsNamedUntilItIsRead(t judge) {
	w := newWorld(t)
	w.must(w.start(nil))
	w.fill("ann", 4)
	_, err := w.backup("ann")
	w.must(err)
	w.tenant.Put("ann", "m001", "inbox", "now broken", enginetest.Body("x", 500))
	w.tenant.Put("ann", "bad", "inbox", "bad from the start", enginetest.Body("y", 500))
	for _, id := range []string{"m001", "bad"} {
		w.tenant.Break("ann", id, &holdfast.Skip{Reason: holdfast.SkipCorrupt, Err: errors.New("ErrorCorruptData")})
	}
	for round := range 3 {
		e, err := w.backup("ann")
		w.must(err)
		if e.SkippedCount != 2 || len(e.Skipped) != 2 || e.Skipped[0].ID != "bad" || e.Skipped[0].Reason != holdfast.SkipCorrupt || e.Skipped[1].Name != "now broken" {
			t.Fatalf("round %d: %+v", round, e)
		}
		if round > 0 && e.State != holdfast.StateUnchanged {
			t.Errorf("round %d: %s, though nothing changed", round, e.State)
		}
	}
	held := w.held(w.db.All()[1])
	if held["bad"] != "" || held["m001"] == "" || held["m001"] == w.tenant.Truth("ann")["m001"] {
		t.Errorf("the older version must stay visible: %q; %q", held["m001"], held["bad"])
	}
	w.tenant.Break("ann", "m001", nil)
	w.tenant.Delete("ann", "bad")
	e, err := w.backup("ann")
	w.must(err)
	if e.SkippedCount != 0 || e.State != holdfast.StateUpdated {
		t.Errorf("after the repair: %+v", e)
	}
	if d := diff(w.held(w.db.All()[2]), w.tenant.Truth("ann")); d != "" {
		t.Error(d)
	}
}

func TestCrashInFirstBackupResumesAtTheCheckpoint(t *testing.T) {
	crashInFirstBackupResumesAtTheCheckpoint(t)
}

func crashInFirstBackupResumesAtTheCheckpoint(t judge) {
	w := newWorld(t)
	w.config.CheckpointBytes = 1
	w.must(w.start(nil))
	w.fill("ann", 40)
	pages := 0
	w.tenant.Reading = func(context.Context, holdfast.Container) error {
		if pages++; pages == 6 {
			return errors.New("power cut")
		}
		return nil
	}
	if _, err := w.backup("ann"); err == nil {
		t.Fatal("the backup survived")
	}
	if n := len(w.db.Checkpoints()); n != 1 {
		t.Fatalf("%d checkpoints", n)
	}
	w.tenant.Reading = nil
	w.tenant.Delete("ann", "m000") // known to the checkpoint
	w.tenant.Put("ann", "m001", "inbox", "changed since", "x")
	w.must(w.start(nil))
	before := w.tenant.Reads("ann")
	_, err := w.backupSession("ann")
	w.must(err)
	if n := w.tenant.Reads("ann") - before; n > 43-25+1+4 {
		t.Errorf("%d items were read after the crash, want only what the checkpoint lacks", n)
	}
	w.check()
	if n := len(w.db.Checkpoints()); n != 0 {
		t.Errorf("%d checkpoints left", n)
	}
}

// Everything was in the last checkpoint: the resumed backup finds no change and must publish all the same.
func TestResumedBackupWithoutChangesIsPublished(t *testing.T) {
	w := newWorld(t)
	w.config.CheckpointBytes = 1
	w.fill("ann", 7)
	for round := range 3 {
		w.must(w.start(nil))
		w.tenant.Put("ann", "x", "inbox", fmt.Sprint(round), fmt.Sprint(round))
		// The source's last savepoint is its end: cut right after it.
		ctx, cancel := context.WithCancelCause(t.Context())
		lease := w.db.Lease("ann")
		cut := &cutSource{Tenant: w.tenant, after: func() { cancel(errors.New("power cut")) }}
		if _, _, err := w.engine.Backup(ctx, w.repo, cut, engine.BackupTask{Lease: lease, Container: enginetest.Container("ann")}); err == nil {
			t.Fatal("the backup survived")
		}
		w.must(w.start(nil))
		e, err := w.backup("ann")
		w.must(err)
		if e.State != holdfast.StateUpdated {
			t.Errorf("round %d: %s", round, e.State)
		}
		w.check()
	}
}

// The last savepoint may fall on the very end: then the checkpoint has everything, and the head must still come.
func TestCheckpointAtTheVeryEndDoesNotSwallowTheHead(t *testing.T) {
	checkpointAtTheVeryEndDoesNotSwallowTheHead(t)
}

func checkpointAtTheVeryEndDoesNotSwallowTheHead(t judge) {
	w := newWorld(t)
	w.config.CheckpointBytes = 1
	w.must(w.start(nil))
	w.fill("ann", 3)
	for round := range 3 {
		w.tenant.Put("ann", "x", "inbox", fmt.Sprint(round), fmt.Sprint(round))
		p, err := w.backupSession("ann")
		w.must(err)
		if p.Entries[0].State != holdfast.StateUpdated {
			t.Errorf("round %d: %s", round, p.Entries[0].State)
		}
		upToDate(w, "ann")
	}
	e, err := w.backup("ann")
	w.must(err)
	if e.State != holdfast.StateUnchanged {
		t.Errorf("an idle backup: %s", e.State)
	}
}

type cutSource struct {
	*enginetest.Tenant
	after func()
}

func (c *cutSource) Read(ctx context.Context, at holdfast.Container, prev engine.Previous, sink engine.Sink) error {
	if err := c.Tenant.Read(ctx, at, prev, sink); err != nil {
		return err
	}
	c.after()
	return ctx.Err()
}

func TestCheckpointByTimeOfTheInjectedClock(t *testing.T) {
	w := newWorld(t)
	w.must(w.start(nil))
	w.fill("ann", 20)
	pages := 0
	var saved []int
	w.tenant.Reading = func(context.Context, holdfast.Container) error {
		pages++
		saved = append(saved, len(w.db.Checkpoints()))
		if pages == 2 {
			w.clock.Move(16 * time.Minute)
		}
		return nil
	}
	_, err := w.backup("ann")
	w.must(err)
	if len(saved) < 4 || saved[1] != 0 || saved[2] != 1 {
		t.Errorf("checkpoints at the starts of pages: %v; want the first after page 2", saved)
	}
}

func TestStaleLeaseChangesNothing(t *testing.T) { staleLeaseChangesNothing(t) }

func staleLeaseChangesNothing(t judge) {
	w := newWorld(t)
	w.must(w.start(nil))
	w.fill("ann", 5)
	_, err := w.backup("ann")
	w.must(err)
	w.tenant.Put("ann", "n", "inbox", "n", "n")
	stale := w.db.Lease("ann")
	once := sync.OnceFunc(func() { w.db.Lease("ann") })
	w.tenant.Reading = func(context.Context, holdfast.Container) error { once(); return nil } // stopped here; another one takes over
	before := w.db.All()
	e, err := w.backupAs(t.Context(), stale, "ann")
	if holdfast.KindOf(err) != holdfast.KindStale || e.State != holdfast.StateNotUpdated {
		t.Errorf("entry %+v, error %v; want stale", e, err)
	}
	if got := w.db.All(); len(got) != len(before) {
		t.Errorf("a stale lease committed head %d", got[len(got)-1].Number)
	}
	w.tenant.Reading = nil
	_, err = w.backupSession("ann")
	w.must(err)
	w.check()
}

// One stale lease in a group must not take the others along.
func TestStaleLeaseInAGroupEndsOnlyItsOwnHead(t *testing.T) { staleLeaseInAGroupEndsOnlyItsOwnHead(t) }

func staleLeaseInAGroupEndsOnlyItsOwnHead(t judge) {
	w := newWorld(t)
	w.config.Quiet = 50 * time.Millisecond
	w.must(w.start(nil))
	const n = 9
	leases := make([]holdfast.Lease, n)
	for i := range n {
		w.fill(fmt.Sprint("box", i), 2)
		leases[i] = w.db.Lease(holdfast.TaskID(fmt.Sprint("box", i)))
	}
	var wg sync.WaitGroup
	var good, stale atomic.Int64
	var arrive sync.WaitGroup
	arrive.Add(n)
	for i := range n {
		wg.Go(func() {
			// All are read before the first lease is lost, and all wait for the same commit.
			_, _, err := w.engine.Backup(t.Context(), w.repo, w.tenant, engine.BackupTask{
				Lease: leases[i], Container: enginetest.Container(fmt.Sprint("box", i)),
				Waiting: func() {
					arrive.Done()
					arrive.Wait()
					if i == 3 {
						w.db.Lease("box3")
					}
				},
			})
			switch {
			case err == nil:
				good.Add(1)
			case holdfast.KindOf(err) == holdfast.KindStale && i == 3:
				stale.Add(1)
			default:
				t.Errorf("box %d: %v", i, err)
			}
		})
	}
	wg.Wait()
	if good.Load() != n-1 || stale.Load() != 1 || len(w.db.All()) != n-1 {
		t.Errorf("%d good, %d stale, %d heads", good.Load(), stale.Load(), len(w.db.All()))
	}
}

func TestCancelEndsWithinASecondAndCommitsNothing(t *testing.T) {
	w := newWorld(t)
	w.must(w.start(nil))
	w.tenant.Put("ann", "big", "", "big", "")
	ctx, cancel := context.WithCancelCause(t.Context())
	stop := errors.New("stopped by the user")
	src := &endless{Tenant: w.tenant, started: func() { cancel(stop) }}
	began := time.Now()
	e, _, err := w.engine.Backup(ctx, w.repo, src, engine.BackupTask{Lease: w.db.Lease("ann"), Container: enginetest.Container("ann")})
	if !errors.Is(err, stop) || time.Since(began) > time.Second || e.State != holdfast.StateNotUpdated {
		t.Errorf("%v after %v, entry %+v", err, time.Since(began), e)
	}
	if len(w.db.All()) != 0 {
		t.Error("a cancelled backup committed a head")
	}
	w.fill("bob", 2)
	_, err = w.backup("bob") // the repository is not spoilt for others
	w.must(err)
}

// endless serves an item that never ends.
type endless struct {
	*enginetest.Tenant
	started func()
}

func (s *endless) Read(ctx context.Context, _ holdfast.Container, _ engine.Previous, sink engine.Sink) error {
	sink.Go(ctx, 1, func(ctx context.Context) error {
		return sink.Put(ctx, holdfast.Item{ID: "big", Kind: holdfast.KindMail}, holdfast.Whole(holdfast.FormMIME, zeros(s.started), -1))
	})
	return sink.Wait()
}

// zeros calls itself at each read, and never ends.
type zeros func()

func (z zeros) Read(p []byte) (int, error) {
	z()
	clear(p)
	return len(p), nil
}

func TestPanicInASourceFailsOneContainer(t *testing.T) {
	w := newWorld(t)
	w.must(w.start(nil))
	w.fill("ann", 2)
	w.tenant.Reading = func(context.Context, holdfast.Container) error { panic("slip") }
	if _, err := w.backup("ann"); err == nil || !strings.Contains(err.Error(), "slip") {
		t.Errorf("got %v", err)
	}
	w.tenant.Reading = nil
	_, err := w.backupSession("ann")
	w.must(err)
	w.check()
}

// Hundreds of idle containers write nothing at all; the first cursors of many fit into one commit.
func TestIdleContainersWriteNothingAndChangedOnesShareACommit(t *testing.T) {
	w := newWorld(t)
	w.config.Quiet = 100 * time.Millisecond
	w.must(w.start(nil))
	const n = 200
	all := func() {
		t.Helper()
		var wg sync.WaitGroup
		slots := make(chan struct{}, 32)
		leases := make([]holdfast.Lease, n)
		for i := range n {
			leases[i] = w.db.Lease(holdfast.TaskID(fmt.Sprint("box", i)))
		}
		for i := range n {
			slots <- struct{}{}
			wg.Go(func() {
				free := sync.OnceFunc(func() { <-slots })
				defer free()
				_, _, err := w.engine.Backup(t.Context(), w.repo, w.tenant, engine.BackupTask{Lease: leases[i], Container: enginetest.Container(fmt.Sprint("box", i)), Waiting: free})
				if err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
	}
	for i := range n {
		w.tenant.Put(fmt.Sprint("box", i), "root", "", "root/", "")
	}
	all()
	files, commits := w.files(), w.db.Commits
	if commits > 3 {
		t.Errorf("%d containers took %d commits", n, commits)
	}
	if files > 30 {
		t.Errorf("%d containers took %d files", n, files)
	}
	all()
	if got := w.files(); got != files || w.db.Commits != commits {
		t.Errorf("idle containers made %d files and %d commits", got-files, w.db.Commits-commits)
	}
}

// An item that is put twice at one time keeps what was put last; a put and a delete likewise.
func TestLastPutWins(t *testing.T) { lastPutWins(t) }

func lastPutWins(t judge) {
	w := newWorld(t)
	w.must(w.start(nil))
	src := &funcSource{Tenant: w.tenant, read: func(ctx context.Context, sink engine.Sink) error {
		slow := make(chan struct{})
		first := make(chan struct{})
		var wg sync.WaitGroup
		put := func(version string, pieces holdfast.Payload) {
			if err := sink.Put(ctx, holdfast.Item{ID: "a", Kind: holdfast.KindMail, Version: version}, pieces); err != nil {
				t.Error(err)
			}
		}
		wg.Go(func() {
			put("1", holdfast.Payload{Form: holdfast.FormMIME, Pieces: func(yield func(holdfast.Piece, error) bool) {
				close(first)
				<-slow
				yield(holdfast.Piece{Reader: strings.NewReader("one"), Size: 3}, nil)
			}})
		})
		<-first
		second := make(chan struct{})
		wg.Go(func() {
			close(second)
			put("2", holdfast.Whole(holdfast.FormMIME, strings.NewReader("two"), 3))
		})
		<-second
		time.AfterFunc(20*time.Millisecond, func() { close(slow) })
		wg.Wait()
		return nil
	}}
	_, _, err := w.engine.Backup(t.Context(), w.repo, src, engine.BackupTask{Lease: w.db.Lease("ann"), Container: enginetest.Container("ann")})
	w.must(err)
	if held := w.held(w.db.All()[0]); !strings.Contains(held["a"], "v2 ") {
		t.Errorf("the vault has %q, want version 2", held["a"])
	}
}

type funcSource struct {
	*enginetest.Tenant
	read func(ctx context.Context, sink engine.Sink) error
}

func (f *funcSource) Read(ctx context.Context, _ holdfast.Container, _ engine.Previous, sink engine.Sink) error {
	return f.read(ctx, sink)
}

// slowly is a reader whose source takes a second for each read.
type slowly struct {
	io.Reader
	clock *sys.Shifted
}

func (s slowly) Read(p []byte) (int, error) {
	s.clock.Move(time.Second)
	return s.Reader.Read(p)
}

func TestWhatWasWaitedForIsNamed(t *testing.T) {
	w := newWorld(t)
	w.must(w.start(nil))
	run := func(source, store time.Duration) string {
		src := &funcSource{Tenant: w.tenant, read: func(ctx context.Context, sink engine.Sink) error {
			sink.Go(ctx, 1, func(ctx context.Context) error {
				w.clock.Move(source)
				pieces := func(yield func(holdfast.Piece, error) bool) {
					if yield(holdfast.Piece{Reader: slowly{strings.NewReader("one"), w.clock}, Size: 3}, nil) {
						w.clock.Move(source) // looking for the next piece
					}
				}
				return sink.Put(ctx, holdfast.Item{ID: source.String() + store.String(), Kind: holdfast.KindFile, Name: "a"}, holdfast.Payload{Form: holdfast.FormFile, Pieces: pieces, Served: func() uint64 {
					w.clock.Move(store) // asked when all is read
					served := holdfast.NewSum()
					_, _ = served.Write([]byte("one"))
					return served.Sum64()
				}})
			})
			return sink.Wait()
		}}
		_, st, err := w.engine.Backup(t.Context(), w.repo, src, engine.BackupTask{Lease: w.db.Lease("ann"), Container: enginetest.Container("ann")})
		w.must(err)
		return st.Bottleneck
	}
	if got := run(time.Minute, time.Second); got != "Source" {
		t.Errorf("a slow source: %q", got)
	}
	if got := run(time.Second, time.Hour); got != "Target" {
		t.Errorf("a slow repository: %q", got)
	}
	if _, st, err := w.engine.Backup(t.Context(), w.repo, &funcSource{Tenant: w.tenant, read: func(context.Context, engine.Sink) error { return nil }},
		engine.BackupTask{Lease: w.db.Lease("ann"), Container: enginetest.Container("ann")}); err != nil || st.Bottleneck != "" {
		t.Errorf("nothing read: %q, %v", st.Bottleneck, err)
	}
}

func TestALostOlderHeadHurtsItsContainerOnly(t *testing.T) {
	w := newWorld(t)
	w.must(w.start(nil))
	w.fill("ann", 2)
	w.fill("bob", 2)
	_, err := w.backupSession("ann", "bob")
	w.must(err)
	var record holdfast.HeadRecord
	for _, h := range w.db.All() {
		if h.Container.Key() == enginetest.Container("bob").Key() {
			record = h
		}
	}
	head, err := engine.HeadOf(&record)
	w.must(err)
	lease := w.db.Lease("bob, lost")
	head.Number, head.Epoch = head.Number+1, lease.Epoch
	head.Object = strings.Map(func(r rune) rune { // names nothing that is there
		if r >= '0' && r <= '9' {
			return '0' + (r-'0'+1)%10
		}
		return r
	}, head.Object)
	lost, err := head.Record(record.Repository, record.Journal)
	w.must(err)
	w.must(w.db.CommitHeads(t.Context(), []holdfast.HeadCommit{{Lease: lease, Head: lost}}))
	w.db.Session("later")
	ann, err := w.backup("ann")
	w.must(err)
	w.db.Report(ann)
	w.db.Report(holdfast.PointEntry{Container: enginetest.Container("bob"), Head: lost.Number, HeadTime: lost.Time, State: holdfast.StateNotUpdated, Reason: "the service was busy"})
	p, err := w.engine.Finish(t.Context(), w.repo, engine.FinishTask{Lease: w.db.Lease("finish"), Attempt: 1})
	w.must(err)
	for _, e := range p.Entries {
		switch e.Container.Key() {
		case enginetest.Container("ann").Key():
			if e.Head != ann.Head {
				t.Errorf("the sound container: %+v", e)
			}
		default:
			if e.Head != 0 || !strings.Contains(e.Reason, "can't be read any more") || !strings.Contains(e.Reason, "the service was busy") {
				t.Errorf("the lost one: %+v", e)
			}
		}
	}
	if p.Status == holdfast.StatusSuccess || len(p.Entries) != 2 {
		t.Errorf("restore point %s of %d containers", p.Status, len(p.Entries))
	}
}
