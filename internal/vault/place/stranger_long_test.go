//go:build long

package place_test

import (
	"bytes"
	"encoding/base64"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"holdfast/internal/vault/place"
)

// The real kopia command line, built from the pinned module, with the right password, pointed at the folder: it finds no repository, and no maintenance of it
// can touch ours. Even a repository that it makes beside ours, with full maintenance and without any safety margin, leaves every byte of ours.
func TestStrangersKopiaFindsNoRepository(t *testing.T) {
	bin := filepath.Join(t.TempDir(), "kopia")
	if out, err := exec.Command("go", "build", "-o", bin, "github.com/kopia/kopia").CombinedOutput(); err != nil {
		t.Fatalf("build kopia: %v\n%s", err, out)
	}
	o, objects, _ := filled(t)
	dir := filepath.Join(o.Dir, organization, "000")
	home := t.TempDir()
	kopia := func(args ...string) (string, error) {
		cmd := exec.Command(bin, args...)
		cmd.Env = []string{
			"HOME=" + home, "PATH=" + os.Getenv("PATH"), "KOPIA_CHECK_FOR_UPDATES=false", "KOPIA_CONFIG_PATH=" + filepath.Join(home, "kopia.config"),
			"KOPIA_LOG_DIR=" + filepath.Join(home, "log"), "KOPIA_CACHE_DIRECTORY=" + filepath.Join(home, "cache"),
			"KOPIA_PASSWORD=" + base64.RawStdEncoding.EncodeToString(o.Password),
		}
		out, err := cmd.CombinedOutput()
		return string(out), err
	}
	before := contents(t, o.Dir)
	for _, path := range []string{dir, o.Dir} {
		out, err := kopia("repository", "connect", "filesystem", "--path", path)
		if err == nil || !strings.Contains(out, "not initialized") {
			t.Errorf("connect to %s: %v\n%s", path, err, out)
		}
		if out, err := kopia("maintenance", "run", "--full", "--safety=none"); err == nil {
			t.Errorf("maintenance went through\n%s", out)
		}
	}
	if out, err := kopia("repository", "create", "filesystem", "--path", dir); err != nil {
		t.Fatalf("create: %v\n%s", err, out)
	}
	if out, err := kopia("maintenance", "run", "--full", "--safety=none"); err != nil {
		t.Fatalf("maintenance of its own: %v\n%s", err, out)
	}
	after := contents(t, o.Dir)
	for name, data := range before {
		if !bytes.Equal(after[name], data) {
			t.Errorf("%s was changed by a stranger's kopia", name)
		}
	}
	for _, d := range verify(t, o) {
		if !d.Kind.Remark() {
			t.Errorf("finding %+v", d)
		}
	}
	readWithKopia(t, dir, objects, kopia)
	if len(after) <= len(before) {
		t.Error("kopia made nothing: this test tested nothing")
	}
}

func contents(t *testing.T, dir string) map[string][]byte {
	t.Helper()
	all := map[string][]byte{}
	for _, f := range files(t, dir) {
		data, err := os.ReadFile(filepath.Join(dir, f))
		if err != nil {
			t.Fatal(err)
		}
		all[f] = data
	}
	return all
}

// readWithKopia does what docs/format-place.md tells a stranger's reader to do.
func readWithKopia(t *testing.T, dir string, objects map[place.ObjectID][]byte, kopia func(...string) (string, error)) {
	t.Helper()
	flat := t.TempDir()
	write := func(name string, data []byte) {
		if err := os.WriteFile(filepath.Join(flat, name), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(".shards", []byte(`{"default":[],"maxNonShardedLength":20}`))
	for name, data := range contents(t, dir) {
		base := filepath.Base(name)
		switch {
		case name == "holdfast.repository" || name == "holdfast.blobcfg":
			write(strings.Replace(base, "holdfast.", "kopia.", 1)+".f", data)
		case strings.HasPrefix(name, "p/"), strings.HasPrefix(name, "q/"), strings.HasPrefix(name, "x/"):
			write(base+".f", data)
		}
	}
	if out, err := kopia("repository", "connect", "filesystem", "--readonly", "--path", flat); err != nil {
		t.Fatalf("connect to a flat copy: %v\n%s", err, out)
	}
	for id, want := range objects {
		out, err := kopia("show", string(id))
		if err != nil || out != string(want) {
			t.Errorf("kopia shows object %s as %d bytes, %v; want %d", id, len(out), err, len(want))
		}
	}
}
