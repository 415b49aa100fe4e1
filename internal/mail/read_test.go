package mail_test

import (
	"encoding/base64"
	"io"
	"strings"
)

// decoded undoes the transfer encoding that multipart's reader leaves.
func decoded(encoding string, r io.Reader) io.Reader {
	if encoding == "base64" {
		return base64.NewDecoder(base64.StdEncoding, r)
	}
	return r
}

// lines reads a line at a time and keeps only its first word.
type lines struct {
	r        io.Reader
	buf      [32 << 10]byte
	at, have int
}

// next gives the first word of the next line, "" at the end, and adds the line's bytes to n.
func (l *lines) next(n *int64) string {
	var word strings.Builder
	for {
		if l.at == l.have {
			var err error
			if l.have, err = l.r.Read(l.buf[:]); err != nil {
				return ""
			}
			l.at = 0
		}
		c := l.buf[l.at]
		l.at++
		*n++
		if c == '\n' {
			first, _, _ := strings.Cut(strings.TrimRight(word.String(), "\r"), " ")
			if first == "" {
				return " "
			}
			return first
		}
		if word.Len() < 16 {
			word.WriteByte(c)
		}
	}
}
