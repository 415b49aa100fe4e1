package service

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"holdfast/internal/holdfast"
)

// clockSlack is how far the system clock may lie off before retention refuses to act.
const clockSlack = time.Hour

// settingRetentionClock has the last time at which a retention run trusted the clock, for each repository.
func settingRetentionClock(id holdfast.RepositoryID) string { return "retention clock " + string(id) }

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

// BeginRetention decides which restore points of the task's repository have expired and hides them for ever. journal is the time of the
// repository's newest journal entry. The clock is the later of that and the system's, and nothing expires when the system's lies behind the
// journal, or jumped, by over an hour.
func (c *Control) BeginRetention(ctx context.Context, lease holdfast.Lease, journal time.Time) (holdfast.RetentionPlan, error) {
	return write(ctx, c.core, func(ctx context.Context, tx Tx) (holdfast.RetentionPlan, error) {
		var plan holdfast.RetentionPlan
		t, err := c.held(ctx, tx, lease)
		if err != nil {
			return plan, err
		}
		if t.Kind != holdfast.TaskRetention {
			return plan, holdfast.Stale("task %s is no retention", t.ID)
		}
		repo, err := tx.Repository(ctx, t.Repository)
		if err != nil {
			return plan, err
		}
		if plan.Now, err = c.trustedClock(ctx, tx, repo, journal); err != nil {
			return plan, err
		}
		if !repo.Retention.Forever {
			limit := expiry(repo.Retention, plan.Now)
			old, err := tx.RestorePoints(ctx, holdfast.PointFilter{Repository: repo.ID, Until: limit}, holdfast.Page{})
			if err != nil {
				return plan, err
			}
			shown, err := c.shownPoints(ctx, tx)
			if err != nil {
				return plan, err
			}
			for _, p := range old {
				// A point that is being explored waits for the next run.
				if !p.Time.Before(limit) || shown[p.ID] {
					continue
				}
				if err := c.audit(ctx, tx, systemUser, "restore_point.expire", "restore_point/"+string(p.ID), fmt.Sprintf("of %s, retention of repository %q is %s", p.Time.Format(time.RFC3339), repo.Name, describePeriod(repo.Retention))); err != nil {
					return plan, err
				}
				if err := tx.ExpirePoint(ctx, p.ID); err != nil {
					return plan, err
				}
			}
		}
		if plan.Expired, err = tx.ExpiringPoints(ctx, repo.ID); err != nil {
			return plan, err
		}
		kept, err := tx.RestorePoints(ctx, holdfast.PointFilter{Repository: repo.ID}, holdfast.Page{})
		if err != nil {
			return plan, err
		}
		for _, p := range kept {
			plan.Kept = append(plan.Kept, p.ID)
		}
		return plan, nil
	})
}

// shownPoints gives the restore points that open restore sessions show.
func (c *core) shownPoints(ctx context.Context, tx Tx) (map[holdfast.RestorePointID]bool, error) {
	open, err := tx.RestoreSessions(ctx, holdfast.RestoreSessionFilter{Active: true}, holdfast.Page{})
	shown := map[holdfast.RestorePointID]bool{}
	for _, s := range open {
		for _, p := range s.Points {
			shown[p] = true
		}
	}
	return shown, err
}

// trustedClock is retention's clock, see BeginRetention.
func (c *Control) trustedClock(ctx context.Context, tx Tx, repo holdfast.Repository, journal time.Time) (time.Time, error) {
	now := c.now()
	if journal.Sub(now) > clockSlack {
		return now, holdfast.Conflict("retention of repository %q refuses to act: the system clock (%s) lies behind the repository's newest entry (%s); set the clock right", repo.Name, now.Format(time.RFC3339), journal.Format(time.RFC3339))
	}
	if jump, err := c.clockJump(ctx); err != nil {
		return now, err
	} else if jump > clockSlack || jump < -clockSlack {
		return now, holdfast.Conflict("retention of repository %q refuses to act: the system clock jumped by %v since the server started; set the clock right and restart the server", repo.Name, jump.Round(time.Second))
	}
	name := settingRetentionClock(repo.ID)
	if last, ok, err := tx.Setting(ctx, name); err != nil {
		return now, err
	} else if ok {
		at, err := time.Parse(time.RFC3339Nano, last)
		if err != nil {
			return now, fmt.Errorf("read the clock of the last retention: %w", err)
		}
		if at.Sub(now) > clockSlack {
			return now, holdfast.Conflict("retention of repository %q refuses to act: the system clock (%s) lies behind the last retention run (%s); set the clock right", repo.Name, now.Format(time.RFC3339), at.Format(time.RFC3339))
		}
	}
	if journal.After(now) {
		now = journal
	}
	return now, tx.PutSetting(ctx, name, now.Format(time.RFC3339Nano))
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

// Roots gives the heads that the task's repository must keep, a page at a time from after (empty at first): those that kept restore points
// show, those that are current, and checkpoints. Next is empty at the end.
func (c *Control) Roots(ctx context.Context, lease holdfast.Lease, after string) (heads []holdfast.HeadRecord, next string, err error) {
	err = c.Store.Read(ctx, func(ctx context.Context, tx Tx) error {
		t, err := c.held(ctx, tx, lease)
		if err != nil {
			return err
		}
		heads, next, err = tx.Roots(ctx, t.Repository, after, 500)
		return err
	})
	return heads, next, err
}

// EndRetention forgets expired restore points whose records are gone from the repository, and the heads that only they showed.
func (c *Control) EndRetention(ctx context.Context, lease holdfast.Lease, gone []holdfast.RestorePointID) error {
	return c.Store.Write(ctx, func(ctx context.Context, tx Tx) error {
		t, err := c.held(ctx, tx, lease)
		if err != nil {
			return err
		}
		expiring, err := tx.ExpiringPoints(ctx, t.Repository)
		if err != nil {
			return err
		}
		for _, id := range gone {
			if !slices.ContainsFunc(expiring, func(p holdfast.RestorePoint) bool { return p.ID == id }) {
				return holdfast.Conflict("restore point %s has not expired", id)
			}
			if err := tx.DeletePoint(ctx, id); err != nil {
				return err
			}
		}
		return tx.DeleteUnusedHeads(ctx, t.Repository)
	})
}
