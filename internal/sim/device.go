package sim

import (
	"bytes"
	"encoding/json"
	"errors"
	"html/template"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// People sign in on another device by the device authorization grant (Microsoft identity platform, "device authorization grant flow"; RFC 8628):
// the program shows a code, the person enters it on a page, and the program asks for its token meanwhile.

// deviceGrant is the grant type by which a program asks.
const deviceGrant = "urn:ietf:params:oauth:grant-type:device_code"

// deviceLife is how long a code is good; deviceInterval how long a program waits between its questions.
const (
	deviceLife     = 15 * time.Minute
	deviceInterval = 5 * time.Second
)

// device is one sign-in under way.
type device struct {
	application, user, tenant string // client id, code that the person enters, id of the tenant that he signs in to
	scopes                    []string
	expires, asked            time.Time
	interval                  time.Duration
	person                    *User // who agreed
	declined, used            bool
}

// userCodeAlphabet has no letters that make words or look like digits.
const userCodeAlphabet = "BCDFGHJKLMNPQRSTVWXZ23456789"

// deviceCode begins a sign-in.
func (e *entra) deviceCode(c *Call) (*Reply, error) {
	tenant := strings.ToLower(c.Params["tenant"])
	if tenant != "common" && tenant != "organizations" {
		if err := e.knows(tenant); err != nil {
			return nil, err
		}
	}
	f, err := url.ParseQuery(string(c.Body))
	if err != nil {
		return nil, aadsts(400, "invalid_request", 9000411, "The request is not properly formatted.")
	}
	for _, need := range []string{"client_id", "scope"} {
		if f.Get(need) == "" {
			return nil, aadsts(400, "invalid_request", 900144, "The request body must contain the following parameter: '%s'.", need)
		}
	}
	a := e.app(f.Get("client_id"), c.Now)
	if a == nil {
		return nil, aadsts(400, "unauthorized_client", 700016, unknownApplication, f.Get("client_id"), e.s.tenant.Domain)
	}
	if a.secret != "" || len(a.keys) > 0 {
		return nil, aadsts(401, "invalid_client", 7000218, "The request body must contain the following parameter: 'client_assertion' or 'client_secret'.")
	}
	d := &device{application: a.appID, tenant: e.s.tenant.TenantID, expires: c.Now.Add(deviceLife), interval: deviceInterval}
	for _, s := range strings.Fields(f.Get("scope")) {
		d.scopes = append(d.scopes, strings.TrimPrefix(s, "https://"+e.s.cloud.graph+"/"))
	}
	for _, b := range newRand(e.s.opt.Seed, newUUID()).bytes(9) {
		d.user += string(userCodeAlphabet[int(b)%len(userCodeAlphabet)])
	}
	text := newUUID() + newUUID()
	e.mu.Lock()
	defer e.mu.Unlock()
	for t, old := range e.devices {
		if old.expires.Add(time.Hour).Before(c.Now) {
			delete(e.devices, t)
		}
	}
	e.devices[text] = d
	return JSON(200, map[string]any{"user_code": d.user, "device_code": text, "verification_uri": e.s.cloud.device, "expires_in": int(deviceLife.Seconds()), "interval": int(deviceInterval.Seconds()),
		"message": "To sign in, use a web browser to open the page " + e.s.cloud.device + " and enter the code " + d.user + " to authenticate."}), nil
}

// deviceToken answers a program that asks whether the person has signed in.
func (e *entra) deviceToken(c *Call, f url.Values) (*Reply, error) {
	e.mu.Lock()
	d := e.devices[f.Get("device_code")]
	var refuse error
	switch {
	case f.Get("device_code") == "":
		refuse = aadsts(400, "invalid_request", 900144, "The request body must contain the following parameter: 'device_code'.")
	case d == nil || d.application != strings.ToLower(f.Get("client_id")):
		refuse = aadsts(400, "bad_verification_code", 70018, "Bad verification code.")
	case d.declined:
		refuse = aadsts(400, "authorization_declined", 70018, "The end user declined the authorization request.")
	case d.used, !c.Now.Before(d.expires):
		refuse = aadsts(400, "expired_token", 70020, "The provided value for the input parameter 'device_code' is not valid. This device code has expired.")
	case !d.asked.IsZero() && c.Now.Sub(d.asked) < d.interval-500*time.Millisecond:
		d.interval += 5 * time.Second // RFC 8628, 3.5
		refuse = aadsts(400, "slow_down", 70016, "The client is asking too often.")
		e.s.stats.violation(c, "deviceCodeAskedTooOften", "after "+c.Now.Sub(d.asked).String())
	case d.person == nil:
		refuse = aadsts(400, "authorization_pending", 70016, "OAuth 2.0 device flow error. Authorization is pending. Continue polling.")
	default:
		d.used = true
	}
	if d != nil {
		d.asked = c.Now
	}
	e.mu.Unlock()
	if refuse != nil {
		return nil, refuse
	}
	return e.personToken(c, d)
}

// personToken gives a token for Graph in a person's name.
func (e *entra) personToken(c *Call, d *device) (*Reply, error) {
	audience := "https://" + e.s.cloud.graph
	exp := c.Now.Add(e.s.opt.TokenLife)
	tok, err := e.sign(map[string]any{
		"aud": audience, "iss": "https://" + e.s.cloud.issuer + "/" + d.tenant + "/", "iat": c.Now.Unix(), "nbf": c.Now.Unix(), "exp": exp.Unix(),
		"appid": d.application, "idtyp": "user", "oid": d.person.ID, "tid": d.tenant, "upn": d.person.UPN, "name": d.person.DisplayName, "scp": strings.Join(d.scopes, " "),
		"uti": newUUID(), "ver": "1.0",
	})
	if err != nil {
		return nil, err
	}
	if d.tenant == e.s.tenant.TenantID { // another tenant's services are not here
		e.remember(tok, grant{app: d.application, audience: audience, expires: exp, issued: c.Now, user: d.person, scopes: d.scopes})
	}
	life := int(e.s.opt.TokenLife.Seconds())
	return JSON(200, map[string]any{"token_type": "Bearer", "scope": strings.Join(d.scopes, " "), "expires_in": life, "ext_expires_in": life, "access_token": tok}).With("Cache-Control", "no-store, no-cache"), nil
}

// byUserCode finds a sign-in that waits for a person.
func (e *entra) byUserCodeLocked(text string, now time.Time) *device {
	for _, d := range e.devices {
		if strings.EqualFold(d.user, strings.TrimSpace(text)) && now.Before(d.expires) && !d.used && !d.declined && d.person == nil {
			return d
		}
	}
	return nil
}

// agree notes that a person let the application do what it asks for.
func (e *entra) agreeLocked(d *device, u *User) {
	d.person = u
	client := e.appLocked(d.application)
	for _, k := range e.consents {
		if k.user == u && k.application == client.principal {
			for _, s := range d.scopes {
				if !slices.Contains(k.scopes, s) {
					k.scopes = append(k.scopes, s)
				}
			}
			return
		}
	}
	e.consents = append(e.consents, &consent{id: newRand(e.s.opt.Seed, newUUID()).uuid(), application: client.principal, user: u, scopes: slices.Clone(d.scopes)})
}

// deviceView is what the page shows.
type deviceView struct {
	Path, Code, Name, Domain, Message, Done string
	Asks                                    []string
	Users                                   []string
}

func (e *entra) devicePage(c *Call) (*Reply, error) {
	return e.showDevice(c, deviceView{Code: c.Query.Get("otc")})
}

// deviceSignIn answers the page's form: code, name and password, and yes or no to what the application asks for.
func (e *entra) deviceSignIn(c *Call) (*Reply, error) {
	f, err := url.ParseQuery(string(c.Body))
	if err != nil {
		return nil, aadsts(400, "invalid_request", 9000411, "The request is not properly formatted.")
	}
	v := deviceView{Code: f.Get("otc"), Name: strings.TrimSpace(f.Get("loginfmt"))}
	u, err := e.prove(v.Name, f.Get("passwd"))
	e.mu.Lock()
	d := e.byUserCodeLocked(v.Code, c.Now)
	switch {
	case d == nil:
		v.Message = "AADSTS70019: The code is not right, has expired or was used. Ask the application for a new one."
	case f.Get("cancel") != "":
		d.declined, v.Done = true, "You declined. You can close this window."
	case err != nil:
		var refused *Error
		if errors.As(err, &refused) {
			v.Message = refused.Message
		}
	case !u.administrator() && slices.ContainsFunc(d.scopes, func(s string) bool { return strings.HasSuffix(s, ".All") }):
		v.Message = "AADSTS90094: An administrator of " + e.s.tenant.Domain + " has to sign in: the application asks for what only he can grant."
	case f.Get("accept") == "":
		v.Asks = d.scopes
	default:
		e.agreeLocked(d, u)
		v.Done = "You have signed in. You can close this window and go back to the application."
	}
	e.mu.Unlock()
	return e.showDevice(c, v)
}

func (e *entra) showDevice(c *Call, v deviceView) (*Reply, error) {
	v.Path, v.Domain, v.Users = c.Path, e.s.tenant.Domain, e.users()
	var b bytes.Buffer
	if err := deviceTemplate.Execute(&b, v); err != nil {
		return nil, err
	}
	return htmlPage(http.StatusOK, b.Bytes()), nil
}

// deviceControl lets tests answer for a person: POST /devices {"code", "user", "answer": accept, decline or expire, "tenant"}.
func (s *Sim) deviceControl() {
	s.control.HandleFunc("POST /devices", func(w http.ResponseWriter, r *http.Request) {
		var in struct {
			Code   string `json:"code"`   // that the person enters; empty is the only one that waits
			User   string `json:"user"`   // empty is the administrator
			Answer string `json:"answer"` // accept, decline or expire
			Tenant string `json:"tenant"` // another tenant that he signs in to
		}
		if !controlDecode(w, r, &in) {
			return
		}
		if in.User == "" {
			in.User = s.dir.all()[0].UPN
		}
		u := s.dir.find(in.User)
		s.entra.mu.Lock()
		defer s.entra.mu.Unlock()
		var d *device
		for _, one := range s.entra.devices {
			if one.person == nil && !one.declined && s.now().Before(one.expires) && (in.Code == "" || strings.EqualFold(one.user, in.Code)) {
				d = one
			}
		}
		if d == nil || u == nil {
			controlError(w, http.StatusNotFound, errors.New("no such code waits, or no such user"))
			return
		}
		switch in.Answer {
		case "accept":
			if in.Tenant != "" {
				d.tenant = in.Tenant
			}
			s.entra.agreeLocked(d, u)
		case "decline":
			d.declined = true
		case "expire":
			d.expires = s.now()
		default:
			controlError(w, http.StatusBadRequest, errors.New("answer is accept, decline or expire"))
			return
		}
		controlJSON(w, map[string]json.RawMessage{})
	})
}

var deviceTemplate = template.Must(template.New("device").Parse(pageHead + `
<h1>Sign in on another device</h1>
{{with .Message}}<p class="error" role="alert">{{.}}</p>{{end}}
{{if .Done}}<p role="status">{{.Done}}</p>{{else}}
<p>This is the simulated organization {{.Domain}}, not Microsoft. Enter the code that the application shows.</p>
<form method="post" action="{{.Path}}">
<label for="otc">Code</label>
<input id="otc" name="otc" value="{{.Code}}" autocomplete="off" autocapitalize="characters" spellcheck="false" required>
<label for="loginfmt">Administrator</label>
<input id="loginfmt" name="loginfmt" list="users" value="{{.Name}}" autocomplete="username" autocapitalize="none" spellcheck="false" required>
<datalist id="users">{{range .Users}}<option value="{{.}}"></option>{{end}}</datalist>
<label for="passwd">Password</label>
<input id="passwd" name="passwd" type="password" autocomplete="current-password" required>
{{if .Asks}}<p>The application asks for: {{range .Asks}}<br>{{.}}{{end}}</p>{{end}}
<div class="buttons">
{{if .Asks}}<button class="main" type="submit" name="accept" value="1">Accept</button>{{else}}<button class="main" type="submit">Next</button>{{end}}
<button type="submit" name="cancel" value="1" formnovalidate>Cancel</button>
</div>
</form>
{{end}}
</main>
</body>
</html>
`))
