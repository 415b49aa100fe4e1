package rest

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"reflect"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"

	"holdfast/internal/holdfast"
	"holdfast/internal/rest/contract"
)

// Bounds of what is read from outside.
const (
	maxBody  = 32 << 20 // a job of 100,000 selected users fits
	maxDepth = 64
	maxNodes = 2_000_000 // values in one body: a bracket costs the sender one byte and us fifty
)

// decode reads the request's JSON body into the struct or slice that into points at.
//
// Clients of this field send names and enum values in any case, booleans and numbers as strings, and commas before a
// closing bracket; all of that is taken. What is wrong is answered as 400 with the field's path.
func (r *request) decode(into any) error {
	body, err := r.body()
	if err != nil {
		return err
	}
	if len(bytes.TrimSpace(body)) == 0 {
		return holdfast.Invalid("a JSON body is missing")
	}
	return decodeJSON(body, into)
}

// decodeOptional is decode for operations that existing clients call without a body.
func (r *request) decodeOptional(into any) error {
	body, err := r.body()
	if err != nil || len(bytes.TrimSpace(body)) == 0 {
		return err
	}
	return decodeJSON(body, into)
}

func (r *request) body() ([]byte, error) {
	if r.kept != nil {
		return r.kept, nil
	}
	body, err := io.ReadAll(r.Body)
	if tooLarge := (*http.MaxBytesError)(nil); errors.As(err, &tooLarge) {
		return nil, holdfast.Invalid("the body is larger than %d bytes", tooLarge.Limit)
	} else if err != nil {
		return nil, holdfast.Invalid("the body could not be read: %w", err)
	}
	return body, nil
}

func decodeJSON(body []byte, into any) error {
	tree, err := parseJSON(body)
	if err != nil {
		return holdfast.Invalid("the body is not JSON: %w", err)
	}
	if err := assign("", tree, reflect.ValueOf(into).Elem()); err != nil {
		return holdfast.Invalid("%w", err)
	}
	return nil
}

// The tree that parseJSON makes: nil, bool, string, number, array, object.
type (
	number string
	array  []any
	object []member
	member struct {
		name  string
		value any
	}
)

// MarshalJSON gives a number as it came.
func (n number) MarshalJSON() ([]byte, error) { return []byte(n), nil }

// MarshalJSON gives an object with its members in the order in which they came.
func (o object) MarshalJSON() ([]byte, error) {
	out := []byte{'{'}
	for i, m := range o {
		if i > 0 {
			out = append(out, ',')
		}
		name, err := json.Marshal(m.name)
		if err != nil {
			return nil, err
		}
		value, err := json.Marshal(m.value)
		if err != nil {
			return nil, err
		}
		out = append(append(append(out, name...), ':'), value...)
	}
	return append(out, '}'), nil
}

// parser reads JSON, plus a byte order mark and commas before a closing bracket.
type parser struct {
	in    []byte
	pos   int
	nodes int
}

func parseJSON(in []byte) (any, error) {
	if !utf8.Valid(in) {
		return nil, errors.New("it is not UTF-8")
	}
	p := &parser{in: bytes.TrimPrefix(in, []byte("\xef\xbb\xbf"))}
	v, err := p.value(0)
	if err != nil {
		return nil, err
	}
	if p.space(); p.pos < len(p.in) {
		return nil, p.wrong("something follows the value")
	}
	return v, nil
}

func (p *parser) wrong(what string) error { return fmt.Errorf("%s at byte %d", what, p.pos) }

func (p *parser) space() {
	for p.pos < len(p.in) {
		switch p.in[p.pos] {
		case ' ', '\t', '\r', '\n':
			p.pos++
		default:
			return
		}
	}
}

// peek is the next byte that is not space, or 0 at the end.
func (p *parser) peek() byte {
	if p.space(); p.pos < len(p.in) {
		return p.in[p.pos]
	}
	return 0
}

func (p *parser) value(depth int) (any, error) {
	if depth > maxDepth {
		return nil, p.wrong("it is nested too deep")
	}
	if p.nodes++; p.nodes > maxNodes {
		return nil, p.wrong("it has too many values")
	}
	switch c := p.peek(); {
	case c == '{':
		return p.object(depth)
	case c == '[':
		return p.array(depth)
	case c == '"':
		return p.text()
	case c == '-' || '0' <= c && c <= '9':
		start := p.pos
		for p.pos < len(p.in) && strings.IndexByte("+-.eE0123456789", p.in[p.pos]) >= 0 {
			p.pos++
		}
		if text := p.in[start:p.pos]; json.Valid(text) {
			return number(text), nil
		}
		return nil, p.wrong("a number is malformed")
	}
	for word, v := range map[string]any{"true": true, "false": false, "null": nil} {
		if bytes.HasPrefix(p.in[p.pos:], []byte(word)) {
			p.pos += len(word)
			return v, nil
		}
	}
	if p.pos == len(p.in) {
		return nil, p.wrong("it ends too early")
	}
	return nil, p.wrong("a value is expected")
}

func (p *parser) object(depth int) (any, error) {
	p.pos++
	o := object{}
	for {
		switch p.peek() {
		case '}':
			p.pos++
			return o, nil
		case '"':
		default:
			return nil, p.wrong("a name in quotes or } is expected")
		}
		name, err := p.text()
		if err != nil {
			return nil, err
		}
		if p.peek() != ':' {
			return nil, p.wrong("a colon is expected")
		}
		p.pos++
		v, err := p.value(depth + 1)
		if err != nil {
			return nil, err
		}
		o = append(o, member{name, v})
		if err := p.comma('}'); err != nil {
			return nil, err
		}
	}
}

func (p *parser) array(depth int) (any, error) {
	p.pos++
	a := array{}
	for {
		if p.peek() == ']' {
			p.pos++
			return a, nil
		}
		v, err := p.value(depth + 1)
		if err != nil {
			return nil, err
		}
		a = append(a, v)
		if err := p.comma(']'); err != nil {
			return nil, err
		}
	}
}

// comma steps over the comma between two members; the last one may have one or none.
func (p *parser) comma(end byte) error {
	switch p.peek() {
	case ',':
		p.pos++
	case end:
	default:
		return p.wrong(fmt.Sprintf("a comma or %c is expected", end))
	}
	return nil
}

func (p *parser) text() (string, error) {
	start := p.pos
	for p.pos++; p.pos < len(p.in); p.pos++ {
		switch p.in[p.pos] {
		case '\\':
			p.pos++
		case '"':
			p.pos++
			var s string
			if err := json.Unmarshal(p.in[start:p.pos], &s); err != nil {
				return "", p.wrong("a text is malformed")
			}
			return s, nil
		}
	}
	p.pos = len(p.in)
	return "", p.wrong("a text has no end")
}

// problem is what is wrong with one field, for the user.
func problem(path, format string, args ...any) error {
	what := fmt.Sprintf(format, args...)
	if path == "" {
		return errors.New("the body " + what)
	}
	return errors.New(path + " " + what)
}

var (
	timeType  = reflect.TypeFor[time.Time]()
	uuidType  = reflect.TypeFor[uuid.UUID]()
	bytesType = reflect.TypeFor[[]byte]()
)

// assign puts tree node v into dst. Null and, for anything but texts, the empty text leave an optional value absent.
func assign(path string, v any, dst reflect.Value) error {
	t := dst.Type()
	if t.Kind() == reflect.Pointer {
		if s, ok := v.(string); v == nil || ok && s == "" && (t.Elem().Kind() != reflect.String || contract.Enums[t.Elem().Name()] != nil) {
			dst.SetZero()
			return nil
		}
		dst.Set(reflect.New(t.Elem()))
		return assign(path, v, dst.Elem())
	}
	if t.Kind() == reflect.Interface {
		dst.Set(reflect.ValueOf(&v).Elem())
		return nil
	}
	if v == nil {
		if k := t.Kind(); k == reflect.Slice || k == reflect.Map {
			dst.SetZero()
			return nil
		}
		return problem(path, "must not be null")
	}
	switch t {
	case timeType:
		at, err := parseTime(asText(v))
		if err != nil {
			return problem(path, "must be a time such as 2026-01-31T12:00:00Z")
		}
		dst.Set(reflect.ValueOf(at))
		return nil
	case uuidType:
		id, err := uuid.Parse(asText(v))
		if err != nil {
			return problem(path, "must be a UUID")
		}
		dst.Set(reflect.ValueOf(id))
		return nil
	case bytesType:
		b, err := base64.StdEncoding.DecodeString(asText(v))
		if err != nil {
			return problem(path, "must be base64")
		}
		dst.SetBytes(b)
		return nil
	}
	switch t.Kind() {
	case reflect.Struct:
		return assignStruct(path, v, dst)
	case reflect.Slice:
		a, ok := v.(array)
		if !ok {
			return problem(path, "must be an array")
		}
		dst.Set(reflect.MakeSlice(t, len(a), len(a)))
		for i, e := range a {
			if err := assign(fmt.Sprintf("%s[%d]", path, i), e, dst.Index(i)); err != nil {
				return err
			}
		}
	case reflect.Map:
		o, ok := v.(object)
		if !ok {
			return problem(path, "must be an object")
		}
		dst.Set(reflect.MakeMapWithSize(t, len(o)))
		for _, m := range o {
			e := reflect.New(t.Elem()).Elem()
			if err := assign(below(path, m.name), m.value, e); err != nil {
				return err
			}
			dst.SetMapIndex(reflect.ValueOf(m.name).Convert(t.Key()), e)
		}
	case reflect.String:
		return assignText(path, v, dst)
	case reflect.Bool:
		switch strings.ToLower(asText(v)) {
		case "true", "1":
			dst.SetBool(true)
		case "false", "0":
			dst.SetBool(false)
		default:
			return problem(path, "must be true or false")
		}
	case reflect.Int32, reflect.Int64, reflect.Int:
		n, err := strconv.ParseInt(asText(v), 10, t.Bits())
		if err != nil {
			f, ferr := strconv.ParseFloat(asText(v), 64) // 5.0 and 1e3 are whole numbers too
			if ferr != nil || f != math.Trunc(f) || math.Abs(f) > 1<<53 || dst.OverflowInt(int64(f)) {
				return problem(path, "must be a whole number")
			}
			n = int64(f)
		}
		dst.SetInt(n)
	case reflect.Float64:
		f, err := strconv.ParseFloat(asText(v), 64)
		if err != nil || math.IsNaN(f) || math.IsInf(f, 0) {
			return problem(path, "must be a number")
		}
		dst.SetFloat(f)
	default:
		return fmt.Errorf("%s has a type that bodies do not have: %s", path, t)
	}
	return nil
}

// asText is the text of a scalar, whichever way the client wrote it; arrays and objects give a text that nothing accepts.
func asText(v any) string {
	switch v := v.(type) {
	case string:
		return strings.TrimSpace(v)
	case number:
		return string(v)
	case bool:
		return strconv.FormatBool(v)
	}
	return "\x00"
}

func assignText(path string, v any, dst reflect.Value) error {
	var s string
	switch v := v.(type) {
	case string:
		s = v
	case number, bool:
		s = asText(v)
	default:
		return problem(path, "must be a text")
	}
	if values := contract.Enums[dst.Type().Name()]; values != nil {
		for _, known := range values {
			if strings.EqualFold(known, strings.TrimSpace(s)) {
				dst.SetString(known)
				return nil
			}
		}
		return problem(path, "must be one of %s", strings.Join(values, ", "))
	}
	dst.SetString(s)
	return nil
}

func assignStruct(path string, v any, dst reflect.Value) error {
	o, ok := v.(object)
	if !ok {
		return problem(path, "must be an object")
	}
	t := dst.Type()
	for i := range t.NumField() {
		tag := t.Field(i).Tag.Get("json")
		name, options, _ := strings.Cut(tag, ",")
		found := false
		for _, m := range o { // the last of equal names wins, as in encoding/json
			if !strings.EqualFold(m.name, name) {
				continue
			}
			found = true
			if err := assign(below(path, name), m.value, dst.Field(i)); err != nil {
				return err
			}
		}
		if !found && options == "" {
			return problem(below(path, name), "is missing")
		}
	}
	return nil
}

func below(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}

// parseTime takes RFC 3339 and what other tools make of it: no zone (UTC is meant), no seconds, a space for the T, a date alone.
func parseTime(s string) (time.Time, error) {
	s = strings.TrimSpace(s)
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05.999999999", "2006-01-02T15:04Z07:00", "2006-01-02T15:04", "2006-01-02 15:04:05.999999999Z07:00", "2006-01-02 15:04:05.999999999", time.DateOnly} {
		if t, err := time.Parse(layout, s); err == nil {
			return t.UTC(), nil
		}
	}
	return time.Time{}, errors.New("not a time")
}

// keepBody lets a body be decoded into two shapes, one after the other.
func (r *request) keepBody() error {
	body, err := r.body()
	if err != nil {
		return err
	}
	r.kept = body
	return nil
}
