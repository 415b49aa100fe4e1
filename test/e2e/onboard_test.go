package e2e_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"holdfast/internal/sim"
	"holdfast/test/harness"
)

// tool runs the command line, logged in as the administrator.
func (w *world) tool(args ...string) *exec.Cmd {
	cmd := exec.CommandContext(w.ctx, bin, args...)
	cmd.Env = append(os.Environ(), "HOLDFAST_SESSION="+filepath.Join(w.dir, "session.json"))
	return cmd
}

// An organization is added by an administrator's sign-in alone, backed up, checked, given a new certificate, and backed up again.
func TestOnboardingByDeviceCode(t *testing.T) {
	for name, region := range map[string]string{"worldwide": "Worldwide", "china": "China"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSim(t, "--users", "2", "--limits", "count", "--seed", "72", "--cloud", name)
			w := newServer(t, s)
			password := filepath.Join(w.dir, "password")
			w.must(os.WriteFile(password, []byte(w.server.Password), 0o600))
			if out, err := w.tool("login", "--server", "https://"+w.server.REST, "--user", "admin", "--password-file", password, "--ca", filepath.Join(w.server.Data, "tls", "rest.pem")).CombinedOutput(); err != nil {
				t.Fatalf("login: %v\n%s", err, out)
			}
			// accept answers for the administrator once the command line shows a code.
			accept := func(args ...string) string {
				t.Helper()
				var out, shown bytes.Buffer
				cmd := w.tool(args...)
				cmd.Stdout, cmd.Stderr = &out, &shown
				w.must(cmd.Start())
				w.must(harness.Until(w.ctx, 50*time.Millisecond, func() (bool, error) {
					return s.Ask(w.ctx, http.MethodPost, "/devices", map[string]any{"answer": "accept"}, nil) == nil, nil
				}))
				if err := cmd.Wait(); err != nil {
					t.Fatalf("%v: %v\n%s%s", args, err, shown.String(), out.String())
				}
				if !strings.Contains(shown.String(), "microsoft.com/devicelogin") || !strings.Contains(shown.String(), "enter ") {
					t.Errorf("no code was shown: %s", shown.String())
				}
				return out.String()
			}
			accept("org", "add", s.Tenant.Domain, "--region", region)
			var orgs struct{ Results []struct{ ID string } }
			w.call(http.MethodGet, "/v8/Organizations", nil, &orgs)
			w.org = orgs.Results[0].ID
			var err error
			w.repo, err = w.server.AddRepository(w.ctx, "main", w.place)
			w.must(err)
			// A backup of sites is another test's: here mailboxes and drives are compared, mail by the bytes of its MIME.
			w.job, err = w.server.AddJob(w.ctx, "mailboxes and drives", w.org, w.repo, map[string]any{"backupType": "SelectedItems",
				"selectedItems": []map[string]any{{"type": "PartialOrganization", "mailbox": true, "oneDrive": true, "sites": false, "leaveOut": []string{"export"}}}})
			w.must(err)
			w.backup()
			w.same("after onboarding", w.contents(time.Time{}), w.truth().contents(w.users()))

			check := func() map[string]string {
				t.Helper()
				raw, err := w.tool("org", "check", "--json").Output()
				if err != nil {
					t.Fatalf("org check: %v\n%s", err, raw)
				}
				var report struct {
					Findings []struct{ Area, Name, State, Detail string }
				}
				w.must(json.Unmarshal(raw, &report))
				found := map[string]string{}
				for _, f := range report.Findings {
					found[f.Area+" "+f.Name] = f.State
					if f.State != "ok" && f.State != "note" {
						t.Errorf("%s %s: %s, %s", f.Area, f.Name, f.State, f.Detail)
					}
				}
				return found
			}
			first := check()
			for _, want := range []string{"right Mail.Read", "right Mail.ReadWrite", "right Files.ReadWrite.All", "workload Exchange Online", "workload OneDrive", "clock difference from Microsoft's", "note mail"} {
				if first[want] == "" {
					t.Errorf("org check does not tell of %q: %v", want, first)
				}
			}
			if out, err := w.tool("org", "renew").CombinedOutput(); err != nil || strings.Contains(string(out), "note:") {
				t.Errorf("renew: %v\n%s", err, out)
			}
			for key := range check() {
				if strings.HasPrefix(key, "certificate ") && first[key] != "" {
					t.Errorf("the certificate is still %s", key)
				}
			}
			st := w.stats()
			if st.Endpoints["POST /v1.0/applications/{application}/removeKey"].Calls != 1 || st.TokenCanary != 0 || len(st.RefusedHosts) != 0 || st.Violations != 0 {
				t.Errorf("keys removed %d, tokens elsewhere %d, hosts %v, violations %v", st.Endpoints["POST /v1.0/applications/{application}/removeKey"].Calls, st.TokenCanary, st.RefusedHosts, st.ViolationList)
			}
			w.churn(sim.Churn{Seed: 9, New: 3, Drive: 2})
			w.backup()
			w.same("with the new certificate", w.contents(time.Time{}), w.truth().contents(w.users()))

			// An administrator may do it, too.
			accept("org", "renew", "--sign-in")
			w.verified()
		})
	}
}
