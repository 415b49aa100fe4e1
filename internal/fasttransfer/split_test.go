package fasttransfer_test

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"io"
	"math/rand/v2"
	"testing"

	"holdfast/internal/fasttransfer"
)

// streamOf is an item with a subject and attachments, in records of a length.
func streamOf(t testing.TB, record int, bare bool, subject string, attachments ...[]byte) []byte {
	t.Helper()
	var out bytes.Buffer
	w := fasttransfer.NewWriter(&out, fasttransfer.WriterOptions{Record: record, Bare: bare})
	w.Set(fasttransfer.Name{ID: 0x1a}, "IPM.Note")
	w.Set(fasttransfer.Name{ID: 0x37}, subject)
	for _, a := range attachments {
		w.Mark(fasttransfer.NewAttachment)
		w.Set(fasttransfer.Name{ID: 0x3701}, a)
		w.Mark(fasttransfer.EndAttachment)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func noise(n int, seed uint64) []byte {
	r := rand.New(rand.NewPCG(seed, 1))
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	return b
}

// split gives the whole stream, the sums of the large parts, and the records.
func split(in []byte) (stream []byte, large [][32]byte, records []byte, err error) {
	s := fasttransfer.NewSplitter(bytes.NewReader(in), 24<<10, nil)
	for p, err := range s.Parts() {
		if err != nil {
			return nil, nil, nil, err
		}
		b, err := io.ReadAll(p.Reader)
		if err != nil {
			return nil, nil, nil, err
		}
		if int64(len(b)) != p.Size {
			return nil, nil, nil, errors.New("a part of another size")
		}
		if p.Apart {
			large = append(large, sha256.Sum256(b))
		}
		stream = append(stream, b...)
	}
	return stream, large, s.Records(), nil
}

// What is split and joined is what it was, and equal attachments are equal parts wherever the records end.
func TestSplitStreamsAreJoinedExactly(t *testing.T) {
	file := noise(200_000, 7)
	for name, in := range map[string][]byte{
		"as Exchange writes it": streamOf(t, 0, false, "a", file, []byte("small")),
		"other records":         streamOf(t, 4099, false, "a longer subject", []byte("small"), file),
		"records of one byte":   streamOf(t, 1, false, "b", file),
		"without records":       streamOf(t, 0, true, "c", file),
		"one record":            streamOf(t, 1<<30, false, "d", file, file),
	} {
		t.Run(name, func(t *testing.T) {
			stream, large, records, err := split(in)
			if err != nil {
				t.Fatal(err)
			}
			if len(large) == 0 {
				t.Fatal("no attachment lies apart")
			}
			for _, sum := range large {
				if sum != sha256.Sum256(file) {
					t.Error("the part of the attachment has something else in it")
				}
			}
			back, err := fasttransfer.Join(records, bytes.NewReader(stream))
			if err != nil {
				t.Fatal(err)
			}
			if got, err := io.ReadAll(back); err != nil || !bytes.Equal(got, in) {
				t.Errorf("joined: %d bytes of %d, %v", len(got), len(in), err)
			}
			if m, err := fasttransfer.Read(bytes.NewReader(stream), fasttransfer.Options{}); err != nil || m.Subject() == "" {
				t.Errorf("the stream alone does not read: %v", err)
			}
			if len(records) > 200 {
				t.Errorf("%d bytes say what the records are", len(records))
			}
		})
	}
}

func TestSplitRefusesWhatItCannotJoin(t *testing.T) {
	good := streamOf(t, 0, false, "a", noise(100_000, 1))
	for name, in := range map[string][]byte{
		"nothing":                   nil,
		"cut":                       good[:len(good)/2],
		"broken off by the server":  append(bytes.Clone(good[:len(good)/2]), "=== Truncated Data ==="...),
		"noise":                     noise(1000, 3),
		"a record of another kind":  append(bytes.Clone(good), 4, 0, 0, 0, 2, 0, 0, 0, 1, 2),
		"bytes behind the last one": append(bytes.Clone(good), 1, 2, 3),
	} {
		var want *fasttransfer.Error
		if _, _, _, err := split(in); !errors.As(err, &want) || want.Truncated != (name == "broken off by the server") {
			t.Errorf("%s: %v", name, err)
		}
		if b, err := io.ReadAll(fasttransfer.Whole(bytes.NewReader(in))); (err != nil) != want.Truncated || !bytes.Equal(b, in) {
			t.Errorf("%s as it is: %v", name, err)
		}
	}
	stream, _, records, err := split(good)
	if err != nil {
		t.Fatal(err)
	}
	for name, in := range map[string][]byte{"less": stream[:len(stream)-1], "more": append(bytes.Clone(stream), 1)} {
		r, err := fasttransfer.Join(records, bytes.NewReader(in))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadAll(r); err == nil {
			t.Errorf("%s than the records hold is joined", name)
		}
	}
}

func FuzzSplit(f *testing.F) {
	f.Add(streamOf(f, 100, false, "a", noise(50_000, 2)))
	f.Add([]byte("=== Truncated Data ==="))
	f.Fuzz(func(t *testing.T, in []byte) {
		stream, _, records, err := split(in)
		if err != nil {
			return
		}
		back, err := fasttransfer.Join(records, bytes.NewReader(stream))
		if err != nil {
			t.Fatal(err)
		}
		if got, err := io.ReadAll(back); err != nil || !bytes.Equal(got, in) {
			t.Fatalf("joined otherwise: %v", err)
		}
	})
}
