package rest

import (
	"context"

	"holdfast/internal/rest/contract"
)

// restorePortalSettingsGet: the Restore Portal is not built, so it is off, and there is nothing else to tell.
func (a *API) restorePortalSettingsGet(context.Context, *request) (any, error) {
	return contract.RESTRestorePortalSettings{IsEnabled: new(false)}, nil
}
