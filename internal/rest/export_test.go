package rest

import "slices"

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
