package service

import (
	"context"
	"encoding/json"
	"fmt"

	"holdfast/internal/holdfast"
)

// BeginItem writes the intent to restore one item before anything is created. began says that an earlier attempt had written it;
// earlier is what that attempt recorded, nil when its outcome is not known.
func (c *Control) BeginItem(ctx context.Context, lease holdfast.Lease, request, item, version string) (earlier *holdfast.ItemResult, began bool, err error) {
	err = c.Store.Write(ctx, func(ctx context.Context, tx Tx) error {
		earlier, began = nil, false
		t, err := c.held(ctx, tx, lease)
		if err != nil {
			return err
		}
		if t.Cancel {
			return holdfast.Stale("the restore was stopped")
		}
		i, ok, err := tx.RestoreItem(ctx, request, item, version)
		if err != nil {
			return err
		}
		if ok {
			earlier, began = i.Result, true
			if i.Epoch == t.Epoch {
				return nil
			}
		} else {
			i = holdfast.RestoreItem{Request: request, Item: item, Version: version, Began: c.now()}
		}
		i.Epoch = t.Epoch
		return tx.PutRestoreItem(ctx, i)
	})
	return earlier, began, err
}

// MadeItem records the id of what was created for an item whose outcome is still to come. BeginItem gives it as an earlier result without an outcome.
func (c *Control) MadeItem(ctx context.Context, lease holdfast.Lease, request, item, newID string) error {
	return c.Store.Write(ctx, func(ctx context.Context, tx Tx) error {
		if _, err := c.held(ctx, tx, lease); err != nil {
			return err
		}
		return tx.EndRestoreItem(ctx, request, holdfast.ItemResult{Item: item, NewID: newID})
	})
}

// EndItem records what became of an item and shows it as an event of the restore session.
func (c *Control) EndItem(ctx context.Context, lease holdfast.Lease, request string, result holdfast.ItemResult) error {
	return c.Store.Write(ctx, func(ctx context.Context, tx Tx) error {
		t, err := c.held(ctx, tx, lease)
		if err != nil {
			return err
		}
		var req holdfast.RestoreRequest
		if err := json.Unmarshal(t.Request, &req); err != nil {
			return fmt.Errorf("decode restore request: %w", err)
		}
		if err := tx.EndRestoreItem(ctx, request, result); err != nil {
			return err
		}
		return c.itemEvent(ctx, tx, req, result)
	})
}
