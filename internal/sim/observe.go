package sim

import "net/http"

// Exchange is a call and its answer, as Options.OnResponse sees it.
type Exchange struct {
	Method, Host, Path string // Path with the query
	Kind               HostKind
	Public             bool
	Permissions        []string // of which the simulator asked for any one
	Status             int
	Header             http.Header
	Body               []byte // nil for content that is streamed
	Batch              bool   // a part of a batch
}

func (s *Sim) observe(c *Call, r *Reply) {
	if s.opt.OnResponse == nil || isBatch(c.Route) {
		return
	}
	path := c.Path
	if c.RawQuery != "" {
		path += "?" + c.RawQuery
	}
	x := Exchange{Method: c.Method, Host: c.Host, Path: path, Kind: c.host, Public: c.Route.Public, Permissions: c.Route.Permissions,
		Status: r.Status, Header: r.Header, Batch: c.Batch}
	if r.Content == nil {
		x.Body, _ = r.bytes() // write meets the same error and breaks the connection
	}
	s.opt.OnResponse(x)
}
