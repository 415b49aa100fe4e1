package sim

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"sync"
)

const maxBatch = 20

func (s *Sim) batchRoutes() []Route {
	return []Route{{Host: HostGraph, Method: "POST", Pattern: "/v1.0/$batch", MaxBody: 8 << 20, Handle: s.batch}}
}

func isBatch(r *Route) bool { return strings.HasSuffix(r.Pattern, "/$batch") }

type batchPart struct {
	ID        string            `json:"id"`
	Method    string            `json:"method"`
	URL       string            `json:"url"`
	Headers   map[string]string `json:"headers"`
	Body      json.RawMessage   `json:"body"`
	DependsOn []string          `json:"dependsOn"`
}

type batchAnswer struct {
	ID      string            `json:"id"`
	Status  int               `json:"status"`
	Headers map[string]string `json:"headers,omitempty"`
	Body    any               `json:"body,omitempty"`
}

func (s *Sim) batch(c *Call) (*Reply, error) {
	var in struct {
		Requests []batchPart `json:"requests"`
	}
	if err := c.Decode(&in); err != nil {
		return nil, err
	}
	if len(in.Requests) == 0 {
		return nil, Fail(400, "BadRequest", "The 'requests' array of the batch is missing or empty.")
	}
	if len(in.Requests) > maxBatch {
		return nil, Fail(400, "BadRequest", "Number of batch request steps exceeds max value (%d).", maxBatch)
	}
	index := map[string]int{}
	for i, p := range in.Requests {
		if p.ID == "" || p.Method == "" || p.URL == "" {
			return nil, Fail(400, "BadRequest", "Request id, method and url must be present in every batch step.")
		}
		if _, dup := index[strings.ToLower(p.ID)]; dup {
			return nil, Fail(400, "BadRequest", "Request Id values have to be unique in a batch. Value '%s' is repeated.", p.ID)
		}
		for _, d := range p.DependsOn {
			if _, ok := index[strings.ToLower(d)]; !ok {
				return nil, Fail(400, "BadRequest", "DependsOn value '%s' of request '%s' does not name an earlier request.", d, p.ID)
			}
		}
		index[strings.ToLower(p.ID)] = i
	}
	c.parts = len(in.Requests)
	// Published: Outlook runs at most four parts of a batch at once, and dependsOn waits.
	answers := make([]batchAnswer, len(in.Requests))
	done := make([]chan struct{}, len(in.Requests))
	for i := range done {
		done[i] = make(chan struct{})
	}
	slots := make(chan struct{}, outlookConcurrent)
	var wg sync.WaitGroup
	for i, p := range in.Requests {
		wg.Go(func() {
			defer close(done[i])
			for _, d := range p.DependsOn {
				j := index[strings.ToLower(d)]
				<-done[j]
				if answers[j].Status >= 400 {
					answers[i] = batchAnswer{ID: p.ID, Status: http.StatusFailedDependency, Body: map[string]any{"error": map[string]any{"code": "FailedDependency", "message": "The request failed because a request it depends on failed."}}}
					return
				}
			}
			slots <- struct{}{}
			defer func() { <-slots }()
			answers[i] = s.batchPart(c, p)
		})
	}
	wg.Wait()
	return JSON(200, map[string]any{"responses": answers}), nil
}

func (s *Sim) batchPart(outer *Call, p batchPart) batchAnswer {
	path, query, _ := strings.Cut(p.URL, "?")
	if rest, ok := strings.CutPrefix(path, "https://"+outer.Host+"/v1.0"); ok {
		path = rest
	}
	if !strings.HasPrefix(path, "/") {
		path = "/" + path
	}
	if u, err := url.Parse(path); err == nil {
		path = u.EscapedPath()
	}
	h := http.Header{}
	h.Set("Authorization", outer.Header.Get("Authorization"))
	for k, v := range p.Headers {
		h.Set(k, v)
	}
	body := []byte(p.Body)
	if string(body) == "null" {
		body = nil
	}
	// A body that is not JSON travels as a base64 or plain string.
	if ct := strings.ToLower(h.Get("Content-Type")); len(body) > 0 && body[0] == '"' && !strings.HasPrefix(ct, "application/json") {
		var text string
		if err := json.Unmarshal(body, &text); err == nil {
			body = []byte(text)
			if b, err := base64.StdEncoding.DecodeString(text); err == nil && !strings.HasPrefix(ct, "text/") {
				body = b
			}
		}
	}
	c := &Call{Sim: s, Method: strings.ToUpper(p.Method), Host: outer.Host, Path: "/v1.0" + path, RawQuery: query, Header: h, Body: body, HTTP: outer.HTTP, host: outer.host, Batch: true}
	if strings.EqualFold(path, "/$batch") {
		return batchAnswer{ID: p.ID, Status: 400, Body: map[string]any{"error": map[string]any{"code": "BadRequest", "message": "A batch cannot hold a batch."}}}
	}
	r := s.handle(c, func(max int64) ([]byte, error) {
		if int64(len(body)) > max {
			return nil, Fail(http.StatusRequestEntityTooLarge, "RequestEntityTooLarge", "The request is too large.")
		}
		return body, nil
	})
	if c.drop { // a part has no connection of its own to lose
		return batchAnswer{ID: p.ID, Status: http.StatusGatewayTimeout, Body: map[string]any{"error": map[string]any{"code": "UnknownError", "message": "The part timed out."}}}
	}
	a := batchAnswer{ID: p.ID, Status: r.Status, Headers: map[string]string{}}
	for k := range r.Header {
		a.Headers[k] = r.Header.Get(k)
	}
	if r.Content != nil {
		b, err := readBody(s.faults.body(c, r), 64<<20)
		if err != nil {
			a.Status, a.Body = http.StatusInternalServerError, map[string]any{"error": map[string]any{"code": "generalException", "message": "The answer could not be read."}}
			return a
		}
		a.Body = base64.StdEncoding.EncodeToString(b)
		return a
	}
	switch {
	case r.body != nil:
		a.Headers["Content-Type"] = "application/json; odata.metadata=minimal; odata.streaming=true; IEEE754Compatible=false; charset=utf-8"
		a.Body = r.body
	case len(r.raw) > 0:
		a.Body = base64.StdEncoding.EncodeToString(r.raw)
	}
	return a
}
