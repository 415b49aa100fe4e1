// Package mail sends mail by SMTP: over TLS whose certificate is checked, with bounded memory, and with errors that say whether to try again.
//
// The protocol is emersion/go-smtp's; the messages are written here, since the libraries for that hold each attachment in memory.
package mail

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"

	"holdfast/internal/holdfast"
	"holdfast/internal/sys"
)

// implicitPort is where TLS begins with the first byte (RFC 8314); at all others it is asked for by STARTTLS.
const implicitPort = 465

// Config is what a Sender stands on; all of it has defaults.
type Config struct {
	Clock sys.Clock
	// CA judges servers' certificates; nil is the system's.
	CA *x509.CertPool
	// Name is this host, for the greeting and message ids; empty is "localhost".
	Name string
	// Stall is how long a server may take for an answer, or take no byte; 0 is a minute.
	Stall time.Duration
	// Dial replaces how servers are reached.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
}

// Sender sends mail. Its methods may be called at the same time.
type Sender struct{ config Config }

// New makes a Sender.
func New(c Config) *Sender {
	if c.Clock == nil {
		c.Clock = sys.System
	}
	if c.Name == "" || strings.ContainsFunc(c.Name, func(r rune) bool { return r <= ' ' || r > '~' }) {
		c.Name = "localhost"
	}
	if c.Stall == 0 {
		c.Stall = time.Minute
	}
	if c.Dial == nil {
		c.Dial = (&net.Dialer{Timeout: 30 * time.Second, Control: notHere}).DialContext
	}
	return &Sender{c}
}

// notHere refuses addresses at which there is no mail server, but what tells a machine in a cloud its secrets. It looks at the address itself, after
// any name was resolved.
func notHere(_, address string, _ syscall.RawConn) error {
	at, err := netip.ParseAddrPort(address)
	if err != nil {
		return err
	}
	if ip := at.Addr().Unmap(); ip.IsLinkLocalUnicast() || ip.IsUnspecified() || ip.IsMulticast() {
		return holdfast.Invalid("%s is not the address of a mail server", ip)
	}
	return nil
}

// Send hands m to server and returns when the server has taken it. The kinds of errors:
//
//   - KindInvalid: this mail is not taken (a recipient, its size); it never will be
//   - KindConflict: the settings are wrong (sign-in, certificate, no TLS); it will be taken once they are right
//   - KindUnavailable: the server does not answer or can't now; nothing was delivered
//   - KindUnknown: the connection broke after the whole mail was sent; it may have been delivered
//
// An error of an attachment's Write comes back as it is, and nothing was delivered.
func (s *Sender) Send(ctx context.Context, server holdfast.MailServer, m holdfast.Mail) error {
	if m.ID == "" {
		var b [16]byte
		if _, err := rand.Read(b[:]); err != nil {
			return err
		}
		m.ID = hex.EncodeToString(b[:])
	}
	m.ID += "@" + s.config.Name
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	at := net.JoinHostPort(server.Host, strconv.Itoa(server.Port))
	conn, err := s.config.Dial(ctx, "tcp", at)
	if err != nil {
		if holdfast.KindOf(err) != holdfast.KindInternal {
			return err
		}
		return holdfast.Unavailable("the mail server %s can't be reached: %w", at, err)
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { conn.Close() })()
	c, err := s.greet(stallConn{conn, s.config.Stall}, server)
	if err != nil {
		return s.explain(ctx, server, err)
	}
	if err := signIn(c, server); err != nil {
		return s.explain(ctx, server, err)
	}
	if err := s.submit(ctx, c, server, m); err != nil {
		return err // without a QUIT, which would end a mail that was begun
	}
	_ = c.Quit() // the mail is taken already
	return nil
}

// greet says hello, over TLS when that is demanded.
func (s *Sender) greet(conn net.Conn, server holdfast.MailServer) (*smtp.Client, error) {
	judge := &tls.Config{ServerName: server.Host, RootCAs: s.config.CA, MinVersion: tls.VersionTLS12}
	var c *smtp.Client
	switch {
	case server.TLS && server.Port == implicitPort:
		c = smtp.NewClient(tls.Client(conn, judge))
	case server.TLS:
		var err error
		if c, err = smtp.NewClientStartTLS(conn, judge); err != nil {
			var answer *smtp.SMTPError
			if !errors.As(err, &answer) && strings.HasSuffix(err.Error(), "doesn't support STARTTLS") {
				return nil, holdfast.Conflict("the mail server %s offers no TLS at port %d, so nothing was sent to it: use another port (587, or 465 for TLS from the beginning), or switch TLS off if the way to it is safe", server.Host, server.Port)
			}
			return nil, err
		}
	default:
		c = smtp.NewClient(conn)
	}
	return c, c.Hello(s.config.Name)
}

// signIn proves who sends, when the settings say so. The password goes over TLS only.
func signIn(c *smtp.Client, server holdfast.MailServer) error {
	if server.User == "" {
		return nil
	}
	if _, encrypted := c.TLSConnectionState(); !encrypted {
		return holdfast.Conflict("signing in to a mail server takes TLS: a password is not sent in clear")
	}
	var how sasl.Client
	switch {
	case c.SupportsAuth(sasl.Plain):
		how = sasl.NewPlainClient("", server.User, string(server.Password))
	case c.SupportsAuth(sasl.Login):
		how = sasl.NewLoginClient(server.User, string(server.Password))
	default:
		_, offered := c.Extension("AUTH")
		return holdfast.Conflict("the mail server %s lets nobody sign in by user name and password at port %d (it offers: %s); check the port, and whether the account may send mail by SMTP", server.Host, server.Port, or(holdfast.MailLine(offered, 100), "nothing"))
	}
	err := c.Auth(how)
	var answer *smtp.SMTPError
	if errors.As(err, &answer) && answer.Code >= 500 {
		return holdfast.Conflict("the mail server %s refused user name or password: %s", server.Host, said(answer))
	}
	return err
}

// submit hands over one mail.
func (s *Sender) submit(ctx context.Context, c *smtp.Client, server holdfast.MailServer, m holdfast.Mail) error {
	most, limited := c.MaxMessageSize()
	limited = limited && most > 0 // 0 is no fixed limit (RFC 1870, 3)
	var known int64
	for _, a := range m.Attachments {
		known += max(0, a.Size)
	}
	tooLarge := func() error {
		return holdfast.Invalid("the mail would be larger than the mail server %s takes (%s): send less at once, or save it instead", server.Host, megabytes(int64(most)))
	}
	if limited && known/3*4 > int64(most) {
		return tooLarge()
	}
	from := m.From
	if m.Sender != "" {
		from = m.Sender
	}
	if err := c.Mail(holdfast.BareMailAddress(from), nil); err != nil {
		return s.explain(ctx, server, err)
	}
	for _, to := range m.To {
		err := c.Rcpt(holdfast.BareMailAddress(to), nil)
		var answer *smtp.SMTPError
		if errors.As(err, &answer) && answer.Code >= 500 {
			return holdfast.Invalid("the mail server %s does not take mail for %s: %s", server.Host, holdfast.BareMailAddress(to), said(answer))
		} else if err != nil {
			return s.explain(ctx, server, err)
		}
	}
	data, err := c.Data()
	if err != nil {
		return s.explain(ctx, server, err)
	}
	to := &bounded{w: data, left: int64(most), limited: limited}
	if err := writeMessage(ctx, to, m, s.config.Clock.Now()); err != nil {
		var source *sourceError
		switch {
		case to.over:
			return tooLarge()
		case errors.As(err, &source):
			return source.err
		}
		return s.explain(ctx, server, err)
	}
	err = data.Close()
	var answer *smtp.SMTPError
	if err != nil && !errors.As(err, &answer) {
		return holdfast.Unknown("the connection to the mail server %s broke after the whole mail was sent: it may have been delivered: %w", server.Host, err)
	}
	return s.explain(ctx, server, err)
}

// explain turns what went wrong into an error for people.
func (s *Sender) explain(ctx context.Context, server holdfast.MailServer, err error) error {
	var answer *smtp.SMTPError
	var unknown x509.UnknownAuthorityError
	var certificate *tls.CertificateVerificationError
	var other tls.RecordHeaderError
	var timeout net.Error
	switch {
	case err == nil:
		return nil
	case holdfast.KindOf(err) != holdfast.KindInternal:
		return err
	case errors.As(err, &answer) && (answer.Code == 552 || answer.Code == 523):
		return holdfast.Invalid("the mail is larger than the mail server %s takes: %s; send less at once, or save it instead", server.Host, said(answer))
	case errors.As(err, &answer) && answer.Code >= 500 && slices.Contains([]int{530, 538, 550, 553}, answer.Code):
		return holdfast.Invalid("the mail server %s refused the mail: %s; check the address it is sent from, and whether the server wants a sign-in", server.Host, said(answer))
	case errors.As(err, &answer) && answer.Code >= 500:
		return holdfast.Invalid("the mail server %s refused the mail: %s", server.Host, said(answer))
	case errors.As(err, &answer):
		return holdfast.Unavailable("the mail server %s can't take the mail now: %s", server.Host, said(answer))
	case errors.As(err, &unknown):
		return holdfast.Conflict("the certificate of the mail server %s is from an authority that this machine does not know: start the server with --smtp-ca and the file of that authority", server.Host)
	case errors.As(err, &certificate):
		return holdfast.Conflict("the certificate of the mail server %s is not good: %s; use the name that is in it", server.Host, certificate.Err)
	case errors.As(err, &other):
		return holdfast.Conflict("what answers at port %d of %s speaks no TLS from the beginning: use port 587 instead", server.Port, server.Host)
	case ctx.Err() != nil:
		return holdfast.Unavailable("the mail was not sent in time: the mail server %s is too slow; send less at once, or save it instead: %w", server.Host, ctx.Err())
	case errors.As(err, &timeout) && timeout.Timeout():
		return holdfast.Unavailable("the mail server %s did not answer within %s", server.Host, s.config.Stall)
	}
	return holdfast.Unavailable("the connection to the mail server %s broke before the mail was taken: %w", server.Host, err)
}

// said is a server's answer, in one line.
func said(answer *smtp.SMTPError) string {
	return fmt.Sprintf("%d %s", answer.Code, holdfast.MailLine(answer.Message, 200))
}

func megabytes(n int64) string {
	if n < 1<<20 {
		return fmt.Sprintf("%d KB", n>>10)
	}
	return fmt.Sprintf("%d MB", n>>20)
}

func or(text, otherwise string) string {
	if text == "" {
		return otherwise
	}
	return text
}

// bounded refuses to write more than the server takes.
type bounded struct {
	w             io.Writer
	left          int64
	limited, over bool
}

func (b *bounded) Write(p []byte) (int, error) {
	if b.left -= int64(len(p)); b.limited && b.left < 0 {
		b.over = true
		return 0, errors.New("too large")
	}
	return b.w.Write(p)
}

// stallConn gives every read and write the same time, whatever others set: a mail may take long, a stall may not.
type stallConn struct {
	net.Conn
	stall time.Duration
}

func (c stallConn) Read(p []byte) (int, error) {
	if err := c.Conn.SetReadDeadline(sys.System.Now().Add(c.stall)); err != nil {
		return 0, err
	}
	return c.Conn.Read(p)
}

func (c stallConn) Write(p []byte) (int, error) {
	if err := c.Conn.SetWriteDeadline(sys.System.Now().Add(c.stall)); err != nil {
		return 0, err
	}
	return c.Conn.Write(p)
}

func (stallConn) SetDeadline(time.Time) error      { return nil }
func (stallConn) SetReadDeadline(time.Time) error  { return nil }
func (stallConn) SetWriteDeadline(time.Time) error { return nil }
