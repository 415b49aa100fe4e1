package e2e_test

import (
	"encoding/json"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"holdfast/internal/sim"
	"holdfast/internal/sys"
)

// point is an acknowledged restore point and what it must show.
type point struct {
	id   string
	seen time.Time
	want map[string]int
}

// restorePoints are the ids that the server lists.
func (w *world) restorePoints() map[string]bool {
	w.Helper()
	var p struct{ Results []struct{ ID string } }
	w.call("GET", "/v8/RestorePoints?limit=10000", nil, &p)
	out := map[string]bool{}
	for _, r := range p.Results {
		out[r.ID] = true
	}
	return out
}

// The server is killed or stopped at random times during a backup. The next start resumes: the session ends, no acknowledged restore point is lost,
// and each shows the bytes that it showed before.
func TestKilledAtAnyTime(t *testing.T) {
	t.Parallel()
	killed(t, 20, seedOf(t))
}

// seedOf is drawn anew at each run and printed, so that a failure can be run again with HOLDFAST_SEED.
func seedOf(t *testing.T) uint64 {
	t.Helper()
	seed := uint64(sys.System.Now().UnixNano())
	if s := os.Getenv("HOLDFAST_SEED"); s != "" {
		seed = 0
		for _, c := range s {
			if c < '0' || c > '9' {
				t.Fatalf("HOLDFAST_SEED=%q is no number", s)
			}
			seed = seed*10 + uint64(c-'0')
		}
	}
	t.Logf("HOLDFAST_SEED=%d", seed)
	return seed
}

func killed(t *testing.T, schedules int, seed uint64) {
	r := rand.New(rand.NewPCG(seed, 1))
	s := newSim(t, "--users", "2", "--limits", "off", "--mail-messages", "16", "--files", "8")
	w := newServer(t, s, "--m365-limits", "off")
	w.protect(false)
	var points []point
	acknowledge := func() {
		known := map[string]bool{}
		for _, p := range points {
			known[p.id] = true
		}
		want := w.truth().contents(w.users())
		for id := range w.restorePoints() {
			if !known[id] {
				points = append(points, point{id, sys.System.Now(), want})
			}
		}
	}
	for i := range schedules { // the first one kills the first, full backup
		slow := []sim.Fault{}
		if i%3 == 0 {
			slow = append(slow, sim.Fault{Name: sim.FaultSlow, Every: 7}) // so that the end finds more of it under way
		}
		w.faults(slow, []sim.DriveFault{})
		w.churn(sim.Churn{Seed: r.Uint64(), New: 3, Flags: 3, Moves: 2, Deletes: 2, Drive: 2})
		session, err := w.server.StartJob(w.ctx, w.job)
		w.must(err)
		kills := 1 + r.IntN(2)
		for range kills {
			delay := time.Duration(r.IntN(1200)) * time.Millisecond
			how := r.IntN(4)
			t.Logf("schedule %d: after %v %s", i, delay, [...]string{"kill", "kill", "stop and go on", "stop and kill"}[how])
			w.must(sys.System.Sleep(w.ctx, delay))
			if how >= 2 {
				w.must(w.server.Signal(syscall.SIGSTOP))
				w.must(sys.System.Sleep(w.ctx, time.Duration(r.IntN(800))*time.Millisecond))
			}
			if how == 2 {
				w.must(w.server.Signal(syscall.SIGCONT))
				continue
			}
			w.server.Kill()
			w.must(w.server.Start(w.ctx))
		}
		ended, err := w.server.WaitSession(w.ctx, session.ID)
		w.must(err)
		if ended.Status != "Success" {
			t.Fatalf("schedule %d: the session ended with %s: %s\n%s", i, ended.Status, ended.Details, w.server.SessionLog(w.ctx, session.ID))
		}
		before := len(points)
		acknowledge()
		if len(points) != before+1 {
			t.Errorf("schedule %d: %d restore points were added by one session", i, len(points)-before)
		}
		there := w.restorePoints()
		for _, p := range points {
			if !there[p.id] {
				t.Errorf("schedule %d: restore point %s is lost", i, p.id)
			}
		}
		w.same("the newest restore point", w.contents(time.Time{}), points[len(points)-1].want)
		if i%4 == 3 || i == schedules-1 {
			p := points[r.IntN(len(points))]
			w.same("an older restore point", w.contents(p.seen), p.want)
			w.verified()
		}
		if t.Failed() {
			t.Fatalf("schedule %d", i)
		}
	}
	w.server.Kill()
	w.verified()
	w.extracted(points[len(points)-1].want)
}

// The server is killed while it restores. Afterwards everything is back, once.
func TestKilledDuringARestore(t *testing.T) {
	t.Parallel()
	killedRestoring(t, 4, seedOf(t))
}

func killedRestoring(t *testing.T, schedules int, seed uint64) {
	r := rand.New(rand.NewPCG(seed, 2))
	s := newSim(t, "--users", "1", "--limits", "off", "--mail-messages", "30", "--files", "12")
	w := newServer(t, s, "--m365-limits", "off")
	w.protect(false)
	w.backup()
	before := w.truth()
	for i := range schedules {
		w.mutate(sim.Mutation{Op: "wipe", User: s.Tenant.Users[0].ID})
		mails, drives := w.explore(false, time.Time{}), w.explore(true, time.Time{})
		w.call("POST", mails.path(mails.box(0).ID, "restore"), map[string]any{}, nil)
		w.call("POST", drives.path(drives.box(0).ID, "restore"), map[string]any{}, nil)
		for range 1 + r.IntN(2) {
			delay := time.Duration(r.IntN(900)) * time.Millisecond
			t.Logf("schedule %d: killed after %v", i, delay)
			w.must(sys.System.Sleep(w.ctx, delay))
			w.server.Kill()
			w.must(w.server.Start(w.ctx))
		}
		mails.restored()
		drives.restored()
		w.comparesEqual(before, w.truth())
		if n := w.stats().MailsSentN; n != 0 {
			t.Errorf("%d mails were sent", n)
		}
		if t.Failed() {
			t.Fatalf("schedule %d", i)
		}
	}
	w.verified()
}

// extracted compares what the command line writes of the newest restore point, without a server, with the truth: hashes of all mails and files. Of contacts, events
// and tasks the JSON is written; they are counted.
func (w *world) extracted(want map[string]int) {
	w.Helper()
	out := filepath.Join(w.TempDir(), "out")
	text, complaints, code, err := cli(w.ctx, "vault", "extract", "--data", w.server.Data, "--repository", "main", "--out", out)
	w.must(err)
	if code != 0 {
		w.Fatalf("vault extract ends with %d: %s%s", code, text, complaints)
	}
	got := map[string]int{}
	others := 0
	w.must(filepath.WalkDir(out, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		raw, err := os.ReadFile(path)
		var item struct {
			ETag string `json:"@odata.etag"`
		}
		if strings.HasSuffix(path, ".json") && json.Unmarshal(raw, &item) == nil && (item.ETag != "" || filepath.Base(filepath.Dir(path)) == "Settings") {
			others++
			return err
		}
		got[sum(raw)]++
		return err
	}))
	sums := map[string]int{}
	for text, n := range want {
		if strings.Contains(text, ": IPM.") {
			others -= n
			continue
		}
		if at := strings.LastIndex(text, " | "); at > 0 {
			sums[text[at+3:]] += n
		}
	}
	w.same("extracted", got, sums)
	if others != 0 {
		w.Errorf("extracted are %d contacts, events, tasks and settings more than there are", others)
	}
}
