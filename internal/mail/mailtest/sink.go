// Package mailtest is a mail server for tests, on a port of this machine: it keeps what it takes, and refuses as it is told.
package mailtest

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"io"
	"log"
	"math/big"
	"net"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"
)

// Options is how a Sink behaves. The zero value takes everything, without TLS.
type Options struct {
	TLS      bool   // offers STARTTLS
	Implicit bool   // TLS from the first byte
	Name     string // in the certificate; empty is localhost
	User     string // who may sign in; with one, nobody else may send
	Password string
	Login    bool   // knows AUTH LOGIN only
	Size     int64  // most bytes that it takes, as it announces
	Address  string // to listen on; empty draws a port
	// Mail, Rcpt and Data give the answer to such a command; nil, or a nil answer, takes it. Data comes after the content was read.
	Rcpt func(to string) error
	Data func(content []byte) error
	// Cut ends the connection after so many bytes of a mail; 0 never.
	Cut int64
}

// Message is what was taken.
type Message struct {
	From      string
	To        []string
	Content   []byte
	User      string
	Encrypted bool
}

// Sink is the server.
type Sink struct {
	Port int
	Pool *x509.CertPool // trusts its certificate
	opt  Options

	mu    sync.Mutex // guards what is below
	taken []Message
	seen  int // connections
	more  chan struct{}
}

// Start starts a sink that ends with the test.
func Start(t testing.TB, opt Options) *Sink {
	t.Helper()
	s := &Sink{opt: opt, more: make(chan struct{})}
	if opt.Address == "" {
		opt.Address = "127.0.0.1:0"
	}
	l, err := net.Listen("tcp", opt.Address)
	if err != nil {
		t.Fatal(err)
	}
	s.Port = l.Addr().(*net.TCPAddr).Port
	server := smtp.NewServer(smtp.BackendFunc(func(c *smtp.Conn) (smtp.Session, error) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.seen++
		return &session{sink: s, conn: c}, nil
	}))
	server.Domain, server.MaxMessageBytes, server.MaxRecipients = "sink.example", opt.Size, 100
	server.ErrorLog = log.New(io.Discard, "", 0)
	if opt.TLS || opt.Implicit {
		server.TLSConfig = s.certificate(t)
	}
	if opt.Implicit {
		l = tls.NewListener(l, server.TLSConfig)
	}
	done := make(chan struct{})
	go func() { defer close(done); _ = server.Serve(l) }()
	t.Cleanup(func() { _, _ = l.Close(), server.Close(); <-done }) // the listener first: the server may not know it yet
	return s
}

func (s *Sink) certificate(t testing.TB) *tls.Config {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	name := s.opt.Name
	if name == "" {
		name = "localhost"
	}
	of := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, DNSNames: []string{name}, NotBefore: time.Unix(0, 0), NotAfter: time.Unix(1<<33, 0),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}}
	der, err := x509.CreateCertificate(rand.Reader, of, of, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	made, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	s.Pool = x509.NewCertPool()
	s.Pool.AddCert(made)
	return &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}, MinVersion: tls.VersionTLS12}
}

// Taken are the messages so far.
func (s *Sink) Taken() []Message {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.taken)
}

// Seen is how many connections came.
func (s *Sink) Seen() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.seen
}

// Wait waits until n messages were taken, and gives all.
func (s *Sink) Wait(t testing.TB, n int) []Message {
	t.Helper()
	for {
		s.mu.Lock()
		taken, more := slices.Clone(s.taken), s.more
		s.mu.Unlock()
		if len(taken) >= n {
			return taken
		}
		select {
		case <-more:
		case <-t.Context().Done():
			t.Fatalf("%d messages came, not %d", len(taken), n)
		case <-time.After(30 * time.Second):
			t.Fatalf("%d messages came within 30 s, not %d", len(taken), n)
		}
	}
}

type session struct {
	sink *Sink
	conn *smtp.Conn
	user string
	now  Message
}

func (s *session) AuthMechanisms() []string {
	switch {
	case s.sink.opt.User == "":
		return nil
	case s.sink.opt.Login:
		return []string{sasl.Login}
	}
	return []string{sasl.Plain}
}

func (s *session) check(user, password string) error {
	if user != s.sink.opt.User || password != s.sink.opt.Password {
		return smtp.ErrAuthFailed
	}
	s.user = user
	return nil
}

func (s *session) Auth(how string) (sasl.Server, error) {
	if how == sasl.Login {
		return &login{check: s.check}, nil
	}
	return sasl.NewPlainServer(func(_, user, password string) error { return s.check(user, password) }), nil
}

// login is the server's side of AUTH LOGIN.
type login struct {
	user  *string
	check func(user, password string) error
}

func (l *login) Next(answer []byte) ([]byte, bool, error) {
	switch {
	case answer == nil:
		return []byte("Username:"), false, nil
	case l.user == nil:
		l.user = new(string(answer))
		return []byte("Password:"), false, nil
	}
	return nil, true, l.check(*l.user, string(answer))
}

func (s *session) Mail(from string, _ *smtp.MailOptions) error {
	if s.sink.opt.User != "" && s.user == "" {
		return &smtp.SMTPError{Code: 530, EnhancedCode: smtp.EnhancedCode{5, 7, 0}, Message: "Authentication required"}
	}
	_, encrypted := s.conn.TLSConnectionState()
	s.now = Message{From: from, User: s.user, Encrypted: encrypted}
	return nil
}

func (s *session) Rcpt(to string, _ *smtp.RcptOptions) error {
	if s.sink.opt.Rcpt != nil {
		if err := s.sink.opt.Rcpt(to); err != nil {
			return err
		}
	}
	s.now.To = append(s.now.To, to)
	return nil
}

func (s *session) Data(r io.Reader) error {
	var content bytes.Buffer
	if s.sink.opt.Cut > 0 {
		_, _ = io.CopyN(&content, r, s.sink.opt.Cut)
		_ = s.conn.Conn().Close()
		return errors.New("cut")
	}
	if _, err := io.Copy(&content, r); err != nil {
		return err
	}
	s.now.Content = content.Bytes()
	if s.sink.opt.Data != nil {
		if err := s.sink.opt.Data(s.now.Content); err != nil {
			return err
		}
	}
	s.sink.mu.Lock()
	defer s.sink.mu.Unlock()
	s.sink.taken = append(s.sink.taken, s.now)
	close(s.sink.more)
	s.sink.more = make(chan struct{})
	return nil
}

func (s *session) Reset()        { s.now = Message{} }
func (s *session) Logout() error { return nil }
