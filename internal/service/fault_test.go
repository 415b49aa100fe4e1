package service_test

import (
	"errors"
	"testing"

	"holdfast/internal/holdfast"
	"holdfast/internal/service"
	"holdfast/internal/store"
	"holdfast/internal/store/storetest"
	"holdfast/internal/sys"
)

// For every n, the n-th call to the database during a whole backup fails, with and without effect, or the process ends there.
// The next start goes on from what is in the database, and at the end there is one restore point that shows only what was committed.
func TestBackupSurvivesEveryFailingCallToTheDatabase(t *testing.T) {
	for _, mode := range []sys.FaultMode{sys.FaultErrorAfter, sys.FaultCrash} {
		for n := 1; ; n++ {
			open := storetest.SQLite(t)
			w := newWorld(t, open)
			org, repo := w.organization(), w.repository("r")
			j := w.job("all", org, repo, nil)
			faults := sys.BreakAt(store.PointCommit, n, mode)
			broken, err := open(w.clock, faults)
			w.ok(err)
			work := func(on *store.Store) error {
				s := service.New(service.Deps{Store: service.OnStore[*store.Tx](on), Clock: w.clock, Keys: service.NewKeys(w.key, random{}), Directory: w.directory, Vaults: w.places, Poll: -1})
				if _, err := s.Start(w.ctx, ""); err != nil {
					return err
				}
				if _, err := s.Jobs.Start(w.ctx, admin, j.ID, false); err != nil && holdfast.KindOf(err) != holdfast.KindConflict {
					return err
				}
				return toTheEnd(w, s)
			}
			err = work(broken)
			if err := errors.Join(broken.Close()); err != nil && mode != sys.FaultCrash {
				t.Fatal(err)
			}
			if faults.Fired() == "" {
				w.ok(err)
				if n < 8 {
					t.Errorf("only %d commits were broken", n-1)
				}
				break
			}
			// Another start, as after a crash; what was committed before an unknown outcome is found done.
			again, err := open(w.clock, nil)
			w.ok(err)
			s := service.New(service.Deps{Store: service.OnStore[*store.Tx](again), Clock: w.clock, Keys: service.NewKeys(w.key, random{}), Directory: w.directory, Vaults: w.places, Poll: -1})
			if _, err := s.Start(w.ctx, ""); err != nil {
				t.Fatal(err)
			}
			all, err := s.JobSessions.List(w.ctx, admin, holdfast.SessionFilter{Job: j.ID}, holdfast.Page{})
			w.ok(err)
			if len(all) == 0 { // the start itself was lost
				_, err := s.Jobs.Start(w.ctx, admin, j.ID, false)
				w.ok(err)
			}
			w.ok(toTheEnd(w, s))
			all, err = s.JobSessions.List(w.ctx, admin, holdfast.SessionFilter{Job: j.ID}, holdfast.Page{})
			w.ok(err)
			if len(all) != 1 || all[0].Status != holdfast.StatusSuccess {
				t.Fatalf("%v at commit %d: sessions %+v", mode, n, all)
			}
			points, err := s.RestorePoints.List(w.ctx, admin, holdfast.PointFilter{}, holdfast.Page{})
			w.ok(err)
			if len(points) != 1 || points[0].ID != all[0].RestorePoint {
				t.Fatalf("%v at commit %d: restore points %+v", mode, n, points)
			}
			p, err := s.RestorePoints.Get(w.ctx, admin, points[0].ID)
			w.ok(err)
			for _, e := range p.Entries {
				if e.Head != 1 {
					t.Errorf("%v at commit %d: %s has head %d, want the one backup's", mode, n, e.Container.Key(), e.Head)
				}
				_, err := s.Control.Head(w.ctx, repo.ID, org.ID, e.Container.Key(), e.Head)
				w.ok(err)
			}
			if v, err := s.Audit.Verify(w.ctx, admin, holdfast.AuditEntry{}); err != nil || v.Broken != 0 {
				t.Errorf("%v at commit %d: audit chain %+v, %v", mode, n, v, err)
			}
			w.ok(again.Close())
		}
	}
}

// toTheEnd works off what there is like a careful proxy: a container whose head is published is not read again.
func toTheEnd(w *world, s *service.Service) error {
	ctx, c := w.ctx, s.Control
	for {
		tasks, err := c.Claim(ctx, service.BuiltInProxy, 4)
		if err != nil || len(tasks) == 0 {
			return err
		}
		for _, t := range tasks {
			var r holdfast.TaskResult
			switch t.Kind {
			case holdfast.TaskDiscover:
				r.Found = []holdfast.Container{mailbox("ann"), mailbox("bob")}
			case holdfast.TaskBackup:
				head, _, err := c.CurrentHeads(ctx, t.Lease(), t.Repository, t.Container)
				if err != nil {
					return err
				}
				if head == nil {
					h := holdfast.HeadRecord{Organization: t.Organization, Repository: t.Repository, Container: t.Container, Number: 1, Epoch: t.Epoch, Time: w.clock.Now(), Journal: "j"}
					if err := c.CommitHeads(ctx, []holdfast.HeadCommit{{Lease: t.Lease(), Head: h}}); err != nil {
						return err
					}
					head = &h
				}
				r.Entry = holdfast.PointEntry{Head: head.Number, HeadTime: head.Time, State: holdfast.StateUpdated}
			case holdfast.TaskFinish:
				p, err := c.SessionOutcome(ctx, t.Lease())
				if err != nil {
					return err
				}
				if p.Entries, err = c.SessionEntries(ctx, t.Lease()); err != nil {
					return err
				}
				if err := c.CommitRestorePoint(ctx, t.Lease(), p); err != nil {
					return err
				}
				r.RestorePoint = &p
			}
			if err := c.Complete(ctx, t.Lease(), r); err != nil {
				return err
			}
		}
	}
}
