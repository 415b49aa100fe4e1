package sim

import (
	"crypto/sha1" //nolint:gosec // the thumbprint of a certificate is SHA-1 by definition
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"time"
)

// Applications, their service principals and what they are granted: as far as registering one and changing its certificate goes. The calls are
// for a person who signed in (device.go); an application may only change its own keys, by proving that it has one of them.

// application is one that the tenant knows. What it is granted follows from assignments, or is everything (all).
type application struct {
	id, appID, name string // object id, client id
	principal       string // object id of its service principal; empty for none yet
	secret          string
	keys            []appKey
	access          json.RawMessage // requiredResourceAccess
	microsoft       bool            // Microsoft's own: there is only a service principal here
	all             bool
	created         time.Time
	principalSince  time.Time // sign-ins work a while after
	assignments     []roleGrant
}

// appKey is a certificate of an application.
type appKey struct {
	id, name   string
	cert       *x509.Certificate
	start, end time.Time
}

// roleGrant is an application permission that was granted.
type roleGrant struct {
	id, role string // its own id, and the role's name
	resource string // client id of what it is a permission of
	created  time.Time
}

// consent is what a person let an application do in his name.
type consent struct {
	id, application string // object id of the service principal
	user            *User
	scopes          []string
}

// graphAppID is Microsoft Graph's, sharePointAppID SharePoint Online's, and commandLineAppID that of Microsoft Graph Command Line Tools: all are the same in
// every tenant. SharePoint's own interface goes by permissions of its own, of the same names as some of Graph's.
const (
	sharePointAppID  = "00000003-0000-0ff1-ce00-000000000000"
	graphAppID       = "00000003-0000-0000-c000-000000000000"
	commandLineAppID = "14d82eec-204b-4c2f-b7e8-296a70dab67e"
)

// openApplications gives the tenant what it begins with.
func (e *entra) openApplications() {
	t := e.s.tenant
	id := func(of string) string { return newRand(e.s.opt.Seed, "application "+of).uuid() }
	cert := t.cert
	e.apps = []*application{
		{id: id("object"), appID: t.ApplicationID, name: "Holdfast", principal: id("principal"), secret: t.ApplicationSecret, all: true, created: t.created,
			keys: []appKey{{id: id("key"), name: cert.Subject.CommonName, cert: cert, start: cert.NotBefore, end: cert.NotAfter}}},
		{id: id("portal object"), appID: t.PortalApplicationID, name: "Holdfast portal", principal: id("portal principal"), created: t.created},
		{appID: graphAppID, name: "Microsoft Graph", principal: id("graph"), microsoft: true, created: t.created},
		{appID: sharePointAppID, name: "Office 365 SharePoint Online", principal: id("sharepoint"), microsoft: true, created: t.created},
		{appID: commandLineAppID, name: "Microsoft Graph Command Line Tools", principal: id("command line"), microsoft: true, created: t.created},
	}
}

// appLocked finds an application by its client id.
func (e *entra) appLocked(appID string) *application {
	i := slices.IndexFunc(e.apps, func(a *application) bool { return strings.EqualFold(a.appID, appID) })
	if i < 0 {
		return nil
	}
	return e.apps[i]
}

// app finds an application that may sign in at this time.
func (e *entra) app(appID string, now time.Time) *application {
	e.mu.Lock()
	defer e.mu.Unlock()
	a := e.appLocked(appID)
	if a == nil || a.principal == "" || now.Before(a.principalSince.Add(e.s.opt.Replication)) && !a.principalSince.IsZero() {
		return nil
	}
	return a
}

// sharePointRoles are the application permissions that SharePoint's own interface knows.
var sharePointRoles = []string{"Sites.FullControl.All", "Sites.Manage.All", "Sites.Read.All", "Sites.ReadWrite.All"}

// permissionsOf are the application permissions of a resource.
func (e *entra) permissionsOf(resource string) []string {
	switch resource {
	case graphAppID:
		return e.s.allPermissions()
	case sharePointAppID:
		return sharePointRoles
	}
	return nil
}

// rolesOf are the application permissions in a token for a resource that is issued now.
func (e *entra) rolesOf(a *application, resource string, now time.Time) []string {
	e.mu.Lock()
	defer e.mu.Unlock()
	if a.all {
		return e.roles
	}
	out := []string{}
	for _, g := range a.assignments {
		if g.resource == resource && !now.Before(g.created.Add(e.s.opt.Replication)) {
			out = append(out, g.role)
		}
	}
	return out
}

// certificates are those by which an application may prove itself.
func (e *entra) certificates(a *application) []*x509.Certificate {
	e.mu.Lock()
	defer e.mu.Unlock()
	var out []*x509.Certificate
	for _, k := range a.keys {
		out = append(out, k.cert)
	}
	return out
}

// roleID is the id of an application permission of a resource; it differs from tenant to tenant here, so that nobody writes it down.
func (e *entra) roleID(resource, name string) string {
	return newRand(e.s.opt.Seed, "role "+resource+" "+name).uuid()
}

func (s *Sim) applicationRoutes() []Route {
	var out []Route
	add := func(method, pattern string, own bool, h Handler, scopes ...string) {
		out = append(out, Route{Host: HostGraph, Method: method, Pattern: "/v1.0" + pattern, Class: ClassIdentity, Delegated: scopes, OwnApplication: own, Handle: h})
	}
	const apps, roles, grants = "Application.ReadWrite.All", "AppRoleAssignment.ReadWrite.All", "DelegatedPermissionGrant.ReadWrite.All"
	add("GET", "/applications", false, s.applicationsList, "Application.Read.All", apps)
	add("POST", "/applications", false, s.applicationCreate, apps)
	add("GET", "/applications/{application}", false, s.applicationGet, "Application.Read.All", apps)
	add("PATCH", "/applications/{application}", false, s.applicationPatch, apps)
	add("DELETE", "/applications/{application}", false, s.applicationDelete, apps)
	add("POST", "/applications/{application}/addKey", true, s.applicationAddKey, apps)
	add("POST", "/applications/{application}/removeKey", true, s.applicationRemoveKey, apps)
	add("GET", "/servicePrincipals", false, s.principalsList, "Application.Read.All", apps)
	add("POST", "/servicePrincipals", false, s.principalCreate, apps)
	add("GET", "/servicePrincipals/{principal}", false, s.principalGet, "Application.Read.All", apps)
	add("GET", "/servicePrincipals/{principal}/appRoleAssignments", false, s.assignmentsList, "Application.Read.All", apps)
	add("POST", "/servicePrincipals/{principal}/appRoleAssignments", false, s.assignmentCreate, roles)
	add("DELETE", "/servicePrincipals/{principal}/appRoleAssignments/{assignment}", false, s.assignmentDelete, roles)
	add("GET", "/oauth2PermissionGrants", false, s.consentsList, grants)
	add("PATCH", "/oauth2PermissionGrants/{grant}", false, s.consentPatch, grants)
	add("DELETE", "/oauth2PermissionGrants/{grant}", false, s.consentDelete, grants)
	return out
}

func noSuch(id string) error {
	return Fail(404, "Request_ResourceNotFound", "Resource '%s' does not exist or one of its queried reference-property objects are not present.", id)
}

var applicationKnown = []string{"description", "identifierUris", "notes", "publisherDomain", "tags", "passwordCredentials", "api", "web", "appRoles", "info", "isFallbackPublicClient", "publicClient"}

func (e *entra) applicationMap(a *application) map[string]any {
	keys := []any{}
	for _, k := range a.keys {
		keys = append(keys, k.json())
	}
	access := any([]any{})
	if len(a.access) > 0 {
		access = a.access
	}
	return map[string]any{"id": a.id, "appId": a.appID, "displayName": a.name, "signInAudience": "AzureADMyOrg", "createdDateTime": stamp(a.created), "keyCredentials": keys,
		"requiredResourceAccess": access}
}

// json shows a key; its bytes are never shown but in the answer that made it, and then as null too.
func (k appKey) json() map[string]any {
	sum := sha1.Sum(k.cert.Raw) //nolint:gosec // see the import
	return map[string]any{"keyId": k.id, "displayName": k.name, "type": "AsymmetricX509Cert", "usage": "Verify", "key": nil,
		"customKeyIdentifier": base64.StdEncoding.EncodeToString(sum[:]), "startDateTime": stamp(k.start), "endDateTime": stamp(k.end)}
}

func applicationProject(m map[string]any, sel []string) (map[string]any, error) {
	return project(m, sel, "microsoft.graph.application", func(n string) bool { return slices.Contains(applicationKnown, n) })
}

func (s *Sim) applicationsList(c *Call) (*Reply, error) {
	s.entra.mu.Lock()
	var rows []func() map[string]any
	for _, a := range s.entra.apps {
		if !a.microsoft {
			m := s.entra.applicationMap(a)
			rows = append(rows, func() map[string]any { return m })
		}
	}
	s.entra.mu.Unlock()
	return s.directoryPage(c, "applications", rows, applicationProject)
}

// registered finds the application that a call names by its object id.
func (s *Sim) registeredLocked(c *Call) (*application, error) {
	id := c.Params["application"]
	for _, a := range s.entra.apps {
		if !a.microsoft && strings.EqualFold(a.id, id) {
			return a, nil
		}
	}
	return nil, noSuch(id)
}

// answerApplication shows an application as an answer.
func (s *Sim) answerApplication(c *Call, status int, a *application) (*Reply, error) {
	q, err := c.OData("select")
	if err != nil {
		return nil, err
	}
	m, err := applicationProject(s.entra.applicationMap(a), q.Select)
	if err != nil {
		return nil, err
	}
	m["@odata.context"] = c.context("applications/$entity")
	return JSON(status, m), nil
}

func (s *Sim) applicationGet(c *Call) (*Reply, error) {
	s.entra.mu.Lock()
	defer s.entra.mu.Unlock()
	a, err := s.registeredLocked(c)
	if err != nil {
		return nil, err
	}
	return s.answerApplication(c, 200, a)
}

// applicationBody is what may be set of an application.
type applicationBody struct {
	DisplayName            *string         `json:"displayName"`
	SignInAudience         *string         `json:"signInAudience"`
	KeyCredentials         []keyBody       `json:"keyCredentials"`
	RequiredResourceAccess json.RawMessage `json:"requiredResourceAccess"`
	Tags                   []string        `json:"tags"`
	Notes                  *string         `json:"notes"`
}

type keyBody struct {
	KeyID         string     `json:"keyId"`
	DisplayName   string     `json:"displayName"`
	Type          string     `json:"type"`
	Usage         string     `json:"usage"`
	Key           []byte     `json:"key"`
	Custom        []byte     `json:"customKeyIdentifier"`
	StartDateTime *time.Time `json:"startDateTime"`
	EndDateTime   *time.Time `json:"endDateTime"`
}

func badKey(text string) error {
	return Fail(400, "KeyCredentialsInvalid", "Key credential is invalid: %s", text)
}

// key reads a new certificate; it must be public only and, with dates, within its own.
func (b keyBody) read() (appKey, error) {
	cert, err := x509.ParseCertificate(b.Key)
	switch {
	case err != nil:
		return appKey{}, badKey("the value is no certificate.")
	case b.Type != "AsymmetricX509Cert" || b.Usage != "Verify":
		return appKey{}, badKey("type must be AsymmetricX509Cert and usage Verify.")
	case b.EndDateTime != nil && b.EndDateTime.After(cert.NotAfter), b.StartDateTime != nil && b.StartDateTime.Before(cert.NotBefore):
		return appKey{}, badKey("its dates lie beyond those of the certificate.")
	}
	k := appKey{id: newUUID(), name: b.DisplayName, cert: cert, start: cert.NotBefore, end: cert.NotAfter}
	if k.name == "" {
		k.name = cert.Subject.String()
	}
	return k, nil
}

// fill sets what the body has. keyCredentials replace all: one that is named by its id alone is kept.
func (a *application) fill(b applicationBody) error {
	if b.DisplayName != nil {
		a.name = *b.DisplayName
	}
	if len(b.RequiredResourceAccess) > 0 {
		a.access = b.RequiredResourceAccess
	}
	if b.KeyCredentials == nil {
		return nil
	}
	var keys []appKey
	for _, k := range b.KeyCredentials {
		if i := slices.IndexFunc(a.keys, func(have appKey) bool { return strings.EqualFold(have.id, k.KeyID) }); i >= 0 && len(k.Key) == 0 {
			keys = append(keys, a.keys[i])
			continue
		}
		made, err := k.read()
		if err != nil {
			return err
		}
		keys = append(keys, made)
	}
	a.keys = keys
	return nil
}

// decodeKnown reads a body whose every property must be known.
func (c *Call) decodeKnown(v any, typ string, names ...string) error {
	var all map[string]json.RawMessage
	if err := c.Decode(&all); err != nil {
		return err
	}
	for n := range all {
		if !strings.Contains(n, "@") && !slices.Contains(names, n) {
			return Fail(400, "Request_BadRequest", "Invalid property '%s' of type '%s'.", n, typ)
		}
	}
	return c.Decode(v)
}

func (s *Sim) applicationCreate(c *Call) (*Reply, error) {
	var b applicationBody
	if err := c.decodeKnown(&b, "application", "displayName", "signInAudience", "keyCredentials", "requiredResourceAccess", "tags", "notes"); err != nil {
		return nil, err
	}
	if b.DisplayName == nil || *b.DisplayName == "" {
		return nil, Fail(400, "Request_BadRequest", "A value is required for property 'displayName' of resource 'Application'.")
	}
	a := &application{id: newUUID(), appID: newUUID(), created: c.Now}
	if err := a.fill(b); err != nil {
		return nil, err
	}
	s.entra.mu.Lock()
	defer s.entra.mu.Unlock()
	s.entra.apps = append(s.entra.apps, a)
	return s.answerApplication(c, 201, a)
}

func (s *Sim) applicationPatch(c *Call) (*Reply, error) {
	var b applicationBody
	if err := c.decodeKnown(&b, "application", "displayName", "signInAudience", "keyCredentials", "requiredResourceAccess", "tags", "notes"); err != nil {
		return nil, err
	}
	s.entra.mu.Lock()
	defer s.entra.mu.Unlock()
	a, err := s.registeredLocked(c)
	if err != nil {
		return nil, err
	}
	return nil, a.fill(b)
}

func (s *Sim) applicationDelete(c *Call) (*Reply, error) {
	s.entra.mu.Lock()
	defer s.entra.mu.Unlock()
	a, err := s.registeredLocked(c)
	if err != nil {
		return nil, err
	}
	s.entra.apps = slices.DeleteFunc(s.entra.apps, func(x *application) bool { return x == a })
	return nil, nil
}

// own says that a call is by the application that it is about, or by a person.
func (c *Call) own(a *application) error {
	if c.Person == nil && !strings.EqualFold(c.App, a.appID) {
		return Fail(http.StatusForbidden, "Authorization_RequestDenied", "Insufficient privileges to complete the operation.")
	}
	return nil
}

// proof checks that whoever calls has one of the application's keys: a JWT signed with it, issued by the application's object, for the directory,
// of at most ten minutes.
func (s *Sim) proof(c *Call, a *application, text string) error {
	bad := Fail(http.StatusUnauthorized, "Authentication_MissingOrMalformed", "Access Token missing or malformed.")
	for _, k := range a.keys {
		h, p, err := verifyJWT(text, k.cert)
		if err != nil || !c.Now.Before(k.end) {
			continue
		}
		exp, err1 := p.Exp.Float64()
		nbf, err2 := p.Nbf.Float64()
		now := float64(c.Now.Unix())
		if h.Typ != "JWT" || p.Aud != "00000002-0000-0000-c000-000000000000" || !strings.EqualFold(p.Iss, a.id) || err1 != nil || err2 != nil || exp-nbf > 600 || now > exp || now < nbf-300 {
			return bad
		}
		return nil
	}
	return bad
}

func (s *Sim) applicationAddKey(c *Call) (*Reply, error) {
	var b struct {
		KeyCredential      keyBody         `json:"keyCredential"`
		PasswordCredential json.RawMessage `json:"passwordCredential"`
		Proof              string          `json:"proof"`
	}
	if err := c.decodeKnown(&b, "application", "keyCredential", "passwordCredential", "proof"); err != nil {
		return nil, err
	}
	s.entra.mu.Lock()
	defer s.entra.mu.Unlock()
	a, err := s.registeredLocked(c)
	if err != nil {
		return nil, err
	}
	if err := c.own(a); err != nil {
		return nil, err
	}
	if err := s.proof(c, a, b.Proof); err != nil {
		return nil, err
	}
	k, err := b.KeyCredential.read()
	if err != nil {
		return nil, err
	}
	a.keys = append(a.keys, k)
	m := k.json()
	m["@odata.context"] = c.context("microsoft.graph.keyCredential")
	return JSON(200, m), nil
}

func (s *Sim) applicationRemoveKey(c *Call) (*Reply, error) {
	var b struct {
		KeyID string `json:"keyId"`
		Proof string `json:"proof"`
	}
	if err := c.decodeKnown(&b, "application", "keyId", "proof"); err != nil {
		return nil, err
	}
	s.entra.mu.Lock()
	defer s.entra.mu.Unlock()
	a, err := s.registeredLocked(c)
	if err != nil {
		return nil, err
	}
	if err := c.own(a); err != nil {
		return nil, err
	}
	if err := s.proof(c, a, b.Proof); err != nil {
		return nil, err
	}
	i := slices.IndexFunc(a.keys, func(k appKey) bool { return strings.EqualFold(k.id, b.KeyID) })
	if i < 0 {
		return nil, Fail(400, "Request_BadRequest", "No credentials found to be removed.")
	}
	a.keys = slices.Delete(slices.Clone(a.keys), i, i+1)
	return nil, nil
}

// --- service principals ----------------------------------------------------------------------------------------------

var principalKnown = []string{"accountEnabled", "appDescription", "description", "homepage", "keyCredentials", "loginUrl", "notes", "replyUrls", "tags", "appRoleAssignmentRequired", "servicePrincipalNames"}

func (e *entra) principalMap(a *application) map[string]any {
	roles := []any{}
	for _, name := range e.permissionsOf(a.appID) {
		roles = append(roles, map[string]any{"id": e.roleID(a.appID, name), "value": name, "displayName": name, "description": name, "isEnabled": true, "origin": "Application", "allowedMemberTypes": []string{"Application"}})
	}
	return map[string]any{"id": a.principal, "appId": a.appID, "displayName": a.name, "appDisplayName": a.name, "servicePrincipalType": "Application", "signInAudience": "AzureADMyOrg",
		"appRoles": roles, "oauth2PermissionScopes": []any{}}
}

func principalProject(m map[string]any, sel []string) (map[string]any, error) {
	return project(m, sel, "microsoft.graph.servicePrincipal", func(n string) bool { return slices.Contains(principalKnown, n) })
}

func (s *Sim) principalsList(c *Call) (*Reply, error) {
	s.entra.mu.Lock()
	var all []*application
	for _, a := range s.entra.apps {
		if a.principal != "" {
			all = append(all, a)
		}
	}
	s.entra.mu.Unlock()
	var rows []func() map[string]any
	for _, a := range all {
		rows = append(rows, func() map[string]any { return s.entra.principalMap(a) })
	}
	return s.directoryPage(c, "servicePrincipals", rows, principalProject)
}

func (s *Sim) principalLocked(c *Call) (*application, error) {
	id := c.Params["principal"]
	for _, a := range s.entra.apps {
		if a.principal != "" && strings.EqualFold(a.principal, id) {
			return a, nil
		}
	}
	return nil, noSuch(id)
}

func (s *Sim) answerPrincipal(c *Call, status int, a *application) (*Reply, error) {
	q, err := c.OData("select")
	if err != nil {
		return nil, err
	}
	m, err := principalProject(s.entra.principalMap(a), q.Select)
	if err != nil {
		return nil, err
	}
	m["@odata.context"] = c.context("servicePrincipals/$entity")
	return JSON(status, m), nil
}

func (s *Sim) principalGet(c *Call) (*Reply, error) {
	s.entra.mu.Lock()
	a, err := s.principalLocked(c)
	s.entra.mu.Unlock()
	if err != nil {
		return nil, err
	}
	return s.answerPrincipal(c, 200, a)
}

func (s *Sim) principalCreate(c *Call) (*Reply, error) {
	var b struct {
		AppID string `json:"appId"`
	}
	if err := c.decodeKnown(&b, "servicePrincipal", "appId", "tags"); err != nil {
		return nil, err
	}
	s.entra.mu.Lock()
	a := s.entra.appLocked(b.AppID)
	var err error
	switch {
	case a == nil:
		err = Fail(400, "Request_BadRequest", "The appId '%s' of the service principal does not reference a valid application object.", b.AppID)
	case a.principal != "":
		err = Fail(409, "Request_MultipleObjectsWithSameKeyValue", "The service principal cannot be created, updated, or restored because the service principal name %s is already in use.", b.AppID)
	default:
		a.principal, a.principalSince = newUUID(), c.Now
	}
	s.entra.mu.Unlock()
	if err != nil {
		return nil, err
	}
	return s.answerPrincipal(c, 201, a)
}

func (e *entra) assignmentMap(a *application, g roleGrant) map[string]any {
	resource := e.appLocked(g.resource)
	return map[string]any{"id": g.id, "appRoleId": e.roleID(g.resource, g.role), "createdDateTime": stamp(g.created), "principalDisplayName": a.name, "principalId": a.principal,
		"principalType": "ServicePrincipal", "resourceDisplayName": resource.name, "resourceId": resource.principal}
}

func (s *Sim) assignmentsList(c *Call) (*Reply, error) {
	s.entra.mu.Lock()
	a, err := s.principalLocked(c)
	var rows []func() map[string]any
	if err == nil {
		granted := a.assignments
		if a.all {
			for _, resource := range []string{graphAppID, sharePointAppID} {
				names := s.entra.roles
				if names == nil {
					names = s.entra.permissionsOf(resource)
				}
				for _, n := range names {
					if slices.Contains(s.entra.permissionsOf(resource), n) {
						granted = append(granted, roleGrant{id: newRand(s.opt.Seed, "assignment "+resource+" "+n).uuid(), role: n, resource: resource, created: a.created})
					}
				}
			}
		}
		for _, g := range granted {
			m := s.entra.assignmentMap(a, g)
			rows = append(rows, func() map[string]any { return m })
		}
	}
	s.entra.mu.Unlock()
	if err != nil {
		return nil, err
	}
	return s.directoryPage(c, "appRoleAssignments", rows, func(m map[string]any, sel []string) (map[string]any, error) {
		return project(m, sel, "microsoft.graph.appRoleAssignment", func(string) bool { return false })
	})
}

func (s *Sim) assignmentCreate(c *Call) (*Reply, error) {
	var b struct {
		PrincipalID string `json:"principalId"`
		ResourceID  string `json:"resourceId"`
		AppRoleID   string `json:"appRoleId"`
	}
	if err := c.decodeKnown(&b, "appRoleAssignment", "principalId", "resourceId", "appRoleId"); err != nil {
		return nil, err
	}
	if !c.Person.administrator() {
		return nil, Fail(http.StatusForbidden, "Authorization_RequestDenied", "Insufficient privileges to complete the operation.")
	}
	s.entra.mu.Lock()
	defer s.entra.mu.Unlock()
	a, err := s.principalLocked(c)
	resource := ""
	for _, of := range []string{graphAppID, sharePointAppID} {
		if strings.EqualFold(b.ResourceID, s.entra.appLocked(of).principal) {
			resource = of
		}
	}
	names := s.entra.permissionsOf(resource)
	i := slices.IndexFunc(names, func(n string) bool { return s.entra.roleID(resource, n) == strings.ToLower(b.AppRoleID) })
	switch {
	case err != nil:
		return nil, err
	case !strings.EqualFold(b.PrincipalID, a.principal), resource == "":
		return nil, Fail(400, "Request_BadRequest", "One or more properties are invalid.")
	case i < 0:
		return nil, Fail(400, "Request_BadRequest", "Permission being assigned was not found on application.")
	case slices.ContainsFunc(a.assignments, func(g roleGrant) bool { return g.resource == resource && g.role == names[i] }):
		return nil, Fail(400, "Request_BadRequest", "Permission being assigned already exists on the object.")
	}
	g := roleGrant{id: newUUID(), role: names[i], resource: resource, created: c.Now}
	a.assignments = append(a.assignments, g)
	m := s.entra.assignmentMap(a, g)
	m["@odata.context"] = c.context("appRoleAssignments/$entity")
	return JSON(201, m), nil
}

func (s *Sim) assignmentDelete(c *Call) (*Reply, error) {
	s.entra.mu.Lock()
	defer s.entra.mu.Unlock()
	a, err := s.principalLocked(c)
	if err != nil {
		return nil, err
	}
	i := slices.IndexFunc(a.assignments, func(g roleGrant) bool { return strings.EqualFold(g.id, c.Params["assignment"]) })
	if i < 0 {
		return nil, noSuch(c.Params["assignment"])
	}
	a.assignments = slices.Delete(slices.Clone(a.assignments), i, i+1)
	return nil, nil
}

// --- what people consented to ----------------------------------------------------------------------------------------

func (e *entra) consentMap(k *consent) map[string]any {
	return map[string]any{"id": k.id, "clientId": k.application, "consentType": "Principal", "principalId": k.user.ID, "resourceId": e.appLocked(graphAppID).principal, "scope": strings.Join(k.scopes, " ")}
}

func (s *Sim) consentsList(c *Call) (*Reply, error) {
	s.entra.mu.Lock()
	var rows []func() map[string]any
	for _, k := range s.entra.consents {
		m := s.entra.consentMap(k)
		rows = append(rows, func() map[string]any { return m })
	}
	s.entra.mu.Unlock()
	return s.directoryPage(c, "oauth2PermissionGrants", rows, func(m map[string]any, sel []string) (map[string]any, error) {
		return project(m, sel, "microsoft.graph.oAuth2PermissionGrant", func(string) bool { return false })
	})
}

func (s *Sim) consentPatch(c *Call) (*Reply, error) {
	var b struct {
		Scope string `json:"scope"`
	}
	if err := c.decodeKnown(&b, "oAuth2PermissionGrant", "scope"); err != nil {
		return nil, err
	}
	s.entra.mu.Lock()
	defer s.entra.mu.Unlock()
	for _, k := range s.entra.consents {
		if k.id == c.Params["grant"] {
			k.scopes = strings.Fields(b.Scope)
			return nil, nil
		}
	}
	return nil, noSuch(c.Params["grant"])
}

func (s *Sim) consentDelete(c *Call) (*Reply, error) {
	s.entra.mu.Lock()
	defer s.entra.mu.Unlock()
	n := len(s.entra.consents)
	if s.entra.consents = slices.DeleteFunc(s.entra.consents, func(k *consent) bool { return k.id == c.Params["grant"] }); len(s.entra.consents) == n {
		return nil, noSuch(c.Params["grant"])
	}
	return nil, nil
}
