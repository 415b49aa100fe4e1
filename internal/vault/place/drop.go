package place

import (
	"context"
	"strings"

	"holdfast/internal/holdfast"
)

// DropRecords deletes records: restore points that expired, journal entries that a later one stands for. They are gone when it returns nil; after an error some
// or all may be, and the next maintenance finishes it. What they led to stays until Maintain finds that nothing else needs it.
func (s *Store) DropRecords(ctx context.Context, names ...string) error {
	ctx, done := withBreaker(withMaintenance(ctx))
	defer done()
	if s.options.ReadOnly {
		return holdfast.Conflict("the backup repository in %s was opened for reading only", s.storage.disk.root)
	}
	for _, name := range names {
		if kind, _, _ := strings.Cut(name, "/"); !recordName.MatchString(name) || reserved[kind] {
			return holdfast.Invalid("record name %q is not allowed", name)
		}
	}
	if len(names) == 0 {
		return nil
	}
	if !s.maintaining.TryLock() {
		return holdfast.Conflict("maintenance of the backup repository in %s is running", s.storage.disk.root)
	}
	defer s.maintaining.Unlock()
	for _, name := range names {
		id := recordID(name)
		if _, err := s.storage.GetMetadata(ctx, id); isNotFound(err) {
			continue // an earlier attempt dropped it
		} else if err != nil {
			return s.storage.clear(ctx, err)
		}
		if err := s.storage.DeleteBlob(ctx, id); err != nil {
			return s.storage.clear(ctx, err)
		}
	}
	return s.storage.clear(ctx, s.seal(ctx, nil))
}
