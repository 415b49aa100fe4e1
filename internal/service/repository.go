package service

import (
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"holdfast/internal/holdfast"
)

// Repositories are the backup repositories.
type Repositories struct {
	*core
	mu    sync.Mutex // guards syncs
	syncs map[holdfast.RepositoryID]Synchronization
	queue chan syncRequest
}

func newRepositories(c *core) *Repositories {
	return &Repositories{core: c, syncs: map[holdfast.RepositoryID]Synchronization{}, queue: make(chan syncRequest, 64)}
}

// RepositorySpec asks for a repository, or (nil fields stay) for changes of one.
type RepositorySpec struct {
	Name        *string
	Description *string
	Path        *string
	Proxy       holdfast.ProxyID // empty or the built-in one
	// RetentionType is the contract's: SnapshotBased or ItemLevel. ItemLevel is refused.
	RetentionType string
	Retention     *holdfast.RetentionPeriod
	// The schedule of retention, see holdfast.Repository.
	RetentionFrequency, DailyTime, DailyType, MonthlyTime, MonthlyDayNumber, MonthlyDayOfWeek *string
	// ObjectStorage and EncryptionKey say that the request asked for what is not built.
	ObjectStorage bool
	// Attach takes over a place that an earlier installation wrote (the contract's attachUsedRepository).
	Attach bool
}

// Create checks the place, marks it, writes the recovery kit and adds the repository. With Attach the place's catalogue is read too.
func (r *Repositories) Create(ctx context.Context, u User, spec RepositorySpec) (holdfast.Repository, error) {
	if err := r.may(u, ActAddRepo); err != nil {
		return holdfast.Repository{}, err
	}
	id, err := r.id()
	if err != nil {
		return holdfast.Repository{}, err
	}
	repo := holdfast.Repository{ID: holdfast.RepositoryID(id), Created: r.now(), Retention: holdfast.RetentionPeriod{Years: 3},
		RetentionFrequency: "Daily", DailyTime: "00:00:00", DailyType: "Everyday", Proxy: builtInProxy, Attached: spec.Attach}
	if err := spec.apply(&repo); err != nil {
		return repo, err
	}
	if spec.RetentionType == "" {
		return repo, holdfast.Invalid("the retention type is missing; it is SnapshotBased")
	}
	if spec.Path == nil || *spec.Path == "" {
		return repo, holdfast.Invalid("the path of the repository's folder is missing")
	}
	if !filepath.IsAbs(repo.Path) {
		return repo, holdfast.Invalid("the path %q is not absolute; give the whole path from /", repo.Path)
	}
	if err := r.apart(ctx, repo.Path); err != nil {
		return repo, err
	}
	repo.NextRetention = nextRetention(repo, r.now())
	check := func(ctx context.Context, tx Tx) error {
		all, err := tx.Repositories(ctx, holdfast.Page{})
		if err != nil {
			return err
		}
		for _, other := range all {
			if strings.EqualFold(other.Name, repo.Name) {
				return holdfast.Conflict("there is a repository named %q already", other.Name)
			}
			if nested(other.Path, repo.Path) {
				return overlaps(repo.Path, other)
			}
		}
		return nil
	}
	if err := r.Store.Write(ctx, func(ctx context.Context, tx Tx) error {
		if err := check(ctx, tx); err != nil {
			return err
		}
		return r.audit(ctx, tx, u, "repository.create", "repository/"+id, fmt.Sprintf("%s at %s", repo.Name, repo.Path))
	}); err != nil {
		return repo, err
	}
	if err := r.Vaults.Prepare(ctx, repo, spec.Attach); err != nil {
		return repo, err
	}
	if _, err := write(ctx, r.core, func(ctx context.Context, tx Tx) (struct{}, error) {
		if err := check(ctx, tx); err != nil {
			return struct{}{}, err
		}
		return struct{}{}, tx.PutRepository(ctx, repo)
	}); err != nil {
		return repo, err
	}
	if spec.Attach {
		if _, err := r.Synchronize(ctx, u, repo.ID); err != nil {
			return repo, err
		}
	}
	return r.space(ctx, repo), nil
}

// apart refuses a folder that is one of another repository by a link: its other retention would count there too. A folder may be slow to tell where
// it is, so this is no part of a transaction.
func (r *Repositories) apart(ctx context.Context, path string) error {
	all, err := read(ctx, r.core, func(ctx context.Context, tx Tx) ([]holdfast.Repository, error) {
		return tx.Repositories(ctx, holdfast.Page{})
	})
	if err != nil {
		return err
	}
	leads := r.Vaults.Resolve(path)
	for _, other := range all {
		if nested(r.Vaults.Resolve(other.Path), leads) {
			return overlaps(path, other)
		}
	}
	return nil
}

func overlaps(path string, other holdfast.Repository) error {
	return holdfast.Conflict("the folder %s overlaps the one of repository %q (%s)", path, other.Name, other.Path)
}

// Update changes what spec names. The path can't change. A shorter retention is a loss to come: a browser's person must have proved lately
// who he is.
func (r *Repositories) Update(ctx context.Context, u User, id holdfast.RepositoryID, spec RepositorySpec) (holdfast.Repository, error) {
	if err := r.may(u, ActChangeRepo); err != nil {
		return holdfast.Repository{}, err
	}
	return write(ctx, r.core, func(ctx context.Context, tx Tx) (holdfast.Repository, error) {
		repo, err := tx.Repository(ctx, id)
		if err != nil {
			return repo, err
		}
		before := repo
		if spec.Path != nil && filepath.Clean(*spec.Path) != repo.Path {
			return repo, holdfast.Invalid("the path of repository %q can't change; move the folder, then add it as a used repository", repo.Name)
		}
		if err := spec.apply(&repo); err != nil {
			return repo, err
		}
		all, err := tx.Repositories(ctx, holdfast.Page{})
		if err != nil {
			return repo, err
		}
		for _, other := range all {
			if other.ID != id && strings.EqualFold(other.Name, repo.Name) {
				return repo, holdfast.Conflict("there is a repository named %q already", other.Name)
			}
		}
		if shorter(before.Retention, repo.Retention, r.now()) {
			if err := Proven(u); err != nil {
				return repo, err
			}
		}
		repo.NextRetention = nextRetention(repo, r.now())
		detail := holdfast.SayRetentionSet.With(repo.Name, describePeriod(repo.Retention))
		if before.Retention != repo.Retention {
			detail = holdfast.SayRetentionChanged.With(repo.Name, describePeriod(repo.Retention), describePeriod(before.Retention))
		}
		if err := r.audit(ctx, tx, u, "repository.update", "repository/"+string(id), detail); err != nil {
			return repo, err
		}
		return repo, tx.PutRepository(ctx, repo)
	})
}

// Delete forgets the repository; the bytes at its place stay. It is refused while jobs or restore sessions use it.
func (r *Repositories) Delete(ctx context.Context, u User, id holdfast.RepositoryID) error {
	if err := r.may(u, ActRemoveRepo); err != nil {
		return err
	}
	repo, err := write(ctx, r.core, func(ctx context.Context, tx Tx) (holdfast.Repository, error) {
		repo, err := tx.Repository(ctx, id)
		if err != nil {
			return repo, err
		}
		jobs, err := tx.Jobs(ctx, holdfast.JobFilter{Repository: id}, holdfast.Page{})
		if err != nil {
			return repo, err
		} else if len(jobs) > 0 {
			return repo, holdfast.Conflict("repository %q is used by %s: remove the jobs or give them another repository first", repo.Name, jobNames(jobs))
		}
		busy, err := tx.Tasks(ctx, holdfast.TaskFilter{Repository: id, States: []holdfast.TaskState{holdfast.TaskReady, holdfast.TaskRunning}}, holdfast.Page{Limit: 1})
		if err != nil {
			return repo, err
		} else if len(busy) > 0 {
			return repo, holdfast.Conflict("repository %q is in use by a %s task: wait for it or stop it first", repo.Name, busy[0].Kind)
		}
		open, err := tx.RestoreSessions(ctx, holdfast.RestoreSessionFilter{Active: true}, holdfast.Page{})
		if err != nil {
			return repo, err
		}
		for _, s := range open {
			for _, p := range s.Points {
				point, err := tx.RestorePoint(ctx, p)
				if err == nil && point.Repository == id {
					return repo, holdfast.Conflict("repository %q is being explored: stop restore session %s first", repo.Name, s.ID)
				} else if err != nil && !missing(err) {
					return repo, err
				}
			}
		}
		if err := r.audit(ctx, tx, u, "repository.delete", "repository/"+string(id), fmt.Sprintf("%s at %s", repo.Name, repo.Path)); err != nil {
			return repo, err
		}
		return repo, tx.DeleteRepository(ctx, id)
	})
	if err != nil {
		return err
	}
	return r.Vaults.Forget(ctx, repo)
}

// Get gives one repository, with the space at its place now.
func (r *Repositories) Get(ctx context.Context, u User, id holdfast.RepositoryID) (holdfast.Repository, error) {
	if err := r.may(u, ActSeeRepos); err != nil {
		return holdfast.Repository{}, err
	}
	repo, err := read(ctx, r.core, func(ctx context.Context, tx Tx) (holdfast.Repository, error) { return tx.Repository(ctx, id) })
	if err != nil {
		return repo, err
	}
	return r.space(ctx, repo), nil
}

// List gives repositories by name.
func (r *Repositories) List(ctx context.Context, u User, page holdfast.Page) ([]holdfast.Repository, error) {
	if err := r.may(u, ActSeeRepos); err != nil {
		return nil, err
	}
	all, err := read(ctx, r.core, func(ctx context.Context, tx Tx) ([]holdfast.Repository, error) { return tx.Repositories(ctx, page) })
	if err != nil {
		return nil, err
	}
	for i := range all {
		all[i] = r.space(ctx, all[i])
	}
	return all, nil
}

// space fills in capacity and free bytes; a place that can't be read now has zero of both.
func (r *Repositories) space(ctx context.Context, repo holdfast.Repository) holdfast.Repository {
	capacity, free, err := r.Vaults.Space(ctx, repo)
	if err != nil {
		r.Log.WarnContext(ctx, "space of repository not known", "repository", repo.ID, "error", err)
		return repo
	}
	repo.Capacity, repo.Free = capacity, free
	return repo
}

// RepositoryUsage is what one organization occupies in a repository.
type RepositoryUsage struct {
	Organization holdfast.Organization
	Bytes        int64
}

// Usage gives the organizations that a repository holds something of.
func (r *Repositories) Usage(ctx context.Context, u User, id holdfast.RepositoryID, page holdfast.Page) ([]RepositoryUsage, error) {
	if err := r.may(u, ActSeeRepos); err != nil {
		return nil, err
	}
	var repo holdfast.Repository
	used, err := read(ctx, r.core, func(ctx context.Context, tx Tx) ([]RepositoryUsage, error) {
		var err error
		if repo, err = tx.Repository(ctx, id); err != nil {
			return nil, err
		}
		held, err := tx.Containers(ctx, holdfast.ContainerFilter{Repository: id}, holdfast.Page{})
		if err != nil {
			return nil, err
		}
		var orgs []holdfast.OrganizationID
		for _, c := range held {
			if !slices.Contains(orgs, c.Organization) {
				orgs = append(orgs, c.Organization)
			}
		}
		var used []RepositoryUsage
		for _, o := range orgs {
			org, err := tx.Organization(ctx, o)
			if missing(err) {
				org = holdfast.Organization{ID: o}
			} else if err != nil {
				return nil, err
			}
			used = append(used, RepositoryUsage{Organization: org})
		}
		return used, nil
	})
	if err != nil {
		return nil, err
	}
	used = window(used, page)
	for i := range used {
		if used[i].Bytes, err = r.Vaults.Usage(ctx, repo, used[i].Organization.ID); err != nil {
			return nil, err
		}
	}
	return used, nil
}

// ExportKit gives the recovery kit, encrypted to a passphrase or to age recipients, and ends the nagging.
func (r *Repositories) ExportKit(ctx context.Context, u User, id holdfast.RepositoryID, passphrase holdfast.Secret, recipients []string) ([]byte, error) {
	if err := r.may(u, ActExportKit); err != nil {
		return nil, err
	}
	if (passphrase == "") == (len(recipients) == 0) {
		return nil, holdfast.Invalid("a recovery kit is encrypted either to a passphrase or to recipients: give one of them")
	}
	repo, err := r.Get(ctx, u, id)
	if err != nil {
		return nil, err
	}
	if err := r.auditNow(ctx, u, "repository.kit", "repository/"+string(id), fmt.Sprintf("%s, to %d recipients, passphrase %t", repo.Name, len(recipients), passphrase != "")); err != nil {
		return nil, err
	}
	kit, err := r.Vaults.Kit(ctx, repo, passphrase, recipients)
	if err != nil {
		return nil, err
	}
	return kit, r.Store.Write(ctx, func(ctx context.Context, tx Tx) error {
		repo, err := tx.Repository(ctx, id)
		if err != nil {
			return err
		}
		repo.KitExported = true
		return tx.PutRepository(ctx, repo)
	})
}

// Warnings gives what the owner should do about repositories: recovery kits never exported, places out of date.
func (r *Repositories) Warnings(ctx context.Context, u User) ([]string, error) {
	if err := r.may(u, ActSeeRepos); err != nil {
		return nil, err
	}
	all, err := read(ctx, r.core, func(ctx context.Context, tx Tx) ([]holdfast.Repository, error) {
		return tx.Repositories(ctx, holdfast.Page{})
	})
	var out []string
	for _, repo := range all {
		if !repo.KitExported {
			out = append(out, kitWarning(repo))
		}
		if repo.OutOfDate {
			out = append(out, holdfast.SayOutOfSync.With(repo.Name))
		}
	}
	if err != nil {
		return out, err
	}
	ending, err := r.certificateWarnings(ctx)
	return append(out, ending...), err
}

func kitWarning(repo holdfast.Repository) string {
	return holdfast.SayKitMissing.With(repo.Name, fmt.Sprintf("%q", repo.Name))
}

// Retain asks for a retention run now.
func (r *Repositories) Retain(ctx context.Context, u User, id holdfast.RepositoryID) error {
	if err := r.may(u, ActRunRetention); err != nil {
		return err
	}
	err := r.Store.Write(ctx, func(ctx context.Context, tx Tx) error {
		repo, err := tx.Repository(ctx, id)
		if err != nil {
			return err
		}
		if err := r.audit(ctx, tx, u, "repository.retention", "repository/"+string(id), repo.Name); err != nil {
			return err
		}
		return r.enqueueRetention(ctx, tx, repo)
	})
	r.bell.ring()
	return err
}

// SyncState is where a synchronization stands, in the contract's spelling.
type SyncState string

// The states of synchronizations.
const (
	SyncNone    SyncState = "None"
	SyncRunning SyncState = "Synchronizing"
	SyncFailed  SyncState = "Failed"
)

// Synchronization is the last reading of a repository's own catalogue. Its id is the repository's.
type Synchronization struct {
	Repository holdfast.RepositoryID
	State      SyncState
	Error      string
	Points     int // restore points found that were not known
	Started    time.Time
	Ended      time.Time
}

type syncRequest struct{ repo holdfast.Repository }

// Synchronize reads the repository's own records into the catalogue, in the background: what it holds that the database does not.
func (r *Repositories) Synchronize(ctx context.Context, u User, id holdfast.RepositoryID) (Synchronization, error) {
	if err := r.may(u, ActSynchronize); err != nil {
		return Synchronization{}, err
	}
	repo, err := write(ctx, r.core, func(ctx context.Context, tx Tx) (holdfast.Repository, error) {
		repo, err := tx.Repository(ctx, id)
		if err != nil {
			return repo, err
		}
		return repo, r.audit(ctx, tx, u, "repository.synchronize", "repository/"+string(id), repo.Name)
	})
	if err != nil {
		return Synchronization{}, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if s := r.syncs[id]; s.State == SyncRunning {
		return s, nil
	}
	s := Synchronization{Repository: id, State: SyncRunning, Started: r.now()}
	select {
	case r.queue <- syncRequest{repo}:
	default:
		return Synchronization{}, holdfast.Unavailable("too many repositories are waiting to be synchronized; try again later")
	}
	r.syncs[id] = s
	return s, nil
}

// Synchronization gives the last synchronization of a repository since the server started.
func (r *Repositories) Synchronization(ctx context.Context, u User, id holdfast.RepositoryID) (Synchronization, error) {
	if _, err := r.Get(ctx, u, id); err != nil {
		return Synchronization{}, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if s, ok := r.syncs[id]; ok {
		return s, nil
	}
	return Synchronization{Repository: id, State: SyncNone}, nil
}

// Synchronizations gives the last one of each repository since the server started.
func (r *Repositories) Synchronizations(ctx context.Context, u User) ([]Synchronization, error) {
	if err := r.may(u, ActSeeRepos); err != nil {
		return nil, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	var out []Synchronization
	for _, s := range r.syncs {
		out = append(out, s)
	}
	slices.SortFunc(out, func(a, b Synchronization) int { return b.Started.Compare(a.Started) })
	return out, nil
}

func anchorSetting(repo holdfast.RepositoryID, org holdfast.OrganizationID) string {
	return "ledger/" + string(repo) + "/" + string(org)
}

// putAnchor notes a ledger's head down outside of the repository. One that is older than what is noted down stays out: it would hide a rollback.
func putAnchor(ctx context.Context, tx Tx, repo holdfast.RepositoryID, org holdfast.OrganizationID, head holdfast.LedgerHead) error {
	known, err := Anchor(ctx, tx, repo, org)
	if err != nil || head.Sequence <= known.Sequence {
		return err
	}
	text, err := json.Marshal(head)
	if err != nil {
		return err
	}
	return tx.PutSetting(ctx, anchorSetting(repo, org), string(text))
}

// Anchor is the newest ledger head that the database noted down of an organization's part of a repository; the zero head when there is none.
func Anchor(ctx context.Context, tx Tx, repo holdfast.RepositoryID, org holdfast.OrganizationID) (head holdfast.LedgerHead, err error) {
	text, ok, err := tx.Setting(ctx, anchorSetting(repo, org))
	if err != nil || !ok {
		return head, err
	}
	if err := json.Unmarshal([]byte(text), &head); err != nil {
		return head, holdfast.Damaged("the database's note of the ledger of repository %s can't be read: %w", repo, err)
	}
	return head, nil
}

// apply writes spec's fields into repo and checks them.
func (s RepositorySpec) apply(repo *holdfast.Repository) error {
	switch {
	case s.ObjectStorage:
		return holdfast.Invalid("object storage is not built yet; a repository is a local folder")
	case strings.EqualFold(s.RetentionType, "ItemLevel"):
		return holdfast.Invalid("item-level retention is not built yet and would keep other data than snapshot-based retention does; choose SnapshotBased")
	case s.RetentionType != "" && !strings.EqualFold(s.RetentionType, "SnapshotBased"):
		return holdfast.Invalid("there is no retention type %q; it is SnapshotBased", s.RetentionType)
	case s.Proxy != "" && s.Proxy != builtInProxy:
		return holdfast.Invalid("there is no proxy %s; the only one is the built-in proxy %s", s.Proxy, builtInProxy)
	}
	for _, f := range []struct {
		to   *string
		from *string
	}{
		{&repo.Name, s.Name}, {&repo.Description, s.Description}, {&repo.Path, s.Path}, {&repo.RetentionFrequency, s.RetentionFrequency}, {&repo.DailyTime, s.DailyTime},
		{&repo.DailyType, s.DailyType}, {&repo.MonthlyTime, s.MonthlyTime}, {&repo.MonthlyDayNumber, s.MonthlyDayNumber}, {&repo.MonthlyDayOfWeek, s.MonthlyDayOfWeek},
	} {
		if f.from != nil {
			*f.to = *f.from
		}
	}
	if s.Retention != nil {
		repo.Retention = *s.Retention
	}
	repo.Name = strings.TrimSpace(repo.Name)
	if repo.Name == "" {
		return holdfast.Invalid("the repository's name is missing")
	}
	if repo.Path != "" {
		repo.Path = filepath.Clean(repo.Path)
	}
	if err := checkPeriod(repo.Retention); err != nil {
		return err
	}
	return checkRetentionSchedule(*repo)
}

func checkPeriod(p holdfast.RetentionPeriod) error {
	set := 0
	for _, n := range []int{p.Days, p.Months, p.Years} {
		if n < 0 || n > 36500 {
			return holdfast.Invalid("a retention period of %d is out of range", n)
		} else if n > 0 {
			set++
		}
	}
	if p.Forever {
		set++
	}
	if set != 1 {
		return holdfast.Invalid("a retention period is a number of days, months or years, or for ever: one of them")
	}
	return nil
}

func describePeriod(p holdfast.RetentionPeriod) string {
	switch {
	case p.Forever:
		return holdfast.SayForEver.With()
	case p.Days > 0:
		return holdfast.SayDays.With(p.Days)
	case p.Months > 0:
		return holdfast.SayMonths.With(p.Months)
	}
	return holdfast.SayYears.With(p.Years)
}

// nested says that one clean path is the other or lies in it.
func nested(a, b string) bool {
	in := func(a, b string) bool { return a == b || strings.HasPrefix(b, strings.TrimSuffix(a, "/")+"/") }
	return in(a, b) || in(b, a)
}
