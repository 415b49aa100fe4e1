// Package harness runs the simulator and the server as processes and talks to them as a stranger would: by the REST contract and by the
// simulator's control port. Process tests and the benchmark stand on it.
package harness

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
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"holdfast/internal/sys"
)

// Build compiles the binary into dir.
func Build(ctx context.Context, dir string) (string, error) {
	bin := filepath.Join(dir, "holdfast")
	cmd := exec.CommandContext(ctx, "go", "build", "-o", bin, "holdfast/cmd/holdfast")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build: %w\n%s", err, out)
	}
	return bin, nil
}

// Process is a holdfast process.
type Process struct {
	cmd  *exec.Cmd
	log  string
	done chan struct{}
	err  error // of Wait, once done is closed
}

// Start runs bin with args; its output goes to the file log, appended.
func Start(bin, log string, args ...string) (*Process, error) {
	f, err := os.OpenFile(log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	p := &Process{cmd: exec.Command(bin, args...), log: log, done: make(chan struct{})}
	p.cmd.Stdout, p.cmd.Stderr = f, f
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	go func() {
		p.err = p.cmd.Wait()
		close(p.done)
	}()
	return p, nil
}

// Pid is the process id.
func (p *Process) Pid() int { return p.cmd.Process.Pid }

// Signal sends s to this process only.
func (p *Process) Signal(s syscall.Signal) error { return p.cmd.Process.Signal(s) }

// Wait gives what the process used, once it has ended.
func (p *Process) Wait(ctx context.Context) (*os.ProcessState, error) {
	select {
	case <-p.done:
		return p.cmd.ProcessState, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// Kill ends the process at once and waits for it.
func (p *Process) Kill() {
	_ = p.cmd.Process.Kill() // it may have ended already
	<-p.done
}

// Stop asks the process to end and waits; it is killed when ctx ends first.
func (p *Process) Stop(ctx context.Context) (*os.ProcessState, error) {
	if err := p.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return nil, err
	}
	state, err := p.Wait(ctx)
	if err != nil {
		p.Kill()
	}
	return state, err
}

// Ended tells whether the process has ended by itself.
func (p *Process) Ended() bool {
	select {
	case <-p.done:
		return true
	default:
		return false
	}
}

// Log is the tail of what the process wrote.
func (p *Process) Log() string {
	b, err := os.ReadFile(p.log)
	if err != nil {
		return err.Error()
	}
	if len(b) > 8<<10 {
		b = b[len(b)-8<<10:]
	}
	return string(b)
}

// CPU is the user and system time that a running process has used so far, of all its threads.
func (p *Process) CPU() (time.Duration, error) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p.cmd.Process.Pid))
	if err != nil {
		return 0, err
	}
	f := strings.Fields(string(b[bytes.LastIndexByte(b, ')')+1:]))
	if len(f) < 13 {
		return 0, errors.New("/proc stat is not understood")
	}
	user, err := strconv.ParseInt(f[11], 10, 64)
	if err != nil {
		return 0, err
	}
	system, err := strconv.ParseInt(f[12], 10, 64)
	return time.Duration(user+system) * 10 * time.Millisecond, err // USER_HZ is 100 on Linux
}

// PeakRSS is the highest resident size so far, in bytes.
func (p *Process) PeakRSS() (int64, error) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(b)) {
		if rest, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			n, err := strconv.ParseInt(strings.Fields(rest)[0], 10, 64)
			return n << 10, err
		}
	}
	return 0, errors.New("no VmHWM in /proc")
}

// FreePort finds a port on loopback that nobody uses now.
func FreePort() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer l.Close()
	return l.Addr().String(), nil
}

// Until asks ok again and again until it says yes.
func Until(ctx context.Context, every time.Duration, ok func() (bool, error)) error {
	for {
		yes, err := ok()
		if yes || err != nil {
			return err
		}
		if err := sys.System.Sleep(ctx, every); err != nil {
			return err
		}
	}
}

// Tenant is tenant.json of the simulator.
type Tenant struct {
	TenantID            string `json:"tenantId"`
	Domain              string `json:"domain"`
	Region              string `json:"region"`
	LoginHost           string `json:"loginHost"`
	GraphHost           string `json:"graphHost"`
	ApplicationID       string `json:"applicationId"`
	ApplicationSecret   string `json:"applicationSecret"`
	CertificatePFX      string `json:"certificatePfx"`
	CertificatePassword string `json:"certificatePassword"`
	Users               []User `json:"users"`
}

// User is somebody of the simulated organization; Mailbox and Drive are empty where there is none.
type User struct {
	ID      string `json:"id"`
	UPN     string `json:"upn"`
	Mailbox string `json:"mailbox"`
	Drive   string `json:"drive"`
}

// Sim is a running simulator.
type Sim struct {
	*Process
	Dir, Listen, Control string
	Tenant               Tenant
}

// StartSim runs the simulator with further flags and waits until it serves.
func StartSim(ctx context.Context, bin, dir string, flags ...string) (*Sim, error) {
	s := &Sim{Dir: dir}
	var err error
	if s.Listen, err = FreePort(); err != nil {
		return nil, err
	}
	if s.Control, err = FreePort(); err != nil {
		return nil, err
	}
	args := append([]string{"sim", "--dir", dir, "--listen", s.Listen, "--control", s.Control}, flags...)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	if s.Process, err = Start(bin, filepath.Join(dir, "sim.log"), args...); err != nil {
		return nil, err
	}
	err = Until(ctx, 20*time.Millisecond, func() (bool, error) {
		if s.Ended() {
			return false, fmt.Errorf("the simulator ended: %s", s.Log())
		}
		return s.Ask(ctx, http.MethodGet, "/stats", nil, nil) == nil, nil
	})
	if err == nil {
		err = readJSON(filepath.Join(dir, "tenant.json"), &s.Tenant)
	}
	if err != nil {
		s.Kill()
		return nil, err
	}
	return s, nil
}

func readJSON(file string, v any) error {
	b, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	return json.Unmarshal(b, v)
}

// Ask calls the control port. out may be a *[]byte for an answer as it stands.
func (s *Sim) Ask(ctx context.Context, method, path string, in, out any) error {
	var body io.Reader
	if in != nil {
		b, err := json.Marshal(in)
		if err != nil {
			return err
		}
		body = bytes.NewReader(b)
	}
	req, err := http.NewRequestWithContext(ctx, method, "http://"+s.Control+path, body)
	if err != nil {
		return err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	return answer(resp, "simulator "+method+" "+path, out)
}

func answer(resp *http.Response, what string, out any) error {
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	if resp.StatusCode >= 400 {
		return &StatusError{Status: resp.StatusCode, What: what, Body: string(b)}
	}
	switch out := out.(type) {
	case nil:
		return nil
	case *[]byte:
		*out = b
		return nil
	}
	if err := json.Unmarshal(b, out); err != nil {
		return fmt.Errorf("%s: %w: %.200s", what, err, b)
	}
	return nil
}

// StatusError is an answer of 400 and above.
type StatusError struct {
	Status     int
	What, Body string
}

func (e *StatusError) Error() string { return fmt.Sprintf("%s: %d %s", e.What, e.Status, e.Body) }

// Client reaches the simulated hosts by their real names, as a client of Microsoft 365 would.
func (s *Sim) Client() (*http.Client, error) {
	pem, err := os.ReadFile(filepath.Join(s.Dir, "ca.pem"))
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		return nil, errors.New("ca.pem holds no certificate")
	}
	dial := func(ctx context.Context, network, _ string) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, network, s.Listen)
	}
	return &http.Client{Transport: &http.Transport{DialContext: dial, TLSClientConfig: &tls.Config{RootCAs: pool}, DisableKeepAlives: true}}, nil
}

// Stats is what the simulator counted.
type Stats struct {
	Endpoints     map[string]struct{ Calls, BatchParts int64 } `json:"endpoints"`
	Requests      int                                          `json:"requests"`
	Calls         int                                          `json:"calls"`
	ResourceUnits map[string]int                               `json:"resourceUnits"`
	EarlyRetries  int                                          `json:"earlyRetries"`
	Violations    int                                          `json:"violations"`
	ViolationList []json.RawMessage                            `json:"violationList"`
	MailsSent     int                                          `json:"mailsSentCount"`
	Throttled     int                                          `json:"throttled"`
}

// Stats reads the counters.
func (s *Sim) Stats(ctx context.Context) (st Stats, err error) {
	return st, s.Ask(ctx, http.MethodGet, "/stats", nil, &st)
}

// Server is a running server and a login to it.
type Server struct {
	*Process
	Bin, Data, REST string
	Password        string
	sim             *Sim
	flags           []string

	http   *http.Client
	mu     sync.Mutex // guards access
	access string
}

// StartServer runs a server over the simulator, with further flags, and logs in.
func StartServer(ctx context.Context, bin, data string, sim *Sim, flags ...string) (*Server, error) {
	s := &Server{Bin: bin, Data: data, sim: sim, flags: flags, Password: "correct horse battery staple"}
	var err error
	if s.REST, err = FreePort(); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(data, 0o700); err != nil {
		return nil, err
	}
	return s, s.Start(ctx)
}

// Start runs the server (again) and waits until it is ready.
func (s *Server) Start(ctx context.Context) error {
	pw := filepath.Join(s.Data, "admin-password")
	if err := os.WriteFile(pw, []byte(s.Password), 0o600); err != nil {
		return err
	}
	args := append([]string{"server", "--data", s.Data, "--rest", s.REST, "--admin-password-file", pw, "--m365-dial", s.sim.Listen, "--m365-ca", filepath.Join(s.sim.Dir, "ca.pem")}, s.flags...)
	var err error
	if s.Process, err = Start(s.Bin, filepath.Join(s.Data, "server.log"), args...); err != nil {
		return err
	}
	err = Until(ctx, 20*time.Millisecond, func() (bool, error) {
		if s.Ended() {
			return false, fmt.Errorf("the server ended: %s", s.Log())
		}
		return s.ready(ctx) == nil, nil
	})
	if err != nil {
		s.Kill()
	}
	return err
}

func (s *Server) ready(ctx context.Context) error {
	if s.http == nil {
		b, err := os.ReadFile(filepath.Join(s.Data, "tls", "rest.pem"))
		if err != nil {
			return err
		}
		pool := x509.NewCertPool()
		if !pool.AppendCertsFromPEM(b) {
			return errors.New("no certificate yet")
		}
		s.http = &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}, MaxIdleConnsPerHost: 1000, MaxConnsPerHost: 1000}}
	}
	resp, err := s.http.Get("https://" + s.REST + "/v8/Health")
	if err != nil {
		return err
	}
	return answer(resp, "health", nil)
}

func (s *Server) token(ctx context.Context, fresh bool) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.access != "" && !fresh {
		return s.access, nil
	}
	form := url.Values{"grant_type": {"password"}, "username": {"admin"}, "password": {s.Password}}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "https://"+s.REST+"/v8/token", strings.NewReader(form.Encode()))
	if err != nil {
		return "", err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	resp, err := s.http.Do(req)
	if err != nil {
		return "", err
	}
	var t struct {
		Access string `json:"access_token"`
	}
	err = answer(resp, "token", &t)
	s.access = t.Access
	return s.access, err
}

// Call makes a call to a path of the contract, such as /v8/Jobs.
func (s *Server) Call(ctx context.Context, method, path string, in, out any) error {
	for again := false; ; again = true {
		token, err := s.token(ctx, again)
		if err != nil {
			return err
		}
		var body io.Reader
		if in != nil {
			b, err := json.Marshal(in)
			if err != nil {
				return err
			}
			body = bytes.NewReader(b)
		}
		req, err := http.NewRequestWithContext(ctx, method, "https://"+s.REST+path, body)
		if err != nil {
			return err
		}
		req.Header.Set("Authorization", "Bearer "+token)
		if in != nil {
			req.Header.Set("Content-Type", "application/json")
		}
		resp, err := s.http.Do(req)
		if err != nil {
			return err
		}
		err = answer(resp, method+" "+path, out)
		var status *StatusError
		if errors.As(err, &status) && status.Status == http.StatusUnauthorized && !again {
			continue
		}
		return err
	}
}

// Raw sends a body of any content and gives the answer as it stands.
func (s *Server) Raw(ctx context.Context, method, path string, body []byte) (status int, answer []byte, err error) {
	token, err := s.token(ctx, false)
	if err != nil {
		return 0, nil, err
	}
	req, err := http.NewRequestWithContext(ctx, method, "https://"+s.REST+path, bytes.NewReader(body))
	if err != nil {
		return 0, nil, err
	}
	req.Header.Set("Authorization", "Bearer "+token)
	req.Header.Set("Content-Type", "application/json")
	resp, err := s.http.Do(req)
	if err != nil {
		return 0, nil, err
	}
	defer resp.Body.Close()
	answer, err = io.ReadAll(resp.Body)
	return resp.StatusCode, answer, err
}

type id struct {
	ID string `json:"id"`
}

// AddOrganization adds the simulated organization, by secret or by certificate.
func (s *Server) AddOrganization(ctx context.Context, byCertificate bool) (string, error) {
	t := s.sim.Tenant
	settings := map[string]any{"useApplicationOnlyAuth": true, "officeOrganizationName": t.Domain, "applicationId": t.ApplicationID}
	if byCertificate {
		settings["applicationCertificate"], settings["applicationCertificatePassword"] = t.CertificatePFX, t.CertificatePassword
	} else {
		settings["applicationSecret"] = t.ApplicationSecret
	}
	var o id
	err := s.Call(ctx, http.MethodPost, "/v8/Organizations", map[string]any{"type": "Office365", "region": t.Region, "isExchangeOnline": true, "isSharePointOnline": true,
		"exchangeOnlineSettings": settings, "sharePointOnlineSettings": settings}, &o)
	return o.ID, err
}

// AddRepository makes a repository in a folder.
func (s *Server) AddRepository(ctx context.Context, name, path string) (string, error) {
	var proxies struct{ Results []id }
	if err := s.Call(ctx, http.MethodGet, "/v8/Proxies", nil, &proxies); err != nil {
		return "", err
	}
	if len(proxies.Results) == 0 {
		return "", errors.New("the server has no proxy")
	}
	var r id
	err := s.Call(ctx, http.MethodPost, "/v8/BackupRepositories", map[string]any{"name": name, "path": path, "proxyId": proxies.Results[0].ID,
		"retentionType": "SnapshotBased", "retentionPeriodType": "Yearly", "yearlyRetentionPeriod": "Years3"}, &r)
	return r.ID, err
}

// AddJob makes a job for the whole organization; more is merged into the body.
func (s *Server) AddJob(ctx context.Context, name, organization, repository string, more map[string]any) (string, error) {
	body := map[string]any{"name": name, "organizationId": organization, "repositoryId": repository, "backupType": "EntireOrganization", "isEnabled": true}
	for k, v := range more {
		body[k] = v
	}
	var j id
	err := s.Call(ctx, http.MethodPost, "/v8/Jobs", body, &j)
	return j.ID, err
}

// Session is a job session.
type Session struct {
	ID         string     `json:"id"`
	Status     string     `json:"status"`
	Details    string     `json:"details"`
	Type       string     `json:"jobSessionConfigType"`
	Created    time.Time  `json:"creationTime"`
	Ended      *time.Time `json:"endTime"`
	Statistics struct {
		Transferred int64 `json:"transferredDataBytes"`
		Objects     int64 `json:"processedObjects"`
	} `json:"statistics"`
}

// StartJob starts a job.
func (s *Server) StartJob(ctx context.Context, job string) (se Session, err error) {
	return se, s.Call(ctx, http.MethodPost, "/v8/Jobs/"+job+"/start", map[string]any{}, &se)
}

// WaitSession waits until a session has ended.
func (s *Server) WaitSession(ctx context.Context, session string) (se Session, err error) {
	err = Until(ctx, 50*time.Millisecond, func() (bool, error) {
		if s.Ended() {
			return false, fmt.Errorf("the server ended: %s", s.Log())
		}
		if err := s.Call(ctx, http.MethodGet, "/v8/JobSessions/"+session, nil, &se); err != nil {
			return false, err
		}
		return se.Status != "Running" && se.Status != "Queued", nil
	})
	return se, err
}

// RunJob starts a job, waits, and demands Success.
func (s *Server) RunJob(ctx context.Context, job string) (Session, error) {
	se, err := s.StartJob(ctx, job)
	if err != nil {
		return se, err
	}
	if se, err = s.WaitSession(ctx, se.ID); err != nil {
		return se, err
	}
	if se.Status != "Success" {
		return se, fmt.Errorf("session %s ended with %s: %s\n%s", se.ID, se.Status, se.Details, s.SessionLog(ctx, se.ID))
	}
	return se, nil
}

// SessionLog is a session's log as text.
func (s *Server) SessionLog(ctx context.Context, session string) string {
	var p struct {
		Results []struct {
			Type, Message string
		}
	}
	if err := s.Call(ctx, http.MethodGet, "/v8/JobSessions/"+session+"/LogItems?limit=1000", nil, &p); err != nil {
		return err.Error()
	}
	var b strings.Builder
	for _, l := range p.Results {
		fmt.Fprintf(&b, "%s: %s\n", l.Type, l.Message)
	}
	return b.String()
}
