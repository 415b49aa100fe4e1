package rest

import (
	"context"

	"holdfast/internal/holdfast"
	"holdfast/internal/rest/contract"
)

// exclusionSettingsGet answers which folders of mailboxes no job backs up. Held items are in folders that are never read, so those are always left out.
func (a *API) exclusionSettingsGet(ctx context.Context, r *request) (any, error) {
	e, err := a.services.Exclusions.Folders(ctx, r.user)
	if err != nil {
		return nil, err
	}
	return contract.RESTExclusionSettingsToClient{DeletedItems: &e.DeletedItems, Drafts: &e.Drafts, JunkEmail: &e.JunkEmail, Outbox: &e.Outbox, SyncIssues: &e.SyncIssues,
		LitigationHold: new(true), InPlaceHold: new(true), Links: contract.RESTLinkHALDictionary{"self": r.links.to("/ExclusionSettings")}}, nil
}

// exclusionSettingsUpdate changes what the body names.
func (a *API) exclusionSettingsUpdate(ctx context.Context, r *request) (any, error) {
	var in contract.RESTExclusionSettings
	if err := r.decode(&in); err != nil {
		return nil, err
	}
	for name, hold := range map[string]*bool{"litigationHold": in.LitigationHold, "inPlaceHold": in.InPlaceHold} {
		if hold != nil && !*hold {
			return nil, holdfast.Invalid("%s can't be false: Microsoft Graph gives no access to the folders of held items, so they are never backed up; leave it out or set it to true", name)
		}
	}
	return nil, a.services.Exclusions.ChangeFolders(ctx, r.user, func(e *holdfast.FolderExclusions) error {
		for _, f := range []struct {
			to   *bool
			from *bool
		}{{&e.DeletedItems, in.DeletedItems}, {&e.Drafts, in.Drafts}, {&e.JunkEmail, in.JunkEmail}, {&e.Outbox, in.Outbox}, {&e.SyncIssues, in.SyncIssues}} {
			if f.from != nil {
				*f.to = *f.from
			}
		}
		return nil
	})
}
