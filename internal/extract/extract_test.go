package extract_test

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"holdfast/internal/extract"
)

func TestMain(m *testing.M) {
	extract.Main()
	os.Exit(m.Run())
}

// archive is a ZIP of parts, in order of name and content.
func archive(t testing.TB, parts ...string) string {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for i := 0; i < len(parts); i += 2 {
		w, err := z.Create(parts[i])
		if err == nil {
			_, err = io.WriteString(w, parts[i+1])
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// pdf is a file with a page for each text.
func pdf(texts ...string) string {
	var b bytes.Buffer
	var at []int
	object := func(body string) {
		at = append(at, b.Len())
		fmt.Fprintf(&b, "%d 0 obj\n%s\nendobj\n", len(at), body)
	}
	b.WriteString("%PDF-1.4\n")
	object("<< /Type /Catalog /Pages 2 0 R >>")
	kids := ""
	for i := range texts {
		kids += fmt.Sprintf("%d 0 R ", 4+2*i)
	}
	object(fmt.Sprintf("<< /Type /Pages /Kids [%s] /Count %d >>", kids, len(texts)))
	object("<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>")
	for i, text := range texts {
		object(fmt.Sprintf("<< /Type /Page /Parent 2 0 R /MediaBox [0 0 200 200] /Resources << /Font << /F1 3 0 R >> >> /Contents %d 0 R >>", 5+2*i))
		stream := fmt.Sprintf("BT /F1 12 Tf 20 100 Td (%s) Tj ET", text)
		object(fmt.Sprintf("<< /Length %d >>\nstream\n%s\nendstream", len(stream), stream))
	}
	xref := b.Len()
	fmt.Fprintf(&b, "xref\n0 %d\n0000000000 65535 f \n", len(at)+1)
	for _, n := range at {
		fmt.Fprintf(&b, "%010d 00000 n \n", n)
	}
	fmt.Fprintf(&b, "trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n", len(at)+1, xref)
	return b.String()
}

func docx(t testing.TB, body string) string {
	return archive(t, "[Content_Types].xml", "<Types/>", "word/document.xml", `<?xml version="1.0" encoding="UTF-8"?><w:document xmlns:w="w"><w:body>`+body+`</w:body></w:document>`)
}

func TestTextOfEachKindOfFile(t *testing.T) {
	for name, tc := range map[string]struct{ file, data, format, want string }{
		"plain":        {"a.txt", "one\r\ntwo\x00"[:8], "text", "one\ntwo"},
		"utf-16":       {"a.txt", "\xff\xfeG\x00r\x00\xfc\x00n\x00", "text", "Grün"},
		"utf-16 bare":  {"a.csv", strings.Repeat("a\x00,\x00", 40), "text", strings.Repeat("a,", 40)},
		"windows-1252": {"a.txt", "Gr\xfcn \x80", "text", "Grün €"},
		"html": {"a.htm", `<html><head><title>no</title><style>p{}</style></head><body><p>one <b>two</b>, three&amp;<br>four<script>alert("no")</script></p><table><tr><td>a</td><td>b</td></tr></table></body></html>`,
			"html", "one two, three&\nfour\na b"},
		"html declared": {"a.html", "<meta charset=\"iso-8859-2\"><p>\xb1", "html", "ą"},
		"docx": {"a.docx", docx(t, `<w:p><w:r><w:t>Hello</w:t></w:r><w:r><w:t xml:space="preserve"> world</w:t><w:tab/><w:t>&amp;</w:t></w:r></w:p><w:p><w:r><w:instrText>no</w:instrText><w:t>second</w:t></w:r></w:p>`),
			"docx", "Hello world\t&\nsecond"},
		"xlsx": {"a.xlsx", archive(t, "xl/workbook.xml", "<workbook/>", "xl/sharedStrings.xml", `<sst><si><t>name</t></si><si><r><t>a</t></r><r><t>da</t></r><rPh><t>no</t></rPh></si></sst>`,
			"xl/worksheets/sheet1.xml", `<worksheet><sheetData><row><c t="s"><v>0</v></c><c t="s"><v>1</v></c></row><row><c><v>42</v></c><c t="inlineStr"><is><t>in</t></is></c><c t="s"><v>99</v></c></row></sheetData></worksheet>`,
			"xl/worksheets/sheet10.xml", `<worksheet><row><c><v>last</v></c></row></worksheet>`, "xl/worksheets/sheet2.xml", `<worksheet><row><c><v>middle</v></c></row></worksheet>`),
			"xlsx", "name\tada\n42\tin\nmiddle\nlast"},
		"pptx": {"a.pptx", archive(t, "ppt/presentation.xml", "<p/>", "ppt/slides/slide1.xml", `<p:sld xmlns:a="a" xmlns:p="p"><a:p><a:r><a:t>Title</a:t></a:r></a:p></p:sld>`), "pptx", "Title"},
		"odt": {"a.odt", archive(t, "mimetype", "application/vnd.oasis.opendocument.text", "content.xml",
			`<office:document-content xmlns:office="o" xmlns:text="t"><office:automatic-styles>no</office:automatic-styles><office:body><text:h>Head</text:h><text:p>one<text:s/>two<text:line-break/>three</text:p></office:body></office:document-content>`),
			"odt", "Head\none two\nthree"},
		"ods":                 {"a.ods", archive(t, "mimetype", "application/vnd.oasis.opendocument.spreadsheet", "content.xml", `<o><body><p>x</p></body></o>`), "ods", "x"},
		"pdf":                 {"a.pdf", pdf("Hello PDF", "Second page"), "pdf", "Hello PDF\nSecond page"},
		"by content not name": {"a.jpg", pdf("Named wrong"), "pdf", "Named wrong"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := extract.From(t.Context(), tc.file, strings.NewReader(tc.data), extract.Limits{})
			if err != nil || got.Text != tc.want || got.Format != tc.format || got.Truncated {
				t.Errorf("got %q of %s (%+v), %v; want %q", got.Text, got.Format, got, err, tc.want)
			}
		})
	}
}

// Space between words is one space, however a page has it, and none begins a line.
func TestSpaceOfPages(t *testing.T) {
	for page, want := range map[string]string{
		"one two  three":                           "one two three",
		" one two ":                                "one two",
		"one two<b>three four</b> five":            "one twothree four five",
		"one <b> two </b> three":                   "one two three",
		"<p> one two </p> <p>three four</p>five":   "one two\nthree four\nfive",
		"one\n two\tthree":                         "one two three",
		"one two\u00a0three \u00fc x":              "one two three \u00fc x",
		"a &amp; b <i>c  d</i> e f":                "a & b c d e f",
		"<td>one two</td><td>three four</td> five": "one two three four five",
		"one\x7f two <b>\x01x y</b>":               "one two x y",
	} {
		if got := extract.HTML(t.Context(), page, extract.Limits{}); got.Text != want || got.Truncated {
			t.Errorf("%q has the text %q, want %q", page, got.Text, want)
		}
		cut := extract.HTML(t.Context(), page, extract.Limits{Text: 5})
		if !strings.HasPrefix(want, cut.Text) || len(cut.Text) > 5 || !cut.Truncated {
			t.Errorf("%q has %q in 5 bytes (cut: %t), want the start of %q", page, cut.Text, cut.Truncated, want)
		}
	}
}

func TestWhatHasNoTextSaysSo(t *testing.T) {
	for name, tc := range map[string]struct {
		data string
		want error
	}{
		"binary":            {strings.Repeat("\x00\x01\x02\xff", 100), extract.ErrNone},
		"another archive":   {archive(t, "a.txt", "x"), extract.ErrNone},
		"compound file":     {"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + strings.Repeat("\x00", 600), extract.ErrNone},
		"protected":         {"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + strings.Repeat("\x00", 600) + "E\x00n\x00c\x00r\x00y\x00p\x00t\x00e\x00d\x00P\x00a\x00c\x00k\x00a\x00g\x00e\x00", extract.ErrLocked},
		"half an archive":   {docx(t, "")[:60], nil},
		"half a pdf":        {pdf("x")[:100], nil},
		"pdf of nothing":    {"%PDF-1.7\n", nil},
		"word without text": {archive(t, "word/document.xml", "<w:document><w:body>"), nil},
	} {
		got, err := extract.From(t.Context(), "x", strings.NewReader(tc.data), extract.Limits{})
		if tc.want != nil && !errors.Is(err, tc.want) || err == nil && got.Text != "" {
			t.Errorf("%s: %q, %v; want %v", name, got.Text, err, tc.want)
		}
	}
}

func TestExtractionIsBounded(t *testing.T) {
	bomb := archive(t, "word/document.xml", "<w:document><w:body><w:p>"+strings.Repeat("<w:t>aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa</w:t>", 200_000))
	empty := archive(t, "word/document.xml", "<w:document>"+strings.Repeat(" ", 20<<20))
	deep := archive(t, "word/document.xml", strings.Repeat("<a>", 100_000))
	entity := archive(t, "word/document.xml", `<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;">]><w:t>&b;</w:t>`)
	many := make([]string, 0, 50_000)
	for i := range 25_000 {
		many = append(many, fmt.Sprint(i), "")
	}
	nested := "%PDF-1.4\n1 0 obj\n" + strings.Repeat("[", 8<<20) + "\nendobj\ntrailer << /Root 1 0 R >>\nstartxref\n9\n%%EOF\n"
	trailer := "%PDF-1.4\nxref\n0 0\ntrailer\n<< /Size 1 /Root " + strings.Repeat("<</A ", 4<<20) + "\nstartxref\n9\n%%EOF\n"
	loop := strings.Replace(pdf("a"), "/Kids [4 0 R ]", "/Kids [2 0 R ]", 1)
	for name, data := range map[string]string{"bomb": bomb, "bomb of nothing": empty, "deep": deep, "entities": entity, "entries": archive(t, many...), "nested PDF": nested, "nested trailer": trailer, "PDF in a circle": loop} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
			defer cancel()
			got, err := extract.From(ctx, name, strings.NewReader(data), extract.Limits{Text: 1 << 20, Unpacked: 8 << 20})
			if ctx.Err() != nil {
				t.Fatalf("it does not end: %v", err)
			}
			if len(got.Text) > 1<<20 || err == nil && got.Text != "" && !got.Truncated {
				t.Errorf("%d bytes, truncated %v, %v", len(got.Text), got.Truncated, err)
			}
			if strings.Contains(got.Text, "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa") && name == "entities" {
				t.Errorf("an entity was expanded: %q", got.Text)
			}
		})
	}
	got, err := extract.From(t.Context(), "a.txt", strings.NewReader(strings.Repeat("word ", 1000)), extract.Limits{Input: 100, Text: 50})
	if err != nil || len(got.Text) > 50 || !got.Truncated {
		t.Errorf("got %+v, %v", got, err)
	}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := extract.From(gone, "a.pdf", strings.NewReader(pdf("x")), extract.Limits{}); !errors.Is(err, context.Canceled) {
		t.Errorf("who left is answered %v", err)
	}
}

func FuzzFrom(f *testing.F) {
	for _, seed := range []string{"plain", "<html><body><p>x</p>", docx(f, "<w:p><w:t>x</w:t></w:p>"), archive(f, "xl/workbook.xml", "", "xl/sharedStrings.xml", "<si><t>x</t></si>", "xl/worksheets/sheet1.xml", `<row><c t="s"><v>0</v></c></row>`),
		archive(f, "mimetype", "spreadsheet", "content.xml", "<body><p>x</p></body>"), "\xff\xfea\x00"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, data string) {
		if strings.Contains(data[:min(len(data), 1100)], "%PDF-") {
			return // another process; its bounds have a test of their own
		}
		got, err := extract.From(t.Context(), "x", strings.NewReader(data), extract.Limits{Text: 1000, Unpacked: 1 << 20})
		if len(got.Text) > 1000 {
			t.Errorf("%d bytes of text", len(got.Text))
		}
		for _, c := range got.Text {
			if c < ' ' && c != '\n' && c != '\t' {
				t.Fatalf("control character %q in %q, %v", c, got.Text, err)
			}
		}
	})
}

func FuzzFields(f *testing.F) {
	for _, seed := range []string{"", " ", "a", "one two\tthree ", "Grüße an\u00a0alle\u2003\u0085x", "a\x00b \x01", "\xff\xfe a", "ende\u00a0", "日本 語"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if got, want := slices.Collect(extract.Fields(s)), strings.Fields(s); !slices.Equal(got, want) {
			t.Errorf("%q gives %q, want %q", s, got, want)
		}
	})
}
