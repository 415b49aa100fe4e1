package rest

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"holdfast/internal/holdfast"
	"holdfast/internal/service"
)

// request is one call as handlers see it: the route is known, the caller has its role.
type request struct {
	*http.Request
	route   *route
	version int // of the contract
	links   links
	user    service.User
	bearer  string            // the access token or API key, when that is how the caller signed in
	cookie  string            // the browser session's secret, when that is
	params  map[string]string // of the path, by the contract's name
	values  url.Values        // of the query
	leave   func()            // makes room for another request, when this one only waits
	kept    []byte            // the body, after keepBody
	begun   []string          // ids of the restores that this request began
	reply   http.Header       // to be sent with the answer, whatever it is
}

// param is a path parameter that is an opaque text.
func (r *request) param(name string) string { return r.params[name] }

// id is a path parameter that the contract has as a UUID, in lower case.
func (r *request) id(name string) (string, error) {
	id, err := uuid.Parse(r.params[name])
	if err != nil {
		return "", holdfast.NotFound("there is nothing with the id %q: %s is a UUID", r.params[name], name)
	}
	return id.String(), nil
}

// query is the first value of a query parameter, whose name is matched in any case. An empty value counts as absent.
func (r *request) query(name string) (string, bool) {
	for n, v := range r.values {
		if strings.EqualFold(n, name) && len(v) > 0 && v[0] != "" {
			return v[0], true
		}
	}
	return "", false
}

// queryID is a query parameter that is a UUID; "" when absent.
func (r *request) queryID(name string) (string, error) {
	text, ok := r.query(name)
	if !ok {
		return "", nil
	}
	id, err := uuid.Parse(text)
	if err != nil {
		return "", holdfast.Invalid("query %s must be a UUID", name)
	}
	return id.String(), nil
}

// queryTime is a query parameter that is a time; zero when absent.
func (r *request) queryTime(name string) (time.Time, error) {
	text, ok := r.query(name)
	if !ok {
		return time.Time{}, nil
	}
	t, err := parseTime(strings.ReplaceAll(text, " ", "+")) // a + of a zone arrives as a space
	if err != nil {
		if t, err = parseTime(text); err != nil {
			return time.Time{}, holdfast.Invalid("query %s must be a time such as 2026-01-31T12:00:00Z", name)
		}
	}
	return t, nil
}

// queryBool is a query parameter that is true or false, or otherwise when absent.
func (r *request) queryBool(name string, otherwise bool) (bool, error) {
	text, ok := r.query(name)
	if !ok {
		return otherwise, nil
	}
	b, err := strconv.ParseBool(strings.ToLower(text))
	if err != nil {
		return false, holdfast.Invalid("query %s must be true or false", name)
	}
	return b, nil
}

// queryOneOf is a query parameter with fixed values, matched in any case; "" when absent.
func (r *request) queryOneOf(name string, values ...string) (string, error) {
	text, ok := r.query(name)
	if !ok {
		return "", nil
	}
	for _, v := range values {
		if strings.EqualFold(v, text) {
			return v, nil
		}
	}
	return "", holdfast.Invalid("query %s must be one of %s", name, strings.Join(values, ", "))
}

// cloud says whether a filter by location lets objects of the cloud through. Only organizations in the cloud are built, so one for other places
// finds nothing.
func (r *request) cloud() (bool, error) {
	place, err := r.queryOneOf("locationFilter", "Cloud", "OnPremises", "Hybrid", "CloudOrHybrid", "OnPremisesOrHybrid", "Any")
	return place != "OnPremises" && place != "Hybrid" && place != "OnPremisesOrHybrid", err
}

// dataSource is where a list of the directory is to come from; the service knows the values.
func (r *request) dataSource() service.DataSource {
	text, _ := r.query("dataSource")
	for _, s := range []service.DataSource{service.PreferLocal, service.Production, service.PreferLocalResynced} {
		if strings.EqualFold(text, string(s)) {
			return s
		}
	}
	return service.DataSource(text)
}

// optional is a pointer to v, or nil when v is the zero value: what is absent is left out of answers.
func optional[T comparable](v T) *T {
	var zero T
	if v == zero {
		return nil
	}
	return &v
}

// stamp is a time as answers have it, or nil when there is none.
func stamp(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC()
	return &t
}

// uid is an id of ours as a UUID, or nil when there is none.
func uid[T ~string](id T) *uuid.UUID {
	if u, err := uuid.Parse(string(id)); err == nil {
		return &u
	}
	return nil
}

// value is what p points to, or the zero value.
func value[T any](p *T) T {
	if p == nil {
		var zero T
		return zero
	}
	return *p
}
