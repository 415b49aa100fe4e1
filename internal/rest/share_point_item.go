package rest

import (
	"context"

	"holdfast/internal/holdfast"
	"holdfast/internal/rest/contract"
	"holdfast/internal/service"
)

func (a *API) sharePointItemGet(ctx context.Context, r *request) (any, error) {
	p, w, found, err := a.inSite(ctx, r, holdfast.KindListItem, holdfast.KindPage)
	if err != nil {
		return nil, err
	}
	return page(r, w, found.Entries, func(e service.Entry) contract.RESTSharePointItem { return listItemToContract(r.links, p, e, e) }), nil
}

func (a *API) sharePointItemGetById(ctx context.Context, r *request) (any, error) {
	p, e, err := a.siteEntry(ctx, r, "itemId", isListItem)
	if err != nil {
		return nil, err
	}
	return listItemToContract(r.links, p, e, e), nil
}

func (a *API) sharePointItemGetVersions(ctx context.Context, r *request) (any, error) {
	w, err := r.window()
	if err != nil {
		return nil, err
	}
	p, e, err := a.siteEntry(ctx, r, "itemId", isListItem)
	if err != nil {
		return nil, err
	}
	all, err := a.versions(ctx, r, p, e)
	if err != nil {
		return nil, err
	}
	return page(r, w, cut(w, all), func(v service.Entry) contract.RESTSharePointItem { return listItemToContract(r.links, p, e, v) }), nil
}

func (a *API) sharePointItemGetByIdByVersionId(ctx context.Context, r *request) (any, error) {
	p, e, v, err := a.siteVersion(ctx, r, "itemId", isListItem)
	if err != nil {
		return nil, err
	}
	return listItemToContract(r.links, p, e, v), nil
}

// listItemToContract encodes a version of item e; v is e for the newest.
func listItemToContract(l links, p place, e, v service.Entry) contract.RESTSharePointItem {
	return contract.RESTSharePointItem{
		SiteID: &p.id, Title: &v.Name, Version: optional(v.Fields[holdfast.FieldVersionID]), VersionID: versionNumber(v), ID: e.ID, Name: e.Name,
		CreatedBy: e.Fields[holdfast.FieldAuthor], CreationTime: createdOf(e), ModifiedBy: editorOf(v), ModificationTime: v.Time.UTC(), IsFolder: new(false), Links: siteLinks(l, p, e),
	}
}

func (a *API) sharePointItemRestoreItemAction(ctx context.Context, r *request) (any, error) {
	return a.restoreEntry(ctx, r, "itemId", false, isListItem)
}

func (a *API) sharePointItemRestoreItemActionTo(ctx context.Context, r *request) (any, error) {
	return a.restoreEntry(ctx, r, "itemId", true, isListItem)
}

func (a *API) sharePointItemRestoreItemsAction(ctx context.Context, r *request) (any, error) {
	return a.restoreEntries(ctx, r, "items", false, isListItem)
}

func (a *API) sharePointItemRestoreItemsActionTo(ctx context.Context, r *request) (any, error) {
	return a.restoreEntries(ctx, r, "items", true, isListItem)
}

func (a *API) sharePointItemRestoreItemActionByVersionId(ctx context.Context, r *request) (any, error) {
	return a.restoreVersion(ctx, r, "itemId", false, isListItem)
}

func (a *API) sharePointItemRestoreItemActionByVersionIdTo(ctx context.Context, r *request) (any, error) {
	return a.restoreVersion(ctx, r, "itemId", true, isListItem)
}

func (a *API) sharePointItemOperatorRestore(ctx context.Context, r *request) (any, error) {
	return a.operatorRestoreSite(ctx, r, "itemsRestoreConfigs", isListItem)
}
