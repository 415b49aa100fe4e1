package vault

import (
	"context"
	"errors"
	"io"
	"iter"
	"time"

	"holdfast/internal/holdfast"
)

// errUnbuilt is what the parts of the front answer that this landing does not have yet.
var errUnbuilt = errors.New("this part of the vault is not built yet")

// WriterOptions say what a Writer writes to.
type WriterOptions struct {
	Container holdfast.Container
	Base      *Head // nil: the container is empty
	Epoch     holdfast.Epoch
}

// Writer collects what changed in one container. Put, Delete and Cursor may be called at the same time.
//
// What it stores is not durable before the head that Seal gives has been published. After an error of the repository (not of a payload's
// reader) the writer is spent: start a new one from the last published or checkpoint head.
type Writer struct{}

// Writer starts a writer. Only the holder of the container's lease may publish what it seals.
func (r *Repository) Writer(ctx context.Context, o WriterOptions) (*Writer, error) {
	return nil, errUnbuilt
}

// Put stores a version of an item with its payloads. A payload with Keep takes over the previous version's payload of that form;
// holdfast.NotFound when there is none. Forms that are not given are not kept.
// It returns when the payloads have been read. An error of a payload's reader comes back as it was, and nothing was stored.
func (w *Writer) Put(ctx context.Context, item holdfast.Item, payloads ...holdfast.Payload) error {
	return errUnbuilt
}

// Delete hides an item. Deleting what is not there does nothing.
func (w *Writer) Delete(ctx context.Context, id string) error { return errUnbuilt }

// Cursor sets a cursor; an empty value removes it.
func (w *Writer) Cursor(ctx context.Context, name, value string) error { return errUnbuilt }

// Bytes is how much payload was stored since the last Seal.
func (w *Writer) Bytes() int64 { return 0 }

// Items is how many versions and tombstones were stored since the last Seal.
func (w *Writer) Items() int64 { return 0 }

// Seal writes what was collected as a run and gives the new head, which must then be published; the writer goes on from it.
// It gives nil when nothing changed. A mere new value of cursors that exist counts as no change until the base is a day old:
// an idle container writes nothing.
func (w *Writer) Seal(ctx context.Context) (*Head, error) { return nil, errUnbuilt }

// Close ends the writer. What was not sealed is dropped.
func (w *Writer) Close() {}

// Publish makes heads durable and visible together: flush, one journal entry, read back. Checkpoint heads become resume points only.
// After an error the outcome is unknown; look for the heads in Journal before doing it again.
func (r *Repository) Publish(ctx context.Context, heads []Head, kind EntryKind) (*Entry, error) {
	return nil, errUnbuilt
}

// Journal gives the entries after the one with id since (all, when empty), oldest first.
func (r *Repository) Journal(ctx context.Context, since string) iter.Seq2[*Entry, error] {
	return func(yield func(*Entry, error) bool) { yield(nil, errUnbuilt) }
}

// WriteRestorePoint stores a restore point and reads it back. heads has the head of each entry that names one.
func (r *Repository) WriteRestorePoint(ctx context.Context, p holdfast.RestorePoint, heads []Head) error {
	return errUnbuilt
}

// Points gives the restore points, oldest first.
func (r *Repository) Points(ctx context.Context) iter.Seq2[*Point, error] {
	return func(yield func(*Point, error) bool) { yield(nil, errUnbuilt) }
}

// Head reads a head by its object.
func (r *Repository) Head(ctx context.Context, object string) (*Head, error) { return nil, errUnbuilt }

// View opens the state that a head describes. A nil head is the empty container.
func (r *Repository) View(ctx context.Context, h *Head) (*View, error) { return nil, errUnbuilt }

// View reads one state of a container. It is safe for concurrent use and needs no Close.
type View struct{}

// Cursor is a named position at the source.
type Cursor struct{ Name, Value string }

// Empty says that nothing was ever read.
func (v *View) Empty() bool { return true }

// Cursor is the value of a cursor; ok is false when there is none.
func (v *View) Cursor(ctx context.Context, name string) (value string, ok bool, err error) {
	return "", false, errUnbuilt
}

// Cursors gives all cursors by name.
func (v *View) Cursors(ctx context.Context) iter.Seq2[Cursor, error] {
	return func(yield func(Cursor, error) bool) { yield(Cursor{}, errUnbuilt) }
}

// Item is the live item with that id.
func (v *View) Item(ctx context.Context, id string) (item holdfast.Item, ok bool, err error) {
	return holdfast.Item{}, false, errUnbuilt
}

// Children gives the live items directly in parent: folders, then the others, newest first.
func (v *View) Children(ctx context.Context, parent string) iter.Seq2[holdfast.Item, error] {
	return func(yield func(holdfast.Item, error) bool) { yield(holdfast.Item{}, errUnbuilt) }
}

// All gives all live items: folders first, then the others by parent, newest first.
func (v *View) All(ctx context.Context) iter.Seq2[holdfast.Item, error] {
	return func(yield func(holdfast.Item, error) bool) { yield(holdfast.Item{}, errUnbuilt) }
}

// Folders gives all live folders, by parent.
func (v *View) Folders(ctx context.Context) iter.Seq2[holdfast.Item, error] {
	return func(yield func(holdfast.Item, error) bool) { yield(holdfast.Item{}, errUnbuilt) }
}

// Order is how a folder is sorted.
type Order string

// The orders of a folder. ByTime is newest first.
const (
	ByTime Order = "time"
	ByName Order = "name"
)

// Folder opens a folder for paging through the items in it that are no folders. The first page by time costs what it shows;
// the whole order is built once and kept in the vault's cache.
func (v *View) Folder(ctx context.Context, parent string, order Order) (*Folder, error) {
	return nil, errUnbuilt
}

// Folder is an opened folder of a View.
type Folder struct{}

// Count is how many items the folder has.
func (f *Folder) Count(ctx context.Context) (int, error) { return 0, errUnbuilt }

// Page gives up to limit items from offset on.
func (f *Folder) Page(ctx context.Context, offset, limit int) ([]holdfast.Item, error) {
	return nil, errUnbuilt
}

// PayloadInfo describes a stored payload.
type PayloadInfo struct {
	Form   holdfast.Form
	Size   int64    // of the exact bytes
	SHA256 [32]byte // of the exact bytes
}

// Payloads describes the payloads of the live item with that id.
func (v *View) Payloads(ctx context.Context, id string) ([]PayloadInfo, error) {
	return nil, errUnbuilt
}

// Open gives the exact bytes of a payload; ok is false when the item has no such form. Reading to the end proves the SHA-256:
// what is not as it was written gives holdfast.Damaged instead of io.EOF.
func (v *View) Open(ctx context.Context, id string, f holdfast.Form) (r io.ReadCloser, ok bool, err error) {
	return nil, false, errUnbuilt
}

// ItemVersion is an item as a head has it.
type ItemVersion struct {
	Item holdfast.Item
	Head *Head // the oldest of the given heads that has this version
}

// History gives the different versions of an item that the heads have, in the heads' order.
func (r *Repository) History(ctx context.Context, heads []*Head, id string) ([]ItemVersion, error) {
	return nil, errUnbuilt
}

// Catalogue is what a repository knows without a database.
type Catalogue struct {
	Published  map[string]*Head // by container key: newest epoch wins
	Checkpoint map[string]*Head // only those newer than the published head
	Points     []*Point         // oldest first
	Entry      string           // newest journal entry
	Damage     []Damage         // records that can't be read
}

// Rebuild reads the journal and the restore points.
func (r *Repository) Rebuild(ctx context.Context) (*Catalogue, error) { return nil, errUnbuilt }

// RetainOptions say what to keep.
type RetainOptions struct {
	Period holdfast.RetentionPeriod
	// Forget is called with the restore points that expire, before their records go: the database forgets them first.
	Forget func(ctx context.Context, expired []holdfast.RestorePointID) error
}

// Retained is what a retention run did.
type Retained struct {
	Expired []holdfast.RestorePointID
	// Held are restore points past their time that stay because they are the newest of their job or of a container.
	Held []holdfast.RestorePointID
}

// Retain lets restore points expire. It refuses when the clock can't be trusted.
func (r *Repository) Retain(ctx context.Context, o RetainOptions) (*Retained, error) {
	return nil, errUnbuilt
}

// Maintained is what a maintenance run did.
type Maintained struct {
	Live    int64 // objects that something needs
	Deleted int64 // contents that nothing needs
}

// Maintain marks what restore points, current heads, checkpoints and the journal reach, and sweeps and repacks the rest.
// current are heads that the database knows as current; they are kept whatever the journal says.
func (r *Repository) Maintain(ctx context.Context, current []Head) (*Maintained, error) {
	return nil, errUnbuilt
}

// VerifyOptions say how far Verify goes.
type VerifyOptions struct {
	Payloads bool // read each payload and compare its SHA-256, not only each blob's
}

// Damage is something stored that is not what was written.
type Damage struct {
	Blob   string // blob or record; empty when only a payload is wrong
	What   string
	Items  []HurtItem // at most a thousand
	Hurt   int64      // how many items in all
	Points []holdfast.RestorePointID
}

// HurtItem is an item that damage hurts.
type HurtItem struct {
	Container string // key
	ID        string
	Name      string
	Form      holdfast.Form // empty: the item's row itself
}

// Verified is what Verify found.
type Verified struct {
	Blobs, Bytes, Items int64
	Damage              []Damage
	Time                time.Time
}

// Verify reads every blob and names what damage hurts: blob -> items -> restore points, or nothing.
func (r *Repository) Verify(ctx context.Context, o VerifyOptions) (*Verified, error) {
	return nil, errUnbuilt
}
