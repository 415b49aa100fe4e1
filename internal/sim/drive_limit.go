package sim

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
)

// SharePoint's published limits per application and tenant ("Avoid getting throttled or blocked in SharePoint Online",
// October 2025): resource units per minute and per day by number of licences.
var sharePointTiers = []struct {
	licences    int
	minute, day int64
}{
	{1000, 1250, 1_200_000},
	{5000, 2500, 2_400_000},
	{15000, 3750, 3_600_000},
	{50000, 5000, 4_800_000},
	{1 << 30, 6250, 6_000_000},
}

// driveCost is the resource units of a call, same source: 5 for anything with permissions, 2 for a list, a delta
// without token and a change, 1 for one item, a delta with token and a download.
func driveCost(c *Call) int {
	if cost, ok := siteCost(c); ok {
		return cost
	}
	if strings.Contains(strings.ToLower(c.Query.Get("$expand")+c.Query.Get("expand")), "permissions") {
		return 5
	}
	if c.Route.Public {
		if c.Method == http.MethodPut {
			return 2
		}
		return 1
	}
	p, err := splitDrivePath(c)
	if err != nil {
		return 1
	}
	tail := p.tail()
	switch {
	case strings.HasPrefix(tail, "permissions"), tail == "invite", tail == "createlink":
		return 5
	case c.Method != http.MethodGet:
		return 2
	case strings.HasPrefix(tail, "delta("):
		return 1
	case tail == "delta":
		if c.Query.Has("token") {
			return 1
		}
		return 2
	case tail == "children", tail == "versions", strings.HasSuffix(c.Path, "/drives"):
		return 2
	}
	return 1
}

// siteCost is the cost of a call on sites and lists by the same table. Of _api it says only that it costs more: two for each call, and five for
// permissions.
func siteCost(c *Call) (cost int, ok bool) {
	path := strings.ToLower(c.Path)
	rest := c.host == HostSharePoint && !c.Route.Public && !strings.HasPrefix(path, "/_api/v2.0/")
	if !rest && !strings.HasPrefix(path, "/v1.0/sites") {
		return 0, false
	}
	switch {
	case strings.Contains(path, "/roleassignments"), strings.Contains(path, "/breakroleinheritance"):
		return 5, true
	case strings.HasSuffix(path, "/delta") && c.Query.Has("token"):
		return 1, true
	}
	return c.Route.Cost, true
}

// inFlight is how long after a 429 calls that were on their way already are not held against the client.
const inFlight = time.Second

// sharePointLimiter counts the resource units of each application. A refusal pauses all calls of the application until
// its Retry-After has passed.
type sharePointLimiter struct {
	s  *Sim
	mu sync.Mutex // guards by
	by map[string]*sharePointUse
}

type sharePointUse struct {
	minute, day   window
	paused, since time.Time
	refused       string // the call whose refusal began the pause
}

func newSharePointLimiter(s *Sim) *sharePointLimiter {
	return &sharePointLimiter{s: s, by: map[string]*sharePointUse{}}
}

func (l *sharePointLimiter) tier() (minute, day int64) {
	for _, t := range sharePointTiers {
		if l.s.shape.users <= t.licences {
			return t.minute, t.day
		}
	}
	return 0, 0
}

// use returns what an application has used. A download has no token: it counts for the one application of the tenant.
func (l *sharePointLimiter) use(c *Call) *sharePointUse {
	app := c.App
	if app == "" {
		app = l.s.tenant.ApplicationID
	}
	u := l.by[app]
	if u == nil {
		u = &sharePointUse{}
		l.by[app] = u
	}
	return u
}

func (l *sharePointLimiter) Admit(c *Call) (func(), error) {
	c.Cost = driveCost(c)
	l.mu.Lock()
	defer l.mu.Unlock()
	u := l.use(c)
	off, enforce := l.s.opt.Limits == LimitsOff, l.s.opt.Limits == LimitsEnforce
	if c.Now.Before(u.paused) {
		if c.Now.Sub(u.since) > inFlight {
			l.s.stats.early(c, u)
		}
		return nil, l.refusal(u, u.paused.Sub(c.Now), "The application is still throttled.")
	}
	cost := int64(c.Cost)
	minute, day := l.tier()
	if off { // units are counted, never refused
		minute, day = 1<<60, 1<<60
	}
	wait, ok := u.minute.add(c.Now, time.Minute, cost, minute)
	kind := "sharePointMinute"
	if ok {
		if wait, ok = u.day.add(c.Now, 24*time.Hour, cost, day); !ok {
			kind = "sharePointDay"
		}
	} else if !enforce {
		u.minute.used += cost // throttled calls count too
	}
	l.s.stats.peakUnits(ClassSharePoint.String(), u.minute.used)
	if ok || off {
		return nil, nil
	}
	l.s.stats.violation(c, kind, c.Method+" "+c.Path)
	if !enforce {
		return nil, nil
	}
	u.since, u.refused = c.Now, callName(c)
	u.paused = c.Now.Add(wait).Truncate(time.Second).Add(time.Second)
	return nil, l.refusal(u, u.paused.Sub(c.Now), "The request has been throttled.")
}

// observe makes the 429 of a fault pause the application as a real one does.
func (l *sharePointLimiter) observe(c *Call, r *Reply) {
	if r.Status != http.StatusTooManyRequests {
		return
	}
	wait, ok := retryAfter(r.Header.Get("Retry-After"), c.Now)
	l.mu.Lock()
	defer l.mu.Unlock()
	if u := l.use(c); ok && !c.Now.Before(u.paused) {
		u.since, u.paused, u.refused = c.Now, c.Now.Add(wait), callName(c)
	}
}

func (l *sharePointLimiter) refusal(u *sharePointUse, wait time.Duration, msg string) *Error {
	minute, _ := l.tier()
	seconds := strconv.Itoa(max(1, int((wait+time.Second-1)/time.Second)))
	return tooMany("tooManyRequests", msg, wait).With("RateLimit-Limit", itoa(minute)).With("RateLimit-Remaining", "0").With("RateLimit-Reset", seconds)
}

// annotate adds the RateLimit headers, which appear from 80 % of a minute's units on. A limit that is only counted is not announced: a client that
// obeys would keep it.
func (l *sharePointLimiter) annotate(c *Call, header func(key, value string)) {
	if l.s.opt.Limits != LimitsEnforce {
		return
	}
	minute, _ := l.tier()
	l.mu.Lock()
	defer l.mu.Unlock()
	u := l.use(c)
	if u.minute.used*10 < minute*8 {
		return
	}
	header("RateLimit-Limit", itoa(minute))
	header("RateLimit-Remaining", itoa(max(0, minute-u.minute.used)))
	header("RateLimit-Reset", itoa(max(1, int64(u.minute.start.Add(time.Minute).Sub(c.Now)/time.Second))))
}

// early notes a call of a paused application.
func (st *stats) early(c *Call, u *sharePointUse) {
	st.mu.Lock()
	defer st.mu.Unlock()
	st.s.EarlyRetries++
	st.violationLocked(Violation{Time: c.Now, Kind: "earlyRetry", Scope: c.scope, Detail: fmt.Sprintf("%s came %v before the end of the application's pause, %v after the refusal of %s", callName(c), u.paused.Sub(c.Now), c.Now.Sub(u.since), u.refused)})
}

func callName(c *Call) string {
	if c.Batch {
		return c.Method + " " + c.Path + " in a batch"
	}
	return c.Method + " " + c.Path
}

func (st *stats) peakUnits(class string, used int64) {
	st.mu.Lock()
	defer st.mu.Unlock()
	st.s.PeakUnits[class] = max(st.s.PeakUnits[class], used)
}
