package service

import (
	"context"
	"slices"
	"strings"

	"holdfast/internal/holdfast"
)

// Users are the people who sign in with an account of this installation.
type Users struct {
	*core
	admin *Admin
}

// UserSpec says what a local user is to be. nil leaves a field as it is.
type UserSpec struct {
	Name        *string
	DisplayName *string
	Role        *Role
	Password    *string // new users only
	Disabled    *bool
}

// List gives users by name: local ones, or those of directories that have signed in.
func (s *Users) List(ctx context.Context, u User, local bool, page holdfast.Page) ([]holdfast.Account, error) {
	if err := s.may(u, ActSeeUsers); err != nil {
		return nil, err
	}
	return read(ctx, s.core, func(ctx context.Context, tx Tx) ([]holdfast.Account, error) { return tx.Accounts(ctx, local, page) })
}

// Get gives one user by his id.
func (s *Users) Get(ctx context.Context, u User, id holdfast.UserID) (holdfast.Account, error) {
	if err := s.may(u, ActSeeUsers); err != nil {
		return holdfast.Account{}, err
	}
	return read(ctx, s.core, func(ctx context.Context, tx Tx) (holdfast.Account, error) { return tx.Account(ctx, id) })
}

// Self gives the caller's own account, and how many recovery codes he has left.
func (s *Users) Self(ctx context.Context, u User) (holdfast.Account, int, error) {
	codes := 0
	a, err := readAs(ctx, s.core, u, ActSeeSelf, func(ctx context.Context, tx Tx) (holdfast.Account, error) {
		var err error
		if codes, err = tx.RecoveryCodes(ctx, u.ID); err != nil {
			return holdfast.Account{}, err
		}
		return tx.Account(ctx, u.ID)
	})
	return a, codes, err
}

// Create makes a local user. A restore operator sees nothing until a restore role lists him.
func (s *Users) Create(ctx context.Context, u User, spec UserSpec) (holdfast.Account, error) {
	if err := s.may(u, ActManageUsers); err != nil {
		return holdfast.Account{}, err
	}
	name, err := userName(value(spec.Name, ""))
	if err != nil {
		return holdfast.Account{}, err
	}
	role := value(spec.Role, "")
	if err := localRole(role); err != nil {
		return holdfast.Account{}, err
	}
	password := value(spec.Password, "")
	if err := checkPassword(password); err != nil {
		return holdfast.Account{}, err
	}
	hash, err := s.admin.hash(ctx, password)
	if err != nil {
		return holdfast.Account{}, err
	}
	id, err := s.id()
	if err != nil {
		return holdfast.Account{}, err
	}
	a := holdfast.Account{ID: holdfast.UserID(id), Name: name, DisplayName: value(spec.DisplayName, ""), Role: string(role), PasswordHash: hash, Disabled: value(spec.Disabled, false), Created: s.now()}
	return write(ctx, s.core, func(ctx context.Context, tx Tx) (holdfast.Account, error) {
		if _, err := tx.AccountByName(ctx, name); err == nil {
			return a, holdfast.Conflict("there is a user %q already", name)
		} else if !missing(err) {
			return a, err
		}
		if err := s.audit(ctx, tx, u, "account.create", "account/"+id, holdfast.SayUserMade.With(name, role)); err != nil {
			return a, err
		}
		return a, tx.PutAccount(ctx, a)
	})
}

// Update changes a user. A change of role, or being switched off, ends all his logins at once. Somebody must stay Owner.
func (s *Users) Update(ctx context.Context, u User, id holdfast.UserID, spec UserSpec) (holdfast.Account, error) {
	if err := s.may(u, ActManageUsers); err != nil {
		return holdfast.Account{}, err
	}
	if spec.Password != nil {
		return holdfast.Account{}, holdfast.Invalid("a password is set by itself, not with the user's other properties")
	}
	return write(ctx, s.core, func(ctx context.Context, tx Tx) (holdfast.Account, error) {
		a, err := tx.Account(ctx, id)
		if err != nil {
			return a, err
		}
		before := a
		if spec.Name != nil {
			if !a.Local() {
				return a, holdfast.Conflict("%s is named by the directory", a.Name)
			}
			if a.Name, err = userName(*spec.Name); err != nil {
				return a, err
			}
			if other, err := tx.AccountByName(ctx, a.Name); err == nil && other.ID != id {
				return a, holdfast.Conflict("there is a user %q already", a.Name)
			} else if err != nil && !missing(err) {
				return a, err
			}
		}
		if spec.Role != nil {
			if !a.Local() {
				return a, holdfast.Conflict("what %s may do follows from restore roles", a.Name)
			}
			if err := localRole(*spec.Role); err != nil {
				return a, err
			}
			a.Role = string(*spec.Role)
		}
		a.DisplayName, a.Disabled = value(spec.DisplayName, a.DisplayName), value(spec.Disabled, a.Disabled)
		if a.Role != string(RoleOwner) || a.Disabled {
			if err := anotherOwner(ctx, tx, id); err != nil {
				return a, err
			}
		}
		detail := a.Name
		if a.Role != before.Role {
			detail += ", role " + before.Role + " to " + a.Role
		}
		if a.Disabled != before.Disabled {
			detail += map[bool]string{true: ", disabled", false: ", enabled"}[a.Disabled]
		}
		if err := s.audit(ctx, tx, u, "account.update", "account/"+string(id), detail); err != nil {
			return a, err
		}
		if a.Role != before.Role || a.Disabled {
			if err := endLogins(ctx, tx, id); err != nil {
				return a, err
			}
		}
		return a, tx.PutAccount(ctx, a)
	})
}

// SetPassword gives a user a new password, ends his logins, and takes a wait for wrong ones off him.
func (s *Users) SetPassword(ctx context.Context, u User, id holdfast.UserID, password string) error {
	if err := s.may(u, ActManageUsers); err != nil {
		return err
	}
	if err := checkPassword(password); err != nil {
		return err
	}
	return s.admin.putPassword(ctx, u, id, password)
}

// Remove forgets a user with his logins and API keys. Somebody must stay Owner.
func (s *Users) Remove(ctx context.Context, u User, id holdfast.UserID) error {
	if err := s.may(u, ActManageUsers); err != nil {
		return err
	}
	return s.Store.Write(ctx, func(ctx context.Context, tx Tx) error {
		a, err := tx.Account(ctx, id)
		if err != nil {
			return err
		}
		if err := anotherOwner(ctx, tx, id); err != nil {
			return err
		}
		if err := s.audit(ctx, tx, u, "account.remove", "account/"+string(id), a.Name); err != nil {
			return err
		}
		return firstError(
			func() error { return tx.DeleteSecret(ctx, factorSecret(id)) },
			func() error { return tx.DeleteSecret(ctx, pendingSecret(id)) },
			func() error { return tx.DeleteAccount(ctx, id) },
		)
	})
}

// anotherOwner demands an owner who can sign in besides id.
func anotherOwner(ctx context.Context, tx Tx, id holdfast.UserID) error {
	all, err := tx.Accounts(ctx, true, holdfast.Page{})
	if err != nil {
		return err
	}
	if !slices.ContainsFunc(all, func(a holdfast.Account) bool {
		return a.ID != id && a.Role == string(RoleOwner) && !a.Disabled
	}) {
		return holdfast.Conflict("somebody must stay Owner: make another user Owner first")
	}
	return nil
}

func userName(name string) (string, error) {
	name = strings.TrimSpace(name)
	switch {
	case name == "":
		return "", holdfast.Invalid("a user needs a name")
	case len(name) > 100:
		return "", holdfast.Invalid("the name is longer than 100 bytes")
	case strings.ContainsFunc(name, func(c rune) bool { return c < ' ' || c == '\\' || c == '/' || c == 0x7f }):
		return "", holdfast.Invalid("the name may not have slashes or control characters")
	}
	return name, nil
}

func localRole(r Role) error {
	if r == RoleEndUser || !slices.Contains(Roles, r) {
		return holdfast.Invalid("there is no role %q for a user; it is one of %s", r, roleNames(Roles[:len(Roles)-1]))
	}
	return nil
}
