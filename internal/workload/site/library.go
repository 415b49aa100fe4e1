package site

import (
	"context"
	"errors"

	"holdfast/internal/holdfast"
	"holdfast/internal/workload/drive"
)

// files reads a library as the drive that it is.
func (r *reader) files(ctx context.Context, l *known) error {
	part := &drive.Part{Organization: r.c.Organization, Drive: l.drive, Name: l.name, Prefix: cursorLibrary + l.id + "/", Folder: l.folder, Item: l.item, Payloads: l.payloads, Columns: r.columnsOf(l)}
	err := drive.ReadPart(ctx, r.g, part, r.prev, r.sink)
	l.folder = part.Folder
	var skip *holdfast.Skip
	if errors.As(err, &skip) && ctx.Err() == nil {
		return r.skipList(ctx, l, skip)
	}
	if err == nil {
		return r.sink.Savepoint(ctx)
	}
	return r.skipList(ctx, l, err)
}
