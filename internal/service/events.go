package service

import (
	"context"
	"crypto/rand"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"holdfast/internal/holdfast"
)

// Events is the feed of what changed, for clients that do not want to ask again and again. It is kept in memory: a token of an earlier start of the
// server, or one that is older than what is kept, is outdated, and its client reads everything once.
type Events struct{ *core }

// Change says that an object is new or other than it was, or gone. Clients read the object itself.
type Change struct {
	Type         ChangeType
	ID           string
	Number       int64 // ascending over all changes since the server started
	Organization holdfast.OrganizationID
	Job          holdfast.JobID         // of a session
	Status       holdfast.SessionStatus // of a session
}

// ChangeType is what happened to what, in the contract's words.
type ChangeType string

// What is told. Of an object that changes again and again only the last change is kept.
const (
	JobUpdated            ChangeType = "JobUpdate"
	JobDeleted            ChangeType = "JobDelete"
	JobSessionUpdated     ChangeType = "JobSessionUpdate"
	RestorePointUpdated   ChangeType = "RestorePointUpdate"
	RestorePointDeleted   ChangeType = "RestorePointDelete"
	RestoreSessionUpdated ChangeType = "RestoreSessionUpdate"
)

// OutdatedToken is the error of a token that is not of this start of the server, or older than what is kept.
type OutdatedToken struct{}

func (OutdatedToken) Error() string {
	return "the token is outdated: read everything once, and then ask with from=latest for a new token"
}

// changesKept bounds the feed: more than what a server does between two calls of a client that waits.
const changesKept = 10_000

// feed has the last changes in order.
type feed struct {
	boot string
	mu   sync.Mutex // guards all below
	last int64      // number of the newest change
	gone int64      // number of the newest change that is not kept any more
	all  []Change   // in order; Type "" marks one that a later change of the same object replaced
	at   map[string]int
	bell bell
}

func newFeed() *feed { return &feed{boot: rand.Text()[:10], at: map[string]int{}} }

func (f *feed) add(changes []Change) {
	if len(changes) == 0 {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	defer f.bell.ring()
	for _, c := range changes {
		f.last++
		c.Number = f.last
		if i, ok := f.at[c.key()]; ok {
			f.all[i].Type = ""
		}
		f.at[c.key()] = len(f.all)
		f.all = append(f.all, c)
	}
	if len(f.all) <= 2*changesKept {
		return
	}
	kept := slices.DeleteFunc(f.all, func(c Change) bool { return c.Type == "" })
	if over := len(kept) - changesKept; over > 0 {
		f.gone = kept[over-1].Number
		kept = append([]Change(nil), kept[over:]...)
	}
	f.all = kept
	clear(f.at)
	for i, c := range kept {
		f.at[c.key()] = i
	}
}

// key names the object: its last change replaces those before.
func (c Change) key() string {
	return strings.TrimSuffix(strings.TrimSuffix(string(c.Type), "Update"), "Delete") + "/" + c.ID
}

// since gives at most limit changes after a number that see lets through, the number to go on from, and what to wait for when there are none.
func (f *feed) since(after int64, limit int, see func(Change) bool) (out []Change, next int64, more <-chan struct{}, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if after < f.gone || after > f.last {
		return nil, 0, nil, OutdatedToken{}
	}
	next = f.last
	for _, c := range f.all {
		if c.Number <= after || c.Type == "" || !see(c) {
			continue
		}
		if len(out) == limit {
			next = out[limit-1].Number
			break
		}
		out = append(out, c)
	}
	return out, next, f.bell.wait(), nil
}

// Since gives at most limit changes after a token, oldest first, and the token to go on from. It waits up to wait for the first one. From latest
// it gives none, but the token of now, at once. done ends the waiting early.
func (e *Events) Since(ctx context.Context, u User, from string, limit int, wait time.Duration, done <-chan struct{}) ([]Change, string, error) {
	if err := e.may(u, ActSeeEvents); err != nil {
		return nil, "", err
	}
	after, err := e.feed.number(from)
	if err != nil {
		return nil, "", err
	}
	scope := ScopeOf(u, ActSeeEvents)
	see := func(c Change) bool {
		return scope == nil || c.Organization != "" && scope.HasOrganization(c.Organization)
	}
	end := time.NewTimer(wait)
	defer end.Stop()
	for {
		changes, next, more, err := e.feed.since(after, limit, see)
		token := fmt.Sprintf("%s.%d", e.feed.boot, next)
		if err != nil || len(changes) > 0 || strings.EqualFold(from, "latest") {
			return changes, token, err
		}
		select {
		case <-more:
		case <-end.C:
			return nil, token, nil
		case <-done:
			return nil, token, nil
		case <-ctx.Done():
			return nil, "", ctx.Err()
		}
	}
}

// number is the number of a change in a token.
func (f *feed) number(token string) (int64, error) {
	if strings.EqualFold(token, "latest") {
		f.mu.Lock()
		defer f.mu.Unlock()
		return f.last, nil
	}
	boot, text, _ := strings.Cut(token, ".")
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return 0, holdfast.Invalid("from must be latest, or the nextChangeToken of an earlier answer")
	}
	if boot != f.boot {
		return 0, OutdatedToken{}
	}
	return n, nil
}

// noted is a store whose changes are told to the feed once they are committed.
type noted struct {
	Store
	feed *feed
}

func (n noted) Write(ctx context.Context, fn func(ctx context.Context, tx Tx) error) error {
	var changes []Change
	err := n.Store.Write(ctx, func(ctx context.Context, tx Tx) error {
		changes = nil // fn may run again
		return fn(ctx, &notedTx{tx, &changes})
	})
	if err == nil || holdfast.KindOf(err) == holdfast.KindUnknown { // a change too many costs a look, one too few is never seen
		n.feed.add(changes)
	}
	return err
}

// notedTx notes what a transaction changes.
type notedTx struct {
	Tx
	changes *[]Change
}

func (t *notedTx) note(err error, c Change) error {
	if err == nil {
		*t.changes = append(*t.changes, c)
	}
	return err
}

func (t *notedTx) PutJob(ctx context.Context, j holdfast.Job) error {
	return t.note(t.Tx.PutJob(ctx, j), Change{Type: JobUpdated, ID: string(j.ID), Organization: j.Organization})
}

func (t *notedTx) DeleteJob(ctx context.Context, id holdfast.JobID) error {
	j, err := t.Job(ctx, id)
	if err != nil && !missing(err) {
		return err
	}
	return t.note(t.Tx.DeleteJob(ctx, id), Change{Type: JobDeleted, ID: string(id), Organization: j.Organization})
}

func (t *notedTx) PutJobSession(ctx context.Context, s holdfast.JobSession) error {
	return t.note(t.Tx.PutJobSession(ctx, s), Change{Type: JobSessionUpdated, ID: string(s.ID), Organization: s.Organization, Job: s.Job, Status: s.Status})
}

func (t *notedTx) PutRestorePoint(ctx context.Context, p holdfast.RestorePoint) error {
	return t.note(t.Tx.PutRestorePoint(ctx, p), Change{Type: RestorePointUpdated, ID: string(p.ID), Organization: p.Organization})
}

// DeletePoint notes no organization, which only the whole point has: callers who see some organizations only are not told.
func (t *notedTx) DeletePoint(ctx context.Context, id holdfast.RestorePointID) error {
	return t.note(t.Tx.DeletePoint(ctx, id), Change{Type: RestorePointDeleted, ID: string(id)})
}

func (t *notedTx) PutRestoreSession(ctx context.Context, s holdfast.RestoreSession) error {
	return t.note(t.Tx.PutRestoreSession(ctx, s), Change{Type: RestoreSessionUpdated, ID: string(s.ID), Organization: s.Organization})
}
