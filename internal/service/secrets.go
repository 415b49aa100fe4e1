package service

import (
	"context"
	"encoding/json"
	"fmt"
	"io"

	"github.com/tink-crypto/tink-go/v2/aead/subtle"

	"holdfast/internal/holdfast"
)

// keySize is of each record's data key: AES-256.
const keySize = 32

// KeyEncryptionKey wraps data keys; it is kept outside the database. vault/keys has one in a file.
type KeyEncryptionKey interface {
	// ID names the key without telling it.
	ID() string
	// Wrap encrypts a secret for a purpose, which Unwrap must name again.
	Wrap(purpose string, secret []byte) ([]byte, error)
	Unwrap(purpose string, wrapped []byte) ([]byte, error)
}

// Keys seals secrets: each under a data key of its own (AES-256-GCM), which the key-encryption key wraps.
// The id of a record is bound to both, so that a ciphertext moved to another row does not open.
type Keys struct {
	kek  KeyEncryptionKey
	rand io.Reader
}

// NewKeys seals under kek, with data keys drawn from rand.
func NewKeys(kek KeyEncryptionKey, rand io.Reader) *Keys { return &Keys{kek: kek, rand: rand} }

// Seal encrypts plain for the record id.
func (k *Keys) Seal(id string, plain []byte) (holdfast.SealedSecret, error) {
	data := make([]byte, keySize)
	if _, err := io.ReadFull(k.rand, data); err != nil {
		return holdfast.SealedSecret{}, fmt.Errorf("draw a data key: %w", err)
	}
	wrapped, err := k.kek.Wrap(wrapPurpose(id), data)
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
	return holdfast.SealedSecret{ID: id, KeyID: k.kek.ID(), WrappedKey: wrapped, Ciphertext: text}, nil
}

// Open decrypts a record. Another key file, and a record that was changed or moved, are errors that say so.
func (k *Keys) Open(id string, s holdfast.SealedSecret) ([]byte, error) {
	if s.KeyID != k.kek.ID() {
		return nil, holdfast.Invalid("secret %s was sealed under key %s, but the key file holds key %s: put the right key file back", id, s.KeyID, k.kek.ID())
	}
	data, err := k.kek.Unwrap(wrapPurpose(id), s.WrappedKey)
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

func wrapPurpose(id string) string { return "database/" + id }

// sealedCredential is holdfast.Credential with its secrets spelt out; it only ever exists encrypted or in memory.
type sealedCredential struct {
	TenantID, ApplicationID, Object, KeyID   string
	Secret, Certificate, CertificatePassword []byte
}

func credentialSecret(org holdfast.OrganizationID) string {
	return "organization/" + string(org) + "/credential"
}

func (c *core) putCredential(ctx context.Context, tx Tx, org holdfast.OrganizationID, cred holdfast.Credential) error {
	return c.seal(ctx, tx, credentialSecret(org), cred)
}

func (c *core) seal(ctx context.Context, tx Tx, id string, cred holdfast.Credential) error {
	plain, err := json.Marshal(sealedCredential{cred.TenantID, cred.ApplicationID, cred.ApplicationObject, cred.KeyID, []byte(cred.ApplicationSecret), []byte(cred.Certificate), []byte(cred.CertificatePassword)})
	if err != nil {
		return fmt.Errorf("encode the credential: %w", err)
	}
	sealed, err := c.Keys.Seal(id, plain)
	if err != nil {
		return fmt.Errorf("seal the credential: %w", err)
	}
	return tx.PutSecret(ctx, sealed)
}

func (c *core) credential(ctx context.Context, tx Tx, org holdfast.OrganizationID) (holdfast.Credential, error) {
	cred, err := c.sealed(ctx, tx, credentialSecret(org))
	if missing(err) {
		return cred, holdfast.Conflict("the organization has no credential yet (it came from a rebuilt catalogue): update it with an application id and a secret or certificate")
	}
	return cred, err
}

// sealed opens a credential; one that was never kept is a KindNotFound error.
func (c *core) sealed(ctx context.Context, tx Tx, id string) (holdfast.Credential, error) {
	secret, err := tx.Secret(ctx, id)
	if err != nil {
		return holdfast.Credential{}, err
	}
	plain, err := c.Keys.Open(id, secret)
	if err != nil {
		return holdfast.Credential{}, err
	}
	var s sealedCredential
	if err := json.Unmarshal(plain, &s); err != nil {
		return holdfast.Credential{}, fmt.Errorf("decode the credential: %w", err)
	}
	return holdfast.Credential{TenantID: s.TenantID, ApplicationID: s.ApplicationID, ApplicationSecret: holdfast.Secret(s.Secret),
		Certificate: holdfast.Secret(s.Certificate), CertificatePassword: holdfast.Secret(s.CertificatePassword),
		ApplicationObject: s.Object, KeyID: s.KeyID}, nil
}

// SealedUnder says whether a database holds secrets, and the id of the key that they are sealed under.
func SealedUnder(ctx context.Context, s Store) (keyID string, sealed bool, err error) {
	err = s.Read(ctx, func(ctx context.Context, tx Tx) error {
		check, err := tx.Secret(ctx, settingKeyCheck) // written by the first start, before all others
		if missing(err) {
			return nil
		}
		keyID, sealed = check.KeyID, err == nil
		return err
	})
	return keyID, sealed, err
}
