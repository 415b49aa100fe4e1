package app

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha1"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"holdfast/internal/holdfast"
	"holdfast/internal/m365"
	"holdfast/internal/m365/auth"
	"holdfast/internal/m365/graph"
	"holdfast/internal/service"
)

// defaultSignInApplication is Microsoft Graph Command Line Tools: a public application of Microsoft's own that every tenant knows and by which an
// administrator may let a program call Graph in his name. ServerConfig.SignInApplication names another one.
const defaultSignInApplication = "14d82eec-204b-4c2f-b7e8-296a70dab67e"

func (m *microsoft) signInApplication() string { return cmp.Or(m.signIn, defaultSignInApplication) }

// registrationScopes are what registering takes: make an application, grant it permissions, and take back this very consent.
var registrationScopes = []string{"Application.ReadWrite.All", "AppRoleAssignment.ReadWrite.All", "DelegatedPermissionGrant.ReadWrite.All"}

const (
	// certificateLife is how long a certificate that is made here is good.
	certificateLife = 2 * 365 * 24 * time.Hour
	// effectiveWithin is how long Entra may take until what was registered works everywhere; effectiveEvery how often that is looked at.
	effectiveWithin = 4 * time.Minute
	effectiveEvery  = 3 * time.Second
)

// login gives the login host of a region.
func (m *microsoft) login(region holdfast.Region) (*auth.Users, m365.Cloud, error) {
	cloud, err := m.presets.Named(string(region))
	if err != nil {
		return nil, cloud, holdfast.Invalid("%w", err)
	}
	users, err := m.users(service.PortalApplication{ID: m.signInApplication(), Authority: "https://" + cloud.Login + "/organizations"})
	return users, cloud, err
}

// BeginSignIn asks for a code by which an administrator signs in.
func (m *microsoft) BeginSignIn(ctx context.Context, region holdfast.Region, tenant string) (service.AdminSignIn, error) {
	s := service.AdminSignIn{Region: region, Tenant: tenant}
	users, cloud, err := m.login(region)
	if err != nil {
		return s, err
	}
	if tenant == "" {
		tenant = "organizations"
	}
	var scopes []string
	for _, name := range registrationScopes {
		scopes = append(scopes, "https://"+cloud.Graph+"/"+name)
	}
	d, err := users.BeginDevice(ctx, tenant, m.signInApplication(), scopes...)
	if err != nil {
		return s, forUser(err)
	}
	s.UserCode, s.VerificationURL, s.Message, s.Expires, s.Interval, s.DeviceCode = d.UserCode, d.VerificationURL, d.Message, d.Expires, d.Interval, holdfast.Secret(d.Code)
	return s, nil
}

// AskSignIn asks once whether the administrator has signed in.
func (m *microsoft) AskSignIn(ctx context.Context, s service.AdminSignIn) (service.AdminSignIn, error) {
	users, _, err := m.login(s.Region)
	if err != nil {
		return s, err
	}
	tenant := s.Tenant
	if tenant == "" {
		tenant = "organizations"
	}
	d := auth.Device{Tenant: tenant, Application: m.signInApplication(), Code: auth.Secret(s.DeviceCode), Expires: s.Expires, Interval: s.Interval}
	p, signedIn, err := users.AskDevice(ctx, &d)
	s.Interval = d.Interval
	if err != nil || !signedIn {
		return s, forUser(err)
	}
	s.Token, s.TenantID, s.ObjectID, s.Person, s.Expires = holdfast.Secret(p.Token), p.Tenant, p.ObjectID, p.Name, p.Expires
	return s, nil
}

// person gives a client that calls Graph in the name of who signed in.
func (m *microsoft) person(s service.AdminSignIn) (*graph.Client, error) {
	cloud, err := m.presets.Named(string(s.Region))
	if err != nil {
		return nil, holdfast.Invalid("%w", err)
	}
	c, err := m365.New(m365.Config{Cloud: cloud, Tenant: s.TenantID, Application: m.signInApplication(), Person: m365.Secret(s.Token), Network: m.network, Budgets: &m.budgets, Limits: m.limits,
		Clock: m.clock, Faults: m.faults, Version: m.version})
	if err != nil {
		return nil, holdfast.Invalid("%w", err)
	}
	return graph.New(c), nil
}

// rightTenant refuses who signed in to another tenant than the wanted one.
func (m *microsoft) rightTenant(ctx context.Context, s service.AdminSignIn, wanted string) error {
	if wanted == "" || strings.EqualFold(wanted, s.TenantID) {
		return nil
	}
	users, _, err := m.login(s.Region)
	if err != nil {
		return err
	}
	id, err := users.TenantID(ctx, wanted)
	if err != nil {
		return forUser(err)
	}
	if !strings.EqualFold(id, s.TenantID) {
		return holdfast.Invalid("%s signed in to tenant %s, but %s is tenant %s: begin again and sign in as an administrator of %s", s.Person, s.TenantID, wanted, id, wanted)
	}
	return nil
}

// Register makes the application with a certificate and permissions, and waits until they work.
func (m *microsoft) Register(ctx context.Context, s service.AdminSignIn, r service.Registration) (cred holdfast.Credential, err error) {
	if err := m.rightTenant(ctx, s, r.Tenant); err != nil {
		return cred, err
	}
	g, err := m.person(s)
	if err != nil {
		return cred, err
	}
	defer g.M365().Close()
	grants, err := m.grantsFor(ctx, g, r.Uses)
	if err != nil {
		return cred, forUser(err)
	}
	made, err := auth.NewCertificate(r.Name, m.clock.Now(), certificateLife)
	if err != nil {
		return cred, err
	}
	access := []map[string]any{}
	for _, of := range grants {
		all := []map[string]any{}
		for _, name := range of.names {
			all = append(all, map[string]any{"id": of.roles[name], "type": "Role"})
		}
		access = append(access, map[string]any{"resourceAppId": of.application, "resourceAccess": all})
	}
	app, err := g.CreateApplication(ctx, map[string]any{"displayName": r.Name, "signInAudience": "AzureADMyOrg",
		"keyCredentials":         []graph.KeyCredential{graph.PublicKey(r.Name, made.Certificate().Raw)},
		"requiredResourceAccess": access})
	if err != nil {
		return cred, forUser(fmt.Errorf("register the application: %w", err))
	}
	pem, err := made.PEM()
	if err != nil {
		return cred, err
	}
	cred = holdfast.Credential{TenantID: s.TenantID, ApplicationID: app.AppID, Certificate: holdfast.Secret(pem), ApplicationObject: app.ID}
	if len(app.Keys) > 0 {
		cred.KeyID = app.Keys[0].KeyID
	}
	defer func() {
		if err != nil {
			if left := m.Discard(context.WithoutCancel(ctx), s, cred); left != nil {
				err = errors.Join(err, fmt.Errorf("and application %s is left behind: %w", app.AppID, left))
			}
		}
	}()
	var principal *graph.ServicePrincipal
	if err := m.replicated(ctx, func() (err error) {
		principal, err = g.CreateServicePrincipal(ctx, app.AppID)
		return err
	}); err != nil {
		return cred, forUser(fmt.Errorf("register the application's service principal: %w", err))
	}
	for _, of := range grants {
		for _, name := range of.names {
			if err := m.replicated(ctx, func() error {
				_, err := g.AssignRole(ctx, principal.ID, of.resource, of.roles[name])
				return err
			}); err != nil {
				return cred, forUser(fmt.Errorf("grant %s of %s: %w", name, of.api, err))
			}
		}
	}
	return cred, m.effective(ctx, s.Region, cred, grants)
}

// apiGrant is what an application is granted of one interface.
type apiGrant struct {
	api, application string            // name and client id of the interface
	resource         string            // object id of its service principal in the tenant
	names            []string          // permissions
	roles            map[string]string // their ids
}

// grantsFor are the permissions that uses take. Those of SharePoint itself are left out where the tenant does not know it.
func (m *microsoft) grantsFor(ctx context.Context, g *graph.Client, uses []service.PermissionUse) ([]apiGrant, error) {
	var out []apiGrant
	for _, of := range []apiGrant{{api: graphAPI, application: graph.GraphApplication}, {api: sharePointAPI, application: sharePointApplication}} {
		for _, p := range wanted {
			if p.API == of.api && slices.Contains(uses, p.Use) && offered(g.M365().Cloud(), p.Name) && !slices.Contains(of.names, p.Name) {
				of.names = append(of.names, p.Name)
			}
		}
		if len(of.names) == 0 {
			continue
		}
		var err error
		if of.resource, of.roles, err = rolesOfAPI(ctx, g, of.application, of.api, of.names); err != nil {
			return nil, err
		}
		out = append(out, of)
	}
	return out, nil
}

// sharePointApplication is SharePoint Online's client id, the same in every tenant.
const sharePointApplication = "00000003-0000-0ff1-ce00-000000000000"

// offered tells whether a cloud has what a permission is for: where there are no tasks there is no permission for them.
func offered(c m365.Cloud, permission string) bool {
	return c.Has(m365.ToDo) || !strings.HasPrefix(permission, "Tasks.")
}

// rolesOfAPI gives the service principal of an interface and the ids of permissions, which differ from cloud to cloud.
func rolesOfAPI(ctx context.Context, g *graph.Client, application, api string, names []string) (resource string, ids map[string]string, err error) {
	page, err := g.ServicePrincipals(ctx, application)
	if err != nil {
		return "", nil, fmt.Errorf("look up %s: %w", api, err)
	}
	if len(page.Value) != 1 {
		return "", nil, fmt.Errorf("the tenant does not know %s", api)
	}
	ids = map[string]string{}
	for _, r := range page.Value[0].AppRoles {
		ids[r.Value] = r.ID
	}
	for _, n := range names {
		if ids[n] == "" {
			return "", nil, fmt.Errorf("%s has no permission %s in this cloud", api, n)
		}
	}
	return page.Value[0].ID, ids, nil
}

// replicated calls again what fails because something that was just made is not known everywhere yet.
func (m *microsoft) replicated(ctx context.Context, call func() error) error {
	for end := m.clock.Now().Add(time.Minute); ; {
		err := call()
		kind := m365.KindOf(err)
		if err == nil || kind != m365.NotFound && kind != m365.Invalid || m.clock.Now().After(end) {
			return err
		}
		if err := m.clock.Sleep(ctx, effectiveEvery); err != nil {
			return err
		}
	}
}

// effective waits until an application signs in and its token has the permissions.
func (m *microsoft) effective(ctx context.Context, region holdfast.Region, cred holdfast.Credential, grants []apiGrant) error {
	org := holdfast.Organization{Region: region}
	for end := m.clock.Now().Add(effectiveWithin); ; {
		missing, err := m.lacks(ctx, org, cred, grants)
		if err == nil && len(missing) == 0 {
			return nil
		}
		var login *auth.Error
		wait := err == nil || errors.As(err, &login) && slices.Contains([]auth.Reason{auth.UnknownApplication, auth.BadCertificate, auth.NoConsent}, login.Reason)
		switch {
		case !wait:
			return forUser(err)
		case m.clock.Now().After(end) && err != nil:
			return forUser(err)
		case m.clock.Now().After(end):
			return holdfast.Unavailable("Microsoft Entra has not made %s effective within %s; try again later", strings.Join(missing, ", "), effectiveWithin)
		}
		if err := m.clock.Sleep(ctx, effectiveEvery); err != nil {
			return err
		}
	}
}

// lacks signs in anew and tells which of the permissions are not in the token.
func (m *microsoft) lacks(ctx context.Context, org holdfast.Organization, cred holdfast.Credential, grants []apiGrant) ([]string, error) {
	g, err := m.dial(org, cred)
	if err != nil {
		return nil, err
	}
	defer g.M365().Close()
	have, err := g.M365().Roles(ctx)
	if err != nil {
		return nil, err
	}
	var out []string
	for _, of := range grants {
		if of.api == sharePointAPI {
			known := false
			if len(out) > 0 {
				continue // Graph tells SharePoint's address only to who may read sites
			} else if have, known, err = sharePointRoles(ctx, g); err != nil {
				return nil, err
			} else if !known {
				continue // the organization has no SharePoint
			}
		}
		for _, n := range of.names {
			if !slices.Contains(have, n) {
				out = append(out, n)
			}
		}
	}
	return out, nil
}

// Discard deletes the application that was made.
func (m *microsoft) Discard(ctx context.Context, s service.AdminSignIn, cred holdfast.Credential) error {
	g, err := m.person(s)
	if err != nil {
		return err
	}
	defer g.M365().Close()
	return g.DeleteApplication(ctx, cred.ApplicationObject)
}

// Finish takes the scopes of the registration out of what the administrator consented to. What was consented to for the whole tenant is left: that
// was an administrator's decision about others, too.
func (m *microsoft) Finish(ctx context.Context, s service.AdminSignIn) error {
	g, err := m.person(s)
	if err != nil {
		return err
	}
	defer g.M365().Close()
	page, err := g.ServicePrincipals(ctx, m.signInApplication())
	if err != nil {
		return err
	}
	for _, principal := range page.Value {
		first, err := g.Consents(ctx, principal.ID)
		for k, err := range graph.All(ctx, g, first, err, graph.List{}) {
			if err != nil {
				return err
			}
			if k.Type != "Principal" || !strings.EqualFold(k.PrincipalID, s.ObjectID) {
				continue
			}
			rest := slices.DeleteFunc(strings.Fields(k.Scope), func(scope string) bool { return slices.Contains(registrationScopes, scope) })
			if err := g.LimitConsent(ctx, k.ID, rest); err != nil {
				return err
			}
		}
	}
	return nil
}

// AddCertificate makes a certificate and adds it to the application beside the one it has.
func (m *microsoft) AddCertificate(ctx context.Context, s *service.AdminSignIn, org holdfast.Organization, cred holdfast.Credential) (service.Renewal, error) {
	const name = "Holdfast"
	r := service.Renewal{Credential: cred, OldKey: cred.KeyID}
	made, err := auth.NewCertificate(name, m.clock.Now(), certificateLife)
	if err != nil {
		return r, err
	}
	pem, err := made.PEM()
	if err != nil {
		return r, err
	}
	key := graph.PublicKey(name, made.Certificate().Raw)
	r.Credential.Certificate, r.Credential.CertificatePassword, r.Credential.ApplicationSecret = holdfast.Secret(pem), "", ""
	if s != nil {
		err = m.addAs(ctx, *s, org, cred, &r, key)
	} else {
		err = m.addItself(ctx, org, cred, &r, key)
	}
	if err != nil {
		return r, err
	}
	if err := m.effective(ctx, org.Region, r.Credential, nil); err != nil {
		if cred.ApplicationObject != "" && r.Credential.KeyID != "" { // the key of what does not work must not stay
			err = errors.Join(err, m.RemoveCertificate(context.WithoutCancel(ctx), org, cred, r.Credential.KeyID))
		}
		return r, err
	}
	return r, nil
}

// addItself has the application add a key to itself.
func (m *microsoft) addItself(ctx context.Context, org holdfast.Organization, cred holdfast.Credential, r *service.Renewal, key graph.KeyCredential) error {
	proof, err := m.proof(cred)
	if err != nil {
		return err
	}
	g, err := m.dial(org, cred)
	if err != nil {
		return err
	}
	defer g.M365().Close()
	got, err := g.AddKey(ctx, cred.ApplicationObject, key, proof)
	if err != nil {
		return forUser(fmt.Errorf("add the new certificate: %w", err))
	}
	r.Credential.KeyID = got.KeyID
	return nil
}

func (m *microsoft) proof(cred holdfast.Credential) (string, error) {
	c, err := credentialOf(cred)
	if err != nil {
		return "", err
	}
	proof, err := c.Proof(cred.ApplicationObject, m.clock.Now())
	if err != nil {
		return "", holdfast.Invalid("%w", err)
	}
	return proof, nil
}

// addAs adds a key in the name of who signed in. All keys are sent, those that are there by their ids.
func (m *microsoft) addAs(ctx context.Context, s service.AdminSignIn, org holdfast.Organization, cred holdfast.Credential, r *service.Renewal, key graph.KeyCredential) error {
	if err := m.rightTenant(ctx, s, org.TenantID); err != nil {
		return err
	}
	g, err := m.person(s)
	if err != nil {
		return err
	}
	defer g.M365().Close()
	app, err := application(ctx, g, cred.ApplicationID)
	if err != nil {
		return err
	}
	keys := []any{key}
	known := map[string]bool{}
	for _, k := range app.Keys {
		keys = append(keys, map[string]any{"keyId": k.KeyID, "type": k.Type, "usage": k.Usage})
		known[k.KeyID] = true
	}
	if old, err := credentialOf(cred); err == nil && old.Certificate() != nil {
		sum := sha1.Sum(old.Certificate().Raw)
		for _, k := range app.Keys {
			if bytes.Equal(k.Thumbprint, sum[:]) {
				r.OldKey = k.KeyID
			}
		}
	}
	if err := g.UpdateApplication(ctx, app.ID, map[string]any{"keyCredentials": keys}); err != nil {
		return forUser(fmt.Errorf("add the new certificate: %w", err))
	}
	now, err := application(ctx, g, cred.ApplicationID)
	if err != nil {
		return err
	}
	r.Credential.ApplicationObject = app.ID
	for _, k := range now.Keys {
		if !known[k.KeyID] {
			r.Credential.KeyID = k.KeyID
		}
	}
	return nil
}

// application finds an application that is registered in the tenant.
func application(ctx context.Context, g *graph.Client, appID string) (*graph.Application, error) {
	page, err := g.Applications(ctx, appID)
	if err != nil {
		return nil, forUser(fmt.Errorf("look up application %s: %w", appID, err))
	}
	if len(page.Value) != 1 {
		return nil, holdfast.NotFound("the tenant has no registration of application %s", appID)
	}
	return &page.Value[0], nil
}

// RemoveCertificate has the application take its old certificate off itself.
func (m *microsoft) RemoveCertificate(ctx context.Context, org holdfast.Organization, cred holdfast.Credential, oldKey string) error {
	proof, err := m.proof(cred)
	if err != nil {
		return err
	}
	g, err := m.dial(org, cred)
	if err != nil {
		return err
	}
	defer g.M365().Close()
	return g.RemoveKey(ctx, cred.ApplicationObject, oldKey, proof)
}
