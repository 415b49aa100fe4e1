package store

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/uptrace/bun"

	"holdfast/internal/holdfast"
)

type accountRow struct {
	bun.BaseModel `bun:"table:accounts,alias:t"`
	ID            string `bun:",pk"`
	Name          string
	NameKey       string
	DisplayName   string
	Role          string
	PasswordHash  string
	Disabled      bool
	Created       stamp
	LastLogin     stamp
	Organization  string
	ObjectID      string
	Factor        bool
	FactorStep    int64
	FactorMisses  int
	FactorWait    stamp
	Passkeys      int
}

func (r accountRow) noun() (holdfast.Account, error) {
	return holdfast.Account{ID: holdfast.UserID(r.ID), Name: r.Name, DisplayName: r.DisplayName, Role: r.Role, PasswordHash: r.PasswordHash, Disabled: r.Disabled, Created: r.Created.time(), LastLogin: r.LastLogin.time(),
		Organization: holdfast.OrganizationID(r.Organization), ObjectID: r.ObjectID, Factor: r.Factor, FactorStep: r.FactorStep, FactorMisses: r.FactorMisses, FactorWait: r.FactorWait.time(), Passkeys: r.Passkeys}, nil
}

// nameKey is what must differ: names of local users whatever their case, directory users by their ids.
func nameKey(a holdfast.Account) string {
	if a.Local() {
		return "local/" + strings.ToLower(clean(a.Name))
	}
	return clean(string(a.Organization) + "/" + a.ObjectID)
}

// Accounts gives accounts by name: local ones, or those of directories.
func (tx *Tx) Accounts(ctx context.Context, local bool, page holdfast.Page) ([]holdfast.Account, error) {
	var rows []accountRow
	q := tx.db.NewSelect().Model(&rows).OrderExpr("name_key, id")
	if local {
		q = q.Where("organization = ''")
	} else {
		q = q.Where("organization <> ''")
	}
	return scan(ctx, paged(q, page), &rows, accountRow.noun)
}

// Account gives an account.
func (tx *Tx) Account(ctx context.Context, id holdfast.UserID) (holdfast.Account, error) {
	r, err := one[accountRow](ctx, tx, fmt.Sprintf("account %s", id), "id = ?", string(id))
	if err != nil {
		return holdfast.Account{}, err
	}
	return r.noun()
}

// AccountByName gives a local user by his name, whatever its case.
func (tx *Tx) AccountByName(ctx context.Context, name string) (holdfast.Account, error) {
	r, err := one[accountRow](ctx, tx, "such account", "name_key = ?", nameKey(holdfast.Account{Name: name}))
	if err != nil {
		return holdfast.Account{}, err
	}
	return r.noun()
}

// PutAccount keeps an account. A second one of the same name is an error of the database.
func (tx *Tx) PutAccount(ctx context.Context, a holdfast.Account) error {
	return put(ctx, tx, &accountRow{ID: string(a.ID), Name: clean(a.Name), NameKey: nameKey(a), DisplayName: clean(a.DisplayName), Role: a.Role, PasswordHash: a.PasswordHash, Disabled: a.Disabled, Created: at(a.Created), LastLogin: at(a.LastLogin),
		Organization: string(a.Organization), ObjectID: clean(a.ObjectID), Factor: a.Factor, FactorStep: a.FactorStep, FactorMisses: a.FactorMisses, FactorWait: at(a.FactorWait), Passkeys: a.Passkeys}, "id")
}

// DeleteAccount forgets an account with all that it can sign in with.
func (tx *Tx) DeleteAccount(ctx context.Context, id holdfast.UserID) error {
	for _, d := range []func(context.Context, *Tx, string, ...any) error{del[tokenRow], del[browserSessionRow], del[apiKeyRow], del[recoveryCodeRow], del[passkeyRow]} {
		if err := d(ctx, tx, "account = ?", string(id)); err != nil {
			return err
		}
	}
	return del[accountRow](ctx, tx, "id = ?", string(id))
}

type browserSessionRow struct {
	bun.BaseModel `bun:"table:browser_sessions,alias:t"`
	Hash          string `bun:",pk"`
	Account       string
	Address       string
	Created       stamp
	LastUsed      stamp
	Expires       stamp
	Proved        stamp
}

// BrowserSession gives one by its secret's hash.
func (tx *Tx) BrowserSession(ctx context.Context, hash string) (holdfast.BrowserSession, error) {
	r, err := one[browserSessionRow](ctx, tx, "such browser session", "hash = ?", hash)
	return holdfast.BrowserSession{Hash: r.Hash, Account: holdfast.UserID(r.Account), Address: r.Address, Created: r.Created.time(), LastUsed: r.LastUsed.time(), Expires: r.Expires.time(), Proved: r.Proved.time()}, err
}

// PutBrowserSession keeps one.
func (tx *Tx) PutBrowserSession(ctx context.Context, s holdfast.BrowserSession) error {
	return put(ctx, tx, &browserSessionRow{Hash: s.Hash, Account: string(s.Account), Address: clean(s.Address), Created: at(s.Created), LastUsed: at(s.LastUsed), Expires: at(s.Expires), Proved: at(s.Proved)}, "hash")
}

// DeleteBrowserSession ends one; one that is not there is no error.
func (tx *Tx) DeleteBrowserSession(ctx context.Context, hash string) error {
	return del[browserSessionRow](ctx, tx, "hash = ?", hash)
}

// DeleteBrowserSessionsOf ends all of an account.
func (tx *Tx) DeleteBrowserSessionsOf(ctx context.Context, account holdfast.UserID) error {
	return del[browserSessionRow](ctx, tx, "account = ?", string(account))
}

// DeleteBrowserSessionsExpired forgets those that have ended by themselves.
func (tx *Tx) DeleteBrowserSessionsExpired(ctx context.Context, now, usedBefore time.Time) error {
	return del[browserSessionRow](ctx, tx, "expires < ? OR last_used < ?", at(now), at(usedBefore))
}

type apiKeyRow struct {
	bun.BaseModel     `bun:"table:api_keys,alias:t"`
	ID                string `bun:",pk"`
	Hash              string
	Name              string
	Account           string
	Role              string
	SpecOrganizations string
	Created           stamp
	Expires           stamp
	LastUsed          stamp
}

func (r apiKeyRow) noun() (holdfast.APIKey, error) {
	k := holdfast.APIKey{ID: r.ID, Hash: r.Hash, Name: r.Name, Account: holdfast.UserID(r.Account), Role: r.Role, Created: r.Created.time(), Expires: r.Expires.time(), LastUsed: r.LastUsed.time()}
	if err := json.Unmarshal([]byte(r.SpecOrganizations), &k.Organizations); err != nil {
		return k, fmt.Errorf("decode API key %s: %w", r.ID, err)
	}
	return k, nil
}

// APIKeys gives keys by name; an empty account means all.
func (tx *Tx) APIKeys(ctx context.Context, account holdfast.UserID, page holdfast.Page) ([]holdfast.APIKey, error) {
	var rows []apiKeyRow
	q := tx.db.NewSelect().Model(&rows).OrderExpr("lower(name), id")
	if account != "" {
		q = q.Where("account = ?", string(account))
	}
	return scan(ctx, paged(q, page), &rows, apiKeyRow.noun)
}

// APIKey gives one by its id.
func (tx *Tx) APIKey(ctx context.Context, id string) (holdfast.APIKey, error) {
	r, err := one[apiKeyRow](ctx, tx, "API key "+id, "id = ?", id)
	if err != nil {
		return holdfast.APIKey{}, err
	}
	return r.noun()
}

// APIKeyByHash gives one by its secret's hash.
func (tx *Tx) APIKeyByHash(ctx context.Context, hash string) (holdfast.APIKey, error) {
	r, err := one[apiKeyRow](ctx, tx, "such API key", "hash = ?", hash)
	if err != nil {
		return holdfast.APIKey{}, err
	}
	return r.noun()
}

// PutAPIKey keeps one.
func (tx *Tx) PutAPIKey(ctx context.Context, k holdfast.APIKey) error {
	text, err := json.Marshal(k.Organizations)
	if err != nil {
		return fmt.Errorf("encode API key %s: %w", k.ID, err)
	}
	return put(ctx, tx, &apiKeyRow{ID: k.ID, Hash: k.Hash, Name: clean(k.Name), Account: string(k.Account), Role: k.Role, SpecOrganizations: string(text), Created: at(k.Created), Expires: at(k.Expires), LastUsed: at(k.LastUsed)}, "id")
}

// DeleteAPIKey forgets one.
func (tx *Tx) DeleteAPIKey(ctx context.Context, id string) error {
	return del[apiKeyRow](ctx, tx, "id = ?", id)
}

type recoveryCodeRow struct {
	bun.BaseModel `bun:"table:recovery_codes,alias:t"`
	Account       string `bun:",pk"`
	Hash          string `bun:",pk"`
}

// PutRecoveryCodes replaces an account's recovery codes, given as hashes; none deletes them.
func (tx *Tx) PutRecoveryCodes(ctx context.Context, account holdfast.UserID, hashes []string) error {
	if err := del[recoveryCodeRow](ctx, tx, "account = ?", string(account)); err != nil || len(hashes) == 0 {
		return err
	}
	rows := make([]recoveryCodeRow, len(hashes))
	for i, h := range hashes {
		rows[i] = recoveryCodeRow{Account: string(account), Hash: h}
	}
	if _, err := tx.db.NewInsert().Model(&rows).Exec(ctx); err != nil {
		return fmt.Errorf("write recovery codes: %w", err)
	}
	return nil
}

// SpendRecoveryCode deletes a recovery code and says whether it was there.
func (tx *Tx) SpendRecoveryCode(ctx context.Context, account holdfast.UserID, hash string) (bool, error) {
	r, err := tx.db.NewDelete().Model((*recoveryCodeRow)(nil)).Where("account = ? AND hash = ?", string(account), hash).Exec(ctx)
	if err != nil {
		return false, fmt.Errorf("spend a recovery code: %w", err)
	}
	n, err := r.RowsAffected()
	return n > 0, err
}

// RecoveryCodes counts the codes that are left.
func (tx *Tx) RecoveryCodes(ctx context.Context, account holdfast.UserID) (int, error) {
	n, err := tx.db.NewSelect().Model((*recoveryCodeRow)(nil)).Where("account = ?", string(account)).Count(ctx)
	return int(n), err
}

type passkeyRow struct {
	bun.BaseModel  `bun:"table:passkeys,alias:t"`
	ID             string `bun:",pk"`
	Account        string
	Name           string
	Host           string
	PublicKey      []byte
	SignCount      int64
	Flags          int
	SpecTransports string
	Created        stamp
	LastUsed       stamp
}

func (r passkeyRow) noun() (holdfast.Passkey, error) {
	k := holdfast.Passkey{ID: r.ID, Account: holdfast.UserID(r.Account), Name: r.Name, Host: r.Host, PublicKey: r.PublicKey, SignCount: uint32(r.SignCount), Flags: byte(r.Flags), Created: r.Created.time(), LastUsed: r.LastUsed.time()}
	if err := json.Unmarshal([]byte(r.SpecTransports), &k.Transports); err != nil {
		return k, fmt.Errorf("decode passkey %s: %w", r.ID, err)
	}
	return k, nil
}

// Passkeys gives those of an account, oldest first.
func (tx *Tx) Passkeys(ctx context.Context, account holdfast.UserID) ([]holdfast.Passkey, error) {
	var rows []passkeyRow
	return scan(ctx, tx.db.NewSelect().Model(&rows).Where("account = ?", string(account)).OrderExpr("created, id"), &rows, passkeyRow.noun)
}

// Passkey gives one by its credential's id.
func (tx *Tx) Passkey(ctx context.Context, id string) (holdfast.Passkey, error) {
	r, err := one[passkeyRow](ctx, tx, "such passkey", "id = ?", clean(id))
	if err != nil {
		return holdfast.Passkey{}, err
	}
	return r.noun()
}

// PutPasskey keeps one. The account's count of them is the caller's to keep.
func (tx *Tx) PutPasskey(ctx context.Context, k holdfast.Passkey) error {
	text, err := json.Marshal(k.Transports)
	if err != nil {
		return fmt.Errorf("encode a passkey: %w", err)
	}
	return put(ctx, tx, &passkeyRow{ID: clean(k.ID), Account: string(k.Account), Name: clean(k.Name), Host: clean(k.Host), PublicKey: k.PublicKey, SignCount: int64(k.SignCount), Flags: int(k.Flags), SpecTransports: string(text),
		Created: at(k.Created), LastUsed: at(k.LastUsed)}, "id")
}

// DeletePasskey forgets one.
func (tx *Tx) DeletePasskey(ctx context.Context, id string) error {
	return del[passkeyRow](ctx, tx, "id = ?", clean(id))
}

// DeletePasskeysOf forgets all of an account.
func (tx *Tx) DeletePasskeysOf(ctx context.Context, account holdfast.UserID) error {
	return del[passkeyRow](ctx, tx, "account = ?", string(account))
}

type rbacRoleRow struct {
	bun.BaseModel `bun:"table:rbac_roles,alias:t"`
	ID            string `bun:",pk"`
	Organization  string
	NameKey       string
	Spec          string
}

func (r rbacRoleRow) noun() (holdfast.RbacRole, error) {
	var n holdfast.RbacRole
	if err := json.Unmarshal([]byte(r.Spec), &n); err != nil {
		return n, fmt.Errorf("decode restore role %s: %w", r.ID, err)
	}
	return n, nil
}

// RbacRoles gives restore roles by name; an empty organization means all.
func (tx *Tx) RbacRoles(ctx context.Context, org holdfast.OrganizationID) ([]holdfast.RbacRole, error) {
	var rows []rbacRoleRow
	q := tx.ofOrganizations("organization")(tx.db.NewSelect().Model(&rows).OrderExpr("name_key, id"))
	if org != "" {
		q = q.Where("organization = ?", clean(string(org)))
	}
	return scan(ctx, q, &rows, rbacRoleRow.noun)
}

// RbacRole gives one.
func (tx *Tx) RbacRole(ctx context.Context, id string) (holdfast.RbacRole, error) {
	r, err := oneOf[rbacRoleRow](ctx, tx, tx.ofOrganizations("organization"), "restore role "+id, "id = ?", id)
	if err != nil {
		return holdfast.RbacRole{}, err
	}
	return r.noun()
}

// PutRbacRole keeps one. Two of a name in an organization are an error of the database.
func (tx *Tx) PutRbacRole(ctx context.Context, n holdfast.RbacRole) error {
	spec, err := json.Marshal(n)
	if err != nil {
		return fmt.Errorf("encode restore role %s: %w", n.ID, err)
	}
	return put(ctx, tx, &rbacRoleRow{ID: n.ID, Organization: string(n.Organization), NameKey: strings.ToLower(clean(n.Name)), Spec: clean(string(spec))}, "id")
}

// DeleteRbacRole forgets one.
func (tx *Tx) DeleteRbacRole(ctx context.Context, id string) error {
	return del[rbacRoleRow](ctx, tx, "id = ?", id)
}

type groupRow struct {
	bun.BaseModel `bun:"table:directory_groups,alias:t"`
	Organization  string `bun:",pk"`
	ID            string `bun:",pk"`
	SpecMembers   string
	ReadAt        stamp
}

// GroupMembers gives a directory group's members as they were read last; a group that never was is a KindNotFound error.
func (tx *Tx) GroupMembers(ctx context.Context, org holdfast.OrganizationID, group string) (holdfast.GroupMembers, error) {
	r, err := one[groupRow](ctx, tx, "such group", "organization = ? AND id = ?", string(org), group)
	if err != nil {
		return holdfast.GroupMembers{}, err
	}
	g := holdfast.GroupMembers{Organization: org, Group: group, Read: r.ReadAt.time()}
	if err := json.Unmarshal([]byte(r.SpecMembers), &g.Members); err != nil {
		return g, fmt.Errorf("decode the members of group %s: %w", group, err)
	}
	return g, nil
}

// PutGroupMembers keeps a group's members.
func (tx *Tx) PutGroupMembers(ctx context.Context, g holdfast.GroupMembers) error {
	text, err := json.Marshal(g.Members)
	if err != nil {
		return fmt.Errorf("encode the members of group %s: %w", g.Group, err)
	}
	return put(ctx, tx, &groupRow{Organization: string(g.Organization), ID: clean(g.Group), SpecMembers: string(text), ReadAt: at(g.Read)}, "organization, id")
}
