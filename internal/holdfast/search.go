package holdfast

import "time"

// SearchQuery asks for a page of what a search finds over objects and restore points.
type SearchQuery struct {
	Text    string     // in the grammar of docs/search.md; empty: everything
	Kinds   []ItemKind // nil: all
	At      time.Time  // what restore points held then; zero: what any holds
	From    time.Time  // of the items' own time, included; zero: no bound
	Until   time.Time
	Deleted bool   // only what the newest restore point no longer has
	Lenient bool   // what is no search in the grammar is taken for the words in it
	Oldest  bool   // oldest first, not newest first
	Limit   int    // at most SearchLimit
	Cursor  string // of the page before
	Plain   bool   // without snippets, which take most of the time
	Now     time.Time
	Place   *time.Location // whose days dates are; nil: UTC
}

// SearchLimit is the most that a page of a search has.
const SearchLimit = 500

// SearchScope is where a caller may search: an organization, and in it all containers or those with these keys.
type SearchScope struct {
	Organization OrganizationID
	All          bool
	Containers   []string
}

// SearchPage is a page of a search.
type SearchPage struct {
	Results []SearchResult
	// Total counts what matches, on the first page only (else -1); exactly when Exact.
	Total  int64
	Exact  bool
	Cursor string // of the next page; empty when this was the last
	// NotIndexed are the containers in scope of which restore points are not in the index yet; their results may be incomplete.
	NotIndexed []NotIndexed
}

// NotIndexed is a container whose newest restore points are not in the index yet.
type NotIndexed struct {
	Organization OrganizationID
	Repository   RepositoryID
	Container    Container
	Since        time.Time // the first restore point that is missing
	Err          string    // why, when it was tried
}

// SearchResult is a version of an item.
type SearchResult struct {
	Organization OrganizationID
	Repository   RepositoryID
	Container    Container
	Owner        string // of the container, by whom the caller sees it: of a chat one of its members
	Head         uint64 // the newest in which this version is
	Item         Item   // its fields of people and marks
	Folder       string // names from the root, "/" between
	First, Last  SearchPoint
	Deleted      bool // the newest restore point no longer has the item
	Snippet      string
}

// SearchPoint is a restore point that holds what was found.
type SearchPoint struct {
	ID   RestorePointID
	Time time.Time
}

// SearchStatus is how far an organization's index is.
type SearchStatus struct {
	Organization OrganizationID
	Documents    int64
	Bytes        int64 // of the side file
	Indexed      time.Time
	Working      bool
	Pending      []NotIndexed
	Err          string
}
