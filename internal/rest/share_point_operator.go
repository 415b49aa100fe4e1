package rest

import (
	"context"
	"strings"

	"holdfast/internal/holdfast"
	"holdfast/internal/service"
)

// operatorRestoreSite restores documents or items of a site to where they were, as an operator of the Restore Portal asks for it. The body lists them
// under field, each with which of its versions, the same for all.
func (a *API) operatorRestoreSite(ctx context.Context, r *request, field string, is func(service.Entry) bool) (any, error) {
	p, err := a.site(ctx, r)
	if err != nil {
		return nil, err
	}
	type config struct {
		Document withID `json:"document,omitzero"`
		Item     withID `json:"item,omitzero"`
		Version  string `json:"documentVersion,omitzero"`
	}
	var in struct {
		Documents   []config `json:"documentsRestoreConfigs,omitzero"`
		Items       []config `json:"itemsRestoreConfigs,omitzero"`
		List        *string  `json:"list,omitzero"`
		Permissions *bool    `json:"restorePermissions,omitzero"`
		Notify      *bool    `json:"sendSharedLinksNotification,omitzero"`
		Version     *string  `json:"documentVersion,omitzero"`
		LastVersion *string  `json:"documentLastVersionAction,omitzero"`
		Changed     *bool    `json:"restoreChangedItems,omitzero"`
		Deleted     *bool    `json:"restoreDeletedItems,omitzero"`
		Reason      string   `json:"reason,omitzero"`
	}
	if err := r.decode(&in); err != nil {
		return nil, err
	}
	listed, ids := in.Documents, []withID{}
	if field == "itemsRestoreConfigs" {
		listed = in.Items
	}
	version := value(in.Version)
	for _, c := range listed {
		id := c.Document
		if field == "itemsRestoreConfigs" {
			id = c.Item
		}
		ids = append(ids, id)
		if c.Version == "" {
			continue
		}
		if version != "" && !strings.EqualFold(version, c.Version) {
			return nil, holdfast.Invalid("documentVersion differs between what %s lists: restore what is to have all its versions and what is to have the last apart", field)
		}
		version = c.Version
	}
	if version != "" && !strings.EqualFold(version, "All") && !strings.EqualFold(version, "Last") {
		return nil, holdfast.Invalid("documentVersion must be All or Last, not %q", version)
	}
	found, err := a.siteIDs(ctx, r, p, field, ids, is)
	if err != nil {
		return nil, err
	}
	restore := siteRestore{List: in.List, Permissions: in.Permissions, Notify: in.Notify, Version: optional(version), LastVersion: in.LastVersion, Changed: in.Changed, Deleted: in.Deleted, Reason: in.Reason}
	return a.restoreSite(ctx, r, p, restore, false, found...)
}
