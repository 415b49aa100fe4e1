package service

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"holdfast/internal/holdfast"
)

// Organizations are the Microsoft 365 organizations that are protected.
type Organizations struct{ *core }

// Connection is how a service of an organization is reached, as the contract has it: once for Exchange, once for SharePoint and OneDrive.
type Connection struct {
	// Tenant is the tenant's id or one of its domains.
	Tenant      string
	Application string // application (client) id
	Secret      holdfast.Secret
	// Certificate is PKCS #12 or PEM, decoded from the contract's base64.
	Certificate         holdfast.Secret
	CertificatePassword holdfast.Secret
	// Account, Password and ModernAuthentication are what basic or user authentication would send. They are refused.
	Account  string
	Password holdfast.Secret
}

// OrganizationSpec asks for an organization, or (nil and empty fields stay) for changes of one.
type OrganizationSpec struct {
	Name        string // wanted default domain; empty is what the tenant says
	Description *string
	Region      holdfast.Region // empty is Worldwide
	Exchange    *bool
	SharePoint  *bool
	Teams       *bool
	TeamsChats  *bool
	Chats       *bool
	// Connections that differ from each other are refused: one application serves both.
	ExchangeConnection   *Connection
	SharePointConnection *Connection
	// UserCode is that of a sign-in by which the application is registered, instead of one that is there; NewApplication is its name.
	UserCode       string
	NewApplication string
}

// Create signs in, checks every permission and adds the organization. A missing permission is a KindDenied error that
// names all that are missing and the fix.
func (o *Organizations) Create(ctx context.Context, u User, spec OrganizationSpec) (holdfast.Organization, error) {
	if err := o.may(u, ActAddOrg); err != nil {
		return holdfast.Organization{}, err
	}
	id, err := o.id()
	if err != nil {
		return holdfast.Organization{}, err
	}
	org := holdfast.Organization{Region: spec.Region, Name: spec.Name, Created: o.now(),
		Exchange: value(spec.Exchange, spec.ExchangeConnection != nil), SharePoint: value(spec.SharePoint, spec.SharePointConnection != nil), Teams: value(spec.Teams, false), TeamsChats: value(spec.TeamsChats, false), Chats: value(spec.Chats, false)}
	if org.Region == "" {
		org.Region = holdfast.Worldwide
	}
	if spec.Description != nil {
		org.Description = *spec.Description
	}
	cred, err := spec.credential()
	if err != nil {
		return holdfast.Organization{}, err
	}
	if spec.UserCode != "" {
		done, err := o.onboard(ctx, u, spec, &org, &cred)
		if err != nil {
			return holdfast.Organization{}, err
		}
		defer done()
	}
	if cred == nil {
		return holdfast.Organization{}, holdfast.Invalid("an organization needs an application id with a certificate or a secret, or an administrator's sign-in by device code")
	}
	if err := o.connect(ctx, &org, cred); err != nil {
		return holdfast.Organization{}, err
	}
	// The id follows from the tenant, so that adding the organization again finds what repositories hold of it.
	org.ID = holdfast.OrganizationID(holdfast.DerivedID("", strings.ToLower("organization/"+org.TenantID)))
	if org.TenantID == "" {
		org.ID = holdfast.OrganizationID(id)
	}
	return write(ctx, o.core, func(ctx context.Context, tx Tx) (holdfast.Organization, error) {
		org := org
		old, err := tx.Organization(ctx, org.ID)
		switch {
		case err == nil:
			if _, err := tx.Secret(ctx, credentialSecret(org.ID)); err == nil {
				return org, holdfast.Conflict("organization %s is already there", old.Name)
			} else if !missing(err) {
				return org, err
			}
			// It came from a rebuilt catalogue and had no credential so far.
			org.Created, org.FirstBackup, org.LastBackup = old.Created, old.FirstBackup, old.LastBackup
		case !missing(err):
			return org, err
		}
		if err := o.audit(ctx, tx, u, "organization.create", "organization/"+string(org.ID), holdfast.SayOrganizationAdded.With(org.Name, org.ApplicationID)); err != nil {
			return org, err
		}
		if err := tx.PutOrganization(ctx, org); err != nil {
			return org, err
		}
		return org, o.putCredential(ctx, tx, org.ID, *cred)
	})
}

// Update changes what spec names. A new credential is checked like a first one; the tenant can't change.
func (o *Organizations) Update(ctx context.Context, u User, id holdfast.OrganizationID, spec OrganizationSpec) (holdfast.Organization, error) {
	if err := o.may(u, ActChangeOrg); err != nil {
		return holdfast.Organization{}, err
	}
	org, err := o.Get(ctx, u, id)
	if err != nil {
		return org, err
	}
	cred, err := spec.credential()
	if err != nil {
		return org, err
	}
	fresh := cred != nil
	if !fresh {
		old, err := read(ctx, o.core, func(ctx context.Context, tx Tx) (holdfast.Credential, error) { return o.credential(ctx, tx, id) })
		if err != nil {
			return org, err
		}
		cred = &old
	}
	if spec.Region != "" && spec.Region != org.Region {
		return org, holdfast.Invalid("the region of organization %s can't change from %s to %s", org.Name, org.Region, spec.Region)
	}
	if spec.Description != nil {
		org.Description = *spec.Description
	}
	checked := fresh || value(spec.Exchange, false) && !org.Exchange || value(spec.SharePoint, false) && !org.SharePoint || value(spec.Teams, false) && !org.Teams ||
		value(spec.TeamsChats, false) && !org.TeamsChats || value(spec.Chats, false) && !org.Chats
	org.Teams, org.TeamsChats, org.Chats = value(spec.Teams, org.Teams), value(spec.TeamsChats, org.TeamsChats), value(spec.Chats, org.Chats)
	org.Exchange, org.SharePoint = value(spec.Exchange, org.Exchange), value(spec.SharePoint, org.SharePoint)
	if checked {
		tenant := org.TenantID
		if err := o.connect(ctx, &org, cred); err != nil {
			return org, err
		}
		if tenant != "" && !strings.EqualFold(tenant, org.TenantID) {
			return org, holdfast.Invalid("application %s belongs to tenant %s, but organization %s is tenant %s", cred.ApplicationID, org.TenantID, org.Name, tenant)
		}
	} else if err := services(org); err != nil {
		return org, err
	}
	return write(ctx, o.core, func(ctx context.Context, tx Tx) (holdfast.Organization, error) {
		now, err := tx.Organization(ctx, id)
		if err != nil {
			return org, err
		}
		org := org
		org.FirstBackup, org.LastBackup = now.FirstBackup, now.LastBackup
		if err := o.audit(ctx, tx, u, "organization.update", "organization/"+string(id), map[bool]holdfast.Sentence{true: holdfast.SayOrganizationChanged, false: holdfast.SayOrganizationKept}[fresh].With(org.Name, org.ApplicationID)); err != nil {
			return org, err
		}
		if fresh {
			if err := o.putCredential(ctx, tx, id, *cred); err != nil {
				return org, err
			}
		}
		return org, tx.PutOrganization(ctx, org)
	})
}

// Delete forgets the organization and its credential. It is refused while jobs of it exist. Its backups stay and can be explored
// again when it is added again.
func (o *Organizations) Delete(ctx context.Context, u User, id holdfast.OrganizationID) error {
	if err := o.may(u, ActRemoveOrg); err != nil {
		return err
	}
	return o.Store.Write(ctx, func(ctx context.Context, tx Tx) error {
		org, err := tx.Organization(ctx, id)
		if err != nil {
			return err
		}
		jobs, err := tx.Jobs(ctx, holdfast.JobFilter{Organization: id}, holdfast.Page{})
		if err != nil {
			return err
		} else if len(jobs) > 0 {
			return holdfast.Conflict("organization %s is used by %s: remove the jobs first", org.Name, jobNames(jobs))
		}
		open, err := tx.RestoreSessions(ctx, holdfast.RestoreSessionFilter{Organization: id, Active: true}, holdfast.Page{Limit: 1})
		if err != nil {
			return err
		} else if len(open) > 0 {
			return holdfast.Conflict("organization %s is being explored: stop restore session %s first", org.Name, open[0].ID)
		}
		if err := o.audit(ctx, tx, u, "organization.delete", "organization/"+string(id), org.Name); err != nil {
			return err
		}
		if err := tx.DeleteSecret(ctx, credentialSecret(id)); err != nil {
			return err
		}
		if err := (&Exclusions{o.core}).forgetOrganization(ctx, tx, id); err != nil {
			return err
		}
		return tx.DeleteOrganization(ctx, id)
	})
}

// Get gives one organization.
func (o *Organizations) Get(ctx context.Context, u User, id holdfast.OrganizationID) (holdfast.Organization, error) {
	return readAs(ctx, o.core, u, ActSeeOrgs, func(ctx context.Context, tx Tx) (holdfast.Organization, error) { return tx.Organization(ctx, id) })
}

// List gives organizations by name.
func (o *Organizations) List(ctx context.Context, u User, page holdfast.Page) ([]holdfast.Organization, error) {
	return readAs(ctx, o.core, u, ActSeeOrgs, func(ctx context.Context, tx Tx) ([]holdfast.Organization, error) { return tx.Organizations(ctx, page) })
}

// Check signs in anew and gives every permission with whether it is granted.
func (o *Organizations) Check(ctx context.Context, u User, id holdfast.OrganizationID) (Tenant, error) {
	org, cred, err := o.access(ctx, u, id)
	if err != nil {
		return Tenant{}, err
	}
	return o.Directory.Check(ctx, org, cred)
}

// Users gives the organization's users, from the copy of its directory when there is one.
func (o *Organizations) Users(ctx context.Context, u User, id holdfast.OrganizationID, q DirectoryQuery) ([]DirectoryUser, error) {
	return listed(ctx, o, u, id, q.Source, holdfast.DirectoryFilter{Kind: holdfast.DirectoryUser, Name: q.Name, DisplayName: q.DisplayName}, holdfast.Page{Offset: q.Offset, Limit: q.Limit}, copiedUser,
		func(org holdfast.Organization, cred holdfast.Credential) ([]DirectoryUser, error) {
			users, err := o.Directory.Users(ctx, org, cred, q)
			if err != nil {
				return nil, err
			}
			return o.sharedAmong(ctx, id, users)
		})
}

// User gives one user, by object id or user principal name.
func (o *Organizations) User(ctx context.Context, u User, id holdfast.OrganizationID, user string, source DataSource) (DirectoryUser, error) {
	return lookedUp(ctx, o, u, id, source, holdfast.DirectoryUser, user, copiedUser, func(org holdfast.Organization, cred holdfast.Credential) (DirectoryUser, error) {
		return o.liveUser(ctx, org, cred, user)
	})
}

// liveUser is a user as the directory has him now.
func (c *core) liveUser(ctx context.Context, org holdfast.Organization, cred holdfast.Credential, user string) (DirectoryUser, error) {
	one, err := c.Directory.User(ctx, org, cred, user)
	if err != nil {
		return one, err
	}
	all, err := c.sharedAmong(ctx, org.ID, []DirectoryUser{one})
	if err != nil {
		return one, err
	}
	return all[0], nil
}

// Sites gives the organization's sites.
func (o *Organizations) Sites(ctx context.Context, u User, id holdfast.OrganizationID, q SiteQuery) ([]DirectorySite, error) {
	if q.Parent != "" {
		q.Source = Production // the copy does not know what is below what
	}
	return listed(ctx, o, u, id, q.Source, holdfast.DirectoryFilter{Kind: holdfast.DirectorySite, NoPersonal: !q.Personal, Text: q.Text}, holdfast.Page{Offset: q.Offset, Limit: q.Limit}, copiedSite,
		func(org holdfast.Organization, cred holdfast.Credential) ([]DirectorySite, error) {
			return o.Directory.Sites(ctx, org, cred, q)
		})
}

// Site gives one site, by its id or address.
func (o *Organizations) Site(ctx context.Context, u User, id holdfast.OrganizationID, site string, source DataSource) (DirectorySite, error) {
	return lookedUp(ctx, o, u, id, source, holdfast.DirectorySite, site, copiedSite, func(org holdfast.Organization, cred holdfast.Credential) (DirectorySite, error) {
		return o.Directory.Site(ctx, org, cred, site)
	})
}

// Teams reads the organization's teams live.
func (o *Organizations) Teams(ctx context.Context, u User, id holdfast.OrganizationID, q DirectoryQuery) ([]DirectoryTeam, error) {
	org, cred, err := o.access(ctx, u, id)
	if err != nil {
		return nil, err
	}
	return o.Directory.Teams(ctx, org, cred, q)
}

// Team reads one team live, by its id, address or name.
func (o *Organizations) Team(ctx context.Context, u User, id holdfast.OrganizationID, team string) (DirectoryTeam, error) {
	org, cred, err := o.access(ctx, u, id)
	if err != nil {
		return DirectoryTeam{}, err
	}
	return o.Directory.Team(ctx, org, cred, team)
}

// Groups gives the organization's groups.
func (o *Organizations) Groups(ctx context.Context, u User, id holdfast.OrganizationID, q DirectoryQuery) ([]DirectoryGroup, error) {
	return listed(ctx, o, u, id, q.Source, holdfast.DirectoryFilter{Kind: holdfast.DirectoryGroup, Name: q.Name, DisplayName: q.DisplayName}, holdfast.Page{Offset: q.Offset, Limit: q.Limit}, copiedGroup,
		func(org holdfast.Organization, cred holdfast.Credential) ([]DirectoryGroup, error) {
			return o.Directory.Groups(ctx, org, cred, q)
		})
}

// Group gives one group by its id. A directory that was never copied is copied first.
func (o *Organizations) Group(ctx context.Context, u User, id holdfast.OrganizationID, group string, source DataSource) (DirectoryGroup, error) {
	if err := o.copied(ctx, u, id, source); err != nil {
		return DirectoryGroup{}, err
	}
	g, err := o.directoryObject(ctx, id, holdfast.DirectoryGroup, group)
	return copiedGroup(g), err
}

// GroupMember is a user or group that is directly in a group.
type GroupMember struct {
	Kind              holdfast.DirectoryKind
	ID, Name, Display string
}

// GroupMembers gives what is directly in a group, by name. A directory that was never copied is copied first.
func (o *Organizations) GroupMembers(ctx context.Context, u User, id holdfast.OrganizationID, group string, source DataSource, page holdfast.Page) ([]GroupMember, error) {
	if err := o.copied(ctx, u, id, source); err != nil {
		return nil, err
	}
	return readAs(ctx, o.core, u, ActReadDirectory, func(ctx context.Context, tx Tx) ([]GroupMember, error) {
		if _, err := tx.DirectoryObject(ctx, id, holdfast.DirectoryGroup, group); err != nil {
			return nil, err
		}
		refs, err := tx.DirectoryMembers(ctx, id, group)
		if err != nil {
			return nil, err
		}
		var out []GroupMember
		for _, r := range refs {
			m, err := tx.DirectoryObject(ctx, id, r.Kind, r.Member)
			if missing(err) || err == nil && !m.Gone.IsZero() {
				continue
			} else if err != nil {
				return nil, err
			}
			out = append(out, GroupMember{Kind: r.Kind, ID: m.ID, Name: m.Name, Display: m.DisplayName})
		}
		slices.SortStableFunc(out, func(a, b GroupMember) int {
			return strings.Compare(strings.ToLower(a.Display), strings.ToLower(b.Display))
		})
		return window(out, page), nil
	})
}

// copied makes sure that the organization's directory has been copied, anew for anything but PreferLocal.
func (o *Organizations) copied(ctx context.Context, u User, id holdfast.OrganizationID, source DataSource) error {
	if _, _, err := o.access(ctx, u, id); err != nil {
		return err
	}
	local, err := o.directoryFor(ctx, id, source)
	if err != nil || local {
		return err
	}
	return o.syncDirectory(ctx, id, holdfast.SyncIncremental, 0)
}

// listed gives a page of a kind of objects, from the copy or live.
func listed[T any](ctx context.Context, o *Organizations, u User, id holdfast.OrganizationID, source DataSource, f holdfast.DirectoryFilter, page holdfast.Page, to func(holdfast.DirectoryObject) T,
	live func(holdfast.Organization, holdfast.Credential) ([]T, error)) ([]T, error) {
	org, cred, err := o.access(ctx, u, id)
	if err != nil {
		return nil, err
	}
	if local, err := o.directoryFor(ctx, id, source); err != nil {
		return nil, err
	} else if !local {
		return live(org, cred)
	}
	all, err := o.directoryObjects(ctx, id, f, page)
	return mapped(all, to), err
}

// lookedUp gives one object, from the copy when it has it, else live.
func lookedUp[T any](ctx context.Context, o *Organizations, u User, id holdfast.OrganizationID, source DataSource, kind holdfast.DirectoryKind, which string, to func(holdfast.DirectoryObject) T,
	live func(holdfast.Organization, holdfast.Credential) (T, error)) (T, error) {
	var none T
	org, cred, err := o.access(ctx, u, id)
	if err != nil {
		return none, err
	}
	local, err := o.directoryFor(ctx, id, source)
	if err != nil {
		return none, err
	}
	if local {
		found, err := o.directoryObject(ctx, id, kind, which)
		if err == nil {
			return to(found), nil
		} else if !missing(err) {
			return none, err
		}
	}
	return live(org, cred)
}

// Drives reads a user's drives live.
func (o *Organizations) Drives(ctx context.Context, u User, id holdfast.OrganizationID, user string) ([]DirectoryDrive, error) {
	org, cred, err := o.access(ctx, u, id)
	if err != nil {
		return nil, err
	}
	return o.Directory.Drives(ctx, org, cred, user)
}

// UsedRepository is a repository that holds something of an organization.
type UsedRepository struct {
	Repository holdfast.Repository
	Bytes      int64
	Objects    int64  // protected containers
	Details    string // why Bytes is not known; empty when it is
}

// UsedRepositories gives the repositories that hold something of the organization.
func (o *Organizations) UsedRepositories(ctx context.Context, u User, id holdfast.OrganizationID, page holdfast.Page) ([]UsedRepository, error) {
	if err := o.may(u, ActSeeRepos); err != nil {
		return nil, err
	}
	used, err := read(ctx, o.core, func(ctx context.Context, tx Tx) ([]UsedRepository, error) {
		if _, err := tx.Organization(ctx, id); err != nil {
			return nil, err
		}
		return usedRepositories(ctx, tx, id)
	})
	if err != nil {
		return nil, err
	}
	used = window(used, page)
	for i := range used {
		n, err := o.Vaults.Usage(ctx, used[i].Repository, id)
		if err != nil {
			o.Log.WarnContext(ctx, "usage of repository not known", "repository", used[i].Repository.ID, "error", err)
			used[i].Details = holdfast.SayPlaceUnreadable.With()
		}
		used[i].Bytes = n
	}
	return used, nil
}

func usedRepositories(ctx context.Context, tx Tx, id holdfast.OrganizationID) ([]UsedRepository, error) {
	all, err := tx.Repositories(ctx, holdfast.Page{})
	if err != nil {
		return nil, err
	}
	var used []UsedRepository
	for _, r := range all {
		held, err := tx.Containers(ctx, holdfast.ContainerFilter{Organization: id, Repository: r.ID}, holdfast.Page{})
		if err != nil {
			return nil, err
		}
		if len(held) > 0 {
			used = append(used, UsedRepository{Repository: r, Objects: int64(len(held))})
		}
	}
	return used, nil
}

// Licensing counts the organization's users that backups protect.
func (o *Organizations) Licensing(ctx context.Context, u User, id holdfast.OrganizationID) (LicenseCounts, error) {
	return (&Licenses{o.core}).Counts(ctx, u, id)
}

// access gives an organization with its credential.
func (o *Organizations) access(ctx context.Context, u User, id holdfast.OrganizationID) (holdfast.Organization, holdfast.Credential, error) {
	if err := o.lookAs(ctx, u, ActReadDirectory, func(ctx context.Context, tx Tx) error {
		_, err := tx.Organization(ctx, id)
		return err
	}); err != nil {
		return holdfast.Organization{}, holdfast.Credential{}, err
	}
	return o.withCredential(ctx, id)
}

// withCredential is access for the product itself: who may has been asked.
func (c *core) withCredential(ctx context.Context, id holdfast.OrganizationID) (holdfast.Organization, holdfast.Credential, error) {
	var org holdfast.Organization
	cred, err := read(ctx, c, func(ctx context.Context, tx Tx) (holdfast.Credential, error) {
		var err error
		if org, err = tx.Organization(ctx, id); err != nil {
			return holdfast.Credential{}, err
		}
		return c.credential(ctx, tx, id)
	})
	return org, cred, err
}

// connect signs in with cred, checks permissions and completes org.
func (o *Organizations) connect(ctx context.Context, org *holdfast.Organization, cred *holdfast.Credential) error {
	switch org.Region {
	case holdfast.Worldwide, holdfast.USDefence, holdfast.USGovernment, holdfast.China:
	case holdfast.Germany:
		return holdfast.Invalid("the region Germany was closed by Microsoft in 2021; its organizations are in region Worldwide now")
	default:
		return holdfast.Invalid("there is no region %q; it is one of Worldwide, USDefence, USGovernment, China", org.Region)
	}
	if err := services(*org); err != nil {
		return err
	}
	if cred.TenantID == "" {
		cred.TenantID = org.Name
	}
	if cred.TenantID == "" {
		return holdfast.Invalid("the organization's tenant id or one of its domains is missing (officeOrganizationName)")
	}
	tenant, err := o.Directory.Check(ctx, *org, *cred)
	if err != nil {
		return err
	}
	if err := granted(tenant.Permissions, cred.ApplicationID, backupUses(*org)...); err != nil {
		return err
	}
	org.TenantID, org.OfficeName, org.ApplicationID, org.CertificateThumbprint = tenant.TenantID, tenant.DisplayName, cred.ApplicationID, tenant.Thumbprint
	if tenant.DefaultDomain != "" {
		org.Name = tenant.DefaultDomain
	}
	cred.TenantID = tenant.TenantID
	return nil
}

// services checks which services an organization protects.
func services(org holdfast.Organization) error {
	switch {
	case !org.Exchange && !org.SharePoint:
		return holdfast.Invalid("an organization protects Exchange Online, SharePoint Online, or both")
	case org.Teams && org.Region == holdfast.China:
		return holdfast.Invalid("Microsoft has no Teams in the region China: leave isTeamsOnline out or set it to false")
	case org.Chats && org.Region == holdfast.China:
		return errChatsChina
	case org.Teams && !org.SharePoint:
		return holdfast.Invalid("the files of teams are in SharePoint Online: protect that too, or leave isTeamsOnline out")
	case org.TeamsChats && !org.Teams:
		return holdfast.Invalid("posts are protected with their teams: set isTeamsOnline too, or leave isTeamsChatsOnline out")
	}
	return nil
}

// backupUses gives what the application of org must be able to do for backups.
func backupUses(org holdfast.Organization) []PermissionUse {
	uses := []PermissionUse{UseDirectory}
	if org.Exchange {
		uses = append(uses, UseMailBackup)
	}
	if org.SharePoint {
		uses = append(uses, UseOneDriveBackup)
	}
	if org.Teams {
		uses = append(uses, UseTeamsBackup)
	}
	if org.TeamsChats {
		uses = append(uses, UsePostsBackup)
	}
	if org.Chats {
		uses = append(uses, UseChatsBackup)
	}
	return uses
}

// granted is nil when every permission for uses is granted, else an error that names the missing ones and the fix.
func granted(all []Permission, application string, uses ...PermissionUse) error {
	var lacking []string
	for _, p := range all {
		if slices.Contains(uses, p.Use) && !p.Granted {
			lacking = append(lacking, fmt.Sprintf("%s (%s, for %s)", p.Name, p.API, p.Why))
		}
	}
	if len(lacking) == 0 {
		return nil
	}
	return holdfast.Denied("application %s lacks %s: in Entra, under App registrations > API permissions, add %s as application permissions and grant admin consent, then try again",
		application, strings.Join(lacking, ", "), map[bool]string{true: "it", false: "them"}[len(lacking) == 1])
}

// credential gives what the two connections agree on; nil when neither is set.
func (s OrganizationSpec) credential() (*holdfast.Credential, error) {
	var cred *holdfast.Credential
	for _, c := range []*Connection{s.ExchangeConnection, s.SharePointConnection} {
		if c == nil {
			continue
		}
		one, err := c.credential()
		if err != nil {
			return nil, err
		}
		if cred != nil && one != nil && *cred != *one {
			return nil, holdfast.Invalid("the settings of Exchange Online and of SharePoint Online name different applications; use one application for both")
		}
		if one != nil {
			cred = one
		}
	}
	return cred, nil
}

func (c *Connection) credential() (*holdfast.Credential, error) {
	if c.Account != "" || c.Password != "" {
		return nil, holdfast.Invalid("Microsoft 365 has no sign-in by user name and password for backups any more (basic authentication is switched off): register an application in Entra and give its id with a certificate or a secret")
	}
	if c.Application == "" && c.Secret == "" && c.Certificate == "" {
		return nil, nil
	}
	switch {
	case c.Application == "":
		return nil, holdfast.Invalid("the application id is missing")
	case c.Secret != "" && c.Certificate != "":
		return nil, holdfast.Invalid("give either the application's secret or its certificate, not both")
	case c.Secret == "" && c.Certificate == "":
		return nil, holdfast.Invalid("application %s needs a secret or a certificate", c.Application)
	}
	return &holdfast.Credential{TenantID: c.Tenant, ApplicationID: c.Application, ApplicationSecret: c.Secret, Certificate: c.Certificate, CertificatePassword: c.CertificatePassword}, nil
}

// value is *p, or otherwise when p is nil.
func value[T any](p *T, otherwise T) T {
	if p == nil {
		return otherwise
	}
	return *p
}

// window cuts a page out of all.
func window[T any](all []T, page holdfast.Page) []T {
	all = all[min(max(page.Offset, 0), len(all)):]
	if page.Limit > 0 && page.Limit < len(all) {
		all = all[:page.Limit]
	}
	return all
}

func jobNames(jobs []holdfast.Job) string {
	names := make([]string, 0, 3)
	for _, j := range jobs[:min(3, len(jobs))] {
		names = append(names, fmt.Sprintf("%q", j.Name))
	}
	text := "backup job " + strings.Join(names, ", ")
	if more := len(jobs) - len(names); more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}
