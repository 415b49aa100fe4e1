// Package query parses what people type into a search box. It knows the grammar and the names, not what is searched:
// explorer matches items with it, search turns it into SQL. docs/search.md describes it for users.
//
//	search = or ; or = and { "OR" and } ; and = not { [ "AND" ] not } ; not = [ "NOT" | "-" ] ( "(" or ")" | term )
//	term   = [ name ":" ] value ; value = word | '"' text '"' ; * and ? stand for any text and any one character
//
// Dates are YYYY-MM-DD, RFC 3339 or relative (today, yesterday, 7d), sizes bytes or with KB, MB, GB; both take >, >=, <, <= and from..to.
package query

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// Bounds of a search: what a person types is far below, and matching costs time for each item.
const (
	longest = 4096
	deepest = 64
)

// Error says what is wrong with a search, for the one who typed it.
type Error struct {
	At  int // character, from 0, where it was noticed
	Say string
}

func (e *Error) Error() string { return fmt.Sprintf("%s (at character %d)", e.Say, e.At+1) }

// Node is a part of a parsed search: And, Or, Not or Term.
type Node interface{ String() string }

// And matches what all of its parts match; it has two or more.
type And []Node

// Or matches what one of its parts matches; it has two or more.
type Or []Node

// Not matches what its part does not.
type Not struct{ Node Node }

// Term is one condition.
type Term struct {
	Field  Field  // empty: any text
	Text   string // as typed, without quotation marks
	Quoted bool   // * and ? in Text are themselves
	// Of dates (nanoseconds since 1970) and sizes (bytes).
	From, To Bound
	// Of yes and no.
	Yes bool
}

// Wild says that Text has wildcards.
func (t Term) Wild() bool { return !t.Quoted && strings.ContainsAny(t.Text, "*?") }

// Bound is one end of a range; the zero value is inclusive at zero.
type Bound struct {
	At   int64
	Open bool // there is no end on this side
	Over bool // At itself is outside
}

// Below says that v lies above b as a lower end.
func (b Bound) Below(v int64) bool { return b.Open || v > b.At || !b.Over && v == b.At }

// Above says that v lies below b as an upper end.
func (b Bound) Above(v int64) bool { return b.Open || v < b.At || !b.Over && v == b.At }

// Field is what a term is about.
type Field string

// The fields.
const (
	Any         Field = ""
	Subject     Field = "subject"
	From        Field = "from"
	To          Field = "to"
	Cc          Field = "cc"
	Author      Field = "author"
	People      Field = "people" // any of from, to, cc, author
	Body        Field = "body"
	Folder      Field = "folder"
	Mailbox     Field = "mailbox" // whose mailbox or drive
	Kind        Field = "kind"
	Class       Field = "class"
	Importance  Field = "importance"
	Category    Field = "category"
	Received    Field = "received"
	Sent        Field = "sent"
	Created     Field = "created"
	Modified    Field = "modified"
	Size        Field = "size"
	Attachments Field = "hasattachments"
	Read        Field = "isread"
	Flagged     Field = "isflagged"

	// Of events, contacts and tasks.
	Location  Field = "location"
	Start     Field = "start"
	End       Field = "end"
	Due       Field = "due"
	Status    Field = "status" // of a task, as Microsoft calls it: notStarted, inProgress, completed, waitingOnOthers, deferred
	Recurring Field = "isrecurring"
	Company   Field = "company"
	Phone     Field = "phone"
)

// Type is how a field's value is read.
type Type int

// The types.
const (
	Text Type = iota
	Date
	Bytes
	Bool
)

type named struct {
	field Field
	kind  Type
	also  []string
}

// fields are in the order in which an error lists them.
var fields = []named{
	{Subject, Text, []string{"name", "title", "filename"}},
	{From, Text, []string{"sender", "organizer"}},
	{To, Text, []string{"recipient", "attendee", "attendees", "email"}},
	{Cc, Text, nil},
	{Author, Text, nil},
	{People, Text, []string{"participants"}},
	{Body, Text, []string{"content"}},
	{Folder, Text, nil},
	{Mailbox, Text, []string{"owner", "user"}},
	{Received, Date, []string{"date"}},
	{Sent, Date, nil},
	{Modified, Date, nil},
	{Created, Date, nil},
	{Size, Bytes, nil},
	{Attachments, Bool, []string{"hasattachment"}},
	{Read, Bool, []string{"read"}},
	{Flagged, Bool, []string{"flagged"}},
	{Importance, Text, nil},
	{Category, Text, []string{"categories"}},
	{Class, Text, nil},
	{Kind, Text, nil},
	{Location, Text, []string{"place", "address"}},
	{Start, Date, []string{"starttime", "startdate"}},
	{End, Date, []string{"endtime"}},
	{Due, Date, []string{"duedate"}},
	{Status, Text, nil},
	{Recurring, Bool, []string{"recurring"}},
	{Company, Text, []string{"department", "jobtitle"}},
	{Phone, Text, []string{"mobile"}},
}

// TypeOf is how the values of f are read.
func TypeOf(f Field) Type {
	for _, n := range fields {
		if n.field == f {
			return n.kind
		}
	}
	return Text
}

// Rules say what a caller's searches may use.
type Rules struct {
	Without []Field        // fields that this caller can't search
	Now     time.Time      // what relative dates count from; zero: there are none
	Place   *time.Location // whose days they are; nil: UTC
}

// Parse reads a search. Its errors are *Error.
func (r Rules) Parse(text string) (Node, error) {
	n, err := r.parse(text)
	var e *Error
	if errors.As(err, &e) { // the parser counts bytes, who typed it counts characters
		return nil, &Error{utf8.RuneCountInString(text[:e.At]), e.Say}
	}
	return n, err
}

func (r Rules) parse(text string) (Node, error) {
	if len(text) > longest {
		return nil, &Error{longest, fmt.Sprintf("a search may have %d bytes", longest)}
	}
	if r.Place == nil {
		r.Place = time.UTC
	}
	p := &parser{rules: r, all: text, rest: text}
	n, err := p.or(0)
	if err != nil {
		return nil, err
	}
	if p.space(); p.rest != "" {
		return nil, p.fail("the search has a %q too many near %q", p.rest[:1], p.rest)
	}
	return n, nil
}

// Plain is a text without what the grammar takes for more than words: a search that always parses, or nothing.
func Plain(text string) string {
	words := strings.FieldsFunc(text, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsMark(r) && !unicode.IsDigit(r) })
	kept, size := words[:0], 0
	for _, w := range words {
		if size += len(w) + 1; size > longest {
			break
		}
		switch w {
		case "AND", "OR", "NOT":
			w = strings.ToLower(w)
		}
		kept = append(kept, w)
	}
	return strings.Join(kept, " ")
}

type parser struct {
	rules     Rules
	all, rest string
}

func (p *parser) fail(format string, args ...any) error { return p.failAt(p.at(), format, args...) }

func (p *parser) failAt(at int, format string, args ...any) error {
	return &Error{at, fmt.Sprintf(format, args...)}
}

func (p *parser) at() int { return len(p.all) - len(p.rest) }

func (p *parser) space() { p.rest = strings.TrimLeftFunc(p.rest, unicode.IsSpace) }

// atWord says whether the operator op comes next.
func (p *parser) atWord(op string) bool {
	p.space()
	after, ok := strings.CutPrefix(p.rest, op)
	if !ok {
		return false
	}
	r, _ := utf8.DecodeRuneInString(after)
	return after == "" || unicode.IsSpace(r) || r == '('
}

// word takes the operator op when it comes next.
func (p *parser) word(op string) bool {
	if !p.atWord(op) {
		return false
	}
	p.rest = p.rest[len(op):]
	return true
}

func (p *parser) or(depth int) (Node, error) {
	if depth > deepest {
		return nil, p.fail("the search has more than %d parentheses in each other", deepest)
	}
	first, err := p.and(depth)
	if err != nil {
		return nil, err
	}
	parts := Or{first}
	for p.word("OR") {
		next, err := p.and(depth)
		if err != nil {
			return nil, err
		}
		parts = append(parts, next)
	}
	if len(parts) == 1 {
		return first, nil
	}
	return parts, nil
}

func (p *parser) and(depth int) (Node, error) {
	first, err := p.not(depth)
	if err != nil {
		return nil, err
	}
	parts := And{first}
	for {
		explicit := p.word("AND")
		if p.space(); !explicit && (p.rest == "" || p.rest[0] == ')' || p.atWord("OR")) {
			break
		}
		next, err := p.not(depth)
		if err != nil {
			return nil, err
		}
		parts = append(parts, next)
	}
	if len(parts) == 1 {
		return first, nil
	}
	return parts, nil
}

func (p *parser) not(depth int) (Node, error) {
	negate := false
	for {
		if p.word("NOT") {
			negate = !negate
			continue
		}
		if p.space(); len(p.rest) > 1 && p.rest[0] == '-' {
			if r, _ := utf8.DecodeRuneInString(p.rest[1:]); !unicode.IsSpace(r) {
				p.rest = p.rest[1:]
				negate = !negate
				continue
			}
		}
		break
	}
	var n Node
	var err error
	if strings.HasPrefix(p.rest, "(") {
		p.rest = p.rest[1:]
		if n, err = p.or(depth + 1); err != nil {
			return nil, err
		}
		if p.space(); !strings.HasPrefix(p.rest, ")") {
			return nil, p.fail("the search lacks a closing parenthesis")
		}
		p.rest = p.rest[1:]
	} else if n, err = p.term(); err != nil {
		return nil, err
	}
	if negate {
		return Not{n}, nil
	}
	return n, nil
}

func (p *parser) term() (Node, error) {
	if p.rest == "" || p.rest[0] == ')' {
		return nil, p.fail("the search ends where a word is expected")
	}
	t := Term{}
	start := p.at()
	if end := strings.IndexAny(p.rest, ":\"() \t\r\n"); end > 0 && p.rest[end] == ':' {
		name := strings.ToLower(p.rest[:end])
		f, ok := p.field(name)
		if !ok {
			return nil, p.unknown(start, name)
		}
		t.Field, p.rest = f, p.rest[end+1:]
	}
	at := p.at()
	if err := p.value(&t); err != nil {
		return nil, err
	}
	switch TypeOf(t.Field) {
	case Bool:
		switch strings.ToLower(t.Text) {
		case "true", "yes", "1":
			t.Yes = true
		case "false", "no", "0":
		default:
			return nil, p.failAt(at, "%q in the search is neither true nor false", t.Text)
		}
	case Date:
		return p.ranged(t, at, p.date)
	case Bytes:
		return p.ranged(t, at, p.size)
	}
	return t, nil
}

func (p *parser) field(name string) (Field, bool) {
	for _, n := range fields {
		if (string(n.field) == name || slices.Contains(n.also, name)) && !slices.Contains(p.rules.Without, n.field) {
			return n.field, true
		}
	}
	return "", false
}

func (p *parser) unknown(at int, name string) error {
	var all []string
	best, distance := "", 3
	for _, n := range fields {
		if slices.Contains(p.rules.Without, n.field) {
			continue
		}
		all = append(all, string(n.field))
		for _, known := range append([]string{string(n.field)}, n.also...) {
			if d := edits(name, known); d < distance && d < len(known)/2+1 {
				best, distance = known, d
			}
		}
	}
	say := ""
	if best != "" {
		say = fmt.Sprintf("; did you mean %s?", best)
	}
	return p.failAt(at, "there is no field %q to search%s; there are %s; put a text with a colon in quotation marks", name, say, strings.Join(all, ", "))
}

// edits counts the letters to insert, delete, replace or swap to get from a to b; more than a few are not counted exactly.
func edits(a, b string) int {
	if len(a) > 40 {
		return len(a)
	}
	before, last, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			row[j] = min(last[j]+1, row[j-1]+1, last[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last, row = last, row, before
	}
	return last[len(b)]
}

func (p *parser) value(t *Term) error {
	if strings.HasPrefix(p.rest, `"`) {
		end := strings.IndexByte(p.rest[1:], '"')
		if end < 0 {
			return p.fail("the search lacks a closing quotation mark")
		}
		t.Text, p.rest, t.Quoted = p.rest[1:1+end], p.rest[end+2:], true
		return nil
	}
	end := strings.IndexFunc(p.rest, func(r rune) bool { return unicode.IsSpace(r) || r == ')' || r == '(' || r == '"' })
	if end < 0 {
		end = len(p.rest)
	}
	if end == 0 {
		return p.fail("the search has a field without a value")
	}
	t.Text, p.rest = p.rest[:end], p.rest[end:]
	return nil
}

// ranged reads >x, >=x, <x, <=x, x..y and x. parse gives the first and the last value that a text stands for (a day is a span).
func (p *parser) ranged(t Term, at int, parse func(at int, value string) (first, last int64, err error)) (Node, error) {
	t.From, t.To = Bound{Open: true}, Bound{Open: true}
	var err error
	if a, b, ok := strings.Cut(t.Text, ".."); ok {
		if a != "" && a != "*" {
			t.From = Bound{}
			if t.From.At, _, err = parse(at, a); err != nil {
				return nil, err
			}
		}
		if b != "" && b != "*" {
			t.To = Bound{}
			if _, t.To.At, err = parse(at+len(t.Text)-len(b), b); err != nil {
				return nil, err
			}
		}
		return t, nil
	}
	op, value := "", t.Text
	for _, o := range []string{">=", "<=", ">", "<", "="} {
		if rest, ok := strings.CutPrefix(value, o); ok {
			op, value = o, rest
			break
		}
	}
	first, last, err := parse(at+len(op), value)
	if err != nil {
		return nil, err
	}
	switch op {
	case ">=":
		t.From = Bound{At: first}
	case ">":
		t.From = Bound{At: last, Over: true}
	case "<=":
		t.To = Bound{At: last}
	case "<":
		t.To = Bound{At: first, Over: true}
	default:
		t.From, t.To = Bound{At: first}, Bound{At: last}
	}
	return t, nil
}

func (p *parser) date(at int, value string) (first, last int64, err error) {
	if first, last, ok := p.relative(strings.ToLower(value)); ok {
		return first, last, nil
	}
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04:05", "2006-01-02T15:04", "2006-01-02", "2006-01", "2006"} {
		t, err := time.ParseInLocation(layout, strings.ToUpper(value), p.rules.Place)
		if err != nil {
			continue
		}
		end := t.Add(time.Second)
		switch layout {
		case "2006":
			end = t.AddDate(1, 0, 0)
		case "2006-01":
			end = t.AddDate(0, 1, 0)
		case "2006-01-02":
			end = t.AddDate(0, 0, 1)
		case "2006-01-02T15:04":
			end = t.Add(time.Minute)
		}
		if y := t.Year(); y < 1678 || y > 2261 {
			return 0, 0, p.failAt(at, "%q in the search is out of range", value)
		}
		return t.UnixNano(), end.UnixNano() - 1, nil
	}
	return 0, 0, p.failAt(at, "%q in the search is not a date such as 2026-03-01, 2026-03, today, yesterday or 7d (the last seven days)", value)
}

// relative reads a date that counts from now: a day, or the days (d), weeks (w), months (m), years (y) up to now.
func (p *parser) relative(value string) (first, last int64, ok bool) {
	if p.rules.Now.IsZero() {
		return 0, 0, false
	}
	now := p.rules.Now.In(p.rules.Place)
	y, m, d := now.Date()
	day := func(n int) time.Time { return time.Date(y, m, d+n, 0, 0, 0, 0, p.rules.Place) }
	switch value {
	case "today":
		return day(0).UnixNano(), day(1).UnixNano() - 1, true
	case "yesterday":
		return day(-1).UnixNano(), day(0).UnixNano() - 1, true
	}
	if len(value) < 2 {
		return 0, 0, false
	}
	n, err := strconv.ParseUint(value[:len(value)-1], 10, 16)
	if err != nil || n == 0 {
		return 0, 0, false
	}
	var from time.Time
	switch value[len(value)-1] {
	case 'd':
		from = day(-int(n))
	case 'w':
		from = day(-7 * int(n))
	case 'm':
		from = time.Date(y, m-time.Month(n), d, 0, 0, 0, 0, p.rules.Place)
	case 'y':
		from = time.Date(y-int(n), m, d, 0, 0, 0, 0, p.rules.Place)
	default:
		return 0, 0, false
	}
	if from.Year() < 1678 {
		return 0, 0, false
	}
	return from.UnixNano(), now.UnixNano(), true
}

func (p *parser) size(at int, value string) (first, last int64, err error) {
	number := strings.ToUpper(value)
	unit := int64(1)
	for suffix, u := range map[string]int64{"KB": 1 << 10, "MB": 1 << 20, "GB": 1 << 30} {
		if n, ok := strings.CutSuffix(number, suffix); ok {
			number, unit = n, u
		}
	}
	n, err := strconv.ParseFloat(number, 64)
	if err != nil || !(n >= 0 && n*float64(unit) < 1<<62) {
		return 0, 0, p.failAt(at, "%q in the search is not a size such as 100KB", value)
	}
	size := int64(n * float64(unit))
	return size, size, nil
}

// String writes a search that parses to the same.
func (a And) String() string { return joined(a, " ") }

// String writes a search that parses to the same.
func (o Or) String() string { return joined(o, " OR ") }

// String writes a search that parses to the same.
func (n Not) String() string { return "NOT (" + n.Node.String() + ")" }

// String writes a search that parses to the same.
func (t Term) String() string {
	text := t.Text
	if t.Quoted {
		text = `"` + text + `"`
	}
	if t.Field == Any {
		if t.Quoted {
			return text
		}
		if text == "-" {
			text = "- "
		}
		return "(" + text + ")" // a word may be one of the operators where it stands alone
	}
	return string(t.Field) + ":" + text
}

func joined(parts []Node, by string) string {
	all := make([]string, len(parts))
	for i, p := range parts {
		all[i] = "(" + p.String() + ")"
	}
	return strings.Join(all, by)
}

// Words gives the texts that a search looks for and does not exclude, for showing where they stand in what was found.
func Words(n Node) []Term {
	switch n := n.(type) {
	case And:
		return words(n)
	case Or:
		return words(n)
	case Term:
		if TypeOf(n.Field) == Text {
			return []Term{n}
		}
	}
	return nil
}

func words(parts []Node) []Term {
	var all []Term
	for _, p := range parts {
		all = append(all, Words(p)...)
	}
	return all
}

// Glob says whether a pattern with * for any text and ? for any one character is all of s. It goes one step back to the last star, so its cost is at most the product of the lengths.
func Glob(pattern, s []rune) bool {
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
