package site

import (
	"context"
	"iter"
	"maps"
	"net/url"
	"path"
	"strconv"
	"strings"

	"holdfast/internal/holdfast"
	"holdfast/internal/m365/graph"
	"holdfast/internal/m365/sharepoint"
)

// manyMoved is of how many items that lie elsewhere now each is asked for; for more, all are listed.
const manyMoved = 50 // and for each 500 items one more: what a walk costs

// situation is where the items of a list lie, and which have permissions of their own, as SharePoint's own interface told before they were read. It takes
// little for an item that is in no folder: a bit.
type situation struct {
	unique  map[string]bool
	folders map[string]string // id by server-relative path
	names   map[string]string // of folders, by id
	in      map[string]string // path of the folder that an item lies in, by id; only of those in one
	there   []uint64          // by id
	dirs    map[string]string // one text for each path
}

func newSituation() *situation {
	return &situation{unique: map[string]bool{}, folders: map[string]string{}, names: map[string]string{}, in: map[string]string{}, dirs: map[string]string{}}
}

// take takes an item of the list at a server-relative path in.
func (s *situation) take(root string, i sharepoint.ItemState) {
	if i.ID < 1 {
		return
	}
	id := strconv.Itoa(i.ID)
	if i.Unique {
		s.unique[id] = true
	}
	for len(s.there) <= i.ID/64 {
		s.there = append(s.there, make([]uint64, len(s.there)/2+64)...)
	}
	s.there[i.ID/64] |= 1 << (i.ID % 64)
	if i.IsFolder() {
		s.folders[i.Ref] = id
		s.names[id] = path.Base(i.Ref)
	}
	if dir := path.Dir(i.Ref); dir != root && dir != "." {
		if s.dirs[dir] == "" {
			s.dirs[dir] = dir
		}
		s.in[id] = s.dirs[dir]
	}
}

func (s *situation) has(id string) bool {
	n := sharepoint.Number(id)
	return n > 0 && n/64 < len(s.there) && s.there[n/64]&(1<<(n%64)) != 0
}

// parent is the id of what an item of the list lies in: a folder, or the list.
func (r *listReader) parent(id string) string {
	if r.places == nil {
		return r.l.folder
	}
	if folder := r.places.folders[r.places.in[id]]; folder != "" {
		return itemID(r.l.id, folder)
	}
	return r.l.folder
}

// asFolder makes of an item what it is when it is a folder.
func (r *listReader) asFolder(row *graph.ListItem, item *holdfast.Item) {
	name := ""
	if r.places != nil {
		name = r.places.names[row.ID]
	}
	if name == "" && row.ContentType != nil && strings.HasPrefix(row.ContentType.ID, folderType) {
		if u, err := url.Parse(row.WebURL); err == nil {
			name = path.Base(u.Path)
		}
	}
	if name != "" && name != "." && name != "/" {
		item.Kind, item.Name = holdfast.KindFolder, name
	}
}

// items gives what the state before has of the list, whatever folder it lies in.
func (r *listReader) items(ctx context.Context) iter.Seq2[holdfast.Item, error] {
	return r.below(ctx, r.l.folder)
}

// below gives what the state before has in a folder and in those in it.
func (r *listReader) below(ctx context.Context, folder string) iter.Seq2[holdfast.Item, error] {
	return func(yield func(holdfast.Item, error) bool) {
		open := []string{folder}
		seen := map[string]bool{}
		for len(open) > 0 {
			at := open[len(open)-1]
			open = open[:len(open)-1]
			for item, err := range r.prev.Children(ctx, at) {
				if err != nil {
					yield(item, err)
					return
				}
				if item.Kind == holdfast.KindVersion {
					continue
				}
				if item.Kind == holdfast.KindFolder && !seen[item.ID] {
					seen[item.ID] = true
					open = append(open, item.ID)
				}
				if !yield(item, nil) {
					return
				}
			}
		}
	}
}

// moved tells whether so many items lie elsewhere than the state before has them that all are listed rather than each asked for: those of a list whose
// folders were not read before.
func (r *listReader) moved(ctx context.Context) (bool, error) {
	if r.places == nil {
		return false, nil
	}
	moved, all := 0, 0
	for item, err := range r.items(ctx) {
		if err != nil {
			return false, err
		}
		all++
		if r.elsewhere(item) {
			moved++
		}
	}
	return moved > manyMoved+all/500, nil
}

// elsewhere tells that an item lies elsewhere than the state before has it, or is a folder of which that does not know it.
func (r *listReader) elsewhere(item holdfast.Item) bool {
	id, ok := strings.CutPrefix(item.ID, r.l.id+".")
	return ok && r.places != nil && r.places.has(id) && (item.Parent != r.parent(id) || r.places.names[id] != "" && item.Kind != holdfast.KindFolder)
}

// deleteFolder deletes what was in a folder of the list and has not been read since, and the folder itself at the end. What SharePoint had still told of
// lies elsewhere now, or was deleted in the meantime: it is asked for at the end.
func (r *listReader) deleteFolder(ctx context.Context, folder string) error {
	if r.places == nil && r.seen == nil { // without a certificate what is in folders is kept in the list
		r.adrift = true
	}
	for item, err := range r.below(ctx, folder) {
		if err != nil {
			return err
		}
		id, ok := strings.CutPrefix(item.ID, r.l.id+".")
		switch {
		case !ok || r.wasTouched(item.ID):
		case r.places == nil || r.places.has(id):
			r.homeless[id] = true
		default:
			r.touch(item.ID)
			if err := r.deleteOne(ctx, item.ID); err != nil {
				return err
			}
		}
	}
	if r.places != nil { // what is still told to lie in it lies in the list, until the next read knows better
		maps.DeleteFunc(r.places.folders, func(_, id string) bool { return itemID(r.l.id, id) == folder })
	}
	r.emptied[folder] = true
	return nil
}

// putBelow has asked for at the end what this very read put into a folder that is deleted now: the state before does not know it.
func (r *listReader) putBelow(folder string) {
	open := []string{folder}
	for len(open) > 0 {
		at := open[len(open)-1]
		open = open[:len(open)-1]
		for _, id := range r.putIn[at] {
			r.homeless[strings.TrimPrefix(id, r.l.id+".")] = true
			open = append(open, id)
		}
		delete(r.putIn, at)
	}
}

// deleteEmptied deletes the folders that were deleted, once what lay in them is known: a read that breaks off before that finds it by them again.
func (r *listReader) deleteEmptied(ctx context.Context) error {
	if len(r.emptied) == 0 {
		return nil
	}
	if err := r.sink.Wait(); err != nil {
		return err
	}
	for folder := range r.emptied {
		if err := r.deleteOne(ctx, folder); err != nil {
			return err
		}
	}
	return nil
}
