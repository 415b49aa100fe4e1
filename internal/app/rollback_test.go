package app

import (
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"holdfast/internal/holdfast"
	"holdfast/internal/service"
	"holdfast/internal/sys"
	"holdfast/internal/vault"
	"holdfast/internal/vault/keys"
)

const testOrganization = holdfast.OrganizationID("a5b1dbc1-b0d3-519c-963a-79d424526215")

// testServer is a server's data folder with one repository; what it backs up is written by hand.
type testServer struct {
	t    *testing.T
	s    *Server
	data string
	repo holdfast.Repository
	last map[string]*vault.Head
}

func newTestServer(t *testing.T) *testServer {
	t.Helper()
	data := t.TempDir()
	s, err := New(t.Context(), ServerConfig{Data: data, AdminPassword: "correct horse battery", Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	w := &testServer{t: t, s: s, data: data, last: map[string]*vault.Head{}}
	t.Cleanup(w.close)
	name, path := "main", filepath.Join(t.TempDir(), "repository")
	w.repo, err = s.services.Repositories.Create(t.Context(), service.User{Name: "admin", Role: service.RoleOwner}, service.RepositorySpec{Name: &name, Path: &path, RetentionType: "SnapshotBased"})
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func (w *testServer) close() {
	if w.s == nil {
		return
	}
	if err := w.s.Close(context.Background()); err != nil {
		w.t.Error(err)
	}
	w.s = nil
}

func container(source string) holdfast.Container {
	return holdfast.Container{Organization: testOrganization, Kind: holdfast.Mailbox, Source: source, Name: source, Address: source + "@example.com"}
}

// backup writes a mail into each container and a restore point of them all.
func (w *testServer) backup(point holdfast.RestorePointID, sources ...string) {
	w.t.Helper()
	ctx := w.t.Context()
	r, err := w.s.vaults.Open(ctx, w.repo, testOrganization)
	if err != nil {
		w.t.Fatal(err)
	}
	p := holdfast.RestorePoint{ID: point, Organization: testOrganization, Repository: w.repo.ID, Job: "job", JobName: "all", Time: sys.System.Now().UTC(), Status: holdfast.StatusSuccess}
	var heads []vault.Head
	for _, source := range sources {
		c := container(source)
		writer, err := r.Writer(ctx, vault.WriterOptions{Container: c, Base: w.last[source], Epoch: 1})
		if err != nil {
			w.t.Fatal(err)
		}
		body := "of " + source + " at " + string(point)
		item := holdfast.Item{ID: string(point), Kind: holdfast.KindMail, Version: "1", Name: body, Time: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)}
		if err := writer.Put(ctx, item, holdfast.Whole(holdfast.FormMIME, strings.NewReader(body), int64(len(body)))); err != nil {
			w.t.Fatal(err)
		}
		h, err := writer.Seal(ctx)
		if err != nil {
			w.t.Fatal(err)
		}
		if _, err := r.Publish(ctx, []vault.Head{*h}, vault.Published); err != nil {
			w.t.Fatal(err)
		}
		writer.Close()
		w.last[source] = h
		heads = append(heads, *h)
		p.Entries = append(p.Entries, holdfast.PointEntry{Container: c, Head: h.Number, HeadTime: h.Time, State: holdfast.StateUpdated})
	}
	if err := r.WriteRestorePoint(ctx, p, heads); err != nil {
		w.t.Fatal(err)
	}
	if err := r.Close(); err != nil {
		w.t.Fatal(err)
	}
}

// catalogued reads what the folder has into the database.
func (w *testServer) catalogued() {
	w.t.Helper()
	c, err := w.s.vaults.Rebuild(w.t.Context(), w.repo)
	if err != nil {
		w.t.Fatal(err)
	}
	if _, err := w.s.services.Repositories.Import(w.t.Context(), w.repo.ID, c); err != nil {
		w.t.Fatal(err)
	}
}

func (w *testServer) kit() keys.Kit {
	w.t.Helper()
	kit, err := w.s.vaults.kit(w.t.Context(), w.repo)
	if err != nil {
		w.t.Fatal(err)
	}
	return kit
}

// copyOf gives a copy of the repository's folder as it is now.
func (w *testServer) copyOf() string {
	w.t.Helper()
	dir := filepath.Join(w.t.TempDir(), "copy")
	if err := os.CopyFS(dir, os.DirFS(w.repo.Path)); err != nil {
		w.t.Fatal(err)
	}
	return dir
}

// rollback is what Rollback and LostParts find.
func rollback(t *testing.T, o *Offline) (damage []vault.Damage, remarks []string) {
	t.Helper()
	ctx := t.Context()
	damage, err := o.LostParts()
	if err != nil {
		t.Fatal(err)
	}
	for r, err := range o.Repositories(ctx) {
		if err != nil {
			t.Fatal(err)
		}
		d, s, err := o.Rollback(ctx, r)
		if err != nil {
			t.Fatal(err)
		}
		damage, remarks = append(damage, d...), append(remarks, s...)
	}
	if err := o.Close(ctx); err != nil {
		t.Fatal(err)
	}
	return damage, remarks
}

func TestFolderPutBackShowsByTheKit(t *testing.T) {
	w := newTestServer(t)
	w.backup("first", "a")
	early := w.kit()
	older := w.copyOf()
	w.backup("second", "a")
	late := w.kit()
	w.close()
	look := func(path string, kit keys.Kit) (string, string) {
		o, err := OpenWithKit(path, kit, false, slog.New(slog.DiscardHandler))
		if err != nil {
			t.Fatal(err)
		}
		damage, remarks := rollback(t, o)
		if len(damage)+len(remarks) != 1 {
			t.Fatalf("damage %+v, remarks %q: want one word", damage, remarks)
		}
		if len(damage) > 0 {
			return damage[0].What, ""
		}
		return "", remarks[0]
	}
	for _, tc := range []struct {
		name, path string
		kit        keys.Kit
		damage     string // "" for a remark
	}{
		{"now, newest kit", w.repo.Path, late, ""},
		{"now, older kit", w.repo.Path, early, ""},
		{"put back, newest kit", older, late, "the folder is older than the recovery kit"},
		{"put back, kit of that day", older, early, ""},
	} {
		damage, remark := look(tc.path, tc.kit)
		if tc.damage == "" && !strings.Contains(remark, "the folder is not older than the recovery kit") || tc.damage != "" && !strings.Contains(damage, tc.damage) {
			t.Errorf("%s: damage %q, remark %q", tc.name, damage, remark)
		}
	}
	bare := late
	bare.Parts = slices.Clone(late.Parts)
	bare.Parts[0].Sequence, bare.Parts[0].Hash = 0, ""
	if damage, remark := look(older, bare); damage != "" || !strings.Contains(remark, "can't tell") {
		t.Errorf("a kit without a head: damage %q, remark %q", damage, remark)
	}
	if err := os.RemoveAll(filepath.Join(older, string(testOrganization))); err != nil {
		t.Fatal(err)
	}
	if damage, _ := look(older, late); !strings.Contains(damage, "nothing of organization") {
		t.Errorf("an organization's folder is gone: damage %q", damage)
	}
}

func TestFolderPutBackShowsByTheServer(t *testing.T) {
	w := newTestServer(t)
	w.backup("first", "a", "b")
	w.catalogued()
	older := w.copyOf()
	w.backup("second", "a")
	w.catalogued()
	w.close()
	look := func() []vault.Damage {
		o, err := OpenWithData(t.Context(), w.data, "", "main", false, slog.New(slog.DiscardHandler))
		if err != nil {
			t.Fatal(err)
		}
		damage, _ := rollback(t, o)
		return damage
	}
	if damage := look(); len(damage) != 0 {
		t.Errorf("a sound folder: %+v", damage)
	}
	if err := errors.Join(os.RemoveAll(w.repo.Path), os.CopyFS(w.repo.Path, os.DirFS(older))); err != nil {
		t.Fatal(err)
	}
	damage := look()
	points, containers := []holdfast.RestorePointID{}, []string{}
	for _, d := range damage {
		points = append(points, d.Points...)
		for _, i := range d.Items {
			containers = append(containers, i.Container)
		}
	}
	if !slices.Equal(points, []holdfast.RestorePointID{"second"}) || !slices.Equal(containers, []string{container("a").Key()}) {
		t.Errorf("put back: %+v, want restore point second and the newest state of a", damage)
	}
}

func TestAnchorInTheDatabaseShowsAFolderPutBack(t *testing.T) {
	w := newTestServer(t)
	w.backup("first", "a")
	w.catalogued()
	older := w.copyOf()
	w.backup("second", "a")
	head := w.kit().Parts[0]
	text, err := json.Marshal(holdfast.LedgerHead{Sequence: head.Sequence, Hash: head.Hash, Time: sys.System.Now()})
	if err != nil {
		t.Fatal(err)
	}
	if err := service.OnStore(w.s.store).Write(t.Context(), func(ctx context.Context, tx service.Tx) error {
		return tx.PutSetting(ctx, "ledger/"+string(w.repo.ID)+"/"+string(testOrganization), string(text))
	}); err != nil {
		t.Fatal(err)
	}
	w.close()
	if err := errors.Join(os.RemoveAll(w.repo.Path), os.CopyFS(w.repo.Path, os.DirFS(older))); err != nil {
		t.Fatal(err)
	}
	o, err := OpenWithData(t.Context(), w.data, "", "main", false, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	damage, _ := rollback(t, o)
	if len(damage) != 1 || !strings.Contains(damage[0].What, "the folder is older than the server's database") {
		t.Errorf("put back: %+v", damage)
	}
}

func TestRebuildImportsWhatCanBeReadAndNamesTheRest(t *testing.T) {
	w := newTestServer(t)
	w.backup("first", "b")
	before := w.files()
	w.backup("second", "a", "b")
	damaged := slices.DeleteFunc(w.files(), func(path string) bool {
		return slices.Contains(before, path) || !strings.Contains(path, "/p/") && !strings.Contains(path, "/q/") && !strings.Contains(path, "journal.")
	})
	w.backup("third", "b")
	kit := w.kit()
	w.close()
	// What the second backup wrote is damaged but for its restore point: heads are lost, in their objects and in the journal.
	for _, path := range damaged {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for i := range data {
			data[i] ^= 0x40
		}
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	data := t.TempDir()
	out, err := Rebuild(t.Context(), RebuildConfig{Data: data, Path: w.repo.Path, Kit: kit, AdminPassword: "correct horse battery", Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatalf("damage ended the rebuild: %v", err)
	}
	if out.RestorePoints != 3 || out.Containers != 1 {
		t.Errorf("%d restore points of %d containers are back, want 3 of 1", out.RestorePoints, out.Containers)
	}
	hurt, lost := map[holdfast.RestorePointID]bool{}, map[string]bool{}
	for _, d := range out.Damage {
		for _, p := range d.Points {
			hurt[p] = true
		}
		for _, c := range d.Containers {
			lost[c] = true
		}
	}
	if !hurt["second"] || hurt["first"] || hurt["third"] || !lost[container("a").Key()] {
		t.Errorf("damage %+v: want restore point second hurt, with %s", out.Damage, container("a").Key())
	}
	// The rest is usable: the database has the other container's newest head.
	s, err := New(t.Context(), ServerConfig{Data: data, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := s.Close(context.WithoutCancel(t.Context())); err != nil {
			t.Error(err)
		}
	}()
	rec, err := s.services.Control.Head(t.Context(), out.Repository, testOrganization, container("b").Key(), w.last["b"].Number)
	if err != nil || rec.Number != w.last["b"].Number {
		t.Errorf("newest head of the sound container: %+v, %v", rec.Number, err)
	}
}

// files gives the files of the repository's folder.
func (w *testServer) files() (list []string) {
	w.t.Helper()
	err := filepath.WalkDir(w.repo.Path, func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			list = append(list, path)
		}
		return err
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return list
}
