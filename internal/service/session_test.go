package service_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"holdfast/internal/holdfast"
	"holdfast/internal/service"
	"holdfast/internal/store/storetest"
)

func TestSessionFromStartToRestorePoint(t *testing.T) {
	storetest.Each(t, func(t *testing.T, open storetest.Open) {
		w := newWorld(t, open)
		org, repo := w.organization(), w.repository("r")
		j := w.job("all", org, repo, nil)
		k := &worker{w: w, found: []holdfast.Container{mailbox("ann"), drive("ann"), mailbox("bob")}}
		s := w.run(j, k)
		if s.Status != holdfast.StatusSuccess || s.Progress != 100 || s.RestorePoint == "" || s.Statistics.Objects != 3 || s.Statistics.Items != 6 || s.Statistics.Requests != 9 || s.Statistics.WrittenBytes != 30 {
			t.Errorf("session %+v", s)
		}
		j, err := w.Jobs.Get(w.ctx, admin, j.ID)
		w.ok(err)
		if j.LastStatus != holdfast.StatusSuccess || j.LastBackup.IsZero() || j.LastRun.IsZero() {
			t.Errorf("job %+v", j)
		}
		p, err := w.RestorePoints.Get(w.ctx, admin, s.RestorePoint)
		w.ok(err)
		if len(p.Entries) != 3 || p.Status != holdfast.StatusSuccess || p.Entries[0].Head != 1 || p.Job != j.ID {
			t.Errorf("restore point %+v", p)
		}
		kinds, err := w.RestorePoints.Kinds(w.ctx, admin, p.ID)
		w.ok(err)
		if kinds[holdfast.Mailbox] == 0 || kinds[holdfast.Drive] == 0 || kinds[holdfast.Site] != 0 {
			t.Errorf("kinds: %v", kinds)
		}
		objects, err := w.JobSessions.Objects(w.ctx, admin, s.ID, holdfast.Page{})
		w.ok(err)
		if len(objects) != 3 || objects[0].Status != holdfast.StatusSuccess {
			t.Errorf("objects %+v", objects)
		}
		log, err := w.JobSessions.Log(w.ctx, admin, s.ID, nil, true, holdfast.Page{})
		w.ok(err)
		if text := fmt.Sprint(log); !strings.Contains(text, "Job started by admin") || !strings.Contains(text, "Found 3 objects") || !strings.Contains(text, "Job finished") {
			t.Errorf("log %s", text)
		}
		users, err := w.Protected.Users(w.ctx, admin, service.ProtectedFilter{Repository: repo.ID}, holdfast.Page{})
		w.ok(err)
		if len(users) != 2 || users[0].ObjectID != "ann" || len(users[0].Containers) != 2 {
			t.Errorf("protected users %+v", users)
		}
		counts, err := w.Organizations.Licensing(w.ctx, admin, org.ID)
		w.ok(err)
		if counts != (service.LicenseCounts{Licensed: 2, New: 2}) {
			t.Errorf("licensing %+v", counts)
		}
		org, err = w.Organizations.Get(w.ctx, admin, org.ID)
		w.ok(err)
		if org.FirstBackup.IsZero() || org.LastBackup.IsZero() {
			t.Errorf("organization %+v", org)
		}
		used, err := w.Organizations.UsedRepositories(w.ctx, admin, org.ID, holdfast.Page{})
		w.ok(err)
		if len(used) != 1 || used[0].Bytes != 77 || used[0].Objects != 3 {
			t.Errorf("used repositories %+v", used)
		}
		v, err := w.Audit.Verify(w.ctx, admin, holdfast.AuditEntry{})
		w.ok(err)
		if v.Broken != 0 || v.Entries < 4 {
			t.Errorf("audit chain %+v, want at least 4 entries", v)
		}
	})
}

func TestStatusOfASession(t *testing.T) {
	skipped := holdfast.TaskResult{Entry: holdfast.PointEntry{State: holdfast.StateUnchanged, SkippedCount: 2, Skipped: []holdfast.SkippedItem{{Name: "bad mail", Reason: holdfast.SkipCorrupt, Detail: "d"}}}}
	failed := holdfast.TaskResult{Err: "the service answered 500 every time", Reason: holdfast.SkipTransient}
	idle := holdfast.TaskResult{Entry: holdfast.PointEntry{State: holdfast.StateUnchanged}}
	for name, tc := range map[string]struct {
		results map[string]holdfast.TaskResult
		want    holdfast.SessionStatus
		says    string
	}{
		"all idle":         {map[string]holdfast.TaskResult{"ann": idle, "bob": idle}, holdfast.StatusSuccess, ""},
		"items skipped":    {map[string]holdfast.TaskResult{"ann": skipped}, holdfast.StatusWarning, "2 items"},
		"one object fails": {map[string]holdfast.TaskResult{"ann": failed}, holdfast.StatusWarning, "1 of 2 objects are not up to date; mailbox of ann@contoso.example: the service answered 500"},
		"all fail":         {map[string]holdfast.TaskResult{"ann": failed, "bob": failed}, holdfast.StatusFailed, "none of 2"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, storetest.SQLite(t))
			j := w.job("all", w.organization(), w.repository("r"), nil)
			k := &worker{w: w, found: []holdfast.Container{mailbox("ann"), mailbox("bob")}, backup: func(c holdfast.Container) holdfast.TaskResult { return tc.results[c.Source] }}
			s := w.run(j, k)
			if s.Status != tc.want || !strings.Contains(s.Details, tc.says) {
				t.Errorf("got %s, %q; want %s, %q", s.Status, s.Details, tc.want, tc.says)
			}
		})
	}
}

// A full run that somebody asked for compares everything, and so do its retries; the first run of a job just reads.
func TestOnlyAFullRunThatWasAskedForCompares(t *testing.T) {
	w := newWorld(t, storetest.SQLite(t))
	j := w.job("all", w.organization(), w.repository("r"), nil)
	for run, asked := range []bool{false, true, false} {
		s, err := w.Jobs.Start(w.ctx, admin, j.ID, asked)
		w.ok(err)
		if s.Full != (run < 2) {
			t.Errorf("run %d: full is %t", run, s.Full)
		}
		k := &worker{w: w, found: []holdfast.Container{mailbox("ann")}}
		for {
			tasks := k.claim(1)
			if len(tasks) == 0 {
				break
			}
			if tasks[0].Kind == holdfast.TaskBackup {
				a, err := w.Control.Access(w.ctx, tasks[0].Lease())
				w.ok(err)
				if a.Anew != asked {
					t.Errorf("run %d: comparing is %t", run, a.Anew)
				}
			}
			k.work(tasks[0])
		}
	}
}

func TestFailedDiscoveryFailsTheSession(t *testing.T) {
	w := newWorld(t, storetest.SQLite(t))
	j := w.job("all", w.organization(), w.repository("r"), nil)
	s, err := w.Jobs.Start(w.ctx, admin, j.ID, false)
	w.ok(err)
	k := &worker{w: w}
	task := k.claim(1)[0]
	if s, err = w.JobSessions.Get(w.ctx, admin, s.ID); err != nil || s.Status != holdfast.StatusRunning {
		t.Errorf("a session whose discovery began is %s (%v)", s.Status, err)
	}
	w.ok(w.Control.Complete(w.ctx, task.Lease(), holdfast.TaskResult{Err: "sign-in refused"}))
	s, err = w.JobSessions.Get(w.ctx, admin, s.ID)
	w.ok(err)
	if s.Status != holdfast.StatusFailed || s.Details != "sign-in refused" || s.Ended.IsZero() {
		t.Errorf("session %+v", s)
	}
}

func TestContainersThatAreGoneAreTold(t *testing.T) {
	w := newWorld(t, storetest.SQLite(t))
	j := w.job("all", w.organization(), w.repository("r"), nil)
	k := &worker{w: w, found: []holdfast.Container{mailbox("ann"), mailbox("bob")}}
	w.run(j, k)
	k.found = k.found[:1]
	if s := w.run(j, k); s.Status != holdfast.StatusWarning || !strings.Contains(s.Details, "bob@contoso.example: it is not in the organization any more") {
		t.Errorf("first session without bob: %s %q", s.Status, s.Details)
	}
	s := w.run(j, k)
	if s.Status != holdfast.StatusSuccess {
		t.Errorf("second session without bob: %s %q", s.Status, s.Details)
	}
	p, err := w.RestorePoints.Get(w.ctx, admin, s.RestorePoint)
	w.ok(err)
	if len(p.Entries) != 2 || p.Entries[1].State != holdfast.StateGone || p.Entries[1].Head != 1 {
		t.Errorf("bob's history is not in the restore point: %+v", p.Entries)
	}
}

// An organization that does not tell which sites it has (the application lacks the right) has not lost them.
func TestContainersThatCantBeListedAreNotGone(t *testing.T) {
	w := newWorld(t, storetest.SQLite(t))
	org := w.organization()
	j := w.job("all", org, w.repository("r"), nil)
	apollo := holdfast.Container{Kind: holdfast.Site, Source: "apollo", Name: "Apollo", Address: "https://contoso.example/sites/apollo"}
	k := &worker{w: w, found: []holdfast.Container{mailbox("ann"), apollo}}
	w.run(j, k)
	k.found, k.skipped = k.found[:1], []holdfast.PointEntry{{Container: holdfast.AllOf(org.ID, holdfast.Site), Reason: "denied: 403"}}
	s := w.run(j, k)
	p, err := w.RestorePoints.Get(w.ctx, admin, s.RestorePoint)
	w.ok(err)
	states := map[string]string{}
	for _, e := range p.Entries {
		states[e.Container.Key()] = string(e.State) + ": " + e.Reason
	}
	if got := states[apollo.Key()]; got != string(holdfast.StateNotUpdated)+": denied: 403" {
		t.Errorf("a site that could not be listed is %q; all: %v", got, states)
	}
	// Once they are listed again, what is missing is gone.
	k.skipped = nil
	s = w.run(j, k)
	p, err = w.RestorePoints.Get(w.ctx, admin, s.RestorePoint)
	w.ok(err)
	if i := slices.IndexFunc(p.Entries, func(e holdfast.PointEntry) bool { return e.Container.Key() == apollo.Key() }); i < 0 || p.Entries[i].State != holdfast.StateGone {
		t.Errorf("a site that is not listed any more is not gone: %+v", p.Entries)
	}
}

func TestScopeDecidesWhatIsBackedUp(t *testing.T) {
	w := newWorld(t, storetest.SQLite(t))
	org, repo := w.organization(), w.repository("r")
	group := holdfast.Container{Kind: holdfast.Mailbox, Source: holdfast.GroupSource + "staff", Owner: "staff", Name: "Staff", Address: "staff@contoso.example"}
	all := []holdfast.Container{mailbox("ann"), drive("ann"), mailbox("bob"), drive("bob"), group}
	for name, tc := range map[string]struct {
		edit func(*service.JobSpec)
		want string
	}{
		"entire": {func(s *service.JobSpec) { s.Scope, s.Selected = holdfast.EntireOrganization, nil }, "mailbox/ann drive/drive-ann mailbox/bob drive/drive-bob"},
		"without bob's drive": {func(s *service.JobSpec) {
			s.Excluded = []holdfast.JobItem{{Type: "User", ObjectID: "bob", OneDrive: true}}
		}, "mailbox/ann drive/drive-ann mailbox/bob"},
		"ann only": {func(s *service.JobSpec) {
			s.Scope, s.Selected = holdfast.SelectedItems, []holdfast.JobItem{{Type: "User", Address: "ann@contoso.example"}}
		}, "mailbox/ann drive/drive-ann"},
		"all mail but ann's": {func(s *service.JobSpec) {
			s.Scope, s.Selected, s.Excluded = holdfast.SelectedItems, []holdfast.JobItem{{Type: "PartialOrganization", Mailbox: true}}, []holdfast.JobItem{{Type: "User", ObjectID: "ann"}}
		}, "mailbox/bob"},
		"group mailboxes only when they are asked for": {func(s *service.JobSpec) {
			s.Scope, s.Selected = holdfast.SelectedItems, []holdfast.JobItem{{Type: "PartialOrganization", GroupMailboxes: true}}
		}, "mailbox/group:staff"},
	} {
		t.Run(name, func(t *testing.T) {
			j := w.job(name, org, repo, tc.edit)
			s := w.run(j, &worker{w: w, found: all})
			p, err := w.RestorePoints.Get(w.ctx, admin, s.RestorePoint)
			w.ok(err)
			var got []string
			for _, e := range p.Entries {
				got = append(got, e.Container.Key())
			}
			if strings.Join(got, " ") != tc.want {
				t.Errorf("got %v, want %s", got, tc.want)
			}
			w.ok(w.Jobs.Delete(w.ctx, admin, j.ID)) // the entire organization is what no other job has
		})
	}
}

func TestStaleEpochChangesNothing(t *testing.T) {
	storetest.Each(t, func(t *testing.T, open storetest.Open) {
		w := newWorld(t, open)
		j := w.job("all", w.organization(), w.repository("r"), nil)
		_, err := w.Jobs.Start(w.ctx, admin, j.ID, false)
		w.ok(err)
		k := &worker{w: w, found: []holdfast.Container{mailbox("ann")}}
		k.work(k.claim(1)[0])
		old := k.claim(1)[0]
		head := k.next(old)
		if len(k.claim(1)) != 0 {
			t.Fatal("a task that is held was claimed again")
		}
		w.restart(open, nil) // leases of the process that was end
		now := k.claim(1)[0]
		if now.ID != old.ID || now.Epoch <= old.Epoch || now.Attempt != 2 {
			t.Fatalf("claimed %+v after %+v", now, old)
		}
		for name, err := range map[string]error{
			"commit":     w.Control.CommitHeads(w.ctx, []holdfast.HeadCommit{{Lease: old.Lease(), Head: head}}),
			"checkpoint": w.Control.CommitHeads(w.ctx, []holdfast.HeadCommit{{Lease: old.Lease(), Head: head, Checkpoint: true}}),
			"progress":   w.Control.Progress(w.ctx, old.Lease(), holdfast.Statistics{Items: 1}),
			"complete":   w.Control.Complete(w.ctx, old.Lease(), holdfast.TaskResult{Err: "x"}),
		} {
			if holdfast.KindOf(err) != holdfast.KindStale {
				t.Errorf("%s with a stale lease: %v", name, err)
			}
		}
		if gone, err := w.Control.Renew(w.ctx, []holdfast.Lease{old.Lease(), now.Lease()}); err != nil || len(gone) != 1 || gone[0] != old.ID {
			t.Errorf("renewing gave %v, %v", gone, err)
		}
		if h, c, err := w.Control.CurrentHeads(w.ctx, now.Lease(), now.Repository, now.Container); err != nil || h != nil || c != nil {
			t.Errorf("the stale holder left %v, %v, %v", h, c, err)
		}
		// All or none: one stale commit in a group takes the others with it.
		good := k.next(now)
		err = w.Control.CommitHeads(w.ctx, []holdfast.HeadCommit{{Lease: now.Lease(), Head: good}, {Lease: old.Lease(), Head: head}})
		if holdfast.KindOf(err) != holdfast.KindStale {
			t.Errorf("group with a stale commit: %v", err)
		}
		if h, _, err := w.Control.CurrentHeads(w.ctx, now.Lease(), now.Repository, now.Container); err != nil || h != nil {
			t.Errorf("half a group was committed: %v, %v", h, err)
		}
		k.work(now)
		k.drain()
	})
}

func TestHeadNumbersAndRepeatedCommits(t *testing.T) {
	w := newWorld(t, storetest.SQLite(t))
	j := w.job("all", w.organization(), w.repository("r"), nil)
	_, err := w.Jobs.Start(w.ctx, admin, j.ID, false)
	w.ok(err)
	k := &worker{w: w, found: []holdfast.Container{mailbox("ann"), mailbox("bob")}}
	k.work(k.claim(1)[0])
	two := k.claim(2)
	task, other := two[0], two[1]
	commit := func(h holdfast.HeadRecord, checkpoint bool) error {
		return w.Control.CommitHeads(w.ctx, []holdfast.HeadCommit{{Lease: task.Lease(), Head: h, Checkpoint: checkpoint}})
	}
	h := k.next(task)
	w.ok(commit(h, true))
	w.ok(commit(h, true))
	same := h
	same.Journal = "another"
	w.kind(commit(same, true), holdfast.KindConflict, "does not follow")
	w.kind(commit(h, false), holdfast.KindConflict, "does not follow head 0 and checkpoint 1")
	foreign := h
	foreign.Container = other.Container
	w.kind(commit(foreign, false), holdfast.KindStale, "holds mailbox/ann")
	wrong := h
	wrong.Number, wrong.Epoch = 2, h.Epoch+1
	w.kind(commit(wrong, false), holdfast.KindStale, "epoch")
	h.Number = 2
	w.ok(commit(h, false))
	w.ok(commit(h, false))
	head, checkpoint, err := w.Control.CurrentHeads(w.ctx, task.Lease(), task.Repository, task.Container)
	w.ok(err)
	if head == nil || head.Number != 2 || checkpoint != nil {
		t.Errorf("head %v, checkpoint %v", head, checkpoint)
	}
}

func TestTwoJobsOnOneMailboxTakeTurns(t *testing.T) {
	w := newWorld(t, storetest.SQLite(t))
	org, repo := w.organization(), w.repository("r")
	a, b := w.job("a", org, repo, nil), w.job("b", org, repo, nil)
	for _, j := range []holdfast.Job{a, b} {
		_, err := w.Jobs.Start(w.ctx, admin, j.ID, false)
		w.ok(err)
	}
	k := &worker{w: w, found: []holdfast.Container{mailbox("ann")}}
	for _, t := range k.claim(2) {
		k.work(t)
	}
	first := k.claim(10)
	if len(first) != 1 || first[0].Kind != holdfast.TaskBackup {
		t.Fatalf("claimed %+v, want one backup", first)
	}
	if more := k.claim(10); len(more) != 0 {
		t.Fatalf("claimed %+v beside it", more)
	}
	k.work(first[0])
	k.drain()
	for _, j := range []holdfast.Job{a, b} {
		if j, err := w.Jobs.Get(w.ctx, admin, j.ID); err != nil || j.LastStatus != holdfast.StatusSuccess {
			t.Errorf("job %s: %s, %v", j.Name, j.LastStatus, err)
		}
	}
}

// A holder whose lease has ended is stale as soon as another job has the mailbox: what he has read rests on an old head.
func TestMailboxThatPassesToAnotherJobLeavesTheOldHolderStale(t *testing.T) {
	w := newWorld(t, storetest.SQLite(t))
	org, repo := w.organization(), w.repository("r")
	k := &worker{w: w, found: []holdfast.Container{mailbox("ann")}}
	var discover []holdfast.Task
	for _, name := range []string{"a", "b"} {
		_, err := w.Jobs.Start(w.ctx, admin, w.job(name, org, repo, nil).ID, false)
		w.ok(err)
		discover = append(discover, k.claim(1)...)
	}
	k.work(discover[0])
	k.work(discover[1])
	old := k.claim(1)[0]
	head := k.next(old)
	head.Number = 5 // as after checkpoints
	w.clock.Move(31 * time.Second)
	other := k.claim(1)[0]
	if other.Job == old.Job {
		t.Fatal("a task that was lost came before one that has not had its turn")
	}
	k.work(other)
	w.kind(w.Control.CommitHeads(w.ctx, []holdfast.HeadCommit{{Lease: old.Lease(), Head: head}}), holdfast.KindStale, "")
	k.drain()
}

func TestOneRunningSessionPerJob(t *testing.T) {
	w := newWorld(t, storetest.SQLite(t))
	j := w.job("all", w.organization(), w.repository("r"), nil)
	_, err := w.Jobs.Start(w.ctx, admin, j.ID, false)
	w.ok(err)
	_, err = w.Jobs.Start(w.ctx, admin, j.ID, false)
	w.kind(err, holdfast.KindConflict, "is running already")
	w.kind(w.Jobs.Delete(w.ctx, admin, j.ID), holdfast.KindConflict, "stop it first")
}

func TestStopEndsWithinFiveSeconds(t *testing.T) {
	for name, obeys := range map[string]bool{"by a proxy that obeys": true, "by force": false} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, storetest.SQLite(t))
			j := w.job("all", w.organization(), w.repository("r"), nil)
			s, err := w.Jobs.Start(w.ctx, admin, j.ID, false)
			w.ok(err)
			k := &worker{w: w, found: []holdfast.Container{mailbox("ann"), mailbox("bob")}}
			k.work(k.claim(1)[0])
			task := k.claim(1)[0]
			head := k.next(task)
			w.ok(w.Jobs.Stop(w.ctx, admin, j.ID))
			if gone, err := w.Control.Renew(w.ctx, []holdfast.Lease{task.Lease()}); err != nil || len(gone) != 1 {
				t.Errorf("the holder was not told: %v, %v", gone, err)
			}
			if obeys {
				w.ok(w.Control.Complete(w.ctx, task.Lease(), holdfast.TaskResult{Err: "cancelled"}))
			} else {
				w.clock.Move(5 * time.Second)
				w.ok(w.Tick(w.ctx))
				err := w.Control.CommitHeads(w.ctx, []holdfast.HeadCommit{{Lease: task.Lease(), Head: head}})
				w.kind(err, holdfast.KindStale, "")
			}
			s, err = w.JobSessions.Get(w.ctx, admin, s.ID)
			w.ok(err)
			if s.Status != holdfast.StatusStopped || s.Ended.IsZero() || s.Details != "stopped by admin" || s.RestorePoint != "" {
				t.Errorf("session %+v", s)
			}
			if left := k.claim(10); len(left) != 0 {
				t.Errorf("tasks are left: %+v", left)
			}
			w.kind(w.Jobs.Stop(w.ctx, admin, j.ID), holdfast.KindConflict, "is not running")
			if again := w.run(j, k); again.Status != holdfast.StatusSuccess {
				t.Errorf("the next run: %s %s", again.Status, again.Details)
			}
		})
	}
}

func TestRetryTriesOnlyWhatFailed(t *testing.T) {
	w := newWorld(t, storetest.SQLite(t))
	j := w.job("all", w.organization(), w.repository("r"), func(s *service.JobSpec) {
		s.Schedule = &holdfast.Schedule{RetryEnabled: true, RetryNumber: 1, RetryWait: 10 * time.Minute}
	})
	tried := map[string]int{}
	k := &worker{w: w, found: []holdfast.Container{mailbox("ann"), mailbox("bob")}}
	k.backup = func(c holdfast.Container) holdfast.TaskResult {
		tried[c.Source]++
		if c.Source == "bob" {
			return holdfast.TaskResult{Err: "busy", Reason: holdfast.SkipTransient, Retriable: true}
		}
		return holdfast.TaskResult{}
	}
	first := w.run(j, k)
	if first.Status != holdfast.StatusWarning || !first.WillRetry {
		t.Fatalf("first session %+v", first)
	}
	w.clock.Move(9 * time.Minute)
	w.ok(w.Tick(w.ctx))
	if len(k.claim(1)) != 0 {
		t.Fatal("retried too early")
	}
	w.clock.Move(2 * time.Minute)
	w.ok(w.Tick(w.ctx))
	k.drain()
	all, err := w.JobSessions.List(w.ctx, admin, holdfast.SessionFilter{Job: j.ID}, holdfast.Page{})
	w.ok(err)
	if len(all) != 2 || all[0].Retry != 1 || all[0].Main != first.ID || all[0].WillRetry || all[0].Status != holdfast.StatusWarning {
		t.Fatalf("sessions %+v", all)
	}
	if tried["ann"] != 1 || tried["bob"] != 2 {
		t.Errorf("tried %v, want ann once, bob twice", tried)
	}
	p, err := w.RestorePoints.Get(w.ctx, admin, all[0].RestorePoint)
	w.ok(err)
	if len(p.Entries) != 2 || p.Entries[0].State != holdfast.StateUnchanged || p.Entries[0].Head != 1 || p.Entries[1].State != holdfast.StateNotUpdated {
		t.Errorf("the retry's restore point: %+v", p.Entries)
	}
}

func TestTaskThatKillsItsProxyIsGivenUp(t *testing.T) {
	open := storetest.SQLite(t)
	w := newWorld(t, open)
	j := w.job("all", w.organization(), w.repository("r"), nil)
	s, err := w.Jobs.Start(w.ctx, admin, j.ID, false)
	w.ok(err)
	k := &worker{w: w, found: []holdfast.Container{mailbox("ann"), mailbox("bob")}}
	k.work(k.claim(1)[0])
	k.work(k.claim(1)[0])
	for n := 1; n <= 10; n++ {
		if got := k.claim(1); len(got) != 1 || got[0].Attempt != n {
			t.Fatalf("attempt %d: %+v", n, got)
		}
		w.clock.Move(31 * time.Second) // nobody renews
	}
	k.drain()
	s, err = w.JobSessions.Get(w.ctx, admin, s.ID)
	w.ok(err)
	if s.Status != holdfast.StatusWarning || !strings.Contains(s.Details, "10 attempts") {
		t.Errorf("session %s %q", s.Status, s.Details)
	}
}

func TestRenewKeepsALease(t *testing.T) {
	w := newWorld(t, storetest.SQLite(t))
	j := w.job("all", w.organization(), w.repository("r"), nil)
	_, err := w.Jobs.Start(w.ctx, admin, j.ID, false)
	w.ok(err)
	k := &worker{w: w}
	task := k.claim(1)[0]
	for range 5 {
		w.clock.Move(20 * time.Second)
		gone, err := w.Control.Renew(w.ctx, []holdfast.Lease{task.Lease()})
		w.ok(err)
		if len(gone) != 0 || len(k.claim(1)) != 0 {
			t.Fatal("a renewed lease was lost")
		}
	}
	w.clock.Move(31 * time.Second)
	if again := k.claim(1); len(again) != 1 || again[0].ID != task.ID {
		t.Errorf("a lease that ended was not given on: %+v", again)
	}
}

// TestRenewOfManyLeases: those that are held are kept, and those that were cancelled, are over or never were come back, each once, however many there are.
func TestRenewOfManyLeases(t *testing.T) {
	const all = 1200
	w := newWorld(t, storetest.SQLite(t))
	j := w.job("all", w.organization(), w.repository("r"), nil)
	_, err := w.Jobs.Start(w.ctx, admin, j.ID, false)
	w.ok(err)
	k := &worker{w: w}
	for i := range all {
		k.found = append(k.found, mailbox(fmt.Sprintf("u%04d", i)))
	}
	k.work(k.claim(1)[0])
	tasks := k.claim(all)
	if len(tasks) != all {
		t.Fatalf("%d tasks", len(tasks))
	}
	leases := []holdfast.Lease{{Task: "never", Epoch: 1}}
	want := []holdfast.TaskID{"never"}
	for i, task := range tasks {
		lease := task.Lease()
		switch i % 100 {
		case 0:
			w.ok(w.Control.Complete(w.ctx, lease, holdfast.TaskResult{Err: "over"}))
			want = append(want, lease.Task)
		case 1:
			lease.Epoch--
			want = append(want, lease.Task)
		}
		leases = append(leases, lease)
	}
	for range 3 { // 60 s: twice as long as a lease holds
		w.clock.Move(20 * time.Second)
		gone, err := w.Control.Renew(w.ctx, leases)
		w.ok(err)
		slices.Sort(gone)
		slices.Sort(want)
		if !slices.Equal(gone, want) {
			t.Fatalf("%d leases came back, want %d: %v", len(gone), len(want), gone)
		}
	}
	lost := 0
	for _, task := range k.claim(all) {
		if !slices.Contains(want, task.ID) {
			lost++
		}
	}
	if lost > 0 {
		t.Errorf("%d leases that were renewed were lost", lost)
	}
}

// TestKindsTakeTurns: while one service makes its containers wait the others' are done, in proportion to how many of each there are.
func TestKindsTakeTurns(t *testing.T) {
	w := newWorld(t, storetest.SQLite(t))
	j := w.job("all", w.organization(), w.repository("r"), nil)
	_, err := w.Jobs.Start(w.ctx, admin, j.ID, false)
	w.ok(err)
	k := &worker{w: w}
	kinds := map[holdfast.ContainerKind]int{holdfast.Mailbox: 40, holdfast.Drive: 20, holdfast.Site: 4}
	for _, kind := range []holdfast.ContainerKind{holdfast.Mailbox, holdfast.Drive, holdfast.Site} {
		for i := range kinds[kind] {
			id := fmt.Sprintf("%s-%02d", kind, i)
			k.found = append(k.found, holdfast.Container{Kind: kind, Source: id, Owner: id})
		}
	}
	k.work(k.claim(1)[0])
	done := map[holdfast.ContainerKind]int{}
	last := map[holdfast.ContainerKind]string{}
	for n := 1; n <= 64; n++ {
		got := k.claim(1)
		if len(got) != 1 {
			t.Fatalf("after %d: %+v", n-1, got)
		}
		c := got[0].Container
		if c.Source <= last[c.Kind] {
			t.Errorf("%s after %s: the order within a kind is not the one found", c.Source, last[c.Kind])
		}
		last[c.Kind] = c.Source
		done[c.Kind]++
		for kind, all := range kinds {
			if want := float64(all*n) / 64; float64(done[kind]) < want-1.5 || float64(done[kind]) > want+1.5 {
				t.Errorf("after %d of 64 %d of %d of kind %s are begun", n, done[kind], all, kind)
			}
		}
	}
}

func TestMaintenanceClaimsNothing(t *testing.T) {
	w := newWorld(t, storetest.SQLite(t))
	j := w.job("all", w.organization(), w.repository("r"), nil)
	_, err := w.Jobs.Start(w.ctx, admin, j.ID, false)
	w.ok(err)
	w.ok(w.Proxies.Maintain(w.ctx, admin, service.BuiltInProxy, true))
	k := &worker{w: w}
	if got := k.claim(1); len(got) != 0 {
		t.Errorf("claimed %+v in maintenance", got)
	}
	w.ok(w.Proxies.Maintain(w.ctx, admin, service.BuiltInProxy, false))
	if got := k.claim(1); len(got) != 1 {
		t.Errorf("claimed %+v after maintenance", got)
	}
}

func TestAccessGivesTheCredentialToTheHolderOnly(t *testing.T) {
	w := newWorld(t, storetest.SQLite(t))
	org, repo := w.organization(), w.repository("r")
	j := w.job("all", org, repo, nil)
	_, err := w.Jobs.Start(w.ctx, admin, j.ID, false)
	w.ok(err)
	k := &worker{w: w}
	task := k.claim(1)[0]
	a, err := w.Control.Access(w.ctx, task.Lease())
	w.ok(err)
	if a.Credential.ApplicationSecret != "CANARY-secret" || a.Organization.ID != org.ID || a.Repository.ID != repo.ID || a.Job.ID != j.ID {
		t.Errorf("access %+v", a)
	}
	if a.Anew {
		t.Error("discovery is told to compare")
	}
	stale := task.Lease()
	stale.Epoch--
	_, err = w.Control.Access(w.ctx, stale)
	w.kind(err, holdfast.KindStale, "")
	if text, err := json.Marshal(a); err != nil || strings.Contains(string(text), "CANARY") || strings.Contains(fmt.Sprintf("%v %+v", a, a), "CANARY") {
		t.Errorf("the secret shows in %s (%v)", text, err)
	}
}

func TestHistoryIsForgottenInItsTime(t *testing.T) {
	storetest.Each(t, func(t *testing.T, open storetest.Open) {
		w := newWorld(t, open)
		org, repo := w.organization(), w.repository("r")
		j := w.job("all", org, repo, nil)
		k := &worker{w: w, found: []holdfast.Container{mailbox("ann")}}
		old := w.run(j, k)
		w.clock.Move(8 * 24 * time.Hour)
		running, err := w.Jobs.Start(w.ctx, admin, j.ID, false)
		w.ok(err)
		w.ok(w.TidyForTest(w.ctx))
		objects, err := w.JobSessions.Objects(w.ctx, admin, old.ID, holdfast.Page{})
		w.ok(err)
		if len(objects) != 1 || objects[0].Status != holdfast.StatusSuccess {
			t.Errorf("objects of an old session: %+v", objects)
		}
		k.drain() // the tasks of a session that runs are left alone
		if s, err := w.JobSessions.Get(w.ctx, admin, running.ID); err != nil || s.Status != holdfast.StatusSuccess {
			t.Errorf("the running session: %+v, %v", s, err)
		}
		w.clock.Move(365 * 24 * time.Hour)
		w.ok(w.TidyForTest(w.ctx))
		all, err := w.JobSessions.List(w.ctx, admin, holdfast.SessionFilter{}, holdfast.Page{})
		w.ok(err)
		if len(all) != 1 || all[0].ID != running.ID {
			t.Errorf("sessions left: %+v", all)
		}
		if points, err := w.RestorePoints.List(w.ctx, admin, holdfast.PointFilter{}, holdfast.Page{}); err != nil || len(points) != 2 {
			t.Errorf("restore points %v, %v", points, err)
		}
	})
}
