package exchange

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"holdfast/internal/engine"
	"holdfast/internal/holdfast"
	"holdfast/internal/m365"
	"holdfast/internal/m365/graph"
)

// What of a mailbox the interfaces of mail, contacts and To Do do not show, and the mailbox import/export API does: contact groups, the journal, notes in folders
// below the one of notes, tasks of Outlook in folders that are no list of To Do. They are read as mail is that is exported, and are mail to the vault: messages
// of other classes. A backup asks for changes of the folders, and of what is in those that it knows. A mailbox in which mail came is asked for all of that, an
// idle one for one of them by turn, as it is for its settings.
// https://learn.microsoft.com/graph/api/resources/mailbox-import-export-api-overview

// others is no kind of items of its own; it stands among the kinds because a job leaves it out, and permissions refuse it, as they do those.
var others = &personal{PersonalKind: graph.PersonalKind{Read: graph.MailboxItemsRead}, part: engine.PartItems, name: "items", shelf: "items", special: "items", needs: m365.MailboxExport, also: []string{graph.MailboxFoldersRead}}

// ownItem begins the id of such an item or folder, before what the import/export API calls it: that and Graph's other interfaces may share names.
const ownItem = "item/"

// Container classes of the folders that are looked into (MS-OXOSFLD 2.2.5).
const (
	ofContacts = "IPF.Contact"
	ofJournal  = "IPF.Journal"
	ofNotes    = "IPF.StickyNote"
	ofTasks    = "IPF.Task"
)

// keptIn says whether an item of that class, in such a folder, is read here: in folders of contacts only groups are, as contacts are read as contacts.
func keptIn(folder, class string) bool {
	class = strings.ToUpper(class)
	return folder != ofContacts || class == "IPM.DISTLIST" || strings.HasPrefix(class, "IPM.DISTLIST.")
}

// Named properties of a journal entry (MS-OXOJRNL) and of a task (MS-OXOTASK), beside PidTagSubject and PidTagDisplayName.
const (
	propSubject  = "String 0x37"
	propDisplay  = "String 0x3001"
	propLogStart = "SystemTime {0006200a-0000-0000-c000-000000000046} Id 0x8706"
	propLogEnd   = "SystemTime {0006200a-0000-0000-c000-000000000046} Id 0x8708"
	propTaskDue  = "SystemTime {00062003-0000-0000-c000-000000000046} Id 0x8105"
	propTaskDone = "Boolean {00062003-0000-0000-c000-000000000046} Id 0x811c"
)

// shown is what a list shows of an item, which its row in a folder does not have.
var shown = func() string {
	var ids []string
	for _, id := range []string{propSubject, propDisplay, propLogStart, propLogEnd, propTaskDue, propTaskDone} {
		ids = append(ids, "id eq '"+id+"'")
	}
	return "singleValueExtendedProperties($filter=" + strings.Join(ids, " or ") + ")"
}()

var (
	otherFolders = graph.List{PageSize: folderPage, Select: []string{"displayName", "parentFolderId", "type"}}
	otherRows    = graph.List{PageSize: pageSize}
)

// otherState is what a read knows of them beyond shelves.
type otherState struct {
	of      graph.MailboxOf
	treed   bool                            // this read followed the tree
	asked   map[string]bool                 // folders whose changes it followed
	folders map[string]*graph.MailboxFolder // that this read was told of
	put     map[string]bool                 // folders that it stored, or need not
	classes map[string]string               // folder -> container class
	changed map[string]string               // item -> folder: to be exported
	gone    map[string]string               // item -> the folder that it left
	links   map[string]string               // folder -> its new link, to be stored when what it told is
	tree    string                          // the same of the tree
	news    bool                            // something changed, so all is asked
}

func (r *reader) otherItems() *otherState {
	if r.items == nil {
		r.items = &otherState{folders: map[string]*graph.MailboxFolder{}, put: map[string]bool{}, asked: map[string]bool{}, classes: map[string]string{}, changed: map[string]string{}, gone: map[string]string{}, links: map[string]string{}}
		s := r.shelvesOf(others)
		for folder, stored := range s.cursors { // its class, and its link behind a space
			r.items.classes[folder], s.cursors[folder], _ = strings.Cut(stored, " ")
		}
	}
	return r.items
}

// otherQuestions are the calls of the first round.
func (r *reader) otherQuestions(s *shelves) []question {
	if r.prev.Anew() || s.tree == "" {
		return nil
	}
	x := r.otherItems()
	x.of = r.exporter.of
	out := []question{{part: graph.Part{Link: s.tree, List: of(x.of, otherFolders)}, answer: func(ctx context.Context, res graph.PartResult) error {
		page, err := graph.Rows[graph.MailboxFolder](res)
		return r.otherTree(ctx, s, page, err)
	}}}
	for _, folder := range sortedKeys(s.cursors) {
		link := s.cursors[folder]
		if link == unread {
			continue
		}
		out = append(out, question{part: graph.Part{Link: link, List: of(x.of, otherRows)}, answer: func(ctx context.Context, res graph.PartResult) error {
			if _, there := s.cursors[folder]; !there {
				return nil // it went
			}
			page, err := graph.Rows[graph.MailboxItem](res)
			return r.otherDelta(ctx, s, folder, page, err)
		}})
	}
	if !r.prev.Empty() && len(r.put) == 0 && !r.stale() {
		out = out[turn(r.now, len(out)):][:1]
	} else {
		x.news = true
	}
	return out
}

func of(mailbox graph.MailboxOf, l graph.List) graph.List {
	l.Of = mailbox.User
	return l
}

// finishOthers reads what no question was asked of, and exports what is new.
func (r *reader) finishOthers(ctx context.Context, s *shelves) error {
	x := r.otherItems()
	mailbox, _, err := r.exportedMailbox(ctx, false)
	if err != nil {
		return err
	}
	x.of = mailbox
	for id, folder := range s.again {
		x.changed[strings.TrimPrefix(id, ownItem)] = folder
	}
	first := r.prev.Anew() || s.tree == ""
	// What left one folder may be in another that was read before: as long as anything left, all are asked, twice at most.
	for round := 0; round == 0 || round == 1 && len(x.gone) > 0; round++ {
		if round > 0 {
			clear(x.asked)
			x.treed = false // it may be in a folder that came meanwhile
		}
		if first || x.news || len(x.gone) > 0 {
			if !x.treed {
				page, err := r.otherLink(ctx, s.tree, first)
				if err := r.otherTree(ctx, s, page, err); err != nil {
					return err
				}
			}
		}
		for _, folder := range sortedKeys(s.cursors) {
			link := s.cursors[folder]
			if x.asked[folder] || link != unread && !first && !x.news && len(x.gone) == 0 {
				continue
			}
			if err := r.otherShelf(ctx, s, folder, link); err != nil {
				return err
			}
		}
	}
	if err := r.listedTasks(ctx, s); err != nil {
		return err
	}
	if err := r.exportOthers(ctx, s); err != nil {
		return err
	}
	if err := r.otherGone(ctx, s); err != nil {
		return err
	}
	if err := r.sink.Wait(); err != nil {
		return err
	}
	if x.tree != "" && x.tree != s.tree && (first || x.news || r.stale()) {
		if err := r.sink.Cursor(ctx, s.name+cursorTree, x.tree); err != nil {
			return err
		}
	}
	for _, folder := range sortedKeys(x.links) {
		if _, there := s.cursors[folder]; there {
			if err := r.sink.Cursor(ctx, s.name+cursorShelf+folder, x.classes[folder]+" "+x.links[folder]); err != nil {
				return err
			}
		}
	}
	if len(x.links) == 0 {
		return nil
	}
	return r.sink.Savepoint(ctx)
}

func (r *reader) otherLink(ctx context.Context, link string, first bool) (*graph.Page[graph.MailboxFolder], error) {
	x := r.otherItems()
	if first || link == "" {
		return r.g.MailboxFolderDelta(ctx, x.of, otherFolders)
	}
	return graph.Follow[graph.MailboxFolder](ctx, r.g, link, of(x.of, otherFolders))
}

// otherTree follows the delta of the folders. page and err are what its first call gave.
func (r *reader) otherTree(ctx context.Context, s *shelves, page *graph.Page[graph.MailboxFolder], err error) error {
	x := r.otherItems()
	whole := s.tree == "" || r.prev.Anew()
	seen := map[string]bool{}
	var gone []string
	for resets := 0; ; {
		switch kind := m365.KindOf(err); {
		case err == nil:
		case (kind == m365.Resync || kind == m365.Invalid && !whole) && resets < maxResets:
			resets++
			whole, gone, x.news = true, nil, true
			clear(seen)
			page, err = r.otherLink(ctx, "", true)
			continue
		default:
			return fmt.Errorf("list the folders of all types: %w", err)
		}
		for i := range page.Value {
			f := &page.Value[i]
			if f.Removed != nil {
				gone = append(gone, f.ID)
				continue
			}
			gone = slices.DeleteFunc(gone, func(id string) bool { return id == f.ID })
			seen[f.ID] = true
			if err := r.otherFolder(ctx, s, f); err != nil {
				return err
			}
		}
		if page.NextLink == "" {
			break
		}
		page, err = graph.Follow[graph.MailboxFolder](ctx, r.g, page.NextLink, of(x.of, otherFolders))
	}
	if page.DeltaLink == "" {
		return errors.New("list the folders of all types: the last page has no delta link")
	}
	if whole {
		for folder := range s.cursors {
			if !seen[folder] {
				gone = append(gone, folder)
			}
		}
	}
	for _, folder := range gone {
		if _, ours := s.cursors[folder]; ours {
			if err := r.otherFolderGone(ctx, s, folder); err != nil {
				return err
			}
		}
	}
	x.treed, x.tree = true, page.DeltaLink
	return nil
}

// otherFolder stores a folder that is looked into when it is new or changed.
func (r *reader) otherFolder(ctx context.Context, s *shelves, f *graph.MailboxFolder) error {
	x := r.otherItems()
	class := f.Type
	switch class {
	case ofJournal, ofContacts:
	case ofNotes:
		if r.special[f.ID] == notesName {
			return nil // it is read with mail
		}
	case ofTasks:
		if listed, known, err := r.listOfTasks(ctx, f.ID, f.DisplayName); err != nil || listed || !known {
			return err
		}
	default:
		return nil
	}
	if _, left := r.excluded[f.ParentFolderID]; left {
		return nil // within a folder that the installation leaves out
	}
	x.classes[f.ID] = class
	if _, there := s.cursors[f.ID]; !there {
		x.news = true
		s.cursors[f.ID] = unread
		if err := r.sink.Cursor(ctx, s.name+cursorShelf+f.ID, class+" "+unread); err != nil {
			return err
		}
	}
	x.folders[f.ID] = f
	_, stored, err := r.prev.Item(ctx, ownItem+f.ID)
	if err != nil || !stored {
		return err // what is empty is not shown: each mailbox has a journal
	}
	return r.storeOtherFolder(ctx, f.ID)
}

// storeOtherFolder stores a folder that items lie in, when it is new or changed.
func (r *reader) storeOtherFolder(ctx context.Context, folder string) error {
	x, s := r.otherItems(), r.shelvesOf(others)
	f := x.folders[folder]
	if f == nil {
		if _, stored, err := r.prev.Item(ctx, r.placeOf(folder)); err != nil || stored {
			return err
		}
		var err error
		if f, err = r.g.MailboxFolder(ctx, x.of, folder, graph.List{Select: otherFolders.Select}); err != nil {
			return fmt.Errorf("look up a folder: %w", err)
		}
	}
	if x.put[folder] {
		return nil
	}
	x.put[folder] = true
	class := x.classes[folder]
	if class == ofContacts {
		if _, there := r.shelvesOf(contacts).cursors[f.ID]; there {
			return nil // it is stored as a folder of contacts
		}
	}
	raw, err := graph.Without(f.Raw, "totalItemCount", "childFolderCount", "@odata.context", "@odata.type", "@odata.etag")
	if err != nil {
		return fmt.Errorf("folder %s: %w", f.ID, err)
	}
	item := holdfast.Item{ID: ownItem + folder, Parent: r.rootID(), Kind: holdfast.KindFolder, Name: f.DisplayName, Fields: map[string]string{holdfast.FieldClass: class}}
	if _, mail := r.folders[f.ParentFolderID]; mail {
		item.Parent = f.ParentFolderID
	} else if _, ours := s.cursors[f.ParentFolderID]; ours {
		item.Parent = r.placeOf(f.ParentFolderID)
	}
	sum := sha256.Sum256(raw)
	item.Version = hex.EncodeToString(sum[:12])
	if old, ok, err := r.prev.Item(ctx, item.ID); err != nil || ok && old.Version == item.Version && old.Parent == item.Parent {
		return err
	}
	x.news = true
	return r.sink.Put(ctx, item, holdfast.Whole(holdfast.FormJSON, bytes.NewReader(raw), int64(len(raw))))
}

// placeOf is the id that a folder has in the vault.
func (r *reader) placeOf(folder string) string {
	if _, there := r.shelvesOf(contacts).cursors[folder]; there {
		return folder
	}
	return ownItem + folder
}

// listOfTasks says whether To Do has a list that is this folder, by its id or, as nobody writes that ids are the same in both interfaces, by its name; and
// whether the lists are known at all.
func (r *reader) listOfTasks(ctx context.Context, id, name string) (listed, known bool, err error) {
	s := r.shelvesOf(tasks)
	if s.broken != nil || !s.lists {
		return false, false, nil
	}
	if _, there := s.cursors[id]; there {
		return true, true, nil
	}
	for list := range s.cursors {
		if s.names[list] == "" {
			item, _, err := r.prev.Item(ctx, list)
			if err != nil {
				return false, false, err
			}
			s.names[list] = item.Name
		}
		if s.names[list] == name {
			return true, true, nil
		}
	}
	return false, true, nil
}

// listedTasks drops folders of tasks that To Do has made lists of: they are read as such.
func (r *reader) listedTasks(ctx context.Context, s *shelves) error {
	for _, folder := range sortedKeys(s.cursors) {
		if r.items.classes[folder] == ofTasks {
			own, _, err := r.prev.Item(ctx, ownItem+folder)
			if err != nil {
				return err
			}
			listed, _, err := r.listOfTasks(ctx, folder, own.Name)
			if err == nil && listed {
				err = r.dropOther(ctx, s, folder, true)
			}
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// otherFolderGone makes sure that a folder is gone, and hides it.
func (r *reader) otherFolderGone(ctx context.Context, s *shelves, folder string) error {
	x := r.otherItems()
	f, err := r.g.MailboxFolder(ctx, x.of, folder, graph.List{Select: otherFolders.Select})
	switch {
	case err == nil:
		return r.otherFolder(ctx, s, f)
	case m365.KindOf(err) != m365.NotFound:
		return fmt.Errorf("look up a folder: %w", err)
	}
	if err := r.mailboxThere(ctx); err != nil {
		return err
	}
	return r.dropOther(ctx, s, folder, false)
}

// dropOther hides a folder. What is in it is hidden too when it is known to be read otherwise, else asked for.
func (r *reader) dropOther(ctx context.Context, s *shelves, folder string, known bool) error {
	x := r.otherItems()
	x.news = true
	for item, err := range r.stored(ctx, folder) {
		if err != nil {
			return err
		}
		if !known {
			x.gone[item] = folder
		} else if err := r.sink.Delete(ctx, ownItem+item); err != nil {
			return err
		}
	}
	maps.DeleteFunc(x.changed, func(_, at string) bool { return at == folder })
	delete(s.cursors, folder)
	delete(x.links, folder)
	if _, ok, err := r.prev.Item(ctx, ownItem+folder); err != nil {
		return err
	} else if ok {
		if err := r.sink.Delete(ctx, ownItem+folder); err != nil {
			return err
		}
	}
	return r.sink.Cursor(ctx, s.name+cursorShelf+folder, "")
}

// stored are the ids of the items that the state before has of a folder.
func (r *reader) stored(ctx context.Context, folder string) func(func(string, error) bool) {
	return func(yield func(string, error) bool) {
		for _, place := range []string{folder, ownItem + folder} {
			for item, err := range r.prev.Children(ctx, place) {
				id, ours := strings.CutPrefix(item.ID, ownItem)
				if err == nil && (!ours || item.Kind != holdfast.KindMail) {
					continue
				}
				if !yield(id, err) || err != nil {
					return
				}
			}
		}
	}
}

// otherShelf follows the changes of one folder, from its beginning where there is no link.
func (r *reader) otherShelf(ctx context.Context, s *shelves, folder, link string) error {
	if newer := r.items.links[folder]; newer != "" {
		link = newer
	} else if link == unread || r.prev.Anew() {
		return r.otherDelta(ctx, s, folder, nil, nil)
	}
	page, err := graph.Follow[graph.MailboxItem](ctx, r.g, link, of(r.items.of, otherRows))
	return r.otherDelta(ctx, s, folder, page, err)
}

// otherDelta follows the changes of one folder. page and err are what its link gave; without both all is listed and compared.
func (r *reader) otherDelta(ctx context.Context, s *shelves, folder string, page *graph.Page[graph.MailboxItem], err error) error {
	x := r.otherItems()
	class := x.classes[folder]
	var seen map[string]bool // of a listing
	begin := func() {
		seen = map[string]bool{}
		page, err = r.g.MailboxItemDelta(ctx, x.of, folder, otherRows)
	}
	if page == nil && err == nil {
		begin()
	}
	news := seen != nil
	for resets := 0; ; {
		switch kind := m365.KindOf(err); {
		case err == nil:
		case (kind == m365.Resync || kind == m365.Invalid && seen == nil || kind == m365.NotFound) && resets < maxResets:
			if kind == m365.NotFound {
				if err := r.otherFolderGone(ctx, s, folder); err != nil {
					return err
				}
				if _, there := s.cursors[folder]; !there {
					return nil
				}
			}
			resets++
			news = true
			begin()
			continue
		default:
			return fmt.Errorf("read a folder of the type %s: %w", class, err)
		}
		for i := range page.Value {
			row := &page.Value[i]
			news = true
			if row.ID == "" {
				return errors.New("an item without an id")
			}
			if row.Removed != nil || row.Type != "" && !keptIn(class, row.Type) {
				delete(x.changed, row.ID)
				old, ok, err := r.prev.Item(ctx, ownItem+row.ID)
				if err != nil {
					return err
				}
				if at := s.placed[row.ID]; at == folder || at == "" && ok && old.Parent == r.placeOf(folder) {
					x.gone[row.ID] = folder // else it is known to be elsewhere, or was never stored
				}
				continue
			}
			if seen != nil {
				seen[row.ID] = true
			}
			delete(x.gone, row.ID)
			s.placed[row.ID] = folder
			old, ok, err := r.prev.Item(ctx, ownItem+row.ID)
			if err != nil {
				return err
			}
			if !ok || row.ChangeKey == "" || old.Version != row.ChangeKey || old.Parent != r.placeOf(folder) || r.prev.Anew() {
				x.changed[row.ID] = folder
			}
		}
		if page.NextLink == "" {
			break
		}
		page, err = graph.Follow[graph.MailboxItem](ctx, r.g, page.NextLink, of(x.of, otherRows))
	}
	if page.DeltaLink == "" {
		return fmt.Errorf("read a folder of the type %s: the last page has no delta link", class)
	}
	if seen != nil {
		for id, err := range r.stored(ctx, folder) {
			if err != nil {
				return err
			}
			if !seen[id] && s.placed[id] == "" {
				x.gone[id] = folder
			}
		}
	}
	x.asked[folder] = true
	if news || r.stale() || x.links[folder] != "" {
		x.links[folder] = page.DeltaLink
	}
	return nil
}

// exportOthers reads what is new or changed: what lists show of it in one round trip for twenty, its streams in another.
func (r *reader) exportOthers(ctx context.Context, s *shelves) error {
	x := r.otherItems()
	for ids := range slices.Chunk(sortedKeys(x.changed), graph.MaxExport) {
		var group []*exporting
		var size int64
		err := r.askOthers(ctx, s, ids, x.changed, func(row *graph.MailboxItem, folder string) error {
			if !keptIn(x.classes[folder], row.Type) {
				return r.forget(ctx, s, row.ID)
			}
			if err := r.storeOtherFolder(ctx, folder); err != nil {
				return err
			}
			raw, err := graph.Without(row.Raw, "@odata.context", "@odata.type", "@odata.etag")
			if err != nil {
				return fmt.Errorf("item %s: %w", row.ID, err)
			}
			group, size = append(group, &exporting{fetch: fetch{item: r.otherItem(row, folder), raw: raw}}), size+max(row.Size, 16<<10)
			return nil
		})
		if err != nil {
			return err
		}
		if len(group) > 0 {
			r.sink.Go(ctx, min(size, exportBytes), func(ctx context.Context) error { return r.exportOther(ctx, s, group) })
		}
	}
	return r.sink.Wait()
}

// askOthers asks for items by id where at says that they are, and gives each that is there. What is not there is deleted.
func (r *reader) askOthers(ctx context.Context, s *shelves, ids []string, at map[string]string, there func(row *graph.MailboxItem, folder string) error) error {
	x := r.otherItems()
	parts := make([]graph.Part, len(ids))
	for i, id := range ids {
		parts[i] = graph.Part{Path: x.of.MailboxPath("folders", at[id], "items", id), List: of(x.of, graph.List{Expand: []string{shown}}), Permission: graph.MailboxItemsRead}
	}
	results, err := r.g.Batch(ctx, parts)
	if err != nil {
		return fmt.Errorf("look up items: %w", err)
	}
	for i, res := range results {
		row, err := graph.Object[graph.MailboxItem](res)
		switch {
		case err == nil:
			row.ID = ids[i]
			err = there(row, at[ids[i]])
		case m365.KindOf(err) == m365.NotFound:
			r.mu.Lock()
			r.gone = true
			r.mu.Unlock()
			err = r.forget(ctx, s, ids[i])
		case m365.Skip(err) != nil:
			err = r.personalMissed(ctx, s, at[ids[i]], holdfast.Item{ID: ownItem + ids[i], Kind: holdfast.KindMail, Parent: r.placeOf(at[ids[i]])}, m365.Skip(err))
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// forget takes an item out of the state.
func (r *reader) forget(ctx context.Context, s *shelves, id string) error {
	err := r.readAgain(ctx, s, ownItem+id)
	if _, ok, perr := r.prev.Item(ctx, ownItem+id); perr != nil || !ok {
		return errors.Join(err, perr)
	}
	return errors.Join(err, r.sink.Delete(ctx, ownItem+id))
}

// otherGone asks for what left a folder and is seen in no other. Only "not found" deletes.
func (r *reader) otherGone(ctx context.Context, s *shelves) error {
	x := r.otherItems()
	for ids := range slices.Chunk(sortedKeys(x.gone), graph.MaxExport) {
		err := r.askOthers(ctx, s, ids, x.gone, func(row *graph.MailboxItem, folder string) error {
			if !keptIn(x.classes[folder], row.Type) {
				return r.forget(ctx, s, row.ID)
			}
			return nil // it is there: the next read is told when it goes
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// otherItem is an item as the vault has it.
func (r *reader) otherItem(row *graph.MailboxItem, folder string) holdfast.Item {
	item := holdfast.Item{ID: ownItem + row.ID, Parent: r.placeOf(folder), Kind: holdfast.KindMail, Version: row.ChangeKey, Size: row.Size, Time: row.Modified, Fields: map[string]string{holdfast.FieldClass: row.Type}}
	set := func(key, value string) {
		if value != "" {
			item.Fields[key] = value
		}
	}
	set(holdfast.FieldCreated, instant(row.Created))
	set(holdfast.FieldModified, instant(row.Modified))
	set(holdfast.FieldRead, "true") // none of them is new to anybody
	if len(row.Categories) > 0 {
		if b, err := json.Marshal(row.Categories); err == nil {
			set(holdfast.FieldCategories, string(b))
		}
	}
	for _, p := range row.Properties {
		switch {
		case sameProperty(p.ID, propSubject), sameProperty(p.ID, propDisplay) && item.Name == "":
			if p.Value != "" {
				item.Name = p.Value
			}
		case sameProperty(p.ID, propLogStart):
			set(holdfast.FieldStart, p.Value)
		case sameProperty(p.ID, propLogEnd):
			set(holdfast.FieldEnd, p.Value)
		case sameProperty(p.ID, propTaskDue):
			set(holdfast.FieldDue, p.Value)
		case sameProperty(p.ID, propTaskDone) && strings.EqualFold(p.Value, "true"):
			set(holdfast.FieldStatus, "completed")
		}
	}
	return item
}

// exportOther exports up to twenty items and stores them. What fails is asked for again with what else failed, and named in the end.
func (r *reader) exportOther(ctx context.Context, s *shelves, group []*exporting) error {
	left := group
	for attempt := 1; len(left) > 0 && attempt <= exportAttempts; attempt++ {
		if attempt > 1 {
			if err := r.g.M365().Wait(ctx, r.g.M365().Backoff(attempt-1)); err != nil {
				return err
			}
		}
		if err := r.exportOnce(ctx, s, left); err != nil {
			return err
		}
		left = slices.DeleteFunc(left, func(x *exporting) bool { return x.done })
	}
	for _, x := range left {
		why := m365.Skip(x.err)
		if why == nil {
			why = &holdfast.Skip{Reason: holdfast.SkipTransient, Err: x.err}
		}
		if err := r.personalMissed(ctx, s, strings.TrimPrefix(x.item.Parent, ownItem), x.item, why); err != nil {
			return err
		}
	}
	return nil
}

// exportOnce makes one call. What it leaves undone has an error each.
func (r *reader) exportOnce(ctx context.Context, s *shelves, group []*exporting) error {
	ids := make([]string, len(group))
	for i, x := range group {
		ids[i] = strings.TrimPrefix(x.item.ID, ownItem)
		x.err = errors.New("the answer does not have it")
	}
	r.exporter.mu.Lock()
	change := r.exporter.change
	r.exporter.mu.Unlock()
	asked := ids
	if change {
		var err error
		if asked, err = r.changingIDs(ctx, ids); err != nil {
			return err
		}
	}
	answer, err := r.g.ExportItems(ctx, r.items.of, asked)
	if kind := m365.KindOf(err); err != nil && len(group) > 1 && (kind == m365.Unavailable || kind == m365.Corrupt || kind == m365.Invalid) {
		half := len(group) / 2 // one item may be what the service stumbles over: in halves it is found
		return errors.Join(r.exportOnce(ctx, s, group[:half]), r.exportOnce(ctx, s, group[half:]))
	} else if err != nil {
		for _, x := range group {
			x.err = err
		}
		return fatal(ctx, err)
	}
	defer answer.Close()
	for {
		got, err := answer.Next()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			for _, x := range group {
				if !x.done {
					x.err = err
				}
			}
			return fatal(ctx, err)
		}
		i := slices.Index(asked, got.ItemID)
		if i < 0 || group[i].done {
			continue
		}
		x := group[i]
		if x.err = got.Err; got.Data != nil {
			x.err = r.storeExported(ctx, x, got.Data)
		}
		var e *graph.Error
		switch {
		case x.err == nil:
			x.done = true
			err = r.readAgain(ctx, s, x.item.ID)
		case errors.As(x.err, &e) && e.Has("ErrorInvalidIdMalformed"):
			r.exporter.set(&r.exporter.change)
		case m365.KindOf(x.err) == m365.NotFound:
			x.done = true // deleted since it was asked for: it was not there for the whole of the backup
			err = r.forget(ctx, s, ids[i])
		default:
			err = fatal(ctx, x.err)
		}
		if err != nil {
			return err
		}
	}
}
