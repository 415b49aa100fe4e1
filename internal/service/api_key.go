package service

import (
	"context"
	"slices"
	"strings"
	"time"

	"holdfast/internal/holdfast"
)

// APIKeys are what programs sign in with: a role, if need be limited to organizations, for a time.
type APIKeys struct {
	*core
	admin *Admin
}

const (
	keyPrefix  = "hf_"
	keyLife    = 90 * 24 * time.Hour  // unless said otherwise
	keyLongest = 366 * 24 * time.Hour // at most
)

// KeySpec says what a new key is to be.
type KeySpec struct {
	Name          string
	Role          Role // empty is the caller's
	Organizations []holdfast.OrganizationID
	Expires       time.Time // zero is in 90 days
}

// List gives the caller's keys; an Owner's list has everybody's.
func (k *APIKeys) List(ctx context.Context, u User, page holdfast.Page) ([]holdfast.APIKey, error) {
	if err := k.may(u, ActOwnKeys); err != nil {
		return nil, err
	}
	return read(ctx, k.core, func(ctx context.Context, tx Tx) ([]holdfast.APIKey, error) {
		of := u.ID
		if u.Role == RoleOwner {
			of = ""
		}
		all, err := tx.APIKeys(ctx, of, page)
		for i := range all {
			if all[i].AccountName, err = accountName(ctx, tx, all[i].Account); err != nil {
				return nil, err
			}
		}
		return all, err
	})
}

func accountName(ctx context.Context, tx Tx, id holdfast.UserID) (string, error) {
	a, err := tx.Account(ctx, id)
	if missing(err) {
		return "", nil
	}
	return a.Name, err
}

// Create makes a key and gives its secret, which is not kept. A key can do no more than who made it: an Owner's may have any role,
// another's has his own. A restore operator's key sees the organizations that it names.
func (k *APIKeys) Create(ctx context.Context, u User, spec KeySpec) (holdfast.APIKey, string, error) {
	if err := k.may(u, ActOwnKeys); err != nil {
		return holdfast.APIKey{}, "", err
	}
	now := k.now()
	key := holdfast.APIKey{Name: strings.TrimSpace(spec.Name), Account: u.ID, AccountName: u.Name, Role: string(spec.Role), Organizations: slices.Clone(spec.Organizations), Created: now, Expires: spec.Expires.UTC().Truncate(time.Microsecond)}
	if len(key.Organizations) == 0 {
		key.Organizations = nil // all: an empty list would be none
	}
	if spec.Role == "" {
		key.Role = string(u.Role)
	}
	if spec.Expires.IsZero() {
		key.Expires = now.Add(keyLife)
	}
	switch {
	case key.Name == "" || len(key.Name) > 100:
		return key, "", holdfast.Invalid("a key needs a name of at most 100 bytes")
	case !key.Expires.After(now):
		return key, "", holdfast.Invalid("the key would have expired already")
	case key.Expires.Sub(now) > keyLongest:
		return key, "", holdfast.Invalid("a key lives for a year at most")
	case !keyMay(u.Role, Role(key.Role)):
		return key, "", holdfast.Denied("%s has the role %s and can make no key with the role %s", u.Name, u.Role, key.Role)
	case Role(key.Role) == RoleOperator && len(key.Organizations) == 0:
		return key, "", holdfast.Invalid("a key of a restore operator needs the organizations that it sees")
	}
	text, err := k.admin.token()
	if err != nil {
		return key, "", err
	}
	secret := keyPrefix + text
	if key.ID, err = k.id(); err != nil {
		return key, "", err
	}
	key.Hash = tokenHash(secret)
	err = k.Store.Write(ctx, func(ctx context.Context, tx Tx) error {
		for _, o := range key.Organizations {
			if _, err := tx.Organization(ctx, o); err != nil {
				return err
			}
		}
		if err := k.audit(ctx, tx, u, "api_key.create", "api_key/"+key.ID, holdfast.SayKeyMade.With(key.Name, key.Role, key.Expires.Format(time.RFC3339))); err != nil {
			return err
		}
		return tx.PutAPIKey(ctx, key)
	})
	if err != nil {
		return key, "", err
	}
	return key, secret, nil
}

// keyMay says whether an account's key may have a role. It is asked at each use again, since the account's role may have changed.
func keyMay(account, key Role) bool {
	return key != RoleEndUser && slices.Contains(Roles, key) && (account == RoleOwner || account == key && account != RoleOperator)
}

// Remove ends a key: the caller's own, or as an Owner anybody's.
func (k *APIKeys) Remove(ctx context.Context, u User, id string) error {
	if err := k.may(u, ActOwnKeys); err != nil {
		return err
	}
	return k.Store.Write(ctx, func(ctx context.Context, tx Tx) error {
		key, err := tx.APIKey(ctx, id)
		if err != nil {
			return err
		} else if key.Account != u.ID && u.Role != RoleOwner {
			return holdfast.NotFound("there is no API key %s", id)
		}
		if err := k.audit(ctx, tx, u, "api_key.remove", "api_key/"+id, key.Name); err != nil {
			return err
		}
		return tx.DeleteAPIKey(ctx, id)
	})
}

// authenticateKey says which key a secret is.
func (a *Admin) authenticateKey(ctx context.Context, address, secret string) (User, error) {
	refused := holdfast.Unauthenticated("the API key is not known or has expired")
	var key holdfast.APIKey
	u, err := read(ctx, a.core, func(ctx context.Context, tx Tx) (User, error) {
		var err error
		if key, err = tx.APIKeyByHash(ctx, tokenHash(secret)); missing(err) || err == nil && !key.Expires.After(a.now()) {
			return User{}, refused
		} else if err != nil {
			return User{}, err
		}
		account, err := tx.Account(ctx, key.Account)
		if missing(err) || err == nil && (account.Disabled || !keyMay(Role(account.Role), Role(key.Role))) {
			return User{}, refused
		} else if err != nil {
			return User{}, err
		}
		u := User{ID: account.ID, Name: account.Name + " (key " + key.Name + ")", Role: Role(key.Role), Address: address, Key: key.ID, Organizations: key.Organizations}
		if u.Role == RoleOperator {
			for _, o := range key.Organizations {
				u.Grants = append(u.Grants, holdfast.Grant{Organization: o, Whole: true, Acts: holdfast.GrantActs})
			}
		}
		return u, nil
	})
	if err == nil && a.now().Sub(key.LastUsed) > time.Minute {
		err = a.Store.Write(ctx, func(ctx context.Context, tx Tx) error {
			now, err := tx.APIKey(ctx, key.ID)
			if missing(err) {
				return refused
			} else if err != nil {
				return err
			}
			now.LastUsed = a.now()
			return tx.PutAPIKey(ctx, now)
		})
	}
	return u, err
}
