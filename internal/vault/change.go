package vault

import (
	"context"
	"errors"
	"iter"

	"holdfast/internal/holdfast"
)

// Change is an item that may differ from what an earlier head had of it.
type Change struct {
	Item     holdfast.Item // when Gone, only its ID is known
	Payloads []PayloadInfo
	Gone     bool
	Content  Content // none when Gone
}

// Changes gives what may differ between an earlier head and this view, each item once: all that differs, and what merges wrote again
// without a change. It reads only runs that since does not have.
//
// whole says that the changes are all items of the view (since is nil, not an ancestor, or everything was merged): then what is not among
// them is gone, and no change is Gone.
func (v *View) Changes(ctx context.Context, since *Head) (changes iter.Seq2[Change, error], whole bool) {
	fresh := len(v.runs)
	if since != nil {
		old := map[string]bool{}
		for _, r := range since.Runs {
			old[r.Object] = true
		}
		// Merges take the newest runs, so what both have is the tail. All that lies below the first common run has to be common too,
		// and the oldest run of since must be there: else a tombstone may be missing.
		for fresh = 0; fresh < len(v.runs) && !old[v.runs[fresh].Object]; fresh++ {
		}
		for _, r := range v.runs[fresh:] {
			if !old[r.Object] {
				fresh = len(v.runs)
			}
		}
		if n := len(since.Runs); n > 0 && fresh < len(v.runs) && since.Runs[n-1].Object != v.runs[len(v.runs)-1].Object {
			fresh = len(v.runs)
		}
	}
	whole = fresh == len(v.runs)
	return func(yield func(Change, error) bool) {
		if err := v.changes(ctx, v.runs[:fresh], whole, yield); err != nil {
			yield(Change{}, err)
		}
	}, whole
}

func (v *View) changes(ctx context.Context, runs []RunRef, whole bool, yield func(Change, error) bool) error {
	if len(runs) == 0 {
		return nil
	}
	err := v.repo.eachKept(ctx, runs, whole, func(r *row) error {
		c := Change{Item: r.item}
		switch r.class {
		case classCursor:
			return nil
		case classTomb:
			c.Gone = true
		default:
			c.Content = Content{v.repo, r}
			c.Payloads = make([]PayloadInfo, len(r.payloads))
			for i, p := range r.payloads {
				c.Payloads[i] = PayloadInfo{p.form, p.size, p.sum}
			}
		}
		if !yield(c, nil) {
			return errEnough
		}
		return nil
	})
	if errors.Is(err, errEnough) {
		return nil
	}
	return err
}

// errEnough ends a walk whose caller wants no more.
var errEnough = errors.New("enough")
