package service

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"net/url"
	"path"
	"strings"
	"sync"
	"time"

	"holdfast/internal/holdfast"
)

// People sign in at the portal by the code flow with PKCE (RFC 9700, 2.1): the server keeps state, nonce and verifier of each attempt, for
// one browser, once, for a while. The browser never has a token of Microsoft's.

const (
	signInLife = 10 * time.Minute
	signInsMax = 10000 // at once; past that the oldest attempt is forgotten
	portalPath = "/portal"
	// PortalCallback is the path at which Entra sends browsers back.
	PortalCallback = "/holdfast/v1/portal/callback"
)

// attempt is a sign-in that has begun.
type attempt struct {
	browser  string // hash of the secret in the browser's cookie
	nonce    string
	verifier string
	back     string
	app      PortalApplication // as it was then
	began    time.Time
}

// signIns are attempts by state. The zero value works.
type signIns struct {
	mu  sync.Mutex // guards all
	all map[string]attempt
}

func (s *signIns) put(state string, a attempt) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.all == nil {
		s.all = map[string]attempt{}
	}
	oldest := ""
	for k, one := range s.all {
		if a.began.Sub(one.began) >= signInLife {
			delete(s.all, k)
		} else if oldest == "" || one.began.Before(s.all[oldest].began) {
			oldest = k
		}
	}
	if len(s.all) >= signInsMax {
		delete(s.all, oldest)
	}
	s.all[state] = a
}

// take gives an attempt to the browser that began it, once.
func (s *signIns) take(state, browser string, now time.Time) (attempt, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	a, ok := s.all[state]
	if !ok || subtle.ConstantTimeCompare([]byte(a.browser), []byte(tokenHash(browser))) == 0 {
		return attempt{}, false // another browser's: it stays, so that nobody ends a stranger's sign-in
	}
	delete(s.all, state)
	return a, now.Sub(a.began) < signInLife
}

// PortalRefusal is why nobody is signed in, in a word that the portal's pages have a text for.
type PortalRefusal string

// The refusals.
const (
	PortalDenied   PortalRefusal = "denied"               // the user or Entra said no
	PortalExpired  PortalRefusal = "expired"              // too late, used before, or another browser's
	PortalUnknown  PortalRefusal = "unknown_organization" // not a protected one
	PortalDisabled PortalRefusal = "not_enabled"
	PortalFailed   PortalRefusal = "failed" // the log says why
)

// PortalStart is what a browser needs to begin a sign-in.
type PortalStart struct {
	Location string // where to send it
	Secret   string // for a cookie that must come along to the callback
	Life     time.Duration
	Refusal  PortalRefusal // nothing else is set
}

// SignIn begins a sign-in. back is the page of the portal to return to; "" is its first one.
func (p *Portal) SignIn(ctx context.Context, back string) (PortalStart, error) {
	back, err := portalPage(back)
	if err != nil {
		return PortalStart{}, err
	}
	app, err := p.application(ctx)
	if err != nil {
		return PortalStart{}, err
	} else if app == nil {
		return PortalStart{Refusal: PortalDisabled}, nil
	}
	var drawn [4]string // state, nonce, verifier, the browser's secret
	for i := range drawn {
		if drawn[i], err = p.admin.token(); err != nil {
			return PortalStart{}, err
		}
	}
	p.signIns.put(drawn[0], attempt{browser: tokenHash(drawn[3]), nonce: drawn[1], verifier: drawn[2], back: back, app: *app, began: p.now()})
	challenge := sha256.Sum256([]byte(drawn[2]))
	q := url.Values{"client_id": {app.ID}, "response_type": {"code"}, "response_mode": {"query"}, "redirect_uri": {app.Redirect}, "scope": {"openid profile"}, "state": {drawn[0]}, "nonce": {drawn[1]},
		"code_challenge": {base64.RawURLEncoding.EncodeToString(challenge[:])}, "code_challenge_method": {"S256"}, "prompt": {"select_account"}}
	return PortalStart{Location: strings.TrimRight(app.Authority, "/") + "/oauth2/v2.0/authorize?" + q.Encode(), Secret: drawn[3], Life: signInLife}, nil
}

// portalPage checks where a sign-in is to lead: a path of the portal, nothing else.
func portalPage(back string) (string, error) {
	if back == "" {
		return portalPath, nil
	}
	u, err := url.Parse(back)
	if err != nil || u.IsAbs() || u.Host != "" || u.User != nil || strings.ContainsAny(back, "\\\r\n\t") || u.Path != portalPath && !strings.HasPrefix(u.Path, portalPath+"/") || path.Clean(u.Path) != strings.TrimSuffix(u.Path, "/") {
		return "", holdfast.Invalid("return must be a path below %s", portalPath)
	}
	return u.String(), nil
}

// PortalAnswer is what a browser brings back from Entra.
type PortalAnswer struct {
	State, Code, Error string
	Secret             string // of the cookie that SignIn gave
	Address            string
	Before             string // the secret of the browser session that it had
}

// PortalEnd is how a sign-in ended: a session and the page to go to, or a refusal.
type PortalEnd struct {
	Browser Browser
	Back    string
	Refusal PortalRefusal
}

// Callback ends a sign-in. Everything that can go wrong is a refusal, whose reason is logged: the browser can do nothing about it.
func (p *Portal) Callback(ctx context.Context, in PortalAnswer) PortalEnd {
	refuse := func(why PortalRefusal, err error) PortalEnd {
		p.Log.WarnContext(ctx, "a sign-in at the portal was refused", "refusal", string(why), "address", in.Address, "error", err)
		return PortalEnd{Refusal: why}
	}
	a, ok := p.signIns.take(in.State, in.Secret, p.now())
	if !ok {
		return refuse(PortalExpired, errors.New("no sign-in of this browser has this state"))
	}
	if in.Error != "" || in.Code == "" {
		why := PortalFailed
		if in.Error == "access_denied" {
			why = PortalDenied
		}
		return refuse(why, errors.New("Entra answered "+in.Error))
	}
	now, err := p.application(ctx) // it may have been closed meanwhile, or have got another application
	if err != nil {
		return refuse(PortalFailed, err)
	} else if now == nil || now.ID != a.app.ID {
		return refuse(PortalDisabled, errors.New("the portal was closed while the sign-in ran"))
	}
	who, err := p.Identities.Redeem(ctx, a.app, PortalCode{Code: in.Code, Verifier: a.verifier, Nonce: a.nonce})
	if err != nil {
		return refuse(PortalFailed, err)
	}
	person, err := p.person(ctx, who)
	if missing(err) {
		return refuse(PortalUnknown, err)
	} else if err != nil {
		return refuse(PortalFailed, err)
	}
	b, err := p.browsers.OpenDirectory(ctx, person, in.Address, in.Before)
	if err != nil {
		return refuse(PortalFailed, err)
	}
	return PortalEnd{Browser: b, Back: a.back}
}

// person finds the protected organization of somebody whom Entra vouches for; none is a KindNotFound error.
func (p *Portal) person(ctx context.Context, who Identity) (DirectoryIdentity, error) {
	return read(ctx, p.core, func(ctx context.Context, tx Tx) (DirectoryIdentity, error) {
		all, err := tx.Organizations(ctx, holdfast.Page{})
		if err != nil {
			return DirectoryIdentity{}, err
		}
		for _, o := range all {
			if o.TenantID != "" && strings.EqualFold(o.TenantID, who.Tenant) {
				return DirectoryIdentity{Organization: o.ID, ObjectID: who.ObjectID, Name: who.Name, DisplayName: who.DisplayName}, nil
			}
		}
		return DirectoryIdentity{}, holdfast.NotFound("the organization %s is not protected here", who.Tenant)
	})
}

// application is the one by which people sign in, with its credential when it is known: the portal's own, or that of an organization that is
// read by the same application. nil: the portal is closed.
func (p *Portal) application(ctx context.Context) (*PortalApplication, error) {
	s, err := p.Get(ctx)
	if err != nil || !s.Enabled || p.Identities == nil {
		return nil, err
	}
	app := &PortalApplication{ID: s.ApplicationID, Authority: s.Authority, Redirect: s.URL + PortalCallback}
	app.Credential, err = read(ctx, p.core, func(ctx context.Context, tx Tx) (holdfast.Credential, error) {
		own, err := p.sealed(ctx, tx, portalSecret)
		if err == nil && strings.EqualFold(own.ApplicationID, app.ID) {
			return own, nil
		} else if err != nil && !missing(err) {
			return own, err
		}
		all, err := tx.Organizations(ctx, holdfast.Page{})
		if err != nil {
			return holdfast.Credential{}, err
		}
		for _, o := range all {
			if strings.EqualFold(o.ApplicationID, app.ID) {
				return p.credential(ctx, tx, o.ID)
			}
		}
		return holdfast.Credential{}, nil
	})
	return app, err
}

// PortalAssertion is a token of Entra that a program shows to sign somebody in.
type PortalAssertion struct {
	// Operator says that Client is "user's object id.tenant id"; else it is the application's id, or the organization's name or id.
	Operator          bool
	Client, Assertion string
	Address           string
}

// Login signs somebody in by a token that Entra gave to a program for the portal's application. A refused one is KindUnauthenticated, a
// portal that is closed KindConflict.
func (p *Portal) Login(ctx context.Context, in PortalAssertion) (Tokens, error) {
	app, err := p.application(ctx)
	if err != nil {
		return Tokens{}, err
	} else if app == nil {
		return Tokens{}, holdfast.Conflict("nobody signs in with a token of Microsoft Entra as long as the Restore Portal is not enabled")
	}
	who, err := p.Identities.Verify(ctx, *app, in.Assertion)
	if err != nil {
		return Tokens{}, err
	}
	person, err := p.person(ctx, who)
	if missing(err) {
		return Tokens{}, holdfast.Unauthenticated("%w", err)
	} else if err != nil {
		return Tokens{}, err
	}
	names := []string{app.ID, who.Tenant}
	if in.Operator {
		names = []string{who.ObjectID + "." + who.Tenant}
	} else if o, err := read(ctx, p.core, func(ctx context.Context, tx Tx) (holdfast.Organization, error) {
		return tx.Organization(ctx, person.Organization)
	}); err != nil {
		return Tokens{}, err
	} else {
		names = append(names, o.Name)
	}
	for _, n := range names {
		if strings.EqualFold(n, in.Client) {
			return p.admin.LoginDirectory(ctx, person, in.Address)
		}
	}
	return Tokens{}, holdfast.Unauthenticated("client_id %q is not whom the assertion is about", in.Client)
}
