package e2e_test

import (
	"errors"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"holdfast/internal/sim"
	"holdfast/internal/sys"
	"holdfast/test/harness"
)

// refused makes a call that must fail with a status and a message that has all the words: what is wrong, and what to do.
func (w *world) refused(status int, method, path string, in any, words ...string) {
	w.Helper()
	err := w.server.Call(w.ctx, method, path, in, nil)
	var answer *harness.StatusError
	if !errors.As(err, &answer) {
		w.Errorf("%s %s: %v, want a refusal", method, path, err)
		return
	}
	w.says(answer.What, answer.Body, words...)
	if answer.Status != status || !strings.Contains(answer.Body, `"errorCode"`) {
		w.Errorf("%s: status %d, want %d: %s", answer.What, answer.Status, status, answer.Body)
	}
}

func (w *world) says(what, text string, words ...string) {
	w.Helper()
	for _, word := range words {
		if !strings.Contains(strings.ToLower(text), strings.ToLower(word)) {
			w.Errorf("%s: does not say %q: %s", what, word, text)
		}
	}
	for _, never := range []string{"goroutine ", "panic", ".go:", "internal error", w.sim.Tenant.ApplicationSecret} {
		if strings.Contains(text, never) {
			w.Errorf("%s: says %q: %s", what, never, text)
		}
	}
}

// organizationBody is what adds the organization.
func (w *world) organizationBody(secret string) map[string]any {
	t := w.sim.Tenant
	settings := map[string]any{"useApplicationOnlyAuth": true, "officeOrganizationName": t.Domain, "applicationId": t.ApplicationID, "applicationSecret": secret}
	return map[string]any{"type": "Office365", "region": "Worldwide", "isExchangeOnline": true, "isSharePointOnline": true, "exchangeOnlineSettings": settings, "sharePointOnlineSettings": settings}
}

// roles gives the application these roles, or those of newSim for nil.
func (w *world) roles(roles []string) {
	w.Helper()
	w.must(w.sim.Ask(w.ctx, http.MethodPost, "/roles", map[string]any{"roles": roles, "without": exportRights, "revoke": true}, nil))
}

func (w *world) repositoryBody(name, path string) map[string]any {
	w.Helper()
	var proxies struct{ Results []struct{ ID string } }
	w.call(http.MethodGet, "/v8/Proxies", nil, &proxies)
	return map[string]any{"name": name, "path": path, "proxyId": proxies.Results[0].ID, "retentionType": "SnapshotBased", "retentionPeriodType": "Yearly", "yearlyRetentionPeriod": "Years3"}
}

// Wrong credentials, missing permissions, unusable folders, unknown ids and malformed bodies: each is refused in words that say what to do, and
// what is there stays.
func TestBadInputIsRefusedInClearWords(t *testing.T) {
	t.Parallel()
	s := newSim(t, "--users", "2", "--limits", "off", "--mail-messages", "6", "--files", "4")
	w := newServer(t, s, "--m365-limits", "off")
	w.refused(400, http.MethodPost, "/v8/Organizations", w.organizationBody("not the secret"), "secret")
	w.roles([]string{"User.Read.All", "Directory.Read.All", "Organization.Read.All", "Group.Read.All", "Files.Read.All", "Sites.Read.All"})
	w.refused(403, http.MethodPost, "/v8/Organizations", w.organizationBody(s.Tenant.ApplicationSecret), "Mail.Read", "grant")
	w.roles(nil)

	file := filepath.Join(w.dir, "a file")
	w.must(os.WriteFile(file, nil, 0o600))
	full := filepath.Join(w.dir, "not empty")
	w.must(os.MkdirAll(filepath.Join(full, "x"), 0o700))
	for path, words := range map[string][]string{
		filepath.Join(file, "below"): {file},
		"/proc/holdfast":             {"/proc/holdfast"},
		full:                         {full, "empty"},
		"relative/path":              {"path"},
		"":                           {"path"},
	} {
		err := w.server.Call(w.ctx, http.MethodPost, "/v8/BackupRepositories", w.repositoryBody("unusable", path), nil)
		var answer *harness.StatusError
		if !errors.As(err, &answer) || answer.Status < 400 || answer.Status >= 500 && answer.Status != 503 {
			t.Errorf("a repository in %q: %v", path, err)
			continue
		}
		w.says("a repository in "+path, answer.Body, words...)
	}
	w.protect(false)
	w.backup()
	want := w.truth().contents(w.users())

	// A second server can't take the same folder, nor the same organization twice be added.
	w.refused(409, http.MethodPost, "/v8/Organizations", w.organizationBody(s.Tenant.ApplicationSecret), "already")
	w.refused(409, http.MethodPost, "/v8/BackupRepositories", w.repositoryBody("again", w.place), w.place)

	nobody := uuid.NewString()
	l := w.explore(false, time.Time{})
	for _, c := range []struct{ method, path string }{
		{"GET", "/v8/Organizations/" + nobody}, {"DELETE", "/v8/Organizations/" + nobody}, {"GET", "/v8/Organizations/" + nobody + "/Users"}, {"POST", "/v8/Organizations/" + nobody + "/explore"},
		{"GET", "/v8/Jobs/" + nobody}, {"POST", "/v8/Jobs/" + nobody + "/start"}, {"DELETE", "/v8/Jobs/" + nobody}, {"GET", "/v8/Jobs/" + nobody + "/SelectedItems"},
		{"GET", "/v8/JobSessions/" + nobody}, {"GET", "/v8/JobSessions/" + nobody + "/LogItems"}, {"POST", "/v8/JobSessions/" + nobody + "/stop"},
		{"GET", "/v8/BackupRepositories/" + nobody}, {"DELETE", "/v8/BackupRepositories/" + nobody}, {"GET", "/v8/RestorePoints/" + nobody}, {"GET", "/v8/Proxies/" + nobody},
		{"GET", "/v8/RestoreSessions/" + nobody}, {"GET", "/v8/RestoreSessions/" + nobody + "/Events"}, {"GET", "/v8/RestoreSessions/" + nobody + "/organization/Mailboxes"},
		{"GET", l.path(nobody)}, {"GET", l.path(nobody, "items")}, {"GET", l.path(l.box(0).ID, "items", "AAnothing")}, {"POST", l.path(l.box(0).ID, "items", "AAnothing", "save")},
		{"POST", l.path(l.box(0).ID, "items", "AAnothing", "restore")}, {"GET", l.path(l.box(0).ID, "folders", "AAnothing")},
	} {
		var in any
		if c.method == "POST" {
			in = map[string]any{"type": "Vex"}
		}
		w.refused(404, c.method, c.path, in, "message")
	}

	// Bodies that are no JSON, or of another shape, change nothing.
	for _, path := range []string{"/v8/Organizations", "/v8/BackupRepositories", "/v8/Jobs", "/v8/Organizations/" + w.org + "/explore", "/v8/token", l.path(l.box(0).ID, "items", "restore"), l.path(l.box(0).ID, "search")} {
		for _, body := range []string{"{", "[]", `"text"`, `{"name":`, `{"name":{"a":[]}}`, `{"items":7,"query":7,"type":7,"grant_type":7}`, "\x00\xff", `{} {}`, strings.Repeat("[", 100_000)} {
			if strings.HasSuffix(path, "/search") && strings.HasSuffix(body, "}") {
				continue // names that it does not know are tolerated, and a number is taken for its text
			}
			status, text := w.post(path, body)
			if status != 400 {
				t.Errorf("POST %s with %.20q: status %d: %s", path, body, status, text)
			}
			w.says("POST "+path, text, map[bool]string{true: "error", false: "message"}[path == "/v8/token"])
		}
	}
	l.stop()
	w.same("after all that was refused", w.contents(time.Time{}), want)
	var repos struct{ Results []struct{ Name string } }
	w.call(http.MethodGet, "/v8/BackupRepositories", nil, &repos)
	if len(repos.Results) != 1 {
		t.Errorf("refused repositories are there: %v", repos.Results)
	}

	// A restore says which permission to write it lacks, and gives nothing half back.
	w.roles([]string{"User.Read.All", "Directory.Read.All", "Organization.Read.All", "Group.Read.All", "Mail.Read", "MailboxSettings.Read", "Files.Read.All", "Sites.Read.All"})
	mails := w.explore(false, time.Time{})
	before := w.truth()
	err := w.server.Call(w.ctx, http.MethodPost, mails.path(mails.box(0).ID, "restore"), map[string]any{}, nil)
	var answer *harness.StatusError
	if errors.As(err, &answer) {
		w.says("a restore without the permission", answer.Body, "Mail.ReadWrite")
	} else {
		w.must(err)
		events := mails.events()
		if !slices.ContainsFunc(events, func(e event) bool { return e.Status == "Failed" && strings.Contains(e.Message, "Mail.ReadWrite") }) {
			t.Errorf("no event names the permission: %+v", events)
		}
	}
	mails.stop()
	w.roles(nil)
	w.same("after a refused restore", w.truth().contents(w.users()), before.contents(w.users()))
}

// post sends a body as it stands.
func (w *world) post(path, body string) (int, string) {
	w.Helper()
	status, text, err := w.server.Raw(w.ctx, http.MethodPost, path, []byte(body))
	w.must(err)
	return status, string(text)
}

// A mailbox that is gone or unlicensed is a warning that names it; what was backed up of it stays.
func TestAMailboxThatIsGoneKeepsItsHistory(t *testing.T) {
	t.Parallel()
	s := newSim(t, "--users", "3", "--limits", "off", "--mail-messages", "6", "--files", "3")
	w := newServer(t, s, "--m365-limits", "off")
	w.protect(false)
	w.backup()
	want := w.truth().contents(w.users())
	w.mutate(sim.Mutation{Op: "gone", User: s.Tenant.Users[0].ID})
	w.mutate(sim.Mutation{Op: "unlicensed", User: s.Tenant.Users[1].ID})
	session, err := w.server.StartJob(w.ctx, w.job)
	w.must(err)
	session, err = w.server.WaitSession(w.ctx, session.ID)
	w.must(err)
	log := w.server.SessionLog(w.ctx, session.ID)
	if session.Status != "Warning" {
		t.Errorf("the session ends with %s: %s\n%s", session.Status, session.Details, log)
	}
	w.says("the session's log", log, s.Tenant.Users[0].UPN, s.Tenant.Users[1].UPN, "licen")
	w.same("with mailboxes gone", w.contents(time.Time{}), want)
	w.mutate(sim.Mutation{Op: "licensed", User: s.Tenant.Users[0].ID})
	w.mutate(sim.Mutation{Op: "licensed", User: s.Tenant.Users[1].ID})
	w.backup()
	w.same("with mailboxes back", w.contents(time.Time{}), w.truth().contents(w.users()))
}

// Kits and keys that do not belong to the repository are told from damage, and putting the right ones back is all it takes.
func TestWrongKitsAndKeys(t *testing.T) {
	t.Parallel()
	s := newSim(t, "--users", "1", "--limits", "off", "--mail-messages", "4", "--files", "2")
	w, other := newServer(t, s, "--m365-limits", "off"), newServer(t, s, "--m365-limits", "off")
	for _, x := range []*world{w, other} {
		x.protect(false)
		x.backup()
	}
	want := w.truth().contents(w.users())
	kit, pass := w.exportKit()
	foreign, _ := other.exportKit()
	wrong := filepath.Join(w.TempDir(), "wrong")
	w.must(os.WriteFile(wrong, []byte("not the passphrase"), 0o600))
	raw, err := os.ReadFile(kit)
	w.must(err)
	torn := filepath.Join(w.TempDir(), "torn.age")
	w.must(os.WriteFile(torn, raw[:len(raw)/2], 0o600))
	w.server.Kill()
	for name, c := range map[string]struct {
		kit, pass string
		words     []string
	}{
		"wrong passphrase":         {kit, wrong, []string{"passphrase"}},
		"half a kit":               {torn, pass, []string{"kit"}},
		"another repository's kit": {foreign, pass, []string{"kit", "use the kit that belongs to it"}},
		"no kit":                   {filepath.Join(w.dir, "nowhere"), pass, []string{"nowhere"}},
	} {
		commands := []string{"verify", "rebuild"} // opening a kit by passphrase is slow on purpose
		if name == "another repository's kit" {
			commands = append(commands, "list", "extract")
		}
		for _, command := range commands {
			args := []string{"vault", command, "--path", w.place, "--recovery-kit", c.kit, "--passphrase-file", c.pass}
			switch command {
			case "extract":
				args = append(args, "--out", filepath.Join(w.TempDir(), "out"))
			case "rebuild":
				args = append(args, "--data", filepath.Join(w.TempDir(), "data"))
			}
			out, complaints, code, err := cli(w.ctx, args...)
			w.must(err)
			if code == 0 || command == "verify" && code != 2 {
				t.Errorf("%s, %s: ends with %d: %s%s", name, command, code, out, complaints)
			}
			w.says(name+", "+command, complaints, c.words...)
		}
	}

	key := filepath.Join(w.server.Data, "keys", "kek")
	right, err := os.ReadFile(key)
	w.must(err)
	exchanged, err := os.ReadFile(filepath.Join(other.server.Data, "keys", "kek"))
	w.must(err)
	for name, content := range map[string][]byte{"exchanged": exchanged, "damaged": right[:len(right)/2], "empty": {}} {
		w.must(os.WriteFile(key, content, 0o600))
		out, complaints, code, err := cli(w.ctx, "vault", "verify", "--data", w.server.Data, "--repository", "main")
		w.must(err)
		if code != 2 {
			t.Errorf("with a key file that is %s verify ends with %d: %s%s", name, code, out, complaints)
		}
		w.says("verify with a key file that is "+name, complaints, "key")
		if err := w.server.Start(w.ctx); err == nil {
			// It may start; then whatever needs the key is refused in words.
			session, err := w.server.StartJob(w.ctx, w.job)
			if err == nil {
				session, err = w.server.WaitSession(w.ctx, session.ID)
				w.must(err)
				if session.Status == "Success" {
					t.Errorf("a backup succeeds with a key file that is %s", name)
				}
				w.says("a backup with a key file that is "+name, session.Details+w.server.SessionLog(w.ctx, session.ID), "key")
			} else {
				w.says("a job with a key file that is "+name, err.Error(), "key")
			}
			w.server.Kill()
		} else {
			w.says("a start with a key file that is "+name, err.Error(), "key")
		}
	}
	w.must(os.WriteFile(key, right, 0o600))
	w.must(w.server.Start(w.ctx))
	w.same("with the right key again", w.contents(time.Time{}), want)
	w.backup()
	w.verified()
}

// The disk of the repository fills up during a backup. The session says so, nothing that was there is lost, and with space again it goes on.
func TestAFullDisk(t *testing.T) {
	t.Parallel()
	s := newSim(t, "--users", "1", "--limits", "off", "--mail-messages", "6", "--files", "3")
	dir := t.TempDir()
	place := filepath.Join(dir, "place")
	if err := os.MkdirAll(place, 0o700); err != nil {
		t.Fatal(err)
	}
	// The server has a small tmpfs of its own where the repository goes.
	wrapper := filepath.Join(dir, "server")
	if err := os.WriteFile(wrapper, []byte("#!/bin/sh\nexec unshare -m sh -c 'mount -t tmpfs -o size=24m tmpfs \"$0\" && exec \"$@\"' "+place+" "+bin+" \"$@\"\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	server, err := harness.StartServer(t.Context(), wrapper, filepath.Join(dir, "data"), s, "--m365-limits", "off")
	if err != nil {
		t.Fatalf("a server in a mount namespace of its own (needs root and unshare from util-linux): %v", err)
	}
	t.Cleanup(server.Kill)
	w := &world{T: t, ctx: t.Context(), dir: dir, sim: s, server: server, place: place}
	inside := func(args ...string) (string, error) {
		out, err := exec.CommandContext(w.ctx, "nsenter", append([]string{"--mount=/proc/" + strconv.Itoa(server.Pid()) + "/ns/mnt"}, args...)...).CombinedOutput()
		return string(out), err
	}
	w.protect(false)
	w.backup()
	before, at := w.truth().contents(w.users()), sys.System.Now()

	filler := filepath.Join(place, "..", "place", "lost+found.filler")
	fill := "head -c 64m /dev/zero > " + filler + "; ls -l " + filler
	if out, err := inside("sh", "-c", fill); err != nil {
		t.Fatalf("fill the disk: %v: %s", err, out)
	}
	w.churn(sim.Churn{Seed: 2, New: 6, Flags: 2, Drive: 6})
	session, err := w.server.StartJob(w.ctx, w.job)
	w.must(err)
	session, err = w.server.WaitSession(w.ctx, session.ID)
	w.must(err)
	if session.Status != "Failed" && session.Status != "Warning" {
		t.Errorf("with a full disk the session ends with %s", session.Status)
	}
	log := session.Details + w.server.SessionLog(w.ctx, session.ID)
	w.says("the session with a full disk", log, "no space is left", "free space")
	w.same("with a full disk", w.contents(at), before)
	if out, err := inside("rm", filler); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	w.backup()
	w.same("with space again", w.contents(time.Time{}), w.truth().contents(w.users()))
	w.same("the earlier restore point", w.contents(at), before)
	if out, err := inside(bin, "vault", "verify", "--data", w.server.Data, "--repository", "main"); err != nil {
		t.Errorf("verify: %v: %s", err, out)
	}
}
