package search_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"holdfast/internal/holdfast"
	"holdfast/internal/search"
	"holdfast/internal/search/searchtest"
	"holdfast/internal/sys"
)

// corpusIn makes a vault with three restore points of 1,200 mails.
func corpusIn(t *testing.T, dir string) *searchtest.World {
	t.Helper()
	w, err := searchtest.NewWorld(t.Context(), dir, searchtest.NewCorpus(1200, 4))
	if err != nil {
		t.Fatal(err)
	}
	before := 0
	for _, n := range []int{600, 1000, 1200} {
		if err := w.Back(t.Context(), before, n); err != nil {
			t.Fatal(err)
		}
		before = n
	}
	return w
}

func closeWorld(t *testing.T, w *searchtest.World) {
	t.Helper()
	if err := w.Close(context.Background()); err != nil {
		t.Fatal(err)
	}
}

func indexOf(w *searchtest.World, folder string, batch int) *search.Index {
	return search.New(search.Config{Folder: folder, Vault: w.Vault, Catalogue: w, Batch: batch})
}

// answersTo are the first pages of the 200 fixed searches, whole, and how many they find.
func answersTo(t *testing.T, w *searchtest.World, x *search.Index) (all []holdfast.SearchPage) {
	t.Helper()
	hits := 0
	for _, q := range w.Corpus.Queries(w.Times()) {
		q.Plain = true // there are as many snippets as there is time for
		page, err := x.Search(t.Context(), q, searchtest.Scope())
		if err != nil {
			t.Fatalf("%q: %v", q.Text, err)
		}
		if len(page.NotIndexed) > 0 || !page.Exact {
			t.Fatalf("%q: not indexed %v, exact %v", q.Text, page.NotIndexed, page.Exact)
		}
		hits += len(page.Results)
		all = append(all, page)
	}
	if len(all) != 200 || hits < 2000 {
		t.Fatalf("%d searches find %d: that shows little", len(all), hits)
	}
	return all
}

func sameAnswers(t *testing.T, w *searchtest.World, when string, got, want []holdfast.SearchPage) {
	t.Helper()
	queries := w.Corpus.Queries(w.Times())
	for i := range want {
		if reflect.DeepEqual(got[i], want[i]) {
			continue
		}
		for n := range min(len(got[i].Results), len(want[i].Results)) {
			if g, w := got[i].Results[n], want[i].Results[n]; !reflect.DeepEqual(g, w) {
				t.Fatalf("%s, %q, result %d:\n got %+v\nwant %+v", when, queries[i].Text, n, g, w)
			}
		}
		got[i].Results, want[i].Results = nil, nil
		t.Fatalf("%s, %q:\n got %+v\nwant %+v", when, queries[i].Text, got[i], want[i])
	}
}

func update(t *testing.T, x *search.Index) {
	t.Helper()
	if err := x.Update(t.Context(), searchtest.Organization); err != nil {
		t.Fatal(err)
	}
}

func TestIndexThatIsLostAnswersTheSameOnceItIsMadeAgain(t *testing.T) {
	dir := t.TempDir()
	w := corpusIn(t, dir)
	defer closeWorld(t, w)
	folder := filepath.Join(dir, "index")
	// As it grows: a restore point at a time, in small pieces.
	x := indexOf(w, folder, 50)
	shown := w.Shown
	for n := range shown {
		w.Shown = shown[:n+1]
		update(t, x)
	}
	want := answersTo(t, w, x)
	if err := errors.Join(x.Close(), os.RemoveAll(folder)); err != nil {
		t.Fatal(err)
	}
	x = indexOf(w, folder, 0)
	status, err := x.Status(t.Context(), searchtest.Scope()[0])
	if err != nil || status.Documents != 0 {
		t.Fatalf("a deleted index has %d documents, %v", status.Documents, err)
	}
	update(t, x)
	sameAnswers(t, w, "deleted and made again", answersTo(t, w, x), want)

	// Damage of every kind is noticed or does no harm: a wrong answer never comes.
	if err := x.Close(); err != nil {
		t.Fatal(err)
	}
	side := filepath.Join(folder, string(searchtest.Organization)+".db")
	good, err := os.ReadFile(side)
	if err != nil {
		t.Fatal(err)
	}
	rng := rand.New(rand.NewPCG(29, 31))
	for n := range 6 {
		bad := bytes.Clone(good)
		switch n {
		case 0:
			bad = bad[:len(bad)/2]
		case 1:
			bad = []byte("no database")
		default: // a row of words
			at := bytes.Index(bad[rng.IntN(len(bad)/2):], []byte(w.Corpus.Word(100)[:2]))
			for i := range 64 {
				bad[max(at, 0)+8192+i] ^= 0x55
			}
		}
		if err := os.WriteFile(side, bad, 0o600); err != nil {
			t.Fatal(err)
		}
		x = indexOf(w, folder, 0)
		noticed := false
		for _, q := range w.Corpus.Queries(w.Times())[:60] {
			q.Plain = true
			page, err := x.Search(t.Context(), q, searchtest.Scope())
			if noticed = err != nil || len(page.NotIndexed) > 0; noticed {
				break
			}
		}
		update(t, x)
		if noticed {
			sameAnswers(t, w, fmt.Sprintf("damage %d", n), answersTo(t, w, x), want)
			if kept, err := os.ReadFile(side + ".damaged"); err != nil || len(kept) == 0 {
				t.Errorf("damage %d: the damaged file is not kept: %v", n, err)
			}
		} else if n < 2 {
			t.Errorf("damage %d is not noticed", n)
		}
		if err := x.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// indexerVariable makes this test program a process that indexes the vault in the folder that it names.
const indexerVariable = "SEARCH_TEST_INDEXER"

// indexHere is such a process.
func indexHere(dir string) error {
	ctx := context.Background()
	w, err := searchtest.OpenWorld(ctx, dir)
	if err != nil {
		return err
	}
	x := indexOf(w, filepath.Join(dir, "index"), 40)
	return errors.Join(x.Update(ctx, searchtest.Organization), x.Close(), w.Close(ctx))
}

// TestIndexerThatIsKilledGoesOn kills the process that indexes again and again, a little later each time.
func TestIndexerThatIsKilledGoesOn(t *testing.T) {
	dir := t.TempDir()
	w := corpusIn(t, dir)
	if err := w.Save(dir); err != nil {
		t.Fatal(err)
	}
	x := indexOf(w, filepath.Join(dir, "other"), 0)
	update(t, x)
	want := answersTo(t, w, x)
	if err := x.Close(); err != nil {
		t.Fatal(err)
	}
	closeWorld(t, w) // one process writes a repository
	killed := 0
	for n := 0; ; n++ {
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), indexerVariable+"="+dir)
		var said bytes.Buffer
		cmd.Stderr = &said
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		ended := make(chan error, 1)
		go func() { ended <- cmd.Wait() }()
		select {
		case err := <-ended:
			if err != nil {
				t.Fatalf("after %d kills: %v: %s", killed, err, said.String())
			}
		case <-sys.System.After(time.Duration(100+20*n) * time.Millisecond):
			if err := cmd.Process.Kill(); err == nil {
				killed++
			}
			<-ended
			continue
		}
		break
	}
	if killed < 5 {
		t.Errorf("only %d kills: the test shows little", killed)
	}
	w, err := searchtest.OpenWorld(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	defer closeWorld(t, w)
	y := indexOf(w, filepath.Join(dir, "index"), 40)
	defer y.Close()
	status, err := y.Status(t.Context(), searchtest.Scope()[0])
	if err != nil || len(status.Pending) > 0 {
		t.Fatalf("%+v, %v", status, err)
	}
	sameAnswers(t, w, fmt.Sprintf("after %d kills", killed), answersTo(t, w, y), want)
	if kept, err := filepath.Glob(filepath.Join(dir, "index", "*.damaged")); err != nil || len(kept) > 0 {
		t.Errorf("a kill damages the index: %s", strings.Join(kept, " "))
	}
}
