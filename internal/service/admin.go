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
	"unicode/utf8"

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

// What is longer is no name and no password of anybody's.
const (
	maxName     = 256
	maxPassword = 1024
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

// SignIn is what somebody shows to sign in.
type SignIn struct {
	Address  string // where he comes from
	Name     string
	Password string
	Code     string // of the second factor, or a recovery code; where the account has none it is not looked at
}

// errLogin says no more than it must.
func errLogin() error { return holdfast.Unauthenticated("the user name or the password is wrong") }

// ErrSecondFactor says that the password was right and a code is missing.
var ErrSecondFactor = holdfast.Unauthenticated("this account has a second factor: give its code too. Programs use an API key instead (holdfast api-key add, or POST /holdfast/v1/api-keys)")

// ErrPasskey says that the password was right and that the account's second factor is a passkey.
var ErrPasskey = holdfast.Unauthenticated("this account has a passkey: sign in with it in a browser, or give a recovery code too. Programs use an API key instead (holdfast api-key add, or POST /holdfast/v1/api-keys)")

// ErrSecondFactorWrong says that the password was right and the code was not.
var ErrSecondFactorWrong = holdfast.Unauthenticated("the code is wrong, or it was used before: wait for the next one")

// Login checks a password, and a second factor where there is one. What is wrong is KindUnauthenticated, with ErrSecondFactor or
// ErrPasskey or ErrSecondFactorWrong where only the code is; too many attempts are KindUnavailable with RetryAfter.
func (a *Admin) Login(ctx context.Context, in SignIn) (Tokens, error) {
	account, err := a.prove(ctx, in)
	if err != nil {
		return Tokens{}, err
	}
	family, err := a.id()
	if err != nil {
		return Tokens{}, err
	}
	return write(ctx, a.core, func(ctx context.Context, tx Tx) (Tokens, error) {
		u, err := a.signedIn(ctx, tx, account.ID, in.Address, "login")
		if err != nil {
			return Tokens{}, err
		}
		return a.pair(ctx, tx, u, family)
	})
}

// prove finds out whose name and password, and code, these are.
func (a *Admin) prove(ctx context.Context, in SignIn) (holdfast.Account, error) {
	name := strings.TrimSpace(in.Name)
	if i := strings.LastIndexByte(name, '\\'); i >= 0 { // MACHINE\admin is how some clients write it
		name = name[i+1:]
	}
	if len(in.Password) > maxPassword || len(name) > maxName {
		return holdfast.Account{}, errLogin()
	}
	keys := attemptKeys(strings.ToLower(name), in.Address)
	if wait := a.limiter.wait(keys, a.now()); wait > 0 {
		return holdfast.Account{}, tooMany("wrong passwords", wait)
	}
	account, err := read(ctx, a.core, func(ctx context.Context, tx Tx) (holdfast.Account, error) { return tx.AccountByName(ctx, name) })
	if err != nil && !missing(err) {
		return holdfast.Account{}, err
	}
	known := err == nil && !account.Disabled && account.PasswordHash != ""
	if !known {
		account.PasswordHash = nobody // as much work for a name that is not there
	}
	ok, err := a.verify(ctx, account.PasswordHash, in.Password)
	if err != nil {
		return holdfast.Account{}, err
	}
	if !ok || !known {
		a.limiter.failed(keys, a.now())
		return holdfast.Account{}, joinAudit(a.auditNow(ctx, User{Name: name, Address: in.Address}, "login.refused", "account/"+name, ""), errLogin())
	}
	if account.SecondFactor() {
		if err := a.proveFactor(ctx, account, in); err != nil {
			return holdfast.Account{}, err
		}
	}
	a.limiter.passed(keys)
	return account, nil
}

func tooMany(what string, wait time.Duration) error {
	return &holdfast.Error{Kind: holdfast.KindUnavailable, Message: fmt.Sprintf("too many %s: try again in %v", what, max(wait.Round(time.Second), time.Second)), RetryAfter: wait}
}

// joinAudit gives err, unless even the audit chain could not be written.
func joinAudit(audit, err error) error {
	if audit != nil {
		return audit
	}
	return err
}

// signedIn notes in tx that an account has signed in and gives its user. The account is read anew: it may have changed since it proved itself.
func (a *Admin) signedIn(ctx context.Context, tx Tx, id holdfast.UserID, address, act string) (User, error) {
	account, err := tx.Account(ctx, id)
	if missing(err) || err == nil && account.Disabled {
		return User{}, errLogin()
	} else if err != nil {
		return User{}, err
	}
	u, err := a.userOf(ctx, tx, account, address)
	if err != nil {
		return User{}, err
	}
	if err := a.audit(ctx, tx, u, act, "account/"+string(account.ID), ""); err != nil {
		return User{}, err
	}
	account.LastLogin = a.now()
	return u, tx.PutAccount(ctx, account)
}

// userOf is an account as a caller, with what it may see now.
func (c *core) userOf(ctx context.Context, tx Tx, account holdfast.Account, address string) (User, error) {
	u := User{ID: account.ID, Name: account.Name, Role: Role(account.Role), Address: address, Code: account.Factor, Passkeys: account.Passkeys > 0, Directory: !account.Local()}
	if account.Local() && u.Role != RoleOperator {
		return u, nil
	}
	var err error
	u.Grants, err = c.grants(ctx, tx, account)
	if u.Directory {
		u.Role = RoleEndUser
		if len(u.Grants) > 1 { // the first is his own
			u.Role = RoleOperator
		}
	}
	return u, err
}

// endLogins ends all logins of an account: tokens and browser sessions.
func endLogins(ctx context.Context, tx Tx, account holdfast.UserID) error {
	if err := tx.DeleteTokensOf(ctx, account); err != nil {
		return err
	}
	return tx.DeleteBrowserSessionsOf(ctx, account)
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

// ByCode spends a one-time code for a single call, and says whose it is. No login is left of it.
func (a *Admin) ByCode(ctx context.Context, address, code string) (User, error) {
	t, err := a.LoginByCode(ctx, address, code)
	if err != nil {
		return User{}, err
	}
	return t.User, a.Logout(ctx, t.User, t.Access)
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
		u, err := a.userOf(ctx, tx, account, address)
		if err != nil {
			return Tokens{}, err
		}
		if !t.Used.IsZero() {
			stolen = true
			if err := a.audit(ctx, tx, u, "login.reuse", "account/"+string(account.ID), holdfast.SayTokenReused.With(kind)); err != nil {
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

// Authenticate says whose access token or API key it is; all others are KindUnauthenticated.
func (a *Admin) Authenticate(ctx context.Context, address, access string) (User, error) {
	if strings.HasPrefix(access, keyPrefix) {
		return a.authenticateKey(ctx, address, access)
	}
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
		return a.userOf(ctx, tx, account, address)
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
	if err := a.may(u, ActOwnPassword); err != nil {
		return err
	}
	if err := checkPassword(new); err != nil {
		return err
	}
	account, err := read(ctx, a.core, func(ctx context.Context, tx Tx) (holdfast.Account, error) { return tx.Account(ctx, u.ID) })
	if err != nil {
		return err
	} else if account.PasswordHash == "" {
		return holdfast.Conflict("%s signs in with Microsoft and has no password here", account.Name)
	}
	keys := attemptKeys(strings.ToLower(account.Name), u.Address)
	if wait := a.limiter.wait(keys, a.now()); wait > 0 {
		return tooMany("wrong passwords", wait)
	}
	if ok, err := a.verify(ctx, account.PasswordHash, old); err != nil {
		return err
	} else if !ok {
		a.limiter.failed(keys, a.now())
		return holdfast.Denied("the old password is wrong")
	}
	return a.putPassword(ctx, u, u.ID, new)
}

// putPassword sets an account's password and ends all its logins.
func (a *Admin) putPassword(ctx context.Context, u User, id holdfast.UserID, password string) error {
	hash, err := a.hash(ctx, password)
	if err != nil {
		return err
	}
	return a.Store.Write(ctx, func(ctx context.Context, tx Tx) error {
		account, err := tx.Account(ctx, id)
		if err != nil {
			return err
		} else if !account.Local() {
			return holdfast.Conflict("%s signs in with Microsoft and has no password here", account.Name)
		}
		if err := a.audit(ctx, tx, u, "account.password", "account/"+string(id), account.Name); err != nil {
			return err
		}
		account.PasswordHash = hash
		if err := endLogins(ctx, tx, id); err != nil {
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
		return tx.PutAccount(ctx, holdfast.Account{ID: holdfast.UserID(id), Name: AdminName, Role: string(RoleOwner), PasswordHash: hash, Created: a.now()})
	})
}

func checkPassword(p string) error {
	if n := utf8.RuneCountInString(p); n < 8 {
		return holdfast.Invalid("the password has %d characters; at least 8 are needed, 15 advised", n)
	} else if len(p) > maxPassword {
		return holdfast.Invalid("the password has more than %d bytes", maxPassword)
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

// limiter slows down guessing. Wrong passwords count for the name and the address together, for the address alone, and for the name
// alone; past a number of each, each further one costs a doubling wait. For the name alone the wait stays short, so that nobody can
// lock another out for long. The zero value works.
type limiter struct {
	mu  sync.Mutex // guards all
	all map[string]attempts
}

type attempts struct {
	failed int
	until  time.Time
	last   time.Time
}

// attemptKey is something that attempts count for.
type attemptKey struct {
	key  string
	free int           // attempts without a wait
	most time.Duration // the longest wait
}

const (
	attemptsMemory = 15 * time.Minute
	limiterSize    = 10000
)

func addressKey(address string) attemptKey {
	return attemptKey{"address\x00" + address, 30, attemptsMemory}
}

func attemptKeys(name, address string) []attemptKey {
	return []attemptKey{
		{"both\x00" + name + "\x00" + address, 5, attemptsMemory},
		addressKey(address),
		{"name\x00" + name, 30, 15 * time.Second},
	}
}

func (l *limiter) wait(keys []attemptKey, now time.Time) time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	var wait time.Duration
	for _, k := range keys {
		wait = max(wait, l.all[k.key].until.Sub(now))
	}
	return wait
}

func (l *limiter) failed(keys []attemptKey, now time.Time) {
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
	for _, k := range keys {
		at := l.all[k.key]
		if now.Sub(at.last) > attemptsMemory {
			at = attempts{}
		}
		at.failed++
		at.last = now
		if over := at.failed - k.free; over >= 0 {
			at.until = now.Add(min(time.Second<<min(over, 20), k.most))
		}
		l.all[k.key] = at
	}
}

// passed forgets what was wrong before a right password; what came from the address for other names stays.
func (l *limiter) passed(keys []attemptKey) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.all, keys[0].key)
	delete(l.all, keys[2].key)
}
