package store

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/uptrace/bun"

	"holdfast/internal/holdfast"
)

type savedSearchRow struct {
	bun.BaseModel `bun:"table:saved_searches,alias:t"`
	ID            string `bun:",pk"`
	Account       string
	Created       stamp
	Spec          string
}

func (r savedSearchRow) noun() (holdfast.SavedSearch, error) {
	var s holdfast.SavedSearch
	if err := json.Unmarshal([]byte(r.Spec), &s); err != nil {
		return s, fmt.Errorf("decode saved search %s: %w", r.ID, err)
	}
	return s, nil
}

// SavedSearches gives an account's saved searches, newest first.
func (tx *Tx) SavedSearches(ctx context.Context, account holdfast.UserID, page holdfast.Page) ([]holdfast.SavedSearch, error) {
	var rows []savedSearchRow
	return scan(ctx, paged(tx.db.NewSelect().Model(&rows).Where("account = ?", clean(string(account))).OrderExpr("created DESC, id"), page), &rows, savedSearchRow.noun)
}

// SavedSearch gives one.
func (tx *Tx) SavedSearch(ctx context.Context, id holdfast.SavedSearchID) (holdfast.SavedSearch, error) {
	r, err := one[savedSearchRow](ctx, tx, fmt.Sprintf("saved search %s", id), "id = ?", string(id))
	if err != nil {
		return holdfast.SavedSearch{}, err
	}
	return r.noun()
}

// PutSavedSearch keeps one.
func (tx *Tx) PutSavedSearch(ctx context.Context, s holdfast.SavedSearch) error {
	spec, err := json.Marshal(s)
	if err != nil {
		return fmt.Errorf("encode saved search %s: %w", s.ID, err)
	}
	return put(ctx, tx, &savedSearchRow{ID: string(s.ID), Account: string(s.Account), Created: at(s.Created), Spec: string(spec)}, "id")
}

// DeleteSavedSearch forgets one.
func (tx *Tx) DeleteSavedSearch(ctx context.Context, id holdfast.SavedSearchID) error {
	return del[savedSearchRow](ctx, tx, "id = ?", string(id))
}
