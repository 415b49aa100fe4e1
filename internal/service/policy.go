package service

import (
	"context"
	"slices"

	"holdfast/internal/holdfast"
)

// Role is what a caller is to this installation.
type Role string

// The roles. The zero role may do nothing but sign in.
const (
	RoleOwner    Role = "Owner"                // everything
	RoleBackup   Role = "BackupAdministrator"  // organizations and jobs; no content
	RoleStorage  Role = "StorageAdministrator" // repositories and proxies; no content
	RoleAuditor  Role = "Auditor"              // sees everything but content, changes nothing
	RoleOperator Role = "RestoreOperator"      // restores what its restore roles grant
	RoleEndUser  Role = "EndUser"              // the own mailbox and drive
)

// Roles are all of them.
var Roles = []Role{RoleOwner, RoleBackup, RoleStorage, RoleAuditor, RoleOperator, RoleEndUser}

// User is the caller of an operation.
type User struct {
	ID      holdfast.UserID
	Name    string
	Role    Role
	Address string // where the call came from, for the audit chain
	// Grants are the objects that a restore operator or an end user may see.
	Grants []holdfast.Grant
	// Key is the API key that was shown, and Organizations what it is limited to; nil is all.
	Key           string
	Organizations []holdfast.OrganizationID
	// Code says that the account has a second factor of codes, Passkeys that it has passkeys.
	Code, Passkeys bool
	// Directory says that the account is a user of an organization's directory, not of this installation.
	Directory bool
	// Browser says that a browser's session calls, and Stale that its person proved who he is so long ago that dangerous acts ask again.
	// Tokens and keys are neither: nobody walks away from a script.
	Browser, Stale bool
}

// SecondFactor says that a password alone does not sign this account in.
func (u User) SecondFactor() bool { return u.Code || u.Passkeys }

// systemUser acts when a schedule does.
var systemUser = User{Name: "system", Role: RoleOwner}

// Act is something that can be done, in words that follow "may not".
type Act string

// The acts. Each has a rule in policy.
const (
	ActSignIn         Act = "sign in"
	ActSeeHealth      Act = "see whether the service works"
	ActSeePortal      Act = "see how to sign in to the portal"
	ActUnbuilt        Act = "ask for what is not built"
	ActSeeService     Act = "see the service"
	ActEndOwnLogin    Act = "end a login"
	ActHandOver       Act = "hand a login over"
	ActProve          Act = "prove who is there"
	ActOwnPassword    Act = "change the own password"
	ActOwnFactor      Act = "change the own second factor"
	ActSeeSelf        Act = "see the own account"
	ActSeeOrgs        Act = "see organizations"
	ActAddOrg         Act = "add an organization"
	ActChangeOrg      Act = "change an organization"
	ActRemoveOrg      Act = "remove an organization"
	ActReadDirectory  Act = "read the organization's directory"
	ActSeeSync        Act = "see how far the copy of a directory is"
	ActSyncDirectory  Act = "synchronise the copy of a directory"
	ActSeeJobs        Act = "see backup jobs"
	ActAddJob         Act = "add a backup job"
	ActChangeJob      Act = "change a backup job"
	ActRemoveJob      Act = "remove a backup job"
	ActStartJob       Act = "start a backup job"
	ActStopJob        Act = "stop a backup job"
	ActSeeJobSessions Act = "see job sessions"
	ActSeeEvents      Act = "see what changed"
	ActSeeProtected   Act = "see protected data"
	ActSeePoints      Act = "see restore points"
	ActSeeProxies     Act = "see proxies"
	ActChangeProxy    Act = "change a proxy"
	ActSeeRepos       Act = "see repositories"
	ActAddRepo        Act = "add a repository"
	ActChangeRepo     Act = "change a repository"
	ActRemoveRepo     Act = "remove a repository"
	ActExportKit      Act = "export a recovery kit"
	ActRunRetention   Act = "run retention"
	ActSynchronize    Act = "synchronize a repository"
	ActSeeLicences    Act = "see licences"
	ActSeeOverview    Act = "see the overview"
	ActExplore        Act = "explore backups"
	ActReadContent    Act = "read content"
	ActDownload       Act = "download content"
	ActRestore        Act = "restore"
	ActRestoreOther   Act = "restore to somebody else"
	ActRestoreChat    Act = "restore chats"
	ActSeeRestores    Act = "see restore sessions"
	ActSeeRestored    Act = "see what was restored"
	ActStopRestore    Act = "stop a restore session"
	ActReadAudit      Act = "read the audit chain"
	ActSeeUsers       Act = "see users"
	ActManageUsers    Act = "manage users"
	ActOwnKeys        Act = "manage the own API keys"
	ActSeeRoles       Act = "see restore roles"
	ActChangeRoles    Act = "change restore roles"
	ActChangePortal   Act = "change the portal's settings"

	ActSeeExclusions    Act = "see exclusions"
	ActChangeExclusions Act = "change which folders are left out of backups"
	ActSpareRetention   Act = "change what retention spares"
	ActSeeOrgExclusion  Act = "see what retention spares of an organization"
	ActSpareOrg         Act = "change what retention spares of an organization"

	ActSeeMail    Act = "see mail settings"
	ActChangeMail Act = "change mail settings"
	ActTestMail   Act = "send a test mail"
	ActSend       Act = "send content by mail"
)

// rule says who may do an act. What it does not allow is denied.
type rule struct {
	anyone bool // no sign-in at all
	roles  []Role
	// scoped acts are on objects: who sees only some objects may do them on those. All others are on the whole installation,
	// and denied to such callers.
	scoped bool
	own    bool              // on the caller's own account: for those who see only some objects too
	grant  holdfast.GrantAct // scoped: what the caller's grants must allow; "" is any
	person bool              // not for API keys
	again  Again             // whether a browser's person must have proved lately who he is; reading never asks
}

// Again says when an act asks a person in a browser to prove again who he is. Each act that an operation changes something by has one.
type Again string

// What destroys, hands out, or says who may, asks.
const (
	AgainNever    Again = "never"
	AgainAlways   Again = "always"
	AgainShorter  Again = "when retention becomes shorter"
	AgainByItself Again = "by its own request" // which has the password
)

// AgainOf is what the policy says of an act.
func AgainOf(act Act) Again { return policy[act].again }

// ErrProof says that a browser's person must prove again who he is, by all the ways together, or by any one of Instead.
type ErrProof struct{ Ways, Instead []string }

func (e *ErrProof) Error() string {
	switch {
	case slices.Contains(e.Ways, "microsoft"):
		return "for this it is asked again who is there: sign in with Microsoft, then repeat it"
	case slices.Contains(e.Ways, "passkey"):
		return "for this it is asked again who is there: use your passkey, then repeat it"
	}
	return "for this it is asked again who is there: give your password, then repeat it"
}

// Proven refuses a browser whose person proved too long ago who he is.
func Proven(u User) error {
	switch {
	case !u.Stale:
		return nil
	case u.Directory:
		return &ErrProof{Ways: []string{"microsoft"}}
	case u.Code && u.Passkeys:
		return &ErrProof{Ways: []string{"password", "totp"}, Instead: []string{"passkey"}}
	case u.Code:
		return &ErrProof{Ways: []string{"password", "totp"}}
	case u.Passkeys:
		return &ErrProof{Ways: []string{"passkey"}}
	}
	return &ErrProof{Ways: []string{"password"}}
}

var (
	everyone = Roles
	owners   = []Role{RoleOwner}
	staff    = []Role{RoleOwner, RoleBackup, RoleStorage, RoleAuditor}
	backup   = []Role{RoleOwner, RoleBackup}
	storage  = []Role{RoleOwner, RoleStorage}
	readers  = []Role{RoleOwner, RoleOperator, RoleEndUser}
)

// policy is who may do what: docs/threat-model.md has it in words.
var policy = map[Act]rule{
	ActSignIn:         {anyone: true, again: AgainNever},
	ActSeeHealth:      {anyone: true},
	ActSeePortal:      {anyone: true},
	ActUnbuilt:        {roles: everyone, own: true, again: AgainNever},
	ActSeeService:     {roles: everyone, own: true},
	ActSeeSelf:        {roles: everyone, own: true},
	ActEndOwnLogin:    {roles: everyone, own: true, person: true, again: AgainNever},
	ActHandOver:       {roles: everyone, own: true, person: true, again: AgainAlways},
	ActProve:          {roles: everyone, own: true, person: true, again: AgainNever},
	ActOwnPassword:    {roles: everyone, own: true, person: true, again: AgainByItself},
	ActOwnFactor:      {roles: everyone, own: true, person: true, again: AgainAlways},
	ActSeeOrgs:        {roles: everyone, scoped: true},
	ActAddOrg:         {roles: backup, again: AgainNever},
	ActChangeOrg:      {roles: backup, again: AgainNever},
	ActRemoveOrg:      {roles: backup, again: AgainAlways},
	ActReadDirectory:  {roles: backup, scoped: true, again: AgainNever},
	ActSeeSync:        {roles: staff, scoped: true},
	ActSyncDirectory:  {roles: backup, scoped: true, again: AgainNever},
	ActSeeJobs:        {roles: staff, scoped: true},
	ActAddJob:         {roles: backup, again: AgainNever},
	ActChangeJob:      {roles: backup, again: AgainNever},
	ActRemoveJob:      {roles: backup, again: AgainNever},
	ActStartJob:       {roles: backup, scoped: true, again: AgainNever},
	ActStopJob:        {roles: backup, scoped: true, again: AgainNever},
	ActSeeJobSessions: {roles: staff, scoped: true},
	ActSeeEvents:      {roles: staff, scoped: true},
	ActSeeProtected:   {roles: everyone, scoped: true},
	ActSeePoints:      {roles: everyone, scoped: true},
	ActSeeProxies:     {roles: staff},
	ActChangeProxy:    {roles: storage, again: AgainNever},
	ActSeeRepos:       {roles: staff},
	ActAddRepo:        {roles: storage, again: AgainNever},
	ActChangeRepo:     {roles: storage, again: AgainShorter},
	ActRemoveRepo:     {roles: storage, again: AgainAlways},
	ActExportKit:      {roles: storage, person: true, again: AgainAlways},
	ActRunRetention:   {roles: storage, again: AgainAlways},
	ActSynchronize:    {roles: storage, again: AgainNever},
	ActSeeLicences:    {roles: staff, again: AgainNever},
	ActSeeOverview:    {roles: staff},
	ActExplore:        {roles: readers, scoped: true, grant: holdfast.GrantRead, again: AgainNever},
	ActReadContent:    {roles: readers, scoped: true, grant: holdfast.GrantRead, again: AgainNever},
	ActDownload:       {roles: readers, scoped: true, grant: holdfast.GrantDownload, again: AgainNever},
	ActRestore:        {roles: readers, scoped: true, grant: holdfast.GrantRestore, again: AgainNever},
	ActRestoreOther:   {roles: readers, scoped: true, grant: holdfast.GrantRestoreElsewhere},
	// What a chat is given back others said too, and may have taken back: that is not for one of them to decide.
	ActRestoreChat:  {roles: []Role{RoleOwner, RoleOperator}, scoped: true, grant: holdfast.GrantRestore, again: AgainNever},
	ActSeeRestores:  {roles: everyone, scoped: true},
	ActSeeRestored:  {roles: readers, scoped: true},
	ActStopRestore:  {roles: []Role{RoleOwner, RoleBackup, RoleOperator, RoleEndUser}, scoped: true, again: AgainNever},
	ActReadAudit:    {roles: []Role{RoleOwner, RoleAuditor}},
	ActSeeUsers:     {roles: []Role{RoleOwner, RoleAuditor}},
	ActManageUsers:  {roles: owners, person: true, again: AgainAlways},
	ActOwnKeys:      {roles: staff, person: true, again: AgainAlways},
	ActSeeRoles:     {roles: []Role{RoleOwner, RoleAuditor}},
	ActChangeRoles:  {roles: owners, again: AgainAlways},
	ActChangePortal: {roles: owners, again: AgainAlways},

	ActSeeExclusions:    {roles: staff},
	ActChangeExclusions: {roles: backup, again: AgainNever},
	ActSpareRetention:   {roles: storage, again: AgainAlways},
	ActSeeOrgExclusion:  {roles: staff, scoped: true},
	ActSpareOrg:         {roles: storage, scoped: true, again: AgainAlways},

	ActSeeMail:    {roles: staff},
	ActChangeMail: {roles: owners, again: AgainAlways},
	ActTestMail:   {roles: owners, again: AgainNever},
	// Who may download may send, but for people in the portal: a mail comes from the organization's address, and what they have of their own they save.
	ActSend: {roles: []Role{RoleOwner, RoleOperator}, scoped: true, grant: holdfast.GrantDownload, again: AgainNever},
}

// Object is what an act is on: something that an organization's user owns.
type Object struct {
	Organization holdfast.OrganizationID
	Owner        string // Entra object id
}

// Allowed is the one place that decides who may do what to which object. An act without a rule is nobody's. An object that the
// caller must not know of is a KindNotFound error, as if it were not there.
func Allowed(u User, act Act, on ...Object) error {
	r, known := policy[act]
	switch {
	case !known:
		return holdfast.Denied("nobody may %s: there is no rule for it", act)
	case r.anyone:
		return nil
	case u.Role == "":
		return holdfast.Unauthenticated("sign in first")
	case !slices.Contains(r.roles, u.Role):
		return holdfast.Denied("%s may not %s: it takes the role %s", u.Name, act, roleNames(r.roles))
	case r.person && u.Key != "":
		return holdfast.Denied("an API key may not %s: sign in with a password", act)
	}
	s := ScopeOf(u, act)
	if s == nil {
		return nil
	}
	if r.own {
		return nil
	}
	if !r.scoped {
		return holdfast.Denied("%s sees some organizations only and may not %s", u.Name, act)
	}
	if r.grant != "" && len(s.Grants) == 0 {
		return holdfast.Denied("%s may not %s: no restore role allows it", u.Name, act)
	}
	for _, o := range on {
		if s.Has(o.Organization, o.Owner) {
			continue
		}
		if seen := ScopeOf(u, ActSeeProtected); seen.Has(o.Organization, o.Owner) {
			return holdfast.Denied("%s may not %s here: no restore role allows it", u.Name, act)
		}
		return holdfast.NotFound("there is no such object")
	}
	return nil
}

// ScopeOf is the objects on which a caller may do an act; nil is all. Store.Tx.Restrict carries it into the database.
func ScopeOf(u User, act Act) *holdfast.Scope {
	bound := u.Role == RoleOperator || u.Role == RoleEndUser || u.Role == ""
	if !bound && u.Organizations == nil {
		return nil
	}
	s := &holdfast.Scope{}
	if !bound {
		for _, o := range u.Organizations {
			s.Grants = append(s.Grants, holdfast.Grant{Organization: o, Whole: true, Acts: holdfast.GrantActs})
		}
		return s
	}
	s.Account = u.ID
	need := policy[act].grant
	for _, g := range u.Grants {
		if (need == "" || slices.Contains(g.Acts, need)) && (u.Organizations == nil || slices.Contains(u.Organizations, g.Organization)) {
			s.Grants = append(s.Grants, g)
		}
	}
	return s
}

// ActsOf are the acts that a caller may do, on some object at least.
func ActsOf(u User) []Act {
	var all []Act
	for act := range policy {
		if Allowed(u, act) == nil {
			all = append(all, act)
		}
	}
	slices.Sort(all)
	return all
}

func roleNames(all []Role) string {
	text := ""
	for i, r := range all {
		switch {
		case i > 0 && i == len(all)-1:
			text += " or "
		case i > 0:
			text += ", "
		}
		text += string(r)
	}
	return text
}

// may is Allowed for the methods of all nouns.
func (c *core) may(u User, act Act, on ...Object) error { return Allowed(u, act, on...) }

// readAs is read for a caller who may do act: what is outside his scope is not there.
func readAs[T any](ctx context.Context, c *core, u User, act Act, fn func(ctx context.Context, tx Tx) (T, error)) (T, error) {
	var out T
	err := c.lookAs(ctx, u, act, func(ctx context.Context, tx Tx) error {
		var err error
		out, err = fn(ctx, tx)
		return err
	})
	return out, err
}

// writeAs is readAs for changes; fn may run again.
func writeAs[T any](ctx context.Context, c *core, u User, act Act, fn func(ctx context.Context, tx Tx) (T, error)) (T, error) {
	var out T
	err := c.changeAs(ctx, u, act, func(ctx context.Context, tx Tx) error {
		var err error
		out, err = fn(ctx, tx)
		return err
	})
	return out, err
}

// lookAs is Store.Read on what the caller may act on.
func (c *core) lookAs(ctx context.Context, u User, act Act, fn func(ctx context.Context, tx Tx) error) error {
	if err := c.may(u, act); err != nil {
		return err
	}
	return c.Store.Read(ctx, func(ctx context.Context, tx Tx) error {
		tx.Restrict(ScopeOf(u, act))
		return fn(ctx, tx)
	})
}

// changeAs is Store.Write on what the caller may act on.
func (c *core) changeAs(ctx context.Context, u User, act Act, fn func(ctx context.Context, tx Tx) error) error {
	if err := c.may(u, act); err != nil {
		return err
	}
	return c.Store.Write(ctx, func(ctx context.Context, tx Tx) error {
		tx.Restrict(ScopeOf(u, act))
		return fn(ctx, tx)
	})
}
