package service

import (
	"context"
	"fmt"
	"io"
	"path"
	"strings"

	"holdfast/internal/holdfast"
)

// SendSpec asks for items of one container by mail.
type SendSpec struct {
	Container string   // as in RestoreSessions.Container
	Items     []string // none: all of it
	Zip       bool     // as one ZIP; else each as a file of its own
	Name      string   // of the ZIP, without its ending
	// Attachment is the number of the one attachment of the one item that is meant; nil: the items themselves.
	Attachment *int
	// Posts, when there are some, are sent as one page of HTML instead of Items.
	Posts *holdfast.PostsQuery

	From, To, Subject, Text string // an empty From is that of the settings; an empty To the owner of the container
}

const (
	mostMailFiles = 50     // attachments of one mail; more items go as a ZIP
	maxMailText   = 20_000 // characters that somebody writes
)

// mailUseOf is by whose settings the data of a container is sent.
func mailUseOf(kind holdfast.ContainerKind) MailUse {
	switch kind {
	case holdfast.Drive:
		return MailOneDrive
	case holdfast.Site:
		return MailSites
	case holdfast.Team, holdfast.Chat:
		return MailTeams
	}
	return MailExchange
}

// Send sends items by mail, as attachments, and returns once a mail server has taken them. That they are sent is in the audit chain before it happens,
// and what became of it among the session's events. Nothing is kept on the way: bytes go from the repository to the mail server.
func (r *RestoreSessions) Send(ctx context.Context, u User, id holdfast.RestoreSessionID, spec SendSpec) error {
	c, err := r.Container(ctx, u, id, spec.Container)
	if err != nil {
		return err
	}
	if err := r.may(u, ActSend, c.object()); err != nil {
		return err
	}
	s, server, err := r.mailOf(ctx, mailUseOf(c.Container.Kind))
	if err != nil {
		return err
	}
	m, err := r.letter(c, s, spec)
	if err != nil {
		return err
	}
	name, err := r.enclose(ctx, c, spec, &m)
	if err != nil {
		return err
	}
	to := strings.Join(m.To, "; ")
	if err := r.auditNow(ctx, u, "restore_session.send", "restore_session/"+string(id), holdfast.SaySentTo.With(itemsOf(len(spec.Items), c.Container), to)); err != nil {
		return err
	}
	begun := r.now()
	sendErr := r.Mailer.Send(ctx, server, m)
	event, err := r.id()
	if err != nil {
		return err
	}
	e := holdfast.RestoreEvent{ID: event, Session: id, Type: "Send", Status: "Success", ItemName: name, ItemType: string(c.Container.Kind), Source: c.Container.Address, Target: to,
		Title: "Sent " + name, Message: "Sent " + name + " to " + to, Organization: c.Container.Organization, User: c.Container.Owner, Started: begun, Ended: r.now()}
	if sendErr != nil {
		e.Status, e.Message = "Failed", "Sending "+name+" to "+to+": "+said(sendErr)
	}
	// What was sent was sent, also when its sender has gone in the meantime.
	err = r.keepEvent(context.WithoutCancel(ctx), e)
	if sendErr != nil {
		return sendErr
	}
	return err
}

// keepEvent puts what was done among the events of its session, for a caller who was allowed to do it.
func (r *RestoreSessions) keepEvent(ctx context.Context, e holdfast.RestoreEvent) error {
	return r.Store.Write(ctx, func(ctx context.Context, tx Tx) error { return tx.PutRestoreEvent(ctx, e) })
}

// said is an error for people: what is not meant for them is in the log only.
func said(err error) string {
	if holdfast.KindOf(err) == holdfast.KindInternal {
		return "an internal error; the server's log has it"
	}
	return err.Error()
}

// letter is the mail without what it is sent for.
func (r *RestoreSessions) letter(c SessionContainer, s MailSettings, spec SendSpec) (m holdfast.Mail, err error) {
	m = holdfast.Mail{From: s.From, Sender: s.From, Subject: spec.Subject, Text: spec.Text}
	if spec.From != "" {
		if m.From, err = holdfast.ParseMailAddress("from", spec.From); err != nil {
			return m, err
		}
	}
	to := spec.To
	if to == "" {
		if to = c.Container.Address; !strings.Contains(to, "@") {
			return m, holdfast.Invalid("to is missing: %s has no mail address of its own", c.Container)
		}
	}
	if m.To, err = holdfast.ParseMailAddresses("to", to); err != nil {
		return m, err
	}
	if len([]rune(m.Text)) > maxMailText {
		return m, holdfast.Invalid("text has more than %d characters", maxMailText)
	}
	if strings.TrimSpace(m.Subject) == "" {
		m.Subject = fmt.Sprintf("Items of %s from the backup", c.Container)
	}
	if strings.TrimSpace(m.Text) == "" {
		m.Text = fmt.Sprintf("These are items of %s, as they are in the backup.\n", c.Container)
	}
	return m, nil
}

// enclose attaches what spec asks for, and gives its name for people.
func (r *RestoreSessions) enclose(ctx context.Context, c SessionContainer, spec SendSpec, m *holdfast.Mail) (string, error) {
	attach := func(name string, size int64, write func(ctx context.Context, w io.Writer) error) {
		m.Attachments = append(m.Attachments, holdfast.MailFile{Name: name, Size: size, Write: write})
	}
	switch {
	case spec.Posts != nil:
		q := *spec.Posts
		q.At = c.View
		attach(spec.Name+".html", -1, func(ctx context.Context, w io.Writer) error { return r.Explorer.WritePosts(ctx, q, w) })
		return spec.Name, nil
	case spec.Zip || len(spec.Items) == 0 || len(spec.Items) > mostMailFiles:
		name := spec.Name
		if name == "" {
			name = c.Container.String()
		}
		attach(name+".zip", -1, func(ctx context.Context, w io.Writer) error { return r.Explorer.Export(ctx, c.View, spec.Items, w) })
		return name, nil
	}
	name := ""
	for _, item := range spec.Items {
		view, plain, err := r.state(ctx, c.View, item)
		if err != nil {
			return "", err
		}
		e, err := r.Explorer.Item(ctx, view, plain)
		if err != nil {
			return "", err
		}
		open, size := func(ctx context.Context) (Content, error) { return r.Explorer.Open(ctx, view, plain) }, e.Size
		if e.Kind != holdfast.KindFile && e.Kind != holdfast.KindVersion {
			size = -1 // a mail's size is the mailbox's count, not its file's
		}
		if spec.Attachment != nil {
			n := *spec.Attachment
			open, size = func(ctx context.Context) (Content, error) { return r.Explorer.Attachment(ctx, view, plain, n) }, -1
		}
		// The name comes with the content. It is opened once for it, which reads its beginning only, and again when its turn comes: many open at once
		// would not be bounded.
		content, err := open(ctx)
		if err != nil {
			return "", err
		}
		if err := content.Body.Close(); err != nil {
			return "", err
		}
		attach(path.Base(strings.ReplaceAll(content.FileName, `\`, "/")), size, func(ctx context.Context, w io.Writer) error {
			content, err := open(ctx)
			if err != nil {
				return err
			}
			defer content.Body.Close()
			_, err = io.Copy(w, content.Body)
			return err
		})
		if name == "" {
			name = content.FileName
		}
	}
	if n := len(spec.Items); n > 1 {
		name = fmt.Sprintf("%d items", n)
	}
	return name, nil
}
