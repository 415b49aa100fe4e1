package rest

import (
	"context"
	"encoding/base32"
	"strings"
	"time"

	"github.com/google/uuid"

	"holdfast/internal/holdfast"
	"holdfast/internal/rest/contract"
	"holdfast/internal/service"
)

func (a *API) oneDrive(ctx context.Context, r *request) (place, error) {
	return a.place(ctx, r, holdfast.Drive, "oneDriveId")
}

func (a *API) oneDriveGet(ctx context.Context, r *request) (any, error) {
	w, err := r.window()
	if err != nil {
		return nil, err
	}
	all, err := a.places(ctx, r, holdfast.Drive, w.page())
	if err != nil {
		return nil, err
	}
	return page(r, w, all, func(p place) contract.RESTOneDrive { return oneDriveToContract(r.links, p) }), nil
}

func (a *API) oneDriveGetById(ctx context.Context, r *request) (any, error) {
	p, err := a.oneDrive(ctx, r)
	if err != nil {
		return nil, err
	}
	return oneDriveToContract(r.links, p), nil
}

func oneDriveToContract(l links, p place) contract.RESTOneDrive {
	session := string(p.session)
	return contract.RESTOneDrive{
		ID:   &p.id,
		Name: &p.container.Container.Name,
		Links: contract.RESTLinkHALDictionary{
			"self":      l.to(oneDrivePath, session, p.id),
			"folders":   l.to(oneDrivePath+"/Folders", session, p.id),
			"documents": l.to(oneDrivePath+"/Documents", session, p.id),
		},
	}
}

func (a *API) oneDriveSaveOneDriveAction(ctx context.Context, r *request) (any, error) {
	p, err := a.oneDrive(ctx, r)
	if err != nil {
		return nil, err
	}
	return a.save(r, p, nil, true, "OneDrive of "+p.container.Container.Name)
}

func (a *API) oneDriveRestoreOneDriveAction(ctx context.Context, r *request) (any, error) {
	p, err := a.oneDrive(ctx, r)
	if err != nil {
		return nil, err
	}
	return a.restoreFiles(ctx, r, p, nil)
}

func (a *API) oneDriveCopyToOneDriveAction(ctx context.Context, r *request) (any, error) {
	p, err := a.oneDrive(ctx, r)
	if err != nil {
		return nil, err
	}
	return a.copyFiles(ctx, r, p, nil)
}

// oneDriveRestoreOneDrivesAction restores several OneDrives to where they were.
func (a *API) oneDriveRestoreOneDrivesAction(ctx context.Context, r *request) (any, error) {
	var in contract.RESTBulkRestoreConfig
	if err := r.decode(&in); err != nil {
		return nil, err
	}
	var which []string
	for _, d := range in.OneDrives {
		which = append(which, value(d.ID))
	}
	spec := originalSpec(nil, string(value(in.DocumentAction)))
	return a.restoreAll(ctx, r, holdfast.Drive, which, value(in.SkipUnresolved), spec, login{UserName: either(in.OfficeUsername, in.OnpremisesUsername),
		Password: either(in.OfficeUserpassword, in.OnpremisesUserpassword), UserCode: in.UserCode, Application: in.ApplicationID, Certificate: in.ApplicationCertificate, Secret: in.ApplicationCertificatePassword})
}

func (a *API) oneDriveSearchOneDriveByOptions(ctx context.Context, r *request) (any, error) {
	p, err := a.oneDrive(ctx, r)
	if err != nil {
		return nil, err
	}
	return a.searchFiles(ctx, r, []place{p}, "")
}

func (a *API) oneDriveSearchOneDrivesByOptions(ctx context.Context, r *request) (any, error) {
	all, err := a.places(ctx, r, holdfast.Drive, holdfast.Page{})
	if err != nil {
		return nil, err
	}
	return a.searchFiles(ctx, r, all, "")
}

// searchFiles finds documents, folders or both in places, below a folder or everywhere.
func (a *API) searchFiles(ctx context.Context, r *request, places []place, below string) (any, error) {
	w, err := r.window()
	if err != nil {
		return nil, err
	}
	kind, err := r.queryOneOf("itemType", "All", "Folders", "Documents")
	if err != nil {
		return nil, err
	}
	var in contract.RESTVESPSearchOptions
	if err := r.decodeOptional(&in); err != nil {
		return nil, err
	}
	kinds := []holdfast.ItemKind{holdfast.KindFile, holdfast.KindFolder}
	switch kind {
	case "Folders":
		kinds = folderKinds
	case "Documents":
		kinds = fileKinds
	}
	q := service.ItemQuery{Parent: below, Kinds: kinds, Search: searchText(value(in.Query)), Sort: "name", Offset: w.Offset, Limit: w.Limit}
	out := []contract.RESTItemComposed{}
	if err := a.search(ctx, r, places, q, func(p place, e service.Entry) { out = append(out, driveItemToContract(r.links, p, e)) }); err != nil {
		return nil, err
	}
	return page(r, w, out, func(i contract.RESTItemComposed) contract.RESTItemComposed { return i }).inSet(r), nil
}

// A drive item's id, as Microsoft gives it, is "01" and 20 bytes in base32: 4 that its whole drive shares, and the item's
// unique id. The contract has that unique id, a UUID, so both ways need no table. An id of another form goes out as it is.

var driveIDs = base32.StdEncoding.WithPadding(base32.NoPadding)

func driveIDBytes(id string) ([]byte, bool) {
	rest, ok := strings.CutPrefix(id, "01")
	if !ok {
		return nil, false
	}
	b, err := driveIDs.DecodeString(rest)
	return b, err == nil && len(b) == 20
}

// itemUID is how a drive item's id goes out.
func itemUID(id string) string {
	b, ok := driveIDBytes(id)
	if !ok {
		return id
	}
	return uuid.UUID(b[4:]).String()
}

// itemID is the id in the backup of what a client names, which for a drive item is a UUID.
func (a *API) itemID(ctx context.Context, r *request, p place, id string) (string, error) {
	u, err := uuid.Parse(id)
	if err != nil || p.container.Container.Kind != holdfast.Drive {
		return id, nil
	}
	root, err := a.root(ctx, r, p)
	if err != nil {
		return "", err
	}
	b, ok := driveIDBytes(root)
	if !ok {
		return id, nil
	}
	return "01" + driveIDs.EncodeToString(append(b[:4:4], u[:]...)), nil
}

// driveItem is the document or folder that the path names.
func (a *API) driveItem(ctx context.Context, r *request, parameter string, kind holdfast.ItemKind) (place, service.Entry, error) {
	p, err := a.oneDrive(ctx, r)
	if err != nil {
		return p, service.Entry{}, err
	}
	e, err := a.driveItemByID(ctx, r, p, r.param(parameter), kind)
	return p, e, err
}

func (a *API) driveItemByID(ctx context.Context, r *request, p place, id string, kind holdfast.ItemKind) (service.Entry, error) {
	item, err := a.itemID(ctx, r, p, id)
	if err != nil {
		return service.Entry{}, err
	}
	e, err := a.services.RestoreSessions.Item(ctx, r.user, p.session, p.id, item)
	if err == nil && e.Kind != kind || holdfast.KindOf(err) == holdfast.KindNotFound {
		return e, holdfast.NotFound("there is no %s %s in %s", kind, id, p.container.Container)
	}
	return e, err
}

// driveItems are the ids of a body's documents or folders, each of which must be there.
func (a *API) driveItems(ctx context.Context, r *request, p place, field string, ids []string, kind holdfast.ItemKind) ([]string, error) {
	if len(ids) == 0 {
		return nil, holdfast.Invalid("%s is missing; it lists what is meant by id", field)
	}
	out := make([]string, 0, len(ids))
	for i, id := range ids {
		if id == "" {
			return nil, holdfast.Invalid("%s[%d].id is missing", field, i)
		}
		e, err := a.driveItemByID(ctx, r, p, id, kind)
		if err != nil {
			return nil, err
		}
		out = append(out, e.ID)
	}
	return out, nil
}

// originalSpec is a restore to where files were, with their sharing. Without a choice what is there stays, and the restored file is put beside it.
func originalSpec(items []string, action string) service.RestoreSpec {
	spec := service.RestoreSpec{Items: items, Mode: modeKeepBoth, ChangedItems: true, MissingItems: true, Permissions: true}
	if action == "Overwrite" {
		spec.Mode, spec.Newer = modeOverwrite, true
	}
	return spec
}

// restoreFiles puts items (none: the whole OneDrive) back to where they were.
func (a *API) restoreFiles(ctx context.Context, r *request, p place, items []string) (any, error) {
	var in contract.RESTRestoreToOriginal
	if err := r.decodeOptional(&in); err != nil {
		return nil, err
	}
	return a.restore(ctx, r, p, originalSpec(items, string(value(in.DocumentAction))), login{UserName: in.UserName, Password: in.UserPassword, UserCode: in.UserCode, Application: in.ApplicationID,
		Certificate: in.ApplicationCertificate, Secret: in.ApplicationCertificatePassword, Tenant: in.OrganizationName, Region: string(value(in.OfficeRegion))})
}

// copyFiles puts items (none: the whole OneDrive) into another OneDrive or folder.
func (a *API) copyFiles(ctx context.Context, r *request, p place, items []string) (any, error) {
	var in contract.RESTCopyToFolder // the widest of the bodies of copyTo
	if err := r.decode(&in); err != nil {
		return nil, err
	}
	if err := refuse(map[string]*bool{"sendSharedLinksNotification": in.SendSharedLinksNotification}); err != nil {
		return nil, err
	}
	spec := service.RestoreSpec{Items: items, Folder: value(in.Folder), Mode: modeKeepBoth, Permissions: value(in.RestorePermissions),
		AllVersions: value(in.DocumentVersion) == contract.RESTCopyToFolderDocumentVersionAll}
	if err := whichItems(&spec, in.ChangedItems, in.DeletedItems); err != nil {
		return nil, err
	}
	// Merge leaves what is there and puts the restored file beside it: two histories of versions can't be made one.
	if value(in.DocumentLastVersionAction) == contract.RESTCopyToFolderDocumentLastVersionActionOverwrite {
		spec.Mode, spec.Newer = modeOverwrite, true
	}
	if in.Onedrive != nil {
		to, err := a.ownerOf(ctx, r, *in.Onedrive)
		if err != nil {
			return nil, err
		}
		spec.To = to
	}
	return a.restore(ctx, r, p, spec, login{UserName: in.UserName, Password: in.UserPassword, UserCode: in.UserCode, Application: in.ApplicationID,
		Certificate: in.ApplicationCertificate, Secret: in.ApplicationCertificatePassword, Tenant: in.OrganizationName, Region: string(value(in.OfficeRegion))})
}

// ownerOf is the user whose OneDrive a body names: by an id of this session, by his address or by his object id.
func (a *API) ownerOf(ctx context.Context, r *request, d contract.RESTOneDrive) (string, error) {
	id := value(d.ID)
	all, err := a.places(ctx, r, holdfast.Drive, holdfast.Page{})
	if err != nil {
		return "", err
	}
	for _, p := range all {
		if id != "" && (strings.EqualFold(p.id, id) || p.container.Container.Source == id) {
			return p.container.Container.Owner, nil
		}
	}
	if name := value(d.Name); strings.Contains(name, "@") {
		return name, nil
	}
	if id == "" {
		return "", holdfast.Invalid("onedrive needs the id of a OneDrive of this restore session, or the address of its owner as its name")
	}
	return id, nil
}

func driveItemToContract(l links, p place, e service.Entry) contract.RESTItemComposed {
	out := contract.RESTItemComposed{
		OneDriveID:       &p.id,
		ID:               itemUID(e.ID),
		Name:             e.Name,
		CreatedBy:        e.Fields[holdfast.FieldAuthor],
		CreationTime:     createdOf(e),
		ModifiedBy:       e.Fields[holdfast.FieldAuthor],
		ModificationTime: e.Time.UTC(),
		IsFolder:         new(e.Kind == holdfast.KindFolder),
		Version:          optional(e.Fields[holdfast.FieldVersionID]),
		VersionID:        versionNumber(e),
		Links:            driveItemLinks(l, p, e),
	}
	if e.Kind != holdfast.KindFolder {
		out.SizeBytes = &e.Size
	}
	return out
}

func createdOf(e service.Entry) time.Time {
	if t, err := time.Parse(time.RFC3339, e.Fields[holdfast.FieldCreated]); err == nil {
		return t.UTC()
	}
	return e.Time.UTC()
}

func driveItemLinks(l links, p place, e service.Entry) map[string]contract.RESTLinkHAL {
	session, id := string(p.session), itemUID(e.ID)
	out := map[string]contract.RESTLinkHAL{"onedrive": l.to(oneDrivePath, session, p.id)}
	if e.Kind == holdfast.KindFolder {
		out["self"] = l.to(oneDrivePath+"/Folders/{folderId}", session, p.id, id)
		out["folders"] = l.with(l.to(oneDrivePath+"/Folders", session, p.id), "parentId", id)
		out["documents"] = l.with(l.to(oneDrivePath+"/Documents", session, p.id), "parentId", id)
	} else {
		out["self"] = l.to(oneDrivePath+"/Documents/{documentId}", session, p.id, id)
		out["versions"] = l.to(oneDrivePath+"/Documents/{documentId}/Versions", session, p.id, id)
	}
	deletedLink(l, out, e)
	if e.Parent != "" && e.Kind != holdfast.KindVersion {
		out["parent"] = l.to(oneDrivePath+"/Folders/{folderId}", session, p.id, itemUID(e.Parent))
	}
	return out
}

func (a *API) oneDriveSendOneDriveAction(ctx context.Context, r *request) (any, error) {
	return a.send(ctx, r, (*API).oneDriveSaveOneDriveAction)
}
