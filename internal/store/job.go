package store

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/uptrace/bun"

	"holdfast/internal/holdfast"
)

type organizationRow struct {
	bun.BaseModel         `bun:"table:organizations,alias:t"`
	ID                    string `bun:",pk"`
	Name                  string
	OfficeName            string
	Description           string
	TenantID              string
	Region                string
	Exchange              bool
	SharePoint            bool `bun:"sharepoint"`
	Teams                 bool
	TeamsChats            bool
	Chats                 bool
	ApplicationID         string
	CertificateThumbprint string
	FirstBackup           stamp
	LastBackup            stamp
	Created               stamp
}

func (r organizationRow) noun() (holdfast.Organization, error) {
	return holdfast.Organization{ID: holdfast.OrganizationID(r.ID), Name: r.Name, OfficeName: r.OfficeName, Description: r.Description, TenantID: r.TenantID, Region: holdfast.Region(r.Region),
		Exchange: r.Exchange, SharePoint: r.SharePoint, Teams: r.Teams, TeamsChats: r.TeamsChats, Chats: r.Chats, ApplicationID: r.ApplicationID, CertificateThumbprint: r.CertificateThumbprint,
		FirstBackup: r.FirstBackup.time(), LastBackup: r.LastBackup.time(), Created: r.Created.time()}, nil
}

// Organizations gives organizations by name.
func (tx *Tx) Organizations(ctx context.Context, page holdfast.Page) ([]holdfast.Organization, error) {
	var rows []organizationRow
	return scan(ctx, paged(tx.ofOrganizations("id")(tx.db.NewSelect().Model(&rows).OrderExpr("lower(name), id")), page), &rows, organizationRow.noun)
}

// Organization gives one.
func (tx *Tx) Organization(ctx context.Context, id holdfast.OrganizationID) (holdfast.Organization, error) {
	r, err := oneOf[organizationRow](ctx, tx, tx.ofOrganizations("id"), fmt.Sprintf("organization %s", id), "id = ?", string(id))
	if err != nil {
		return holdfast.Organization{}, err
	}
	return r.noun()
}

// PutOrganization keeps one.
func (tx *Tx) PutOrganization(ctx context.Context, o holdfast.Organization) error {
	return put(ctx, tx, &organizationRow{ID: string(o.ID), Name: clean(o.Name), OfficeName: clean(o.OfficeName), Description: clean(o.Description), TenantID: clean(o.TenantID), Region: string(o.Region),
		Exchange: o.Exchange, SharePoint: o.SharePoint, Teams: o.Teams, TeamsChats: o.TeamsChats, Chats: o.Chats, ApplicationID: clean(o.ApplicationID), CertificateThumbprint: o.CertificateThumbprint,
		FirstBackup: at(o.FirstBackup), LastBackup: at(o.LastBackup), Created: at(o.Created)}, "id")
}

// DeleteOrganization forgets one; what the catalogue has of its backups stays.
func (tx *Tx) DeleteOrganization(ctx context.Context, id holdfast.OrganizationID) error {
	for _, d := range []func(context.Context, *Tx, string, ...any) error{del[directoryObjectRow], del[directoryMemberRow], del[directoryStateRow]} {
		if err := d(ctx, tx, "organization = ?", string(id)); err != nil {
			return err
		}
	}
	return del[organizationRow](ctx, tx, "id = ?", string(id))
}

type repositoryRow struct {
	bun.BaseModel `bun:"table:repositories,alias:t"`
	ID            string `bun:",pk"`
	Name          string
	Path          string
	NextRetention stamp
	Spec          string
}

func (r repositoryRow) noun() (holdfast.Repository, error) {
	var n holdfast.Repository
	if err := json.Unmarshal([]byte(r.Spec), &n); err != nil {
		return n, fmt.Errorf("decode repository %s: %w", r.ID, err)
	}
	n.ID, n.Name, n.Path, n.NextRetention = holdfast.RepositoryID(r.ID), r.Name, r.Path, r.NextRetention.time()
	return n, nil
}

// Repositories gives repositories by name.
func (tx *Tx) Repositories(ctx context.Context, page holdfast.Page) ([]holdfast.Repository, error) {
	var rows []repositoryRow
	return scan(ctx, paged(tx.db.NewSelect().Model(&rows).OrderExpr("lower(name), id"), page), &rows, repositoryRow.noun)
}

// Repository gives one.
func (tx *Tx) Repository(ctx context.Context, id holdfast.RepositoryID) (holdfast.Repository, error) {
	r, err := one[repositoryRow](ctx, tx, fmt.Sprintf("repository %s", id), "id = ?", string(id))
	if err != nil {
		return holdfast.Repository{}, err
	}
	return r.noun()
}

// PutRepository keeps one; capacity and free space are not its own.
func (tx *Tx) PutRepository(ctx context.Context, n holdfast.Repository) error {
	n.Capacity, n.Free = 0, 0
	spec, err := json.Marshal(n)
	if err != nil {
		return fmt.Errorf("encode repository %s: %w", n.ID, err)
	}
	return put(ctx, tx, &repositoryRow{ID: string(n.ID), Name: clean(n.Name), Path: clean(n.Path), NextRetention: at(n.NextRetention), Spec: string(spec)}, "id")
}

// DeleteRepository deletes the repository and everything that the catalogue has of it.
func (tx *Tx) DeleteRepository(ctx context.Context, id holdfast.RepositoryID) error {
	if _, err := tx.db.NewDelete().Model((*entryRow)(nil)).Where("restore_point IN (SELECT id FROM restore_points WHERE repository = ?)", string(id)).Exec(ctx); err != nil {
		return fmt.Errorf("delete entries: %w", err)
	}
	for _, d := range []func(context.Context, *Tx, string, ...any) error{del[pointRow], del[headRow], del[checkpointRow], del[containerRow], del[taskRow]} {
		if err := d(ctx, tx, "repository = ?", string(id)); err != nil {
			return err
		}
	}
	return del[repositoryRow](ctx, tx, "id = ?", string(id))
}

type jobRow struct {
	bun.BaseModel `bun:"table:jobs,alias:t"`
	ID            string `bun:",pk"`
	Organization  string
	Repository    string
	Name          string
	Description   string
	Scope         string
	SpecSelected  string
	SpecExcluded  string
	SpecSchedule  string
	Chats         bool
	PersonalSites bool
	Enabled       bool
	LastRun       stamp
	LastBackup    stamp
	LastStatus    string
	NextRun       stamp
	RetryAt       stamp
	RetryOf       string
	Created       stamp
}

func (r jobRow) noun() (holdfast.Job, error) {
	j := holdfast.Job{ID: holdfast.JobID(r.ID), Organization: holdfast.OrganizationID(r.Organization), Repository: holdfast.RepositoryID(r.Repository), Name: r.Name, Description: r.Description,
		Scope: holdfast.JobScope(r.Scope), Chats: r.Chats, PersonalSites: r.PersonalSites, Enabled: r.Enabled, LastRun: r.LastRun.time(), LastBackup: r.LastBackup.time(), LastStatus: holdfast.SessionStatus(r.LastStatus),
		NextRun: r.NextRun.time(), RetryAt: r.RetryAt.time(), RetryOf: holdfast.JobSessionID(r.RetryOf), Created: r.Created.time()}
	for _, f := range []struct {
		text string
		to   any
	}{{r.SpecSelected, &j.Selected}, {r.SpecExcluded, &j.Excluded}, {r.SpecSchedule, &j.Schedule}} {
		if err := json.Unmarshal([]byte(f.text), f.to); err != nil {
			return j, fmt.Errorf("decode backup job %s: %w", r.ID, err)
		}
	}
	return j, nil
}

// Jobs gives jobs by name.
func (tx *Tx) Jobs(ctx context.Context, f holdfast.JobFilter, page holdfast.Page) ([]holdfast.Job, error) {
	var rows []jobRow
	q := tx.ofWholeOrganizations("organization")(tx.db.NewSelect().Model(&rows).OrderExpr("lower(name), id"))
	if f.Organization != "" {
		q = q.Where("organization = ?", clean(string(f.Organization)))
	}
	if f.Repository != "" {
		q = q.Where("repository = ?", clean(string(f.Repository)))
	}
	return scan(ctx, paged(q, page), &rows, jobRow.noun)
}

// Job gives one.
func (tx *Tx) Job(ctx context.Context, id holdfast.JobID) (holdfast.Job, error) {
	r, err := oneOf[jobRow](ctx, tx, tx.ofWholeOrganizations("organization"), fmt.Sprintf("backup job %s", id), "id = ?", string(id))
	if err != nil {
		return holdfast.Job{}, err
	}
	return r.noun()
}

// JobsDue gives enabled jobs whose next run or retry is not after now, the longest due first.
func (tx *Tx) JobsDue(ctx context.Context, now time.Time) ([]holdfast.Job, error) {
	var rows []jobRow
	q := tx.db.NewSelect().Model(&rows).Where("enabled").Where("(next_run > 0 AND next_run <= ?) OR (retry_at > 0 AND retry_at <= ?)", at(now), at(now)).OrderExpr("next_run, id")
	return scan(ctx, q, &rows, jobRow.noun)
}

// PutJob keeps one.
func (tx *Tx) PutJob(ctx context.Context, j holdfast.Job) error {
	r := jobRow{ID: string(j.ID), Organization: string(j.Organization), Repository: string(j.Repository), Name: clean(j.Name), Description: clean(j.Description), Scope: string(j.Scope), Chats: j.Chats, PersonalSites: j.PersonalSites,
		Enabled: j.Enabled, LastRun: at(j.LastRun), LastBackup: at(j.LastBackup), LastStatus: string(j.LastStatus), NextRun: at(j.NextRun), RetryAt: at(j.RetryAt), RetryOf: string(j.RetryOf), Created: at(j.Created)}
	for _, f := range []struct {
		from any
		to   *string
	}{{j.Selected, &r.SpecSelected}, {j.Excluded, &r.SpecExcluded}, {j.Schedule, &r.SpecSchedule}} {
		text, err := json.Marshal(f.from)
		if err != nil {
			return fmt.Errorf("encode backup job %s: %w", j.ID, err)
		}
		*f.to = string(text)
	}
	return put(ctx, tx, &r, "id")
}

// DeleteJob deletes the job with its sessions, their logs and tasks; its restore points stay.
func (tx *Tx) DeleteJob(ctx context.Context, id holdfast.JobID) error {
	if err := del[logRow](ctx, tx, "session IN (SELECT id FROM job_sessions WHERE job = ?)", string(id)); err != nil {
		return err
	}
	if err := del[taskRow](ctx, tx, "job_session IN (SELECT id FROM job_sessions WHERE job = ?)", string(id)); err != nil {
		return err
	}
	if err := del[jobSessionRow](ctx, tx, "job = ?", string(id)); err != nil {
		return err
	}
	return del[jobRow](ctx, tx, "id = ?", string(id))
}

type jobSessionRow struct {
	bun.BaseModel `bun:"table:job_sessions,alias:t"`
	ID            string `bun:",pk"`
	Main          string
	Job           string
	JobName       string
	Organization  string
	Repository    string
	Whole         bool
	Anew          bool
	Status        string
	Details       string
	Created       stamp
	Ended         stamp
	Progress      int
	Retry         int
	WillRetry     bool
	RestorePoint  string
	StopBy        stamp
	SpecNotes     string
	Objects       int64
	ObjectsTotal  int64
	Items         int64
	Skipped       int64
	ReadBytes     int64
	WrittenBytes  int64
	Requests      int64
	ResourceUnits int64
	Throttled     int64
	Bottleneck    string
}

func (r jobSessionRow) noun() (holdfast.JobSession, error) {
	var notes []string
	if err := json.Unmarshal([]byte(r.SpecNotes), &notes); err != nil {
		return holdfast.JobSession{}, fmt.Errorf("decode the notes of job session %s: %w", r.ID, err)
	}
	return holdfast.JobSession{Notes: notes, ID: holdfast.JobSessionID(r.ID), Main: holdfast.JobSessionID(r.Main), Job: holdfast.JobID(r.Job), JobName: r.JobName, Organization: holdfast.OrganizationID(r.Organization),
		Repository: holdfast.RepositoryID(r.Repository), Full: r.Whole, Anew: r.Anew, Status: holdfast.SessionStatus(r.Status), Details: r.Details, Created: r.Created.time(), Ended: r.Ended.time(),
		Progress: r.Progress, Retry: r.Retry, WillRetry: r.WillRetry, RestorePoint: holdfast.RestorePointID(r.RestorePoint), StopBy: r.StopBy.time(),
		Statistics: holdfast.Statistics{Objects: r.Objects, ObjectsTotal: r.ObjectsTotal, Items: r.Items, Skipped: r.Skipped, ReadBytes: r.ReadBytes, WrittenBytes: r.WrittenBytes,
			Requests: r.Requests, ResourceUnits: r.ResourceUnits, Throttled: time.Duration(r.Throttled), Bottleneck: r.Bottleneck}}, nil
}

// JobSessions gives the newest first.
func (tx *Tx) JobSessions(ctx context.Context, f holdfast.SessionFilter, page holdfast.Page) ([]holdfast.JobSession, error) {
	var rows []jobSessionRow
	q := tx.ofWholeOrganizations("organization")(tx.db.NewSelect().Model(&rows).OrderExpr("created DESC, id"))
	if f.Job != "" {
		q = q.Where("job = ?", clean(string(f.Job)))
	}
	if len(f.Statuses) > 0 {
		q = q.Where("status IN (?)", bun.In(f.Statuses))
	}
	if f.Active {
		q = q.Where("ended = 0")
	}
	if !f.EndFrom.IsZero() {
		q = q.Where("ended >= ?", at(f.EndFrom))
	}
	if !f.EndUntil.IsZero() {
		q = q.Where("ended > 0 AND ended <= ?", at(f.EndUntil))
	}
	return scan(ctx, paged(q, page), &rows, jobSessionRow.noun)
}

// JobSession gives one.
func (tx *Tx) JobSession(ctx context.Context, id holdfast.JobSessionID) (holdfast.JobSession, error) {
	r, err := oneOf[jobSessionRow](ctx, tx, tx.ofWholeOrganizations("organization"), fmt.Sprintf("job session %s", id), "id = ?", string(id))
	if err != nil {
		return holdfast.JobSession{}, err
	}
	return r.noun()
}

// PutJobSession keeps one. A second one of a job that has not ended is an error of the database.
func (tx *Tx) PutJobSession(ctx context.Context, s holdfast.JobSession) error {
	t := s.Statistics
	notes, err := json.Marshal(s.Notes)
	if err != nil {
		return fmt.Errorf("encode the notes of job session %s: %w", s.ID, err)
	}
	return put(ctx, tx, &jobSessionRow{ID: string(s.ID), Main: string(s.Main), Job: string(s.Job), JobName: clean(s.JobName), Organization: string(s.Organization), Repository: string(s.Repository),
		Whole: s.Full, Anew: s.Anew, Status: string(s.Status), Details: clean(s.Details), Created: at(s.Created), Ended: at(s.Ended), Progress: s.Progress, Retry: s.Retry, WillRetry: s.WillRetry,
		SpecNotes: string(notes), RestorePoint: string(s.RestorePoint), StopBy: at(s.StopBy), Objects: t.Objects, ObjectsTotal: t.ObjectsTotal, Items: t.Items, Skipped: t.Skipped, ReadBytes: t.ReadBytes,
		WrittenBytes: t.WrittenBytes, Requests: t.Requests, ResourceUnits: t.ResourceUnits, Throttled: int64(t.Throttled), Bottleneck: t.Bottleneck}, "id")
}

type logRow struct {
	bun.BaseModel `bun:"table:log_lines,alias:t"`
	Session       string `bun:",pk"`
	Number        int64  `bun:",pk"`
	Type          string
	Title         string
	Created       stamp
	Ended         stamp
}

func (r logRow) noun() (holdfast.LogLine, error) {
	return holdfast.LogLine{ID: holdfast.DerivedID(r.Session, fmt.Sprintf("log/%d", r.Number)), Number: r.Number, Session: r.Session, Type: r.Type, Title: r.Title, Created: r.Created.time(), Ended: r.Ended.time()}, nil
}

// AddLog appends lines, numbering them.
func (tx *Tx) AddLog(ctx context.Context, session string, lines ...holdfast.LogLine) error {
	if len(lines) == 0 {
		return nil
	}
	var last int64
	if err := tx.db.NewSelect().Model((*logRow)(nil)).ColumnExpr("COALESCE(MAX(number), 0)").Where("session = ?", session).Scan(ctx, &last); err != nil {
		return fmt.Errorf("read the log's end: %w", err)
	}
	rows := make([]logRow, len(lines))
	for i, l := range lines {
		last++
		rows[i] = logRow{Session: session, Number: last, Type: l.Type, Title: clean(l.Title), Created: at(l.Created), Ended: at(l.Ended)}
	}
	return put(ctx, tx, &rows, "session, number")
}

// Log gives a session's lines.
func (tx *Tx) Log(ctx context.Context, session string, types []string, oldestFirst bool, page holdfast.Page) ([]holdfast.LogLine, error) {
	var rows []logRow
	q := tx.db.NewSelect().Model(&rows).Where("session = ?", clean(session))
	if len(types) > 0 {
		q = q.Where("type IN (?)", bun.In(types))
	}
	if oldestFirst {
		q = q.OrderExpr("number")
	} else {
		q = q.OrderExpr("number DESC")
	}
	return scan(ctx, paged(q, page), &rows, logRow.noun)
}
