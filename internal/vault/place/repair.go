package place

import (
	"context"
	"path/filepath"

	"holdfast/internal/holdfast"
)

// Repaired says what Repair put right.
type Repaired struct {
	Index  []string // damaged or lost index blobs that a new one stands for
	Format []string // format files written again from their sealed copies
}

// Repair writes again what the repository holds twice: a new index out of the packs' own for damaged index blobs, and format files out of
// their sealed copies. It can't bring back packs or records. The store is used up afterwards: close it and open it again.
func (s *Store) Repair(ctx context.Context) (out Repaired, err error) {
	ctx, done := withBreaker(withMaintenance(ctx))
	defer done()
	defer func() { err = s.storage.clear(ctx, err) }()
	if s.options.ReadOnly {
		return out, holdfast.Conflict("the backup repository in %s was opened for reading only", s.storage.disk.root)
	}
	if !s.maintaining.TryLock() {
		return out, holdfast.Conflict("maintenance of the backup repository in %s is running", s.storage.disk.root)
	}
	defer s.maintaining.Unlock()
	s.storage.mu.Lock()
	format, index := s.storage.replace, s.storage.hidden
	s.storage.mu.Unlock()
	for id, data := range format {
		// The ledger has this hash already; the damaged file is the only one that is ever replaced.
		if err := writeFile(filepath.Join(s.storage.disk.root, s.storage.disk.file(id)), data); err != nil {
			return out, err
		}
		out.Format = append(out.Format, s.storage.disk.file(id))
	}
	if s.salvage == nil {
		return out, nil
	}
	if err := s.salvage.Flush(ctx); err != nil {
		return out, err
	}
	// The new index is durable: now the old blobs may go. Until the ledger says so they stay on disk.
	for id := range index {
		s.discard(id)
		out.Index = append(out.Index, s.storage.disk.file(id))
	}
	return out, s.seal(ctx, nil)
}
