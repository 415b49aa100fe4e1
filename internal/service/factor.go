package service

import (
	"context"
	"crypto/subtle"
	"encoding/base32"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/pquerna/otp"
	"github.com/pquerna/otp/hotp"
	"github.com/pquerna/otp/totp"

	"holdfast/internal/holdfast"
)

// The second factor: time-based codes of RFC 6238, six digits every half minute.
const (
	factorPeriod = 30 * time.Second
	factorSkew   = 1 // steps that a clock may be off, either way
	factorMisses = 5 // wrong codes before a wait
	factorPause  = time.Minute
	recoveryN    = 10
	factorIssuer = "Holdfast"
)

// NewFactor is a second factor that waits for its first code.
type NewFactor struct {
	Secret string // base32, to be typed
	URL    string // otpauth, to be shown as a picture
}

func factorSecret(id holdfast.UserID) string  { return "totp/" + string(id) }
func pendingSecret(id holdfast.UserID) string { return "totp pending/" + string(id) }

// BeginFactor draws a secret for the caller's second factor. It counts from ConfirmFactor on; until then a factor in use stays.
func (a *Admin) BeginFactor(ctx context.Context, u User) (NewFactor, error) {
	if err := a.may(u, ActOwnFactor); err != nil {
		return NewFactor{}, err
	}
	if u.Directory {
		return NewFactor{}, holdfast.Conflict("%s signs in with Microsoft: the second factor is kept there", u.Name)
	}
	secret := make([]byte, 20)
	if _, err := io.ReadFull(a.Rand, secret); err != nil {
		return NewFactor{}, fmt.Errorf("draw a secret: %w", err)
	}
	key, err := totp.Generate(totp.GenerateOpts{Issuer: factorIssuer, AccountName: u.Name, Secret: secret, Period: uint(factorPeriod / time.Second), Digits: otp.DigitsSix, Algorithm: otp.AlgorithmSHA1})
	if err != nil {
		return NewFactor{}, fmt.Errorf("make a second factor: %w", err)
	}
	sealed, err := a.Keys.Seal(pendingSecret(u.ID), []byte(key.Secret()))
	if err != nil {
		return NewFactor{}, err
	}
	return NewFactor{Secret: key.Secret(), URL: key.URL()}, a.Store.Write(ctx, func(ctx context.Context, tx Tx) error {
		if err := a.audit(ctx, tx, u, "factor.begin", "account/"+string(u.ID), ""); err != nil {
			return err
		}
		return tx.PutSecret(ctx, sealed)
	})
}

// ConfirmFactor takes the first code of the factor that BeginFactor drew. It gives recovery codes, each good once, to be shown once,
// and ends all other logins of the account; keep is the browser session that goes on, by its secret.
func (a *Admin) ConfirmFactor(ctx context.Context, u User, code, keep string) ([]string, error) {
	if err := a.may(u, ActOwnFactor); err != nil {
		return nil, err
	}
	codes, hashes, err := a.recoveryCodes()
	if err != nil {
		return nil, err
	}
	refused := error(nil)
	err = a.Store.Write(ctx, func(ctx context.Context, tx Tx) error {
		refused = nil
		account, err := tx.Account(ctx, u.ID)
		if err != nil {
			return err
		}
		pending, err := tx.Secret(ctx, pendingSecret(u.ID))
		if missing(err) {
			return holdfast.Conflict("there is no second factor to confirm: ask for one first")
		} else if err != nil {
			return err
		}
		secret, err := a.Keys.Open(pendingSecret(u.ID), pending)
		if err != nil {
			return err
		}
		account.FactorStep = 0 // of the factor before
		if refused, err = a.tryCode(ctx, tx, &account, string(secret), code); err != nil || refused != nil {
			if err == nil {
				err = tx.PutAccount(ctx, account)
			}
			return err
		}
		sealed, err := a.Keys.Seal(factorSecret(u.ID), secret)
		if err != nil {
			return err
		}
		account.Factor = true
		if err := a.audit(ctx, tx, u, "factor.confirm", "account/"+string(u.ID), ""); err != nil {
			return err
		}
		return firstError(
			func() error { return tx.PutSecret(ctx, sealed) },
			func() error { return tx.DeleteSecret(ctx, pendingSecret(u.ID)) },
			func() error { return tx.PutRecoveryCodes(ctx, u.ID, hashes) },
			func() error { return a.endLoginsBut(ctx, tx, u.ID, keep) },
			func() error { return tx.PutAccount(ctx, account) },
		)
	})
	if err == nil {
		err = refused
	}
	if err != nil {
		return nil, err
	}
	return codes, nil
}

// RemoveFactor takes the caller's own second factor away; a code of it proves that he still has it. A browser's person proved that lately.
func (a *Admin) RemoveFactor(ctx context.Context, u User, code string) error {
	if err := a.may(u, ActOwnFactor); err != nil {
		return err
	}
	if !u.Code {
		return holdfast.Conflict("%s has no codes as second factor", u.Name)
	}
	if u.Browser {
		if err := Proven(u); err != nil {
			return err
		}
	} else if err := a.proveFactor(ctx, holdfast.Account{ID: u.ID, Factor: true}, SignIn{Address: u.Address, Name: u.Name, Code: code}); err != nil {
		if holdfast.KindOf(err) == holdfast.KindUnauthenticated { // the login itself is good
			return holdfast.Denied("%s", err)
		}
		return err
	}
	return a.dropFactor(ctx, u, u.ID, "factor.remove", false)
}

// ResetFactor takes another account's second factors away, passkeys too, for somebody who has lost them.
func (a *Admin) ResetFactor(ctx context.Context, u User, id holdfast.UserID) error {
	if err := a.may(u, ActManageUsers); err != nil {
		return err
	}
	return a.dropFactor(ctx, u, id, "factor.reset", true)
}

// dropFactor ends codes as second factor, and with passkeys those too. Recovery codes go with the last one.
func (a *Admin) dropFactor(ctx context.Context, u User, id holdfast.UserID, act string, passkeys bool) error {
	return a.Store.Write(ctx, func(ctx context.Context, tx Tx) error {
		account, err := tx.Account(ctx, id)
		if err != nil {
			return err
		}
		if err := a.audit(ctx, tx, u, act, "account/"+string(id), account.Name); err != nil {
			return err
		}
		account.Factor, account.FactorStep, account.FactorMisses, account.FactorWait = false, 0, 0, time.Time{}
		if passkeys {
			account.Passkeys = 0
			if err := tx.DeletePasskeysOf(ctx, id); err != nil {
				return err
			}
		}
		if !account.SecondFactor() {
			if err := tx.PutRecoveryCodes(ctx, id, nil); err != nil {
				return err
			}
		}
		return firstError(
			func() error { return tx.DeleteSecret(ctx, factorSecret(id)) },
			func() error { return tx.DeleteSecret(ctx, pendingSecret(id)) },
			func() error { return endLogins(ctx, tx, id) },
			func() error { return tx.PutAccount(ctx, account) },
		)
	})
}

// proveFactor spends a code, or a recovery code, of an account's second factor. A wrong one is counted in the database, whatever becomes
// of this process. Who has passkeys alone has recovery codes alone.
func (a *Admin) proveFactor(ctx context.Context, of holdfast.Account, in SignIn) error {
	id := of.ID
	switch blank := strings.TrimSpace(in.Code) == ""; {
	case blank && !of.Factor:
		return ErrPasskey
	case blank:
		return ErrSecondFactor
	}
	var refused error
	err := a.Store.Write(ctx, func(ctx context.Context, tx Tx) error {
		refused = nil
		account, err := tx.Account(ctx, id)
		if err != nil {
			return err
		}
		var secret []byte
		if account.Factor {
			sealed, err := tx.Secret(ctx, factorSecret(id))
			if err != nil {
				return err
			}
			if secret, err = a.Keys.Open(factorSecret(id), sealed); err != nil {
				return err
			}
		}
		u := User{ID: id, Name: account.Name, Address: in.Address}
		if refused, err = a.tryCode(ctx, tx, &account, string(secret), in.Code); err != nil {
			return err
		}
		if refused != nil && account.FactorMisses > 0 || refused != nil && account.FactorWait.After(a.now()) {
			if err := a.audit(ctx, tx, u, "factor.refused", "account/"+string(id), ""); err != nil {
				return err
			}
		}
		return tx.PutAccount(ctx, account)
	})
	if err != nil {
		return err
	}
	return refused
}

// tryCode looks at a code and changes account accordingly, which the caller keeps whether it was refused or not. A recovery code that is
// right is spent. An empty secret has recovery codes alone.
func (a *Admin) tryCode(ctx context.Context, tx Tx, account *holdfast.Account, secret, code string) (refused, err error) {
	now := a.now()
	if wait := account.FactorWait.Sub(now); wait > 0 {
		return tooMany("wrong codes", wait), nil
	}
	code = strings.ToUpper(strings.Map(func(c rune) rune {
		if c == ' ' || c == '-' {
			return -1
		}
		return c
	}, code))
	ok := false
	if secret != "" && len(code) == int(otp.DigitsSix) {
		step := now.Unix() / int64(factorPeriod/time.Second)
		for s := step - factorSkew; s <= step+factorSkew; s++ {
			want, err := hotp.GenerateCodeCustom(secret, uint64(s), hotp.ValidateOpts{Digits: otp.DigitsSix, Algorithm: otp.AlgorithmSHA1})
			if err != nil {
				return nil, fmt.Errorf("make a code: %w", err)
			}
			if subtle.ConstantTimeCompare([]byte(want), []byte(code)) == 1 && s > account.FactorStep && !ok {
				ok, account.FactorStep = true, s
			}
		}
	} else if account.SecondFactor() {
		if ok, err = tx.SpendRecoveryCode(ctx, account.ID, tokenHash(code)); err != nil {
			return nil, err
		}
		if ok {
			if err := a.audit(ctx, tx, User{ID: account.ID, Name: account.Name}, "factor.recovery", "account/"+string(account.ID), holdfast.SayRecoverySpent.With()); err != nil {
				return nil, err
			}
		}
	}
	if ok {
		account.FactorMisses = 0
		return nil, nil
	}
	account.FactorMisses++
	if account.FactorMisses >= factorMisses {
		account.FactorMisses, account.FactorWait = 0, now.Add(factorPause)
	}
	return ErrSecondFactorWrong, nil
}

// recoveryCodes draws codes of 80 bits, and their hashes: those need no salt and no cost.
func (a *Admin) recoveryCodes() (codes, hashes []string, err error) {
	for range recoveryN {
		var b [10]byte
		if _, err := io.ReadFull(a.Rand, b[:]); err != nil {
			return nil, nil, fmt.Errorf("draw a recovery code: %w", err)
		}
		text := base32.StdEncoding.EncodeToString(b[:])
		codes = append(codes, text[:4]+"-"+text[4:8]+"-"+text[8:12]+"-"+text[12:])
		hashes = append(hashes, tokenHash(text))
	}
	return codes, hashes, nil
}

// endLoginsBut ends an account's logins but for the browser session whose secret is keep.
func (a *Admin) endLoginsBut(ctx context.Context, tx Tx, account holdfast.UserID, keep string) error {
	var kept *holdfast.BrowserSession
	if keep != "" {
		if s, err := tx.BrowserSession(ctx, tokenHash(keep)); err == nil && s.Account == account {
			kept = &s
		} else if err != nil && !missing(err) {
			return err
		}
	}
	if err := endLogins(ctx, tx, account); err != nil || kept == nil {
		return err
	}
	return tx.PutBrowserSession(ctx, *kept)
}

// firstError runs steps until one fails.
func firstError(steps ...func() error) error {
	for _, s := range steps {
		if err := s(); err != nil {
			return err
		}
	}
	return nil
}
