package store

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/uptrace/bun"

	"holdfast/internal/holdfast"
)

type restoreSessionRow struct {
	bun.BaseModel `bun:"table:restore_sessions,alias:t"`
	ID            string `bun:",pk"`
	Organization  string
	Account       string
	Stopped       bool
	Created       stamp
	Ended         stamp
	LastUsed      stamp
	Spec          string
}

func (r restoreSessionRow) noun() (holdfast.RestoreSession, error) {
	var s holdfast.RestoreSession
	if err := json.Unmarshal([]byte(r.Spec), &s); err != nil {
		return s, fmt.Errorf("decode restore session %s: %w", r.ID, err)
	}
	return s, nil
}

// RestoreSessions gives the newest first unless f says otherwise.
func (tx *Tx) RestoreSessions(ctx context.Context, f holdfast.RestoreSessionFilter, page holdfast.Page) ([]holdfast.RestoreSession, error) {
	var rows []restoreSessionRow
	q := tx.ofRestoreSessions()(tx.db.NewSelect().Model(&rows))
	if f.Organization != "" {
		q = q.Where("organization = ?", clean(string(f.Organization)))
	}
	if f.Account != "" {
		q = q.Where("account = ?", clean(string(f.Account)))
	}
	if f.Active {
		q = q.Where("NOT stopped")
	}
	if !f.StartFrom.IsZero() {
		q = q.Where("created >= ?", at(f.StartFrom))
	}
	if !f.StartUntil.IsZero() {
		q = q.Where("created <= ?", at(f.StartUntil))
	}
	if !f.EndFrom.IsZero() {
		q = q.Where("ended >= ?", at(f.EndFrom))
	}
	if !f.EndUntil.IsZero() {
		q = q.Where("ended > 0 AND ended <= ?", at(f.EndUntil))
	}
	column := "created"
	if f.ByEndTime {
		column = "ended"
	}
	if f.OldestFirst {
		q = q.OrderExpr("?, id", bun.Ident(column))
	} else {
		q = q.OrderExpr("? DESC, id", bun.Ident(column))
	}
	return scan(ctx, paged(q, page), &rows, restoreSessionRow.noun)
}

// RestoreSession gives one.
func (tx *Tx) RestoreSession(ctx context.Context, id holdfast.RestoreSessionID) (holdfast.RestoreSession, error) {
	r, err := oneOf[restoreSessionRow](ctx, tx, tx.ofRestoreSessions(), fmt.Sprintf("restore session %s", id), "id = ?", string(id))
	if err != nil {
		return holdfast.RestoreSession{}, err
	}
	return r.noun()
}

// PutRestoreSession keeps one.
func (tx *Tx) PutRestoreSession(ctx context.Context, s holdfast.RestoreSession) error {
	spec, err := json.Marshal(s)
	if err != nil {
		return fmt.Errorf("encode restore session %s: %w", s.ID, err)
	}
	return put(ctx, tx, &restoreSessionRow{ID: string(s.ID), Organization: string(s.Organization), Account: string(s.Account), Stopped: s.Stopped, Created: at(s.Created), Ended: at(s.Ended), LastUsed: at(s.LastUsed), Spec: string(spec)}, "id")
}

type restoreEventRow struct {
	bun.BaseModel `bun:"table:restore_events,alias:t"`
	ID            string `bun:",pk"`
	Session       string `bun:",pk"`
	Number        int64
	Request       string
	Item          string
	Status        string
	Spec          string
}

func (r restoreEventRow) noun() (holdfast.RestoreEvent, error) {
	var e holdfast.RestoreEvent
	if err := json.Unmarshal([]byte(r.Spec), &e); err != nil {
		return e, fmt.Errorf("decode event %s: %w", r.ID, err)
	}
	e.Number = int(r.Number)
	return e, nil
}

// RestoreEvents gives a session's events in order.
func (tx *Tx) RestoreEvents(ctx context.Context, session holdfast.RestoreSessionID, page holdfast.Page) ([]holdfast.RestoreEvent, error) {
	var rows []restoreEventRow
	return scan(ctx, paged(tx.db.NewSelect().Model(&rows).Where("session = ?", clean(string(session))).OrderExpr("number"), page), &rows, restoreEventRow.noun)
}

// RestoreRequests gives the events of whole restores in sessions of an account, newest first.
func (tx *Tx) RestoreRequests(ctx context.Context, account holdfast.UserID, page holdfast.Page) ([]holdfast.RestoreEvent, error) {
	var rows []restoreEventRow
	q := tx.db.NewSelect().Model(&rows).Join("JOIN restore_sessions AS s ON s.id = t.session").Where("s.account = ?", clean(string(account))).
		Where("t.request <> ''").Where("t.item = ''").OrderExpr("s.created DESC, s.id, t.number DESC")
	return scan(ctx, paged(q, page), &rows, restoreEventRow.noun)
}

// RestoreEvent gives one.
func (tx *Tx) RestoreEvent(ctx context.Context, session holdfast.RestoreSessionID, id string) (holdfast.RestoreEvent, error) {
	r, err := one[restoreEventRow](ctx, tx, "event "+id, "session = ? AND id = ?", string(session), id)
	if err != nil {
		return holdfast.RestoreEvent{}, err
	}
	return r.noun()
}

// statusExisting counts items that were there already apart from those that were put back.
const statusExisting = "Existing"

// RestoreEventCounts counts the events of a request's items by status, those with Existing as "Existing".
func (tx *Tx) RestoreEventCounts(ctx context.Context, session holdfast.RestoreSessionID, request string) (map[string]int, error) {
	var rows []struct {
		Status string
		N      int
	}
	if err := tx.db.NewSelect().Model((*restoreEventRow)(nil)).ColumnExpr("status, COUNT(*) AS n").Where("session = ?", string(session)).Where("request = ?", request).Where("item <> ''").GroupExpr("status").Scan(ctx, &rows); err != nil {
		return nil, fmt.Errorf("count events: %w", err)
	}
	out := map[string]int{}
	for _, r := range rows {
		out[r.Status] = r.N
	}
	return out, nil
}

// PutRestoreEvent inserts an event, numbering it, or replaces it.
func (tx *Tx) PutRestoreEvent(ctx context.Context, e holdfast.RestoreEvent) error {
	old, err := tx.RestoreEvent(ctx, e.Session, e.ID)
	switch {
	case err == nil:
		e.Number = old.Number
	case holdfast.KindOf(err) == holdfast.KindNotFound:
		var last int
		if err := tx.db.NewSelect().Model((*restoreEventRow)(nil)).ColumnExpr("COALESCE(MAX(number), 0)").Where("session = ?", string(e.Session)).Scan(ctx, &last); err != nil {
			return fmt.Errorf("read the last event: %w", err)
		}
		e.Number = last + 1
	default:
		return err
	}
	spec, err := json.Marshal(e)
	if err != nil {
		return fmt.Errorf("encode an event: %w", err)
	}
	status := e.Status
	if e.Existing {
		status = statusExisting
	}
	return put(ctx, tx, &restoreEventRow{ID: e.ID, Session: string(e.Session), Number: int64(e.Number), Request: e.Request, Item: clean(e.Item), Status: status, Spec: string(spec)}, "session, id")
}

type restoreItemRow struct {
	bun.BaseModel `bun:"table:restore_items,alias:t"`
	Request       string `bun:",pk"`
	Item          string `bun:",pk"`
	Version       string `bun:",pk"`
	Epoch         int64
	Began         stamp
	SpecResult    string
}

// RestoreItem gives the intent to restore an item; ok is false when there is none.
func (tx *Tx) RestoreItem(ctx context.Context, request, item, version string) (i holdfast.RestoreItem, ok bool, err error) {
	r, err := one[restoreItemRow](ctx, tx, "restore of item "+item, "request = ? AND item = ? AND version = ?", request, item, version)
	if holdfast.KindOf(err) == holdfast.KindNotFound {
		return i, false, nil
	} else if err != nil {
		return i, false, err
	}
	i = holdfast.RestoreItem{Request: r.Request, Item: r.Item, Version: r.Version, Epoch: holdfast.Epoch(r.Epoch), Began: r.Began.time()}
	if r.SpecResult != "" {
		i.Result = new(holdfast.ItemResult)
		if err := json.Unmarshal([]byte(r.SpecResult), i.Result); err != nil {
			return i, true, fmt.Errorf("decode the result of item %s: %w", item, err)
		}
	}
	return i, true, nil
}

// PutRestoreItem keeps an intent.
func (tx *Tx) PutRestoreItem(ctx context.Context, i holdfast.RestoreItem) error {
	r := restoreItemRow{Request: i.Request, Item: clean(i.Item), Version: clean(i.Version), Epoch: int64(i.Epoch), Began: at(i.Began)}
	if i.Result != nil {
		spec, err := json.Marshal(i.Result)
		if err != nil {
			return fmt.Errorf("encode a result: %w", err)
		}
		r.SpecResult = string(spec)
	}
	return put(ctx, tx, &r, "request, item, version")
}

// EndRestoreItem records the outcome of an item that was begun.
func (tx *Tx) EndRestoreItem(ctx context.Context, request string, result holdfast.ItemResult) error {
	spec, err := json.Marshal(result)
	if err != nil {
		return fmt.Errorf("encode a result: %w", err)
	}
	if _, err := tx.db.NewUpdate().Model((*restoreItemRow)(nil)).Set("spec_result = ?", string(spec)).Where("request = ?", request).Where("item = ?", clean(result.Item)).Exec(ctx); err != nil {
		return fmt.Errorf("record the outcome of item %s: %w", result.Item, err)
	}
	return nil
}
