package explorer

import (
	"encoding/json"
	"slices"
	"strings"
	"time"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"holdfast/internal/holdfast"
	"holdfast/internal/query"
)

// matcher says whether an item is what was searched for.
type matcher func(item *holdfast.Item) bool

// parseSearch turns what a user typed into a matcher. Its errors are for the user.
// There are no relative dates: what was found is kept by the text of the search.
func parseSearch(text string) (matcher, error) {
	n, err := query.Rules{Without: []query.Field{query.Body, query.Folder, query.Mailbox}}.Parse(text)
	if err != nil {
		return nil, holdfast.Invalid("%w", err)
	}
	return matching(n), nil
}

func matching(n query.Node) matcher {
	switch n := n.(type) {
	case query.And:
		parts := each(n)
		return func(i *holdfast.Item) bool {
			return !slices.ContainsFunc(parts, func(m matcher) bool { return !m(i) })
		}
	case query.Or:
		parts := each(n)
		return func(i *holdfast.Item) bool {
			return slices.ContainsFunc(parts, func(m matcher) bool { return m(i) })
		}
	case query.Not:
		m := matching(n.Node)
		return func(i *holdfast.Item) bool { return !m(i) }
	case query.Term:
		return term(n)
	}
	return func(*holdfast.Item) bool { return false }
}

func each(parts []query.Node) []matcher {
	all := make([]matcher, len(parts))
	for i, p := range parts {
		all[i] = matching(p)
	}
	return all
}

// textFields are where the fields that are text stand; the name is under "".
var textFields = map[query.Field][]string{
	query.Any:     {"", holdfast.FieldFrom, holdfast.FieldTo, holdfast.FieldCc},
	query.Subject: {""},
	query.From:    {holdfast.FieldFrom},
	query.To:      {holdfast.FieldTo},
	query.Cc:      {holdfast.FieldCc},
	query.Author:  {holdfast.FieldAuthor},
	query.People:  {holdfast.FieldFrom, holdfast.FieldTo, holdfast.FieldCc, holdfast.FieldAuthor},
	query.Class:   {holdfast.FieldClass},
	// Of addresses of contacts nothing is in a list.
	query.Location: {holdfast.FieldLocation},
	query.Status:   {holdfast.FieldStatus},
	query.Company:  {holdfast.FieldCompany, holdfast.FieldTitle},
	query.Phone:    {holdfast.FieldPhone, holdfast.FieldMobile, holdfast.FieldHome},
}

func term(t query.Term) matcher {
	switch query.TypeOf(t.Field) {
	case query.Bool:
		return func(i *holdfast.Item) bool {
			is := false
			switch t.Field {
			case query.Attachments:
				is = i.Fields[holdfast.FieldAttached] == "true"
			case query.Read:
				is = i.Fields[holdfast.FieldRead] == "true"
			case query.Flagged:
				is = i.Fields[holdfast.FieldFlag] == "flagged"
			case query.Recurring:
				if i.Kind != holdfast.KindEvent {
					return false
				}
				is = i.Fields[holdfast.FieldRecurring] != ""
			}
			return is == t.Yes
		}
	case query.Bytes:
		return func(i *holdfast.Item) bool { return t.From.Below(i.Size) && t.To.Above(i.Size) }
	case query.Date:
		return func(i *holdfast.Item) bool {
			at, ok := dateOf(i, t.Field)
			return ok && t.From.Below(at.UnixNano()) && t.To.Above(at.UnixNano())
		}
	}
	m := textMatcher(t.Text, t.Quoted)
	switch t.Field {
	case query.Kind:
		return func(i *holdfast.Item) bool { return m(string(i.Kind)) }
	case query.Importance:
		return func(i *holdfast.Item) bool {
			v := i.Fields[holdfast.FieldImportance]
			if v == "" && i.Kind == holdfast.KindMail {
				v = "normal"
			}
			return m(v)
		}
	case query.Category:
		return func(i *holdfast.Item) bool {
			var all []string
			return json.Unmarshal([]byte(i.Fields[holdfast.FieldCategories]), &all) == nil && slices.ContainsFunc(all, m)
		}
	}
	in := textFields[t.Field]
	return func(i *holdfast.Item) bool {
		for _, key := range in {
			if key == "" && m(i.Name) || key != "" && m(i.Fields[key]) {
				return true
			}
		}
		return false
	}
}

func dateOf(i *holdfast.Item, f query.Field) (time.Time, bool) {
	key := ""
	switch f {
	case query.Received:
		return i.Time, i.Kind == holdfast.KindMail
	case query.Sent:
		key = holdfast.FieldSent
	case query.Created:
		key = holdfast.FieldCreated
	case query.Modified:
		key = holdfast.FieldModified
	case query.Start:
		key = holdfast.FieldStart
	case query.End:
		key = holdfast.FieldEnd
	case query.Due:
		key = holdfast.FieldDue
	}
	t, err := time.Parse(time.RFC3339, i.Fields[key])
	return t, err == nil
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
		if query.Glob(pattern, []rune(s)) {
			return true
		}
		for _, w := range strings.FieldsFunc(s, func(r rune) bool { return unicode.IsSpace(r) || strings.ContainsRune(`,;<>()"`, r) }) {
			if query.Glob(pattern, []rune(w)) {
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
