package search

import (
	"encoding/json"
	"fmt"
	"strings"

	"holdfast/internal/holdfast"
	"holdfast/internal/query"
)

// compiled is a search: a condition on words, and others as SQL over docs d and versions v.
type compiled struct {
	match matcher // what leads the search; nil: every document does
	where []string
	args  []any // a leaf stands for those of the documents in question that meet it
	low   int64 // bounds of the documents' numbers, included
	high  int64
}

// leaf is a condition on words in the midst of SQL.
type leaf struct{ matcher }

// compiler turns a search into what the index can answer. Words go to the runs in one piece as far as possible.
type compiler struct {
	folders    func(m matcher) ([]int64, error) // those whose names meet a condition
	containers []container
	args       []any
}

var columns = map[query.Field]uint{
	query.Any: everywhere, query.Subject: 1 << columnName, query.From: 1 << columnSender, query.Author: 1 << columnSender, query.To: 1 << columnRecipients,
	query.Cc: 1 << columnCc, query.People: 1<<columnSender | 1<<columnRecipients | 1<<columnCc, query.Body: 1 << columnBody,
	query.Location: 1 << columnPlace, query.Company: 1 << columnCompany, query.Phone: 1 << columnPhone,
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
	var match allOf
	for _, p := range parts {
		if t, ok := p.(query.Term); ok && t.Field == query.Received {
			out.narrow(t)
		}
		m, ok, err := c.words(p)
		if err != nil {
			return out, err
		} else if ok {
			match = append(match, m)
			continue
		}
		s, err := c.sql(p)
		if err != nil {
			return out, err
		}
		out.where = append(out.where, s)
	}
	if len(match) > 0 {
		out.match = match
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

// words gives a condition on words; ok is false when n is about other things too.
func (c *compiler) words(n query.Node) (m matcher, ok bool, err error) {
	switch n := n.(type) {
	case query.Term:
		columns, ok := columns[n.Field]
		if !ok {
			return nil, false, nil
		}
		m, err := condition(n, columns)
		return m, true, err
	case query.Not:
		m, ok, err := c.words(n.Node)
		return noneOf{m}, ok, err
	case query.Or:
		all, ok, err := c.allWords(n)
		return anyOf(all), ok, err
	case query.And:
		all, ok, err := c.allWords(n)
		return allOf(all), ok, err
	}
	return nil, false, nil
}

func (c *compiler) allWords(parts []query.Node) (all []matcher, ok bool, err error) {
	for _, p := range parts {
		m, ok, err := c.words(p)
		if !ok || err != nil {
			return nil, false, err
		}
		all = append(all, m)
	}
	return all, true, nil
}

// condition turns the text of a term into a condition.
func condition(t query.Term, columns uint) (matcher, error) {
	var parts []string
	if t.Wild() {
		parts = patternsOf(t.Text)
	} else {
		parts = wordsOf(t.Text)
	}
	if len(parts) == 0 {
		return nil, holdfast.Invalid("%q in the search has no letter or digit to look for", t.Text)
	}
	last := len(parts) - 1
	plain := true // words one after the other, the last one perhaps only begun
	for i, p := range parts {
		if at := strings.IndexAny(p, "*?"); at >= 0 && !(i == last && at == len(p)-1 && p[at] == '*') {
			plain = false
		}
	}
	if plain {
		var begun bool
		parts[last], begun = strings.CutSuffix(parts[last], "*")
		return phrase{parts, begun, columns}, nil
	}
	var all allOf
	for _, p := range parts {
		if strings.ContainsAny(p, "*?") {
			all = append(all, pattern{p, columns})
		} else {
			all = append(all, phrase{words: []string{p}, columns: columns})
		}
	}
	return all, nil
}

// sql gives a condition; its arguments are appended in order.
func (c *compiler) sql(n query.Node) (string, error) {
	m, ok, err := c.words(n)
	if err != nil {
		return "", err
	} else if ok {
		c.args = append(c.args, leaf{m})
		return "d.id IN (SELECT value FROM json_each(?))", nil
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

var kinds = []holdfast.ItemKind{holdfast.KindMail, holdfast.KindFile, holdfast.KindFolder, holdfast.KindContact, holdfast.KindEvent, holdfast.KindTask, holdfast.KindSetting,
	holdfast.KindListItem, holdfast.KindPage, holdfast.KindPost, holdfast.KindTab}

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
		return "d.kind IN ('mail', 'post') AND " + c.between("d.time", t), nil
	case query.Sent:
		return "d.sent IS NOT NULL AND " + c.between("d.sent", t), nil
	case query.Created:
		return "d.created IS NOT NULL AND " + c.between("d.created", t), nil
	case query.Modified:
		return "d.modified IS NOT NULL AND " + c.between("d.modified", t), nil
	case query.Start:
		return "d.start IS NOT NULL AND " + c.between("d.start", t), nil
	case query.End:
		return "d.ending IS NOT NULL AND " + c.between("d.ending", t), nil
	case query.Due:
		return "d.due IS NOT NULL AND " + c.between("d.due", t), nil
	case query.Recurring:
		if t.Yes {
			return marked(markRecurring), nil
		}
		return "d.kind = 'event' AND " + marked(markRecurring), nil
	case query.Status:
		c.args = append(c.args, like(t))
		return `d.status <> '' AND d.status LIKE ? ESCAPE '\'`, nil
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
		m, err := condition(t, 1<<columnName)
		if err != nil {
			return "", err
		}
		in, err := c.folders(m)
		if err != nil {
			return "", err
		}
		raw, err := json.Marshal(in)
		c.args = append(c.args, string(raw))
		return "v.folder IN (SELECT value FROM json_each(?))", err
	}
	return "", fmt.Errorf("a search has a condition on %q", t.Field)
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
