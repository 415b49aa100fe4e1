package card_test

import (
	"bytes"
	"encoding/base64"
	"io"
	"strings"
	"testing"

	"holdfast/internal/explorer/card"
)

// unfold gives the content lines of a file, and demands that they are folded.
func unfold(t *testing.T, raw []byte) []string {
	t.Helper()
	for line := range bytes.Lines(raw) {
		if len(line) > 77 || !bytes.HasSuffix(line, []byte("\r\n")) {
			t.Errorf("the line %q is longer than 75 bytes or has no CRLF", line)
		}
	}
	return strings.Split(strings.TrimSuffix(strings.ReplaceAll(string(raw), "\r\n ", ""), "\r\n"), "\r\n")
}

func want(t *testing.T, lines []string, all ...string) {
	t.Helper()
	text := "\n" + strings.Join(lines, "\n") + "\n"
	for _, w := range all {
		if !strings.Contains(text, "\n"+w+"\n") {
			t.Errorf("there is no line %q in\n%s", w, text)
		}
	}
}

func TestContactIsAVCard(t *testing.T) {
	raw := `{"displayName":"Überall; Nirgends, Ltd","givenName":"Ü","surname":"N\r\nX","companyName":"A;B","emailAddresses":[{"name":"n","address":"a@example.com"}],"businessPhones":["+1"],
		"homeAddress":{"street":"Weg 1","city":"Köln","postalCode":"50667"},"birthday":"1980-02-03T11:59:00Z","personalNotes":"line\nbreak","businessAddress":{}}`
	got, err := card.Contact([]byte(raw), bytes.Repeat([]byte("p"), 300))
	if err != nil {
		t.Fatal(err)
	}
	want(t, unfold(t, got), "BEGIN:VCARD", `FN:Überall\; Nirgends\, Ltd`, `N:N\nX;Ü;;;`, `ORG:A\;B;`, "EMAIL;TYPE=INTERNET:a@example.com", "TEL;TYPE=WORK,VOICE:+1", "ADR;TYPE=HOME:;;Weg 1;Köln;;50667;",
		"BDAY:1980-02-03", `NOTE:line\nbreak`, "PHOTO;ENCODING=b;TYPE=JPEG:"+base64.StdEncoding.EncodeToString(bytes.Repeat([]byte("p"), 300)), "END:VCARD")
	if bytes.Contains(got, []byte("ADR;TYPE=WORK")) {
		t.Error("an empty address is written")
	}
}

func TestSeriesIsACalendarWithItsExceptions(t *testing.T) {
	raw := `{"id":"e","iCalUId":"U1","subject":"weekly","originalStartTimeZone":"Pacific Standard Time","start":{"dateTime":"2026-03-02T17:00:00.0000000","timeZone":"UTC"},"end":{"dateTime":"2026-03-02T18:00:00.0000000","timeZone":"UTC"},
		"recurrence":{"pattern":{"type":"weekly","interval":2,"daysOfWeek":["monday"],"firstDayOfWeek":"sunday"},"range":{"type":"numbered","startDate":"2026-03-02","numberOfOccurrences":4}},
		"cancelledOccurrences":["OID.x.2026-03-16"],"isReminderOn":true,"reminderMinutesBeforeStart":30,"organizer":{"emailAddress":{"name":"O \"x\"","address":"o@example.com"}},
		"attendees":[{"emailAddress":{"name":"A","address":"a@example.com"},"type":"optional","status":{"response":"accepted"}}],"body":{"contentType":"html","content":"<p>one</p><p>two &amp; three</p>"},
		"exceptionOccurrences":[{"id":"x","subject":"moved","originalStart":"2026-03-30T16:00:00Z","start":{"dateTime":"2026-03-31T16:00:00.0000000","timeZone":"UTC"},"end":{"dateTime":"2026-03-31T17:00:00.0000000","timeZone":"UTC"}}]}`
	data := bytes.Repeat([]byte{0, 1, 2, 250}, 500)
	body, err := card.Event([]byte(raw), []card.Attachment{{Name: `a"b.bin`, Type: "application/x-y", Open: func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(data)), nil }}})
	if err != nil {
		t.Fatal(err)
	}
	got, err := io.ReadAll(body)
	if err != nil {
		t.Fatal(err)
	}
	lines := unfold(t, got)
	want(t, lines, "UID:U1", "DTSTART;TZID=America/Los_Angeles:20260302T090000", "RRULE:FREQ=WEEKLY;INTERVAL=2;BYDAY=MO;WKST=SU;COUNT=4", "EXDATE;TZID=America/Los_Angeles:20260316T090000",
		"RECURRENCE-ID;TZID=America/Los_Angeles:20260330T090000", "DTSTART;TZID=America/Los_Angeles:20260331T090000", `DESCRIPTION:one\ntwo & three`, "TRIGGER:-PT30M",
		`ORGANIZER;CN="O x":mailto:o@example.com`, `ATTENDEE;CN="A";ROLE=OPT-PARTICIPANT;PARTSTAT=ACCEPTED:mailto:a@example.com`, "BEGIN:DAYLIGHT", "TZOFFSETTO:-0700", "END:VCALENDAR",
		`ATTACH;FMTTYPE=application/x-y;ENCODING=BASE64;VALUE=BINARY;X-FILENAME="ab.bin":`+base64.StdEncoding.EncodeToString(data))
	if n := strings.Count(string(got), "BEGIN:VEVENT"); n != 2 || strings.Count(string(got), "END:VEVENT") != 2 {
		t.Errorf("%d events", n)
	}
}

func TestEventsOfAllDayAreDates(t *testing.T) {
	body, err := card.Event([]byte(`{"id":"e","subject":"x","isAllDay":true,"originalStartTimeZone":"Pacific Standard Time","start":{"dateTime":"2026-07-01T00:00:00.0000000","timeZone":"UTC"},"end":{"dateTime":"2026-07-03T00:00:00.0000000","timeZone":"UTC"}}`), nil)
	if err != nil {
		t.Fatal(err)
	}
	got, err := io.ReadAll(body)
	if err != nil {
		t.Fatal(err)
	}
	want(t, unfold(t, got), "DTSTART;VALUE=DATE:20260701", "DTEND;VALUE=DATE:20260703")
}

func TestTaskIsAToDo(t *testing.T) {
	body, err := card.Task([]byte(`{"id":"t","title":"buy","status":"completed","dueDateTime":{"dateTime":"2026-05-06T00:00:00.0000000","timeZone":"UTC"},"body":{"contentType":"text","content":"text"},
		"checklistItems":[{"displayName":"one","isChecked":true},{"displayName":"two"}]}`), nil)
	if err != nil {
		t.Fatal(err)
	}
	got, err := io.ReadAll(body)
	if err != nil {
		t.Fatal(err)
	}
	want(t, unfold(t, got), "BEGIN:VTODO", "SUMMARY:buy", "STATUS:COMPLETED", "DUE;VALUE=DATE:20260506", `DESCRIPTION:text\n[x] one\n[ ] two`)
}
