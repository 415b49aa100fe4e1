package engine

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"holdfast/internal/holdfast"
	"holdfast/internal/vault"
)

// BackupTask is one container to bring up to date.
type BackupTask struct {
	Lease     holdfast.Lease
	Container holdfast.Container
	Anew      bool // see Previous
	// Progress, when not nil, is told now and then what has been done in all, from any goroutine.
	Progress func(sofar holdfast.Statistics)
	// Waiting, when not nil, is called once when all is read and the head waits to be committed with others, which costs nothing.
	Waiting func()
	// Found, when not nil, is told of containers that the Source found, one call at a time. They count when the backup ends well.
	Found func(c holdfast.Container, hint string)
}

// Backup brings a container up to date and commits its head. The entry is what a restore point says of the container.
//
// An error means that the container has no new head and why; the entry then names the one that stands in, as far as it is known.
// A container that is gone or has no licence is no error: its entry says so and keeps the head that there was.
func (e *Engine) Backup(ctx context.Context, repo *vault.Repository, src Source, task BackupTask) (holdfast.PointEntry, holdfast.Statistics, error) {
	b := &backup{engine: e, repo: repo, source: src, task: task, committer: e.committer(repo)}
	b.entry = holdfast.PointEntry{Container: task.Container, State: holdfast.StateNotUpdated}
	b.committer.begin()
	err := guard(func() error { return b.run(ctx) })
	if !b.submitted {
		b.committer.end()
	}
	if err != nil {
		b.entry.State = holdfast.StateNotUpdated
		b.entry.Reason = err.Error()
	}
	return b.entry, b.stats, err
}

type backup struct {
	engine    *Engine
	repo      *vault.Repository
	source    Source
	task      BackupTask
	committer *committer
	submitted bool // the committer has counted this backup off
	saved     bool // there is a checkpoint of this backup's own; only Savepoint writes it, one at a time

	entry holdfast.PointEntry
	stats holdfast.Statistics
}

func (b *backup) run(ctx context.Context) error {
	e, c := b.engine, b.task.Container
	published, checkpoint, err := e.Catalogue.CurrentHeads(ctx, b.task.Lease, b.repo.Ref().Repository, c)
	if err != nil {
		return fmt.Errorf("look up the current head of %s: %w", c, err)
	}
	if published != nil {
		b.entry.Head, b.entry.HeadTime = published.Number, published.Time
	}
	base, resumed := published, false
	if checkpoint != nil && (published == nil || checkpoint.Number > published.Number) {
		base, resumed = checkpoint, true
	}
	baseHead, err := HeadOf(base)
	if err != nil {
		return err
	}
	view, err := b.repo.View(ctx, baseHead)
	if err != nil {
		return fmt.Errorf("open the last state of %s: %w", c, err)
	}
	writer, err := b.repo.Writer(ctx, vault.WriterOptions{Container: c, Base: baseHead, Epoch: b.task.Lease.Epoch})
	if err != nil {
		return fmt.Errorf("start writing %s: %w", c, err)
	}
	defer writer.Close()

	ctx, usage := metered(ctx, b.source)
	s := &sink{
		engine: e, task: b.task, writer: writer, lastSaved: e.Clock.Now(),
		misses: map[string]Missed{},
	}
	before := previous{view: view, anew: b.task.Anew}
	for m, err := range before.Missed(ctx) {
		if err != nil {
			return fmt.Errorf("read what earlier sessions missed of %s: %w", c, err)
		}
		s.misses[m.Item.ID] = m
	}
	s.save = func(ctx context.Context) error { return b.checkpoint(ctx, s) }
	if b.task.Progress != nil {
		inner := b.task.Progress
		s.task.Progress = func(st holdfast.Statistics) { inner(withUsage(st, usage())) }
	}

	s.lane = e.pool.lane(ctx)
	err = guard(func() error { return b.source.Read(s.lane.ctx, c, before, s) })
	if err != nil {
		s.lane.cancel(err) // what still runs is for nothing
	} else {
		err = s.lane.wait()
	}
	s.lane.close()
	if cause := context.Cause(ctx); cause != nil {
		err = cause
	} else if broken := s.spent(); broken != nil {
		err = broken
	}
	b.stats = withUsage(s.statistics(), usage())
	if err != nil {
		var skip *holdfast.Skip
		if !errors.As(err, &skip) {
			return fmt.Errorf("read %s: %w", c, err)
		} else if skip.Reason != holdfast.SkipGone && skip.Reason != holdfast.SkipUnlicensed {
			return err
		}
		if !e.bugs.emptyWhenGone {
			b.entry.State, b.entry.Reason = holdfast.StateGone, skip.Error()
			return nil
		}
		for item, err := range view.All(ctx) {
			if err := errors.Join(err, s.Delete(ctx, item.ID)); err != nil {
				return err
			}
		}
	}
	return b.finish(ctx, s, view, resumed)
}

// finish commits the new head, or finds that there is none.
func (b *backup) finish(ctx context.Context, s *sink, view *vault.View, resumed bool) error {
	if (resumed || b.saved) && !b.engine.bugs.swallowCheckpoints || b.engine.bugs.alwaysNew {
		if err := b.resume(ctx, s, view); err != nil {
			return err
		}
	}
	head, bytes, err := s.seal(ctx)
	if err != nil {
		return fmt.Errorf("seal what changed in %s: %w", b.task.Container, err)
	}
	b.nameSkipped(s)
	b.entry.Container = s.container()
	if head == nil {
		b.entry.State = holdfast.StateUnchanged
		return nil
	}
	b.submitted = true
	if b.task.Waiting != nil {
		b.task.Waiting()
	}
	record, err := b.committer.submit(ctx, b.repo, &sealed{lease: b.task.Lease, head: *head, bytes: bytes})
	if err != nil {
		return fmt.Errorf("commit %s: %w", b.task.Container, err)
	}
	b.entry.State, b.entry.Head, b.entry.HeadTime = holdfast.StateUpdated, record.Number, record.Time
	return nil
}

// resume makes sure that there is a head to publish when all changes are in checkpoints, this backup's own or the one that it went on
// from: a mark that is not there comes, one that is there goes.
func (b *backup) resume(ctx context.Context, s *sink, view *vault.View) error {
	_, marked, err := view.Cursor(ctx, resumedMark)
	if err == nil && marked {
		err = s.writer.Cursor(ctx, resumedMark, "")
	} else if err == nil {
		err = s.writer.Cursor(ctx, resumedMark, "true")
	}
	if err != nil {
		return fmt.Errorf("mark %s as resumed: %w", b.task.Container, err)
	}
	return nil
}

func (b *backup) checkpoint(ctx context.Context, s *sink) error {
	head, bytes, err := s.seal(ctx)
	if err != nil || head == nil {
		return err
	}
	b.saved = true
	_, err = b.committer.submit(ctx, b.repo, &sealed{lease: b.task.Lease, head: *head, checkpoint: true, bytes: bytes})
	return err
}

// nameSkipped puts what the head lacks into the entry.
func (b *backup) nameSkipped(s *sink) {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := slices.SortedFunc(maps.Values(s.misses), func(x, y Missed) int { return strings.Compare(x.Item.ID, y.Item.ID) })
	b.entry.SkippedCount = int64(len(all))
	b.entry.Skipped = nil
	for _, m := range all[:min(len(all), SkippedListed)] {
		b.entry.Skipped = append(b.entry.Skipped, holdfast.SkippedItem{ID: m.Item.ID, Name: m.Item.Name, Reason: m.Reason, Detail: m.Detail})
	}
}

// metered asks a Source or Target to count its calls.
func metered(ctx context.Context, end any) (context.Context, func() holdfast.Statistics) {
	if m, ok := end.(Metered); ok {
		return m.Meter(ctx)
	}
	return ctx, func() holdfast.Statistics { return holdfast.Statistics{} }
}

func withUsage(st, usage holdfast.Statistics) holdfast.Statistics {
	st.Requests += usage.Requests
	st.ResourceUnits += usage.ResourceUnits
	st.Throttled += usage.Throttled
	if st.ReadBytes == 0 {
		st.ReadBytes = usage.ReadBytes
	}
	return st
}

// FinishTask is a job session whose containers are all done.
type FinishTask struct {
	Lease   holdfast.Lease
	Attempt int // of the task, from 1
}

// Finish writes the session's restore point and commits it.
func (e *Engine) Finish(ctx context.Context, repo *vault.Repository, task FinishTask) (*holdfast.RestorePoint, error) {
	entries, err := e.Catalogue.SessionEntries(ctx, task.Lease)
	if err != nil {
		return nil, fmt.Errorf("collect what the session did: %w", err)
	}
	point, err := e.Catalogue.SessionOutcome(ctx, task.Lease)
	if err != nil {
		return nil, fmt.Errorf("look up how the session went: %w", err)
	}
	if err := e.dropLost(ctx, repo, &point, entries); err != nil {
		return nil, err
	}
	point.Entries = entries
	if why := nothingRead(entries); why != "" {
		return nil, holdfast.Conflict("nothing was backed up, and there is no earlier state to show: %s", why)
	}
	// An earlier attempt may have written the record and not lived to commit it. It is immutable, so it is the one.
	var stored *holdfast.RestorePoint
	if task.Attempt > 1 {
		if stored, err = e.storedPoint(ctx, repo, point.ID); err != nil {
			return nil, err
		}
	}
	if stored == nil && !e.bugs.pointUnwritten {
		if err := e.writePoint(ctx, repo, point); err != nil {
			// It may be there all the same.
			var readErr error
			if stored, readErr = e.storedPoint(ctx, repo, point.ID); readErr != nil || stored == nil {
				return nil, errors.Join(err, readErr)
			}
		}
	}
	if stored != nil {
		point = *stored
	}
	wait := e.CommitWait
	for try := 0; ; try++ {
		err := e.Catalogue.CommitRestorePoint(ctx, task.Lease, point)
		if err == nil {
			return &point, nil
		}
		// Committing the same point again changes nothing when it is there, so repeating reads the outcome too.
		if k := holdfast.KindOf(err); k == holdfast.KindStale || try == 5 {
			return nil, fmt.Errorf("commit restore point %s: %w", point.ID, err)
		}
		if e.Clock.Sleep(ctx, wait) != nil {
			return nil, holdfast.Unknown("the database did not say whether it took restore point %s: %w", point.ID, err)
		}
		wait *= 2
	}
}

// dropLost takes heads that can't be read any more out of entries that were not updated: the point must not show what is lost, nor must one
// container's old damage keep the others from their point. What was updated was read back; if it is lost since, the session fails.
func (e *Engine) dropLost(ctx context.Context, repo *vault.Repository, point *holdfast.RestorePoint, entries []holdfast.PointEntry) error {
	for i := range entries {
		entry := &entries[i]
		if entry.Head == 0 || entry.State == holdfast.StateUpdated {
			continue
		}
		record, err := e.Catalogue.Head(ctx, point.Repository, point.Organization, entry.Container.Key(), entry.Head)
		if err != nil {
			return fmt.Errorf("look up head %d of %s: %w", entry.Head, entry.Container, err)
		}
		head, err := HeadOf(&record)
		if err != nil {
			return err
		}
		_, err = repo.Head(ctx, head.Object)
		if holdfast.KindOf(err) != holdfast.KindDamaged {
			if err != nil {
				return fmt.Errorf("read head %d of %s: %w", entry.Head, entry.Container, err)
			}
			continue
		}
		e.Log.ErrorContext(ctx, "the last state of a container can't be read any more; run 'holdfast vault verify'", "container", entry.Container.Key(), "error", err)
		if before := entry.Reason; before == "" {
			entry.Reason = holdfast.SayUnreadable.With()
		} else {
			entry.Reason = holdfast.SayUnreadableBecause.With(before)
		}
		entry.Head, entry.HeadTime = 0, time.Time{}
		if point.Status == holdfast.StatusSuccess {
			point.Status = holdfast.StatusWarning
		}
	}
	return nil
}

func (e *Engine) storedPoint(ctx context.Context, repo *vault.Repository, id holdfast.RestorePointID) (*holdfast.RestorePoint, error) {
	for p, err := range repo.Points(ctx) {
		if err != nil {
			return nil, fmt.Errorf("look for restore point %s in the repository: %w", id, err)
		}
		if p.ID == id {
			return &p.RestorePoint, nil
		}
	}
	return nil, nil
}

func (e *Engine) writePoint(ctx context.Context, repo *vault.Repository, point holdfast.RestorePoint) error {
	var heads []vault.Head
	for _, entry := range point.Entries {
		if entry.Head == 0 {
			continue
		}
		record, err := e.Catalogue.Head(ctx, point.Repository, point.Organization, entry.Container.Key(), entry.Head)
		if err != nil {
			return fmt.Errorf("look up head %d of %s: %w", entry.Head, entry.Container, err)
		}
		head, err := HeadOf(&record)
		if err != nil {
			return err
		}
		heads = append(heads, *head)
	}
	if err := repo.WriteRestorePoint(ctx, point, heads); err != nil {
		return fmt.Errorf("write restore point %s: %w", point.ID, err)
	}
	return nil
}

// nothingRead says why no entry has a head, or is empty when one has.
func nothingRead(entries []holdfast.PointEntry) string {
	why := "the session had nothing to do"
	for _, e := range entries {
		if e.Head != 0 {
			return ""
		}
		why = fmt.Sprintf("%s: %s: %s", e.Container, e.State, e.Reason)
	}
	return why
}
