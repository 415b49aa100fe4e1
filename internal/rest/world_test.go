package rest_test

import (
	"archive/zip"
	"bytes"
	"cmp"
	"context"
	"encoding/base32"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"iter"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/google/uuid"

	"holdfast/internal/holdfast"
	"holdfast/internal/rest"
	"holdfast/internal/service"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// TestMain puts the machine's zone, in which schedules without a zone run, out of the golden files.
func TestMain(m *testing.M) {
	time.Local = time.UTC
	os.Exit(m.Run())
}

// world is the API over the real services, with a directory, vaults and an explorer that are lists in memory. Time stands
// still and ids are drawn from a fixed seed, so that answers can be compared whole.
type world struct {
	t        testing.TB
	clock    *stillClock
	services *service.Service
	api      http.Handler
	spec     *openapi3.T
	bearer   string
	cookie   string // as a browser sends it
	log      bytes.Buffer
	answered map[string]bool // operations that answered their success
	explorer *shelf
	entra    *entra
	mailed   *postOffice
	mailing  bool    // what is saved is sent too; then ids are others than in golden files
	denied   *string // a permission that the directory says is missing
}

func newWorld(t testing.TB) *world { return newWorldOf(t, today{}, 0) }

// newWorldOf is newWorld with another Microsoft 365 beside what is stored, and another patience with it.
func newWorldOf(t testing.TB, live service.Live, patience time.Duration) *world {
	t.Helper()
	w := &world{t: t, clock: &stillClock{now: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)}, answered: map[string]bool{}, explorer: newShelf(), entra: &entra{spent: map[string]bool{}}, mailed: &postOffice{}, denied: new("")}
	seed := rand.NewChaCha8([32]byte([]byte("a seed of thirty-two bytes......")))
	w.services = service.New(service.Deps{
		Store: openStore(t, w.clock), Clock: w.clock, Rand: seed, Keys: service.NewKeys(plainKey{}, seed),
		Directory: directory{w.denied}, Identities: w.entra, Registrar: &registrar{clock: w.clock, asked: map[string]int{}}, Vaults: vaults{}, Explorer: w.explorer, Searcher: finder{}, Live: live, Mailer: w.mailed, Log: slog.New(slog.NewTextHandler(&w.log, nil)),
		Version: "1.2.3", Proxy: "backup.example", ProxyPort: 9193,
	})
	if _, err := w.services.Start(t.Context(), "correct horse battery"); err != nil {
		t.Fatal(err)
	}
	w.api = rest.New(rest.Config{Services: w.services, Clock: w.clock, Logger: slog.New(slog.NewTextHandler(&w.log, nil)), Patience: patience}).Handler()
	w.spec = openAPI(t)
	return w
}

var openAPI = func() func(testing.TB) *openapi3.T {
	load := sync.OnceValues(func() (*openapi3.T, error) {
		openapi3.DefineStringFormatValidator("uuid", openapi3.NewCallbackValidator(func(s string) error {
			if u, err := uuid.Parse(s); err != nil || u.String() != s {
				return fmt.Errorf("%q is no lower-case UUID", s)
			}
			return nil
		}))
		openapi3.DefineStringFormatValidator("date-time", openapi3.NewCallbackValidator(func(s string) error {
			if _, err := time.Parse(time.RFC3339Nano, s); err != nil || !strings.HasSuffix(s, "Z") {
				return fmt.Errorf("%q is no RFC 3339 time in UTC", s)
			}
			return nil
		}))
		return openapi3.NewLoader().LoadFromFile("../../api/openapi.yaml")
	})
	return func(t testing.TB) *openapi3.T {
		doc, err := load()
		if err != nil {
			t.Fatal(err)
		}
		return doc
	}
}()

// reply is an answer that has been held against api/openapi.yaml.
type reply struct {
	w         *world
	operation string
	status    int
	header    http.Header
	body      []byte
}

// call sends a request and judges the answer by our description. body is nil, a text or something to encode.
func (w *world) call(method, target string, body any) *reply {
	w.t.Helper()
	var in io.Reader = http.NoBody
	switch body := body.(type) {
	case nil:
	case string:
		in = strings.NewReader(body)
	default:
		raw, err := json.Marshal(body)
		if err != nil {
			w.t.Fatal(err)
		}
		in = bytes.NewReader(raw)
	}
	r := httptest.NewRequestWithContext(w.t.Context(), method, target, in)
	r.Header.Set("Content-Type", "application/json")
	if w.bearer != "" {
		r.Header.Set("Authorization", "Bearer "+w.bearer)
	}
	if w.cookie != "" {
		r.Header.Set("Cookie", w.cookie)
	}
	out := httptest.NewRecorder()
	w.api.ServeHTTP(out, r)
	got := &reply{w: w, status: out.Code, header: out.Header(), body: out.Body.Bytes()}
	w.judge(r, got)
	return got
}

// judge finds the operation in our description and validates the answer's body, its dates and ids, and that what is absent
// is left out, not null.
func (w *world) judge(r *http.Request, got *reply) {
	w.t.Helper()
	escaped, body := r.URL.EscapedPath(), got.body
	if older.MatchString(escaped) {
		if r.Method != http.MethodGet || got.status != http.StatusOK {
			return // other successes
		}
		escaped = older.ReplaceAllString(escaped, "/v8")
	}
	path, item := w.find(r.Method, escaped)
	if item == nil {
		return
	}
	operation := item.GetOperation(r.Method)
	got.operation = operation.OperationID
	if ok := operation.Responses.Status(http.StatusOK); ok != nil && bytes.HasPrefix(body, []byte("[")) && !ok.Value.Content.Get("application/json").Schema.Value.Type.Is("array") {
		body = fmt.Appendf(nil, `{"offset":0,"limit":1,"results":%s}`, body) // of an older version
	}
	input := &openapi3filter.ResponseValidationInput{
		RequestValidationInput: &openapi3filter.RequestValidationInput{Request: r, Route: &routers.Route{Spec: w.spec, Path: path, PathItem: item, Method: r.Method, Operation: operation}},
		Status:                 got.status, Header: got.header, Body: io.NopCloser(bytes.NewReader(body)),
		Options: &openapi3filter.Options{IncludeResponseStatus: true, MultiError: true},
	}
	if got.status == http.StatusNoContent {
		if len(got.body) != 0 {
			w.t.Errorf("%s: 204 with a body: %s", got.operation, got.body)
		}
	} else if err := openapi3filter.ValidateResponse(w.t.Context(), input); err != nil {
		w.t.Errorf("%s %s: the answer is not what api/openapi.yaml says: %v\n%s", r.Method, r.URL, err, got.body)
	} else if many := strangers(operation, got.status, body); len(many) > 0 && !older.MatchString(r.URL.EscapedPath()) { // older versions have other fields
		w.t.Errorf("%s %s: the answer has what api/openapi.yaml does not name: %v\n%s", r.Method, r.URL, many, got.body)
	}
	if got.status < 400 {
		if operation.Responses.Status(got.status) == nil {
			w.t.Errorf("%s: %d is not the contract's success", got.operation, got.status)
		}
		w.answered[got.operation] = true
		if bytes.Contains(got.body, []byte(`:null`)) && strings.Contains(got.header.Get("Content-Type"), "json") {
			w.t.Errorf("%s: an absent value is sent as null: %s", got.operation, got.body)
		}
	}
}

// older matches the address of an older version, which has no description of its own.
var older = regexp.MustCompile("^/v[4-7]")

// find is the path of the description that a request's path matches; literals win over parameters.
func (w *world) find(method, escaped string) (string, *openapi3.PathItem) {
	best := match(escaped, func(yield func(string) bool) {
		for path, item := range w.spec.Paths.Map() {
			if item.GetOperation(method) != nil && !yield(path) {
				return
			}
		}
	})
	return best, w.spec.Paths.Value(best)
}

// match is the one of paths that an address is of; literals win over parameters.
func match(escaped string, paths iter.Seq[string]) string {
	parts := strings.Split(strings.Trim(escaped, "/"), "/")
	best, literals := "", -1
	for path := range paths {
		want := strings.Split(strings.Trim(path, "/"), "/")
		if len(want) != len(parts) {
			continue
		}
		n := 0
		for i := range want {
			if strings.EqualFold(want[i], parts[i]) {
				n++
			} else if !strings.HasPrefix(want[i], "{") {
				n = -1
				break
			}
		}
		if n > literals {
			best, literals = path, n
		}
	}
	return best
}

// want fails the test unless the answer has this status.
func (r *reply) want(status int) *reply {
	r.w.t.Helper()
	if r.status != status {
		r.w.t.Fatalf("%s: got %d, want %d: %s\n%s", r.operation, r.status, status, r.body, r.w.log.String())
	}
	return r
}

// says fails the test unless the answer is an error of this status whose message has text in it.
func (r *reply) says(status int, text string) {
	r.w.t.Helper()
	var info struct{ Message string }
	if r.want(status); json.Unmarshal(r.body, &info) != nil || !strings.Contains(info.Message, text) {
		r.w.t.Errorf("%s: got %s, want a message with %q", r.operation, r.body, text)
	}
}

// golden compares the answer with the operation's golden file.
func (r *reply) golden(names ...string) *reply {
	r.w.t.Helper()
	if r.w.mailing && !strings.HasSuffix(r.operation, "EmailSettings_Get") {
		return r
	}
	var pretty bytes.Buffer
	fmt.Fprintf(&pretty, "%d\n", r.status)
	if strings.Contains(r.header.Get("Content-Type"), "json") {
		if err := json.Indent(&pretty, r.body, "", "  "); err != nil {
			r.w.t.Fatal(err)
		}
	} else {
		fmt.Fprintf(&pretty, "%s\n%s\n%s", r.header.Get("Content-Type"), r.header.Get("Content-Disposition"), r.body)
	}
	file := filepath.Join("testdata", "golden", strings.Join(append([]string{r.operation}, names...), "_")+".golden")
	if *update {
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			r.w.t.Fatal(err)
		}
		if err := os.WriteFile(file, pretty.Bytes(), 0o644); err != nil {
			r.w.t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		r.w.t.Fatal(err)
	}
	if !bytes.Equal(want, pretty.Bytes()) {
		r.w.t.Errorf("%s differs from %s (rewrite with -update)\n got %s\nwant %s", r.operation, file, pretty.Bytes(), want)
	}
	return r
}

// get is a member of the answer, by path.
func (r *reply) get(path ...any) any {
	r.w.t.Helper()
	var v any
	if err := json.Unmarshal(r.body, &v); err != nil {
		r.w.t.Fatal(err)
	}
	for _, p := range path {
		switch p := p.(type) {
		case string:
			m, _ := v.(map[string]any)
			v = m[p]
		case int:
			a, _ := v.([]any)
			if p >= len(a) {
				r.w.t.Fatalf("%s: no element %d of %v in %s", r.operation, p, path, r.body)
			}
			v = a[p]
		}
	}
	return v
}

func (r *reply) text(path ...any) string {
	r.w.t.Helper()
	s, ok := r.get(path...).(string)
	if !ok {
		r.w.t.Fatalf("%s: no text at %v: %s", r.operation, path, r.body)
	}
	return s
}

// backUp does what a proxy does in a run of a job: it claims the tasks, finds the two containers, and reports both.
func (w *world) backUp(found ...holdfast.Container) {
	w.t.Helper()
	ctx, control := w.t.Context(), w.services.Control
	step := func(tasks []holdfast.Task, err error) []holdfast.Task {
		if err != nil {
			w.t.Fatal(err)
		}
		return tasks
	}
	for done := false; !done; {
		for _, task := range step(control.Claim(ctx, service.BuiltInProxy, 10)) {
			result := holdfast.TaskResult{Statistics: holdfast.Statistics{Objects: 1, Items: 40, ReadBytes: 1 << 20, WrittenBytes: 1 << 19}}
			switch task.Kind {
			case holdfast.TaskDiscover:
				result = holdfast.TaskResult{Found: found}
			case holdfast.TaskBackup:
				head, _, err := control.CurrentHeads(ctx, task.Lease(), task.Repository, task.Container)
				if err != nil {
					w.t.Fatal(err)
				}
				next := holdfast.HeadRecord{Organization: task.Organization, Repository: task.Repository, Container: task.Container, Number: 1, Epoch: task.Epoch, Time: w.clock.Now(), Journal: "j", Items: 40, Bytes: 1 << 20}
				if head != nil {
					next.Number = head.Number + 1
				}
				if err := control.CommitHeads(ctx, []holdfast.HeadCommit{{Lease: task.Lease(), Head: next}}); err != nil {
					w.t.Fatal(err)
				}
				result.Entry = holdfast.PointEntry{Container: task.Container, Head: next.Number, HeadTime: next.Time, State: holdfast.StateUpdated}
			case holdfast.TaskFinish:
				point, err := control.SessionOutcome(ctx, task.Lease())
				if err != nil {
					w.t.Fatal(err)
				}
				if point.Entries, err = control.SessionEntries(ctx, task.Lease()); err != nil {
					w.t.Fatal(err)
				}
				if err := control.CommitRestorePoint(ctx, task.Lease(), point); err != nil {
					w.t.Fatal(err)
				}
				result = holdfast.TaskResult{RestorePoint: &point}
				done = true
			}
			if err := control.Complete(ctx, task.Lease(), result); err != nil {
				w.t.Fatal(err)
			}
		}
	}
}

// restoreOne does what a proxy does with the next restore: it reports every item as restored.
func (w *world) restoreOne() holdfast.RestoreRequest {
	w.t.Helper()
	request, ok := w.restoreOneIfAny()
	if !ok {
		w.t.Fatal("there is no restore to do")
	}
	return request
}

func (w *world) restoreOneIfAny() (_ holdfast.RestoreRequest, any bool) {
	w.t.Helper()
	ctx, control := w.t.Context(), w.services.Control
	tasks, err := control.Claim(ctx, service.BuiltInProxy, 1)
	if err == nil && len(tasks) == 0 {
		return holdfast.RestoreRequest{}, false
	}
	if err != nil || tasks[0].Kind != holdfast.TaskRestore {
		w.t.Fatalf("got %+v, %v; want a restore", tasks, err)
	}
	lease := tasks[0].Lease()
	var request holdfast.RestoreRequest
	if err := json.Unmarshal(tasks[0].Request, &request); err != nil {
		w.t.Fatal(err)
	}
	for _, id := range request.Items {
		if _, _, err := control.BeginItem(ctx, lease, request.ID, id, "v1"); err != nil {
			w.t.Fatal(err)
		}
		if err := control.EndItem(ctx, lease, request.ID, holdfast.ItemResult{Item: id, Name: "item " + id, Path: "/Inbox", Outcome: "created", NewID: id + "'"}); err != nil {
			w.t.Fatal(err)
		}
	}
	if err := control.Complete(ctx, lease, holdfast.TaskResult{}); err != nil {
		w.t.Fatal(err)
	}
	return request, true
}

type stillClock struct {
	mu  sync.Mutex // guards now
	now time.Time
}

func (c *stillClock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *stillClock) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

func (c *stillClock) Sleep(ctx context.Context, _ time.Duration) error {
	<-ctx.Done()
	return ctx.Err()
}

func (c *stillClock) After(time.Duration) <-chan time.Time { return make(chan time.Time, 1) }

type plainKey struct{}

func (plainKey) ID() string { return "test" }
func (plainKey) Wrap(purpose string, secret []byte) ([]byte, error) {
	return append([]byte(purpose+"\x00"), secret...), nil
}
func (plainKey) Unwrap(purpose string, wrapped []byte) ([]byte, error) {
	secret, ok := bytes.CutPrefix(wrapped, []byte(purpose+"\x00"))
	if !ok {
		return nil, errors.New("wrapped for something else")
	}
	return secret, nil
}

const (
	tenant      = "11111111-2222-4333-8444-555555555555"
	application = "aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee"
	// Another organization.
	otherTenant      = "99999999-2222-4333-8444-555555555555"
	otherApplication = "ffffffff-bbbb-4ccc-8ddd-eeeeeeeeeeee"

	ada = "0ada0ada-0000-4000-8000-000000000001"
	bob = "0b0b0b0b-0000-4000-8000-000000000002"
)

// directory is a tenant with two users. Its applications know one secret.
type directory struct{ denied *string }

var people = []service.DirectoryUser{
	{ID: ada, Name: "ada@contoso.example", DisplayName: "Ada Lovelace", Office: "London", Licenses: []service.License{{SKU: "6fd2c87f-b296-42f0-b197-1e91e994b900", PartNumber: "ENTERPRISEPACK"}}},
	{ID: bob, Name: "bob@contoso.example", DisplayName: "Bob Shared", Shared: true},
}

func (d directory) Check(_ context.Context, _ holdfast.Organization, cred holdfast.Credential) (service.Tenant, error) {
	if cred.ApplicationSecret != "right" && cred.Certificate == "" {
		return service.Tenant{}, holdfast.Invalid("Microsoft Entra refuses application %s: the secret is wrong", cred.ApplicationID)
	}
	t := service.Tenant{TenantID: tenant, DefaultDomain: "contoso.example", DisplayName: "Contoso"}
	if cred.ApplicationID == otherApplication {
		t = service.Tenant{TenantID: otherTenant, DefaultDomain: "fabrikam.example", DisplayName: "Fabrikam"}
	}
	if cred.Certificate != "" {
		t.Thumbprint = "0123456789ABCDEF0123456789ABCDEF01234567"
	}
	for name, use := range map[string]service.PermissionUse{"User.Read.All": service.UseDirectory, "Mail.Read": service.UseMailBackup, "Mail.ReadWrite": service.UseMailRestore,
		"Files.Read.All": service.UseOneDriveBackup, "Files.ReadWrite.All": service.UseOneDriveRestore} {
		t.Permissions = append(t.Permissions, service.Permission{Name: name, API: "Microsoft Graph", Use: use, Why: string(use), Granted: name != *d.denied})
	}
	slices.SortFunc(t.Permissions, func(a, b service.Permission) int { return cmp.Compare(a.Name, b.Name) })
	return t, nil
}

func (directory) Users(_ context.Context, _ holdfast.Organization, _ holdfast.Credential, q service.DirectoryQuery) ([]service.DirectoryUser, error) {
	var out []service.DirectoryUser
	for _, u := range people {
		if strings.HasPrefix(u.Name, q.Name) && strings.HasPrefix(u.DisplayName, q.DisplayName) {
			out = append(out, u)
		}
	}
	out = out[min(q.Offset, len(out)):]
	return out[:min(q.Limit, len(out))], nil
}

func (directory) User(_ context.Context, _ holdfast.Organization, _ holdfast.Credential, id string) (service.DirectoryUser, error) {
	for _, u := range people {
		if u.ID == id || u.Name == id {
			return u, nil
		}
	}
	return service.DirectoryUser{}, holdfast.NotFound("there is no user %s", id)
}

func (directory) Groups(_ context.Context, _ holdfast.Organization, _ holdfast.Credential, q service.DirectoryQuery) ([]service.DirectoryGroup, error) {
	out := []service.DirectoryGroup{{ID: "00000000-0000-4000-8000-00000000000a", Name: "engine@contoso.example", DisplayName: "Analytical Engine", Type: "Office365"}}
	out = out[min(q.Offset, len(out)):]
	return out[:min(q.Limit, len(out))], nil
}

// Changes tells everything from the beginning, and nothing after it.
func (d directory) Changes(ctx context.Context, org holdfast.Organization, cred holdfast.Credential, from holdfast.DirectoryPosition, tell func(service.DirectoryChanges) error) (holdfast.DirectoryPosition, error) {
	if from.Users != "" {
		return from, nil
	}
	c := service.DirectoryChanges{Objects: []holdfast.DirectoryObject{{Organization: org.ID, Kind: holdfast.DirectoryGroup, ID: engine, Name: "engine@contoso.example", DisplayName: "Analytical Engine", Type: holdfast.GroupOffice365},
		{Organization: org.ID, Kind: holdfast.DirectoryGroup, ID: "00000000-0000-4000-8000-00000000000b", DisplayName: "Boards", Type: holdfast.GroupSecurity}},
		Members: []holdfast.DirectoryMember{{Group: engine, Kind: holdfast.DirectoryUser, Member: ada}, {Group: engine, Kind: holdfast.DirectoryGroup, Member: "00000000-0000-4000-8000-00000000000b"}}}
	for _, u := range people {
		c.Objects = append(c.Objects, holdfast.DirectoryObject{Organization: org.ID, Kind: holdfast.DirectoryUser, ID: u.ID, Name: u.Name, DisplayName: u.DisplayName, Mail: u.Name, Office: u.Office})
	}
	sites := service.DirectoryChanges{Listed: holdfast.DirectorySite, Objects: []holdfast.DirectoryObject{{Organization: org.ID, Kind: holdfast.DirectorySite, ID: falcon, Name: "https://contoso.sharepoint.example/sites/falcon", DisplayName: "Falcon"}}}
	return holdfast.DirectoryPosition{Users: "u", Groups: "g"}, errors.Join(tell(c), tell(sites))
}

func (directory) Members(_ context.Context, _ holdfast.Organization, _ holdfast.Credential, group string) ([]string, error) {
	if group != "00000000-0000-4000-8000-00000000000a" {
		return nil, holdfast.NotFound("there is no group %s", group)
	}
	return []string{ada}, nil
}

func (directory) Drives(_ context.Context, _ holdfast.Organization, _ holdfast.Credential, user string) ([]service.DirectoryDrive, error) {
	if user != ada {
		return nil, nil
	}
	return []service.DirectoryDrive{{ID: "b!drive-of-ada", Name: "OneDrive", URL: "https://contoso-my.example/personal/ada"}}, nil
}

const falcon = "contoso.sharepoint.example,00000000-0000-4000-8000-0000000000f0,00000000-0000-4000-8000-0000000000f1"

func (directory) Sites(_ context.Context, _ holdfast.Organization, _ holdfast.Credential, q service.SiteQuery) ([]service.DirectorySite, error) {
	if q.Parent != "" || q.Offset > 0 || !(service.DirectorySite{Name: "Falcon", URL: "https://contoso.sharepoint.example/sites/falcon"}).Has(q.Text) {
		return nil, nil
	}
	return []service.DirectorySite{{ID: falcon, Name: "Falcon", URL: "https://contoso.sharepoint.example/sites/falcon"}}, nil
}

func (directory) GroupSite(_ context.Context, _ holdfast.Organization, _ holdfast.Credential, group string) (service.DirectorySite, error) {
	if group != "g-team" {
		return service.DirectorySite{}, holdfast.NotFound("group %s has no site", group)
	}
	return service.DirectorySite{ID: "contoso.sharepoint.example,team,w", Name: "Team", URL: "https://contoso.sharepoint.example/sites/team"}, nil
}

func (directory) Site(_ context.Context, _ holdfast.Organization, _ holdfast.Credential, id string) (service.DirectorySite, error) {
	if id != falcon && id != "https://contoso.sharepoint.example/sites/falcon" {
		return service.DirectorySite{}, holdfast.NotFound("there is no site %s", id)
	}
	return service.DirectorySite{ID: falcon, Name: "Falcon", URL: "https://contoso.sharepoint.example/sites/falcon"}, nil
}

type vaults struct{}

func (vaults) Prepare(context.Context, holdfast.Repository, bool) error { return nil }
func (vaults) Resolve(path string) string                               { return path }
func (vaults) Space(context.Context, holdfast.Repository) (capacity, free int64, err error) {
	return 1 << 40, 1 << 39, nil
}
func (vaults) Usage(context.Context, holdfast.Repository, holdfast.OrganizationID) (int64, error) {
	return 12345, nil
}
func (vaults) Rebuild(context.Context, holdfast.Repository) (holdfast.Catalogue, error) {
	return holdfast.Catalogue{}, nil
}
func (vaults) Kit(_ context.Context, _ holdfast.Repository, passphrase holdfast.Secret, _ []string) ([]byte, error) {
	return []byte("age-encryption.org/v1, for " + string(passphrase)), nil
}
func (vaults) Forget(context.Context, holdfast.Repository) error { return nil }

// today is a Microsoft 365 in which nothing but one mail changed.
type today struct{}

func (today) Plan(_ context.Context, _ holdfast.Organization, _ holdfast.Credential, request holdfast.RestoreRequest, limit int) (holdfast.RestorePlan, error) {
	plan := holdfast.RestorePlan{Created: int64(len(request.Items)), Cost: holdfast.Cost{Folders: 1, Requests: 12, ResourceUnits: 9, Bytes: 100}, Time: 90 * time.Second, Limit: "9 units in 90 seconds"}
	for _, id := range request.Items[:min(limit, len(request.Items))] {
		plan.Items = append(plan.Items, holdfast.ItemResult{Item: id, Name: "item", Path: "/item", Outcome: "created"})
	}
	return plan, nil
}

func (today) Changes(context.Context, holdfast.Organization, holdfast.Credential, service.View) ([]holdfast.Difference, error) {
	return []holdfast.Difference{{Kind: holdfast.Added, ID: "new", After: &service.Entry{Item: holdfast.Item{ID: "new", Kind: holdfast.KindFile, Name: "new.txt"}, Path: "/new.txt"}}}, nil
}

// shelf is an explorer over lists of entries by container key.
type shelf struct {
	entries  map[string][]service.Entry
	versions map[string][]service.Entry // by file id
	content  map[string]string
	asked    []service.ItemQuery
}

var (
	mailbox = holdfast.Container{Kind: holdfast.Mailbox, Source: ada, Owner: ada, Name: "Ada Lovelace", Address: "ada@contoso.example"}
	second  = holdfast.Container{Kind: holdfast.Mailbox, Source: bob, Owner: bob, Name: "Bob Shared", Address: "bob@contoso.example"}
	site    = holdfast.Container{Kind: holdfast.Site, Source: falcon, Owner: falcon, Name: "Falcon", Address: "https://contoso.sharepoint.example/sites/falcon"}
	team    = holdfast.Container{Kind: holdfast.Team, Source: apollo, Owner: apollo, Name: "Apollo", Address: "apollo@contoso.example"}
	group   = holdfast.Container{Kind: holdfast.Mailbox, Source: holdfast.GroupSource + engine, Owner: engine, Name: "Analytical Engine", Address: "engine@contoso.example"}
	drive   = holdfast.Container{Kind: holdfast.Drive, Source: "b!drive-of-ada", Owner: ada, Name: "Ada Lovelace", Address: "ada@contoso.example"}
)

func driveID(n byte) string {
	return "01" + base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString([]byte{1, 2, 3, 4, n, 0, 0, 0, 0, 0, 0x40, 0, 0x80, 0, 0, 0, 0, 0, 0, n})
}

func newShelf() *shelf {
	at := func(day int) time.Time { return time.Date(2026, 2, day, 8, 30, 0, 0, time.UTC) }
	entry := func(id, parent string, kind holdfast.ItemKind, name string, t time.Time, size int64, fields map[string]string) service.Entry {
		return service.Entry{Item: holdfast.Item{ID: id, Parent: parent, Kind: kind, Version: "v1", Time: t, Size: size, Name: name, Fields: fields}, Path: "/" + name}
	}
	s := &shelf{entries: map[string][]service.Entry{}, versions: map[string][]service.Entry{}, content: map[string]string{}}
	mails := []service.Entry{
		entry("AAroot", "", holdfast.KindFolder, "Top of Information Store", time.Time{}, 0, map[string]string{holdfast.FieldSpecial: "msgfolderroot"}),
		entry("AAinbox", "AAroot", holdfast.KindFolder, "Inbox", time.Time{}, 0, map[string]string{holdfast.FieldSpecial: "inbox"}),
		entry("AAproject", "AAinbox", holdfast.KindFolder, "Analytical Engine", time.Time{}, 0, nil),
		entry("AAsent", "AAroot", holdfast.KindFolder, "Sent Items", time.Time{}, 0, map[string]string{holdfast.FieldSpecial: "sentitems"}),
	}
	for day := 1; day <= 20; day++ {
		id := fmt.Sprintf("AA/mail+%02d=", day)
		mails = append(mails, entry(id, "AAinbox", holdfast.KindMail, fmt.Sprintf("Note %02d", day), at(day), int64(1000+day), map[string]string{holdfast.FieldFrom: "charles@example.org",
			holdfast.FieldTo: "ada@contoso.example", holdfast.FieldSent: at(day).Add(-time.Minute).Format(time.RFC3339), holdfast.FieldClass: "IPM.Note"}))
		s.content[id] = fmt.Sprintf("Subject: Note %02d\r\n\r\nBernoulli\r\n", day)
	}
	mails[4].Fields[holdfast.FieldImportance] = "high"
	s.entries[mailbox.Key()] = mails
	s.entries[second.Key()] = []service.Entry{entry("BBinbox", "", holdfast.KindFolder, "Inbox", time.Time{}, 0, map[string]string{holdfast.FieldSpecial: "inbox"}),
		entry("BBmail", "BBinbox", holdfast.KindMail, "Note for Bob", at(25), 500, map[string]string{holdfast.FieldFrom: "ada@contoso.example"})}
	files := []service.Entry{
		entry(driveID(1), "", holdfast.KindFolder, "root", at(1), 0, map[string]string{holdfast.FieldSpecial: "root"}),
		entry(driveID(2), driveID(1), holdfast.KindFolder, "Papers", at(2), 0, map[string]string{holdfast.FieldAuthor: "Ada Lovelace", holdfast.FieldCreated: at(1).Format(time.RFC3339)}),
		entry(driveID(3), driveID(2), holdfast.KindFile, "Notes.txt", at(9), 9, map[string]string{holdfast.FieldAuthor: "Ada Lovelace", holdfast.FieldVersionID: "3.0"}),
		entry(driveID(4), driveID(1), holdfast.KindFile, "Plan.txt", at(3), 4, map[string]string{holdfast.FieldAuthor: "Ada Lovelace"}),
	}
	s.entries[drive.Key()] = files
	s.content[driveID(3)], s.content[driveID(4)], s.content["old"] = "new notes", "plan", "old notes"
	const list = "00000000-0000-4000-8000-00000000f1f1"
	who := map[string]string{holdfast.FieldAuthor: "Ada Lovelace", holdfast.FieldVersionID: "2.0", "editor": "Bob Shared"}
	fire := entry(list+".1", "list."+list, holdfast.KindListItem, "Printer on fire", at(5), 100, who)
	fire.Forms = []holdfast.Form{holdfast.FormJSON, holdfast.FormAttachment + "table.csv"}
	s.entries[site.Key()] = []service.Entry{
		entry("site", "", holdfast.KindFolder, "Falcon", at(1), 0, map[string]string{holdfast.FieldSpecial: "root"}),
		entry("list."+list, "site", holdfast.KindFolder, "Incidents", at(1), 0, map[string]string{holdfast.FieldSpecial: "list"}),
		entry(driveID(21), "site", holdfast.KindFolder, "Documents", at(1), 0, map[string]string{holdfast.FieldSpecial: "library"}),
		entry(driveID(22), driveID(21), holdfast.KindFolder, "Papers", at(2), 0, map[string]string{holdfast.FieldAuthor: "Ada Lovelace"}),
		entry(driveID(23), driveID(22), holdfast.KindFile, "Notes.txt", at(9), 9, map[string]string{holdfast.FieldAuthor: "Ada Lovelace", holdfast.FieldVersionID: "3.0"}),
		fire,
	}
	s.team(entry, at)
	s.content[driveID(23)], s.content["earlier"], s.content[fire.ID] = "new notes", "old notes", `{"id":"1"}`
	s.versions[driveID(23)] = []service.Entry{entry("earlier", driveID(23), holdfast.KindVersion, "Notes.txt", at(8), 9, map[string]string{holdfast.FieldAuthor: "Charles", holdfast.FieldVersionID: "2.0"})}
	s.versions[fire.ID] = []service.Entry{entry(fire.ID+"@1.0", fire.ID, holdfast.KindVersion, "Smoke", at(4), 90, map[string]string{holdfast.FieldAuthor: "Charles", holdfast.FieldVersionID: "1.0"})}
	s.versions[driveID(3)] = []service.Entry{entry("old", driveID(3), holdfast.KindVersion, "Notes.txt", at(8), 9, map[string]string{holdfast.FieldAuthor: "Charles", holdfast.FieldVersionID: "2.0"})}
	return s
}

const (
	general = "19:general@thread.tacv2"
	secrets = "19:secrets@thread.tacv2"
	wiki    = "00000000-0000-4000-8000-00000000aaaa"
)

// team puts a team on the shelf: two channels, of which a private one has neither files nor tabs.
func (s *shelf) team(entry func(string, string, holdfast.ItemKind, string, time.Time, int64, map[string]string) service.Entry, at func(int) time.Time) {
	post := func(channel, id, reply string, day int, text string, more map[string]string) service.Entry {
		fields := map[string]string{"channel": channel, "message": id, holdfast.FieldFrom: "Ada Lovelace", holdfast.FieldModified: at(day).Format(time.RFC3339)}
		for k, v := range more {
			fields[k] = v
		}
		parent, whole := "channel."+channel, "post."+channel+"."+id
		if reply != "" {
			parent, whole, fields[holdfast.FieldReplyTo] = "post."+channel+"."+reply, "post."+channel+"."+reply+"."+id, reply
		}
		e := entry(whole, parent, holdfast.KindPost, text, at(day), 100, fields)
		s.content[e.ID] = `{"id":"` + id + `"}`
		return e
	}
	s.entries[team.Key()] = []service.Entry{
		entry("team", "", holdfast.KindFolder, "Apollo", at(1), 0, map[string]string{holdfast.FieldSpecial: "team"}),
		entry("channel."+general, "team", holdfast.KindFolder, "General", at(1), 0, map[string]string{holdfast.FieldSpecial: "channel", "channel": general, "membership": "standard", "files": driveID(32)}),
		entry("channel."+secrets, "team", holdfast.KindFolder, "Secrets", at(1), 0, map[string]string{holdfast.FieldSpecial: "channel", "channel": secrets, "membership": "private"}),
		entry("tab."+general+"."+wiki, "channel."+general, holdfast.KindTab, "Wiki", at(1), 10, map[string]string{"channel": general, "app": "Website", "url": "https://wiki.example/"}),
		post(general, "1769934600000", "", 1, "Launch on Friday", map[string]string{holdfast.FieldImportance: "high"}),
		post(general, "1770021000000", "1769934600000", 2, "Which Friday?", nil),
		post(general, "1770107400000", "", 3, "(deleted)", map[string]string{"deleted": at(4).Format(time.RFC3339)}),
		post(secrets, "1770107400000", "", 3, "Nobody may know", nil),
		entry(driveID(31), "team", holdfast.KindFolder, "Files", at(1), 0, map[string]string{holdfast.FieldSpecial: "library"}),
		entry(driveID(32), driveID(31), holdfast.KindFolder, "General", at(1), 0, nil),
		entry(driveID(33), driveID(32), holdfast.KindFolder, "Plans", at(2), 0, nil),
		entry(driveID(34), driveID(33), holdfast.KindFile, "Launch.txt", at(9), 10, map[string]string{holdfast.FieldAuthor: "Ada Lovelace", holdfast.FieldVersionID: "2.0"}),
		entry(driveID(35), driveID(31), holdfast.KindFile, "Stray.txt", at(9), 5, nil), // of no channel
	}
	s.content[driveID(34)], s.content["launch"] = "launch new", "launch old"
	s.versions[driveID(34)] = []service.Entry{entry("launch", driveID(34), holdfast.KindVersion, "Launch.txt", at(8), 10, map[string]string{holdfast.FieldAuthor: "Charles", holdfast.FieldVersionID: "1.0"})}
}

// at are the entries of a view; one that has earlier states shows a file that was deleted.
func (s *shelf) at(v service.View) []service.Entry {
	all := s.entries[v.Container]
	if v.Container == drive.Key() && len(v.Earlier) > 0 {
		gone := service.Entry{Item: holdfast.Item{ID: driveID(9), Parent: driveID(1), Kind: holdfast.KindFile, Version: "v1", Name: "Gone.txt", Size: 3, Time: time.Date(2026, 2, 1, 0, 0, 0, 0, time.UTC)},
			Path: "/Gone.txt", Deleted: true, Last: v.Earlier[0]}
		all = append(slices.Clone(all), gone)
	}
	return all
}

func (s *shelf) Items(_ context.Context, q service.ItemQuery) (service.ItemPage, error) {
	s.asked = append(s.asked, q)
	var out []service.Entry
	for _, e := range s.at(q.At) {
		if q.Deleted && !e.Deleted {
			continue
		}
		if q.Kinds != nil && !slices.Contains(q.Kinds, e.Kind) {
			continue
		}
		if q.Search == "" && e.Parent != q.Parent || q.Search != "" && q.Search != "kind:*" && !strings.Contains(e.Name, q.Search) {
			continue
		}
		if q.Search != "" && q.Parent != "" && !s.below(q.At, e, q.Parent) {
			continue
		}
		out = append(out, e)
	}
	slices.SortStableFunc(out, func(a, b service.Entry) int {
		if q.Sort == "name" {
			return cmp.Compare(a.Name, b.Name)
		}
		return b.Time.Compare(a.Time)
	})
	total := int64(len(out))
	out = out[min(q.Offset, len(out)):]
	if q.Limit > 0 {
		out = out[:min(q.Limit, len(out))]
	}
	return service.ItemPage{Entries: out, Total: total}, nil
}

// below says whether an entry lies in a folder, however deep.
func (s *shelf) below(at service.View, e service.Entry, folder string) bool {
	for e.Parent != "" && e.Parent != folder {
		i := slices.IndexFunc(s.at(at), func(above service.Entry) bool { return above.ID == e.Parent })
		if i < 0 {
			return false
		}
		e = s.at(at)[i]
	}
	return e.Parent == folder
}

func (s *shelf) Item(_ context.Context, at service.View, id string) (service.Entry, error) {
	for _, e := range s.at(at) {
		if e.ID == id {
			return e, nil
		}
	}
	for _, versions := range s.versions {
		for _, v := range versions {
			if v.ID == id {
				return v, nil
			}
		}
	}
	return service.Entry{}, holdfast.NotFound("there is no item %s", id)
}

func (s *shelf) Versions(_ context.Context, _ service.View, id string) ([]service.Entry, error) {
	return s.versions[id], nil
}

// History has what is on the shelf as the newest version, and one of half its size in the state before.
func (s *shelf) History(ctx context.Context, at service.View, id string) ([]holdfast.ItemVersion, error) {
	e, err := s.Item(ctx, at, id)
	if err != nil || len(at.Earlier) == 0 {
		return nil, nil
	}
	out := []holdfast.ItemVersion{{Item: e.Item, Stored: e.Size, Newest: at.Earlier[0], Oldest: at.Earlier[0]}}
	if len(at.Earlier) > 1 {
		older := e.Item
		older.Version, older.Size, older.Time, older.Fields = "v0", e.Size/2, e.Time.AddDate(0, 0, -1), map[string]string{holdfast.FieldVersionID: "1.0"}
		out = append(out, holdfast.ItemVersion{Item: older, Stored: older.Size, Newest: at.Earlier[1], Oldest: at.Earlier[len(at.Earlier)-1]})
	}
	return out, nil
}

// Preview shows mails as HTML, files as text.
func (s *shelf) Preview(ctx context.Context, at service.View, id string) (holdfast.Preview, error) {
	e, err := s.Item(ctx, at, id)
	if err != nil {
		return holdfast.Preview{}, err
	}
	if e.Kind == holdfast.KindMail {
		return holdfast.Preview{Kind: holdfast.PreviewMail, Name: e.Name, Subject: e.Name, Date: e.Time, Type: "text/html; charset=utf-8", Body: []byte("<p>Bernoulli"),
			From: []holdfast.MailAddress{{Name: "Charles", Address: "charles@example.org"}}, Headers: []holdfast.MailHeader{{Name: "Subject", Value: e.Name}},
			Attachments: []holdfast.MailAttachment{{Name: "table.csv", Type: "text/csv", Size: 5}}, Removed: []holdfast.Omission{{What: "remote image", Count: 2, Details: []string{"https://example.org/p.gif"}}}}, nil
	}
	if e.Fields[holdfast.FieldSpecial] == "team" {
		return holdfast.Preview{Kind: holdfast.PreviewCard, Name: e.Name, Card: &holdfast.Card{Team: &holdfast.TeamCard{What: "team", Description: "To the moon", Visibility: "private", Archived: true,
			Settings: map[string]map[string]any{"funSettings": {"allowGiphy": true, "giphyContentRating": "strict"}, "guestSettings": {"allowDeleteChannels": false},
				"memberSettings": {"allowAddRemoveApps": true, "allowCreatePrivateChannels": false}, "messagingSettings": {"allowUserEditMessages": true}}}}}, nil
	}
	return holdfast.Preview{Kind: holdfast.PreviewText, Name: e.Name, Format: "text", Charset: "utf-8", Type: "text/plain; charset=utf-8", Body: []byte(s.content[id])}, nil
}

func (s *shelf) Table(ctx context.Context, q service.ItemQuery) (holdfast.ListTable, error) {
	e, err := s.Item(ctx, q.At, q.Parent)
	if err != nil {
		return holdfast.ListTable{}, err
	}
	out := holdfast.ListTable{Columns: []holdfast.ListColumn{{Name: "Title", Title: "Title", Kind: "text"}, {Name: "Due", Title: "Due on", Kind: "dateTime"}}, Total: 1}
	if q.Offset == 0 && q.Limit > 0 {
		out.Rows = append(out.Rows, holdfast.ListRow{ID: "row", Name: "in " + e.Name, Time: e.Time, Values: map[string]string{"Title": "in " + e.Name}})
	}
	return out, nil
}

func (s *shelf) WriteTable(_ context.Context, _ service.View, list, format string, w io.Writer) error {
	_, err := io.WriteString(w, list+" as "+format)
	return err
}

func (s *shelf) WritePosts(_ context.Context, q holdfast.PostsQuery, w io.Writer) error {
	_, err := fmt.Fprintf(w, "posts %v and all in %q from %s to %s", q.Posts, q.Folder, q.From.Format(time.DateOnly), q.To.Format(time.DateOnly))
	return err
}

func (s *shelf) Access(ctx context.Context, at service.View, id string) (holdfast.ItemAccess, error) {
	e, err := s.Item(ctx, at, id)
	return holdfast.ItemAccess{Own: true, From: e.Name, Grants: []holdfast.ItemGrant{{Who: "Charles", Address: "charles@example.org", Kind: "user", Roles: []string{"write"}}}}, err
}

func (s *shelf) Attachment(_ context.Context, _ service.View, _ string, number int) (service.Content, error) {
	if number != 0 {
		return service.Content{}, holdfast.NotFound("the mail has no attachment %d", number)
	}
	return service.Content{Body: io.NopCloser(strings.NewReader("1,1/6")), FileName: "table.csv", Size: -1}, nil
}

// Compare finds that the shelf's first two entries were added and changed, and the third removed.
func (s *shelf) Compare(_ context.Context, c holdfast.Comparison) (holdfast.Differences, error) {
	all := s.entries[c.Before.Container]
	d := holdfast.Differences{Total: 3, Added: 1, Changed: 1, Removed: 1}
	d.Results = []holdfast.Difference{{Kind: holdfast.Added, ID: all[0].ID, After: &all[0]}, {Kind: holdfast.Changed, ID: all[1].ID, Before: &all[1], After: &all[1], Properties: []string{"name", "content"}},
		{Kind: holdfast.Removed, ID: all[2].ID, Before: &all[2]}}
	d.Results = d.Results[min(c.Offset, 3):min(c.Offset+c.Limit, 3)]
	return d, nil
}

func (s *shelf) Open(ctx context.Context, at service.View, id string) (service.Content, error) {
	e, err := s.Item(ctx, at, id)
	if err != nil {
		return service.Content{}, err
	}
	name := e.Name
	if e.Kind == holdfast.KindMail {
		name += ".eml"
	}
	return service.Content{Body: io.NopCloser(strings.NewReader(s.content[id])), FileName: name, Size: int64(len(s.content[id])), Time: e.Time}, nil
}

func (s *shelf) Export(_ context.Context, _ service.View, ids []string, w io.Writer) error {
	z := zip.NewWriter(w)
	for _, id := range ids {
		f, err := z.Create(strings.NewReplacer("/", "_").Replace(id))
		if err != nil {
			return err
		}
		if _, err := io.WriteString(f, s.content[id]); err != nil {
			return err
		}
	}
	return z.Close()
}

func (s *shelf) ExportAll(ctx context.Context, parts []holdfast.ExportPart, w io.Writer) error {
	var ids []string
	for _, p := range parts {
		ids = append(ids, p.Items...)
	}
	return s.Export(ctx, service.View{}, ids, w)
}

// finder finds the question itself, once in each organization that may be searched.
type finder struct{}

func (finder) Search(_ context.Context, q holdfast.SearchQuery, scope []holdfast.SearchScope) (page holdfast.SearchPage, err error) {
	if q.Limit > holdfast.SearchLimit {
		return page, holdfast.Invalid("too many")
	}
	page.Exact = true
	for _, s := range scope {
		page.Total++
		page.NotIndexed = append(page.NotIndexed, late(s.Organization))
		page.Results = append(page.Results, holdfast.SearchResult{Organization: s.Organization, Item: holdfast.Item{ID: "item", Kind: holdfast.KindMail, Name: q.Text}})
	}
	return page, nil
}

func (finder) Wake() {}

// late is a mailbox that is not indexed yet.
func late(org holdfast.OrganizationID) holdfast.NotIndexed {
	return holdfast.NotIndexed{Organization: org, Container: holdfast.Container{Organization: org, Kind: holdfast.Mailbox, Source: "late", Name: "Late", Address: "late@contoso.com"},
		Since: time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC), Err: "it is damaged"}
}

func (finder) Status(_ context.Context, s holdfast.SearchScope) (holdfast.SearchStatus, error) {
	return holdfast.SearchStatus{Organization: s.Organization, Documents: 1, Pending: []holdfast.NotIndexed{late(s.Organization)}}, nil
}

func (directory) Teams(_ context.Context, _ holdfast.Organization, _ holdfast.Credential, q service.DirectoryQuery) ([]service.DirectoryTeam, error) {
	if q.Offset > 0 {
		return nil, nil
	}
	return []service.DirectoryTeam{{ID: apollo, Name: "Apollo", Description: "All about Apollo", Mail: "apollo@contoso.example"}}, nil
}

func (directory) Team(_ context.Context, _ holdfast.Organization, _ holdfast.Credential, id string) (service.DirectoryTeam, error) {
	if id != apollo && id != "Apollo" {
		return service.DirectoryTeam{}, holdfast.NotFound("the organization has no team %q", id)
	}
	return service.DirectoryTeam{ID: apollo, Name: "Apollo", Description: "All about Apollo", Mail: "apollo@contoso.example"}, nil
}

// apollo is the directory's team, engine its group.
const (
	apollo = "7e57ab1e-0000-4000-8000-00000000000a"
	engine = "00000000-0000-4000-8000-00000000000a"
)
