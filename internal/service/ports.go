// Package service holds the rules: who may do what, what a job means, sessions, schedules, audit.
// REST, the command line and a proxy's calls are thin skins over it. It knows no SQL, HTTP, JSON or storage library.
package service

import (
	"context"
	"io"

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

// The explorer's requests and answers live with the nouns, so that explorer need not import service.
type (
	View      = holdfast.View
	ItemQuery = holdfast.ItemQuery
	ItemPage  = holdfast.ItemPage
	Entry     = holdfast.Entry
	Content   = holdfast.Content
)

// Restorer runs restores where the repository is. report is called for each item, from several goroutines.
type Restorer interface {
	Restore(ctx context.Context, lease holdfast.Lease, request holdfast.RestoreRequest, report func(holdfast.ItemResult)) error
}
