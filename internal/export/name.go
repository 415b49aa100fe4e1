package export

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"path"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"
)

// longest is how many bytes a name may have: what every file system in use takes, with room for " (2)".
const longest = 180

// reserved are the names that Windows takes for devices, whatever extension follows.
var reserved = map[string]bool{
	"con": true, "prn": true, "aux": true, "nul": true, "conin$": true, "conout$": true, "clock$": true,
}

func init() {
	for _, port := range []string{"com", "lpt"} {
		for _, n := range []string{"0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "¹", "²", "³"} {
			reserved[port+n] = true
		}
	}
}

// Name maps any name to one that is legal, and shows as what it is, on every file system. It is local: never empty, never ".",
// never "..", without a separator. Different names give different ones (very long ones up to a collision of SHA-256): what is not
// safe becomes %XX, and a percent sign becomes %25.
func Name(raw string) string {
	if raw == "" {
		return "%-" // no other name gives this
	}
	var b strings.Builder
	for i := 0; i < len(raw); {
		r, n := utf8.DecodeRuneInString(raw[i:])
		if unsafeRune(r, n) {
			escape(&b, raw[i:i+n])
		} else {
			b.WriteString(raw[i : i+n])
		}
		i += n
	}
	name := b.String()
	if first := name[0]; first == ' ' {
		name = "%20" + name[1:]
	}
	if last := name[len(name)-1]; last == ' ' || last == '.' {
		name = fmt.Sprintf("%s%%%02X", name[:len(name)-1], last)
	}
	stem, _, _ := strings.Cut(name, ".")
	if reserved[strings.ToLower(strings.TrimRight(stem, " "))] {
		name = fmt.Sprintf("%%%02X%s", name[0], name[1:])
	}
	if len(name) > longest {
		name = shorten(name)
	}
	return name
}

func unsafeRune(r rune, n int) bool {
	switch {
	case r == utf8.RuneError && n <= 1: // not UTF-8
		return true
	case strings.ContainsRune(`<>:"/\|?*%`, r):
		return true
	case unicode.IsControl(r), unicode.Is(unicode.Cf, r), unicode.Is(unicode.Zl, r), unicode.Is(unicode.Zp, r):
		return true // NUL, line ends, direction marks and overrides, zero-width characters
	case unicode.Is(unicode.Co, r), !unicode.IsPrint(r) && !unicode.IsSpace(r):
		return true
	}
	return r != ' ' && unicode.IsSpace(r)
}

func escape(b *strings.Builder, s string) {
	for i := range len(s) {
		fmt.Fprintf(b, "%%%02X", s[i])
	}
}

// shorten keeps the start and the extension of an escaped name and puts a hash of the whole between them.
func shorten(name string) string {
	sum := sha256.Sum256([]byte(name))
	ext := path.Ext(name)
	if len(ext) > 16 || strings.ContainsAny(ext, "% ") {
		ext = ""
	}
	mark := "%~" + hex.EncodeToString(sum[:16]) // no escape begins with %~
	start := name[:longest-len(mark)-len(ext)]
	for !utf8.ValidString(start) {
		start = start[:len(start)-1]
	}
	if i := strings.LastIndexByte(start, '%'); i >= 0 && i > len(start)-3 {
		start = start[:i] // half an escape
	}
	return start + mark + ext
}

// names gives out the names of one folder, so that no two are the same on a file system that ignores case or composes accents.
// Its value is the number that the next twin of a name may try first.
type names map[string]int

// unique returns name, or name with a number before its extension when a twin was given out before.
func (n names) unique(name string) string {
	key := sameness(name)
	i, taken := n[key]
	if !taken {
		n[key] = 2
		return name
	}
	ext := path.Ext(name)
	stem := strings.TrimSuffix(name, ext)
	if stem == "" {
		stem, ext = name, ""
	}
	for ; ; i++ {
		try := fmt.Sprintf("%s (%d)%s", stem, i, ext)
		if _, taken := n[sameness(try)]; !taken {
			n[key] = i + 1
			n[sameness(try)] = 2
			return try
		}
	}
}

// sameness is equal for names that some file system takes for one.
func sameness(name string) string {
	return norm.NFKC.String(cases.Fold().String(norm.NFKD.String(name)))
}

// Names gives out names for one folder: safe on every system, and different from each other there too. The zero value is not ready: use NewNames.
type Names struct{ taken names }

// NewNames is for a folder with nothing in it.
func NewNames() *Names { return &Names{taken: names{}} }

// Name is raw made safe, and changed when a name that some system takes for the same was given out.
func (n *Names) Name(raw string) string { return n.taken.unique(Name(raw)) }
