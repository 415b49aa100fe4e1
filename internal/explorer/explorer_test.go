package explorer_test

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"holdfast/internal/explorer"
	"holdfast/internal/holdfast"
	"holdfast/internal/vault"
	"holdfast/internal/vault/place"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	organization holdfast.OrganizationID = "0f0e0d0c-0000-4000-8000-000000000001"
	repository   holdfast.RepositoryID   = "0f0e0d0c-0000-4000-8000-000000000002"
)

var container = holdfast.Container{Organization: organization, Kind: holdfast.Drive, Source: "drive-1", Name: "Ann", Address: "ann@contoso.com"}

// shelf is a vault with heads of one container.
type shelf struct {
	t     *testing.T
	dir   string
	vault *vault.Vault
	repo  *vault.Repository
	heads map[uint64]holdfast.HeadRecord
	last  *vault.Head
	asked int
	*explorer.Explorer
}

func newShelf(t *testing.T) *shelf {
	t.Helper()
	s := &shelf{t: t, dir: filepath.Join(t.TempDir(), "place"), heads: map[uint64]holdfast.HeadRecord{}}
	s.must(place.Prepare(s.dir, place.Description{ID: repository, KeyID: "test", Created: time.Now()}))
	s.vault = vault.New(vault.Options{Password: func(context.Context, vault.Ref) ([]byte, error) { return []byte(strings.Repeat("k", 32)), nil }})
	at := vault.Ref{Repository: repository, Path: s.dir, Organization: organization}
	s.must(s.vault.CreateRepository(t.Context(), at, nil))
	var err error
	s.repo, err = s.vault.Repository(t.Context(), at)
	s.must(err)
	t.Cleanup(func() {
		s.must(s.repo.Close())
		s.must(s.vault.Close(context.Background()))
	})
	s.Explorer = explorer.New(explorer.Config{Vault: s.vault, Heads: s, Paths: func(context.Context, holdfast.RepositoryID) (string, error) { return s.dir, nil }})
	return s
}

func (s *shelf) must(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

func (s *shelf) Head(_ context.Context, _ holdfast.RepositoryID, _ holdfast.OrganizationID, key string, number uint64) (holdfast.HeadRecord, error) {
	s.asked++
	h, ok := s.heads[number]
	if !ok || key != container.Key() {
		return h, holdfast.NotFound("no head %d", number)
	}
	return h, nil
}

// write makes a head of what fn puts.
func (s *shelf) write(fn func(put func(id, parent, name, content string))) holdfast.View {
	s.t.Helper()
	ctx := s.t.Context()
	epoch := holdfast.Epoch(len(s.heads) + 1)
	w, err := s.repo.Writer(ctx, vault.WriterOptions{Container: container, Base: s.last, Epoch: epoch})
	s.must(err)
	defer w.Close()
	n := 0
	fn(func(id, parent, name, content string) {
		n++
		item := holdfast.Item{ID: id, Parent: parent, Kind: holdfast.KindFile, Name: name, Version: fmt.Sprint(epoch), Size: int64(len(content)), Time: time.Date(2026, 1, 1, 0, 0, n, 0, time.UTC)}
		if folder, ok := strings.CutSuffix(name, "/"); ok {
			item.Kind, item.Name = holdfast.KindFolder, folder
			s.must(w.Put(ctx, item))
			return
		}
		if strings.HasPrefix(id, "v-") {
			item.Kind = holdfast.KindVersion
		}
		if strings.HasPrefix(id, "p-") {
			item.Kind = holdfast.KindPost
			if reply, ok := strings.CutPrefix(parent, "p-"); ok {
				item.Fields = map[string]string{holdfast.FieldReplyTo: reply}
			}
		}
		if content == "-" {
			s.must(w.Delete(ctx, id))
			return
		}
		s.must(w.Put(ctx, item, holdfast.Whole(holdfast.FormFile, strings.NewReader(content), int64(len(content)))))
	})
	head, err := w.Seal(ctx)
	s.must(err)
	entry, err := s.repo.Publish(ctx, []vault.Head{*head}, vault.Published)
	s.must(err)
	record, err := head.Record(repository, entry.ID)
	s.must(err)
	s.heads[head.Number], s.last = record, head
	return holdfast.View{Repository: repository, Organization: organization, Container: container.Key(), Head: head.Number}
}

func names(p holdfast.ItemPage) string {
	var out []string
	for _, e := range p.Entries {
		out = append(out, e.Name)
	}
	return strings.Join(out, " ")
}

func TestBrowseAtEachRestorePoint(t *testing.T) {
	s := newShelf(t)
	first := s.write(func(put func(id, parent, name, content string)) {
		put("root", "", "root/", "")
		put("f1", "root", "B folder/", "")
		put("f2", "root", "a/b/", "")
		put("1", "root", "one.txt", "one")
		put("2", "root", "Two.txt", "two")
		put("3", "f2", "three.txt", "three")
		put("v-2", "2", "1.0", "older two")
	})
	second := s.write(func(put func(id, parent, name, content string)) {
		put("1", "f1", "one.txt", "moved and changed")
		put("2", "root", "Two.txt", "-")
		put("4", "root", "four.txt", "four")
	})
	for name, tc := range map[string]struct {
		q     holdfast.ItemQuery
		want  string
		total int64
	}{
		"root level":              {holdfast.ItemQuery{At: first}, "root", 1},
		"folders first, newest":   {holdfast.ItemQuery{At: first, Parent: "root"}, "a/b B folder Two.txt one.txt", 4},
		"by name":                 {holdfast.ItemQuery{At: first, Parent: "root", Sort: "name"}, "a/b B folder one.txt Two.txt", 4},
		"across the border":       {holdfast.ItemQuery{At: first, Parent: "root", Offset: 1, Limit: 2}, "B folder Two.txt", -1},
		"past the folders":        {holdfast.ItemQuery{At: first, Parent: "root", Offset: 3, Limit: 5}, "one.txt", 4},
		"past the end":            {holdfast.ItemQuery{At: first, Parent: "root", Offset: 9}, "", 4},
		"folders only":            {holdfast.ItemQuery{At: first, Parent: "root", Kinds: []holdfast.ItemKind{holdfast.KindFolder}}, "a/b B folder", 2},
		"files only":              {holdfast.ItemQuery{At: first, Parent: "root", Kinds: []holdfast.ItemKind{holdfast.KindFile}}, "Two.txt one.txt", 2},
		"the later point":         {holdfast.ItemQuery{At: second, Parent: "root"}, "a/b B folder four.txt", 3},
		"where it was moved to":   {holdfast.ItemQuery{At: second, Parent: "f1"}, "one.txt", 1},
		"search everywhere":       {holdfast.ItemQuery{At: first, Search: "*.txt"}, "three.txt Two.txt one.txt", 3},
		"search below a folder":   {holdfast.ItemQuery{At: first, Parent: "f2", Search: "txt"}, "three.txt", 1},
		"search by name, page":    {holdfast.ItemQuery{At: first, Search: "txt", Sort: "name", Offset: 1, Limit: 1}, "three.txt", 3},
		"search finds folders":    {holdfast.ItemQuery{At: first, Search: "kind:folder NOT root"}, "a/b B folder", 2},
		"search at the other one": {holdfast.ItemQuery{At: second, Search: "two"}, "", 0},
	} {
		t.Run(name, func(t *testing.T) {
			for range 2 { // the second time from the cache
				q := tc.q
				if q.Limit == 0 {
					q.Limit = 30
				}
				p, err := s.Items(t.Context(), q)
				if err != nil {
					t.Fatal(err)
				}
				if got := names(p); got != tc.want || p.Total != tc.total {
					t.Errorf("got %q, total %d; want %q, %d", got, p.Total, tc.want, tc.total)
				}
			}
		})
	}
	e, err := s.Item(t.Context(), first, "3")
	s.must(err)
	if e.Path != `/root/a\/b/three.txt` || len(e.Forms) != 1 || e.Forms[0] != holdfast.FormFile {
		t.Errorf("entry %+v", e)
	}
	versions, err := s.Versions(t.Context(), first, "2")
	s.must(err)
	if len(versions) != 1 || versions[0].ID != "v-2" {
		t.Errorf("versions %+v", versions)
	}
	for id, want := range map[string]struct{ body, name string }{"1": {"one", "one.txt"}, "v-2": {"older two", "Two (version 1.0).txt"}} {
		c, err := s.Open(t.Context(), first, id)
		s.must(err)
		body, err := io.ReadAll(c.Body)
		s.must(err)
		s.must(c.Body.Close())
		if string(body) != want.body || c.FileName != want.name || c.Size != int64(len(body)) || !strings.HasPrefix(c.Type, "text/plain") {
			t.Errorf("%s: %q, %+v", id, body, c)
		}
	}
	if s.asked != 2 {
		t.Errorf("the database was asked for a head %d times, want once for each of 2", s.asked)
	}
}

func TestExplorerRefusesWithTheReason(t *testing.T) {
	s := newShelf(t)
	at := s.write(func(put func(id, parent, name, content string)) { put("root", "", "root/", "") })
	never := at
	never.Head = 0
	unknown := at
	unknown.Head = 99
	for name, tc := range map[string]struct {
		fn   func() error
		kind holdfast.Kind
	}{
		"never read":      {func() error { _, err := s.Items(t.Context(), holdfast.ItemQuery{At: never}); return err }, holdfast.KindNotFound},
		"unknown state":   {func() error { _, err := s.Items(t.Context(), holdfast.ItemQuery{At: unknown}); return err }, holdfast.KindNotFound},
		"unknown item":    {func() error { _, err := s.Item(t.Context(), at, "x"); return err }, holdfast.KindNotFound},
		"a folder":        {func() error { _, err := s.Open(t.Context(), at, "root"); return err }, holdfast.KindInvalid},
		"negative offset": {func() error { _, err := s.Items(t.Context(), holdfast.ItemQuery{At: at, Offset: -1}); return err }, holdfast.KindInvalid},
		"huge limit":      {func() error { _, err := s.Items(t.Context(), holdfast.ItemQuery{At: at, Limit: 10_001}); return err }, holdfast.KindInvalid},
		"unknown order":   {func() error { _, err := s.Items(t.Context(), holdfast.ItemQuery{At: at, Sort: "size"}); return err }, holdfast.KindInvalid},
		"unknown field": {func() error {
			_, err := s.Items(t.Context(), holdfast.ItemQuery{At: at, Search: "colour:red"})
			return err
		}, holdfast.KindInvalid},
	} {
		if err := tc.fn(); holdfast.KindOf(err) != tc.kind {
			t.Errorf("%s: %v (%s), want %s", name, err, holdfast.KindOf(err), tc.kind)
		}
	}
}

func TestADeepPageCostsWhatTheFirstOneDoes(t *testing.T) {
	s := newShelf(t)
	const n = 20_000
	at := s.write(func(put func(id, parent, name, content string)) {
		put("root", "", "root/", "")
		for i := range n {
			put(fmt.Sprintf("i%05d", i), "root", fmt.Sprintf("file %05d", i), "x")
		}
	})
	page := func(offset int) (holdfast.ItemPage, time.Duration) {
		began := time.Now()
		p, err := s.Items(t.Context(), holdfast.ItemQuery{At: at, Parent: "root", Offset: offset, Limit: 50})
		s.must(err)
		return p, time.Since(began)
	}
	_, first := page(0)
	p, open := page(n - 100)
	if len(p.Entries) != 50 || p.Entries[0].Name != "file 00099" || p.Total != n {
		t.Fatalf("page %q, total %d", names(p), p.Total)
	}
	best := time.Hour
	for i := range 20 {
		_, took := page(n - 100 - 50*i)
		best = min(best, took)
	}
	t.Logf("first page %v, opening %v, a deep page %v", first, open, best)
	if best > 100*time.Millisecond {
		t.Errorf("a deep page takes %v", best)
	}
}

func TestDamageIsNamed(t *testing.T) {
	s := newShelf(t)
	body := strings.Repeat("0123456789", 20_000)
	at := s.write(func(put func(id, parent, name, content string)) { put("1", "", "big.bin", body) })
	err := filepath.WalkDir(s.dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasPrefix(d.Name(), "p") {
			return err
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		for i := range data {
			data[i] ^= 1
		}
		if err := os.Chmod(path, 0o600); err != nil {
			return err
		}
		return os.WriteFile(path, data, 0o600)
	})
	s.must(err)
	fresh := vault.New(vault.Options{ReadOnly: true, Password: func(context.Context, vault.Ref) ([]byte, error) { return []byte(strings.Repeat("k", 32)), nil }})
	defer func() { s.must(fresh.Close(context.Background())) }()
	e := explorer.New(explorer.Config{Vault: fresh, Heads: s, Paths: func(context.Context, holdfast.RepositoryID) (string, error) { return s.dir, nil }})
	c, err := e.Open(t.Context(), at, "1")
	if err == nil {
		_, err = io.Copy(io.Discard, c.Body)
		s.must(c.Body.Close())
	}
	if holdfast.KindOf(err) != holdfast.KindDamaged {
		t.Errorf("%v, want damaged", err)
	}
}

// TestASearchInAChannelFindsReplies, which lie in the posts that they reply to, and none of another channel.
func TestASearchInAChannelFindsReplies(t *testing.T) {
	s := newShelf(t)
	view := s.write(func(put func(id, parent, name, content string)) {
		put("general", "", "General/", "")
		put("other", "", "Other/", "")
		put("p-1", "general", "launch", "{}")
		put("p-2", "p-1", "which launch", "{}")
		put("p-3", "other", "no launch", "{}")
		put("p-4", "p-3", "a launch at last", "{}")
	})
	for _, q := range []struct{ parent, search, want string }{
		{"general", "launch", "which launch, launch"},
		{"general", "kind:*", "which launch, launch"},
		{"other", "last", "a launch at last"},
		{"p-3", "launch", "a launch at last"},
	} {
		page, err := s.Items(t.Context(), holdfast.ItemQuery{At: view, Parent: q.parent, Search: q.search, Kinds: []holdfast.ItemKind{holdfast.KindPost}, Limit: 10})
		s.must(err)
		if got := strings.Join(titles(page), ", "); got != q.want {
			t.Errorf("%q in %s: got %s, want %s", q.search, q.parent, got, q.want)
		}
	}
}

func titles(p holdfast.ItemPage) (all []string) {
	for _, e := range p.Entries {
		all = append(all, e.Name)
	}
	return all
}
