package rest_test

import (
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"

	"holdfast/internal/rest"
)

func pages(t *testing.T) http.Handler {
	t.Helper()
	long := strings.Repeat("let a = 1;\n", 200)
	return rest.New(rest.Config{Web: fstest.MapFS{
		"console.html":       {Data: []byte(`<meta name="csp-nonce" content="__NONCE__" /><p>console</p>`)},
		"portal.html":        {Data: []byte(`<p>portal</p>`)},
		"manifest.json":      {Data: []byte(`{}`)},
		"assets/app-1a2b.js": {Data: []byte(long)},
		"assets/icon-3c.svg": {Data: []byte(`<svg/>`)},
		"assets/deep/x.css":  {Data: []byte(`a{}`)},
	}}).Handler()
}

func ask(h http.Handler, method, path string, header map[string]string) *http.Response {
	r := httptest.NewRequest(method, path, nil)
	for name, value := range header {
		r.Header.Set(name, value)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Result()
}

func body(t *testing.T, r *http.Response) string {
	t.Helper()
	b, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestPagesAreServedBesideTheAPI(t *testing.T) {
	h := pages(t)
	for path, want := range map[string]struct {
		status     int
		kind, body string
	}{
		"/":                   {200, "text/html; charset=utf-8", "<p>console</p>"},
		"/portal":             {200, "text/html; charset=utf-8", "<p>portal</p>"},
		"/portal/":            {200, "text/html; charset=utf-8", "<p>portal</p>"},
		"/assets/app-1a2b.js": {200, "text/javascript; charset=utf-8", "let a = 1;"},
		"/assets/icon-3c.svg": {200, "image/svg+xml", "<svg/>"},
		"/assets/deep/x.css":  {200, "text/css; charset=utf-8", "a{}"},
		"/assets/none.js":     {404, "application/json; charset=utf-8", "ResourceNotFound"},
		"/assets/deep":        {404, "application/json; charset=utf-8", "ResourceNotFound"},
		"/assets/../portal":   {404, "application/json; charset=utf-8", "ResourceNotFound"},
		"/manifest.json":      {404, "application/json; charset=utf-8", "ResourceNotFound"},
		"/console.html":       {404, "application/json; charset=utf-8", "ResourceNotFound"},
		"/v8/Jobs":            {401, "application/json; charset=utf-8", "log in first"},
		"/v9/Jobs":            {404, "application/json; charset=utf-8", "ResourceNotFound"},
		"/holdfast/v1/Audit":  {401, "application/json; charset=utf-8", "log in first"},
	} {
		r := ask(h, "GET", path, nil)
		if text := body(t, r); r.StatusCode != want.status || r.Header.Get("Content-Type") != want.kind || !strings.Contains(text, want.body) {
			t.Errorf("GET %s: %d %s %.80q, want %d %s with %q", path, r.StatusCode, r.Header.Get("Content-Type"), text, want.status, want.kind, want.body)
		}
		if got := r.Header.Get("X-Content-Type-Options"); got != "nosniff" {
			t.Errorf("GET %s: X-Content-Type-Options %q", path, got)
		}
	}
	for _, path := range []string{"/", "/portal", "/assets/app-1a2b.js"} {
		if r := ask(h, "POST", path, nil); r.StatusCode != 404 {
			t.Errorf("POST %s: %d, want 404", path, r.StatusCode)
		}
		if r := ask(h, "HEAD", path, nil); r.StatusCode != 200 || body(t, r) != "" {
			t.Errorf("HEAD %s: %d, want 200 without a body", path, r.StatusCode)
		}
	}
}

func TestWithoutPagesTheAPIIsAlone(t *testing.T) {
	if r := ask(rest.New(rest.Config{}).Handler(), "GET", "/", nil); r.StatusCode != 404 {
		t.Errorf("GET /: %d, want 404", r.StatusCode)
	}
}

func TestPagesAllowNoInlineScriptAndNoFrame(t *testing.T) {
	h := pages(t)
	nonces := map[string]bool{}
	for range 2 {
		r := ask(h, "GET", "/", nil)
		policy := r.Header.Get("Content-Security-Policy")
		for _, want := range []string{"default-src 'none'", "script-src 'self'", "frame-ancestors 'none'", "base-uri 'none'", "connect-src 'self'"} {
			if !strings.Contains(policy, want) {
				t.Errorf("the policy %q lacks %q", policy, want)
			}
		}
		if strings.Contains(policy, "unsafe") || strings.Contains(policy, "*") || strings.Contains(policy, "http") {
			t.Errorf("the policy %q is too wide", policy)
		}
		m := regexp.MustCompile(`style-src 'self' 'nonce-([A-Z2-7]{20,})'`).FindStringSubmatch(policy)
		if m == nil {
			t.Fatalf("the policy %q has no nonce for styles", policy)
		}
		if text := body(t, r); !strings.Contains(text, `content="`+m[1]+`"`) {
			t.Errorf("the page %q does not know its nonce %s", text, m[1])
		}
		nonces[m[1]] = true
		if got := r.Header.Get("Cache-Control"); got != "no-cache" {
			t.Errorf("Cache-Control %q", got)
		}
		if got := r.Header.Get("Referrer-Policy"); got != "no-referrer" {
			t.Errorf("Referrer-Policy %q", got)
		}
	}
	if len(nonces) != 2 {
		t.Error("two pages have the same nonce")
	}
}

func TestAssetsAreCompressedAndKeptForEver(t *testing.T) {
	h := pages(t)
	const js = "/assets/app-1a2b.js"
	plain := ask(h, "GET", js, nil)
	want := body(t, plain)
	if got := plain.Header.Get("Cache-Control"); got != "public, max-age=31536000, immutable" {
		t.Errorf("Cache-Control %q", got)
	}
	if plain.Header.Get("Content-Encoding") != "" || plain.Header.Get("Vary") != "Accept-Encoding" {
		t.Errorf("headers %v", plain.Header)
	}
	for _, accept := range []string{"gzip", "br, gzip;q=0.8", "deflate,gzip"} {
		small := ask(h, "GET", js, map[string]string{"Accept-Encoding": accept})
		if small.Header.Get("Content-Encoding") != "gzip" {
			t.Fatalf("Accept-Encoding %q: not compressed", accept)
		}
		z, err := gzip.NewReader(small.Body)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := io.ReadAll(z); err != nil || string(got) != want {
			t.Errorf("Accept-Encoding %q: %d bytes, %v; want the %d plain ones", accept, len(got), err, len(want))
		}
		if small.Header.Get("ETag") == plain.Header.Get("ETag") {
			t.Error("two encodings have one ETag")
		}
	}
	for _, accept := range []string{"", "br", "gzip;q=0", "gzip; q=0.0", "identity"} {
		if r := ask(h, "GET", js, map[string]string{"Accept-Encoding": accept}); r.Header.Get("Content-Encoding") != "" {
			t.Errorf("Accept-Encoding %q: compressed", accept)
		}
	}
	if r := ask(h, "GET", js, map[string]string{"If-None-Match": plain.Header.Get("ETag")}); r.StatusCode != 304 || body(t, r) != "" {
		t.Errorf("If-None-Match with the tag: %d, want 304", r.StatusCode)
	}
	if r := ask(h, "GET", js, map[string]string{"If-None-Match": `"other"`}); r.StatusCode != 200 {
		t.Errorf("If-None-Match with another tag: %d, want 200", r.StatusCode)
	}
	if r := ask(h, "GET", "/assets/icon-3c.svg", map[string]string{"Accept-Encoding": "gzip"}); r.Header.Get("Content-Encoding") != "" || body(t, r) != "<svg/>" {
		t.Error("what does not become smaller was compressed")
	}
}
