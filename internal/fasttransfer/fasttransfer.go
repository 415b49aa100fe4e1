// Package fasttransfer reads and writes the stream that Exchange serialises an item to when it exports it, and makes of it what people know: a message, a
// mail in MIME, an appointment, a contact.
//
// A Scanner goes through a stream of any size in bounded memory. Read makes a Message of it: all properties, recipients, attachments and messages within.
// Writer writes a stream, Amend copies one with a property more. The bytes are those of MS-OXCFXICS 2.2.4, in the records that Exchange puts around
// them when it exports an item; docs/fasttransfer.md says what of it is assumed.
package fasttransfer

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
)

// Type says how a property's value is written. A type with the highest bit set is text in the code page that the other bits number.
type Type uint16

const (
	TypeInt16        Type = 0x0002
	TypeInt32        Type = 0x0003
	TypeFloat32      Type = 0x0004
	TypeFloat64      Type = 0x0005
	TypeCurrency     Type = 0x0006
	TypeFloatingTime Type = 0x0007
	TypeError        Type = 0x000a
	TypeBool         Type = 0x000b // two bytes in a stream
	TypeObject       Type = 0x000d
	TypeInt64        Type = 0x0014
	TypeString8      Type = 0x001e
	TypeString       Type = 0x001f
	TypeTime         Type = 0x0040
	TypeGUID         Type = 0x0048
	TypeServerID     Type = 0x00fb
	TypeBinary       Type = 0x0102

	// Many is set in the type of a property with any number of values.
	Many Type = 0x1000
	// CodePage is set in a type whose other bits number a code page.
	CodePage Type = 0x8000

	TypeUnicode Type = CodePage | 1200 // what Exchange writes text as
	TypeStrings Type = Many | TypeString
)

// Marker is an element that begins or ends an object.
type Marker uint32

const (
	StartTopFolder Marker = 0x40090003
	StartSubFolder Marker = 0x400a0003
	EndFolder      Marker = 0x400b0003
	StartMessage   Marker = 0x400c0003
	StartFAI       Marker = 0x40100003 // a message that belongs to the folder, not to its list
	EndMessage     Marker = 0x400d0003
	StartEmbedded  Marker = 0x40010003
	EndEmbedded    Marker = 0x40020003
	StartRecipient Marker = 0x40030003
	EndRecipient   Marker = 0x40040003
	NewAttachment  Marker = 0x40000003
	EndAttachment  Marker = 0x400e0003
	ErrorInfo      Marker = 0x40180003 // the server says what it could not put into the stream

	incrementalChange          Marker = 0x40120003
	incrementalChangePartial   Marker = 0x407d0003
	incrementalDelete          Marker = 0x40130003
	incrementalEnd             Marker = 0x40140003
	incrementalRead            Marker = 0x402f0003
	incrementalStateBegin      Marker = 0x403a0003
	incrementalStateEnd        Marker = 0x403b0003
	incrementalProgressMode    Marker = 0x4074000b
	incrementalProgressMessage Marker = 0x4075000b
	incrementalMessage         Marker = 0x40150003
	incrementalGroupInfo       Marker = 0x407b0102
)

// ends is the marker that closes what m opens, or zero.
func (m Marker) ends() Marker {
	switch m {
	case StartTopFolder, StartSubFolder:
		return EndFolder
	case StartMessage, StartFAI:
		return EndMessage
	case StartEmbedded:
		return EndEmbedded
	case StartRecipient:
		return EndRecipient
	case NewAttachment:
		return EndAttachment
	}
	return 0
}

func isMarker(tag uint32) bool {
	switch m := Marker(tag); m {
	case EndFolder, EndMessage, EndEmbedded, EndRecipient, EndAttachment, ErrorInfo,
		incrementalChange, incrementalChangePartial, incrementalDelete, incrementalEnd, incrementalRead, incrementalStateBegin,
		incrementalStateEnd, incrementalProgressMode, incrementalProgressMessage, incrementalMessage, incrementalGroupInfo:
		return true
	default:
		return m.ends() != 0
	}
}

func (m Marker) String() string {
	switch m {
	case StartTopFolder, StartSubFolder:
		return "folder"
	case EndFolder:
		return "end of folder"
	case StartMessage, StartFAI:
		return "message"
	case EndMessage:
		return "end of message"
	case StartEmbedded:
		return "embedded message"
	case EndEmbedded:
		return "end of embedded message"
	case StartRecipient:
		return "recipient"
	case EndRecipient:
		return "end of recipient"
	case NewAttachment:
		return "attachment"
	case EndAttachment:
		return "end of attachment"
	case ErrorInfo:
		return "error of the server"
	}
	return fmt.Sprintf("marker %#08x", uint32(m))
}

// Properties of a stream that are about the stream, not about the item.
const (
	metaDNPrefix   = 0x4008 // how the addresses of the server's organization begin
	metaWarning    = 0x400f // an error code of something that is missing
	metaDeleteProp = 0x4016 // the receiver is to drop its recipients or attachments first
	metaIDSetGiven = 0x40170003
)

// GUID is a property set's identity, in the order of bytes of the stream.
type GUID [16]byte

// NewGUID reads the usual spelling. It is for constants and panics when that is no GUID.
func NewGUID(s string) GUID {
	var g GUID
	if b, err := hex.DecodeString(s[:8] + s[9:13] + s[14:18] + s[19:23] + s[24:]); err != nil || copy(g[:], b) != len(g) {
		panic("not a GUID: " + s)
	}
	g[0], g[1], g[2], g[3], g[4], g[5], g[6], g[7] = g[3], g[2], g[1], g[0], g[5], g[4], g[7], g[6]
	return g
}

func (g GUID) String() string {
	return fmt.Sprintf("%08x-%04x-%04x-%x-%x", binary.LittleEndian.Uint32(g[:]), binary.LittleEndian.Uint16(g[4:]), binary.LittleEndian.Uint16(g[6:]), g[8:10], g[10:])
}

// Name is the identity of a property whose number is only good within its stream: a set, and a number or a text in it.
type Name struct {
	Set  GUID
	ID   uint32
	Text string // empty: ID is meant
}

func (n Name) String() string {
	if n.Text != "" {
		return fmt.Sprintf("{%s} %q", n.Set, n.Text)
	}
	return fmt.Sprintf("{%s} %#04x", n.Set, n.ID)
}

// firstNamed is the first property number that says nothing without its Name.
const firstNamed = 0x8000

// size is how many bytes one value has, or 0 when a length stands before it. ok is false for a type that no stream may have.
func (t Type) size() (n int, many, ok bool) {
	if t&CodePage != 0 {
		_, many = t.codePage()
		return 0, many, true
	}
	many = t&Many != 0
	switch t &^ Many {
	case TypeInt16:
		return 2, many, true
	case TypeInt32, TypeFloat32:
		return 4, many, true
	case TypeFloat64, TypeCurrency, TypeFloatingTime, TypeInt64, TypeTime:
		return 8, many, true
	case TypeGUID:
		return 16, many, true
	case TypeBool:
		return 2, many, !many
	case TypeError:
		return 4, many, !many
	case TypeString8, TypeString, TypeBinary:
		return 0, many, true
	case TypeObject, TypeServerID:
		return 0, many, !many
	}
	return 0, many, false
}

// codePage is the code page that the type names itself. A number that is one only without the bit Many is that of many texts.
func (t Type) codePage() (page int, many bool) {
	page = int(t &^ CodePage)
	if rest := page &^ int(Many); t&Many != 0 && !knownCodePage(page) && knownCodePage(rest) {
		return rest, true
	}
	return page, false
}

// Error says why the bytes of a stream are not understood, and at which byte of the input. Errors of the reader are passed on as they are.
type Error struct {
	Offset    int64
	Reason    string
	Truncated bool // the server broke the export off; exporting the item again helps
}

func (e *Error) Error() string {
	return fmt.Sprintf("FastTransfer stream, byte %d: %s", e.Offset, e.Reason)
}
