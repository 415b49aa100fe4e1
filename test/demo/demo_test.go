// Package demo_test runs what the README begins with. It is a package of its own, so that it waits out the simulated limits beside other tests.
package demo_test

import (
	"bytes"
	"context"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"holdfast/test/harness"
)

// TestTheDemonstrationComesBackEqual: everything of a small organization is backed up, lost and given back, and the demonstration's own comparison says so.
func TestTheDemonstrationComesBackEqual(t *testing.T) {
	dir := t.TempDir()
	bin, err := harness.Build(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	rest, err := harness.FreePort()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, bin, "demo", "--once", "--rest", rest, "--dir", filepath.Join(dir, "demo"))
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	err = cmd.Run()
	text := out.String()
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	for _, want := range []string{"everything deleted", "0 failed", "calls before their Retry-After: 0", "mails sent by the simulated organization: 0"} {
		if !strings.Contains(text, want) {
			t.Errorf("it does not say %q:\n%s", want, text)
		}
	}
	for _, never := range []string{"not equal", "missing", "panic"} {
		if strings.Contains(text, never) {
			t.Errorf("it says %q:\n%s", never, text)
		}
	}
}
