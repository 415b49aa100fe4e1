package explorer

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"holdfast/internal/holdfast"
	"holdfast/internal/vault"
)

// History gives the different versions of an item that the states of at.Earlier have, newest first; at.Head is not looked at.
func (e *Explorer) History(ctx context.Context, at holdfast.View, id string) (out []holdfast.ItemVersion, err error) {
	at.Head = 0
	heads, err := e.heads(ctx, at, at.Earlier)
	if err != nil {
		return nil, err
	}
	out = []holdfast.ItemVersion{}
	if len(heads) == 0 {
		return out, nil
	}
	repo, err := e.repository(ctx, at, heads[0].Shard)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, repo.Close()) }()
	past, err := repo.Past(ctx, nil, heads)
	if err != nil {
		return nil, err
	}
	versions, err := past.Versions(ctx, id)
	if err != nil {
		return nil, fmt.Errorf("look up the versions of %q: %w", id, err)
	}
	for _, v := range versions {
		out = append(out, holdfast.ItemVersion{Item: v.Item, Stored: v.Size, Newest: stateOf(at.Earlier, v.Newest), Oldest: oldestOf(at.Earlier, v.Oldest)})
	}
	return out, nil
}

// oldestOf is the oldest restore point that has a head.
func oldestOf(states []holdfast.PastState, h *vault.Head) holdfast.PastState {
	out := holdfast.PastState{Head: h.Number}
	for _, s := range states { // newest first
		if s.Head == h.Number {
			out = s
		}
	}
	return out
}

// differencesKept bounds what one comparison lists.
const differencesKept = 200_000

// slim is a difference as the cache keeps it: its order and where to look it up.
type slim struct {
	kind       holdfast.DifferenceKind
	id         string
	path       string
	properties string
}

type compared struct {
	all                     []slim
	added, removed, changed int64
}

// Compare gives a page of what differs between two states of a container.
func (e *Explorer) Compare(ctx context.Context, c holdfast.Comparison) (out holdfast.Differences, err error) {
	if c.Offset < 0 || c.Limit < 0 || c.Limit > longestPage {
		return out, holdfast.Invalid("an offset must not be negative, and a limit must be between 0 and %d", longestPage)
	}
	if c.Before.Repository != c.After.Repository || c.Before.Organization != c.After.Organization || c.Before.Container != c.After.Container {
		return out, holdfast.Invalid("only states of one mailbox or OneDrive in one repository can be compared")
	}
	before, err := e.At(ctx, c.Before)
	if err != nil {
		return out, err
	}
	defer func() { err = errors.Join(err, before.Close()) }()
	after, err := e.At(ctx, c.After)
	if err != nil {
		return out, err
	}
	defer func() { err = errors.Join(err, after.Close()) }()
	key := "compared\x00" + before.key + "\x00" + after.key + "\x00" + c.Parent
	var found *compared
	if known, ok := e.recall(key); ok {
		found = known.(*compared)
	} else if found, err = e.compare(ctx, before, after, c.Parent); err != nil {
		return out, err
	} else {
		size := int64(0)
		for _, s := range found.all {
			size += int64(len(s.id)+len(s.path)+len(s.properties)) + 80
		}
		e.keep(key, found, size)
	}
	out.Total, out.Added, out.Removed, out.Changed = int64(len(found.all)), found.added, found.removed, found.changed
	out.Results = []holdfast.Difference{}
	for _, s := range found.all[min(c.Offset, len(found.all)):min(c.Offset+c.Limit, len(found.all))] {
		d := holdfast.Difference{Kind: s.kind, ID: s.id}
		if s.properties != "" {
			d.Properties = strings.Split(s.properties, ",")
		}
		if s.kind != holdfast.Added {
			entry, err := before.Item(ctx, s.id)
			if err != nil {
				return out, err
			}
			d.Before = &entry
		}
		if s.kind != holdfast.Removed {
			entry, err := after.Item(ctx, s.id)
			if err != nil {
				return out, err
			}
			d.After = &entry
		}
		out.Results = append(out.Results, d)
	}
	return out, nil
}

func (e *Explorer) compare(ctx context.Context, before, after *Opened, parent string) (*compared, error) {
	found := &compared{}
	for d, err := range before.repo.Differences(ctx, before.view.Head(), after.view.Head()) {
		if err != nil {
			return nil, fmt.Errorf("compare: %w", err)
		}
		at, item := before, d.Before
		if d.Kind == holdfast.Added {
			at, item = after, d.After
		}
		s := slim{kind: d.Kind, id: item.ID}
		if d.Kind == holdfast.Changed {
			changed := Properties(d.Before, d.After)
			if d.Content {
				changed = append(changed, "content")
			}
			if len(changed) == 0 {
				continue // a version key alone: nothing that anybody sees
			}
			s.properties = strings.Join(changed, ",")
		}
		if parent != "" {
			in, err := at.inside(ctx, item, parent)
			if err != nil {
				return nil, err
			}
			if !in && d.Kind == holdfast.Changed { // it may have been moved in
				if in, err = after.inside(ctx, d.After, parent); err != nil {
					return nil, err
				}
			}
			if !in {
				continue
			}
		}
		above, err := at.path(ctx, item.Parent)
		if err != nil {
			return nil, err
		}
		s.path = above + "/" + escape(item.Name)
		if len(found.all) == differencesKept {
			return nil, holdfast.Conflict("more than %d items differ: compare one folder, or restore points that lie nearer to each other", differencesKept)
		}
		switch d.Kind {
		case holdfast.Added:
			found.added++
		case holdfast.Removed:
			found.removed++
		default:
			found.changed++
		}
		found.all = append(found.all, s)
	}
	slices.SortFunc(found.all, func(a, b slim) int {
		if n := strings.Compare(a.path, b.path); n != 0 {
			return n
		}
		return strings.Compare(a.id, b.id)
	})
	return found, nil
}

// serviceKeys say nothing to a person: they change with everything else.
var serviceKeys = []string{holdfast.FieldETag, holdfast.FieldBody, holdfast.FieldHash, holdfast.FieldVersionID, holdfast.FieldModified, holdfast.FieldValued, holdfast.FieldDescribed}

// Properties names what differs between two versions of an item, content left out, in order.
func Properties(a, b holdfast.Item) []string {
	var changed []string
	add := func(name string, differs bool) {
		if differs {
			changed = append(changed, name)
		}
	}
	add("name", a.Name != b.Name)
	add("folder", a.Parent != b.Parent)
	add("time", a.Kind != holdfast.KindFolder && !a.Time.Equal(b.Time))
	add("size", a.Kind == holdfast.KindFile && a.Size != b.Size)
	add("kind", a.Kind != b.Kind)
	fields := map[string]bool{}
	for _, of := range []map[string]string{a.Fields, b.Fields} {
		for name := range of {
			if !slices.Contains(serviceKeys, name) && utf8.ValidString(name) && a.Fields[name] != b.Fields[name] {
				fields[name] = true
			}
		}
	}
	var names []string
	for name := range fields {
		names = append(names, name)
	}
	slices.Sort(names)
	return append(changed, names...)
}
