// Package proxy is the worker: it claims tasks, runs the engine, explorer and export where the repository is.
package proxy

import (
	"context"

	"holdfast/internal/holdfast"
)

// Control is what a proxy needs of the server; app binds it in process. Everything in it can travel over a wire.
//
// Every call that changes something carries the lease. A stale one returns a KindStale error and has changed nothing.
// When a call fails otherwise, its outcome is unknown: read (CurrentHeads, RestorePoint) before doing anything else.
type Control interface {
	// Claim gives up to max tasks that are ready, with fresh leases; it waits until there is one or ctx ends.
	Claim(ctx context.Context, proxy holdfast.ProxyID, max int) ([]holdfast.Task, error)
	// ClaimUrgent gives, at once, up to max tasks that are neither backups nor retention: a proxy that is full of backups asks for it,
	// so that a restore does not wait for them.
	ClaimUrgent(ctx context.Context, proxy holdfast.ProxyID, max int) ([]holdfast.Task, error)
	// Renew extends leases and tells which tasks were cancelled or lost.
	Renew(ctx context.Context, leases []holdfast.Lease) (cancelled []holdfast.TaskID, err error)
	// Complete reports a task's end.
	Complete(ctx context.Context, lease holdfast.Lease, result holdfast.TaskResult) error
	// Progress adds to the statistics of the task's session and writes log lines.
	Progress(ctx context.Context, lease holdfast.Lease, delta holdfast.Statistics, lines ...holdfast.LogLine) error

	// Access gives what a task needs to reach Microsoft 365 and the repository. The proxy keeps it in memory only.
	Access(ctx context.Context, lease holdfast.Lease) (Access, error)

	// CurrentHeads gives a container's published head and its newer checkpoint, either of which may be nil.
	CurrentHeads(ctx context.Context, lease holdfast.Lease, repository holdfast.RepositoryID, container holdfast.Container) (head, checkpoint *holdfast.HeadRecord, err error)
	// CommitHeads publishes heads (checkpoint false) or resume points, all or none, each under its own lease. A head's number must be
	// above the published one's and the checkpoint's; gaps are usual, since checkpoints use numbers up. A published head drops an
	// older checkpoint. Committing the very same head again (number, epoch and journal entry) changes nothing and succeeds.
	CommitHeads(ctx context.Context, commits []HeadCommit) error
	// SessionEntries gives what the backup tasks of a session reported, for the restore point.
	SessionEntries(ctx context.Context, lease holdfast.Lease) ([]holdfast.PointEntry, error)
	// SessionOutcome gives the restore point that a finish task is to write, without its entries: its id, names, time and status.
	SessionOutcome(ctx context.Context, lease holdfast.Lease) (holdfast.RestorePoint, error)
	// RestorePoint gives a published restore point, to learn how a commit went.
	RestorePoint(ctx context.Context, id holdfast.RestorePointID) (holdfast.RestorePoint, error)
	// CommitRestorePoint publishes a restore point whose record is in the repository.
	CommitRestorePoint(ctx context.Context, lease holdfast.Lease, point holdfast.RestorePoint) error

	// Heads gives every container's published head and newer checkpoint that the database has of the lease's organization in a
	// repository: retention keeps what they reach, and an empty folder is not taken for a new repository while there are any.
	Heads(ctx context.Context, lease holdfast.Lease, repository holdfast.RepositoryID) ([]holdfast.HeadRecord, error)
	// ForgetRestorePoints takes expired restore points out of the database, before their records leave the repository.
	ForgetRestorePoints(ctx context.Context, lease holdfast.Lease, points []holdfast.RestorePointID) error

	// Head gives one head by number; explorers read with it.
	Head(ctx context.Context, repository holdfast.RepositoryID, organization holdfast.OrganizationID, container string, number uint64) (holdfast.HeadRecord, error)
	// BeginItem writes the intent to restore one item, before anything is created, and gives what an earlier attempt recorded.
	BeginItem(ctx context.Context, lease holdfast.Lease, request, item, version string) (earlier *holdfast.ItemResult, began bool, err error)
	// MadeItem records the id of what was created for an item whose outcome is still to come: an earlier result without an outcome.
	MadeItem(ctx context.Context, lease holdfast.Lease, request, item, newID string) error
	// EndItem records the outcome.
	EndItem(ctx context.Context, lease holdfast.Lease, request string, result holdfast.ItemResult) error
}

// What travels lives with the nouns, so that service can answer without importing proxy.
type (
	HeadCommit = holdfast.HeadCommit
	Access     = holdfast.Access
)
