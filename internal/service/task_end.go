package service

import (
	"context"

	"holdfast/internal/holdfast"
)

// Complete reports a task's end and moves its session on.
func (c *Control) Complete(ctx context.Context, lease holdfast.Lease, result holdfast.TaskResult) error {
	err := c.Store.Write(ctx, func(ctx context.Context, tx Tx) error {
		t, err := c.held(ctx, tx, lease)
		if err != nil {
			return err
		}
		return c.complete(ctx, tx, t, result)
	})
	if err == nil {
		c.dropCredential(lease.Task)
	}
	c.bell.ring()
	return err
}

func (c *core) complete(ctx context.Context, tx Tx, t holdfast.TaskRecord, r holdfast.TaskResult) error {
	t.State, t.Ended, t.Result, t.Retriable = holdfast.TaskDone, c.now(), r.Err, r.Retriable
	if r.Err != "" {
		t.State = holdfast.TaskFailed
	}
	if t.Cancel {
		t.State = holdfast.TaskCancelled
	}
	for org, head := range r.Ledgers {
		if err := putAnchor(ctx, tx, t.Repository, org, head); err != nil {
			return err
		}
	}
	switch t.Kind {
	case holdfast.TaskRestore:
		if err := tx.PutTasks(ctx, t); err != nil {
			return err
		}
		return c.restoreEnded(ctx, tx, t, r)
	case holdfast.TaskRetention:
		if err := tx.PutTasks(ctx, t); err != nil {
			return err
		}
		if r.Err == "" {
			return nil
		}
		c.Log.ErrorContext(ctx, "retention did not finish", "repository", t.Repository, "error", r.Err)
		repo, err := tx.Repository(ctx, t.Repository)
		if missing(err) {
			return nil
		} else if err != nil {
			return err
		}
		return c.retainAgain(ctx, tx, repo)
	}
	s, err := tx.JobSession(ctx, t.JobSession)
	if err != nil {
		return err
	}
	add(&s.Statistics, r.Statistics)
	switch t.Kind {
	case holdfast.TaskBackup:
		e, rec, err := c.reported(ctx, tx, t, r)
		if err != nil {
			return err
		}
		t.Entry = e
		if r.Purpose != "" && t.Container.Kind == holdfast.Mailbox {
			if err := tx.PutDirectoryPurpose(ctx, t.Organization, t.Container.Owner, r.Purpose); err != nil {
				return err
			}
		}
		if r.Err == "" && !t.Cancel && s.StopBy.IsZero() {
			if err := c.found(ctx, tx, &s, r); err != nil {
				return err
			}
		}
		s.Statistics.Objects++
		progress(&s)
		switch {
		case t.State == holdfast.TaskCancelled:
		case goneBefore(*e, rec):
			t.State, t.Result = holdfast.TaskDone, ""
		case !fresh(e.State):
			t.State, t.Result = holdfast.TaskFailed, e.Reason
		}
		if err := c.logContainer(ctx, tx, t); err != nil {
			return err
		}
	case holdfast.TaskDiscover:
		if t.State == holdfast.TaskDone {
			if err := c.discovered(ctx, tx, &s, r); err != nil {
				return err
			}
		}
	case holdfast.TaskFinish:
		if t.State == holdfast.TaskDone && s.RestorePoint == "" {
			t.State, t.Result, t.Retriable = holdfast.TaskFailed, holdfast.SayNoPoint.With(), true
		}
	}
	if err := tx.PutJobSession(ctx, s); err != nil {
		return err
	}
	if err := tx.PutTasks(ctx, t); err != nil {
		return err
	}
	return c.advance(ctx, tx, s)
}

// reported is the entry that a backup task leaves for the restore point: its own, or the container's newest head as a stand-in.
func (c *core) reported(ctx context.Context, tx Tx, t holdfast.TaskRecord, r holdfast.TaskResult) (*holdfast.PointEntry, holdfast.ContainerRecord, error) {
	rec, err := tx.Container(ctx, t.Repository, t.Organization, t.Container.Key())
	if err != nil && !missing(err) {
		return nil, rec, err
	}
	if r.Err == "" && r.Entry.State != "" {
		e := r.Entry
		if e.Container.Key() != t.Container.Key() {
			e.Container = t.Container
		}
		e.Container.Organization = t.Organization
		return &e, rec, nil
	}
	of := t.Container
	if of.Kind == holdfast.Chat && rec.Head > 0 {
		of = rec.Container // who found it does not know whose it is
	}
	e := holdfast.PointEntry{Container: of, Head: rec.Head, HeadTime: rec.HeadTime, State: holdfast.StateNotUpdated, Reason: r.Err, Skipped: r.Entry.Skipped, SkippedCount: r.Entry.SkippedCount}
	if r.Reason == holdfast.SkipGone || r.Reason == holdfast.SkipUnlicensed {
		e.State = holdfast.StateGone
	}
	if r.Err == "" {
		e.Reason = holdfast.SayNoResult.With()
	}
	return &e, rec, nil
}

func (c *core) logContainer(ctx context.Context, tx Tx, t holdfast.TaskRecord) error {
	kind, title := logSuccess, holdfast.SayUpToDate.With(t.Container)
	switch {
	case t.State == holdfast.TaskCancelled:
		kind, title = logStop, holdfast.SayObjectStopped.With(t.Container)
	case t.State == holdfast.TaskDone && t.Entry.State == holdfast.StateGone:
		return nil
	case !fresh(t.Entry.State):
		kind, title = logWarning, holdfast.SayNotUpdated.With(t.Container, t.Result)
	case t.Entry.SkippedCount > 0:
		kind, title = logWarning, holdfast.SayItemsSkipped.With(t.Container, t.Entry.SkippedCount)
		if such := skippedSuch(t.Entry.Skipped); such != "" {
			title = holdfast.SayItemsSkippedSuch.With(t.Container, t.Entry.SkippedCount, such)
		}
	case t.Entry.State == holdfast.StateUnchanged:
		return nil // idle containers by the thousand would only hide the rest
	}
	return c.log(ctx, tx, string(t.JobSession), kind, title)
}

// goneBefore says that a container is gone and was so at the last restore point: told once, that is no news.
func goneBefore(e holdfast.PointEntry, rec holdfast.ContainerRecord) bool {
	return e.State == holdfast.StateGone && rec.State == holdfast.StateGone
}

// Progress adds to the statistics of the task's session and writes log lines.
func (c *Control) Progress(ctx context.Context, lease holdfast.Lease, delta holdfast.Statistics, lines ...holdfast.LogLine) error {
	return c.Store.Write(ctx, func(ctx context.Context, tx Tx) error {
		t, err := c.held(ctx, tx, lease)
		if err != nil {
			return err
		}
		if t.JobSession == "" {
			return nil
		}
		s, err := tx.JobSession(ctx, t.JobSession)
		if err != nil {
			return err
		}
		add(&s.Statistics, delta)
		if err := tx.PutJobSession(ctx, s); err != nil {
			return err
		}
		for i := range lines {
			if lines[i].Created.IsZero() {
				lines[i].Created = c.now()
			}
		}
		return tx.AddLog(ctx, string(t.JobSession), lines...)
	})
}

// add sums what a worker counts; the numbers of objects are the server's own.
func add(to *holdfast.Statistics, d holdfast.Statistics) {
	d.Objects, d.ObjectsTotal = 0, 0
	*to = to.Plus(d)
}
