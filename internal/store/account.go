package store

import (
	"context"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/uptrace/bun"

	"holdfast/internal/holdfast"
)

type settingRow struct {
	bun.BaseModel `bun:"table:settings,alias:t"`
	Name          string `bun:",pk"`
	Value         string
}

// Setting gives a named value; ok is false when there is none.
func (tx *Tx) Setting(ctx context.Context, name string) (value string, ok bool, err error) {
	r, err := one[settingRow](ctx, tx, "setting "+name, "name = ?", name)
	if holdfast.KindOf(err) == holdfast.KindNotFound {
		return "", false, nil
	}
	return r.Value, err == nil, err
}

// PutSetting sets a named value.
func (tx *Tx) PutSetting(ctx context.Context, name, value string) error {
	return put(ctx, tx, &settingRow{Name: name, Value: value}, "name")
}

type counterRow struct {
	bun.BaseModel `bun:"table:counters,alias:t"`
	Name          string `bun:",pk"`
	Value         int64
}

const epochCounter = "epoch"

// NextEpoch draws a number greater than all drawn before.
func (tx *Tx) NextEpoch(ctx context.Context) (holdfast.Epoch, error) {
	r, err := one[counterRow](ctx, tx, "epoch counter", "name = ?", epochCounter)
	if err != nil && holdfast.KindOf(err) != holdfast.KindNotFound {
		return 0, err
	}
	r.Name = epochCounter
	r.Value++
	return holdfast.Epoch(r.Value), put(ctx, tx, &r, "name")
}

// RaiseEpoch makes all later epochs greater than e.
func (tx *Tx) RaiseEpoch(ctx context.Context, e holdfast.Epoch) error {
	r, err := one[counterRow](ctx, tx, "epoch counter", "name = ?", epochCounter)
	if err != nil && holdfast.KindOf(err) != holdfast.KindNotFound {
		return err
	}
	if r.Value >= int64(e) {
		return nil
	}
	return put(ctx, tx, &counterRow{Name: epochCounter, Value: int64(e)}, "name")
}

type secretRow struct {
	bun.BaseModel `bun:"table:secrets,alias:t"`
	ID            string `bun:",pk"`
	KeyID         string
	WrappedKey    []byte
	Ciphertext    []byte
}

// Secret gives a sealed secret.
func (tx *Tx) Secret(ctx context.Context, id string) (holdfast.SealedSecret, error) {
	r, err := one[secretRow](ctx, tx, "secret "+id, "id = ?", id)
	return holdfast.SealedSecret{ID: r.ID, KeyID: r.KeyID, WrappedKey: r.WrappedKey, Ciphertext: r.Ciphertext}, err
}

// PutSecret keeps a sealed secret.
func (tx *Tx) PutSecret(ctx context.Context, s holdfast.SealedSecret) error {
	return put(ctx, tx, &secretRow{ID: s.ID, KeyID: s.KeyID, WrappedKey: s.WrappedKey, Ciphertext: s.Ciphertext}, "id")
}

// DeleteSecret forgets a secret; one that is not there is no error.
func (tx *Tx) DeleteSecret(ctx context.Context, id string) error {
	return del[secretRow](ctx, tx, "id = ?", id)
}

type proxyRow struct {
	bun.BaseModel `bun:"table:proxies,alias:t"`
	ID            string `bun:",pk"`
	HostName      string
	Description   string
	Port          int
	BuiltIn       bool
	Version       string
	Maintenance   bool
	CPU           float64 `bun:"cpu"`
	Memory        float64
	LastSeen      stamp
	Created       stamp
}

func (r proxyRow) noun() (holdfast.Proxy, error) {
	return holdfast.Proxy{ID: holdfast.ProxyID(r.ID), HostName: r.HostName, Description: r.Description, Port: r.Port, BuiltIn: r.BuiltIn, Version: r.Version,
		Maintenance: r.Maintenance, CPU: r.CPU, Memory: r.Memory, LastSeen: r.LastSeen.time(), Created: r.Created.time()}, nil
}

// Proxies gives proxies by host name.
func (tx *Tx) Proxies(ctx context.Context, page holdfast.Page) ([]holdfast.Proxy, error) {
	var rows []proxyRow
	return scan(ctx, paged(tx.db.NewSelect().Model(&rows).OrderExpr("host_name, id"), page), &rows, proxyRow.noun)
}

// Proxy gives one proxy.
func (tx *Tx) Proxy(ctx context.Context, id holdfast.ProxyID) (holdfast.Proxy, error) {
	r, err := one[proxyRow](ctx, tx, fmt.Sprintf("proxy %s", id), "id = ?", string(id))
	if err != nil {
		return holdfast.Proxy{}, err
	}
	return r.noun()
}

// PutProxy keeps a proxy.
func (tx *Tx) PutProxy(ctx context.Context, p holdfast.Proxy) error {
	return put(ctx, tx, &proxyRow{ID: string(p.ID), HostName: clean(p.HostName), Description: clean(p.Description), Port: p.Port, BuiltIn: p.BuiltIn, Version: p.Version,
		Maintenance: p.Maintenance, CPU: p.CPU, Memory: p.Memory, LastSeen: at(p.LastSeen), Created: at(p.Created)}, "id")
}

type tokenRow struct {
	bun.BaseModel `bun:"table:tokens,alias:t"`
	Hash          string `bun:",pk"`
	Kind          string
	Family        string
	Account       string
	Issued        stamp
	Expires       stamp
	Used          stamp
}

// Token gives a token by its hash.
func (tx *Tx) Token(ctx context.Context, hash string) (holdfast.Token, error) {
	r, err := one[tokenRow](ctx, tx, "such token", "hash = ?", hash)
	return holdfast.Token{Hash: r.Hash, Kind: holdfast.TokenKind(r.Kind), Family: r.Family, Account: holdfast.UserID(r.Account), Issued: r.Issued.time(), Expires: r.Expires.time(), Used: r.Used.time()}, err
}

// PutToken keeps a token.
func (tx *Tx) PutToken(ctx context.Context, t holdfast.Token) error {
	return put(ctx, tx, &tokenRow{Hash: t.Hash, Kind: string(t.Kind), Family: t.Family, Account: string(t.Account), Issued: at(t.Issued), Expires: at(t.Expires), Used: at(t.Used)}, "hash")
}

// DeleteTokens ends a login.
func (tx *Tx) DeleteTokens(ctx context.Context, family string) error {
	return del[tokenRow](ctx, tx, "family = ?", family)
}

// DeleteTokensOf ends all logins of an account.
func (tx *Tx) DeleteTokensOf(ctx context.Context, account holdfast.UserID) error {
	return del[tokenRow](ctx, tx, "account = ?", string(account))
}

// DeleteTokensExpired forgets tokens that are good for nothing any more.
func (tx *Tx) DeleteTokensExpired(ctx context.Context, before time.Time) error {
	return del[tokenRow](ctx, tx, "expires < ?", at(before))
}

type auditRow struct {
	bun.BaseModel `bun:"table:audit,alias:t"`
	Number        int64 `bun:",pk"`
	Time          stamp
	Actor         string
	Address       string
	Act           string
	Object        string
	Detail        string
	Prev          string
	Hash          string
}

func (r auditRow) noun() (holdfast.AuditEntry, error) {
	return holdfast.AuditEntry{Number: r.Number, Time: r.Time.time(), Actor: r.Actor, Address: r.Address, Act: r.Act, Object: r.Object, Detail: r.Detail, Prev: r.Prev, Hash: r.Hash}, nil
}

// AuditHead is the last entry; ok is false when there is none.
func (tx *Tx) AuditHead(ctx context.Context) (e holdfast.AuditEntry, ok bool, err error) {
	var rows []auditRow
	all, err := scan(ctx, tx.db.NewSelect().Model(&rows).OrderExpr("number DESC").Limit(1), &rows, auditRow.noun)
	if err != nil || len(all) == 0 {
		return holdfast.AuditEntry{}, false, err
	}
	return all[0], true, nil
}

// AppendAudit adds an entry; there is no way to change one.
func (tx *Tx) AppendAudit(ctx context.Context, e holdfast.AuditEntry) error {
	_, err := tx.db.NewInsert().Model(&auditRow{Number: e.Number, Time: at(e.Time), Actor: e.Actor, Address: e.Address, Act: e.Act, Object: e.Object, Detail: e.Detail, Prev: e.Prev, Hash: e.Hash}).Exec(ctx)
	return err
}

// Audit gives entries from number on, in order.
func (tx *Tx) Audit(ctx context.Context, from int64, limit int) ([]holdfast.AuditEntry, error) {
	var rows []auditRow
	return scan(ctx, paged(tx.db.NewSelect().Model(&rows).Where("number >= ?", from).OrderExpr("number"), holdfast.Page{Limit: limit}), &rows, auditRow.noun)
}

// AuditFound gives a page of the entries that f wants, newest first.
func (tx *Tx) AuditFound(ctx context.Context, f holdfast.AuditFilter, page holdfast.Page) ([]holdfast.AuditEntry, error) {
	var rows []auditRow
	q := tx.db.NewSelect().Model(&rows).OrderExpr("number DESC")
	if f.Actor != "" {
		q = q.Where("lower(actor) = lower(?)", f.Actor)
	}
	if f.Act != "" {
		q = q.Where("substr(act, 1, ?) = ?", utf8.RuneCountInString(f.Act), f.Act)
	}
	if f.Text != "" {
		like := "%" + strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`).Replace(strings.ToLower(f.Text)) + "%"
		q = q.Where(`(lower(object) LIKE ? ESCAPE '\' OR lower(detail) LIKE ? ESCAPE '\' OR lower(address) LIKE ? ESCAPE '\')`, like, like, like)
	}
	if !f.From.IsZero() {
		q = q.Where("time >= ?", at(f.From))
	}
	if !f.Until.IsZero() {
		q = q.Where("time < ?", at(f.Until))
	}
	return scan(ctx, paged(q, page), &rows, auditRow.noun)
}
