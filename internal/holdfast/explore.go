package holdfast

import (
	"io"
	"time"
)

// View says where to look: a container's head, as an entry of a restore point has it.
type View struct {
	Repository   RepositoryID
	Organization OrganizationID
	Point        RestorePointID
	Container    string // Container.Key
	Head         uint64
}

// ItemQuery asks for a page of items.
type ItemQuery struct {
	At            View
	Parent        string     // folder id; with Search: look below it, "" everywhere; else "" is the root level
	Kinds         []ItemKind // nil: all
	Search        string     // words or field:value as the contract's search takes them; finds below Parent, or everywhere
	Sort          string     // "time" (newest first), "name"
	Offset, Limit int
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
}

// Content is a stream with what a download needs. The caller closes Body.
type Content struct {
	Body     io.ReadCloser
	FileName string
	Type     string // media type
	Size     int64  // -1 when not known
	Time     time.Time
}
