package rest

import (
	"context"
	"time"

	"holdfast/internal/holdfast"
	"holdfast/internal/rest/contract"
	"holdfast/internal/service"
)

func (a *API) jobSessionGet(ctx context.Context, r *request) (any, error) {
	w, err := r.window()
	if err != nil {
		return nil, err
	}
	job, err := r.queryID("jobId")
	if err != nil {
		return nil, err
	}
	kind, err := r.queryOneOf("jobType", "Backup", "Copy")
	if err != nil {
		return nil, err
	}
	// The contract filters by Succeeded what it shows as Success; clients send either.
	status, err := r.queryOneOf("status", "Stopped", "Running", "Succeeded", "Success", "Failed", "Warning", "Queued")
	if err != nil {
		return nil, err
	}
	f := holdfast.SessionFilter{Job: holdfast.JobID(job)}
	if status == "Succeeded" {
		status = "Success"
	}
	if status != "" {
		f.Statuses = []holdfast.SessionStatus{holdfast.SessionStatus(status)}
	}
	if f.EndFrom, err = r.queryTime("endTimeLowerBound"); err != nil {
		return nil, err
	}
	if f.EndUntil, err = r.queryTime("endTimeUpperBound"); err != nil {
		return nil, err
	}
	var sessions []holdfast.JobSession
	if kind != "Copy" { // there are no copy jobs yet, so no sessions of them
		if sessions, err = a.services.JobSessions.List(ctx, r.user, f, w.page()); err != nil {
			return nil, err
		}
	}
	now := a.clock.Now()
	return page(r, w, sessions, func(s holdfast.JobSession) contract.RESTJobSession {
		return jobSessionToContract(r.links, now, s)
	}), nil
}

func (a *API) jobSessionGetById(ctx context.Context, r *request) (any, error) {
	id, err := r.id("jobSessionsId")
	if err != nil {
		return nil, err
	}
	s, err := a.services.JobSessions.Get(ctx, r.user, holdfast.JobSessionID(id))
	if err != nil {
		return nil, err
	}
	return jobSessionToContract(r.links, a.clock.Now(), s), nil
}

func (a *API) jobSessionGetObjectsBySessionId(ctx context.Context, r *request) (any, error) {
	id, err := r.id("sessionId")
	if err != nil {
		return nil, err
	}
	w, err := r.window()
	if err != nil {
		return nil, err
	}
	objects, err := a.services.JobSessions.Objects(ctx, r.user, holdfast.JobSessionID(id), w.page())
	if err != nil {
		return nil, err
	}
	return page(r, w, objects, func(o service.SessionObject) contract.RESTJobSessionObject {
		out := contract.RESTJobSessionObject{
			ID:    new(o.Container.PublicID()),
			Type:  new(contract.RESTJobSessionObjectTypeUser),
			Links: contract.RESTLinkHALDictionary{"jobSession": r.links.to("/JobSessions/{jobSessionsId}", id)},
		}
		if o.Status != holdfast.StatusRunning { // for which the contract has no word
			out.Status = new(contract.RESTJobSessionObjectStatus(o.Status))
		}
		return out
	}), nil
}

// jobSessionToContract encodes a run as it stands at now.
func jobSessionToContract(l links, now time.Time, s holdfast.JobSession) contract.RESTJobSession {
	end := now
	if !s.Ended.IsZero() {
		end = s.Ended
	}
	rate := func(n int64) *int64 {
		seconds := end.Sub(s.Created).Seconds()
		if seconds < 1 {
			seconds = 1
		}
		return new(int64(float64(n) / seconds))
	}
	kind := contract.RESTJobSessionJobSessionConfigTypeIncremental
	if s.Full {
		kind = contract.RESTJobSessionJobSessionConfigTypeFull
	}
	bottleneck := contract.RESTJobStatisticsBottleneck(s.Statistics.Bottleneck)
	if bottleneck == "" {
		bottleneck = contract.RESTJobStatisticsBottleneckNA
	}
	main := s.Main
	if main == "" {
		main = s.ID
	}
	return contract.RESTJobSession{
		ID:                   uid(s.ID),
		JobID:                uid(s.Job),
		RepositoryID:         uid(s.Repository),
		MainSessionID:        uid(main),
		Details:              optional(s.Details),
		DetailsSaid:          saidOf(s.Details),
		CreationTime:         stamp(s.Created),
		EndTime:              stamp(s.Ended),
		RetryCount:           new(int32(s.Retry)),
		JobWillBeRetried:     &s.WillRetry,
		Progress:             new(int32(s.Progress)),
		JobType:              new(contract.RESTJobSessionJobTypeBackup),
		JobSessionConfigType: &kind,
		Status:               new(contract.RESTJobSessionStatus(s.Status)),
		Statistics: &contract.RESTJobStatistics{
			ProcessingRateBytesPS: rate(s.Statistics.ReadBytes),
			ProcessingRateItemsPS: rate(s.Statistics.Items),
			ReadRateBytesPS:       rate(s.Statistics.ReadBytes),
			WriteRateBytesPS:      rate(s.Statistics.WrittenBytes),
			TransferredDataBytes:  &s.Statistics.WrittenBytes,
			ProcessedObjects:      &s.Statistics.Objects,
			Bottleneck:            &bottleneck,
		},
		Links: contract.RESTLinkHALDictionary{
			"self":             l.to("/JobSessions/{jobSessionsId}", string(s.ID)),
			"log":              l.to("/JobSessions/{sessionId}/LogItems", string(s.ID)),
			"job":              l.to(jobPath, string(s.Job)),
			"backupRepository": l.to(repositoryPath, string(s.Repository)),
			"processedObjects": l.to("/JobSessions/{sessionId}/ProcessedObjects", string(s.ID)),
		},
	}
}
