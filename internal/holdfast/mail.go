package holdfast

import (
	"context"
	"io"
	"net/mail"
	"strings"
	"unicode"
	"unicode/utf8"
)

// MailServer is a server that takes mail by SMTP.
type MailServer struct {
	Host string
	Port int
	// TLS is demanded before anything is said: from the first byte at port 465, else by STARTTLS. Without it mail goes in clear, and no password does.
	TLS      bool
	User     string // empty: nobody signs in
	Password Secret
}

// Mail is one message. Addresses are those that ParseMailAddresses gives.
type Mail struct {
	ID     string // that of the message, the same when it is sent again; empty draws one
	From   string // may have a name before it
	Sender string // who answers for it and gets what comes back, when that is not From
	To     []string
	// Subject, and names of attachments, may hold anything: the sender makes them harmless.
	Subject     string
	Text        string
	HTML        string // the same as Text; empty: there is none
	Attachments []MailFile
	Auto        bool // nobody wrote it: robots must not answer
}

// MailFile is a file of a mail, whose bytes are written while the mail is sent.
type MailFile struct {
	Name  string
	Size  int64 // bytes; -1 when not known
	Write func(ctx context.Context, w io.Writer) error
}

const (
	maxMailAddress    = 254 // RFC 5321, 4.5.3.1
	maxMailRecipients = 50
)

// ParseMailAddresses reads the addresses of a text, between which are semicolons or commas. field says where the text is from, for people.
func ParseMailAddresses(field, text string) ([]string, error) {
	var out []string
	for part := range strings.FieldsFuncSeq(text, func(c rune) bool { return c == ';' || c == ',' }) {
		if strings.TrimSpace(part) == "" {
			continue
		}
		a, err := ParseMailAddress(field, part)
		if err != nil {
			return nil, err
		}
		out = append(out, a)
	}
	switch {
	case len(out) == 0:
		return nil, Invalid("%s is missing: it is a mail address, or several with semicolons between them", field)
	case len(out) > maxMailRecipients:
		return nil, Invalid("%s has %d mail addresses, at most %d are possible", field, len(out), maxMailRecipients)
	}
	return out, nil
}

// ParseMailAddress reads one address, which may have a name: Backup <backup@contoso.example>. What it gives fits into a header as it stands.
func ParseMailAddress(field, text string) (string, error) {
	if strings.ContainsFunc(text, unicode.IsControl) || !utf8.ValidString(text) {
		return "", Invalid("%s has a line break or another control character in it", field)
	}
	a, err := mail.ParseAddress(strings.TrimSpace(text))
	if err != nil {
		return "", Invalid("%s is no mail address such as backup@contoso.example: %q", field, text)
	}
	local, domain, _ := strings.Cut(a.Address, "@")
	odd := func(c rune) bool { return c <= ' ' || c > '~' || strings.ContainsRune(`<>()[]\,;:"@`, c) }
	if local == "" || domain == "" || strings.ContainsFunc(local, odd) || strings.ContainsFunc(domain, odd) || len(a.Address) > maxMailAddress {
		return "", Invalid("%s is an address that not every mail server takes: %q; write it in plain letters, as name@contoso.example", field, text)
	}
	if a.Name = MailLine(a.Name, 60); a.Name == "" {
		return a.Address, nil
	}
	return a.String(), nil
}

// BareMailAddress is an address of ParseMailAddresses without its name.
func BareMailAddress(address string) string {
	if a, err := mail.ParseAddress(address); err == nil {
		return a.Address
	}
	return address
}

// MailLine makes one harmless line of at most some characters: nothing breaks it, hides in it, turns its direction or is taken for encoded text.
func MailLine(text string, most int) string {
	var b strings.Builder
	n, space, last := 0, false, ' '
	for _, c := range strings.ToValidUTF8(text, "\ufffd") {
		if unicode.IsSpace(c) || unicode.IsControl(c) {
			space = n > 0
			continue
		}
		if unicode.Is(unicode.Cf, c) { // directions, joiners and other things that nobody sees
			continue
		}
		if n++; n > most {
			return strings.TrimRight(b.String(), " ") + "…"
		}
		if space || last == '=' && c == '?' { // what begins with =? would be decoded (RFC 2047)
			b.WriteByte(' ')
			space = false
		}
		b.WriteRune(c)
		last = c
	}
	return b.String()
}
