package rest_test

import (
	"bytes"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"holdfast/internal/holdfast"
	"holdfast/internal/rest"
	"holdfast/internal/service"
)

// caller is somebody in the matrix.
type caller struct {
	name   string
	user   service.User // as the policy sees him
	bearer string
	spare  string // another login, for the operation that ends one
	// bound callers see some objects only: own is what they see and foreign what they must not, by path parameter.
	bound        bool
	own, foreign map[string]string
	vet          string // a restore session that sees teams, for their routes
	// secrets are texts of what a bound caller must never be answered.
	secrets []string
}

const nothing = "00000000-0000-4000-8000-0000000000ff"

// TestAuthorizationMatrix calls every route as every role, with own and with foreign objects, and demands what the policy declares: 401
// without a login, 403 for what a role may not do, 404 for each object outside a caller's scope, and in no answer a trace of such an object.
func TestAuthorizationMatrix(t *testing.T) {
	w := newWorld(t)
	callers := w.callers()
	parameter := regexp.MustCompile(`\{(\w+)\}`)
	calls := 0
	for _, r := range rest.Routes() {
		names := []string{}
		for _, m := range parameter.FindAllStringSubmatch(r.Path, -1) {
			names = append(names, m[1])
		}
		fill := func(from map[string]string) string {
			return parameter.ReplaceAllStringFunc(r.Path, func(p string) string {
				if v, ok := from[p[1:len(p)-1]]; ok {
					return url.PathEscape(v)
				}
				return nothing
			})
		}
		for _, c := range callers {
			if c.vet != "" && strings.Contains(r.Path, "/organization/teams") {
				own := maps.Clone(c.own)
				own["restoreSessionId"] = c.vet
				c.own = own
			}
			do := func(path, body string) (int, string) {
				calls++
				if r.ID == "logout" {
					return w.as(c.spare, r.Method, path, body)
				}
				return w.as(c.bearer, r.Method, path, body)
			}
			allowed := service.Allowed(c.user, r.Act)
			probe := "{" // no body of anything: what gets as far as reading it is answered 400
			if r.Method == "GET" {
				probe = ""
			}
			switch status, body := do(fill(nil), probe); {
			case allowed != nil && status != map[holdfast.Kind]int{holdfast.KindUnauthenticated: 401, holdfast.KindDenied: 403}[holdfast.KindOf(allowed)]:
				t.Errorf("%s as %s: got %d, the policy says %v: %s", r.ID, c.name, status, allowed, body)
			case allowed != nil:
				continue
			case !r.Built && status != 409:
				t.Errorf("%s as %s: got %d %s", r.ID, c.name, status, body)
			case status == 403 && r.ID != "Account_SetPassword" || status >= 500 || status == 401 && c.bearer != "":
				t.Errorf("%s as %s is allowed, got %d %s", r.ID, c.name, status, body)
			}
			if !c.bound || !r.Built {
				continue
			}
			// Each parameter in turn names what is foreign, the others what is the caller's own.
			for _, name := range names {
				foreign, ok := c.foreign[name]
				if !ok {
					continue
				}
				mixed := map[string]string{}
				for k, v := range c.own {
					mixed[k] = v
				}
				mixed[name] = foreign
				for _, body := range []string{`{"type":"Vex","query":"Note","to":"x"}`} {
					if r.Method == "GET" {
						body = ""
					}
					if status, answer := do(fill(mixed), body); status != 404 {
						t.Errorf("%s as %s with a foreign %s: got %d %s", r.ID, c.name, name, status, answer)
					}
				}
			}
			if r.Method != "GET" && r.Act != service.ActExplore && r.Act != service.ActReadContent {
				continue // it would change what other rows of the matrix need
			}
			targets := []string{fill(c.own)}
			if r.Method == "GET" {
				for _, q := range []string{"?limit=1000", "?organizationId=" + c.foreign["organizationId"], "?userId=" + c.foreign["protectedUserId"], "?restorePointId=" + c.foreign["restorePointId"],
					"?jobId=" + c.foreign["jobId"], "?rbacItem=" + c.foreign["protectedUserId"]} {
					targets = append(targets, fill(c.own)+q)
				}
			}
			for _, target := range targets {
				body := ""
				if r.Method != "GET" {
					body = `{"type":"Vex","query":"Note","scope":{"type":"User","id":"` + c.foreign["protectedUserId"] + `"}}`
				}
				status, answer := do(target, body)
				if status == 401 || status == 403 {
					t.Errorf("%s as %s with own objects: got %d %s", r.ID, c.name, status, answer)
				}
				if _, query, asked := strings.Cut(target, "?"); asked { // the links repeat what was asked
					answer = strings.ReplaceAll(answer, query, "")
				}
				for _, secret := range c.secrets {
					if status < 300 && strings.Contains(strings.ToLower(answer), strings.ToLower(secret)) {
						t.Errorf("%s %s as %s: the answer has %q, which is not his to know: %s", r.Method, target, c.name, secret, answer)
					}
				}
			}
		}
	}
	t.Logf("%d calls", calls)
	if calls < len(rest.Routes())*len(callers) {
		t.Errorf("only %d calls of %d routes as %d callers", calls, len(rest.Routes()), len(callers))
	}
}

// as makes a call with a bearer of its own and does not hold the answer against our description.
func (w *world) as(bearer, method, target, body string) (int, string) {
	return w.raw(http.Header{"Authorization": {"Bearer " + bearer}}, method, target, body)
}

// withCookie is as for a browser.
func (w *world) withCookie(method, target, body string) (int, string) {
	return w.raw(http.Header{"Cookie": {w.cookie}}, method, target, body)
}

func (w *world) raw(header http.Header, method, target, body string) (int, string) {
	var in io.Reader
	if body != "" {
		in = bytes.NewReader([]byte(body))
	}
	r := httptest.NewRequestWithContext(w.t.Context(), method, target, in)
	r.Header = header
	out := httptest.NewRecorder()
	w.api.ServeHTTP(out, r)
	return out.Code, out.Body.String()
}

// side is an organization with what a backup made of it.
type side struct {
	org     holdfast.Organization
	job     holdfast.Job
	session holdfast.JobSession
	point   holdfast.RestorePoint
	users   map[string]string // public ids of protected users by object id
}

// asTest acts before anybody has signed in.
var asTest = service.User{ID: holdfast.UserID(nothing), Name: "the test", Role: service.RoleOwner}

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

// sides backs organizations up to one repository, each by its application.
func (w *world) sides(applications ...string) (holdfast.Repository, []side) {
	w.t.Helper()
	ctx := w.t.Context()
	repo, err := w.services.Repositories.Create(ctx, asTest, service.RepositorySpec{Name: new("r"), Path: new("/srv/r"), RetentionType: "SnapshotBased", Retention: &holdfast.RetentionPeriod{Days: 30}})
	w.must(err)
	var sides []side
	for _, app := range applications {
		var s side
		c := &service.Connection{Tenant: "x.example", Application: app, Secret: "right"}
		s.org, err = w.services.Organizations.Create(ctx, asTest, service.OrganizationSpec{ExchangeConnection: c, SharePointConnection: c, Teams: new(true)})
		w.must(err)
		s.job, err = w.services.Jobs.Create(ctx, asTest, service.JobSpec{Organization: s.org.ID, Repository: repo.ID, Name: new("job of " + s.org.Name), Scope: holdfast.EntireOrganization})
		w.must(err)
		s.session, err = w.services.Jobs.Start(ctx, asTest, s.job.ID, false)
		w.must(err)
		w.backUp(mailbox, second, drive, site, team)
		points, err := w.services.RestorePoints.List(ctx, asTest, holdfast.PointFilter{Job: s.job.ID}, holdfast.Page{})
		w.must(err)
		s.point = points[0]
		protected, err := w.services.Protected.Users(ctx, asTest, service.ProtectedFilter{Organization: s.org.ID}, holdfast.Page{})
		w.must(err)
		s.users = map[string]string{}
		for _, p := range protected {
			s.users[p.ObjectID] = p.ID
		}
		sides = append(sides, s)
	}
	return repo, sides
}

// callers makes two organizations and everybody who may come.
func (w *world) callers() []caller {
	w.t.Helper()
	ctx, must, admin := w.t.Context(), w.must, asTest
	repo, sides := w.sides(application, otherApplication)
	a, b := sides[0], sides[1]
	open := func(u service.User, org holdfast.OrganizationID, kind holdfast.ExplorerType) string {
		w.t.Helper()
		s, err := w.services.RestoreSessions.Open(ctx, u, service.ExploreSpec{Type: kind, Organization: org})
		must(err)
		return string(s.ID)
	}
	public := func(org holdfast.OrganizationID, c holdfast.Container) string {
		c.Organization = org
		return c.PublicID()
	}
	everything := open(admin, b.org.ID, holdfast.ExploreExchange)

	out := []caller{{name: "nobody"}}
	const password = "a long enough one"
	for _, role := range []service.Role{service.RoleOwner, service.RoleBackup, service.RoleStorage, service.RoleAuditor, service.RoleOperator} {
		account, err := w.services.Users.Create(ctx, admin, service.UserSpec{Name: new(strings.ToLower(string(role))), Role: &role, Password: new(password)})
		must(err)
		if role == service.RoleOperator {
			_, err := w.services.RbacRoles.Create(ctx, admin, a.org.ID, service.RbacSpec{Name: new("helpers"), Operators: []holdfast.RbacItem{{Type: "User", ObjectID: string(account.ID)}},
				Whole: new(true), Excluded: []holdfast.RbacItem{{Type: "User", ObjectID: bob}}})
			must(err)
		}
		tokens, err := w.services.Admin.Login(ctx, service.SignIn{Name: account.Name, Password: password})
		must(err)
		spare, err := w.services.Admin.Login(ctx, service.SignIn{Name: account.Name, Password: password})
		must(err)
		out = append(out, caller{name: string(role), user: tokens.User, bearer: tokens.Access, spare: spare.Access, bound: role == service.RoleOperator})
	}
	tokens, err := w.services.Admin.LoginDirectory(ctx, service.DirectoryIdentity{Organization: a.org.ID, ObjectID: ada, Name: "ada@contoso.example"}, "")
	must(err)
	spare, err := w.services.Admin.LoginDirectory(ctx, service.DirectoryIdentity{Organization: a.org.ID, ObjectID: ada, Name: "ada@contoso.example"}, "")
	must(err)
	out = append(out, caller{name: "EndUser", user: tokens.User, bearer: tokens.Access, spare: spare.Access, bound: true})
	for _, role := range []service.Role{service.RoleOwner, service.RoleBackup} {
		_, secret, err := w.services.APIKeys.Create(ctx, out[1].user, service.KeySpec{Name: "limited", Role: role, Organizations: []holdfast.OrganizationID{a.org.ID}})
		must(err)
		user, err := w.services.Admin.Authenticate(ctx, "", secret)
		must(err)
		out = append(out, caller{name: "key of " + string(role), user: user, bearer: secret, spare: secret, bound: true})
	}
	for i, c := range out {
		if !c.bound {
			continue
		}
		own := map[string]string{
			"organizationId": string(a.org.ID), "jobId": string(a.job.ID), "jobSessionsId": string(a.session.ID), "sessionId": string(a.session.ID), "restorePointId": string(a.point.ID),
			"protectedUserId": a.users[ada], "mailboxId": public(a.org.ID, mailbox), "containerId": public(a.org.ID, mailbox), "folderId": "AAinbox", "repositoryId": string(repo.ID), "userId": ada,
			"oneDriveId": public(a.org.ID, drive), "siteId": public(a.org.ID, site), "teamId": public(a.org.ID, team), "groupId": engine,
			"channelId": general, "postId": "1769934600000", "tabId": wiki,
		}
		if service.Allowed(c.user, service.ActExplore) == nil {
			own["restoreSessionId"] = open(c.user, a.org.ID, holdfast.ExploreExchange)
			out[i].vet = open(c.user, a.org.ID, holdfast.ExploreTeams)
		}
		foreign := map[string]string{
			"organizationId": string(b.org.ID), "jobId": string(b.job.ID), "jobSessionsId": string(b.session.ID), "restorePointId": string(b.point.ID),
			"protectedUserId": b.users[ada], "restoreSessionId": everything, "mailboxId": public(b.org.ID, mailbox), "containerId": public(b.org.ID, mailbox), "oneDriveId": public(b.org.ID, drive),
			"siteId": public(b.org.ID, site), "teamId": public(b.org.ID, team), "groupId": holdfast.DerivedID(string(b.org.ID), "group/"+engine),
		}
		secrets := []string{string(b.org.ID), string(b.job.ID), string(b.point.ID), "fabrikam", everything, otherTenant}
		if c.user.Role == service.RoleOperator || c.user.Role == service.RoleEndUser {
			foreign["mailboxId"], foreign["containerId"], foreign["protectedUserId"] = public(a.org.ID, second), public(a.org.ID, second), a.users[bob]
			secrets = append(secrets, bob, "Bob Shared", public(a.org.ID, second), a.users[bob])
		}
		out[i].own, out[i].foreign, out[i].secrets = own, foreign, secrets
	}
	return out
}

// TestEveryRouteNamesAnActThatHasARule is what makes the matrix whole.
func TestEveryRouteNamesAnActThatHasARule(t *testing.T) {
	ruled := service.ActsOf(service.User{ID: "u", Name: "u", Role: service.RoleOwner})
	for _, r := range rest.Routes() {
		if !slices.Contains(ruled, r.Act) {
			t.Errorf("%s: there is no rule for %q", r.ID, r.Act)
		}
		if r.Built == (r.Act == service.ActUnbuilt) {
			t.Errorf("%s: built %v, but its act is %q", r.ID, r.Built, r.Act)
		}
	}
}
