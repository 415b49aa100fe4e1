package proxy

import (
	"context"
	"errors"
	"io"

	"holdfast/internal/explorer"
	"holdfast/internal/export"
	"holdfast/internal/holdfast"
	"holdfast/internal/sys"
)

// Explorer fills service.Explorer: explorer and export together.
type Explorer struct {
	*explorer.Explorer
	Clock sys.Clock // nil: the machine's
}

// Open streams one item under a name that is safe to save.
func (e *Explorer) Open(ctx context.Context, at holdfast.View, id string) (holdfast.Content, error) {
	c, err := e.Explorer.Open(ctx, at, id)
	c.FileName = export.Name(c.FileName)
	return c, err
}

// Export streams several items, or whole folders, as a ZIP with a manifest of hashes.
func (e *Explorer) Export(ctx context.Context, at holdfast.View, ids []string, w io.Writer) (err error) {
	o, err := e.Explorer.At(ctx, at)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, o.Close()) }()
	clock := e.Clock
	if clock == nil {
		clock = sys.System
	}
	return export.Zip(ctx, o, ids, clock.Now(), w)
}
