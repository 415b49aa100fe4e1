package e2e_test

import (
	"net/http"
	"slices"
	"testing"
	"time"

	"holdfast/internal/sim"
	"holdfast/test/harness"
)

// Each national cloud: back up, lose, restore, compare; the simulator saw its hosts only, and no token went anywhere else, wherever links and
// redirects led.
func TestNationalClouds(t *testing.T) {
	for name, column := range map[string][]string{
		"china":        {"login.partner.microsoftonline.cn", "microsoftgraph.chinacloudapi.cn", "holdfastsim.sharepoint.cn", "holdfastsim-my.sharepoint.cn", "partner.outlook.cn"},
		"usgovernment": {"login.microsoftonline.us", "graph.microsoft.us", "holdfastsim.sharepoint.us", "holdfastsim-my.sharepoint.us", "outlook.office365.us"},
		"usdefence":    {"login.microsoftonline.us", "dod-graph.microsoft.us", "holdfastsim.sharepoint-mil.us", "holdfastsim-my.sharepoint-mil.us", "webmail.apps.mil"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSim(t, "--users", "2", "--limits", "count", "--seed", "71", "--cloud", name)
			w := newServer(t, s)
			w.protect(true)
			roundTrip(w)
			w.onlyHosts(column)

			elsewhere := "graph.microsoft.com"
			w.faults([]sim.Fault{{Name: sim.FaultEmptyPage}, {Name: sim.FaultForeignLink, Host: elsewhere}, {Name: sim.FaultForeignRedirect, Host: "holdfastsim-my.sharepoint.com"}}, nil)
			w.churn(sim.Churn{Seed: 6, New: 40, Drive: 6})
			var run harness.Session
			w.call(http.MethodPost, "/v8/Jobs/"+w.job+"/start", map[string]any{"full": true}, &run)
			run, err := w.server.WaitSession(w.ctx, run.ID)
			w.must(err)
			if fired := w.stats().FaultsFired; fired[sim.FaultForeignLink] == 0 {
				w.Errorf("no link led elsewhere: %v", fired)
			}
			if run.Status == "Success" {
				w.Error("a backup whose pages led elsewhere says that it succeeded")
			}
			w.onlyHosts(column)
			w.faults(nil, nil)
			w.backup()
			w.same("after links led elsewhere", w.contents(time.Time{}), w.truth().contents(w.users()))
			w.verified()
		})
	}
}

// onlyHosts demands that the simulator saw no other host, and no token where none belongs.
func (w *world) onlyHosts(column []string) {
	w.Helper()
	st := w.stats()
	for host := range st.Hosts {
		if !slices.Contains(column, host) {
			w.Errorf("host %s was called", host)
		}
	}
	if len(st.RefusedHosts) != 0 || st.TokenCanary != 0 {
		w.Errorf("other hosts were asked for: %v; %d tokens at hosts where none belongs", st.RefusedHosts, st.TokenCanary)
	}
}
