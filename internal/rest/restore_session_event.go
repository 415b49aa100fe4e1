package rest

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"

	"holdfast/internal/holdfast"
	"holdfast/internal/rest/contract"
)

func (a *API) restoreSessionEventGet(ctx context.Context, r *request) (any, error) {
	id, err := r.id("restoreSessionId")
	if err != nil {
		return nil, err
	}
	w, err := r.window()
	if err != nil {
		return nil, err
	}
	events, err := a.services.RestoreSessions.Events(ctx, r.user, holdfast.RestoreSessionID(id), w.page())
	if err != nil {
		return nil, err
	}
	return page(r, w, events, func(e holdfast.RestoreEvent) contract.RESTRestoreSessionEvent {
		return eventToContract(r.links, e)
	}), nil
}

func (a *API) restoreSessionEventGetById(ctx context.Context, r *request) (any, error) {
	id, err := r.id("restoreSessionId")
	if err != nil {
		return nil, err
	}
	event, err := r.id("eventId")
	if err != nil {
		return nil, err
	}
	e, err := a.services.RestoreSessions.Event(ctx, r.user, holdfast.RestoreSessionID(id), event)
	if err != nil {
		return nil, err
	}
	return eventToContract(r.links, e), nil
}

func eventToContract(l links, e holdfast.RestoreEvent) contract.RESTRestoreSessionEvent {
	id, _ := uuid.Parse(e.ID) // ours are UUIDs
	out := contract.RESTRestoreSessionEvent{
		ID:                     id,
		Type:                   new(contract.RESTRestoreSessionEventType(e.Type)),
		Status:                 contract.RESTRestoreSessionEventStatus(e.Status),
		ItemName:               optional(e.ItemName),
		ItemType:               optional(e.ItemType),
		Source:                 optional(e.Source),
		Target:                 optional(e.Target),
		Title:                  optional(e.Title),
		Message:                e.Message,
		Outcome:                optional(e.Outcome),
		OutcomeReason:          optional(string(e.Skip)),
		OutcomeDetail:          optional(e.Detail),
		NotEqual:               e.Lost,
		Order:                  int32(e.Number),
		StartTime:              e.Started.UTC(),
		EndTime:                stamp(e.Ended),
		OrganizationID:         uid(e.Organization),
		BackedUpOrganizationID: optional(string(e.Organization)),
		UserID:                 optional(e.User),
		Links: contract.RESTLinkHALDictionary{
			"self":           l.to(sessionPath+"/Events/{eventId}", string(e.Session), e.ID),
			"restoreSession": l.to(sessionPath, string(e.Session)),
		},
	}
	if e.ItemSize > 0 {
		out.ItemSizeBytes = &e.ItemSize
	}
	if n := e.Counts; n != nil {
		out.RestoredItems, out.ExistingItems, out.SkippedItems, out.FailedItems = new(int64(n.Restored)), new(int64(n.Existing)), new(int64(n.Skipped)), new(int64(n.Failed))
	}
	if !e.Ended.IsZero() {
		out.Duration = new(clockText(e.Ended.Sub(e.Started)))
	}
	return out
}

// clockText is a duration as HH:MM:SS.
func clockText(d time.Duration) string {
	s := int64(max(d, 0).Round(time.Second) / time.Second)
	return fmt.Sprintf("%02d:%02d:%02d", s/3600, s/60%60, s%60)
}
