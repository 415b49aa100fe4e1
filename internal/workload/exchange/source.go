package exchange

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"holdfast/internal/engine"
	"holdfast/internal/holdfast"
	"holdfast/internal/m365"
	"holdfast/internal/m365/graph"
)

// Cursors of a mailbox.
const (
	cursorFolders  = "folders"   // delta link of the folder tree
	cursorSpecial  = "special"   // JSON: folder id -> well-known name
	cursorMailbox  = "mailbox"   // what the import/export API calls the mailbox
	cursorFresh    = "fresh"     // when the links were last written, RFC 3339
	cursorMessages = "f/"        // + folder id: delta or next link of its messages; behind resyncing, one that must begin again after a crash
	cursorPending  = "pending/"  // + message id: it left a folder, and whether it is elsewhere has not been asked
	cursorRetry    = "retry/"    // + message id: it could not be read; the value is the reason
	cursorExcluded = "excluded/" // + folder id: it is left out; the value is the folder that it is in
	resyncing      = "resync:"
	unread         = "unread" // a folder whose messages were never read: it must be known after a crash, for the tree's delta does not name it again
)

const (
	// pageSize is what a page of a message delta asks for: bodies are in the rows, and fat pages end in 504.
	pageSize      = 500
	smallPageSize = 20
	// folderPage is what a page of folders asks for: most mailboxes have fewer.
	folderPage = 250
	// keepLinks is how long an idle mailbox keeps its old links, so that an idle backup writes nothing. Outlook does not say how long a link
	// lives; an expired one costs a re-read, never data.
	keepLinks = 48 * time.Hour
	// writtenKept bounds the messages of one read that are remembered by the folder that they were put into.
	writtenKept = 20_000
	// maxPasses bounds how often all folders are asked for what came since: mail may come faster than it is read.
	maxPasses = 3
	// draftRounds bounds how often drafts that are being edited are fetched once more.
	draftRounds = 3
	// maxResets bounds how often the service may reset a folder within one reading of it.
	maxResets = 4
	// mimeAttempts bounds how often a broken download of one mail is begun again.
	mimeAttempts = 4
	// endAttempts bounds how often a mail is read that seems to end too early.
	endAttempts = 8
)

// messageFields are all properties of a message but uniqueBody, whose text is in the MIME.
// https://learn.microsoft.com/graph/api/resources/message
var messageFields = []string{"id", "changeKey", "parentFolderId", "createdDateTime", "lastModifiedDateTime", "receivedDateTime", "sentDateTime",
	"hasAttachments", "internetMessageId", "subject", "body", "bodyPreview", "importance", "isRead", "isDraft", "isDeliveryReceiptRequested",
	"isReadReceiptRequested", "from", "sender", "toRecipients", "ccRecipients", "bccRecipients", "replyTo", "categories", "flag",
	"inferenceClassification", "conversationId", "conversationIndex"}

// The extended properties that are read with each row: message class and size.
const (
	propClass = "String 0x001A"
	propSize  = "Integer 0x0E08"
)

const (
	expandAttachments = "attachments($select=id,name,contentType,size,isInline)"
	// expandDeep has the items in attachments too, so that they cost no request each.
	expandDeep       = "attachments($select=id,name,contentType,size,isInline;$expand=microsoft.graph.itemattachment/item)"
	expandProperties = "singleValueExtendedProperties($filter=id eq '" + propClass + "' or id eq '" + propSize + "')"
)

// signed are the members of a row that change whenever the MIME may: nothing else is asked about it, for boundaries may differ on every read.
var signed = []string{"body", "subject", "from", "sender", "toRecipients", "ccRecipients", "bccRecipients", "replyTo", "internetMessageId",
	"hasAttachments", "attachments", "sentDateTime", "receivedDateTime", "isDraft", "importance"}

// rows asks for messages as they are stored, size of them to a page; attachments is one of the two ways to have attachments.
func (r *reader) rows(size int, attachments string) graph.List {
	return graph.List{Select: r.fields, Expand: []string{attachments, r.expand}, PageSize: size, Prefer: []string{`outlook.body-content-type="html"`, "outlook.allow-unsafe-html"}}
}

// Read brings a mailbox up to date: the folder tree by one delta, each folder's messages by one delta each, then contacts, events and tasks.
func (s *source) Read(ctx context.Context, c holdfast.Container, prev engine.Previous, sink engine.Sink) error {
	if c.OfGroup() {
		return s.readGroup(ctx, c, prev, sink)
	}
	r := &reader{g: s.g, mailbox: c.Source, prev: prev, sink: sink, now: s.g.M365().Clock().Now(), folders: map[string]string{}, placed: map[[12]byte]string{}, read: map[string]bool{}, later: map[string]bool{}, put: map[string]*written{}, relist: map[string]bool{}, drafts: map[string]string{}, pending: map[string]string{}, retry: map[string]bool{},
		leave: engine.FoldersLeftOut(ctx), excluded: map[string]string{}, parents: map[string]string{}}
	cloud := s.g.M365().Cloud()
	r.fields, r.expand = fieldsIn(cloud)
	exports, err := s.exports(ctx)
	if err != nil {
		return err
	}
	if exports {
		r.exporter = &exporter{of: graph.MailboxOf{User: c.Source}}
		// What is exported has the body, and everything that changes an item's version is in it.
		r.fields = slices.DeleteFunc(slices.Clone(r.fields), func(f string) bool { return f == "body" })
	}
	if !cloud.Has(m365.MessageDelta) {
		r.versions = map[[12]byte]uint64{}
	}
	for cur, err := range prev.Cursors(ctx) {
		if err != nil {
			return err
		}
		r.remember(cur)
	}
	if prev.Anew() {
		r.special = nil
		for folder, cursor := range r.folders {
			if cursor != unread {
				r.folders[folder] = resyncing
			}
		}
	}
	if err := r.tree(ctx); err != nil {
		return err
	}
	if err := r.exclude(ctx); err != nil {
		return err
	}
	if err := r.all(ctx); err != nil {
		return err
	}
	// What seemed empty is read with the second pass over the others, and at once where there is none.
	r.later = nil
	if !r.news {
		if err := r.all(ctx); err != nil {
			return err
		}
	}
	// A mail that moved into a folder that had been read, out of one that had not, is in neither answer: of what came and went between two links a
	// delta need not tell. What each folder got since tells, until nothing comes any more. The same shows drafts that were edited between their
	// row and their MIME. Where nothing changed at all nothing is asked twice.
	for pass := 1; r.news && pass < maxPasses; pass++ {
		r.news = false
		clear(r.read)
		clear(r.drafts)
		if err := r.newFolders(ctx); err != nil {
			return err
		}
		if err := r.exclude(ctx); err != nil {
			return err
		}
		if err := r.all(ctx); err != nil {
			return err
		}
	}
	if err := r.again(ctx); err != nil {
		return err
	}
	// What left a folder may be in one that came into being meanwhile.
	for round := 0; round == 0 || len(r.pending)+len(r.drafts) > 0; round++ {
		if err := r.resolve(ctx); err != nil {
			return err
		}
		if err := r.all(ctx); err != nil {
			return err
		}
		if err := r.edited(ctx, round < draftRounds); err != nil {
			return err
		}
	}
	if err := r.readPersonal(ctx); err != nil {
		return err
	}
	if r.gone {
		if err := r.mailboxThere(ctx); err != nil {
			return err
		}
	}
	return r.wait(ctx)
}

// all reads the folders that have not been read yet, among them those that are found on the way.
func (r *reader) all(ctx context.Context) error {
	for {
		folders := slices.DeleteFunc(slices.SortedFunc(maps.Keys(r.folders), r.flow), func(f string) bool { return r.read[f] || r.later[f] })
		if len(folders) == 0 {
			return nil
		}
		for _, folder := range folders {
			r.read[folder] = true
			if _, known := r.folders[folder]; !known {
				continue // dropped since, with a folder that it was in
			}
			read := r.messages
			if r.versions != nil {
				read = r.list
			}
			if err := read(ctx, folder); err != nil {
				return err
			}
		}
	}
}

// flow puts folders in the order in which mail goes through them, so that what moves on while the mailbox is read comes into a folder that is still to
// be read.
func (r *reader) flow(a, b string) int {
	return cmp.Or(cmp.Compare(flowRank(r.special[a]), flowRank(r.special[b])), strings.Compare(a, b))
}

func flowRank(special string) int {
	switch special {
	case "drafts":
		return 0
	case "outbox", "scheduled":
		return 1
	case "junkemail", "clutter":
		return 2
	case "inbox":
		return 3
	case "sentitems":
		return 5
	case "archive":
		return 6
	case "deleteditems":
		return 7
	}
	return 4
}

// mailboxThere gives the error of a mailbox that went away while it was read: then nothing in it is found, and that deletes nothing.
func (r *reader) mailboxThere(ctx context.Context) error {
	if _, err := r.g.MailFolder(ctx, r.mailbox, rootName, graph.List{}); err != nil {
		return mailboxError(err)
	}
	return nil
}

// listError is what an error of a list of folders means: not every page that is not found is of a mailbox that is gone.
func (r *reader) listError(ctx context.Context, err error) error {
	if m365.KindOf(err) == m365.NotFound {
		if gone := r.mailboxThere(ctx); gone != nil {
			return gone
		}
		return fmt.Errorf("read the folders of mailbox %s, which is there: %w", r.mailbox, err)
	}
	return mailboxError(err)
}

// reader reads one mailbox once. Only fetches run beside it, and they touch nothing but mu's.
type reader struct {
	g        *graph.Client
	mailbox  string
	prev     engine.Previous
	sink     engine.Sink
	now      time.Time
	fresh    time.Time         // when links were last written
	special  map[string]string // folder id -> well-known name
	tree0    string            // delta link of the tree before
	treeLink string            // and the present one
	folders  map[string]string // known folders -> cursor
	pending  map[string]string // message -> folder that it left
	// placed has the folder in whose delta a message was seen last, in an incremental read; by hash, for there may be a million.
	placed map[[12]byte]string
	read   map[string]bool     // folders that are read
	later  map[string]bool     // folders that are new and seem empty; nil when they are due
	put    map[string]*written // by folder: what was put in this read, which prev may not have
	kept   int                 // ids in put
	relist map[string]bool     // folders that the service reset after rows of them were put: the next read lists and compares them again
	news   bool                // something came or went in this pass over the folders
	// drafts have the version of each draft whose MIME was fetched and that no later delta has shown to be unchanged since.
	drafts   map[string]string
	fetches  []fetch         // of mails that rows have told of, not yet begun
	gone     bool            // a message was deleted because it was not found; guarded by mu while fetches run
	earlier  []string        // messages that an earlier session could not read
	mu       sync.Mutex      // guards retry and gone
	retry    map[string]bool // messages that could not be read so far
	personal []*shelves      // contacts, calendars, tasks
	// versions are those of the messages of this read, where there is no delta and lists are compared; nil elsewhere.
	versions map[[12]byte]uint64
	fields   []string  // properties of messages that the cloud has
	expand   string    // of what is read with each message
	shallow  bool      // the service refuses rows with attached items: they are asked for one by one
	exporter *exporter // nil: mails are read as MIME
	leave    []string  // well-known names of the folders that are left out, with what is in them
	// excluded are the folders that are left out, parents those whose row this read has seen: each with the folder that it is in.
	excluded, parents map[string]string
}

// fetch is a mail whose MIME is to be read, with what its row told of it. Nothing in it holds on to the page that the row was in.
type fetch struct {
	item   holdfast.Item
	raw    []byte
	beyond []attachedItem
}

// written is what was put into a folder.
type written struct {
	ids  []string
	more bool // ids are not all
}

// wrote notes that a message was put into a folder.
func (r *reader) wrote(folder, id string) {
	r.news = true
	w := r.put[folder]
	if w == nil {
		w = &written{}
		r.put[folder] = w
	}
	if r.kept >= writtenKept {
		w.more = true
		return
	}
	r.kept++
	w.ids = append(w.ids, id)
}

func (r *reader) remember(c engine.Cursor) {
	switch {
	case r.rememberPersonal(c):
	case c.Name == cursorFolders:
		r.tree0 = c.Value
	case c.Name == cursorMailbox:
		if r.exporter != nil {
			r.exporter.of.ID = c.Value
		}
	case c.Name == cursorFresh:
		r.fresh, _ = time.Parse(time.RFC3339, c.Value) // an unreadable time is an old one
	case c.Name == cursorSpecial:
		if json.Unmarshal([]byte(c.Value), &r.special) != nil {
			r.special = nil
		}
	case strings.HasPrefix(c.Name, cursorMessages):
		r.folders[c.Name[len(cursorMessages):]] = c.Value
	case strings.HasPrefix(c.Name, cursorExcluded):
		r.excluded[c.Name[len(cursorExcluded):]] = c.Value
	case strings.HasPrefix(c.Name, cursorPending):
		r.pending[c.Name[len(cursorPending):]] = c.Value
	case strings.HasPrefix(c.Name, cursorRetry):
		r.retry[c.Name[len(cursorRetry):]] = true
		r.earlier = append(r.earlier, c.Name[len(cursorRetry):])
	}
}

// stale says that links should be written though nothing changed.
func (r *reader) stale() bool { return r.now.Sub(r.fresh) > keepLinks }

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
			if !seen[id] {
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
		"clutter", "syncissues"}
	belowSyncIssues = []string{"conflicts", "localfailures", "serverfailures"}
)

const rootName = "msgfolderroot"

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
	return r.putFolder(ctx, found[rootName], "")
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

// messages reads the changes of one folder.
func (r *reader) messages(ctx context.Context, folder string) error {
	cursor := r.folders[folder]
	if cursor == unread {
		cursor = ""
	}
	restart := strings.HasPrefix(cursor, resyncing)
	resets := 0
	var page *graph.Page[graph.Message]
	var err error
	size := pageSize
	attachments := expandDeep
	if r.shallow || r.exporter != nil {
		attachments = expandAttachments
	}
	var seen map[[12]byte]struct{} // of a resync
	begin := func(resync bool) {
		if resync {
			seen = map[[12]byte]struct{}{}
			// What was put before and is deleted before it is listed again is in no list and not in prev either. When it was too much to remember, the next
			// read finds it in its prev.
			w := r.put[folder]
			r.relist[folder] = r.relist[folder] || w != nil && w.more
			r.news = true
		}
		page, err = r.g.MessageDelta(ctx, r.mailbox, folder, r.rows(size, attachments))
	}
	link := ""
	if cursor == "" || restart {
		begin(restart)
	} else {
		link = cursor
		page, err = graph.Follow[graph.Message](ctx, r.g, link, r.rows(size, attachments))
	}
	news := cursor == "" || restart
	for {
		kind := m365.KindOf(err)
		if kind == m365.Invalid && link != "" {
			kind = m365.Resync // a link that the service does not understand any more
		}
		switch kind {
		case m365.Resync:
			if resets++; resets > maxResets {
				return fmt.Errorf("read folder %s: the service reset it again and again: %w", folder, err)
			}
			news = true
			link = ""
			begin(true)
			continue
		case m365.NotFound:
			// Gone since the tree was read.
			if err := r.wait(ctx); err != nil {
				return err
			}
			if err := r.goneFolder(ctx, folder, map[string]bool{}); err != nil {
				return err
			}
			if _, there := r.folders[folder]; !there {
				return nil
			}
			// The folder is there and its changes are not.
			if resets++; resets > maxResets {
				return fmt.Errorf("read folder %s, which is there: %w", folder, err)
			}
			news, link = true, ""
			begin(true)
			continue
		case m365.Unavailable:
			// Bodies are in the rows: a fat page may never come, a thin one does.
			if size > smallPageSize {
				size = max(size/5, smallPageSize)
				if link == "" {
					begin(seen != nil)
				} else {
					page, err = graph.Follow[graph.Message](ctx, r.g, link, r.rows(size, attachments))
				}
				continue
			}
			if attachments == expandDeep {
				// One attached item may be too much for any page. A link keeps asking for what its first call did.
				attachments = expandAttachments
				restart = restart || link != ""
				link = ""
				begin(restart)
				continue
			}
		case m365.Invalid:
			if attachments == expandDeep {
				r.shallow, attachments = true, expandAttachments
				begin(restart)
				continue
			}
		}
		if err != nil {
			return fmt.Errorf("read folder %s: %w", folder, err)
		}
		last := make(map[string]int, len(page.Value))
		for i := range page.Value {
			last[page.Value[i].ID] = i
		}
		for i := range page.Value {
			m := &page.Value[i]
			news = true
			r.news = r.news || cursor == "" // a listing takes long
			if last[m.ID] != i {
				continue // of several rows of one message the last counts; two fetches of one message could overtake each other
			}
			if m.Removed != nil {
				if err := r.left(ctx, m.ID, folder); err != nil {
					return err
				}
				continue
			}
			if seen != nil {
				seen[short(m.ID)] = struct{}{}
			}
			if err := r.row(ctx, m, folder); err != nil {
				return err
			}
		}
		page.Value = nil // most of a page is bodies, and its mails are long in coming
		// The link is good for what was put before it, so everything of this page must have been.
		if err := r.wait(ctx); err != nil {
			return err
		}
		link = page.NextLink
		if link == "" {
			break
		}
		value := link
		if seen != nil {
			value = resyncing + link
		}
		if err := r.sink.Cursor(ctx, cursorMessages+folder, value); err != nil {
			return err
		}
		if err := r.sink.Savepoint(ctx); err != nil {
			return err
		}
		page, err = graph.Follow[graph.Message](ctx, r.g, link, r.rows(size, attachments))
	}
	if page.DeltaLink == "" {
		return fmt.Errorf("read folder %s: the last page has no delta link", folder)
	}
	if seen != nil {
		// What a reset does not list any more may have left; that alone deletes nothing.
		for child, err := range r.prev.Children(ctx, folder) {
			if err != nil {
				return err
			}
			if _, ok := seen[short(child.ID)]; !ok && child.Kind == holdfast.KindMail {
				if err := r.left(ctx, child.ID, folder); err != nil {
					return err
				}
			}
		}
		if w := r.put[folder]; w != nil {
			for _, id := range w.ids {
				if _, ok := seen[short(id)]; !ok {
					if err := r.left(ctx, id, folder); err != nil {
						return err
					}
				}
			}
		}
	}
	r.folders[folder] = page.DeltaLink
	if news || r.stale() {
		value := page.DeltaLink
		if r.relist[folder] {
			value = resyncing
		}
		if err := r.sink.Cursor(ctx, cursorMessages+folder, value); err != nil {
			return err
		}
		return r.sink.Savepoint(ctx)
	}
	return nil
}

func short(id string) (h [12]byte) {
	sum := sha256.Sum256([]byte(id))
	copy(h[:], sum[:])
	return h
}

// row stores what a row says, at once when the MIME that is stored is still right, else by a fetch that wait makes.
func (r *reader) row(ctx context.Context, m *graph.Message, folder string) error {
	if m.ID == "" {
		return errors.New("a message without an id")
	}
	twice := false // this read has put it before, so that what prev says of it is old
	if !r.prev.Empty() || r.versions != nil {
		k := short(m.ID)
		_, twice = r.placed[k]
		r.placed[k] = folder
		if r.versions != nil {
			r.versions[k] = versionOf(m.ChangeKey)
		}
	}
	if err := supply(m, r.g.M365().Cloud()); err != nil {
		return fmt.Errorf("message %s: %w", m.ID, err)
	}
	if was, ok := r.pending[m.ID]; ok && was == folder {
		// It came back after it left.
		delete(r.pending, m.ID)
		if err := r.sink.Cursor(ctx, cursorPending+m.ID, ""); err != nil {
			return err
		}
	}
	beyond, err := takeItems(m)
	if err != nil {
		return fmt.Errorf("message %s: %w", m.ID, err)
	}
	raw, err := graph.Without(m.Raw, "body", "uniqueBody", "@odata.context")
	if err != nil {
		return fmt.Errorf("message %s: %w", m.ID, err)
	}
	signature, err := sign(m.Raw)
	if err != nil {
		return fmt.Errorf("message %s: %w", m.ID, err)
	}
	item := itemOf(m, signature)
	if item.Parent == "" {
		item.Parent = folder
	}
	if r.exporter != nil {
		delete(item.Fields, holdfast.FieldBody)
	}
	if !r.prev.Empty() && !twice && !r.retrying(m.ID) {
		old, ok, err := r.prev.Item(ctx, m.ID)
		switch {
		case err != nil:
			return err
		case r.exporter != nil:
			// Every change of an item is in what is exported, so that nothing but the version says whether it is needed again.
			if ok && old.Version == item.Version && old.Parent == item.Parent && !r.prev.Anew() {
				return nil
			}
		case ok && old.Version == item.Version && old.Parent == item.Parent && (!r.prev.Anew() || old.Fields[holdfast.FieldBody] == signature):
			return nil
		case ok && signature != "" && old.Fields[holdfast.FieldBody] == signature:
			r.wrote(folder, m.ID)
			payloads := []holdfast.Payload{holdfast.Whole(holdfast.FormJSON, bytes.NewReader(raw), int64(len(raw))), holdfast.Kept(holdfast.FormMIME)}
			if len(beyond) > 0 {
				payloads = append(payloads, holdfast.Kept(holdfast.FormAttachments))
			}
			return r.sink.Put(ctx, item, payloads...)
		}
	}
	r.wrote(folder, m.ID)
	if m.IsDraft {
		r.drafts[m.ID] = m.ChangeKey
	}
	raw = bytes.Clone(raw) // without the room that its body had
	for i := range beyond {
		beyond[i].raw = bytes.Clone(beyond[i].raw)
	}
	r.fetches = append(r.fetches, fetch{item, raw, beyond})
	return nil
}

// wait fetches what rows asked for, and is back when all of it is stored.
func (r *reader) wait(ctx context.Context) error {
	if r.exporter != nil {
		r.exportAll(ctx)
		return r.sink.Wait()
	}
	for i, f := range r.fetches {
		r.fetches[i] = fetch{}
		r.sink.Go(ctx, max(f.item.Size, 16<<10), func(ctx context.Context) error { return r.fetch(ctx, f.item, f.raw, f.beyond) })
	}
	r.fetches = r.fetches[:0]
	return r.sink.Wait()
}

func (r *reader) retrying(id string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.retry[id]
}

// fetch reads a mail's MIME and what MIME cannot carry, and stores it.
func (r *reader) fetch(ctx context.Context, item holdfast.Item, raw []byte, beyond []attachedItem) error {
	var err error
	var early []ended
	for broken := 0; broken < mimeAttempts && len(early) < endAttempts; {
		err = r.fetchOnce(ctx, item, raw, beyond, early)
		var ends *endsError
		if errors.As(err, &ends) {
			early = append(early, ends.got)
			err = &holdfast.Skip{Reason: holdfast.SkipChanging, Err: fmt.Errorf("%d reads did not agree: %w", len(early), err)}
			continue
		}
		if kind := m365.KindOf(err); kind != m365.Unavailable && kind != m365.Corrupt {
			break
		}
		broken++
	}
	if err == nil {
		return r.retried(ctx, item.ID)
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	s := m365.Skip(err)
	switch {
	case s == nil:
		return err
	case s.Reason == holdfast.SkipVanished:
		_, err := r.g.Message(ctx, r.mailbox, item.ID, graph.List{Select: []string{"id"}})
		switch {
		case m365.KindOf(err) == m365.NotFound:
			// Deleted since its row was served: it was not there for the whole of the backup.
			return r.notThere(ctx, item.ID)
		case err != nil:
			return fmt.Errorf("look up message: %w", err)
		}
		s = &holdfast.Skip{Reason: holdfast.SkipCorrupt, Err: fmt.Errorf("the message is there and its content is not: %w", s.Err)}
	}
	return r.missed(ctx, item, s)
}

// missed names a message that could not be read, and has the next read try again.
func (r *reader) missed(ctx context.Context, item holdfast.Item, s *holdfast.Skip) error {
	r.sink.Skip(ctx, item, s)
	r.mu.Lock()
	r.retry[item.ID] = true
	r.mu.Unlock()
	return r.sink.Cursor(ctx, cursorRetry+item.ID, string(s.Reason))
}

// notThere hides a message that the mailbox does not have.
func (r *reader) notThere(ctx context.Context, id string) error {
	r.mu.Lock()
	r.gone = true
	r.mu.Unlock()
	if err := r.sink.Delete(ctx, id); err != nil {
		return err
	}
	return r.retried(ctx, id)
}

// retried forgets that an item could not be read.
func (r *reader) retried(ctx context.Context, id string) error {
	r.mu.Lock()
	was := r.retry[id]
	delete(r.retry, id)
	r.mu.Unlock()
	if !was {
		return nil
	}
	return r.sink.Cursor(ctx, cursorRetry+id, "")
}

// fetchOnce stores nothing of a MIME that ends early, unless the earlier reads that did show that the mail has no end.
func (r *reader) fetchOnce(ctx context.Context, item holdfast.Item, raw []byte, beyond []attachedItem, early []ended) error {
	payloads := []holdfast.Payload{holdfast.Whole(holdfast.FormJSON, bytes.NewReader(raw), int64(len(raw)))}
	if len(beyond) > 0 {
		attachments, err := r.attachments(ctx, item.ID, beyond)
		if err != nil {
			return err
		}
		payloads = append(payloads, holdfast.Whole(holdfast.FormAttachments, bytes.NewReader(attachments), int64(len(attachments))))
	}
	mime, err := r.g.OpenMIME(ctx, r.mailbox, item.ID)
	if err != nil {
		return err
	}
	defer mime.Close()
	// What is stored decoded must give back what was served: the vault compares its own sum with this one.
	served := holdfast.NewSum()
	whole := &ending{r: io.TeeReader(mime, served), sum: served.Sum64, earlier: early}
	payloads = append(payloads, holdfast.Payload{Form: holdfast.FormMIME, Pieces: split(whole), Served: served.Sum64})
	return r.sink.Put(ctx, item, payloads...)
}

// attachedItem is an attachment that is an item: MIME carries it, but not its read state, flags and categories, and of events and contacts only
// a rendering. (Of a reference attachment v1.0 tells no more than the row has.)
type attachedItem struct {
	id  string
	raw json.RawMessage // the attachment with its item; nil: to be asked for
}

// attachments gives the JSON of attached items as an array.
func (r *reader) attachments(ctx context.Context, message string, items []attachedItem) ([]byte, error) {
	all := make([]json.RawMessage, 0, len(items))
	for _, i := range items {
		if i.raw == nil {
			a, err := r.g.Attachment(ctx, r.mailbox, message, i.id, graph.List{Expand: []string{"microsoft.graph.itemattachment/item"}})
			if err != nil {
				return nil, err
			}
			i.raw = a.Raw
		}
		all = append(all, i.raw)
	}
	return json.Marshal(all)
}

// takeItems takes the attached items out of a row, so that the row is the same whether or not the service put them into it.
func takeItems(m *graph.Message) ([]attachedItem, error) {
	var items []attachedItem
	within := false
	for i := range m.Attachments {
		if a := &m.Attachments[i]; a.Type == graph.ItemAttachment {
			item := attachedItem{id: a.ID}
			if len(a.Item) > 0 && a.Item[0] == '{' {
				item.raw, within = a.Raw, true
			}
			items = append(items, item)
		}
	}
	if !within {
		return items, nil
	}
	rest := []byte{'['}
	for i := range m.Attachments {
		bare, err := graph.Without(m.Attachments[i].Raw, "item", "item@odata.context", "item@odata.associationLink", "item@odata.navigationLink")
		if err != nil {
			return nil, err
		}
		if i > 0 {
			rest = append(rest, ',')
		}
		rest = append(rest, bare...)
	}
	raw, err := graph.With(m.Raw, "attachments", append(rest, ']'))
	if err != nil {
		return nil, err
	}
	m.Raw = raw
	return items, nil
}

// sign hashes what must change when the MIME does. A row without a body has no signature.
func sign(raw []byte) (string, error) {
	h := sha256.New()
	body := false
	for m, err := range graph.Members(raw) {
		if err != nil {
			return "", err
		}
		body = body || m.Name == "body"
		if slices.Contains(signed, m.Name) {
			fmt.Fprintf(h, "%s %d ", m.Name, len(m.Value))
			h.Write(m.Value)
		}
	}
	if !body {
		return "", nil
	}
	return hex.EncodeToString(h.Sum(nil)[:16]), nil
}

func itemOf(m *graph.Message, signature string) holdfast.Item {
	item := holdfast.Item{ID: m.ID, Parent: m.ParentFolderID, Kind: holdfast.KindMail, Version: m.ChangeKey, Time: m.Received, Name: m.Subject,
		Fields: map[string]string{}}
	if signature != "" {
		item.Fields[holdfast.FieldBody] = signature
	}
	if item.Time.IsZero() {
		item.Time = m.Created
	}
	set := func(key, value string) {
		if value != "" {
			item.Fields[key] = value
		}
	}
	instant := func(key string, t time.Time) {
		if !t.IsZero() {
			set(key, t.UTC().Format(time.RFC3339))
		}
	}
	for _, p := range m.Properties {
		switch {
		case sameProperty(p.ID, propSize):
			item.Size, _ = strconv.ParseInt(p.Value, 10, 64) // no number, no size: it is for lists
		case sameProperty(p.ID, propClass):
			set(holdfast.FieldClass, p.Value)
		}
	}
	if m.From != nil {
		set(holdfast.FieldFrom, names([]graph.Recipient{*m.From}))
	}
	set(holdfast.FieldTo, names(m.To))
	set(holdfast.FieldCc, names(m.Cc))
	instant(holdfast.FieldSent, m.Sent)
	instant(holdfast.FieldCreated, m.Created)
	instant(holdfast.FieldModified, m.Modified)
	if m.IsRead {
		set(holdfast.FieldRead, "true")
	}
	if m.HasAttachments {
		set(holdfast.FieldAttached, "true")
	}
	if m.Flag != nil && m.Flag.FlagStatus != "notFlagged" {
		set(holdfast.FieldFlag, m.Flag.FlagStatus)
	}
	if m.Importance != "normal" {
		set(holdfast.FieldImportance, m.Importance)
	}
	if len(m.Categories) > 0 {
		if b, err := json.Marshal(m.Categories); err == nil {
			set(holdfast.FieldCategories, string(b))
		}
	}
	return item
}

// names writes recipients for a list, at most about a kilobyte of them; all of them are in the JSON.
func names(rs []graph.Recipient) string {
	var b strings.Builder
	for i, r := range rs {
		if b.Len() > 1000 {
			b.WriteString("; …")
			break
		}
		if i > 0 {
			b.WriteString("; ")
		}
		name, address := r.EmailAddress.Name, r.EmailAddress.Address
		switch {
		case name == "" || name == address:
			b.WriteString(address)
		case address == "":
			b.WriteString(name)
		default:
			b.WriteString(name + " <" + address + ">")
		}
	}
	return b.String()
}

// again reads what an earlier session could not.
func (r *reader) again(ctx context.Context) error {
	ids := slices.DeleteFunc(r.earlier, func(id string) bool { _, seen := r.placed[short(id)]; return seen })
	for m, err := range r.ask(ctx, ids) {
		if err != nil {
			return err
		}
		switch {
		case m.err != nil: // as before: it stays named
		case m.gone:
			if err := r.notThere(ctx, m.id); err != nil {
				return err
			}
		default:
			if err := r.found(ctx, m.message); err != nil {
				return err
			}
		}
	}
	return r.wait(ctx)
}

// found stores a message that was asked for, and the folder that it is in when that is a new one.
func (r *reader) found(ctx context.Context, m *graph.Message) error {
	fresh := false // a folder that no list had
	for folder := m.ParentFolderID; ; {
		if _, known := r.folders[folder]; known || folder == "" || r.special[folder] == rootName {
			break
		}
		if _, left := r.excluded[folder]; left {
			break
		}
		f, err := r.g.MailFolder(ctx, r.mailbox, folder, graph.List{})
		if m365.KindOf(err) == m365.NotFound {
			break // it moves on; what is known of it now is stored, its next folder tells more
		} else if err != nil {
			return fmt.Errorf("look up folder %s: %w", folder, err)
		}
		if err := r.folder(ctx, f, map[string]bool{}); err != nil {
			return err
		}
		if _, known := r.folders[f.ID]; !known {
			break // of a kind that is not read
		}
		folder, fresh = f.ParentFolderID, true
	}
	if fresh {
		if err := r.exclude(ctx); err != nil {
			return err
		}
	}
	if _, left := r.excluded[m.ParentFolderID]; left {
		return r.outside(ctx, m.ID)
	}
	return r.row(ctx, m, m.ParentFolderID)
}

// resolve asks for every message that left a folder. Only "not found" deletes; one that is elsewhere is stored there.
func (r *reader) resolve(ctx context.Context) error {
	var ids []string
	for _, id := range slices.Sorted(maps.Keys(r.pending)) {
		if at := r.placed[short(id)]; at != "" && at != r.pending[id] {
			if err := r.settle(ctx, id); err != nil {
				return err
			}
			continue
		}
		ids = append(ids, id)
	}
	for m, err := range r.ask(ctx, ids) {
		if err != nil {
			return err
		}
		if m.err != nil {
			// Where it went is asked again by the next read; until then what is known of it may be old.
			delete(r.pending, m.id)
			if err := r.unknown(ctx, m); err != nil {
				return err
			}
			continue
		}
		if m.gone {
			if err := r.notThere(ctx, m.id); err != nil {
				return err
			}
		} else if err := r.found(ctx, m.message); err != nil {
			return err
		}
		if err := r.settle(ctx, m.id); err != nil {
			return err
		}
	}
	return r.wait(ctx)
}

// edited looks whether the drafts that were fetched last are still of the version of their rows: a row and a MIME of two versions must not stand for
// one. More says that those that are not may be fetched once more; else they are named.
func (r *reader) edited(ctx context.Context, more bool) error {
	versions := r.drafts
	r.drafts = map[string]string{}
	for m, err := range r.ask(ctx, slices.Sorted(maps.Keys(versions))) {
		switch {
		case err != nil:
			return err
		case m.err != nil:
			if err := r.unknown(ctx, m); err != nil {
				return err
			}
		case m.gone:
			if err := r.notThere(ctx, m.id); err != nil {
				return err
			}
		case m.message.ChangeKey == versions[m.id]:
		case more:
			if err := r.found(ctx, m.message); err != nil {
				return err
			}
		default:
			why := &holdfast.Skip{Reason: holdfast.SkipChanging, Err: errors.New("the draft was edited each time that it was read: its text and its properties may be of two versions")}
			if err := r.missed(ctx, itemOf(m.message, ""), why); err != nil {
				return err
			}
		}
	}
	return r.wait(ctx)
}

// unknown names a message of which the service cannot tell whether it is there.
func (r *reader) unknown(ctx context.Context, m answer) error {
	item, ok, err := r.prev.Item(ctx, m.id)
	if err != nil {
		return err
	}
	if !ok {
		item = holdfast.Item{ID: m.id, Kind: holdfast.KindMail}
	}
	return r.missed(ctx, item, m365.Skip(m.err))
}

func (r *reader) settle(ctx context.Context, id string) error {
	delete(r.pending, id)
	return r.sink.Cursor(ctx, cursorPending+id, "")
}

// answer is what the service says of one message.
type answer struct {
	id      string
	gone    bool
	message *graph.Message
	err     error // the service cannot tell, of this message alone
}

// ask reads messages by id, twenty to a round trip.
func (r *reader) ask(ctx context.Context, ids []string) iter.Seq2[answer, error] {
	return func(yield func(answer, error) bool) {
		l := r.rows(0, expandAttachments) // an answer to a batch is one body
		for chunk := range slices.Chunk(ids, 20) {
			parts := make([]graph.Part, len(chunk))
			for i, id := range chunk {
				parts[i] = graph.Part{Path: []string{"users", r.mailbox, "messages", id}, List: l}
			}
			results, err := r.g.Batch(ctx, parts)
			if err != nil {
				yield(answer{}, fmt.Errorf("look up messages: %w", err))
				return
			}
			for i, res := range results {
				m, err := graph.Object[graph.Message](res)
				switch {
				case err == nil:
					if !yield(answer{id: chunk[i], message: m}, nil) {
						return
					}
				case m365.KindOf(err) == m365.NotFound:
					if !yield(answer{id: chunk[i], gone: true}, nil) {
						return
					}
				case slices.Contains([]m365.Kind{m365.Corrupt, m365.Locked, m365.Malware, m365.Invalid}, m365.KindOf(err)):
					if !yield(answer{id: chunk[i], err: err}, nil) {
						return
					}
				default:
					yield(answer{}, fmt.Errorf("look up message: %w", err))
					return
				}
			}
		}
	}
}
