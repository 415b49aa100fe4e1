package search

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"strings"

	"modernc.org/sqlite"
	sqlitelib "modernc.org/sqlite/lib"
)

// version is that of the side file. One of another version is made anew.
const version = 7

// A document is what of an item makes words: it has a row in docs, and its number (id) stands in a run (run.go). The number is the item's time in
// seconds << 22 and a few bits of a hash, so that order of number is order of time. Rows of docs lie as they came (n): were they in order of
// time, every transaction would write nearly all pages of a large table again. A version says from which head (born) to before which
// (gone) the container had the document, in which folder and with which marks: moving or flagging an item makes a version, no document.
//
// heads are the heads that stand in restore points, with the first and the last of those; ahead are heads that were committed and stand in
// none yet: they are indexed before the session ends, and seen by nobody until a restore point has them. Progress is containers.head. All
// of a head becomes visible with the transaction that sets it.
const schema = `
CREATE TABLE containers(id INTEGER PRIMARY KEY, repository TEXT NOT NULL, key TEXT NOT NULL, kind TEXT NOT NULL, source TEXT NOT NULL, name TEXT NOT NULL, address TEXT NOT NULL,
	owner TEXT NOT NULL, head INTEGER NOT NULL DEFAULT 0, problem TEXT NOT NULL DEFAULT '', UNIQUE(repository, key));
CREATE TABLE points(id TEXT PRIMARY KEY, repository TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE heads(container INTEGER NOT NULL, head INTEGER NOT NULL, first INTEGER NOT NULL, first_point TEXT NOT NULL, last INTEGER NOT NULL, last_point TEXT NOT NULL,
	done INTEGER NOT NULL DEFAULT 0, PRIMARY KEY(container, head)) WITHOUT ROWID;
CREATE TABLE ahead(container INTEGER NOT NULL, head INTEGER NOT NULL, done INTEGER NOT NULL DEFAULT 0, PRIMARY KEY(container, head)) WITHOUT ROWID;
CREATE VIEW known AS SELECT container, head, done FROM heads UNION ALL SELECT container, head, done FROM ahead;
CREATE TABLE folders(id INTEGER PRIMARY KEY, container INTEGER NOT NULL, item TEXT NOT NULL, UNIQUE(container, item));
CREATE TABLE docs(n INTEGER PRIMARY KEY, id INTEGER NOT NULL UNIQUE, container INTEGER NOT NULL, key INTEGER NOT NULL, item TEXT NOT NULL, kind TEXT NOT NULL, name TEXT NOT NULL, sender TEXT NOT NULL,
	recipients TEXT NOT NULL, cc TEXT NOT NULL, time INTEGER NOT NULL, size INTEGER NOT NULL, sent INTEGER, created INTEGER, modified INTEGER, start INTEGER, ending INTEGER, due INTEGER, status TEXT NOT NULL, class TEXT NOT NULL, hash BLOB NOT NULL, remark TEXT NOT NULL);
CREATE INDEX docs_key ON docs(key);
CREATE TABLE versions(doc INTEGER NOT NULL, born INTEGER NOT NULL, gone INTEGER, container INTEGER NOT NULL, folder INTEGER NOT NULL, marks INTEGER NOT NULL, categories TEXT NOT NULL,
	PRIMARY KEY(doc, born)) WITHOUT ROWID;
CREATE INDEX docs_folder ON docs(container, item, name) WHERE kind = 'folder';
CREATE TABLE runs(id INTEGER PRIMARY KEY, docs INTEGER NOT NULL, size INTEGER NOT NULL, ids BLOB NOT NULL);
CREATE TABLE words(run INTEGER NOT NULL, first BLOB NOT NULL, terms BLOB NOT NULL, docs BLOB NOT NULL, positions BLOB NOT NULL);
CREATE UNIQUE INDEX words_first ON words(run, first);
CREATE TABLE dead(id INTEGER PRIMARY KEY);
`

// Marks of a version.
const (
	markRead = 1 << iota
	markFlagged
	markAttached
	markHigh
	markLow
	markRecurring
)

// file is an open side file.
type file struct {
	path  string
	write *sql.DB // one connection, used by the indexer only
	read  *sql.DB
	taken *sql.Stmt // of write: whether a document, or one that is dead, has a number
}

func openDB(path string, writer bool) (*sql.DB, error) {
	q := url.Values{"_pragma": {"busy_timeout(10000)", "journal_mode(WAL)", "synchronous(NORMAL)", "journal_size_limit(67108864)", "temp_store(2)"}}
	if writer {
		q.Set("_txlock", "immediate")
		q.Add("_pragma", "page_size(16384)")
		q.Add("_pragma", "cache_size(-65536)")
		q.Add("_pragma", "wal_autocheckpoint(4096)") // pages, as many as journal_size_limit: each is copied once however often it was written
	} else {
		q.Add("_pragma", "query_only(1)")
		q.Add("_pragma", "cache_size(-32768)")
	}
	db, err := sql.Open("sqlite", (&url.URL{Scheme: "file", Opaque: (&url.URL{Path: path}).EscapedPath(), RawQuery: q.Encode()}).String())
	if err != nil {
		return nil, err
	}
	n := 4
	if writer {
		n = 1
	}
	db.SetMaxOpenConns(n)
	db.SetMaxIdleConns(n)
	return db, nil
}

// openFile opens a side file, and makes it when it is missing, damaged or of another version.
func openFile(ctx context.Context, path string) (*file, error) {
	f, err := tryFile(ctx, path)
	if err == nil || ctx.Err() != nil || !spoiled(err) {
		return f, err
	}
	if err := setAside(path, err); err != nil {
		return nil, err
	}
	return tryFile(ctx, path)
}

// damagedSuffix is what the name of a side file that was damaged ends in.
const damagedSuffix = ".damaged"

// setAside makes room for a new side file. One that is damaged is kept, the newest only: it may say why.
func setAside(path string, why error) error {
	if !errors.Is(why, errVersion) {
		if err := os.Rename(path, path+damagedSuffix); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return removeFile(path)
}

var errVersion = errors.New("the side file is of another version")

func tryFile(ctx context.Context, path string) (_ *file, err error) {
	made, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600) // others must not read what stands in mails
	if err != nil {
		return nil, err
	}
	if err := made.Close(); err != nil {
		return nil, err
	}
	f := &file{path: path}
	defer func() {
		if err != nil {
			err = errors.Join(err, f.close())
		}
	}()
	if f.write, err = openDB(path, true); err != nil {
		return nil, err
	}
	if f.read, err = openDB(path, false); err != nil {
		return nil, err
	}
	var have, tables int
	if err := f.write.QueryRowContext(ctx, `PRAGMA user_version`).Scan(&have); err != nil {
		return nil, err
	}
	if err := f.write.QueryRowContext(ctx, `SELECT count(*) FROM sqlite_master`).Scan(&tables); err != nil {
		return nil, err
	}
	switch {
	case have == version && tables > 0:
	case have != 0 || tables != 0:
		return nil, errVersion
	default:
		if err := f.tx(ctx, func(tx *sql.Tx) error {
			_, err := tx.ExecContext(ctx, schema+fmt.Sprintf("PRAGMA user_version = %d;", version))
			return err
		}); err != nil {
			return nil, err
		}
	}
	f.taken, err = f.write.PrepareContext(ctx, `SELECT EXISTS(SELECT 1 FROM docs WHERE id = ?1) OR EXISTS(SELECT 1 FROM dead WHERE id = ?1)`) // closed with the connection
	return f, err
}

func (f *file) close() error {
	var errs []error
	for _, db := range []*sql.DB{f.read, f.write} {
		if db != nil {
			errs = append(errs, db.Close())
		}
	}
	return errors.Join(errs...)
}

// tx runs fn in one transaction of the writer.
func (f *file) tx(ctx context.Context, fn func(tx *sql.Tx) error) error {
	tx, err := f.write.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	if err := fn(tx); err != nil {
		return errors.Join(err, ignoreDone(tx.Rollback()))
	}
	return tx.Commit()
}

// ignoreDone: a context that ended has rolled back already.
func ignoreDone(err error) error {
	if errors.Is(err, sql.ErrTxDone) {
		return nil
	}
	return err
}

func removeFile(path string) error {
	for _, suffix := range []string{"-wal", "-shm", ""} {
		if err := os.Remove(path + suffix); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

// spoiled says of an error that the side file can't be used as it is and has to be made anew.
func spoiled(err error) bool {
	var lite *sqlite.Error
	if errors.As(err, &lite) {
		switch lite.Code() & 0xff {
		case sqlitelib.SQLITE_CORRUPT, sqlitelib.SQLITE_NOTADB, sqlitelib.SQLITE_FORMAT:
			return true
		case sqlitelib.SQLITE_ERROR:
			return strings.Contains(lite.Error(), "no such table") || strings.Contains(lite.Error(), "no such column")
		}
	}
	return errors.Is(err, errVersion) || errors.Is(err, errGarbled)
}
