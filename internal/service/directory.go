package service

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"holdfast/internal/holdfast"
)

// Directories are the copies of organizations' directories: users, groups with their members, and sites, so that lists and the scope of
// jobs cost few calls. A copy follows the directory by its deltas; when a position is no longer known it is read from the beginning.
type Directories struct{ *core }

// How old a copy may be: when a job looks for its objects, and at all.
const (
	directoryFresh = 2 * time.Minute
	directoryStale = time.Hour
	directoryRetry = 5 * time.Minute // after a failure
)

// directoryLocks lets one synchronisation an organization run at a time. The zero value works.
type directoryLocks struct {
	mu   sync.Mutex // guards by
	by   map[holdfast.OrganizationID]chan struct{}
	bell bell // rings when somebody wants a synchronisation
}

func (l *directoryLocks) lock(ctx context.Context, org holdfast.OrganizationID) (unlock func(), err error) {
	l.mu.Lock()
	if l.by == nil {
		l.by = map[holdfast.OrganizationID]chan struct{}{}
	}
	turn := l.by[org]
	if turn == nil {
		turn = make(chan struct{}, 1)
		l.by[org] = turn
	}
	l.mu.Unlock()
	select {
	case turn <- struct{}{}:
		return func() { <-turn }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// State says how far the copy of an organization's directory is.
func (d *Directories) State(ctx context.Context, u User, id holdfast.OrganizationID) (holdfast.DirectoryState, error) {
	return readAs(ctx, d.core, u, ActSeeSync, func(ctx context.Context, tx Tx) (holdfast.DirectoryState, error) {
		if _, err := tx.Organization(ctx, id); err != nil {
			return holdfast.DirectoryState{}, err
		}
		return tx.DirectoryState(ctx, id)
	})
}

// States is State of all organizations, by name.
func (d *Directories) States(ctx context.Context, u User) ([]holdfast.DirectoryState, error) {
	return readAs(ctx, d.core, u, ActSeeSync, func(ctx context.Context, tx Tx) ([]holdfast.DirectoryState, error) {
		orgs, err := tx.Organizations(ctx, holdfast.Page{})
		if err != nil {
			return nil, err
		}
		out := make([]holdfast.DirectoryState, len(orgs))
		for i, o := range orgs {
			if out[i], err = tx.DirectoryState(ctx, o.ID); err != nil {
				return nil, err
			}
		}
		return out, nil
	})
}

// Sync asks for a synchronisation; it runs soon. One that waits already becomes a full one when that is asked for.
func (d *Directories) Sync(ctx context.Context, u User, id holdfast.OrganizationID, kind holdfast.SyncType) error {
	if kind != holdfast.SyncFull && kind != holdfast.SyncIncremental {
		return holdfast.Invalid("a synchronisation is of type Incremental or Full, not %q", kind)
	}
	_, err := writeAs(ctx, d.core, u, ActSyncDirectory, func(ctx context.Context, tx Tx) (struct{}, error) {
		org, err := tx.Organization(ctx, id)
		if err != nil {
			return struct{}{}, err
		}
		if _, err := d.credential(ctx, tx, id); err != nil {
			return struct{}{}, err
		}
		state, err := tx.DirectoryState(ctx, id)
		if err != nil {
			return struct{}{}, err
		}
		if !state.Wanted.Started.IsZero() {
			return struct{}{}, holdfast.Conflict("the directory of organization %s is being synchronised", org.Name)
		}
		if err := d.audit(ctx, tx, u, "organization.sync", "organization/"+string(id), string(kind)); err != nil {
			return struct{}{}, err
		}
		if state.Wanted.Scheduled.IsZero() {
			state.Wanted = holdfast.SyncRun{Type: kind, Scheduled: d.now()}
		}
		if kind == holdfast.SyncFull {
			state.Wanted.Type = kind
		}
		return struct{}{}, tx.PutDirectoryState(ctx, state)
	})
	d.directories.bell.ring()
	return err
}

// syncDirectories keeps the copies of all organizations up to date until ctx ends.
func (s *Service) syncDirectories(ctx context.Context) {
	for {
		ring := s.directories.bell.wait()
		if err := s.SyncDue(ctx); err != nil && ctx.Err() == nil {
			s.Log.ErrorContext(ctx, "directories could not be looked at", "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-ring:
		case <-s.Clock.After(time.Minute):
		}
	}
}

// SyncDue synchronises once the directories that are wanted to be, or whose copy is old.
func (s *Service) SyncDue(ctx context.Context) error {
	var due []holdfast.DirectoryState
	err := s.Store.Read(ctx, func(ctx context.Context, tx Tx) error {
		due = nil
		orgs, err := tx.Organizations(ctx, holdfast.Page{})
		if err != nil {
			return err
		}
		now := s.now()
		for _, o := range orgs {
			state, err := tx.DirectoryState(ctx, o.ID)
			if err != nil {
				return err
			}
			if _, err := s.credential(ctx, tx, o.ID); err != nil {
				continue // from a rebuilt catalogue: there is nothing to sign in with
			}
			old := now.Sub(state.Synced) > directoryStale && now.Sub(state.Last.Ended) > directoryRetry
			if old || !state.Wanted.Scheduled.IsZero() {
				due = append(due, state)
			}
		}
		return nil
	})
	for _, state := range due {
		if err := s.syncDirectory(ctx, state.Organization, state.Wanted.Type, 0); err != nil && ctx.Err() == nil {
			s.Log.WarnContext(ctx, "a directory could not be synchronised", "organization", state.Organization, "error", err)
		}
	}
	return err
}

// syncDirectory brings the copy of an organization's directory up to date, unless it is younger than fresh.
func (c *core) syncDirectory(ctx context.Context, id holdfast.OrganizationID, kind holdfast.SyncType, fresh time.Duration) error {
	unlock, err := c.directories.lock(ctx, id)
	if err != nil {
		return err
	}
	defer unlock()
	org, cred, err := c.withCredential(ctx, id)
	if err != nil {
		return err
	}
	start := c.now()
	skip := false
	state, err := write(ctx, c, func(ctx context.Context, tx Tx) (holdfast.DirectoryState, error) {
		state, err := tx.DirectoryState(ctx, id)
		if err != nil {
			return state, err
		}
		age := start.Sub(state.Synced)
		if skip = kind != holdfast.SyncFull && age >= 0 && age < fresh; skip {
			return state, nil
		}
		if state.Wanted.Scheduled.IsZero() {
			state.Wanted.Scheduled = start
		}
		state.Wanted.Started, state.Wanted.Type = start, holdfast.SyncIncremental
		if kind == holdfast.SyncFull || state.Synced.IsZero() {
			state.Wanted.Type = holdfast.SyncFull
		}
		return state, tx.PutDirectoryState(ctx, state)
	})
	if err != nil || skip {
		return err
	}
	run := state.Wanted
	position := state.Position
	round := state.Round
	if run.Type == holdfast.SyncFull {
		position, round = holdfast.DirectoryPosition{}, round+1
	}
	next, err := c.followDirectory(ctx, org, cred, position, round)
	if errors.Is(err, ErrDirectoryReset) && run.Type != holdfast.SyncFull {
		run.Type, round = holdfast.SyncFull, round+1
		next, err = c.followDirectory(ctx, org, cred, holdfast.DirectoryPosition{}, round)
	}
	run.Ended = c.now()
	// What is noted of the end must be, though the caller is gone.
	end, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	return errors.Join(err, c.Store.Write(end, func(ctx context.Context, tx Tx) error {
		if _, gone := tx.Organization(ctx, id); missing(gone) {
			return nil
		}
		state, readErr := tx.DirectoryState(ctx, id)
		if readErr != nil {
			return readErr
		}
		state.Last, state.Wanted = run, holdfast.SyncRun{}
		if err != nil {
			state.Last.Error = err.Error()
			return tx.PutDirectoryState(ctx, state)
		}
		if run.Type == holdfast.SyncFull {
			for _, kind := range []holdfast.DirectoryKind{holdfast.DirectoryUser, holdfast.DirectoryGroup} {
				if err := tx.MissDirectoryObjects(ctx, id, kind, round, start); err != nil {
					return err
				}
			}
			if err := tx.MissDirectoryMembers(ctx, id, round); err != nil {
				return err
			}
		}
		state.Position, state.Round, state.Synced = next, round, start
		return tx.PutDirectoryState(ctx, state)
	}))
}

func (c *core) followDirectory(ctx context.Context, org holdfast.Organization, cred holdfast.Credential, from holdfast.DirectoryPosition, round int64) (holdfast.DirectoryPosition, error) {
	next, err := c.Directory.Changes(ctx, org, cred, from, func(part DirectoryChanges) error {
		return c.Store.Write(ctx, func(ctx context.Context, tx Tx) error { return applyDirectory(ctx, tx, org.ID, round, part, c.now()) })
	})
	if err != nil {
		return next, fmt.Errorf("read the directory of %s: %w", org.Name, err)
	}
	return next, nil
}

func applyDirectory(ctx context.Context, tx Tx, org holdfast.OrganizationID, round int64, part DirectoryChanges, now time.Time) error {
	if part.Listed != "" { // each list is a round of its own
		round = now.UnixMicro()
	}
	if err := tx.PutDirectoryObjects(ctx, round, part.Objects...); err != nil {
		return err
	}
	for _, ref := range part.Gone {
		o, err := tx.DirectoryObject(ctx, org, ref.Kind, ref.ID)
		if missing(err) || err == nil && !o.Gone.IsZero() {
			continue
		} else if err != nil {
			return err
		}
		o.Gone = now
		if err := tx.PutDirectoryObjects(ctx, round, o); err != nil {
			return err
		}
	}
	if part.Listed != "" {
		if err := tx.MissDirectoryObjects(ctx, org, part.Listed, round, now); err != nil {
			return err
		}
	}
	return tx.ChangeDirectoryMembers(ctx, org, round, part.Members...)
}

// directoryFor says whether lists of an organization's directory come from its copy, after bringing it up to date when source wants that.
func (c *core) directoryFor(ctx context.Context, id holdfast.OrganizationID, source DataSource) (local bool, err error) {
	switch source {
	case Production:
		return false, nil
	case PreferLocalResynced:
		if err := c.syncDirectory(ctx, id, holdfast.SyncIncremental, 0); err != nil {
			return false, err
		}
	case PreferLocal, "":
	default:
		return false, holdfast.Invalid("there is no data source %q; it is PreferLocal, Production or PreferLocalResynced", source)
	}
	state, err := read(ctx, c, func(ctx context.Context, tx Tx) (holdfast.DirectoryState, error) { return tx.DirectoryState(ctx, id) })
	return !state.Synced.IsZero(), err
}

func (c *core) directoryObjects(ctx context.Context, id holdfast.OrganizationID, f holdfast.DirectoryFilter, page holdfast.Page) ([]holdfast.DirectoryObject, error) {
	return read(ctx, c, func(ctx context.Context, tx Tx) ([]holdfast.DirectoryObject, error) {
		return tx.DirectoryObjects(ctx, id, f, page)
	})
}

// directoryObject is one that is there, from the copy.
func (c *core) directoryObject(ctx context.Context, id holdfast.OrganizationID, kind holdfast.DirectoryKind, which string) (holdfast.DirectoryObject, error) {
	return read(ctx, c, func(ctx context.Context, tx Tx) (holdfast.DirectoryObject, error) {
		o, err := tx.DirectoryObject(ctx, id, kind, which)
		if err == nil && !o.Gone.IsZero() {
			return o, holdfast.NotFound("%s %s is no longer in the organization", kind, which)
		}
		return o, err
	})
}

func copiedUser(o holdfast.DirectoryObject) DirectoryUser {
	u := DirectoryUser{ID: o.ID, Name: o.Name, DisplayName: o.DisplayName, Office: o.Office, Shared: holdfast.SharedPurpose(o.Purpose)}
	for _, l := range o.Licenses {
		u.Licenses = append(u.Licenses, License{SKU: l})
	}
	return u
}

// sharedAmong says of users that were read live whose mailbox is shared: the copy knows from backups what the directory does not tell.
func (c *core) sharedAmong(ctx context.Context, org holdfast.OrganizationID, users []DirectoryUser) ([]DirectoryUser, error) {
	users = slices.Clone(users) // whose list it is may keep it
	return read(ctx, c, func(ctx context.Context, tx Tx) ([]DirectoryUser, error) {
		purpose, err := purposes(ctx, tx, org, mapped(users, func(u DirectoryUser) string { return u.ID }))
		for i := range users {
			users[i].Shared = users[i].Shared || holdfast.SharedPurpose(purpose[users[i].ID])
		}
		return users, err
	})
}

// purposes says what the mailboxes of users are for, as far as backups have read it; users by object id.
func purposes(ctx context.Context, tx Tx, org holdfast.OrganizationID, users []string) (map[string]string, error) {
	out := make(map[string]string, len(users))
	for some := range slices.Chunk(users, purposesAtOnce) {
		known, err := tx.DirectoryObjects(ctx, org, holdfast.DirectoryFilter{Kind: holdfast.DirectoryUser, Gone: true, IDs: some}, holdfast.Page{})
		if err != nil {
			return nil, err
		}
		for _, o := range known {
			out[o.ID] = o.Purpose
		}
	}
	return out, nil
}

// purposesAtOnce is how many users one query names.
const purposesAtOnce = 500

func copiedGroup(o holdfast.DirectoryObject) DirectoryGroup {
	return DirectoryGroup{ID: o.ID, Name: o.Name, DisplayName: o.DisplayName, Type: o.Type}
}

func copiedSite(o holdfast.DirectoryObject) DirectorySite {
	return DirectorySite{ID: o.ID, Name: o.DisplayName, URL: o.Name, Personal: o.Personal}
}

func mapped[A, B any](all []A, to func(A) B) []B {
	out := make([]B, len(all))
	for i, a := range all {
		out[i] = to(a)
	}
	return out
}
