package vault

import (
	"context"
	"io"
)

// store is what the vault needs of the place where things are kept. Objects are addressed by their content: putting the same bytes twice
// stores them once. A record is durable when putRecord returns.
type store interface {
	// session starts a write session.
	session(ctx context.Context) (session, error)
	// get reads an object whole, at most limit bytes; it sees what sessions of this process wrote.
	get(ctx context.Context, id string, limit int64) ([]byte, error)
	// open streams an object.
	open(ctx context.Context, id string) (io.ReadCloser, error)

	putRecord(ctx context.Context, name string, data []byte) error
	readRecord(ctx context.Context, name string) ([]byte, error)
	// records lists names that start with prefix, sorted.
	records(ctx context.Context, prefix string) ([]string, error)

	close(ctx context.Context) error
}

// session writes objects, which are durable after flush. After an error of its own, not of a reader, it is spent and
// what was not flushed is lost.
type session interface {
	// put stores bytes that are compressed already.
	put(ctx context.Context, data []byte) (id string, err error)
	// putStream stores a large object in parts, compressed.
	putStream(ctx context.Context, r io.Reader) (id string, size int64, err error)
	flush(ctx context.Context) error
	close(ctx context.Context) error
}
