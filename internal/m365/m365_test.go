package m365_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"holdfast/internal/m365"
	"holdfast/internal/m365/m365test"
	"holdfast/internal/m365/throttle"
	"holdfast/internal/sys"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func get(path string) m365.Call {
	return m365.Call{Method: http.MethodGet, URL: path, JSON: true, Charges: []m365.Charge{{Service: throttle.SharePoint, Requests: 1, Units: 1}}}
}

// script answers Graph with one handler after the other, the last one for ever.
func script(f *m365test.Fake, handlers ...http.HandlerFunc) func() int {
	var mu sync.Mutex
	n := 0
	f.Graph(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		i := min(n, len(handlers)-1)
		n++
		mu.Unlock()
		handlers[i](w, r)
	})
	return func() int { mu.Lock(); defer mu.Unlock(); return n }
}

func ok(w http.ResponseWriter, _ *http.Request) { m365test.JSON(w, 200, map[string]any{"ok": true}) }

func refuse(status int, header ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		for i := 0; i < len(header); i += 2 {
			w.Header().Set(header[i], header[i+1])
		}
		m365test.Fail(w, status, "code", "message")
	}
}

func half(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Length", "100")
	_, _ = io.WriteString(w, `{"ok":tr`)
	panic(http.ErrAbortHandler)
}

func TestACallCarriesTheRightHeaders(t *testing.T) {
	f := m365test.New(t)
	f.Graph(ok)
	if _, err := f.Client(t).Do(t.Context(), get("/v1.0/x")); err != nil {
		t.Fatal(err)
	}
	s := f.Seen("graph.microsoft.com")[0]
	if s.Header.Get("User-Agent") != "ISV|Holdfast|Holdfast/1.2.3" || len(s.Header.Get("client-request-id")) != 36 || !strings.HasPrefix(s.Authorization, "Bearer e30.") {
		t.Errorf("headers are %v", s.Header)
	}
}

func TestNoCallBeforeItsRetryAfter(t *testing.T) {
	for name, tc := range map[string]struct {
		status int
		header func(now time.Time) []string
		least  time.Duration
	}{
		"seconds":  {429, func(time.Time) []string { return []string{"Retry-After", "17"} }, 17 * time.Second},
		"fraction": {429, func(time.Time) []string { return []string{"Retry-After", "1.5"} }, 1500 * time.Millisecond},
		"date": {429, func(now time.Time) []string {
			return []string{"Date", now.Format(http.TimeFormat), "Retry-After", now.Add(90 * time.Second).Format(http.TimeFormat)}
		}, 90 * time.Second},
		"absent":   {429, func(time.Time) []string { return nil }, 500 * time.Millisecond},
		"nonsense": {429, func(time.Time) []string { return []string{"Retry-After", "soon"} }, 500 * time.Millisecond},
		"503":      {503, func(time.Time) []string { return []string{"Retry-After", "60"} }, time.Minute},
		"reset later": {429, func(time.Time) []string {
			return []string{"Retry-After", "3", "RateLimit-Reset", "40", "RateLimit-Limit", "1250", "RateLimit-Remaining", "0"}
		}, 40 * time.Second},
		"half an hour": {429, func(time.Time) []string { return []string{"Retry-After", "1800"} }, 30 * time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			f := m365test.New(t)
			start := f.Clock.Now()
			script(f, refuse(tc.status, tc.header(start)...), ok)
			var account m365.Account
			if _, err := f.Client(t).Do(m365.WithAccount(t.Context(), &account), get("/v1.0/x")); err != nil {
				t.Fatal(err)
			}
			seen := f.Seen("graph.microsoft.com")
			if waited := seen[1].At.Sub(seen[0].At); waited < tc.least || waited > tc.least+5*time.Second {
				t.Errorf("called again after %v, want %v", waited, tc.least)
			}
			if u := account.Usage(); u.Requests != 2 || u.Throttled != 1 || u.Retries != 1 || u.Waited < tc.least || u.Units != 2 {
				t.Errorf("account %+v", u)
			}
		})
	}
}

func TestAnAbsurdRetryAfterIsAClearError(t *testing.T) {
	for _, value := range []string{"7200", "99999999999999999999", "Fri, 01 Jan 2100 00:00:00 GMT"} {
		f := m365test.New(t)
		calls := script(f, refuse(429, "Retry-After", value))
		_, err := f.Client(t).Do(t.Context(), get("/v1.0/x"))
		var e *m365.Error
		if !errors.As(err, &e) || e.Kind != m365.Throttled || e.RetryAfter < time.Hour || !strings.Contains(err.Error(), "asked to wait") {
			t.Errorf("Retry-After %s: got %v", value, err)
		}
		if calls() != 1 {
			t.Errorf("Retry-After %s: %d calls", value, calls())
		}
	}
}

func TestOnSharePointsThrottleEveryCallOfTheApplicationWaits(t *testing.T) {
	f := m365test.New(t)
	var mu sync.Mutex
	var until time.Time
	early := 0
	f.Graph(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		now := f.Clock.Now()
		if now.Before(until) {
			early++
		}
		if r.URL.Path == "/v1.0/first" && until.IsZero() {
			until = now.Add(30 * time.Second)
			refuse(429, "Retry-After", "30")(w, r)
			return
		}
		ok(w, r)
	})
	config := f.Config()
	config.Budgets = &throttle.Budgets{}
	var wg sync.WaitGroup
	first, err := m365.New(config)
	if err != nil {
		t.Fatal(err)
	}
	defer first.Close()
	if _, err := first.Do(t.Context(), get("/v1.0/first")); err != nil {
		t.Fatal(err)
	}
	second, err := m365.New(config) // another job's client of the same application
	if err != nil {
		t.Fatal(err)
	}
	defer second.Close()
	for i := range 8 {
		wg.Go(func() {
			if _, err := second.Do(t.Context(), get(fmt.Sprintf("/v1.0/%d", i))); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if early > 0 {
		t.Errorf("%d calls before the Retry-After of another call", early)
	}
}

func TestBrokenAnswersAreAskedForAgain(t *testing.T) {
	for name, broken := range map[string]http.HandlerFunc{
		"half a body":   half,
		"reset":         func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
		"500":           refuse(500),
		"502 html":      func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "<html>bad gateway</html>", 502) },
		"503 empty":     func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(503) },
		"504":           refuse(504),
		"200 with HTML": func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "<html>sign in</html>") },
	} {
		t.Run(name, func(t *testing.T) {
			f := m365test.New(t)
			script(f, broken, broken, ok)
			resp, err := f.Client(t).Do(t.Context(), get("/v1.0/x"))
			if err != nil || !strings.Contains(string(resp.Body), `"ok":true`) {
				t.Errorf("got %v, %v", resp, err)
			}
		})
		t.Run(name+" for ever", func(t *testing.T) {
			f := m365test.New(t)
			calls := script(f, broken)
			_, err := f.Client(t).Do(t.Context(), get("/v1.0/x"))
			if k := m365.KindOf(err); k != m365.Unavailable && k != m365.Corrupt {
				t.Errorf("got %v of kind %v", err, k)
			}
			if n := calls(); n < 4 || n > 12 { // net/http repeats a reset GET once by itself
				t.Errorf("%d calls", n)
			}
		})
	}
}

// A 400 that is not the service's own comes from something between; the service's own is final.
func TestABadRequestThatTheServiceDidNotSayIsAskedAgain(t *testing.T) {
	between := func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "400 Bad Request: garbled", 400) }
	f := m365test.New(t)
	calls := script(f, between, between, ok)
	if _, err := f.Client(t).Do(t.Context(), get("/v1.0/x")); err != nil || calls() != 3 {
		t.Errorf("%v after %d calls", err, calls())
	}
	f = m365test.New(t)
	calls = script(f, between)
	_, err := f.Client(t).Do(t.Context(), get("/v1.0/x"))
	if m365.KindOf(err) != m365.Invalid || !strings.Contains(err.Error(), "garbled") || calls() != 4 {
		t.Errorf("%v after %d calls", err, calls())
	}
	for name, once := range map[string]struct {
		answer http.HandlerFunc
		call   m365.Call
	}{
		"the service's own": {refuse(400), get("/v1.0/x")},
		"a POST":            {between, m365.Call{Method: http.MethodPost, URL: "/v1.0/x", Body: []byte(`{}`), JSON: true}},
	} {
		f = m365test.New(t)
		calls = script(f, once.answer)
		if _, err := f.Client(t).Do(t.Context(), once.call); m365.KindOf(err) != m365.Invalid || calls() != 1 {
			t.Errorf("%s: %v after %d calls", name, err, calls())
		}
	}
}

func TestAPostWhoseOutcomeIsNotKnownIsNotRepeated(t *testing.T) {
	post := m365.Call{Method: http.MethodPost, URL: "/v1.0/x", Body: []byte(`{}`), JSON: true}
	for name, tc := range map[string]struct {
		answer  http.HandlerFunc
		calls   int
		unknown bool
	}{
		"504":         {refuse(504), 1, true},
		"500":         {refuse(500), 1, true},
		"half a body": {half, 1, true},
		"reset":       {func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, 1, true},
		"400":         {refuse(400), 1, false},
	} {
		t.Run(name, func(t *testing.T) {
			f := m365test.New(t)
			calls := script(f, tc.answer)
			_, err := f.Client(t).Do(t.Context(), post)
			if err == nil || m365.OutcomeUnknown(err) != tc.unknown || calls() != tc.calls {
				t.Errorf("got %v, unknown %v, %d calls", err, m365.OutcomeUnknown(err), calls())
			}
		})
	}
	f := m365test.New(t)
	calls := script(f, refuse(429, "Retry-After", "5"), refuse(503), ok)
	if _, err := f.Client(t).Do(t.Context(), post); err != nil || calls() != 3 {
		t.Errorf("refused before any work: %v after %d calls, want success at the third", err, calls())
	}
}

func TestExpiredAndChallengedTokensAreRenewed(t *testing.T) {
	f := m365test.New(t)
	claims := `{"access_token":{"nbf":{"essential":true,"value":"1"}}}`
	script(f, refuse(401), ok, refuse(401, "WWW-Authenticate", `Bearer realm="", error="insufficient_claims", claims="eyJhY2Nlc3NfdG9rZW4iOnsibmJmIjp7ImVzc2VudGlhbCI6dHJ1ZSwidmFsdWUiOiIxIn19fQ=="`), ok)
	c := f.Client(t)
	for range 2 {
		if _, err := c.Do(t.Context(), get("/v1.0/x")); err != nil {
			t.Fatal(err)
		}
	}
	if f.Tokens() != 3 {
		t.Errorf("%d tokens, want the first and one after each 401", f.Tokens())
	}
	last := f.Seen("graph.microsoft.com")[3].Authorization
	if !strings.Contains(decodePart(t, last), "nbf") {
		t.Errorf("the challenge %s was not passed on: %s", claims, decodePart(t, last))
	}
	f.Clock.Move(54 * time.Minute)
	for range 3 {
		if _, err := c.Do(t.Context(), get("/v1.0/x")); err != nil {
			t.Fatal(err)
		}
	}
	f.Clock.Move(2 * time.Minute) // within five minutes of its end
	if _, err := c.Do(t.Context(), get("/v1.0/x")); err != nil {
		t.Fatal(err)
	}
	if f.Tokens() != 4 {
		t.Errorf("%d tokens, want one more shortly before the end of the last", f.Tokens())
	}
	calls := script(f, refuse(401))
	if _, err := c.Do(t.Context(), get("/v1.0/x")); m365.KindOf(err) != m365.Unauthorized || calls() != 3 {
		t.Errorf("refused for ever: %v after %d calls", err, calls())
	}
}

// While a call is on its way its token ends for another one, time and again: the call goes on with the new token each time.
func TestATokenThatAnotherCallReplacedIsNoRefusal(t *testing.T) {
	f := m365test.New(t)
	c := f.Client(t)
	left := 6
	f.Graph(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/v1.0/long" && left > 0 {
			left--
			if err := c.Renew(r.Context(), "graph.microsoft.com"); err != nil {
				t.Error(err)
			}
			refuse(401)(w, r)
			return
		}
		ok(w, r)
	})
	if _, err := c.Do(t.Context(), get("/v1.0/long")); err != nil || left > 0 {
		t.Errorf("%v, with %d refusals left", err, left)
	}
}

// An address that the service redirects to refuses the call, time and again, as one that expired, while tokens end, too: a new address is asked for. One
// that never does better is told as a trouble of the service and not of the application's rights.
func TestAnAddressThatExpiresIsAskedForAgain(t *testing.T) {
	f := m365test.New(t)
	c := f.Client(t)
	calls, expired, tokens := 0, 5, 2
	f.Graph(func(w http.ResponseWriter, r *http.Request) {
		if calls++; tokens > 0 {
			tokens--
			refuse(401)(w, r)
			return
		}
		http.Redirect(w, r, "https://contoso-my.sharepoint.com/y", http.StatusFound)
	})
	f.Handle("contoso-my.sharepoint.com", func(w http.ResponseWriter, r *http.Request) {
		if expired > 0 {
			expired--
			refuse(401)(w, r)
			return
		}
		ok(w, r)
	})
	call := get("/v1.0/x")
	call.Follow = true
	if _, err := c.Do(t.Context(), call); err != nil || calls != 8 {
		t.Errorf("%v after %d calls", err, calls)
	}
	if f.Tokens() != 3 {
		t.Errorf("%d tokens: an address is no reason for another one", f.Tokens())
	}
	calls, expired = 0, 100
	if _, err := c.Do(t.Context(), call); m365.KindOf(err) != m365.Unavailable || calls < 5 || calls > 20 {
		t.Errorf("refused for ever: %v after %d calls", err, calls)
	}
}

// What is locked for a moment is changed in the next one, and what is locked for longer, or for reading, is told soon.
func TestWhatIsLockedForAMomentIsChangedAfterIt(t *testing.T) {
	f := m365test.New(t)
	c := f.Client(t)
	patch := m365.Call{Method: "PATCH", URL: "/v1.0/x", Body: []byte("{}")}
	calls := script(f, refuse(423), refuse(423), ok)
	if _, err := c.Do(t.Context(), patch); err != nil || calls() != 3 {
		t.Errorf("%v after %d calls", err, calls())
	}
	calls = script(f, refuse(423))
	if _, err := c.Do(t.Context(), patch); m365.KindOf(err) != m365.Locked || calls() != 3 {
		t.Errorf("locked for ever: %v after %d calls", err, calls())
	}
	calls = script(f, refuse(423), ok)
	if _, err := c.Do(t.Context(), get("/v1.0/x")); m365.KindOf(err) != m365.Locked || calls() != 1 {
		t.Errorf("locked for reading: %v after %d calls", err, calls())
	}
	calls = script(f, refuse(412), ok)
	if _, err := c.Do(t.Context(), patch); err != nil || calls() != 2 {
		t.Errorf("changed by another: %v after %d calls", err, calls())
	}
	patch.Header = http.Header{"If-Match": {"1"}}
	calls = script(f, refuse(412), ok)
	if _, err := c.Do(t.Context(), patch); m365.KindOf(err) != m365.Changed || calls() != 1 {
		t.Errorf("not what was to be changed: %v after %d calls", err, calls())
	}
}

func TestTheTokenStaysWithTheCloudsHosts(t *testing.T) {
	f := m365test.New(t)
	for _, host := range m365test.Names[2:] {
		f.Handle(host, ok)
	}
	f.Graph(func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, r.URL.Query().Get("to"), http.StatusFound)
	})
	c := f.Client(t)
	for name, tc := range map[string]struct {
		call m365.Call
		host string // that may be asked; empty: none
	}{
		"link to another host":          {get("https://evil.example/v1.0/x"), ""},
		"user in the address":           {get("https://graph.microsoft.com@evil.example/v1.0/x"), ""},
		"suffix of a host":              {get("https://graph.microsoft.com.evil.example/x"), ""},
		"another port":                  {get("https://graph.microsoft.com:8443/x"), ""},
		"plain HTTP":                    {get("http://graph.microsoft.com/x"), ""},
		"bearer to another tenant":      {get("https://other.sharepoint.com/x"), ""},
		"bearer to Outlook":             {get("https://outlook.office365.com/x"), ""},
		"redirect to another host":      {m365.Call{Method: "GET", URL: "/v1.0/x?to=https://evil.example/y", Follow: true}, ""},
		"redirect not wanted":           {m365.Call{Method: "GET", URL: "/v1.0/x?to=https://contoso-my.sharepoint.com/y"}, ""},
		"redirect to content":           {m365.Call{Method: "GET", URL: "/v1.0/x?to=https://contoso-my.sharepoint.com/y", Follow: true}, "contoso-my.sharepoint.com"},
		"pre-authenticated address":     {m365.Call{Method: "GET", URL: "https://contoso-my.sharepoint.com/y?tempauth=1", Anonymous: true}, "contoso-my.sharepoint.com"},
		"pre-authenticated, other host": {m365.Call{Method: "GET", URL: "https://evil.example/y?tempauth=1", Anonymous: true}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			before := map[string]int{}
			for _, host := range m365test.Names[2:] {
				before[host] = len(f.Seen(host))
			}
			_, err := c.Do(t.Context(), tc.call)
			if (err == nil) != (tc.host != "") {
				t.Errorf("error is %v", err)
			}
			for _, host := range m365test.Names[2:] {
				if asked := len(f.Seen(host)) > before[host]; asked != (host == tc.host) {
					t.Errorf("host %s asked: %v", host, asked)
				}
				for _, s := range f.Seen(host) {
					if s.Authorization != "" {
						t.Errorf("%s was sent the token", host)
					}
				}
			}
		})
	}
}

func TestErrorsShowNoPreAuthenticatedAddress(t *testing.T) {
	f := m365test.New(t)
	for _, h := range []http.HandlerFunc{refuse(400), refuse(503), half, func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }} {
		f.Handle("contoso-my.sharepoint.com", h)
		_, err := f.Client(t).Do(t.Context(), m365.Call{Method: "GET", URL: "https://contoso-my.sharepoint.com/y/z?tempauth=t0psecret", Anonymous: true})
		for e := err; e != nil; e = errors.Unwrap(e) {
			if strings.Contains(e.Error(), "t0psecret") || strings.Contains(fmt.Sprintf("%+v", e), "t0psecret") {
				t.Errorf("error shows the address: %v", e)
			}
		}
	}
}

func TestBodiesAreBounded(t *testing.T) {
	f := m365test.New(t)
	f.Graph(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, `{"x":"`+strings.Repeat("x", 1000)+`"}`)
	})
	call := get("/v1.0/x")
	call.MaxBody = 999
	if _, err := f.Client(t).Do(t.Context(), call); err == nil || !strings.Contains(err.Error(), "999") {
		t.Errorf("got %v", err)
	}
}

func TestAStreamTellsABreakFromItsEnd(t *testing.T) {
	f := m365test.New(t)
	f.Graph(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "10")
		_, _ = io.WriteString(w, "12345")
		_ = http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	})
	call := get("/v1.0/x")
	call.JSON = false
	c := f.Client(t)
	s, err := c.Open(t.Context(), call)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	got, err := io.ReadAll(s)
	if len(got) > 5 || m365.KindOf(err) != m365.Unavailable {
		t.Errorf("read %q, %v", got, err)
	}
}

func TestOnlyHostsOfTheTableAreDialled(t *testing.T) {
	f := m365test.New(t)
	config := f.Config()
	config.Cloud.Exchange = []string{"mail.example"}
	var dialled []string
	config.Network.Dial = ""
	config.Network.DialContext = func(_ context.Context, _, addr string) (c netConn, err error) {
		dialled = append(dialled, addr)
		return nil, errors.New("no network here")
	}
	c, err := m365.New(config)
	if err != nil {
		t.Fatal(err)
	}
	_, err = c.Do(t.Context(), m365.Call{Method: "GET", URL: "https://contoso-my.sharepoint.com/x", Anonymous: true})
	if err == nil || len(dialled) == 0 || dialled[0] != "contoso-my.sharepoint.com:443" {
		t.Errorf("dialled %v: %v", dialled, err)
	}
	var hosts []string
	for _, row := range m365.Connections(config) {
		if row.Purpose == "" || row.Port != 443 || row.Cloud != "Worldwide" {
			t.Errorf("row %+v", row)
		}
		hosts = append(hosts, row.Host)
	}
	if got := strings.Join(hosts, " "); got != "login.microsoftonline.com graph.microsoft.com *.sharepoint.com mail.example" {
		t.Errorf("table has %s", got)
	}
}

func TestFaultsStrikeAtTheRoundTrip(t *testing.T) {
	for _, mode := range []sys.FaultMode{sys.FaultError, sys.FaultErrorAfter, sys.FaultTorn} {
		f := m365test.New(t)
		calls := script(f, ok)
		config := f.Config()
		config.Faults = sys.BreakAt(m365.RoundTripPoint, 3, mode) // the first two sign in
		c, err := m365.New(config)
		if err != nil {
			t.Fatal(err)
		}
		_, err = c.Do(t.Context(), get("/v1.0/x"))
		want := 2
		if mode == sys.FaultError {
			want = 1
		}
		if err != nil || calls() != want || config.Faults.Fired() == "" {
			t.Errorf("%v: %v after %d calls", mode, err, calls())
		}
		c.Close()
	}
}

func TestErrorsAreClassedByCode(t *testing.T) {
	for name, tc := range map[string]struct {
		status int
		body   string
		want   m365.Kind
		code   string
	}{
		"not found":           {404, `{"error":{"code":"ErrorItemNotFound","message":"m"}}`, m365.NotFound, "ErrorItemNotFound"},
		"drive never used":    {404, `{"error":{"code":"ResourceNotFound","message":"User's mysite not found."}}`, m365.Unlicensed, "ResourceNotFound"},
		"no mailbox":          {404, `{"error":{"code":"MailboxNotEnabledForRESTAPI","message":"m"}}`, m365.Unlicensed, "MailboxNotEnabledForRESTAPI"},
		"outlook's sync 400":  {400, `{"error":{"code":"SyncStateNotFound","message":"m"}}`, m365.Resync, "SyncStateNotFound"},
		"drive's sync":        {410, `{"error":{"code":"resyncChangesApplyDifferences","message":"m"}}`, m365.Resync, "resyncChangesApplyDifferences"},
		"gone without a body": {410, ``, m365.Resync, "Gone"},
		"inner code":          {403, `{"error":{"code":"accessDenied","message":"m","innerError":{"code":"malwareDetected"}}}`, m365.Malware, "accessDenied"},
		"locked":              {423, `{"error":{"code":"resourceLocked","message":"m"}}`, m365.Locked, "resourceLocked"},
		"locked, other code":  {423, `{"error":{"code":"notAllowed","message":"m"}}`, m365.Locked, "notAllowed"},
		"denied":              {403, `{"error":{"code":"Authorization_RequestDenied","message":"m"}}`, m365.Denied, "Authorization_RequestDenied"},
		"corrupt":             {500, `{"error":{"code":"ErrorCorruptData","message":"m"}}`, m365.Corrupt, "ErrorCorruptData"},
		"sharepoint's shape":  {409, `{"error":{"code":"nameAlreadyExists","message":{"lang":"en-US","value":"m"}}}`, m365.Conflict, "nameAlreadyExists"},
		"html":                {418, `<html>`, m365.Other, "I'm a teapot"},
		"error is a string":   {400, `{"error":"x"}`, m365.Invalid, "Bad Request"},
		"null":                {412, `null`, m365.Changed, "Precondition Failed"},
		"quota":               {507, `{"error":{"code":"quotaLimitReached","message":"m"}}`, m365.Full, "quotaLimitReached"},
	} {
		e := m365.NewError("GET /x", tc.status, http.Header{}, []byte(tc.body))
		if e.Kind != tc.want || e.Code != tc.code {
			t.Errorf("%s: %v %s, want %v %s", name, e.Kind, e.Code, tc.want, tc.code)
		}
		if strings.HasPrefix(tc.body, `{"error":{`) && e.Message == "" {
			t.Errorf("%s: no message", name)
		}
	}
}

func TestADeniedCallNamesItsPermission(t *testing.T) {
	f := m365test.New(t)
	f.Graph(refuse(403))
	call := get("/v1.0/x")
	call.Permission = "Mail.Read"
	_, err := f.Client(t).Do(t.Context(), call)
	if m365.KindOf(err) != m365.Denied || !strings.Contains(err.Error(), "needs the permission Mail.Read") || !strings.Contains(err.Error(), "request rid") {
		t.Errorf("got %v", err)
	}
}

func TestACancelledCallEndsAtOnce(t *testing.T) {
	f := m365test.New(t)
	ctx, cancel := context.WithCancel(t.Context())
	f.Graph(func(_ http.ResponseWriter, r *http.Request) {
		cancel()
		<-r.Context().Done()
	})
	if _, err := f.Client(t).Do(ctx, get("/v1.0/x")); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func FuzzErrorBody(f *testing.F) {
	f.Add(404, []byte(`{"error":{"code":"a","message":{"value":"b"},"innerError":{"code":"c","innererror":{"code":"d"}}}}`))
	f.Add(500, []byte(`{"error":null}`))
	f.Fuzz(func(t *testing.T, status int, body []byte) {
		if e := m365.NewError("GET /x", status, http.Header{}, body); e.Error() == "" {
			t.Error("no text")
		}
	})
}
