package engine

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"holdfast/internal/holdfast"
	"holdfast/internal/sys"
	"holdfast/internal/vault"
)

// Catalogue is what a backup needs of the database. proxy.Control has it.
//
// A stale lease gives a KindStale error and changes nothing. After any other error the outcome is unknown, and is read.
type Catalogue interface {
	CurrentHeads(ctx context.Context, lease holdfast.Lease, repository holdfast.RepositoryID, container holdfast.Container) (head, checkpoint *holdfast.HeadRecord, err error)
	CommitHeads(ctx context.Context, commits []holdfast.HeadCommit) error
	SessionEntries(ctx context.Context, lease holdfast.Lease) ([]holdfast.PointEntry, error)
	SessionOutcome(ctx context.Context, lease holdfast.Lease) (holdfast.RestorePoint, error)
	CommitRestorePoint(ctx context.Context, lease holdfast.Lease, point holdfast.RestorePoint) error
	Head(ctx context.Context, repository holdfast.RepositoryID, organization holdfast.OrganizationID, container string, number uint64) (holdfast.HeadRecord, error)
}

// Intents is what a restore needs of the database. proxy.Control has it.
type Intents interface {
	BeginItem(ctx context.Context, lease holdfast.Lease, request, item, version string) (earlier *holdfast.ItemResult, began bool, err error)
	MadeItem(ctx context.Context, lease holdfast.Lease, request, item, newID string) error
	EndItem(ctx context.Context, lease holdfast.Lease, request string, result holdfast.ItemResult) error
}

// Config configures an Engine. The zero value of everything but Catalogue and Intents takes defaults.
type Config struct {
	Catalogue Catalogue
	Intents   Intents
	Clock     sys.Clock
	Log       *slog.Logger

	Pool PoolLimits // backups

	CheckpointEvery time.Duration // default 15 minutes
	CheckpointBytes int64         // default 1 GiB

	// Heads of many containers are committed together: when the first has waited Window (default 2 minutes), when there are
	// GroupHeads (default 4,096) or GroupBytes of new payload (default 256 MiB), or when nothing has been at work for Quiet (default 200 ms).
	Window     time.Duration
	Quiet      time.Duration
	GroupHeads int
	GroupBytes int64

	RestorePuts  int           // items of one restore at a time; default 4
	RestoreTries int           // attempts at an item; default 4
	RestoreWait  time.Duration // before the second attempt, doubling; default 2 s

	CommitWait time.Duration // between attempts to learn what became of a commit, doubling; default 500 ms
	CommitTime time.Duration // longest that one group's commit may take; default 5 minutes
}

func (c Config) withDefaults() Config {
	def := func(d *time.Duration, v time.Duration) {
		if *d <= 0 {
			*d = v
		}
	}
	if c.Clock == nil {
		c.Clock = sys.System
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	def(&c.CheckpointEvery, 15*time.Minute)
	if c.CheckpointBytes <= 0 {
		c.CheckpointBytes = 1 << 30
	}
	def(&c.Window, 2*time.Minute)
	def(&c.Quiet, 200*time.Millisecond)
	if c.GroupHeads <= 0 {
		c.GroupHeads = 4096
	}
	if c.GroupBytes <= 0 {
		c.GroupBytes = 256 << 20
	}
	if c.RestorePuts <= 0 {
		c.RestorePuts = 4
	}
	if c.RestoreTries <= 0 {
		c.RestoreTries = 4
	}
	def(&c.RestoreWait, 2*time.Second)
	def(&c.CommitWait, 500*time.Millisecond)
	def(&c.CommitTime, 5*time.Minute)
	return c
}

// Engine moves items. It is safe for concurrent use and has no goroutines while nothing runs.
type Engine struct {
	Config
	pool *Pool
	bugs bugs

	mu         sync.Mutex // guards all below
	committers map[vault.Ref]*committer
	hurry      bool
}

// bugs are mistakes that tests plant to prove that they would be found (planted_test.go). All are off otherwise.
type bugs struct {
	commitFirst        bool // the database hears of a head before the repository has it
	believeStorage     bool // an error of Publish is overlooked
	guessCommit        bool // an unknown outcome is taken for success
	staleTakesAll      bool // one stale lease fails its whole group
	emptyWhenGone      bool // a container that is gone becomes an empty one
	publishCheckpoints bool // an unfinished state becomes current
	swallowCheckpoints bool // what is in a checkpoint is not published when nothing follows
	alwaysNew          bool // an idle container gets a new head
	forgetMisses       bool // a skip is named by the session that met it only
	unordered          bool // two puts of one item end in any order
	pointUnwritten     bool // a restore point is committed without its record
	neverAgain         bool // a repeated put is taken for a first one
}

// New makes an Engine.
func New(c Config) *Engine {
	c = c.withDefaults()
	return &Engine{Config: c, pool: NewPool(c.Pool), committers: map[vault.Ref]*committer{}}
}

func (e *Engine) committer(repo *vault.Repository) *committer {
	e.mu.Lock()
	defer e.mu.Unlock()
	c := e.committers[repo.Ref()]
	if c == nil {
		c = &committer{engine: e, hurry: e.hurry}
		e.committers[repo.Ref()] = c
	}
	return c
}

// Hurry makes finished containers be committed at once instead of waiting for others; on false they wait again. A proxy that
// is about to end asks for it.
func (e *Engine) Hurry(on bool) {
	e.mu.Lock()
	e.hurry = on
	var all []*committer
	for _, c := range e.committers {
		all = append(all, c)
	}
	e.mu.Unlock()
	for _, c := range all {
		c.setHurry(on)
	}
}

// HeadOf is the vault's head in a record; nil for nil.
func HeadOf(r *holdfast.HeadRecord) (*vault.Head, error) {
	if r == nil {
		return nil, nil
	}
	h, err := vault.DecodeHead(r.Data)
	if err != nil {
		return nil, holdfast.Damaged("the database's record of head %d of %s can't be read: rebuild the catalogue from the repository: %w", r.Number, r.Container, err)
	}
	if h.Container.Key() != r.Container.Key() || h.Number != r.Number {
		return nil, holdfast.Damaged("the database's record of head %d of %s holds head %d of %s: rebuild the catalogue from the repository", r.Number, r.Container, h.Number, h.Container)
	}
	return h, nil
}
