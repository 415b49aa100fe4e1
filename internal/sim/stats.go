package sim

import (
	"maps"
	"slices"
	"sync"
	"time"
)

// Stats is what GET /stats answers.
type Stats struct {
	Requests      int64                    `json:"requests"`   // HTTP requests on the TLS port, batches counted once
	Calls         int64                    `json:"calls"`      // calls: requests other than batches, and batch parts
	BatchParts    int64                    `json:"batchParts"` // parts among the calls
	Endpoints     map[string]EndpointStats `json:"endpoints"`
	Statuses      map[int]int64            `json:"statuses"`
	BytesIn       int64                    `json:"bytesIn"`
	BytesOut      int64                    `json:"bytesOut"`
	ResourceUnits map[string]int64         `json:"resourceUnits"` // by service class
	PeakUnits     map[string]int64         `json:"peakUnitsPerMinute,omitempty"`
	Throttled     int64                    `json:"throttled"`    // 429 and 503 answers with a Retry-After
	EarlyRetries  int64                    `json:"earlyRetries"` // calls repeated before their Retry-After; each is a violation too
	Violations    int64                    `json:"violations"`
	ViolationList []Violation              `json:"violationList"` // the first 1,000
	Hosts         map[string]int64         `json:"hosts"`
	RefusedHosts  map[string]int64         `json:"refusedHosts"`
	MailsSent     []SentMail               `json:"mailsSent"` // that a real service would have sent, the first 10,000
	MailsSentN    int64                    `json:"mailsSentCount"`
	FaultsFired   map[string]int64         `json:"faultsFired"`
	TokenCanary   int64                    `json:"tokensAtForeignHosts"` // bearer tokens seen where none belongs
}

// EndpointStats counts one endpoint.
type EndpointStats struct {
	Calls  int64 `json:"calls"`
	Parts  int64 `json:"batchParts"`
	Errors int64 `json:"errors"`
}

// Violation is a call that a published limit or rule forbids.
type Violation struct {
	Time   time.Time `json:"time"`
	Kind   string    `json:"kind"`
	Scope  string    `json:"scope"`
	Detail string    `json:"detail"`
}

// SentMail is a mail that a call would have sent.
type SentMail struct {
	Time       time.Time `json:"time"`
	User       string    `json:"user"`
	How        string    `json:"how"` // endpoint
	Subject    string    `json:"subject"`
	Recipients []string  `json:"recipients"`
}

type stats struct {
	mu    sync.Mutex // guards all below
	s     Stats
	until map[string]refusal // by call key
	pace  *paceLedger
}

func newStats() *stats {
	st := &stats{pace: &paceLedger{}}
	st.reset()
	return st
}

func (st *stats) reset() {
	st.pace.reset()
	st.mu.Lock()
	defer st.mu.Unlock()
	st.s = Stats{Endpoints: map[string]EndpointStats{}, Statuses: map[int]int64{}, ResourceUnits: map[string]int64{}, PeakUnits: map[string]int64{},
		Hosts: map[string]int64{}, RefusedHosts: map[string]int64{}, FaultsFired: map[string]int64{}, ViolationList: []Violation{}, MailsSent: []SentMail{}}
	st.until = map[string]refusal{}
}

func (st *stats) snapshot() Stats {
	st.mu.Lock()
	defer st.mu.Unlock()
	out := st.s
	out.Endpoints, out.Statuses, out.ResourceUnits = maps.Clone(out.Endpoints), maps.Clone(out.Statuses), maps.Clone(out.ResourceUnits)
	out.PeakUnits, out.Hosts, out.RefusedHosts, out.FaultsFired = maps.Clone(out.PeakUnits), maps.Clone(out.Hosts), maps.Clone(out.RefusedHosts), maps.Clone(out.FaultsFired)
	out.ViolationList, out.MailsSent = slices.Clone(out.ViolationList), slices.Clone(out.MailsSent)
	return out
}

func (st *stats) host(name string, served bool) {
	st.mu.Lock()
	defer st.mu.Unlock()
	if served {
		st.s.Requests++
		st.s.Hosts[name]++
		return
	}
	st.refusedLocked(name)
}

func (st *stats) refused(name string) {
	st.mu.Lock()
	defer st.mu.Unlock()
	st.refusedLocked(name)
}

func (st *stats) refusedLocked(name string) {
	if len(st.s.RefusedHosts) < 1000 {
		st.s.RefusedHosts[name]++
	}
}

func (st *stats) count(c *Call, endpoint string) {
	st.mu.Lock()
	defer st.mu.Unlock()
	e := st.s.Endpoints[endpoint]
	if c.Batch {
		e.Parts++
		st.s.BatchParts++
	} else {
		e.Calls++
	}
	if c.Route == nil || !isBatch(c.Route) {
		st.s.Calls++
	}
	st.s.Endpoints[endpoint] = e
}

func callKey(c *Call) string {
	return c.App + " " + c.Method + " " + c.Host + c.Path + "?" + c.RawQuery
}

// refusal is an answer with a Retry-After.
type refusal struct{ since, until time.Time }

// onTheWay is how long after a refusal a call with the same address is not held against the client: another of its calls was on its way already, for
// instance one that makes another item in the same list. It is less than any client waits that does not look at Retry-After.
const onTheWay = 500 * time.Millisecond

// arrived notes a call that came back before it was allowed to.
func (st *stats) arrived(c *Call) {
	st.mu.Lock()
	defer st.mu.Unlock()
	key := callKey(c)
	r, ok := st.until[key]
	if !ok || c.Now.Sub(r.since) < onTheWay {
		return
	}
	delete(st.until, key)
	if c.Now.Before(r.until) {
		st.s.EarlyRetries++
		st.violationLocked(Violation{Time: c.Now, Kind: "earlyRetry", Scope: c.scope, Detail: c.Method + " " + c.Path + " came " + r.until.Sub(c.Now).String() + " early"})
	}
}

func (st *stats) violation(c *Call, kind, detail string) {
	st.mu.Lock()
	defer st.mu.Unlock()
	st.violationLocked(Violation{Time: c.Now, Kind: kind, Scope: c.scope, Detail: detail})
}

func (st *stats) violationLocked(v Violation) {
	st.s.Violations++
	if len(st.s.ViolationList) < 1000 {
		st.s.ViolationList = append(st.s.ViolationList, v)
	}
}

func (st *stats) received(c *Call) {
	st.mu.Lock()
	defer st.mu.Unlock()
	st.s.BytesIn += int64(len(c.Body))
}

func (st *stats) sent(_ *Call, n int64) {
	st.mu.Lock()
	defer st.mu.Unlock()
	st.s.BytesOut += n
}

func (st *stats) answered(c *Call, r *Reply) {
	st.pace.note(c)
	st.mu.Lock()
	defer st.mu.Unlock()
	st.s.Statuses[r.Status]++
	st.s.ResourceUnits[c.Route.Class.String()] += int64(c.Cost)
	if r.Status >= 400 {
		k := c.Route.Method + " " + c.Route.Pattern
		e := st.s.Endpoints[k]
		e.Errors++
		st.s.Endpoints[k] = e
	}
	if r.Status == 429 || r.Status == 503 {
		if d, ok := retryAfter(r.Header.Get("Retry-After"), c.Now); ok {
			st.s.Throttled++
			if len(st.until) > 100000 {
				clear(st.until)
			}
			now := c.Sim.now()
			st.until[callKey(c)] = refusal{now, now.Add(d)}
		}
	}
}

func (st *stats) fault(name string) {
	st.mu.Lock()
	defer st.mu.Unlock()
	st.s.FaultsFired[name]++
}

func (st *stats) mail(m SentMail) {
	st.mu.Lock()
	defer st.mu.Unlock()
	st.s.MailsSentN++
	if len(st.s.MailsSent) < 10000 {
		st.s.MailsSent = append(st.s.MailsSent, m)
	}
}

func (st *stats) canary() {
	st.mu.Lock()
	defer st.mu.Unlock()
	st.s.TokenCanary++
}

// Stats returns what was counted since the start or the last reset.
func (s *Sim) Stats() Stats { return s.stats.snapshot() }
