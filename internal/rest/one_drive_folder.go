package rest

import (
	"context"

	"holdfast/internal/holdfast"
	"holdfast/internal/rest/contract"
	"holdfast/internal/service"
)

// oneDriveFolderGet lists the folders directly in parentId, or of the first level.
func (a *API) oneDriveFolderGet(ctx context.Context, r *request) (any, error) {
	w, err := r.window()
	if err != nil {
		return nil, err
	}
	p, err := a.oneDrive(ctx, r)
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
	return page(r, w, folders, func(e service.Entry) contract.RESTOneDriveFolder { return driveFolderToContract(r.links, p, e) }), nil
}

func (a *API) oneDriveFolderGetById(ctx context.Context, r *request) (any, error) {
	p, e, err := a.driveFolder(ctx, r)
	if err != nil {
		return nil, err
	}
	return driveFolderToContract(r.links, p, e), nil
}

// driveFolder is the folder that the path names.
func (a *API) driveFolder(ctx context.Context, r *request) (place, service.Entry, error) {
	return a.driveItem(ctx, r, "folderId", holdfast.KindFolder)
}

func (a *API) oneDriveFolderSaveFolderAction(ctx context.Context, r *request) (any, error) {
	p, e, err := a.driveFolder(ctx, r)
	if err != nil {
		return nil, err
	}
	return a.save(r, p, []string{e.ID}, true, e.Name)
}

func (a *API) oneDriveFolderSaveFoldersAction(ctx context.Context, r *request) (any, error) {
	p, items, err := a.selectedFolders(ctx, r)
	if err != nil {
		return nil, err
	}
	return a.save(r, p, items, true, "OneDrive of "+p.container.Container.Name)
}

func (a *API) oneDriveFolderRestoreFolderAction(ctx context.Context, r *request) (any, error) {
	p, e, err := a.driveFolder(ctx, r)
	if err != nil {
		return nil, err
	}
	return a.restoreFiles(ctx, r, p, []string{e.ID})
}

func (a *API) oneDriveFolderRestoreFoldersAction(ctx context.Context, r *request) (any, error) {
	p, items, err := a.selectedFolders(ctx, r)
	if err != nil {
		return nil, err
	}
	return a.restoreFiles(ctx, r, p, items)
}

func (a *API) oneDriveFolderCopyToFolderAction(ctx context.Context, r *request) (any, error) {
	p, e, err := a.driveFolder(ctx, r)
	if err != nil {
		return nil, err
	}
	return a.copyFiles(ctx, r, p, []string{e.ID})
}

func (a *API) oneDriveFolderCopyToFoldersAction(ctx context.Context, r *request) (any, error) {
	p, items, err := a.selectedFolders(ctx, r)
	if err != nil {
		return nil, err
	}
	return a.copyFiles(ctx, r, p, items)
}

func (a *API) oneDriveFolderSearchOneDriveFolderByOptions(ctx context.Context, r *request) (any, error) {
	p, e, err := a.driveFolder(ctx, r)
	if err != nil {
		return nil, err
	}
	return a.searchFiles(ctx, r, []place{p}, e.ID)
}

// selectedFolders reads the folders of a body; the rest of the same body says what to do with them. Of each folder only the
// id counts, so a client need not send back all that it was given.
func (a *API) selectedFolders(ctx context.Context, r *request) (place, []string, error) {
	p, err := a.oneDrive(ctx, r)
	if err != nil {
		return p, nil, err
	}
	if err := r.keepBody(); err != nil {
		return p, nil, err
	}
	var in struct {
		Folders []withID `json:"folders,omitzero"`
	}
	if err := r.decode(&in); err != nil {
		return p, nil, err
	}
	items, err := a.driveItems(ctx, r, p, "folders", idsOf(in.Folders), holdfast.KindFolder)
	return p, items, err
}

// withID is an object of a body of which only the id matters.
type withID struct {
	ID string `json:"id,omitzero"`
}

func idsOf(all []withID) []string {
	ids := make([]string, len(all))
	for i, o := range all {
		ids[i] = o.ID
	}
	return ids
}

func driveFolderToContract(l links, p place, e service.Entry) contract.RESTOneDriveFolder {
	return contract.RESTOneDriveFolder{
		OneDriveID:       &p.id,
		ID:               itemUID(e.ID),
		Name:             e.Name,
		CreatedBy:        e.Fields[holdfast.FieldAuthor],
		CreationTime:     createdOf(e),
		ModifiedBy:       e.Fields[holdfast.FieldAuthor],
		ModificationTime: e.Time.UTC(),
		IsFolder:         new(true),
		Links:            driveItemLinks(l, p, e),
	}
}

func (a *API) oneDriveFolderSendFoldersAction(ctx context.Context, r *request) (any, error) {
	return a.send(ctx, r, (*API).oneDriveFolderSaveFoldersAction)
}

func (a *API) oneDriveFolderSendFolderAction(ctx context.Context, r *request) (any, error) {
	return a.send(ctx, r, (*API).oneDriveFolderSaveFolderAction)
}
