package exchange

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"strings"
	"time"

	"holdfast/internal/holdfast"
	"holdfast/internal/m365"
	"holdfast/internal/m365/graph"
)

// tree reads the folders. Hidden ones are not in the delta, so the top is listed for them each time, the whole tree after a reset and whenever links
// are old.
func (r *reader) tree(ctx context.Context) error {
	if err := r.names(ctx); err != nil {
		return err
	}
	if r.versions != nil {
		return r.listTree(ctx)
	}
	link, changed := r.tree0, false
	folders := graph.List{PageSize: folderPage}
	var page *graph.Page[graph.MailFolder]
	var err error
	reset := link == "" || r.prev.Anew()
	if reset {
		page, err = r.g.MailFolderDelta(ctx, r.mailbox, folders)
	} else {
		page, err = graph.Follow[graph.MailFolder](ctx, r.g, link, folders)
		kind := m365.KindOf(err)
		if kind == m365.NotFound {
			// Of the link or of the mailbox? Only the latter is gone.
			if err := r.mailboxThere(ctx); err != nil {
				return err
			}
		}
		if kind == m365.Resync || kind == m365.NotFound || kind == m365.Invalid {
			reset = true
			page, err = r.g.MailFolderDelta(ctx, r.mailbox, folders)
		}
	}
	seen := map[string]bool{}
	var gone []string
	for {
		if err != nil {
			return r.listError(ctx, err)
		}
		for i := range page.Value {
			f := &page.Value[i]
			changed = true
			if f.Removed != nil {
				gone = append(gone, f.ID)
				continue
			}
			if err := r.folder(ctx, f, seen); err != nil {
				return err
			}
		}
		if page.NextLink == "" {
			break
		}
		page, err = graph.Follow[graph.MailFolder](ctx, r.g, page.NextLink, folders)
	}
	if page.DeltaLink == "" {
		return fmt.Errorf("read folders of mailbox %s: %w", r.mailbox, errors.New("the last page has no delta link"))
	}
	if err := r.hidden(ctx, reset || r.stale() || !r.g.M365().Cloud().Has(m365.FolderHidden), seen); err != nil {
		return err
	}
	if reset && r.tree0 != "" {
		// After a reset what is missing may be gone; only a 404 says so.
		for id := range r.folders {
			if !seen[id] && r.special[id] != notesName {
				gone = append(gone, id)
			}
		}
	}
	for _, id := range gone {
		if err := r.goneFolder(ctx, id, seen); err != nil {
			return err
		}
	}
	r.treeLink = page.DeltaLink
	if changed || r.stale() {
		if err := r.sink.Cursor(ctx, cursorFolders, page.DeltaLink); err != nil {
			return err
		}
	}
	return r.refreshed(ctx)
}

// refreshed notes, after a whole walk of the tree, that links were written.
func (r *reader) refreshed(ctx context.Context) error {
	if !r.stale() {
		return nil
	}
	return r.sink.Cursor(ctx, cursorFresh, r.now.UTC().Format(time.RFC3339))
}

// newFolders asks what came to the tree since it was read: a mail may have moved into a folder that was not there then. Folders that went are for the
// next read, or show as their messages are asked for.
func (r *reader) newFolders(ctx context.Context) error {
	if r.versions != nil {
		return r.hidden(ctx, true, map[string]bool{})
	}
	folders := graph.List{PageSize: folderPage}
	page, err := graph.Follow[graph.MailFolder](ctx, r.g, r.treeLink, folders)
	switch m365.KindOf(err) {
	case m365.Resync, m365.NotFound:
		return nil // the next read lists the tree
	}
	for f, err := range graph.All(ctx, r.g, page, err, folders) {
		if err != nil {
			return r.listError(ctx, err)
		}
		if f.Removed != nil {
			continue
		}
		if err := r.folder(ctx, f, map[string]bool{}); err != nil {
			return err
		}
	}
	return nil
}

// wellKnown are the folders whose names tell what they are for; a restore finds them by it in any mailbox and language.
// https://learn.microsoft.com/graph/api/resources/mailfolder
var (
	wellKnown = []string{rootName, "inbox", "drafts", "sentitems", "deleteditems", "junkemail", "outbox", "archive", "conversationhistory", "scheduled",
		"clutter", "syncissues", notesName}
	belowSyncIssues = []string{"conflicts", "localfailures", "serverfailures"}
)

const (
	rootName = "msgfolderroot"
	// notesName is the folder of Outlook's notes. It is in no list of mail folders and in none of Microsoft's lists of names, and answers to this one
	// all the same, with its notes as messages of class IPM.StickyNote, as programs of the field have read them for years.
	notesName = "notes"
)

// names asks for the ids of the well-known folders, and stores the root, which no list has: once, and again whenever links are old, for another folder
// may have become the archive.
func (r *reader) names(ctx context.Context) error {
	known := r.special
	if known != nil && !r.stale() {
		return nil
	}
	r.special = map[string]string{}
	found, err := wellKnownFolders(ctx, r.g, r.mailbox)
	if err != nil {
		return mailboxError(err)
	}
	for name, f := range found {
		r.special[f.ID] = name
	}
	if !maps.Equal(known, r.special) {
		special, err := json.Marshal(r.special)
		if err != nil {
			return err
		}
		if err := r.sink.Cursor(ctx, cursorSpecial, string(special)); err != nil {
			return err
		}
	}
	if err := r.putFolder(ctx, found[rootName], ""); err != nil {
		return err
	}
	if f := found[notesName]; f != nil {
		return r.folder(ctx, f, map[string]bool{})
	}
	return nil
}

// wellKnownFolders finds the well-known folders of a mailbox by name, in one round trip, and in a second one those that only a mailbox with sync
// issues has. The root is always among them; the error for want of it is that of the mailbox.
func wellKnownFolders(ctx context.Context, g *graph.Client, mailbox string) (map[string]*graph.MailFolder, error) {
	found := map[string]*graph.MailFolder{}
	ask := func(names []string) error {
		parts := make([]graph.Part, 0, len(names))
		for _, name := range names {
			parts = append(parts, graph.Part{Path: []string{"users", mailbox, "mailFolders", name}})
		}
		results, err := g.Batch(ctx, parts)
		if err != nil {
			return err
		}
		for i, res := range results {
			f, err := graph.Object[graph.MailFolder](res)
			switch {
			case err == nil:
				found[names[i]] = f
			case names[i] == rootName || m365.KindOf(err) != m365.NotFound:
				return fmt.Errorf("look up folder %s: %w", names[i], err)
			}
		}
		return nil
	}
	err := ask(wellKnown)
	if err == nil && found["syncissues"] != nil {
		err = ask(belowSyncIssues)
	}
	return found, err
}

// hidden lists what the delta does not have: hidden folders at the top with what is below them, and in a whole walk everything.
func (r *reader) hidden(ctx context.Context, whole bool, seen map[string]bool) error {
	type level struct {
		folder string // "" is the top
		whole  bool
	}
	for todo := []level{{"", whole}}; len(todo) > 0; {
		at := todo[0]
		todo = todo[1:]
		l := graph.List{Hidden: true, Top: folderPage}
		var page *graph.Page[graph.MailFolder]
		var err error
		if at.folder == "" {
			page, err = r.g.MailFolders(ctx, r.mailbox, l)
		} else {
			page, err = r.g.ChildFolders(ctx, r.mailbox, at.folder, l)
		}
		if at.folder != "" && m365.KindOf(err) == m365.NotFound {
			continue // gone since its parent was listed
		}
		for f, err := range graph.All(ctx, r.g, page, err, l) {
			if err != nil {
				return r.listError(ctx, err)
			}
			if !at.whole && !f.IsHidden {
				continue
			}
			if err := r.folder(ctx, f, seen); err != nil {
				return err
			}
			if f.ChildFolderCount > 0 {
				todo = append(todo, level{f.ID, true})
			}
		}
	}
	return nil
}

// folder stores a folder when it is new or changed.
func (r *reader) folder(ctx context.Context, f *graph.MailFolder, seen map[string]bool) error {
	if f.ID == "" {
		return errors.New("a folder without an id")
	}
	seen[f.ID] = true
	if r.special[f.ID] == rootName {
		return nil
	}
	if strings.Contains(f.Type, "mailSearchFolder") {
		return nil // a search over other folders: its messages are theirs
	}
	r.parents[f.ID] = f.ParentFolderID
	if left, err := r.leftOut(ctx, f); err != nil || left {
		return err
	}
	if _, known := r.folders[f.ID]; !known {
		r.folders[f.ID] = unread
		if err := r.sink.Cursor(ctx, cursorMessages+f.ID, unread); err != nil {
			return err
		}
		if f.TotalItemCount == 0 && r.later != nil {
			r.later[f.ID] = true
		}
	}
	return r.putFolder(ctx, f, f.ParentFolderID)
}

func (r *reader) putFolder(ctx context.Context, f *graph.MailFolder, parent string) error {
	raw, err := graph.Without(f.Raw, "totalItemCount", "unreadItemCount", "childFolderCount", "sizeInBytes", "@odata.context", "@odata.etag")
	if err != nil {
		return fmt.Errorf("folder %s: %w", f.ID, err)
	}
	item := holdfast.Item{ID: f.ID, Parent: parent, Kind: holdfast.KindFolder, Name: f.DisplayName, Fields: map[string]string{}}
	if name := r.special[f.ID]; name != "" {
		item.Fields[holdfast.FieldSpecial] = name
	}
	if f.IsHidden {
		item.Fields[holdfast.FieldHidden] = "true"
	}
	sum := sha256.Sum256(raw)
	item.Version = hex.EncodeToString(sum[:12])
	if old, ok, err := r.prev.Item(ctx, f.ID); err != nil {
		return err
	} else if ok && old.Version == item.Version && old.Parent == item.Parent && old.Fields[holdfast.FieldSpecial] == item.Fields[holdfast.FieldSpecial] {
		return nil
	}
	return r.sink.Put(ctx, item, holdfast.Whole(holdfast.FormJSON, bytes.NewReader(raw), int64(len(raw))))
}

// goneFolder makes sure that a folder that was reported as removed is gone, and hides it. Its messages become pending: they may be elsewhere.
func (r *reader) goneFolder(ctx context.Context, id string, seen map[string]bool) error {
	if f, err := r.g.MailFolder(ctx, r.mailbox, id, graph.List{}); err == nil {
		return r.folder(ctx, f, seen)
	} else if m365.KindOf(err) != m365.NotFound {
		return fmt.Errorf("look up folder %s: %w", id, err)
	}
	if err := r.mailboxThere(ctx); err != nil {
		return err
	}
	return r.dropFolder(ctx, id)
}

// dropFolder hides a folder that is known to be gone, with the folders in it.
func (r *reader) dropFolder(ctx context.Context, id string) error {
	for todo := []string{id}; len(todo) > 0; {
		id, todo = todo[0], todo[1:]
		if w := r.put[id]; w != nil {
			if w.more {
				// Which messages these are, only the next state before tells.
				return holdfast.Unavailable("folder %s was deleted while it was read: the mailbox is read again", id)
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
			if child.Kind != holdfast.KindFolder {
				if err := r.left(ctx, child.ID, id); err != nil {
					return err
				}
				continue
			}
			if strings.HasPrefix(child.ID, ownItem) {
				continue // no folder of mail: those are followed by themselves
			}
			f, err := r.g.MailFolder(ctx, r.mailbox, child.ID, graph.List{})
			switch {
			case err == nil:
				if err := r.folder(ctx, f, map[string]bool{}); err != nil {
					return err
				}
			case m365.KindOf(err) == m365.NotFound:
				todo = append(todo, child.ID)
			default:
				return fmt.Errorf("look up folder %s: %w", child.ID, err)
			}
		}
		if err := r.hideFolder(ctx, id); err != nil {
			return err
		}
		if err := r.readsAgain(ctx, id); err != nil {
			return err
		}
	}
	return nil
}

// hideFolder takes a folder, whose messages are taken care of, out of the state.
func (r *reader) hideFolder(ctx context.Context, id string) error {
	delete(r.folders, id)
	if err := r.sink.Delete(ctx, id); err != nil {
		return err
	}
	return r.sink.Cursor(ctx, cursorMessages+id, "")
}

// left notes that a message is no longer in a folder. It survives a crash: the folder's cursor may move on before the question is asked.
func (r *reader) left(ctx context.Context, id, folder string) error {
	r.news = true
	if k := short(id); r.placed[k] == folder {
		delete(r.placed, k)
	}
	r.pending[id] = folder
	return r.sink.Cursor(ctx, cursorPending+id, folder)
}
