package exchange

import (
	"context"

	"holdfast/internal/holdfast"
	"holdfast/internal/m365"
)

// Meter counts the calls of one container.
func (s *source) Meter(ctx context.Context) (context.Context, func() holdfast.Statistics) {
	return m365.Meter(ctx)
}

// Meter counts the calls of one restore, which goes before backups.
func (t *target) Meter(ctx context.Context) (context.Context, func() holdfast.Statistics) {
	return m365.Meter(m365.ForRestore(ctx))
}
