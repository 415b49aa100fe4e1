// Package m365test is a tiny fake of Microsoft's hosts for tests of clients: handlers by host name behind one TLS port, and a
// clock that never waits. The simulator is the judge; this is for answers that no good service would give.
package m365test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"math/big"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"holdfast/internal/m365"
	"holdfast/internal/m365/auth"
)

// Clock shows a time that moves only when somebody waits, and then at once.
type Clock struct {
	mu  sync.Mutex // guards now
	now time.Time
}

// NewClock starts at the machine's certificate-friendly noon of 24 November 2026.
func NewClock() *Clock { return &Clock{now: time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)} }

// Now is the clock's time.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

// Move lets d pass.
func (c *Clock) Move(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(max(d, 0))
}

// Sleep lets d pass at once.
func (c *Clock) Sleep(ctx context.Context, d time.Duration) error {
	c.Move(d)
	return ctx.Err()
}

// After lets d pass at once.
func (c *Clock) After(d time.Duration) <-chan time.Time {
	c.Move(d)
	ch := make(chan time.Time, 1)
	ch <- c.Now()
	return ch
}

// Fake serves hosts by name.
type Fake struct {
	Clock  *Clock
	Secret string // that the login host accepts
	server *httptest.Server
	ca     []byte

	mu     sync.Mutex // guards all below
	hosts  map[string]http.HandlerFunc
	seen   []Seen
	tokens int
}

// Seen is a request that arrived.
type Seen struct {
	Host, Method, Path, Query, Authorization string
	Header                                   http.Header
	At                                       time.Time
}

// Names are the hosts that the fake's certificate is for; evil.example is not in any table.
var Names = []string{"login.microsoftonline.com", "graph.microsoft.com", "contoso-my.sharepoint.com", "outlook.office365.com", "outlook.office.com", "evil.example"}

// New starts a fake that signs applications in with the secret "s3cret".
func New(t testing.TB) *Fake {
	t.Helper()
	f := &Fake{Clock: NewClock(), Secret: "s3cret", hosts: map[string]http.HandlerFunc{}}
	cert, ca, err := certificate(f.Clock.Now())
	if err != nil {
		t.Fatal(err)
	}
	f.ca = ca
	f.server = httptest.NewUnstartedServer(http.HandlerFunc(f.serve))
	f.server.TLS = &tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS12}
	f.server.EnableHTTP2 = true
	f.server.StartTLS()
	t.Cleanup(f.server.Close)
	f.Handle("login.microsoftonline.com", f.Login)
	return f
}

func certificate(now time.Time) (tls.Certificate, []byte, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return tls.Certificate{}, nil, err
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "fake"}, DNSNames: Names,
		NotBefore: now.AddDate(-10, 0, 0), NotAfter: now.AddDate(20, 0, 0),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return tls.Certificate{}, nil, err
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), nil
}

// Handle sets what a host does.
func (f *Fake) Handle(host string, h http.HandlerFunc) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.hosts[host] = h
}

// Graph sets what Graph does.
func (f *Fake) Graph(h http.HandlerFunc) { f.Handle("graph.microsoft.com", h) }

func (f *Fake) serve(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	h := f.hosts[r.Host]
	f.seen = append(f.seen, Seen{Host: r.Host, Method: r.Method, Path: r.URL.Path, Query: r.URL.RawQuery,
		Authorization: r.Header.Get("Authorization"), Header: r.Header.Clone(), At: f.Clock.Now()})
	f.mu.Unlock()
	if h == nil {
		http.Error(w, "no such host", http.StatusMisdirectedRequest)
		return
	}
	h(w, r)
}

// Seen lists the requests to a host so far.
func (f *Fake) Seen(host string) []Seen {
	f.mu.Lock()
	defer f.mu.Unlock()
	var out []Seen
	for _, s := range f.seen {
		if s.Host == host {
			out = append(out, s)
		}
	}
	return out
}

// Login is the login host that New sets: it signs the right secret and any assertion in.
func (f *Fake) Login(w http.ResponseWriter, r *http.Request) {
	base := "https://" + r.Host + "/tenant"
	if r.Method == http.MethodGet {
		JSON(w, 200, map[string]any{"issuer": base + "/v2.0", "token_endpoint": base + "/oauth2/v2.0/token", "authorization_endpoint": base + "/oauth2/v2.0/authorize"})
		return
	}
	if err := r.ParseForm(); err != nil || r.Form.Get("client_secret") != f.Secret && r.Form.Get("client_assertion") == "" {
		LoginError(w, 7000215, "Invalid client secret provided.")
		return
	}
	f.mu.Lock()
	f.tokens++
	n := f.tokens
	f.mu.Unlock()
	claims := map[string]any{"roles": []string{"User.Read.All", "Mail.ReadWrite", "Files.Read.All"}, "n": n, "claims": r.Form.Get("claims")}
	raw, err := json.Marshal(claims)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	token := fmt.Sprintf("e30.%s.token%d", base64.RawURLEncoding.EncodeToString(raw), n)
	JSON(w, 200, map[string]any{"token_type": "Bearer", "expires_in": 3600, "ext_expires_in": 3600, "access_token": token})
}

// Tokens is how many tokens were given out.
func (f *Fake) Tokens() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.tokens
}

// LoginError writes a refusal of the token endpoint.
func LoginError(w http.ResponseWriter, code int, text string) {
	JSON(w, 401, map[string]any{"error": "invalid_client", "error_codes": []int{code},
		"error_description": fmt.Sprintf("AADSTS%d: %s Trace ID: x", code, text)})
}

// JSON writes v.
func JSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v) // a client that went away is its own affair
}

// Fail writes an error in Graph's shape.
func Fail(w http.ResponseWriter, status int, code, message string) {
	JSON(w, status, map[string]any{"error": map[string]any{"code": code, "message": message, "innerError": map[string]any{"request-id": "rid"}}})
}

// Config is a configuration that reaches the fake.
func (f *Fake) Config() m365.Config {
	cloud, err := m365.CloudNamed("Worldwide")
	if err != nil {
		panic(err)
	}
	return m365.Config{
		Cloud: cloud, Tenant: "tenant", Application: "app", Credential: auth.FromSecret(auth.Secret(f.Secret)), SharePoint: "contoso",
		Network: m365.Network{Dial: f.server.Listener.Addr().String(), CA: f.ca}, Clock: f.Clock, Version: "1.2.3",
	}
}

// Client is a client of the fake.
func (f *Fake) Client(t testing.TB) *m365.Client {
	t.Helper()
	c, err := m365.New(f.Config())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}
