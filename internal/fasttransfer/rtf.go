package fasttransfer

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"unicode/utf8"
)

// What a body in RTF was made of (MS-OXRTFEX).
const (
	fromHTML = "html" // it carries the HTML that it was made of
	fromText = "text"
	fromRTF  = "rtf" // it is RTF itself
)

const (
	// maxGroups is how deep groups of RTF may lie in each other.
	maxGroups = 4096
	// maxUndecoded is how much text without one letter of ASCII is decoded together; beyond it a character may be cut.
	maxUndecoded = 1 << 20
)

var errRTF = errors.New("the RTF is damaged")

// group is the state that a brace opens and closes.
type group struct {
	font    int
	skip    int  // characters after \u that stand for it
	hidden  bool // \htmlrtf: for readers of RTF only
	ignored bool // a destination without text
	tag     bool // \*\htmltag: HTML as it was
	fonts   bool // the table of fonts
}

// unwrapper takes text or HTML out of RTF.
type unwrapper struct {
	in      *bufio.Reader
	out     *bufio.Writer
	group   group
	stack   []group
	source  string
	page    int         // of text whose font says nothing
	fonts   map[int]int // code pages of fonts
	defined int         // the font that the table is at
	deff    int         // the font of \plain
	bytes   []byte      // text in code page bytesIn that is not written yet
	bytesIn int
	pending int  // characters to skip after \u
	high    rune // the first half of a pair
	words   int
}

// unwrapRTF writes to out in UTF-8 what rtf was made of: HTML, or else its text; source says which.
func unwrapRTF(out io.Writer, rtf io.Reader) (source string, err error) {
	u := &unwrapper{in: bufio.NewReader(rtf), out: bufio.NewWriter(out), source: fromRTF, page: pageWestern, fonts: map[int]int{}}
	u.group.skip = 1
	start, err := u.in.Peek(5)
	if err != nil && err != io.EOF {
		return "", err
	}
	if string(start) != `{\rtf` {
		return "", errRTF
	}
	for {
		c, err := u.in.ReadByte()
		if err == io.EOF {
			break // many writers end too early
		} else if err != nil {
			return u.source, err
		}
		switch c {
		case '{':
			u.flush()
			if len(u.stack) == maxGroups {
				return u.source, errRTF
			}
			u.stack = append(u.stack, u.group)
			u.pending = 0
		case '}':
			u.flush()
			u.pending = 0
			if len(u.stack) == 0 {
				return u.source, errRTF
			}
			u.group, u.stack = u.stack[len(u.stack)-1], u.stack[:len(u.stack)-1]
			if len(u.stack) == 0 {
				return u.source, u.out.Flush()
			}
		case '\\':
			if err := u.control(); err != nil {
				return u.source, err
			}
		case '\r', '\n', 0:
		default:
			u.text(c)
		}
	}
	u.flush()
	return u.source, u.out.Flush()
}

// control reads what follows a backslash.
func (u *unwrapper) control() error {
	c, err := u.in.ReadByte()
	if err == io.EOF {
		return nil
	} else if err != nil {
		return err
	}
	if c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' {
		return u.word(c)
	}
	switch c {
	case '\'':
		var b [2]byte
		if _, err := io.ReadFull(u.in, b[:]); err != nil {
			return errRTF
		}
		high, low := unhexDigit(b[0]), unhexDigit(b[1])
		if high < 0 || low < 0 {
			return errRTF
		}
		u.text(byte(high<<4 | low))
	case '\\', '{', '}':
		u.text(c)
	case '~':
		u.symbol("\u00a0", "&nbsp;")
	case '_':
		u.symbol("\u2011", "&shy;")
	case '\r', '\n':
		u.symbol("\r\n", "\r\n")
	case '*':
		// A destination that a reader may not know. The two that matter are looked for in word.
		return u.optional()
	}
	return nil
}

func unhexDigit(c byte) int {
	switch {
	case c >= '0' && c <= '9':
		return int(c - '0')
	case c >= 'a' && c <= 'f':
		return int(c-'a') + 10
	case c >= 'A' && c <= 'F':
		return int(c-'A') + 10
	}
	return -1
}

// optional reads the word of a destination that begins with \*.
func (u *unwrapper) optional() error {
	u.flush()
	for {
		b, err := u.in.Peek(1)
		if err != nil || b[0] != '\r' && b[0] != '\n' && b[0] != ' ' {
			break
		}
		u.in.Discard(1)
	}
	b, err := u.in.Peek(9)
	if err != nil && err != io.EOF {
		return err
	}
	if u.source == fromHTML && bytes.HasPrefix(b, []byte(`\htmltag`)) && (len(b) < 9 || b[8] < 'a' || b[8] > 'z') {
		u.group.tag = true
		return nil
	}
	u.group.ignored = true
	return nil
}

// word reads a control word with its number and the blank that ends it.
func (u *unwrapper) word(first byte) error {
	var buf [32]byte
	word := append(buf[:0], first)
	number, negative, has := 0, false, false
	for {
		c, err := u.in.ReadByte()
		if err == io.EOF {
			break
		} else if err != nil {
			return err
		}
		if !has && !negative && (c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z') {
			if len(word) == cap(word) {
				return errRTF
			}
			word = append(word, c)
			continue
		}
		if c == '-' && !has && !negative {
			negative = true
			continue
		}
		if c >= '0' && c <= '9' {
			has = true
			if number < 1<<30 {
				number = number*10 + int(c-'0')
			}
			continue
		}
		if c != ' ' {
			if err := u.in.UnreadByte(); err != nil {
				return err
			}
		}
		break
	}
	if negative {
		number = -number
	}
	return u.obey(string(word), number, has)
}

func (u *unwrapper) obey(word string, number int, has bool) error {
	u.words++
	switch word {
	case "bin":
		if number > 0 {
			if _, err := io.CopyN(io.Discard, u.in, int64(number)); err != nil && err != io.EOF {
				return err
			}
		}
		return nil
	case "u":
		u.unicode(rune(uint16(number)))
		u.pending = u.group.skip
		return nil
	}
	u.flush()
	u.pending = 0
	switch word {
	case "fromhtml":
		if number != 0 && len(u.stack) == 1 && u.words < 10 {
			u.source = fromHTML
		}
	case "fromtext":
		if len(u.stack) == 1 && u.words < 10 && u.source == fromRTF {
			u.source = fromText
		}
	case "ansicpg":
		if knownCodePage(number) {
			u.page = number
		}
	case "uc":
		u.group.skip = max(0, min(number, 16))
	case "htmlrtf":
		u.group.hidden = !has || number != 0
	case "deff":
		u.deff = number
		u.group.font = number
	case "plain":
		u.group.font = u.deff
	case "f":
		u.group.font = number
		u.defined = number
	case "fcharset":
		if u.group.fonts && len(u.fonts) < 10_000 {
			if page, ok := charsetPages[number]; ok {
				u.fonts[u.defined] = page
			}
		}
	case "cpg":
		if u.group.fonts && knownCodePage(number) && len(u.fonts) < 10_000 {
			u.fonts[u.defined] = number
		}
	case "fonttbl":
		u.group.fonts, u.group.ignored = true, true
	case "colortbl", "stylesheet", "info", "pict", "object", "header", "footer", "headerl", "headerr", "headerf", "footerl", "footerr", "footerf", "footnote",
		"listtable", "listoverridetable", "rsidtbl", "generator", "xmlnstbl", "themedata", "datastore", "latentstyles", "fldinst", "bkmkstart", "bkmkend", "nonshppict":
		u.group.ignored = true
	case "par", "line", "sect", "page", "row":
		u.symbol("\r\n", "\r\n")
	case "tab", "cell":
		u.symbol("\t", "\t")
	case "lquote":
		u.symbol("\u2018", "&lsquo;")
	case "rquote":
		u.symbol("\u2019", "&rsquo;")
	case "ldblquote":
		u.symbol("\u201c", "&ldquo;")
	case "rdblquote":
		u.symbol("\u201d", "&rdquo;")
	case "bullet":
		u.symbol("\u2022", "&bull;")
	case "endash":
		u.symbol("\u2013", "&ndash;")
	case "emdash":
		u.symbol("\u2014", "&mdash;")
	case "emspace", "enspace":
		u.symbol(" ", " ")
	}
	return nil
}

// charsetPages are the code pages of the character sets that fonts have; 1 is that of the document.
var charsetPages = map[int]int{0: 1252, 77: 10000, 128: 932, 129: 949, 134: 936, 136: 950, 161: 1253, 162: 1254, 163: 1258, 177: 1255, 178: 1256, 186: 1257, 204: 1251, 222: 874, 238: 1250, 255: 437}

// shown says whether text here belongs to what the RTF was made of.
func (u *unwrapper) shown() bool {
	if u.source == fromHTML && u.group.hidden {
		return false
	}
	return !u.group.ignored
}

// text takes a byte in the code page of the font.
func (u *unwrapper) text(c byte) {
	if u.pending > 0 {
		u.pending--
		return
	}
	if !u.shown() {
		return
	}
	page := u.page
	if p, ok := u.fonts[u.group.font]; ok && !u.group.tag {
		page = p
	}
	if page != u.bytesIn {
		u.flush()
		u.bytesIn = page
	}
	u.bytes = append(u.bytes, c)
	if len(u.bytes) >= 4096 && (c < utf8.RuneSelf || len(u.bytes) >= maxUndecoded) {
		u.flush()
	}
}

func (u *unwrapper) flush() {
	if len(u.bytes) > 0 {
		u.out.WriteString(decodeText(u.bytes, u.bytesIn))
		u.bytes = u.bytes[:0]
	}
	u.high = 0
}

// unicode takes a unit of UTF-16.
func (u *unwrapper) unicode(r rune) {
	high := u.high
	u.flush()
	if !u.shown() {
		return
	}
	switch {
	case r >= 0xd800 && r < 0xdc00:
		u.high = r
		return
	case r >= 0xdc00 && r < 0xe000 && high != 0:
		r = (high-0xd800)<<10 + (r - 0xdc00) + 0x10000
	}
	u.out.WriteRune(r)
}

// symbol writes what a control word stands for.
func (u *unwrapper) symbol(text, html string) {
	u.flush()
	if u.pending > 0 {
		u.pending--
		return
	}
	if !u.shown() {
		return
	}
	if u.source == fromHTML {
		text = html
	}
	u.out.WriteString(text)
}
