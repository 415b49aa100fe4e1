package vault

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"pgregory.net/rapid"

	"holdfast/internal/holdfast"
)

// sampleRows are rows of every class.
func sampleRows() []*row {
	return []*row{
		{class: classFolder, item: folder("inbox", "")},
		{class: classItem, item: mail(1, "inbox"), payloads: []payload{{form: holdfast.FormMIME, size: 12, pieces: []piece{
			{ref: objectRef{id: "block", packed: true, size: 100}, offset: 3, length: 7},
			{base64: true, ref: objectRef{id: "apart", size: 5}, length: 5},
		}}}},
		{class: classTomb, item: holdfast.Item{ID: "gone"}},
		{class: classCursor, item: holdfast.Item{ID: "cursor", Name: "value"}},
	}
}

func sampleChunk(t testing.TB, z *zip) []byte {
	t.Helper()
	var c chunkBuilder
	for _, r := range sampleRows() {
		if err := c.add(r); err != nil {
			t.Fatal(err)
		}
	}
	return c.encode(z)
}

func FuzzChunk(f *testing.F) {
	z := newZip(1)
	defer z.close()
	f.Add(sampleChunk(f, z))
	f.Add([]byte{chunkVersion})
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := decodeChunk(z, data)
		if err != nil {
			return
		}
		for i := range c.rows {
			r, err := c.row(i)
			if err != nil {
				continue
			}
			p, err := decodePosition(c.rows[i])
			if err != nil || p.compare(r.position()) != 0 {
				t.Errorf("row %d is at %v, its position says %v (%v)", i, r.position(), p, err)
			}
		}
		if _, err := c.seek(classItem, "inbox"); err != nil && !errors.Is(err, errGarbled) {
			t.Error(err)
		}
	})
}

// FuzzRow decodes rows without the frame around them, so that the fuzzer reaches them.
func FuzzRow(f *testing.F) {
	var e encoder
	table := func(o objectRef) uint64 { return map[string]uint64{"block": 0, "apart": 1}[o.id] }
	objects := []objectRef{{id: "block", packed: true, size: 100}, {id: "apart", size: 5}}
	for _, r := range sampleRows() {
		e.b = nil
		r.encode(&e, table)
		f.Add(slices.Clone(e.b))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := decodeRow(data, objects)
		if err != nil {
			return
		}
		var out encoder
		r.encode(&out, table)
		again, err := decodeRow(out.b, objects)
		if err != nil {
			t.Fatalf("encoded again it does not decode: %v", err)
		}
		if again.position().compare(r.position()) != 0 || again.item.Name != r.item.Name || len(again.payloads) != len(r.payloads) {
			t.Errorf("%+v became %+v", r, again)
		}
	})
}

// FuzzFooter decodes a run's footer, packed by us so that the fuzzer reaches it.
func FuzzFooter(f *testing.F) {
	z := newZip(1)
	defer z.close()
	var e encoder
	e.string("mailbox")
	e.string("source")
	for range classes {
		e.uint(0)
	}
	for range 6 {
		e.uint(0)
	}
	f.Add(e.b, []byte("inline"))
	f.Fuzz(func(t *testing.T, body, inline []byte) {
		frame := z.pack(nil, body, true)
		var out encoder
		out.bytes([]byte(rootMagic))
		out.byte(rootVersion)
		out.uint(uint64(len(frame)))
		out.bytes(frame)
		out.bytes(inline)
		r, err := decodeRun(z, "x", out.b)
		if err != nil {
			return
		}
		for _, c := range r.chunks {
			if c.at.object == "" {
				_ = r.inline[c.at.offset : c.at.offset+c.at.length]
			}
		}
		for range r.objects() {
		}
	})
}

func FuzzRoot(f *testing.F) {
	z := newZip(1)
	defer z.close()
	f.Add([]byte("HFRN\x01\x00"))
	f.Fuzz(func(t *testing.T, data []byte) {
		if _, err := decodeRun(z, "x", data); err != nil && !errors.Is(err, errGarbled) && holdfast.KindOf(err) != holdfast.KindConflict {
			t.Error(err)
		}
	})
}

func FuzzIndexAndFilter(f *testing.F) {
	keys := []indexEntry{{keyOf("a"), 1}, {keyOf("b"), 2}}
	slices.SortFunc(keys, func(x, y indexEntry) int { return bytes.Compare(x.key[:], y.key[:]) })
	f.Add(encodeIndex(keys))
	f.Add(encodeFilter(keys))
	f.Fuzz(func(t *testing.T, data []byte) {
		if x, err := decodeIndex(data); err == nil {
			x.find(keyOf("a"))
		}
		if x, err := decodeFilter(data); err == nil {
			x.may(keyOf("a"))
		}
	})
}

func FuzzBlock(f *testing.F) {
	z := newZip(1)
	defer z.close()
	f.Add(z.pack([]byte{blockVersion}, []byte("some bytes"), false))
	f.Fuzz(func(t *testing.T, data []byte) {
		if raw, err := decodeBlock(z, data); err == nil && len(raw) > maxBlock {
			t.Errorf("a block of %d bytes", len(raw))
		}
	})
}

// FuzzRecords decodes what lies in records and head objects.
func FuzzRecords(f *testing.F) {
	f.Add([]byte(`{"format":1,"container":{"kind":"mailbox","source":"x"},"number":1,"runs":[{"object":"o","rows":1,"bytes":2}]}`))
	f.Add([]byte(`{"format":1,"id":"00000000000000000001-00000000","kind":"published","heads":[]}`))
	f.Add([]byte(`{"format":1,"restorePoint":{"id":"p","entries":[{"container":{"kind":"mailbox","source":"x"},"head":1}]},"heads":{"mailbox/x":"o"}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		if h, err := decodeHead(data); err == nil {
			if _, err := h.encode(); err != nil {
				t.Error(err)
			}
			plan(h.Runs, h.Items)
		}
		if e, err := decodeEntry(data); err == nil {
			c := &Catalogue{Published: map[string]*Head{}, Checkpoint: map[string]*Head{}}
			c.take(e)
			c.settle()
		}
		if p, err := decodePoint(data); err == nil {
			_, _ = expire([]*Point{p}, holdfast.RetentionPeriod{Days: 1}, epoch0)
		}
	})
}

func TestNewerFormatsAreNamedAndNotGuessedAt(t *testing.T) {
	z := newZip(1)
	defer z.close()
	for what, err := range map[string]error{
		"chunk":  func() error { _, err := decodeChunk(z, []byte{9, 0}); return err }(),
		"index":  func() error { _, err := decodeIndex([]byte{9, 0}); return err }(),
		"filter": func() error { _, err := decodeFilter([]byte{9, 0}); return err }(),
		"block":  func() error { _, err := decodeBlock(z, []byte{9, 0}); return err }(),
		"run":    func() error { _, err := decodeRun(z, "x", []byte("HFRN\x09")); return err }(),
		"head":   func() error { _, err := decodeHead([]byte(`{"format":9}`)); return err }(),
		"entry":  func() error { _, err := decodeEntry([]byte(`{"format":9,"id":"x","kind":"published"}`)); return err }(),
		"point":  func() error { _, err := decodePoint([]byte(`{"format":9,"restorePoint":{"id":"x"}}`)); return err }(),
	} {
		if holdfast.KindOf(err) != holdfast.KindConflict || !strings.Contains(err.Error(), "use a newer one") {
			t.Errorf("%s of format 9: %v", what, err)
		}
	}
}

func TestPayloadsComeBackByteForByte(t *testing.T) {
	b := newBench(t)
	b.repo.sizes = smallLayout
	w := b.writer(nil)
	n := 0
	want := map[string]string{}
	rapid.Check(t, func(rt *rapid.T) {
		rng := rand.New(rand.NewPCG(rapid.Uint64().Draw(rt, "seed"), 2))
		for range 25 {
			n++
			id := mail(n, "inbox").ID
			var exact bytes.Buffer
			var pieces []holdfast.Piece
			for range rng.IntN(12) {
				raw := make([]byte, []int{0, 1, 56, 57, 58, 63, 64, 65, 299, 300, 301, 5000, 70_000}[rng.IntN(13)])
				for i := range raw {
					raw[i] = byte(rng.Uint32())
				}
				p := holdfast.Piece{Reader: iotest.HalfReader(bytes.NewReader(raw)), Size: int64(len(raw)), Apart: rng.IntN(2) == 0}
				if rng.IntN(3) == 0 {
					p.Size = -1
				}
				if rng.IntN(2) == 0 {
					p.Transform = holdfast.Base64
					if _, err := io.Copy(&exact, holdfast.EncodeBase64Lines(bytes.NewReader(raw))); err != nil {
						rt.Fatal(err)
					}
				} else {
					exact.Write(raw)
				}
				pieces = append(pieces, p)
			}
			all := func(yield func(holdfast.Piece, error) bool) {
				for _, p := range pieces {
					if !yield(p, nil) {
						return
					}
				}
			}
			if err := w.Put(t.Context(), mail(n, "inbox"), holdfast.Payload{Form: holdfast.FormMIME, Pieces: all}); err != nil {
				rt.Fatal(err)
			}
			want[id] = exact.String()
		}
	})
	h := b.publish(w)
	v := b.view(h)
	for id, body := range want {
		if got := b.read(v, id, holdfast.FormMIME); got != body {
			t.Errorf("%s: %d bytes came back, not the %d that were put", id, len(got), len(body))
		}
		info, err := v.Payloads(t.Context(), id)
		if err != nil || len(info) != 1 || info[0].Size != int64(len(body)) {
			t.Errorf("%s: payloads %+v, %v", id, info, err)
		}
	}
}

func TestPutThatFailsStoresNothing(t *testing.T) {
	b := newBench(t)
	ctx := t.Context()
	w := b.writer(nil)
	b.put(w, mail(1, "inbox"), "first version")
	source := errors.New("half a download")
	broken := func(size int) holdfast.Payload {
		r := io.MultiReader(strings.NewReader(strings.Repeat("x", size)), iotest.ErrReader(source))
		return holdfast.Whole(holdfast.FormMIME, r, -1)
	}
	for _, size := range []int{0, 10, 40 << 10, 3 << 20} {
		if err := w.Put(ctx, mail(1, "elsewhere"), broken(size)); !errors.Is(err, source) {
			t.Errorf("broken after %d bytes: %v, want the reader's error", size, err)
		}
	}
	lie := text(holdfast.FormMIME, "not what was served")
	lie.Served = func() uint64 { return 1 }
	if err := w.Put(ctx, mail(1, "elsewhere"), lie); !errors.Is(err, ErrNotExact) {
		t.Errorf("pieces that do not give the exact bytes: %v", err)
	}
	short := holdfast.Payload{Form: holdfast.FormMIME, Pieces: func(yield func(holdfast.Piece, error) bool) {
		yield(holdfast.Piece{Reader: strings.NewReader("short"), Size: 10}, nil)
	}}
	if err := w.Put(ctx, mail(1, "elsewhere"), short); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("a piece that ends early: %v", err)
	}
	if err := w.Put(ctx, mail(2, "inbox"), holdfast.Kept(holdfast.FormMIME)); holdfast.KindOf(err) != holdfast.KindNotFound {
		t.Errorf("keep without an earlier payload: %v", err)
	}
	h := b.publish(w)
	v := b.view(h)
	if got := b.all(v); len(got) != 1 || got["mail-000001"].Parent != "inbox" {
		t.Errorf("stored: %+v", got)
	}
	if got := b.read(v, "mail-000001", holdfast.FormMIME); got != "first version" {
		t.Errorf("body %q", got)
	}
}

func TestIdleContainersWriteNothing(t *testing.T) {
	b := newBench(t)
	ctx := context.Background()
	var heads []Head
	bases := map[int]*Head{}
	for n := range 200 {
		c := testMailbox
		c.Source = string(rune('a'+n%26)) + strings.Repeat("x", n/26)
		w := b.writerOf(c, nil)
		b.put(w, mail(n, "inbox"), "body")
		if err := w.Cursor(ctx, "inbox", "delta-1"); err != nil {
			t.Fatal(err)
		}
		h, err := w.Seal(ctx)
		if err != nil {
			t.Fatal(err)
		}
		heads, bases[n] = append(heads, *h), h
		w.Close()
	}
	blobs0, _ := b.repo.store.place.Written()
	if _, err := b.repo.Publish(ctx, heads, Published); err != nil {
		t.Fatal(err)
	}
	blobs, _ := b.repo.store.place.Written()
	if blobs-blobs0 > 10 {
		t.Errorf("publishing 200 heads together wrote %d blobs, want at most 10", blobs-blobs0)
	}
	blobs0, bytes0 := b.repo.store.place.Written()
	for n := range heads {
		w := b.writerOf(heads[n].Container, bases[n])
		// An idle delta gives a new token all the same.
		if err := w.Cursor(ctx, "inbox", "delta-2"); err != nil {
			t.Fatal(err)
		}
		if h, err := w.Seal(ctx); h != nil || err != nil {
			t.Fatalf("idle container: head %v, error %v", h, err)
		}
		w.Close()
	}
	if blobs, bytes := b.repo.store.place.Written(); blobs != blobs0 || bytes != bytes0 {
		t.Errorf("idle containers wrote %d blobs, %d bytes", blobs-blobs0, bytes-bytes0)
	}
	// A day later the token is worth keeping.
	b.clock.Move(idleCursors)
	w := b.writerOf(heads[0].Container, bases[0])
	if err := w.Cursor(ctx, "inbox", "delta-3"); err != nil {
		t.Fatal(err)
	}
	if h := b.publish(w); h == nil {
		t.Error("a day old cursor was not renewed")
	}
}
