package holdfast

import (
	"io"
	"slices"
	"strings"
	"time"
)

// View says where to look: a container's head, as an entry of a restore point has it.
type View struct {
	Repository   RepositoryID
	Organization OrganizationID
	Point        RestorePointID
	Container    string // Container.Key
	Head         uint64
	// Earlier are states of the container in older restore points, newest first. With them what was deleted since is listed too.
	Earlier []PastState `json:",omitempty"`
}

// PastState is a container's head as a restore point has it.
type PastState struct {
	Point RestorePointID
	Time  time.Time // of the restore point
	Head  uint64
}

// ItemQuery asks for a page of items.
type ItemQuery struct {
	At            View
	Parent        string     // folder id; with Search: look below it, "" everywhere; else "" is the root level
	Kinds         []ItemKind // nil: all
	Search        string     // words or field:value as the contract's search takes them; finds below Parent, or everywhere
	Sort          string     // "time" (newest first), "name"
	Deleted       bool       // only what At.Earlier has and At has not
	Offset, Limit int
}

// PostsQuery asks for posts of a team: those with the ids Posts, and those directly in Folder. A post brings its replies.
type PostsQuery struct {
	At       View
	Folder   string // a channel
	Posts    []string
	From, To time.Time // only threads that have a message of this time; a zero time is no bound
}

// Holds says whether a message of that time is meant.
func (q PostsQuery) Holds(at time.Time) bool {
	return !at.Before(q.From) && (q.To.IsZero() || !at.After(q.To))
}

// ItemPage is a page; Total is the number of all that match when known, else -1.
type ItemPage struct {
	Entries []Entry
	Total   int64
}

// Entry is an item as lists show it.
type Entry struct {
	Item
	Path  string // names from the root, "/" between, "/" in names escaped
	Forms []Form
	// Deleted says that the view's state does not have the item any more; Last is then the newest state that has it.
	Deleted bool
	Last    PastState
	Replies int // of a post in a list
}

// Attached are the names of the files that are attached to an item of a list, in order.
func (e Entry) Attached() []string {
	var out []string
	for _, f := range e.Forms {
		if name, ok := strings.CutPrefix(string(f), string(FormAttachment)); ok {
			out = append(out, name)
		}
	}
	slices.Sort(out)
	return out
}

// ItemVersion is one version of an item over all restore points that are kept.
type ItemVersion struct {
	Item
	Stored int64 // bytes of the mail's MIME or the file's content
	// Newest and Oldest are the restore points between which the item was so.
	Newest, Oldest PastState
}

// Comparison asks how a container, or what is below a folder of it, differs between two of its states.
type Comparison struct {
	Before, After View   // of one container in one repository
	Parent        string // folder id; "" everything
	Offset, Limit int
}

// DifferenceKind says how an item differs.
type DifferenceKind string

// The kinds of differences.
const (
	Added   DifferenceKind = "added"
	Removed DifferenceKind = "removed"
	Changed DifferenceKind = "changed"
)

// Difference is an item that two states do not have alike. Before is nil of an added one, After of a removed one.
type Difference struct {
	Kind          DifferenceKind
	ID            string
	Before, After *Entry
	Properties    []string // of a changed one: what differs
}

// Differences is a page of them, by path.
type Differences struct {
	Results                        []Difference
	Total, Added, Removed, Changed int64
}

// Content is a stream with what a download needs. The caller closes Body.
type Content struct {
	Body     io.ReadCloser
	FileName string
	Type     string // media type
	Size     int64  // -1 when not known
	Time     time.Time
}
