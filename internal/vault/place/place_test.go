package place_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"holdfast/internal/holdfast"
	"holdfast/internal/vault/place"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const organization = "11111111-2222-3333-4444-555555555555"

func options(t testing.TB, dir string) place.Options {
	t.Helper()
	return place.Options{Dir: dir, Organization: organization, Password: bytes.Repeat([]byte{7}, 32)}
}

func prepare(t testing.TB, dir string) {
	t.Helper()
	if err := place.Prepare(dir, place.Description{ID: "99999999-2222-3333-4444-555555555555", KeyID: "k1"}); err != nil {
		t.Fatal(err)
	}
}

// create makes a place with one store.
func create(t testing.TB) place.Options {
	t.Helper()
	o := options(t, filepath.Join(t.TempDir(), "place"))
	prepare(t, o.Dir)
	if err := place.Create(context.Background(), o); err != nil {
		t.Fatal(err)
	}
	return o
}

func open(t testing.TB, o place.Options) *place.Store {
	t.Helper()
	s, err := place.Open(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { closeStore(t, s) })
	return s
}

func closeStore(t testing.TB, s *place.Store) {
	t.Helper()
	if err := s.Close(context.Background()); err != nil {
		t.Errorf("close: %v", err)
	}
}

func session(t testing.TB, s *place.Store) *place.Session {
	t.Helper()
	w, err := s.Session(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// random gives n bytes that depend on the seed only.
func random(seed uint64, n int) []byte {
	r := rand.New(rand.NewPCG(seed, 1))
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	return b
}

func put(t testing.TB, w *place.Session, data []byte, h place.Hint) place.ObjectID {
	t.Helper()
	id, n, err := w.Put(context.Background(), bytes.NewReader(data), h)
	if err != nil || n != int64(len(data)) {
		t.Fatalf("put of %d bytes: %d, %v", len(data), n, err)
	}
	return id
}

func flush(t testing.TB, w *place.Session) {
	t.Helper()
	if err := w.Flush(context.Background()); err != nil {
		t.Fatal(err)
	}
}

func get(s interface {
	OpenObject(context.Context, place.ObjectID) (io.ReadSeekCloser, int64, error)
}, id place.ObjectID) ([]byte, error) {
	r, size, err := s.OpenObject(context.Background(), id)
	if err != nil {
		return nil, err
	}
	data, err := io.ReadAll(r)
	if err == nil && int64(len(data)) != size {
		err = errors.New("size differs")
	}
	return data, errors.Join(err, r.Close())
}

func record(t testing.TB, s *place.Store, name string, data string) {
	t.Helper()
	if err := s.PutRecord(context.Background(), place.Record{Name: name, Data: []byte(data)}); err != nil {
		t.Fatal(err)
	}
}

func wantKind(t testing.TB, err error, want holdfast.Kind, words ...string) {
	t.Helper()
	if err == nil || holdfast.KindOf(err) != want {
		t.Fatalf("error %v of kind %v, want kind %v", err, holdfast.KindOf(err), want)
	}
	for _, w := range words {
		if !strings.Contains(err.Error(), w) {
			t.Errorf("error %q does not say %q", err, w)
		}
	}
}

func TestObjectsAndRecordsSurviveReopening(t *testing.T) {
	o := create(t)
	s := open(t, o)
	w := session(t, s)
	want := map[place.ObjectID][]byte{}
	for i, size := range []int{0, 1, 100, 256 << 10, 3 << 20} {
		for _, h := range []place.Hint{place.Block, place.File, place.Packed} {
			data := random(uint64(i), size)
			want[put(t, w, data, h)] = data
		}
	}
	for id, data := range want {
		if got, err := get(w, id); err != nil || !bytes.Equal(got, data) {
			t.Errorf("unflushed object %s: %d bytes, %v; want %d", id, len(got), err, len(data))
		}
	}
	flush(t, w)
	record(t, s, "journal/000002", "two")
	record(t, s, "journal/000001", strings.Repeat("one", 1000))
	head := s.LedgerHead()
	closeStore(t, s)

	s = open(t, o)
	if got := s.LedgerHead(); got != head || head.Sequence == 0 {
		t.Errorf("ledger head after reopening = %v, want %v", got, head)
	}
	for id, data := range want {
		if got, err := get(s, id); err != nil || !bytes.Equal(got, data) {
			t.Errorf("object %s: %d bytes, %v; want %d", id, len(got), err, len(data))
		}
	}
	var names []string
	for name, err := range s.Records(context.Background(), "journal/") {
		if err != nil {
			t.Fatal(err)
		}
		names = append(names, name)
	}
	if want := []string{"journal/000001", "journal/000002"}; !slices.Equal(names, want) {
		t.Errorf("records = %v, want %v", names, want)
	}
	if got, err := s.ReadRecord(context.Background(), "journal/000001"); err != nil || string(got) != strings.Repeat("one", 1000) {
		t.Errorf("record = %.20q, %v", got, err)
	}
	_, err := s.ReadRecord(context.Background(), "journal/000003")
	wantKind(t, err, holdfast.KindNotFound)
}

func TestSeekInObject(t *testing.T) {
	s := open(t, create(t))
	w := session(t, s)
	data := random(3, 5<<20)
	id := put(t, w, data, place.File)
	flush(t, w)
	r, _, err := s.OpenObject(context.Background(), id)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.Seek(4<<20, io.SeekStart); err != nil {
		t.Fatal(err)
	}
	got, err := io.ReadAll(r)
	if err != nil || !bytes.Equal(got, data[4<<20:]) {
		t.Errorf("tail: %d bytes, %v", len(got), err)
	}
	if err := r.Close(); err != nil {
		t.Error(err)
	}
}

func TestCreateRefusesWhatIsThere(t *testing.T) {
	o := create(t)
	wantKind(t, place.Create(context.Background(), o), holdfast.KindConflict)
	wantKind(t, place.Prepare(o.Dir, place.Description{ID: "x", KeyID: "k"}), holdfast.KindConflict)
	full := t.TempDir()
	if err := os.WriteFile(filepath.Join(full, "letter.txt"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	wantKind(t, place.Prepare(full, place.Description{ID: "x", KeyID: "k"}), holdfast.KindInvalid, "letter.txt")
}

func TestOpenNamesWhatIsWrong(t *testing.T) {
	o := create(t)
	ctx := context.Background()

	other := o
	other.Password = bytes.Repeat([]byte{8}, 32)
	_, err := place.Open(ctx, other)
	wantKind(t, err, holdfast.KindInvalid, "key")

	other = o
	other.Dir = filepath.Join(o.Dir, "missing")
	_, err = place.Open(ctx, other)
	wantKind(t, err, holdfast.KindUnavailable, "missing", "mount")

	other = o
	other.Dir = t.TempDir()
	_, err = place.Open(ctx, other)
	wantKind(t, err, holdfast.KindNotFound, "holdfast.json")

	other = o
	other.Shard = 1
	_, err = place.Open(ctx, other)
	wantKind(t, err, holdfast.KindNotFound, organization)

	s := open(t, o)
	_, err = place.Open(ctx, o)
	wantKind(t, err, holdfast.KindConflict, "in use")
	reader := o
	reader.ReadOnly = true
	r := open(t, reader)
	_, err = r.Session(ctx)
	wantKind(t, err, holdfast.KindConflict, "reading only")
	wantKind(t, r.PutRecord(ctx, place.Record{Name: "journal/1"}), holdfast.KindConflict, "reading only")
	closeStore(t, s)

	path := filepath.Join(o.Dir, "holdfast.json")
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, bytes.Replace(text, []byte(`"format": 1`), []byte(`"format": 2`), 1), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err = place.Open(ctx, o)
	wantKind(t, err, holdfast.KindInvalid, "format 2", "newer holdfast")
}

func TestRecordIsNeverOverwritten(t *testing.T) {
	s := open(t, create(t))
	record(t, s, "point/a", "first")
	err := s.PutRecord(context.Background(), place.Record{Name: "point/a", Data: []byte("second")})
	wantKind(t, err, holdfast.KindConflict, "point/a")
	if got, err := s.ReadRecord(context.Background(), "point/a"); err != nil || string(got) != "first" {
		t.Errorf("record = %q, %v", got, err)
	}
	for _, name := range []string{"ledger/1", "point", "point/a/b", "point/../a", "Point/a", "point/a.b", "format/repository"} {
		wantKind(t, s.PutRecord(context.Background(), place.Record{Name: name}), holdfast.KindInvalid)
	}
}

func TestRecordCannotStandInForAnother(t *testing.T) {
	o := create(t)
	s := open(t, o)
	record(t, s, "point/a", "a")
	record(t, s, "point/b", "b")
	dir := filepath.Join(o.Dir, organization, "000", "h")
	a, err := os.ReadFile(filepath.Join(dir, "hpoint.a"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "hpoint.b"), a, 0o600); err != nil {
		t.Fatal(err)
	}
	_, err = s.ReadRecord(context.Background(), "point/b")
	wantKind(t, err, holdfast.KindDamaged, "point/b")
}

func TestIdleSessionsWriteNothing(t *testing.T) {
	s := open(t, create(t))
	w := session(t, s)
	put(t, w, []byte("known"), place.Block)
	flush(t, w)
	record(t, s, "journal/1", "one")
	before, _ := s.Written()
	for range 100 {
		put(t, w, []byte("known"), place.Block)
		flush(t, w)
	}
	if after, _ := s.Written(); after != before {
		t.Errorf("%d blobs written by idle sessions", after-before)
	}
}

func TestFiveThousandContainersShareTenBlobs(t *testing.T) {
	s := open(t, create(t))
	w := session(t, s)
	before, _ := s.Written()
	for i := range 5000 {
		put(t, w, random(uint64(i), 100), place.Block)
	}
	flush(t, w)
	record(t, s, "journal/1", strings.Repeat("head ", 5000))
	record(t, s, "point/1", "point")
	if after, _ := s.Written(); after-before > 10 {
		t.Errorf("%d blobs for one session of 5,000 small segments, want at most 10", after-before)
	}
}

func TestErrorOfTheSourceLeavesTheSessionUsable(t *testing.T) {
	s := open(t, create(t))
	w := session(t, s)
	kept := put(t, w, []byte("acknowledged"), place.Block)
	flush(t, w)
	record(t, s, "journal/1", "one")
	if data, err := get(s, kept); err != nil || string(data) != "acknowledged" {
		t.Errorf("object = %q, %v", data, err)
	}
	boom := errors.New("source broke")
	_, _, err := w.Put(context.Background(), io.MultiReader(strings.NewReader("x"), failing{boom}), place.File)
	if !errors.Is(err, boom) {
		t.Errorf("error = %v, want the source's", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	endless := readerFunc(func(p []byte) (int, error) {
		cancel()
		return len(p), nil
	})
	if _, _, err := w.Put(ctx, endless, place.File); !errors.Is(err, context.Canceled) {
		t.Errorf("error = %v, want the end of the context", err)
	}
	if err := w.Flush(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("flush: %v, want the end of the context", err)
	}
	id := put(t, w, []byte("still usable"), place.Block)
	flush(t, w)
	if data, err := get(s, id); err != nil || string(data) != "still usable" {
		t.Errorf("object = %q, %v", data, err)
	}
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }
