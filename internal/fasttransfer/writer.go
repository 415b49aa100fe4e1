package fasttransfer

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"time"
	"unicode/utf16"
)

// WriterOptions say how a stream is wrapped.
type WriterOptions struct {
	Bare   bool   // the stream alone, without records
	Head   []byte // the records before those of content, as Scanner.Head gives them; default: those of Exchange Online
	Record int    // bytes of stream in a record, default 31680
}

// Writer writes a stream; equal calls write equal bytes. Its methods remember the first error, which Close returns.
type Writer struct {
	w      io.Writer
	o      WriterOptions
	record []byte
	open   []Marker
	err    error
	begun  bool
}

// What Exchange begins an export with: the transfer is a copy of a message (the identity is that of MAPI's message interface) for a receiver that takes
// Unicode, written by a server of version 15.20.
var (
	exportConfig    = []byte{0, 0, 0, 0, 1, 0, 0, 0}
	exportInterface = append(append([]byte{1, 0, 0, 0}, guidBytes("00020307-0000-0000-c000-000000000046")...), 0x00, 0x24, 0x00, 0x80)
	exportVersion   = []byte{0x14, 0x0f, 0x00, 0x80, 0x00, 0x00}
)

func guidBytes(s string) []byte { g := NewGUID(s); return g[:] }

// NewWriter begins a stream. Nothing is written before the first element.
func NewWriter(w io.Writer, o WriterOptions) *Writer {
	if o.Record <= 0 {
		o.Record = 31680
	}
	return &Writer{w: w, o: o}
}

func (w *Writer) write(b []byte) {
	if w.err != nil {
		return
	}
	if w.o.Bare {
		_, w.err = w.w.Write(b)
		return
	}
	w.begin()
	for len(b) > 0 && w.err == nil {
		n := min(len(b), w.o.Record-len(w.record))
		w.record = append(w.record, b[:n]...)
		b = b[n:]
		if len(w.record) == w.o.Record {
			w.emit(recordContent, w.record)
			w.record = w.record[:0]
		}
	}
}

// begin writes the records before the stream.
func (w *Writer) begin() {
	if w.begun || w.o.Bare {
		return
	}
	w.begun = true
	if w.o.Head != nil {
		_, w.err = w.w.Write(w.o.Head)
		return
	}
	w.emit(recordConfig, exportConfig)
	w.emit(recordInterface, exportInterface)
	w.emit(recordVersion, exportVersion)
}

func (w *Writer) emit(kind uint32, b []byte) {
	if w.err != nil {
		return
	}
	head := binary.LittleEndian.AppendUint32(binary.LittleEndian.AppendUint32(nil, kind), uint32(len(b)))
	if _, w.err = w.w.Write(head); w.err == nil {
		_, w.err = w.w.Write(b)
	}
}

func (w *Writer) failf(format string, args ...any) {
	if w.err == nil {
		w.err = fmt.Errorf("write FastTransfer stream: "+format, args...)
	}
}

// Close writes what is held back. It is an error when objects are open.
func (w *Writer) Close() error {
	if len(w.open) > 0 {
		w.failf("%d objects are not closed", len(w.open))
	}
	if len(w.record) > 0 {
		w.emit(recordContent, w.record)
		w.record = nil
	}
	return w.err
}

// Mark writes a marker.
func (w *Writer) Mark(m Marker) {
	if closes := m.ends(); closes != 0 {
		w.open = append(w.open, closes)
	} else if n := len(w.open); n > 0 && w.open[n-1] == m {
		w.open = w.open[:n-1]
	}
	w.write(binary.LittleEndian.AppendUint32(nil, uint32(m)))
}

// head writes what stands before a property's value. A named property gets the number id, which any number from 0x8000 on may be.
func (w *Writer) head(id uint16, name Name, t Type) {
	b := binary.LittleEndian.AppendUint32(make([]byte, 0, 64), uint32(id)<<16|uint32(t))
	if id >= firstNamed {
		b = append(b, name.Set[:]...)
		if name.Text == "" {
			b = binary.LittleEndian.AppendUint32(append(b, 0), name.ID)
		} else {
			b = append(appendUTF16(append(b, 1), name.Text), 0, 0)
		}
	}
	w.write(b)
}

// Raw writes a property whose value is already in the form of a stream: what a Scanner reads of e.
func (w *Writer) Raw(e Element, value io.Reader) {
	w.head(e.ID, e.Name, e.Type)
	size, many, ok := e.Type.size()
	switch {
	case !ok:
		w.failf("property %#04x has the unknown type %#04x", e.ID, uint16(e.Type))
		return
	case many:
		w.write(binary.LittleEndian.AppendUint32(nil, uint32(e.Count)))
	case size == 0:
		w.write(binary.LittleEndian.AppendUint32(nil, uint32(e.Size)))
	}
	n, err := io.Copy(writeFunc(func(p []byte) (int, error) { w.write(p); return len(p), w.err }), value)
	if err != nil && w.err == nil {
		w.err = err
	}
	if e.Size >= 0 && n != e.Size {
		w.failf("property %#04x has %d bytes, not %d", e.ID, n, e.Size)
	}
}

type writeFunc func([]byte) (int, error)

func (f writeFunc) Write(p []byte) (int, error) { return f(p) }

// Set writes a property that is named by its number (Name{ID: 0x0037}) or by a Name with a set, which stands with it in the stream.
//
// The value says the type: bool, int16, int32, int64, float32, float64, time.Time, GUID, string, []byte, and slices of all but bool.
func (w *Writer) Set(name Name, value any) {
	t, many, b, err := appendValue(nil, value)
	if err != nil {
		w.failf("property %v: %w", name, err)
		return
	}
	w.value(name, t, many, b)
}

// SetType writes a property of a type that no Go type stands for: text in a code page, or bytes as they are.
func (w *Writer) SetType(name Name, t Type, value any) {
	var b []byte
	var err error
	switch v := value.(type) {
	case string:
		b, err = encodeText(v, t)
	case []byte:
		b = v
	default:
		err = errType
	}
	if err != nil {
		w.failf("property %v: %w", name, err)
		return
	}
	w.value(name, t, 1, b)
}

// Stream writes a property of size bytes from r.
func (w *Writer) Stream(name Name, size int64, r io.Reader) {
	e := name.element(TypeBinary)
	e.Size = size
	w.Raw(e, r)
}

func (w *Writer) value(name Name, t Type, count int, b []byte) {
	e := name.element(t)
	e.Count, e.Size = int64(count), int64(len(b))
	w.Raw(e, bytes.NewReader(b))
}

// element is the head of a property with this name. Its number counts only when the name has no set.
func (n Name) element(t Type) Element {
	if n.Set == (GUID{}) {
		return Element{ID: uint16(n.ID), Type: t, Count: 1}
	}
	return Element{ID: firstNamed, Type: t, Name: n, Count: 1}
}

var errType = errors.New("no property has a value of this Go type")

// appendValue writes a value as Set takes it, without the count or length of the property.
func appendValue(b []byte, value any) (t Type, count int, out []byte, err error) {
	le := binary.LittleEndian
	switch v := value.(type) {
	case bool:
		if v {
			return TypeBool, 1, append(b, 1, 0), nil
		}
		return TypeBool, 1, append(b, 0, 0), nil
	case int16:
		return TypeInt16, 1, le.AppendUint16(b, uint16(v)), nil
	case int32:
		return TypeInt32, 1, le.AppendUint32(b, uint32(v)), nil
	case int64:
		return TypeInt64, 1, le.AppendUint64(b, uint64(v)), nil
	case float32:
		return TypeFloat32, 1, le.AppendUint32(b, math.Float32bits(v)), nil
	case float64:
		return TypeFloat64, 1, le.AppendUint64(b, math.Float64bits(v)), nil
	case time.Time:
		return TypeTime, 1, le.AppendUint64(b, toFileTime(v)), nil
	case GUID:
		return TypeGUID, 1, append(b, v[:]...), nil
	case string:
		return TypeUnicode, 1, append(appendUTF16(b, v), 0, 0), nil
	case []byte:
		return TypeBinary, 1, append(b, v...), nil
	case []int16:
		return appendMany(b, TypeInt16, v)
	case []int32:
		return appendMany(b, TypeInt32, v)
	case []int64:
		return appendMany(b, TypeInt64, v)
	case []float32:
		return appendMany(b, TypeFloat32, v)
	case []float64:
		return appendMany(b, TypeFloat64, v)
	case []time.Time:
		return appendMany(b, TypeTime, v)
	case []GUID:
		return appendMany(b, TypeGUID, v)
	case []string:
		return appendMany(b, TypeString, v)
	case [][]byte:
		return appendMany(b, TypeBinary, v)
	}
	return 0, 0, nil, errType
}

func appendMany[T any](b []byte, t Type, values []T) (Type, int, []byte, error) {
	size, _, _ := t.size()
	for _, v := range values {
		at := len(b)
		if size == 0 {
			b = append(b, 0, 0, 0, 0)
		}
		_, _, b, _ = appendValue(b, v)
		if size == 0 {
			binary.LittleEndian.PutUint32(b[at:], uint32(len(b)-at-4))
		}
	}
	return Many | t, len(values), b, nil
}

func appendUTF16(b []byte, s string) []byte {
	for _, r := range s {
		if r >= 0x10000 {
			first, second := utf16.EncodeRune(r)
			b = binary.LittleEndian.AppendUint16(binary.LittleEndian.AppendUint16(b, uint16(first)), uint16(second))
		} else {
			b = binary.LittleEndian.AppendUint16(b, uint16(r))
		}
	}
	return b
}

// encodeText is s as the type's code page has it, with the zero that ends it.
func encodeText(s string, t Type) ([]byte, error) {
	codePage := pageWestern
	if t&CodePage != 0 {
		codePage, _ = t.codePage()
	}
	if codePage == pageUTF16 {
		return append(appendUTF16(nil, s), 0, 0), nil
	}
	p := pages[codePage]
	if p.encoding == nil {
		return nil, fmt.Errorf("code page %d is not known", codePage)
	}
	b, err := p.encoding.NewEncoder().Bytes([]byte(s))
	if codePage == 1201 {
		return append(b, 0, 0), err
	}
	return append(b, 0), err
}
