package service

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"golang.org/x/crypto/argon2"

	"holdfast/internal/holdfast"
)

// Lifetimes of tokens.
const (
	AccessLife  = time.Hour
	refreshLife = 7 * 24 * time.Hour
	codeLife    = 2 * time.Minute
)

// Costs of argon2id, from OWASP's ASVS 5.0 appendix C. They are part of each stored hash, so they can grow.
const (
	argonMemory  = 46 << 10 // KiB
	argonTime    = 1
	argonThreads = 1
	// argonAtOnce bounds the memory that logins can take.
	argonAtOnce = 2
)

// Admin logs people in and keeps tokens.
type Admin struct {
	*core
	hashing chan struct{}
	limiter limiter
}

func newAdmin(c *core) *Admin { return &Admin{core: c, hashing: make(chan struct{}, argonAtOnce)} }

// Tokens is what a login gives.
type Tokens struct {
	User            User
	Access, Refresh string
	Issued, Expires time.Time // of Access
}

// errLogin says no more than it must.
func errLogin() error { return holdfast.Unauthenticated("the user name or the password is wrong") }

// Login checks a password. Wrong ones are KindUnauthenticated; too many of them KindUnavailable with RetryAfter.
func (a *Admin) Login(ctx context.Context, address, name, password string) (Tokens, error) {
	name = strings.TrimSpace(name)
	if i := strings.LastIndexByte(name, '\\'); i >= 0 { // MACHINE\admin is how some clients write it
		name = name[i+1:]
	}
	key := strings.ToLower(name) + "\x00" + address
	if wait := a.limiter.wait(key, a.now()); wait > 0 {
		return Tokens{}, &holdfast.Error{Kind: holdfast.KindUnavailable, Message: fmt.Sprintf("too many wrong passwords: try again in %v", wait.Round(time.Second)), RetryAfter: wait}
	}
	account, err := read(ctx, a.core, func(ctx context.Context, tx Tx) (holdfast.Account, error) { return tx.AccountByName(ctx, name) })
	if err != nil && !missing(err) {
		return Tokens{}, err
	}
	known := err == nil && !account.Disabled
	if !known {
		account.PasswordHash = nobody // as much work for a name that is not there
	}
	ok, err := a.verify(ctx, account.PasswordHash, password)
	if err != nil {
		return Tokens{}, err
	}
	if !ok || !known {
		a.limiter.failed(key, a.now())
		return Tokens{}, joinAudit(a.auditNow(ctx, User{Name: name, Address: address}, "login.refused", "account/"+name, ""), errLogin())
	}
	a.limiter.passed(key)
	return a.login(ctx, address, account)
}

// joinAudit gives err, unless even the audit chain could not be written.
func joinAudit(audit, err error) error {
	if audit != nil {
		return audit
	}
	return err
}

func (a *Admin) login(ctx context.Context, address string, account holdfast.Account) (Tokens, error) {
	family, err := a.id()
	if err != nil {
		return Tokens{}, err
	}
	u := User{ID: account.ID, Name: account.Name, Role: RoleOwner, Address: address}
	return write(ctx, a.core, func(ctx context.Context, tx Tx) (Tokens, error) {
		if err := a.audit(ctx, tx, u, "login", "account/"+string(account.ID), ""); err != nil {
			return Tokens{}, err
		}
		return a.pair(ctx, tx, u, family)
	})
}

// pair issues an access and a refresh token.
func (a *Admin) pair(ctx context.Context, tx Tx, u User, family string) (Tokens, error) {
	now := a.now()
	t := Tokens{User: u, Issued: now, Expires: now.Add(AccessLife)}
	for _, one := range []struct {
		to   *string
		kind holdfast.TokenKind
		life time.Duration
	}{{&t.Access, holdfast.TokenAccess, AccessLife}, {&t.Refresh, holdfast.TokenRefresh, refreshLife}} {
		text, err := a.token()
		if err != nil {
			return t, err
		}
		*one.to = text
		if err := tx.PutToken(ctx, holdfast.Token{Hash: tokenHash(text), Kind: one.kind, Family: family, Account: u.ID, Issued: now, Expires: now.Add(one.life)}); err != nil {
			return t, err
		}
	}
	return t, nil
}

// Refresh gives a new pair for a refresh token, which is spent by it. A token that was spent before is a sign of theft:
// everything that descends from the same login ends.
func (a *Admin) Refresh(ctx context.Context, address, refresh string) (Tokens, error) {
	return a.spend(ctx, address, refresh, holdfast.TokenRefresh)
}

// Code gives a one-time code that hands the caller's login over, for example to another page.
func (a *Admin) Code(ctx context.Context, u User) (string, error) {
	if err := a.may(u, ActHandOver); err != nil {
		return "", err
	}
	text, err := a.token()
	if err != nil {
		return "", err
	}
	family, err := a.id()
	if err != nil {
		return "", err
	}
	now := a.now()
	return text, a.changeAs(ctx, u, ActHandOver, func(ctx context.Context, tx Tx) error {
		if err := a.audit(ctx, tx, u, "login.code", "account/"+string(u.ID), ""); err != nil {
			return err
		}
		return tx.PutToken(ctx, holdfast.Token{Hash: tokenHash(text), Kind: holdfast.TokenCode, Family: family, Account: u.ID, Issued: now, Expires: now.Add(codeLife)})
	})
}

// LoginByCode spends a one-time code.
func (a *Admin) LoginByCode(ctx context.Context, address, code string) (Tokens, error) {
	return a.spend(ctx, address, code, holdfast.TokenCode)
}

func (a *Admin) spend(ctx context.Context, address, text string, kind holdfast.TokenKind) (Tokens, error) {
	expired := holdfast.Unauthenticated("the %s token is not known or has expired: sign in again", kind)
	stolen := false
	t, err := write(ctx, a.core, func(ctx context.Context, tx Tx) (Tokens, error) {
		stolen = false
		t, err := tx.Token(ctx, tokenHash(text))
		if missing(err) || err == nil && (t.Kind != kind || !t.Expires.After(a.now())) {
			return Tokens{}, expired
		} else if err != nil {
			return Tokens{}, err
		}
		account, err := tx.Account(ctx, t.Account)
		if missing(err) || err == nil && account.Disabled {
			return Tokens{}, expired
		} else if err != nil {
			return Tokens{}, err
		}
		u := User{ID: account.ID, Name: account.Name, Role: RoleOwner, Address: address}
		if !t.Used.IsZero() {
			stolen = true
			if err := a.audit(ctx, tx, u, "login.reuse", "account/"+string(account.ID), fmt.Sprintf("a spent %s token was used again; its login ends", kind)); err != nil {
				return Tokens{}, err
			}
			return Tokens{}, tx.DeleteTokens(ctx, t.Family)
		}
		t.Used = a.now()
		if err := tx.PutToken(ctx, t); err != nil {
			return Tokens{}, err
		}
		if err := a.audit(ctx, tx, u, "login."+string(kind), "account/"+string(account.ID), ""); err != nil {
			return Tokens{}, err
		}
		return a.pair(ctx, tx, u, t.Family)
	})
	if err == nil && stolen {
		return Tokens{}, expired
	}
	return t, err
}

// Authenticate says whose access token it is; all others are KindUnauthenticated.
func (a *Admin) Authenticate(ctx context.Context, address, access string) (User, error) {
	return read(ctx, a.core, func(ctx context.Context, tx Tx) (User, error) {
		t, err := tx.Token(ctx, tokenHash(access))
		if missing(err) || err == nil && (t.Kind != holdfast.TokenAccess || !t.Expires.After(a.now())) {
			return User{}, holdfast.Unauthenticated("the access token is not known or has expired: sign in again")
		} else if err != nil {
			return User{}, err
		}
		account, err := tx.Account(ctx, t.Account)
		if missing(err) || err == nil && account.Disabled {
			return User{}, holdfast.Unauthenticated("the account of this access token is gone")
		} else if err != nil {
			return User{}, err
		}
		return User{ID: account.ID, Name: account.Name, Role: RoleOwner, Address: address}, nil
	})
}

// Logout ends the login that an access token belongs to, with all its tokens.
func (a *Admin) Logout(ctx context.Context, u User, access string) error {
	return a.Store.Write(ctx, func(ctx context.Context, tx Tx) error {
		t, err := tx.Token(ctx, tokenHash(access))
		if missing(err) {
			return nil
		} else if err != nil {
			return err
		}
		if err := a.audit(ctx, tx, u, "logout", "account/"+string(t.Account), ""); err != nil {
			return err
		}
		return tx.DeleteTokens(ctx, t.Family)
	})
}

// SetPassword changes the caller's own password and ends all his logins.
func (a *Admin) SetPassword(ctx context.Context, u User, old, new string) error {
	if err := a.may(u, ActOwnAccount); err != nil {
		return err
	}
	if err := checkPassword(new); err != nil {
		return err
	}
	account, err := read(ctx, a.core, func(ctx context.Context, tx Tx) (holdfast.Account, error) { return tx.Account(ctx, u.ID) })
	if err != nil {
		return err
	}
	if ok, err := a.verify(ctx, account.PasswordHash, old); err != nil {
		return err
	} else if !ok {
		return holdfast.Denied("the old password is wrong")
	}
	hash, err := a.hash(ctx, new)
	if err != nil {
		return err
	}
	return a.Store.Write(ctx, func(ctx context.Context, tx Tx) error {
		account, err := tx.Account(ctx, u.ID)
		if err != nil {
			return err
		}
		if err := a.audit(ctx, tx, u, "account.password", "account/"+string(u.ID), ""); err != nil {
			return err
		}
		account.PasswordHash = hash
		if err := tx.DeleteTokensOf(ctx, u.ID); err != nil {
			return err
		}
		return tx.PutAccount(ctx, account)
	})
}

// AdminName is the account that the first start makes.
const AdminName = "admin"

// ensure makes the first account when there is none. Without a given password it draws one and gives it back, to be shown once.
func (a *Admin) ensure(ctx context.Context, password holdfast.Secret) (generated holdfast.Secret, err error) {
	_, err = read(ctx, a.core, func(ctx context.Context, tx Tx) (holdfast.Account, error) { return tx.AccountByName(ctx, AdminName) })
	if !missing(err) {
		return "", err
	}
	if password == "" {
		text, err := a.token()
		if err != nil {
			return "", err
		}
		password = holdfast.Secret(text[:24])
		generated = password
	}
	if err := checkPassword(string(password)); err != nil {
		return "", err
	}
	hash, err := a.hash(ctx, string(password))
	if err != nil {
		return "", err
	}
	id, err := a.id()
	if err != nil {
		return "", err
	}
	return generated, a.Store.Write(ctx, func(ctx context.Context, tx Tx) error {
		if err := a.audit(ctx, tx, systemUser, "account.create", "account/"+id, AdminName); err != nil {
			return err
		}
		return tx.PutAccount(ctx, holdfast.Account{ID: holdfast.UserID(id), Name: AdminName, PasswordHash: hash, Created: a.now()})
	})
}

func checkPassword(p string) error {
	if len(p) < 8 {
		return holdfast.Invalid("the password has %d characters; at least 8 are needed, 15 advised", len(p))
	}
	return nil
}

// token draws 256 bits.
func (a *Admin) token() (string, error) {
	var b [32]byte
	if _, err := io.ReadFull(a.Rand, b[:]); err != nil {
		return "", fmt.Errorf("draw a token: %w", err)
	}
	return base64.RawURLEncoding.EncodeToString(b[:]), nil
}

// tokenHash needs no salt and no cost: what it hashes has 256 random bits.
func tokenHash(text string) string {
	h := sha256.Sum256([]byte(text))
	return hex.EncodeToString(h[:])
}

// nobody is the hash of a password that nobody has, at the present costs.
var nobody = fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", argon2.Version, argonMemory, argonTime, argonThreads)

// hash gives the PHC string of a password.
func (a *Admin) hash(ctx context.Context, password string) (string, error) {
	var salt [16]byte
	if _, err := io.ReadFull(a.Rand, salt[:]); err != nil {
		return "", fmt.Errorf("draw a salt: %w", err)
	}
	if err := a.seat(ctx); err != nil {
		return "", err
	}
	defer func() { <-a.hashing }()
	key := argon2.IDKey([]byte(password), salt[:], argonTime, argonMemory, argonThreads, 32)
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, argonMemory, argonTime, argonThreads,
		base64.RawStdEncoding.EncodeToString(salt[:]), base64.RawStdEncoding.EncodeToString(key)), nil
}

func (a *Admin) verify(ctx context.Context, phc, password string) (bool, error) {
	var version, memory, passes, threads int
	parts := strings.Split(phc, "$")
	if len(parts) != 6 || parts[1] != "argon2id" {
		return false, fmt.Errorf("password hash of an unknown kind")
	}
	if _, err := fmt.Sscanf(parts[2]+" "+parts[3], "v=%d m=%d,t=%d,p=%d", &version, &memory, &passes, &threads); err != nil || version != argon2.Version ||
		memory < 8 || memory > 1<<20 || passes < 1 || passes > 100 || threads < 1 || threads > 64 {
		return false, fmt.Errorf("password hash with unknown costs")
	}
	salt, err := base64.RawStdEncoding.DecodeString(parts[4])
	if err != nil {
		return false, fmt.Errorf("decode the salt: %w", err)
	}
	want, err := base64.RawStdEncoding.DecodeString(parts[5])
	if err != nil || len(want) < 16 {
		return false, fmt.Errorf("password hash is damaged")
	}
	if err := a.seat(ctx); err != nil {
		return false, err
	}
	defer func() { <-a.hashing }()
	got := argon2.IDKey([]byte(password), salt, uint32(passes), uint32(memory), uint8(threads), uint32(len(want)))
	return subtle.ConstantTimeCompare(got, want) == 1, nil
}

func (a *Admin) seat(ctx context.Context) error {
	select {
	case a.hashing <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// limiter slows down guessing: after some wrong passwords for one account from one address, each further one costs a doubling wait.
// The zero value works.
type limiter struct {
	mu  sync.Mutex // guards all
	all map[string]attempts
}

type attempts struct {
	failed int
	until  time.Time
	last   time.Time
}

const (
	freeAttempts   = 5
	attemptsMemory = 15 * time.Minute
	limiterSize    = 10000
)

func (l *limiter) wait(key string, now time.Time) time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	return max(0, l.all[key].until.Sub(now))
}

func (l *limiter) failed(key string, now time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.all == nil {
		l.all = map[string]attempts{}
	}
	if len(l.all) >= limiterSize {
		for k, at := range l.all {
			if now.Sub(at.last) > attemptsMemory {
				delete(l.all, k)
			}
		}
		for k := range l.all { // still full: a flood of names; forget any
			if len(l.all) < limiterSize {
				break
			}
			delete(l.all, k)
		}
	}
	at := l.all[key]
	if now.Sub(at.last) > attemptsMemory {
		at = attempts{}
	}
	at.failed++
	at.last = now
	if over := at.failed - freeAttempts; over >= 0 {
		at.until = now.Add(min(time.Second<<min(over, 20), attemptsMemory))
	}
	l.all[key] = at
}

func (l *limiter) passed(key string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.all, key)
}
