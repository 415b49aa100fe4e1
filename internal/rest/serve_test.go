package rest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"holdfast/internal/holdfast"
	"holdfast/internal/rest/contract"
	"holdfast/internal/service"
)

// tryOut is an API with routes of a test's own, for which the bearer "good" is an administrator.
func tryOut(t *testing.T, log io.Writer, routes ...route) *API {
	t.Helper()
	a := New(Config{Logger: slog.New(slog.NewTextHandler(log, nil))})
	a.routers[newest] = newRouter(routes)
	a.authenticate = func(_ context.Context, _, token string) (service.User, error) {
		if token != "good" {
			return service.User{}, holdfast.Unauthenticated("the token is unknown or has ended")
		}
		return service.User{Name: "admin", Role: service.RoleOwner}, nil
	}
	return a
}

func call(a *API, method, target string, body io.Reader) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, target, body)
	r.Header.Set("Authorization", "Bearer good")
	w := httptest.NewRecorder()
	a.Handler().ServeHTTP(w, r)
	return w
}

// seen answers what a handler is given.
func seen(_ *API, _ context.Context, r *request) (any, error) {
	return map[string]any{"operation": r.route.id, "params": r.params}, nil
}

func TestPathsAreFoundAsClientsWriteThem(t *testing.T) {
	a := tryOut(t, io.Discard,
		route{"List", "GET", "/Jobs", 200, service.ActSeeRepos, seen},
		route{"One", "GET", "/Jobs/{jobId}", 200, service.ActSeeRepos, seen},
		route{"Verb", "POST", "/Jobs/{jobId}/start", 200, service.ActSeeRepos, seen},
		route{"All", "POST", "/Jobs/search", 200, service.ActSeeRepos, seen},
		route{"Below", "GET", "/Jobs/{jobId}/items/{itemId}", 200, service.ActSeeRepos, seen},
	)
	for target, want := range map[string]string{
		"GET /v8/Jobs":                       `{"operation":"List","params":{}}`,
		"GET /v8/jobs/":                      `{"operation":"List","params":{}}`,
		"GET /V8/JOBS?extendedView=true":     `{"operation":"List","params":{}}`,
		"GET /v8/Jobs/17":                    `{"operation":"One","params":{"jobId":"17"}}`,
		"GET /v8/Jobs/search":                `{"operation":"One","params":{"jobId":"search"}}`,
		"POST /v8/jobs/Search":               `{"operation":"All","params":{}}`,
		"POST /v8/jobs/AbC/START/":           `{"operation":"Verb","params":{"jobId":"AbC"}}`,
		"GET /v8/Jobs/1/items/A%2FB%3D%20c":  `{"operation":"Below","params":{"itemId":"A/B= c","jobId":"1"}}`,
		"GET /v8/Jobs/1/items/AA==":          `{"operation":"Below","params":{"itemId":"AA==","jobId":"1"}}`,
		"GET /v8/Jobs/1/things":              `{"message":"the API has no /v8/Jobs/1/things","errorCode":"ResourceNotFound"}`,
		"GET /v8/Jobs//items/1":              `{"message":"the API has no /v8/Jobs//items/1","errorCode":"ResourceNotFound"}`,
		"GET /v8":                            `{"message":"the API has no /v8","errorCode":"ResourceNotFound"}`,
		"GET /":                              `{"message":"there is nothing at /; the API is below /v8","errorCode":"ResourceNotFound"}`,
		"GET /v9/Jobs":                       `{"message":"version 9 of the API is not served; 5 to 8 are","errorCode":"ResourceNotFound"}`,
		"DELETE /v8/Jobs/search":             `{"message":"this method is not allowed here; allowed: GET, POST","errorCode":"ParameterValidationFailure"}`,
		"GET /v8/Jobs/1/items/%zz":           "",
		"GET /v8/Jobs/1/items/x/y":           `{"message":"the API has no /v8/Jobs/1/items/x/y","errorCode":"ResourceNotFound"}`,
		"GET /versions/Jobs":                 `{"message":"there is nothing at /versions/Jobs; the API is below /v8","errorCode":"ResourceNotFound"}`,
		"GET /v8/Jobs/1/items/" + "%2E%2E":   `{"operation":"Below","params":{"itemId":"..","jobId":"1"}}`,
		"GET /v8/Jobs?limit=5&LIMIT=7&x=%zz": `{"operation":"List","params":{}}`,
	} {
		method, path, _ := strings.Cut(target, " ")
		if want == "" { // net/http refuses it before us
			continue
		}
		if got := strings.TrimSpace(call(a, method, path, nil).Body.String()); got != want {
			t.Errorf("%s\n got %s\nwant %s", target, got, want)
		}
	}
}

// TestVersionDetection: clients ask for ServiceInstance of each version without a token, and take 401 for served and 404 for not.
func TestVersionDetection(t *testing.T) {
	a := New(Config{})
	for target, want := range map[string]int{
		"GET /v8/ServiceInstance":    401,
		"GET /v7/ServiceInstance":    401,
		"GET /v6/ServiceInstance":    401,
		"GET /v5/serviceInstance":    401,
		"GET /v4/ServiceInstance":    404,
		"GET /v9/ServiceInstance":    404,
		"GET /v8/serviceinstance/":   401,
		"GET /v8/Jobs":               401,
		"GET /v7/Jobs":               401,
		"GET /v7/Health":             404,
		"GET /v7/ProtectedUsers":     404,
		"GET /v8/RestorePoints":      401,
		"GET /v8/Nothing":            404,
		"POST /v5/token":             400,
		"POST /v4/Token":             400,
		"POST /v3/token":             404,
		"POST /v7/Token":             400,
		"POST /v8/token":             400,
		"POST /v9/token":             404,
		"POST /v7/token/logout":      401,
		"GET /holdfast/v1/Warnings":  401,
		"GET /Holdfast/V1/warnings/": 401,
		"GET /holdfast/v1/Jobs":      404,
		"GET /v8/Warnings":           404,
	} {
		method, path, _ := strings.Cut(target, " ")
		w := httptest.NewRecorder()
		a.Handler().ServeHTTP(w, httptest.NewRequest(method, path, strings.NewReader("")))
		if w.Code != want {
			t.Errorf("%s: got %d, want %d: %s", target, w.Code, want, w.Body)
		}
	}
}

func TestErrorsHaveTheirStatusAndNeverTheirInside(t *testing.T) {
	cause := errors.New("SELECT secret FROM table")
	for name, tc := range map[string]struct {
		err    error
		status int
		code   string
		text   string
	}{
		"invalid":         {holdfast.Invalid("field x is missing"), 400, "ParameterValidationFailure", "field x is missing"},
		"unauthenticated": {holdfast.Unauthenticated("log in"), 401, "ResourceAccessDenied", "log in"},
		"denied":          {holdfast.Denied("not you"), 403, "ResourceAccessDenied", "not you"},
		"not found":       {holdfast.NotFound("no job"), 404, "ResourceNotFound", "no job"},
		"conflict":        {holdfast.Conflict("it runs"), 409, "OperationConflict", "it runs"},
		"damaged":         {holdfast.Damaged("blob 7"), 409, "OperationConflict", "blob 7"},
		"stale":           {holdfast.Stale("lease lost"), 409, "OperationConflict", "lease lost"},
		"unavailable":     {&holdfast.Error{Kind: holdfast.KindUnavailable, Message: "later", RetryAfter: 90 * time.Second}, 503, "HttpError", "later"},
		"unknown":         {holdfast.Unknown("read first"), 500, "HttpError", "read first"},
		"wrapped":         {fmt.Errorf("load job: %w", holdfast.NotFound("no job")), 404, "ResourceNotFound", "load job: no job"},
		"too late":        {fmt.Errorf("x: %w", context.DeadlineExceeded), 503, "Timeout", "the operation did not end within its time"},
		"internal":        {cause, 500, "HttpError", "internal error "},
	} {
		t.Run(name, func(t *testing.T) {
			var log bytes.Buffer
			a := tryOut(t, &log, route{"Fail", "GET", "/x", 200, service.ActSeeRepos, func(*API, context.Context, *request) (any, error) { return nil, tc.err }})
			w := call(a, "GET", "/v8/x", nil)
			var got contract.RESTExceptionInfo
			if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil {
				t.Fatal(err)
			}
			if w.Code != tc.status || string(*got.ErrorCode) != tc.code || !strings.HasPrefix(*got.Message, tc.text) || got.StackTrace != nil {
				t.Errorf("got %d %s", w.Code, w.Body)
			}
			if strings.Contains(w.Body.String(), "SELECT") {
				t.Error("the inside is shown")
			}
			if name == "internal" {
				id := strings.TrimSuffix(strings.Fields(*got.Message)[2], ";")
				if !strings.Contains(log.String(), id) || !strings.Contains(log.String(), "SELECT") {
					t.Errorf("the log does not have the cause under id %s: %s", id, log.String())
				}
			}
			if name == "unavailable" && w.Header().Get("Retry-After") != "90" {
				t.Errorf("Retry-After is %q", w.Header().Get("Retry-After"))
			}
		})
	}
}

func TestPanicAnswersAnIDAndLogsTheStack(t *testing.T) {
	var log bytes.Buffer
	a := tryOut(t, &log, route{"Panic", "GET", "/x", 200, service.ActSeeRepos, func(*API, context.Context, *request) (any, error) {
		var m map[string]int
		m["x"] = 1
		return nil, nil
	}})
	w := call(a, "GET", "/v8/x", nil)
	if w.Code != 500 || !strings.Contains(w.Body.String(), "internal error ") || strings.Contains(w.Body.String(), "nil map") || strings.Contains(w.Body.String(), "goroutine") {
		t.Errorf("got %d %s", w.Code, w.Body)
	}
	if !strings.Contains(log.String(), "assignment to entry in nil map") || !strings.Contains(log.String(), "TestPanicAnswersAnID") {
		t.Errorf("the log has no stack: %s", log.String())
	}
}

func TestWhatIsNotBuiltSaysSo(t *testing.T) {
	a := tryOut(t, io.Discard, routes...)
	for _, r := range a.routesNotBuilt() {
		target := "/v8" + strings.NewReplacer("{", "", "}", "").Replace(r.path)
		w := call(a, r.method, target, strings.NewReader("{}"))
		if w.Code != 409 || !strings.Contains(w.Body.String(), r.id) || !strings.Contains(w.Body.String(), "OperationConflict") {
			t.Errorf("%s %s: got %d %s", r.method, target, w.Code, w.Body)
		}
	}
}

func (a *API) routesNotBuilt() []route {
	var out []route
	for _, r := range routes {
		if funcName(r) == "notYet" {
			out = append(out, r)
		}
	}
	return out
}

func TestPagesEchoWhatIsInEffect(t *testing.T) {
	all := make([]int, 25_000)
	a := tryOut(t, io.Discard, route{"List", "GET", "/Things", 200, service.ActSeeRepos, func(_ *API, _ context.Context, r *request) (any, error) {
		w, err := r.window()
		if err != nil {
			return nil, err
		}
		return page(r, w, cut(w, all), func(n int) int { return n }), nil
	}})
	type got struct {
		Offset, Limit int
		Results       []int
		Links         map[string]contract.RESTLinkHAL `json:"_links"`
	}
	for query, want := range map[string]struct {
		offset, limit, n  int
		next, prev, first string
	}{
		"":                              {0, 30, 30, "/v8/Things?limit=30&offset=30", "", "/v8/Things?limit=30&offset=0"},
		"?limit=10000":                  {0, 10_000, 10_000, "/v8/Things?limit=10000&offset=10000", "", "/v8/Things?limit=10000&offset=0"},
		"?limit=20000&offset=20000":     {20_000, 10_000, 5_000, "", "/v8/Things?limit=10000&offset=10000", "/v8/Things?limit=10000&offset=0"},
		"?LIMIT=5&Offset=3&jobId=a%26b": {3, 5, 5, "/v8/Things?jobId=a%26b&limit=5&offset=8", "/v8/Things?jobId=a%26b&limit=5&offset=0", "/v8/Things?jobId=a%26b&limit=5&offset=0"},
		"?limit=0&offset=" + "30000":    {30_000, 30, 0, "", "/v8/Things?limit=30&offset=29970", "/v8/Things?limit=30&offset=0"},
		"?limit=&offset=":               {0, 30, 30, "/v8/Things?limit=30&offset=30", "", "/v8/Things?limit=30&offset=0"},
	} {
		w := call(a, "GET", "/v8/Things"+query, nil)
		var g got
		if err := json.Unmarshal(w.Body.Bytes(), &g); err != nil || w.Code != 200 {
			t.Fatalf("%s: %d %v %s", query, w.Code, err, w.Body)
		}
		href := func(name string) string { return value(g.Links[name].Href) }
		if g.Offset != want.offset || g.Limit != want.limit || len(g.Results) != want.n || href("next") != want.next || href("prev") != want.prev || href("first") != want.first {
			t.Errorf("%s: got offset %d limit %d n %d next %s prev %s first %s", query, g.Offset, g.Limit, len(g.Results), href("next"), href("prev"), href("first"))
		}
	}
	for _, wrong := range []string{"?limit=x", "?limit=-1", "?offset=99999999999"} {
		if w := call(a, "GET", "/v8/Things"+wrong, nil); w.Code != 400 {
			t.Errorf("%s: got %d", wrong, w.Code)
		}
	}
}

func TestDownloads(t *testing.T) {
	part := bytes.Repeat([]byte("x"), 64<<10)
	result := func(d *download) route {
		return route{"Save", "GET", "/x", 200, service.ActSeeRepos, func(*API, context.Context, *request) (any, error) { return d, nil }}
	}
	serve := func(t *testing.T, d *download) (*http.Response, []byte, error) {
		s := httptest.NewServer(tryOut(t, io.Discard, result(d)).Handler())
		defer s.Close()
		r, err := http.NewRequestWithContext(t.Context(), "GET", s.URL+"/v8/x", nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Authorization", "bearer good")
		resp, err := s.Client().Do(r)
		if err != nil {
			return nil, nil, err
		}
		defer resp.Body.Close()
		body, err := io.ReadAll(resp.Body)
		return resp, body, err
	}
	t.Run("whole", func(t *testing.T) {
		resp, body, err := serve(t, &download{name: "Grüße \"1\".eml", size: -1, write: func(_ context.Context, w io.Writer) error {
			for range 10 {
				if _, err := w.Write(part); err != nil {
					return err
				}
			}
			return nil
		}})
		if err != nil || len(body) != 10*len(part) || resp.Header.Get("Content-Type") != "application/octet-stream" {
			t.Errorf("got %d bytes, %v, %v", len(body), resp, err)
		}
		if got, want := resp.Header.Get("Content-Disposition"), `attachment; filename="Gr__e _1_.eml"; filename*=utf-8''Gr%C3%BC%C3%9Fe%20%221%22.eml`; got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	})
	t.Run("empty", func(t *testing.T) {
		resp, body, err := serve(t, &download{name: "a.txt", size: 0, write: func(context.Context, io.Writer) error { return nil }})
		if err != nil || resp.StatusCode != 200 || len(body) != 0 || resp.Header.Get("Content-Disposition") != `attachment; filename="a.txt"` {
			t.Errorf("got %v, %v", resp, err)
		}
	})
	t.Run("refused before the first byte", func(t *testing.T) {
		resp, body, err := serve(t, &download{name: "a.txt", size: -1, write: func(context.Context, io.Writer) error { return holdfast.NotFound("no such item") }})
		if err != nil || resp.StatusCode != 404 || !strings.Contains(string(body), "no such item") || resp.Header.Get("Content-Disposition") != "" {
			t.Errorf("got %v %s, %v", resp, body, err)
		}
	})
	t.Run("broken in the middle is never taken for whole", func(t *testing.T) {
		_, body, err := serve(t, &download{name: "a.txt", size: -1, write: func(_ context.Context, w io.Writer) error {
			_, _ = w.Write(part)
			return errors.New("a blob is damaged")
		}})
		if err == nil {
			t.Errorf("the client read %d bytes without an error", len(body))
		}
	})
}

func TestTooManyRequestsAreToldToComeBack(t *testing.T) {
	enter, leave := make(chan struct{}), make(chan struct{})
	a := tryOut(t, io.Discard, route{"Slow", "GET", "/x", 204, service.ActSeeRepos, func(*API, context.Context, *request) (any, error) {
		enter <- struct{}{}
		<-leave
		return nil, nil
	}})
	a.slots = make(chan struct{}, 1)
	done := make(chan int)
	go func() { done <- call(a, "GET", "/v8/x", nil).Code }()
	<-enter
	if w := call(a, "GET", "/v8/x", nil); w.Code != 503 || w.Header().Get("Retry-After") == "" {
		t.Errorf("got %d %v", w.Code, w.Header())
	}
	close(leave)
	if code := <-done; code != 204 {
		t.Errorf("the first one got %d", code)
	}
}

func TestBodiesAreBounded(t *testing.T) {
	a := tryOut(t, io.Discard, route{"token", "POST", "/token", 200, service.ActSignIn, func(_ *API, _ context.Context, r *request) (any, error) {
		_, err := r.tokenRequest()
		return nil, err
	}})
	w := call(a, "POST", "/v8/token", io.MultiReader(strings.NewReader(`{"username":"`), io.LimitReader(letters{}, 1<<20)))
	if w.Code != 400 || !strings.Contains(w.Body.String(), "larger than") {
		t.Errorf("got %d %s", w.Code, w.Body)
	}
}

type letters struct{}

func (letters) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = 'a'
	}
	return len(p), nil
}
