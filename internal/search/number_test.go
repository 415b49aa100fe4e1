package search_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

// TestDocumentsWhoseNumberIsTakenGetAnother: two mailboxes with the same items at the same time want the same numbers.
func TestDocumentsWhoseNumberIsTakenGetAnother(t *testing.T) {
	w := newWorld(t)
	for b := range 2 {
		w.pcg.Seed(7, 7)
		w.churn(box(b), 60)
	}
	w.point()
	w.must(w.index.Update(t.Context(), organization)) // in one batch, and in several
	w.judge("two alike")
	w.must(w.index.Close())
	w.must(os.Remove(filepath.Join(w.dir, "search", fmt.Sprint(organization, ".db"))))
	w.batch = 1000
	w.open()
	w.must(w.index.Update(t.Context(), organization))
	w.judge("two alike in one batch")
}
