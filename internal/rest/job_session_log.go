package rest

import (
	"context"

	"holdfast/internal/holdfast"
	"holdfast/internal/rest/contract"
)

func (a *API) jobSessionLogGetBatchBySessionId(ctx context.Context, r *request) (any, error) {
	id, err := r.id("sessionId")
	if err != nil {
		return nil, err
	}
	w, err := r.window()
	if err != nil {
		return nil, err
	}
	kind, err := r.queryOneOf("type", "Running", "Warning", "Error", "Success", "Stop")
	if err != nil {
		return nil, err
	}
	oldestFirst, err := r.queryBool("orderAsc", true)
	if err != nil {
		return nil, err
	}
	var types []string
	if kind != "" {
		types = []string{kind}
	}
	lines, err := a.services.JobSessions.Log(ctx, r.user, holdfast.JobSessionID(id), types, oldestFirst, w.page())
	if err != nil {
		return nil, err
	}
	return page(r, w, lines, func(l holdfast.LogLine) contract.RESTLogItem { return logLineToContract(r.links, l) }), nil
}

func (a *API) jobSessionLogGetBatchBySessionIdByLogItemId(ctx context.Context, r *request) (any, error) {
	id, err := r.id("sessionId")
	if err != nil {
		return nil, err
	}
	item, err := r.id("logItemId")
	if err != nil {
		return nil, err
	}
	line, err := a.services.JobSessions.LogLine(ctx, r.user, holdfast.JobSessionID(id), item)
	if err != nil {
		return nil, err
	}
	return logLineToContract(r.links, line), nil
}

func logLineToContract(l links, line holdfast.LogLine) contract.RESTLogItem {
	kind := contract.RESTLogItemType(line.Type)
	switch {
	case line.Type != "None" && line.Type != "":
	case line.Ended.IsZero(): // neither good nor bad: the contract has only these two words for it
		kind = contract.RESTLogItemTypeRunning
	default:
		kind = contract.RESTLogItemTypeSuccess
	}
	return contract.RESTLogItem{
		ID:           uid(line.ID),
		Usn:          &line.Number,
		Type:         &kind,
		Message:      &line.Title,
		MessageSaid:  saidOf(line.Title),
		CreationTime: stamp(line.Created),
		EndTime:      stamp(line.Ended),
		Links: contract.RESTLinkHALDictionary{
			"self":       l.to("/JobSessions/{sessionId}/LogItems/{logItemId}", line.Session, line.ID),
			"jobSession": l.to("/JobSessions/{jobSessionsId}", line.Session),
		},
	}
}
