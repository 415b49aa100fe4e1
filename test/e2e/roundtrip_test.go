package e2e_test

import (
	"bytes"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"holdfast/internal/sim"
	"holdfast/internal/store/storetest"
	"holdfast/internal/sys"
	"holdfast/test/harness"
)

// The whole way, by REST alone: back up, look, search, save, lose, restore, change, back up again, look at both times.
func TestRoundTrip(t *testing.T) {
	for name, byCertificate := range map[string]bool{"by secret": false, "by certificate": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSim(t, "--users", "3", "--limits", "count", "--seed", "11")
			w := newServer(t, s)
			w.protect(byCertificate)
			roundTrip(w)
		})
	}
}

// The same with PostgreSQL as the database.
func TestRoundTripOnPostgreSQL(t *testing.T) {
	t.Parallel()
	s := newSim(t, "--users", "2", "--limits", "off", "--seed", "12")
	w := newServer(t, s, "--database", storetest.PostgreSQLAddress(t), "--m365-limits", "off")
	w.protect(false)
	roundTrip(w)
}

func roundTrip(w *world) {
	first := w.backup()
	one := w.truth()
	users := w.users()
	w.same("the first restore point", w.contents(time.Time{}), one.contents(users))
	pointOne := sys.System.Now()

	user := w.sim.Tenant.Users[0]
	mail, file := w.chooseMail(one, user.ID), w.chooseFile(one, user.ID)

	// One mail: found by its words, the same bytes as Graph gives.
	mails := w.explore(false, time.Time{})
	box := mails.box(0)
	found := mails.list(mails.path(box.ID, "search"), map[string]any{"query": "subject:" + word(mail.Subject)})
	id := ""
	for _, o := range found {
		if o.Subject == mail.Subject && o.Received.Equal(mail.Received) && sum(mails.save(box.ID, o.ID)) == mail.MIMESHA256 {
			id = o.ID
		}
	}
	if id == "" {
		w.Fatalf("search for %q finds %d mails and not the one that was sought", word(mail.Subject), len(found))
	}
	served := w.graph(http.MethodGet, "/users/"+user.ID+"/messages/"+url.PathEscape(mail.ID)+"/$value", nil, "")
	if saved := mails.save(box.ID, id); !bytes.Equal(saved, served) {
		w.Errorf("a saved mail has %d bytes, Graph serves %d others", len(saved), len(served))
	}

	// One file: the same.
	drives := w.explore(true, time.Time{})
	drive := drives.box(0)
	name := file.Path[strings.LastIndexByte(file.Path, '/')+1:]
	document := ""
	for _, o := range drives.list(drives.path(drive.ID, "search")+"?itemType=Documents", map[string]any{"query": word(name)}) {
		if o.Name == name && sum(drives.save(drive.ID, o.ID)) == file.SHA256 {
			document = o.ID
		}
	}
	if document == "" {
		w.Fatalf("search does not find the file %q", name)
	}
	served = w.graph(http.MethodGet, "/users/"+user.ID+"/drive/items/"+file.ID+"/content", nil, "")
	if saved := drives.save(drive.ID, document); !bytes.Equal(saved, served) {
		w.Errorf("a saved file has %d bytes, Graph serves %d others", len(saved), len(served))
	}

	// Both lost, and back, equal; and a second restore of the same makes no copy.
	w.mutate(sim.Mutation{Op: "deleteMessage", User: user.ID, ID: mail.ID})
	w.mutate(sim.Mutation{Op: "deleteFile", User: user.ID, Path: file.Path})
	for range 2 {
		w.call(http.MethodPost, mails.path(box.ID, "items", id, "restore"), map[string]any{}, nil)
		w.call(http.MethodPost, drives.path(drive.ID, "Documents", document, "restore"), map[string]any{}, nil)
		if events := mails.restored(); !slices.ContainsFunc(events, func(e event) bool { return e.ItemName == mail.Subject }) {
			w.Errorf("no event of the restore session names the mail: %v", events)
		}
		drives.restored()
	}
	mails.stop()
	drives.stop()
	w.comparesEqual(one, w.truth())
	if n := w.stats().MailsSentN; n != 0 {
		w.Errorf("the restore sent %d mails", n)
	}

	// After changes, the second run reads what changed and both times show their own state.
	w.churn(sim.Churn{Seed: 5, New: 6, Flags: 6, Moves: 4, Deletes: 4, Drive: 6})
	before := w.stats()
	second := w.backup()
	after := w.stats()
	if second.Statistics.Transferred*2 > first.Statistics.Transferred {
		w.Errorf("the second run transferred %d bytes, the first %d: it was not incremental", second.Statistics.Transferred, first.Statistics.Transferred)
	}
	if asked := after.Endpoints["GET /v1.0/users/{user}/messages/{message}/$value"].Calls - before.Endpoints["GET /v1.0/users/{user}/messages/{message}/$value"].Calls; asked > 24 {
		w.Errorf("the second run read %d mails", asked)
	}
	if after.EarlyRetries != 0 || after.TokenCanary != 0 {
		w.Errorf("%d retries before their time, %d tokens at foreign hosts", after.EarlyRetries, after.TokenCanary)
	}
	two := w.truth()
	w.same("the second restore point", w.contents(time.Time{}), two.contents(users))
	w.same("the first restore point, after the second run", w.contents(pointOne), one.contents(users))

	// A full run asks for the folders' names again, which an incremental one never does, and lists everything; it reads no content again.
	const lookup, value = "GET /v1.0/users/{user}/mailFolders/{folder}", "GET /v1.0/users/{user}/messages/{message}/$value"
	before = w.stats()
	w.backup()
	idle := w.stats()
	var full harness.Session
	w.call(http.MethodPost, "/v8/Jobs/"+w.job+"/start", map[string]any{"full": true}, &full)
	full, err := w.server.WaitSession(w.ctx, full.ID)
	w.must(err)
	after = w.stats()
	lookups := func(s sim.Stats) int64 { return s.Endpoints[lookup].Calls + s.Endpoints[lookup].Parts }
	if lookups(idle) != lookups(before) || lookups(after) < lookups(idle)+int64(len(users)) {
		w.Errorf("lookups of folders: %d, %d after an incremental run, %d after a full one", lookups(before), lookups(idle), lookups(after))
	}
	if full.Status != "Success" || after.Endpoints[value].Calls != idle.Endpoints[value].Calls {
		w.Errorf("the full run ends with %s and reads %d mails: %s", full.Status, after.Endpoints[value].Calls-idle.Endpoints[value].Calls, full.Details)
	}
	w.same("after a full run", w.contents(time.Time{}), two.contents(users))
	w.verified()
}

// chooseMail takes a mail whose subject has a word and that is no draft.
func (w *world) chooseMail(s state, user string) sim.MailRow {
	w.Helper()
	for _, m := range s[user].mails {
		if len(word(m.Subject)) > 3 && !m.Draft && len(m.Attachments) > 0 {
			return m
		}
	}
	w.Fatal("no mail to choose")
	return sim.MailRow{}
}

// chooseFile takes a file with content.
func (w *world) chooseFile(s state, user string) sim.DriveRow {
	w.Helper()
	for _, f := range s[user].files {
		if !f.Folder && f.Size > 0 && !f.Malware && strings.Contains(f.Path, "/") && len(word(f.Path[strings.LastIndexByte(f.Path, '/')+1:])) > 3 {
			return f
		}
	}
	w.Fatal("no file to choose")
	return sim.DriveRow{}
}

// word is the longest run of ASCII letters.
func word(s string) string {
	best := ""
	for _, f := range strings.FieldsFunc(s, func(r rune) bool { return r > 'z' || r < 'A' || r > 'Z' && r < 'a' }) {
		if len(f) > len(best) {
			best = f
		}
	}
	return best
}
