package service

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strconv"
	"time"

	"holdfast/internal/holdfast"
)

// clockSlack is how far the system clock may lie off before retention refuses to act.
const clockSlack = time.Hour

// retentionAgain is the pause after a retention run that did not finish.
const retentionAgain = time.Hour

// retentionDue adds a retention task for each repository whose time has come.
func (s *Service) retentionDue(ctx context.Context) error {
	now := s.now()
	all, err := read(ctx, s.core, func(ctx context.Context, tx Tx) ([]holdfast.Repository, error) {
		return tx.Repositories(ctx, holdfast.Page{})
	})
	if err != nil {
		return err
	}
	var errs []error
	for _, r := range all {
		if r.NextRetention.IsZero() || r.NextRetention.After(now) {
			continue
		}
		errs = append(errs, s.Store.Write(ctx, func(ctx context.Context, tx Tx) error {
			r, err := tx.Repository(ctx, r.ID)
			if err != nil || r.NextRetention.After(now) {
				return err
			}
			r.NextRetention = nextRetention(r, now)
			if err := tx.PutRepository(ctx, r); err != nil {
				return err
			}
			return s.enqueueRetention(ctx, tx, r)
		}))
		s.bell.ring()
	}
	return errors.Join(errs...)
}

// retainAgain plans another run after one that did not finish.
func (c *core) retainAgain(ctx context.Context, tx Tx, r holdfast.Repository) error {
	if again := c.now().Add(retentionAgain); r.NextRetention.IsZero() || again.Before(r.NextRetention) {
		r.NextRetention = again
	}
	return tx.PutRepository(ctx, r)
}

// enqueueRetention adds a retention task unless one waits or runs.
func (c *core) enqueueRetention(ctx context.Context, tx Tx, r holdfast.Repository) error {
	open, err := tx.Tasks(ctx, holdfast.TaskFilter{Repository: r.ID, Kind: holdfast.TaskRetention, States: []holdfast.TaskState{holdfast.TaskReady, holdfast.TaskRunning}}, holdfast.Page{Limit: 1})
	if err != nil || len(open) > 0 {
		return err
	}
	if err := tx.DeleteTasks(ctx, holdfast.TaskFilter{Repository: r.ID, Kind: holdfast.TaskRetention}); err != nil {
		return err
	}
	id, err := c.id()
	if err != nil {
		return err
	}
	return tx.PutTasks(ctx, holdfast.TaskRecord{Task: holdfast.Task{ID: holdfast.TaskID(id), Kind: holdfast.TaskRetention, Repository: r.ID}, State: holdfast.TaskReady})
}

// ForgetRestorePoints takes expired restore points out of the database, with the heads that only they showed, before their records leave
// the repository. Points that are gone already are no error. It refuses, and changes nothing, when one is not past its retention by the
// server's own clock, is being explored, or when that clock jumped by over an hour since the server started.
func (c *Control) ForgetRestorePoints(ctx context.Context, lease holdfast.Lease, points []holdfast.RestorePointID) error {
	return c.Store.Write(ctx, func(ctx context.Context, tx Tx) error {
		t, err := c.held(ctx, tx, lease)
		if err != nil {
			return err
		}
		if t.Kind != holdfast.TaskRetention {
			return holdfast.Stale("task %s is no retention", t.ID)
		}
		repo, err := tx.Repository(ctx, t.Repository)
		if err != nil {
			return err
		}
		jump, err := c.clockJump(ctx)
		if err != nil {
			return err
		} else if jump.Abs() > clockSlack {
			return holdfast.Conflict("retention of repository %q refuses to act: the system clock jumped by %v since the server started; set the clock right and restart the server", repo.Name, jump.Round(time.Second))
		}
		shown, err := c.shownPoints(ctx, tx)
		if err != nil {
			return err
		}
		spared, err := setting[holdfast.RetentionExclusions](ctx, tx, settingRetentionSparing)
		if err != nil {
			return err
		}
		for _, id := range points {
			p, err := tx.RestorePoint(ctx, id)
			if missing(err) {
				continue
			} else if err != nil {
				return err
			}
			switch s, open := shown[id]; {
			case p.Repository != repo.ID:
				return holdfast.Stale("restore point %s is not in repository %q", id, repo.Name)
			case repo.Retention.Forever || !p.Time.Before(expiry(repo.Retention, c.now().Add(clockSlack))):
				return holdfast.Conflict("restore point %s of %s is not past its retention of %s", id, p.Time.Format(time.RFC3339), describePeriod(repo.Retention))
			case spared.Of(p.Organization).Spares(p):
				return holdfast.Conflict("restore point %s of %s stays: retention spares contacts or calendars of its organization", id, p.Time.Format(time.RFC3339))
			case open:
				return holdfast.Conflict("restore point %s has expired but is being explored; retention waits for restore session %s to end", id, s)
			}
			if err := c.audit(ctx, tx, systemUser, "restore_point.expire", "restore_point/"+string(id), holdfast.SayExpired.With(p.Time.Format(time.RFC3339), strconv.Quote(repo.Name), describePeriod(repo.Retention))); err != nil {
				return err
			}
			if err := tx.DeletePoint(ctx, id); err != nil {
				return err
			}
		}
		promised, err := c.promised(ctx, tx, repo.ID)
		if err != nil {
			return err
		}
		if err := tx.DeleteUnusedHeads(ctx, repo.ID); err != nil {
			return err
		}
		for _, h := range promised {
			if err := tx.PutHead(ctx, h); err != nil {
				return err
			}
		}
		return nil
	})
}

// promised gives the heads that sessions which have not ended, or are to be tried again, will show in their restore points, without those
// that are current anyway: another job may have gone on since.
func (c *core) promised(ctx context.Context, tx Tx, repo holdfast.RepositoryID) ([]holdfast.HeadRecord, error) {
	open, err := tx.JobSessions(ctx, holdfast.SessionFilter{Active: true}, holdfast.Page{})
	if err != nil {
		return nil, err
	}
	jobs, err := tx.Jobs(ctx, holdfast.JobFilter{}, holdfast.Page{})
	if err != nil {
		return nil, err
	}
	sessions := map[holdfast.JobSessionID]bool{}
	for _, s := range open {
		sessions[s.ID] = s.Repository == repo
	}
	for _, j := range jobs {
		if j.RetryOf != "" && j.Repository == repo {
			sessions[j.RetryOf] = true
		}
	}
	var out []holdfast.HeadRecord
	for _, id := range slices.Sorted(maps.Keys(sessions)) {
		if !sessions[id] {
			continue
		}
		tasks, err := tx.Tasks(ctx, holdfast.TaskFilter{JobSession: id, Kind: holdfast.TaskBackup}, holdfast.Page{})
		if err != nil {
			return nil, err
		}
		for _, t := range tasks {
			if t.Entry == nil || t.Entry.Head == 0 {
				continue
			}
			rec, err := tx.Container(ctx, repo, t.Organization, t.Container.Key())
			if err != nil && !missing(err) {
				return nil, err
			} else if err == nil && rec.Head == t.Entry.Head {
				continue
			}
			h, err := tx.Head(ctx, repo, t.Organization, t.Container.Key(), t.Entry.Head)
			if missing(err) {
				continue
			} else if err != nil {
				return nil, err
			}
			out = append(out, h)
		}
	}
	return out, nil
}

// shownPoints gives the restore points that open restore sessions show, with one of the sessions.
func (c *core) shownPoints(ctx context.Context, tx Tx) (map[holdfast.RestorePointID]holdfast.RestoreSessionID, error) {
	open, err := tx.RestoreSessions(ctx, holdfast.RestoreSessionFilter{Active: true}, holdfast.Page{})
	shown := map[holdfast.RestorePointID]holdfast.RestoreSessionID{}
	for _, s := range open {
		for _, p := range s.Points {
			shown[p] = s.ID
		}
	}
	return shown, err
}

// Heads gives every container's published head and newer checkpoint that the database has of an organization in a repository; a retention
// task, which is of no organization, gets those of all, and those that sessions which run will show.
func (c *Control) Heads(ctx context.Context, lease holdfast.Lease, repo holdfast.RepositoryID) ([]holdfast.HeadRecord, error) {
	return read(ctx, c.core, func(ctx context.Context, tx Tx) ([]holdfast.HeadRecord, error) {
		t, err := c.held(ctx, tx, lease)
		if err != nil {
			return nil, err
		}
		heads, err := tx.CurrentHeads(ctx, repo, t.Organization)
		if err != nil || t.Kind != holdfast.TaskRetention {
			return heads, err
		}
		promised, err := c.promised(ctx, tx, repo)
		return append(heads, promised...), err
	})
}

// clockJump is how far the wall clock went from the steady one since the first call.
func (c *core) clockJump(ctx context.Context) (time.Duration, error) {
	steady, err := c.Store.Now(ctx)
	if err != nil {
		return 0, err
	}
	wall := c.now()
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.started.wall.IsZero() {
		c.started.wall, c.started.steady = wall, steady
	}
	return wall.Sub(c.started.wall) - steady.Sub(c.started.steady), nil
}

// expiry is the time before which restore points have expired.
func expiry(p holdfast.RetentionPeriod, now time.Time) time.Time {
	return now.AddDate(-p.Years, -p.Months, -p.Days)
}

// shorter says that a retention would let go of what another keeps now.
func shorter(before, after holdfast.RetentionPeriod, now time.Time) bool {
	return !after.Forever && (before.Forever || expiry(after, now).After(expiry(before, now)))
}
