package throttle

import (
	"context"
	"sync/atomic"
	"time"
)

// Account adds up what the calls of one caller (a job session, a restore session) cost. The zero value is ready.
type Account struct {
	requests, units, received, sent, throttled, retries, waited atomic.Int64
}

// Usage is what an Account has seen so far.
type Usage struct {
	// Requests counts every call and every part of a batch, as the service does; retries included.
	Requests int64
	// Units are SharePoint resource units.
	Units int64
	// Received and Sent are body bytes.
	Received, Sent int64
	// Throttled counts answers 429 and 503 that told us to wait, Retries every repeated call.
	Throttled, Retries int64
	// Waited is the time that calls spent waiting for the budget or for a Retry-After.
	Waited time.Duration
}

// Usage returns the sums.
func (a *Account) Usage() Usage {
	if a == nil {
		return Usage{}
	}
	return Usage{
		Requests: a.requests.Load(), Units: a.units.Load(), Received: a.received.Load(), Sent: a.sent.Load(),
		Throttled: a.throttled.Load(), Retries: a.retries.Load(), Waited: time.Duration(a.waited.Load()),
	}
}

// AddTransfer adds body bytes.
func (a *Account) AddTransfer(received, sent int64) {
	if a != nil {
		a.received.Add(received)
		a.sent.Add(sent)
	}
}

// AddThrottled counts an answer that told us to wait.
func (a *Account) AddThrottled() {
	if a != nil {
		a.throttled.Add(1)
	}
}

// AddRetry counts a repeated call.
func (a *Account) AddRetry() {
	if a != nil {
		a.retries.Add(1)
	}
}

// AddWait adds waiting time.
func (a *Account) AddWait(d time.Duration) {
	if a != nil && d > 0 {
		a.waited.Add(int64(d))
	}
}

func (a *Account) addCharge(c Charge, requests bool) {
	if a != nil {
		if requests {
			a.requests.Add(int64(c.Requests))
		}
		if c.Service == SharePoint {
			a.units.Add(int64(c.Units))
		}
	}
}

// Class orders callers that wait for the same budget.
type Class int

const (
	// Backup is the default.
	Backup Class = iota
	// Restore goes first and has a share of every budget that backups cannot use.
	Restore
	classes
)

type accountKey struct{}
type classKey struct{}

// WithAccount makes calls under the returned context add to a.
func WithAccount(ctx context.Context, a *Account) context.Context {
	return context.WithValue(ctx, accountKey{}, a)
}

// AccountFrom is the account of ctx, or nil, which ignores what is added.
func AccountFrom(ctx context.Context) *Account {
	a, _ := ctx.Value(accountKey{}).(*Account)
	return a
}

// WithClass makes calls under the returned context wait as class c.
func WithClass(ctx context.Context, c Class) context.Context {
	return context.WithValue(ctx, classKey{}, c)
}

// ClassFrom is the class of ctx.
func ClassFrom(ctx context.Context) Class {
	c, _ := ctx.Value(classKey{}).(Class)
	return c
}
