package vault

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"holdfast/internal/holdfast"
)

// class is the first key of a run's order: what a row is.
type class byte

const (
	classFolder class = iota // a live version of a folder
	classItem                // a live version of anything else
	classTomb                // the item with this id is gone
	classCursor              // a cursor's value; empty: the cursor is gone
	classes                  // how many there are
)

// row is one row of a run.
type row struct {
	class    class
	item     holdfast.Item // tombstone: ID only; cursor: ID is its name, Name its value
	payloads []payload
}

// payload says where an item's bytes are.
type payload struct {
	form   holdfast.Form
	size   int64 // of the exact bytes
	sum    [sha256.Size]byte
	pieces []piece
}

// piece is a run of stored bytes: length bytes at offset in a block, or a whole object.
type piece struct {
	base64 bool
	ref    objectRef
	block  *block // while the block is being filled, instead of ref
	offset int64
	length int64 // stored bytes, before the transform
}

// objectRef names an object that payloads lie in.
type objectRef struct {
	id     string
	packed bool  // a block of many pieces, zstd
	size   int64 // of the block unpacked, or of the object
}

// key is the 16-byte name under which a run looks an item up: the first half of the SHA-256 of its id.
type key [16]byte

func keyOf(id string) key {
	h := sha256.Sum256([]byte(id))
	return key(h[:16])
}

func (r *row) key() key { return keyOf(r.item.ID) }

func (r *row) position() position {
	return position{r.class, r.item.Parent, r.item.Time, r.item.ID}
}

// position is where a row stands in the order of a run: class, parent, time descending, id.
type position struct {
	class  class
	parent string
	time   time.Time
	id     string
}

func (a position) compare(b position) int {
	return cmp.Or(cmp.Compare(a.class, b.class), strings.Compare(a.parent, b.parent), b.time.Compare(a.time), strings.Compare(a.id, b.id))
}

// Limits of one row. What is larger is refused when written, so that a reader may refuse it too.
const (
	maxRow   = 8 << 20
	maxChunk = 16 << 20 // unpacked
)

var errGarbled = errors.New("garbled")

// encoder appends to a slice.
type encoder struct{ b []byte }

func (e *encoder) uint(v uint64)   { e.b = binary.AppendUvarint(e.b, v) }
func (e *encoder) int(v int64)     { e.b = binary.AppendVarint(e.b, v) }
func (e *encoder) string(s string) { e.uint(uint64(len(s))); e.b = append(e.b, s...) }
func (e *encoder) byte(c byte)     { e.b = append(e.b, c) }
func (e *encoder) bytes(p []byte)  { e.b = append(e.b, p...) }

// time is seconds since 1970 and nanoseconds; the zero time has its own sign, since its seconds would be long.
func (e *encoder) time(t time.Time) {
	if t.IsZero() {
		e.byte(0)
		return
	}
	e.byte(1)
	e.int(t.Unix())
	e.uint(uint64(t.Nanosecond()))
}

// decoder reads what encoder wrote. After the first fault all reads give zero values and err is set.
type decoder struct {
	b   []byte
	err error
}

func (d *decoder) fail() {
	if d.err == nil {
		d.err = errGarbled
	}
	d.b = nil
}

func (d *decoder) uint() uint64 {
	v, n := binary.Uvarint(d.b)
	if n <= 0 {
		d.fail()
		return 0
	}
	d.b = d.b[n:]
	return v
}

func (d *decoder) int() int64 {
	v, n := binary.Varint(d.b)
	if n <= 0 {
		d.fail()
		return 0
	}
	d.b = d.b[n:]
	return v
}

// size is a count or length that must fit an int64 and be at most limit.
func (d *decoder) size(limit int64) int64 {
	v := d.uint()
	if v > uint64(limit) {
		d.fail()
		return 0
	}
	return int64(v)
}

// count is a number of things that take at least min bytes each in what is left.
func (d *decoder) count(min int) int {
	return int(d.size(int64(len(d.b) / min)))
}

func (d *decoder) take(n int) []byte {
	if n < 0 || n > len(d.b) {
		d.fail()
		return nil
	}
	p := d.b[:n:n]
	d.b = d.b[n:]
	return p
}

func (d *decoder) string() string { return string(d.take(int(d.size(int64(len(d.b)))))) }
func (d *decoder) skip()          { d.take(int(d.size(int64(len(d.b))))) }

func (d *decoder) byte() byte {
	if p := d.take(1); p != nil {
		return p[0]
	}
	return 0
}

func (d *decoder) time() time.Time {
	switch d.byte() {
	case 0:
		return time.Time{}
	case 1:
	default:
		d.fail()
		return time.Time{}
	}
	s, n := d.int(), d.size(999_999_999)
	const span = 1 << 40 // seconds: some 35,000 years either way
	if s > span || s < -span {
		d.fail()
		return time.Time{}
	}
	return time.Unix(s, n).UTC()
}

// encode appends the row; table gives the number of an object in the chunk's table.
func (r *row) encode(e *encoder, table func(objectRef) uint64) {
	e.byte(byte(r.class))
	i := &r.item
	switch r.class {
	case classTomb:
		e.string(i.ID)
		return
	case classCursor:
		e.string(i.ID)
		e.string(i.Name)
		return
	}
	e.string(i.Parent)
	e.time(i.Time)
	e.string(i.ID)
	e.string(string(i.Kind))
	e.string(i.Version)
	e.int(i.Size)
	e.string(i.Name)
	e.uint(uint64(len(i.Fields)))
	names := make([]string, 0, 16)
	for k := range i.Fields {
		names = append(names, k)
	}
	slices.Sort(names)
	for _, k := range names {
		e.string(k)
		e.string(i.Fields[k])
	}
	e.uint(uint64(len(r.payloads)))
	for _, p := range r.payloads {
		e.string(string(p.form))
		e.uint(uint64(p.size))
		e.bytes(p.sum[:])
		e.uint(uint64(len(p.pieces)))
		for _, c := range p.pieces {
			flags := byte(0)
			if c.base64 {
				flags |= 1
			}
			if c.ref.packed {
				flags |= 2
			}
			e.byte(flags)
			e.uint(table(c.ref))
			if c.ref.packed {
				e.uint(uint64(c.offset))
			}
			e.uint(uint64(c.length))
		}
	}
}

// decodePosition reads only what the order needs.
func decodePosition(b []byte) (position, error) {
	d := &decoder{b: b}
	p := position{class: class(d.byte())}
	if p.class == classFolder || p.class == classItem {
		p.parent, p.time = d.string(), d.time()
	} else if p.class >= classes {
		d.fail()
	}
	p.id = d.string()
	return p, d.err
}

const maxSize = 1 << 60

// decodeRow reads a row; objects is its chunk's table.
func decodeRow(b []byte, objects []objectRef) (*row, error) {
	return decodeRowBy(b, func(n uint64) (objectRef, *block, bool) {
		if n >= uint64(len(objects)) {
			return objectRef{}, nil, false
		}
		return objects[n], nil, true
	})
}

// decodeRowBy reads a row; object gives what the number of an object stands for.
func decodeRowBy(b []byte, object func(uint64) (objectRef, *block, bool)) (*row, error) {
	d := &decoder{b: b}
	r := &row{class: class(d.byte())}
	i := &r.item
	switch r.class {
	case classTomb:
		i.ID = d.string()
		return r, d.end()
	case classCursor:
		i.ID, i.Name = d.string(), d.string()
		return r, d.end()
	case classFolder, classItem:
	default:
		return nil, fmt.Errorf("row of class %d: %w", r.class, errGarbled)
	}
	i.Parent = d.string()
	i.Time = d.time()
	i.ID = d.string()
	i.Kind = holdfast.ItemKind(d.string())
	i.Version = d.string()
	i.Size = d.int()
	i.Name = d.string()
	if n := d.count(2); n > 0 {
		i.Fields = make(map[string]string, n)
		for range n {
			k := d.string()
			i.Fields[k] = d.string()
		}
	}
	n := d.count(sha256.Size)
	r.payloads = make([]payload, 0, n)
	for range n {
		p := payload{form: holdfast.Form(d.string()), size: d.size(maxSize)}
		copy(p.sum[:], d.take(sha256.Size))
		m := d.count(3)
		p.pieces = make([]piece, 0, m)
		for range m {
			flags := d.byte()
			if flags > 3 {
				d.fail()
			}
			c := piece{base64: flags&1 != 0}
			var known bool
			if c.ref, c.block, known = object(d.uint()); !known {
				d.fail()
			}
			if c.ref.packed != (flags&2 != 0) {
				d.fail()
			}
			if c.ref.packed {
				c.offset = d.size(maxSize)
			}
			c.length = d.size(maxSize)
			if c.offset+c.length > c.ref.size {
				d.fail()
			}
			p.pieces = append(p.pieces, c)
		}
		r.payloads = append(r.payloads, p)
	}
	return r, d.end()
}

func (d *decoder) end() error {
	if d.err == nil && len(d.b) != 0 {
		d.fail()
	}
	return d.err
}

// A chunk is a part of a run's rows in order. Bytes: version 1; length of the first frame; a zstd frame with the objects that its rows
// refer to; a zstd frame with the rows. Marking needs the first frame only.
type chunk struct {
	objects []objectRef
	rows    [][]byte // encoded, in order
	size    int64    // bytes in memory
}

const chunkVersion = 1

// chunkBuilder collects rows of one chunk.
type chunkBuilder struct {
	rows    encoder
	lengths []int
	objects []objectRef
	table   map[objectRef]uint64
}

func (c *chunkBuilder) reset() {
	c.rows.b, c.lengths, c.objects = c.rows.b[:0], c.lengths[:0], c.objects[:0]
	clear(c.table)
}

func (c *chunkBuilder) add(r *row) error {
	if c.table == nil {
		c.table = map[objectRef]uint64{}
	}
	from := len(c.rows.b)
	r.encode(&c.rows, func(o objectRef) uint64 {
		n, ok := c.table[o]
		if !ok {
			n = uint64(len(c.objects))
			c.table[o] = n
			c.objects = append(c.objects, o)
		}
		return n
	})
	n := len(c.rows.b) - from
	if n > maxRow {
		return holdfast.Invalid("the properties of item %q take %d bytes; at most %d can be stored", r.item.ID, n, maxRow)
	}
	c.lengths = append(c.lengths, n)
	return nil
}

func (c *chunkBuilder) bytes() int { return len(c.rows.b) }

func (c *chunkBuilder) encode(z *zip) []byte {
	var t encoder
	t.uint(uint64(len(c.objects)))
	for _, o := range c.objects {
		flags := byte(0)
		if o.packed {
			flags = 1
		}
		t.byte(flags)
		t.uint(uint64(o.size))
		t.string(o.id)
	}
	var rows encoder
	rows.b = make([]byte, 0, len(c.rows.b)+3*len(c.lengths)+8)
	rows.uint(uint64(len(c.lengths)))
	for _, n := range c.lengths {
		rows.uint(uint64(n))
	}
	rows.bytes(c.rows.b)
	first := z.pack(nil, t.b, true)
	var out encoder
	out.b = make([]byte, 0, len(first)+len(rows.b)/2)
	out.byte(chunkVersion)
	out.uint(uint64(len(first)))
	out.bytes(first)
	return z.pack(out.b, rows.b, true)
}

// splitChunk gives the two frames of a chunk.
func splitChunk(data []byte) (table, rows []byte, err error) {
	d := &decoder{b: data}
	if v := d.byte(); d.err == nil && v > chunkVersion {
		return nil, nil, tooNew("chunk", int(v))
	} else if v != chunkVersion {
		d.fail()
	}
	table = d.take(int(d.size(int64(len(data)))))
	return table, d.b, d.err
}

func tooNew(what string, version int) error {
	return holdfast.Conflict("a %s of format %d was found; this version of Holdfast reads up to %d: use a newer one", what, version, Format)
}

func decodeObjects(z *zip, frame []byte) ([]objectRef, error) {
	raw, err := z.unpack(frame, maxChunk)
	if err != nil {
		return nil, err
	}
	d := &decoder{b: raw}
	list := make([]objectRef, d.count(3))
	for i := range list {
		flags := d.byte()
		if flags > 1 {
			d.fail()
		}
		list[i] = objectRef{packed: flags == 1, size: d.size(maxSize), id: d.string()}
		if list[i].id == "" {
			d.fail()
		}
	}
	return list, d.end()
}

func decodeChunk(z *zip, data []byte) (*chunk, error) {
	table, frame, err := splitChunk(data)
	if err != nil {
		return nil, err
	}
	c := new(chunk)
	if c.objects, err = decodeObjects(z, table); err != nil {
		return nil, err
	}
	raw, err := z.unpack(frame, maxChunk)
	if err != nil {
		return nil, err
	}
	d := &decoder{b: raw}
	n := d.count(2)
	lengths := make([]int, n)
	for i := range lengths {
		lengths[i] = int(d.size(maxRow))
	}
	c.rows = make([][]byte, n)
	for i, l := range lengths {
		c.rows[i] = d.take(l)
	}
	c.size = int64(len(raw)) + int64(n)*24 + 128
	for _, o := range c.objects {
		c.size += int64(len(o.id)) + 40
	}
	return c, d.end()
}

func (c *chunk) row(i int) (*row, error) {
	if i < 0 || i >= len(c.rows) {
		return nil, errGarbled
	}
	return decodeRow(c.rows[i], c.objects)
}

// seek is the first row that is not before the rows of (class, parent).
func (c *chunk) seek(k class, parent string) (int, error) {
	var fault error
	n, _ := slices.BinarySearchFunc(c.rows, 0, func(b []byte, _ int) int {
		p, err := decodePosition(b)
		if err != nil {
			fault = err
		}
		if p.class < k || p.class == k && p.parent < parent {
			return -1
		}
		return 1
	})
	return n, fault
}

// An index chunk maps keys to rows. Bytes: version 1; number of keys; the keys, sorted, 16 bytes each; for each its row's number in the run,
// 4 bytes, little-endian. It does not compress.
type indexChunk struct {
	keys, rows []byte
}

const indexVersion = 1

type indexEntry struct {
	key key
	row uint32
}

func encodeIndex(list []indexEntry) []byte {
	var e encoder
	e.b = make([]byte, 0, len(list)*20+8)
	e.byte(indexVersion)
	e.uint(uint64(len(list)))
	for _, x := range list {
		e.bytes(x.key[:])
	}
	for _, x := range list {
		e.b = binary.LittleEndian.AppendUint32(e.b, x.row)
	}
	return e.b
}

func decodeIndex(data []byte) (*indexChunk, error) {
	d := &decoder{b: data}
	if v := d.byte(); d.err == nil && v > indexVersion {
		return nil, tooNew("index chunk", int(v))
	} else if v != indexVersion {
		d.fail()
	}
	n := d.count(20)
	x := &indexChunk{keys: d.take(16 * n), rows: d.take(4 * n)}
	return x, d.end()
}

func (x *indexChunk) len() int { return len(x.rows) / 4 }

func (x *indexChunk) find(k key) (row uint32, ok bool) {
	lo, hi := 0, x.len()
	for lo < hi {
		m := int(uint(lo+hi) >> 1)
		switch c := bytes.Compare(x.keys[16*m:16*m+16], k[:]); {
		case c == 0:
			return binary.LittleEndian.Uint32(x.rows[4*m:]), true
		case c < 0:
			lo = m + 1
		default:
			hi = m
		}
	}
	return 0, false
}

// A filter tells for most keys that a run does not have them. Bytes: version 1; number of bits; the bits. With a the second half of a key
// and b its first half made odd, both little-endian, its bits are a + i*b (mod 2^64, then mod the number of bits) for i below filterProbes.
const (
	filterVersion = 1
	filterProbes  = 7
	filterPerKey  = 10 // bits
)

func filterBits(keys int) uint64 { return uint64(max(64, (keys*filterPerKey+63)/64*64)) }

func encodeFilter(keys []indexEntry) []byte {
	bits := filterBits(len(keys))
	set := make([]byte, bits/8)
	for _, x := range keys {
		a, b := x.key.halves()
		for range filterProbes {
			n := a % bits
			set[n>>3] |= 1 << (n & 7)
			a += b
		}
	}
	var e encoder
	e.byte(filterVersion)
	e.uint(bits)
	e.bytes(set)
	return e.b
}

type filter struct {
	bits uint64
	set  []byte
}

func decodeFilter(data []byte) (*filter, error) {
	d := &decoder{b: data}
	if v := d.byte(); d.err == nil && v > filterVersion {
		return nil, tooNew("filter", int(v))
	} else if v != filterVersion {
		d.fail()
	}
	f := &filter{bits: d.uint()}
	if d.err != nil || f.bits == 0 || f.bits%8 != 0 || f.bits/8 != uint64(len(d.b)) {
		return nil, errGarbled
	}
	f.set = d.b
	return f, nil
}

func (k key) halves() (a, b uint64) {
	return binary.LittleEndian.Uint64(k[8:]), binary.LittleEndian.Uint64(k[:8]) | 1
}

// may says whether k may be among the keys.
func (f *filter) may(k key) bool {
	a, b := k.halves()
	for range filterProbes {
		n := a % f.bits
		if f.set[n>>3]&(1<<(n&7)) == 0 {
			return false
		}
		a += b
	}
	return true
}
