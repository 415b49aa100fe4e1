package rest_test

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"holdfast/internal/holdfast"
	"holdfast/internal/service"
)

// openStore gives an empty store in memory: maps that a failed write puts back. The real store has its own tests.
func openStore(*testing.T) service.Store { return &memStore{rows: newRows()} }

type memStore struct {
	mu   sync.Mutex // guards rows
	rows *memRows
}

func (s *memStore) Read(ctx context.Context, fn func(context.Context, service.Tx) error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return fn(ctx, s.rows)
}

func (s *memStore) Write(ctx context.Context, fn func(context.Context, service.Tx) error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	next := s.rows.clone()
	if err := fn(ctx, next); err != nil {
		return err
	}
	s.rows = next
	return nil
}

func (s *memStore) Now(context.Context) (time.Time, error) {
	return time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), nil
}

// table is rows by key, which come in the order of their first insertion.
type table[T any] struct {
	rows  map[string]T
	order []string
}

func (t *table[T]) put(key string, row T) {
	if t.rows == nil {
		t.rows = map[string]T{}
	}
	if _, ok := t.rows[key]; !ok {
		t.order = append(t.order, key)
	}
	t.rows[key] = row
}

func (t *table[T]) get(key string) (T, error) {
	row, ok := t.rows[key]
	if !ok {
		return row, holdfast.NotFound("there is nothing with the key %q", key)
	}
	return row, nil
}

func (t *table[T]) drop(is func(T) bool) {
	for _, k := range slices.Clone(t.order) {
		if is(t.rows[k]) {
			delete(t.rows, k)
			t.order = slices.DeleteFunc(t.order, func(o string) bool { return o == k })
		}
	}
}

func (t *table[T]) all(is func(T) bool) []T {
	var out []T
	for _, k := range t.order {
		if is == nil || is(t.rows[k]) {
			out = append(out, t.rows[k])
		}
	}
	return out
}

func (t table[T]) clone() table[T] { return table[T]{maps.Clone(t.rows), slices.Clone(t.order)} }

func paged[T any](all []T, page holdfast.Page) ([]T, error) {
	all = all[min(page.Offset, len(all)):]
	if page.Limit > 0 {
		all = all[:min(page.Limit, len(all))]
	}
	return all, nil
}

type memRows struct {
	settings      table[string]
	epoch         holdfast.Epoch
	secrets       table[holdfast.SealedSecret]
	proxies       table[holdfast.Proxy]
	accounts      table[holdfast.Account]
	tokens        table[holdfast.Token]
	audit         table[holdfast.AuditEntry]
	organizations table[holdfast.Organization]
	repositories  table[holdfast.Repository]
	jobs          table[holdfast.Job]
	sessions      table[holdfast.JobSession]
	log           table[holdfast.LogLine]
	tasks         table[holdfast.TaskRecord]
	containers    table[holdfast.ContainerRecord]
	heads         table[holdfast.HeadRecord]
	checkpoints   table[holdfast.HeadRecord]
	points        table[holdfast.RestorePoint]
	restores      table[holdfast.RestoreSession]
	events        table[holdfast.RestoreEvent]
	restoredItems table[holdfast.RestoreItem]
}

func newRows() *memRows { return &memRows{} }

func (r *memRows) clone() *memRows {
	return &memRows{r.settings.clone(), r.epoch, r.secrets.clone(), r.proxies.clone(), r.accounts.clone(), r.tokens.clone(), r.audit.clone(), r.organizations.clone(), r.repositories.clone(),
		r.jobs.clone(), r.sessions.clone(), r.log.clone(), r.tasks.clone(), r.containers.clone(), r.heads.clone(), r.checkpoints.clone(), r.points.clone(), r.restores.clone(), r.events.clone(), r.restoredItems.clone()}
}

func (r *memRows) Setting(_ context.Context, name string) (string, bool, error) {
	v, err := r.settings.get(name)
	return v, err == nil, nil
}
func (r *memRows) PutSetting(_ context.Context, name, value string) error {
	r.settings.put(name, value)
	return nil
}
func (r *memRows) NextEpoch(context.Context) (holdfast.Epoch, error) {
	r.epoch++
	return r.epoch, nil
}
func (r *memRows) RaiseEpoch(_ context.Context, e holdfast.Epoch) error {
	r.epoch = max(r.epoch, e)
	return nil
}
func (r *memRows) Secret(_ context.Context, id string) (holdfast.SealedSecret, error) {
	return r.secrets.get(id)
}
func (r *memRows) PutSecret(_ context.Context, s holdfast.SealedSecret) error {
	r.secrets.put(s.ID, s)
	return nil
}
func (r *memRows) DeleteSecret(_ context.Context, id string) error {
	r.secrets.drop(func(s holdfast.SealedSecret) bool { return s.ID == id })
	return nil
}
func (r *memRows) Proxies(_ context.Context, page holdfast.Page) ([]holdfast.Proxy, error) {
	return paged(r.proxies.all(nil), page)
}
func (r *memRows) Proxy(_ context.Context, id holdfast.ProxyID) (holdfast.Proxy, error) {
	return r.proxies.get(string(id))
}
func (r *memRows) PutProxy(_ context.Context, p holdfast.Proxy) error {
	r.proxies.put(string(p.ID), p)
	return nil
}

func (r *memRows) Account(_ context.Context, id holdfast.UserID) (holdfast.Account, error) {
	return r.accounts.get(string(id))
}
func (r *memRows) AccountByName(_ context.Context, name string) (holdfast.Account, error) {
	for _, a := range r.accounts.all(nil) {
		if strings.EqualFold(a.Name, name) {
			return a, nil
		}
	}
	return holdfast.Account{}, holdfast.NotFound("no account")
}
func (r *memRows) PutAccount(_ context.Context, a holdfast.Account) error {
	r.accounts.put(string(a.ID), a)
	return nil
}
func (r *memRows) Token(_ context.Context, hash string) (holdfast.Token, error) {
	return r.tokens.get(hash)
}
func (r *memRows) PutToken(_ context.Context, t holdfast.Token) error {
	r.tokens.put(t.Hash, t)
	return nil
}
func (r *memRows) DeleteTokens(_ context.Context, family string) error {
	r.tokens.drop(func(t holdfast.Token) bool { return t.Family == family })
	return nil
}
func (r *memRows) DeleteTokensOf(_ context.Context, account holdfast.UserID) error {
	r.tokens.drop(func(t holdfast.Token) bool { return t.Account == account })
	return nil
}
func (r *memRows) DeleteTokensExpired(_ context.Context, before time.Time) error {
	r.tokens.drop(func(t holdfast.Token) bool { return t.Expires.Before(before) })
	return nil
}

func (r *memRows) AuditHead(context.Context) (holdfast.AuditEntry, bool, error) {
	all := r.audit.all(nil)
	if len(all) == 0 {
		return holdfast.AuditEntry{}, false, nil
	}
	return all[len(all)-1], true, nil
}
func (r *memRows) AppendAudit(_ context.Context, e holdfast.AuditEntry) error {
	r.audit.put(strconv.FormatInt(e.Number, 10), e)
	return nil
}
func (r *memRows) Audit(_ context.Context, from int64, limit int) ([]holdfast.AuditEntry, error) {
	return paged(r.audit.all(func(e holdfast.AuditEntry) bool { return e.Number >= from }), holdfast.Page{Limit: limit})
}

func (r *memRows) Organizations(_ context.Context, page holdfast.Page) ([]holdfast.Organization, error) {
	return paged(r.organizations.all(nil), page)
}
func (r *memRows) Organization(_ context.Context, id holdfast.OrganizationID) (holdfast.Organization, error) {
	return r.organizations.get(string(id))
}
func (r *memRows) PutOrganization(_ context.Context, o holdfast.Organization) error {
	r.organizations.put(string(o.ID), o)
	return nil
}
func (r *memRows) DeleteOrganization(_ context.Context, id holdfast.OrganizationID) error {
	r.organizations.drop(func(o holdfast.Organization) bool { return o.ID == id })
	return nil
}

func (r *memRows) Repositories(_ context.Context, page holdfast.Page) ([]holdfast.Repository, error) {
	return paged(r.repositories.all(nil), page)
}
func (r *memRows) Repository(_ context.Context, id holdfast.RepositoryID) (holdfast.Repository, error) {
	return r.repositories.get(string(id))
}
func (r *memRows) PutRepository(_ context.Context, repo holdfast.Repository) error {
	r.repositories.put(string(repo.ID), repo)
	return nil
}
func (r *memRows) DeleteRepository(_ context.Context, id holdfast.RepositoryID) error {
	r.repositories.drop(func(repo holdfast.Repository) bool { return repo.ID == id })
	r.containers.drop(func(c holdfast.ContainerRecord) bool { return c.Repository == id })
	r.heads.drop(func(h holdfast.HeadRecord) bool { return h.Repository == id })
	r.points.drop(func(p holdfast.RestorePoint) bool { return p.Repository == id })
	return nil
}

func (r *memRows) Jobs(_ context.Context, f holdfast.JobFilter, page holdfast.Page) ([]holdfast.Job, error) {
	return paged(r.jobs.all(func(j holdfast.Job) bool {
		return (f.Organization == "" || j.Organization == f.Organization) && (f.Repository == "" || j.Repository == f.Repository)
	}), page)
}
func (r *memRows) Job(_ context.Context, id holdfast.JobID) (holdfast.Job, error) {
	return r.jobs.get(string(id))
}
func (r *memRows) JobsDue(_ context.Context, now time.Time) ([]holdfast.Job, error) {
	return r.jobs.all(func(j holdfast.Job) bool { return j.Enabled && !j.NextRun.IsZero() && !j.NextRun.After(now) }), nil
}
func (r *memRows) PutJob(_ context.Context, j holdfast.Job) error {
	r.jobs.put(string(j.ID), j)
	return nil
}
func (r *memRows) DeleteJob(_ context.Context, id holdfast.JobID) error {
	r.jobs.drop(func(j holdfast.Job) bool { return j.ID == id })
	r.sessions.drop(func(s holdfast.JobSession) bool { return s.Job == id })
	return nil
}

func (r *memRows) JobSessions(_ context.Context, f holdfast.SessionFilter, page holdfast.Page) ([]holdfast.JobSession, error) {
	out := r.sessions.all(func(s holdfast.JobSession) bool {
		return (f.Job == "" || s.Job == f.Job) && (len(f.Statuses) == 0 || slices.Contains(f.Statuses, s.Status)) && (!f.Active || s.Ended.IsZero()) &&
			(f.EndFrom.IsZero() || !s.Ended.Before(f.EndFrom)) && (f.EndUntil.IsZero() || !s.Ended.IsZero() && !s.Ended.After(f.EndUntil))
	})
	slices.SortStableFunc(out, func(a, b holdfast.JobSession) int { return b.Created.Compare(a.Created) })
	return paged(out, page)
}
func (r *memRows) JobSession(_ context.Context, id holdfast.JobSessionID) (holdfast.JobSession, error) {
	return r.sessions.get(string(id))
}
func (r *memRows) PutJobSession(_ context.Context, s holdfast.JobSession) error {
	r.sessions.put(string(s.ID), s)
	return nil
}
func (r *memRows) AddLog(_ context.Context, session string, lines ...holdfast.LogLine) error {
	for _, l := range lines {
		l.Session, l.Number = session, int64(len(r.log.all(func(o holdfast.LogLine) bool { return o.Session == session })))+1
		if l.ID == "" {
			l.ID = holdfast.DerivedID(session, strconv.FormatInt(l.Number, 10))
		}
		r.log.put(l.ID, l)
	}
	return nil
}
func (r *memRows) Log(_ context.Context, session string, types []string, oldestFirst bool, page holdfast.Page) ([]holdfast.LogLine, error) {
	out := r.log.all(func(l holdfast.LogLine) bool {
		return l.Session == session && (len(types) == 0 || slices.Contains(types, l.Type))
	})
	if !oldestFirst {
		slices.Reverse(out)
	}
	return paged(out, page)
}

func (r *memRows) Task(_ context.Context, id holdfast.TaskID) (holdfast.TaskRecord, error) {
	return r.tasks.get(string(id))
}
func taskIs(f holdfast.TaskFilter) func(holdfast.TaskRecord) bool {
	return func(t holdfast.TaskRecord) bool {
		return (f.JobSession == "" || t.JobSession == f.JobSession) && (f.RestoreSession == "" || t.RestoreSession == f.RestoreSession) && (f.Repository == "" || t.Repository == f.Repository) &&
			(f.Kind == "" || t.Kind == f.Kind) && (len(f.States) == 0 || slices.Contains(f.States, t.State))
	}
}
func (r *memRows) Tasks(_ context.Context, f holdfast.TaskFilter, page holdfast.Page) ([]holdfast.TaskRecord, error) {
	return paged(r.tasks.all(taskIs(f)), page)
}
func (r *memRows) TaskCounts(_ context.Context, session holdfast.JobSessionID, kind holdfast.TaskKind) (map[holdfast.TaskState]int, error) {
	n := map[holdfast.TaskState]int{}
	for _, t := range r.tasks.all(taskIs(holdfast.TaskFilter{JobSession: session, Kind: kind})) {
		n[t.State]++
	}
	return n, nil
}
func (r *memRows) PutTasks(_ context.Context, tasks ...holdfast.TaskRecord) error {
	for _, t := range tasks {
		r.tasks.put(string(t.ID), t)
	}
	return nil
}
func (r *memRows) Claimable(_ context.Context, now, _ time.Time, max int) ([]holdfast.TaskRecord, error) {
	out := r.tasks.all(func(t holdfast.TaskRecord) bool { return t.State == holdfast.TaskReady && !t.NotBefore.After(now) })
	return out[:min(max, len(out))], nil
}
func (r *memRows) NextClaimable(context.Context, time.Time) (time.Time, error) {
	return time.Time{}, errors.New("nothing is ready, and this test does not wait")
}
func (r *memRows) DeleteTasks(_ context.Context, f holdfast.TaskFilter) error {
	r.tasks.drop(taskIs(f))
	return nil
}

func headKey(repo holdfast.RepositoryID, org holdfast.OrganizationID, key string) string {
	return string(repo) + " " + string(org) + " " + key
}
func (r *memRows) Containers(_ context.Context, f holdfast.ContainerFilter, page holdfast.Page) ([]holdfast.ContainerRecord, error) {
	return paged(r.containers.all(func(c holdfast.ContainerRecord) bool {
		return (f.Organization == "" || c.Organization == f.Organization) && (f.Repository == "" || c.Repository == f.Repository) && (f.Kind == "" || c.Kind == f.Kind) && (f.Owner == "" || c.Owner == f.Owner)
	}), page)
}
func (r *memRows) Container(_ context.Context, repo holdfast.RepositoryID, org holdfast.OrganizationID, key string) (holdfast.ContainerRecord, error) {
	return r.containers.get(headKey(repo, org, key))
}
func (r *memRows) PutContainer(_ context.Context, c holdfast.ContainerRecord) error {
	r.containers.put(headKey(c.Repository, c.Organization, c.Key()), c)
	return nil
}
func (r *memRows) Head(_ context.Context, repo holdfast.RepositoryID, org holdfast.OrganizationID, key string, number uint64) (holdfast.HeadRecord, error) {
	return r.heads.get(headKey(repo, org, key) + " " + strconv.FormatUint(number, 10))
}
func (r *memRows) CurrentHeads(_ context.Context, repo holdfast.RepositoryID, org holdfast.OrganizationID) ([]holdfast.HeadRecord, error) {
	return r.heads.all(func(h holdfast.HeadRecord) bool { return h.Repository == repo && (org == "" || h.Organization == org) }), nil
}
func (r *memRows) PutHead(_ context.Context, h holdfast.HeadRecord) error {
	r.heads.put(headKey(h.Repository, h.Organization, h.Container.Key())+" "+strconv.FormatUint(h.Number, 10), h)
	return nil
}
func (r *memRows) Checkpoint(_ context.Context, repo holdfast.RepositoryID, org holdfast.OrganizationID, key string) (holdfast.HeadRecord, error) {
	return r.checkpoints.get(headKey(repo, org, key))
}
func (r *memRows) PutCheckpoint(_ context.Context, h holdfast.HeadRecord) error {
	r.checkpoints.put(headKey(h.Repository, h.Organization, h.Container.Key()), h)
	return nil
}
func (r *memRows) DeleteCheckpoint(_ context.Context, repo holdfast.RepositoryID, org holdfast.OrganizationID, key string) error {
	r.checkpoints.drop(func(h holdfast.HeadRecord) bool {
		return headKey(h.Repository, h.Organization, h.Container.Key()) == headKey(repo, org, key)
	})
	return nil
}

func (r *memRows) RestorePoints(_ context.Context, f holdfast.PointFilter, page holdfast.Page) ([]holdfast.RestorePoint, error) {
	out := r.points.all(func(p holdfast.RestorePoint) bool {
		return (f.Organization == "" || p.Organization == f.Organization) && (f.Repository == "" || p.Repository == f.Repository) && (f.Job == "" || p.Job == f.Job) &&
			(f.From.IsZero() || !p.Time.Before(f.From)) && (f.Until.IsZero() || !p.Time.After(f.Until)) &&
			(f.Owner == "" && f.Kind == "" || slices.ContainsFunc(p.Entries, func(e holdfast.PointEntry) bool {
				return (f.Owner == "" || e.Container.Owner == f.Owner) && (f.Kind == "" || e.Container.Kind == f.Kind)
			}))
	})
	slices.SortStableFunc(out, func(a, b holdfast.RestorePoint) int {
		if f.OldestFirst {
			return a.Time.Compare(b.Time)
		}
		return b.Time.Compare(a.Time)
	})
	for i := range out {
		out[i].Entries = nil
	}
	return paged(out, page)
}
func (r *memRows) NewestPoints(ctx context.Context, f holdfast.PointFilter) ([]holdfast.RestorePoint, error) {
	all, err := r.RestorePoints(ctx, f, holdfast.Page{})
	seen := map[string]bool{}
	return slices.DeleteFunc(all, func(p holdfast.RestorePoint) bool {
		key := headKey(p.Repository, p.Organization, string(p.Job))
		old := seen[key]
		seen[key] = true
		return old
	}), err
}
func (r *memRows) RestorePoint(_ context.Context, id holdfast.RestorePointID) (holdfast.RestorePoint, error) {
	return r.points.get(string(id))
}
func (r *memRows) PointKnown(_ context.Context, id holdfast.RestorePointID) (bool, error) {
	_, err := r.points.get(string(id))
	return err == nil, nil
}
func (r *memRows) PutRestorePoint(_ context.Context, p holdfast.RestorePoint) error {
	r.points.put(string(p.ID), p)
	return nil
}
func (r *memRows) EntryCounts(_ context.Context, id holdfast.RestorePointID) (map[holdfast.ContainerKind]int, error) {
	p, err := r.points.get(string(id))
	n := map[holdfast.ContainerKind]int{}
	for _, e := range p.Entries {
		if e.Head > 0 {
			n[e.Container.Kind]++
		}
	}
	return n, err
}
func (r *memRows) DeletePoint(_ context.Context, id holdfast.RestorePointID) error {
	r.points.drop(func(p holdfast.RestorePoint) bool { return p.ID == id })
	return nil
}

func (r *memRows) RestoreSessions(_ context.Context, f holdfast.RestoreSessionFilter, page holdfast.Page) ([]holdfast.RestoreSession, error) {
	out := r.restores.all(func(s holdfast.RestoreSession) bool {
		return (f.Organization == "" || s.Organization == f.Organization) && (!f.Active || !s.Stopped)
	})
	slices.SortStableFunc(out, func(a, b holdfast.RestoreSession) int {
		return cmp.Or(b.Created.Compare(a.Created), cmp.Compare(a.ID, b.ID))
	})
	return paged(out, page)
}
func (r *memRows) RestoreSession(_ context.Context, id holdfast.RestoreSessionID) (holdfast.RestoreSession, error) {
	return r.restores.get(string(id))
}
func (r *memRows) PutRestoreSession(_ context.Context, s holdfast.RestoreSession) error {
	r.restores.put(string(s.ID), s)
	return nil
}
func (r *memRows) RestoreEvents(_ context.Context, session holdfast.RestoreSessionID, page holdfast.Page) ([]holdfast.RestoreEvent, error) {
	return paged(r.events.all(func(e holdfast.RestoreEvent) bool { return e.Session == session }), page)
}
func (r *memRows) RestoreEvent(_ context.Context, session holdfast.RestoreSessionID, id string) (holdfast.RestoreEvent, error) {
	return r.events.get(string(session) + " " + id)
}
func (r *memRows) PutRestoreEvent(ctx context.Context, e holdfast.RestoreEvent) error {
	key := string(e.Session) + " " + e.ID
	if old, err := r.events.get(key); err == nil {
		e.Number = old.Number
	} else {
		e.Number = len(r.events.all(func(o holdfast.RestoreEvent) bool { return o.Session == e.Session })) + 1
	}
	r.events.put(key, e)
	return nil
}
func (r *memRows) RestoreEventCounts(_ context.Context, session holdfast.RestoreSessionID, request string) (map[string]int, error) {
	n := map[string]int{}
	for _, e := range r.events.all(func(e holdfast.RestoreEvent) bool {
		return e.Session == session && e.Request == request && e.Item != ""
	}) {
		n[e.Status]++
	}
	return n, nil
}
func (r *memRows) RestoreItem(_ context.Context, request, item, version string) (holdfast.RestoreItem, bool, error) {
	i, err := r.restoredItems.get(request + " " + item + " " + version)
	return i, err == nil, nil
}
func (r *memRows) PutRestoreItem(_ context.Context, i holdfast.RestoreItem) error {
	r.restoredItems.put(i.Request+" "+i.Item+" "+i.Version, i)
	return nil
}
func (r *memRows) DeleteUnusedHeads(context.Context, holdfast.RepositoryID) error { return nil }
func (r *memRows) EndRestoreItem(_ context.Context, request string, result holdfast.ItemResult) error {
	for _, i := range r.restoredItems.all(func(i holdfast.RestoreItem) bool { return i.Request == request && i.Item == result.Item }) {
		i.Result = &result
		r.restoredItems.put(i.Request+" "+i.Item+" "+i.Version, i)
	}
	return nil
}
