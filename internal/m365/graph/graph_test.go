package graph_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"holdfast/internal/m365"
	"holdfast/internal/m365/graph"
	"holdfast/internal/m365/m365test"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func start(t *testing.T) (*m365test.Fake, *graph.Client) {
	f := m365test.New(t)
	return f, graph.New(f.Client(t))
}

const contentHost = "contoso-my.sharepoint.com"

func TestPagesAreFollowedAsGivenAndKeepWhatTheyHold(t *testing.T) {
	f, c := start(t)
	next := "https://graph.microsoft.com/v1.0/users/U/mailFolders/F/messages/delta?$skiptoken=a%2Bb+c&x=%7E"
	f.Graph(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case !strings.Contains(r.URL.RawQuery, "skiptoken"):
			m365test.JSON(w, 200, map[string]any{"value": []any{map[string]any{"id": "1", "subject": "s", "unknown": map[string]any{"deep": true}}}, "@odata.nextLink": next})
		case r.RequestURI != strings.TrimPrefix(next, "https://graph.microsoft.com"):
			m365test.Fail(w, 400, "changedLink", r.RequestURI)
		default:
			m365test.JSON(w, 200, map[string]any{"value": []any{}, "@odata.deltaLink": "https://graph.microsoft.com/v1.0/d"})
		}
	})
	l := graph.List{PageSize: 500, Select: []string{"id", "subject"}}
	p, err := c.MessageDelta(t.Context(), "U", "F", l)
	if err != nil {
		t.Fatal(err)
	}
	if m := p.Value[0]; m.Subject != "s" || !strings.Contains(string(m.Raw), `"deep":true`) || p.NextLink != next || p.DeltaLink != "" {
		t.Errorf("page %+v", p)
	}
	p, err = graph.Follow[graph.Message](t.Context(), c, p.NextLink, l)
	if err != nil || p.DeltaLink == "" || p.NextLink != "" {
		t.Errorf("last page %+v, %v", p, err)
	}
	for _, s := range f.Seen("graph.microsoft.com") {
		if got := s.Header.Values("Prefer"); len(got) != 1 || got[0] != `IdType="ImmutableId", odata.maxpagesize=500` {
			t.Errorf("Prefer is %q", got)
		}
	}
}

func TestALinkToAnotherHostIsNotFollowed(t *testing.T) {
	f, c := start(t)
	f.Handle("evil.example", func(w http.ResponseWriter, _ *http.Request) { m365test.JSON(w, 200, map[string]any{"value": []any{}}) })
	for _, link := range []string{"https://evil.example/v1.0/x", "https://contoso-my.sharepoint.com.evil.example/x", "/v1.0/users", "http://graph.microsoft.com/v1.0/users"} {
		if _, err := graph.Follow[graph.User](t.Context(), c, link, graph.List{}); m365.KindOf(err) != m365.Invalid {
			t.Errorf("%s: %v", link, err)
		}
	}
	if n := len(f.Seen("evil.example")); n > 0 {
		t.Errorf("%d requests went to another host", n)
	}
}

func TestAnExpiredDeltaIsAResyncWithItsLocation(t *testing.T) {
	f, c := start(t)
	f.Graph(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Location", "https://graph.microsoft.com/v1.0/again")
		m365test.Fail(w, 410, "resyncChangesApplyDifferences", "m")
	})
	_, err := graph.Follow[graph.DriveItem](t.Context(), c, "https://graph.microsoft.com/v1.0/drives/d/root/delta?token=x", graph.List{})
	var e *m365.Error
	if m365.KindOf(err) != m365.Resync || !asError(err, &e) || e.Location != "https://graph.microsoft.com/v1.0/again" {
		t.Errorf("got %v", err)
	}
}

func asError(err error, e **m365.Error) bool {
	x, ok := err.(*m365.Error) //nolint:errorlint // the client returns it bare
	*e = x
	return ok
}

func TestAPageInThePlaceOfAMailIsNotTakenForIt(t *testing.T) {
	f, c := start(t)
	f.Graph(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = w.Write([]byte("<!DOCTYPE html><title>Service unavailable</title>"))
	})
	if s, err := c.OpenMIME(t.Context(), "u", "m"); m365.KindOf(err) != m365.Unavailable {
		t.Errorf("%v, %v", s, err)
	}
}

func TestAPartOfABatchWhoseTokenEndedIsSentAgainWithAnother(t *testing.T) {
	f, c := start(t)
	var mu sync.Mutex
	var tokens []string
	f.Graph(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		tokens = append(tokens, r.Header.Get("Authorization"))
		status := 401
		if len(tokens) > 1 {
			status = 200
		}
		m365test.JSON(w, 200, map[string]any{"responses": []any{map[string]any{"id": "0", "status": status, "body": map[string]any{"error": map[string]any{"code": "InvalidAuthenticationToken", "message": "expired"}}}}})
	})
	results, err := c.Batch(t.Context(), []graph.Part{{Path: []string{"users", "u"}}})
	if err != nil || results[0].Err != nil || len(tokens) != 2 || tokens[0] == tokens[1] {
		t.Errorf("%v, %v, tokens %v", results, err, tokens)
	}
}

// A page for people in the place of a part's answer is no answer: the part goes again.
func TestAPageInThePlaceOfAPartIsNotTakenForIt(t *testing.T) {
	f, c := start(t)
	var asked atomic.Int32
	f.Graph(func(w http.ResponseWriter, r *http.Request) {
		part := map[string]any{"id": "0", "status": 200, "body": map[string]any{"id": "u"}}
		if asked.Add(1) == 1 {
			part["headers"], part["body"] = map[string]any{"Content-Type": "text/html"}, "PGh0bWw+"
		}
		m365test.JSON(w, 200, map[string]any{"responses": []any{part}})
	})
	results, err := c.Batch(t.Context(), []graph.Part{{Path: []string{"users", "u"}}})
	if err != nil || len(results) != 1 || results[0].Err != nil || asked.Load() != 2 {
		t.Fatalf("%v %+v after %d calls", err, results, asked.Load())
	}
	if u, err := graph.Object[graph.User](results[0]); err != nil || u.ID != "u" {
		t.Errorf("%v %v", u, err)
	}
}

// A part of a batch that meets a lock goes again, and is told after the third time.
func TestAPartOfABatchThatMeetsALockGoesAgain(t *testing.T) {
	f, c := start(t)
	locked, sent := 2, 0
	f.Graph(func(w http.ResponseWriter, _ *http.Request) {
		part := map[string]any{"id": "0", "status": 204}
		if sent++; locked > 0 {
			locked--
			part = map[string]any{"id": "0", "status": 423, "body": map[string]any{"error": map[string]any{"code": "resourceLocked", "message": "m"}}}
		}
		m365test.JSON(w, 200, map[string]any{"responses": []any{part}})
	})
	parts := []graph.Part{{Method: http.MethodPatch, Path: []string{"drives", "D", "items", "I"}, Body: map[string]any{"name": "n"}}}
	for _, tc := range []struct {
		locked, sent int
		kind         m365.Kind
	}{{2, 3, m365.Other}, {100, 3, m365.Locked}} {
		locked, sent = tc.locked, 0
		results, err := c.Batch(t.Context(), parts)
		if err != nil || len(results) != 1 || m365.KindOf(results[0].Err) != tc.kind || sent != tc.sent {
			t.Errorf("locked %d times: %v %+v after %d calls", tc.locked, err, results, sent)
		}
	}
}

func TestABatchSendsOnlyFailedPartsAgainAndNotEarly(t *testing.T) {
	f, c := start(t)
	var mu sync.Mutex
	sent := map[string]int{}
	var until time.Time
	f.Graph(func(w http.ResponseWriter, r *http.Request) {
		var in struct {
			Requests []struct {
				ID, Method, URL string
				Headers         map[string]string
			}
		}
		if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
			t.Error(err)
		}
		if len(in.Requests) > 20 {
			t.Errorf("%d parts", len(in.Requests))
		}
		var out []any
		mu.Lock()
		defer mu.Unlock()
		for i := len(in.Requests) - 1; i >= 0; i-- { // answers come in any order
			q := in.Requests[i]
			sent[q.URL]++
			if q.Headers["Prefer"] != `IdType="ImmutableId"` {
				t.Errorf("headers %v", q.Headers)
			}
			id, _, _ := strings.Cut(strings.Split(q.URL, "/")[4], "?")
			part := map[string]any{"id": q.ID, "status": 200, "body": map[string]any{"id": id}}
			switch {
			case id == "m3" && sent[q.URL] == 1:
				until = f.Clock.Now().Add(7 * time.Second)
				part = map[string]any{"id": q.ID, "status": 429, "headers": map[string]any{"Retry-After": "7"}, "body": map[string]any{"error": map[string]any{"code": "TooManyRequests"}}}
			case id == "m3" && f.Clock.Now().Before(until):
				t.Error("a part came back before its Retry-After")
			case id == "m5" && sent[q.URL] < 3:
				part = map[string]any{"id": q.ID, "status": 503, "body": map[string]any{}}
			case id == "m7" && sent[q.URL] == 1:
				continue // no answer at all
			case id == "m9":
				part = map[string]any{"id": q.ID, "status": 404, "body": map[string]any{"error": map[string]any{"code": "ErrorItemNotFound", "message": "m"}}}
			}
			out = append(out, part)
		}
		m365test.JSON(w, 200, map[string]any{"responses": out})
	})
	var account m365.Account
	var parts []graph.Part
	for i := range 25 {
		parts = append(parts, graph.Part{Path: []string{"users", "U", "messages", fmt.Sprintf("m%d", i)}, List: graph.List{Select: []string{"id"}}})
	}
	results, err := c.Batch(m365.WithAccount(t.Context(), &account), parts)
	if err != nil {
		t.Fatal(err)
	}
	for i, r := range results {
		m, err := graph.Object[graph.Message](r)
		switch want := fmt.Sprintf("m%d", i); {
		case i == 9:
			if m365.KindOf(err) != m365.NotFound {
				t.Errorf("part 9: %v", err)
			}
		case err != nil || m.ID != want:
			t.Errorf("part %d: %v %v", i, m, err)
		}
	}
	repeated := 0
	for url, n := range sent {
		repeated += n - 1
		if n > 1 && !strings.Contains(url, "/m3") && !strings.Contains(url, "/m5") && !strings.Contains(url, "/m7") {
			t.Errorf("%s was sent %d times", url, n)
		}
	}
	if u := account.Usage(); u.Requests != int64(25+repeated) {
		t.Errorf("%d requests counted, %d parts sent", u.Requests, 25+repeated)
	}
}

// serveContent is a content host that honours ranges and cuts each answer after some bytes.
func serveContent(data []byte, cut func(n int) int) http.HandlerFunc {
	var mu sync.Mutex
	n := 0
	return func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		n++
		at := cut(n)
		mu.Unlock()
		from := 0
		status := 200
		if _, err := fmt.Sscanf(r.Header.Get("Range"), "bytes=%d-", &from); err == nil {
			status = 206
			w.Header().Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", from, len(data)-1, len(data)))
		}
		w.Header().Set("Content-Length", fmt.Sprint(len(data)-from))
		w.WriteHeader(status)
		rest := data[from:]
		if at < len(rest) {
			_, _ = w.Write(rest[:at])
			_ = http.NewResponseController(w).Flush()
			panic(http.ErrAbortHandler)
		}
		_, _ = w.Write(rest)
	}
}

func address() string { return "https://" + contentHost + "/download?tempauth=x" }

func TestADownloadCutAtAnyByteIsWhole(t *testing.T) {
	f, c := start(t)
	data := []byte("the quick brown fox jumps")
	for cut := range len(data) {
		f.Handle(contentHost, serveContent(data, func(n int) int {
			if n == 1 {
				return cut
			}
			return len(data)
		}))
		r, err := c.OpenContent(t.Context(), graph.ContentOf{Drive: "d", Item: "i", Address: address(), Size: int64(len(data))})
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(r)
		if err != nil || !bytes.Equal(got, data) {
			t.Errorf("cut at %d: %q, %v", cut, got, err)
		}
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	}
}

func TestADownloadEndsWhenNothingComesAnyMore(t *testing.T) {
	f, c := start(t)
	data := []byte("0123456789")
	f.Handle(contentHost, serveContent(data, func(n int) int {
		if n == 1 {
			return 4
		}
		return 0
	}))
	r, err := c.OpenContent(t.Context(), graph.ContentOf{Drive: "d", Item: "i", Address: address(), Size: 10})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	got, err := io.ReadAll(r)
	if m365.KindOf(err) != m365.Unavailable || len(got) > 4 {
		t.Errorf("got %q, %v", got, err)
	}
}

func TestAServiceThatIgnoresTheRangeIsHandled(t *testing.T) {
	f, c := start(t)
	data := bytes.Repeat([]byte("abcdefgh"), 1000)
	first := true
	f.Handle(contentHost, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", fmt.Sprint(len(data)))
		if first {
			first = false
			_, _ = w.Write(data[:3000])
			_ = http.NewResponseController(w).Flush()
			panic(http.ErrAbortHandler)
		}
		_, _ = w.Write(data)
	})
	r, err := c.OpenContent(t.Context(), graph.ContentOf{Drive: "d", Item: "i", Address: address(), Size: int64(len(data))})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if got, err := io.ReadAll(r); err != nil || !bytes.Equal(got, data) {
		t.Errorf("got %d bytes, %v", len(got), err)
	}
}

func TestAnExpiredAddressIsAskedForAgain(t *testing.T) {
	f, c := start(t)
	f.Graph(func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "https://"+contentHost+"/fresh?tempauth=y", http.StatusFound)
	})
	f.Handle(contentHost, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/fresh" {
			m365test.Fail(w, 401, "unauthenticated", "expired")
			return
		}
		_, _ = io.WriteString(w, "12345")
	})
	r, err := c.OpenContent(t.Context(), graph.ContentOf{Drive: "d", Item: "i", Address: address(), Size: 5})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if got, err := io.ReadAll(r); err != nil || string(got) != "12345" {
		t.Errorf("got %q, %v", got, err)
	}
	for _, s := range f.Seen(contentHost) {
		if s.Authorization != "" {
			t.Error("the token went to the content host")
		}
	}
}

func TestContentOfAnotherSizeIsAChange(t *testing.T) {
	f, c := start(t)
	for _, tc := range []struct {
		announced int64
		served    string
		length    bool
	}{{4, "12345", true}, {6, "12345", true}, {4, "12345", false}, {6, "12345", false}} {
		f.Handle(contentHost, func(w http.ResponseWriter, _ *http.Request) {
			if tc.length {
				w.Header().Set("Content-Length", fmt.Sprint(len(tc.served)))
			} else {
				_ = http.NewResponseController(w).Flush()
			}
			_, _ = io.WriteString(w, tc.served)
		})
		r, err := c.OpenContent(t.Context(), graph.ContentOf{Drive: "d", Item: "i", Address: address(), Size: tc.announced})
		if err == nil {
			_, err = io.ReadAll(r)
			_ = r.Close()
		}
		if err == nil {
			t.Errorf("%d announced, %d served: no error", tc.announced, len(tc.served))
		}
	}
}

// uploadHost takes fragments in order, with a chance to break each.
type uploadHost struct {
	mu    sync.Mutex
	got   []byte
	done  bool
	gone  bool // its status is not known any more
	calls int
	// broken says what to do at a call: "" takes it, "lost" takes it and breaks, "forgotten" does so and forgets the session, "503" refuses.
	broken func(n int) string
}

func (u *uploadHost) serve(w http.ResponseWriter, r *http.Request) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if r.Header.Get("Authorization") != "" {
		m365test.Fail(w, 401, "unauthenticated", "no token here")
		return
	}
	var from, to, all int
	if r.Method == http.MethodGet {
		if u.done || u.gone {
			m365test.Fail(w, 404, "itemNotFound", "over")
			return
		}
		m365test.JSON(w, 200, map[string]any{"nextExpectedRanges": []string{fmt.Sprintf("%d-", len(u.got))}})
		return
	}
	if _, err := fmt.Sscanf(r.Header.Get("Content-Range"), "bytes %d-%d/%d", &from, &to, &all); err != nil || u.done {
		m365test.Fail(w, 404, "itemNotFound", "over")
		return
	}
	body, err := io.ReadAll(r.Body)
	if err != nil || len(body) != to-from+1 {
		m365test.Fail(w, 400, "invalidRequest", "length")
		return
	}
	u.calls++
	how := u.broken(u.calls)
	if how == "503" {
		w.WriteHeader(503)
		return
	}
	if from != len(u.got) {
		m365test.Fail(w, 416, "invalidRange", "wrong place")
		return
	}
	if to+1 < all && len(body)%(320<<10) != 0 {
		m365test.Fail(w, 400, "invalidRequest", "unit")
		return
	}
	u.got = append(u.got, body...)
	u.done = len(u.got) == all
	u.gone = how == "forgotten"
	if how == "lost" || how == "forgotten" {
		panic(http.ErrAbortHandler)
	}
	if u.done {
		m365test.JSON(w, 201, map[string]any{"id": "new", "size": all})
		return
	}
	m365test.JSON(w, 202, map[string]any{"nextExpectedRanges": []string{fmt.Sprintf("%d-", len(u.got))}})
}

func TestAnUploadSurvivesLostFragmentsAndAnswers(t *testing.T) {
	f, c := start(t)
	f.Graph(func(w http.ResponseWriter, _ *http.Request) {
		m365test.JSON(w, 200, map[string]any{"uploadUrl": "https://" + contentHost + "/up?tempauth=z"})
	})
	data := bytes.Repeat([]byte("0123456789abcdef"), 600_000) // three fragments
	for name, broken := range map[string]func(n int) string{
		"whole":         func(int) string { return "" },
		"refused":       func(n int) string { return map[int]string{1: "503", 3: "503"}[n] },
		"answer lost":   func(n int) string { return map[int]string{1: "lost", 3: "lost"}[n] },
		"second broken": func(n int) string { return map[int]string{2: "lost"}[n] },
	} {
		t.Run(name, func(t *testing.T) {
			host := &uploadHost{broken: broken}
			f.Handle(contentHost, host.serve)
			up, err := c.CreateFileUpload(t.Context(), graph.NewFile{Drive: "d", Parent: "p", Name: "n", Size: int64(len(data))})
			if err != nil {
				t.Fatal(err)
			}
			raw, _, err := up.Send(t.Context(), bytes.NewReader(data))
			if err != nil {
				t.Fatal(err)
			}
			item, err := graph.Uploaded(raw)
			if err != nil || item.ID != "new" || !bytes.Equal(host.got, data) {
				t.Errorf("%v, %v, %d bytes", item, err, len(host.got))
			}
		})
	}
	t.Run("last answer lost", func(t *testing.T) {
		host := &uploadHost{broken: func(n int) string { return map[int]string{3: "lost"}[n] }}
		f.Handle(contentHost, host.serve)
		up, err := c.CreateFileUpload(t.Context(), graph.NewFile{Drive: "d", Parent: "p", Name: "n", Size: int64(len(data))})
		if err != nil {
			t.Fatal(err)
		}
		if _, _, err := up.Send(t.Context(), bytes.NewReader(data)); !m365.OutcomeUnknown(err) {
			t.Errorf("got %v, want an unknown outcome", err)
		}
	})
	t.Run("forgotten", func(t *testing.T) {
		host := &uploadHost{broken: func(n int) string { return map[int]string{2: "forgotten"}[n] }}
		f.Handle(contentHost, host.serve)
		up, err := c.CreateFileUpload(t.Context(), graph.NewFile{Drive: "d", Parent: "p", Name: "n", Size: int64(len(data))})
		if err != nil {
			t.Fatal(err)
		}
		if _, _, err := up.Send(t.Context(), bytes.NewReader(data)); m365.KindOf(err) != m365.Unavailable || m365.OutcomeUnknown(err) {
			t.Errorf("got %v, want one after which the upload is begun anew", err)
		}
	})
	t.Run("wrong size", func(t *testing.T) {
		for _, n := range []int{len(data) - 1, len(data) + 1} {
			host := &uploadHost{broken: func(int) string { return "" }}
			f.Handle(contentHost, host.serve)
			up, err := c.CreateFileUpload(t.Context(), graph.NewFile{Drive: "d", Parent: "p", Name: "n", Size: int64(n)})
			if err != nil {
				t.Fatal(err)
			}
			if _, _, err := up.Send(t.Context(), bytes.NewReader(data)); err == nil {
				t.Errorf("%d announced, %d given: no error", n, len(data))
			}
		}
	})
}

func TestNamesAreEscapedInPaths(t *testing.T) {
	f, c := start(t)
	f.Graph(func(w http.ResponseWriter, _ *http.Request) { m365test.JSON(w, 200, map[string]any{"id": "x"}) })
	for name, want := range map[string]string{
		"a b#c%d.txt":  "/v1.0/drives/d/items/p:/a%20b%23c%25d.txt",
		"100% 'ok'&+=": "/v1.0/drives/d/items/p:/100%25%20%27ok%27&+=",
		"ü;@,":         "/v1.0/drives/d/items/p:/%C3%BC%3B@%2C",
	} {
		if _, err := c.DriveChild(t.Context(), "d", "p", name, graph.List{}); err != nil {
			t.Fatal(err)
		}
		seen := f.Seen("graph.microsoft.com")
		if got := seen[len(seen)-1].Path; !strings.HasSuffix(got, "p:/"+name) {
			t.Errorf("%q arrived as %q, want %q", name, got, want)
		}
	}
}

func TestALinkThatWouldMailPeopleIsRefused(t *testing.T) {
	f, c := start(t)
	if _, err := c.CreateLink(t.Context(), "d", "i", "view", "users"); err == nil {
		t.Error("no error")
	}
	if n := len(f.Seen("graph.microsoft.com")); n > 0 {
		t.Errorf("%d calls", n)
	}
}

func TestPermissionsAreCheckedByTheToken(t *testing.T) {
	_, c := start(t) // has User.Read.All, Mail.ReadWrite, Files.Read.All
	missing, err := c.CheckPermissions(t.Context(), "User.Read.All", "Mail.Read", "Files.ReadWrite.All", "Group.Read.All")
	if err != nil || strings.Join(missing, " ") != "Files.ReadWrite.All Group.Read.All" {
		t.Errorf("missing %v, %v", missing, err)
	}
}

func TestQuickXorHash(t *testing.T) {
	// The vectors are rclone's, made with Microsoft's reference code.
	for in, want := range map[string]string{
		"": "AAAAAAAAAAAAAAAAAAAAAAAAAAA=", "Sg==": "SgAAAAAAAAAAAAAAAQAAAAAAAAA=", "tbQ=": "taAFAAAAAAAAAAAAAgAAAAAAAAA=", "0pZP": "0rDEEwAAAAAAAAAAAwAAAAAAAAA=",
	} {
		raw, err := base64.StdEncoding.DecodeString(in)
		if err != nil {
			t.Fatal(err)
		}
		var q graph.QuickXor
		if _, err := q.Write(raw); err != nil || q.Text() != want {
			t.Errorf("%q: %s, want %s", in, q.Text(), want)
		}
	}
	data := bytes.Repeat([]byte("Holdfast 0123456789"), 997)
	var whole graph.QuickXor
	_, _ = whole.Write(data)
	want := slowQuickXor(data)
	for _, step := range []int{1, 7, 159, 160, 161, 4096} {
		var q graph.QuickXor
		for at := 0; at < len(data); at += step {
			_, _ = q.Write(data[at:min(at+step, len(data))])
		}
		if q.Text() != whole.Text() || q.Text() != want {
			t.Errorf("in steps of %d: %s, whole %s, bit by bit %s", step, q.Text(), whole.Text(), want)
		}
	}
}

// slowQuickXor is the definition, bit by bit.
func slowQuickXor(data []byte) string {
	var bits [160]byte
	for i, b := range data {
		for j := range 8 {
			bits[(i*11+j)%160] ^= b >> j & 1
		}
	}
	var out [20]byte
	for i, b := range bits {
		out[i/8] |= b << (i % 8)
	}
	for i := range 8 {
		out[12+i] ^= byte(uint64(len(data)) >> (8 * i))
	}
	return base64.StdEncoding.EncodeToString(out[:])
}

func TestACancelledDownloadEnds(t *testing.T) {
	f, c := start(t)
	ctx, cancel := context.WithCancel(t.Context())
	f.Handle(contentHost, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Length", "10")
		_, _ = io.WriteString(w, "12")
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done()
	})
	r, err := c.OpenContent(ctx, graph.ContentOf{Drive: "d", Item: "i", Address: address(), Size: 10})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if _, err := io.ReadFull(r, make([]byte, 2)); err != nil {
		t.Fatal(err)
	}
	cancel()
	if _, err := io.ReadAll(r); err == nil || ctx.Err() == nil {
		t.Errorf("got %v", err)
	}
}

func FuzzRowsOfAPage(f *testing.F) {
	f.Add([]byte(`{"value":[{"id":"1","file":{"hashes":{"quickXorHash":"x"}},"permissions":[{"id":"p"}]}],"@odata.nextLink":"n"}`))
	f.Add([]byte(`{"value":[null,{"deleted":{}}]}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		if p, err := graph.Rows[graph.DriveItem](graph.PartResult{Body: raw}); err == nil {
			for _, i := range p.Value {
				_ = i.Hash() + i.ParentID()
			}
		}
		p, err := graph.Rows[graph.Message](graph.PartResult{Body: raw})
		var want struct {
			Value []json.RawMessage `json:"value"`
			Next  *string           `json:"@odata.nextLink"`
		}
		if err != nil || json.Unmarshal(raw, &want) != nil || want.Value == nil {
			return
		}
		// Where encoding/json understands a page of plain names, we see the same rows.
		if bytes.ContainsRune(raw, '\\') || bytes.Count(bytes.ToLower(raw), []byte(`"value"`)) != 1 {
			return
		}
		if len(p.Value) != len(want.Value) {
			t.Errorf("%d rows, encoding/json sees %d", len(p.Value), len(want.Value))
			return
		}
		for i := range want.Value {
			if !bytes.Equal(p.Value[i].Raw, want.Value[i]) {
				t.Errorf("row %d is %q, encoding/json sees %q", i, p.Value[i].Raw, want.Value[i])
			}
		}
	})
}
