package vault

import (
	"context"
	"slices"

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
		ref, err := s.mergeRuns(ctx, to, c, runs[:n], n == len(runs))
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
// nothing left to hide.
func (s *shared) mergeRuns(ctx context.Context, to *writeSession, c holdfast.Container, refs []RunRef, oldest bool) (RunRef, error) {
	v := newView(s, nil, refs)
	o, err := v.overlay(ctx)
	if err != nil {
		return RunRef{}, err
	}
	var m merged
	for i := range refs {
		r, err := v.run(ctx, i)
		if err != nil {
			return RunRef{}, err
		}
		if err := m.add(ctx, s.rows(r), i); err != nil {
			return RunRef{}, err
		}
	}
	build := newRunBuilder(s, to, c)
	cursor := ""
	for {
		x, i := m.top()
		if x == nil {
			break
		}
		keep := true
		switch x.at.class {
		case classCursor:
			keep = cursor != x.at.id // the newest comes first; a name is never empty
			cursor = x.at.id
		default:
			hidden, err := v.hidden(ctx, o, keyOf(x.at.id), i)
			if err != nil {
				return RunRef{}, err
			}
			keep = !hidden && !((oldest || s.bugs.noTombs) && x.at.class == classTomb)
		}
		if keep {
			r, err := x.row()
			if err != nil {
				return RunRef{}, err
			}
			if !(oldest && r.class == classCursor && r.item.Name == "") {
				if err := build.add(ctx, r); err != nil {
					return RunRef{}, err
				}
			}
		}
		if err := m.pop(ctx); err != nil {
			return RunRef{}, err
		}
		if build.total%4096 == 0 && ctx.Err() != nil {
			return RunRef{}, ctx.Err()
		}
	}
	return build.finish(ctx)
}
