package service_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"

	"holdfast/internal/holdfast"
	"holdfast/internal/service"
	"holdfast/internal/store/storetest"
)

const right = "a long enough one"

// user makes a local user and signs him in.
func (w *world) user(name string, role service.Role) (service.User, holdfast.UserID, service.Browser) {
	w.t.Helper()
	a, err := w.Users.Create(w.ctx, admin, service.UserSpec{Name: &name, Role: &role, Password: new(right)})
	w.ok(err)
	s := w.signIn(name, "")
	return s.User, a.ID, s
}

func (w *world) signIn(name, code string) service.Browser {
	w.t.Helper()
	s, err := w.BrowserSessions.Open(w.ctx, service.SignIn{Address: "b", Name: name, Password: right, Code: code}, "")
	w.ok(err)
	return s
}

func (w *world) session(secret string) error {
	_, err := w.BrowserSessions.Authenticate(w.ctx, "b", secret)
	return err
}

func (w *world) code(secret string, after time.Duration) string {
	w.t.Helper()
	c, err := totp.GenerateCode(secret, w.clock.Now().Add(after))
	w.ok(err)
	return c
}

func TestSecondFactor(t *testing.T) {
	storetest.Each(t, func(t *testing.T, open storetest.Open) {
		w := newWorld(t, open)
		u, id, other := w.user("ann", service.RoleBackup)
		keep := w.signIn("ann", "")
		_, err := w.Admin.ConfirmFactor(w.ctx, u, "123456", "")
		w.kind(err, holdfast.KindConflict, "ask for one first")
		f, err := w.Admin.BeginFactor(w.ctx, u)
		w.ok(err)
		if !strings.HasPrefix(f.URL, "otpauth://totp/Holdfast:ann?") || !strings.Contains(f.URL, "secret="+f.Secret) {
			t.Errorf("URL %s", f.URL)
		}
		if _, err := w.Admin.ConfirmFactor(w.ctx, u, "000000x", keep.Secret); !errors.Is(err, service.ErrSecondFactorWrong) {
			t.Errorf("a wrong first code: %v", err)
		}
		w.signIn("ann", "") // not in use before it is confirmed
		first := w.code(f.Secret, 0)
		recovery, err := w.Admin.ConfirmFactor(w.ctx, u, first, keep.Secret)
		w.ok(err)
		w.ok(w.session(keep.Secret))
		w.kind(w.session(other.Secret), holdfast.KindUnauthenticated, "ended")

		login := func(code string) error {
			_, err := w.Admin.Login(w.ctx, service.SignIn{Address: "b", Name: "ann", Password: right, Code: code})
			return err
		}
		is := func(what string, err, want error) {
			t.Helper()
			if !errors.Is(err, want) {
				t.Errorf("%s: %v", what, err)
			}
		}
		is("no code", login(""), service.ErrSecondFactor)
		is("the first code again", login(first), service.ErrSecondFactorWrong)
		if _, err := w.Admin.Login(w.ctx, service.SignIn{Address: "b", Name: "ann", Password: "wrong", Code: w.code(f.Secret, 30*time.Second)}); errors.Is(err, service.ErrSecondFactor) || errors.Is(err, service.ErrSecondFactorWrong) || holdfast.KindOf(err) != holdfast.KindUnauthenticated {
			t.Errorf("a wrong password tells of the factor: %v", err)
		}
		w.clock.Move(5 * time.Minute)
		late := w.code(f.Secret, -30*time.Second)
		ahead := w.code(f.Secret, 30*time.Second)
		is("two steps late", login(w.code(f.Secret, -60*time.Second)), service.ErrSecondFactorWrong)
		w.ok(login(late))
		is("replay", login(late), service.ErrSecondFactorWrong)
		w.ok(login(ahead))
		is("replay of an earlier step", login(w.code(f.Secret, 0)), service.ErrSecondFactorWrong)

		// Recovery codes are good once, and however they are written.
		w.ok(login(strings.ToLower(strings.ReplaceAll(recovery[0], "-", " "))))
		is("a spent recovery code", login(recovery[0]), service.ErrSecondFactorWrong)
		if _, left, err := w.Users.Self(w.ctx, u); err != nil || left != len(recovery)-1 {
			t.Errorf("%d recovery codes are left, %v", left, err)
		}
		w.ok(login(recovery[1])) // nothing is missed in a row now

		// Five misses make everybody wait a minute, also after a restart.
		for range 5 {
			is("guess", login("000000"), service.ErrSecondFactorWrong)
		}
		w.restart(open, nil)
		w.clock.Move(55 * time.Second)
		w.kind(login(w.code(f.Secret, 0)), holdfast.KindUnavailable, "too many wrong codes")
		w.clock.Move(10 * time.Second)
		w.ok(login(w.code(f.Secret, 0)))

		u.Code, u.Browser = true, false
		w.kind(w.Admin.RemoveFactor(w.ctx, u, "000000"), holdfast.KindDenied, "code")
		w.kind(w.Admin.ResetFactor(w.ctx, u, id), holdfast.KindDenied, "")
		w.ok(w.Admin.ResetFactor(w.ctx, admin, id))
		w.kind(w.session(keep.Secret), holdfast.KindUnauthenticated, "")
		w.ok(login(""))
	})
}

func TestNoSecretOfAFactorIsInClear(t *testing.T) {
	w := newWorld(t, storetest.SQLite(t))
	u, id, _ := w.user("ann", service.RoleOwner)
	f, err := w.Admin.BeginFactor(w.ctx, u)
	w.ok(err)
	codes, err := w.Admin.ConfirmFactor(w.ctx, u, w.code(f.Secret, 0), "")
	w.ok(err)
	w.ok(w.Store.Write(w.ctx, func(ctx context.Context, tx service.Tx) error {
		sealed, err := tx.Secret(ctx, "totp/"+string(id))
		if err != nil {
			return err
		}
		if strings.Contains(string(sealed.Ciphertext), f.Secret) {
			t.Error("the secret is in clear")
		}
		if ok, err := tx.SpendRecoveryCode(ctx, id, codes[0]); ok || err != nil {
			t.Errorf("a recovery code is in clear: %v, %v", ok, err)
		}
		return nil
	}))
}

func TestBrowserSessionsEnd(t *testing.T) {
	w := newWorld(t, storetest.SQLite(t))
	_, id, s := w.user("ann", service.RoleBackup)
	w.ok(w.session(s.Secret))
	if !s.Expires.Equal(w.clock.Now().Add(8*time.Hour).UTC().Truncate(time.Microsecond)) && s.Expires.Sub(w.clock.Now()) > 8*time.Hour {
		t.Errorf("expires %v", s.Expires)
	}

	// Idle: fourteen minutes at a time go on, fifteen end.
	for range 3 {
		w.clock.Move(14 * time.Minute)
		w.ok(w.session(s.Secret))
	}
	w.clock.Move(16 * time.Minute)
	w.kind(w.session(s.Secret), holdfast.KindUnauthenticated, "ended")

	// Old: whatever is done.
	s = w.signIn("ann", "")
	for range 8*6 - 1 {
		w.clock.Move(10 * time.Minute)
		w.ok(w.session(s.Secret))
	}
	w.clock.Move(11 * time.Minute)
	w.kind(w.session(s.Secret), holdfast.KindUnauthenticated, "ended")

	// Fixation: what came before a sign-in is worth nothing after it.
	s = w.signIn("ann", "")
	next, err := w.BrowserSessions.Open(w.ctx, service.SignIn{Address: "b", Name: "ann", Password: right}, s.Secret)
	w.ok(err)
	if next.Secret == s.Secret || len(next.Secret) < 43 {
		t.Errorf("secrets %q and %q", s.Secret, next.Secret)
	}
	w.kind(w.session(s.Secret), holdfast.KindUnauthenticated, "")
	if _, err := w.BrowserSessions.Open(w.ctx, service.SignIn{Address: "b", Name: "ann", Password: "wrong"}, next.Secret); err == nil {
		t.Error("a wrong password opens")
	}
	w.ok(w.session(next.Secret)) // a failed sign-in ends nobody's

	for _, tc := range []struct {
		what   string
		change func() error
	}{
		{"password", func() error { return w.Admin.SetPassword(w.ctx, next.User, right, right) }},
		{"new one", func() error { return w.Users.SetPassword(w.ctx, admin, id, right) }},
		{"role", func() error {
			return ignore(w.Users.Update(w.ctx, admin, id, service.UserSpec{Role: new(service.RoleAuditor)}))
		}},
		{"role back", func() error {
			return ignore(w.Users.Update(w.ctx, admin, id, service.UserSpec{Role: new(service.RoleBackup)}))
		}},
		{"logout", func() error { return w.BrowserSessions.Close(w.ctx, next.User, next.Secret) }},
	} {
		what := tc.what
		next = w.signIn("ann", "")
		tokens, err := w.Admin.Login(w.ctx, service.SignIn{Address: "b", Name: "ann", Password: right})
		w.ok(err)
		w.ok(tc.change())
		w.kind(w.session(next.Secret), holdfast.KindUnauthenticated, "ended")
		if _, err := w.Admin.Authenticate(w.ctx, "b", tokens.Access); what != "logout" && holdfast.KindOf(err) != holdfast.KindUnauthenticated {
			t.Errorf("%s: a token lives on: %v", what, err)
		}
		if _, err := w.Admin.Refresh(w.ctx, "b", tokens.Refresh); what != "logout" && holdfast.KindOf(err) != holdfast.KindUnauthenticated {
			t.Errorf("%s: a refresh token lives on: %v", what, err)
		}
	}
}

func ignore[T any](_ T, err error) error { return err }

func TestUsersComeAndGo(t *testing.T) {
	w := newWorld(t, storetest.SQLite(t))
	name := "ann"
	for says, spec := range map[string]service.UserSpec{
		"no role":             {Name: &name, Password: new(right), Role: new(service.Role("Emperor"))},
		"no role \"EndUser\"": {Name: &name, Password: new(right), Role: new(service.RoleEndUser)},
		"at least 8":          {Name: &name, Password: new("short"), Role: new(service.RoleOwner)},
		"needs a name":        {Name: new(" "), Password: new(right), Role: new(service.RoleOwner)},
		"slashes":             {Name: new(`a\b`), Password: new(right), Role: new(service.RoleOwner)},
	} {
		_, err := w.Users.Create(w.ctx, admin, spec)
		w.kind(err, holdfast.KindInvalid, says)
	}
	owner, id, s := w.user(name, service.RoleOwner)
	_, err := w.Users.Create(w.ctx, admin, service.UserSpec{Name: new("ANN"), Password: new(right), Role: new(service.RoleAuditor)})
	w.kind(err, holdfast.KindConflict, "already")
	all, err := w.Users.List(w.ctx, admin, true, holdfast.Page{})
	w.ok(err)
	if len(all) != 2 || all[0].Name != "admin" || all[1].LastLogin.IsZero() {
		t.Errorf("users %+v", all)
	}

	// The last owner who can sign in stays.
	w.ok(ignore(w.Users.Update(w.ctx, owner, all[0].ID, service.UserSpec{Disabled: new(true)})))
	w.kind(w.Users.Remove(w.ctx, owner, id), holdfast.KindConflict, "stay Owner")
	for _, spec := range []service.UserSpec{{Disabled: new(true)}, {Role: new(service.RoleBackup)}} {
		w.kind(ignore(w.Users.Update(w.ctx, owner, id, spec)), holdfast.KindConflict, "stay Owner")
	}
	w.ok(ignore(w.Users.Update(w.ctx, owner, all[0].ID, service.UserSpec{Disabled: new(false)})))

	_, key, err := w.APIKeys.Create(w.ctx, owner, service.KeySpec{Name: "k"})
	w.ok(err)
	tokens, err := w.Admin.Login(w.ctx, service.SignIn{Address: "b", Name: name, Password: right})
	w.ok(err)
	w.ok(w.Users.Remove(w.ctx, admin, id))
	for what, err := range map[string]error{"session": w.session(s.Secret), "token": ignore(w.Admin.Authenticate(w.ctx, "b", tokens.Access)), "key": ignore(w.Admin.Authenticate(w.ctx, "b", key)),
		"refresh": ignore(w.Admin.Refresh(w.ctx, "b", tokens.Refresh)), "password": ignore(w.Admin.Login(w.ctx, service.SignIn{Name: name, Password: right}))} {
		if holdfast.KindOf(err) != holdfast.KindUnauthenticated {
			t.Errorf("the %s of a removed user: %v", what, err)
		}
	}
}

func TestAPIKeys(t *testing.T) {
	w := newWorld(t, storetest.SQLite(t))
	org := w.organization()
	owner, id, _ := w.user("ann", service.RoleOwner)
	auditor, _, _ := w.user("bob", service.RoleAuditor)
	for says, spec := range map[string]service.KeySpec{
		"needs a name":  {},
		"expired":       {Name: "k", Expires: w.clock.Now().Add(-time.Second)},
		"a year":        {Name: "k", Expires: w.clock.Now().Add(400 * 24 * time.Hour)},
		"organizations": {Name: "k", Role: service.RoleOperator},
	} {
		_, _, err := w.APIKeys.Create(w.ctx, owner, spec)
		w.kind(err, holdfast.KindInvalid, says)
	}
	_, _, err := w.APIKeys.Create(w.ctx, auditor, service.KeySpec{Name: "k", Role: service.RoleOwner})
	w.kind(err, holdfast.KindDenied, "can make no key")
	_, _, err = w.APIKeys.Create(w.ctx, owner, service.KeySpec{Name: "k", Organizations: []holdfast.OrganizationID{"nothing"}})
	w.kind(err, holdfast.KindNotFound, "")

	key, secret, err := w.APIKeys.Create(w.ctx, owner, service.KeySpec{Name: "scripts", Role: service.RoleBackup, Organizations: []holdfast.OrganizationID{org.ID}, Expires: w.clock.Now().Add(time.Hour)})
	w.ok(err)
	if !strings.HasPrefix(secret, "hf_") || len(secret) < 46 || strings.Contains(fmt.Sprintf("%+v", key), secret) {
		t.Errorf("key %+v, secret %q", key, secret)
	}
	who := func() (service.User, error) { return w.Admin.Authenticate(w.ctx, "c", secret) }
	u, err := who()
	w.ok(err)
	if u.Name != "ann (key scripts)" || u.Role != service.RoleBackup || u.Key != key.ID || !slices.Equal(u.Organizations, []holdfast.OrganizationID{org.ID}) {
		t.Errorf("the key is %+v", u)
	}
	_, _, err = w.APIKeys.Create(w.ctx, u, service.KeySpec{Name: "child"})
	w.kind(err, holdfast.KindDenied, "API key may not")
	_, err = w.Jobs.Create(w.ctx, u, service.JobSpec{})
	w.kind(err, holdfast.KindDenied, "some organizations only")
	for _, list := range []struct {
		as   service.User
		want int
	}{{owner, 1}, {auditor, 0}} {
		if all, err := w.APIKeys.List(w.ctx, list.as, holdfast.Page{}); err != nil || len(all) != list.want {
			t.Errorf("%s sees the keys %+v, %v", list.as.Name, all, err)
		}
	}
	w.kind(w.APIKeys.Remove(w.ctx, auditor, key.ID), holdfast.KindNotFound, "")

	// Who makes a key can't be outlived by what it may.
	w.ok(ignore(w.Users.Update(w.ctx, admin, id, service.UserSpec{Role: new(service.RoleStorage)})))
	_, err = who()
	w.kind(err, holdfast.KindUnauthenticated, "")
	w.ok(ignore(w.Users.Update(w.ctx, admin, id, service.UserSpec{Role: new(service.RoleBackup)})))
	w.ok(ignore(who()))
	w.clock.Move(61 * time.Minute)
	_, err = who()
	w.kind(err, holdfast.KindUnauthenticated, "expired")
	w.ok(w.APIKeys.Remove(w.ctx, admin, key.ID))
}
