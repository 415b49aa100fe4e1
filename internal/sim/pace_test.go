package sim_test

import (
	"strconv"
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

// TestABatchTakesALatencyForFourParts: its parts are answered four at a time, and count against the limits one by one.
func TestABatchTakesALatencyForFourParts(t *testing.T) {
	c := start(t, sim.Options{Users: 2}).login()
	c.control("POST", "/stats/reset", nil)
	u := c.s.Tenant().Users[0]
	var requests []map[string]any
	for i := range 9 {
		requests = append(requests, map[string]any{"id": strconv.Itoa(i), "method": "GET", "url": "/users/" + u.ID + "/mailFolders/inbox"})
	}
	for i := range 3 {
		requests = append(requests, map[string]any{"id": strconv.Itoa(10 + i), "method": "GET", "url": "/users/" + u.ID + "/drive"})
	}
	c.want(200, "POST", "/$batch", map[string]any{"requests": requests})
	c.want(200, "GET", "/users/"+u.ID+"/mailFolders/inbox", nil)
	p := control[sim.Pace](t, c, "GET", "/oracle/pace?latency=1s&atOnce=1", nil)
	counts := map[string]int64{}
	for _, b := range p.Bounds {
		counts[b.Name] = b.Count
	}
	if counts["latency"] != 4 || counts["Outlook: calls on the busiest mailbox"] != 10 || counts["SharePoint and OneDrive: resource units"] != 3 || counts["Graph: calls of the application"] != 13 {
		t.Errorf("%+v", p)
	}
	// One request and 9 of 12 parts in three latencies are Outlook's 3.25 s, 3 parts SharePoint's 0.75 s: no less one after the other than together.
	if p.Seconds != 4 || p.InTurn != 4 {
		t.Errorf("%v s, in turn %v s", p.Seconds, p.InTurn)
	}
	// At 15,003 units that are half of 2,500 a minute, with Outlook before: twelve minutes, and its latency.
	p = control[sim.Pace](t, c, "GET", "/oracle/pace?latency=1s&atOnce=1000&scale=5001&users=5000&share=0.5", nil)
	if want := 12 * 60.0; p.Seconds != want || p.InTurn < want+3.25*5.001-0.01 || p.InTurn > want+3.25*5.001+0.01 {
		t.Errorf("%v s, in turn %v s: %+v", p.Seconds, p.InTurn, p.Bounds)
	}
}
