package extract

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
)

// Personal is what a search looks through in a contact, an event, a task or a setting of a mailbox.
type Personal struct {
	Words
	Place   string // locations of events, addresses of contacts
	Company string // company, department and job of contacts
	Phone   string // numbers of contacts
}

// unsaid are members of Microsoft Graph's JSON that hold no words: ids, times, marks and what the service computes. Their names are those of its types.
var unsaid = []string{"id", "changeKey", "parentFolderId", "webLink", "iCalUId", "uid", "seriesMasterId", "occurrenceId", "bodyPreview", "uniqueId", "uniqueIdType", "transactionId", "type", "contentType",
	"start", "end", "originalStart", "originalStartTimeZone", "originalEndTimeZone", "recurrence", "cancelledOccurrences", "showAs", "sensitivity", "importance", "categories", "locationType",
	"createdDateTime", "lastModifiedDateTime", "bodyLastModifiedDateTime", "dueDateTime", "startDateTime", "reminderDateTime", "completedDateTime", "checkedDateTime", "birthday", "status",
	"singleValueExtendedProperties", "extensions", "primaryEmailAddress", "secondaryEmailAddress", "tertiaryEmailAddress", "onlineMeetingProvider", "externalId", "coordinates",
	"moveToFolder", "copyToFolder", "contentBytes", "contentId", "lastModifiedBy", "scheduledStartDateTime", "scheduledEndDateTime", "userPurpose", "archiveFolder", "form"}

// of says which members have a column of their own besides, at any depth.
var (
	places    = []string{"location", "locations", "homeAddress", "businessAddress", "otherAddress"}
	companies = []string{"companyName", "department", "jobTitle", "profession", "yomiCompanyName", "officeLocation"}
	phones    = []string{"businessPhones", "homePhones", "mobilePhone"}
)

// FromPersonal takes out what a search looks through in an item that is stored as Graph's JSON: all that its owner wrote, with the names of what is attached, which attachments
// (JSON too; may be nil) has. What can't be read gives a remark.
func FromPersonal(ctx context.Context, raw, attachments []byte, l Limits) (Personal, error) {
	c := newCollector(ctx, l)
	var p Personal
	var item map[string]any
	if err := json.Unmarshal(raw, &item); err != nil {
		c.remark("the item can't be read")
	}
	w := personalWalk{c: c, p: &p}
	w.object(item, "", 0)
	var files []struct {
		Attachment struct{ Name string } `json:"attachment"`
	}
	if len(attachments) > 0 {
		if err := json.Unmarshal(attachments, &files); err != nil {
			c.remark("what is attached can't be read")
		}
	}
	for _, f := range files {
		c.add(f.Attachment.Name)
	}
	p.Words = c.words()
	return p, ctx.Err()
}

type personalWalk struct {
	c *collector
	p *Personal
}

// deepestPersonal bounds how far objects stand in each other.
const deepestPersonal = 12

// object takes the words of all members. column is that of the member that it stands in.
func (w personalWalk) object(m map[string]any, column string, depth int) {
	if depth > deepestPersonal {
		w.c.remark("objects stand too deep in each other")
		return
	}
	if content, ok := m["content"].(string); ok && len(m) <= 2 { // a body
		kind, _ := m["contentType"].(string)
		w.text(content, strings.EqualFold(kind, "html"), column)
		return
	}
	names := make([]string, 0, len(m))
	for name := range m {
		if !strings.Contains(name, "@") && !slices.Contains(unsaid, name) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	for _, name := range names {
		in := column
		switch {
		case slices.Contains(places, name):
			in = "place"
		case slices.Contains(companies, name):
			in = "company"
		case slices.Contains(phones, name):
			in = "phone"
		}
		w.value(m[name], strings.HasSuffix(name, "ReplyMessage"), in, depth)
	}
}

func (w personalWalk) value(v any, html bool, column string, depth int) {
	switch v := v.(type) {
	case string:
		w.text(v, html, column)
	case []any:
		for _, x := range v {
			w.value(x, html, column, depth)
		}
	case map[string]any:
		w.object(v, column, depth+1)
	}
}

// longestColumn bounds the words of one of the small columns.
const longestColumn = 64 << 10

func (w personalWalk) text(s string, html bool, column string) {
	if html {
		if w.c.b.line() == nil {
			_ = fromHTML(w.c.b, s) // the only error is that there is enough
			_ = w.c.b.line()
		}
		return
	}
	w.c.add(s)
	at := map[string]*string{"place": &w.p.Place, "company": &w.p.Company, "phone": &w.p.Phone}[column]
	if at != nil && len(*at)+len(s) < longestColumn {
		*at += s + "\n"
	}
}
