package app

import (
	"context"
	"time"

	"holdfast/internal/holdfast"
	"holdfast/internal/m365/throttle"
	"holdfast/internal/service"
)

// live joins the rules to what reaches Microsoft 365: the built-in proxy, which needs the rules to be made.
type live struct{ s *Server }

func (l live) access(ctx context.Context, org holdfast.Organization, cred holdfast.Credential, id holdfast.RepositoryID) (holdfast.Access, error) {
	a := holdfast.Access{Organization: org, Credential: cred}
	err := service.OnStore(l.s.store).Read(ctx, func(ctx context.Context, tx service.Tx) error {
		r, err := tx.Repository(ctx, id)
		a.Repository = r
		return err
	})
	return a, err
}

func (l live) Plan(ctx context.Context, org holdfast.Organization, cred holdfast.Credential, request holdfast.RestoreRequest, limit int) (holdfast.RestorePlan, error) {
	a, err := l.access(ctx, org, cred, request.Repository)
	if err != nil {
		return holdfast.RestorePlan{}, err
	}
	return l.s.worker.Plan(ctx, a, request, limit)
}

func (l live) Changes(ctx context.Context, org holdfast.Organization, cred holdfast.Credential, at service.View) ([]holdfast.Difference, error) {
	a, err := l.access(ctx, org, cred, at.Repository)
	if err != nil {
		return nil, err
	}
	return l.s.worker.Changes(ctx, a, at)
}

// pace is how long a restore takes at Microsoft's published limits for the smallest tenants. How many licences there are is not asked.
func pace(kind holdfast.ContainerKind, c holdfast.Cost) (time.Duration, string) {
	published := throttle.Published(0)
	per := func(n, limit int64, in time.Duration) time.Duration {
		return time.Duration(float64(n) / float64(limit) * float64(in)).Round(time.Second)
	}
	if kind == holdfast.Mailbox {
		calls, bytes := per(c.Requests, published.OutlookPer10m, 10*time.Minute), per(c.Bytes, published.OutlookUploadPer5m, 5*time.Minute)
		if bytes > calls {
			return bytes, holdfast.SayLimitUploads.With()
		}
		return calls, holdfast.SayLimitRequests.With()
	}
	if kind == holdfast.Chat {
		return per(c.Requests, 1, time.Second), holdfast.SayLimitChat.With()
	}
	return per(c.ResourceUnits, published.SharePointPerMinute, time.Minute), holdfast.SayLimitUnits.With()
}
