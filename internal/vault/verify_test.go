package vault

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"holdfast/internal/holdfast"
)

// files gives the files of the repository below its folder.
func (b *bench) files() (list []string) {
	b.t.Helper()
	err := filepath.WalkDir(b.dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() && !strings.HasSuffix(path, "lock") {
			list = append(list, path)
		}
		return err
	})
	if err != nil {
		b.t.Fatal(err)
	}
	return list
}

// A byte changed anywhere in a pack is found and named down to the items that it hurts: exactly those that no longer read.
func TestChangedByteIsNamedDownToItemsAndRestorePoints(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	ctx := t.Context()
	w := b.writer(nil)
	for n := range 40 {
		b.put(w, mail(n, "inbox"), strings.Repeat(string(rune('a'+n%26)), 3000+n))
	}
	big := bytes.Repeat([]byte("large file "), 20_000)
	if err := w.Put(ctx, mail(90, "inbox"), holdfast.Whole(holdfast.FormFile, bytes.NewReader(big), int64(len(big)))); err != nil {
		t.Fatal(err)
	}
	h1 := b.publish(w)
	b.point("first", h1)
	if err := w.Delete(ctx, mail(90, "").ID); err != nil {
		t.Fatal(err)
	}
	h2 := b.publish(w)
	b.point("second", h2)
	w.Close()
	b.close()

	harmless, hurt := 0, 0
	for n, path := range b.files() {
		sound, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, at := range []int{len(sound) * (1 + n%3) / 4} {
			broken := bytes.Clone(sound)
			broken[at] ^= 0x40
			if err := os.WriteFile(path, broken, 0o600); err != nil {
				t.Fatal(err)
			}
			b.vault = New(b.opts)
			repo, err := b.vault.Repository(ctx, b.ref)
			if err != nil {
				// Some bytes are needed to open at all; then the error must be one for people.
				if k := holdfast.KindOf(err); k == holdfast.KindInternal {
					t.Errorf("%s at %d: %v", path, at, err)
				}
			} else {
				got, err := repo.Verify(ctx, VerifyOptions{Payloads: true})
				if err != nil {
					t.Fatalf("%s at %d: %v", path, at, err)
				}
				if len(got.Damage) == 0 {
					t.Errorf("%s at %d: nothing was found", path, at)
				}
				named := map[string]bool{}
				points := map[holdfast.RestorePointID]bool{}
				rows := false
				for _, d := range got.Damage {
					for _, i := range d.Items {
						named[i.ID] = true
						rows = rows || i.ID == ""
					}
					for _, p := range d.Points {
						points[p] = true
					}
				}
				if len(named) == 0 {
					harmless++
				} else {
					hurt++
				}
				b.repo = repo
				for id, head := range map[holdfast.RestorePointID]*Head{"first": h1, "second": h2} {
					bad := b.unreadable(head)
					if len(bad) > 0 && !points[id] && !slices.ContainsFunc(got.Damage, func(d Damage) bool { return slices.Contains(d.Points, id) }) {
						t.Errorf("%s at %d: restore point %s can't be read (%v) and is not named: %+v", path, at, id, bad, got.Damage)
					}
					for _, item := range bad {
						if !named[item] && !rows && !points[id] {
							t.Errorf("%s at %d: %s can't be read and is not named", path, at, item)
						}
					}
				}
				b.repo = nil
				if err := repo.Close(); err != nil {
					t.Error(err)
				}
			}
			if err := b.vault.Close(ctx); err != nil {
				t.Error(err)
			}
			if err := os.WriteFile(path, sound, 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	if hurt == 0 || harmless == 0 {
		t.Errorf("%d changed bytes hurt items, %d none: the sample is too small to tell", hurt, harmless)
	}
}

// unreadable gives the items of a head that can't be read; "" when not even listed.
func (b *bench) unreadable(h *Head) (bad []string) {
	ctx := b.t.Context()
	v := b.view(h)
	for i, err := range v.All(ctx) {
		if err != nil {
			return append(bad, "")
		}
		list, err := v.Payloads(ctx, i.ID)
		if err != nil {
			bad = append(bad, i.ID)
			continue
		}
		for _, p := range list {
			r, ok, err := v.Open(ctx, i.ID, p.Form)
			if err == nil && ok {
				_, err = copyAll(&bytes.Buffer{}, r)
			}
			if err != nil {
				bad = append(bad, i.ID)
				if holdfast.KindOf(err) != holdfast.KindDamaged {
					b.t.Errorf("%s: %v is not named as damage", i.ID, err)
				}
			}
		}
	}
	return bad
}
