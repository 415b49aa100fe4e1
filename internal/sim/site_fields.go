package sim

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
)

// column is a column of a list. The value that an item has is, by kind:
//
//	text, note, choice, thumbnail  string
//	number, currency               float64
//	boolean                        bool
//	dateTime                       time.Time
//	choices                        []string
//	person, lookup                 int
//	people, lookups                []int
//	hyperlink, picture             hyperlink
//	term                           term
//	terms                          []term
//	geolocation                    map[string]any
//	calculated                     (none: it follows from others)
type column struct {
	id, name, title, kind string
	hidden, readOnly      bool
	required, indexed     bool
	choices               []string
	of                    *list // that a lookup looks into
	formula               string
	dateOnly              bool
	own                   bool // not one that every list has
}

type hyperlink struct{ url, about string }

type term struct{ label, guid string }

func baseColumns() []*column {
	out := []*column{{name: "Title", title: "Title", kind: "text", required: true}}
	for _, c := range []column{
		{name: "ContentType", title: "Content Type", kind: "choice"}, {name: "Modified", title: "Modified", kind: "dateTime"}, {name: "Created", title: "Created", kind: "dateTime"},
		{name: "Author", title: "Created By", kind: "person"}, {name: "Editor", title: "Modified By", kind: "person"},
		{name: "_UIVersionString", title: "Version", kind: "text"}, {name: "Attachments", title: "Attachments", kind: "boolean"},
	} {
		c.readOnly = true
		out = append(out, &c)
	}
	for i, c := range out {
		c.id = newRand(0, "column "+c.name, uint64(i)).uuid()
	}
	return out
}

// everyColumn is one column of each type.
func everyColumn(lookedUp *list) []*column {
	all := []column{
		{name: "Status", kind: "choice", choices: []string{"Open", "Waiting", "Closed"}, required: true, indexed: true},
		{name: "Details", kind: "note"}, {name: "Cost", kind: "currency"}, {name: "Weight", kind: "number"}, {name: "Urgent", kind: "boolean"},
		{name: "Due", kind: "dateTime"}, {name: "Day", kind: "dateTime", dateOnly: true}, {name: "Tags", kind: "choices", choices: []string{"red", "green", "blue; dark", "with, comma"}},
		{name: "AssignedTo", title: "Assigned to", kind: "person"}, {name: "Watchers", kind: "people"},
		{name: "Category", kind: "lookup", of: lookedUp}, {name: "Related", kind: "lookups", of: lookedUp},
		{name: "Page", kind: "hyperlink"}, {name: "Photo", kind: "picture"}, {name: "Doubled", kind: "calculated", formula: "=Weight*2"},
		{name: "Region", kind: "term"}, {name: "Topics", kind: "terms"}, {name: "Image", kind: "thumbnail"}, {name: "Place", kind: "geolocation"},
	}
	out := make([]*column, 0, len(all))
	for i := range all {
		c := &all[i]
		c.own, c.id = true, newRand(1, "column "+c.name, uint64(i)).uuid()
		if c.title == "" {
			c.title = c.name
		}
		c.readOnly = c.kind == "calculated"
		out = append(out, c)
	}
	return out
}

var terms = []term{{"Europe", "0d3d2c2e-6d5e-4f0a-9b5c-000000000001"}, {"Asia", "0d3d2c2e-6d5e-4f0a-9b5c-000000000002"}, {"Nord & Süd", "0d3d2c2e-6d5e-4f0a-9b5c-000000000003"}}

// generateItem is item i of the list with every column; some leave columns empty, some have older versions, attachments or permissions of their own.
func (l *list) generateItem(r random, i int, categories *list) {
	x := l.site
	people := x.of.s.drives.people()
	at := x.created.Add(time.Duration(i)*7*time.Hour + time.Duration(r.IntN(3600))*time.Second)
	it := l.newItem(at, person(r.IntN(people)))
	f := it.fields
	f["Title"] = fmt.Sprintf("%s %d", pick(r, []string{"Printer on fire", "No coffee", "Größe falsch – \"quoted\"", "Screen <broken> & dark", "日本語の件名"}), i)
	f["Status"] = pick(r, []string{"Open", "Waiting", "Closed"})
	if last := l.types[len(l.types)-1]; i%5 == 4 && last.name != "Folder" {
		it.contentType = last.id
	}
	if i%7 != 6 {
		x.fillColumns(f, r, i, at, categories)
	}
	for v := range i % 3 {
		it.versions = append(it.versions, itemVersion{number: v + 1, fields: cloneFields(f), at: it.changed, by: it.editor})
		f["Title"] = fmt.Sprintf("%s (edited %d)", strings.Split(f["Title"].(string), " (")[0], v+1)
		f["Status"] = "Closed"
		it.changed, it.editor = it.changed.Add(26*time.Hour), person(r.IntN(people))
		it.etag++
	}
	if i%4 == 1 {
		it.attachments = append(it.attachments, attached{fmt.Sprintf("note %d & more.txt", i), []byte(fmt.Sprintf("attached to item %d\n", i))})
		if i%8 == 1 {
			it.attachments = append(it.attachments, attached{"größe 日本.bin", r.bytes(2000 + r.IntN(60000))})
		}
	}
	if i%10 == 3 {
		it.unique = true
		it.roles = []assignment{{x.groups()[0].id, roleFull}, {siteUserID(i % people), roleContribute}}
	}
}

// fillColumns gives an item a value in nearly every column.
func (x *site) fillColumns(f map[string]any, r random, i int, at time.Time, categories *list) {
	people := x.of.s.drives.people()
	f["Details"] = fmt.Sprintf("It began at %s.\nNobody knows why; cost = \"high\", 100%%.", stamp(at))
	f["Cost"], f["Weight"] = float64(r.IntN(100000))/100, float64(r.IntN(1000))/8
	f["Urgent"] = r.IntN(2) == 0
	f["Due"] = at.Add(time.Duration(r.IntN(1000)) * time.Hour)
	f["Day"] = at.Truncate(24 * time.Hour)
	f["Tags"] = []string{"red", "blue; dark"}[:1+r.IntN(2)]
	f["AssignedTo"] = siteUserID(r.IntN(people))
	f["Watchers"] = []int{siteUserID(0), siteUserID(people - 1)}[:1+r.IntN(min(2, people))]
	f["Category"] = 1 + r.IntN(len(categories.items))
	f["Related"] = []int{1, 3}
	f["Page"] = hyperlink{"https://www.example.com/incident?n=" + strconv.Itoa(i), "The page, with a comma"}
	f["Region"] = pick(r, terms)
	f["Topics"] = []term{terms[0], terms[2]}
	f["Photo"] = hyperlink{"https://www.example.com/photo.png", "Photo"}
	f["Place"] = map[string]any{"coordinates": map[string]any{"latitude": 48.1, "longitude": 11.5}, "displayName": "Munich"}
	f["Image"] = `{"fileName":"Reserved_ImageAttachment.png","serverRelativeUrl":"/sites/x/image.png"}`
}

func cloneFields(f map[string]any) map[string]any { return maps.Clone(f) }

// siteUserID is a user's number in every site; SharePoint counts anew in each.
func siteUserID(u int) int { return 10 + u }

// appPrincipal is the number of what an application does.
const appPrincipal = 1073741822

func principalOf(p person) int {
	if p == theApp {
		return appPrincipal
	}
	return siteUserID(int(p))
}

func (l *list) column(name string) *column {
	for _, c := range l.columns {
		if strings.EqualFold(c.name, name) {
			return c
		}
	}
	return nil
}

// json is the column as Graph has it.
func (c *column) json() map[string]any {
	m := map[string]any{"id": c.id, "name": c.name, "displayName": c.title, "description": "", "columnGroup": "Custom Columns", "enforceUniqueValues": false,
		"hidden": c.hidden, "indexed": c.indexed, "readOnly": c.readOnly, "required": c.required}
	switch c.kind {
	case "text":
		m["text"] = map[string]any{"allowMultipleLines": false, "appendChangesToExistingText": false, "linesForEditing": 0, "maxLength": 255}
	case "note":
		m["text"] = map[string]any{"allowMultipleLines": true, "appendChangesToExistingText": false, "linesForEditing": 6, "textType": "plain"}
	case "number":
		m["number"] = map[string]any{"decimalPlaces": "automatic", "displayAs": "number"}
	case "currency":
		m["currency"] = map[string]any{"locale": "en-us"}
	case "boolean":
		m["boolean"] = map[string]any{}
	case "dateTime":
		m["dateTime"] = map[string]any{"displayAs": "standard", "format": map[bool]string{true: "dateOnly", false: "dateTime"}[c.dateOnly]}
	case "choice":
		m["choice"] = map[string]any{"allowTextEntry": false, "choices": slices.Concat([]string{}, c.choices), "displayAs": "dropDownMenu"}
	case "choices":
		m["choice"] = map[string]any{"allowTextEntry": false, "choices": slices.Concat([]string{}, c.choices), "displayAs": "checkBoxes"}
	case "person", "people":
		m["personOrGroup"] = map[string]any{"allowMultipleSelection": c.kind == "people", "chooseFromType": "peopleAndGroups", "displayAs": "nameWithPresence"}
	case "lookup", "lookups":
		m["lookup"] = map[string]any{"allowMultipleValues": c.kind == "lookups", "allowUnlimitedLength": false, "columnName": "Title", "listId": c.of.id}
	case "hyperlink", "picture":
		m["hyperlinkOrPicture"] = map[string]any{"isPicture": c.kind == "picture"}
	case "calculated":
		m["calculated"] = map[string]any{"format": "dateTime", "formula": c.formula, "outputType": "number"}
	case "term", "terms":
		m["term"] = map[string]any{"allowMultipleValues": c.kind == "terms", "showFullyQualifiedName": false}
	case "thumbnail":
		m["thumbnail"] = map[string]any{}
	case "geolocation":
		m["geolocation"] = map[string]any{}
	}
	return m
}

// columnFrom makes the column that a client asks for.
func (x *site) columnFrom(in map[string]any, r random) (*column, error) {
	text := func(m map[string]any, k string) string { s, _ := m[k].(string); return s }
	flag := func(m map[string]any, k string) bool { b, _ := m[k].(bool); return b }
	c := &column{id: r.uuid(), name: text(in, "name"), title: text(in, "displayName"), own: true, hidden: flag(in, "hidden"), required: flag(in, "required"), indexed: flag(in, "indexed")}
	if c.name == "" {
		return nil, Fail(400, "invalidRequest", "A column needs a name.")
	}
	if c.title == "" {
		c.title = c.name
	}
	facet := func(k string) (map[string]any, bool) { m, ok := in[k].(map[string]any); return m, ok }
	if m, ok := facet("text"); ok {
		c.kind = map[bool]string{true: "note", false: "text"}[flag(m, "allowMultipleLines")]
	} else if _, ok := facet("number"); ok {
		c.kind = "number"
	} else if _, ok := facet("currency"); ok {
		c.kind = "currency"
	} else if _, ok := facet("boolean"); ok {
		c.kind = "boolean"
	} else if m, ok := facet("dateTime"); ok {
		c.kind, c.dateOnly = "dateTime", text(m, "format") == "dateOnly"
	} else if m, ok := facet("choice"); ok {
		c.kind = map[bool]string{true: "choices", false: "choice"}[text(m, "displayAs") == "checkBoxes"]
		rows, _ := m["choices"].([]any)
		for _, v := range rows {
			s, _ := v.(string)
			c.choices = append(c.choices, s)
		}
	} else if m, ok := facet("personOrGroup"); ok {
		c.kind = map[bool]string{true: "people", false: "person"}[flag(m, "allowMultipleSelection")]
	} else if m, ok := facet("lookup"); ok {
		c.kind = map[bool]string{true: "lookups", false: "lookup"}[flag(m, "allowMultipleValues")]
		if c.of = x.list(text(m, "listId")); c.of == nil {
			return nil, Fail(400, "invalidRequest", "The list that the column looks up does not exist.")
		}
	} else if m, ok := facet("hyperlinkOrPicture"); ok {
		c.kind = map[bool]string{true: "picture", false: "hyperlink"}[flag(m, "isPicture")]
	} else if m, ok := facet("calculated"); ok {
		c.kind, c.formula, c.readOnly = "calculated", text(m, "formula"), true
	} else if _, ok := facet("thumbnail"); ok {
		c.kind = "thumbnail"
	} else if _, ok := facet("geolocation"); ok {
		c.kind = "geolocation"
	} else if m, ok := facet("term"); ok {
		c.kind = map[bool]string{true: "terms", false: "term"}[flag(m, "allowMultipleValues")]
	} else {
		return nil, Fail(400, "invalidRequest", "The type of column %q is not supported.", c.name)
	}
	return c, nil
}

// lookupTitle is what a lookup shows of an item.
func (c *column) lookupTitle(id int) string {
	if it := c.of.items[id]; it != nil {
		s, _ := it.fields["Title"].(string)
		return s
	}
	return ""
}

// graphFields writes values as Graph does.
func (l *list) graphFields(it *listItem, values map[string]any, version int, at time.Time, by person) map[string]any {
	m := map[string]any{"id": strconv.Itoa(it.id), "ContentType": l.contentTypeName(it.contentType), "Created": stamp(it.created), "Modified": stamp(at),
		"AuthorLookupId": strconv.Itoa(principalOf(it.author)), "EditorLookupId": strconv.Itoa(principalOf(by)), "_UIVersionString": strconv.Itoa(version) + ".0",
		"Attachments": len(it.attachments) > 0, "Edit": "", "ItemChildCount": "0", "FolderChildCount": "0"}
	for _, c := range l.columns {
		v, ok := values[c.name]
		if c.kind == "calculated" && c.own {
			if w, ok := values["Weight"].(float64); ok {
				m[c.name] = w * 2
			}
			continue
		}
		if !ok || v == nil {
			continue
		}
		switch v := v.(type) {
		case time.Time:
			m[c.name] = stamp(v)
		case int:
			m[c.name+"LookupId"] = strconv.Itoa(v)
		case []int:
			rows := []any{}
			for _, id := range v {
				row := map[string]any{"LookupId": id}
				if c.kind == "lookups" {
					row["LookupValue"] = c.lookupTitle(id)
				} else if u := l.site.principal(id); u != nil {
					row["LookupValue"], row["Email"] = u.title, u.email
				}
				rows = append(rows, row)
			}
			m[c.name] = rows
		case hyperlink:
			m[c.name] = map[string]any{"Description": v.about, "Url": v.url}
		case term:
			m[c.name] = v.json()
		case []term:
			rows := []any{}
			for _, t := range v {
				rows = append(rows, t.json())
			}
			m[c.name] = rows
		default:
			m[c.name] = v
		}
	}
	if s, ok := m["Title"].(string); ok {
		m["LinkTitle"], m["LinkTitleNoMenu"] = s, s
	}
	return m
}

func (t term) json() map[string]any {
	return map[string]any{"Label": t.label, "TermGuid": t.guid, "WssId": 1}
}

func (l *list) contentTypeName(id string) string {
	for _, t := range l.types {
		if t.id == id {
			return t.name
		}
	}
	return ""
}

// principal is somebody whom a site knows.
type principal struct {
	id                  int
	kind                int // 1 user, 8 SharePoint group
	title, login, email string
}

func (x *site) principal(id int) *principal {
	for _, g := range x.groups() {
		if g.id == id {
			return &principal{id, 8, g.title, g.title, ""}
		}
	}
	if id == appPrincipal {
		return &principal{id, 1, "SharePoint App", "i:0i.t|00000003-0000-0ff1-ce00-000000000000|app@sharepoint", ""}
	}
	if u := id - siteUserID(0); u >= 0 && u < x.of.s.drives.people() {
		v := x.of.s.drives.user(person(u))
		return &principal{id, 1, v.DisplayName, "i:0#.f|membership|" + v.UPN, v.Mail}
	}
	return nil
}

// login finds a person by login name, user principal name or mail address.
func (x *site) login(name string) (int, bool) {
	name = name[strings.LastIndexByte(name, '|')+1:]
	if u := x.of.s.dir.find(name); u != nil {
		return siteUserID(u.Index), true
	}
	return 0, false
}

// setGraph changes values as Graph's fields say. Read-only columns, links and terms are refused, people and lookups are given as NAMELookupId.
func (l *list) setGraph(values map[string]any, in map[string]any) error {
	bad := func(name, why string) error {
		return Fail(400, "invalidRequest", "Field '%s': %s", name, why)
	}
	for name, v := range in {
		if strings.Contains(name, "@") || strings.EqualFold(name, "ContentType") {
			continue
		}
		c := l.column(name)
		lookup := false
		if base, ok := strings.CutSuffix(name, "LookupId"); ok && c == nil {
			c, lookup = l.column(base), true
		}
		switch {
		case c == nil:
			return bad(name, "is not recognized")
		case c.readOnly:
			return bad(name, "is read-only")
		case v == nil:
			delete(values, c.name)
			continue
		}
		collection := func(of string) error {
			if in[name+"@odata.type"] != "Collection("+of+")" {
				return bad(name, "a collection needs an annotation @odata.type")
			}
			return nil
		}
		text, isText := v.(string)
		number, isNumber := v.(float64)
		ok := false
		switch c.kind {
		case "text", "note", "choice", "thumbnail":
			if ok = isText; ok {
				values[c.name] = text
			}
			if c.kind == "text" && len([]rune(text)) > 255 {
				return bad(name, "has more than 255 characters")
			}
		case "number", "currency":
			if ok = isNumber; ok {
				values[c.name] = number
			}
		case "boolean":
			var b bool
			if b, ok = v.(bool); ok {
				values[c.name] = b
			}
		case "dateTime":
			var t time.Time
			if t, ok = parseTime(text); ok {
				values[c.name] = t.Truncate(time.Second)
			}
		case "choices":
			rows, isArray := v.([]any)
			if err := collection("Edm.String"); err != nil || !isArray {
				return bad(name, "is a collection of texts, with @odata.type")
			}
			list := []string{}
			for _, row := range rows {
				s, _ := row.(string)
				list = append(list, s)
			}
			values[c.name], ok = list, true
		case "person", "lookup":
			if !lookup {
				return bad(name, "is given as "+c.name+"LookupId")
			}
			if isText {
				n, err := strconv.Atoi(text)
				number, isNumber = float64(n), err == nil
			}
			if ok = isNumber && l.resolves(c, int(number)); ok {
				values[c.name] = int(number)
			}
		case "people", "lookups":
			rows, isArray := v.([]any)
			if err := collection("Edm.Int32"); err != nil || !isArray || !lookup {
				return bad(name, "is a collection of numbers, as "+c.name+"LookupId with @odata.type")
			}
			list := []int{}
			for _, row := range rows {
				n, _ := row.(float64)
				if !l.resolves(c, int(n)) {
					return bad(name, "does not exist")
				}
				list = append(list, int(n))
			}
			values[c.name], ok = list, true
		case "geolocation":
			var m map[string]any
			if m, ok = v.(map[string]any); ok {
				values[c.name] = m
			}
		default:
			return bad(name, "columns of this type cannot be set here")
		}
		if !ok {
			return bad(name, "the value does not fit the column's type")
		}
	}
	return nil
}

func (l *list) resolves(c *column, id int) bool {
	if c.kind == "person" || c.kind == "people" {
		return l.site.principal(id) != nil
	}
	return c.of.items[id] != nil
}

// setForm changes one value as ValidateUpdateListItem does, from the text that a form would send. The error is the field's own.
func (l *list) setForm(it *listItem, name, text string, utc, invariant bool) string {
	local := func() (time.Time, string) {
		if text == "" {
			return time.Time{}, ""
		}
		for _, f := range []string{"1/2/2006 3:04:05 PM", "1/2/2006 3:04 PM", "1/2/2006", "2006-01-02 15:04:05", "2006-01-02T15:04:05"} {
			if t, err := time.Parse(f, text); err == nil {
				if !utc {
					t = t.Add(time.Duration(l.site.of.settings.TimeZone) * time.Minute)
				}
				return t.UTC(), ""
			}
		}
		return time.Time{}, "You must specify a valid date within the range of 1/1/1900 and 12/31/8900."
	}
	people := func() ([]int, string) {
		var in []struct{ Key string }
		if text != "" && json.Unmarshal([]byte(text), &in) != nil {
			return nil, "The specified user could not be found."
		}
		ids := []int{}
		for _, p := range in {
			id, ok := l.site.login(p.Key)
			if p.Key == l.site.principal(appPrincipal).login {
				id, ok = appPrincipal, true
			}
			for _, g := range l.site.groups() {
				if g.title == p.Key {
					id, ok = g.id, true
				}
			}
			if !ok {
				return nil, "The specified user " + p.Key + " could not be found."
			}
			ids = append(ids, id)
		}
		return ids, ""
	}
	personOf := func(id int) person {
		if id == appPrincipal {
			return theApp
		}
		return person(id - siteUserID(0))
	}
	switch name {
	case "Created", "Modified":
		t, why := local()
		if why == "" && text != "" {
			if name == "Created" {
				it.created = t
			} else {
				it.changed = t
			}
		}
		return why
	case "Author", "Editor":
		ids, why := people()
		if why == "" && len(ids) != 1 {
			why = "One user is needed."
		}
		if why == "" {
			if name == "Author" {
				it.author = personOf(ids[0])
			} else {
				it.editor = personOf(ids[0])
			}
		}
		return why
	case "ContentType", "ContentTypeId":
		for _, t := range l.types {
			if t.name == text || t.id == text {
				it.contentType = t.id
				return ""
			}
		}
		return "The content type does not exist in this list."
	}
	c := l.column(name)
	if c == nil {
		return "Field or property \"" + name + "\" does not exist."
	}
	if c.readOnly || it.node != nil && c.name == "FileLeafRef" { // a file is renamed by its drive here
		return "The field is read-only."
	}
	if text == "" {
		delete(it.fields, c.name)
		return ""
	}
	switch c.kind {
	case "text", "note", "choice", "thumbnail":
		if c.kind == "text" && len([]rune(text)) > 255 {
			return "The text has more than 255 characters."
		}
		it.fields[c.name] = text
	case "number", "currency":
		n, err := strconv.ParseFloat(text, 64)
		if err != nil || !invariant && strings.Contains(text, ",") {
			return "The value is not a number."
		}
		it.fields[c.name] = n
	case "boolean":
		if text != "1" && text != "2" && text != "0" {
			return "The value is not yes or no."
		}
		it.fields[c.name] = text == "1"
	case "dateTime":
		t, why := local()
		if why != "" {
			return why
		}
		it.fields[c.name] = t
	case "choices":
		it.fields[c.name] = strings.Split(strings.Trim(text, ";#"), ";#")
	case "person", "people":
		ids, why := people()
		if why != "" || len(ids) == 0 {
			return why
		}
		it.fields[c.name] = ids
		if c.kind == "person" {
			it.fields[c.name] = ids[0]
		}
	case "lookup":
		n, err := strconv.Atoi(text)
		if err != nil || c.of.items[n] == nil {
			return "The item that is looked up does not exist."
		}
		it.fields[c.name] = n
	case "lookups": // 3;#;#4;#
		ids := []int{}
		for i, p := range strings.Split(strings.TrimSuffix(text, ";#"), ";#") {
			if i%2 == 1 {
				continue
			}
			n, err := strconv.Atoi(p)
			if err != nil || c.of.items[n] == nil {
				return "An item that is looked up does not exist."
			}
			ids = append(ids, n)
		}
		it.fields[c.name] = ids
	case "hyperlink", "picture":
		u, about, _ := strings.Cut(text, ", ")
		if !strings.HasPrefix(u, "http") {
			return "Invalid URL: " + u
		}
		it.fields[c.name] = hyperlink{u, about}
	case "term", "terms": // Label|GUID;Label|GUID
		out := []term{}
		for p := range strings.SplitSeq(strings.TrimSuffix(text, ";"), ";") {
			label, guid, ok := strings.Cut(p, "|")
			if !ok {
				return "The given value for a taxonomy field was not formatted in the required <int>;#<label>|<guid> format."
			}
			out = append(out, term{label, guid})
		}
		it.fields[c.name] = out
		if c.kind == "term" {
			it.fields[c.name] = out[0]
		}
	case "geolocation":
		return "The value of a location cannot be set by a form."
	}
	return ""
}
