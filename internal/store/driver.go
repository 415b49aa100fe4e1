package store

import (
	"context"
	"database/sql/driver"
	"errors"

	"holdfast/internal/sys"
)

// Fault points of the database.
const (
	PointBegin  = "db.begin"
	PointExec   = "db.exec"
	PointQuery  = "db.query"
	PointCommit = "db.commit"
)

// connector puts fault points around each call to a database.
type connector struct {
	driver.Connector
	faults *sys.Faults
}

// nativeConn is what the connections of both drivers can do.
type nativeConn interface {
	driver.Conn
	driver.ConnBeginTx
	driver.ConnPrepareContext
	driver.ExecerContext
	driver.QueryerContext
	driver.Pinger
	driver.SessionResetter
}

func (c connector) Connect(ctx context.Context) (driver.Conn, error) {
	base, err := c.Connector.Connect(ctx)
	if err != nil || c.faults == nil {
		return base, err
	}
	native, ok := base.(nativeConn)
	if !ok {
		return nil, errors.Join(errors.New("the database driver lacks calls that fault points go around"), base.Close())
	}
	return &faultyConn{nativeConn: native, faults: c.faults}, nil
}

type faultyConn struct {
	nativeConn
	faults *sys.Faults
}

// Unwrap gives the connection beneath.
func (c *faultyConn) Unwrap() driver.Conn { return c.nativeConn }

// IsValid passes the question on to those that answer it.
func (c *faultyConn) IsValid() bool {
	v, ok := c.nativeConn.(driver.Validator)
	return !ok || v.IsValid()
}

// CheckNamedValue lets the driver convert arguments, where it does.
func (c *faultyConn) CheckNamedValue(v *driver.NamedValue) error {
	if n, ok := c.nativeConn.(driver.NamedValueChecker); ok {
		return n.CheckNamedValue(v)
	}
	return driver.ErrSkip
}

func (c *faultyConn) BeginTx(ctx context.Context, opts driver.TxOptions) (driver.Tx, error) {
	if f := c.faults.Hit(PointBegin); f != nil {
		return nil, f.Err
	}
	tx, err := c.nativeConn.BeginTx(ctx, opts)
	if err != nil {
		return nil, err
	}
	return &faultyTx{tx, c.faults}, nil
}

func (c *faultyConn) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (r driver.Result, err error) {
	err = c.faults.Do(ctx, PointExec, func(ctx context.Context) error {
		r, err = c.nativeConn.ExecContext(ctx, query, args)
		return err
	})
	return r, err
}

func (c *faultyConn) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	if f := c.faults.Hit(PointQuery); f != nil {
		return nil, f.Err
	}
	return c.nativeConn.QueryContext(ctx, query, args)
}

type faultyTx struct {
	driver.Tx
	faults *sys.Faults
}

// Commit with a fault either commits and says that it did not, or rolls back as the database does when it loses the connection.
func (t *faultyTx) Commit() error {
	f := t.faults.Hit(PointCommit)
	if f == nil {
		return t.Tx.Commit()
	}
	if f.Mode == sys.FaultErrorAfter {
		return errors.Join(t.Tx.Commit(), f.Err)
	}
	return errors.Join(t.Tx.Rollback(), f.Err)
}
