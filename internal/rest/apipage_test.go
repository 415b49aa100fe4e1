package rest

import (
	"bytes"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"holdfast/api"
)

func TestThePageAboutTheAPIHasEveryOperation(t *testing.T) {
	a := New(Config{})
	get := func(path string) *httptest.ResponseRecorder {
		out := httptest.NewRecorder()
		a.Handler().ServeHTTP(out, httptest.NewRequest("GET", path, nil))
		if out.Code != 200 {
			t.Fatalf("%s: got %d %s", path, out.Code, out.Body)
		}
		return out
	}
	if got := get("/api/openapi.yaml"); !bytes.Equal(got.Body.Bytes(), api.Description) {
		t.Error("the description is not the one in api")
	}
	got := get("/api")
	text := got.Body.String()
	for _, r := range append(append([]route{}, routes...), ownRoutes...) {
		if !strings.Contains(text, `<details id="`+r.id+`">`) {
			t.Errorf("%s is not on the page", r.id)
		}
	}
	for _, why := range []string{needsVersions, needsArchive} {
		if !strings.Contains(text, why) {
			t.Errorf("the page does not say: %s", why)
		}
	}
	// Each link leads to something on the page.
	for _, m := range regexp.MustCompile(`href="#([^"]+)"`).FindAllStringSubmatch(text, -1) {
		if !strings.Contains(text, `id="`+m[1]+`"`) {
			t.Errorf("a link leads to #%s, which is not there", m[1])
		}
	}
	policy := got.Header().Get("Content-Security-Policy")
	nonce := regexp.MustCompile(`nonce="([^"]+)"`).FindStringSubmatch(text)
	if nonce == nil || !strings.Contains(policy, "'nonce-"+nonce[1]+"'") || strings.Contains(text, "<script") || strings.Contains(text, nonceMark) {
		t.Errorf("the style's nonce %v is not that of %q", nonce, policy)
	}
	packed := httptest.NewRequest("GET", "/api", nil)
	packed.Header.Set("Accept-Encoding", "gzip")
	out := httptest.NewRecorder()
	a.Handler().ServeHTTP(out, packed)
	if size := out.Body.Len(); out.Header().Get("Content-Encoding") != "gzip" || size > 300_000 {
		t.Errorf("the page goes out in %d bytes, encoding %q", size, out.Header().Get("Content-Encoding"))
	}
}
