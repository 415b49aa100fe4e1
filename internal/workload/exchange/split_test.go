package exchange

import (
	"bytes"
	"encoding/base64"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"

	"holdfast/internal/holdfast"
)

// join reads all pieces and gives back what they stand for.
func join(t testing.TB, r io.Reader) (whole []byte, pieces []holdfast.Piece, err error) {
	t.Helper()
	var out bytes.Buffer
	for p, perr := range split(r) {
		if perr != nil {
			return out.Bytes(), pieces, perr
		}
		in := p.Reader
		if p.Transform == holdfast.Base64 {
			in = holdfast.EncodeBase64Lines(in)
		}
		if _, err := io.Copy(&out, in); err != nil {
			return out.Bytes(), pieces, err
		}
		pieces = append(pieces, p)
	}
	return out.Bytes(), pieces, nil
}

func lines(n int) string {
	raw := bytes.Repeat([]byte("holdfast\x00\xfe\xff"), n/10+1)[:n]
	b, _ := io.ReadAll(holdfast.EncodeBase64Lines(bytes.NewReader(raw)))
	return string(b)
}

func TestSplitIsExact(t *testing.T) {
	head := "Subject: x\r\nContent-Transfer-Encoding: base64\r\n\r\n"
	full := strings.Repeat("QUJD", 19) + "\r\n"
	cases := map[string]string{
		"empty":                  "",
		"no newline":             "Subject: x",
		"attachment":             head + lines(100<<10) + "\r\n--b--\r\n",
		"small attachment":       head + lines(5000) + "\r\n--b--\r\n",
		"multiple of a line":     head + lines(57*1000) + "--b--\r\n",
		"ends with the run":      head + lines(57*1000),
		"ends within a line":     head + lines(57*1000) + "QUJD",
		"short run":              head + lines(57*3) + "x",
		"bare LF":                strings.ReplaceAll(head+lines(30<<10), "\r\n", "\n"),
		"not canonical":          head + strings.Repeat(full, 20) + "QUI=\r\nQR==\r\n",
		"short line in between":  head + strings.Repeat(full, 20) + "QUJD\r\n" + strings.Repeat(full, 20),
		"padding in a full line": head + strings.Repeat(full, 20) + strings.Repeat("QUJD", 18) + "QQ==\r\n" + full,
		"long line":              head + strings.Repeat("A", 200<<10) + "\r\n" + strings.Repeat(full, 600),
		"CR in a line":           head + strings.Repeat(full, 10) + strings.Repeat("QUJD", 18) + "QU\rD\r\n",
	}
	corpus, err := filepath.Glob("testdata/*.eml")
	if err != nil || len(corpus) == 0 {
		t.Fatalf("no sample mails: %v", err)
	}
	for _, f := range corpus {
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		cases[f] = string(b)
	}
	for name, in := range cases {
		for how, r := range map[string]io.Reader{"whole": strings.NewReader(in), "byte by byte": iotest.OneByteReader(strings.NewReader(in))} {
			got, _, err := join(t, r)
			if err != nil || string(got) != in {
				t.Errorf("%s, read %s: %d bytes (%v), want %d", name, how, len(got), err, len(in))
			}
		}
	}
}

func TestSplitSetsAttachmentsApart(t *testing.T) {
	raw := bytes.Repeat([]byte("same"), 20<<10)
	attached, _ := io.ReadAll(holdfast.EncodeBase64Lines(bytes.NewReader(raw)))
	_, pieces, err := join(t, strings.NewReader("Subject: a\r\n\r\n"+string(attached)+"\r\n--b--\r\n"))
	if err != nil {
		t.Fatal(err)
	}
	if len(pieces) != 3 || pieces[1].Transform != holdfast.Base64 || !pieces[1].Apart {
		t.Errorf("got %d pieces %+v, want text, one attachment apart, text", len(pieces), pieces)
	}
	first := base64.StdEncoding.EncodeToString(raw[:57])
	if !strings.HasPrefix(string(attached), first+"\r\n") {
		t.Error("lines are not of 76 columns")
	}
}

func TestSplitPassesErrorsOn(t *testing.T) {
	broken := errors.New("cut off")
	for _, in := range []string{"Subject: x\r\n", "\r\n" + lines(60<<10)} {
		_, _, err := join(t, io.MultiReader(strings.NewReader(in), iotest.ErrReader(broken)))
		if !errors.Is(err, broken) {
			t.Errorf("after %d bytes: got %v, want the reader's error", len(in), err)
		}
	}
}

func FuzzSplit(f *testing.F) {
	f.Add([]byte("a\r\n" + lines(2000) + "b"))
	f.Add([]byte(strings.Repeat("QUJD", 19) + "\r\n"))
	f.Fuzz(func(t *testing.T, in []byte) {
		got, _, err := join(t, bytes.NewReader(in))
		if err != nil || !bytes.Equal(got, in) {
			t.Errorf("%q became %q (%v)", in, got, err)
		}
	})
}
