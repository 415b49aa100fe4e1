package vault

import (
	"context"
	"io"
	"time"
)

// store is what the vault needs of the place where things are kept. Objects are addressed by their content: putting the same bytes twice
// stores them once. An object is durable after flush, a record when putRecord returns.
type store interface {
	// put stores bytes that are compressed already.
	put(ctx context.Context, data []byte) (id string, err error)
	// putStream stores a large object in parts, compressed.
	putStream(ctx context.Context, r io.Reader) (id string, size int64, err error)
	// get reads an object whole, at most limit bytes.
	get(ctx context.Context, id string, limit int64) ([]byte, error)
	open(ctx context.Context, id string) (io.ReadCloser, error)
	flush(ctx context.Context) error

	putRecord(ctx context.Context, name string, data []byte) error
	readRecord(ctx context.Context, name string) ([]byte, error)
	records(ctx context.Context, prefix string) ([]string, error)

	close(ctx context.Context) error
}

// clock of the store's blobs and ours are the same; see Options.Clock.
var _ = time.Second
