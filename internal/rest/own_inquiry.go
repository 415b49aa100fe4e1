package rest

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"holdfast/internal/holdfast"
	"holdfast/internal/rest/contract"
	"holdfast/internal/service"
)

// Dry runs and comparisons are inquiries: a call waits for one for a while, and then tells where its answer can be had.

const inquiryPath = "/Inquiries/{inquiryId}"

// patience is how long a call that says nothing of it waits for its inquiry, and the longest that one may ask for.
const patience = 100 * time.Second

var inquiryRoutes = []route{
	{"Inquiry_GetById", "GET", inquiryPath, 200, service.ActExplore, (*API).inquiryGetByID},
	{"Inquiry_Cancel", "DELETE", inquiryPath, 204, service.ActExplore, (*API).inquiryCancel},
}

// What inquiries are.
const (
	planInquiry       = "plan"
	comparisonInquiry = "comparison"
)

type inquiryShape struct {
	ID      string                              `json:"inquiryId"`
	Kind    string                              `json:"kind"`
	Status  string                              `json:"status"` // Running, Success, Failed
	Began   *time.Time                          `json:"began"`
	Ended   *time.Time                          `json:"ended,omitzero"`
	Seen    int64                               `json:"seen"`
	Message string                              `json:"message,omitzero"`
	Code    contract.RESTExceptionInfoErrorCode `json:"errorCode,omitzero"`
	Plan    any                                 `json:"plan,omitzero"`
	Compare any                                 `json:"comparison,omitzero"`
	Links   contract.RESTLinkHALDictionary      `json:"_links"`
}

func (a *API) inquiryToShape(i service.Inquiry) inquiryShape {
	out := inquiryShape{ID: i.ID, Kind: i.Kind, Status: "Running", Began: stamp(i.Began), Ended: stamp(i.Ended), Seen: i.Seen, Links: contract.RESTLinkHALDictionary{"self": links{ownPrefix}.to(inquiryPath, i.ID)}}
	switch {
	case i.Running():
	case i.Err != nil:
		f := failureOf(i.Err)
		if f.logID != "" {
			a.log.Error("inquiry failed", "error_id", f.logID, "kind", i.Kind, "error", i.Err)
		}
		out.Status, out.Message, out.Code = "Failed", f.message, f.code
	case i.Kind == planInquiry:
		out.Status, out.Plan = "Success", i.Answer
	default:
		out.Status, out.Compare = "Success", i.Answer
	}
	return out
}

// waiting is how many seconds a call wants to wait for its answer.
func (r *request) waiting() (time.Duration, bool, error) {
	text, ok := r.query("wait")
	if !ok {
		return 0, false, nil
	}
	n, err := strconv.Atoi(text)
	if most := int(patience / time.Second); err != nil || n < 0 || n > most {
		return 0, true, holdfast.Invalid("query wait must be a number of seconds from 0 to %d", most)
	}
	return time.Duration(n) * time.Second, true, nil
}

// inquire asks a question and waits for its answer: as long as the call's wait says, then it answers 202 with the inquiry. A call that says
// nothing knows nothing of inquiries: it waits long, and is then told by an error that it can't take for an answer.
func (a *API) inquire(ctx context.Context, r *request, spec service.InquirySpec, ask func(context.Context) (any, error)) (any, error) {
	wait, knows, err := r.waiting()
	if err != nil {
		return nil, err
	} else if !knows {
		wait = a.config.Patience
	}
	id, err := a.services.Inquiries.Start(ctx, r.user, spec, ask)
	if err != nil {
		return nil, err
	}
	r.leave()
	waiting, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	i, err := a.services.Inquiries.Get(waiting, r.user, id)
	switch {
	case err != nil || ctx.Err() != nil: // nobody knows of it
	case i.Running() && knows:
		return &accepted{a.inquiryToShape(i)}, nil
	case i.Running():
		return nil, &holdfast.Error{Kind: holdfast.KindUnavailable, RetryAfter: 5 * time.Second,
			Message: fmt.Sprintf("this takes longer than %v and goes on: GET /%s/Inquiries/%s has the answer when there is one. Ask with ?wait=0 to be told so at once", wait, ownPrefix, id)}
	default:
		err = i.Err
	}
	if cancelled := a.services.Inquiries.Cancel(r.user, id); err == nil {
		err = cancelled
	}
	if err == nil {
		err = ctx.Err()
	}
	return i.Answer, err
}

// accepted is the answer 202 of a call whose inquiry goes on.
type accepted struct{ inquiry inquiryShape }

func (d *accepted) write(w http.ResponseWriter) { writeJSON(w, http.StatusAccepted, d.inquiry) }

func (a *API) inquiryGetByID(ctx context.Context, r *request) (any, error) {
	id, err := r.id("inquiryId")
	if err != nil {
		return nil, err
	}
	wait, _, err := r.waiting()
	if err != nil {
		return nil, err
	}
	r.leave()
	ctx, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	i, err := a.services.Inquiries.Get(ctx, r.user, id)
	if err != nil {
		return nil, err
	}
	return a.inquiryToShape(i), nil
}

func (a *API) inquiryCancel(_ context.Context, r *request) (any, error) {
	id, err := r.id("inquiryId")
	if err != nil {
		return nil, err
	}
	return nil, a.services.Inquiries.Cancel(r.user, id)
}
