package card

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"unicode"
)

// hidden are members that tell a person nothing.
var hidden = []string{"id", "changeKey", "parentFolderId", "webLink", "iCalUId", "seriesMasterId", "bodyPreview", "uniqueId", "uniqueIdType", "singleValueExtendedProperties",
	"primaryEmailAddress", "secondaryEmailAddress", "tertiaryEmailAddress", "cancelledOccurrences", "transactionId"}

// order is what comes first.
var order = []string{"subject", "title", "displayName", "start", "end", "originalStartTimeZone", "location", "organizer", "attendees", "status", "dueDateTime", "companyName", "jobTitle", "emailAddresses"}

// Text shows a contact, an event or a task as lines of "name: value", what says something and no more.
func Text(raw []byte) (string, error) {
	var m map[string]any
	if err := json.Unmarshal(raw, &m); err != nil {
		return "", fmt.Errorf("stored item: %w", err)
	}
	var b strings.Builder
	lines(&b, m, "")
	if body, _ := m["body"].(map[string]any); body != nil {
		kind, _ := body["contentType"].(string)
		content, _ := body["content"].(string)
		if text := plain(kind, content); text != "" {
			b.WriteString("\n" + text + "\n")
		}
	}
	return b.String(), nil
}

func lines(b *strings.Builder, m map[string]any, indent string) {
	names := make([]string, 0, len(m))
	for name := range m {
		if !strings.Contains(name, "@") && !slices.Contains(hidden, name) && !(name == "body" && indent == "") {
			names = append(names, name)
		}
	}
	rank := func(name string) int {
		if i := slices.Index(order, name); i >= 0 {
			return i
		}
		return len(order)
	}
	slices.SortFunc(names, func(x, y string) int {
		if n := rank(x) - rank(y); n != 0 {
			return n
		}
		return strings.Compare(x, y)
	})
	for _, name := range names {
		if text, short := inline(m[name]); short {
			if text != "" {
				fmt.Fprintf(b, "%s%s: %s\n", indent, words(name), text)
			}
			continue
		}
		fmt.Fprintf(b, "%s%s:\n", indent, words(name))
		switch v := m[name].(type) {
		case map[string]any:
			lines(b, v, indent+"  ")
		case []any:
			for _, x := range v {
				if text, short := inline(x); short {
					if text != "" {
						fmt.Fprintf(b, "%s  - %s\n", indent, text)
					}
				} else if x, ok := x.(map[string]any); ok {
					fmt.Fprintf(b, "%s  -\n", indent)
					lines(b, x, indent+"    ")
				}
			}
		}
	}
}

// inline is a value that fits on a line; false when it is more than that.
func inline(v any) (string, bool) {
	switch v := v.(type) {
	case nil:
		return "", true
	case string:
		if strings.HasPrefix(v, "0001-01-01") {
			return "", true
		}
		return strings.TrimSpace(v), true
	case bool:
		return map[bool]string{true: "yes", false: "no"}[v], true
	case float64:
		return fmt.Sprint(v), true
	case []any:
		var all []string
		for _, x := range v {
			text, short := inline(x)
			if _, nested := x.(map[string]any); nested || !short {
				return "", len(v) == 0
			}
			all = append(all, text)
		}
		return strings.Join(all, ", "), true
	case map[string]any:
		if e, ok := v["emailAddress"].(map[string]any); ok && len(v) == 1 {
			return inline(e)
		}
		text := func(name string) string { s, _ := v[name].(string); return s }
		switch {
		case v["address"] != nil && len(v) <= 2:
			return strings.TrimSpace(text("name") + " <" + text("address") + ">"), true
		case v["dateTime"] != nil && len(v) <= 2:
			return strings.TrimSuffix(strings.Replace(text("dateTime"), "T", " ", 1), ":00.0000000") + " " + text("timeZone"), true
		}
		return "", len(v) == 0
	}
	return "", true
}

// words writes a name as people do: "jobTitle" is "job title".
func words(name string) string {
	var b strings.Builder
	for i, r := range name {
		if unicode.IsUpper(r) && i > 0 {
			b.WriteByte(' ')
		}
		b.WriteRune(unicode.ToLower(r))
	}
	return b.String()
}
