package vault

import (
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"holdfast/internal/holdfast"
	"holdfast/internal/vault/place"
)

var update = flag.Bool("update", false, "rewrite the golden description of the sample repository; the sample of a released format is never rewritten")

const sampleDir = "testdata/format-1"

// described is a restore point as the golden file has it.
type described struct {
	Point   holdfast.RestorePointID
	Items   []describedItem
	Cursors map[string]string
}

type describedItem struct {
	ID, Parent, Kind, Name, Time string
	Payloads                     []string
}

func (b *bench) describe() (list []described) {
	b.t.Helper()
	ctx := b.t.Context()
	for p, err := range b.repo.Points(ctx) {
		if err != nil {
			b.t.Fatal(err)
		}
		d := described{Point: p.ID, Cursors: map[string]string{}}
		for _, key := range sortedKeys(p.Heads) {
			h, err := b.repo.Head(ctx, p.Heads[key])
			if err != nil {
				b.t.Fatal(err)
			}
			v := b.view(h)
			for i, err := range v.All(ctx) {
				if err != nil {
					b.t.Fatal(err)
				}
				x := describedItem{ID: i.ID, Parent: i.Parent, Kind: string(i.Kind), Name: i.Name, Time: i.Time.Format("2006-01-02T15:04:05Z")}
				infos, err := v.Payloads(ctx, i.ID)
				if err != nil {
					b.t.Fatal(err)
				}
				for _, p := range infos {
					b.read(v, i.ID, p.Form) // reading to the end proves the hash
					x.Payloads = append(x.Payloads, fmt.Sprintf("%s %d %s", p.Form, p.Size, hex.EncodeToString(p.SHA256[:])))
				}
				d.Items = append(d.Items, x)
			}
			for c, err := range v.Cursors(ctx) {
				if err != nil {
					b.t.Fatal(err)
				}
				d.Cursors[c.Name] = c.Value
			}
		}
		list = append(list, d)
	}
	return list
}

// makeSample writes a repository that has every part of the format: inline and large runs, filters, tombstones, blocks, objects apart, base64,
// two forms of an item, folders, file versions, a checkpoint.
func (b *bench) makeSample() {
	ctx := b.t.Context()
	b.repo.sizes = smallLayout
	drive := testMailbox
	drive.Kind, drive.Source = holdfast.Drive, "drive-1"
	w := b.writer(nil)
	for _, f := range []string{"inbox", "archive"} {
		if err := w.Put(ctx, folder(f, "")); err != nil {
			b.t.Fatal(err)
		}
	}
	for n := range 120 {
		b.put(w, mail(n, []string{"inbox", "archive"}[n%2]), strings.Repeat(fmt.Sprintf("mail %d, ", n), n%50))
	}
	raw := bytes.Repeat([]byte{0, 1, 2, 254, 255}, 200)
	mime := holdfast.Payload{Form: holdfast.FormMIME, Pieces: func(yield func(holdfast.Piece, error) bool) {
		_ = yield(holdfast.Piece{Reader: strings.NewReader("Content-Transfer-Encoding: base64\r\n\r\n"), Size: -1}, nil) &&
			yield(holdfast.Piece{Reader: bytes.NewReader(raw), Size: 1000, Transform: holdfast.Base64, Apart: true}, nil) &&
			yield(holdfast.Piece{Reader: bytes.NewReader(raw[:70]), Size: 70, Transform: holdfast.Base64}, nil) &&
			yield(holdfast.Piece{Reader: strings.NewReader("--end--\r\n"), Size: -1}, nil)
	}}
	if err := w.Put(ctx, mail(500, "inbox"), mime, text(holdfast.FormJSON, `{"subject":"ünïcode"}`)); err != nil {
		b.t.Fatal(err)
	}
	if err := w.Cursor(ctx, "inbox", "delta-1"); err != nil {
		b.t.Fatal(err)
	}
	h1 := b.publish(w)
	b.point("11111111-0000-4000-8000-00000000000a", h1)
	for n := range 30 {
		if err := w.Put(ctx, mail(n*3, "archive"), holdfast.Kept(holdfast.FormMIME)); err != nil {
			b.t.Fatal(err)
		}
		if err := w.Delete(ctx, mail(n*3+1, "").ID); err != nil {
			b.t.Fatal(err)
		}
	}
	if err := w.Cursor(ctx, "inbox", "delta-2"); err != nil {
		b.t.Fatal(err)
	}
	b.point("11111111-0000-4000-8000-00000000000b", b.publish(w))
	d := b.writerOf(drive, nil)
	file := holdfast.Item{ID: "file-1", Parent: "root", Kind: holdfast.KindFile, Version: "2", Time: epoch0, Size: 1000, Name: "a file.bin"}
	if err := d.Put(ctx, file, holdfast.Whole(holdfast.FormFile, bytes.NewReader(raw), 1000), text(holdfast.FormPermissions, "[]")); err != nil {
		b.t.Fatal(err)
	}
	older := holdfast.Item{ID: "file-1;1", Parent: "file-1", Kind: holdfast.KindVersion, Version: "1", Time: epoch0.AddDate(0, -1, 0), Name: "a file.bin"}
	if err := d.Put(ctx, older, text(holdfast.FormFile, "")); err != nil {
		b.t.Fatal(err)
	}
	b.point("11111111-0000-4000-8000-00000000000c", b.publish(d))
	b.put(w, mail(600, "inbox"), "only in a checkpoint")
	b.publishAs(w, Checkpoint)
	w.Close()
	d.Close()
}

// A repository that an earlier version wrote opens for ever and shows the same.
func TestSampleOfFormat1StillReads(t *testing.T) {
	b := &bench{t: t, dir: filepath.Join(t.TempDir(), "repository")}
	if _, err := os.Stat(sampleDir); os.IsNotExist(err) && *update {
		made := newBench(t)
		made.makeSample()
		made.close()
		if err := os.CopyFS(sampleDir, os.DirFS(made.dir)); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.CopyFS(b.dir, os.DirFS(sampleDir)); err != nil {
		t.Fatal(err)
	}
	b.ref = Ref{Repository: "11111111-0000-4000-8000-000000000001", Path: b.dir, Organization: testOrganization}
	b.opts = Options{Password: func(context.Context, Ref) ([]byte, error) { return bytes.Repeat([]byte{7}, 32), nil }}
	b.vault = New(b.opts)
	if d, err := place.Describe(b.dir); err != nil || d.ID != b.ref.Repository {
		t.Fatalf("%+v, %v", d, err)
	}
	b.open()
	got, err := json.MarshalIndent(b.describe(), "", " ")
	if err != nil {
		t.Fatal(err)
	}
	golden := sampleDir + ".json"
	if *update {
		if err := os.WriteFile(golden, append(got, '\n'), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(bytes.TrimSpace(want), got) {
		t.Errorf("the sample reads as\n%s\nwant\n%s", got, want)
	}
	c, err := b.repo.Rebuild(t.Context())
	if err != nil || len(c.Damage) > 0 || len(c.Points) != 3 || len(c.Published) != 2 || len(c.Checkpoint) != 1 {
		t.Errorf("rebuild: %+v, %v", c, err)
	}
	v, err := b.repo.Verify(t.Context(), VerifyOptions{Payloads: true})
	if err != nil || len(v.Damage) > 0 {
		t.Errorf("verification: %+v, %v", v, err)
	}
	// What it has can be built on.
	w := b.writer(c.Published[testMailbox.Key()])
	b.put(w, mail(700, "inbox"), "new")
	h := b.publish(w)
	if i := slices.IndexFunc(c.Points, func(p *Point) bool { return p.Heads[testMailbox.Key()] == h.Object }); i >= 0 {
		t.Error("the new head is an old one")
	}
}
