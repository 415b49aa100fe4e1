package rest_test

import (
	"fmt"
	"net/http/httptest"
	"testing"
)

// BenchmarkJobsPage is the page of 30 jobs that monitors ask for again and again.
func BenchmarkJobsPage(b *testing.B) {
	w := newWorld(b)
	w.login()
	organization := w.call("POST", "/v8/Organizations", map[string]any{"name": "contoso.example", "isExchangeOnline": true, "exchangeOnlineSettings": settings("right")}).want(201).text("id")
	repository := w.call("POST", "/v8/BackupRepositories", map[string]any{"name": "Main", "path": "/backup/main", "retentionType": "SnapshotBased"}).want(201).text("id")
	for i := range 30 {
		w.call("POST", "/v8/Jobs", map[string]any{"name": fmt.Sprint("job ", i), "backupType": "SelectedItems", "selectedItems": []any{map[string]any{"type": "PartialOrganization"}}, "organizationId": organization, "repositoryId": repository}).want(201)
	}
	for b.Loop() {
		r := httptest.NewRequest("GET", "/v8/Jobs", nil)
		r.Header.Set("Authorization", "Bearer "+w.bearer)
		out := httptest.NewRecorder()
		w.api.ServeHTTP(out, r)
		if out.Code != 200 {
			b.Fatal(out.Body)
		}
	}
}
