package sim

import (
	"fmt"
	"math"
	"net/http"
	"strconv"
	"sync"
	"time"
)

// Pace says how long the calls since the last reset would have taken at the published limits and a latency, had nothing else held them up:
// the longest of Bounds. Only what they are is counted, not when they came. InTurn is how long they would have taken had each service been asked
// only when the one before had answered all: the sum of the longest bounds of each.
type Pace struct {
	Seconds float64     `json:"seconds"`
	Binds   string      `json:"binds"` // name of the longest bound
	InTurn  float64     `json:"inTurn"`
	Bounds  []PaceBound `json:"bounds"`
}

// PaceBound is the time that one limit takes.
type PaceBound struct {
	Name    string  `json:"name"`
	Count   int64   `json:"count"` // requests, calls or units, already scaled
	Per     string  `json:"per"`   // the limit
	Seconds float64 `json:"seconds"`
}

// PaceOptions are the assumptions.
type PaceOptions struct {
	Latency time.Duration // of a request; default 100 ms
	AtOnce  int           // requests on their way at once; default 16
	Share   float64       // of the limits that the client lets itself use; default 1
	Scale   float64       // the organization is so many times as large as the simulated one; default 1
	Users   int           // licences that SharePoint's limits go by; default the simulated ones times Scale
}

// Published limits that no limiter of the simulator enforces: requests of one application to all of Graph.
const (
	graphRequests = 130_000
	graphWindow   = 10 * time.Second
)

// paceLedger counts calls by what limits them.
type paceLedger struct {
	mu sync.Mutex // guards all below
	// waits are latencies: one for a request, and one for each four parts of a batch, for Outlook runs four at once, whatever mailboxes they are of
	// (Microsoft's "Combine multiple HTTP requests using JSON batching"). batchWaits are those of batches, which are of the services of their parts.
	waits, batchWaits int64
	alone, parts      map[Class]int64 // of calls
	calls             map[Class]int64
	units             map[Class]int64
	mailboxes         map[string]int64 // calls of Outlook by mailbox
	teams             map[string]int64 // by teamsKind
	oneTeam           map[string]int64
}

func (l *paceLedger) reset() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.waits, l.batchWaits, l.alone, l.parts = 0, 0, map[Class]int64{}, map[Class]int64{}
	l.calls, l.units = map[Class]int64{}, map[Class]int64{}
	l.mailboxes, l.teams, l.oneTeam = map[string]int64{}, map[string]int64{}, map[string]int64{}
}

// note counts a call that was answered; c.Cost is what its limiter made of it.
func (l *paceLedger) note(c *Call) {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case isBatch(c.Route):
		n := int64(max(1, (c.parts+outlookConcurrent-1)/outlookConcurrent))
		l.waits += n
		l.batchWaits += n
		return
	case c.Batch:
		l.parts[c.Route.Class]++
	default:
		l.waits++
		l.alone[c.Route.Class]++
	}
	l.calls[c.Route.Class]++
	l.units[c.Route.Class] += int64(c.Cost)
	switch c.Route.Class {
	case ClassOutlook:
		l.mailboxes[c.scope]++
	case ClassTeams:
		kind, _ := teamsKind(c)
		l.teams[kind]++
		if team := c.Params["team"]; team != "" {
			l.oneTeam[team]++
		}
	}
}

// Pace computes from the ledger of calls since the last reset.
func (s *Sim) Pace(o PaceOptions) Pace {
	if o.Latency == 0 {
		o.Latency = 100 * time.Millisecond
	}
	if o.AtOnce == 0 {
		o.AtOnce = 16
	}
	if o.Scale == 0 {
		o.Scale = 1
	}
	if o.Users == 0 {
		o.Users = int(math.Round(float64(s.shape.users) * o.Scale))
	}
	if o.Share == 0 {
		o.Share = 1
	}
	l := s.stats.pace
	l.mu.Lock()
	defer l.mu.Unlock()
	var p Pace
	scaled := func(n int64) int64 { return int64(math.Ceil(float64(n) * o.Scale)) }
	// A window lets so many through at once: what is left after it waits for the next ones.
	windows := func(n, most int64, length time.Duration) float64 {
		return float64(max(0, (n-1)/max(1, int64(float64(most)*o.Share)))) * length.Seconds()
	}
	longest := map[Class]float64{}
	add := func(class Class, name string, n int64, per string, seconds float64) {
		if n > 0 {
			p.Bounds = append(p.Bounds, PaceBound{name, n, per, seconds})
			longest[class] = max(longest[class], seconds)
		}
	}
	latency := func(waits float64) float64 { return waits * o.Latency.Seconds() / float64(o.AtOnce) }
	waits := scaled(l.waits)
	add(-1, "latency", waits, fmt.Sprintf("%v, %d at once", o.Latency, o.AtOnce), latency(float64(waits)))
	all, parts := int64(0), int64(0)
	for class, n := range l.calls {
		all += n
		parts += l.parts[class]
	}
	for class := range l.calls {
		own := float64(l.alone[class])
		if parts > 0 {
			own += float64(l.batchWaits) * float64(l.parts[class]) / float64(parts)
		}
		longest[class] = latency(own * o.Scale)
	}
	add(-1, "Graph: calls of the application", scaled(all), "130,000 in 10 s", windows(scaled(all), graphRequests, graphWindow))
	var most int64
	for _, n := range l.mailboxes {
		most = max(most, n)
	}
	add(ClassOutlook, "Outlook: calls on the busiest mailbox", most, "10,000 in 10 min", windows(most, outlookRequests, outlookWindow))
	add(ClassOutlook, "Outlook: latency of the busiest mailbox", most, fmt.Sprintf("%v, %d at once", o.Latency, outlookConcurrent), float64(most)*o.Latency.Seconds()/outlookConcurrent)
	for _, t := range sharePointTiers {
		if o.Users <= t.licences {
			n := scaled(l.units[ClassSharePoint])
			add(ClassSharePoint, "SharePoint and OneDrive: resource units", n, fmt.Sprintf("%d a minute", t.minute), windows(n, t.minute, time.Minute))
			add(ClassSharePoint, "SharePoint and OneDrive: resource units of a day", n, fmt.Sprintf("%d a day", t.day), windows(n, t.day, 24*time.Hour))
			break
		}
	}
	quota := identityQuota(o.Users)
	add(ClassIdentity, "directory: units", scaled(l.units[ClassIdentity]), fmt.Sprintf("%d in 10 s", quota), windows(scaled(l.units[ClassIdentity]), quota, 10*time.Second))
	for kind, limit := range map[string]int64{"export": teamsExport, "messages": teamsMessages, "lists": teamsLists, "other": teamsOther} {
		n := scaled(l.teams[kind])
		add(ClassTeams, "Teams: "+kind, n, fmt.Sprintf("%d a second", limit), windows(n, limit, time.Second))
	}
	most = 0
	for _, n := range l.oneTeam {
		most = max(most, n)
	}
	add(ClassTeams, "Teams: calls on the busiest team", most, fmt.Sprintf("%d a second", teamsPerTeam), windows(most, teamsPerTeam, time.Second))
	for _, b := range p.Bounds {
		if b.Seconds > p.Seconds || p.Binds == "" {
			p.Seconds, p.Binds = b.Seconds, b.Name
		}
	}
	for class, seconds := range longest {
		if class >= 0 {
			p.InTurn += seconds
		}
	}
	p.InTurn = max(p.InTurn, p.Seconds)
	return p
}

// paceControl is GET /oracle/pace?latency=100ms&atOnce=16&share=1&scale=1&users=0.
func (s *Sim) paceControl() {
	s.control.HandleFunc("GET /oracle/pace", func(w http.ResponseWriter, r *http.Request) {
		var o PaceOptions
		q := r.URL.Query()
		read := func(name string, set func(string) error) bool {
			text := q.Get(name)
			if text == "" {
				return true
			}
			if err := set(text); err != nil {
				controlError(w, http.StatusBadRequest, fmt.Errorf("%s: %w", name, err))
				return false
			}
			return true
		}
		if read("latency", func(t string) (err error) { o.Latency, err = time.ParseDuration(t); return err }) &&
			read("atOnce", func(t string) (err error) { o.AtOnce, err = strconv.Atoi(t); return err }) &&
			read("share", func(t string) (err error) { o.Share, err = strconv.ParseFloat(t, 64); return err }) &&
			read("users", func(t string) (err error) { o.Users, err = strconv.Atoi(t); return err }) &&
			read("scale", func(t string) (err error) { o.Scale, err = strconv.ParseFloat(t, 64); return err }) {
			controlJSON(w, s.Pace(o))
		}
	})
}
