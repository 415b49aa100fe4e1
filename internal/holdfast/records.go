package holdfast

import (
	"crypto/sha1"
	"encoding/hex"
	"slices"
	"time"
)

// Page is a window on a list. Limit 0 means all that there is.
type Page struct{ Offset, Limit int }

// DerivedID is the UUID (version 5, SHA-1) of a name within a namespace, itself a UUID: equal in, equal out, so that ids
// survive the loss of the database. A namespace that is no UUID counts as its text.
func DerivedID(namespace, name string) string {
	h := sha1.New()
	if raw, err := hex.DecodeString(stripDashes(namespace)); err == nil && len(raw) == 16 {
		h.Write(raw)
	} else {
		h.Write([]byte(namespace))
	}
	h.Write([]byte(name))
	b := h.Sum(nil)[:16]
	b[6] = b[6]&0x0f | 0x50
	b[8] = b[8]&0x3f | 0x80
	return FormatUUID([16]byte(b))
}

// FormatUUID is the text form of a UUID.
func FormatUUID(b [16]byte) string {
	x := hex.EncodeToString(b[:])
	return x[:8] + "-" + x[8:12] + "-" + x[12:16] + "-" + x[16:20] + "-" + x[20:]
}

func stripDashes(s string) string {
	out := make([]byte, 0, 32)
	for i := range len(s) {
		if s[i] != '-' {
			out = append(out, s[i])
		}
	}
	return string(out)
}

// PublicID is the container's id in the REST API: derived, so that it is stable.
func (c Container) PublicID() string { return DerivedID(string(c.Organization), c.Key()) }

// OwnerID is the id of the owner, as a user whose data is protected, in the REST API.
func (c Container) OwnerID() string { return DerivedID(string(c.Organization), "user/"+c.Owner) }

// OfOwnerID says whether the user with that OwnerID is the container's owner, or one of its owners.
func (c Container) OfOwnerID(id string) bool {
	if c.OwnerID() == id {
		return true
	}
	return slices.ContainsFunc(Owners(c.Owner), func(o string) bool { return DerivedID(string(c.Organization), "user/"+o) == id })
}

// TokenKind says what a token is good for.
type TokenKind string

// The kinds of tokens.
const (
	TokenAccess  TokenKind = "access"
	TokenRefresh TokenKind = "refresh"
	TokenCode    TokenKind = "code" // one use, to hand a login over
)

// Token is a credential given out; only its hash is kept.
type Token struct {
	Hash    string // SHA-256, hex
	Kind    TokenKind
	Family  string // all tokens that descend from one login
	Account UserID
	Issued  time.Time
	Expires time.Time
	Used    time.Time // refresh and code: when it was spent
}

// AuditEntry is one link of the audit chain.
type AuditEntry struct {
	Number  int64 // from 1, by one
	Time    time.Time
	Actor   string
	Address string // where the actor came from
	Act     string // for example "job.delete"
	Object  string // for example "job/6f…"
	Detail  string
	Prev    string // Hash of the entry before, hex
	Hash    string // SHA-256 over all the above, hex
}

// AuditFilter says which entries are wanted; the zero value all.
type AuditFilter struct {
	Actor string    // who, whole, in any case
	Act   string    // the beginning of the act: "restore_session" or "restore_session.open"
	Text  string    // anywhere in object, detail or address, in any case
	From  time.Time // included; zero: no bound
	Until time.Time // not included
}

// SealedSecret is a secret under its own data key, which the key-encryption key wraps.
type SealedSecret struct {
	ID         string
	KeyID      string // of the key-encryption key
	WrappedKey []byte
	Ciphertext []byte
}

// Proxy is a worker.
type Proxy struct {
	ID          ProxyID
	HostName    string
	Description string
	Port        int
	BuiltIn     bool
	Version     string
	Maintenance bool
	CPU         float64 // percent
	Memory      float64 // percent
	LastSeen    time.Time
	Created     time.Time
	Online      bool // not stored
}

// TaskState says where a task stands.
type TaskState string

// The states of tasks.
const (
	TaskReady     TaskState = "ready"
	TaskRunning   TaskState = "running"
	TaskDone      TaskState = "done"
	TaskFailed    TaskState = "failed"
	TaskCancelled TaskState = "cancelled"
)

// TaskRecord is a task as the database keeps it.
type TaskRecord struct {
	Task
	State      TaskState
	Proxy      ProxyID
	LeaseUntil time.Time // by the store's clock
	NotBefore  time.Time
	Position   int  // place in its session: sessions take turns
	Cancel     bool // the holder is asked to stop
	// OwnCredential says that the request came with a credential, which is kept in memory only.
	OwnCredential bool
	Result        string // shown to the user when it failed
	Retriable     bool
	Entry         *PointEntry // backup tasks: what it reported
	Ended         time.Time
}

// ContainerRecord is a container that the catalogue knows of in a repository.
type ContainerRecord struct {
	Container
	Repository RepositoryID
	Head       uint64 // newest published head; 0 when there is none
	HeadTime   time.Time
	Checkpoint uint64 // newer resume point; 0 when there is none
	Items      int64
	Bytes      int64
	First      time.Time // first backup
	State      ContainerState
}

// ExplorerType says what a restore session looks at.
type ExplorerType string

// The types that are built.
const (
	ExploreExchange ExplorerType = "Vex"
	ExploreOneDrive ExplorerType = "Veod"
	ExploreSites    ExplorerType = "Vesp"
	ExploreTeams    ExplorerType = "Vet"
	ExploreChats    ExplorerType = "Chats" // beyond the contract
)

// Kind is the kind of containers that an explorer of this type shows.
func (t ExplorerType) Kind() ContainerKind {
	switch t {
	case ExploreOneDrive:
		return Drive
	case ExploreSites:
		return Site
	case ExploreTeams:
		return Team
	case ExploreChats:
		return Chat
	}
	return Mailbox
}

// RestoreSession is an explorer at work: what it sees is fixed when it opens.
type RestoreSession struct {
	ID              RestoreSessionID
	Name            string
	Type            ExplorerType
	Organization    OrganizationID // empty: all of the repository
	Repository      RepositoryID   // empty: all repositories
	Job             JobID          // empty: all jobs
	Owner           string         // Entra object id: only his objects; empty: all
	PointInTime     time.Time      // zero: the newest restore points
	ShowDeleted     bool
	ShowAllVersions bool
	Points          []RestorePointID // newest restore point of each job and repository at PointInTime
	Account         UserID
	InitiatedBy     string
	ClientHost      string
	Reason          string
	Details         string
	Stopped         bool
	Result          SessionStatus // Success, Warning or Failed
	Created         time.Time
	Ended           time.Time
	LastUsed        time.Time
}

// RestoreEvent is one thing that a restore session did, in the contract's spelling.
type RestoreEvent struct {
	ID           string
	Session      RestoreSessionID
	Number       int    // order within the session, from 1
	Request      string // of the restore request that it belongs to; empty for reads
	Item         string // item id; empty for the event of a whole request
	Type         string // None, Save, Export, Send, Restore, View
	Status       string // Running, Success, Warning, Failed, Cancelled, Skipped
	Existing     bool   // nothing was done: an equal item is there
	ItemName     string
	ItemType     string
	ItemSize     int64
	Source       string
	Target       string
	Title        string
	Message      string
	Reason       string // why the restore was asked for, in the user's words
	Organization OrganizationID
	User         string // Entra object id of the owner
	Started      time.Time
	Ended        time.Time

	// What became of an item, as codes: Message has the same in words.
	Outcome string     // engine.Outcome
	Skip    SkipReason // why it was skipped
	Detail  string     // what was in the way, in words
	Lost    []string   // what is not as it was stored

	Counts *RestoreCounts // of a whole request that has ended
}

// RestoreCounts says what became of the items of a restore.
type RestoreCounts struct {
	Restored, Existing, Skipped, Failed int
}

// RestoreItem is the intent to restore one item and, later, what became of it.
type RestoreItem struct {
	Request string
	Item    string
	Version string
	Epoch   Epoch // of the lease that began it last
	Began   time.Time
	Result  *ItemResult // nil: not known yet
}

// Catalogue is what a repository's own records say: enough to fill an empty database.
type Catalogue struct {
	Organizations []Organization
	Heads         []HeadRecord
	Points        []RestorePoint
	Damage        []CatalogueDamage
}

// CatalogueDamage is something that a repository's own records should say and that can't be read.
type CatalogueDamage struct {
	Organization OrganizationID   `json:"organization"`
	What         string           `json:"what"`
	Containers   []string         `json:"containers,omitempty"`    // keys of those of which something is lost
	Points       []RestorePointID `json:"restorePoints,omitempty"` // that it hurts; none of either: nothing is lost
}

// JobFilter, SessionFilter and PointFilter narrow a list; a zero field does not.
type (
	// JobFilter narrows a list of jobs.
	JobFilter struct {
		Organization OrganizationID
		Repository   RepositoryID
	}
	// SessionFilter narrows a list of job sessions.
	SessionFilter struct {
		Job               JobID
		Statuses          []SessionStatus
		EndFrom, EndUntil time.Time
		Active            bool // only those that have not ended
	}
	// PointFilter narrows a list of restore points.
	PointFilter struct {
		Organization OrganizationID
		Repository   RepositoryID
		Job          JobID
		From, Until  time.Time // both included
		Owner        string    // Entra object id: points that hold something of this user
		Kind         ContainerKind
		OldestFirst  bool
	}
	// ContainerFilter narrows a list of containers.
	ContainerFilter struct {
		Organization OrganizationID
		Repository   RepositoryID
		Kind         ContainerKind
		Owner        string
	}
	// RestoreSessionFilter narrows a list of restore sessions.
	RestoreSessionFilter struct {
		Organization           OrganizationID
		Account                UserID
		StartFrom, StartUntil  time.Time
		EndFrom, EndUntil      time.Time
		Active                 bool
		OldestFirst, ByEndTime bool
	}
	// TaskFilter narrows a list of tasks.
	TaskFilter struct {
		JobSession     JobSessionID
		RestoreSession RestoreSessionID
		Organization   OrganizationID
		Repository     RepositoryID
		Container      string   // key
		Containers     []string // keys; nil: of any
		Kind           TaskKind
		States         []TaskState
		IDs            []TaskID // nil: of any id
	}
)
