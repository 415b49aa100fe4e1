package service

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"holdfast/internal/holdfast"
)

// Audit is the chain of security-relevant acts. Each entry is written before its act takes effect, in the act's own transaction
// where that is in the database. It shows changes and gaps; that its tail was cut is shown only by a head kept elsewhere.
type Audit struct{ *core }

// Find gives those entries that f wants, newest first.
func (a *Audit) Find(ctx context.Context, u User, f holdfast.AuditFilter, page holdfast.Page) ([]holdfast.AuditEntry, error) {
	if f == (holdfast.AuditFilter{}) {
		return a.List(ctx, u, page) // by number, which costs the same at every offset
	}
	if err := a.may(u, ActReadAudit); err != nil {
		return nil, err
	}
	return read(ctx, a.core, func(ctx context.Context, tx Tx) ([]holdfast.AuditEntry, error) { return tx.AuditFound(ctx, f, page) })
}

// List gives entries, newest first.
func (a *Audit) List(ctx context.Context, u User, page holdfast.Page) ([]holdfast.AuditEntry, error) {
	if err := a.may(u, ActReadAudit); err != nil {
		return nil, err
	}
	return read(ctx, a.core, func(ctx context.Context, tx Tx) ([]holdfast.AuditEntry, error) {
		head, ok, err := tx.AuditHead(ctx)
		if err != nil || !ok {
			return nil, err
		}
		last, first := head.Number-int64(page.Offset), int64(1)
		if page.Limit > 0 {
			first = max(1, last-int64(page.Limit)+1)
		}
		if last < first {
			return nil, nil
		}
		all, err := tx.Audit(ctx, first, int(last-first+1))
		all = slices.DeleteFunc(all, func(e holdfast.AuditEntry) bool { return e.Number > last }) // where some are missing
		slices.Reverse(all)
		return all, err
	})
}

// Head is the newest entry's number and hash, to be kept elsewhere.
func (a *Audit) Head(ctx context.Context) (number int64, hash string, err error) {
	e, err := read(ctx, a.core, func(ctx context.Context, tx Tx) (holdfast.AuditEntry, error) {
		e, _, err := tx.AuditHead(ctx)
		return e, err
	})
	return e.Number, e.Hash, err
}

// AuditVerified is what a walk of the chain found.
type AuditVerified struct {
	Entries int64  // that were read and are as they were written
	Hash    string // of the last of them: with Entries, a head to be kept elsewhere
	Broken  int64  // number of the first entry that is wrong or missing; 0: none
	What    string // is wrong with it
}

// Verify walks the whole chain. anchor, when its number is not 0, is an earlier head that must still be in the chain: without one, or for what was
// written after it, a chain whose tail was cut off, or that somebody who writes the database wrote anew from some entry on, looks sound.
func (a *Audit) Verify(ctx context.Context, u User, anchor holdfast.AuditEntry) (AuditVerified, error) {
	if err := a.may(u, ActReadAudit); err != nil {
		return AuditVerified{}, err
	}
	prev, next := "", int64(1)
	broken := func(what holdfast.Sentence, values ...any) (AuditVerified, error) {
		return AuditVerified{Entries: next - 1, Hash: prev, Broken: next, What: what.With(values...)}, nil
	}
	for {
		page, err := read(ctx, a.core, func(ctx context.Context, tx Tx) ([]holdfast.AuditEntry, error) { return tx.Audit(ctx, next, 1000) })
		if err != nil {
			return AuditVerified{}, err
		}
		if len(page) == 0 {
			break
		}
		for _, e := range page {
			switch {
			case e.Number != next:
				return broken(holdfast.SayChainMissing, next, e.Number, next-1)
			case e.Prev != prev:
				return broken(holdfast.SayChainOrder, e.Number, e.Number-1)
			case auditHash(e) != e.Hash:
				return broken(holdfast.SayChainChanged, e.Number)
			case e.Number == anchor.Number && e.Hash != anchor.Hash:
				return broken(holdfast.SayChainOther, e.Number)
			}
			prev, next = e.Hash, next+1
		}
	}
	if next-1 < anchor.Number {
		return broken(holdfast.SayChainShort, next-1, anchor.Number)
	}
	return AuditVerified{Entries: next - 1, Hash: prev}, nil
}

// audit appends an entry within tx.
func (c *core) audit(ctx context.Context, tx Tx, u User, act, object, detail string) error {
	head, _, err := tx.AuditHead(ctx)
	if err != nil {
		return fmt.Errorf("read the audit chain's head: %w", err)
	}
	e := holdfast.AuditEntry{Number: head.Number + 1, Time: c.now(), Actor: plain(u.Name), Address: plain(u.Address), Act: act, Object: plain(object), Detail: plain(detail), Prev: head.Hash}
	e.Hash = auditHash(e)
	if err := tx.AppendAudit(ctx, e); err != nil {
		return fmt.Errorf("append to the audit chain: %w", err)
	}
	return nil
}

// auditNow appends an entry in a transaction of its own, before an act outside the database.
func (c *core) auditNow(ctx context.Context, u User, act, object, detail string) error {
	return c.Store.Write(ctx, func(ctx context.Context, tx Tx) error { return c.audit(ctx, tx, u, act, object, detail) })
}

// auditHash is over a JSON array, which has one spelling for given texts.
func auditHash(e holdfast.AuditEntry) string {
	b, err := json.Marshal([]any{e.Number, e.Time.UnixMicro(), e.Actor, e.Address, e.Act, e.Object, e.Detail, e.Prev})
	if err != nil {
		panic(err) // texts and numbers always encode
	}
	h := sha256.Sum256(b)
	return hex.EncodeToString(h[:])
}

// plain makes text such that every database gives it back as it was: the hash is over it.
func plain(s string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(s, "\ufffd"), "\x00", "\ufffd")
}
