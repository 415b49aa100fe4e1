package fasttransfer

import (
	"bytes"
	"encoding/binary"
	"io"
	"unicode/utf16"
)

const (
	// MaxDepth is how deep objects may lie in each other. Exchange allows about 30 messages within each other, which is two levels each.
	MaxDepth = 96
	// maxName is the longest text that names a property, in units of UTF-16; MAPI allows 254.
	maxName = 1024
)

// Element is a marker or the head of a property.
type Element struct {
	Offset int64  // of its first byte in the input, records included
	Marker Marker // zero: it is a property
	ID     uint16
	Type   Type
	Name   Name  // of a property with an ID from 0x8000 on
	Count  int64 // how many values a property has whose type has Many, else 1
	Size   int64 // bytes of value that Read gives; -1: not known before they are read
}

// Is says whether e is the property with this number, whatever its type.
func (e Element) Is(id uint16) bool { return e.Marker == 0 && e.ID == id }

// Scanner gives the elements of a stream one by one and keeps none. It checks that markers close what they open.
//
// After a property's head Read gives the bytes of its value as they lie in the stream (of many values of variable length each with its length before it);
// what is not read is skipped by the next call of Next.
type Scanner struct {
	in    input
	err   error
	any   bool     // whether there was an element
	open  []Marker // the markers that close what is open
	left  int64    // bytes of the value, or of the one of many values, that are not read yet
	more  int64    // values of variable length after that one
	start int64    // of the property
	size  [4]byte  // a length that Read has read and not given on yet
	given int      // how much of size was given; all of it: the next thing to read is of the stream
}

// NewScanner reads r in pieces of 64 KiB.
func NewScanner(r io.Reader) *Scanner {
	s := &Scanner{in: newInput(r)}
	s.given = len(s.size)
	return s
}

// Depth is how many objects are open.
func (s *Scanner) Depth() int { return len(s.open) }

// Head is the records that stood around what was read so far and held none of it, as they are; nil when the stream is bare.
func (s *Scanner) Head() []byte { return s.in.head }

// Next skips what is left of the last value and gives the next element. io.EOF: the stream ended where it may end.
func (s *Scanner) Next() (Element, error) {
	if s.err != nil {
		return Element{}, s.err
	}
	e, err := s.next()
	if err != nil {
		s.fail(err)
	}
	return e, err
}

// fail remembers that there is no more.
func (s *Scanner) fail(err error) {
	s.err = err
	s.in.release()
}

func (s *Scanner) next() (Element, error) {
	if err := s.skipValue(); err != nil {
		return Element{}, err
	}
	if err := s.in.available(); err == io.EOF && !s.any {
		return Element{}, s.in.errorf(s.in.offset(), "it is empty")
	} else if err == io.EOF && len(s.open) > 0 {
		return Element{}, s.in.errorf(s.in.offset(), "it ends where an %v is awaited", s.open[len(s.open)-1])
	} else if err != nil {
		return Element{}, err
	}
	s.any = true
	start := s.in.offset()
	b, err := s.in.take(4)
	if err != nil {
		return Element{}, err
	}
	tag := binary.LittleEndian.Uint32(b)
	e := Element{Offset: start, ID: uint16(tag >> 16), Type: Type(tag), Count: 1}
	if e.ID>>8 == 0x40 && isMarker(tag) {
		e = Element{Offset: e.Offset, Marker: Marker(tag)}
		return e, s.nest(e)
	}
	size, many, ok := e.Type.size()
	if tag == metaIDSetGiven { // its type says a number, but it is bytes
		size, e.Type = 0, TypeBinary
	}
	if !ok || e.ID == 0 && e.Type != TypeBinary {
		return Element{}, s.unknown(e)
	}
	s.start = e.Offset
	if e.ID >= firstNamed {
		if e.Name, err = s.name(); err != nil {
			return Element{}, s.within(err)
		}
	}
	if many {
		return s.many(e, size)
	}
	if size == 0 {
		if b, err = s.in.take(4); err != nil {
			return Element{}, s.within(err)
		}
		e.Size = int64(binary.LittleEndian.Uint32(b))
	} else {
		e.Size = int64(size)
	}
	s.left = e.Size
	return e, nil
}

// many reads how many values there are.
func (s *Scanner) many(e Element, size int) (Element, error) {
	b, err := s.in.take(4)
	if err != nil {
		return Element{}, s.within(err)
	}
	e.Count = int64(binary.LittleEndian.Uint32(b))
	if size > 0 {
		e.Size = e.Count * int64(size)
		s.left = e.Size
	} else if e.Count > 0 {
		e.Size, s.more = -1, e.Count
	}
	return e, nil
}

// nest follows a marker into an object or out of it.
func (s *Scanner) nest(e Element) error {
	if closes := e.Marker.ends(); closes != 0 {
		if len(s.open) == MaxDepth {
			return s.in.errorf(e.Offset, "more than %d objects lie within each other", MaxDepth)
		}
		s.open = append(s.open, closes)
		return nil
	}
	switch e.Marker {
	case EndFolder, EndMessage, EndEmbedded, EndRecipient, EndAttachment:
		if len(s.open) == 0 {
			return s.in.errorf(e.Offset, "an %v where none began", e.Marker)
		}
		if want := s.open[len(s.open)-1]; want != e.Marker {
			return s.in.errorf(e.Offset, "an %v where an %v is awaited", e.Marker, want)
		}
		s.open = s.open[:len(s.open)-1]
	}
	return nil
}

// unknown is the error for what begins no element.
func (s *Scanner) unknown(e Element) error {
	var head [4]byte
	binary.LittleEndian.PutUint32(head[:], uint32(e.ID)<<16|uint32(e.Type))
	if bytes.HasPrefix(truncated, head[:]) {
		return s.in.errorf(e.Offset, "the server broke the export off (%q); export the item again", truncated)
	}
	return s.in.errorf(e.Offset, "property %#04x has the unknown type %#04x", e.ID, uint16(e.Type))
}

// within makes an end of the input an error: it came within a property.
func (s *Scanner) within(err error) error {
	if err == io.EOF {
		return s.in.errorf(s.in.offset(), "it ends within the property that begins at byte %d", s.start)
	}
	return err
}

func (s *Scanner) name() (Name, error) {
	b, err := s.in.take(17)
	if err != nil {
		return Name{}, err
	}
	n := Name{Set: GUID(b[:16])}
	switch kind := b[16]; kind {
	case 0:
		if b, err = s.in.take(4); err != nil {
			return Name{}, err
		}
		n.ID = binary.LittleEndian.Uint32(b)
		return n, nil
	case 1:
		text := make([]uint16, 0, 32)
		for {
			if b, err = s.in.take(2); err != nil {
				return Name{}, err
			}
			c := binary.LittleEndian.Uint16(b)
			if c == 0 {
				break
			}
			if len(text) == maxName {
				return Name{}, s.in.errorf(s.start, "the name of a property has more than %d characters", maxName)
			}
			text = append(text, c)
		}
		if len(text) == 0 {
			return Name{}, s.in.errorf(s.start, "the name of a property is empty")
		}
		n.Text = string(utf16.Decode(text))
		return n, nil
	default:
		return Name{}, s.in.errorf(s.start, "the name of a property is of the unknown kind %d", kind)
	}
}

// Read reads the value of the property that Next gave; io.EOF: it is at its end.
func (s *Scanner) Read(p []byte) (int, error) {
	if s.err != nil {
		return 0, s.err
	}
	if len(p) == 0 {
		return 0, nil
	}
	if s.left == 0 && s.more > 0 && s.given == len(s.size) {
		if err := s.nextLength(); err != nil {
			s.fail(s.within(err))
			return 0, s.err
		}
		s.given = 0
	}
	if s.given < len(s.size) {
		n := copy(p, s.size[s.given:])
		s.given += n
		return n, nil
	}
	if s.left == 0 {
		return 0, io.EOF
	}
	n, err := s.in.read(p[:min(int64(len(p)), s.left)])
	s.left -= int64(n)
	if err != nil {
		s.fail(err)
	}
	return n, err
}

func (s *Scanner) nextLength() error {
	b, err := s.in.take(4)
	if err != nil {
		return err
	}
	copy(s.size[:], b)
	s.left = int64(binary.LittleEndian.Uint32(b))
	s.more--
	return nil
}

func (s *Scanner) skipValue() error {
	s.given = len(s.size)
	for {
		if err := s.in.skip(s.left); err != nil {
			return err
		}
		s.left = 0
		if s.more == 0 {
			return nil
		}
		if err := s.nextLength(); err != nil {
			return s.within(err)
		}
	}
}

// Bytes reads the rest of the value when it has at most limit bytes; ok is false for a longer one, of which some may have been read.
func (s *Scanner) Bytes(limit int) (b []byte, ok bool, err error) {
	if s.left > int64(limit) {
		return nil, false, nil
	}
	b, err = io.ReadAll(io.LimitReader(s, int64(limit)+1))
	return b, len(b) <= limit, err
}
