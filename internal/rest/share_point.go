package rest

import (
	"context"
	"fmt"
	"strings"

	"github.com/google/uuid"

	"holdfast/internal/holdfast"
	"holdfast/internal/rest/contract"
	"holdfast/internal/service"
)

// What the operations on sites share. A site's container has one folder at its top, in which lists, libraries and pages are folders; below a library
// are folders and files, in a list items.

// Values of holdfast.FieldSpecial in a site, and the field that has a list's own id.
const (
	specialList    = "list"
	specialLibrary = "library"
	specialPages   = "pages"
)

func (a *API) site(ctx context.Context, r *request) (place, error) {
	return a.place(ctx, r, holdfast.Site, "siteId")
}

// sitePlaces lists the sites that a session sees; with parentId those directly below that one.
func (a *API) sitePlaces(ctx context.Context, r *request, w window) ([]place, error) {
	parent, given := r.query("parentId")
	if !given {
		return a.places(ctx, r, holdfast.Site, w.page())
	}
	all, err := a.places(ctx, r, holdfast.Site, holdfast.Page{})
	if err != nil {
		return nil, err
	}
	above := sitesAbove(list(all, func(p place) service.SessionContainer { return p.container }))
	var kept []place
	for _, p := range all {
		if strings.EqualFold(above(p.container), parent) {
			kept = append(kept, p)
		}
	}
	return cut(w, kept), nil
}

// sitesAbove gives the id of the site that another one lies below, by their addresses and the middle of their ids (host, site collection, web): of the
// nearest one that is among all; nothing of the top of a site collection.
func sitesAbove(all []service.SessionContainer) func(service.SessionContainer) string {
	at := func(c service.SessionContainer, address string) string {
		return c.Container.Source[:max(strings.LastIndexByte(c.Container.Source, ','), 0)] + " " + address
	}
	address := func(c service.SessionContainer) string {
		return strings.ToLower(strings.TrimSuffix(c.Container.Address, "/"))
	}
	ids := map[string]string{}
	for _, c := range all {
		if c.Container.Kind == holdfast.Site {
			ids[at(c, address(c))] = c.Container.PublicID()
		}
	}
	return func(c service.SessionContainer) string {
		if c.Container.Kind != holdfast.Site {
			return ""
		}
		for a := address(c); ; {
			i := strings.LastIndexByte(a, '/')
			if i <= len("https://") {
				return ""
			}
			a = a[:i]
			if id := ids[at(c, a)]; id != "" {
				return id
			}
		}
	}
}

// siteFolders lists the lists, libraries or both of a site.
func (a *API) siteFolders(ctx context.Context, r *request, p place, special ...string) ([]service.Entry, error) {
	root, err := a.root(ctx, r, p)
	if err != nil {
		return nil, err
	}
	found, err := a.services.RestoreSessions.Items(ctx, r.user, p.session, p.id, service.ItemQuery{Parent: root, Kinds: folderKinds, Sort: "name", Limit: maxLimit})
	if err != nil {
		return nil, err
	}
	kept := found.Entries[:0]
	for _, e := range found.Entries {
		for _, s := range special {
			if e.Fields[holdfast.FieldSpecial] == s {
				kept = append(kept, e)
			}
		}
	}
	return kept, nil
}

// siteEntry is what a path parameter names in a site.
func (a *API) siteEntry(ctx context.Context, r *request, parameter string, is func(service.Entry) bool) (place, service.Entry, error) {
	p, err := a.site(ctx, r)
	if err != nil {
		return p, service.Entry{}, err
	}
	e, err := a.siteEntryByID(ctx, r, p, r.param(parameter), is)
	return p, e, err
}

func (a *API) siteEntryByID(ctx context.Context, r *request, p place, id string, is func(service.Entry) bool) (service.Entry, error) {
	e, err := a.services.RestoreSessions.Item(ctx, r.user, p.session, p.id, id)
	if err == nil && !is(e) || holdfast.KindOf(err) == holdfast.KindNotFound {
		return e, holdfast.NotFound("there is no such object %s in %s", id, p.container.Container)
	}
	return e, err
}

func isList(e service.Entry) bool {
	return e.Kind == holdfast.KindFolder && (e.Fields[holdfast.FieldSpecial] == specialList || e.Fields[holdfast.FieldSpecial] == specialPages)
}

func isLibrary(e service.Entry) bool {
	return e.Kind == holdfast.KindFolder && e.Fields[holdfast.FieldSpecial] == specialLibrary
}

func isSiteFolder(e service.Entry) bool {
	return e.Kind == holdfast.KindFolder && e.Fields[holdfast.FieldSpecial] == ""
}

func isDocument(e service.Entry) bool { return e.Kind == holdfast.KindFile }

func isListItem(e service.Entry) bool {
	return e.Kind == holdfast.KindListItem || e.Kind == holdfast.KindPage
}

// inSite lists what is in parentId, of some kinds. Without it everything of the site is listed, wherever it lies.
func (a *API) inSite(ctx context.Context, r *request, kinds ...holdfast.ItemKind) (p place, w window, found service.ItemPage, err error) {
	if w, err = r.window(); err != nil {
		return p, w, found, err
	}
	if p, err = a.site(ctx, r); err != nil {
		return p, w, found, err
	}
	q := service.ItemQuery{Kinds: kinds, Sort: "name", Offset: w.Offset, Limit: w.Limit}
	parent, given := r.query("parentId")
	if q.Parent = parent; !given || strings.EqualFold(parent, "null") {
		q.Parent, q.Search = "", "kind:*"
	}
	if withFolders, err := r.queryBool("includeFolders", false); err != nil {
		return p, w, found, err
	} else if withFolders && given {
		q.Kinds = append(q.Kinds, holdfast.KindFolder)
	}
	found, err = a.services.RestoreSessions.Items(ctx, r.user, p.session, p.id, q)
	return p, w, found, err
}

// siteRestore is what the bodies of restores of sites, lists, libraries, folders, documents and items have in common.
type siteRestore struct {
	List              *string                `json:"list,omitzero"`
	SiteURL           *string                `json:"siteURL,omitzero"`
	ListViews         *bool                  `json:"restoreListViews,omitzero"`
	Changed           *bool                  `json:"changedItems,omitzero"`
	Deleted           *bool                  `json:"deletedItems,omitzero"`
	Permissions       *bool                  `json:"restorePermissions,omitzero"`
	Notify            *bool                  `json:"sendSharedLinksNotification,omitzero"`
	Version           *string                `json:"documentVersion,omitzero"`
	LastVersion       *string                `json:"documentLastVersionAction,omitzero"`
	MasterPages       *bool                  `json:"restoreMasterPages,omitzero"`
	Subsites          *bool                  `json:"restoreSubsites,omitzero"`
	Impersonate       *string                `json:"impersonationAccountName,omitzero"`
	Alias             *string                `json:"alias,omitzero"`
	UserCode          *string                `json:"userCode,omitzero"`
	Application       *uuid.UUID             `json:"applicationId,omitzero"`
	Certificate       *string                `json:"applicationCertificate,omitzero"`
	CertificateSecret *contract.SecureString `json:"applicationCertificatePassword,omitzero"`
	UserName          *string                `json:"userName,omitzero"`
	UserPassword      *contract.SecureString `json:"userPassword,omitzero"`
	Region            *string                `json:"officeRegion,omitzero"`
	Organization      *string                `json:"organizationName,omitzero"`
	Items             []withID               `json:"items,omitzero"`
	Documents         []withID               `json:"documents,omitzero"`
	Folders           []withID               `json:"folders,omitzero"`
	Reason            string                 `json:"reason,omitzero"`
}

// restoreSite restores ids of a site (none: all of it) as the body says. toOther says that the body names the site that it goes to.
func (a *API) restoreSite(ctx context.Context, r *request, p place, in siteRestore, toOther bool, ids ...string) (any, error) {
	if err := refuse(map[string]*bool{"sendSharedLinksNotification": in.Notify, "restoreMasterPages": in.MasterPages, "restoreSubsites": in.Subsites}); err != nil {
		return nil, err
	}
	for name, text := range map[string]*string{"impersonationAccountName": in.Impersonate, "alias": in.Alias} {
		if value(text) != "" {
			return nil, holdfast.Invalid("%s is not built yet; leave it out", name)
		}
	}
	spec := service.RestoreSpec{Items: ids, Mode: modeKeepBoth, Permissions: value(in.Permissions), AllVersions: strings.EqualFold(value(in.Version), "All"), Reason: in.Reason}
	if err := whichItems(&spec, in.Changed, in.Deleted); err != nil {
		return nil, err
	}
	if strings.EqualFold(value(in.LastVersion), "Overwrite") {
		spec.Mode, spec.Newer = modeOverwrite, true
	}
	if to := value(in.SiteURL); to != "" {
		spec.To = to
	} else if toOther {
		return nil, holdfast.Invalid("siteURL is missing; it is the address of the site to restore to")
	}
	if list := value(in.List); list != "" && len(ids) > 0 {
		if err := a.sameList(ctx, r, p, ids, list); err != nil {
			return nil, err
		}
	}
	return a.restore(ctx, r, p, spec, login{UserName: in.UserName, Password: in.UserPassword, UserCode: in.UserCode, Application: in.Application,
		Certificate: in.Certificate, Secret: in.CertificateSecret, Tenant: in.Organization, Region: value(in.Region)})
}

// sameList refuses a restore into a list of another name than that of what is restored.
func (a *API) sameList(ctx context.Context, r *request, p place, ids []string, list string) error {
	for _, id := range ids {
		e, err := a.services.RestoreSessions.Item(ctx, r.user, p.session, p.id, id)
		for err == nil && !isList(e) && !isLibrary(e) && e.Parent != "" {
			e, err = a.services.RestoreSessions.Item(ctx, r.user, p.session, p.id, e.Parent)
		}
		if err != nil {
			return err
		}
		if !strings.EqualFold(e.Name, list) {
			return holdfast.Invalid("restoring into a list of another name is not built yet: what is restored is of %q; leave list out", e.Name)
		}
	}
	return nil
}

// restoreEntry restores what the path names.
func (a *API) restoreEntry(ctx context.Context, r *request, parameter string, toOther bool, is func(service.Entry) bool) (any, error) {
	p, e, err := a.siteEntry(ctx, r, parameter, is)
	if err != nil {
		return nil, err
	}
	var in siteRestore
	if err := r.decodeOptional(&in); err != nil {
		return nil, err
	}
	return a.restoreSite(ctx, r, p, in, toOther, e.ID)
}

// restoreEntries restores what the body lists.
func (a *API) restoreEntries(ctx context.Context, r *request, field string, toOther bool, is func(service.Entry) bool) (any, error) {
	p, err := a.site(ctx, r)
	if err != nil {
		return nil, err
	}
	var in siteRestore
	if err := r.decode(&in); err != nil {
		return nil, err
	}
	ids, err := a.siteIDs(ctx, r, p, field, map[string][]withID{"items": in.Items, "documents": in.Documents, "folders": in.Folders}[field], is)
	if err != nil {
		return nil, err
	}
	return a.restoreSite(ctx, r, p, in, toOther, ids...)
}

// siteIDs checks that what a body lists is there.
func (a *API) siteIDs(ctx context.Context, r *request, p place, field string, in []withID, is func(service.Entry) bool) ([]string, error) {
	if len(in) == 0 {
		return nil, holdfast.Invalid("%s is missing; it lists what is meant by id", field)
	}
	out := make([]string, 0, len(in))
	for i, id := range idsOf(in) {
		if id == "" {
			return nil, holdfast.Invalid("%s[%d].id is missing", field, i)
		}
		e, err := a.siteEntryByID(ctx, r, p, id, is)
		if err != nil {
			return nil, err
		}
		out = append(out, e.ID)
	}
	return out, nil
}

// restoreVersion restores an older version that the path names.
func (a *API) restoreVersion(ctx context.Context, r *request, parameter string, toOther bool, is func(service.Entry) bool) (any, error) {
	p, _, v, err := a.siteVersion(ctx, r, parameter, is)
	if err != nil {
		return nil, err
	}
	var in siteRestore
	if err := r.decodeOptional(&in); err != nil {
		return nil, err
	}
	return a.restoreSite(ctx, r, p, in, toOther, v.ID)
}

// siteVersion is the version that the path names by its number.
func (a *API) siteVersion(ctx context.Context, r *request, parameter string, is func(service.Entry) bool) (p place, e, v service.Entry, err error) {
	if p, e, err = a.siteEntry(ctx, r, parameter, is); err != nil {
		return p, e, v, err
	}
	all, err := a.versions(ctx, r, p, e)
	if err != nil {
		return p, e, v, err
	}
	for _, v := range all {
		if n := versionNumber(v); n != nil && fmt.Sprint(*n) == r.param("versionId") {
			return p, e, v, nil
		}
	}
	return p, e, v, holdfast.NotFound("%q has no version %s", e.Name, r.param("versionId"))
}

// searchSite finds documents, items and folders in sites, below a folder or everywhere.
func (a *API) searchSite(ctx context.Context, r *request, places []place, below string) (any, error) {
	w, err := r.window()
	if err != nil {
		return nil, err
	}
	var in contract.RESTVESPSearchOptions
	if err := r.decodeOptional(&in); err != nil {
		return nil, err
	}
	kind, err := r.queryOneOf("itemType", "All", "Folders", "Documents", "Items")
	if err != nil {
		return nil, err
	}
	kinds := []holdfast.ItemKind{holdfast.KindFile, holdfast.KindListItem, holdfast.KindPage, holdfast.KindFolder}
	switch kind {
	case "Folders":
		kinds = folderKinds
	case "Documents":
		kinds = fileKinds
	case "Items":
		kinds = []holdfast.ItemKind{holdfast.KindListItem, holdfast.KindPage}
	}
	q := service.ItemQuery{Parent: below, Kinds: kinds, Search: searchText(value(in.Query)), Sort: "name", Offset: w.Offset, Limit: w.Limit}
	out := []contract.RESTItemComposed{}
	if err := a.search(ctx, r, places, q, func(p place, e service.Entry) { out = append(out, siteItemToContract(r.links, p, e)) }); err != nil {
		return nil, err
	}
	return page(r, w, out, func(i contract.RESTItemComposed) contract.RESTItemComposed { return i }).inSet(r), nil
}

func siteItemToContract(l links, p place, e service.Entry) contract.RESTItemComposed {
	out := contract.RESTItemComposed{
		SiteID: &p.id, ID: e.ID, Name: e.Name, CreatedBy: e.Fields[holdfast.FieldAuthor], CreationTime: createdOf(e), ModifiedBy: editorOf(e), ModificationTime: e.Time.UTC(),
		IsFolder: new(e.Kind == holdfast.KindFolder), Version: optional(e.Fields[holdfast.FieldVersionID]), VersionID: versionNumber(e), Links: siteLinks(l, p, e),
	}
	if e.Kind == holdfast.KindFile {
		out.SizeBytes = &e.Size
	}
	if e.Kind == holdfast.KindListItem {
		out.Title = &e.Name
	}
	return out
}

// editorOf is who changed an item last.
func editorOf(e service.Entry) string {
	if who := e.Fields["editor"]; who != "" {
		return who
	}
	return e.Fields[holdfast.FieldAuthor]
}

func siteLinks(l links, p place, e service.Entry) map[string]contract.RESTLinkHAL {
	session := string(p.session)
	out := map[string]contract.RESTLinkHAL{"site": l.to(sitePath, session, p.id)}
	switch {
	case isList(e):
		out["self"] = l.to(sitePath+"/Lists/{listId}", session, p.id, e.ID)
		out["items"] = l.with(l.to(sitePath+"/Items", session, p.id), "parentId", e.ID)
	case isLibrary(e):
		out["self"] = l.to(sitePath+"/Libraries/{libraryId}", session, p.id, e.ID)
		out["folders"] = l.with(l.to(sitePath+"/Folders", session, p.id), "parentId", e.ID)
		out["documents"] = l.with(l.to(sitePath+"/Documents", session, p.id), "parentId", e.ID)
	case e.Kind == holdfast.KindFolder:
		out["self"] = l.to(sitePath+"/Folders/{folderId}", session, p.id, e.ID)
		out["folders"] = l.with(l.to(sitePath+"/Folders", session, p.id), "parentId", e.ID)
		out["documents"] = l.with(l.to(sitePath+"/Documents", session, p.id), "parentId", e.ID)
	case e.Kind == holdfast.KindFile:
		out["self"] = l.to(sitePath+"/Documents/{documentId}", session, p.id, e.ID)
		out["versions"] = l.to(sitePath+"/Documents/{documentId}/Versions", session, p.id, e.ID)
	default:
		out["self"] = l.to(sitePath+"/Items/{itemId}", session, p.id, e.ID)
		out["versions"] = l.to(sitePath+"/Items/{itemId}/Versions", session, p.id, e.ID)
		out["attachments"] = l.to(sitePath+"/Items/{itemId}/Attachments", session, p.id, e.ID)
	}
	deletedLink(l, out, e)
	return out
}
