// Package holdfast has the nouns of the product and its kinds of errors. It knows no SQL, HTTP, Microsoft or storage library.
package holdfast

import "time"

// Ids are lower-case UUIDs in text form.
type (
	OrganizationID   string
	RepositoryID     string
	JobID            string
	JobSessionID     string
	RestorePointID   string
	RestoreSessionID string
	ProxyID          string
	TaskID           string
	UserID           string
)

// Epoch numbers the holders of a lease; a commit with an old one changes nothing.
type Epoch int64

// Region names a cloud of Microsoft 365 as the REST contract spells it.
type Region string

// The regions that are built or refused by name.
const (
	Worldwide    Region = "Worldwide"
	USDefence    Region = "USDefence"
	USGovernment Region = "USGovernment"
	China        Region = "China"
	Germany      Region = "Germany"
)

// Secret is a text that never shows: String, JSON and logs give "***".
type Secret string

func (Secret) String() string               { return "***" }
func (Secret) GoString() string             { return "***" }
func (Secret) MarshalText() ([]byte, error) { return []byte("***"), nil }

// Credential signs an application in to Entra ID. Either Secret or Certificate is set.
type Credential struct {
	TenantID            string // Entra tenant id or a verified domain
	ApplicationID       string
	ApplicationSecret   Secret
	Certificate         Secret // PKCS #12 or PEM, raw bytes
	CertificatePassword Secret
	// ApplicationObject and KeyID are the ids of the application's object and of its certificate there, when Holdfast registered them: with
	// both the application can renew its certificate by itself.
	ApplicationObject string
	KeyID             string
}

// Organization is a Microsoft 365 organization that is protected.
type Organization struct {
	ID                    OrganizationID
	Name                  string // default domain, for example contoso.onmicrosoft.com
	OfficeName            string // display name
	Description           string
	TenantID              string
	Region                Region
	Exchange              bool // protect Exchange Online
	SharePoint            bool // protect SharePoint Online and OneDrive
	Teams                 bool // protect Microsoft Teams; needs SharePoint, where the files of teams are
	TeamsChats            bool // protect posts of channels too
	Chats                 bool // chats of users are protected by jobs that ask for them
	ApplicationID         string
	CertificateThumbprint string
	FirstBackup           time.Time
	LastBackup            time.Time
	Created               time.Time
}

// Protects says whether the organization protects containers of a kind.
func (o Organization) Protects(kind ContainerKind) bool {
	switch kind {
	case Mailbox:
		return o.Exchange
	case Team:
		return o.Teams && o.SharePoint
	case Chat, ChatList:
		return o.Chats
	}
	return o.SharePoint
}

// RetentionPeriod is how long restore points of a repository are kept. Exactly one of Days, Months, Years is set unless Forever.
type RetentionPeriod struct {
	Days, Months, Years int
	Forever             bool
}

// Repository is a backup repository: a place owned by the user, with its retention.
type Repository struct {
	ID          RepositoryID
	Name        string
	Description string
	Path        string
	Proxy       ProxyID
	Retention   RetentionPeriod
	// When retention runs: daily at DailyTime on days of DailyType, or monthly at MonthlyTime on the MonthlyDayNumber-th MonthlyDayOfWeek.
	RetentionFrequency string // Daily or Monthly
	DailyTime          string // HH:MM:SS
	DailyType          string // Everyday, Workdays, Weekends, Monday…Sunday
	MonthlyTime        string
	MonthlyDayNumber   string // First…Fourth, Last
	MonthlyDayOfWeek   string
	KitExported        bool
	NextRetention      time.Time
	Attached           bool  // the place came from an earlier installation
	OutOfDate          bool  // the place holds what the catalogue does not: synchronize
	Capacity, Free     int64 // bytes
	Created            time.Time
}

// JobScope says what a backup job protects.
type JobScope string

// The scopes of jobs.
const (
	EntireOrganization JobScope = "EntireOrganization"
	SelectedItems      JobScope = "SelectedItems"
)

// JobItem is one thing that a job selects or excludes: the organization, a user, a group, a site or a team, and which of the data.
type JobItem struct {
	ID             string // derived: stable for the same content in the same job
	Type           string // contract's spelling: PartialOrganization, User, …
	ObjectID       string // Entra object id of the user, group or team, id of the site; empty for the organization
	Name           string
	Address        string
	Mailbox        bool // of a group: its own
	ArchiveMailbox bool
	OneDrive       bool
	Sites          bool          // of a user: his personal site; of the organization: all but personal ones
	PersonalSites  bool          `json:",omitempty"` // of the organization: all personal sites
	Teams          bool          `json:",omitempty"`
	Chats          bool          `json:",omitempty"` // of a group: its members'
	Everything     bool          `json:"-"`          // in a request: nothing was chosen, so all that the organization protects is meant
	LeaveOut       []MailboxPart `json:",omitempty"` // not read of mailboxes, or posts of teams
	// GroupMailboxes takes those of all Microsoft 365 groups, of an item that is the organization. Of an item that is a group Mailbox does.
	GroupMailboxes bool `json:",omitempty"`
	// Of a group: its kind (holdfast.GroupOffice365, …), whether its members are meant, also those of groups within it, which of their data,
	// and its own site.
	GroupType                                                string `json:",omitempty"`
	Members                                                  bool   `json:",omitempty"`
	MemberMailbox, MemberArchive, MemberOneDrive, MemberSite bool   `json:",omitempty"`
	GroupSite                                                bool   `json:",omitempty"`
	SiteID, SiteURL                                          string `json:",omitempty"`
}

// MailboxPart is something in a mailbox that a job may leave out.
type MailboxPart string

// The parts.
const (
	PartContacts  MailboxPart = "contacts"
	PartCalendars MailboxPart = "calendars"
	PartTasks     MailboxPart = "tasks"
	PartSettings  MailboxPart = "settings" // settings, rules, categories and permissions of calendars
	// PartExport is the way of reading mail as Exchange exports it. A job that leaves it out reads mail as MIME and JSON.
	PartExport MailboxPart = "export"
	// PartItems is what only the export of mailboxes has: contact groups, the journal, notes in folders below the one of notes, tasks that To Do does not show.
	PartItems MailboxPart = "items"
)

// PartPosts are the posts of teams, which a job may leave out as it may a part of mailboxes.
const PartPosts MailboxPart = "posts"

// MailboxParts are all of them.
var MailboxParts = []MailboxPart{PartContacts, PartCalendars, PartTasks, PartSettings, PartExport, PartItems}

// Schedule is when a job runs by itself. Times of day are HH:MM:SS in Zone.
type Schedule struct {
	Enabled       bool
	Type          string // Daily or Periodically
	DailyTime     string
	DailyType     string        // Everyday, Workdays, Weekends, Monday…Sunday
	Every         time.Duration // Periodically: the interval
	Continuously  bool
	Offset        time.Duration // Periodically: minutes after the hour
	Window        []bool        // 168 hours of the week from Sunday 00:00 in which the job may run; nil means always
	WindowEnabled bool
	WindowOffset  time.Duration // moves all of Window
	// StartWindow limits when a Periodically schedule starts runs, in the same form; a run may go on outside it.
	StartWindow        []bool
	StartWindowEnabled bool
	StartWindowOffset  time.Duration
	RetryEnabled       bool
	RetryNumber        int
	RetryWait          time.Duration
	TerminateOutside   bool   // stop a run that leaves the window
	Zone               string // IANA name; empty is the server's local zone
}

// Job is a backup job.
type Job struct {
	ID           JobID
	Organization OrganizationID
	Repository   RepositoryID
	Name         string
	Description  string
	Scope        JobScope
	Selected     []JobItem
	Excluded     []JobItem
	Chats        bool // of the entire organization, everybody's chats too
	// PersonalSites is of the entire organization: everybody's personal site too.
	PersonalSites bool
	Schedule      Schedule
	Enabled       bool
	LastRun       time.Time
	LastBackup    time.Time
	LastStatus    SessionStatus // empty: never ran
	NextRun       time.Time     // by the schedule; zero: none
	RetryAt       time.Time     // when RetryOf is tried again; zero: not
	RetryOf       JobSessionID
	Created       time.Time
}

// SessionStatus is the state or result of a job session, in the contract's spelling.
type SessionStatus string

// The states of job sessions.
const (
	StatusQueued  SessionStatus = "Queued"
	StatusRunning SessionStatus = "Running"
	StatusSuccess SessionStatus = "Success"
	StatusWarning SessionStatus = "Warning"
	StatusFailed  SessionStatus = "Failed"
	StatusStopped SessionStatus = "Stopped"
)

// Statistics counts what a session did.
type Statistics struct {
	Objects       int64         // containers finished
	ObjectsTotal  int64         // containers in scope
	Items         int64         // items stored (new versions and tombstones)
	Skipped       int64         // items named as skipped
	ReadBytes     int64         // bytes served by the source
	WrittenBytes  int64         // bytes written to the repository
	Requests      int64         // calls to Microsoft, batch parts counted one by one
	ResourceUnits int64         // SharePoint and OneDrive
	Throttled     time.Duration // time spent waiting because the service asked for it
	Bottleneck    string        // NA, Source, Target
}

// Plus adds what was done besides; the bottleneck is d's when it has one.
func (s Statistics) Plus(d Statistics) Statistics {
	s.Objects += d.Objects
	s.ObjectsTotal += d.ObjectsTotal
	s.Items += d.Items
	s.Skipped += d.Skipped
	s.ReadBytes += d.ReadBytes
	s.WrittenBytes += d.WrittenBytes
	s.Requests += d.Requests
	s.ResourceUnits += d.ResourceUnits
	s.Throttled += d.Throttled
	if d.Bottleneck != "" {
		s.Bottleneck = d.Bottleneck
	}
	return s
}

// Since is what was done after before; it is zero when nothing was. Plus undoes it.
func (s Statistics) Since(before Statistics) Statistics {
	s.Objects -= before.Objects
	s.ObjectsTotal -= before.ObjectsTotal
	s.Items -= before.Items
	s.Skipped -= before.Skipped
	s.ReadBytes -= before.ReadBytes
	s.WrittenBytes -= before.WrittenBytes
	s.Requests -= before.Requests
	s.ResourceUnits -= before.ResourceUnits
	s.Throttled -= before.Throttled
	if s.Bottleneck == before.Bottleneck {
		s.Bottleneck = ""
	}
	return s
}

// JobSession is one run of a job.
type JobSession struct {
	ID           JobSessionID
	Main         JobSessionID // the first session, of which this one is a retry; else empty
	Job          JobID
	JobName      string
	Organization OrganizationID
	Repository   RepositoryID
	Full         bool // nothing was kept before, or Anew
	Anew         bool // somebody asked to list everything again and compare, instead of reading what changed
	Status       SessionStatus
	Details      string
	Created      time.Time
	Ended        time.Time
	Progress     int // percent
	Retry        int // number of the retry, 0 for the first run
	WillRetry    bool
	RestorePoint RestorePointID // empty until there is one
	StopBy       time.Time      // when it was asked to stop: the time at which it has
	Notes        []string       // what the job asks for and the session could not protect, for people
	Statistics   Statistics
}

// LogLine is one line of a session's log, for people.
type LogLine struct {
	ID      string
	Number  int64  // order within the session, from 1
	Session string // job or restore session
	Type    string // contract's spelling: Success, Warning, Error, None
	Title   string
	Created time.Time
	Ended   time.Time
}

// ContainerState says how a container stands in a restore point.
type ContainerState string

// The states of a container in a restore point.
const (
	StateUpdated    ContainerState = "updated"     // its head is of this session
	StateUnchanged  ContainerState = "unchanged"   // looked at, nothing new
	StateNotUpdated ContainerState = "not updated" // an earlier head stands in, for Reason
	StateGone       ContainerState = "gone"        // no longer there at the source; history kept
)

// PointEntry is one container of a restore point. Head 0 means: never read.
type PointEntry struct {
	Container    Container      `json:"container"`
	Head         uint64         `json:"head"`
	HeadTime     time.Time      `json:"headTime"`
	State        ContainerState `json:"state"`
	Reason       string         `json:"reason,omitempty"`
	Skipped      []SkippedItem  `json:"skipped,omitempty"` // at most SkippedListed; SkippedCount has all
	SkippedCount int64          `json:"skippedCount,omitempty"`
}

// SkippedItem names an item that a restore point lacks.
type SkippedItem struct {
	ID     string     `json:"id"`
	Name   string     `json:"name"`
	Reason SkipReason `json:"reason"`
	Detail string     `json:"detail"`
}

// RestorePoint is an immutable list of containers and their heads at the end of a job session.
type RestorePoint struct {
	ID           RestorePointID `json:"id"`
	Organization OrganizationID `json:"organization"`
	Repository   RepositoryID   `json:"repository"`
	Job          JobID          `json:"job"`
	JobName      string         `json:"jobName"`
	JobSession   JobSessionID   `json:"jobSession"`
	Time         time.Time      `json:"time"` // end of the session
	Status       SessionStatus  `json:"status"`
	Entries      []PointEntry   `json:"entries"`
}
