package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
)

// connection is how the command line reaches a server. "holdfast login" keeps it in a file of mode 0600.
type connection struct {
	Server  string    `json:"server"`
	CA      string    `json:"ca"`           // PEM
	Access  string    `json:"accessToken"`  // or an API key
	Refresh string    `json:"refreshToken"` // empty for an API key
	Expires time.Time `json:"expires"`
}

// client calls the REST API.
type client struct {
	connection
	file string // where the connection is kept; empty: nowhere
	http *http.Client
}

// apiError is what the server answered.
type apiError struct {
	status  int
	Message string `json:"message"`
	Code    string `json:"errorCode"`
	factor  string // the second factor that a login lacks
}

func (e *apiError) Error() string {
	if e.Message == "" {
		return fmt.Sprintf("the server answered %d", e.status)
	}
	return e.Message
}

// connectionFile is HOLDFAST_SESSION or a file in the user's configuration folder.
func connectionFile() (string, error) {
	if f := os.Getenv("HOLDFAST_SESSION"); f != "" {
		return f, nil
	}
	dir, err := os.UserConfigDir()
	if err != nil {
		return "", fmt.Errorf("find a place for the login: %w (set HOLDFAST_SESSION to a file)", err)
	}
	return filepath.Join(dir, "holdfast", "session.json"), nil
}

// newClient uses the login that is kept.
func newClient() (*client, error) {
	file, err := connectionFile()
	if err != nil {
		return nil, err
	}
	raw, err := os.ReadFile(file)
	if errors.Is(err, os.ErrNotExist) {
		return nil, errors.New(`not logged in: run "holdfast login" first`)
	} else if err != nil {
		return nil, err
	}
	c := &client{file: file}
	if err := json.Unmarshal(raw, &c.connection); err != nil {
		return nil, fmt.Errorf(`%s can't be read (%w): run "holdfast login" again`, file, err)
	}
	return c, c.dial()
}

func (c *client) dial() error {
	pool, err := x509.SystemCertPool()
	if err != nil {
		pool = x509.NewCertPool()
	}
	if c.CA != "" && !pool.AppendCertsFromPEM([]byte(c.CA)) {
		return errors.New("the server's certificate file holds no certificate in PEM")
	}
	c.http = &http.Client{Transport: &http.Transport{
		TLSClientConfig: &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}, Proxy: http.ProxyFromEnvironment,
		DialContext: (&net.Dialer{Timeout: 10 * time.Second}).DialContext, TLSHandshakeTimeout: 10 * time.Second,
	}}
	return nil
}

// save keeps the login for the next command.
func (c *client) save() error {
	if c.file == "" {
		return nil
	}
	if err := os.MkdirAll(filepath.Dir(c.file), 0o700); err != nil {
		return err
	}
	raw, err := json.MarshalIndent(c.connection, "", "  ")
	if err != nil {
		return err
	}
	return writeFile(c.file, raw)
}

// writeFile replaces a file of mode 0600 whole.
func writeFile(name string, data []byte) error {
	if err := os.WriteFile(name+".new", data, 0o600); err != nil {
		return err
	}
	return os.Rename(name+".new", name)
}

// login gets a token pair.
func (c *client) login(ctx context.Context, form url.Values) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.Server+"/v8/token", strings.NewReader(form.Encode()))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	resp, err := c.http.Do(req)
	if err != nil {
		return c.unreachable(err)
	}
	defer resp.Body.Close()
	var t struct {
		Access      string    `json:"access_token"`
		Refresh     string    `json:"refresh_token"`
		Expires     time.Time `json:".expires"`
		Description string    `json:"error_description"`
		Factor      string    `json:"second_factor"`
	}
	if err := json.NewDecoder(io.LimitReader(resp.Body, 1<<20)).Decode(&t); err != nil {
		return fmt.Errorf("%s does not answer like a Holdfast server: %w", c.Server, err)
	}
	if resp.StatusCode != http.StatusOK {
		return &apiError{status: resp.StatusCode, Message: t.Description, factor: t.Factor}
	}
	c.Access, c.Refresh, c.Expires = t.Access, t.Refresh, t.Expires
	return nil
}

func (c *client) unreachable(err error) error {
	var unknown x509.UnknownAuthorityError
	if errors.As(err, &unknown) {
		return fmt.Errorf("the certificate of %s is not trusted: log in with --ca and the server's certificate (DATA/tls/rest.pem on the server)", c.Server)
	}
	var op *net.OpError
	if errors.As(err, &op) {
		return fmt.Errorf("cannot reach %s (%w): is the server running?", c.Server, op.Err)
	}
	return err
}

// send makes a call to path below /v8 with in as JSON body (nil: none). The caller closes the body.
func (c *client) send(ctx context.Context, method, path string, in any) (*http.Response, error) {
	var body []byte
	if in != nil {
		var err error
		if body, err = json.Marshal(in); err != nil {
			return nil, err
		}
	}
	for again := false; ; again = true {
		if !c.Expires.IsZero() && time.Until(c.Expires) < time.Minute || again {
			if err := c.login(ctx, url.Values{"grant_type": {"refresh_token"}, "refresh_token": {c.Refresh}}); err != nil {
				var api *apiError
				if errors.As(err, &api) {
					return nil, errors.New(`the login has expired: run "holdfast login"`)
				}
				return nil, err
			}
			if err := c.save(); err != nil {
				return nil, err
			}
		}
		if !strings.HasPrefix(path, "/holdfast/") {
			path = "/v8" + strings.TrimPrefix(path, "/v8")
		}
		req, err := http.NewRequestWithContext(ctx, method, c.Server+path, bytes.NewReader(body))
		if err != nil {
			return nil, err
		}
		req.Header.Set("Authorization", "Bearer "+c.Access)
		if in != nil {
			req.Header.Set("Content-Type", "application/json")
		}
		resp, err := c.http.Do(req)
		if err != nil {
			return nil, c.unreachable(err)
		}
		if resp.StatusCode == http.StatusUnauthorized && !again && c.Refresh != "" {
			resp.Body.Close()
			continue
		}
		if resp.StatusCode >= 400 {
			defer resp.Body.Close()
			e := &apiError{status: resp.StatusCode}
			raw, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
			if err == nil && json.Unmarshal(raw, e) != nil {
				e.Message = strings.TrimSpace(string(raw))
			}
			return nil, e
		}
		return resp, nil
	}
}

// call makes a call and decodes its answer into out (nil: not wanted).
func (c *client) call(ctx context.Context, method, path string, in, out any) error {
	resp, err := c.send(ctx, method, path, in)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if out == nil {
		_, err := io.Copy(io.Discard, io.LimitReader(resp.Body, 1<<20))
		return err
	}
	if err := json.NewDecoder(resp.Body).Decode(out); err != nil {
		return fmt.Errorf("the server's answer can't be read: %w", err)
	}
	return nil
}

func (c *client) get(ctx context.Context, path string, out any) error {
	return c.call(ctx, http.MethodGet, path, nil, out)
}

// page is a page of a collection.
type page[T any] struct {
	Offset  int `json:"offset"`
	Limit   int `json:"limit"`
	Results []T `json:"results"`
}

const pageSize = 1000

// list reads a collection, at most most of it (0: all). A nil body reads, any other searches by POST.
func list[T any](ctx context.Context, c *client, path string, body any, most int) ([]T, error) {
	all := []T{}
	joint := "?"
	if strings.Contains(path, "?") {
		joint = "&"
	}
	method := http.MethodGet
	if body != nil {
		method = http.MethodPost
	}
	for {
		limit := pageSize
		if most > 0 {
			limit = min(limit, most-len(all))
		}
		var p page[T]
		err := c.call(ctx, method, path+joint+"limit="+strconv.Itoa(limit)+"&offset="+strconv.Itoa(len(all)), body, &p)
		if err != nil {
			return nil, err
		}
		all = append(all, p.Results...)
		if len(p.Results) < p.Limit || len(p.Results) == 0 || most > 0 && len(all) >= most {
			return all, nil
		}
	}
}

// with gives run a client; every command that calls the server is made of it.
func with(run func(cmd *cobra.Command, c *client, args []string) error) func(*cobra.Command, []string) error {
	return func(cmd *cobra.Command, args []string) error {
		c, err := newClient()
		if err != nil {
			return err
		}
		return run(cmd, c, args)
	}
}

// warn says on standard error what the owner of the server should do. Who wants JSON reads it from the API; who may not know it is told nothing.
func (c *client) warn(cmd *cobra.Command) {
	var all []string
	if wantsJSON(cmd) || c.get(cmd.Context(), "/holdfast/v1/Warnings", &all) != nil {
		return
	}
	for _, w := range all {
		fmt.Fprintln(cmd.ErrOrStderr(), "warning:", clean(w))
	}
}

// join escapes the parts of a path.
func join(parts ...string) string {
	var b strings.Builder
	for _, p := range parts {
		b.WriteString("/" + url.PathEscape(p))
	}
	return b.String()
}

func newLoginCommand() *cobra.Command {
	var user, passwordFile, keyFile, code, ca string
	c := &client{}
	cmd := &cobra.Command{
		Use:   "login",
		Short: "Log in to a server; later commands use the login",
		Example: `  holdfast login --ca D/tls/rest.pem
  holdfast login --server https://backup.example.com:4443 --password-file ./password
  holdfast login --api-key-file ./key`,
		Args: exact(0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			var err error
			if c.file, err = connectionFile(); err != nil {
				return err
			}
			if ca != "" {
				raw, err := os.ReadFile(ca)
				if err != nil {
					return err
				}
				c.CA = string(raw)
			}
			if err := c.dial(); err != nil {
				return err
			}
			if c.Server = strings.TrimRight(c.Server, "/"); !strings.HasPrefix(c.Server, "https://") {
				return fmt.Errorf("--server %q: write https://HOST:PORT", c.Server)
			}
			if keyFile != "" {
				if passwordFile != "" || code != "" {
					return errors.New("an API key needs no password and no code")
				}
				if user, err = c.loginByKey(cmd, keyFile); err != nil {
					return err
				}
			} else if err := c.loginByPassword(cmd, user, passwordFile, code); err != nil {
				return err
			}
			if err := c.save(); err != nil {
				return fmt.Errorf("keep the login: %w", err)
			}
			if err := done(cmd, map[string]string{"server": c.Server, "user": user}, "logged in to %s as %s", c.Server, user); err != nil {
				return err
			}
			c.warn(cmd)
			return nil
		},
	}
	cmd.Flags().StringVar(&c.Server, "server", "https://127.0.0.1:4443", "address of the server")
	cmd.Flags().StringVar(&ca, "ca", "", "file with the server's certificate or authority (PEM), when the system does not trust it")
	cmd.Flags().StringVar(&user, "user", "admin", "name of the account")
	cmd.Flags().StringVar(&passwordFile, "password-file", "", "file with the password, - for standard input (default: ask)")
	cmd.Flags().StringVar(&code, "code", "", "code of the second factor, or a recovery code (default: ask when one is needed)")
	cmd.Flags().StringVar(&keyFile, "api-key-file", "", "file with an API key to use instead of a password, - for standard input")
	return cmd
}

// loginByPassword asks for the second factor's code when the account has one.
func (c *client) loginByPassword(cmd *cobra.Command, user, passwordFile, code string) error {
	password, err := readSecret(cmd, passwordFile, "Password of "+user+": ")
	if err != nil {
		return err
	}
	form := url.Values{"grant_type": {"password"}, "username": {user}, "password": {password}}
	if code != "" {
		form.Set("code", code)
	}
	err = c.login(cmd.Context(), form)
	var api *apiError
	if code != "" || !errors.As(err, &api) || api.factor == "" {
		return err
	}
	ask := "Code of the second factor: "
	if api.factor == "passkey" { // it needs a browser
		ask = "Recovery code, for passkeys work in browsers only: "
	}
	if code, err = readSecret(cmd, "", ask); err != nil {
		return fmt.Errorf("%s has a second factor: give its code with --code, or use an API key with --api-key-file", user)
	}
	form.Set("code", code)
	return c.login(cmd.Context(), form)
}

// loginByKey keeps an API key as the login, after the server has said whose it is.
func (c *client) loginByKey(cmd *cobra.Command, file string) (user string, err error) {
	if c.Access, err = readSecret(cmd, file, ""); err != nil {
		return "", err
	}
	var session struct {
		User struct {
			Name string `json:"name"`
		} `json:"user"`
	}
	c.Refresh, c.Expires = "", time.Time{}
	err = c.get(cmd.Context(), "/holdfast/v1/session", &session)
	return session.User.Name, err
}

func newLogoutCommand() *cobra.Command {
	return &cobra.Command{
		Use: "logout", Short: "End the login", Args: exact(0),
		RunE: with(func(cmd *cobra.Command, c *client, _ []string) error {
			var err error
			if c.Refresh != "" { // an API key lives on; "holdfast api-key remove" ends it
				err = c.call(cmd.Context(), http.MethodPost, "/token/logout", nil, nil)
			}
			if rerr := os.Remove(c.file); rerr != nil {
				return rerr
			}
			if err != nil {
				return err
			}
			return done(cmd, map[string]string{"server": c.Server}, "logged out of %s", c.Server)
		}),
	}
}
