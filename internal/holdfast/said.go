package holdfast

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"
)

// Sentence is the code of a sentence that the server says to people. The sentence itself is English and stands in said_sentences.go; a front end that
// knows the code says it in the reader's language.
type Sentence string

// Said is a text taken apart again: the sentence that it is, and the values in it. Texts are kept and sent as English, in rows, logs and tasks, so that
// nothing depends on codes; those written long ago are understood too.
type Said struct {
	Text   string
	Code   Sentence          // empty: free text, such as what Microsoft answered
	With   map[string]string // the values, by the names of their places
	Within map[string]Said   // those of the values that are sentences themselves
}

// sentence is a row of the table: the text has places such as {n}, whose names say what stands there.
type sentence struct {
	code Sentence
	text string
}

// What stands in a place, by its name. All other places hold any text.
var placePatterns = map[string]string{
	"n": `\d+`, "m": `\d+`, "k": `\d+`,
	"kind": `mailbox|drive|site|team|chat list|chat`, "address": `https?://\S*|[^:]*`,
	"container": `(?:mailbox|drive|site|team|chat list|chat) of (?:https?://\S*|[^:]*)`, "more": `".+`,
	"service": `Exchange|OneDrive|SharePoint|Teams|Chats`, "application": `[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}`, "title": `"(?:[^"\\]|\\.)*"`, "reason": `.*`, "mode": `(?:skip|keep both|overwrite)?`,
	"scope": `EntireOrganization|SelectedItems`, "days": `Everyday|Workdays|Weekends|(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day`, "domain": `[^\s,]+`, "clock": `\d\d:\d\d:\d\d`, "every": `(?:\d+[hms])+`,
	"role": `Owner|BackupAdministrator|StorageAdministrator|Auditor|RestoreOperator|EndUser`, "acts": `[\w ]*`, "client": `.*`, "url": `.*`, "token": `\w+`, "period": `for ever|\d+ (?:days|months|years)`, "earlier": `for ever|\d+ (?:days|months|years)`,
	"what": `(?:\d+ items? of )?(?:mailbox|drive|site|team|chat list|chat) of .+?`,
	"skip": `corrupt|denied|locked|malware|vanished|changing|too large|unlicensed|gone|transient|conflict|unsupported`,
}

// withinPlaces hold sentences.
var withinPlaces = []string{"container", "why", "more", "session", "what", "schedule", "period", "earlier"}

var placePattern = regexp.MustCompile(`\{([a-z]+)\}`)

// With is the sentence with values, in the order of its places. It panics when their number is not that of the places: that is a fault of the caller,
// found by any test that comes there.
func (s Sentence) With(values ...any) string {
	text := sentenceText(s)
	out, last := make([]byte, 0, len(text)), 0
	places := placePattern.FindAllStringIndex(text, -1)
	if len(places) != len(values) {
		panic(fmt.Sprintf("sentence %s has %d places, not %d", s, len(places), len(values)))
	}
	for i, at := range places {
		out = fmt.Append(append(out, text[last:at[0]]...), values[i])
		last = at[1]
	}
	return string(append(out, text[last:]...))
}

func sentenceText(s Sentence) string {
	for _, one := range sentences {
		if one.code == s {
			return one.text
		}
	}
	panic("there is no sentence " + string(s))
}

// Sentences are the codes of all sentences, with the names of the places of each in order.
func Sentences() map[Sentence][]string {
	out := map[Sentence][]string{}
	for _, one := range sentences {
		names := []string{}
		for _, m := range placePattern.FindAllStringSubmatch(one.text, -1) {
			names = append(names, m[1])
		}
		out[one.code] = names
	}
	return out
}

// form is a sentence as it is looked for.
type form struct {
	code    Sentence
	pattern *regexp.Regexp
	names   []string
	fixed   []string // the words between the places, in order: cheap to look for
	weight  int
}

var forms = sync.OnceValue(func() []form {
	out := make([]form, 0, len(sentences))
	for _, one := range sentences {
		f := form{code: one.code}
		var pattern strings.Builder
		pattern.WriteString(`(?s)^`)
		last := 0
		for _, at := range placePattern.FindAllStringSubmatchIndex(one.text, -1) {
			words, name := one.text[last:at[0]], one.text[at[2]:at[3]]
			f.fixed, f.names, f.weight = append(f.fixed, words), append(f.names, name), f.weight+len(words)
			what, ok := placePatterns[name]
			if !ok {
				what = `.+?`
			} else {
				f.weight++ // it says more than any text would
			}
			if name == "why" && len(f.names) == 1 && words == "" {
				f.weight += 1000 // what follows a sentence is about all of it
			}
			pattern.WriteString(regexp.QuoteMeta(words) + "(" + what + ")")
			last = at[1]
		}
		f.fixed, f.weight = append(f.fixed, one.text[last:]), f.weight+len(one.text)-last
		pattern.WriteString(regexp.QuoteMeta(one.text[last:]) + `$`)
		f.pattern = regexp.MustCompile(pattern.String())
		out = append(out, f)
	}
	// The sentence with the most words of its own is the one that was meant.
	slices.SortStableFunc(out, func(a, b form) int { return b.weight - a.weight })
	return out
})

// may tells whether the words of the sentence are in a text at all.
func (f form) may(text string) bool {
	end := len(f.fixed) - 1
	if !strings.HasPrefix(text, f.fixed[0]) || !strings.HasSuffix(text, f.fixed[end]) {
		return false
	}
	for _, words := range f.fixed {
		_, after, ok := strings.Cut(text, words)
		if !ok {
			return false
		}
		text = after
	}
	return true
}

const (
	deepestSaid = 8       // sentences in each other
	longestSaid = 4 << 10 // bytes; what is longer is no sentence of ours
)

// Understand takes a text of the server apart. What is none of its sentences comes back as free text. A sentence that stands at the beginning of a line
// may begin with a capital letter.
func Understand(text string) Said { return understand(text, deepestSaid) }

func understand(text string, depth int) Said {
	out := Said{Text: text}
	if depth == 0 || text == "" || len(text) > longestSaid {
		return out
	}
	small := text
	if first, size := utf8.DecodeRuneInString(text); unicode.IsUpper(first) {
		small = string(unicode.ToLower(first)) + text[size:]
	}
	for _, f := range forms() {
		said := text
		if !f.may(said) {
			if said = small; small == text || !f.may(said) {
				continue
			}
		}
		found := f.pattern.FindStringSubmatch(said)
		if found == nil {
			continue
		}
		out.Code = f.code
		for i, name := range f.names {
			if !slices.Contains(withinPlaces, name) {
				if out.With == nil {
					out.With = map[string]string{}
				}
				out.With[name] = found[i+1]
				continue
			}
			if out.Within == nil {
				out.Within = map[string]Said{}
			}
			out.Within[name] = understand(found[i+1], depth-1)
		}
		return out
	}
	return out
}
