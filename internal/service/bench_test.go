package service_test

import (
	"fmt"
	"testing"

	"holdfast/internal/holdfast"
	"holdfast/internal/service"
	"holdfast/internal/store/storetest"
)

// A page of 30 jobs with the check of the token, as a REST request asks for it.
func BenchmarkPageOfJobs(b *testing.B) {
	w := newWorld(b, storetest.SQLite(b))
	org, repo := w.organization(), w.repository("r")
	for i := range 100 {
		w.job(fmt.Sprintf("job %03d", i), org, repo, nil)
	}
	tokens, err := w.Admin.Login(w.ctx, service.SignIn{Address: "a", Name: "admin", Password: "correct horse"})
	w.ok(err)
	b.ReportAllocs()
	for b.Loop() {
		u, err := w.Admin.Authenticate(w.ctx, "a", tokens.Access)
		w.ok(err)
		if _, err := w.Jobs.List(w.ctx, u, holdfast.JobFilter{}, holdfast.Page{Limit: 30}); err != nil {
			b.Fatal(err)
		}
	}
}

// A session over 5,000 idle mailboxes, all that the database has to do for it.
func BenchmarkIdleSession(b *testing.B) {
	w := newWorld(b, storetest.SQLite(b))
	k := &worker{w: w, backup: func(holdfast.Container) holdfast.TaskResult {
		return holdfast.TaskResult{Entry: holdfast.PointEntry{State: holdfast.StateUnchanged}}
	}}
	for i := range 5000 {
		k.found = append(k.found, mailbox(fmt.Sprint("user", i)))
	}
	j := w.job("all", w.organization(), w.repository("r"), nil)
	for b.Loop() {
		if s := w.run(j, k); s.Status != holdfast.StatusSuccess {
			b.Fatalf("%s: %s", s.Status, s.Details)
		}
	}
}
