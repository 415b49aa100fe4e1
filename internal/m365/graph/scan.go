package graph

import (
	"bytes"
	"errors"
)

// A page of mail is megabytes of JSON of which a few members are wanted here and the rest is decoded row by row. So it is taken apart by looking for
// the ends of values only; each row's own decoding checks its syntax.

var errNotPage = errors.New("not a page: the value of a list is missing or the JSON is broken")

// scanPage gives the rows and the text of the string members of a page's top level. Rows are parts of raw.
func scanPage(raw []byte) (rows [][]byte, links map[string][]byte, err error) {
	s := bytes.TrimSpace(bytes.TrimPrefix(raw, []byte("\xef\xbb\xbf")))
	if len(s) < 2 || s[0] != '{' || s[len(s)-1] != '}' {
		return nil, nil, errNotPage
	}
	links = map[string][]byte{}
	found := false
	s = skipSpace(s[1 : len(s)-1])
	for len(s) > 0 {
		n := valueEnd(s)
		if n < 2 || s[0] != '"' {
			return nil, nil, errNotPage
		}
		name := string(s[1 : n-1])
		s = skipSpace(s[n:])
		if len(s) == 0 || s[0] != ':' {
			return nil, nil, errNotPage
		}
		s = skipSpace(s[1:])
		if n = valueEnd(s); n == 0 {
			return nil, nil, errNotPage
		}
		value := s[:n]
		switch {
		case name == "value" && value[0] == '[':
			if rows, err = scanArray(value); err != nil {
				return nil, nil, err
			}
			found = true
		case value[0] == '"':
			links[name] = value
		}
		if s = skipSpace(s[n:]); len(s) > 0 {
			if s[0] != ',' {
				return nil, nil, errNotPage
			}
			if s = skipSpace(s[1:]); len(s) == 0 {
				return nil, nil, errNotPage
			}
		}
	}
	if !found {
		return nil, nil, errNotPage
	}
	return rows, links, nil
}

func scanArray(s []byte) (rows [][]byte, err error) {
	s = skipSpace(s[1 : len(s)-1])
	for len(s) > 0 {
		n := valueEnd(s)
		if n == 0 {
			return nil, errNotPage
		}
		rows = append(rows, s[:n:n])
		if s = skipSpace(s[n:]); len(s) > 0 {
			if s[0] != ',' {
				return nil, errNotPage
			}
			if s = skipSpace(s[1:]); len(s) == 0 {
				return nil, errNotPage
			}
		}
	}
	return rows, nil
}

func skipSpace(s []byte) []byte { return bytes.TrimLeft(s, " \t\r\n") }

// valueEnd is the length of the value that s begins with, or 0.
func valueEnd(s []byte) int {
	if len(s) == 0 {
		return 0
	}
	switch s[0] {
	case '"':
		return stringEnd(s)
	case '{', '[':
		depth := 0
		for i := 0; i < len(s); i++ {
			switch s[i] {
			case '"':
				n := stringEnd(s[i:])
				if n == 0 {
					return 0
				}
				i += n - 1
			case '{', '[':
				depth++
			case '}', ']':
				if depth--; depth == 0 {
					return i + 1
				}
			}
		}
		return 0
	}
	if n := bytes.IndexAny(s, ",]} \t\r\n"); n >= 0 {
		return n
	}
	return len(s)
}

// stringEnd is the length of the string that s begins with, or 0.
func stringEnd(s []byte) int {
	for i := 1; i < len(s); {
		q := bytes.IndexByte(s[i:], '"')
		if q < 0 {
			return 0
		}
		end := i + q
		back := 0
		for end-1-back > 0 && s[end-1-back] == '\\' {
			back++
		}
		if i = end + 1; back%2 == 0 {
			return i
		}
	}
	return 0
}
