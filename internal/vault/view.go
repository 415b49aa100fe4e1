package vault

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"iter"
	"slices"

	"holdfast/internal/holdfast"
)

// View reads one state of a container. It is safe for concurrent use and needs no Close. It holds nothing but names: all that it
// reads goes through the vault's cache.
type View struct {
	repo *shared
	head *Head // nil: the empty container
	runs []RunRef
	id   string // names the list of runs in the cache
}

// View opens the state that a head describes. A nil head is the empty container.
func (r *Repository) View(ctx context.Context, h *Head) (*View, error) {
	if h == nil {
		return newView(r.shared, nil, nil), nil
	}
	if err := h.check(); err != nil {
		return nil, err
	}
	return newView(r.shared, h, h.Runs), nil
}

func newView(s *shared, h *Head, runs []RunRef) *View {
	sum := sha256.New()
	for _, r := range runs {
		_, _ = io.WriteString(sum, r.Object+"\n") // a hash takes everything
	}
	return &View{repo: s, head: h, runs: runs, id: hex.EncodeToString(sum.Sum(nil)[:16])}
}

// Head is the head that the view shows; nil for the empty container.
func (v *View) Head() *Head { return v.head }

// Empty says that nothing was ever read.
func (v *View) Empty() bool { return len(v.runs) == 0 }

func (v *View) run(ctx context.Context, i int) (*run, error) {
	r, err := v.repo.loadRun(ctx, v.runs[i])
	if err != nil {
		return nil, err
	}
	if v.head != nil && (r.kind != v.head.Container.Kind || r.source != v.head.Container.Source) {
		return nil, holdfast.Damaged("run %s is of another container (%s/%s) than its head (%s)", r.id, r.kind, r.source, v.head.Container.Key())
	}
	return r, nil
}

// overlay tells which runs have a key, newest first.
type overlay struct {
	newest map[key]uint16 // the newest small run that has the key
	large  []int          // the other runs, newest first; the oldest is always here
}

func (v *View) overlay(ctx context.Context) (*overlay, error) {
	return load(v.repo.vault.cache, v.repo.cacheKey("overlay", v.id), func() (*overlay, int64, error) {
		o := &overlay{newest: map[key]uint16{}}
		rows := int64(0)
		for i, ref := range v.runs {
			rows += ref.Rows
			if i == len(v.runs)-1 || ref.Rows > v.repo.layout().smallRun || rows > v.repo.layout().smallRuns {
				rows -= ref.Rows
				o.large = append(o.large, i)
				continue
			}
			r, err := v.run(ctx, i)
			if err != nil {
				return nil, 0, err
			}
			for n := range r.index {
				x, err := v.repo.indexChunk(ctx, r, n)
				if err != nil {
					return nil, 0, err
				}
				for k := range x.len() {
					at := key(x.keys[16*k : 16*k+16])
					if _, ok := o.newest[at]; !ok {
						o.newest[at] = uint16(i)
					}
				}
			}
		}
		return o, int64(len(o.newest))*40 + 256, nil
	})
}

// locate finds the newest row of a key.
func (v *View) locate(ctx context.Context, k key) (r *run, number uint32, ok bool, err error) {
	if len(v.runs) == 0 {
		return nil, 0, false, nil
	}
	o, err := v.overlay(ctx)
	if err != nil {
		return nil, 0, false, err
	}
	small, inSmall := o.newest[k]
	for _, i := range o.large {
		if inSmall && i > int(small) {
			break
		}
		if r, err = v.run(ctx, i); err != nil {
			return nil, 0, false, err
		}
		if number, ok, err = v.repo.find(ctx, r, k); ok || err != nil {
			return r, number, ok, err
		}
	}
	if !inSmall {
		return nil, 0, false, nil
	}
	if r, err = v.run(ctx, int(small)); err != nil {
		return nil, 0, false, err
	}
	number, ok, err = v.repo.find(ctx, r, k)
	return r, number, ok, err
}

// hidden says whether a run newer than run i has the key.
func (v *View) hidden(ctx context.Context, o *overlay, k key, i int) (bool, error) {
	if n, ok := o.newest[k]; ok && int(n) < i {
		return true, nil
	}
	for _, j := range o.large {
		if j >= i || v.repo.bugs.noMoves {
			return false, nil
		}
		r, err := v.run(ctx, j)
		if err != nil {
			return false, err
		}
		if _, ok, err := v.repo.find(ctx, r, k); ok || err != nil {
			return ok, err
		}
	}
	return false, nil
}

// row is the live row of an item, or nil.
func (v *View) row(ctx context.Context, id string) (*row, error) {
	r, number, ok, err := v.locate(ctx, keyOf(id))
	if err != nil || !ok {
		return nil, err
	}
	got, err := v.repo.row(ctx, r, number)
	switch {
	case err != nil:
		return nil, err
	case got.item.ID != id:
		return nil, holdfast.Damaged("run %s has %q where its index says %q", r.id, got.item.ID, id)
	case got.class == classTomb:
		return nil, nil
	}
	return got, nil
}

// Item is the live item with that id.
func (v *View) Item(ctx context.Context, id string) (item holdfast.Item, ok bool, err error) {
	r, err := v.row(ctx, id)
	if r == nil || err != nil {
		return holdfast.Item{}, false, err
	}
	return r.item, true, nil
}

// merged walks the rows of several scans in order, newest run first among equals.
type merged struct {
	scans []*scan // a heap by position, then run
	runs  []int
}

func (m *merged) less(i, j int) bool {
	if c := m.scans[i].at.compare(m.scans[j].at); c != 0 {
		return c < 0
	}
	return m.runs[i] < m.runs[j]
}

func (m *merged) add(ctx context.Context, s *scan, run int) error {
	if err := s.advance(ctx); err != nil || !s.ok {
		return err
	}
	m.scans, m.runs = append(m.scans, s), append(m.runs, run)
	for i := len(m.scans) - 1; i > 0; {
		p := (i - 1) / 2
		if !m.less(i, p) {
			break
		}
		m.swap(i, p)
		i = p
	}
	return nil
}

func (m *merged) swap(i, j int) {
	m.scans[i], m.scans[j] = m.scans[j], m.scans[i]
	m.runs[i], m.runs[j] = m.runs[j], m.runs[i]
}

// top is the scan with the next row; nil at the end.
func (m *merged) top() (*scan, int) {
	if len(m.scans) == 0 {
		return nil, 0
	}
	return m.scans[0], m.runs[0]
}

// pop goes past the top's row.
func (m *merged) pop(ctx context.Context) error {
	if err := m.scans[0].advance(ctx); err != nil {
		return err
	}
	if n := len(m.scans) - 1; !m.scans[0].ok {
		m.swap(0, n)
		m.scans, m.runs = m.scans[:n], m.runs[:n]
	}
	for i := 0; ; {
		c := 2*i + 1
		if c >= len(m.scans) {
			return nil
		}
		if c+1 < len(m.scans) && m.less(c+1, c) {
			c++
		}
		if !m.less(c, i) {
			return nil
		}
		m.swap(i, c)
		i = c
	}
}

// live gives the visible rows of some scans, one a run, in order. The scan stands at the row while it is yielded. After a *LostError it goes on.
func (v *View) live(ctx context.Context, start func(r *run, lost func(*LostError)) (*scan, error)) iter.Seq2[at, error] {
	return func(yield func(at, error) bool) {
		var lost []*LostError
		going := true
		tell := func() {
			for _, l := range lost {
				going = going && yield(at{}, l)
			}
			lost = nil
		}
		note := func(l *LostError) { lost = append(lost, l) }
		err := v.eachLive(ctx, func(r *run) (*scan, error) { return start(r, note) }, func(a at) bool {
			tell()
			going = going && yield(a, nil)
			return going
		})
		tell()
		if err != nil && going {
			yield(at{}, err)
		}
	}
}

// at is a row found by a walk.
type at struct {
	run  int
	scan *scan
}

func (v *View) eachLive(ctx context.Context, start func(r *run) (*scan, error), yield func(at) bool) error {
	if len(v.runs) == 0 {
		return nil
	}
	o, err := v.overlay(ctx)
	if err != nil {
		return err
	}
	var m merged
	for i := range v.runs {
		r, err := v.run(ctx, i)
		if err != nil {
			return err
		}
		s, err := start(r)
		if err != nil {
			return err
		}
		if err := m.add(ctx, s, i); err != nil {
			return err
		}
	}
	for n := 0; ; n++ {
		s, i := m.top()
		if s == nil {
			return nil
		}
		if n%1024 == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		if s.at.class == classTomb || s.at.class == classCursor {
			return nil // both come after all items
		}
		hidden, err := v.hidden(ctx, o, keyOf(s.at.id), i)
		if err != nil {
			return err
		}
		if !hidden && !yield(at{i, s}) {
			return nil
		}
		if err := m.pop(ctx); err != nil {
			return err
		}
	}
}

func items(rows iter.Seq2[at, error]) iter.Seq2[holdfast.Item, error] {
	return func(yield func(holdfast.Item, error) bool) {
		for a, err := range rows {
			if err != nil {
				if !yield(holdfast.Item{}, err) {
					return
				}
				continue // the rows end by themselves where they can't go on
			}
			r, err := a.scan.row()
			if err != nil {
				yield(holdfast.Item{}, err)
				return
			}
			if !yield(r.item, nil) {
				return
			}
		}
	}
}

func (v *View) in(ctx context.Context, k class, parent string) iter.Seq2[at, error] {
	return v.live(ctx, func(r *run, lost func(*LostError)) (*scan, error) { return v.repo.rowsIn(ctx, r, k, parent, lost) })
}

// Children gives the live items directly in parent: folders, then the others, newest first. Where a part of the list can't be read it gives a *LostError
// and goes on; any other error is the last.
func (v *View) Children(ctx context.Context, parent string) iter.Seq2[holdfast.Item, error] {
	return func(yield func(holdfast.Item, error) bool) {
		for _, k := range []class{classFolder, classItem} {
			for i, err := range items(v.in(ctx, k, parent)) {
				var lost *LostError
				if !yield(i, err) || err != nil && !errors.As(err, &lost) {
					return
				}
			}
		}
	}
}

// All gives all live items: folders first, then the others by parent, newest first. Its errors are those of Children.
func (v *View) All(ctx context.Context) iter.Seq2[holdfast.Item, error] {
	return items(v.live(ctx, func(r *run, lost func(*LostError)) (*scan, error) {
		x := v.repo.rows(r)
		x.lost = lost
		return x, nil
	}))
}

// Folders gives all live folders, by parent. Its errors are those of Children.
func (v *View) Folders(ctx context.Context) iter.Seq2[holdfast.Item, error] {
	return items(v.live(ctx, func(r *run, lost func(*LostError)) (*scan, error) {
		x := v.repo.rowsOf(r, classFolder)
		x.lost = lost
		return x, nil
	}))
}

// Cursor is a named position at the source.
type Cursor struct{ Name, Value string }

// cursors is the newest value of each cursor that has one.
func (v *View) cursors(ctx context.Context) (map[string]string, error) {
	return load(v.repo.vault.cache, v.repo.cacheKey("cursors", v.id), func() (map[string]string, int64, error) {
		found, size := map[string]string{}, int64(256)
		for i := range v.runs {
			r, err := v.run(ctx, i)
			if err != nil {
				return nil, 0, err
			}
			s := v.repo.rowsOf(r, classCursor)
			for {
				if err := s.advance(ctx); err != nil {
					return nil, 0, err
				}
				if !s.ok {
					break
				}
				if _, ok := found[s.at.id]; ok {
					continue
				}
				c, err := s.row()
				if err != nil {
					return nil, 0, err
				}
				found[c.item.ID] = c.item.Name
				size += int64(len(c.item.ID)+len(c.item.Name)) + 64
			}
		}
		for name, value := range found {
			if value == "" {
				delete(found, name)
			}
		}
		return found, size, nil
	})
}

// Cursor is the value of a cursor; ok is false when there is none.
func (v *View) Cursor(ctx context.Context, name string) (value string, ok bool, err error) {
	all, err := v.cursors(ctx)
	value, ok = all[name]
	return value, ok, err
}

// Cursors gives all cursors by name.
func (v *View) Cursors(ctx context.Context) iter.Seq2[Cursor, error] {
	return func(yield func(Cursor, error) bool) {
		all, err := v.cursors(ctx)
		if err != nil {
			yield(Cursor{}, err)
			return
		}
		names := make([]string, 0, len(all))
		for n := range all {
			names = append(names, n)
		}
		slices.Sort(names)
		for _, n := range names {
			if !yield(Cursor{n, all[n]}, nil) {
				return
			}
		}
	}
}

// PayloadInfo describes a stored payload.
type PayloadInfo struct {
	Form   holdfast.Form
	Size   int64    // of the exact bytes
	SHA256 [32]byte // of the exact bytes
}

// Payloads describes the payloads of the live item with that id; holdfast.NotFound when there is no such item.
func (v *View) Payloads(ctx context.Context, id string) ([]PayloadInfo, error) {
	r, err := v.row(ctx, id)
	if err != nil {
		return nil, err
	} else if r == nil {
		return nil, holdfast.NotFound("there is no item %q", id)
	}
	list := make([]PayloadInfo, len(r.payloads))
	for i, p := range r.payloads {
		list[i] = PayloadInfo{p.form, p.size, p.sum}
	}
	return list, nil
}

// Open gives the exact bytes of a payload; ok is false when the item has no such form. Reading to the end proves the SHA-256:
// what is not as it was written gives holdfast.Damaged instead of io.EOF.
func (v *View) Open(ctx context.Context, id string, f holdfast.Form) (r io.ReadCloser, ok bool, err error) {
	c, ok, err := v.Content(ctx, id)
	if !ok || err != nil {
		return nil, false, err
	}
	r, ok = c.Open(ctx, f)
	return r, ok, nil
}

// Content gives what the live item with that id has; ok is false when there is none.
func (v *View) Content(ctx context.Context, id string) (c Content, ok bool, err error) {
	found, err := v.row(ctx, id)
	if found == nil || err != nil {
		return c, false, err
	}
	return Content{v.repo, found}, true, nil
}

// ItemVersion is an item as a head has it.
type ItemVersion struct {
	Item holdfast.Item
	Head *Head // the first of the given heads that has this version
}

// History gives the different versions of an item that the heads have, in the heads' order.
func (r *Repository) History(ctx context.Context, heads []*Head, id string) ([]ItemVersion, error) {
	var list []ItemVersion
	for _, h := range heads {
		v, err := r.View(ctx, h)
		if err != nil {
			return nil, err
		}
		got, err := v.row(ctx, id)
		if err != nil {
			return nil, err
		}
		if got == nil || len(list) > 0 && sameVersion(list[len(list)-1].Item, got.item) {
			continue
		}
		list = append(list, ItemVersion{got.item, h})
	}
	return list, nil
}

func sameVersion(a, b holdfast.Item) bool {
	return a.Version == b.Version && a.Parent == b.Parent && a.Name == b.Name && a.Time.Equal(b.Time)
}
