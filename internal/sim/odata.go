package sim

import (
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Query holds the OData options of a call.
type Query struct {
	Select  []string // empty means the default properties
	Expand  []Expand
	Top     int // -1 if not given
	Skip    int
	Filter  *Expr
	OrderBy []Order
	Count   bool
	Token   string // $skiptoken
}

// Expand is one navigation property with its own options.
type Expand struct {
	Name string
	Query
}

// Order is one key of $orderby.
type Order struct {
	Path string
	Desc bool
}

// OData reads the $-options of a call; those that are not named in allowed are refused. Names without the dollar sign
// are options too, as on the real service.
func (c *Call) OData(allowed ...string) (*Query, error) {
	q := &Query{Top: -1}
	for k, vs := range c.Query {
		name := strings.ToLower(strings.TrimPrefix(k, "$"))
		if !slices.Contains([]string{"select", "expand", "top", "skip", "filter", "orderby", "count", "search", "skiptoken", "deltatoken", "format"}, name) {
			if strings.HasPrefix(k, "$") {
				return nil, Fail(400, "BadRequest", "The query parameter '%s' is not supported.", k)
			}
			continue
		}
		if name == "deltatoken" || name == "format" {
			continue
		}
		if !slices.Contains(allowed, name) {
			return nil, Fail(400, "BadRequest", "The query parameter '$%s' is not supported on this resource.", name)
		}
		if len(vs) > 1 {
			return nil, Fail(400, "BadRequest", "Query option '$%s' was specified more than once, but it must be specified at most once.", name)
		}
		if err := q.set(name, vs[0]); err != nil {
			return nil, err
		}
	}
	return q, nil
}

func (q *Query) set(name, v string) (err error) {
	switch name {
	case "select":
		q.Select, err = parseNames(v)
	case "expand":
		q.Expand, err = parseExpand(v, 0)
	case "top":
		if q.Top, err = strconv.Atoi(v); err != nil || q.Top < 0 {
			return Fail(400, "BadRequest", "Invalid value '%s' for $top query option found. The $top query option requires a non-negative integer value.", v)
		}
	case "skip":
		if q.Skip, err = strconv.Atoi(v); err != nil || q.Skip < 0 {
			return Fail(400, "BadRequest", "Invalid value '%s' for $skip query option found. The $skip query option requires a non-negative integer value.", v)
		}
	case "filter":
		q.Filter, err = ParseFilter(v)
	case "orderby":
		for p := range strings.SplitSeq(v, ",") {
			f := strings.Fields(p)
			if len(f) == 0 || len(f) > 2 || len(f) == 2 && !strings.EqualFold(f[1], "asc") && !strings.EqualFold(f[1], "desc") {
				return Fail(400, "BadRequest", "Syntax error in $orderby '%s'.", v)
			}
			q.OrderBy = append(q.OrderBy, Order{Path: f[0], Desc: len(f) == 2 && strings.EqualFold(f[1], "desc")})
		}
	case "count":
		q.Count = strings.EqualFold(v, "true")
	case "skiptoken":
		q.Token = v
	case "search":
		return Fail(400, "BadRequest", "$search is not supported here.")
	case "levels":
	default:
		return Fail(400, "BadRequest", "Unknown query option '$%s'.", name)
	}
	return err
}

func parseNames(v string) ([]string, error) {
	var out []string
	for n := range strings.SplitSeq(v, ",") {
		n = strings.TrimSpace(n)
		if n == "" || strings.ContainsAny(n, "()'\" ;=") {
			return nil, Fail(400, "BadRequest", "Parsing OData Select and Expand failed: syntax error at '%s'.", v)
		}
		out = append(out, n)
	}
	return out, nil
}

// parseExpand reads "a,b($select=x;$filter=y),c".
func parseExpand(v string, depth int) ([]Expand, error) {
	bad := func() ([]Expand, error) {
		return nil, Fail(400, "BadRequest", "Parsing OData Select and Expand failed: syntax error at '%s'.", v)
	}
	if depth > 4 {
		return bad()
	}
	parts, ok := splitNested(v, ',')
	if !ok {
		return bad()
	}
	var out []Expand
	for _, p := range parts {
		p = strings.TrimSpace(p)
		name, opts, has := strings.Cut(p, "(")
		e := Expand{Name: strings.TrimSpace(name), Query: Query{Top: -1}}
		if e.Name == "" || strings.ContainsAny(e.Name, ")'; ") {
			return bad()
		}
		if has {
			opts, ok = strings.CutSuffix(opts, ")")
			if !ok {
				return bad()
			}
			subs, ok := splitNested(opts, ';')
			if !ok {
				return bad()
			}
			for _, o := range subs {
				k, val, ok := strings.Cut(strings.TrimSpace(o), "=")
				if !ok || !strings.HasPrefix(k, "$") {
					return bad()
				}
				k = strings.ToLower(k[1:])
				if k == "expand" {
					sub, err := parseExpand(val, depth+1)
					if err != nil {
						return nil, err
					}
					e.Expand = sub
					continue
				}
				if err := e.set(k, val); err != nil {
					return nil, err
				}
			}
		}
		out = append(out, e)
	}
	return out, nil
}

// splitNested splits at sep outside of parentheses and single quotes; false if these do not balance.
func splitNested(s string, sep byte) ([]string, bool) {
	var out []string
	depth, quoted, from := 0, false, 0
	for i := 0; i < len(s); i++ {
		switch ch := s[i]; {
		case ch == '\'':
			quoted = !quoted
		case quoted:
		case ch == '(':
			depth++
		case ch == ')':
			if depth--; depth < 0 {
				return nil, false
			}
		case ch == sep && depth == 0:
			out = append(out, s[from:i])
			from = i + 1
		}
	}
	return append(out, s[from:]), depth == 0 && !quoted
}

// Expr is a parsed $filter.
type Expr struct {
	Op    string // and, or, not, eq, ne, gt, ge, lt, le, in, startswith, endswith, contains, any, all, path, value
	Path  string // of path; the collection of any and all
	Var   string // of any and all
	Value any    // string, float64, bool, time.Time, nil
	Args  []*Expr
}

// Lookup gives the value of a property path of the thing that is filtered: string, bool, float64, time.Time, nil,
// []string or []Lookup for a collection. ok is false if there is no such property.
type Lookup func(path string) (v any, ok bool)

type filterParser struct {
	s     string
	i     int
	depth int
}

// ParseFilter reads a $filter expression.
func ParseFilter(s string) (*Expr, error) {
	p := &filterParser{s: s}
	e, err := p.or()
	if err == nil {
		if p.space(); p.i != len(p.s) {
			err = p.bad()
		}
	}
	return e, err
}

func (p *filterParser) bad() error {
	return Fail(400, "BadRequest", "Invalid filter clause: Syntax error at position %d in '%s'.", p.i, p.s)
}

func (p *filterParser) space() {
	for p.i < len(p.s) && (p.s[p.i] == ' ' || p.s[p.i] == '\t') {
		p.i++
	}
}

// word reads a keyword if it is next.
func (p *filterParser) word(w string) bool {
	p.space()
	end := p.i + len(w)
	if end > len(p.s) || !strings.EqualFold(p.s[p.i:end], w) || end < len(p.s) && isNameByte(p.s[end]) {
		return false
	}
	p.i = end
	return true
}

func isNameByte(b byte) bool {
	return b == '_' || b == '/' || b == '.' || b == '-' || b == '+' || b == ':' || b == '$' || '0' <= b && b <= '9' || 'a' <= b && b <= 'z' || 'A' <= b && b <= 'Z'
}

func (p *filterParser) char(c byte) bool {
	p.space()
	if p.i < len(p.s) && p.s[p.i] == c {
		p.i++
		return true
	}
	return false
}

func (p *filterParser) or() (*Expr, error) {
	if p.depth++; p.depth > 50 {
		return nil, p.bad()
	}
	defer func() { p.depth-- }()
	l, err := p.and()
	for err == nil && p.word("or") {
		var r *Expr
		if r, err = p.and(); err == nil {
			l = &Expr{Op: "or", Args: []*Expr{l, r}}
		}
	}
	return l, err
}

func (p *filterParser) and() (*Expr, error) {
	l, err := p.unary()
	for err == nil && p.word("and") {
		var r *Expr
		if r, err = p.unary(); err == nil {
			l = &Expr{Op: "and", Args: []*Expr{l, r}}
		}
	}
	return l, err
}

func (p *filterParser) unary() (*Expr, error) {
	if p.word("not") {
		if p.depth++; p.depth > 50 {
			return nil, p.bad()
		}
		defer func() { p.depth-- }()
		e, err := p.unary()
		return &Expr{Op: "not", Args: []*Expr{e}}, err
	}
	if p.char('(') {
		e, err := p.or()
		if err == nil && !p.char(')') {
			err = p.bad()
		}
		return e, err
	}
	l, err := p.operand()
	if err != nil {
		return nil, err
	}
	for _, op := range []string{"eq", "ne", "gt", "ge", "lt", "le"} {
		if p.word(op) {
			r, err := p.operand()
			return &Expr{Op: op, Args: []*Expr{l, r}}, err
		}
	}
	if p.word("in") {
		e := &Expr{Op: "in", Args: []*Expr{l}}
		if !p.char('(') {
			return nil, p.bad()
		}
		for {
			v, err := p.operand()
			if err != nil {
				return nil, err
			}
			e.Args = append(e.Args, v)
			if p.char(')') {
				return e, nil
			}
			if !p.char(',') {
				return nil, p.bad()
			}
		}
	}
	return l, nil
}

func (p *filterParser) operand() (*Expr, error) {
	p.space()
	if p.i >= len(p.s) {
		return nil, p.bad()
	}
	if p.s[p.i] == '\'' {
		v, ok := p.quoted()
		if !ok {
			return nil, p.bad()
		}
		return &Expr{Op: "value", Value: v}, nil
	}
	from := p.i
	for p.i < len(p.s) && isNameByte(p.s[p.i]) {
		p.i++
	}
	w := p.s[from:p.i]
	if w == "" {
		return nil, p.bad()
	}
	if p.i < len(p.s) && p.s[p.i] == '(' {
		return p.call(w)
	}
	switch strings.ToLower(w) {
	case "true", "false":
		return &Expr{Op: "value", Value: strings.EqualFold(w, "true")}, nil
	case "null":
		return &Expr{Op: "value"}, nil
	}
	if '0' <= w[0] && w[0] <= '9' || w[0] == '-' {
		if t, ok := parseTime(w); ok {
			return &Expr{Op: "value", Value: t}, nil
		}
		if n, err := strconv.ParseFloat(w, 64); err == nil {
			return &Expr{Op: "value", Value: n}, nil
		}
		if len(w) == 36 {
			return &Expr{Op: "value", Value: w}, nil // a bare GUID
		}
		return nil, p.bad()
	}
	return &Expr{Op: "path", Path: w}, nil
}

func (p *filterParser) quoted() (string, bool) {
	var b strings.Builder
	for p.i++; p.i < len(p.s); p.i++ {
		if p.s[p.i] != '\'' {
			b.WriteByte(p.s[p.i])
			continue
		}
		if p.i+1 < len(p.s) && p.s[p.i+1] == '\'' {
			b.WriteByte('\'')
			p.i++
			continue
		}
		p.i++
		return b.String(), true
	}
	return "", false
}

func (p *filterParser) call(name string) (*Expr, error) {
	p.i++ // the parenthesis
	lower := strings.ToLower(name)
	if coll, ok := strings.CutSuffix(lower, "/any"); ok || strings.HasSuffix(lower, "/all") {
		op := "any"
		if !ok {
			op, coll = "all", strings.TrimSuffix(lower, "/all")
		}
		e := &Expr{Op: op, Path: name[:len(coll)]}
		if p.char(')') {
			return e, nil
		}
		p.space()
		from := p.i
		for p.i < len(p.s) && p.s[p.i] != ':' && isNameByte(p.s[p.i]) {
			p.i++
		}
		if e.Var = p.s[from:p.i]; e.Var == "" || !p.char(':') {
			return nil, p.bad()
		}
		body, err := p.or()
		if err != nil {
			return nil, err
		}
		if !p.char(')') {
			return nil, p.bad()
		}
		e.Args = []*Expr{body}
		return e, nil
	}
	switch lower {
	case "startswith", "endswith", "contains":
		a, err := p.operand()
		if err != nil {
			return nil, err
		}
		if !p.char(',') {
			return nil, p.bad()
		}
		b, err := p.operand()
		if err != nil {
			return nil, err
		}
		if !p.char(')') {
			return nil, p.bad()
		}
		return &Expr{Op: lower, Args: []*Expr{a, b}}, nil
	case "cast": // cast(ep/value, Edm.Int32)
		a, err := p.operand()
		if err != nil {
			return nil, err
		}
		if !p.char(',') {
			return nil, p.bad()
		}
		if _, err := p.operand(); err != nil {
			return nil, err
		}
		if !p.char(')') {
			return nil, p.bad()
		}
		return a, nil
	}
	return nil, Fail(400, "BadRequest", "Invalid filter clause: An unknown function with name '%s' was found.", name)
}

func parseTime(s string) (time.Time, bool) {
	for _, f := range []string{time.RFC3339Nano, "2006-01-02T15:04:05", "2006-01-02T15:04", "2006-01-02"} {
		if t, err := time.Parse(f, s); err == nil {
			return t.UTC(), true
		}
	}
	return time.Time{}, false
}

// Match evaluates a filter.
func (e *Expr) Match(get Lookup) (bool, error) {
	v, err := e.eval(get)
	if err != nil {
		return false, err
	}
	b, ok := v.(bool)
	if !ok {
		return false, Fail(400, "BadRequest", "Invalid filter clause: The filter expression must evaluate to a single boolean value.")
	}
	return b, nil
}

func (e *Expr) eval(get Lookup) (any, error) {
	switch e.Op {
	case "value":
		return e.Value, nil
	case "path":
		v, ok := get(e.Path)
		if !ok {
			return nil, Fail(400, "BadRequest", "Invalid filter clause: Could not find a property named '%s'.", e.Path)
		}
		return v, nil
	case "and", "or":
		l, err := e.Args[0].Match(get)
		if err != nil || l == (e.Op == "or") {
			return l, err
		}
		return e.Args[1].Match(get)
	case "not":
		l, err := e.Args[0].Match(get)
		return !l, err
	case "any", "all":
		return e.quantified(get)
	}
	l, err := e.Args[0].eval(get)
	if err != nil {
		return nil, err
	}
	for _, a := range e.Args[1:] {
		r, err := a.eval(get)
		if err != nil {
			return nil, err
		}
		if e.Op == "in" {
			if eq, err := compare("eq", l, r); err != nil || eq {
				return eq, err
			}
			continue
		}
		return compare(e.Op, l, r)
	}
	return false, nil
}

func (e *Expr) quantified(get Lookup) (any, error) {
	v, ok := get(e.Path)
	if !ok {
		return nil, Fail(400, "BadRequest", "Invalid filter clause: Could not find a property named '%s'.", e.Path)
	}
	var each []Lookup
	switch v := v.(type) {
	case []string:
		for _, s := range v {
			each = append(each, func(path string) (any, bool) { return s, path == "" })
		}
	case []Lookup:
		each = v
	case nil:
	default:
		return nil, Fail(400, "BadRequest", "Invalid filter clause: '%s' is not a collection.", e.Path)
	}
	if len(e.Args) == 0 {
		return len(each) > 0, nil
	}
	for _, el := range each {
		ok, err := e.Args[0].Match(func(path string) (any, bool) {
			if path == e.Var {
				return el("")
			}
			if rest, ok := strings.CutPrefix(path, e.Var+"/"); ok {
				return el(rest)
			}
			return get(path)
		})
		if err != nil {
			return nil, err
		}
		if ok == (e.Op == "any") {
			return ok, nil
		}
	}
	return e.Op == "all", nil
}

func compare(op string, l, r any) (bool, error) {
	if l == nil || r == nil {
		switch op {
		case "eq":
			return l == r, nil
		case "ne":
			return l != r, nil
		}
		return false, nil
	}
	// Times may be quoted in old clients' filters.
	if t, ok := l.(time.Time); ok {
		if s, isString := r.(string); isString {
			if u, ok := parseTime(s); ok {
				r = u
			}
		}
		u, ok := r.(time.Time)
		if !ok {
			return false, typeMismatch(op)
		}
		return ordered(op, t.Compare(u)), nil
	}
	if _, ok := r.(time.Time); ok {
		if s, isString := l.(string); isString {
			if t, ok := parseTime(s); ok {
				return compare(op, t, r)
			}
			return false, nil
		}
	}
	switch a := l.(type) {
	case string:
		b, ok := r.(string)
		if !ok {
			if n, isNum := r.(float64); isNum { // cast(ep/value, Edm.Int32)
				f, err := strconv.ParseFloat(a, 64)
				return err == nil && ordered(op, cmpFloat(f, n)), nil
			}
			return false, typeMismatch(op)
		}
		a, b = strings.ToLower(a), strings.ToLower(b)
		switch op {
		case "startswith":
			return strings.HasPrefix(a, b), nil
		case "endswith":
			return strings.HasSuffix(a, b), nil
		case "contains":
			return strings.Contains(a, b), nil
		}
		return ordered(op, strings.Compare(a, b)), nil
	case bool:
		b, ok := r.(bool)
		if !ok || op != "eq" && op != "ne" {
			return false, typeMismatch(op)
		}
		return (a == b) == (op == "eq"), nil
	case float64:
		b, ok := r.(float64)
		if !ok {
			return false, typeMismatch(op)
		}
		return ordered(op, cmpFloat(a, b)), nil
	}
	return false, typeMismatch(op)
}

func typeMismatch(op string) error {
	return Fail(400, "BadRequest", "Invalid filter clause: A binary operator with incompatible types was detected for operator kind '%s'.", op)
}

func cmpFloat(a, b float64) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

func ordered(op string, c int) bool {
	switch op {
	case "eq":
		return c == 0
	case "ne":
		return c != 0
	case "gt":
		return c > 0
	case "ge":
		return c >= 0
	case "lt":
		return c < 0
	case "le":
		return c <= 0
	}
	return false
}

// project keeps the selected properties of an entity, its id and its annotations. Unknown names are refused.
func project(full map[string]any, sel []string, typeName string, known func(string) bool) (map[string]any, error) {
	if len(sel) == 0 {
		return full, nil
	}
	out := map[string]any{}
	for k, v := range full {
		if k == "id" || strings.HasPrefix(k, "@") {
			out[k] = v
		}
	}
	for _, n := range sel {
		if n == "*" {
			return full, nil
		}
		name, _, _ := strings.Cut(n, "/")
		if v, ok := full[name]; ok {
			out[name] = v
			continue
		}
		if !known(name) {
			return nil, Fail(400, "BadRequest", "Parsing OData Select and Expand failed: Could not find a property named '%s' on type '%s'.", name, typeName)
		}
	}
	return out, nil
}

// nextURL is the address of the call with other options: nil values are removed.
func (c *Call) nextURL(set map[string]string, drop ...string) string {
	v := url.Values{}
	for k, vs := range c.Query {
		if !slices.ContainsFunc(drop, func(d string) bool { return strings.EqualFold(strings.TrimPrefix(k, "$"), d) }) {
			v[k] = vs
		}
	}
	for k, x := range set {
		v.Set(k, x)
	}
	return c.URL(c.Path) + "?" + v.Encode()
}
