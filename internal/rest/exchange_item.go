package rest

import (
	"context"
	"fmt"
	"slices"
	"time"

	"holdfast/internal/holdfast"
	"holdfast/internal/rest/contract"
	"holdfast/internal/service"
)

// exchangeItemGet lists the mails, contacts, events or tasks directly in parentId, newest first; without one, all of the mailbox.
func (a *API) exchangeItemGet(ctx context.Context, r *request) (any, error) {
	w, err := r.window()
	if err != nil {
		return nil, err
	}
	p, err := a.mailbox(ctx, r)
	if err != nil {
		return nil, err
	}
	q := service.ItemQuery{Kinds: mailKinds, Sort: "time", Offset: w.Offset, Limit: w.Limit}
	if _, given := r.query("parentId"); !given {
		q.Search = searchText("")
	} else if q.Parent, err = a.parent(ctx, r, p); err != nil {
		return nil, err
	}
	found, err := a.services.RestoreSessions.Items(ctx, r.user, p.session, p.id, q)
	if err != nil {
		return nil, err
	}
	return page(r, w, found.Entries, func(e service.Entry) contract.RESTExchangeItemsComposed { return mailToContract(r.links, p, e) }), nil
}

func (a *API) exchangeItemGetById(ctx context.Context, r *request) (any, error) {
	p, e, err := a.mail(ctx, r)
	if err != nil {
		return nil, err
	}
	return mailToContract(r.links, p, e), nil
}

// mail is the item that the path names.
func (a *API) mail(ctx context.Context, r *request) (place, service.Entry, error) {
	p, err := a.mailbox(ctx, r)
	if err != nil {
		return p, service.Entry{}, err
	}
	e, err := a.services.RestoreSessions.Item(ctx, r.user, p.session, p.id, r.param("itemId"))
	if err == nil && !slices.Contains(mailKinds, e.Kind) {
		err = holdfast.NotFound("there is no mail, contact, event or task %s in %s", r.param("itemId"), p.container.Container)
	}
	return p, e, err
}

// exchangeItemSaveItemAction answers the mail exactly as it was stored, as an .eml file.
func (a *API) exchangeItemSaveItemAction(ctx context.Context, r *request) (any, error) {
	p, e, err := a.mail(ctx, r)
	if err != nil {
		return nil, err
	}
	return a.save(r, p, []string{e.ID}, false, "")
}

// exchangeItemSaveItems answers one mail as an .eml file, several as a ZIP of such files.
func (a *API) exchangeItemSaveItems(ctx context.Context, r *request) (any, error) {
	p, err := a.mailbox(ctx, r)
	if err != nil {
		return nil, err
	}
	var in contract.RESTSaveToMsgOptions
	if err := r.decode(&in); err != nil {
		return nil, err
	}
	items, err := a.mails(ctx, r, p, in.Items)
	if err != nil {
		return nil, err
	}
	return a.save(r, p, items, false, fmt.Sprintf("%s, %d mails", p.container.Container.Address, len(items)))
}

// mails are the ids of a body, each of which must be there, so that nobody waits for a restore that lacks some.
func (a *API) mails(ctx context.Context, r *request, p place, in []contract.RESTExchangeItemStringID) ([]string, error) {
	if len(in) == 0 {
		return nil, holdfast.Invalid("items is missing; it lists the mails by id")
	}
	ids := make([]string, 0, len(in))
	for i, item := range in {
		id := value(item.ID)
		if id == "" {
			return nil, holdfast.Invalid("items[%d].id is missing", i)
		}
		if _, err := a.services.RestoreSessions.Item(ctx, r.user, p.session, p.id, id); err != nil {
			return nil, err
		}
		ids = append(ids, id)
	}
	return ids, nil
}

func (a *API) exchangeItemRestoreItemAction(ctx context.Context, r *request) (any, error) {
	p, e, err := a.mail(ctx, r)
	if err != nil {
		return nil, err
	}
	return a.restoreMail(ctx, r, p, []string{e.ID})
}

func (a *API) exchangeItemRestoreItemToAction(ctx context.Context, r *request) (any, error) {
	p, e, err := a.mail(ctx, r)
	if err != nil {
		return nil, err
	}
	return a.restoreMailTo(ctx, r, p, []string{e.ID})
}

func (a *API) exchangeItemRestoreItemsAction(ctx context.Context, r *request) (any, error) {
	p, items, err := a.selectedMails(ctx, r)
	if err != nil {
		return nil, err
	}
	return a.restoreMail(ctx, r, p, items)
}

func (a *API) exchangeItemRestoreItemsToAction(ctx context.Context, r *request) (any, error) {
	p, items, err := a.selectedMails(ctx, r)
	if err != nil {
		return nil, err
	}
	return a.restoreMailTo(ctx, r, p, items)
}

// exchangeItemOperatorRestore is a restore as the portal asks for it: into the mailbox that the items are from, by the organization's own application.
func (a *API) exchangeItemOperatorRestore(ctx context.Context, r *request) (any, error) {
	p, err := a.mailbox(ctx, r)
	if err != nil {
		return nil, err
	}
	var in contract.RESTOperatorRestoreOptions
	if err := r.decode(&in); err != nil {
		return nil, err
	}
	spec := service.RestoreSpec{Folder: value(in.Folder), Reason: value(in.Reason)}
	if spec.Items, err = a.mails(ctx, r, p, in.Items); err != nil {
		return nil, err
	}
	if err := (mailOptions{unread: in.MarkRestoredAsUnread}).apply(&spec); err != nil {
		return nil, err
	}
	if err := whichItems(&spec, in.ChangedItems, in.DeletedItems); err != nil {
		return nil, err
	}
	return a.restore(ctx, r, p, spec, login{})
}

// selectedMails reads the items of a body; the rest of the same body is how to restore them.
func (a *API) selectedMails(ctx context.Context, r *request) (place, []string, error) {
	p, err := a.mailbox(ctx, r)
	if err != nil {
		return p, nil, err
	}
	if err := r.keepBody(); err != nil {
		return p, nil, err
	}
	var in contract.RESTSaveToMsgOptions // the shape of all bodies with items
	if err := r.decode(&in); err != nil {
		return p, nil, err
	}
	items, err := a.mails(ctx, r, p, in.Items)
	return p, items, err
}

func mailToContract(l links, p place, e service.Entry) contract.RESTExchangeItemsComposed {
	switch e.Kind {
	case holdfast.KindContact, holdfast.KindEvent, holdfast.KindTask, holdfast.KindSetting:
		return personalToContract(l, p, e)
	}
	session := string(p.session)
	importance := contract.RESTExchangeItemImportanceNormal
	switch e.Fields[holdfast.FieldImportance] {
	case "low":
		importance = contract.RESTExchangeItemImportanceLow
	case "high":
		importance = contract.RESTExchangeItemImportanceHigh
	}
	class := e.Fields[holdfast.FieldClass]
	if class == "" {
		class = "IPM.Note"
	}
	field := func(name string) *string { return new(e.Fields[name]) }
	out := contract.RESTExchangeItemsComposed{
		ID:         &e.ID,
		MailboxID:  uid(p.id),
		Subject:    &e.Name,
		ItemClass:  &class,
		From:       field(holdfast.FieldFrom),
		To:         field(holdfast.FieldTo),
		Cc:         field(holdfast.FieldCc),
		Received:   stamp(e.Time),
		Importance: &importance,
		Links: map[string]contract.RESTLinkHAL{
			"self":    l.to(mailboxPath+"/items/{itemId}", session, p.id, e.ID),
			"mailbox": l.to(mailboxPath, session, p.id),
			"folder":  l.to(mailboxPath+"/folders/{folderId}", session, p.id, e.Parent),
		},
	}
	if t, err := time.Parse(time.RFC3339, e.Fields[holdfast.FieldSent]); err == nil {
		out.Sent = stamp(t)
	}
	deletedLink(l, out.Links, e)
	return out
}

// personalToContract shows a contact, an event, a task or a setting with the properties that the contract has for its class.
func personalToContract(l links, p place, e service.Entry) contract.RESTExchangeItemsComposed {
	session, class := string(p.session), e.Fields[holdfast.FieldClass]
	field := func(name string) *string { return optional(e.Fields[name]) }
	moment := func(name string) *time.Time {
		t, err := time.Parse(time.RFC3339, e.Fields[name])
		if err != nil {
			return nil
		}
		return stamp(t)
	}
	out := contract.RESTExchangeItemsComposed{
		ID:        &e.ID,
		MailboxID: uid(p.id),
		ItemClass: &class,
		Links: map[string]contract.RESTLinkHAL{
			"self":    l.to(mailboxPath+"/items/{itemId}", session, p.id, e.ID),
			"mailbox": l.to(mailboxPath, session, p.id),
			"folder":  l.to(mailboxPath+"/folders/{folderId}", session, p.id, e.Parent),
		},
	}
	switch e.Kind {
	case holdfast.KindSetting:
		out.Subject = &e.Name
	case holdfast.KindContact:
		out.Name, out.FullName, out.DisplayAs = &e.Name, &e.Name, &e.Name
		out.Email, out.Company, out.JobTitle, out.FileAs = field(holdfast.FieldTo), field(holdfast.FieldCompany), field(holdfast.FieldTitle), field(holdfast.FieldFileAs)
		out.BusinessPhone, out.HomePhone, out.Mobile = field(holdfast.FieldPhone), field(holdfast.FieldHome), field(holdfast.FieldMobile)
	case holdfast.KindEvent:
		recurring := e.Fields[holdfast.FieldRecurring] != ""
		out.Subject, out.Organizer, out.Attendees, out.Location = &e.Name, field(holdfast.FieldFrom), field(holdfast.FieldTo), field(holdfast.FieldLocation)
		out.StartTime, out.EndTime = moment(holdfast.FieldStart), moment(holdfast.FieldEnd)
		out.Recurring, out.RecurrencePatternFormat = &recurring, field(holdfast.FieldRecurring)
	case holdfast.KindTask:
		status, done := taskStates[e.Fields[holdfast.FieldStatus]], 0.0
		if status == "" {
			status = contract.RESTTaskItemStatusNotStarted
		}
		if status == contract.RESTTaskItemStatusCompleted {
			done = 1
		}
		out.Subject, out.Status, out.PercentComplete = &e.Name, &status, &done
		out.StartDate, out.DueDate = moment(holdfast.FieldStart), moment(holdfast.FieldDue)
	}
	deletedLink(l, out.Links, e)
	return out
}

// taskStates pairs Microsoft's states of tasks with the contract's.
var taskStates = map[string]contract.RESTTaskItemStatus{"notStarted": contract.RESTTaskItemStatusNotStarted, "inProgress": contract.RESTTaskItemStatusInProgress,
	"completed": contract.RESTTaskItemStatusCompleted, "waitingOnOthers": contract.RESTTaskItemStatusWaitingOnSomeoneElse, "deferred": contract.RESTTaskItemStatusDeferred}

func (a *API) exchangeItemSendItemsToDifferentAddressAction(ctx context.Context, r *request) (any, error) {
	return a.send(ctx, r, (*API).exchangeItemSaveItems)
}

func (a *API) exchangeItemSendItemToDifferentAddressAction(ctx context.Context, r *request) (any, error) {
	return a.send(ctx, r, (*API).exchangeItemSaveItemAction)
}

// exchangeItemSendItemsToDefaultAddressAction sends items to the mailbox that they are of.
func (a *API) exchangeItemSendItemsToDefaultAddressAction(ctx context.Context, r *request) (any, error) {
	p, items, err := a.selectedMails(ctx, r)
	if err != nil {
		return nil, err
	}
	return nil, a.services.RestoreSessions.Send(ctx, r.user, p.session, service.SendSpec{Container: p.id, Items: items})
}

func (a *API) exchangeItemSendItemToDefaultAddressAction(ctx context.Context, r *request) (any, error) {
	p, e, err := a.mail(ctx, r)
	if err != nil {
		return nil, err
	}
	return nil, a.services.RestoreSessions.Send(ctx, r.user, p.session, service.SendSpec{Container: p.id, Items: []string{e.ID}})
}
