package service

import (
	"context"

	"holdfast/internal/holdfast"
)

// RestorePoints are what can be gone back to.
type RestorePoints struct{ *core }

// List gives restore points without their entries, newest first unless f says otherwise.
func (r *RestorePoints) List(ctx context.Context, u User, f holdfast.PointFilter, page holdfast.Page) ([]holdfast.RestorePoint, error) {
	return readAs(ctx, r.core, u, ActSeePoints, func(ctx context.Context, tx Tx) ([]holdfast.RestorePoint, error) {
		return tx.RestorePoints(ctx, f, page)
	})
}

// Get gives one restore point with its entries.
func (r *RestorePoints) Get(ctx context.Context, u User, id holdfast.RestorePointID) (holdfast.RestorePoint, error) {
	return readAs(ctx, r.core, u, ActSeePoints, func(ctx context.Context, tx Tx) (holdfast.RestorePoint, error) { return tx.RestorePoint(ctx, id) })
}

// Kinds counts the containers of each kind in a restore point.
func (r *RestorePoints) Kinds(ctx context.Context, u User, id holdfast.RestorePointID) (counts map[holdfast.ContainerKind]int, err error) {
	err = r.lookAs(ctx, u, ActSeePoints, func(ctx context.Context, tx Tx) (err error) {
		counts, err = tx.EntryCounts(ctx, id)
		return err
	})
	return counts, err
}

// Jobs gives the jobs that restore points are from, by the id and the name that they had at the newest one; the jobs may be gone.
func (r *RestorePoints) Jobs(ctx context.Context, u User) ([]holdfast.Job, error) {
	newest, err := readAs(ctx, r.core, u, ActSeePoints, func(ctx context.Context, tx Tx) ([]holdfast.RestorePoint, error) {
		return tx.NewestPoints(ctx, holdfast.PointFilter{})
	})
	var out []holdfast.Job
	seen := map[holdfast.JobID]bool{}
	for _, p := range newest { // newest first
		if !seen[p.Job] {
			seen[p.Job] = true
			out = append(out, holdfast.Job{ID: p.Job, Name: p.JobName})
		}
	}
	return out, err
}
