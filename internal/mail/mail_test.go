package mail_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net"
	netmail "net/mail"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-smtp"

	"holdfast/internal/holdfast"
	"holdfast/internal/mail"
	"holdfast/internal/mail/mailtest"
)

func letter(files ...holdfast.MailFile) holdfast.Mail {
	return holdfast.Mail{From: "backup@contoso.example", To: []string{"ann@contoso.example"}, Subject: "A subject", Text: "Good morning,\n.\nall is well.\n", Attachments: files}
}

func file(name string, content []byte) holdfast.MailFile {
	return holdfast.MailFile{Name: name, Size: -1, Write: func(_ context.Context, w io.Writer) error { _, err := w.Write(content); return err }}
}

func at(s *mailtest.Sink) holdfast.MailServer {
	return holdfast.MailServer{Host: "localhost", Port: s.Port}
}

func sender(s *mailtest.Sink) *mail.Sender {
	return mail.New(mail.Config{CA: s.Pool, Name: "backup.contoso.example", Stall: 5 * time.Second})
}

// parts reads a message and gives its header and the content of its parts, in order: texts by their media type, files by their name.
func parts(t *testing.T, content []byte) (netmail.Header, []string, [][]byte) {
	t.Helper()
	m, err := netmail.ReadMessage(bytes.NewReader(content))
	if err != nil {
		t.Fatalf("%v in\n%s", err, content)
	}
	var names []string
	var contents [][]byte
	var walk func(kind, encoding, disposition string, r io.Reader)
	walk = func(kind, encoding, disposition string, r io.Reader) {
		media, with, err := mime.ParseMediaType(kind)
		if err != nil {
			t.Fatalf("%q: %v", kind, err)
		}
		if strings.HasPrefix(media, "multipart/") {
			for mp := multipart.NewReader(r, with["boundary"]); ; {
				p, err := mp.NextPart() // decodes quoted-printable
				if errors.Is(err, io.EOF) {
					return
				} else if err != nil {
					t.Fatal(err)
				}
				walk(p.Header.Get("Content-Type"), p.Header.Get("Content-Transfer-Encoding"), p.Header.Get("Content-Disposition"), p)
			}
		}
		name := media
		if disposition != "" {
			_, with, err := mime.ParseMediaType(disposition)
			if err != nil {
				t.Fatalf("%q: %v", disposition, err)
			}
			name = with["filename"]
		}
		all, err := io.ReadAll(decoded(encoding, r))
		if err != nil {
			t.Fatal(err)
		}
		names, contents = append(names, name), append(contents, all)
	}
	walk(m.Header.Get("Content-Type"), m.Header.Get("Content-Transfer-Encoding"), "", m.Body)
	return m.Header, names, contents
}

func TestAMailArrivesAsItWasMeant(t *testing.T) {
	s := mailtest.Start(t, mailtest.Options{TLS: true, User: "backup", Password: "pass word"})
	to := at(s)
	to.TLS, to.User, to.Password = true, "backup", "pass word"
	content := bytes.Repeat([]byte("From the vault\r\n.\r\n\x00\xff"), 5000)
	m := letter(file("Grüße & Zahlen.xlsx", content), file("empty.eml", nil))
	m.To, m.HTML, m.Subject, m.Auto, m.Sender = []string{"ann@contoso.example", `"Bob, B." <bob@contoso.example>`}, "<p>Good morning</p>", "Größe: 5 €", true, "holdfast@contoso.example"
	if err := sender(s).Send(t.Context(), to, m); err != nil {
		t.Fatal(err)
	}
	got := s.Taken()
	if len(got) != 1 || got[0].From != "holdfast@contoso.example" || fmt.Sprint(got[0].To) != "[ann@contoso.example bob@contoso.example]" || !got[0].Encrypted || got[0].User != "backup" {
		t.Fatalf("got %d: %+v", len(got), got)
	}
	h, names, contents := parts(t, got[0].Content)
	subject, err := new(mime.WordDecoder).DecodeHeader(h.Get("Subject"))
	if err != nil || subject != m.Subject || h.Get("Auto-Submitted") != "auto-generated" || h.Get("Sender") != m.Sender || !strings.HasSuffix(h.Get("Message-Id"), "@backup.contoso.example>") {
		t.Errorf("subject %q, header %v", subject, h)
	}
	if to, err := h.AddressList("To"); err != nil || len(to) != 2 || to[1].Name != "Bob, B." {
		t.Errorf("to %v: %v", to, err)
	}
	if fmt.Sprint(names) != "[text/plain text/html Grüße & Zahlen.xlsx empty.eml]" || !bytes.Equal(contents[2], content) || len(contents[3]) != 0 {
		t.Errorf("parts %v", names)
	}
	if text := strings.ReplaceAll(string(contents[0]), "\r\n", "\n"); text != m.Text {
		t.Errorf("text %q", text)
	}
	for line := range bytes.SplitSeq(got[0].Content, []byte("\r\n")) {
		if len(line) > 998 || bytes.ContainsAny(line, "\n\r") {
			t.Errorf("a line of %d bytes: %.80q", len(line), line)
		}
	}
}

func TestTLSFromTheFirstByteAndSignInByLogin(t *testing.T) {
	s := mailtest.Start(t, mailtest.Options{Implicit: true, User: "backup", Password: "p", Login: true})
	// Port 465 is the one that means it; this machine gives another one, so the dial goes there.
	to := holdfast.MailServer{Host: "localhost", Port: 465, TLS: true, User: "backup", Password: "p"}
	dial := func(ctx context.Context, network, address string) (net.Conn, error) {
		if address != "localhost:465" {
			t.Errorf("dialled %s", address)
		}
		return (&net.Dialer{}).DialContext(ctx, network, fmt.Sprintf("127.0.0.1:%d", s.Port))
	}
	if err := mail.New(mail.Config{CA: s.Pool, Dial: dial}).Send(t.Context(), to, letter()); err != nil {
		t.Fatal(err)
	}
	if got := s.Taken(); len(got) != 1 || !got[0].Encrypted || got[0].User != "backup" {
		t.Errorf("got %+v", got)
	}
}

// TestWhatGoesWrongSaysWhatToDo also demands that nothing was delivered, and that errors tell what may be tried again.
func TestWhatGoesWrongSaysWhatToDo(t *testing.T) {
	full := &smtp.SMTPError{Code: 452, EnhancedCode: smtp.EnhancedCode{4, 2, 2}, Message: "Mailbox full"}
	no := &smtp.SMTPError{Code: 550, EnhancedCode: smtp.EnhancedCode{5, 1, 1}, Message: "No such user here"}
	for name, tc := range map[string]struct {
		sink  mailtest.Options
		to    func(*holdfast.MailServer)
		pool  bool // without the sink's authority
		files []holdfast.MailFile
		kind  holdfast.Kind
		says  string
	}{
		"password wrong":         {sink: mailtest.Options{TLS: true, User: "u", Password: "right"}, to: func(s *holdfast.MailServer) { s.TLS, s.User, s.Password = true, "u", "CANARY" }, kind: holdfast.KindConflict, says: "refused user name or password: 535"},
		"no sign-in offered":     {sink: mailtest.Options{TLS: true}, to: func(s *holdfast.MailServer) { s.TLS, s.User, s.Password = true, "u", "CANARY" }, kind: holdfast.KindConflict, says: "lets nobody sign in"},
		"sign-in demanded":       {sink: mailtest.Options{User: "u"}, kind: holdfast.KindInvalid, says: "530 Authentication required"},
		"password without TLS":   {sink: mailtest.Options{User: "u", Password: "p"}, to: func(s *holdfast.MailServer) { s.User, s.Password = "u", "p" }, kind: holdfast.KindConflict, says: "not sent in clear"},
		"TLS not offered":        {sink: mailtest.Options{}, to: func(s *holdfast.MailServer) { s.TLS = true }, kind: holdfast.KindConflict, says: "offers no TLS at port"},
		"authority not known":    {sink: mailtest.Options{TLS: true}, to: func(s *holdfast.MailServer) { s.TLS = true }, pool: true, kind: holdfast.KindConflict, says: "--smtp-ca"},
		"certificate of another": {sink: mailtest.Options{TLS: true, Name: "other.example"}, to: func(s *holdfast.MailServer) { s.TLS = true }, kind: holdfast.KindConflict, says: "other.example"},
		"recipient refused":      {sink: mailtest.Options{Rcpt: func(string) error { return no }}, kind: holdfast.KindInvalid, says: "does not take mail for ann@contoso.example: 550 No such user here"},
		"recipient full":         {sink: mailtest.Options{Rcpt: func(string) error { return full }}, kind: holdfast.KindUnavailable, says: "can't take the mail now: 452 Mailbox full"},
		"larger than announced":  {sink: mailtest.Options{Size: 100_000}, files: []holdfast.MailFile{file("a.bin", make([]byte, 200_000))}, kind: holdfast.KindInvalid, says: "larger than the mail server localhost takes (97 KB): send less at once, or save it instead"},
		"larger in the end": {sink: mailtest.Options{Data: func([]byte) error {
			return &smtp.SMTPError{Code: 552, EnhancedCode: smtp.EnhancedCode{5, 3, 4}, Message: "Too big"}
		}}, kind: holdfast.KindInvalid, says: "552 Too big; send less at once"},
		"content refused": {sink: mailtest.Options{Data: func([]byte) error {
			return &smtp.SMTPError{Code: 554, EnhancedCode: smtp.EnhancedCode{5, 6, 0}, Message: "Spam"}
		}}, kind: holdfast.KindInvalid, says: "554 Spam"},
		"greylisted": {sink: mailtest.Options{Data: func([]byte) error {
			return &smtp.SMTPError{Code: 451, EnhancedCode: smtp.EnhancedCode{4, 7, 1}, Message: "Later"}
		}}, kind: holdfast.KindUnavailable, says: "451 Later"},
		"connection cut":          {sink: mailtest.Options{Cut: 50_000}, files: []holdfast.MailFile{file("a.bin", make([]byte, 20<<20))}, kind: holdfast.KindUnavailable, says: "broke before the mail was taken"},
		"metadata of the machine": {to: func(s *holdfast.MailServer) { s.Host, s.Port = "169.254.169.254", 80 }, kind: holdfast.KindInvalid, says: "not the address of a mail server"},
		"nobody there":            {to: func(s *holdfast.MailServer) { s.Port = 1 }, kind: holdfast.KindUnavailable, says: "can't be reached"},
	} {
		t.Run(name, func(t *testing.T) {
			s := mailtest.Start(t, tc.sink)
			to := at(s)
			if tc.to != nil {
				tc.to(&to)
			}
			c := mail.Config{CA: s.Pool, Stall: 5 * time.Second}
			if tc.pool {
				c.CA = nil
			}
			err := mail.New(c).Send(t.Context(), to, letter(tc.files...))
			if holdfast.KindOf(err) != tc.kind || !strings.Contains(err.Error(), tc.says) {
				t.Errorf("got %v (%v), want %v with %q", err, holdfast.KindOf(err), tc.kind, tc.says)
			}
			if err != nil && strings.Contains(err.Error(), "CANARY") {
				t.Errorf("the password is in %q", err)
			}
			if got := s.Taken(); len(got) != 0 {
				t.Errorf("%d mails were delivered", len(got))
			}
		})
	}
}

// TestAMailThatIsKnownToBeTooLargeIsNotBegun: nothing of it is read from where it is.
func TestAMailThatIsKnownToBeTooLargeIsNotBegun(t *testing.T) {
	s := mailtest.Start(t, mailtest.Options{Size: 1000})
	f := holdfast.MailFile{Name: "a", Size: 1000, Write: func(context.Context, io.Writer) error { t.Error("it was read"); return nil }}
	if err := sender(s).Send(t.Context(), at(s), letter(f)); holdfast.KindOf(err) != holdfast.KindInvalid {
		t.Errorf("got %v", err)
	}
}

// TestAFaultOfTheSourceDeliversNothing: half a file is not sent as a whole one.
func TestAFaultOfTheSourceDeliversNothing(t *testing.T) {
	s := mailtest.Start(t, mailtest.Options{})
	broken := holdfast.Damaged("blob x is damaged")
	f := holdfast.MailFile{Name: "a", Size: -1, Write: func(_ context.Context, w io.Writer) error { _, _ = w.Write(make([]byte, 1<<20)); return broken }}
	if err := sender(s).Send(t.Context(), at(s), letter(f)); !errors.Is(err, broken) {
		t.Errorf("got %v", err)
	}
	if err := sender(s).Send(t.Context(), at(s), letter()); err != nil { // the server is there, and has done with the first
		t.Fatal(err)
	}
	if got := s.Taken(); len(got) != 1 {
		t.Errorf("%d mails were delivered", len(got))
	}
}

// TestAServerThatStallsIsLeft: silent from the beginning, and silent after the whole mail, when nobody knows what became of it.
func TestAServerThatStallsIsLeft(t *testing.T) {
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	to := holdfast.MailServer{Host: "127.0.0.1", Port: silent.Addr().(*net.TCPAddr).Port}
	quick := mail.New(mail.Config{Stall: 50 * time.Millisecond})
	if err := quick.Send(t.Context(), to, letter()); holdfast.KindOf(err) != holdfast.KindUnavailable || !strings.Contains(err.Error(), "did not answer within 50ms") {
		t.Errorf("got %v", err)
	}
	release := make(chan struct{})
	s := mailtest.Start(t, mailtest.Options{Data: func([]byte) error { <-release; return nil }})
	defer close(release)
	if err := mail.New(mail.Config{Stall: 500 * time.Millisecond}).Send(t.Context(), at(s), letter()); holdfast.KindOf(err) != holdfast.KindUnknown || !strings.Contains(err.Error(), "may have been delivered") {
		t.Errorf("got %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	f := holdfast.MailFile{Name: "a", Size: -1, Write: func(ctx context.Context, w io.Writer) error {
		cancel()
		for {
			if _, err := w.Write(make([]byte, 1<<16)); err != nil {
				return err
			}
		}
	}}
	if err := sender(s).Send(ctx, at(s), letter(f)); holdfast.KindOf(err) != holdfast.KindUnavailable || !strings.Contains(err.Error(), "not sent in time") {
		t.Errorf("cancelled: got %v", err)
	}
}

// TestHostileTextsStayInTheirPlace: no header more than were meant, whatever subject, names and text hold.
func TestHostileTextsStayInTheirPlace(t *testing.T) {
	s := mailtest.Start(t, mailtest.Options{})
	for i, hostile := range []string{
		"x\r\nBcc: eve@evil.example", "x\nBcc: eve@evil.example\n\nbody", "x\rBcc: eve@evil.example", "x\u2028Bcc: eve@evil.example", "x\x00\x1b[31m\x07", "=?utf-8?q?x=0D=0ABcc:_eve@evil.example?=",
		"invoice\u202egpj.exe", "\u2066a\u2069b\u200f", strings.Repeat("ü", 5000), strings.Repeat("=?", 3000), strings.Repeat("a", 100_000), "\xff\xfe\x80", "..\\..\\etc/passwd", `a"; filename="b.exe`, "", ".", "\t\r\n ",
	} {
		m := letter(file(hostile+".eml", []byte("x")))
		m.Subject, m.Text = hostile, hostile
		if err := sender(s).Send(t.Context(), at(s), m); err != nil {
			t.Fatalf("%.40q: %v", hostile, err)
		}
		got := s.Taken()[i]
		h, names, _ := parts(t, got.Content)
		if len(h) != 7 || h.Get("Bcc") != "" || fmt.Sprint(got.To) != "[ann@contoso.example]" {
			t.Errorf("%.40q: header %v", hostile, h)
		}
		subject, err := new(mime.WordDecoder).DecodeHeader(h.Get("Subject"))
		if err != nil || strings.ContainsAny(subject, "\r\n\x00\x1b\u202e\u2066\u200f") || len([]rune(subject)) > 301 {
			t.Errorf("%.40q: subject %q (%v)", hostile, subject, err)
		}
		if len(names) != 2 || !strings.HasSuffix(names[1], ".eml") || strings.ContainsAny(names[1], "/\\:\"\r\n\u202e") || len(names[1]) > 184 {
			t.Errorf("%.40q: parts %q", hostile, names)
		}
		for line := range bytes.SplitSeq(got.Content, []byte("\r\n")) {
			if len(line) > 998 {
				t.Errorf("%.40q: a line of %d bytes: %.80q", hostile, len(line), line)
			}
		}
	}
}

func TestAddressesThatCouldSayMoreAreRefused(t *testing.T) {
	for _, bad := range []string{"", " ; ", "ann", "ann@", "@contoso.example", "ann@contoso.example\r\nRCPT TO:<eve@evil.example>", "<ann@contoso.example> SIZE=1", `"a b"@contoso.example`, "änn@contoso.example",
		"ann@contoso.example>", strings.Repeat("a", 250) + "@contoso.example", "ann@contoso.example\x00", strings.Repeat("a@contoso.example;", 51)} {
		if got, err := holdfast.ParseMailAddresses("to", bad); holdfast.KindOf(err) != holdfast.KindInvalid {
			t.Errorf("%q: got %q, %v", bad, got, err)
		}
	}
	got, err := holdfast.ParseMailAddresses("to", " ann@contoso.example ;Bob <bob@contoso.example>, Jörg \u202e<j@contoso.example>;")
	if want := `[ann@contoso.example "Bob" <bob@contoso.example> =?utf-8?q?J=C3=B6rg?= <j@contoso.example>]`; err != nil || fmt.Sprint(got) != want {
		t.Errorf("got %s, %v, want %s", got, err, want)
	}
}

// TestLargeFilesNeedNoMemory: 64 MiB pass through a heap that grows by no more than 8.
func TestLargeFilesNeedNoMemory(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	done := make(chan int64)
	go func() { // a server that keeps nothing
		c, err := l.Accept()
		if err != nil {
			return
		}
		defer c.Close()
		r := &lines{r: c}
		_, _ = io.WriteString(c, "220 hello\r\n")
		var n int64
		for {
			switch word := r.next(&n); word {
			case "":
				done <- n
				return
			case "DATA":
				_, _ = io.WriteString(c, "354 go on\r\n")
				for r.next(&n) != "." {
				}
				_, _ = io.WriteString(c, "250 taken\r\n")
			case "QUIT":
				_, _ = io.WriteString(c, "221 bye\r\n")
				done <- n
				return
			default:
				_, _ = io.WriteString(c, "250 yes\r\n")
			}
		}
	}()
	const size = 64 << 20
	var before, most runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	f := holdfast.MailFile{Name: "a.bin", Size: size, Write: func(_ context.Context, w io.Writer) error {
		chunk := make([]byte, 1<<20)
		for i := range size / len(chunk) {
			if _, err := w.Write(chunk); err != nil {
				return err
			}
			if i%16 == 15 {
				var now runtime.MemStats
				runtime.GC()
				runtime.ReadMemStats(&now)
				if now.HeapAlloc > most.HeapAlloc {
					most = now
				}
			}
		}
		return nil
	}}
	if err := mail.New(mail.Config{}).Send(t.Context(), holdfast.MailServer{Host: "127.0.0.1", Port: l.Addr().(*net.TCPAddr).Port}, letter(f)); err != nil {
		t.Fatal(err)
	}
	if n := <-done; n < size/3*4 {
		t.Errorf("%d bytes arrived", n)
	}
	if grown := int64(most.HeapAlloc) - int64(before.HeapAlloc); grown > 8<<20 {
		t.Errorf("the heap grew by %d bytes", grown)
	}
}
