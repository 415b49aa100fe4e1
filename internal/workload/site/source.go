package site

import (
	"context"
	"errors"
	"fmt"
	"time"

	"holdfast/internal/engine"
	"holdfast/internal/holdfast"
	"holdfast/internal/m365"
	"holdfast/internal/m365/graph"
	"holdfast/internal/m365/sharepoint"
	"holdfast/internal/workload/drive"
)

// Cursors of a site. Those of a list have its id behind a slash; a library's are those of its drive.
const (
	cursorChanges = "changes" // token of the site's log of changes, before which everything was read
	cursorFresh   = "fresh"   // when the token was last written, RFC 3339
	cursorFull    = "full"    // when everything was last looked at, RFC 3339
	cursorDelta   = "delta/"  // delta link of a list's items
	cursorNext    = "next/"   // next link of a first walk over a list's items that is not finished
	cursorLibrary = "library/"
	// cursorOneDrive has the id of a personal site's list that is its user's OneDrive.
	cursorOneDrive = "onedrive"
)

const (
	pageSize = 1000
	// keepToken is how long an idle site keeps its old token, so that an idle backup writes nothing; the service keeps its log for 60 days.
	keepToken = 7 * 24 * time.Hour
	// reconcileAfter is when all lists are asked for their changes although the log names none: the log is one source, the lists' own deltas another.
	reconcileAfter = 30 * 24 * time.Hour
	// passedOver is how many changes of a OneDrive are passed over in the log of its site before the token is written all the same: a page of the log.
	passedOver   = 1000
	readAttempts = 5
	resyncs      = 4
)

// The kinds of changes that concern permissions of lists and items, as SP.ChangeType numbers them.
const (
	changeAssignmentAdd    = 11
	changeAssignmentDelete = 12
)

type source struct {
	g   *graph.Client
	org holdfast.OrganizationID
}

// Meter counts the calls of one container.
func (s *source) Meter(ctx context.Context) (context.Context, func() holdfast.Statistics) {
	return m365.Meter(ctx)
}

// Read brings a site up to date. The site's log of changes names the lists in which something happened; only those are asked. Without a
// certificate, which the log asks for, each list is.
func (s *source) Read(ctx context.Context, c holdfast.Container, prev engine.Previous, sink engine.Sink) error {
	r := &reader{g: s.g, c: c, prev: prev, sink: sink, now: s.g.M365().Clock().Now(), dirty: map[string]bool{}, roles: map[string]map[int]bool{}}
	err := r.run(ctx)
	if err == nil {
		return nil
	}
	var skip *holdfast.Skip
	if errors.As(err, &skip) {
		return err
	}
	return fmt.Errorf("read %s: %w", c, err)
}

type reader struct {
	g    *graph.Client
	c    holdfast.Container
	prev engine.Previous
	sink engine.Sink
	now  time.Time
	web  *sharepoint.Web // nil without a certificate

	all        bool // every list is read
	structural bool // the site or a list itself changed
	anew       bool // permissions are read again although nothing says that they changed
	dirty      map[string]bool
	roles      map[string]map[int]bool // list -> items whose permissions changed
	states     map[string]sharepoint.ListState
	oneDrive   string // of a personal site: the list that is not read with it
}

func (r *reader) run(ctx context.Context) error {
	if r.g.M365().ByCertificate() {
		web, err := sharepoint.At(r.g.M365(), r.c.Address)
		if err != nil {
			return err
		}
		r.web = web
	}
	token, idle, err := r.start(ctx)
	if err != nil || idle {
		return err
	}
	lists, err := r.structure(ctx)
	if err != nil {
		return err
	}
	for _, l := range lists {
		if !r.all && !r.dirty[l.id] {
			continue
		}
		if err := r.list(ctx, l); err != nil {
			return err
		}
	}
	if err := r.sink.Wait(); err != nil {
		return err
	}
	return r.end(ctx, token)
}

// start asks the log what changed. idle says that nothing did.
func (r *reader) start(ctx context.Context) (token string, idle bool, err error) {
	r.all = r.prev.Empty() || r.prev.Anew()
	before, _, err := r.prev.Cursor(ctx, cursorChanges)
	if err != nil {
		return "", false, err
	}
	told := false
	if r.oneDrive, told, err = r.prev.Cursor(ctx, cursorOneDrive); err != nil {
		return "", false, err
	}
	r.structural = r.c.Personal() && !told // what an earlier backup took for any other site may hold the OneDrive, also when nothing happens in it
	if r.web == nil {
		r.all, r.structural = true, true
		return "", false, nil
	}
	full, err := r.since(ctx, cursorFull)
	if err != nil {
		return "", false, err
	}
	if full > reconcileAfter || before == "" {
		r.all = true
	}
	if before != "" && !r.prev.Anew() {
		changes, next, err := r.web.Changes(ctx, before)
		switch {
		case m365.KindOf(err) == m365.Resync:
			r.all, r.anew = true, true
		case err != nil:
			return "", false, drive.PlaceError(err)
		default:
			token = next
			logged := len(changes)
			changes = without(changes, r.oneDrive)
			for _, ch := range changes {
				if ch.List == "" || ch.Item == 0 {
					r.structural = true
				}
				if ch.List == "" {
					continue
				}
				r.dirty[ch.List] = true
				if ch.Item != 0 && ch.Kind >= changeAssignmentAdd && ch.Kind <= changeAssignmentDelete {
					if r.roles[ch.List] == nil {
						r.roles[ch.List] = map[int]bool{}
					}
					r.roles[ch.List][ch.Item] = true
				}
			}
			if err := r.missed(ctx); err != nil {
				return "", false, err
			}
			if len(changes) == 0 && !r.all && !r.structural && len(r.dirty) == 0 {
				fresh, err := r.since(ctx, cursorFresh)
				if err != nil || fresh < keepToken && logged < passedOver {
					return "", true, err
				}
				return "", true, r.fresh(ctx, next)
			}
		}
	}
	if token == "" { // before anything is read: what changes meanwhile is told next time
		if token, err = r.web.ChangeToken(ctx); err != nil {
			return "", false, drive.PlaceError(err)
		}
	}
	r.structural = r.structural || r.all
	r.anew = r.anew || r.prev.Anew()
	return token, false, nil
}

// missed marks the lists of what earlier sessions could not read.
func (r *reader) missed(ctx context.Context) error {
	for m, err := range engine.MissedItems(ctx, r.prev) {
		if err != nil {
			return err
		}
		list, err := r.listOf(ctx, m.Item)
		if err != nil {
			return err
		}
		if list != "" && retriable(m.Reason) {
			r.dirty[list] = true
		}
	}
	return nil
}

func retriable(reason holdfast.SkipReason) bool {
	switch reason {
	case holdfast.SkipLocked, holdfast.SkipTransient, holdfast.SkipChanging, holdfast.SkipDenied, holdfast.SkipCorrupt:
		return true
	}
	return false
}

// listOf is the list that an item lies in, by the folders above it; empty when that is not known.
func (r *reader) listOf(ctx context.Context, item holdfast.Item) (string, error) {
	for range 1000 { // folders deep
		if id := item.Fields[fieldList]; id != "" {
			return id, nil
		}
		above, ok, err := r.prev.Item(ctx, item.Parent)
		if err != nil || !ok {
			return "", err
		}
		item = above
	}
	return "", nil
}

// since is how long ago a time in a cursor was; very long when there is none.
func (r *reader) since(ctx context.Context, name string) (time.Duration, error) {
	text, _, err := r.prev.Cursor(ctx, name)
	if err != nil {
		return 0, err
	}
	at, err := time.Parse(time.RFC3339, text)
	if err != nil || r.now.Before(at) {
		return 1 << 62, nil // an unreadable time is an old one
	}
	return r.now.Sub(at), nil
}

func (r *reader) fresh(ctx context.Context, token string) error {
	return errors.Join(r.sink.Cursor(ctx, cursorChanges, token), r.sink.Cursor(ctx, cursorFresh, r.now.UTC().Format(time.RFC3339)))
}

func (r *reader) end(ctx context.Context, token string) error {
	if r.web == nil {
		return nil
	}
	if r.all {
		if err := r.sink.Cursor(ctx, cursorFull, r.now.UTC().Format(time.RFC3339)); err != nil {
			return err
		}
	}
	return r.fresh(ctx, token)
}
