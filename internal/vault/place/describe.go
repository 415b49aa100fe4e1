package place

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"holdfast/internal/holdfast"
)

// FormatVersion is the version of the folder's layout, of the sealed records and of the ledger. Older ones stay readable for ever.
const FormatVersion = 1

const descriptionFile = "holdfast.json"

// Description is what the clear file holdfast.json in the folder of a backup repository says.
type Description struct {
	Product string                `json:"product"` // "holdfast"
	Format  int                   `json:"format"`
	ID      holdfast.RepositoryID `json:"id"`
	KeyID   string                `json:"keyId"` // of the key-encryption key that wraps the passwords
	Created time.Time             `json:"created"`
}

// Prepare makes the folder of a new backup repository: an empty or missing dir becomes one that holds holdfast.json.
func Prepare(dir string, d Description) error {
	if d.ID == "" || d.KeyID == "" {
		return holdfast.Invalid("a backup repository needs an id and a key id")
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return clearOS(dir, err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return clearOS(dir, err)
	}
	if _, err := os.Lstat(filepath.Join(dir, descriptionFile)); err == nil {
		return holdfast.Conflict("%s holds a backup repository already: add that one, or choose an empty folder", dir)
	}
	for _, e := range entries {
		if e.Name() != descriptionFile+".new" && e.Name() != "lost+found" {
			return holdfast.Invalid("%s is not empty (it holds %s): choose an empty folder", dir, e.Name())
		}
	}
	d.Product, d.Format, d.Created = "holdfast", FormatVersion, d.Created.UTC()
	text, err := json.MarshalIndent(d, "", "  ")
	if err != nil {
		return err
	}
	return clearOS(dir, writeFile(filepath.Join(dir, descriptionFile), append(text, '\n')))
}

// writeFile puts a whole synced file in place.
func writeFile(path string, data []byte) error {
	tmp := path + ".new"
	f, err := os.OpenFile(tmp, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(tmp, path)
	}
	if err != nil {
		return errors.Join(err, ignoreMissing(os.Remove(tmp)))
	}
	return fsyncDir(filepath.Dir(path))
}

// Describe reads holdfast.json of the folder of a backup repository.
func Describe(dir string) (Description, error) {
	var d Description
	text, err := os.ReadFile(filepath.Join(dir, descriptionFile))
	if errors.Is(err, fs.ErrNotExist) {
		if _, err := os.Stat(dir); err != nil {
			return d, clearOS(dir, err)
		}
		return d, holdfast.NotFound("%s is not the folder of a backup repository: it has no %s", dir, descriptionFile)
	} else if err != nil {
		return d, clearOS(dir, err)
	}
	if err := json.Unmarshal(text, &d); err != nil {
		return d, holdfast.Damaged("%s in %s can't be read: %w", descriptionFile, dir, err)
	}
	if d.Product != "holdfast" || d.ID == "" {
		return d, holdfast.Invalid("%s in %s does not describe a backup repository of holdfast", descriptionFile, dir)
	}
	if d.Format < 1 || d.Format > FormatVersion {
		return d, holdfast.Invalid("the backup repository in %s has format %d, this holdfast knows up to %d: use a newer holdfast", dir, d.Format, FormatVersion)
	}
	return d, nil
}

// Part is one kopia repository of a backup repository.
type Part struct {
	Organization holdfast.OrganizationID
	Shard        int
}

func (p Part) folder() string {
	return filepath.Join(string(p.Organization), fmt.Sprintf("%03d", p.Shard))
}

// Parts lists the organizations and shards that have a repository in the folder.
func Parts(dir string) iter.Seq2[Part, error] {
	return func(yield func(Part, error) bool) {
		organizations, err := os.ReadDir(dir)
		if err != nil {
			yield(Part{}, clearOS(dir, err))
			return
		}
		for _, o := range organizations {
			if !o.IsDir() || !organizationName.MatchString(o.Name()) {
				continue
			}
			shards, err := os.ReadDir(filepath.Join(dir, o.Name()))
			if err != nil {
				yield(Part{}, clearOS(dir, err))
				return
			}
			for _, s := range shards {
				n, err := strconv.Atoi(s.Name())
				p := Part{Organization: holdfast.OrganizationID(o.Name()), Shard: n}
				if err != nil || p.folder() != filepath.Join(o.Name(), s.Name()) {
					continue
				}
				if !yield(p, nil) {
					return
				}
			}
		}
	}
}
