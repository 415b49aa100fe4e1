package store

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"

	"github.com/uptrace/bun"

	"holdfast/internal/holdfast"
)

// ownerSetRow is one of several who have something together.
type ownerSetRow struct {
	bun.BaseModel `bun:"table:owner_sets,alias:s"`
	ID            string `bun:",pk"`
	Owner         string `bun:",pk"`
}

// setPrefix begins the id of a set of owners; the id of an owner never begins so.
const setPrefix = "set:"

// ownerKey is what stands in a column of owners: the owner, or the id of the set of them.
func ownerKey(owner string) string {
	if len(holdfast.Owners(owner)) < 2 {
		return clean(owner)
	}
	sum := sha256.Sum256([]byte(owner))
	return setPrefix + hex.EncodeToString(sum[:16])
}

// putOwners keeps the sets that owners are, so that queries find what is in them.
func (tx *Tx) putOwners(ctx context.Context, owners ...string) error {
	seen := map[string]bool{}
	var rows []ownerSetRow
	for _, owner := range owners {
		all := holdfast.Owners(owner)
		if len(all) < 2 || seen[owner] {
			continue
		}
		seen[owner] = true
		id := ownerKey(owner)
		for _, one := range all {
			rows = append(rows, ownerSetRow{ID: id, Owner: clean(one)})
		}
	}
	for len(rows) > 0 {
		n := min(len(rows), 500)
		part := rows[:n]
		if _, err := tx.db.NewInsert().Model(&part).On("CONFLICT (id, owner) DO NOTHING").Exec(ctx); err != nil {
			return fmt.Errorf("keep a set of owners: %w", err)
		}
		rows = rows[n:]
	}
	return nil
}

// ownedBy is the condition that an owner, or a set that one of them is in, stands in a column.
func ownedBy(column string, owners []string) (string, []any) {
	return "(? IN (?) OR ? IN (SELECT os.id FROM owner_sets AS os WHERE os.owner IN (?)))", []any{bun.Ident(column), bun.In(owners), bun.Ident(column), bun.In(owners)}
}

// ownedOutside is the condition that an owner, or a set with one, who is none of those stands in a column.
func ownedOutside(column string, owners []string) (string, []any) {
	c := bun.Ident(column)
	return "? <> '' AND ? NOT IN (?) AND (? NOT LIKE '" + setPrefix + "%' OR ? IN (SELECT os.id FROM owner_sets AS os WHERE os.owner NOT IN (?)))", []any{c, c, bun.In(owners), c, c, bun.In(owners)}
}
