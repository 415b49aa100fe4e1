package extract_test

import (
	"encoding/base64"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"holdfast/internal/extract"
)

func opens(s string) func() (io.ReadCloser, error) {
	return func() (io.ReadCloser, error) { return io.NopCloser(iotest.OneByteReader(strings.NewReader(s))), nil }
}

// text is a piece of a mail as it is.
func text(s string) extract.Piece { return extract.Piece{Open: opens(s)} }

// lines gives base64 as mails have it.
func lines(s string) string {
	all := base64.StdEncoding.EncodeToString([]byte(s))
	var b strings.Builder
	for len(all) > 0 {
		n := min(len(all), 76)
		b.WriteString(all[:n] + "\r\n")
		all = all[n:]
	}
	return b.String()
}

// A mail whose base64 is kept decoded gives the same words as the whole mail.
func TestPiecesOfAMailGiveWhatTheWholeGives(t *testing.T) {
	const mixed, part, end = "Content-Type: multipart/mixed; boundary=x\r\n\r\n", "--x\r\n", "--x--\r\n"
	attached := func(name, encoding string) string {
		return part + "Content-Type: application/octet-stream; name=" + name + "\r\nContent-Disposition: attachment\r\nContent-Transfer-Encoding: " + encoding + "\r\n\r\n"
	}
	coded := func(s string) extract.Piece { return extract.Piece{Open: opens(lines(s)), Decoded: opens(s), Name: s} }
	long := strings.Repeat("quite some words that stand in a file ", 40)
	inner := "Subject: inner\r\n" + mixed + attached("b.txt", "base64")
	for name, tc := range map[string]struct {
		pieces []extract.Piece
		want   string // stands in it
	}{
		"attached":               {[]extract.Piece{text(mixed + attached("a.txt", "base64")), coded(long), text("\r\n" + end)}, "stand in a file"},
		"its end is the line":    {[]extract.Piece{text(mixed + attached("a.txt", "BASE64 ")), coded(long), text(end)}, "a.txt"},
		"nothing after it":       {[]extract.Piece{text(mixed + attached("a.docx", "base64")), coded(docx(t, "<w:p><w:t>typed</w:t></w:p>"))}, "a.docx"},
		"two of them":            {[]extract.Piece{text(mixed + attached("a.txt", "base64")), coded("one"), text(attached("b.pdf", "base64")), coded(pdf("two")), text(end)}, "two"},
		"more base64 behind it":  {[]extract.Piece{text(mixed + attached("a.txt", "base64")), coded("eins zwei"), text("IGRyZWk=\r\n" + end)}, "eins zwei drei"},
		"some before it":         {[]extract.Piece{text(mixed + attached("a.txt", "base64") + "bnVsbCBl\r\n"), coded("ins zwei"), text(end)}, "null eins zwei"},
		"two pieces":             {[]extract.Piece{text(mixed + attached("a.txt", "base64")), coded(strings.Repeat("abc", 19)), coded("def"), text(end)}, "abcdef"},
		"base64 that is text":    {[]extract.Piece{text(mixed + part + "\r\n"), coded(strings.Repeat("word ", 19)), text(end)}, "d29yZCB3b3Jk"},
		"quoted":                 {[]extract.Piece{text(mixed + part + "Content-Transfer-Encoding: quoted-printable\r\n\r\nGr=FC=\r\n"), coded("word word "), text(end)}, "d29yZCB3b3Jk"},
		"the body":               {[]extract.Piece{text("Content-Type: text/html\r\nContent-Transfer-Encoding: base64\r\n\r\n"), coded("<p>" + long)}, "stand in a file"},
		"an alternative":         {[]extract.Piece{text("Content-Type: multipart/alternative; boundary=x\r\n\r\n" + part + "Content-Type: text/plain\r\nContent-Transfer-Encoding: base64\r\n\r\n"), coded(long), text(end)}, "stand in a file"},
		"in a mail in it":        {[]extract.Piece{text("Content-Type: message/rfc822\r\n\r\n" + inner), coded(long), text(end)}, "stand in a file"},
		"a mail that is encoded": {[]extract.Piece{text("Content-Type: message/rfc822\r\nContent-Transfer-Encoding: base64\r\n\r\n"), coded(inner + lines(long) + end)}, "stand in a file"},
		"no text":                {[]extract.Piece{text(mixed + attached("a.png", "base64")), coded(long), text(end)}, "a.png"},
		"a zero":                 {[]extract.Piece{text(mixed + part + "\r\nto\x00 be"), text("\r\n" + attached("a.txt", "base64")), coded("x"), text(end)}, "x"},
	} {
		whole := ""
		for _, p := range tc.pieces {
			r, err := p.Open()
			if err != nil {
				t.Fatal(err)
			}
			data, err := io.ReadAll(r)
			if err != nil {
				t.Fatal(err)
			}
			whole += string(data)
		}
		want, err := extract.Mail(t.Context(), []extract.Piece{text(whole)}, extract.Limits{}, nil)
		if err != nil || !strings.Contains(want.Text, tc.want) {
			t.Errorf("%s: the whole gives %q, %v", name, want.Text, err)
		}
		got, err := extract.Mail(t.Context(), tc.pieces, extract.Limits{}, nil)
		if err != nil || words(got.Text) != words(want.Text) || !slices.Equal(got.Remark, want.Remark) {
			t.Errorf("%s: pieces give %q %q, %v; want %q %q", name, got.Text, got.Remark, err, want.Text, want.Remark)
		}
	}
}

// What has no text is not read, and what can't be read is an error.
func TestPiecesAreReadWhenTheyAreNeeded(t *testing.T) {
	broken := errors.New("broken storage")
	for name, want := range map[string]error{"a.png": nil, "a.txt": broken} {
		for when, fails := range map[string]func() (io.ReadCloser, error){
			"opening": func() (io.ReadCloser, error) { return nil, broken },
			"reading": func() (io.ReadCloser, error) { return io.NopCloser(iotest.ErrReader(broken)), nil },
		} {
			_, err := extract.Mail(t.Context(), []extract.Piece{
				text("Content-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\nContent-Disposition: attachment; filename=" + name + "\r\nContent-Transfer-Encoding: base64\r\n\r\n"),
				{Open: fails, Decoded: fails}, text("--x--\r\n"),
			}, extract.Limits{}, nil)
			if !errors.Is(err, want) {
				t.Errorf("%s, %s: %v", name, when, err)
			}
		}
	}
}

// An attachment that many mails have is read once, and each of them has its words.
func TestAttachmentOfManyMailsIsReadOnce(t *testing.T) {
	reads := 0
	shared := func(name, data string) []extract.Piece {
		once := func() (io.ReadCloser, error) {
			reads++
			return opens(data)()
		}
		return []extract.Piece{
			text("Content-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\nContent-Disposition: attachment; filename=" + name + "\r\nContent-Transfer-Encoding: base64\r\n\r\n"),
			{Open: opens(lines(data)), Decoded: once, Name: data}, text("--x--\r\n"),
		}
	}
	for name, tc := range map[string]struct {
		data, want string
		reads      int
	}{"a.pdf": {pdf("portable"), "portable", 1}, "b.docx": {docx(t, "<w:p><w:t>typed</w:t></w:p>"), "typed", 1}, "bad.docx": {"PK\x03\x04 no archive", "bad.docx", 3}, "c.txt": {"plain", "plain", 3}} {
		kept := extract.NewCache(1 << 20)
		reads = 0
		for range 3 {
			got, err := extract.Mail(t.Context(), shared(name, tc.data), extract.Limits{}, kept)
			if err != nil || !strings.Contains(got.Text, tc.want) || (len(got.Remark) > 0) != (name == "bad.docx") {
				t.Errorf("%s gives %q %q, %v", name, got.Text, got.Remark, err)
			}
		}
		if reads != tc.reads {
			t.Errorf("%s is read %d times", name, reads)
		}
	}
	// What is asked for again and again stays, whatever else comes.
	kept := extract.NewCache(20 << 10)
	reads = 0
	for i := range 200 {
		for _, mail := range [][]extract.Piece{shared("a.docx", docx(t, "<w:t>often</w:t>")), shared("a.docx", docx(t, "<w:t>"+strings.Repeat("x", 1000+i)))} {
			if _, err := extract.Mail(t.Context(), mail, extract.Limits{}, kept); err != nil {
				t.Fatal(err)
			}
		}
	}
	if reads != 201 {
		t.Errorf("%d reads", reads)
	}
}
