package service_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"holdfast/internal/holdfast"
	"holdfast/internal/service"
	"holdfast/internal/store"
	"holdfast/internal/store/storetest"
	"holdfast/internal/sys"
)

// HOLDFAST_SEEDS asks for more seeds than the few that every run takes.
const seedsVariable = "HOLDFAST_SEEDS"

// Fourteen hours of schedules with proxies that are slow, die, or wake up after they were given up for dead, and a server that is
// restarted. What must hold is checked as it happens and at the end. A failure prints its seed.
func TestSimulatedSchedules(t *testing.T) {
	seeds := uint64(2)
	if text := os.Getenv(seedsVariable); text != "" {
		n, err := strconv.ParseUint(text, 10, 32)
		if err != nil {
			t.Fatalf("%s: %v", seedsVariable, err)
		}
		seeds = n
	}
	for seed := range seeds {
		t.Run(fmt.Sprintf("seed %d", seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { simulate(t, seed, 14*time.Hour) })
		})
	}
}

type simulation struct {
	*world
	open   storetest.Open
	rand   *rand.Rand
	mu     sync.Mutex        // guards all below, and rand
	heads  map[string]uint64 // container -> number of the last head that a commit acknowledged
	epochs map[string]holdfast.Epoch
	down   bool
}

func simulate(t *testing.T, seed uint64, length time.Duration) {
	open := storetest.SQLite(t)
	s := &simulation{world: newWorldAt(t, open, 0), open: open, rand: rand.New(rand.NewPCG(seed, 1)), heads: map[string]uint64{}, epochs: map[string]holdfast.Epoch{}}
	org, repo := s.organization(), s.repository("r")
	var jobs []holdfast.Job
	for i, sched := range []holdfast.Schedule{
		{Enabled: true, Type: "Periodically", Every: time.Hour, Offset: 10 * time.Minute, Zone: "Europe/Berlin"},
		{Enabled: true, Type: "Periodically", Every: 30 * time.Minute, Zone: "UTC", RetryEnabled: true, RetryNumber: 2, RetryWait: 5 * time.Minute},
		{Enabled: true, Type: "Daily", DailyTime: "03:30:00", DailyType: "Everyday", Zone: "America/New_York"},
	} {
		jobs = append(jobs, s.job(fmt.Sprintf("job %d", i), org, repo, func(spec *service.JobSpec) { spec.Schedule = &sched }))
	}
	s.reopen() // with the pauses of this test
	begin := s.clock.Now()
	end := begin.Add(length)
	for s.clock.Now().Before(end) {
		ctx, stop := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		wg.Go(func() {
			if err := s.Run(ctx); err != nil {
				t.Error(err)
			}
		})
		for range 3 {
			wg.Go(func() { s.proxy(ctx) })
		}
		up := time.Duration(s.draw(8*60)+30) * time.Minute
		time.Sleep(min(up, end.Sub(s.clock.Now())))
		stop()
		wg.Wait()
		if s.clock.Now().Before(end) && s.draw(2) == 0 {
			time.Sleep(time.Duration(s.draw(100)) * time.Minute) // and stays away for a while
		}
		s.reopen()
	}
	// Let what runs come to its end, with proxies that behave.
	ctx, stop := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	for _, j := range jobs {
		if err := s.Jobs.Enable(ctx, admin, j.ID, false); err != nil {
			t.Fatal(err)
		}
	}
	s.mu.Lock()
	s.down = true
	s.mu.Unlock()
	wg.Go(func() {
		if err := s.Run(ctx); err != nil {
			t.Error(err)
		}
	})
	wg.Go(func() { s.proxy(ctx) })
	time.Sleep(6 * time.Hour)
	stop()
	wg.Wait()
	s.check(jobs, begin, end)
}

func (s *simulation) draw(n int) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.down {
		return n - 1 // of the choices below, the last is always to behave
	}
	return s.rand.IntN(n)
}

func (s *simulation) reopen() {
	if err := s.store.Close(); err != nil {
		s.t.Fatal(err)
	}
	db, err := s.open(s.clock, nil)
	if err != nil {
		s.t.Fatal(err)
	}
	s.store = db
	s.Service = service.New(service.Deps{Store: service.OnStore[*store.Tx](db), Clock: s.clock, Keys: service.NewKeys(s.key, random{}), Directory: s.directory, Vaults: s.places, Poll: time.Minute, Tick: time.Minute, Lease: 10 * time.Minute})
	if _, err := s.Start(context.Background(), ""); err != nil {
		s.t.Fatal(err)
	}
}

// proxy claims and works, badly: some tasks take longer than their lease, some are never finished.
func (s *simulation) proxy(ctx context.Context) {
	control := s.Control
	for ctx.Err() == nil {
		tasks, err := control.Claim(ctx, service.BuiltInProxy, 1)
		if err != nil {
			if ctx.Err() == nil {
				s.t.Error(err)
			}
			return
		}
		for _, task := range tasks {
			if err := s.attempt(ctx, control, task); err != nil && ctx.Err() == nil && holdfast.KindOf(err) != holdfast.KindStale {
				s.t.Errorf("%s: %v", task.Kind, err)
			}
		}
	}
}

func (s *simulation) attempt(ctx context.Context, control *service.Control, task holdfast.Task) error {
	pause := []time.Duration{25 * time.Minute, 3 * time.Minute, time.Minute, 10 * time.Second, 10 * time.Second, time.Second, time.Second}[s.draw(7)]
	if err := sys.System.Sleep(ctx, pause); err != nil {
		return err
	}
	switch fate := s.draw(12); {
	case fate == 0:
		return nil // died: nobody will hear of it again
	case fate == 1 && task.Kind == holdfast.TaskBackup:
		return control.Complete(ctx, task.Lease(), holdfast.TaskResult{Err: "the service is busy", Reason: holdfast.SkipTransient, Retriable: true})
	}
	switch task.Kind {
	case holdfast.TaskDiscover:
		var found []holdfast.Container
		for i := range 6 {
			found = append(found, mailbox(fmt.Sprint("user", i)))
		}
		return control.Complete(ctx, task.Lease(), holdfast.TaskResult{Found: found})
	case holdfast.TaskBackup:
		return s.backup(ctx, control, task)
	case holdfast.TaskFinish:
		p, err := control.SessionOutcome(ctx, task.Lease())
		if err != nil {
			return err
		}
		if p.Entries, err = control.SessionEntries(ctx, task.Lease()); err != nil {
			return err
		}
		if err := control.CommitRestorePoint(ctx, task.Lease(), p); err != nil {
			return err
		}
	}
	return control.Complete(ctx, task.Lease(), holdfast.TaskResult{})
}

func (s *simulation) backup(ctx context.Context, control *service.Control, task holdfast.Task) error {
	head, checkpoint, err := control.CurrentHeads(ctx, task.Lease(), task.Repository, task.Container)
	if err != nil {
		return err
	}
	h := holdfast.HeadRecord{Organization: task.Organization, Repository: task.Repository, Container: task.Container, Number: 1, Epoch: task.Epoch, Time: s.clock.Now(), Journal: fmt.Sprint("journal-", task.Epoch), Data: []byte("d")}
	for _, before := range []*holdfast.HeadRecord{head, checkpoint} {
		if before != nil {
			h.Number = max(h.Number, before.Number+1)
		}
	}
	if err := sys.System.Sleep(ctx, time.Duration(s.draw(12))*time.Minute); err != nil {
		return err
	}
	if s.draw(5) == 0 {
		if err := control.CommitHeads(ctx, []holdfast.HeadCommit{{Lease: task.Lease(), Head: h, Checkpoint: true}}); err != nil {
			return err
		}
		h.Number++
		h.Journal += "-2"
	}
	err = control.CommitHeads(ctx, []holdfast.HeadCommit{{Lease: task.Lease(), Head: h}})
	if err != nil {
		return err
	}
	s.mu.Lock()
	key := task.Container.Key()
	if h.Number <= s.heads[key] || h.Epoch <= s.epochs[key] {
		s.t.Errorf("%s: head %d of epoch %d was acknowledged after head %d of epoch %d", key, h.Number, h.Epoch, s.heads[key], s.epochs[key])
	}
	s.heads[key], s.epochs[key] = h.Number, h.Epoch
	s.mu.Unlock()
	return control.Complete(ctx, task.Lease(), holdfast.TaskResult{Entry: holdfast.PointEntry{Head: h.Number, HeadTime: h.Time, State: holdfast.StateUpdated}})
}

// check tells what must hold after all of it.
func (s *simulation) check(jobs []holdfast.Job, begin, end time.Time) {
	t, ctx := s.t, context.Background()
	finished := 0
	for _, j := range jobs {
		sessions, err := s.JobSessions.List(ctx, admin, holdfast.SessionFilter{Job: j.ID}, holdfast.Page{})
		if err != nil {
			t.Fatal(err)
		}
		slices.Reverse(sessions)
		if len(sessions) == 0 {
			t.Errorf("%s never ran", j.Name)
		}
		for i, one := range sessions {
			if one.Ended.IsZero() {
				t.Errorf("%s: the session of %v has no end", j.Name, one.Created)
			}
			if i > 0 && one.Created.Before(sessions[i-1].Ended) {
				t.Errorf("%s: the session of %v began before the one of %v had ended", j.Name, one.Created, sessions[i-1].Created)
			}
			if i > 0 && one.Retry == 0 && sessions[i-1].Retry == 0 && one.Created.Sub(sessions[i-1].Created) < time.Minute {
				t.Errorf("%s: two scheduled runs at %v and %v", j.Name, sessions[i-1].Created, one.Created)
			}
			if (one.Status == holdfast.StatusSuccess || one.Status == holdfast.StatusWarning) != (one.RestorePoint != "") && one.Status != holdfast.StatusFailed {
				t.Errorf("%s: status %s with restore point %q", j.Name, one.Status, one.RestorePoint)
			}
			if one.RestorePoint == "" {
				continue
			}
			finished++
			p, err := s.RestorePoints.Get(ctx, admin, one.RestorePoint)
			if err != nil {
				t.Fatal(err)
			}
			for _, e := range p.Entries {
				if e.Head == 0 {
					continue
				}
				if _, err := s.Control.Head(ctx, p.Repository, p.Organization, e.Container.Key(), e.Head); err != nil {
					t.Errorf("%s: the restore point of %v shows %v", j.Name, p.Time, err)
				}
			}
		}
		if first := sessions[0]; j.Schedule.Type == "Periodically" && first.Created.Sub(begin) > j.Schedule.Every+3*time.Hour {
			t.Errorf("%s ran for the first time after %v", j.Name, first.Created.Sub(begin))
		}
	}
	if finished < 10 {
		t.Errorf("only %d sessions came to a restore point: the simulation shows nothing", finished)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.store.Read(ctx, func(ctx context.Context, tx *store.Tx) error {
		held, err := tx.Containers(ctx, holdfast.ContainerFilter{}, holdfast.Page{})
		for _, c := range held {
			// A commit whose answer the proxy did not live to see may be one further.
			if c.Head < s.heads[c.Key()] {
				err = errors.Join(err, fmt.Errorf("%s: head %d was acknowledged, the database has %d", c.Key(), s.heads[c.Key()], c.Head))
			}
		}
		return err
	}); err != nil {
		t.Error(err)
	}
	if v, err := s.Audit.Verify(ctx, admin, holdfast.AuditEntry{}); err != nil || v.Broken != 0 {
		t.Errorf("audit chain %+v, %v", v, err)
	}
}
