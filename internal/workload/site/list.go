package site

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"strings"
	"sync"

	"holdfast/internal/engine"
	"holdfast/internal/holdfast"
	"holdfast/internal/m365"
	"holdfast/internal/m365/graph"
	"holdfast/internal/m365/sharepoint"
)

// listReader reads the items of one list.
type listReader struct {
	*reader
	l        *known
	walk     bool                // everything is told
	seen     map[string]bool     // of a resync: ids that were told
	places   *situation          // nil without a certificate
	homeless map[string]bool     // ids of what lay in folders that were deleted, and may be elsewhere
	emptied  map[string]bool     // ids of folders that were deleted: they go when what lay in them is known
	putIn    map[string][]string // ids that this read put, by the folder
	adrift   bool                // a folder was deleted, and what lay in it is not known
	mu       sync.Mutex          // guards what follows
	history  map[string]string   // numbers of the versions that this read put, by item: the state before does not have them
	touched  map[string]bool     // ids that were put or deleted
}

// rows says what of a delta is asked for.
func rows() graph.List { return graph.List{Expand: []string{"fields"}, Top: pageSize} }

func (r *listReader) run(ctx context.Context) error {
	if err := r.situation(ctx); err != nil {
		return r.skipList(ctx, r.l, err)
	}
	if err := r.again(ctx); err != nil {
		return err
	}
	waiting, err := r.waiting(ctx)
	if err != nil {
		return err
	}
	page, err := r.start(ctx)
	if err == nil && waiting && r.seen == nil && !r.walk { // what was not shown before was told by no change
		page, err = r.everything(ctx, "")
	}
	for refused := 0; ; {
		if m365.KindOf(err) == m365.Resync && refused < resyncs {
			refused++
			page, err = r.resync(ctx, err, refused)
			continue
		}
		if err != nil {
			return r.skipList(ctx, r.l, fmt.Errorf("read changes of list %q: %w", r.l.name, err))
		}
		if err := r.page(ctx, page); err != nil {
			return err
		}
		if page.NextLink == "" && !r.adrift {
			break
		}
		if page.NextLink == "" {
			r.adrift = false
			page, err = r.everything(ctx, "")
			continue
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
	if waiting {
		if err := r.forget(ctx, waitingID(r.l.id)); err != nil {
			return err
		}
	}
	if err := r.sink.Cursor(ctx, cursorNext+r.l.id, ""); err != nil {
		return err
	}
	if err := r.sink.Cursor(ctx, cursorDelta+r.l.id, page.DeltaLink); err != nil {
		return err
	}
	return r.sink.Savepoint(ctx)
}

// seesWaiting is the permission with which Graph shows items that wait for approval, or were refused it; without it they are not there.
// https://learn.microsoft.com/graph/api/listitem-get
const seesWaiting = "Sites.Manage.All"

// waitingID stands for the items of a list that wait for approval.
func waitingID(list string) string { return itemID(list, "waiting") }

// waiting names what the application is not shown of a list with content approval. shown says that earlier sessions were not shown it, and this one is.
func (r *listReader) waiting(ctx context.Context) (shown bool, err error) {
	was := false
	for m, err := range engine.MissedItems(ctx, r.prev) {
		if err != nil {
			return false, err
		}
		was = was || m.Item.ID == waitingID(r.l.id)
	}
	if !was && !r.states[r.l.id].Approval {
		return false, nil
	}
	missing, err := r.g.CheckPermissions(ctx, seesWaiting)
	if err != nil {
		return false, err
	}
	if len(missing) == 0 || !r.states[r.l.id].Approval {
		return was, nil
	}
	why := fmt.Errorf("Microsoft shows items that wait for approval, or were refused it, only to an application with %s: grant it, or switch content approval off", seesWaiting)
	r.sink.Skip(ctx, holdfast.Item{ID: waitingID(r.l.id), Parent: r.l.folder, Kind: holdfast.KindListItem, Name: "what waits for approval in " + r.l.name}, &holdfast.Skip{Reason: holdfast.SkipDenied, Err: why})
	return false, nil
}

// situation asks where items lie and which have permissions of their own: one call for 5,000 items.
func (r *listReader) situation(ctx context.Context) error {
	if r.web == nil {
		return nil
	}
	now, root := newSituation(), r.states[r.l.id].RootFolder.Path
	for s, err := range r.web.Items(ctx, r.l.id) {
		if err != nil {
			return err
		}
		now.take(root, s)
	}
	r.places = now
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
		if item.ID == waitingID(r.l.id) {
			continue // see waiting
		}
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
	moved, err := r.moved(ctx)
	if err != nil {
		return nil, err
	}
	var page *graph.Page[graph.ListItem]
	switch {
	case r.prev.Anew() && !r.prev.Empty():
		return r.everything(ctx, "")
	case moved:
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

func (r *listReader) resync(ctx context.Context, refusal error, refused int) (*graph.Page[graph.ListItem], error) {
	if err := r.sink.Wait(); err != nil {
		return nil, err
	}
	var e *m365.Error
	if errors.As(refusal, &e) && e.Location != "" && refused == 1 { // a second refusal is of that place: a call without a token has none to refuse
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
		delete(r.homeless, row.ID)
		return r.delete(ctx, old, id)
	}
	delete(r.homeless, row.ID)
	if r.seen != nil {
		r.seen[row.ID] = true
	}
	item := r.itemOf(row)
	if had && !again && !r.wasTouched(id) && old.Version == item.Version && old.Fields[fieldUnique] == item.Fields[fieldUnique] && old.Parent == item.Parent && old.Kind == item.Kind && old.Name == item.Name {
		return nil
	}
	r.touch(id)
	delete(r.emptied, id)
	if item.Parent != r.l.folder {
		r.putIn[item.Parent] = append(r.putIn[item.Parent], id)
	}
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

// delete deletes an item, as the state before has it, with its versions, or a folder with what is in it.
func (r *listReader) delete(ctx context.Context, old holdfast.Item, id string) error {
	r.putBelow(id)
	if old.Kind == holdfast.KindFolder {
		return r.deleteFolder(ctx, id)
	}
	return r.deleteOne(ctx, id)
}

// deleteOne deletes an item with its versions, also with those that this read put.
func (r *listReader) deleteOne(ctx context.Context, id string) error {
	for v, err := range r.prev.Children(ctx, id) {
		if err != nil {
			return err
		}
		if v.Kind != holdfast.KindVersion { // what is in a folder is looked for by itself
			continue
		}
		if err := r.sink.Delete(ctx, v.ID); err != nil {
			return err
		}
	}
	r.mu.Lock()
	put := r.history[id]
	delete(r.history, id)
	r.mu.Unlock()
	for version := range strings.FieldsSeq(put) {
		if err := r.sink.Delete(ctx, versionID(id, version)); err != nil {
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
	item := holdfast.Item{ID: itemID(r.l.id, row.ID), Parent: r.parent(row.ID), Kind: holdfast.KindListItem, Version: row.ETag, Time: row.Modified, Size: int64(len(row.Raw)), Name: fields.Title,
		Fields: map[string]string{holdfast.FieldCreated: stamp(row.Created), holdfast.FieldModified: stamp(row.Modified), holdfast.FieldETag: row.ETag}}
	if item.Name == "" {
		item.Name = "Item " + row.ID
	}
	for k, v := range map[string]string{holdfast.FieldVersionID: fields.Version, holdfast.FieldAuthor: person(row.CreatedBy), fieldEditor: person(row.ModifiedBy)} {
		if v != "" {
			item.Fields[k] = v
		}
	}
	r.asFolder(row, &item)
	if r.places != nil && r.places.unique[row.ID] {
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
	for item, err := range r.items(ctx) {
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
			if err := r.delete(ctx, item, item.ID); err != nil {
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

// shared reads items again whose permissions changed, or which lie elsewhere, and nothing else, which no delta tells.
func (r *listReader) shared(ctx context.Context) error {
	if r.places == nil && len(r.homeless) == 0 {
		return r.deleteEmptied(ctx)
	}
	if err := r.sink.Wait(); err != nil {
		return err
	}
	ask := maps.Clone(r.homeless)
	for item, err := range r.items(ctx) {
		if err != nil {
			return err
		}
		id, ok := strings.CutPrefix(item.ID, r.l.id+".")
		if !ok || r.wasTouched(item.ID) {
			continue
		}
		if r.places == nil {
			continue
		}
		was, is := item.Fields[fieldUnique] == "true", r.places.unique[id]
		if was != is || r.elsewhere(item) || is && (r.anew || r.roles[r.l.id][sharepoint.Number(id)]) {
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
		case m365.KindOf(err) == m365.NotFound && r.homeless[id]: // it went with its folder
			if err := r.deleteOne(ctx, itemID(r.l.id, id)); err != nil {
				return err
			}
		case m365.KindOf(err) == m365.NotFound: // the next delta tells
		case m365.Skip(err) != nil:
		default:
			return err
		}
	}
	return r.deleteEmptied(ctx)
}
