package service

import (
	"context"

	"holdfast/internal/holdfast"
)

// Access gives what a task needs to reach Microsoft 365 and the repository. Before a session looks for its objects the copy of the directory
// is brought up to date; when that fails an older copy serves, and without any everything is asked for, unless the job has groups.
func (c *Control) Access(ctx context.Context, lease holdfast.Lease) (holdfast.Access, error) {
	task, err := read(ctx, c.core, func(ctx context.Context, tx Tx) (holdfast.TaskRecord, error) { return c.held(ctx, tx, lease) })
	if err != nil {
		return holdfast.Access{}, err
	}
	if task.Kind == holdfast.TaskDiscover {
		if err := c.beforeDiscovery(ctx, task); err != nil {
			return holdfast.Access{}, err
		}
	}
	return read(ctx, c.core, func(ctx context.Context, tx Tx) (holdfast.Access, error) {
		var a holdfast.Access
		t, err := c.held(ctx, tx, lease)
		if err != nil {
			return a, err
		}
		if a.Repository, err = tx.Repository(ctx, t.Repository); err != nil {
			return a, err
		}
		if t.Kind == holdfast.TaskRetention {
			a.RetentionExclusions, err = setting[holdfast.RetentionExclusions](ctx, tx, settingRetentionSparing)
			return a, err
		}
		if a.Organization, err = tx.Organization(ctx, t.Organization); err != nil {
			return a, err
		}
		if t.Job != "" {
			if a.Job, err = tx.Job(ctx, t.Job); err != nil {
				return a, err
			}
			switch t.Kind {
			case holdfast.TaskDiscover:
				scope, err := scopeOf(ctx, tx, a.Job, a.Organization)
				if err != nil {
					return a, err
				}
				a.Job = scope.expanded()
				held, err := tx.Containers(ctx, holdfast.ContainerFilter{Organization: t.Organization, Repository: t.Repository, Kind: holdfast.Drive}, holdfast.Page{})
				if err != nil {
					return a, err
				}
				sites, err := tx.Containers(ctx, holdfast.ContainerFilter{Organization: t.Organization, Repository: t.Repository, Kind: holdfast.Site}, holdfast.Page{})
				if err != nil {
					return a, err
				}
				if a.Users, err = usersFor(ctx, tx, t.Organization, append(held, sites...)); err != nil {
					return a, err
				}
			case holdfast.TaskBackup:
				if a.Job, err = jobFor(ctx, tx, a.Job, t.Container); err != nil {
					return a, err
				}
			}
		}
		if t.Kind == holdfast.TaskBackup {
			s, err := tx.JobSession(ctx, t.JobSession)
			if err != nil {
				return a, err
			}
			a.Anew = s.Anew
			if t.Container.Kind == holdfast.Mailbox {
				if a.FoldersLeftOut, err = setting[holdfast.FolderExclusions](ctx, tx, settingFolders); err != nil {
					return a, err
				}
			}
		}
		if t.OwnCredential {
			var ok bool
			if a.Credential, ok = c.ownCredential(t.ID); !ok {
				return a, holdfast.Conflict("the application that the restore was asked for with is not known any more, because the server was restarted: ask for the restore again")
			}
			return a, nil
		}
		a.Credential, err = c.credential(ctx, tx, t.Organization)
		return a, err
	})
}

func (c *core) ownCredential(t holdfast.TaskID) (holdfast.Credential, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	cred, ok := c.restoreCredentials[t]
	return cred, ok
}

func (c *core) dropCredential(t holdfast.TaskID) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.restoreCredentials, t)
}
