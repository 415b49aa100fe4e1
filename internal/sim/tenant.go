package sim

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"math/big"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"software.sslmate.com/src/go-pkcs12"
)

// Tenant is what D/tenant.json says: all that a client needs to know of the simulated organization.
type Tenant struct {
	TenantID            string `json:"tenantId"`
	Domain              string `json:"domain"`
	Region              string `json:"region"`
	LoginHost           string `json:"loginHost"`
	GraphHost           string `json:"graphHost"`
	ApplicationID       string `json:"applicationId"`
	ApplicationSecret   string `json:"applicationSecret"`
	CertificatePFX      string `json:"certificatePfx"` // base64
	CertificatePassword string `json:"certificatePassword"`
	// PortalApplicationID is a public application: it signs users in and has no secret.
	PortalApplicationID string       `json:"portalApplicationId"`
	RedirectURIs        []string     `json:"redirectUris"` // registered for both applications
	Users               []TenantUser `json:"users"`
}

// TenantUser is one user in tenant.json.
type TenantUser struct {
	ID      string `json:"id"`
	UPN     string `json:"upn"`
	Mailbox string `json:"mailbox"` // primary address, empty without a mailbox
	Drive   string `json:"drive"`   // drive id, empty without a drive
	// Password signs the user in on the sign-in page.
	Password string `json:"password"`
	// Role is the user's role in the directory, if any.
	Role string `json:"role,omitempty"`
}

type tenant struct {
	Tenant
	cert    *x509.Certificate // of the application
	created time.Time
}

// Tenant returns the contents of tenant.json.
func (s *Sim) Tenant() Tenant {
	t := s.tenant.Tenant
	s.entra.mu.Lock()
	defer s.entra.mu.Unlock()
	t.RedirectURIs = slices.Clone(s.entra.replies)
	return t
}

// CAFile is the path of the certificate authority's PEM file.
func (s *Sim) CAFile() string { return filepath.Join(s.opt.Dir, "ca.pem") }

// HTTPHosts lists the host names that are served.
func (s *Sim) HTTPHosts() []string {
	var out []string
	for h := range s.hosts {
		out = append(out, h)
	}
	return out
}

// openTenant derives the tenant's ids from the seed and takes over the keys of an earlier start in the same folder.
func (s *Sim) openTenant() error {
	r := newRand(s.opt.Seed, "tenant")
	s.tenant.TenantID = r.uuid()
	s.tenant.Domain = s.opt.Tenant + "." + s.cloud.domain
	s.tenant.Region, s.tenant.LoginHost, s.tenant.GraphHost = s.cloud.name, s.cloud.login[0], s.cloud.graph
	s.tenant.ApplicationID = r.uuid()
	s.tenant.ApplicationSecret = base64.RawURLEncoding.EncodeToString(r.bytes(30))
	s.tenant.PortalApplicationID = newRand(s.opt.Seed, "portal application").uuid()
	s.tenant.RedirectURIs = slices.Concat([]string{}, s.opt.RedirectURIs)
	s.tenant.created = epoch
	s.hosts, s.foreign = s.cloud.hosts(s.opt.Tenant), s.cloud.foreign(s.opt.Tenant)
	s.hosts["localhost"] = HostLogin // for browsers that nobody told where the login host is to be found
	var old Tenant
	b, err := os.ReadFile(filepath.Join(s.opt.Dir, "tenant.json"))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("simulator tenant: %w", err)
	}
	if err == nil && json.Unmarshal(b, &old) == nil && old.ApplicationID == s.tenant.ApplicationID {
		s.tenant.CertificatePFX, s.tenant.CertificatePassword = old.CertificatePFX, old.CertificatePassword
		if len(s.opt.RedirectURIs) == 0 && old.RedirectURIs != nil {
			s.tenant.RedirectURIs = old.RedirectURIs
		}
	}
	if s.tenant.CertificatePFX == "" {
		if err := s.tenant.makeCertificate(base64.RawURLEncoding.EncodeToString(r.bytes(15))); err != nil {
			return fmt.Errorf("simulator application certificate: %w", err)
		}
	}
	pfx, err := base64.StdEncoding.DecodeString(s.tenant.CertificatePFX)
	if err != nil {
		return fmt.Errorf("simulator application certificate: %w", err)
	}
	if _, s.tenant.cert, err = pkcs12.Decode(pfx, s.tenant.CertificatePassword); err != nil {
		return fmt.Errorf("simulator application certificate: %w", err)
	}
	s.ca, err = openAuthority(s.opt.Dir, slices.AppendSeq(s.HTTPHosts(), maps.Keys(s.foreign)), s.now())
	return err
}

func (t *tenant) makeCertificate(password string) error {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return err
	}
	tmpl := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "Simulated application " + t.ApplicationID},
		NotBefore: epoch, NotAfter: epoch.AddDate(60, 0, 0), KeyUsage: x509.KeyUsageDigitalSignature,
	}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, tmpl, key.Public(), key)
	if err != nil {
		return err
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		return err
	}
	pfx, err := pkcs12.Modern.Encode(key, cert, nil, password)
	if err != nil {
		return err
	}
	t.CertificatePFX, t.CertificatePassword = base64.StdEncoding.EncodeToString(pfx), password
	return nil
}

// writeTenant writes tenant.json last, so that whoever waits for it finds every part ready.
func (s *Sim) writeTenant() error {
	s.tenant.Users = []TenantUser{}
	for _, u := range s.dir.all() {
		t := TenantUser{ID: u.ID, UPN: u.UPN, Drive: s.driveID(u), Password: u.password}
		if u.administrator() {
			t.Role = "Global Administrator"
		}
		if u.HasMailbox() {
			t.Mailbox = u.Mail
		}
		s.tenant.Users = append(s.tenant.Users, t)
	}
	return s.saveTenant()
}

func (s *Sim) saveTenant() error {
	b, err := json.MarshalIndent(s.Tenant(), "", "  ")
	if err != nil {
		return err
	}
	return writeFile(filepath.Join(s.opt.Dir, "tenant.json"), append(b, '\n'), 0o600)
}

// writeFile replaces path as a whole.
func writeFile(path string, b []byte, mode os.FileMode) error {
	tmp := path + ".new"
	if err := os.WriteFile(tmp, b, mode); err != nil {
		return err
	}
	return os.Rename(tmp, path)
}

// authority is the simulator's own certificate authority; it makes one certificate for each served host.
type authority struct {
	cert  *x509.Certificate
	key   crypto.Signer
	hosts map[string]bool
	now   time.Time

	mu   sync.Mutex // guards made
	made map[string]*tls.Certificate
}

func openAuthority(dir string, hosts []string, now time.Time) (*authority, error) {
	a := &authority{hosts: map[string]bool{}, made: map[string]*tls.Certificate{}, now: now}
	for _, h := range hosts {
		a.hosts[h] = true
	}
	pair, err := tls.LoadX509KeyPair(filepath.Join(dir, "ca.pem"), filepath.Join(dir, "ca-key.pem"))
	if err == nil && pair.Leaf != nil && pair.Leaf.IsCA {
		key, ok := pair.PrivateKey.(crypto.Signer)
		if ok {
			a.cert, a.key = pair.Leaf, key
			return a, nil
		}
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	serial := make([]byte, 16)
	if _, err := rand.Read(serial); err != nil {
		return nil, err
	}
	tmpl := &x509.Certificate{
		SerialNumber: new(big.Int).SetBytes(serial), Subject: pkix.Name{CommonName: "Holdfast simulator CA " + hex.EncodeToString(serial[:4])},
		NotBefore: epoch, NotAfter: epoch.AddDate(60, 0, 0), IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, tmpl, key.Public(), key)
	if err != nil {
		return nil, err
	}
	if a.cert, err = x509.ParseCertificate(der); err != nil {
		return nil, err
	}
	a.key = key
	keyDER, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, err
	}
	if err := writeFile(filepath.Join(dir, "ca-key.pem"), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: keyDER}), 0o600); err != nil {
		return nil, err
	}
	return a, writeFile(filepath.Join(dir, "ca.pem"), pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o644)
}

// certificate picks by server name; a name that is not served gets no certificate.
func (a *authority) certificate(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
	name := hello.ServerName
	if !a.hosts[name] {
		return nil, fmt.Errorf("server name %q is not served", name)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if c := a.made[name]; c != nil {
		return c, nil
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256([]byte(name))
	tmpl := &x509.Certificate{
		SerialNumber: new(big.Int).SetBytes(sum[:15]), Subject: pkix.Name{CommonName: name}, DNSNames: []string{name},
		NotBefore: epoch, NotAfter: epoch.AddDate(50, 0, 0), KeyUsage: x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, a.cert, key.Public(), a.key)
	if err != nil {
		return nil, err
	}
	c := &tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
	a.made[name] = c
	return c, nil
}
