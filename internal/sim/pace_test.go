package sim_test

import (
	"testing"

	"holdfast/internal/sim"
)

// TestPaceIsTheLongestBound: the calculation follows from the calls, by hand.
func TestPaceIsTheLongestBound(t *testing.T) {
	c := start(t, sim.Options{Users: 2}).login()
	c.control("POST", "/stats/reset", nil)
	u := c.s.Tenant().Users[0].ID
	for range 8 {
		c.want(200, "GET", "/users/"+u+"/mailFolders/inbox", nil)
	}
	for range 3 {
		c.want(200, "GET", "/users/"+u+"/drive", nil)
	}
	bound := func(p sim.Pace, name string) sim.PaceBound {
		t.Helper()
		for _, b := range p.Bounds {
			if b.Name == name {
				return b
			}
		}
		t.Errorf("no bound %q in %+v", name, p)
		return sim.PaceBound{}
	}
	p := control[sim.Pace](t, c, "GET", "/oracle/pace?latency=1s&atOnce=2", nil)
	if b := bound(p, "latency"); b.Count != 11 || b.Seconds != 5.5 || p.Binds != "latency" || p.Seconds != 5.5 {
		t.Errorf("%+v", p)
	}
	if b := bound(p, "Outlook: latency of the busiest mailbox"); b.Count != 8 || b.Seconds != 2 {
		t.Errorf("%+v", b)
	}
	// 3 units as 5,001 times as many: 15,003 units at 2,500 a minute, of which the first minute is free.
	p = control[sim.Pace](t, c, "GET", "/oracle/pace?latency=1ms&atOnce=1000&scale=5001&users=5000", nil)
	if b := bound(p, "SharePoint and OneDrive: resource units"); b.Count != 15003 || b.Seconds != 6*60 || p.Binds != b.Name {
		t.Errorf("%+v", p)
	}
}
