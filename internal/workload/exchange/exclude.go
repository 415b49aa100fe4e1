package exchange

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"holdfast/internal/holdfast"
	"holdfast/internal/m365"
	"holdfast/internal/m365/graph"
)

// Folders that the installation leaves out are not read, and neither is what is in them. What an earlier session stored of one leaves the state as
// what was deleted does: older restore points have it. Whether a folder is left out follows from where it is, so it is asked again whenever folders
// were read: they move, and the tree's delta names the one that moved, not those in it. A folder whose place is not known is read.

// leftOut says whether a folder that is not read is one to be left out, so that it needs no row. Those that are read, exclude takes.
func (r *reader) leftOut(ctx context.Context, f *graph.MailFolder) (bool, error) {
	_, was := r.excluded[f.ID]
	if _, reads := r.folders[f.ID]; reads {
		return false, nil
	}
	_, within := r.excluded[f.ParentFolderID]
	if !within && !slices.Contains(r.leave, r.special[f.ID]) {
		return was, nil // exclude finds whether it is one no more
	}
	return true, r.leavesOut(ctx, f.ID, f.ParentFolderID)
}

// exclude has every folder that is known read, or left out, as its place says.
func (r *reader) exclude(ctx context.Context) error {
	if len(r.leave) == 0 && len(r.excluded) == 0 {
		return nil
	}
	known := map[string]bool{}
	for _, ids := range []map[string]string{r.folders, r.excluded} {
		for id := range ids {
			known[id] = true
		}
	}
	left := map[string]bool{}
	for _, id := range slices.Sorted(maps.Keys(known)) {
		if err := r.judge(ctx, id, left); err != nil {
			return err
		}
	}
	var again []string
	for _, id := range slices.Sorted(maps.Keys(known)) {
		_, was := r.excluded[id]
		_, reads := r.folders[id]
		var err error
		switch {
		case left[id] && reads:
			err = r.emptyFolder(ctx, id)
		case left[id]:
			err = r.noteWhere(ctx, id)
		case was:
			again = append(again, id)
			err = r.readsAgain(ctx, id)
		}
		if err != nil {
			return err
		}
	}
	for _, id := range again {
		if err := r.takeIn(ctx, id); err != nil {
			return err
		}
	}
	return nil
}

// noteWhere notes that a folder is left out, and where it is.
func (r *reader) noteWhere(ctx context.Context, id string) error {
	parent, err := r.above(ctx, id)
	if err != nil {
		return err
	}
	return r.leavesOut(ctx, id, parent)
}

// judge finds whether a folder is left out, itself or by one that it is in, and notes that of all on the way. Folders in a circle are read.
func (r *reader) judge(ctx context.Context, id string, left map[string]bool) error {
	var way []string
	verdict := false
	for at := id; at != "" && !slices.Contains(way, at); {
		if known, judged := left[at]; judged {
			verdict = known
			break
		}
		way = append(way, at)
		if slices.Contains(r.leave, r.special[at]) {
			verdict = true
			break
		}
		above, err := r.above(ctx, at)
		if err != nil {
			return err
		}
		at = above
	}
	for _, f := range way {
		left[f] = verdict
	}
	return nil
}

// above is the folder that a folder is in, as far as it is known.
func (r *reader) above(ctx context.Context, id string) (string, error) {
	if parent, ok := r.parents[id]; ok {
		return parent, nil
	}
	if parent, ok := r.excluded[id]; ok {
		return parent, nil
	}
	item, _, err := r.prev.Item(ctx, id)
	return item.Parent, err
}

// leavesOut notes that a folder is left out.
func (r *reader) leavesOut(ctx context.Context, id, parent string) error {
	if was, ok := r.excluded[id]; ok && was == parent {
		return nil
	}
	r.excluded[id] = parent
	if parent == "" {
		parent = rootName // an empty cursor is none
	}
	return r.sink.Cursor(ctx, cursorExcluded+id, parent)
}

// readsAgain forgets that a folder is left out.
func (r *reader) readsAgain(ctx context.Context, id string) error {
	if _, was := r.excluded[id]; !was {
		return nil
	}
	delete(r.excluded, id)
	return r.sink.Cursor(ctx, cursorExcluded+id, "")
}

// emptyFolder takes a folder that was read, and its messages, out of the state. Messages that this read has put into it may have moved on since: they
// are asked for.
func (r *reader) emptyFolder(ctx context.Context, id string) error {
	if err := r.wait(ctx); err != nil {
		return err
	}
	if w := r.put[id]; w != nil {
		if w.more {
			return holdfast.Unavailable("folder %s was moved into one that is left out while it was read: the mailbox is read again", id)
		}
		for _, m := range w.ids {
			if err := r.left(ctx, m, id); err != nil {
				return err
			}
		}
	}
	for child, err := range r.prev.Children(ctx, id) {
		if err != nil {
			return err
		}
		if at, seen := r.placed[short(child.ID)]; child.Kind == holdfast.KindFolder || seen && at != id {
			continue
		}
		if err := r.outside(ctx, child.ID); err != nil {
			return err
		}
	}
	if err := r.noteWhere(ctx, id); err != nil {
		return err
	}
	return r.hideFolder(ctx, id)
}

// takeIn has a folder read that was left out.
func (r *reader) takeIn(ctx context.Context, id string) error {
	f, err := r.g.MailFolder(ctx, r.mailbox, id, graph.List{})
	switch {
	case m365.KindOf(err) == m365.NotFound:
		return r.dropFolder(ctx, id)
	case err != nil:
		return fmt.Errorf("look up folder %s: %w", id, err)
	}
	return r.folder(ctx, f, map[string]bool{})
}

// outside takes a message that is in a folder that is left out, out of the state.
func (r *reader) outside(ctx context.Context, id string) error {
	if err := r.sink.Delete(ctx, id); err != nil {
		return err
	}
	return r.retried(ctx, id)
}
