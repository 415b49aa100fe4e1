package exchange

import (
	"context"

	"holdfast/internal/holdfast"
	"holdfast/internal/m365"
)

// Meter counts the calls of one container.
func (s *source) Meter(ctx context.Context) (context.Context, func() holdfast.Statistics) {
	return meter(ctx)
}

// Meter counts the calls of one restore, which goes before backups.
func (t *target) Meter(ctx context.Context) (context.Context, func() holdfast.Statistics) {
	return meter(m365.ForRestore(ctx))
}

func meter(ctx context.Context) (context.Context, func() holdfast.Statistics) {
	account := &m365.Account{}
	return m365.WithAccount(ctx, account), func() holdfast.Statistics {
		u := account.Usage()
		return holdfast.Statistics{Requests: u.Requests, ResourceUnits: u.Units, Throttled: u.Waited, ReadBytes: u.Received}
	}
}
