package holdfast

import "time"

// Account is somebody who signs in: a local user of Holdfast, or a user of an organization's directory who signs in there.
type Account struct {
	ID           UserID
	Name         string // of a directory user: his user principal name
	DisplayName  string
	Role         string
	PasswordHash string // argon2id, PHC string; empty for a directory user
	Disabled     bool
	Created      time.Time
	LastLogin    time.Time
	// Organization and ObjectID say which directory user this is; empty for a local user.
	Organization OrganizationID
	ObjectID     string
	// The codes of an authenticator: whether they are in use, the newest time step whose code was taken (a code is good once), the wrong codes
	// in a row, and until when no code is looked at.
	Factor       bool
	FactorStep   int64
	FactorMisses int
	FactorWait   time.Time
	Passkeys     int // how many there are
}

// SecondFactor says that a password alone does not sign in.
func (a Account) SecondFactor() bool { return a.Factor || a.Passkeys > 0 }

// Passkey is a credential of WebAuthn: the public half of a key pair that a device or a password manager keeps.
type Passkey struct {
	ID         string // the credential's id, base64url
	Account    UserID
	Name       string
	Host       string // the host name that it is bound to
	PublicKey  []byte // COSE
	SignCount  uint32 // how often it signed, as it says; 0 of those that don't count
	Flags      byte   // of authenticator data: whether it can be and is backed up
	Transports []string
	Created    time.Time
	LastUsed   time.Time
}

// BackedUp says that it was synchronised to more than one device when it was used last: bit 4 of the flags of WebAuthn's authenticator data.
func (k Passkey) BackedUp() bool { return k.Flags&0x10 != 0 }

// Local says that the account is a user of this installation.
func (a Account) Local() bool { return a.Organization == "" }

// BrowserSession is a login of a browser; only its secret's hash is kept.
type BrowserSession struct {
	Hash     string // SHA-256, hex
	Account  UserID
	Address  string
	Created  time.Time
	LastUsed time.Time
	Expires  time.Time // whatever is done until then
	Proved   time.Time // when its person last proved who he is
}

// APIKey is a credential of a program; only its secret's hash is kept.
type APIKey struct {
	ID            string
	Hash          string // SHA-256, hex
	Name          string
	Account       UserID // who made it: it can do no more than he
	AccountName   string // not stored
	Role          string
	Organizations []OrganizationID // what it is limited to; empty is all
	Created       time.Time
	Expires       time.Time
	LastUsed      time.Time
}

// RbacRole is a restore role: who may restore for whom.
type RbacRole struct {
	ID           string
	Organization OrganizationID
	Name         string
	Description  string
	Whole        bool // it manages all objects of the organization, else Selected
	Acts         []GrantAct
	Operators    []RbacItem
	Selected     []RbacItem
	Excluded     []RbacItem // wins
	Created      time.Time
}

// RbacItem is a user or a group of an organization's directory (or, as an operator, a local user), a site or a team in a restore role.
type RbacItem struct {
	ID          string // derived: the same for the same object in one list of one role
	Type        string // contract's spelling: User, Group, Site or Team
	ObjectID    string // Entra object id, the local account's id, or the site's id
	Name        string // of a site its address, of a team its mail address
	DisplayName string
	Kind        string // contract's spelling of the user's or group's type
}

// GroupMembers are the users of a directory group as they were when it was read.
type GroupMembers struct {
	Organization OrganizationID
	Group        string
	Members      []string // Entra object ids of users, also those of nested groups
	Read         time.Time
}
