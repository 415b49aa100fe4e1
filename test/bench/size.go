package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// size compares the repository of a first backup with what kopia's command line makes of the same messages as files, with its default
// splitter and the compression zstd-fastest. One run each: the corpus is fixed, and so are the bytes but for a few.
func (b *bench) size() error {
	kopia, err := buildKopia(b.ctx, filepath.Join(b.dir, "kopia"))
	if err != nil {
		return err
	}
	for _, c := range []struct {
		what, shared string
		limit        float64
	}{{"20 % of attachments drawn from 300 files", "0.2", 0.87}, {"without duplicates", "-1", 0}} {
		ours, theirs, err := b.sizes(kopia, c.shared)
		if err != nil {
			return err
		}
		b.add("repository, "+c.what, "MiB", 0, ours)
		b.add("kopia's, of the same messages as files", "MiB", 0, theirs)
		b.add("repository against kopia's, "+c.what, "times", c.limit, ours/theirs)
	}
	return nil
}

func (b *bench) sizes(kopia, shared string) (ours, theirs float64, err error) {
	l, err := b.lab("size", mailOnly, append(b.corpus(shared), "--limits", "off")...)
	if err != nil {
		return 0, 0, err
	}
	_, err = l.run(b.ctx)
	l.close()
	if err != nil {
		return 0, 0, err
	}
	const mib = 1 << 20
	bytes, _ := usage(l.repo)
	dir := filepath.Join(b.dir, "size")
	mails := filepath.Join(dir, "mails")
	if err := command(b.ctx, nil, b.bin, "vault", "extract", "--data", filepath.Join(dir, "data"), "--repository", "bench", "--out", mails); err != nil {
		return 0, 0, err
	}
	place := filepath.Join(dir, "kopia")
	env := []string{"HOME=" + dir, "PATH=" + os.Getenv("PATH"), "KOPIA_CHECK_FOR_UPDATES=false", "KOPIA_CONFIG_PATH=" + filepath.Join(dir, "kopia.config"), "KOPIA_LOG_DIR=" + filepath.Join(dir, "log"),
		"KOPIA_CACHE_DIRECTORY=" + filepath.Join(dir, "cache"), "KOPIA_PASSWORD=bench"}
	for _, args := range [][]string{
		{"repository", "create", "filesystem", "--path", place},
		{"policy", "set", "--global", "--compression=zstd-fastest"},
		{"snapshot", "create", mails},
	} {
		if err := command(b.ctx, env, kopia, args...); err != nil {
			return 0, 0, err
		}
	}
	others, _ := usage(place)
	source, files := usage(mails)
	fmt.Fprintf(os.Stderr, "bench: %d files, %d MiB\n", files, source/mib)
	return float64(bytes) / mib, float64(others) / mib, os.RemoveAll(dir)
}

func command(ctx context.Context, env []string, bin string, args ...string) error {
	cmd := exec.CommandContext(ctx, bin, args...)
	cmd.Env = env
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s %s: %w: %s", filepath.Base(bin), strings.Join(args, " "), err, out[max(0, len(out)-2000):])
	}
	return nil
}

// buildKopia builds the command line of the pinned version in a module of its own: its dependencies are not ours.
func buildKopia(ctx context.Context, dir string) (string, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", err
	}
	version, err := exec.CommandContext(ctx, "go", "list", "-m", "-f", "{{.Version}}", "github.com/kopia/kopia").Output()
	if err != nil {
		return "", fmt.Errorf("look up kopia's version: %w", err)
	}
	for _, args := range [][]string{
		{"mod", "init", "kopiacli"},
		{"get", "-tool", "github.com/kopia/kopia@" + strings.TrimSpace(string(version))},
		{"build", "-o", "kopia", "github.com/kopia/kopia"},
	} {
		cmd := exec.CommandContext(ctx, "go", args...)
		cmd.Dir = dir
		cmd.Env = append(os.Environ(), "GOWORK=off", "GOFLAGS=-mod=mod")
		if out, err := cmd.CombinedOutput(); err != nil {
			return "", fmt.Errorf("go %s: %w: %s", strings.Join(args, " "), err, out)
		}
	}
	return filepath.Join(dir, "kopia"), nil
}
