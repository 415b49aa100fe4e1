package rest

import (
	"net/url"
	"strings"

	"holdfast/internal/rest/contract"
)

// links makes addresses of related resources. They are host-relative and carry the request's version, because clients
// put their own scheme, host and port before them.
type links struct {
	version string // v8
}

// to fills the parameters of a contract path in order: to("/Jobs/{jobId}", id) is /v8/Jobs/….
func (l links) to(path string, params ...string) contract.RESTLinkHAL {
	var b strings.Builder
	b.WriteString("/" + l.version)
	for _, segment := range strings.Split(strings.TrimPrefix(path, "/"), "/") {
		b.WriteByte('/')
		if strings.HasPrefix(segment, "{") {
			segment, params = url.PathEscape(params[0]), params[1:]
		}
		b.WriteString(segment)
	}
	href := b.String()
	return contract.RESTLinkHAL{Href: &href}
}

// with adds a query: l.with(l.to("/RestorePoints"), "jobId", id).
func (l links) with(link contract.RESTLinkHAL, name, value string) contract.RESTLinkHAL {
	sep := "?"
	if strings.Contains(*link.Href, "?") {
		sep = "&"
	}
	href := *link.Href + sep + url.QueryEscape(name) + "=" + url.QueryEscape(value)
	return contract.RESTLinkHAL{Href: &href}
}
