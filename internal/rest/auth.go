package rest

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"holdfast/internal/holdfast"
	"holdfast/internal/rest/contract"
	"holdfast/internal/service"
)

// tokenRequest is the body of a login. Clients send it as a form or as JSON, with extra fields that are empty.
type tokenRequest struct {
	GrantType    string `json:"grant_type,omitzero"`
	UserName     string `json:"username,omitzero"`
	Password     string `json:"password,omitzero"`
	RefreshToken string `json:"refresh_token,omitzero"`
	ClientID     string `json:"client_id,omitzero"`
	Assertion    string `json:"assertion,omitzero"`
	Code         string `json:"code,omitzero"` // ours: of the second factor
	// The contract's disable_antiforgery_token is taken and ignored: a bearer is never asked for an anti-forgery token.
}

// tokenError is a refused login. Some clients read the OAuth fields, some the contract's, so it has both, and its status
// is 400, since others take a 401 for a served version.
type tokenError struct {
	code, description string
	factor            string // the second factor that is missing or wrong
}

func (e *tokenError) Error() string { return e.code + ": " + e.description }

func (e *tokenError) write(w http.ResponseWriter) {
	writeJSON(w, http.StatusBadRequest, struct {
		Error       string  `json:"error"`
		Description string  `json:"error_description"`
		Message     string  `json:"message"`
		Code        *string `json:"errorCode"`
		Factor      string  `json:"second_factor,omitzero"`
	}{e.code, e.description, e.description, nil, e.factor})
}

func (r *request) tokenRequest() (tokenRequest, error) {
	var in tokenRequest
	body, err := r.body()
	if err != nil {
		return in, &tokenError{code: "invalid_request", description: err.Error()}
	}
	text := strings.TrimSpace(string(body))
	if strings.HasPrefix(strings.TrimPrefix(text, "\ufeff"), "{") { // whatever the content type says: no form begins so
		if err := decodeJSON(body, &in); err != nil {
			return in, &tokenError{code: "invalid_request", description: err.Error()}
		}
		return in, nil
	}
	form, err := url.ParseQuery(text)
	if err != nil {
		return in, &tokenError{code: "invalid_request", description: "the body is neither a form nor JSON"}
	}
	for name, into := range map[string]*string{"grant_type": &in.GrantType, "username": &in.UserName, "password": &in.Password,
		"refresh_token": &in.RefreshToken, "client_id": &in.ClientID, "assertion": &in.Assertion, "code": &in.Code} {
		for n, v := range form {
			if strings.EqualFold(n, name) && len(v) > 0 {
				*into = v[0]
			}
		}
	}
	return in, nil
}

// grantAssertion is that of RFC 7523: a token of Microsoft Entra signs its user in.
const (
	grantAssertion = "urn:ietf:params:oauth:grant-type:jwt-bearer"
	grants         = "password, refresh_token, operator and " + grantAssertion
)

// token logs in. Wrong credentials are a tokenError; everything else that goes wrong is an ordinary error.
func (a *API) token(ctx context.Context, r *request) (any, error) {
	in, err := r.tokenRequest()
	if err != nil {
		return nil, err
	}
	var t service.Tokens
	switch grant := strings.ToLower(in.GrantType); {
	case grant == "password" || grant == "" && in.UserName != "":
		if in.UserName == "" || in.Password == "" {
			return nil, &tokenError{code: "invalid_request", description: "username and password are needed"}
		}
		t, err = a.services.Admin.Login(ctx, service.SignIn{Address: r.address(), Name: in.UserName, Password: in.Password, Code: in.Code})
	case grant == "refresh_token" || grant == "" && in.RefreshToken != "":
		if in.RefreshToken == "" {
			return nil, &tokenError{code: "invalid_request", description: "refresh_token is missing"}
		}
		t, err = a.services.Admin.Refresh(ctx, r.address(), in.RefreshToken)
	case grant == "":
		return nil, &tokenError{code: "invalid_request", description: "grant_type is missing; " + grants + " are served"}
	case grant == "operator" || grant == grantAssertion:
		if in.ClientID == "" || in.Assertion == "" {
			return nil, &tokenError{code: "invalid_request", description: "client_id and assertion are needed"}
		}
		t, err = a.services.Portal.Login(ctx, service.PortalAssertion{Operator: grant == "operator", Client: in.ClientID, Assertion: in.Assertion, Address: r.address()})
		if holdfast.KindOf(err) == holdfast.KindConflict {
			return nil, &tokenError{code: "unsupported_grant_type", description: err.Error()}
		}
	default:
		return nil, &tokenError{code: "unsupported_grant_type", description: "there is no grant_type " + in.GrantType + "; " + grants + " are served"}
	}
	if holdfast.KindOf(err) == holdfast.KindUnauthenticated {
		return nil, &tokenError{code: "invalid_grant", description: err.Error(), factor: factorOf(err)}
	} else if err != nil {
		return nil, err
	}
	return contract.OAuthTokenResponse{
		AccessToken:  t.Access,
		RefreshToken: t.Refresh,
		TokenType:    "bearer",
		ExpiresIn:    int64(t.Expires.Sub(t.Issued).Seconds()),
		Issued:       t.Issued.UTC(),
		Expires:      t.Expires.UTC(),
		UserName:     &t.User.Name,
	}, nil
}

// factorOf names the second factor that an error of a sign-in is about; "" when it is about something else.
func factorOf(err error) string {
	if errors.Is(err, service.ErrPasskey) {
		return "passkey"
	}
	if errors.Is(err, service.ErrSecondFactor) || errors.Is(err, service.ErrSecondFactorWrong) {
		return "totp"
	}
	return ""
}

// logout ends the login of the presented token, or the browser session.
func (a *API) logout(ctx context.Context, r *request) (any, error) {
	if r.cookie != "" {
		return a.sessionClose(ctx, r)
	}
	return nil, a.services.Admin.Logout(ctx, r.user, r.bearer)
}

// authCode gives a one-time code that hands the login over.
func (a *API) authCode(ctx context.Context, r *request) (any, error) {
	code, err := a.services.Admin.Code(ctx, r.user)
	if err != nil {
		return nil, err
	}
	return contract.RESTAuthCode{AuthCode: code}, nil
}

// sessionCookie holds a browser session's secret. The prefix makes browsers demand Secure and Path=/, and refuse it from a subdomain.
const sessionCookie = "__Host-holdfast"

// authorize finds out who calls and whether he may: by an access token or an API key, or else by a browser's cookie. A cookie comes along
// whoever made the browser call, so a call that changes something must come from our own pages, and who sits before it may have changed, so
// some acts ask again.
func (a *API) authorize(r *request) error {
	user, err := a.caller(r)
	if err != nil {
		return err
	}
	if err := service.Allowed(user, r.route.act); err != nil {
		return err
	}
	if r.Method != http.MethodGet && service.AgainOf(r.route.act) == service.AgainAlways {
		if err := service.Proven(user); err != nil {
			return err
		}
	}
	r.user = user
	return nil
}

// byCode are operations that a browser calls by their address alone. Who has no token and no cookie there gives a code of POST /token/AuthCode, which is good
// once and for two minutes.
var byCode = []string{"TeamsChannel_DownloadExportedPosts", "TeamsPost_DownloadExportedPosts"}

func (a *API) caller(r *request) (service.User, error) {
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if token = strings.TrimSpace(token); strings.EqualFold(scheme, "Bearer") && token != "" {
		r.bearer = token
		return a.authenticate(r.Context(), r.address(), token)
	}
	if r.cookie = r.sessionSecret(); r.cookie != "" && a.services != nil {
		if err := a.sameOrigin(r); err != nil {
			return service.User{}, err
		}
		return a.services.BrowserSessions.Authenticate(r.Context(), r.address(), r.cookie)
	}
	if code, given := r.query("authCode"); given && slices.Contains(byCode, r.route.id) && a.services != nil {
		return a.services.Admin.ByCode(r.Context(), r.address(), code)
	}
	return service.User{}, holdfast.Unauthenticated("log in first: POST /%s/token, then send the access token as Authorization: Bearer", served)
}

func (r *request) sessionSecret() string {
	c, err := r.Cookie(sessionCookie)
	if err != nil {
		return ""
	}
	return c.Value
}

func (a *API) sameOrigin(r *request) error {
	if err := a.origin.Check(r.Request); err != nil {
		return holdfast.Denied("this call came from another site's page and is refused")
	}
	return nil
}

// address is where the call comes from, for the audit chain.
func (r *request) address() string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	return host
}
