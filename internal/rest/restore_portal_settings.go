package rest

import (
	"context"

	"github.com/google/uuid"

	"holdfast/internal/rest/contract"
	"holdfast/internal/service"
)

func (a *API) restorePortalSettingsGet(ctx context.Context, r *request) (any, error) {
	s, err := a.services.Portal.Get(ctx)
	if err != nil {
		return nil, err
	}
	if !s.Enabled { // nobody who has not signed in learns more
		return contract.RESTRestorePortalSettings{IsEnabled: &s.Enabled}, nil
	}
	out := contract.RESTRestorePortalSettings{IsEnabled: &s.Enabled, MsalAuthorityURI: optional(s.Authority), RestorePortalURI: optional(s.URL)}
	if id, err := uuid.Parse(s.ApplicationID); err == nil {
		out.ApplicationID = &id
	}
	return out, nil
}

// portalSettingsPut sets what restorePortalSettingsGet answers: the contract reads it only.
func (a *API) portalSettingsPut(ctx context.Context, r *request) (any, error) {
	var in contract.RESTRestorePortalSettings
	if err := r.decode(&in); err != nil {
		return nil, err
	}
	return nil, a.services.Portal.Put(ctx, r.user, service.PortalSettings{Enabled: value(in.IsEnabled), ApplicationID: uuidText(in.ApplicationID), Authority: value(in.MsalAuthorityURI), URL: value(in.RestorePortalURI)})
}
