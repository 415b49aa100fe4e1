package extract_test

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"holdfast/internal/extract"
	ft "holdfast/internal/fasttransfer"
)

// exported is an exported mail in memory.
type exported struct {
	data  []byte
	named bool  // equal parts have equal names
	again int   // parts that were asked for
	fails error // of reading a part
}

func (e *exported) Open() io.Reader { return bytes.NewReader(e.data) }

func (e *exported) Again(at, size int64) io.Reader {
	if e.again++; e.fails != nil {
		return iotest.ErrReader(e.fails)
	}
	return iotest.OneByteReader(bytes.NewReader(e.data[at : at+size]))
}

func (e *exported) Name(at, size int64) string {
	if !e.named {
		return ""
	}
	return string(e.data[at : at+size])
}

func property(id uint32) ft.Name { return ft.Name{ID: id} }

// mailOf writes an exported mail.
func mailOf(t testing.TB, class string, write func(w *ft.Writer)) []byte {
	t.Helper()
	var out bytes.Buffer
	w := ft.NewWriter(&out, ft.WriterOptions{Bare: true})
	w.Set(property(0x001a), class)
	w.Set(property(0x0037), "A subject")
	write(w)
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

type file struct {
	name, kind, data string
	inline           bool
}

func attach(w *ft.Writer, f file) {
	w.Mark(ft.NewAttachment)
	w.Set(property(0x3705), int32(1))
	w.Set(property(0x3707), f.name)
	w.Set(property(0x370e), f.kind)
	if f.inline {
		w.Set(property(0x3712), "part@1")
		w.Set(property(0x7ffe), true)
	}
	w.Set(property(0x3701), []byte(f.data))
	w.Mark(ft.EndAttachment)
}

func within(w *ft.Writer, class string, write func()) {
	w.Mark(ft.NewAttachment)
	w.Set(property(0x3705), int32(5))
	w.Set(property(0x3001), "Weitergeleitet")
	w.Mark(ft.StartEmbedded)
	w.Set(property(0x001a), class)
	w.Set(property(0x0037), "Innere Größe")
	write()
	w.Mark(ft.EndEmbedded)
	w.Mark(ft.EndAttachment)
}

// richText is RTF that is wrapped as an export has it, without being compressed.
func richText(rtf string) []byte {
	b := binary.LittleEndian.AppendUint32(nil, uint32(len(rtf)+12))
	b = binary.LittleEndian.AppendUint32(b, uint32(len(rtf)))
	return append(append(b, "MELA\x00\x00\x00\x00"...), rtf...)
}

func exportedMails(t testing.TB) map[string][]byte {
	long := strings.Repeat("quite some words that stand in a mail ", 200)
	all := map[string][]byte{
		"plain": mailOf(t, "IPM.Note", func(w *ft.Writer) { w.Set(property(0x1000), "Grüße\r\n\r\n aus  Köln 😀\r\n") }),
		"html": mailOf(t, "IPM.Note", func(w *ft.Writer) {
			w.Set(property(0x3fde), int32(28591))
			w.Set(property(0x1013), []byte("<html><head><title>Kopf</title><style>p{}</style></head><body><p>Gr\xfc\xdfe</p><img alt='a cat'>&amp; z</body></html>"))
		}),
		"both": mailOf(t, "IPM.Note", func(w *ft.Writer) {
			w.Set(property(0x1000), long)
			w.Set(property(0x1013), []byte("<p>page "+long))
		}),
		"stub plain": mailOf(t, "IPM.Note", func(w *ft.Writer) {
			w.Set(property(0x1000), "see the page")
			w.Set(property(0x1013), []byte("<p>page "+long))
		}),
		"text of one byte": mailOf(t, "IPM.Note", func(w *ft.Writer) {
			w.SetType(property(0x1000), ft.CodePage|1251, "Привет, мир")
		}),
		"nothing": mailOf(t, "IPM.Note", func(*ft.Writer) {}),
		"files": mailOf(t, "IPM.Note", func(w *ft.Writer) {
			w.Set(property(0x1000), "siehe Anhang")
			for _, f := range []file{{name: "Übersicht.txt", kind: "text/plain", data: long}, {name: "a.docx", data: docx(t, "<w:p><w:t>typed</w:t></w:p>")}, {name: "b.pdf", kind: "application/pdf", data: pdf("portable")},
				{name: "bad.docx", data: "PK\x03\x04 no archive"}, {name: "c.png", kind: "image/png", data: "text in a picture"}, {name: "page.html", kind: "text/html", data: "<p>in a page"},
				{name: "mail.eml", kind: "message/rfc822", data: "Subject: s\r\n\r\nmail in a file"}, {name: "=?utf-8?q?Caf=C3=A9.csv?=", data: "x;y"}, {data: "no name"}} {
				attach(w, f)
			}
		}),
		"parts in line": mailOf(t, "IPM.Note", func(w *ft.Writer) {
			w.Set(property(0x1013), []byte("<p>page</p>"))
			attach(w, file{name: "last.txt", kind: "text/plain", data: "comes last"})
			for _, f := range []file{{name: "a.png", kind: "image/png", data: "no text"}, {name: "note", kind: "text/plain", data: "a note in line"}, {name: "b.html", kind: "text/html", data: "<p>a page in line"}, {name: "c.csv", kind: "text/csv", data: "d;e"}, {kind: "", data: "of no kind"}} {
				f.inline = true
				attach(w, f)
			}
		}),
		"mails in it": mailOf(t, "IPM.Note", func(w *ft.Writer) {
			w.Set(property(0x1000), "zur Kenntnis")
			within(w, "IPM.Note", func() {
				w.Set(property(0x1000), "das Innere")
				attach(w, file{name: "deep.txt", kind: "text/plain", data: "deep down"})
				within(w, "IPM.Note", func() { w.Set(property(0x1013), []byte("<p>ganz innen")) })
			})
			attach(w, file{name: "after.txt", kind: "text/plain", data: "after it"})
		}),
		"a meeting in it": mailOf(t, "IPM.Note", func(w *ft.Writer) {
			w.Set(property(0x1000), "zur Kenntnis")
			within(w, "IPM.Task", func() { w.Set(property(0x1000), "packen") })
		}),
		"a link": mailOf(t, "IPM.Note", func(w *ft.Writer) {
			w.Mark(ft.NewAttachment)
			w.Set(property(0x3705), int32(7))
			w.Set(property(0x3707), "Shared.docx")
			w.Set(property(0x370d), "https://contoso.example/Shared.docx")
			w.Mark(ft.EndAttachment)
		}),
		"signed": mailOf(t, "IPM.Note.SMIME.MultipartSigned", func(w *ft.Writer) {
			attach(w, file{name: "smime.p7m", kind: "multipart/signed", data: "Content-Type: multipart/signed; boundary=x\r\n\r\n--x\r\n\r\nsigned words\r\n--x\r\nContent-Type: application/pkcs7-signature; name=smime.p7s\r\n\r\nxx\r\n--x--\r\n"})
		}),
		"encrypted":     mailOf(t, "IPM.Note.SMIME", func(w *ft.Writer) { attach(w, file{name: "smime.p7m", data: "secret"}) }),
		"text in RTF":   mailOf(t, "IPM.Note", func(w *ft.Writer) { w.Set(property(0x1009), richText(`{\rtf1\ansi\fromtext from text}`)) }),
		"RTF that ends": mailOf(t, "IPM.Note", func(w *ft.Writer) { w.Set(property(0x1009), []byte("\x10\x00\x00\x00")) }),
	}
	golden, err := filepath.Glob("../fasttransfer/testdata/*.hex")
	if err != nil || len(golden) < 5 {
		t.Fatal(golden, err)
	}
	for _, name := range golden {
		lines, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		framed, err := hex.DecodeString(strings.Join(strings.Fields(string(lines)), ""))
		if err != nil {
			t.Fatal(err)
		}
		var bare bytes.Buffer
		if err := ft.WithoutRecords(&bare, bytes.NewReader(framed)); err != nil {
			t.Fatal(err)
		}
		all[filepath.Base(name)] = bare.Bytes()
		all[filepath.Base(name)+" in records"] = framed
	}
	return all
}

// The text of an exported mail is that of the mail in MIME which it gives.
func TestExportedMailsGiveWhatTheirMIMEGives(t *testing.T) {
	for name, data := range exportedMails(t) {
		mime := ft.EML(io.NopCloser(bytes.NewReader(data)))
		want, err := extract.Mail(t.Context(), []extract.Piece{{Open: func() (io.ReadCloser, error) { return mime, nil }}}, extract.Limits{}, nil)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		got, err := extract.Exported(t.Context(), &exported{data: data}, extract.Limits{}, nil)
		if err != nil || words(got.Text) != words(want.Text) || !slices.Equal(got.Remark, want.Remark) {
			t.Errorf("%s gives %q %q, %v; want %q %q", name, got.Text, got.Remark, err, want.Text, want.Remark)
		}
		if words(got.Text) == "" && name != "nothing" {
			t.Errorf("%s gives no text: it shows nothing", name)
		}
	}
}

// What a person wrote in rich text is found once, and not how it is written.
func TestRichTextIsFoundWithoutItsCommands(t *testing.T) {
	data := mailOf(t, "IPM.Note", func(w *ft.Writer) {
		w.Set(property(0x1009), richText(`{\rtf1\ansi{\fonttbl{\f0\fswiss Arial;}}\pard written richly\par}`))
	})
	got, err := extract.Exported(t.Context(), &exported{data: data}, extract.Limits{}, nil)
	if err != nil || words(got.Text) != "written richly" {
		t.Errorf("%q, %v", got.Text, err)
	}
}

// Attachments that have no text are not read, and what can't be read is an error.
func TestAttachmentsOfExportedMailsAreReadWhenTheyAreNeeded(t *testing.T) {
	broken := errors.New("broken storage")
	for name, want := range map[string]error{"a.png": nil, "a.txt": broken, "a.pdf": broken, "a.eml": broken} {
		data := mailOf(t, "IPM.Note", func(w *ft.Writer) { attach(w, file{name: name, data: strings.Repeat("x", 3000)}) })
		e := &exported{data: data, fails: broken}
		if _, err := extract.Exported(t.Context(), e, extract.Limits{}, nil); !errors.Is(err, want) || want == nil && e.again > 0 {
			t.Errorf("%s: %v, %d reads", name, err, e.again)
		}
	}
	var bad *ft.Error
	if _, err := extract.Exported(t.Context(), &exported{data: []byte("no stream at all")}, extract.Limits{}, nil); !errors.As(err, &bad) {
		t.Errorf("what is no stream gives %v", err)
	}
}

// An attachment that many exported mails have is read once, and each of them has its words.
func TestAttachmentOfManyExportedMailsIsReadOnce(t *testing.T) {
	for name, tc := range map[string]struct {
		data, want string
		reads      int
	}{"a.pdf": {pdf("portable"), "portable", 1}, "b.docx": {docx(t, "<w:p><w:t>typed</w:t></w:p>"), "typed", 1}, "bad.docx": {"PK\x03\x04 no archive", "bad.docx", 3}, "c.txt": {"plain", "plain", 3}} {
		kept := extract.NewCache(1 << 20)
		reads := 0
		for n := range 3 {
			e := &exported{named: true, data: mailOf(t, "IPM.Note", func(w *ft.Writer) {
				w.Set(property(0x1000), strings.Repeat("before it ", n))
				attach(w, file{name: name, data: tc.data})
			})}
			got, err := extract.Exported(t.Context(), e, extract.Limits{}, kept)
			if err != nil || !strings.Contains(got.Text, tc.want) || (len(got.Remark) > 0) != (name == "bad.docx") {
				t.Errorf("%s gives %q %q, %v", name, got.Text, got.Remark, err)
			}
			reads += e.again
		}
		if reads != tc.reads {
			t.Errorf("%s is read %d times", name, reads)
		}
	}
}
