//go:build long

package place_test

import (
	"bytes"
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
	bin := buildKopia(t)
	o, objects, _ := filled(t)
	dir := filepath.Join(o.Dir, organization, "000")
	home := t.TempDir()
	kopia := func(args ...string) (string, error) {
		cmd := exec.Command(bin, args...)
		cmd.Env = []string{
			"HOME=" + home, "PATH=" + os.Getenv("PATH"), "KOPIA_CHECK_FOR_UPDATES=false", "KOPIA_CONFIG_PATH=" + filepath.Join(home, "kopia.config"),
			"KOPIA_LOG_DIR=" + filepath.Join(home, "log"), "KOPIA_CACHE_DIRECTORY=" + filepath.Join(home, "cache"),
			"KOPIA_PASSWORD=" + kopiaPassword(o),
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
	readWithKopia(t, dir, objects, kopia)
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

// readWithKopia reads a copy that was made by docs/format-place.md.
func readWithKopia(t *testing.T, dir string, objects map[place.ObjectID][]byte, kopia func(...string) (string, error)) {
	t.Helper()
	if out, err := kopia("repository", "connect", "filesystem", "--readonly", "--path", flatCopy(t, dir)); err != nil {
		t.Fatalf("connect to a flat copy: %v\n%s", err, out)
	}
	for id, want := range objects {
		out, err := kopia("show", string(id))
		if err != nil || out != string(want) {
			t.Errorf("kopia shows object %s as %d bytes, %v; want %d", id, len(out), err, len(want))
		}
	}
}

// buildKopia builds the command line in a module of its own: its dependencies are not ours.
func buildKopia(t *testing.T) string {
	t.Helper()
	version, err := exec.Command("go", "list", "-m", "-f", "{{.Version}}", "github.com/kopia/kopia").Output()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for _, args := range [][]string{
		{"mod", "init", "kopiacli"},
		{"get", "-tool", "github.com/kopia/kopia@" + strings.TrimSpace(string(version))},
		{"build", "-o", "kopia", "github.com/kopia/kopia"},
	} {
		cmd := exec.Command("go", args...)
		cmd.Dir = dir
		cmd.Env = append(os.Environ(), "GOWORK=off", "GOFLAGS=-mod=mod")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("go %s: %v\n%s", strings.Join(args, " "), err, out)
		}
	}
	return filepath.Join(dir, "kopia")
}
