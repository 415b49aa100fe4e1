package e2e_test

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"testing"

	"holdfast/internal/sim"
)

// everyFault are the disturbances and what else can go wrong without changing anything: writes whose answer is lost, locked files, forgotten
// uploads, links of all kinds that expire. shift moves the calls at which they strike; apart is
// by how much more calls lie between those that make a client wait.
func everyFault(shift, apart int) ([]sim.Fault, []sim.DriveFault) {
	mail, drive := disturbances()
	mail = slices.DeleteFunc(mail, func(f sim.Fault) bool { return f.Name == sim.FaultBoundaries }) // MIME is compared by its bytes
	mail = append(mail, sim.Fault{Name: sim.FaultAckLost, Every: 43}, sim.Fault{Name: sim.FaultFatPage, Every: 3}, sim.Fault{Name: sim.FaultDeepFat, Every: 2}, sim.Fault{Name: sim.FaultCounts, Every: 2})
	drive = append(drive, sim.DriveFault{Kind: sim.FaultETag, Every: 31}, sim.DriveFault{Kind: sim.FaultLocked, Every: 37}, sim.DriveFault{Kind: sim.FaultUploadLost, Every: 13}, sim.DriveFault{Kind: sim.FaultUploadTwice, Every: 2},
		sim.DriveFault{Kind: sim.FaultDeltaUpload, Every: 7})
	for i := range mail {
		if mail[i].Name == sim.FaultSyncState {
			mail[i].Every = 19 // a read that is told to begin anew four times ends, and says so
		}
		if mail[i].Every > 20 { // of all calls, not of pages of lists
			mail[i].Every *= apart
			mail[i].Skip = shift * i
		}
	}
	for i := range drive {
		if drive[i].Kind == sim.FaultThrottle {
			drive[i].Every *= apart
		}
	}
	return mail, drive
}

// TestAnOrganizationIsRebuiltWhileEverythingFails is TestAnOrganizationIsRebuilt while the service fails in every way that it has, in two backups, the
// second of which reads what changed, and in the restores. "make faults" does it with a larger organization.
func TestAnOrganizationIsRebuiltWhileEverythingFails(t *testing.T) {
	t.Parallel()
	rebuiltWhileEverythingFails(t, 0, 2, "--mail-messages", "4", "--mail-folders", "2", "--files", "4", "--contacts", "3", "--events", "8", "--tasks", "5", "--site-items", "6", "--site-files", "4", "--team-posts", "30", "--team-files", "4")
}

func rebuiltWhileEverythingFails(t *testing.T, shift, apart int, flags ...string) {
	w := newRebuildable(t, flags...)
	w.disturb = func() { w.faults(everyFault(shift, apart)) }
	w.disturb()
	w.backup()
	w.calm()
	w.changed()
	w.disturb()
	w.backup()
	w.rebuilt("with every fault", false)
	st := w.stats()
	w.calm()
	mail, drive := everyFault(shift, apart)
	for _, f := range mail {
		if st.FaultsFired[f.Name] == 0 {
			t.Errorf("fault %s never struck", f.Name)
		}
	}
	for _, f := range drive {
		if st.FaultsFired["drive."+f.Kind] == 0 {
			t.Errorf("fault drive.%s never struck", f.Kind)
		}
	}
	if st.EarlyRetries != 0 || st.TokenCanary != 0 {
		t.Errorf("%d calls came before their Retry-After, %d bearer tokens went to foreign hosts: %v", st.EarlyRetries, st.TokenCanary, st.ViolationList)
	}
	w.verified()
}

// calm ends all faults.
func (w *rebuildable) calm() { w.faults([]sim.Fault{}, []sim.DriveFault{}) }

// changed has users work in everything, and adds what some faults need: mails with mails in them, and a file that is uploaded in several parts.
func (w *rebuildable) changed() {
	w.Helper()
	w.churn(sim.Churn{Seed: 9, New: 8, Flags: 8, Moves: 4, Deletes: 4, Drive: 6, Contacts: 4, Events: 4, Tasks: 4})
	for i, x := range w.sites {
		w.must(w.sim.Ask(w.ctx, http.MethodPost, "/sites/churn", map[string]any{"site": x.ID, "changes": 8, "seed": 100 + i}, nil))
	}
	w.must(w.sim.Ask(w.ctx, http.MethodPost, "/teams/churn", map[string]any{"team": w.teams[0].ID, "changes": 12, "seed": 100}, nil))
	for i, u := range w.sim.Tenant.Users {
		for n := range 2 {
			mime := fmt.Sprintf("From: a@example.org\r\nTo: %s\r\nSubject: forwarded %d\r\nMessage-ID: <forwarded-%d-%d@example.org>\r\nDate: Mon, 02 Mar 2026 10:00:00 +0000\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b%d\r\n\r\n"+
				"--b%[5]d\r\nContent-Type: text/plain\r\n\r\nsee below\r\n--b%[5]d\r\nContent-Type: message/rfc822\r\n\r\nFrom: c@example.org\r\nTo: a@example.org\r\nSubject: first\r\nMessage-ID: <first-%[3]d-%[4]d@example.org>\r\nDate: Sun, 01 Mar 2026 10:00:00 +0000\r\n"+
				"Content-Type: text/plain\r\n\r\nwhat it was about\r\n--b%[5]d--\r\n", u.UPN, n, i, n, n)
			w.mutate(sim.Mutation{Op: "deliver", User: u.ID, MIME: []byte(mime)})
		}
	}
	large := make([]byte, 7<<20)
	var seed [32]byte
	if _, err := rand.NewChaCha8(seed).Read(large); err != nil {
		w.Fatal(err)
	}
	for i, u := range w.sim.Tenant.Users {
		if u.Drive != "" && i < 2 {
			w.graph(http.MethodPut, "/users/"+u.ID+"/drive/root:/"+fmt.Sprintf("large%d.bin", i)+":/content", large, "application/octet-stream")
		}
	}
}
