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
)

// The real kopia command line, built from the pinned module, with the right password, pointed at the folder: it finds no repository, and no maintenance of it
// can touch ours. Even a repository that it makes beside ours, with full maintenance and without any safety margin, leaves every byte of ours.
func TestStrangersKopiaFindsNoRepository(t *testing.T) {
	bin := filepath.Join(t.TempDir(), "kopia")
	if out, err := exec.Command("go", "build", "-o", bin, "github.com/kopia/kopia").CombinedOutput(); err != nil {
		t.Fatalf("build kopia: %v\n%s", err, out)
	}
	o, _, _ := filled(t)
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
