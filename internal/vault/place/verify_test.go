package place_test

import (
	"bytes"
	"context"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"holdfast/internal/holdfast"
	"holdfast/internal/vault/place"
)

// filled makes a place with objects and records and closes it.
func filled(t testing.TB) (o place.Options, objects map[place.ObjectID][]byte, records map[string]string) {
	t.Helper()
	o = options(t, filepath.Join(t.TempDir(), "place"))
	o.Wrapped = []byte("wrapped password")
	prepare(t, o.Dir)
	if err := place.Create(context.Background(), o); err != nil {
		t.Fatal(err)
	}
	s := open(t, o)
	w := session(t, s)
	objects, records = map[place.ObjectID][]byte{}, map[string]string{}
	for i := range 3 {
		data := random(uint64(i), 300)
		objects[put(t, w, data, place.Block)] = data
		flush(t, w)
		records[fmt.Sprintf("journal/%06d", i)] = fmt.Sprintf("entry %d", i)
		record(t, s, fmt.Sprintf("journal/%06d", i), fmt.Sprintf("entry %d", i))
	}
	large := random(99, 3<<20) // of several contents, so that there is an index content in a q pack
	objects[put(t, w, large, place.Packed)] = large
	flush(t, w)
	records["point/a"] = "a restore point"
	record(t, s, "point/a", "a restore point")
	closeStore(t, s)
	return o, objects, records
}

func verify(t testing.TB, o place.Options) []place.Damage {
	t.Helper()
	o.ReadOnly = true
	s, err := place.Open(context.Background(), o)
	if err != nil {
		t.Fatalf("open to verify: %v", err)
	}
	defer closeStore(t, s)
	return verifyStore(t, s)
}

func verifyStore(t testing.TB, s *place.Store) (found []place.Damage) {
	t.Helper()
	err := s.VerifyBlobs(context.Background(), place.VerifyOptions{}, func(d place.Damage) error {
		found = append(found, d)
		return nil
	})
	if err != nil {
		t.Fatalf("verify: %v", err)
	}
	return found
}

// files lists the files of a place, relative to its folder.
func files(t testing.TB, dir string) []string {
	t.Helper()
	var list []string
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err == nil && !e.IsDir() {
			rel, err := filepath.Rel(dir, path)
			if err != nil {
				return err
			}
			list = append(list, rel)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return list
}

func TestSoundPlaceHasNoFindings(t *testing.T) {
	o, _, _ := filled(t)
	if found := verify(t, o); len(found) != 0 {
		t.Errorf("findings in a sound place: %+v", found)
	}
}

// Every kind of file, a byte at a time: the change is found and named, what it hurts is exactly what is named, nothing wrong is ever served.
func TestEachChangedByteIsFoundAndNamed(t *testing.T) {
	t.Parallel()
	o, objects, records := filled(t)
	kinds := map[string]int{}
	for _, file := range files(t, o.Dir) {
		path := filepath.Join(o.Dir, file)
		whole, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if len(whole) == 0 {
			continue // the lock
		}
		base := filepath.Base(file)
		kind := base[:1]
		if strings.HasPrefix(base, "holdfast") || base[0] == 'h' {
			kind = strings.Split(base, ".")[0] + filepath.Ext(base)
		}
		if kind = strings.TrimRight(kind, "0123456789"); kinds[kind] > 0 && kind[0] == 'h' {
			continue // one of each kind of record is enough
		}
		if kinds[kind]++; kinds[kind] > filesPerKind {
			continue
		}
		// The last byte, in a pack outside of its contents, and one that is inside.
		places := []int{min(40, len(whole)/4), len(whole) - 1}
		if everyByte && len(whole) < 10_000 {
			for at := range len(whole) {
				places = append(places, at)
			}
		}
		for _, at := range places {
			broken := bytes.Clone(whole)
			broken[at] ^= 0x10
			if err := os.WriteFile(path, broken, 0o600); err != nil {
				t.Fatal(err)
			}
			checkDamage(t, o, file, at, objects, records)
			if t.Failed() {
				return
			}
		}
		if err := os.WriteFile(path, whole, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("kinds of files: %v", slices.Sorted(maps.Keys(kinds)))
	for _, kind := range []string{"p", "q", "x", "k", "holdfast.json", "holdfast.repository", "holdfast.blobcfg", "hledger.", "hjournal."} {
		if kinds[kind] == 0 {
			t.Errorf("no file of kind %s was tried", kind)
		}
	}
}

func checkDamage(t *testing.T, o place.Options, file string, at int, objects map[place.ObjectID][]byte, records map[string]string) {
	t.Helper()
	o.ReadOnly = true
	s, err := place.Open(context.Background(), o)
	if file == "holdfast.json" && err != nil {
		return // found at open, by name
	}
	if err != nil {
		t.Errorf("%s byte %d: open: %v", file, at, err)
		return
	}
	defer closeStore(t, s)
	named, contents, hurtRecords := false, map[place.ContentID]bool{}, map[string]bool{}
	for _, d := range verifyStore(t, s) {
		named = named || d.File == file && !d.Kind.Remark()
		for _, c := range d.Contents {
			contents[c] = true
		}
		if d.Record != "" {
			hurtRecords[d.Record] = true
		}
	}
	if !named {
		t.Errorf("%s byte %d: not found by verification", file, at)
	}
	for id, want := range objects {
		got, err := get(s, id)
		list, cerr := s.Contents(context.Background(), id)
		hurt := cerr != nil || slices.ContainsFunc(list, func(c place.ContentID) bool { return contents[c] })
		switch {
		case err == nil && !bytes.Equal(got, want):
			t.Errorf("%s byte %d: wrong bytes served for %s", file, at, id)
		case err == nil && hurt:
			t.Errorf("%s byte %d: %s is named as hurt and reads well", file, at, id)
		case err != nil && !hurt:
			t.Errorf("%s byte %d: %s can't be read (%v) and is not named", file, at, id, err)
		case err != nil && holdfast.KindOf(err) != holdfast.KindDamaged:
			t.Errorf("%s byte %d: error of kind %v: %v", file, at, holdfast.KindOf(err), err)
		}
	}
	for name, want := range records {
		got, err := s.ReadRecord(context.Background(), name)
		if err == nil && string(got) != want {
			t.Errorf("%s byte %d: wrong record %s", file, at, name)
		}
		if (err != nil) != hurtRecords[name] {
			t.Errorf("%s byte %d: record %s: error %v, named %v", file, at, name, err, hurtRecords[name])
		}
	}
}

func TestMissingSwappedAndReplayedFilesAreFound(t *testing.T) {
	o, _, _ := filled(t)
	pack := func() (packs []string) {
		for _, f := range files(t, o.Dir) {
			if strings.Contains(f, "/p/") || strings.Contains(f, "/x/") {
				packs = append(packs, filepath.Join(o.Dir, f))
			}
		}
		return packs
	}
	for _, path := range pack() {
		if err := os.Rename(path, path+".away"); err != nil {
			t.Fatal(err)
		}
		found := verify(t, o)
		if !slices.ContainsFunc(found, func(d place.Damage) bool {
			return d.Kind == place.Missing && filepath.Base(d.File) == filepath.Base(path)
		}) {
			t.Errorf("%s is gone, found %+v", path, found)
		}
		if err := os.Rename(path+".away", path); err != nil {
			t.Fatal(err)
		}
	}
	packs := pack()
	swap(t, packs[0], packs[1])
	found := verify(t, o)
	if len(found) != 2 || found[0].Kind != place.Changed || found[1].Kind != place.Changed {
		t.Errorf("two packs swapped: %+v", found)
	}
	swap(t, packs[0], packs[1])
	stranger := filepath.Join(o.Dir, organization, "000", "p", "letter")
	if err := os.WriteFile(stranger, []byte("hi"), 0o600); err != nil {
		t.Fatal(err)
	}
	found = verify(t, o)
	if len(found) != 1 || found[0].Kind != place.Strange {
		t.Errorf("a stranger's file: %+v", found)
	}
}

func swap(t *testing.T, a, b string) {
	t.Helper()
	for _, step := range [][2]string{{a, a + ".t"}, {b, a}, {a + ".t", b}} {
		if err := os.Rename(step[0], step[1]); err != nil {
			t.Fatal(err)
		}
	}
}

func TestOlderStateOfThePlaceIsFoundByTheAnchor(t *testing.T) {
	o, _, _ := filled(t)
	before := filepath.Join(t.TempDir(), "copy")
	if err := os.CopyFS(before, os.DirFS(o.Dir)); err != nil {
		t.Fatal(err)
	}
	s := open(t, o)
	old := s.LedgerHead()
	record(t, s, "journal/900000", "newer")
	anchor := s.LedgerHead()
	if s.Anchoring(old) != place.Anchored || s.Anchoring(anchor) != place.Anchored || s.Anchoring(place.Head{}) != place.Untold {
		t.Error("the ledger does not know its own heads")
	}
	closeStore(t, s)
	rolled := o
	rolled.Dir, rolled.ReadOnly = before, true
	r := open(t, rolled)
	if got := r.Anchoring(anchor); got != place.RolledBack {
		t.Errorf("the newer anchor at an older state of the place: %s", got)
	}
	if got := r.Anchoring(old); got != place.Anchored {
		t.Errorf("the older state's own head: %s", got)
	}
	closeStore(t, r)
	// Somebody goes on with the older state: its chain is as long again, and another one.
	rolled.ReadOnly = false
	r = open(t, rolled)
	record(t, r, "journal/900001", "another history")
	if got := r.Anchoring(anchor); got != place.Forked {
		t.Errorf("the anchor of another history: %s", got)
	}
	if got := r.Anchoring(old); got != place.Anchored {
		t.Errorf("what both histories share: %s", got)
	}
}

func TestLedgerEntryThatIsGoneOrCutIsFound(t *testing.T) {
	o, _, _ := filled(t)
	ledger := filepath.Join(o.Dir, organization, "000", "h", "hledger.000000000002")
	if err := os.Remove(ledger); err != nil {
		t.Fatal(err)
	}
	found := verify(t, o)
	if !slices.ContainsFunc(found, func(d place.Damage) bool { return d.Kind == place.LedgerDamaged }) {
		t.Errorf("ledger entry removed: %+v", found)
	}
	// What it listed is not adopted: a new hash would hide a change.
	s := open(t, o)
	record(t, s, "journal/900000", "newer")
	closeStore(t, s)
	found = verify(t, o)
	if !slices.ContainsFunc(found, func(d place.Damage) bool { return d.Kind == place.LedgerDamaged }) ||
		!slices.ContainsFunc(found, func(d place.Damage) bool { return d.Kind == place.Unlisted }) {
		t.Errorf("after another entry: %+v", found)
	}
}

func TestWrappedPasswordLiesInThePlace(t *testing.T) {
	o, _, _ := filled(t)
	id, wrapped, err := place.ReadWrapped(o.Dir, place.Part{Organization: organization})
	if err != nil || id != "k1" || string(wrapped) != "wrapped password" {
		t.Errorf("wrapped = %q of key %q, %v", wrapped, id, err)
	}
	var parts []place.Part
	for p, err := range place.Parts(o.Dir) {
		if err != nil {
			t.Fatal(err)
		}
		parts = append(parts, p)
	}
	if want := []place.Part{{Organization: organization}}; !slices.Equal(parts, want) {
		t.Errorf("parts = %v, want %v", parts, want)
	}
}
