// Package engine moves items between a workload and the vault: bounded in memory, fair between containers, resumable and cancellable.
//
// It defines what a workload fills in (Source, Target) and what it needs of the database (Catalogue, Intents).
// It knows no workload by name, no SQL and no HTTP.
package engine

import (
	"context"
	"io"
	"iter"
	"slices"

	"holdfast/internal/holdfast"
)

// Workload opens the two ends for one organization. app/workloads.go lists them.
type Workload interface {
	Kind() holdfast.ContainerKind
	Source(ctx context.Context, org holdfast.Organization, cred holdfast.Credential) (Source, error)
	Target(ctx context.Context, org holdfast.Organization, cred holdfast.Credential) (Target, error)
}

// Source reads containers of one kind of one organization.
type Source interface {
	// Discover gives the containers that the users (Entra object ids; nil means all of the organization) have.
	// A user whose container does not exist or may not be read is a Found with Err set to a *holdfast.Skip.
	Discover(ctx context.Context, users []string) iter.Seq2[Found, error]

	// Read brings container c from the state prev to the present one, telling sink every change, in any order.
	// When it returns nil, sink has been given everything up to the cursors that it was given.
	// A container that no longer exists or lost its licence is a *holdfast.Skip (gone, unlicensed), never a lot of deletions.
	// After a crash Read is called again with prev at the last checkpoint: its items and cursors, among them unfinished ones.
	Read(ctx context.Context, c holdfast.Container, prev Previous, sink Sink) error
}

// MailboxPart is something in a mailbox that a job may leave out. Mail is always read.
type MailboxPart = holdfast.MailboxPart

// The parts.
const (
	PartContacts  = holdfast.PartContacts
	PartCalendars = holdfast.PartCalendars
	PartTasks     = holdfast.PartTasks
	PartSettings  = holdfast.PartSettings
	PartExport    = holdfast.PartExport
	PartItems     = holdfast.PartItems
)

type leftOut struct{}

// LeaveOut has a Source leave parts of mailboxes unread: what earlier sessions stored of them stays.
func LeaveOut(ctx context.Context, parts []MailboxPart) context.Context {
	return context.WithValue(ctx, leftOut{}, parts)
}

// Reads says whether a Source reads a part.
func Reads(ctx context.Context, part MailboxPart) bool {
	parts, _ := ctx.Value(leftOut{}).([]MailboxPart)
	return !slices.Contains(parts, part)
}

type foldersLeftOut struct{}

// LeaveFoldersOut has the Source of mailboxes leave folders out, with what is in them, by the names that Outlook knows them by. What earlier
// sessions stored of them leaves the container's state.
func LeaveFoldersOut(ctx context.Context, names []string) context.Context {
	return context.WithValue(ctx, foldersLeftOut{}, names)
}

// FoldersLeftOut are what LeaveFoldersOut was given.
func FoldersLeftOut(ctx context.Context) []string {
	names, _ := ctx.Value(foldersLeftOut{}).([]string)
	return names
}

type groups struct {
	ids []string
	all bool
}

type groupsKey struct{}

// WithGroups has the Source of mailboxes discover those of Microsoft 365 groups too: of all, or of those with these ids.
func WithGroups(ctx context.Context, ids []string, all bool) context.Context {
	return context.WithValue(ctx, groupsKey{}, groups{ids, all})
}

// Groups are what WithGroups was given.
func Groups(ctx context.Context) (ids []string, all bool) {
	g, _ := ctx.Value(groupsKey{}).(groups)
	return g.ids, g.all
}

type personalKey struct{}

// WithPersonalSites has the Source of sites discover personal ones too: those of all users, or of those with these ids.
func WithPersonalSites(ctx context.Context, users []string, all bool) context.Context {
	return context.WithValue(ctx, personalKey{}, groups{users, all})
}

// PersonalSites are what WithPersonalSites was given.
func PersonalSites(ctx context.Context) (users []string, all bool) {
	g, _ := ctx.Value(personalKey{}).(groups)
	return g.ids, g.all
}

type purposeKey struct{}

// LearnPurpose has the Source of mailboxes tell what the one that it reads is for, when it comes to read that.
func LearnPurpose(ctx context.Context, learn func(purpose string)) context.Context {
	return context.WithValue(ctx, purposeKey{}, learn)
}

// TellPurpose tells what a mailbox is for: holdfast.FieldPurpose. Read alone calls it, in its own goroutine.
func TellPurpose(ctx context.Context, purpose string) {
	if learn, ok := ctx.Value(purposeKey{}).(func(string)); ok {
		learn(purpose)
	}
}

type knownUsers struct{}

// KnowUsers tells Discover which users the organization has, those who are gone too, so that it need not ask for them. A user whose Drive or
// Site is known is not asked for that either.
func KnowUsers(ctx context.Context, users []holdfast.DirectoryObject) context.Context {
	return context.WithValue(ctx, knownUsers{}, users)
}

// KnownUsers are the users that Discover was told; nil: it was told none.
func KnownUsers(ctx context.Context) []holdfast.DirectoryObject {
	users, _ := ctx.Value(knownUsers{}).([]holdfast.DirectoryObject)
	return users
}

// Found is a container that a Source knows of.
type Found struct {
	Container holdfast.Container
	Err       error
}

// Previous is the container's state that a backup starts from. It is safe for concurrent use.
type Previous interface {
	// Empty says that nothing was ever read.
	Empty() bool
	// Anew says that positions at the source are not to be trusted: everything is listed again and compared, and what is missing there is asked
	// for. Content is read again where a version differs or an earlier session missed it.
	Anew() bool
	// Cursor is the value last set under name; ok is false when there is none.
	Cursor(ctx context.Context, name string) (value string, ok bool, err error)
	// Cursors gives all names and values.
	Cursors(ctx context.Context) iter.Seq2[Cursor, error]
	// Item is the live item with that id.
	Item(ctx context.Context, id string) (item holdfast.Item, ok bool, err error)
	// Children gives the live items directly in parent, in no order that a caller may rely on.
	Children(ctx context.Context, parent string) iter.Seq2[holdfast.Item, error]
	// All gives all live items.
	All(ctx context.Context) iter.Seq2[holdfast.Item, error]
}

// Cursor is a named position at the source: a delta link, a next link.
type Cursor struct{ Name, Value string }

// Sink takes what a Source found. It is safe for concurrent use.
type Sink interface {
	// Put stores a version of an item. A version whose key equals the previous one's may be put again; it replaces it.
	// It returns when the payloads have been read. An error of a payload's reader comes back as it was, and nothing was stored.
	Put(ctx context.Context, item holdfast.Item, payloads ...holdfast.Payload) error
	// Delete hides an item. For a folder its descendants must be deleted by the source too.
	Delete(ctx context.Context, id string) error
	// Skip names an item (or a version of it) that could not be read. An older version that the vault has stays visible.
	Skip(ctx context.Context, item holdfast.Item, why *holdfast.Skip)
	// Cursor sets a cursor; an empty value removes it. It is published together with everything put before.
	Cursor(ctx context.Context, name, value string) error
	// Go runs fn, which reads about size bytes, in the pool that all containers share, as soon as there is room, and returns.
	// The first error that is not a *holdfast.Skip ends the container's work and is returned by Wait.
	Go(ctx context.Context, size int64, fn func(ctx context.Context) error)
	// Wait waits for everything that Go was given.
	Wait() error
	// Savepoint tells that all changes up to the cursors set so far have been put (call Wait first), so that a checkpoint may be made here.
	// It is cheap; the engine decides.
	Savepoint(ctx context.Context) error
}

// ConflictMode says what a restore does when there is something at the place.
type ConflictMode string

// The modes.
const (
	SkipExisting ConflictMode = "skip"      // leave what is there
	KeepBoth     ConflictMode = "keep both" // restore beside it under another name
	Overwrite    ConflictMode = "overwrite" // replace it, unless it is newer than the restore point and Newer is false
)

// RestorePlan is what the user asked for, without the items.
type RestorePlan struct {
	Session      holdfast.RestoreSessionID
	From         holdfast.Container
	To           holdfast.Container
	Whole        bool   // nothing in particular was chosen: all of From goes back
	Folder       string // name of a folder in To under which everything goes, path with "/"; empty means the original places
	Mode         ConflictMode
	Newer        bool   // Overwrite: also what changed after the restore point
	AllVersions  bool   // files: older versions too
	Permissions  bool   // files: sharing permissions
	ChangedItems bool   // contract: restore items that differ from what is there
	MissingItems bool   // contract: restore items that are not there
	MarkRestored string // optional marker that the user wants on restored items
	NewChat      bool   // chats: into a new group of the same people instead
	Topic        string // of that group; empty: the chat's own, and that it was restored
	// Stored gives the item of the restore point with that id, selected or not. What has it at the target is that item, whatever it is called now. It is
	// safe for concurrent use; nil: it is not known.
	Stored func(ctx context.Context, id string) (item holdfast.Item, ok bool, err error)
	// DryRun changes nothing: a Restore decides as it would and says what it would do. What it would make has an id that begins with Planned.
	DryRun bool
	// Notes are of this restore request, whichever attempt it is. It is nil in a dry run.
	Notes Notes
}

// Notes are what an attempt of a restore leaves to those that come after it, should it die: a text under each name.
type Notes interface {
	// Note keeps a text for ever once it returns.
	Note(ctx context.Context, name, text string) error
	// Noted is the text kept last under name; empty when there is none.
	Noted(ctx context.Context, name string) (text string, err error)
}

// Making notes that something is about to be made, so that whichever attempt finds it there knows that it is this restore's.
func (p RestorePlan) Making(ctx context.Context, what string) error {
	if p.Notes == nil {
		return nil
	}
	return p.Notes.Note(ctx, making+what, "begun")
}

// Made tells whether an attempt of this restore was about to make what is there.
func (p RestorePlan) Made(ctx context.Context, what string) (bool, error) {
	if p.Notes == nil {
		return false, nil
	}
	text, err := p.Notes.Noted(ctx, making+what)
	return text != "", err
}

const making = "making "

// Planned begins the ids of what a dry run would make.
const Planned = "planned:"

// Target puts items of one kind back.
type Target interface {
	// Open prepares a restore into plan.To. A place that can't take it is an error for the user.
	Open(ctx context.Context, plan RestorePlan) (Restore, error)
}

// Ender is filled in by a Target whose restores leave something open when they die, such as a chat that takes messages of the past.
type Ender interface {
	// End closes what attempts of a restore that does not go on left open, as plan.Notes tell. It may be called again.
	End(ctx context.Context, plan RestorePlan) error
}

// Restore is one restore into one container. Its methods are safe for concurrent use.
type Restore interface {
	// Folder makes sure that folder, whose parent at the target is parent ("" for the root), exists there, and returns its id.
	Folder(ctx context.Context, folder holdfast.Item, parent string) (id string, err error)
	// Put restores one item and compares the result with what is stored. A *holdfast.Skip concerns this item only.
	Put(ctx context.Context, p Put) (Restored, error)
	// Close ends the restore; nothing is undone.
	Close(ctx context.Context) error
}

// FolderSettler is filled in by a Restore that puts more back on a folder than its name, place and times, such as its sharing.
type FolderSettler interface {
	// SettleFolder is told of each folder that Folder gave an id for, which is p.NewID. An error of the folder's own does not touch what is in it.
	SettleFolder(ctx context.Context, p Put) error
}

// Resumer is filled in by a Restore whose items name each other by ids of the target.
type Resumer interface {
	// Resumed is told, instead of Put, of each item that an earlier attempt of this restore has put back as p.NewID.
	Resumed(ctx context.Context, p Put) error
}

// Planner is filled in by a Restore that would make folders as it opens.
type Planner interface {
	// Planned is how many folders of RestorePlan.Folder a dry run found missing.
	Planned() int
}

// Put is one item to restore.
type Put struct {
	Item   holdfast.Item
	Parent string // id of the folder at the target
	// Marker is a hash of session, item and version: what an earlier attempt of this very act may have left at the target.
	Marker string
	// Again says that an earlier attempt began and its outcome is not known: look for Marker before creating.
	Again bool
	// Selected says that the user chose the item, or the folder that it lies in: it does not merely come along with more.
	Selected bool
	// NewID is the id that an earlier attempt of this session recorded, if any.
	NewID string
	// Made records the id of what Put has just created, before it is filled: an attempt after a crash gets it as NewID. What takes one call to
	// restore, or is found by Marker at any time, need not call it. It is nil in a dry run.
	Made func(ctx context.Context, id string) error
	// Open gives the stored bytes of a form; ok is false when the item has no such form.
	Open func(ctx context.Context, f holdfast.Form) (r io.ReadCloser, ok bool, err error)
	// Versions gives older versions of a file, a list's item or folder, oldest first, with their content; nil when not asked for.
	Versions iter.Seq2[PutVersion, error]
}

// PutVersion is an older version of a file.
type PutVersion struct {
	Item holdfast.Item
	Open func(ctx context.Context) (io.ReadCloser, error)
}

// Outcome says what became of an item.
type Outcome string

// The outcomes.
const (
	Created     Outcome = "created"
	Overwritten Outcome = "overwritten"
	Existing    Outcome = "existing" // equal already there, nothing done
	Skipped     Outcome = "skipped"
)

// Restored is the result for one item.
type Restored struct {
	Outcome Outcome
	NewID   string
	// Lost names the properties that differ from what is stored; docs/fidelity.md says for each kind which may.
	Lost []string
	// Cost is, of a dry run, what putting the item back takes, as far as its row tells.
	Cost holdfast.Cost
}

// Metered is filled in by a Source or Target that counts its calls. The engine asks before the work on a container,
// passes the context that it got on, and reads the counts (Requests, ResourceUnits, Throttled) while and after it works.
type Metered interface {
	Meter(ctx context.Context) (metered context.Context, usage func() holdfast.Statistics)
}

// Missed is an item that earlier sessions could not read and that has been neither put nor deleted since.
type Missed struct {
	Item   holdfast.Item // id, parent, kind, version and name only
	Reason holdfast.SkipReason
	Detail string
}

// Misses is filled in by the Previous that the engine gives. The engine keeps a skip on record, and names it in every restore
// point, until the source puts or deletes the item: a source should try those of a retriable reason again.
type Misses interface {
	Missed(ctx context.Context) iter.Seq2[Missed, error]
}

// MissedItems gives what earlier sessions could not read; nothing when prev keeps no record of it.
func MissedItems(ctx context.Context, prev Previous) iter.Seq2[Missed, error] {
	if m, ok := prev.(Misses); ok {
		return m.Missed(ctx)
	}
	return func(func(Missed, error) bool) {}
}
