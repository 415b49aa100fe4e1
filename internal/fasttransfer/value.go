package fasttransfer

import (
	"bytes"
	"encoding/binary"
	"math"
	"strings"
	"time"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/japanese"
	"golang.org/x/text/encoding/korean"
	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/traditionalchinese"
	"golang.org/x/text/encoding/unicode"
)

const (
	pageUTF16   = 1200
	pageWestern = 1252
	pageUTF8    = 65001
)

// page is a code page of Windows.
type page struct {
	charset  string // its name in MIME
	encoding encoding.Encoding
}

var pages = map[int]page{
	437: {"ibm437", charmap.CodePage437}, 850: {"ibm850", charmap.CodePage850}, 852: {"ibm852", charmap.CodePage852}, 855: {"ibm855", charmap.CodePage855},
	858: {"ibm00858", charmap.CodePage858}, 860: {"ibm860", charmap.CodePage860}, 862: {"ibm862", charmap.CodePage862}, 863: {"ibm863", charmap.CodePage863},
	865: {"ibm865", charmap.CodePage865}, 866: {"ibm866", charmap.CodePage866}, 874: {"windows-874", charmap.Windows874},
	932: {"shift_jis", japanese.ShiftJIS}, 936: {"gbk", simplifiedchinese.GBK}, 949: {"euc-kr", korean.EUCKR}, 950: {"big5", traditionalchinese.Big5},
	pageUTF16: {"utf-16le", unicode.UTF16(unicode.LittleEndian, unicode.IgnoreBOM)}, 1201: {"utf-16be", unicode.UTF16(unicode.BigEndian, unicode.IgnoreBOM)},
	1250: {"windows-1250", charmap.Windows1250}, 1251: {"windows-1251", charmap.Windows1251}, pageWestern: {"windows-1252", charmap.Windows1252},
	1253: {"windows-1253", charmap.Windows1253}, 1254: {"windows-1254", charmap.Windows1254}, 1255: {"windows-1255", charmap.Windows1255},
	1256: {"windows-1256", charmap.Windows1256}, 1257: {"windows-1257", charmap.Windows1257}, 1258: {"windows-1258", charmap.Windows1258},
	10000: {"macintosh", charmap.Macintosh}, 10007: {"x-mac-cyrillic", charmap.MacintoshCyrillic},
	20127: {"us-ascii", charmap.Windows1252}, 20866: {"koi8-r", charmap.KOI8R}, 20932: {"euc-jp", japanese.EUCJP}, 20936: {"gbk", simplifiedchinese.GBK},
	21866: {"koi8-u", charmap.KOI8U},
	28591: {"iso-8859-1", charmap.ISO8859_1}, 28592: {"iso-8859-2", charmap.ISO8859_2}, 28593: {"iso-8859-3", charmap.ISO8859_3}, 28594: {"iso-8859-4", charmap.ISO8859_4},
	28595: {"iso-8859-5", charmap.ISO8859_5}, 28596: {"iso-8859-6", charmap.ISO8859_6}, 28597: {"iso-8859-7", charmap.ISO8859_7}, 28598: {"iso-8859-8", charmap.ISO8859_8},
	28599: {"iso-8859-9", charmap.ISO8859_9}, 28603: {"iso-8859-13", charmap.ISO8859_13}, 28605: {"iso-8859-15", charmap.ISO8859_15}, 38598: {"iso-8859-8-i", charmap.ISO8859_8I},
	50220: {"iso-2022-jp", japanese.ISO2022JP}, 50221: {"iso-2022-jp", japanese.ISO2022JP}, 50222: {"iso-2022-jp", japanese.ISO2022JP},
	51932: {"euc-jp", japanese.EUCJP}, 51936: {"gbk", simplifiedchinese.GBK}, 51949: {"euc-kr", korean.EUCKR}, 52936: {"hz-gb-2312", simplifiedchinese.HZGB2312},
	54936: {"gb18030", simplifiedchinese.GB18030}, 65000: {"utf-7", nil}, pageUTF8: {"utf-8", unicode.UTF8},
}

func knownCodePage(n int) bool { return pages[n].encoding != nil }

// pageOf is the code page with this number, or Windows-1252, which anything is.
func pageOf(n int) page {
	if p := pages[n]; p.encoding != nil {
		return p
	}
	return pages[pageWestern]
}

// decodeText gives text in UTF-8, without the zero that ends it in a stream.
func decodeText(b []byte, codePage int) string {
	if codePage == pageUTF16 {
		return utf16Text(b)
	}
	p := pageOf(codePage)
	if codePage == 1201 {
		for len(b) >= 2 && b[len(b)-1] == 0 && b[len(b)-2] == 0 {
			b = b[:len(b)-2]
		}
	} else {
		b = bytes.TrimRight(b, "\x00")
	}
	ascii := codePage != 1201 && p.charset != "iso-2022-jp" && p.charset != "hz-gb-2312"
	for _, c := range b {
		if !ascii || c >= utf8.RuneSelf {
			ascii = false
			break
		}
	}
	if ascii {
		return string(b)
	}
	out, err := p.encoding.NewDecoder().Bytes(b)
	if err != nil {
		out = b
	}
	return strings.ToValidUTF8(string(out), "\ufffd")
}

func utf16Text(b []byte) string {
	for len(b) >= 2 && b[len(b)-1] == 0 && b[len(b)-2] == 0 {
		b = b[:len(b)-2]
	}
	out, _ := decodeUTF16(make([]byte, 0, utf8Room(len(b))), b, true)
	return string(out)
}

// windowsEpoch is 1601, from which Windows counts, in seconds of Unix.
const windowsEpoch = -11644473600

// noTime is what Outlook writes for "no date": 1 January 4501.
const noTime = 0x0cb34557a3dd4000

// fileTime is a time in tenths of microseconds since 1601; what says that there is none gives the zero time.
func fileTime(n uint64) time.Time {
	if n == 0 || n >= noTime {
		return time.Time{}
	}
	return time.Unix(windowsEpoch+int64(n/1e7), int64(n%1e7)*100).UTC()
}

func toFileTime(t time.Time) uint64 {
	return uint64(t.Unix()-windowsEpoch)*1e7 + uint64(t.Nanosecond()/100)
}

// minutes is a local time in minutes since 1601, as recurrences have it. It has the numbers of that place's clock in UTC.
func minutes(n uint32) time.Time {
	return time.Unix(windowsEpoch+int64(n)*60, 0).UTC()
}

// number is the value of one of the types of whole numbers.
func number(t Type, b []byte) (int64, bool) {
	switch {
	case t == TypeInt16 && len(b) == 2:
		return int64(int16(binary.LittleEndian.Uint16(b))), true
	case t == TypeBool && len(b) == 2:
		if b[0]|b[1] != 0 {
			return 1, true
		}
		return 0, true
	case t == TypeInt32 && len(b) == 4:
		return int64(int32(binary.LittleEndian.Uint32(b))), true
	case t == TypeError && len(b) == 4:
		return int64(binary.LittleEndian.Uint32(b)), true
	case (t == TypeInt64 || t == TypeCurrency) && len(b) == 8:
		return int64(binary.LittleEndian.Uint64(b)), true
	}
	return 0, false
}

func float(t Type, b []byte) (float64, bool) {
	switch {
	case t == TypeFloat32 && len(b) == 4:
		return float64(math.Float32frombits(binary.LittleEndian.Uint32(b))), true
	case (t == TypeFloat64 || t == TypeFloatingTime) && len(b) == 8:
		return math.Float64frombits(binary.LittleEndian.Uint64(b)), true
	}
	n, ok := number(t, b)
	return float64(n), ok
}
