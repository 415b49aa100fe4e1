package rest

// Built lists the operations that are not notYet.
func Built() []string {
	var out []string
	for _, r := range routes {
		if funcName(r) != "notYet" {
			out = append(out, r.id)
		}
	}
	return out
}
