package search

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"maps"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"holdfast/internal/search/searchtest"
)

// BenchmarkBuilder tokenizes and inverts 8,000 mails of 300 words.
func BenchmarkBuilder(b *testing.B) {
	c := searchtest.NewCorpus(8000, 1)
	texts := make([]string, c.Mails)
	for i := range texts {
		_, mime := c.Mail(i)
		_, texts[i], _ = strings.Cut(mime, "\r\n\r\n")
	}
	for b.Loop() {
		w := newBuilder()
		for _, t := range texts {
			w.add([columnsAll]string{t})
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*c.Mails*searchtest.Words), "ns/word")
}

// TestARunHasEveryPlaceOfEveryWord compares runs with what a list of every word's places says: of documents in any order and of any columns,
// words that begin alike, one that is in all, long ones, and documents without a word; written at once and a few words at a time, by a
// builder that was used before.
func TestARunHasEveryPlaceOfEveryWord(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	vocabulary := []string{"all", strings.Repeat("x", longestWord), "eightlet", "eightlett", "eightletters", "eightletterz", "a", "ab", "abc", "straße"}
	for n := range 3000 {
		vocabulary = append(vocabulary, fmt.Sprintf("w%d", n), fmt.Sprintf("beginsalike%d", n))
	}
	b := newBuilder()
	for _, atOnce := range []int{mostInverted, 1, 500} {
		f, err := tryFile(t.Context(), filepath.Join(t.TempDir(), "side.db"))
		if err != nil {
			t.Fatal(err)
		}
		b.reset()
		b.atOnce = atOnce
		type place struct {
			id    int64
			place int
		}
		want := map[string][]place{}
		var ids []int64
		for _, n := range r.Perm(700) {
			id := int64(n)<<22 | 5
			ids = append(ids, id)
			var columns [columnsAll]string
			if n%10 > 0 {
				for range r.IntN(columnsAll + 1) {
					c := r.IntN(columnsAll)
					words := []string{"all"}
					for range r.IntN(300) {
						words = append(words, vocabulary[r.IntN(len(vocabulary))])
					}
					columns[c] = strings.Join(words, " ")
				}
			}
			for c, text := range columns {
				for at, w := range strings.Fields(text) {
					want[w] = append(want[w], place{id, c<<24 | at})
				}
			}
			b.add(columns)
		}
		if err := f.tx(t.Context(), func(tx *sql.Tx) error {
			return b.write(t.Context(), tx, ids, func() error { return nil })
		}); err != nil {
			t.Fatal(err)
		}
		runs, err := runsOf(context.Background(), f.read)
		if err != nil || len(runs) != 1 {
			t.Fatalf("got %d runs, error %v", len(runs), err)
		}
		sorted, err := runs[0].ids()
		if err != nil || !slices.Equal(sorted, slices.Sorted(slices.Values(ids))) {
			t.Fatalf("the documents of the run are not those that were added (error %v)", err)
		}
		got := map[string][]place{}
		last := ""
		if err := runs[0].with("", false, true, func(w term) error {
			if s := string(w.word); s <= last && last != "" {
				t.Errorf("%q comes after %q", s, last)
			}
			last = string(w.word)
			doc, docs, positions, count := -1, w.docs, w.positions, 0
			for len(docs) > 0 {
				doc = step(&docs, doc, len(sorted))
				count++
				for at := -1; ; {
					n := uvarint(&positions)
					if n == 0 {
						break
					}
					at += n
					got[last] = append(got[last], place{sorted[doc], at})
				}
			}
			if count != w.count || len(positions) > 0 {
				t.Errorf("%q is said to be in %d documents and is in %d, with %d bytes left", last, w.count, count, len(positions))
			}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		for _, all := range want {
			slices.SortFunc(all, func(x, y place) int { return cmp.Or(cmp.Compare(x.id, y.id), cmp.Compare(x.place, y.place)) })
		}
		if !maps.EqualFunc(got, want, slices.Equal) {
			t.Errorf("%d words at once: the run has %d words, %d are in the documents, or their places differ", atOnce, len(got), len(want))
		}
		if err := f.close(); err != nil {
			t.Fatal(err)
		}
	}
}
