// Package keys keeps the secrets of backup repositories: the key-encryption key in a file of its own outside of the database, the wrapping of
// each repository's random password with it, and the recovery kit, which with the place alone gives everything back.
package keys

import (
	"bytes"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/crypto/chacha20poly1305"

	"holdfast/internal/holdfast"
)

// PasswordSize is the size of a repository's password in bytes.
const PasswordSize = 32

const fileMagic = "HOLDFAST-KEY-1"

// Key is a key-encryption key. Its id is derived from it, so that an exchanged file is noticed before it is used.
type Key struct{ secret []byte }

// String never shows the key.
func (k *Key) String() string { return "key " + k.ID() }

// GoString never shows the key.
func (k *Key) GoString() string { return k.String() }

// ID names the key; it says nothing about it.
func (k *Key) ID() string {
	h := sha256.Sum256(append([]byte("holdfast key id 1\x00"), k.secret...))
	return hex.EncodeToString(h[:8])
}

// New draws a key that is in no file.
func New() (*Key, error) {
	k := &Key{secret: make([]byte, 32)}
	_, err := rand.Read(k.secret)
	return k, err
}

// NewPassword draws the password of a repository.
func NewPassword() ([]byte, error) {
	p := make([]byte, PasswordSize)
	_, err := rand.Read(p)
	return p, err
}

// CreateFile draws a key and writes it, readable by this account alone. It refuses a file that is there: what it wraps would be lost.
func CreateFile(path string) (*Key, error) {
	k, err := New()
	if err != nil {
		return nil, err
	}
	tmp := path + ".new"
	if err := os.Remove(tmp); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	f, err := os.OpenFile(tmp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, holdfast.Unavailable("key file %s can't be written: make the folder writable for holdfast: %w", path, err)
	}
	_, err = fmt.Fprintf(f, "%s %s %s\n", fileMagic, k.ID(), base64.StdEncoding.EncodeToString(k.secret))
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Link(tmp, path) // unlike a rename it does not replace
	}
	err = errors.Join(err, os.Remove(tmp), syncDir(filepath.Dir(path)))
	if errors.Is(err, fs.ErrExist) {
		return nil, holdfast.Conflict("key file %s is there already: use it, or move it away only if nothing depends on it", path)
	} else if err != nil {
		return nil, holdfast.Unavailable("key file %s can't be written: %w", path, err)
	}
	return k, nil
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// LoadFile reads a key and checks that only its owner can. An empty id takes any key, else it must be that one.
func LoadFile(path, id string) (*Key, error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, holdfast.Unavailable("key file %s is missing: put it back from its copy, or restore with the recovery kit", path)
	} else if err != nil {
		return nil, holdfast.Unavailable("key file %s can't be read: %w", path, err)
	}
	defer func() { _ = f.Close() }() // read only
	fi, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if !fi.Mode().IsRegular() || fi.Mode().Perm()&0o077 != 0 {
		return nil, holdfast.Denied("key file %s is open to other accounts (mode %04o): run chmod 600 on it, and think about who may have read it", path, fi.Mode().Perm())
	}
	text := make([]byte, 256)
	n, err := f.Read(text)
	if err != nil && n == 0 {
		return nil, holdfast.Damaged("key file %s is empty or can't be read: put it back from its copy, or use the recovery kit: %w", path, err)
	}
	words := strings.Fields(string(text[:n]))
	if len(words) != 3 || words[0] != fileMagic {
		return nil, holdfast.Damaged("%s is not a key file of holdfast, or is damaged: put it back from its copy, or use the recovery kit", path)
	}
	k := &Key{}
	if k.secret, err = base64.StdEncoding.DecodeString(words[2]); err != nil || len(k.secret) != 32 || k.ID() != words[1] {
		return nil, holdfast.Damaged("key file %s is damaged: put it back from its copy, or use the recovery kit", path)
	}
	if id != "" && k.ID() != id {
		return nil, holdfast.Invalid("key file %s was exchanged: it holds key %s, the repositories need key %s: put that one back, or use the recovery kit", path, k.ID(), id)
	}
	return k, nil
}

// Wrap encrypts a secret for a purpose, which Unwrap must name again (for example "repository/ID/ORGANIZATION/000").
func (k *Key) Wrap(purpose string, secret []byte) ([]byte, error) {
	aead, err := chacha20poly1305.NewX(k.secret)
	if err != nil {
		return nil, err
	}
	nonce := make([]byte, aead.NonceSize(), aead.NonceSize()+len(secret)+aead.Overhead())
	if _, err := rand.Read(nonce); err != nil {
		return nil, err
	}
	return aead.Seal(nonce, nonce, secret, wrapPurpose(purpose)), nil
}

// Unwrap gives back what Wrap was given.
func (k *Key) Unwrap(purpose string, wrapped []byte) ([]byte, error) {
	aead, err := chacha20poly1305.NewX(k.secret)
	if err != nil {
		return nil, err
	}
	if len(wrapped) < aead.NonceSize() {
		return nil, holdfast.Damaged("wrapped secret of %s is damaged", purpose)
	}
	secret, err := aead.Open(nil, wrapped[:aead.NonceSize()], wrapped[aead.NonceSize():], wrapPurpose(purpose))
	if err != nil {
		return nil, holdfast.Invalid("key %s does not open the secret of %s: use the key file that belongs to it, or the recovery kit", k.ID(), purpose)
	}
	return secret, nil
}

func wrapPurpose(purpose string) []byte {
	return bytes.Join([][]byte{[]byte("holdfast wrap 1"), []byte(purpose)}, []byte{0})
}

// Passphrase derives a passphrase from the key for kits that lie beside it.
func (k *Key) Passphrase() (holdfast.Secret, error) {
	p, err := hkdf.Key(sha256.New, k.secret, nil, "holdfast kit passphrase 1", 32)
	return holdfast.Secret(hex.EncodeToString(p)), err
}
