package service_test

import (
	"strings"
	"testing"

	"holdfast/internal/holdfast"
	"holdfast/internal/service"
	"holdfast/internal/store/storetest"
)

func TestASavedSearchIsItsMakers(t *testing.T) {
	w := newWorld(t, storetest.SQLite(t))
	org := w.organization()
	saved, err := w.SavedSearches.Save(w.ctx, admin, holdfast.SavedSearch{Query: " " + strings.Repeat("é", 150) + " ", Organization: org.ID})
	w.ok(err)
	if saved.Name != strings.Repeat("é", 100) || saved.Query != strings.Repeat("é", 150) {
		t.Errorf("it is called %q and asks %q", saved.Name, saved.Query)
	}
	other := service.User{ID: "v", Name: "other", Role: service.RoleOwner}
	w.kind(w.SavedSearches.Delete(w.ctx, other, saved.ID), holdfast.KindNotFound, "no saved search")
	if all, err := w.SavedSearches.List(w.ctx, other, holdfast.Page{}); err != nil || len(all) != 0 {
		t.Errorf("another one sees %v, %v", all, err)
	}
	if all, err := w.SavedSearches.List(w.ctx, admin, holdfast.Page{}); err != nil || len(all) != 1 || all[0].ID != saved.ID {
		t.Errorf("its maker sees %v, %v", all, err)
	}
	_, err = w.SavedSearches.Save(w.ctx, admin, holdfast.SavedSearch{Query: strings.Repeat("a", 5000)})
	w.kind(err, holdfast.KindInvalid, "4096 bytes")
	auditor := service.User{ID: "a", Name: "auditor", Role: service.RoleAuditor}
	_, err = w.SavedSearches.Save(w.ctx, auditor, holdfast.SavedSearch{Query: "a"})
	w.kind(err, holdfast.KindDenied, "may not")
	// Who sees some organizations only can't ask about another by its id.
	bound := service.User{ID: "o", Name: "op", Role: service.RoleOwner, Organizations: []holdfast.OrganizationID{"0f0e0d0c-0000-4000-8000-00000000000f"}}
	_, err = w.SavedSearches.Save(w.ctx, bound, holdfast.SavedSearch{Query: "a", Organization: org.ID})
	w.kind(err, holdfast.KindNotFound, "no")
	w.ok(w.SavedSearches.Delete(w.ctx, admin, saved.ID))
	w.kind(w.SavedSearches.Delete(w.ctx, admin, saved.ID), holdfast.KindNotFound, "no saved search")
}
