package extract

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path"
	"slices"
	"strings"
)

// Words is what a search looks through. What can't be read is a remark, not an error: a search finds the rest.
type Words struct {
	Text   string   // UTF-8
	Remark []string // why something is missing, for people; none when all was read
}

// readable are the files that are worth opening: the others have no text, or none that can be taken out.
var readable = strings.Fields(".txt .csv .tsv .md .log .json .xml .ics .vcf .yaml .yml .ini .conf .sql .tex .py .js .go .c .h .cs .java .sh .ps1 .htm .html .xhtml .eml " +
	".docx .docm .dotx .xlsx .xlsm .xltx .pptx .pptm .ppsx .potx .odt .ods .odp .odg .pdf")

// Readable says whether a file of that name is one whose text can be taken out; the others need not be opened.
func Readable(name string) bool { return slices.Contains(readable, strings.ToLower(path.Ext(name))) }

// File takes out what a search looks through in a file. Its error is one of reading r, or ctx's.
func File(ctx context.Context, name string, r io.Reader, l Limits) (Words, error) {
	c := newCollector(ctx, l)
	err := c.file(name, r, 0)
	return c.words(), err
}

// collector collects words up to a limit.
type collector struct {
	b       *builder
	limits  Limits
	remarks []string
	cache   *Cache
}

func newCollector(ctx context.Context, l Limits) *collector {
	l = l.withDefaults()
	return &collector{b: &builder{ctx: ctx, limit: l.Text, unpacked: l.Unpacked, searched: true}, limits: l}
}

func (c *collector) words() Words {
	if c.b.full {
		c.remark("only the first %d KB of text are searched", c.limits.Text>>10)
	}
	return Words{strings.TrimSpace(c.b.String()), c.remarks}
}

// add takes a piece of text, on lines of its own.
func (c *collector) add(s string) {
	if c.b.line() == nil && c.b.add(s) == nil {
		_ = c.b.line() // the only error is that there is enough
	}
}

func (c *collector) remark(format string, args ...any) {
	r := fmt.Sprintf(format, args...)
	if !slices.Contains(c.remarks, r) && len(c.remarks) < 10 {
		c.remarks = append(c.remarks, r)
	}
}

func (c *collector) file(name string, r io.Reader, depth int) error {
	if !Readable(name) {
		return nil
	}
	if strings.EqualFold(path.Ext(name), ".eml") {
		return c.mail(r, nil, depth+1)
	}
	data, give, err := readAll(r, c.limits.Input+1)
	defer give()
	if err != nil {
		return err
	}
	if err := c.b.line(); err != nil {
		return nil // there is enough
	}
	out, err := from(c.b, name, data, c.limits)
	switch {
	case c.b.ctx.Err() != nil:
		return context.Cause(c.b.ctx)
	case errors.Is(err, ErrLocked):
		c.remark("%s is protected by a password", name)
	case errors.Is(err, errBomb):
		c.remark("%s has more than %d MB unpacked", name, c.limits.Unpacked>>20)
	case errors.Is(err, errSlow):
		c.remark("%s takes too long to read", name)
	case errors.Is(err, ErrNone) && int64(len(data)) > c.limits.Input:
		c.remark("%s is larger than %d MB", name, c.limits.Input>>20)
	case errors.Is(err, ErrNone):
	case err != nil:
		c.remark("%s is not a readable document: %v", name, err)
	case out.Truncated && int64(len(data)) > c.limits.Input:
		c.remark("only the first %d MB of %s are searched", c.limits.Input>>20, name)
	}
	_ = c.b.line() // the only error is that there is enough
	return nil
}
