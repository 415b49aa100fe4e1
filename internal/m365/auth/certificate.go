package auth

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"time"
)

// keyBits is the size of keys that are made here; Entra takes RSA only.
const keyBits = 2048

// NewCertificate makes a key and a certificate of its own for an application, good from now on for life.
func NewCertificate(name string, now time.Time, life time.Duration) (Credential, error) {
	key, err := rsa.GenerateKey(rand.Reader, keyBits)
	if err != nil {
		return Credential{}, err
	}
	serial := make([]byte, 16)
	if _, err := rand.Read(serial); err != nil {
		return Credential{}, err
	}
	serial[0] &= 0x7f
	template := &x509.Certificate{
		SerialNumber: new(big.Int).SetBytes(serial), Subject: pkix.Name{CommonName: name},
		NotBefore: now.Add(-skew).UTC().Truncate(time.Second), NotAfter: now.Add(life).UTC().Truncate(time.Second), KeyUsage: x509.KeyUsageDigitalSignature,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return Credential{}, err
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		return Credential{}, err
	}
	return newCertificate([]*x509.Certificate{cert}, key)
}

// proofLife is how long a proof is good; Graph takes ten minutes at most.
const proofLife = 5 * time.Minute

// Proof is what Graph wants to see before an application's keys change: a statement, signed with one of them, that the application (object is its
// object id) makes to the directory. https://learn.microsoft.com/graph/application-rollkey-prooftoken
func (c Credential) Proof(object string, now time.Time) (string, error) {
	key, ok := c.key.(*rsa.PrivateKey)
	if !ok || c.Certificate() == nil {
		return "", errors.New("only a certificate with an RSA key can prove that it is the application's")
	}
	sum := sha256.Sum256(c.Certificate().Raw)
	head, err := json.Marshal(map[string]any{"alg": "RS256", "typ": "JWT", "x5t#S256": base64.RawURLEncoding.EncodeToString(sum[:])})
	if err != nil {
		return "", err
	}
	body, err := json.Marshal(map[string]any{"aud": "00000002-0000-0000-c000-000000000000", "iss": object, "nbf": now.Unix(), "exp": now.Add(proofLife).Unix()})
	if err != nil {
		return "", err
	}
	text := base64.RawURLEncoding.EncodeToString(head) + "." + base64.RawURLEncoding.EncodeToString(body)
	hash := sha256.Sum256([]byte(text))
	signature, err := rsa.SignPKCS1v15(rand.Reader, key, crypto.SHA256, hash[:])
	if err != nil {
		return "", fmt.Errorf("sign the proof: %w", err)
	}
	return text + "." + base64.RawURLEncoding.EncodeToString(signature), nil
}
