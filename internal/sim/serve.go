package sim

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
)

// HostKind is which of the served hosts a request was sent to.
type HostKind int

// The served hosts.
const (
	HostLogin HostKind = iota + 1
	HostGraph
	HostSharePoint // {tenant}.sharepoint.com and {tenant}-my.sharepoint.com
	HostOutlook
)

// Class is the service whose limits and error codes a route has.
type Class int

// The classes of routes.
const (
	ClassNone Class = iota
	ClassIdentity
	ClassOutlook
	ClassSharePoint
	ClassTeams
)

func (c Class) String() string {
	return [...]string{"none", "identity", "outlook", "sharepoint", "teams"}[c]
}

// Handler answers one call.
type Handler func(*Call) (*Reply, error)

// Route is one endpoint. See the package comment.
type Route struct {
	Host           HostKind
	Method         string
	Pattern        string
	Class          Class
	Permissions    []string // application permissions of which any one suffices
	Public         bool     // no bearer token is asked for (login pages, pre-authenticated addresses)
	Delegated      []string // permissions of a person of which any one suffices; applications have no access then, unless OwnApplication
	OwnApplication bool     // an application may call it for itself
	Cost           int      // resource units, default 1
	MaxBody        int64    // default 4 MiB + 64 KiB
	Handle         Handler
}

const defaultMaxBody = 4<<20 + 64<<10

// Call is one request, or one part of a batch.
type Call struct {
	Sim       *Sim
	Method    string
	Host      string
	Path      string // escaped
	Query     url.Values
	RawQuery  string
	Header    http.Header
	Params    map[string]string // unescaped, but for a {name...}
	Body      []byte
	Now       time.Time
	Route     *Route
	App       string // client id of the token, empty on public routes
	Person    *User  // who signed in; nil for an application
	Cost      int
	RequestID string
	Batch     bool // a part of a $batch
	HTTP      *http.Request
	User      *User // set by handlers below /users/{user}, for limits and faults

	host    HostKind
	roles   []string // of the token
	scope   string   // what limits and faults are counted on, for instance a mailbox
	release func()
	drop    bool // the connection breaks instead of an answer
	parts   int  // of a $batch
}

func (c *Call) clientRequestID() string {
	if v := c.Header.Get("client-request-id"); v != "" {
		return v
	}
	return c.RequestID
}

// Prefer reports whether the request's Prefer headers carry the given preference, and its value.
func (c *Call) Prefer(name string) (string, bool) {
	for _, h := range c.Header.Values("Prefer") {
		for _, p := range splitOutside(h, ',') {
			k, v, _ := strings.Cut(strings.TrimSpace(p), "=")
			if strings.EqualFold(strings.TrimSpace(k), name) {
				return strings.Trim(strings.TrimSpace(v), `"`), true
			}
		}
	}
	return "", false
}

// Decode reads the JSON body into v.
func (c *Call) Decode(v any) error {
	if ct := c.Header.Get("Content-Type"); ct != "" && !strings.HasPrefix(strings.ToLower(ct), "application/json") {
		return Fail(http.StatusUnsupportedMediaType, "RequestBodyRead", "A supported MIME type could not be found that matches the content type of the request. None of the supported type(s) 'application/json' matches the content type '%s'.", ct)
	}
	d := json.NewDecoder(bytes.NewReader(c.Body))
	if err := d.Decode(v); err != nil {
		return badJSON(err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return badJSON(io.ErrUnexpectedEOF)
	}
	return nil
}

// URL is the address of path on the host that was called.
func (c *Call) URL(path string) string { return "https://" + c.Host + path }

// Reply is the answer to a call: JSON, bytes or a stream.
type Reply struct {
	Status  int
	Header  http.Header
	Content io.Reader // sent after the headers; closed if it is an io.Closer
	Length  int64     // of Content; -1 if unknown

	body any    // JSON
	raw  []byte // bytes
}

// JSON answers v as JSON.
func JSON(status int, v any) *Reply { return &Reply{Status: status, body: v} }

// Bytes answers b as it stands.
func Bytes(status int, contentType string, b []byte) *Reply {
	return &Reply{Status: status, raw: b, Header: http.Header{"Content-Type": {contentType}}}
}

// With adds a header.
func (r *Reply) With(key, value string) *Reply {
	if r.Header == nil {
		r.Header = http.Header{}
	}
	r.Header.Set(key, value)
	return r
}

// bytes renders a reply that has no stream.
func (r *Reply) bytes() ([]byte, error) {
	if r.body == nil {
		return r.raw, nil
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(r.body); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}

// route is a compiled Route.
type route struct {
	Route
	segs []segment
}

type segment struct {
	literal string // lower case
	param   string
	suffix  string
	rest    bool
}

func (s *Sim) addRoutes(all []Route) error {
	s.routes = map[HostKind][]*route{}
	for _, r := range all {
		if !strings.HasPrefix(r.Pattern, "/") || r.Handle == nil || r.Method == "" || r.Host == 0 {
			return fmt.Errorf("simulator: route %s %q is incomplete", r.Method, r.Pattern)
		}
		c := &route{Route: r}
		if c.Cost == 0 {
			c.Cost = 1
		}
		if !s.cloud.serves(r.Pattern) {
			continue
		}
		if c.MaxBody == 0 {
			c.MaxBody = defaultMaxBody
		}
		for _, p := range strings.Split(r.Pattern[1:], "/") {
			g := segment{literal: strings.ToLower(p)}
			if strings.HasPrefix(p, "{") {
				name, suffix, _ := strings.Cut(p[1:], "}")
				g = segment{param: strings.TrimSuffix(name, "..."), suffix: suffix, rest: strings.HasSuffix(name, "...")}
			}
			c.segs = append(c.segs, g)
		}
		s.routes[r.Host] = append(s.routes[r.Host], c)
	}
	for _, rs := range s.routes {
		slices.SortStableFunc(rs, func(a, b *route) int { return strings.Compare(a.rank(), b.rank()) })
	}
	return nil
}

// rank orders routes so that the first match is the most literal one.
func (r *route) rank() string {
	b := make([]byte, 0, len(r.segs))
	for _, g := range r.segs {
		switch {
		case g.rest:
			b = append(b, '9')
		case g.param != "" && g.suffix == "":
			b = append(b, '5')
		case g.param != "":
			b = append(b, '3')
		default:
			b = append(b, '1')
		}
	}
	return string(b)
}

// pathSegments splits an escaped path and folds OData spellings.
func pathSegments(escaped string) []string {
	parts := strings.Split(strings.Trim(escaped, "/"), "/")
	out := make([]string, 0, len(parts)+2)
	verbatim := false // a path by name has begun: users may have named a file delta()
	for _, p := range parts {
		if verbatim {
			out = append(out, p)
			continue
		}
		if strings.HasSuffix(p, ":") {
			verbatim = true
			out = append(out, p)
			continue
		}
		u, err := url.PathUnescape(p)
		if err != nil {
			u = p
		}
		if name, ok := strings.CutSuffix(u, "()"); ok {
			u, p = name, name
		}
		if name, ok := strings.CutPrefix(u, "microsoft.graph."); ok {
			p = name
		}
		if i := strings.Index(u, "('"); i > 0 && strings.HasSuffix(u, "')") {
			out = append(out, u[:i], url.PathEscape(strings.ReplaceAll(u[i+2:len(u)-2], "''", "'")))
			continue
		}
		out = append(out, p)
	}
	return out
}

func (r *route) match(segs []string) (map[string]string, bool) {
	var params map[string]string
	set := func(k, v string) {
		if params == nil {
			params = map[string]string{}
		}
		params[k] = v
	}
	for i, g := range r.segs {
		if g.rest {
			if i >= len(segs) {
				return nil, false
			}
			set(g.param, strings.Join(segs[i:], "/"))
			return params, true
		}
		if i >= len(segs) {
			return nil, false
		}
		if g.param == "" {
			if !strings.EqualFold(g.literal, segs[i]) {
				return nil, false
			}
			continue
		}
		v, err := url.PathUnescape(segs[i])
		if err != nil || v == "" {
			return nil, false
		}
		if g.suffix != "" {
			if v = strings.TrimSuffix(v, g.suffix); len(v)+len(g.suffix) != len(segs[i]) && !strings.HasSuffix(segs[i], g.suffix) || v == "" {
				return nil, false
			}
		} else if strings.HasSuffix(segs[i], ":") {
			return nil, false
		}
		set(g.param, v)
	}
	return params, len(segs) == len(r.segs)
}

// find returns the route of a call; known says whether another method exists at that path.
func (s *Sim) find(host HostKind, method, path string) (r *route, params map[string]string, known bool) {
	segs := pathSegments(path)
	for _, c := range s.routes[host] {
		p, ok := c.match(segs)
		if !ok {
			continue
		}
		known = true
		if c.Method == method {
			return c, p, true
		}
	}
	return nil, nil, known
}

func (s *Sim) serveHTTP(w http.ResponseWriter, r *http.Request) {
	select {
	case s.slots <- struct{}{}:
		defer func() { <-s.slots }()
	case <-r.Context().Done():
		return
	}
	host := strings.ToLower(r.Host)
	if h, _, ok := strings.Cut(host, ":"); ok {
		host = h
	}
	kind, ok := s.hosts[host]
	s.stats.host(host, ok)
	if !ok {
		s.stray(r)
		http.Error(w, "Misdirected Request", http.StatusMisdirectedRequest)
		return
	}
	c := &Call{Sim: s, Method: r.Method, Host: host, Path: r.URL.EscapedPath(), RawQuery: r.URL.RawQuery, Header: r.Header, HTTP: r, host: kind}
	reply := s.handle(c, func(max int64) ([]byte, error) { return readBody(r.Body, max) })
	s.write(w, c, reply)
}

// credentials are the parameters by which somebody proves at a login host who he is.
var credentials = []string{"client_assertion=", "client_secret=", "refresh_token=", "device_code=", "assertion="}

// stray counts a request to a host of another cloud that offers a token or proves an identity.
func (s *Sim) stray(r *http.Request) {
	body, _ := readBody(r.Body, 1<<20) // what is longer is no login
	if r.Header.Get("Authorization") != "" || slices.ContainsFunc(credentials, func(c string) bool { return strings.Contains(string(body), c) }) {
		s.stats.canary()
	}
}

func readBody(r io.Reader, max int64) ([]byte, error) {
	b, err := io.ReadAll(io.LimitReader(r, max+1))
	if err != nil {
		return nil, Fail(http.StatusBadRequest, "BadRequest", "The request body could not be read: %v", err)
	}
	if int64(len(b)) > max {
		return nil, Fail(http.StatusRequestEntityTooLarge, "RequestEntityTooLarge", "The request is too large. The maximum is %d bytes.", max)
	}
	return b, nil
}

// handle takes a call from its path to its answer: route, token, permission, limit, fault, handler.
func (s *Sim) handle(c *Call, body func(max int64) ([]byte, error)) *Reply {
	c.Now = s.now()
	c.RequestID = newUUID()
	fail := func(err error) *Reply { return replyOf(c, nil, err) }
	rt, params, known := s.find(c.host, c.Method, c.Path)
	if rt == nil {
		s.stats.count(c, "unknown")
		if known {
			return fail(Fail(http.StatusMethodNotAllowed, "Request_BadRequest", "Specified HTTP method is not allowed for the request target."))
		}
		segs := pathSegments(c.Path)
		return fail(Fail(http.StatusBadRequest, "BadRequest", "Resource not found for the segment '%s'.", segs[len(segs)-1]))
	}
	c.Route, c.Params, c.Cost = &rt.Route, params, rt.Cost
	s.stats.count(c, rt.Method+" "+rt.Pattern)
	reply := s.admitted(c, body)
	if c.release != nil {
		c.release()
	}
	s.observe(c, reply) // judged as it was meant, before it is damaged
	s.faults.after(c, reply)
	s.stats.answered(c, reply)
	if l, ok := s.limiters[c.Route.Class].(*sharePointLimiter); ok {
		l.observe(c, reply)
	}
	return reply
}

func (s *Sim) admitted(c *Call, body func(max int64) ([]byte, error)) *Reply {
	fail := func(err error) *Reply { return replyOf(c, nil, err) }
	var err error
	if c.Query, err = url.ParseQuery(c.RawQuery); err != nil {
		return fail(Fail(http.StatusBadRequest, "BadRequest", "The query string is malformed."))
	}
	if !c.Route.Public {
		if err := s.entra.authorize(c); err != nil {
			return fail(err)
		}
	}
	c.scope = s.scopeOf(c)
	s.stats.arrived(c)
	if l := s.limiters[c.Route.Class]; l != nil {
		release, err := l.Admit(c)
		if err != nil {
			return fail(err)
		}
		c.release = release
	}
	if r := s.faults.before(c); r != nil {
		return r
	}
	if c.Body, err = body(c.Route.MaxBody); err != nil {
		return fail(err)
	}
	s.stats.received(c)
	reply, err := c.Route.Handle(c)
	return replyOf(c, reply, err)
}

func (s *Sim) write(w http.ResponseWriter, c *Call, r *Reply) {
	if c.drop {
		panic(http.ErrAbortHandler)
	}
	h := w.Header()
	for k, v := range r.Header {
		h[k] = v
	}
	h.Set("request-id", c.RequestID)
	h.Set("client-request-id", c.clientRequestID())
	h.Set("Date", c.Now.Format(http.TimeFormat))
	var b []byte
	if r.Content == nil {
		var err error
		if b, err = r.bytes(); err != nil {
			panic(http.ErrAbortHandler)
		}
		if r.body != nil && h.Get("Content-Type") == "" {
			h.Set("Content-Type", "application/json; odata.metadata=minimal; odata.streaming=true; IEEE754Compatible=false; charset=utf-8")
		}
		r.Content, r.Length = bytes.NewReader(b), int64(len(b))
	}
	if cl, ok := r.Content.(io.Closer); ok {
		defer cl.Close()
	}
	if r.Length >= 0 && r.Status != http.StatusNoContent && r.Status != http.StatusNotModified {
		h.Set("Content-Length", strconv.FormatInt(r.Length, 10))
	}
	w.WriteHeader(r.Status)
	if c.Method == http.MethodHead {
		return
	}
	n, err := io.Copy(w, s.faults.body(c, r))
	s.stats.sent(c, n)
	if err != nil {
		panic(http.ErrAbortHandler) // the client sees a broken connection, not a short but valid body
	}
}

func newUUID() string {
	u, err := uuid.NewRandomFromReader(rand.Reader)
	if err != nil {
		panic(err)
	}
	return u.String()
}

// splitOutside splits s at sep where it is not inside double quotes.
func splitOutside(s string, sep byte) []string {
	var out []string
	quoted, from := false, 0
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == '"':
			quoted = !quoted
		case s[i] == sep && !quoted:
			out = append(out, s[from:i])
			from = i + 1
		}
	}
	return append(out, s[from:])
}
