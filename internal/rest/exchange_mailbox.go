package rest

import (
	"context"
	"errors"
	"strings"

	"github.com/google/uuid"

	"holdfast/internal/holdfast"
	"holdfast/internal/rest/contract"
	"holdfast/internal/service"
)

func (a *API) mailbox(ctx context.Context, r *request) (place, error) {
	return a.place(ctx, r, holdfast.Mailbox, "mailboxId")
}

func (a *API) exchangeMailboxGet(ctx context.Context, r *request) (any, error) {
	w, err := r.window()
	if err != nil {
		return nil, err
	}
	all, err := a.places(ctx, r, holdfast.Mailbox, w.page())
	if err != nil {
		return nil, err
	}
	return page(r, w, all, func(p place) contract.RESTExchangeMailbox { return mailboxToContract(r.links, p) }), nil
}

func (a *API) exchangeMailboxGetById(ctx context.Context, r *request) (any, error) {
	p, err := a.mailbox(ctx, r)
	if err != nil {
		return nil, err
	}
	return mailboxToContract(r.links, p), nil
}

func mailboxToContract(l links, p place) contract.RESTExchangeMailbox {
	session := string(p.session)
	return contract.RESTExchangeMailbox{
		ID:        uid(p.id),
		Name:      &p.container.Container.Name,
		Email:     &p.container.Container.Address,
		IsArchive: new(false),
		IsPublic:  new(false),
		Links: contract.RESTLinkHALDictionary{
			"self":    l.to(mailboxPath, session, p.id),
			"folders": l.to(mailboxPath+"/folders", session, p.id),
			"items":   l.to(mailboxPath+"/items", session, p.id),
		},
	}
}

func (a *API) exchangeMailboxRestoreMailboxAction(ctx context.Context, r *request) (any, error) {
	p, err := a.mailbox(ctx, r)
	if err != nil {
		return nil, err
	}
	return a.restoreMail(ctx, r, p, nil)
}

func (a *API) exchangeMailboxRestoreMailboxToAction(ctx context.Context, r *request) (any, error) {
	p, err := a.mailbox(ctx, r)
	if err != nil {
		return nil, err
	}
	return a.restoreMailTo(ctx, r, p, nil)
}

// exchangeMailboxRestoreMailboxesAction restores several mailboxes to where they were. All are looked up before the first begins.
func (a *API) exchangeMailboxRestoreMailboxesAction(ctx context.Context, r *request) (any, error) {
	var in contract.RestBulkRestoreOptions
	if err := r.decode(&in); err != nil {
		return nil, err
	}
	var spec service.RestoreSpec
	options := mailOptions{in.MarkRestoredAsUnread, in.ExcludeDrafts, in.ExcludeDeletedItems, in.ExcludeInPlaceHoldItems, in.ExcludeLitigationHoldItems, in.RecentItemRestorePeriod}
	if err := errors.Join(options.apply(&spec), whichItems(&spec, in.ChangedItems, in.DeletedItems), overwriteNewer(r, &spec)); err != nil {
		return nil, err
	}
	var which []string
	for _, m := range in.Mailboxes {
		which = append(which, uuidText(m.ID))
	}
	auth := login{UserName: either(in.Office365UserName, in.OnPremisesUserName), Password: either(in.Office365UserPassword, in.OnPremisesUserPassword), UserCode: in.UserCode,
		Application: in.ApplicationID, Certificate: in.ApplicationCertificate, Secret: in.ApplicationCertificatePassword, CasServer: in.CasServer}
	return a.restoreAll(ctx, r, holdfast.Mailbox, which, value(in.SkipUnresolved), spec, auth)
}

// restoreAll restores several containers whole. skip leaves out ids that the session does not see.
func (a *API) restoreAll(ctx context.Context, r *request, kind holdfast.ContainerKind, which []string, skip bool, spec service.RestoreSpec, auth login) (any, error) {
	all, err := a.places(ctx, r, kind, holdfast.Page{})
	if err != nil {
		return nil, err
	}
	var chosen []place
	for _, id := range which {
		found := false
		for _, p := range all {
			if strings.EqualFold(p.id, id) || p.container.Container.Source == id {
				chosen, found = append(chosen, p), true
			}
		}
		if !found && !skip {
			return nil, holdfast.NotFound("the restore session sees nothing with id %q; nothing was restored", id)
		}
	}
	if len(chosen) == 0 {
		return nil, holdfast.Invalid("the body names nothing to restore")
	}
	for i, p := range chosen {
		if err := a.restoreOne(ctx, r, p, spec, auth); err != nil {
			if i > 0 {
				return nil, holdfast.Conflict("the restore of %s could not begin: %w; those of the %d before it did", p.container.Container, err, i)
			}
			return nil, err
		}
	}
	return contract.RESTAsyncRestoreResponse{SessionID: uuid.MustParse(string(chosen[0].session))}, nil
}

func either[T any](a, b *T) *T {
	if a != nil {
		return a
	}
	return b
}

func (a *API) exchangeMailboxSearchByIdByOptions(ctx context.Context, r *request) (any, error) {
	p, err := a.mailbox(ctx, r)
	if err != nil {
		return nil, err
	}
	return a.searchMail(ctx, r, []place{p}, "")
}

func (a *API) exchangeMailboxSearchByOptions(ctx context.Context, r *request) (any, error) {
	return a.searchMailboxes(ctx, r)
}

func (a *API) searchMailboxes(ctx context.Context, r *request) (any, error) {
	all, err := a.places(ctx, r, holdfast.Mailbox, holdfast.Page{})
	if err != nil {
		return nil, err
	}
	return a.searchMail(ctx, r, all, "")
}

// searchMail finds mails in places, below a folder or everywhere. An empty query finds all.
func (a *API) searchMail(ctx context.Context, r *request, places []place, below string) (any, error) {
	w, err := r.window()
	if err != nil {
		return nil, err
	}
	var in contract.RESTSearchOptions
	if err := r.decodeOptional(&in); err != nil {
		return nil, err
	}
	q := service.ItemQuery{Parent: below, Kinds: mailKinds, Search: searchText(value(in.Query)), Sort: "time", Offset: w.Offset, Limit: w.Limit}
	out := []contract.RESTExchangeItemsComposed{}
	if err := a.search(ctx, r, places, q, func(p place, e service.Entry) { out = append(out, mailToContract(r.links, p, e)) }); err != nil {
		return nil, err
	}
	return page(r, w, out, func(m contract.RESTExchangeItemsComposed) contract.RESTExchangeItemsComposed { return m }).inSet(r), nil
}

var (
	mailKinds   = []holdfast.ItemKind{holdfast.KindMail, holdfast.KindContact, holdfast.KindEvent, holdfast.KindTask, holdfast.KindSetting} // that a mailbox has
	folderKinds = []holdfast.ItemKind{holdfast.KindFolder}
	fileKinds   = []holdfast.ItemKind{holdfast.KindFile}
)

// searchText is a search as the explorer takes it; what has no word in it finds everything.
func searchText(query string) string {
	if query = strings.TrimSpace(query); query == "" || query == "*" {
		return "kind:*"
	}
	return query
}

// restoreMail puts items (none: the whole mailbox) back to where they were: what is missing, and what differs unless it is
// newer there than in the restore point.
func (a *API) restoreMail(ctx context.Context, r *request, p place, items []string) (any, error) {
	var in contract.RESTRestoreToOriginalLocation
	if err := r.decodeOptional(&in); err != nil {
		return nil, err
	}
	spec := service.RestoreSpec{Items: items, Mode: modeOverwrite, ChangedItems: true, MissingItems: true}
	if err := overwriteNewer(r, &spec); err != nil {
		return nil, err
	}
	return a.restore(ctx, r, p, spec,
		login{UserName: in.UserName, Password: in.UserPassword, UserCode: in.UserCode, Application: in.ApplicationID, Certificate: in.ApplicationCertificate, Secret: in.ApplicationCertificatePassword})
}

// restoreMailTo puts items (none: the whole mailbox) into another mailbox or folder.
func (a *API) restoreMailTo(ctx context.Context, r *request, p place, items []string) (any, error) {
	var in contract.RESTRestoreToDifferentLocation
	if err := r.decode(&in); err != nil {
		return nil, err
	}
	spec := service.RestoreSpec{Items: items, To: value(in.Mailbox), Folder: value(in.Folder)}
	options := mailOptions{in.MarkRestoredAsUnread, in.ExcludeDrafts, in.ExcludeDeletedItems, in.ExcludeInPlaceHoldItems, in.ExcludeLitigationHoldItems, nil}
	if err := errors.Join(options.apply(&spec), whichItems(&spec, in.ChangedItems, in.DeletedItems), overwriteNewer(r, &spec)); err != nil {
		return nil, err
	}
	return a.restore(ctx, r, p, spec, login{UserName: in.UserName, Password: in.UserPassword, UserCode: in.UserCode, Application: in.ApplicationID, Certificate: in.ApplicationCertificate,
		Secret: in.ApplicationCertificatePassword, Tenant: in.OfficeOrganizationName, Region: string(value(in.OfficeRegion)), CasServer: in.CasServer})
}
