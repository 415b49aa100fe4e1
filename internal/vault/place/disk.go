package place

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/kopia/kopia/repo/blob"

	"holdfast/internal/holdfast"
)

// disk keeps blobs as files of one folder. A file appears under its name only whole and synced, and put returns only after the
// directories that name it are synced too, so that what was acknowledged is there after a power loss.
//
// Layout: packs in p/ab/pab…, q/ab/qab…; all else by its first letter (x/, h/, …). Unfinished files are in tmp/.
type disk struct {
	root     string
	syncDir  func(path string) error // fsync of a directory; tests watch and drop it
	readOnly bool

	mu   sync.Mutex      // guards made
	made map[string]bool // directories known to be there and synced
}

const (
	tmpDir   = "tmp"
	lockFile = "lock"
)

// kopia's own names are stored under ours, so that a stranger's kopia finds no repository here and cannot collect what it
// does not know.
var renamed = map[blob.ID]string{
	"kopia.repository": "holdfast.repository",
	"kopia.blobcfg":    "holdfast.blobcfg",
}

func newDisk(root string, readOnly bool) *disk {
	return &disk{root: root, syncDir: fsyncDir, readOnly: readOnly, made: map[string]bool{}}
}

func fsyncDir(path string) error {
	d, err := os.Open(path)
	if err != nil {
		return err
	}
	err = d.Sync()
	return errors.Join(err, d.Close())
}

// file is where blob id lies below the root.
func (d *disk) file(id blob.ID) string {
	if name, ok := renamed[id]; ok {
		return name
	}
	s := string(id)
	if (s[0] == 'p' || s[0] == 'q') && len(s) > 3 {
		return s[:1] + "/" + s[1:3] + "/" + s
	}
	return s[:1] + "/" + s
}

// blobID is the blob that lies at path below the root; false for a file that is none.
func (d *disk) blobID(path string) (blob.ID, bool) {
	for id, name := range renamed {
		if path == name {
			return id, true
		}
	}
	id := blob.ID(filepath.Base(path))
	if checkID(id) != nil || d.file(id) != path {
		return "", false
	}
	return id, true
}

func checkID(id blob.ID) error {
	if _, ok := renamed[id]; ok {
		return nil
	}
	if id == "" || len(id) > 200 || id[0] < 'a' || id[0] > 'z' && id[0] != '_' {
		return fmt.Errorf("blob name %q is not allowed", id)
	}
	for _, c := range id {
		if !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '-' || c == '_' || c == '.') {
			return fmt.Errorf("blob name %q is not allowed", id)
		}
	}
	return nil
}

// put writes a blob. half makes it stop in the middle of the file, as a crash would.
func (d *disk) put(id blob.ID, data io.WriterTo, mtime time.Time, half bool) (err error) {
	path := filepath.Join(d.root, d.file(id))
	if err := d.makeDir(filepath.Dir(path)); err != nil {
		return err
	}
	if err := d.makeDir(filepath.Join(d.root, tmpDir)); err != nil {
		return err
	}
	tmp := filepath.Join(d.root, tmpDir, rand.Text())
	f, err := os.OpenFile(tmp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil && !half {
			err = errors.Join(err, ignoreMissing(os.Remove(tmp)))
		}
	}()
	n, err := data.WriteTo(f)
	if err == nil && half {
		err = errors.Join(f.Truncate(n/2), errTorn)
	}
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	if err := os.Chtimes(tmp, mtime, mtime); err != nil {
		return err
	}
	if err := os.Rename(tmp, path); err != nil {
		return err
	}
	return d.syncDir(filepath.Dir(path))
}

var errTorn = errors.New("torn write")

func ignoreMissing(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// makeDir makes a directory below the root and syncs each parent that gained a name.
func (d *disk) makeDir(path string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.makeDirLocked(path)
}

func (d *disk) makeDirLocked(path string) error {
	if d.made[path] || path == d.root {
		return nil
	}
	if err := d.makeDirLocked(filepath.Dir(path)); err != nil {
		return err
	}
	if err := os.Mkdir(path, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	if err := d.syncDir(filepath.Dir(path)); err != nil {
		return err
	}
	d.made[path] = true
	return nil
}

// get copies length bytes from offset (all when length is negative) to w.
func (d *disk) get(id blob.ID, offset, length int64, w io.Writer) error {
	f, err := os.Open(filepath.Join(d.root, d.file(id)))
	if errors.Is(err, fs.ErrNotExist) {
		return d.notFound(id)
	} else if err != nil {
		return err
	}
	defer func() { _ = f.Close() }() // read only
	if length < 0 {
		_, err := io.Copy(w, f)
		return err
	}
	n, err := io.Copy(w, io.NewSectionReader(f, offset, length))
	if err != nil {
		return err
	}
	if offset < 0 || n != length {
		return fmt.Errorf("%w: %d bytes at %d of %s", blob.ErrInvalidRange, length, offset, id)
	}
	return nil
}

// notFound tells a missing blob from a missing disk: an unmounted folder must not look like an empty repository.
func (d *disk) notFound(id blob.ID) error {
	if _, err := os.Stat(d.root); err != nil {
		return clearOS(d.root, err)
	}
	return fmt.Errorf("%w: %s", blob.ErrBlobNotFound, id)
}

func (d *disk) stat(id blob.ID) (blob.Metadata, error) {
	fi, err := os.Stat(filepath.Join(d.root, d.file(id)))
	if errors.Is(err, fs.ErrNotExist) {
		return blob.Metadata{}, d.notFound(id)
	} else if err != nil {
		return blob.Metadata{}, err
	}
	return blob.Metadata{BlobID: id, Length: fi.Size(), Timestamp: fi.ModTime()}, nil
}

func (d *disk) remove(id blob.ID) error {
	path := filepath.Join(d.root, d.file(id))
	if err := os.Remove(path); errors.Is(err, fs.ErrNotExist) {
		return nil
	} else if err != nil {
		return err
	}
	return d.syncDir(filepath.Dir(path))
}

// list calls back for each blob whose name starts with prefix, and strange for each file that is none.
func (d *disk) list(ctx context.Context, prefix string, each func(blob.Metadata) error, strange func(path string, size int64) error) error {
	start := d.root
	for id, name := range renamed {
		if prefix == "" || !strings.HasPrefix(string(id), prefix) {
			continue
		}
		if fi, err := os.Stat(filepath.Join(d.root, name)); err == nil {
			if err := each(blob.Metadata{BlobID: id, Length: fi.Size(), Timestamp: fi.ModTime()}); err != nil {
				return err
			}
		}
	}
	if prefix != "" {
		start = filepath.Join(d.root, prefix[:1])
		if (prefix[0] == 'p' || prefix[0] == 'q') && len(prefix) >= 3 {
			start = filepath.Join(start, prefix[1:3])
		}
		if _, err := os.Stat(start); errors.Is(err, fs.ErrNotExist) {
			_, err := os.Stat(d.root)
			return err
		}
	}
	return filepath.WalkDir(start, func(path string, e fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) && path != start {
			return nil // went away since its directory was read
		} else if err != nil {
			return err
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		if e.IsDir() {
			return nil
		}
		fi, err := e.Info()
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		} else if err != nil {
			return err
		}
		rel, err := filepath.Rel(d.root, path)
		if err != nil {
			return err
		}
		id, ok := d.blobID(filepath.ToSlash(rel))
		if !ok || !fi.Mode().IsRegular() {
			if strange == nil || rel == lockFile && fi.Size() == 0 || rel == wrappedFile {
				return nil
			}
			return strange(filepath.ToSlash(rel), fi.Size())
		}
		if !strings.HasPrefix(string(id), prefix) {
			return nil
		}
		return each(blob.Metadata{BlobID: id, Length: fi.Size(), Timestamp: fi.ModTime()})
	})
}

// clean removes what a crash left unfinished. The caller holds the lock of the folder.
func (d *disk) clean() error {
	entries, err := os.ReadDir(filepath.Join(d.root, tmpDir))
	if err != nil {
		return ignoreMissing(err)
	}
	for _, e := range entries {
		if err := os.Remove(filepath.Join(d.root, tmpDir, e.Name())); err != nil {
			return err
		}
	}
	return nil
}

// probe says whether the folder can be used, as an error with the next step.
func (d *disk) probe() error {
	fi, err := os.Stat(d.root)
	if err != nil {
		return clearOS(d.root, err)
	}
	if !fi.IsDir() {
		return holdfast.Invalid("%s is not a folder", d.root)
	}
	return nil
}
