package sim_test

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"math/big"
	"net/http"
	"net/url"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"software.sslmate.com/src/go-pkcs12"

	"holdfast/internal/sim"
)

// assertion signs a client assertion; change alters header and claims before.
func assertion(t *testing.T, s *sim.Sim, alg string, change func(head, claims map[string]any)) string {
	t.Helper()
	ten := s.Tenant()
	pfx, err := base64.StdEncoding.DecodeString(ten.CertificatePFX)
	if err != nil {
		t.Fatal(err)
	}
	key, cert, err := pkcs12.Decode(pfx, ten.CertificatePassword)
	if err != nil {
		t.Fatal(err)
	}
	now := s.Clock().Now()
	head := map[string]any{"alg": alg, "typ": "JWT"}
	s1, s2 := sha1.Sum(cert.Raw), sha256.Sum256(cert.Raw)
	if alg == "PS256" {
		head["x5t#S256"] = base64.RawURLEncoding.EncodeToString(s2[:])
	} else {
		head["x5t"] = base64.RawURLEncoding.EncodeToString(s1[:])
	}
	claims := map[string]any{"aud": "https://login.microsoftonline.com/" + ten.TenantID + "/oauth2/v2.0/token", "iss": ten.ApplicationID, "sub": ten.ApplicationID,
		"jti": "1", "nbf": now.Unix(), "exp": now.Add(10 * time.Minute).Unix()}
	if change != nil {
		change(head, claims)
	}
	h, err := json.Marshal(head)
	if err != nil {
		t.Fatal(err)
	}
	c, err := json.Marshal(claims)
	if err != nil {
		t.Fatal(err)
	}
	signed := base64.RawURLEncoding.EncodeToString(h) + "." + base64.RawURLEncoding.EncodeToString(c)
	sum := sha256.Sum256([]byte(signed))
	var sig []byte
	if alg == "PS256" {
		sig, err = rsa.SignPSS(rand.Reader, key.(*rsa.PrivateKey), crypto.SHA256, sum[:], &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash})
	} else {
		sig, err = rsa.SignPKCS1v15(rand.Reader, key.(*rsa.PrivateKey), crypto.SHA256, sum[:])
	}
	if err != nil {
		t.Fatal(err)
	}
	return signed + "." + base64.RawURLEncoding.EncodeToString(sig)
}

func TestTokensAreGivenForSecretsAndCertificatesOnly(t *testing.T) {
	c := start(t, sim.Options{Users: 1})
	ten := c.s.Tenant()
	form := func(extra ...string) url.Values {
		v := url.Values{"grant_type": {"client_credentials"}, "client_id": {ten.ApplicationID}, "scope": {"https://graph.microsoft.com/.default"}}
		for i := 0; i < len(extra); i += 2 {
			v.Set(extra[i], extra[i+1])
		}
		return v
	}
	const jwt = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
	cert := func(alg string, change func(head, claims map[string]any)) url.Values {
		return form("client_assertion_type", jwt, "client_assertion", assertion(t, c.s, alg, change))
	}
	broken := cert("PS256", nil)
	a := broken.Get("client_assertion")
	broken.Set("client_assertion", a[:len(a)-8]+"AAAAAAAA")
	for name, tc := range map[string]struct {
		form   url.Values
		status int
		code   string
	}{
		"secret":                     {form("client_secret", ten.ApplicationSecret), 200, ""},
		"PS256":                      {cert("PS256", nil), 200, ""},
		"RS256":                      {cert("RS256", nil), 200, ""},
		"wrong secret":               {form("client_secret", "x"), 401, "AADSTS7000215"},
		"no secret":                  {form(), 401, "AADSTS7000218"},
		"unknown application":        {form("client_id", "11111111-1111-1111-1111-111111111111", "client_secret", "x"), 400, "AADSTS700016"},
		"scope without default":      {form("client_secret", ten.ApplicationSecret, "scope", "User.Read"), 400, "AADSTS1002012"},
		"unknown resource":           {form("client_secret", ten.ApplicationSecret, "scope", "https://graph.microsoft.us/.default"), 400, "AADSTS500011"},
		"password grant":             {form("grant_type", "password"), 400, "AADSTS70003"},
		"signature":                  {broken, 401, "AADSTS700027"},
		"not a JWT":                  {form("client_assertion_type", jwt, "client_assertion", "x.y"), 401, "AADSTS50027"},
		"audience of another tenant": {cert("PS256", func(_, c map[string]any) { c["aud"] = "https://login.microsoftonline.com/x/oauth2/v2.0/token" }), 401, "AADSTS700023"},
		"issuer":                     {cert("PS256", func(_, c map[string]any) { c["iss"] = "x" }), 401, "AADSTS700030"},
		"expired":                    {cert("PS256", func(_, c map[string]any) { c["exp"] = 1000000000 }), 401, "AADSTS700024"},
		"not yet valid":              {cert("PS256", func(_, c map[string]any) { c["nbf"] = 4000000000 }), 401, "AADSTS700024"},
		"no expiry":                  {cert("PS256", func(_, c map[string]any) { delete(c, "exp") }), 401, "AADSTS50027"},
		"thumbprint":                 {cert("PS256", func(h, _ map[string]any) { h["x5t#S256"] = "AAAA" }), 401, "AADSTS700027"},
		"algorithm none":             {cert("PS256", func(h, _ map[string]any) { h["alg"] = "none" }), 401, "AADSTS5002738"},
	} {
		t.Run(name, func(t *testing.T) {
			status, body := c.form("/"+ten.TenantID+"/oauth2/v2.0/token", tc.form)
			desc, _ := body["error_description"].(string)
			if status != tc.status || !strings.HasPrefix(desc, tc.code) || tc.status == 200 && body["access_token"] == "" {
				t.Errorf("%d %q, want %d %s", status, desc, tc.status, tc.code)
			}
		})
	}
	if status, body := c.form("/11111111-1111-1111-1111-111111111111/oauth2/v2.0/token", form("client_secret", ten.ApplicationSecret)); status != 400 || !strings.HasPrefix(body["error_description"].(string), "AADSTS90002") {
		t.Errorf("foreign tenant: %d %v", status, body)
	}
}

func TestAccessTokenIsSignedByThePublishedKeyAndDies(t *testing.T) {
	c := start(t, sim.Options{Users: 1, TokenLife: 30 * time.Minute}).login()
	disc := c.want(200, "GET", "https://login.microsoftonline.com/"+c.s.Tenant().TenantID+"/v2.0/.well-known/openid-configuration", nil)
	keys := c.want(200, "GET", disc.m["jwks_uri"].(string), nil)
	k := keys.m["keys"].([]any)[0].(map[string]any)
	n, err := base64.RawURLEncoding.DecodeString(k["n"].(string))
	if err != nil {
		t.Fatal(err)
	}
	parts := strings.Split(c.token, ".")
	sig, err := base64.RawURLEncoding.DecodeString(parts[2])
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256([]byte(parts[0] + "." + parts[1]))
	pub := &rsa.PublicKey{E: 65537, N: new(big.Int).SetBytes(n)}
	if err := rsa.VerifyPKCS1v15(pub, crypto.SHA256, sum[:], sig); err != nil {
		t.Errorf("signature: %v", err)
	}
	c.want(200, "GET", "/organization", nil)
	c.s.Clock().Move(31 * time.Minute)
	if a := c.want(401, "GET", "/organization", nil); a.code() != "InvalidAuthenticationToken" {
		t.Errorf("code %s", a.code())
	}
	c.login()
	c.want(200, "GET", "/organization", nil)
	c.s.RevokeTokens()
	c.want(401, "GET", "/organization", nil)
}

func TestMissingPermissionIsNamedInTheServicesOwnCode(t *testing.T) {
	c := start(t, sim.Options{Users: 1, Roles: []string{"Mail.Read"}}).login()
	u := "/users/" + c.s.Tenant().Users[0].ID
	c.want(200, "GET", u+"/messages", nil)
	for path, code := range map[string]string{"/users": "Authorization_RequestDenied", "/organization": "Authorization_RequestDenied", u + "/drive": "accessDenied"} {
		if a := c.want(403, "GET", path, nil); a.code() != code {
			t.Errorf("%s: %s, want %s", path, a.code(), code)
		}
	}
	if a := c.want(403, "POST", u+"/messages", map[string]any{}); a.code() != "ErrorAccessDenied" {
		t.Errorf("code %s", a.code())
	}
}

func TestUsersDelta(t *testing.T) {
	c := start(t, judged(t, sim.Options{Users: 120})).login()
	rows, link := c.pages("/users/delta?$select=id,displayName")
	if len(rows) != 120 || link == "" {
		t.Fatalf("%d users, link %q", len(rows), link)
	}
	gone := c.s.Tenant().Users[3].ID
	if err := c.s.DeleteUser(gone); err != nil {
		t.Fatal(err)
	}
	if err := c.s.SetMailbox(c.s.Tenant().Users[4].ID, sim.MailboxUnlicensed); err != nil {
		t.Fatal(err)
	}
	rows, link = c.pages(link)
	if len(rows) != 2 || rows[0]["id"] != gone || rows[0]["@removed"] == nil || rows[1]["displayName"] == nil {
		t.Errorf("changes: %v", rows)
	}
	c.s.Clock().Move(8 * 24 * time.Hour)
	c.login()
	if a := c.want(410, "GET", link, nil); a.code() != "syncStateNotFound" {
		t.Errorf("code %s", a.code())
	}
	groups, _ := c.pages("/groups?$filter=groupTypes/any(c:c eq 'Unified')&$select=id,displayName")
	if len(groups) != 5 {
		t.Errorf("%d unified groups, want 3 and those of 2 teams", len(groups))
	}
	members, _ := c.pages("/groups/" + groups[0]["id"].(string) + "/members")
	if len(members) == 0 || members[0]["@odata.type"] != "#microsoft.graph.user" {
		t.Errorf("members %v", members)
	}
	c.pages("/groups/delta?$select=displayName,members")
}

func TestOutlookLimitsAreEnforcedAndEarlyRetriesCounted(t *testing.T) {
	c := start(t, sim.Options{Users: 2, Limits: sim.LimitsEnforce}).login()
	u := "/users/" + c.s.Tenant().Users[0].ID + "/mailFolders/inbox?$select=id"
	parts := make([]any, 20)
	for i := range parts {
		parts[i] = map[string]any{"id": fmt.Sprint(i), "method": "GET", "url": u}
	}
	for n := range 500 {
		out := c.want(200, "POST", "/$batch", map[string]any{"requests": parts})
		for _, p := range out.m["responses"].([]any) {
			if s := p.(map[string]any)["status"]; s != 200.0 {
				t.Fatalf("batch %d: a part has %v", n, p)
			}
		}
	}
	a := c.call("GET", u, nil)
	if a.status != 429 || a.header.Get("Retry-After") == "" || a.code() != "ApplicationThrottled" {
		t.Fatalf("call 10,001: %d %s", a.status, a.raw)
	}
	c.want(200, "GET", "/users/"+c.s.Tenant().Users[1].ID+"/mailFolders/inbox", nil)
	if s := c.s.Stats(); s.EarlyRetries != 0 {
		t.Fatalf("%d early retries before any", s.EarlyRetries)
	}
	c.want(429, "GET", u, nil)
	if s := c.s.Stats(); s.EarlyRetries != 0 {
		t.Errorf("a call that was on its way when another one was refused counts as an early retry: %d", s.EarlyRetries)
	}
	c.s.Clock().Move(700 * time.Millisecond)
	c.want(429, "GET", u, nil)
	if s := c.s.Stats(); s.EarlyRetries != 1 {
		t.Errorf("%d early retries, want 1", s.EarlyRetries)
	}
	c.s.Clock().Move(10*time.Minute + time.Second)
	c.want(200, "GET", u, nil)
}

func TestMoreThanFourCallsAtOnceOnAMailboxAreRefused(t *testing.T) {
	c := start(t, sim.Options{Users: 1, Limits: sim.LimitsEnforce}).login()
	// A batch runs four parts at once; these four are held by a slow answer, so that the next call is the fifth.
	u := "/users/" + c.s.Tenant().Users[0].ID + "/messages"
	entered, free := make(chan struct{}, 8), make(chan struct{})
	body := func() io.Reader { return io.MultiReader(&gate{entered, free}, strings.NewReader(`{"subject":"x"}`)) }
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			req, err := http.NewRequest("POST", "https://graph.microsoft.com/v1.0"+u, body())
			if err != nil {
				t.Error(err)
				return
			}
			req.Header.Set("Content-Type", "application/json")
			req.Header.Set("Authorization", "Bearer "+c.token)
			resp, err := c.http.Do(req)
			if err != nil {
				t.Error(err)
				return
			}
			defer resp.Body.Close()
			if resp.StatusCode != 201 {
				t.Errorf("held call: %d", resp.StatusCode)
			}
		})
	}
	for range 4 {
		<-entered
	}
	var a answer
	for range 2000 { // the headers may be on their way still
		if a = c.call("GET", u+"?$top=1", nil); a.status == 429 {
			break
		}
	}
	if a.status != 429 || !strings.Contains(string(a.raw), "MailboxConcurrency") {
		t.Errorf("fifth call at once: %d %s", a.status, a.raw)
	}
	close(free)
	wg.Wait()
	c.want(200, "GET", u+"?$top=1", nil)
}

// gate tells when it is read for the first time and then waits.
type gate struct {
	entered chan<- struct{}
	free    <-chan struct{}
}

func (g *gate) Read([]byte) (int, error) {
	g.entered <- struct{}{}
	<-g.free
	return 0, io.EOF
}

func TestFaults(t *testing.T) {
	c := start(t, sim.Options{Users: 2, Seed: 5, Mail: sim.MailShape{Messages: 100}}).login()
	u := "/users/" + c.s.Tenant().Users[0].ID
	other := "/users/" + c.s.Tenant().Users[1].ID
	_, link := c.pages(u + "/mailFolders/inbox/messages/delta?$select=subject")
	id := c.want(200, "GET", u+"/mailFolders/inbox/messages?$top=1", nil).rows()[0]["id"].(string)
	set := func(f ...sim.Fault) {
		t.Helper()
		if err := c.s.SetFaults(f...); err != nil {
			t.Fatal(err)
		}
	}
	for name, want := range map[string]struct {
		status     int
		retryAfter bool
		empty      bool
	}{
		sim.FaultThrottled:       {429, true, false},
		sim.FaultThrottledBare:   {429, false, false},
		sim.FaultUnavailable:     {503, true, false},
		sim.FaultUnavailableBare: {503, false, true},
		sim.FaultServerError:     {500, false, false},
		sim.FaultBadGateway:      {502, false, false},
	} {
		set(sim.Fault{Name: name, Times: 1, User: c.s.Tenant().Users[0].UPN})
		c.want(200, "GET", other+"/messages", nil)
		a := c.want(want.status, "GET", u+"/messages", nil)
		if got := a.header.Get("Retry-After") != ""; got != want.retryAfter || (len(a.raw) == 0) != want.empty {
			t.Errorf("%s: Retry-After %v, body %q", name, got, a.raw)
		}
		c.want(200, "GET", u+"/messages", nil)
	}
	set(sim.Fault{Name: sim.FaultSyncState, Times: 1})
	if a := c.want(410, "GET", link, nil); !strings.EqualFold(a.code(), "syncStateNotFound") {
		t.Errorf("code %s", a.code())
	}
	set(sim.Fault{Name: sim.FaultFatPage})
	c.want(504, "GET", u+"/messages?$top=100", nil)
	c.want(200, "GET", u+"/messages?$top=100&$select=subject", nil)
	c.want(200, "GET", u+"/messages?$top=20", nil)

	set(sim.Fault{Name: sim.FaultTruncated, Times: 1})
	if a := c.call("GET", u+"/messages/"+id+"/$value", nil); a.err == nil {
		t.Error("a broken connection was not noticed")
	}
	whole := c.want(200, "GET", u+"/messages/"+id+"/$value", nil).raw
	set(sim.Fault{Name: sim.FaultShort, Times: 1})
	if a := c.want(200, "GET", u+"/messages/"+id+"/$value", nil); a.err != nil || len(a.raw) != len(whole)/2 {
		t.Errorf("short body: %d of %d bytes, %v", len(a.raw), len(whole), a.err)
	}
	set(sim.Fault{Name: sim.FaultHTML, Times: 1})
	if a := c.want(200, "GET", u+"/messages", nil); !strings.Contains(string(a.raw), "<html>") {
		t.Errorf("HTML body: %s", a.raw)
	}
	set(sim.Fault{Name: sim.FaultAckLost, Times: 1, Path: "POST"})
	if _, err := c.try("POST", u+"/messages", map[string]any{"subject": "lost acknowledgement"}); err == nil {
		t.Error("the acknowledgement was not lost")
	}
	set(sim.Fault{Name: sim.FaultDropped, Times: 1, Path: "POST"})
	if _, err := c.try("POST", u+"/messages", map[string]any{"subject": "never came"}); err == nil {
		t.Error("the connection did not break")
	}
	set()
	if rows, _ := c.pages(u + "/messages?$select=subject&$filter=subject eq 'lost acknowledgement' or subject eq 'never came'"); len(rows) != 1 {
		t.Errorf("%d messages were made, want 1", len(rows))
	}

	set(sim.Fault{Name: sim.FaultBoundaries})
	mixed := ""
	for _, r := range c.want(200, "GET", u+"/messages?$top=100&$filter=hasAttachments eq true&$select=id", nil).rows() {
		mixed = r["id"].(string)
	}
	one, two := c.want(200, "GET", u+"/messages/"+mixed+"/$value", nil).raw, c.want(200, "GET", u+"/messages/"+mixed+"/$value", nil).raw
	if string(one) == string(two) {
		t.Error("boundaries did not change")
	}

	set(sim.Fault{Name: sim.FaultEmptyPage, Every: 2}, sim.Fault{Name: sim.FaultDuplicate, Every: 3}, sim.Fault{Name: sim.FaultOutOfOrder})
	rows, _ := c.pages(u + "/mailFolders/inbox/messages/delta?$select=subject")
	seen := map[any]bool{}
	for _, r := range rows {
		seen[r["id"]] = true
	}
	total := int(c.want(200, "GET", u+"/mailFolders/inbox", nil).m["totalItemCount"].(float64))
	if len(seen) != total || len(rows) <= total {
		t.Errorf("delta with faults: %d rows, %d different, want more than and exactly %d", len(rows), len(seen), total)
	}
	set(sim.Fault{Name: sim.FaultForeignLink, Times: 1})
	if next := c.want(200, "GET", u+"/messages?$top=1", nil).m["@odata.nextLink"].(string); !strings.HasPrefix(next, "https://"+sim.ForeignHost+"/") {
		t.Errorf("nextLink %s", next)
	}
	set(sim.Fault{Name: sim.FaultItemVanished, Times: 1})
	c.want(404, "GET", u+"/messages/"+id+"/$value", nil)
	c.want(404, "GET", u+"/messages/"+id+"/$value", nil)
	set(sim.Fault{Name: sim.FaultItemChanged, Times: 1})
	before := c.want(200, "GET", u+"/messages/"+mixed, nil).m
	if after := c.want(200, "GET", u+"/messages/"+mixed, nil).m; after["changeKey"] == before["changeKey"] {
		t.Error("the message did not change while it was read")
	}
	set(sim.Fault{Name: sim.FaultToken, Times: 1})
	c.want(401, "GET", u+"/messages", nil)
	c.want(401, "GET", u+"/messages", nil)
	c.login()
	c.want(200, "GET", u+"/messages", nil)
	if err := c.s.SetFaults(sim.Fault{Name: "nonsense"}); err == nil {
		t.Error("an unknown fault was taken")
	}
	if n := c.s.Stats().FaultsFired[sim.FaultThrottled]; n != 1 {
		t.Errorf("throttle fired %d times", n)
	}
}

func TestOldDeltaLinksExpire(t *testing.T) {
	c := start(t, sim.Options{Users: 1, DeltaLife: 5 * 24 * time.Hour, TokenLife: 24 * time.Hour * 30}).login()
	u := "/users/" + c.s.Tenant().Users[0].ID
	_, link := c.pages(u + "/mailFolders/inbox/messages/delta")
	c.s.Clock().Move(4 * 24 * time.Hour)
	_, link = c.pages(link)
	c.s.Clock().Move(6 * 24 * time.Hour)
	c.want(410, "GET", link, nil)
	if a := c.want(400, "GET", link[:len(link)-3], nil); a.code() != "SyncStateInvalid" {
		t.Errorf("code %s", a.code())
	}
}

func (c *client) control(method, path string, body any) answer {
	c.t.Helper()
	var r io.Reader
	if body != nil {
		b, err := json.Marshal(body)
		if err != nil {
			c.t.Fatal(err)
		}
		r = strings.NewReader(string(b))
	}
	req, err := http.NewRequest(method, "http://"+c.s.ControlAddr()+path, r)
	if err != nil {
		c.t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		c.t.Fatal(err)
	}
	defer resp.Body.Close()
	a := answer{status: resp.StatusCode}
	if a.raw, err = io.ReadAll(resp.Body); err != nil {
		c.t.Fatal(err)
	}
	_ = json.Unmarshal(a.raw, &a.m) // lines and arrays leave it nil
	if a.status != 200 {
		c.t.Fatalf("%s %s: %d %s", method, path, a.status, a.raw)
	}
	return a
}

func (c *client) dump(user string) (folders, messages []map[string]any) {
	c.t.Helper()
	for line := range strings.Lines(string(c.control("GET", "/oracle/mailboxes/"+user+"?mime=1", nil).raw)) {
		var row map[string]map[string]any
		if err := json.Unmarshal([]byte(line), &row); err != nil {
			c.t.Fatal(err)
		}
		if f := row["folder"]; f != nil {
			folders = append(folders, f)
		} else {
			messages = append(messages, row["message"])
		}
	}
	return folders, messages
}

func TestControlChurnsMutatesAndTellsWhatWasServed(t *testing.T) {
	c := start(t, sim.Options{Users: 2, Seed: 21}).login()
	user := c.s.Tenant().Users[0]
	u := "/users/" + user.ID
	_, before := c.dump(user.UPN)
	if len(before) != 26 { // with two notes
		t.Fatalf("%d messages in the dump, want 26", len(before))
	}
	rows, links := c.everything(u)
	var plan []map[string]any
	a := c.control("POST", "/churn", map[string]any{"seed": 1, "users": []string{user.ID}, "new": 4, "flags": 3, "moves": 2, "deletes": 1, "folders": 2})
	if err := json.Unmarshal(a.raw, &plan); err != nil {
		t.Fatal(err)
	}
	changed := map[string]string{}
	for _, kind := range []string{"new", "flagged", "moved", "deleted"} {
		for _, id := range plan[0][kind].([]any) {
			changed[id.(string)] = kind
		}
	}
	if len(changed) != 10 {
		t.Fatalf("churn says %v", plan)
	}
	told := map[string]string{}
	for _, link := range links {
		got, _ := c.pages(link)
		for _, r := range got {
			id := r["id"].(string)
			switch {
			case r["@removed"] == nil && rows[id] == nil:
				told[id] = "new"
			case r["@removed"] == nil && rows[id]["parentFolderId"] == r["parentFolderId"]:
				told[id] = "flagged"
			case r["@removed"] == nil:
				told[id] = "moved"
			case told[id] == "":
				told[id] = "deleted"
			}
		}
	}
	if fmt.Sprint(told) != fmt.Sprint(changed) {
		t.Errorf("deltas tell %v\nchurn did %v", told, changed)
	}
	_, after := c.dump(user.ID)
	if len(after) != 29 {
		t.Errorf("%d messages after churn, want 29", len(after))
	}
	id := after[0]["id"].(string)
	raw := c.want(200, "GET", u+"/messages/"+id+"/$value", nil).raw
	sum := sha256.Sum256(raw)
	if got := after[0]["mimeSha256"]; got != fmt.Sprintf("%x", sum) {
		t.Errorf("the dump's hash of MIME is %v, served was %x", got, sum)
	}
	served := string(c.control("GET", "/oracle/mailboxes/"+user.ID+"/served?item="+id, nil).raw)
	if !strings.Contains(served, `"kind":"mime"`) || !strings.Contains(served, fmt.Sprintf("%x", sum[:16])) {
		t.Errorf("served: %s", served)
	}
	c.control("POST", "/mutate", map[string]any{"op": "deliver", "user": user.UPN, "mime": base64.StdEncoding.EncodeToString([]byte("Subject: hi\r\n\r\nyou\r\n"))})
	c.control("POST", "/mutate", map[string]any{"op": "wipe", "user": user.UPN})
	folders, left := c.dump(user.UPN)
	if len(left) != 0 {
		t.Errorf("%d messages left after the wipe", len(left))
	}
	for _, f := range folders {
		if f["total"] != 0.0 || f["unread"] != 0.0 {
			t.Errorf("folder after the wipe: %v", f)
		}
	}
	n := 0
	for f, link := range links {
		if a := c.call("GET", u+"/mailFolders/"+f, nil); a.status == 404 {
			continue
		}
		gone, _ := c.pages(link)
		for _, r := range gone {
			if r["@removed"] != nil {
				n++
			}
		}
	}
	if n == 0 {
		t.Error("no delta tells of the wipe")
	}
	if s := c.control("GET", "/stats", nil); s.m["requests"].(float64) < 10 {
		t.Errorf("stats: %s", s.raw)
	}
	now := c.control("POST", "/clock", map[string]any{"advance": "24h"}).m["now"].(string)
	if got, err := time.Parse(time.RFC3339, now); err != nil || time.Until(got) < 23*time.Hour {
		t.Errorf("clock says %s", now)
	}
}

func TestConnectProxyLeadsServedNamesOnly(t *testing.T) {
	c := start(t, sim.Options{Users: 1, Proxy: "127.0.0.1:0"}).login()
	pem, err := os.ReadFile(c.s.CAFile())
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(pem)
	proxy := &url.URL{Scheme: "http", Host: c.s.ProxyAddr()}
	tr := &http.Transport{Proxy: http.ProxyURL(proxy), TLSClientConfig: &tls.Config{RootCAs: pool}}
	defer tr.CloseIdleConnections()
	h := &http.Client{Transport: tr}
	req, err := http.NewRequest("GET", "https://graph.microsoft.com/v1.0/organization", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+c.token)
	resp, err := h.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != 200 {
		t.Errorf("through the proxy: %d", resp.StatusCode)
	}
	if _, err := h.Get("https://example.com/"); err == nil {
		t.Error("the proxy led to a foreign name")
	}
	if n := c.s.Stats().RefusedHosts["example.com"]; n != 1 {
		t.Errorf("refused %d times", n)
	}
}

func TestAStartInTheSameFolderKeepsKeysAndContent(t *testing.T) {
	dir := t.TempDir()
	run := func() (sim.Tenant, []byte, []map[string]any) {
		s, err := sim.New(sim.Options{Dir: dir, Users: 2, Seed: 9})
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		ca, err := os.ReadFile(s.CAFile())
		if err != nil {
			t.Fatal(err)
		}
		_, rows := connect(t, s).dump(s.Tenant().Users[0].ID)
		return s.Tenant(), ca, rows
	}
	t1, ca1, rows1 := run()
	t2, ca2, rows2 := run()
	if fmt.Sprint(t1) != fmt.Sprint(t2) || string(ca1) != string(ca2) || fmt.Sprint(rows1) != fmt.Sprint(rows2) {
		t.Error("the second start differs from the first")
	}
	left, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range left {
		if strings.HasSuffix(f.Name(), ".spill") {
			t.Errorf("%s was left behind", f.Name())
		}
	}
}
