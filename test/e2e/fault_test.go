package e2e_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"holdfast/internal/sim"
)

// disturbances are faults that a service has on a bad day, all at once. They change nothing in the organization.
func disturbances() ([]sim.Fault, []sim.DriveFault) {
	mail := []sim.Fault{
		{Name: sim.FaultThrottled, Every: 41, RetryAfter: "1"}, {Name: sim.FaultThrottledBare, Every: 53},
		{Name: sim.FaultUnavailable, Every: 47, RetryAfter: "1"}, {Name: sim.FaultUnavailableBare, Every: 59},
		{Name: sim.FaultServerError, Every: 61}, {Name: sim.FaultBadGateway, Every: 67}, {Name: sim.FaultToken, Every: 71},
		{Name: sim.FaultTruncated, Every: 23}, {Name: sim.FaultHTML, Every: 73}, {Name: sim.FaultDropped, Every: 37}, {Name: sim.FaultSlow, Every: 79},
		{Name: sim.FaultDuplicate, Every: 3}, {Name: sim.FaultOutOfOrder, Every: 4}, {Name: sim.FaultEmptyPage, Every: 5},
		{Name: sim.FaultSyncState, Every: 7}, {Name: sim.FaultBoundaries, Every: 2},
	}
	drive := []sim.DriveFault{
		{Kind: sim.FaultDeltaExpired, Every: 5}, {Kind: sim.FaultDuplicateRows, Every: 2}, {Kind: sim.FaultEmptyPages, Every: 3},
		{Kind: sim.FaultDownloadExpired, Every: 11}, {Kind: sim.FaultHalfDownload, Every: 4}, {Kind: sim.FaultWrongContent, Every: 9}, {Kind: sim.FaultThrottle, Every: 43},
	}
	return mail, drive
}

// Everything goes wrong at once and the backup ends complete and equal, without a single call before its Retry-After.
func TestAllFaultsAtOnce(t *testing.T) {
	t.Parallel()
	s := newSim(t, "--users", "3", "--limits", "count", "--seed", "23")
	w := newServer(t, s)
	w.protect(false)
	mail, drive := disturbances()
	changing := append(mail, sim.Fault{Name: sim.FaultItemChanged, Every: 9, Times: 4}, sim.Fault{Name: sim.FaultItemVanished, Every: 17, Times: 2})
	w.faults(changing, append(drive, sim.DriveFault{Kind: sim.FaultChangedWhileRead, Every: 8, Times: 3}, sim.DriveFault{Kind: sim.FaultVanished, Every: 15, Times: 1}))

	// Mails and files change while they are read: every byte of the restore point is one that was served.
	w.backup()
	fired := w.stats().FaultsFired
	for _, f := range changing {
		if fired[f.Name] == 0 && f.Name != sim.FaultSyncState { // no delta link to refuse in a first run
			t.Errorf("fault %s never struck", f.Name)
		}
	}
	served := w.served()
	for _, files := range []bool{false, true} {
		l := w.explore(files, time.Time{})
		for _, b := range l.boxes() {
			l.each(b, func(folder string, o object, leaf bool) {
				if leaf && !o.other() && !served[sum(l.save(b.ID, o.ID))[:servedDigits]] {
					t.Errorf("%s/%s%s holds bytes that were never served", folder, o.Name, o.Subject)
				}
			})
		}
		l.stop()
	}

	// Then nothing changes but what users change, and all the rest still goes wrong.
	w.churn(sim.Churn{Seed: 7, New: 5, Flags: 5, Moves: 5, Deletes: 5, Drive: 5})
	w.faults(mail, drive)
	w.backup()
	st := w.stats()
	w.faults([]sim.Fault{}, []sim.DriveFault{})
	if st.FaultsFired[sim.FaultSyncState] == 0 {
		t.Errorf("no delta link was refused: %v", st.FaultsFired)
	}
	if st.EarlyRetries != 0 {
		t.Errorf("%d calls came before their Retry-After: %v", st.EarlyRetries, st.ViolationList)
	}
	if st.TokenCanary != 0 {
		t.Errorf("%d bearer tokens went to foreign hosts", st.TokenCanary)
	}
	w.equalButForBoundaries("after the faults", w.contents(time.Time{}), w.truth())
	w.verified()
}

// servedDigits is how much of a hash the oracle keeps of what it served.
const servedDigits = 32

// served are the hashes of all bytes that were ever served.
func (w *world) served() map[string]bool {
	w.Helper()
	out := map[string]bool{}
	for _, u := range w.sim.Tenant.Users {
		if u.Mailbox != "" {
			w.lines("/oracle/mailboxes/"+u.ID+"/served", func(line []byte) error {
				var s sim.Served
				err := json.Unmarshal(line, &s)
				out[s.SHA256] = true
				return err
			})
		}
		if u.Drive != "" {
			var all []sim.Served
			w.must(w.sim.Ask(w.ctx, http.MethodGet, "/oracle/drives/"+u.ID+"/served", nil, &all))
			for _, s := range all {
				out[s.SHA256] = true
			}
		}
	}
	out[sum(nil)[:servedDigits]] = true // an empty file needs no download
	return out
}

// equalButForBoundaries compares a restore point with the truth where boundaries of MIME differ at each read: a mail's bytes are right when they
// were served, everything else must be as it is.
func (w *world) equalButForBoundaries(what string, got map[string]int, want state) {
	w.Helper()
	served := w.served()
	plain := func(in map[string]int, check bool) map[string]int {
		out := map[string]int{}
		for text, n := range in {
			if at := strings.LastIndex(text, " | "); at > 0 && strings.Contains(text, ": mail ") {
				if check && !served[text[at+3:][:servedDigits]] {
					w.Errorf("%s: never served: %s", what, text)
				}
				text = text[:at]
			}
			out[text] += n
		}
		return out
	}
	w.same(what, plain(got, true), plain(want.contents(w.users()), false))
}
