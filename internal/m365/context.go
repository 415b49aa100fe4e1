package m365

import (
	"context"

	"holdfast/internal/m365/auth"
	"holdfast/internal/m365/throttle"
)

// These are other packages' nouns that every user of this one needs.
type (
	// Account adds up requests, resource units, bytes and waiting of one caller.
	Account = throttle.Account
	// Usage is an Account's sums.
	Usage = throttle.Usage
	// Charge is what a call costs and of which budget.
	Charge = throttle.Charge
	// Secret is a text whose String is ***.
	Secret = auth.Secret
	// Credential is a client secret or certificate.
	Credential = auth.Credential
)

// WithAccount makes calls under the returned context add to a.
func WithAccount(ctx context.Context, a *Account) context.Context {
	return throttle.WithAccount(ctx, a)
}

// ForRestore makes calls under the returned context go before backups and use the budget's share of restores.
func ForRestore(ctx context.Context) context.Context {
	return throttle.WithClass(ctx, throttle.Restore)
}
