package sim

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1" //nolint:gosec // x5t is a SHA-1 thumbprint by definition
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"
)

// entra is the identity service: one application with a secret and a certificate, which may also sign users in, a public one that does only
// that (signin.go), and those that are registered (applications.go) by who signed in with a device code (device.go).
type entra struct {
	s   *Sim
	key func() (*rsa.PrivateKey, error) // signs access tokens

	mu       sync.Mutex // guards all below
	issued   map[string]grant
	used     map[string]time.Time // jti of assertions -> expiry
	roles    []string             // application permissions of the tenant's own application; nil grants all
	revoked  time.Time
	codes    map[string]code // authorization codes by their text
	replies  []string        // registered redirect URIs
	apps     []*application
	consents []*consent
	devices  map[string]*device // by device code
}

type grant struct {
	app, audience string
	expires       time.Time
	issued        time.Time
	roles         []string
	bySecret      bool
	user          *User    // who signed in; nil for an application's own token
	scopes        []string // of a user's token
}

func newEntra(s *Sim) *entra {
	e := &entra{s: s, issued: map[string]grant{}, used: map[string]time.Time{}, codes: map[string]code{}, devices: map[string]*device{}, roles: s.opt.Roles, replies: s.tenant.RedirectURIs,
		key: sync.OnceValues(func() (*rsa.PrivateKey, error) { return rsa.GenerateKey(rand.Reader, 2048) })}
	e.openApplications()
	return e
}

func (s *Sim) entraRoutes() []Route {
	var out []Route
	add := func(method, pattern string, h Handler) {
		out = append(out, Route{Host: HostLogin, Method: method, Pattern: pattern, Public: true, Handle: h})
	}
	add("GET", "/{tenant}/v2.0/.well-known/openid-configuration", s.entra.openid)
	add("GET", "/{tenant}/.well-known/openid-configuration", s.entra.openid)
	add("GET", "/{tenant}/discovery/v2.0/keys", s.entra.keys)
	add("GET", "/{tenant}/discovery/keys", s.entra.keys)
	add("GET", "/common/discovery/instance", s.entra.instance)
	add("POST", "/{tenant}/oauth2/v2.0/token", s.entra.token)
	add("GET", "/{tenant}/oauth2/v2.0/authorize", s.entra.signInPage)
	add("POST", "/{tenant}/oauth2/v2.0/authorize", s.entra.signIn)
	add("POST", "/{tenant}/oauth2/v2.0/devicecode", s.entra.deviceCode)
	for _, page := range []string{"/{tenant}/oauth2/deviceauth", "/devicelogin"} {
		add("GET", page, s.entra.devicePage)
		add("POST", page, s.entra.deviceSignIn)
	}
	return out
}

// knows refuses tenants other than the simulated one; common and organizations are for users, not for applications.
func (e *entra) knows(tenant string) error {
	t := e.s.tenant.Tenant
	if strings.EqualFold(tenant, t.TenantID) || strings.EqualFold(tenant, t.Domain) {
		return nil
	}
	return aadsts(400, "invalid_request", 90002, "Tenant '%s' not found. Check to make sure you have the correct tenant ID and are signing into the correct cloud.", tenant)
}

func (e *entra) openid(c *Call) (*Reply, error) {
	tenant := strings.ToLower(c.Params["tenant"])
	if tenant != "common" && tenant != "organizations" {
		if err := e.knows(tenant); err != nil {
			return nil, err
		}
		tenant = e.s.tenant.TenantID
	} else {
		tenant = "{tenantid}"
	}
	base := "https://" + c.Host + "/" + tenant
	path := base
	if tenant == "{tenantid}" {
		path = "https://" + c.Host + "/" + strings.ToLower(c.Params["tenant"])
	}
	return JSON(200, map[string]any{
		"token_endpoint":                        path + "/oauth2/v2.0/token",
		"token_endpoint_auth_methods_supported": []string{"client_secret_post", "private_key_jwt", "client_secret_basic"},
		"jwks_uri":                              path + "/discovery/v2.0/keys",
		"response_modes_supported":              []string{"query"},
		"subject_types_supported":               []string{"pairwise"},
		"id_token_signing_alg_values_supported": []string{"RS256"},
		"response_types_supported":              []string{"code"}, // the service has more, which are not simulated
		"code_challenge_methods_supported":      []string{"plain", "S256"},
		"scopes_supported":                      []string{"openid", "profile", "email", "offline_access"},
		"issuer":                                base + "/v2.0",
		"authorization_endpoint":                path + "/oauth2/v2.0/authorize",
		"device_authorization_endpoint":         path + "/oauth2/v2.0/devicecode",
		"end_session_endpoint":                  path + "/oauth2/v2.0/logout",
		"userinfo_endpoint":                     "https://" + e.s.cloud.graph + "/oidc/userinfo",
		"claims_supported":                      []string{"sub", "iss", "aud", "exp", "iat", "nonce", "preferred_username", "name", "tid", "ver"},
		"tenant_region_scope":                   "EU",
		"cloud_instance_name":                   e.s.cloud.instance,
		"cloud_graph_host_name":                 "graph.windows.net",
		"msgraph_host":                          e.s.cloud.graph,
		"rbac_url":                              "https://pas.windows.net",
	}), nil
}

func (e *entra) instance(c *Call) (*Reply, error) {
	return JSON(200, map[string]any{
		"tenant_discovery_endpoint": "https://" + c.Host + "/" + e.s.tenant.TenantID + "/v2.0/.well-known/openid-configuration",
		"api-version":               "1.1",
		"metadata": []map[string]any{{
			"preferred_network": e.s.cloud.login[0], "preferred_cache": e.s.cloud.login[len(e.s.cloud.login)-1],
			"aliases": slices.Concat(e.s.cloud.login, []string{e.s.cloud.issuer}),
		}},
	}), nil
}

func (e *entra) keys(*Call) (*Reply, error) {
	k, err := e.key()
	if err != nil {
		return nil, err
	}
	return JSON(200, map[string]any{"keys": []map[string]any{{
		"kty": "RSA", "use": "sig", "kid": keyID(k), "x5t": keyID(k),
		"n": b64(k.N.Bytes()), "e": b64(big.NewInt(int64(k.E)).Bytes()),
		"issuer": e.issuer("2.0"),
	}}}), nil
}

func b64(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

func keyID(k *rsa.PrivateKey) string {
	sum := sha256.Sum256(k.N.Bytes())
	return b64(sum[:20])
}

func (e *entra) token(c *Call) (*Reply, error) {
	tenant := strings.ToLower(c.Params["tenant"])
	shared := tenant == "common" || tenant == "organizations"
	if !shared {
		if err := e.knows(tenant); err != nil {
			return nil, err
		}
	}
	if ct := c.Header.Get("Content-Type"); !strings.HasPrefix(strings.ToLower(ct), "application/x-www-form-urlencoded") {
		return nil, aadsts(400, "invalid_request", 900144, "The request body must contain the following parameter: 'grant_type'.")
	}
	f, err := url.ParseQuery(string(c.Body))
	if err != nil {
		return nil, aadsts(400, "invalid_request", 9000411, "The request is not properly formatted.")
	}
	if u, p, ok := (&http.Request{Header: c.Header}).BasicAuth(); ok {
		for key, v := range map[string]string{"client_id": u, "client_secret": p} {
			text, err := url.QueryUnescape(v)
			if err != nil {
				return nil, aadsts(400, "invalid_request", 9000411, "The request is not properly formatted.")
			}
			f.Set(key, text)
		}
	}
	id := f.Get("client_id")
	switch {
	case f.Get("grant_type") == "":
		return nil, aadsts(400, "invalid_request", 900144, "The request body must contain the following parameter: 'grant_type'.")
	case !slices.Contains([]string{"client_credentials", "authorization_code", deviceGrant}, f.Get("grant_type")):
		return nil, aadsts(400, "unsupported_grant_type", 70003, "The app requested an unsupported grant type '%s'.", f.Get("grant_type"))
	case id == "":
		return nil, aadsts(400, "invalid_request", 900144, "The request body must contain the following parameter: 'client_id'.")
	case f.Get("grant_type") == "authorization_code" && e.application(id) != "":
		return e.redeem(c, f)
	case f.Get("grant_type") == deviceGrant:
		return e.deviceToken(c, f)
	case shared: // common and organizations are for users, not for applications
		return nil, e.knows(tenant)
	}
	a := e.app(id, c.Now)
	if a == nil {
		return nil, aadsts(400, "unauthorized_client", 700016, unknownApplication, id, e.s.tenant.Domain)
	}
	return e.clientCredentials(c, f, a)
}

const unknownApplication = "Application with identifier '%s' was not found in the directory '%s'. This can happen if the application has not been installed by the administrator of the tenant or consented to by any user in the tenant. You may have sent your authentication request to the wrong tenant."

// clientCredentials gives an application a token of its own.
func (e *entra) clientCredentials(c *Call, f url.Values, a *application) (*Reply, error) {
	// Microsoft's own libraries add the scopes of OpenID Connect, which the service ignores here (msal-go, accesstokens.AppendDefaultScopes).
	scope := strings.Join(slices.DeleteFunc(strings.Fields(f.Get("scope")), func(p string) bool {
		return slices.Contains([]string{"openid", "offline_access", "profile"}, p)
	}), " ")
	if scope == ".default" { // without a resource, Microsoft Graph is meant (identity platform, scopes and permissions); rclone asks so
		scope = "https://" + e.s.cloud.graph + "/.default"
	}
	audience, ok := strings.CutSuffix(scope, "/.default")
	if scope == "" {
		return nil, aadsts(400, "invalid_request", 900144, "The request body must contain the following parameter: 'scope'.")
	}
	if !ok {
		return nil, aadsts(400, "invalid_scope", 1002012, "The provided value for scope %s is not valid. Client credential flows must have a scope value with /.default suffixed to the resource identifier (application ID URI).", scope)
	}
	audience = strings.TrimSuffix(audience, "/")
	if u, err := url.Parse(audience); err != nil || u.Scheme != "https" || e.s.hosts[u.Host] == 0 || e.s.hosts[u.Host] == HostLogin {
		return nil, aadsts(400, "invalid_resource", 500011, "The resource principal named %s was not found in the tenant named %s.", audience, e.s.tenant.Domain)
	}
	if err := e.proveApplication(c, f, a); err != nil {
		return nil, err
	}
	tok, err := e.issue(a, audience, c.Now, f.Get("client_assertion") == "")
	if err != nil {
		return nil, err
	}
	life := int(e.s.opt.TokenLife.Seconds())
	return JSON(200, map[string]any{"token_type": "Bearer", "expires_in": life, "ext_expires_in": life, "access_token": tok}).With("Cache-Control", "no-store, no-cache"), nil
}

// proveApplication checks the client assertion or the secret of a confidential application.
func (e *entra) proveApplication(c *Call, f url.Values, app *application) error {
	if a := f.Get("client_assertion"); a != "" || f.Get("client_assertion_type") != "" {
		if f.Get("client_assertion_type") != "urn:ietf:params:oauth:client-assertion-type:jwt-bearer" {
			return aadsts(400, "invalid_request", 7000214, "The client_assertion_type is not supported.")
		}
		if err := e.verifyAssertion(c, a, app); err != nil {
			return err
		}
	} else {
		switch secret := f.Get("client_secret"); {
		case secret == "":
			return aadsts(401, "invalid_client", 7000218, "The request body must contain the following parameter: 'client_assertion' or 'client_secret'.")
		case secret != app.secret:
			return aadsts(401, "invalid_client", 7000215, "Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, not the client secret ID, for a secret added to app '%s'.", app.appID)
		}
	}
	return nil
}

// base64Alphabet makes base64url of either alphabet: msal-go writes thumbprints in the standard one, which the service takes.
var base64Alphabet = strings.NewReplacer("+", "-", "/", "_", "=", "")

// verifyAssertion checks a client assertion: header, thumbprint, signature, audience, issuer, times.
func (e *entra) verifyAssertion(c *Call, a string, app *application) error {
	bad := func(code int, format string, args ...any) error {
		return aadsts(401, "invalid_client", code, format, args...)
	}
	h, p, err := readJWT(a)
	if err != nil {
		return bad(50027, "JWT token is invalid or malformed.")
	}
	certs := e.certificates(app)
	i := slices.IndexFunc(certs, h.names)
	if i < 0 {
		return bad(700027, "The certificate with identifier used to sign the client assertion is not registered on application. [Reason - The key was not found.]")
	}
	if !slices.Contains([]string{"PS256", "RS256"}, h.Alg) {
		return bad(5002738, "Invalid JWT token. '%s' is not a supported signature algorithm.", h.Alg)
	}
	if _, _, err = verifyJWT(a, certs[i]); err != nil || c.Now.After(certs[i].NotAfter) {
		return bad(700027, "Client assertion failed signature validation. [Reason - The key used is expired or the signature does not match.]")
	}
	auds := []string{}
	for _, t := range []string{e.s.tenant.TenantID, e.s.tenant.Domain, "organizations", "common"} {
		base := "https://" + c.Host + "/" + t
		auds = append(auds, base+"/oauth2/v2.0/token", base+"/oauth2/token", base+"/v2.0", base+"/")
	}
	if !slices.Contains(auds, p.Aud) {
		return bad(700023, "Client assertion audience claim does not match Realm issuer. Review the documentation at https://docs.microsoft.com/azure/active-directory/develop/active-directory-certificate-credentials.")
	}
	if p.Iss != app.appID || p.Sub != app.appID {
		return bad(700030, "Invalid certificate - subject name in certificate is not authorized. Issuer and subject of the assertion must be the application '%s'.", app.appID)
	}
	exp, errExp := p.Exp.Float64()
	if errExp != nil {
		return bad(50027, "JWT token is invalid or malformed. The claim 'exp' is missing.")
	}
	const skew = 5 * 60
	now := float64(c.Now.Unix())
	nbf, errNbf := p.Nbf.Float64()
	if exp+skew < now || errNbf == nil && nbf > now+skew {
		return bad(700024, "Client assertion is not within its valid time range. Current time: %s, expiry time of assertion %s.", c.Now.Format(time.RFC3339), time.Unix(int64(exp), 0).UTC().Format(time.RFC3339))
	}
	if exp > now+24*3600 {
		return bad(700024, "Client assertion is not within its valid time range. Its life is above 24 hours.")
	}
	if p.JTI == "" {
		return nil
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	for j, t := range e.used {
		if t.Before(c.Now) {
			delete(e.used, j)
		}
	}
	e.used[p.JTI] = time.Unix(int64(exp)+skew, 0)
	return nil
}

// jwtHead and jwtClaims are what is looked at of a token that a client signed.
type jwtHead struct {
	Alg     string `json:"alg"`
	Typ     string `json:"typ"`
	X5T     string `json:"x5t"`
	X5TS256 string `json:"x5t#S256"`
	KID     string `json:"kid"`
}

type jwtClaims struct {
	Aud string      `json:"aud"`
	Iss string      `json:"iss"`
	Sub string      `json:"sub"`
	JTI string      `json:"jti"`
	Exp json.Number `json:"exp"`
	Nbf json.Number `json:"nbf"`
}

// names tells whether the header names a certificate as the one that signed.
func (h jwtHead) names(cert *x509.Certificate) bool {
	s1, s2 := sha1.Sum(cert.Raw), sha256.Sum256(cert.Raw) //nolint:gosec // see the import
	switch {
	case h.X5TS256 != "":
		return base64Alphabet.Replace(h.X5TS256) == b64(s2[:])
	case h.X5T != "":
		return base64Alphabet.Replace(h.X5T) == b64(s1[:]) || strings.EqualFold(h.X5T, fmt.Sprintf("%X", s1))
	case h.KID != "":
		return strings.EqualFold(h.KID, fmt.Sprintf("%X", s1))
	}
	return false
}

var errJWT = errors.New("no JWT")

func readJWT(text string) (h jwtHead, p jwtClaims, err error) {
	parts := strings.Split(text, ".")
	if len(parts) != 3 {
		return h, p, errJWT
	}
	if _, err := base64.RawURLEncoding.DecodeString(parts[2]); err != nil || decodePart(parts[0], &h) != nil || decodePart(parts[1], &p) != nil {
		return h, p, errJWT
	}
	return h, p, nil
}

// verifyJWT reads a token that the key of a certificate must have signed.
func verifyJWT(text string, cert *x509.Certificate) (h jwtHead, p jwtClaims, err error) {
	if h, p, err = readJWT(text); err != nil {
		return h, p, err
	}
	pub, ok := cert.PublicKey.(*rsa.PublicKey)
	if !ok {
		return h, p, errors.New("the certificate has no RSA key")
	}
	at := strings.LastIndexByte(text, '.')
	sig, err := base64.RawURLEncoding.DecodeString(text[at+1:])
	if err != nil {
		return h, p, errJWT
	}
	sum := sha256.Sum256([]byte(text[:at]))
	switch h.Alg {
	case "PS256":
		err = rsa.VerifyPSS(pub, crypto.SHA256, sum[:], sig, &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash})
	case "RS256":
		err = rsa.VerifyPKCS1v15(pub, crypto.SHA256, sum[:], sig)
	default:
		err = errJWT
	}
	return h, p, err
}

func decodePart(s string, v any) error {
	b, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(s, "="))
	if err != nil {
		return err
	}
	return json.Unmarshal(b, v)
}

// issuer is who has issued a token of that version.
func (e *entra) issuer(version string) string {
	if version == "1.0" {
		return "https://" + e.s.cloud.issuer + "/" + e.s.tenant.TenantID + "/"
	}
	return "https://" + e.s.cloud.login[0] + "/" + e.s.tenant.TenantID + "/v2.0"
}

// sign makes a token of claims, signed with the key that the JWKS names.
func (e *entra) sign(claims map[string]any) (string, error) {
	k, err := e.key()
	if err != nil {
		return "", err
	}
	head, err := json.Marshal(map[string]any{"typ": "JWT", "alg": "RS256", "kid": keyID(k), "x5t": keyID(k)})
	if err != nil {
		return "", err
	}
	body, err := json.Marshal(claims)
	if err != nil {
		return "", err
	}
	signed := b64(head) + "." + b64(body)
	sum := sha256.Sum256([]byte(signed))
	sig, err := rsa.SignPKCS1v15(rand.Reader, k, crypto.SHA256, sum[:])
	if err != nil {
		return "", err
	}
	return signed + "." + b64(sig), nil
}

// issue signs an access token and remembers it.
func (e *entra) issue(a *application, audience string, now time.Time, bySecret bool) (string, error) {
	resource := graphAppID
	if u, err := url.Parse(audience); err == nil && strings.HasSuffix(u.Host, "."+e.s.cloud.sharePoint) {
		resource = sharePointAppID
	}
	roles := e.rolesOf(a, resource, now)
	if roles == nil {
		roles = e.permissionsOf(resource)
	}
	exp := now.Add(e.s.opt.TokenLife)
	how := "2"
	if bySecret {
		how = "1"
	}
	tok, err := e.sign(map[string]any{
		"aud": audience, "iss": e.issuer("1.0"), "iat": now.Unix(), "nbf": now.Unix(), "exp": exp.Unix(),
		"app_displayname": a.name, "appid": a.appID, "appidacr": how, "idtyp": "app", "roles": roles,
		"tid": e.s.tenant.TenantID, "uti": newUUID(), "ver": "1.0",
	})
	if err != nil {
		return "", err
	}
	e.remember(tok, grant{app: a.appID, audience: audience, expires: exp, issued: now, roles: roles, bySecret: bySecret})
	return tok, nil
}

// remember keeps a token that was issued, and forgets old ones.
func (e *entra) remember(tok string, g grant) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for t, old := range e.issued {
		if old.expires.Add(24 * time.Hour).Before(g.issued) {
			delete(e.issued, t)
		}
	}
	e.issued[tok] = g
}

// authorize checks the bearer token of a call and that it carries one of the route's permissions.
func (e *entra) authorize(c *Call) error {
	unauthorized := func(msg string) error {
		return Fail(http.StatusUnauthorized, "InvalidAuthenticationToken", "%s", msg).
			With("WWW-Authenticate", `Bearer realm="", authorization_uri="https://`+e.s.cloud.login[0]+`/common/oauth2/authorize", client_id="00000003-0000-0000-c000-000000000000"`)
	}
	tok, ok := strings.CutPrefix(c.Header.Get("Authorization"), "Bearer ")
	if !ok || tok == "" {
		return unauthorized("Access token is empty.")
	}
	e.mu.Lock()
	g, ok := e.issued[tok]
	revoked := e.revoked
	e.mu.Unlock()
	if !ok {
		return unauthorized("IDX14100: JWT is not well formed, or its signature is not valid.")
	}
	if !c.Now.Before(g.expires) || !g.issued.After(revoked) && !revoked.IsZero() {
		return unauthorized("Lifetime validation failed, the token is expired.")
	}
	if u, err := url.Parse(g.audience); err != nil || u.Host != c.Host {
		return unauthorized("Access token validation failure. Invalid audience.")
	}
	if g.bySecret && c.host == HostSharePoint { // SharePoint takes application tokens that were got by certificate only
		return Fail(http.StatusUnauthorized, "unauthenticated", "Unsupported app only token.")
	}
	c.App, c.roles, c.Person = g.app, g.roles, g.user
	if g.user != nil || len(c.Route.Delegated) > 0 && !c.Route.OwnApplication {
		if g.user == nil || !slices.ContainsFunc(c.Route.Delegated, func(p string) bool { return slices.Contains(g.scopes, p) }) {
			return Fail(http.StatusForbidden, "Authorization_RequestDenied", "Insufficient privileges to complete the operation.")
		}
		return nil
	}
	if len(c.Route.Permissions) == 0 || slices.ContainsFunc(c.Route.Permissions, func(p string) bool { return slices.Contains(g.roles, p) }) {
		return nil
	}
	switch c.Route.Class {
	case ClassOutlook:
		return Fail(http.StatusForbidden, "ErrorAccessDenied", "Access is denied. Check credentials and try again.")
	case ClassSharePoint:
		return Fail(http.StatusForbidden, "accessDenied", "Either scp or roles claim need to be present in the token, with one of: %s.", strings.Join(c.Route.Permissions, ", "))
	default:
		return Fail(http.StatusForbidden, "Authorization_RequestDenied", "Insufficient privileges to complete the operation.")
	}
}

// holds reports whether the token of a call carries one of the permissions.
func (e *entra) holds(c *Call, any []string) bool {
	return slices.ContainsFunc(any, func(p string) bool { return slices.Contains(c.roles, p) })
}

// allPermissions is every permission that some route asks for.
func (s *Sim) allPermissions() []string {
	set := map[string]bool{}
	for _, rs := range s.routes {
		for _, r := range rs {
			for _, p := range r.Permissions {
				set[p] = true
			}
		}
	}
	out := make([]string, 0, len(set))
	for p := range set {
		out = append(out, p)
	}
	slices.Sort(out)
	return out
}

// SetRoles replaces the granted application permissions of tokens that are issued from now on; nil grants all.
func (s *Sim) SetRoles(roles []string) {
	s.entra.mu.Lock()
	defer s.entra.mu.Unlock()
	s.entra.roles = roles
}

// RevokeTokens makes every token issued so far as good as expired.
func (s *Sim) RevokeTokens() {
	s.entra.mu.Lock()
	defer s.entra.mu.Unlock()
	s.entra.revoked = s.now()
}

// forget makes one token as good as expired.
func (e *entra) forget(authorization string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	delete(e.issued, strings.TrimPrefix(authorization, "Bearer "))
}

// aadsts is a refusal of the token endpoint.
func aadsts(status int, code string, number int, format string, args ...any) *Error {
	return &Error{Status: status, Code: code, Message: fmt.Sprintf("AADSTS%d: ", number) + fmt.Sprintf(format, args...), Inner: []string{fmt.Sprint(number)}}
}

// entraError has the shape of the token endpoint's errors.
func entraError(c *Call, e *Error, r *Reply) *Reply {
	trace, corr := newUUID(), c.clientRequestID()
	stamp := c.Now.Format("2006-01-02 15:04:05Z")
	body := map[string]any{
		"error":             e.Code,
		"error_description": fmt.Sprintf("%s Trace ID: %s Correlation ID: %s Timestamp: %s", e.Message, trace, corr, stamp),
		"timestamp":         stamp, "trace_id": trace, "correlation_id": corr,
	}
	if len(e.Inner) > 0 {
		body["error_codes"] = []json.Number{json.Number(e.Inner[0])}
		body["error_uri"] = "https://" + c.Host + "/error?code=" + e.Inner[0]
	}
	r.body = body
	return r
}
