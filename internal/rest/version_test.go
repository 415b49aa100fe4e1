package rest

import (
	"context"
	"io"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"holdfast/internal/service"
)

// TestVersion7HasTheOperationsOfItsContract holds the view that older versions are against the index of version 7: the same operations, and the
// same successes and collections of those that are built.
func TestVersion7HasTheOperationsOfItsContract(t *testing.T) {
	parameter := regexp.MustCompile(`\{\w+\}`)
	key := func(method, path string) string {
		return method + " " + strings.ToLower(parameter.ReplaceAllString(path, "{}"))
	}
	ours := map[string]route{}
	for _, r := range routesOf(7) {
		ours[key(r.method, r.path)] = r
	}
	index := readIndex(t, "testdata/operations-v7.tsv", "")
	if len(index) != len(ours) || len(index) < 450 {
		t.Errorf("the contract's version 7 has %d operations, ours %d", len(index), len(ours))
	}
	now := map[string]operation{}
	for _, op := range readIndex(t, "testdata/operations.tsv", "") {
		now[key(op.method, op.path)] = op
	}
	for _, want := range index {
		got, ok := ours[key(want.method, want.path)]
		switch {
		case !ok:
			t.Errorf("%s (%s %s) is not there", want.id, want.method, want.path)
		case got.act == service.ActUnbuilt:
		case strconv.Itoa(got.code) != want.code:
			t.Errorf("%s: success is %d, in the contract %s", got.id, got.code, want.code)
		}
		delete(ours, key(want.method, want.path))
		array := strings.HasPrefix(want.answer, "[") && !strings.HasPrefix(now[key(want.method, want.path)].answer, "[")
		if was := bareUntil[got.id] >= 7; got.act != service.ActUnbuilt && array != was && !strings.HasPrefix(got.id, "ObjectStorage") {
			t.Errorf("%s: a bare array until version 7: %v, in the contract %v", got.id, was, array)
		}
	}
	for k := range ours {
		t.Errorf("%s is not in the contract's version 7", k)
	}
	for id := range sinceV8 {
		if !slices.ContainsFunc(routes, func(r route) bool { return r.id == id || strings.HasPrefix(r.id, id+"_") }) {
			t.Errorf("sinceV8 has %s, which is no operation", id)
		}
	}
}

// TestActionsOfVersion5 carries the verb of an action in its body.
func TestActionsOfVersion5(t *testing.T) {
	bodies := make(chan string, 1)
	a := tryOut(t, io.Discard)
	a.routers[5] = newRouter([]route{{"Start", "POST", "/Jobs/{jobId}/start", 200, service.ActSeeRepos, func(_ *API, _ context.Context, r *request) (any, error) {
		body, err := r.body()
		bodies <- r.param("jobId") + " " + string(body)
		return map[string]string{}, err
	}}})
	a.routers[6] = a.routers[5]
	for body, want := range map[string]string{
		`{"start":null}`:             "17 ",
		`{"START": {"full": false}}`: `17 {"full":false}`,
		` { "start" : {} , } `:       "17 {}",
	} {
		if out := call(a, "POST", "/v5/jobs/17/Action", strings.NewReader(body)); out.Code != http.StatusOK {
			t.Errorf("%s: got %d %s", body, out.Code, out.Body)
		} else if got := <-bodies; got != want {
			t.Errorf("%s: the operation got %q, want %q", body, got, want)
		}
	}
	for body, want := range map[string]int{`{"start":null,"stop":null}`: 400, `{}`: 400, `[]`: 400, `{`: 400, ``: 400, `{"explode":null}`: 404, `{"x":"` + strings.Repeat("y", maxAction) + `"}`: 400} {
		if out := call(a, "POST", "/v5/Jobs/17/action", strings.NewReader(body)); out.Code != want {
			t.Errorf("%.40s: got %d %s, want %d", body, out.Code, out.Body, want)
		}
	}
	if out := call(a, "POST", "/v6/Jobs/17/action", strings.NewReader(`{"start":null}`)); out.Code != 404 {
		t.Errorf("version 6 has a path for each verb: got %d", out.Code)
	}
}
