package exchange

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"holdfast/internal/holdfast"
)

func crlf(s string) string { return strings.ReplaceAll(s, "\n", "\r\n") }

func TestTakeApartKeepsBytesOfAttachments(t *testing.T) {
	latin := "caf\xe9\r\n"
	big := bytes.Repeat([]byte("0123456789abcdef"), (spoolFrom+1000)/16)
	enc, _ := io.ReadAll(holdfast.EncodeBase64Lines(bytes.NewReader(big)))
	in := crlf(`Subject: =?utf-8?q?caf=C3=A9?=
Content-Type: multipart/mixed; boundary=x

--x
Content-Type: multipart/alternative; boundary=y

--y
Content-Type: text/plain; charset=iso-8859-1

plain
--y
Content-Type: text/html; charset=iso-8859-1
Content-Transfer-Encoding: quoted-printable

<p>caf=E9</p>
--y--
--x
Content-Type: text/csv; charset=iso-8859-1; name=a.csv
Content-Disposition: attachment; filename="a.csv"

`) + latin + crlf(`
--x
Content-Type: application/octet-stream
Content-Disposition: attachment; filename*=utf-8''b%C3%BC.bin
Content-Transfer-Encoding: base64

`) + string(enc) + crlf(`
--x
Content-Type: message/rfc822

Subject: inner
Content-Type: multipart/mixed; boundary=z

--z
Content-Type: text/plain

hello
--z
Content-Type: image/png; name=i.png
Content-ID: <i@x>
Content-Disposition: inline

PNG
--z--

--x--
`)
	m, err := takeApart(strings.NewReader(in))
	if err != nil {
		t.Fatal(err)
	}
	defer m.close()
	if m.body != "<p>café</p>" || !m.html || !m.alternative || len(m.parts) != 3 {
		t.Fatalf("body %q html %v alternative %v, %d parts", m.body, m.html, m.alternative, len(m.parts))
	}
	content := func(a attachment) string {
		r, err := a.content.open()
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		b, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	if got := content(m.parts[0]); m.parts[0].name != "a.csv" || got != latin {
		t.Errorf("text attachment %q: %q, want its bytes unconverted", m.parts[0].name, got)
	}
	if m.parts[1].name != "bü.bin" || m.parts[1].content.file == "" || content(m.parts[1]) != string(big) {
		t.Errorf("large attachment %q of %d bytes is not what was sent", m.parts[1].name, m.parts[1].content.size)
	}
	inner := m.parts[2].nested
	if inner == nil || strings.TrimSpace(inner.body) != "hello" || m.parts[2].name != "inner" || len(inner.parts) != 1 || !inner.parts[0].inline || inner.parts[0].contentID != "i@x" {
		t.Errorf("nested message: %+v", inner)
	}
}

func TestTakeApartPassesReadErrorsOn(t *testing.T) {
	broken := errors.New("cut off")
	for _, in := range []string{"Subject: x\r\n", "Subject: x\r\n\r\nbody", "Content-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\nContent-Type: image/png\r\n\r\nabc"} {
		if _, err := takeApart(io.MultiReader(strings.NewReader(in), iotest.ErrReader(broken))); !errors.Is(err, broken) {
			t.Errorf("after %q: got %v, want the reader's error", in, err)
		}
	}
}

func FuzzTakeApart(f *testing.F) {
	f.Add([]byte("Content-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\nContent-Type: message/rfc822\r\n\r\nSubject: y\r\n\r\nz\r\n--x--"))
	f.Add([]byte("Content-Type: text/html; charset=utf-7\r\n\r\n<p>"))
	f.Fuzz(func(t *testing.T, in []byte) {
		if m, err := takeApart(bytes.NewReader(in)); err == nil {
			m.close()
		}
	})
}

func TestALineThatIsNoHeaderBeginsTheBody(t *testing.T) {
	for in, want := range map[string]string{
		"Subject: a\r\nno header\r\n\r\nmore\r\n": "no header\r\n\r\nmore\r\n",
		"just text\r\n": "just text\r\n",
		"From me Mon Jan 1\r\nSubject: a\r\n\r\nbody\r\n": "body\r\n",
		"Subject: a\r\n b\r\n\r\nbody\r\n":                "body\r\n",
	} {
		m, err := takeApart(strings.NewReader(in))
		if err != nil {
			t.Fatal(err)
		}
		if m.body != want {
			t.Errorf("%q: body %q, want %q", in, m.body, want)
		}
		m.close()
	}
}
