package auth_test

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
	"software.sslmate.com/src/go-pkcs12"

	"holdfast/internal/m365"
	"holdfast/internal/m365/auth"
	"holdfast/internal/m365/m365test"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var identity = sync.OnceValues(func() (*rsa.PrivateKey, *x509.Certificate) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	now := m365test.NewClock().Now()
	template := &x509.Certificate{SerialNumber: big.NewInt(7), Subject: pkix.Name{CommonName: "app"}, NotBefore: now.AddDate(-1, 0, 0), NotAfter: now.AddDate(0, 1, 0)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		panic(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		panic(err)
	}
	return key, cert
})

func pfx(t *testing.T, enc *pkcs12.Encoder) []byte {
	t.Helper()
	key, cert := identity()
	data, err := enc.Encode(key, cert, nil, "pw")
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func TestCertificatesSignInByAssertion(t *testing.T) {
	key, cert := identity()
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	pemData := append(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert.Raw})...)
	for name, file := range map[string][]byte{"modern PFX": pfx(t, pkcs12.Modern), "legacy PFX": pfx(t, pkcs12.LegacyDES), "PEM": pemData} {
		t.Run(name, func(t *testing.T) {
			credential, err := auth.FromCertificate(file, "pw")
			if err != nil {
				t.Fatal(err)
			}
			f := m365test.New(t)
			var assertion string
			f.Handle("login.microsoftonline.com", func(w http.ResponseWriter, r *http.Request) {
				if r.Method == http.MethodPost {
					if err := r.ParseForm(); err != nil {
						t.Error(err)
					}
					assertion = r.Form.Get("client_assertion")
				}
				f.Login(w, r)
			})
			config := f.Config()
			config.Credential = credential
			c, err := m365.New(config)
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			if err := c.SignIn(t.Context()); err != nil {
				t.Fatal(err)
			}
			parts := strings.Split(assertion, ".")
			if len(parts) != 3 {
				t.Fatalf("no assertion was sent: %q", assertion)
			}
			sum := sha256.Sum256([]byte(parts[0] + "." + parts[1]))
			sig, err := base64.RawURLEncoding.DecodeString(parts[2])
			if err != nil {
				t.Fatal(err)
			}
			if err := rsa.VerifyPSS(&key.PublicKey, crypto.SHA256, sum[:], sig, nil); err != nil {
				t.Errorf("signature: %v", err)
			}
			// What is sealed by an owner and read again signs in too.
			kept, err := credential.PEM()
			if err != nil {
				t.Fatal(err)
			}
			if again, err := auth.FromCertificate(kept, ""); err != nil || !again.Certificate().Equal(cert) {
				t.Errorf("read back: %v", err)
			}
		})
	}
}

func TestUnusableCertificatesAreRefusedClearly(t *testing.T) {
	_, cert := identity()
	for name, tc := range map[string]struct {
		data     []byte
		password auth.Secret
		want     string
	}{
		"wrong password": {pfx(t, pkcs12.Modern), "no", "password of the certificate file is wrong"},
		"no PFX":         {[]byte("hello"), "", "read PFX certificate"},
		"no key":         {pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert.Raw}), "", "no private key"},
	} {
		if _, err := auth.FromCertificate(tc.data, tc.password); err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: got %v, want %q", name, err, tc.want)
		}
	}
}

func TestLoginErrorsNameTheNextStepAndNoSecret(t *testing.T) {
	for code, tc := range map[int]struct {
		reason auth.Reason
		want   string
	}{
		7000215: {auth.WrongSecret, "enter the secret's value"},
		7000222: {auth.ExpiredSecret, "create a new one"},
		90002:   {auth.UnknownTenant, "check the organization's name and region"},
		700016:  {auth.UnknownApplication, "check the application id"},
		700027:  {auth.BadCertificate, "upload its public part"},
		7000112: {auth.NoConsent, "grant it under API permissions"},
		50999:   {auth.OtherReason, "Microsoft refused the login"},
	} {
		f := m365test.New(t)
		f.Handle("login.microsoftonline.com", func(w http.ResponseWriter, r *http.Request) {
			if r.Method == http.MethodGet && code != 90002 {
				f.Login(w, r)
				return
			}
			m365test.LoginError(w, code, "text with s3cret in it.")
		})
		err := f.Client(t).SignIn(t.Context())
		var e *auth.Error
		if !errors.As(err, &e) || e.Reason != tc.reason || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%d: got %v", code, err)
			continue
		}
		if text := fmt.Sprintf("%v %+v %#v", err, err, err); strings.Contains(text, "s3cret") {
			t.Errorf("%d: the error shows the secret: %s", code, text)
		}
	}
}

func TestAnExpiredCertificateIsNamed(t *testing.T) {
	credential, err := auth.FromCertificate(pfx(t, pkcs12.Modern), "pw")
	if err != nil {
		t.Fatal(err)
	}
	f := m365test.New(t)
	f.Clock.Move(60 * 24 * time.Hour)
	f.Handle("login.microsoftonline.com", func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet {
			f.Login(w, r)
			return
		}
		m365test.LoginError(w, 700027, "key expired.")
	})
	config := f.Config()
	config.Credential = credential
	c, err := m365.New(config)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	var e *auth.Error
	if err := c.SignIn(t.Context()); !errors.As(err, &e) || e.Reason != auth.ExpiredCertificate {
		t.Errorf("got %v", err)
	}
}

func TestAnUnreachableLoginIsNamed(t *testing.T) {
	f := m365test.New(t)
	f.Handle("login.microsoftonline.com", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
	var e *auth.Error
	err := f.Client(t).SignIn(t.Context())
	if !errors.As(err, &e) || e.Reason != auth.Unreachable || !strings.Contains(err.Error(), "ports check") {
		t.Errorf("got %v", err)
	}
	if text := fmt.Sprintf("%+v", err); strings.Contains(text, "s3cret") {
		t.Error("the error shows the secret")
	}
}

func TestOneLoginServesManyCallers(t *testing.T) {
	f := m365test.New(t)
	c := f.Client(t)
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			if err := c.SignIn(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if f.Tokens() > 2 { // one may begin just after another one ended its flight
		t.Errorf("%d logins for one token", f.Tokens())
	}
}

func TestASecretDoesNotShow(t *testing.T) {
	s := auth.Secret("s3cret")
	raw, err := json.Marshal(map[string]any{"a": s})
	if err != nil {
		t.Fatal(err)
	}
	credential := auth.FromSecret(s)
	for _, text := range []string{fmt.Sprint(s), fmt.Sprintf("%v %+v %#v %s %q", s, s, s, s, s), string(raw), fmt.Sprintf("%+v %#v", credential, credential)} {
		if strings.Contains(text, "s3cret") {
			t.Errorf("secret shows in %s", text)
		}
	}
}
