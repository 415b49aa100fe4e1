package rest

import (
	"context"
	"strings"

	"github.com/google/uuid"

	"holdfast/internal/holdfast"
	"holdfast/internal/rest/contract"
)

func (a *API) restoreSessionGetPage(ctx context.Context, r *request) (any, error) {
	w, err := r.window()
	if err != nil {
		return nil, err
	}
	var f holdfast.RestoreSessionFilter
	if f.StartFrom, err = r.queryTime("startTimeFrom"); err != nil {
		return nil, err
	}
	if f.StartUntil, err = r.queryTime("startTimeTo"); err != nil {
		return nil, err
	}
	if f.EndFrom, err = r.queryTime("endTimeFrom"); err != nil {
		return nil, err
	}
	if f.EndUntil, err = r.queryTime("endTimeTo"); err != nil {
		return nil, err
	}
	if f.OldestFirst, err = r.queryBool("orderAsc", false); err != nil {
		return nil, err
	}
	by, err := r.queryOneOf("orderBy", "CreationTime", "EndTime")
	if err != nil {
		return nil, err
	}
	f.ByEndTime = by == "EndTime"
	sessions, err := a.services.RestoreSessions.List(ctx, r.user, f, w.page())
	if err != nil {
		return nil, err
	}
	out := make([]contract.RESTRestoreSession, 0, len(sessions))
	names := map[holdfast.OrganizationID]string{}
	for _, s := range sessions {
		one, err := a.restoreSessionNamed(ctx, r, s, names)
		if err != nil {
			return nil, err
		}
		out = append(out, one)
	}
	return page(r, w, out, func(s contract.RESTRestoreSession) contract.RESTRestoreSession { return s }), nil
}

func (a *API) restoreSessionGetByRestoreSessionId(ctx context.Context, r *request) (any, error) {
	s, err := a.restoreSession(ctx, r)
	if err != nil {
		return nil, err
	}
	return a.restoreSessionToContract(ctx, r, s)
}

// restoreSession is the one that the path names.
func (a *API) restoreSession(ctx context.Context, r *request) (holdfast.RestoreSession, error) {
	id, err := r.id("restoreSessionId")
	if err != nil {
		return holdfast.RestoreSession{}, err
	}
	return a.services.RestoreSessions.Get(ctx, r.user, holdfast.RestoreSessionID(id))
}

func (a *API) restoreSessionStopAction(ctx context.Context, r *request) (any, error) {
	id, err := r.id("restoreSessionId")
	if err != nil {
		return nil, err
	}
	return nil, a.services.RestoreSessions.Stop(ctx, r.user, holdfast.RestoreSessionID(id))
}

// restoredType is what the contract calls an item with this id that a session of this type restored.
func restoredType(explorer holdfast.ExplorerType, item string) contract.RESTRestoreItemType {
	switch explorer {
	case holdfast.ExploreOneDrive:
		return contract.RESTRestoreItemTypeOneDriveItem
	case holdfast.ExploreSites:
		return contract.RESTRestoreItemTypeSharePointItem
	case holdfast.ExploreTeams:
		switch kind, _, _ := strings.Cut(item, "."); kind {
		case "team":
			return contract.RESTRestoreItemTypeTeamsTeam
		case "channel":
			return contract.RESTRestoreItemTypeTeamsChannel
		case "post":
			return contract.RESTRestoreItemTypeTeamsPost
		case "tab":
			return contract.RESTRestoreItemTypeTeamsTab
		}
		return contract.RESTRestoreItemTypeTeamsFile
	}
	return contract.RESTRestoreItemTypeExchangeMailbox
}

func (a *API) restoreSessionGetRestoreStatistics(ctx context.Context, r *request) (any, error) {
	s, err := a.restoreSession(ctx, r)
	if err != nil {
		return nil, err
	}
	stats, err := a.services.RestoreSessions.Statistics(ctx, r.user, s.ID)
	if err != nil {
		return nil, err
	}
	return contract.RESTRestoreSessionStatistics{
		TotalItemsCount:    stats.Total,
		RestoredItemsCount: stats.Restored,
		FailedItemsCount:   stats.Failed,
		SkippedItemsCount:  stats.Skipped,
		Warnings:           stats.Warnings,
		Errors:             stats.Errors,
		Items: list(stats.Items, func(e holdfast.RestoreEvent) contract.RESTItemRestoreDetailsComposed {
			out := contract.RESTItemRestoreDetailsComposed{
				ItemRestoreDetailsType: contract.RESTItemRestoreDetailsTypeItem,
				ID:                     new(itemUID(e.Item)),
				Name:                   &e.ItemName,
				Title:                  optional(e.Title),
				ItemType:               new(restoredType(s.Type, e.Item)),
				Path:                   optional(e.Source),
			}
			switch e.Status {
			case "Success", "Running":
				out.Status = new(contract.RESTRestoreStatusSuccess)
			case "Skipped", "Cancelled":
				out.Status = new(contract.RESTRestoreStatusSkipped)
				out.Warnings = []string{e.Message}
			case "Warning":
				out.Status = new(contract.RESTRestoreStatusWarning)
				out.Warnings = []string{e.Message}
			default:
				out.Status = new(contract.RESTRestoreStatusFailed)
				out.Error = optional(e.Message)
			}
			return out
		}),
	}, nil
}

func (a *API) restoreSessionToContract(ctx context.Context, r *request, s holdfast.RestoreSession) (contract.RESTRestoreSession, error) {
	return a.restoreSessionNamed(ctx, r, s, map[holdfast.OrganizationID]string{})
}

// restoreSessionNamed keeps the organizations' names that it looks up in names.
func (a *API) restoreSessionNamed(ctx context.Context, r *request, s holdfast.RestoreSession, names map[holdfast.OrganizationID]string) (contract.RESTRestoreSession, error) {
	id, err := uuid.Parse(string(s.ID))
	if err != nil {
		return contract.RESTRestoreSession{}, err
	}
	state := contract.RESTRestoreSessionStateWorking
	if s.Stopped {
		state = contract.RESTRestoreSessionStateStopped
	}
	details := s.Details
	at := s.PointInTime
	out := contract.RESTRestoreSession{
		ID:           id,
		Name:         &s.Name,
		Type:         contract.RESTRestoreSessionType(s.Type),
		CreationTime: s.Created.UTC(),
		EndTime:      stamp(s.Ended),
		State:        state,
		Result:       contract.RESTRestoreSessionResult(s.Result),
		InitiatedBy:  optional(s.InitiatedBy),
		ClientHost:   optional(s.ClientHost),
		Reason:       optional(s.Reason),
		Details:      optional(details),
		Links: contract.RESTLinkHALDictionary{
			"self":         r.links.to(sessionPath, string(s.ID)),
			"events":       r.links.to(sessionPath+"/Events", string(s.ID)),
			"statistics":   r.links.to(sessionPath+"/Statistics", string(s.ID)),
			"organization": r.links.to(sessionPath+"/organization", string(s.ID)),
		},
	}
	if !at.IsZero() {
		out.ScopeName = new("state of " + at.UTC().Format("2006-01-02T15:04:05Z"))
	}
	switch s.Type {
	case holdfast.ExploreExchange:
		out.Links["mailboxes"] = r.links.to(mailboxesPath, string(s.ID))
	case holdfast.ExploreOneDrive:
		out.Links["onedrives"] = r.links.to(oneDrivesPath, string(s.ID))
	case holdfast.ExploreSites:
		out.Links["sites"] = r.links.to(sitesPath, string(s.ID))
	case holdfast.ExploreTeams:
		out.Links["teams"] = r.links.to(teamsPath, string(s.ID))
	}
	name, known := names[s.Organization]
	if !known && s.Organization != "" {
		o, err := a.services.Organizations.Get(ctx, r.user, s.Organization)
		if err != nil && holdfast.KindOf(err) != holdfast.KindNotFound { // it may have been removed since
			return out, err
		}
		name = o.Name
		names[s.Organization] = name
	}
	out.Organization = optional(name)
	return out, nil
}

// restoreSessionExploreAction opens the caller's own objects.
func (a *API) restoreSessionExploreAction(ctx context.Context, r *request) (any, error) {
	var in contract.RESTExploreOptions
	if err := r.decodeOptional(&in); err != nil {
		return nil, err
	}
	u, _, err := a.services.Users.Self(ctx, r.user)
	if err != nil {
		return nil, err
	} else if u.Local() {
		return nil, holdfast.Conflict("%s is a user of Holdfast and has no mailbox or OneDrive: explore an organization, or as an operator POST /%s/Organization/OperatorExplore", u.Name, served)
	}
	return a.explore(ctx, r, exploration{Organization: u.Organization, Owner: u.ObjectID, at: in.DateTime, kind: string(value(in.Type)), showDeleted: in.ShowDeleted, allVersions: in.ShowAllVersions})
}

// restoreSessionOperatorExploreAction opens the objects of a user, or a site or a team, which a restore role of the caller manages.
func (a *API) restoreSessionOperatorExploreAction(ctx context.Context, r *request) (any, error) {
	var in contract.RESTOperatorExploreOptions
	if err := r.decode(&in); err != nil {
		return nil, err
	}
	if in.Scope == nil {
		return nil, holdfast.Invalid("scope is missing: it names a user, a site or a team of GET /%s/Organization/LoggedInUser/EffectiveScope", served)
	}
	id := value(in.Scope.ID)
	if id == "" && in.Scope.User != nil {
		id = in.Scope.User.ID
	}
	organization, owner, err := a.scopeItem(ctx, r, id)
	if err != nil {
		return nil, err
	}
	e := exploration{Organization: organization, Owner: owner, at: in.DateTime, kind: string(value(in.Type)), showDeleted: in.ShowDeleted, allVersions: in.ShowAllVersions, reason: value(in.Reason)}
	if in.RepositoryID != nil {
		e.Repository = holdfast.RepositoryID(in.RepositoryID.String())
	}
	return a.explore(ctx, r, e)
}
