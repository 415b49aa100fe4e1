// Package judge compares what the simulator answers with Microsoft's public metadata of Graph v1.0.
//
// A reduced table, generated from the CSDL and the permission table, is embedded and always used. The full files judge
// when they are at hand (FromFiles). Open types are closed here: a property that the metadata does not name is a
// problem, and so are unknown enum members, types, actions and values of the wrong JSON kind.
package judge

import (
	"bytes"
	_ "embed"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

//go:generate go run ./gen

//go:embed table.json
var embedded []byte

// Table is what the metadata says, whole or reduced. Type names are without the "microsoft.graph." prefix; a collection
// is written "[name]", primitives keep "Edm.".
type Table struct {
	Notice      string              `json:"notice"`
	Source      string              `json:"source"`
	Sets        map[string]string   `json:"sets"`
	Types       map[string]*Type    `json:"types"`
	Enums       map[string]*Enum    `json:"enums"`
	Operations  map[string][]*Bound `json:"operations"`
	Permissions map[string][]string `json:"permissions"` // "GET /users/{}" -> application permissions

	once  sync.Once
	paths map[string]*pathNode // per method
}

// Type is an entity or complex type.
type Type struct {
	Base  string            `json:"base,omitempty"`
	Props map[string]string `json:"props,omitempty"`
	Nav   map[string]string `json:"nav,omitempty"`
	// Required names structural properties that may not be null.
	Required []string `json:"required,omitempty"`
}

// Enum is an enumeration; Flags allows several members separated by commas.
type Enum struct {
	Members []string `json:"members"`
	Flags   bool     `json:"flags,omitempty"`
}

// Bound is an action or function bound to a type.
type Bound struct {
	On      string `json:"on"`
	Returns string `json:"returns,omitempty"`
	Action  bool   `json:"action,omitempty"`
}

var reduced = sync.OnceValues(func() (*Table, error) {
	t := &Table{}
	if err := json.Unmarshal(embedded, t); err != nil {
		return nil, fmt.Errorf("read the embedded metadata table: %w", err)
	}
	return t, nil
})

// Reduced returns the embedded table.
func Reduced() *Table {
	t, err := reduced()
	if err != nil {
		panic(err) // the embedded file is checked by this package's tests
	}
	return t
}

// Response judges one answer by the reduced table.
func Response(method, path string, status int, body []byte) []string {
	return Reduced().Response(method, path, status, body)
}

// Permission judges one call by the reduced table.
func Permission(method, path string, roles []string) error {
	return Reduced().Permission(method, path, roles)
}

// Response returns a sentence for everything in an answer that the metadata does not know. path may carry a version
// prefix (/v1.0, /_api/v2.0) and a query.
func (t *Table) Response(method, path string, status int, body []byte) []string {
	v := &verdict{t: t, where: method + " " + path}
	query := ""
	if i := strings.IndexByte(path, '?'); i >= 0 {
		path, query = path[:i], path[i+1:]
	}
	switch {
	case status >= 400:
		v.errorBody(body)
		return v.problems
	case status == 204 || status == 302 || status == 304 || (status == 201 || status == 202) && len(body) == 0:
		if status != 302 && len(body) != 0 {
			v.add("", "a %d carries a body", status)
		}
		v.resolve(path)
		return v.problems
	}
	typ, ok := v.resolve(path)
	if !ok {
		return v.problems
	}
	if typ == "Edm.Stream" {
		if method != "GET" { // PUT of a stream answers the entity that owns it
			if i := strings.LastIndexByte(path, '/'); i > 0 {
				typ, ok = v.resolve(path[:i])
			}
			if !ok {
				return v.problems
			}
		} else {
			return v.problems
		}
	}
	var value any
	dec := json.NewDecoder(bytes.NewReader(body))
	dec.UseNumber()
	if err := dec.Decode(&value); err != nil {
		v.add("", "the body is not JSON: %v", err)
		return v.problems
	}
	top, isObject := value.(map[string]any)
	if !isObject {
		v.add("", "the body is not a JSON object")
		return v.problems
	}
	elem, collection := element(typ)
	if collection && method == "POST" && !v.operation {
		collection = false // POST to a collection answers the new member
	}
	switch {
	case collection:
		v.page(top, elem)
	case strings.HasPrefix(typ, "Edm.") || t.Enums[typ] != nil:
		v.keys("", top, func(k string, x any) bool {
			if k == "value" {
				v.value("value", typ, x)
			}
			return k == "value"
		})
	default:
		v.object("", elem, top)
	}
	v.selected(query, top)
	return v.problems
}

type verdict struct {
	t         *Table
	where     string
	problems  []string
	operation bool // the path ends in an action or function
}

func (v *verdict) add(at, format string, args ...any) {
	problem := fmt.Sprintf(format, args...)
	if excepted(at, problem) {
		return
	}
	if at != "" {
		at = " at " + at
	}
	v.problems = append(v.problems, v.where+at+": "+problem)
}

// element unwraps "[name]".
func element(typ string) (string, bool) {
	if strings.HasPrefix(typ, "[") {
		return typ[1 : len(typ)-1], true
	}
	return typ, false
}

// segments splits a Graph path and takes path addressing out: "root:/a/b:/children" is "root/children".
func segments(path string) []string {
	path = strings.TrimPrefix(path, "/_api/v2.0")
	path = strings.TrimPrefix(path, "/v1.0")
	path = pathAddress.ReplaceAllString(path, "${1}/")
	var out []string
	for s := range strings.SplitSeq(path, "/") {
		if s == "" {
			continue
		}
		if u, err := url.PathUnescape(s); err == nil {
			s = u
		}
		if name, key, ok := strings.Cut(s, "('"); ok && name != "" && strings.HasSuffix(key, "')") { // teams('a') is teams/a
			out = append(out, name, strings.TrimSuffix(key, "')"))
			continue
		}
		out = append(out, s)
	}
	return out
}

// root:/a/b:/x, items/ID:/a/b:/x, root:/a/b and root:/a/b: all have the address between the colons removed, and sites/host:/a/b too.
var pathAddress = regexp.MustCompile(`(/root|/items/[^/:]+|/special/[^/:]+|/sites/[^/:]+):(?:/[^:]*)?(?::|$)/?`)

// resolve walks the path and returns the type that its answer has.
func (v *verdict) resolve(path string) (string, bool) {
	v.operation = false
	segs := segments(path)
	if len(segs) == 0 {
		v.add("", "an empty path")
		return "", false
	}
	cur, ok := fold(v.t.Sets, segs[0])
	if !ok {
		v.add("", "no entity set or singleton is named %q", segs[0])
		return "", false
	}
	for _, s := range segs[1:] {
		elem, collection := element(cur)
		name := s
		if i := strings.IndexByte(name, '('); i > 0 {
			name = name[:i]
		}
		name = strings.TrimPrefix(name, "microsoft.graph.")
		if s == "$count" && collection {
			cur = "Edm.Stream"
			continue
		}
		if s == "$value" && !collection {
			cur = "Edm.Stream"
			continue
		}
		if next, ok := v.t.bound(name, cur); ok {
			cur, v.operation = next, true
			continue
		}
		if cast := strings.TrimPrefix(s, "microsoft.graph."); cast != s && v.t.Types[cast] != nil {
			if !v.t.derives(cast, elem) {
				v.add("", "%s does not derive from %s", cast, elem)
				return "", false
			}
			if cur = cast; collection {
				cur = "[" + cast + "]"
			}
			continue
		}
		if collection { // a key
			cur, v.operation = elem, false
			continue
		}
		next, ok := v.t.member(elem, name)
		if !ok {
			v.add("", "%s has no property, navigation or operation %q", elem, s)
			return "", false
		}
		cur, v.operation = next, false
	}
	return cur, true
}

// bound finds an operation on typ or one of its bases.
func (t *Table) bound(name, typ string) (string, bool) {
	elem, collection := element(typ)
	for op, list := range t.Operations {
		if !strings.EqualFold(op, name) {
			continue
		}
		for at := elem; at != ""; at = t.base(at) {
			want := at
			if collection {
				want = "[" + at + "]"
			}
			for _, b := range list {
				if b.On == want {
					return b.Returns, true
				}
			}
		}
	}
	return "", false
}

func (t *Table) base(name string) string {
	if x := t.Types[name]; x != nil {
		return x.Base
	}
	return ""
}

func (t *Table) derives(name, from string) bool {
	for at := name; at != ""; at = t.base(at) {
		if at == from {
			return true
		}
	}
	return false
}

// member finds a structural or navigation property of a type or its bases, by a path segment (any case).
func (t *Table) member(typ, name string) (string, bool) {
	for at := typ; at != ""; at = t.base(at) {
		x := t.Types[at]
		if x == nil {
			return "", false
		}
		if p, ok := fold(x.Props, name); ok {
			return p, true
		}
		if p, ok := fold(x.Nav, name); ok {
			return p, true
		}
	}
	return "", false
}

// property finds a member by its exact spelling, as a body must have it.
func (t *Table) property(typ, name string) (string, bool) {
	for at := typ; at != ""; at = t.base(at) {
		x := t.Types[at]
		if x == nil {
			return "", false
		}
		if p, ok := x.Props[name]; ok {
			return p, true
		}
		if p, ok := x.Nav[name]; ok {
			return p, true
		}
	}
	return "", false
}

func fold(m map[string]string, name string) (string, bool) {
	if v, ok := m[name]; ok {
		return v, true
	}
	for k, v := range m {
		if strings.EqualFold(k, name) {
			return v, true
		}
	}
	return "", false
}

// page judges {"value":[…]} and its links.
func (v *verdict) page(top map[string]any, elem string) {
	v.keys("", top, func(k string, x any) bool {
		if k != "value" {
			return false
		}
		rows, ok := x.([]any)
		if !ok {
			v.add("value", "a collection is not an array")
			return true
		}
		for i, row := range rows {
			v.value("value["+strconv.Itoa(i)+"]", elem, row)
		}
		return true
	})
	if _, ok := top["value"]; !ok {
		v.add("", "a collection has no value")
	}
	_, next := top["@odata.nextLink"]
	_, delta := top["@odata.deltaLink"]
	if next && delta {
		v.add("", "a page has both nextLink and deltaLink")
	}
	if strings.Contains(v.where, "/delta") && next == delta {
		v.add("", "a delta page needs exactly one of nextLink and deltaLink")
	}
}

// keys judges annotations and hands every other name to fn, which says whether it knows it.
func (v *verdict) keys(at string, obj map[string]any, fn func(k string, x any) bool) {
	for k, x := range obj {
		if i := strings.IndexByte(k, '@'); i >= 0 {
			v.annotation(at, k, x)
			continue
		}
		if !fn(k, x) {
			v.add(at, "unknown property %q", k)
		}
	}
}

func (v *verdict) object(at, typ string, obj map[string]any) {
	if s, ok := obj["@odata.type"].(string); ok {
		name := strings.TrimPrefix(strings.TrimPrefix(s, "#"), "microsoft.graph.")
		if v.t.Types[name] == nil {
			v.add(at, "unknown type %q", s)
			return
		}
		if !v.t.derives(name, typ) {
			v.add(at, "%s is not a %s", name, typ)
			return
		}
		typ = name
	}
	if v.t.Types[typ] == nil {
		v.add(at, "type %s is not in the table", typ)
		return
	}
	for name := typ; name != ""; name = v.t.base(name) {
		for _, r := range v.t.Types[name].Required {
			if x, ok := obj[r]; ok && x == nil {
				v.add(at, "%s may not be null", r)
			}
		}
	}
	v.keys(at, obj, func(k string, x any) bool {
		p, ok := v.t.property(typ, k)
		if !ok && dynamic[typ] != "" {
			if !columnName.MatchString(k) {
				v.add(at, "%q is no name of a column", k)
			}
			return true
		}
		if !ok {
			v.add(at, "%s has no property %q", typ, k)
			return true
		}
		v.value(join(at, k), p, x)
		return true
	})
}

func join(at, k string) string {
	if at == "" {
		return k
	}
	return at + "." + k
}

func (v *verdict) value(at, typ string, x any) {
	if x == nil {
		return
	}
	if elem, ok := element(typ); ok {
		rows, isArray := x.([]any)
		if !isArray {
			v.add(at, "a collection of %s is not an array", elem)
			return
		}
		for i, row := range rows {
			v.value(at+"["+strconv.Itoa(i)+"]", elem, row)
		}
		return
	}
	if strings.HasPrefix(typ, "Edm.") {
		if why := primitive(typ, x); why != "" {
			v.add(at, "%s: %s", typ, why)
		}
		return
	}
	if e := v.t.Enums[typ]; e != nil {
		s, ok := x.(string)
		if !ok {
			v.add(at, "%s is not a string", typ)
			return
		}
		names := []string{s}
		if e.Flags {
			names = strings.Split(s, ",")
		}
		for _, n := range names {
			if !slices.Contains(e.Members, strings.TrimSpace(n)) {
				v.add(at, "%s has no member %q", typ, n)
			}
		}
		return
	}
	obj, ok := x.(map[string]any)
	if !ok {
		v.add(at, "%s is not an object", typ)
		return
	}
	v.object(at, typ, obj)
}

var (
	guid     = regexp.MustCompile(`^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$`)
	duration = regexp.MustCompile(`^-?P(\d+D)?(T(\d+H)?(\d+M)?(\d+(\.\d+)?S)?)?$`)
)

// primitive says what is wrong with a JSON value of a primitive type, or nothing.
func primitive(typ string, x any) string {
	s, isString := x.(string)
	n, isNumber := x.(json.Number)
	switch typ {
	case "Edm.String":
		if !isString {
			return "not a string"
		}
	case "Edm.Boolean":
		if _, ok := x.(bool); !ok {
			return "not a boolean"
		}
	case "Edm.Int16", "Edm.Int32", "Edm.Int64", "Edm.Byte", "Edm.SByte":
		if !isNumber {
			return "not a number"
		}
		bits := map[string]int{"Edm.Int16": 16, "Edm.Int32": 32, "Edm.Int64": 64, "Edm.Byte": 16, "Edm.SByte": 8}[typ]
		if _, err := strconv.ParseInt(n.String(), 10, bits); err != nil {
			return "not an integer of its size: " + n.String()
		}
	case "Edm.Double", "Edm.Single", "Edm.Decimal":
		if !isNumber && s != "NaN" && s != "INF" && s != "-INF" {
			return "not a number"
		}
	case "Edm.DateTimeOffset":
		if _, err := time.Parse(time.RFC3339Nano, s); !isString || err != nil || !strings.HasSuffix(s, "Z") {
			return fmt.Sprintf("not a UTC time: %v", x)
		}
	case "Edm.Date":
		if _, err := time.Parse("2006-01-02", s); err != nil {
			return fmt.Sprintf("not a date: %v", x)
		}
	case "Edm.TimeOfDay":
		if _, err := time.Parse("15:04:05.9999999", s); err != nil {
			return fmt.Sprintf("not a time of day: %v", x)
		}
	case "Edm.Duration":
		if !duration.MatchString(s) {
			return fmt.Sprintf("not a duration: %v", x)
		}
	case "Edm.Guid":
		if !guid.MatchString(s) {
			return fmt.Sprintf("not a GUID: %v", x)
		}
	case "Edm.Binary":
		if _, err := base64.StdEncoding.DecodeString(s); err != nil || !isString {
			if _, err := base64.RawURLEncoding.DecodeString(s); err != nil || !isString {
				return "not base64"
			}
		}
	case "Edm.Stream":
		return "a stream stands in a body"
	default:
		return "primitive not known to the judge"
	}
	return ""
}

// selected demands that a $select is obeyed: nothing beyond it but id and annotations.
func (v *verdict) selected(query string, top map[string]any) {
	q, err := url.ParseQuery(query)
	if err != nil || q.Get("$select") == "" || strings.Contains(q.Get("$select"), "*") {
		return
	}
	want := map[string]bool{"id": true, "deleted": true}
	for _, part := range []string{q.Get("$select"), q.Get("$expand")} {
		for f := range strings.SplitSeq(part, ",") {
			f, _, _ = strings.Cut(strings.TrimSpace(f), "(")
			f, _, _ = strings.Cut(f, "/")
			want[f] = true
		}
	}
	rows := []any{top}
	if list, ok := top["value"].([]any); ok {
		rows = list
	}
	for i, row := range rows {
		obj, ok := row.(map[string]any)
		if !ok {
			continue
		}
		for k := range obj {
			if !strings.Contains(k, "@") && k != "value" && !want[k] {
				v.add("value["+strconv.Itoa(i)+"]", "%q was not selected", k)
			}
		}
	}
}

// errorBody judges Microsoft's error shape: {"error":{"code","message","innerError":{…}}}.
func (v *verdict) errorBody(body []byte) {
	if len(bytes.TrimSpace(body)) == 0 {
		return // a 503 or 504 of a gateway may be empty
	}
	var e struct {
		Error map[string]any `json:"error"`
	}
	if err := json.Unmarshal(body, &e); err != nil || e.Error == nil {
		v.add("", "an error is not {\"error\":{…}}")
		return
	}
	for _, k := range []string{"code", "message"} {
		if s, ok := e.Error[k].(string); !ok || s == "" && k == "code" {
			v.add("error", "no %s", k)
		}
	}
	v.keys("error", e.Error, func(k string, x any) bool { return errorNames[k] })
	if inner, ok := e.Error["innerError"].(map[string]any); ok {
		v.keys("error.innerError", inner, func(k string, x any) bool { return innerErrorNames[k] })
	}
}
