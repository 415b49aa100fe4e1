package rest

import (
	"context"
	"net/http"
	"time"

	"holdfast/internal/holdfast"
	"holdfast/internal/rest/contract"
	"holdfast/internal/service"
)

// Browsers sign in with a session in a cookie that no script can read. Programs use tokens or API keys.

type sessionUser struct {
	ID           string   `json:"id"`
	Name         string   `json:"name"`
	Role         string   `json:"role"`
	Roles        []string `json:"roles"`
	SecondFactor bool     `json:"secondFactor"`
	Totp         bool     `json:"totp"`
	Passkeys     bool     `json:"passkeys"`
	// Directory says that he signed in with Microsoft.
	Directory bool     `json:"directory"`
	Acts      []string `json:"acts"` // what he may do, in the words of the operations' x-act
}

type session struct {
	User    sessionUser `json:"user"`
	Expires *time.Time  `json:"expires,omitzero"` // absent for a caller who has no browser session
	Idle    int64       `json:"idleSeconds,omitzero"`
	Setup   bool        `json:"setup"` // the first run is not through
	// Portal says what the Restore Portal has for him.
	Portal sessionPortal `json:"portal"`
}

type sessionPortal struct {
	Self     bool `json:"self"`     // his own mailbox and drive
	Operator bool `json:"operator"` // others', by restore roles or because he may see everything
}

func sessionOf(b service.Browser) session {
	u := b.User
	self, operator := u.Portal()
	return session{
		Portal: sessionPortal{self, operator},
		User: sessionUser{ID: string(u.ID), Name: u.Name, Role: string(u.Role), Roles: []string{string(u.Role)}, SecondFactor: u.SecondFactor(), Totp: u.Code, Passkeys: u.Passkeys, Directory: u.Directory,
			Acts: list(service.ActsOf(u), func(a service.Act) string { return string(a) })},
		Expires: stamp(b.Expires), Idle: int64(b.Idle / time.Second), Setup: b.Setup,
	}
}

// factorError is a sign-in that lacks only the second factor's code, or has a wrong one.
type factorError struct {
	factor string
	err    error
}

func (e *factorError) Error() string { return e.err.Error() }

func (e *factorError) write(w http.ResponseWriter) {
	code := contract.RESTExceptionInfoErrorCodeResourceAccessDenied
	writeJSON(w, http.StatusUnauthorized, struct {
		Message string                              `json:"message"`
		Code    contract.RESTExceptionInfoErrorCode `json:"errorCode"`
		Factor  string                              `json:"secondFactor"`
	}{e.Error(), code, e.factor})
}

// proofError is a call of a browser that is refused until its person has proved again who he is, by all the ways that it names, or by one of those instead.
type proofError struct{ *service.ErrProof }

func (e proofError) write(w http.ResponseWriter) {
	writeJSON(w, http.StatusForbidden, struct {
		Message string                              `json:"message"`
		Code    contract.RESTExceptionInfoErrorCode `json:"errorCode"`
		Ways    []string                            `json:"proofNeeded"`
		Instead []string                            `json:"proofInstead,omitzero"`
	}{e.Error(), contract.RESTExceptionInfoErrorCodeResourceAccessDenied, e.Ways, e.Instead})
}

// sessionOpen signs a browser in. What cookie it had before is worth nothing afterwards.
func (a *API) sessionOpen(ctx context.Context, r *request) (any, error) {
	if err := a.sameOrigin(r); err != nil {
		return nil, err
	}
	var in struct {
		UserName string         `json:"username,omitzero"`
		Password string         `json:"password,omitzero"`
		Code     string         `json:"code,omitzero"`
		Passkey  *passkeyAnswer `json:"passkey,omitzero"` // instead of all of these
	}
	if err := r.decode(&in); err != nil {
		return nil, err
	}
	if in.Passkey != nil {
		answer, err := r.passkeyAnswer(*in.Passkey)
		if err != nil {
			return nil, err
		}
		b, err := a.services.BrowserSessions.OpenByPasskey(ctx, answer, r.sessionSecret())
		if err != nil {
			return nil, err
		}
		a.startSession(r, b)
		return sessionOf(b), nil
	}
	if in.UserName == "" || in.Password == "" {
		return nil, holdfast.Invalid("username and password, or a passkey, are needed")
	}
	b, err := a.services.BrowserSessions.Open(ctx, service.SignIn{Address: r.address(), Name: in.UserName, Password: in.Password, Code: in.Code}, r.sessionSecret())
	if factor := factorOf(err); factor != "" {
		return nil, &factorError{factor, err}
	} else if err != nil {
		return nil, err
	}
	a.startSession(r, b)
	return sessionOf(b), nil
}

// startSession sends a session's secret to the browser.
func (a *API) startSession(r *request, b service.Browser) {
	r.setCookie(&http.Cookie{Name: sessionCookie, Value: b.Secret, Path: "/", Expires: b.Expires, MaxAge: int(b.Expires.Sub(a.clock.Now()) / time.Second), Secure: true, HttpOnly: true, SameSite: http.SameSiteStrictMode})
}

func (r *request) setCookie(c *http.Cookie) {
	if r.reply == nil {
		r.reply = http.Header{}
	}
	r.reply.Add("Set-Cookie", c.String())
}

func (r *request) dropCookie() {
	r.setCookie(&http.Cookie{Name: sessionCookie, Path: "/", MaxAge: -1, Secure: true, HttpOnly: true, SameSite: http.SameSiteStrictMode})
}

func (a *API) sessionGet(ctx context.Context, r *request) (any, error) {
	if r.cookie == "" {
		return sessionOf(service.Browser{User: r.user}), nil
	}
	b, err := a.services.BrowserSessions.Get(ctx, r.address(), r.cookie)
	if err != nil {
		return nil, err
	}
	return sessionOf(b), nil
}

// sessionProve lets a browser's person prove again who he is, before acts that ask for it.
func (a *API) sessionProve(ctx context.Context, r *request) (any, error) {
	var in struct {
		Password string         `json:"password,omitzero"`
		Code     string         `json:"code,omitzero"`
		Passkey  *passkeyAnswer `json:"passkey,omitzero"` // instead of both
	}
	if err := r.decode(&in); err != nil {
		return nil, err
	}
	if r.cookie == "" {
		return nil, holdfast.Conflict("this is no browser's session: tokens and API keys are never asked for a proof")
	}
	if in.Passkey != nil {
		answer, err := r.passkeyAnswer(*in.Passkey)
		if err != nil {
			return nil, err
		}
		err = a.services.BrowserSessions.ProveByPasskey(ctx, r.user, r.cookie, answer)
		if holdfast.KindOf(err) == holdfast.KindUnauthenticated {
			return nil, holdfast.Invalid("%s", err)
		}
		return nil, err
	}
	if in.Password == "" {
		return nil, holdfast.Invalid("the password, or a passkey, is needed")
	}
	err := a.services.BrowserSessions.Prove(ctx, r.user, r.cookie, in.Password, in.Code)
	if factorOf(err) != "" { // the session itself is good, so none of these is a 401
		return nil, holdfast.Invalid("%s", err)
	} else if holdfast.KindOf(err) == holdfast.KindUnauthenticated {
		return nil, holdfast.Invalid("the password is wrong")
	}
	return nil, err
}

func (a *API) sessionClose(ctx context.Context, r *request) (any, error) {
	if r.cookie == "" {
		return nil, holdfast.Conflict("there is no browser session to end: POST /%s/token/logout ends a token's login", served)
	}
	if err := a.services.BrowserSessions.Close(ctx, r.user, r.cookie); err != nil {
		return nil, err
	}
	r.dropCookie()
	return nil, nil
}
