package vault

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"holdfast/internal/holdfast"
)

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

// walker says what a walk from roots is to give.
type walker struct {
	// object is called for each object reached, often more than once for payload objects.
	object func(id string) error
}

// walk reaches everything that roots need: head, runs, their parts, and what their rows refer to. A run that several heads share is walked once.
// What can't be read ends it.
func (s *shared) walk(ctx context.Context, roots []root, w walker) error {
	runs, chunks := map[string]bool{}, map[string]bool{}
	for _, root := range roots {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := w.object(root.object); err != nil {
			return err
		}
		h, err := s.readHead(ctx, root.object)
		if err != nil {
			return err
		}
		for _, ref := range h.Runs {
			if runs[ref.Object] {
				continue
			}
			runs[ref.Object] = true
			if err := s.walkRun(ctx, ref, chunks, w); err != nil {
				return fmt.Errorf("head %d of %s: %w", h.Number, h.Container.Key(), err)
			}
		}
	}
	return nil
}

func (s *shared) walkRun(ctx context.Context, ref RunRef, chunks map[string]bool, w walker) error {
	data, err := s.store.get(ctx, ref.Object, maxRoot)
	if err != nil {
		return err
	}
	r, err := decodeRun(s.vault.zip, ref.Object, data)
	if err != nil {
		return damaged("run", ref.Object, err)
	}
	if err := w.object(ref.Object); err != nil {
		return err
	}
	for object := range r.objects() {
		if err := w.object(object); err != nil {
			return err
		}
	}
	for _, c := range r.chunks {
		if c.class != classFolder && c.class != classItem || chunks[c.at.object] && c.at.object != "" {
			continue
		}
		chunks[c.at.object] = true
		if err := ctx.Err(); err != nil {
			return err
		}
		data, err := s.partData(ctx, r, c.at)
		if err != nil {
			return err
		}
		table, _, err := splitChunk(data)
		if err != nil {
			return damaged("chunk of run", ref.Object, err)
		}
		list, err := decodeObjects(s.vault.zip, table)
		if err != nil {
			return damaged("chunk of run", ref.Object, err)
		}
		for _, o := range list {
			if err := w.object(o.id); err != nil {
				return err
			}
		}
	}
	return nil
}

// hurt says that an item, or a whole run or head with all in it, can't be read.
func hurtBy(err error) bool { return holdfast.KindOf(err) == holdfast.KindDamaged }
