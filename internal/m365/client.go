// Package m365 talks to Microsoft 365: which hosts there are, tokens, retries, budgets and what may be sent where.
// It knows nothing of backup. Package graph builds the typed calls on it.
package m365

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"

	"holdfast/internal/m365/auth"
	"holdfast/internal/m365/throttle"
	"holdfast/internal/sys"
)

// RoundTripPoint is the fault point of every call to Microsoft 365, logins included.
const RoundTripPoint = "m365.roundtrip"

// Network says how connections are made. The zero value dials the real hosts and trusts the system's authorities.
type Network struct {
	// Dial, HOST:PORT, is where every connection goes instead; names, SNI and certificate checks stay.
	Dial string
	// CA holds further trusted authorities in PEM.
	CA []byte
	// DialContext replaces the system's dialler, for tests.
	DialContext sys.DialFunc
}

// ReadCA returns the content of a PEM file with authorities, having checked that it holds one.
func ReadCA(file string) ([]byte, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("read authorities: %w", err)
	}
	if !x509.NewCertPool().AppendCertsFromPEM(data) {
		return nil, fmt.Errorf("%s holds no certificate in PEM", file)
	}
	return data, nil
}

// Config is one application in one tenant.
type Config struct {
	Cloud       Cloud
	Tenant      string // id or domain name
	Application string
	Credential  Credential
	// Person is a token for Graph of somebody who signed in, in the place of a credential.
	Person Secret
	// SharePoint is the organization's name in SharePoint's hosts (NAME of NAME.sharepoint.com). Calls to SharePoint
	// itself need it; Graph does not.
	SharePoint string
	Network    Network
	// Budgets are shared by all clients of a process, so that two jobs of one application share one budget.
	Budgets *throttle.Budgets
	// Limits are the tenant's; the zero value is throttle.Published(0).
	Limits  throttle.Limits
	Clock   sys.Clock   // nil: sys.System
	Faults  *sys.Faults // nil: none
	Version string      // of Holdfast, for the User-Agent
}

// Client makes calls for one application in one tenant. It is safe for use by many goroutines.
type Client struct {
	config Config
	table  []Connection
	http   *http.Client
	tokens *auth.Tokens
	users  *auth.Users
	budget *throttle.Budget
	clock  sys.Clock

	mu      sync.Mutex // guards learned
	learned []string   // names in SharePoint's hosts that Graph told, beside the configured one
}

// New checks the configuration; it makes no call.
func New(c Config) (*Client, error) {
	if c.Cloud.Graph == "" || c.Cloud.Login == "" {
		return nil, errors.New("m365: no cloud given")
	}
	if c.Tenant == "" || c.Application == "" {
		return nil, errors.New("m365: organization and application must be given")
	}
	if strings.ContainsAny(c.Tenant, "/?#%\\ ") {
		return nil, fmt.Errorf("%q is no organization's id or domain name", c.Tenant)
	}
	if c.Clock == nil {
		c.Clock = sys.System
	}
	if c.Limits == (throttle.Limits{}) {
		c.Limits = throttle.Published(0)
	}
	if c.Budgets == nil {
		c.Budgets = &throttle.Budgets{}
	}
	if c.Version == "" {
		c.Version = "dev"
	}
	pool, err := x509.SystemCertPool()
	if err != nil {
		pool = x509.NewCertPool()
	}
	if len(c.Network.CA) > 0 && !pool.AppendCertsFromPEM(c.Network.CA) {
		return nil, errors.New("m365: the given authorities hold no certificate in PEM")
	}
	table := Connections(c)
	dial := c.Network.DialContext
	if dial == nil {
		dial = (&net.Dialer{Timeout: 20 * time.Second, KeepAlive: 30 * time.Second}).DialContext
	}
	transport := &http.Transport{
		DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
			host, port, err := net.SplitHostPort(addr)
			if err != nil || !allows(table, host, port) {
				return nil, fmt.Errorf("%s is not among the connections of this configuration (see \"holdfast ports\")", addr)
			}
			if c.Network.Dial != "" {
				addr = c.Network.Dial
			}
			return dial(ctx, network, addr)
		},
		TLSClientConfig: &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: pool},
		// HTTP/1.1: a request costs Go a third less CPU than over HTTP/2 (1,128 downloads of 33 KB, both ends in one process: 0.23 s against
		// 0.37 s), and a broken connection breaks one request.
		TLSHandshakeTimeout:    20 * time.Second,
		ResponseHeaderTimeout:  150 * time.Second,
		IdleConnTimeout:        90 * time.Second,
		MaxIdleConnsPerHost:    64,
		MaxResponseHeaderBytes: 256 << 10,
		ReadBufferSize:         32 << 10, // twice a TLS record: most answers in few reads
		// Bodies are compared byte for byte; the transport asks for gzip itself and undoes it, which keeps JSON small.
	}
	client := &Client{config: c, table: table, clock: c.Clock}
	client.http = &http.Client{
		Transport:     &faulty{next: transport, faults: c.Faults},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	client.tokens = auth.New(auth.Config{
		LoginHost: c.Cloud.Login, Tenant: c.Tenant, Application: c.Application, Credential: c.Credential,
		Person: c.Person, PersonFor: "https://" + strings.ToLower(c.Cloud.Graph),
		HTTP: client.http, Clock: c.Clock,
	})
	client.users = auth.NewUsers(auth.UsersConfig{LoginHost: c.Cloud.Login, Issuer: c.Cloud.Issuer, HTTP: client.http, Clock: c.Clock})
	client.budget = c.Budgets.For(c.Clock, c.Tenant, c.Application, c.Limits)
	return client, nil
}

// Users signs people in at the configuration's login host.
func (c *Client) Users() *auth.Users { return c.users }

// Close drops idle connections.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// Cloud is the cloud of the client's configuration.
func (c *Client) Cloud() Cloud { return c.config.Cloud }

// Application is the application's id.
func (c *Client) Application() string { return c.config.Application }

// Pause makes every caller of the charges' budgets wait, as after an answer 429. A batch part can say so too.
func (c *Client) Pause(charges []Charge, d time.Duration) {
	for _, charge := range charges {
		if charge.Service != throttle.Graph || len(charges) == 1 {
			c.budget.Pause(charge, d)
		}
	}
}

// Backoff is how long to wait before the n-th repetition (from 1) when the service does not say.
func (c *Client) Backoff(n int) time.Duration { return c.backoff(n) }

// Wait sleeps on the client's clock and books the time as waiting.
func (c *Client) Wait(ctx context.Context, d time.Duration) error {
	return c.wait(ctx, throttle.AccountFrom(ctx), d)
}

// Clock is the client's clock.
func (c *Client) Clock() sys.Clock { return c.clock }

// SignIn gets a token for Graph, which proves tenant, application and credential.
func (c *Client) SignIn(ctx context.Context) error {
	_, err := c.tokens.Token(ctx, c.resource(c.config.Cloud.Graph))
	return err
}

// Roles are the application permissions in the token for Graph, in the names that Microsoft's pages use.
func (c *Client) Roles(ctx context.Context) ([]string, error) {
	return c.RolesAt(ctx, c.config.Cloud.Graph)
}

// RolesAt are the application permissions in the token for a host: that of Graph, or one of the organization's of SharePoint, which has permissions of its own.
func (c *Client) RolesAt(ctx context.Context, host string) ([]string, error) {
	token, err := c.tokens.Token(ctx, c.resource(host))
	if err != nil {
		return nil, err
	}
	// The token is Microsoft's statement to us over TLS; nothing is decided by it that Graph does not check itself.
	parts := strings.Split(token.Reveal(), ".")
	if len(parts) != 3 {
		return nil, fmt.Errorf("the token for %s is not readable", host)
	}
	raw, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		return nil, fmt.Errorf("the token for %s is not readable", host)
	}
	var claims struct {
		Roles []string `json:"roles"`
	}
	if err := json.Unmarshal(raw, &claims); err != nil {
		return nil, fmt.Errorf("the token for %s is not readable", host)
	}
	return claims.Roles, nil
}

// faulty is the one place where a fault can be put into the network.
type faulty struct {
	next   http.RoundTripper
	faults *sys.Faults
}

func (f *faulty) RoundTrip(r *http.Request) (*http.Response, error) {
	fault := f.faults.Hit(RoundTripPoint)
	if fault == nil {
		return f.next.RoundTrip(r)
	}
	if fault.Mode == sys.FaultErrorAfter || fault.Mode == sys.FaultTorn {
		resp, err := f.next.RoundTrip(r)
		if err != nil {
			return nil, err
		}
		if fault.Mode == sys.FaultTorn {
			resp.Body = &torn{ReadCloser: resp.Body, left: max(resp.ContentLength/2, 1), err: fault.Err}
			return resp, nil
		}
		_ = resp.Body.Close()
	} else if r.Body != nil {
		_ = r.Body.Close()
	}
	return nil, fault.Err
}

// CloseIdleConnections lets http.Client reach the transport.
func (f *faulty) CloseIdleConnections() {
	if t, ok := f.next.(*http.Transport); ok {
		t.CloseIdleConnections()
	}
}

type torn struct {
	io.ReadCloser
	left int64
	err  error
}

func (t *torn) Read(p []byte) (int, error) {
	if t.left <= 0 {
		return 0, t.err
	}
	n, err := t.ReadCloser.Read(p[:min(int64(len(p)), t.left)])
	t.left -= int64(n)
	return n, err
}

// Call is one request.
type Call struct {
	Method string
	// URL is absolute and must point to a host of the table; a path beginning with / is Graph's.
	URL    string
	Header http.Header
	Body   []byte
	// Charges are what it costs. Requests to the login service need none.
	Charges []Charge
	// Anonymous addresses are authenticated by themselves; no token is sent and the query is never shown.
	Anonymous bool
	// Repeatable says that calling twice does no harm. GET, HEAD, PUT and DELETE are repeatable anyway; a POST that is not
	// is repeated only when the service surely did nothing.
	Repeatable bool
	// Permission is named when the service denies the call.
	Permission string
	// Follow lets a GET follow redirects to hosts of the table, without the token.
	Follow bool
	// MaxBody bounds the answer; 0 is 64 MiB.
	MaxBody int64
	// Timeout bounds one attempt without a stream; 0 is two minutes.
	Timeout time.Duration
	// JSON refuses an answer 2xx whose body is not JSON and asks again.
	JSON bool
	// NoHTML refuses a stream that says that it is a page of HTML and asks again: something on the way answered in the service's place, and
	// nothing else tells its page from what was asked for.
	NoHTML bool
}

// Response is a whole answer.
type Response struct {
	Status int
	Header http.Header
	Body   []byte
	// URL is where a redirect led in the end.
	URL string
}

const (
	maxBody        = 64 << 20
	maxErrorBody   = 256 << 10
	defaultTimeout = 2 * time.Minute
	// attempts bounds repeated failures; answers that name a time to wait have a bound of their own.
	attempts          = 8
	throttledAttempts = 50
	betweenAttempts   = 3
	staleAttempts     = 10 // with a token that another call has replaced meanwhile
	momentAttempts    = 3  // of a change that meets a lock or another change: what takes longer is for who restores to try again, or to tell
	maxBackoff        = time.Minute
)

// Do makes the call and reads its answer, with retries. An answer of 400 and above is an *Error, except 404 and such are told apart by Kind.
func (c *Client) Do(ctx context.Context, call Call) (*Response, error) {
	var out *Response
	err := c.retry(ctx, &call, func(ctx context.Context, release func()) error {
		defer release()
		timeout := call.Timeout
		if timeout == 0 {
			timeout = defaultTimeout
		}
		ctx, cancel := context.WithTimeout(ctx, timeout)
		defer cancel()
		resp, err := c.send(ctx, &call, nil)
		if err != nil {
			return err
		}
		limit := call.MaxBody
		if limit == 0 {
			limit = maxBody
		}
		body, err := readBounded(resp, limit)
		throttle.AccountFrom(ctx).AddTransfer(int64(len(body)), int64(len(call.Body)))
		if err != nil {
			return &broken{err: err, sent: true}
		}
		if call.JSON && !looksLikeJSON(body) {
			return &broken{err: fmt.Errorf("the answer is not JSON (%s, %d bytes)", resp.Header.Get("Content-Type"), len(body)), sent: true, corrupt: true}
		}
		out = &Response{Status: resp.StatusCode, Header: resp.Header, Body: body, URL: resp.Request.URL.String()}
		return nil
	})
	return out, err
}

// looksLikeJSON tells JSON from pages of HTML and from what is cut off, at the price of two bytes: who decodes sees the rest.
func looksLikeJSON(body []byte) bool {
	body = bytes.TrimSpace(bytes.TrimPrefix(body, []byte("\xef\xbb\xbf")))
	return len(body) == 0 || body[0] == '{' && body[len(body)-1] == '}' || body[0] == '[' && body[len(body)-1] == ']'
}

func readBounded(resp *http.Response, limit int64) ([]byte, error) {
	defer resp.Body.Close()
	if resp.ContentLength > limit {
		return nil, fmt.Errorf("the answer has %d bytes, more than the %d allowed", resp.ContentLength, limit)
	}
	var buf bytes.Buffer
	if resp.ContentLength > 0 {
		buf.Grow(int(resp.ContentLength) + bytes.MinRead)
	}
	_, err := buf.ReadFrom(io.LimitReader(resp.Body, limit+1))
	body := buf.Bytes()
	if err != nil {
		return body, fmt.Errorf("read answer: %w", err)
	}
	if int64(len(body)) > limit {
		return nil, fmt.Errorf("the answer has more than the %d bytes allowed", limit)
	}
	return body, nil
}

// broken is an attempt without a usable answer.
type broken struct {
	err     error
	sent    bool // the request may have reached the service
	corrupt bool
}

func (b *broken) Error() string { return b.err.Error() }
func (b *broken) Unwrap() error { return b.err }

// retry runs attempts until one succeeds, fails for good, or the patience is used up. try must call release when the attempt's charge
// is over; it returns an *Error, a *broken, or an error that ends the call.
func (c *Client) retry(ctx context.Context, call *Call, try func(ctx context.Context, release func()) error) error {
	account := throttle.AccountFrom(ctx)
	name := call.name()
	unauthorized, stale, addresses, moments, failed, throttled := 0, 0, 0, 0, 0, 0
	for {
		release, err := c.budget.Acquire(ctx, call.Charges...)
		if err != nil {
			var paused *throttle.PausedError
			if errors.As(err, &paused) {
				return &Error{Kind: Throttled, Call: name, Code: "paused", Message: paused.Error(), RetryAfter: paused.Until.Sub(c.clock.Now()), Cause: err}
			}
			return err
		}
		err = try(ctx, release)
		if err == nil {
			return nil
		}
		if ctx.Err() != nil {
			return fmt.Errorf("%s: %w", name, context.Cause(ctx))
		}
		var answer *Error
		var lost *broken
		wait := time.Duration(-1)
		switch {
		case errors.As(err, &answer):
			answer.Call = name
			if answer.Status == http.StatusForbidden || answer.Kind == Denied {
				answer.Permission = call.Permission
			}
			switch {
			case answer.Status == http.StatusUnauthorized && !call.Anonymous && answer.stale && stale < staleAttempts:
				stale++ // where many calls run, their token may end again and again before this one uses it
				account.AddRetry()
				continue
			case answer.address && addresses == 0:
				addresses++ // the next one is new, and needs no waiting for
				account.AddRetry()
				continue
			case answer.Status == http.StatusUnauthorized && !call.Anonymous && !answer.address && unauthorized < 2:
				unauthorized++ // send has renewed the token
				account.AddRetry()
				continue
			case answer.Status == http.StatusTooManyRequests || answer.RetryAfter > 0 && (call.repeatable() || answer.Status == http.StatusServiceUnavailable):
				// Told to wait, so nothing was done. Acquire waits: for every caller of the same budget, not only for us.
				throttled++
				account.AddThrottled()
				if answer.RetryAfter <= 0 {
					answer.RetryAfter = c.backoff(throttled)
				}
				c.Pause(call.Charges, answer.RetryAfter)
				if throttled >= throttledAttempts {
					answer.Kind = Throttled
					return answer
				}
				account.AddRetry()
				if len(call.Charges) == 0 {
					if err := c.wait(ctx, account, answer.RetryAfter); err != nil {
						return err
					}
				}
				continue
			case answer.Kind == Unavailable || answer.Kind == Throttled:
				failed++
				// 503 is said before work begins; after 500, 502 and 504 the work may be done.
				if !call.repeatable() && answer.Status != http.StatusServiceUnavailable {
					answer.Unknown = true
					return answer
				}
				wait = c.backoff(failed)
			case answer.OfAMoment(call.Method, call.Header.Get("If-Match") != "", moments+1):
				moments++
				wait = c.backoff(moments) / 4
			case answer.Status == http.StatusBadRequest && answer.between && call.repeatable() && failed < betweenAttempts:
				// What stands between (a proxy, a front door) may find a request garbled that is not; the service itself names what it dislikes.
				failed++
				wait = c.backoff(failed)
			default:
				return answer
			}
			if failed >= attempts {
				return answer
			}
		case errors.As(err, &lost):
			failed++
			kind := Unavailable
			if lost.corrupt {
				kind = Corrupt
			}
			e := &Error{Kind: kind, Call: name, Code: "no usable answer", Message: scrub(lost.err, call), Cause: causeOf(lost.err)}
			if !call.repeatable() && lost.sent {
				e.Unknown = true
				return e
			}
			if failed >= attempts {
				return e
			}
			wait = c.backoff(failed)
		default:
			return err
		}
		account.AddRetry()
		if err := c.wait(ctx, account, wait); err != nil {
			return err
		}
	}
}

func (c *Client) wait(ctx context.Context, account *Account, d time.Duration) error {
	account.AddWait(d)
	return c.clock.Sleep(ctx, d)
}

// backoff doubles from one second to a minute, less up to a quarter at random so that callers spread.
func (c *Client) backoff(n int) time.Duration {
	d := min(time.Second<<min(n-1, 10), maxBackoff)
	var b [1]byte
	_, _ = rand.Read(b[:]) // crypto/rand never fails; spreading needs no seed
	return d - d/4*time.Duration(b[0])/256
}

// causeOf keeps errors that callers look for, without the address that net/http puts around them.
func causeOf(err error) error {
	var u *url.Error
	if errors.As(err, &u) {
		return u.Err
	}
	return err
}

// scrub takes the query of a pre-authenticated address out of an error's text.
func scrub(err error, call *Call) string {
	text := causeOf(err).Error()
	if u, perr := url.Parse(call.URL); perr == nil && call.Anonymous && u.RawQuery != "" {
		text = strings.ReplaceAll(text, u.RawQuery, "***")
	}
	return text
}

func (call *Call) repeatable() bool {
	return call.Repeatable || slices.Contains([]string{http.MethodGet, http.MethodHead, http.MethodPut, http.MethodDelete}, call.Method)
}

// name is method and path, which never hold a token: pre-authenticated addresses carry it in the query, or in the path of
// some upload addresses, of which only the host is shown.
func (call *Call) name() string {
	u, err := url.Parse(call.URL)
	if err != nil {
		return call.Method
	}
	if call.Anonymous {
		return call.Method + " " + u.Host
	}
	return call.Method + " " + u.Path
}

// resource is the audience of a token for host, or "" when no token may be sent there.
func (c *Client) resource(host string) string {
	host = strings.ToLower(host)
	if host == strings.ToLower(c.config.Cloud.Graph) {
		return "https://" + host
	}
	for _, name := range c.sharePointNames() {
		for _, suffix := range []string{"", "-my", "-admin"} {
			if name != "" && host == name+suffix+"."+strings.ToLower(c.config.Cloud.SharePoint) {
				return "https://" + host
			}
		}
	}
	return ""
}

func (c *Client) sharePointNames() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return append([]string{strings.ToLower(c.config.SharePoint)}, c.learned...)
}

// mostNames bounds the names that an organization's hosts have; one in several regions has one for each.
const mostNames = 50

// LearnSharePoint takes a host that Graph named as one of the organization's sites, so that tokens may be sent to it. It must be a name directly
// below the cloud's SharePoint domain.
func (c *Client) LearnSharePoint(host string) error {
	host = strings.ToLower(host)
	if c.resource(host) != "" && host != strings.ToLower(c.config.Cloud.Graph) {
		return nil
	}
	name, ok := strings.CutSuffix(host, "."+strings.ToLower(c.config.Cloud.SharePoint))
	if !ok || !hostMatches("*."+strings.ToLower(c.config.Cloud.SharePoint), host) {
		return &Error{Kind: Invalid, Call: host, Code: "address refused", Message: "it is no host of SharePoint in this cloud"}
	}
	for _, suffix := range []string{"-my", "-admin"} {
		name = strings.TrimSuffix(name, suffix)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.learned) >= mostNames {
		return &Error{Kind: Invalid, Call: host, Code: "address refused", Message: "the organization has too many names of hosts"}
	}
	c.learned = append(c.learned, name)
	return nil
}

// ByCertificate tells whether the application signs in by certificate, which SharePoint's own interface asks for.
func (c *Client) ByCertificate() bool { return c.config.Credential.Certificate() != nil }

// parse checks that an address may be called at all.
func (c *Client) parse(call *Call) (*url.URL, error) {
	raw := call.URL
	if strings.HasPrefix(raw, "/") {
		raw = "https://" + c.config.Cloud.Graph + raw
	}
	u, err := url.Parse(raw)
	if err != nil {
		return nil, &Error{Kind: Invalid, Call: call.Method, Code: "address not understood"}
	}
	port := u.Port()
	if port == "" {
		port = "443"
	}
	if u.Scheme != "https" || u.User != nil || !allows(c.table, u.Hostname(), port) {
		return nil, &Error{Kind: Invalid, Call: call.name(), Code: "address refused",
			Message: fmt.Sprintf("%s is not among the connections of this configuration (see \"holdfast ports\")", u.Host)}
	}
	if !call.Anonymous && c.resource(u.Hostname()) == "" {
		return nil, &Error{Kind: Invalid, Call: call.name(), Code: "address refused",
			Message: fmt.Sprintf("the application's token must not be sent to %s", u.Host)}
	}
	return u, nil
}

const maxRedirects = 5

// send makes one attempt, redirects included. The answer is below 400; others are an *Error. header is added to the call's.
func (c *Client) send(ctx context.Context, call *Call, header http.Header) (*http.Response, error) {
	u, err := c.parse(call)
	if err != nil {
		return nil, err
	}
	anonymous := call.Anonymous
	for hop := 0; ; hop++ {
		req, err := http.NewRequestWithContext(ctx, call.Method, u.String(), bytes.NewReader(call.Body))
		if err != nil {
			return nil, &Error{Kind: Invalid, Call: call.name(), Code: "request not understood"}
		}
		if call.Body == nil {
			req.Body, req.GetBody, req.ContentLength = nil, nil, 0
		}
		for k, v := range call.Header {
			req.Header[k] = v
		}
		for k, v := range header {
			req.Header[k] = v
		}
		req.Header.Set("User-Agent", "ISV|Holdfast|Holdfast/"+c.config.Version)
		if req.Header.Get("Accept") == "" {
			req.Header.Set("Accept", "*/*")
		}
		var token Secret
		resource := c.resource(u.Hostname())
		if !anonymous {
			req.Header.Set("client-request-id", uuid.NewString())
			if token, err = c.tokens.Token(ctx, resource); err != nil {
				return nil, err
			}
			req.Header.Set("Authorization", "Bearer "+token.Reveal())
		}
		resp, err := c.http.Do(req)
		if err != nil {
			return nil, &broken{err: err, sent: wasSent(err)}
		}
		for _, charge := range call.Charges {
			c.budget.Observe(charge, resp.Header)
		}
		switch {
		case resp.StatusCode >= 300 && resp.StatusCode < 400 && resp.StatusCode != http.StatusNotModified:
			location := resp.Header.Get("Location")
			drain(resp)
			next, err := u.Parse(location)
			if err != nil || location == "" || !call.Follow || hop >= maxRedirects {
				return nil, &Error{Kind: Invalid, Status: resp.StatusCode, Call: call.name(), Code: "redirect refused", Message: "this call follows no redirect there"}
			}
			port := next.Port()
			if port == "" {
				port = "443"
			}
			if next.Scheme != "https" || next.User != nil || !allows(c.table, next.Hostname(), port) {
				return nil, &Error{Kind: Invalid, Status: resp.StatusCode, Call: call.name(), Code: "redirect refused",
					Message: fmt.Sprintf("%s is not among the connections of this configuration (see \"holdfast ports\")", next.Host)}
			}
			u, anonymous = next, true // the address carries its own authentication
		case resp.StatusCode >= 400:
			body, _ := readBounded(resp, maxErrorBody) // a cut error body still has its status
			e := parseError(resp.StatusCode, resp.Header, body)
			if e.ClientRequestID == "" {
				e.ClientRequestID = req.Header.Get("client-request-id")
			}
			e.RetryAfter = c.RetryAfter(resp.StatusCode, resp.Header)
			if anonymous {
				e.Message = "" // some hosts repeat the address
			}
			if resp.StatusCode == http.StatusUnauthorized && anonymous && !call.Anonymous {
				e.Kind, e.address = Unavailable, true
			}
			if resp.StatusCode == http.StatusUnauthorized && !anonymous {
				if e.stale, err = c.tokens.Refused(ctx, resource, token, challenge(resp.Header)); err != nil {
					return nil, err
				}
			}
			return nil, e
		default:
			return resp, nil
		}
	}
}

// Renew asks for a new token for a host that refused the present one within an answer, as for parts of a batch.
func (c *Client) Renew(ctx context.Context, host string) error {
	resource := c.resource(host)
	token, err := c.tokens.Token(ctx, resource)
	if err != nil {
		return err
	}
	_, err = c.tokens.Refused(ctx, resource, token, "")
	return err
}

// wasSent is false when the connection was never made, so the service cannot have seen the request.
func wasSent(err error) bool {
	var op *net.OpError
	if errors.As(err, &op) && op.Op == "dial" {
		return false
	}
	var dns *net.DNSError
	var cert *tls.CertificateVerificationError
	return !errors.As(err, &dns) && !errors.As(err, &cert)
}

func drain(resp *http.Response) {
	_, _ = io.CopyN(io.Discard, resp.Body, 64<<10) // only to keep the connection usable
	_ = resp.Body.Close()
}

// RetryAfter reads Retry-After, in seconds or as a date, of an answer 429, 503 or 504, or of a batch part; SharePoint's
// RateLimit-Reset counts when it is later. 0 means that nothing was said.
func (c *Client) RetryAfter(status int, h http.Header) time.Duration {
	if status != http.StatusTooManyRequests && status != http.StatusServiceUnavailable && status != http.StatusGatewayTimeout {
		return 0
	}
	var d time.Duration
	value := strings.TrimSpace(h.Get("Retry-After"))
	if s, err := strconv.ParseFloat(value, 64); err == nil && s > 0 {
		d = 366 * 24 * time.Hour
		if s < d.Seconds() {
			d = time.Duration(s * float64(time.Second))
		}
	} else if at, err := http.ParseTime(value); err == nil {
		// A date is in whole seconds of the service's clock; its own Date header tells how far that is from ours.
		now := c.clock.Now()
		if date, err := http.ParseTime(h.Get("Date")); err == nil {
			now = date
		}
		d = at.Sub(now) + time.Second
	}
	if status == http.StatusTooManyRequests {
		if s, err := strconv.Atoi(h.Get("RateLimit-Reset")); err == nil && s > 0 && s < 24*3600 {
			d = max(d, time.Duration(s)*time.Second)
		}
	}
	return max(d, 0)
}

// challenge is the claims of a WWW-Authenticate header, decoded, or "".
func challenge(h http.Header) string {
	for _, v := range h.Values("WWW-Authenticate") {
		_, rest, ok := strings.Cut(v, `claims="`)
		if !ok {
			continue
		}
		value, _, ok := strings.Cut(rest, `"`)
		if !ok {
			continue
		}
		for _, enc := range []*base64.Encoding{base64.StdEncoding, base64.RawURLEncoding, base64.URLEncoding, base64.RawStdEncoding} {
			if raw, err := enc.DecodeString(value); err == nil && json.Valid(raw) {
				return string(raw)
			}
		}
	}
	return ""
}
