package rest

import (
	"context"
	"strings"

	"holdfast/internal/holdfast"
	"holdfast/internal/rest/contract"
	"holdfast/internal/service"
)

// exchangeFolderGet lists the folders directly in parentId, or of the first level.
func (a *API) exchangeFolderGet(ctx context.Context, r *request) (any, error) {
	w, err := r.window()
	if err != nil {
		return nil, err
	}
	p, err := a.mailbox(ctx, r)
	if err != nil {
		return nil, err
	}
	parent, err := a.parent(ctx, r, p)
	if err != nil {
		return nil, err
	}
	folders, err := a.folders(ctx, r, p, parent, w)
	if err != nil {
		return nil, err
	}
	return page(r, w, folders, func(e service.Entry) contract.RESTExchangeFolder { return mailFolderToContract(r.links, p, e) }), nil
}

// folders lists the folders directly in parent, by name; query name keeps those whose name has it.
func (a *API) folders(ctx context.Context, r *request, p place, parent string, w window) ([]service.Entry, error) {
	name, filtered := r.query("name")
	q := service.ItemQuery{Parent: parent, Kinds: folderKinds, Sort: "name", Offset: w.Offset, Limit: w.Limit}
	if filtered {
		q.Offset, q.Limit = 0, maxLimit
	}
	found, err := a.services.RestoreSessions.Items(ctx, r.user, p.session, p.id, q)
	if err != nil || !filtered {
		return found.Entries, err
	}
	kept := found.Entries[:0]
	for _, e := range found.Entries {
		if strings.Contains(strings.ToLower(e.Name), strings.ToLower(name)) {
			kept = append(kept, e)
		}
	}
	return cut(w, kept), nil
}

func (a *API) exchangeFolderGetByFolderId(ctx context.Context, r *request) (any, error) {
	p, e, err := a.mailFolder(ctx, r)
	if err != nil {
		return nil, err
	}
	return mailFolderToContract(r.links, p, e), nil
}

// mailFolder is the folder that the path names.
func (a *API) mailFolder(ctx context.Context, r *request) (place, service.Entry, error) {
	p, err := a.mailbox(ctx, r)
	if err != nil {
		return p, service.Entry{}, err
	}
	e, err := a.services.RestoreSessions.Item(ctx, r.user, p.session, p.id, r.param("folderId"))
	if err == nil && e.Kind != holdfast.KindFolder {
		err = holdfast.NotFound("there is no folder %s in %s", r.param("folderId"), p.container.Container)
	}
	return p, e, err
}

func (a *API) exchangeFolderRestoreAction(ctx context.Context, r *request) (any, error) {
	p, e, err := a.mailFolder(ctx, r)
	if err != nil {
		return nil, err
	}
	return a.restoreMail(ctx, r, p, []string{e.ID})
}

func (a *API) exchangeFolderRestoreToAction(ctx context.Context, r *request) (any, error) {
	p, e, err := a.mailFolder(ctx, r)
	if err != nil {
		return nil, err
	}
	return a.restoreMailTo(ctx, r, p, []string{e.ID})
}

func (a *API) exchangeFolderSearchByOptions(ctx context.Context, r *request) (any, error) {
	p, e, err := a.mailFolder(ctx, r)
	if err != nil {
		return nil, err
	}
	return a.searchMail(ctx, r, []place{p}, e.ID)
}

// folderUses pairs Exchange's well-known names of folders with the contract's categories.
var folderUses = map[string]contract.RESTExchangeFolderCategory{
	"inbox":                     contract.RESTExchangeFolderCategoryInbox,
	"outbox":                    contract.RESTExchangeFolderCategoryOutbox,
	"sentitems":                 contract.RESTExchangeFolderCategorySent,
	"deleteditems":              contract.RESTExchangeFolderCategoryDeleted,
	"drafts":                    contract.RESTExchangeFolderCategoryDrafts,
	"junkemail":                 contract.RESTExchangeFolderCategoryJunk,
	"conflicts":                 contract.RESTExchangeFolderCategoryConflicts,
	"syncissues":                contract.RESTExchangeFolderCategorySyncIssues,
	"localfailures":             contract.RESTExchangeFolderCategoryLocalFailures,
	"serverfailures":            contract.RESTExchangeFolderCategoryServerFailures,
	"recoverableitemsdeletions": contract.RESTExchangeFolderCategoryPermanentlyDeletedItems,
	"recoverableitemspurges":    contract.RESTExchangeFolderCategoryPurges,
}

// folderTypes pairs Exchange's classes of folders with the contract's types.
var folderTypes = map[string]contract.RESTExchangeFolderType{"IPF.Contact": contract.RESTExchangeFolderTypeContact, "IPF.Appointment": contract.RESTExchangeFolderTypeAppointment, "IPF.Task": contract.RESTExchangeFolderTypeTask,
	"IPF.Journal": contract.RESTExchangeFolderTypeJournal, "IPF.StickyNote": contract.RESTExchangeFolderTypeStickyNote}

func mailFolderToContract(l links, p place, e service.Entry) contract.RESTExchangeFolder {
	session := string(p.session)
	category, special := folderUses[e.Fields[holdfast.FieldSpecial]]
	if !special {
		category = contract.RESTExchangeFolderCategoryNone
	}
	kind := folderTypes[e.Fields[holdfast.FieldClass]]
	if kind == "" {
		kind = contract.RESTExchangeFolderTypeNone
	}
	out := contract.RESTExchangeFolder{
		ID:        &e.ID,
		Name:      &e.Name,
		MailboxID: uid(p.id),
		Type:      &kind,
		Category:  &category,
		Links: contract.RESTLinkHALDictionary{
			"self":    l.to(mailboxPath+"/folders/{folderId}", session, p.id, e.ID),
			"mailbox": l.to(mailboxPath, session, p.id),
			"folders": l.with(l.to(mailboxPath+"/folders", session, p.id), "parentId", e.ID),
			"items":   l.with(l.to(mailboxPath+"/items", session, p.id), "parentId", e.ID),
		},
	}
	deletedLink(l, out.Links, e)
	if e.Parent != "" {
		out.Links["parent"] = l.to(mailboxPath+"/folders/{folderId}", session, p.id, e.Parent)
	}
	return out
}
