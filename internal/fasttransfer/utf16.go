package fasttransfer

import (
	"encoding/binary"
	"unicode/utf16"
	"unicode/utf8"

	"golang.org/x/text/transform"
)

// wideASCII are the bits that no letter of ASCII has in four units of UTF-16.
const wideASCII = 0xff80ff80ff80ff80

// decodeUTF16 appends to dst, as far as it has room, what src has in little-endian UTF-16, and says how many bytes of src that was. Half of a pair is U+FFFD.
// Unless last is set, what may go on after src is left.
func decodeUTF16(dst, src []byte, last bool) (out []byte, used int) {
	i := 0
	for i+1 < len(src) {
		// Most text is letters of one byte; four are taken at once.
		for i+8 <= len(src) && cap(dst)-len(dst) >= 4 {
			four := binary.LittleEndian.Uint64(src[i:])
			if four&wideASCII != 0 {
				break
			}
			dst = append(dst, byte(four), byte(four>>16), byte(four>>32), byte(four>>48))
			i += 8
		}
		if i+1 >= len(src) || cap(dst)-len(dst) < utf8.UTFMax {
			break
		}
		r, n := rune(binary.LittleEndian.Uint16(src[i:])), 2
		if utf16.IsSurrogate(r) {
			if i+3 >= len(src) && !last {
				break
			}
			second := rune(utf8.RuneError)
			if i+3 < len(src) {
				second = rune(binary.LittleEndian.Uint16(src[i+2:]))
			}
			if r = utf16.DecodeRune(r, second); r != utf8.RuneError {
				n = 4
			}
		}
		dst = utf8.AppendRune(dst, r)
		i += n
	}
	return dst, i
}

// utf8Room is how many bytes UTF-8 has at most for n bytes of UTF-16, with what decodeUTF16 wants to have free.
func utf8Room(n int) int { return n/2*3 + utf8.UTFMax }

// fromUTF16 makes UTF-8 of little-endian UTF-16. A last byte that is half a unit is left out.
type fromUTF16 struct{ transform.NopResetter }

// Transform implements transform.Transformer.
func (fromUTF16) Transform(dst, src []byte, atEOF bool) (nDst, nSrc int, err error) {
	out, n := decodeUTF16(dst[:0:len(dst)], src, atEOF)
	switch rest := len(src) - n; {
	case rest >= 2 && (atEOF || len(dst)-len(out) < utf8.UTFMax):
		err = transform.ErrShortDst
	case rest > 0 && atEOF:
		n = len(src)
	case rest > 0:
		err = transform.ErrShortSrc
	}
	return len(out), n, err
}
