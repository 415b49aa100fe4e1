package service

import (
	"context"
	"fmt"

	"holdfast/internal/holdfast"
)

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
