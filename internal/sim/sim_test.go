package sim_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"testing"

	"holdfast/internal/sim"
)

// client speaks to a simulator by the real names, as a product would.
type client struct {
	t     *testing.T
	s     *sim.Sim
	http  *http.Client
	token string
	head  http.Header
}

func start(t *testing.T, o sim.Options) *client {
	t.Helper()
	o.Dir = t.TempDir()
	o = judged(t, o)
	s, err := sim.New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return connect(t, s)
}

func connect(t *testing.T, s *sim.Sim) *client {
	t.Helper()
	pem, err := os.ReadFile(s.CAFile())
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(pem)
	tr := &http.Transport{
		TLSClientConfig:   &tls.Config{RootCAs: pool},
		ForceAttemptHTTP2: true,
		DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, network, s.Addr())
		},
	}
	t.Cleanup(tr.CloseIdleConnections)
	c := &client{t: t, s: s, head: http.Header{}, http: &http.Client{Transport: tr, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
	c.head.Set("Prefer", `IdType="ImmutableId"`)
	return c
}

func (c *client) login() *client {
	c.t.Helper()
	ten := c.s.Tenant()
	status, body := c.form("/"+ten.TenantID+"/oauth2/v2.0/token", url.Values{
		"grant_type": {"client_credentials"}, "client_id": {ten.ApplicationID}, "client_secret": {ten.ApplicationSecret}, "scope": {"https://" + ten.GraphHost + "/.default"}})
	if status != 200 {
		c.t.Fatalf("token: %d %v", status, body)
	}
	c.token = body["access_token"].(string)
	return c
}

func (c *client) form(path string, v url.Values) (int, map[string]any) {
	c.t.Helper()
	resp, err := c.http.PostForm("https://"+c.s.Tenant().LoginHost+path, v)
	if err != nil {
		c.t.Fatal(err)
	}
	defer resp.Body.Close()
	var m map[string]any
	if err := json.NewDecoder(resp.Body).Decode(&m); err != nil {
		c.t.Fatal(err)
	}
	return resp.StatusCode, m
}

type answer struct {
	status int
	header http.Header
	raw    []byte
	m      map[string]any
	err    error // of reading the body
}

// call sends a request to Graph, or to u when that is a whole address. A string or []byte body goes as it is.
func (c *client) call(method, u string, body any, headers ...string) answer {
	c.t.Helper()
	a, err := c.try(method, u, body, headers...)
	if err != nil {
		c.t.Fatal(err)
	}
	return a
}

func (c *client) try(method, u string, body any, headers ...string) (answer, error) {
	if strings.HasPrefix(u, "/") {
		u = "https://" + c.s.Tenant().GraphHost + "/v1.0" + u
	}
	u = strings.ReplaceAll(u, " ", "%20")
	var r io.Reader
	var ct string
	switch b := body.(type) {
	case nil:
	case string:
		r, ct = strings.NewReader(b), "text/plain"
	case []byte:
		r = bytes.NewReader(b)
	default:
		j, err := json.Marshal(body)
		if err != nil {
			return answer{}, err
		}
		r, ct = bytes.NewReader(j), "application/json"
	}
	req, err := http.NewRequest(method, u, r)
	if err != nil {
		return answer{}, err
	}
	req.Header = c.head.Clone()
	if ct != "" {
		req.Header.Set("Content-Type", ct)
	}
	if c.token != "" {
		req.Header.Set("Authorization", "Bearer "+c.token)
	}
	for i := 0; i+1 < len(headers); i += 2 {
		if headers[i+1] == "" {
			req.Header.Del(headers[i])
		} else {
			req.Header.Set(headers[i], headers[i+1])
		}
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return answer{}, err
	}
	defer resp.Body.Close()
	a := answer{status: resp.StatusCode, header: resp.Header}
	a.raw, a.err = io.ReadAll(resp.Body)
	_ = json.Unmarshal(a.raw, &a.m) // bodies that are not JSON leave it nil
	return a, nil
}

func (c *client) want(status int, method, u string, body any, headers ...string) answer {
	c.t.Helper()
	a := c.call(method, u, body, headers...)
	if a.status != status {
		c.t.Fatalf("%s %s: %d, want %d: %.600s", method, u, a.status, status, a.raw)
	}
	return a
}

func (a answer) code() string {
	e, _ := a.m["error"].(map[string]any)
	s, _ := e["code"].(string)
	return s
}

func (a answer) rows() []map[string]any {
	var out []map[string]any
	v, _ := a.m["value"].([]any)
	for _, x := range v {
		out = append(out, x.(map[string]any))
	}
	return out
}

// pages follows nextLinks and returns all rows and the deltaLink.
func (c *client) pages(u string) (rows []map[string]any, delta string) {
	c.t.Helper()
	for n := 0; ; n++ {
		a := c.want(200, "GET", u, nil)
		rows = append(rows, a.rows()...)
		delta, _ = a.m["@odata.deltaLink"].(string)
		next, ok := a.m["@odata.nextLink"].(string)
		if !ok {
			return rows, delta
		}
		if n > 10000 {
			c.t.Fatal("pages do not end")
		}
		u = next
	}
}

func TestUsersAreServedByTheirRealHost(t *testing.T) {
	c := start(t, sim.Options{Users: 5, Seed: 3}).login()
	a := c.want(200, "GET", "/users?$select=id,userPrincipalName&$top=2", nil)
	if len(a.rows()) != 2 || a.m["@odata.nextLink"] == nil {
		t.Fatalf("first page: %s", a.raw)
	}
	rows, _ := c.pages("/users?$top=2")
	if len(rows) != 5 {
		t.Fatalf("%d users, want 5", len(rows))
	}
	ten := c.s.Tenant()
	if len(ten.Users) != 5 || ten.Users[0].ID != rows[0]["id"] {
		t.Errorf("tenant.json and the directory differ: %v, %v", ten.Users[0], rows[0])
	}
	c.want(200, "GET", "/users/"+ten.Users[1].UPN, nil)
	if a := c.want(404, "GET", "/users/nobody", nil); a.code() != "Request_ResourceNotFound" {
		t.Errorf("code %q", a.code())
	}
	c.token = ""
	if a := c.want(401, "GET", "/users", nil); a.code() != "InvalidAuthenticationToken" {
		t.Errorf("code %q", a.code())
	}
}

func TestNamesThatAreNotServedGetNoCertificate(t *testing.T) {
	c := start(t, sim.Options{Users: 1})
	if _, err := c.http.Get("https://graph.microsoft.example/v1.0/users"); err == nil {
		t.Error("a foreign name was served")
	}
}
