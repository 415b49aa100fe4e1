// Package throttle keeps an application's calls to one Microsoft tenant under the published limits of each service,
// and obeys what the service says about waiting.
//
// A Budget is shared by every caller with the same tenant and application. It has a lane for each thing that is
// limited on its own: Graph as a whole, the directory, SharePoint with OneDrive, and each mailbox.
package throttle

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"holdfast/internal/sys"
)

// Service is a part of Microsoft 365 with limits of its own.
type Service int

const (
	// Graph counts every call to Graph.
	Graph Service = iota
	// Directory is Entra ID: users, groups, organization.
	Directory
	// SharePoint includes OneDrive; it counts resource units.
	SharePoint
	// Outlook counts per mailbox.
	Outlook
	// Teams counts per second, by kind of call, by team, and posts by channel.
	Teams
	// Free is not limited: the login service, and addresses outside the services' quota.
	Free
)

func (s Service) String() string {
	return [...]string{"Microsoft Graph", "the directory", "SharePoint and OneDrive", "Exchange Online", "Microsoft Teams", "unlimited"}[s]
}

// Charge is what a call costs.
type Charge struct {
	Service  Service
	Mailbox  string // the lane: of Outlook the mailbox, of Teams one of TeamsLanes, or what begins with TeamLane, PostLane or ChatLane
	Requests int
	Units    int   // SharePoint resource units, directory units
	Upload   int64 // Outlook: body bytes sent
}

// Limits are a tenant's ceilings; zero means no limit.
type Limits struct {
	GraphPer10s         int64
	DirectoryPer10s     int64
	SharePointPerMinute int64 // resource units
	SharePointPerDay    int64
	OutlookPer10m       int64 // requests per mailbox
	OutlookConcurrent   int   // per mailbox
	OutlookUploadPer5m  int64 // bytes per mailbox
	Teams               bool  // Microsoft's published limits of Teams hold
	// RestoreShare is the part of each limit that only restores may use.
	RestoreShare float64
}

// The lanes of Teams.
const (
	TeamLane = "team/" // and the id of a team
	PostLane = "post/" // and the id of a channel that is posted to
	ChatLane = "chat/" // and the id of a chat
)

// TeamsLanes are the kinds of calls with the requests per second of one application (throttling-limits, Teams).
var TeamsLanes = map[string]int64{"export": 200, "messages": 20, "lists": 60, "other": 30, "post": 50, "chatPost": 20, "create": 10, "delete": 15, "write": 30}

// onTheWay is by how much the time that requests take to the service may differ without two of them coming there within a second.
const onTheWay = 200 * time.Millisecond

// onTheWayToSharePoint is the same for the minute of SharePoint, in which a call may have waited for a connection: what was on its way when a minute began
// counts in it, and the minute after must not begin before it is over.
const onTheWayToSharePoint = time.Second

// teamsPerSecond is the limit of a lane of Teams: 4 requests on one team, and one post on one channel or one request on one chat, which a newer
// copy of the page names.
func teamsPerSecond(lane string) int64 {
	switch {
	case strings.HasPrefix(lane, TeamLane):
		return 4
	case strings.HasPrefix(lane, PostLane), strings.HasPrefix(lane, ChatLane):
		return 1
	}
	return TeamsLanes[lane]
}

// Published returns Microsoft's published limits for a tenant with so many licences (how-to-avoid-getting-throttled,
// October 2025, and Graph's throttling-limits page).
func Published(licenses int) Limits {
	l := Limits{
		GraphPer10s: 130_000, DirectoryPer10s: 8_000,
		OutlookPer10m: 10_000, OutlookConcurrent: 4, OutlookUploadPer5m: 150 << 20,
		Teams: true, RestoreShare: 0.2,
	}
	switch {
	case licenses < 50:
		l.DirectoryPer10s = 3_500
	case licenses <= 500:
		l.DirectoryPer10s = 5_000
	}
	tier := 0
	for _, upTo := range []int{1_000, 5_000, 15_000, 50_000} {
		if licenses > upTo {
			tier++
		}
	}
	l.SharePointPerMinute = int64(1_250 * (tier + 1))
	l.SharePointPerDay = int64(1_200_000 * (tier + 1))
	return l
}

// Unlimited is for tenants whose limits are enforced elsewhere, such as a simulated one. Mailbox concurrency and
// whatever the service answers still hold.
func Unlimited() Limits { return Limits{OutlookConcurrent: 4, RestoreShare: 0.2} }

const (
	// maxWait is the longest that a call waits inside Acquire; beyond it the caller gets a PausedError.
	maxWait = time.Hour
	// maxPause bounds what a Retry-After may ask for.
	maxPause = 24 * time.Hour
	// manyLanes is how many mailbox lanes are kept before idle ones are dropped.
	manyLanes = 4096
)

// PausedError says that a service asked for a pause that is too long to wait for within a call.
type PausedError struct {
	Service Service
	Until   time.Time
	Asked   time.Duration
}

func (e *PausedError) Error() string {
	return fmt.Sprintf("%s asked to wait %s, until %s; no call is made before", e.Service, e.Asked.Round(time.Second), e.Until.Format(time.RFC3339))
}

// Budgets hands out one Budget per tenant and application. The zero value needs Clock only through For.
type Budgets struct {
	mu  sync.Mutex // guards all
	all map[string]*Budget
}

// For returns the budget of an application in a tenant, made with limits when it is new.
func (b *Budgets) For(clock sys.Clock, tenant, application string, limits Limits) *Budget {
	b.mu.Lock()
	defer b.mu.Unlock()
	key := strings.ToLower(tenant + "/" + application)
	if b.all == nil {
		b.all = map[string]*Budget{}
	}
	if b.all[key] == nil {
		b.all[key] = New(clock, limits)
	}
	return b.all[key]
}

// Budget is safe for use by many goroutines.
type Budget struct {
	clock  sys.Clock
	limits Limits
	mu     sync.Mutex // guards lanes and everything in them
	lanes  map[laneKey]*lane
}

type laneKey struct {
	service Service
	mailbox string
}

// New returns an unused budget.
func New(clock sys.Clock, limits Limits) *Budget {
	return &Budget{clock: clock, limits: limits, lanes: map[laneKey]*lane{}}
}

type lane struct {
	service  Service
	requests []*window // counted in requests, or in units where the service counts those
	upload   *window
	slots    int // 0: no limit
	busy     int
	paused   time.Time
	asked    time.Duration
	// What the service said is left until the reset; it counts only while now is before hintEnds.
	hintLeft, hintLimit int64
	hintEnds            time.Time
	waiting             [classes][]*waiter
	turn                int
	changed             chan struct{} // closed and replaced whenever a waiter may have become ready
}

type waiter struct {
	charge Charge
	class  Class
}

// lane is called with mu held.
func (b *Budget) lane(k laneKey) *lane {
	if l := b.lanes[k]; l != nil {
		return l
	}
	if len(b.lanes) >= manyLanes {
		now := b.clock.Now()
		for key, l := range b.lanes {
			if l.idle(now) {
				delete(b.lanes, key)
			}
		}
	}
	l := &lane{service: k.service, changed: make(chan struct{})}
	switch k.service {
	case Graph:
		l.requests = append(l.requests, newWindow(b.limits.GraphPer10s, 10*time.Second, 20))
	case Directory:
		l.requests = append(l.requests, newWindow(b.limits.DirectoryPer10s, 10*time.Second, 20))
	case SharePoint:
		l.requests = append(l.requests, newWindow(b.limits.SharePointPerMinute, time.Minute+onTheWayToSharePoint, 61), newWindow(b.limits.SharePointPerDay, 24*time.Hour, 288))
	case Outlook:
		l.requests = append(l.requests, newWindow(b.limits.OutlookPer10m, 10*time.Minute, 60))
		l.upload = newWindow(b.limits.OutlookUploadPer5m, 5*time.Minute, 60)
		l.slots = b.limits.OutlookConcurrent
	case Teams:
		if b.limits.Teams {
			limit, span := teamsPerSecond(k.mailbox), time.Second
			if limit == 1 { // nothing hides that one request was longer on its way than the next one
				span += onTheWay
			}
			l.requests = append(l.requests, newWindow(limit, span, 20))
		}
	}
	b.lanes[k] = l
	return l
}

func (l *lane) idle(now time.Time) bool {
	if l.busy > 0 || len(l.waiting[Backup])+len(l.waiting[Restore]) > 0 || now.Before(l.paused) || now.Before(l.hintEnds) {
		return false
	}
	for _, w := range l.requests {
		if !w.idle(now) {
			return false
		}
	}
	return l.upload == nil || l.upload.idle(now)
}

// wake is called with mu held.
func (l *lane) wake() {
	close(l.changed)
	l.changed = make(chan struct{})
}

// cost is what the windows of the lane count for c.
func (l *lane) cost(c Charge) int64 {
	if l.service == SharePoint || l.service == Directory {
		return int64(c.Units)
	}
	return int64(c.Requests)
}

// blocked tells how long a charge of a class cannot be taken: 0 means now, negative means until something changes.
func (l *lane) blocked(now time.Time, c Charge, class Class, share float64) time.Duration {
	wait := l.paused.Sub(now)
	part := 1.0
	if class != Restore {
		part -= share
	}
	n := l.cost(c)
	for _, w := range l.requests {
		wait = max(wait, w.wait(now, n, part))
	}
	if l.upload != nil {
		wait = max(wait, l.upload.wait(now, c.Upload, part))
	}
	if now.Before(l.hintEnds) {
		reserve := l.hintLimit - int64(float64(l.hintLimit)*part)
		if l.hintLeft-n < reserve {
			wait = max(wait, l.hintEnds.Sub(now))
		}
	}
	if wait > 0 {
		return wait
	}
	if l.slots > 0 && l.busy >= l.slots {
		return -1
	}
	return 0
}

// next tells whether w goes before the head of the other class when both are ready: restores do, but every fifth turn is a backup's.
func (l *lane) next(now time.Time, w *waiter, share float64) bool {
	other := Restore
	if w.class == Restore {
		other = Backup
	}
	if len(l.waiting[other]) == 0 {
		return true
	}
	first := Restore
	if l.turn%5 == 4 {
		first = Backup
	}
	head := l.waiting[other][0]
	return w.class == first || l.blocked(now, head.charge, head.class, share) != 0
}

func (l *lane) take(now time.Time, c Charge) {
	for _, w := range l.requests {
		w.add(now, l.cost(c))
	}
	if l.upload != nil {
		l.upload.add(now, c.Upload)
	}
	l.hintLeft -= l.cost(c)
	if l.slots > 0 {
		l.busy++
	}
	l.turn++
}

// Acquire waits until every charge may be spent and spends it. Charges of one lane are one charge. The returned function
// must be called once when the call, its body included, is over. A throttled call has spent its charge too.
func (b *Budget) Acquire(ctx context.Context, charges ...Charge) (release func(), err error) {
	account, class := AccountFrom(ctx), ClassFrom(ctx)
	merged := merge(charges)
	var held []*lane
	release = sync.OnceFunc(func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		for _, l := range held {
			if l.slots > 0 {
				l.busy--
				l.wake()
			}
		}
	})
	graph := slices.ContainsFunc(merged, func(c Charge) bool { return c.Service == Graph })
	// Lanes are taken in one order by everybody, so that two callers never hold what the other one waits for.
	for _, c := range merged {
		l, err := b.acquire(ctx, c, class, account)
		if err != nil {
			release()
			return nil, err
		}
		held = append(held, l)
		// A call to Graph is charged there and to the service behind it, but is one request.
		account.addCharge(c, !graph || c.Service == Graph)
	}
	return release, nil
}

func merge(charges []Charge) []Charge {
	var out []Charge
	for _, c := range charges {
		if c.Service == Free {
			continue
		}
		c.Mailbox = strings.ToLower(c.Mailbox)
		i := slices.IndexFunc(out, func(o Charge) bool { return o.Service == c.Service && o.Mailbox == c.Mailbox })
		if i < 0 {
			out = append(out, c)
			continue
		}
		out[i].Requests += c.Requests
		out[i].Units += c.Units
		out[i].Upload += c.Upload
	}
	slices.SortFunc(out, func(a, b Charge) int {
		if a.Service != b.Service {
			return int(a.Service) - int(b.Service)
		}
		return strings.Compare(a.Mailbox, b.Mailbox)
	})
	return out
}

func (b *Budget) acquire(ctx context.Context, c Charge, class Class, account *Account) (*lane, error) {
	w := &waiter{charge: c, class: class}
	b.mu.Lock()
	l := b.lane(laneKey{c.Service, c.Mailbox})
	l.waiting[class] = append(l.waiting[class], w)
	defer func() {
		l.waiting[class] = slices.DeleteFunc(l.waiting[class], func(o *waiter) bool { return o == w })
		l.wake()
		b.mu.Unlock()
	}()
	for {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		now := b.clock.Now()
		if left := l.paused.Sub(now); left > maxWait {
			return nil, &PausedError{Service: l.service, Until: l.paused, Asked: l.asked}
		}
		wait := l.blocked(now, c, class, b.limits.RestoreShare)
		if wait == 0 && l.waiting[class][0] == w && l.next(now, w, b.limits.RestoreShare) {
			l.take(now, c)
			return l, nil
		}
		var timer <-chan time.Time
		if wait > 0 {
			timer = b.clock.After(wait)
		}
		changed := l.changed
		b.mu.Unlock()
		select {
		case <-ctx.Done():
		case <-timer:
		case <-changed:
		}
		b.mu.Lock()
		account.AddWait(b.clock.Now().Sub(now))
	}
}

// Pause stops every call of the charge's lane for d: the whole of SharePoint and OneDrive for an application, or one mailbox.
// It never shortens a pause. Above 24 hours d is absurd and cut.
func (b *Budget) Pause(c Charge, d time.Duration) {
	if c.Service == Free || d <= 0 {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	l := b.lane(laneKey{c.Service, strings.ToLower(c.Mailbox)})
	if until := b.clock.Now().Add(min(d, maxPause)); until.After(l.paused) {
		l.paused, l.asked = until, d
		l.wake()
	}
}

// Observe learns from RateLimit-Limit, -Remaining and -Reset, which SharePoint sends from four fifths of its minute budget on.
func (b *Budget) Observe(c Charge, h http.Header) {
	if c.Service != SharePoint {
		return
	}
	limit, err1 := strconv.ParseInt(h.Get("RateLimit-Limit"), 10, 64)
	left, err2 := strconv.ParseInt(h.Get("RateLimit-Remaining"), 10, 64)
	reset, err3 := strconv.ParseInt(h.Get("RateLimit-Reset"), 10, 64)
	if err1 != nil || err2 != nil || err3 != nil || limit < 0 || reset < 0 || reset > 24*3600 {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	l := b.lane(laneKey{c.Service, strings.ToLower(c.Mailbox)})
	l.hintLimit, l.hintLeft = limit, left
	l.hintEnds = b.clock.Now().Add(time.Duration(reset) * time.Second)
}
