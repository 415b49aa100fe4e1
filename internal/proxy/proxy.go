package proxy

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"sync"
	"time"

	"holdfast/internal/engine"
	"holdfast/internal/holdfast"
	"holdfast/internal/sys"
	"holdfast/internal/vault"
)

// Checkpoint is after how long and how much an unfinished backup is made resumable. Zero takes the engine's defaults.
type Checkpoint struct {
	Every time.Duration
	Bytes int64
}

// Config configures a Proxy. Control, Workloads, ID and one of Open and Vault are needed.
type Config struct {
	Control   Control
	Workloads []engine.Workload
	ID        holdfast.ProxyID
	// Open opens an organization's part of a repository, making it the first time. nil opens only what is there, with Vault.
	Open  func(ctx context.Context, repo holdfast.Repository, org holdfast.OrganizationID) (*vault.Repository, error)
	Vault *vault.Vault
	Clock sys.Clock
	Log   *slog.Logger

	Tasks      int           // at work at one time; default 16
	Urgent     int           // more tasks that run when those are all at work, none of them backups; default 4
	Waiting    int           // containers that are read and wait to be committed together; default 4,096
	Lease      time.Duration // how long a lease holds without being renewed; the server's; default holdfast.LeaseTime
	Drain      time.Duration // longest that Run takes to end; default 25 s
	Checkpoint Checkpoint
	Engine     engine.Config // bounds of pool and group commit; Control, Clock and Log are filled in
	// Explain, when not nil, gives the clients' errors the kind and the words that a user understands.
	Explain func(err error) error
	// Pace says how long a restore takes at Microsoft's published limits, and which limit that is; nil: not known.
	Pace func(kind holdfast.ContainerKind, c holdfast.Cost) (time.Duration, string)
	// ForRestore, when not nil, marks the calls of a restore, so that they go before those of backups.
	ForRestore func(ctx context.Context) context.Context
}

// Proxy claims tasks and does them.
type Proxy struct {
	Config
	engine    *engine.Engine
	workloads map[holdfast.ContainerKind]engine.Workload

	mu      sync.Mutex // guards all below
	running map[holdfast.TaskID]*run
	active  int           // of running, those that are at work
	changed chan struct{} // closed and replaced when running or active shrinks
}

// run is a task at work.
type run struct {
	task    holdfast.Task
	cancel  context.CancelCauseFunc
	renewed time.Duration // monotonic; guarded by the Proxy's mu
	waiting bool          // for the group commit; guarded by the Proxy's mu

	mu       sync.Mutex // guards all below
	sofar    holdfast.Statistics
	reported holdfast.Statistics
}

// Why a task's context ended.
var (
	errStopped  = errors.New("stopped by the user")
	errLost     = errors.New("the task's lease was lost")
	errDraining = errors.New("the proxy is shutting down")
)

// New makes a Proxy. Run it.
func New(c Config) *Proxy {
	if c.Clock == nil {
		c.Clock = sys.System
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Tasks <= 0 {
		c.Tasks = 16
	}
	if c.Urgent <= 0 {
		c.Urgent = 4
	}
	if c.Waiting <= 0 {
		c.Waiting = 4096
	}
	if c.Lease <= 0 {
		c.Lease = holdfast.LeaseTime
	}
	if c.Drain <= 0 {
		c.Drain = 25 * time.Second
	}
	if c.Open == nil {
		v := c.Vault
		c.Open = func(ctx context.Context, repo holdfast.Repository, org holdfast.OrganizationID) (*vault.Repository, error) {
			return v.Repository(ctx, vault.Ref{Repository: repo.ID, Path: repo.Path, Organization: org})
		}
	}
	e := c.Engine
	e.Catalogue, e.Intents, e.Clock, e.Log = c.Control, c.Control, c.Clock, c.Log
	if c.Checkpoint.Every > 0 {
		e.CheckpointEvery = c.Checkpoint.Every
	}
	if c.Checkpoint.Bytes > 0 {
		e.CheckpointBytes = c.Checkpoint.Bytes
	}
	p := &Proxy{Config: c, engine: engine.New(e), workloads: map[holdfast.ContainerKind]engine.Workload{}, running: map[holdfast.TaskID]*run{}, changed: make(chan struct{})}
	for _, w := range c.Workloads {
		p.workloads[w.Kind()] = w
	}
	return p
}

// Run claims and does tasks until ctx ends; then it lets what is nearly done finish, stops the rest where it can be resumed, and
// returns within Drain. A task that it stops stays claimed: it is done again when its lease has ended.
func (p *Proxy) Run(ctx context.Context) error {
	work, stop := context.WithCancelCause(context.WithoutCancel(ctx))
	defer stop(nil)
	var keeper sync.WaitGroup
	defer keeper.Wait()
	keeping, stopKeeper := context.WithCancel(work)
	defer stopKeeper()
	keeper.Go(func() { p.keep(keeping) })
	p.engine.Hurry(false)
	p.claim(ctx, work)
	return p.drain(work, stop)
}

// claim starts tasks until ctx ends.
func (p *Proxy) claim(ctx, work context.Context) {
	pause := time.Duration(0)
	for ctx.Err() == nil {
		free, urgent, changed := p.free()
		if free+urgent == 0 {
			select {
			case <-changed:
			case <-ctx.Done():
			}
			continue
		}
		var tasks []holdfast.Task
		var err error
		before := sys.Monotonic()
		if free > 0 {
			tasks, err = p.Control.Claim(ctx, p.ID, free)
		} else {
			tasks, err = p.Control.ClaimUrgent(ctx, p.ID, urgent)
		}
		if err != nil {
			if ctx.Err() != nil {
				return
			}
			pause = min(max(2*pause, time.Second), 30*time.Second)
			p.Log.WarnContext(ctx, "no tasks could be claimed", "error", err, "again_in", pause)
			if p.Clock.Sleep(ctx, pause) != nil {
				return
			}
			continue
		}
		pause = 0
		for _, t := range tasks {
			p.start(work, t, before)
		}
		if free == 0 && len(tasks) == 0 {
			select {
			case <-changed:
			case <-p.Clock.After(urgentEvery):
			case <-ctx.Done():
			}
		}
	}
}

// urgentEvery is how often a proxy that is full asks for what is urgent.
const urgentEvery = time.Second

// free is how many tasks may start, how many urgent ones when that is none, and a channel that tells when that may have changed.
func (p *Proxy) free() (free, urgent int, changed <-chan struct{}) {
	p.mu.Lock()
	defer p.mu.Unlock()
	free = max(min(p.Tasks-p.active, p.Tasks+p.Waiting-len(p.running)), 0)
	return free, max(p.Tasks+p.Urgent-p.active, 0), p.changed
}

func (p *Proxy) tell() {
	close(p.changed)
	p.changed = make(chan struct{})
}

// Busy says that the proxy has tasks.
func (p *Proxy) Busy() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.running) > 0
}

// start does a task in a goroutine that drain waits for.
func (p *Proxy) start(work context.Context, t holdfast.Task, claimed time.Duration) {
	ctx, cancel := context.WithCancelCause(work)
	r := &run{task: t, cancel: cancel, renewed: claimed}
	p.mu.Lock()
	p.running[t.ID] = r
	p.active++
	p.mu.Unlock()
	go func() {
		defer cancel(nil)
		p.do(ctx, r)
		p.mu.Lock()
		defer p.mu.Unlock()
		delete(p.running, t.ID)
		if !r.waiting {
			p.active--
		}
		p.tell()
	}()
}

// waits notes that a task is no longer at work.
func (p *Proxy) waits(r *run) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !r.waiting {
		r.waiting = true
		p.active--
		p.tell()
	}
}

// do does a task and reports its end.
func (p *Proxy) do(ctx context.Context, r *run) {
	result, err := p.guarded(ctx, r)
	log := p.Log.With("task", r.task.ID, "kind", r.task.Kind, "job_session", r.task.JobSession)
	switch cause := context.Cause(ctx); {
	case errors.Is(cause, errDraining), errors.Is(cause, errLost):
		if err != nil {
			log.InfoContext(ctx, "task left undone", "cause", cause)
			return // another claim goes on with it
		}
	case errors.Is(cause, errStopped) && err != nil:
		result.Err, result.Retriable = errStopped.Error(), false
		err = nil
	}
	if err != nil {
		p.explain(ctx, log, err, &result)
	}
	r.mu.Lock()
	result.Statistics = r.sofar.Since(r.reported)
	r.mu.Unlock()
	// The end is reported even when the task's own context has ended, but not for longer than the lease may hold.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), p.Lease)
	defer cancel()
	pause := 100 * time.Millisecond
	for {
		err := p.Control.Complete(ctx, r.task.Lease(), result)
		if err == nil {
			return
		} else if holdfast.KindOf(err) == holdfast.KindStale {
			log.WarnContext(ctx, "the task's end came too late", "error", err)
			return
		}
		log.WarnContext(ctx, "the task's end could not be reported", "error", err)
		if p.Clock.Sleep(ctx, pause) != nil {
			return
		}
		pause = min(2*pause, 5*time.Second)
	}
}

// guarded turns a panic into the task's failure.
func (p *Proxy) guarded(ctx context.Context, r *run) (result holdfast.TaskResult, err error) {
	defer func() {
		if x := recover(); x != nil {
			err = fmt.Errorf("internal check: panic: %v\n%s", x, debug.Stack())
		}
	}()
	return p.task(ctx, r)
}

// explain puts an error into a result as a user may see it.
func (p *Proxy) explain(ctx context.Context, log *slog.Logger, err error, result *holdfast.TaskResult) {
	var skip *holdfast.Skip
	if errors.As(err, &skip) {
		result.Err, result.Reason = skip.Error(), skip.Reason
		switch skip.Reason {
		case holdfast.SkipTransient, holdfast.SkipLocked, holdfast.SkipChanging:
			result.Retriable = true
		}
		return
	}
	if p.Explain != nil && holdfast.KindOf(err) == holdfast.KindInternal {
		err = p.Explain(err)
	}
	switch kind := holdfast.KindOf(err); kind {
	case holdfast.KindInternal:
		id := make([]byte, 6)
		_, _ = rand.Read(id) // never fails
		log.ErrorContext(ctx, "internal error", "id", hex.EncodeToString(id), "error", err)
		result.Err, result.Retriable = fmt.Sprintf("internal error %s; the log has the details under this id", hex.EncodeToString(id)), true
	default:
		log.WarnContext(ctx, "task failed", "error", err)
		result.Err = err.Error()
		result.Retriable = kind == holdfast.KindUnavailable || kind == holdfast.KindUnknown || kind == holdfast.KindStale
	}
	if result.Reason == "" && result.Retriable {
		result.Reason = holdfast.SkipTransient
	}
}

// keep renews leases, stops what was cancelled or lost, and passes progress on, until ctx ends.
func (p *Proxy) keep(ctx context.Context) {
	every := min(p.Lease/6, 2*time.Second) // a cancel must be heard within 5 s
	for p.Clock.Sleep(ctx, every) == nil {
		p.renew(ctx)
		p.progress(ctx)
	}
}

func (p *Proxy) renew(ctx context.Context) {
	p.mu.Lock()
	leases := make([]holdfast.Lease, 0, len(p.running))
	for _, r := range p.running {
		leases = append(leases, r.task.Lease())
	}
	p.mu.Unlock()
	if len(leases) == 0 {
		return
	}
	asked := sys.Monotonic()
	call, cancel := context.WithTimeout(ctx, p.Lease/4) // so that a loss is noticed before the lease can have ended
	ended, err := p.Control.Renew(call, leases)
	cancel()
	p.mu.Lock()
	defer p.mu.Unlock()
	if err != nil {
		p.Log.WarnContext(ctx, "leases could not be renewed", "error", err)
		for _, r := range p.running {
			if sys.Monotonic()-r.renewed > holdfast.LeaseSure(p.Lease) {
				r.cancel(errLost)
			}
		}
		return
	}
	for _, l := range leases {
		if r := p.running[l.Task]; r != nil && r.task.Epoch == l.Epoch {
			r.renewed = asked
		}
	}
	for _, id := range ended {
		if r := p.running[id]; r != nil {
			r.cancel(errStopped) // or lost: then Complete is refused, and changes nothing
		}
	}
}

// progress passes on what tasks have done since it last did.
func (p *Proxy) progress(ctx context.Context) {
	p.mu.Lock()
	all := make([]*run, 0, len(p.running))
	for _, r := range p.running {
		all = append(all, r)
	}
	p.mu.Unlock()
	for _, r := range all {
		r.mu.Lock()
		sofar := r.sofar
		delta := sofar.Since(r.reported)
		r.mu.Unlock()
		if delta == (holdfast.Statistics{}) {
			continue
		}
		if err := p.Control.Progress(ctx, r.task.Lease(), delta); err != nil {
			p.Log.DebugContext(ctx, "progress not reported", "task", r.task.ID, "error", err)
			continue
		}
		r.mu.Lock()
		r.reported = sofar
		r.mu.Unlock()
	}
}

// set notes what a task has done so far.
func (r *run) set(sofar holdfast.Statistics) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.sofar = sofar
}

// drain commits what waits for company, then stops the rest.
func (p *Proxy) drain(work context.Context, stop context.CancelCauseFunc) error {
	p.engine.Hurry(true)
	limit := p.Clock.After(p.Drain)
	grace := p.Clock.After(p.Drain / 4)
	for {
		p.mu.Lock()
		left, active, changed := len(p.running), p.active, p.changed
		p.mu.Unlock()
		switch {
		case left == 0:
			return nil
		case active == left && work.Err() == nil:
			stop(errDraining) // only long work is left
		}
		select {
		case <-changed:
		case <-grace:
			stop(errDraining)
			grace = nil
		case <-limit:
			return fmt.Errorf("%d tasks did not stop within %v", left, p.Drain)
		}
	}
}
