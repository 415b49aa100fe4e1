package extract

import (
	"bytes"
	"strings"
	"unicode/utf8"

	"golang.org/x/net/html/charset"
	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/htmlindex"
	"golang.org/x/text/encoding/unicode"
)

// Decode gives the text of bytes in UTF-8 and the charset that they were in. A byte order mark decides, then UTF-8 when they are valid, then the
// charset that was declared, then what HTML declares in itself, then Windows-1252, which anything is. ok is false for what is no text.
func Decode(data []byte, declared string) (text, name string, ok bool) {
	switch {
	case bytes.HasPrefix(data, []byte("\xef\xbb\xbf")):
		return strings.ToValidUTF8(string(data[3:]), "\ufffd"), "utf-8", true
	case bytes.HasPrefix(data, []byte("\xff\xfe")):
		return decode(unicode.UTF16(unicode.LittleEndian, unicode.UseBOM), data), "utf-16le", true
	case bytes.HasPrefix(data, []byte("\xfe\xff")):
		return decode(unicode.UTF16(unicode.BigEndian, unicode.UseBOM), data), "utf-16be", true
	}
	start := data[:min(len(data), 64<<10)]
	if zeros := bytes.Count(start, []byte{0}); zeros > 0 {
		// Text in UTF-16 has a zero in nearly every second byte, at even or at odd places.
		even := 0
		for i := 0; i < len(start); i += 2 {
			if start[i] == 0 {
				even++
			}
		}
		switch {
		case zeros*10 < len(start)*3:
			return "", "", false
		case even*10 < zeros:
			text, name = decode(unicode.UTF16(unicode.LittleEndian, unicode.IgnoreBOM), data), "utf-16le"
		case even*10 > zeros*9:
			text, name = decode(unicode.UTF16(unicode.BigEndian, unicode.IgnoreBOM), data), "utf-16be"
		}
		odd := 0
		for _, c := range text {
			if c < ' ' && c != '\n' && c != '\r' && c != '\t' || c == utf8.RuneError {
				odd++
			}
		}
		if odd*50 > len(text) {
			return "", "", false
		}
		return text, name, name != ""
	}
	control := 0
	for _, c := range start {
		if c < ' ' && c != '\n' && c != '\r' && c != '\t' && c != '\f' && c != 0x1b {
			control++
		}
	}
	if control*50 > len(start) {
		return "", "", false
	}
	if validUTF8(data) {
		// ISO-2022-JP is ASCII with escapes, so it is valid UTF-8 too.
		if e, n := lookUp(declared); e != nil && n == "iso-2022-jp" && bytes.IndexByte(data, 0x1b) >= 0 {
			return decode(e, data), n, true
		}
		if text = string(data); !utf8.ValidString(text[max(0, len(text)-utf8.UTFMax):]) {
			text = strings.ToValidUTF8(text, "\ufffd") // its last rune is cut off
		}
		return text, "utf-8", true
	}
	if e, n := lookUp(declared); e != nil {
		return decode(e, data), n, true
	}
	if bytes.Contains(bytes.ToLower(data[:min(len(data), 1024)]), []byte("<meta")) {
		if e, n, _ := charset.DetermineEncoding(data[:min(len(data), 1024)], "text/html"); n != "windows-1252" && e != encoding.Replacement {
			return decode(e, data), n, true
		}
	}
	return decode(charmap.Windows1252, data), "windows-1252", true
}

// validUTF8 lets through a rune that the end cuts off.
func validUTF8(data []byte) bool {
	for i := 0; i < utf8.UTFMax && i < len(data); i++ {
		if utf8.Valid(data[:len(data)-i]) {
			return i == 0 || !utf8.FullRune(data[len(data)-i:])
		}
	}
	return len(data) == 0
}

func lookUp(name string) (encoding.Encoding, string) {
	e, err := htmlindex.Get(strings.TrimSpace(name))
	if err != nil || e == encoding.Replacement {
		return nil, ""
	}
	n, err := htmlindex.Name(e)
	if err != nil || n == "utf-8" { // it is not valid UTF-8, so it is a lie
		return nil, ""
	}
	return e, n
}

func decode(e encoding.Encoding, data []byte) string {
	out, err := e.NewDecoder().Bytes(data)
	if err != nil {
		return strings.ToValidUTF8(string(data), "\ufffd")
	}
	return strings.ToValidUTF8(string(out), "\ufffd")
}
