package app

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"holdfast/internal/holdfast"
	"holdfast/internal/m365"
	"holdfast/internal/m365/auth"
	"holdfast/internal/m365/throttle"
	"holdfast/internal/service"
	"holdfast/internal/sim"
	"holdfast/internal/sys"
)

const (
	callbackURI = "https://backup.example" + service.PortalCallback
	verifier    = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJK"
)

// login plays a browser at the simulated sign-in page.
type login struct {
	t    *testing.T
	sim  *sim.Sim
	http *http.Client
	m    *microsoft
}

func newLogin(t *testing.T) *login {
	t.Helper()
	s, err := sim.New(sim.Options{Dir: t.TempDir(), Users: 1, RedirectURIs: []string{callbackURI}})
	if err != nil {
		t.Fatal(err)
	}
	ca, err := m365.ReadCA(s.CAFile())
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(ca)
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}, DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, network, s.Addr())
	}}
	l := &login{t: t, sim: s, http: &http.Client{Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }},
		m: &microsoft{network: m365.Network{Dial: s.Addr(), CA: ca}, limits: throttle.Unlimited(), clock: sys.System}}
	t.Cleanup(func() {
		l.m.Close()
		transport.CloseIdleConnections()
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return l
}

// code signs the first user in for an application.
func (l *login) code(application, nonce string) string {
	l.t.Helper()
	sum := sha256.Sum256([]byte(verifier))
	u := l.sim.Tenant().Users[0]
	resp, err := l.http.PostForm("https://login.microsoftonline.com/organizations/oauth2/v2.0/authorize", url.Values{"client_id": {application}, "response_type": {"code"}, "redirect_uri": {callbackURI},
		"scope": {"openid profile"}, "nonce": {nonce}, "code_challenge": {base64.RawURLEncoding.EncodeToString(sum[:])}, "code_challenge_method": {"S256"}, "loginfmt": {u.UPN}, "passwd": {u.Password}})
	if err != nil {
		l.t.Fatal(err)
	}
	if err := resp.Body.Close(); err != nil {
		l.t.Fatal(err)
	}
	to, err := url.Parse(resp.Header.Get("Location"))
	if err != nil || to.Query().Get("code") == "" {
		l.t.Fatalf("no code: %s %v", to, err)
	}
	return to.Query().Get("code")
}

func (l *login) application(id string, cred holdfast.Credential) service.PortalApplication {
	return service.PortalApplication{ID: id, Authority: "https://login.microsoftonline.com/organizations", Redirect: callbackURI, Credential: cred}
}

func TestPeopleSignInBySecretCertificateAndPublicApplication(t *testing.T) {
	l := newLogin(t)
	ten := l.sim.Tenant()
	pfx, err := base64.StdEncoding.DecodeString(ten.CertificatePFX)
	if err != nil {
		t.Fatal(err)
	}
	want := ten.Users[0]
	for name, app := range map[string]service.PortalApplication{
		"public":      l.application(ten.PortalApplicationID, holdfast.Credential{}),
		"secret":      l.application(ten.ApplicationID, holdfast.Credential{ApplicationID: ten.ApplicationID, ApplicationSecret: holdfast.Secret(ten.ApplicationSecret)}),
		"certificate": l.application(ten.ApplicationID, holdfast.Credential{ApplicationID: ten.ApplicationID, Certificate: holdfast.Secret(pfx), CertificatePassword: holdfast.Secret(ten.CertificatePassword)}),
	} {
		got, err := l.m.Redeem(t.Context(), app, service.PortalCode{Code: l.code(app.ID, "n"), Verifier: verifier, Nonce: "n"})
		if err != nil || got.Tenant != ten.TenantID || got.ObjectID != want.ID || got.Name != want.UPN || got.DisplayName == "" {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
}

func TestCodesAndTokensOfAnotherRequestAreRefused(t *testing.T) {
	l := newLogin(t)
	ten := l.sim.Tenant()
	app := l.application(ten.PortalApplicationID, holdfast.Credential{})
	refused := func(name, want string, app service.PortalApplication, c service.PortalCode) {
		t.Helper()
		if got, err := l.m.Redeem(t.Context(), app, c); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %+v, %v, want %q", name, got, err, want)
		}
	}
	code := l.code(app.ID, "n")
	refused("wrong verifier", "AADSTS501481", app, service.PortalCode{Code: code, Verifier: verifier + "x", Nonce: "n"})
	other := app
	other.Redirect += "/"
	refused("another redirect", "AADSTS500112", other, service.PortalCode{Code: code, Verifier: verifier, Nonce: "n"})
	refused("another nonce", "another request", app, service.PortalCode{Code: code, Verifier: verifier, Nonce: "m"})
	refused("spent", "AADSTS54005", app, service.PortalCode{Code: code, Verifier: verifier, Nonce: "n"})
	refused("no secret", "AADSTS7000218", l.application(ten.ApplicationID, holdfast.Credential{}), service.PortalCode{Code: l.code(ten.ApplicationID, "n"), Verifier: verifier, Nonce: "n"})
}

// idToken redeems a code by hand, as a program does that signs its user in by itself.
func (l *login) idToken(application, secret string) string {
	l.t.Helper()
	users, err := l.m.users(l.application(application, holdfast.Credential{}))
	if err != nil {
		l.t.Fatal(err)
	}
	c := auth.Code{Tenant: "organizations", Application: application, Redirect: callbackURI, Code: l.code(application, ""), Verifier: verifier}
	if secret != "" {
		c.Credential = auth.FromSecret(auth.Secret(secret))
	}
	token, err := users.Redeem(l.t.Context(), c)
	if err != nil {
		l.t.Fatal(err)
	}
	return token
}

func TestTokensAreVerifiedToTheLetter(t *testing.T) {
	l := newLogin(t)
	ten := l.sim.Tenant()
	app := l.application(ten.PortalApplicationID, holdfast.Credential{})
	token := l.idToken(ten.PortalApplicationID, "")
	if got, err := l.m.Verify(t.Context(), app, token); err != nil || got.ObjectID != ten.Users[0].ID {
		t.Errorf("a good token: %+v, %v", got, err)
	}
	if got, err := l.m.Verify(t.Context(), app, `{"token_type":"Bearer","access_token":"x.y.z","id_token":"`+token+`"}`); err != nil || got.ObjectID != ten.Users[0].ID {
		t.Errorf("a whole answer: %+v, %v", got, err)
	}
	parts := strings.Split(token, ".")
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		t.Fatal(err)
	}
	forge := func(head, from, to string) string {
		changed := strings.Replace(string(payload), from, to, 1)
		if from != "" && changed == string(payload) {
			t.Fatalf("%s is not in %s", from, payload)
		}
		h := parts[0]
		if head != "" {
			h = base64.RawURLEncoding.EncodeToString([]byte(head))
		}
		return h + "." + base64.RawURLEncoding.EncodeToString([]byte(changed)) + "." + parts[2]
	}
	for name, c := range map[string]struct{ token, want string }{
		"rubbish":              {"rubbish", "malformed"},
		"empty":                {"", "malformed"},
		"another user":         {forge("", ten.Users[0].ID, "00000000-0000-0000-0000-000000000000"), "signature"},
		"another tenant":       {forge("", `"tid":"`+ten.TenantID, `"tid":"00000000-0000-0000-0000-000000000000`), "signature"},
		"no algorithm":         {forge(`{"alg":"none"}`, "", ""), "alg"},
		"a symmetric one":      {forge(`{"alg":"HS256"}`, "", ""), "alg"},
		"an application's own": {l.applicationToken(), "does not say whose"},
		"for another":          {l.idToken(ten.ApplicationID, ten.ApplicationSecret), "not for application"},
	} {
		if got, err := l.m.Verify(t.Context(), app, c.token); err == nil || holdfast.KindOf(err) != holdfast.KindUnauthenticated || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %+v, %v, want %q", name, got, err, c.want)
		}
	}
	now := time.Now()
	for name, c := range map[string]struct {
		at   time.Time
		want string
	}{"expired": {now.Add(2 * time.Hour), "expired"}, "of the future": {now.Add(-2 * time.Hour), "before the nbf"}} {
		late := &microsoft{network: l.m.network, limits: throttle.Unlimited(), clock: sys.NewShifted(sys.System)}
		late.clock.(*sys.Shifted).Move(c.at.Sub(now))
		if _, err := late.Verify(t.Context(), app, token); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
		late.Close()
	}
}

// applicationToken is what the application gets for itself.
func (l *login) applicationToken() string {
	l.t.Helper()
	ten := l.sim.Tenant()
	resp, err := l.http.PostForm("https://login.microsoftonline.com/"+ten.TenantID+"/oauth2/v2.0/token", url.Values{"grant_type": {"client_credentials"}, "client_id": {ten.ApplicationID},
		"client_secret": {ten.ApplicationSecret}, "scope": {"https://graph.microsoft.com/.default"}})
	if err != nil {
		l.t.Fatal(err)
	}
	defer resp.Body.Close()
	var answer struct {
		Token string `json:"access_token"`
	}
	if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil || answer.Token == "" {
		l.t.Fatalf("no token: %v", err)
	}
	return answer.Token
}

// TestBrowserSignsInAtThePortal walks a browser with cookies through server and simulated sign-in page.
func TestBrowserSignsInAtThePortal(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	d, err := NewDemo(ctx, DemoConfig{Dir: t.TempDir(), Users: 1, REST: "127.0.0.1:0", AdminPassword: "correct horse battery", Version: "test", Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- d.Run(ctx) }()
	defer func() {
		stop()
		if err := errors.Join(<-ended, d.Close(context.WithoutCancel(ctx))); err != nil {
			t.Error(err)
		}
	}()
	ten := d.Sim.Tenant()
	owner := service.User{ID: "00000000-0000-4000-8000-0000000000ff", Name: "the test", Role: service.RoleOwner}
	connection := &service.Connection{Tenant: ten.Domain, Application: ten.ApplicationID, Secret: holdfast.Secret(ten.ApplicationSecret)}
	if _, err := d.Server.services.Organizations.Create(ctx, owner, service.OrganizationSpec{ExchangeConnection: connection, SharePointConnection: connection}); err != nil {
		t.Fatal(err)
	}
	server := "https://" + d.Server.Addr()
	if err := d.Sim.SetRedirectURIs([]string{server + service.PortalCallback}); err != nil {
		t.Fatal(err)
	}
	if err := d.Server.services.Portal.Put(ctx, owner, service.PortalSettings{Enabled: true, ApplicationID: ten.PortalApplicationID, URL: server}); err != nil {
		t.Fatal(err)
	}

	pool := x509.NewCertPool()
	for _, file := range []string{d.Sim.CAFile(), d.Server.CertificateFile()} {
		pem, err := os.ReadFile(file)
		if err != nil || !pool.AppendCertsFromPEM(pem) {
			t.Fatal(err)
		}
	}
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}, DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
		if strings.HasPrefix(addr, "login.microsoftonline.com:") {
			addr = d.Sim.Addr()
		}
		return (&net.Dialer{}).DialContext(ctx, network, addr)
	}}
	defer transport.CloseIdleConnections()
	browser := &http.Client{Transport: transport, Jar: jar}
	read := func(resp *http.Response, err error) (*url.URL, string) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		body, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		return resp.Request.URL, string(body)
	}
	at, page := read(browser.Get(server + "/holdfast/v1/portal/sign-in?return=/portal/%23restores"))
	if at.Host != "login.microsoftonline.com" || !strings.Contains(page, "<form") {
		t.Fatalf("the browser is at %s: %s", at, page)
	}
	form := at.Query()
	form.Set("loginfmt", ten.Users[0].UPN)
	form.Set("passwd", ten.Users[0].Password)
	if at, page = read(browser.PostForm(at.Scheme+"://"+at.Host+at.Path, form)); at.String() != server+"/portal/#restores" && at.String() != server+"/portal/%23restores" {
		t.Fatalf("the browser is at %s: %s", at, page)
	}
	_, session := read(browser.Get(server + "/holdfast/v1/session"))
	if !strings.Contains(session, `"name":"`+ten.Users[0].UPN+`"`) || !strings.Contains(session, `"self":true,"operator":false`) {
		t.Errorf("session %s", session)
	}
}

// Whichever of a cloud's names an authority has, its own or the one that is set, people's codes and the application's secret go to the host that
// is set, and never to another cloud.
func TestAnAuthorityIsOfTheCloudWhoseHostIsSet(t *testing.T) {
	presets, err := m365.ParseHosts([]string{"China.login=login.chinacloudapi.cn"})
	if err != nil {
		t.Fatal(err)
	}
	m := &microsoft{presets: presets, limits: throttle.Unlimited(), clock: sys.System}
	t.Cleanup(m.Close)
	for _, authority := range []string{"https://login.chinacloudapi.cn/organizations", "https://login.partner.microsoftonline.cn/organizations"} {
		if _, err := m.users(service.PortalApplication{ID: "app", Authority: authority}); err != nil {
			t.Fatal(err)
		}
	}
	if hosts := slices.Collect(maps.Keys(m.logins)); !slices.Equal(hosts, []string{"login.chinacloudapi.cn"}) {
		t.Errorf("people sign in at %q", hosts)
	}
}
