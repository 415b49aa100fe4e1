package rest

import (
	"context"
	"strconv"
	"time"

	"holdfast/internal/holdfast"
	"holdfast/internal/rest/contract"
	"holdfast/internal/service"
)

// Bounds of waiting for events.
const (
	eventsWait     = 30 * time.Second // unless asked otherwise
	eventsWaitMost = time.Minute
	eventsWaiters  = 256 // requests that wait at once
)

// eventsGet answers what changed after a token, or waits until something does. Nobody who waits takes the place of a request that works.
func (a *API) eventsGet(ctx context.Context, r *request) (any, error) {
	w, err := r.window()
	if err != nil {
		return nil, err
	}
	from, ok := r.query("from")
	if !ok {
		return nil, holdfast.Invalid("query from is missing: latest, or the nextChangeToken of an earlier answer")
	}
	wait := eventsWait
	if text, ok := r.query("timeoutSeconds"); ok {
		n, err := strconv.Atoi(text)
		if err != nil || n < 0 {
			return nil, holdfast.Invalid("query timeoutSeconds must be a whole number from 0")
		}
		wait = min(time.Duration(min(n, 3600))*time.Second, eventsWaitMost)
	}
	select {
	case a.waiters <- struct{}{}:
		defer func() { <-a.waiters }()
	default:
		return nil, &holdfast.Error{Kind: holdfast.KindUnavailable, Message: "too many clients wait for events; repeat it in a moment"}
	}
	r.leave()
	changes, next, err := a.services.Events.Since(ctx, r.user, from, w.Limit, wait, a.ending)
	if err != nil {
		return nil, err
	}
	return contract.EventsGetResponse{NextChangeToken: next, Limit: int32(w.Limit), Results: list(changes, changeToContract)}, nil
}

func changeToContract(c service.Change) contract.RESTEvent {
	e := contract.RESTEvent{EventType: contract.RESTEventType(c.Type), ID: &c.ID}
	switch c.Type {
	case service.JobUpdated, service.JobDeleted, service.JobSessionUpdated, service.JobSessionDeleted:
		e.JobType = new(contract.RESTEventJobTypeBackup)
	case service.JobSelectedChanged, service.JobExcludedChanged:
		return contract.RESTEvent{EventType: e.EventType, JobID: &c.ID}
	case service.RestorePointObjectsChanged:
		e.ObjectsEtag = &c.Number
		return e
	}
	if !c.Type.Gone() {
		e.ETag = &c.Number
	}
	if c.Type == service.JobSessionUpdated {
		e.JobID = new(string(c.Job))
		switch c.Status {
		case holdfast.StatusStopped, holdfast.StatusSuccess, holdfast.StatusFailed, holdfast.StatusWarning:
			e.Status = new(contract.RESTJobSessionUpdateEventStatus(c.Status))
		default: // what waits is running, too: events know no other word
			e.Status = new(contract.RESTJobSessionUpdateEventStatusRunning)
		}
	}
	return e
}
