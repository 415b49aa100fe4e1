package fasttransfer_test

import (
	"bytes"
	"encoding/binary"
	"io"
	"mime"
	"mime/multipart"
	"net/mail"
	"runtime"
	"strings"
	"testing"
	"time"

	ft "holdfast/internal/fasttransfer"
)

// Signed mail is written as it is, so it may have a line that looks like a boundary of the mail that it is attached to.
func TestASignedMailWithinCannotEndTheMailAroundIt(t *testing.T) {
	signed := "Content-Type: text/plain\r\n\r\nhi\r\n--=_holdfast_1\r\nContent-Type: text/html\r\n\r\n<b>planted</b>\r\n--=_holdfast_1_\r\n\r\n--=_holdfast_1--\r\n"
	write := func(w *ft.Writer) {
		w.Set(tag(0x001a), "IPM.Note")
		w.Set(tag(0x1000), "Outside.")
		w.Mark(ft.NewAttachment)
		w.Set(tag(0x3705), int32(5))
		w.Set(tag(0x3001), "Inner")
		w.Mark(ft.StartEmbedded)
		w.Set(tag(0x001a), "IPM.Note.SMIME.MultipartSigned")
		w.Set(tag(0x007d), "From: a@a.example\r\n--=_holdfast_1_: x\r\n")
		attachment(w, 0, "smime.p7m", "multipart/signed", []byte(signed))
		w.Mark(ft.EndEmbedded)
		w.Mark(ft.EndAttachment)
		attachment(w, 1, "last.txt", "text/plain", []byte("last"))
	}
	var out, again bytes.Buffer
	for _, b := range []*bytes.Buffer{&out, &again} {
		if err := read(t, stream(t, write, ft.WriterOptions{})).WriteEML(b); err != nil {
			t.Fatal(err)
		}
	}
	if !bytes.Equal(out.Bytes(), again.Bytes()) {
		t.Error("equal messages give different bytes")
	}
	m, err := mail.ReadMessage(bytes.NewReader(out.Bytes()))
	if err != nil {
		t.Fatal(err)
	}
	_, params, err := mime.ParseMediaType(m.Header.Get("Content-Type"))
	if err != nil {
		t.Fatal(err)
	}
	var kinds []string
	parts := multipart.NewReader(m.Body, params["boundary"])
	for {
		p, err := parts.NextRawPart()
		if err == io.EOF {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		kind, _, _ := mime.ParseMediaType(p.Header.Get("Content-Type"))
		kinds = append(kinds, kind)
	}
	if got := strings.Join(kinds, " "); got != "text/plain message/rfc822 text/plain" {
		t.Errorf("the parts are %s in\n%s", got, &out)
	}
	if strings.Contains(out.String(), "--=_holdfast_1_: x") || !strings.Contains(out.String(), signed) {
		t.Errorf("a field that looks like a boundary, or another signed text:\n%s", &out)
	}
}

// allocated is how many bytes of memory fn asks for in all. What grows with the square of its input shows in it.
func allocated(fn func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	fn()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

func TestAFieldOfManyLinesIsReadInTimeOfItsLength(t *testing.T) {
	header := "From: a@a.example\r\nX-Long: 1\r\n" + strings.Repeat(" a\r\n", 20_000)
	m := read(t, stream(t, func(w *ft.Writer) {
		w.Set(tag(0x001a), "IPM.Note")
		w.Set(tag(0x007d), header)
	}, ft.WriterOptions{}))
	var out bytes.Buffer
	if n := allocated(func() {
		if err := m.WriteEML(&out); err != nil {
			t.Error(err)
		}
	}); n > 100*uint64(len(header)) {
		t.Errorf("%d bytes of memory for a header of %d", n, len(header))
	}
	if strings.Count(out.String(), "\r\n a") != 20_000 {
		t.Error("the field is not as it was")
	}
}

// A series of many changed occurrences that are nothing but times must not multiply what the series has.
func TestChangedOccurrencesDoNotMultiplyTheSeries(t *testing.T) {
	const changed = 5000
	text := strings.Repeat("All of the agenda. ", 3000)
	m := read(t, stream(t, func(w *ft.Writer) {
		w.Set(tag(0x001a), "IPM.Appointment")
		w.Set(tag(0x0037), "Planning")
		w.Set(named(setAppointment, 0x820d), at("2026-03-02 10:00"))
		w.Set(named(setAppointment, 0x820e), at("2026-03-02 10:30"))
		w.Set(named(setAppointment, 0x8216), moved(changed))
		w.Set(tag(0x1009), uncompressed(`{\rtf1\ansi\fromtext `+text+"}"))
	}, ft.WriterOptions{}))
	var out bytes.Buffer
	n := allocated(func() {
		if err := m.WriteICalendar(&out); err != nil {
			t.Error(err)
		}
	})
	if got := strings.Count(out.String(), "BEGIN:VEVENT"); got != changed+1 {
		t.Errorf("%d events", got)
	}
	if out.Len() > 32<<20 || n > 256<<20 {
		t.Errorf("a series with a text of %d bytes: %d bytes of calendar, %d of memory", len(text), out.Len(), n)
	}
	if !strings.Contains(out.String(), "X-HOLDFAST-PROBLEM") {
		t.Error("nothing says what is not repeated")
	}
}

// A text without a letter of ASCII is decoded in pieces, too: not all of it lies in memory at once.
func TestRTFWithoutASCIIIsNotHeld(t *testing.T) {
	const size = 24 << 20
	m, err := ft.Read(bytes.NewReader(stream(t, func(w *ft.Writer) {
		w.Set(tag(0x1009), uncompressed(`{\rtf1\ansi\fromtext `+strings.Repeat("\xe4", size)+"}"))
	}, ft.WriterOptions{})), ft.Options{Memory: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	var body ft.Body
	if n := allocated(func() { body = m.Body() }); n > 9*size {
		t.Errorf("%d bytes of memory for %d of text", n, size)
	}
	if got := body.Plain.Content.Size(); got != 2*size {
		t.Errorf("%d bytes of text", got)
	}
}

// moved is a daily series of which the first n days are an hour later.
func moved(n int) []byte {
	le := binary.LittleEndian
	var b []byte
	u16 := func(v uint16) { b = le.AppendUint16(b, v) }
	u32 := func(n ...uint32) {
		for _, v := range n {
			b = le.AppendUint32(b, v)
		}
	}
	first := at("2026-03-02 00:00")
	for _, v := range []uint16{0x3004, 0x3004, 0x200a, 0, 0} {
		u16(v)
	}
	u32(0, 24*60, 0, 0x2023, 0, 1, 0, 0, minutes1601(first), minutes1601(first.AddDate(30, 0, 0)), 0x3006, 0x3009, 600, 630)
	u16(uint16(n))
	for i := range n {
		day := first.AddDate(0, 0, i)
		u32(minutes1601(day.Add(11*time.Hour)), minutes1601(day.Add(12*time.Hour)), minutes1601(day.Add(10*time.Hour)))
		u16(0)
	}
	u32(0)
	for range n {
		u32(4, 0, 0)
	}
	return b
}

// An address's domain can't end the address and begin another person.
func TestADomainIsNoOtherPerson(t *testing.T) {
	m := read(t, stream(t, func(w *ft.Writer) {
		w.Set(tag(0x001a), "IPM.Note")
		from(w, "A", `a@b.example>, "The Boss" <boss`)
		recipient(w, 0, 1, "B", "b@b.example> , C")
	}, ft.WriterOptions{}))
	var out bytes.Buffer
	if err := m.WriteEML(&out); err != nil {
		t.Fatal(err)
	}
	head, err := mail.ReadMessage(&out)
	if err != nil {
		t.Fatal(err)
	}
	for field, name := range map[string]string{"From": "A", "To": "B"} {
		if list, err := head.Header.AddressList(field); err != nil || len(list) != 1 || list[0].Name != name {
			t.Errorf("%s: %v, %v in %q", field, list, err, head.Header.Get(field))
		}
	}
}

// What is written as it is begins with fields about the parts. With any other field it is an attachment like all others.
func TestSignedPartsHaveNoFieldsOfTheMail(t *testing.T) {
	for _, planted := range []string{"From: boss@contoso.example\r\n", "Content-Note: x\rFrom: boss@contoso.example\r\n", "no field\r\n"} {
		m := read(t, stream(t, func(w *ft.Writer) {
			w.Set(tag(0x001a), "IPM.Note.SMIME.MultipartSigned")
			from(w, "A", "a@a.example")
			attachment(w, 0, "smime.p7m", "multipart/signed", []byte("Content-Type: text/plain\r\n"+planted+"\r\nhi\r\n"))
		}, ft.WriterOptions{}))
		var out bytes.Buffer
		if err := m.WriteEML(&out); err != nil {
			t.Fatal(err)
		}
		if strings.Contains(out.String(), planted) || !strings.Contains(out.String(), "filename=smime.p7m") {
			t.Errorf("%q in\n%s", planted, &out)
		}
	}
}
