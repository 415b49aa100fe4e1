package app

import (
	"context"
	"crypto/sha1"
	"encoding/hex"
	"errors"
	"strings"
	"sync"

	"holdfast/internal/holdfast"
	"holdfast/internal/m365"
	"holdfast/internal/m365/auth"
	"holdfast/internal/m365/graph"
	"holdfast/internal/m365/throttle"
	"holdfast/internal/service"
	"holdfast/internal/sys"
)

// microsoft makes clients for organizations. All clients of one application share one budget, so that two jobs do not
// spend it twice; a client is kept as long as its credential stays the same.
type microsoft struct {
	network m365.Network
	presets m365.Presets
	signIn  string // client id of the application by which administrators sign in; empty: the default
	limits  throttle.Limits
	budgets throttle.Budgets
	clock   sys.Clock
	faults  *sys.Faults
	version string

	mu      sync.Mutex // guards the two below
	clients map[holdfast.OrganizationID]kept
	logins  map[string]*m365.Client // that sign people in, by login host
}

type kept struct {
	cred   holdfast.Credential
	client *graph.Client
}

// Graph gives the client of org for cred.
func (m *microsoft) Graph(_ context.Context, org holdfast.Organization, cred holdfast.Credential) (*graph.Client, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if k, ok := m.clients[org.ID]; ok && k.cred == cred {
		return k.client, nil
	}
	client, err := m.dial(org, cred)
	if err != nil {
		return nil, err
	}
	if m.clients == nil {
		m.clients = map[holdfast.OrganizationID]kept{}
	}
	// The credential of a single restore does not push the organization's own client out.
	if org.ID != "" && (cred.ApplicationID == org.ApplicationID || m.clients[org.ID].client == nil) {
		m.clients[org.ID] = kept{cred, client}
	}
	return client, nil
}

func (m *microsoft) dial(org holdfast.Organization, cred holdfast.Credential) (*graph.Client, error) {
	cloud, err := m.presets.Named(string(org.Region))
	if err != nil {
		return nil, holdfast.Invalid("%w", err)
	}
	credential, err := credentialOf(cred)
	if err != nil {
		return nil, err
	}
	c, err := m365.New(m365.Config{
		Cloud: cloud, Tenant: tenantOf(org, cred), Application: cred.ApplicationID, Credential: credential,
		Network: m.network, Budgets: &m.budgets, Limits: m.limits, Clock: m.clock, Faults: m.faults, Version: m.version,
	})
	if err != nil {
		return nil, holdfast.Invalid("%w", err)
	}
	return graph.New(c), nil
}

func tenantOf(org holdfast.Organization, cred holdfast.Credential) string {
	for _, t := range []string{cred.TenantID, org.TenantID, org.Name} {
		if t != "" {
			return t
		}
	}
	return ""
}

func credentialOf(cred holdfast.Credential) (m365.Credential, error) {
	if cred.Certificate != "" {
		c, err := auth.FromCertificate([]byte(cred.Certificate), m365.Secret(cred.CertificatePassword))
		if err != nil {
			return c, holdfast.Invalid("application certificate: %w", err)
		}
		return c, nil
	}
	if cred.ApplicationSecret == "" {
		return m365.Credential{}, holdfast.Invalid("application %s needs a secret or a certificate", cred.ApplicationID)
	}
	return auth.FromSecret(m365.Secret(cred.ApplicationSecret)), nil
}

// Close drops the connections.
func (m *microsoft) Close() {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, k := range m.clients {
		k.client.M365().Close()
	}
	for _, c := range m.logins {
		c.Close()
	}
	m.clients, m.logins = nil, nil
}

const (
	graphAPI      = "Microsoft Graph"
	sharePointAPI = "SharePoint"
)

// wanted are the application permissions that Holdfast asks for.
var wanted = []service.Permission{
	{Name: "Organization.Read.All", API: graphAPI, Why: holdfast.SayForOrganization.With(), Use: service.UseDirectory},
	{Name: "User.Read.All", API: graphAPI, Why: holdfast.SayForUsers.With(), Use: service.UseDirectory},
	{Name: "Group.Read.All", API: graphAPI, Why: holdfast.SayForGroups.With(), Use: service.UseDirectory},
	{Name: "Mail.Read", API: graphAPI, Why: holdfast.SayForMail.With(), Use: service.UseMailBackup},
	{Name: "Mail.ReadWrite", API: graphAPI, Why: holdfast.SayForMailBack.With(), Use: service.UseMailRestore},
	{Name: "MailboxItem.Export.All", API: graphAPI, Why: holdfast.SayForExport.With(), Use: service.UseMailExport},
	{Name: "MailboxFolder.Read.All", API: graphAPI, Why: holdfast.SayForItems.With(), Use: service.UseMailExport},
	{Name: "MailboxItem.Read.All", API: graphAPI, Why: holdfast.SayForItems.With(), Use: service.UseMailExport},
	{Name: "MailboxItem.ImportExport.All", API: graphAPI, Why: holdfast.SayForImport.With(), Use: service.UseMailImport},
	{Name: "MailboxFolder.ReadWrite.All", API: graphAPI, Why: holdfast.SayForItemsBack.With(), Use: service.UseMailImport},
	{Name: "Calendars.Read", API: graphAPI, Why: holdfast.SayForCalendars.With(), Use: service.UsePersonalBackup},
	{Name: "Contacts.Read", API: graphAPI, Why: holdfast.SayForContacts.With(), Use: service.UsePersonalBackup},
	{Name: "Tasks.Read.All", API: graphAPI, Why: holdfast.SayForTasks.With(), Use: service.UsePersonalBackup},
	{Name: "MailboxSettings.Read", API: graphAPI, Why: holdfast.SayForSettings.With(), Use: service.UsePersonalBackup},
	{Name: "Calendars.ReadWrite", API: graphAPI, Why: holdfast.SayForEventsBack.With(), Use: service.UsePersonalRestore},
	{Name: "Contacts.ReadWrite", API: graphAPI, Why: holdfast.SayForContactsBack.With(), Use: service.UsePersonalRestore},
	{Name: "Tasks.ReadWrite.All", API: graphAPI, Why: holdfast.SayForTasksBack.With(), Use: service.UsePersonalRestore},
	{Name: "MailboxSettings.ReadWrite", API: graphAPI, Why: holdfast.SayForSettingsBack.With(), Use: service.UsePersonalRestore},
	{Name: "Files.Read.All", API: graphAPI, Why: holdfast.SayForFiles.With(), Use: service.UseOneDriveBackup},
	{Name: "Files.ReadWrite.All", API: graphAPI, Why: holdfast.SayForFilesBack.With(), Use: service.UseOneDriveRestore},
	{Name: "Sites.ReadWrite.All", API: graphAPI, Why: holdfast.SayForLargeFiles.With(), Use: service.UseOneDriveRestore},
	{Name: "Sites.Read.All", API: graphAPI, Why: holdfast.SayForSites.With(), Use: service.UseSiteBackup},
	{Name: "Sites.ReadWrite.All", API: graphAPI, Why: holdfast.SayForSitesBack.With(), Use: service.UseSiteRestore},
	{Name: "Sites.Manage.All", API: graphAPI, Why: holdfast.SayForLists.With(), Use: service.UseSiteRestore},
	// SharePoint's own interface goes by permissions of its own.
	{Name: "Sites.Read.All", API: sharePointAPI, Why: holdfast.SayForSharePoint.With(), Use: service.UseSiteBackup},
	{Name: "Sites.FullControl.All", API: sharePointAPI, Why: holdfast.SayForSharePointBack.With(), Use: service.UseSiteRestore},
	{Name: "Team.ReadBasic.All", API: graphAPI, Why: holdfast.SayForTeams.With(), Use: service.UseTeamsBackup},
	{Name: "Channel.ReadBasic.All", API: graphAPI, Why: holdfast.SayForChannels.With(), Use: service.UseTeamsBackup},
	{Name: "TeamMember.Read.All", API: graphAPI, Why: holdfast.SayForTeamMembers.With(), Use: service.UseTeamsBackup},
	{Name: "ChannelMember.Read.All", API: graphAPI, Why: holdfast.SayForChannelMembers.With(), Use: service.UseTeamsBackup},
	{Name: "ChannelMessage.Read.All", API: graphAPI, Why: holdfast.SayForPosts.With(), Use: service.UsePostsBackup},
	{Name: "Group.ReadWrite.All", API: graphAPI, Why: holdfast.SayForTeamsBack.With(), Use: service.UseTeamsRestore},
	{Name: "TeamMember.ReadWrite.All", API: graphAPI, Why: holdfast.SayForTeamMembersBack.With(), Use: service.UseTeamsRestore},
	{Name: "ChannelMember.ReadWrite.All", API: graphAPI, Why: holdfast.SayForChannelMembersBack.With(), Use: service.UseTeamsRestore},
	{Name: "Teamwork.Migrate.All", API: graphAPI, Why: holdfast.SayForPostsBack.With(), Use: service.UseTeamsRestore},
	{Name: "Chat.Read.All", API: graphAPI, Why: holdfast.SayForChats.With(), Use: service.UseChatsBackup},
	{Name: "Chat.Create", API: graphAPI, Why: holdfast.SayForChatsBack.With(), Use: service.UseChatsRestore},
	{Name: "ChatMember.ReadWrite.All", API: graphAPI, Why: holdfast.SayForChatsBack.With(), Use: service.UseChatsRestore},
	{Name: "Teamwork.Migrate.All", API: graphAPI, Why: holdfast.SayForMessagesBack.With(), Use: service.UseChatsRestore},
}

// Check signs in with a new client, so that nothing cached answers for the credential, and compares permissions.
func (m *microsoft) Check(ctx context.Context, org holdfast.Organization, cred holdfast.Credential) (service.Tenant, error) {
	g, err := m.dial(org, cred)
	if err != nil {
		return service.Tenant{}, err
	}
	defer g.M365().Close()
	if err := g.M365().SignIn(ctx); err != nil {
		return service.Tenant{}, forUser(err)
	}
	t := service.Tenant{TenantID: org.TenantID, Permissions: make([]service.Permission, 0, len(wanted))}
	atSharePoint, known, err := sharePointRoles(ctx, g)
	if err != nil {
		return service.Tenant{}, forUser(err)
	}
	for _, p := range wanted {
		if p.API == sharePointAPI {
			if known {
				p.Granted = grantedAt(atSharePoint, p.Name)
				t.Permissions = append(t.Permissions, p)
			}
			continue
		}
		missing, err := g.CheckPermissions(ctx, p.Name)
		if err != nil {
			return service.Tenant{}, forUser(err)
		}
		p.Granted = len(missing) == 0
		t.Permissions = append(t.Permissions, p)
	}
	if t.Permissions[0].Granted {
		o, err := g.Organization(ctx)
		if err != nil {
			return service.Tenant{}, forUser(err)
		}
		t.TenantID, t.DefaultDomain, t.DisplayName = o.ID, o.DefaultDomain(), o.DisplayName
	}
	if credential, err := credentialOf(cred); err == nil {
		if cert := credential.Certificate(); cert != nil {
			sum := sha1.Sum(cert.Raw) // the thumbprint that Entra shows
			t.Thumbprint = strings.ToUpper(hex.EncodeToString(sum[:]))
		}
	}
	return t, nil
}

// forUser gives an error of Microsoft 365 the kind that its edge wants. What is not told apart stays internal.
func forUser(err error) error {
	var login *auth.Error
	if errors.As(err, &login) {
		if login.Reason == auth.Unreachable {
			return holdfast.Unavailable("%w", err)
		}
		return holdfast.Invalid("%w", err)
	}
	switch m365.KindOf(err) {
	case m365.NotFound:
		return holdfast.NotFound("%w", err)
	case m365.Denied:
		return holdfast.Denied("%w", err)
	case m365.Throttled, m365.Unavailable:
		return holdfast.Unavailable("Microsoft 365 does not answer at the moment: %w", err)
	case m365.Invalid:
		return holdfast.Invalid("%w", err)
	case m365.Corrupt, m365.Resync, m365.Unauthorized: // after every retry
		return holdfast.Unavailable("Microsoft 365 does not answer as it should: %w", err)
	}
	return err
}
