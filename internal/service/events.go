package service

import (
	"context"
	"crypto/rand"
	"fmt"
	"reflect"
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

// Gone says that the object is no longer there.
func (t ChangeType) Gone() bool { return strings.HasSuffix(string(t), "Delete") }

// What is told. Of an object that changes again and again only the last change is kept.
const (
	JobUpdated                 ChangeType = "JobUpdate"
	JobDeleted                 ChangeType = "JobDelete"
	JobSelectedChanged         ChangeType = "JobSelectedItemsChange"
	JobExcludedChanged         ChangeType = "JobExcludedItemsChange"
	JobSessionUpdated          ChangeType = "JobSessionUpdate"
	JobSessionDeleted          ChangeType = "JobSessionDelete"
	RestorePointUpdated        ChangeType = "RestorePointUpdate"
	RestorePointDeleted        ChangeType = "RestorePointDelete"
	RestorePointObjectsChanged ChangeType = "RestorePointObjectsChange"
	RestoreSessionUpdated      ChangeType = "RestoreSessionUpdate"
	RestoreSessionDeleted      ChangeType = "RestoreSessionDelete"
	ProtectedUserUpdated       ChangeType = "ProtectedUserUpdate"
	ProtectedUserDeleted       ChangeType = "ProtectedUserDelete"
	ProtectedSiteUpdated       ChangeType = "ProtectedSiteUpdate"
	ProtectedSiteDeleted       ChangeType = "ProtectedSiteDelete"
	ProtectedTeamUpdated       ChangeType = "ProtectedTeamUpdate"
	ProtectedTeamDeleted       ChangeType = "ProtectedTeamDelete"
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

// Since gives at most limit changes of some types (none named: all) after a token, oldest first, and the token to go on from. It waits up to wait
// for the first one. From latest it gives none, but the token of now, at once. done ends the waiting early.
func (e *Events) Since(ctx context.Context, u User, from string, limit int, wait time.Duration, done <-chan struct{}, types ...ChangeType) ([]Change, string, error) {
	if err := e.may(u, ActSeeEvents); err != nil {
		return nil, "", err
	}
	after, err := e.feed.number(from)
	if err != nil {
		return nil, "", err
	}
	scope := ScopeOf(u, ActSeeEvents)
	see := func(c Change) bool {
		return (len(types) == 0 || slices.Contains(types, c.Type)) && (scope == nil || c.Organization != "" && scope.HasOrganization(c.Organization))
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
	before, err := t.Job(ctx, j.ID)
	if err != nil && !missing(err) {
		return err
	}
	if err := t.note(t.Tx.PutJob(ctx, j), Change{Type: JobUpdated, ID: string(j.ID), Organization: j.Organization}); err != nil {
		return err
	}
	same := func(a, b []holdfast.JobItem) bool {
		return slices.EqualFunc(a, b, func(a, b holdfast.JobItem) bool { return reflect.DeepEqual(a, b) })
	}
	if !same(before.Selected, j.Selected) {
		t.note(nil, Change{Type: JobSelectedChanged, ID: string(j.ID), Organization: j.Organization})
	}
	if !same(before.Excluded, j.Excluded) {
		t.note(nil, Change{Type: JobExcludedChanged, ID: string(j.ID), Organization: j.Organization})
	}
	return nil
}

// DeleteJob notes the end of the job's sessions too.
func (t *notedTx) DeleteJob(ctx context.Context, id holdfast.JobID) error {
	j, err := t.Job(ctx, id)
	if err != nil && !missing(err) {
		return err
	}
	sessions, err := t.JobSessions(ctx, holdfast.SessionFilter{Job: id}, holdfast.Page{})
	if err != nil {
		return err
	}
	if err := t.note(t.Tx.DeleteJob(ctx, id), Change{Type: JobDeleted, ID: string(id), Organization: j.Organization}); err != nil {
		return err
	}
	t.jobSessionsGone(sessions)
	return nil
}

func (t *notedTx) jobSessionsGone(sessions []holdfast.JobSession) {
	for _, s := range sessions {
		t.note(nil, Change{Type: JobSessionDeleted, ID: string(s.ID), Organization: s.Organization, Job: s.Job})
	}
}

func (t *notedTx) DeleteHistory(ctx context.Context, tasks, sessions time.Time) error {
	jobs, err := t.JobSessions(ctx, holdfast.SessionFilter{EndUntil: sessions}, holdfast.Page{})
	if err != nil {
		return err
	}
	restores, err := t.RestoreSessions(ctx, holdfast.RestoreSessionFilter{EndUntil: sessions}, holdfast.Page{})
	if err != nil {
		return err
	}
	if err := t.Tx.DeleteHistory(ctx, tasks, sessions); err != nil {
		return err
	}
	t.jobSessionsGone(slices.DeleteFunc(jobs, func(s holdfast.JobSession) bool { return !s.Ended.Before(sessions) }))
	for _, s := range restores {
		if s.Ended.Before(sessions) {
			t.note(nil, Change{Type: RestoreSessionDeleted, ID: string(s.ID), Organization: s.Organization})
		}
	}
	return nil
}

func (t *notedTx) PutJobSession(ctx context.Context, s holdfast.JobSession) error {
	return t.note(t.Tx.PutJobSession(ctx, s), Change{Type: JobSessionUpdated, ID: string(s.ID), Organization: s.Organization, Job: s.Job, Status: s.Status})
}

func (t *notedTx) PutRestorePoint(ctx context.Context, p holdfast.RestorePoint) error {
	err := t.note(t.Tx.PutRestorePoint(ctx, p), Change{Type: RestorePointUpdated, ID: string(p.ID), Organization: p.Organization})
	return t.note(err, Change{Type: RestorePointObjectsChanged, ID: string(p.ID), Organization: p.Organization})
}

// DeletePoint notes no organization, which only the whole point has: callers who see some organizations only are not told.
func (t *notedTx) DeletePoint(ctx context.Context, id holdfast.RestorePointID) error {
	return t.note(t.Tx.DeletePoint(ctx, id), Change{Type: RestorePointDeleted, ID: string(id)})
}

func (t *notedTx) PutRestoreSession(ctx context.Context, s holdfast.RestoreSession) error {
	return t.note(t.Tx.PutRestoreSession(ctx, s), Change{Type: RestoreSessionUpdated, ID: string(s.ID), Organization: s.Organization})
}

// protectedOf is a change of the user, or the site, whose container c is.
func protectedOf(c holdfast.ContainerRecord, gone bool) Change {
	change := Change{Type: ProtectedUserUpdated, ID: c.OwnerID(), Organization: c.Organization}
	if gone {
		change.Type = ProtectedUserDeleted
	}
	if c.Kind == holdfast.Team {
		change.Type, change.ID = ProtectedTeamUpdated, c.PublicID()
		if gone {
			change.Type = ProtectedTeamDeleted
		}
	}
	if c.Kind == holdfast.Site {
		change.Type, change.ID = ProtectedSiteUpdated, c.PublicID()
		if gone {
			change.Type = ProtectedSiteDeleted
		}
	}
	return change
}

// PutContainer notes what protected users and sites show: that backups hold it, and its name. Each backup puts it, with a newer head.
func (t *notedTx) PutContainer(ctx context.Context, c holdfast.ContainerRecord) error {
	before, err := t.Container(ctx, c.Repository, c.Organization, c.Key())
	if err != nil && !missing(err) {
		return err
	}
	if err := t.Tx.PutContainer(ctx, c); err != nil {
		return err
	}
	if (!c.Nobodys() || c.Kind == holdfast.Site || c.Kind == holdfast.Team) && c.Head > 0 && (before.Head == 0 || before.Name != c.Name || before.Address != c.Address || before.Owner != c.Owner) {
		t.note(nil, protectedOf(c, false))
		if c.Personal() {
			t.note(nil, Change{Type: ProtectedUserUpdated, ID: c.OwnerID(), Organization: c.Organization})
		}
	}
	return nil
}

// DeleteRepository notes the end of all that the catalogue has of it. Whom another repository holds stays.
func (t *notedTx) DeleteRepository(ctx context.Context, id holdfast.RepositoryID) error {
	points, err := t.RestorePoints(ctx, holdfast.PointFilter{Repository: id}, holdfast.Page{})
	if err != nil {
		return err
	}
	held, err := t.Containers(ctx, holdfast.ContainerFilter{Repository: id}, holdfast.Page{})
	if err != nil {
		return err
	}
	if err := t.Tx.DeleteRepository(ctx, id); err != nil {
		return err
	}
	for _, p := range points {
		t.note(nil, Change{Type: RestorePointDeleted, ID: string(p.ID), Organization: p.Organization})
	}
	left, err := t.Containers(ctx, holdfast.ContainerFilter{}, holdfast.Page{})
	if err != nil {
		return err
	}
	stays := map[string]bool{}
	for _, c := range left {
		if c.Head > 0 {
			stays[protectedOf(c, false).ID] = true
		}
	}
	told := map[string]bool{}
	for _, c := range held {
		id := protectedOf(c, false).ID
		if c.Head > 0 && !told[id] && !c.OfGroup() {
			told[id] = true
			t.note(nil, protectedOf(c, !stays[id]))
		}
	}
	return nil
}
