package service

import (
	"context"
	"time"

	"holdfast/internal/holdfast"
)

// JobSessions are the runs of backup jobs.
//
// A session is one discover task, then one backup task a container, then one finish task, which writes the restore point.
// It ends as Success when every container in scope is up to date; as Warning when some are not, or items were skipped;
// as Failed when none is, or when discovery or the restore point did not come about; as Stopped when somebody stopped it.
type JobSessions struct{ *core }

// stopGrace is how long running tasks of a stopped session have to end by themselves.
const stopGrace = 4 * time.Second

// taskAttempts is how often a task may be claimed before it counts as failed: more means that it kills its proxy.
const taskAttempts = 10

// List gives sessions, newest first.
func (s *JobSessions) List(ctx context.Context, u User, f holdfast.SessionFilter, page holdfast.Page) ([]holdfast.JobSession, error) {
	return readAs(ctx, s.core, u, ActSeeJobSessions, func(ctx context.Context, tx Tx) ([]holdfast.JobSession, error) { return tx.JobSessions(ctx, f, page) })
}

// Get gives one session.
func (s *JobSessions) Get(ctx context.Context, u User, id holdfast.JobSessionID) (holdfast.JobSession, error) {
	return readAs(ctx, s.core, u, ActSeeJobSessions, func(ctx context.Context, tx Tx) (holdfast.JobSession, error) { return tx.JobSession(ctx, id) })
}

// Log gives lines of the session's log; no types mean all.
func (s *JobSessions) Log(ctx context.Context, u User, id holdfast.JobSessionID, types []string, oldestFirst bool, page holdfast.Page) ([]holdfast.LogLine, error) {
	return readAs(ctx, s.core, u, ActSeeJobSessions, func(ctx context.Context, tx Tx) ([]holdfast.LogLine, error) {
		if _, err := tx.JobSession(ctx, id); err != nil {
			return nil, err
		}
		return tx.Log(ctx, string(id), types, oldestFirst, page)
	})
}

// LogLine gives one line of the session's log.
func (s *JobSessions) LogLine(ctx context.Context, u User, id holdfast.JobSessionID, line string) (holdfast.LogLine, error) {
	all, err := s.Log(ctx, u, id, nil, true, holdfast.Page{})
	if err != nil {
		return holdfast.LogLine{}, err
	}
	for _, l := range all {
		if l.ID == line {
			return l, nil
		}
	}
	return holdfast.LogLine{}, holdfast.NotFound("job session %s has no log line %s", id, line)
}

// SessionObject is a container that a session worked on.
type SessionObject struct {
	Container holdfast.Container
	Status    holdfast.SessionStatus // Running, Success, Warning or Failed
	Detail    string
}

// Objects gives the containers that the session has finished or is working on.
func (s *JobSessions) Objects(ctx context.Context, u User, id holdfast.JobSessionID, page holdfast.Page) ([]SessionObject, error) {
	return readAs(ctx, s.core, u, ActSeeJobSessions, func(ctx context.Context, tx Tx) ([]SessionObject, error) {
		session, err := tx.JobSession(ctx, id)
		if err != nil {
			return nil, err
		}
		if old, err := tx.TaskCounts(ctx, id, holdfast.TaskBackup); err != nil {
			return nil, err
		} else if len(old) == 0 && session.RestorePoint != "" {
			return pointObjects(ctx, tx, session.RestorePoint, page)
		}
		tasks, err := tx.Tasks(ctx, holdfast.TaskFilter{JobSession: id, Kind: holdfast.TaskBackup, States: []holdfast.TaskState{holdfast.TaskRunning, holdfast.TaskDone, holdfast.TaskFailed}}, page)
		if err != nil {
			return nil, err
		}
		out := make([]SessionObject, len(tasks))
		for i, t := range tasks {
			out[i] = SessionObject{Container: t.Container, Status: holdfast.StatusRunning, Detail: t.Result}
			switch {
			case t.State == holdfast.TaskFailed:
				out[i].Status = holdfast.StatusFailed
			case t.State == holdfast.TaskDone && t.Entry != nil && t.Entry.SkippedCount > 0:
				out[i].Status = holdfast.StatusWarning
			case t.State == holdfast.TaskDone:
				out[i].Status = holdfast.StatusSuccess
			}
		}
		return out, nil
	})
}

// pointObjects tells what a session did from its restore point, when its tasks are forgotten.
func pointObjects(ctx context.Context, tx Tx, id holdfast.RestorePointID, page holdfast.Page) ([]SessionObject, error) {
	p, err := tx.RestorePoint(ctx, id)
	if missing(err) {
		return nil, nil // expired since
	} else if err != nil {
		return nil, err
	}
	var out []SessionObject
	for _, e := range window(p.Entries, page) {
		o := SessionObject{Container: e.Container, Status: holdfast.StatusSuccess, Detail: e.Reason}
		switch {
		case e.State == holdfast.StateNotUpdated:
			o.Status = holdfast.StatusFailed
		case e.SkippedCount > 0:
			o.Status = holdfast.StatusWarning
		}
		out = append(out, o)
	}
	return out, nil
}

// fresh says that a container's head in a restore point is as of that point.
func fresh(s holdfast.ContainerState) bool {
	return s == holdfast.StateUpdated || s == holdfast.StateUnchanged
}

type startOptions struct {
	full bool
	by   string
	// retry is the session whose failures are tried again.
	retry *holdfast.JobSession
}

// activeSession gives the job's session that has not ended.
func activeSession(ctx context.Context, tx Tx, job holdfast.JobID) (holdfast.JobSession, bool, error) {
	s, err := tx.JobSessions(ctx, holdfast.SessionFilter{Job: job, Active: true}, holdfast.Page{Limit: 1})
	if err != nil || len(s) == 0 {
		return holdfast.JobSession{}, false, err
	}
	return s[0], true, nil
}

// startSession adds a session and its first tasks, and updates job. The caller rings the bell after the commit.
func (c *core) startSession(ctx context.Context, tx Tx, job *holdfast.Job, opt startOptions) (holdfast.JobSession, error) {
	if _, running, err := activeSession(ctx, tx, job.ID); err != nil {
		return holdfast.JobSession{}, err
	} else if running {
		return holdfast.JobSession{}, holdfast.Conflict("backup job %q is running already", job.Name)
	}
	id, err := c.id()
	if err != nil {
		return holdfast.JobSession{}, err
	}
	now := c.now()
	s := holdfast.JobSession{ID: holdfast.JobSessionID(id), Job: job.ID, JobName: job.Name, Organization: job.Organization, Repository: job.Repository, Full: opt.full, Anew: opt.full,
		Status: holdfast.StatusQueued, Created: now, Statistics: holdfast.Statistics{Bottleneck: "NA"}}
	if !opt.full && opt.retry == nil {
		// Where nothing was kept before, the first run is a full one.
		points, err := tx.RestorePoints(ctx, holdfast.PointFilter{Organization: job.Organization, Repository: job.Repository}, holdfast.Page{Limit: 1})
		if err != nil {
			return s, err
		}
		s.Full = len(points) == 0
	}
	var tasks []holdfast.TaskRecord
	if opt.retry != nil {
		s.Retry, s.Main, s.Full, s.Anew, s.Notes = opt.retry.Retry+1, opt.retry.Main, opt.retry.Full, opt.retry.Anew, opt.retry.Notes
		if s.Main == "" {
			s.Main = opt.retry.ID
		}
		if tasks, err = c.retryTasks(ctx, tx, s, *opt.retry); err != nil {
			return s, err
		}
	}
	if tasks == nil {
		t, err := c.newTask(s, holdfast.TaskDiscover)
		if err != nil {
			return s, err
		}
		tasks = append(tasks, t)
	}
	for _, t := range tasks {
		if t.Kind == holdfast.TaskBackup {
			s.Statistics.ObjectsTotal++
			if t.State == holdfast.TaskDone {
				s.Statistics.Objects++
			}
		}
	}
	progress(&s)
	job.LastRun, job.LastStatus, job.RetryAt, job.RetryOf = now, holdfast.StatusRunning, time.Time{}, ""
	if err := tx.PutJob(ctx, *job); err != nil {
		return s, err
	}
	if err := tx.PutJobSession(ctx, s); err != nil {
		return s, err
	}
	title := holdfast.SayStarted.With(opt.by)
	if s.Retry > 0 {
		title = holdfast.SayRetryStarted.With(s.Retry, job.Schedule.RetryNumber)
	}
	if err := c.log(ctx, tx, string(id), logNone, title); err != nil {
		return s, err
	}
	if err := tx.PutTasks(ctx, tasks...); err != nil {
		return s, err
	}
	// A retry may have nothing left to do but its restore point.
	if err := c.advance(ctx, tx, s); err != nil {
		return s, err
	}
	return tx.JobSession(ctx, s.ID)
}

// retryTasks makes the backup tasks of a retry: those containers that the session before left behind are tried again,
// what it has of the others is carried over. Nil when discovery itself must be repeated.
func (c *core) retryTasks(ctx context.Context, tx Tx, s, before holdfast.JobSession) ([]holdfast.TaskRecord, error) {
	old, err := tx.Tasks(ctx, holdfast.TaskFilter{JobSession: before.ID, Kind: holdfast.TaskBackup}, holdfast.Page{})
	if err != nil {
		return nil, err
	}
	var tasks []holdfast.TaskRecord
	for i, o := range old {
		t, err := c.newTask(s, holdfast.TaskBackup)
		if err != nil {
			return nil, err
		}
		t.Container, t.Position = o.Container, i
		if o.Entry != nil && !o.Retriable && (o.State == holdfast.TaskDone || o.State == holdfast.TaskFailed) {
			t.State, t.Entry, t.Ended = holdfast.TaskDone, carried(*o.Entry), c.now()
		}
		tasks = append(tasks, t)
	}
	return tasks, nil
}

func carried(e holdfast.PointEntry) *holdfast.PointEntry {
	if e.State == holdfast.StateUpdated {
		e.State = holdfast.StateUnchanged
	}
	return &e
}

func (c *core) newTask(s holdfast.JobSession, kind holdfast.TaskKind) (holdfast.TaskRecord, error) {
	id, err := c.id()
	return holdfast.TaskRecord{Task: holdfast.Task{ID: holdfast.TaskID(id), Kind: kind, Organization: s.Organization, Repository: s.Repository, Job: s.Job, JobSession: s.ID},
		State: holdfast.TaskReady}, err
}

// Types of log lines.
const (
	logNone    = "None"
	logSuccess = "Success"
	logWarning = "Warning"
	logError   = "Error"
	logStop    = "Stop"
)

func (c *core) log(ctx context.Context, tx Tx, session, kind, title string) error {
	now := c.now()
	return tx.AddLog(ctx, session, holdfast.LogLine{Type: kind, Title: title, Created: now, Ended: now})
}

// stopSession cancels what has not begun and asks what runs to end; sweepStopped ends what does not.
func (c *core) stopSession(ctx context.Context, tx Tx, s holdfast.JobSession, why string) error {
	if !s.StopBy.IsZero() {
		return nil
	}
	s.StopBy, s.Details = c.now().Add(stopGrace), why
	if err := tx.PutJobSession(ctx, s); err != nil {
		return err
	}
	tasks, err := tx.Tasks(ctx, holdfast.TaskFilter{JobSession: s.ID, States: []holdfast.TaskState{holdfast.TaskReady, holdfast.TaskRunning}}, holdfast.Page{})
	if err != nil {
		return err
	}
	for i := range tasks {
		if tasks[i].State == holdfast.TaskReady {
			tasks[i].State, tasks[i].Ended = holdfast.TaskCancelled, c.now()
		} else {
			tasks[i].Cancel, tasks[i].NotBefore = true, s.StopBy
		}
	}
	if err := tx.PutTasks(ctx, tasks...); err != nil {
		return err
	}
	if err := c.log(ctx, tx, string(s.ID), logStop, holdfast.SayStopping.With(why)); err != nil {
		return err
	}
	return c.advance(ctx, tx, s)
}

// advance moves the session on after one of its tasks has ended: to the backups, to the finish, or to its own end.
func (c *core) advance(ctx context.Context, tx Tx, s holdfast.JobSession) error {
	if !s.Ended.IsZero() {
		return nil
	}
	if unfinished, err := tx.Unfinished(ctx, s.ID); err != nil || unfinished {
		return err
	}
	if !s.StopBy.IsZero() {
		return c.endSession(ctx, tx, s, holdfast.StatusStopped, s.Details, false)
	}
	discover, err := tx.Tasks(ctx, holdfast.TaskFilter{JobSession: s.ID, Kind: holdfast.TaskDiscover}, holdfast.Page{})
	if err != nil {
		return err
	}
	for _, t := range discover {
		if t.State != holdfast.TaskDone {
			return c.endSession(ctx, tx, s, holdfast.StatusFailed, t.Result, t.Retriable)
		}
	}
	finish, err := tx.Tasks(ctx, holdfast.TaskFilter{JobSession: s.ID, Kind: holdfast.TaskFinish}, holdfast.Page{})
	if err != nil {
		return err
	}
	if len(finish) == 0 {
		if _, err := c.notFound(ctx, tx, &s); err != nil {
			return err
		}
		counts, err := tx.TaskCounts(ctx, s.ID, holdfast.TaskBackup)
		if err != nil {
			return err
		}
		if len(counts) == 0 {
			return c.endSession(ctx, tx, s, holdfast.StatusFailed, holdfast.SayNothingInScope.With(), false)
		}
		t, err := c.newTask(s, holdfast.TaskFinish)
		if err != nil {
			return err
		}
		return tx.PutTasks(ctx, t)
	}
	if t := finish[0]; t.State != holdfast.TaskDone {
		return c.endSession(ctx, tx, s, holdfast.StatusFailed, t.Result, t.Retriable)
	}
	outcome, err := c.outcome(ctx, tx, s)
	if err != nil {
		return err
	}
	return c.endSession(ctx, tx, s, outcome.status, outcome.details, outcome.retriable)
}

// progress sets the finished share of the session, of which the first and the last percent are discovery and the restore point.
func progress(s *holdfast.JobSession) {
	if n := s.Statistics.ObjectsTotal; n > 0 {
		s.Progress = max(s.Progress, int(1+98*s.Statistics.Objects/n))
	}
}

type sessionOutcome struct {
	status    holdfast.SessionStatus
	details   string
	retriable bool
}

// outcome applies the rules for a session's status to its backup tasks.
func (c *core) outcome(ctx context.Context, tx Tx, s holdfast.JobSession) (sessionOutcome, error) {
	tasks, err := tx.Tasks(ctx, holdfast.TaskFilter{JobSession: s.ID, Kind: holdfast.TaskBackup}, holdfast.Page{})
	if err != nil {
		return sessionOutcome{}, err
	}
	var good, left int
	var skipped int64
	o := sessionOutcome{status: holdfast.StatusSuccess}
	first := ""
	for _, t := range tasks {
		o.retriable = o.retriable || t.Retriable
		if t.Entry != nil {
			skipped += t.Entry.SkippedCount
			if t.Entry.SkippedCount > 0 && first == "" {
				first = holdfast.SayItemsSkipped.With(t.Container, t.Entry.SkippedCount)
			}
			if t.State == holdfast.TaskDone {
				good++
				continue
			}
			if first == "" {
				first = holdfast.SayOf.With(t.Container, t.Entry.Reason)
			}
		}
		left++
	}
	switch {
	case left > 0 && good == 0:
		o.status, o.details = holdfast.StatusFailed, holdfast.SayNoneUpdated.With(left, first)
	case left > 0 && skipped > 0:
		o.status, o.details = holdfast.StatusWarning, holdfast.SaySomeLeftSkipped.With(left, len(tasks), skipped, first)
	case left > 0:
		o.status, o.details = holdfast.StatusWarning, holdfast.SaySomeLeft.With(left, len(tasks), first)
	case skipped > 0:
		o.status, o.details = holdfast.StatusWarning, holdfast.SaySomeSkipped.With(skipped, first)
	case len(s.Notes) > 0:
		o.status, o.details = holdfast.StatusWarning, s.Notes[0]
	}
	return o, nil
}

// endSession closes the session, tells its job, and plans a retry when the job wants one.
func (c *core) endSession(ctx context.Context, tx Tx, s holdfast.JobSession, status holdfast.SessionStatus, details string, retriable bool) error {
	now := c.now()
	s.Status, s.Details, s.Ended, s.StopBy = status, details, now, time.Time{}
	if status != holdfast.StatusStopped {
		s.Progress = 100
	}
	job, err := tx.Job(ctx, s.Job)
	if err != nil && !missing(err) {
		return err
	}
	if err == nil {
		job.LastStatus = status
		if s.RestorePoint != "" {
			job.LastBackup = now
		}
		r := job.Schedule
		if retriable && job.Enabled && r.RetryEnabled && s.Retry < r.RetryNumber && (status == holdfast.StatusWarning || status == holdfast.StatusFailed) {
			job.RetryAt, job.RetryOf, s.WillRetry = now.Add(r.RetryWait), s.ID, true
		}
		if job.Enabled && r.Enabled && r.Continuously {
			job.NextRun = nextRun(r, now)
		}
		if err := tx.PutJob(ctx, job); err != nil {
			return err
		}
	}
	kind, title := logSuccess, holdfast.SayFinished.With()
	switch status {
	case holdfast.StatusWarning:
		kind, title = logWarning, holdfast.SayFinishedWarning.With(details)
	case holdfast.StatusFailed:
		kind, title = logError, holdfast.SayFailed.With(details)
	case holdfast.StatusStopped:
		kind, title = logStop, holdfast.SayStopped.With(details)
	}
	if s.WillRetry {
		title = holdfast.SayAgain.With(title, job.RetryAt.Format(time.RFC3339))
	}
	if err := c.log(ctx, tx, string(s.ID), kind, title); err != nil {
		return err
	}
	return tx.PutJobSession(ctx, s)
}
