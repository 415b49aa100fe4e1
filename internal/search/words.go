package search

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// longestWord is how many bytes of a word count: what is longer is no word that a person looks for.
const longestWord = 96

// Fold makes a word comparable: small letters without marks.
func Fold(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.Is(unicode.Mn, r) {
			return -1
		}
		return unicode.ToLower(r)
	}, norm.NFD.String(s))
}

// letters of one byte as words have them; 0 stands between words.
var letters = func() (t [256]byte) {
	for c := range utf8.RuneSelf {
		switch {
		case c >= '0' && c <= '9', c >= 'a' && c <= 'z':
			t[c] = byte(c)
		case c >= 'A' && c <= 'Z':
			t[c] = byte(c) + 'a' - 'A'
		}
	}
	return t
}()

// folded are the letters that most languages of Europe are written with.
var folded = func() (t [0x500]string) {
	for r := utf8.RuneSelf; r < len(t); r++ {
		t[r] = Fold(string(rune(r)))
	}
	return t
}()

// appendWords cuts s into words: runs of letters and digits, folded. A sign of Chinese or Japanese is a word of its own, for they do not put
// spaces between words. The words are appended to text, one after the other, and to ends where in text each ends.
func appendWords(text []byte, ends []int, s string) ([]byte, []int) {
	start := len(text)
	end := func() {
		if len(text) > start {
			text = text[:min(len(text), start+longestWord)]
			ends = append(ends, len(text))
			start = len(text)
		}
	}
	for i := 0; i < len(s); {
		// Nearly all letters are of one byte.
		at := len(text)
		text = slices.Grow(text, len(s)-i)[:at+len(s)-i]
		for ; i < len(s) && letters[s[i]] != 0; i++ {
			text[at] = letters[s[i]]
			at++
		}
		text = text[:at]
		if i == len(s) {
			break
		}
		if s[i] < utf8.RuneSelf {
			end()
			i++
			continue
		}
		r, n := utf8.DecodeRuneInString(s[i:])
		i += n
		switch {
		case r == utf8.RuneError && n == 1:
			end()
		case int(r) < len(folded):
			if unicode.IsLetter(r) || unicode.IsNumber(r) || unicode.IsMark(r) {
				text = append(text, folded[r]...)
			} else {
				end()
			}
		case unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana):
			end()
			text = append(text, Fold(string(r))...)
			end()
		case unicode.In(r, unicode.L, unicode.N, unicode.Co, unicode.M):
			text = append(text, Fold(string(r))...)
		default:
			end()
		}
	}
	end()
	return text, ends
}

// wordsOf cuts a text into words.
func wordsOf(s string) (all []string) {
	text, ends := appendWords(nil, nil, s)
	from := 0
	for _, end := range ends {
		all = append(all, string(text[from:end]))
		from = end
	}
	return all
}

// patternsOf cuts a text in which * and ? stand for others into words and patterns of words; those of nothing else are left out.
func patternsOf(s string) (all []string) {
	for _, part := range strings.FieldsFunc(s, func(r rune) bool {
		return !unicode.In(r, unicode.L, unicode.N, unicode.Co, unicode.M) && r != '*' && r != '?'
	}) {
		if !strings.ContainsAny(part, "*?") {
			all = append(all, wordsOf(part)...)
		} else if p := Fold(part); strings.Trim(p, "*?") != "" {
			all = append(all, p)
		}
	}
	return all
}
