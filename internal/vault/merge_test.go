package vault

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"holdfast/internal/holdfast"
)

// blocks gives how many bytes of each block the live items of a head use.
func (b *bench) blocks(h *Head) map[objectRef]int64 {
	b.t.Helper()
	used := map[objectRef]int64{}
	v := b.view(h)
	for a, err := range v.live(b.t.Context(), func(r *run, _ func(*LostError)) (*scan, error) { return b.repo.rows(r), nil }) {
		if err != nil {
			b.t.Fatal(err)
		}
		r, err := a.scan.row()
		if err != nil {
			b.t.Fatal(err)
		}
		for _, p := range r.payloads {
			for _, c := range p.pieces {
				if c.ref.packed {
					used[c.ref] += c.length
				}
			}
		}
	}
	return used
}

func TestMergeCopiesWhatLivesOutOfMostlyDeadBlocks(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.repo.sizes = smallLayout
	ctx := t.Context()
	w := b.writer(nil)
	bodies := map[string]string{}
	for n := range 100 {
		m := mail(n, "inbox")
		bodies[m.ID] = strings.Repeat(fmt.Sprintf("%d ", n), 50)
		b.put(w, m, bodies[m.ID])
	}
	first := b.publish(w)
	old := b.blocks(first)
	var h *Head
	for round := range fanout * fanout {
		for n := range 100 {
			if n%10 == 0 || n%(fanout*fanout) != round {
				continue
			}
			if err := w.Delete(ctx, mail(n, "").ID); err != nil {
				t.Fatal(err)
			}
			delete(bodies, mail(n, "").ID)
		}
		b.put(w, mail(1000+round, "inbox"), "new")
		bodies[mail(1000+round, "").ID] = "new"
		h = b.publish(w)
	}
	b.reopen()
	now := b.blocks(h)
	if len(h.Runs) > 2*fanout {
		t.Errorf("%d runs after %d heads", len(h.Runs), h.Number)
	}
	for ref, n := range now {
		if _, ok := old[ref]; ok && 2*n < ref.size {
			t.Errorf("%d of %d bytes of block %s live and it is still used", n, ref.size, ref.id)
		}
	}
	v := b.view(h)
	if got := slices.Sorted(maps.Keys(b.all(v))); !slices.Equal(got, slices.Sorted(maps.Keys(bodies))) {
		t.Errorf("items %v", got)
	}
	for id, body := range bodies {
		if got := b.read(v, id, holdfast.FormMIME); got != body {
			t.Errorf("%s reads %q, want %q", id, got, body)
		}
	}
	for n := range 100 { // the first head needs the old blocks and has them
		if got := b.read(b.view(first), mail(n, "").ID, holdfast.FormMIME); !strings.HasPrefix(got, fmt.Sprintf("%d ", n)) {
			t.Errorf("first head: mail %d reads %q", n, got)
		}
	}
}

// The number of runs stays small and each row is rewritten a few times only, whatever comes.
func TestMergePlanBoundsRunsAndRewriting(t *testing.T) {
	for name, size := range map[string]func(n int) int64{
		"one change":        func(int) int64 { return 1 },
		"hundred changes":   func(int) int64 { return 100 },
		"now and then many": func(n int) int64 { return []int64{50, 3, 20_000, 7}[n%4] },
	} {
		t.Run(name, func(t *testing.T) {
			runs := []RunRef{{Rows: 1_000_000, Level: levelOf(1_000_000)}}
			most, added, rewritten := 0, int64(0), int64(0)
			for n := range 5000 {
				r := RunRef{Rows: size(n)}
				r.Level = levelOf(r.Rows)
				added += r.Rows
				runs = slices.Insert(runs, 0, r)
				for {
					k, level := plan(runs, 1<<40)
					if k == 0 {
						break
					}
					sum := int64(0)
					for _, x := range runs[:k] {
						sum += x.Rows
					}
					rewritten += sum
					runs = append([]RunRef{{Rows: sum, Level: max(level, levelOf(sum))}}, runs[k:]...)
				}
				most = max(most, len(runs))
			}
			t.Logf("at most %d runs, each row rewritten %.1f times", most, float64(rewritten)/float64(added))
			if most > runsLimit {
				t.Errorf("%d runs", most)
			}
			if rewritten > 6*added+6_000_000 {
				t.Errorf("%d rows were rewritten for %d that were added", rewritten, added)
			}
		})
	}
}

// What an incremental backup writes follows from what changed, not from the container.
func TestIncrementalWritesTheChangeOnly(t *testing.T) {
	t.Parallel()
	written := func(n int) int64 {
		b := newBench(t)
		h, list := b.fill(testMailbox, n, 40, 200)
		b.reopen()
		w := b.writer(h)
		for i := range 100 {
			m := list[i*len(list)/100]
			m.Version = "changed"
			if i%10 == 0 {
				m.Parent = list[1].Parent
			}
			if err := w.Put(t.Context(), m, holdfast.Kept(holdfast.FormMIME)); err != nil {
				t.Fatal(err)
			}
		}
		if got := b.publish(w); got.Items != int64(n) {
			t.Errorf("%d items, want %d", got.Items, n)
		}
		_, bytes := b.repo.store.place.Written()
		return bytes
	}
	small, large := written(2_000), written(40_000)
	if large > small*3/2 || large > 100_000 {
		t.Errorf("100 changes wrote %d bytes in a container of 40,000 items, %d in one of 2,000", large, small)
	}
}
