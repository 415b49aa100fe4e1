package search

import (
	"bytes"
	"cmp"
	"context"
	"database/sql"
	"encoding/binary"
	"hash/maphash"
	"math"
	"math/bits"
	"math/rand/v2"
	"slices"
)

// builder makes a run of documents that come in any order. It keeps them as numbers of words, one after the other, and turns that around when
// the run is written, so that nearly all that is read meanwhile is small enough to stay near the processor: with a list of places for each
// word nearly all the time went into waiting for memory.
type builder struct {
	seed  maphash.Seed
	mix   [2]uint64 // of hashes of short words
	slots []slot    // a power of two of them, at most half of them used
	words []word
	bytes []byte // of all words

	docs   []docWords
	tokens [][]uint32 // numbers of the words of all documents, in slabs of tokenSlab
	count  int        // of tokens

	text []byte // the words of a column, one after the other
	ends []int  // of the words, in text

	atOnce int // tokens that are turned around together, but for a word that has more
}

// slot says that a word with these first bytes is the nth, counted from 1, and how often it came; n is 0 when it is free. What nearly every
// word needs is in its slot, for looking anywhere else is waiting for memory.
type slot struct {
	start    uint64
	n, count uint32
}

// startSize is how many bytes of a word are in its slot: most words have no more.
const startSize = 8

type word struct {
	at     uint32 // in bytes
	count  uint32 // of its tokens, when the run is written
	length uint8  // at most longestWord
}

// docWords is where the words of a document are: from the token first on, those of a column before the nth end.
type docWords struct {
	first int
	ends  [columnsAll]uint32
}

const (
	tokenSlab    = 1 << 16
	fewSlots     = 1 << 12
	mostKept     = 1 << 18 // slots of a builder that is used again
	mostInverted = 4 << 20
	notNow       = math.MaxUint32
	blockBits    = 8 // of a token's place: documents are looked up by the others

	// Bytes of memory.
	wordSize  = 12
	slotSize  = 16
	tokenSize = 4
	docSize   = 40
)

func newBuilder() *builder {
	return &builder{seed: maphash.MakeSeed(), mix: [2]uint64{rand.Uint64(), rand.Uint64()}, slots: make([]slot, fewSlots), atOnce: mostInverted}
}

// reset forgets all, and keeps the memory unless it is large.
func (b *builder) reset() {
	if len(b.slots) > mostKept {
		*b = *newBuilder()
		return
	}
	clear(b.slots)
	b.words, b.bytes, b.docs, b.count = b.words[:0], b.bytes[:0], b.docs[:0], 0
}

// held is how many bytes of memory what was added takes, about.
func (b *builder) held() int {
	return len(b.slots)*slotSize + len(b.words)*wordSize*5/4 + len(b.bytes)*5/4 + b.count*tokenSize + len(b.docs)*docSize
}

func (b *builder) word(n int) []byte {
	w := &b.words[n]
	return b.bytes[w.at : int(w.at)+int(w.length)]
}

// number gives that of the word in text from from to end. There are startSize bytes of text behind it.
func (b *builder) number(text []byte, from, end int) uint32 {
	start := binary.LittleEndian.Uint64(text[from : from+startSize])
	if n := end - from; n < startSize {
		start &= 1<<(8*n) - 1 // no letter of a word is 0
	}
	mask := uint32(len(b.slots) - 1)
	for i := uint32(b.hash(start, text[from:end])) & mask; ; i = (i + 1) & mask {
		s := &b.slots[i]
		if s.n == 0 {
			*s = slot{start, uint32(len(b.words) + 1), 1}
			return b.put(text[from:end])
		}
		if s.start == start && (end-from < startSize || bytes.Equal(b.word(int(s.n-1)), text[from:end])) {
			s.count++
			return s.n - 1
		}
	}
}

// hash gives that of a word that begins with start.
func (b *builder) hash(start uint64, text []byte) uint64 {
	if len(text) > startSize {
		return maphash.Bytes(b.seed, text)
	}
	high, low := bits.Mul64(start^b.mix[0], uint64(len(text))^b.mix[1])
	return high ^ low
}

func (b *builder) put(text []byte) uint32 {
	n := len(b.words)
	b.words = append(b.words, word{at: uint32(len(b.bytes)), length: uint8(len(text))})
	b.bytes = append(b.bytes, text...)
	if 3*len(b.words) > 2*len(b.slots) {
		b.grow()
	}
	return uint32(n)
}

func (b *builder) grow() {
	old := b.slots
	b.slots = make([]slot, 2*len(old))
	mask := uint32(len(b.slots) - 1)
	for _, s := range old {
		if s.n == 0 {
			continue
		}
		i := uint32(b.hash(s.start, b.word(int(s.n-1)))) & mask
		for b.slots[i].n != 0 {
			i = (i + 1) & mask
		}
		b.slots[i] = s
	}
}

// add takes the next document.
func (b *builder) add(columns [columnsAll]string) {
	d := docWords{first: b.count}
	for column, text := range columns {
		b.text, b.ends = appendWords(b.text[:0], b.ends[:0], text)
		text := slices.Grow(b.text, startSize)[:len(b.text)+startSize]
		b.text = text[:len(b.text)]
		from := 0
		for _, end := range b.ends {
			n := b.number(text, from, end)
			from = end
			if b.count/tokenSlab == len(b.tokens) {
				b.tokens = append(b.tokens, make([]uint32, tokenSlab))
			}
			b.tokens[b.count/tokenSlab][b.count%tokenSlab] = n
			b.count++
		}
		d.ends[column] = uint32(b.count - d.first)
	}
	b.docs = append(b.docs, d)
}

// inversion is the words of a builder while they are turned around. Tokens are counted here in the order that documents have in the run.
type inversion struct {
	*builder
	order  []int32  // documents as they come in the run
	first  []uint32 // token of each of them, and one more: the end of the last
	blocks []int32  // document that has the first token of a block, or comes after it

	next    []uint32 // of a word, where in entries its next token goes; notNow: it is not its turn
	entries []uint32 // tokens, those of a word together and ascending
}

// write stores the run; ids are the numbers of the documents as they were added. pause is called now and then.
func (b *builder) write(ctx context.Context, tx *sql.Tx, ids []int64, pause func() error) error {
	for i := range b.slots {
		if s := &b.slots[i]; s.n > 0 {
			b.words[s.n-1].count = s.count
		}
	}
	v := &inversion{builder: b, order: make([]int32, len(ids)), first: make([]uint32, 1, len(ids)+1), next: make([]uint32, len(b.words))}
	for n := range v.order {
		v.order[n] = int32(n)
	}
	slices.SortFunc(v.order, func(x, y int32) int { return cmp.Compare(ids[x], ids[y]) })
	sorted := make([]int64, len(ids))
	total := uint32(0)
	for n, doc := range v.order {
		sorted[n] = ids[doc]
		total += b.docs[doc].ends[columnsAll-1]
		v.first = append(v.first, total)
	}
	doc := int32(0)
	for at := uint32(0); at < total; at += 1 << blockBits {
		for v.first[doc+1] <= at {
			doc++
		}
		v.blocks = append(v.blocks, doc)
	}
	w, err := newRunWriter(ctx, tx, sorted)
	if err != nil {
		return err
	}
	all := b.sorted()
	for len(all) > 0 {
		n, sum := 0, 0
		for n < len(all) && (n == 0 || sum+int(b.words[all[n]].count) <= b.atOnce) {
			sum += int(b.words[all[n]].count)
			n++
		}
		if err := v.invert(all[:n], sum, pause); err != nil {
			return err
		}
		if err := v.put(w, all[:n], pause); err != nil {
			return err
		}
		all = all[n:]
	}
	return w.end()
}

// sorted gives the words in their order.
func (b *builder) sorted() []uint32 {
	type key struct {
		start uint64 // the first bytes of the word: nearly all words differ in these
		n     uint32
	}
	keys := make([]key, len(b.words))
	for n := range b.words {
		var start [8]byte
		copy(start[:], b.word(n))
		keys[n] = key{binary.BigEndian.Uint64(start[:]), uint32(n)}
	}
	slices.SortFunc(keys, func(x, y key) int {
		if c := cmp.Compare(x.start, y.start); c != 0 {
			return c
		}
		return bytes.Compare(b.word(int(x.n)), b.word(int(y.n)))
	})
	all := make([]uint32, len(keys))
	for i, k := range keys {
		all[i] = k.n
	}
	return all
}

// invert collects the tokens of some words, which are sum.
func (v *inversion) invert(words []uint32, sum int, pause func() error) error {
	for n := range v.next {
		v.next[n] = notNow
	}
	at := uint32(0)
	for _, n := range words {
		v.next[n] = at
		at += v.words[n].count
	}
	v.entries = slices.Grow(v.entries[:0], sum)[:sum]
	for rank, doc := range v.order {
		if rank%256 == 0 {
			if err := pause(); err != nil {
				return err
			}
		}
		token := v.first[rank]
		from := v.docs[doc].first
		for end := from + int(v.first[rank+1]-token); from < end; {
			slab := v.tokens[from/tokenSlab][from%tokenSlab:]
			slab = slab[:min(len(slab), end-from)]
			from += len(slab)
			for _, n := range slab {
				if at := v.next[n]; at != notNow {
					v.entries[at] = token
					v.next[n] = at + 1
				}
				token++
			}
		}
	}
	return nil
}

// put writes the words whose tokens were collected.
func (v *inversion) put(w *runWriter, words []uint32, pause func() error) error {
	t, from := term{}, 0
	for i, n := range words {
		if i%256 == 0 {
			if err := pause(); err != nil {
				return err
			}
		}
		to := from + int(v.words[n].count)
		v.term(&t, v.entries[from:to])
		from = to
		t.word = v.word(int(n))
		if err := w.put(t); err != nil {
			return err
		}
	}
	return nil
}

// term gives t the documents and places of a word's tokens.
func (v *inversion) term(t *term, tokens []uint32) {
	t.count, t.docs, t.positions = 0, t.docs[:0], t.positions[:0]
	doc, last := int32(-1), int32(-1)
	var start, end uint32 // of the document
	var ends *[columnsAll]uint32
	place := -1
	for _, token := range tokens {
		if token >= end {
			doc = max(doc+1, v.blocks[token>>blockBits])
			for v.first[doc+1] <= token {
				doc++
			}
			if t.count > 0 {
				t.positions = append(t.positions, 0)
			}
			t.count++
			t.docs = appendNumber(t.docs, int(doc-last))
			last, place = doc, -1
			start, end, ends = v.first[doc], v.first[doc+1], &v.docs[v.order[doc]].ends
		}
		nth := token - start
		at := int(nth)
		if nth >= ends[0] {
			column := 1
			for nth >= ends[column] {
				column++
			}
			at = column<<24 + int(nth-ends[column-1])
		}
		t.positions = appendNumber(t.positions, at-place)
		place = at
	}
	if t.count > 0 {
		t.positions = append(t.positions, 0)
	}
}

// appendNumber appends a number as binary.AppendUvarint does, which is not made part of the caller's code.
func appendNumber(b []byte, n int) []byte {
	if n < 0x80 {
		return append(b, byte(n))
	}
	return binary.AppendUvarint(b, uint64(n))
}
