package vault

import (
	"context"
	"slices"
	"strings"

	"holdfast/internal/holdfast"
)

// Order is how a folder is sorted.
type Order string

// The orders of a folder. ByTime is newest first, ByName is by Unicode code points of the lower-case name.
const (
	ByTime Order = "time"
	ByName Order = "name"
)

// Folder is an opened folder of a View. It is safe for concurrent use.
type Folder struct {
	view   *View
	parent string
	order  Order
}

// place is a row of a view: eight bytes, so that the order of a folder with a million items takes 8 MB of cache.
type spot struct {
	run    uint32
	number uint32
}

// Folder opens a folder for paging through the items in it that are no folders. The first page by time costs what it shows; anything
// more builds the whole order once, which stays in the vault's cache.
func (v *View) Folder(ctx context.Context, parent string, order Order) (*Folder, error) {
	if order != ByTime && order != ByName {
		return nil, holdfast.Invalid("a folder can't be sorted by %q", order)
	}
	return &Folder{view: v, parent: parent, order: order}, nil
}

func (f *Folder) cacheKey() string {
	return f.view.repo.cacheKey("folder", f.view.id+" "+string(f.order)+" "+f.parent)
}

// spots is the whole order.
func (f *Folder) spots(ctx context.Context) ([]spot, error) {
	return load(f.view.repo.vault.cache, f.cacheKey(), func() ([]spot, int64, error) {
		var list []spot
		var names []string
		for a, err := range f.view.in(ctx, classItem, f.parent) {
			if err != nil {
				return nil, 0, err
			}
			list = append(list, spot{uint32(a.run), a.scan.number})
			if f.order == ByName {
				r, err := a.scan.row()
				if err != nil {
					return nil, 0, err
				}
				names = append(names, strings.ToLower(r.item.Name))
			}
		}
		if f.order == ByName {
			by := make([]int, len(list))
			for i := range by {
				by[i] = i
			}
			// Stable: equal names stay newest first.
			slices.SortStableFunc(by, func(a, b int) int { return strings.Compare(names[a], names[b]) })
			sorted := make([]spot, len(list))
			for i, n := range by {
				sorted[i] = list[n]
			}
			list = sorted
		}
		return list, int64(cap(list)) * 8, nil
	})
}

// Count is how many items the folder has.
func (f *Folder) Count(ctx context.Context) (int, error) {
	list, err := f.spots(ctx)
	return len(list), err
}

// Page gives up to limit items from offset on.
func (f *Folder) Page(ctx context.Context, offset, limit int) ([]holdfast.Item, error) {
	if offset < 0 || limit < 0 {
		return nil, holdfast.Invalid("offset and limit must not be negative")
	}
	_, open := f.view.repo.vault.cache.get(f.cacheKey())
	if offset == 0 && f.order == ByTime && !open {
		return f.first(ctx, limit)
	}
	list, err := f.spots(ctx)
	if err != nil {
		return nil, err
	}
	list = list[min(offset, len(list)):]
	page := make([]holdfast.Item, 0, min(limit, len(list)))
	for _, s := range list[:min(limit, len(list))] {
		r, err := f.view.run(ctx, int(s.run))
		if err != nil {
			return nil, err
		}
		got, err := f.view.repo.row(ctx, r, s.number)
		if err != nil {
			return nil, err
		}
		page = append(page, got.item)
	}
	return page, nil
}

func (f *Folder) first(ctx context.Context, limit int) ([]holdfast.Item, error) {
	page := []holdfast.Item{}
	if limit == 0 {
		return page, nil
	}
	for i, err := range items(f.view.in(ctx, classItem, f.parent)) {
		if err != nil {
			return nil, err
		}
		if page = append(page, i); len(page) == limit {
			break
		}
	}
	return page, nil
}
