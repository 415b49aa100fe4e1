// Package rclone lets rclone, which knows nothing of Holdfast, use the simulated OneDrive through the simulator's
// CONNECT proxy: list, copy down, copy up, check, move, delete. It is a module of its own, so that rclone's many
// dependencies stay out of the product, and links rclone's OneDrive and local back ends only.
package rclone

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	_ "github.com/rclone/rclone/backend/local"
	_ "github.com/rclone/rclone/backend/onedrive"
	"github.com/rclone/rclone/cmd"
	_ "github.com/rclone/rclone/cmd/check"
	_ "github.com/rclone/rclone/cmd/copy"
	_ "github.com/rclone/rclone/cmd/link"
	_ "github.com/rclone/rclone/cmd/lsf"
	_ "github.com/rclone/rclone/cmd/moveto"
	_ "github.com/rclone/rclone/cmd/purge"

	"holdfast/internal/sim"
)

// asRclone makes this test binary be rclone when it is started as a child.
const asRclone = "HOLDFAST_TEST_AS_RCLONE"

func TestMain(m *testing.M) {
	if os.Getenv(asRclone) != "" {
		cmd.Main()
		return
	}
	os.Exit(m.Run())
}

type tool struct {
	t   *testing.T
	s   *sim.Sim
	env []string
}

func start(t *testing.T, o sim.Options) *tool {
	t.Helper()
	o.Dir, o.Proxy = t.TempDir(), "127.0.0.1:0"
	s, err := sim.New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	ten := s.Tenant()
	config := filepath.Join(t.TempDir(), "rclone.conf")
	text := ""
	for i, name := range []string{"od", "other"} {
		text += fmt.Sprintf("[%s]\ntype = onedrive\nclient_credentials = true\nclient_id = %s\nclient_secret = %s\ntenant = %s\ndrive_id = %s\ndrive_type = business\n\n",
			name, ten.ApplicationID, ten.ApplicationSecret, ten.TenantID, ten.Users[i].Drive)
	}
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return &tool{t: t, s: s, env: append(os.Environ(), asRclone+"=1", "HTTPS_PROXY=http://"+s.ProxyAddr(), "NO_PROXY=", "no_proxy=",
		"SSL_CERT_FILE="+s.CAFile(), "SSL_CERT_DIR=/nonexistent", "RCLONE_CONFIG="+config, "RCLONE_LOW_LEVEL_RETRIES=1", "RCLONE_RETRIES=1")}
}

// fine are the lines of a check that complain of nothing.
var fine = regexp.MustCompile(`NOTICE: .*: (0 differences found|\d+ matching files|\d+ hashes could not be checked)$`)

// run is one rclone command that must end well and complain of nothing.
func (r *tool) run(args ...string) string {
	r.t.Helper()
	ctx, cancel := context.WithTimeout(r.t.Context(), 2*time.Minute)
	defer cancel()
	c := exec.CommandContext(ctx, os.Args[0], args...)
	c.Env = r.env
	var out, errs bytes.Buffer
	c.Stdout, c.Stderr = &out, &errs
	if err := c.Run(); err != nil {
		r.t.Fatalf("rclone %v: %v\n%s", args, err, errs.String())
	}
	for line := range strings.Lines(errs.String()) {
		if line = strings.TrimSpace(line); line != "" && !fine.MatchString(line) {
			r.t.Errorf("rclone %v complains: %s", args, line)
		}
	}
	return out.String()
}

func (r *tool) dump(user int) map[string]sim.DriveRow {
	r.t.Helper()
	rows, err := r.s.DumpDrive(r.s.Tenant().Users[user].UPN, true)
	if err != nil {
		r.t.Fatal(err)
	}
	out := map[string]sim.DriveRow{}
	for _, row := range rows {
		out[row.Path] = row
	}
	return out
}

// same compares a local folder with what the simulator says of a drive's folder.
func (r *tool) same(dir string, drive map[string]sim.DriveRow, prefix string) {
	r.t.Helper()
	left := map[string]sim.DriveRow{}
	for p, row := range drive {
		if rest, ok := strings.CutPrefix(p, prefix); ok && rest != "" {
			left[rest] = row
		}
	}
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || path == dir {
			return err
		}
		rel, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		row, ok := left[rel]
		if !ok || row.Folder != e.IsDir() {
			r.t.Errorf("%q is here and not on the drive", rel)
			return nil
		}
		delete(left, rel)
		if e.IsDir() {
			return nil
		}
		b, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		info, err := e.Info()
		if err != nil {
			return err
		}
		if sum := sha256.Sum256(b); hex.EncodeToString(sum[:]) != row.SHA256 || int64(len(b)) != row.Size {
			r.t.Errorf("%q has other bytes", rel)
		}
		if !info.ModTime().Truncate(time.Second).Equal(row.Modified) {
			r.t.Errorf("%q was modified %v, on the drive %v", rel, info.ModTime(), row.Modified)
		}
		return nil
	})
	if err != nil {
		r.t.Fatal(err)
	}
	for p := range left {
		r.t.Errorf("%q is on the drive and not here", p)
	}
}

// clean demands that nothing happened which a real tenant would not like.
func (r *tool) clean() {
	r.t.Helper()
	st := r.s.Stats()
	if st.Violations != 0 || st.TokenCanary != 0 || st.MailsSentN != 0 || len(st.RefusedHosts) != 0 || st.Endpoints["unknown"].Calls != 0 {
		r.t.Errorf("violations %v, tokens at wrong places %d, mails %d, refused hosts %v, unknown calls %d", st.ViolationList, st.TokenCanary, st.MailsSentN, st.RefusedHosts, st.Endpoints["unknown"].Calls)
	}
}

func TestRcloneListsCopiesAndChecksADrive(t *testing.T) {
	r := start(t, sim.Options{Users: 2, FilesPer: 60, Limits: sim.LimitsEnforce})
	drive := r.dump(0)
	var want []string
	for p, row := range drive {
		if row.Folder {
			p += "/"
		}
		want = append(want, p)
	}
	slices.Sort(want)
	got := strings.Split(strings.TrimSuffix(r.run("lsf", "-R", "od:"), "\n"), "\n")
	slices.Sort(got)
	if !slices.Equal(got, want) {
		t.Fatalf("rclone lists\n%q\nthe drive has\n%q", got, want)
	}
	down := t.TempDir()
	r.run("copy", "--create-empty-src-dirs", "od:", down)
	r.same(down, drive, "")
	r.run("check", "od:", down)

	// Up: what came down, and a file of several fragments, into another drive's folder.
	big := bytes.Repeat([]byte("0123456789abcdef"), 1<<16*9/8)
	if err := os.WriteFile(filepath.Join(down, "several fragments.bin"), big, 0o600); err != nil {
		t.Fatal(err)
	}
	r.run("copy", "--create-empty-src-dirs", "--onedrive-chunk-size", "320k", "--onedrive-upload-cutoff", "512k", down, "other:Copied up")
	r.same(down, r.dump(1), "Copied up/")
	r.run("check", down, "other:Copied up")
	before := r.s.Stats().Endpoints
	r.run("copy", down, "other:Copied up") // nothing left to do
	after := r.s.Stats().Endpoints
	for name, e := range after {
		if strings.HasPrefix(name, "PUT") && e.Calls != before[name].Calls {
			t.Errorf("a second copy uploads again: %s", name)
		}
	}
	r.run("copy", "other:Copied up/several fragments.bin", "other:Copied again") // on the server
	r.run("moveto", "other:Copied again/several fragments.bin", "other:moved away.bin")
	if url := r.run("link", "other:moved away.bin"); !strings.HasPrefix(url, "https://") {
		t.Errorf("link: %q", url)
	}
	r.run("purge", "other:Copied up")
	left := r.dump(1)
	if row := left["moved away.bin"]; row.Size != int64(len(big)) || len(row.Grants) != 1 {
		t.Errorf("the moved file: %+v", row)
	}
	for p := range left {
		if strings.HasPrefix(p, "Copied up") {
			t.Errorf("%q was purged and is there", p)
		}
	}
	r.clean()
}
