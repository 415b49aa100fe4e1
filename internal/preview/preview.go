// Package preview makes of mails and files what a browser may show: HTML from an allow-list in which nothing runs and nothing is asked
// for elsewhere, images that are images, and text.
//
// What it reads was made by strangers. The caller serves Body with a policy that forbids everything besides; neither relies on the other.
package preview

import (
	"context"
	"errors"
	"io"
	"strings"
	"unicode"

	"holdfast/internal/extract"
	"holdfast/internal/holdfast"
)

// Bounds.
const (
	maxFile    = 32 << 20 // of a file whose text is taken
	maxImage   = 16 << 20
	maxPixels  = 64 << 20 // a few bytes can stand for many
	maxBody    = 4 << 20  // of a mail's text
	maxCID     = 3 << 20  // of one image in a mail
	maxCIDs    = 12 << 20 // of all
	maxParts   = 1000
	maxNesting = 40
	maxHeaders = 300
	maxHeader  = 4 << 10 // shown of one
)

// File previews a file.
func File(ctx context.Context, name string, size int64, r io.Reader) (holdfast.Preview, error) {
	p := holdfast.Preview{Kind: holdfast.PreviewNone, Name: Visible(name)}
	start := make([]byte, 512)
	n, err := io.ReadFull(r, start)
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return p, err
	}
	start = start[:n]
	if n == 0 {
		p.Kind, p.Type, p.Body = holdfast.PreviewText, textType, []byte{}
		return p, nil
	}
	all := io.MultiReader(strings.NewReader(string(start)), r)
	if kind := imageType(start); kind != "" {
		data, err := io.ReadAll(io.LimitReader(all, maxImage+1))
		if err != nil {
			return p, err
		}
		if err := checkImage(kind, data, maxImage); err != nil {
			p.Why = err.Error()
			return p, nil
		}
		p.Kind, p.Type, p.Body = holdfast.PreviewImage, kind, data
		return p, nil
	}
	text, err := extract.From(ctx, name, all, extract.Limits{Input: maxFile, Text: maxBody})
	switch {
	case ctx.Err() != nil:
		return p, context.Cause(ctx)
	case errors.As(err, new(*holdfast.Error)):
		return p, err // the file could not be read from the repository
	case errors.Is(err, extract.ErrNone):
		p.Why = holdfast.SayNoPreview.With()
		return p, nil
	case err != nil && text.Text == "":
		p.Why = holdfast.SayNoPreviewBecause.With(err)
		return p, nil
	case err != nil:
		p.Why, text.Truncated = err.Error(), true
	}
	p.Kind, p.Type, p.Body = holdfast.PreviewText, textType, []byte(text.Text)
	p.Format, p.Charset, p.Truncated = text.Format, text.Charset, text.Truncated
	return p, nil
}

const textType = "text/plain; charset=utf-8"

// Visible is a text without what shows nothing or turns the order of what is around it: control characters, marks and overrides of direction.
func Visible(s string) string {
	s = strings.ToValidUTF8(s, "\ufffd")
	return strings.Map(func(c rune) rune {
		switch {
		case c == '\t' || c == '\n' || c == '\r':
			return ' '
		case unicode.IsControl(c), unicode.Is(unicode.Cf, c) && c != '\u200d', unicode.Is(unicode.Zl, c), unicode.Is(unicode.Zp, c), unicode.Is(unicode.Co, c):
			return '\ufffd'
		}
		return c
	}, s)
}

// ordered is a text without control characters and without overrides of its direction; marks that languages need stay.
func ordered(s string) string {
	return strings.Map(func(c rune) rune {
		switch {
		case c == '\t' || c == '\n' || c == '\r':
		case unicode.IsControl(c), c >= 0x202a && c <= 0x202e, c >= 0x2066 && c <= 0x2069:
			return '\ufffd'
		}
		return c
	}, s)
}
