package explorer_test

import (
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"holdfast/internal/holdfast"
)

// past is a view of the last state that shows what was deleted since the ones before it.
func (s *shelf) past(views []holdfast.View) holdfast.View {
	at := views[len(views)-1]
	for i, v := range slices.Backward(views[:len(views)-1]) {
		at.Earlier = append(at.Earlier, holdfast.PastState{Point: holdfast.RestorePointID(fmt.Sprint("point ", i)), Time: time.Date(2026, 2, i+1, 0, 0, 0, 0, time.UTC), Head: v.Head})
	}
	return at
}

func (s *shelf) list(q holdfast.ItemQuery) holdfast.ItemPage {
	s.t.Helper()
	if q.Limit == 0 {
		q.Limit = 1000
	}
	p, err := s.Items(s.t.Context(), q)
	s.must(err)
	return p
}

func (s *shelf) read(at holdfast.View, id string) string {
	s.t.Helper()
	c, err := s.Open(s.t.Context(), at, id)
	s.must(err)
	body, err := io.ReadAll(c.Body)
	s.must(err)
	s.must(c.Body.Close())
	return string(body)
}

func TestDeletedItemsAreListedAsTheNewestEarlierRestorePointHasThem(t *testing.T) {
	s := newShelf(t)
	views := []holdfast.View{
		s.write(func(put func(id, parent, name, content string)) {
			put("root", "", "root/", "")
			put("f", "root", "Papers/", "")
			put("1", "root", "one.txt", "one")
			put("2", "root", "two.txt", "two, first")
			put("3", "f", "three.txt", "three")
			put("v-2", "2", "1.0", "older two")
		}),
		s.write(func(put func(id, parent, name, content string)) { put("2", "root", "two.txt", "two, second") }),
		s.write(func(put func(id, parent, name, content string)) {
			put("2", "root", "two.txt", "-")
			put("v-2", "2", "1.0", "-")
			put("f", "root", "f", "-")
			put("3", "f", "three.txt", "-")
		}),
		s.write(func(put func(id, parent, name, content string)) { put("4", "root", "four.txt", "four") }),
	}
	at := s.past(views)
	p := s.list(holdfast.ItemQuery{At: at, Parent: "root", Sort: "name"})
	if got := names(p); got != "Papers four.txt one.txt two.txt" || p.Total != 4 {
		t.Fatalf("root shows %q of %d", got, p.Total)
	}
	for i, deleted := range []bool{true, false, false, true} {
		if p.Entries[i].Deleted != deleted {
			t.Errorf("%s: deleted is %v", p.Entries[i].Name, p.Entries[i].Deleted)
		}
	}
	if two := p.Entries[3]; two.Last.Head != views[1].Head || two.Last.Point != "point 1" || two.Path != "/root/two.txt" {
		t.Errorf("two.txt was there last in %+v, path %q", two.Last, two.Path)
	}
	if got := names(s.list(holdfast.ItemQuery{At: at, Parent: "f"})); got != "three.txt" {
		t.Errorf("the deleted folder shows %q", got)
	}
	if got := names(s.list(holdfast.ItemQuery{At: at, Search: "t*.txt", Sort: "name"})); got != "three.txt two.txt" {
		t.Errorf("a search finds %q", got)
	}
	if got := names(s.list(holdfast.ItemQuery{At: at, Parent: "f", Search: "txt"})); got != "three.txt" {
		t.Errorf("a search below the deleted folder finds %q", got)
	}
	for _, q := range []holdfast.ItemQuery{{At: at, Parent: "root", Sort: "name", Deleted: true}, {At: at, Parent: "root", Sort: "name", Deleted: true, Search: "NOT three"}} {
		if got := names(s.list(q)); got != "Papers two.txt" {
			t.Errorf("only what was deleted, search %q: %q", q.Search, got)
		}
	}
	if got := s.list(holdfast.ItemQuery{At: views[3], Parent: "root", Deleted: true}); len(got.Entries) != 0 {
		t.Errorf("without earlier states there is nothing deleted: %q", names(got))
	}
	for id, want := range map[string]string{"2": "two, second", "3": "three", "v-2": "older two", "4": "four"} {
		if got := s.read(at, id); got != want {
			t.Errorf("%s reads %q, want %q", id, got, want)
		}
	}
	versions, err := s.Versions(t.Context(), at, "2")
	s.must(err)
	if len(versions) != 1 || !versions[0].Deleted {
		t.Errorf("versions of the deleted file: %+v", versions)
	}
	// Without earlier states nothing of it shows.
	if got := names(s.list(holdfast.ItemQuery{At: views[3], Parent: "root"})); got != "one.txt four.txt" {
		t.Errorf("the state itself shows %q", got)
	}
	if _, err := s.Item(t.Context(), views[3], "2"); holdfast.KindOf(err) != holdfast.KindNotFound {
		t.Errorf("the state itself finds a deleted item: %v", err)
	}
}

// TestPastAgreesWithEachState changes a tree at random, so that runs are merged, and compares with what walking each state by itself gives.
func TestPastAgreesWithEachState(t *testing.T) {
	s := newShelf(t)
	rng := rand.New(rand.NewPCG(5, 7))
	folders := []string{"f0", "f1", "f2"}
	var views []holdfast.View
	var states []map[string]holdfast.Entry
	for round := range 24 {
		views = append(views, s.write(func(put func(id, parent, name, content string)) {
			if round == 0 {
				for _, f := range folders {
					put(f, "", f+"/", "")
				}
			}
			for i := range 12 {
				id := fmt.Sprintf("i%02d", rng.IntN(60))
				content := fmt.Sprintf("content %d.%d", round, i)
				if rng.IntN(3) == 0 {
					content = "-"
				}
				put(id, folders[rng.IntN(3)], "name of "+id, content)
			}
		}))
		state := map[string]holdfast.Entry{}
		for _, f := range folders {
			for _, e := range s.list(holdfast.ItemQuery{At: views[round], Parent: f}).Entries {
				state[e.ID] = e
			}
		}
		states = append(states, state)
	}
	for last := 1; last < len(views); last++ {
		at := s.past(views[:last+1])
		for _, f := range folders {
			want := map[string]string{}
			for n := last; n >= 0; n-- {
				for id, e := range states[n] {
					if _, known := want[id]; known {
						continue
					}
					if n == last {
						want[id] = fmt.Sprint(e.Parent, " ", e.Version, " there")
					} else {
						want[id] = fmt.Sprint(e.Parent, " ", e.Version, " deleted ", views[n].Head)
					}
				}
			}
			got := map[string]string{}
			all := s.list(holdfast.ItemQuery{At: at, Parent: f})
			for i, e := range all.Entries {
				if _, twice := got[e.ID]; twice {
					t.Fatalf("state %d lists %s twice", last, e.ID)
				}
				got[e.ID] = fmt.Sprint(e.Parent, " ", e.Version, " there")
				if e.Deleted {
					got[e.ID] = fmt.Sprint(e.Parent, " ", e.Version, " deleted ", e.Last.Head)
				}
				if i > 0 && e.Time.After(all.Entries[i-1].Time) {
					t.Fatalf("state %d, folder %s is out of order at %d", last, f, i)
				}
				if page := s.list(holdfast.ItemQuery{At: at, Parent: f, Offset: i, Limit: 1}); len(page.Entries) != 1 || page.Entries[0].ID != e.ID {
					t.Fatalf("state %d: page at %d has %v, want %s", last, i, names(page), e.ID)
				}
			}
			for id, w := range want {
				if !strings.HasPrefix(w, f+" ") {
					delete(want, id)
				}
			}
			if fmt.Sprint(got) != fmt.Sprint(want) {
				t.Fatalf("state %d, folder %s\n got %v\nwant %v", last, f, got, want)
			}
		}
	}
	// Differences agree with comparing two states whole.
	for range 40 {
		a, b := rng.IntN(len(views)), rng.IntN(len(views))
		want := map[string]string{}
		for id, e := range states[a] {
			if after, ok := states[b][id]; !ok {
				want[id] = "removed"
			} else if after.Version != e.Version {
				want[id] = "changed"
			}
		}
		for id := range states[b] {
			if _, ok := states[a][id]; !ok {
				want[id] = "added"
			}
		}
		d, err := s.Compare(t.Context(), holdfast.Comparison{Before: views[a], After: views[b], Limit: 1000})
		s.must(err)
		got := map[string]string{}
		for _, r := range d.Results {
			got[r.ID] = string(r.Kind)
		}
		if fmt.Sprint(got) != fmt.Sprint(want) || d.Total != int64(len(want)) {
			t.Fatalf("from %d to %d\n got %v\nwant %v", a, b, got, want)
		}
	}
}

func TestHistoryHasEachVersionWithItsRestorePoints(t *testing.T) {
	s := newShelf(t)
	write := func(id, content string) holdfast.View {
		return s.write(func(put func(id, parent, name, content string)) { put(id, "", id, content) })
	}
	views := []holdfast.View{write("a", "first"), write("b", "x"), write("a", "second, longer"), write("a", "-"), write("a", "third"), write("b", "y")}
	at := s.past(append(views, views[5]))
	at.Earlier = at.Earlier[:6]
	all, err := s.History(t.Context(), at, "a")
	s.must(err)
	var got []string
	for _, v := range all {
		got = append(got, fmt.Sprintf("%d bytes, %s to %s", v.Stored, v.Oldest.Point, v.Newest.Point))
	}
	if want := "[5 bytes, point 4 to point 5 14 bytes, point 2 to point 2 5 bytes, point 0 to point 1]"; fmt.Sprint(got) != want {
		t.Errorf("got  %v\nwant %v", got, want)
	}
	if all, err := s.History(t.Context(), at, "never"); err != nil || len(all) != 0 {
		t.Errorf("an unknown item has the versions %v, %v", all, err)
	}
}

func TestCompareNamesWhatChanged(t *testing.T) {
	s := newShelf(t)
	before := s.write(func(put func(id, parent, name, content string)) {
		put("root", "", "root/", "")
		put("f", "root", "Papers/", "")
		put("1", "f", "one.txt", "one")
		put("2", "f", "two.txt", "two")
		put("3", "root", "three.txt", "three")
	})
	after := s.write(func(put func(id, parent, name, content string)) {
		put("1", "f", "one.txt", "ONE")
		put("2", "f", "two.txt", "-")
		put("3", "f", "drei.txt", "three")
		put("4", "root", "four.txt", "four")
	})
	show := func(d holdfast.Differences) string {
		var out []string
		for _, r := range d.Results {
			out = append(out, strings.TrimSpace(fmt.Sprint(r.Kind, " ", r.ID, " ", strings.Join(r.Properties, "+"))))
		}
		return strings.Join(out, ", ")
	}
	for name, tc := range map[string]struct {
		c    holdfast.Comparison
		want string
	}{
		"all":           {holdfast.Comparison{}, "changed 1 time+content, removed 2, added 4, changed 3 name+folder+time"},
		"one folder":    {holdfast.Comparison{Parent: "f"}, "changed 1 time+content, removed 2, changed 3 name+folder+time"},
		"a page":        {holdfast.Comparison{Offset: 1, Limit: 2}, "removed 2, added 4"},
		"the other way": {holdfast.Comparison{Before: after, After: before}, "changed 3 name+folder+time, changed 1 time+content, added 2, removed 4"},
		"with itself":   {holdfast.Comparison{Before: after, After: after}, ""},
	} {
		if tc.c.Before.Head == 0 {
			tc.c.Before, tc.c.After = before, after
		}
		if tc.c.Limit == 0 {
			tc.c.Limit = 100
		}
		d, err := s.Compare(t.Context(), tc.c)
		s.must(err)
		if got := show(d); got != tc.want {
			t.Errorf("%s\n got %s\nwant %s", name, got, tc.want)
		}
	}
}
