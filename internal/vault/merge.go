package vault

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strings"

	"holdfast/internal/holdfast"
)

// Runs are merged in levels: a new run's level follows from its size; when fanout runs of a level are the newest,
// with none but lower ones between them, all of these become one run of the next level. So a row is rewritten once a level, and a head has at most fanout-1 runs a level.
// docs/adr/0002-merge-policy.md has the figures.
const (
	fanout    = 6
	levelBase = 64 // rows of the largest run of level 0
	runsLimit = 40 // more than this are merged in any case
	deadSlack = 10_000
)

func levelOf(rows int64) int {
	n := 0
	for limit := int64(levelBase); rows > limit; limit *= fanout {
		n++
	}
	return n
}

// plan says how many of the newest runs to merge next, and into which level; 0 for none.
func plan(runs []RunRef, live int64) (n, level int) {
	rows, top := int64(0), 0
	for _, r := range runs {
		rows += r.Rows
		top = max(top, r.Level)
	}
	if len(runs) > 1 && (len(runs) > runsLimit || rows > 2*live+deadSlack) {
		return len(runs), top
	}
	for l := 0; l <= top; l++ {
		n, same := 0, 0
		for n < len(runs) && runs[n].Level <= l {
			if runs[n].Level == l {
				same++
			}
			n++
		}
		if same >= fanout {
			return n, l + 1
		}
	}
	return 0, 0
}

// merge brings the runs of a head in order; made are the runs that it wrote.
func (s *shared) merge(ctx context.Context, to *writeSession, c holdfast.Container, runs []RunRef, live int64) (out, made []RunRef, err error) {
	for {
		n, level := plan(runs, live)
		if n == 0 {
			return runs, made, nil
		}
		ref, err := s.mergeRuns(ctx, to, c, runs[:n], n == len(runs), live)
		if err != nil {
			return nil, nil, err
		}
		rest := runs[n:]
		if ref.Rows == 0 {
			runs = slices.Clone(rest)
			continue
		}
		ref.Level = max(level, levelOf(ref.Rows))
		runs = append([]RunRef{ref}, rest...)
		made = append(made, ref)
		if n > 1 && len(rest) == 0 {
			return runs, made, nil
		}
	}
}

// mergeRuns writes one run that shows what the given ones show together. oldest says that nothing lies below them, so that tombstones have
// nothing left to hide. Payloads stay where they are, but for blocks that are mostly dead when much of the container was replaced.
func (s *shared) mergeRuns(ctx context.Context, to *writeSession, c holdfast.Container, refs []RunRef, oldest bool, live int64) (RunRef, error) {
	rows := int64(0)
	for _, r := range refs {
		rows += r.Rows
	}
	var moved relocation
	if oldest && rows > live+live/2 {
		var err error
		if moved, err = s.relocate(ctx, to, refs); err != nil {
			return RunRef{}, err
		}
	}
	build := newRunBuilder(s, to, c)
	err := s.eachKept(ctx, refs, oldest, func(r *row) error {
		moved.apply(r)
		return build.add(ctx, r)
	})
	if err != nil {
		return RunRef{}, err
	}
	return build.finish(ctx)
}

// eachKept gives, in order, the rows that a merge of runs keeps.
func (s *shared) eachKept(ctx context.Context, refs []RunRef, oldest bool, keep func(*row) error) error {
	v := newView(s, nil, refs)
	o, err := v.overlay(ctx)
	if err != nil {
		return err
	}
	var m merged
	for i := range refs {
		r, err := v.run(ctx, i)
		if err != nil {
			return err
		}
		if err := m.add(ctx, s.rows(r), i); err != nil {
			return err
		}
	}
	cursor := ""
	for n := 0; ; n++ {
		x, i := m.top()
		if x == nil {
			return nil
		}
		if n%1024 == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		kept := true
		switch x.at.class {
		case classCursor:
			kept = cursor != x.at.id // the newest comes first; a name is never empty
			cursor = x.at.id
		default:
			hidden, err := v.hidden(ctx, o, keyOf(x.at.id), i)
			if err != nil {
				return err
			}
			kept = !hidden && !((oldest || s.bugs.noTombs) && x.at.class == classTomb)
		}
		if kept {
			r, err := x.row()
			if err != nil {
				return err
			}
			if !(oldest && r.class == classCursor && r.item.Name == "") {
				if err := keep(r); err != nil {
					return err
				}
			}
		}
		if err := m.pop(ctx); err != nil {
			return err
		}
	}
}

// span is a piece of a block.
type span struct{ offset, length int64 }

// relocation says where pieces of old blocks were copied to.
type relocation map[objectRef]map[span]piece

func (m relocation) apply(r *row) {
	if len(m) == 0 {
		return
	}
	for i := range r.payloads {
		for j := range r.payloads[i].pieces {
			p := &r.payloads[i].pieces[j]
			if to, ok := m[p.ref][span{p.offset, p.length}]; ok {
				p.ref, p.offset = to.ref, to.offset
			}
		}
	}
}

// relocate copies what lives out of blocks of which less than half does. Restore points that need the old blocks keep them.
func (s *shared) relocate(ctx context.Context, to *writeSession, refs []RunRef) (relocation, error) {
	live := map[objectRef][]span{}
	err := s.eachKept(ctx, refs, true, func(r *row) error {
		for _, p := range r.payloads {
			for _, c := range p.pieces {
				if c.ref.packed {
					live[c.ref] = append(live[c.ref], span{c.offset, c.length})
				}
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	moved := relocation{}
	var raw []byte
	var settle []func(objectRef) // of the pieces in raw, once it is an object
	flush := func() error {
		if len(raw) == 0 {
			return nil
		}
		id, err := to.put(ctx, s.encodeBlock(nil, raw))
		if err != nil {
			return err
		}
		for _, set := range settle {
			set(objectRef{id: id, packed: true, size: int64(len(raw))})
		}
		raw, settle = nil, nil
		return nil
	}
	refsInOrder := slices.SortedFunc(maps.Keys(live), func(a, b objectRef) int { return strings.Compare(a.id, b.id) })
	for _, ref := range refsInOrder {
		slices.SortFunc(live[ref], func(a, b span) int { return cmp.Or(cmp.Compare(a.offset, b.offset), cmp.Compare(a.length, b.length)) })
		spans := slices.Compact(live[ref])
		n := int64(0)
		for _, x := range spans {
			n += x.length
		}
		if 2*n >= ref.size {
			continue
		}
		old, err := s.loadBlock(ctx, ref)
		if err != nil {
			return nil, err
		}
		at := map[span]piece{}
		moved[ref] = at
		for _, x := range spans {
			offset := int64(len(raw))
			raw = append(raw, old[x.offset:x.offset+x.length]...)
			settle = append(settle, func(new objectRef) { at[x] = piece{ref: new, offset: offset} })
			if len(raw) >= s.layout().block {
				if err := flush(); err != nil {
					return nil, err
				}
			}
		}
	}
	return moved, flush()
}
