package place

import (
	"bytes"
	"testing"
)

func FuzzRecordOpensOnlyWhatWasSealed(f *testing.F) {
	s, err := newSealer(Options{Organization: "o", Password: make([]byte, 32)})
	if err != nil {
		f.Fatal(err)
	}
	for _, data := range [][]byte{nil, []byte("short"), bytes.Repeat([]byte("long "), 1000)} {
		sealed, err := s.seal("point/a", data)
		if err != nil {
			f.Fatal(err)
		}
		if got, err := s.open("point/a", sealed); err != nil || !bytes.Equal(got, data) {
			f.Fatalf("%d bytes come back as %d, %v", len(data), len(got), err)
		}
		if _, err := s.open("point/b", sealed); err == nil {
			f.Fatal("a record opened under another name")
		}
		f.Add(sealed[:len(sealed)-1])
		f.Add(append(sealed, 0))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if _, err := s.open("point/a", b); err == nil {
			t.Errorf("%x opens", b)
		}
	})
}
