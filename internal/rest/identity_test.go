package rest_test

import (
	"net/http/httptest"
	"strings"
	"time"

	"github.com/pquerna/otp/totp"

	"holdfast/internal/holdfast"
	"holdfast/internal/service"
)

// identity walks through users, second factors, browser sessions, keys and restore roles.
func identity(w *world) {
	admin := w.bearer
	const own = "/holdfast/v1"
	w.call("GET", own+"/users", nil).want(200).golden()
	const password = "a long enough one"
	w.call("POST", own+"/users", map[string]any{"name": "eve", "password": password, "role": "Emperor"}).says(400, "there is no role")
	w.call("POST", own+"/users", map[string]any{"name": "eve", "password": "short", "role": "Auditor"}).says(400, "at least 8 are needed")
	eve := w.call("POST", own+"/users", map[string]any{"name": "eve", "password": password, "role": "auditor", "displayName": "Eve"}).want(201).golden().text("id")
	at := own + "/users/" + eve
	w.call("PATCH", at, map[string]any{"role": "BackupAdministrator"}).want(200).golden()
	w.call("PATCH", at, map[string]any{"password": "x"}).says(400, "by itself")
	w.call("POST", at+"/password", map[string]any{"password": password}).want(204)
	w.call("PATCH", own+"/users/"+bob, map[string]any{"disabled": true}).want(404)

	// A browser's session.
	w.bearer = ""
	w.call("GET", own+"/session", nil).want(401)
	w.call("POST", own+"/session", map[string]any{"username": "eve", "password": "wrong"}).says(401, "wrong")
	open := func(code string) *reply {
		return w.call("POST", own+"/session", map[string]any{"username": "eve", "password": password, "code": code})
	}
	first := open("").want(200).golden()
	cookie := first.header.Get("Set-Cookie")
	for _, want := range []string{"__Host-holdfast=", "; Path=/", "; HttpOnly", "; Secure", "; SameSite=Strict"} {
		if !strings.Contains(cookie, want) {
			w.t.Errorf("the cookie lacks %q: %s", want, cookie)
		}
	}
	w.cookie = cookieOf(first)
	w.call("GET", own+"/session", nil).want(200).golden()
	w.call("GET", "/v8/Jobs", nil).want(200)
	w.call("GET", own+"/users", nil).want(403)
	w.call("POST", own+"/session/proof", map[string]any{"password": password}).want(204)
	planted := w.cookie
	w.cookie = cookieOf(open("").want(200)) // came with the first one, which ends
	w.cookie, planted = planted, w.cookie
	w.call("GET", own+"/session", nil).want(401)
	w.cookie = planted

	// The second factor.
	begun := w.call("POST", own+"/users/me/totp", nil).want(200)
	secret := begun.text("secret")
	if !strings.Contains(begun.text("url"), "secret="+secret) {
		w.t.Errorf("got %s", begun.body)
	}
	code := func(after time.Duration) string {
		c, err := totp.GenerateCode(secret, w.clock.Now().Add(after))
		if err != nil {
			w.t.Fatal(err)
		}
		return c
	}
	w.call("PUT", own+"/users/me/totp", map[string]any{"code": "000000"}).says(400, "wrong")
	recovery := w.call("PUT", own+"/users/me/totp", map[string]any{"code": code(0)}).want(200)
	if n := len(recovery.get("recoveryCodes").([]any)); n != 10 {
		w.t.Errorf("%d recovery codes", n)
	}
	if !w.call("GET", own+"/session", nil).want(200).get("user", "secondFactor").(bool) {
		w.t.Error("the session does not know of the second factor")
	}
	w.call("GET", own+"/users/me", nil).want(200).golden()
	if got := open("").want(401); got.text("secondFactor") != "totp" {
		w.t.Errorf("got %s", got.body)
	}
	if got := open(code(0)).want(401); got.text("secondFactor") != "totp" {
		w.t.Errorf("a replayed code: %s", got.body)
	}
	script := map[string]any{"grant_type": "password", "username": "eve", "password": password}
	if got := w.call("POST", "/v8/token", script).want(400); got.text("second_factor") != "totp" || got.text("error") != "invalid_grant" || !strings.Contains(got.text("error_description"), "API key") {
		w.t.Errorf("a script with a second factor: %s", got.body)
	}
	script["code"] = code(30 * time.Second)
	w.bearer = w.call("POST", "/v8/token", script).want(200).text("access_token")
	w.call("DELETE", own+"/users/me/totp", nil).want(403)
	w.call("DELETE", own+"/users/me/totp", map[string]any{"code": recovery.text("recoveryCodes", 0)}).want(204)
	w.bearer = ""
	w.call("GET", own+"/session", nil).want(401)
	w.cookie = cookieOf(open("").want(200))

	// Passkeys.
	laptop := newAuthenticator(w)
	key := passkeysAt + "/" + laptop.add("Laptop").want(201).text("id")
	w.call("PATCH", key, map[string]any{"name": "Old laptop"}).want(200)
	if got := w.call("GET", passkeysAt, nil).want(200); got.text(0, "name") != "Old laptop" {
		w.t.Errorf("got %s", got.body)
	}
	w.call("POST", own+"/session/proof", map[string]any{"passkey": laptop.get(w.call("POST", own+"/session/proof/passkey", nil).want(200))}).want(204)
	w.cookie = cookieOf(laptop.signIn().want(200))
	w.call("DELETE", key, nil).want(204)
	w.call("DELETE", key, nil).want(404)

	// Keys.
	organization := w.first("/v8/Organizations")
	made := w.call("POST", own+"/api-keys", map[string]any{"name": "scripts", "organizationIds": []string{organization}, "expires": w.clock.Now().Add(time.Hour)}).want(201)
	w.call("GET", own+"/api-keys", nil).want(200).golden()
	w.bearer = made.text("key")
	w.call("GET", "/v8/Jobs", nil).want(200) // the bearer counts, not the cookie
	w.call("GET", own+"/api-keys", nil).says(403, "API key may not")
	w.bearer = ""
	w.call("DELETE", own+"/api-keys/"+made.text("id"), nil).want(204)
	w.bearer, w.cookie = made.text("key"), ""
	w.call("GET", "/v8/Jobs", nil).want(401)
	w.bearer = admin

	w.call("DELETE", at+"/totp", nil).want(204)
	w.call("DELETE", at, nil).want(204)
	w.call("DELETE", at, nil).want(404)
	w.call("PUT", own+"/RestorePortalSettings", map[string]any{"isEnabled": true}).says(400, "needs an application id")
	w.call("PUT", own+"/RestorePortalSettings", map[string]any{"isEnabled": true, "applicationId": application, "restorePortalUri": "https://backup.example"}).want(204)
	w.call("GET", "/v8/RestorePortalSettings", nil).want(200).golden("on")

	rbac(w, organization)

	// The other sites' pages.
	session := w.call("POST", own+"/session", map[string]any{"username": "admin", "password": "correct horse battery"}).want(200)
	for site, want := range map[string]int{"same-origin": 204, "same-site": 403, "cross-site": 403, "": 204} {
		r := httptest.NewRequestWithContext(w.t.Context(), "POST", "/v8/Proxies/Rescan", strings.NewReader("{}"))
		r.Header.Set("Cookie", cookieOf(session))
		if site != "" {
			r.Header.Set("Sec-Fetch-Site", site)
			r.Header.Set("Origin", "https://evil.example")
		}
		out := httptest.NewRecorder()
		w.api.ServeHTTP(out, r)
		if out.Code != want {
			w.t.Errorf("a call from a page that is %q: %d %s", site, out.Code, out.Body)
		}
	}
	w.cookie, w.bearer = cookieOf(session), ""
	w.call("DELETE", own+"/session", nil).want(204)
	w.call("GET", own+"/session", nil).want(401)
	w.cookie, w.bearer = "", admin
}

func cookieOf(r *reply) string {
	c, _, _ := strings.Cut(r.header.Get("Set-Cookie"), ";")
	return c
}

// roleUser is a user as the lists of a restore role have him.
func roleUser(id string) map[string]any {
	return map[string]any{"type": "User", "user": map[string]any{"id": id, "displayName": "", "name": "", "type": "User"}}
}

// rbac walks through restore roles and what an operator and an end user of the portal see.
func rbac(w *world, organization string) {
	roles := "/v8/Organizations/" + organization + "/RbacRoles"
	user := roleUser
	group := map[string]any{"type": "Group", "group": map[string]any{"id": "00000000-0000-4000-8000-00000000000a", "displayName": "Analytical Engine", "name": "engine@contoso.example", "type": "Office365"}}
	w.call("POST", roles, map[string]any{"name": "helpers", "roleType": "SpecificObjects", "operators": []any{user(bob)}}).says(400, "selectedItems")
	w.call("POST", roles, map[string]any{"name": "helpers", "operators": []any{user("00000000-0000-4000-8000-000000000009")}}).want(404)
	w.call("POST", roles, map[string]any{"name": "helpers", "selectedItems": []any{map[string]any{"type": "Site"}}}).says(400, "needs an id")
	w.call("POST", roles, map[string]any{"name": "helpers", "operators": []any{map[string]any{"type": "Team"}}}).says(400, "must be one of")
	made := w.call("POST", roles, map[string]any{"name": "helpers", "description": "for the office", "roleType": "specificObjects", "operators": []any{user(bob)}, "selectedItems": []any{group}}).want(201).golden()
	at := "/v8/RbacRoles/" + made.text("id")
	w.call("POST", roles, map[string]any{"name": "HELPERS"}).says(409, "already")
	w.call("GET", "/v8/RbacRoles", nil).want(200)
	w.call("GET", roles, nil).want(200)
	w.call("GET", at, nil).want(200).golden()
	w.call("GET", "/holdfast"+strings.Replace(at, "v8", "v1", 1)+"/acts", nil).want(200).golden()
	operator := w.call("GET", at+"/operators", nil).want(200).golden().text(0, "id")
	w.call("GET", at+"/operators/"+operator, nil).want(200).golden()
	w.call("GET", at+"/operators/nothing", nil).want(404)
	w.call("POST", at+"/operators", []any{user(ada)}).want(204)
	w.call("DELETE", at+"/operators", nil).says(400, "ids is missing")
	w.call("DELETE", at+"/operators?ids="+operator+",nothing", nil).want(404)
	w.call("DELETE", at+"/operators?ids="+operator, nil).want(204)
	w.call("POST", at+"/operators", []any{user(bob)}).want(204)
	selected := w.call("GET", at+"/selectedItems", nil).want(200).golden().text(0, "id")
	w.call("GET", at+"/selectedItems/"+selected, nil).want(200).golden()
	w.call("POST", at+"/selectedItems", []any{user(bob)}).want(204)
	w.call("DELETE", at+"/selectedItems?ids="+selected, nil).want(204)
	w.call("POST", at+"/excludedItems", []any{user(ada)}).want(204)
	excluded := w.call("GET", at+"/excludedItems", nil).want(200).golden().text(0, "id")
	w.call("GET", at+"/excludedItems/"+excluded, nil).want(200).golden()
	w.call("DELETE", at+"/excludedItems?ids="+excluded, nil).want(204)
	places := []any{map[string]any{"type": "Site", "site": map[string]any{"id": "", "url": "https://contoso.sharepoint.example/sites/falcon", "title": "", "isCloud": true, "isPersonal": false}}, map[string]any{"type": "Team", "team": map[string]any{"id": "00000000-0000-0000-0000-000000000000", "description": "", "displayName": "Apollo", "mail": ""}}}
	w.call("POST", at+"/excludedItems", places).want(204)
	for _, e := range w.call("GET", at+"/excludedItems", nil).want(200).golden("places").get().([]any) {
		w.call("DELETE", at+"/excludedItems?ids="+e.(map[string]any)["id"].(string), nil).want(204)
	}
	w.call("PUT", at, map[string]any{"description": "for everybody", "roleType": "EntireOrganization"}).want(204)
	w.call("PUT", "/holdfast"+strings.Replace(at, "v8", "v1", 1)+"/acts", map[string]any{"acts": []string{"Read", "restore"}}).want(204)

	// Bob signs in at the portal: he operates for everybody.
	admin := w.bearer
	tokens, err := w.services.Admin.LoginDirectory(w.t.Context(), service.DirectoryIdentity{Organization: holdfast.OrganizationID(organization), ObjectID: bob, Name: "bob@contoso.example"}, "b")
	if err != nil {
		w.t.Fatal(err)
	}
	w.bearer = tokens.Access
	w.call("GET", "/v8/Organization/LoggedInUser", nil).want(200).golden()
	w.call("GET", "/v8/Organization/LoggedInUser/OperatorInfo", nil).want(200).golden()
	scope := w.call("GET", "/v8/Organization/LoggedInUser/EffectiveScope", nil).want(200).golden()
	if points := w.call("GET", "/v8/Organization/LoggedInUser/RestorePoints?rbacItem="+scope.text("users", 0, "id"), nil).want(200).get(); len(points.([]any)) == 0 {
		w.t.Error("no restore points")
	}
	w.call("GET", "/v8/Organization/LoggedInUser/RestorePoints?rbacItem="+tenant, nil).want(404)
	w.call("POST", "/v8/Organization/OperatorExplore", map[string]any{"type": "Vex"}).says(400, "scope is missing")
	session := w.call("POST", "/v8/Organization/OperatorExplore", map[string]any{"type": "Vex", "reason": "ada called", "scope": map[string]any{"type": "User", "id": scope.text("users", 0, "id")}}).want(201).text("id")
	boxes := w.call("GET", "/v8/RestoreSessions/"+session+"/organization/mailboxes", nil).want(200)
	if n := len(boxes.get("results").([]any)); n != 1 {
		w.t.Errorf("%d mailboxes: %s", n, boxes.body)
	}
	box := "/v8/RestoreSessions/" + session + "/organization/mailboxes/" + boxes.text("results", 0, "id")
	item := w.call("GET", box+"/items?limit=1", nil).want(200).text("results", 0, "id")
	w.call("POST", box+"/items/"+strings.NewReplacer("/", "%2F", "+", "%2B", "=", "%3D").Replace(item)+"/save", map[string]any{}).want(403) // no grant allows it

	// Ada has nothing but her own.
	if tokens, err = w.services.Admin.LoginDirectory(w.t.Context(), service.DirectoryIdentity{Organization: holdfast.OrganizationID(organization), ObjectID: ada, Name: "ada@contoso.example"}, "b"); err != nil {
		w.t.Fatal(err)
	}
	w.bearer = admin
	w.call("DELETE", at, nil).want(204)
	w.bearer = tokens.Access
	own := w.call("POST", "/v8/Organization/Explore", map[string]any{"type": "Vex"}).want(201).text("id")
	w.call("GET", "/v8/RestoreSessions/"+own+"/organization/mailboxes", nil).want(200)
	w.call("GET", "/v8/RestoreSessions/"+session, nil).want(404)
	if w.call("GET", "/v8/Organization/LoggedInUser/OperatorInfo", nil).want(200).get("isOperator").(bool) {
		w.t.Error("the operator of a role that is gone is one still")
	}
	w.bearer = admin
	w.call("POST", "/v8/Organization/Explore", map[string]any{"type": "Vex"}).says(409, "has no mailbox")
	w.call("GET", "/v8/Organization/LoggedInUser", nil).want(200)
	// Who sees everything sees sites and teams in the scope too, and opens each alone.
	all := w.call("GET", "/v8/Organization/LoggedInUser/EffectiveScope", nil).want(200)
	for list, kind := range map[string][]string{"sites": {"Site", "Vesp", "Sites"}, "teams": {"Team", "Vet", "teams"}} {
		id := all.text(list, 0, "id")
		if points := w.call("GET", "/v8/Organization/LoggedInUser/RestorePoints?rbacItem="+id, nil).want(200).get(); len(points.([]any)) == 0 {
			w.t.Errorf("no restore points with %s", list)
		}
		session := w.call("POST", "/v8/Organization/OperatorExplore", map[string]any{"type": kind[1], "scope": map[string]any{"type": kind[0], "id": id}}).want(201).text("id")
		if seen := w.call("GET", "/v8/RestoreSessions/"+session+"/organization/"+kind[2], nil).want(200); len(seen.get("results").([]any)) != 1 {
			w.t.Errorf("the session of one of the %s shows %s", list, seen.body)
		}
		w.bearer = tokens.Access
		w.call("POST", "/v8/Organization/OperatorExplore", map[string]any{"type": kind[1], "scope": map[string]any{"type": kind[0], "id": id}}).want(404)
		w.bearer = admin
	}
	if strings.Contains(w.log.String(), tokens.Access) {
		w.t.Error("a token is in the log")
	}
}
