package fasttransfer

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
)

// Options bound what a Message costs.
type Options struct {
	Memory      int64  // bytes of values that stay in memory, default 8 MiB; the others, but for small ones, go into a temporary file
	TempDir     string // of that file; default: the system's
	WithoutData bool   // the content of attachments is not kept, only its size
	TextOnly    bool   // of messages only what their text is made of is kept, and nothing of recipients; of attachments all
	// Again gives a part of the stream once more. With it, and unless there are records around the stream, the content of attachments is not kept but
	// read by it when it is asked for.
	Again func(at, size int64) io.Reader
}

const (
	defaultMemory = 8 << 20
	maxProperties = 500_000 // of a message with all that is in it
	smallValue    = 64      // bytes that are always in memory: numbers, times, short texts
)

// Property is one property of an object, with its value as it lies in the stream.
type Property struct {
	ID    uint16
	Type  Type
	Count uint32 // of values, 1 when the type has no Many
	Name  *Name  // nil unless the ID is 0x8000 or above
	small []byte
	big   *Content
}

// Content is the bytes of the value: of many values of variable length each with its length before it.
func (p *Property) Content() Content {
	if p.big != nil {
		return *p.big
	}
	return Content{memory: p.small, size: int64(len(p.small))}
}

func (p *Property) is(n Name) bool {
	if n.Set == (GUID{}) {
		return p.ID == uint16(n.ID)
	}
	return p.Name != nil && *p.Name == n
}

// Content is bytes in memory, in the message's temporary file, or in the stream.
type Content struct {
	memory []byte
	file   *os.File
	again  func(at, size int64) io.Reader
	at     int64
	size   int64
	unread bool
}

// ErrUnread is given for content that Options.WithoutData left out.
var ErrUnread = errors.New("the content of attachments was not read")

// Size is how many bytes there are.
func (c Content) Size() int64 { return c.size }

// At says where in the stream the content lies; ok is false unless it is read with Options.Again.
func (c Content) At() (at int64, ok bool) { return c.at, c.again != nil }

// Reader gives the bytes from the start, as often as it is called, until the message is closed.
func (c Content) Reader() io.Reader {
	switch {
	case c.unread:
		return failing{ErrUnread}
	case c.again != nil:
		return c.again(c.at, c.size)
	case c.file != nil:
		return io.NewSectionReader(c.file, c.at, c.size)
	}
	return bytes.NewReader(c.memory)
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

// Bytes is the content, unless it has more than limit bytes.
func (c Content) Bytes(limit int64) ([]byte, error) {
	if c.size > limit {
		return nil, fmt.Errorf("it has %d bytes, more than %d", c.size, limit)
	}
	if c.file == nil && c.again == nil && !c.unread {
		return c.memory, nil
	}
	return io.ReadAll(c.Reader())
}

// Object is a list of properties, in the order of the stream, those that nobody knows included.
type Object struct {
	Properties []Property
	codePage   int // of text whose type does not name one
}

// Message is an item: a mail, an appointment, a contact, a task, a note or anything else. It is for one goroutine at a time.
type Message struct {
	Object
	Recipients  []*Recipient
	Attachments []*Attachment
	Problems    []string // what the server could not put into the stream
	store       *store
	embedded    bool
	body        *Body // what Body made
}

// Recipient is one of a message's recipients.
type Recipient struct{ Object }

// Attachment is one of a message's attachments.
type Attachment struct {
	Object
	Message *Message // an embedded message, or nil
}

// store holds the values of a message and of the messages in it.
type store struct {
	o    Options
	left int64 // of the memory
	slab []byte
	file *os.File
	end  int64 // of what was written to file
	copy []byte
}

// Close removes the temporary file, if there is one. The messages within are closed with the outermost.
func (m *Message) Close() error {
	if m.embedded || m.store == nil || m.store.file == nil {
		return nil
	}
	f := m.store.file
	m.store.file = nil
	return f.Close()
}

// keep reads a value that says it has size bytes (-1: it does not say) and holds it where there is room.
func (st *store) keep(r io.Reader, size int64) (small []byte, big *Content, err error) {
	switch {
	case size == 0:
		return nil, nil, nil
	case size > 0 && (size <= smallValue || size <= 1<<10 && st.left >= 16<<10):
		if int(size) > cap(st.slab)-len(st.slab) {
			room := int64(16 << 10)
			if st.o.TextOnly && st.slab == nil {
				room = 2 << 10 // of most mails, nothing else is read
			}
			st.slab = make([]byte, 0, room)
			st.left -= room
		}
		at := len(st.slab)
		st.slab = st.slab[:at+int(size)]
		small = st.slab[at:len(st.slab):len(st.slab)]
		_, err = io.ReadFull(r, small)
		return small, nil, err
	case size > 0 && size <= st.left:
		st.left -= size
		small = make([]byte, size)
		_, err = io.ReadFull(r, small)
		return small, nil, err
	case size < 0 && st.left > 0:
		// Many values of variable length: most have few bytes.
		limit := min(st.left, 64<<10)
		small, err = io.ReadAll(io.LimitReader(r, limit))
		if err != nil {
			return nil, nil, err
		}
		if int64(len(small)) < limit {
			st.left -= int64(len(small))
			return small, nil, nil
		}
		r = io.MultiReader(bytes.NewReader(small), r)
	}
	c, err := st.spool(r)
	return nil, &c, err
}

// spool writes r to the temporary file, which has no name any more from the first moment, so that it goes with the process.
func (st *store) spool(r io.Reader) (Content, error) {
	if st.file == nil {
		f, err := os.CreateTemp(st.o.TempDir, "fasttransfer-*")
		if err != nil {
			return Content{}, fmt.Errorf("make room for a large item: %w", err)
		}
		if err := os.Remove(f.Name()); err != nil {
			f.Close()
			return Content{}, fmt.Errorf("make room for a large item: %w", err)
		}
		st.file, st.copy = f, make([]byte, 64<<10)
	}
	at := st.end
	n, err := io.CopyBuffer(writeFunc(st.file.Write), r, st.copy)
	st.end += n
	return Content{file: st.file, at: at, size: n}, err
}

type reader struct {
	s     *Scanner
	store *store
	count int
	names []Name
}

// Read reads the stream of one message. What Exchange wrote but nobody knows is kept as it is. The message is to be closed.
func Read(r io.Reader, o Options) (*Message, error) {
	if o.Memory <= 0 {
		o.Memory = defaultMemory
	}
	in := &reader{s: NewScanner(r), store: &store{o: o, left: o.Memory}}
	m := &Message{store: in.store}
	if err := in.message(m, 0); err != nil {
		m.Close()
		return nil, err
	}
	return m, nil
}

func (in *reader) errorf(e Element, format string, args ...any) error {
	return in.s.in.errorf(e.Offset, format, args...)
}

// message reads until the marker end, or to the end of the stream.
func (in *reader) message(m *Message, end Marker) error {
	m.codePage = pageWestern
	var scrap Object
	into := &m.Object
	first, whole := true, false
	for {
		e, err := in.s.Next()
		if err == io.EOF {
			in.finish(m)
			return nil
		} else if err != nil {
			return err
		}
		if whole {
			return in.errorf(e, "there is more than one item in it")
		}
		switch {
		case e.Marker == 0:
			if err := in.own(into, e); err != nil {
				return err
			}
			if e.Is(metaWarning) {
				m.problem(into)
			}
			first = first && e.Is(metaDNPrefix)
			continue
		case e.Marker == end && end != 0:
			in.finish(m)
			return nil
		case (e.Marker == StartMessage || e.Marker == StartFAI) && end == 0 && first:
		case e.Marker == EndMessage && end == 0:
			whole = true
		case e.Marker == StartRecipient:
			into = &m.Object
			r := &Recipient{}
			if err := in.properties(&r.Object, EndRecipient); err != nil {
				return err
			}
			m.Recipients = append(m.Recipients, r)
		case e.Marker == NewAttachment:
			into = &m.Object
			a := &Attachment{}
			if err := in.attachment(a); err != nil {
				return err
			}
			m.Attachments = append(m.Attachments, a)
		case e.Marker == ErrorInfo:
			m.Problems = append(m.Problems, "the server could not export a part of it")
			into = &scrap // what follows is about the error
		default:
			return in.errorf(e, "a %v where a message is awaited", e.Marker)
		}
		first = false
	}
}

// problem notes an error code that stands in the stream for something that is missing.
func (m *Message) problem(o *Object) {
	if n, ok := o.number(Name{ID: metaWarning}); ok && n != 0 {
		m.Problems = append(m.Problems, fmt.Sprintf("the server left something out (error %#08x)", uint32(n)))
	}
}

// finish gives the objects of m the code page that text without one is in.
func (in *reader) finish(m *Message) {
	for _, id := range []Name{propMessageCodePage, propInternetCodePage} {
		if n, ok := m.number(id); ok && n != pageUTF16 && knownCodePage(int(n)) {
			m.codePage = int(n)
			break
		}
	}
	for _, r := range m.Recipients {
		r.codePage = m.codePage
	}
	for _, a := range m.Attachments {
		a.codePage = m.codePage
	}
}

func (in *reader) properties(o *Object, end Marker) error {
	for {
		e, err := in.s.Next()
		if err != nil {
			return err
		}
		switch e.Marker {
		case 0:
			if err := in.own(o, e); err != nil {
				return err
			}
		case end:
			return nil
		default:
			return in.errorf(e, "a %v within a recipient", e.Marker)
		}
	}
}

func (in *reader) attachment(a *Attachment) error {
	for {
		e, err := in.s.Next()
		if err != nil {
			return err
		}
		switch e.Marker {
		case 0:
			if err := in.property(&a.Object, e, in.later(e)); err != nil {
				return err
			}
		case EndAttachment:
			return nil
		case StartEmbedded:
			if a.Message != nil {
				return in.errorf(e, "an attachment with two messages")
			}
			a.Message = &Message{store: in.store, embedded: true}
			if err := in.message(a.Message, EndEmbedded); err != nil {
				return err
			}
		case ErrorInfo: // the properties that follow are about the error, and are kept with the attachment's
		default:
			return in.errorf(e, "a %v within an attachment", e.Marker)
		}
	}
}

// ofText are the properties of a message that its text is made of.
var ofText = map[uint16]bool{}

func init() {
	for _, n := range []Name{propClass, propSubject, propSubjectPrefix, propNormalized, propBody, propRTF, propHTML, propInternetCodePage, propMessageCodePage} {
		ofText[uint16(n.ID)] = true
	}
}

// own reads a property of a message or of a recipient.
func (in *reader) own(o *Object, e Element) error {
	if in.store.o.TextOnly && !ofText[e.ID] {
		return nil
	}
	return in.property(o, e, nil)
}

// later is what stands for the content of an attachment that is not read now, nil when e is to be read.
func (in *reader) later(e Element) *Content {
	o := &in.store.o
	switch {
	case !e.Is(uint16(propAttachData.ID)):
		return nil
	case o.WithoutData:
		return &Content{size: max(0, e.Size), unread: true}
	case o.Again != nil && e.Size >= 0 && !in.s.in.framed:
		return &Content{size: e.Size, again: o.Again, at: in.s.in.offset()}
	}
	return nil
}

func (in *reader) property(o *Object, e Element, later *Content) error {
	if in.count++; in.count > maxProperties {
		return in.errorf(e, "the item has more than %d properties", maxProperties)
	}
	if e.Count > math.MaxUint32 {
		return in.errorf(e, "a property with %d values", e.Count)
	}
	p := Property{ID: e.ID, Type: e.Type, Count: uint32(e.Count)}
	if e.ID >= firstNamed {
		if len(in.names) == cap(in.names) {
			in.names = make([]Name, 0, 32)
		}
		in.names = append(in.names, e.Name)
		p.Name = &in.names[len(in.names)-1]
	}
	if p.big = later; later == nil {
		var err error
		if p.small, p.big, err = in.store.keep(in.s, e.Size); err == io.ErrUnexpectedEOF {
			return in.s.in.ended()
		} else if err != nil {
			return err
		}
	}
	if o.Properties == nil {
		room := 32
		if in.store.o.TextOnly {
			room = 8 // of a mail; an attachment, of which all is kept, grows
		}
		o.Properties = make([]Property, 0, room)
	}
	o.Properties = append(o.Properties, p)
	return nil
}
