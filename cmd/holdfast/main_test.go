package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"filippo.io/age"
	"github.com/rogpeppe/go-internal/testscript"

	"holdfast/internal/app"
	"holdfast/internal/sim"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"holdfast": main})
}

// password of "admin" at the world's server.
const adminPassword = "correct horse battery staple"

// world is a simulated organization and a server, shared by the scripts.
type world struct {
	d   *app.Demo
	dir string
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{dir: t.TempDir()}
	var log bytes.Buffer
	var err error
	if w.d, err = app.NewDemo(t.Context(), app.DemoConfig{Dir: w.dir, Users: 3, REST: "127.0.0.1:0", AdminPassword: adminPassword, Version: version,
		Log: slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelError}))}); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.WithoutCancel(t.Context()))
	ended := make(chan error, 1)
	go func() { ended <- w.d.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		err := <-ended
		closing, cancel := context.WithTimeout(context.Background(), drainTime)
		defer cancel()
		if cerr := w.d.Close(closing); err != nil || cerr != nil {
			t.Errorf("the server ended with %v, %v", err, cerr)
		}
		if t.Failed() {
			t.Logf("the server's log:\n%s", log.String())
		}
	})
	if err := w.furnish(t.Context()); err != nil {
		t.Fatal(err)
	}
	return w
}

// hostile is a text that would clear the screen, set the window's title and turn the line around.
const hostile = "\x1b[2J\x1b]0;owned\x07gpj\u202egpj.exe"

// furnish puts things of known names into the first user's mailbox and drive.
func (w *world) furnish(ctx context.Context) error {
	user := w.d.Sim.Tenant().Users[0]
	for i, subject := range []string{"budget of the year", hostile, "lost and found"} {
		mime := fmt.Sprintf("From: Mallory <mallory@example.org>\r\nTo: <%s>\r\nDate: Mon, 05 Jan 2026 10:00:0%d +0000\r\nMessage-ID: <script-%d@example.org>\r\nSubject: =?utf-8?B?%s?=\r\nContent-Type: text/plain\r\n\r\nbody %d\r\n",
			user.UPN, i, i, base64.StdEncoding.EncodeToString([]byte(subject)), i)
		if _, err := w.d.Sim.Mutate(sim.Mutation{Op: "deliver", User: user.ID, MIME: []byte(mime)}); err != nil {
			return err
		}
	}
	for _, name := range []string{"plan of the year.txt", "turned\u202etxt.exe"} {
		if err := w.upload(ctx, user.UPN, name, "content of "+name); err != nil {
			return err
		}
	}
	return nil
}

// microsoft calls the simulated Microsoft 365 with the application's rights.
func (w *world) microsoft(ctx context.Context, method, address, contentType, token string, body io.Reader) ([]byte, error) {
	ca, err := os.ReadFile(w.d.Sim.CAFile())
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(ca)
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}, DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, network, w.d.Sim.Addr())
	}}
	defer transport.CloseIdleConnections()
	req, err := http.NewRequestWithContext(ctx, method, address, body)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", contentType)
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	resp, err := (&http.Client{Transport: transport}).Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode >= 300 {
		err = fmt.Errorf("%s %s: %s: %s", method, address, resp.Status, raw)
	}
	return raw, err
}

func (w *world) upload(ctx context.Context, upn, name, content string) error {
	t := w.d.Sim.Tenant()
	form := url.Values{"grant_type": {"client_credentials"}, "client_id": {t.ApplicationID}, "client_secret": {t.ApplicationSecret}, "scope": {"https://graph.microsoft.com/.default"}}
	raw, err := w.microsoft(ctx, http.MethodPost, "https://login.microsoftonline.com/"+t.TenantID+"/oauth2/v2.0/token", "application/x-www-form-urlencoded", "", strings.NewReader(form.Encode()))
	if err != nil {
		return err
	}
	var token struct {
		Access string `json:"access_token"`
	}
	if err := json.Unmarshal(raw, &token); err != nil {
		return err
	}
	_, err = w.microsoft(ctx, http.MethodPut, "https://graph.microsoft.com/v1.0/users/"+upn+"/drive/root:/"+url.PathEscape(name)+":/content", "text/plain", token.Access, strings.NewReader(content))
	return err
}

// setup gives a script its files and variables.
func (w *world) setup(e *testscript.Env) error {
	t := w.d.Sim.Tenant()
	pfx, err := base64.StdEncoding.DecodeString(t.CertificatePFX)
	if err != nil {
		return err
	}
	for name, content := range map[string]string{"password": adminPassword + "\n", "wrong": "wrong password\n", "secret": t.ApplicationSecret, "app.pfx": string(pfx), "pfxpw": t.CertificatePassword,
		"passphrase": "a passphrase for kits\n"} {
		if err := os.WriteFile(filepath.Join(e.WorkDir, name), []byte(content), 0o600); err != nil {
			return err
		}
	}
	identity, err := age.GenerateX25519Identity()
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(e.WorkDir, "identity"), []byte(identity.String()+"\n"), 0o600); err != nil {
		return err
	}
	first, _, _ := strings.Cut(t.Users[0].UPN, "@")
	e.Vars = append(e.Vars, "HOLDFAST_SESSION="+filepath.Join(e.WorkDir, "session.json"), "HOME="+e.WorkDir, "XDG_CONFIG_HOME="+filepath.Join(e.WorkDir, "config"), "TZ=UTC", "RECIPIENT="+identity.Recipient().String(),
		"SERVER=https://"+w.d.Server.Addr(), "ADDR="+w.d.Server.Addr(), "CA="+w.d.Server.CertificateFile(), "SIM_CA="+w.d.Sim.CAFile(), "SIM_ADDR="+w.d.Sim.Addr(), "CONTROL=http://"+w.d.Sim.ControlAddr(),
		"DATA="+filepath.Join(w.dir, "server"), "TENANT="+t.Domain, "APP="+t.ApplicationID, "USER="+t.Users[0].UPN, "FIRST="+first, "SECOND="+t.Users[1].UPN, "REPO="+filepath.Join(w.dir, "repository"))
	return nil
}

// commands are what scripts have besides testscript's own.
var commands = map[string]func(*testscript.TestScript, bool, []string){
	// login: log in to the shared server.
	"login": func(ts *testscript.TestScript, neg bool, args []string) {
		if neg || len(args) > 0 {
			ts.Fatalf("usage: login")
		}
		ts.Check(ts.Exec("holdfast", "login", "--server", ts.Getenv("SERVER"), "--ca", ts.Getenv("CA"), "--password-file", ts.MkAbs("password")))
	},
	// serve DATA: run a second server on a data folder until the script ends; SERVER2 and CA2 are how to reach it.
	"serve": func(ts *testscript.TestScript, neg bool, args []string) {
		if neg || len(args) != 1 {
			ts.Fatalf("usage: serve DATA")
		}
		s, err := app.New(context.Background(), app.ServerConfig{Data: ts.MkAbs(args[0]), REST: "127.0.0.1:0", Dial: ts.Getenv("SIM_ADDR"), CA: ts.Getenv("SIM_CA"), Version: version})
		ts.Check(err)
		ctx, stop := context.WithCancel(context.Background())
		ended := make(chan error, 1)
		go func() { ended <- runAndClose(ctx, s) }()
		ts.Defer(func() {
			stop()
			ts.Check(<-ended)
		})
		ts.Setenv("SERVER2", "https://"+s.Addr())
		ts.Setenv("CA2", s.CertificateFile())
	},
	// capture NAME PATTERN: set a variable to the first group of a pattern in what the command before wrote.
	"capture": func(ts *testscript.TestScript, neg bool, args []string) {
		if neg || len(args) != 2 {
			ts.Fatalf("usage: capture NAME PATTERN")
		}
		m := regexp.MustCompile("(?m)" + args[1]).FindStringSubmatch(ts.ReadFile("stdout"))
		if len(m) != 2 {
			ts.Fatalf("%q matches nothing with one group", args[1])
		}
		ts.Setenv(args[0], m[1])
	},
	// isjson list|object [FIELD…]: the command before wrote JSON and nothing else, and its (first) object has the fields.
	"isjson": func(ts *testscript.TestScript, neg bool, args []string) {
		if neg || len(args) == 0 {
			ts.Fatalf("usage: isjson list|object [FIELD…]")
		}
		var object map[string]any
		var err error
		if args[0] == "list" {
			var all []map[string]any
			if err = json.Unmarshal([]byte(ts.ReadFile("stdout")), &all); err == nil && len(all) > 0 {
				object = all[0]
			}
		} else {
			err = json.Unmarshal([]byte(ts.ReadFile("stdout")), &object)
		}
		if err != nil {
			ts.Fatalf("not a JSON %s: %v", args[0], err)
		}
		for _, field := range args[1:] {
			if _, ok := object[field]; !ok {
				ts.Fatalf("the JSON has no %q", field)
			}
		}
	},
	// harmless: what the command before wrote holds nothing that steers a terminal.
	"harmless": func(ts *testscript.TestScript, neg bool, args []string) {
		for _, stream := range []string{"stdout", "stderr"} {
			for _, r := range ts.ReadFile(stream) {
				if r < 0x20 && r != '\n' || r >= 0x7f && r < 0xa0 || r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069 {
					ts.Fatalf("%s holds %U", stream, r)
				}
			}
		}
	},
	// status CODE COMMAND…: the command ends with this status.
	"status": func(ts *testscript.TestScript, neg bool, args []string) {
		if neg || len(args) < 2 {
			ts.Fatalf("usage: status CODE COMMAND [ARG…]")
		}
		have := "0"
		if err := ts.Exec(args[1], args[2:]...); err != nil {
			have = strings.TrimPrefix(err.Error(), "exit status ")
		}
		if have != args[0] {
			ts.Fatalf("the status is %s, want %s", have, args[0])
		}
	},
	// damage DIR PATTERN: change a byte in the middle of the first file below DIR whose path matches.
	"damage": func(ts *testscript.TestScript, neg bool, args []string) {
		if neg || len(args) != 2 {
			ts.Fatalf("usage: damage DIR PATTERN")
		}
		pattern, done := regexp.MustCompile(args[1]), false
		ts.Check(filepath.WalkDir(ts.MkAbs(args[0]), func(path string, d os.DirEntry, err error) error {
			if err != nil || done || d.IsDir() || !pattern.MatchString(path) {
				return err
			}
			raw, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			raw[len(raw)/2] ^= 1
			done = true
			if err := os.Chmod(path, 0o600); err != nil {
				return err
			}
			return os.WriteFile(path, raw, 0o600)
		}))
		if !done {
			ts.Fatalf("no file matches %q", args[1])
		}
	},
}

// TestScripts runs the command line against one server. "first" makes what the others use and tests the way there; "last" takes a
// repository apart, which is refused while another script explores the organization.
func TestScripts(t *testing.T) {
	w := newWorld(t)
	base := testscript.Params{Setup: w.setup, Cmds: commands, RequireUniqueNames: true, Deadline: time.Time{}}
	first, rest, last := base, base, base
	first.Files = []string{filepath.Join("testdata", "first.txtar")}
	rest.Dir = filepath.Join("testdata", "script")
	last.Files = []string{filepath.Join("testdata", "last.txtar")}
	if !t.Run("first", func(t *testing.T) { testscript.Run(t, first) }) {
		return
	}
	t.Run("rest", func(t *testing.T) { testscript.Run(t, rest) })
	t.Run("last", func(t *testing.T) { testscript.Run(t, last) })
}

func TestCleanMakesHostileTextHarmless(t *testing.T) {
	for in, want := range map[string]string{
		hostile:                  "�[2J�]0;owned�gpjgpj.exe",
		"a\r\nb\tc":              "a  b c",
		"\u009b31mred":           "�31mred",
		"\u2066left\u2069\u200f": "left",
		"Überfällig 待处理 📁":       "Überfällig 待处理 📁",
		"not utf-8: \xff":        "not utf-8: �",
	} {
		if got := clean(in); got != want {
			t.Errorf("clean(%q) = %q, want %q", in, got, want)
		}
	}
}
