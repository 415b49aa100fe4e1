package holdfast

import "time"

// BasketID and BasketEntryID name baskets and what is in them.
type (
	BasketID      string
	BasketEntryID string
)

// Basket collects items of several users and kinds, to be restored or saved together. It is its maker's own.
type Basket struct {
	ID      BasketID
	Account UserID
	Name    string
	Created time.Time
	Runs    []BasketRun // newest first
}

// BasketRun is one restore of a basket.
type BasketRun struct {
	ID      string
	Started time.Time
	Parts   []BasketPart
}

// BasketPart is the restore of one container's items, or why it could not begin.
type BasketPart struct {
	Session RestoreSessionID
	Request string
	Entries []BasketEntryID
	Err     string
}

// BasketEntry is an item in a basket, as a restore point has it.
type BasketEntry struct {
	ID         BasketEntryID
	Basket     BasketID
	Repository RepositoryID
	Point      RestorePointID
	Head       uint64
	Container  Container
	Item       string
	Kind       ItemKind
	Name       string
	Path       string
	Size       int64
	Time       time.Time
	Added      time.Time
}

// View is the state that the entry is from.
func (e BasketEntry) View() View {
	return View{Repository: e.Repository, Organization: e.Container.Organization, Point: e.Point, Container: e.Container.Key(), Head: e.Head}
}

// ExportPart is items of one state, to be saved into a folder of a ZIP.
type ExportPart struct {
	At     View
	Items  []string
	Folder string // a name for people
}
