package exchange

import (
	"strconv"
	"strings"
)

// sameProperty compares ids of extended properties by meaning: the service may answer "Integer 0xe08" to who asked for
// "Integer 0x0E08", and spells GUIDs in lower case.
func sameProperty(a, b string) bool {
	ak, an, aok := strings.Cut(a, " 0x")
	bk, bn, bok := strings.Cut(b, " 0x")
	if !aok || !bok || strings.Contains(a, "{") || strings.Contains(b, "{") {
		return strings.EqualFold(a, b)
	}
	x, errA := strconv.ParseUint(an, 16, 32)
	y, errB := strconv.ParseUint(bn, 16, 32)
	return errA == nil && errB == nil && x == y && strings.EqualFold(ak, bk)
}
