package place_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/kopia/kopia/repo"
	"github.com/kopia/kopia/repo/blob/filesystem"
	"github.com/kopia/kopia/repo/object"

	"holdfast/internal/vault/place"
)

// flatCopy does what docs/format-place.md tells a stranger's reader to do.
func flatCopy(t *testing.T, store string) string {
	t.Helper()
	flat := t.TempDir()
	write := func(name string, data []byte) {
		if err := os.WriteFile(filepath.Join(flat, name), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(".shards", []byte(`{"default":[],"maxNonShardedLength":20}`))
	for _, name := range files(t, store) {
		data, err := os.ReadFile(filepath.Join(store, name))
		if err != nil {
			t.Fatal(err)
		}
		base := filepath.Base(name)
		switch {
		case name == "holdfast.repository" || name == "holdfast.blobcfg":
			write(strings.Replace(base, "holdfast.", "kopia.", 1)+".f", data)
		case strings.HasPrefix(name, "p/"), strings.HasPrefix(name, "q/"), strings.HasPrefix(name, "x/"):
			write(base+".f", data)
		}
	}
	return flat
}

func kopiaPassword(o place.Options) string { return base64.RawStdEncoding.EncodeToString(o.Password) }

// kopia as a library, with its own storage and the right password: our folder is no repository to it, a copy made by the book is, and gives the same bytes.
// The real command line is tried by the long tests.
func TestKopiaFindsNoRepositoryButReadsACopyMadeByTheBook(t *testing.T) {
	o, objects, _ := filled(t)
	ctx := context.Background()
	store := filepath.Join(o.Dir, organization, "000")
	config := filepath.Join(t.TempDir(), "kopia.config")
	for _, dir := range []string{o.Dir, store} {
		st, err := filesystem.New(ctx, &filesystem.Options{Path: dir}, false)
		if err != nil {
			t.Fatal(err)
		}
		if err := repo.Connect(ctx, config, st, kopiaPassword(o), nil); !errors.Is(err, repo.ErrRepositoryNotInitialized) {
			t.Errorf("connect to %s: %v, want no repository", dir, err)
		}
	}
	st, err := filesystem.New(ctx, &filesystem.Options{Path: flatCopy(t, store)}, false)
	if err != nil {
		t.Fatal(err)
	}
	if err := repo.Connect(ctx, config, st, kopiaPassword(o), nil); err != nil {
		t.Fatal(err)
	}
	r, err := repo.Open(ctx, config, kopiaPassword(o), &repo.Options{DisableRepositoryLog: true})
	if err != nil {
		t.Fatal(err)
	}
	for id, want := range objects {
		oid, err := object.ParseID(string(id))
		if err != nil {
			t.Fatal(err)
		}
		in, err := r.OpenObject(ctx, oid)
		if err != nil {
			t.Errorf("object %s: %v", id, err)
			continue
		}
		got, err := io.ReadAll(in)
		if err = errors.Join(err, in.Close()); err != nil || !bytes.Equal(got, want) {
			t.Errorf("object %s: %d bytes, %v; want %d", id, len(got), err, len(want))
		}
	}
	if err := r.Close(ctx); err != nil {
		t.Error(err)
	}
	for _, d := range verify(t, o) {
		if !d.Kind.Remark() {
			t.Errorf("finding %+v", d)
		}
	}
}
