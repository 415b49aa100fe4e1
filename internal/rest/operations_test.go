package rest_test

import (
	"archive/zip"
	"bytes"
	"encoding/base32"
	"fmt"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"holdfast/internal/holdfast"
	"holdfast/internal/rest"
	"holdfast/internal/service"
)

// TestEveryBuiltOperation walks through the product by its API. Every answer is judged by api/openapi.yaml and compared
// with a golden file; at the end every operation that is built has answered its success, but for those that can't.
func TestEveryBuiltOperation(t *testing.T) {
	w := newWorld(t)
	through(t, w)
	endings(w)
	mailers := newWorld(t) // the same
	mailers.answered, mailers.mailing = w.answered, true
	through(t, mailers)
	people := newWorld(t) // of its own, so that ids in golden files do not depend on what comes before
	people.answered = w.answered
	entrants := newWorld(t) // the same
	entrants.answered = w.answered
	entrants.login()
	entrants.onboarding()
	people.sides(application)
	people.login()
	identity(people)
	portal(people)
	people.cookie = ""
	people.login()
	groups(people)

	neverSucceed := map[string]string{
		"Job_GetCopyJobByBackupJob": "there are no copy jobs",
		"License_InstallAction":     "there is no licence",
		"License_UpdateAction":      "there is no licence",
		"LicensedUser_Remove":       "there is no licence",
		"Proxy_RemoveAction":        "the only proxy is built in",
	}
	for _, id := range rest.Built() {
		if _, never := neverSucceed[id]; never == w.answered[id] {
			t.Errorf("%s: success was answered: %v, listed as never succeeding: %v", id, w.answered[id], never)
		}
	}
}

// through walks through all but the endings, which delete what there is.
func through(t *testing.T, w *world) {
	logins(t, w)
	organizations(w)
	repositories(w)
	jobs(w)
	protection(w)
	if w.mailing {
		mailSettings(w)
	}
	exchange(w)
	oneDrive(w)
	ownExplore(w)
	sharePoint(w)
	teams(w)
}

func logins(t *testing.T, w *world) {
	form := func(version, body string) *httptest.ResponseRecorder {
		r := httptest.NewRequestWithContext(t.Context(), "POST", "/"+version+"/token", strings.NewReader(body))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		out := httptest.NewRecorder()
		w.api.ServeHTTP(out, r)
		return out
	}
	wrong := form("v8", "grant_type=password&username=admin&password=wrong")
	if want := `{"error":"invalid_grant","error_description":"the user name or the password is wrong","message":"the user name or the password is wrong","errorCode":null}`; wrong.Code != 400 || strings.TrimSpace(wrong.Body.String()) != want {
		t.Errorf("wrong password: got %d %s", wrong.Code, wrong.Body)
	}
	for _, grant := range []string{"operator", "urn:ietf:params:oauth:grant-type:jwt-bearer", "integration"} {
		if out := form("v8", "grant_type="+url.QueryEscape(grant)+"&assertion=x&client_id=y"); out.Code != 400 || !strings.Contains(out.Body.String(), `"error":"unsupported_grant_type"`) {
			t.Errorf("%s: got %d %s", grant, out.Code, out.Body)
		}
	}
	// Other versions' clients log in at their own address, some with empty fields.
	for _, version := range []string{"v4", "v5", "v6", "v7", "V8"} {
		if out := form(version, "grant_type=Password&username=admin&password=correct+horse+battery&refresh_token=&client_id=&disable_antiforgery_token=true"); out.Code != 200 {
			t.Errorf("%s: got %d %s", version, out.Code, out.Body)
		}
	}
	first := w.call("POST", "/v8/token", map[string]any{"grant_type": "password", "userName": `DOMAIN\admin`, "password": "correct horse battery", "disable_antiforgery_token": "True"}).want(200).golden()
	w.bearer = first.text("access_token")
	second := w.call("POST", "/v8/Token/", map[string]any{"grant_type": "refresh_token", "refresh_token": first.text("refresh_token")}).want(200)
	w.bearer = second.text("access_token")
	again := w.call("POST", "/v8/token", map[string]any{"grant_type": "refresh_token", "refresh_token": first.text("refresh_token")})
	if again.status != 400 || again.get("error") != "invalid_grant" {
		t.Errorf("a spent refresh token: got %d %s", again.status, again.body)
	}
	w.call("GET", "/v8/ServiceInstance", nil).want(401) // its whole login ended
	w.login()
	w.call("POST", "/v8/token/AuthCode", nil).want(200)
	w.call("GET", "/v8/ServiceInstance", nil).want(200).golden()
	w.call("GET", "/v8/Health", nil).want(200).golden()
	w.call("GET", "/v8/Events?from=latest", nil).want(200)
	w.call("GET", "/v8/RestorePortalSettings", nil).want(200).golden()
	w.clock.pass(2 * time.Hour)
	w.call("GET", "/v8/ServiceInstance", nil).says(401, "expired")
	w.login()
}

func (w *world) login() {
	w.t.Helper()
	w.bearer = w.call("POST", "/v8/token", map[string]any{"grant_type": "password", "username": "admin", "password": "correct horse battery"}).want(200).text("access_token")
}

// exclusions changes what no job backs up and what retention spares.
func exclusions(w *world, organization string) {
	w.call("PUT", "/v8/ExclusionSettings", map[string]any{"deletedItems": true, "junkEmail": nil, "litigationHold": true}).want(204)
	w.call("PUT", "/v8/ExclusionSettings", map[string]any{"drafts": true}).want(204)
	w.call("PUT", "/v8/ExclusionSettings", map[string]any{"inPlaceHold": false}).says(400, "inPlaceHold can't be false")
	w.call("GET", "/v8/ExclusionSettings", nil).want(200).golden()
	w.call("PUT", "/v8/GlobalRetentionExclusionSettings", map[string]any{"contacts": true}).want(204)
	w.call("GET", "/v8/GlobalRetentionExclusionSettings", nil).want(200).golden()
	w.call("PUT", organization+"/RetentionExclusion", map[string]any{"calendar": true}).want(204)
	w.call("GET", organization+"/RetentionExclusion", nil).want(200).golden()
	w.call("DELETE", organization+"/RetentionExclusion", nil).want(204)
	w.call("GET", organization+"/RetentionExclusion", nil).want(200).golden("of all")
	w.call("PUT", "/v8/GlobalRetentionExclusionSettings", map[string]any{}).want(204)
	w.call("PUT", "/v8/ExclusionSettings", map[string]any{"deletedItems": false, "drafts": false}).want(204)
}

func settings(secret string) map[string]any {
	return map[string]any{"officeOrganizationName": "contoso.example", "applicationId": application, "applicationSecret": secret}
}

func organizations(w *world) {
	body := func(secret string) map[string]any {
		return map[string]any{"type": "office365", "region": "worldwide", "name": "contoso.example", "isExchangeOnline": "true", "isSharePointOnline": true, "isTeamsOnline": true,
			"exchangeOnlineSettings": settings(secret), "sharePointOnlineSettings": settings(secret)}
	}
	w.call("POST", "/v8/Organizations", body("wrong")).says(400, "the secret is wrong")
	*w.denied = "Mail.Read"
	w.call("POST", "/v8/Organizations", body("right")).says(403, "Mail.Read")
	*w.denied = ""
	basic := body("right")
	basic["exchangeOnlineSettings"] = map[string]any{"account": "admin@contoso.example", "password": "x"}
	w.call("POST", "/v8/Organizations", basic).says(400, "user name and password")
	w.call("POST", "/v8/Organizations", map[string]any{"type": "Hybrid"}).says(400, "on-premises and hybrid")
	w.call("POST", "/v8/Organizations", map[string]any{"type": "Martian"}).says(400, "type must be one of")
	w.call("POST", "/v8/Organizations", "").says(400, "body is missing")
	id := w.call("POST", "/v8/Organizations", body("right")).want(201).golden().text("id")
	w.call("POST", "/v8/Organizations", body("right")).says(409, "already")
	at := "/v8/Organizations/" + id
	w.call("GET", "/v8/Organizations", nil).want(200).golden()
	if n := len(w.call("GET", "/v8/Organizations?msid="+bob, nil).want(200).get("results").([]any)); n != 0 {
		w.t.Errorf("a foreign msid finds %d organizations", n)
	}
	w.call("GET", at, nil).want(200).golden()
	w.call("PUT", at, map[string]any{"description": "the whole company"}).want(204)
	if got := w.call("GET", at, nil).text("description"); got != "the whole company" {
		w.t.Errorf("description is %q", got)
	}
	w.call("GET", "/v8/Organizations/"+bob, nil).want(404)
	w.call("GET", "/v8/Organizations/17", nil).says(404, "organizationId is a UUID")
	w.call("GET", at+"/tenantInformation", nil).want(200).golden()
	w.call("GET", at+"/versionBackupOptions", nil).want(200).golden()
	w.call("PUT", at+"/versionBackupOptions", map[string]any{"sharePointBackupMode": "all"}).want(204)
	w.call("PUT", at+"/versionBackupOptions", map[string]any{"sharePointBackupMode": "Latest"}).says(400, "not built yet")
	w.call("GET", at+"/Users?limit=1&setId="+bob, nil).want(200).golden()
	w.call("GET", at+"/Users/"+ada, nil).want(200).golden()
	w.call("GET", at+"/Users/nobody", nil).want(404)
	w.call("GET", at+"/Groups?setId="+bob, nil).want(200).golden()
	w.call("GET", at+"/Users/"+ada+"/OneDrives?setId="+bob, nil).want(200).golden()
	w.call("GET", at+"/Users/"+ada+"/OneDrives/b%21drive-of-ada", nil).want(200).golden()
	w.call("GET", at+"/RbacRoles", nil).want(200).golden()
	exclusions(w, at)
	w.call("GET", "/v8/RbacRoles", nil).want(200).golden()
	w.call("GET", "/v8/RbacRoles/"+bob, nil).want(404)
	w.call("GET", "/v8/organizations/"+id+"/licensinginformation", nil).want(200).golden()
	w.call("GET", "/holdfast/v1/Organizations/"+id+"/Permissions", nil).want(200).golden()
}

// onboarding adds an organization by an administrator's sign-in, looks at it, and renews its certificate.
func (w *world) onboarding() {
	w.t.Helper()
	first := "/v8/Organizations/" + w.call("POST", "/v8/Organizations", map[string]any{"type": "Office365", "isExchangeOnline": true, "exchangeOnlineSettings": settings("right")}).want(201).text("id")
	check := func(code string) *reply {
		w.t.Helper()
		w.clock.pass(6 * time.Second)
		return w.call("POST", "/v8/DeviceCode/check", map[string]any{"userCode": code})
	}
	add := func(code, tenant string) *reply {
		w.t.Helper()
		return w.call("POST", "/v8/Organizations", map[string]any{"type": "Office365", "region": "China", "isExchangeOnline": true, "isSharePointOnline": false, "configureApplication": true, "userCode": code,
			"newApplicationName": "Holdfast", "exchangeOnlineSettings": map[string]any{"officeOrganizationName": tenant}})
	}
	code := w.call("POST", "/v8/DeviceCode", map[string]any{"targetRegion": "China"}).want(200).golden().text("userCode")
	w.call("POST", "/v8/DeviceCode/check", map[string]any{"userCode": code}).want(200).golden("waiting")
	add(code, "fabrikam.example").says(409, "nobody has signed in")
	if check(code).want(200).get("authenticated") != false || check(code).want(200).get("authenticated") != true {
		w.t.Error("the sign-in was not seen")
	}
	declined := w.call("POST", "/v8/DeviceCode", map[string]any{}).want(200).text("userCode")
	check(declined).want(200)
	check(declined).says(400, "declined")
	check(declined).says(404, "begin again")
	check("NOSUCH").says(404, "no sign-in waits")
	w.call("POST", "/v8/Organizations", map[string]any{"type": "Office365", "configureApplication": true}).says(400, "POST /v8/DeviceCode")
	made := add(code, "fabrikam.example").want(201)
	if made.text("region") != "China" || made.text("msid") != otherTenant {
		w.t.Errorf("the organization is %s", made.body)
	}
	add(code, "fabrikam.example").says(404, "begin again") // a code is good once
	wrong := w.call("POST", "/v8/DeviceCode", map[string]any{"targetRegion": "USGovernment"}).want(200).text("userCode")
	check(wrong).want(200)
	check(wrong).want(200)
	add(wrong, "contoso.example").says(400, "another tenant")

	at := "/holdfast/v1/Organizations/" + made.text("id")
	w.call("GET", at+"/Check", nil).want(200).golden()
	if text := string(w.call("GET", "/holdfast/v1/Warnings", nil).want(200).body); !strings.Contains(text, "holdfast org renew fabrikam.example") {
		w.t.Errorf("no warning of a certificate that ends: %s", text)
	}
	w.call("POST", at+"/Certificate/renew", nil).want(200).golden()
	if text := string(w.call("GET", "/holdfast/v1/Warnings", nil).want(200).body); strings.Contains(text, "org renew") {
		w.t.Errorf("a warning after the renewal: %s", text)
	}
	// The first organization's application was not registered here, and has a secret.
	own := "/holdfast/v1" + strings.TrimPrefix(first, "/v8")
	w.call("POST", own+"/Certificate/renew", nil).says(409, "--sign-in")
	again := w.call("POST", first+"/DeviceCode", nil).want(200).text("userCode")
	check(again).want(200)
	check(again).want(200)
	w.call("POST", own+"/Certificate/renew", map[string]any{"userCode": again}).want(200)
	w.call("DELETE", "/v8/Organizations/"+made.text("id"), nil).want(204)
}

func (w *world) first(path string) string {
	w.t.Helper()
	return w.call("GET", path, nil).want(200).text("results", 0, "id")
}

func repositories(w *world) {
	body := map[string]any{"name": "Main", "path": "/backup/main", "retentionType": "SnapshotBased", "retentionPeriodType": "yearly", "yearlyRetentionPeriod": "years3",
		"retentionFrequencyType": "Daily", "dailyTime": "03:00:00", "dailyType": "Everyday", "description": "first"}
	with := func(name string, value any) map[string]any {
		out := map[string]any{}
		for k, v := range body {
			out[k] = v
		}
		out[name] = value
		return out
	}
	w.call("POST", "/v8/BackupRepositories", with("retentionType", "ItemLevel")).says(400, "item-level retention is not built yet")
	w.call("POST", "/v8/BackupRepositories", with("objectStorage", map[string]any{"type": "AmazonS3"})).says(400, "object storage is not built yet")
	w.call("POST", "/v8/BackupRepositories", with("yearlyRetentionPeriod", nil)).says(400, "yearlyRetentionPeriod is missing")
	w.call("POST", "/v8/BackupRepositories", with("path", "relative")).says(400, "not absolute")
	w.call("POST", "/v8/BackupRepositories", map[string]any{"name": "x"}).says(400, "retentionType is missing")
	id := w.call("POST", "/v8/BackupRepositories", body).want(201).golden().text("id")
	at := "/v8/BackupRepositories/" + id
	w.call("GET", "/v8/BackupRepositories", nil).want(200).golden()
	w.call("GET", at, nil).want(200).golden()
	w.call("PUT", at, with("dailyRetentionPeriod", 30)).want(204) // retentionPeriodType says which of the periods counts
	changed := with("retentionPeriodType", "Daily")
	changed["dailyRetentionPeriod"] = "30"
	w.call("PUT", at, changed).want(204)
	if got := w.call("GET", at, nil).get("dailyRetentionPeriod"); got != 30.0 {
		w.t.Errorf("daily retention period is %v", got)
	}
	w.call("POST", at+"/Sync", nil).want(200).golden()
	w.call("GET", "/v8/RepositorySynchronizeSessions", nil).want(200).golden()
	w.call("GET", "/v8/RepositorySynchronizeSessions/"+id, nil).want(200).golden()
	if r := w.call("POST", "/holdfast/v1/BackupRepositories/"+id+"/RecoveryKit", map[string]any{"passphrase": "long enough"}).want(200); string(r.body) != "age-encryption.org/v1, for long enough" {
		w.t.Errorf("the kit is %s", r.body)
	}
	w.call("GET", "/holdfast/v1/Warnings", nil).want(200).golden()
	for path, want := range map[string]string{
		"Audit?limit=1":                      `"act":"repository.kit"`,
		"Audit?limit=1&offset=1000":          `"results":[]`,
		"Audit/Verification":                 `"sound":true`,
		"Audit/Verification?number=1&hash=0": `"firstBroken":1,"what":"audit entry 1 is not the one that was noted down"`,
		"RestorePointJobs":                   `[`,
	} {
		if r := w.call("GET", "/holdfast/v1/"+path, nil).want(200); !strings.Contains(string(r.body), want) {
			w.t.Errorf("%s answers %s, want %s", path, r.body, want)
		}
	}
	w.call("GET", "/holdfast/v1/Audit?from=yesterday", nil).says(400, "from")
	actor := strings.ToUpper(w.call("GET", "/holdfast/v1/Audit?act=repository.create", nil).want(200).text("results", 0, "actor"))
	created := w.call("GET", "/holdfast/v1/Audit?act=repository.create&actor="+url.QueryEscape(actor)+"&search=repository/&until=2100-01-01T00:00:00Z", nil).want(200).get("results").([]any)
	for _, e := range created {
		if act := e.(map[string]any)["act"]; act != "repository.create" {
			w.t.Errorf("the audit of repository.create has %v", act)
		}
	}
	if none := w.call("GET", "/holdfast/v1/Audit?act=repository.create&actor=nobody", nil).want(200).get("results").([]any); len(created) == 0 || len(none) != 0 {
		w.t.Errorf("%d entries of repository.create by %s, %d by nobody", len(created), actor, len(none))
	}
	w.call("GET", "/holdfast/v1/Audit/Verification?number=1", nil).says(400, "give both or none")
	w.call("GET", "/holdfast/v1/Audit/Verification?number=x&hash=00", nil).says(400, "query number must be a whole number")
	w.call("POST", "/holdfast/v1/BackupRepositories/"+id+"/Retention", nil).want(204)
	w.call("PUT", "/holdfast/v1/Account/Password", map[string]any{"oldPassword": "wrong", "newPassword": "another good passphrase"}).want(403)
	w.call("PUT", "/holdfast/v1/Account/Password", map[string]any{"newPassword": "another good passphrase"}).says(400, "oldPassword is missing")
	w.call("GET", "/v8/Proxies?extendedView=true", nil).want(200).golden()
	proxy := w.first("/v8/Proxies")
	w.call("GET", "/v8/Proxies/"+proxy, nil).want(200).golden()
	w.call("PUT", "/v8/Proxies/"+proxy, map[string]any{"description": "in the cellar"}).want(204)
	w.call("PUT", "/v8/Proxies/"+proxy, map[string]any{"enableNetworkThrottling": true}).says(400, "not built yet")
	w.call("POST", "/v8/Proxies/"+proxy+"/Rescan", nil).want(204)
	w.call("POST", "/v8/Proxies/Rescan", map[string]any{"proxies": []any{map[string]any{"id": proxy}}}).want(204)
	w.call("POST", "/v8/Proxies/"+proxy+"/maintenance/enable", map[string]any{}).want(204)
	if got := w.call("GET", "/v8/Proxies/"+proxy, nil).text("maintenanceModeState"); got != "Enabled" {
		w.t.Errorf("maintenance is %s", got)
	}
	w.call("POST", "/v8/Proxies/"+proxy+"/maintenance/disable", map[string]any{}).want(204)
	w.call("POST", "/v8/Proxies/"+proxy+"/Remove", map[string]any{}).says(409, "built into the server")
}

func jobs(w *world) {
	organization, repository := w.first("/v8/Organizations"), w.first("/v8/BackupRepositories")
	user := func(kind string, more map[string]any) map[string]any {
		item := map[string]any{"type": kind, "user": map[string]any{"id": ada, "name": "ada@contoso.example"}, "mailbox": true, "oneDrive": true}
		for k, v := range more {
			item[k] = v
		}
		return item
	}
	body := func(items ...any) map[string]any {
		return map[string]any{"name": "Daily", "backupType": "SelectedItems", "organizationId": organization, "repositoryId": repository, "selectedItems": items,
			"schedulePolicy": map[string]any{"scheduleEnabled": true, "type": "daily", "dailyType": "Workdays", "dailyTime": "21:30:00", "retryEnabled": true, "retryNumber": 3, "retryWaitInterval": 10}}
	}
	for _, kind := range []string{"Group", "Site", "Team", "OneDriveFolders"} {
		w.call("POST", "/v8/Jobs", body(user(kind, nil))).says(400, kind)
	}
	group := map[string]any{"type": "Group", "group": map[string]any{"id": "00000000-0000-4000-8000-00000000000a"}}
	grouped := w.call("POST", "/v8/Jobs", map[string]any{"name": "Of a group", "backupType": "SelectedItems", "organizationId": organization, "repositoryId": repository, "selectedItems": []any{group}, "excludedItems": []any{group}}).want(201).text("id")
	w.call("GET", "/v8/Jobs/"+grouped+"/SelectedItems", nil).want(200).golden("group")
	w.call("POST", "/v8/Jobs/"+grouped+"/ExcludedItems", []any{map[string]any{"type": "Site", "site": map[string]any{"id": falcon, "url": "", "title": "", "isCloud": true, "isPersonal": false}}}).says(400, "can't be excluded")
	w.call("POST", "/v8/Jobs/"+grouped+"/SelectedItems", []any{map[string]any{"type": "Group", "group": map[string]any{"id": "nobody"}}}).want(404)
	w.call("POST", "/v8/Jobs/"+grouped+"/SelectedItems", []any{map[string]any{"type": "Group", "group": group["group"], "teams": true}}).says(400, "item of type Team")
	w.call("DELETE", "/v8/Jobs/"+grouped, nil).want(204)
	w.call("POST", "/v8/Jobs", body(user("PartialOrganization", map[string]any{"teams": false, "teamsChats": true}))).says(400, "with their teams")
	w.call("POST", "/v8/Jobs", body()).says(400, "at least one item")
	w.call("POST", "/v8/Jobs", map[string]any{"backupType": "EntireOrganization", "organizationId": bob, "repositoryId": repository}).want(404)
	w.call("POST", "/v8/Jobs", `{"backupType":"EntireOrganization",`).says(400, "not JSON")
	scope := "/holdfast/v1/Organizations/" + organization + "/JobScope"
	w.call("POST", scope, map[string]any{"backupType": "SelectedItems", "selectedItems": []any{user("User", nil)}, "excludedItems": []any{group}}).want(200).golden()
	w.call("POST", scope, map[string]any{"backupType": "SelectedItems", "selectedItems": []any{user("Site", nil)}}).says(400, "selectedItems[0].site needs")
	w.call("POST", scope, map[string]any{"backupType": "SelectedItems", "selectedItems": []any{user("User", map[string]any{"teams": true})}}).says(400, "item of type Team")
	id := w.call("POST", "/v8/Jobs", body(user("User", nil))).want(201).golden().text("id")
	at := "/v8/Jobs/" + id
	w.call("GET", "/v8/Jobs?organizationId="+organization, nil).want(200).golden()
	w.call("GET", at, nil).want(200).golden()
	w.call("PUT", at, map[string]any{"schedulePolicy": map[string]any{"scheduleEnabled": "true", "type": "Periodically", "periodicallyEvery": "hours2", "periodicallyOffsetMinutes": 5}}).want(204)
	if got := w.call("GET", at, nil).text("schedulePolicy", "periodicallyEvery"); got != "Hours2" {
		w.t.Errorf("the job runs every %s", got)
	}
	w.call("GET", at+"/CopyJob", nil).says(404, "no copy job")
	for _, kind := range []string{"SelectedItems", "ExcludedItems"} {
		w.call("POST", at+"/"+kind, []any{map[string]any{"type": "User", "user": map[string]any{"id": bob}, "mailbox": true, "oneDrive": false}}).want(204)
		items := w.call("GET", at+"/"+kind, nil).want(200).golden()
		last := len(items.get("results").([]any)) - 1
		item := items.text("results", last, "id")
		w.call("GET", at+"/"+kind+"/"+item, nil).want(200).golden()
		w.call("PUT", at+"/"+kind+"/"+item, map[string]any{"type": "User", "mailbox": true, "oneDrive": true, "user": map[string]any{"id": bob}}).want(204)
		w.call("DELETE", at+"/"+kind+"?ids="+item, nil).want(204)
		w.call("GET", at+"/"+kind+"/"+item, nil).want(404)
		w.call("DELETE", at+"/"+kind, nil).says(400, "ids")
	}
	w.call("POST", at+"/disable", nil).want(204)
	w.call("POST", at+"/enable", "").want(204)
	w.call("PUT", at, map[string]any{"backupType": "EntireOrganization"}).want(204)

	w.call("POST", at+"/stop", map[string]any{}).says(409, "not running")
	w.call("POST", at+"/explore", map[string]any{"type": "Vex"}).says(404, "no restore point")
	session := w.call("POST", at+"/start", nil).want(200).golden().text("id")
	w.call("POST", at+"/start", `{"full":false}`).says(409, "running")
	w.clock.pass(90 * time.Second)
	w.backUp(mailbox, second, drive, site, team)
	w.call("GET", "/v8/JobSessions?jobId="+id+"&status=Succeeded", nil).want(200).golden()
	w.call("GET", "/v8/JobSessions/"+session, nil).want(200).golden()
	w.call("GET", "/v8/JobSessions/"+session+"/ProcessedObjects", nil).want(200).golden()
	w.call("GET", "/holdfast/v1/JobProgress/"+session, nil).want(200).golden()
	w.call("GET", "/holdfast/v1/JobProgress/"+bob, nil).want(404)
	w.call("GET", "/holdfast/v1/JobProgress", nil).want(200).golden("none")
	log := w.call("GET", "/v8/JobSessions/"+session+"/LogItems?orderAsc=true", nil).want(200).golden()
	w.call("GET", "/v8/JobSessions/"+session+"/LogItems/"+log.text("results", 0, "id"), nil).want(200).golden()
	w.call("GET", "/v8/JobSessions?status=Sleeping", nil).says(400, "status must be one of")
	w.clock.pass(time.Hour)
	w.login()
	w.call("POST", at+"/start", map[string]any{"full": "true"}).want(200)
	w.call("POST", at+"/stop", map[string]any{}).want(204)
	stopped := w.call("GET", "/v8/JobSessions", nil).want(200)
	if stopped.text("results", 0, "status") != "Stopped" || stopped.text("results", 0, "jobSessionConfigType") != "Full" {
		w.t.Errorf("the newest session is not the stopped one: %s", stopped.body)
	}
}

func protection(w *world) {
	organization, repository := w.first("/v8/Organizations"), w.first("/v8/BackupRepositories")
	w.call("GET", "/v8/Organizations/"+organization+"/usedRepositories/?limit=5", nil).want(200).golden()
	w.call("GET", "/v8/BackupRepositories/"+repository+"/backedupOrganizations", nil).want(200).golden()
	point := w.call("GET", "/v8/RestorePoints?organizationId="+organization, nil).want(200).golden().text("results", 0, "id")
	w.call("GET", "/v8/RestorePoints/"+point, nil).want(200).golden()
	w.call("GET", "/v8/RestorePoints/"+bob, nil).want(404)
	for query, want := range map[string]int{"to=2026-03-01T12:00:00Z": 0, "from=2026-03-01T12:00:00%2B00:00": 1, "isCopy=true": 0, "userId=" + ada: 1, "userId=" + tenant: 0, "groupId=x": 0} {
		if n := len(w.call("GET", "/v8/RestorePoints?"+query, nil).want(200).get("results").([]any)); n != want {
			w.t.Errorf("restore points with %s: got %d, want %d", query, n, want)
		}
	}
	user := w.call("GET", "/v8/ProtectedUsers?restorePointId="+point, nil).want(200).golden().text("results", 0, "id")
	w.call("GET", "/v8/ProtectedUsers/"+user, nil).want(200).golden()
	w.call("GET", "/v8/ProtectedSites", nil).want(200).golden()
	for _, kind := range []string{"Groups", "Teams"} {
		w.call("GET", "/v8/Protected"+kind, nil).want(200).golden()
		w.call("GET", "/v8/Protected"+kind+"/"+bob, nil).want(404)
	}
	w.call("GET", "/v8/ProtectedTeams/"+w.first("/v8/ProtectedTeams"), nil).want(200).golden()
	repositoryData(w, organization, repository)
	w.call("GET", "/holdfast/v1/Overview", nil).want(200).golden()
	w.call("GET", "/holdfast/v1/Search/Status", nil).want(200).golden()
	w.call("POST", "/holdfast/v1/Search", map[string]any{"query": "Note", "kinds": []string{"mail"}, "at": "2026-03-01T00:00:00Z"}).want(200).golden()
	searchExport(w)
	w.call("GET", "/holdfast/v1/Overview/Calendar?days=3&zone=Europe/Berlin&organizationId="+organization, nil).want(200).golden()
	w.call("GET", "/holdfast/v1/Overview/Calendar?days=0", nil).says(400, "from 1 to 92 days")
	w.call("GET", "/holdfast/v1/Overview/Calendar?zone=Nowhere/Atlantis", nil).says(400, "no time zone")
	w.call("GET", "/holdfast/v1/Overview/Calendar?days=many", nil).says(400, "whole number")
	w.call("GET", "/holdfast/v1/Organizations/"+organization+"/Unprotected", nil).want(200).golden()
	w.call("GET", "/v8/License", nil).want(200).golden()
	w.call("GET", "/v8/License/AutoUpdate", nil).want(200).golden()
	w.call("PUT", "/v8/License/AutoUpdate", map[string]any{"isEnabled": false}).want(204)
	w.call("PUT", "/v8/License/AutoUpdate", map[string]any{"isEnabled": true}).says(409, "needs no licence")
	w.call("POST", "/v8/License/Install", map[string]any{"licenseFile": ""}).says(409, "needs no licence")
	w.call("POST", "/v8/License/Update", nil).says(409, "needs no licence")
	w.call("GET", "/v8/licensedusers", nil).want(200).golden()
	w.call("DELETE", "/v8/LicensedUsers/"+user, nil).says(409, "needs no licence")
}

// groups protects the mailbox of a group and reads what is listed of it.
func groups(w *world) {
	organization, repository := w.first("/v8/Organizations"), w.first("/v8/BackupRepositories")
	job := w.call("POST", "/v8/Jobs", map[string]any{"name": "groups", "backupType": "SelectedItems", "organizationId": organization, "repositoryId": repository,
		"selectedItems": []any{map[string]any{"type": "PartialOrganization", "groupMailboxes": true}}}).want(201).text("id")
	w.call("POST", "/v8/Jobs/"+job+"/start", nil).want(200)
	w.backUp(group)
	at := "/v8/BackupRepositories/" + repository + "/GroupData"
	id := w.call("GET", at, nil).want(200).text("results", 0, "id")
	one := w.call("GET", at+"/"+id, nil).want(200)
	if one.get("accountId") != engine || one.get("isMailboxBackedUp") != true || one.get("email") != group.Address {
		w.t.Errorf("the group is %s", one.body)
	}
	w.call("GET", at+"/"+engine, nil).want(200)
	protected := w.call("GET", "/v8/ProtectedGroups/"+id, nil).want(200)
	if protected.text("mailboxes", 0, "email") != group.Address {
		w.t.Errorf("the protected group is %s", protected.body)
	}
	point := w.call("GET", "/v8/RestorePoints?jobId="+job, nil).want(200).text("results", 0, "id")
	if got := w.call("GET", "/v7/RestorePoints/"+point+"/protectedGroups", nil).want(200); got.text("results", 0, "accountId") != engine {
		w.t.Errorf("the groups of a restore point are %s", got.body)
	}
	// A group is nobody's: it is not among the users.
	w.call("GET", "/v8/BackupRepositories/"+repository+"/UserData/"+engine, nil).want(404)
}

// repositoryData reads what a repository holds, object by object, and nothing of what it does not hold.
func repositoryData(w *world, organization, repository string) {
	at := "/v8/BackupRepositories/" + repository + "/"
	for list, n := range map[string]int{"MailboxData": 2, "OneDriveData": 1, "SiteData": 1, "TeamData": 1, "UserData": 2, "GroupData": 0} {
		got := w.call("GET", at+list, nil).want(200).golden()
		if all := got.get("results").([]any); len(all) != n {
			w.t.Errorf("%s has %d objects, want %d", list, len(all), n)
		} else if n > 0 {
			w.call("GET", at+list+"/"+got.text("results", 0, "id"), nil).want(200).golden()
		}
		w.call("GET", at+list+"/"+tenant, nil).want(404)
		w.call("GET", "/v8/BackupRepositories/"+bob+"/"+list, nil).want(404)
		old := w.call("GET", "/v7/BackupRepositories/"+repository+"/"+list, nil).want(200)
		if n > 0 && (old.get("results", 0, "isDeleted") != false || old.text("results", 0, "proxyId") == "") {
			w.t.Errorf("%s of version 7 is %s", list, old.body)
		}
	}
	w.call("GET", at+"OrganizationData", nil).want(200).golden()
	w.call("GET", at+"OrganizationData/"+organization, nil).want(200).golden()
	w.call("GET", at+"OrganizationData/"+tenant, nil).says(404, "holds nothing of an organization")
	for query, want := range map[string]int{"filter=LOVE": 1, "filter=nobody": 0, "pointInTime=2020-01-01T00:00:00Z": 0, "pointInTime=2026-03-02T00:00:00Z": 2, "organizationId=" + organization: 2, "organizationId=" + bob: 0} {
		if n := len(w.call("GET", at+"MailboxData?"+query, nil).want(200).get("results").([]any)); n != want {
			w.t.Errorf("mailboxes with %s: got %d, want %d", query, n, want)
		}
	}
	w.call("GET", at+"MailboxData?pointInTime=yesterday", nil).want(400)
}

func exchange(w *world) {
	organization, repository, job := w.first("/v8/Organizations"), w.first("/v8/BackupRepositories"), w.first("/v8/Jobs")
	w.call("POST", "/v8/Organizations/"+organization+"/explore", map[string]any{"type": "Vex", "dateTime": "2020-01-01T00:00:00Z"}).says(404, "no restore point at or before")
	w.call("POST", "/v8/Jobs/"+job+"/explore", map[string]any{"type": "vex", "showDeleted": false}).want(201).golden()
	w.call("POST", "/v8/BackupRepositories/"+repository+"/explore?organizationId="+organization, map[string]any{"type": "Vex"}).want(201).golden()
	session := w.call("POST", "/v8/organizations/"+organization+"/Explore", map[string]any{"type": "Vex", "datetime": "2026-03-01T23:00:00Z", "ShowAllVersions": "true"}).want(201).golden().text("id")
	at := "/v8/RestoreSessions/" + session
	w.call("GET", "/v8/RestoreSessions", nil).want(200).golden()
	w.call("GET", at, nil).want(200).golden()
	w.call("GET", at+"/organization", nil).want(200).golden()
	w.call("GET", at+"/Organization/OneDrives", nil).says(409, "Veod")
	boxes := w.call("GET", at+"/Organization/Mailboxes/", nil).want(200).golden()
	box := boxes.text("results", 0, "id")
	mailbox := at + "/organization/mailboxes/" + box
	w.call("GET", mailbox, nil).want(200).golden()
	w.call("GET", at+"/organization/mailboxes/"+tenant, nil).want(404)
	folders := w.call("GET", mailbox+"/folders", nil).want(200).golden()
	inbox := folders.text("results", 0, "id")
	if n := w.call("GET", mailbox+"/folders?parentId="+inbox, nil).want(200).text("results", 0, "name"); n != "Analytical Engine" {
		w.t.Errorf("below the inbox is %s", n)
	}
	if n := len(w.call("GET", mailbox+"/folders?parentID=root&name=SENT", nil).want(200).get("results").([]any)); n != 1 {
		w.t.Errorf("%d folders have sent in their name", n)
	}
	w.call("GET", mailbox+"/folders/"+inbox, nil).want(200).golden()
	w.call("GET", mailbox+"/folders/none", nil).want(404)
	mails := w.call("GET", mailbox+"/items?limit=2&parentId="+inbox, nil).want(200).golden()
	if n := len(w.call("GET", mailbox+"/items", nil).want(200).get("results").([]any)); n != 20 {
		w.t.Errorf("the mailbox has %d mails", n)
	}
	mail, other := mails.text("results", 0, "id"), mails.text("results", 1, "id")
	item := mailbox + "/items/" + url.PathEscape(mail)
	w.call("GET", item, nil).want(200).golden()
	w.call("GET", mailbox+"/items/none", nil).want(404)
	// Searches: everywhere in one order, also over the border between two mailboxes.
	w.call("POST", mailbox+"/search?setId="+tenant, map[string]any{"query": "Note 1"}).want(200).golden()
	w.call("POST", mailbox+"/folders/"+inbox+"/search?limit=1&setId="+tenant, map[string]any{"query": "Note 07"}).want(200).golden()
	w.call("POST", at+"/organization/mailboxes/search?limit=3&offset=18&setId="+tenant, map[string]any{"query": "Note"}).want(200).golden()
	w.call("POST", at+"/organization/searchExchange?limit=5&offset=20&setId="+tenant, map[string]any{"query": "Note"}).want(200).golden()
	if n := len(w.call("POST", at+"/organization/mailboxes/search?offset=21", map[string]any{"query": "Note"}).want(200).get("results").([]any)); n != 0 {
		w.t.Errorf("%d mails after the last one", n)
	}

	w.call("POST", item+"/save", nil).want(200).golden()
	w.call("POST", mailbox+"/items/save", map[string]any{"items": []any{map[string]any{"id": mail}}}).want(200).golden("one")
	several := w.call("POST", mailbox+"/items/Save", map[string]any{"items": []any{map[string]any{"id": mail}, map[string]any{"id": other}}}).want(200)
	if files := unzip(w, several.body); len(files) != 2 || several.header.Get("Content-Disposition") != `attachment; filename="ada@contoso.example, 2 mails.zip"` {
		w.t.Errorf("got %v, %s", files, several.header.Get("Content-Disposition"))
	}
	w.call("POST", mailbox+"/items/save", map[string]any{"items": []any{map[string]any{"id": "none"}}}).want(404)
	w.call("POST", mailbox+"/items/save", map[string]any{}).says(400, "items is missing")
	if w.mailing {
		one := map[string]any{"items": []any{map[string]any{"id": mail}}}
		w.same(w.sends(item+"/sendToDifferentAddress", nil), w.call("POST", item+"/save", nil))
		w.same(w.sends(mailbox+"/items/sendToDifferentAddress", one), w.call("POST", item+"/save", nil))
		for path, body := range map[string]any{item: nil, mailbox + "/items": one} {
			n := len(w.mailed.letters)
			w.call("POST", path+"/sendToDefaultAddress", body).want(204)
			if l := w.lastLetter(n); fmt.Sprint(l.To) != "[ada@contoso.example]" || l.Subject == "" {
				w.t.Errorf("the default address: %v, %q", l.To, l.Subject)
			}
		}
		w.mailed.refuses = holdfast.Invalid("the mail would be larger than the mail server takes (1 MB)")
		w.call("POST", item+"/sendToDefaultAddress", nil).says(400, "larger than")
		w.mailed.refuses = nil
		w.call("POST", item+"/sendToDifferentAddress", map[string]any{"to": "eve"}).says(400, "no mail address")
		w.call("POST", item+"/sendToDifferentAddress", map[string]any{"to": "eve@evil.example", "from": "a@b.example\r\nBcc: x@y.example"}).says(400, "line break")
		w.call("POST", mailbox+"/items/none/sendToDefaultAddress", nil).want(404)
	}

	// Restores: what the body asks for is what the proxy is told.
	restore := func(target string, body any) holdfast.RestoreRequest {
		w.t.Helper()
		if got := w.call("POST", target, body).want(200).text("sessionId"); got != session {
			w.t.Errorf("the restore is in session %s", got)
		}
		return w.restoreOne()
	}
	check := func(what string, got, want any) {
		w.t.Helper()
		if fmt.Sprint(got) != fmt.Sprint(want) {
			w.t.Errorf("%s: got %v, want %v", what, got, want)
		}
	}
	r := restore(item+"/restore", nil)
	check("restore", []any{r.From, r.Items, r.To, r.Folder, r.Mode, r.Newer, r.ChangedItems, r.MissingItems}, []any{mailboxKey, []string{mail}, "", "", "overwrite", false, true, true})
	r = restore(item+"/restoreTo", map[string]any{"mailbox": "bob@contoso.example", "folder": "Back", "changedItems": false, "deletedItems": true})
	check("restore to", []any{r.Items, r.To, r.Folder, r.Mode, r.ChangedItems, r.MissingItems}, []any{[]string{mail}, "bob@contoso.example", "Back", "skip", false, true})
	r = restore(mailbox+"/items/restore", map[string]any{"items": []any{map[string]any{"id": mail}, map[string]any{"id": other}}})
	check("restore several", r.Items, []string{mail, other})
	r = restore(mailbox+"/items/restoreTo", map[string]any{"items": []any{map[string]any{"id": other}}, "folder": "Back", "changedItems": true})
	check("restore several to", []any{r.Items, r.Folder, r.Mode, r.Newer, r.ChangedItems, r.MissingItems}, []any{[]string{other}, "Back", "overwrite", false, true, false})
	r = restore(mailbox+"/items/restoreTo?overwriteNewer=true", map[string]any{"items": []any{map[string]any{"id": other}}, "folder": "Back", "changedItems": true})
	check("overwriting what is newer, asked for", []any{r.Mode, r.Newer}, []any{"overwrite", true})
	r = restore(item+"/restore?overwriteNewer=true", nil)
	check("the same, to its place", []any{r.Mode, r.Newer}, []any{"overwrite", true})
	w.call("POST", item+"/restoreTo?overwriteNewer=true", map[string]any{"changedItems": false, "deletedItems": true}).says(400, "nothing is overwritten")
	r = restore(mailbox+"/restoreTo", map[string]any{"mailbox": "bob@contoso.example", "excludeDrafts": true, "excludeDeletedItems": true, "markRestoredAsUnread": true, "excludeLitigationHoldItems": false})
	check("left out and marked", []any{r.Exclude, r.MarkRestored}, []any{[]string{"drafts", "deleteditems", "recoverableitemsdeletions", "recoverableitemspurges"}, "unread"})
	r = restore(mailbox+"/folders/"+inbox+"/restore", map[string]any{})
	check("restore a folder", r.Items, []string{inbox})
	r = restore(mailbox+"/folders/"+inbox+"/restoreTo", map[string]any{"mailbox": ada, "folder": "x"})
	check("restore a folder to", []any{r.Items, r.To}, []any{[]string{inbox}, ada})
	r = restore(mailbox+"/restore", nil)
	check("restore a mailbox", len(r.Items), 0)
	r = restore(mailbox+"/restoreTo", map[string]any{"mailbox": "bob@contoso.example"})
	check("restore a mailbox to", []any{len(r.Items), r.To}, []any{0, "bob@contoso.example"})
	r = restore(at+"/organization/mailboxes/restore", map[string]any{"mailboxes": []any{map[string]any{"id": box}, map[string]any{"id": tenant}}, "skipUnresolved": true})
	check("restore mailboxes", r.From, mailboxKey)
	w.call("POST", at+"/organization/mailboxes/restore", map[string]any{"mailboxes": []any{map[string]any{"id": tenant}}}).says(404, "nothing was restored")

	// Logins of the body.
	w.call("POST", item+"/restore", map[string]any{"userName": "ada", "userPassword": "x"}).says(400, "user name and password")
	w.call("POST", item+"/restore", map[string]any{"userCode": "ABCD"}).says(400, "device code")
	w.call("POST", item+"/restore", map[string]any{"applicationId": application}).says(400, "certificate")
	w.call("POST", item+"/restore", map[string]any{"applicationId": application, "applicationCertificate": "%%%"}).says(400, "base64")
	restore(item+"/restore", map[string]any{"applicationId": application, "applicationCertificate": "MIIB", "applicationCertificatePassword": "p"})
	*w.denied = "Mail.ReadWrite"
	w.call("POST", item+"/restore", nil).says(403, "Mail.ReadWrite")
	*w.denied = ""
	// What is not built and asked for is refused, not left out.
	w.call("POST", item+"/restoreTo", map[string]any{"mailbox": "x", "excludeLitigationHoldItems": true}).says(400, "excludeLitigationHoldItems means nothing here")
	w.call("POST", at+"/organization/mailboxes/restore", map[string]any{"recentItemRestorePeriod": 3}).says(400, "recentItemRestorePeriod")
	w.call("POST", item+"/restoreTo", map[string]any{"mailbox": "x", "officeRegion": "China"}).says(400, "another cloud")
	w.call("POST", item+"/restoreTo", map[string]any{"mailbox": "x", "officeOrganizationName": "fabrikam.example"}).says(400, "application of that organization")
	w.call("POST", item+"/restoreTo", map[string]any{"mailbox": "x", "changedItems": false, "deletedItems": false}).says(400, "nothing to restore")

	events := w.call("GET", at+"/Events?limit=6", nil).want(200).golden()
	w.call("GET", at+"/Events/"+events.text("results", 0, "id"), nil).want(200).golden()
	w.call("GET", at+"/Events/"+bob, nil).want(404)
	w.call("GET", at+"/Statistics", nil).want(200).golden()

	// As the portal asks.
	picked := []any{map[string]any{"id": other}}
	r = restore(mailbox+"/items/operatorRestore", map[string]any{"items": picked, "changedItems": false, "deletedItems": true, "markRestoredAsUnread": true, "folder": "Back", "reason": "asked"})
	check("operator", []any{r.From, r.Items, r.To, r.Folder, r.Mode, r.ChangedItems, r.MissingItems, r.MarkRestored}, []any{mailboxKey, []string{other}, "", "Back", "skip", false, true, "unread"})
	if got := w.call("GET", at, nil).want(200).text("reason"); got != "asked" {
		w.t.Errorf("reason %q", got)
	}
	w.call("POST", mailbox+"/items/operatorRestore", map[string]any{"reason": "x"}).says(400, "items is missing")
	w.call("POST", mailbox+"/items/operatorRestore", map[string]any{"items": picked, "changedItems": false, "deletedItems": false}).says(400, "nothing to restore")
	w.call("POST", mailbox+"/items/operatorRestore", map[string]any{"items": picked, "reason": strings.Repeat("x", 501)}).says(400, "at most 500")
	w.call("POST", at+"/Stop", nil).want(204)
	w.call("GET", mailbox, nil).says(409, "has ended")
}

const mailboxKey = "mailbox/" + ada

func oneDrive(w *world) {
	organization := w.first("/v8/Organizations")
	session := w.call("POST", "/v8/Organizations/"+organization+"/explore", map[string]any{"type": "Veod", "showDeleted": false}).want(201).golden("OneDrive").text("id")
	at := "/v8/RestoreSessions/" + session + "/Organization/OneDrives"
	id := w.call("GET", at, nil).want(200).golden().text("results", 0, "id")
	one := at + "/" + id
	w.call("GET", one, nil).want(200).golden()
	w.call("GET", "/holdfast/v1/RestoreSessions/"+session+"/OneDriveOwners", nil).want(200).golden()
	w.call("GET", "/v8/RestoreSessions/"+session+"/organization/mailboxes", nil).says(409, "Vex")
	folder := w.call("GET", one+"/Folders", nil).want(200).golden().text("results", 0, "id")
	w.call("GET", one+"/Folders/"+folder, nil).want(200).golden()
	plan := w.call("GET", one+"/Documents", nil).want(200).golden().text("results", 0, "id")
	if n := len(w.call("GET", one+"/documents?includeFolders=true", nil).want(200).get("results").([]any)); n != 2 {
		w.t.Errorf("the first level has %d folders and documents", n)
	}
	notes := w.call("GET", one+"/Documents?parentId="+folder, nil).want(200).text("results", 0, "id")
	document := one + "/Documents/" + notes
	w.call("GET", document, nil).want(200).golden()
	w.call("GET", one+"/Documents/"+folder, nil).want(404) // it is a folder
	w.call("GET", one+"/Documents/"+bob, nil).want(404)
	versions := w.call("GET", document+"/Versions", nil).want(200).golden()
	older := fmt.Sprint(versions.get("results", 1, "versionId"))
	w.call("GET", document+"/Versions/"+older, nil).want(200).golden()
	w.call("GET", document+"/Versions/7", nil).says(404, "no version 7")
	w.call("GET", document+"/Versions/x", nil).want(400)
	w.call("POST", one+"/search?setId="+tenant, map[string]any{"query": "Notes"}).want(200).golden()
	w.call("POST", at+"/search?itemType=folders&setId="+tenant, map[string]any{"query": "Papers"}).want(200).golden()
	w.call("POST", one+"/Folders/"+folder+"/search?itemType=Documents&setId="+tenant, map[string]any{"query": "Notes"}).want(200).golden()

	w.call("POST", document+"/save", nil).want(200).golden()
	w.call("POST", document+"/Versions/"+older+"/save", map[string]any{"asZip": false}).want(200).golden()
	if files := unzip(w, w.call("POST", document+"/save", map[string]any{"asZip": "true"}).want(200).body); len(files) != 1 {
		w.t.Errorf("got %v", files)
	}
	selected := func(field string, ids ...string) map[string]any {
		var all []any
		for _, id := range ids {
			all = append(all, map[string]any{"id": id})
		}
		return map[string]any{field: all}
	}
	with := func(body map[string]any, name string, value any) map[string]any {
		body[name] = value
		return body
	}
	if files := unzip(w, w.call("POST", one+"/Documents/save", selected("documents", notes, plan)).want(200).body); len(files) != 2 {
		w.t.Errorf("got %v", files)
	}
	unzip(w, w.call("POST", one+"/Folders/save", selected("folders", folder)).want(200).body)
	if w.mailing {
		if l := w.sends(one+"/Documents/send", selected("documents", notes, plan)); len(l.files) != 2 {
			w.t.Errorf("%d documents were sent", len(l.files))
		}
		w.same(w.sends(document+"/send", nil), w.call("POST", document+"/save", nil))
		w.same(w.sends(document+"/Versions/"+older+"/send", nil), w.call("POST", document+"/Versions/"+older+"/save", nil))
		w.isZip(w.sends(one+"/Folders/send", selected("folders", folder)), 1)
		w.isZip(w.sends(one+"/Folders/"+folder+"/send", nil), 1)
		w.isZip(w.sends(one+"/send", nil), 0) // the shelf of these tests has nothing where all is asked for
	}
	unzip(w, w.call("POST", one+"/Folders/"+folder+"/save", nil).want(200).body)
	unzip(w, w.call("POST", one+"/save", nil).want(200).body)

	restore := func(target string, body any) string {
		w.t.Helper()
		w.call("POST", target, body).want(200)
		r := w.restoreOne()
		return fmt.Sprintf("%d items to %q %q, %s, newer %v, all versions %v, permissions %v", len(r.Items), r.To, r.Folder, r.Mode, r.Newer, r.AllVersions, r.Permissions)
	}
	for _, tc := range []struct {
		target string
		body   any
		want   string
	}{
		{document + "/restore", nil, `1 items to "" "", keep both, newer false, all versions false, permissions true`},
		{document + "/restore", map[string]any{"documentAction": "overwrite"}, `1 items to "" "", overwrite, newer true, all versions false, permissions true`},
		{document + "/Versions/" + older + "/restore", map[string]any{"documentAction": "overwrite"}, `1 items to "" "", overwrite, newer true, all versions false, permissions true`},
		{document + "/Versions/" + older + "/copyTo", map[string]any{"folder": "Back"}, `1 items to "" "Back", keep both, newer false, all versions false, permissions false`},
		{one + "/Documents/restore", with(selected("documents", notes, plan), "documentAction", "Keep"), `2 items to "" "", keep both, newer false, all versions false, permissions true`},
		{document + "/copyTo", map[string]any{"folder": "Back", "documentVersion": "all"}, `1 items to "" "Back", keep both, newer false, all versions true, permissions false`},
		{one + "/Documents/copyTo", with(selected("documents", plan), "onedrive", map[string]any{"id": id}), `1 items to "` + ada + `" "", keep both, newer false, all versions false, permissions false`},
		{one + "/Folders/" + folder + "/restore", nil, `1 items to "" "", keep both, newer false, all versions false, permissions true`},
		{one + "/Folders/restore", selected("folders", folder), `1 items to "" "", keep both, newer false, all versions false, permissions true`},
		{one + "/Folders/" + folder + "/copyTo", map[string]any{"onedrive": map[string]any{"name": "bob@contoso.example"}, "restorePermissions": true}, `1 items to "bob@contoso.example" "", keep both, newer false, all versions false, permissions true`},
		{one + "/Folders/copyTo", with(selected("folders", folder), "documentLastVersionAction", "Merge"), `1 items to "" "", keep both, newer false, all versions false, permissions false`},
		{one + "/Folders/copyTo", with(selected("folders", folder), "documentLastVersionAction", "overwrite"), `1 items to "" "", overwrite, newer true, all versions false, permissions false`},
		{one + "/restore", nil, `0 items to "" "", keep both, newer false, all versions false, permissions true`},
		{one + "/copyTo", map[string]any{"folder": "All"}, `0 items to "" "All", keep both, newer false, all versions false, permissions false`},
		{at + "/restore", with(selected("oneDrives", id), "documentAction", "Overwrite"), `0 items to "" "", overwrite, newer true, all versions false, permissions true`},
	} {
		if got := restore(tc.target, tc.body); got != tc.want {
			w.t.Errorf("%s %v\n got %s\nwant %s", tc.target, tc.body, got, tc.want)
		}
	}
	w.call("POST", document+"/copyTo", map[string]any{"sendSharedLinksNotification": true}).says(400, "sendSharedLinksNotification")
	w.call("POST", document+"/Versions/"+older+"/copyTo", map[string]any{"folder": "Back", "documentVersion": "All"}).says(400, "one version")
	w.call("POST", one+"/Documents/restore", selected("documents")).says(400, "documents is missing")
	w.call("POST", one+"/Documents/restore", selected("documents", folder)).want(404)
	w.call("GET", "/v8/RestoreSessions/"+session+"/Statistics", nil).want(200).golden("OneDrive")

	// As the portal asks.
	operator := func(action string, versions ...any) map[string]any {
		configs := []any{}
		for i, id := range []string{notes, plan} {
			c := map[string]any{"document": map[string]any{"id": id, "name": "n", "createdBy": "", "modifiedBy": "", "sizeBytes": 1, "creationTime": "2026-01-01T00:00:00Z", "modificationTime": "2026-01-01T00:00:00Z"}}
			if i < len(versions) {
				c["documentVersion"] = versions[i]
			}
			configs = append(configs, c)
		}
		return map[string]any{"documentAction": action, "documentsRestoreConfigs": configs, "reason": "asked"}
	}
	const verb = "/Documents/operatorRestore"
	if got, want := restore(one+verb, operator("keep", "Last")), `2 items to "" "", keep both, newer false, all versions false, permissions true`; got != want {
		w.t.Errorf("got %s", got)
	}
	if got, want := restore(one+verb, operator("Overwrite", "All", "all")), `2 items to "" "", overwrite, newer true, all versions true, permissions true`; got != want {
		w.t.Errorf("got %s", got)
	}
	w.call("POST", one+verb, operator("Overwrite", "All")).says(400, "differs between")
	w.call("POST", one+verb, operator("Overwrite", "Some")).says(400, "All or Last")
	w.call("POST", one+verb, operator("Merge")).says(400, "Overwrite or Keep")
	w.call("POST", one+verb, map[string]any{"documentAction": "Keep", "documentsRestoreConfigs": []any{}}).says(400, "documentsRestoreConfigs is missing")
	w.call("POST", one+verb, map[string]any{"documentAction": "Keep", "documentsRestoreConfigs": []any{map[string]any{"document": map[string]any{"id": folder}}}}).want(404)
}

func sharePoint(w *world) {
	organization := w.first("/v8/Organizations")
	teams := w.call("GET", "/v8/Organizations/"+organization+"/Teams?displayName=Ap&setId="+tenant, nil).want(200).golden()
	w.call("GET", "/v8/Organizations/"+organization+"/Teams/"+teams.text("results", 0, "id"), nil).want(200).golden()
	w.call("GET", "/v8/Organizations/"+organization+"/Teams/"+bob, nil).want(404)
	list := w.call("GET", "/v8/Organizations/"+organization+"/Sites?includePersonalSites=true&setId="+tenant, nil).want(200).golden()
	w.call("GET", "/v8/Organizations/"+organization+"/Sites/"+url.PathEscape(list.text("results", 0, "id")), nil).want(200).golden()
	w.call("GET", "/v8/Organizations/"+organization+"/Sites/nowhere", nil).want(404)
	for filter, want := range map[string]int{"FALC": 1, "%2Fsites%2Ffalcon": 1, "heron": 0} {
		for _, source := range []string{"PreferLocal", "Production"} {
			sites := w.call("GET", "/v8/Organizations/"+organization+"/Sites?filter="+filter+"&dataSource="+source, nil).want(200).get("results").([]any)
			if len(sites) != want {
				w.t.Errorf("filter %s, %s: %d sites, want %d", filter, source, len(sites), want)
			}
		}
	}
	protected := w.call("GET", "/v8/ProtectedSites", nil).want(200).text("results", 0, "id")
	w.call("GET", "/v8/ProtectedSites/"+protected, nil).want(200).golden()
	session := w.call("POST", "/v8/Organizations/"+organization+"/explore", map[string]any{"type": "Vesp"}).want(201).golden("SharePoint").text("id")
	at := "/v8/RestoreSessions/" + session + "/Organization/Sites"
	id := w.call("GET", at, nil).want(200).golden().text("results", 0, "id")
	if n := len(w.call("GET", at+"?parentId="+id, nil).want(200).get("results").([]any)); n != 0 {
		w.t.Errorf("%d sites below the only one", n)
	}
	one := at + "/" + id
	w.call("GET", one, nil).want(200).golden()
	w.call("GET", "/v8/RestoreSessions/"+session+"/organization/mailboxes", nil).says(409, "Vex")
	incidents := w.call("GET", one+"/Lists", nil).want(200).golden().text("results", 0, "id")
	w.call("GET", one+"/Lists/"+incidents, nil).want(200).golden()
	library := w.call("GET", one+"/Libraries", nil).want(200).golden().text("results", 0, "id")
	w.call("GET", one+"/Libraries/"+library, nil).want(200).golden()
	w.call("GET", one+"/Libraries/"+incidents, nil).want(404) // it is a list
	folder := w.call("GET", one+"/Folders?parentId="+library, nil).want(200).golden().text("results", 0, "id")
	w.call("GET", one+"/Folders/"+folder, nil).want(200).golden()
	notes := w.call("GET", one+"/Documents?parentId="+folder, nil).want(200).golden().text("results", 0, "id")
	if n := len(w.call("GET", one+"/Documents", nil).want(200).get("results").([]any)); n != 1 {
		w.t.Errorf("%d documents in the whole site", n)
	}
	document := one + "/Documents/" + notes
	w.call("GET", document, nil).want(200).golden()
	older := fmt.Sprint(w.call("GET", document+"/Versions", nil).want(200).golden().get("results", 1, "versionId"))
	w.call("GET", document+"/Versions/"+older, nil).want(200).golden()
	w.call("GET", document+"/Versions/7", nil).says(404, "no version 7")
	fire := w.call("GET", one+"/Items?parentId="+incidents, nil).want(200).golden().text("results", 0, "id")
	item := one + "/Items/" + fire
	w.call("GET", item, nil).want(200).golden()
	was := fmt.Sprint(w.call("GET", item+"/Versions", nil).want(200).golden().get("results", 1, "versionId"))
	w.call("GET", item+"/Versions/"+was, nil).want(200).golden()
	attached := w.call("GET", item+"/Attachments", nil).want(200).golden().text("results", 0, "id")
	w.call("GET", item+"/Attachments/"+attached, nil).want(200).golden()
	w.call("GET", item+"/Attachments/7", nil).says(404, "no attachment 7")
	own := "/holdfast/v1/RestoreSessions/" + session + "/Containers/" + id + "/Items/"
	w.call("GET", own+incidents+"/Rows?limit=5", nil).want(200).golden()
	w.call("GET", own+fire+"/Permissions", nil).want(200).golden()
	if got := string(w.call("GET", own+incidents+"/Table?format=json", nil).want(200).body); got != incidents+" as json" {
		w.t.Errorf("the list as a file is %q", got)
	}
	w.call("GET", own+incidents+"/Table?format=xlsx", nil).says(400, "format must be one of")
	w.call("GET", own+fire+"/Table", nil).says(400, "is not a list")
	if got := string(w.call("POST", own+"save", map[string]any{"items": []string{notes}}).want(200).body); got != string(w.call("POST", document+"/save", nil).want(200).body) {
		w.t.Errorf("one item is saved as %q", got)
	}
	unzip(w, w.call("POST", own+"save", map[string]any{"items": []string{notes, fire}}).want(200).body)
	unzip(w, w.call("POST", own+"save", map[string]any{"items": []string{folder}}).want(200).body)
	w.call("POST", own+"save", map[string]any{"items": []string{"nothing"}}).want(404)
	w.call("POST", item+"/Attachments/"+attached+"/save", nil).want(200).golden()
	w.call("POST", item+"/Attachments/save", map[string]any{"attachments": []any{map[string]any{"id": attached}}}).want(200)
	unzip(w, w.call("POST", item+"/Attachments/save", nil).want(200).body)

	w.call("POST", at+"/search?setId="+tenant, map[string]any{"query": "Notes"}).want(200).golden()
	w.call("POST", one+"/search?setId="+tenant, map[string]any{"query": "fire"}).want(200).golden()
	w.call("POST", one+"/Lists/"+incidents+"/search?itemType=Items&setId="+tenant, map[string]any{"query": "fire"}).want(200).golden()
	w.call("POST", one+"/Libraries/"+library+"/search?itemType=Folders&setId="+tenant, map[string]any{"query": "Papers"}).want(200).golden()
	w.call("POST", one+"/Folders/"+folder+"/search?itemType=Documents&setId="+tenant, map[string]any{"query": "Notes"}).want(200).golden()

	w.call("POST", document+"/save", nil).want(200).golden()
	w.call("POST", document+"/Versions/"+older+"/save", map[string]any{"asZip": false}).want(200).golden()
	ids := func(field, id string, more ...any) map[string]any {
		body := map[string]any{field: []any{map[string]any{"id": id, "name": "n", "createdBy": "", "modifiedBy": "", "creationTime": "2026-01-01T00:00:00Z", "modificationTime": "2026-01-01T00:00:00Z"}}}
		for i := 0; i+1 < len(more); i += 2 {
			body[more[i].(string)] = more[i+1]
		}
		return body
	}
	unzip(w, w.call("POST", one+"/Documents/save", ids("documents", notes)).want(200).body)
	if w.mailing {
		w.same(w.sends(item+"/Attachments/"+attached+"/send", nil), w.call("POST", item+"/Attachments/"+attached+"/save", nil))
		w.same(w.sends(item+"/Attachments/send", map[string]any{"attachments": []any{map[string]any{"id": attached}}}), w.call("POST", item+"/Attachments/"+attached+"/save", nil))
		w.same(w.sends(document+"/send", nil), w.call("POST", document+"/save", nil))
		w.same(w.sends(document+"/Versions/"+older+"/send", nil), w.call("POST", document+"/Versions/"+older+"/save", nil))
		w.isZip(w.sends(one+"/Documents/send", ids("documents", notes)), 1)
		w.isZip(w.sends(one+"/Folders/send", ids("folders", folder)), 1)
		w.isZip(w.sends(one+"/Folders/"+folder+"/send", nil), 1)
		w.isZip(w.sends(one+"/Libraries/"+library+"/send", nil), 1)
	}
	unzip(w, w.call("POST", one+"/Folders/save", ids("folders", folder)).want(200).body)
	unzip(w, w.call("POST", one+"/Folders/"+folder+"/save", nil).want(200).body)
	unzip(w, w.call("POST", one+"/Libraries/"+library+"/save", nil).want(200).body)

	restore := func(target string, body any) string {
		w.t.Helper()
		w.call("POST", target, body).want(200)
		r := w.restoreOne()
		return fmt.Sprintf("%d items to %q, %s, newer %v, all versions %v, permissions %v", len(r.Items), r.To, r.Mode, r.Newer, r.AllVersions, r.Permissions)
	}
	const other = "https://contoso.sharepoint.example/sites/falcon"
	to := map[string]any{"siteURL": other}
	here, there := `1 items to "", keep both, newer false, all versions false, permissions false`, `1 items to "`+other+`", keep both, newer false, all versions false, permissions false`
	for _, tc := range []struct {
		target string
		body   any
		want   string
	}{
		{document + "/restore", nil, here},
		{document + "/restore", map[string]any{"documentLastVersionAction": "Overwrite", "documentVersion": "All", "restorePermissions": true, "list": "documents"}, `1 items to "", overwrite, newer true, all versions true, permissions true`},
		{document + "/restoreTo", to, there},
		{document + "/Versions/" + older + "/restore", nil, here},
		{document + "/Versions/" + older + "/restoreTo", to, there},
		{one + "/Documents/restore", ids("documents", notes), here},
		{one + "/Documents/restoreTo", ids("documents", notes, "siteURL", other), there},
		{one + "/Folders/" + folder + "/restore", nil, here},
		{one + "/Folders/" + folder + "/restoreTo", to, there},
		{one + "/Folders/restore", ids("folders", folder), here},
		{one + "/Folders/restoreTo", ids("folders", folder, "siteURL", other), there},
		{item + "/Restore", nil, here},
		{item + "/RestoreTo", to, there},
		{item + "/Versions/" + was + "/restore", nil, here},
		{item + "/Versions/" + was + "/restoreTo", to, there},
		{one + "/Items/restore", ids("items", fire), here},
		{one + "/Items/restoreTo", ids("items", fire, "siteURL", other), there},
		{one + "/Documents/operatorRestore", map[string]any{"documentsRestoreConfigs": []any{map[string]any{"document": map[string]any{"id": notes}, "documentVersion": "All"}}, "documentLastVersionAction": "Overwrite", "reason": "asked for"}, `1 items to "", overwrite, newer true, all versions true, permissions false`},
		{one + "/Items/operatorRestore", map[string]any{"itemsRestoreConfigs": []any{map[string]any{"item": map[string]any{"id": fire}}}, "restorePermissions": true}, `1 items to "", keep both, newer false, all versions false, permissions true`},
		{one + "/Lists/" + incidents + "/restore", map[string]any{"changedItems": true, "deletedItems": true}, here},
		{one + "/Lists/" + incidents + "/restoreTo", to, there},
		{one + "/Libraries/" + library + "/restore", nil, here},
		{one + "/Libraries/" + library + "/restoreTo", to, there},
		{one + "/restore", map[string]any{"documentLastVersionAction": "Merge"}, `0 items to "", keep both, newer false, all versions false, permissions false`},
		{one + "/restoreTo", to, `0 items to "` + other + `", keep both, newer false, all versions false, permissions false`},
	} {
		if got := restore(tc.target, tc.body); got != tc.want {
			w.t.Errorf("%s %v\n got %s\nwant %s", tc.target, tc.body, got, tc.want)
		}
	}
	w.call("POST", document+"/restoreTo", nil).says(400, "siteURL is missing")
	w.call("POST", document+"/restore", map[string]any{"list": "Elsewhere"}).says(400, "another name")
	w.call("POST", one+"/restore", map[string]any{"restoreSubsites": true}).says(400, "restoreSubsites")
	w.call("POST", one+"/restore", map[string]any{"alias": "x"}).says(400, "alias")
	w.call("POST", one+"/Items/restore", map[string]any{"items": []any{}}).says(400, "items is missing")
	w.call("POST", one+"/Items/restore", ids("items", folder)).want(404)
	config := func(id, version string) any {
		return map[string]any{"item": map[string]any{"id": id}, "documentVersion": version}
	}
	w.call("POST", one+"/Items/operatorRestore", map[string]any{"itemsRestoreConfigs": []any{}}).says(400, "itemsRestoreConfigs is missing")
	w.call("POST", one+"/Items/operatorRestore", map[string]any{"itemsRestoreConfigs": []any{config(folder, "Last")}}).want(404)
	w.call("POST", one+"/Items/operatorRestore", map[string]any{"itemsRestoreConfigs": []any{config(fire, "Last"), config(fire, "All")}}).says(400, "documentVersion differs")
	w.call("POST", one+"/Items/operatorRestore", map[string]any{"itemsRestoreConfigs": []any{config(fire, "First")}}).says(400, "must be All or Last")
}

// directoryCopy: groups and their members come from the copy of the directory, which is made when somebody first asks.
func directoryCopy(w *world) {
	at := "/v8/Organizations/" + w.first("/v8/Organizations")
	w.call("GET", at+"/Groups?dataSource=Nowhere", nil).says(400, "no data source")
	group := at + "/Groups/" + w.call("GET", at+"/Groups", nil).want(200).text("results", 0, "id")
	w.call("GET", at+"/SyncState", nil).want(200).golden()
	w.call("GET", group, nil).want(200).golden()
	w.call("GET", group+"/Members?limit=5&setId="+tenant, nil).want(200).golden()
	w.call("GET", at+"/Groups/nowhere/Members", nil).want(404)
	w.call("GET", at+"/Groups/nowhere?dataSource=PreferLocalResynced", nil).want(404)
	w.call("POST", at+"/Sync", map[string]any{"type": "Full"}).want(204)
	w.call("POST", at+"/Sync", map[string]any{"type": "Half"}).says(400, "type")
	w.call("POST", at+"/Sync", nil).want(204)
	w.call("GET", at+"/SyncState", nil).want(200).golden("waits")
	if err := w.services.SyncDue(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
	w.call("GET", "/v8/Organizations/SyncState", nil).want(200).golden()
	w.call("GET", at+"/Users?displayName=ada&dataSource=PreferLocal&setId="+tenant, nil).want(200).golden("copy")
}

func endings(w *world) {
	directoryCopy(w)
	organization, repository, job := w.first("/v8/Organizations"), w.first("/v8/BackupRepositories"), w.first("/v8/Jobs")
	w.call("DELETE", "/v8/BackupRepositories/"+repository, nil).want(409)
	for _, s := range w.call("GET", "/v8/RestoreSessions?limit=100", nil).want(200).get("results").([]any) {
		w.call("POST", "/v8/RestoreSessions/"+s.(map[string]any)["id"].(string)+"/Stop", nil).want(204)
	}
	w.call("DELETE", "/v8/Jobs/"+job, nil).want(204)
	w.call("GET", "/v8/Jobs/"+job, nil).want(404)
	w.call("DELETE", "/v8/BackupRepositories/"+repository, nil).want(204)
	w.call("DELETE", "/v8/Organizations/"+organization, nil).want(204)
	w.call("GET", "/v8/Organizations/"+organization, nil).want(404)
	w.call("PUT", "/holdfast/v1/Account/Password", map[string]any{"oldPassword": "correct horse battery", "newPassword": "another good passphrase"}).want(204)
	w.call("GET", "/v8/Jobs", nil).want(401) // all logins ended
	w.bearer = w.call("POST", "/v8/token", map[string]any{"grant_type": "password", "username": "admin", "password": "another good passphrase"}).want(200).text("access_token")
	w.call("POST", "/v8/token/logout", nil).want(204)
	w.call("GET", "/v8/Jobs", nil).want(401)
}

func teams(w *world) {
	organization := w.first("/v8/Organizations")
	session := w.call("POST", "/v8/Organizations/"+organization+"/explore", map[string]any{"type": "Vet"}).want(201).golden("Teams").text("id")
	whole := "/v8/RestoreSessions/" + session + "/organization"
	at := whole + "/teams"
	id := w.call("GET", at, nil).want(200).golden().text("results", 0, "id")
	names := func(got *reply, member string) (all []string) {
		w.t.Helper()
		for i := range got.want(200).get("results").([]any) {
			all = append(all, got.text("results", i, member))
		}
		return all
	}
	check := func(what string, got, want any) {
		w.t.Helper()
		if fmt.Sprint(got) != fmt.Sprint(want) {
			w.t.Errorf("%s: got %v, want %v", what, got, want)
		}
	}
	check("teams of another name", names(w.call("GET", at+"?displayName=artemis", nil), "displayName"), []string(nil))
	check("teams by a part of the name", names(w.call("GET", at+"?displayName=POLL", nil), "displayName"), []string{"Apollo"})
	one := at + "/" + id
	w.call("GET", one, nil).want(200).golden()
	w.call("GET", at+"/"+apollo, nil).want(200) // by Microsoft's own id
	w.call("GET", at+"/"+bob, nil).want(404)
	w.call("GET", whole+"/Sites", nil).says(409, "Vesp")
	check("channels", names(w.call("GET", one+"/channels", nil).golden(), "displayName"), []string{"General", "Secrets"})
	check("channels by a part of the name", names(w.call("GET", one+"/channels?displayName=SECRET", nil), "displayName"), []string{"Secrets"})
	channel := one + "/channels/" + url.PathEscape(general)
	private := one + "/channels/" + url.PathEscape(secrets)
	w.call("GET", channel, nil).want(200).golden()
	w.call("GET", one+"/channels/19:nothing@thread.tacv2", nil).says(404, "has no channel")
	check("what a channel has", names(w.call("GET", channel+"/children", nil).golden(), "type"), []string{"Posts", "Files", "Tabs"})

	// Tabs.
	tab := w.call("GET", channel+"/tabs", nil).want(200).golden().text("results", 0, "id")
	check("tabs of the other channel", names(w.call("GET", private+"/tabs", nil), "id"), []string(nil))
	w.call("GET", channel+"/tabs/"+tab, nil).want(200).golden()
	w.call("GET", private+"/tabs/"+tab, nil).says(404, "has no tab")
	check("tabs found", names(w.call("POST", channel+"/tabs/search", map[string]any{"query": "Wiki"}).golden(), "displayName"), []string{"Wiki"})
	check("tabs not found", names(w.call("POST", channel+"/tabs/search", map[string]any{"query": "nothing"}), "id"), []string(nil))

	// Posts: replies are listed with what they reply to.
	posts := one + "/posts"
	check("posts of all channels", len(names(w.call("GET", posts, nil).golden(), "subject")), 4)
	in := "channelId=" + url.QueryEscape(general)
	check("posts of a channel", names(w.call("GET", posts+"?"+in, nil), "subject"), []string{"(deleted)", "Which Friday?", "Launch on Friday"})
	check("posts over the border of two channels", names(w.call("GET", posts+"?offset=2&limit=2", nil), "subject"), []string{"Launch on Friday", "Nobody may know"})
	check("replies", names(w.call("GET", posts+"?"+in+"&parentId=1769934600000", nil), "subject"), []string{"Which Friday?"})
	w.call("GET", posts+"?parentId=17", nil).want(404)
	w.call("GET", posts+"?parentId=first", nil).says(400, "whole number")
	w.call("GET", posts+"/1769934600000", nil).want(200).golden()
	if reply := w.call("GET", posts+"/1770021000000?"+in, nil).want(200); reply.get("parentId") != 1769934600000.0 {
		w.t.Errorf("the reply is %s", reply.body)
	}
	w.call("GET", posts+"/1770107400000", nil).says(409, "say which one by channelId")
	if gone := w.call("GET", posts+"/1770107400000?"+in, nil).want(200); gone.get("isDeleted") != true {
		w.t.Errorf("the deleted post is %s", gone.body)
	}
	w.call("GET", posts+"/17", nil).want(404)
	check("posts found", names(w.call("POST", posts+"/search", map[string]any{"query": "Friday"}).golden(), "subject"), []string{"Which Friday?", "Launch on Friday"})

	// Files: those of channels, in their folder.
	files := one + "/files"
	folder := w.call("GET", files+"?"+in, nil).want(200).golden().text("results", 0, "id")
	launch := w.call("GET", files+"?"+in+"&parentId="+folder, nil).want(200).text("results", 0, "id")
	check("files of all channels", names(w.call("GET", files, nil), "name"), []string{"Launch.txt", "Plans"})
	check("folders", names(w.call("GET", files+"?foldersOnly=true", nil), "name"), []string{"Plans"})
	check("files of a channel without any", names(w.call("GET", files+"?channelId="+url.QueryEscape(secrets), nil), "name"), []string(nil))
	w.call("GET", files+"?parentId="+launch, nil).says(400, "is a file")
	w.call("GET", files+"?parentId="+bob, nil).want(404)
	file := channel + "/files/" + launch
	w.call("GET", file, nil).want(200).golden()
	w.call("GET", private+"/files/"+launch, nil).want(404)
	w.call("GET", channel+"/files/"+strings.ToLower(uuid.NewSHA1(uuid.Nil, nil).String()), nil).want(404)
	stray := service.Entry{}
	for _, e := range w.explorer.entries[team.Key()] {
		if e.Name == "Stray.txt" {
			stray = e
		}
	}
	raw, err := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(stray.ID[2:])
	w.must(err)
	w.call("GET", channel+"/files/"+uuid.UUID(raw[4:]).String(), nil).want(404) // it is beside the channels' folders
	check("versions", names(w.call("GET", file+"/versions", nil).golden(), "uiVersion"), []string{"2.0", "1.0"})
	check("versions by the address of version 7", names(w.call("GET", strings.Replace(files, "v8", "v7", 1)+"/"+launch+"/versions", nil), "uiVersion"), []string{"2.0", "1.0"})
	check("files found", names(w.call("POST", files+"/search", map[string]any{"query": "Launch"}).golden(), "name"), []string{"Launch.txt"})
	check("files found in a folder", names(w.call("POST", files+"/search?parentId="+folder, map[string]any{"query": "Launch"}), "name"), []string{"Launch.txt"})

	// Searches over kinds.
	for _, where := range []string{whole + "/searchTeams", one + "/search", channel + "/search"} {
		check("files by "+where, names(w.call("POST", where, map[string]any{"type": "Files", "query": "Plans"}).golden(), "name"), []string{"Plans"})
		check("posts by "+where, names(w.call("POST", where, map[string]any{"type": "posts", "query": "Launch"}), "subject"), []string{"Launch on Friday"})
		check("tabs by "+where, names(w.call("POST", where, map[string]any{"type": "Tabs", "query": ""}), "displayName"), []string{"Wiki"})
		w.call("POST", where, map[string]any{"type": "Chats", "query": ""}).want(400)
	}

	// Saved as it is.
	const first, second, wrong = 1769934600000, 1770021000000, 17
	w.call("POST", posts+"/1769934600000/save", nil).want(200).golden()
	several := func(member string, ids ...any) map[string]any {
		var all []any
		for _, id := range ids {
			all = append(all, map[string]any{member: id})
		}
		return map[string]any{"channelId": general, "posts": all}
	}
	check("posts saved", len(unzip(w, w.call("POST", posts+"/save", several("postId", first, second)).want(200).body)), 2)
	w.call("POST", posts+"/save", several("postId", wrong)).want(404)
	if w.mailing {
		for name, content := range w.sends(posts+"/send", several("postId", first, second)).files {
			if !strings.HasSuffix(name, ".html") || !bytes.Contains(content, []byte("posts")) {
				w.t.Errorf("posts were sent as %q: %.80s", name, content)
			}
		}
		w.sends(posts+"/1769934600000/send", nil)
	}
	w.call("POST", posts+"/save", map[string]any{}).says(400, "posts is missing")
	w.call("POST", posts+"/save", map[string]any{"posts": []any{map[string]any{"postId": first}}}).says(400, "channelId is missing")
	// As pages.
	check("a channel's posts as a page", string(w.call("POST", posts+"/export", map[string]any{"channelId": general, "from": "2026-02-01T00:00:00Z"}).want(200).golden().body), `posts [] and all in "channel.`+general+`" from 2026-02-01 to 0001-01-01`)
	check("posts as a page", string(w.call("POST", posts+"/export", several("postId", first)).want(200).body), "posts [post."+general+`.1769934600000] and all in "" from 0001-01-01 to 0001-01-01`)
	w.call("POST", posts+"/1769934600000/export", nil).want(200).golden()
	w.call("POST", posts+"/export", map[string]any{}).says(400, "channelId is missing")
	w.call("POST", posts+"/export", several("postId", wrong)).want(404)
	// Exports that are prepared and fetched by their address, by a one-time code where no token is sent.
	task := w.call("POST", channel+"/startOperatorExportPosts", nil).want(200).golden().text("exportTaskId")
	check("a channel's prepared posts", string(w.call("GET", channel+"/operatorExport/"+task, nil).want(200).golden().body), `posts [] and all in "channel.`+general+`" from 0001-01-01 to 0001-01-01`)
	w.call("GET", private+"/operatorExport/"+task, nil).says(404, "not of what the address names")
	w.call("GET", posts+"/operatorExport/"+task, nil).says(404, "not of what the address names")
	task = w.call("POST", posts+"/operatorStartExportTask", several("postId", first, second)).want(200).golden().text("exportTaskId")
	prepared := posts + "/operatorExport/" + task
	w.call("GET", prepared, nil).want(200).golden()
	w.call("POST", posts+"/operatorStartExportTask", map[string]any{"posts": []any{}}).says(400, "posts is missing")
	w.call("POST", posts+"/operatorStartExportTask", several("postId", wrong)).want(404)
	w.call("GET", posts+"/operatorExport/"+uuid.NewString(), nil).says(404, "start it again")
	code, bearer := w.call("POST", "/v8/token/AuthCode", nil).want(200).text("authCode"), w.bearer
	w.bearer = ""
	w.call("GET", prepared, nil).want(401)
	w.call("GET", posts+"?authCode="+code, nil).want(401) // it opens no other operation
	check("posts by a code", string(w.call("GET", prepared+"?authCode="+code, nil).want(200).body), `posts [post.`+general+`.1769934600000 post.`+general+`.1769934600000.1770021000000] and all in "" from 0001-01-01 to 0001-01-01`)
	w.call("GET", prepared+"?authCode="+code, nil).want(401) // once
	w.bearer = bearer

	w.call("POST", file+"/save", nil).want(200).golden()
	unzip(w, w.call("POST", file+"/save", map[string]any{"asZip": "true"}).want(200).body)
	chosen := map[string]any{"channelId": general, "files": []any{map[string]any{"id": launch}}}
	unzip(w, w.call("POST", files+"/save", chosen).want(200).body)
	if w.mailing {
		w.same(w.sends(file+"/send", nil), w.call("POST", file+"/save", nil))
		w.isZip(w.sends(files+"/send", chosen), 1)
	}
	w.call("POST", files+"/save", map[string]any{"files": []any{map[string]any{"id": bob, "channelId": general}}}).want(404)

	// Restores: what the body asks for is what the proxy is told.
	restore := func(target string, body any) holdfast.RestoreRequest {
		w.t.Helper()
		if got := w.call("POST", target, body).want(200).text("sessionId"); got != session {
			w.t.Errorf("the restore is in session %s", got)
		}
		return w.restoreOne()
	}
	with := func(body map[string]any, more ...any) map[string]any {
		all := map[string]any{"restoreChangedItems": true, "restoreMissingItems": true}
		for k, v := range body {
			all[k] = v
		}
		for i := 0; i+1 < len(more); i += 2 {
			all[more[i].(string)] = more[i+1]
		}
		return all
	}
	for _, operator := range []bool{false, true} {
		verb, reason := "/restore", []any{"reason", ""}
		if operator {
			verb, reason = "/operatorRestore", []any{"reason", "asked"}
		}
		r := restore(at+verb, with(map[string]any{"teams": []any{map[string]any{"id": id}}, "restoreMembers": true, "restoreSettings": true}, reason...))
		check("a team", []any{r.From, len(r.Items), r.Permissions, r.Mode}, []any{team.Key(), 0, true, "overwrite"})
		r = restore(channel+verb, with(nil, append(reason, "restoreChangedItems", false)...))
		check("a channel", []any{r.Items, r.Mode, r.ChangedItems, r.MissingItems, r.Permissions}, []any{[]string{"channel." + general, driveID(32)}, "skip", false, true, false})
		r = restore(posts+verb, map[string]any{"channelId": general, "to": "2026-02-02T12:00:00Z"})
		check("posts of a time", r.Items, []string{"post." + general + ".1769934600000.1770021000000", "post." + general + ".1769934600000"})
		r = restore(posts+verb, several("postId", first))
		check("posts by id", r.Items, []string{"post." + general + ".1769934600000"})
		r = restore(files+verb, with(chosen, "fileVersion", "All"))
		check("files", []any{r.Items, r.AllVersions}, []any{[]string{driveID(34)}, true})
		tabs := map[string]any{"restoreChangedTabs": false, "restoreMissingTabs": true, "tabs": []any{map[string]any{"id": tab}}}
		r = restore(channel+"/tabs"+verb, tabs)
		check("tabs", []any{r.Items, r.Mode, r.ChangedItems}, []any{[]string{"tab." + general + "." + wiki}, "skip", false})
		w.call("POST", one+"/tabs"+verb, tabs).says(400, "channelId is missing")
		tabs["tabs"] = []any{map[string]any{"id": tab, "channelId": general}}
		check("tabs of channels", restore(one+"/tabs"+verb, tabs).Items, []string{"tab." + general + "." + wiki})
		w.call("POST", private+"/tabs"+verb, tabs).says(400, "another channel")
	}
	check("one team", len(restore(one+"/restore", with(nil)).Items), 0)
	check("one file", restore(file+"/restore", with(nil, "fileVersion", "Last")).Items, []string{driveID(34)})
	check("one tab", restore(channel+"/tabs/"+tab+"/restore", map[string]any{"restoreChangedTabs": true, "restoreMissingTabs": true}).Items, []string{"tab." + general + "." + wiki})
	check("a private channel has its files in it", restore(private+"/restore", with(nil)).Items, []string{"channel." + secrets})
	w.call("POST", one+"/restore", with(nil, "restoreMembers", true, "restoreSettings", false)).says(400, "the same value")
	w.call("POST", one+"/restore", with(nil, "impersonationAccountName", "ada")).says(400, "impersonationAccountName")
	w.call("POST", one+"/restore", map[string]any{"restoreChangedItems": false, "restoreMissingItems": false}).says(400, "nothing to restore")
	w.call("POST", file+"/restore", with(nil, "fileVersion", "Some")).says(400, "All or Last")
	w.call("POST", at+"/restore", with(nil)).says(400, "teams is missing")
	w.call("POST", at+"/restore", with(map[string]any{"teams": []any{map[string]any{"id": bob}}})).want(404)
	w.call("POST", posts+"/restore", map[string]any{"channelId": general, "from": "2030-01-01T00:00:00Z"}).says(404, "no post of that time")
	w.call("POST", posts+"/restore", map[string]any{}).says(400, "channelId is missing")
	w.call("POST", at+"/restore", with(map[string]any{"teams": []any{map[string]any{"id": id}}}, "userCode", "ABCD")).says(400, "device code")
}

func unzip(w *world, body []byte) []string {
	w.t.Helper()
	z, err := zip.NewReader(bytes.NewReader(body), int64(len(body)))
	if err != nil {
		w.t.Fatal(err)
	}
	var names []string
	for _, f := range z.File {
		names = append(names, f.Name)
	}
	return names
}
