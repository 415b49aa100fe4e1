package vault

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"holdfast/internal/holdfast"
	"holdfast/internal/sys"
	"holdfast/internal/vault/place"
)

// bench is a repository in a temporary folder.
type bench struct {
	t     testing.TB
	dir   string
	ref   Ref
	clock *sys.Shifted
	vault *Vault
	repo  *Repository
	opts  Options
}

const testOrganization holdfast.OrganizationID = "0f0e0d0c-0000-4000-8000-000000000001"

var testMailbox = holdfast.Container{Organization: testOrganization, Kind: holdfast.Mailbox, Source: "mailbox-1", Name: "A. Mailbox", Address: "a@example.com"}

func newBench(t testing.TB, change ...func(*Options)) *bench {
	t.Helper()
	b := &bench{t: t, dir: filepath.Join(t.TempDir(), "repository"), clock: sys.NewShifted(sys.System)}
	b.ref = Ref{Repository: "11111111-0000-4000-8000-000000000001", Path: b.dir, Organization: testOrganization}
	b.opts = Options{
		Clock: b.clock, Writers: 2, CacheBytes: 16 << 20,
		Password: func(context.Context, Ref) ([]byte, error) { return bytes.Repeat([]byte{7}, 32), nil },
	}
	for _, c := range change {
		c(&b.opts)
	}
	if err := place.Prepare(b.dir, place.Description{ID: b.ref.Repository, KeyID: "test", Created: b.clock.Now()}); err != nil {
		t.Fatal(err)
	}
	v := New(b.opts)
	if err := v.CreateRepository(t.Context(), b.ref, nil); err != nil {
		t.Fatal(err)
	}
	b.vault = v
	b.open()
	return b
}

func (b *bench) open() {
	b.t.Helper()
	r, err := b.vault.Repository(b.t.Context(), b.ref)
	if err != nil {
		b.t.Fatal(err)
	}
	b.repo = r
	b.t.Cleanup(func() { b.close() })
}

func (b *bench) close() {
	if b.repo == nil {
		return
	}
	ctx := context.Background()
	if err := b.repo.Close(); err != nil {
		b.t.Errorf("close repository: %v", err)
	}
	if err := b.vault.Close(ctx); err != nil {
		b.t.Errorf("close vault: %v", err)
	}
	b.repo = nil
}

// reopen is a restart of the process: what was not flushed is gone.
func (b *bench) reopen() {
	b.t.Helper()
	sizes, planted := b.repo.sizes, b.repo.bugs
	b.close()
	b.vault = New(b.opts)
	b.open()
	b.repo.sizes, b.repo.bugs = sizes, planted
}

func (b *bench) writer(base *Head) *Writer {
	b.t.Helper()
	return b.writerOf(testMailbox, base)
}

func (b *bench) writerOf(c holdfast.Container, base *Head) *Writer {
	b.t.Helper()
	w, err := b.repo.Writer(b.t.Context(), WriterOptions{Container: c, Base: base, Epoch: 1})
	if err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(w.Close)
	return w
}

func (b *bench) put(w *Writer, i holdfast.Item, body string) {
	b.t.Helper()
	if err := w.Put(b.t.Context(), i, text(holdfast.FormMIME, body)); err != nil {
		b.t.Fatal(err)
	}
}

func text(f holdfast.Form, body string) holdfast.Payload {
	return holdfast.Whole(f, strings.NewReader(body), int64(len(body)))
}

// publish seals and publishes, and gives the head; nil when there is none.
func (b *bench) publish(w *Writer) *Head {
	b.t.Helper()
	return b.publishAs(w, Published)
}

func (b *bench) publishAs(w *Writer, kind EntryKind) *Head {
	b.t.Helper()
	h, err := w.Seal(b.t.Context())
	if err != nil {
		b.t.Fatal(err)
	}
	if h == nil {
		return nil
	}
	if _, err := b.repo.Publish(b.t.Context(), []Head{*h}, kind); err != nil {
		b.t.Fatal(err)
	}
	return h
}

func (b *bench) view(h *Head) *View {
	b.t.Helper()
	v, err := b.repo.View(b.t.Context(), h)
	if err != nil {
		b.t.Fatal(err)
	}
	return v
}

func (b *bench) read(v *View, id string, f holdfast.Form) string {
	b.t.Helper()
	r, ok, err := v.Open(b.t.Context(), id, f)
	if err != nil || !ok {
		b.t.Fatalf("open %s of %s: ok %v, error %v", f, id, ok, err)
	}
	data, err := io.ReadAll(r)
	if err != nil {
		b.t.Fatalf("read %s of %s: %v", f, id, err)
	}
	if err := r.Close(); err != nil {
		b.t.Fatal(err)
	}
	return string(data)
}

func copyAll(w io.Writer, r io.Reader) (int64, error) { return io.Copy(w, r) }

func (b *bench) all(v *View) map[string]holdfast.Item {
	b.t.Helper()
	m := map[string]holdfast.Item{}
	for i, err := range v.All(b.t.Context()) {
		if err != nil {
			b.t.Fatal(err)
		}
		if _, ok := m[i.ID]; ok {
			b.t.Fatalf("item %s is listed twice", i.ID)
		}
		m[i.ID] = i
	}
	return m
}

var epoch0 = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func mail(n int, parent string) holdfast.Item {
	return holdfast.Item{
		ID: fmt.Sprintf("mail-%06d", n), Parent: parent, Kind: holdfast.KindMail, Version: "v1", Time: epoch0.Add(time.Duration(n) * time.Minute),
		Size: int64(n), Name: fmt.Sprintf("Subject %d", n), Fields: map[string]string{holdfast.FieldFrom: "b@example.com", holdfast.FieldRead: "true"},
	}
}

func folder(id, parent string) holdfast.Item {
	return holdfast.Item{ID: id, Parent: parent, Kind: holdfast.KindFolder, Version: "v1", Name: "Folder " + id}
}

func TestWhatWasPublishedReadsBackAfterReopening(t *testing.T) {
	b := newBench(t)
	ctx := t.Context()
	w := b.writer(nil)
	if err := w.Put(ctx, folder("inbox", "")); err != nil {
		t.Fatal(err)
	}
	bodies := map[string]string{}
	for n := range 300 {
		m := mail(n, "inbox")
		bodies[m.ID] = strings.Repeat(fmt.Sprintf("line %d of a mail\r\n", n), 1+n%400)
		b.put(w, m, bodies[m.ID])
	}
	if err := w.Cursor(ctx, "folders", "delta-1"); err != nil {
		t.Fatal(err)
	}
	h1 := b.publish(w)
	moved := mail(7, "archive")
	moved.Version = "v2"
	if err := w.Put(ctx, moved, holdfast.Kept(holdfast.FormMIME)); err != nil {
		t.Fatal(err)
	}
	if err := w.Delete(ctx, mail(8, "").ID); err != nil {
		t.Fatal(err)
	}
	h2 := b.publish(w)
	point := holdfast.RestorePoint{
		ID: "22222222-0000-4000-8000-000000000001", Organization: testOrganization, Job: "job", Time: b.clock.Now().UTC(),
		Entries: []holdfast.PointEntry{{Container: testMailbox, Head: h2.Number, State: holdfast.StateUpdated}},
	}
	if err := b.repo.WriteRestorePoint(ctx, point, []Head{*h2}); err != nil {
		t.Fatal(err)
	}
	b.reopen()

	c, err := b.repo.Rebuild(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if got := c.Published[testMailbox.Key()]; got == nil || got.Number != 2 || got.Items != 299 || got.Folders != 1 {
		t.Fatalf("rebuilt head: %+v", got)
	}
	if len(c.Points) != 1 || c.Points[0].Heads[testMailbox.Key()] != h2.Object {
		t.Fatalf("rebuilt restore points: %+v", c.Points)
	}
	for _, tc := range []struct {
		head    *Head
		parent7 string
		has8    bool
	}{{h1, "inbox", true}, {c.Published[testMailbox.Key()], "archive", false}} {
		v := b.view(tc.head)
		got := b.all(v)
		if _, ok := got["mail-000008"]; ok != tc.has8 {
			t.Errorf("head %d: mail 8 is there: %v", tc.head.Number, ok)
		}
		if p := got["mail-000007"].Parent; p != tc.parent7 {
			t.Errorf("head %d: mail 7 is in %q, want %q", tc.head.Number, p, tc.parent7)
		}
		if int64(len(got)) != tc.head.Items+tc.head.Folders {
			t.Errorf("head %d counts %d items and %d folders, has %d", tc.head.Number, tc.head.Items, tc.head.Folders, len(got))
		}
		for id := range got {
			if id != "inbox" && b.read(v, id, holdfast.FormMIME) != bodies[id] {
				t.Errorf("head %d: body of %s differs", tc.head.Number, id)
			}
		}
		if value, ok, err := v.Cursor(ctx, "folders"); value != "delta-1" || !ok || err != nil {
			t.Errorf("head %d: cursor %q %v %v", tc.head.Number, value, ok, err)
		}
	}
	f, err := b.view(h2).Folder(ctx, "inbox", ByTime)
	if err != nil {
		t.Fatal(err)
	}
	first, err := f.Page(ctx, 0, 3)
	if err != nil {
		t.Fatal(err)
	}
	if n, err := f.Count(ctx); n != 298 || err != nil {
		t.Errorf("folder counts %d (%v), want 298", n, err)
	}
	again, err := f.Page(ctx, 0, 3)
	if err != nil || !slices.EqualFunc(first, again, func(a, b holdfast.Item) bool { return a.ID == b.ID && maps.Equal(a.Fields, b.Fields) }) {
		t.Errorf("first page %v differs from the materialised one %v (%v)", first, again, err)
	}
	if first[0].ID != "mail-000299" {
		t.Errorf("newest mail is %s", first[0].ID)
	}
	got, err := b.repo.Verify(ctx, VerifyOptions{Payloads: true})
	if err != nil {
		t.Fatal(err)
	}
	if len(got.Damage) != 0 || got.Items == 0 || got.Blobs == 0 {
		t.Errorf("verification: %+v", got)
	}
}
