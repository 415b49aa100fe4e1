package service_test

import (
	"context"
	"errors"
	"testing"

	"holdfast/internal/holdfast"
	"holdfast/internal/service"
	"holdfast/internal/store/storetest"
)

func TestInquiriesAreBoundedAndEnd(t *testing.T) {
	w := newWorld(t, storetest.SQLite(t))
	plan := service.InquirySpec{Kind: "plan", Act: service.ActRestore}
	asker := func(n rune) service.User {
		return service.User{ID: holdfast.UserID(n), Name: "u", Role: service.RoleOwner}
	}
	ended := make(chan error, 100)
	wait := func(ctx context.Context) (any, error) {
		<-ctx.Done()
		ended <- ctx.Err()
		return nil, ctx.Err()
	}
	for n := range 16 {
		_, err := w.Inquiries.Start(w.ctx, asker(rune('a'+n/4)), plan, wait)
		w.ok(err)
	}
	_, err := w.Inquiries.Start(w.ctx, asker('a'), plan, wait)
	w.kind(err, holdfast.KindUnavailable, "of yours")
	_, err = w.Inquiries.Start(w.ctx, asker('z'), plan, wait)
	w.kind(err, holdfast.KindUnavailable, "too many")
	_, err = w.Inquiries.Start(w.ctx, service.User{ID: "s", Name: "s", Role: service.RoleStorage}, plan, wait)
	w.kind(err, holdfast.KindDenied, "may not restore")

	// The end of the service ends them all, and no new one begins.
	ctx, cancel := context.WithCancel(w.ctx)
	cancel()
	w.ok(w.Run(ctx))
	if n := len(ended); n != 16 {
		t.Errorf("%d inquiries ended with the service", n)
	}
	_, err = w.Inquiries.Start(w.ctx, asker('z'), plan, wait)
	w.kind(err, holdfast.KindUnavailable, "ending")
}

func TestAnInquiryThatFails(t *testing.T) {
	w := newWorld(t, storetest.SQLite(t))
	asker := service.User{ID: "a", Name: "a", Role: service.RoleOwner}
	wrong := errors.New("wrong")
	for want, ask := range map[string]func(context.Context) (any, error){
		"wrong":    func(context.Context) (any, error) { return nil, wrong },
		"panic: x": func(context.Context) (any, error) { panic("x") },
	} {
		id, err := w.Inquiries.Start(w.ctx, asker, service.InquirySpec{Kind: "plan", Act: service.ActRestore}, ask)
		w.ok(err)
		i, err := w.Inquiries.Get(w.ctx, asker, id)
		w.ok(err)
		if i.Running() || i.Err == nil || i.Err.Error() != want {
			t.Errorf("got %+v, want %s", i, want)
		}
		// Who may no longer restore does not read what a restore would do.
		less := asker
		less.Role = service.RoleStorage
		_, err = w.Inquiries.Get(w.ctx, less, id)
		w.kind(err, holdfast.KindDenied, "")
	}
	// The oldest answers give way to newer ones.
	var first string
	for n := range 18 {
		id, err := w.Inquiries.Start(w.ctx, asker, service.InquirySpec{Kind: "plan", Act: service.ActRestore}, func(context.Context) (any, error) { return n, nil })
		w.ok(err)
		if n == 0 {
			first = id
		}
		_, err = w.Inquiries.Get(w.ctx, asker, id)
		w.ok(err)
	}
	_, err := w.Inquiries.Get(w.ctx, asker, first)
	w.kind(err, holdfast.KindNotFound, "no such dry run")
}
