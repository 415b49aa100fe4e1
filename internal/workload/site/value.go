package site

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"holdfast/internal/m365"
	"holdfast/internal/m365/graph"
	"holdfast/internal/m365/sharepoint"
)

// formTime is a time as a form sends it; that it is in UTC is said beside.
func formTime(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05") }

// formValues are the values of an item as a form would send them, with author, editor and times. lost names columns that have no such value; late
// are lookups of items that this restore may still put back.
// https://learn.microsoft.com/openspecs/sharepoint_protocols/ms-csomspt (ListItemFormUpdateValue), and the formats that tools of the field use.
func (r *restore) formValues(l *place, stored *storedItem) (values []sharepoint.FormValue, lost []string, late []waiting) {
	set := func(name, value string) { values = append(values, sharepoint.FormValue{Name: name, Value: value}) }
	for _, name := range slices.Sorted(maps.Keys(l.columns)) {
		c := l.columns[name]
		if c.ReadOnly || c.Name == "ContentType" || c.Calculated != nil {
			continue
		}
		if _, ok := l.there[c.Name]; !ok {
			if stored.Fields[c.Name] != nil || stored.Fields[c.Name+"LookupId"] != nil {
				lost = append(lost, c.Name)
			}
			continue
		}
		value, state := r.formValue(&c, stored)
		switch state {
		case valueSet:
			set(c.Name, value)
		case valueLost:
			lost = append(lost, c.Name)
		case valueLate:
			late = append(late, waiting{column: c.Name, list: c.Lookup.ListID, value: func() (sharepoint.FormValue, bool) {
				value, state := r.formValue(&c, stored)
				return sharepoint.FormValue{Name: c.Name, Value: value}, state == valueSet
			}})
		}
	}
	of := len(values)
	if who := r.login(stored.Fields["AuthorLookupId"]); who != "" {
		set("Author", who)
	}
	if who := r.login(stored.Fields["EditorLookupId"]); who != "" {
		set("Editor", who)
	}
	if !stored.Created.IsZero() {
		set("Created", formTime(stored.Created))
	}
	if !stored.Modified.IsZero() {
		set("Modified", formTime(stored.Modified))
	}
	for i := range late {
		late[i].as = slices.Clone(values[of:])
	}
	return values, lost, late
}

type valueState int

const (
	valueSet valueState = iota
	valueLost
	valueLate
)

// login is a person, by the number that he had in the site, as a form names him.
func (r *restore) login(raw json.RawMessage) string {
	n, ok := number(raw)
	if !ok {
		return ""
	}
	return r.people([]int{n})
}

func (r *restore) people(ids []int) string {
	r.mu.Lock()
	defer r.mu.Unlock()
	var logins []string
	for _, id := range ids {
		if p, ok := r.users[id]; ok {
			logins = append(logins, p.Login)
		}
	}
	return formPeople(logins...)
}

// formPeople are people, by their login names, as a form names them; empty when there is none.
func formPeople(logins ...string) string {
	type key struct{ Key string }
	var out []key
	for _, login := range logins {
		out = append(out, key{login})
	}
	if len(out) == 0 {
		return ""
	}
	raw, err := json.Marshal(out)
	if err != nil {
		return ""
	}
	return string(raw)
}

// lookUp asks whether what an item's lookups name is still there, once each: SharePoint takes the number of an item that is gone without a word, and the column
// stays empty.
func (r *restore) lookUp(ctx context.Context, l *place, stored *storedItem) error {
	if !r.same {
		return nil // nothing of another site has its numbers here
	}
	for name, c := range l.columns {
		if c.Lookup == nil || c.ReadOnly {
			continue
		}
		ids := lookupIDs(stored.Fields[name])
		if id, ok := number(stored.Fields[name+"LookupId"]); ok {
			ids = []int{id}
		}
		for _, id := range ids {
			key := c.Lookup.ListID + "/" + strconv.Itoa(id)
			r.mu.Lock()
			_, known := r.gone[key]
			known = known || r.made[key] != ""
			r.mu.Unlock()
			if known {
				continue
			}
			_, err := r.g.ListItem(ctx, r.site, c.Lookup.ListID, strconv.Itoa(id), graph.List{Select: []string{"id"}})
			gone := m365.KindOf(err) == m365.NotFound
			if err != nil && !gone {
				return err
			}
			r.mu.Lock()
			r.gone[key] = gone
			r.mu.Unlock()
		}
	}
	return nil
}

// lookedUp is the number at the target of an item that a lookup names.
func (r *restore) lookedUp(list string, id int) (int, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if now, ok := r.made[list+"/"+strconv.Itoa(id)]; ok {
		n, err := strconv.Atoi(now)
		return n, err == nil
	}
	if !r.same {
		return 0, false
	}
	if r.gone[list+"/"+strconv.Itoa(id)] {
		return 0, false // it may still come, with another number
	}
	for _, p := range r.lists {
		if p.stored == list && p.id != list {
			return 0, false // the list was made anew, and the item is still to come
		}
	}
	return id, true
}

// formValue is one value as a form sends it; empty is a column without one.
func (r *restore) formValue(c *graph.Column, stored *storedItem) (string, valueState) {
	raw := stored.Fields[c.Name]
	text := func() string {
		var s string
		_ = json.Unmarshal(raw, &s) // no text is an empty one
		return s
	}
	switch {
	case c.Person != nil && !c.Person.Multiple:
		return r.oneOf(r.login(stored.Fields[c.Name+"LookupId"]), stored.Fields[c.Name+"LookupId"])
	case c.Person != nil:
		ids := lookupIDs(raw)
		return r.oneOf(r.people(ids), raw)
	case c.Lookup != nil && !c.Lookup.Multiple:
		id, ok := number(stored.Fields[c.Name+"LookupId"])
		if !ok {
			return "", valueSet
		}
		now, ok := r.lookedUp(c.Lookup.ListID, id)
		if !ok {
			return "", valueLate
		}
		return strconv.Itoa(now), valueSet
	case c.Lookup != nil:
		var b strings.Builder
		for _, id := range lookupIDs(raw) {
			now, ok := r.lookedUp(c.Lookup.ListID, id)
			if !ok {
				return "", valueLate
			}
			fmt.Fprintf(&b, "%d;#;#", now)
		}
		return b.String(), valueSet
	case c.Choice != nil && c.Choice.DisplayAs == "checkBoxes":
		var many []string
		if json.Unmarshal(raw, &many) != nil {
			return text(), valueSet
		}
		return strings.Join(many, ";#"), valueSet
	case c.Boolean != nil:
		var b bool
		if json.Unmarshal(raw, &b) != nil {
			return "", valueSet
		}
		return map[bool]string{true: "1", false: "2"}[b], valueSet
	case c.Number != nil, c.Currency != nil:
		if len(raw) == 0 || string(raw) == "null" {
			return "", valueSet
		}
		return strings.Trim(string(raw), `"`), valueSet
	case c.Date != nil:
		t, err := time.Parse(time.RFC3339, text())
		if err != nil {
			return "", valueSet
		}
		return formTime(t), valueSet
	case c.Hyperlink != nil:
		var link struct{ Description, Url string }
		if json.Unmarshal(raw, &link) != nil || link.Url == "" {
			return "", valueSet
		}
		if strings.Contains(link.Url, ", ") {
			return "", valueLost // a form would take its end for the description
		}
		return link.Url + ", " + link.Description, valueSet
	case c.Term != nil:
		return terms(raw)
	case c.Geolocation != nil:
		if len(raw) > 0 && string(raw) != "null" {
			return "", valueLost // no form takes a location
		}
		return "", valueSet
	case c.Text != nil, c.Choice != nil:
		return text(), valueSet
	case c.Thumbnail != nil:
		if s := text(); s != "" {
			return s, valueSet
		}
		if len(raw) > 0 && string(raw) != "null" {
			return string(raw), valueSet
		}
		return "", valueSet
	}
	if len(raw) > 0 && string(raw) != "null" {
		return "", valueLost
	}
	return "", valueSet
}

// oneOf is a person's value; one that there was and that cannot be named is lost.
func (r *restore) oneOf(value string, raw json.RawMessage) (string, valueState) {
	if value == "" && len(raw) > 0 && string(raw) != "null" && string(raw) != "[]" {
		return "", valueLost
	}
	return value, valueSet
}

// lookupIDs are the numbers in a value of several people or items.
func lookupIDs(raw json.RawMessage) []int {
	var many []struct{ LookupId int }
	_ = json.Unmarshal(raw, &many) // no value is none
	out := make([]int, 0, len(many))
	for _, m := range many {
		out = append(out, m.LookupId)
	}
	return out
}

// terms are managed metadata as a form sends them.
func terms(raw json.RawMessage) (string, valueState) {
	type term struct{ Label, TermGuid string }
	var many []term
	if json.Unmarshal(raw, &many) != nil {
		var one term
		if json.Unmarshal(raw, &one) != nil || one.TermGuid == "" {
			return "", valueSet
		}
		many = []term{one}
	}
	var out []string
	for _, t := range many {
		if strings.ContainsAny(t.Label, ";|") {
			return "", valueLost
		}
		out = append(out, t.Label+"|"+t.TermGuid)
	}
	return strings.Join(out, ";"), valueSet
}

// graphValues are the values that Graph sets.
func (r *restore) graphValues(l *place, stored *storedItem) (fields map[string]any, lost []string) {
	fields = map[string]any{}
	for name, c := range l.columns {
		raw, ok := stored.Fields[name]
		if _, there := l.there[name]; !there || c.ReadOnly || name == "ContentType" {
			continue
		}
		switch {
		case c.Choice != nil && c.Choice.DisplayAs == "checkBoxes":
			if ok {
				fields[name], fields[name+"@odata.type"] = raw, "Collection(Edm.String)"
			}
		case c.Text != nil, c.Number != nil, c.Currency != nil, c.Boolean != nil, c.Date != nil, c.Choice != nil:
			if ok {
				fields[name] = raw
			}
		case ok || stored.Fields[name+"LookupId"] != nil:
			lost = append(lost, name)
		}
	}
	return fields, append(lost, "author", "created", "editor", "modified")
}
