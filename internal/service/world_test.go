package service_test

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"holdfast/internal/holdfast"
	"holdfast/internal/proxy"
	"holdfast/internal/service"
	"holdfast/internal/store"
	"holdfast/internal/store/storetest"
	"holdfast/internal/sys"
	"holdfast/internal/vault/keys"
)

func TestMain(m *testing.M) { storetest.Main(m) }

// Control fills what a proxy calls.
var _ proxy.Control = (*service.Control)(nil)

var admin = service.User{ID: "u", Name: "admin", Role: service.RoleOwner, Address: "192.0.2.1"}

// directory is an organization's directory in memory.
type directory struct {
	mu      sync.Mutex // guards all
	users   []service.DirectoryUser
	sites   []service.DirectorySite
	lacking map[string]bool
	groups  map[string][]string // members by id
	refuse  error
	checked int
	// For the copy of the directory: what a first reading tells, what the next one tells besides, whether positions are forgotten, and the
	// positions that were asked from.
	all, told []service.DirectoryChanges
	reset     bool
	synced    []string
}

func (d *directory) Check(_ context.Context, _ holdfast.Organization, cred holdfast.Credential) (service.Tenant, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.checked++
	if d.refuse != nil {
		return service.Tenant{}, d.refuse
	}
	t := service.Tenant{TenantID: "11111111-2222-3333-4444-555555555555", DefaultDomain: "contoso.example", DisplayName: "Contoso"}
	if cred.ApplicationID == "other" {
		t = service.Tenant{TenantID: "99999999-2222-3333-4444-555555555555", DefaultDomain: "fabrikam.example", DisplayName: "Fabrikam"}
	}
	if cred.Certificate != "" {
		t.Thumbprint = "ABCD"
	}
	for name, use := range map[string]service.PermissionUse{"User.Read.All": service.UseDirectory, "Mail.Read": service.UseMailBackup, "Files.Read.All": service.UseOneDriveBackup,
		"Mail.ReadWrite": service.UseMailRestore, "Files.ReadWrite.All": service.UseOneDriveRestore, "Chat.Read.All": service.UseChatsBackup, "Teamwork.Migrate.All": service.UseChatsRestore} {
		t.Permissions = append(t.Permissions, service.Permission{Name: name, API: "Microsoft Graph", Why: string(use), Use: use, Granted: !d.lacking[name]})
	}
	return t, nil
}

func (d *directory) Users(_ context.Context, _ holdfast.Organization, _ holdfast.Credential, q service.DirectoryQuery) ([]service.DirectoryUser, error) {
	return d.users, nil
}

func (d *directory) User(_ context.Context, _ holdfast.Organization, _ holdfast.Credential, id string) (service.DirectoryUser, error) {
	for _, u := range d.users {
		if u.ID == id || u.Name == id {
			return u, nil
		}
	}
	return service.DirectoryUser{}, holdfast.NotFound("there is no user %s", id)
}

func (d *directory) Groups(context.Context, holdfast.Organization, holdfast.Credential, service.DirectoryQuery) ([]service.DirectoryGroup, error) {
	return nil, nil
}

// Changes tells what tell has been given to tell next; each call is a step further.
func (d *directory) Changes(_ context.Context, org holdfast.Organization, _ holdfast.Credential, from holdfast.DirectoryPosition, tell func(service.DirectoryChanges) error) (holdfast.DirectoryPosition, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.refuse != nil {
		return from, d.refuse
	}
	d.synced = append(d.synced, from.Users)
	if from.Users != "" && d.reset {
		d.reset = false
		return from, service.ErrDirectoryReset
	}
	parts := d.told
	if from.Users == "" {
		parts = append(slices.Clone(d.all), d.told...)
	}
	d.told = nil
	for _, c := range parts {
		c.Objects = slices.Clone(c.Objects)
		for i := range c.Objects {
			c.Objects[i].Organization = org.ID
		}
		if err := tell(c); err != nil {
			return from, err
		}
	}
	return holdfast.DirectoryPosition{Users: fmt.Sprintf("link %d", len(d.synced)), Groups: "g"}, nil
}

func (d *directory) Members(_ context.Context, _ holdfast.Organization, _ holdfast.Credential, group string) ([]string, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if m, ok := d.groups[group]; ok {
		return m, d.refuse
	}
	return nil, holdfast.NotFound("there is no group %s", group)
}

func (d *directory) Drives(context.Context, holdfast.Organization, holdfast.Credential, string) ([]service.DirectoryDrive, error) {
	return nil, nil
}

func (d *directory) Sites(context.Context, holdfast.Organization, holdfast.Credential, service.SiteQuery) ([]service.DirectorySite, error) {
	return nil, nil
}

func (*directory) GroupSite(_ context.Context, _ holdfast.Organization, _ holdfast.Credential, group string) (service.DirectorySite, error) {
	if group != "g-team" {
		return service.DirectorySite{}, holdfast.NotFound("group %s has no site", group)
	}
	return service.DirectorySite{ID: "contoso.sharepoint.example,team,w", Name: "Team", URL: "https://contoso.sharepoint.example/sites/team"}, nil
}

func (d *directory) Site(_ context.Context, _ holdfast.Organization, _ holdfast.Credential, id string) (service.DirectorySite, error) {
	if i := slices.IndexFunc(d.sites, func(s service.DirectorySite) bool { return s.ID == id }); i >= 0 {
		return d.sites[i], nil
	}
	if id != "contoso.sharepoint.example,c,w" {
		return service.DirectorySite{}, holdfast.NotFound("there is no site %s", id)
	}
	return service.DirectorySite{ID: id, Name: "Falcon", URL: "https://contoso.sharepoint.example/sites/falcon"}, nil
}

// places is a Vaults in memory.
type places struct {
	catalogue holdfast.Catalogue
	refuse    error
	forgotten []holdfast.RepositoryID
	links     map[string]string
}

func (p *places) Prepare(context.Context, holdfast.Repository, bool) error { return p.refuse }
func (p *places) Resolve(path string) string                               { return cmp.Or(p.links[path], path) }
func (p *places) Space(context.Context, holdfast.Repository) (int64, int64, error) {
	return 1000, 400, nil
}
func (p *places) Usage(context.Context, holdfast.Repository, holdfast.OrganizationID) (int64, error) {
	return 77, nil
}
func (p *places) Rebuild(context.Context, holdfast.Repository) (holdfast.Catalogue, error) {
	return p.catalogue, p.refuse
}
func (p *places) Kit(context.Context, holdfast.Repository, holdfast.Secret, []string) ([]byte, error) {
	return []byte("kit"), nil
}
func (p *places) Forget(_ context.Context, r holdfast.Repository) error {
	p.forgotten = append(p.forgotten, r.ID)
	return nil
}

// explorer answers from nothing but the view that it is given.
type explorer struct{}

func (explorer) Items(_ context.Context, q service.ItemQuery) (service.ItemPage, error) {
	return service.ItemPage{Entries: []service.Entry{{Path: fmt.Sprintf("%s@%d", q.At.Container, q.At.Head)}}, Total: 1}, nil
}

// Item finds everything; what begins with "gone" is deleted since the newest earlier state.
func (explorer) Item(_ context.Context, at service.View, id string) (service.Entry, error) {
	e := service.Entry{Item: holdfast.Item{ID: id, Name: "name of " + id, Version: fmt.Sprint(at.Head)}}
	if strings.HasPrefix(id, "gone") && len(at.Earlier) > 0 {
		e.Deleted, e.Last = true, at.Earlier[0]
	}
	switch { // a chat's root says what kind of chat it is
	case id != "chat":
	case strings.Contains(at.Container, "meeting"):
		e.Fields = map[string]string{"membership": "meeting"}
	case strings.Contains(at.Container, "foreign"):
		e.Fields = map[string]string{"membership": "group", "here": "false"}
	}
	return e, nil
}
func (explorer) Versions(context.Context, service.View, string) ([]service.Entry, error) {
	return nil, nil
}
func (explorer) Open(context.Context, service.View, string) (service.Content, error) {
	return service.Content{Body: io.NopCloser(strings.NewReader("x")), Size: 1}, nil
}
func (explorer) Export(_ context.Context, _ service.View, _ []string, w io.Writer) error {
	_, err := io.WriteString(w, "zip")
	return err
}

// world is a service on a database, with everything else in memory.
type world struct {
	*service.Service
	t         testing.TB
	ctx       context.Context
	store     *store.Store
	clock     *sys.Shifted
	directory *directory
	places    *places
	key       *keys.Key
	searcher  searcher
}

// newWorld begins at noon: what runs daily at midnight comes only when a test means it.
func newWorld(t testing.TB, open storetest.Open) *world { return newWorldAt(t, open, 12) }

func newWorldAt(t testing.TB, open storetest.Open, hour int) *world {
	key, err := keys.New()
	if err != nil {
		t.Fatal(err)
	}
	clock := sys.NewShifted(sys.System)
	now := clock.Now()
	clock.Move(time.Date(now.Year(), now.Month(), now.Day(), hour, 0, 0, 0, now.Location()).Sub(now))
	w := &world{t: t, ctx: context.Background(), clock: clock, key: key, places: &places{},
		directory: &directory{lacking: map[string]bool{}, users: []service.DirectoryUser{{ID: "ann", Name: "ann@contoso.example", DisplayName: "Ann"}, {ID: "bob", Name: "bob@contoso.example", DisplayName: "Bob"}}}}
	w.restart(open, nil)
	return w
}

// restart opens the database anew, as another process would.
func (w *world) restart(open storetest.Open, faults *sys.Faults) {
	w.t.Helper()
	if w.store != nil {
		if err := w.store.Close(); err != nil {
			w.t.Fatal(err)
		}
	}
	s, err := open(w.clock, faults)
	if err != nil {
		w.t.Fatal(err)
	}
	if w.store == nil {
		w.t.Cleanup(func() {
			if err := w.store.Close(); err != nil {
				w.t.Errorf("close: %v", err)
			}
		})
	}
	w.store = s
	w.Service = service.New(service.Deps{Store: service.OnStore[*store.Tx](s), Clock: w.clock, Keys: service.NewKeys(w.key, random{}), Directory: w.directory, Vaults: w.places, Explorer: explorer{}, Searcher: &w.searcher, Version: "test", Proxy: "host", ProxyPort: 9193, Poll: -1})
	if _, err := w.Start(w.ctx, "correct horse"); err != nil {
		w.t.Fatal(err)
	}
}

// random is cheap randomness: ids and keys of tests need only differ.
type random struct{}

var (
	randomMu sync.Mutex // guards randomN
	randomN  uint64
)

func (random) Read(p []byte) (int, error) {
	randomMu.Lock()
	defer randomMu.Unlock()
	for i := range p {
		randomN = randomN*6364136223846793005 + 1442695040888963407
		p[i] = byte(randomN >> 33)
	}
	return len(p), nil
}

func (w *world) ok(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) organization() holdfast.Organization {
	w.t.Helper()
	c := &service.Connection{Tenant: "contoso.example", Application: "app", Secret: "CANARY-secret"}
	org, err := w.Organizations.Create(w.ctx, admin, service.OrganizationSpec{ExchangeConnection: c, SharePointConnection: c})
	w.ok(err)
	return org
}

func (w *world) repository(name string) holdfast.Repository {
	w.t.Helper()
	path := "/srv/" + name
	daily, day := "Daily", "Everyday"
	noon := w.clock.Now().Local().Add(12 * time.Hour).Format("15:04:05") // far from any test: retention must not run into one that moves the clock
	r, err := w.Repositories.Create(w.ctx, admin, service.RepositorySpec{Name: &name, Path: &path, RetentionFrequency: &daily, DailyType: &day, DailyTime: &noon, RetentionType: "SnapshotBased", Retention: &holdfast.RetentionPeriod{Days: 30}})
	w.ok(err)
	return r
}

func (w *world) job(name string, org holdfast.Organization, repo holdfast.Repository, edit func(*service.JobSpec)) holdfast.Job {
	w.t.Helper()
	spec := service.JobSpec{Organization: org.ID, Repository: repo.ID, Name: &name, Scope: holdfast.SelectedItems, Selected: []holdfast.JobItem{{Type: "PartialOrganization", Mailbox: true, OneDrive: true, Sites: true}}}
	if edit != nil {
		edit(&spec)
	}
	j, err := w.Jobs.Create(w.ctx, admin, spec)
	w.ok(err)
	return j
}

func mailbox(user string) holdfast.Container {
	return holdfast.Container{Kind: holdfast.Mailbox, Source: user, Owner: user, Name: user, Address: user + "@contoso.example"}
}

func drive(user string) holdfast.Container {
	return holdfast.Container{Kind: holdfast.Drive, Source: "drive-" + user, Owner: user, Name: user, Address: user + "@contoso.example"}
}

// worker is a proxy that does what a test says instead of talking to Microsoft 365.
type worker struct {
	w     *world
	found []holdfast.Container
	// skipped are those that discovery found and could not take.
	skipped []holdfast.PointEntry
	// access has discovery ask what it may use, which brings the copy of the directory up to date.
	access bool
	// backup says how a container's backup ends; nil is a new head.
	backup func(holdfast.Container) holdfast.TaskResult
	// told, when set, is given what a backup task is told.
	told func(holdfast.Task, holdfast.Access)
}

// claim gives tasks if there are any right now.
func (k *worker) claim(max int) []holdfast.Task {
	k.w.t.Helper()
	tasks, err := k.w.Control.Claim(k.w.ctx, service.BuiltInProxy, max)
	k.w.ok(err)
	if len(tasks) == 0 { // what was given up may have made room for more
		tasks, err = k.w.Control.Claim(k.w.ctx, service.BuiltInProxy, max)
		k.w.ok(err)
	}
	return tasks
}

// drain works until nothing is left.
func (k *worker) drain() {
	k.w.t.Helper()
	for {
		tasks := k.claim(4)
		if len(tasks) == 0 {
			return
		}
		for _, t := range tasks {
			k.work(t)
		}
	}
}

func (k *worker) work(t holdfast.Task) {
	k.w.t.Helper()
	ctx, c := k.w.ctx, k.w.Control
	if k.told != nil && t.Kind == holdfast.TaskBackup {
		a, err := c.Access(ctx, t.Lease())
		k.w.ok(err)
		k.told(t, a)
	}
	switch t.Kind {
	case holdfast.TaskDiscover:
		if k.access {
			_, err := c.Access(ctx, t.Lease())
			k.w.ok(err)
		}
		k.w.ok(c.Complete(ctx, t.Lease(), holdfast.TaskResult{Found: k.found, Skipped: k.skipped}))
	case holdfast.TaskBackup:
		if k.backup != nil {
			if r := k.backup(t.Container); r.Err != "" || r.Entry.State != "" {
				k.w.ok(c.Complete(ctx, t.Lease(), r))
				return
			}
		}
		h := k.commit(t)
		k.w.ok(c.Progress(ctx, t.Lease(), holdfast.Statistics{Items: 2, Requests: 3}, holdfast.LogLine{Type: "None", Title: "reading"}))
		k.w.ok(c.Complete(ctx, t.Lease(), holdfast.TaskResult{Entry: holdfast.PointEntry{Head: h.Number, HeadTime: h.Time, State: holdfast.StateUpdated}, Statistics: holdfast.Statistics{WrittenBytes: 10}}))
	case holdfast.TaskFinish:
		p, err := c.SessionOutcome(ctx, t.Lease())
		k.w.ok(err)
		p.Entries, err = c.SessionEntries(ctx, t.Lease())
		k.w.ok(err)
		k.w.ok(c.CommitRestorePoint(ctx, t.Lease(), p))
		k.w.ok(c.CommitRestorePoint(ctx, t.Lease(), p)) // a repeated one changes nothing
		k.w.ok(c.Complete(ctx, t.Lease(), holdfast.TaskResult{RestorePoint: &p}))
	default:
		k.w.t.Fatalf("a task of kind %s that the test did not expect", t.Kind)
	}
}

// next is the head that follows the container's published one and checkpoint.
func (k *worker) next(t holdfast.Task) holdfast.HeadRecord {
	k.w.t.Helper()
	head, checkpoint, err := k.w.Control.CurrentHeads(k.w.ctx, t.Lease(), t.Repository, t.Container)
	k.w.ok(err)
	h := holdfast.HeadRecord{Organization: t.Organization, Repository: t.Repository, Container: t.Container, Number: 1, Epoch: t.Epoch, Time: k.w.clock.Now().Truncate(time.Microsecond), Journal: fmt.Sprintf("journal-%d", t.Epoch), Data: []byte("data")}
	for _, before := range []*holdfast.HeadRecord{head, checkpoint} {
		if before != nil {
			h.Number = max(h.Number, before.Number+1)
		}
	}
	return h
}

func (k *worker) commit(t holdfast.Task) holdfast.HeadRecord {
	k.w.t.Helper()
	h := k.next(t)
	k.w.ok(k.w.Control.CommitHeads(k.w.ctx, []holdfast.HeadCommit{{Lease: t.Lease(), Head: h}}))
	return h
}

func (w *world) run(j holdfast.Job, k *worker) holdfast.JobSession {
	w.t.Helper()
	s, err := w.Jobs.Start(w.ctx, admin, j.ID, false)
	w.ok(err)
	k.drain()
	s, err = w.JobSessions.Get(w.ctx, admin, s.ID)
	w.ok(err)
	return s
}

func (w *world) kind(err error, want holdfast.Kind, says string) {
	w.t.Helper()
	if holdfast.KindOf(err) != want || !strings.Contains(fmt.Sprint(err), says) {
		w.t.Errorf("got %v (%v), want %v with %q", err, holdfast.KindOf(err), want, says)
	}
}

func (explorer) History(_ context.Context, at service.View, id string) ([]holdfast.ItemVersion, error) {
	var out []holdfast.ItemVersion
	for _, s := range at.Earlier { // each state has a version of its own
		out = append(out, holdfast.ItemVersion{Item: holdfast.Item{ID: id, Name: "name of " + id, Version: fmt.Sprint(s.Head)}, Newest: s, Oldest: s})
	}
	return out, nil
}
func (explorer) Compare(_ context.Context, c holdfast.Comparison) (holdfast.Differences, error) {
	return holdfast.Differences{Results: []holdfast.Difference{{Kind: holdfast.Changed, ID: fmt.Sprintf("%d to %d", c.Before.Head, c.After.Head)}}, Total: 1, Changed: 1}, nil
}

func (explorer) Preview(context.Context, service.View, string) (holdfast.Preview, error) {
	return holdfast.Preview{Kind: holdfast.PreviewText, Type: "text/plain; charset=utf-8", Body: []byte("x")}, nil
}
func (explorer) Table(context.Context, service.ItemQuery) (holdfast.ListTable, error) {
	return holdfast.ListTable{Columns: []holdfast.ListColumn{{Name: "Title", Title: "Title", Kind: "text"}}, Rows: []holdfast.ListRow{}}, nil
}
func (explorer) WriteTable(_ context.Context, _ service.View, list, format string, w io.Writer) error {
	_, err := fmt.Fprintf(w, "%s as %s", list, format)
	return err
}
func (explorer) WritePosts(_ context.Context, q holdfast.PostsQuery, w io.Writer) error {
	_, err := fmt.Fprintf(w, "%s as HTML", q.Posts)
	return err
}
func (explorer) Access(_ context.Context, _ service.View, id string) (holdfast.ItemAccess, error) {
	return holdfast.ItemAccess{Own: true, From: "name of " + id, Grants: []holdfast.ItemGrant{}}, nil
}
func (explorer) Attachment(context.Context, service.View, string, int) (service.Content, error) {
	return service.Content{Body: io.NopCloser(strings.NewReader("x")), Size: 1}, nil
}

func (explorer) ExportAll(_ context.Context, parts []holdfast.ExportPart, w io.Writer) error {
	for _, p := range parts {
		if _, err := fmt.Fprintf(w, "%s@%d %v in %s\n", p.At.Container, p.At.Head, p.Items, p.Folder); err != nil {
			return err
		}
	}
	return nil
}

func (*directory) Teams(_ context.Context, _ holdfast.Organization, _ holdfast.Credential, q service.DirectoryQuery) ([]service.DirectoryTeam, error) {
	if q.Offset > 0 {
		return nil, nil
	}
	return []service.DirectoryTeam{{ID: apollo, Name: "Apollo", Description: "All about Apollo", Mail: "apollo@contoso.example"}}, nil
}

func (*directory) Team(_ context.Context, _ holdfast.Organization, _ holdfast.Credential, id string) (service.DirectoryTeam, error) {
	if id != apollo && id != "Apollo" {
		return service.DirectoryTeam{}, holdfast.NotFound("the organization has no team %q", id)
	}
	return service.DirectoryTeam{ID: apollo, Name: "Apollo", Description: "All about Apollo", Mail: "apollo@contoso.example"}, nil
}

// apollo is the directory's team.
const apollo = "7e57ab1e-0000-4000-8000-00000000000a"
