package rest

import (
	"context"

	"holdfast/internal/holdfast"
	"holdfast/internal/rest/contract"
)

func (a *API) backupOrganizationGetByRestoreSessionId(ctx context.Context, r *request) (any, error) {
	s, err := a.restoreSession(ctx, r)
	if err != nil {
		return nil, err
	}
	if s.Organization == "" {
		return nil, holdfast.NotFound("restore session %s is over several organizations, not one", s.ID)
	}
	o, err := a.services.Organizations.Get(ctx, r.user, s.Organization)
	if err != nil {
		return nil, err
	}
	out := contract.RESTBackupOrganization{
		ID:    uid(o.ID),
		Name:  &o.Name,
		Type:  new(contract.RestOrganizationTypeOffice365),
		Links: contract.RESTLinkHALDictionary{"self": r.links.to(sessionPath+"/organization", string(s.ID)), "restoreSession": r.links.to(sessionPath, string(s.ID))},
	}
	if s.Type == holdfast.ExploreExchange {
		out.Links["mailboxes"] = r.links.to(mailboxesPath, string(s.ID))
	} else {
		out.Links["onedrives"] = r.links.to(oneDrivesPath, string(s.ID))
	}
	return out, nil
}

// backupOrganizationRestoreSessionsSearchExchange searches all mailboxes that the session sees.
func (a *API) backupOrganizationRestoreSessionsSearchExchange(ctx context.Context, r *request) (any, error) {
	return a.searchMailboxes(ctx, r)
}

// backupOrganizationRestoreSessionsSearchTeams searches all teams that the session sees.
func (a *API) backupOrganizationRestoreSessionsSearchTeams(ctx context.Context, r *request) (any, error) {
	teams, err := a.places(ctx, r, holdfast.Team, holdfast.Page{})
	if err != nil {
		return nil, err
	}
	var all []channel
	for _, p := range teams {
		channels, err := a.channels(ctx, r, p)
		if err != nil {
			return nil, err
		}
		all = append(all, channels...)
	}
	return a.searchEntities(ctx, r, all)
}
