package rest_test

import (
	"path/filepath"
	"testing"

	"holdfast/internal/service"
	"holdfast/internal/store"
	"holdfast/internal/sys"
)

// openStore gives a new database in a folder of the test's own.
func openStore(t testing.TB, clock sys.Clock) service.Store {
	t.Helper()
	s, err := store.Open(t.Context(), store.Options{Path: filepath.Join(t.TempDir(), "holdfast.db"), Clock: clock})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return service.OnStore(s)
}
