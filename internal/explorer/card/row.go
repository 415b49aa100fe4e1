package card

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"holdfast/internal/holdfast"
)

// Columns are the columns of a list that people see, with what it takes to read their values.
type Columns []column

type column struct {
	holdfast.ListColumn
	many bool   // of a person or lookup: several
	list string // of a lookup: the id of its list
}

// Shown are the columns as people see them.
func (c Columns) Shown() []holdfast.ListColumn {
	out := make([]holdfast.ListColumn, len(c))
	for i := range c {
		out[i] = c[i].ListColumn
	}
	return out
}

// served are columns that the service keeps for itself or that are another's value once more.
var served = []string{"ContentType", "Attachments", "_UIVersionString", "Edit", "LinkTitle", "LinkTitleNoMenu", "DocIcon", "ItemChildCount", "FolderChildCount", "_ComplianceFlags", "_ComplianceTag",
	"_ComplianceTagWrittenTime", "_ComplianceTagUserId", "_IsRecord", "AppAuthor", "AppEditor", "ComplianceAssetId", "_ColorTag", "Author", "Editor", "Created", "Modified", "ID"}

// ColumnsOf reads the columns out of a list's JSON; what nobody sees and what every item tells anyway (its times and who changed it) is left out.
func ColumnsOf(list []byte) (Columns, error) {
	var in struct {
		Columns []struct {
			Name, DisplayName                                                                                         string
			Hidden, ReadOnly                                                                                          bool
			Text                                                                                                      *struct{ AllowMultipleLines bool }
			Number, Currency, DateTime, Boolean, Choice, HyperlinkOrPicture, Calculated, Geolocation, Term, Thumbnail *struct{}
			PersonOrGroup                                                                                             *struct{ AllowMultipleSelection bool }
			Lookup                                                                                                    *struct {
				AllowMultipleValues bool
				ListID              string
			}
		}
	}
	if err := json.Unmarshal(list, &in); err != nil {
		return nil, fmt.Errorf("stored list: %w", err)
	}
	var out Columns
	for _, c := range in.Columns {
		if c.Hidden || slices.Contains(served, c.Name) || c.ReadOnly && c.Calculated == nil {
			continue
		}
		x := column{ListColumn: holdfast.ListColumn{Name: c.Name, Title: c.DisplayName, Kind: "other"}}
		if x.Title == "" {
			x.Title = c.Name
		}
		switch {
		case c.Text != nil && c.Text.AllowMultipleLines:
			x.Kind = "note"
		case c.Text != nil:
			x.Kind = "text"
		case c.Number != nil:
			x.Kind = "number"
		case c.Currency != nil:
			x.Kind = "currency"
		case c.DateTime != nil:
			x.Kind = "dateTime"
		case c.Boolean != nil:
			x.Kind = "boolean"
		case c.Choice != nil:
			x.Kind = "choice"
		case c.PersonOrGroup != nil:
			x.Kind, x.many = "person", c.PersonOrGroup.AllowMultipleSelection
		case c.Lookup != nil:
			x.Kind, x.many, x.list = "lookup", c.Lookup.AllowMultipleValues, c.Lookup.ListID
		case c.HyperlinkOrPicture != nil:
			x.Kind = "hyperlink"
		case c.Calculated != nil:
			x.Kind = "calculated"
		}
		out = append(out, x)
	}
	// The title comes first, as in SharePoint's own views.
	slices.SortStableFunc(out, func(a, b column) int {
		rank := func(c column) int {
			if c.Name == "Title" {
				return 0
			}
			return 1
		}
		return rank(a) - rank(b)
	})
	return out, nil
}

// Names finds what the number of a person, or of an item of a list of the site, stands for.
type Names struct {
	Person func(id int) string
	Item   func(list string, id int) string
}

// Values are an item's values as text, by the names of columns; what it does not have is absent.
func (c Columns) Values(item []byte, names Names) (map[string]string, error) {
	var in struct{ Fields map[string]json.RawMessage }
	if err := json.Unmarshal(item, &in); err != nil {
		return nil, fmt.Errorf("stored item: %w", err)
	}
	out := map[string]string{}
	for _, x := range c {
		raw := in.Fields[x.Name]
		numbered := func(name func(int) string) string {
			var many []string
			if x.many {
				var ids []struct {
					LookupId    int
					LookupValue string
				}
				_ = json.Unmarshal(raw, &ids) // no value is none
				for _, one := range ids {
					many = append(many, or(name(one.LookupId), or(one.LookupValue, "#"+strconv.Itoa(one.LookupId))))
				}
			} else if id, ok := integer(in.Fields[x.Name+"LookupId"]); ok {
				many = append(many, or(name(id), or(plainValue(raw), "#"+strconv.Itoa(id))))
			}
			return strings.Join(many, "; ")
		}
		value := ""
		switch x.Kind {
		case "person":
			value = numbered(names.Person)
		case "lookup":
			value = numbered(func(id int) string { return names.Item(x.list, id) })
		case "hyperlink":
			var link struct{ Description, URL string }
			if json.Unmarshal(raw, &link) == nil && link.URL != "" {
				if value = link.URL; link.Description != "" && link.Description != link.URL {
					value = link.Description + " <" + link.URL + ">"
				}
			}
		default:
			value = plainValue(raw)
		}
		if value != "" {
			out[x.Name] = value
		}
	}
	return out, nil
}

func or(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

// integer is a number that may stand in a text.
func integer(raw json.RawMessage) (int, bool) {
	n, err := strconv.Atoi(strings.Trim(string(raw), `"`))
	return n, err == nil && n > 0
}

// plainValue is a text, a number, a truth value, several of them, or a term's label.
func plainValue(raw json.RawMessage) string {
	if len(raw) == 0 {
		return ""
	}
	switch raw[0] {
	case '"':
		var s string
		_ = json.Unmarshal(raw, &s) // it is JSON, or the item had not been read
		return s
	case '[':
		var many []json.RawMessage
		_ = json.Unmarshal(raw, &many)
		var out []string
		for _, one := range many {
			if s := plainValue(one); s != "" {
				out = append(out, s)
			}
		}
		return strings.Join(out, "; ")
	case '{':
		var one struct{ Label, LookupValue, DisplayName, Description string }
		if json.Unmarshal(raw, &one) == nil {
			if s := or(one.Label, or(one.LookupValue, or(one.DisplayName, one.Description))); s != "" {
				return s
			}
		}
		return string(raw)
	case 'n': // null
		return ""
	}
	return string(raw)
}

// Page is the text of a page of a site: that of its title, and what its text parts have, as HTML. left counts the other parts, by type.
func Page(raw []byte) (html string, left map[string]int, err error) {
	type webPart struct {
		Type      string `json:"@odata.type"`
		InnerHTML string
		Data      struct {
			Title       string
			Description string
		}
	}
	type section struct {
		Columns  []struct{ Webparts []webPart }
		Webparts []webPart
	}
	var in struct {
		CanvasLayout struct {
			HorizontalSections []section
			VerticalSection    *section
		}
	}
	if err := json.Unmarshal(raw, &in); err != nil {
		return "", nil, fmt.Errorf("stored page: %w", err)
	}
	var out strings.Builder
	left = map[string]int{}
	part := func(p webPart) {
		if p.InnerHTML != "" {
			out.WriteString("<div>" + p.InnerHTML + "</div>\n")
			return
		}
		left[or(p.Data.Title, or(p.Data.Description, "part without a name"))]++
	}
	all := in.CanvasLayout.HorizontalSections
	if v := in.CanvasLayout.VerticalSection; v != nil {
		all = append(all, *v)
	}
	for i, s := range all {
		if i > 0 {
			out.WriteString("<hr>\n")
		}
		for _, c := range s.Columns {
			for _, p := range c.Webparts {
				part(p)
			}
		}
		for _, p := range s.Webparts {
			part(p)
		}
	}
	return out.String(), left, nil
}
