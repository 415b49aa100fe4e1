package rest

import (
	"context"
	"strconv"

	"holdfast/internal/holdfast"
	"holdfast/internal/rest/contract"
	"holdfast/internal/service"
)

func (a *API) sharePointAttachmentGet(ctx context.Context, r *request) (any, error) {
	w, err := r.window()
	if err != nil {
		return nil, err
	}
	p, e, err := a.siteEntry(ctx, r, "itemId", isListItem)
	if err != nil {
		return nil, err
	}
	all := attachmentsToContract(r.links, p, e)
	return page(r, w, cut(w, all), func(f contract.RESTSharePointAttachment) contract.RESTSharePointAttachment { return f }), nil
}

// attachmentsToContract lists an item's attachments; the id of one is its place in order of name.
func attachmentsToContract(l links, p place, e service.Entry) []contract.RESTSharePointAttachment {
	out := []contract.RESTSharePointAttachment{}
	for i, name := range e.Attached() {
		id := strconv.Itoa(i)
		out = append(out, contract.RESTSharePointAttachment{ID: &id, Name: &name, SiteID: &p.id, ItemID: &e.ID,
			Links: map[string]contract.RESTLinkHAL{"self": l.to(sitePath+"/Items/{itemId}/Attachments/{attachmentId}", string(p.session), p.id, e.ID, id), "item": l.to(sitePath+"/Items/{itemId}", string(p.session), p.id, e.ID)}})
	}
	return out
}

// attachment is the attachment that the path names.
func (a *API) attachment(ctx context.Context, r *request) (place, service.Entry, int, error) {
	p, e, err := a.siteEntry(ctx, r, "itemId", isListItem)
	if err != nil {
		return p, e, 0, err
	}
	n, err := strconv.Atoi(r.param("attachmentId"))
	if err != nil || n < 0 || n >= len(e.Attached()) {
		return p, e, 0, holdfast.NotFound("%q has no attachment %s", e.Name, r.param("attachmentId"))
	}
	return p, e, n, nil
}

func (a *API) sharePointAttachmentGetById(ctx context.Context, r *request) (any, error) {
	p, e, n, err := a.attachment(ctx, r)
	if err != nil {
		return nil, err
	}
	return attachmentsToContract(r.links, p, e)[n], nil
}

func (a *API) sharePointAttachmentSaveAttachmentAction(ctx context.Context, r *request) (any, error) {
	p, e, n, err := a.attachment(ctx, r)
	if err != nil {
		return nil, err
	}
	return &download{of: selection{place: p, items: []string{e.ID}, attachment: &n}, size: -1, open: func(ctx context.Context) (service.Content, error) {
		return a.services.RestoreSessions.Attachment(ctx, r.user, p.session, p.id, e.ID, n)
	}}, nil
}

// sharePointAttachmentSaveAttachmentsAction saves an item with all its attachments as a ZIP; one attachment comes as it is.
func (a *API) sharePointAttachmentSaveAttachmentsAction(ctx context.Context, r *request) (any, error) {
	p, e, err := a.siteEntry(ctx, r, "itemId", isListItem)
	if err != nil {
		return nil, err
	}
	var in contract.RESTSaveAttachmentsOptions
	if err := r.decodeOptional(&in); err != nil {
		return nil, err
	}
	if len(in.Attachments) == 1 {
		n, err := strconv.Atoi(value(in.Attachments[0].ID))
		if err != nil || n < 0 || n >= len(e.Attached()) {
			return nil, holdfast.NotFound("%q has no attachment %s", e.Name, value(in.Attachments[0].ID))
		}
		return &download{of: selection{place: p, items: []string{e.ID}, attachment: &n}, size: -1, open: func(ctx context.Context) (service.Content, error) {
			return a.services.RestoreSessions.Attachment(ctx, r.user, p.session, p.id, e.ID, n)
		}}, nil
	}
	return a.save(r, p, []string{e.ID}, true, e.Name)
}

func (a *API) sharePointAttachmentSendAttachmentAction(ctx context.Context, r *request) (any, error) {
	return a.send(ctx, r, (*API).sharePointAttachmentSaveAttachmentAction)
}

func (a *API) sharePointAttachmentSendAttachmentsAction(ctx context.Context, r *request) (any, error) {
	return a.send(ctx, r, (*API).sharePointAttachmentSaveAttachmentsAction)
}
