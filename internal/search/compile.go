package search

import (
	"fmt"
	"slices"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"holdfast/internal/holdfast"
	"holdfast/internal/query"
)

// compiled is a search as SQL over docs d and versions v.
type compiled struct {
	match string // the expression that leads the search; empty: none does
	where []string
	args  []any
	low   int64 // bounds of the documents' numbers, included
	high  int64
}

// compiler turns a search into SQL. What FTS5 can answer goes to it in one piece as far as possible.
type compiler struct {
	expand     func(pattern string) ([]string, error) // the words of the index that match a pattern; too many is an error
	containers []container
	args       []any
}

var columns = map[query.Field]string{
	query.Any: "", query.Subject: "name", query.From: "sender", query.Author: "sender", query.To: "recipients", query.Cc: "cc", query.People: "sender recipients cc", query.Body: "body",
}

func (c *compiler) compile(n query.Node) (compiled, error) {
	out := compiled{low: -1 << 63, high: 1<<63 - 1}
	if n == nil {
		return out, nil
	}
	parts := []query.Node{n}
	if and, ok := n.(query.And); ok {
		parts = and
	}
	var with, without []string
	for _, p := range parts {
		if t, ok := p.(query.Term); ok && t.Field == query.Received {
			out.narrow(t)
		}
		inner, negated := p, false
		if not, ok := p.(query.Not); ok {
			inner, negated = not.Node, true
		}
		e, ok, err := c.fts(inner)
		if err != nil {
			return out, err
		}
		switch {
		case ok && negated:
			without = append(without, e)
		case ok:
			with = append(with, e)
		default:
			s, err := c.sql(p)
			if err != nil {
				return out, err
			}
			out.where = append(out.where, s)
		}
	}
	switch {
	case len(with) > 0:
		out.match = "(" + strings.Join(with, ") AND (") + ")"
		if len(without) > 0 {
			out.match = "(" + out.match + ") NOT ((" + strings.Join(without, ") OR (") + "))"
		}
	case len(without) > 0:
		out.where = append(out.where, "NOT d.id IN (SELECT rowid FROM words WHERE words MATCH ?)")
		c.args = append(c.args, "("+strings.Join(without, ") OR (")+")")
	}
	out.args = c.args
	return out, nil
}

// narrow takes a range of dates into the bounds of numbers; the condition itself is exact.
func (o *compiled) narrow(t query.Term) {
	const second = 1_000_000_000
	if !t.From.Open {
		if s := t.From.At / second; s > 0 { // what lies before 1970 is numbered as if it were then
			o.low = max(o.low, s<<22)
		}
	}
	if !t.To.Open {
		o.high = min(o.high, (max(t.To.At/second, 0)+1)<<22)
	}
}

// fts gives an expression for FTS5; ok is false when it can't answer n.
func (c *compiler) fts(n query.Node) (e string, ok bool, err error) {
	switch n := n.(type) {
	case query.Term:
		column, ok := columns[n.Field]
		if !ok {
			return "", false, nil
		}
		e, ok, err := c.words(n)
		if !ok || err != nil {
			return "", false, err
		}
		if column != "" {
			e = "{" + column + "} : (" + e + ")"
		}
		return e, true, nil
	case query.Or:
		return c.ftsAll(n, " OR ")
	case query.And:
		return c.ftsAll(n, " AND ")
	}
	return "", false, nil
}

func (c *compiler) ftsAll(parts []query.Node, by string) (string, bool, error) {
	all := make([]string, len(parts))
	for i, p := range parts {
		e, ok, err := c.fts(p)
		if !ok || err != nil {
			return "", false, err
		}
		all[i] = "(" + e + ")"
	}
	return strings.Join(all, by), true, nil
}

// words turns a text into an expression; ok is false when nothing can match it.
func (c *compiler) words(t query.Term) (e string, ok bool, err error) {
	parts := wordsOf(t.Text, t.Wild())
	if len(parts) == 0 {
		return "", false, holdfast.Invalid("%q in the search has no letter or digit to look for", t.Text)
	}
	plain := true // words one after the other, the last one perhaps only begun
	for i, p := range parts {
		if at := strings.IndexAny(p, "*?"); at >= 0 && !(i == len(parts)-1 && at == len(p)-1 && p[at] == '*') {
			plain = false
		}
	}
	if plain {
		if last, begun := strings.CutSuffix(parts[len(parts)-1], "*"); begun && t.Wild() {
			parts[len(parts)-1] = last
			return `"` + strings.Join(parts, " ") + `"*`, true, nil
		}
		return `"` + strings.Join(parts, " ") + `"`, true, nil
	}
	all := make([]string, len(parts))
	for i, p := range parts {
		if !strings.ContainsAny(p, "*?") {
			all[i] = `"` + p + `"`
			continue
		}
		found, err := c.expand(Fold(p))
		if err != nil {
			return "", false, err
		} else if len(found) == 0 {
			return "", false, nil
		}
		all[i] = `("` + strings.Join(found, `" OR "`) + `")`
	}
	return strings.Join(all, " AND "), true, nil
}

// wordsOf cuts a text into words as the index does. With wild, * and ? stay in them; words of nothing else are left out.
func wordsOf(s string, wild bool) []string {
	parts := strings.FieldsFunc(s, func(r rune) bool {
		return !unicode.In(r, unicode.L, unicode.N, unicode.Co, unicode.M) && !(wild && (r == '*' || r == '?'))
	})
	return slices.DeleteFunc(parts, func(p string) bool {
		return !strings.ContainsFunc(p, func(r rune) bool { return r != '*' && r != '?' && !unicode.Is(unicode.M, r) })
	})
}

// Fold makes a word comparable: small letters without marks.
func Fold(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.Is(unicode.Mn, r) {
			return -1
		}
		return unicode.ToLower(r)
	}, norm.NFD.String(s))
}

// sql gives a condition; its arguments are appended in order.
func (c *compiler) sql(n query.Node) (string, error) {
	e, ok, err := c.fts(n)
	if err != nil {
		return "", err
	} else if ok {
		c.args = append(c.args, e)
		return "d.id IN (SELECT rowid FROM words WHERE words MATCH ?)", nil
	}
	switch n := n.(type) {
	case query.And:
		return c.sqlAll(n, " AND ")
	case query.Or:
		return c.sqlAll(n, " OR ")
	case query.Not:
		s, err := c.sql(n.Node)
		return "NOT (" + s + ")", err
	case query.Term:
		return c.term(n)
	}
	return "", fmt.Errorf("a search has a %T", n)
}

func (c *compiler) sqlAll(parts []query.Node, by string) (string, error) {
	all := make([]string, len(parts))
	for i, p := range parts {
		s, err := c.sql(p)
		if err != nil {
			return "", err
		}
		all[i] = "(" + s + ")"
	}
	return strings.Join(all, by), nil
}

var kinds = []holdfast.ItemKind{holdfast.KindMail, holdfast.KindFile, holdfast.KindFolder}

func (c *compiler) term(t query.Term) (string, error) {
	marked := func(mark int) string {
		if t.Yes {
			return fmt.Sprintf("v.marks & %d <> 0", mark)
		}
		return fmt.Sprintf("v.marks & %d = 0", mark)
	}
	switch t.Field {
	case query.Read:
		return marked(markRead), nil
	case query.Flagged:
		return marked(markFlagged), nil
	case query.Attachments:
		return marked(markAttached), nil
	case query.Size:
		return c.between("d.size", t), nil
	case query.Received:
		return "d.kind = 'mail' AND " + c.between("d.time", t), nil
	case query.Sent:
		return "d.sent IS NOT NULL AND " + c.between("d.sent", t), nil
	case query.Created:
		return "d.created IS NOT NULL AND " + c.between("d.created", t), nil
	case query.Modified:
		return "d.modified IS NOT NULL AND " + c.between("d.modified", t), nil
	case query.Kind:
		var in []string
		for _, k := range kinds {
			if likes(t, string(k)) {
				in = append(in, "'"+string(k)+"'")
			}
		}
		return "d.kind IN (" + strings.Join(in, ",") + ")", nil
	case query.Importance:
		var in []string
		for name, s := range map[string]string{"high": fmt.Sprintf("v.marks & %d <> 0", markHigh), "low": fmt.Sprintf("v.marks & %d <> 0", markLow), "normal": fmt.Sprintf("(v.marks & %d = 0 AND d.kind = 'mail')", markHigh|markLow)} {
			if likes(t, name) {
				in = append(in, s)
			}
		}
		if len(in) == 0 {
			return "0", nil
		}
		return strings.Join(in, " OR "), nil
	case query.Class:
		c.args = append(c.args, like(t))
		return `d.class LIKE ? ESCAPE '\'`, nil
	case query.Category:
		c.args = append(c.args, like(t))
		// A null or garbled list is none.
		return `EXISTS(SELECT 1 FROM json_each(CASE WHEN json_valid(v.categories) THEN v.categories ELSE '[]' END) WHERE value LIKE ? ESCAPE '\')`, nil
	case query.Mailbox:
		var in []string
		for _, b := range c.containers {
			if likes(t, b.Name) || likes(t, b.Address) {
				in = append(in, fmt.Sprint(b.id))
			}
		}
		return "v.container IN (" + strings.Join(in, ",") + ")", nil
	case query.Folder:
		e, ok, err := c.words(t)
		if !ok || err != nil {
			return "0", err
		}
		c.args = append(c.args, "{name} : ("+e+")")
		return `v.folder IN (SELECT f.id FROM words w2 CROSS JOIN docs d2 ON d2.id = w2.rowid AND d2.kind = 'folder' CROSS JOIN folders f ON f.container = d2.container AND f.item = d2.item
			WHERE words MATCH ?)`, nil
	}
	return "0", nil // a text in which no word of the index matches
}

func (c *compiler) between(column string, t query.Term) string {
	parts := []string{"1"}
	for _, b := range []struct {
		query.Bound
		with, without string
	}{{t.From, ">=", ">"}, {t.To, "<=", "<"}} {
		if b.Open {
			continue
		}
		op := b.with
		if b.Over {
			op = b.without
		}
		parts = append(parts, fmt.Sprintf("%s %s %d", column, op, b.At))
	}
	return strings.Join(parts, " AND ")
}

// likes says whether a value has the text of t in it or, with wildcards, is as t says.
func likes(t query.Term, value string) bool {
	pattern, value := strings.ToLower(t.Text), strings.ToLower(value)
	if !t.Wild() {
		return strings.Contains(value, pattern)
	}
	return query.Glob([]rune(pattern), []rune(value))
}

// like is the pattern of LIKE that says the same.
func like(t query.Term) string {
	s := strings.NewReplacer(`\`, `\\`, "%", `\%`, "_", `\_`).Replace(t.Text)
	if !t.Wild() {
		return "%" + s + "%"
	}
	return strings.NewReplacer("*", "%", "?", "_").Replace(s)
}
