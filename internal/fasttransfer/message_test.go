package fasttransfer_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net/mail"
	"os"
	"reflect"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-ical"
	"github.com/emersion/go-message"
	"github.com/emersion/go-vcard"
	"github.com/teambition/rrule-go"

	ft "holdfast/internal/fasttransfer"
)

func text(t *testing.T, p *ft.Part) string {
	t.Helper()
	if p == nil {
		return "<nil>"
	}
	b, err := io.ReadAll(p.UTF8())
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestAMailIsReadWithAllThatItHas(t *testing.T) {
	m := read(t, stream(t, mailItem, ft.WriterOptions{Record: 100}))
	erika := ft.Address{Name: "Erika Müller", Email: "erika@contoso.example", Type: "SMTP", Entry: "erika@contoso.example"}
	for _, tc := range []struct {
		what      string
		got, want any
	}{
		{"class", m.Class(), "IPM.Note"}, {"kind", m.Kind(), ft.KindMail},
		{"subject", m.Subject(), "Größe & Zahlen, die Übersicht für das nächste Quartal mit allen Zahlen der Abteilung"},
		{"from", m.From(), erika}, {"sender", m.Sender(), erika},
		{"sent", m.Sent(), at("2026-03-02 08:15")}, {"received", m.Received(), at("2026-03-02 08:16")}, {"created", m.Created(), at("2026-03-02 08:16")}, {"modified", m.Modified(), at("2026-03-03 10:00")},
		{"importance", m.Importance(), "high"}, {"sensitivity", m.Sensitivity(), "private"}, {"read", m.Read(), true}, {"draft", m.Draft(), false},
		{"flag", m.Flag(), ft.Flag{Status: "flagged", Request: "Follow up", Due: at("2026-03-09 00:00")}},
		{"categories", m.Categories(), []string{"Blue", "Größe"}},
		{"message id", m.MessageID(), "<m1@contoso.example>"}, {"in reply to", m.InReplyTo(), "<m0@contoso.example>"}, {"header", m.InternetHeaders(), ""},
		{"plain", text(t, m.Body().Plain), "Zahlen für alle\r\n\r\n=> siehe Bild\r\n"},
		{"html", text(t, m.Body().HTML), "<html><head><meta charset=windows-1252></head><body>Zahlen für alle <img src=\"cid:bild@1\"></body></html>"},
		{"charset", m.Body().HTML.Charset, "windows-1252"}, {"rtf", m.Body().RTF == nil, true}, {"problem", m.Body().Problem, error(nil)},
		{"recipients", len(m.Recipients), 4}, {"attachments", len(m.Attachments), 4}, {"problems", len(m.Problems), 0},
	} {
		if !reflect.DeepEqual(tc.got, tc.want) {
			t.Errorf("%s: %#v, want %#v", tc.what, tc.got, tc.want)
		}
	}
	var who []string
	for _, r := range m.Recipients {
		who = append(who, fmt.Sprintf("%s %s <%s>", r.Kind(), r.Address().Name, r.Address().Email))
	}
	if got, want := strings.Join(who, "\n"), "to Max Weiß <max@contoso.example>\nto Nur Intern <>\ncc Copy, With Comma <copy@contoso.example>\nbcc Blind <blind@contoso.example>"; got != want {
		t.Errorf("recipients:\n%s\nwant\n%s", got, want)
	}
	var what []string
	for _, a := range m.Attachments {
		what = append(what, fmt.Sprintf("%s %q %s cid=%s inline=%v %d bytes link=%s", a.Method(), a.Name(), a.Type(), a.ContentID(), a.Inline(), a.Data().Size(), a.Link()))
	}
	if got, want := strings.Join(what, "\n"), `value "Bild.png" image/png cid=bild@1 inline=true 12 bytes link=
value "Übersicht.csv" text/csv cid= inline=false 10 bytes link=
message "Inner"  cid= inline=false 0 bytes link=
reference "Shared.docx"  cid= inline=false 0 bytes link=https://contoso.example/Shared.docx`; got != want {
		t.Errorf("attachments:\n%s\nwant\n%s", got, want)
	}
	inner := m.Attachments[2].Message
	if inner.Subject() != "Inner" || len(inner.Attachments) != 1 || inner.Recipients[0].Address().Name != "Erika Müller" {
		t.Errorf("the message within: %q, %d attachments", inner.Subject(), len(inner.Attachments))
	}
	unknown, ok := m.Find(ft.Name{Set: setPublic, Text: "x-nobody-knows"})
	if b, err := unknown.Content().Bytes(100); !ok || err != nil || string(b) != "k\x00e\x00p\x00t\x00\x00\x00" {
		t.Errorf("an unknown property: %v, %q, %v", ok, b, err)
	}
}

// What a scanner gives and what is read is the same, whether in memory or not, so unknown properties lose nothing.
func TestEveryPropertyIsKeptAsItIs(t *testing.T) {
	for _, memory := range []int64{0, 1, 500} {
		data := stream(t, mailItem, ft.WriterOptions{})
		m, err := ft.Read(bytes.NewReader(data), ft.Options{Memory: memory})
		if err != nil {
			t.Fatal(err)
		}
		var out bytes.Buffer
		w := ft.NewWriter(&out, ft.WriterOptions{})
		var put func(o ft.Object)
		put = func(o ft.Object) {
			for _, p := range o.Properties {
				e := ft.Element{ID: p.ID, Type: p.Type, Count: int64(p.Count), Size: p.Content().Size()}
				if p.Name != nil {
					e.Name = *p.Name
				}
				if p.Type == ft.TypeStrings {
					e.Size = -1
				}
				w.Raw(e, p.Content().Reader())
			}
		}
		var message func(m *ft.Message)
		message = func(m *ft.Message) {
			put(m.Object)
			for _, r := range m.Recipients {
				w.Mark(ft.StartRecipient)
				put(r.Object)
				w.Mark(ft.EndRecipient)
			}
			for _, a := range m.Attachments {
				w.Mark(ft.NewAttachment)
				put(a.Object)
				if a.Message != nil {
					w.Mark(ft.StartEmbedded)
					message(a.Message)
					w.Mark(ft.EndEmbedded)
				}
				w.Mark(ft.EndAttachment)
			}
		}
		message(m)
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(out.Bytes(), data) {
			t.Errorf("with %d bytes of memory it is different", memory)
		}
		if err := m.Close(); err != nil {
			t.Error(err)
		}
	}
}

func TestWhatIsNoMessageIsRefused(t *testing.T) {
	for name, tc := range map[string]struct{ src, reason string }{
		"a folder":                     {"03000940", "folder where a message is awaited"},
		"changes of a folder":          {"03001240", "0x40120003 where a message is awaited"},
		"two items":                    {"03000c40 03001700 01000000 03000d40 03000c40", "more than one item"},
		"an item after its parts":      {"03001700 01000000 03000c40", "a message where a message is awaited"},
		"a message in a recipient":     {"03000340 03000140", "embedded message within a recipient"},
		"a recipient in an attachment": {"03000040 03000340", "recipient within an attachment"},
		"two messages in one":          {"03000040 03000140 03000240 03000140", "two messages"},
		"cut off":                      {"03001700 0100", "middle of a property"},
		"a huge value":                 {"02010137 ffffffff 00", "middle of a property"},
		"a value of some size":         {"02010137 00001000 00", "middle of a property"},
	} {
		t.Run(name, func(t *testing.T) {
			m, err := ft.Read(bytes.NewReader(unhex(t, tc.src)), ft.Options{})
			var damage *ft.Error
			if !errors.As(err, &damage) || !strings.Contains(damage.Reason, tc.reason) {
				t.Errorf("%v, %v; want …%s…", m, err, tc.reason)
			}
		})
	}
	_, err := ft.Read(io.MultiReader(bytes.NewReader(unhex(t, "03001700 01000000 02010137 08000000 00")), errReader{os.ErrDeadlineExceeded}), ft.Options{})
	if !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("an error of the reader became %v", err)
	}
}

type errReader struct{ err error }

func (r errReader) Read([]byte) (int, error) { return 0, r.err }

func TestAMessageInItsMarkersAndWhatTheServerLeftOut(t *testing.T) {
	m := read(t, unhex(t, `
		03000c40  b0843700 04000000 41000000   # StartMessage, subject
		03000f40  0f010480                     # MetaTagEcWarning
		03001840  02010000 02000000 abcd       # FXErrorInfo with its information
		03000d40`))
	if m.Subject() != "A" || len(m.Problems) != 2 || !strings.Contains(m.Problems[0], "0x8004010f") {
		t.Errorf("%q, %q", m.Subject(), m.Problems)
	}
}

func TestTextIsDecodedFromItsCodePage(t *testing.T) {
	for name, tc := range map[string]struct {
		src, want string
		more      string // properties before
	}{
		"Unicode":                     {"1f003700 06000000 3dd802de 0000", "\U0001f602", ""},
		"code page 1200":              {"b0843700 04000000 fc000000", "ü", ""},
		"without its zero":            {"b0843700 02000000 fc00", "ü", ""},
		"half a pair":                 {"b0843700 04000000 3dd80000", "\ufffd", ""},
		"an odd byte":                 {"b0843700 03000000 fc0041", "ü", ""},
		"big endian":                  {"b1843700 04000000 00fc0000", "ü", ""},
		"code page 1252":              {"e4843700 02000000 fc00", "ü", ""},
		"code page 932":               {"a4833700 05000000 93fa967b00", "日本", ""},
		"code page 20866":             {"82d13700 02000000 d600", "ж", ""},
		"eight bits, nothing said":    {"1e003700 02000000 fc00", "ü", ""},
		"eight bits, Cyrillic":        {"1e003700 02000000 e600", "ж", "0300fd3f e3040000"},
		"eight bits, Cyrillic mail":   {"1e003700 02000000 e600", "ж", "0300de3f e3040000"},
		"unknown code page":           {"01803700 02000000 fc00", "ü", ""},
		"unknown code page, one text": {"f6f63700 02000000 fc00", "ü", ""},
		"a number for a text":         {"03003700 01000000", "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			if got := read(t, unhex(t, tc.more+tc.src)).Subject(); got != tc.want {
				t.Errorf("%q, want %q", got, tc.want)
			}
		})
	}
	if got := read(t, unhex(t, "b0940080 2903020000000000c000000000000046 01 4b006500790077006f00720064007300 0000 02000000 04000000 41000000 04000000 42000000")).Categories(); !reflect.DeepEqual(got, []string{"A", "B"}) {
		t.Errorf("many texts in code page 1200: %q", got)
	}
}

// The examples are those of MS-OXRTFCP 4.
func TestCompressedRTF(t *testing.T) {
	for want, src := range map[string]string{
		"{\\rtf1\\ansi\\ansicpg1252\\pard hello world}\r\n": "2d0000002b0000004c5a4675f1c5c7a703000a007263706731323542320af32068656c0900206277 05b06c647d0a800fa0",
		"{\\rtf1 WXYZWXYZWXYZWXYZWXYZ}":                     "1a0000001c0000004c5a4675e2d44b51410004205758595a0d6e7d010eb0",
	} {
		m := read(t, stream(t, func(w *ft.Writer) { w.Set(tag(0x1009), unhex(t, src)) }, ft.WriterOptions{}))
		if got := text(t, m.Body().RTF); got != want {
			t.Errorf("%q, want %q (%v)", got, want, m.Body().Problem)
		}
	}
	for name, src := range map[string]string{
		"too short": "2d000000", "unknown kind": "1a0000001c000000aaaaaaaa00000000", "cut off": "1a0000001c0000004c5a4675e2d44b5141000420",
		"it says it is huge": "1a000000ffffffff4c5a4675e2d44b51410004205758595a0d6e7d010eb0", "no RTF": "10000000 04000000 4d454c41 00000000 'text'",
	} {
		m := read(t, stream(t, func(w *ft.Writer) { w.Set(tag(0x1009), unhex(t, src)); w.Set(tag(0x1000), "plain") }, ft.WriterOptions{}))
		body := m.Body()
		if body.Problem == nil || text(t, body.Plain) != "plain" {
			t.Errorf("%s: %v, %v", name, body.Problem, body.Plain)
		}
		var eml bytes.Buffer
		if err := m.WriteEML(&eml); err != nil || !strings.Contains(eml.String(), "body.rtf-compressed") {
			t.Errorf("%s: the mail does not carry it (%v)", name, err)
		}
	}
}

func TestHTMLAndTextAreTakenOutOfRTF(t *testing.T) {
	for name, tc := range map[string]struct{ rtf, html, plain string }{
		"html": {htmlInRTF, "<html><head><style>a { color: red }</style></head><body><p>Grüße €&lsquo;x&rsquo;\tПри &nbsp;<img src=\"cid:1\"></p></body></html>", "<nil>"},
		"text": {`{\rtf1\ansi\ansicpg1252\fromtext \fbidis \deff0{\fonttbl{\f0\fmodern Courier New;}}\uc1\pard\plain\f0\fs20 one\par two\tab\'e9 \{x\}\par}`, "<nil>", "one\r\ntwo\té {x}\r\n"},
		"rtf":  {`{\rtf1\ansi{\fonttbl{\f0 Arial;}}{\info{\author nobody}}{\*\generator x;}\f0 bold \b text\b0\par{\pict 00ff}\u8364?\uc2\u9731 XX end \bin4 abcdz}`, "<nil>", "bold text\r\n€☃ end z"},
		"pair": {`{\rtf1 \u-10179?\u-8702?}`, "<nil>", "\U0001f602"},
		"open": {`{\rtf1 {{{ cut`, "<nil>", " cut"},
	} {
		t.Run(name, func(t *testing.T) {
			m := read(t, stream(t, func(w *ft.Writer) { w.Set(tag(0x1009), uncompressed(tc.rtf)) }, ft.WriterOptions{}))
			body := m.Body()
			if got := text(t, body.HTML); got != tc.html {
				t.Errorf("HTML %q, want %q", got, tc.html)
			}
			if got := text(t, body.Plain); got != tc.plain {
				t.Errorf("text %q, want %q", got, tc.plain)
			}
		})
	}
}

func TestAnAppointmentIsReadWithItsSeries(t *testing.T) {
	a, ok := read(t, stream(t, meeting, ft.WriterOptions{})).Appointment()
	if !ok || len(a.Problems) > 0 {
		t.Fatalf("%v, %q", ok, a.Problems)
	}
	r := a.Recurrence
	text := func(s string) *string { return &s }
	busy := 3
	want := &ft.Recurrence{Pattern: ft.Weekly, Period: 2, Days: []time.Weekday{time.Monday, time.Wednesday}, FirstDay: time.Monday,
		Start: at("2026-03-02 00:00"), End: at("2026-04-29 00:00"), Count: 10, Deleted: []time.Time{at("2026-03-04 00:00")},
		StartOffset: 10 * time.Hour, EndOffset: 10*time.Hour + 30*time.Minute,
		Exceptions: []ft.Exception{{Original: at("2026-03-16 10:00"), Start: at("2026-03-17 11:00"), End: at("2026-03-17 12:00"), Subject: text("Café ☕"), Location: text("Room 2"), Busy: &busy}}}
	if !reflect.DeepEqual(r, want) {
		t.Errorf("%+v\nwant\n%+v", r, want)
	}
	if a.UID != "plan-1@contoso.example" || a.Location != "Room 1" || a.Busy != "busy" || !a.Meeting || a.Response != "organizer" || !a.Reminder || a.Minutes != 15 || a.Zone.Name != "W. Europe Standard Time" {
		t.Errorf("%+v", a)
	}
	// Local times of the zone: Berlin has summer time from the last Sunday of March to that of October, each at 1:00 UTC.
	for _, moment := range []string{"2026-01-15 12:00", "2026-03-29 00:59", "2026-03-29 01:00", "2026-07-01 00:00", "2026-10-25 00:59", "2026-10-25 01:00", "2026-12-31 23:30"} {
		berlin, err := time.LoadLocation("Europe/Berlin")
		if err != nil {
			t.Fatal(err)
		}
		want := at(moment).In(berlin).Format("2006-01-02 15:04")
		if got := a.Zone.Local(at(moment)).Format("2006-01-02 15:04"); got != want {
			t.Errorf("%s UTC is %s in Berlin, want %s", moment, got, want)
		}
	}
}

// A series' rule gives the days that the calendar shows.
func TestTheRuleOfASeriesGivesItsDays(t *testing.T) {
	data := stream(t, meeting, ft.WriterOptions{})
	var out bytes.Buffer
	if err := read(t, data).WriteICalendar(&out); err != nil {
		t.Fatal(err)
	}
	for _, line := range strings.Split(out.String(), "\r\n") {
		if len(line) > 75 {
			t.Errorf("a line of %d bytes: %s", len(line), line)
		}
	}
	cal, err := ical.NewDecoder(bytes.NewReader(out.Bytes())).Decode()
	if err != nil {
		t.Fatal(err)
	}
	events := cal.Events()
	if len(events) != 2 {
		t.Fatalf("%d events", len(events))
	}
	rule, err := rrule.StrToRRule(events[0].Props.Get("RRULE").Value)
	if err != nil {
		t.Fatal(err)
	}
	rule.DTStart(at("2026-03-02 10:00"))
	var days []string
	for _, d := range rule.All() {
		days = append(days, d.Format("0102"))
	}
	if got, want := strings.Join(days, " "), "0302 0304 0316 0318 0330 0401 0413 0415 0427 0429"; got != want {
		t.Errorf("days %s, want %s", got, want)
	}
	if got := events[0].Props.Get("ORGANIZER").Params.Get("CN"); got != "Erika Müller" {
		t.Errorf("organizer %q", got)
	}
	if got := len(events[0].Props.Values("ATTENDEE")); got != 3 {
		t.Errorf("%d attendees", got)
	}
	if got, _ := events[1].Props.Text("SUMMARY"); got != "Café ☕" {
		t.Errorf("summary of the exception %q", got)
	}
	if strings.Contains(out.String(), "METHOD") {
		t.Error("it has a method, so a calendar would ask people")
	}
}

// pattern writes a series' rule.
func pattern(frequency, kind uint16, period uint32, specific ...uint32) []byte {
	le := binary.LittleEndian
	var b []byte
	for _, n := range []uint16{0x3004, 0x3004, frequency, kind, 0} {
		b = le.AppendUint16(b, n)
	}
	for _, n := range append(append([]uint32{0, period, 0}, specific...), 0x2021, 0, 0, 0, 0, minutes1601(at("2026-01-30 00:00")), minutes1601(at("2026-12-31 00:00")), 0x3006, 0x3008, 540, 570) {
		b = le.AppendUint32(b, n)
	}
	return append(b, make([]byte, 10)...)
}

func TestEveryPatternHasItsRule(t *testing.T) {
	for name, tc := range map[string]struct {
		blob []byte
		rule string
	}{
		"every third day":           {pattern(0x200a, 0, 3*24*60), "FREQ=DAILY;INTERVAL=3"},
		"every workday":             {pattern(0x200a, 1, 1, 0x3e), "FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR;WKST=SU"},
		"the 12th":                  {pattern(0x200c, 2, 1, 12), "FREQ=MONTHLY;BYMONTHDAY=12"},
		"the 30th or the last":      {pattern(0x200c, 2, 2, 30), "FREQ=MONTHLY;INTERVAL=2;BYMONTHDAY=28,29,30;BYSETPOS=-1"},
		"the 31st or the last":      {pattern(0x200c, 2, 1, 31), "FREQ=MONTHLY;BYMONTHDAY=-1"},
		"the last day":              {pattern(0x200c, 4, 1, 31), "FREQ=MONTHLY;BYMONTHDAY=-1"},
		"the second Tuesday":        {pattern(0x200c, 3, 1, 1<<2, 2), "FREQ=MONTHLY;BYDAY=2TU"},
		"the last workday":          {pattern(0x200c, 3, 1, 0x3e, 5), "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1"},
		"each year on a day":        {pattern(0x200d, 2, 12, 30), "FREQ=YEARLY;BYMONTH=1;BYMONTHDAY=28,29,30;BYSETPOS=-1"},
		"each year the last Friday": {pattern(0x200d, 3, 12, 1<<5, 5), "FREQ=YEARLY;BYMONTH=1;BYDAY=-1FR"},
	} {
		t.Run(name, func(t *testing.T) {
			var out bytes.Buffer
			m := read(t, stream(t, func(w *ft.Writer) {
				w.Set(tag(0x001a), "IPM.Appointment")
				w.Set(named(setAppointment, 0x820d), at("2026-01-30 09:00"))
				w.Set(named(setAppointment, 0x820e), at("2026-01-30 09:30"))
				w.Set(named(setAppointment, 0x8216), tc.blob)
			}, ft.WriterOptions{}))
			if err := m.WriteICalendar(&out); err != nil {
				t.Fatal(err)
			}
			unfolded := strings.ReplaceAll(out.String(), "\r\n ", "")
			if want := "RRULE:" + tc.rule + ";UNTIL=20261231T090000Z\r\n"; !strings.Contains(unfolded, want) {
				t.Errorf("%s\nwant %s", unfolded, want)
			}
		})
	}
	lunar := pattern(0x200c, 0xa, 1, 12)
	m := read(t, stream(t, func(w *ft.Writer) {
		w.Set(named(setAppointment, 0x820d), at("2026-01-30 09:00"))
		w.Set(named(setAppointment, 0x8216), lunar)
	}, ft.WriterOptions{}))
	var out bytes.Buffer
	if err := m.WriteICalendar(&out); err != nil || strings.Contains(out.String(), "RRULE") || !strings.Contains(out.String(), "X-HOLDFAST-PROBLEM") {
		t.Errorf("a series by the lunar calendar: %v\n%s", err, &out)
	}
	for _, cut := range []int{0, 1, 20, 40, 60, 70} {
		m := read(t, stream(t, func(w *ft.Writer) {
			w.Set(named(setAppointment, 0x820d), at("2026-01-30 09:00"))
			w.Set(named(setAppointment, 0x8216), append([]byte{4, 0x30}, recurrence()[2:2+cut]...))
		}, ft.WriterOptions{}))
		if a, ok := m.Appointment(); !ok || a.Recurrence != nil || len(a.Problems) != 1 {
			t.Errorf("cut after %d bytes: %+v, %q", cut, a.Recurrence, a.Problems)
		}
	}
}

func TestAContactIsReadAndItsCardIsOne(t *testing.T) {
	m := read(t, stream(t, contact, ft.WriterOptions{}))
	c, ok := m.Contact()
	if !ok || c.Name != "Dr. Ada Lovelace" || c.Emails[0].Email != "ada@engines.example" || len(c.Phones) != 3 || c.Photo == nil || !c.Addresses[0].Mailing || c.Birthday != at("1815-12-10 00:00") || len(c.Children) != 2 {
		t.Errorf("%v, %+v", ok, c)
	}
	var out bytes.Buffer
	if err := m.WriteVCard(&out); err != nil {
		t.Fatal(err)
	}
	card, err := vcard.NewDecoder(&out).Decode()
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{"FN": "Dr. Ada Lovelace", "EMAIL": "ada@engines.example", "BDAY": "1815-12-10", "NOTE": "Wrote the first program.", "TITLE": "Countess"} {
		if got := card.Value(name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
}

func TestTasksAndNotes(t *testing.T) {
	got := read(t, stream(t, todo, ft.WriterOptions{})).Task()
	want := ft.Task{Start: at("2026-03-01 00:00"), Due: at("2026-03-05 00:00"), Status: "inProgress", Percent: 25, Owner: "Erika Müller", Reminder: at("2026-03-05 07:00")}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%+v\nwant\n%+v", got, want)
	}
	m := read(t, stream(t, note, ft.WriterOptions{}))
	if m.Kind() != ft.KindNote || m.NoteColor() != "green" || text(t, m.Body().Plain) != "milk\r\neggs" {
		t.Errorf("%s, %s", m.Kind(), m.NoteColor())
	}
}

// What other programs read of the mail is what the message has.
func TestTheMailIsReadByOthers(t *testing.T) {
	var out bytes.Buffer
	if err := read(t, stream(t, mailItem, ft.WriterOptions{})).WriteEML(&out); err != nil {
		t.Fatal(err)
	}
	for i, line := range strings.Split(out.String(), "\r\n") {
		if len(line) > 78 || strings.ContainsAny(line, "\r\n") {
			t.Errorf("line %d has %d bytes: %q", i+1, len(line), line)
		}
	}
	head, err := mail.ReadMessage(bytes.NewReader(out.Bytes()))
	if err != nil {
		t.Fatal(err)
	}
	to, err := head.Header.AddressList("To")
	if err != nil || len(to) != 1 || *to[0] != (mail.Address{Name: "Max Weiß", Address: "max@contoso.example"}) {
		t.Errorf("to %v, %v", to, err)
	}
	if d, err := head.Header.Date(); err != nil || !d.Equal(at("2026-03-02 08:15")) {
		t.Errorf("date %v, %v", d, err)
	}
	entity, err := message.Read(bytes.NewReader(out.Bytes()))
	if err != nil && !message.IsUnknownCharset(err) {
		t.Fatal(err)
	}
	if subject, err := entity.Header.Text("Subject"); err != nil || subject != "Größe & Zahlen, die Übersicht für das nächste Quartal mit allen Zahlen der Abteilung" {
		t.Errorf("subject %q, %v", subject, err)
	}
	var parts []string
	err = entity.Walk(func(path []int, e *message.Entity, err error) error {
		if err != nil && !message.IsUnknownCharset(err) {
			return err
		}
		kind, params, _ := e.Header.ContentType()
		_, disposition, _ := e.Header.ContentDisposition()
		line := strings.Repeat(" ", len(path)) + kind
		if !strings.HasPrefix(kind, "multipart/") {
			b, err := io.ReadAll(e.Body)
			if err != nil {
				return err
			}
			if kind == "message/rfc822" {
				b = b[:bytes.IndexByte(b, '\r')]
			}
			line += fmt.Sprintf(" %s %q %q", params["charset"], disposition["filename"], b)
		}
		parts = append(parts, line)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	want := `multipart/mixed
 multipart/related
  multipart/alternative
   text/plain utf-8 "" "Zahlen für alle\r\n\r\n=> siehe Bild\r\n"
   text/html windows-1252 "" "<html><head><meta charset=windows-1252></head><body>Zahlen f\xfcr alle <img src=\"cid:bild@1\"></body></html>"
  image/png  "Bild.png" "\x89PNG\r\n\x1a\nrest"
 text/csv  "Übersicht.csv" "a;b\r\n1;2\r\n"
 message/rfc822  "Inner.eml" "From: \"Somebody\" <somebody@fabrikam.example>"
 application/internet-shortcut  "Shared.docx.url" "[InternetShortcut]\r\nURL=https://contoso.example/Shared.docx\r\n"`
	if got := strings.Join(parts, "\n"); got != want {
		t.Errorf("%s\nwant\n%s", got, want)
	}
}

func TestNothingOfAMessageGetsOutOfItsField(t *testing.T) {
	evil := "x\r\nBcc: victim@contoso.example\r\n\r\n<body>"
	m := read(t, stream(t, func(w *ft.Writer) {
		w.Set(tag(0x001a), "IPM.Appointment")
		w.Set(tag(0x0037), evil)
		w.Set(tag(0x1035), evil)
		w.Set(tag(0x0070), evil)
		from(w, evil, "a@b.example>\r\nBcc: victim@contoso.example")
		w.Set(named(setAppointment, 0x820d), at("2026-01-30 09:00"))
		w.Set(named(setAppointment, 0x8208), "x\r\nATTENDEE:mailto:victim@contoso.example")
		recipient(w, 0, 1, evil+"\":mailto:x", "v\r\nBcc: victim@contoso.example")
		attachment(w, 0, "../../etc/\r\nBcc: victim@contoso.example", "text/plain\r\nBcc: victim@contoso.example", []byte("x"), element{name: tag(0x3712), value: evil})
	}, ft.WriterOptions{}))
	var eml, ics, vcf bytes.Buffer
	if err := errors.Join(m.WriteEML(&eml), m.WriteICalendar(&ics), m.WriteVCard(&vcf)); err != nil {
		t.Fatal(err)
	}
	for _, out := range []string{eml.String(), ics.String(), vcf.String()} {
		for _, line := range strings.Split(out, "\r\n") {
			if strings.HasPrefix(strings.ToLower(line), "bcc") || strings.HasPrefix(line, "ATTENDEE:") {
				t.Errorf("a field of its own: %q in\n%s", line, out)
			}
		}
	}
	if name := m.Attachments[0].Name(); strings.ContainsAny(name, "/\\\r\n") {
		t.Errorf("name %q", name)
	}
}

func TestSignedMailKeepsItsBytes(t *testing.T) {
	inner := "Content-Type: multipart/signed; protocol=\"application/pkcs7-signature\"; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\nhi\r\n--b--\r\n"
	m := read(t, stream(t, func(w *ft.Writer) {
		w.Set(tag(0x001a), "IPM.Note.SMIME.MultipartSigned")
		w.Set(tag(0x0037), "Signed")
		attachment(w, 0, "smime.p7m", "multipart/signed", []byte(inner))
	}, ft.WriterOptions{}))
	var out bytes.Buffer
	if err := m.WriteEML(&out); err != nil || !strings.HasSuffix(out.String(), inner) {
		t.Errorf("%v\n%s", err, &out)
	}
}

// A large attachment is on disk, not in memory, and the file goes with the message.
func TestALargeItemIsReadInBoundedMemory(t *testing.T) {
	const size = 128 << 20
	dir := t.TempDir()
	in, out := io.Pipe()
	go func() {
		w := ft.NewWriter(out, ft.WriterOptions{})
		w.Mark(ft.NewAttachment)
		w.Stream(tag(0x3701), size, io.LimitReader(zeros{}, size))
		w.Mark(ft.EndAttachment)
		out.CloseWithError(w.Close())
	}()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	m, err := ft.Read(in, ft.Options{TempDir: dir})
	if err != nil {
		t.Fatal(err)
	}
	if err := m.WriteEML(io.Discard); err != nil {
		t.Fatal(err)
	}
	runtime.ReadMemStats(&after)
	if used := after.TotalAlloc - before.TotalAlloc; used > 4<<20 {
		t.Errorf("%d bytes were allocated", used)
	}
	if err := m.Close(); err != nil {
		t.Error(err)
	}
	if left, _ := os.ReadDir(dir); len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
	if _, err := io.Copy(io.Discard, m.Attachments[0].Data().Reader()); err == nil {
		t.Error("the content is still there after Close")
	}
}

func TestWithoutDataOnlySizesOfAttachmentsAreRead(t *testing.T) {
	m, err := ft.Read(bytes.NewReader(stream(t, mailItem, ft.WriterOptions{})), ft.Options{WithoutData: true})
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	if m.Attachments[1].Name() != "Übersicht.csv" || m.Attachments[1].Data().Size() != 10 {
		t.Errorf("%q, %d bytes", m.Attachments[1].Name(), m.Attachments[1].Data().Size())
	}
	if err := m.WriteEML(io.Discard); !errors.Is(err, ft.ErrUnread) {
		t.Errorf("a mail without its attachments: %v", err)
	}
}

func FuzzRead(f *testing.F) {
	for _, write := range []item{mailItem, received, meeting, holiday, contact, todo, note} {
		f.Add(stream(f, write, ft.WriterOptions{}))
		f.Add(stream(f, write, ft.WriterOptions{Bare: true}))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		m, err := ft.Read(bytes.NewReader(data), ft.Options{Memory: 1 << 16, TempDir: t.TempDir()})
		if err != nil {
			var damage *ft.Error
			if !errors.As(err, &damage) {
				t.Fatal(err)
			}
			return
		}
		defer m.Close()
		m.Contact()
		m.Task()
		m.Flag()
		m.NoteColor()
		var eml, ics, vcf bytes.Buffer
		if err := m.WriteEML(&eml); err != nil {
			t.Fatal(err)
		}
		if _, err := mail.ReadMessage(bytes.NewReader(eml.Bytes())); err != nil {
			t.Fatalf("%v in\n%s", err, &eml)
		}
		if err := m.WriteVCard(&vcf); err != nil {
			t.Fatal(err)
		}
		if _, ok := m.Appointment(); ok || m.Kind() == ft.KindTask {
			if err := m.WriteICalendar(&ics); err != nil {
				t.Fatal(err)
			}
			if _, err := ical.NewDecoder(bytes.NewReader(ics.Bytes())).Decode(); err != nil {
				t.Fatalf("%v in\n%s", err, &ics)
			}
		}
	})
}

func BenchmarkReadMail50KB(b *testing.B) {
	data := sample(b, 34<<10)
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	for b.Loop() {
		m, err := ft.Read(bytes.NewReader(data), ft.Options{})
		if err != nil {
			b.Fatal(err)
		}
		m.Subject()
		m.Close()
	}
}

// zoneStruct writes what MS-OXOCAL 2.2.1.39 has of a zone.
func zoneStruct(bias, daylight int32, standard, summer [8]uint16) []byte {
	le := binary.LittleEndian
	var b []byte
	for _, n := range []int32{bias, 0, daylight} {
		b = le.AppendUint32(b, uint32(n))
	}
	for _, n := range append(append([]uint16{0}, standard[:]...), append([]uint16{0}, summer[:]...)...) {
		b = le.AppendUint16(b, n)
	}
	return b
}

func TestZonesOfBothHalvesOfTheWorld(t *testing.T) {
	for place, blob := range map[string][]byte{
		"Australia/Sydney": zoneStruct(-600, -60, [8]uint16{0, 4, 0, 1, 3, 0, 0, 0}, [8]uint16{0, 10, 0, 1, 2, 0, 0, 0}),
		"America/New_York": zoneStruct(300, -60, [8]uint16{0, 11, 0, 1, 2, 0, 0, 0}, [8]uint16{0, 3, 0, 2, 2, 0, 0, 0}),
		"Asia/Kolkata":     zoneStruct(-330, 0, [8]uint16{}, [8]uint16{}),
	} {
		t.Run(place, func(t *testing.T) {
			where, err := time.LoadLocation(place)
			if err != nil {
				t.Fatal(err)
			}
			a, _ := read(t, stream(t, func(w *ft.Writer) {
				w.Set(named(setAppointment, 0x820d), at("2026-01-30 09:00"))
				w.Set(named(setAppointment, 0x8233), blob)
				w.Set(named(setAppointment, 0x8234), place)
			}, ft.WriterOptions{})).Appointment()
			if a.Zone == nil || a.Zone.Name != place {
				t.Fatalf("%+v, %q", a.Zone, a.Problems)
			}
			for moment := at("2026-01-01 00:30"); moment.Year() == 2026; moment = moment.Add(7 * time.Hour) {
				want := moment.In(where).Format("2006-01-02 15:04")
				local := a.Zone.Local(moment)
				if got := local.Format("2006-01-02 15:04"); got != want {
					t.Fatalf("%v is %s there, want %s", moment, got, want)
				}
				if back := a.Zone.UTC(local); !back.Equal(moment) && !back.Equal(moment.Add(time.Hour)) && !back.Equal(moment.Add(-time.Hour)) {
					t.Fatalf("%s there is %v, want %v", want, back, moment)
				}
			}
		})
	}
	for name, blob := range map[string][]byte{"short": make([]byte, 20), "month 13": zoneStruct(0, 0, [8]uint16{0, 13}, [8]uint16{}), "a year from UTC": zoneStruct(525600, 0, [8]uint16{}, [8]uint16{})} {
		a, _ := read(t, stream(t, func(w *ft.Writer) {
			w.Set(named(setAppointment, 0x820d), at("2026-01-30 09:00"))
			w.Set(named(setAppointment, 0x8233), blob)
		}, ft.WriterOptions{})).Appointment()
		if a.Zone != nil || len(a.Problems) != 1 {
			t.Errorf("%s: %+v, %q", name, a.Zone, a.Problems)
		}
	}
}

func TestTooManyPropertiesAreRefused(t *testing.T) {
	one := unhexString("0b0023000100")
	_, err := ft.Read(bytes.NewReader(bytes.Repeat(one, 500_001)), ft.Options{})
	var damage *ft.Error
	if !errors.As(err, &damage) || damage.Offset != 500_000*int64(len(one)) || !strings.Contains(damage.Reason, "500000 properties") {
		t.Errorf("%v", err)
	}
	m, err := ft.Read(bytes.NewReader(bytes.Repeat(one, 500_000)), ft.Options{})
	if err != nil {
		t.Fatal(err)
	}
	m.Close()
}

// The identity of a meeting without a UID of its own is its global object id, without the date of one occurrence.
func TestMeetingsAreTheSameInAllMailboxes(t *testing.T) {
	id := unhexString("040000008200e00074c5b7101a82e008 07ea0310 0011223344556677 0000000000000000 10000000 00112233445566778899aabbccddeeff")
	a, _ := read(t, stream(t, func(w *ft.Writer) {
		w.Set(named(setAppointment, 0x820d), at("2026-01-30 09:00"))
		w.Set(named(setMeeting, 0x03), id)
	}, ft.WriterOptions{})).Appointment()
	if want := "040000008200E00074C5B7101A82E00800000000001122334455667700000000000000001000000000112233445566778899AABBCCDDEEFF"; a.UID != want {
		t.Errorf("%s, want %s", a.UID, want)
	}
}

// A header that came with letters that none may have keeps its addresses.
func TestAddressesWithLettersOfAnyKindStayAddresses(t *testing.T) {
	m := read(t, stream(t, func(w *ft.Writer) {
		w.Set(tag(0x001a), "IPM.Note")
		w.Set(tag(0x007d), "From: Jürgen <j@a.example>\r\nTo: b@b.example\r\nSubject: Grüße\r\n")
		from(w, "Jürgen", "j@a.example")
		recipient(w, 0, 1, "B", "b@b.example")
	}, ft.WriterOptions{}))
	var out bytes.Buffer
	if err := m.WriteEML(&out); err != nil {
		t.Fatal(err)
	}
	head, err := mail.ReadMessage(&out)
	if err != nil {
		t.Fatal(err)
	}
	if from, err := head.Header.AddressList("From"); err != nil || len(from) != 1 || *from[0] != (mail.Address{Name: "Jürgen", Address: "j@a.example"}) {
		t.Errorf("from %v, %v", head.Header.Get("From"), err)
	}
	if got := head.Header["To"]; len(got) != 1 || got[0] != "b@b.example" {
		t.Errorf("to %q", got)
	}
}
