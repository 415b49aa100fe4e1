package search

import (
	"slices"
	"strings"
	"testing"
	"unicode"
)

// FuzzWords compares how text is cut with what its rule says, letter by letter.
func FuzzWords(f *testing.F) {
	for _, s := range []string{"", "one", "One two,three", " a  b ", "Größe ÄÖÜ Ångström", "x日本y 語", "it's 3.14", "a\xffb\xc3", "e\u0301t\u00e9", strings.Repeat("long", 50) + " x", strings.Repeat("ß", 100), "Ελλάδα Привет", "\u1e9e Ⅷ"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		var want []string
		var word strings.Builder
		end := func() {
			if w := word.String(); w != "" {
				want = append(want, w[:min(len(w), longestWord)])
			}
			word.Reset()
		}
		for i, r := range s {
			switch {
			case r == unicode.ReplacementChar && !strings.HasPrefix(s[i:], string(r)):
				end()
			case unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana):
				end()
				word.WriteString(Fold(string(r)))
				end()
			case unicode.In(r, unicode.L, unicode.N, unicode.Co, unicode.M):
				word.WriteString(Fold(string(r)))
			default:
				end()
			}
		}
		end()
		text, ends := appendWords(nil, nil, s)
		var got []string
		from := 0
		for _, to := range ends {
			got = append(got, string(text[from:to]))
			from = to
		}
		if !slices.Equal(got, want) {
			t.Errorf("%q has %q, want %q", s, got, want)
		}
	})
}
