package sim_test

import (
	"io"
	"net/url"
	"strings"
	"testing"
	"time"

	"holdfast/internal/sim"
)

const commandLine = "14d82eec-204b-4c2f-b7e8-296a70dab67e"

// device asks for a code.
func (c *client) device() (deviceCode, userCode string) {
	c.t.Helper()
	status, m := c.form("/organizations/oauth2/v2.0/devicecode", url.Values{"client_id": {commandLine},
		"scope": {"https://graph.microsoft.com/Application.ReadWrite.All AppRoleAssignment.ReadWrite.All DelegatedPermissionGrant.ReadWrite.All"}})
	if status != 200 || m["verification_uri"] != "https://microsoft.com/devicelogin" || m["interval"] != 5.0 || m["expires_in"] != 900.0 {
		c.t.Fatalf("%d %v", status, m)
	}
	return m["device_code"].(string), m["user_code"].(string)
}

// ask asks for the token, and gives the error's name.
func (c *client) ask(deviceCode string) (string, map[string]any) {
	c.t.Helper()
	_, m := c.form("/organizations/oauth2/v2.0/token", url.Values{"grant_type": {"urn:ietf:params:oauth:grant-type:device_code"}, "client_id": {commandLine}, "device_code": {deviceCode}})
	e, _ := m["error"].(string)
	return e, m
}

func TestDeviceCode(t *testing.T) {
	c := start(t, sim.Options{Users: 2})
	admin, other := c.s.Tenant().Users[0], c.s.Tenant().Users[1]
	step := func(want, device string) map[string]any {
		t.Helper()
		got, m := c.ask(device)
		if got != want {
			t.Errorf("%q, want %q: %v", got, want, m)
		}
		return m
	}
	wait := func() { c.s.Clock().Move(11 * time.Second) }
	page := func(v url.Values) string {
		t.Helper()
		resp, err := c.http.PostForm("https://login.microsoftonline.com/common/oauth2/deviceauth", v)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		text, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}

	// Waiting, too often, then a person who may not, then the administrator.
	d, u := c.device()
	step("authorization_pending", d)
	step("slow_down", d)
	wait()
	step("authorization_pending", d)
	if text := page(url.Values{"otc": {"WRONGCODE"}, "loginfmt": {admin.UPN}, "passwd": {admin.Password}}); !strings.Contains(text, "AADSTS70019") {
		t.Errorf("a wrong code: %.300s", text)
	}
	if text := page(url.Values{"otc": {u}, "loginfmt": {admin.UPN}, "passwd": {"no"}}); !strings.Contains(text, "AADSTS50126") {
		t.Errorf("a wrong password: %.300s", text)
	}
	if text := page(url.Values{"otc": {u}, "loginfmt": {other.UPN}, "passwd": {other.Password}, "accept": {"1"}}); !strings.Contains(text, "AADSTS90094") {
		t.Errorf("no administrator: %.300s", text)
	}
	if text := page(url.Values{"otc": {strings.ToLower(u)}, "loginfmt": {admin.UPN}, "passwd": {admin.Password}}); !strings.Contains(text, "AppRoleAssignment.ReadWrite.All") || !strings.Contains(text, `value="1">Accept`) {
		t.Errorf("what it asks for: %.600s", text)
	}
	if text := page(url.Values{"otc": {u}, "loginfmt": {admin.UPN}, "passwd": {admin.Password}, "accept": {"1"}}); !strings.Contains(text, "You have signed in") {
		t.Errorf("accepted: %.300s", text)
	}
	wait()
	c.token = step("", d)["access_token"].(string)
	wait()
	step("expired_token", d) // it is good once

	// The person may register; what the token has no scope for, and an application's own token, are refused.
	c.want(200, "GET", "/applications", nil)
	if a := c.want(403, "GET", "/users", nil); a.code() != "Authorization_RequestDenied" {
		t.Errorf("users: %s", a.code())
	}
	person := c.token
	c.login()
	c.want(403, "GET", "/applications", nil)
	c.token = person

	declined, u2 := c.device()
	page(url.Values{"otc": {u2}, "cancel": {"1"}})
	step("authorization_declined", declined)
	late, _ := c.device()
	c.s.Clock().Move(16 * time.Minute)
	step("expired_token", late)
	step("bad_verification_code", "no such code")
	if status, m := c.form("/nobody.example/oauth2/v2.0/devicecode", url.Values{"client_id": {commandLine}, "scope": {"x"}}); status != 400 || !strings.Contains(m["error_description"].(string), "AADSTS90002") {
		t.Errorf("an unknown tenant: %d %v", status, m)
	}
	if status, m := c.form("/organizations/oauth2/v2.0/devicecode", url.Values{"client_id": {"00000000-0000-0000-0000-000000000001"}, "scope": {"x"}}); status != 400 || !strings.Contains(m["error_description"].(string), "AADSTS700016") {
		t.Errorf("an unknown application: %d %v", status, m)
	}
	if n := c.s.Stats().Violations; n != 1 {
		t.Errorf("%d violations, want the one question that came too early", n)
	}
}

// What a person registers is granted what he grants, after a while.
func TestRegisteredApplication(t *testing.T) {
	c := start(t, sim.Options{Users: 2})
	d, _ := c.device()
	c.control("POST", "/devices", map[string]any{"answer": "accept"})
	_, m := c.ask(d)
	c.token = m["access_token"].(string)

	a := c.want(201, "POST", "/applications", map[string]any{"displayName": "made", "signInAudience": "AzureADMyOrg"}).m
	id, appID := a["id"].(string), a["appId"].(string)
	c.want(400, "POST", "/applications", map[string]any{"displayName": "x", "colour": "red"})
	c.want(400, "PATCH", "/applications/"+id, map[string]any{"keyCredentials": []any{map[string]any{"type": "AsymmetricX509Cert", "usage": "Verify", "key": "AAAA"}}})
	p := c.want(201, "POST", "/servicePrincipals", map[string]any{"appId": appID}).m["id"].(string)
	c.want(409, "POST", "/servicePrincipals", map[string]any{"appId": appID})
	graph := c.want(200, "GET", "/servicePrincipals?$filter=appId eq '00000003-0000-0000-c000-000000000000'", nil).rows()[0]
	role := ""
	for _, r := range graph["appRoles"].([]any) {
		if r := r.(map[string]any); r["value"] == "User.Read.All" {
			role = r["id"].(string)
		}
	}
	grant := map[string]any{"principalId": p, "resourceId": graph["id"], "appRoleId": role}
	g := c.want(201, "POST", "/servicePrincipals/"+p+"/appRoleAssignments", grant).m["id"].(string)
	c.want(400, "POST", "/servicePrincipals/"+p+"/appRoleAssignments", grant)
	c.want(400, "POST", "/servicePrincipals/"+p+"/appRoleAssignments", map[string]any{"principalId": p, "resourceId": graph["id"], "appRoleId": id})
	if rows := c.want(200, "GET", "/servicePrincipals/"+p+"/appRoleAssignments", nil).rows(); len(rows) != 1 || rows[0]["id"] != g {
		t.Errorf("assignments %v", rows)
	}
	if status, m := c.form("/"+c.s.Tenant().TenantID+"/oauth2/v2.0/token", url.Values{"grant_type": {"client_credentials"}, "client_id": {appID}, "scope": {"https://graph.microsoft.com/.default"}}); status != 400 ||
		!strings.Contains(m["error_description"].(string), "AADSTS700016") {
		t.Errorf("at once: %d %v", status, m)
	}
	c.s.Clock().Move(3 * time.Second)
	if status, _ := c.form("/"+c.s.Tenant().TenantID+"/oauth2/v2.0/token", url.Values{"grant_type": {"client_credentials"}, "client_id": {appID}, "scope": {"https://graph.microsoft.com/.default"}}); status != 401 {
		t.Errorf("known now, and has no credential: %d", status)
	}
	consents := c.want(200, "GET", "/oauth2PermissionGrants", nil).rows()
	if len(consents) != 1 || !strings.Contains(consents[0]["scope"].(string), "Application.ReadWrite.All") {
		t.Fatalf("consents %v", consents)
	}
	c.want(204, "PATCH", "/oauth2PermissionGrants/"+consents[0]["id"].(string), map[string]any{"scope": "User.Read"})
	c.want(204, "DELETE", "/oauth2PermissionGrants/"+consents[0]["id"].(string), nil)
	c.want(204, "DELETE", "/servicePrincipals/"+p+"/appRoleAssignments/"+g, nil)
	c.want(204, "DELETE", "/applications/"+id, nil)
	c.want(404, "GET", "/applications/"+id, nil)
}
