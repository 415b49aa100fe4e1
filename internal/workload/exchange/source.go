package exchange

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
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
	// peekFolders is how many folders are asked for their changes in one batch, as many as Graph allows; peekSize and peekBodies are how many rows of
	// each are taken along, without and with bodies, so that the answer stays small however much is new. What is more comes in pages of the usual size.
	peekFolders = 20
	peekSize    = 100
	peekBodies  = 20
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
		for some := range slices.Chunk(folders, peekFolders) {
			if err := r.peek(ctx, some); err != nil {
				return err
			}
			for _, folder := range some {
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
	drafts map[string]string
	// peeked are first pages that a batch brought, by the links that they answer.
	peeked   map[string]*graph.Page[graph.Message]
	fetches  []fetch         // of mails that rows have told of, not yet begun
	gone     bool            // a message was deleted because it was not found; guarded by mu while fetches run
	earlier  []string        // messages that an earlier session could not read
	mu       sync.Mutex      // guards retry and gone
	retry    map[string]bool // messages that could not be read so far
	personal []*shelves      // contacts, calendars, tasks
	items    *otherState     // what only the import/export API has
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
