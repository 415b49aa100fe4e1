package rest_test

import (
	"bytes"
	"context"
	"fmt"
	"net/url"
	"strings"

	"holdfast/internal/holdfast"
)

// postOffice is where mail ends in these tests; package mail's own tests speak SMTP.
type postOffice struct {
	letters []letter
	refuses error
}

// letter is a mail with the server that it was handed to, and its attachments read.
type letter struct {
	server holdfast.MailServer
	holdfast.Mail
	files map[string][]byte
}

func (p *postOffice) Send(ctx context.Context, server holdfast.MailServer, m holdfast.Mail) error {
	l := letter{server, m, map[string][]byte{}}
	for _, f := range m.Attachments {
		var b bytes.Buffer
		if err := f.Write(ctx, &b); err != nil {
			return err
		}
		l.files[f.Name] = b.Bytes()
	}
	if p.refuses != nil {
		return p.refuses
	}
	p.letters = append(p.letters, l)
	return nil
}

// last is the newest letter, which there must be since a count before.
func (w *world) lastLetter(before int) letter {
	w.t.Helper()
	if len(w.mailed.letters) != before+1 {
		w.t.Fatalf("%d letters were sent, not one", len(w.mailed.letters)-before)
	}
	return w.mailed.letters[before]
}

// mailSettings walks through the settings of every use.
func mailSettings(w *world) {
	type use struct{ path, server, test string }
	for _, u := range []use{{"VboEmailSettings", "smtpServer", ""}, {"VexEmailSettings", "server", "ann@contoso.example"}, {"VeodEmailSettings", "server", "ann@contoso.example"}, {"VespEmailSettings", "server", "ann@contoso.example"},
		{"VetEmailSettings", "server", "ann@contoso.example"}} {
		at := "/v8/" + u.path
		w.call("GET", at, nil).want(200).golden("default")
		test := func() *reply {
			w.t.Helper()
			if u.test == "" {
				return w.call("POST", at+"/SendTestEmail", nil)
			}
			return w.call("POST", at+"/SendTestEmail", map[string]any{"email": u.test})
		}
		test().says(409, "set the mail server")
		w.call("PUT", at, map[string]any{"enableNotification": true, u.server: "mail.contoso.example"}).says(400, "from is missing")
		for name, body := range map[string]map[string]any{
			"a password is not sent in clear": {"useSSL": false},
			"from is no mail address":         {"from": "backup"},
			"line break":                      {"from": "a@contoso.example\r\nBcc: b@contoso.example"},
			"a name or an address":            {u.server: "mail.contoso.example:25"},
			"a number from 1":                 {"port": 0},
			"control character":               {"username": "a\nb"},
		} {
			w.call("PUT", at, body).says(400, name)
		}
		w.call("PUT", at, map[string]any{"authenticationType": "Microsoft365", "requestId": "x"}).says(409, "CustomSmtp")
		w.call("POST", at+"/PrepareOAuthSignIn", map[string]any{}).says(409, "Google or Microsoft 365 for mail is not built")
		body := map[string]any{"enableNotification": "true", "authenticationType": "customsmtp", u.server: "mail.contoso.example", "port": "587", "useSSL": true, "useAuthentication": true, "username": "backup",
			"userPassword": "CANARY-mail", "from": "Backup <backup@contoso.example>"}
		if u.server == "smtpServer" {
			w.call("PUT", at, body).says(400, "to is missing")
			body["to"], body["notifyOnFailure"] = "ops@contoso.example; boss@contoso.example", true
			w.call("PUT", at, body).says(409, "mails about job sessions are not built: leave notifyOnFailure out")
			body["notifyOnFailure"] = false
		}
		w.call("PUT", at, body).want(204)
		w.call("GET", at, nil).want(200).golden("set")
		n := len(w.mailed.letters)
		test().want(204)
		l := w.lastLetter(n)
		if l.server != (holdfast.MailServer{Host: "mail.contoso.example", Port: 587, TLS: true, User: "backup", Password: "CANARY-mail"}) || l.From != `"Backup" <backup@contoso.example>` {
			w.t.Errorf("%s: the test went to %+v from %s", u.path, l.server, l.From)
		}
		if want := map[bool]string{true: "[ops@contoso.example boss@contoso.example]", false: "[ann@contoso.example]"}[u.test == ""]; fmt.Sprint(l.To) != want {
			w.t.Errorf("%s: the test went to %v", u.path, l.To)
		}
		// The password is for the server and user that it was given for: nobody learns it by having it sent elsewhere.
		w.call("PUT", at, map[string]any{u.server: "mail.evil.example"}).says(400, "takes the password again")
		w.call("PUT", at, map[string]any{"port": 2525}).says(400, "takes the password again")
		w.call("PUT", at, map[string]any{"username": "eve"}).says(400, "takes the password again")
		w.call("PUT", at, map[string]any{"from": "other@contoso.example"}).want(204)
		w.mailed.refuses = holdfast.Conflict("the mail server mail.contoso.example refused user name or password: 535 no")
		test().says(409, "535 no")
		w.mailed.refuses = nil
	}
	if strings.Contains(w.log.String(), "CANARY-mail") {
		w.t.Error("the password of the mail server is in the log")
	}
}

// sends calls an operation that mails what the selection in more names, and gives the letter.
func (w *world) sends(path string, more map[string]any) letter {
	w.t.Helper()
	body := map[string]any{"to": "ann@contoso.example;bob@contoso.example", "subject": "Your files", "text": "as you wished"}
	for k, v := range more {
		body[k] = v
	}
	w.call("POST", path, map[string]any{"subject": "x"}).says(400, "is missing")
	n := len(w.mailed.letters)
	w.call("POST", path, body).want(204)
	l := w.lastLetter(n)
	if fmt.Sprint(l.To) != "[ann@contoso.example bob@contoso.example]" || l.Subject != "Your files" || l.Text != "as you wished" || len(l.files) == 0 {
		w.t.Errorf("%s: to %v, %q, %d files", path, l.To, l.Subject, len(l.files))
	}
	for name, content := range l.files {
		if name == "" || len(content) == 0 || name != url.PathEscape(name) && strings.ContainsAny(name, "/\\") {
			w.t.Errorf("%s: file %q of %d bytes", path, name, len(content))
		}
	}
	return l
}

// isZip demands a ZIP with so many files besides what an export adds.
func (w *world) isZip(l letter, files int) {
	w.t.Helper()
	for name, content := range l.files {
		if got := len(unzip(w, content)); len(l.files) != 1 || !strings.HasSuffix(name, ".zip") || got < files {
			w.t.Errorf("%d attachments, %q has %d files, not %d", len(l.files), name, got, files)
		}
	}
}

// same demands one attachment with the bytes that saving answers.
func (w *world) same(l letter, save *reply) {
	w.t.Helper()
	for name, content := range l.files {
		if len(l.files) != 1 || !bytes.Equal(content, save.want(200).body) {
			w.t.Errorf("%d attachments, %q is not what is saved", len(l.files), name)
		}
	}
}
