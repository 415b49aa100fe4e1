package search

import (
	"bytes"
	"math/bits"

	"holdfast/internal/query"
)

// set is documents of a run, a bit each.
type set []uint64

func newSet(docs int) set { return make(set, (docs+63)/64) }

func (s set) put(n int)      { s[n>>6] |= 1 << (n & 63) }
func (s set) has(n int) bool { return s[n>>6]&(1<<(n&63)) != 0 }

func (s set) and(o set) {
	for i := range s {
		s[i] &= o[i]
	}
}

func (s set) or(o set) {
	for i := range s {
		s[i] |= o[i]
	}
}

func (s set) without(o set) {
	for i := range s {
		s[i] &^= o[i]
	}
}

// not gives what is not in s of a run with so many documents.
func (s set) not(docs int) {
	for i := range s {
		s[i] = ^s[i]
	}
	if rest := docs & 63; rest > 0 {
		s[len(s)-1] &= 1<<rest - 1
	}
}

func (s set) count() (n int) {
	for _, w := range s {
		n += bits.OnesCount64(w)
	}
	return n
}

// between counts those from low to before high.
func (s set) between(low, high int) (n int) {
	for low = s.after(low, high); low < high; low = s.after(low, high) {
		if low&63 == 0 && low+64 <= high {
			n += bits.OnesCount64(s[low>>6])
			low += 64
			continue
		}
		n++
		low++
	}
	return n
}

// after gives the first one from low on, or high.
func (s set) after(low, high int) int {
	for low < high {
		if w := s[low>>6] >> (low & 63); w != 0 {
			return min(low+bits.TrailingZeros64(w), high)
		}
		low = (low | 63) + 1
	}
	return high
}

// before gives one above the last one below high, or low.
func (s set) before(low, high int) int {
	for high > low {
		if w := s[(high-1)>>6] << (63 - (high-1)&63); w != 0 {
			return max(high-bits.LeadingZeros64(w), low)
		}
		high = (high - 1) &^ 63
	}
	return low
}

// each calls fn for each document from the first to the last.
func (s set) each(fn func(n int)) {
	for i, w := range s {
		for ; w != 0; w &= w - 1 {
			fn(i<<6 + bits.TrailingZeros64(w))
		}
	}
}

// A matcher is a condition on words.
type matcher interface {
	// in gives the documents of a run that meet it.
	in(r *run) (set, error)
	// says tells whether a text of one column meets it.
	says(words []string) bool
}

// phrase is words one after the other; the last one may be only begun.
type phrase struct {
	words   []string
	begun   bool
	columns uint // a bit for each that counts
}

const everywhere = 1<<columnsAll - 1

func (p phrase) in(r *run) (set, error) {
	out := newSet(r.docs)
	if len(p.words) == 1 {
		return out, r.with(p.words[0], !p.begun, p.columns != everywhere, func(t term) error { return p.mark(out, t) })
	}
	if !p.begun {
		return out, p.along(r, p.words, out)
	}
	last := len(p.words) - 1
	// What has all the words before it first: often that is little.
	before, err := (phrase{words: p.words[:last], columns: p.columns}).in(r)
	if err != nil || before.count() == 0 {
		return out, err
	}
	var ends []string
	if err := r.with(p.words[last], false, false, func(t term) error {
		ends = append(ends, string(t.word))
		return nil
	}); err != nil {
		return nil, err
	}
	words := append([]string(nil), p.words...)
	for _, end := range ends {
		words[last] = end
		if err := p.along(r, words, out); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// mark puts the documents of a word into out, those in which it stands in a column that counts.
func (p phrase) mark(out set, t term) error {
	doc := -1
	if p.columns == everywhere {
		for d := t.docs; len(d) > 0; {
			doc = step(&d, doc, len(out)<<6)
			out.put(doc)
		}
		return nil
	}
	for d, places := t.docs, t.positions; len(d) > 0; {
		doc = step(&d, doc, len(out)<<6)
		for place := -1; ; {
			n := uvarint(&places)
			if n == 0 {
				break
			}
			if place += n; p.columns&(1<<(place>>24)) != 0 {
				out.put(doc)
				end := bytes.IndexByte(places, 0)
				if end < 0 {
					return errGarbled
				}
				places = places[end+1:]
				break
			}
		}
	}
	return nil
}

// along puts the documents into out in which the words stand one after the other.
func (p phrase) along(r *run, words []string, out set) error {
	all := newSet(r.docs)
	all.not(r.docs)
	terms := map[string]term{}
	for _, w := range words {
		if _, ok := terms[w]; ok {
			continue
		}
		here := newSet(r.docs)
		if err := r.with(w, true, true, func(t term) error {
			// The row's memory is lent.
			terms[w] = term{docs: bytes.Clone(t.docs), positions: bytes.Clone(t.positions)}
			return (phrase{columns: everywhere}).mark(here, t)
		}); err != nil {
			return err
		}
		if all.and(here); all.count() == 0 {
			return r.ctx.Err()
		}
	}
	return sound(func() error {
		at := make([]*places, len(words))
		for i, w := range words {
			at[i] = &places{docs: terms[w].docs, rest: terms[w].positions, doc: -1}
		}
		all.each(func(doc int) {
			for _, a := range at {
				a.to(doc)
			}
			if p.adjoin(at) {
				out.put(doc)
			}
		})
		return r.ctx.Err()
	})
}

// places walks through the places of a word.
type places struct {
	docs, rest []byte
	doc        int
	all        []int // in doc
}

func (a *places) to(doc int) {
	if a.doc < doc {
		a.all = a.all[:0]
	}
	for a.doc < doc {
		a.doc = step(&a.docs, a.doc, 1<<40)
		end := bytes.IndexByte(a.rest, 0)
		if end < 0 {
			panic(errGarbled)
		}
		if a.doc == doc {
			for b, place := a.rest[:end], -1; len(b) > 0; {
				place += uvarint(&b)
				a.all = append(a.all, place)
			}
		}
		a.rest = a.rest[end+1:]
	}
}

// adjoin says whether the words stand one after the other in a column that counts.
func (p phrase) adjoin(at []*places) bool {
	from := make([]int, len(at))
	for _, first := range at[0].all {
		if p.columns&(1<<(first>>24)) == 0 {
			continue
		}
		ok := true
		for i := 1; i < len(at) && ok; i++ {
			all := at[i].all
			for from[i] < len(all) && all[from[i]] < first+i {
				from[i]++
			}
			ok = from[i] < len(all) && all[from[i]] == first+i
		}
		if ok {
			return true
		}
	}
	return false
}

func (p phrase) says(words []string) bool {
	for i := range words {
		if i+len(p.words) > len(words) {
			return false
		}
		ok := true
		for n, w := range p.words {
			have := words[i+n]
			if p.begun && n == len(p.words)-1 {
				have = have[:min(len(have), len(w))]
			}
			ok = ok && have == w
		}
		if ok {
			return true
		}
	}
	return false
}

// pattern is a word in which * and ? stand for others.
type pattern struct {
	glob    string
	columns uint
}

func globs(glob []rune, word string) bool { return query.Glob(glob, []rune(word)) }

func (p pattern) in(r *run) (set, error) {
	out := newSet(r.docs)
	var words []string
	if err := r.like(p.glob, func(w string) error {
		words = append(words, w)
		return nil
	}); err != nil {
		return nil, err
	}
	for _, w := range words {
		if err := r.with(w, true, p.columns != everywhere, func(t term) error { return (phrase{columns: p.columns}).mark(out, t) }); err != nil {
			return nil, err
		}
	}
	return out, r.ctx.Err()
}

func (p pattern) says(words []string) bool {
	for _, w := range words {
		if globs([]rune(p.glob), w) {
			return true
		}
	}
	return false
}

// allOf is met by what meets all of its parts; it has one or more.
type allOf []matcher

func (a allOf) in(r *run) (set, error) { return combine(r, a, set.and) }

func (a allOf) says(words []string) bool {
	for _, m := range a {
		if !m.says(words) {
			return false
		}
	}
	return true
}

// anyOf is met by what meets one of its parts; it has one or more.
type anyOf []matcher

func (a anyOf) in(r *run) (set, error) { return combine(r, a, set.or) }

func (a anyOf) says(words []string) bool {
	for _, m := range a {
		if m.says(words) {
			return true
		}
	}
	return false
}

func combine(r *run, parts []matcher, with func(a, b set)) (out set, err error) {
	for _, m := range parts {
		s, err := m.in(r)
		if err != nil {
			return nil, err
		}
		if out == nil {
			out = s
			continue
		}
		with(out, s)
	}
	return out, nil
}

// noneOf is met by what does not meet its part.
type noneOf struct{ matcher }

func (n noneOf) in(r *run) (set, error) {
	s, err := n.matcher.in(r)
	if err == nil {
		s.not(r.docs)
	}
	return s, err
}

func (n noneOf) says(words []string) bool { return !n.matcher.says(words) }
