package proxy_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"holdfast/internal/engine"
	"holdfast/internal/engine/enginetest"
	"holdfast/internal/explorer"
	"holdfast/internal/export"
	"holdfast/internal/holdfast"
	"holdfast/internal/proxy"
	"holdfast/internal/sys"
	"holdfast/internal/vault"
	"holdfast/internal/vault/place"
)

var (
	template string
	making   sync.Once
	password = []byte("0123456789abcdef0123456789abcdef")
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, goleak.Cleanup(func(code int) {
		if template != "" {
			_ = os.RemoveAll(template)
		}
		os.Exit(code)
	}))
}

// control is a database with a queue of tasks.
type control struct {
	*enginetest.Database
	access holdfast.Access

	mu        sync.Mutex // guards all below
	queue     []holdfast.Task
	ring      chan struct{}
	running   map[holdfast.TaskID]holdfast.Lease
	results   map[holdfast.TaskID]holdfast.TaskResult
	cancelled map[holdfast.TaskID]bool
	sums      map[holdfast.TaskID]holdfast.Statistics
	down      bool // Renew fails
	deaf      int  // so many calls of Complete fail
	done      chan struct{}
}

func (c *control) add(t holdfast.Task) {
	c.mu.Lock()
	defer c.mu.Unlock()
	t.Organization, t.Repository = enginetest.Organization, enginetest.Repository
	t.Attempt = 1
	c.queue = append(c.queue, t)
	close(c.ring)
	c.ring = make(chan struct{})
}

func (c *control) Claim(ctx context.Context, _ holdfast.ProxyID, most int) ([]holdfast.Task, error) {
	for {
		c.mu.Lock()
		n := min(most, len(c.queue))
		got, ring := c.queue[:n:n], c.ring
		c.queue = c.queue[n:]
		for i := range got {
			got[i].Epoch = c.Lease(got[i].ID).Epoch
			c.running[got[i].ID] = got[i].Lease()
		}
		c.mu.Unlock()
		if n > 0 {
			return got, nil
		}
		select {
		case <-ring:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

func (c *control) ClaimUrgent(_ context.Context, _ holdfast.ProxyID, most int) (got []holdfast.Task, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.queue = slices.DeleteFunc(c.queue, func(t holdfast.Task) bool {
		if t.Kind == holdfast.TaskBackup || len(got) == most {
			return false
		}
		t.Epoch = c.Lease(t.ID).Epoch
		c.running[t.ID] = t.Lease()
		got = append(got, t)
		return true
	})
	return got, nil
}

func (c *control) Renew(_ context.Context, leases []holdfast.Lease) ([]holdfast.TaskID, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.down {
		return nil, errors.New("no connection")
	}
	var out []holdfast.TaskID
	for _, l := range leases {
		if c.cancelled[l.Task] || c.running[l.Task] != l {
			out = append(out, l.Task)
		}
	}
	return out, nil
}

func (c *control) Complete(_ context.Context, lease holdfast.Lease, result holdfast.TaskResult) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.deaf > 0 {
		c.deaf--
		return errors.New("no connection")
	}
	if c.running[lease.Task] != lease {
		return holdfast.Stale("gone")
	}
	delete(c.running, lease.Task)
	c.results[lease.Task] = result
	c.count(lease.Task, result.Statistics)
	if result.Entry.State != "" {
		c.Report(result.Entry)
	}
	close(c.done)
	c.done = make(chan struct{})
	return nil
}

func (c *control) count(t holdfast.TaskID, d holdfast.Statistics) {
	s := c.sums[t]
	s.Items += d.Items
	s.ReadBytes += d.ReadBytes
	c.sums[t] = s
}

func (c *control) Progress(_ context.Context, lease holdfast.Lease, d holdfast.Statistics, _ ...holdfast.LogLine) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.count(lease.Task, d)
	return nil
}

func (c *control) Access(context.Context, holdfast.Lease) (holdfast.Access, error) {
	return c.access, nil
}

// wait gives the result of a task.
func (c *control) wait(t *testing.T, id holdfast.TaskID) holdfast.TaskResult {
	t.Helper()
	for limit := time.After(20 * time.Second); ; {
		c.mu.Lock()
		r, ok := c.results[id]
		done := c.done
		c.mu.Unlock()
		if ok {
			return r
		}
		select {
		case <-done:
		case <-limit:
			t.Fatalf("task %s does not end", id)
		}
	}
}

type site struct {
	t       *testing.T
	control *control
	tenant  *enginetest.Tenant
	vault   *vault.Vault
	dir     string
	config  proxy.Config
	stop    func() error // ends Run and gives its error
}

func newSite(t *testing.T) *site {
	t.Helper()
	making.Do(func() {
		var err error
		if template, err = os.MkdirTemp("", "proxy"); err != nil {
			t.Fatal(err)
		}
		dir := filepath.Join(template, "place")
		if err := place.Prepare(dir, place.Description{ID: enginetest.Repository, KeyID: "test", Created: time.Now()}); err != nil {
			t.Fatal(err)
		}
		v := vault.New(vault.Options{Password: func(context.Context, vault.Ref) ([]byte, error) { return password, nil }})
		if err := v.CreateRepository(t.Context(), vault.Ref{Repository: enginetest.Repository, Path: dir, Organization: enginetest.Organization}, nil); err != nil {
			t.Fatal(err)
		}
		if err := v.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
	})
	s := &site{t: t, dir: filepath.Join(t.TempDir(), "place"), tenant: &enginetest.Tenant{}}
	if err := os.CopyFS(s.dir, os.DirFS(filepath.Join(template, "place"))); err != nil {
		t.Fatal(err)
	}
	s.vault = vault.New(vault.Options{Password: func(context.Context, vault.Ref) ([]byte, error) { return password, nil }})
	t.Cleanup(func() {
		if err := s.vault.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	s.control = &control{
		Database: &enginetest.Database{Clock: sys.System}, ring: make(chan struct{}), done: make(chan struct{}), running: map[holdfast.TaskID]holdfast.Lease{},
		results: map[holdfast.TaskID]holdfast.TaskResult{}, cancelled: map[holdfast.TaskID]bool{}, sums: map[holdfast.TaskID]holdfast.Statistics{},
	}
	s.control.access = holdfast.Access{
		Organization: holdfast.Organization{ID: enginetest.Organization, Name: "contoso.com", Exchange: true},
		Repository:   holdfast.Repository{ID: enginetest.Repository, Name: "disk", Path: s.dir, Retention: holdfast.RetentionPeriod{Days: 30}},
		Job:          holdfast.Job{Scope: holdfast.EntireOrganization},
	}
	s.config = proxy.Config{
		Control: s.control, Vault: s.vault, Workloads: []engine.Workload{s.tenant}, ID: "proxy", Lease: 600 * time.Millisecond, Drain: 4 * time.Second,
		Engine: engine.Config{Quiet: time.Millisecond, CommitWait: time.Millisecond, RestoreWait: time.Millisecond},
	}
	return s
}

func (s *site) run() {
	s.t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	p := proxy.New(s.config)
	go func() { ended <- p.Run(ctx) }()
	s.stop = sync.OnceValue(func() error { cancel(); return <-ended })
	s.t.Cleanup(func() {
		if err := s.stop(); err != nil {
			s.t.Error(err)
		}
	})
}

func (s *site) fill(source string, n int) {
	s.tenant.Put(source, "inbox", "", "Inbox/", "")
	for i := range n {
		s.tenant.Put(source, fmt.Sprint("m", i), "inbox", fmt.Sprint("mail ", i), enginetest.Body(fmt.Sprint(source, i), 300))
	}
}

func backup(source string) holdfast.Task {
	return holdfast.Task{ID: holdfast.TaskID("backup " + source), Kind: holdfast.TaskBackup, Container: enginetest.Container(source)}
}

func TestASessionFromDiscoveryToRestore(t *testing.T) {
	s := newSite(t)
	s.fill("ann", 8)
	s.fill("bob", 2)
	s.fill("cid", 1)
	s.tenant.Refuse("cid", &holdfast.Skip{Reason: holdfast.SkipUnlicensed, Err: errors.New("no licence")})
	s.run()
	s.control.Session("session 1")

	s.control.add(holdfast.Task{ID: "discover", Kind: holdfast.TaskDiscover})
	found := s.control.wait(t, "discover")
	if found.Err != "" || len(found.Found) != 2 || len(found.Skipped) != 1 || found.Skipped[0].State != holdfast.StateGone {
		t.Fatalf("discovered %+v", found)
	}
	for _, c := range found.Found {
		s.control.add(backup(c.Source))
	}
	for _, c := range found.Found {
		r := s.control.wait(t, backup(c.Source).ID)
		if r.Err != "" || r.Entry.State != holdfast.StateUpdated {
			t.Fatalf("backup %+v", r)
		}
	}
	if got := s.control.sums["backup ann"]; got.Items != 9 || got.ReadBytes != 8*300 {
		t.Errorf("statistics %+v, want 9 items of 2,400 bytes", got)
	}
	s.control.add(holdfast.Task{ID: "finish", Kind: holdfast.TaskFinish})
	finish := s.control.wait(t, "finish")
	if finish.Err != "" || finish.RestorePoint == nil || len(finish.RestorePoint.Entries) != 2 {
		t.Fatalf("finish %+v", finish)
	}

	request, err := json.Marshal(holdfast.RestoreRequest{ID: "r1", Point: finish.RestorePoint.ID, From: enginetest.Container("ann").Key(), To: "dan"})
	if err != nil {
		t.Fatal(err)
	}
	s.tenant.Put("dan", "own", "", "own", "own")
	s.tenant.Delete("dan", "own")
	s.control.add(holdfast.Task{ID: "restore", Kind: holdfast.TaskRestore, Request: request})
	if r := s.control.wait(t, "restore"); r.Err != "" {
		t.Fatalf("restore %+v", r)
	}
	if fmt.Sprint(s.tenant.Contents("dan")) != fmt.Sprint(s.tenant.Contents("ann")) {
		t.Errorf("dan has %v", s.tenant.Contents("dan"))
	}

	s.control.add(holdfast.Task{ID: "retention", Kind: holdfast.TaskRetention})
	if r := s.control.wait(t, "retention"); r.Err != "" {
		t.Errorf("retention %+v", r)
	}

	// What was backed up can be browsed and saved with the tenant out of reach.
	e := &proxy.Explorer{Explorer: explorer.New(explorer.Config{Vault: s.vault, Heads: s.control, Paths: func(context.Context, holdfast.RepositoryID) (string, error) {
		return s.dir, nil
	}})}
	view := holdfast.View{Repository: enginetest.Repository, Organization: enginetest.Organization, Container: enginetest.Container("ann").Key(), Head: finish.RestorePoint.Entries[0].Head}
	if finish.RestorePoint.Entries[0].Container.Source != "ann" {
		view.Head = finish.RestorePoint.Entries[1].Head
	}
	var zipped bytes.Buffer
	if err := e.Export(t.Context(), view, nil, &zipped); err != nil {
		t.Fatal(err)
	}
	if !bytes.Contains(zipped.Bytes(), []byte("Inbox/mail 7.eml")) || bytes.Contains(zipped.Bytes(), []byte(export.IncompleteName)) {
		t.Error("the ZIP lacks a mail or says that it is not complete")
	}
}

func TestACancelIsHeardAndReported(t *testing.T) {
	s := newSite(t)
	s.fill("ann", 3)
	reading := make(chan struct{})
	s.tenant.Reading = func(ctx context.Context, _ holdfast.Container) error {
		close(reading)
		<-ctx.Done()
		return ctx.Err()
	}
	s.run()
	s.control.add(backup("ann"))
	<-reading
	began := time.Now()
	s.control.mu.Lock()
	s.control.cancelled["backup ann"] = true
	s.control.mu.Unlock()
	r := s.control.wait(t, "backup ann")
	if !strings.Contains(r.Err, "stopped") || r.Retriable || time.Since(began) > 5*time.Second {
		t.Errorf("%+v after %v", r, time.Since(began))
	}
}

func TestAPanicFailsTheTaskOnly(t *testing.T) {
	s := newSite(t)
	s.fill("ann", 1)
	s.fill("bob", 1)
	var log bytes.Buffer
	s.config.Log = slog.New(slog.NewTextHandler(&log, nil))
	s.tenant.Reading = func(_ context.Context, c holdfast.Container) error {
		if c.Source == "ann" {
			panic("slip of the pen")
		}
		return nil
	}
	s.run()
	s.control.add(backup("ann"))
	s.control.add(backup("bob"))
	r := s.control.wait(t, "backup ann")
	if !strings.Contains(r.Err, "internal error") || strings.Contains(r.Err, "slip") || !r.Retriable {
		t.Errorf("%+v: want an internal error with an id, and no inside", r)
	}
	if r := s.control.wait(t, "backup bob"); r.Err != "" {
		t.Errorf("the other task: %+v", r)
	}
	if err := s.stop(); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(log.String(), "slip of the pen") {
		t.Error("the log does not say what happened")
	}
}

func TestLostLeasesEndTheWork(t *testing.T) {
	s := newSite(t)
	s.fill("ann", 1)
	reading, ended := make(chan struct{}), make(chan struct{})
	s.tenant.Reading = func(ctx context.Context, _ holdfast.Container) error {
		close(reading)
		<-ctx.Done()
		close(ended)
		return context.Cause(ctx)
	}
	s.run()
	s.control.add(backup("ann"))
	<-reading
	s.control.mu.Lock()
	s.control.down = true
	s.control.mu.Unlock()
	select {
	case <-ended:
	case <-time.After(5 * time.Second):
		t.Fatal("the work goes on without a lease")
	}
	if err := s.stop(); err != nil {
		t.Error(err)
	}
	if len(s.control.results) != 0 || len(s.control.All()) != 0 {
		t.Errorf("results %+v, heads %v; want none", s.control.results, s.control.All())
	}
}

func TestAnEndThatCouldNotBeReportedIsReportedAgain(t *testing.T) {
	s := newSite(t)
	s.config.Lease = time.Minute
	s.fill("ann", 1)
	s.control.deaf = 2
	s.run()
	s.control.add(backup("ann"))
	if r := s.control.wait(t, "backup ann"); r.Err != "" {
		t.Errorf("%+v", r)
	}
}

// At the end, what waits for company is committed and what is in the middle is left for another one.
func TestDrainCommitsWhatIsReadAndLeavesTheRest(t *testing.T) {
	s := newSite(t)
	s.config.Engine.Quiet = time.Hour
	s.config.Engine.Window = time.Hour
	s.fill("ann", 2)
	s.fill("bob", 2)
	reading, waiting := make(chan struct{}), make(chan struct{})
	s.tenant.Reading = func(ctx context.Context, c holdfast.Container) error {
		if c.Source == "ann" {
			return nil
		}
		close(reading)
		<-ctx.Done()
		return context.Cause(ctx)
	}
	s.config.Tasks = 1 // a container that waits frees its slot
	s.run()
	s.control.add(backup("ann"))
	go func() {
		s.control.add(backup("bob"))
		<-reading
		close(waiting)
	}()
	<-waiting
	began := time.Now()
	if err := s.stop(); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(began); took > 4*time.Second {
		t.Errorf("the end took %v", took)
	}
	if r, ok := s.control.results["backup ann"]; !ok || r.Err != "" {
		t.Errorf("ann: %+v", r)
	}
	if _, ok := s.control.results["backup bob"]; ok {
		t.Error("bob was reported as ended")
	}
	if n := len(s.control.All()); n != 1 {
		t.Errorf("%d heads, want ann's", n)
	}
}

func TestARestoreDoesNotWaitForBackups(t *testing.T) {
	s := newSite(t)
	s.config.Tasks = 1
	s.fill("ann", 1)
	s.fill("bob", 1)
	s.run()
	s.control.Session("session 1")
	s.control.add(backup("ann"))
	s.control.wait(t, "backup ann")
	s.control.add(holdfast.Task{ID: "finish", Kind: holdfast.TaskFinish})
	point := s.control.wait(t, "finish").RestorePoint
	reading, gate := make(chan struct{}), make(chan struct{})
	defer close(gate)
	s.tenant.Reading = func(ctx context.Context, _ holdfast.Container) error {
		close(reading)
		<-gate
		return nil
	}
	s.control.add(backup("bob"))
	<-reading
	request, err := json.Marshal(holdfast.RestoreRequest{ID: "r1", Point: point.ID, From: enginetest.Container("ann").Key()})
	if err != nil {
		t.Fatal(err)
	}
	s.control.add(holdfast.Task{ID: "restore", Kind: holdfast.TaskRestore, Request: request})
	if r := s.control.wait(t, "restore"); r.Err != "" {
		t.Errorf("restore %+v", r)
	}
}

func TestAJobOfSomeUsersAsksForThoseOnly(t *testing.T) {
	s := newSite(t)
	s.fill("ann", 1)
	s.fill("bob", 1)
	s.control.access.Job = holdfast.Job{Scope: holdfast.SelectedItems, Selected: []holdfast.JobItem{{ObjectID: "bob", Mailbox: true}, {ObjectID: "ann", OneDrive: true}}}
	s.run()
	s.control.add(holdfast.Task{ID: "discover", Kind: holdfast.TaskDiscover})
	r := s.control.wait(t, "discover")
	if len(r.Found) != 1 || r.Found[0].Source != "bob" {
		t.Errorf("found %+v", r.Found)
	}
}
