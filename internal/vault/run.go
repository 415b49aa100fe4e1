package vault

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"sort"
	"strings"
	"time"

	"holdfast/internal/holdfast"
)

// A run is a root object, and chunk, index and filter objects when it is too large to lie in the root as a whole.
//
// Root: "HFRN", version 1, length of the footer, the footer (a zstd frame), then the parts that lie inline. The footer has the container's
// identity, row counts, and for each part where it is. See docs/format.md.
const (
	rootMagic   = "HFRN"
	rootVersion = 1
)

// layout has the sizes of a run's parts. They are choices of the writer; a reader takes what the footer says.
type layout struct {
	chunk      int // bytes of rows in a chunk, before packing
	indexRows  int // keys in an index chunk
	perFilter  int // index chunks that share a filter
	inline     int // bytes of parts that may lie in the root
	block      int // bytes of a block of small pieces, before packing
	apart      int // bytes from which a piece is an object of its own
	apartAsked int // the same for pieces that ask for it
	spill      int // bytes of rows that a writer keeps in memory

	// Runs up to smallRun rows, together up to smallRuns, are looked up in one table of all their keys.
	smallRun, smallRuns int64

	journalKept int // newest journal entries that stay beside a summary
}

var defaultLayout = layout{
	chunk: 48 << 10, indexRows: 2048, perFilter: 16, inline: 192 << 10,
	block: 256 << 10, apart: 32 << 10, apartAsked: 1 << 10, spill: 16 << 20,
	smallRun: 20_000, smallRuns: 200_000, journalKept: 50,
}

// location is where a part of a run is: in the root, or an object.
type location struct {
	object string // empty: inline
	offset int
	length int
}

type chunkInfo struct {
	class  class
	rows   int
	start  int64 // number of its first row
	parent string
	time   time.Time
	at     location
}

type indexInfo struct {
	first key
	at    location
}

// run is a decoded root.
type run struct {
	id      string
	kind    holdfast.ContainerKind
	source  string
	rows    [classes]int64
	bytes   int64
	chunks  []chunkInfo
	index   []indexInfo
	filters []location
	per     int // index chunks per filter
	inline  []byte
	size    int64 // in memory
}

// runBuilder writes a run from rows that come in order.
type runBuilder struct {
	repo *shared
	to   *writeSession
	c    holdfast.Container

	chunk   chunkBuilder
	at      chunkInfo // of the chunk being built
	chunks  []chunkInfo
	keys    []indexEntry
	rows    [classes]int64
	total   int64
	bytes   int64
	pending [][]byte // parts that may still lie inline, by number
	inline  int
	apart   bool
	last    position
	any     bool
}

func newRunBuilder(r *shared, to *writeSession, c holdfast.Container) *runBuilder {
	return &runBuilder{repo: r, to: to, c: c}
}

func (b *runBuilder) add(ctx context.Context, r *row) error {
	p := r.position()
	if b.any && b.last.compare(p) >= 0 {
		return fmt.Errorf("rows out of order: %q after %q", p.id, b.last.id)
	}
	b.last, b.any = p, true
	if len(b.chunk.lengths) > 0 && (b.at.class != r.class || b.chunk.bytes() >= b.repo.layout().chunk) {
		if err := b.cut(ctx); err != nil {
			return err
		}
	}
	if len(b.chunk.lengths) == 0 {
		b.at = chunkInfo{class: r.class, start: b.total, parent: r.item.Parent, time: r.item.Time}
	}
	if err := b.chunk.add(r); err != nil {
		return err
	}
	if r.class != classCursor {
		b.keys = append(b.keys, indexEntry{r.key(), uint32(b.total)})
	}
	b.rows[r.class]++
	b.total++
	if b.total >= 1<<32 {
		return holdfast.Invalid("a run can't have more than %d rows", int64(1)<<32)
	}
	return nil
}

// cut ends the chunk being built.
func (b *runBuilder) cut(ctx context.Context) error {
	b.at.rows = len(b.chunk.lengths)
	b.bytes += int64(b.chunk.bytes())
	at, err := b.part(ctx, b.chunk.encode(b.repo.vault.zip))
	if err != nil {
		return err
	}
	b.at.at = at
	b.chunks = append(b.chunks, b.at)
	b.chunk.reset()
	return nil
}

// part stores a part inline as long as the run is small; location.offset is then its number in pending.
func (b *runBuilder) part(ctx context.Context, data []byte) (location, error) {
	if !b.apart && b.inline+len(data) <= b.repo.layout().inline {
		b.inline += len(data)
		b.pending = append(b.pending, data)
		return location{offset: len(b.pending) - 1}, nil
	}
	b.apart = true
	id, err := b.to.put(ctx, data)
	return location{object: id}, err
}

// settle turns a part that came before the run grew too large into an object.
func (b *runBuilder) settle(ctx context.Context, at *location, offsets []int) (err error) {
	switch {
	case at.object != "":
	case b.apart:
		at.object, err = b.to.put(ctx, b.pending[at.offset])
		at.offset = 0
	default:
		n := at.offset
		at.offset, at.length = offsets[n], len(b.pending[n])
	}
	return err
}

// finish writes the root. A run without rows gives an empty reference.
func (b *runBuilder) finish(ctx context.Context) (RunRef, error) {
	if b.total == 0 {
		return RunRef{}, nil
	}
	if err := b.cut(ctx); err != nil {
		return RunRef{}, err
	}
	slices.SortFunc(b.keys, func(x, y indexEntry) int { return bytes.Compare(x.key[:], y.key[:]) })
	for i := 1; i < len(b.keys); i++ {
		if b.keys[i].key == b.keys[i-1].key {
			return RunRef{}, fmt.Errorf("two rows of a run have the key %x", b.keys[i].key)
		}
	}
	l := b.repo.layout()
	var index []indexInfo
	var filters []location
	for part := range slices.Chunk(b.keys, l.indexRows) {
		at, err := b.part(ctx, encodeIndex(part))
		if err != nil {
			return RunRef{}, err
		}
		index = append(index, indexInfo{part[0].key, at})
	}
	if len(index) > 1 {
		for part := range slices.Chunk(b.keys, l.indexRows*l.perFilter) {
			data := encodeFilter(part)
			if b.repo.bugs.filter {
				clear(data[len(data)/2:])
			}
			at, err := b.part(ctx, data)
			if err != nil {
				return RunRef{}, err
			}
			filters = append(filters, at)
		}
	}
	offsets := make([]int, len(b.pending))
	for i, n := 0, 0; i < len(b.pending); i++ {
		offsets[i] = n
		n += len(b.pending[i])
	}
	for i := range b.chunks {
		if err := b.settle(ctx, &b.chunks[i].at, offsets); err != nil {
			return RunRef{}, err
		}
	}
	for i := range index {
		if err := b.settle(ctx, &index[i].at, offsets); err != nil {
			return RunRef{}, err
		}
	}
	for i := range filters {
		if err := b.settle(ctx, &filters[i], offsets); err != nil {
			return RunRef{}, err
		}
	}
	var e encoder
	e.string(string(b.c.Kind))
	e.string(b.c.Source)
	for _, n := range b.rows {
		e.uint(uint64(n))
	}
	e.uint(uint64(b.bytes))
	var parents []string
	number := map[string]int{}
	for _, c := range b.chunks {
		if _, ok := number[c.parent]; !ok {
			number[c.parent] = len(parents)
			parents = append(parents, c.parent)
		}
	}
	e.uint(uint64(len(parents)))
	for _, p := range parents {
		e.string(p)
	}
	e.uint(uint64(len(b.chunks)))
	for _, c := range b.chunks {
		e.byte(byte(c.class))
		e.uint(uint64(c.rows))
		e.uint(uint64(number[c.parent]))
		e.time(c.time)
		e.location(c.at)
	}
	e.uint(uint64(len(index)))
	for _, x := range index {
		e.bytes(x.first[:])
		e.location(x.at)
	}
	e.uint(uint64(l.perFilter))
	e.uint(uint64(len(filters)))
	for _, f := range filters {
		e.location(f)
	}
	footer := b.repo.vault.zip.pack(nil, e.b, true)
	var out encoder
	out.bytes([]byte(rootMagic))
	out.byte(rootVersion)
	out.uint(uint64(len(footer)))
	out.bytes(footer)
	if !b.apart {
		for _, p := range b.pending {
			out.bytes(p)
		}
	}
	id, err := b.to.put(ctx, out.b)
	return RunRef{Object: id, Rows: b.total, Bytes: b.bytes}, err
}

func (e *encoder) location(l location) {
	if l.object != "" {
		e.byte(1)
		e.string(l.object)
		return
	}
	e.byte(0)
	e.uint(uint64(l.offset))
	e.uint(uint64(l.length))
}

func (d *decoder) location(inline int) location {
	switch d.byte() {
	case 0:
		l := location{offset: int(d.size(int64(inline))), length: int(d.size(int64(inline)))}
		if l.offset+l.length > inline {
			d.fail()
		}
		return l
	case 1:
		l := location{object: d.string()}
		if l.object == "" {
			d.fail()
		}
		return l
	}
	d.fail()
	return location{}
}

// maxRoot bounds a root object and, unpacked, its footer.
const maxRoot = 64 << 20

func decodeRun(z *zip, id string, data []byte) (*run, error) {
	rest, ok := bytes.CutPrefix(data, []byte(rootMagic))
	if !ok {
		return nil, errGarbled
	}
	d := &decoder{b: rest}
	if v := d.byte(); d.err == nil && v > rootVersion {
		return nil, tooNew("run", int(v))
	} else if v != rootVersion {
		d.fail()
	}
	frame := d.take(int(d.size(int64(len(data)))))
	if d.err != nil {
		return nil, d.err
	}
	r := &run{id: id, inline: d.b}
	raw, err := z.unpack(frame, maxRoot)
	if err != nil {
		return nil, err
	}
	d = &decoder{b: raw}
	r.kind, r.source = holdfast.ContainerKind(d.string()), d.string()
	total := int64(0)
	for i := range r.rows {
		r.rows[i] = d.size(1 << 32)
		total += r.rows[i]
	}
	r.bytes = d.size(maxSize)
	parents := make([]string, d.count(1))
	for i := range parents {
		parents[i] = d.string()
		r.size += int64(len(parents[i]))
	}
	r.chunks = make([]chunkInfo, d.count(5))
	n := int64(0)
	for i := range r.chunks {
		c := &r.chunks[i]
		c.class, c.rows, c.start = class(d.byte()), int(d.size(1<<32)), n
		if p := d.uint(); p < uint64(len(parents)) {
			c.parent = parents[p]
		} else {
			d.fail()
		}
		c.time = d.time()
		c.at = d.location(len(r.inline))
		n += int64(c.rows)
		if c.class >= classes {
			d.fail()
		}
	}
	if n != total {
		d.fail()
	}
	r.index = make([]indexInfo, d.count(18))
	for i := range r.index {
		copy(r.index[i].first[:], d.take(16))
		r.index[i].at = d.location(len(r.inline))
		if i > 0 && bytes.Compare(r.index[i-1].first[:], r.index[i].first[:]) >= 0 {
			d.fail()
		}
	}
	r.per = int(d.size(1 << 20))
	r.filters = make([]location, d.count(2))
	for i := range r.filters {
		r.filters[i] = d.location(len(r.inline))
	}
	if d.err == nil && len(r.filters) > 0 && (r.per == 0 || (len(r.index)+r.per-1)/r.per != len(r.filters)) {
		d.fail()
	}
	r.size += int64(len(r.chunks))*120 + int64(len(r.index))*80 + int64(len(r.filters))*64 + int64(len(r.inline)) + 512
	return r, d.end()
}

func (r *run) total() int64 {
	n := int64(0)
	for _, c := range r.rows {
		n += c
	}
	return n
}

// objects gives the objects that the run itself consists of, the root left out.
func (r *run) objects() iter.Seq[string] {
	return func(yield func(string) bool) {
		for _, c := range r.chunks {
			if c.at.object != "" && !yield(c.at.object) {
				return
			}
		}
		for _, x := range r.index {
			if x.at.object != "" && !yield(x.at.object) {
				return
			}
		}
		for _, f := range r.filters {
			if f.object != "" && !yield(f.object) {
				return
			}
		}
	}
}

// damaged says of an error of decoding which object is not what was written.
func damaged(what, object string, err error) error {
	if errors.Is(err, errGarbled) {
		return holdfast.Damaged("%s %s is not what was written: %w", what, object, err)
	}
	return err
}

// loadRun reads a root through the cache.
func (s *shared) loadRun(ctx context.Context, ref RunRef) (*run, error) {
	return load(s.vault.cache, s.cacheKey("run", ref.Object), func() (*run, int64, error) {
		data, err := s.store.get(ctx, ref.Object, maxRoot)
		if err != nil {
			return nil, 0, err
		}
		r, err := decodeRun(s.vault.zip, ref.Object, data)
		if err != nil {
			return nil, 0, damaged("run", ref.Object, err)
		}
		return r, r.size, nil
	})
}

func (s *shared) cacheKey(what, object string) string {
	return what + " " + s.cachePrefix + " " + object
}

// partData reads a part of a run. Parts are smaller than maxRoot.
func (s *shared) partData(ctx context.Context, r *run, at location) ([]byte, error) {
	if at.object == "" {
		return r.inline[at.offset : at.offset+at.length], nil
	}
	return s.store.get(ctx, at.object, maxRoot)
}

// part reads and decodes a part of a run through the cache.
func part[T any](ctx context.Context, s *shared, r *run, what string, at location, decode func([]byte) (T, int64, error)) (T, error) {
	name := at.object
	if name == "" {
		name = fmt.Sprintf("%s@%d", r.id, at.offset)
	}
	return load(s.vault.cache, s.cacheKey(what, name), func() (T, int64, error) {
		data, err := s.partData(ctx, r, at)
		if err != nil {
			var none T
			return none, 0, err
		}
		v, size, err := decode(data)
		return v, size, damaged(what, name, err)
	})
}

func (s *shared) chunk(ctx context.Context, r *run, n int) (*chunk, error) {
	c, err := part(ctx, s, r, "chunk", r.chunks[n].at, func(b []byte) (*chunk, int64, error) {
		c, err := decodeChunk(s.vault.zip, b)
		if err != nil {
			return nil, 0, err
		}
		return c, c.size, nil
	})
	if err == nil && len(c.rows) != r.chunks[n].rows {
		err = holdfast.Damaged("chunk %d of run %s has %d rows, not %d", n, r.id, len(c.rows), r.chunks[n].rows)
	}
	if hurtBy(err) {
		return nil, &LostError{Part: fmt.Sprintf("%s/%d", r.id, n), Rows: r.chunks[n].rows, Folder: r.chunks[n].parent, Err: err}
	}
	return c, err
}

// LostError says that a part of a container's list of items can't be read. The items before and after it can.
type LostError struct {
	Part   string // names it: the same for each item in it
	Rows   int    // how many items and folders it had, some of which may be older versions of others
	Folder string // id of the folder of its first item; empty for folders at the top
	Err    error  // of kind damaged
}

func (e *LostError) Error() string {
	return fmt.Sprintf("%d entries of the list of items can't be read: %v", e.Rows, e.Err)
}

func (e *LostError) Unwrap() error { return e.Err }

// find looks a key up.
func (s *shared) find(ctx context.Context, r *run, k key) (number uint32, ok bool, err error) {
	n := sort.Search(len(r.index), func(i int) bool { return bytes.Compare(r.index[i].first[:], k[:]) > 0 }) - 1
	if n < 0 {
		return 0, false, nil
	}
	if len(r.filters) > 0 {
		f, err := part(ctx, s, r, "filter", r.filters[n/r.per], func(b []byte) (*filter, int64, error) {
			f, err := decodeFilter(b)
			return f, int64(len(b)), err
		})
		if err != nil && !hurtBy(err) || err == nil && !f.may(k) { // the filter only saves reading the index
			return 0, false, err
		}
	}
	x, err := s.indexChunk(ctx, r, n)
	if err != nil {
		return 0, false, err
	}
	number, ok = x.find(k)
	return number, ok, nil
}

// indexChunk reads a chunk of a run's index. The rows tell what is in one that can't be read.
func (s *shared) indexChunk(ctx context.Context, r *run, n int) (*indexChunk, error) {
	x, err := part(ctx, s, r, "index", r.index[n].at, func(b []byte) (*indexChunk, int64, error) {
		x, err := decodeIndex(b)
		return x, int64(len(b)), err
	})
	if !hurtBy(err) {
		return x, err
	}
	return load(s.vault.cache, s.cacheKey("index again", fmt.Sprintf("%s/%d", r.id, n)), func() (*indexChunk, int64, error) {
		x, err := s.indexAgain(ctx, r, n)
		if err != nil {
			return nil, 0, err
		}
		return x, int64(len(x.keys) + 4*x.len()), nil
	})
}

// indexAgain makes a chunk of the index from the run's rows.
func (s *shared) indexAgain(ctx context.Context, r *run, n int) (*indexChunk, error) {
	var keys []indexEntry
	rows := s.rows(r)
	for {
		if err := rows.advance(ctx); err != nil {
			return nil, err
		}
		if !rows.ok {
			break
		}
		k := keyOf(rows.at.id)
		if rows.at.class == classCursor || bytes.Compare(k[:], r.index[n].first[:]) < 0 || n+1 < len(r.index) && bytes.Compare(k[:], r.index[n+1].first[:]) >= 0 {
			continue
		}
		keys = append(keys, indexEntry{k, rows.number})
	}
	slices.SortFunc(keys, func(x, y indexEntry) int { return bytes.Compare(x.key[:], y.key[:]) })
	return decodeIndex(encodeIndex(keys))
}

// row reads the row with that number.
func (s *shared) row(ctx context.Context, r *run, number uint32) (*row, error) {
	n := sort.Search(len(r.chunks), func(i int) bool { return r.chunks[i].start > int64(number) }) - 1
	if n < 0 || int64(number) >= r.total() {
		return nil, holdfast.Damaged("run %s has no row %d", r.id, number)
	}
	c, err := s.chunk(ctx, r, n)
	if err != nil {
		return nil, err
	}
	got, err := c.row(int(int64(number) - r.chunks[n].start))
	return got, damaged("row of run", r.id, err)
}

// scan walks rows of a run in order.
type scan struct {
	s     *shared
	r     *run
	class class  // rows of this class only
	in    string // and with this parent, when only is set
	only  bool
	whole bool // all classes

	// lost, when not nil, is told of chunks of items that can't be read, and the scan goes on behind them.
	lost func(*LostError)

	chunk  int
	next   int
	loaded *chunk

	// The current row, valid while ok.
	ok     bool
	at     position
	number uint32
}

// rows starts a scan of the whole run.
func (s *shared) rows(r *run) *scan { return &scan{s: s, r: r, whole: true} }

// rowsOf starts a scan of the rows of a class.
func (s *shared) rowsOf(r *run, k class) *scan {
	n := sort.Search(len(r.chunks), func(i int) bool { return r.chunks[i].class >= k })
	return &scan{s: s, r: r, class: k, chunk: n}
}

// rowsIn starts a scan of the rows of a class in one parent. lost is as in scan.
func (s *shared) rowsIn(ctx context.Context, r *run, k class, parent string, lost func(*LostError)) (*scan, error) {
	x := &scan{s: s, r: r, class: k, in: parent, only: true, lost: lost}
	// The first chunk that starts at or after the folder; the folder may begin in the one before.
	n := sort.Search(len(r.chunks), func(i int) bool {
		c := r.chunks[i]
		return c.class > k || c.class == k && strings.Compare(c.parent, parent) >= 0
	})
	x.chunk = n
	if n > 0 && r.chunks[n-1].class == k {
		c, err := s.chunk(ctx, r, n-1)
		if x.skips(k, err) {
			return x, nil
		} else if err != nil {
			return nil, err
		}
		from, err := c.seek(k, parent)
		if err != nil {
			return nil, damaged("row of run", r.id, err)
		}
		if from < len(c.rows) {
			x.chunk, x.next, x.loaded = n-1, from, c
		}
	}
	return x, nil
}

// skips tells whether the scan goes on behind a chunk that can't be read. Deletions are no items: what they hide the index tells.
func (x *scan) skips(k class, err error) bool {
	var lost *LostError
	if x.lost == nil || !errors.As(err, &lost) {
		return false
	}
	if k == classFolder || k == classItem {
		x.lost(lost)
	}
	return true
}

// advance goes to the next row.
func (x *scan) advance(ctx context.Context) error {
	x.ok = false
	for {
		if x.chunk >= len(x.r.chunks) || !x.whole && x.r.chunks[x.chunk].class != x.class {
			return nil
		}
		if x.loaded == nil {
			if x.only && x.r.chunks[x.chunk].parent > x.in {
				return nil
			}
			c, err := x.s.chunk(ctx, x.r, x.chunk)
			if x.skips(x.r.chunks[x.chunk].class, err) {
				x.chunk, x.next = x.chunk+1, 0
				continue
			} else if err != nil {
				return err
			}
			x.loaded = c
		}
		if x.next < len(x.loaded.rows) {
			break
		}
		x.chunk, x.next, x.loaded = x.chunk+1, 0, nil
	}
	p, err := decodePosition(x.loaded.rows[x.next])
	if err != nil {
		return damaged("row of run", x.r.id, err)
	}
	if x.only && p.parent != x.in {
		return nil
	}
	x.at, x.number, x.ok = p, uint32(x.r.chunks[x.chunk].start)+uint32(x.next), true
	x.next++
	return nil
}

// row decodes the current row.
func (x *scan) row() (*row, error) {
	r, err := x.loaded.row(x.next - 1)
	return r, damaged("row of run", x.r.id, err)
}
