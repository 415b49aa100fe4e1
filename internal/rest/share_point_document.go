package rest

import (
	"context"

	"holdfast/internal/holdfast"
	"holdfast/internal/rest/contract"
	"holdfast/internal/service"
)

func (a *API) sharePointDocumentGet(ctx context.Context, r *request) (any, error) {
	p, w, found, err := a.inSite(ctx, r, holdfast.KindFile)
	if err != nil {
		return nil, err
	}
	return page(r, w, found.Entries, func(e service.Entry) contract.RESTItemComposed { return siteItemToContract(r.links, p, e) }), nil
}

func (a *API) sharePointDocumentGetById(ctx context.Context, r *request) (any, error) {
	p, e, err := a.siteEntry(ctx, r, "documentId", isDocument)
	if err != nil {
		return nil, err
	}
	return siteDocumentToContract(r.links, p, e, e), nil
}

func (a *API) sharePointDocumentGetVersions(ctx context.Context, r *request) (any, error) {
	w, err := r.window()
	if err != nil {
		return nil, err
	}
	p, e, err := a.siteEntry(ctx, r, "documentId", isDocument)
	if err != nil {
		return nil, err
	}
	all, err := a.versions(ctx, r, p, e)
	if err != nil {
		return nil, err
	}
	return page(r, w, cut(w, all), func(v service.Entry) contract.RESTSharePointDocument { return siteDocumentToContract(r.links, p, e, v) }), nil
}

func (a *API) sharePointDocumentGetByIdByVersionId(ctx context.Context, r *request) (any, error) {
	p, e, v, err := a.siteVersion(ctx, r, "documentId", isDocument)
	if err != nil {
		return nil, err
	}
	return siteDocumentToContract(r.links, p, e, v), nil
}

// siteDocumentToContract encodes a version of document e; v is e for the newest.
func siteDocumentToContract(l links, p place, e, v service.Entry) contract.RESTSharePointDocument {
	return contract.RESTSharePointDocument{
		SiteID: &p.id, SizeBytes: &v.Size, Version: optional(v.Fields[holdfast.FieldVersionID]), VersionID: versionNumber(v), ID: e.ID, Name: e.Name,
		CreatedBy: e.Fields[holdfast.FieldAuthor], CreationTime: createdOf(e), ModifiedBy: editorOf(v), ModificationTime: v.Time.UTC(), IsFolder: new(false), Links: siteLinks(l, p, e),
	}
}

func (a *API) sharePointDocumentRestoreDocumentAction(ctx context.Context, r *request) (any, error) {
	return a.restoreEntry(ctx, r, "documentId", false, isDocument)
}

func (a *API) sharePointDocumentRestoreDocumentActionTo(ctx context.Context, r *request) (any, error) {
	return a.restoreEntry(ctx, r, "documentId", true, isDocument)
}

func (a *API) sharePointDocumentRestoreDocumentsAction(ctx context.Context, r *request) (any, error) {
	return a.restoreEntries(ctx, r, "documents", false, isDocument)
}

func (a *API) sharePointDocumentRestoreDocumentsActionTo(ctx context.Context, r *request) (any, error) {
	return a.restoreEntries(ctx, r, "documents", true, isDocument)
}

func (a *API) sharePointDocumentRestoreDocumentActionByVersionId(ctx context.Context, r *request) (any, error) {
	return a.restoreVersion(ctx, r, "documentId", false, isDocument)
}

func (a *API) sharePointDocumentRestoreDocumentActionByVersionIdTo(ctx context.Context, r *request) (any, error) {
	return a.restoreVersion(ctx, r, "documentId", true, isDocument)
}

func (a *API) sharePointDocumentSaveDocumentAction(ctx context.Context, r *request) (any, error) {
	p, e, err := a.siteEntry(ctx, r, "documentId", isDocument)
	if err != nil {
		return nil, err
	}
	var in contract.RESTSaveSharePointDocumentOptions
	if err := r.decodeOptional(&in); err != nil {
		return nil, err
	}
	return a.save(r, p, []string{e.ID}, value(in.AsZip), e.Name)
}

func (a *API) sharePointDocumentSaveDocumentActionByVersionId(ctx context.Context, r *request) (any, error) {
	p, e, v, err := a.siteVersion(ctx, r, "documentId", isDocument)
	if err != nil {
		return nil, err
	}
	var in contract.RESTSaveSharePointDocumentOptions
	if err := r.decodeOptional(&in); err != nil {
		return nil, err
	}
	return a.save(r, p, []string{v.ID}, value(in.AsZip), e.Name)
}

func (a *API) sharePointDocumentSaveDocumentsAction(ctx context.Context, r *request) (any, error) {
	return a.saveOfSite(ctx, r, "documents", isDocument)
}

func (a *API) sharePointDocumentOperatorRestore(ctx context.Context, r *request) (any, error) {
	return a.operatorRestoreSite(ctx, r, "documentsRestoreConfigs", isDocument)
}

// saveOfSite saves what the body lists as a ZIP.
func (a *API) saveOfSite(ctx context.Context, r *request, field string, is func(service.Entry) bool) (any, error) {
	p, err := a.site(ctx, r)
	if err != nil {
		return nil, err
	}
	var in struct {
		Documents []withID `json:"documents,omitzero"`
		Folders   []withID `json:"folders,omitzero"`
	}
	if err := r.decode(&in); err != nil {
		return nil, err
	}
	ids, err := a.siteIDs(ctx, r, p, field, map[string][]withID{"documents": in.Documents, "folders": in.Folders}[field], is)
	if err != nil {
		return nil, err
	}
	return a.save(r, p, ids, true, p.container.Container.Name)
}

func (a *API) sharePointDocumentSendDocumentsAction(ctx context.Context, r *request) (any, error) {
	return a.send(ctx, r, (*API).sharePointDocumentSaveDocumentsAction)
}

func (a *API) sharePointDocumentSendDocumentAction(ctx context.Context, r *request) (any, error) {
	return a.send(ctx, r, (*API).sharePointDocumentSaveDocumentAction)
}

func (a *API) sharePointDocumentSendDocumentActionByVersionId(ctx context.Context, r *request) (any, error) {
	return a.send(ctx, r, (*API).sharePointDocumentSaveDocumentActionByVersionId)
}
