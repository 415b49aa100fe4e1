package engine

import (
	"context"
	"fmt"
	"sync"
	"time"

	"holdfast/internal/holdfast"
	"holdfast/internal/vault"
)

// committer publishes the heads of one repository in groups: one flush, one journal entry, one database transaction for many
// containers. It has no goroutine: the container that waits longest keeps the time, and whoever finds the group due leads it.
type committer struct {
	engine *Engine

	flush sync.Mutex // held by the leader of a group; before mu

	mu        sync.Mutex // guards all below
	pending   []*sealed
	bytes     int64 // of new payload in pending
	working   int   // backups that may still bring a head
	idleSince time.Time
	hurry     bool
}

// sealed is a head on its way. done is closed when err, and record if err is nil, are set.
type sealed struct {
	lease      holdfast.Lease
	head       vault.Head
	checkpoint bool
	bytes      int64
	since      time.Time
	wake       chan struct{} // room for one: look at the time again

	done   chan struct{}
	taken  bool // by a leader; guarded by the committer's mu
	record holdfast.HeadRecord
	err    error
}

// begin counts a backup that may bring heads; end counts it off.
func (c *committer) begin() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.working++
}

func (c *committer) end() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.working--; c.working == 0 {
		c.idleSince = c.engine.Clock.Now()
		c.wakeFirst()
	}
}

func (c *committer) setHurry(on bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.hurry = on
	c.wakeFirst()
}

func (c *committer) wakeFirst() {
	if len(c.pending) == 0 {
		return
	}
	select {
	case c.pending[0].wake <- struct{}{}:
	default:
	}
}

// submit commits s together with others and returns its record. It ends the caller's work (see begin) unless s is a checkpoint.
// When ctx ends before the group is on its way, s is taken back and nothing has happened.
func (c *committer) submit(ctx context.Context, repo *vault.Repository, s *sealed) (holdfast.HeadRecord, error) {
	clock := c.engine.Clock
	s.wake, s.done, s.since = make(chan struct{}, 1), make(chan struct{}), clock.Now()
	c.mu.Lock()
	c.pending = append(c.pending, s)
	c.bytes += s.bytes
	due := s.checkpoint || c.hurry || len(c.pending) >= c.engine.GroupHeads || c.bytes >= c.engine.GroupBytes
	c.mu.Unlock()
	if !s.checkpoint {
		c.end() // after a checkpoint the backup goes on and is still at work
	}
	for !due {
		var timer <-chan time.Time
		var quiet bool
		c.mu.Lock()
		if !s.taken && c.pending[0] == s {
			var wait time.Duration
			if wait, quiet = c.dueIn(clock.Now()); wait <= 0 {
				c.mu.Unlock()
				break
			}
			timer = clock.After(wait)
		}
		c.mu.Unlock()
		select {
		case <-s.done:
			return s.record, s.err
		case <-s.wake:
		case <-timer:
			due = !quiet || c.idle()
		case <-ctx.Done():
			if c.takeBack(s) {
				return holdfast.HeadRecord{}, context.Cause(ctx)
			}
			<-s.done // on its way: its leader ends within CommitTime
			return s.record, s.err
		}
	}
	c.lead(ctx, repo)
	<-s.done
	return s.record, s.err
}

func (c *committer) idle() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.working == 0
}

// dueIn is how long the group may still wait, at most (the clock may have been moved), and whether that holds only while nothing
// is at work. mu is held.
func (c *committer) dueIn(now time.Time) (wait time.Duration, quiet bool) {
	if c.hurry {
		return 0, false
	}
	wait = min(c.pending[0].since.Add(c.engine.Window).Sub(now), c.engine.Window)
	if c.working == 0 {
		if q := min(c.idleSince.Add(c.engine.Quiet).Sub(now), c.engine.Quiet); q < wait {
			return q, true
		}
	}
	return wait, false
}

func (c *committer) takeBack(s *sealed) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if s.taken {
		return false
	}
	for i, p := range c.pending {
		if p == s {
			c.pending = append(c.pending[:i:i], c.pending[i+1:]...)
			c.bytes -= s.bytes
			break
		}
	}
	c.wakeFirst()
	return true
}

// lead commits all that waits, after the group before it. The group is everybody's: it does not end with the leader's own ctx.
func (c *committer) lead(ctx context.Context, repo *vault.Repository) {
	c.flush.Lock()
	defer c.flush.Unlock()
	c.mu.Lock()
	group := c.pending
	c.pending, c.bytes = nil, 0
	for _, s := range group {
		s.taken = true
	}
	c.mu.Unlock()
	if len(group) == 0 {
		return
	}
	defer func() {
		for _, s := range group {
			close(s.done)
		}
	}()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), c.engine.CommitTime)
	defer cancel()
	err := guard(func() error { c.engine.commitGroup(ctx, repo, group); return nil })
	for _, s := range group {
		if err != nil && s.err == nil {
			s.err = err
		}
	}
}

// commitGroup makes the heads durable in the repository and then current in the database. It sets each member's record or err.
func (e *Engine) commitGroup(ctx context.Context, repo *vault.Repository, group []*sealed) {
	for _, kind := range []vault.EntryKind{vault.Checkpoint, vault.Published} {
		var members []*sealed
		for _, s := range group {
			if s.checkpoint == (kind == vault.Checkpoint) {
				members = append(members, s)
			}
		}
		if len(members) > 0 {
			if e.bugs.commitFirst {
				for _, s := range members {
					s.record, s.err = s.head.Record(repo.Ref().Repository, "")
				}
				e.commitHeads(ctx, members)
			}
			e.publish(ctx, repo, members, kind)
			if !e.bugs.commitFirst {
				e.commitHeads(ctx, members)
			}
		}
	}
}

// publish writes the members' journal entry. Heads whose write session broke can't be published; they do not take the others along.
func (e *Engine) publish(ctx context.Context, repo *vault.Repository, members []*sealed, kind vault.EntryKind) {
	heads := make([]vault.Head, len(members))
	for i, s := range members {
		heads[i] = s.head
	}
	entry, err := repo.Publish(ctx, heads, kind)
	if len(members) > 1 && holdfast.KindOf(err) == holdfast.KindConflict {
		e.publish(ctx, repo, members[:len(members)/2], kind)
		e.publish(ctx, repo, members[len(members)/2:], kind)
		return
	}
	for _, s := range members {
		if e.bugs.believeStorage && err != nil {
			s.record, s.err = s.head.Record(repo.Ref().Repository, "")
			continue
		}
		if err == nil {
			s.record, s.err = s.head.Record(repo.Ref().Repository, entry.ID)
			continue
		}
		// Whether the entry is there or not, nothing in the database refers to it, and these heads are never committed: the
		// containers are read again. An entry without a row is harmless: it tells of a state that the source had.
		s.err = holdfast.Unavailable("the repository did not confirm the new head of %s; it is read from Microsoft 365 again: %w", s.head.Container, err)
	}
}

// commitHeads runs the transaction. A stale lease among many ends only its own head: the others are tried in halves.
func (e *Engine) commitHeads(ctx context.Context, members []*sealed) {
	commits := make([]holdfast.HeadCommit, 0, len(members))
	for _, s := range members {
		if s.err == nil {
			commits = append(commits, holdfast.HeadCommit{Lease: s.lease, Head: s.record, Checkpoint: s.checkpoint && !e.bugs.publishCheckpoints})
		}
	}
	if len(commits) == 0 {
		return
	}
	err := e.commitKnown(ctx, commits)
	switch {
	case err == nil:
	case len(members) > 1 && !e.bugs.staleTakesAll && holdfast.KindOf(err) == holdfast.KindStale:
		e.commitHeads(ctx, members[:len(members)/2])
		e.commitHeads(ctx, members[len(members)/2:])
	default:
		for _, s := range members {
			if s.err == nil {
				s.err = err
			}
		}
	}
}

// commitKnown commits and, when the outcome is unknown, reads it, until it is known or ctx ends. nil means that all are current.
func (e *Engine) commitKnown(ctx context.Context, commits []holdfast.HeadCommit) error {
	wait := e.CommitWait
	for {
		err := e.Catalogue.CommitHeads(ctx, commits)
		if err == nil || holdfast.KindOf(err) == holdfast.KindStale {
			return err
		}
		if e.bugs.guessCommit {
			return nil
		}
		e.Log.Warn("outcome of a commit is not known", "heads", len(commits), "error", err)
		for {
			if e.Clock.Sleep(ctx, wait) != nil {
				return holdfast.Unknown("the database did not say whether it took %d heads: %w", len(commits), err)
			}
			wait = min(2*wait, 30*time.Second)
			landed, readErr := e.landed(ctx, commits[0])
			if holdfast.KindOf(readErr) == holdfast.KindStale {
				return readErr
			} else if readErr != nil {
				continue
			} else if landed { // all or none
				return nil
			}
			break // it did not land: committing the same again is safe, even when the first attempt lands after all
		}
	}
}

// landed says whether the database has the head.
func (e *Engine) landed(ctx context.Context, c holdfast.HeadCommit) (bool, error) {
	head, checkpoint, err := e.Catalogue.CurrentHeads(ctx, c.Lease, c.Head.Repository, c.Head.Container)
	if err != nil {
		return false, fmt.Errorf("read the current head of %s: %w", c.Head.Container, err)
	}
	if c.Checkpoint {
		head = checkpoint
	}
	return head != nil && head.Number == c.Head.Number && head.Epoch == c.Head.Epoch && head.Journal == c.Head.Journal, nil
}
