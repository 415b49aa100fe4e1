package service

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"strings"

	"holdfast/internal/holdfast"
)

// Mailer hands mail to a server; package mail has one, whose Send says which errors there are.
type Mailer interface {
	Send(ctx context.Context, server holdfast.MailServer, m holdfast.Mail) error
}

// Mails are the settings of what the server sends by mail.
type Mails struct{ *core }

// MailUse is what mail is sent for: each use has its own server and addresses.
type MailUse string

// The uses, which are in the names of settings. Those of explorers are named as the explorers are.
const (
	MailJobs     MailUse = "jobs" // what became of sessions
	MailExchange MailUse = "vex"  // items that are sent from an explorer
	MailOneDrive MailUse = "veod"
	MailSites    MailUse = "vesp"
	MailTeams    MailUse = "vet"
)

// Explorer says that items are sent from an explorer: then nobody is told of anything by itself.
func (m MailUse) Explorer() bool { return m != MailJobs }

func (m MailUse) setting() string { return "mail " + string(m) }
func (m MailUse) secret() string  { return "mail/" + string(m) + "/password" }

// MailSettings are how mail of one use is sent. To is whom a test of MailJobs goes to, and Subject what its
// mails about sessions would be called; nothing sends those yet. Both are empty of explorers.
type MailSettings struct {
	Enabled bool   `json:"enabled"`
	Host    string `json:"host"`
	Port    int    `json:"port"`
	TLS     bool   `json:"tls"`
	SignIn  bool   `json:"signIn"`
	User    string `json:"user"`
	From    string `json:"from"`
	To      string `json:"to"`
	Subject string `json:"subject"`
}

// DefaultJobSubject is the subject without a setting.
const DefaultJobSubject = "[%JobResult%] %OrgName% - %JobName% (%ObjectCount% objects), %Issues% issues"

func defaultMail(use MailUse) MailSettings {
	s := MailSettings{Host: "smtp.office365.com", Port: 587, TLS: true, SignIn: true}
	if use == MailJobs {
		s.Subject = DefaultJobSubject
	}
	return s
}

// MailChange changes settings; what is nil stays.
type MailChange struct {
	Enabled, TLS, SignIn          *bool
	Host, User, From, To, Subject *string
	Port                          *int32
	Password                      holdfast.Secret // empty: what there is, as long as it is for the same server and user
}

func (c MailChange) apply(s *MailSettings) {
	for _, b := range []struct{ to, from *bool }{{&s.Enabled, c.Enabled}, {&s.TLS, c.TLS}, {&s.SignIn, c.SignIn}} {
		if b.from != nil {
			*b.to = *b.from
		}
	}
	for _, t := range []struct{ to, from *string }{{&s.Host, c.Host}, {&s.User, c.User}, {&s.From, c.From}, {&s.To, c.To}, {&s.Subject, c.Subject}} {
		if t.from != nil {
			*t.to = strings.TrimSpace(*t.from)
		}
	}
	if c.Port != nil {
		s.Port = int(*c.Port)
	}
}

func mailSettings(ctx context.Context, tx Tx, use MailUse) (MailSettings, error) {
	s := defaultMail(use)
	text, ok, err := tx.Setting(ctx, use.setting())
	if err != nil || !ok {
		return s, err
	}
	if err := json.Unmarshal([]byte(text), &s); err != nil {
		return s, fmt.Errorf("decode the setting %q: %w", use.setting(), err)
	}
	return s, nil
}

// Get gives the settings of a use. There is no password in them.
func (m *Mails) Get(ctx context.Context, u User, use MailUse) (MailSettings, error) {
	return readAs(ctx, m.core, u, ActSeeMail, func(ctx context.Context, tx Tx) (MailSettings, error) { return mailSettings(ctx, tx, use) })
}

// Put changes the settings of a use. A password is kept for the server and user that it was given for only: who changes either must know it.
func (m *Mails) Put(ctx context.Context, u User, use MailUse, c MailChange) error {
	return m.changeAs(ctx, u, ActChangeMail, func(ctx context.Context, tx Tx) error {
		before, err := mailSettings(ctx, tx, use)
		if err != nil {
			return err
		}
		s := before
		c.apply(&s)
		kept, err := m.keepsPassword(ctx, tx, use, before, s, c.Password)
		if err != nil {
			return err
		}
		if err := s.check(use, kept); err != nil {
			return err
		}
		said := holdfast.SayMailOff.With()
		if s.Enabled {
			said = holdfast.SayMailOn.With(s.Host, s.Port, s.From)
		}
		if err := m.audit(ctx, tx, u, "mail.update", "mail/"+string(use), said); err != nil {
			return err
		}
		switch {
		case c.Password != "" && s.SignIn:
			sealed, err := m.Keys.Seal(use.secret(), []byte(c.Password))
			if err != nil {
				return fmt.Errorf("seal the password: %w", err)
			}
			if err := tx.PutSecret(ctx, sealed); err != nil {
				return err
			}
		case !kept:
			if err := tx.DeleteSecret(ctx, use.secret()); err != nil && !missing(err) {
				return err
			}
		}
		return putSetting(ctx, tx, use.setting(), s)
	})
}

// keepsPassword says whether the use has a password once s is set.
func (m *Mails) keepsPassword(ctx context.Context, tx Tx, use MailUse, before, s MailSettings, given holdfast.Secret) (bool, error) {
	switch {
	case !s.SignIn:
		return false, nil
	case given != "":
		return true, nil
	}
	if _, err := tx.Secret(ctx, use.secret()); missing(err) {
		return false, nil
	} else if err != nil {
		return false, err
	}
	if !strings.EqualFold(s.Host, before.Host) || s.Port != before.Port || s.User != before.User {
		return false, holdfast.Invalid("another server, port or user name takes the password again: it was given for %s at %s only", before.User, net.JoinHostPort(before.Host, fmt.Sprint(before.Port)))
	}
	return true, nil
}

// check says what keeps mail from being sent like this. What is not enabled may be unfinished, but nothing of it wrong.
func (s *MailSettings) check(use MailUse, password bool) error {
	if odd := func(c rune) bool { return c <= ' ' || c > '~' || strings.ContainsRune("/@[]?#", c) }; strings.ContainsFunc(s.Host, odd) || len(s.Host) > 253 || strings.Contains(s.Host, ":") && net.ParseIP(s.Host) == nil {
		return holdfast.Invalid("the mail server is a name or an address of a machine, like smtp.contoso.example; the port has a field of its own")
	}
	if s.Port < 1 || s.Port > 65535 {
		return holdfast.Invalid("the port of the mail server is a number from 1 to 65535: 587 or 465 for a server that one signs in to, 25 for one nearby")
	}
	if s.SignIn && !s.TLS {
		return holdfast.Invalid("signing in to a mail server takes TLS: a password is not sent in clear; switch one on, or the other off")
	}
	var err error
	if s.From != "" {
		if s.From, err = holdfast.ParseMailAddress("from", s.From); err != nil {
			return err
		}
	}
	if s.To != "" {
		to, err := holdfast.ParseMailAddresses("to", s.To)
		if err != nil {
			return err
		}
		s.To = strings.Join(to, "; ")
	}
	s.Subject = holdfast.MailLine(s.Subject, 200)
	if s.User != holdfast.MailLine(s.User, 320) {
		return holdfast.Invalid("the user name has a line break or another control character in it, or more than 320 characters")
	}
	if !s.Enabled {
		return nil
	}
	switch {
	case s.Host == "":
		return holdfast.Invalid("the mail server is missing: give its name, like smtp.contoso.example")
	case s.From == "":
		return holdfast.Invalid("from is missing: give the address that mail is sent from")
	case !use.Explorer() && s.To == "":
		return holdfast.Invalid("to is missing: give the address, or several with semicolons between them, that mail is sent to")
	case s.SignIn && (s.User == "" || !password):
		return holdfast.Invalid("signing in to the mail server takes a user name and a password: give both, or switch signing in off")
	}
	return nil
}

// server opens what a mail of s is handed to.
func (c *core) mailServer(ctx context.Context, tx Tx, use MailUse, s MailSettings) (holdfast.MailServer, error) {
	to := holdfast.MailServer{Host: s.Host, Port: s.Port, TLS: s.TLS}
	if !s.SignIn {
		return to, nil
	}
	sealed, err := tx.Secret(ctx, use.secret())
	if missing(err) {
		return to, holdfast.Conflict("the password for the mail server %s is missing: give it in the mail settings", s.Host)
	} else if err != nil {
		return to, err
	}
	password, err := c.Keys.Open(use.secret(), sealed)
	to.User, to.Password = s.User, holdfast.Secret(password)
	return to, err
}

// mailOf gives by what mail of a use is sent. An explorer without settings of its own uses those of jobs.
func (c *core) mailOf(ctx context.Context, use MailUse) (s MailSettings, server holdfast.MailServer, err error) {
	err = c.Store.Read(ctx, func(ctx context.Context, tx Tx) error {
		if s, err = mailSettings(ctx, tx, use); err != nil {
			return err
		}
		if !s.Enabled && use.Explorer() {
			use = MailJobs
			if s, err = mailSettings(ctx, tx, use); err != nil {
				return err
			}
		}
		if !s.Enabled {
			return holdfast.Conflict("the server sends no mail yet: an owner sets a mail server in the mail settings")
		}
		server, err = c.mailServer(ctx, tx, use, s)
		return err
	})
	if err == nil && c.Mailer == nil {
		err = holdfast.Conflict("this server was started without mail")
	}
	return s, server, err
}

// Test sends a mail by the settings of a use, whether they are enabled or not. to is whom to; empty is whom the settings name.
func (m *Mails) Test(ctx context.Context, u User, use MailUse, to string) error {
	if err := m.may(u, ActTestMail); err != nil {
		return err
	}
	var s MailSettings
	var server holdfast.MailServer
	if err := m.Store.Read(ctx, func(ctx context.Context, tx Tx) (err error) {
		if s, err = mailSettings(ctx, tx, use); err != nil {
			return err
		}
		if s.Host == "" || s.From == "" {
			return holdfast.Conflict("set the mail server and the address that mail is sent from first")
		}
		server, err = m.mailServer(ctx, tx, use, s)
		return err
	}); err != nil {
		return err
	}
	if to == "" {
		to = s.To
	}
	addresses, err := holdfast.ParseMailAddresses("email", to)
	if err != nil {
		return err
	}
	if m.Mailer == nil {
		return holdfast.Conflict("this server was started without mail")
	}
	if err := m.auditNow(ctx, u, "mail.test", "mail/"+string(use), holdfast.SayMailTested.With(strings.Join(addresses, "; "))); err != nil {
		return err
	}
	return m.Mailer.Send(ctx, server, holdfast.Mail{From: s.From, To: addresses, Subject: "Test mail of Holdfast", Auto: true,
		Text: "This is a test: Holdfast can send mail by the settings that " + holdfast.MailLine(u.Name, 100) + " tested.\n"})
}
