package vault

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"

	"holdfast/internal/holdfast"
)

// wide is a container whose newest run lies in many objects, below a small one that hides and deletes some of it, and its run as the view reads it.
func wide(t *testing.T) (v *View, r *run, live map[string]bool) {
	t.Helper()
	b := newBench(t)
	w := b.writer(nil)
	random := rand.NewChaCha8([32]byte{1})
	live = map[string]bool{}
	put := func(n int) {
		name := make([]byte, 80)
		_, _ = random.Read(name)
		item := mail(n, "inbox")
		item.Name = fmt.Sprintf("%x", name)
		if err := w.Put(t.Context(), item); err != nil {
			t.Fatal(err)
		}
		live[item.ID] = true
	}
	for n := range 5000 {
		put(n)
	}
	h := b.publish(w)
	w.Close()
	w = b.writer(h)
	for n := range 40 {
		put(n * 100)
		gone := mail(n*100+1, "inbox").ID
		if err := w.Delete(t.Context(), gone); err != nil {
			t.Fatal(err)
		}
		delete(live, gone)
	}
	h = b.publish(w)
	w.Close()
	b.reopen()
	v, err := b.repo.View(t.Context(), h)
	if err != nil {
		t.Fatal(err)
	}
	if len(v.runs) != 2 {
		t.Fatalf("%d runs, want 2", len(v.runs))
	}
	if r, err = v.run(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	if len(r.chunks) < 5 || len(r.index) < 2 || len(r.filters) == 0 || r.chunks[1].at.object == "" || r.index[1].at.object == "" {
		t.Fatalf("the run has %d chunks, %d parts of its index, %d filters", len(r.chunks), len(r.index), len(r.filters))
	}
	return v, r, live
}

// nowhere is a part that the repository does not have any more.
var nowhere = location{object: "0123456789abcdef0123456789abcdef"}

// The index and the filters of a run only say where rows are: a run that has lost them reads the same.
func TestARunReadsWithoutItsIndex(t *testing.T) {
	v, r, live := wide(t)
	r.index[0].at, r.index[1].at, r.filters[0] = nowhere, nowhere, nowhere
	if _, _, err := v.repo.find(t.Context(), r, keyOf("not there")); err != nil {
		t.Fatal(err)
	}
	got := map[string]bool{}
	for item, err := range v.All(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		if got[item.ID] {
			t.Errorf("%s comes twice", item.ID)
		}
		got[item.ID] = true
	}
	if len(got) != len(live) {
		t.Errorf("%d items, want %d", len(got), len(live))
	}
	for n := range 5000 {
		id := mail(n, "inbox").ID
		if item, ok, err := v.Item(t.Context(), id); err != nil || ok != live[id] || ok && item.ID != id {
			t.Fatalf("%s: %v %v", id, ok, err)
		}
	}
}

// What a lost part of the list had is told with how much it was, and all the rest is given: nothing that a newer run deleted or replaced comes up again.
func TestALostPartOfTheListIsToldAndTheRestGiven(t *testing.T) {
	for name, list := range map[string]func(*View) func(func(holdfast.Item, error) bool){
		"all": func(v *View) func(func(holdfast.Item, error) bool) { return v.All(t.Context()) },
		"a folder": func(v *View) func(func(holdfast.Item, error) bool) {
			return v.Children(t.Context(), "inbox")
		},
	} {
		t.Run(name, func(t *testing.T) {
			v, r, live := wide(t)
			n := len(r.chunks) / 2
			r.chunks[n].at = nowhere
			missing := 0
			for id := range live {
				_, ok, err := v.Item(t.Context(), id)
				var lost *LostError
				switch {
				case errors.As(err, &lost):
					missing++
				case err != nil || !ok:
					t.Fatalf("%s: %v %v", id, ok, err)
				}
			}
			got, told := map[string]bool{}, 0
			for item, err := range list(v) {
				var lost *LostError
				if errors.As(err, &lost) {
					told++
					if lost.Rows != r.chunks[n].rows || lost.Folder != "inbox" || holdfast.KindOf(err) != holdfast.KindDamaged {
						t.Errorf("lost %+v", lost)
					}
					continue
				}
				if err != nil || got[item.ID] || !live[item.ID] {
					t.Fatalf("%s: %v, twice: %v, live: %v", item.ID, err, got[item.ID], live[item.ID])
				}
				got[item.ID] = true
			}
			if told != 1 || missing == 0 || len(got)+missing != len(live) {
				t.Errorf("%d items, %d of %d lost, told %d times", len(got), missing, len(live), told)
			}
			for range list(v) { // who has seen enough stops, wherever it is
				break
			}
		})
	}
}

// A merge of runs does not leave out what it can't read.
func TestAMergeEndsWhereTheListIsLost(t *testing.T) {
	v, r, _ := wide(t)
	r.chunks[len(r.chunks)/2].at = nowhere
	if err := v.repo.eachKept(t.Context(), v.runs, true, func(*row) error { return nil }); holdfast.KindOf(err) != holdfast.KindDamaged {
		t.Errorf("a merge of what can't be read: %v", err)
	}
}
