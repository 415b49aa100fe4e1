package exchange

import (
	"bytes"
	"errors"
	"io"
	"testing"
	"testing/iotest"
)

func TestAMIMEThatEndsEarlyIsToldFromAWholeOne(t *testing.T) {
	const head = "From: a@example.com\r\nCONTENT-TYPE : multipart/mixed;\r\n\tboundary=\"a b\"; x=y\r\nSubject: x\r\n\r\n"
	for name, tc := range map[string]struct {
		mime  string
		whole bool
	}{
		"whole":                  {head + "--a b\r\n\r\ntext\r\n--a b--\r\n", true},
		"no line end":            {head + "--a b\r\n\r\ntext\r\n--a b--", true},
		"epilogue":               {head + "--a b\r\n\r\ntext\r\n--a b--\r\nmore\r\n", true},
		"cut in a part":          {head + "--a b\r\n\r\ntex", false},
		"cut in the delimiter":   {head + "--a b\r\n\r\ntext\r\n--a b", false},
		"cut in the header":      {"From: a@example.com\r\nSubject: x\r\n", false},
		"nothing":                {"", false},
		"text":                   {"Subject: x\n\nbody", true},
		"no type that one reads": {"Content-Type: multipart/mixed; boundary=\"\r\n\r\nbody", true},
		"a long part":            {head + "--a b\r\n\r\n" + string(bytes.Repeat([]byte("0123456789abcde\n"), 10_000)) + "--a b--\r\n", true},
		"a long part, cut":       {head + "--a b\r\n\r\n" + string(bytes.Repeat([]byte("0123456789abcde\n"), 10_000)), false},
	} {
		for _, reader := range []io.Reader{bytes.NewReader([]byte(tc.mime)), iotest.OneByteReader(bytes.NewReader([]byte(tc.mime))), iotest.DataErrReader(bytes.NewReader([]byte(tc.mime)))} {
			sum := func() uint64 { return 1 }
			got, err := io.ReadAll(&ending{r: reader, sum: sum})
			var ends *endsError
			if string(got) != tc.mime || errors.As(err, &ends) == tc.whole || tc.whole && err != nil {
				t.Errorf("%s: %d of %d bytes, %v", name, len(got), len(tc.mime), err)
			}
		}
	}
}

func TestTheLongestThatComesThreeTimesIsTheMail(t *testing.T) {
	half, all := ended{1, 10}, ended{2, 20}
	for name, tc := range map[string]struct {
		earlier []ended
		got     ended
		want    bool
	}{
		"first": {nil, all, false}, "second": {[]ended{all}, all, false}, "third": {[]ended{all, half, all}, all, true},
		"half": {[]ended{half, all, half}, half, false},
	} {
		if got := tc.got.accepted(tc.earlier); got != tc.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}
