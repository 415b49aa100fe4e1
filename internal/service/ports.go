// Package service holds the rules: who may do what, what a job means, sessions, schedules, audit.
// REST, the command line and a proxy's calls are thin skins over it. It knows no SQL, HTTP, JSON or storage library.
package service

import (
	"context"
	"io"
	"time"

	"holdfast/internal/holdfast"
)

// Explorer browses a restore point where the repository is. Requests can travel over a wire; content is streamed.
// A view is addressed by repository, organization and the restore point's entry of the container.
type Explorer interface {
	// Items lists a folder (or finds, with Search) at a restore point.
	Items(ctx context.Context, q ItemQuery) (ItemPage, error)
	// Item looks one item up.
	Item(ctx context.Context, at View, id string) (Entry, error)
	// Versions gives the stored older versions of a file.
	Versions(ctx context.Context, at View, id string) ([]Entry, error)
	// Open streams one item as a user wants it: a mail as .eml, a file as it is.
	Open(ctx context.Context, at View, id string) (Content, error)
	// Export streams several items, or whole folders, as a ZIP with a manifest of hashes.
	Export(ctx context.Context, at View, ids []string, w io.Writer) error
}

// View says where to look.
type View struct {
	Repository   holdfast.RepositoryID
	Organization holdfast.OrganizationID
	Point        holdfast.RestorePointID
	Container    string // Container.Key
	Head         uint64
}

// ItemQuery asks for a page of items.
type ItemQuery struct {
	At            View
	Parent        string              // folder id; ignored when Search is set; "" is the root level
	Kinds         []holdfast.ItemKind // nil: all
	Search        string              // words or field:value as the contract's search takes them; finds below Parent, or everywhere
	Sort          string              // "time" (newest first), "name"
	Offset, Limit int
}

// ItemPage is a page; Total is the number of all that match when known, else -1.
type ItemPage struct {
	Entries []Entry
	Total   int64
}

// Entry is an item as lists show it.
type Entry struct {
	holdfast.Item
	Path  string // names from the root, "/" between, "/" in names escaped
	Forms []holdfast.Form
}

// Content is a stream with what a download needs. The caller closes Body.
type Content struct {
	Body     io.ReadCloser
	FileName string
	Type     string // media type
	Size     int64  // -1 when not known
	Time     time.Time
}

// Restorer runs restores where the repository is. report is called for each item, from several goroutines.
type Restorer interface {
	Restore(ctx context.Context, lease holdfast.Lease, request holdfast.RestoreRequest, report func(holdfast.ItemResult)) error
}
