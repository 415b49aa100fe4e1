package card_test

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"holdfast/internal/explorer/card"
	"holdfast/internal/holdfast"
)

func TestEventIsTakenApart(t *testing.T) {
	raw := `{"originalStartTimeZone":"Pacific Standard Time","start":{"dateTime":"2026-03-02T17:00:00.0000000","timeZone":"UTC"},"end":{"dateTime":"2026-03-02T18:00:00.0000000","timeZone":"UTC"},
		"recurrence":{"pattern":{"type":"relativeMonthly","interval":2,"daysOfWeek":["monday"],"index":"last","firstDayOfWeek":"sunday","month":0},"range":{"type":"endDate","startDate":"2026-03-02","endDate":"2026-12-31"}},
		"cancelledOccurrences":["OID.x.2026-03-16","no date"],"isReminderOn":true,"reminderMinutesBeforeStart":0,"organizer":{"emailAddress":{"name":"O","address":"o@example.com"}},
		"attendees":[{"emailAddress":{"name":"A","address":"a@example.com"},"type":"optional","status":{"response":"accepted"}},{"emailAddress":{"address":"b@example.com"}}],"body":{"contentType":"HTML","content":"<p>one</p>"}}`
	e, body, err := card.EventCard([]byte(raw))
	if err != nil {
		t.Fatal(err)
	}
	none := 0
	want := &holdfast.EventCard{Start: time.Date(2026, 3, 2, 17, 0, 0, 0, time.UTC), End: time.Date(2026, 3, 2, 18, 0, 0, 0, time.UTC), Zone: "America/Los_Angeles", ZoneName: "Pacific Standard Time",
		Organizer: &holdfast.Person{Name: "O", Address: "o@example.com"}, Reminder: &none, Left: []string{"2026-03-16"},
		Attendees: []holdfast.Attendee{{Person: holdfast.Person{Name: "A", Address: "a@example.com"}, Kind: "optional", Response: "accepted"},
			{Person: holdfast.Person{Address: "b@example.com"}, Kind: "required", Response: "none"}},
		Recurrence: &holdfast.Recurrence{Type: "relativeMonthly", Interval: 2, Days: []string{"monday"}, Index: "last", From: "2026-03-02", Until: "2026-12-31"}}
	if !reflect.DeepEqual(e, want) {
		t.Errorf("got  %+v\nwant %+v", e, want)
	}
	if body != (card.Body{Text: "<p>one</p>", HTML: true}) {
		t.Errorf("the text is %+v", body)
	}
}

func TestTaskIsTakenApart(t *testing.T) {
	raw := `{"status":"inProgress","dueDateTime":{"dateTime":"2026-04-07T22:00:00.0000000","timeZone":"W. Europe Standard Time"},"startDateTime":{"dateTime":"0001-01-01T00:00:00","timeZone":"UTC"},
		"checklistItems":[{"displayName":"one","isChecked":true},{"displayName":"two"}],"linkedResources":[{"applicationName":"Mail","webUrl":"https://example.com/x"}],"body":{"contentType":"text","content":"do it"}}`
	got, body, err := card.TaskCard([]byte(raw))
	if err != nil {
		t.Fatal(err)
	}
	want := &holdfast.TaskCard{Status: "inProgress", Due: "2026-04-07", Steps: []holdfast.TaskStep{{Text: "one", Done: true}, {Text: "two"}}, Links: []holdfast.LabelledText{{Kind: "Mail", Text: "https://example.com/x"}}}
	if !reflect.DeepEqual(got, want) || body != (card.Body{Text: "do it"}) {
		t.Errorf("got  %+v, %+v\nwant %+v", got, body, want)
	}
}

func TestContactIsTakenApart(t *testing.T) {
	raw := `{"companyName":"C","birthday":"1976-08-24T11:59:00Z","mobilePhone":"+1","businessPhones":["+2",""],"personalNotes":"n","emailAddresses":[{"name":"x","address":"x@example.com"},{}],
		"homeAddress":{"street":"Weg 1","city":"Bergen","postalCode":"96486"},"businessAddress":{}}`
	got, body, err := card.ContactCard([]byte(raw))
	if err != nil {
		t.Fatal(err)
	}
	want := &holdfast.ContactCard{Company: "C", Birthday: "1976-08-24", Addresses: []holdfast.Person{{Name: "x", Address: "x@example.com"}}, Phones: []holdfast.LabelledText{{Kind: "business", Text: "+2"}, {Kind: "mobile", Text: "+1"}},
		Places: []holdfast.LabelledText{{Kind: "home", Text: "Weg 1\n96486 Bergen"}}}
	if !reflect.DeepEqual(got, want) || body.Text != "n" {
		t.Errorf("got  %+v, %+v\nwant %+v", got, body, want)
	}
}

func TestWhatIsNoJSONIsAnErrorNotACard(t *testing.T) {
	for _, raw := range []string{"", "[", `{"start":7}`, `"x"`} {
		if _, _, err := card.EventCard([]byte(raw)); err == nil {
			t.Errorf("%q is an event", raw)
		}
	}
}

const list = `{"columns":[{"name":"Who","displayName":"Assigned to","personOrGroup":{}},{"name":"Title","displayName":"Title","text":{}},{"name":"Hid","displayName":"x","hidden":true,"text":{}},{"name":"Editor","displayName":"By","personOrGroup":{}},
	{"name":"Cat","displayName":"Category","lookup":{"listId":"L2","columnName":"Title"}},{"name":"Cats","displayName":"Categories","lookup":{"listId":"L2","allowMultipleValues":true}},{"name":"Done","displayName":"Done","boolean":{}},
	{"name":"Cost","displayName":"Cost","currency":{}},{"name":"Link","displayName":"Link","hyperlinkOrPicture":{}},{"name":"Sum","displayName":"Sum","readOnly":true,"calculated":{}},{"name":"Tags","displayName":"Tags","choice":{}},{"name":"Note","displayName":"Note","text":{"allowMultipleLines":true}}]}`

func TestItemsOfAListAreReadColumnByColumn(t *testing.T) {
	c, err := card.ColumnsOf([]byte(list))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, x := range c.Shown() {
		names = append(names, x.Name+" "+x.Kind)
	}
	if got := strings.Join(names, ", "); got != "Title text, Who person, Cat lookup, Cats lookup, Done boolean, Cost currency, Link hyperlink, Sum calculated, Tags choice, Note note" {
		t.Errorf("columns: %s", got)
	}
	item := `{"id":"7","fields":{"Title":"Fire","WhoLookupId":"12","CatLookupId":"3","Cats":[{"LookupId":3,"LookupValue":"old"},{"LookupId":4,"LookupValue":"gone"}],"Done":false,"Cost":12.50,"Link":{"Url":"https://example.com","Description":"here"},
		"Sum":"25","Tags":["a","b"],"Note":null,"Hid":"secret","EditorLookupId":"9"}}`
	got, err := c.Values([]byte(item), card.Names{Person: func(id int) string { return map[int]string{12: "Ada"}[id] }, Item: func(list string, id int) string {
		return map[string]string{"L2 3": "Hardware"}[list+" "+string(rune('0'+id))]
	}})
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{"Title": "Fire", "Who": "Ada", "Cat": "Hardware", "Cats": "Hardware; gone", "Done": "false", "Cost": "12.50", "Link": "here <https://example.com>", "Sum": "25", "Tags": "a; b"}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %v\nwant %v", got, want)
	}
}

func TestPageIsTheTextOfItsParts(t *testing.T) {
	raw := `{"canvasLayout":{"horizontalSections":[{"columns":[{"webparts":[{"@odata.type":"#microsoft.graph.textWebPart","innerHtml":"<p>one</p>"},{"@odata.type":"#microsoft.graph.standardWebPart","data":{"title":"Weather"}}]}]},
		{"columns":[{"webparts":[{"innerHtml":"<p>two</p>"}]}]}],"verticalSection":{"webparts":[{"innerHtml":"<p>side</p>"}]}}}`
	html, left, err := card.Page([]byte(raw))
	if err != nil {
		t.Fatal(err)
	}
	if html != "<div><p>one</p></div>\n<hr>\n<div><p>two</p></div>\n<hr>\n<div><p>side</p></div>\n" || !reflect.DeepEqual(left, map[string]int{"Weather": 1}) {
		t.Errorf("got %q, left %v", html, left)
	}
}
