package service

import (
	"context"
	"fmt"

	"holdfast/internal/holdfast"
)

// synchronizeAll works off the requests of Synchronize, one by one, until ctx ends.
func (r *Repositories) synchronizeAll(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case req := <-r.queue:
			points, err := r.synchronize(ctx, req.repo)
			r.mu.Lock()
			s := r.syncs[req.repo.ID]
			s.State, s.Ended, s.Points = SyncNone, r.now(), points
			if err != nil {
				s.State, s.Error = SyncFailed, err.Error()
				if holdfast.KindOf(err) == holdfast.KindInternal {
					s.Error = "the repository could not be read; the server's log says why"
				}
				r.Log.ErrorContext(ctx, "repository could not be synchronized", "repository", req.repo.ID, "error", err)
			}
			r.syncs[req.repo.ID] = s
			r.mu.Unlock()
		}
	}
}

func (r *Repositories) synchronize(ctx context.Context, repo holdfast.Repository) (points int, err error) {
	cat, err := r.Vaults.Rebuild(ctx, repo)
	if err != nil {
		return 0, fmt.Errorf("read the catalogue of repository %q: %w", repo.Name, err)
	}
	if points, err = r.Import(ctx, repo.ID, cat); err != nil {
		return points, err
	}
	return points, damageOf(cat)
}

// damageOf says what a catalogue lacks; nil for nothing.
func damageOf(cat holdfast.Catalogue) error {
	if len(cat.Damage) == 0 {
		return nil
	}
	hurt := map[holdfast.RestorePointID]bool{}
	for _, d := range cat.Damage {
		for _, p := range d.Points {
			hurt[p] = true
		}
	}
	return holdfast.Damaged("all that can be read is in the catalogue; %d records can't, which hurts %d restore points (\"holdfast vault verify\" names everything); the first: %s",
		len(cat.Damage), len(hurt), cat.Damage[0].What)
}

// Import puts into the database what a repository's own records have and the database has not: organizations (without credentials),
// heads and restore points, under the ids that they had. What is there already stays. All epochs to come are newer than the imported ones,
// so that nobody who held a lease before can commit. It is refused while tasks run in the repository.
func (r *Repositories) Import(ctx context.Context, id holdfast.RepositoryID, cat holdfast.Catalogue) (points int, err error) {
	err = r.Store.Write(ctx, func(ctx context.Context, tx Tx) error {
		points = 0
		repo, err := tx.Repository(ctx, id)
		if err != nil {
			return err
		}
		busy, err := tx.Tasks(ctx, holdfast.TaskFilter{Repository: id, States: []holdfast.TaskState{holdfast.TaskReady, holdfast.TaskRunning}}, holdfast.Page{Limit: 1})
		if err != nil {
			return err
		} else if len(busy) > 0 {
			return holdfast.Conflict("repository %q is in use by a %s task: synchronize it when nothing runs", repo.Name, busy[0].Kind)
		}
		for _, o := range cat.Organizations {
			if _, err := tx.Organization(ctx, o.ID); missing(err) {
				if err := tx.PutOrganization(ctx, o); err != nil {
					return err
				}
			} else if err != nil {
				return err
			}
		}
		if err := importHeads(ctx, tx, id, cat.Heads); err != nil {
			return err
		}
		for _, p := range cat.Points {
			p.Repository = id
			if known, err := tx.PointKnown(ctx, p.ID); err != nil {
				return err
			} else if known {
				continue
			}
			if err := tx.PutRestorePoint(ctx, p); err != nil {
				return err
			}
			points++
		}
		repo.OutOfDate = false
		return tx.PutRepository(ctx, repo)
	})
	return points, err
}

func importHeads(ctx context.Context, tx Tx, id holdfast.RepositoryID, heads []holdfast.HeadRecord) error {
	var newest holdfast.Epoch
	for _, h := range heads {
		h.Repository = id
		newest = max(newest, h.Epoch)
		rec, err := tx.Container(ctx, id, h.Organization, h.Container.Key())
		if missing(err) {
			rec = holdfast.ContainerRecord{Container: h.Container, Repository: id, First: h.Time}
		} else if err != nil {
			return err
		}
		if _, err := tx.Head(ctx, id, h.Organization, h.Container.Key(), h.Number); err == nil {
			continue // the database's own word stands
		} else if !missing(err) {
			return err
		}
		if err := tx.PutHead(ctx, h); err != nil {
			return err
		}
		if h.Time.Before(rec.First) || rec.First.IsZero() {
			rec.First = h.Time
		}
		if h.Number > rec.Head {
			rec.Container, rec.Head, rec.HeadTime, rec.Items, rec.Bytes, rec.State, rec.Checkpoint = h.Container, h.Number, h.Time, h.Items, h.Bytes, holdfast.StateUpdated, 0
			if err := tx.DeleteCheckpoint(ctx, id, h.Organization, h.Container.Key()); err != nil {
				return err
			}
		}
		rec.Organization = h.Organization
		if err := tx.PutContainer(ctx, rec); err != nil {
			return err
		}
	}
	return tx.RaiseEpoch(ctx, newest)
}
