package sim_test

import (
	"bytes"
	"encoding/json"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	"holdfast/internal/sim"
	"holdfast/internal/sim/judge"
)

// metadata is the reduced table, which is all that a checkout has, and Microsoft's full metadata where it lies beside the project.
var metadata = sync.OnceValues(func() ([]*judge.Table, string) {
	dir := os.Getenv("HOLDFAST_GRAPH_METADATA")
	if dir == "" {
		dir = "../../../shared/data/graph"
	}
	if table, err := judge.FromFolder(dir, "v1.0-Prod.csdl"); err == nil {
		return []*judge.Table{judge.Reduced(), table}, ""
	}
	return []*judge.Table{judge.Reduced()}, "judged by the reduced table: the full metadata is not at hand"
})

// judged makes every answer of a simulator stand before the metadata; what it does not know fails the test.
func judged(t *testing.T, o sim.Options) sim.Options {
	t.Helper()
	tables, note := metadata()
	if note != "" {
		t.Log(note)
	}
	var mu sync.Mutex
	var problems []string
	before := o.OnResponse
	o.OnResponse = func(x sim.Exchange) {
		if before != nil {
			before(x)
		}
		for _, table := range tables {
			found := verdict(table, x)
			mu.Lock()
			problems = append(problems, found...)
			mu.Unlock()
		}
	}
	t.Cleanup(func() { // runs after the simulator is closed
		mu.Lock()
		defer mu.Unlock()
		slices.Sort(problems)
		for i, p := range slices.Compact(problems) {
			if i == 20 {
				t.Errorf("and more: %d in all", len(problems))
				break
			}
			t.Errorf("the metadata does not know: %.500s", p)
		}
	})
	return o
}

// verdict judges one exchange: the answer, and that each permission that the simulator takes is in Microsoft's table.
func verdict(table *judge.Table, x sim.Exchange) []string {
	if x.Kind != sim.HostGraph && !strings.HasPrefix(x.Path, "/_api/v2.0/") {
		return nil
	}
	if unknownPath := x.Status == 400 || x.Status == 405; unknownPath && x.Permissions == nil {
		return nil
	}
	found := table.Response(x.Method, x.Path, x.Status, x.Body)
	if x.Status < 400 {
		for _, p := range x.Permissions {
			if err := table.Permission(x.Method, x.Path, []string{p}); err != nil {
				found = append(found, err.Error())
			}
		}
	}
	return found
}

func TestPlantedWrongPropertyGoesRed(t *testing.T) {
	var mu sync.Mutex
	var seen []sim.Exchange
	c := start(t, sim.Options{Users: 2, OnResponse: func(x sim.Exchange) {
		mu.Lock()
		defer mu.Unlock()
		seen = append(seen, x)
	}}).login()
	d := "/drives/" + c.s.Tenant().Users[0].Drive
	for _, u := range []string{d, d + "/root", d + "/root/children", d + "/root/delta", d + "/root/permissions", "/users", "/organization"} {
		c.want(200, "GET", u, nil)
	}
	tables, _ := metadata()
	planted := 0
	for _, x := range seen {
		if x.Kind != sim.HostGraph {
			continue
		}
		var body any
		if err := json.Unmarshal(x.Body, &body); err != nil {
			t.Fatal(err)
		}
		// One wrong property at a time, in every object of the answer.
		objects := 0
		walk(body, func(map[string]any) { objects++ })
		for i := range objects {
			at := 0
			walk(body, func(o map[string]any) {
				if at == i {
					o["holdfastPlanted"] = true
				}
				at++
			})
			wrong := x
			wrong.Body, _ = json.Marshal(body)
			for _, table := range tables {
				if got := verdict(table, wrong); !slices.ContainsFunc(got, func(p string) bool { return strings.Contains(p, "holdfastPlanted") }) {
					t.Fatalf("object %d of %s %s: the planted property was not found: %q", i, x.Method, x.Path, got)
				}
			}
			walk(body, func(o map[string]any) { delete(o, "holdfastPlanted") })
			planted++
		}
		again, _ := json.Marshal(body)
		if want, _ := json.Marshal(jsonOf(t, x.Body)); !bytes.Equal(again, want) {
			t.Fatal("the walk changed the answer")
		}
	}
	if planted < 100 {
		t.Fatalf("only %d properties were planted", planted)
	}
	x := seen[len(seen)-1]
	x.Permissions = []string{"Mail.Read"}
	if got := verdict(tables[0], x); len(got) == 0 {
		t.Fatal("a permission that does not grant the call was let through")
	}
}

func jsonOf(t *testing.T, b []byte) (v any) {
	t.Helper()
	if err := json.Unmarshal(b, &v); err != nil {
		t.Fatal(err)
	}
	return v
}

func walk(v any, fn func(map[string]any)) {
	switch x := v.(type) {
	case map[string]any:
		keys := make([]string, 0, len(x))
		for k := range x {
			keys = append(keys, k)
		}
		slices.Sort(keys)
		fn(x)
		for _, k := range keys {
			walk(x[k], fn)
		}
	case []any:
		for _, e := range x {
			walk(e, fn)
		}
	}
}
