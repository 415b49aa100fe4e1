package rest

import (
	"cmp"
	"context"
	"net/http"
	"strconv"
	"time"

	"holdfast/internal/holdfast"
	"holdfast/internal/rest/contract"
	"holdfast/internal/service"
)

// shown is a preview's body. It is the one answer that a browser shows, so it comes with a policy under which nothing in it could run or
// ask for anything, whatever the cleaning overlooked.
type shown struct {
	kind string
	body []byte
}

// shownPolicy: sandbox without any allowance gives the document an origin of its own, without scripts, forms, pop-ups and navigation.
const shownPolicy = "sandbox; default-src 'none'; img-src data:; style-src 'unsafe-inline'; form-action 'none'; base-uri 'none'; frame-ancestors 'self'"

func (s *shown) write(w http.ResponseWriter, code int) {
	h := w.Header()
	h.Set("Content-Type", s.kind)
	h.Set("Content-Length", strconv.Itoa(len(s.body)))
	h.Set("Content-Security-Policy", shownPolicy)
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("X-DNS-Prefetch-Control", "off")
	w.WriteHeader(code)
	_, _ = w.Write(s.body) // the reader may be gone
}

type addressShape struct {
	Name    string `json:"name"`
	Address string `json:"address"`
}

func addressToShape(a holdfast.MailAddress) addressShape { return addressShape(a) }

type headerShape struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

type attachmentShape struct {
	Number int                            `json:"number"`
	Name   string                         `json:"name"`
	Type   string                         `json:"type"`
	Size   int64                          `json:"size"`
	Inline bool                           `json:"inline"`
	Links  contract.RESTLinkHALDictionary `json:"_links"`
}

type omissionShape struct {
	What    string   `json:"what"`
	Count   int      `json:"count"`
	Details []string `json:"details,omitzero"`
}

type previewShape struct {
	Kind        string                         `json:"kind"`
	Name        string                         `json:"name"`
	Type        string                         `json:"type,omitzero"` // of the body
	Format      string                         `json:"format,omitzero"`
	Charset     string                         `json:"charset,omitzero"`
	Truncated   bool                           `json:"truncated"`
	Why         string                         `json:"why,omitzero"`
	WhySaid     *contract.Said                 `json:"whySaid,omitzero"`
	Subject     string                         `json:"subject,omitzero"`
	Date        *time.Time                     `json:"date,omitzero"`
	From        []addressShape                 `json:"from,omitzero"`
	To          []addressShape                 `json:"to,omitzero"`
	Cc          []addressShape                 `json:"cc,omitzero"`
	Bcc         []addressShape                 `json:"bcc,omitzero"`
	ReplyTo     []addressShape                 `json:"replyTo,omitzero"`
	Headers     []headerShape                  `json:"headers,omitzero"`
	Attachments []attachmentShape              `json:"attachments,omitzero"`
	Event       *holdfast.EventCard            `json:"event,omitzero"`
	Contact     *holdfast.ContactCard          `json:"contact,omitzero"`
	Task        *holdfast.TaskCard             `json:"task,omitzero"`
	Row         *holdfast.RowCard              `json:"row,omitzero"`
	Team        *holdfast.TeamCard             `json:"team,omitzero"`
	Removed     []omissionShape                `json:"removed"`
	Links       contract.RESTLinkHALDictionary `json:"_links"`
}

func (a *API) preview(ctx context.Context, r *request) (place, service.Entry, holdfast.Preview, error) {
	p, e, err := a.item(ctx, r)
	if err != nil {
		return p, e, holdfast.Preview{}, err
	}
	if special := e.Fields[holdfast.FieldSpecial]; e.Kind == holdfast.KindFolder && special != "team" && special != specialChannel && special != "chat" { // which are more than what is in them
		return p, e, holdfast.Preview{}, holdfast.Invalid("%q is a folder: list what is in it", e.Name)
	}
	shows, err := a.services.RestoreSessions.Preview(ctx, r.user, p.session, p.id, e.ID)
	return p, e, shows, err
}

// itemGetPreview tells what an item is and, of what has more than a text, everything but that, with what was removed from it for safety.
func (a *API) itemGetPreview(ctx context.Context, r *request) (any, error) {
	p, e, v, err := a.preview(ctx, r)
	if err != nil {
		return nil, err
	}
	to := func(suffix string, more ...string) contract.RESTLinkHAL {
		return r.links.to(itemPath+suffix, append([]string{string(p.session), p.id, e.ID}, more...)...)
	}
	out := previewShape{Kind: v.Kind, Name: v.Name, Type: v.Type, Format: v.Format, Charset: v.Charset, Truncated: v.Truncated, Why: v.Why, WhySaid: saidOf(v.Why), Subject: v.Subject, Date: stamp(v.Date),
		From: list(v.From, addressToShape), To: list(v.To, addressToShape), Cc: list(v.Cc, addressToShape), Bcc: list(v.Bcc, addressToShape), ReplyTo: list(v.ReplyTo, addressToShape),
		Headers: list(v.Headers, func(h holdfast.MailHeader) headerShape { return headerShape(h) }),
		Removed: list(v.Removed, func(o holdfast.Omission) omissionShape { return omissionShape(o) }),
		Links:   contract.RESTLinkHALDictionary{"self": to("/Preview"), "content": to("/Content"), "versions": to("/Versions")}}
	if c := v.Card; c != nil {
		out.Event, out.Contact, out.Task, out.Row, out.Team = c.Event, c.Contact, c.Task, c.Row, c.Team
	}
	if v.Type != "" {
		out.Links["body"] = to("/Preview/Body")
	}
	for i, at := range v.Attachments {
		out.Attachments = append(out.Attachments, attachmentShape{i, at.Name, at.Type, at.Size, at.Inline, contract.RESTLinkHALDictionary{"content": to("/Attachments/{n}", strconv.Itoa(i))}})
	}
	return out, nil
}

// itemGetPreviewBody answers what a browser may show, to be put into a frame.
func (a *API) itemGetPreviewBody(ctx context.Context, r *request) (any, error) {
	_, _, v, err := a.preview(ctx, r)
	if err != nil {
		return nil, err
	}
	if v.Type == "" {
		return nil, holdfast.NotFound("%s", cmp.Or(v.Why, "there is no text"))
	}
	return &shown{v.Type, v.Body}, nil
}

// itemGetAttachment answers one attachment of a mail, an event, a task or an item of a list, always to be saved, never to be shown.
func (a *API) itemGetAttachment(ctx context.Context, r *request) (any, error) {
	n, err := strconv.Atoi(r.param("attachmentNumber"))
	if err != nil {
		return nil, holdfast.NotFound("attachments have numbers from 0")
	}
	p, e, err := a.item(ctx, r)
	if err != nil {
		return nil, err
	}
	return &download{size: -1, open: func(ctx context.Context) (service.Content, error) {
		return a.services.RestoreSessions.Attachment(ctx, r.user, p.session, p.id, e.ID, n)
	}}, nil
}

// itemGetContent answers an item exactly as it is stored: a mail as .eml, a file as it is, a folder as a ZIP of what is in it.
func (a *API) itemGetContent(ctx context.Context, r *request) (any, error) {
	p, e, err := a.item(ctx, r)
	if err != nil {
		return nil, err
	}
	return a.save(r, p, []string{e.ID}, e.Kind == holdfast.KindFolder, e.Name)
}
