package engine_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
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
	"holdfast/internal/holdfast"
	"holdfast/internal/sys"
	"holdfast/internal/vault"
	"holdfast/internal/vault/place"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, goleak.Cleanup(func(code int) {
		if template != "" {
			_ = os.RemoveAll(template)
		}
		os.Exit(code)
	}))
}

var password = []byte("0123456789abcdef0123456789abcdef")

// judge is what a test needs of testing.T; a planted bug is tried before another one, that notes what was found.
type judge interface {
	Helper()
	Context() context.Context
	TempDir() string
	Cleanup(func())
	Errorf(format string, args ...any)
	Error(args ...any)
	Fatalf(format string, args ...any)
	Fatal(args ...any)
	Failed() bool
}

// world is a tenant, a database and a repository, and an engine between them that can be started again.
type world struct {
	t      judge
	dir    string
	clock  *sys.Shifted
	tenant *enginetest.Tenant
	db     *enginetest.Database
	config engine.Config

	vault   *vault.Vault
	repo    *vault.Repository
	engine  *engine.Engine
	plant   func(b *engine.Bugs) // nil: no mistake
	session int
	// truth is what each committed head must hold, by container and number; written before each commit may happen.
	truth map[string]map[string]string
	// excused are items of a head that may differ: those that the acknowledged entry names as skipped, or, when nothing was
	// acknowledged, those that can't be read.
	excused map[string]map[string]bool
}

// template is a made repository, copied for each test: making one costs most of a short test's time.
var (
	template string
	making   sync.Once
)

func newWorld(t judge) *world {
	t.Helper()
	making.Do(func() {
		var err error
		if template, err = os.MkdirTemp("", "engine"); err != nil {
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
	w := &world{t: t, dir: filepath.Join(t.TempDir(), "place"), clock: sys.NewShifted(sys.System), tenant: &enginetest.Tenant{}, truth: map[string]map[string]string{}, excused: map[string]map[string]bool{}}
	if err := os.CopyFS(w.dir, os.DirFS(filepath.Join(template, "place"))); err != nil {
		t.Fatal(err)
	}
	w.db = &enginetest.Database{Clock: w.clock}
	if f, ok := t.(*finder); ok {
		w.plant, w.db.Bugs.NoEpochs = f.plant, f.noEpochs
	}
	w.config = engine.Config{Quiet: time.Millisecond, CommitWait: time.Millisecond, RestoreWait: time.Millisecond, CommitTime: 2 * time.Second}
	t.Cleanup(func() { w.stop() })
	return w
}

// copy is a world of its own that stands as w does; w is stopped.
func (w *world) copy(t judge) *world {
	t.Helper()
	c := &world{
		t: t, dir: filepath.Join(t.TempDir(), "place"), clock: sys.NewShifted(w.clock), tenant: w.tenant.Clone(), db: w.db.Clone(),
		config: w.config, plant: w.plant, session: w.session, truth: maps.Clone(w.truth), excused: maps.Clone(w.excused),
	}
	c.db.Clock = c.clock
	if err := os.CopyFS(c.dir, os.DirFS(w.dir)); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.stop() })
	return c
}

// start opens the repository and makes an engine, everything broken as faults say.
func (w *world) start(faults *sys.Faults) error {
	w.t.Helper()
	w.stop()
	w.db.Faults, w.tenant.Faults = faults, faults
	w.vault = vault.New(vault.Options{
		Password: func(context.Context, vault.Ref) ([]byte, error) { return password, nil },
		Clock:    w.clock, Faults: faults, Log: slog.New(slog.DiscardHandler),
	})
	c := w.config
	c.Catalogue, c.Intents, c.Clock = w.db, w.db, w.clock
	w.engine = engine.New(c)
	if w.plant != nil {
		w.engine.Plant(w.plant)
	}
	repo, err := w.vault.Repository(w.t.Context(), vault.Ref{Repository: enginetest.Repository, Path: w.dir, Organization: enginetest.Organization})
	if err != nil {
		return err
	}
	w.repo = repo
	return nil
}

// stop closes what start opened; after a crash its errors mean nothing.
func (w *world) stop() {
	if w.repo != nil {
		_ = w.repo.Close()
		w.repo = nil
	}
	if w.vault != nil {
		_ = w.vault.Close(context.Background())
		w.vault = nil
	}
}

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

// backup backs a container up under a fresh lease.
func (w *world) backup(source string) (holdfast.PointEntry, error) {
	w.t.Helper()
	return w.backupAs(w.t.Context(), w.db.Lease(holdfast.TaskID(source)), source)
}

func (w *world) backupAs(ctx context.Context, lease holdfast.Lease, source string) (holdfast.PointEntry, error) {
	w.t.Helper()
	truth := w.tenant.Truth(source)
	known := map[uint64]bool{}
	key := enginetest.Container(source).Key()
	for _, h := range w.db.All() {
		if h.Container.Key() == key {
			known[h.Number] = true
		}
	}
	entry, _, err := w.engine.Backup(ctx, w.repo, w.tenant, engine.BackupTask{Lease: lease, Container: enginetest.Container(source)})
	there := false
	for _, h := range w.db.All() {
		if h.Container.Key() == key && !known[h.Number] {
			w.truth[fmt.Sprint(key, " ", h.Number)] = truth
			excused := w.tenant.Broken(source)
			if err == nil && entry.SkippedCount <= engine.SkippedListed {
				excused = map[string]bool{}
				for _, s := range entry.Skipped {
					excused[s.ID] = true
				}
			}
			w.excused[fmt.Sprint(key, " ", h.Number)] = excused
		}
		there = there || h.Container.Key() == key && h.Number == entry.Head
	}
	if err == nil && entry.Head != 0 && !there {
		w.t.Errorf("%s was acknowledged with head %d, which the database does not have", source, entry.Head)
	}
	return entry, err
}

// backupSession backs containers up and finishes with a restore point.
func (w *world) backupSession(sources ...string) (*holdfast.RestorePoint, error) {
	w.t.Helper()
	w.session++
	w.db.Session(holdfast.JobSessionID(fmt.Sprint("session ", w.session)))
	var errs []error
	for _, s := range sources {
		entry, err := w.backup(s)
		if err != nil {
			errs = append(errs, err)
		}
		w.db.Report(entry)
	}
	if len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	return w.engine.Finish(w.t.Context(), w.repo, engine.FinishTask{Lease: w.db.Lease("finish"), Attempt: 1})
}

// held reads all of a head.
func (w *world) held(record holdfast.HeadRecord) map[string]string {
	w.t.Helper()
	head, err := engine.HeadOf(&record)
	w.must(err)
	view, err := w.repo.View(w.t.Context(), head)
	w.must(err)
	got, err := enginetest.Held(w.t.Context(), view)
	if err != nil {
		w.t.Fatalf("head %d of %s: %v", record.Number, record.Container, err)
	}
	return got
}

func diff(got, want map[string]string) string {
	var b strings.Builder
	for _, id := range slices.Sorted(maps.Keys(want)) {
		if got[id] != want[id] {
			fmt.Fprintf(&b, "  %s: got %q, want %q\n", id, got[id], want[id])
		}
	}
	for id := range got {
		if _, ok := want[id]; !ok {
			fmt.Fprintf(&b, "  %s: got %q, want nothing\n", id, got[id])
		}
	}
	return b.String()
}

// check judges everything that was acknowledged: each head holds what the source had, each restore point names published heads, and its
// record in the repository says the same. It needs a start without faults.
func (w *world) check() {
	w.t.Helper()
	for _, record := range w.db.All() {
		want, ok := w.truth[fmt.Sprint(record.Container.Key(), " ", record.Number)]
		if !ok {
			w.t.Errorf("head %d of %s was committed when no backup of it ran", record.Number, record.Container)
			continue
		}
		got := w.held(record)
		for id := range w.excused[fmt.Sprint(record.Container.Key(), " ", record.Number)] {
			if _, ok := want[id]; ok {
				want = maps.Clone(want)
				delete(want, id)
				delete(got, id)
			}
		}
		if d := diff(got, want); d != "" {
			w.t.Errorf("head %d of %s is not what the source had:\n%s", record.Number, record.Container, d)
		}
	}
	stored := map[holdfast.RestorePointID]holdfast.RestorePoint{}
	for p, err := range w.repo.Points(w.t.Context()) {
		w.must(err)
		stored[p.ID] = p.RestorePoint
	}
	for _, p := range w.db.Points() {
		s, ok := stored[p.ID]
		if !ok {
			w.t.Errorf("restore point %s is in the database but not in the repository", p.ID)
			continue
		}
		if got, want := fmt.Sprintf("%+v", s.Entries), fmt.Sprintf("%+v", p.Entries); got != want {
			w.t.Errorf("restore point %s: the repository says %s, the database %s", p.ID, got, want)
		}
	}
}

// fill makes a mailbox with folders and some mail.
func (w *world) fill(source string, mails int) {
	w.tenant.Put(source, "root", "", "root/", "")
	w.tenant.Put(source, "inbox", "root", "Inbox/", "")
	w.tenant.Put(source, "empty", "root", "Empty/", "")
	for i := range mails {
		w.tenant.Put(source, fmt.Sprintf("m%03d", i), "inbox", fmt.Sprintf("mail %d", i), enginetest.Body(source+fmt.Sprint(i), 100+i*37))
	}
}

// files counts what is in the repository's folder.
func (w *world) files() int {
	n := 0
	err := filepath.WalkDir(w.dir, func(_ string, d os.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			n++
		}
		return err
	})
	w.must(err)
	return n
}
