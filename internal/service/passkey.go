package service

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"

	"holdfast/internal/holdfast"
)

// Passkeys are credentials of WebAuthn (https://www.w3.org/TR/webauthn-3/): a key pair in a device or a password manager, bound to the host name of
// this server, whose private half never leaves it. One is made so that it is found without a user's name, and is used only after the device has
// verified its person (PIN, finger, face): that is what he has and what he knows or is, so a passkey signs in alone. An account that has one is
// signed in by a password alone no longer.
type Passkeys struct {
	*core
	admin      *Admin
	challenges challenges
}

// Bounds of passkeys.
const (
	passkeysMost     = 20 // of one account
	passkeyName      = 100
	passkeyUnnamed   = "Passkey"
	challengeLife    = 5 * time.Minute // how long a person may look for his key
	challengesMost   = 10_000          // open at once
	challengesFrom   = 50              // of them from one address
	challengeBytes   = 32
	errPasskeyClosed = "this request for a passkey is no longer open: try again"
)

// Site is where a browser met us.
type Site struct {
	Host   string // the name without a port: what a passkey is bound to
	Origin string // "https://" with the port
}

// party is us, as a browser's page at site knows us.
func (s Site) party() (*webauthn.WebAuthn, error) {
	// The pages offer none under an address; this is for who asks all the same.
	if net.ParseIP(strings.Trim(s.Host, "[]")) != nil {
		return nil, holdfast.Conflict("a passkey is bound to a host name, and %s is an address: open this page by the server's name", s.Host)
	}
	party, err := webauthn.New(&webauthn.Config{RPID: s.Host, RPDisplayName: factorIssuer, RPOrigins: []string{s.Origin}, AttestationPreference: protocol.PreferNoAttestation,
		AuthenticatorSelection: protocol.AuthenticatorSelection{ResidentKey: protocol.ResidentKeyRequirementRequired, RequireResidentKey: protocol.ResidentKeyRequired(), UserVerification: protocol.VerificationRequired}})
	if err != nil {
		return nil, holdfast.Conflict("a passkey can't be bound to %q: %w", s.Host, err)
	}
	return party, nil
}

// PasskeyRequest is what a browser asks its authenticators for.
type PasskeyRequest struct {
	ID      string          // of the challenge in it
	Options json.RawMessage // as PublicKeyCredential.parse…OptionsFromJSON takes it
}

// PasskeyAnswer is what an authenticator answered.
type PasskeyAnswer struct {
	Site       Site
	Address    string // where it comes from
	Request    string // the id of the PasskeyRequest
	Credential []byte // as PublicKeyCredential.toJSON gives it
}

// purpose is what a challenge is drawn for; it is good for nothing else.
type purpose string

const (
	toAdd    purpose = "add"
	toSignIn purpose = "sign in"
	toProve  purpose = "prove"
)

// challenge is an open request for a passkey.
type challenge struct {
	id      string
	purpose purpose
	account holdfast.UserID // "" where whoever answers is signed in
	site    Site
	address string
	expires time.Time
	session webauthn.SessionData
}

// challenges are the open ones, oldest first: in memory alone, since who is asked while the server stops asks again. All live equally long.
type challenges struct {
	mu   sync.Mutex // guards open
	open []challenge
}

// put opens a challenge. Of too many from one address the oldest ends; too many from everywhere are refused.
func (c *challenges) put(one challenge, now time.Time) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.forget(now)
	first, same := -1, 0
	for i := range c.open {
		if c.open[i].address == one.address {
			if same++; first < 0 {
				first = i
			}
		}
	}
	if same >= challengesFrom {
		c.open = slices.Delete(c.open, first, first+1)
	}
	if len(c.open) >= challengesMost {
		return tooMany("requests for passkeys", c.open[0].expires.Sub(now))
	}
	c.open = append(c.open, one)
	return nil
}

// take ends a challenge, whatever becomes of its answer, and gives it if it was for this.
func (c *challenges) take(id string, p purpose, account holdfast.UserID, site Site, now time.Time) (challenge, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.forget(now)
	i := slices.IndexFunc(c.open, func(o challenge) bool { return o.id == id })
	if i < 0 {
		return challenge{}, false
	}
	one := c.open[i]
	c.open = slices.Delete(c.open, i, i+1)
	return one, one.purpose == p && one.account == account && one.site == site
}

func (c *challenges) forget(now time.Time) {
	n := 0
	for n < len(c.open) && !c.open[n].expires.After(now) {
		n++
	}
	c.open = slices.Delete(c.open, 0, n)
}

// passkeyUser is an account as WebAuthn knows it: by its id, which says nothing about the person.
type passkeyUser struct {
	account holdfast.Account
	keys    []holdfast.Passkey
}

func (u passkeyUser) WebAuthnID() []byte          { return []byte(u.account.ID) }
func (u passkeyUser) WebAuthnName() string        { return u.account.Name }
func (u passkeyUser) WebAuthnDisplayName() string { return u.account.Name }
func (u passkeyUser) WebAuthnCredentials() []webauthn.Credential {
	var all []webauthn.Credential
	for _, k := range u.keys {
		id, err := base64.RawURLEncoding.DecodeString(k.ID)
		if err != nil {
			continue // it can't be answered with either
		}
		one := webauthn.Credential{ID: id, PublicKey: k.PublicKey, Flags: webauthn.NewCredentialFlags(protocol.AuthenticatorFlags(k.Flags)), Authenticator: webauthn.Authenticator{SignCount: k.SignCount}}
		for _, t := range k.Transports {
			one.Transport = append(one.Transport, protocol.AuthenticatorTransport(t))
		}
		all = append(all, one)
	}
	return all
}

// request opens a challenge of our own randomness for what begin asks for.
func (p *Passkeys) request(one challenge, begin func(party *webauthn.WebAuthn) (options any, challenge *protocol.URLEncodedBase64, session *webauthn.SessionData, err error)) (PasskeyRequest, error) {
	party, err := one.site.party()
	if err != nil {
		return PasskeyRequest{}, err
	}
	options, drawn, session, err := begin(party)
	if err != nil {
		return PasskeyRequest{}, fmt.Errorf("ask for a passkey: %w", err)
	}
	*drawn = make([]byte, challengeBytes)
	if _, err := io.ReadFull(p.Rand, *drawn); err != nil {
		return PasskeyRequest{}, fmt.Errorf("draw a challenge: %w", err)
	}
	session.Challenge = drawn.String()
	if one.id, err = p.id(); err != nil {
		return PasskeyRequest{}, err
	}
	one.session, one.expires = *session, p.now().Add(challengeLife)
	text, err := json.Marshal(options)
	if err != nil {
		return PasskeyRequest{}, fmt.Errorf("write a request for a passkey: %w", err)
	}
	return PasskeyRequest{ID: one.id, Options: text}, p.challenges.put(one, p.now())
}

// mayOwn says whether the caller may change his own passkeys: in a browser, for only there is somebody who has them.
func (p *Passkeys) mayOwn(u User) error {
	if err := p.may(u, ActOwnFactor); err != nil {
		return err
	}
	if u.Directory {
		return holdfast.Conflict("%s signs in with Microsoft: passkeys are kept there", u.Name)
	}
	if !u.Browser {
		return holdfast.Conflict("passkeys are added and removed in a browser, where their person is")
	}
	return nil
}

func (p *Passkeys) holder(ctx context.Context, tx Tx, id holdfast.UserID) (passkeyUser, error) {
	account, err := tx.Account(ctx, id)
	if err != nil {
		return passkeyUser{}, err
	}
	keys, err := tx.Passkeys(ctx, id)
	return passkeyUser{account, keys}, err
}

// List gives the caller's own, oldest first.
func (p *Passkeys) List(ctx context.Context, u User) ([]holdfast.Passkey, error) {
	return readAs(ctx, p.core, u, ActSeeSelf, func(ctx context.Context, tx Tx) ([]holdfast.Passkey, error) { return tx.Passkeys(ctx, u.ID) })
}

// Begin asks for a new passkey of the caller's.
func (p *Passkeys) Begin(ctx context.Context, u User, site Site) (PasskeyRequest, error) {
	if err := p.mayOwn(u); err != nil {
		return PasskeyRequest{}, err
	}
	user, err := readAs(ctx, p.core, u, ActOwnFactor, func(ctx context.Context, tx Tx) (passkeyUser, error) { return p.holder(ctx, tx, u.ID) })
	if err != nil {
		return PasskeyRequest{}, err
	}
	if len(user.keys) >= passkeysMost {
		return PasskeyRequest{}, holdfast.Conflict("there are %d passkeys: remove one first", passkeysMost)
	}
	return p.request(challenge{purpose: toAdd, account: u.ID, site: site, address: u.Address}, func(party *webauthn.WebAuthn) (any, *protocol.URLEncodedBase64, *webauthn.SessionData, error) {
		creation, session, err := party.BeginRegistration(user, webauthn.WithExclusions(webauthn.Credentials(user.WebAuthnCredentials()).CredentialDescriptors()))
		if err != nil {
			return nil, nil, nil, err
		}
		return &creation.Response, &creation.Response.Challenge, session, nil
	})
}

// Add keeps a new passkey and ends all other logins of the account; keep is the browser session that goes on, by its secret. The first second
// factor of an account comes with recovery codes, each good once with the password, to be shown once.
func (p *Passkeys) Add(ctx context.Context, u User, in PasskeyAnswer, name, keep string) (holdfast.Passkey, []string, error) {
	if err := p.mayOwn(u); err != nil {
		return holdfast.Passkey{}, nil, err
	}
	name, err := passkeyNamed(name)
	if err != nil {
		return holdfast.Passkey{}, nil, err
	}
	asked, ok := p.challenges.take(in.Request, toAdd, u.ID, in.Site, p.now())
	if !ok {
		return holdfast.Passkey{}, nil, holdfast.Conflict(errPasskeyClosed)
	}
	party, err := in.Site.party()
	if err != nil {
		return holdfast.Passkey{}, nil, err
	}
	parsed, err := protocol.ParseCredentialCreationResponseBytes(in.Credential)
	if err != nil {
		return holdfast.Passkey{}, nil, holdfast.Invalid("this is no new passkey: %w", err)
	}
	made, err := party.CreateCredential(passkeyUser{account: holdfast.Account{ID: u.ID}}, asked.session, parsed)
	if err != nil {
		return holdfast.Passkey{}, nil, holdfast.Invalid("the new passkey is refused: %w", err)
	}
	k := holdfast.Passkey{ID: base64.RawURLEncoding.EncodeToString(made.ID), Account: u.ID, Name: name, Host: in.Site.Host, PublicKey: made.PublicKey, SignCount: made.Authenticator.SignCount,
		Flags: byte(made.Flags.ProtocolValue()), Created: p.now()}
	for _, t := range made.Transport {
		k.Transports = append(k.Transports, string(t))
	}
	codes, hashes, err := p.admin.recoveryCodes()
	if err != nil {
		return holdfast.Passkey{}, nil, err
	}
	first := false
	err = p.changeAs(ctx, u, ActOwnFactor, func(ctx context.Context, tx Tx) error {
		user, err := p.holder(ctx, tx, u.ID)
		if err != nil {
			return err
		}
		if len(user.keys) >= passkeysMost {
			return holdfast.Conflict("there are %d passkeys: remove one first", passkeysMost)
		}
		if _, err := tx.Passkey(ctx, k.ID); err == nil {
			return holdfast.Conflict("this passkey is in use already")
		} else if !missing(err) {
			return err
		}
		if err := p.audit(ctx, tx, u, "passkey.add", "account/"+string(u.ID), k.Name); err != nil {
			return err
		}
		if first = !user.account.SecondFactor(); first {
			if err := tx.PutRecoveryCodes(ctx, u.ID, hashes); err != nil {
				return err
			}
		}
		user.account.Passkeys = len(user.keys) + 1
		return firstError(
			func() error { return tx.PutPasskey(ctx, k) },
			func() error { return p.admin.endLoginsBut(ctx, tx, u.ID, keep) },
			func() error { return tx.PutAccount(ctx, user.account) },
		)
	})
	if err != nil {
		return holdfast.Passkey{}, nil, err
	}
	if !first {
		codes = nil
	}
	return k, codes, nil
}

func passkeyNamed(name string) (string, error) {
	if name = strings.TrimSpace(name); name == "" {
		return passkeyUnnamed, nil
	}
	if len(name) > passkeyName {
		return "", holdfast.Invalid("a passkey's name may have %d bytes", passkeyName)
	}
	return name, nil
}

// own gives a passkey of the caller's; any other is not there.
func (p *Passkeys) own(ctx context.Context, tx Tx, u User, id string) (holdfast.Passkey, error) {
	k, err := tx.Passkey(ctx, id)
	if missing(err) || err == nil && k.Account != u.ID {
		return holdfast.Passkey{}, holdfast.NotFound("%s has no such passkey", u.Name)
	}
	return k, err
}

// Rename gives one of the caller's passkeys another name.
func (p *Passkeys) Rename(ctx context.Context, u User, id, name string) (holdfast.Passkey, error) {
	if err := p.mayOwn(u); err != nil {
		return holdfast.Passkey{}, err
	}
	name, err := passkeyNamed(name)
	if err != nil {
		return holdfast.Passkey{}, err
	}
	return writeAs(ctx, p.core, u, ActOwnFactor, func(ctx context.Context, tx Tx) (holdfast.Passkey, error) {
		k, err := p.own(ctx, tx, u, id)
		if err != nil {
			return k, err
		}
		if err := p.audit(ctx, tx, u, "passkey.rename", "account/"+string(u.ID), k.Name+" to "+name); err != nil {
			return k, err
		}
		k.Name = name
		return k, tx.PutPasskey(ctx, k)
	})
}

// Remove takes one of the caller's passkeys away and ends all other logins of the account, as Add does. With the last second factor its
// recovery codes go too.
func (p *Passkeys) Remove(ctx context.Context, u User, id, keep string) error {
	return p.changeAs(ctx, u, ActOwnFactor, func(ctx context.Context, tx Tx) error {
		k, err := p.own(ctx, tx, u, id)
		if err != nil {
			return err
		}
		if err := p.mayOwn(u); err != nil {
			return err
		}
		user, err := p.holder(ctx, tx, u.ID)
		if err != nil {
			return err
		}
		if err := p.audit(ctx, tx, u, "passkey.remove", "account/"+string(u.ID), k.Name); err != nil {
			return err
		}
		user.account.Passkeys = len(user.keys) - 1
		if !user.account.SecondFactor() {
			if err := tx.PutRecoveryCodes(ctx, u.ID, nil); err != nil {
				return err
			}
		}
		return firstError(
			func() error { return tx.DeletePasskey(ctx, id) },
			func() error { return p.admin.endLoginsBut(ctx, tx, u.ID, keep) },
			func() error { return tx.PutAccount(ctx, user.account) },
		)
	})
}

// BeginSignIn asks whoever is there for a passkey of this site.
func (p *Passkeys) BeginSignIn(address string, site Site) (PasskeyRequest, error) {
	return p.request(challenge{purpose: toSignIn, site: site, address: address}, func(party *webauthn.WebAuthn) (any, *protocol.URLEncodedBase64, *webauthn.SessionData, error) {
		assertion, session, err := party.BeginDiscoverableLogin(webauthn.WithUserVerification(protocol.VerificationRequired))
		if err != nil {
			return nil, nil, nil, err
		}
		return &assertion.Response, &assertion.Response.Challenge, session, nil
	})
}

// BeginProof asks the caller for one of his passkeys.
func (p *Passkeys) BeginProof(ctx context.Context, u User, site Site) (PasskeyRequest, error) {
	if err := p.may(u, ActProve); err != nil {
		return PasskeyRequest{}, err
	}
	user, err := readAs(ctx, p.core, u, ActProve, func(ctx context.Context, tx Tx) (passkeyUser, error) { return p.holder(ctx, tx, u.ID) })
	if err != nil {
		return PasskeyRequest{}, err
	}
	if len(user.keys) == 0 {
		return PasskeyRequest{}, holdfast.Conflict("%s has no passkey", u.Name)
	}
	return p.request(challenge{purpose: toProve, account: u.ID, site: site, address: u.Address}, func(party *webauthn.WebAuthn) (any, *protocol.URLEncodedBase64, *webauthn.SessionData, error) {
		assertion, session, err := party.BeginLogin(user, webauthn.WithUserVerification(protocol.VerificationRequired))
		if err != nil {
			return nil, nil, nil, err
		}
		return &assertion.Response, &assertion.Response.Challenge, session, nil
	})
}

// Errors of passkeys that prove nobody.
func errPasskey() error {
	return holdfast.Unauthenticated("this passkey is not known here or was refused")
}

// errCopied is of a passkey whose counter went back, which an authenticator's own never does.
func errCopied(name string) error {
	return holdfast.Unauthenticated("the passkey %q was used elsewhere meanwhile: it may have been copied. Sign in another way and remove it", name)
}

// prove finds out whose passkey answered, and notes its use. account is who must have answered; "" is anybody. What is wrong is
// KindUnauthenticated, in the audit chain, and counted against the address that it came from.
func (p *Passkeys) prove(ctx context.Context, in PasskeyAnswer, why purpose, account holdfast.UserID) (holdfast.UserID, error) {
	from := []attemptKey{addressKey(in.Address)}
	if wait := p.admin.limiter.wait(from, p.now()); wait > 0 {
		return "", tooMany("refused passkeys", wait)
	}
	asked, ok := p.challenges.take(in.Request, why, account, in.Site, p.now())
	if !ok {
		return "", holdfast.Unauthenticated(errPasskeyClosed)
	}
	party, err := in.Site.party()
	if err != nil {
		return "", err
	}
	var whose holdfast.UserID
	refused := errPasskey()
	if parsed, err := protocol.ParseCredentialRequestResponseBytes(in.Credential); err == nil {
		if err := p.Store.Write(ctx, func(ctx context.Context, tx Tx) error {
			whose, refused, err = p.use(ctx, tx, party, asked, parsed, in.Address)
			return err
		}); err != nil {
			return "", err
		}
	}
	if refused != nil {
		p.admin.limiter.failed(from, p.now())
		return "", joinAudit(p.auditNow(ctx, User{Address: in.Address}, "login.refused", "account/"+string(whose), "passkey"), refused)
	}
	return whose, nil
}

// use checks an answer in tx and counts it. A refusal may name the account all the same.
func (p *Passkeys) use(ctx context.Context, tx Tx, party *webauthn.WebAuthn, asked challenge, parsed *protocol.ParsedCredentialAssertionData, address string) (whose holdfast.UserID, refused, err error) {
	k, err := tx.Passkey(ctx, base64.RawURLEncoding.EncodeToString(parsed.RawID))
	if missing(err) {
		return "", errPasskey(), nil
	} else if err != nil {
		return "", nil, err
	}
	if asked.account != "" && asked.account != k.Account {
		return k.Account, errPasskey(), nil
	}
	user, err := p.holder(ctx, tx, k.Account)
	if err != nil {
		return k.Account, nil, err
	}
	if user.account.Disabled {
		return k.Account, errPasskey(), nil
	}
	var used *webauthn.Credential
	if asked.account != "" {
		used, err = party.ValidateLogin(user, asked.session, parsed)
	} else {
		_, used, err = party.ValidatePasskeyLogin(func(_, handle []byte) (webauthn.User, error) {
			if !bytes.Equal(handle, user.WebAuthnID()) {
				return nil, errPasskey()
			}
			return user, nil
		}, asked.session, parsed)
	}
	if err != nil {
		return k.Account, errPasskey(), nil // what is wrong with it helps nobody but who forged it
	}
	caller := User{ID: k.Account, Name: user.account.Name, Address: address}
	if used.Authenticator.CloneWarning {
		return k.Account, errCopied(k.Name), p.audit(ctx, tx, caller, "passkey.copied", "account/"+string(k.Account), holdfast.SayPasskeyCopied.With(k.Name, k.SignCount, parsed.Response.AuthenticatorData.Counter))
	}
	if err := p.audit(ctx, tx, caller, "passkey.use", "account/"+string(k.Account), k.Name); err != nil {
		return k.Account, nil, err
	}
	k.SignCount, k.Flags, k.LastUsed = used.Authenticator.SignCount, byte(used.Flags.ProtocolValue()), p.now()
	return k.Account, nil, tx.PutPasskey(ctx, k)
}
