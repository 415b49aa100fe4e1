package service

import (
	"context"
	"fmt"
	"slices"

	"holdfast/internal/holdfast"
)

// foundAtOnce is how many containers are looked for in one query.
const foundAtOnce = 500

// found makes backup tasks for what the backup of another container found: chats, by the lists of those who take part in them. Each is read once
// a session, whoever finds it; the greatest hint counts as long as nobody reads it.
func (c *core) found(ctx context.Context, tx Tx, s *holdfast.JobSession, r holdfast.TaskResult) error {
	if len(r.Found) == 0 {
		return nil
	}
	known := map[string]*holdfast.TaskRecord{}
	for some := range slices.Chunk(r.Found, foundAtOnce) {
		keys := make([]string, len(some))
		for i, f := range some {
			f.Organization = s.Organization
			keys[i] = f.Key()
		}
		old, err := tx.Tasks(ctx, holdfast.TaskFilter{JobSession: s.ID, Kind: holdfast.TaskBackup, Containers: keys}, holdfast.Page{})
		if err != nil {
			return err
		}
		for i := range old {
			known[old[i].Container.Key()] = &old[i]
		}
	}
	var tasks []holdfast.TaskRecord
	for _, f := range r.Found {
		f.Organization = s.Organization
		hint := r.Hints[f.Key()]
		if t := known[f.Key()]; t != nil {
			if t.State == holdfast.TaskReady && hint > string(t.Request) {
				t.Request = []byte(hint)
				tasks = append(tasks, *t)
			}
			continue
		}
		t, err := c.newTask(*s, holdfast.TaskBackup)
		if err != nil {
			return err
		}
		t.Container, t.Position, t.Request = f, int(s.Statistics.ObjectsTotal), []byte(hint)
		known[f.Key()] = &t
		tasks = append(tasks, t)
		s.Statistics.ObjectsTotal++
	}
	return tx.PutTasks(ctx, tasks...)
}

// notFound puts what the repository has of a kind that others find, and that none of them found in this session, into its restore point with the
// state before: when a list was not read, as not updated; else as gone. It says whether there was any.
func (c *core) notFound(ctx context.Context, tx Tx, s *holdfast.JobSession) (bool, error) {
	old, err := tx.Tasks(ctx, holdfast.TaskFilter{JobSession: s.ID, Kind: holdfast.TaskBackup}, holdfast.Page{})
	if err != nil {
		return false, err
	}
	lists, known := map[string]holdfast.TaskRecord{}, map[string]bool{}
	for _, t := range old {
		known[t.Container.Key()] = true
		if t.Container.Kind == holdfast.ChatList {
			lists[t.Container.Owner] = t
		}
	}
	if len(lists) == 0 {
		return false, nil
	}
	held, err := tx.Containers(ctx, holdfast.ContainerFilter{Organization: s.Organization, Repository: s.Repository, Kind: holdfast.Chat}, holdfast.Page{})
	if err != nil {
		return false, err
	}
	var tasks []holdfast.TaskRecord
	for _, rec := range held {
		if rec.Head == 0 || known[rec.Key()] {
			continue
		}
		e := holdfast.PointEntry{Container: rec.Container, Head: rec.Head, HeadTime: rec.HeadTime}
		mine := false
		for _, member := range holdfast.Owners(rec.Owner) {
			list, ok := lists[member]
			mine = mine || ok
			if ok && (list.Entry == nil || !fresh(list.Entry.State) && list.Entry.State != holdfast.StateGone) && e.State == "" {
				e.State, e.Reason = holdfast.StateNotUpdated, fmt.Sprintf("the %s was not read", list.Container)
			}
		}
		if !mine {
			continue // nobody's whom the job protects
		}
		if e.State == "" {
			e.State, e.Reason = holdfast.StateGone, "nobody whom the job protects takes part in it any more"
		}
		t, err := c.newTask(*s, holdfast.TaskBackup)
		if err != nil {
			return false, err
		}
		t.Container, t.Position, t.State, t.Entry, t.Ended = rec.Container, len(old)+len(tasks), holdfast.TaskDone, &e, c.now()
		if !goneBefore(e, rec) {
			t.State, t.Result = holdfast.TaskFailed, e.Reason
		}
		tasks = append(tasks, t)
	}
	if len(tasks) == 0 {
		return false, nil
	}
	s.Statistics.ObjectsTotal += int64(len(tasks))
	s.Statistics.Objects += int64(len(tasks))
	if err := tx.PutJobSession(ctx, *s); err != nil {
		return false, err
	}
	if n := slices.IndexFunc(tasks, func(t holdfast.TaskRecord) bool { return t.State == holdfast.TaskFailed }); n >= 0 {
		if err := c.log(ctx, tx, string(s.ID), logWarning, holdfast.SayChatsBefore.With(len(tasks), tasks[n].Container, tasks[n].Result)); err != nil {
			return false, err
		}
	}
	return true, tx.PutTasks(ctx, tasks...)
}
