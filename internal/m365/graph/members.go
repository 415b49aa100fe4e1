package graph

import (
	"bytes"
	"errors"
	"iter"
	"slices"
)

var errNotObject = errors.New("not a JSON object")

// Member is one name and value of a JSON object, both exactly as they stand.
type Member struct {
	Name  string // without quotes; escapes are not undone, Graph's names have none
	Value []byte
}

// Members goes through the top level of a JSON object that is known to be valid, without decoding the values.
func Members(object []byte) iter.Seq2[Member, error] {
	return func(yield func(Member, error) bool) {
		s := bytes.TrimSpace(object)
		if len(s) < 2 || s[0] != '{' || s[len(s)-1] != '}' {
			yield(Member{}, errNotObject)
			return
		}
		s = bytes.TrimSpace(s[1 : len(s)-1])
		for len(s) > 0 {
			n := valueEnd(s)
			if s[0] != '"' || n < 2 {
				yield(Member{}, errNotObject)
				return
			}
			m := Member{Name: string(s[1 : n-1])}
			s = bytes.TrimLeft(s[n:], " \t\r\n")
			if len(s) == 0 || s[0] != ':' {
				yield(Member{}, errNotObject)
				return
			}
			s = bytes.TrimLeft(s[1:], " \t\r\n")
			n = valueEnd(s)
			if n == 0 {
				yield(Member{}, errNotObject)
				return
			}
			m.Value = bytes.TrimSpace(s[:n])
			if !yield(m, nil) {
				return
			}
			s = bytes.TrimLeft(s[n:], " \t\r\n")
			if len(s) > 0 {
				if s[0] != ',' {
					yield(Member{}, errNotObject)
					return
				}
				s = bytes.TrimLeft(s[1:], " \t\r\n")
			}
		}
	}
}

// With gives the object with another value of the named member, everything else as it stands. An object without that member stays as it is.
func With(object []byte, name string, value []byte) ([]byte, error) {
	return rewrite(object, func(m Member) ([]byte, bool) {
		if m.Name == name {
			return value, true
		}
		return m.Value, true
	})
}

// Add gives the object with one member more at its end.
func Add(object []byte, name string, value []byte) ([]byte, error) {
	out, err := Without(object, name)
	if err != nil {
		return nil, err
	}
	out = out[:len(out)-1]
	if len(out) > 1 {
		out = append(out, ',')
	}
	out = append(out, '"')
	out = append(out, name...)
	out = append(out, '"', ':')
	out = append(out, value...)
	return append(out, '}'), nil
}

// Without gives the object without the named members, everything else as it stands.
func Without(object []byte, names ...string) ([]byte, error) {
	return rewrite(object, func(m Member) ([]byte, bool) { return m.Value, !slices.Contains(names, m.Name) })
}

// rewrite gives the object with the value of each member that keep says, without those that it does not keep.
func rewrite(object []byte, keep func(Member) (value []byte, ok bool)) ([]byte, error) {
	out := make([]byte, 0, len(object))
	out = append(out, '{')
	for m, err := range Members(object) {
		if err != nil {
			return nil, err
		}
		value, ok := keep(m)
		if !ok {
			continue
		}
		if len(out) > 1 {
			out = append(out, ',')
		}
		out = append(out, '"')
		out = append(out, m.Name...)
		out = append(out, '"', ':')
		out = append(out, value...)
	}
	return append(out, '}'), nil
}
