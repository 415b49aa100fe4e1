package graph

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"holdfast/internal/m365"
	"holdfast/internal/m365/throttle"
)

// Part is one call of a batch.
type Part struct {
	Method string   // empty is GET
	Path   []string // segments below /v1.0, unescaped; or
	Link   string   // a link as served
	List   List     // query and preferences
	Header http.Header
	Body   any // JSON
	// Once has a part that failed for the moment not sent again: who asks has another way. Waits that the service names are kept all the same.
	Once bool
	// Permission is named when the service denies.
	Permission string
}

// PartResult is the answer to a part.
type PartResult struct {
	Status int
	Header http.Header
	Body   json.RawMessage // JSON; other bodies are a JSON string in base64
	Err    error           // an *Error when the part did not succeed
}

const (
	maxParts      = 20
	batchAttempts = 12
	renewals      = 4 // of the token, for parts that it ended for: the tokens of many batches at once may end again and again
)

// Batch makes the calls in groups of up to 20 per request and answers in their order. Only parts that failed for the moment are sent again,
// never before their Retry-After. A part that is not repeatable (POST, PATCH) is sent again only after 429 and 503. An error is returned when a
// whole request failed for good; parts have their own.
func (c *Client) Batch(ctx context.Context, parts []Part) ([]PartResult, error) {
	out := make([]PartResult, len(parts))
	for from := 0; from < len(parts); from += maxParts {
		to := min(from+maxParts, len(parts))
		if err := c.batch(ctx, parts[from:to], out[from:to]); err != nil {
			return nil, err
		}
	}
	return out, nil
}

type batchRequest struct {
	ID      string            `json:"id"`
	Method  string            `json:"method"`
	URL     string            `json:"url"`
	Headers map[string]string `json:"headers,omitempty"`
	Body    json.RawMessage   `json:"body,omitempty"`
}

func (c *Client) batch(ctx context.Context, parts []Part, out []PartResult) error {
	account := throttle.AccountFrom(ctx)
	requests := make([]batchRequest, len(parts))
	costs := make([][]m365.Charge, len(parts))
	for i, p := range parts {
		path := p.Link
		if path == "" {
			path = join(p.Path...)
		}
		call, err := c.call(request{method: p.Method, path: path, query: p.List.query(), prefer: p.List.preferences(), header: p.Header, in: p.Body, charges: p.List.charges()})
		if err != nil {
			return err
		}
		u, err := url.Parse(call.URL)
		if err != nil || u.Host != "" && !strings.EqualFold(u.Host, c.m.Cloud().Graph) {
			return &Error{Kind: m365.Invalid, Call: "POST /$batch", Code: "address refused", Message: "a part of a batch must be a call to Microsoft Graph"}
		}
		headers := map[string]string{}
		for k := range call.Header {
			headers[k] = call.Header.Get(k)
		}
		requests[i] = batchRequest{ID: strconv.Itoa(i), Method: call.Method, URL: strings.TrimPrefix(u.RequestURI(), root), Headers: headers, Body: call.Body}
		costs[i] = call.Charges
	}
	todo := make([]int, len(parts))
	for i := range todo {
		todo[i] = i
	}
	refused := 0 // times that parts were refused for the token
	for try := 1; len(todo) > 0; try++ {
		var group []batchRequest
		var charges []m365.Charge
		repeatable := true
		for _, i := range todo {
			group = append(group, requests[i])
			charges = append(charges, costs[i]...)
			repeatable = repeatable && (requests[i].Method == http.MethodGet || requests[i].Method == http.MethodDelete)
		}
		answers, err := c.sendBatch(ctx, group, charges, repeatable)
		if err != nil {
			return err
		}
		var again []int
		var longest time.Duration
		unauthorized := false
		for _, i := range todo {
			r, ok := answers[i]
			if !ok {
				r = PartResult{Status: http.StatusGatewayTimeout, Err: &Error{Kind: m365.Unavailable, Status: http.StatusGatewayTimeout, Code: "no answer to a part of the batch"}}
			}
			if e, bad := r.Err.(*Error); bad {
				e.Call = requests[i].Method + " " + strings.SplitN(requests[i].URL, "?", 2)[0]
				if e.Kind == m365.Denied {
					e.Permission = parts[i].Permission
				}
				wait, retry := c.partRetry(e, requests[i], costs[i], try)
				retry = retry && !parts[i].Once
				if e.Status == http.StatusUnauthorized && refused < renewals {
					unauthorized, retry = true, true // the token ended after the batch was let in; nothing was done
				}
				if retry && try < batchAttempts {
					if e.Status == http.StatusTooManyRequests {
						account.AddThrottled()
					}
					account.AddRetry()
					longest = max(longest, wait)
					again = append(again, i)
					continue
				}
			}
			out[i] = r
		}
		todo = again
		if unauthorized {
			refused++
			if err := c.m.Renew(ctx, c.m.Cloud().Graph); err != nil {
				return err
			}
		}
		if len(todo) > 0 && longest > 0 {
			if err := c.m.Wait(ctx, longest); err != nil {
				return err
			}
		}
	}
	return nil
}

// partRetry tells whether and after how long a failed part goes again. A wait that the service named is kept by the budget.
func (c *Client) partRetry(e *Error, of batchRequest, charges []m365.Charge, try int) (time.Duration, bool) {
	safe := of.Method == http.MethodGet || of.Method == http.MethodDelete || of.Method == http.MethodPut
	switch {
	case e.Status == http.StatusTooManyRequests || e.Status == http.StatusServiceUnavailable && e.RetryAfter > 0:
		wait := e.RetryAfter
		if wait <= 0 {
			wait = c.m.Backoff(try)
		}
		c.m.Pause(charges, wait)
		return 0, true
	case e.Status == http.StatusServiceUnavailable, e.Kind == m365.Unavailable && safe, e.Kind == m365.Throttled:
		return c.m.Backoff(try), true
	case e.OfAMoment(of.Method, of.Headers["If-Match"] != "", try):
		return c.m.Backoff(try) / 4, true
	case e.Kind == m365.Unavailable:
		e.Unknown = true
	}
	return 0, false
}

func (c *Client) sendBatch(ctx context.Context, group []batchRequest, charges []m365.Charge, repeatable bool) (map[int]PartResult, error) {
	body, err := json.Marshal(map[string]any{"requests": group})
	if err != nil {
		return nil, fmt.Errorf("encode batch: %w", err)
	}
	resp, err := c.m.Do(ctx, m365.Call{Method: http.MethodPost, URL: root + "/$batch", Body: body, Charges: charges, JSON: true, Repeatable: repeatable,
		Header: http.Header{"Content-Type": {"application/json"}}})
	if err != nil {
		return nil, err
	}
	var in struct {
		Responses []struct {
			ID      string                     `json:"id"`
			Status  int                        `json:"status"`
			Headers map[string]json.RawMessage `json:"headers"`
			Body    json.RawMessage            `json:"body"`
		} `json:"responses"`
	}
	if err := json.Unmarshal(resp.Body, &in); err != nil {
		return nil, &Error{Kind: m365.Corrupt, Call: "POST /$batch", Code: "answer not understood", Cause: err}
	}
	out := map[int]PartResult{}
	for _, r := range in.Responses {
		i, err := strconv.Atoi(r.ID)
		if err != nil || !slices.ContainsFunc(group, func(g batchRequest) bool { return g.ID == r.ID }) {
			continue
		}
		p := PartResult{Status: r.Status, Header: http.Header{}, Body: r.Body}
		for k, v := range r.Headers {
			var s string
			if json.Unmarshal(v, &s) != nil {
				s = string(v)
			}
			p.Header.Set(k, s)
		}
		if r.Status >= 400 || r.Status == 0 {
			e := m365.NewError("", r.Status, p.Header, r.Body)
			e.RetryAfter = c.m.RetryAfter(r.Status, p.Header)
			p.Err = e
		} else if b := bytes.TrimSpace(r.Body); len(b) > 0 && b[0] != '{' && b[0] != '[' && !bytes.Equal(b, []byte("null")) {
			// Something on the way answered in the service's place: a page for people, or half an answer.
			p.Err = &Error{Kind: m365.Unavailable, Status: r.Status, Code: "no usable answer", Message: "a part of the batch is not JSON"}
		}
		out[i] = p
	}
	return out, nil
}

// Rows decodes a part's answer as a page.
func Rows[T any, P keeper[T]](r PartResult) (*Page[T], error) {
	if r.Err != nil {
		return nil, r.Err
	}
	return decodePage[T, P](r.Body)
}

// Object decodes a part's answer as one object.
func Object[T any, P keeper[T]](r PartResult) (*T, error) {
	if r.Err != nil {
		return nil, r.Err
	}
	out := new(T)
	if err := decode(r.Body, P(out)); err != nil {
		return nil, &Error{Kind: m365.Corrupt, Call: "a part of a batch", Code: "answer not understood", Cause: err}
	}
	return out, nil
}
