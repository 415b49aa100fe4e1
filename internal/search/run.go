package search

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"math/bits"
	"slices"
	"strings"

	"holdfast/internal/holdfast"
)

// A run is an immutable piece of the index: the words of some documents. Within it documents are counted from 0 in order of their numbers.
// Its words are sorted and lie in rows of words, some hundred in a row (terms); docs has for each word the documents that it stands in, as
// differences, positions for each of those the places, as differences from 1 on, and a 0. A place is column << 24 | nth word of the column.
//
// Small runs are merged into larger ones; what a full transaction has written is large. Documents that are forgotten stay in their run, and
// their numbers in dead, until it is written anew.

// Columns of a document; the body is first, for its places are most and so take fewest bytes.
const (
	columnBody = iota
	columnName
	columnSender
	columnRecipients
	columnCc
	columnPlace   // of events and contacts
	columnCompany // of contacts
	columnPhone
	columnsAll
)

const (
	fanOut   = 8        // runs of one size that are merged into one
	largeRun = 12 << 20 // bytes of words of a run that is not merged any more
	smallRun = 32 << 10 // bytes of the smallest size of runs
	rowSize  = 48 << 10 // bytes of a row of words, about
)

// sorter puts the documents of a word into order.
type sorter struct {
	keys, other []uint64 // document << 32 | nth of places
	places      [][]byte
	digits      int // that documents have
	ascending   bool
}

const (
	digitBits = 11 // of a digit by which many documents are sorted
	fewKeys   = 512
)

func newSorter(docs int) *sorter {
	return &sorter{digits: (bits.Len(uint(docs)) + digitBits - 1) / digitBits, ascending: true}
}

// add notes a document with its places, without the 0 that ends them; they are kept until take.
func (s *sorter) add(doc int32, places []byte) {
	key := uint64(doc)<<32 | uint64(len(s.keys))
	s.ascending = s.ascending && (len(s.keys) == 0 || s.keys[len(s.keys)-1] < key)
	s.keys, s.places = append(s.keys, key), append(s.places, places)
}

// take gives t what was added, in order, and forgets it. Documents are at most once in it.
func (s *sorter) take(t *term) {
	switch {
	case s.ascending:
	case len(s.keys) < fewKeys:
		slices.Sort(s.keys)
	default:
		s.byDigits()
	}
	t.count, t.docs, t.positions = len(s.keys), t.docs[:0], t.positions[:0]
	last := -1
	for _, k := range s.keys {
		doc := int(k >> 32)
		t.docs = binary.AppendUvarint(t.docs, uint64(doc-last))
		last = doc
		t.positions = append(append(t.positions, s.places[uint32(k)]...), 0)
	}
	s.keys, s.places, s.ascending = s.keys[:0], s.places[:0], true
}

// byDigits sorts the keys by one digit of the document after the other: comparing many costs several times as much.
func (s *sorter) byDigits() {
	s.other = slices.Grow(s.other[:0], len(s.keys))[:len(s.keys)]
	for digit := range s.digits {
		shift := 32 + digit*digitBits
		var at [1 << digitBits]int32
		for _, k := range s.keys {
			at[k>>shift&(1<<digitBits-1)]++
		}
		sum := int32(0)
		for i, n := range at {
			at[i], sum = sum, sum+n
		}
		for _, k := range s.keys {
			d := k >> shift & (1<<digitBits - 1)
			s.other[at[d]] = k
			at[d]++
		}
		s.keys, s.other = s.other, s.keys
	}
}

// term is a word with its documents and places.
type term struct {
	word            []byte
	count           int
	docs, positions []byte
}

// runWriter writes rows of words.
type runWriter struct {
	ctx  context.Context
	tx   *sql.Tx
	stmt *sql.Stmt
	run  int64
	size int64 // bytes of words so far

	first, last            []byte
	terms, docs, positions []byte
}

func newRunWriter(ctx context.Context, tx *sql.Tx, ids []int64) (*runWriter, error) {
	raw := make([]byte, 0, 7*len(ids))
	last := int64(0)
	for _, id := range ids {
		raw = binary.AppendUvarint(raw, uint64(id-last))
		last = id
	}
	w := &runWriter{ctx: ctx, tx: tx}
	err := tx.QueryRowContext(ctx, `INSERT INTO runs(docs, size, ids) VALUES(?, 0, ?) RETURNING id`, len(ids), sealed(raw)).Scan(&w.run)
	if err != nil {
		return nil, err
	}
	w.stmt, err = tx.PrepareContext(ctx, `INSERT INTO words(run, first, terms, docs, positions) VALUES(?, ?, ?, ?, ?)`) // closed with the transaction
	return w, err
}

func (w *runWriter) put(t term) error {
	if len(w.terms) == 0 {
		w.first = append(w.first[:0], t.word...)
		w.last = w.last[:0]
	}
	same := 0
	for same < min(len(w.last), len(t.word)) && w.last[same] == t.word[same] {
		same++
	}
	for _, n := range []int{same, len(t.word) - same} {
		w.terms = binary.AppendUvarint(w.terms, uint64(n))
	}
	w.terms = append(w.terms, t.word[same:]...)
	for _, n := range []int{t.count, len(t.docs), len(t.positions)} {
		w.terms = binary.AppendUvarint(w.terms, uint64(n))
	}
	w.last = append(w.last[:0], t.word...)
	w.docs, w.positions = append(w.docs, t.docs...), append(w.positions, t.positions...)
	if len(w.terms)+len(w.docs)+len(w.positions) < rowSize {
		return nil
	}
	return w.flush()
}

func (w *runWriter) flush() error {
	if len(w.terms) == 0 {
		return nil
	}
	_, err := w.stmt.ExecContext(context.WithoutCancel(w.ctx), w.run, w.first, sealed(w.terms), sealed(w.docs), sealed(w.positions))
	w.size += int64(len(w.terms) + len(w.docs) + len(w.positions))
	w.terms, w.docs, w.positions = w.terms[:0], w.docs[:0], w.positions[:0]
	return err
}

// end writes what is left.
func (w *runWriter) end() error {
	if err := w.flush(); err != nil {
		return err
	}
	_, err := w.tx.ExecContext(context.WithoutCancel(w.ctx), `UPDATE runs SET size = ? WHERE id = ?`, w.size, w.run)
	return err
}

// sealed puts a sum behind bytes, so that a damaged row is no wrong answer.
func sealed(b []byte) []byte {
	return binary.LittleEndian.AppendUint32(b, crc32.Checksum(b, castagnoli))
}

// unsealed takes it off; nil stays nil.
func unsealed(b []byte) ([]byte, error) {
	if b == nil {
		return nil, nil
	}
	n := len(b) - 4
	if n < 0 || binary.LittleEndian.Uint32(b[n:]) != crc32.Checksum(b[:n], castagnoli) {
		return nil, errGarbled
	}
	return b[:n:n], nil
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// unseal takes the sums off what was read.
func unseal(all ...*[]byte) (err error) {
	for _, b := range all {
		if *b, err = unsealed(*b); err != nil {
			return err
		}
	}
	return nil
}

var errGarbled = errors.New(holdfast.SayIndexGarbled.With())

// uvarint reads a number; it panics with errGarbled, which sound turns into an error.
func uvarint(b *[]byte) int {
	if s := *b; len(s) > 0 && s[0] < 0x80 {
		*b = s[1:]
		return int(s[0])
	}
	v, n := binary.Uvarint(*b)
	if n <= 0 || v > 1<<62 {
		panic(errGarbled)
	}
	*b = (*b)[n:]
	return int(v)
}

// step reads the next document of a word, which comes after the one before and below what there is.
func step(b *[]byte, before, docs int) int {
	n := uvarint(b)
	if n == 0 || n >= docs-before {
		panic(errGarbled)
	}
	return before + n
}

func take(b *[]byte, n int) []byte {
	if n < 0 || n > len(*b) {
		panic(errGarbled)
	}
	out := (*b)[:n:n]
	*b = (*b)[n:]
	return out
}

// sound runs what decodes, and makes an error of what does not decode.
func sound(fn func() error) (err error) {
	defer func() {
		if cause := recover(); cause == errGarbled {
			err = errGarbled
		} else if cause != nil {
			panic(cause)
		}
	}()
	return fn()
}

// row is a row of words, being read.
type row struct {
	id              int64
	word            []byte
	terms           []byte
	docs, positions []byte
	lazy            bool // positions were not read; t.positions has only their length
	at              int  // in positions
}

// next gives the next word; its slices are good until the row is read on (word) or for good (the others).
func (r *row) next() (t term, from int, ok bool) {
	if len(r.terms) == 0 {
		return t, 0, false
	}
	same := uvarint(&r.terms)
	suffix := take(&r.terms, uvarint(&r.terms))
	if same > len(r.word) {
		panic(errGarbled)
	}
	r.word = append(r.word[:same], suffix...)
	t.word, t.count = r.word, uvarint(&r.terms)
	t.docs = take(&r.docs, uvarint(&r.terms))
	n := uvarint(&r.terms)
	from = r.at
	r.at += n
	if !r.lazy {
		t.positions = take(&r.positions, n)
	}
	return t, from, true
}

// run is a run for reading, as of a transaction.
type run struct {
	ctx  context.Context
	db   querier
	id   int64
	docs int
	size int64 // bytes of words
}

func runsOf(ctx context.Context, db querier) (all []run, err error) {
	err = each(ctx, db, `SELECT id, docs, size FROM runs ORDER BY id`, nil, func(scan func(...any) error) error {
		r := run{ctx: ctx, db: db}
		err := scan(&r.id, &r.docs, &r.size)
		all = append(all, r)
		return err
	})
	return all, err
}

// ids gives the numbers of the documents.
func (r *run) ids() (ids []int64, err error) {
	err = each(r.ctx, r.db, `SELECT ids FROM runs WHERE id = ?`, []any{r.id}, func(scan func(...any) error) error {
		var raw sql.RawBytes
		if err := scan(&raw); err != nil {
			return err
		}
		return sound(func() error {
			b, err := unsealed(raw)
			if err != nil {
				return err
			}
			ids = make([]int64, 0, r.docs)
			for last := int64(0); len(b) > 0; {
				last += int64(uvarint(&b))
				ids = append(ids, last)
			}
			if len(ids) != r.docs {
				return errGarbled
			}
			return nil
		})
	})
	return ids, err
}

// with calls fn for each word that begins with prefix, or is it when exact. Places are read when asked for.
func (r *run) with(prefix string, exact, places bool, fn func(t term) error) error {
	// The row before may have it: rows are known by their first word.
	from := prefix
	err := each(r.ctx, r.db, `SELECT first FROM words WHERE run = ? AND first <= ? ORDER BY first DESC LIMIT 1`, []any{r.id, []byte(prefix)}, func(scan func(...any) error) error {
		var first []byte
		err := scan(&first)
		from = string(first)
		return err
	})
	if err != nil {
		return err
	}
	column := "NULL"
	if places {
		column = "positions"
	}
	limit := ""
	if exact {
		limit = " LIMIT 1"
	}
	err = each(r.ctx, r.db, `SELECT terms, docs, `+column+` FROM words WHERE run = ? AND first >= ? ORDER BY first`+limit, []any{r.id, []byte(from)}, func(scan func(...any) error) error {
		var terms, docs, positions sql.RawBytes
		if err := scan(&terms, &docs, &positions); err != nil {
			return err
		}
		row := row{terms: terms, docs: docs, positions: positions, lazy: !places}
		if err := unseal(&row.terms, &row.docs, &row.positions); err != nil {
			return err
		}
		return sound(func() error {
			for {
				t, _, ok := row.next()
				switch {
				case !ok:
					return nil
				case string(t.word) < prefix:
					continue
				case exact && string(t.word) != prefix, !strings.HasPrefix(string(t.word), prefix):
					return errEnough
				}
				if err := fn(t); err != nil {
					return err
				}
				if exact {
					return errEnough
				}
			}
		})
	})
	if errors.Is(err, errEnough) {
		return nil
	}
	return err
}

// like calls fn for each word that matches a pattern. First only the words are read, not what they stand in.
func (r *run) like(pattern string, fn func(word string) error) error {
	start := pattern[:strings.IndexAny(pattern, "*?")]
	glob := []rune(pattern)
	if start != "" {
		return r.with(start, false, false, func(t term) error {
			if globs(glob, string(t.word)) {
				return fn(string(t.word))
			}
			return nil
		})
	}
	return each(r.ctx, r.db, `SELECT terms FROM words WHERE run = ? ORDER BY first`, []any{r.id}, func(scan func(...any) error) error {
		var terms sql.RawBytes
		if err := scan(&terms); err != nil {
			return err
		}
		b, err := unsealed(terms)
		if err != nil {
			return err
		}
		return sound(func() error {
			var word []byte
			for len(b) > 0 {
				same := uvarint(&b)
				if same > len(word) {
					return errGarbled
				}
				word = append(word[:same], take(&b, uvarint(&b))...)
				for range 3 {
					uvarint(&b)
				}
				if globs(glob, string(word)) {
					if err := fn(string(word)); err != nil {
						return err
					}
				}
			}
			return nil
		})
	})
}

// reader reads a run from its first word to its last, in pieces.
type reader struct {
	run  *run
	last []byte // first word of the row that was read last
	row  row
	t    term
	more bool
}

func (r *reader) next(ctx context.Context, tx *sql.Tx) error {
	var ok bool
	if r.t, _, ok = r.row.next(); ok {
		return nil
	}
	var first, terms, docs, positions []byte
	err := tx.QueryRowContext(ctx, `SELECT first, terms, docs, positions FROM words WHERE run = ? AND first > ? ORDER BY first LIMIT 1`, r.run.id, r.last).Scan(&first, &terms, &docs, &positions)
	if errors.Is(err, sql.ErrNoRows) {
		r.more = false
		return nil
	} else if err != nil {
		return err
	}
	if err := unseal(&terms, &docs, &positions); err != nil {
		return err
	}
	r.last = first
	r.row = row{terms: terms, docs: docs, positions: positions}
	if r.t, _, ok = r.row.next(); !ok {
		return errGarbled
	}
	return nil
}

// merge makes one run of some, without the dead. pause is called now and then.
func merge(ctx context.Context, tx *sql.Tx, runs []run, pause func() error) error {
	dead := map[int64]bool{}
	err := each(ctx, tx, `SELECT id FROM dead`, nil, func(scan func(...any) error) error {
		var id int64
		err := scan(&id)
		dead[id] = true
		return err
	})
	if err != nil {
		return err
	}
	var buried []int64
	type origin struct {
		id  int64
		run int
		doc int32
	}
	var all []origin
	into := make([][]int32, len(runs)) // of a run's document, which one it becomes; -1: none
	for i := range runs {
		runs[i].db, runs[i].ctx = tx, ctx
		ids, err := runs[i].ids()
		if err != nil {
			return err
		}
		into[i] = make([]int32, len(ids))
		for n, id := range ids {
			if into[i][n] = -1; dead[id] {
				buried = append(buried, id)
				continue
			}
			all = append(all, origin{id, i, int32(n)})
		}
	}
	slices.SortFunc(all, func(a, b origin) int {
		if a.id < b.id {
			return -1
		} else if a.id > b.id {
			return 1
		}
		return 0
	})
	ids := make([]int64, len(all))
	for n, o := range all {
		ids[n] = o.id
		into[o.run][o.doc] = int32(n)
	}
	all = nil
	return sound(func() error {
		w, err := newRunWriter(ctx, tx, ids)
		if err != nil {
			return err
		}
		readers := make([]*reader, len(runs))
		for i := range runs {
			readers[i] = &reader{run: &runs[i], more: true, last: []byte{}}
			if err := readers[i].next(ctx, tx); err != nil {
				return err
			}
		}
		if err := mergeWords(ctx, tx, w, readers, into, pause); err != nil {
			return err
		}
		for _, r := range runs {
			for _, q := range []string{`DELETE FROM words WHERE run = ?`, `DELETE FROM runs WHERE id = ?`} {
				if _, err := tx.ExecContext(ctx, q, r.id); err != nil {
					return err
				}
			}
		}
		for _, id := range buried {
			if _, err := tx.ExecContext(ctx, `DELETE FROM dead WHERE id = ?`, id); err != nil {
				return err
			}
		}
		return nil
	})
}

func mergeWords(ctx context.Context, tx *sql.Tx, w *runWriter, readers []*reader, into [][]int32, pause func() error) error {
	docs := 0
	for _, to := range into {
		docs += len(to)
	}
	t, in := term{}, newSorter(docs)
	for n := 0; ; n++ {
		if n%256 == 0 {
			if err := pause(); err != nil {
				return err
			}
		}
		var least *reader
		for _, r := range readers {
			if r.more && (least == nil || bytes.Compare(r.t.word, least.t.word) < 0) {
				least = r
			}
		}
		if least == nil {
			return w.end()
		}
		t.word = append(t.word[:0], least.t.word...)
		for i, r := range readers {
			if !r.more || !bytes.Equal(r.t.word, t.word) {
				continue
			}
			doc := -1
			for d, p := r.t.docs, r.t.positions; len(d) > 0; {
				doc = step(&d, doc, len(into[i]))
				end := bytes.IndexByte(p, 0)
				if end < 0 {
					return errGarbled
				}
				if to := into[i][doc]; to >= 0 {
					in.add(to, p[:end])
				}
				p = p[end+1:]
			}
			if err := r.next(ctx, tx); err != nil {
				return err
			}
		}
		if len(in.keys) == 0 {
			continue // all of its documents are dead
		}
		in.take(&t)
		if err := w.put(t); err != nil {
			return err
		}
	}
}

// level is the size of a run: those of one level are merged.
func (r *run) level() (n int) {
	for d := r.size / smallRun; d > 0; d /= fanOut {
		n++
	}
	return n
}

// due gives runs that are to be merged now; none: it is well.
func due(ctx context.Context, db querier) ([]run, error) {
	all, err := runsOf(ctx, db)
	if err != nil {
		return nil, err
	}
	levels := map[int][]run{}
	total := 0
	for _, r := range all {
		total += r.docs
		if r.size < largeRun {
			levels[r.level()] = append(levels[r.level()], r)
		}
	}
	for n := range 32 {
		if len(levels[n]) >= fanOut {
			return levels[n][:fanOut], nil
		}
	}
	var dead int
	if err := each(ctx, db, `SELECT count(*) FROM dead`, nil, func(scan func(...any) error) error { return scan(&dead) }); err != nil {
		return nil, err
	}
	if dead*2 <= total {
		return nil, nil
	}
	// More than half is forgotten: the run with most of them is written anew, then the next.
	gone := map[int64]bool{}
	if err := each(ctx, db, `SELECT id FROM dead`, nil, func(scan func(...any) error) error {
		var id int64
		err := scan(&id)
		gone[id] = true
		return err
	}); err != nil {
		return nil, err
	}
	most := 0
	var worst []run
	for _, r := range all {
		ids, err := r.ids()
		if err != nil {
			return nil, err
		}
		n := 0
		for _, id := range ids {
			if gone[id] {
				n++
			}
		}
		if n > most {
			most, worst = n, []run{r}
		}
	}
	return worst, nil
}
