package fasttransfer_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"reflect"
	"strings"
	"testing"
	"unicode/utf16"

	ft "holdfast/internal/fasttransfer"
)

// skipping is a stream whose reader can go on without reading.
type skipping struct {
	*bytes.Reader
	read int64
}

func (s *skipping) Read(p []byte) (int, error) {
	n, err := s.Reader.Read(p[:min(len(p), 50)])
	s.read += int64(n)
	return n, err
}

func (s *skipping) Skip(n int64) error {
	if n > int64(s.Len()) {
		return io.ErrUnexpectedEOF
	}
	_, err := s.Seek(n, io.SeekCurrent)
	return err
}

// What is read once more when it is asked for is what would have been kept.
func TestAttachmentsThatAreReadWhenAskedForAreTheSame(t *testing.T) {
	large := bytes.Repeat([]byte("0123456789"), 30_000)
	write := func(w *ft.Writer) {
		mailItem(w)
		attachment(w, 4, "large.bin", "application/octet-stream", large)
		attachment(w, 5, "small.txt", "text/plain", []byte("small"))
	}
	for name, o := range map[string]ft.WriterOptions{"bare": {Bare: true}, "in records": {Record: 1000}} {
		data := stream(t, write, o)
		want := read(t, data)
		again := 0
		in := &skipping{Reader: bytes.NewReader(data)}
		got, err := ft.Read(in, ft.Options{Again: func(at, size int64) io.Reader {
			again++
			return bytes.NewReader(data[at : at+size])
		}})
		if err != nil {
			t.Fatal(err)
		}
		defer got.Close()
		if skipped := int64(len(data)) - in.read; skipped > 0 != (name == "bare") || name == "bare" && skipped < int64(len(large))-1000 {
			t.Errorf("%s: %d of %d bytes are skipped", name, skipped, len(data))
		}
		var a, b bytes.Buffer
		if err := errors.Join(want.WriteEML(&a), got.WriteEML(&b)); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(a.Bytes(), b.Bytes()) || a.Len() < len(large) {
			t.Errorf("%s: %d bytes of mail, not the %d", name, b.Len(), a.Len())
		}
		if again > 0 != (name == "bare") {
			t.Errorf("%s: %d parts are read again", name, again)
		}
		for i, x := range got.Attachments {
			at, ok := x.Data().At()
			if ok != (name == "bare" && x.Data().Size() > 0) {
				t.Errorf("%s: attachment %d lies at %d, %v", name, i, at, ok)
			}
		}
	}
	data := stream(t, write, ft.WriterOptions{Bare: true})
	cut := data[:bytes.Index(data, large)+100_000]
	var bad *ft.Error
	if _, err := ft.Read(&skipping{Reader: bytes.NewReader(cut)}, ft.Options{Again: func(int64, int64) io.Reader { return nil }}); !errors.As(err, &bad) {
		t.Errorf("a stream that ends in what is skipped: %v", err)
	}
}

// What makes the text of a message is the same when nothing else is kept.
func TestReadingTheTextOnlyGivesTheText(t *testing.T) {
	for name, write := range map[string]item{"a mail": mailItem, "one with RTF": received, "a note": note} {
		data := stream(t, write, ft.WriterOptions{})
		want := read(t, data)
		got, err := ft.Read(bytes.NewReader(data), ft.Options{TextOnly: true})
		if err != nil {
			t.Fatal(err)
		}
		defer got.Close()
		if got.Class() != want.Class() || got.Subject() != want.Subject() || len(got.Attachments) != len(want.Attachments) || text(t, got.Body().Plain) != text(t, want.Body().Plain) || text(t, got.Body().HTML) != text(t, want.Body().HTML) {
			t.Errorf("%s: %q %q", name, got.Class(), got.Subject())
		}
		for i, a := range want.Attachments {
			if !reflect.DeepEqual(got.Attachments[i].Properties, a.Properties) {
				t.Errorf("%s: attachment %d is different", name, i)
			}
		}
		if len(got.Properties) >= len(want.Properties) || len(got.Recipients) != len(want.Recipients) || len(got.Recipients) > 0 && len(got.Recipients[0].Properties) > 0 {
			t.Errorf("%s: %d properties are kept", name, len(got.Properties))
		}
	}
}

// Text in UTF-16 is read as the standard library decodes it, in pieces of any size, from memory and from a file.
func FuzzTextInUTF16(f *testing.F) {
	for _, s := range []string{"", "plain words only", "Grüße aus Köln", "😀 four letters", "日本語 and more", strings.Repeat("abcd", 100) + "ü", "a\x00b"} {
		var b []byte
		for _, u := range utf16.Encode([]rune(s)) {
			b = binary.LittleEndian.AppendUint16(b, u)
		}
		f.Add(b)
	}
	f.Add([]byte("\x00\xd8"))
	f.Add([]byte("\x00\xd8a\x00b\x00c\x00d\x00"))
	f.Add([]byte("\x00\xdc\x00\xdc\x00\xd8\x00\xdc"))
	f.Fuzz(func(t *testing.T, b []byte) {
		b = b[:min(len(b)/2*2, 100_000)]
		for len(b) >= 2 && b[len(b)-1] == 0 && b[len(b)-2] == 0 {
			b = b[:len(b)-2]
		}
		units := make([]uint16, len(b)/2)
		for i := range units {
			units[i] = binary.LittleEndian.Uint16(b[2*i:])
		}
		want := string(utf16.Decode(units))
		data := stream(t, func(w *ft.Writer) {
			w.Set(tag(0x001a), "IPM.Note")
			w.Raw(ft.Element{ID: 0x1000, Type: ft.TypeUnicode, Count: 1, Size: int64(len(b)) + 2}, bytes.NewReader(append(b, 0, 0)))
		}, ft.WriterOptions{})
		for _, memory := range []int64{0, 1} {
			m, err := ft.Read(bytes.NewReader(data), ft.Options{Memory: memory})
			if err != nil {
				t.Fatal(err)
			}
			plain := m.Body().Plain
			got, charset, err := plain.Bytes(1 << 20)
			if err != nil || string(got) != want || charset != "utf-8" {
				t.Errorf("%x: %q in %s, %v; want %q", b, got, charset, err, want)
			}
			if read := text(t, plain); read != want {
				t.Errorf("%x is read as %q, want %q", b, read, want)
			}
			if got, _, err := plain.Bytes(2); err != nil || !strings.HasPrefix(want, string(got)) || len(got) > 2 {
				t.Errorf("%x: the start is %q, %v", b, got, err)
			}
			if err := m.Close(); err != nil {
				t.Error(err)
			}
		}
	})
}
