package rest

import (
	"slices"

	"holdfast/internal/service"
)

// Built lists the operations that are not notYet.
func Built() []string {
	var out []string
	for _, r := range slices.Concat(routes, ownRoutes) {
		if funcName(r) != "notYet" {
			out = append(out, r.id)
		}
	}
	return out
}

// RouteInfo is a route as tests outside the package see it.
type RouteInfo struct {
	ID, Method, Path string
	Act              service.Act
	Built            bool
}

// Routes are all routes with their whole paths.
func Routes() []RouteInfo {
	var out []RouteInfo
	for _, r := range routes {
		out = append(out, RouteInfo{r.id, r.method, "/" + served + r.path, r.act, funcName(r) != "notYet"})
	}
	for _, r := range ownRoutes {
		out = append(out, RouteInfo{r.id, r.method, "/" + ownPrefix + r.path, r.act, funcName(r) != "notYet"})
	}
	for _, r := range slices.Concat(onlyBefore8, onlyBefore7) { // version 6 has them all
		out = append(out, RouteInfo{r.id, r.method, "/v6" + r.path, r.act, funcName(r) != "notYet"})
	}
	return out
}

// RoutesOf are the GETs of a version of the contract with their whole paths.
func RoutesOf(version string) []RouteInfo {
	var out []RouteInfo
	for _, r := range routesOf(versionOf(version)) {
		if r.method == "GET" {
			out = append(out, RouteInfo{r.id, r.method, "/" + version + r.path, r.act, funcName(r) != "notYet"})
		}
	}
	return out
}
