package rest

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"holdfast/internal/holdfast"
	"holdfast/internal/rest/contract"
	"holdfast/internal/service"
)

// oneDriveDocumentGet lists the documents directly in parentId, or of the first level; with includeFolders the folders too.
func (a *API) oneDriveDocumentGet(ctx context.Context, r *request) (any, error) {
	w, err := r.window()
	if err != nil {
		return nil, err
	}
	p, err := a.oneDrive(ctx, r)
	if err != nil {
		return nil, err
	}
	withFolders, err := r.queryBool("includeFolders", false)
	if err != nil {
		return nil, err
	}
	q := service.ItemQuery{Kinds: fileKinds, Sort: "name", Offset: w.Offset, Limit: w.Limit}
	if withFolders {
		q.Kinds = []holdfast.ItemKind{holdfast.KindFile, holdfast.KindFolder}
	}
	if q.Parent, err = a.parent(ctx, r, p); err != nil {
		return nil, err
	}
	found, err := a.services.RestoreSessions.Items(ctx, r.user, p.session, p.id, q)
	if err != nil {
		return nil, err
	}
	return page(r, w, found.Entries, func(e service.Entry) contract.RESTItemComposed { return driveItemToContract(r.links, p, e) }), nil
}

func (a *API) oneDriveDocumentGetById(ctx context.Context, r *request) (any, error) {
	p, e, err := a.document(ctx, r)
	if err != nil {
		return nil, err
	}
	return documentToContract(r.links, p, e, e), nil
}

// document is the document that the path names.
func (a *API) document(ctx context.Context, r *request) (place, service.Entry, error) {
	return a.driveItem(ctx, r, "documentId", holdfast.KindFile)
}

// versions are the document's versions, newest first; the first one is the document itself.
func (a *API) versions(ctx context.Context, r *request, p place, e service.Entry) ([]service.Entry, error) {
	older, err := a.services.RestoreSessions.Versions(ctx, r.user, p.session, p.id, e.ID)
	if err != nil {
		return nil, err
	}
	all := append([]service.Entry{e}, older...)
	session, err := a.services.RestoreSessions.Get(ctx, r.user, p.session)
	if err != nil {
		return nil, err
	}
	if session.ShowAllVersions {
		// What the document was in other restore points, unless the service's own number says that it is one of these.
		other, err := a.services.RestoreSessions.History(ctx, r.user, p.session, p.id, e.ID)
		if err != nil {
			return nil, err
		}
		for _, v := range other {
			n := v.Fields[holdfast.FieldVersionID]
			if v.ID == "" || n == "" || v.Newest.Time.After(p.container.HeadTime) || slices.ContainsFunc(all, func(e service.Entry) bool { return e.Fields[holdfast.FieldVersionID] == n }) {
				continue
			}
			item := v.Item
			item.ID = v.ID
			all = append(all, service.Entry{Item: item})
		}
	}
	slices.SortStableFunc(all[1:], func(a, b service.Entry) int { return b.Time.Compare(a.Time) })
	return all, nil
}

func (a *API) oneDriveDocumentGetVersions(ctx context.Context, r *request) (any, error) {
	w, err := r.window()
	if err != nil {
		return nil, err
	}
	p, e, err := a.document(ctx, r)
	if err != nil {
		return nil, err
	}
	all, err := a.versions(ctx, r, p, e)
	if err != nil {
		return nil, err
	}
	return page(r, w, cut(w, all), func(v service.Entry) contract.RESTOneDriveDocument { return documentToContract(r.links, p, e, v) }), nil
}

func (a *API) oneDriveDocumentGetByIdByVersionId(ctx context.Context, r *request) (any, error) {
	p, e, v, err := a.version(ctx, r)
	if err != nil {
		return nil, err
	}
	return documentToContract(r.links, p, e, v), nil
}

// version is the version of a document that the path names.
func (a *API) version(ctx context.Context, r *request) (place, service.Entry, service.Entry, error) {
	p, e, err := a.document(ctx, r)
	if err != nil {
		return p, e, e, err
	}
	wanted, err := strconv.Atoi(r.param("versionId"))
	if err != nil {
		return p, e, e, holdfast.Invalid("versionId must be a whole number, as the list of versions has it")
	}
	all, err := a.versions(ctx, r, p, e)
	if err != nil {
		return p, e, e, err
	}
	for _, v := range all {
		if n := versionNumber(v); n != nil && int(*n) == wanted {
			return p, e, v, nil
		}
	}
	return p, e, e, holdfast.NotFound("the restore point holds no version %d of %q", wanted, e.Name)
}

// versionNumber is a version's number in the contract. SharePoint counts 512 for a major version: 3.0 is 1536.
func versionNumber(e service.Entry) *int32 {
	major, minor, _ := strings.Cut(e.Fields[holdfast.FieldVersionID], ".")
	m, err := strconv.ParseInt(major, 10, 22)
	if err != nil {
		return nil
	}
	n, err := strconv.ParseInt(minor, 10, 10)
	if err != nil && minor != "" {
		return nil
	}
	return new(int32(m*512 + n))
}

func (a *API) oneDriveDocumentSaveDocumentAction(ctx context.Context, r *request) (any, error) {
	p, e, err := a.document(ctx, r)
	if err != nil {
		return nil, err
	}
	return a.saveDocument(r, p, e)
}

func (a *API) oneDriveDocumentSaveDocumentActionByVersionId(ctx context.Context, r *request) (any, error) {
	p, _, v, err := a.version(ctx, r)
	if err != nil {
		return nil, err
	}
	return a.saveDocument(r, p, v)
}

func (a *API) saveDocument(r *request, p place, e service.Entry) (any, error) {
	var in contract.RESTSaveOneDriveDocumentOptions
	if err := r.decodeOptional(&in); err != nil {
		return nil, err
	}
	return a.save(r, p, []string{e.ID}, value(in.AsZip), e.Name)
}

func (a *API) oneDriveDocumentSaveDocumentsAction(ctx context.Context, r *request) (any, error) {
	p, items, err := a.selectedDocuments(ctx, r)
	if err != nil {
		return nil, err
	}
	return a.save(r, p, items, true, fmt.Sprintf("OneDrive of %s, %d documents", p.container.Container.Name, len(items)))
}

func (a *API) oneDriveDocumentRestoreDocumentAction(ctx context.Context, r *request) (any, error) {
	p, e, err := a.document(ctx, r)
	if err != nil {
		return nil, err
	}
	return a.restoreFiles(ctx, r, p, []string{e.ID})
}

// oneDriveDocumentRestoreDocumentActionByVersionId puts the document back as that version was.
func (a *API) oneDriveDocumentRestoreDocumentActionByVersionId(ctx context.Context, r *request) (any, error) {
	p, _, v, err := a.version(ctx, r)
	if err != nil {
		return nil, err
	}
	return a.restoreFiles(ctx, r, p, []string{v.ID})
}

func (a *API) oneDriveDocumentRestoreDocumentsAction(ctx context.Context, r *request) (any, error) {
	p, items, err := a.selectedDocuments(ctx, r)
	if err != nil {
		return nil, err
	}
	return a.restoreFiles(ctx, r, p, items)
}

// oneDriveDocumentOperatorRestore is a restore as the portal asks for it: to where the documents were, by the organization's own application.
func (a *API) oneDriveDocumentOperatorRestore(ctx context.Context, r *request) (any, error) {
	p, err := a.oneDrive(ctx, r)
	if err != nil {
		return nil, err
	}
	var in struct {
		Action    string `json:"documentAction"`
		Documents []struct {
			Document withID `json:"document"`
			Version  string `json:"documentVersion,omitzero"`
		} `json:"documentsRestoreConfigs"`
		Reason string `json:"reason,omitzero"`
	}
	if err := r.decode(&in); err != nil {
		return nil, err
	}
	ids, all := []string{}, 0
	for _, d := range in.Documents {
		switch {
		case strings.EqualFold(d.Version, "All"):
			all++
		case d.Version != "" && !strings.EqualFold(d.Version, "Last"):
			return nil, holdfast.Invalid("documentVersion must be All or Last, not %q", d.Version)
		}
		ids = append(ids, d.Document.ID)
	}
	action := ""
	for _, known := range []string{"Overwrite", "Keep"} {
		if strings.EqualFold(in.Action, known) {
			action = known
		}
	}
	switch {
	case action == "":
		return nil, holdfast.Invalid("documentAction must be Overwrite or Keep, not %q", in.Action)
	case all > 0 && all < len(ids):
		return nil, holdfast.Invalid("documentVersion differs between the documents: restore those with All and those with Last apart")
	}
	items, err := a.driveItems(ctx, r, p, "documentsRestoreConfigs", ids, holdfast.KindFile)
	if err != nil {
		return nil, err
	}
	spec := originalSpec(items, action)
	spec.AllVersions, spec.Reason = all > 0, in.Reason
	return a.restore(ctx, r, p, spec, login{})
}

func (a *API) oneDriveDocumentCopyToDocumentAction(ctx context.Context, r *request) (any, error) {
	p, e, err := a.document(ctx, r)
	if err != nil {
		return nil, err
	}
	return a.copyFiles(ctx, r, p, []string{e.ID})
}

func (a *API) oneDriveDocumentCopyToDocumentActionByVersionId(ctx context.Context, r *request) (any, error) {
	p, _, v, err := a.version(ctx, r)
	if err != nil {
		return nil, err
	}
	if err := r.keepBody(); err != nil {
		return nil, err
	}
	var in contract.RESTCopyToFolder
	if err := r.decode(&in); err != nil {
		return nil, err
	}
	if value(in.DocumentVersion) == contract.RESTCopyToFolderDocumentVersionAll {
		return nil, holdfast.Invalid("documentVersion All does not go with one version: copy the document instead, or leave documentVersion out")
	}
	return a.copyFiles(ctx, r, p, []string{v.ID})
}

func (a *API) oneDriveDocumentCopyToDocumentsAction(ctx context.Context, r *request) (any, error) {
	p, items, err := a.selectedDocuments(ctx, r)
	if err != nil {
		return nil, err
	}
	return a.copyFiles(ctx, r, p, items)
}

// selectedDocuments is selectedFolders for documents.
func (a *API) selectedDocuments(ctx context.Context, r *request) (place, []string, error) {
	p, err := a.oneDrive(ctx, r)
	if err != nil {
		return p, nil, err
	}
	if err := r.keepBody(); err != nil {
		return p, nil, err
	}
	var in struct {
		Documents []withID `json:"documents,omitzero"`
	}
	if err := r.decode(&in); err != nil {
		return p, nil, err
	}
	items, err := a.driveItems(ctx, r, p, "documents", idsOf(in.Documents), holdfast.KindFile)
	return p, items, err
}

// documentToContract encodes a version of document e; v is e for the newest.
func documentToContract(l links, p place, e, v service.Entry) contract.RESTOneDriveDocument {
	out := contract.RESTOneDriveDocument{
		OneDriveID:       &p.id,
		ID:               itemUID(e.ID),
		Name:             e.Name,
		CreatedBy:        e.Fields[holdfast.FieldAuthor],
		CreationTime:     createdOf(e),
		ModifiedBy:       v.Fields[holdfast.FieldAuthor],
		ModificationTime: v.Time.UTC(),
		SizeBytes:        v.Size,
		IsFolder:         new(false),
		Version:          optional(v.Fields[holdfast.FieldVersionID]),
		VersionID:        versionNumber(v),
		Links:            driveItemLinks(l, p, e),
	}
	if n := out.VersionID; n != nil {
		out.Links["version"] = l.to(oneDrivePath+"/Documents/{documentId}/Versions/{versionId}", string(p.session), p.id, out.ID, strconv.Itoa(int(*n)))
	}
	return out
}

// oneDriveDocumentSendDocumentsAction sends each document as a file of its own.
func (a *API) oneDriveDocumentSendDocumentsAction(ctx context.Context, r *request) (any, error) {
	p, items, err := a.selectedDocuments(ctx, r)
	if err != nil {
		return nil, err
	}
	return a.sendSelection(ctx, r, selection{place: p, items: items})
}

func (a *API) oneDriveDocumentSendDocumentAction(ctx context.Context, r *request) (any, error) {
	return a.send(ctx, r, (*API).oneDriveDocumentSaveDocumentAction)
}

func (a *API) oneDriveDocumentSendDocumentActionByVersionId(ctx context.Context, r *request) (any, error) {
	return a.send(ctx, r, (*API).oneDriveDocumentSaveDocumentActionByVersionId)
}
