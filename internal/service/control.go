package service

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"holdfast/internal/holdfast"
)

// Control is what a proxy calls; it fills proxy.Control. Each call is one transaction that checks the lease's epoch first.
type Control struct{ *core }

// Claim leases up to max tasks that are ready to proxy, and waits until there is one or ctx ends.
func (c *Control) Claim(ctx context.Context, proxy holdfast.ProxyID, max int) ([]holdfast.Task, error) {
	for {
		ring := c.bell.wait()
		tasks, err := c.claim(ctx, proxy, max, anyTask)
		if err != nil || len(tasks) > 0 || c.Poll < 0 {
			return tasks, err
		}
		wait := c.Poll
		next, err := read(ctx, c.core, func(ctx context.Context, tx Tx) (time.Time, error) { return tx.NextClaimable(ctx, c.now()) })
		if err != nil {
			return nil, err
		}
		if !next.IsZero() {
			wait = min(wait, next.Sub(c.now()))
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-ring:
		case <-c.Clock.After(wait):
		}
	}
}

// ClaimUrgent leases what people or sessions wait for, and no backups; it does not wait. A proxy that is full of backups asks for it.
func (c *Control) ClaimUrgent(ctx context.Context, proxy holdfast.ProxyID, max int) ([]holdfast.Task, error) {
	return c.claim(ctx, proxy, max, func(t holdfast.TaskRecord) bool {
		return t.Kind != holdfast.TaskBackup && t.Kind != holdfast.TaskRetention
	})
}

func anyTask(holdfast.TaskRecord) bool { return true }

// claimable gives tasks that may be leased and are wanted. The most urgent come first, so that those left out cost the others nothing.
func (c *Control) claimable(ctx context.Context, tx Tx, leaseNow time.Time, max int, wanted func(holdfast.TaskRecord) bool) ([]holdfast.TaskRecord, error) {
	found, err := tx.Claimable(ctx, c.now(), leaseNow, max)
	return slices.DeleteFunc(found, func(t holdfast.TaskRecord) bool { return !wanted(t) }), err
}

func (c *Control) claim(ctx context.Context, proxy holdfast.ProxyID, max int, wanted func(holdfast.TaskRecord) bool) ([]holdfast.Task, error) {
	leaseNow, err := c.Store.Now(ctx)
	if err != nil {
		return nil, err
	}
	// Looking costs no write; most looks find nothing.
	found, err := read(ctx, c.core, func(ctx context.Context, tx Tx) ([]holdfast.TaskRecord, error) {
		p, err := tx.Proxy(ctx, proxy)
		if err != nil || p.Maintenance {
			return nil, err
		}
		return c.claimable(ctx, tx, leaseNow, max, wanted)
	})
	if err != nil || len(found) == 0 {
		return nil, err
	}
	gaveUp := false
	defer func() {
		if gaveUp {
			c.bell.ring() // it may have been what another task waited for
		}
	}()
	return write(ctx, c.core, func(ctx context.Context, tx Tx) ([]holdfast.Task, error) {
		found, err := c.claimable(ctx, tx, leaseNow, max, wanted)
		if err != nil {
			return nil, err
		}
		gaveUp = false
		var out []holdfast.Task
		for i := range found {
			t := &found[i]
			if t.Attempt >= taskAttempts {
				if err := c.giveUp(ctx, tx, t); err != nil {
					return nil, err
				}
				gaveUp = true
				continue
			}
			if t.Epoch, err = tx.NextEpoch(ctx); err != nil {
				return nil, err
			}
			if err := c.takeOver(ctx, tx, *t); err != nil {
				return nil, err
			}
			t.Attempt++
			t.State, t.Proxy, t.LeaseUntil = holdfast.TaskRunning, proxy, leaseNow.Add(c.Lease)
			if t.Kind == holdfast.TaskDiscover {
				if err := c.begun(ctx, tx, t.JobSession); err != nil {
					return nil, err
				}
			}
			if err := tx.PutTasks(ctx, *t); err != nil {
				return nil, err
			}
			out = append(out, t.Task)
		}
		return out, nil
	})
}

// takeOver makes stale whoever held the container (or, for retention, the repository) of t by another task: his lease has ended, and
// what he would commit now rests on a head that t's holder is about to replace. His task begins again in its turn.
func (c *Control) takeOver(ctx context.Context, tx Tx, t holdfast.TaskRecord) error {
	f := holdfast.TaskFilter{Repository: t.Repository, Kind: t.Kind, States: []holdfast.TaskState{holdfast.TaskRunning}}
	switch t.Kind {
	case holdfast.TaskBackup:
		f.Organization, f.Container = t.Organization, t.Container.Key()
	case holdfast.TaskRetention:
	default:
		return nil
	}
	rivals, err := tx.Tasks(ctx, f, holdfast.Page{})
	if err != nil {
		return err
	}
	for _, r := range rivals {
		if r.ID == t.ID {
			continue
		}
		if r.Cancel {
			if r.Epoch, err = tx.NextEpoch(ctx); err != nil {
				return err
			}
			if err := c.complete(ctx, tx, r, holdfast.TaskResult{Err: "stopped"}); err != nil {
				return err
			}
			continue
		}
		r.State = holdfast.TaskReady
		if err := tx.PutTasks(ctx, r); err != nil {
			return err
		}
	}
	return nil
}

// begun marks a session as running when the first of its tasks is.
func (c *Control) begun(ctx context.Context, tx Tx, id holdfast.JobSessionID) error {
	s, err := tx.JobSession(ctx, id)
	if err != nil || s.Status != holdfast.StatusQueued {
		return err
	}
	s.Status = holdfast.StatusRunning
	return tx.PutJobSession(ctx, s)
}

// giveUp ends a task that every holder lost.
func (c *Control) giveUp(ctx context.Context, tx Tx, t *holdfast.TaskRecord) error {
	epoch, err := tx.NextEpoch(ctx)
	if err != nil {
		return err
	}
	t.Epoch = epoch
	return c.complete(ctx, tx, *t, holdfast.TaskResult{Err: fmt.Sprintf("given up: %d attempts ended without a result", t.Attempt), Reason: holdfast.SkipTransient, Retriable: true})
}

// held gives the task when lease is still its newest, else a KindStale error.
func (c *core) held(ctx context.Context, tx Tx, lease holdfast.Lease) (holdfast.TaskRecord, error) {
	t, err := tx.Task(ctx, lease.Task)
	if missing(err) {
		return t, holdfast.Stale("task %s is gone", lease.Task)
	} else if err != nil {
		return t, err
	}
	if t.Epoch != lease.Epoch || t.State != holdfast.TaskRunning {
		return t, holdfast.Stale("the lease of task %s, epoch %d, has passed on", lease.Task, lease.Epoch)
	}
	return t, nil
}

// Renew extends leases. Tasks that were cancelled or whose lease has passed on come back; their work must end.
func (c *Control) Renew(ctx context.Context, leases []holdfast.Lease) (cancelled []holdfast.TaskID, err error) {
	leaseNow, err := c.Store.Now(ctx)
	if err != nil {
		return nil, err
	}
	// A lease is worth a write only when a good part of it is gone; most calls find none of those, and looking holds nobody up.
	look := func(ctx context.Context, tx Tx) (gone []holdfast.TaskID, due []holdfast.TaskRecord, err error) {
		held, err := heldOf(ctx, tx, leases)
		if err != nil {
			return nil, nil, err
		}
		for _, l := range leases {
			t, ok := held[l]
			if !ok || t.Cancel {
				gone = append(gone, l.Task)
			}
			if ok && t.LeaseUntil.Sub(leaseNow) <= holdfast.LeaseSure(c.Lease) {
				t.LeaseUntil = leaseNow.Add(c.Lease)
				due = append(due, t)
			}
		}
		return gone, due, nil
	}
	wanted := false
	cancelled, err = read(ctx, c.core, func(ctx context.Context, tx Tx) ([]holdfast.TaskID, error) {
		gone, due, err := look(ctx, tx)
		wanted = len(due) > 0
		return gone, err
	})
	if err != nil || !wanted {
		return cancelled, err
	}
	return write(ctx, c.core, func(ctx context.Context, tx Tx) ([]holdfast.TaskID, error) {
		gone, due, err := look(ctx, tx)
		if err != nil || len(due) == 0 {
			return gone, err
		}
		return gone, tx.PutTasks(ctx, due...)
	})
}

// leasesAtOnce is how many leases are looked up by one query: thousands of backups may wait for their commit.
const leasesAtOnce = 500

// heldOf are the tasks of those leases that hold.
func heldOf(ctx context.Context, tx Tx, leases []holdfast.Lease) (map[holdfast.Lease]holdfast.TaskRecord, error) {
	held := make(map[holdfast.Lease]holdfast.TaskRecord, len(leases))
	for some := range slices.Chunk(leases, leasesAtOnce) {
		f := holdfast.TaskFilter{States: []holdfast.TaskState{holdfast.TaskRunning}}
		for _, l := range some {
			f.IDs = append(f.IDs, l.Task)
		}
		tasks, err := tx.Tasks(ctx, f, holdfast.Page{})
		if err != nil {
			return nil, err
		}
		for _, t := range tasks {
			held[t.Lease()] = t
		}
	}
	return held, nil
}

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
			t.State, t.Result, t.Retriable = holdfast.TaskFailed, "no restore point was written", true
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
		e.Reason = "the backup reported no result"
	}
	return &e, rec, nil
}

func (c *core) logContainer(ctx context.Context, tx Tx, t holdfast.TaskRecord) error {
	kind, title := logSuccess, fmt.Sprintf("%s: up to date", t.Container)
	switch {
	case t.State == holdfast.TaskCancelled:
		kind, title = logStop, fmt.Sprintf("%s: stopped", t.Container)
	case t.State == holdfast.TaskDone && t.Entry.State == holdfast.StateGone:
		return nil
	case !fresh(t.Entry.State):
		kind, title = logWarning, fmt.Sprintf("%s: not updated: %s", t.Container, t.Result)
	case t.Entry.SkippedCount > 0:
		kind, title = logWarning, fmt.Sprintf("%s: %d items skipped", t.Container, t.Entry.SkippedCount)
		for _, s := range t.Entry.Skipped[:min(3, len(t.Entry.Skipped))] {
			title += fmt.Sprintf("; %q: %s: %s", s.Name, s.Reason, s.Detail)
		}
	case t.Entry.State == holdfast.StateUnchanged:
		return nil // idle containers by the thousand would only hide the rest
	}
	return c.log(ctx, tx, string(t.JobSession), kind, title)
}

// discovered makes a backup task for each container in the job's scope.
func (c *core) discovered(ctx context.Context, tx Tx, s *holdfast.JobSession, r holdfast.TaskResult) error {
	job, err := tx.Job(ctx, s.Job)
	if err != nil {
		return err
	}
	org, err := tx.Organization(ctx, s.Organization)
	if err != nil {
		return err
	}
	held, err := tx.Containers(ctx, holdfast.ContainerFilter{Organization: s.Organization, Repository: s.Repository}, holdfast.Page{})
	if err != nil {
		return err
	}
	scope, err := scopeOf(ctx, tx, job, org)
	if err != nil {
		return err
	}
	for _, note := range scope.notes {
		if err := c.log(ctx, tx, string(s.ID), logWarning, capitalized(note)); err != nil {
			return err
		}
	}
	s.Notes = scope.notes
	known := make(map[string]holdfast.ContainerRecord, len(held))
	for _, rec := range held {
		known[rec.Key()] = rec
	}
	seen := map[string]bool{}
	var tasks []holdfast.TaskRecord
	add := func(container holdfast.Container, e *holdfast.PointEntry) error {
		container.Organization = s.Organization
		if seen[container.Key()] || !scope.has(container) {
			return nil
		}
		seen[container.Key()] = true
		t, err := c.newTask(*s, holdfast.TaskBackup)
		if err != nil {
			return err
		}
		t.Container, t.Position = container, len(tasks)
		if e == nil {
			tasks = append(tasks, t)
			return nil
		}
		rec := known[container.Key()]
		e.Container, e.Head, e.HeadTime = container, rec.Head, rec.HeadTime
		if e.State == holdfast.StateGone && rec.Head == 0 && !scope.names(container) {
			return nil // one of many who never had a mailbox or drive: nothing that could be missed
		}
		t.State, t.Entry, t.Ended = holdfast.TaskDone, e, c.now()
		if !goneBefore(*e, rec) {
			t.State, t.Result = holdfast.TaskFailed, e.Reason
			if err := c.log(ctx, tx, string(s.ID), logWarning, fmt.Sprintf("%s: not updated: %s", container, e.Reason)); err != nil {
				return err
			}
		}
		tasks = append(tasks, t)
		return nil
	}
	for _, f := range r.Found {
		if err := add(f, nil); err != nil {
			return err
		}
	}
	for _, e := range r.Skipped {
		if e.State == "" {
			e.State = holdfast.StateNotUpdated
		}
		if err := add(e.Container, &e); err != nil {
			return err
		}
	}
	// What the repository has and the organization has no more stays in sight, as gone.
	for _, rec := range held {
		if rec.Head == 0 || rec.Kind == holdfast.Chat { // whether a chat is gone its members' lists tell
			continue
		}
		if err := add(rec.Container, &holdfast.PointEntry{State: holdfast.StateGone, Reason: "it is not in the organization any more"}); err != nil {
			return err
		}
	}
	takeTurns(tasks)
	if err := c.leftScope(ctx, tx, *s, seen); err != nil {
		return err
	}
	if err := c.tellLeftOut(ctx, tx, *s, tasks); err != nil {
		return err
	}
	if err := c.tellWithoutCertificate(ctx, tx, *s, org, tasks); err != nil {
		return err
	}
	if err := c.log(ctx, tx, string(s.ID), logNone, fmt.Sprintf("Found %d objects to protect", len(tasks))); err != nil {
		return err
	}
	s.Statistics.ObjectsTotal, s.Statistics.Objects = int64(len(tasks)), 0
	for _, t := range tasks {
		if t.State != holdfast.TaskReady {
			s.Statistics.Objects++
		}
	}
	return tx.PutTasks(ctx, tasks...)
}

// takeTurns places a session's tasks so that containers of every kind are done in proportion: Exchange, SharePoint with OneDrive, and Teams have
// limits of their own, and while one of them makes its containers wait the others' are done.
func takeTurns(tasks []holdfast.TaskRecord) {
	all := map[holdfast.ContainerKind]int{}
	for _, t := range tasks {
		all[t.Container.Kind]++
	}
	before := map[holdfast.ContainerKind]int{}
	share := make(map[holdfast.TaskID]float64, len(tasks))
	for _, t := range tasks {
		kind := t.Container.Kind
		share[t.ID] = (float64(before[kind]) + 0.5) / float64(all[kind])
		before[kind]++
	}
	slices.SortStableFunc(tasks, func(a, b holdfast.TaskRecord) int { return cmp.Compare(share[a.ID], share[b.ID]) })
	for i := range tasks {
		tasks[i].Position = i
	}
}

// tellLeftOut tells which folders no mailbox of the session is read with.
func (c *core) tellLeftOut(ctx context.Context, tx Tx, s holdfast.JobSession, tasks []holdfast.TaskRecord) error {
	if !slices.ContainsFunc(tasks, func(t holdfast.TaskRecord) bool {
		return t.Container.Kind == holdfast.Mailbox && !t.Container.OfGroup()
	}) {
		return nil
	}
	folders, err := setting[holdfast.FolderExclusions](ctx, tx, settingFolders)
	if err != nil || len(folders.Titles()) == 0 {
		return err
	}
	return c.log(ctx, tx, string(s.ID), logNone, "Left out of all mailboxes, as the exclusions say: "+strings.Join(folders.Titles(), ", "))
}

// tellWithoutCertificate tells, once for all sites, what of them an application that signs in by a secret can't read, and what to do. Attachments that
// are missing for it are named as skipped with each site.
func (c *core) tellWithoutCertificate(ctx context.Context, tx Tx, s holdfast.JobSession, org holdfast.Organization, tasks []holdfast.TaskRecord) error {
	sites := 0
	for _, t := range tasks {
		if t.Container.Kind == holdfast.Site && t.State == holdfast.TaskReady {
			sites++
		}
	}
	if sites == 0 || org.CertificateThumbprint != "" {
		return nil
	}
	return c.log(ctx, tx, string(s.ID), logWarning, fmt.Sprintf("Of %d sites attachments, permissions and views are not read: the application of %s signs in by a secret, and SharePoint takes only those that sign in by a certificate. "+
		"Give it one: 'holdfast org renew %s --sign-in', or in the console Organizations, New secret or certificate", sites, org.Name, org.Name))
}

// leftScope tells, once, which objects the job's restore point before had and its scope has no more.
func (c *core) leftScope(ctx context.Context, tx Tx, s holdfast.JobSession, now map[string]bool) error {
	last, err := tx.RestorePoints(ctx, holdfast.PointFilter{Job: s.Job, Repository: s.Repository}, holdfast.Page{Limit: 1})
	if err != nil || len(last) == 0 {
		return err
	}
	point, err := tx.RestorePoint(ctx, last[0].ID)
	if err != nil {
		return err
	}
	var left []string
	for _, e := range point.Entries {
		if e.Head > 0 && !now[e.Container.Key()] && e.Container.Kind != holdfast.Chat { // chats are found later
			left = append(left, e.Container.String())
		}
	}
	if len(left) == 0 {
		return nil
	}
	text := fmt.Sprintf("%d objects are no longer in the job's scope, what is stored of them stays until their restore points expire: %s", len(left), strings.Join(left[:min(3, len(left))], ", "))
	if len(left) > 3 {
		text += " and others"
	}
	return c.log(ctx, tx, string(s.ID), logNone, text)
}

// capitalized is a sentence of a note.
func capitalized(s string) string { return strings.ToUpper(s[:1]) + s[1:] }

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

// Access gives what a task needs to reach Microsoft 365 and the repository. Before a session looks for its objects the copy of the directory
// is brought up to date; when that fails an older copy serves, and without any everything is asked for, unless the job has groups.
func (c *Control) Access(ctx context.Context, lease holdfast.Lease) (holdfast.Access, error) {
	task, err := read(ctx, c.core, func(ctx context.Context, tx Tx) (holdfast.TaskRecord, error) { return c.held(ctx, tx, lease) })
	if err != nil {
		return holdfast.Access{}, err
	}
	if task.Kind == holdfast.TaskDiscover {
		if err := c.beforeDiscovery(ctx, task); err != nil {
			return holdfast.Access{}, err
		}
	}
	return read(ctx, c.core, func(ctx context.Context, tx Tx) (holdfast.Access, error) {
		var a holdfast.Access
		t, err := c.held(ctx, tx, lease)
		if err != nil {
			return a, err
		}
		if a.Repository, err = tx.Repository(ctx, t.Repository); err != nil {
			return a, err
		}
		if t.Kind == holdfast.TaskRetention {
			a.RetentionExclusions, err = setting[holdfast.RetentionExclusions](ctx, tx, settingRetentionSparing)
			return a, err
		}
		if a.Organization, err = tx.Organization(ctx, t.Organization); err != nil {
			return a, err
		}
		if t.Job != "" {
			if a.Job, err = tx.Job(ctx, t.Job); err != nil {
				return a, err
			}
			switch t.Kind {
			case holdfast.TaskDiscover:
				scope, err := scopeOf(ctx, tx, a.Job, a.Organization)
				if err != nil {
					return a, err
				}
				a.Job = scope.expanded()
				held, err := tx.Containers(ctx, holdfast.ContainerFilter{Organization: t.Organization, Repository: t.Repository, Kind: holdfast.Drive}, holdfast.Page{})
				if err != nil {
					return a, err
				}
				if a.Users, err = usersFor(ctx, tx, t.Organization, held); err != nil {
					return a, err
				}
			case holdfast.TaskBackup:
				if a.Job, err = jobFor(ctx, tx, a.Job, t.Container); err != nil {
					return a, err
				}
			}
		}
		if t.Kind == holdfast.TaskBackup {
			s, err := tx.JobSession(ctx, t.JobSession)
			if err != nil {
				return a, err
			}
			a.Anew = s.Anew
			if t.Container.Kind == holdfast.Mailbox {
				if a.FoldersLeftOut, err = setting[holdfast.FolderExclusions](ctx, tx, settingFolders); err != nil {
					return a, err
				}
			}
		}
		if t.OwnCredential {
			var ok bool
			if a.Credential, ok = c.ownCredential(t.ID); !ok {
				return a, holdfast.Conflict("the application that the restore was asked for with is not known any more, because the server was restarted: ask for the restore again")
			}
			return a, nil
		}
		a.Credential, err = c.credential(ctx, tx, t.Organization)
		return a, err
	})
}

// beforeDiscovery brings the copy of the directory up to date.
func (c *Control) beforeDiscovery(ctx context.Context, task holdfast.TaskRecord) error {
	err := c.syncDirectory(ctx, task.Organization, holdfast.SyncIncremental, directoryFresh)
	if err == nil || ctx.Err() != nil {
		return err
	}
	return c.Store.Write(ctx, func(ctx context.Context, tx Tx) error {
		job, readErr := tx.Job(ctx, task.Job)
		if readErr != nil {
			return readErr
		}
		state, readErr := tx.DirectoryState(ctx, task.Organization)
		if readErr != nil {
			return readErr
		}
		isGroup := func(i holdfast.JobItem) bool { return i.Type == ItemGroup }
		if state.Synced.IsZero() && slices.ContainsFunc(slices.Concat(job.Selected, job.Excluded), isGroup) {
			return err // whom the groups stand for is not known
		}
		text := "The directory could not be read anew, and all users are asked for"
		if !state.Synced.IsZero() {
			text = fmt.Sprintf("The directory could not be read anew; users and groups are those of %s", state.Synced.Format(time.RFC3339))
		}
		return c.log(ctx, tx, string(task.JobSession), logWarning, fmt.Sprintf("%s: %v", text, err))
	})
}

func (c *core) ownCredential(t holdfast.TaskID) (holdfast.Credential, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	cred, ok := c.restoreCredentials[t]
	return cred, ok
}

func (c *core) dropCredential(t holdfast.TaskID) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.restoreCredentials, t)
}

// CurrentHeads gives a container's published head and its newer checkpoint; either may be nil.
func (c *Control) CurrentHeads(ctx context.Context, lease holdfast.Lease, repo holdfast.RepositoryID, container holdfast.Container) (head, checkpoint *holdfast.HeadRecord, err error) {
	err = c.Store.Read(ctx, func(ctx context.Context, tx Tx) error {
		head, checkpoint = nil, nil
		t, err := c.held(ctx, tx, lease)
		if err != nil {
			return err
		}
		rec, err := tx.Container(ctx, repo, t.Organization, container.Key())
		if missing(err) {
			return nil
		} else if err != nil {
			return err
		}
		if rec.Head > 0 {
			h, err := tx.Head(ctx, repo, t.Organization, container.Key(), rec.Head)
			if err != nil {
				return err
			}
			head = &h
		}
		if rec.Checkpoint > 0 {
			h, err := tx.Checkpoint(ctx, repo, t.Organization, container.Key())
			if err != nil {
				return err
			}
			checkpoint = &h
		}
		return nil
	})
	return head, checkpoint, err
}

// CommitHeads publishes heads or resume points, all or none, each under its own lease. A head's number is above the published one's and
// the checkpoint's; committing the very same head again changes nothing and is no error, so an unknown outcome can be repeated.
func (c *Control) CommitHeads(ctx context.Context, commits []holdfast.HeadCommit) error {
	return c.thenIndex(c.Store.Write(ctx, func(ctx context.Context, tx Tx) error {
		for _, commit := range commits {
			if err := c.commitHead(ctx, tx, commit); err != nil {
				return err
			}
		}
		return nil
	}))
}

// thenIndex tells the search of what was committed.
func (c *Control) thenIndex(err error) error {
	if err == nil && c.Searcher != nil {
		c.Searcher.Wake()
	}
	return err
}

func (c *Control) commitHead(ctx context.Context, tx Tx, commit holdfast.HeadCommit) error {
	t, err := c.held(ctx, tx, commit.Lease)
	if err != nil {
		return err
	}
	h := commit.Head
	key := h.Container.Key()
	switch {
	case t.Kind != holdfast.TaskBackup:
		return holdfast.Stale("task %s is no backup and may not commit heads", t.ID)
	case t.Repository != h.Repository || t.Organization != h.Organization || t.Container.Key() != key:
		return holdfast.Stale("task %s holds %s in repository %s, not %s in %s", t.ID, t.Container.Key(), t.Repository, key, h.Repository)
	case h.Epoch != t.Epoch:
		return holdfast.Stale("the head of %s carries epoch %d, but its lease has epoch %d", h.Container, h.Epoch, t.Epoch)
	}
	rec, err := tx.Container(ctx, h.Repository, h.Organization, key)
	if missing(err) {
		rec = holdfast.ContainerRecord{Container: t.Container, Repository: h.Repository, First: h.Time}
	} else if err != nil {
		return err
	}
	// The very same head again: the caller could not know that it had gone through.
	again := tx.Head
	if commit.Checkpoint {
		again = func(ctx context.Context, repo holdfast.RepositoryID, org holdfast.OrganizationID, key string, _ uint64) (holdfast.HeadRecord, error) {
			return tx.Checkpoint(ctx, repo, org, key)
		}
	}
	if old, err := again(ctx, h.Repository, h.Organization, key, h.Number); err == nil && old.Number == h.Number && old.Epoch == h.Epoch && old.Journal == h.Journal {
		return nil
	} else if err != nil && !missing(err) {
		return err
	}
	if h.Number <= max(rec.Head, rec.Checkpoint) {
		return holdfast.Conflict("head %d of %s does not follow head %d and checkpoint %d", h.Number, h.Container, rec.Head, rec.Checkpoint)
	}
	if commit.Checkpoint {
		rec.Checkpoint = h.Number
		if err := tx.PutContainer(ctx, rec); err != nil {
			return err
		}
		return tx.PutCheckpoint(ctx, h)
	}
	rec.Container, rec.Head, rec.HeadTime, rec.Items, rec.Bytes, rec.Checkpoint, rec.State = h.Container, h.Number, h.Time, h.Items, h.Bytes, 0, holdfast.StateUpdated
	if rec.First.IsZero() {
		rec.First = h.Time
	}
	if err := tx.PutHead(ctx, h); err != nil {
		return err
	}
	if err := tx.DeleteCheckpoint(ctx, h.Repository, h.Organization, key); err != nil {
		return err
	}
	return tx.PutContainer(ctx, rec)
}

// SessionEntries gives what the backup tasks of the session reported, for the restore point.
func (c *Control) SessionEntries(ctx context.Context, lease holdfast.Lease) ([]holdfast.PointEntry, error) {
	return read(ctx, c.core, func(ctx context.Context, tx Tx) ([]holdfast.PointEntry, error) {
		t, err := c.held(ctx, tx, lease)
		if err != nil {
			return nil, err
		}
		tasks, err := tx.Tasks(ctx, holdfast.TaskFilter{JobSession: t.JobSession, Kind: holdfast.TaskBackup}, holdfast.Page{})
		if err != nil {
			return nil, err
		}
		entries := make([]holdfast.PointEntry, 0, len(tasks))
		for _, b := range tasks {
			switch {
			case b.Entry != nil:
				entries = append(entries, *b.Entry)
			default:
				entries = append(entries, holdfast.PointEntry{Container: b.Container, State: holdfast.StateNotUpdated, Reason: b.Result})
			}
		}
		return entries, nil
	})
}

// SessionOutcome gives the status and the identity that the session's restore point is to carry.
func (c *Control) SessionOutcome(ctx context.Context, lease holdfast.Lease) (holdfast.RestorePoint, error) {
	return read(ctx, c.core, func(ctx context.Context, tx Tx) (holdfast.RestorePoint, error) {
		t, err := c.held(ctx, tx, lease)
		if err != nil {
			return holdfast.RestorePoint{}, err
		}
		s, err := tx.JobSession(ctx, t.JobSession)
		if err != nil {
			return holdfast.RestorePoint{}, err
		}
		o, err := c.outcome(ctx, tx, s)
		if err != nil {
			return holdfast.RestorePoint{}, err
		}
		return holdfast.RestorePoint{ID: holdfast.RestorePointID(holdfast.DerivedID(string(s.ID), "restore point")), Organization: s.Organization, Repository: s.Repository,
			Job: s.Job, JobName: s.JobName, JobSession: s.ID, Time: c.now(), Status: o.status}, nil
	})
}

// CommitRestorePoint publishes a restore point whose record is in the repository. Committing the same one again changes nothing.
func (c *Control) CommitRestorePoint(ctx context.Context, lease holdfast.Lease, p holdfast.RestorePoint) error {
	return c.thenIndex(c.Store.Write(ctx, func(ctx context.Context, tx Tx) error {
		t, err := c.held(ctx, tx, lease)
		if err != nil {
			return err
		}
		if t.Kind != holdfast.TaskFinish || t.JobSession != p.JobSession || t.Repository != p.Repository || t.Organization != p.Organization {
			return holdfast.Stale("task %s may not publish restore point %s", t.ID, p.ID)
		}
		s, err := tx.JobSession(ctx, t.JobSession)
		if err != nil {
			return err
		}
		if s.RestorePoint == p.ID {
			return nil
		} else if s.RestorePoint != "" {
			return holdfast.Conflict("job session %s has restore point %s already", s.ID, s.RestorePoint)
		}
		held, err := tx.Containers(ctx, holdfast.ContainerFilter{Organization: p.Organization, Repository: p.Repository}, holdfast.Page{})
		if err != nil {
			return err
		}
		byKey := make(map[string]holdfast.ContainerRecord, len(held))
		for _, rec := range held {
			byKey[rec.Key()] = rec
		}
		for _, e := range p.Entries {
			rec, known := byKey[e.Container.Key()]
			// Every head that the point shows must be published: a point that reaches for what is not there is worse than none.
			if e.Head > 0 && (!known || e.Head != rec.Head) {
				if _, err := tx.Head(ctx, p.Repository, p.Organization, e.Container.Key(), e.Head); err != nil {
					return fmt.Errorf("restore point %s: %w", p.ID, err)
				}
			}
			if known && rec.State != e.State {
				rec.State = e.State
				if err := tx.PutContainer(ctx, rec); err != nil {
					return err
				}
			}
		}
		if err := tx.PutRestorePoint(ctx, p); err != nil {
			return err
		}
		org, err := tx.Organization(ctx, p.Organization)
		if err == nil {
			if org.FirstBackup.IsZero() {
				org.FirstBackup = p.Time
			}
			org.LastBackup = p.Time
			if err := tx.PutOrganization(ctx, org); err != nil {
				return err
			}
		} else if !missing(err) {
			return err
		}
		s.RestorePoint = p.ID
		return tx.PutJobSession(ctx, s)
	}))
}

// RestorePoint gives a published restore point; after an unknown outcome of CommitRestorePoint it says which it was.
func (c *Control) RestorePoint(ctx context.Context, id holdfast.RestorePointID) (holdfast.RestorePoint, error) {
	return read(ctx, c.core, func(ctx context.Context, tx Tx) (holdfast.RestorePoint, error) { return tx.RestorePoint(ctx, id) })
}

// Head gives one head by number.
func (c *Control) Head(ctx context.Context, repo holdfast.RepositoryID, org holdfast.OrganizationID, container string, number uint64) (holdfast.HeadRecord, error) {
	return read(ctx, c.core, func(ctx context.Context, tx Tx) (holdfast.HeadRecord, error) {
		h, err := tx.Head(ctx, repo, org, container, number)
		if missing(err) {
			err = holdfast.NotFound("the catalogue does not have head %d of %s: its restore point has expired meanwhile, or it could not be read when the repository was read in (\"holdfast vault verify\" names damage)", number, container)
		}
		return h, err
	})
}

// BeginItem writes the intent to restore one item before anything is created. began says that an earlier attempt had written it;
// earlier is what that attempt recorded, nil when its outcome is not known.
func (c *Control) BeginItem(ctx context.Context, lease holdfast.Lease, request, item, version string) (earlier *holdfast.ItemResult, began bool, err error) {
	err = c.Store.Write(ctx, func(ctx context.Context, tx Tx) error {
		earlier, began = nil, false
		t, err := c.held(ctx, tx, lease)
		if err != nil {
			return err
		}
		if t.Cancel {
			return holdfast.Stale("the restore was stopped")
		}
		i, ok, err := tx.RestoreItem(ctx, request, item, version)
		if err != nil {
			return err
		}
		if ok {
			earlier, began = i.Result, true
			if i.Epoch == t.Epoch {
				return nil
			}
		} else {
			i = holdfast.RestoreItem{Request: request, Item: item, Version: version, Began: c.now()}
		}
		i.Epoch = t.Epoch
		return tx.PutRestoreItem(ctx, i)
	})
	return earlier, began, err
}

// MadeItem records the id of what was created for an item whose outcome is still to come. BeginItem gives it as an earlier result without an outcome.
func (c *Control) MadeItem(ctx context.Context, lease holdfast.Lease, request, item, newID string) error {
	return c.Store.Write(ctx, func(ctx context.Context, tx Tx) error {
		if _, err := c.held(ctx, tx, lease); err != nil {
			return err
		}
		return tx.EndRestoreItem(ctx, request, holdfast.ItemResult{Item: item, NewID: newID})
	})
}

// EndItem records what became of an item and shows it as an event of the restore session.
func (c *Control) EndItem(ctx context.Context, lease holdfast.Lease, request string, result holdfast.ItemResult) error {
	return c.Store.Write(ctx, func(ctx context.Context, tx Tx) error {
		t, err := c.held(ctx, tx, lease)
		if err != nil {
			return err
		}
		var req holdfast.RestoreRequest
		if err := json.Unmarshal(t.Request, &req); err != nil {
			return fmt.Errorf("decode restore request: %w", err)
		}
		if err := tx.EndRestoreItem(ctx, request, result); err != nil {
			return err
		}
		return c.itemEvent(ctx, tx, req, result)
	})
}
