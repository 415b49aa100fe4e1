package holdfast

import (
	"fmt"
	"hash"
	"hash/maphash"
	"io"
	"iter"
	"slices"
	"strings"
	"time"
)

// ContainerKind says what a container is and so which workload reads and writes it.
type ContainerKind string

// The kinds of containers that are built.
const (
	Mailbox ContainerKind = "mailbox"
	Drive   ContainerKind = "drive"
	Site    ContainerKind = "site"
	Team    ContainerKind = "team"
	// Chat is a chat of Microsoft Teams: of two, of a group, of a meeting. It is stored once, however many of its members are protected.
	Chat ContainerKind = "chat"
	// ChatList is which chats a user takes part in, and how far the changes in them have been followed. Chats are found by it.
	ChatList ContainerKind = "chat list"
)

// Container is what has its own cursor: a mailbox, a drive, a site, a team, a chat. Its identity is (organization, kind, source id), whichever job protects it.
type Container struct {
	Organization OrganizationID `json:"organization"`
	Kind         ContainerKind  `json:"kind"`
	Source       string         `json:"source"`  // Entra object id of the mailbox's owner or of the team, the drive's id, the site's, or the chat's; never a mail address
	Name         string         `json:"name"`    // for people: the owner's display name, or the site's or team's
	Address      string         `json:"address"` // for people: the owner's user principal name at the time, the site's address or the team's
	Owner        string         `json:"owner"`   // Entra object id of the owner; a site or a team is its own, a personal site its user's. Of a chat its members', as OwnedBy joins them
}

// Key is the identity of the container within its organization.
func (c Container) Key() string { return string(c.Kind) + "/" + c.Source }

// Owners are the owners in an Owner: one, or those that OwnedBy joined; none of an empty one.
func Owners(owner string) []string { return strings.Fields(owner) }

// OwnedBy is the Owner of what several have together, each once, in order.
func OwnedBy(owners ...string) string {
	owners = slices.Clone(owners)
	slices.Sort(owners)
	return strings.Join(slices.DeleteFunc(slices.Compact(owners), func(o string) bool { return o == "" }), " ")
}

// Of says whether owner is the container's, or one of its owners.
func (c Container) Of(owner string) bool {
	return owner == c.Owner || owner != "" && slices.Contains(Owners(c.Owner), owner)
}

// Nobodys says that the container is not one user's own: a site, a team, a chat, the mailbox of a group.
func (c Container) Nobodys() bool {
	return c.Kind == Site && !c.Personal() || c.Kind == Team || c.Kind == Chat || c.Kind == ChatList || c.OfGroup()
}

// PersonalSource begins what stands for the source of a personal site that there is not, before its user's id.
const PersonalSource = "personal:"

// Personal says that it is a user's personal site: what is in the site of his OneDrive besides the OneDrive, which is a container of its own.
func (c Container) Personal() bool { return c.Kind == Site && c.Owner != "" && c.Owner != c.Source }

// GroupSource begins the source of the mailbox of a Microsoft 365 group, before the group's id, which is its owner.
const GroupSource = "group:"

// OfGroup says that it is the mailbox of a Microsoft 365 group.
func (c Container) OfGroup() bool {
	return c.Kind == Mailbox && strings.HasPrefix(c.Source, GroupSource)
}

// AllOf stands for all containers of a kind, where the organization does not tell which there are.
func AllOf(organization OrganizationID, kind ContainerKind) Container {
	all := string(kind) + "s"
	return Container{Organization: organization, Kind: kind, Source: all, Name: "all " + all, Address: "all " + all}
}

// IsAll says that it stands for all containers of its kind.
func (c Container) IsAll() bool { return c.Source == string(c.Kind)+"s" }

func (c Container) String() string { return fmt.Sprintf("%s of %s", c.Kind, c.Address) }

// ItemKind says what an item is.
type ItemKind string

// The kinds of items.
const (
	KindFolder  ItemKind = "folder"
	KindMail    ItemKind = "mail"
	KindFile    ItemKind = "file"
	KindContact ItemKind = "contact"
	KindEvent   ItemKind = "event" // a series with its exceptions is one
	KindTask    ItemKind = "task"
	KindVersion ItemKind = "version" // an older version of a file or of a list's item or folder; its Parent is the file's, item's or folder's id
	// KindListItem is an item of a SharePoint list, KindPage a page of a site.
	KindListItem ItemKind = "list item"
	KindPage     ItemKind = "page"
	// KindPost is a message of a channel of a team; the Parent of a reply is the post that it replies to. KindTab is a tab of a channel.
	KindPost ItemKind = "post"
	KindTab  ItemKind = "tab"
	// KindSetting is what a mailbox is set to: its settings, a rule of its inbox, its categories, the permissions of a calendar.
	KindSetting ItemKind = "setting"
)

// Keys of Item.Fields. Listing shows them without opening a payload.
const (
	FieldFrom       = "from"
	FieldTo         = "to"
	FieldCc         = "cc"
	FieldSent       = "sent"        // RFC 3339
	FieldCreated    = "created"     // RFC 3339
	FieldModified   = "modified"    // RFC 3339
	FieldDescribed  = "described"   // "size hash" as the service describes a file when the bytes that it serves are other ones
	FieldValued     = "valued"      // "true" of a file whose values in the columns of its library were read
	FieldRead       = "read"        // "true" or absent
	FieldFlag       = "flag"        // flagged, complete; absent when not
	FieldImportance = "importance"  // low, high; absent when normal
	FieldCategories = "categories"  // JSON array
	FieldAttached   = "attachments" // "true" or absent
	FieldClass      = "class"       // IPM.Note, IPF.Note
	FieldSpecial    = "special"     // well-known name of a folder (inbox, sentitems, root, …)
	FieldHash       = "quickxor"    // the service's own hash of a file, base64
	FieldVersionID  = "version"     // the service's id of a file version
	FieldHidden     = "hidden"      // "true" or absent
	FieldETag       = "etag"
	FieldBody       = "body" // SHA-256 of what must change for a mail's MIME to be fetched again, hex
	FieldAuthor     = "author"
	FieldReplyTo    = "replyTo"    // of a post that replies to another one: that one's id in the channel
	FieldHosted     = "hosted"     // of a post: ids of the pictures in it, with a line end behind each
	FieldUnreadable = "unreadable" // why the content is stored as it came and can't be shown; absent when it can

	// Of contacts, besides their addresses in FieldTo.
	FieldPhoto   = "photo" // "true" or absent
	FieldCompany = "company"
	FieldTitle   = "jobTitle"
	FieldPhone   = "phone"
	FieldMobile  = "mobile"
	FieldHome    = "home"
	FieldFileAs  = "fileAs"
	// Of events, besides the organizer in FieldFrom and the attendees in FieldTo; FieldStart and FieldDue also of tasks.
	FieldStart     = "start" // RFC 3339
	FieldEnd       = "end"   // RFC 3339
	FieldLocation  = "location"
	FieldRecurring = "recurring" // the pattern's type, or absent
	FieldAllDay    = "allDay"    // "true" or absent
	FieldStatus    = "status"    // of tasks
	FieldDue       = "due"       // RFC 3339
	// Of posts of a group.
	FieldThread = "thread" // the id of their thread
	// Of settings.
	FieldFolders = "folders" // of a rule: the ways to the folders that it names, JSON by id
	FieldPurpose = "purpose" // of a mailbox: user, shared, room, equipment, linked, others
)

// Item is one version of one thing in a container. Id, parent and version key are the source's own.
type Item struct {
	ID      string            // immutable id
	Parent  string            // id of the folder (or file, for a version); empty for a root
	Kind    ItemKind          //
	Version string            // changeKey, eTag, cTag: equal means unchanged
	Time    time.Time         // received or last modified: what lists sort by
	Size    int64             // bytes, as the source states
	Name    string            // subject or file name, as the source has it
	Fields  map[string]string // small, few
}

// Form says what a payload is; one item version may hold several.
type Form string

// The forms of payloads.
const (
	FormMIME        Form = "mime"        // a mail exactly as the service rendered it
	FormFTS         Form = "fts"         // an item as Exchange exported it, without the records around its stream
	FormRecords     Form = "records"     // how the records lay around FormFTS; absent when there were none
	FormJSON        Form = "json"        // the item's JSON exactly as served, without what another form carries
	FormFile        Form = "file"        // a file's bytes
	FormPermissions Form = "permissions" // an array of sharing permissions, as served
	FormColumns     Form = "columns"     // of a file of a library: content type and values of the columns that its site made, see docs/format.md
	FormAttachments Form = "attachments" // raw attachments that MIME cannot carry: JSON array as served
	FormPhoto       Form = "photo"       // the picture of a contact, as served
	// FormAttachment and a file's name are the form of a file that is attached to an item of a list; with a number, to an event or a task.
	FormAttachment Form = "attachment/"
	// FormHosted and its id are the form of a picture in a post.
	FormHosted Form = "hosted/"
	// FormMembers is an array of the members of a team, a channel or a chat with their roles, as served.
	FormMembers Form = "members"
)

// SpecialChat is FieldSpecial of what is stored of a chat itself, a folder in which its messages are.
const SpecialChat = "chat"

// Transform says how a piece is stored.
type Transform string

// The transforms of pieces.
const (
	Raw    Transform = ""
	Base64 Transform = "base64" // stored decoded; EncodeBase64Lines gives it back. Used only where that gives back the same bytes.
)

// Piece is a run of a payload's bytes. Reader gives the stored (decoded, for Base64) bytes.
type Piece struct {
	Transform Transform
	Reader    io.Reader
	Size      int64 // of what Reader gives; -1 when not known
	Apart     bool  // worth an object of its own (an attachment, a file), so that equal ones are stored once
}

// Payload is one form of an item's content: pieces whose concatenation, each transformed, is exact.
type Payload struct {
	Form Form
	// Pieces gives the pieces in order. Each Reader is read to its end before the next piece is asked for.
	Pieces iter.Seq2[Piece, error]
	// Keep refers to the payload of this form of the item's previous version instead; Pieces is then nil.
	Keep bool
	// Served, when set, is asked after the last piece was read and gives the sum, by a NewSum, of the bytes that the source served. The vault
	// compares it with the sum of what the pieces give back, and stores nothing when they differ.
	Served func() uint64
}

var sumSeed = maphash.MakeSeed()

// NewSum is a fast sum to compare bytes within this process: keyed by chance, so that nobody can make two contents that have the same one. It is
// never stored.
func NewSum() hash.Hash64 {
	h := &maphash.Hash{}
	h.SetSeed(sumSeed)
	return h
}

// Whole is a payload of one raw piece.
func Whole(f Form, r io.Reader, size int64) Payload {
	return Payload{Form: f, Pieces: func(yield func(Piece, error) bool) {
		yield(Piece{Reader: r, Size: size, Apart: size < 0 || size >= 32<<10}, nil)
	}}
}

// Kept is a payload that stays as the item's previous version had it.
func Kept(f Form) Payload { return Payload{Form: f, Keep: true} }

// SkipReason classes why an item or container is not in a restore point.
type SkipReason string

// The classes of skips. Retriable ones are tried again by the next session.
const (
	SkipCorrupt     SkipReason = "corrupt"    // the service can't give it out (ErrorCorruptData, …)
	SkipDenied      SkipReason = "denied"     // a permission is missing
	SkipLocked      SkipReason = "locked"     // 423
	SkipMalware     SkipReason = "malware"    // flagged by the service
	SkipVanished    SkipReason = "vanished"   // deleted while read
	SkipChanging    SkipReason = "changing"   // changed under every attempt to read it
	SkipTooLarge    SkipReason = "too large"  //
	SkipUnlicensed  SkipReason = "unlicensed" // mailbox without licence
	SkipGone        SkipReason = "gone"       // mailbox or drive answers 404
	SkipTransient   SkipReason = "transient"  // the service failed every attempt
	SkipConflict    SkipReason = "conflict"   // restore: something newer is there
	SkipUnsupported SkipReason = "unsupported"
	SkipNothing     SkipReason = "not restorable" // restore: what is stored is no content that anybody could put back
)

// Skip is an error that concerns one item (or a whole container) and does not end the work on the others.
type Skip struct {
	Reason SkipReason
	Err    error
}

func (s *Skip) Error() string { return fmt.Sprintf("%s: %v", s.Reason, s.Err) }

// Unwrap gives the cause.
func (s *Skip) Unwrap() error { return s.Err }
