// Package service holds the rules: who may do what, what a job means, sessions, schedules, audit.
// REST, the command line and a proxy's calls are thin skins over it. It knows no SQL, HTTP, JSON or storage library.
package service

import (
	"context"
	"errors"
	"io"
	"strings"
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
	// History gives the different versions of an item that the states of at.Earlier have, newest first.
	History(ctx context.Context, at View, id string) ([]holdfast.ItemVersion, error)
	// Compare gives a page of what differs between two states of a container.
	Compare(ctx context.Context, c holdfast.Comparison) (holdfast.Differences, error)
	// Preview shows one item without harm: nothing in it runs or asks for anything elsewhere.
	Preview(ctx context.Context, at View, id string) (holdfast.Preview, error)
	// Table gives a page of the items of the list q.Parent, each with its values.
	Table(ctx context.Context, q ItemQuery) (holdfast.ListTable, error)
	// WriteTable writes all items of a list as one file, "csv" or "json".
	WriteTable(ctx context.Context, at View, list, format string, w io.Writer) error
	// WritePosts writes posts of a team as one page of HTML in which nothing runs and nothing is asked for elsewhere.
	WritePosts(ctx context.Context, q holdfast.PostsQuery, w io.Writer) error
	// Access tells who may do what with an item, of what is stored of it.
	Access(ctx context.Context, at View, id string) (holdfast.ItemAccess, error)
	// Attachment streams one attachment of a mail, an event, a task or an item of a list, by its number in the preview.
	Attachment(ctx context.Context, at View, id string, number int) (Content, error)
	// Open streams one item as a user wants it: a mail as .eml, a file as it is.
	Open(ctx context.Context, at View, id string) (Content, error)
	// Export streams several items, or whole folders, as a ZIP with a manifest of hashes.
	Export(ctx context.Context, at View, ids []string, w io.Writer) error
	// ExportAll is Export for items of several states, each in a folder of its own.
	ExportAll(ctx context.Context, parts []holdfast.ExportPart, w io.Writer) error
}

// The explorer's requests and answers live with the nouns, so that explorer need not import service.
type (
	View      = holdfast.View
	ItemQuery = holdfast.ItemQuery
	ItemPage  = holdfast.ItemPage
	Entry     = holdfast.Entry
	Content   = holdfast.Content
)

// Live looks at Microsoft 365 as it is now, beside what is stored. app binds it to the workloads.
type Live interface {
	// Plan tells what a restore would do and what that takes; it changes nothing. At most limit items are told of one by one.
	Plan(ctx context.Context, org holdfast.Organization, cred holdfast.Credential, request holdfast.RestoreRequest, limit int) (holdfast.RestorePlan, error)
	// Changes gives what Microsoft 365 has now (after) that differs from a stored state (before), by path.
	Changes(ctx context.Context, org holdfast.Organization, cred holdfast.Credential, at View) ([]holdfast.Difference, error)
}

// Restorer runs restores where the repository is. report is called for each item, from several goroutines.
type Restorer interface {
	Restore(ctx context.Context, lease holdfast.Lease, request holdfast.RestoreRequest, report func(holdfast.ItemResult)) error
}

// Directory reads an organization's directory live, and says what its application may do. app binds it to Microsoft 365.
type Directory interface {
	// Check signs in and compares what the application was granted with what is needed.
	// A refused sign-in is a KindInvalid or KindDenied error that says why and what to do.
	Check(ctx context.Context, org holdfast.Organization, cred holdfast.Credential) (Tenant, error)
	// Users gives the users in the directory's own order, from offset on, at most limit.
	Users(ctx context.Context, org holdfast.Organization, cred holdfast.Credential, q DirectoryQuery) ([]DirectoryUser, error)
	// User looks one up by its object id or user principal name.
	User(ctx context.Context, org holdfast.Organization, cred holdfast.Credential, id string) (DirectoryUser, error)
	// Groups gives the groups like Users does.
	Groups(ctx context.Context, org holdfast.Organization, cred holdfast.Credential, q DirectoryQuery) ([]DirectoryGroup, error)
	// Changes tells, in parts, what changed in the directory after a position, and gives the position to go on from. A position that is no
	// longer known is ErrDirectoryReset; an error in between leaves what was told, which may be told again.
	Changes(ctx context.Context, org holdfast.Organization, cred holdfast.Credential, from holdfast.DirectoryPosition, tell func(DirectoryChanges) error) (holdfast.DirectoryPosition, error)
	// Members gives the object ids of the users in a group, also of those in groups within it.
	Members(ctx context.Context, org holdfast.Organization, cred holdfast.Credential, group string) ([]string, error)
	// Drives gives the drives of a user.
	Drives(ctx context.Context, org holdfast.Organization, cred holdfast.Credential, user string) ([]DirectoryDrive, error)
	// Sites gives the sites that q asks for, by their addresses and titles.
	Sites(ctx context.Context, org holdfast.Organization, cred holdfast.Credential, q SiteQuery) ([]DirectorySite, error)
	// GroupSite gives the site of a Microsoft 365 group.
	GroupSite(ctx context.Context, org holdfast.Organization, cred holdfast.Credential, group string) (DirectorySite, error)
	// Site looks one up by its id, or by its address.
	Site(ctx context.Context, org holdfast.Organization, cred holdfast.Credential, id string) (DirectorySite, error)
	// Teams gives the teams that q asks for; its DisplayName counts.
	Teams(ctx context.Context, org holdfast.Organization, cred holdfast.Credential, q DirectoryQuery) ([]DirectoryTeam, error)
	// Team looks one up by its id, or by its mail address or name.
	Team(ctx context.Context, org holdfast.Organization, cred holdfast.Credential, id string) (DirectoryTeam, error)
}

// DirectoryTeam is a team as Microsoft Teams has it now.
type DirectoryTeam struct {
	ID          string // of its group
	Name        string // display name
	Description string
	Mail        string
}

// SiteQuery asks for a page of an organization's sites.
type SiteQuery struct {
	Parent        string // only those directly below the site with this id
	Personal      bool   // those of people too
	Text          string // only those that have it in their title or address, in any case
	Offset, Limit int
	Source        DataSource
}

// DirectorySite is a site as SharePoint has it now.
type DirectorySite struct {
	ID       string // host,site collection,web
	Name     string // title
	URL      string
	Parent   string // id of the site above; empty of the top of a site collection
	Personal bool
}

// Has says whether a text is in the site's title or address, in any case.
func (s DirectorySite) Has(text string) bool {
	text = strings.ToLower(text)
	return strings.Contains(strings.ToLower(s.Name), text) || strings.Contains(strings.ToLower(s.URL), text)
}

// Identities asks Microsoft Entra who somebody is. app binds it to the login service.
type Identities interface {
	// Redeem exchanges an authorization code and verifies the id token: signature, issuer, audience, nonce and times.
	Redeem(ctx context.Context, app PortalApplication, code PortalCode) (Identity, error)
	// Verify checks a token that a client got by itself, or the whole answer that it came in.
	Verify(ctx context.Context, app PortalApplication, assertion string) (Identity, error)
}

// Registrar signs an administrator in on another device, registers the application in his tenant and renews its certificate. app binds it to
// Microsoft Entra. Refusals are for the user and say what to do.
type Registrar interface {
	// BeginSignIn asks for a code. tenant is an id or a domain; empty is whichever the administrator is of.
	BeginSignIn(ctx context.Context, region holdfast.Region, tenant string) (AdminSignIn, error)
	// AskSignIn asks once whether he has signed in, and completes s when he has. It must not be asked more often than s.Interval says.
	AskSignIn(ctx context.Context, s AdminSignIn) (AdminSignIn, error)
	// Register makes the application, gives it a certificate and the permissions for r.Uses, and waits until both work.
	// What it made is gone again when it fails.
	Register(ctx context.Context, s AdminSignIn, r Registration) (holdfast.Credential, error)
	// Discard takes back what Register made.
	Discard(ctx context.Context, s AdminSignIn, cred holdfast.Credential) error
	// Finish takes back what the administrator consented to for the registration alone.
	Finish(ctx context.Context, s AdminSignIn) error
	// AddCertificate makes a certificate, adds it to the application beside the one of cred and waits until it works.
	// s is the sign-in by which an application is changed that cannot do so by itself; nil otherwise.
	AddCertificate(ctx context.Context, s *AdminSignIn, org holdfast.Organization, cred holdfast.Credential) (Renewal, error)
	// Inspect signs in anew and tries what backups need. A refused sign-in is Inspection.SignIn, not an error.
	Inspect(ctx context.Context, org holdfast.Organization, cred holdfast.Credential) (Inspection, error)
	// CertificateEnds is when the certificate of cred ends, zero without one. It asks nobody.
	CertificateEnds(cred holdfast.Credential) time.Time
	// RemoveCertificate removes the certificate oldKey from the application of cred, which stays.
	RemoveCertificate(ctx context.Context, org holdfast.Organization, cred holdfast.Credential, oldKey string) error
}

// AdminSignIn is a sign-in on another device: a person enters UserCode at VerificationURL.
type AdminSignIn struct {
	Region                             holdfast.Region
	Tenant                             string // that was asked for
	UserCode, VerificationURL, Message string
	Expires                            time.Time
	Interval                           time.Duration
	DeviceCode                         holdfast.Secret
	// Once he has signed in: a token in his name, who he is, and his tenant.
	Token              holdfast.Secret
	TenantID, ObjectID string
	Person             string
}

// Inspection is what a live look at an organization found.
type Inspection struct {
	SignIn              error // why signing in failed
	Tenant              Tenant
	Extra               []string // permissions that nothing protected needs
	Probes              []Probe
	Clock               time.Duration // Microsoft's clock minus ours
	ClockKnown          bool
	CertificateEnds     time.Time // zero: there is none
	Requests, Throttled int64
}

// Probe is a try of one workload.
type Probe struct {
	Workload, Detail string
	Err              error
}

// Renewal is a credential with a new certificate, and the id of the old one, which is empty when it is not known.
type Renewal struct {
	Credential holdfast.Credential
	OldKey     string
}

// Registration is the application that is wanted.
type Registration struct {
	Name string
	Uses []PermissionUse
	// Tenant that the administrator must be of, by id or domain; empty takes any.
	Tenant string
}

// PortalApplication is the application of Microsoft Entra by which people sign in.
type PortalApplication struct {
	ID         string
	Authority  string // https://login…/organizations
	Redirect   string // where Entra sends browsers back
	Credential holdfast.Credential
}

// PortalCode is an authorization code, with what the request for it was made of.
type PortalCode struct{ Code, Verifier, Nonce string }

// Identity is a person as Entra vouches for him.
type Identity struct {
	Tenant, ObjectID  string // ids in Entra
	Name, DisplayName string // user principal name, and how people call him
}

// Tenant is what signing in tells.
type Tenant struct {
	TenantID      string
	DefaultDomain string // contoso.onmicrosoft.com
	DisplayName   string
	Thumbprint    string // of the certificate signed in with
	Permissions   []Permission
}

// Permission is one that Holdfast asks for, and whether it was granted.
type Permission struct {
	Name    string // as Entra shows it: Mail.Read
	API     string // Microsoft Graph
	Why     string // what needs it
	Use     PermissionUse
	Granted bool
}

// PermissionUse says which part of the product needs a permission.
type PermissionUse string

// The uses of permissions.
const (
	UseDirectory      PermissionUse = "directory"
	UseMailBackup     PermissionUse = "mail backup"
	UseMailRestore    PermissionUse = "mail restore"
	UseOneDriveBackup PermissionUse = "OneDrive backup"
	// Only the worldwide cloud has these. Without them mail is read as MIME and JSON, and made anew of its parts.
	UseMailExport PermissionUse = "mail backup by export"
	UseMailImport PermissionUse = "mail restore by import"
	// Without these the rest of a mailbox is still read and put back; what is left out is named.
	UsePersonalBackup  PermissionUse = "backup of calendars, contacts, tasks and settings"
	UsePersonalRestore PermissionUse = "restore of calendars, contacts, tasks and settings"
	UseOneDriveRestore PermissionUse = "OneDrive restore"
	UseSiteBackup      PermissionUse = "SharePoint backup"
	UseSiteRestore     PermissionUse = "SharePoint restore"
	UseTeamsBackup     PermissionUse = "Teams backup"
	UsePostsBackup     PermissionUse = "backup of posts in Teams"
	UseTeamsRestore    PermissionUse = "Teams restore"
	// Of an application whose organization has a job that asks for chats.
	UseChatsBackup  PermissionUse = "backup of chats"
	UseChatsRestore PermissionUse = "restore of chats"
)

// DirectoryQuery asks for a page of a directory. Name and DisplayName are prefixes; empty ones match all.
type DirectoryQuery struct {
	Name, DisplayName string
	Offset, Limit     int
	Source            DataSource
}

// DirectoryUser is a user as the directory has him now.
type DirectoryUser struct {
	ID          string // Entra object id
	Name        string // user principal name
	DisplayName string
	Office      string
	Shared      bool
	Licenses    []License
}

// DataSource says where a list of a directory comes from, in the contract's spelling.
type DataSource string

// The sources. The zero value is PreferLocal.
const (
	PreferLocal         DataSource = "PreferLocal"         // the copy, when there is one
	Production          DataSource = "Production"          // Microsoft 365
	PreferLocalResynced DataSource = "PreferLocalResynced" // the copy, brought up to date before
)

// DirectoryRef names an object of a directory.
type DirectoryRef struct {
	Kind holdfast.DirectoryKind
	ID   string
}

// DirectoryChanges is a part of what changed in a directory.
type DirectoryChanges struct {
	Objects []holdfast.DirectoryObject // new or changed
	Gone    []DirectoryRef
	Members []holdfast.DirectoryMember // in the order of the changes
	Listed  holdfast.DirectoryKind     // Objects are all that there are of this kind; empty: they are only those that changed
}

// ErrDirectoryReset says that a position in a directory is not known any more: it is read from the beginning.
var ErrDirectoryReset = errors.New("the position in the directory is not known any more")

// License is a licence assigned to a user.
type License struct{ SKU, PartNumber string }

// DirectoryGroup is a group as the directory has it now.
type DirectoryGroup struct {
	ID          string
	Name        string // mail address or alias
	DisplayName string
	Type        string // Office365, Security, Distribution, DynamicDistribution
}

// DirectoryDrive is a drive of a user.
type DirectoryDrive struct{ ID, Name, URL string }

// Vaults makes and looks after the places of backup repositories. app binds it to the vault.
type Vaults interface {
	// Prepare checks that repo.Path can hold a repository (absolute, writable, empty or this very repository's), marks it as
	// repo's and writes the recovery kit. It is idempotent. attach says that a place of an earlier installation is taken over.
	Prepare(ctx context.Context, repo holdfast.Repository, attach bool) error
	// Resolve gives where a path leads, without the links in it.
	Resolve(path string) string
	// Space gives the capacity and the free bytes of the place.
	Space(ctx context.Context, repo holdfast.Repository) (capacity, free int64, err error)
	// Usage gives the bytes that an organization occupies.
	Usage(ctx context.Context, repo holdfast.Repository, org holdfast.OrganizationID) (int64, error)
	// Rebuild reads the catalogue from the place.
	Rebuild(ctx context.Context, repo holdfast.Repository) (holdfast.Catalogue, error)
	// Kit gives the recovery kit, encrypted to the passphrase or the age recipients.
	Kit(ctx context.Context, repo holdfast.Repository, passphrase holdfast.Secret, recipients []string) ([]byte, error)
	// Forget closes the place and drops what the server keeps of it; the bytes at the place stay.
	Forget(ctx context.Context, repo holdfast.Repository) error
}

// Store keeps rows. fn may run more than once when the database asks for another try, so it must not have other effects.
//
// Write runs fn in one transaction, as if nothing else ran beside it. When the outcome of the commit is not known
// the error's kind is KindUnknown: read before doing anything else.
type Store interface {
	Read(ctx context.Context, fn func(ctx context.Context, tx Tx) error) error
	Write(ctx context.Context, fn func(ctx context.Context, tx Tx) error) error
	// Now is the clock that leases run by. It never jumps.
	Now(ctx context.Context) (time.Time, error)
}

// Tx is the rows as one transaction sees them. What does not exist is a KindNotFound error. A Put inserts or replaces.
type Tx interface {
	// Restrict makes the rest of the transaction see only what is in s; nil changes nothing.
	Restrict(s *holdfast.Scope)
	basicRows
	accountRows
	identityRows
	auditRows
	organizationRows
	directoryRows
	repositoryRows
	jobRows
	sessionRows
	taskRows
	headRows
	pointRows
	restoreRows
	basketRows
	savedSearchRows
}

type savedSearchRows interface {
	// SavedSearches gives an account's saved searches, newest first.
	SavedSearches(ctx context.Context, account holdfast.UserID, page holdfast.Page) ([]holdfast.SavedSearch, error)
	SavedSearch(ctx context.Context, id holdfast.SavedSearchID) (holdfast.SavedSearch, error)
	PutSavedSearch(ctx context.Context, s holdfast.SavedSearch) error
	DeleteSavedSearch(ctx context.Context, id holdfast.SavedSearchID) error
}

type basketRows interface {
	// Baskets gives an account's baskets, newest first.
	Baskets(ctx context.Context, account holdfast.UserID, page holdfast.Page) ([]holdfast.Basket, error)
	Basket(ctx context.Context, id holdfast.BasketID) (holdfast.Basket, error)
	PutBasket(ctx context.Context, b holdfast.Basket) error
	// DeleteBasket forgets one with its entries.
	DeleteBasket(ctx context.Context, id holdfast.BasketID) error
	// BasketEntries gives them in the order in which they were added.
	BasketEntries(ctx context.Context, basket holdfast.BasketID, page holdfast.Page) ([]holdfast.BasketEntry, error)
	PutBasketEntry(ctx context.Context, e holdfast.BasketEntry) error
	DeleteBasketEntry(ctx context.Context, basket holdfast.BasketID, id holdfast.BasketEntryID) error
}

type basicRows interface {
	Setting(ctx context.Context, name string) (value string, ok bool, err error)
	PutSetting(ctx context.Context, name, value string) error
	// NextEpoch draws a number greater than all drawn before.
	NextEpoch(ctx context.Context) (holdfast.Epoch, error)
	// RaiseEpoch makes all later epochs greater than e.
	RaiseEpoch(ctx context.Context, e holdfast.Epoch) error
	Secret(ctx context.Context, id string) (holdfast.SealedSecret, error)
	PutSecret(ctx context.Context, s holdfast.SealedSecret) error
	DeleteSecret(ctx context.Context, id string) error
	Proxies(ctx context.Context, page holdfast.Page) ([]holdfast.Proxy, error)
	Proxy(ctx context.Context, id holdfast.ProxyID) (holdfast.Proxy, error)
	PutProxy(ctx context.Context, p holdfast.Proxy) error
}

type accountRows interface {
	Account(ctx context.Context, id holdfast.UserID) (holdfast.Account, error)
	AccountByName(ctx context.Context, name string) (holdfast.Account, error)
	PutAccount(ctx context.Context, a holdfast.Account) error
	Token(ctx context.Context, hash string) (holdfast.Token, error)
	PutToken(ctx context.Context, t holdfast.Token) error
	DeleteTokens(ctx context.Context, family string) error
	DeleteTokensOf(ctx context.Context, account holdfast.UserID) error
	DeleteTokensExpired(ctx context.Context, before time.Time) error
}

type identityRows interface {
	// Accounts gives accounts by name: local ones, or those of directories.
	Accounts(ctx context.Context, local bool, page holdfast.Page) ([]holdfast.Account, error)
	// DeleteAccount forgets an account with all that it can sign in with.
	DeleteAccount(ctx context.Context, id holdfast.UserID) error
	BrowserSession(ctx context.Context, hash string) (holdfast.BrowserSession, error)
	PutBrowserSession(ctx context.Context, s holdfast.BrowserSession) error
	DeleteBrowserSession(ctx context.Context, hash string) error
	DeleteBrowserSessionsOf(ctx context.Context, account holdfast.UserID) error
	DeleteBrowserSessionsExpired(ctx context.Context, now, usedBefore time.Time) error
	APIKeys(ctx context.Context, account holdfast.UserID, page holdfast.Page) ([]holdfast.APIKey, error)
	APIKey(ctx context.Context, id string) (holdfast.APIKey, error)
	APIKeyByHash(ctx context.Context, hash string) (holdfast.APIKey, error)
	PutAPIKey(ctx context.Context, k holdfast.APIKey) error
	DeleteAPIKey(ctx context.Context, id string) error
	// PutRecoveryCodes replaces an account's recovery codes, given as hashes; none deletes them.
	PutRecoveryCodes(ctx context.Context, account holdfast.UserID, hashes []string) error
	// SpendRecoveryCode deletes a code and says whether it was there.
	SpendRecoveryCode(ctx context.Context, account holdfast.UserID, hash string) (bool, error)
	RecoveryCodes(ctx context.Context, account holdfast.UserID) (int, error)
	Passkeys(ctx context.Context, account holdfast.UserID) ([]holdfast.Passkey, error)
	Passkey(ctx context.Context, id string) (holdfast.Passkey, error)
	PutPasskey(ctx context.Context, k holdfast.Passkey) error
	DeletePasskey(ctx context.Context, id string) error
	DeletePasskeysOf(ctx context.Context, account holdfast.UserID) error
	RbacRoles(ctx context.Context, org holdfast.OrganizationID) ([]holdfast.RbacRole, error)
	RbacRole(ctx context.Context, id string) (holdfast.RbacRole, error)
	PutRbacRole(ctx context.Context, r holdfast.RbacRole) error
	DeleteRbacRole(ctx context.Context, id string) error
	// GroupMembers gives a group's members as they were read last; never read is a KindNotFound error.
	GroupMembers(ctx context.Context, org holdfast.OrganizationID, group string) (holdfast.GroupMembers, error)
	PutGroupMembers(ctx context.Context, g holdfast.GroupMembers) error
}

type auditRows interface {
	// AuditHead is the last entry; ok is false when there is none.
	AuditHead(ctx context.Context) (e holdfast.AuditEntry, ok bool, err error)
	AppendAudit(ctx context.Context, e holdfast.AuditEntry) error
	// Audit gives entries from number on, in order.
	Audit(ctx context.Context, from int64, limit int) ([]holdfast.AuditEntry, error)
	AuditFound(ctx context.Context, f holdfast.AuditFilter, page holdfast.Page) ([]holdfast.AuditEntry, error) // newest first
}

type organizationRows interface {
	Organizations(ctx context.Context, page holdfast.Page) ([]holdfast.Organization, error)
	Organization(ctx context.Context, id holdfast.OrganizationID) (holdfast.Organization, error)
	PutOrganization(ctx context.Context, o holdfast.Organization) error
	DeleteOrganization(ctx context.Context, id holdfast.OrganizationID) error
}

type directoryRows interface {
	// DirectoryObjects gives objects by display name.
	DirectoryObjects(ctx context.Context, org holdfast.OrganizationID, f holdfast.DirectoryFilter, page holdfast.Page) ([]holdfast.DirectoryObject, error)
	// DirectoryObject gives one by its id or name, also one that is gone.
	DirectoryObject(ctx context.Context, org holdfast.OrganizationID, kind holdfast.DirectoryKind, id string) (holdfast.DirectoryObject, error)
	// PutDirectoryPurpose keeps what a user's mailbox is for, of a user that the copy has. PutDirectoryObjects leaves it where it is not told another.
	PutDirectoryPurpose(ctx context.Context, org holdfast.OrganizationID, user, purpose string) error
	// PutDirectoryObjects keeps objects of one organization as seen in a round.
	PutDirectoryObjects(ctx context.Context, round int64, all ...holdfast.DirectoryObject) error
	// MissDirectoryObjects marks the objects of a kind that a round did not see as gone.
	MissDirectoryObjects(ctx context.Context, org holdfast.OrganizationID, kind holdfast.DirectoryKind, round int64, since time.Time) error
	// DirectoryMembers gives what is directly in any of some groups, DirectoryMemberships the groups in which any of some objects are directly.
	DirectoryMembers(ctx context.Context, org holdfast.OrganizationID, groups ...string) ([]holdfast.DirectoryMember, error)
	DirectoryMemberships(ctx context.Context, org holdfast.OrganizationID, members ...string) ([]holdfast.DirectoryMember, error)
	// ChangeDirectoryMembers applies changes in their order; whoever leaves because he is gone himself stays known.
	ChangeDirectoryMembers(ctx context.Context, org holdfast.OrganizationID, round int64, all ...holdfast.DirectoryMember) error
	// MissDirectoryMembers forgets members that a round did not see, unless they or their group are gone themselves.
	MissDirectoryMembers(ctx context.Context, org holdfast.OrganizationID, round int64) error
	// DirectoryState gives an organization's; never synchronised is the zero state.
	DirectoryState(ctx context.Context, org holdfast.OrganizationID) (holdfast.DirectoryState, error)
	PutDirectoryState(ctx context.Context, s holdfast.DirectoryState) error
}

type repositoryRows interface {
	Repositories(ctx context.Context, page holdfast.Page) ([]holdfast.Repository, error)
	Repository(ctx context.Context, id holdfast.RepositoryID) (holdfast.Repository, error)
	PutRepository(ctx context.Context, r holdfast.Repository) error
	// DeleteRepository deletes the repository and everything that the catalogue has of it.
	DeleteRepository(ctx context.Context, id holdfast.RepositoryID) error
}

type jobRows interface {
	Jobs(ctx context.Context, f holdfast.JobFilter, page holdfast.Page) ([]holdfast.Job, error)
	Job(ctx context.Context, id holdfast.JobID) (holdfast.Job, error)
	// JobsDue gives enabled jobs whose next run or retry is not after now.
	JobsDue(ctx context.Context, now time.Time) ([]holdfast.Job, error)
	PutJob(ctx context.Context, j holdfast.Job) error
	// DeleteJob deletes the job with its sessions and their logs; its restore points stay.
	DeleteJob(ctx context.Context, id holdfast.JobID) error
}

type sessionRows interface {
	// JobSessions gives the newest first.
	JobSessions(ctx context.Context, f holdfast.SessionFilter, page holdfast.Page) ([]holdfast.JobSession, error)
	JobSession(ctx context.Context, id holdfast.JobSessionID) (holdfast.JobSession, error)
	PutJobSession(ctx context.Context, s holdfast.JobSession) error
	// AddLog appends lines, numbering them.
	AddLog(ctx context.Context, session string, lines ...holdfast.LogLine) error
	Log(ctx context.Context, session string, types []string, oldestFirst bool, page holdfast.Page) ([]holdfast.LogLine, error)
}

type taskRows interface {
	Task(ctx context.Context, id holdfast.TaskID) (holdfast.TaskRecord, error)
	Tasks(ctx context.Context, f holdfast.TaskFilter, page holdfast.Page) ([]holdfast.TaskRecord, error)
	// Unfinished says whether a job session has tasks that wait or run.
	Unfinished(ctx context.Context, session holdfast.JobSessionID) (bool, error)
	// TaskCounts gives how many tasks of a job session are in each state, by kind.
	TaskCounts(ctx context.Context, session holdfast.JobSessionID, kind holdfast.TaskKind) (map[holdfast.TaskState]int, error)
	PutTasks(ctx context.Context, t ...holdfast.TaskRecord) error
	// Claimable gives tasks that may be leased now: ready ones, and running ones whose lease has ended.
	// now is the wall clock (for NotBefore), leaseNow the store's. No two of them are on one container,
	// none is on a container or (retention) a repository on which another one runs.
	Claimable(ctx context.Context, now, leaseNow time.Time, max int) ([]holdfast.TaskRecord, error)
	// NextClaimable is the earliest later time at which a ready task's NotBefore passes; zero when there is none.
	NextClaimable(ctx context.Context, now time.Time) (time.Time, error)
	DeleteTasks(ctx context.Context, f holdfast.TaskFilter) error
	// DeleteHistory forgets tasks whose session ended before tasks, and sessions with all that hangs on them that ended before sessions.
	DeleteHistory(ctx context.Context, tasks, sessions time.Time) error
}

type headRows interface {
	Containers(ctx context.Context, f holdfast.ContainerFilter, page holdfast.Page) ([]holdfast.ContainerRecord, error)
	Container(ctx context.Context, repo holdfast.RepositoryID, org holdfast.OrganizationID, key string) (holdfast.ContainerRecord, error)
	PutContainer(ctx context.Context, c holdfast.ContainerRecord) error
	Head(ctx context.Context, repo holdfast.RepositoryID, org holdfast.OrganizationID, key string, number uint64) (holdfast.HeadRecord, error)
	// CurrentHeads gives the published head and the checkpoint of each container; an empty org means all.
	CurrentHeads(ctx context.Context, repo holdfast.RepositoryID, org holdfast.OrganizationID) ([]holdfast.HeadRecord, error)
	PutHead(ctx context.Context, h holdfast.HeadRecord) error
	// Checkpoint is the resume point of a container.
	Checkpoint(ctx context.Context, repo holdfast.RepositoryID, org holdfast.OrganizationID, key string) (holdfast.HeadRecord, error)
	PutCheckpoint(ctx context.Context, h holdfast.HeadRecord) error
	DeleteCheckpoint(ctx context.Context, repo holdfast.RepositoryID, org holdfast.OrganizationID, key string) error
}

type pointRows interface {
	// RestorePoints gives the newest first, without Entries, unless the filter says otherwise.
	RestorePoints(ctx context.Context, f holdfast.PointFilter, page holdfast.Page) ([]holdfast.RestorePoint, error)
	// NewestPoints gives, of each repository, organization and job, the newest one that f lets through, without Entries.
	NewestPoints(ctx context.Context, f holdfast.PointFilter) ([]holdfast.RestorePoint, error)
	// RestorePoint gives one with its entries.
	RestorePoint(ctx context.Context, id holdfast.RestorePointID) (holdfast.RestorePoint, error)
	// PointKnown says whether a point is there.
	PointKnown(ctx context.Context, id holdfast.RestorePointID) (bool, error)
	PutRestorePoint(ctx context.Context, p holdfast.RestorePoint) error
	// PastStates gives the states of a container in the restore points that f lets through, newest first, at most limit.
	PastStates(ctx context.Context, f holdfast.PointFilter, key string, limit int) ([]holdfast.PastState, error)
	// EntryCounts counts a point's entries that have a head, by kind.
	EntryCounts(ctx context.Context, id holdfast.RestorePointID) (map[holdfast.ContainerKind]int, error)
	DeletePoint(ctx context.Context, id holdfast.RestorePointID) error
	// DeleteUnusedHeads deletes heads that are neither current nor in any point's entries.
	DeleteUnusedHeads(ctx context.Context, repo holdfast.RepositoryID) error
}

type restoreRows interface {
	RestoreSessions(ctx context.Context, f holdfast.RestoreSessionFilter, page holdfast.Page) ([]holdfast.RestoreSession, error)
	RestoreSession(ctx context.Context, id holdfast.RestoreSessionID) (holdfast.RestoreSession, error)
	PutRestoreSession(ctx context.Context, s holdfast.RestoreSession) error
	// RestoreRequests gives the events of whole restores that an account began, newest first.
	RestoreRequests(ctx context.Context, account holdfast.UserID, page holdfast.Page) ([]holdfast.RestoreEvent, error)
	// RestoreEvents gives them in order.
	RestoreEvents(ctx context.Context, session holdfast.RestoreSessionID, page holdfast.Page) ([]holdfast.RestoreEvent, error)
	RestoreEvent(ctx context.Context, session holdfast.RestoreSessionID, id string) (holdfast.RestoreEvent, error)
	// PutRestoreEvent inserts (numbering it) or replaces.
	PutRestoreEvent(ctx context.Context, e holdfast.RestoreEvent) error
	// RestoreEventCounts counts the events of a request's items by status, those with Existing as "Existing".
	RestoreEventCounts(ctx context.Context, session holdfast.RestoreSessionID, request string) (map[string]int, error)
	RestoreItem(ctx context.Context, request, item, version string) (holdfast.RestoreItem, bool, error)
	PutRestoreItem(ctx context.Context, i holdfast.RestoreItem) error
	// EndRestoreItem records the outcome of an item that was begun.
	EndRestoreItem(ctx context.Context, request string, result holdfast.ItemResult) error
}
