package store

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/uptrace/bun"

	"holdfast/internal/holdfast"
)

type containerRow struct {
	bun.BaseModel `bun:"table:containers,alias:t"`
	Repository    string `bun:",pk"`
	Organization  string `bun:",pk"`
	Container     string `bun:",pk"` // key
	Kind          string
	Source        string
	Name          string
	NameKey       string
	Address       string
	Owner         string // see ownerKey
	Owners        string // what stands for a set of them
	Head          int64
	HeadTime      stamp
	Checkpoint    int64
	Items         int64
	Bytes         int64
	First         stamp
	State         string
}

func (r containerRow) noun() (holdfast.ContainerRecord, error) {
	if r.Owners != "" {
		r.Owner = r.Owners
	}
	return holdfast.ContainerRecord{Container: holdfast.Container{Organization: holdfast.OrganizationID(r.Organization), Kind: holdfast.ContainerKind(r.Kind), Source: r.Source, Name: r.Name, Address: r.Address, Owner: r.Owner},
		Repository: holdfast.RepositoryID(r.Repository), Head: uint64(r.Head), HeadTime: r.HeadTime.time(), Checkpoint: uint64(r.Checkpoint), Items: r.Items, Bytes: r.Bytes,
		First: r.First.time(), State: holdfast.ContainerState(r.State)}, nil
}

// Containers gives containers by name.
func (tx *Tx) Containers(ctx context.Context, f holdfast.ContainerFilter, page holdfast.Page) ([]holdfast.ContainerRecord, error) {
	var rows []containerRow
	q := tx.ofObjects("organization", "owner")(tx.db.NewSelect().Model(&rows).OrderExpr("name_key, organization, container, repository"))
	for column, v := range map[string]string{"organization": string(f.Organization), "repository": string(f.Repository), "kind": string(f.Kind)} {
		if v != "" {
			q = q.Where("? = ?", bun.Ident(column), clean(v))
		}
	}
	if f.Owner != "" {
		text, args := ownedBy("owner", []string{ownerKey(f.Owner)})
		q = q.Where(text, args...)
	}
	return scan(ctx, paged(q, page), &rows, containerRow.noun)
}

// Container gives one.
func (tx *Tx) Container(ctx context.Context, repo holdfast.RepositoryID, org holdfast.OrganizationID, key string) (holdfast.ContainerRecord, error) {
	r, err := oneOf[containerRow](ctx, tx, tx.ofObjects("organization", "owner"), fmt.Sprintf("container %s", key), "repository = ? AND organization = ? AND container = ?", string(repo), string(org), key)
	if err != nil {
		return holdfast.ContainerRecord{}, err
	}
	return r.noun()
}

// PutContainer keeps one.
func (tx *Tx) PutContainer(ctx context.Context, c holdfast.ContainerRecord) error {
	if err := tx.putOwners(ctx, c.Owner); err != nil {
		return err
	}
	owners := ""
	if len(holdfast.Owners(c.Owner)) > 1 {
		owners = c.Owner
	}
	return put(ctx, tx, &containerRow{Repository: string(c.Repository), Organization: string(c.Organization), Container: c.Key(), Kind: string(c.Kind), Source: c.Source, Name: clean(c.Name),
		NameKey: strings.ToLower(clean(c.Name)), Address: clean(c.Address), Owner: ownerKey(c.Owner), Owners: owners, Head: int64(c.Head), HeadTime: at(c.HeadTime), Checkpoint: int64(c.Checkpoint), Items: c.Items, Bytes: c.Bytes,
		First: at(c.First), State: string(c.State)}, "repository, organization, container")
}

type headRow struct {
	bun.BaseModel `bun:"table:heads,alias:t"`
	Repository    string `bun:",pk"`
	Organization  string `bun:",pk"`
	Container     string `bun:",pk"`
	Number        int64  `bun:",pk"`
	Epoch         int64
	Time          stamp
	Journal       string
	Items         int64
	Bytes         int64
	Data          []byte
	SpecContainer string
}

// checkpointRow is a headRow of which a container has at most one.
type checkpointRow struct {
	bun.BaseModel `bun:"table:checkpoints,alias:t"`
	Repository    string `bun:",pk"`
	Organization  string `bun:",pk"`
	Container     string `bun:",pk"`
	Number        int64
	Epoch         int64
	Time          stamp
	Journal       string
	Items         int64
	Bytes         int64
	Data          []byte
	SpecContainer string
}

func (r headRow) noun() (holdfast.HeadRecord, error) {
	h := holdfast.HeadRecord{Organization: holdfast.OrganizationID(r.Organization), Repository: holdfast.RepositoryID(r.Repository), Number: uint64(r.Number), Epoch: holdfast.Epoch(r.Epoch),
		Time: r.Time.time(), Journal: r.Journal, Items: r.Items, Bytes: r.Bytes, Data: r.Data}
	if err := json.Unmarshal([]byte(r.SpecContainer), &h.Container); err != nil {
		return h, fmt.Errorf("decode the container of head %d of %s: %w", r.Number, r.Container, err)
	}
	return h, nil
}

func (r checkpointRow) noun() (holdfast.HeadRecord, error) {
	return headRow{Repository: r.Repository, Organization: r.Organization, Container: r.Container, Number: r.Number, Epoch: r.Epoch, Time: r.Time, Journal: r.Journal, Items: r.Items, Bytes: r.Bytes, Data: r.Data, SpecContainer: r.SpecContainer}.noun()
}

func headToRow(h holdfast.HeadRecord) (headRow, error) {
	h.Container.Organization = h.Organization
	container, err := json.Marshal(h.Container)
	if h.Data == nil {
		h.Data = []byte{}
	}
	return headRow{Repository: string(h.Repository), Organization: string(h.Organization), Container: h.Container.Key(), Number: int64(h.Number), Epoch: int64(h.Epoch), Time: at(h.Time), Journal: h.Journal,
		Items: h.Items, Bytes: h.Bytes, Data: h.Data, SpecContainer: string(container)}, err
}

// Head gives one head by number.
func (tx *Tx) Head(ctx context.Context, repo holdfast.RepositoryID, org holdfast.OrganizationID, key string, number uint64) (holdfast.HeadRecord, error) {
	r, err := one[headRow](ctx, tx, fmt.Sprintf("head %d of %s", number, key), "repository = ? AND organization = ? AND container = ? AND number = ?", string(repo), string(org), key, int64(number))
	if err != nil {
		return holdfast.HeadRecord{}, err
	}
	return r.noun()
}

// CurrentHeads gives the published head and the checkpoint of each container; an empty org means all.
func (tx *Tx) CurrentHeads(ctx context.Context, repo holdfast.RepositoryID, org holdfast.OrganizationID) ([]holdfast.HeadRecord, error) {
	var heads []headRow
	q := tx.db.NewSelect().Model(&heads).Where("t.repository = ?", string(repo)).OrderExpr("t.organization, t.container").
		Join("JOIN containers AS c ON c.repository = t.repository AND c.organization = t.organization AND c.container = t.container AND c.head = t.number")
	if org != "" {
		q = q.Where("t.organization = ?", string(org))
	}
	out, err := scan(ctx, q, &heads, headRow.noun)
	if err != nil {
		return nil, err
	}
	var points []checkpointRow
	q = tx.db.NewSelect().Model(&points).Where("repository = ?", string(repo)).OrderExpr("organization, container")
	if org != "" {
		q = q.Where("organization = ?", string(org))
	}
	more, err := scan(ctx, q, &points, checkpointRow.noun)
	return append(out, more...), err
}

// PutHead keeps one.
func (tx *Tx) PutHead(ctx context.Context, h holdfast.HeadRecord) error {
	r, err := headToRow(h)
	if err != nil {
		return fmt.Errorf("encode a head: %w", err)
	}
	return put(ctx, tx, &r, "repository, organization, container, number")
}

// Checkpoint is the resume point of a container.
func (tx *Tx) Checkpoint(ctx context.Context, repo holdfast.RepositoryID, org holdfast.OrganizationID, key string) (holdfast.HeadRecord, error) {
	r, err := one[checkpointRow](ctx, tx, "checkpoint of "+key, "repository = ? AND organization = ? AND container = ?", string(repo), string(org), key)
	if err != nil {
		return holdfast.HeadRecord{}, err
	}
	return r.noun()
}

// PutCheckpoint keeps one in place of an older one.
func (tx *Tx) PutCheckpoint(ctx context.Context, h holdfast.HeadRecord) error {
	r, err := headToRow(h)
	if err != nil {
		return fmt.Errorf("encode a checkpoint: %w", err)
	}
	return put(ctx, tx, &checkpointRow{Repository: r.Repository, Organization: r.Organization, Container: r.Container, Number: r.Number, Epoch: r.Epoch, Time: r.Time, Journal: r.Journal,
		Items: r.Items, Bytes: r.Bytes, Data: r.Data, SpecContainer: r.SpecContainer}, "repository, organization, container")
}

// DeleteCheckpoint forgets it; none is no error.
func (tx *Tx) DeleteCheckpoint(ctx context.Context, repo holdfast.RepositoryID, org holdfast.OrganizationID, key string) error {
	return del[checkpointRow](ctx, tx, "repository = ? AND organization = ? AND container = ?", string(repo), string(org), key)
}

type pointRow struct {
	bun.BaseModel `bun:"table:restore_points,alias:t"`
	ID            string `bun:",pk"`
	Organization  string
	Repository    string
	Job           string
	JobName       string
	JobSession    string
	Time          stamp
	Status        string
}

type entryRow struct {
	bun.BaseModel `bun:"table:restore_point_entries,alias:t"`
	RestorePoint  string `bun:",pk"`
	Position      int    `bun:",pk"`
	Container     string // key
	Kind          string
	Owner         string
	Head          int64
	Spec          string
}

func (r pointRow) noun() (holdfast.RestorePoint, error) {
	return holdfast.RestorePoint{ID: holdfast.RestorePointID(r.ID), Organization: holdfast.OrganizationID(r.Organization), Repository: holdfast.RepositoryID(r.Repository), Job: holdfast.JobID(r.Job),
		JobName: r.JobName, JobSession: holdfast.JobSessionID(r.JobSession), Time: r.Time.time(), Status: holdfast.SessionStatus(r.Status)}, nil
}

// RestorePoints gives them without Entries.
func (tx *Tx) RestorePoints(ctx context.Context, f holdfast.PointFilter, page holdfast.Page) ([]holdfast.RestorePoint, error) {
	var rows []pointRow
	q := tx.ofPoints()(filterPoints(tx.db.NewSelect().Model(&rows), f))
	if f.OldestFirst {
		q = q.OrderExpr("t.time, t.id")
	} else {
		q = q.OrderExpr("t.time DESC, t.id")
	}
	return scan(ctx, paged(q, page), &rows, pointRow.noun)
}

// NewestPoints gives the newest one of each repository, organization and job, without Entries, newest first.
func (tx *Tx) NewestPoints(ctx context.Context, f holdfast.PointFilter) ([]holdfast.RestorePoint, error) {
	inner := tx.ofPoints()(filterPoints(tx.db.NewSelect().Model((*pointRow)(nil)), f)).ColumnExpr("t.*").
		ColumnExpr("ROW_NUMBER() OVER (PARTITION BY t.repository, t.organization, t.job ORDER BY t.time DESC, t.id) AS place")
	var rows []pointRow
	q := tx.db.NewSelect().Model(&rows).ModelTableExpr("(?) AS t", inner).Where("t.place = 1").OrderExpr("t.time DESC, t.id")
	return scan(ctx, q, &rows, pointRow.noun)
}

func filterPoints(q *bun.SelectQuery, f holdfast.PointFilter) *bun.SelectQuery {
	for column, v := range map[string]string{"organization": string(f.Organization), "repository": string(f.Repository), "job": string(f.Job)} {
		if v != "" {
			q = q.Where("t.? = ?", bun.Ident(column), clean(v))
		}
	}
	if !f.From.IsZero() {
		q = q.Where("t.time >= ?", at(f.From))
	}
	if !f.Until.IsZero() {
		q = q.Where("t.time <= ?", at(f.Until))
	}
	if f.Owner != "" || f.Kind != "" {
		text, args := "EXISTS (SELECT 1 FROM restore_point_entries AS e WHERE e.restore_point = t.id AND e.head > 0", []any{}
		if f.Owner != "" {
			of, more := ownedBy("e.owner", []string{ownerKey(f.Owner)})
			text, args = text+" AND "+of, append(args, more...)
		}
		if f.Kind != "" {
			text, args = text+" AND e.kind = ?", append(args, clean(string(f.Kind)))
		}
		q = q.Where(text+")", args...)
	}
	return q
}

// RestorePoint gives one with its entries.
func (tx *Tx) RestorePoint(ctx context.Context, id holdfast.RestorePointID) (holdfast.RestorePoint, error) {
	r, err := oneOf[pointRow](ctx, tx, tx.ofPoints(), fmt.Sprintf("restore point %s", id), "id = ?", string(id))
	if err != nil {
		return holdfast.RestorePoint{}, err
	}
	p, err := r.noun()
	if err != nil {
		return p, err
	}
	var rows []entryRow
	p.Entries, err = scan(ctx, tx.entriesOf(p.Organization)(tx.db.NewSelect().Model(&rows).Where("restore_point = ?", string(p.ID)).OrderExpr("position")), &rows, func(r entryRow) (holdfast.PointEntry, error) {
		var e holdfast.PointEntry
		if err := json.Unmarshal([]byte(r.Spec), &e); err != nil {
			return e, fmt.Errorf("decode entry %d of restore point %s: %w", r.Position, p.ID, err)
		}
		return e, nil
	})
	return p, err
}

// PointKnown says whether a point is there.
func (tx *Tx) PointKnown(ctx context.Context, id holdfast.RestorePointID) (bool, error) {
	ok, err := tx.ofPoints()(tx.db.NewSelect().Model((*pointRow)(nil)).Where("id = ?", clean(string(id)))).Exists(ctx)
	if err != nil {
		return false, fmt.Errorf("look for restore point %s: %w", id, err)
	}
	return ok, nil
}

// PutRestorePoint keeps one with its entries.
func (tx *Tx) PutRestorePoint(ctx context.Context, p holdfast.RestorePoint) error {
	if err := put(ctx, tx, &pointRow{ID: string(p.ID), Organization: string(p.Organization), Repository: string(p.Repository), Job: string(p.Job), JobName: clean(p.JobName), JobSession: string(p.JobSession), Time: at(p.Time), Status: string(p.Status)}, "id"); err != nil {
		return err
	}
	rows, owners := make([]entryRow, len(p.Entries)), make([]string, len(p.Entries))
	for i, e := range p.Entries {
		spec, err := json.Marshal(e)
		if err != nil {
			return fmt.Errorf("encode an entry: %w", err)
		}
		owners[i] = e.Container.Owner
		rows[i] = entryRow{RestorePoint: string(p.ID), Position: i, Container: clean(e.Container.Key()), Kind: string(e.Container.Kind), Owner: ownerKey(e.Container.Owner), Head: int64(e.Head), Spec: string(spec)}
	}
	if err := tx.putOwners(ctx, owners...); err != nil {
		return err
	}
	for len(rows) > 0 {
		n := min(len(rows), 500)
		part := rows[:n]
		if err := put(ctx, tx, &part, "restore_point, position"); err != nil {
			return err
		}
		rows = rows[n:]
	}
	return nil
}

// PastStates gives the states of a container in the restore points that f lets through, newest first, at most limit.
func (tx *Tx) PastStates(ctx context.Context, f holdfast.PointFilter, key string, limit int) ([]holdfast.PastState, error) {
	var rows []struct {
		ID   string
		Time stamp
		Head int64
	}
	q := filterPoints(tx.db.NewSelect().Model((*pointRow)(nil)), f).ColumnExpr("t.id, t.time, e.head").
		Join("JOIN restore_point_entries AS e ON e.restore_point = t.id").Where("e.container = ?", clean(key)).Where("e.head > 0").OrderExpr("t.time DESC, t.id").Limit(int64(limit))
	if err := q.Scan(ctx, &rows); err != nil {
		return nil, fmt.Errorf("look up the states of %s: %w", key, err)
	}
	out := make([]holdfast.PastState, len(rows))
	for i, r := range rows {
		out[i] = holdfast.PastState{Point: holdfast.RestorePointID(r.ID), Time: r.Time.time(), Head: uint64(r.Head)}
	}
	return out, nil
}

// EntryCounts counts a point's entries that have a head, by kind.
func (tx *Tx) EntryCounts(ctx context.Context, id holdfast.RestorePointID) (map[holdfast.ContainerKind]int, error) {
	var rows []struct {
		Kind string
		N    int
	}
	q := tx.db.NewSelect().Model((*entryRow)(nil)).ColumnExpr("kind, COUNT(*) AS n").Where("restore_point = ?", clean(string(id))).Where("head > 0").GroupExpr("kind")
	if tx.scope != nil {
		p, err := oneOf[pointRow](ctx, tx, tx.ofPoints(), fmt.Sprintf("restore point %s", id), "id = ?", string(id))
		if err != nil {
			return nil, err
		}
		q = tx.entriesOf(holdfast.OrganizationID(p.Organization))(q)
	}
	if err := q.Scan(ctx, &rows); err != nil {
		return nil, fmt.Errorf("count entries: %w", err)
	}
	out := map[holdfast.ContainerKind]int{}
	for _, r := range rows {
		out[holdfast.ContainerKind(r.Kind)] = r.N
	}
	return out, nil
}

// DeletePoint forgets a point with its entries.
func (tx *Tx) DeletePoint(ctx context.Context, id holdfast.RestorePointID) error {
	if err := del[entryRow](ctx, tx, "restore_point = ?", string(id)); err != nil {
		return err
	}
	return del[pointRow](ctx, tx, "id = ?", string(id))
}

// DeleteUnusedHeads deletes heads that are neither current nor in any point's entries.
func (tx *Tx) DeleteUnusedHeads(ctx context.Context, repo holdfast.RepositoryID) error {
	return del[headRow](ctx, tx, "repository = ? AND NOT EXISTS (SELECT 1 FROM containers AS c WHERE c.repository = t.repository AND c.organization = t.organization AND c.container = t.container AND c.head = t.number)"+
		" AND NOT EXISTS (SELECT 1 FROM restore_point_entries AS e JOIN restore_points AS p ON p.id = e.restore_point WHERE e.container = t.container AND e.head = t.number AND p.repository = t.repository AND p.organization = t.organization)", string(repo))
}
