package drive

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash/fnv"
	"hash/maphash"
	"io"
	"slices"
	"strings"
	"sync"
	"time"

	"holdfast/internal/engine"
	"holdfast/internal/holdfast"
	"holdfast/internal/m365"
	"holdfast/internal/m365/graph"
)

// Cursors of a drive.
const (
	cursorDelta = "delta" // delta link behind all that was read
	cursorNext  = "next"  // next link of a walk that is not finished
	cursorWalk  = "walk"  // why there is one: first, changes, resync
	cursorFresh = "fresh" // when the delta link was last written, RFC 3339
	cursorFull  = "full"  // when the last walk over everything ended, RFC 3339
)

const (
	walkFirst   = "first"   // nothing was read before
	walkChanges = "changes" // since the delta link
	walkResync  = "resync"  // everything again, to be compared with what there is
)

const (
	pageSize = 1000
	// keepLink is how long an idle drive keeps its old delta link, so that an idle backup writes nothing. The service keeps its log of changes for
	// 60 days; an older link costs a walk, never data.
	keepLink = 7 * 24 * time.Hour
	// reconcileAfter is when everything is walked again although the delta link is good, a third more at most so that not all drives come at once:
	// a delta may have left a change out.
	reconcileAfter = 30 * 24 * time.Hour
	// readAttempts bounds how often a file that changes while it is read, or whose content does not come, is read anew.
	readAttempts = 5
	// cheap is the size up to which a file whose content is not what its row says is read versionReads times, not readAttempts.
	cheap = 64 << 20
	// versionReads bounds how often an older version, of which the service gives no hash, is read until its reads agree.
	versionReads = 9
	// resyncs bounds how often a walk may be refused within one read.
	resyncs = 4
)

// rows says what of a delta is asked for. With hierarchicalsharing only items with permissions of their own show that they are shared, so that
// only those cost a call; deltashowsharingchanges tells when nothing but those changed.
// https://learn.microsoft.com/onedrive/developer/rest-api/concepts/scan-guidance
func rows() graph.List {
	return graph.List{Top: pageSize, Prefer: []string{"deltashowremovedasdeleted", "deltatraversepermissiongaps", "deltashowsharingchanges", "hierarchicalsharing"}}
}

// Read brings a drive up to date by one delta.
func (s *source) Read(ctx context.Context, c holdfast.Container, prev engine.Previous, sink engine.Sink) error {
	r := &reader{g: s.g, drive: c.Source, columns: s.columns, prev: prev, sink: sink, now: s.g.M365().Clock().Now(), seed: maphash.MakeSeed(), touched: map[uint64]bool{}, older: map[uint64]string{}, missed: map[string]holdfast.Item{}, moved: map[string]string{}, folders: map[string]bool{}}
	if err := r.again(ctx); err != nil {
		return err
	}
	page, err := r.start(ctx)
	for refused := 0; ; {
		if kind := m365.KindOf(err); kind == m365.Resync && refused < resyncs {
			refused++
			page, err = r.resync(ctx, err, refused)
			continue
		}
		if err != nil {
			return fmt.Errorf("read changes of %s: %w", c, driveError(err))
		}
		if err := r.page(ctx, page); err != nil {
			return err
		}
		if page.NextLink == "" {
			break
		}
		if err := r.between(ctx, page.NextLink); err != nil {
			return err
		}
		page, err = graph.Follow[graph.DriveItem](ctx, r.g, page.NextLink, rows())
	}
	if page.DeltaLink == "" {
		return fmt.Errorf("read changes of %s: the last page has no delta link", c)
	}
	if err := r.finish(ctx); err != nil {
		return err
	}
	return r.end(ctx, page.DeltaLink)
}

// reader reads one drive once. Only fetches run beside it; they touch nothing of it that changes.
type reader struct {
	g     *graph.Client
	drive string
	// columns is that of a Part.
	columns func(ctx context.Context, row *graph.DriveItem, whole bool) (holdfast.Payload, error)
	prev    engine.Previous
	sink    engine.Sink
	now     time.Time
	walk    string
	next    string // the next link that the state before left behind
	last    string // the delta link before
	fresh   time.Time
	full    time.Time

	seed    maphash.Seed
	seen    map[uint64]bool // ids that a resync has shown; hashed, for a drive may have millions
	touched map[uint64]bool // ids that were put or deleted in this read: what prev says of them is old
	moved   map[string]string
	// moved has the parent of each item put in a read of changes: what lies in a folder that is deleted goes too.
	// folders are deleted folders. They go at the end, with their content, for that may move out in the same delta; before, a checkpoint would
	// forget which content was still to go.
	folders map[string]bool
	changes int
	mu      sync.Mutex               // guards older, into which fetches write
	older   map[uint64]string        // ids of the older versions that this read put, each with a line end, by their file: prev does not have them
	missed  map[string]holdfast.Item // what earlier sessions could not read
}

func (r *reader) key(id string) uint64 { return maphash.String(r.seed, id) }

// again tries what earlier sessions could not read and may be readable now.
func (r *reader) again(ctx context.Context) error {
	for m, err := range engine.MissedItems(ctx, r.prev) {
		if err != nil {
			return err
		}
		id := m.Item.ID
		r.missed[id] = m.Item
		if m.Item.Kind == holdfast.KindVersion {
			id = m.Item.Parent
		}
		switch m.Reason {
		case holdfast.SkipLocked, holdfast.SkipTransient, holdfast.SkipChanging, holdfast.SkipDenied, holdfast.SkipCorrupt:
		default:
			continue
		}
		row, err := r.g.DriveItem(ctx, r.drive, id, graph.List{})
		switch kind := m365.KindOf(err); {
		case err == nil:
			if err := r.row(ctx, row, true); err != nil {
				return err
			}
		case kind == m365.NotFound: // the delta tells
		case m365.Skip(err) != nil:
			r.sink.Skip(ctx, m.Item, m365.Skip(err))
		default:
			return err
		}
	}
	return r.sink.Wait()
}

// start asks for the first page: of an unfinished walk, of the changes, or of everything.
func (r *reader) start(ctx context.Context) (*graph.Page[graph.DriveItem], error) {
	for cur, err := range r.prev.Cursors(ctx) {
		if err != nil {
			return nil, err
		}
		switch cur.Name {
		case cursorDelta:
			r.last = cur.Value
		case cursorNext:
			r.next = cur.Value
		case cursorWalk:
			r.walk = cur.Value
		case cursorFresh:
			r.fresh, _ = time.Parse(time.RFC3339, cur.Value) // an unreadable time is an old one
		case cursorFull:
			r.full, _ = time.Parse(time.RFC3339, cur.Value)
		}
	}
	var page *graph.Page[graph.DriveItem]
	var err error
	switch {
	case r.prev.Anew() && !r.prev.Empty():
		return r.everything(ctx, "")
	case r.next != "" && r.walk == walkFirst:
		page, err = graph.Follow[graph.DriveItem](ctx, r.g, r.next, rows())
	case r.last != "" && r.walk != walkResync && r.now.Sub(r.full) < reconcileAfter+r.spread():
		// Of unfinished changes the beginning is read again: which folders were deleted is known only so.
		r.walk = walkChanges
		page, err = graph.Follow[graph.DriveItem](ctx, r.g, r.last, rows())
	case r.prev.Empty():
		r.walk = walkFirst
		return r.g.DriveDelta(ctx, r.drive, rows())
	default:
		// A resync that was interrupted has forgotten what it saw.
		return r.everything(ctx, "")
	}
	if m365.KindOf(err) == m365.Invalid {
		return r.everything(ctx, "") // the link is not understood any more
	}
	return page, err
}

// spread is the same for a drive each time.
func (r *reader) spread() time.Duration {
	h := fnv.New32a()
	_, _ = h.Write([]byte(r.drive)) // hashes never fail
	return reconcileAfter / 3 * time.Duration(h.Sum32()%1000) / 1000
}

// resync begins a walk over everything where the service says; when it refuses that too, at the beginning, by a call without a token that could be refused.
func (r *reader) resync(ctx context.Context, refusal error, refused int) (*graph.Page[graph.DriveItem], error) {
	if err := r.sink.Wait(); err != nil {
		return nil, err
	}
	var e *m365.Error
	if errors.As(refusal, &e) && e.Location != "" && refused == 1 {
		return r.everything(ctx, e.Location)
	}
	return r.everything(ctx, "")
}

func (r *reader) everything(ctx context.Context, link string) (*graph.Page[graph.DriveItem], error) {
	r.walk, r.seen = walkResync, map[uint64]bool{}
	if link != "" {
		return graph.Follow[graph.DriveItem](ctx, r.g, link, rows())
	}
	return r.g.DriveDelta(ctx, r.drive, rows())
}

// page takes a page in. Of several rows of an id the last one counts.
func (r *reader) page(ctx context.Context, page *graph.Page[graph.DriveItem]) error {
	last := map[string]int{}
	for i := range page.Value {
		last[page.Value[i].ID] = i
	}
	for i := range page.Value {
		row := &page.Value[i]
		if last[row.ID] != i {
			continue
		}
		if err := r.row(ctx, row, false); err != nil {
			return err
		}
	}
	// An id may come again on the next page; its fetches must not overtake each other.
	return r.sink.Wait()
}

// between makes the place after a page one to go on from.
func (r *reader) between(ctx context.Context, next string) error {
	// Changes and resyncs begin again after a crash, with what was put already in prev: which folders were deleted is known only so.
	if r.walk != walkChanges {
		if err := r.set(ctx, cursorWalk, r.walk); err != nil {
			return err
		}
	}
	if r.walk == walkFirst {
		if err := r.set(ctx, cursorNext, next); err != nil {
			return err
		}
	}
	return r.sink.Savepoint(ctx)
}

func (r *reader) set(ctx context.Context, name, value string) error {
	return r.sink.Cursor(ctx, name, value)
}

// before gives what the vault has of an item, unless this read has changed it.
func (r *reader) before(ctx context.Context, id string) (item holdfast.Item, ok bool, err error) {
	if r.prev.Empty() {
		return item, false, nil
	}
	return r.prev.Item(ctx, id)
}

// row takes one row in. again says that the item must be read although nothing changed.
func (r *reader) row(ctx context.Context, row *graph.DriveItem, again bool) error {
	k := r.key(row.ID)
	if r.seen != nil && row.Deleted == nil {
		r.seen[k] = true
	}
	old, had, err := r.before(ctx, row.ID)
	if err != nil {
		return err
	}
	if row.Deleted != nil || row.Removed != nil {
		delete(r.moved, row.ID)
		if row.IsFolder() || old.Kind == holdfast.KindFolder {
			r.folders[row.ID] = true
			return nil
		}
		if !had && !r.touched[k] {
			if missed, ok := r.missed[row.ID]; ok { // it could never be read, and now no restore point lacks it
				r.sink.Skip(ctx, missed, &holdfast.Skip{Reason: holdfast.SkipVanished})
			}
			return nil
		}
		r.touched[k] = true
		r.changes++
		return r.remove(ctx, row.ID, old.Kind)
	}
	item := itemOf(row)
	valued := r.columns == nil || old.Fields[holdfast.FieldValued] != "" || row.Root != nil
	if had && valued && !r.touched[k] && !again && row.SharedChanged == "" && old.Version == item.Version && old.Parent == item.Parent && old.Name == item.Name {
		return nil
	}
	twice := r.touched[k]
	r.touched[k] = true
	delete(r.folders, row.ID)
	if r.walk == walkChanges {
		r.moved[row.ID] = item.Parent
	}
	r.changes++
	f := fetch{r: r, row: row, item: item, old: old, had: had, twice: twice}
	switch {
	case len(row.RemoteItem) > 0 && row.File == nil && row.Folder == nil:
		r.sink.Skip(ctx, item, &holdfast.Skip{Reason: holdfast.SkipUnsupported, Err: errors.New("a shortcut to another drive has no content of its own")})
		return nil
	case item.Kind == holdfast.KindFolder && row.Shared == nil && (r.columns == nil || row.Root != nil):
		return r.sink.Put(ctx, item, f.json())
	case item.Kind == holdfast.KindFolder:
		r.sink.Go(ctx, 0, f.folder)
		return nil
	case row.Malware != nil:
		r.sink.Skip(ctx, item, &holdfast.Skip{Reason: holdfast.SkipMalware, Err: fmt.Errorf("the service holds the file for infected: %s", row.Malware.Description)})
		return nil
	}
	r.sink.Go(ctx, item.Size, f.file)
	return nil
}

// remove deletes an item with its versions, those that this read put too.
func (r *reader) remove(ctx context.Context, id string, kind holdfast.ItemKind) error {
	r.mu.Lock()
	put := r.older[r.key(id)]
	delete(r.older, r.key(id))
	r.mu.Unlock()
	for version := range strings.Lines(put) {
		if err := r.sink.Delete(ctx, versionID(id, strings.TrimSuffix(version, "\n"))); err != nil {
			return err
		}
	}
	if kind == holdfast.KindFile || kind == "" {
		for v, err := range r.prev.Children(ctx, id) {
			if err != nil {
				return err
			}
			if v.Kind == holdfast.KindVersion {
				if err := r.sink.Delete(ctx, v.ID); err != nil {
					return err
				}
			}
		}
	}
	return r.sink.Delete(ctx, id)
}

// finish deletes what went with a deleted folder, and after a resync what is no longer there.
func (r *reader) finish(ctx context.Context) error {
	if r.walk == walkResync {
		if err := r.compare(ctx); err != nil {
			return err
		}
	}
	gone, open := map[string]bool{}, []string{}
	for id := range r.folders {
		gone[id] = true
		open = append(open, id)
	}
	slices.Sort(open)
	for len(open) > 0 {
		folder := open[len(open)-1]
		open = open[:len(open)-1]
		for child, err := range r.prev.Children(ctx, folder) {
			if err != nil {
				return err
			}
			if gone[child.ID] || r.touched[r.key(child.ID)] {
				continue // its own row told: it was moved out, or is deleted already
			}
			if child.Kind == holdfast.KindFolder {
				gone[child.ID] = true
				open = append(open, child.ID)
			} else if err := r.delete(ctx, child.ID, child.Kind); err != nil {
				return err
			}
		}
		if err := r.delete(ctx, folder, holdfast.KindFolder); err != nil {
			return err
		}
	}
	// What was put into a folder that then was deleted.
	for again := len(gone) > 0; again; {
		again = false
		for id, parent := range r.moved {
			if gone[parent] {
				delete(r.moved, id)
				gone[id], again = true, true
				if err := r.remove(ctx, id, ""); err != nil {
					return err
				}
			}
		}
	}
	return r.sink.Wait()
}

// delete removes an item that the vault has or that this read has put; of another one there is nothing to say.
func (r *reader) delete(ctx context.Context, id string, kind holdfast.ItemKind) error {
	k := r.key(id)
	if _, had, err := r.before(ctx, id); err != nil || !had && !r.touched[k] {
		return err
	}
	r.touched[k] = true
	r.changes++
	return r.remove(ctx, id, kind)
}

// compare ends a resync: what the walk did not show is asked for by id, and only a 404 deletes it. Below a folder that is gone nothing is
// asked: what had moved out of it, the walk has shown.
func (r *reader) compare(ctx context.Context) error {
	missing := map[string]holdfast.ItemKind{}
	parents := map[string]string{}
	for item, err := range r.prev.All(ctx) {
		if err != nil {
			return err
		}
		if k := r.key(item.ID); item.Kind != holdfast.KindVersion && !r.seen[k] && !r.touched[k] {
			missing[item.ID], parents[item.ID] = item.Kind, item.Parent
		}
	}
	var top []string
	for id := range missing {
		if _, ok := missing[parents[id]]; !ok {
			top = append(top, id)
		}
	}
	slices.Sort(top)
	const group = 20
	for from := 0; from < len(top); from += group {
		ids := top[from:min(from+group, len(top))]
		parts := make([]graph.Part, 0, len(ids))
		for _, id := range ids {
			parts = append(parts, graph.Part{Path: []string{"drives", r.drive, "items", id}, Permission: "Files.Read.All"})
		}
		results, err := r.g.Batch(ctx, parts)
		if err != nil {
			return err
		}
		for i, res := range results {
			row, err := graph.Object[graph.DriveItem](res)
			switch kind := m365.KindOf(err); {
			case kind == m365.NotFound:
				if missing[ids[i]] == holdfast.KindFolder {
					r.folders[ids[i]] = true
				} else if err := r.delete(ctx, ids[i], missing[ids[i]]); err != nil {
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
	}
	return r.sink.Wait()
}

// end sets the cursors. An idle drive keeps its old link for a while.
func (r *reader) end(ctx context.Context, link string) error {
	if r.changes == 0 && r.walk == walkChanges && r.next == "" && r.now.Sub(r.fresh) < keepLink && !r.now.Before(r.fresh) {
		return r.sink.Wait()
	}
	now := r.now.UTC().Format(time.RFC3339)
	for _, c := range []engine.Cursor{{Name: cursorDelta, Value: link}, {Name: cursorFresh, Value: now}, {Name: cursorFull, Value: now}, {Name: cursorNext}, {Name: cursorWalk}} {
		if r.walk == walkChanges && c.Name != cursorDelta && c.Name != cursorFresh {
			continue // a walk over everything has these
		}
		if err := r.set(ctx, c.Name, c.Value); err != nil {
			return err
		}
	}
	return r.sink.Wait()
}

// fetch reads one item.
type fetch struct {
	r    *reader
	row  *graph.DriveItem
	item holdfast.Item
	old  holdfast.Item
	had  bool
	// twice says that this read has put the item before: what would be kept is that content, not old's.
	twice bool
}

func (f *fetch) json() holdfast.Payload {
	raw := without(f.row.Raw, addresses...)
	return holdfast.Whole(holdfast.FormJSON, bytes.NewReader(raw), int64(len(raw)))
}

// permissions reads the sharing of an item that shows to be shared. An error of the item's own is a *Skip.
func (f *fetch) permissions(ctx context.Context) ([]holdfast.Payload, error) {
	if f.row.Shared == nil {
		return nil, nil
	}
	out := []byte{'['}
	first, err := f.r.g.ItemPermissions(ctx, f.r.drive, f.row.ID, graph.List{})
	for p, err := range graph.All(ctx, f.r.g, first, err, graph.List{}) {
		if err != nil {
			return nil, err
		}
		if len(out) > 1 {
			out = append(out, ',')
		}
		out = append(out, p.Raw...)
	}
	out = append(out, ']')
	return []holdfast.Payload{holdfast.Whole(holdfast.FormPermissions, bytes.NewReader(out), int64(len(out)))}, nil
}

func (f *fetch) folder(ctx context.Context) error {
	perms, err := f.permissions(ctx)
	lacks := m365.Skip(err) // the folder is kept, its sharing is what is missing
	if err != nil && (lacks == nil || ctx.Err() != nil) {
		return err
	}
	columns, unread, err := f.columns(ctx)
	if err != nil {
		return err
	}
	if err := f.r.sink.Put(ctx, f.item, append(append(perms, columns...), f.json())...); err != nil {
		return err
	}
	switch {
	case lacks != nil:
		f.r.sink.Skip(ctx, f.item, lacks)
	case unread != nil:
		f.r.sink.Skip(ctx, f.item, withoutValues("folder", unread))
	}
	return nil
}

// columns are the values of the columns that the library's site made, none when there are none, or why they could not be read.
func (f *fetch) columns(ctx context.Context) (values []holdfast.Payload, unread *holdfast.Skip, err error) {
	if f.r.columns == nil || f.row.Root != nil {
		return nil, nil, nil
	}
	columns, err := f.r.columns(ctx, f.row, f.r.walk == walkFirst || f.r.walk == walkResync)
	switch unread = m365.Skip(err); {
	case err == nil:
		f.item.Fields = with(f.item.Fields, holdfast.FieldValued, "true")
		return []holdfast.Payload{columns}, nil, nil
	case unread == nil || ctx.Err() != nil:
		return nil, nil, err
	case unread.Reason == holdfast.SkipVanished: // whether it is gone it says itself
		unread = &holdfast.Skip{Reason: holdfast.SkipCorrupt, Err: err}
	}
	return nil, unread, nil
}

func withoutValues(what string, why *holdfast.Skip) *holdfast.Skip {
	return &holdfast.Skip{Reason: why.Reason, Err: fmt.Errorf("the %s is kept without the values of its columns, which could not be read: %w", what, why)}
}

// file reads a file: permissions, content, older versions.
func (f *fetch) file(ctx context.Context) error {
	err := f.whole(ctx)
	if err == nil || ctx.Err() != nil {
		return err
	}
	if s := m365.Skip(err); s != nil {
		f.r.sink.Skip(ctx, f.item, s)
		return nil
	}
	return err
}

// promoted is what earlier reads of a file found whose bytes are not what its row says: Office files change on the way in, when the
// service writes properties into them, and the row may lag behind.
type promoted struct {
	sum  [sha256.Size]byte
	hash string
	size int64
}

func (f *fetch) whole(ctx context.Context) error {
	var reads []promoted
	for failed := 0; ; {
		perms, err := f.permissions(ctx)
		if err != nil {
			return err
		}
		columns, unread, err := f.columns(ctx)
		if err != nil {
			return err
		}
		payloads := append(append(perms, columns...), f.json())
		if f.had && !f.twice && sameContent(f.old, f.item) {
			err := f.r.sink.Put(ctx, f.item, append(payloads, holdfast.Kept(holdfast.FormFile))...)
			if err == nil {
				return f.stored(ctx, unread)
			}
			if holdfast.KindOf(err) != holdfast.KindNotFound {
				return err
			}
			f.had = false // the item has no content so far
			continue
		}
		if n := len(reads); n >= 2 && reads[n-1] == reads[n-2] {
			f.item = reads[n-1].as(f.item) // what is served must be that now: the row is stored with it
		}
		check := &checked{row: f.item}
		err = f.r.sink.Put(ctx, f.item, append(payloads, f.content(ctx, check))...)
		if err == nil {
			return f.stored(ctx, unread)
		}
		var differs *differsError
		kind := m365.KindOf(err)
		switch {
		case ctx.Err() != nil:
			return err
		case errors.As(err, &differs):
			reads = append(reads, differs.got)
			if n := len(reads); n >= versionReads || n >= readAttempts && f.item.Size > cheap {
				return &holdfast.Skip{Reason: holdfast.SkipChanging, Err: fmt.Errorf("content did not match its description in %d reads: %w", n, err)}
			}
		case kind == m365.Changed, kind == m365.Unavailable, kind == m365.NotFound:
			failed++
		default:
			return err
		}
		if failed >= readAttempts {
			if kind == m365.Unavailable {
				return err
			}
			if kind == m365.NotFound {
				// Whether the file is gone only the file says; content that is not found is no deletion.
				if gone := f.look(ctx); gone != nil {
					return gone
				}
				return &holdfast.Skip{Reason: holdfast.SkipCorrupt, Err: fmt.Errorf("the file is there and its content is not: %w", err)}
			}
			return &holdfast.Skip{Reason: holdfast.SkipChanging, Err: fmt.Errorf("the file changed in each of %d reads: %w", failed, err)}
		}
		if err := f.look(ctx); err != nil {
			return err
		}
	}
}

// stored goes on after a file was put, with its older versions. The file is kept when the values of its columns could not be read; unread names them.
func (f *fetch) stored(ctx context.Context, unread *holdfast.Skip) error {
	if unread != nil {
		f.r.sink.Skip(ctx, f.item, withoutValues("file", unread))
	}
	return f.versions(ctx)
}

// look reads the row again.
func (f *fetch) look(ctx context.Context) error {
	row, err := f.r.g.DriveItem(ctx, f.r.drive, f.row.ID, graph.List{})
	if err != nil {
		return err
	}
	if row.Malware != nil {
		return &holdfast.Skip{Reason: holdfast.SkipMalware, Err: fmt.Errorf("the service holds the file for infected: %s", row.Malware.Description)}
	}
	if row.IsFolder() {
		return &holdfast.Skip{Reason: holdfast.SkipChanging, Err: errors.New("the file became a folder")}
	}
	// A row of its own shows inherited sharing too; whether it is the item's own was said by the delta.
	if f.row.Shared == nil {
		row.Shared, row.Raw = nil, without(row.Raw, "shared")
	}
	f.row, f.item = row, itemOf(row)
	return nil
}

func (f *fetch) content(ctx context.Context, check *checked) holdfast.Payload {
	return holdfast.Payload{Form: holdfast.FormFile, Pieces: func(yield func(holdfast.Piece, error) bool) {
		size := f.item.Size
		if size > 0 && check.row.Fields[holdfast.FieldHash] != "" {
			size = -1 // the hash judges; a promoted file has another size
		}
		body, err := f.r.g.OpenContent(ctx, graph.ContentOf{Drive: f.r.drive, Item: f.row.ID, Address: f.row.DownloadURL, Size: size})
		if err != nil {
			yield(holdfast.Piece{}, err)
			return
		}
		defer body.Close()
		check.r = body
		check.sum = sha256.New()
		yield(holdfast.Piece{Reader: check, Size: f.item.Size, Apart: f.item.Size >= apart}, nil)
	}}
}

// apart is the size from which on a file is worth an object of its own in the vault.
const apart = 32 << 10

// differsError says that content is not what its row says.
type differsError struct {
	want holdfast.Item
	got  promoted
}

func (e *differsError) Error() string {
	return fmt.Sprintf("%d bytes with hash %s were served, %d with %s are described", e.got.size, e.got.hash, e.want.Size, e.want.Fields[holdfast.FieldHash])
}

// checked compares content with its row as it ends.
type checked struct {
	row    holdfast.Item
	accept func(promoted) bool // by what earlier reads found; nil: nothing
	strict bool                // there is no hash in the row: only accept or known will do
	known  string              // a hash that the content may have
	r      io.Reader
	quick  graph.QuickXor
	sum    interface {
		io.Writer
		Sum([]byte) []byte
	}
	n int64
}

func (c *checked) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	_, _ = c.quick.Write(p[:n]) // hashes never fail
	_, _ = c.sum.Write(p[:n])
	if !errors.Is(err, io.EOF) {
		return n, err
	}
	got := promoted{hash: c.quick.Text(), size: c.n}
	copy(got.sum[:], c.sum.Sum(nil))
	want := c.row.Fields[holdfast.FieldHash]
	switch {
	case c.accept != nil && c.accept(got):
	case got.size == c.row.Size && (got.hash == want || want == "" && !c.strict || c.known != "" && got.hash == c.known || got.size == 0):
	default:
		return n, &differsError{want: c.row, got: got}
	}
	return n, io.EOF
}

// versions reads the older versions of a file that has just been put. What fails here concerns the versions only.
func (f *fetch) versions(ctx context.Context) error {
	if firstVersion(f.item.Version) {
		return nil
	}
	list := graph.List{Top: 200}
	var older []graph.Version
	first, err := f.r.g.ItemVersions(ctx, f.r.drive, f.row.ID, list)
	n := 0
	for v, err := range graph.All(ctx, f.r.g, first, err, list) {
		if err != nil {
			return err
		}
		if n++; n > 1 { // the first one is the present content
			older = append(older, *v)
		}
	}
	there := map[string]bool{}
	for i := range older {
		v := &older[i]
		item := versionOf(f.item, v)
		there[item.ID] = true
		if f.had {
			if _, ok, err := f.r.prev.Item(ctx, item.ID); err != nil {
				return err
			} else if ok {
				continue // a version does not change
			}
		}
		if err := f.version(ctx, item, v); err != nil {
			s := m365.Skip(err)
			if s == nil || ctx.Err() != nil {
				return err
			}
			f.r.sink.Skip(ctx, item, s)
			continue
		}
		f.r.mu.Lock()
		f.r.older[f.r.key(f.row.ID)] += v.ID + "\n"
		f.r.mu.Unlock()
	}
	if !f.had {
		return nil
	}
	for v, err := range f.r.prev.Children(ctx, f.row.ID) {
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

// votes are what reads of the same content found, and how often each.
type votes map[promoted]int

// elect says whether one more read that found got decides for it: it is then two ahead of everything else that was found.
func (v votes) elect(got promoted) bool {
	for other, n := range v {
		if other != got && v[got]+1 < n+2 {
			return false
		}
	}
	return v[got] > 0
}

// version reads one older version. The service gives no hash of it: what it read before is known when it was the present content at the last
// backup, else it is read until enough reads agree.
func (f *fetch) version(ctx context.Context, item holdfast.Item, v *graph.Version) error {
	reads, n, failed := votes{}, 0, 0
	for {
		raw := without(v.Raw, addresses...)
		meta := holdfast.Whole(holdfast.FormJSON, bytes.NewReader(raw), int64(len(raw)))
		check := &checked{row: item, accept: reads.elect, strict: true}
		if f.had && f.old.Size == v.Size {
			check.known = f.old.Fields[holdfast.FieldHash]
		}
		body := holdfast.Payload{Form: holdfast.FormFile, Pieces: func(yield func(holdfast.Piece, error) bool) {
			body, err := f.r.g.OpenContent(ctx, graph.ContentOf{Drive: f.r.drive, Item: f.row.ID, Version: v.ID, Address: v.DownloadURL, Size: v.Size})
			if err != nil {
				yield(holdfast.Piece{}, err)
				return
			}
			defer body.Close()
			check.r, check.sum = body, sha256.New()
			yield(holdfast.Piece{Reader: check, Size: v.Size, Apart: v.Size >= apart}, nil)
		}}
		err := f.r.sink.Put(ctx, item, meta, body)
		var differs *differsError
		switch kind := m365.KindOf(err); {
		case err == nil, ctx.Err() != nil:
			return err
		case errors.As(err, &differs):
			reads[differs.got]++
			if n++; n >= versionReads {
				return &holdfast.Skip{Reason: holdfast.SkipChanging, Err: fmt.Errorf("%d reads of version %s disagree: %d different contents", n, v.ID, len(reads))}
			}
		case kind == m365.Changed, kind == m365.Unavailable:
			// The file got another version meanwhile, which changes the tag of all, or something else came in the place of the bytes.
			if failed++; failed >= readAttempts {
				return err
			}
		default:
			return err
		}
	}
}
