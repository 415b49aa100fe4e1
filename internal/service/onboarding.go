package service

import (
	"context"
	"strings"
	"sync"
	"time"

	"holdfast/internal/holdfast"
)

// An administrator signs in once on another device, by a code. His token is kept in memory only, for as long as it takes to register the
// application, and given up with what he consented to.

// signInsAtOnce bounds the sign-ins under way; past it the oldest is forgotten.
const signInsAtOnce = 100

// deviceSignIn is one of them.
type deviceSignIn struct {
	AdminSignIn
	owner string    // account that began it: nobody else's code is asked about
	next  time.Time // it must not be asked about before
	busy  bool      // somebody asks
}

// deviceSignIns are those under way by user code. The zero value works.
type deviceSignIns struct {
	mu  sync.Mutex // guards all
	all map[string]*deviceSignIn
}

func (d *deviceSignIns) put(s *deviceSignIn, now time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.all == nil {
		d.all = map[string]*deviceSignIn{}
	}
	oldest := ""
	for k, one := range d.all {
		if now.After(one.Expires) {
			delete(d.all, k)
		} else if oldest == "" || one.Expires.Before(d.all[oldest].Expires) {
			oldest = k
		}
	}
	if len(d.all) >= signInsAtOnce {
		delete(d.all, oldest)
	}
	d.all[strings.ToUpper(s.UserCode)] = s
}

// take gives a sign-in to be asked about; ask is false when it is too early, or somebody asks already.
func (d *deviceSignIns) take(code, owner string, now time.Time) (s AdminSignIn, ask bool, err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	one := d.all[strings.ToUpper(strings.TrimSpace(code))]
	if one == nil || one.owner != owner {
		return s, false, holdfast.NotFound("no sign-in waits with code %q: it was used, has expired, or was begun before the server's last start; begin again", code)
	}
	if one.Token != "" || one.busy || now.Before(one.next) {
		return one.AdminSignIn, false, nil
	}
	one.busy = true
	return one.AdminSignIn, true, nil
}

// answered notes what came of asking; a refusal ends the sign-in.
func (d *deviceSignIns) answered(s AdminSignIn, now time.Time, err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	key := strings.ToUpper(s.UserCode)
	one := d.all[key]
	if one == nil {
		return
	}
	if kind := holdfast.KindOf(err); err != nil && kind != holdfast.KindUnavailable {
		delete(d.all, key)
		return
	}
	one.AdminSignIn, one.busy, one.next = s, false, now.Add(s.Interval)
}

func (d *deviceSignIns) forget(code string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.all, strings.ToUpper(code))
}

// BeginSignIn gives a code for an administrator's sign-in: in region, for a new organization, or for one that there is.
func (o *Organizations) BeginSignIn(ctx context.Context, u User, region holdfast.Region, id holdfast.OrganizationID) (AdminSignIn, error) {
	act := ActAddOrg
	if id != "" {
		act = ActChangeOrg
	}
	if err := o.may(u, act); err != nil {
		return AdminSignIn{}, err
	}
	tenant := ""
	if id != "" {
		org, err := o.Get(ctx, u, id)
		if err != nil {
			return AdminSignIn{}, err
		}
		region, tenant = org.Region, org.TenantID
	}
	if region == "" {
		region = holdfast.Worldwide
	}
	if o.Registrar == nil {
		return AdminSignIn{}, holdfast.Unavailable("this server signs nobody in by device code")
	}
	s, err := o.Registrar.BeginSignIn(ctx, region, tenant)
	if err != nil {
		return s, err
	}
	now := o.now()
	o.devices.put(&deviceSignIn{AdminSignIn: s, owner: u.Name, next: now.Add(s.Interval)}, now)
	return s, nil
}

// SignedIn tells whether an administrator has signed in with a code. A sign-in that was declined or has expired is an error that says so.
func (o *Organizations) SignedIn(ctx context.Context, u User, code string) (bool, error) {
	s, err := o.signIn(ctx, u, code)
	return s.Token != "", err
}

func (o *Organizations) signIn(ctx context.Context, u User, code string) (AdminSignIn, error) {
	if err := o.may(u, ActAddOrg); err != nil {
		return AdminSignIn{}, err
	}
	s, ask, err := o.devices.take(code, u.Name, o.now())
	if err != nil || !ask {
		return s, err
	}
	got, err := o.Registrar.AskSignIn(ctx, s)
	if err != nil {
		got = s
	}
	o.devices.answered(got, o.now(), err)
	if holdfast.KindOf(err) == holdfast.KindUnavailable {
		return got, nil // asked again later
	}
	return got, err
}

// onboard registers the application of a new organization. The caller calls done when the organization is there or has failed; in the latter case
// cred's application is taken back.
func (o *Organizations) onboard(ctx context.Context, u User, spec OrganizationSpec, org *holdfast.Organization, cred **holdfast.Credential) (done func(), err error) {
	s, err := o.signIn(ctx, u, spec.UserCode)
	if err != nil {
		return nil, err
	} else if s.Token == "" {
		return nil, holdfast.Conflict("nobody has signed in with code %s yet: enter it at %s", s.UserCode, s.VerificationURL)
	}
	wanted := spec.Name
	for _, c := range []*Connection{spec.ExchangeConnection, spec.SharePointConnection} {
		if c != nil && c.Tenant != "" {
			wanted = c.Tenant
		}
	}
	org.Region = s.Region
	if spec.Exchange == nil && spec.SharePoint == nil && spec.ExchangeConnection == nil && spec.SharePointConnection == nil {
		org.Exchange, org.SharePoint = true, true
	}
	r := Registration{Name: spec.NewApplication, Tenant: wanted, Uses: Uses(*org)}
	if r.Name == "" {
		r.Name = "Holdfast"
	}
	o.devices.forget(s.UserCode) // once, whatever comes of it
	made, err := o.Registrar.Register(ctx, s, r)
	if err != nil {
		return nil, err
	}
	if err := o.changeAs(ctx, u, ActAddOrg, func(ctx context.Context, tx Tx) error {
		return o.audit(ctx, tx, u, "organization.register", "application/"+made.ApplicationID, holdfast.SayRegistered.With(r.Name, s.TenantID, s.Person))
	}); err != nil {
		return nil, err
	}
	*cred = &made
	return func() {
		ctx := context.WithoutCancel(ctx)
		if org.TenantID == "" { // never connected
			if err := o.Registrar.Discard(ctx, s, made); err != nil {
				o.Log.WarnContext(ctx, "application is left behind in Entra", "application", made.ApplicationID, "error", err)
			}
		}
		if err := o.Registrar.Finish(ctx, s); err != nil {
			o.Log.WarnContext(ctx, "the administrator's consent for the registration is left in Entra", "error", err)
		}
	}, nil
}

// Uses gives all that the application of org may be used for: backups and restores of what is protected.
func Uses(org holdfast.Organization) []PermissionUse {
	uses := []PermissionUse{UseDirectory}
	if org.Exchange {
		uses = append(uses, UseMailBackup, UsePersonalBackup, UseMailRestore, UsePersonalRestore)
		if org.Region == holdfast.Worldwide || org.Region == "" {
			uses = append(uses, UseMailExport, UseMailImport)
		}
	}
	if org.SharePoint {
		uses = append(uses, UseOneDriveBackup, UseSiteBackup, UseOneDriveRestore, UseSiteRestore)
	}
	if org.Teams {
		uses = append(uses, UseTeamsBackup, UseTeamsRestore)
	}
	if org.TeamsChats {
		uses = append(uses, UsePostsBackup)
	}
	if org.Chats {
		uses = append(uses, UseChatsBackup, UseChatsRestore)
	}
	return uses
}
