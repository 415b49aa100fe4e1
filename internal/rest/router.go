package rest

import (
	"context"
	"net/url"
	"strings"

	"holdfast/internal/holdfast"
	"holdfast/internal/service"
)

// route is one operation: its id, where it is, the status of its success, the act that it is to the policy (who may do that, service
// says) and what it does.
type route struct {
	id, method, path string
	code             int
	act              service.Act
	handle           func(*API, context.Context, *request) (any, error)
}

// notYet answers an operation of the contract that is not built: never an invented empty page or a false success.
func notYet(_ *API, _ context.Context, r *request) (any, error) {
	return nil, holdfast.Conflict("this version of Holdfast does not have the operation %s (%s %s) yet: %s", r.route.id, r.route.method, r.route.path, unbuilt[reasonKey(r.route.id)])
}

// node is a place in the tree of path segments. Literals win over parameters; what fails below a literal tries the parameter.
type node struct {
	literal map[string]*node // by lower-case segment
	param   *node
	methods map[string]*route
}

func newRouter(routes []route) *node {
	root := &node{}
	for i := range routes {
		n := root
		for _, segment := range strings.Split(strings.TrimPrefix(routes[i].path, "/"), "/") {
			n = n.child(segment)
		}
		if n.methods == nil {
			n.methods = map[string]*route{}
		}
		n.methods[routes[i].method] = &routes[i]
	}
	return root
}

func (n *node) child(segment string) *node {
	if strings.HasPrefix(segment, "{") {
		if n.param == nil {
			n.param = &node{}
		}
		return n.param
	}
	if n.literal == nil {
		n.literal = map[string]*node{}
	}
	key := strings.ToLower(segment)
	if n.literal[key] == nil {
		n.literal[key] = &node{}
	}
	return n.literal[key]
}

// find gives the route of a path, or, when only other methods have it, those.
func (n *node) find(method string, segments []string) (found *route, others []string) {
	if len(segments) == 0 {
		if r := n.methods[method]; r != nil {
			return r, nil
		}
		for m := range n.methods {
			others = append(others, m)
		}
		return nil, others
	}
	if next := n.literal[strings.ToLower(segments[0])]; next != nil {
		if found, others = next.find(method, segments[1:]); found != nil {
			return found, nil
		}
	}
	if n.param != nil && segments[0] != "" {
		r, o := n.param.find(method, segments[1:])
		if r != nil {
			return r, nil
		}
		others = append(others, o...)
	}
	return nil, others
}

// has says that there is a route of a path.
func (n *node) has(method string, segments []string) bool {
	found, _ := n.find(method, segments)
	return found != nil
}

// fill takes the path parameters by the names that the route's path has.
func (r *route) fill(segments []string) map[string]string {
	params := map[string]string{}
	for i, s := range strings.Split(strings.TrimPrefix(r.path, "/"), "/") {
		if name, ok := strings.CutPrefix(s, "{"); ok {
			params[strings.TrimSuffix(name, "}")] = segments[i]
		}
	}
	return params
}

// split cuts an escaped path into its version and decoded segments, so that an escaped slash stays inside an item's id.
// One trailing slash is no segment.
func split(escaped string) (version string, segments []string, ok bool) {
	parts := strings.Split(strings.TrimSuffix(strings.TrimPrefix(escaped, "/"), "/"), "/")
	for i, p := range parts {
		s, err := url.PathUnescape(p)
		if err != nil {
			return "", nil, false
		}
		parts[i] = s
	}
	version = strings.ToLower(parts[0])
	if len(parts) > 1 && version+"/"+strings.ToLower(parts[1]) == ownPrefix {
		return ownPrefix, parts[2:], true
	}
	if len(version) < 2 || version[0] != 'v' || strings.Trim(version[1:], "0123456789") != "" {
		return "", nil, false
	}
	return version, parts[1:], true
}

// anonymous says that nobody needs to sign in for an act.
func anonymous(act service.Act) bool { return service.Allowed(service.User{}, act) == nil }
