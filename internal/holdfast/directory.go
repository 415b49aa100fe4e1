package holdfast

import "time"

// DirectoryKind says what an object of an organization's directory is.
type DirectoryKind string

// The kinds of objects that are kept.
const (
	DirectoryUser  DirectoryKind = "user"
	DirectoryGroup DirectoryKind = "group"
	DirectorySite  DirectoryKind = "site"
)

// Types of groups, in the contract's spelling.
const (
	GroupOffice365    = "Office365"
	GroupSecurity     = "Security"
	GroupDistribution = "Distribution"
)

// DirectoryObject is a user, group or site as the directory had it at the last synchronisation.
type DirectoryObject struct {
	Organization OrganizationID
	Kind         DirectoryKind
	ID           string    // Entra object id; of a site host,site collection,web
	Name         string    // user principal name, mail address of a group, address of a site
	DisplayName  string    // or the site's title
	Mail         string    // empty: no mailbox
	Type         string    // of a group: Office365, Security, Distribution
	Guest        bool      // of a user
	Personal     bool      // of a site
	Office       string    // of a user
	Licenses     []string  // of a user: ids of what is assigned
	Purpose      string    `json:",omitempty"` // of a user's mailbox, see FieldPurpose; empty: no backup has read it yet. The directory does not tell.
	Gone         time.Time // when it was first missed; zero: it is there
	Drive        string    `json:"-"` // of a user: the id of his drive, when a backup knows it; not kept
	Site         Container `json:"-"` // of a user: his personal site, when a backup knows it; not kept
}

// SharedPurpose says whether a mailbox is nobody's own: one that several people share, that of a room or of equipment.
// https://learn.microsoft.com/graph/api/resources/mailboxsettings (userPurpose)
func SharedPurpose(purpose string) bool {
	return purpose == "shared" || purpose == "room" || purpose == "equipment"
}

// DirectoryMember says that a user or group is directly in a group.
type DirectoryMember struct {
	Group  string
	Kind   DirectoryKind // user or group
	Member string
	Gone   bool // of a change: it is in there no more
}

// DirectoryFilter narrows a list of directory objects. Prefixes ignore case.
type DirectoryFilter struct {
	Kind              DirectoryKind
	Name, DisplayName string   // prefixes
	Text              string   // anywhere in the name or the display name
	NoPersonal        bool     // sites: not those of people
	Below             string   // sites: only those whose address is below this one
	IDs               []string // nil: of any id
	Gone              bool     // those too that are no longer there
}

// SyncType says how much of a directory is read.
type SyncType string

// The types of synchronisations, in the contract's spelling.
const (
	SyncIncremental SyncType = "Incremental" // what changed
	SyncFull        SyncType = "Full"        // everything
)

// DirectoryPosition is up to where a directory was read; the zero value is its beginning.
type DirectoryPosition struct{ Users, Groups string }

// DirectoryState says how far the copy of an organization's directory is.
type DirectoryState struct {
	Organization OrganizationID
	Position     DirectoryPosition
	Round        int64     // number of the last full reading that ended
	Synced       time.Time // until when it is known to be complete; zero: it never was
	// Last is the last synchronisation that ended; Started zero: there was none.
	Last SyncRun
	// Wanted is one that waits or runs; Scheduled zero: there is none.
	Wanted SyncRun
}

// SyncRun is one synchronisation.
type SyncRun struct {
	Type                      SyncType
	Scheduled, Started, Ended time.Time
	Error                     string // why it failed; empty: it did not
}
