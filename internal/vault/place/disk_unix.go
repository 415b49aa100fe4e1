//go:build unix

package place

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"

	"holdfast/internal/holdfast"
)

// lock makes this process the only writer of the folder until the file is closed; a killed process lets go of it.
func (d *disk) lock() (*os.File, error) {
	f, err := os.OpenFile(filepath.Join(d.root, lockFile), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, clearOS(d.root, err)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		_ = f.Close() // nothing was written
		if errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, holdfast.Conflict("the backup repository in %s is in use by another holdfast process: stop that one, or read it without writing", d.root)
		}
		return nil, holdfast.Unavailable("%s can't be locked: use a file system with locks (flock): %w", d.root, err)
	}
	return f, nil
}

// usage is the size of the file system under dir and what is left of it for us.
func usage(dir string) (capacity, free int64, err error) {
	var st syscall.Statfs_t
	if err := syscall.Statfs(dir, &st); err != nil {
		return 0, 0, clearOS(dir, err)
	}
	return int64(st.Blocks) * int64(st.Bsize), int64(st.Bavail) * int64(st.Bsize), nil
}

// holdScratch marks a scratch directory as in use until the file is closed or the process ends.
func holdScratch(dir string) (*os.File, error) {
	f, err := os.OpenFile(filepath.Join(dir, lockFile), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, clearOS(dir, err)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		return nil, errors.Join(clearOS(dir, err), f.Close())
	}
	return f, nil
}

// sweepScratch removes scratch directories whose process is gone. What it can't remove stays: it is a cache.
func sweepScratch(base string) {
	dirs, err := filepath.Glob(filepath.Join(base, scratchPrefix+"*"))
	if err != nil {
		return
	}
	for _, dir := range dirs {
		f, err := os.OpenFile(filepath.Join(dir, lockFile), os.O_RDWR, 0)
		if err != nil {
			continue
		}
		if syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) == nil {
			_ = os.RemoveAll(dir)
		}
		_ = f.Close()
	}
}
