package e2e_test

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"holdfast/internal/sim"
	"holdfast/internal/sys"
	"holdfast/test/harness"
)

const passphrase = "a passphrase that only this test knows"

// exportKit writes the repository's recovery kit and gives the files of kit and passphrase.
func (w *world) exportKit() (kit, pass string) {
	w.Helper()
	var raw []byte
	w.call(http.MethodPost, "/holdfast/v1/BackupRepositories/"+w.repo+"/RecoveryKit", map[string]any{"passphrase": passphrase}, &raw)
	dir := w.TempDir()
	kit, pass = filepath.Join(dir, "kit.age"), filepath.Join(dir, "passphrase")
	w.must(os.WriteFile(kit, raw, 0o600))
	w.must(os.WriteFile(pass, []byte(passphrase+"\n"), 0o600))
	return kit, pass
}

// filesOf are the files below a folder.
func filesOf(t *testing.T, dir string) (out []string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() {
			out = append(out, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// flip changes one bit of a file and gives how to change it back.
func flip(t *testing.T, file string, at int64, bit byte) func() {
	t.Helper()
	info, err := os.Stat(file)
	if err != nil {
		t.Fatal(err)
	}
	toggle := func() {
		if err := os.Chmod(file, 0o600); err != nil {
			t.Fatal(err)
		}
		f, err := os.OpenFile(file, os.O_RDWR, 0)
		if err != nil {
			t.Fatal(err)
		}
		var b [1]byte
		if _, err := f.ReadAt(b[:], at); err != nil {
			t.Fatal(err)
		}
		b[0] ^= bit
		if _, err := f.WriteAt(b[:], at); err != nil {
			t.Fatal(err)
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(file, info.Mode().Perm()); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(file, info.ModTime(), info.ModTime()); err != nil {
			t.Fatal(err)
		}
	}
	toggle()
	return toggle
}

// damaged demands that verify finds the change of one byte, and names what it hurts or that it hurts nothing.
func (w *world) damaged(file string, at int64, bit byte, args ...string) {
	w.Helper()
	restore := flip(w.T, file, at, bit)
	defer restore()
	what := fmt.Sprintf("%s, bit %#x of byte %d", strings.TrimPrefix(file, w.place), bit, at)
	out, complaints, code, err := cli(w.ctx, append([]string{"vault", "verify", "--json"}, args...)...)
	w.must(err)
	if code != 1 {
		w.Errorf("%s: verify ends with %d\n%s%s", what, code, out, complaints)
		return
	}
	var report struct {
		Sound  bool
		Damage []struct {
			Blob, What string
			Hurt       int64
			Items      []struct{ Container, ID, Name string }
			Points     []string
		}
	}
	w.must(json.Unmarshal([]byte(out), &report))
	if report.Sound || len(report.Damage) == 0 {
		w.Errorf("%s: verify names no damage: %s", what, out)
	}
	for _, d := range report.Damage {
		if d.What == "" || d.Hurt > 0 && len(d.Items) == 0 {
			w.Errorf("%s: the damage of %q is not named down to items: %+v", what, d.Blob, d)
		}
	}
}

// smallWorld has two restore points in a small repository, and its server has ended.
func smallWorld(t *testing.T) *world {
	s := newSim(t, "--users", "1", "--limits", "off", "--mail-messages", "4", "--mail-size", "3000", "--files", "3")
	w := newServer(t, s, "--m365-limits", "off")
	w.protect(false)
	w.backup()
	w.churn(sim.Churn{Seed: 1, New: 2, Flags: 1, Deletes: 1, Drive: 2})
	w.backup()
	return w
}

// A byte that changes in any file of the repository is found and named.
func TestOneChangedByteIsFoundAndNamed(t *testing.T) {
	t.Parallel()
	w := smallWorld(t)
	kit, pass := w.exportKit()
	w.server.Kill()
	w.verified()
	r := rand.New(rand.NewPCG(seedOf(t), 3))
	files := filesOf(t, w.place)
	for _, f := range files {
		info, err := os.Stat(f)
		w.must(err)
		if info.Size() == 0 {
			continue
		}
		w.damaged(f, r.Int64N(info.Size()), 1<<r.IntN(8), "--data", w.server.Data, "--repository", "main")
	}
	// With place and kit alone too; what is not packs is little, and its damage the most awkward.
	for _, f := range files {
		if strings.HasSuffix(f, ".json") {
			raw, err := os.ReadFile(f)
			w.must(err)
			for range 4 {
				w.damaged(f, r.Int64N(int64(len(raw))), 1<<r.IntN(8), "--path", w.place, "--recovery-kit", kit, "--passphrase-file", pass)
				w.damaged(f, r.Int64N(int64(len(raw))), 1<<r.IntN(8), "--data", w.server.Data, "--repository", "main")
			}
		}
	}
	w.verified()
	t.Logf("%d files", len(files))
}

// The whole data folder is lost. Place and recovery kit bring back every restore point, and backups go on where they were.
func TestARebuildBringsBackEverything(t *testing.T) {
	t.Parallel()
	s := newSim(t, "--users", "2", "--limits", "off", "--mail-messages", "12", "--files", "6")
	w := newServer(t, s, "--m365-limits", "off")
	w.protect(false)
	first := w.backup()
	one, atOne := w.truth().contents(w.users()), sys.System.Now()
	w.churn(sim.Churn{Seed: 4, New: 4, Flags: 4, Moves: 2, Deletes: 2, Drive: 4})
	w.backup()
	two := w.truth().contents(w.users())
	points := w.restorePoints()
	kit, pass := w.exportKit()
	w.server.Kill()
	w.must(os.RemoveAll(w.server.Data))

	data := filepath.Join(w.TempDir(), "new")
	password := filepath.Join(w.TempDir(), "password")
	w.must(os.WriteFile(password, []byte(w.server.Password), 0o600))
	out, complaints, code, err := cli(w.ctx, "vault", "rebuild", "--data", data, "--path", w.place, "--recovery-kit", kit, "--passphrase-file", pass, "--admin-password-file", password)
	w.must(err)
	if code != 0 {
		t.Fatalf("rebuild ends with %d: %s%s", code, out, complaints)
	}
	if w.server, err = harness.StartServer(w.ctx, bin, data, s, "--m365-limits", "off"); err != nil {
		t.Fatal(err)
	}
	w.org, err = w.server.AddOrganization(w.ctx, false)
	w.must(err)
	there := w.restorePoints()
	for p := range points {
		if !there[p] {
			t.Errorf("restore point %s is not back", p)
		}
	}
	if len(there) != len(points) {
		t.Errorf("%d restore points, there were %d", len(there), len(points))
	}
	w.same("the second restore point after the rebuild", w.contents(time.Time{}), two)
	w.same("the first restore point after the rebuild", w.contents(atOne), one)

	var repos struct{ Results []struct{ ID, Name string } }
	w.call(http.MethodGet, "/v8/BackupRepositories", nil, &repos)
	if len(repos.Results) != 1 {
		t.Fatalf("repositories after the rebuild: %+v", repos.Results)
	}
	w.repo = repos.Results[0].ID
	w.addJob(false)
	w.churn(sim.Churn{Seed: 5, New: 2, Flags: 2, Drive: 2})
	third := w.backup()
	if third.Statistics.Transferred*2 > first.Statistics.Transferred {
		t.Errorf("after the rebuild a backup transferred %d bytes, the first one %d: it was not incremental", third.Statistics.Transferred, first.Statistics.Transferred)
	}
	w.same("a backup after the rebuild", w.contents(time.Time{}), w.truth().contents(w.users()))
	w.verified()
}
