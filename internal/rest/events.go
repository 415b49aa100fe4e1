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

// What versions before 8 have of the feed: the objects that changed, of one kind.

type changesShape[T any] struct {
	Next    string `json:"nextChangeToken"`
	Limit   int    `json:"limit"`
	Results []T    `json:"results"`
}

// changesOf answers the objects of some types of changes after a token, as one gives each; none when the object is gone meanwhile.
func changesOf[T any](ctx context.Context, a *API, r *request, one func(service.Change) (T, error), types ...service.ChangeType) (any, error) {
	w, err := r.window()
	if err != nil {
		return nil, err
	}
	from, ok := r.query("from")
	if !ok {
		return nil, holdfast.Invalid("query from is missing: latest, or the nextChangeToken of an earlier answer")
	}
	changes, next, err := a.services.Events.Since(ctx, r.user, from, w.Limit, 0, a.ending, types...)
	if err != nil {
		return nil, err
	}
	out := changesShape[T]{Next: next, Limit: w.Limit, Results: []T{}}
	for _, c := range changes {
		switch t, err := one(c); {
		case holdfast.KindOf(err) == holdfast.KindNotFound: // its end is a later change
		case err != nil:
			return nil, err
		default:
			out.Results = append(out.Results, t)
		}
	}
	return out, nil
}

func (a *API) jobSessionChangesGet(ctx context.Context, r *request) (any, error) {
	kind, err := r.queryOneOf("jobType", "Backup", "Copy")
	if err != nil {
		return nil, err
	}
	now := a.clock.Now()
	return changesOf(ctx, a, r, func(c service.Change) (contract.RESTJobSession, error) {
		if kind == "Copy" { // there are no copy jobs
			return contract.RESTJobSession{}, holdfast.NotFound("job session %s is of a backup job", c.ID)
		}
		s, err := a.services.JobSessions.Get(ctx, r.user, holdfast.JobSessionID(c.ID))
		return jobSessionToContract(r.links, now, s), err
	}, service.JobSessionUpdated)
}

// restorePointGetChanges tells of points that are gone by their ids.
func (a *API) restorePointGetChanges(ctx context.Context, r *request) (any, error) {
	return changesOf(ctx, a, r, func(c service.Change) (contract.RESTRestorePoint, error) {
		if c.Type.Gone() {
			return contract.RESTRestorePoint{ID: &c.ID, IsDeleted: new(true)}, nil
		}
		p, err := a.services.RestorePoints.Get(ctx, r.user, holdfast.RestorePointID(c.ID))
		if err != nil {
			return contract.RESTRestorePoint{}, err
		}
		return a.restorePointToContract(ctx, r, p)
	}, service.RestorePointUpdated, service.RestorePointDeleted)
}
