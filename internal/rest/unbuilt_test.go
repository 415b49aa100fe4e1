package rest

import (
	"maps"
	"slices"
	"testing"
)

func TestEveryOperationThatIsNotBuiltSaysWhy(t *testing.T) {
	left := maps.Clone(unbuilt)
	for i, op := range Operations() {
		if op.Built != (funcName(routes[i]) != "notYet") {
			t.Errorf("%s: built is %v", op.ID, op.Built)
		}
		if op.Built {
			continue
		}
		if op.Why == "" {
			t.Errorf("%s (%s %s) is not built, and unbuilt has no reason", op.ID, op.Method, op.Path)
		}
		delete(left, reasonKey(op.ID))
	}
	for _, r := range onlyBefore8 {
		if key := reasonKey(r.id); funcName(r) == "notYet" {
			if unbuilt[key] == "" {
				t.Errorf("%s (%s %s of version 7) is not built, and unbuilt has no reason", r.id, r.method, r.path)
			}
			delete(left, key)
		}
	}
	if len(left) > 0 {
		t.Errorf("reasons for what is built or not there: %v", slices.Sorted(maps.Keys(left)))
	}
}
