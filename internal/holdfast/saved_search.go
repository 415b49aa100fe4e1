package holdfast

import "time"

// SavedSearchID names a saved search.
type SavedSearchID string

// SavedSearch is a search that its maker wants to make again. It holds the question, no answers: what it finds depends on who asks and when.
type SavedSearch struct {
	ID           SavedSearchID
	Account      UserID
	Name         string
	Query        string         // as typed
	Organization OrganizationID // empty: all that the caller may see
	Kinds        []ItemKind     // nil: all
	Deleted      bool           // only what the newest restore point no longer has
	Oldest       bool           // oldest first, not newest first
	Created      time.Time
}
