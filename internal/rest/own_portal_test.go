package rest_test

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"holdfast/internal/holdfast"
	"holdfast/internal/service"
)

const portalURL = "https://backup.example"

// entra plays Microsoft's side: a code of its is the request that it was asked for, with the user who signed in.
type entra struct {
	mu    sync.Mutex // guards both
	spent map[string]bool
	apps  []service.PortalApplication // as they were shown
}

// sign is what the sign-in page does: it gives a code for a user of a tenant.
func (*entra) sign(location *url.URL, tenant, object string) string {
	q := location.Query()
	q.Set("tid", tenant)
	q.Set("oid", object)
	return q.Encode()
}

func (e *entra) Redeem(_ context.Context, app service.PortalApplication, c service.PortalCode) (service.Identity, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.apps = append(e.apps, app)
	q, err := url.ParseQuery(c.Code)
	sum := sha256.Sum256([]byte(c.Verifier))
	switch {
	case err != nil || q.Get("oid") == "":
		return service.Identity{}, errors.New("no such code")
	case e.spent[c.Code]:
		return service.Identity{}, errors.New("the code was redeemed before")
	case q.Get("code_challenge") != base64.RawURLEncoding.EncodeToString(sum[:]) || q.Get("code_challenge_method") != "S256":
		return service.Identity{}, errors.New("the verifier is wrong")
	case q.Get("nonce") != c.Nonce || c.Nonce == "":
		return service.Identity{}, errors.New("the nonce is wrong")
	case q.Get("redirect_uri") != app.Redirect || q.Get("client_id") != app.ID:
		return service.Identity{}, errors.New("the code is for another application")
	}
	e.spent[c.Code] = true
	return service.Identity{Tenant: q.Get("tid"), ObjectID: q.Get("oid"), Name: "somebody@contoso.example", DisplayName: "Somebody"}, nil
}

// Verify takes "tenant user audience" for a token.
func (e *entra) Verify(_ context.Context, app service.PortalApplication, assertion string) (service.Identity, error) {
	parts := strings.Fields(assertion)
	if len(parts) != 3 || parts[2] != app.ID {
		return service.Identity{}, holdfast.Unauthenticated("the token is for another application")
	}
	return service.Identity{Tenant: parts[0], ObjectID: parts[1], Name: "somebody@contoso.example"}, nil
}

// visit is a navigation of a browser with these cookies.
func (w *world) visit(target string, cookies ...*http.Cookie) (*url.URL, map[string]*http.Cookie) {
	w.t.Helper()
	r := httptest.NewRequestWithContext(w.t.Context(), "GET", target, nil)
	r.Header.Set("Sec-Fetch-Site", "cross-site")
	r.Header.Set("Sec-Fetch-Mode", "navigate")
	for _, c := range cookies {
		r.AddCookie(c)
	}
	out := httptest.NewRecorder()
	w.api.ServeHTTP(out, r)
	got := &reply{w: w, status: out.Code, header: out.Header(), body: out.Body.Bytes()}
	w.judge(r, got)
	if out.Code != 302 {
		w.t.Fatalf("%s: %d %s", target, out.Code, out.Body)
	}
	to, err := url.Parse(out.Header().Get("Location"))
	if err != nil {
		w.t.Fatal(err)
	}
	set := map[string]*http.Cookie{}
	for _, c := range out.Result().Cookies() {
		set[c.Name] = c
	}
	return to, set
}

const (
	signIn   = "/holdfast/v1/portal/sign-in"
	callback = "/holdfast/v1/portal/callback"
	binding  = "__Host-holdfast-sign-in"
)

// begin begins a sign-in.
func (w *world) begin() (*url.URL, *http.Cookie) {
	w.t.Helper()
	to, set := w.visit(signIn)
	if set[binding] == nil {
		w.t.Fatalf("no cookie: %s", to)
	}
	return to, set[binding]
}

func answer(to *url.URL, code string) string {
	return callback + "?" + url.Values{"state": {to.Query().Get("state")}, "code": {code}}.Encode()
}

// openPortal opens the portal as the owner.
func (w *world) openPortal() {
	w.t.Helper()
	w.must(w.services.Portal.Put(w.t.Context(), asTest, service.PortalSettings{Enabled: true, ApplicationID: portalApplication, URL: portalURL}))
}

const portalApplication = "00000000-0000-4000-8000-00000000ab01"

// portal walks through the portal as an end user and as an operator.
func portal(w *world) {
	const own = "/holdfast/v1"
	w.bearer, w.cookie = "", ""
	w.openPortal()
	w.call("GET", own+"/portal", nil).want(200).golden()
	to, cookie := w.begin()
	q := to.Query()
	if to.Scheme+"://"+to.Host+to.Path != "https://login.microsoftonline.com/organizations/oauth2/v2.0/authorize" || q.Get("redirect_uri") != portalURL+callback || q.Get("response_type") != "code" ||
		q.Get("code_challenge_method") != "S256" || q.Get("client_id") != portalApplication || q.Get("scope") != "openid profile" {
		w.t.Errorf("the browser is sent to %s", to)
	}
	if !cookie.HttpOnly || !cookie.Secure || cookie.SameSite != http.SameSiteLaxMode || cookie.Path != "/" || cookie.MaxAge != 600 {
		w.t.Errorf("cookie %v", cookie)
	}
	back, set := w.visit(answer(to, w.entra.sign(to, tenant, ada)), cookie)
	session := set["__Host-holdfast"]
	if back.String() != "/portal" || session == nil || !session.HttpOnly || session.SameSite != http.SameSiteStrictMode || set[binding].MaxAge >= 0 {
		w.t.Fatalf("after the sign-in: %s %v", back, set)
	}
	w.cookie = session.Name + "=" + session.Value
	w.call("GET", own+"/session", nil).want(200).golden("portal")
	w.call("GET", own+"/portal/objects", nil).want(200).golden()
	w.call("GET", own+"/portal/objects?search=nobody", nil).want(200).golden("none")

	// A restore with its reason, the sign-out, and what is left.
	explore := func() string {
		return w.call("POST", "/v8/Organization/Explore", map[string]any{"type": "Vex"}).want(201).text("id")
	}
	idle, busy := explore(), explore()
	box := w.call("GET", "/v8/RestoreSessions/"+busy+"/organization/mailboxes", nil).want(200).text("results", 0, "id")
	body := map[string]any{"restoreSessionId": busy, "containerId": box, "reason": strings.Repeat("ä", 501)}
	w.call("POST", own+"/Restore", body).says(400, "at most 500 characters")
	body["reason"] = " I deleted it by mistake "
	w.call("POST", own+"/Restore", body).want(200)
	w.call("GET", own+"/portal/restores", nil).want(200).golden()
	if got := w.call("GET", "/v8/RestoreSessions/"+busy, nil).want(200).text("reason"); got != "I deleted it by mistake" {
		w.t.Errorf("reason %q", got)
	}
	w.call("DELETE", own+"/session", nil).want(204)
	w.call("GET", own+"/session", nil).want(401)
	for id, stopped := range map[string]bool{idle: true, busy: false} {
		s, err := w.services.RestoreSessions.Get(w.t.Context(), asTest, holdfast.RestoreSessionID(id))
		if err != nil || s.Stopped != stopped {
			w.t.Errorf("session %s: stopped %v, want %v, %v", id, s.Stopped, stopped, err)
		}
	}
	entries, err := w.services.Audit.List(w.t.Context(), asTest, holdfast.Page{Limit: 100})
	w.must(err)
	found := false
	for _, e := range entries {
		found = found || e.Act == "restore_session.restore" && strings.HasSuffix(e.Detail, "reason: I deleted it by mistake")
	}
	if !found {
		w.t.Error("the reason is not in the audit chain")
	}
	w.cookie = ""

	// Tokens of programs.
	for name, c := range map[string]struct {
		grant, client, assertion string
		status                   int
	}{
		"operator":                    {"operator", ada + "." + tenant, tenant + " " + ada + " " + portalApplication, 200},
		"another's id":                {"operator", bob + "." + tenant, tenant + " " + ada + " " + portalApplication, 400},
		"no tenant":                   {"operator", ada, tenant + " " + ada + " " + portalApplication, 400},
		"application":                 {"urn:ietf:params:oauth:grant-type:jwt-bearer", portalApplication, tenant + " " + ada + " " + portalApplication, 200},
		"organization":                {"urn:ietf:params:oauth:grant-type:jwt-bearer", "contoso.example", tenant + " " + ada + " " + portalApplication, 200},
		"another application":         {"urn:ietf:params:oauth:grant-type:jwt-bearer", application, tenant + " " + ada + " " + portalApplication, 400},
		"token for another":           {"urn:ietf:params:oauth:grant-type:jwt-bearer", portalApplication, tenant + " " + ada + " " + application, 400},
		"organization not protected":  {"operator", ada + "." + otherTenant, otherTenant + " " + ada + " " + portalApplication, 400},
		"no assertion":                {"operator", ada + "." + tenant, "", 400},
		"no token":                    {"operator", ada + "." + tenant, "rubbish", 400},
		"the organization's tenant":   {"urn:ietf:params:oauth:grant-type:jwt-bearer", tenant, tenant + " " + ada + " " + portalApplication, 200},
		"operator by the application": {"operator", portalApplication, tenant + " " + ada + " " + portalApplication, 400},
	} {
		got := w.call("POST", "/v8/token", map[string]any{"grant_type": c.grant, "client_id": c.client, "assertion": c.assertion})
		if got.status != c.status {
			w.t.Errorf("%s: %d %s", name, got.status, got.body)
		}
		if c.status == 200 && got.status == 200 {
			w.bearer = got.text("access_token")
			if role := w.call("GET", own+"/session", nil).want(200).text("user", "role"); role != string(service.RoleEndUser) {
				w.t.Errorf("%s: role %s", name, role)
			}
			w.bearer = ""
		}
	}
}

// TestNobodySignsInAtThePortalByATrick tries what an attacker would.
func TestNobodySignsInAtThePortalByATrick(t *testing.T) {
	w := newWorld(t)
	w.sides(application)
	if to, set := w.visit(signIn); to.String() != "/portal?error=not_enabled" || len(set) > 0 {
		t.Errorf("a closed portal: %s %v", to, set)
	}
	w.openPortal()
	refused := func(name, target, want string, cookies ...*http.Cookie) {
		t.Helper()
		to, set := w.visit(target, cookies...)
		if to.String() != "/portal?error="+want || set["__Host-holdfast"] != nil {
			t.Errorf("%s: sent to %s with %v, want %s", name, to, set, want)
		}
	}
	mine, cookie := w.begin()
	theirs, other := w.begin()
	good := w.entra.sign(mine, tenant, ada)
	refused("a stolen state without the cookie", answer(mine, good), "expired")
	refused("a stolen state with the thief's cookie", answer(mine, good), "expired", other)
	refused("an invented state", callback+"?state=x&code=y", "expired", cookie)
	refused("no state", callback+"?code=y", "expired", cookie)
	refused("an empty cookie", answer(mine, good), "expired", &http.Cookie{Name: binding, Value: ""})
	refused("another's code in the own sign-in", answer(theirs, good), "failed", other)
	// None of these has spent the sign-in.
	if to, set := w.visit(answer(mine, good), cookie); to.String() != "/portal" || set["__Host-holdfast"] == nil {
		t.Fatalf("the sign-in itself: %s", to)
	}
	refused("the same answer again", answer(mine, good), "expired", cookie)
	again, cookie2 := w.begin()
	refused("a spent code with a new state", answer(again, good), "failed", cookie2)

	late, cookie := w.begin()
	w.clock.now = w.clock.now.Add(10 * time.Minute)
	refused("too late", answer(late, w.entra.sign(late, tenant, ada)), "expired", cookie)
	foreign, cookie := w.begin()
	refused("a foreign organization", answer(foreign, w.entra.sign(foreign, otherTenant, ada)), "unknown_organization", cookie)
	denied, cookie := w.begin()
	refused("the user said no", callback+"?error=access_denied&state="+denied.Query().Get("state"), "denied", cookie)
	refused("after he said no", answer(denied, w.entra.sign(denied, tenant, ada)), "expired", cookie)
	broken, cookie := w.begin()
	refused("another error", callback+"?error=server_error&state="+broken.Query().Get("state"), "failed", cookie)
	closed, cookie := w.begin()
	w.must(w.services.Portal.Put(t.Context(), asTest, service.PortalSettings{ApplicationID: portalApplication, URL: portalURL}))
	refused("closed meanwhile", answer(closed, w.entra.sign(closed, tenant, ada)), "not_enabled", cookie)
	w.openPortal()
	if strings.Contains(w.log.String(), url.QueryEscape(good)) || strings.Contains(w.log.String(), cookie.Value) {
		t.Error("a code or a secret is in the log")
	}

	for back, ok := range map[string]bool{"/portal": true, "/portal/mail?x=1": true, "/portal/#/restores": true, "": true, "/": false, "/portalx": false, "//evil.example/portal": false, "https://evil.example/portal": false,
		"/portal/../console": false, "/portal/\\evil": false, `\\evil.example`: false, "/portal\r\nX: y": false, "javascript:alert(1)": false, "/portal//evil": false} {
		r := httptest.NewRequestWithContext(t.Context(), "GET", signIn+"?return="+url.QueryEscape(back), nil)
		out := httptest.NewRecorder()
		w.api.ServeHTTP(out, r)
		if (out.Code == 302) != ok || !ok && out.Code != 400 {
			t.Errorf("return %q: %d %s", back, out.Code, out.Body)
		}
	}
	to, set := w.visit(signIn + "?return=" + url.QueryEscape("/portal/mail?x=1"))
	if back, _ := w.visit(answer(to, w.entra.sign(to, tenant, ada)), set[binding]); back.String() != "/portal/mail?x=1" {
		t.Errorf("came back to %s", back)
	}
}

// TestPortalShowsTheApplicationsOwnCredential says which credential the application shows: its own, an organization's, or none.
func TestPortalShowsTheApplicationsOwnCredential(t *testing.T) {
	w := newWorld(t)
	w.sides(application)
	use := func(s service.PortalSettings) service.PortalApplication {
		t.Helper()
		s.Enabled, s.URL = true, portalURL
		w.must(w.services.Portal.Put(t.Context(), asTest, s))
		to, cookie := w.begin()
		w.visit(answer(to, w.entra.sign(to, tenant, ada)), cookie)
		return w.entra.apps[len(w.entra.apps)-1]
	}
	if got := use(service.PortalSettings{ApplicationID: portalApplication}).Credential; got != (holdfast.Credential{}) {
		t.Errorf("a public application shows %v", got.ApplicationID)
	}
	if got := use(service.PortalSettings{ApplicationID: application}).Credential; got.ApplicationSecret != "right" {
		t.Error("the organization's application shows nothing")
	}
	secret := service.PortalSettings{ApplicationID: portalApplication, Credential: &holdfast.Credential{ApplicationSecret: "its own"}}
	if got := use(secret).Credential; got.ApplicationSecret != "its own" {
		t.Error("the own secret is not shown")
	}
	if got := use(service.PortalSettings{ApplicationID: portalApplication}).Credential; got.ApplicationSecret != "its own" {
		t.Error("the own secret was lost by a change of something else")
	}
	use(service.PortalSettings{ApplicationID: application})
	if got := use(service.PortalSettings{ApplicationID: portalApplication}).Credential; got != (holdfast.Credential{}) {
		t.Error("the secret outlived its application")
	}
	if err := w.services.Portal.Put(t.Context(), asTest, service.PortalSettings{Enabled: true, ApplicationID: portalApplication, URL: portalURL + "/backup"}); holdfast.KindOf(err) != holdfast.KindInvalid {
		t.Errorf("an address with a path: %v", err)
	}
}

// TestPortalNamesObjectsInScopeOnly says whom the portal lists: himself first, then whom roles grant, and who is gone.
func TestPortalNamesObjectsInScopeOnly(t *testing.T) {
	w := newWorld(t)
	_, sides := w.sides(application, otherApplication)
	role, err := w.services.RbacRoles.Create(t.Context(), asTest, sides[0].org.ID, service.RbacSpec{Name: new("helpers"), Operators: []holdfast.RbacItem{{Type: "User", ObjectID: bob}}, Whole: new(true)})
	w.must(err)
	as := func(object string) service.User {
		tokens, err := w.services.Admin.LoginDirectory(t.Context(), service.DirectoryIdentity{Organization: sides[0].org.ID, ObjectID: object, Name: "x"}, "")
		w.must(err)
		return tokens.User
	}
	names := func(u service.User, search string) string {
		t.Helper()
		all, total, err := w.services.Portal.Objects(t.Context(), u, search, holdfast.Page{})
		w.must(err)
		if total != len(all) {
			t.Errorf("total %d of %d", total, len(all))
		}
		out := []string{}
		for _, o := range all {
			mark := ""
			if o.Site {
				mark = " site " + o.Name
			}
			if o.Team {
				mark = " team " + o.Name
			}
			if o.Chats {
				mark += " chats"
			}
			if o.Self {
				mark = " self"
			}
			if o.Organization != sides[0].org.ID {
				mark += " foreign"
			}
			if o.Deleted {
				mark += " deleted"
			}
			out = append(out, o.ObjectID+mark)
		}
		return strings.Join(out, ", ")
	}
	if got := names(as(ada), ""); got != ada+" self" {
		t.Errorf("ada sees %s", got)
	}
	if got := names(as(bob), ""); got != bob+" self, "+ada+", "+apollo+" team Apollo, "+falcon+" site Falcon" {
		t.Errorf("bob sees %s", got)
	}
	if got := names(as(bob), "BOB"); got != bob+" self" {
		t.Errorf("bob finds %s", got)
	}
	if got := names(as(bob), sides[0].users[ada]); got != ada {
		t.Errorf("by ada's id bob finds %s", got)
	}
	if got := names(as(ada), sides[0].users[bob]); got != "" {
		t.Errorf("by bob's id ada finds %s", got)
	}
	w.must(w.services.RbacRoles.Delete(t.Context(), asTest, role.ID))
	if got := names(as(bob), ""); got != bob+" self" {
		t.Errorf("without the role bob sees %s", got)
	}
	// A role may manage some sites and teams alone.
	some, err := w.services.RbacRoles.Create(t.Context(), asTest, sides[0].org.ID, service.RbacSpec{Name: new("places"), Operators: []holdfast.RbacItem{{Type: "User", ObjectID: bob}}, Whole: new(false), Selected: []holdfast.RbacItem{{Type: "Team", Name: "Apollo"}}})
	w.must(err)
	if got := names(as(bob), ""); got != bob+" self, "+apollo+" team Apollo" {
		t.Errorf("with a role for a team bob sees %s", got)
	}
	if _, err := w.services.RbacRoles.Update(t.Context(), asTest, some.ID, service.RbacSpec{Whole: new(true), Excluded: []holdfast.RbacItem{{Type: "Site", Name: "https://contoso.sharepoint.example/sites/falcon"}}}); err != nil {
		t.Fatal(err)
	}
	if got := names(as(bob), ""); got != bob+" self, "+ada+", "+apollo+" team Apollo" {
		t.Errorf("with a role for all but a site bob sees %s", got)
	}
	for _, list := range []service.RbacSpec{{Operators: []holdfast.RbacItem{{Type: "Team", Name: "Apollo"}}}, {Excluded: []holdfast.RbacItem{{Type: "Site"}}}, {Selected: []holdfast.RbacItem{{Type: "Folder", ObjectID: bob}}}} {
		if _, err := w.services.RbacRoles.Update(t.Context(), asTest, some.ID, list); holdfast.KindOf(err) != holdfast.KindInvalid {
			t.Errorf("%+v: %v", list, err)
		}
	}
	w.must(w.services.RbacRoles.Delete(t.Context(), asTest, some.ID))
	all := people
	people = all[1:] // without ada
	defer func() { people = all }()
	w.clock.now = w.clock.now.Add(time.Hour)
	if got := names(as(ada), ""); got != ada+" self deleted" {
		t.Errorf("ada, who is gone, sees %s", got)
	}
	if _, _, err := w.services.Portal.Objects(t.Context(), service.User{ID: "x", Role: service.RoleAuditor}, "", holdfast.Page{}); holdfast.KindOf(err) != holdfast.KindDenied {
		t.Errorf("an auditor: %v", err)
	}
}

// TestRestoreSessionTellsWhatItsUserMayDo says it of oneself, of whom a role allows less, and of everything.
func TestRestoreSessionTellsWhatItsUserMayDo(t *testing.T) {
	w := newWorld(t)
	_, sides := w.sides(application)
	w.openPortal()
	_, err := w.services.RbacRoles.Create(t.Context(), asTest, sides[0].org.ID, service.RbacSpec{Name: new("helpers"), Operators: []holdfast.RbacItem{{Type: "User", ObjectID: bob}}, Whole: new(true),
		Acts: []holdfast.GrantAct{holdfast.GrantRead, holdfast.GrantRestore}})
	w.must(err)
	to, cookie := w.begin()
	_, set := w.visit(answer(to, w.entra.sign(to, tenant, bob)), cookie)
	w.cookie = "__Host-holdfast=" + set["__Host-holdfast"].Value
	acts := func(owner string) string {
		id := w.call("POST", "/v8/Organization/OperatorExplore", map[string]any{"type": "Vex", "scope": map[string]any{"type": "User", "id": sides[0].users[owner]}}).want(201).text("id")
		return fmt.Sprint(w.call("GET", "/holdfast/v1/RestoreSessions/"+id, nil).want(200).get("acts"))
	}
	if got := acts(ada); got != "[read content restore]" {
		t.Errorf("with ada's content bob may %s", got)
	}
	if got := acts(bob); got != "[read content download content restore]" {
		t.Errorf("with his own content bob may %s", got)
	}
	everything, err := w.services.RestoreSessions.Open(t.Context(), asTest, service.ExploreSpec{Type: holdfast.ExploreExchange, Organization: sides[0].org.ID})
	w.must(err)
	if got := fmt.Sprint(service.ActsIn(asTest, everything)); got != "[read content download content restore restore to somebody else]" {
		t.Errorf("the owner may %s", got)
	}
}

// TestPortalUserReachesNoColleagueByNamingHim signs an end user in at the portal and has him name a colleague's mailbox wherever a body can name
// one. The matrix does it for paths and queries.
func TestPortalUserReachesNoColleagueByNamingHim(t *testing.T) {
	w := newWorld(t)
	_, sides := w.sides(application)
	w.openPortal()
	to, cookie := w.begin()
	_, set := w.visit(answer(to, w.entra.sign(to, tenant, ada)), cookie)
	w.cookie = "__Host-holdfast=" + set["__Host-holdfast"].Value
	const own = "/holdfast/v1"
	session := w.call("POST", "/v8/Organization/Explore", map[string]any{"type": "Vex"}).want(201).text("id")
	at := "/v8/RestoreSessions/" + session + "/organization/mailboxes"
	mine := w.call("GET", at, nil).want(200).text("results", 0, "id")
	item := w.call("GET", at+"/"+mine+"/items?limit=1", nil).want(200).text("results", 0, "id")
	basket := w.call("POST", own+"/Baskets", map[string]any{"name": "b"}).want(201).text("id")
	colleague := second
	colleague.Organization = sides[0].org.ID
	everything, err := w.services.RestoreSessions.Open(t.Context(), asTest, service.ExploreSpec{Type: holdfast.ExploreExchange, Organization: sides[0].org.ID})
	w.must(err)

	body := func(session, container string) map[string]any {
		return map[string]any{"restoreSessionId": session, "containerId": container, "items": []string{item}, "live": true, "reason": "curious"}
	}
	paths := []string{"/Restore", "/Restore/Plan", "/Compare", "/Baskets/" + basket + "/Items"}
	for _, path := range paths {
		w.call("POST", own+path, body(session, mine)).want(200) // the same body with his own
		for _, container := range []string{colleague.PublicID(), second.Source, bob, "bob@contoso.example", second.Key()} {
			w.call("POST", own+path, body(session, container)).want(404)
		}
		w.call("POST", own+path, body(string(everything.ID), colleague.PublicID())).want(404)
		w.call("POST", own+path, body(string(everything.ID), mine)).want(404)
	}
	for _, id := range []string{sides[0].users[bob], bob} {
		w.call("POST", "/v8/Organization/OperatorExplore", map[string]any{"type": "Vex", "scope": map[string]any{"type": "User", "id": id}}).want(404)
	}
	w.call("POST", "/v8/Organization/OperatorExplore", map[string]any{"type": "Vex", "scope": map[string]any{"type": "User", "id": sides[0].users[ada]}}).want(201)
	for _, name := range []string{bob, "bob@contoso.example"} {
		elsewhere := body(session, mine)
		elsewhere["to"] = name
		w.call("POST", own+"/Restore", elsewhere).want(403)
		w.call("POST", own+"/Restore/Plan", elsewhere).want(403)
	}
	w.call("POST", at+"/"+colleague.PublicID()+"/items/operatorRestore", map[string]any{"items": []any{map[string]any{"id": item}}}).want(404)
	restores := w.call("GET", own+"/portal/restores", nil).want(200)
	if n := len(restores.get("results").([]any)); n != 1 || strings.Contains(string(restores.body), "bob") {
		t.Errorf("%d restores: %s", n, restores.body)
	}

	// A colleague who signs in sees none of it.
	to, cookie = w.begin()
	_, set = w.visit(answer(to, w.entra.sign(to, tenant, bob)), cookie)
	w.cookie = "__Host-holdfast=" + set["__Host-holdfast"].Value
	if got := w.call("GET", own+"/portal/restores", nil).want(200); len(got.get("results").([]any)) != 0 {
		t.Errorf("bob sees %s", got.body)
	}
	w.call("POST", "/v8/RestoreSessions/"+session+"/Stop", nil).want(404)
}
