package fasttransfer_test

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode/utf16"

	ft "holdfast/internal/fasttransfer"
)

var update = flag.Bool("update", false, "write the golden files anew")

var (
	setPublic      = ft.NewGUID("00020329-0000-0000-c000-000000000046")
	setAppointment = ft.NewGUID("00062002-0000-0000-c000-000000000046")
	setTask        = ft.NewGUID("00062003-0000-0000-c000-000000000046")
	setAddress     = ft.NewGUID("00062004-0000-0000-c000-000000000046")
	setCommon      = ft.NewGUID("00062008-0000-0000-c000-000000000046")
	setNote        = ft.NewGUID("0006200e-0000-0000-c000-000000000046")
	setMeeting     = ft.NewGUID("6ed8da90-450b-101b-98da-00aa003f1305")
)

func tag(id uint32) ft.Name                { return ft.Name{ID: id} }
func named(set ft.GUID, id uint32) ft.Name { return ft.Name{Set: set, ID: id} }
func at(s string) time.Time {
	t, err := time.Parse("2006-01-02 15:04", s)
	if err != nil {
		panic(err)
	}
	return t
}

type item func(w *ft.Writer)

func recipient(w *ft.Writer, row, kind int32, name, email string, more ...element) {
	w.Mark(ft.StartRecipient)
	w.Set(tag(0x3000), row)
	w.Set(tag(0x0c15), kind)
	w.Set(tag(0x3001), name)
	w.Set(tag(0x3002), "EX")
	w.Set(tag(0x3003), "/o=Contoso/ou=Exchange/cn=Recipients/cn="+name)
	if email != "" {
		w.Set(tag(0x39fe), email)
	}
	for _, e := range more {
		w.Set(e.name, e.value)
	}
	w.Mark(ft.EndRecipient)
}

func from(w *ft.Writer, name, email string) {
	for _, base := range [][4]uint32{{0x0042, 0x0064, 0x0065, 0x5d02}, {0x0c1a, 0x0c1e, 0x0c1f, 0x5d01}} {
		w.Set(tag(base[0]), name)
		w.Set(tag(base[1]), "SMTP")
		w.Set(tag(base[2]), email)
		w.Set(tag(base[3]), email)
	}
}

func attachment(w *ft.Writer, number int32, name, kind string, data []byte, more ...element) {
	w.Mark(ft.NewAttachment)
	w.Set(tag(0x0e21), number)
	w.Set(tag(0x3705), int32(1))
	w.Set(tag(0x3701), data)
	w.Set(tag(0x3707), name)
	w.Set(tag(0x370e), kind)
	for _, e := range more {
		w.Set(e.name, e.value)
	}
	w.Mark(ft.EndAttachment)
}

// mailItem has all that a mail can have.
func mailItem(w *ft.Writer) {
	w.SetType(tag(0x4008), ft.CodePage|1252, "/o=Contoso/ou=Exchange/cn=Recipients/cn=")
	w.Set(tag(0x001a), "IPM.Note")
	w.Set(tag(0x0037), "Größe & Zahlen, die Übersicht für das nächste Quartal mit allen Zahlen der Abteilung")
	w.Set(tag(0x0017), int32(2))
	w.Set(tag(0x0036), int32(2))
	w.Set(tag(0x0039), at("2026-03-02 08:15"))
	w.Set(tag(0x0e06), at("2026-03-02 08:16"))
	w.Set(tag(0x3007), at("2026-03-02 08:16"))
	w.Set(tag(0x3008), at("2026-03-03 10:00"))
	w.Set(tag(0x0e07), int32(1))
	w.Set(tag(0x1090), int32(2))
	w.Set(named(setCommon, 0x8530), "Follow up")
	w.Set(named(setTask, 0x8105), at("2026-03-09 00:00"))
	w.Set(ft.Name{Set: setPublic, Text: "Keywords"}, []string{"Blue", "Größe"})
	w.Set(tag(0x1035), "<m1@contoso.example>")
	w.Set(tag(0x1042), "<m0@contoso.example>")
	w.Set(tag(0x0070), "Größe & Zahlen")
	w.Set(tag(0x0071), []byte{1, 2, 3, 4, 5})
	w.Set(ft.Name{Set: setPublic, Text: "x-nobody-knows"}, "kept")
	from(w, "Erika Müller", "erika@contoso.example")
	w.Set(tag(0x1000), "Zahlen für alle\r\n\r\n=> siehe Bild\r\n")
	w.Set(tag(0x3fde), int32(1252))
	w.Set(tag(0x1013), append([]byte("<html><head><meta charset=windows-1252></head><body>Zahlen f"), append([]byte{0xfc}, []byte("r alle <img src=\"cid:bild@1\"></body></html>")...)...))
	recipient(w, 0, 1, "Max Weiß", "max@contoso.example")
	recipient(w, 1, 1, "Nur Intern", "")
	recipient(w, 2, 2, "Copy, With Comma", "copy@contoso.example")
	recipient(w, 3, 3, "Blind", "blind@contoso.example")
	attachment(w, 0, "Bild.png", "image/png", []byte("\x89PNG\r\n\x1a\nrest"), element{name: tag(0x3712), value: "bild@1"}, element{name: tag(0x7ffe), value: true})
	attachment(w, 1, "Übersicht.csv", "text/csv", []byte("a;b\r\n1;2\r\n"))
	w.Mark(ft.NewAttachment)
	w.Set(tag(0x0e21), int32(2))
	w.Set(tag(0x3705), int32(5))
	w.Set(tag(0x3001), "Inner")
	w.Mark(ft.StartEmbedded)
	w.Set(tag(0x001a), "IPM.Note")
	w.Set(tag(0x0037), "Inner")
	w.Set(tag(0x1000), "Inside.")
	w.Set(tag(0x0e06), at("2026-02-01 12:00"))
	from(w, "Somebody", "somebody@fabrikam.example")
	recipient(w, 0, 1, "Erika Müller", "erika@contoso.example")
	attachment(w, 0, "deep.txt", "text/plain", []byte("deep"))
	w.Mark(ft.EndEmbedded)
	w.Mark(ft.EndAttachment)
	w.Mark(ft.NewAttachment)
	w.Set(tag(0x0e21), int32(3))
	w.Set(tag(0x3705), int32(7))
	w.Set(tag(0x3707), "Shared.docx")
	w.Set(tag(0x370d), "https://contoso.example/Shared.docx")
	w.Mark(ft.EndAttachment)
}

// received came by the internet, with a body in RTF only.
func received(w *ft.Writer) {
	w.Set(tag(0x001a), "IPM.Note")
	w.Set(tag(0x0037), "Hello")
	w.Set(tag(0x007d), "Received: from a.example by b.example;\r\n\tTue, 3 Mar 2026 09:00:00 +0000\r\nFrom: \"A\" <a@a.example>\r\nTo: b@b.example\r\nSubject: Hello\r\nDate: Tue, 3 Mar 2026 10:00:00 +0100\r\n"+
		"Message-ID: <x@a.example>\r\nX-Note: Grüße\r\nMIME-Version: 1.0\r\nContent-Type: multipart/alternative;\r\n\tboundary=\"old\"\r\n\r\n")
	from(w, "A", "a@a.example")
	w.Set(tag(0x1009), uncompressed(htmlInRTF))
	recipient(w, 0, 1, "B", "b@b.example")
}

const htmlInRTF = `{\rtf1\ansi\ansicpg1252\fromhtml1 \fbidis \deff0{\fonttbl{\f0\fswiss\fcharset0 Arial;}{\f1\fmodern\fcharset204 Courier;}}
{\colortbl\red0\green0\blue0;}
\uc1\pard\plain\deftab360 \f0\fs24
{\*\htmltag19 <html>}{\*\htmltag34 <head>}{\*\htmltag84 <style>a \{ color: red \}</style>}{\*\htmltag41 </head>}{\*\htmltag50 <body>}\htmlrtf {\htmlrtf0
{\*\htmltag64 <p>}\htmlrtf {\htmlrtf0 Gr\'fc\'dfe \u8364?\lquote x\rquote\tab {\f1 \'cf\'f0\'e8} {\*\htmltag84 &nbsp;}\htmlrtf \'a0\htmlrtf0
{\*\mhtmltag84 <img src="hidden">}{\*\htmltag84 <img src="cid:1">}\htmlrtf\par}\htmlrtf0
{\*\htmltag72 </p>}\htmlrtf }\htmlrtf0 {\*\htmltag58 </body>}{\*\htmltag27 </html>}}`

// uncompressed wraps RTF in the form of compressed RTF that is not compressed.
func uncompressed(rtf string) []byte {
	b := binary.LittleEndian.AppendUint32(nil, uint32(len(rtf)+12))
	b = binary.LittleEndian.AppendUint32(b, uint32(len(rtf)))
	return append(append(b, "MELA\x00\x00\x00\x00"...), rtf...)
}

// minutes1601 is how recurrences write a time.
func minutes1601(t time.Time) uint32 { return uint32((t.Unix() + 11644473600) / 60) }

// recurrence writes what MS-OXOCAL 2.2.1.44.5 has: every other week on Monday and Wednesday at 10:00 for half an hour, ten times from 2 March 2026;
// 4 March left out, 16 March moved to the 17th with another subject and place.
func recurrence() []byte {
	le := binary.LittleEndian
	var b []byte
	u16 := func(n ...uint16) {
		for _, v := range n {
			b = le.AppendUint16(b, v)
		}
	}
	u32 := func(n ...uint32) {
		for _, v := range n {
			b = le.AppendUint32(b, v)
		}
	}
	day := func(s string) uint32 { return minutes1601(at(s + " 00:00")) }
	u16(0x3004, 0x3004, 0x200b, 1, 0)            // versions, weekly, by week, calendar
	u32(6*24*60, 2, 0, 1<<1|1<<3)                // first date, period, no sliding, Monday and Wednesday
	u32(0x2022, 10, 1)                           // ends after 10; weeks begin on Monday
	u32(2, day("2026-03-04"), day("2026-03-16")) // deleted, the changed one included
	u32(1, day("2026-03-17"))                    // modified
	u32(day("2026-03-02"), day("2026-04-29"))    // start, end
	u32(0x3006, 0x3009, 600, 630)                // versions, 10:00 to 10:30
	u16(1)
	x := at("2026-03-17 11:00")
	u32(minutes1601(x), minutes1601(x.Add(time.Hour)), minutes1601(at("2026-03-16 10:00")))
	u16(0x1 | 0x10 | 0x20)
	u16(5, 4)
	b = append(b, "Caf\xe9"...)
	u16(5, 4)
	b = append(b, "Room"...)
	u32(3)    // out of office
	u32(0)    // first reserved block
	u32(4, 0) // what changed
	u32(0)    // reserved
	u32(minutes1601(x), minutes1601(x.Add(time.Hour)), minutes1601(at("2026-03-16 10:00")))
	for _, s := range []string{"Café ☕", "Room 2"} {
		units := utf16.Encode([]rune(s))
		u16(uint16(len(units)))
		u16(units...)
	}
	u32(0, 0) // reserved
	return b
}

// berlin writes what MS-OXOCAL 2.2.1.41 has of the time zone of Berlin, with one rule.
func berlin() []byte {
	le := binary.LittleEndian
	var key []byte
	for _, u := range utf16.Encode([]rune("W. Europe Standard Time")) {
		key = le.AppendUint16(key, u)
	}
	b := []byte{2, 1}
	b = le.AppendUint16(b, uint16(6+len(key)))
	b = le.AppendUint16(b, 2)
	b = le.AppendUint16(b, uint16(len(key)/2))
	b = append(b, key...)
	b = le.AppendUint16(b, 1)
	b = append(b, 2, 1)
	b = le.AppendUint16(b, 0x3e)
	b = le.AppendUint16(b, 2)    // flags
	b = le.AppendUint16(b, 1601) // year
	b = append(b, make([]byte, 14)...)
	for _, bias := range []int32{-60, 0, -60} {
		b = le.AppendUint32(b, uint32(bias))
	}
	for _, n := range []uint16{0, 10, 0, 5, 3, 0, 0, 0 /* standard */, 0, 3, 0, 5, 2, 0, 0, 0 /* daylight */} {
		b = le.AppendUint16(b, n)
	}
	return b
}

func globalID(uid string) []byte {
	b := unhexString("040000008200e00074c5b7101a82e008 00000000 0000000000000000 0000000000000000")
	data := append([]byte("vCal-Uid\x01\x00\x00\x00"), uid...)
	return append(append(binary.LittleEndian.AppendUint32(b, uint32(len(data)+1)), data...), 0)
}

func unhexString(s string) []byte {
	b, err := hex.DecodeString(strings.Join(strings.Fields(s), ""))
	if err != nil {
		panic(err)
	}
	return b
}

func meeting(w *ft.Writer) {
	w.Set(tag(0x001a), "IPM.Appointment")
	w.Set(tag(0x0037), "Planning; monthly, maybe")
	w.Set(tag(0x3007), at("2026-02-20 08:00"))
	w.Set(tag(0x3008), at("2026-02-21 08:00"))
	w.Set(named(setAppointment, 0x820d), at("2026-03-02 09:00"))
	w.Set(named(setAppointment, 0x820e), at("2026-03-02 09:30"))
	w.Set(named(setAppointment, 0x8208), "Room 1")
	w.Set(named(setAppointment, 0x8205), int32(2))
	w.Set(named(setAppointment, 0x8217), int32(1))
	w.Set(named(setAppointment, 0x8218), int32(1))
	w.Set(named(setAppointment, 0x8216), recurrence())
	w.Set(named(setAppointment, 0x825e), berlin())
	w.Set(named(setCommon, 0x8503), true)
	w.Set(named(setCommon, 0x8501), int32(15))
	w.Set(named(setMeeting, 0x23), globalID("plan-1@contoso.example"))
	from(w, "Erika Müller", "erika@contoso.example")
	w.Set(tag(0x1000), "Agenda:\r\n1. Numbers\r\n")
	recipient(w, 0, 1, "Erika Müller", "erika@contoso.example", element{name: tag(0x5ffd), value: int32(3)})
	recipient(w, 1, 1, "Max", "max@contoso.example", element{name: tag(0x5fff), value: int32(3)})
	recipient(w, 2, 2, "Ada", "ada@contoso.example", element{name: tag(0x5fff), value: int32(4)})
	recipient(w, 3, 3, "Room 1", "room1@contoso.example")
	w.Mark(ft.NewAttachment)
	w.Set(tag(0x0e21), int32(0))
	w.Set(tag(0x3705), int32(5))
	w.Set(tag(0x7ffd), int32(2))
	w.Set(tag(0x7ff9), at("2026-03-16 09:00"))
	w.Mark(ft.StartEmbedded)
	w.Set(tag(0x001a), "IPM.OLE.CLASS.{00061055-0000-0000-C000-000000000046}")
	w.Set(tag(0x0037), "Café ☕")
	w.Mark(ft.EndEmbedded)
	w.Mark(ft.EndAttachment)
}

func holiday(w *ft.Writer) {
	w.Set(tag(0x001a), "IPM.Appointment")
	w.Set(tag(0x0037), "Holiday")
	w.Set(tag(0x3008), at("2026-02-21 08:00"))
	w.Set(tag(0x300b), []byte{0xab, 0xcd})
	w.Set(named(setAppointment, 0x820d), at("2026-07-31 22:00"))
	w.Set(named(setAppointment, 0x820e), at("2026-08-02 22:00"))
	w.Set(named(setAppointment, 0x8215), true)
	w.Set(named(setAppointment, 0x8205), int32(3))
	w.Set(named(setAppointment, 0x825e), berlin())
}

func contact(w *ft.Writer) {
	w.Set(tag(0x001a), "IPM.Contact")
	w.Set(tag(0x3008), at("2026-02-21 08:00"))
	w.Set(tag(0x3001), "Dr. Ada Lovelace")
	w.Set(tag(0x3a45), "Dr.")
	w.Set(tag(0x3a06), "Ada")
	w.Set(tag(0x3a44), "King")
	w.Set(tag(0x3a11), "Lovelace; née Byron")
	w.Set(tag(0x3a16), "Engines, Ltd.")
	w.Set(tag(0x3a18), "Analysis")
	w.Set(tag(0x3a17), "Countess")
	w.Set(tag(0x3a08), "+44 20 1")
	w.Set(tag(0x3a1c), "+44 70 2")
	w.Set(tag(0x3a24), "+44 20 3")
	w.Set(tag(0x3a42), at("1815-12-10 00:00"))
	w.Set(tag(0x3a58), []string{"Byron", "Annabella"})
	w.Set(named(setAddress, 0x8080), "Ada")
	w.Set(named(setAddress, 0x8082), "SMTP")
	w.Set(named(setAddress, 0x8083), "ada@engines.example")
	w.Set(named(setAddress, 0x8045), "12 St. James's Square\r\nLondon side")
	w.Set(named(setAddress, 0x8046), "London")
	w.Set(named(setAddress, 0x8048), "SW1Y")
	w.Set(named(setAddress, 0x8049), "United Kingdom")
	w.Set(named(setAddress, 0x8022), int32(2))
	w.Set(tag(0x1000), "Wrote the first program.")
	attachment(w, 0, "ContactPicture.jpg", "image/jpeg", bytes.Repeat([]byte{0xff, 0xd8, 0xff}, 40), element{name: tag(0x7fff), value: true})
}

func todo(w *ft.Writer) {
	w.Set(tag(0x001a), "IPM.Task")
	w.Set(tag(0x0037), "Count the beans")
	w.Set(tag(0x3008), at("2026-02-21 08:00"))
	w.Set(tag(0x300b), []byte{0x77})
	w.Set(named(setTask, 0x8101), int32(1))
	w.Set(named(setTask, 0x8102), 0.25)
	w.Set(named(setTask, 0x8104), at("2026-03-01 00:00"))
	w.Set(named(setTask, 0x8105), at("2026-03-05 00:00"))
	w.Set(named(setTask, 0x810f), time.Date(4501, 1, 1, 0, 0, 0, 0, time.UTC))
	w.Set(named(setTask, 0x811f), "Erika Müller")
	w.Set(named(setCommon, 0x8503), true)
	w.Set(named(setCommon, 0x8502), at("2026-03-05 07:00"))
	w.Set(tag(0x1000), "All of them.")
}

func note(w *ft.Writer) {
	w.Set(tag(0x001a), "IPM.StickyNote")
	w.Set(tag(0x0037), "milk")
	w.Set(tag(0x3007), at("2026-02-21 08:00"))
	w.Set(named(setNote, 0x8b00), int32(1))
	w.Set(tag(0x1000), "milk\r\neggs")
}

func stream(tb testing.TB, write item, o ft.WriterOptions) []byte {
	tb.Helper()
	var out bytes.Buffer
	w := ft.NewWriter(&out, o)
	write(w)
	if err := w.Close(); err != nil {
		tb.Fatal(err)
	}
	return out.Bytes()
}

func read(tb testing.TB, data []byte) *ft.Message {
	tb.Helper()
	m, err := ft.Read(bytes.NewReader(data), ft.Options{})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { m.Close() })
	return m
}

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(file, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s is different:\n%s", name, got)
	}
}

// hexLines is the form of streams in testdata, 32 bytes a line.
func hexLines(b []byte) []byte {
	var out bytes.Buffer
	for len(b) > 0 {
		n := min(32, len(b))
		fmt.Fprintf(&out, "%x\n", b[:n])
		b = b[n:]
	}
	return out.Bytes()
}

// The streams in testdata must be read for ever, and what is made of them is what people get.
func TestGoldenStreamsAndWhatIsMadeOfThem(t *testing.T) {
	type made struct {
		ending string
		write  func(*ft.Message, *bytes.Buffer) error
	}
	eml := made{".eml", func(m *ft.Message, b *bytes.Buffer) error { return m.WriteEML(b) }}
	ics := made{".ics", func(m *ft.Message, b *bytes.Buffer) error { return m.WriteICalendar(b) }}
	vcf := made{".vcf", func(m *ft.Message, b *bytes.Buffer) error { return m.WriteVCard(b) }}
	for name, tc := range map[string]struct {
		write item
		made  []made
	}{
		"mail": {mailItem, []made{eml}}, "received": {received, []made{eml}}, "meeting": {meeting, []made{eml, ics}}, "holiday": {holiday, []made{ics}},
		"contact": {contact, []made{eml, vcf}}, "task": {todo, []made{ics}}, "note": {note, []made{eml}},
	} {
		t.Run(name, func(t *testing.T) {
			data := stream(t, tc.write, ft.WriterOptions{})
			golden(t, name+".hex", hexLines(data))
			for _, made := range tc.made {
				var first, second bytes.Buffer
				if err := made.write(read(t, data), &first); err != nil {
					t.Fatal(err)
				}
				golden(t, name+made.ending, first.Bytes())
				// The same with all values in the temporary file and the stream in tiny records.
				m, err := ft.Read(bytes.NewReader(stream(t, tc.write, ft.WriterOptions{Record: 7})), ft.Options{Memory: 1})
				if err != nil {
					t.Fatal(err)
				}
				defer m.Close()
				if err := made.write(m, &second); err != nil {
					t.Fatal(err)
				}
				if !bytes.Equal(first.Bytes(), second.Bytes()) {
					t.Errorf("%s from the temporary file:\n%s", made.ending, &second)
				}
			}
		})
	}
}
