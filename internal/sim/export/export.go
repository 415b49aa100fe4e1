// Package export writes and reads the streams that the simulated mailbox exports items as and takes when they are imported: records around
// the properties, recipients and attachments of MS-OXCFXICS 2.2.4. It keeps a whole item in memory and knows nothing of the product's reader, whose judge it is.
package export

import (
	"encoding/binary"
	"errors"
	"fmt"
	"time"
	"unicode/utf16"
)

// Item is a message with what is in it.
type Item struct {
	Properties  []Property
	Recipients  [][]Property
	Attachments []Attachment
}

// Attachment has its content among its properties, or is an item.
type Attachment struct {
	Properties []Property
	Item       *Item
}

// Property is one value or, when Many is set, any number of them, each as the stream has it.
type Property struct {
	ID     uint16
	Type   uint16
	Set    [16]byte // of a named property: its set in the order of the stream
	Number uint32   // its number in the set
	Name   string   // or its name there
	Many   bool
	Values [][]byte
}

// Types of values (MS-OXCDATA 2.11.1, MS-OXCFXICS 2.2.4.1).
const (
	typeInt16    = 0x0002
	typeInt32    = 0x0003
	typeFloat    = 0x0004
	typeDouble   = 0x0005
	typeCurrency = 0x0006
	typeAppTime  = 0x0007
	typeError    = 0x000a
	typeBool     = 0x000b
	typeObject   = 0x000d
	typeInt64    = 0x0014
	typeString8  = 0x001e
	typeString   = 0x001f
	typeTime     = 0x0040
	typeGUID     = 0x0048
	typeServerID = 0x00fb
	typeBinary   = 0x0102
	typeUnicode  = 0x84b0 // text of code page 1200
	typeWestern  = 0x84e4 // and of 1252
	many         = 0x1000
)

func Int(id uint16, n int32) Property {
	return Property{ID: id, Type: typeInt32, Values: [][]byte{binary.LittleEndian.AppendUint32(nil, uint32(n))}}
}

func Bool(id uint16, b bool) Property {
	value := []byte{0, 0}
	if b {
		value[0] = 1
	}
	return Property{ID: id, Type: typeBool, Values: [][]byte{value}}
}

// Time is in steps of 100 nanoseconds since 1601.
func Time(id uint16, t time.Time) Property {
	since := uint64(t.Unix()+11_644_473_600)*10_000_000 + uint64(t.Nanosecond())/100
	return Property{ID: id, Type: typeTime, Values: [][]byte{binary.LittleEndian.AppendUint64(nil, since)}}
}

func Bytes(id uint16, b []byte) Property {
	return Property{ID: id, Type: typeBinary, Values: [][]byte{b}}
}

func Text(id uint16, s string) Property {
	return Property{ID: id, Type: typeUnicode, Values: [][]byte{wide(s)}}
}

func Texts(id uint16, texts ...string) Property {
	p := Property{ID: id, Type: typeString | many, Many: true}
	for _, s := range texts {
		p.Values = append(p.Values, wide(s))
	}
	return p
}

// Named gives p the identity of a number in a set, or of a name.
func (p Property) Named(set [16]byte, number uint32, name string) Property {
	p.ID, p.Set, p.Number, p.Name = 0x8000, set, number, name
	return p
}

func wide(s string) []byte {
	var b []byte
	for _, u := range utf16.Encode([]rune(s + "\x00")) {
		b = binary.LittleEndian.AppendUint16(b, u)
	}
	return b
}

// String is the text of a property of one.
func (p Property) String() string {
	if len(p.Values) == 0 {
		return ""
	}
	var units []uint16
	for b := p.Values[0]; len(b) >= 2; b = b[2:] {
		units = append(units, binary.LittleEndian.Uint16(b))
	}
	for len(units) > 0 && units[len(units)-1] == 0 {
		units = units[:len(units)-1]
	}
	return string(utf16.Decode(units))
}

const (
	newAttachment  = 0x40000003
	endAttachment  = 0x400e0003
	startEmbedded  = 0x40010003
	endEmbedded    = 0x40020003
	startRecipient = 0x40030003
	endRecipient   = 0x40040003
)

// chunk is how much of a stream Exchange puts into one record here; real servers choose.
const chunk = 31_680

// preamble is the records of configuration, interface and version before the stream.
var preamble = []byte{
	1, 0, 0, 0, 8, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0,
	3, 0, 0, 0, 24, 0, 0, 0, 1, 0, 0, 0, 0x07, 0x03, 0x02, 0, 0, 0, 0, 0, 0xc0, 0, 0, 0, 0, 0, 0, 0x46, 0x00, 0x24, 0x00, 0x80,
	4, 0, 0, 0, 6, 0, 0, 0, 0x14, 0x0f, 0, 0x80, 0, 0,
}

// Encode gives the item as an export has it.
func Encode(item Item) []byte {
	out := append([]byte(nil), preamble...)
	for rest := encodeItem(nil, item); len(rest) > 0; {
		n := min(chunk, len(rest))
		out = binary.LittleEndian.AppendUint32(append(out, 2, 0, 0, 0), uint32(n))
		out = append(out, rest[:n]...)
		rest = rest[n:]
	}
	return out
}

func mark(b []byte, m uint32) []byte { return binary.LittleEndian.AppendUint32(b, m) }

func encodeItem(b []byte, item Item) []byte {
	b = encodeProperties(b, item.Properties)
	for _, r := range item.Recipients {
		b = mark(encodeProperties(mark(b, startRecipient), r), endRecipient)
	}
	for _, a := range item.Attachments {
		b = encodeProperties(mark(b, newAttachment), a.Properties)
		if a.Item != nil {
			b = mark(encodeItem(mark(b, startEmbedded), *a.Item), endEmbedded)
		}
		b = mark(b, endAttachment)
	}
	return b
}

func encodeProperties(b []byte, properties []Property) []byte {
	for _, p := range properties {
		b = mark(b, uint32(p.ID)<<16|uint32(p.Type))
		if p.ID >= 0x8000 {
			b = append(b, p.Set[:]...)
			if p.Name != "" {
				b = append(append(b, 1), wide(p.Name)...)
			} else {
				b = mark(append(b, 0), p.Number)
			}
		}
		if p.Many {
			b = mark(b, uint32(len(p.Values)))
		}
		for _, v := range p.Values {
			if width(p.Type) == 0 {
				b = mark(b, uint32(len(v)))
			}
			b = append(b, v...)
		}
	}
	return b
}

// width is the size of a value, or 0 when its length stands before it.
func width(kind uint16) int {
	if kind == typeUnicode || kind == typeWestern {
		return 0
	}
	switch kind &^ many {
	case typeInt16, typeBool:
		return 2
	case typeInt32, typeFloat, typeError:
		return 4
	case typeDouble, typeCurrency, typeAppTime, typeInt64, typeTime:
		return 8
	case typeGUID:
		return 16
	}
	return 0
}

var errEnd = errors.New("the stream ends too early")

type decoder struct {
	b  []byte
	at int
}

// Decode reads what an import brings. It is strict: what Exchange would not write is an error.
func Decode(data []byte) (item Item, err error) {
	var d decoder
	for len(data) > 0 {
		if len(data) < 8 {
			return Item{}, errEnd
		}
		kind, n := binary.LittleEndian.Uint32(data), uint64(binary.LittleEndian.Uint32(data[4:]))
		if n > uint64(len(data)-8) {
			return Item{}, errEnd
		}
		switch kind {
		case 2:
			d.b = append(d.b, data[8:8+n]...)
		case 1, 3, 4:
		default:
			return Item{}, fmt.Errorf("a record of kind %d", kind)
		}
		data = data[8+n:]
	}
	if err := d.item(&item, 0); err != nil {
		return Item{}, fmt.Errorf("byte %d of the stream: %w", d.at, err)
	}
	if len(item.Properties) == 0 {
		return Item{}, errors.New("the item has no properties")
	}
	return item, nil
}

func (d *decoder) take(n int) ([]byte, error) {
	if n < 0 || n > len(d.b)-d.at {
		return nil, errEnd
	}
	d.at += n
	return d.b[d.at-n : d.at], nil
}

func (d *decoder) number() (uint32, error) {
	b, err := d.take(4)
	if err != nil {
		return 0, err
	}
	return binary.LittleEndian.Uint32(b), nil
}

// item reads up to a marker that closes it, or to the end.
func (d *decoder) item(item *Item, depth int) error {
	if depth > 30 {
		return errors.New("items lie too deep in each other")
	}
	for {
		m, err := d.properties(&item.Properties, depth == 0)
		switch {
		case err != nil:
			return err
		case m == startRecipient:
			var r []Property
			if m, err = d.properties(&r, false); err != nil {
				return err
			} else if m != endRecipient {
				return fmt.Errorf("marker %#x in a recipient", m)
			}
			item.Recipients = append(item.Recipients, r)
		case m == newAttachment:
			var a Attachment
			if m, err = d.properties(&a.Properties, false); err != nil {
				return err
			}
			if m == startEmbedded {
				a.Item = &Item{}
				if err := d.item(a.Item, depth+1); err != nil {
					return err
				}
				if m, err = d.properties(&a.Properties, false); err != nil {
					return err
				}
			}
			if m != endAttachment {
				return fmt.Errorf("marker %#x in an attachment", m)
			}
			item.Attachments = append(item.Attachments, a)
		case m == endEmbedded && depth > 0 || m == 0:
			return nil
		default:
			return fmt.Errorf("marker %#x in an item", m)
		}
	}
}

// properties reads up to a marker and gives it; 0 at an end that mayEnd allows.
func (d *decoder) properties(into *[]Property, mayEnd bool) (uint32, error) {
	for {
		if mayEnd && d.at == len(d.b) {
			return 0, nil
		}
		tag, err := d.number()
		if err != nil {
			return 0, err
		}
		switch tag {
		case newAttachment, endAttachment, startEmbedded, endEmbedded, startRecipient, endRecipient:
			return tag, nil
		}
		p, err := d.property(tag)
		if err != nil {
			return 0, err
		}
		*into = append(*into, p)
	}
}

func (d *decoder) property(tag uint32) (Property, error) {
	p := Property{ID: uint16(tag >> 16), Type: uint16(tag)}
	fixed := width(p.Type)
	switch p.Type {
	case typeUnicode, typeWestern, typeObject, typeString8, typeString, typeServerID, typeBinary:
	case typeString8 | many, typeString | many, typeBinary | many:
		p.Many = true
	default:
		if fixed == 0 {
			return p, fmt.Errorf("type %#04x", p.Type)
		}
		p.Many = p.Type&many != 0
		if base := p.Type &^ many; p.Many && (base == typeBool || base == typeError) {
			return p, fmt.Errorf("type %#04x", p.Type)
		}
	}
	if p.ID == 0 && p.Type != typeBinary {
		return p, fmt.Errorf("property 0 of type %#04x", p.Type)
	}
	if p.ID >= 0x8000 {
		if err := d.name(&p); err != nil {
			return p, err
		}
	}
	count := uint32(1)
	if p.Many {
		var err error
		if count, err = d.number(); err != nil {
			return p, err
		}
	}
	for range count {
		n := uint32(fixed)
		if fixed == 0 {
			var err error
			if n, err = d.number(); err != nil {
				return p, err
			}
		}
		v, err := d.take(int(n))
		if err != nil {
			return p, err
		}
		p.Values = append(p.Values, v)
	}
	return p, nil
}

func (d *decoder) name(p *Property) error {
	set, err := d.take(17)
	if err != nil {
		return err
	}
	copy(p.Set[:], set)
	if set[16] == 0 {
		p.Number, err = d.number()
		return err
	} else if set[16] != 1 {
		return fmt.Errorf("a name of kind %d", set[16])
	}
	var units []uint16
	for {
		b, err := d.take(2)
		if err != nil {
			return err
		}
		u := binary.LittleEndian.Uint16(b)
		if u == 0 {
			if p.Name = string(utf16.Decode(units)); p.Name == "" {
				return errors.New("an empty name")
			}
			return nil
		}
		units = append(units, u)
	}
}
