package vault

import (
	"math/rand/v2"
	"testing"

	"holdfast/internal/holdfast"
)

// What a head had, changed by what Changes says, is what a later head has: between any two heads of a container, however much was merged
// in between.
func TestChangesLeadFromAnyHeadToAnyLaterOne(t *testing.T) {
	b := newBench(t)
	try := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	b.repo.sizes = smallLayout
	m := &model{b: b, c: testMailbox, calm: true, rng: rand.New(rand.NewPCG(7, 1)), now: emptyState(), at: emptyState(), shown: emptyState(),
		points: map[holdfast.RestorePointID]state{}, heads: map[holdfast.RestorePointID]*Head{}}
	try(m.restart())
	defer func() { m.w.Close() }()
	heads, states := []*Head{nil}, []state{emptyState()}
	for range 45 {
		for range 1 + m.rng.IntN(12) {
			if m.rng.IntN(3) == 0 {
				try(m.del())
			} else {
				try(m.put())
			}
		}
		try(m.publishAll(Published))
		heads, states = append(heads, m.durable), append(states, m.now.clone())
	}
	partly := 0
	for i := range heads {
		for j := max(i, 1); j < len(heads); j++ {
			at := states[i].clone().items
			changes, whole := b.view(heads[j]).Changes(t.Context(), heads[i])
			if whole {
				clear(at)
			} else {
				partly++
			}
			seen := map[string]bool{}
			for c, err := range changes {
				try(err)
				if seen[c.Item.ID] || whole && c.Gone {
					t.Fatalf("heads %d to %d: %s came twice, or is gone (%v) in a whole", i, j, c.Item.ID, c.Gone)
				}
				seen[c.Item.ID] = true
				if c.Gone {
					delete(at, c.Item.ID)
					continue
				}
				at[c.Item.ID] = c.Item
				if len(c.Payloads) != 1 || c.Payloads[0].Size != int64(len(states[j].bodies[c.Item.ID])) {
					t.Fatalf("heads %d to %d: payloads of %s are %v", i, j, c.Item.ID, c.Payloads)
				}
			}
			if len(at) != len(states[j].items) {
				t.Fatalf("heads %d to %d: %d items, want %d", i, j, len(at), len(states[j].items))
			}
			for id, want := range states[j].items {
				if !sameItem(at[id], want) {
					t.Fatalf("heads %d to %d: %v, want %v", i, j, at[id], want)
				}
			}
		}
	}
	if partly < 100 {
		t.Errorf("only %d pairs were not whole: the test shows little", partly)
	}
	// A head that is no ancestor gives the whole.
	if _, whole := b.view(heads[3]).Changes(t.Context(), heads[40]); !whole {
		t.Error("changes since a later head are not whole")
	}
	// Who wants no more is asked for no more.
	changes, _ := b.view(heads[40]).Changes(t.Context(), nil)
	for range changes {
		break
	}
}
