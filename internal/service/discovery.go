package service

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"holdfast/internal/holdfast"
)

// skippedSuch names the first of skipped items.
func skippedSuch(all []holdfast.SkippedItem) string {
	text := ""
	for _, s := range slices.Backward(all[:min(3, len(all))]) {
		if text == "" {
			text = holdfast.SayItemSkipped.With(s.Name, s.Reason, s.Detail)
		} else {
			text = holdfast.SayItemSkippedMore.With(s.Name, s.Reason, s.Detail, text)
		}
	}
	return text
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
			if err := c.log(ctx, tx, string(s.ID), logWarning, holdfast.SayNotUpdated.With(container, e.Reason)); err != nil {
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
	untold := map[holdfast.ContainerKind]string{} // the kinds of which the organization does not tell what it has, and why
	for _, e := range r.Skipped {
		if e.State == "" {
			e.State = holdfast.StateNotUpdated
		}
		if e.Container.IsAll() {
			untold[e.Container.Kind] = e.Reason
		}
		if err := add(e.Container, &e); err != nil {
			return err
		}
	}
	// What the repository has and the organization has no more stays in sight, as gone: where the organization told what it has.
	for _, rec := range held {
		if rec.Head == 0 || rec.Kind == holdfast.Chat { // whether a chat is gone its members' lists tell
			continue
		}
		missed := holdfast.PointEntry{State: holdfast.StateGone, Reason: holdfast.SayLeftOrganization.With()}
		if why, ok := untold[rec.Kind]; ok {
			missed = holdfast.PointEntry{State: holdfast.StateNotUpdated, Reason: why}
		}
		if err := add(rec.Container, &missed); err != nil {
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
	if err := c.tellPersonal(ctx, tx, *s, tasks); err != nil {
		return err
	}
	if err := c.log(ctx, tx, string(s.ID), logNone, holdfast.SayFound.With(len(tasks))); err != nil {
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
	return c.log(ctx, tx, string(s.ID), logNone, holdfast.SayFoldersLeftOut.With(strings.Join(folders.Titles(), ", ")))
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
	return c.log(ctx, tx, string(s.ID), logWarning, holdfast.SaySitesBySecret.With(sites, org.Name, org.Name))
}

// tellPersonal tells, once for all, what is not read with personal sites, so that nobody takes their users' files for protected by them.
func (c *core) tellPersonal(ctx context.Context, tx Tx, s holdfast.JobSession, tasks []holdfast.TaskRecord) error {
	personal := 0
	for _, t := range tasks {
		if t.Container.Personal() && t.State == holdfast.TaskReady {
			personal++
		}
	}
	if personal == 0 {
		return nil
	}
	return c.log(ctx, tx, string(s.ID), logNone, holdfast.SayPersonalSites.With(personal))
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
	say := holdfast.SayLeftScope
	if len(left) > 3 {
		say = holdfast.SayMoreLeftScope
	}
	return c.log(ctx, tx, string(s.ID), logNone, say.With(len(left), strings.Join(left[:min(3, len(left))], ", ")))
}

// capitalized is a sentence of a note.
func capitalized(s string) string { return strings.ToUpper(s[:1]) + s[1:] }

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
		text := holdfast.SayNoDirectory.With(err)
		if !state.Synced.IsZero() {
			text = holdfast.SayOldDirectory.With(state.Synced.Format(time.RFC3339), err)
		}
		return c.log(ctx, tx, string(task.JobSession), logWarning, text)
	})
}
