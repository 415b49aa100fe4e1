package mail

import (
	"bytes"
	"context"
	"encoding/base64"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net/textproto"
	"path"
	"strings"
	"time"
	"unicode/utf8"

	"holdfast/internal/holdfast"
)

const (
	maxSubject = 200 // characters
	maxName    = 180 // bytes of an attachment's name: three times as many, percent-encoded, still fit into a line of 998
	lineLength = 76  // of base64 (RFC 2045, 6.8)
)

// sourceError is what went wrong with an attachment's bytes, not with sending them.
type sourceError struct{ err error }

func (e *sourceError) Error() string { return e.err.Error() }
func (e *sourceError) Unwrap() error { return e.err }

// writeMessage writes m as RFC 5322 and MIME have it. Attachments stream through it: it holds no more than a few lines of them.
func writeMessage(ctx context.Context, w io.Writer, m holdfast.Mail, date time.Time) error {
	var head bytes.Buffer
	line := func(name, value string) { fmt.Fprintf(&head, "%s: %s\r\n", name, value) }
	line("Date", date.Format(time.RFC1123Z))
	line("From", m.From)
	if m.Sender != "" && holdfast.BareMailAddress(m.Sender) != holdfast.BareMailAddress(m.From) {
		line("Sender", m.Sender)
	}
	line("To", strings.Join(m.To, ",\r\n "))
	line("Subject", encodedWords(holdfast.MailLine(m.Subject, maxSubject)))
	line("Message-ID", "<"+m.ID+">")
	if m.Auto {
		line("Auto-Submitted", "auto-generated") // RFC 3834: so that no robot answers
	}
	line("MIME-Version", "1.0")

	if len(m.Attachments) == 0 {
		return writeBody(w, m, func(h textproto.MIMEHeader) (io.Writer, error) {
			writeHeader(&head, h)
			_, err := w.Write(head.Bytes())
			return w, err
		})
	}
	mixed := multipart.NewWriter(w)
	line("Content-Type", "multipart/mixed; boundary="+mixed.Boundary())
	head.WriteString("\r\n")
	if _, err := w.Write(head.Bytes()); err != nil {
		return err
	}
	if err := writeBody(w, m, mixed.CreatePart); err != nil {
		return err
	}
	for _, a := range m.Attachments {
		if err := writeAttachment(ctx, mixed, a); err != nil {
			return err
		}
	}
	return mixed.Close()
}

// writeHeader ends a header with the fields of h, in an order of its own.
func writeHeader(w *bytes.Buffer, h textproto.MIMEHeader) {
	for _, name := range []string{"Content-Type", "Content-Transfer-Encoding"} {
		if v := h.Get(name); v != "" {
			fmt.Fprintf(w, "%s: %s\r\n", name, v)
		}
	}
	w.WriteString("\r\n")
}

// writeBody writes the text, and the HTML beside it when there is one, as a part that create makes.
func writeBody(w io.Writer, m holdfast.Mail, create func(textproto.MIMEHeader) (io.Writer, error)) error {
	if m.HTML == "" {
		return writeText(create, "plain", m.Text)
	}
	both := multipart.NewWriter(w) // only for the boundary, until it is known where it writes to
	boundary := both.Boundary()
	part, err := create(textproto.MIMEHeader{"Content-Type": {"multipart/alternative; boundary=" + boundary}})
	if err != nil {
		return err
	}
	both = multipart.NewWriter(part)
	if err := both.SetBoundary(boundary); err != nil {
		return err
	}
	if err := writeText(both.CreatePart, "plain", m.Text); err != nil {
		return err
	}
	if err := writeText(both.CreatePart, "html", m.HTML); err != nil {
		return err
	}
	return both.Close()
}

func writeText(create func(textproto.MIMEHeader) (io.Writer, error), kind, text string) error {
	part, err := create(textproto.MIMEHeader{"Content-Type": {"text/" + kind + "; charset=utf-8"}, "Content-Transfer-Encoding": {"quoted-printable"}})
	if err != nil {
		return err
	}
	q := quotedprintable.NewWriter(part)
	if _, err := io.WriteString(q, strings.ToValidUTF8(text, "\ufffd")); err != nil {
		return err
	}
	return q.Close()
}

// writeAttachment writes a file as bytes without a meaning: no program shows it by itself, and a mail in it arrives as it was kept.
func writeAttachment(ctx context.Context, mixed *multipart.Writer, a holdfast.MailFile) error {
	part, err := mixed.CreatePart(textproto.MIMEHeader{"Content-Type": {"application/octet-stream"}, "Content-Transfer-Encoding": {"base64"},
		"Content-Disposition": {mime.FormatMediaType("attachment", map[string]string{"filename": fileName(a.Name)})}})
	if err != nil {
		return err
	}
	lines := &lineWriter{w: part}
	text := base64.NewEncoder(base64.StdEncoding, lines)
	if err := a.Write(ctx, text); err != nil {
		if lines.err != nil {
			return lines.err // the server's end of it, which the source only passed on
		}
		return &sourceError{err}
	}
	return text.Close()
}

// lineWriter breaks what it writes into lines.
type lineWriter struct {
	w    io.Writer
	used int // of the line that was begun
	err  error
}

func (l *lineWriter) Write(p []byte) (int, error) {
	done := 0
	for done < len(p) && l.err == nil {
		if l.used == lineLength {
			_, l.err = io.WriteString(l.w, "\r\n")
			l.used = 0
			continue
		}
		n := min(lineLength-l.used, len(p)-done)
		_, l.err = l.w.Write(p[done : done+n])
		done, l.used = done+n, l.used+n
	}
	return done, l.err
}

// encodedWords is a header's text in ASCII, in lines of at most 76 where it is encoded (RFC 2047).
func encodedWords(text string) string {
	return strings.ReplaceAll(mime.QEncoding.Encode("utf-8", text), "?= =?", "?=\r\n =?")
}

// fileName is a name that every system takes, and that hides nothing. It keeps its extension.
func fileName(name string) string {
	name = holdfast.MailLine(name, len(name))
	name = strings.Map(func(c rune) rune {
		if strings.ContainsRune(`/\:*?"<>|`, c) {
			return '_'
		}
		return c
	}, name)
	ext := path.Ext(name)
	if len(ext) > 12 {
		ext = ""
	}
	base := strings.TrimSuffix(name, ext)
	for len(base)+len(ext) > maxName {
		_, size := utf8.DecodeLastRuneInString(base)
		base = base[:len(base)-size]
	}
	if base = strings.Trim(base, " ."); base == "" {
		base = "attachment"
	}
	return base + ext
}
