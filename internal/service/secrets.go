package service

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/tink-crypto/tink-go/v2/aead/subtle"

	"holdfast/internal/holdfast"
)

// keySize is of the key-encryption key and of each record's data key: AES-256.
const keySize = 32

// Keys seals secrets: each under a data key of its own (AES-256-GCM), which the key-encryption key wraps.
// The id of a record is bound to both, so that a ciphertext moved to another row does not open.
type Keys struct {
	kek  []byte
	id   string
	rand io.Reader
}

// OpenKeys reads the key-encryption key at path, 32 bytes in a file that only its owner may read.
// It makes one when there is none and create is set.
func OpenKeys(path string, create bool, rand io.Reader) (*Keys, error) {
	info, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) && create {
		if err := createKey(path, rand); err != nil {
			return nil, fmt.Errorf("create the key file %s: %w", path, err)
		}
		info, err = os.Lstat(path)
	}
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, holdfast.Invalid("the key file %s is gone; without it no secret in the database can be read: put it back, or start with an empty data folder and rebuild from the repository with its recovery kit", path)
	case err != nil:
		return nil, fmt.Errorf("look at the key file: %w", err)
	case !info.Mode().IsRegular():
		return nil, holdfast.Invalid("the key file %s is not a regular file", path)
	case info.Mode().Perm()&0o077 != 0:
		return nil, holdfast.Invalid("the key file %s may be read by others (mode %04o): chmod 600 it", path, info.Mode().Perm())
	}
	key, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read the key file: %w", err)
	}
	if len(key) != keySize {
		return nil, holdfast.Invalid("the key file %s has %d bytes, not %d: it is damaged or not a key file", path, len(key), keySize)
	}
	return NewKeys(key, rand), nil
}

// NewKeys seals with the given key-encryption key of 32 bytes.
func NewKeys(kek []byte, rand io.Reader) *Keys {
	h := sha256.Sum256(append([]byte("holdfast key id\x00"), kek...))
	return &Keys{kek: bytes.Clone(kek), id: hex.EncodeToString(h[:8]), rand: rand}
}

// createKey writes a whole key file or none: a crash leaves no half key under the name.
func createKey(path string, rand io.Reader) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	key := make([]byte, keySize)
	if _, err := io.ReadFull(rand, key); err != nil {
		return err
	}
	f, err := os.OpenFile(path+".new", os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(key)
	if err == nil {
		err = f.Sync()
	}
	if err := errors.Join(err, f.Close()); err != nil {
		return err
	}
	if err := os.Rename(path+".new", path); err != nil {
		return err
	}
	dir, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}

// ID names the key-encryption key without telling it.
func (k *Keys) ID() string { return k.id }

// Seal encrypts plain for the record id.
func (k *Keys) Seal(id string, plain []byte) (holdfast.SealedSecret, error) {
	data := make([]byte, keySize)
	if _, err := io.ReadFull(k.rand, data); err != nil {
		return holdfast.SealedSecret{}, fmt.Errorf("draw a data key: %w", err)
	}
	wrap, err := subtle.NewAESGCM(k.kek)
	if err != nil {
		return holdfast.SealedSecret{}, err
	}
	wrapped, err := wrap.Encrypt(data, []byte("key\x00"+id))
	if err != nil {
		return holdfast.SealedSecret{}, err
	}
	seal, err := subtle.NewAESGCM(data)
	if err != nil {
		return holdfast.SealedSecret{}, err
	}
	text, err := seal.Encrypt(plain, []byte("secret\x00"+id))
	if err != nil {
		return holdfast.SealedSecret{}, err
	}
	return holdfast.SealedSecret{ID: id, KeyID: k.id, WrappedKey: wrapped, Ciphertext: text}, nil
}

// Open decrypts a record. Another key file, and a record that was changed or moved, are errors that say so.
func (k *Keys) Open(id string, s holdfast.SealedSecret) ([]byte, error) {
	if s.KeyID != k.id {
		return nil, holdfast.Invalid("secret %s was sealed under key %s, but the key file holds key %s: put the right key file back", id, s.KeyID, k.id)
	}
	wrap, err := subtle.NewAESGCM(k.kek)
	if err != nil {
		return nil, err
	}
	data, err := wrap.Decrypt(s.WrappedKey, []byte("key\x00"+id))
	if err != nil {
		return nil, holdfast.Damaged("secret %s does not open: its row was changed", id)
	}
	open, err := subtle.NewAESGCM(data)
	if err != nil {
		return nil, holdfast.Damaged("secret %s does not open: its row was changed", id)
	}
	plain, err := open.Decrypt(s.Ciphertext, []byte("secret\x00"+id))
	if err != nil {
		return nil, holdfast.Damaged("secret %s does not open: its row was changed", id)
	}
	return plain, nil
}

// sealedCredential is holdfast.Credential with its secrets spelt out; it only ever exists encrypted or in memory.
type sealedCredential struct {
	TenantID, ApplicationID                  string
	Secret, Certificate, CertificatePassword []byte
}

func credentialSecret(org holdfast.OrganizationID) string {
	return "organization/" + string(org) + "/credential"
}

func (c *core) putCredential(ctx context.Context, tx Tx, org holdfast.OrganizationID, cred holdfast.Credential) error {
	plain, err := json.Marshal(sealedCredential{cred.TenantID, cred.ApplicationID, []byte(cred.ApplicationSecret), []byte(cred.Certificate), []byte(cred.CertificatePassword)})
	if err != nil {
		return fmt.Errorf("encode the credential: %w", err)
	}
	sealed, err := c.Keys.Seal(credentialSecret(org), plain)
	if err != nil {
		return fmt.Errorf("seal the credential: %w", err)
	}
	return tx.PutSecret(ctx, sealed)
}

func (c *core) credential(ctx context.Context, tx Tx, org holdfast.OrganizationID) (holdfast.Credential, error) {
	sealed, err := tx.Secret(ctx, credentialSecret(org))
	if missing(err) {
		return holdfast.Credential{}, holdfast.Conflict("the organization has no credential yet (it came from a rebuilt catalogue): update it with an application id and a secret or certificate")
	} else if err != nil {
		return holdfast.Credential{}, err
	}
	plain, err := c.Keys.Open(credentialSecret(org), sealed)
	if err != nil {
		return holdfast.Credential{}, err
	}
	var s sealedCredential
	if err := json.Unmarshal(plain, &s); err != nil {
		return holdfast.Credential{}, fmt.Errorf("decode the credential: %w", err)
	}
	return holdfast.Credential{TenantID: s.TenantID, ApplicationID: s.ApplicationID, ApplicationSecret: holdfast.Secret(s.Secret),
		Certificate: holdfast.Secret(s.Certificate), CertificatePassword: holdfast.Secret(s.CertificatePassword)}, nil
}
