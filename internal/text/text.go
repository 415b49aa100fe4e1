// Package text gets the words out of mails and files: for the search index, for previews, and for showing where words stand.
//
// It reads what strangers sent. Nothing in a file makes it take more memory or time than Limits say, none makes it panic, and what can't
// be read is a remark, not an error.
package text

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"path"
	"strings"
	"time"
	"unicode/utf16"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"
)

// Limits bound one extraction. A zero field takes the default.
type Limits struct {
	Input    int64         // bytes of a file that are read; what is larger is left out. 32 MiB
	Unpacked int64         // bytes that the parts of a file may have unpacked. 20 MiB
	Text     int           // bytes of text that are given. 1 MiB
	Time     time.Duration // for a PDF. 10 s
	PDF      *PDF          // reads PDFs; nil: they are left out
}

func (l Limits) orDefault() Limits {
	if l.Input <= 0 {
		l.Input = 32 << 20
	}
	if l.Unpacked <= 0 {
		l.Unpacked = 20 << 20
	}
	if l.Text <= 0 {
		l.Text = 1 << 20
	}
	if l.Time <= 0 {
		l.Time = 10 * time.Second
	}
	return l
}

// Result is what was got out.
type Result struct {
	Text   string   // UTF-8
	Remark []string // why something is missing, for people; none when all was read
}

// out collects text up to a limit.
type out struct {
	b       strings.Builder
	limits  Limits
	left    int64 // unpacked bytes that may still be read
	remarks []string
}

func newOut(l Limits) *out {
	l = l.orDefault()
	return &out{limits: l, left: l.Unpacked}
}

// full says that no more text is taken.
func (o *out) full() bool { return o.b.Len() >= o.limits.Text }

// add appends a piece of text as it stands.
func (o *out) add(s string) {
	if o.full() {
		return
	}
	if room := o.limits.Text - o.b.Len(); len(s) > room {
		for room > 0 && !utf8.RuneStart(s[room]) {
			room--
		}
		o.b.WriteString(s[:room])
		o.b.WriteString(strings.Repeat(" ", o.limits.Text-o.b.Len()))
		o.remark("only the first %d KB of text are searched", o.limits.Text>>10)
		return
	}
	o.b.WriteString(s)
}

// gap ends a word.
func (o *out) gap() {
	if o.b.Len() > 0 {
		o.add("\n")
	}
}

func (o *out) remark(format string, args ...any) {
	r := fmt.Sprintf(format, args...)
	for _, have := range o.remarks {
		if have == r {
			return
		}
	}
	if len(o.remarks) < 10 {
		o.remarks = append(o.remarks, r)
	}
}

func (o *out) result() Result {
	return Result{strings.TrimSpace(strings.ToValidUTF8(o.b.String(), " ")), o.remarks}
}

// kind is how the text of a file is got.
type kind int

const (
	none kind = iota
	plain
	html
	mail
	word
	sheet
	slides
	document // OpenDocument
	pdfFile
)

var byExtension = map[string]kind{
	".txt": plain, ".csv": plain, ".tsv": plain, ".md": plain, ".log": plain, ".json": plain, ".xml": plain, ".ics": plain, ".vcf": plain, ".yaml": plain, ".yml": plain,
	".ini": plain, ".conf": plain, ".sql": plain, ".tex": plain, ".py": plain, ".js": plain, ".go": plain, ".c": plain, ".h": plain, ".cs": plain, ".java": plain, ".sh": plain, ".ps1": plain,
	".htm": html, ".html": html, ".xhtml": html, ".eml": mail,
	".docx": word, ".docm": word, ".dotx": word, ".xlsx": sheet, ".xlsm": sheet, ".xltx": sheet, ".pptx": slides, ".pptm": slides, ".ppsx": slides, ".potx": slides,
	".odt": document, ".ods": document, ".odp": document, ".odg": document, ".pdf": pdfFile,
}

// Readable says whether a file of that name is one whose text can be got; the others need not be opened.
func Readable(name string) bool { return byExtension[strings.ToLower(path.Ext(name))] != none }

// File gets the text of a file. Its error is one of reading r, or ctx's.
func File(ctx context.Context, name string, r io.Reader, l Limits) (Result, error) {
	o := newOut(l)
	err := o.file(ctx, name, byExtension[strings.ToLower(path.Ext(name))], r, 0)
	return o.result(), err
}

func (o *out) file(ctx context.Context, name string, k kind, r io.Reader, depth int) error {
	switch k {
	case none:
		return nil
	case mail:
		return o.mail(ctx, r, depth+1)
	}
	data, err := io.ReadAll(io.LimitReader(r, o.limits.Input+1))
	if err != nil {
		return err
	}
	if int64(len(data)) > o.limits.Input {
		o.remark("%s is larger than %d MB", name, o.limits.Input>>20)
		return nil
	}
	switch k {
	case plain:
		if s, ok := decodePlain(data); ok {
			o.add(s)
		}
	case html:
		s, ok := decodePlain(data)
		if ok {
			o.html(strings.NewReader(s))
		}
	case word, sheet, slides, document:
		err = o.office(ctx, name, k, data)
	case pdfFile:
		err = o.pdf(ctx, name, data)
	}
	o.gap()
	return err
}

// decodePlain makes UTF-8 of a text of unknown encoding; ok is false when it is no text.
func decodePlain(b []byte) (string, bool) {
	switch {
	case bytes.HasPrefix(b, []byte{0xEF, 0xBB, 0xBF}):
		b = b[3:]
	case bytes.HasPrefix(b, []byte{0xFF, 0xFE}), bytes.HasPrefix(b, []byte{0xFE, 0xFF}):
		units := make([]uint16, 0, len(b)/2)
		big := b[0] == 0xFE
		for i := 2; i+1 < len(b); i += 2 {
			u := uint16(b[i]) | uint16(b[i+1])<<8
			if big {
				u = u<<8 | u>>8
			}
			units = append(units, u)
		}
		return string(utf16.Decode(units)), true
	}
	if bytes.IndexByte(b, 0) >= 0 {
		return "", false
	}
	if utf8.Valid(b) {
		return string(b), true
	}
	s, err := charmap.Windows1252.NewDecoder().Bytes(b)
	return string(s), err == nil
}

// errFull ends a walk when the text is as long as it may get.
var errFull = errors.New("full")
