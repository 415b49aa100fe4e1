package search

import (
	"context"
	"database/sql"
	"errors"
	"strings"

	"modernc.org/sqlite"
	sqlitelib "modernc.org/sqlite/lib"
)

// rowsAtOnce is how many rows one statement writes: what a statement costs besides its rows is as much as some of them.
const rowsAtOnce = 32

// rows writes rows of a table.
type rows struct {
	ctx          context.Context
	tx           *sql.Tx
	head, tail   string
	columns      int
	full, single *sql.Stmt // closed with the transaction; full is for rowsAtOnce of them
	args         []any
}

// manyRows prepares to write rows of so many columns by a statement that head begins and tail ends. It does not watch ctx, which would cost
// more than a statement does.
func manyRows(ctx context.Context, tx *sql.Tx, head string, columns int, tail string) *rows {
	return &rows{ctx: context.WithoutCancel(ctx), tx: tx, head: head, tail: tail, columns: columns}
}

// all writes n rows, at most rowsAtOnce, whose values row appends. After an error none of rowsAtOnce is written, and of fewer those before the one that failed are.
func (r *rows) all(n int, row func(args []any, n int) []any) error {
	if n == rowsAtOnce {
		r.args = r.args[:0]
		for i := range n {
			r.args = row(r.args, i)
		}
		return r.exec(&r.full, n)
	}
	for i := range n {
		r.args = row(r.args[:0], i)
		if err := r.exec(&r.single, 1); err != nil {
			return err
		}
	}
	return nil
}

func (r *rows) exec(stmt **sql.Stmt, n int) (err error) {
	if *stmt == nil {
		one := "(?" + strings.Repeat(", ?", r.columns-1) + ")"
		if *stmt, err = r.tx.PrepareContext(r.ctx, r.head+one+strings.Repeat(", "+one, n-1)+r.tail); err != nil {
			return err
		}
	}
	_, err = (*stmt).ExecContext(r.ctx, r.args...)
	return err
}

// taken says of an error that there is a row with that number already.
func taken(err error) bool {
	var lite *sqlite.Error
	return errors.As(err, &lite) && (lite.Code() == sqlitelib.SQLITE_CONSTRAINT_UNIQUE || lite.Code() == sqlitelib.SQLITE_CONSTRAINT_PRIMARYKEY)
}
