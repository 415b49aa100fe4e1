package service

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"time"

	"holdfast/internal/holdfast"
)

// Start makes the database ready: the installation's id, the check that the key file is the right one, the built-in proxy, the first
// account. A generated password comes back to be shown once. Leases of the built-in proxy end, since its process has.
func (s *Service) Start(ctx context.Context, adminPassword holdfast.Secret) (generated holdfast.Secret, err error) {
	id, err := s.id()
	if err != nil {
		return "", err
	}
	const checkText = "holdfast key check"
	sealed, err := s.Keys.Seal(settingKeyCheck, []byte(checkText))
	if err != nil {
		return "", err
	}
	err = s.Store.Write(ctx, func(ctx context.Context, tx Tx) error {
		switch old, err := tx.Secret(ctx, settingKeyCheck); {
		case missing(err):
			if err := tx.PutSecret(ctx, sealed); err != nil {
				return err
			}
		case err != nil:
			return err
		default:
			if text, err := s.Keys.Open(settingKeyCheck, old); err != nil {
				return fmt.Errorf("the key file does not belong to this database: %w", err)
			} else if string(text) != checkText {
				return holdfast.Damaged("the key check in the database is not what was written")
			}
		}
		if _, ok, err := tx.Setting(ctx, settingInstallation); err != nil {
			return err
		} else if !ok {
			if err := tx.PutSetting(ctx, settingInstallation, id); err != nil {
				return err
			}
		}
		proxy, err := tx.Proxy(ctx, builtInProxy)
		if missing(err) {
			proxy = holdfast.Proxy{ID: builtInProxy, BuiltIn: true, Description: "Built-in proxy", Created: s.now()}
		} else if err != nil {
			return err
		}
		proxy.HostName, proxy.Port, proxy.Version, proxy.LastSeen = s.Proxy, s.ProxyPort, s.Version, s.now()
		if err := tx.PutProxy(ctx, proxy); err != nil {
			return err
		}
		running, err := tx.Tasks(ctx, holdfast.TaskFilter{States: []holdfast.TaskState{holdfast.TaskRunning}}, holdfast.Page{})
		if err != nil {
			return err
		}
		for _, t := range running {
			if t.Proxy != builtInProxy {
				continue
			}
			t.LeaseUntil = time.Time{}
			if err := tx.PutTasks(ctx, t); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return "", err
	}
	if _, err := s.clockJump(ctx); err != nil {
		return "", err
	}
	return s.Admin.ensure(ctx, adminPassword)
}

// Run runs schedules, ends what was stopped or is idle, and synchronizes repositories, until ctx ends. It returns when all of that has.
func (s *Service) Run(ctx context.Context) error {
	var wg sync.WaitGroup
	defer wg.Wait()
	defer s.Inquiries.close()
	wg.Go(func() { s.Repositories.synchronizeAll(ctx) })
	wg.Go(func() { s.syncDirectories(ctx) })
	var cleaned, warned time.Time
	for {
		if err := s.Tick(ctx); err != nil && ctx.Err() == nil {
			s.Log.ErrorContext(ctx, "schedules could not be looked at", "error", err)
		}
		if now := s.now(); now.Sub(cleaned) > time.Hour {
			cleaned = now
			if err := s.tidy(ctx); err != nil && ctx.Err() == nil {
				s.Log.ErrorContext(ctx, "history could not be tidied", "error", err)
			}
		}
		if now := s.now(); now.Sub(warned) > 24*time.Hour {
			warned = now
			ending, err := s.certificateWarnings(ctx)
			if err != nil && ctx.Err() == nil {
				s.Log.ErrorContext(ctx, "certificates could not be looked at", "error", err)
			}
			for _, text := range ending {
				s.Log.WarnContext(ctx, "certificate ends", "warning", text)
			}
		}
		if err := s.Clock.Sleep(ctx, s.Deps.Tick); err != nil {
			return nil
		}
	}
}

// How long the database remembers: tasks are worth little once a retry can't come any more, sessions about as long as the field's products keep them.
const (
	tasksKept    = 7 * 24 * time.Hour
	sessionsKept = 53 * 7 * 24 * time.Hour
)

// tidy forgets what is only history, so that the database does not grow for ever.
func (s *Service) tidy(ctx context.Context) error {
	now := s.now()
	orgs, err := read(ctx, s.core, func(ctx context.Context, tx Tx) ([]holdfast.Organization, error) {
		return tx.Organizations(ctx, holdfast.Page{})
	})
	if err != nil {
		return err
	}
	for _, o := range orgs {
		s.refreshGroups(ctx, o.ID, time.Hour/2) // logins that last see changes of groups too
	}
	return s.Store.Write(ctx, func(ctx context.Context, tx Tx) error {
		if err := tx.DeleteTokensExpired(ctx, now); err != nil {
			return err
		}
		if err := tx.DeleteBrowserSessionsExpired(ctx, now, now.Add(-s.BrowserIdle)); err != nil {
			return err
		}
		return tx.DeleteHistory(ctx, now.Add(-tasksKept), now.Add(-sessionsKept))
	})
}

// Tick does once what Run does again and again.
func (s *Service) Tick(ctx context.Context) error {
	return errors.Join(s.startDue(ctx), s.closeWindows(ctx), s.sweepCancelled(ctx), s.stopIdle(ctx), s.retentionDue(ctx))
}

// startDue starts the jobs whose time has come, each in one transaction with its next time: a crash neither loses a run nor repeats it.
// A run that is due while the last one still runs is left out; one that was due while the server was down is made up for, once.
func (s *Service) startDue(ctx context.Context) error {
	now := s.now()
	due, err := read(ctx, s.core, func(ctx context.Context, tx Tx) ([]holdfast.Job, error) { return tx.JobsDue(ctx, now) })
	if err != nil || len(due) == 0 {
		return err
	}
	defer s.bell.ring()
	var errs []error
	for _, d := range due {
		errs = append(errs, s.Store.Write(ctx, func(ctx context.Context, tx Tx) error {
			job, err := tx.Job(ctx, d.ID)
			if err != nil {
				return err
			}
			opt := startOptions{by: "schedule"}
			scheduled := job.Enabled && !job.NextRun.IsZero() && !job.NextRun.After(now)
			retry := !job.RetryAt.IsZero() && !job.RetryAt.After(now)
			switch {
			case scheduled: // a whole run makes a retry superfluous
				job.NextRun, job.RetryAt, job.RetryOf = nextRun(job.Schedule, now), time.Time{}, ""
			case retry:
				before, err := tx.JobSession(ctx, job.RetryOf)
				if err == nil {
					opt.retry = &before
				} else if !missing(err) {
					return err
				}
				job.RetryAt, job.RetryOf = time.Time{}, ""
			default:
				return nil
			}
			active, running, err := activeSession(ctx, tx, job.ID)
			if err != nil {
				return err
			}
			if running {
				if err := s.log(ctx, tx, string(active.ID), logWarning, holdfast.SayRunLeftOut.With()); err != nil {
					return err
				}
				return tx.PutJob(ctx, job)
			}
			if err := s.audit(ctx, tx, systemUser, "job.start", "job/"+string(job.ID), holdfast.SayRunBySchedule.With(strconv.Quote(job.Name))); err != nil {
				return err
			}
			_, err = s.startSession(ctx, tx, &job, opt)
			return err
		}))
	}
	return errors.Join(errs...)
}

// closeWindows stops runs that have left their job's backup window.
func (s *Service) closeWindows(ctx context.Context) error {
	now := s.now()
	active, err := read(ctx, s.core, func(ctx context.Context, tx Tx) ([]holdfast.JobSession, error) {
		return tx.JobSessions(ctx, holdfast.SessionFilter{Active: true}, holdfast.Page{})
	})
	if err != nil {
		return err
	}
	var errs []error
	for _, a := range active {
		if !a.StopBy.IsZero() {
			continue
		}
		errs = append(errs, s.Store.Write(ctx, func(ctx context.Context, tx Tx) error {
			job, err := tx.Job(ctx, a.Job)
			if err != nil {
				return err
			}
			w := job.Schedule
			if !w.WindowEnabled || !w.TerminateOutside || inWindow(w.Window, w.WindowOffset, now, scheduleZone(w)) {
				return nil
			}
			a, err := tx.JobSession(ctx, a.ID)
			if err != nil || !a.Ended.IsZero() {
				return err
			}
			return s.stopSession(ctx, tx, a, holdfast.SayWindowEnded.With())
		}))
	}
	return errors.Join(errs...)
}

// sweepCancelled takes cancelled tasks away from holders that did not end them in time: their epoch moves on, so they can't commit.
func (s *Service) sweepCancelled(ctx context.Context) error {
	now := s.now()
	running := holdfast.TaskFilter{States: []holdfast.TaskState{holdfast.TaskRunning}}
	overdue := func(t holdfast.TaskRecord) bool { return t.Cancel && !t.NotBefore.After(now) }
	tasks, err := read(ctx, s.core, func(ctx context.Context, tx Tx) ([]holdfast.TaskRecord, error) {
		return tx.Tasks(ctx, running, holdfast.Page{})
	})
	if err != nil {
		return err
	}
	var errs []error
	for _, t := range tasks {
		if !overdue(t) {
			continue
		}
		errs = append(errs, s.Store.Write(ctx, func(ctx context.Context, tx Tx) error {
			t, err := tx.Task(ctx, t.ID)
			if err != nil || t.State != holdfast.TaskRunning || !overdue(t) {
				return err
			}
			if t.Epoch, err = tx.NextEpoch(ctx); err != nil {
				return err
			}
			return s.complete(ctx, tx, t, holdfast.TaskResult{Err: "stopped"})
		}))
		s.dropCredential(t.ID)
	}
	return errors.Join(errs...)
}

// stopIdle stops restore sessions that nobody uses and in which nothing runs.
func (s *Service) stopIdle(ctx context.Context) error {
	now := s.now()
	idle := func(r holdfast.RestoreSession) bool { return !r.Stopped && now.Sub(r.LastUsed) > s.SessionIdle }
	open, err := read(ctx, s.core, func(ctx context.Context, tx Tx) ([]holdfast.RestoreSession, error) {
		return tx.RestoreSessions(ctx, holdfast.RestoreSessionFilter{Active: true}, holdfast.Page{})
	})
	if err != nil {
		return err
	}
	var errs []error
	for _, r := range open {
		if !idle(r) {
			continue
		}
		errs = append(errs, s.Store.Write(ctx, func(ctx context.Context, tx Tx) error {
			r, err := tx.RestoreSession(ctx, r.ID)
			if err != nil || !idle(r) {
				return err
			}
			busy, err := tx.Tasks(ctx, holdfast.TaskFilter{RestoreSession: r.ID, States: []holdfast.TaskState{holdfast.TaskReady, holdfast.TaskRunning}}, holdfast.Page{Limit: 1})
			if err != nil || len(busy) > 0 {
				return err
			}
			return s.stopRestoreSession(ctx, tx, r, fmt.Sprintf("idle for %v", s.SessionIdle))
		}))
		s.RestoreSessions.views.drop(r.ID)
	}
	return errors.Join(errs...)
}
