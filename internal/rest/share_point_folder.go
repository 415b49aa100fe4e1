package rest

import (
	"context"
	"strings"

	"holdfast/internal/holdfast"
	"holdfast/internal/rest/contract"
	"holdfast/internal/service"
)

func (a *API) sharePointFolderGet(ctx context.Context, r *request) (any, error) {
	var p place
	var kept []service.Entry
	w, err := r.window()
	if err != nil {
		return nil, err
	}
	if p, err = a.site(ctx, r); err != nil {
		return nil, err
	}
	parent, given := r.query("parentId")
	q := service.ItemQuery{Parent: parent, Kinds: folderKinds, Sort: "name", Limit: maxLimit}
	if !given || strings.EqualFold(parent, "null") {
		q.Parent, q.Search = "", "kind:*"
	}
	for { // lists and libraries are folders to us, not to the contract
		found, err := a.services.RestoreSessions.Items(ctx, r.user, p.session, p.id, q)
		if err != nil {
			return nil, err
		}
		for _, e := range found.Entries {
			if isSiteFolder(e) {
				kept = append(kept, e)
			}
		}
		if len(found.Entries) < maxLimit {
			break
		}
		q.Offset += maxLimit
	}
	return page(r, w, cut(w, kept), func(e service.Entry) contract.RESTSharePointFolder { return siteFolderToContract(r.links, p, e) }), nil
}

func (a *API) sharePointFolderGetById(ctx context.Context, r *request) (any, error) {
	p, e, err := a.siteEntry(ctx, r, "folderId", isSiteFolder)
	if err != nil {
		return nil, err
	}
	return siteFolderToContract(r.links, p, e), nil
}

func siteFolderToContract(l links, p place, e service.Entry) contract.RESTSharePointFolder {
	return contract.RESTSharePointFolder{
		Type: new(contract.RESTSharePointFolderTypeLibraryFolder), ID: e.ID, Name: e.Name, CreatedBy: e.Fields[holdfast.FieldAuthor], CreationTime: createdOf(e),
		ModifiedBy: editorOf(e), ModificationTime: e.Time.UTC(), IsFolder: new(true), SiteID: &p.id, Links: siteLinks(l, p, e),
	}
}

func (a *API) sharePointFolderRestoreFolderAction(ctx context.Context, r *request) (any, error) {
	return a.restoreEntry(ctx, r, "folderId", false, isSiteFolder)
}

func (a *API) sharePointFolderRestoreFolderActionTo(ctx context.Context, r *request) (any, error) {
	return a.restoreEntry(ctx, r, "folderId", true, isSiteFolder)
}

func (a *API) sharePointFolderRestoreFoldersAction(ctx context.Context, r *request) (any, error) {
	return a.restoreEntries(ctx, r, "folders", false, isSiteFolder)
}

func (a *API) sharePointFolderRestoreFoldersActionTo(ctx context.Context, r *request) (any, error) {
	return a.restoreEntries(ctx, r, "folders", true, isSiteFolder)
}

func (a *API) sharePointFolderSaveFolderAction(ctx context.Context, r *request) (any, error) {
	p, e, err := a.siteEntry(ctx, r, "folderId", isSiteFolder)
	if err != nil {
		return nil, err
	}
	return a.save(r, p, []string{e.ID}, true, e.Name)
}

func (a *API) sharePointFolderSaveFoldersAction(ctx context.Context, r *request) (any, error) {
	return a.saveOfSite(ctx, r, "folders", isSiteFolder)
}

func (a *API) sharePointFolderSearchFolderByOptions(ctx context.Context, r *request) (any, error) {
	p, e, err := a.siteEntry(ctx, r, "folderId", isSiteFolder)
	if err != nil {
		return nil, err
	}
	return a.searchSite(ctx, r, []place{p}, e.ID)
}

func (a *API) sharePointFolderSendFoldersAction(ctx context.Context, r *request) (any, error) {
	return a.send(ctx, r, (*API).sharePointFolderSaveFoldersAction)
}

func (a *API) sharePointFolderSendFolderAction(ctx context.Context, r *request) (any, error) {
	return a.send(ctx, r, (*API).sharePointFolderSaveFolderAction)
}
