package export

import (
	"path/filepath"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"pgregory.net/rapid"
)

func TestNameOfHostileNames(t *testing.T) {
	for raw, want := range map[string]string{
		"":                     "%-",
		".":                    "%2E",
		"..":                   ".%2E",
		"../../etc/passwd":     "..%2F..%2Fetc%2Fpasswd",
		`C:\windows`:           "C%3A%5Cwindows",
		"CON":                  "%43ON",
		"nul.txt":              "%6Eul.txt",
		"COM¹.log":             "%43OM¹.log",
		"LPT9 .x":              "%4CPT9 .x",
		"console":              "console",
		"a\x00b":               "a%00b",
		"a\nb":                 "a%0Ab",
		"fdp\u202etxt.exe":     "fdp%E2%80%AEtxt.exe",
		"trailing.":            "trailing%2E",
		"trailing ":            "trailing%20",
		" leading":             "%20leading",
		"\xff\xfe":             "%FF%FE",
		"100%":                 "100%25",
		"Grüße 日本 😀":           "Grüße 日本 😀",
		"zero\u200bwidth":      "zero%E2%80%8Bwidth",
		"non\u00a0breaking":    "non%C2%A0breaking",
		"re: a < b | c? \"q\"": "re%3A a %3C b %7C c%3F %22q%22",
	} {
		if got := Name(raw); got != want {
			t.Errorf("Name(%q) = %q, want %q", raw, got, want)
		}
	}
}

func checkName(t interface {
	Errorf(format string, args ...any)
}, raw string) {
	name := Name(raw)
	if !filepath.IsLocal(name) || strings.ContainsAny(name, "/\\") || name == "." || len(name) > 255 || !utf8.ValidString(name) {
		t.Errorf("Name(%q) = %q: not a local, single, legal name", raw, name)
	}
	for _, r := range name {
		if r < ' ' || strings.ContainsRune(`<>:"|?*`, r) || unicode.Is(unicode.Cf, r) {
			t.Errorf("Name(%q) = %q holds %q", raw, name, r)
		}
	}
	if last := name[len(name)-1]; last == '.' || last == ' ' || name[0] == ' ' {
		t.Errorf("Name(%q) = %q: ends or begins badly", raw, name)
	}
	stem, _, _ := strings.Cut(strings.ToLower(name), ".")
	if reserved[strings.TrimRight(stem, " ")] {
		t.Errorf("Name(%q) = %q is a device on Windows", raw, name)
	}
}

// unname undoes Name for names that were not shortened: that it exists proves that Name is injective.
func unname(name string) (string, bool) {
	if name == "%-" {
		return "", true
	}
	var b strings.Builder
	for i := 0; i < len(name); i++ {
		if name[i] != '%' {
			b.WriteByte(name[i])
			continue
		}
		if i+2 >= len(name) {
			return "", false
		}
		const digits = "0123456789ABCDEF"
		hi, lo := strings.IndexByte(digits, name[i+1]), strings.IndexByte(digits, name[i+2])
		if hi < 0 || lo < 0 {
			return "", false
		}
		b.WriteByte(byte(hi<<4 | lo))
		i += 2
	}
	return b.String(), true
}

func FuzzName(f *testing.F) {
	for _, s := range []string{"", "..", "CON", "a\x00", "\u202e", "x.", strings.Repeat("é", 200) + ".docx", strings.Repeat("%", 90), "nul .", "\xc3"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		checkName(t, raw)
		name := Name(raw)
		if strings.Contains(name, "%~") {
			return // shortened: unique by its hash
		}
		if back, ok := unname(name); !ok || back != raw {
			t.Errorf("Name(%q) = %q, which reads back as %q", raw, name, back)
		}
	})
}

func TestNameShortensByHash(t *testing.T) {
	long := strings.Repeat("/", 100)
	a, b := Name(long+"a.docx"), Name(long+"b.docx")
	if a == b || len(a) > longest || !strings.HasSuffix(a, ".docx") {
		t.Errorf("%q and %q", a, b)
	}
	checkName(t, long)
}

func TestUniqueNamesNeverMeet(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		pool := rapid.SampledFrom([]string{"a", "A", "a (2)", "A (2)", "é", "e\u0301", "É", "ß", "SS", ".x", ".X", "a.txt", "A.TXT", "a (2).txt", "manifest.json", "ﬁ", "fi"})
		n := names{}
		given := map[string]string{}
		for _, raw := range rapid.SliceOfN(pool, 0, 60).Draw(t, "names") {
			got := n.unique(Name(raw))
			if other, ok := given[sameness(got)]; ok {
				t.Fatalf("%q came out as %q, twin of %q", raw, got, other)
			}
			given[sameness(got)] = got
			checkName(t, got)
		}
	})
}

func TestManyTwinsStayCheap(t *testing.T) {
	n := names{}
	last := ""
	for range 50_000 {
		last = n.unique("(no subject).eml")
	}
	if last != "(no subject) (50000).eml" {
		t.Errorf("the last of 50,000 twins is %q", last)
	}
}
