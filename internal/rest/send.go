package rest

import (
	"context"

	"holdfast/internal/holdfast"
	"holdfast/internal/rest/contract"
	"holdfast/internal/service"
)

// selection is what a save answers with the bytes of; sending mails the same.
type selection struct {
	place
	items      []string // none: all of the place
	zip        bool
	name       string // of the ZIP
	attachment *int   // the one of the one item that is meant
}

// send mails what the operation save would answer, by the addresses and words of the request's body.
func (a *API) send(ctx context.Context, r *request, save func(*API, context.Context, *request) (any, error)) (any, error) {
	if err := r.keepBody(); err != nil {
		return nil, err
	}
	out, err := save(a, ctx, r)
	if err != nil {
		return nil, err
	}
	return a.sendSelection(ctx, r, out.(*download).of)
}

func (a *API) sendSelection(ctx context.Context, r *request, s selection) (any, error) {
	spec, err := letterOf(r)
	if err != nil {
		return nil, err
	}
	spec.Container, spec.Items, spec.Zip, spec.Name, spec.Attachment = s.id, s.items, s.zip, s.name, s.attachment
	return nil, a.services.RestoreSessions.Send(ctx, r.user, s.session, spec)
}

// sendPosts mails posts as one page of HTML, which people can read.
func (a *API) sendPosts(ctx context.Context, r *request, p place, name string, posts []string) (any, error) {
	spec, err := letterOf(r)
	if err != nil {
		return nil, err
	}
	spec.Container, spec.Items, spec.Name, spec.Posts = p.id, posts, "Posts of "+name, &holdfast.PostsQuery{Posts: posts}
	return nil, a.services.RestoreSessions.Send(ctx, r.user, p.session, spec)
}

// letterOf reads from whom, to whom and with which words the body wants something sent.
func letterOf(r *request) (service.SendSpec, error) {
	var in contract.RESTSendAsMsgOptions
	if err := r.decode(&in); err != nil {
		return service.SendSpec{}, err
	}
	if value(in.To) == "" {
		return service.SendSpec{}, holdfast.Invalid("to is missing: it is the mail address to send to, or several with semicolons between them")
	}
	return service.SendSpec{From: value(in.From), To: value(in.To), Subject: value(in.Subject), Text: value(in.Text)}, nil
}
