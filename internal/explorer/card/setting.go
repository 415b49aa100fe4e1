package card

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode"

	"holdfast/internal/holdfast"
)

// SettingCard shows what a mailbox is set to, a rule, the categories or the permissions of a calendar as lines of name and value. Its text is the automatic
// reply to colleagues, if there is one; that to others is a line.
func SettingCard(raw []byte) (*holdfast.RowCard, Body, error) {
	var m map[string]any
	if err := json.Unmarshal(raw, &m); err != nil {
		return nil, Body{}, fmt.Errorf("stored setting: %w", err)
	}
	s := settingLines{}
	if list, ok := m["value"].([]any); ok && len(m) == 1 {
		for _, x := range some(list) {
			s.row(x)
		}
	} else {
		s.members(m, "", 0)
	}
	return &holdfast.RowCard{Values: some(s.values)}, s.body, nil
}

type settingLines struct {
	values []holdfast.ColumnValue
	body   Body
}

func (s *settingLines) line(name, title, value string) {
	if value != "" {
		s.values = append(s.values, holdfast.ColumnValue{ListColumn: holdfast.ListColumn{Name: name, Title: title, Kind: "text"}, Value: value})
	}
}

// row is a category with its colour or a person with his role.
func (s *settingLines) row(x any) {
	m, _ := x.(map[string]any)
	if name, ok := m["displayName"].(string); ok {
		s.line(name, name, textOf(m["color"]))
		return
	}
	who := textOf(m["emailAddress"])
	s.line(who, who, textOf(m["role"]))
}

const deepestSetting = 6

func (s *settingLines) members(m map[string]any, above string, depth int) {
	for _, name := range slices.Sorted(maps.Keys(m)) {
		if strings.Contains(name, "@") || name == "id" || name == "archiveFolder" {
			continue
		}
		path, title := name, words(name)
		if above != "" {
			path, title = above+"."+name, words(above)+": "+words(name)
		}
		switch v := m[name].(type) {
		case map[string]any:
			if text := textOf(v); text != "" {
				s.line(path, title, text)
			} else if depth < deepestSetting {
				s.members(v, name, depth+1)
			}
		case string:
			if name == "internalReplyMessage" && v != "" {
				s.body = Body{Text: v, HTML: true}
				continue
			}
			if name == "externalReplyMessage" {
				v = plain("html", v)
			}
			s.line(path, title, v)
		default:
			s.line(path, title, textOf(v))
		}
	}
}

// textOf is a value that fits on a line, or nothing.
func textOf(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case bool:
		return map[bool]string{true: "yes", false: "no"}[v]
	case float64:
		return fmt.Sprint(v)
	case []any:
		all := make([]string, 0, len(v))
		for _, x := range some(v) {
			if text := textOf(x); text != "" {
				all = append(all, text)
			}
		}
		return strings.Join(all, "; ")
	case map[string]any:
		text := func(name string) string { s, _ := v[name].(string); return s }
		switch {
		case v["emailAddress"] != nil:
			return textOf(v["emailAddress"])
		case v["address"] != nil:
			return strings.TrimSpace(text("name") + " <" + text("address") + ">")
		case v["dateTime"] != nil:
			return strings.TrimSuffix(strings.Replace(text("dateTime"), "T", " ", 1), ":00.0000000") + " " + text("timeZone")
		case v["locale"] != nil:
			return text("locale")
		case v["name"] != nil:
			return text("name")
		}
	}
	return ""
}

// words writes a name as people do: "workingHours" is "working hours".
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
