package sim

import (
	"math"
	"net/http"
	"strconv"
	"sync"
	"time"
)

// Modes of the published limits.
const (
	LimitsEnforce = "enforce" // refuse with 429 and count
	LimitsCount   = "count"   // count what would have been refused
	LimitsOff     = "off"
)

// Limiter admits calls of one class. Admit returns a function to call when the answer is ready (nil if none), or the
// refusal. It looks at s.opt.Limits itself: in mode count it reports to s.stats.violation and admits.
type Limiter interface {
	Admit(c *Call) (release func(), refusal error)
}

// Published limits of Outlook, per app and mailbox.
const (
	outlookRequests   = 10000
	outlookWindow     = 10 * time.Minute
	outlookConcurrent = 4
	outlookUpload     = 150 << 20
	outlookUploadWin  = 5 * time.Minute
)

// window counts in consecutive windows that begin with the first call after the last one ended.
type window struct {
	start time.Time
	used  int64
}

// add counts n if the sum stays within max; otherwise it says how long to wait.
func (w *window) add(now time.Time, length time.Duration, n, max int64) (wait time.Duration, ok bool) {
	// Calls that come together reach this in any order; only a clock that was moved goes back far.
	if age := now.Sub(w.start); age >= length || age <= -length {
		w.start, w.used = now, 0
	}
	if w.used+n > max && w.used > 0 {
		return w.start.Add(length).Sub(now), false
	}
	w.used += n
	return 0, true
}

type outlookLimiter struct {
	s  *Sim
	mu sync.Mutex // guards boxes
	by map[string]*outlookUse
}

type outlookUse struct {
	requests, upload window
	running          int
}

func newOutlookLimiter(s *Sim) *outlookLimiter {
	return &outlookLimiter{s: s, by: map[string]*outlookUse{}}
}

func (l *outlookLimiter) Admit(c *Call) (func(), error) {
	if l.s.opt.Limits == LimitsOff || c.scope == "" {
		return nil, nil
	}
	enforce := l.s.opt.Limits == LimitsEnforce
	l.mu.Lock()
	defer l.mu.Unlock()
	key := c.App + " " + c.scope
	u := l.by[key]
	if u == nil {
		u = &outlookUse{}
		l.by[key] = u
	}
	refuse := func(wait time.Duration, kind, msg string) error {
		l.s.stats.violation(c, kind, c.Method+" "+c.Path)
		if !enforce {
			return nil
		}
		return tooMany("ApplicationThrottled", msg, wait)
	}
	if wait, ok := u.requests.add(c.Now, outlookWindow, 1, outlookRequests); !ok {
		if err := refuse(wait, "outlookRequests", "Application is over its request limit for this mailbox."); err != nil {
			return nil, err
		}
	}
	if n := c.bodyLength(); n > 0 && c.Method != http.MethodGet {
		if wait, ok := u.upload.add(c.Now, outlookUploadWin, n, outlookUpload); !ok {
			if err := refuse(wait, "outlookUpload", "Application is over its upload limit for this mailbox."); err != nil {
				return nil, err
			}
		}
	}
	if u.running >= outlookConcurrent {
		if err := refuse(time.Second, "outlookConcurrency", "Application is over its MailboxConcurrency limit."); err != nil {
			return nil, err
		}
	}
	u.running++
	return func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		u.running--
	}, nil
}

// bodyLength is what the request announces to send.
func (c *Call) bodyLength() int64 {
	if c.HTTP != nil && !c.Batch {
		return max(c.HTTP.ContentLength, 0)
	}
	return int64(len(c.Body))
}

// identityLimiter is the token bucket of Entra's directory.
type identityLimiter struct {
	s  *Sim
	mu sync.Mutex // guards by
	by map[string]*window
}

func newIdentityLimiter(s *Sim) *identityLimiter {
	return &identityLimiter{s: s, by: map[string]*window{}}
}

func (l *identityLimiter) quota() int64 { return identityQuota(l.s.shape.users) }

// identityQuota is how many units an application has in 10 seconds in a directory of so many users.
func identityQuota(users int) int64 {
	switch n := users; {
	case n < 50:
		return 3500
	case n <= 500:
		return 5000
	default:
		return 8000
	}
}

func (l *identityLimiter) Admit(c *Call) (func(), error) {
	cost := int64(c.Cost)
	if c.Query.Has("$select") {
		cost--
	}
	if n, err := strconv.Atoi(c.Query.Get("$top")); err == nil && n < 20 {
		cost--
	}
	if c.Query.Has("$expand") {
		cost++
	}
	cost = max(cost, 1)
	c.Cost = int(cost)
	if l.s.opt.Limits == LimitsOff {
		return nil, nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	w := l.by[c.App]
	if w == nil {
		w = &window{}
		l.by[c.App] = w
	}
	if wait, ok := w.add(c.Now, 10*time.Second, cost, l.quota()); !ok {
		l.s.stats.violation(c, "identityUnits", c.Method+" "+c.Path)
		if l.s.opt.Limits == LimitsEnforce {
			e := tooMany("Request_ThrottledTemporarily", "The request is throttled.", wait)
			return nil, e.With("x-ms-throttle-scope", "Tenant_Application/ReadWrite").With("x-ms-throttle-information", "ResourceUnitLimitExceeded")
		}
	}
	return nil, nil
}

// tooMany is a 429 with the wait in whole seconds, rounded up.
func tooMany(code, msg string, wait time.Duration) *Error {
	return Fail(http.StatusTooManyRequests, code, "%s", msg).With("Retry-After", strconv.Itoa(max(1, int(math.Ceil(wait.Seconds())))))
}

// retryAfter reads a Retry-After header, seconds or date.
func retryAfter(v string, now time.Time) (time.Duration, bool) {
	if v == "" {
		return 0, false
	}
	if n, err := strconv.Atoi(v); err == nil && n >= 0 {
		return time.Duration(n) * time.Second, true
	}
	if t, err := http.ParseTime(v); err == nil {
		return t.Sub(now), true
	}
	return 0, false
}
