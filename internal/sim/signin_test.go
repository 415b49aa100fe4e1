package sim_test

import (
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"io"
	"math/big"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"holdfast/internal/sim"
)

const (
	replyURI = "https://backup.example.com/holdfast/v1/portal/callback"
	verifier = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJ-._~"
)

func challenge(v string) string {
	sum := sha256.Sum256([]byte(v))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// asks is a request to the sign-in page, changed by pairs of name and value.
func asks(app string, change ...string) url.Values {
	v := url.Values{"client_id": {app}, "response_type": {"code"}, "redirect_uri": {replyURI}, "scope": {"openid profile"}, "state": {"st & te"}, "nonce": {"n0nce"},
		"code_challenge": {challenge(verifier)}, "code_challenge_method": {"S256"}}
	for i := 0; i < len(change); i += 2 {
		v.Set(change[i], change[i+1])
	}
	return v
}

func (c *client) browse(method, path string, v url.Values) (int, string, *url.URL) {
	c.t.Helper()
	at := "https://login.microsoftonline.com/" + path + "/oauth2/v2.0/authorize"
	var resp *http.Response
	var err error
	if method == "GET" {
		resp, err = c.http.Get(at + "?" + v.Encode())
	} else {
		resp, err = c.http.PostForm(at, v)
	}
	if err != nil {
		c.t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		c.t.Fatal(err)
	}
	to, err := url.Parse(resp.Header.Get("Location"))
	if err != nil {
		c.t.Fatal(err)
	}
	return resp.StatusCode, string(body), to
}

// code signs the first user in and returns the code.
func (c *client) code(app string, change ...string) string {
	c.t.Helper()
	u := c.s.Tenant().Users[0]
	status, body, to := c.browse("POST", "organizations", asks(app, append([]string{"loginfmt", u.UPN, "passwd", u.Password}, change...)...))
	if status != 302 || to.Query().Get("code") == "" {
		c.t.Fatalf("sign-in: %d %s %s", status, to, body)
	}
	return to.Query().Get("code")
}

func redeems(app, code string, change ...string) url.Values {
	v := url.Values{"grant_type": {"authorization_code"}, "client_id": {app}, "code": {code}, "redirect_uri": {replyURI}, "code_verifier": {verifier}}
	for i := 0; i < len(change); i += 2 {
		v.Set(change[i], change[i+1])
	}
	return v
}

func TestSignInPageSendsNobodyToAnAddressThatIsNotRegistered(t *testing.T) {
	c := start(t, sim.Options{Users: 1, RedirectURIs: []string{replyURI}})
	ten := c.s.Tenant()
	u := ten.Users[0]
	for name, tc := range map[string]struct {
		tenant string
		change []string
		want   string
	}{
		"other host":          {"organizations", []string{"redirect_uri", "https://evil.example.com/holdfast/v1/portal/callback"}, "AADSTS50011"},
		"longer path":         {"organizations", []string{"redirect_uri", replyURI + "/"}, "AADSTS50011"},
		"query":               {"organizations", []string{"redirect_uri", replyURI + "?x=1"}, "AADSTS50011"},
		"other case":          {"organizations", []string{"redirect_uri", strings.ToUpper(replyURI)}, "AADSTS50011"},
		"plain HTTP":          {"organizations", []string{"redirect_uri", strings.Replace(replyURI, "https", "http", 1)}, "AADSTS50011"},
		"none":                {"organizations", []string{"redirect_uri", ""}, "AADSTS50011"},
		"unknown application": {"organizations", []string{"client_id", "11111111-1111-1111-1111-111111111111"}, "AADSTS700016"},
		"no application":      {"organizations", []string{"client_id", ""}, "AADSTS900144"},
		"unknown tenant":      {"11111111-1111-1111-1111-111111111111", nil, "AADSTS90002"},
	} {
		t.Run(name, func(t *testing.T) {
			for _, method := range []string{"GET", "POST"} {
				status, body, to := c.browse(method, tc.tenant, asks(ten.PortalApplicationID, append([]string{"loginfmt", u.UPN, "passwd", u.Password}, tc.change...)...))
				if status != 400 || to.String() != "" || !strings.Contains(body, tc.want) || strings.Contains(body, "<form") {
					t.Errorf("%s: %d to %q, want a page with %s: %s", method, status, to, tc.want, body)
				}
			}
		})
	}
}

func TestSignInTellsTheApplicationWhatIsWrongWithItsRequest(t *testing.T) {
	c := start(t, sim.Options{Users: 1, RedirectURIs: []string{replyURI}})
	ten := c.s.Tenant()
	for name, tc := range map[string]struct {
		change      []string
		error, code string
	}{
		"implicit flow":   {[]string{"response_type", "id_token"}, "unsupported_response_type", "AADSTS700054"},
		"silent":          {[]string{"prompt", "none"}, "login_required", "AADSTS50058"},
		"unknown prompt":  {[]string{"prompt", "maybe"}, "invalid_request", "AADSTS90023"},
		"fragment":        {[]string{"response_mode", "fragment"}, "invalid_request", "AADSTS90023"},
		"short challenge": {[]string{"code_challenge", "x"}, "invalid_request", "AADSTS501491"},
		"unknown method":  {[]string{"code_challenge_method", "S512"}, "invalid_request", "AADSTS50149"},
		"no scope":        {[]string{"scope", ""}, "invalid_request", "AADSTS900144"},
		"not openid":      {[]string{"scope", "profile"}, "invalid_scope", "AADSTS70011"},
		"cancelled":       {[]string{"cancel", "1"}, "access_denied", "AADSTS65004"},
	} {
		t.Run(name, func(t *testing.T) {
			status, _, to := c.browse("POST", "organizations", asks(ten.PortalApplicationID, tc.change...))
			q := to.Query()
			if status != 302 || !strings.HasPrefix(to.String(), replyURI+"?") || q.Get("error") != tc.error || !strings.HasPrefix(q.Get("error_description"), tc.code) || q.Get("state") != "st & te" || q.Has("code") {
				t.Errorf("%d %s", status, to)
			}
		})
	}
}

func TestSignInPageAsksAgainAfterWrongCredentials(t *testing.T) {
	c := start(t, sim.Options{Users: 2, RedirectURIs: []string{replyURI}})
	ten := c.s.Tenant()
	one, two := ten.Users[0], ten.Users[1]
	for name, tc := range map[string]struct{ user, password, want string }{
		"unknown user":     {"nobody@" + ten.Domain, one.Password, "AADSTS50034"},
		"wrong password":   {one.UPN, one.Password + "x", "AADSTS50126"},
		"another's":        {one.UPN, two.Password, "AADSTS50126"},
		"no password":      {one.UPN, "", "AADSTS50126"},
		"script in a name": {"<script>alert(1)</script>", "x", "AADSTS50034"},
	} {
		t.Run(name, func(t *testing.T) {
			status, body, to := c.browse("POST", ten.TenantID, asks(ten.PortalApplicationID, "loginfmt", tc.user, "passwd", tc.password))
			if status != 200 || to.String() != "" || !strings.Contains(body, tc.want) || !strings.Contains(body, `name="passwd"`) {
				t.Errorf("%d %s %s", status, to, body)
			}
			if strings.Contains(body, "<script") || tc.password != "" && strings.Contains(body, tc.password+`"`) {
				t.Errorf("the page shows what it must not: %s", body)
			}
		})
	}
	status, body, _ := c.browse("GET", "organizations", asks(ten.PortalApplicationID, "login_hint", two.UPN))
	if status != 200 || !regexp.MustCompile(`name="loginfmt"[^>]*value="`+regexp.QuoteMeta(two.UPN)+`"`).MatchString(body) || !strings.Contains(body, `content="width=device-width`) {
		t.Errorf("hint: %d %s", status, body)
	}
}

func TestCodeIsGoodOnceAndForItsOwnRequestOnly(t *testing.T) {
	c := start(t, sim.Options{Users: 1, RedirectURIs: []string{replyURI, replyURI + "2"}})
	ten := c.s.Tenant()
	portal := ten.PortalApplicationID
	token := "/organizations/oauth2/v2.0/token"
	refused := func(t *testing.T, form url.Values, error, code string) {
		t.Helper()
		status, body := c.form(token, form)
		desc, _ := body["error_description"].(string)
		if status == 200 || body["error"] != error || !strings.HasPrefix(desc, code+":") || body["id_token"] != nil {
			t.Errorf("%d %v, want %s %s", status, body, error, code)
		}
	}
	kept := c.code(portal)
	for name, tc := range map[string]struct {
		change      []string
		error, code string
	}{
		"wrong verifier":       {[]string{"code_verifier", verifier[1:] + "x"}, "invalid_grant", "AADSTS501481"},
		"challenge as it is":   {[]string{"code_verifier", challenge(verifier)}, "invalid_grant", "AADSTS501481"},
		"no verifier":          {[]string{"code_verifier", ""}, "invalid_grant", "AADSTS501481"},
		"another registered":   {[]string{"redirect_uri", replyURI + "2"}, "invalid_grant", "AADSTS500112"},
		"no redirect":          {[]string{"redirect_uri", ""}, "invalid_request", "AADSTS900144"},
		"no code":              {[]string{"code", ""}, "invalid_request", "AADSTS900144"},
		"invented code":        {[]string{"code", "0.AAAA"}, "invalid_grant", "AADSTS9002313"},
		"another application":  {[]string{"client_id", ten.ApplicationID, "client_secret", ten.ApplicationSecret}, "invalid_grant", "AADSTS70000"},
		"unknown application":  {[]string{"client_id", "11111111-1111-1111-1111-111111111111"}, "invalid_request", "AADSTS90002"},
		"secret of nobody":     {[]string{"client_secret", "x"}, "invalid_client", "AADSTS700025"},
		"application's secret": {[]string{"client_id", ten.ApplicationID}, "invalid_client", "AADSTS7000218"},
	} {
		t.Run(name, func(t *testing.T) { refused(t, redeems(portal, kept, tc.change...), tc.error, tc.code) })
	}
	if status, body := c.form(token, redeems(portal, kept)); status != 200 { // what was refused did not use it up
		t.Fatalf("%d %v", status, body)
	}
	refused(t, redeems(portal, kept), "invalid_grant", "AADSTS54005")
	refused(t, redeems(portal, c.code(portal, "code_challenge", "", "code_challenge_method", "")), "invalid_grant", "AADSTS501481")
	late := c.code(portal)
	c.control("POST", "/clock", map[string]any{"advance": "10m"})
	refused(t, redeems(portal, late), "invalid_grant", "AADSTS70008")
}

func TestIDTokenSaysWhoSignedInForWhom(t *testing.T) {
	c := start(t, sim.Options{Users: 1, RedirectURIs: []string{replyURI}})
	ten := c.s.Tenant()
	for app, extra := range map[string][]string{ten.PortalApplicationID: nil, ten.ApplicationID: {"client_secret", ten.ApplicationSecret}} {
		status, body := c.form("/"+ten.TenantID+"/oauth2/v2.0/token", redeems(app, c.code(app), extra...))
		if status != 200 {
			t.Fatalf("%d %v", status, body)
		}
		parts := strings.Split(body["id_token"].(string), ".")
		var head, got map[string]any
		for i, v := range []*map[string]any{&head, &got} {
			raw, err := base64.RawURLEncoding.DecodeString(parts[i])
			if err != nil {
				t.Fatal(err)
			}
			if err := json.Unmarshal(raw, v); err != nil {
				t.Fatal(err)
			}
		}
		key := c.want(200, "GET", "https://login.microsoftonline.com/organizations/discovery/v2.0/keys", nil).m["keys"].([]any)[0].(map[string]any)
		n, err := base64.RawURLEncoding.DecodeString(key["n"].(string))
		if err != nil {
			t.Fatal(err)
		}
		sig, err := base64.RawURLEncoding.DecodeString(parts[2])
		if err != nil {
			t.Fatal(err)
		}
		sum := sha256.Sum256([]byte(parts[0] + "." + parts[1]))
		if err := rsa.VerifyPKCS1v15(&rsa.PublicKey{N: new(big.Int).SetBytes(n), E: 65537}, crypto.SHA256, sum[:], sig); err != nil || head["kid"] != key["kid"] || head["alg"] != "RS256" {
			t.Errorf("signature: %v, %v", err, head)
		}
		u := ten.Users[0]
		for claim, want := range map[string]any{"aud": app, "iss": "https://login.microsoftonline.com/" + ten.TenantID + "/v2.0", "tid": ten.TenantID, "oid": u.ID, "nonce": "n0nce", "preferred_username": u.UPN, "ver": "2.0"} {
			if got[claim] != want {
				t.Errorf("%s is %v, want %v", claim, got[claim], want)
			}
		}
		now := float64(c.s.Clock().Now().Unix())
		if iat, exp := got["iat"].(float64), got["exp"].(float64); got["nbf"] != iat || now-iat > 60 || exp-iat != time.Hour.Seconds() || got["sub"] == "" || got["name"] == "" {
			t.Errorf("claims: %v", got)
		}
	}
}

func TestRedirectURIsChangeWhileItRunsAndOutliveARestart(t *testing.T) {
	dir := t.TempDir()
	open := func() *client {
		s, err := sim.New(sim.Options{Dir: dir, Users: 1})
		if err != nil {
			t.Fatal(err)
		}
		return connect(t, s)
	}
	c := open()
	if status, _, _ := c.browse("GET", "organizations", asks(c.s.Tenant().PortalApplicationID)); status != 400 {
		t.Errorf("before: %d", status)
	}
	c.control("POST", "/application", map[string]any{"redirectUris": []string{replyURI}})
	for range 2 {
		if status, _, _ := c.browse("GET", "organizations", asks(c.s.Tenant().PortalApplicationID)); status != 200 {
			t.Errorf("after: %d", status)
		}
		if err := c.s.Close(); err != nil {
			t.Fatal(err)
		}
		c = open()
	}
	if err := c.s.Close(); err != nil {
		t.Fatal(err)
	}
}
