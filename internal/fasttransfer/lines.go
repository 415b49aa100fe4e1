package fasttransfer

import (
	"bufio"
	"io"
	"strings"
	"unicode/utf8"
)

// lines writes the lines that iCalendar and vCard are made of: a name, parameters, a value, folded at 75 bytes.
type lines struct {
	w   *bufio.Writer
	err error
}

func newLines(w io.Writer) *lines { return &lines{w: bufio.NewWriter(w)} }

// line writes name, which may have parameters, and a value that is escaped already. Controls are left out, so that no value makes a line of its own.
func (l *lines) line(name, value string) {
	s := strings.Map(func(r rune) rune {
		if r < ' ' && r != '\t' || r == 0x7f {
			return -1
		}
		return r
	}, name+":"+value)
	for room := 75; len(s) > room; room = 74 {
		n := room
		for n > 0 && !utf8.RuneStart(s[n]) {
			n--
		}
		l.write(s[:n] + "\r\n ")
		s = s[n:]
	}
	l.write(s + "\r\n")
}

func (l *lines) write(s string) {
	if l.err == nil {
		_, l.err = l.w.WriteString(s)
	}
}

// text writes a value of text, unless it is empty.
func (l *lines) text(name, value string) {
	if value != "" {
		l.line(name, escape(value))
	}
}

func (l *lines) close() error {
	if l.err != nil {
		return l.err
	}
	return l.w.Flush()
}

var escapes = strings.NewReplacer("\\", "\\\\", ";", "\\;", ",", "\\,", "\r\n", "\\n", "\n", "\\n", "\r", "\\n")

// escape is text as a value has it.
func escape(s string) string { return escapes.Replace(strings.ToValidUTF8(s, "\ufffd")) }

// parameter is ";name=value"; a value cannot have quotation marks at all.
func parameter(name, value string) string {
	value = strings.NewReplacer(`"`, "'", "\r", " ", "\n", " ").Replace(strings.ToValidUTF8(value, "\ufffd"))
	return ";" + name + `="` + value + `"`
}

func joined(values []string) string {
	out := make([]string, len(values))
	for i, v := range values {
		out[i] = escape(v)
	}
	return strings.Join(out, ",")
}
