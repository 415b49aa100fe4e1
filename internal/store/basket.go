package store

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/uptrace/bun"

	"holdfast/internal/holdfast"
)

type basketRow struct {
	bun.BaseModel `bun:"table:baskets,alias:t"`
	ID            string `bun:",pk"`
	Account       string
	Created       stamp
	Spec          string
}

func (r basketRow) noun() (holdfast.Basket, error) {
	var b holdfast.Basket
	if err := json.Unmarshal([]byte(r.Spec), &b); err != nil {
		return b, fmt.Errorf("decode basket %s: %w", r.ID, err)
	}
	return b, nil
}

type basketEntryRow struct {
	bun.BaseModel `bun:"table:basket_entries,alias:t"`
	ID            string `bun:",pk"`
	Basket        string
	Added         stamp
	Spec          string
}

func (r basketEntryRow) noun() (holdfast.BasketEntry, error) {
	var e holdfast.BasketEntry
	if err := json.Unmarshal([]byte(r.Spec), &e); err != nil {
		return e, fmt.Errorf("decode basket entry %s: %w", r.ID, err)
	}
	return e, nil
}

// Baskets gives an account's baskets, newest first.
func (tx *Tx) Baskets(ctx context.Context, account holdfast.UserID, page holdfast.Page) ([]holdfast.Basket, error) {
	var rows []basketRow
	return scan(ctx, paged(tx.db.NewSelect().Model(&rows).Where("account = ?", clean(string(account))).OrderExpr("created DESC, id"), page), &rows, basketRow.noun)
}

// Basket gives one.
func (tx *Tx) Basket(ctx context.Context, id holdfast.BasketID) (holdfast.Basket, error) {
	r, err := one[basketRow](ctx, tx, fmt.Sprintf("basket %s", id), "id = ?", string(id))
	if err != nil {
		return holdfast.Basket{}, err
	}
	return r.noun()
}

// PutBasket keeps one.
func (tx *Tx) PutBasket(ctx context.Context, b holdfast.Basket) error {
	spec, err := json.Marshal(b)
	if err != nil {
		return fmt.Errorf("encode basket %s: %w", b.ID, err)
	}
	return put(ctx, tx, &basketRow{ID: string(b.ID), Account: string(b.Account), Created: at(b.Created), Spec: string(spec)}, "id")
}

// DeleteBasket forgets one with its entries.
func (tx *Tx) DeleteBasket(ctx context.Context, id holdfast.BasketID) error {
	if err := del[basketEntryRow](ctx, tx, "basket = ?", string(id)); err != nil {
		return err
	}
	return del[basketRow](ctx, tx, "id = ?", string(id))
}

// BasketEntries gives a basket's entries in the order in which they were added.
func (tx *Tx) BasketEntries(ctx context.Context, basket holdfast.BasketID, page holdfast.Page) ([]holdfast.BasketEntry, error) {
	var rows []basketEntryRow
	return scan(ctx, paged(tx.db.NewSelect().Model(&rows).Where("basket = ?", clean(string(basket))).OrderExpr("added, id"), page), &rows, basketEntryRow.noun)
}

// PutBasketEntry keeps one.
func (tx *Tx) PutBasketEntry(ctx context.Context, e holdfast.BasketEntry) error {
	spec, err := json.Marshal(e)
	if err != nil {
		return fmt.Errorf("encode basket entry %s: %w", e.ID, err)
	}
	return put(ctx, tx, &basketEntryRow{ID: string(e.ID), Basket: string(e.Basket), Added: at(e.Added), Spec: string(spec)}, "id")
}

// DeleteBasketEntry forgets one; none is no error.
func (tx *Tx) DeleteBasketEntry(ctx context.Context, basket holdfast.BasketID, id holdfast.BasketEntryID) error {
	return del[basketEntryRow](ctx, tx, "basket = ? AND id = ?", string(basket), string(id))
}
