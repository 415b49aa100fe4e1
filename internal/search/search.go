// Package search finds mails and files by their words, over all containers and restore points of an organization.
//
// An Index keeps one side file (SQLite) per organization. It is made from the vault alone, after the fact and at low priority; it never
// holds up a backup, and deleting it loses nothing: it is made again and gives the same answers. See docs/search.md.
package search

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"holdfast/internal/extract"
	"holdfast/internal/holdfast"
	"holdfast/internal/sys"
	"holdfast/internal/vault"
)

// Catalogue is what the database knows of restore points. What does not exist is holdfast.KindNotFound.
type Catalogue interface {
	// Organizations gives all that may have something backed up.
	Organizations(ctx context.Context) ([]holdfast.OrganizationID, error)
	// Points gives all restore points of an organization, without their entries.
	Points(ctx context.Context, org holdfast.OrganizationID) ([]holdfast.RestorePoint, error)
	// Point gives one with its entries.
	Point(ctx context.Context, id holdfast.RestorePointID) (holdfast.RestorePoint, error)
	// Containers gives all containers of an organization, with their newest heads.
	Containers(ctx context.Context, org holdfast.OrganizationID) ([]holdfast.ContainerRecord, error)
	// Head is a head that a restore point shows, or the newest of a container.
	Head(ctx context.Context, repository holdfast.RepositoryID, org holdfast.OrganizationID, container string, number uint64) (holdfast.HeadRecord, error)
	// Path is the folder of a repository.
	Path(ctx context.Context, id holdfast.RepositoryID) (string, error)
}

// Config configures an Index. Folder, Vault and Catalogue are needed.
type Config struct {
	Folder    string // of the side files
	Vault     *vault.Vault
	Catalogue Catalogue
	Clock     sys.Clock
	Log       *slog.Logger
	Limits    extract.Limits // of what is read of one item; 1 MiB of text and 20 MiB unpacked unless it says otherwise
	// Busy says that backups or restores are running: the indexer then leaves them most of the machine.
	Busy func() bool
	// Interval is the pause between two looks at the catalogue; 0 means a minute. Wake shortens it to Gather, in which more may come
	// together; 0 means 5 s.
	Interval time.Duration
	Gather   time.Duration
	// Batch is how many new documents one transaction writes; 0 means 32000.
	Batch int
	// Crash, for tests, is called before each transaction that the indexer commits; its error ends the work.
	Crash func() error
}

// keptText is how many bytes of text of attachments stay in memory, for other mails that have the same ones.
const keptText = 8 << 20

// Index searches and keeps what it searches. It is safe for concurrent use.
type Index struct {
	c    Config
	wake chan struct{} // room for one
	kept *extract.Cache

	mu     sync.Mutex // guards all below
	files  map[holdfast.OrganizationID]*shelf
	closed bool
}

// shelf is an organization's side file with who uses it.
type shelf struct {
	org holdfast.OrganizationID

	index sync.Mutex // held while the file is written: one indexer at a time; before use

	use  sync.RWMutex // held for reading while the file is used, for writing while it is opened, closed or made anew; guards file
	file *file

	mu      sync.Mutex // guards all below
	working bool
	synced  time.Time
	problem string
}

// New makes an Index. Close it.
func New(c Config) *Index {
	if c.Clock == nil {
		c.Clock = sys.System
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Interval <= 0 {
		c.Interval = time.Minute
	}
	if c.Limits.Text <= 0 {
		c.Limits.Text = 1 << 20
	}
	if c.Limits.Unpacked <= 0 {
		c.Limits.Unpacked = 20 << 20
	}
	if c.Batch <= 0 {
		c.Batch = 32000
	}
	if c.Gather <= 0 {
		c.Gather = 5 * time.Second
	}
	if c.Busy == nil {
		c.Busy = func() bool { return false }
	}
	return &Index{c: c, wake: make(chan struct{}, 1), kept: extract.NewCache(keptText), files: map[holdfast.OrganizationID]*shelf{}}
}

// Wake says that heads or restore points were committed: Run looks at the catalogue soon.
func (x *Index) Wake() {
	select {
	case x.wake <- struct{}{}:
	default:
	}
}

// Run keeps the index up to date until ctx ends. What goes wrong with one organization is logged, shown by Status, and tried again.
func (x *Index) Run(ctx context.Context) error {
	for {
		if err := x.All(ctx); err != nil && ctx.Err() == nil {
			x.c.Log.Warn("search index is behind", "error", err)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-x.wake:
			if err := x.c.Clock.Sleep(ctx, x.c.Gather); err != nil {
				return err
			}
		case <-x.c.Clock.After(x.c.Interval):
		}
	}
}

// All brings the index of every organization up to date, and removes those of organizations that are no more.
func (x *Index) All(ctx context.Context) error {
	orgs, err := x.c.Catalogue.Organizations(ctx)
	if err != nil {
		return fmt.Errorf("list organizations: %w", err)
	}
	var errs []error
	for _, org := range orgs {
		if err := x.Update(ctx, org); err != nil {
			errs = append(errs, fmt.Errorf("organization %s: %w", org, err))
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
	return errors.Join(append(errs, x.sweep(orgs))...)
}

// sweep removes side files of organizations that are no more.
func (x *Index) sweep(orgs []holdfast.OrganizationID) error {
	files, err := filepath.Glob(filepath.Join(x.c.Folder, "*.db"))
	if err != nil {
		return err
	}
	var errs []error
	for _, f := range files {
		name := filepath.Base(f)
		org := holdfast.OrganizationID(name[:len(name)-len(".db")])
		if slices.Contains(orgs, org) {
			continue
		}
		s, err := x.shelf(org)
		if err != nil {
			return err
		}
		errs = append(errs, s.remove(f))
	}
	return errors.Join(errs...)
}

func (x *Index) path(org holdfast.OrganizationID) string {
	return filepath.Join(x.c.Folder, string(org)+".db")
}

var errClosed = holdfast.Unavailable("the search index is closed")

func (x *Index) shelf(org holdfast.OrganizationID) (*shelf, error) {
	if org == "" || filepath.Base(string(org)) != string(org) {
		return nil, holdfast.Invalid("%q is no id of an organization", org)
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.closed {
		return nil, errClosed
	}
	s := x.files[org]
	if s == nil {
		s = &shelf{org: org}
		x.files[org] = s
	}
	return s, nil
}

// with runs fn with the organization's open side file. A file that turns out to be damaged is made anew, empty; fn's error stays.
func (x *Index) with(ctx context.Context, s *shelf, fn func(f *file) error) error {
	s.use.RLock()
	if s.file == nil {
		s.use.RUnlock()
		if err := x.open(ctx, s); err != nil {
			return err
		}
		s.use.RLock()
	}
	f := s.file
	if f == nil {
		s.use.RUnlock()
		return errClosed
	}
	err := fn(f)
	s.use.RUnlock()
	if err != nil && spoiled(err) {
		x.c.Log.Warn("search index is damaged and made anew", "organization", s.org, "error", err)
		s.use.Lock()
		defer s.use.Unlock()
		if s.file == f {
			s.file = nil
			if again := errors.Join(f.close(), setAside(f.path, err)); again != nil {
				return errors.Join(err, again)
			}
		}
		x.Wake()
		return holdfast.Unavailable("%s%w", holdfast.SayIndexDamaged.With(""), err)
	}
	return err
}

func (x *Index) open(ctx context.Context, s *shelf) error {
	s.use.Lock()
	defer s.use.Unlock()
	if s.file != nil {
		return nil
	}
	x.mu.Lock()
	closed := x.closed
	x.mu.Unlock()
	if closed {
		return errClosed
	}
	if err := os.MkdirAll(x.c.Folder, 0o700); err != nil {
		return holdfast.Unavailable("%s%w", holdfast.SayIndexFolder.With(""), err)
	}
	f, err := openFile(ctx, x.path(s.org))
	if err != nil {
		return holdfast.Unavailable("%s%w", holdfast.SayIndexOpen.With(""), err)
	}
	s.file = f
	return nil
}

func (s *shelf) remove(path string) error {
	s.index.Lock()
	defer s.index.Unlock()
	s.use.Lock()
	defer s.use.Unlock()
	var err error
	if s.file != nil {
		err = s.file.close()
		s.file = nil
	}
	return errors.Join(err, removeFile(path), removeFile(path+damagedSuffix))
}

// Close closes the side files. Run has returned.
func (x *Index) Close() error {
	x.mu.Lock()
	x.closed = true
	all := x.files
	x.files = map[holdfast.OrganizationID]*shelf{}
	x.mu.Unlock()
	var errs []error
	for _, s := range all {
		s.use.Lock()
		if s.file != nil {
			errs = append(errs, s.file.close())
			s.file = nil
		}
		s.use.Unlock()
	}
	return errors.Join(errs...)
}
