package extract_test

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"holdfast/internal/extract"
)

func words(s string) string { return strings.Join(strings.Fields(s), " ") }

func TestFilesGiveTheirText(t *testing.T) {
	for name, tc := range map[string]struct{ data, want string }{
		"a.txt":  {"Grüße\naus Köln", "Grüße aus Köln"},
		"b.txt":  {"Gr\xfc\xdfe", "Grüße"},
		"c.csv":  {"\xff\xfea\x00;\x00b\x00", "a;b"},
		"d.TXT":  {"\xef\xbb\xbfmark", "mark"},
		"e.txt":  {"bin\x00ary", ""},
		"f.html": {`<html><head><title>Top</title><style>p{x:y}</style></head><p>one<b>two</b> <i>three</i><br>four<script>if (a<b) evil()</script><img alt="a cat"><td>x<td>y &amp; z`, "Top onetwo three four a cat x y & z"},
		"g.docx": {archive(t, "word/document.xml", `<w:document><w:body><w:p><w:r><w:t>Budget</w:t></w:r><w:r><w:t xml:space="preserve"> plan</w:t></w:r></w:p><w:p><w:r><w:t>sec</w:t></w:r><w:r><w:t>ond</w:t><w:tab/><w:t>line</w:t><w:instrText>PAGE</w:instrText></w:r></w:p></w:body></w:document>`,
			"word/header1.xml", `<w:hdr><w:p><w:t>Heading</w:t></w:p></w:hdr>`, "word/styles.xml", `<w:styles>no</w:styles>`), "Budget plan second line Heading"},
		"h.xlsx": {archive(t, "xl/sharedStrings.xml", `<sst><si><t>Ada</t></si><si><r><t>Grace</t></r></si></sst>`, "xl/workbook.xml", `<workbook><sheets><sheet name="Pay roll"/></sheets></workbook>`,
			"xl/worksheets/sheet1.xml", `<worksheet><row><c t="s"><v>0</v></c><c t="s"><v>1</v></c><c><f>A1*2</f><v>4711</v></c><c t="inlineStr"><is><t>in line</t></is></c></row></worksheet>`), "Pay roll Ada Grace 4711 in line"},
		"i.pptx": {archive(t, "ppt/presentation.xml", "<p/>", "ppt/slides/slide10.xml", `<p:sld><a:p><a:t>ten</a:t></a:p></p:sld>`, "ppt/slides/slide9.xml", `<p:sld><a:p><a:t>nine</a:t></a:p></p:sld>`), "nine ten"},
		"j.odt":  {archive(t, "mimetype", "application/vnd.oasis.opendocument.text", "content.xml", `<office:document-content><office:body><text:p>Open<text:s/>text</text:p><text:h>Head</text:h></office:body></office:document-content>`), "Open text Head"},
		"k.pdf":  {pdf("Hello portable world"), "Hello portable world"},
		"l.eml":  {"Subject: s\r\n\r\nmail in a file", "mail in a file"},
		"m.exe":  {"MZ text", ""},
		"n":      {"no extension", ""},
	} {
		got, err := extract.File(t.Context(), name, strings.NewReader(tc.data), extract.Limits{})
		if words(got.Text) != tc.want || err != nil || len(got.Remark) > 0 {
			t.Errorf("%s gives %q %q, %v; want %q", name, got.Text, got.Remark, err, tc.want)
		}
		if extract.Readable(name) != (name != "m.exe" && name != "n") {
			t.Errorf("%s: Readable is %v", name, extract.Readable(name))
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
		got, err := extract.Mail(t.Context(), []extract.Piece{text(tc.mail)}, extract.Limits{}, nil)
		if words(got.Text) != tc.want || err != nil {
			t.Errorf("%s gives %q %q, %v; want %q", name, got.Text, got.Remark, err, tc.want)
		}
	}
}

func TestHostileFilesAreBounded(t *testing.T) {
	deep := "Subject: a\r\n\r\nx"
	for range 50 {
		deep = "Content-Type: message/rfc822\r\n\r\n" + deep
	}
	many := "Content-Type: multipart/mixed; boundary=x\r\n\r\n" + strings.Repeat("--x\r\n\r\na\r\n", 2000)
	for name, tc := range map[string]struct{ file, data, say string }{
		"bomb":        {"a.docx", archive(t, "word/document.xml", "<w:t>"+strings.Repeat("a ", 8<<20)), "MB unpacked"},
		"deep XML":    {"a.docx", archive(t, "word/document.xml", strings.Repeat("<a>", 300)), "not a readable document"},
		"entities":    {"a.docx", archive(t, "word/document.xml", `<!DOCTYPE x [<!ENTITY a "b"><!ENTITY c "&a;&a;">]><w:t>&c;</w:t>`), "document type"},
		"no zip":      {"a.docx", "PK\x03\x04 no archive", "not a readable document"},
		"encrypted":   {"a.docx", "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + strings.Repeat("\x00", 600) + "E\x00n\x00c\x00r\x00y\x00p\x00t\x00e\x00d\x00P\x00a\x00c\x00k\x00a\x00g\x00e\x00", "password"},
		"too large":   {"a.docx", "PK\x03\x04" + strings.Repeat("a", 3<<20), "larger than"},
		"long text":   {"a.txt", strings.Repeat("a", 3<<20), "only the first"},
		"much text":   {"a.txt", strings.Repeat("ä ", 500<<10), "only the first"},
		"PDF garbage": {"a.pdf", "%PDF-1.4 garbage", "garbled PDF"},
		"PDF cut":     {"a.pdf", pdf("hello")[:300], "PDF"},
		"deep mail":   {"a.eml", deep, "too many parts"},
		"many parts":  {"a.eml", many, "too many parts"},
	} {
		got, err := extract.File(t.Context(), tc.file, strings.NewReader(tc.data), extract.Limits{Input: 2 << 20, Unpacked: 1 << 20, Text: 1 << 20})
		if err != nil || len(got.Text) > 1<<20 || !strings.Contains(strings.Join(got.Remark, ";"), tc.say) {
			t.Errorf("%s: %d bytes, remarks %q, %v; want %q", name, len(got.Text), got.Remark, err, tc.say)
		}
	}
}

func TestPDFThatTakesTooLongIsGivenUp(t *testing.T) {
	for range 2 {
		got, err := extract.File(t.Context(), "a.pdf", strings.NewReader(pdf("x")), extract.Limits{Time: time.Nanosecond})
		if err != nil || len(got.Remark) != 1 || !strings.Contains(got.Remark[0], "too long") {
			t.Errorf("%+v, %v", got, err)
		}
	}
}

// A file that takes all memory or time ends the process that reads it, and the next one is read again.
func TestPDFAfterABadOneIsRead(t *testing.T) {
	bomb := pdf(strings.Repeat("a", 100))
	bomb = strings.Replace(bomb, "/Count 1", "/Count 99999999", 1)
	for _, data := range []string{pdf("first"), bomb, pdf("second")} {
		got, err := extract.File(t.Context(), "a.pdf", strings.NewReader(data), extract.Limits{Time: 10 * time.Second})
		if err != nil || data != bomb && got.Text == "" {
			t.Errorf("%+v, %v", got, err)
		}
	}
}

func TestErrorsOfReadingAreNotRemarks(t *testing.T) {
	broken := errors.New("broken storage")
	for _, name := range []string{"a.txt", "a.docx", "a.eml"} {
		_, err := extract.File(t.Context(), name, io.MultiReader(strings.NewReader("Content-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\n\r\nab"), iotest.ErrReader(broken)), extract.Limits{})
		if !errors.Is(err, broken) {
			t.Errorf("%s: %v", name, err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := extract.Mail(ctx, []extract.Piece{text("Subject: a\r\n\r\nb")}, extract.Limits{}, nil); !errors.Is(err, context.Canceled) {
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
			name, data = "a.docx", archive(t, "word/document.xml", data)
		case 3:
			name, data = "a.xlsx", archive(t, "xl/workbook.xml", "<workbook/>", "xl/worksheets/sheet1.xml", data)
		}
		got, err := extract.File(t.Context(), name, strings.NewReader(data), extract.Limits{Text: 1000})
		if err != nil || len(got.Text) > 1000 || strings.ToValidUTF8(got.Text, "") != got.Text {
			t.Errorf("%s gives %q, %v", name, got.Text, err)
		}
	})
}
