// Package vault keeps containers of small items (mailboxes, drives) as immutable sorted runs in an encrypted repository, and gives
// back any restore point of them, byte for byte.
//
// A Writer collects what changed in one container and seals it into a run; the Head is the list of runs that is the container's
// state. Nothing counts before Publish: it flushes, writes one journal entry with the heads, and reads back. A restore point is a
// list of heads. A View reads a head: newest run wins, tombstones hide. Retention expires whole restore points; Maintain then
// walks what is left and deletes the rest. Verify proves all of it, Rebuild lists it again when the database is lost.
//
// The bytes are described in docs/format.md, the reasons in docs/adr/0001-run-encoding.md and 0002-merge-policy.md.
package vault

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"

	"holdfast/internal/holdfast"
	"holdfast/internal/sys"
	"holdfast/internal/vault/place"
)

// Ref names the part of a backup repository that holds one organization's data.
type Ref struct {
	Repository   holdfast.RepositoryID
	Path         string // folder of the backup repository
	Organization holdfast.OrganizationID
	Shard        int
}

// Options configure a Vault. The zero value of everything but Password works.
type Options struct {
	// Password gives the 32 bytes that open ref's repository.
	Password   func(ctx context.Context, ref Ref) ([]byte, error)
	CacheDir   string // for index files of open repositories; empty keeps them in memory
	CacheBytes int64  // of decoded chunks, blocks and folder orders in memory; 0 means 64 MiB
	MaxOpen    int    // repositories kept open when nobody uses them; 0 means 16
	Writers    int    // objects written at the same time in one repository; 0 means 4
	ReadOnly   bool
	Clock      sys.Clock
	Faults     *sys.Faults
	Log        *slog.Logger
}

// Vault keeps repositories open and owns the cache that they share.
type Vault struct {
	options Options
	cache   *cache
	zip     *zip
	watch   *clockWatch

	mu     sync.Mutex // guards all below; never held while opening
	open   map[Ref]*opened
	uses   uint64
	closed bool
}

// opened is a repository in the list of open ones, or on its way there.
type opened struct {
	ready chan struct{} // closed when repo or err is set
	repo  *Repository
	err   error
	refs  int
	last  uint64
}

// New makes a Vault. Close it.
func New(o Options) *Vault {
	if o.CacheBytes <= 0 {
		o.CacheBytes = 64 << 20
	}
	if o.MaxOpen <= 0 {
		o.MaxOpen = 16
	}
	if o.Writers <= 0 {
		o.Writers = 4
	}
	if o.Clock == nil {
		o.Clock = sys.System
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return &Vault{options: o, cache: newCache(o.CacheBytes), zip: newZip(o.Writers), watch: newClockWatch(o.Clock), open: map[Ref]*opened{}}
}

// CreateRepository makes the repository of ref in a prepared folder; its password is what Options.Password gives.
// wrapped, when not empty, is that password as the key file wraps it and stays readable beside the repository (place.ReadWrapped).
func (v *Vault) CreateRepository(ctx context.Context, ref Ref, wrapped []byte) error {
	o, err := v.placeOptions(ctx, ref)
	if err != nil {
		return err
	}
	o.Wrapped = wrapped
	return place.Create(ctx, o)
}

// Repository gives the repository of ref, opening it when it is not open yet. Give it back with Close.
func (v *Vault) Repository(ctx context.Context, ref Ref) (*Repository, error) {
	for {
		v.mu.Lock()
		if v.closed {
			v.mu.Unlock()
			return nil, errClosed
		}
		o := v.open[ref]
		first := o == nil
		if first {
			o = &opened{ready: make(chan struct{})}
			v.open[ref] = o
		}
		o.refs++
		v.uses++
		o.last = v.uses
		v.mu.Unlock()
		if first {
			o.repo, o.err = v.openRepository(ctx, ref)
			close(o.ready)
		}
		select {
		case <-o.ready:
		case <-ctx.Done():
			v.release(ctx, ref, o)
			return nil, ctx.Err()
		}
		if o.err == nil {
			return &Repository{shared: o.repo.shared, release: sync.OnceValue(func() error { return v.release(context.WithoutCancel(ctx), ref, o) })}, nil
		}
		v.mu.Lock()
		if v.open[ref] == o {
			delete(v.open, ref)
		}
		v.mu.Unlock()
		if first || ctx.Err() != nil || !errors.Is(o.err, context.Canceled) {
			return nil, o.err
		}
		// Another caller's context ended while it was opening for both of us: try ourselves.
	}
}

var errClosed = errors.New("the vault is closed")

func (v *Vault) openRepository(ctx context.Context, ref Ref) (*Repository, error) {
	if ref.Organization == "" {
		return nil, holdfast.Invalid("a repository's data is addressed by organization")
	}
	st, err := v.openStore(ctx, ref)
	if err != nil {
		return nil, err
	}
	return newRepository(v, ref, st), nil
}

func newRepository(v *Vault, ref Ref, st *store) *Repository {
	return &Repository{shared: &shared{
		vault: v, ref: ref, store: st, clock: v.options.Clock, sizes: defaultLayout,
		cachePrefix: fmt.Sprintf("%s/%s/%d", ref.Repository, ref.Organization, ref.Shard),
		writers:     map[*Writer]struct{}{}, sealed: map[string]sealedHead{},
	}}
}

// closeStore ends what the repository has open.
func (r *Repository) closeStore(ctx context.Context) error {
	r.mu.Lock()
	current := r.current
	r.current = nil
	r.mu.Unlock()
	var err error
	if current != nil {
		err = current.s.close(ctx)
	}
	return errors.Join(err, r.store.close(ctx))
}

// release gives one use back and closes the repositories that are unused longest when too many are open.
func (v *Vault) release(ctx context.Context, ref Ref, o *opened) error {
	v.mu.Lock()
	o.refs--
	var idle []*opened
	for len(v.open) > v.options.MaxOpen || v.closed && len(v.open) > 0 {
		var oldest *opened
		var at Ref
		for r, c := range v.open {
			if c.refs == 0 && c.repo != nil && (oldest == nil || c.last < oldest.last) {
				oldest, at = c, r
			}
		}
		if oldest == nil {
			break
		}
		delete(v.open, at)
		idle = append(idle, oldest)
	}
	v.mu.Unlock()
	var errs []error
	for _, c := range idle {
		errs = append(errs, c.repo.closeStore(ctx))
	}
	return errors.Join(errs...)
}

// Close closes all repositories that nobody uses; those in use are closed when they are given back.
func (v *Vault) Close(ctx context.Context) error {
	v.mu.Lock()
	v.closed = true
	var idle []*opened
	for r, c := range v.open {
		if c.refs == 0 {
			delete(v.open, r)
			idle = append(idle, c)
		}
	}
	v.mu.Unlock()
	var errs []error
	for _, c := range idle {
		if c.repo != nil {
			errs = append(errs, c.repo.closeStore(ctx))
		}
	}
	v.zip.close()
	return errors.Join(errs...)
}

// Repository is one organization's part of a backup repository. It is safe for concurrent use.
type Repository struct {
	*shared
	release func() error
}

// shared is what all users of an open repository share.
type shared struct {
	vault       *Vault
	ref         Ref
	store       *store
	clock       sys.Clock
	cachePrefix string
	sizes       layout
	bugs        bugs

	commit sync.Mutex // held while a record is made; before mu

	mu      sync.Mutex // guards all below
	last    string     // newest journal entry known
	writers map[*Writer]struct{}
	current *writeSession
	sealed  map[string]sealedHead // by head object: sealed and not published
}

// bugs are mistakes that tests plant to prove that they would be found. All are off otherwise.
type bugs struct {
	noReadBack    bool // Publish believes the storage
	noCheckpoints bool // the mark leaves out checkpoints
	noMoves       bool // a large newer run hides nothing below it
	filter        bool // filters lose half of their bits
	noTombs       bool // a merge drops tombstones although older runs lie below

	afterPut func(name string) // between the write of a record and its reading back: a storage that lies
}

func (s *shared) layout() *layout { return &s.sizes }

// Close gives the repository back to the vault, which keeps it open for the next user.
func (r *Repository) Close() error { return r.release() }

// LedgerHead names the newest entry of the ledger of blobs: who keeps it elsewhere notices when the place is put back to an older state.
func (r *Repository) LedgerHead() place.Head { return r.store.place.LedgerHead() }

// Anchoring tells how what LedgerHead gave once relates to the ledger that lies there now.
func (r *Repository) Anchoring(h place.Head) place.Anchoring { return r.store.place.Anchoring(h) }

// Ref is what the repository was opened by.
func (r *Repository) Ref() Ref { return r.ref }
