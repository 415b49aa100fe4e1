package rest_test

import (
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"

	"holdfast/internal/rest"
	"holdfast/internal/service"
)

// dangerous is what an operation destroys, hands out or lets others do, by its name. What is dangerous and does not ask has a reason below.
var dangerous = regexp.MustCompile(`_(Remove|Delete|Reset)|RecoveryKit|Retention|^(User|ApiKey|Totp|Rbac|PortalSettings|RestorePortalSettings)|Password|AuthCode|^authCode`)

var unasked = map[string]string{
	"Basket_Delete":           "a list of the own",
	"Basket_RemoveItem":       "a list of the own",
	"SavedSearch_Delete":      "a list of the own",
	"Account_SetPassword":     "has the password itself",
	"LicensedUser_Remove":     "there are no licences; it changes nothing",
	"Proxy_RemoveAction":      "the built-in proxy stays",
	"Job_Remove":              "what it backed up stays",
	"Job_RemoveSelectedItems": "what was backed up stays",
	"Job_RemoveExcludedItems": "backs up more",
}

// TestWhatIsDangerousAsksAgain holds the names of the operations against the policy: each changing operation's act says whether it asks, and
// what destroys, hands out or says who may does.
func TestWhatIsDangerousAsksAgain(t *testing.T) {
	seen := map[string]bool{}
	for _, r := range rest.Routes() {
		again := service.AgainOf(r.Act)
		if r.Method == "GET" || !r.Built {
			continue
		}
		if again == "" {
			t.Errorf("%s changes something: the rule of %q must say whether it asks again", r.ID, r.Act)
		}
		if !dangerous.MatchString(r.ID) || again == service.AgainAlways {
			continue
		}
		seen[r.ID] = true
		if unasked[r.ID] == "" {
			t.Errorf("%s is dangerous by its name, and its act %q asks %q", r.ID, r.Act, again)
		}
	}
	for id := range unasked {
		if !seen[id] {
			t.Errorf("%s is excused and needs no excuse", id)
		}
	}
}

// TestABrowserProvesAgainBeforeDangerousActs calls every operation that asks: with a session whose proof is old, one whose proof is new, and a
// token and a key, which are never asked.
func TestABrowserProvesAgainBeforeDangerousActs(t *testing.T) {
	w := newWorld(t)
	const password, own = "correct horse battery", "/holdfast/v1"
	owner := w.call("POST", "/v8/token", map[string]any{"grant_type": "password", "username": "admin", "password": password}).want(200).text("access_token")
	w.bearer = owner
	key := w.call("POST", own+"/api-keys", map[string]any{"name": "scripts"}).want(201).text("key")
	w.bearer = ""
	w.cookie = cookieOf(w.call("POST", own+"/session", map[string]any{"username": "admin", "password": password}).want(200))
	parameter := regexp.MustCompile(`\{\w+\}`)
	marked := 0
	all := func(old bool) {
		t.Helper()
		for _, r := range rest.Routes() {
			if r.Method == "GET" || service.AgainOf(r.Act) != service.AgainAlways {
				continue
			}
			marked++
			target := parameter.ReplaceAllString(r.Path, nothing)
			// No body of anything: what is not refused before fails at it, or does something that can be repeated.
			status, body := w.withCookie(r.Method, target, "{")
			if asked := status == 403 && strings.Contains(body, `"proofNeeded":["password"]`); asked != old {
				t.Errorf("%s with a proof that is old %v: got %d %s", r.ID, old, status, body)
			}
			for _, bearer := range []string{owner, key} {
				if _, body := w.as(bearer, r.Method, target, "{"); strings.Contains(body, "proofNeeded") {
					t.Errorf("%s asks a program: %s", r.ID, body)
				}
			}
		}
	}
	later := func(d time.Duration) { // in steps that no session is idle for
		for ; d > 0; d -= 5 * time.Minute {
			w.clock.pass(min(d, 5*time.Minute))
			w.call("GET", own+"/session", nil).want(200)
		}
	}
	all(false)
	if marked < 20 {
		t.Fatalf("only %d operations ask", marked)
	}
	later(10*time.Minute - time.Second)
	all(false)
	later(time.Second)
	all(true)
	w.call("GET", own+"/users", nil).want(200)
	w.call("GET", own+"/api-keys", nil).want(200)

	w.call("POST", own+"/session/proof", map[string]any{"password": "another one"}).says(400, "the password is wrong")
	all(true)
	w.bearer = key
	w.call("POST", own+"/session/proof", map[string]any{"password": password}).want(403)
	w.bearer = owner
	w.call("POST", own+"/session/proof", map[string]any{"password": password}).says(409, "no browser's session")
	w.bearer = ""
	w.call("POST", own+"/session/proof", map[string]any{"password": password}).want(204)
	all(false)

	// Retention asks only when it becomes shorter.
	repo := w.call("POST", "/v8/BackupRepositories", map[string]any{"name": "r", "path": "/srv/r", "retentionType": "SnapshotBased", "retentionPeriodType": "Yearly", "yearlyRetentionPeriod": "Years3"}).want(201).text("id")
	period := func(kind string, n any) map[string]any {
		return map[string]any{"retentionType": "SnapshotBased", "retentionPeriodType": kind, strings.ToLower(kind) + "RetentionPeriod": n}
	}
	later(10 * time.Minute)
	at := "/v8/BackupRepositories/" + repo
	w.call("PUT", at, map[string]any{"retentionType": "SnapshotBased", "description": "x"}).want(204)
	w.call("PUT", at, period("Yearly", "Years5")).want(204)
	w.call("PUT", at, period("Yearly", "Keep")).want(204)
	w.call("PUT", at, period("Yearly", "Years25")).says(403, "who is there")
	if got := w.call("GET", at, nil).want(200).text("yearlyRetentionPeriod"); got != "Keep" {
		t.Errorf("a refused change left %s", got)
	}
	w.bearer = owner
	w.call("PUT", at, period("Monthly", 18)).want(204)
	w.bearer = ""
	w.call("PUT", at, period("Daily", 500)).says(403, "who is there")
	w.call("POST", own+"/session/proof", map[string]any{"password": password}).want(204)
	w.call("PUT", at, period("Daily", 500)).want(204)

	// With a second factor the proof takes both; turning it off takes the proof and no other code.
	later(10 * time.Minute)
	w.call("POST", own+"/users/me/totp", nil).want(403)
	w.call("POST", own+"/session/proof", map[string]any{"password": password}).want(204)
	secret := w.call("POST", own+"/users/me/totp", nil).want(200).text("secret")
	code := func() string {
		c, err := totp.GenerateCode(secret, w.clock.Now())
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	w.call("PUT", own+"/users/me/totp", map[string]any{"code": code()}).want(200)
	later(10 * time.Minute)
	if ways := w.call("DELETE", own+"/users/me/totp", nil).want(403).get("proofNeeded").([]any); !slices.Equal(ways, []any{"password", "totp"}) {
		t.Errorf("got %v", ways)
	}
	w.call("POST", own+"/session/proof", map[string]any{"password": password}).says(400, "second factor")
	w.call("POST", own+"/session/proof", map[string]any{"password": password, "code": "000000"}).says(400, "wrong")
	w.call("DELETE", own+"/users/me/totp", nil).want(403)
	w.call("POST", own+"/session/proof", map[string]any{"password": password, "code": code()}).want(204)
	w.call("DELETE", own+"/users/me/totp", nil).want(204)
	w.cookie = cookieOf(w.call("POST", own+"/session", map[string]any{"username": "admin", "password": password}).want(200))
	if n := len(w.call("GET", own+"/Audit?act=session.prove", nil).want(200).get("results").([]any)); n != 4 {
		t.Errorf("%d proofs in the audit", n)
	}
}

// TestADirectoryUserProvesAtMicrosoft: he has no password here.
func TestADirectoryUserProvesAtMicrosoft(t *testing.T) {
	w := newWorld(t)
	_, sides := w.sides(application)
	b, err := w.services.BrowserSessions.OpenDirectory(t.Context(), service.DirectoryIdentity{Organization: sides[0].org.ID, ObjectID: ada, Name: "ada@contoso.example"}, "", "")
	w.must(err)
	w.cookie = "__Host-holdfast=" + b.Secret
	w.call("POST", "/v8/token/AuthCode", nil).want(200)
	for range 2 {
		w.clock.pass(5 * time.Minute)
		w.call("GET", "/holdfast/v1/session", nil).want(200)
	}
	refused := w.call("POST", "/v8/token/AuthCode", nil)
	refused.says(403, "sign in with Microsoft")
	if got := refused.get("proofNeeded").([]any); !slices.Equal(got, []any{"microsoft"}) {
		t.Errorf("got %v", got)
	}
	w.call("POST", "/holdfast/v1/session/proof", map[string]any{"password": "x"}).says(409, "has no password here")
}
