// Package auth gets tokens for an application from Microsoft's login service.
//
// The protocol is Microsoft's own library's; the cache is ours, because it must follow our clock and be told
// when a service refused a token. A secret never appears in an error.
package auth

import (
	"bytes"
	"context"
	"crypto"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/AzureAD/microsoft-authentication-library-for-go/apps/confidential"
	"golang.org/x/sync/singleflight"
	"software.sslmate.com/src/go-pkcs12"

	"holdfast/internal/sys"
)

// Secret is a text that must not be shown.
type Secret string

// String hides the text; Reveal shows it.
func (Secret) String() string { return "***" }

// GoString hides the text from %#v.
func (Secret) GoString() string { return "***" }

// MarshalJSON hides the text; nothing may persist a Secret by accident.
func (Secret) MarshalJSON() ([]byte, error) { return []byte(`"***"`), nil }

// Reveal returns the text itself.
func (s Secret) Reveal() string { return string(s) }

// Credential is how an application proves who it is. Exactly one of its parts is set.
type Credential struct {
	secret Secret
	certs  []*x509.Certificate
	key    crypto.PrivateKey
}

// String shows nothing: fmt does not ask the String of an unexported field.
func (Credential) String() string { return "***" }

// GoString shows nothing.
func (Credential) GoString() string { return "***" }

// FromSecret uses a client secret.
func FromSecret(s Secret) Credential { return Credential{secret: s} }

// FromCertificate reads a PFX (PKCS#12) file, or a PEM file with certificate and unencrypted key.
func FromCertificate(data []byte, password Secret) (Credential, error) {
	if bytes.Contains(data, []byte("-----BEGIN ")) {
		certs, key, err := confidential.CertFromPEM(data, "")
		if err != nil {
			return Credential{}, fmt.Errorf("read PEM certificate: %w", err)
		}
		return newCertificate(certs, key)
	}
	key, cert, chain, err := pkcs12.DecodeChain(data, password.Reveal())
	switch {
	case errors.Is(err, pkcs12.ErrIncorrectPassword):
		return Credential{}, errors.New("the password of the certificate file is wrong")
	case err != nil:
		return Credential{}, fmt.Errorf("read PFX certificate: %w", err)
	}
	return newCertificate(append([]*x509.Certificate{cert}, chain...), key)
}

func newCertificate(certs []*x509.Certificate, key crypto.PrivateKey) (Credential, error) {
	if _, err := confidential.NewCredFromCert(certs, key); err != nil {
		return Credential{}, fmt.Errorf("certificate cannot be used to sign in: %w", err)
	}
	return Credential{certs: certs, key: key}, nil
}

// Certificate is the signing certificate, or nil.
func (c Credential) Certificate() *x509.Certificate {
	if len(c.certs) == 0 {
		return nil
	}
	return c.certs[0]
}

// PEM is the certificate and key in PEM, for an owner that keeps them sealed; nil for a secret.
func (c Credential) PEM() ([]byte, error) {
	if len(c.certs) == 0 {
		return nil, nil
	}
	der, err := x509.MarshalPKCS8PrivateKey(c.key)
	if err != nil {
		return nil, fmt.Errorf("encode private key: %w", err)
	}
	out := pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
	for _, cert := range c.certs {
		out = append(out, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert.Raw})...)
	}
	return out, nil
}

// Config says where and as whom to sign in.
type Config struct {
	LoginHost   string // login.microsoftonline.com, or a national cloud's
	Tenant      string // id or a domain name
	Application string
	Credential  Credential
	// Person is a token of somebody who signed in, for PersonFor alone, in the place of a credential.
	Person    Secret
	PersonFor string
	HTTP      *http.Client
	Clock     sys.Clock
}

// Tokens keeps one token per resource and renews it before it ends. It is safe for use by many goroutines.
type Tokens struct {
	config Config
	flight singleflight.Group
	mu     sync.Mutex // guards cache
	cache  map[string]token
}

type token struct {
	value    string
	obtained time.Time
	expires  time.Time
	refused  bool
}

// early is how long before its end a token is no longer used.
const early = 5 * time.Minute

// New returns an empty cache; nothing is asked yet.
func New(c Config) *Tokens {
	return &Tokens{config: c, cache: map[string]token{}}
}

// Token returns a bearer token for a resource such as https://graph.microsoft.com.
func (t *Tokens) Token(ctx context.Context, resource string) (Secret, error) {
	if t.config.Person != "" {
		if resource != t.config.PersonFor {
			return "", fmt.Errorf("the sign-in is for %s, not for %s", t.config.PersonFor, resource)
		}
		return t.config.Person, nil
	}
	now := t.config.Clock.Now()
	t.mu.Lock()
	have, ok := t.cache[resource]
	t.mu.Unlock()
	// A short-lived token is used for half of its life at least, else each call would ask anew.
	margin := min(early, have.expires.Sub(have.obtained)/2)
	if ok && !have.refused && now.Before(have.expires.Add(-margin)) {
		return Secret(have.value), nil
	}
	return t.renew(ctx, resource, "")
}

// Refused tells that a service answered 401 to a token. The next Token asks for a new one, with the claims of
// the service's challenge when there was one. One that was replaced meanwhile (stale) is left alone: of it another call has learnt the same.
func (t *Tokens) Refused(ctx context.Context, resource string, refused Secret, claims string) (stale bool, err error) {
	if t.config.Person != "" {
		return false, &Error{Reason: CodeExpired, text: "the sign-in has ended; sign in again"}
	}
	t.mu.Lock()
	have, ok := t.cache[resource]
	if ok && have.value == refused.Reveal() {
		have.refused = true
		t.cache[resource] = have
	}
	t.mu.Unlock()
	if ok && have.value != refused.Reveal() {
		return true, nil
	}
	_, err = t.renew(ctx, resource, claims)
	return false, err
}

func (t *Tokens) renew(ctx context.Context, resource, claims string) (Secret, error) {
	v, err, _ := t.flight.Do(resource+"\x00"+claims, func() (any, error) {
		got, err := t.ask(ctx, resource, claims)
		if err != nil {
			return nil, err
		}
		t.mu.Lock()
		defer t.mu.Unlock()
		t.cache[resource] = got
		return got, nil
	})
	if err != nil {
		return "", err
	}
	return Secret(v.(token).value), nil
}

// ask uses a client of Microsoft's library once: its own cache goes by the machine's clock and would answer again
// with a token that a service has refused.
func (t *Tokens) ask(ctx context.Context, resource, claims string) (token, error) {
	cred, err := t.config.Credential.msal()
	if err != nil {
		return token{}, err
	}
	answers := &recorder{client: t.config.HTTP}
	app, err := confidential.New("https://"+t.config.LoginHost+"/"+t.config.Tenant, t.config.Application, cred,
		confidential.WithHTTPClient(answers), confidential.WithInstanceDiscovery(false),
		confidential.WithClientCapabilities([]string{"CP1"}), confidential.WithAzureRegion("DisableMsalForceRegion"))
	if err != nil {
		return token{}, fmt.Errorf("sign in to %s: %w", t.config.LoginHost, err)
	}
	var options []confidential.AcquireByCredentialOption
	if claims != "" {
		options = append(options, confidential.WithClaims(claims))
	}
	now := t.config.Clock.Now()
	res, err := app.AcquireTokenByCredential(ctx, []string{resource + "/.default"}, options...)
	if err != nil {
		return token{}, t.explain(ctx, err, answers)
	}
	// The library's expiry is in the machine's time; the life is what counts on our clock.
	life := answers.life()
	if life <= 0 {
		life = time.Hour
	}
	return token{value: res.AccessToken, obtained: now, expires: now.Add(life)}, nil
}

func (c Credential) msal() (confidential.Credential, error) {
	if len(c.certs) > 0 {
		return confidential.NewCredFromCert(c.certs, c.key)
	}
	if c.secret == "" {
		return confidential.Credential{}, errors.New("the application has neither a secret nor a certificate")
	}
	return confidential.NewCredFromSecret(c.secret.Reveal())
}

// recorder passes requests on and keeps the last answer, which says more than the library's error.
type recorder struct {
	client *http.Client
	mu     sync.Mutex // guards both
	status int
	body   []byte
}

const maxAnswer = 1 << 20

func (r *recorder) Do(req *http.Request) (*http.Response, error) {
	resp, err := r.client.Do(req)
	if err != nil {
		return nil, err
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if closeErr := resp.Body.Close(); err == nil {
		err = closeErr
	}
	if err != nil {
		return nil, fmt.Errorf("read answer of %s: %w", req.URL.Host, err)
	}
	r.mu.Lock()
	r.status, r.body = resp.StatusCode, body
	r.mu.Unlock()
	resp.Body = io.NopCloser(bytes.NewReader(body))
	return resp, nil
}

// CloseIdleConnections is what the library asks of a client.
func (r *recorder) CloseIdleConnections() { r.client.CloseIdleConnections() }

func (r *recorder) life() time.Duration {
	r.mu.Lock()
	defer r.mu.Unlock()
	var answer struct {
		ExpiresIn json.Number `json:"expires_in"`
	}
	if json.Unmarshal(r.body, &answer) != nil {
		return 0
	}
	n, err := answer.ExpiresIn.Int64()
	if err != nil {
		return 0
	}
	return time.Duration(n) * time.Second
}

// Reason is why a login failed.
type Reason int

// The reasons that a user can do something about.
const (
	OtherReason Reason = iota
	WrongSecret
	ExpiredSecret
	UnknownTenant
	UnknownApplication
	BadCertificate
	ExpiredCertificate
	NoConsent
	Unreachable
	// ClockOff: Entra takes no assertion of a time that is off by more than five minutes.
	ClockOff
	// Declined and CodeExpired: of a sign-in by device code.
	Declined
	CodeExpired
)

// Error is a refused or failed login. Its text is meant for a user and names the next step.
type Error struct {
	Reason Reason
	Code   string // AADSTS…, when the service gave one
	text   string
}

func (e *Error) Error() string { return e.text }

func (t *Tokens) explain(ctx context.Context, err error, answers *recorder) error {
	if ctx.Err() != nil {
		return fmt.Errorf("sign in to %s: %w", t.config.LoginHost, ctx.Err())
	}
	answers.mu.Lock()
	status, body := answers.status, answers.body
	answers.mu.Unlock()
	var answer struct {
		Error       string `json:"error"`
		Description string `json:"error_description"`
		Codes       []int  `json:"error_codes"`
	}
	if status == 0 || json.Unmarshal(body, &answer) != nil || answer.Error == "" {
		// Only the text: the library's error carries the request with the secret in its body.
		text := err.Error()
		if s := t.config.Credential.secret.Reveal(); s != "" {
			text = strings.ReplaceAll(text, s, "***")
		}
		return &Error{Reason: Unreachable, text: fmt.Sprintf(
			"cannot sign in at %s: %s; check the network, the region of the organization and \"holdfast ports check\"", t.config.LoginHost, text)}
	}
	code := 0
	if len(answer.Codes) > 0 {
		code = answer.Codes[0]
	}
	e := &Error{Code: fmt.Sprintf("AADSTS%d", code)}
	app, tenant := t.config.Application, t.config.Tenant
	switch code {
	case 7000215:
		e.Reason, e.text = WrongSecret, fmt.Sprintf("the secret of application %s is wrong; enter the secret's value (not its id) from Certificates & secrets", app)
	case 7000222:
		e.Reason, e.text = ExpiredSecret, fmt.Sprintf("the secret of application %s has expired; create a new one under Certificates & secrets and enter it here", app)
	case 90002, 900021, 900023, 90013:
		e.Reason, e.text = UnknownTenant, fmt.Sprintf("Microsoft knows no organization %q in this region; check the organization's name and region", tenant)
	case 50020, 90072:
		e.Reason, e.text = UnknownTenant, fmt.Sprintf("who signed in does not belong to organization %q; sign in as its administrator", tenant)
	case 700016, 7000229:
		e.Reason, e.text = UnknownApplication, fmt.Sprintf("organization %q has no application %s; check the application id, or register the application there", tenant, app)
	case 700027, 7000272:
		e.Reason, e.text = BadCertificate, fmt.Sprintf("application %s does not accept the certificate; upload its public part under Certificates & secrets", app)
		if c := t.config.Credential.Certificate(); c != nil && t.config.Clock.Now().After(c.NotAfter) {
			e.Reason, e.text = ExpiredCertificate, fmt.Sprintf("the certificate of application %s expired on %s; upload a new one and enter it here", app, c.NotAfter.Format(time.DateOnly))
		}
	case 700024:
		e.Reason, e.text = ClockOff, fmt.Sprintf("Microsoft refuses the sign-in of application %s for its time: this machine's clock shows %s and is off by more than five minutes; set it by NTP",
			app, t.config.Clock.Now().UTC().Format(time.RFC3339))
	case 7000112, 65001, 501051:
		e.Reason, e.text = NoConsent, fmt.Sprintf("application %s is disabled or has no administrator's consent in %q; grant it under API permissions", app, tenant)
	default:
		first, _, _ := strings.Cut(answer.Description, "\n")
		first, _, _ = strings.Cut(first, " Trace ID")
		e.text = fmt.Sprintf("Microsoft refused the login of application %s: %s (%s)", app, strings.TrimSpace(first), answer.Error)
		if s := t.config.Credential.secret.Reveal(); s != "" {
			e.text = strings.ReplaceAll(e.text, s, "***")
		}
		return e
	}
	e.text += " (" + e.Code + ")"
	return e
}
