package exchange

import (
	"bytes"
	"errors"
	"iter"
	"slices"
)

var errNotObject = errors.New("not a JSON object")

// member is one name and value of a JSON object, both exactly as they stand.
type member struct {
	name  string // without quotes; escapes are not undone, Graph's names have none
	value []byte
}

// members goes through the top level of a JSON object that is known to be valid, without decoding the values.
func members(object []byte) iter.Seq2[member, error] {
	return func(yield func(member, error) bool) {
		s := bytes.TrimSpace(object)
		if len(s) < 2 || s[0] != '{' || s[len(s)-1] != '}' {
			yield(member{}, errNotObject)
			return
		}
		s = bytes.TrimSpace(s[1 : len(s)-1])
		for len(s) > 0 {
			n := valueEnd(s)
			if s[0] != '"' || n < 2 {
				yield(member{}, errNotObject)
				return
			}
			m := member{name: string(s[1 : n-1])}
			s = bytes.TrimLeft(s[n:], " \t\r\n")
			if len(s) == 0 || s[0] != ':' {
				yield(member{}, errNotObject)
				return
			}
			s = bytes.TrimLeft(s[1:], " \t\r\n")
			n = valueEnd(s)
			if n == 0 {
				yield(member{}, errNotObject)
				return
			}
			m.value = bytes.TrimSpace(s[:n])
			if !yield(m, nil) {
				return
			}
			s = bytes.TrimLeft(s[n:], " \t\r\n")
			if len(s) > 0 {
				if s[0] != ',' {
					yield(member{}, errNotObject)
					return
				}
				s = bytes.TrimLeft(s[1:], " \t\r\n")
			}
		}
	}
}

// valueEnd is the length of the JSON value that s begins with; 0 when it does not end.
func valueEnd(s []byte) int {
	if len(s) == 0 {
		return 0
	}
	depth := 0
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '"':
			n := textEnd(s[i:])
			if n == 0 {
				return 0
			}
			i += n - 1
			if depth == 0 {
				return i + 1
			}
		case '{', '[':
			depth++
		case '}', ']':
			if depth == 0 {
				return i
			}
			if depth--; depth == 0 {
				return i + 1
			}
		case ',':
			if depth == 0 {
				return i
			}
		}
	}
	if depth > 0 {
		return 0
	}
	return len(s)
}

// textEnd is the length of the JSON text that s begins with, quotes included; 0 when it does not end.
func textEnd(s []byte) int {
	for i := 1; i < len(s); i++ {
		j := bytes.IndexByte(s[i:], '"')
		if j < 0 {
			return 0
		}
		i += j
		escapes := 0
		for s[i-1-escapes] == '\\' {
			escapes++
		}
		if escapes%2 == 0 {
			return i + 1
		}
	}
	return 0
}

// without gives the object without the named members, everything else as it stands.
func without(object []byte, names ...string) ([]byte, error) {
	out := make([]byte, 0, len(object))
	out = append(out, '{')
	for m, err := range members(object) {
		if err != nil {
			return nil, err
		}
		if slices.Contains(names, m.name) {
			continue
		}
		if len(out) > 1 {
			out = append(out, ',')
		}
		out = append(out, '"')
		out = append(out, m.name...)
		out = append(out, '"', ':')
		out = append(out, m.value...)
	}
	return append(out, '}'), nil
}
