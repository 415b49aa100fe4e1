package search

import (
	"errors"
	"slices"
	"testing"
)

func TestWordsAreCutAndFolded(t *testing.T) {
	for text, want := range map[string][]string{
		"Hello, World": {"hello", "world"}, "ada@contoso.com": {"ada", "contoso", "com"}, "Ärger über Straße": {"arger", "uber", "straße"}, "e\u0301te\u0301": {"ete"},
		"会議の": {"会", "議", "の"}, "re会議2": {"re", "会", "議", "2"}, "\xff\xfea": {"a"}, "Привет": {"привет"}, "a_b-c": {"a", "b", "c"}, "": nil, "— …": nil, "ﬁ": {"ﬁ"},
	} {
		if got := wordsOf(text); !slices.Equal(got, want) {
			t.Errorf("%q is cut into %q, want %q", text, got, want)
		}
	}
	for text, want := range map[string][]string{"Bud*": {"bud*"}, "*": nil, "a?b c": {"a?b", "c"}, "x-*y": {"x", "*y"}} {
		if got := patternsOf(text); !slices.Equal(got, want) {
			t.Errorf("pattern %q is cut into %q, want %q", text, got, want)
		}
	}
}

func TestSetsCount(t *testing.T) {
	const docs = 200
	for _, in := range [][]int{nil, {0}, {63, 64}, {199}, {5, 70, 71, 128, 150}} {
		s := newSet(docs)
		for _, n := range in {
			s.put(n)
		}
		for low := 0; low <= docs; low += 7 {
			for high := low; high <= docs; high += 11 {
				want := 0
				first, last := high, low
				for _, n := range in {
					if n >= low && n < high {
						want++
						first, last = min(first, n), max(last, n+1)
					}
				}
				if got := s.between(low, high); got != want {
					t.Fatalf("%v from %d to %d: %d, want %d", in, low, high, got, want)
				}
				if got := s.after(low, high); got != first {
					t.Fatalf("%v after %d before %d: %d, want %d", in, low, high, got, first)
				}
				if got := s.before(low, high); got != last {
					t.Fatalf("%v before %d from %d: %d, want %d", in, high, low, got, last)
				}
			}
		}
		s.not(docs)
		if got := s.count(); got != docs-len(in) {
			t.Errorf("without %v there are %d", in, got)
		}
	}
}

// FuzzRow reads rows that nobody wrote: they are garbled, and nothing else.
func FuzzRow(f *testing.F) {
	f.Add([]byte{0, 1, 'a', 1, 1, 2}, []byte{1}, []byte{1, 0})
	f.Add([]byte{0, 2, 'a', 'b', 2, 2, 5, 1, 1, 'c', 1, 1, 2}, []byte{1, 3, 1}, []byte{1, 1, 0, 9, 0, 4, 0})
	f.Add([]byte{9, 1, 'a', 1, 1, 2}, []byte{0xff}, []byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1})
	f.Fuzz(func(t *testing.T, terms, docs, positions []byte) {
		err := sound(func() error {
			r := row{terms: terms, docs: docs, positions: positions}
			for {
				w, _, ok := r.next()
				if !ok {
					return nil
				}
				s := newSet(64)
				for _, columns := range []uint{everywhere, 1 << columnName} {
					if err := (phrase{columns: columns}).mark(s, w); err != nil {
						return err
					}
				}
				a := &places{docs: w.docs, rest: w.positions, doc: -1}
				s.each(a.to)
			}
		})
		if err != nil && !errors.Is(err, errGarbled) {
			t.Errorf("got %v", err)
		}
	})
}
