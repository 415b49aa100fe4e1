package service

import (
	"context"
	"time"

	"holdfast/internal/holdfast"
)

// BrowserSessions are logins of browsers: a secret in a cookie, of which only the hash is kept. One ends when it is idle, when it is
// old whatever was done, and when the account's password, second factor or role changes.
type BrowserSessions struct {
	*core
	admin    *Admin
	sessions *RestoreSessions
	passkeys *Passkeys
}

// How long browser sessions live, and how long a proof counts for acts that ask again, unless Deps says otherwise.
const (
	browserIdle  = 15 * time.Minute
	browserLife  = 8 * time.Hour
	browserProof = 10 * time.Minute
)

// Browser is a session as its browser sees it.
type Browser struct {
	User    User
	Secret  string // only when it has just been opened
	Expires time.Time
	Idle    time.Duration
	// Setup says that the first run is not through: there is no organization, no repository or no job yet.
	Setup bool
}

// Open signs in. before is the cookie's secret that came along: that session ends, so that no cookie planted before survives.
func (b *BrowserSessions) Open(ctx context.Context, in SignIn, before string) (Browser, error) {
	account, err := b.admin.prove(ctx, in)
	if err != nil {
		return Browser{}, err
	}
	return b.open(ctx, account.ID, in.Address, before)
}

// DirectoryIdentity is a user whom an organization's own sign-in has vouched for.
type DirectoryIdentity struct {
	Organization holdfast.OrganizationID
	ObjectID     string // Entra object id
	Name         string // user principal name
	DisplayName  string
}

// OpenDirectory opens a session for a user of an organization's directory. The caller has checked the directory's token. He sees his
// own mailbox and drive, and what restore roles that list him grant.
func (b *BrowserSessions) OpenDirectory(ctx context.Context, who DirectoryIdentity, address, before string) (Browser, error) {
	id, err := b.admin.directoryAccount(ctx, who)
	if err != nil {
		return Browser{}, err
	}
	return b.open(ctx, id, address, before)
}

// LoginDirectory is OpenDirectory for programs: it gives tokens.
func (a *Admin) LoginDirectory(ctx context.Context, who DirectoryIdentity, address string) (Tokens, error) {
	id, err := a.directoryAccount(ctx, who)
	if err != nil {
		return Tokens{}, err
	}
	family, err := a.id()
	if err != nil {
		return Tokens{}, err
	}
	return write(ctx, a.core, func(ctx context.Context, tx Tx) (Tokens, error) {
		u, err := a.signedIn(ctx, tx, id, address, "login")
		if err != nil {
			return Tokens{}, err
		}
		return a.pair(ctx, tx, u, family)
	})
}

// directoryAccount makes or renews the account of a directory user.
func (a *Admin) directoryAccount(ctx context.Context, who DirectoryIdentity) (holdfast.UserID, error) {
	if who.ObjectID == "" || who.Organization == "" {
		return "", holdfast.Invalid("a directory user needs his organization and object id")
	}
	id := holdfast.UserID(holdfast.DerivedID(string(who.Organization), "account/"+who.ObjectID))
	a.refreshGroups(ctx, who.Organization, groupsStale)
	return id, a.Store.Write(ctx, func(ctx context.Context, tx Tx) error {
		if _, err := tx.Organization(ctx, who.Organization); err != nil {
			return err
		}
		account, err := tx.Account(ctx, id)
		if missing(err) {
			account = holdfast.Account{ID: id, Organization: who.Organization, ObjectID: who.ObjectID, Role: string(RoleEndUser), Created: a.now()}
		} else if err != nil {
			return err
		}
		account.Name, account.DisplayName = who.Name, who.DisplayName
		return tx.PutAccount(ctx, account)
	})
}

func (b *BrowserSessions) open(ctx context.Context, id holdfast.UserID, address, before string) (Browser, error) {
	secret, err := b.admin.token()
	if err != nil {
		return Browser{}, err
	}
	now := b.now()
	out := Browser{Secret: secret, Expires: now.Add(b.BrowserLife), Idle: b.BrowserIdle}
	err = b.Store.Write(ctx, func(ctx context.Context, tx Tx) error {
		u, err := b.admin.signedIn(ctx, tx, id, address, "session.open")
		if err != nil {
			return err
		}
		u.Browser = true
		out.User = u
		if before != "" {
			if err := tx.DeleteBrowserSession(ctx, tokenHash(before)); err != nil {
				return err
			}
		}
		if out.Setup, err = setup(ctx, tx, u); err != nil {
			return err
		}
		return tx.PutBrowserSession(ctx, holdfast.BrowserSession{Hash: tokenHash(secret), Account: id, Address: address, Created: now, LastUsed: now, Expires: out.Expires, Proved: now})
	})
	return out, err
}

// setup says whether the caller should finish the first run.
func setup(ctx context.Context, tx Tx, u User) (bool, error) {
	if u.Role != RoleOwner {
		return false, nil
	}
	one := holdfast.Page{Limit: 1}
	orgs, err := tx.Organizations(ctx, one)
	if err != nil {
		return false, err
	}
	repos, err := tx.Repositories(ctx, one)
	if err != nil {
		return false, err
	}
	jobs, err := tx.Jobs(ctx, holdfast.JobFilter{}, one)
	return len(orgs) == 0 || len(repos) == 0 || len(jobs) == 0, err
}

// Authenticate says whose session a cookie's secret is, and notes that it is in use. All others are KindUnauthenticated.
func (b *BrowserSessions) Authenticate(ctx context.Context, address, secret string) (User, error) {
	s, u, err := b.find(ctx, address, secret)
	if err != nil {
		return User{}, err
	}
	if now := b.now(); now.Sub(s.LastUsed) > b.BrowserIdle/15 {
		err = b.Store.Write(ctx, func(ctx context.Context, tx Tx) error {
			s, err := tx.BrowserSession(ctx, s.Hash) // it may have ended meanwhile
			if missing(err) {
				return errNoSession()
			} else if err != nil {
				return err
			}
			s.LastUsed = now
			return tx.PutBrowserSession(ctx, s)
		})
	}
	return u, err
}

// Get gives the session of a secret.
func (b *BrowserSessions) Get(ctx context.Context, address, secret string) (Browser, error) {
	s, u, err := b.find(ctx, address, secret)
	if err != nil {
		return Browser{}, err
	}
	out := Browser{User: u, Expires: s.Expires, Idle: b.BrowserIdle}
	out.Setup, err = read(ctx, b.core, func(ctx context.Context, tx Tx) (bool, error) { return setup(ctx, tx, u) })
	return out, err
}

func errNoSession() error { return holdfast.Unauthenticated("the session has ended: sign in again") }

func (b *BrowserSessions) find(ctx context.Context, address, secret string) (holdfast.BrowserSession, User, error) {
	var u User
	s, err := read(ctx, b.core, func(ctx context.Context, tx Tx) (holdfast.BrowserSession, error) {
		s, err := tx.BrowserSession(ctx, tokenHash(secret))
		now := b.now()
		if missing(err) || err == nil && (!now.Before(s.Expires) || now.Sub(s.LastUsed) >= b.BrowserIdle) {
			return s, errNoSession()
		} else if err != nil {
			return s, err
		}
		account, err := tx.Account(ctx, s.Account)
		if missing(err) || err == nil && account.Disabled {
			return s, errNoSession()
		} else if err != nil {
			return s, err
		}
		u, err = b.userOf(ctx, tx, account, address)
		u.Browser, u.Stale = true, now.Sub(s.Proved) >= b.BrowserProof
		return s, err
	})
	return s, u, err
}

// OpenByPasskey signs in by a passkey alone. before is as of Open.
func (b *BrowserSessions) OpenByPasskey(ctx context.Context, in PasskeyAnswer, before string) (Browser, error) {
	id, err := b.passkeys.prove(ctx, in, toSignIn, "")
	if err != nil {
		return Browser{}, err
	}
	return b.open(ctx, id, in.Address, before)
}

// ProveByPasskey is Prove by a passkey of the person whose session this is.
func (b *BrowserSessions) ProveByPasskey(ctx context.Context, u User, secret string, in PasskeyAnswer) error {
	if err := b.may(u, ActProve); err != nil {
		return err
	}
	id, err := b.passkeys.prove(ctx, in, toProve, u.ID)
	if err != nil {
		return err
	}
	return b.proved(ctx, u, secret, id, "passkey")
}

// Prove takes the password, and the second factor's code, of the person whose session this is, so that acts that ask again go on for a
// while. What is wrong is KindUnauthenticated as at a sign-in; the session stays.
func (b *BrowserSessions) Prove(ctx context.Context, u User, secret, password, code string) error {
	if err := b.may(u, ActProve); err != nil {
		return err
	}
	if u.Directory {
		return holdfast.Conflict("%s signs in with Microsoft and has no password here: sign in there again", u.Name)
	}
	account, err := b.admin.prove(ctx, SignIn{Address: u.Address, Name: u.Name, Password: password, Code: code})
	if err != nil {
		return err
	}
	return b.proved(ctx, u, secret, account.ID, "")
}

// proved notes that the person of a session, who is the account's, has proved who he is.
func (b *BrowserSessions) proved(ctx context.Context, u User, secret string, account holdfast.UserID, how string) error {
	return b.changeAs(ctx, u, ActProve, func(ctx context.Context, tx Tx) error {
		s, err := tx.BrowserSession(ctx, tokenHash(secret))
		if missing(err) || err == nil && s.Account != account {
			return errNoSession()
		} else if err != nil {
			return err
		}
		if err := b.audit(ctx, tx, u, "session.prove", "account/"+string(s.Account), how); err != nil {
			return err
		}
		s.Proved = b.now()
		return tx.PutBrowserSession(ctx, s)
	})
}

// Close ends a session, and the explorers that its account has open; restores that run go on. One that is not there is no error.
func (b *BrowserSessions) Close(ctx context.Context, u User, secret string) error {
	var ended []holdfast.RestoreSessionID
	err := b.changeAs(ctx, u, ActEndOwnLogin, func(ctx context.Context, tx Tx) error {
		s, err := tx.BrowserSession(ctx, tokenHash(secret))
		if missing(err) {
			return nil
		} else if err != nil {
			return err
		}
		if err := b.audit(ctx, tx, u, "session.end", "account/"+string(s.Account), ""); err != nil {
			return err
		}
		if err := tx.DeleteBrowserSession(ctx, s.Hash); err != nil {
			return err
		}
		ended, err = b.sessions.endExploring(ctx, tx, s.Account)
		return err
	})
	for _, id := range ended {
		b.sessions.views.drop(id)
	}
	return err
}
