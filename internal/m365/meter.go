package m365

import (
	"context"

	"holdfast/internal/holdfast"
)

// Meter counts the calls that are made with the context that it gives; usage tells them so far.
func Meter(ctx context.Context) (metered context.Context, usage func() holdfast.Statistics) {
	account := &Account{}
	return WithAccount(ctx, account), func() holdfast.Statistics {
		u := account.Usage()
		return holdfast.Statistics{Requests: u.Requests, ResourceUnits: u.Units, Throttled: u.Waited, ReadBytes: u.Received}
	}
}
