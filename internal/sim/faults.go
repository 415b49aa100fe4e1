package sim

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Fault is a way to break that is switched on. Drives have more of their own, see DriveFault.
type Fault struct {
	Name        string  `json:"name"`
	Probability float64 `json:"probability,omitempty"` // of striking at each chance; 0 with Every 0 means always
	Every       int     `json:"every,omitempty"`       // strike at each n-th chance instead
	Times       int     `json:"times,omitempty"`       // at most so often; 0 has no bound
	Skip        int     `json:"skip,omitempty"`        // let the first chances pass
	User        string  `json:"user,omitempty"`        // only for calls about this user, by id or name
	Path        string  `json:"path,omitempty"`        // only on routes whose method and pattern contain this
	RetryAfter  string  `json:"retryAfter,omitempty"`  // of throttle and unavailable: seconds or a date; default 2
	Host        string  `json:"host,omitempty"`        // of foreignNextLink and foreignRedirect: a host of another cloud; default ForeignHost

	chances, fired int
}

// The faults of the core and of mail.
const (
	FaultThrottled       = "throttle429"        // 429 with Retry-After
	FaultThrottledBare   = "throttle429Bare"    // 429 without Retry-After
	FaultUnavailable     = "unavailable503"     // 503 with Retry-After
	FaultUnavailableBare = "unavailable503Bare" // 503 with no body and no Retry-After
	FaultServerError     = "error500"
	FaultBadGateway      = "error502"
	FaultFatPage         = "gatewayTimeout504" // 504 on mail pages that carry bodies and ask for more than 25 rows
	FaultSyncState       = "syncStateNotFound" // a delta link is refused with 410
	FaultSyncStateBad    = "syncStateInvalid"  // a delta link is refused with 400
	FaultDuplicate       = "duplicateRows"     // delta pages repeat rows
	FaultOutOfOrder      = "outOfOrderRows"    // rows of a delta page come in another order
	FaultEmptyPage       = "emptyPages"        // a page is empty and has a nextLink
	FaultForeignLink     = "foreignNextLink"   // a nextLink leads to a host that is not the service's
	FaultForeignRedirect = "foreignRedirect"   // a redirect leads to a host that is not the service's
	FaultToken           = "tokenExpired"      // the token is refused as expired, and stays so
	FaultTruncated       = "truncated"         // the connection breaks in the middle of the answer
	FaultShort           = "shortBody"         // the answer ends early and nothing else tells so
	FaultHTML            = "htmlBody"          // 200 with an HTML page instead of the answer
	FaultSlow            = "slowBody"          // the answer comes in drops
	FaultDropped         = "dropped"           // the connection breaks before the call has any effect
	FaultAckLost         = "ackLost"           // the connection breaks after the call had its effect
	FaultItemChanged     = "changedWhileRead"  // a message changes just after it was read
	FaultItemVanished    = "vanishedWhileRead" // a message is deleted just before it is read
	FaultItemBroken      = "itemError"         // reading a message fails with ErrorCorruptData, every time for the same message
	FaultBoundaries      = "mimeBoundary"      // MIME has other boundaries on every read
	FaultFolderLost      = "folderNotFound"    // a delta of messages, or a later round of that of folders, answers 404, though there is the folder
	FaultUntold          = "untoldRemovals"    // a delta does not tell that a message left which had come since the link was given
	FaultDeepRefused     = "deepExpand400"     // a delta whose rows would have the items in attachments is refused
	FaultDeepFat         = "deepExpand504"     // 504 on pages of a delta that would have an item in an attachment
	FaultCounts          = "staleCounts"       // a delta of folders tells of no messages in them
	FaultRefused         = "accessDenied"      // 403, as a policy of the application's gives
	FaultExportPartial   = "exportPartial"     // an item of an export fails within the answer 200
	FaultExportCut       = "exportTruncated"   // an exported stream ends with the mark of an export that was broken off
	FaultExportStrange   = "exportUnreadable"  // the stream is of a form that nobody knows, every time for the same message
	FaultExportIDs       = "exportIds"         // an export refuses immutable ids
	FaultImportExpired   = "importExpired"     // an import session expires early
	FaultNotClosed       = "notClosed"         // completeMigration of a chat or channel answers 400 and leaves it open
)

var faultNames = []string{FaultThrottled, FaultThrottledBare, FaultUnavailable, FaultUnavailableBare, FaultServerError, FaultBadGateway, FaultFatPage, FaultSyncState, FaultSyncStateBad, FaultDuplicate,
	FaultOutOfOrder, FaultEmptyPage, FaultForeignLink, FaultForeignRedirect, FaultToken, FaultTruncated, FaultShort, FaultHTML, FaultSlow, FaultDropped, FaultAckLost, FaultItemChanged, FaultItemVanished, FaultItemBroken, FaultBoundaries, FaultUntold, FaultFolderLost, FaultDeepRefused, FaultDeepFat, FaultCounts, FaultRefused,
	FaultExportPartial, FaultExportCut, FaultExportStrange, FaultExportIDs, FaultImportExpired, FaultNotClosed}

// ForeignHost is where foreign links and redirects lead when a fault does not say. A bearer token that is sent to it counts as leaked.
const ForeignHost = "graph.example.net"

// faults decides which calls break, and how.
type faults struct {
	mu   sync.Mutex // guards all below
	list []*Fault
	rnd  random
	n    uint64 // salt of boundaries
}

func newFaults(seed uint64) *faults { return &faults{rnd: newRand(seed, "faults")} }

// SetFaults replaces the faults that are switched on.
func (s *Sim) SetFaults(list ...Fault) error {
	var out []*Fault
	for _, f := range list {
		if !slices.Contains(faultNames, f.Name) {
			return fmt.Errorf("unknown fault %q: want one of %s", f.Name, strings.Join(faultNames, ", "))
		}
		if f.Probability < 0 || f.Probability > 1 || f.Every < 0 {
			return fmt.Errorf("fault %q: probability is 0 to 1, every is not negative", f.Name)
		}
		if f.Host != "" && !s.foreign[f.Host] {
			return fmt.Errorf("fault %q: %s is no host of another cloud", f.Name, f.Host)
		}
		if f.User != "" {
			u := s.dir.find(f.User)
			if u == nil {
				return fmt.Errorf("fault %q: no user %q", f.Name, f.User)
			}
			f.User = u.ID
		}
		out = append(out, &f)
	}
	s.faults.mu.Lock()
	defer s.faults.mu.Unlock()
	s.faults.list = out
	return nil
}

// hit says whether a fault strikes at this chance.
func (f *faults) hit(c *Call, name string) bool { return f.strike(c, name) != nil }

func (f *faults) strike(c *Call, name string) *Fault {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, x := range f.list {
		if x.Name != name || x.User != "" && x.User != c.scope || x.Path != "" && !strings.Contains(c.Route.Method+" "+c.Route.Pattern, x.Path) {
			continue
		}
		x.chances++
		if x.chances <= x.Skip || x.Times > 0 && x.fired >= x.Times {
			continue
		}
		switch {
		case x.Every > 0:
			if (x.chances-x.Skip)%x.Every != 0 {
				continue
			}
		case x.Probability > 0:
			if !f.rnd.chance(x.Probability) {
				continue
			}
		}
		x.fired++
		c.Sim.stats.fault(name)
		return x
	}
	return nil
}

// on reports whether a fault is switched on at all, so that its chances need not be counted.
func (f *faults) on(name string) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.ContainsFunc(f.list, func(x *Fault) bool { return x.Name == name })
}

// salt is different on every read of MIME while boundaries change.
func (f *faults) salt(c *Call) string {
	if !f.hit(c, FaultBoundaries) {
		return ""
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.n++
	return strconv.FormatUint(f.n, 10)
}

// before lets faults strike that need no handler. The login host and batches as a whole are spared.
func (f *faults) before(c *Call) *Reply {
	if len(f.names()) == 0 || c.host == HostLogin || isBatch(c.Route) {
		return nil
	}
	wait := func(x *Fault) string {
		if x.RetryAfter == "" {
			return "2"
		}
		return x.RetryAfter
	}
	var e *Error
	if f.hit(c, FaultDropped) {
		c.drop = true
		return &Reply{Status: http.StatusServiceUnavailable}
	}
	if x := f.strike(c, FaultThrottled); x != nil {
		e = Fail(429, "ApplicationThrottled", "Application is over its limit.").With("Retry-After", wait(x))
	} else if f.hit(c, FaultThrottledBare) {
		e = Fail(429, "TooManyRequests", "Too many requests.")
	} else if x := f.strike(c, FaultUnavailable); x != nil {
		e = Fail(503, "serviceNotAvailable", "The service is temporarily unavailable.").With("Retry-After", wait(x))
	} else if f.hit(c, FaultUnavailableBare) {
		e = &Error{Status: 503, Empty: true}
	} else if f.hit(c, FaultServerError) {
		e = Fail(500, "ErrorInternalServerTransientError", "An internal server error occurred. Try again later.")
	} else if f.hit(c, FaultBadGateway) {
		e = Fail(502, "BadGateway", "The upstream server did not answer.")
	} else if f.hit(c, FaultRefused) {
		e = Fail(403, "ErrorAccessDenied", "Access is denied. Check credentials and try again.")
	} else if c.App != "" && f.hit(c, FaultToken) {
		c.Sim.entra.forget(c.Header.Get("Authorization"))
		e = Fail(401, "InvalidAuthenticationToken", "Lifetime validation failed, the token is expired.")
	}
	if e == nil {
		return nil
	}
	return e.reply(c)
}

func (f *faults) names() []*Fault {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.list
}

// reads says that a call only reads, so that its answer may come damaged and it is called again.
func reads(c *Call) bool {
	return c.Method == http.MethodGet || strings.HasSuffix(c.Route.Pattern, "/exportItems")
}

// after damages answers: whole bodies here, streams in body.
func (f *faults) after(c *Call, r *Reply) {
	if len(f.names()) == 0 || c.host == HostLogin || isBatch(c.Route) || r.Status >= 400 {
		return
	}
	if f.hit(c, FaultAckLost) {
		c.drop = true
		return
	}
	if at, err := url.Parse(r.Header.Get("Location")); r.Status == http.StatusFound && err == nil {
		if x := f.strike(c, FaultForeignRedirect); x != nil {
			at.Host = x.elsewhere()
			r.Header.Set("Location", at.String())
		}
	}
	if r.Status != http.StatusOK {
		return
	}
	if f.hit(c, FaultHTML) {
		*r = Reply{Status: 200, raw: []byte("<!DOCTYPE html><html><head><title>Service unavailable</title></head><body>An error occurred.</body></html>"), Header: http.Header{"Content-Type": {"text/html"}}}
		return
	}
	if reads(c) && f.hit(c, FaultShort) {
		if b, err := r.bytes(); err == nil && r.Content == nil && len(b) > 1 {
			ct := r.Header.Get("Content-Type")
			if ct == "" {
				ct = "application/json"
			}
			raw := Bytes(200, ct, b[:len(b)/2])
			*r = *raw
		}
	}
}

// body damages the bytes on their way out.
func (f *faults) body(c *Call, r *Reply) io.Reader {
	if len(f.names()) == 0 || c.Route == nil || c.host == HostLogin || isBatch(c.Route) || r.Status >= 400 || !reads(c) {
		return r.Content
	}
	if r.Length > 1 && f.hit(c, FaultTruncated) {
		return io.MultiReader(io.LimitReader(r.Content, r.Length/2), brokenReader{})
	}
	if f.hit(c, FaultSlow) {
		return &drops{c: c, r: r.Content}
	}
	return r.Content
}

type brokenReader struct{}

func (brokenReader) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

// drops gives a few bytes at a time, with pauses; the whole takes a second or so.
type drops struct {
	c *Call
	r io.Reader
	n int
}

func (d *drops) Read(p []byte) (int, error) {
	if d.n++; d.n <= 20 {
		if err := d.c.Sim.clock.Sleep(d.c.HTTP.Context(), 50*time.Millisecond); err != nil {
			return 0, err
		}
		return d.r.Read(p[:min(len(p), 64)])
	}
	return d.r.Read(p)
}

// syncState is the refusal of a delta link by a fault, or nil.
func (f *faults) syncState(c *Call) bool { return f.hit(c, FaultSyncState) }

// page lets the faults of lists strike: empty pages, foreign links, repeated and reordered rows. again is the address
// that gives the same page.
func (f *faults) page(c *Call, body map[string]any, again string, delta bool) {
	if len(f.names()) == 0 {
		return
	}
	rows, _ := body["value"].([]any)
	if again != "" && len(rows) > 0 && f.hit(c, FaultEmptyPage) {
		body["value"] = []any{}
		delete(body, "@odata.deltaLink")
		body["@odata.nextLink"] = again
		rows = nil
	}
	if delta && len(rows) > 0 && f.hit(c, FaultDuplicate) {
		rows = append(slices.Clone(rows), rows[:(len(rows)+1)/2]...)
		body["value"] = rows
	}
	if delta && len(rows) > 1 && f.hit(c, FaultOutOfOrder) {
		rows = slices.Clone(rows)
		f.mu.Lock()
		f.rnd.Shuffle(len(rows), func(i, j int) { rows[i], rows[j] = rows[j], rows[i] })
		f.mu.Unlock()
		body["value"] = lastWins(rows)
	}
	if next, ok := body["@odata.nextLink"].(string); ok {
		if x := f.strike(c, FaultForeignLink); x != nil {
			body["@odata.nextLink"] = strings.Replace(next, "https://"+c.Host, "https://"+x.elsewhere(), 1)
		}
	}
}

// elsewhere is where a foreign link leads.
func (x *Fault) elsewhere() string {
	if x.Host == "" {
		return ForeignHost
	}
	return x.Host
}

// lastWins keeps the shuffle of a page from making an older state of an item the last one: equal ids keep their order.
func lastWins(rows []any) []any {
	at := map[string][]int{}
	id := func(r any) string {
		m, _ := r.(map[string]any)
		s, _ := m["id"].(string)
		return s
	}
	for i, r := range rows {
		at[id(r)] = append(at[id(r)], i)
	}
	out := slices.Clone(rows)
	for _, is := range at {
		if len(is) < 2 {
			continue
		}
		same := make([]any, 0, len(is))
		for _, i := range is {
			same = append(same, rows[i])
		}
		slices.SortStableFunc(same, func(a, b any) int { return rowVersion(a) - rowVersion(b) })
		for n, i := range is {
			out[i] = same[n]
		}
	}
	return out
}

// rowVersion puts a removal last; a page holds at most one state of an item besides copies of it.
func rowVersion(r any) int {
	m, _ := r.(map[string]any)
	if _, ok := m["@removed"]; ok {
		return 1
	}
	return 0
}

func (s *Sim) faultControl() {
	s.control.HandleFunc("GET /faults", func(w http.ResponseWriter, _ *http.Request) {
		s.faults.mu.Lock()
		b, err := json.Marshal(map[string]any{"faults": s.faults.list, "names": faultNames, "drive": driveFaultKinds})
		s.faults.mu.Unlock()
		if err != nil {
			controlError(w, http.StatusInternalServerError, err)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.Copy(w, bytes.NewReader(b)) // the reader has gone
	})
	s.control.HandleFunc("POST /faults", func(w http.ResponseWriter, r *http.Request) {
		var in struct {
			Faults []Fault      `json:"faults"` // replace those that are on; [] switches all off
			Drive  []DriveFault `json:"drive"`  // the same for drives
		}
		if !controlDecode(w, r, &in) {
			return
		}
		if err := s.SetFaults(in.Faults...); err != nil {
			controlError(w, http.StatusBadRequest, err)
			return
		}
		s.ClearDriveFaults()
		for _, f := range in.Drive {
			if err := s.AddDriveFault(f); err != nil {
				controlError(w, http.StatusBadRequest, err)
				return
			}
		}
		controlJSON(w, map[string]any{"faults": len(in.Faults), "drive": len(in.Drive)})
	})
}
