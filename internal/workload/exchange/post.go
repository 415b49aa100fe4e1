package exchange

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"mime"
	"mime/quotedprintable"
	netmail "net/mail"
	"strings"
	"time"

	"holdfast/internal/holdfast"
	"holdfast/internal/m365/graph"
)

// mimeOf makes a mail of a post, the same one each time: its text, its files, its sender and time, the topic of its thread as subject, the thread's recipients, or the
// group where it has none. Graph has no MIME of posts. What it does not tell (Message-ID, headers of transport) is not there; ids are derived
// from those of post and thread, so that programs show a thread as one.
func mimeOf(group holdfast.Container, t *graph.Thread, p *graph.Post) ([]byte, error) {
	var b bytes.Buffer
	line := func(name, value string) {
		if value != "" {
			fmt.Fprintf(&b, "%s: %s\r\n", name, value)
		}
	}
	line("From", addresses(p.From))
	if p.Sender != nil && (p.From == nil || p.Sender.EmailAddress.Address != p.From.EmailAddress.Address) {
		line("Sender", addresses(p.Sender))
	}
	to := t.To
	if len(to) == 0 {
		var r graph.Recipient
		r.EmailAddress.Name, r.EmailAddress.Address = group.Name, group.Address
		to = []graph.Recipient{r}
	}
	line("To", addressList(to))
	line("Cc", addressList(t.Cc))
	line("Subject", mime.QEncoding.Encode("utf-8", oneLine(t.Topic)))
	line("Date", p.Received.UTC().Format(time.RFC1123Z))
	line("Message-ID", derivedID("post", p.ID))
	line("References", derivedID("thread", t.ID))
	line("MIME-Version", "1.0")
	kind := "text/plain"
	if strings.EqualFold(p.Body.ContentType, "html") {
		kind = "text/html"
	}
	body := func() error {
		fmt.Fprintf(&b, "Content-Type: %s; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n", kind)
		w := quotedprintable.NewWriter(&b)
		if _, err := io.WriteString(w, p.Body.Content); err != nil {
			return err
		}
		return w.Close()
	}
	var files []*graph.Attachment
	for i := range p.Attachments {
		if p.Attachments[i].Type == graph.FileAttachment {
			files = append(files, &p.Attachments[i])
		}
	}
	if len(files) == 0 {
		err := body()
		return b.Bytes(), err
	}
	boundary := boundaryOf(p.ID)
	fmt.Fprintf(&b, "Content-Type: multipart/mixed; boundary=%q\r\n\r\n--%s\r\n", boundary, boundary)
	if err := body(); err != nil {
		return nil, err
	}
	for _, f := range files {
		data, err := base64.StdEncoding.DecodeString(f.ContentBytes)
		if err != nil {
			return nil, fmt.Errorf("attachment %q: %w", f.Name, err)
		}
		disposition := "attachment"
		if f.IsInline {
			disposition = "inline"
		}
		fmt.Fprintf(&b, "\r\n--%s\r\nContent-Type: %s\r\n", boundary, parameterized(f.ContentType, "application/octet-stream", "name", f.Name))
		fmt.Fprintf(&b, "Content-Disposition: %s\r\nContent-Transfer-Encoding: base64\r\n", parameterized(disposition, disposition, "filename", f.Name))
		if id := oneLine(strings.Trim(f.ContentID, "<>")); id != "" {
			line("Content-ID", "<"+id+">")
		}
		b.WriteString("\r\n")
		if _, err := io.Copy(&b, holdfast.EncodeBase64Lines(bytes.NewReader(data))); err != nil {
			return nil, err
		}
	}
	fmt.Fprintf(&b, "\r\n--%s--\r\n", boundary)
	return b.Bytes(), nil
}

// beyondFiles is the JSON of what is attached and is no file, of which Graph gives no content here; nil when there is none.
func beyondFiles(p *graph.Post) []byte {
	var out []json.RawMessage
	for i := range p.Attachments {
		if p.Attachments[i].Type != graph.FileAttachment {
			out = append(out, p.Attachments[i].Raw)
		}
	}
	if len(out) == 0 {
		return nil
	}
	raw, err := json.Marshal(out)
	if err != nil {
		return nil // it was JSON as it came
	}
	return raw
}

// oneLine keeps strangers' text from making headers of its own.
func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

func addresses(r *graph.Recipient) string {
	if r == nil {
		return ""
	}
	return addressList([]graph.Recipient{*r})
}

func addressList(rs []graph.Recipient) string {
	var out []string
	for _, r := range rs {
		name, address := oneLine(r.EmailAddress.Name), strings.Join(strings.FieldsFunc(r.EmailAddress.Address, func(c rune) bool { return c <= ' ' || strings.ContainsRune("<>,;", c) }), "")
		if address == "" && name == "" {
			continue
		}
		out = append(out, (&netmail.Address{Name: name, Address: address}).String())
	}
	return strings.Join(out, ", ")
}

// derivedID is a Message-ID that is no one else's: .invalid is nobody's domain (RFC 2606).
func derivedID(what, id string) string {
	sum := sha256.Sum256([]byte(what + "\x00" + id))
	return fmt.Sprintf("<%x@%s.group.invalid>", sum[:16], what)
}

func boundaryOf(id string) string {
	sum := sha256.Sum256([]byte("boundary\x00" + id))
	return fmt.Sprintf("=_post_%x", sum[:12])
}

// parameterized is a value with a name as its parameter; otherwise stands for one that is no media type.
func parameterized(value, otherwise, parameter, name string) string {
	if name = oneLine(name); name == "" {
		name = "attachment"
	}
	if s := mime.FormatMediaType(value, map[string]string{parameter: name}); s != "" {
		return s
	}
	return mime.FormatMediaType(otherwise, map[string]string{parameter: name})
}
