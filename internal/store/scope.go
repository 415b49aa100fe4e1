package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"

	"github.com/uptrace/bun"

	"holdfast/internal/holdfast"
)

// Restrict makes the rest of the transaction see only what is in s: other organizations, jobs, job sessions, containers, restore points, their
// entries and restore sessions are not there. nil changes nothing. Writes and the other tables are not narrowed: callers change only
// what they have read.
func (tx *Tx) Restrict(s *holdfast.Scope) {
	if s != nil {
		tx.scope = s
	}
}

// narrow adds a condition to a query.
type narrow func(*bun.SelectQuery) *bun.SelectQuery

// ofOrganizations keeps rows of organizations in which something is in scope.
func (tx *Tx) ofOrganizations(column string) narrow {
	return tx.orgs(column, func(holdfast.Grant) bool { return true })
}

// ofWholeOrganizations keeps rows that concern a whole organization: who sees only a part of it does not see them.
func (tx *Tx) ofWholeOrganizations(column string) narrow {
	return tx.orgs(column, func(g holdfast.Grant) bool { return g.Whole && len(g.Excluded) == 0 })
}

func (tx *Tx) orgs(column string, which func(holdfast.Grant) bool) narrow {
	return func(q *bun.SelectQuery) *bun.SelectQuery {
		if tx.scope == nil {
			return q
		}
		var ids []string
		for _, g := range tx.scope.Grants {
			if which(g) {
				ids = append(ids, clean(string(g.Organization)))
			}
		}
		if len(ids) == 0 {
			return q.Where("1 = 0")
		}
		return q.Where("? IN (?)", bun.Ident(column), bun.In(ids))
	}
}

// ofObjects keeps rows whose organization and owner are in scope.
func (tx *Tx) ofObjects(organization, owner string) narrow {
	return func(q *bun.SelectQuery) *bun.SelectQuery {
		if text, args := tx.objects(organization, owner); text != "" {
			return q.Where(text, args...)
		}
		return q
	}
}

// objects is the condition of ofObjects; empty when all is in scope.
func (tx *Tx) objects(organization, owner string) (string, []any) {
	if tx.scope == nil {
		return "", nil
	}
	var either condition
	for _, g := range tx.scope.Grants {
		if of, args, some := ownerIn(g, owner); some {
			either.or("? = ?"+of, append([]any{bun.Ident(organization), clean(string(g.Organization))}, args...))
		}
	}
	return either.text()
}

// entriesOf keeps the entries that are in scope of a restore point of an organization.
func (tx *Tx) entriesOf(org holdfast.OrganizationID) narrow {
	return func(q *bun.SelectQuery) *bun.SelectQuery {
		if tx.scope == nil {
			return q
		}
		var either condition
		for _, g := range tx.scope.Grants {
			if of, args, some := ownerIn(g, "owner"); some && g.Organization == org {
				either.or("1 = 1"+of, args)
			}
		}
		text, args := either.text()
		return q.Where(text, args...)
	}
}

// ownerIn is what a grant demands of the owner's column; some is false when no owner fulfils it.
func ownerIn(g holdfast.Grant, owner string) (text string, args []any, some bool) {
	switch allowed := g.Allowed(); {
	case !g.Whole && len(allowed) == 0:
		return "", nil, false
	case !g.Whole:
		text, args = ownedBy(owner, cleaned(allowed))
	case len(g.Excluded) > 0:
		text, args = ownedOutside(owner, cleaned(g.Excluded))
	default:
		return "", nil, true
	}
	return " AND " + text, args, true
}

// condition is several that are joined by OR; none of them is false.
type condition struct {
	parts []string
	args  []any
}

func (c *condition) or(text string, args []any) {
	c.parts, c.args = append(c.parts, "("+text+")"), append(c.args, args...)
}

func (c *condition) text() (string, []any) {
	if len(c.parts) == 0 {
		return "1 = 0", nil
	}
	return "(" + strings.Join(c.parts, " OR ") + ")", c.args
}

func cleaned(all []string) []string {
	out := make([]string, len(all))
	for i, s := range all {
		out[i] = clean(s)
	}
	return out
}

// ofPoints keeps restore points that hold an object in scope.
func (tx *Tx) ofPoints() narrow {
	return func(q *bun.SelectQuery) *bun.SelectQuery {
		text, args := tx.objects("t.organization", "e.owner")
		if text == "" {
			return q
		}
		return q.Where("EXISTS (SELECT 1 FROM restore_point_entries AS e WHERE e.restore_point = t.id AND e.head > 0 AND "+text+")", args...)
	}
}

// ofRestoreSessions keeps the account's own restore sessions, or those of organizations in scope.
func (tx *Tx) ofRestoreSessions() narrow {
	return func(q *bun.SelectQuery) *bun.SelectQuery {
		switch {
		case tx.scope == nil:
			return q
		case tx.scope.Account != "":
			return q.Where("account = ?", clean(string(tx.scope.Account)))
		}
		return tx.ofWholeOrganizations("organization")(q)
	}
}

// oneOf is one among the rows that are in scope.
func oneOf[R any](ctx context.Context, tx *Tx, in narrow, what string, where string, args ...any) (R, error) {
	var row R
	for i, a := range args {
		if s, ok := a.(string); ok {
			args[i] = clean(s)
		}
	}
	q := tx.db.NewSelect().Model(&row).Where(where, args...).Limit(1)
	if in != nil {
		q = in(q)
	}
	if err := q.Scan(ctx); errors.Is(err, sql.ErrNoRows) {
		return row, holdfast.NotFound("there is no %s", what)
	} else if err != nil {
		return row, fmt.Errorf("read %s: %w", what, err)
	}
	return row, nil
}
