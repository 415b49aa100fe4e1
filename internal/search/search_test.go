package search_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"holdfast/internal/extract"
	"holdfast/internal/holdfast"
	"holdfast/internal/search"
	"holdfast/internal/vault"
	"holdfast/internal/vault/place"
)

func TestMain(m *testing.M) {
	extract.Main() // a process that reads one PDF is this program too
	if dir := os.Getenv(indexerVariable); dir != "" {
		if err := indexHere(dir); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

const (
	organization holdfast.OrganizationID = "0f0e0d0c-0000-4000-8000-000000000001"
	repository   holdfast.RepositoryID   = "0f0e0d0c-0000-4000-8000-000000000002"
)

var begin = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// mailItem is an item as the oracle knows it.
type mailItem struct {
	item holdfast.Item
	body string
}

// world is a vault of mailboxes with restore points, and what each of them holds. It is the Catalogue.
type world struct {
	t      *testing.T
	dir    string
	vault  *vault.Vault
	repo   *vault.Repository
	heads  map[string]holdfast.HeadRecord // key/number
	points []holdfast.RestorePoint
	states map[holdfast.RestorePointID]map[string]mailItem // container key/item id
	last   map[string]*vault.Head
	now    map[string]mailItem
	index  *search.Index
	crash  func() error
	batch  int
	reads  int // heads that were asked for
	rng    *rand.Rand
	pcg    *rand.PCG
}

func newWorld(t *testing.T) *world {
	w := &world{t: t, dir: t.TempDir(), heads: map[string]holdfast.HeadRecord{}, states: map[holdfast.RestorePointID]map[string]mailItem{},
		last: map[string]*vault.Head{}, now: map[string]mailItem{}, pcg: rand.NewPCG(5, 5), crash: func() error { return nil }}
	w.rng = rand.New(w.pcg)
	folder := filepath.Join(w.dir, "place")
	w.must(place.Prepare(folder, place.Description{ID: repository, KeyID: "test", Created: begin}))
	w.vault = vault.New(vault.Options{Password: func(context.Context, vault.Ref) ([]byte, error) { return []byte(strings.Repeat("k", 32)), nil }})
	at := vault.Ref{Repository: repository, Path: folder, Organization: organization}
	w.must(w.vault.CreateRepository(t.Context(), at, nil))
	var err error
	w.repo, err = w.vault.Repository(t.Context(), at)
	w.must(err)
	w.open()
	t.Cleanup(func() { w.must(errors.Join(w.index.Close(), w.repo.Close(), w.vault.Close(context.Background()))) })
	return w
}

func (w *world) open() {
	w.index = search.New(search.Config{Folder: filepath.Join(w.dir, "search"), Vault: w.vault, Catalogue: w, Batch: max(w.batch, 7), Crash: func() error { return w.crash() }})
}

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) Organizations(context.Context) ([]holdfast.OrganizationID, error) {
	return []holdfast.OrganizationID{organization}, nil
}

func (w *world) Points(context.Context, holdfast.OrganizationID) ([]holdfast.RestorePoint, error) {
	return w.points, nil
}

func (w *world) Point(_ context.Context, id holdfast.RestorePointID) (holdfast.RestorePoint, error) {
	for _, p := range w.points {
		if p.ID == id {
			return p, nil
		}
	}
	return holdfast.RestorePoint{}, holdfast.NotFound("no point")
}

func (w *world) Containers(context.Context, holdfast.OrganizationID) (list []holdfast.ContainerRecord, err error) {
	for b := range 2 {
		if h := w.last[box(b).Key()]; h != nil {
			list = append(list, holdfast.ContainerRecord{Container: box(b), Repository: repository, Head: h.Number})
		}
	}
	return list, nil
}

func (w *world) Head(_ context.Context, _ holdfast.RepositoryID, _ holdfast.OrganizationID, key string, number uint64) (holdfast.HeadRecord, error) {
	w.reads++
	h, ok := w.heads[fmt.Sprint(key, "/", number)]
	if !ok {
		return h, holdfast.NotFound("no head %d of %s", number, key)
	}
	return h, nil
}

func (w *world) Path(context.Context, holdfast.RepositoryID) (string, error) {
	return filepath.Join(w.dir, "place"), nil
}

func box(n int) holdfast.Container {
	return holdfast.Container{Organization: organization, Kind: holdfast.Mailbox, Source: fmt.Sprint("box-", n), Name: fmt.Sprint("Owner ", n), Address: fmt.Sprintf("owner%d@contoso.com", n)}
}

var vocabulary = strings.Fields("alpha beta gamma delta epsilon zeta eta theta iota kappa Café budget report lunch")

func (w *world) text(n int) string {
	words := make([]string, n)
	for i := range words {
		words[i] = vocabulary[w.rng.IntN(len(vocabulary))]
	}
	return strings.Join(words, " ")
}

// churn changes a mailbox at random and makes a head of it.
func (w *world) churn(c holdfast.Container, changes int) {
	ctx := w.t.Context()
	writer, err := w.repo.Writer(ctx, vault.WriterOptions{Container: c, Base: w.last[c.Key()], Epoch: 1})
	w.must(err)
	defer writer.Close()
	if w.last[c.Key()] == nil {
		for _, f := range []string{"inbox", "archive"} {
			i := holdfast.Item{ID: f, Kind: holdfast.KindFolder, Name: strings.ToUpper(f[:1]) + f[1:], Version: "1"}
			w.must(writer.Put(ctx, i))
			w.now[c.Key()+"/"+f] = mailItem{item: i}
		}
	}
	for range changes {
		id := fmt.Sprint("item-", w.rng.IntN(40))
		have, ok := w.now[c.Key()+"/"+id]
		m := have
		m.item.Version = fmt.Sprint(w.rng.Int())
		var payload holdfast.Payload
		switch k := w.rng.IntN(10); {
		case ok && k < 2:
			w.must(writer.Delete(ctx, id))
			delete(w.now, c.Key()+"/"+id)
			continue
		case ok && k < 4: // moved
			m.item.Parent = []string{"inbox", "archive"}[w.rng.IntN(2)]
			payload = holdfast.Kept(holdfast.FormMIME)
		case ok && k < 6: // read
			m.item.Fields = map[string]string{holdfast.FieldFrom: have.item.Fields[holdfast.FieldFrom], holdfast.FieldRead: []string{"true", ""}[w.rng.IntN(2)]}
			payload = holdfast.Kept(holdfast.FormMIME)
		default:
			m.body = w.text(6)
			m.item = holdfast.Item{ID: id, Parent: "inbox", Kind: holdfast.KindMail, Version: m.item.Version, Name: w.text(2), Size: int64(w.rng.IntN(5000)),
				Time: begin.Add(time.Duration(w.rng.IntN(60)) * time.Hour), Fields: map[string]string{holdfast.FieldFrom: w.text(1) + "@contoso.com"}}
			mime := "Content-Type: text/plain; charset=utf-8\r\n\r\n" + m.body
			payload = holdfast.Whole(holdfast.FormMIME, strings.NewReader(mime), int64(len(mime)))
		}
		w.must(writer.Put(ctx, m.item, payload))
		w.now[c.Key()+"/"+id] = m
	}
	head, err := writer.Seal(ctx)
	w.must(err)
	if head == nil {
		return
	}
	entry, err := w.repo.Publish(ctx, []vault.Head{*head}, vault.Published)
	w.must(err)
	record, err := head.Record(repository, entry.ID)
	w.must(err)
	w.heads[fmt.Sprint(c.Key(), "/", head.Number)], w.last[c.Key()] = record, head
}

// point makes a restore point of the mailboxes as they are.
func (w *world) point() {
	n := len(w.states) + 1
	p := holdfast.RestorePoint{ID: holdfast.RestorePointID(fmt.Sprintf("0f0e0d0c-0000-4000-8000-%012d", n)), Organization: organization, Repository: repository, Time: begin.AddDate(0, 1, n)}
	for b := range 2 {
		if h := w.last[box(b).Key()]; h != nil {
			p.Entries = append(p.Entries, holdfast.PointEntry{Container: box(b), Head: h.Number})
		}
	}
	w.points = append(w.points, p)
	state := map[string]mailItem{}
	for k, v := range w.now {
		state[k] = v
	}
	w.states[p.ID] = state
}

// words is the oracle's own idea of what words of a text are.
func words(s string) []string {
	s = strings.ToLower(strings.ReplaceAll(s, "é", "e"))
	return strings.FieldsFunc(s, func(r rune) bool { return (r < 'a' || r > 'z') && (r < '0' || r > '9') })
}

func has(s string, phrase ...string) bool {
	all := words(s)
	for i := range all {
		if i+len(phrase) <= len(all) && slices.Equal(all[i:i+len(phrase)], phrase) {
			return true
		}
	}
	return false
}

func begins(s, prefix string) bool {
	return slices.ContainsFunc(words(s), func(w string) bool { return strings.HasPrefix(w, prefix) })
}

func any(m mailItem, phrase ...string) bool {
	return has(m.item.Name, phrase...) || has(m.item.Fields[holdfast.FieldFrom], phrase...) || has(m.body, phrase...)
}

func mail(m mailItem) bool { return m.item.Kind == holdfast.KindMail }

var questions = map[string]func(m mailItem) bool{
	"":                          func(mailItem) bool { return true },
	"alpha":                     func(m mailItem) bool { return any(m, "alpha") },
	"CAFE":                      func(m mailItem) bool { return any(m, "cafe") },
	`"alpha beta"`:              func(m mailItem) bool { return any(m, "alpha", "beta") },
	"alpha -beta":               func(m mailItem) bool { return any(m, "alpha") && !any(m, "beta") },
	"NOT alpha":                 func(m mailItem) bool { return !any(m, "alpha") },
	"alpha OR subject:lunch":    func(m mailItem) bool { return any(m, "alpha") || has(m.item.Name, "lunch") },
	"subject:lunch isread:true": func(m mailItem) bool { return has(m.item.Name, "lunch") && m.item.Fields[holdfast.FieldRead] == "true" },
	"isread:true OR from:budget": func(m mailItem) bool {
		return m.item.Fields[holdfast.FieldRead] == "true" || has(m.item.Fields[holdfast.FieldFrom], "budget")
	},
	"from:lunch@contoso.com": func(m mailItem) bool { return has(m.item.Fields[holdfast.FieldFrom], "lunch", "contoso", "com") },
	"body:ep*":               func(m mailItem) bool { return begins(m.body, "ep") },
	"body:*eta": func(m mailItem) bool {
		return slices.ContainsFunc(words(m.body), func(w string) bool { return strings.HasSuffix(w, "eta") })
	},
	"subject:?eta":                func(m mailItem) bool { return has(m.item.Name, "beta") || has(m.item.Name, "zeta") },
	"folder:archive kind:mail":    func(m mailItem) bool { return m.item.Parent == "archive" },
	"size:>2500 alpha":            func(m mailItem) bool { return m.item.Size > 2500 && any(m, "alpha") },
	"received:2026-01-02":         func(m mailItem) bool { return mail(m) && m.item.Time.Day() == 2 },
	"received:>2026-01-01 budget": func(m mailItem) bool { return mail(m) && m.item.Time.Day() > 1 && any(m, "budget") },
	"NOT (alpha OR isread:true) kind:mail": func(m mailItem) bool {
		return mail(m) && !any(m, "alpha") && m.item.Fields[holdfast.FieldRead] != "true"
	},
	"nothing*": func(mailItem) bool { return false },
}

// answers gives what the index finds, page by page.
func (w *world) answers(q holdfast.SearchQuery) []string {
	w.t.Helper()
	q.Limit = 9
	var got []string
	total := int64(-1)
	var last time.Time
	for {
		page, err := w.index.Search(w.t.Context(), q, []holdfast.SearchScope{{Organization: organization, All: true}})
		w.must(err)
		if total < 0 {
			if total = page.Total; !page.Exact || len(page.NotIndexed) > 0 {
				w.t.Fatalf("%q: total exact %v, not indexed %v", q.Text, page.Exact, page.NotIndexed)
			}
		}
		for _, r := range page.Results {
			if !last.IsZero() && r.Item.Time.After(last) {
				w.t.Fatalf("%q: not newest first", q.Text)
			}
			if last = r.Item.Time; last.IsZero() {
				last = begin.AddDate(-100, 0, 0)
			}
			if r.First.ID == "" || r.Last.Time.Before(r.First.Time) || r.Head == 0 {
				w.t.Fatalf("%q: points of %+v", q.Text, r)
			}
			got = append(got, fmt.Sprintf("%s/%s %s %d", r.Container.Key(), r.Item.ID, r.Item.Name, r.Item.Size))
		}
		if q.Cursor = page.Cursor; q.Cursor == "" {
			break
		}
	}
	if total != int64(len(got)) {
		w.t.Fatalf("%q: total %d, %d came", q.Text, total, len(got))
	}
	slices.Sort(got)
	return got
}

// judge compares all answers with a naive look at all that restore points hold.
func (w *world) judge(when string) {
	w.t.Helper()
	found := 0
	for text, want := range questions {
		everywhere := map[string]bool{}
		for _, p := range w.points {
			var here []string
			for key, m := range w.states[p.ID] {
				if want(m) {
					line := fmt.Sprintf("%s %s %d", key, m.item.Name, m.item.Size)
					here = append(here, line)
					// Versions that differ in the text only are documents of their own, too.
					everywhere[line+"\x00"+m.body+m.item.Fields[holdfast.FieldFrom]+m.item.Time.String()] = true
				}
			}
			slices.Sort(here)
			if got := w.answers(holdfast.SearchQuery{Text: text, At: p.Time}); !slices.Equal(got, here) {
				w.t.Fatalf("%s, %q at %s:\n got %q\nwant %q", when, text, p.ID, got, here)
			}
			found += len(here)
		}
		var all []string
		for line := range everywhere {
			line, _, _ = strings.Cut(line, "\x00")
			all = append(all, line)
		}
		slices.Sort(all)
		if got := w.answers(holdfast.SearchQuery{Text: text}); !slices.Equal(got, all) {
			w.t.Fatalf("%s, %q everywhere:\n got %q\nwant %q", when, text, got, all)
		}
	}
	if found < 100 {
		w.t.Errorf("%s: only %d were found: the test shows little", when, found)
	}
}

func TestAnswersAreThoseOfALookAtEverything(t *testing.T) {
	w := newWorld(t)
	update := func() { t.Helper(); w.must(w.index.Update(t.Context(), organization)) }
	for n := range 5 {
		for b := range 2 {
			w.churn(box(b), 25)
		}
		w.point()
		if n%2 == 0 {
			update()
		}
	}
	update()
	w.judge("after churn")
	// Retention: heads that no point shows are gone from the catalogue too.
	w.points = w.points[2:]
	kept := map[string]bool{}
	for _, p := range w.points {
		for _, e := range p.Entries {
			kept[fmt.Sprint(e.Container.Key(), "/", e.Head)] = true
		}
	}
	for k := range w.heads {
		if !kept[k] {
			delete(w.heads, k)
		}
	}
	update()
	w.judge("after retention")
	w.must(w.index.Close())
	w.must(os.RemoveAll(filepath.Join(w.dir, "search")))
	w.open()
	update()
	w.judge("after a rebuild")
	w.must(w.index.Close())
	side := filepath.Join(w.dir, "search", string(organization)+".db")
	w.must(os.WriteFile(side, []byte(strings.Repeat("no database", 1000)), 0o600))
	w.open()
	update()
	w.judge("after damage")
}

// TestHeadsAreIndexedBeforeTheirRestorePoint: the work is done while the session runs; nothing of it is seen before the restore point is there.
func TestHeadsAreIndexedBeforeTheirRestorePoint(t *testing.T) {
	w := newWorld(t)
	all := holdfast.SearchQuery{Limit: 500}
	scope := []holdfast.SearchScope{{Organization: organization, All: true}}
	for n := range 6 {
		before, err := w.index.Search(t.Context(), all, scope)
		w.must(err)
		for range 1 + n%2 { // heads that no restore point ever has
			w.churn(box(n%2), 20)
			w.must(w.index.Update(t.Context(), organization))
		}
		after, err := w.index.Search(t.Context(), all, scope)
		w.must(err)
		if !reflect.DeepEqual(before, after) {
			t.Fatalf("a head that no restore point has is seen:\n got %+v\nwant %+v", after, before)
		}
		w.point()
		if n == 3 { // retention meets heads that are ahead
			w.churn(box(0), 20)
			w.must(w.index.Update(t.Context(), organization))
			w.points = w.points[1:]
		}
		// Nothing is left to read from the vault: what comes is marks only.
		w.reads = 0
		w.must(w.index.Update(t.Context(), organization))
		if n != 3 && w.reads > 0 {
			t.Errorf("%d heads were read again", w.reads)
		}
	}
	w.judge("after indexing ahead")
}

func TestCrashesInTheMiddleLoseNothing(t *testing.T) {
	w := newWorld(t)
	crashed := errors.New("crashed")
	for range 2 {
		w.churn(box(0), 30)
		w.churn(box(1), 30)
		w.point()
		for at := 0; ; at++ {
			left := at % 5
			w.crash = func() error {
				if left--; left < 0 {
					return crashed
				}
				return nil
			}
			err := w.index.Update(t.Context(), organization)
			w.must(w.index.Close())
			w.open()
			if err == nil {
				break
			} else if at > 200 {
				t.Fatalf("it never ends: %v", err)
			}
		}
	}
	w.crash = func() error { return nil }
	w.must(w.index.Update(t.Context(), organization))
	w.judge("after crashes")
}

func TestWhatIsNotIndexedYetIsShown(t *testing.T) {
	w := newWorld(t)
	w.churn(box(0), 30)
	w.churn(box(1), 30)
	w.point()
	scope := holdfast.SearchScope{Organization: organization, All: true}
	pending := func(scope holdfast.SearchScope, at time.Time) (keys []string) {
		t.Helper()
		page, err := w.index.Search(t.Context(), holdfast.SearchQuery{Limit: 10, At: at}, []holdfast.SearchScope{scope})
		w.must(err)
		for _, n := range page.NotIndexed {
			if n.Since.IsZero() || n.Container.Name == "" {
				t.Errorf("got %+v", n)
			}
			keys = append(keys, n.Container.Key())
		}
		if status, err := w.index.Status(t.Context(), scope); err != nil || at.IsZero() && len(status.Pending) != len(keys) {
			t.Errorf("status has %+v, %v", status.Pending, err)
		}
		slices.Sort(keys)
		return keys
	}
	both := []string{box(0).Key(), box(1).Key()}
	if got := pending(scope, time.Time{}); !slices.Equal(got, both) {
		t.Errorf("before it knows of the restore point: %q", got)
	}
	if got := pending(holdfast.SearchScope{Organization: organization, Containers: both[:1]}, time.Time{}); !slices.Equal(got, both[:1]) {
		t.Errorf("who sees one: %q", got)
	}
	w.must(w.index.Update(t.Context(), organization))
	if got := pending(scope, time.Time{}); len(got) > 0 {
		t.Errorf("all is indexed, but: %q", got)
	}
	w.churn(box(1), 30)
	w.point()
	if got := pending(scope, time.Time{}); !slices.Equal(got, both[1:]) {
		t.Errorf("one has changed: %q", got)
	}
	if got := pending(scope, w.points[0].Time); len(got) > 0 {
		t.Errorf("at the time before: %q", got)
	}
	// A head that can't be read says why.
	kept := w.heads
	w.heads = map[string]holdfast.HeadRecord{}
	if err := w.index.Update(t.Context(), organization); err == nil {
		t.Error("a head that is lost is no error")
	}
	status, err := w.index.Status(t.Context(), scope)
	w.must(err)
	if len(status.Pending) != 1 || !strings.Contains(status.Pending[0].Err, "no head") || status.Err == "" {
		t.Errorf("got %+v", status)
	}
	w.heads = kept
	w.must(w.index.Update(t.Context(), organization))
	if got := pending(scope, time.Time{}); len(got) > 0 {
		t.Errorf("in the end: %q", got)
	}
}

// An index that is made anew knows of nothing: all that was ever backed up may be missing, not only what the newest restore points have.
func TestAllMayBeMissingFromAnIndexThatIsMadeAnew(t *testing.T) {
	w := newWorld(t)
	w.churn(box(0), 30)
	w.point()
	for range 6 { // of another job
		w.churn(box(1), 5)
		w.point()
		p := &w.points[len(w.points)-1]
		p.Entries = p.Entries[1:]
	}
	for _, scope := range []holdfast.SearchScope{{Organization: organization, All: true}, {Organization: organization, Containers: []string{box(0).Key()}}} {
		page, err := w.index.Search(t.Context(), holdfast.SearchQuery{Limit: 10}, []holdfast.SearchScope{scope})
		w.must(err)
		var keys []string
		for _, n := range page.NotIndexed {
			keys = append(keys, n.Container.Key())
		}
		slices.Sort(keys)
		want := []string{box(0).Key(), box(1).Key()}
		if !scope.All {
			want = want[:1]
		}
		if !slices.Equal(keys, want) {
			t.Errorf("who sees %+v: %q are not indexed", scope, keys)
		}
	}
	w.must(w.index.Update(t.Context(), organization))
	page, err := w.index.Search(t.Context(), holdfast.SearchQuery{Limit: 10}, []holdfast.SearchScope{{Organization: organization, All: true}})
	w.must(err)
	if len(page.NotIndexed) > 0 {
		t.Errorf("all is indexed, but %+v", page.NotIndexed)
	}
}

func TestScopeIsKept(t *testing.T) {
	w := newWorld(t)
	w.churn(box(0), 30)
	w.churn(box(1), 30)
	w.point()
	w.must(w.index.Update(t.Context(), organization))
	for _, keys := range [][]string{nil, {box(1).Key()}} {
		for _, at := range []time.Time{{}, w.points[0].Time} {
			page, err := w.index.Search(t.Context(), holdfast.SearchQuery{Text: "NOT zzz OR alpha", Limit: 100, At: at}, []holdfast.SearchScope{{Organization: organization, Containers: keys}})
			w.must(err)
			if (len(page.Results) > 0) != (len(keys) > 0) {
				t.Errorf("scope %v gives %d", keys, len(page.Results))
			}
			for _, r := range page.Results {
				if r.Container.Key() != box(1).Key() {
					t.Errorf("scope %v gives something of %s", keys, r.Container.Key())
				}
			}
		}
	}
}

// TestWhatIsNoSearchIsTakenForWords: only who asks for it.
func TestWhatIsNoSearchIsTakenForWords(t *testing.T) {
	w := newWorld(t)
	w.churn(box(0), 30)
	w.point()
	w.must(w.index.Update(t.Context(), organization))
	find := func(text string, lenient bool) (holdfast.SearchPage, error) {
		return w.index.Search(t.Context(), holdfast.SearchQuery{Text: text, Limit: 100, Lenient: lenient}, []holdfast.SearchScope{{Organization: organization, All: true}})
	}
	want, err := find("alpha", false)
	w.must(err)
	got, err := find("(alpha:", true)
	w.must(err)
	if len(want.Results) == 0 || len(got.Results) != len(want.Results) {
		t.Errorf("%d are found, not %d", len(got.Results), len(want.Results))
	}
	for text, lenient := range map[string]bool{"(alpha:": false, "(:": true} {
		if _, err := find(text, lenient); holdfast.KindOf(err) != holdfast.KindInvalid {
			t.Errorf("%q gives %v", text, err)
		}
	}
}

// TestTextOfFilesIsFound: what people write is in files, too, and in what is attached to mails.
func TestTextOfFilesIsFound(t *testing.T) {
	w := newWorld(t)
	pdf := "%PDF-1.4\n1 0 obj\n<< /Type /Catalog /Pages 2 0 R >>\nendobj\n2 0 obj\n<< /Type /Pages /Kids [3 0 R] /Count 1 >>\nendobj\n" +
		"3 0 obj\n<< /Type /Page /Parent 2 0 R /MediaBox [0 0 9 9] /Contents 4 0 R /Resources << /Font << /F1 5 0 R >> >> >>\nendobj\n"
	at := []int{strings.Index(pdf, "1 0 obj"), strings.Index(pdf, "2 0 obj"), strings.Index(pdf, "3 0 obj"), len(pdf)}
	stream := "BT /F1 12 Tf 72 720 Td (portable quokka) Tj ET"
	pdf += fmt.Sprintf("4 0 obj\n<< /Length %d >>\nstream\n%s\nendstream\nendobj\n", len(stream), stream)
	at = append(at, len(pdf))
	pdf += "5 0 obj\n<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>\nendobj\n"
	start := len(pdf)
	pdf += "xref\n0 6\n0000000000 65535 f \n"
	for _, n := range at {
		pdf += fmt.Sprintf("%010d 00000 n \n", n)
	}
	pdf += fmt.Sprintf("trailer\n<< /Size 6 /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n", start)
	mail := "Content-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\n\r\nsee there\r\n--x\r\nContent-Type: text/plain; name=\"notes.txt\"\r\nContent-Disposition: attachment\r\n\r\nattached wombat\r\n--x--\r\n"
	writer, err := w.repo.Writer(t.Context(), vault.WriterOptions{Container: box(0), Epoch: 1})
	w.must(err)
	defer writer.Close()
	for _, i := range []struct {
		item holdfast.Item
		form holdfast.Form
		data string
	}{
		{holdfast.Item{ID: "1", Kind: holdfast.KindFile, Name: "a.pdf", Version: "1"}, holdfast.FormFile, pdf},
		{holdfast.Item{ID: "2", Kind: holdfast.KindFile, Name: "会議の報告.txt", Version: "1"}, holdfast.FormFile, "次の会議は東京で ÄRGER straße"},
		{holdfast.Item{ID: "3", Kind: holdfast.KindMail, Name: "mail", Version: "1"}, holdfast.FormMIME, mail},
		{holdfast.Item{ID: "4", Kind: holdfast.KindFile, Name: "b.pdf", Version: "1"}, holdfast.FormFile, "%PDF-1.4 garbled"},
	} {
		w.must(writer.Put(t.Context(), i.item, holdfast.Whole(i.form, strings.NewReader(i.data), int64(len(i.data)))))
	}
	w.sealed(writer)
	w.finds(map[string]string{"quokka": "1", `"portable quokka"`: "1", "wombat": "3", "notes.txt": "3", "東京": "2", "会議": "2", "name:報告": "2", "name:東京": "", "arger": "2", "STRASSE": "", "Straße": "2", "b.pdf": "4", `"東で"`: ""})
}

// sealed makes a restore point of what a writer of the first box was given, and indexes it.
func (w *world) sealed(writer *vault.Writer) {
	w.t.Helper()
	head, err := writer.Seal(w.t.Context())
	w.must(err)
	entry, err := w.repo.Publish(w.t.Context(), []vault.Head{*head}, vault.Published)
	w.must(err)
	record, err := head.Record(repository, entry.ID)
	w.must(err)
	w.heads[fmt.Sprint(box(0).Key(), "/", head.Number)], w.last[box(0).Key()] = record, head
	w.point()
	w.must(w.index.Update(w.t.Context(), organization))
}

// finds demands that searches find exactly the items with these ids, which have one figure each.
func (w *world) finds(all map[string]string) {
	w.t.Helper()
	for text, want := range all {
		page, err := w.index.Search(w.t.Context(), holdfast.SearchQuery{Text: text, Limit: 10}, []holdfast.SearchScope{{Organization: organization, All: true}})
		w.must(err)
		var got []string
		for _, r := range page.Results {
			got = append(got, r.Item.ID)
		}
		slices.Sort(got)
		if strings.Join(got, " ") != want {
			w.t.Errorf("%q finds %q, want %q", text, got, want)
		}
	}
}

// TestTextOfEventsContactsTasksAndSettingsIsFound: by all that their owners wrote, and by fields that only they have. A change of it is found, too.
func TestTextOfEventsContactsTasksAndSettingsIsFound(t *testing.T) {
	w := newWorld(t)
	put := func(writer *vault.Writer, item holdfast.Item, raw, attached string) {
		t.Helper()
		payloads := []holdfast.Payload{holdfast.Whole(holdfast.FormJSON, strings.NewReader(raw), int64(len(raw)))}
		if attached != "" {
			payloads = append(payloads, holdfast.Whole(holdfast.FormAttachments, strings.NewReader(attached), int64(len(attached))))
		}
		item.Time = time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
		w.must(writer.Put(t.Context(), item, payloads...))
	}
	writer, err := w.repo.Writer(t.Context(), vault.WriterOptions{Container: box(0), Epoch: 1})
	w.must(err)
	put(writer, holdfast.Item{ID: "1", Kind: holdfast.KindEvent, Name: "Review", Version: "1", Fields: map[string]string{holdfast.FieldStart: "2026-04-01T08:00:00Z", holdfast.FieldEnd: "2026-04-01T09:00:00Z",
		holdfast.FieldRecurring: "weekly", holdfast.FieldFrom: "Ada <ada@contoso.com>", holdfast.FieldTo: "Bob <bob@contoso.com>", holdfast.FieldLocation: "Attic"}},
		`{"subject":"Review","body":{"contentType":"html","content":"<p>bring the <b>marmot</b></p>"},"location":{"displayName":"Attic"},"exceptionOccurrences":[{"subject":"Review at the pond"}]}`,
		`[{"attachment":{"name":"gopher.pdf"}}]`)
	put(writer, holdfast.Item{ID: "2", Kind: holdfast.KindContact, Name: "Carla Stone", Version: "1", Fields: map[string]string{holdfast.FieldTo: "carla@stone.example"}},
		`{"displayName":"Carla Stone","personalNotes":"allergic to walnut","companyName":"Attic Ltd","jobTitle":"Mason","mobilePhone":"0170 555","homeAddress":{"city":"Limerick"}}`, "")
	put(writer, holdfast.Item{ID: "3", Kind: holdfast.KindTask, Name: "Pack", Version: "1", Fields: map[string]string{holdfast.FieldDue: "2026-05-01T00:00:00Z", holdfast.FieldStatus: "inProgress"}},
		`{"title":"Pack","checklistItems":[{"displayName":"umbrella"}]}`, "")
	put(writer, holdfast.Item{ID: "4", Kind: holdfast.KindSetting, Name: "Mailbox settings", Version: "1"}, `{"automaticRepliesSetting":{"internalReplyMessage":"<p>gone fishing</p>"}}`, "")
	w.sealed(writer)
	w.finds(map[string]string{
		"marmot": "1", "body:pond": "1", "gopher": "1", "location:attic": "1", "attic": "1 2", "company:attic": "2", "company:mason": "2", "location:limerick": "2", "phone:555": "2", "walnut": "2",
		"body:umbrella": "3", "due:2026-05": "3", "due:2026-06": "", "start:2026-04-01": "1", "end:>2026-04-02": "", "status:inProgress": "3", "status:*progress": "3", "isrecurring:true": "1",
		"isrecurring:false": "", "organizer:ada": "1", "attendees:bob": "1", "email:carla": "2", `"gone fishing" kind:setting`: "4", "company:limerick": "",
	})
	writer, err = w.repo.Writer(t.Context(), vault.WriterOptions{Container: box(0), Base: w.last[box(0).Key()], Epoch: 1})
	w.must(err)
	put(writer, holdfast.Item{ID: "3", Kind: holdfast.KindTask, Name: "Pack", Version: "2", Fields: map[string]string{holdfast.FieldDue: "2026-05-01T00:00:00Z", holdfast.FieldStatus: "inProgress"}},
		`{"title":"Pack","checklistItems":[{"displayName":"parasol"}]}`, "")
	w.sealed(writer)
	w.finds(map[string]string{"parasol": "3"})
}
