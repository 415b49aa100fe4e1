package e2e_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"holdfast/internal/sim"
	"holdfast/internal/sys"
	"holdfast/test/harness"
)

// What reading and writing mail as Exchange exports it calls.
const (
	exportCall  = "POST /v1.0/admin/exchange/mailboxes/{mailbox}/exportItems"
	sessionCall = "POST /v1.0/admin/exchange/mailboxes/{mailbox}/createImportSession"
	importCall  = "POST /api/gv1.0/Mailboxes/{mailbox}/importItem"
	mimeCall    = "GET /v1.0/users/{user}/messages/{message}/$value"
)

// killedAt kills the server as soon as a call of the simulator has been answered n times more than base, and starts it again. It says whether that was before the
// work was done.
func (w *world) killedAt(call string, base, n int64, done func() bool) bool {
	w.Helper()
	reached := false
	w.must(harness.Until(w.ctx, 5*time.Millisecond, func() (bool, error) {
		reached = w.calls(call)-base >= n
		return reached || done(), nil
	}))
	w.server.Kill()
	w.must(w.server.Start(w.ctx))
	return reached
}

// calls is how often the simulator was called so.
func (w *world) calls(call string) int64 { return w.stats().Endpoints[call].Calls }

// texts are what a restore point holds. Of exported mail no bytes are compared: the .eml is made of it, and that all of it is there a restore tells.
func (w *world) texts(in map[string]int) map[string]int {
	out := map[string]int{}
	for text, n := range in {
		if at := strings.LastIndex(text, " | "); at > 0 && strings.Contains(text, ": mail ") {
			text = text[:at]
		}
		out[text] += n
	}
	return out
}

// Mail that Exchange exports is backed up by a server that is killed after any of its exports, and put back by one that is killed after any of its imports. The next
// run ends equal, with no mail twice.
func TestExportedMailKilledAtAnyPoint(t *testing.T) {
	t.Parallel()
	s := newExportingSim(t, "--users", "2", "--limits", "off", "--mail-messages", "45", "--files", "1")
	w := newServer(t, s, "--m365-limits", "off")
	w.exported = true
	w.protect(false)
	slow := []sim.Fault{{Name: sim.FaultSlow, Path: "exportItems"}} // so that the end finds exports under way
	var points []point
	for i, kills := range [][]int64{{1, 2}, {1}, {2, 1}} { // the first ones kill the first, full backup
		w.faults(slow, []sim.DriveFault{})
		w.churn(sim.Churn{Seed: uint64(i), New: 3, Flags: 3, Moves: 2, Deletes: 2})
		base := w.calls(exportCall)
		session, err := w.server.StartJob(w.ctx, w.job)
		w.must(err)
		for _, n := range kills {
			hit := w.killedAt(exportCall, base, n, func() bool {
				var now harness.Session
				w.call(http.MethodGet, "/v8/JobSessions/"+session.ID, nil, &now)
				return now.Status != "Running" && now.Status != "Queued"
			})
			if !hit {
				t.Errorf("run %d: it ended before %d exports were made", i, n)
			}
			base = w.calls(exportCall)
		}
		w.faults([]sim.Fault{}, []sim.DriveFault{})
		ended, err := w.server.WaitSession(w.ctx, session.ID)
		w.must(err)
		if ended.Status != "Success" {
			t.Fatalf("run %d: the session ended with %s: %s\n%s", i, ended.Status, ended.Details, w.server.SessionLog(w.ctx, session.ID))
		}
		if there := w.restorePoints(); len(there) != i+1 {
			t.Errorf("run %d: there are %d restore points", i, len(there))
		}
		points = append(points, point{seen: sys.System.Now(), want: w.texts(w.truth().contents(w.users()))})
		w.same("the newest restore point", w.texts(w.contents(time.Time{})), points[i].want)
		if t.Failed() {
			t.Fatalf("run %d", i)
		}
	}
	w.same("the first restore point", w.texts(w.contents(points[0].seen)), points[0].want)
	if n := w.calls(mimeCall); n != 0 {
		t.Fatalf("%d mails were read as MIME", n)
	}

	before := w.truth()
	mails := 0
	for _, x := range before {
		mails += len(x.mails)
	}
	for _, kill := range []struct {
		call string
		n    int64
	}{{sessionCall, 1}, {importCall, 1}, {importCall, 17}, {importCall, int64(mails) - 1}} {
		for _, u := range s.Tenant.Users {
			w.mutate(sim.Mutation{Op: "wipeMailbox", User: u.ID})
		}
		base := w.calls(kill.call)
		l := w.explore(false, time.Time{})
		for _, b := range l.boxes() {
			w.call(http.MethodPost, l.path(b.ID, "restore"), map[string]any{}, nil)
		}
		if !w.killedAt(kill.call, base, kill.n, l.ended) {
			t.Errorf("the restore ended before %d of %s", kill.n, kill.call)
		}
		l.restored()
		w.comparesEqual(before, w.truth())
		if t.Failed() {
			t.Fatalf("killed after %d of %s", kill.n, kill.call)
		}
	}
	if n := w.stats().MailsSentN; n != 0 {
		t.Errorf("%d mails were sent", n)
	}
	w.verified()
}
