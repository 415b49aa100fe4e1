// Package store keeps the rows that the rules work with, in SQLite or PostgreSQL: the same queries and migrations for both.
// It knows no rules. A transaction is as if nothing else ran beside it; times are microseconds since 1970, UTC.
package store

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"net/url"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
	"github.com/uptrace/bun"
	"github.com/uptrace/bun/dialect/pgdialect"
	"github.com/uptrace/bun/dialect/sqlitedialect"
	"modernc.org/sqlite"
	sqlitelib "modernc.org/sqlite/lib"

	"holdfast/internal/holdfast"
	"holdfast/internal/sys"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Options say which database it is.
type Options struct {
	// URL is postgres://… or, when empty, SQLite in the file Path.
	URL   string
	Path  string
	Clock sys.Clock // nil is the machine's
	// Faults breaks calls to the database, for tests; nil breaks none.
	Faults *sys.Faults
}

// Store is an open database.
type Store struct {
	write, read *bun.DB
	lite        bool
	clock       sys.Clock
	opened      time.Time // by clock; SQLite's lease clock counts from here
	anchor      time.Time
}

// Readers is how many reads of SQLite run at once beside the writer.
const readers = 4

// Open opens the database and brings its schema up to date. A newer schema than this program's is refused.
func Open(ctx context.Context, o Options) (*Store, error) {
	if o.Clock == nil {
		o.Clock = sys.System
	}
	s := &Store{clock: o.Clock, lite: o.URL == ""}
	var err error
	if s.lite {
		err = s.openSQLite(o)
	} else {
		err = s.openPostgreSQL(o)
	}
	if err != nil {
		return nil, err
	}
	if err := s.migrate(ctx); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	s.opened = s.clock.Now()
	s.anchor = s.opened
	return s, nil
}

func (s *Store) openSQLite(o Options) error {
	open := func(writer bool) (*bun.DB, error) {
		q := url.Values{"_pragma": {"busy_timeout(5000)", "journal_mode(WAL)", "synchronous(FULL)", "foreign_keys(1)", "journal_size_limit(67108864)"}}
		if writer {
			q.Set("_txlock", "immediate")
		} else {
			q.Add("_pragma", "query_only(1)")
		}
		base, err := sqlite.NewConnector((&url.URL{Scheme: "file", Opaque: (&url.URL{Path: o.Path}).EscapedPath(), RawQuery: q.Encode()}).String())
		if err != nil {
			return nil, fmt.Errorf("open database %s: %w", o.Path, err)
		}
		db := sql.OpenDB(connector{base, o.Faults})
		n := readers
		if writer {
			n = 1
		}
		db.SetMaxOpenConns(n)
		db.SetMaxIdleConns(n)
		return bun.NewDB(db, sqlitedialect.New()), nil
	}
	var err error
	if s.write, err = open(true); err != nil {
		return err
	}
	s.read, err = open(false)
	return err
}

func (s *Store) openPostgreSQL(o Options) error {
	cfg, err := pgx.ParseConfig(o.URL)
	if err != nil {
		return holdfast.Invalid("the database address is not one of PostgreSQL: %w", err)
	}
	// Queries come with their values in them, so preparing each would only cost.
	cfg.DefaultQueryExecMode = pgx.QueryExecModeSimpleProtocol
	db := sql.OpenDB(connector{stdlib.GetConnector(*cfg), o.Faults})
	db.SetMaxOpenConns(16)
	db.SetMaxIdleConns(8)
	s.write = bun.NewDB(db, pgdialect.New())
	s.read = s.write
	return nil
}

// Close closes the database.
func (s *Store) Close() error {
	var errs []error
	if s.read != nil && s.read != s.write {
		errs = append(errs, s.read.Close())
	}
	if s.write != nil {
		errs = append(errs, s.write.Close())
	}
	return errors.Join(errs...)
}

// migrate runs each migration in a transaction of its own with its mark, so that one that was cut short has not happened.
func (s *Store) migrate(ctx context.Context) error {
	dir, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return err
	}
	dialect := goose.DialectPostgres
	if s.lite {
		dialect = goose.DialectSQLite3
	}
	p, err := goose.NewProvider(dialect, s.write.DB, dir, goose.WithVerbose(false), goose.WithLogger(goose.NopLogger()))
	if err != nil {
		return fmt.Errorf("prepare migrations: %w", err)
	}
	have, err := p.GetDBVersion(ctx)
	if err != nil {
		return s.classify(fmt.Errorf("read the version of the database: %w", err))
	}
	sources := p.ListSources()
	if newest := sources[len(sources)-1].Version; have > newest {
		return holdfast.Invalid("the database has version %d, but this program knows up to %d: start the newer program that wrote it", have, newest)
	}
	if _, err := p.Up(ctx); err != nil {
		return s.classify(fmt.Errorf("migrate the database: %w", err))
	}
	return nil
}

// Now is the clock that leases run by: PostgreSQL's own, or, since SQLite has none, the time that passed by the process's monotonic clock
// since the database was opened.
func (s *Store) Now(ctx context.Context) (time.Time, error) {
	if s.lite {
		return s.anchor.Add(s.clock.Now().Sub(s.opened)).UTC().Truncate(time.Microsecond), nil
	}
	var micros int64
	if err := s.read.NewRaw("SELECT CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000000 AS BIGINT)").Scan(ctx, &micros); err != nil {
		return time.Time{}, s.classify(fmt.Errorf("read the database's clock: %w", err))
	}
	return time.UnixMicro(micros).UTC(), nil
}

// attempts is how often a transaction is tried when the database asks for it.
const attempts = 12

// Read runs fn on a snapshot.
func (s *Store) Read(ctx context.Context, fn func(ctx context.Context, tx *Tx) error) error {
	opts := &sql.TxOptions{Isolation: sql.LevelRepeatableRead, ReadOnly: true}
	if s.lite {
		opts = nil
	}
	return s.retry(ctx, func() error { return s.transact(ctx, s.read, opts, fn) })
}

// Write runs fn in one transaction, again when it collided with another one.
func (s *Store) Write(ctx context.Context, fn func(ctx context.Context, tx *Tx) error) error {
	opts := &sql.TxOptions{Isolation: sql.LevelSerializable}
	if s.lite {
		opts = nil
	}
	return s.retry(ctx, func() error { return s.transact(ctx, s.write, opts, fn) })
}

func (s *Store) retry(ctx context.Context, try func() error) error {
	for n := 1; ; n++ {
		err := try()
		if err == nil || n == attempts || !again(err) {
			return s.classify(err)
		}
		wait := time.Duration(rand.Int64N(int64(2*time.Millisecond) << min(n, 7)))
		if err := s.clock.Sleep(ctx, wait); err != nil {
			return err
		}
	}
}

// transact runs fn once. Only waiting for a connection and fn itself end with ctx: a commit that has begun is not torn off.
func (s *Store) transact(ctx context.Context, db *bun.DB, opts *sql.TxOptions, fn func(ctx context.Context, tx *Tx) error) (err error) {
	conn, err := db.Conn(ctx)
	if err != nil {
		return fmt.Errorf("connect to the database: %w", err)
	}
	defer func() { _ = conn.Close() }() // only gives it back to the pool
	tx, err := conn.BeginTx(context.WithoutCancel(ctx), opts)
	if err != nil {
		return fmt.Errorf("begin a transaction: %w", err)
	}
	done := false
	defer func() {
		if !done {
			// What failed is told already; a connection that can't roll back is thrown away by the pool.
			_ = tx.Rollback()
		}
	}()
	if err := fn(ctx, &Tx{db: tx, lite: s.lite}); err != nil {
		return err
	}
	done = true
	if err := tx.Commit(); err != nil {
		if again(err) {
			return err
		}
		return holdfast.Unknown("the database did not say whether it kept the change: %w", err)
	}
	return nil
}

// again says that the database undid a transaction because of another one.
func again(err error) bool {
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		return pg.Code == "40001" || pg.Code == "40P01"
	}
	var lite *sqlite.Error
	return errors.As(err, &lite) && (lite.Code()&0xff == sqlitelib.SQLITE_BUSY || lite.Code()&0xff == sqlitelib.SQLITE_LOCKED)
}

// classify gives what a user can act on a kind and a next step.
func (s *Store) classify(err error) error {
	if err == nil || holdfast.KindOf(err) != holdfast.KindInternal {
		return err
	}
	var lite *sqlite.Error
	if errors.As(err, &lite) {
		switch lite.Code() & 0xff {
		case sqlitelib.SQLITE_FULL:
			return holdfast.Unavailable("the disk of the data folder is full; nothing was changed: make room: %w", err)
		case sqlitelib.SQLITE_BUSY, sqlitelib.SQLITE_LOCKED:
			return holdfast.Unavailable("the database is in use by another program; try again: %w", err)
		case sqlitelib.SQLITE_CORRUPT, sqlitelib.SQLITE_NOTADB:
			return holdfast.Damaged("the database file is damaged: put a copy of it back, or move it away and rebuild from the repository: %w", err)
		case sqlitelib.SQLITE_READONLY, sqlitelib.SQLITE_CANTOPEN:
			return holdfast.Unavailable("the database file can't be written: check the data folder's owner and mode: %w", err)
		}
	}
	var pg *pgconn.PgError
	if errors.As(err, &pg) && (strings.HasPrefix(pg.Code, "53") || strings.HasPrefix(pg.Code, "57") || strings.HasPrefix(pg.Code, "40")) {
		return holdfast.Unavailable("the database can't do it now (%s): try again: %w", pg.Message, err)
	}
	var connect *pgconn.ConnectError
	if errors.As(err, &connect) {
		return holdfast.Unavailable("the database can't be reached: %w", err)
	}
	return err
}

// Tx is the rows as one transaction sees them. What does not exist is a KindNotFound error.
type Tx struct {
	db   bun.Tx
	lite bool
	// scope is what the caller may see; nil is all.
	scope *holdfast.Scope
}

// stamp is a time in the database: microseconds since 1970, 0 for none.
type stamp int64

func at(t time.Time) stamp {
	if t.IsZero() {
		return 0
	}
	return stamp(t.UnixMicro())
}

func (s stamp) time() time.Time {
	if s == 0 {
		return time.Time{}
	}
	return time.UnixMicro(int64(s)).UTC()
}

// clean makes text fit for both databases: valid UTF-8 without NUL.
func clean(s string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(s, "\ufffd"), "\x00", "\ufffd")
}

// one reads the row of a table that where selects; none is a KindNotFound error that names what it is.
func one[R any](ctx context.Context, tx *Tx, what string, where string, args ...any) (R, error) {
	return oneOf[R](ctx, tx, nil, what, where, args...)
}

// put inserts rows or replaces those with the same key.
func put(ctx context.Context, tx *Tx, rows any, key string) error {
	_, err := tx.db.NewInsert().Model(rows).On("CONFLICT (" + key + ") DO UPDATE").Exec(ctx)
	if err != nil {
		return fmt.Errorf("write a row: %w", err)
	}
	return nil
}

// del deletes what where selects.
func del[R any](ctx context.Context, tx *Tx, where string, args ...any) error {
	if _, err := tx.db.NewDelete().Model((*R)(nil)).Where(where, args...).Exec(ctx); err != nil {
		return fmt.Errorf("delete rows: %w", err)
	}
	return nil
}

// paged applies a page.
func paged(q *bun.SelectQuery, p holdfast.Page) *bun.SelectQuery {
	if p.Limit > 0 {
		q = q.Limit(int64(p.Limit))
	} else if p.Offset > 0 {
		q = q.Limit(1 << 31) // SQLite has no OFFSET without LIMIT
	}
	if p.Offset > 0 {
		q = q.Offset(int64(p.Offset))
	}
	return q
}

// scan reads all rows that q selects into rows and converts them.
func scan[R, N any](ctx context.Context, q *bun.SelectQuery, rows *[]R, noun func(R) (N, error)) ([]N, error) {
	if err := q.Scan(ctx); err != nil && !errors.Is(err, sql.ErrNoRows) {
		return nil, fmt.Errorf("read rows: %w", err)
	}
	out := make([]N, len(*rows))
	for i, r := range *rows {
		n, err := noun(r)
		if err != nil {
			return nil, err
		}
		out[i] = n
	}
	return out, nil
}
