package sim

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"html/template"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// Users sign in by the authorization code flow with PKCE (Microsoft identity platform, "OAuth 2.0 authorization code flow"): the page of
// /authorize asks for name and password and sends the browser back with a code, which /token takes once.

// code is what an authorization code stands for.
type code struct {
	application, redirect, nonce, challenge, method, scope string
	user                                                   *User
	expires                                                time.Time
	used                                                   bool
}

// codeLife is how long a code can be redeemed: the service's codes end after about ten minutes.
const codeLife = 10 * time.Minute

// SetRedirectURIs replaces the registered redirect URIs and writes tenant.json.
func (s *Sim) SetRedirectURIs(all []string) error {
	s.entra.mu.Lock()
	s.entra.replies = slices.Clone(all)
	s.entra.mu.Unlock()
	return s.saveTenant()
}

// application gives the id of a registered application as the tenant spells it, or "".
func (e *entra) application(id string) string {
	for _, known := range []string{e.s.tenant.ApplicationID, e.s.tenant.PortalApplicationID} {
		if strings.EqualFold(id, known) {
			return known
		}
	}
	return ""
}

// authorization is a request to /authorize. What the user must see himself is an error of request; what the application is told, of check.
type authorization struct {
	Path, ClientID, RedirectURI, ResponseType, ResponseMode, Scope, State, Nonce, Prompt, LoginHint, Challenge, Method string
}

// request reads the parameters. An application or redirect URI that is not registered is the user's to see: nobody is sent anywhere.
func (e *entra) request(c *Call, q url.Values) (authorization, error) {
	tenant := strings.ToLower(c.Params["tenant"])
	if tenant != "common" && tenant != "organizations" {
		if err := e.knows(tenant); err != nil {
			return authorization{}, err
		}
	}
	a := authorization{Path: c.Path, ClientID: q.Get("client_id"), RedirectURI: q.Get("redirect_uri"), ResponseType: q.Get("response_type"), ResponseMode: q.Get("response_mode"),
		Scope: q.Get("scope"), State: q.Get("state"), Nonce: q.Get("nonce"), Prompt: q.Get("prompt"), LoginHint: q.Get("login_hint"),
		Challenge: q.Get("code_challenge"), Method: q.Get("code_challenge_method")}
	if a.ClientID == "" {
		return a, aadsts(400, "invalid_request", 900144, "The request body must contain the following parameter: 'client_id'.")
	}
	known := e.application(a.ClientID)
	if known == "" {
		return a, aadsts(400, "unauthorized_client", 700016, unknownApplication, a.ClientID, e.s.tenant.Domain)
	}
	a.ClientID = known
	e.mu.Lock()
	defer e.mu.Unlock()
	if !slices.Contains(e.replies, a.RedirectURI) { // letter by letter
		return a, aadsts(400, "invalid_request", 50011, "The redirect URI '%s' specified in the request does not match the redirect URIs configured for the application '%s'. Make sure the redirect URI sent in the request matches one added to your application in the Azure portal.", a.RedirectURI, a.ClientID)
	}
	return a, nil
}

// check is what the application is told is wrong with its request, or nil.
func (a authorization) check() error {
	switch {
	case a.ResponseType == "":
		return aadsts(400, "invalid_request", 900144, "The request body must contain the following parameter: 'response_type'.")
	case a.ResponseType != "code":
		return aadsts(400, "unsupported_response_type", 700054, "response_type '%s' is not enabled for the application.", a.ResponseType)
	case a.ResponseMode != "" && a.ResponseMode != "query":
		return aadsts(400, "invalid_request", 90023, "response_mode '%s' is not simulated; query is.", a.ResponseMode)
	case a.Scope == "":
		return aadsts(400, "invalid_request", 900144, "The request body must contain the following parameter: 'scope'.")
	case !slices.Contains(strings.Fields(a.Scope), "openid"):
		return aadsts(400, "invalid_scope", 70011, "The provided value for the input parameter 'scope' is not valid. The scope '%s' is not simulated: it must contain openid.", a.Scope)
	case a.Challenge == "" && a.Method != "":
		return aadsts(400, "invalid_request", 900144, "The request body must contain the following parameter: 'code_challenge'.")
	case a.Method != "" && a.Method != "S256" && a.Method != "plain":
		return aadsts(400, "invalid_request", 50149, "Invalid Code_Challenge_method parameter.")
	case a.Challenge != "" && (len(a.Challenge) < 43 || len(a.Challenge) > 128): // RFC 7636, 4.2
		return aadsts(400, "invalid_request", 501491, "Invalid size of Code_Challenge parameter.")
	case a.Prompt == "none": // there is no session that could answer without a page
		return aadsts(400, "login_required", 50058, "A silent sign-in request was sent but no user is signed in.")
	case !slices.Contains([]string{"", "login", "select_account", "consent"}, a.Prompt):
		return aadsts(400, "invalid_request", 90023, "Unsupported 'prompt' value.")
	}
	return nil
}

// back sends the browser to the application.
func (a authorization) back(answer url.Values) *Reply {
	if a.State != "" {
		answer.Set("state", a.State)
	}
	sep := "?"
	if strings.Contains(a.RedirectURI, "?") {
		sep = "&"
	}
	return (&Reply{Status: http.StatusFound}).With("Location", a.RedirectURI+sep+answer.Encode()).With("Cache-Control", "no-store, no-cache")
}

func (a authorization) refuse(c *Call, err error) (*Reply, error) {
	var e *Error
	if !errors.As(err, &e) {
		return nil, err
	}
	return a.back(url.Values{"error": {e.Code}, "error_description": {e.Message}, "error_uri": {"https://" + c.Host + "/error?code=" + e.Inner[0]}}), nil
}

// signInPage answers GET /authorize.
func (e *entra) signInPage(c *Call) (*Reply, error) {
	a, err := e.request(c, c.Query)
	if err != nil {
		return e.page(c, http.StatusBadRequest, signInView{Error: err})
	}
	if err := a.check(); err != nil {
		return a.refuse(c, err)
	}
	return e.page(c, http.StatusOK, signInView{Form: &a, Name: a.LoginHint, Users: e.users()})
}

// signIn answers the page's form.
func (e *entra) signIn(c *Call) (*Reply, error) {
	f, err := url.ParseQuery(string(c.Body))
	if err != nil {
		return nil, aadsts(400, "invalid_request", 9000411, "The request is not properly formatted.")
	}
	a, err := e.request(c, f)
	if err != nil {
		return e.page(c, http.StatusBadRequest, signInView{Error: err})
	}
	if err := a.check(); err != nil {
		return a.refuse(c, err)
	}
	if f.Get("cancel") != "" {
		return a.back(url.Values{"error": {"access_denied"}, "error_subcode": {"cancel"}, "error_description": {"AADSTS65004: User declined to consent to access the app."}}), nil
	}
	name := strings.TrimSpace(f.Get("loginfmt"))
	u, err := e.prove(name, f.Get("passwd"))
	if err != nil {
		return e.page(c, http.StatusOK, signInView{Form: &a, Name: name, Users: e.users(), Error: err})
	}
	text := "0." + rand.Text() + rand.Text()
	e.mu.Lock()
	defer e.mu.Unlock()
	for t, old := range e.codes {
		if old.expires.Add(time.Hour).Before(c.Now) {
			delete(e.codes, t)
		}
	}
	e.codes[text] = code{application: a.ClientID, redirect: a.RedirectURI, nonce: a.Nonce, challenge: a.Challenge, method: a.Method, scope: a.Scope, user: u, expires: c.Now.Add(codeLife)}
	return a.back(url.Values{"code": {text}, "session_state": {newUUID()}}), nil
}

// prove checks a user's password.
func (e *entra) prove(name, password string) (*User, error) {
	u := e.s.dir.find(name)
	if u == nil {
		return nil, aadsts(400, "invalid_grant", 50034, "The user account %s does not exist in the %s directory. To sign into this application, the account must be added to the directory.", name, e.s.tenant.Domain)
	}
	u.mu.Lock()
	enabled := u.enabled
	u.mu.Unlock()
	switch {
	case subtle.ConstantTimeCompare([]byte(u.password), []byte(password)) == 0:
		return nil, aadsts(400, "invalid_grant", 50126, "Error validating credentials due to invalid username or password.")
	case !enabled:
		return nil, aadsts(400, "invalid_grant", 50057, "The user account is disabled.")
	}
	return u, nil
}

// users are the names that the page offers.
func (e *entra) users() []string {
	var out []string
	for _, u := range e.s.dir.all() {
		if out = append(out, u.UPN); len(out) == 50 {
			break
		}
	}
	return out
}

// redeem is the grant authorization_code: a code is good once, for the application, the redirect URI and the verifier that it was made for.
func (e *entra) redeem(c *Call, f url.Values) (*Reply, error) {
	id := e.application(f.Get("client_id"))
	for _, need := range []string{"code", "redirect_uri"} {
		if f.Get(need) == "" {
			return nil, aadsts(400, "invalid_request", 900144, "The request body must contain the following parameter: '%s'.", need)
		}
	}
	if id == e.s.tenant.ApplicationID {
		if err := e.proveApplication(c, f, e.app(id, c.Now)); err != nil {
			return nil, err
		}
	} else if f.Get("client_secret") != "" || f.Get("client_assertion") != "" {
		return nil, aadsts(401, "invalid_client", 700025, "Client is public so neither 'client_assertion' nor 'client_secret' should be presented.")
	}
	k, err := e.take(c, id, f)
	if err != nil {
		return nil, err
	}
	return e.userTokens(c, k)
}

// take marks a code as used and checks what was shown with it.
func (e *entra) take(c *Call, id string, f url.Values) (code, error) {
	refuse := func(number int, format string, args ...any) (code, error) {
		return code{}, aadsts(400, "invalid_grant", number, format, args...)
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	k, ok := e.codes[f.Get("code")]
	switch {
	case !ok:
		return refuse(9002313, "Invalid request. Request is malformed or invalid.")
	case k.application != id:
		return refuse(70000, "Provided grant is invalid or malformed: the code was not issued to the application '%s'.", id)
	case k.used:
		return refuse(54005, "OAuth2 Authorization code was already redeemed, please retry with a new valid code or use an existing refresh token.")
	case !c.Now.Before(k.expires):
		return refuse(70008, "The provided authorization code or refresh token has expired due to inactivity. Send a new interactive authorization request for this user and resource.")
	case k.redirect != f.Get("redirect_uri"):
		return refuse(500112, "The reply address '%s' does not match the reply address '%s' provided when requesting Authorization code.", f.Get("redirect_uri"), k.redirect)
	case !verifies(k, f.Get("code_verifier")):
		return refuse(501481, "The Code_Verifier does not match the code_challenge supplied in the authorization request.")
	}
	k.used = true
	e.codes[f.Get("code")] = k
	return k, nil
}

// verifies compares a verifier with the challenge (RFC 7636, 4.6); without a challenge there may be no verifier either.
func verifies(k code, verifier string) bool {
	got := verifier
	if k.method == "S256" {
		sum := sha256.Sum256([]byte(verifier))
		got = b64(sum[:])
	}
	return subtle.ConstantTimeCompare([]byte(got), []byte(k.challenge)) == 1
}

// userTokens answers with an id token and an access token for Graph's userinfo, as the v2.0 endpoint does for openid and profile.
func (e *entra) userTokens(c *Call, k code) (*Reply, error) {
	t := e.s.tenant.Tenant
	life := int(e.s.opt.TokenLife.Seconds())
	// A user's sub differs from application to application (id token claims reference: pairwise).
	sum := sha256.Sum256([]byte(k.application + "\x00" + k.user.ID))
	claims := map[string]any{
		"aud": k.application, "iss": e.issuer("2.0"), "iat": c.Now.Unix(), "nbf": c.Now.Unix(), "exp": c.Now.Add(e.s.opt.TokenLife).Unix(),
		"oid": k.user.ID, "tid": t.TenantID, "sub": b64(sum[:]), "uti": newUUID(), "ver": "2.0",
	}
	if k.nonce != "" {
		claims["nonce"] = k.nonce
	}
	if slices.Contains(strings.Fields(k.scope), "profile") {
		claims["name"], claims["preferred_username"] = k.user.DisplayName, k.user.UPN
	}
	id, err := e.sign(claims)
	if err != nil {
		return nil, err
	}
	access, err := e.sign(map[string]any{
		"aud": "00000003-0000-0000-c000-000000000000", "iss": e.issuer("1.0"), "iat": c.Now.Unix(), "nbf": c.Now.Unix(), "exp": c.Now.Add(e.s.opt.TokenLife).Unix(),
		"appid": k.application, "idtyp": "user", "oid": k.user.ID, "tid": t.TenantID, "upn": k.user.UPN, "scp": k.scope, "uti": newUUID(), "ver": "1.0",
	})
	if err != nil {
		return nil, err
	}
	info := base64.RawURLEncoding.EncodeToString(fmt.Appendf(nil, `{"uid":%q,"utid":%q}`, k.user.ID, t.TenantID))
	return JSON(http.StatusOK, map[string]any{"token_type": "Bearer", "scope": k.scope, "expires_in": life, "ext_expires_in": life, "access_token": access, "id_token": id, "client_info": info}).
		With("Cache-Control", "no-store, no-cache"), nil
}

// signInView is what the page shows: a form, an error, or both.
type signInView struct {
	Form   *authorization
	Name   string
	Users  []string
	Error  error
	Domain string
}

// Message is the error as the page words it.
func (v signInView) Message() string {
	var e *Error
	if errors.As(v.Error, &e) {
		return e.Message
	}
	return ""
}

func (e *entra) page(c *Call, status int, v signInView) (*Reply, error) {
	v.Domain = e.s.tenant.Domain
	var b bytes.Buffer
	if err := signInTemplate.Execute(&b, v); err != nil {
		return nil, err
	}
	return htmlPage(status, b.Bytes()), nil
}

func htmlPage(status int, b []byte) *Reply {
	return Bytes(status, "text/html; charset=utf-8", b).With("Cache-Control", "no-store, no-cache").With("Referrer-Policy", "strict-origin-when-cross-origin").
		With("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'").With("X-Frame-Options", "DENY")
}

// pageHead begins each page of the login host.
const pageHead = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Sign in to the simulated organization</title>
<style>
body { font: 1rem/1.5 system-ui, sans-serif; margin: 0; display: grid; place-items: center; min-height: 100vh; background: Canvas; color: CanvasText }
main { width: min(26rem, 100vw - 2rem); padding: 1rem; box-sizing: border-box }
h1 { font-size: 1.4rem }
label { display: block; margin-top: 1rem }
input { font: inherit; width: 100%; padding: .6rem; box-sizing: border-box; border: 1px solid; border-radius: .25rem; background: Field; color: FieldText }
p.error { border-left: .25rem solid #c50f1f; padding-left: .75rem; overflow-wrap: anywhere }
div.buttons { display: flex; gap: .75rem; margin-top: 1.5rem }
button { font: inherit; flex: 1; min-height: 2.75rem; border: 1px solid; border-radius: .25rem; background: Canvas; color: CanvasText }
button.main { background: #0f6cbd; border-color: #0f6cbd; color: #fff; order: 1 }
</style>
</head>
<body>
<main>`

var signInTemplate = template.Must(template.New("sign in").Parse(pageHead + `
<h1>Sign in</h1>
{{with .Message}}<p class="error" role="alert">{{.}}</p>{{end}}
{{with .Form}}
<p>This is the simulated organization {{$.Domain}}, not Microsoft.</p>
<form method="post" action="{{.Path}}">
<label for="loginfmt">User</label>
<input id="loginfmt" name="loginfmt" list="users" value="{{$.Name}}" autocomplete="username" autocapitalize="none" spellcheck="false" required{{if not $.Name}} autofocus{{end}}>
<datalist id="users">{{range $.Users}}<option value="{{.}}"></option>{{end}}</datalist>
<label for="passwd">Password</label>
<input id="passwd" name="passwd" type="password" autocomplete="current-password" required{{if $.Name}} autofocus{{end}}>
<input type="hidden" name="client_id" value="{{.ClientID}}">
<input type="hidden" name="redirect_uri" value="{{.RedirectURI}}">
<input type="hidden" name="response_type" value="{{.ResponseType}}">
<input type="hidden" name="response_mode" value="{{.ResponseMode}}">
<input type="hidden" name="scope" value="{{.Scope}}">
<input type="hidden" name="state" value="{{.State}}">
<input type="hidden" name="nonce" value="{{.Nonce}}">
<input type="hidden" name="prompt" value="{{.Prompt}}">
<input type="hidden" name="code_challenge" value="{{.Challenge}}">
<input type="hidden" name="code_challenge_method" value="{{.Method}}">
<div class="buttons">
<button class="main" type="submit">Sign in</button>
<button type="submit" name="cancel" value="1" formnovalidate>Cancel</button>
</div>
</form>
{{end}}
</main>
</body>
</html>
`))
