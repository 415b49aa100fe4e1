package auth

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/AzureAD/microsoft-authentication-library-for-go/apps/confidential"
	"github.com/AzureAD/microsoft-authentication-library-for-go/apps/public"
	"github.com/coreos/go-oidc/v3/oidc"

	"holdfast/internal/sys"
)

// Users signs people in at one login host by the code flow with PKCE. It is safe for use by many goroutines.
type Users struct {
	host   string
	issuer string
	http   *http.Client
	clock  sys.Clock
	keys   func() oidc.KeySet
}

// UsersConfig says where people sign in.
type UsersConfig struct {
	LoginHost string
	// Issuer is the host that tokens of version 1.0 name as their issuer.
	Issuer string
	HTTP   *http.Client // must reach the login host
	Clock  sys.Clock
}

// NewUsers asks nothing yet.
func NewUsers(c UsersConfig) *Users {
	return &Users{host: c.LoginHost, issuer: c.Issuer, http: c.HTTP, clock: c.Clock, keys: sync.OnceValue(func() oidc.KeySet {
		// The key set outlives the request that asks for it first. The keys of all tenants are the same.
		ctx := oidc.ClientContext(context.Background(), c.HTTP)
		return oidc.NewRemoteKeySet(ctx, "https://"+c.LoginHost+"/common/discovery/v2.0/keys")
	})}
}

// Code is an authorization code with what Entra wants to see beside it.
type Code struct {
	Tenant      string // id, domain, or organizations
	Application string
	Credential  Credential // zero: a public application
	Redirect    string     // exactly as it was when the code was asked for
	Code        string
	Verifier    string
}

// Redeem exchanges a code for the user's id token, which Verify must check.
func (u *Users) Redeem(ctx context.Context, c Code) (string, error) {
	answers := &recorder{client: u.http}
	authority := "https://" + u.host + "/" + c.Tenant
	scopes := []string{"openid", "profile"}
	var token string
	var err error
	if len(c.Credential.certs) == 0 && c.Credential.secret == "" {
		token, err = redeemPublic(ctx, c, authority, scopes, answers)
	} else {
		token, err = redeemConfidential(ctx, c, authority, scopes, answers)
	}
	if err != nil {
		t := &Tokens{config: Config{LoginHost: u.host, Tenant: c.Tenant, Application: c.Application, Credential: c.Credential, Clock: u.clock}}
		return "", t.explain(ctx, err, answers)
	}
	if token == "" {
		return "", errors.New("Microsoft answered without an id token")
	}
	return token, nil
}

func redeemPublic(ctx context.Context, c Code, authority string, scopes []string, answers *recorder) (string, error) {
	app, err := public.New(c.Application, public.WithAuthority(authority), public.WithHTTPClient(answers), public.WithInstanceDiscovery(false))
	if err != nil {
		return "", err
	}
	got, err := app.AcquireTokenByAuthCode(ctx, c.Code, c.Redirect, scopes, public.WithChallenge(c.Verifier))
	return got.IDToken.RawToken, err
}

func redeemConfidential(ctx context.Context, c Code, authority string, scopes []string, answers *recorder) (string, error) {
	cred, err := c.Credential.msal()
	if err != nil {
		return "", err
	}
	app, err := confidential.New(authority, c.Application, cred, confidential.WithHTTPClient(answers), confidential.WithInstanceDiscovery(false))
	if err != nil {
		return "", err
	}
	got, err := app.AcquireTokenByAuthCode(ctx, c.Code, c.Redirect, scopes, confidential.WithChallenge(c.Verifier))
	return got.IDToken.RawToken, err
}

// Claims say who a token is about.
type Claims struct {
	Tenant   string `json:"tid"`
	ObjectID string `json:"oid"`
	Name     string `json:"preferred_username"`
	UPN      string `json:"upn"` // v1.0 access tokens
	Display  string `json:"name"`
	Nonce    string `json:"nonce"`
	Version  string `json:"ver"`
	Scope    string `json:"scp"`
	Kind     string `json:"idtyp"`
}

// Verify checks a token: signature by the host's published keys, issuer, audience, and that it is valid now. It must be about a person.
// nonce is that of our request for it; "" for a token that somebody else asked for.
func (u *Users) Verify(ctx context.Context, token, application, nonce string) (Claims, error) {
	verifier := oidc.NewVerifier("", u.keys(), &oidc.Config{
		SkipClientIDCheck:    true, // below: an access token's audience may be written in two ways
		SkipIssuerCheck:      true, // below: the issuer's name has the tenant in it, which the token tells
		SupportedSigningAlgs: []string{oidc.RS256},
		Now:                  u.clock.Now,
	})
	got, err := verifier.Verify(ctx, token)
	if err != nil {
		return Claims{}, fmt.Errorf("the token of Microsoft Entra: %w", err)
	}
	var c Claims
	if err := got.Claims(&c); err != nil {
		return Claims{}, fmt.Errorf("read the claims of a token of Microsoft Entra: %w", err)
	}
	issuers := map[string]string{"2.0": "https://" + u.host + "/" + c.Tenant + "/v2.0", "1.0": "https://" + u.issuer + "/" + c.Tenant + "/"}
	audiences := []string{application, "api://" + application}
	switch {
	case c.Tenant == "" || c.ObjectID == "":
		return c, errors.New("the token of Microsoft Entra does not say whose it is")
	case got.Issuer == "" || got.Issuer != issuers[c.Version]:
		return c, fmt.Errorf("the token was issued by %q, not by the organization's own login", got.Issuer)
	case len(got.Audience) != 1 || !slices.ContainsFunc(audiences, func(a string) bool { return strings.EqualFold(a, got.Audience[0]) }):
		return c, fmt.Errorf("the token is for %s, not for application %s", strings.Join(got.Audience, ", "), application)
	case nonce != "" && c.Nonce != nonce:
		return c, errors.New("the token answers another request than ours")
	case c.Kind == "app" || c.Scope == "" && c.Name == "":
		return c, errors.New("the token is an application's, not a person's")
	}
	if c.Name == "" {
		c.Name = c.UPN
	}
	return c, c.begun(got, u.clock.Now())
}

// skew is how far Microsoft's clock may be ahead of ours.
const skew = 5 * time.Minute

// begun refuses a token of the future. The library checks that only where a token says nbf.
func (c Claims) begun(t *oidc.IDToken, now time.Time) error {
	if t.IssuedAt.After(now.Add(skew)) {
		return fmt.Errorf("the token is valid from %s only: check this machine's clock", t.IssuedAt.UTC().Format(time.RFC3339))
	}
	return nil
}

// Assertion takes the token out of what clients send as one: the token, or the whole answer of Entra's token endpoint.
func Assertion(text string) string {
	var answer struct {
		Access string `json:"access_token"`
		ID     string `json:"id_token"`
	}
	if json.Unmarshal([]byte(text), &answer) != nil {
		return strings.TrimSpace(text)
	}
	if answer.ID != "" {
		return answer.ID
	}
	return answer.Access
}
