package store

import "context"

// SetVersionForTest makes the database look as if a newer program had migrated it.
func (s *Store) SetVersionForTest(ctx context.Context, version int64) error {
	_, err := s.write.NewRaw("INSERT INTO goose_db_version (version_id, is_applied) VALUES (?, TRUE)", version).Exec(ctx)
	return err
}
