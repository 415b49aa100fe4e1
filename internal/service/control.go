package service

import (
	"context"
	"slices"
	"time"

	"holdfast/internal/holdfast"
)

// Control is what a proxy calls; it fills proxy.Control. Each call is one transaction that checks the lease's epoch first. Here are the leases; how
// tasks end is in task_end.go, what discovery makes of an organization in discovery.go, what tasks may use in task_access.go, states of containers and
// restore points in head.go, intents of restores in restore_item.go.
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
	return c.complete(ctx, tx, *t, holdfast.TaskResult{Err: holdfast.SayGivenUp.With(t.Attempt), Reason: holdfast.SkipTransient, Retriable: true})
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
