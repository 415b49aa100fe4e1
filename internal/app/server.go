package app

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sync/errgroup"

	"holdfast/internal/explorer"
	"holdfast/internal/holdfast"
	"holdfast/internal/m365"
	"holdfast/internal/m365/throttle"
	"holdfast/internal/mail"
	"holdfast/internal/proxy"
	"holdfast/internal/rest"
	"holdfast/internal/search"
	"holdfast/internal/service"
	"holdfast/internal/store"
	"holdfast/internal/sys"
	"holdfast/internal/vault"
	"holdfast/internal/vault/keys"
	"holdfast/web"
)

// ServerConfig is what "holdfast server" is told.
type ServerConfig struct {
	Data     string   // folder; made when missing
	REST     string   // HOST:PORT of the REST API
	Database string   // "sqlite" or postgres://…
	Dial     string   // HOST:PORT that every connection to Microsoft goes to instead; empty: the real hosts
	Hosts    []string // of clouds, in the place of Microsoft's own: see m365.ParseHosts
	// SignInApplication is the client id of the public application by which administrators sign in with a code; empty: Microsoft Graph Command Line Tools.
	SignInApplication string
	CA                string // file with authorities in PEM that connections to Microsoft trust besides the system's
	SMTPCA            string // file with authorities in PEM that connections to mail servers trust instead of the system's
	// AdminPassword of the first start; empty draws one.
	AdminPassword holdfast.Secret
	Version       string
	Web           string // folder with a built front end to serve instead of the one in the program
	NoSearch      bool   // keep no search index
	// AskAgain is for how long a browser's person is not asked again who he is before dangerous acts; 0 is 10 minutes.
	AskAgain time.Duration
	Log      *slog.Logger
	Clock    sys.Clock   // nil: the machine's
	Faults   *sys.Faults // nil: none
	// Limits replaces Microsoft's published limits; nil keeps them.
	Limits *throttle.Limits
	// Checkpoint replaces the interval and size after which an unfinished backup is made resumable; zero keeps them.
	Checkpoint proxy.Checkpoint
}

// Server is the control plane with its REST API and the built-in proxy.
type Server struct {
	config    ServerConfig
	lock      *os.File
	store     *store.Store
	vaults    *vaults
	microsoft *microsoft
	services  *service.Service
	search    *search.Index
	api       *rest.API
	worker    *proxy.Proxy
	// GeneratedPassword is what the first start drew for "admin"; shown once.
	GeneratedPassword holdfast.Secret
}

// New opens everything that a server needs and makes what the first start lacks. Close it.
func New(ctx context.Context, c ServerConfig) (_ *Server, err error) {
	if c.Clock == nil {
		c.Clock = sys.System
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	s := &Server{config: c}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.Close(context.WithoutCancel(ctx)))
		}
	}()
	if err := s.prepare(); err != nil {
		return nil, err
	}
	if s.store, err = store.Open(ctx, s.database()); err != nil {
		return nil, err
	}
	key, err := s.key(ctx)
	if err != nil {
		return nil, err
	}
	network := m365.Network{Dial: c.Dial}
	if c.CA != "" {
		if network.CA, err = m365.ReadCA(c.CA); err != nil {
			return nil, holdfast.Invalid("%w", err)
		}
	}
	presets, err := m365.ParseHosts(c.Hosts)
	if err != nil {
		return nil, holdfast.Invalid("host of a cloud: %w", err)
	}
	s.microsoft = &microsoft{network: network, presets: presets, signIn: c.SignInApplication, clock: c.Clock, faults: c.Faults, version: c.Version}
	if c.Limits != nil {
		s.microsoft.limits = *c.Limits
	}
	s.vaults = &vaults{data: c.Data, key: key, clock: c.Clock, known: s.knows}
	s.vaults.vault = vault.New(vault.Options{Password: s.vaults.password, CacheDir: filepath.Join(c.Data, "cache"), Clock: c.Clock, Faults: c.Faults, Log: c.Log})
	host, err := os.Hostname()
	if err != nil {
		return nil, err
	}
	authorities, err := readAuthorities(c.SMTPCA)
	if err != nil {
		return nil, err
	}
	browse := explorer.New(explorer.Config{Vault: s.vaults.vault, Heads: heads{s}, Paths: s.path})
	deps := service.Deps{
		Store: service.OnStore(s.store), Clock: c.Clock, Keys: service.NewKeys(key, rand.Reader), Directory: s.microsoft, Identities: s.microsoft, Registrar: s.microsoft, Vaults: s.vaults, Explorer: &proxy.Explorer{Explorer: browse, Clock: c.Clock},
		Live: live{s}, Mailer: mail.New(mail.Config{Clock: c.Clock, CA: authorities, Name: host}), BrowserProof: c.AskAgain, Log: c.Log, Version: c.Version, Proxy: host, ProxyPort: 9193,
	}
	if !c.NoSearch {
		s.search = s.newSearch()
		deps.Searcher = s.search
	}
	s.services = service.New(deps)
	if s.GeneratedPassword, err = s.services.Start(ctx, c.AdminPassword); err != nil {
		return nil, err
	}
	s.worker = proxy.New(proxy.Config{
		Pace:    pace,
		Control: s.services.Control, Open: s.vaults.Open, Workloads: workloads(s.microsoft), Clock: c.Clock, Log: c.Log, ID: service.BuiltInProxy,
		Checkpoint: c.Checkpoint, ForRestore: m365.ForRestore, Explain: forUser,
	})
	if c.REST == "" {
		return s, nil // a rebuild: nobody is served
	}
	cert, err := s.certificate(host)
	if err != nil {
		return nil, err
	}
	pages := web.Files()
	if c.Web != "" {
		pages = os.DirFS(c.Web)
	}
	s.api = rest.New(rest.Config{Services: s.services, Listen: c.REST, TLS: &tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS12}, Logger: c.Log, Clock: c.Clock, Web: pages})
	if err := s.api.Listen(); err != nil {
		var op *net.OpError
		if errors.As(err, &op) {
			err = op.Err // the address is said already
		}
		return nil, holdfast.Unavailable("the REST API can't listen on %s: %w; choose another address with --rest", c.REST, err)
	}
	return s, nil
}

// readAuthorities reads the authorities that judge mail servers; without a file they are the system's.
func readAuthorities(file string) (*x509.CertPool, error) {
	if file == "" {
		return nil, nil
	}
	text, err := m365.ReadCA(file)
	if err != nil {
		return nil, holdfast.Invalid("%w", err)
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(text)
	return pool, nil
}

// prepare makes the data folder and makes sure that no other server uses it.
func (s *Server) prepare() error {
	data, err := filepath.Abs(s.config.Data)
	if err != nil {
		return err
	}
	s.config.Data = data
	for _, dir := range []string{data, filepath.Join(data, "keys"), filepath.Join(data, "kits"), filepath.Join(data, "tls")} {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return holdfast.Unavailable("the data folder can't be made: %w", err)
		}
	}
	s.lock, err = os.OpenFile(filepath.Join(data, "lock"), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return holdfast.Unavailable("the data folder %s is not writable: %w", data, err)
	}
	if err := syscall.Flock(int(s.lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		return holdfast.Conflict("another server uses the data folder %s: stop it, or give this one a folder of its own with --data", data)
	}
	return nil
}

func (s *Server) keyFile() string { return filepath.Join(s.config.Data, "keys", "kek") }

// key loads the key-encryption key. It is made with a database that never had one only: another one would open nothing of what is in there.
func (s *Server) key(ctx context.Context) (*keys.Key, error) {
	if _, err := os.Lstat(s.keyFile()); !errors.Is(err, fs.ErrNotExist) {
		return keys.LoadFile(s.keyFile(), "")
	}
	keyID, sealed, err := service.SealedUnder(ctx, service.OnStore(s.store))
	if err != nil {
		return nil, err
	}
	if sealed {
		return nil, holdfast.Unavailable("key file %s is missing, and the database holds secrets that only it opens (key %s): put it back from its copy; "+
			"without one, make a new server with an empty database and data folder by \"holdfast vault rebuild\" from each repository and its recovery kit", s.keyFile(), keyID)
	}
	return keys.CreateFile(s.keyFile())
}

func (s *Server) database() store.Options {
	o := store.Options{Clock: s.config.Clock, Faults: s.config.Faults}
	if s.config.Database == "" || s.config.Database == "sqlite" {
		o.Path = filepath.Join(s.config.Data, "holdfast.db")
	} else {
		o.URL = s.config.Database
	}
	return o
}

// certificate is D/tls/rest.pem with rest.key: the administrator's own, or one that the first start makes.
func (s *Server) certificate(host string) (tls.Certificate, error) {
	certFile, keyFile := filepath.Join(s.config.Data, "tls", "rest.pem"), filepath.Join(s.config.Data, "tls", "rest.key")
	if _, err := os.Lstat(certFile); errors.Is(err, fs.ErrNotExist) {
		if err := makeCertificate(certFile, keyFile, host, s.config.REST, s.config.Clock.Now()); err != nil {
			return tls.Certificate{}, err
		}
	}
	cert, err := tls.LoadX509KeyPair(certFile, keyFile)
	if err != nil {
		return cert, holdfast.Invalid("the server's certificate in %s can't be used: %w", filepath.Dir(certFile), err)
	}
	return cert, nil
}

// makeCertificate writes a self-signed certificate for this machine, good for ten years.
func makeCertificate(certFile, keyFile, host, listen string, now time.Time) error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	if err != nil {
		return err
	}
	template := &x509.Certificate{
		SerialNumber: serial, Subject: pkix.Name{CommonName: "Holdfast"}, NotBefore: now.Add(-time.Hour), NotAfter: now.AddDate(10, 0, 0),
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		BasicConstraintsValid: true, IsCA: true,
		DNSNames: []string{"localhost", strings.ToLower(host)}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback},
	}
	if h, _, err := net.SplitHostPort(listen); err == nil {
		if ip := net.ParseIP(h); ip != nil && !ip.IsUnspecified() {
			template.IPAddresses = append(template.IPAddresses, ip)
		} else if ip == nil && h != "" {
			template.DNSNames = append(template.DNSNames, h)
		}
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return err
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return err
	}
	if err := os.WriteFile(keyFile, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: keyDER}), 0o600); err != nil {
		return err
	}
	return os.WriteFile(certFile, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o644)
}

// Addr is where the REST API listens.
func (s *Server) Addr() string { return s.api.Addr().String() }

// CertificateFile is what a client trusts to reach the REST API.
func (s *Server) CertificateFile() string { return filepath.Join(s.config.Data, "tls", "rest.pem") }

// Run serves until ctx ends, then drains: requests finish, tasks stop at their next safe point.
func (s *Server) Run(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return boundMemory(ctx, sys.System) })
	g.Go(func() error { return s.api.Serve(ctx) })
	g.Go(func() error { return s.services.Run(ctx) })
	if s.search != nil {
		g.Go(func() error { return s.search.Run(ctx) })
	}
	g.Go(func() error { return s.worker.Run(ctx) })
	if err := g.Wait(); err != nil && !errors.Is(err, context.Canceled) {
		return err
	}
	return nil
}

// Close gives everything back. Run has returned.
func (s *Server) Close(ctx context.Context) error {
	var errs []error
	if s.microsoft != nil {
		s.microsoft.Close()
	}
	if s.search != nil {
		errs = append(errs, s.search.Close())
	}
	if s.vaults != nil {
		errs = append(errs, s.vaults.vault.Close(ctx))
	}
	if s.store != nil {
		errs = append(errs, s.store.Close())
	}
	if s.lock != nil {
		errs = append(errs, s.lock.Close())
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("close: %w", err)
	}
	return nil
}

// path is where a repository lies.
func (s *Server) path(ctx context.Context, id holdfast.RepositoryID) (path string, err error) {
	err = service.OnStore(s.store).Read(ctx, func(ctx context.Context, tx service.Tx) error {
		r, err := tx.Repository(ctx, id)
		path = r.Path
		return err
	})
	return path, err
}

// heads joins the explorer to the rules, which need the explorer to be made.
type heads struct{ s *Server }

func (h heads) Head(ctx context.Context, repository holdfast.RepositoryID, organization holdfast.OrganizationID, container string, number uint64) (holdfast.HeadRecord, error) {
	return h.s.services.Control.Head(ctx, repository, organization, container, number)
}

// knows tells whether the database has containers of an organization in a repository.
func (s *Server) knows(ctx context.Context, repo holdfast.RepositoryID, org holdfast.OrganizationID) (known bool, err error) {
	err = service.OnStore(s.store).Read(ctx, func(ctx context.Context, tx service.Tx) error {
		some, err := tx.Containers(ctx, holdfast.ContainerFilter{Repository: repo, Organization: org}, holdfast.Page{})
		for _, c := range some {
			known = known || c.Head > 0
		}
		return err
	})
	return known, err
}
