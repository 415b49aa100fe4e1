package store

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/uptrace/bun"

	"holdfast/internal/holdfast"
)

type taskRow struct {
	bun.BaseModel  `bun:"table:tasks,alias:t"`
	ID             string `bun:",pk"`
	Kind           string
	Organization   string
	Repository     string
	Job            string
	JobSession     string
	RestoreSession string
	Container      string // key
	SpecContainer  string
	Epoch          int64
	Attempt        int
	Request        []byte
	State          string
	Proxy          string
	LeaseUntil     stamp
	NotBefore      stamp
	Position       int
	Urgency        int
	Cancel         bool
	OwnCredential  bool
	Result         string
	Retriable      bool
	SpecEntry      string
	Ended          stamp
}

// urgency orders kinds of tasks: people wait for restores, sessions for their first and last task.
var urgency = map[holdfast.TaskKind]int{holdfast.TaskRestore: 0, holdfast.TaskFinish: 1, holdfast.TaskDiscover: 2, holdfast.TaskBackup: 3, holdfast.TaskRetention: 4}

func (r taskRow) noun() (holdfast.TaskRecord, error) {
	t := holdfast.TaskRecord{Task: holdfast.Task{ID: holdfast.TaskID(r.ID), Kind: holdfast.TaskKind(r.Kind), Organization: holdfast.OrganizationID(r.Organization), Repository: holdfast.RepositoryID(r.Repository),
		Job: holdfast.JobID(r.Job), JobSession: holdfast.JobSessionID(r.JobSession), RestoreSession: holdfast.RestoreSessionID(r.RestoreSession), Epoch: holdfast.Epoch(r.Epoch), Attempt: r.Attempt, Request: r.Request},
		State: holdfast.TaskState(r.State), Proxy: holdfast.ProxyID(r.Proxy), LeaseUntil: r.LeaseUntil.time(), NotBefore: r.NotBefore.time(), Position: r.Position, Cancel: r.Cancel,
		OwnCredential: r.OwnCredential, Result: r.Result, Retriable: r.Retriable, Ended: r.Ended.time()}
	if len(t.Request) == 0 {
		t.Request = nil
	}
	if err := json.Unmarshal([]byte(r.SpecContainer), &t.Container); err != nil {
		return t, fmt.Errorf("decode the container of task %s: %w", r.ID, err)
	}
	if r.SpecEntry != "" {
		t.Entry = new(holdfast.PointEntry)
		if err := json.Unmarshal([]byte(r.SpecEntry), t.Entry); err != nil {
			return t, fmt.Errorf("decode the entry of task %s: %w", r.ID, err)
		}
	}
	return t, nil
}

// Task gives one.
func (tx *Tx) Task(ctx context.Context, id holdfast.TaskID) (holdfast.TaskRecord, error) {
	r, err := one[taskRow](ctx, tx, fmt.Sprintf("task %s", id), "id = ?", string(id))
	if err != nil {
		return holdfast.TaskRecord{}, err
	}
	return r.noun()
}

// Tasks gives those that f lets through, in their order within their session.
func (tx *Tx) Tasks(ctx context.Context, f holdfast.TaskFilter, page holdfast.Page) ([]holdfast.TaskRecord, error) {
	var rows []taskRow
	q := tx.db.NewSelect().Model(&rows).OrderExpr("urgency, position, id")
	if f.JobSession != "" {
		q = q.Where("job_session = ?", string(f.JobSession))
	}
	if f.RestoreSession != "" {
		q = q.Where("restore_session = ?", string(f.RestoreSession))
	}
	if f.Repository != "" {
		q = q.Where("repository = ?", string(f.Repository))
	}
	if f.Organization != "" {
		q = q.Where("organization = ?", string(f.Organization))
	}
	if f.Container != "" {
		q = q.Where("container = ?", clean(f.Container))
	}
	if f.Containers != nil {
		if len(f.Containers) == 0 {
			return nil, nil
		}
		keys := make([]string, len(f.Containers))
		for i, key := range f.Containers {
			keys[i] = clean(key)
		}
		q = q.Where("container IN (?)", bun.In(keys))
	}
	if f.Kind != "" {
		q = q.Where("kind = ?", string(f.Kind))
	}
	if len(f.States) > 0 {
		q = q.Where("state IN (?)", bun.In(f.States))
	}
	if f.IDs != nil {
		if len(f.IDs) == 0 {
			return nil, nil
		}
		q = q.Where("id IN (?)", bun.In(f.IDs))
	}
	return scan(ctx, paged(q, page), &rows, taskRow.noun)
}

// TaskCounts gives how many tasks of a job session are in each state.
func (tx *Tx) TaskCounts(ctx context.Context, session holdfast.JobSessionID, kind holdfast.TaskKind) (map[holdfast.TaskState]int, error) {
	var rows []struct {
		State string
		N     int
	}
	if err := tx.db.NewSelect().Model((*taskRow)(nil)).ColumnExpr("state, COUNT(*) AS n").Where("job_session = ?", string(session)).Where("kind = ?", string(kind)).GroupExpr("state").Scan(ctx, &rows); err != nil {
		return nil, fmt.Errorf("count tasks: %w", err)
	}
	out := map[holdfast.TaskState]int{}
	for _, r := range rows {
		out[holdfast.TaskState(r.State)] = r.N
	}
	return out, nil
}

// Unfinished says whether a job session has tasks that wait or run.
func (tx *Tx) Unfinished(ctx context.Context, session holdfast.JobSessionID) (bool, error) {
	kinds := []holdfast.TaskKind{holdfast.TaskDiscover, holdfast.TaskBackup, holdfast.TaskFinish}
	ok, err := tx.db.NewSelect().Model((*taskRow)(nil)).Where("job_session = ?", string(session)).Where("kind IN (?)", bun.In(kinds)).Where("state IN ('ready', 'running')").Exists(ctx)
	if err != nil {
		return false, fmt.Errorf("look for unfinished tasks: %w", err)
	}
	return ok, nil
}

// PutTasks keeps tasks.
func (tx *Tx) PutTasks(ctx context.Context, tasks ...holdfast.TaskRecord) error {
	rows := make([]taskRow, len(tasks))
	for i, t := range tasks {
		container, err := json.Marshal(t.Container)
		if err != nil {
			return fmt.Errorf("encode the container of task %s: %w", t.ID, err)
		}
		entry := []byte{}
		if t.Entry != nil {
			if entry, err = json.Marshal(t.Entry); err != nil {
				return fmt.Errorf("encode the entry of task %s: %w", t.ID, err)
			}
		}
		key := ""
		if t.Container.Source != "" {
			key = t.Container.Key()
		}
		if t.Request == nil {
			t.Request = []byte{}
		}
		rows[i] = taskRow{ID: string(t.ID), Kind: string(t.Kind), Organization: string(t.Organization), Repository: string(t.Repository), Job: string(t.Job), JobSession: string(t.JobSession),
			RestoreSession: string(t.RestoreSession), Container: clean(key), SpecContainer: string(container), Epoch: int64(t.Epoch), Attempt: t.Attempt, Request: t.Request, State: string(t.State),
			Proxy: string(t.Proxy), LeaseUntil: at(t.LeaseUntil), NotBefore: at(t.NotBefore), Position: t.Position, Urgency: urgency[t.Kind], Cancel: t.Cancel, OwnCredential: t.OwnCredential,
			Result: clean(t.Result), Retriable: t.Retriable, SpecEntry: string(entry), Ended: at(t.Ended)}
	}
	for len(rows) > 0 {
		n := min(len(rows), 200)
		part := rows[:n]
		if err := put(ctx, tx, &part, "id"); err != nil {
			return err
		}
		rows = rows[n:]
	}
	return nil
}

// farLease is how far ahead a lease can be; one beyond it is of a clock that is no more, and counts as ended.
const farLease = time.Hour

// Claimable gives tasks that may be leased now; see service.Tx.
func (tx *Tx) Claimable(ctx context.Context, now, leaseNow time.Time, max int) ([]holdfast.TaskRecord, error) {
	const held = "(h.state = 'running' AND h.lease_until >= ? AND h.lease_until < ?)"
	from, until := at(leaseNow), at(leaseNow.Add(farLease))
	var all []holdfast.TaskRecord
	// One query for each state, so that an index gives the order and the limit ends the search.
	for _, state := range []struct {
		where string
		args  []any
	}{
		{"t.state = 'ready' AND t.not_before <= ?", []any{at(now)}},
		{"t.state = 'running' AND NOT t.cancel AND (t.lease_until < ? OR t.lease_until >= ?)", []any{from, until}},
	} {
		var rows []taskRow
		q := tx.db.NewSelect().Model(&rows).Where(state.where, state.args...).
			Where("t.kind <> 'backup' OR NOT EXISTS (SELECT 1 FROM tasks AS h WHERE h.kind = 'backup' AND h.repository = t.repository AND h.organization = t.organization AND h.container = t.container AND h.id <> t.id AND "+held+")", from, until).
			Where("t.kind <> 'retention' OR NOT EXISTS (SELECT 1 FROM tasks AS h WHERE h.kind = 'retention' AND h.repository = t.repository AND h.id <> t.id AND "+held+")", from, until).
			OrderExpr("t.urgency, t.position, t.attempt, t.id").Limit(int64(max) * 4)
		found, err := scan(ctx, q, &rows, taskRow.noun)
		if err != nil {
			return nil, err
		}
		all = append(all, found...)
	}
	slices.SortFunc(all, func(a, b holdfast.TaskRecord) int {
		return cmp.Or(cmp.Compare(urgency[a.Kind], urgency[b.Kind]), cmp.Compare(a.Position, b.Position), cmp.Compare(a.Attempt, b.Attempt), cmp.Compare(a.ID, b.ID))
	})
	// Two that wait for the same container take turns too.
	taken := map[string]bool{}
	out := all[:0]
	for _, t := range all {
		key := string(t.ID)
		switch t.Kind {
		case holdfast.TaskBackup:
			key = string(t.Repository) + "/" + string(t.Organization) + "/" + t.Container.Key()
		case holdfast.TaskRetention:
			key = string(t.Repository)
		}
		if !taken[key] && len(out) < max {
			taken[key] = true
			out = append(out, t)
		}
	}
	return out, nil
}

// NextClaimable is the earliest later time at which a ready task's NotBefore passes; zero when there is none.
func (tx *Tx) NextClaimable(ctx context.Context, now time.Time) (time.Time, error) {
	var next stamp
	if err := tx.db.NewSelect().Model((*taskRow)(nil)).ColumnExpr("COALESCE(MIN(not_before), 0)").Where("state = 'ready'").Where("not_before > ?", at(now)).Scan(ctx, &next); err != nil {
		return time.Time{}, fmt.Errorf("read the next task's time: %w", err)
	}
	return next.time(), nil
}

// DeleteTasks deletes those that f lets through; a filter that lets all through is refused.
func (tx *Tx) DeleteTasks(ctx context.Context, f holdfast.TaskFilter) error {
	q := tx.db.NewDelete().Model((*taskRow)(nil))
	if f.JobSession == "" && f.RestoreSession == "" && f.Repository == "" || f.Organization != "" || f.Container != "" {
		return fmt.Errorf("refused to delete tasks by that filter")
	}
	if f.JobSession != "" {
		q = q.Where("job_session = ?", string(f.JobSession))
	}
	if f.RestoreSession != "" {
		q = q.Where("restore_session = ?", string(f.RestoreSession))
	}
	if f.Repository != "" {
		q = q.Where("repository = ?", string(f.Repository))
	}
	if f.Kind != "" {
		q = q.Where("kind = ?", string(f.Kind))
	}
	if len(f.States) > 0 {
		q = q.Where("state IN (?)", bun.In(f.States))
	}
	if _, err := q.Exec(ctx); err != nil {
		return fmt.Errorf("delete tasks: %w", err)
	}
	return nil
}

// DeleteHistory forgets tasks whose session ended before tasks, and whole sessions with their logs, events and intents that ended before sessions.
// Restore points stay.
func (tx *Tx) DeleteHistory(ctx context.Context, tasks, sessions time.Time) error {
	for _, d := range []struct {
		del    func(context.Context, *Tx, string, ...any) error
		where  string
		before time.Time
	}{
		{del[taskRow], "job_session IN (SELECT id FROM job_sessions WHERE ended > 0 AND ended < ?)", tasks},
		{del[restoreItemRow], "request IN (SELECT e.request FROM restore_events AS e JOIN restore_sessions AS s ON s.id = e.session WHERE s.stopped AND s.ended < ?)", tasks},
		{del[taskRow], "restore_session IN (SELECT id FROM restore_sessions WHERE stopped AND ended < ?)", tasks},
		{del[logRow], "session IN (SELECT id FROM job_sessions WHERE ended > 0 AND ended < ?)", sessions},
		{del[jobSessionRow], "ended > 0 AND ended < ?", sessions},
		{del[restoreEventRow], "session IN (SELECT id FROM restore_sessions WHERE stopped AND ended < ?)", sessions},
		{del[restoreSessionRow], "stopped AND ended < ?", sessions},
	} {
		if err := d.del(ctx, tx, d.where, at(d.before)); err != nil {
			return err
		}
	}
	return nil
}
