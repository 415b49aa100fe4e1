package holdfast

import "time"

// TaskKind says what a proxy is asked to do.
type TaskKind string

// The kinds of tasks. A job session is one discover task, then one backup task a container, then one finish task.
const (
	TaskDiscover  TaskKind = "discover"  // find the containers in the job's scope
	TaskBackup    TaskKind = "backup"    // bring one container up to date
	TaskFinish    TaskKind = "finish"    // write the restore point
	TaskRestore   TaskKind = "restore"   // run one restore request
	TaskRetention TaskKind = "retention" // expire restore points of a repository, mark, sweep, repack
)

// Lease is the right to work on a task until it ends. Each commit carries it; a newer epoch makes it stale.
// The container of a backup task is leased with it: two jobs on one mailbox take turns.
type Lease struct {
	Task  TaskID
	Epoch Epoch
}

// LeaseTime is how long the server lets a lease hold without being renewed.
const LeaseTime = 30 * time.Second

// LeaseSure is how long the holder of a lease of the given time may go on after the last renewal that he heard of: the server leaves a lease of
// which more than that is left as it is.
func LeaseSure(lease time.Duration) time.Duration { return lease * 2 / 3 }

// Task is a piece of work in the database.
type Task struct {
	ID             TaskID
	Kind           TaskKind
	Organization   OrganizationID
	Repository     RepositoryID
	Job            JobID
	JobSession     JobSessionID
	RestoreSession RestoreSessionID
	Container      Container // backup tasks
	Epoch          Epoch     // of the lease that the claim gave
	Attempt        int       // from 1
	Request        []byte    // restore: the RestoreRequest as JSON; backup: the hint of who found the container, if any
}

// Lease is the lease that the claim of t gave.
func (t Task) Lease() Lease { return Lease{Task: t.ID, Epoch: t.Epoch} }

// HeadRecord is a container's head as the database keeps it. Data is the vault's own encoding.
type HeadRecord struct {
	Organization OrganizationID
	Repository   RepositoryID
	Container    Container
	Number       uint64 // grows; checkpoints use numbers up too
	Epoch        Epoch
	Time         time.Time
	Journal      string // name of the journal entry that holds it
	Items, Bytes int64
	Data         []byte
}

// TaskResult is what a proxy says of a finished task.
type TaskResult struct {
	Err       string     // empty: done. Shown to the user.
	Reason    SkipReason // why a container has no new head; empty with Err empty
	Retriable bool
	Entry     PointEntry  // backup tasks
	Purpose   string      // backup tasks of a mailbox: what it is for, see FieldPurpose; empty: it was not read this time
	Found     []Container // discover tasks, and backup tasks of what tells of more
	// Hints are, by key of Found, what a backup task that found a container tells the one that is to read it.
	Hints        map[string]string
	Skipped      []PointEntry  // discover tasks: objects in scope that can't be read
	RestorePoint *RestorePoint // finish tasks: already committed
	// Ledgers are the repository's ledger heads after finish and retention tasks, for the database to keep: a folder that is put back whole to an
	// older state shows by them.
	Ledgers    map[OrganizationID]LedgerHead
	Statistics Statistics
}

// LedgerHead names a state of the ledger of blobs of an organization's part of a repository.
type LedgerHead struct {
	Sequence uint64    `json:"sequence"`
	Hash     string    `json:"hash"`
	Time     time.Time `json:"time"` // when it was noted down
}

// RestoreRequest is one restore, serialisable: the selection at a restore point and where it goes.
type RestoreRequest struct {
	ID           string // the request's own id; retries of it make no duplicates
	Session      RestoreSessionID
	Organization OrganizationID
	Repository   RepositoryID
	Point        RestorePointID
	From         string   // container key
	Items        []string // item ids; folders bring what is in them; empty means the whole container
	// States has the head of each of Items that is restored as another state than the restore point's has it: one that was deleted
	// since, or an older version.
	States       map[string]uint64 `json:",omitempty"`
	To           string            // object id or address of the user to restore to; empty means the original owner
	Folder       string            // "" original places, else a path
	Mode         string            // engine.ConflictMode
	Newer        bool
	AllVersions  bool
	Permissions  bool
	ChangedItems bool
	MissingItems bool
	MarkRestored string      // MarkUnread, or empty
	NewChat      bool        `json:",omitempty"` // chats: into a new group of the same people
	Topic        string      `json:",omitempty"` // of that group; empty: the chat's own, and that it was restored
	Exclude      []string    // well-known names of folders that stay out with all that is in them
	Credential   *Credential `json:"-"` // of the request's body; never stored
	// End, when it is not 0, restores nothing: the restore has ended, and what its attempts left open at the target is closed. It counts how often
	// that was tried.
	End int `json:",omitempty"`
}

// RestoreNote is what a note that a restore leaves to its later attempts is kept under, in the place of an item's id. No service gives such ids.
func RestoreNote(name string) string { return "note of the restore: " + name }

// NoteOpenChat is the note of a restore that has the id of the chat which it opened for messages of the past, until it has closed it.
const NoteOpenChat = "chat that is open for messages of the past"

// MarkUnread has restored mails marked as not read.
const MarkUnread = "unread"

// Cost is what a restore takes of Microsoft 365, as far as can be told before.
type Cost struct {
	Folders       int64 // that are made
	Requests      int64
	ResourceUnits int64 // SharePoint and OneDrive
	Bytes         int64 // uploaded
}

// Add adds o.
func (c *Cost) Add(o Cost) {
	c.Folders += o.Folders
	c.Requests += o.Requests
	c.ResourceUnits += o.ResourceUnits
	c.Bytes += o.Bytes
}

// RestorePlan is what a restore would do.
type RestorePlan struct {
	Created, Overwritten, Existing, Skipped int64 // items
	Cost                                    Cost
	// Time is what the calls and bytes take at Microsoft's published limits when nothing else uses them.
	Time  time.Duration
	Limit string // which limit that is
	// Items tells of each item; More says that there are more than are told of.
	Items []ItemResult
	More  bool
}

// ItemResult is what a restore did with one item.
type ItemResult struct {
	Item    string
	Name    string
	Path    string
	Outcome string // engine.Outcome
	NewID   string
	Reason  SkipReason
	Detail  string
	Lost    []string
}

// HeadCommit is a head with the lease of the task that made it.
type HeadCommit struct {
	Lease      Lease
	Head       HeadRecord
	Checkpoint bool
}

// Access is what a task may use. A proxy keeps it in memory only.
type Access struct {
	Organization        Organization
	Credential          Credential
	Repository          Repository
	Job                 Job                 // discover and backup tasks: with the members of groups in place of the groups
	Anew                bool                // backup tasks: of the job session
	FoldersLeftOut      FolderExclusions    // backup tasks of mailboxes
	RetentionExclusions RetentionExclusions // retention tasks
	// Users are those that the copy of the directory has, for discover tasks; nil: there is no copy.
	Users []DirectoryObject
}
