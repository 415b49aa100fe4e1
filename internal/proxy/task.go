package proxy

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"

	"holdfast/internal/engine"
	"holdfast/internal/holdfast"
	"holdfast/internal/vault"
)

// task does what the task's kind asks for.
func (p *Proxy) task(ctx context.Context, r *run) (holdfast.TaskResult, error) {
	access, err := p.Control.Access(ctx, r.task.Lease())
	if err != nil {
		return holdfast.TaskResult{}, fmt.Errorf("get what task %s may use: %w", r.task.ID, err)
	}
	switch r.task.Kind {
	case holdfast.TaskDiscover:
		return p.discover(ctx, access)
	case holdfast.TaskBackup:
		return p.backup(ctx, r, access)
	case holdfast.TaskFinish:
		return p.finish(ctx, r, access)
	case holdfast.TaskRestore:
		return p.restore(ctx, r, access)
	case holdfast.TaskRetention:
		return p.retention(ctx, r, access)
	}
	return holdfast.TaskResult{}, holdfast.Invalid("this proxy does not know tasks of kind %q: update it", r.task.Kind)
}

func (p *Proxy) workload(kind holdfast.ContainerKind) (engine.Workload, error) {
	w := p.workloads[kind]
	if w == nil {
		return nil, holdfast.Invalid("this proxy can't protect a %s: update it", kind)
	}
	return w, nil
}

// discover finds the containers in the job's scope.
func (p *Proxy) discover(ctx context.Context, a Access) (holdfast.TaskResult, error) {
	var result holdfast.TaskResult
	ctx = engine.KnowUsers(ctx, a.Users)
	for _, w := range p.Workloads {
		users, any := scope(a, w.Kind())
		find := ctx
		if w.Kind() == holdfast.Mailbox && a.Organization.Exchange {
			if groups, all := groupScope(a.Job); all || len(groups) > 0 {
				find = engine.WithGroups(ctx, groups, all)
				if !any {
					users, any = []string{}, true // no user's
				}
			}
		}
		if w.Kind() == holdfast.Site && a.Organization.SharePoint {
			if of, all := personalScope(a.Job); all || len(of) > 0 {
				find = engine.WithPersonalSites(ctx, of, all)
				if !any {
					users, any = []string{}, true // no other site
				}
			}
		}
		if !any {
			continue
		}
		src, err := w.Source(ctx, a.Organization, a.Credential)
		if err != nil {
			return result, fmt.Errorf("connect to %s: %w", a.Organization.Name, err)
		}
		for found, err := range src.Discover(find, users) {
			if err != nil {
				return result, fmt.Errorf("look for %ss of %s: %w", w.Kind(), a.Organization.Name, err)
			}
			var skip *holdfast.Skip
			switch {
			case found.Err == nil:
				result.Found = append(result.Found, found.Container)
			case errors.As(found.Err, &skip) && (skip.Reason == holdfast.SkipGone || skip.Reason == holdfast.SkipUnlicensed):
				result.Skipped = append(result.Skipped, holdfast.PointEntry{Container: found.Container, State: holdfast.StateGone, Reason: found.Err.Error()})
			default:
				result.Skipped = append(result.Skipped, holdfast.PointEntry{Container: found.Container, State: holdfast.StateNotUpdated, Reason: found.Err.Error()})
			}
		}
	}
	return result, nil
}

// scope says whose containers of a kind (a site is its own) a job may want: nil users is all of the organization. The server drops what is excluded.
func scope(a Access, kind holdfast.ContainerKind) (users []string, any bool) {
	if !a.Organization.Protects(kind) {
		return nil, false
	}
	if a.Job.Scope == holdfast.EntireOrganization {
		return nil, kind != holdfast.ChatList && kind != holdfast.Chat || kind == holdfast.ChatList && a.Job.Chats
	}
	seen := map[string]bool{}
	for _, i := range a.Job.Selected {
		if i.Type == groupItem || kind == holdfast.Site && (i.Type == userItem || i.Type == personalItem) {
			continue // of a group its own mailbox is taken: groupScope; whose personal sites are, personalScope says
		}
		if !map[holdfast.ContainerKind]bool{holdfast.Mailbox: i.Mailbox, holdfast.Drive: i.OneDrive, holdfast.Site: i.Sites, holdfast.Team: i.Teams, holdfast.ChatList: i.Chats}[kind] {
			continue
		}
		if i.ObjectID == "" {
			return nil, true
		}
		if !seen[i.ObjectID] {
			seen[i.ObjectID] = true
			users = append(users, i.ObjectID)
		}
	}
	return users, len(users) > 0
}

// Types of items of a job, in the contract's spelling.
const (
	groupItem    = "Group"
	userItem     = "User"
	personalItem = "PersonalSites"
)

// personalScope says which personal sites a job takes: all, or those of these users.
func personalScope(job holdfast.Job) (users []string, all bool) {
	if job.Scope == holdfast.EntireOrganization {
		return nil, job.PersonalSites
	}
	for _, i := range job.Selected {
		switch {
		case i.Type == personalItem || i.PersonalSites:
			return nil, true
		case i.Type == userItem && i.Sites && !slices.Contains(users, i.ObjectID):
			users = append(users, i.ObjectID)
		}
	}
	return users, false
}

// groupScope says which mailboxes of Microsoft 365 groups a job takes: all, or those of these groups.
func groupScope(job holdfast.Job) (groups []string, all bool) {
	if job.Scope == holdfast.EntireOrganization {
		return nil, false
	}
	for _, i := range job.Selected {
		switch {
		case i.ObjectID == "" && i.GroupMailboxes:
			return nil, true
		case i.Type == groupItem && i.Mailbox && !slices.Contains(groups, i.ObjectID):
			groups = append(groups, i.ObjectID)
		}
	}
	return groups, false
}

// leftOut are the parts of a mailbox, or of a team, that every item of the job that takes it leaves out. Posts are also left out where the
// organization does not protect them.
func leftOut(a Access, c holdfast.Container) []holdfast.MailboxPart {
	parts, job := holdfast.MailboxParts, a.Job
	if c.Kind == holdfast.Team {
		if !a.Organization.TeamsChats {
			return []holdfast.MailboxPart{holdfast.PartPosts}
		}
		parts = []holdfast.MailboxPart{holdfast.PartPosts}
	}
	var out []holdfast.MailboxPart
	for _, part := range parts {
		taken, left := false, true
		for _, i := range job.Selected {
			if (i.Mailbox && c.Kind != holdfast.Team || i.Teams && c.Kind == holdfast.Team) && (i.ObjectID == "" || i.ObjectID == c.Owner) {
				taken, left = true, left && slices.Contains(i.LeaveOut, part)
			}
		}
		if taken && left && job.Scope != holdfast.EntireOrganization {
			out = append(out, part)
		}
	}
	return out
}

// open opens the organization's part of the task's repository.
func (p *Proxy) open(ctx context.Context, a Access, org holdfast.OrganizationID) (*vault.Repository, error) {
	repo, err := p.Open(ctx, a.Repository, org)
	if err != nil {
		return nil, fmt.Errorf("open backup repository %q: %w", a.Repository.Name, err)
	}
	return repo, nil
}

func (p *Proxy) backup(ctx context.Context, r *run, a Access) (result holdfast.TaskResult, err error) {
	w, err := p.workload(r.task.Container.Kind)
	if err != nil {
		return result, err
	}
	src, err := w.Source(ctx, a.Organization, a.Credential)
	if err != nil {
		return result, fmt.Errorf("connect to %s: %w", a.Organization.Name, err)
	}
	repo, err := p.open(ctx, a, r.task.Organization)
	if err != nil {
		return result, err
	}
	defer func() { err = errors.Join(err, repo.Close()) }()
	ctx = engine.LearnPurpose(ctx, func(purpose string) { result.Purpose = purpose })
	ctx = engine.WithHint(engine.LeaveFoldersOut(engine.LeaveOut(ctx, leftOut(a, r.task.Container)), a.FoldersLeftOut.Names()), string(r.task.Request))
	entry, stats, err := p.engine.Backup(ctx, repo, src, engine.BackupTask{
		Lease: r.task.Lease(), Container: r.task.Container, Anew: a.Anew, Progress: r.set, Waiting: func() { p.waits(r) },
		Found: func(c holdfast.Container, hint string) {
			result.Found = append(result.Found, c)
			if result.Hints == nil {
				result.Hints = map[string]string{}
			}
			result.Hints[c.Key()] = max(result.Hints[c.Key()], hint)
		},
	})
	r.set(stats)
	result.Entry = entry
	return result, err
}

func (p *Proxy) finish(ctx context.Context, r *run, a Access) (result holdfast.TaskResult, err error) {
	repo, err := p.open(ctx, a, r.task.Organization)
	if err != nil {
		return result, err
	}
	defer func() { err = errors.Join(err, repo.Close()) }()
	result.RestorePoint, err = p.engine.Finish(ctx, repo, engine.FinishTask{Lease: r.task.Lease(), Attempt: r.task.Attempt})
	p.anchor(&result, repo)
	return result, err
}

// anchor has the ledger's head noted down where the repository's folder is not.
func (p *Proxy) anchor(result *holdfast.TaskResult, repo *vault.Repository) {
	if result.Ledgers == nil {
		result.Ledgers = map[holdfast.OrganizationID]holdfast.LedgerHead{}
	}
	head := repo.LedgerHead()
	result.Ledgers[repo.Ref().Organization] = holdfast.LedgerHead{Sequence: head.Sequence, Hash: head.Hash, Time: p.Clock.Now().UTC()}
}

func (p *Proxy) restore(ctx context.Context, r *run, a Access) (result holdfast.TaskResult, err error) {
	if p.ForRestore != nil {
		ctx = p.ForRestore(ctx)
	}
	var request holdfast.RestoreRequest
	if err := json.Unmarshal(r.task.Request, &request); err != nil {
		return result, fmt.Errorf("decode the restore request: %w", err)
	}
	if request.End > 0 {
		return result, p.end(ctx, r, a, request)
	}
	point, err := p.Control.RestorePoint(ctx, request.Point)
	if err != nil {
		return result, fmt.Errorf("look up the restore point: %w", err)
	}
	at := slices.IndexFunc(point.Entries, func(e holdfast.PointEntry) bool { return e.Container.Key() == request.From })
	if at < 0 || point.Entries[at].Head == 0 {
		return result, holdfast.NotFound("the restore point of %s does not have %s", point.Time, request.From)
	}
	from := point.Entries[at].Container
	w, err := p.workload(from.Kind)
	if err != nil {
		return result, err
	}
	to, err := p.destination(ctx, w, a, from, request.To)
	if err != nil {
		return result, err
	}
	target, err := w.Target(ctx, a.Organization, a.Credential)
	if err != nil {
		return result, fmt.Errorf("connect to %s: %w", a.Organization.Name, err)
	}
	repo, err := p.open(ctx, a, point.Organization)
	if err != nil {
		return result, err
	}
	defer func() { err = errors.Join(err, repo.Close()) }()
	var done holdfast.Statistics
	for _, part := range byState(request, point.Entries[at].Head) {
		head, err := p.state(ctx, point, request.From, part.head)
		if err != nil {
			return result, err
		}
		before := done
		task := engine.RestoreTask{Lease: r.task.Lease(), Request: part.request, From: from, To: to, Progress: func(sofar holdfast.Statistics) { r.set(before.Plus(sofar)) }}
		stats, err := p.engine.Restore(ctx, repo, head, target, task, nil)
		done = before.Plus(stats)
		r.set(done)
		if err != nil {
			return result, err
		}
	}
	return result, nil
}

// end closes what a restore that does not go on left open. Its restore point may be gone.
func (p *Proxy) end(ctx context.Context, r *run, a Access, request holdfast.RestoreRequest) error {
	from := r.task.Container
	w, err := p.workload(from.Kind)
	if err != nil {
		return err
	}
	target, err := w.Target(ctx, a.Organization, a.Credential)
	if err != nil {
		return fmt.Errorf("connect to %s: %w", a.Organization.Name, err)
	}
	return p.engine.End(ctx, target, engine.RestoreTask{Lease: r.task.Lease(), Request: request, From: from, To: from})
}

// statePart is what a request restores of one state.
type statePart struct {
	head    uint64
	request holdfast.RestoreRequest
}

// byState splits a request by the states that its items are taken from; the restore point's own comes first.
func byState(request holdfast.RestoreRequest, head uint64) []statePart {
	if len(request.States) == 0 {
		return []statePart{{head, request}}
	}
	items := map[uint64][]string{}
	for _, id := range request.Items {
		at, ok := request.States[id]
		if !ok {
			at = head
		}
		items[at] = append(items[at], id)
	}
	heads := slices.Sorted(maps.Keys(items))
	slices.Reverse(heads)
	if i := slices.Index(heads, head); i > 0 {
		heads = slices.Insert(slices.Delete(heads, i, i+1), 0, head)
	}
	var parts []statePart
	for _, at := range heads {
		part := request
		part.Items = items[at]
		parts = append(parts, statePart{at, part})
	}
	return parts
}

// state is a head of a container.
func (p *Proxy) state(ctx context.Context, point holdfast.RestorePoint, container string, number uint64) (*vault.Head, error) {
	record, err := p.Control.Head(ctx, point.Repository, point.Organization, container, number)
	if err != nil {
		return nil, fmt.Errorf("look up the state of %s: %w", container, err)
	}
	return engine.HeadOf(&record)
}

// destination is the container that a restore goes to: the original one, or that of the user named by object id or address.
func (p *Proxy) destination(ctx context.Context, w engine.Workload, a Access, from holdfast.Container, user string) (holdfast.Container, error) {
	if user == "" || user == from.Owner || user == from.Address {
		return from, nil
	}
	src, err := w.Source(ctx, a.Organization, a.Credential)
	if err != nil {
		return from, fmt.Errorf("connect to %s: %w", a.Organization.Name, err)
	}
	for found, err := range src.Discover(ctx, []string{user}) {
		if err != nil {
			return from, fmt.Errorf("look for the %s of %s: %w", w.Kind(), user, err)
		}
		if found.Err != nil {
			return from, holdfast.Conflict("nothing can be restored to the %s of %s: %w", w.Kind(), user, found.Err)
		}
		return found.Container, nil
	}
	return from, holdfast.NotFound("%s has no %s to restore to", user, w.Kind())
}

// retention expires restore points of a repository and gives back what nothing needs, for each organization in it.
func (p *Proxy) retention(ctx context.Context, r *run, a Access) (holdfast.TaskResult, error) {
	lease := r.task.Lease()
	heads, err := p.Control.Heads(ctx, lease, a.Repository.ID)
	if err != nil {
		return holdfast.TaskResult{}, fmt.Errorf("look up current heads: %w", err)
	}
	var organizations []holdfast.OrganizationID
	for _, h := range heads {
		if !slices.Contains(organizations, h.Organization) {
			organizations = append(organizations, h.Organization)
		}
	}
	var errs []error
	var result holdfast.TaskResult
	for _, org := range organizations {
		if err := p.retain(ctx, lease, a, org, &result); err != nil {
			errs = append(errs, err)
		}
		if ctx.Err() != nil {
			return result, context.Cause(ctx)
		}
	}
	if len(errs) == 1 {
		return result, errs[0]
	}
	return result, errors.Join(errs...)
}

func (p *Proxy) retain(ctx context.Context, lease holdfast.Lease, a Access, org holdfast.OrganizationID, result *holdfast.TaskResult) (err error) {
	repo, err := p.open(ctx, a, org)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, repo.Close()) }()
	defer p.anchor(result, repo) // before it is given back
	retained, err := repo.Retain(ctx, vault.RetainOptions{
		Period: a.Repository.Retention,
		Spare:  a.RetentionExclusions.Of(org),
		Forget: func(ctx context.Context, expired []holdfast.RestorePointID) error {
			return p.Control.ForgetRestorePoints(ctx, lease, expired)
		},
	})
	if err != nil {
		return fmt.Errorf("expire restore points: %w", err)
	}
	// Read after the points were forgotten: a head that a backup has published since then must be among them.
	records, err := p.Control.Heads(ctx, lease, a.Repository.ID)
	if err != nil {
		return fmt.Errorf("look up current heads: %w", err)
	}
	var current []vault.Head
	for i := range records {
		if records[i].Organization != org {
			continue
		}
		head, err := engine.HeadOf(&records[i])
		if err != nil {
			return err
		}
		current = append(current, *head)
	}
	maintained, err := repo.Maintain(ctx, current)
	if err != nil {
		return fmt.Errorf("give back space: %w", err)
	}
	p.Log.InfoContext(ctx, "retention", "repository", a.Repository.ID, "organization", org, "expired", len(retained.Expired), "held", len(retained.Held),
		"freed", maintained.BytesFreed, "blobs", maintained.BlobsDeleted)
	return nil
}
