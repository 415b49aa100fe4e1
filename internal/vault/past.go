package vault

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"iter"
	"slices"
	"sort"
	"strings"

	"holdfast/internal/holdfast"
)

// Past is a state of a container together with earlier ones: what was deleted since, and which versions there were. It is safe for
// concurrent use and needs no Close. Runs that states share are read once, so many states cost little more than what changed between them.
type Past struct {
	now   *View
	heads []*Head // the earlier states, newest first
	// runs are those of all states, each once, the present state's first; those of state i are states[i], newest first.
	runs   []RunRef
	states [][]int32
	id     string // names the states in the cache
}

// goneKept bounds the deleted items of one folder that are listed.
const goneKept = 200_000

// Past opens a state with earlier ones of the same container, newest first. A nil now is the empty container.
func (r *Repository) Past(ctx context.Context, now *Head, earlier []*Head) (*Past, error) {
	view, err := r.View(ctx, now)
	if err != nil {
		return nil, err
	}
	p := &Past{now: view, heads: earlier}
	number := map[string]int32{}
	add := func(refs []RunRef) []int32 {
		list := make([]int32, len(refs))
		for i, ref := range refs {
			n, ok := number[ref.Object]
			if !ok {
				n = int32(len(p.runs))
				number[ref.Object], p.runs = n, append(p.runs, ref)
			}
			list[i] = n
		}
		return list
	}
	add(view.runs)
	sum := sha256.New()
	_, _ = io.WriteString(sum, view.id) // a hash takes everything
	for _, h := range earlier {
		if err := h.check(); err != nil {
			return nil, err
		}
		if now != nil && h.Container.Key() != now.Container.Key() {
			return nil, fmt.Errorf("head %d is of %s, not of %s", h.Number, h.Container.Key(), now.Container.Key())
		}
		p.states = append(p.states, add(h.Runs))
		_, _ = fmt.Fprintf(sum, "\n%d %s", h.Number, h.Object)
	}
	p.id = hex.EncodeToString(sum.Sum(nil)[:16])
	return p, nil
}

// Gone is an item that the present state does not have, as the newest earlier state has it.
type Gone struct {
	Item holdfast.Item
	Head *Head // of that state
}

func (p *Past) run(ctx context.Context, n int32) (*run, error) {
	r, err := p.now.repo.loadRun(ctx, p.runs[n])
	if err != nil {
		return nil, err
	}
	if len(p.heads) > 0 {
		if c := p.heads[0].Container; r.kind != c.Kind || r.source != c.Source {
			return nil, holdfast.Damaged("run %s is of another container (%s/%s) than its head (%s)", r.id, r.kind, r.source, c.Key())
		}
	}
	return r, nil
}

// classOf is the class of the row with that number.
func (r *run) classOf(number uint32) class {
	n := sort.Search(len(r.chunks), func(i int) bool { return r.chunks[i].start > int64(number) }) - 1
	return r.chunks[n].class
}

// lookups are what the runs say of one key, each asked once.
type lookups struct {
	asked   []bool
	found   []bool
	numbers []uint32
}

// in finds the newest row of a key in a state; tombs too.
func (p *Past) in(ctx context.Context, l *lookups, state int, k key) (n int32, number uint32, ok bool, err error) {
	if l.asked == nil {
		l.asked, l.found, l.numbers = make([]bool, len(p.runs)), make([]bool, len(p.runs)), make([]uint32, len(p.runs))
	}
	for _, n := range p.states[state] {
		if !l.asked[n] {
			r, err := p.run(ctx, n)
			if err != nil {
				return 0, 0, false, err
			}
			if l.numbers[n], l.found[n], err = p.now.repo.find(ctx, r, k); err != nil {
				return 0, 0, false, err
			}
			l.asked[n] = true
		}
		if l.found[n] {
			return n, l.numbers[n], true, nil
		}
	}
	return 0, 0, false, nil
}

// last finds the row of a key in the newest earlier state that has it.
func (p *Past) last(ctx context.Context, k key) (state int, n int32, number uint32, ok bool, err error) {
	var l lookups
	for i := range p.states {
		n, number, found, err := p.in(ctx, &l, i, k)
		if err != nil {
			return 0, 0, 0, false, err
		}
		if !found {
			continue
		}
		r, err := p.run(ctx, n)
		if err != nil {
			return 0, 0, 0, false, err
		}
		if r.classOf(number) != classTomb {
			return i, n, number, true, nil
		}
	}
	return 0, 0, 0, false, nil
}

// live says whether the present state has a key.
func (p *Past) live(ctx context.Context, k key) (bool, error) {
	r, number, ok, err := p.now.locate(ctx, k)
	if err != nil || !ok {
		return false, err
	}
	return r.classOf(number) != classTomb, nil
}

// pastSpot is a row of the present state or, with a state, of an earlier one.
type pastSpot struct {
	run    int32
	state  int32 // -1: the present one
	number uint32
}

// goneRow is a deleted item found by a walk.
type goneRow struct {
	spot pastSpot
	at   position
	row  *row
}

// gone finds what the present state has not and an earlier one has, among the rows that start gives of each run. counts says
// whether the place of the row counts.
func (p *Past) gone(ctx context.Context, start func(r *run) (*scan, error), counts func(position) bool, each func(goneRow) error) error {
	seen := map[key]bool{}
	rows := 0
	for n := range p.runs {
		r, err := p.run(ctx, int32(n))
		if err != nil {
			return err
		}
		s, err := start(r)
		if err != nil {
			return err
		}
		for {
			if rows++; rows%1024 == 0 && ctx.Err() != nil {
				return context.Cause(ctx)
			}
			if err := s.advance(ctx); err != nil {
				return err
			}
			if !s.ok || s.at.class == classTomb || s.at.class == classCursor {
				break
			}
			k := keyOf(s.at.id)
			if seen[k] {
				continue
			}
			if live, err := p.live(ctx, k); err != nil {
				return err
			} else if live {
				continue
			}
			seen[k] = true
			state, at, number, ok, err := p.last(ctx, k)
			if err != nil {
				return err
			}
			if !ok {
				continue
			}
			from, err := p.run(ctx, at)
			if err != nil {
				return err
			}
			got, err := p.now.repo.row(ctx, from, number)
			if err != nil {
				return err
			}
			if got.item.ID != s.at.id {
				return holdfast.Damaged("run %s has %q where its index says %q", from.id, got.item.ID, s.at.id)
			}
			if !counts(got.position()) {
				continue
			}
			if err := each(goneRow{pastSpot{at, int32(state), number}, got.position(), got}); err != nil {
				return err
			}
		}
	}
	return nil
}

// goneIn gives the deleted items of a class that were in a folder last, in the order of a run.
func (p *Past) goneIn(ctx context.Context, k class, parent string) ([]goneRow, error) {
	var list []goneRow
	err := p.gone(ctx, func(r *run) (*scan, error) { return p.now.repo.rowsIn(ctx, r, k, parent, nil) },
		func(at position) bool { return at.class == k && at.parent == parent },
		func(g goneRow) error {
			if len(list) == goneKept {
				return holdfast.Conflict("more than %d items were deleted from this folder: open a session at an earlier restore point to see them", goneKept)
			}
			list = append(list, g)
			return nil
		})
	slices.SortFunc(list, func(a, b goneRow) int { return a.at.compare(b.at) })
	return list, err
}

// Folders gives the deleted folders that were in parent last.
func (p *Past) Folders(ctx context.Context, parent string) ([]Gone, error) {
	list, err := p.goneIn(ctx, classFolder, parent)
	out := make([]Gone, len(list))
	for i, g := range list {
		out[i] = Gone{g.row.item, p.heads[g.spot.state]}
	}
	return out, err
}

// All gives everything that is deleted, in no order.
func (p *Past) All(ctx context.Context) iter.Seq2[Gone, error] {
	return func(yield func(Gone, error) bool) {
		stop := fmt.Errorf("enough")
		err := p.gone(ctx, func(r *run) (*scan, error) { return p.now.repo.rows(r), nil }, func(position) bool { return true }, func(g goneRow) error {
			if !yield(Gone{g.row.item, p.heads[g.spot.state]}, nil) {
				return stop
			}
			return nil
		})
		if err != nil && err != stop {
			yield(Gone{}, err)
		}
	}
}

// Item is a deleted item; ok is false for one that is there, or never was.
func (p *Past) Item(ctx context.Context, id string) (g Gone, ok bool, err error) {
	k := keyOf(id)
	if live, err := p.live(ctx, k); err != nil || live {
		return g, false, err
	}
	state, n, number, ok, err := p.last(ctx, k)
	if err != nil || !ok {
		return g, false, err
	}
	r, err := p.run(ctx, n)
	if err != nil {
		return g, false, err
	}
	got, err := p.now.repo.row(ctx, r, number)
	if err != nil {
		return g, false, err
	}
	if got.item.ID != id {
		return g, false, holdfast.Damaged("run %s has %q where its index says %q", r.id, got.item.ID, id)
	}
	return Gone{got.item, p.heads[state]}, true, nil
}

// PastFolder is an opened folder with what was deleted from it.
type PastFolder struct {
	past   *Past
	parent string
	order  Order
	gone   bool // only what was deleted
}

// Folder opens a folder for paging through the items in it that are no folders: the deleted ones among the others, or only those.
func (p *Past) Folder(parent string, order Order, deletedOnly bool) (*PastFolder, error) {
	if order != ByTime && order != ByName {
		return nil, holdfast.Invalid("a folder can't be sorted by %q", order)
	}
	return &PastFolder{p, parent, order, deletedOnly}, nil
}

func (f *PastFolder) spots(ctx context.Context) ([]pastSpot, error) {
	p := f.past
	return load(p.now.repo.vault.cache, p.now.repo.cacheKey("past", fmt.Sprint(p.id, " ", f.order, " ", f.gone, " ", f.parent)), func() ([]pastSpot, int64, error) {
		gone, err := p.goneIn(ctx, classItem, f.parent)
		if err != nil {
			return nil, 0, err
		}
		var list []pastSpot
		var names []string
		add := func(s pastSpot, row func() (*row, error)) error {
			list = append(list, s)
			if f.order != ByName {
				return nil
			}
			r, err := row()
			if err == nil {
				names = append(names, strings.ToLower(r.item.Name))
			}
			return err
		}
		for a, err := range p.now.in(ctx, classItem, f.parent) {
			if err != nil {
				return nil, 0, err
			}
			if f.gone {
				break
			}
			for len(gone) > 0 && gone[0].at.compare(a.scan.at) < 0 {
				if err := add(gone[0].spot, func() (*row, error) { return gone[0].row, nil }); err != nil {
					return nil, 0, err
				}
				gone = gone[1:]
			}
			if err := add(pastSpot{int32(a.run), -1, a.scan.number}, a.scan.row); err != nil {
				return nil, 0, err
			}
		}
		for _, g := range gone {
			if err := add(g.spot, func() (*row, error) { return g.row, nil }); err != nil {
				return nil, 0, err
			}
		}
		if f.order == ByName {
			by := make([]int, len(list))
			for i := range by {
				by[i] = i
			}
			slices.SortStableFunc(by, func(a, b int) int { return strings.Compare(names[a], names[b]) })
			sorted := make([]pastSpot, len(list))
			for i, n := range by {
				sorted[i] = list[n]
			}
			list = sorted
		}
		return list, int64(cap(list)) * 12, nil
	})
}

// Count is how many items the folder has, deleted ones among them.
func (f *PastFolder) Count(ctx context.Context) (int, error) {
	list, err := f.spots(ctx)
	return len(list), err
}

// Page gives up to limit items from offset on; those with a Head are deleted.
func (f *PastFolder) Page(ctx context.Context, offset, limit int) ([]Gone, error) {
	if offset < 0 || limit < 0 {
		return nil, holdfast.Invalid("offset and limit must not be negative")
	}
	list, err := f.spots(ctx)
	if err != nil {
		return nil, err
	}
	list = list[min(offset, len(list)):]
	list = list[:min(limit, len(list))]
	page := make([]Gone, 0, len(list))
	for _, s := range list {
		r, err := f.past.run(ctx, s.run)
		if err != nil {
			return nil, err
		}
		got, err := f.past.now.repo.row(ctx, r, s.number)
		if err != nil {
			return nil, err
		}
		g := Gone{Item: got.item}
		if s.state >= 0 {
			g.Head = f.past.heads[s.state]
		}
		page = append(page, g)
	}
	return page, nil
}

// PastVersion is one version of an item with the states that have it.
type PastVersion struct {
	Item   holdfast.Item
	Size   int64 // of its main payload: what a mail's MIME or a file takes; the item's own size when it has none
	Newest *Head
	Oldest *Head
}

// Versions gives the different versions of an item that the earlier states have, newest first. The present state is not asked.
func (p *Past) Versions(ctx context.Context, id string) ([]PastVersion, error) {
	var list []PastVersion
	var l lookups
	k := keyOf(id)
	lastRun, lastNumber, have := int32(-1), uint32(0), false
	for i, h := range p.heads {
		n, number, ok, err := p.in(ctx, &l, i, k)
		if err != nil {
			return nil, err
		}
		if !ok {
			have = false
			continue
		}
		if have && n == lastRun && number == lastNumber { // the very row of the state after it
			list[len(list)-1].Oldest = h
			continue
		}
		r, err := p.run(ctx, n)
		if err != nil {
			return nil, err
		}
		got, err := p.now.repo.row(ctx, r, number)
		switch {
		case err != nil:
			return nil, err
		case got.item.ID != id:
			return nil, holdfast.Damaged("run %s has %q where its index says %q", r.id, got.item.ID, id)
		case got.class == classTomb:
			have = false
			continue
		}
		lastRun, lastNumber, have = n, number, true
		if len(list) > 0 && sameVersion(list[len(list)-1].Item, got.item) {
			list[len(list)-1].Oldest = h
			continue
		}
		v := PastVersion{Item: got.item, Size: got.item.Size, Newest: h, Oldest: h}
		for _, pay := range got.payloads {
			if isContent(pay.form) {
				v.Size = pay.size
			}
		}
		list = append(list, v)
	}
	return list, nil
}

// Difference is an item that two states do not have alike. Before is zero of an added one, After of a removed one.
type Difference struct {
	Kind          holdfast.DifferenceKind
	Before, After holdfast.Item
	// Content tells that a payload differs.
	Content bool
}

// Differences gives what differs between two states of a container, in no order. Runs that both have are not read, so it costs what
// changed between them, or, when they were merged meanwhile, what they hold.
func (r *Repository) Differences(ctx context.Context, before, after *Head) iter.Seq2[Difference, error] {
	return func(yield func(Difference, error) bool) {
		stop := fmt.Errorf("enough")
		if err := r.differences(ctx, before, after, func(d Difference) error {
			if !yield(d, nil) {
				return stop
			}
			return nil
		}); err != nil && err != stop {
			yield(Difference{}, err)
		}
	}
}

func (r *Repository) differences(ctx context.Context, before, after *Head, each func(Difference) error) error {
	a, err := r.View(ctx, before)
	if err != nil {
		return err
	}
	b, err := r.View(ctx, after)
	if err != nil {
		return err
	}
	has := func(v *View, object string) bool {
		return slices.ContainsFunc(v.runs, func(ref RunRef) bool { return ref.Object == object })
	}
	// place is the live row of an item, and the run that has its newest row, a tombstone too.
	place := func(v *View, id string) (got *row, object string, err error) {
		at, number, ok, err := v.locate(ctx, keyOf(id))
		if err != nil || !ok {
			return nil, "", err
		}
		if at.classOf(number) == classTomb {
			return nil, at.id, nil
		}
		got, err = r.shared.row(ctx, at, number)
		return got, at.id, err
	}
	rows := 0
	// Each item is told of once: by the first state's row when that is in a run of its own, else by the second's.
	walk := func(own, other *View, told func(id string) error) error {
		for i, ref := range own.runs {
			if has(other, ref.Object) {
				continue
			}
			run, err := own.run(ctx, i)
			if err != nil {
				return err
			}
			for s := r.shared.rows(run); ; {
				if rows++; rows%1024 == 0 && ctx.Err() != nil {
					return context.Cause(ctx)
				}
				if err := s.advance(ctx); err != nil {
					return err
				}
				if !s.ok || s.at.class == classCursor {
					break
				}
				at, number, ok, err := own.locate(ctx, keyOf(s.at.id))
				if err != nil {
					return err
				}
				if !ok || at.id != run.id || number != s.number {
					continue // a newer run of the same state has it
				}
				if err := told(s.at.id); err != nil {
					return err
				}
			}
		}
		return nil
	}
	if err := walk(a, b, func(id string) error {
		was, _, err := place(a, id)
		if err != nil {
			return err
		}
		is, _, err := place(b, id)
		if err != nil {
			return err
		}
		return tell(was, is, each)
	}); err != nil {
		return err
	}
	return walk(b, a, func(id string) error {
		was, object, err := place(a, id)
		if err != nil {
			return err
		}
		if object != "" && !has(b, object) {
			return nil // told above
		}
		is, _, err := place(b, id)
		if err != nil {
			return err
		}
		return tell(was, is, each)
	})
}

func tell(was, is *row, each func(Difference) error) error {
	switch {
	case was == nil && is == nil:
		return nil
	case was == nil:
		return each(Difference{Kind: holdfast.Added, After: is.item})
	case is == nil:
		return each(Difference{Kind: holdfast.Removed, Before: was.item})
	}
	content := !slices.EqualFunc(contents(was), contents(is), func(x, y payload) bool { return x.form == y.form && x.size == y.size && x.sum == y.sum })
	if sameVersion(was.item, is.item) && was.item.Size == is.item.Size && !content {
		return nil
	}
	return each(Difference{Kind: holdfast.Changed, Before: was.item, After: is.item, Content: content})
}

// isContent says that a form is an item's content, not what is said of it.
func isContent(f holdfast.Form) bool {
	return f == holdfast.FormMIME || f == holdfast.FormFTS || f == holdfast.FormFile
}

// contents are the payloads that are an item's content, in order of form.
func contents(r *row) []payload {
	var list []payload
	for _, p := range r.payloads {
		if isContent(p.form) {
			list = append(list, p)
		}
	}
	slices.SortFunc(list, func(a, b payload) int { return cmp.Compare(a.form, b.form) })
	return list
}
