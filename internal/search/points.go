package search

import (
	"context"
	"database/sql"
	"fmt"

	"holdfast/internal/holdfast"
)

// syncPoints brings the side file's knowledge of restore points and of heads that stand in none yet up to the catalogue's. Points that came
// are added; when points went, the heads are counted anew and what stands in no restore point any more is forgotten.
func (x *Index) syncPoints(ctx context.Context, w *work) error {
	now, err := x.c.Catalogue.Points(ctx, w.shelf.org)
	if err != nil {
		return fmt.Errorf("%s%w", holdfast.SayIndexPoints.With(""), err)
	}
	known := map[holdfast.RestorePointID]bool{}
	err = w.with(func(f *file) error {
		clear(known)
		return each(ctx, f.write, `SELECT id FROM points`, nil, func(scan func(...any) error) error {
			var id holdfast.RestorePointID
			err := scan(&id)
			known[id] = true
			return err
		})
	})
	if err != nil {
		return err
	}
	gone := len(known)
	var come []holdfast.RestorePoint
	for _, p := range now {
		if known[p.ID] {
			gone--
		} else {
			come = append(come, p)
		}
	}
	if gone > 0 {
		come = now
	}
	containers, err := x.c.Catalogue.Containers(ctx, w.shelf.org)
	if err != nil {
		return fmt.Errorf("%s%w", holdfast.SayIndexContainers.With(""), err)
	}
	if gone == 0 && len(come) == 0 {
		same, err := w.knows(ctx, containers)
		if err != nil || same {
			return err
		}
	}
	// Entries are read before the transaction: the catalogue may be slow.
	points := make([]holdfast.RestorePoint, 0, len(come))
	for _, p := range come {
		full, err := x.c.Catalogue.Point(ctx, p.ID)
		if holdfast.KindOf(err) == holdfast.KindNotFound {
			continue // retention was faster; the next look sees it
		} else if err != nil {
			return fmt.Errorf("%s%w", holdfast.SayIndexPoint.With(p.ID, ""), err)
		}
		points = append(points, full)
	}
	return w.tx(ctx, func(tx *sql.Tx) error {
		if gone > 0 {
			if _, err := tx.ExecContext(ctx, `DELETE FROM points; UPDATE heads SET first = 0, first_point = '', last = 0, last_point = ''`); err != nil {
				return err
			}
		}
		for _, p := range points {
			if err := putPoint(ctx, tx, p); err != nil {
				return err
			}
		}
		if err := putAhead(ctx, tx, containers); err != nil {
			return err
		}
		if gone > 0 {
			return forget(ctx, tx)
		}
		return nil
	})
}

// knows says whether the side file has the newest head of each container.
func (w *work) knows(ctx context.Context, containers []holdfast.ContainerRecord) (same bool, err error) {
	newest := map[string]uint64{}
	if err := w.with(func(f *file) error {
		clear(newest)
		return each(ctx, f.write, `SELECT c.repository, c.key, max(k.head) FROM containers c JOIN known k ON k.container = c.id GROUP BY c.id`, nil, func(scan func(...any) error) error {
			var repository, key string
			var head uint64
			err := scan(&repository, &key, &head)
			newest[repository+"/"+key] = head
			return err
		})
	}); err != nil {
		return false, err
	}
	for _, c := range containers {
		if newest[string(c.Repository)+"/"+c.Key()] < c.Head {
			return false, nil
		}
	}
	return true, nil
}

// putAhead notes heads that are newer than all that stand in restore points.
func putAhead(ctx context.Context, tx *sql.Tx, containers []holdfast.ContainerRecord) error {
	put := prepared(ctx, tx, `INSERT INTO ahead(container, head) SELECT ?1, ?2 WHERE ?2 > (SELECT ifnull(max(head), 0) FROM known WHERE container = ?1)`)
	for _, c := range containers {
		if c.Head == 0 {
			continue
		}
		id, err := putContainer(ctx, tx, c.Repository, c.Container)
		if err != nil {
			return err
		}
		if err := put(id, c.Head); err != nil {
			return err
		}
	}
	// What came after it has all that it had; and what a restore point has, or something newer, is not ahead.
	for _, q := range []string{
		`DELETE FROM ahead WHERE done = 0 AND head < (SELECT max(a.head) FROM ahead a WHERE a.container = ahead.container)`,
		`DELETE FROM ahead WHERE head <= (SELECT ifnull(max(h.head), 0) FROM heads h WHERE h.container = ahead.container)`,
	} {
		if _, err := tx.ExecContext(ctx, q); err != nil {
			return err
		}
	}
	return nil
}

func putContainer(ctx context.Context, tx *sql.Tx, repository holdfast.RepositoryID, c holdfast.Container) (id int64, err error) {
	err = tx.QueryRowContext(ctx, `INSERT INTO containers(repository, key, kind, source, name, address, owner) VALUES(?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT(repository, key) DO UPDATE SET name = excluded.name, address = excluded.address, owner = excluded.owner RETURNING id`,
		repository, c.Key(), c.Kind, c.Source, c.Name, c.Address, c.Owner).Scan(&id)
	return id, err
}

func putPoint(ctx context.Context, tx *sql.Tx, p holdfast.RestorePoint) error {
	if _, err := tx.ExecContext(ctx, `INSERT INTO points(id, repository) VALUES(?, ?)`, p.ID, p.Repository); err != nil {
		return err
	}
	at := p.Time.UnixNano()
	for _, e := range p.Entries {
		if e.Head == 0 {
			continue
		}
		id, err := putContainer(ctx, tx, p.Repository, e.Container)
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `INSERT INTO heads(container, head, first, first_point, last, last_point, done)
			VALUES(?1, ?2, ?3, ?4, ?5, ?6, EXISTS(SELECT 1 FROM ahead WHERE container = ?1 AND head = ?2 AND done))
			ON CONFLICT(container, head) DO UPDATE SET
			first_point = CASE WHEN first_point = '' OR excluded.first < first THEN excluded.first_point ELSE first_point END,
			first = CASE WHEN first_point = '' OR excluded.first < first THEN excluded.first ELSE first END,
			last_point = CASE WHEN last_point = '' OR excluded.last > last THEN excluded.last_point ELSE last_point END,
			last = CASE WHEN last_point = '' OR excluded.last > last THEN excluded.last ELSE last END`, id, e.Head, at, p.ID, at, p.ID)
		if err != nil {
			return err
		}
	}
	return nil
}

// forget deletes what no restore point holds any more.
func forget(ctx context.Context, tx *sql.Tx) error {
	for _, q := range []string{
		`DELETE FROM heads WHERE first_point = ''`,
		`CREATE TEMP TABLE IF NOT EXISTS unheld(doc INTEGER PRIMARY KEY)`,
		`DELETE FROM unheld`,
		// A version that is not gone lasts: the next head begins where it is. Those of a container without heads go.
		`DELETE FROM versions WHERE gone IS NOT NULL AND NOT EXISTS(SELECT 1 FROM known h WHERE h.container = versions.container AND h.head >= born AND h.head < gone)`,
		`DELETE FROM versions WHERE container NOT IN (SELECT container FROM known)`,
		`INSERT INTO unheld SELECT id FROM docs WHERE NOT EXISTS(SELECT 1 FROM versions v WHERE v.doc = docs.id)`,
		`INSERT OR IGNORE INTO dead SELECT doc FROM unheld`,
		`DELETE FROM docs WHERE id IN (SELECT doc FROM unheld)`,
		`DELETE FROM folders WHERE container NOT IN (SELECT container FROM known)`,
		`DELETE FROM containers WHERE id NOT IN (SELECT container FROM known)`,
	} {
		if _, err := tx.ExecContext(ctx, q); err != nil {
			return fmt.Errorf("forget what no restore point holds: %w", err)
		}
	}
	return nil
}

type querier interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

// each runs fn for each row.
func each(ctx context.Context, db querier, query string, args []any, fn func(scan func(...any) error) error) error {
	rows, err := db.QueryContext(ctx, query, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := fn(rows.Scan); err != nil {
			return err
		}
	}
	return rows.Err()
}
