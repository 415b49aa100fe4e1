package site

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"sync"
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
)

const (
	pageSize = 1000
	// keepToken is how long an idle site keeps its old token, so that an idle backup writes nothing; the service keeps its log for 60 days.
	keepToken = 7 * 24 * time.Hour
	// reconcileAfter is when all lists are asked for their changes although the log names none: the log is one source, the lists' own deltas another.
	reconcileAfter = 30 * 24 * time.Hour
	readAttempts   = 5
	resyncs        = 4
)

// The kinds of changes that concern permissions, as SP.ChangeType numbers them.
const (
	changeRoleAdd    = 11
	changeRoleUpdate = 13
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
			for _, ch := range changes {
				if ch.List == "" || ch.Item == 0 {
					r.structural = true
				}
				if ch.List == "" {
					continue
				}
				r.dirty[ch.List] = true
				if ch.Item != 0 && ch.Kind >= changeRoleAdd && ch.Kind <= changeRoleUpdate {
					if r.roles[ch.List] == nil {
						r.roles[ch.List] = map[int]bool{}
					}
					r.roles[ch.List][ch.Item] = true
				}
			}
			if err := r.missed(ctx); err != nil {
				return "", false, err
			}
			if len(changes) == 0 && !r.all && len(r.dirty) == 0 {
				fresh, err := r.since(ctx, cursorFresh)
				if err != nil || fresh < keepToken {
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

// known is a list as this read sees it.
type known struct {
	id, name, template, drive string
	folder                    string // id of its folder; of a library empty until its drive's root was read
	versions                  bool
	item                      holdfast.Item // of a library
	payloads                  func() []holdfast.Payload
}

// structure gives the lists; when something of the site or of them changed, they are read and put.
func (r *reader) structure(ctx context.Context) ([]*known, error) {
	if r.structural {
		return r.lists(ctx)
	}
	var out []*known
	missing := len(r.dirty)
	for item, err := range r.prev.Children(ctx, rootID) {
		if err != nil {
			return nil, err
		}
		if l := r.stored(item); l != nil {
			out = append(out, l)
			if r.dirty[l.id] {
				missing--
			}
		}
	}
	if missing > 0 { // a list that is not known
		r.structural = true
		return r.lists(ctx)
	}
	if r.web != nil && len(out) > 0 {
		if err := r.listStates(ctx); err != nil {
			return nil, err
		}
	}
	for _, l := range out {
		l.versions = r.versioned(l.id)
	}
	slices.SortFunc(out, func(a, b *known) int { return strings.Compare(a.id, b.id) })
	return out, nil
}

// stored is a list as the state before has it.
func (r *reader) stored(item holdfast.Item) *known {
	if item.Fields[fieldList] == "" {
		return nil
	}
	return &known{id: item.Fields[fieldList], name: item.Name, template: item.Fields[fieldTemplate], drive: item.Fields[fieldDrive], folder: item.ID, item: item}
}

func (r *reader) listStates(ctx context.Context) error {
	states, err := r.web.Lists(ctx)
	if err != nil {
		return drive.PlaceError(err)
	}
	r.states = map[string]sharepoint.ListState{}
	for _, s := range states {
		r.states[s.ID] = s
	}
	return nil
}

// versioned says whether a list keeps versions; when that is not known, it may.
func (r *reader) versioned(list string) bool {
	s, ok := r.states[list]
	return !ok || s.Versions
}

// fields of a list that are read; without "system" hidden lists would not come.
var listFields = []string{"id", "name", "displayName", "description", "webUrl", "eTag", "createdDateTime", "lastModifiedDateTime", "createdBy", "list", "system"}

// lists reads the site and its lists, puts what changed of them, and deletes lists that are gone.
func (r *reader) lists(ctx context.Context) ([]*known, error) {
	site, err := r.g.Site(ctx, r.c.Source, graph.List{})
	if err != nil {
		return nil, drive.PlaceError(err)
	}
	if r.web != nil {
		if err := r.listStates(ctx); err != nil {
			return nil, err
		}
	}
	if err := r.site(ctx, site); err != nil {
		return nil, err
	}
	var out []*known
	seen := map[string]bool{}
	l := graph.List{Select: listFields, Top: 200}
	first, err := r.g.Lists(ctx, r.c.Source, l)
	for row, err := range graph.All(ctx, r.g, first, err, l) {
		if err != nil {
			return nil, drive.PlaceError(err)
		}
		seen[row.ID] = true
		k, err := r.listFolder(ctx, row.ID)
		if err != nil {
			if s := m365.Skip(err); s != nil && ctx.Err() == nil {
				r.sink.Skip(ctx, holdfast.Item{ID: listID(row.ID), Parent: rootID, Kind: holdfast.KindFolder, Version: row.ETag, Name: row.DisplayName}, s)
				continue
			}
			return nil, err
		}
		out = append(out, k)
	}
	for item, err := range r.prev.Children(ctx, rootID) {
		if err != nil {
			return nil, err
		}
		id := item.Fields[fieldList]
		if id == "" || seen[id] {
			continue
		}
		// Only what is not there when it is asked for by its id is gone.
		if _, err := r.g.SiteList(ctx, r.c.Source, id, graph.List{Select: []string{"id"}}); m365.KindOf(err) == m365.NotFound {
			if err := r.remove(ctx, item.ID); err != nil {
				return nil, err
			}
			for _, name := range []string{cursorDelta + id, cursorNext + id} {
				if err := r.sink.Cursor(ctx, name, ""); err != nil {
					return nil, err
				}
			}
		} else if err != nil && m365.Skip(err) == nil {
			return nil, err
		}
	}
	slices.SortFunc(out, func(a, b *known) int { return strings.Compare(a.id, b.id) })
	return out, r.sink.Wait()
}

// remove deletes an item of the state before with all below it.
func (r *reader) remove(ctx context.Context, id string) error {
	open := []string{id}
	for len(open) > 0 {
		at := open[len(open)-1]
		open = open[:len(open)-1]
		for child, err := range r.prev.Children(ctx, at) {
			if err != nil {
				return err
			}
			open = append(open, child.ID)
		}
		if err := r.sink.Delete(ctx, at); err != nil {
			return err
		}
	}
	return nil
}

// jsonOf writes what _api served.
func jsonOf(form holdfast.Form, v any) (holdfast.Payload, []byte, error) {
	raw, err := json.Marshal(v)
	if err != nil {
		return holdfast.Payload{}, nil, fmt.Errorf("encode %s: %w", form, err)
	}
	return whole(form, raw), raw, nil
}

func whole(form holdfast.Form, raw []byte) holdfast.Payload {
	return holdfast.Whole(form, bytes.NewReader(raw), int64(len(raw)))
}

// fingerprint is a version key of what has none of its own.
func fingerprint(parts ...[]byte) string {
	h := sha256.New()
	for _, p := range parts {
		fmt.Fprintf(h, "%d:", len(p))
		h.Write(p)
	}
	return hex.EncodeToString(h.Sum(nil)[:12])
}

// steady is a site's or list's JSON without what changes when something in it does.
func steady(raw json.RawMessage) []byte {
	var m map[string]json.RawMessage
	if json.Unmarshal(raw, &m) != nil {
		return raw
	}
	for _, k := range []string{"lastModifiedDateTime", "lastModifiedBy", "eTag", "@odata.etag", "@odata.context"} {
		delete(m, k)
	}
	out, err := json.Marshal(m)
	if err != nil {
		return raw
	}
	return out
}

// site puts the site itself: its JSON, whom it knows, its groups and who may do what.
func (r *reader) site(ctx context.Context, site *graph.Site) error {
	parts := [][]byte{steady(site.Raw)}
	payloads := []holdfast.Payload{whole(holdfast.FormJSON, site.Raw)}
	if r.web != nil {
		users, err := r.web.Users(ctx)
		if err != nil {
			return drive.PlaceError(err)
		}
		groups, err := r.web.Groups(ctx)
		if err != nil {
			return drive.PlaceError(err)
		}
		roles, err := r.web.Assignments(ctx, sharepoint.Scope{})
		if err != nil {
			return drive.PlaceError(err)
		}
		for form, v := range map[holdfast.Form]any{formUsers: users, formTeam: groups, formRoles: roles} {
			p, raw, err := jsonOf(form, v)
			if err != nil {
				return err
			}
			payloads = append(payloads, p)
			parts = append(parts, raw)
		}
	}
	slices.SortFunc(parts[1:], bytes.Compare)
	item := holdfast.Item{ID: rootID, Kind: holdfast.KindFolder, Version: fingerprint(parts...), Time: site.Created, Name: r.c.Name,
		Fields: map[string]string{holdfast.FieldSpecial: specialRoot, holdfast.FieldCreated: stamp(site.Created)}}
	return r.putChanged(ctx, item, payloads...)
}

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// putChanged puts an item unless the state before has this version of it.
func (r *reader) putChanged(ctx context.Context, item holdfast.Item, payloads ...holdfast.Payload) error {
	old, ok, err := r.prev.Item(ctx, item.ID)
	if err != nil || ok && old.Version == item.Version && old.Name == item.Name && !r.prev.Anew() {
		return err
	}
	return r.sink.Put(ctx, item, payloads...)
}

// listFolder reads a list with its columns, content types, views and permissions, and puts its folder; a library's is put with its drive's root.
func (r *reader) listFolder(ctx context.Context, id string) (*known, error) {
	row, err := r.g.SiteList(ctx, r.c.Source, id, graph.List{Select: listFields, Expand: []string{"columns", "contentTypes"}})
	if err != nil {
		return nil, err
	}
	k := &known{id: row.ID, name: row.DisplayName, template: row.Info.Template, folder: listID(row.ID), versions: r.versioned(row.ID)}
	item := holdfast.Item{ID: k.folder, Parent: rootID, Kind: holdfast.KindFolder, Time: row.Created, Name: row.DisplayName, Fields: map[string]string{
		holdfast.FieldSpecial: specialList, holdfast.FieldCreated: stamp(row.Created), fieldList: row.ID, fieldTemplate: row.Info.Template}}
	if row.System != nil || row.Info.Hidden {
		item.Fields[holdfast.FieldHidden] = "true"
	}
	parts := [][]byte{steady(row.Raw)}
	payloads := []func() holdfast.Payload{func() holdfast.Payload { return whole(holdfast.FormJSON, row.Raw) }}
	add := func(form holdfast.Form, v any) error {
		_, raw, err := jsonOf(form, v)
		parts = append(parts, raw)
		payloads = append(payloads, func() holdfast.Payload { return whole(form, raw) })
		return err
	}
	if r.web != nil {
		views, err := r.web.Views(ctx, id)
		if err == nil {
			err = add(formViews, views)
		}
		if err != nil {
			return nil, err
		}
		if r.states[id].Unique {
			item.Fields[fieldUnique] = "true"
			roles, err := r.web.Assignments(ctx, sharepoint.Scope{List: id})
			if err == nil {
				err = add(formRoles, roles)
			}
			if err != nil {
				return nil, err
			}
		}
	}
	item.Version = fingerprint(parts...)
	all := func() []holdfast.Payload {
		out := make([]holdfast.Payload, 0, len(payloads))
		for _, p := range payloads {
			out = append(out, p())
		}
		return out
	}
	switch k.template {
	case "documentLibrary":
		return r.library(ctx, k, item, all)
	case "webPageLibrary":
		item.Fields[holdfast.FieldSpecial] = specialPages
	}
	return k, r.putChanged(ctx, item, all()...)
}

// library completes the folder of a library. Its id is that of the drive's root, which the state before has, or the drive will tell.
func (r *reader) library(ctx context.Context, k *known, item holdfast.Item, payloads func() []holdfast.Payload) (*known, error) {
	item.Fields[holdfast.FieldSpecial] = specialLibrary
	k.folder, k.item, k.payloads = "", item, payloads
	for old, err := range r.prev.Children(ctx, rootID) {
		if err != nil {
			return nil, err
		}
		if old.Fields[fieldList] != k.id {
			continue
		}
		k.folder, k.drive = old.ID, old.Fields[fieldDrive]
		k.item.ID = old.ID
		for _, f := range []string{fieldDrive, drive.FieldRootVersion, drive.FieldRootName} {
			k.item.Fields[f] = old.Fields[f]
		}
		return k, r.putChanged(ctx, k.item, payloads()...)
	}
	d, err := r.g.ListDrive(ctx, r.c.Source, k.id)
	if err != nil {
		return nil, err
	}
	k.drive = d.ID
	k.item.Fields[fieldDrive] = d.ID
	return k, nil
}

// list reads what is in a list.
func (r *reader) list(ctx context.Context, l *known) error {
	switch l.template {
	case "documentLibrary":
		return r.files(ctx, l)
	case "webPageLibrary":
		return r.pages(ctx, l)
	}
	lr := &listReader{reader: r, l: l, touched: map[string]bool{}}
	return lr.run(ctx)
}

// skipList names a list that could not be read; the site goes on.
func (r *reader) skipList(ctx context.Context, l *known, err error) error {
	if s := m365.Skip(err); s != nil && ctx.Err() == nil && m365.KindOf(err) != m365.Unavailable {
		id := l.folder
		if id == "" {
			id = listID(l.id)
		}
		r.sink.Skip(ctx, holdfast.Item{ID: id, Parent: rootID, Kind: holdfast.KindFolder, Name: l.name}, s)
		return nil
	}
	return err
}

// listReader reads the items of one list.
type listReader struct {
	*reader
	l       *known
	walk    bool            // everything is told
	seen    map[string]bool // of a resync: ids that were told
	unique  map[string]bool // items with permissions of their own; nil when that is not known
	mu      sync.Mutex      // guards touched
	touched map[string]bool // ids that were put or deleted
}

// rows says what of a delta is asked for.
func rows() graph.List { return graph.List{Expand: []string{"fields"}, Top: pageSize} }

func (r *listReader) run(ctx context.Context) error {
	if err := r.permissions(ctx); err != nil {
		return r.skipList(ctx, r.l, err)
	}
	if err := r.again(ctx); err != nil {
		return err
	}
	page, err := r.start(ctx)
	for refused := 0; ; {
		if m365.KindOf(err) == m365.Resync && refused < resyncs {
			refused++
			page, err = r.resync(ctx, err)
			continue
		}
		if err != nil {
			return r.skipList(ctx, r.l, fmt.Errorf("read changes of list %q: %w", r.l.name, err))
		}
		if err := r.page(ctx, page); err != nil {
			return err
		}
		if page.NextLink == "" {
			break
		}
		if r.walk && r.seen == nil { // a first walk goes on here after a crash
			if err := r.sink.Cursor(ctx, cursorNext+r.l.id, page.NextLink); err != nil {
				return err
			}
		}
		if err := r.sink.Savepoint(ctx); err != nil {
			return err
		}
		page, err = graph.Follow[graph.ListItem](ctx, r.g, page.NextLink, rows())
	}
	if page.DeltaLink == "" {
		return fmt.Errorf("read changes of list %q: the last page has no delta link", r.l.name)
	}
	if r.seen != nil {
		if err := r.compare(ctx); err != nil {
			return err
		}
	}
	if err := r.shared(ctx); err != nil {
		return err
	}
	if err := r.sink.Wait(); err != nil {
		return err
	}
	if err := r.sink.Cursor(ctx, cursorNext+r.l.id, ""); err != nil {
		return err
	}
	if err := r.sink.Cursor(ctx, cursorDelta+r.l.id, page.DeltaLink); err != nil {
		return err
	}
	return r.sink.Savepoint(ctx)
}

// permissions asks which items have permissions of their own: one call for 5,000 items.
func (r *listReader) permissions(ctx context.Context) error {
	if r.web == nil {
		return nil
	}
	states, err := r.web.Items(ctx, r.l.id)
	if err != nil {
		return err
	}
	r.unique = map[string]bool{}
	for _, s := range states {
		if s.Unique {
			r.unique[strconv.Itoa(s.ID)] = true
		}
	}
	return nil
}

// again tries what earlier sessions could not read.
func (r *listReader) again(ctx context.Context) error {
	for m, err := range engine.MissedItems(ctx, r.prev) {
		if err != nil {
			return err
		}
		item := m.Item
		if item.Kind == holdfast.KindVersion {
			item = holdfast.Item{ID: item.Parent}
		}
		id, ok := strings.CutPrefix(item.ID, r.l.id+".")
		if !ok || !retriable(m.Reason) || m.Reason == holdfast.SkipDenied && r.web == nil {
			continue
		}
		row, err := r.g.ListItem(ctx, r.c.Source, r.l.id, id, graph.List{Expand: []string{"fields"}})
		switch {
		case err == nil:
			if err := r.row(ctx, row, true); err != nil {
				return err
			}
		case m365.KindOf(err) == m365.NotFound: // the delta tells
		case m365.Skip(err) != nil:
			r.sink.Skip(ctx, m.Item, m365.Skip(err))
		default:
			return err
		}
	}
	return r.sink.Wait()
}

func (r *listReader) start(ctx context.Context) (*graph.Page[graph.ListItem], error) {
	delta, _, err := r.prev.Cursor(ctx, cursorDelta+r.l.id)
	if err != nil {
		return nil, err
	}
	next, _, err := r.prev.Cursor(ctx, cursorNext+r.l.id)
	if err != nil {
		return nil, err
	}
	var page *graph.Page[graph.ListItem]
	switch {
	case r.prev.Anew() && !r.prev.Empty():
		return r.everything(ctx, "")
	case delta != "":
		page, err = graph.Follow[graph.ListItem](ctx, r.g, delta, rows())
	case next != "":
		r.walk = true
		page, err = graph.Follow[graph.ListItem](ctx, r.g, next, rows())
	default:
		r.walk = true
		return r.g.ListItemDelta(ctx, r.c.Source, r.l.id, rows())
	}
	if m365.KindOf(err) == m365.Invalid {
		return r.everything(ctx, "") // the link is not understood any more
	}
	return page, err
}

func (r *listReader) resync(ctx context.Context, refusal error) (*graph.Page[graph.ListItem], error) {
	if err := r.sink.Wait(); err != nil {
		return nil, err
	}
	var e *m365.Error
	if errors.As(refusal, &e) && e.Location != "" {
		return r.everything(ctx, e.Location)
	}
	return r.everything(ctx, "")
}

// everything begins a walk over all items, which is compared with what there is.
func (r *listReader) everything(ctx context.Context, link string) (*graph.Page[graph.ListItem], error) {
	r.walk, r.seen = true, map[string]bool{}
	if link != "" {
		return graph.Follow[graph.ListItem](ctx, r.g, link, rows())
	}
	return r.g.ListItemDelta(ctx, r.c.Source, r.l.id, rows())
}

// page takes a page in. Of several rows of an id the last one counts.
func (r *listReader) page(ctx context.Context, page *graph.Page[graph.ListItem]) error {
	last := map[string]int{}
	for i := range page.Value {
		last[page.Value[i].ID] = i
	}
	for i := range page.Value {
		if row := &page.Value[i]; last[row.ID] == i {
			if err := r.row(ctx, row, false); err != nil {
				return err
			}
		}
	}
	return r.sink.Wait() // an id may come again on the next page; its fetches must not overtake each other
}

func (r *listReader) touch(id string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.touched[id] = true
}

func (r *listReader) wasTouched(id string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.touched[id]
}

func (r *listReader) row(ctx context.Context, row *graph.ListItem, again bool) error {
	id := itemID(r.l.id, row.ID)
	old, had, err := r.prev.Item(ctx, id)
	if err != nil {
		return err
	}
	if row.Deleted != nil || row.Removed != nil {
		if !had && !r.wasTouched(id) {
			return r.forget(ctx, id)
		}
		r.touch(id)
		return r.delete(ctx, id)
	}
	if r.seen != nil {
		r.seen[row.ID] = true
	}
	item := r.itemOf(row)
	if had && !again && !r.wasTouched(id) && old.Version == item.Version && old.Fields[fieldUnique] == item.Fields[fieldUnique] {
		return nil
	}
	r.touch(id)
	f := &fetch{r: r, row: row, item: item, had: had}
	r.sink.Go(ctx, int64(len(row.Raw)), f.run)
	return nil
}

// forget takes an item off the record of what could not be read: it is gone, and no restore point lacks it.
func (r *listReader) forget(ctx context.Context, id string) error {
	for m, err := range engine.MissedItems(ctx, r.prev) {
		if err != nil {
			return err
		}
		if m.Item.ID == id {
			r.sink.Skip(ctx, m.Item, &holdfast.Skip{Reason: holdfast.SkipVanished})
		}
	}
	return nil
}

// delete deletes an item with its versions, also with those that this read put.
func (r *listReader) delete(ctx context.Context, id string) error {
	for v, err := range r.prev.Children(ctx, id) {
		if err != nil {
			return err
		}
		if err := r.sink.Delete(ctx, v.ID); err != nil {
			return err
		}
	}
	return r.sink.Delete(ctx, id)
}

func (r *listReader) itemOf(row *graph.ListItem) holdfast.Item {
	var fields struct {
		Title   string `json:"Title"`
		Version string `json:"_UIVersionString"`
	}
	_ = json.Unmarshal(row.Fields, &fields) // a list may have no such columns
	item := holdfast.Item{ID: itemID(r.l.id, row.ID), Parent: r.l.folder, Kind: holdfast.KindListItem, Version: row.ETag, Time: row.Modified, Size: int64(len(row.Raw)), Name: fields.Title,
		Fields: map[string]string{holdfast.FieldCreated: stamp(row.Created), holdfast.FieldModified: stamp(row.Modified), holdfast.FieldETag: row.ETag}}
	if item.Name == "" {
		item.Name = "Item " + row.ID
	}
	for k, v := range map[string]string{holdfast.FieldVersionID: fields.Version, holdfast.FieldAuthor: person(row.CreatedBy), fieldEditor: person(row.ModifiedBy)} {
		if v != "" {
			item.Fields[k] = v
		}
	}
	if r.unique[row.ID] {
		item.Fields[fieldUnique] = "true"
	}
	return item
}

func person(i *graph.Identity) string {
	if i == nil {
		return ""
	}
	for _, p := range []*graph.Principal{i.User, i.Application, i.Group} {
		if p != nil && p.DisplayName != "" {
			return p.DisplayName
		}
	}
	return ""
}

// compare ends a resync: what the walk did not tell is asked for by id, and only what is not found is deleted.
func (r *listReader) compare(ctx context.Context) error {
	for item, err := range r.prev.Children(ctx, r.l.folder) {
		if err != nil {
			return err
		}
		id, ok := strings.CutPrefix(item.ID, r.l.id+".")
		if !ok || r.seen[id] || r.wasTouched(item.ID) {
			continue
		}
		row, err := r.g.ListItem(ctx, r.c.Source, r.l.id, id, graph.List{Expand: []string{"fields"}})
		switch {
		case m365.KindOf(err) == m365.NotFound:
			if err := r.delete(ctx, item.ID); err != nil {
				return err
			}
		case err == nil:
			if err := r.row(ctx, row, false); err != nil {
				return err
			}
		case m365.Skip(err) != nil: // not known: it stays
		default:
			return err
		}
	}
	return r.sink.Wait()
}

// shared reads items again whose permissions changed and nothing else, which no delta tells.
func (r *listReader) shared(ctx context.Context) error {
	if r.unique == nil {
		return nil
	}
	if err := r.sink.Wait(); err != nil {
		return err
	}
	ask := map[string]bool{}
	for item, err := range r.prev.Children(ctx, r.l.folder) {
		if err != nil {
			return err
		}
		id, ok := strings.CutPrefix(item.ID, r.l.id+".")
		if !ok || r.wasTouched(item.ID) {
			continue
		}
		was, is := item.Fields[fieldUnique] == "true", r.unique[id]
		if was != is || is && (r.anew || r.roles[r.l.id][sharepoint.Number(id)]) {
			ask[id] = true
		}
	}
	for id := range ask {
		row, err := r.g.ListItem(ctx, r.c.Source, r.l.id, id, graph.List{Expand: []string{"fields"}})
		switch {
		case err == nil:
			if err := r.row(ctx, row, true); err != nil {
				return err
			}
		case m365.KindOf(err) == m365.NotFound: // the next delta tells
		case m365.Skip(err) != nil:
		default:
			return err
		}
	}
	return nil
}

// fetch reads one item.
type fetch struct {
	r    *listReader
	row  *graph.ListItem
	item holdfast.Item
	had  bool
}

func (f *fetch) run(ctx context.Context) error {
	err := f.whole(ctx)
	if err == nil || ctx.Err() != nil {
		return err
	}
	if s := m365.Skip(err); s != nil && m365.KindOf(err) != m365.Unavailable {
		f.r.sink.Skip(ctx, f.item, s)
		return nil
	}
	return err
}

func (f *fetch) whole(ctx context.Context) error {
	var files []string
	var denied *holdfast.Skip
	var has struct{ Attachments bool }
	_ = json.Unmarshal(f.row.Fields, &has) // a list may have no such column
	parts := []part{{holdfast.FormJSON, f.row.Raw}}
	if has.Attachments && f.r.web == nil {
		denied = &holdfast.Skip{Reason: holdfast.SkipDenied, Err: errors.New("its attachments are served by SharePoint's own interface alone, which takes only applications that sign in by certificate")}
	}
	if has.Attachments && f.r.web != nil {
		list, err := f.r.web.Attachments(ctx, f.r.l.id, f.row.ID)
		if err != nil {
			return err
		}
		for _, a := range list {
			files = append(files, a.Name)
		}
		_, raw, err := jsonOf(formFiles, files)
		if err != nil {
			return err
		}
		parts = append(parts, part{formFiles, raw})
	}
	if f.item.Fields[fieldUnique] == "true" {
		roles, err := f.r.web.Assignments(ctx, sharepoint.Scope{List: f.r.l.id, Item: f.row.ID})
		if err != nil {
			return err
		}
		_, raw, err := jsonOf(formRoles, roles)
		if err != nil {
			return err
		}
		parts = append(parts, part{formRoles, raw})
	}
	if err := f.put(ctx, parts, files); err != nil {
		return err
	}
	if denied != nil {
		f.r.sink.Skip(ctx, f.item, denied)
	}
	return f.versions(ctx)
}

// part is a form of an item that is at hand.
type part struct {
	form holdfast.Form
	raw  []byte
}

// put stores an item with its attachments. The service gives no hash of those, so each is read until two reads agree.
func (f *fetch) put(ctx context.Context, parts []part, files []string) error {
	sums := map[string]sum{}
	var err error
	for attempt := 1; attempt <= readAttempts; attempt++ {
		if err = f.first(ctx, files, sums); m365.KindOf(err) == m365.Unavailable && ctx.Err() == nil {
			continue
		} else if err != nil {
			return err
		}
		all := make([]holdfast.Payload, 0, len(parts)+len(files))
		for _, p := range parts {
			all = append(all, whole(p.form, p.raw))
		}
		for _, name := range files {
			all = append(all, f.attachment(ctx, name, sums))
		}
		err = f.r.sink.Put(ctx, f.item, all...)
		var differs *differsError
		switch {
		case err == nil, ctx.Err() != nil:
			return err
		case errors.As(err, &differs), m365.KindOf(err) == m365.Unavailable:
			continue
		default:
			return err
		}
	}
	var differs *differsError
	if errors.As(err, &differs) {
		return &holdfast.Skip{Reason: holdfast.SkipChanging, Err: fmt.Errorf("no two of %d reads of the attachment %q agreed", readAttempts, differs.name)}
	}
	return err
}

// sum is what a read gave.
type sum struct {
	hash [sha256.Size]byte
	size int64
}

// differsError says that two reads of an attachment were not alike.
type differsError struct{ name string }

func (e *differsError) Error() string { return fmt.Sprintf("two reads of %q differ", e.name) }

// first reads each attachment once.
func (f *fetch) first(ctx context.Context, files []string, sums map[string]sum) error {
	for _, name := range files {
		if _, ok := sums[name]; ok {
			continue
		}
		got, err := f.read(ctx, name)
		if err != nil {
			return err
		}
		sums[name] = got
	}
	return nil
}

func (f *fetch) read(ctx context.Context, name string) (sum, error) {
	var out sum
	body, err := f.r.web.OpenAttachment(ctx, f.r.l.id, f.row.ID, name)
	if err != nil {
		return out, err
	}
	h := sha256.New()
	out.size, err = io.Copy(h, body)
	copy(out.hash[:], h.Sum(nil))
	return out, errors.Join(err, body.Close())
}

// attachment is a payload that fails as it ends when it is not what an earlier read gave, which it then replaces.
func (f *fetch) attachment(ctx context.Context, name string, sums map[string]sum) holdfast.Payload {
	return holdfast.Payload{Form: attachmentForm(name), Pieces: func(yield func(holdfast.Piece, error) bool) {
		body, err := f.r.web.OpenAttachment(ctx, f.r.l.id, f.row.ID, name)
		if err != nil {
			yield(holdfast.Piece{}, err)
			return
		}
		defer body.Close()
		check := &checked{r: body, want: sums[name], end: func(got sum) error {
			if got == sums[name] {
				return nil
			}
			sums[name] = got
			return &differsError{name}
		}}
		yield(holdfast.Piece{Reader: check, Size: sums[name].size, Apart: sums[name].size >= 32<<10}, nil)
	}}
}

// checked compares as the content ends.
type checked struct {
	r    io.Reader
	want sum
	h    bytesHash
	n    int64
	end  func(got sum) error
}

type bytesHash interface {
	io.Writer
	Sum([]byte) []byte
}

func (c *checked) Read(p []byte) (int, error) {
	if c.h == nil {
		c.h = sha256.New()
	}
	n, err := c.r.Read(p)
	c.n += int64(n)
	_, _ = c.h.Write(p[:n]) // hashes never fail
	if !errors.Is(err, io.EOF) {
		return n, err
	}
	got := sum{size: c.n}
	copy(got.hash[:], c.h.Sum(nil))
	if err := c.end(got); err != nil {
		return n, err
	}
	return n, io.EOF
}

// firstVersion tells by the counter in an eTag ("GUID,1") that an item was never changed, so that it has no older versions.
func firstVersion(etag string) bool {
	_, n, ok := strings.Cut(strings.Trim(etag, `"`), ",")
	return ok && n == "1"
}

// versions reads the older versions of an item that has just been put.
func (f *fetch) versions(ctx context.Context) error {
	if !f.r.l.versions || firstVersion(f.item.Version) {
		return nil
	}
	there := map[string]bool{}
	l := graph.List{Expand: []string{"fields"}, Top: 200}
	first, err := f.r.g.ListItemVersions(ctx, f.r.c.Source, f.r.l.id, f.row.ID, l)
	n := 0
	for v, err := range graph.All(ctx, f.r.g, first, err, l) {
		if err != nil {
			return err
		}
		if n++; n == 1 {
			continue // the first one is the present one
		}
		item := holdfast.Item{ID: versionID(f.item.ID, v.ID), Parent: f.item.ID, Kind: holdfast.KindVersion, Version: v.ID, Time: v.Modified, Size: int64(len(v.Raw)), Name: f.item.Name,
			Fields: map[string]string{holdfast.FieldVersionID: v.ID, holdfast.FieldModified: stamp(v.Modified)}}
		if a := person(v.ModifiedBy); a != "" {
			item.Fields[holdfast.FieldAuthor] = a
		}
		there[item.ID] = true
		if f.had {
			if _, ok, err := f.r.prev.Item(ctx, item.ID); err != nil {
				return err
			} else if ok {
				continue // a version does not change
			}
		}
		if err := f.r.sink.Put(ctx, item, whole(holdfast.FormJSON, v.Raw)); err != nil {
			return err
		}
	}
	if !f.had {
		return nil
	}
	for v, err := range f.r.prev.Children(ctx, f.item.ID) {
		if err != nil {
			return err
		}
		if v.Kind == holdfast.KindVersion && !there[v.ID] {
			if err := f.r.sink.Delete(ctx, v.ID); err != nil {
				return err
			}
		}
	}
	return nil
}

// pages reads the site's pages: all in one list, for there is no delta of pages. One that is not in it is asked for, and only what is not found goes.
func (r *reader) pages(ctx context.Context, l *known) error {
	seen := map[string]bool{}
	first, err := r.g.SitePages(ctx, r.c.Source)
	for p, err := range graph.All(ctx, r.g, first, err, graph.List{}) {
		if err != nil {
			return r.skipList(ctx, l, fmt.Errorf("list pages: %w", err))
		}
		seen[pageID(p.ID)] = true
		if err := r.page(ctx, l, p); err != nil {
			return err
		}
	}
	for item, err := range r.prev.Children(ctx, l.folder) {
		if err != nil {
			return err
		}
		id, ok := strings.CutPrefix(item.ID, "page.")
		if !ok || seen[item.ID] {
			continue
		}
		p, err := r.g.SitePage(ctx, r.c.Source, id)
		switch {
		case m365.KindOf(err) == m365.NotFound:
			if err := r.sink.Delete(ctx, item.ID); err != nil {
				return err
			}
		case err == nil:
			if err := r.page(ctx, l, p); err != nil {
				return err
			}
		case m365.Skip(err) != nil: // not known: it stays
		default:
			return err
		}
	}
	return nil
}

func (r *reader) page(ctx context.Context, l *known, p *graph.SitePage) error {
	item := holdfast.Item{ID: pageID(p.ID), Parent: l.folder, Kind: holdfast.KindPage, Version: p.ETag, Time: p.Modified, Size: int64(len(p.Raw)), Name: p.Title,
		Fields: map[string]string{holdfast.FieldCreated: stamp(p.Created), holdfast.FieldModified: stamp(p.Modified), holdfast.FieldETag: p.ETag}}
	if item.Name == "" {
		item.Name = p.Name
	}
	if a := person(p.CreatedBy); a != "" {
		item.Fields[holdfast.FieldAuthor] = a
	}
	return r.putChanged(ctx, item, whole(holdfast.FormJSON, p.Raw))
}
