package fasttransfer_test

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"pgregory.net/rapid"

	ft "holdfast/internal/fasttransfer"
)

// unhex reads bytes written by hand: hexadecimal, text in quotes, blanks between, # to the end of a line a remark.
func unhex(t testing.TB, s string) []byte {
	t.Helper()
	var out []byte
	for line := range strings.Lines(s) {
		line, _, _ = strings.Cut(line, "#")
		for i, part := range strings.Split(line, "'") {
			if i%2 == 1 {
				out = append(out, part...)
				continue
			}
			b, err := hex.DecodeString(strings.Join(strings.Fields(part), ""))
			if err != nil {
				t.Fatalf("%q: %v", part, err)
			}
			out = append(out, b...)
		}
	}
	return out
}

// dump is what a scanner gives of r, one line an element.
func dump(r io.Reader) (string, error) {
	s := ft.NewScanner(r)
	var out strings.Builder
	for {
		e, err := s.Next()
		if err == io.EOF {
			return out.String(), nil
		} else if err != nil {
			return out.String(), err
		}
		if e.Marker != 0 {
			fmt.Fprintf(&out, "%d %v\n", e.Offset, e.Marker)
			continue
		}
		b, err := io.ReadAll(s)
		if err != nil {
			return out.String(), err
		}
		id := fmt.Sprintf("%04x", e.ID)
		if e.ID >= 0x8000 {
			id = e.Name.String()
		}
		fmt.Fprintf(&out, "%d %s %04x x%d %x\n", e.Offset, id, uint16(e.Type), e.Count, b)
	}
}

// Put together by hand from the rules of MS-OXCFXICS 2.2.4: a message with a property of each kind, a recipient, and an attachment that is a message.
const byHand = `
	e4 84 08 40  05000000 '/O=A' 00                            # MetaTagDnPrefix, text in code page 1252
	03 00 17 00  01000000                                      # importance
	b0 84 1a 00  12000000 49005000 4d002e00 4e006f00 74006500 0000   # class IPM.Note in code page 1200
	0b 00 23 00  0100                                          # a boolean has two bytes
	02 00 01 60  feff                                          # 16 bits
	40 00 39 00  809d9c8721eeca01                              # a time
	14 00 02 60  0100000000000080                              # 64 bits
	48 00 03 60  0703020000000000c000000000000046              # a GUID
	02 01 3b 00  03000000 'EX:'                                # bytes
	1f 10 00 80  2903020000000000c000000000000046 01 4b00 6500 7900 0000   # named by a text: Key in PS_PUBLIC_STRINGS
	             02000000  04000000 41000000  02000000 0000    # two texts
	03 00 01 80  0820060000000000c000000000000046 00 10850000  # named by a number: 8510 in PSETID_Common
	             2a000000
	03 10 04 60  03000000 01000000 02000000 03000000           # three numbers
	03 00 16 40  120e0d00                                      # MetaTagFXDelProp: before the recipients
	03 00 03 40                                                # StartRecip
	03 00 00 30  00000000
	03 00 15 0c  01000000
	03 00 04 40                                                # EndToRecip
	03 00 00 40                                                # NewAttach
	03 00 21 0e  00000000
	03 00 01 40                                                # StartEmbed
	b0 84 37 00  04000000 4100 0000
	03 00 02 40                                                # EndEmbed
	03 00 0e 40                                                # EndAttach
	`

func TestElementsAreReadAsTheSpecificationHasThem(t *testing.T) {
	want := `0 4008 84e4 x1 2f4f3d4100
13 0017 0003 x1 01000000
21 001a 84b0 x1 490050004d002e004e006f00740065000000
47 0023 000b x1 0100
53 6001 0002 x1 feff
59 0039 0040 x1 809d9c8721eeca01
71 6002 0014 x1 0100000000000080
83 6003 0048 x1 0703020000000000c000000000000046
103 003b 0102 x1 45583a
114 {00020329-0000-0000-c000-000000000046} "Key" 101f x2 0400000041000000020000000000
161 {00062008-0000-0000-c000-000000000046} 0x8510 0003 x1 2a000000
190 6004 1003 x3 010000000200000003000000
210 4016 0003 x1 120e0d00
218 recipient
222 3000 0003 x1 00000000
230 0c15 0003 x1 01000000
238 end of recipient
242 attachment
246 0e21 0003 x1 00000000
254 embedded message
258 0037 84b0 x1 41000000
270 end of embedded message
274 end of attachment
`
	raw := unhex(t, byHand)
	for name, r := range map[string]io.Reader{"whole": bytes.NewReader(raw), "byte by byte": iotest.OneByteReader(bytes.NewReader(raw)), "data with the end": iotest.DataErrReader(bytes.NewReader(raw))} {
		got, err := dump(r)
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if got != want {
			t.Errorf("%s:\n%s\nwant\n%s", name, got, want)
		}
	}
}

// Records as public examples of exports have them: how Exchange 2010 begins one, then the stream in two records that part it within a property.
const inRecords = `
	01000000 08000000  00000000 01000000
	03000000 18000000  01000000 0703020000000000c000000000000046 00240080
	04000000 06000000  010e a480 0000
	02000000 0a000000  03001700 01000000 b084
	02000000 00000000
	02000000 0a000000  3700 04000000 41000000
`

func TestRecordsAroundTheStreamAreTakenOff(t *testing.T) {
	raw := unhex(t, inRecords)
	want := "70 0017 0003 x1 01000000\n78 0037 84b0 x1 41000000\n"
	for name, r := range map[string]io.Reader{"whole": bytes.NewReader(raw), "byte by byte": iotest.OneByteReader(bytes.NewReader(raw))} {
		got, err := dump(r)
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if got != want {
			t.Errorf("%s:\n%s\nwant\n%s", name, got, want)
		}
	}
	var bare bytes.Buffer
	if err := ft.WithoutRecords(&bare, bytes.NewReader(raw)); err != nil {
		t.Fatal(err)
	}
	if want := unhex(t, "03001700 01000000 b0843700 04000000 41000000"); !bytes.Equal(bare.Bytes(), want) {
		t.Errorf("%x, want %x", bare.Bytes(), want)
	}
	s := ft.NewScanner(bytes.NewReader(raw))
	if _, err := s.Next(); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(s.Head(), raw[:62]) {
		t.Errorf("head %x", s.Head())
	}
}

func TestWhatIsNoStreamIsNamedWithItsPlace(t *testing.T) {
	deep := strings.Repeat("03000040 03000140 ", 60)
	for name, tc := range map[string]struct {
		src    string
		offset int64
		reason string
	}{
		"nothing":                      {"", 0, "empty"},
		"records without content":      {"01000000 04000000 00000000 02000000 00000000", 20, "empty"},
		"three bytes":                  {"030017", 3, "middle of a property"},
		"no value":                     {"03001700", 4, "middle of a property"},
		"half a number":                {"03001700 0100", 6, "middle of a property"},
		"text cut off":                 {"b0843700 04000000 4100", 10, "middle of a property"},
		"4 GB that are not there":      {"02010137 ffffffff 4100", 10, "middle of a property"},
		"4 G of texts":                 {"1f100160 ffffffff 02000000 0000", 14, "begins at byte 0"},
		"4 G of times":                 {"40100160 ffffffff 0000", 10, "middle of a property"},
		"unknown type":                 {"ff001700 01000000", 0, "unknown type 0x00ff"},
		"no type":                      {"00001700 01000000", 0, "unknown type 0x0000"},
		"many booleans":                {"0b101700 01000000", 0, "unknown type 0x100b"},
		"zeros":                        {"00000000 00000000", 0, "unknown type"},
		"text that is no stream":       {"'Hello, World'", 0, "unknown type"},
		"HTML":                         {"'<html><body>'", 0, "unknown type"},
		"name of an unknown kind":      {"03000080 0703020000000000c000000000000046 02 10850000 2a000000", 0, "unknown kind 2"},
		"name without an end":          {"03000080 0703020000000000c000000000000046 01 " + strings.Repeat("4100", 1100), 0, "more than 1024"},
		"empty name":                   {"03000080 0703020000000000c000000000000046 01 0000 01000000", 0, "name of a property is empty"},
		"end of what never began":      {"03000440", 0, "where none began"},
		"end of something else":        {"03000340 03000e40", 4, "end of recipient is awaited"},
		"no end":                       {"03000340 03001700 01000000", 12, "end of recipient is awaited"},
		"too deep":                     {deep, 96 * 4, "more than 96 objects"},
		"broken off":                   {"03001700 01000000 '=== Truncated Data ==='", 8, "export the item again"},
		"record cut off":               {"02000000 10000000 03001700 01000000", 16, "8 bytes more"},
		"head of a record cut off":     {"02000000 08000000 03001700 01000000 0200", 16, "head of a record"},
		"record of an unknown kind":    {"02000000 08000000 03001700 01000000 63000000 00000000", 16, "unknown kind 0x63"},
		"huge record without content":  {"01000000 ffffffff 00", 0, "4294967295 bytes"},
		"records broken off":           {"02000000 08000000 03001700 01000000 '=== Truncated Data ==='", 16, "export the item again"},
		"records end within a number":  {"02000000 06000000 03001700 0100", 14, "middle of a property"},
		"records end within an object": {"02000000 04000000 03000340", 12, "end of recipient is awaited"},
	} {
		t.Run(name, func(t *testing.T) {
			src := unhex(t, tc.src)
			for _, r := range []io.Reader{bytes.NewReader(src), iotest.OneByteReader(bytes.NewReader(src))} {
				_, err := dump(r)
				var damage *ft.Error
				if !errors.As(err, &damage) {
					t.Fatalf("error %v", err)
				}
				if damage.Offset != tc.offset || !strings.Contains(damage.Reason, tc.reason) {
					t.Errorf("byte %d: %s; want byte %d: …%s…", damage.Offset, damage.Reason, tc.offset, tc.reason)
				}
			}
			s := ft.NewScanner(bytes.NewReader(src))
			var err error
			for err == nil {
				_, err = s.Next()
			}
			if err == io.EOF {
				t.Error("it is taken for whole when values are skipped")
			}
			if _, again := s.Next(); again != err {
				t.Errorf("after %v it goes on with %v", err, again)
			}
		})
	}
}

func TestAnErrorOfTheReaderIsNoDamage(t *testing.T) {
	raw := unhex(t, byHand)
	for n := range raw {
		_, err := dump(io.MultiReader(bytes.NewReader(raw[:n]), iotest.ErrReader(os.ErrDeadlineExceeded)))
		if !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Fatalf("after %d bytes: %v", n, err)
		}
	}
}

// element is what the property tests put into a stream.
type element struct {
	marker ft.Marker
	name   ft.Name
	typ    ft.Type // of SetType; zero: Set
	value  any
}

func write(w *ft.Writer, elements []element) error {
	for _, e := range elements {
		switch {
		case e.marker != 0:
			w.Mark(e.marker)
		case e.typ != 0:
			w.SetType(e.name, e.typ, e.value)
		default:
			w.Set(e.name, e.value)
		}
	}
	return w.Close()
}

func drawName(t *rapid.T) ft.Name {
	switch rapid.IntRange(0, 2).Draw(t, "kind of name") {
	case 0:
		id := rapid.Uint16Range(1, 0x3fff).Draw(t, "id")
		return ft.Name{ID: uint32(id)}
	case 1:
		return ft.Name{Set: ft.NewGUID("00062008-0000-0000-c000-000000000046"), ID: rapid.Uint32().Draw(t, "number")}
	}
	return ft.Name{Set: ft.NewGUID("00020329-0000-0000-c000-000000000046"), Text: rapid.StringOfN(rapid.Rune().Filter(func(r rune) bool { return r != 0 }), 1, 20, -1).Draw(t, "text")}
}

func drawValue(t *rapid.T) any {
	text := rapid.String()
	when := rapid.Custom(func(t *rapid.T) time.Time {
		return time.Unix(rapid.Int64Range(-11644473600, 60000000000).Draw(t, "seconds"), 100*rapid.Int64Range(0, 9999999).Draw(t, "ticks"))
	})
	guid := rapid.Custom(func(t *rapid.T) (g ft.GUID) {
		copy(g[:], rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "guid"))
		return g
	})
	switch rapid.IntRange(0, 17).Draw(t, "type") {
	case 0:
		return rapid.Bool().Draw(t, "bool")
	case 1:
		return rapid.Int16().Draw(t, "int16")
	case 2:
		return rapid.Int32().Draw(t, "int32")
	case 3:
		return rapid.Int64().Draw(t, "int64")
	case 4:
		return rapid.Float32().Draw(t, "float32")
	case 5:
		return rapid.Float64().Draw(t, "float64")
	case 6:
		return when.Draw(t, "time")
	case 7:
		return guid.Draw(t, "guid")
	case 8:
		return text.Draw(t, "text")
	case 9:
		return rapid.SliceOf(rapid.Byte()).Draw(t, "bytes")
	case 10:
		return rapid.SliceOf(rapid.Int16()).Draw(t, "int16s")
	case 11:
		return rapid.SliceOf(rapid.Int32()).Draw(t, "int32s")
	case 12:
		return rapid.SliceOf(rapid.Int64()).Draw(t, "int64s")
	case 13:
		return rapid.SliceOf(rapid.Float64()).Draw(t, "float64s")
	case 14:
		return rapid.SliceOf(when).Draw(t, "times")
	case 15:
		return rapid.SliceOf(guid).Draw(t, "guids")
	case 16:
		return rapid.SliceOf(text).Draw(t, "texts")
	}
	return rapid.SliceOf(rapid.SliceOf(rapid.Byte())).Draw(t, "many bytes")
}

// drawObject draws the properties of an object and the objects in it.
func drawObject(t *rapid.T, depth int) []element {
	var out []element
	for range rapid.IntRange(0, 5).Draw(t, "properties") {
		out = append(out, element{name: drawName(t), value: drawValue(t)})
	}
	for range rapid.IntRange(0, 2).Draw(t, "recipients") {
		out = append(out, element{marker: ft.StartRecipient}, element{name: drawName(t), value: drawValue(t)}, element{marker: ft.EndRecipient})
	}
	if depth > 0 && rapid.Bool().Draw(t, "attachment") {
		out = append(out, element{marker: ft.NewAttachment}, element{name: drawName(t), value: drawValue(t)}, element{marker: ft.StartEmbedded})
		out = append(out, drawObject(t, depth-1)...)
		out = append(out, element{marker: ft.EndEmbedded}, element{marker: ft.EndAttachment})
	}
	return out
}

// copyStream scans and writes again.
func copyStream(out io.Writer, in io.Reader, o ft.WriterOptions) error {
	s := ft.NewScanner(in)
	w := ft.NewWriter(out, o)
	for {
		e, err := s.Next()
		if err == io.EOF {
			return w.Close()
		} else if err != nil {
			return err
		}
		if e.Marker != 0 {
			w.Mark(e.Marker)
		} else {
			w.Raw(e, s)
		}
	}
}

func TestWhatIsWrittenIsScannedAndWrittenAgainTheSame(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		elements := append([]element{{name: ft.Name{ID: 0x1a}, value: "IPM.Note"}}, drawObject(t, 3)...)
		o := ft.WriterOptions{Bare: rapid.Bool().Draw(t, "bare"), Record: rapid.IntRange(1, 50).Draw(t, "record")}
		var first, second bytes.Buffer
		if err := write(ft.NewWriter(&first, o), elements); err != nil {
			t.Fatal(err)
		}
		if err := copyStream(&second, bytes.NewReader(first.Bytes()), o); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(first.Bytes(), second.Bytes()) {
			t.Fatalf("%x\nwritten again\n%x", first.Bytes(), second.Bytes())
		}
	})
}

func TestTheWriterWritesWhatTheSpecificationHas(t *testing.T) {
	ps, common := ft.NewGUID("00020329-0000-0000-c000-000000000046"), ft.NewGUID("00062008-0000-0000-c000-000000000046")
	elements := []element{
		{name: tag(0x4008), typ: ft.CodePage | 1252, value: "/O=A"},
		{name: tag(0x0017), value: int32(1)},
		{name: tag(0x001a), value: "IPM.Note"},
		{name: tag(0x0023), value: true},
		{name: tag(0x6001), value: int16(-2)},
		{name: tag(0x0039), value: time.Date(2010, 5, 7, 20, 11, 51, 0, time.UTC)},
		{name: tag(0x6002), value: int64(-1<<63 + 1)},
		{name: tag(0x6003), value: ft.NewGUID("00020307-0000-0000-c000-000000000046")},
		{name: tag(0x003b), value: []byte("EX:")},
		{name: ft.Name{Set: ps, Text: "Key"}, value: []string{"A", ""}},
		{name: ft.Name{Set: common, ID: 0x8510}, value: int32(42)},
		{name: tag(0x6004), value: []int32{1, 2, 3}},
		{name: tag(0x4016), value: int32(0x000d0e12)},
		{marker: ft.StartRecipient}, {name: tag(0x3000), value: int32(0)}, {name: tag(0x0c15), value: int32(1)}, {marker: ft.EndRecipient},
		{marker: ft.NewAttachment}, {name: tag(0x0e21), value: int32(0)},
		{marker: ft.StartEmbedded}, {name: tag(0x0037), value: "A"}, {marker: ft.EndEmbedded},
		{marker: ft.EndAttachment},
	}
	var out bytes.Buffer
	if err := write(ft.NewWriter(&out, ft.WriterOptions{Bare: true}), elements); err != nil {
		t.Fatal(err)
	}
	want := unhex(t, byHand)
	// Both named properties get the same number from the writer, for the number says nothing.
	want = bytes.Replace(want, unhex(t, "03000180"), unhex(t, "03000080"), 1)
	if got := out.Bytes(); !bytes.Equal(got, want) {
		t.Errorf("%x\nwant\n%x", got, want)
	}
}

func TestAWriterRefusesWhatNobodyCouldRead(t *testing.T) {
	for name, use := range map[string]func(*ft.Writer){
		"an object left open":   func(w *ft.Writer) { w.Mark(ft.StartRecipient) },
		"a value of no type":    func(w *ft.Writer) { w.Set(ft.Name{ID: 1}, struct{}{}) },
		"too few bytes":         func(w *ft.Writer) { w.Stream(ft.Name{ID: 1}, 5, strings.NewReader("four")) },
		"an unknown code page":  func(w *ft.Writer) { w.SetType(ft.Name{ID: 1}, ft.CodePage|4000, "x") },
		"text it can't express": func(w *ft.Writer) { w.SetType(ft.Name{ID: 1}, ft.CodePage|1252, "ж") },
		"a reader that breaks": func(w *ft.Writer) {
			w.Stream(ft.Name{ID: 1}, 5, iotest.ErrReader(os.ErrClosed))
		},
	} {
		w := ft.NewWriter(io.Discard, ft.WriterOptions{})
		use(w)
		if err := w.Close(); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func TestAmendSetsAPropertyAndLeavesTheRest(t *testing.T) {
	mark := ft.Name{Set: ft.NewGUID("00020329-0000-0000-c000-000000000046"), Text: "Mark"}
	var marked, twice, bare bytes.Buffer
	if err := ft.Amend(&marked, bytes.NewReader(unhex(t, byHand)), ft.Amendment{Name: mark, Value: "x"}, ft.Amendment{Name: ft.Name{ID: 0x37}, Value: "new"}); err != nil {
		t.Fatal(err)
	}
	// The subject of the message within stays.
	want := unhex(t, byHand)
	set := unhex(t, "b0840080 2903020000000000c000000000000046 01 4d00610072006b00 0000 04000000 78000000 b0843700 08000000 6e006500 77000000")
	want = append(want[:13:13], append(set, want[13:]...)...)
	if !bytes.Equal(marked.Bytes(), want) {
		t.Errorf("%x\nwant\n%x", marked.Bytes(), want)
	}
	if err := ft.Amend(&twice, bytes.NewReader(marked.Bytes()), ft.Amendment{Name: mark, Value: "x"}); err != nil {
		t.Fatal(err)
	}
	if n := bytes.Count(twice.Bytes(), unhex(t, "4d0061007200")); n != 1 {
		t.Errorf("the property is there %d times", n)
	}
	var framed bytes.Buffer
	if err := ft.Amend(&framed, bytes.NewReader(unhex(t, inRecords)), ft.Amendment{Name: ft.Name{ID: 0x17}, Value: int32(2)}); err != nil {
		t.Fatal(err)
	}
	if !bytes.HasPrefix(framed.Bytes(), unhex(t, inRecords)[:62]) {
		t.Errorf("the records before the stream changed: %x", framed.Bytes())
	}
	if err := ft.WithoutRecords(&bare, &framed); err != nil {
		t.Fatal(err)
	}
	if want := unhex(t, "03001700 02000000 b0843700 04000000 41000000"); !bytes.Equal(bare.Bytes(), want) {
		t.Errorf("%x, want %x", bare.Bytes(), want)
	}
}

// A value of any size costs no memory.
func TestABigValueIsNotHeld(t *testing.T) {
	const size = 256 << 20
	in, out := io.Pipe()
	go func() {
		w := ft.NewWriter(out, ft.WriterOptions{})
		w.Stream(ft.Name{ID: 0x3701}, size, io.LimitReader(zeros{}, size))
		w.Set(ft.Name{ID: 0x37}, "after")
		out.CloseWithError(w.Close())
	}()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	s := ft.NewScanner(in)
	n := 0
	for {
		_, err := s.Next()
		if err == io.EOF {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		n++
	}
	runtime.ReadMemStats(&after)
	if n != 2 {
		t.Errorf("%d elements", n)
	}
	if used := after.TotalAlloc - before.TotalAlloc; used > 8<<20 {
		t.Errorf("%d bytes were allocated for %d", used, size)
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

func FuzzScan(f *testing.F) {
	seeds, _ := filepath.Glob("testdata/*.hex")
	for _, name := range seeds {
		src, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(unhex(f, string(src)))
	}
	f.Add(unhex(f, byHand))
	f.Add(unhex(f, inRecords))
	f.Fuzz(func(t *testing.T, data []byte) {
		read, err := dump(bytes.NewReader(data))
		var damage *ft.Error
		if err != nil && (!errors.As(err, &damage) || damage.Offset < 0 || damage.Offset > int64(len(data))) {
			t.Fatalf("error %v", err)
		}
		s := ft.NewScanner(bytes.NewReader(data))
		n := 0
		var skipped error
		for ; skipped == nil; n++ {
			_, skipped = s.Next()
		}
		if (skipped == io.EOF) != (err == nil) || err == nil && n-1 != strings.Count(read, "\n") {
			t.Fatalf("reading gave %v, skipping gave %v after %d of\n%s", err, skipped, n, read)
		}
		if err != nil {
			return
		}
		var first, second bytes.Buffer
		if err := copyStream(&first, bytes.NewReader(data), ft.WriterOptions{}); err != nil {
			t.Fatal(err)
		}
		if err := copyStream(&second, bytes.NewReader(first.Bytes()), ft.WriterOptions{}); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(first.Bytes(), second.Bytes()) {
			t.Fatal("written, scanned and written again it is different")
		}
	})
}

// sample is a stream like that of a mail of about 50 KB.
func sample(tb testing.TB, body int) []byte {
	var out bytes.Buffer
	w := ft.NewWriter(&out, ft.WriterOptions{})
	random := rand.New(rand.NewPCG(1, 2))
	common := ft.NewGUID("00062008-0000-0000-c000-000000000046")
	w.Set(ft.Name{ID: 0x1a}, "IPM.Note")
	for i := range uint32(60) {
		w.Set(ft.Name{ID: 0x6000 + i}, random.Int32())
		w.Set(ft.Name{ID: 0x6100 + i}, strings.Repeat("word ", 6))
		w.Set(ft.Name{Set: common, ID: 0x8500 + i}, true)
	}
	w.Set(ft.Name{ID: 0x1013}, make([]byte, body))
	for i := range int32(5) {
		w.Mark(ft.StartRecipient)
		w.Set(ft.Name{ID: 0x3000}, i)
		for k := range uint32(20) {
			w.Set(ft.Name{ID: 0x3a00 + k}, "somebody@example.com")
		}
		w.Mark(ft.EndRecipient)
	}
	if err := w.Close(); err != nil {
		tb.Fatal(err)
	}
	return out.Bytes()
}

func benchmarkScan(b *testing.B, data []byte) {
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	for b.Loop() {
		s := ft.NewScanner(bytes.NewReader(data))
		var err error
		for err == nil {
			_, err = s.Next()
		}
		if err != io.EOF {
			b.Fatal(err)
		}
	}
}

func BenchmarkScanMail50KB(b *testing.B)       { benchmarkScan(b, sample(b, 34<<10)) }
func BenchmarkScanPropertiesOnly(b *testing.B) { benchmarkScan(b, sample(b, 0)) }
func BenchmarkSkipAttachment10MB(b *testing.B) { benchmarkScan(b, sample(b, 10<<20)) }
