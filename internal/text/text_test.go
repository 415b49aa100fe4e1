package text_test

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"holdfast/internal/text"
)

// The test itself is the process that reads PDFs.
func TestMain(m *testing.M) {
	switch {
	case len(os.Args) > 1 && os.Args[1] == "serve-pdf":
		if err := text.ServePDF(os.Stdin, os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	case len(os.Args) > 1 && os.Args[1] == "hang":
		select {}
	}
	os.Exit(m.Run())
}

func pdfs(t testing.TB, command string) *text.PDF {
	p := &text.PDF{Command: []string{os.Args[0], command}}
	t.Cleanup(p.Close)
	return p
}

// zipped makes a document of parts.
func zipped(t testing.TB, parts ...string) string {
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

// pdfOf makes a PDF of one page.
func pdfOf(line string) string {
	var b strings.Builder
	var at []int
	object := func(s string) {
		at = append(at, b.Len())
		fmt.Fprintf(&b, "%d 0 obj\n%s\nendobj\n", len(at), s)
	}
	b.WriteString("%PDF-1.4\n")
	object("<< /Type /Catalog /Pages 2 0 R >>")
	object("<< /Type /Pages /Kids [3 0 R] /Count 1 >>")
	object("<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 4 0 R /Resources << /Font << /F1 5 0 R >> >> >>")
	stream := "BT /F1 12 Tf 72 720 Td (" + line + ") Tj ET"
	object(fmt.Sprintf("<< /Length %d >>\nstream\n%s\nendstream", len(stream), stream))
	object("<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>")
	start := b.Len()
	fmt.Fprintf(&b, "xref\n0 %d\n0000000000 65535 f \n", len(at)+1)
	for _, n := range at {
		fmt.Fprintf(&b, "%010d 00000 n \n", n)
	}
	fmt.Fprintf(&b, "trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n", len(at)+1, start)
	return b.String()
}

func words(s string) string { return strings.Join(strings.Fields(s), " ") }

func TestFilesGiveTheirText(t *testing.T) {
	reader := pdfs(t, "serve-pdf")
	for name, tc := range map[string]struct{ data, want string }{
		"a.txt":  {"Grüße\naus Köln", "Grüße aus Köln"},
		"b.txt":  {"Gr\xfc\xdfe", "Grüße"},
		"c.csv":  {"\xff\xfea\x00;\x00b\x00", "a;b"},
		"d.TXT":  {"\xef\xbb\xbfmark", "mark"},
		"e.txt":  {"bin\x00ary", ""},
		"f.html": {`<html><head><title>Top</title><style>p{x:y}</style></head><p>one<b>two</b> <i>three</i><br>four<script>if (a<b) evil()</script><img alt="a cat"><td>x<td>y &amp; z`, "Top onetwo three four a cat x y & z"},
		"g.docx": {zipped(t, "word/document.xml", `<w:document><w:body><w:p><w:r><w:t>Budget</w:t></w:r><w:r><w:t xml:space="preserve"> plan</w:t></w:r></w:p><w:p><w:r><w:t>sec</w:t></w:r><w:r><w:t>ond</w:t><w:tab/><w:t>line</w:t><w:instrText>PAGE</w:instrText></w:r></w:p></w:body></w:document>`,
			"word/header1.xml", `<w:hdr><w:p><w:t>Heading</w:t></w:p></w:hdr>`, "word/styles.xml", `<w:styles>no</w:styles>`), "Heading Budget plan second line"},
		"h.xlsx": {zipped(t, "xl/sharedStrings.xml", `<sst><si><t>Ada</t></si><si><r><t>Grace</t></r></si></sst>`, "xl/workbook.xml", `<workbook><sheets><sheet name="Pay roll"/></sheets></workbook>`,
			"xl/worksheets/sheet1.xml", `<worksheet><row><c t="s"><v>0</v></c><c><f>A1*2</f><v>4711</v></c><c t="inlineStr"><is><t>in line</t></is></c></row></worksheet>`), "Pay roll Ada Grace 4711 in line"},
		"i.pptx": {zipped(t, "ppt/slides/slide10.xml", `<p:sld><a:p><a:t>ten</a:t></a:p></p:sld>`, "ppt/slides/slide9.xml", `<p:sld><a:p><a:t>nine</a:t></a:p></p:sld>`), "nine ten"},
		"j.odt":  {zipped(t, "content.xml", `<office:document-content><text:p>Open<text:s/>text</text:p><text:h>Head</text:h></office:document-content>`), "Open text Head"},
		"k.pdf":  {pdfOf("Hello portable world"), "Hello portable world"},
		"l.eml":  {"Subject: s\r\n\r\nmail in a file", "mail in a file"},
		"m.exe":  {"MZ text", ""},
		"n":      {"no extension", ""},
	} {
		got, err := text.File(t.Context(), name, strings.NewReader(tc.data), text.Limits{PDF: reader})
		if words(got.Text) != tc.want || err != nil || len(got.Remark) > 0 {
			t.Errorf("%s gives %q %q, %v; want %q", name, got.Text, got.Remark, err, tc.want)
		}
		if text.Readable(name) != (name != "m.exe" && name != "n") {
			t.Errorf("%s: Readable is %v", name, text.Readable(name))
		}
	}
}

func TestMailsGiveTheirText(t *testing.T) {
	const long = "The quick brown fox jumps over the lazy dog. "
	for name, tc := range map[string]struct{ mail, want string }{
		"plain":      {"Subject: no\r\nContent-Type: text/plain; charset=iso-8859-1\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\nGr=FC=DFe=\r\n!", "Grüße!"},
		"no type":    {"Subject: no\r\n\r\nhi there", "hi there"},
		"html":       {"Content-Type: text/html\r\nContent-Transfer-Encoding: base64\r\n\r\nPHA+aGkgPGI+\r\ndGhlcmU8L2I+", "hi there"},
		"both":       {"Content-Type: multipart/alternative; boundary=x\r\n\r\n--x\r\nContent-Type: text/plain\r\n\r\nplain\r\n--x\r\nContent-Type: text/html\r\n\r\n<p>page\r\n--x--\r\n", "plain"},
		"stub plain": {"Content-Type: multipart/alternative; boundary=x\r\n\r\n--x\r\nContent-Type: text/plain\r\n\r\nsee\r\n--x\r\nContent-Type: text/html\r\n\r\n<p>" + strings.Repeat(long, 5) + "\r\n--x--\r\n", strings.TrimSpace(strings.Repeat(long, 5))},
		"attached": {"Content-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\n\r\nbody\r\n--x\r\nContent-Type: application/octet-stream; name=\"=?utf-8?q?Caf=C3=A9.txt?=\"\r\nContent-Disposition: attachment\r\n\r\ninside\r\n" +
			"--x\r\nContent-Type: image/png; name=a.png\r\n\r\nPNGDATA\r\n--x\r\nContent-Type: message/rfc822\r\n\r\nSubject: =?utf-8?q?in?=\r\n\r\nforwarded\r\n--x--\r\n", "body Café.txt inside a.png in forwarded"},
		"cut":         {"Content-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\n\r\nbody", "body"},
		"no boundary": {"Content-Type: multipart/mixed\r\n\r\nbody", ""},
		"bad base64":  {"Content-Transfer-Encoding: base64\r\n\r\naGkgdGhlcmU=!!!!", "hi there"},
	} {
		got, err := text.Mail(t.Context(), strings.NewReader(tc.mail), text.Limits{})
		if words(got.Text) != tc.want || err != nil {
			t.Errorf("%s gives %q %q, %v; want %q", name, got.Text, got.Remark, err, tc.want)
		}
	}
}

func TestHostileFilesAreBounded(t *testing.T) {
	reader := pdfs(t, "serve-pdf")
	deep := "Subject: a\r\n\r\nx"
	for range 50 {
		deep = "Content-Type: message/rfc822\r\n\r\n" + deep
	}
	many := "Content-Type: multipart/mixed; boundary=x\r\n\r\n" + strings.Repeat("--x\r\n\r\na\r\n", 2000)
	for name, tc := range map[string]struct{ file, data, say string }{
		"bomb":        {"a.docx", zipped(t, "word/document.xml", "<w:t>"+strings.Repeat("a ", 8<<20)), "MB unpacked"},
		"deep XML":    {"a.docx", zipped(t, "word/document.xml", strings.Repeat("<a>", 300)), "damaged"},
		"entities":    {"a.docx", zipped(t, "word/document.xml", `<!DOCTYPE x [<!ENTITY a "b"><!ENTITY c "&a;&a;">]><w:t>&c;</w:t>`), ""},
		"no zip":      {"a.docx", "hello", "not a readable document"},
		"encrypted":   {"a.docx", "\xd0\xcf\x11\xe0", "encrypted"},
		"too large":   {"a.txt", strings.Repeat("a", 3<<20), "larger than"},
		"much text":   {"a.txt", strings.Repeat("ä ", 500<<10), "only the first"},
		"PDF garbage": {"a.pdf", "%PDF-1.4 garbage", "not a readable PDF"},
		"PDF cut":     {"a.pdf", pdfOf("hello")[:300], "PDF"},
		"deep mail":   {"a.eml", deep, "too many parts"},
		"many parts":  {"a.eml", many, "too many parts"},
	} {
		got, err := text.File(t.Context(), tc.file, strings.NewReader(tc.data), text.Limits{Input: 2 << 20, Unpacked: 1 << 20, Text: 1 << 20, PDF: reader})
		if err != nil || len(got.Text) > 1<<20 || !strings.Contains(strings.Join(got.Remark, ";"), tc.say) {
			t.Errorf("%s: %d bytes, remarks %q, %v; want %q", name, len(got.Text), got.Remark, err, tc.say)
		}
	}
}

func TestPDFThatTakesTooLongIsGivenUp(t *testing.T) {
	reader := pdfs(t, "hang")
	for range 2 { // a new process each time
		got, err := text.File(t.Context(), "a.pdf", strings.NewReader(pdfOf("x")), text.Limits{PDF: reader, Time: 50 * time.Millisecond})
		if err != nil || len(got.Remark) != 1 || !strings.Contains(got.Remark[0], "too long") {
			t.Errorf("%+v, %v", got, err)
		}
	}
}

// A file that takes all memory ends the process that reads it, and the next one is read again.
func TestPDFReaderIsStartedAgain(t *testing.T) {
	reader := pdfs(t, "serve-pdf")
	bomb := pdfOf(strings.Repeat("a", 100))
	bomb = strings.Replace(bomb, "/Count 1", "/Count 99999999", 1)
	for _, data := range []string{pdfOf("first"), bomb, pdfOf("second")} {
		got, err := text.File(t.Context(), "a.pdf", strings.NewReader(data), text.Limits{PDF: reader, Time: 5 * time.Second})
		if err != nil || data != bomb && got.Text == "" {
			t.Errorf("%+v, %v", got, err)
		}
	}
	reader.Close()
	got, err := text.File(t.Context(), "a.pdf", strings.NewReader(pdfOf("third")), text.Limits{PDF: reader})
	if err != nil || len(got.Remark) != 1 {
		t.Errorf("after Close: %+v, %v", got, err)
	}
}

func TestErrorsOfReadingAreNotRemarks(t *testing.T) {
	broken := errors.New("broken storage")
	for _, name := range []string{"a.txt", "a.docx", "a.eml"} {
		_, err := text.File(t.Context(), name, io.MultiReader(strings.NewReader("Content-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\n\r\nab"), iotest.ErrReader(broken)), text.Limits{})
		if !errors.Is(err, broken) {
			t.Errorf("%s: %v", name, err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := text.Mail(ctx, strings.NewReader("Subject: a\r\n\r\nb"), text.Limits{}); !errors.Is(err, context.Canceled) {
		t.Errorf("an ended context gives %v", err)
	}
}

func FuzzFile(f *testing.F) {
	f.Add(0, "Content-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\nContent-Disposition: attachment; filename=a.html\r\n\r\n<b>x")
	f.Add(1, "<p>a<script>b</script><img alt=x>")
	f.Add(2, `<w:p><w:t>a</w:t></w:p>`)
	f.Add(3, `<row><c t="s"><v>1</v></c></row>`)
	f.Add(4, "\xfe\xff\x00a")
	f.Fuzz(func(t *testing.T, kind int, data string) {
		name := "a.txt"
		switch kind {
		case 0:
			name = "a.eml"
		case 1:
			name = "a.htm"
		case 2:
			name, data = "a.docx", zipped(t, "word/document.xml", data)
		case 3:
			name, data = "a.xlsx", zipped(t, "xl/worksheets/sheet1.xml", data)
		}
		got, err := text.File(t.Context(), name, strings.NewReader(data), text.Limits{Text: 1000})
		if err != nil || len(got.Text) > 1000 || strings.ToValidUTF8(got.Text, "") != got.Text {
			t.Errorf("%s gives %q, %v", name, got.Text, err)
		}
	})
}
