package auth

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// deviceGrant is the grant type of RFC 8628.
const deviceGrant = "urn:ietf:params:oauth:grant-type:device_code"

// slowDown is by how much the interval grows when Entra says that it is asked too often (RFC 8628, 3.5).
const slowDown = 5 * time.Second

// Device is a sign-in on another device under way: the person enters UserCode at VerificationURL.
type Device struct {
	Tenant, Application string
	Code                Secret
	UserCode            string
	VerificationURL     string
	Message             string
	Expires             time.Time
	Interval            time.Duration
}

// Person is who signed in, with a token for what was asked for.
type Person struct {
	Token            Secret
	Tenant, ObjectID string
	Name             string
	Expires          time.Time
}

// BeginDevice asks for a code. tenant is an id, a domain or organizations; application must be a public one.
func (u *Users) BeginDevice(ctx context.Context, tenant, application string, scopes ...string) (Device, error) {
	d := Device{Tenant: tenant, Application: application}
	var got struct {
		DeviceCode      string `json:"device_code"`
		UserCode        string `json:"user_code"`
		VerificationURI string `json:"verification_uri"`
		Message         string `json:"message"`
		ExpiresIn       int    `json:"expires_in"`
		Interval        int    `json:"interval"`
	}
	_, err := u.post(ctx, d, "devicecode", url.Values{"client_id": {application}, "scope": {strings.Join(scopes, " ")}}, &got)
	if err != nil {
		return d, err
	}
	if got.DeviceCode == "" || got.UserCode == "" {
		return d, &Error{Reason: Unreachable, text: "Microsoft answered without a code for signing in"}
	}
	d.Code, d.UserCode, d.VerificationURL, d.Message = Secret(got.DeviceCode), got.UserCode, got.VerificationURI, got.Message
	d.Expires = u.clock.Now().Add(time.Duration(got.ExpiresIn) * time.Second)
	d.Interval = time.Duration(max(got.Interval, 1)) * time.Second
	return d, nil
}

// AskDevice asks once whether the person has signed in; it must not be asked again before the interval, which grows when Entra wants that.
// signedIn is false as long as he has not.
func (u *Users) AskDevice(ctx context.Context, d *Device) (p Person, signedIn bool, err error) {
	if !u.clock.Now().Before(d.Expires) {
		return p, false, expired
	}
	var got struct {
		Token     string `json:"access_token"`
		ExpiresIn int    `json:"expires_in"`
	}
	code, err := u.post(ctx, *d, "token", url.Values{"grant_type": {deviceGrant}, "client_id": {d.Application}, "device_code": {d.Code.Reveal()}}, &got)
	switch code {
	case "authorization_pending":
		return p, false, nil
	case "slow_down":
		d.Interval += slowDown
		return p, false, nil
	case "authorization_declined", "access_denied":
		return p, false, &Error{Reason: Declined, text: "the sign-in was declined; begin again, and accept what the application asks for"}
	case "expired_token", "bad_verification_code":
		return p, false, expired
	}
	if err != nil {
		return p, false, err
	}
	// The token came from the login host over TLS; Graph checks it itself. What it says of the person is compared with what was asked for.
	var claims Claims
	parts := strings.Split(got.Token, ".")
	if len(parts) == 3 {
		if raw, err := base64.RawURLEncoding.DecodeString(parts[1]); err == nil {
			_ = json.Unmarshal(raw, &claims) // what is missing is noticed below
		}
	}
	if claims.Tenant == "" || claims.ObjectID == "" {
		return p, false, &Error{Reason: Unreachable, text: "Microsoft's token does not say who signed in"}
	}
	name := claims.UPN
	if name == "" {
		name = claims.Name
	}
	return Person{Token: Secret(got.Token), Tenant: claims.Tenant, ObjectID: claims.ObjectID, Name: name,
		Expires: u.clock.Now().Add(time.Duration(got.ExpiresIn) * time.Second)}, true, nil
}

var expired = &Error{Reason: CodeExpired, text: "the code for signing in has expired or was used; begin again"}

// TenantID gives the id of the tenant that a domain belongs to, as the login host publishes it.
func (u *Users) TenantID(ctx context.Context, domain string) (string, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "https://"+u.host+"/"+url.PathEscape(domain)+"/v2.0/.well-known/openid-configuration", nil)
	if err != nil {
		return "", err
	}
	var got struct {
		Issuer string `json:"issuer"`
	}
	if _, err := u.answer(ctx, Device{Tenant: domain}, req, &got); err != nil {
		return "", err
	}
	rest, _ := strings.CutPrefix(got.Issuer, "https://"+u.host+"/")
	id, _, _ := strings.Cut(rest, "/")
	if id == "" {
		return "", &Error{Reason: UnknownTenant, text: fmt.Sprintf("Microsoft does not say which tenant %q is", domain)}
	}
	return id, nil
}

// ServiceTime is the time at the login host, which tells it to whoever asks; domain is a tenant's id or domain.
func (u *Users) ServiceTime(ctx context.Context, domain string) (time.Time, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "https://"+u.host+"/"+url.PathEscape(domain)+"/v2.0/.well-known/openid-configuration", nil)
	if err != nil {
		return time.Time{}, err
	}
	resp, err := (&recorder{client: u.http}).Do(req)
	if err != nil {
		return time.Time{}, err
	}
	return http.ParseTime(resp.Header.Get("Date"))
}

// post sends a form to the login host and decodes the answer. code is Entra's name of the error, if any.
func (u *Users) post(ctx context.Context, d Device, endpoint string, form url.Values, out any) (code string, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "https://"+u.host+"/"+url.PathEscape(d.Tenant)+"/oauth2/v2.0/"+endpoint, strings.NewReader(form.Encode()))
	if err != nil {
		return "", err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return u.answer(ctx, d, req, out)
}

func (u *Users) answer(ctx context.Context, d Device, req *http.Request, out any) (code string, err error) {
	answers := &recorder{client: u.http}
	resp, err := answers.Do(req)
	if err == nil && resp.StatusCode < 300 {
		err = json.Unmarshal(answers.body, out)
		if err == nil {
			return "", nil
		}
	}
	var refused struct {
		Error string `json:"error"`
	}
	_ = json.Unmarshal(answers.body, &refused) // what is no error of Entra's has none
	if err == nil {
		err = fmt.Errorf("the answer is %s", resp.Status)
	}
	t := &Tokens{config: Config{LoginHost: u.host, Tenant: d.Tenant, Application: d.Application, Clock: u.clock}}
	return refused.Error, t.explain(ctx, err, answers)
}
