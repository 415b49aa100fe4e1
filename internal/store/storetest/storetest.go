// Package storetest opens databases for tests, and has the promises that every database must keep.
package storetest

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"reflect"
	"slices"
	"sync"
	"testing"
	"time"

	"holdfast/internal/holdfast"
	"holdfast/internal/store"
	"holdfast/internal/sys"
)

// Open opens the same database again and again. A nil clock is the machine's; nil faults break nothing.
type Open func(clock sys.Clock, faults *sys.Faults) (*store.Store, error)

// SQLite gives a database in a file of the test's own.
func SQLite(t testing.TB) Open {
	path := filepath.Join(t.TempDir(), "holdfast.db")
	return func(clock sys.Clock, faults *sys.Faults) (*store.Store, error) {
		return store.Open(context.Background(), store.Options{Path: path, Clock: clock, Faults: faults})
	}
}

// Each runs a test on SQLite and on PostgreSQL.
func Each(t *testing.T, run func(t *testing.T, open Open)) {
	t.Run("SQLite", func(t *testing.T) { run(t, SQLite(t)) })
	t.Run("PostgreSQL", func(t *testing.T) { run(t, PostgreSQL(t)) })
}

// Must opens or ends the test, and closes at its end.
func Must(t testing.TB, open Open) *store.Store {
	t.Helper()
	s, err := open(nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return s
}

var (
	when  = time.Date(2026, 3, 29, 1, 2, 3, 456000, time.UTC)
	ghost = "ghost'; DROP TABLE jobs; -- \x00"
)

// Run tests what the rules rely on.
func Run(t *testing.T, open Open) {
	s := Must(t, open)
	for name, test := range map[string]func(*testing.T, *store.Store){
		"what is put comes back":                       testRoundTrip,
		"what is not there is not found":               testMissing,
		"a failed transaction changes nothing":         testRollback,
		"concurrent writers lose no update":            testConcurrent,
		"a job has one session that runs":              testOneSession,
		"claims respect leases, containers and time":   testClaimable,
		"lists page, filter and sort":                  testLists,
		"the copy of a directory follows it":           testDirectory,
		"what several have together is each one's":     testOwners,
		"a basket has its own entries":                 testBaskets,
		"saved searches are an account's":              testSavedSearches,
		"heads live as long as something shows them":   testHeads,
		"a repository is forgotten whole":              testDeleteRepository,
		"the lease clock runs forward and by itself":   testClock,
		"the audit chain's numbers are taken once":     testAuditNumber,
		"texts that a database can't hold are cleaned": testClean,
	} {
		t.Run(name, func(t *testing.T) { test(t, s) })
	}
}

func write(t testing.TB, s *store.Store, fn func(ctx context.Context, tx *store.Tx) error) {
	t.Helper()
	if err := s.Write(context.Background(), fn); err != nil {
		t.Fatal(err)
	}
}

func read[T any](t testing.TB, s *store.Store, fn func(ctx context.Context, tx *store.Tx) (T, error)) T {
	t.Helper()
	var out T
	if err := s.Read(context.Background(), func(ctx context.Context, tx *store.Tx) error {
		var err error
		out, err = fn(ctx, tx)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	return out
}

func equal(t testing.TB, got, want any) {
	t.Helper()
	if !reflect.DeepEqual(got, want) {
		t.Errorf("\n got %+v\nwant %+v", got, want)
	}
}

func testDirectory(t *testing.T, s *store.Store) {
	user := func(id, name string) holdfast.DirectoryObject {
		return holdfast.DirectoryObject{Organization: "dir", Kind: holdfast.DirectoryUser, ID: id, Name: name + "@x.example", DisplayName: name, Licenses: []string{"sku"}}
	}
	group := holdfast.DirectoryObject{Organization: "dir", Kind: holdfast.DirectoryGroup, ID: "g", DisplayName: "G", Type: holdfast.GroupSecurity}
	member := func(id string, gone bool) holdfast.DirectoryMember {
		return holdfast.DirectoryMember{Group: "g", Kind: holdfast.DirectoryUser, Member: id, Gone: gone}
	}
	names := func(f holdfast.DirectoryFilter) (out []string) {
		t.Helper()
		f.Kind = holdfast.DirectoryUser
		for _, o := range read(t, s, func(ctx context.Context, tx *store.Tx) ([]holdfast.DirectoryObject, error) {
			return tx.DirectoryObjects(ctx, "dir", f, holdfast.Page{})
		}) {
			out = append(out, o.ID)
		}
		return out
	}
	members := func() (out []string) {
		t.Helper()
		for _, m := range read(t, s, func(ctx context.Context, tx *store.Tx) ([]holdfast.DirectoryMember, error) {
			return tx.DirectoryMembers(ctx, "dir", "g")
		}) {
			out = append(out, m.Member)
		}
		return out
	}
	state := holdfast.DirectoryState{Organization: "dir", Position: holdfast.DirectoryPosition{Users: "link"}, Round: 1, Synced: when}
	write(t, s, func(ctx context.Context, tx *store.Tx) error {
		// The same user twice in one answer, and a member who comes, goes and comes again.
		return errors.Join(tx.PutDirectoryObjects(ctx, 1, user("u1", "Äda_"), user("u2", "Bob"), user("u1", "Äda%"), group),
			tx.PutDirectoryObjects(ctx, 1, holdfast.DirectoryObject{Organization: "other", Kind: holdfast.DirectoryUser, ID: "u1"}),
			tx.ChangeDirectoryMembers(ctx, "dir", 1, member("u1", false), member("u1", true), member("u1", false), member("u2", false), member("u3", false), member("u3", true)),
			tx.PutDirectoryState(ctx, state))
	})
	equal(t, names(holdfast.DirectoryFilter{}), []string{"u2", "u1"})
	equal(t, names(holdfast.DirectoryFilter{DisplayName: "ÄDA%"}), []string{"u1"})
	equal(t, names(holdfast.DirectoryFilter{DisplayName: "%"}), []string(nil))
	equal(t, names(holdfast.DirectoryFilter{Name: "bob@X"}), []string{"u2"})
	equal(t, names(holdfast.DirectoryFilter{Text: "DA%"}), []string{"u1"})
	equal(t, names(holdfast.DirectoryFilter{Text: "da_"}), []string(nil))
	equal(t, names(holdfast.DirectoryFilter{Text: "B@X"}), []string{"u2"})
	equal(t, names(holdfast.DirectoryFilter{Text: "@x.example"}), []string{"u2", "u1"})
	equal(t, names(holdfast.DirectoryFilter{Text: "!"}), []string(nil))
	equal(t, members(), []string{"u1", "u2"})
	equal(t, read(t, s, func(ctx context.Context, tx *store.Tx) (holdfast.DirectoryState, error) {
		return tx.DirectoryState(ctx, "dir")
	}), state)
	equal(t, read(t, s, func(ctx context.Context, tx *store.Tx) (holdfast.DirectoryState, error) {
		return tx.DirectoryState(ctx, "none")
	}), holdfast.DirectoryState{Organization: "none"})
	equal(t, read(t, s, func(ctx context.Context, tx *store.Tx) (holdfast.DirectoryObject, error) {
		return tx.DirectoryObject(ctx, "dir", holdfast.DirectoryUser, "BOB@x.example")
	}), user("u2", "Bob"))

	equal(t, names(holdfast.DirectoryFilter{IDs: []string{"u2", "nobody"}}), []string{"u2"})
	equal(t, names(holdfast.DirectoryFilter{IDs: []string{}}), []string(nil))

	// What a mailbox is for is told by backups: it stays when the directory, which does not know it, tells of its user again. Of who is not known
	// nothing is kept.
	purpose := func(id string) string {
		t.Helper()
		return read(t, s, func(ctx context.Context, tx *store.Tx) (holdfast.DirectoryObject, error) {
			return tx.DirectoryObject(ctx, "dir", holdfast.DirectoryUser, id)
		}).Purpose
	}
	write(t, s, func(ctx context.Context, tx *store.Tx) error {
		return errors.Join(tx.PutDirectoryPurpose(ctx, "dir", "u1", "room"), tx.PutDirectoryPurpose(ctx, "dir", "u2", "room"), tx.PutDirectoryPurpose(ctx, "dir", "u2", "shared"), tx.PutDirectoryPurpose(ctx, "dir", "nobody", "user"))
	})
	write(t, s, func(ctx context.Context, tx *store.Tx) error {
		return tx.PutDirectoryObjects(ctx, 1, user("u1", "Äda%"), user("u2", "Bob"))
	})
	equal(t, []string{purpose("u1"), purpose("u2")}, []string{"room", "shared"})
	equal(t, names(holdfast.DirectoryFilter{}), []string{"u2", "u1"})
	write(t, s, func(ctx context.Context, tx *store.Tx) error {
		return errors.Join(tx.PutDirectoryPurpose(ctx, "dir", "u1", "user"), tx.PutDirectoryPurpose(ctx, "other", "u1", "shared"))
	})
	equal(t, purpose("u1"), "user")

	// u1 is missed by a full round: he is gone, and stays known as a member; u2 left the group and is forgotten as one.
	write(t, s, func(ctx context.Context, tx *store.Tx) error {
		return errors.Join(tx.PutDirectoryObjects(ctx, 2, user("u2", "Bob"), group), tx.MissDirectoryObjects(ctx, "dir", holdfast.DirectoryUser, 2, when), tx.MissDirectoryMembers(ctx, "dir", 2))
	})
	equal(t, names(holdfast.DirectoryFilter{}), []string{"u2"})
	equal(t, names(holdfast.DirectoryFilter{Gone: true}), []string{"u2", "u1"})
	equal(t, members(), []string{"u1"})
	write(t, s, func(ctx context.Context, tx *store.Tx) error {
		return errors.Join(tx.ChangeDirectoryMembers(ctx, "dir", 2, member("u1", true)), tx.ChangeDirectoryMembers(ctx, "dir", 2, member("u2", false)))
	})
	equal(t, members(), []string{"u1", "u2"})
	write(t, s, func(ctx context.Context, tx *store.Tx) error {
		gone := group
		gone.Gone = when
		return errors.Join(tx.PutDirectoryObjects(ctx, 2, gone), tx.MissDirectoryMembers(ctx, "dir", 9)) // of a group that is gone its members stay known
	})
	equal(t, members(), []string{"u1", "u2"})
	write(t, s, func(ctx context.Context, tx *store.Tx) error { return tx.DeleteOrganization(ctx, "dir") })
	equal(t, members(), []string(nil))
	equal(t, names(holdfast.DirectoryFilter{Gone: true}), []string(nil))
}

func testRoundTrip(t *testing.T, s *store.Store) {
	c := holdfast.Container{Organization: "o1", Kind: holdfast.Mailbox, Source: "u1", Name: "Ann \u2603 O'Hara", Address: "ann@x", Owner: "u1"}
	org := holdfast.Organization{ID: "o1", Name: "x.example", OfficeName: "X", Description: "d\n\"'", TenantID: "t", Region: holdfast.Worldwide, Exchange: true, ApplicationID: "a", CertificateThumbprint: "AB", FirstBackup: when, Created: when}
	repo := holdfast.Repository{ID: "r1", Name: "R", Path: "/r", Retention: holdfast.RetentionPeriod{Years: 3}, RetentionFrequency: "Daily", DailyTime: "00:00:00", DailyType: "Everyday", NextRetention: when, KitExported: true, Created: when}
	window := make([]bool, 168)
	window[167] = true
	job := holdfast.Job{ID: "j1", Organization: "o1", Repository: "r1", Name: "Job", Scope: holdfast.SelectedItems, Selected: []holdfast.JobItem{{ID: "i", Type: "User", ObjectID: "u1", Name: "Ann", Mailbox: true}},
		Schedule: holdfast.Schedule{Enabled: true, Type: "Periodically", Every: time.Hour, Window: window, WindowEnabled: true, RetryWait: time.Minute}, Enabled: true, LastRun: when, LastStatus: holdfast.StatusWarning, NextRun: when, RetryAt: when, RetryOf: "s0", Created: when}
	session := holdfast.JobSession{ID: "s1", Main: "s0", Job: "j1", JobName: "Job", Organization: "o1", Repository: "r1", Full: true, Anew: true, Status: holdfast.StatusRunning, Details: "d", Created: when, Progress: 3, Retry: 1, StopBy: when,
		Statistics: holdfast.Statistics{Objects: 1, ObjectsTotal: 2, Items: 3, Skipped: 4, ReadBytes: 5, WrittenBytes: 6, Requests: 7, ResourceUnits: 8, Throttled: 9, Bottleneck: "NA"}}
	entry := holdfast.PointEntry{Container: c, Head: 3, HeadTime: when, State: holdfast.StateUpdated, Skipped: []holdfast.SkippedItem{{ID: "i", Name: "n", Reason: holdfast.SkipLocked, Detail: "\x00"}}, SkippedCount: 1}
	task := holdfast.TaskRecord{Task: holdfast.Task{ID: "t1", Kind: holdfast.TaskBackup, Organization: "o1", Repository: "r1", Job: "j1", JobSession: "s1", RestoreSession: "rs", Container: c, Epoch: 7, Attempt: 2, Request: []byte{0, 1, '\''}},
		State: holdfast.TaskRunning, Proxy: "p", LeaseUntil: when, NotBefore: when, Position: 4, Cancel: true, OwnCredential: true, Result: "r", Retriable: true, Entry: &entry, Ended: when}
	head := holdfast.HeadRecord{Organization: "o1", Repository: "r1", Container: c, Number: 3, Epoch: 7, Time: when, Journal: "e", Items: 1, Bytes: 2, Data: []byte{0, 255}}
	record := holdfast.ContainerRecord{Container: c, Repository: "r1", Head: 3, HeadTime: when, Checkpoint: 4, Items: 1, Bytes: 2, First: when, State: holdfast.StateUpdated}
	point := holdfast.RestorePoint{ID: "p1", Organization: "o1", Repository: "r1", Job: "j1", JobName: "Job", JobSession: "s1", Time: when, Status: holdfast.StatusSuccess, Entries: []holdfast.PointEntry{entry}}
	restore := holdfast.RestoreSession{ID: "rs1", Name: "n", Type: holdfast.ExploreExchange, Organization: "o1", PointInTime: when, Points: []holdfast.RestorePointID{"p1"}, Account: "a9", Result: holdfast.StatusSuccess, Created: when, LastUsed: when}
	whole := holdfast.RestoreEvent{ID: "e0", Session: "rs1", Request: "q", Number: 2, Type: "Restore", Status: "Running", Reason: "why", Started: when}
	event := holdfast.RestoreEvent{ID: "e1", Session: "rs1", Request: "q", Item: "i", Type: "Restore", Status: "Success", ItemName: "n", Started: when}
	item := holdfast.RestoreItem{Request: "q", Item: "i", Version: "v", Epoch: 7, Began: when}
	result := holdfast.ItemResult{Item: "i", Name: "n", Outcome: "created", NewID: "new", Lost: []string{"x"}}
	proxy := holdfast.Proxy{ID: "px", HostName: "h", Port: 9193, BuiltIn: true, Version: "1", CPU: 1.5, Memory: 2.25, LastSeen: when, Created: when}
	secret := holdfast.SealedSecret{ID: "x", KeyID: "k", WrappedKey: []byte{1}, Ciphertext: []byte{0}}
	token := holdfast.Token{Hash: "h", Kind: holdfast.TokenRefresh, Family: "f", Account: "a", Issued: when, Expires: when, Used: when}
	account := holdfast.Account{ID: "a", Name: "Admin", PasswordHash: "$", Created: when, Passkeys: 1}
	passkey := holdfast.Passkey{ID: "pk", Account: "a", Name: "n", Host: "h", PublicKey: []byte{0, 1}, SignCount: 1<<32 - 1, Flags: 0xff, Transports: []string{"internal"}, Created: when, LastUsed: when}

	for range 2 { // the second time replaces
		write(t, s, func(ctx context.Context, tx *store.Tx) error {
			return errors.Join(tx.PutSetting(ctx, "n", "v"), tx.PutSecret(ctx, secret), tx.PutProxy(ctx, proxy), tx.PutAccount(ctx, account), tx.PutPasskey(ctx, passkey), tx.PutToken(ctx, token),
				tx.PutOrganization(ctx, org), tx.PutRepository(ctx, repo), tx.PutJob(ctx, job), tx.PutJobSession(ctx, session), tx.PutTasks(ctx, task), tx.PutContainer(ctx, record),
				tx.PutHead(ctx, head), tx.PutCheckpoint(ctx, head), tx.PutRestorePoint(ctx, point), tx.PutRestoreSession(ctx, restore), tx.PutRestoreEvent(ctx, event), tx.PutRestoreEvent(ctx, whole), tx.PutRestoreItem(ctx, item))
		})
	}
	if err := s.Read(context.Background(), func(ctx context.Context, tx *store.Tx) error {
		for _, c := range []struct {
			want any
			get  func() (any, error)
		}{
			{"v", func() (any, error) { v, _, err := tx.Setting(ctx, "n"); return v, err }},
			{secret, func() (any, error) { return tx.Secret(ctx, "x") }},
			{proxy, func() (any, error) { return tx.Proxy(ctx, "px") }},
			{account, func() (any, error) { return tx.AccountByName(ctx, "ADMIN") }},
			{passkey, func() (any, error) { return tx.Passkey(ctx, "pk") }},
			{[]holdfast.Passkey{passkey}, func() (any, error) { return tx.Passkeys(ctx, "a") }},
			{token, func() (any, error) { return tx.Token(ctx, "h") }},
			{org, func() (any, error) { return tx.Organization(ctx, "o1") }},
			{repo, func() (any, error) { return tx.Repository(ctx, "r1") }},
			{job, func() (any, error) { return tx.Job(ctx, "j1") }},
			{session, func() (any, error) { return tx.JobSession(ctx, "s1") }},
			{task, func() (any, error) { return tx.Task(ctx, "t1") }},
			{record, func() (any, error) { return tx.Container(ctx, "r1", "o1", c.Key()) }},
			{head, func() (any, error) { return tx.Head(ctx, "r1", "o1", c.Key(), 3) }},
			{head, func() (any, error) { return tx.Checkpoint(ctx, "r1", "o1", c.Key()) }},
			{point, func() (any, error) { return tx.RestorePoint(ctx, "p1") }},
			{map[holdfast.ContainerKind]int{holdfast.Mailbox: 1}, func() (any, error) { return tx.EntryCounts(ctx, "p1") }},
			{restore, func() (any, error) { return tx.RestoreSession(ctx, "rs1") }},
			{[]holdfast.RestoreSession{restore}, func() (any, error) {
				return tx.RestoreSessions(ctx, holdfast.RestoreSessionFilter{Account: "a9"}, holdfast.Page{})
			}},
			{[]holdfast.RestoreEvent{whole}, func() (any, error) { return tx.RestoreRequests(ctx, "a9", holdfast.Page{Limit: 1}) }},
			{[]holdfast.RestoreEvent{}, func() (any, error) { return tx.RestoreRequests(ctx, "a8", holdfast.Page{}) }},
			{item, func() (any, error) { i, _, err := tx.RestoreItem(ctx, "q", "i", "v"); return i, err }},
			{map[string]int{"Success": 1}, func() (any, error) { return tx.RestoreEventCounts(ctx, "rs1", "q") }},
		} {
			got, err := c.get()
			if err != nil {
				return err
			}
			equal(t, got, c.want)
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	write(t, s, func(ctx context.Context, tx *store.Tx) error { return tx.EndRestoreItem(ctx, "q", result) })
	item.Result = &result
	equal(t, read(t, s, func(ctx context.Context, tx *store.Tx) (holdfast.RestoreItem, error) {
		i, _, err := tx.RestoreItem(ctx, "q", "i", "v")
		return i, err
	}), item)
	// An active session would be in the way of other tests.
	session.Ended = when
	write(t, s, func(ctx context.Context, tx *store.Tx) error {
		return errors.Join(tx.PutJobSession(ctx, session), tx.DeleteTasks(ctx, holdfast.TaskFilter{Repository: "r1"}))
	})
}

func testMissing(t *testing.T, s *store.Store) {
	if err := s.Read(context.Background(), func(ctx context.Context, tx *store.Tx) error {
		for name, get := range map[string]func() error{
			"organization":    func() error { _, err := tx.Organization(ctx, holdfast.OrganizationID(ghost)); return err },
			"repository":      func() error { _, err := tx.Repository(ctx, holdfast.RepositoryID(ghost)); return err },
			"job":             func() error { _, err := tx.Job(ctx, holdfast.JobID(ghost)); return err },
			"job session":     func() error { _, err := tx.JobSession(ctx, holdfast.JobSessionID(ghost)); return err },
			"task":            func() error { _, err := tx.Task(ctx, holdfast.TaskID(ghost)); return err },
			"head":            func() error { _, err := tx.Head(ctx, "r1", "o1", ghost, 1); return err },
			"checkpoint":      func() error { _, err := tx.Checkpoint(ctx, "r1", "o1", ghost); return err },
			"restore point":   func() error { _, err := tx.RestorePoint(ctx, holdfast.RestorePointID(ghost)); return err },
			"restore session": func() error { _, err := tx.RestoreSession(ctx, holdfast.RestoreSessionID(ghost)); return err },
			"event":           func() error { _, err := tx.RestoreEvent(ctx, "rs1", ghost); return err },
			"account":         func() error { _, err := tx.AccountByName(ctx, ghost); return err },
			"token":           func() error { _, err := tx.Token(ctx, ghost); return err },
			"secret":          func() error { _, err := tx.Secret(ctx, ghost); return err },
			"proxy":           func() error { _, err := tx.Proxy(ctx, holdfast.ProxyID(ghost)); return err },
		} {
			if err := get(); holdfast.KindOf(err) != holdfast.KindNotFound {
				t.Errorf("%s: %v, want not found", name, err)
			}
		}
		known, err := tx.PointKnown(ctx, holdfast.RestorePointID(ghost))
		if known || err != nil {
			t.Errorf("restore point known: %v, %v", known, err)
		}
		jobs, err := tx.Jobs(ctx, holdfast.JobFilter{Organization: holdfast.OrganizationID(ghost)}, holdfast.Page{})
		equal(t, len(jobs), 0)
		return err
	}); err != nil {
		t.Fatal(err)
	}
}

func testRollback(t *testing.T, s *store.Store) {
	boom := errors.New("boom")
	err := s.Write(context.Background(), func(ctx context.Context, tx *store.Tx) error {
		return errors.Join(tx.PutSetting(ctx, "rolled back", "x"), boom)
	})
	if !errors.Is(err, boom) {
		t.Fatalf("got %v, want the function's own error", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	err = s.Write(ctx, func(ctx context.Context, tx *store.Tx) error {
		err := tx.PutSetting(ctx, "rolled back", "y")
		cancel()
		return errors.Join(err, ctx.Err())
	})
	if !errors.Is(err, context.Canceled) {
		t.Fatalf("got %v, want cancelled", err)
	}
	if ok := read(t, s, func(ctx context.Context, tx *store.Tx) (bool, error) {
		_, ok, err := tx.Setting(ctx, "rolled back")
		return ok, err
	}); ok {
		t.Error("a setting of a failed transaction is there")
	}
}

func testConcurrent(t *testing.T, s *store.Store) {
	const workers, each = 4, 12
	var wg sync.WaitGroup
	for range workers {
		wg.Go(func() {
			for range each {
				if err := s.Write(context.Background(), func(ctx context.Context, tx *store.Tx) error {
					v, _, err := tx.Setting(ctx, "count")
					if err != nil {
						return err
					}
					n := 0
					if v != "" {
						if _, err := fmt.Sscan(v, &n); err != nil {
							return err
						}
					}
					return tx.PutSetting(ctx, "count", fmt.Sprint(n+1))
				}); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	equal(t, read(t, s, func(ctx context.Context, tx *store.Tx) (string, error) {
		v, _, err := tx.Setting(ctx, "count")
		return v, err
	}), fmt.Sprint(workers*each))
	epochs := map[holdfast.Epoch]bool{}
	for range 3 {
		write(t, s, func(ctx context.Context, tx *store.Tx) error {
			e, err := tx.NextEpoch(ctx)
			epochs[e] = true
			return err
		})
	}
	equal(t, len(epochs), 3)
	write(t, s, func(ctx context.Context, tx *store.Tx) error {
		if err := errors.Join(tx.RaiseEpoch(ctx, 1000), tx.RaiseEpoch(ctx, 5)); err != nil {
			return err
		}
		e, err := tx.NextEpoch(ctx)
		equal(t, e, holdfast.Epoch(1001))
		return err
	})
}

func testOneSession(t *testing.T, s *store.Store) {
	one := holdfast.JobSession{ID: "one", Job: "busy", Status: holdfast.StatusRunning, Created: when}
	write(t, s, func(ctx context.Context, tx *store.Tx) error { return tx.PutJobSession(ctx, one) })
	two := one
	two.ID = "two"
	if err := s.Write(context.Background(), func(ctx context.Context, tx *store.Tx) error { return tx.PutJobSession(ctx, two) }); err == nil {
		t.Error("a second running session of a job went in")
	}
	one.Ended = when
	write(t, s, func(ctx context.Context, tx *store.Tx) error { return tx.PutJobSession(ctx, one) })
	write(t, s, func(ctx context.Context, tx *store.Tx) error { return tx.PutJobSession(ctx, two) })
	two.Ended = when
	write(t, s, func(ctx context.Context, tx *store.Tx) error { return tx.PutJobSession(ctx, two) })
}

func testClaimable(t *testing.T, s *store.Store) {
	mailbox := func(source string) holdfast.Container {
		return holdfast.Container{Organization: "co", Kind: holdfast.Mailbox, Source: source}
	}
	backup := func(id, session, source string, position int, state holdfast.TaskState) holdfast.TaskRecord {
		return holdfast.TaskRecord{Task: holdfast.Task{ID: holdfast.TaskID(id), Kind: holdfast.TaskBackup, Organization: "co", Repository: "cr", JobSession: holdfast.JobSessionID(session), Container: mailbox(source)}, State: state, Position: position}
	}
	later := backup("later", "b", "m9", 0, holdfast.TaskReady)
	later.NotBefore = when.Add(time.Minute)
	held := backup("held", "a", "m1", 0, holdfast.TaskRunning)
	held.LeaseUntil = when.Add(time.Second)
	lost := backup("lost", "a", "m2", 1, holdfast.TaskRunning)
	lost.LeaseUntil = when.Add(-time.Second)
	strange := backup("strange", "a", "m7", 2, holdfast.TaskRunning)
	strange.LeaseUntil = when.Add(48 * time.Hour) // of a clock that was wrong
	cancelled := backup("cancelled", "a", "m8", 3, holdfast.TaskRunning)
	cancelled.Cancel = true
	restore := holdfast.TaskRecord{Task: holdfast.Task{ID: "restore", Kind: holdfast.TaskRestore, Repository: "cr"}, State: holdfast.TaskReady, Position: 99}
	retention := func(id string, state holdfast.TaskState) holdfast.TaskRecord {
		return holdfast.TaskRecord{Task: holdfast.Task{ID: holdfast.TaskID(id), Kind: holdfast.TaskRetention, Repository: "cr"}, State: state, LeaseUntil: when.Add(time.Minute)}
	}
	write(t, s, func(ctx context.Context, tx *store.Tx) error {
		return tx.PutTasks(ctx, later, held, lost, strange, cancelled, restore, retention("ret1", holdfast.TaskRunning), retention("ret2", holdfast.TaskReady),
			backup("blocked", "b", "m1", 0, holdfast.TaskReady), backup("first", "b", "m3", 1, holdfast.TaskReady), backup("second", "c", "m3", 4, holdfast.TaskReady), backup("done", "b", "m4", 0, holdfast.TaskDone))
	})
	claim := func(now time.Time, max int) []string {
		return read(t, s, func(ctx context.Context, tx *store.Tx) ([]string, error) {
			tasks, err := tx.Claimable(ctx, now, when, max)
			var ids []string
			for _, t := range tasks {
				ids = append(ids, string(t.ID))
			}
			return ids, err
		})
	}
	equal(t, claim(when, 10), []string{"restore", "first", "lost", "strange"})
	equal(t, claim(when, 2), []string{"restore", "first"})
	equal(t, claim(when.Add(time.Hour), 10), []string{"restore", "later", "first", "lost", "strange"})
	equal(t, read(t, s, func(ctx context.Context, tx *store.Tx) (time.Time, error) { return tx.NextClaimable(ctx, when) }), when.Add(time.Minute))
	equal(t, read(t, s, func(ctx context.Context, tx *store.Tx) (map[holdfast.TaskState]int, error) {
		return tx.TaskCounts(ctx, "b", holdfast.TaskBackup)
	}), map[holdfast.TaskState]int{holdfast.TaskReady: 3, holdfast.TaskDone: 1})
	of := func(containers []string) (n int) {
		for _, t := range read(t, s, func(ctx context.Context, tx *store.Tx) ([]holdfast.TaskRecord, error) {
			return tx.Tasks(ctx, holdfast.TaskFilter{JobSession: "b", Kind: holdfast.TaskBackup, Containers: containers}, holdfast.Page{})
		}) {
			if containers == nil || slices.Contains(containers, t.Container.Key()) {
				n++
			}
		}
		return n
	}
	key := func(id holdfast.TaskID) string {
		return read(t, s, func(ctx context.Context, tx *store.Tx) (string, error) {
			list, err := tx.Tasks(ctx, holdfast.TaskFilter{IDs: []holdfast.TaskID{id}}, holdfast.Page{})
			if len(list) == 0 {
				return "", err
			}
			return list[0].Container.Key(), err
		})
	}
	m3, m4 := key("first"), key("done")
	equal(t, []int{of(nil), of([]string{m3, m4, "nobody"}), of([]string{m4}), of([]string{})}, []int{4, 2, 1, 0})
	if err := s.Write(context.Background(), func(ctx context.Context, tx *store.Tx) error { return tx.DeleteTasks(ctx, holdfast.TaskFilter{}) }); err == nil {
		t.Error("all tasks could be deleted at once")
	}
	write(t, s, func(ctx context.Context, tx *store.Tx) error {
		return tx.DeleteTasks(ctx, holdfast.TaskFilter{Repository: "cr"})
	})
}

func testLists(t *testing.T, s *store.Store) {
	write(t, s, func(ctx context.Context, tx *store.Tx) error {
		var errs []error
		for i := range 5 {
			id := fmt.Sprintf("list%d", i)
			errs = append(errs, tx.PutOrganization(ctx, holdfast.Organization{ID: holdfast.OrganizationID(id), Name: []string{"b", "A", "c", "D", "e"}[i]}),
				tx.PutJobSession(ctx, holdfast.JobSession{ID: holdfast.JobSessionID(id), Job: "lj", Status: []holdfast.SessionStatus{holdfast.StatusSuccess, holdfast.StatusFailed}[i%2], Created: when.Add(time.Duration(i) * time.Hour), Ended: when.Add(time.Duration(i) * time.Hour)}),
				tx.PutRestorePoint(ctx, holdfast.RestorePoint{ID: holdfast.RestorePointID(id), Organization: "lo", Repository: "lr", Job: holdfast.JobID([]string{"x", "y"}[i%2]), Time: when.Add(time.Duration(i) * time.Hour),
					Entries: []holdfast.PointEntry{{Container: holdfast.Container{Kind: holdfast.Drive, Source: "d", Owner: fmt.Sprint("owner", i)}, Head: 1}}}),
				tx.AddLog(ctx, "ls", holdfast.LogLine{Type: []string{"Success", "Warning"}[i%2], Title: id, Created: when}))
		}
		return errors.Join(errs...)
	})
	sessions := func(f holdfast.SessionFilter, p holdfast.Page) []string {
		return read(t, s, func(ctx context.Context, tx *store.Tx) ([]string, error) {
			all, err := tx.JobSessions(ctx, f, p)
			return ids(all, func(s holdfast.JobSession) string { return string(s.ID) }), err
		})
	}
	points := func(f holdfast.PointFilter, p holdfast.Page) []string {
		return read(t, s, func(ctx context.Context, tx *store.Tx) ([]string, error) {
			all, err := tx.RestorePoints(ctx, f, p)
			return ids(all, func(s holdfast.RestorePoint) string { return string(s.ID) }), err
		})
	}
	lj := holdfast.SessionFilter{Job: "lj"}
	equal(t, sessions(lj, holdfast.Page{}), []string{"list4", "list3", "list2", "list1", "list0"})
	equal(t, sessions(lj, holdfast.Page{Offset: 1, Limit: 2}), []string{"list3", "list2"})
	equal(t, sessions(lj, holdfast.Page{Offset: 3}), []string{"list1", "list0"})
	equal(t, sessions(lj, holdfast.Page{Offset: 99, Limit: 2}), []string{})
	equal(t, sessions(holdfast.SessionFilter{Job: "lj", Statuses: []holdfast.SessionStatus{holdfast.StatusFailed}}, holdfast.Page{}), []string{"list3", "list1"})
	equal(t, sessions(holdfast.SessionFilter{Job: "lj", EndFrom: when.Add(time.Hour), EndUntil: when.Add(2 * time.Hour)}, holdfast.Page{}), []string{"list2", "list1"})
	lr := holdfast.PointFilter{Repository: "lr"}
	equal(t, points(lr, holdfast.Page{Limit: 2}), []string{"list4", "list3"})
	lr.OldestFirst = true
	equal(t, points(lr, holdfast.Page{Limit: 2}), []string{"list0", "list1"})
	equal(t, points(holdfast.PointFilter{Organization: "lo", Job: "y", From: when, Until: when.Add(time.Hour)}, holdfast.Page{}), []string{"list1"})
	equal(t, points(holdfast.PointFilter{Owner: "owner2"}, holdfast.Page{}), []string{"list2"})
	equal(t, points(holdfast.PointFilter{Organization: "lo", Kind: holdfast.Mailbox}, holdfast.Page{}), []string{})
	equal(t, read(t, s, func(ctx context.Context, tx *store.Tx) ([]string, error) {
		all, err := tx.NewestPoints(ctx, holdfast.PointFilter{Repository: "lr", Until: when.Add(3*time.Hour + time.Minute)})
		return ids(all, func(s holdfast.RestorePoint) string { return string(s.ID) }), err
	}), []string{"list3", "list2"})
	equal(t, read(t, s, func(ctx context.Context, tx *store.Tx) ([]string, error) {
		all, err := tx.Log(ctx, "ls", []string{"Warning"}, true, holdfast.Page{})
		return ids(all, func(s holdfast.LogLine) string { return fmt.Sprint(s.Number, s.Title) }), err
	}), []string{"2list1", "4list3"})
	names := read(t, s, func(ctx context.Context, tx *store.Tx) ([]string, error) {
		all, err := tx.Organizations(ctx, holdfast.Page{})
		return ids(all, func(s holdfast.Organization) string { return s.Name }), err
	})
	equal(t, names[:5], []string{"A", "b", "c", "D", "e"})
}

func ids[T any](all []T, id func(T) string) []string {
	out := make([]string, 0, len(all))
	for _, one := range all {
		out = append(out, id(one))
	}
	return out
}

// testOwners: what several own is found by each of them, by nobody else, and comes back as it was put.
func testOwners(t *testing.T, s *store.Store) {
	many := make([]string, 120)
	for i := range many {
		many[i] = fmt.Sprintf("%08d-0000-4000-8000-000000000000", i)
	}
	owners := map[string]string{"two": holdfast.OwnedBy("b", "a", "b"), "one": holdfast.OwnedBy("a"), "many": holdfast.OwnedBy(many...), "none": ""}
	write(t, s, func(ctx context.Context, tx *store.Tx) error {
		var errs []error
		p := holdfast.RestorePoint{ID: "shared", Organization: "so", Repository: "sr", Job: "sj", Time: when}
		for name, owner := range owners {
			c := holdfast.Container{Organization: "so", Kind: holdfast.Chat, Source: name, Name: name, Owner: owner}
			errs = append(errs, tx.PutContainer(ctx, holdfast.ContainerRecord{Container: c, Repository: "sr", Head: 1}))
			p.Entries = append(p.Entries, holdfast.PointEntry{Container: c, Head: 1})
		}
		return errors.Join(append(errs, tx.PutRestorePoint(ctx, p), tx.PutRestorePoint(ctx, p))...)
	})
	sees := func(scope *holdfast.Scope, owner string, want ...string) {
		t.Helper()
		got := read(t, s, func(ctx context.Context, tx *store.Tx) ([]string, error) {
			tx.Restrict(scope)
			all, err := tx.Containers(ctx, holdfast.ContainerFilter{Organization: "so", Owner: owner}, holdfast.Page{})
			for _, c := range all {
				if c.Owner != owners[c.Source] {
					t.Errorf("%s is of %q, want %q", c.Source, c.Owner, owners[c.Source])
				}
				if !scope.Has("so", c.Owner) {
					t.Errorf("the scope has not what the database shows: %s", c.Source)
				}
			}
			return ids(all, func(c holdfast.ContainerRecord) string { return c.Source }), err
		})
		equal(t, got, append([]string{}, want...))
		points := read(t, s, func(ctx context.Context, tx *store.Tx) ([]holdfast.RestorePoint, error) {
			tx.Restrict(scope)
			return tx.RestorePoints(ctx, holdfast.PointFilter{Organization: "so", Owner: owner}, holdfast.Page{})
		})
		if (len(points) == 1) != (len(want) > 0) {
			t.Errorf("%d restore points hold something of what is seen: %q", len(points), want)
		}
		if owner != "" || len(want) == 0 {
			return
		}
		p := read(t, s, func(ctx context.Context, tx *store.Tx) (holdfast.RestorePoint, error) {
			tx.Restrict(scope)
			return tx.RestorePoint(ctx, "shared")
		})
		in := ids(p.Entries, func(e holdfast.PointEntry) string { return e.Container.Source })
		slices.Sort(in)
		equal(t, in, append([]string{}, want...))
	}
	of := func(g holdfast.Grant) *holdfast.Scope {
		g.Organization = "so"
		return &holdfast.Scope{Grants: []holdfast.Grant{g}}
	}
	sees(nil, "", "many", "none", "one", "two")
	sees(nil, "a", "one", "two")
	sees(nil, "b", "two")
	sees(nil, "c")
	sees(of(holdfast.Grant{Owners: []string{"a"}}), "", "one", "two")
	sees(of(holdfast.Grant{Owners: []string{"b", many[119]}}), "", "many", "two")
	sees(of(holdfast.Grant{Owners: []string{"a", "b"}, Excluded: []string{"b"}}), "", "one", "two")
	sees(of(holdfast.Grant{Owners: []string{"c"}}), "")
	sees(of(holdfast.Grant{Whole: true}), "", "many", "none", "one", "two")
	sees(of(holdfast.Grant{Whole: true, Excluded: []string{"a"}}), "", "many", "two")
	sees(of(holdfast.Grant{Whole: true, Excluded: []string{"a", "b"}}), "", "many")
	sees(of(holdfast.Grant{Whole: true, Excluded: []string{"a"}}), "b", "two")
}

func testBaskets(t *testing.T, s *store.Store) {
	basket := holdfast.Basket{ID: "b1", Account: "ba", Name: "one", Runs: []holdfast.BasketRun{{ID: "r", Parts: []holdfast.BasketPart{{Session: "s", Entries: []holdfast.BasketEntryID{"e1"}}}}}}
	entry := holdfast.BasketEntry{ID: "e1", Basket: "b1", Item: "i", Head: 3, Container: holdfast.Container{Kind: holdfast.Drive, Source: "d"}}
	write(t, s, func(ctx context.Context, tx *store.Tx) error {
		return errors.Join(tx.PutBasket(ctx, basket), tx.PutBasket(ctx, holdfast.Basket{ID: "b2", Account: "other"}), tx.PutBasketEntry(ctx, entry), tx.PutBasketEntry(ctx, holdfast.BasketEntry{ID: "e2", Basket: "b1"}),
			tx.PutBasketEntry(ctx, holdfast.BasketEntry{ID: "e3", Basket: "b2"}), tx.DeleteBasketEntry(ctx, "b1", "e2"), tx.DeleteBasketEntry(ctx, "b1", "e3"))
	})
	equal(t, read(t, s, func(ctx context.Context, tx *store.Tx) ([]holdfast.Basket, error) {
		return tx.Baskets(ctx, "ba", holdfast.Page{})
	}), []holdfast.Basket{basket})
	entries := func(id holdfast.BasketID) int {
		return read(t, s, func(ctx context.Context, tx *store.Tx) (int, error) {
			all, err := tx.BasketEntries(ctx, id, holdfast.Page{})
			return len(all), err
		})
	}
	equal(t, read(t, s, func(ctx context.Context, tx *store.Tx) ([]holdfast.BasketEntry, error) {
		return tx.BasketEntries(ctx, "b1", holdfast.Page{})
	}), []holdfast.BasketEntry{entry})
	write(t, s, func(ctx context.Context, tx *store.Tx) error { return tx.DeleteBasket(ctx, "b1") })
	equal(t, []int{entries("b1"), entries("b2")}, []int{0, 1})
}

func testSavedSearches(t *testing.T, s *store.Store) {
	first := holdfast.SavedSearch{ID: "s1", Account: "sa", Name: "one", Query: "from:ada", Kinds: []holdfast.ItemKind{holdfast.KindMail}, Deleted: true}
	write(t, s, func(ctx context.Context, tx *store.Tx) error {
		return errors.Join(tx.PutSavedSearch(ctx, first), tx.PutSavedSearch(ctx, holdfast.SavedSearch{ID: "s2", Account: "sa"}), tx.PutSavedSearch(ctx, holdfast.SavedSearch{ID: "s3", Account: "other"}),
			tx.DeleteSavedSearch(ctx, "s2"))
	})
	equal(t, read(t, s, func(ctx context.Context, tx *store.Tx) ([]holdfast.SavedSearch, error) {
		return tx.SavedSearches(ctx, "sa", holdfast.Page{})
	}), []holdfast.SavedSearch{first})
	equal(t, read(t, s, func(ctx context.Context, tx *store.Tx) (holdfast.SavedSearch, error) {
		return tx.SavedSearch(ctx, "s1")
	}), first)
}

func testHeads(t *testing.T, s *store.Store) {
	c := holdfast.Container{Organization: "ho", Kind: holdfast.Drive, Source: "d"}
	head := func(n uint64) holdfast.HeadRecord {
		return holdfast.HeadRecord{Organization: "ho", Repository: "hr", Container: c, Number: n, Data: []byte{byte(n)}}
	}
	write(t, s, func(ctx context.Context, tx *store.Tx) error {
		return errors.Join(tx.PutHead(ctx, head(1)), tx.PutHead(ctx, head(2)), tx.PutHead(ctx, head(4)), tx.PutCheckpoint(ctx, head(5)),
			tx.PutContainer(ctx, holdfast.ContainerRecord{Container: c, Repository: "hr", Head: 4, Checkpoint: 5}),
			tx.PutRestorePoint(ctx, holdfast.RestorePoint{ID: "hp", Organization: "ho", Repository: "hr", Entries: []holdfast.PointEntry{{Container: c, Head: 2}}}))
	})
	current := func() []string {
		return read(t, s, func(ctx context.Context, tx *store.Tx) ([]string, error) {
			all, err := tx.CurrentHeads(ctx, "hr", "")
			return ids(all, func(h holdfast.HeadRecord) string { return fmt.Sprint(h.Number) }), err
		})
	}
	there := func() (out []uint64) {
		for n := range uint64(6) {
			if err := s.Read(context.Background(), func(ctx context.Context, tx *store.Tx) error {
				_, err := tx.Head(ctx, "hr", "ho", c.Key(), n)
				return err
			}); err == nil {
				out = append(out, n)
			}
		}
		return out
	}
	equal(t, current(), []string{"4", "5"})
	equal(t, there(), []uint64{1, 2, 4})
	equal(t, read(t, s, func(ctx context.Context, tx *store.Tx) ([]holdfast.PastState, error) {
		return tx.PastStates(ctx, holdfast.PointFilter{Organization: "ho", Repository: "hr"}, c.Key(), 10)
	}), []holdfast.PastState{{Point: "hp", Head: 2}})
	write(t, s, func(ctx context.Context, tx *store.Tx) error { return tx.DeleteUnusedHeads(ctx, "hr") })
	equal(t, there(), []uint64{2, 4})
	write(t, s, func(ctx context.Context, tx *store.Tx) error {
		return errors.Join(tx.DeletePoint(ctx, "hp"), tx.DeleteUnusedHeads(ctx, "hr"), tx.DeleteCheckpoint(ctx, "hr", "ho", c.Key()))
	})
	equal(t, there(), []uint64{4})
	equal(t, current(), []string{"4"})
}

func testDeleteRepository(t *testing.T, s *store.Store) {
	c := holdfast.Container{Organization: "do", Kind: holdfast.Drive, Source: "d"}
	write(t, s, func(ctx context.Context, tx *store.Tx) error {
		return errors.Join(tx.PutRepository(ctx, holdfast.Repository{ID: "dr", Name: "dr"}), tx.PutHead(ctx, holdfast.HeadRecord{Organization: "do", Repository: "dr", Container: c, Number: 1}),
			tx.PutContainer(ctx, holdfast.ContainerRecord{Container: c, Repository: "dr", Head: 1}), tx.PutRestorePoint(ctx, holdfast.RestorePoint{ID: "dp", Repository: "dr", Entries: []holdfast.PointEntry{{Container: c, Head: 1}}}))
	})
	write(t, s, func(ctx context.Context, tx *store.Tx) error { return tx.DeleteRepository(ctx, "dr") })
	equal(t, read(t, s, func(ctx context.Context, tx *store.Tx) (int, error) {
		held, err := tx.Containers(ctx, holdfast.ContainerFilter{Repository: "dr"}, holdfast.Page{})
		if err != nil {
			return 0, err
		}
		heads, err := tx.CurrentHeads(ctx, "dr", "")
		if err != nil {
			return 0, err
		}
		counts, err := tx.EntryCounts(ctx, "dp")
		if err != nil {
			return 0, err
		}
		known, err := tx.PointKnown(ctx, "dp")
		if known {
			return -1, err
		}
		return len(held) + len(heads) + len(counts), err
	}), 0)
}

func testClock(t *testing.T, s *store.Store) {
	a, err := s.Now(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	b, err := s.Now(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	if b.Before(a) || b.Sub(a) > time.Minute {
		t.Errorf("the lease clock went from %v to %v", a, b)
	}
}

func testAuditNumber(t *testing.T, s *store.Store) {
	e := holdfast.AuditEntry{Number: 1, Time: when, Act: "a", Hash: "h"}
	write(t, s, func(ctx context.Context, tx *store.Tx) error { return tx.AppendAudit(ctx, e) })
	if err := s.Write(context.Background(), func(ctx context.Context, tx *store.Tx) error { return tx.AppendAudit(ctx, e) }); err == nil {
		t.Error("an audit entry was overwritten")
	}
	equal(t, read(t, s, func(ctx context.Context, tx *store.Tx) ([]holdfast.AuditEntry, error) { return tx.Audit(ctx, 1, 10) }), []holdfast.AuditEntry{e})

	for n, one := range []holdfast.AuditEntry{{Actor: "Ada", Act: "job.run", Object: "job/1", Detail: "100% of a_b"}, {Actor: "bob", Act: "job.remove", Object: "job/1", Address: "10.0.0.1"}, {Actor: "ada", Act: "jobs", Object: "Job/2", Detail: "100 of axb"}} {
		one.Number, one.Time, one.Hash = int64(n+2), when.Add(time.Duration(n+1)*time.Hour), fmt.Sprint(n)
		write(t, s, func(ctx context.Context, tx *store.Tx) error { return tx.AppendAudit(ctx, one) })
	}
	for name, tc := range map[string]struct {
		filter holdfast.AuditFilter
		page   holdfast.Page
		want   []int64
	}{
		"everything, newest first": {holdfast.AuditFilter{}, holdfast.Page{}, []int64{4, 3, 2, 1}},
		"who, in any case":         {holdfast.AuditFilter{Actor: "ADA"}, holdfast.Page{}, []int64{4, 2}},
		"who, whole":               {holdfast.AuditFilter{Actor: "ad"}, holdfast.Page{}, nil},
		"the beginning of the act": {holdfast.AuditFilter{Act: "job."}, holdfast.Page{}, []int64{3, 2}},
		"text in the object":       {holdfast.AuditFilter{Text: "JOB/"}, holdfast.Page{}, []int64{4, 3, 2}},
		"text in the address":      {holdfast.AuditFilter{Text: "10.0"}, holdfast.Page{}, []int64{3}},
		"a percent sign is itself": {holdfast.AuditFilter{Text: "100%"}, holdfast.Page{}, []int64{2}},
		"so is an underscore":      {holdfast.AuditFilter{Text: "a_b"}, holdfast.Page{}, []int64{2}},
		"and a backslash":          {holdfast.AuditFilter{Text: `\`}, holdfast.Page{}, nil},
		"from on, until before":    {holdfast.AuditFilter{From: when.Add(time.Hour), Until: when.Add(3 * time.Hour)}, holdfast.Page{}, []int64{3, 2}},
		"all together":             {holdfast.AuditFilter{Actor: "bob", Act: "job.", Text: "job/1", From: when}, holdfast.Page{}, []int64{3}},
		"a page":                   {holdfast.AuditFilter{Text: "job"}, holdfast.Page{Offset: 1, Limit: 1}, []int64{3}},
	} {
		var got []int64
		for _, e := range read(t, s, func(ctx context.Context, tx *store.Tx) ([]holdfast.AuditEntry, error) {
			return tx.AuditFound(ctx, tc.filter, tc.page)
		}) {
			got = append(got, e.Number)
		}
		if !slices.Equal(got, tc.want) {
			t.Errorf("%s: %v, want %v", name, got, tc.want)
		}
	}
}

func testClean(t *testing.T, s *store.Store) {
	write(t, s, func(ctx context.Context, tx *store.Tx) error {
		return errors.Join(tx.AddLog(ctx, "clean", holdfast.LogLine{Title: "a\x00b\xffc'\\"}), tx.PutRestoreEvent(ctx, holdfast.RestoreEvent{ID: "clean", Session: "clean", Item: "i\x00", ItemName: "\x00\xff"}),
			tx.PutRestoreItem(ctx, holdfast.RestoreItem{Request: "clean", Item: "i\x00", Version: "\xff"}))
	})
	equal(t, read(t, s, func(ctx context.Context, tx *store.Tx) (string, error) {
		all, err := tx.Log(ctx, "clean", nil, true, holdfast.Page{})
		if err != nil {
			return "", err
		}
		_, ok, err := tx.RestoreItem(ctx, "clean", "i\x00", "\xff")
		if !ok {
			return "intent lost", err
		}
		return all[0].Title, err
	}), "a\ufffdb\ufffdc'\\")
}
