package search

import (
	"context"
	"sort"
	"strconv"
)

// candidates are the documents of all runs that meet the condition on words that leads a search, in order of their numbers.
type candidates struct {
	runs   []runCandidates
	oldest bool
	total  int
	leaves [][]set // of each leaf, by run
}

// runCandidates are those of a run that are still to come: ids[low:high] where set has them.
type runCandidates struct {
	ids       []int64
	set       set
	low, high int
}

// candidate is a document and where it is in its run.
type candidate struct {
	id  int64
	run int
	doc int
}

// candidatesHere stands for the numbers in question among the arguments of a query.
var candidatesHere = leaf{}

func candidatesOf(ctx context.Context, db querier, s compiled, args []any, oldest bool) (*candidates, error) {
	all, err := runsOf(ctx, db)
	if err != nil {
		return nil, err
	}
	c := &candidates{oldest: oldest}
	for i := range all {
		r := &all[i]
		one := runCandidates{}
		if s.match != nil {
			if one.set, err = s.match.in(r); err != nil {
				return nil, err
			}
		} else {
			one.set = newSet(r.docs)
			one.set.not(r.docs)
		}
		if one.set.count() > 0 {
			if one.ids, err = r.ids(); err != nil {
				return nil, err
			}
			one.low = sort.Search(len(one.ids), func(n int) bool { return one.ids[n] >= s.low })
			one.high = sort.Search(len(one.ids), func(n int) bool { return one.ids[n] > s.high })
			c.total += one.set.between(one.low, one.high)
		}
		c.runs = append(c.runs, one)
		if err := ctx.Err(); err != nil {
			return nil, err
		}
	}
	for _, a := range args {
		l, ok := a.(leaf)
		if !ok || l.matcher == nil {
			continue
		}
		var sets []set
		for i := range all {
			one, err := l.in(&all[i])
			if err != nil {
				return nil, err
			}
			sets = append(sets, one)
		}
		c.leaves = append(c.leaves, sets)
	}
	return c, nil
}

// next gives up to n more.
func (c *candidates) next(n int) (list []candidate) {
	for len(list) < n {
		best := -1
		for i := range c.runs {
			r := &c.runs[i]
			if !r.ready(c.oldest) {
				continue
			}
			if best < 0 || c.oldest == (r.head(c.oldest) < c.runs[best].head(c.oldest)) {
				best = i
			}
		}
		if best < 0 {
			break
		}
		r := &c.runs[best]
		if c.oldest {
			list = append(list, candidate{r.ids[r.low], best, r.low})
			r.low++
		} else {
			r.high--
			list = append(list, candidate{r.ids[r.high], best, r.high})
		}
	}
	return list
}

// ready moves to the next document that is in the set.
func (r *runCandidates) ready(oldest bool) bool {
	if oldest {
		r.low = r.set.after(r.low, r.high)
	} else {
		r.high = r.set.before(r.low, r.high)
	}
	return r.low < r.high
}

func (r *runCandidates) head(oldest bool) int64 {
	if oldest {
		return r.ids[r.low]
	}
	return r.ids[r.high-1]
}

// arguments fills in what depends on the documents in question.
func (c *candidates) arguments(args []any, piece []candidate) ([]any, error) {
	out := make([]any, len(args))
	n := 0
	for i, a := range args {
		l, ok := a.(leaf)
		if !ok {
			out[i] = a
			continue
		}
		var in []set
		if l.matcher != nil {
			in = c.leaves[n]
			n++
		}
		raw := []byte{'['}
		for _, d := range piece {
			if in != nil && !in[d.run].has(d.doc) {
				continue
			}
			if len(raw) > 1 {
				raw = append(raw, ',')
			}
			raw = strconv.AppendInt(raw, d.id, 10)
		}
		out[i] = string(append(raw, ']'))
	}
	return out, nil
}
