package explorer

import (
	"encoding/json"
	"strconv"
	"strings"
	"time"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"holdfast/internal/holdfast"
)

// The grammar of searches, as users of this field write them:
//
//	search = or ; or = and { "OR" and } ; and = not { [ "AND" ] not } ; not = [ "NOT" | "-" ] ( "(" or ")" | term )
//	term   = [ field ":" ] value ; value = word | '"' text '"' ; * and ? stand for any text and any one character
//
// Dates are YYYY-MM-DD or RFC 3339, sizes bytes or with KB, MB, GB; both take >, >=, <, <= and from..to.

// Bounds of a search: what a person types is far below, and matching costs time for each item.
const (
	longestSearch = 4096
	deepestSearch = 64
)

// matcher says whether an item is what was searched for.
type matcher func(item *holdfast.Item) bool

// parseSearch turns what a user typed into a matcher. Its errors are for the user.
func parseSearch(text string) (matcher, error) {
	if len(text) > longestSearch {
		return nil, holdfast.Invalid("a search may have %d bytes", longestSearch)
	}
	p := &searchParser{rest: text}
	m, err := p.or(0)
	if err != nil {
		return nil, err
	}
	if p.skipSpace(); p.rest != "" {
		return nil, holdfast.Invalid("the search has a %q too many near %q", p.rest[:1], p.rest)
	}
	return m, nil
}

type searchParser struct{ rest string }

func (p *searchParser) skipSpace() { p.rest = strings.TrimLeftFunc(p.rest, unicode.IsSpace) }

// word takes the operator op when it comes next.
func (p *searchParser) word(op string) bool {
	p.skipSpace()
	after, ok := strings.CutPrefix(p.rest, op)
	if !ok || after != "" && !unicode.IsSpace(rune(after[0])) && after[0] != '(' {
		return false
	}
	p.rest = after
	return true
}

func (p *searchParser) or(depth int) (matcher, error) {
	if depth > deepestSearch {
		return nil, holdfast.Invalid("the search has more than %d parentheses in each other", deepestSearch)
	}
	left, err := p.and(depth)
	if err != nil {
		return nil, err
	}
	for p.word("OR") {
		right, err := p.and(depth)
		if err != nil {
			return nil, err
		}
		a := left
		left = func(i *holdfast.Item) bool { return a(i) || right(i) }
	}
	return left, nil
}

func (p *searchParser) and(depth int) (matcher, error) {
	left, err := p.not(depth)
	if err != nil {
		return nil, err
	}
	for {
		explicit := p.word("AND")
		if p.skipSpace(); !explicit && (p.rest == "" || p.rest[0] == ')' || p.atOr()) {
			return left, nil
		}
		right, err := p.not(depth)
		if err != nil {
			return nil, err
		}
		a := left
		left = func(i *holdfast.Item) bool { return a(i) && right(i) }
	}
}

func (p *searchParser) atOr() bool {
	before := p.rest
	or := p.word("OR")
	p.rest = before
	return or
}

func (p *searchParser) not(depth int) (matcher, error) {
	negate := false
	for {
		if p.word("NOT") {
			negate = !negate
			continue
		}
		if p.skipSpace(); len(p.rest) > 1 && p.rest[0] == '-' && !unicode.IsSpace(rune(p.rest[1])) {
			p.rest = p.rest[1:]
			negate = !negate
			continue
		}
		break
	}
	var m matcher
	var err error
	if strings.HasPrefix(p.rest, "(") {
		p.rest = p.rest[1:]
		if m, err = p.or(depth + 1); err != nil {
			return nil, err
		}
		if p.skipSpace(); !strings.HasPrefix(p.rest, ")") {
			return nil, holdfast.Invalid("the search lacks a closing parenthesis")
		}
		p.rest = p.rest[1:]
	} else if m, err = p.term(); err != nil {
		return nil, err
	}
	if negate {
		return func(i *holdfast.Item) bool { return !m(i) }, nil
	}
	return m, nil
}

func (p *searchParser) term() (matcher, error) {
	if p.rest == "" || p.rest[0] == ')' {
		return nil, holdfast.Invalid("the search ends where a word is expected")
	}
	field := ""
	if end := strings.IndexAny(p.rest, ":\"() \t\r\n"); end > 0 && p.rest[end] == ':' {
		field, p.rest = strings.ToLower(p.rest[:end]), p.rest[end+1:]
	}
	value, quoted, err := p.value()
	if err != nil {
		return nil, err
	}
	if field == "" {
		m := textMatcher(value, quoted)
		return func(i *holdfast.Item) bool {
			return m(i.Name) || m(i.Fields[holdfast.FieldFrom]) || m(i.Fields[holdfast.FieldTo]) || m(i.Fields[holdfast.FieldCc])
		}, nil
	}
	match, ok := searchFields[field]
	if !ok {
		return nil, holdfast.Invalid("there is no field %q to search; there are subject, name, from, to, cc, author, received, sent, modified, created, size, hasattachments, isread, isflagged, importance, category, class and kind", field)
	}
	return match(value, quoted)
}

func (p *searchParser) value() (value string, quoted bool, err error) {
	if strings.HasPrefix(p.rest, `"`) {
		end := strings.IndexByte(p.rest[1:], '"')
		if end < 0 {
			return "", false, holdfast.Invalid("the search lacks a closing quotation mark")
		}
		value, p.rest = p.rest[1:1+end], p.rest[end+2:]
		return value, true, nil
	}
	end := strings.IndexFunc(p.rest, func(r rune) bool { return unicode.IsSpace(r) || r == ')' || r == '(' || r == '"' })
	if end < 0 {
		end = len(p.rest)
	}
	value, p.rest = p.rest[:end], p.rest[end:]
	if value == "" {
		return "", false, holdfast.Invalid("the search has a field without a value")
	}
	return value, false, nil
}

// searchFields make the matcher of a field's value.
var searchFields map[string]func(value string, quoted bool) (matcher, error)

func init() {
	text := func(key string) func(string, bool) (matcher, error) {
		return func(value string, quoted bool) (matcher, error) {
			m := textMatcher(value, quoted)
			return func(i *holdfast.Item) bool { return m(i.Fields[key]) }, nil
		}
	}
	name := func(value string, quoted bool) (matcher, error) {
		m := textMatcher(value, quoted)
		return func(i *holdfast.Item) bool { return m(i.Name) }, nil
	}
	flag := func(is func(*holdfast.Item) bool) func(string, bool) (matcher, error) {
		return func(value string, _ bool) (matcher, error) {
			want, err := searchBool(value)
			if err != nil {
				return nil, err
			}
			return func(i *holdfast.Item) bool { return is(i) == want }, nil
		}
	}
	date := func(of func(*holdfast.Item) (time.Time, bool)) func(string, bool) (matcher, error) {
		return func(value string, _ bool) (matcher, error) {
			from, to, err := searchRange(value, searchDate)
			if err != nil {
				return nil, err
			}
			return func(i *holdfast.Item) bool {
				t, ok := of(i)
				return ok && from.below(t.UnixNano()) && to.above(t.UnixNano())
			}, nil
		}
	}
	stamp := func(key string) func(*holdfast.Item) (time.Time, bool) {
		return func(i *holdfast.Item) (time.Time, bool) {
			t, err := time.Parse(time.RFC3339, i.Fields[key])
			return t, err == nil
		}
	}
	received := date(func(i *holdfast.Item) (time.Time, bool) { return i.Time, i.Kind == holdfast.KindMail })
	searchFields = map[string]func(string, bool) (matcher, error){
		"subject": name, "name": name, "title": name, "filename": name,
		"from": text(holdfast.FieldFrom), "sender": text(holdfast.FieldFrom),
		"to": text(holdfast.FieldTo), "cc": text(holdfast.FieldCc), "author": text(holdfast.FieldAuthor),
		"importance": func(value string, quoted bool) (matcher, error) {
			m := textMatcher(value, quoted)
			return func(i *holdfast.Item) bool {
				v := i.Fields[holdfast.FieldImportance]
				if v == "" && i.Kind == holdfast.KindMail {
					v = "normal"
				}
				return m(v)
			}, nil
		},
		"class": text(holdfast.FieldClass),
		"category": func(value string, quoted bool) (matcher, error) {
			m := textMatcher(value, quoted)
			return func(i *holdfast.Item) bool {
				var all []string
				if json.Unmarshal([]byte(i.Fields[holdfast.FieldCategories]), &all) != nil {
					return false
				}
				for _, c := range all {
					if m(c) {
						return true
					}
				}
				return false
			}, nil
		},
		"kind": func(value string, quoted bool) (matcher, error) {
			m := textMatcher(value, quoted)
			return func(i *holdfast.Item) bool { return m(string(i.Kind)) }, nil
		},
		"received": received, "date": received,
		"sent": date(stamp(holdfast.FieldSent)), "created": date(stamp(holdfast.FieldCreated)), "modified": date(stamp(holdfast.FieldModified)),
		"size": func(value string, _ bool) (matcher, error) {
			from, to, err := searchRange(value, searchSize)
			if err != nil {
				return nil, err
			}
			return func(i *holdfast.Item) bool { return from.below(i.Size) && to.above(i.Size) }, nil
		},
		"hasattachments": flag(func(i *holdfast.Item) bool { return i.Fields[holdfast.FieldAttached] == "true" }),
		"isread":         flag(func(i *holdfast.Item) bool { return i.Fields[holdfast.FieldRead] == "true" }),
		"isflagged":      flag(func(i *holdfast.Item) bool { return i.Fields[holdfast.FieldFlag] == "flagged" }),
	}
	searchFields["categories"], searchFields["hasattachment"], searchFields["read"] = searchFields["category"], searchFields["hasattachments"], searchFields["isread"]
}

func searchBool(value string) (bool, error) {
	switch strings.ToLower(value) {
	case "true", "yes", "1":
		return true, nil
	case "false", "no", "0":
		return false, nil
	}
	return false, holdfast.Invalid("%q in the search is neither true nor false", value)
}

// bound is one end of a range; open means that there is none.
type bound struct {
	at   int64
	open bool
	with bool // at itself is inside
}

func (b bound) below(v int64) bool { return b.open || v > b.at || b.with && v == b.at }
func (b bound) above(v int64) bool { return b.open || v < b.at || b.with && v == b.at }

// searchRange reads >x, >=x, <x, <=x, x..y and x. parse gives the first and the last value that a text stands for (a day is a span).
func searchRange(value string, parse func(string) (first, last int64, err error)) (from, to bound, err error) {
	from, to = bound{open: true}, bound{open: true}
	if a, b, ok := strings.Cut(value, ".."); ok {
		if a != "" && a != "*" {
			if from.at, _, err = parse(a); err != nil {
				return from, to, err
			}
			from = bound{at: from.at, with: true}
		}
		if b != "" && b != "*" {
			if _, to.at, err = parse(b); err != nil {
				return from, to, err
			}
			to = bound{at: to.at, with: true}
		}
		return from, to, nil
	}
	op := ""
	for _, o := range []string{">=", "<=", ">", "<", "="} {
		if rest, ok := strings.CutPrefix(value, o); ok {
			op, value = o, rest
			break
		}
	}
	first, last, err := parse(value)
	if err != nil {
		return from, to, err
	}
	switch op {
	case ">=":
		from = bound{at: first, with: true}
	case ">":
		from = bound{at: last}
	case "<=":
		to = bound{at: last, with: true}
	case "<":
		to = bound{at: first}
	default:
		from, to = bound{at: first, with: true}, bound{at: last, with: true}
	}
	return from, to, nil
}

func searchDate(value string) (first, last int64, err error) {
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04:05", "2006-01-02T15:04", "2006-01-02"} {
		t, err := time.Parse(layout, value)
		if err != nil {
			continue
		}
		end := t.Add(time.Second)
		switch layout {
		case "2006-01-02":
			end = t.AddDate(0, 0, 1)
		case "2006-01-02T15:04":
			end = t.Add(time.Minute)
		}
		if y := t.Year(); y < 1678 || y > 2261 {
			return 0, 0, holdfast.Invalid("%q in the search is out of range", value)
		}
		return t.UnixNano(), end.UnixNano() - 1, nil
	}
	return 0, 0, holdfast.Invalid("%q in the search is not a date such as 2026-03-01", value)
}

func searchSize(value string) (first, last int64, err error) {
	number := strings.ToUpper(value)
	unit := int64(1)
	for suffix, u := range map[string]int64{"KB": 1 << 10, "MB": 1 << 20, "GB": 1 << 30} {
		if n, ok := strings.CutSuffix(number, suffix); ok {
			number, unit = n, u
		}
	}
	n, err := strconv.ParseFloat(number, 64)
	if err != nil || !(n >= 0 && n*float64(unit) < 1<<62) {
		return 0, 0, holdfast.Invalid("%q in the search is not a size such as 100KB", value)
	}
	size := int64(n * float64(unit))
	return size, size, nil
}

// textMatcher finds value anywhere in a text, whatever its case; with * or ? (not quoted) it must be the whole text or a word of it.
func textMatcher(value string, quoted bool) func(string) bool {
	want := fold(value)
	if quoted || !strings.ContainsAny(want, "*?") {
		return func(s string) bool { return s != "" && strings.Contains(fold(s), want) }
	}
	pattern := []rune(want)
	return func(s string) bool {
		if s == "" {
			return false
		}
		s = fold(s)
		if glob(pattern, []rune(s)) {
			return true
		}
		for _, w := range strings.FieldsFunc(s, func(r rune) bool { return unicode.IsSpace(r) || strings.ContainsRune(`,;<>()"`, r) }) {
			if glob(pattern, []rune(w)) {
				return true
			}
		}
		return false
	}
}

func fold(s string) string {
	s = strings.ToLower(s)
	if norm.NFC.IsNormalString(s) {
		return s
	}
	return norm.NFC.String(s)
}

// glob matches with one step back to the last star, so its cost is at most the product of the lengths.
func glob(pattern, s []rune) bool {
	p, i, star, mark := 0, 0, -1, 0
	for i < len(s) {
		switch {
		case p < len(pattern) && pattern[p] == '*':
			star, mark = p, i
			p++
		case p < len(pattern) && (pattern[p] == '?' || pattern[p] == s[i]):
			p++
			i++
		case star >= 0:
			mark++
			p, i = star+1, mark
		default:
			return false
		}
	}
	for p < len(pattern) && pattern[p] == '*' {
		p++
	}
	return p == len(pattern)
}
