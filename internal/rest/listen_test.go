package rest

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"io"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"testing"
	"time"

	"go.uber.org/goleak"

	"holdfast/internal/service"
	"holdfast/internal/sys"
)

// TestServeDrains: a request that runs when the server is told to stop gets its answer, and nothing is left behind.
func TestServeDrains(t *testing.T) {
	defer goleak.VerifyNone(t)
	certificate, pool := selfSigned(t)
	a := New(Config{Listen: "127.0.0.1:0", TLS: &tls.Config{Certificates: []tls.Certificate{certificate}, MinVersion: tls.VersionTLS12}, Logger: slog.New(slog.DiscardHandler)})
	entered, leave := make(chan struct{}), make(chan struct{})
	a.routers[newest] = newRouter([]route{{"Slow", "GET", "/Slow", 200, service.ActSignIn, func(*API, context.Context, *request) (any, error) {
		close(entered)
		<-leave
		return map[string]string{"slow": "done"}, nil
	}}})
	if err := a.Listen(); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- a.Serve(ctx) }()
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}, ForceAttemptHTTP2: true}
	defer transport.CloseIdleConnections()
	got := make(chan string, 1)
	go func() {
		resp, err := (&http.Client{Transport: transport}).Get("https://" + a.Addr().String() + "/v8/Slow")
		if err != nil {
			got <- err.Error()
			return
		}
		defer resp.Body.Close()
		body, err := io.ReadAll(resp.Body)
		if err != nil {
			got <- err.Error()
			return
		}
		got <- resp.Proto + " " + string(body)
	}()
	<-entered
	stop()
	close(leave)
	if text := <-got; text != "HTTP/2.0 {\"slow\":\"done\"}\n" {
		t.Errorf("the running request got %s", text)
	}
	if err := <-ended; err != nil {
		t.Errorf("Serve returned %v", err)
	}
	if _, err := net.Dial("tcp", a.Addr().String()); err == nil {
		t.Error("it still listens")
	}
}

func TestServeRefusesToServeInClear(t *testing.T) {
	if err := New(Config{Listen: "127.0.0.1:0"}).Serve(t.Context()); err == nil {
		t.Error("it served without TLS")
	}
}

func selfSigned(t *testing.T) (tls.Certificate, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	now := sys.System.Now()
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: now.Add(-time.Hour), NotAfter: now.Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(leaf)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, pool
}
