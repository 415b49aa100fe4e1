// Package e2e_test runs the built binary against the simulator, as processes, and judges it by the simulator's oracle. It talks only
// REST, the command line and the control port.
package e2e_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"holdfast/internal/sim"
	"holdfast/internal/store/storetest"
	"holdfast/test/harness"
)

// bin is the built binary.
var bin string

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "holdfast-e2e-")
	if err == nil {
		bin, err = harness.Build(context.Background(), dir)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	storetest.Main(m, func() { _ = os.RemoveAll(dir) }) // a leftover in the temporary folder hurts nobody
}

// world is a simulated organization and a server that protects it.
type world struct {
	*testing.T
	ctx            context.Context
	dir            string
	sim            *harness.Sim
	server         *harness.Server
	org, repo, job string
	place          string // folder of the repository
	exported       bool   // mail is read as Exchange exports it
	database       string // sqlite or an address
}

// exportRights are what reading mail as Exchange exports it takes.
var exportRights = []string{"MailboxItem.Export.All", "MailboxItem.ImportExport.All"}

// newSim starts a simulator that ends with the test. Mail is read as MIME, whose bytes these tests compare with what Graph gives.
func newSim(t *testing.T, flags ...string) *harness.Sim {
	t.Helper()
	s := newExportingSim(t, flags...)
	if err := s.Ask(t.Context(), http.MethodPost, "/roles", map[string]any{"without": exportRights}, nil); err != nil {
		t.Fatal(err)
	}
	return s
}

// newExportingSim starts a simulator that ends with the test and that lets mail be exported and imported.
func newExportingSim(t *testing.T, flags ...string) *harness.Sim {
	t.Helper()
	s, err := harness.StartSim(t.Context(), bin, filepath.Join(t.TempDir(), "sim"), flags...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Kill)
	return s
}

// newServer starts a server over s that ends with the test.
func newServer(t *testing.T, s *harness.Sim, flags ...string) *world {
	t.Helper()
	w := &world{T: t, ctx: t.Context(), dir: t.TempDir(), sim: s, database: "sqlite"}
	if i := slices.Index(flags, "--database"); i >= 0 {
		w.database = flags[i+1]
	}
	w.place = filepath.Join(w.dir, "place")
	var err error
	if w.server, err = harness.StartServer(w.ctx, bin, filepath.Join(w.dir, "data"), s, flags...); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		w.server.Kill()
		if t.Failed() {
			t.Logf("the server's log ends with\n%s", w.server.Log())
		}
	})
	return w
}

// protect adds organization, repository and job.
func (w *world) protect(byCertificate bool) {
	w.Helper()
	var err error
	w.org, err = w.server.AddOrganization(w.ctx, byCertificate)
	w.must(err)
	w.repo, err = w.server.AddRepository(w.ctx, "main", w.place)
	w.must(err)
	w.addJob(byCertificate)
}

// addJob makes the job that protects everything which the organization's credentials let read.
func (w *world) addJob(byCertificate bool) {
	w.Helper()
	var err error
	var more map[string]any
	if !byCertificate { // SharePoint's own interface takes no other application, and a backup of sites ends with a warning that says so
		more = map[string]any{"backupType": "SelectedItems", "selectedItems": []map[string]any{{"type": "PartialOrganization", "mailbox": true, "oneDrive": true, "sites": false}}}
	}
	w.job, err = w.server.AddJob(w.ctx, "everything", w.org, w.repo, more)
	w.must(err)
}

func (w *world) must(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

func (w *world) backup() harness.Session {
	w.Helper()
	s, err := w.server.RunJob(w.ctx, w.job)
	w.must(err)
	return s
}

func (w *world) call(method, path string, in, out any) {
	w.Helper()
	w.must(w.server.Call(w.ctx, method, path, in, out))
}

func (w *world) mutate(m sim.Mutation) {
	w.Helper()
	w.must(w.sim.Ask(w.ctx, http.MethodPost, "/mutate", m, nil))
}

func (w *world) churn(c sim.Churn) {
	w.Helper()
	w.must(w.sim.Ask(w.ctx, http.MethodPost, "/churn", c, nil))
}

func (w *world) faults(mail []sim.Fault, drive []sim.DriveFault) {
	w.Helper()
	w.must(w.sim.Ask(w.ctx, http.MethodPost, "/faults", map[string]any{"faults": mail, "drive": drive}, nil))
}

// stats are the simulator's counters.
func (w *world) stats() (s sim.Stats) {
	w.Helper()
	w.must(w.sim.Ask(w.ctx, http.MethodGet, "/stats", nil, &s))
	return s
}

// cli runs the binary and gives its output and exit status.
func cli(ctx context.Context, args ...string) (stdout, stderr string, code int, err error) {
	cmd := exec.CommandContext(ctx, bin, args...)
	var out, complaints bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &complaints
	err = cmd.Run()
	var exit *exec.ExitError
	if errors.As(err, &exit) && exit.Exited() {
		return out.String(), complaints.String(), exit.ExitCode(), nil
	}
	return out.String(), complaints.String(), 0, err
}

// verified demands that the repository is sound, to the last byte.
func (w *world) verified() {
	w.Helper()
	out, complaints, code, err := cli(w.ctx, "vault", "verify", "--data", w.server.Data, "--database", w.database, "--repository", "main")
	w.must(err)
	if code != 0 {
		w.Fatalf("vault verify ends with %d\n%s%s", code, out, complaints)
	}
}

// --- what the organization holds, by the oracle ----------------------------------------------------------------------

// truth is a user's mailbox and drive at one time.
type truth struct {
	folders  []sim.MailFolderRow
	mails    []sim.MailRow
	files    []sim.DriveRow
	others   []sim.PIMRow
	settings []sim.SettingRow // contacts, events, tasks
}

// state is everything of the organization at one time, by user.
type state map[string]truth

// notRead are the kinds that are left out where the cloud lacks what reading them takes.
var notRead = map[string][]string{"China": {"contact", "event", "todoTask"}, "USGovernment": {"event"}, "USDefence": {"event"}}

func (w *world) truth() state {
	w.Helper()
	s := state{}
	for _, u := range w.sim.Tenant.Users {
		var t truth
		if u.Mailbox != "" {
			w.lines("/oracle/mailboxes/"+u.ID+"?mime=1", func(line []byte) error {
				var row struct {
					Folder  *sim.MailFolderRow
					Message *sim.MailRow
				}
				err := json.Unmarshal(line, &row)
				if row.Folder != nil {
					t.folders = append(t.folders, *row.Folder)
				}
				if row.Message != nil {
					t.mails = append(t.mails, *row.Message)
				}
				return err
			})
		}
		if u.Mailbox != "" {
			w.lines("/oracle/mailboxes/"+u.ID+"/pim", func(line []byte) error {
				var row sim.PIMRow
				err := json.Unmarshal(line, &row)
				if !slices.Contains(notRead[w.sim.Tenant.Region], row.Kind) {
					t.others = append(t.others, row)
				}
				return err
			})
		}
		if u.Mailbox != "" {
			w.lines("/oracle/mailboxes/"+u.ID+"/settings", func(line []byte) error {
				var row sim.SettingRow
				err := json.Unmarshal(line, &row)
				if region := w.sim.Tenant.Region; !(region == "China" && row.Kind != "mailboxSettings" || row.Kind == "calendarPermission" && slices.Contains(notRead[region], "event")) {
					t.settings = append(t.settings, row)
				}
				return err
			})
		}
		if u.Drive != "" {
			w.lines("/oracle/drives/"+u.ID+"?sha256=1", func(line []byte) error {
				var row sim.DriveRow
				err := json.Unmarshal(line, &row)
				t.files = append(t.files, row)
				return err
			})
		}
		s[u.ID] = t
	}
	return s
}

func (w *world) lines(path string, fn func([]byte) error) {
	w.Helper()
	var raw []byte
	w.must(w.sim.Ask(w.ctx, http.MethodGet, path, nil, &raw))
	for line := range bytes.Lines(raw) {
		w.must(fn(line))
	}
}

// contents says what a restore point of this state must hold: one text for each mail and file.
func (s state) contents(users map[string]string) map[string]int {
	out := map[string]int{}
	for id, t := range s {
		for _, f := range t.folders {
			if f.Path != "" {
				out[fmt.Sprintf("%s: mail folder %s", users[id], f.Path)]++
			}
		}
		for _, m := range t.mails {
			out[mailText(users[id], m.Folder, m.Subject, m.Received, m.MIMESHA256)]++
		}
		for _, o := range t.others {
			class := map[string]string{"contact": "IPM.Contact", "event": "IPM.Appointment", "todoTask": "IPM.Task"}[o.Kind]
			name, _ := o.Props[map[string]string{"contact": "displayName", "event": "subject", "todoTask": "title"}[o.Kind]].(string)
			out[otherText(users[id], class, o.Folder, name)]++
		}
		for text := range settingTexts(users[id], t.settings) {
			out[text] = 1
		}
		for _, f := range t.files {
			if f.Folder {
				out[fmt.Sprintf("%s: drive folder %s", users[id], f.Path)]++
			} else {
				out[fileText(users[id], f.Path, f.Size, f.Modified, f.SHA256)]++
			}
		}
	}
	return out
}

func mailText(user, folder, subject string, received time.Time, sum string) string {
	return fmt.Sprintf("%s: mail %s | %q | %s | %s", user, folder, subject, received.UTC().Format(time.RFC3339), sum)
}

// otherText names a contact, an event or a task; what is in them the tests of the workload compare.
func otherText(user, class, folder, name string) string {
	return fmt.Sprintf("%s: %s %s | %q", user, class, strings.ReplaceAll(folder, `\/`, "/"), name)
}

// settingTexts name the items that a mailbox's settings are stored as, and their folder.
func settingTexts(user string, rows []sim.SettingRow) map[string]bool {
	out := map[string]bool{}
	for _, r := range rows {
		out[user+": mail folder Settings"] = true
		name := map[string]string{"mailboxSettings": "Mailbox settings", "outlookCategory": "Categories", "calendarPermission": "Permissions of calendar " + r.Calendar}[r.Kind]
		class := map[string]string{"mailboxSettings": "IPM.Configuration.MailboxSettings", "outlookCategory": "IPM.Configuration.CategoryList", "calendarPermission": "IPM.Configuration.CalendarPermissions"}[r.Kind]
		if r.Kind == "messageRule" {
			name, class = fmt.Sprint(r.Props["displayName"]), "IPM.Rule.Version2.Message"
		}
		out[otherText(user, class, "Settings", name)] = true
	}
	return out
}

func fileText(user, path string, size int64, modified time.Time, sum string) string {
	return fmt.Sprintf("%s: file %s | %d | %s | %s", user, path, size, modified.UTC().Format(time.RFC3339), sum)
}

// users are the mail addresses by id.
func (w *world) users() map[string]string {
	out := map[string]string{}
	for _, u := range w.sim.Tenant.Users {
		out[u.ID] = strings.ToLower(u.UPN)
	}
	return out
}

// same demands that two multisets are equal.
func (w *world) same(what string, got, want map[string]int) {
	w.Helper()
	sameOf(w.T, what, got, want)
}

func sameOf(t testing.TB, what string, got, want map[string]int) {
	t.Helper()
	var lacks, extra []string
	for k, n := range want {
		if got[k] < n {
			lacks = append(lacks, fmt.Sprintf("%dx %s", n-got[k], k))
		}
	}
	for k, n := range got {
		if want[k] < n {
			extra = append(extra, fmt.Sprintf("%dx %s", n-want[k], k))
		}
	}
	if len(lacks)+len(extra) == 0 {
		return
	}
	slices.Sort(lacks)
	slices.Sort(extra)
	t.Errorf("%s: lacks %d of %d:\n%s\nhas %d more:\n%s", what, len(lacks), len(want), firstOf(lacks), len(extra), firstOf(extra))
}

func firstOf(s []string) string {
	if len(s) > 8 {
		s = append(slices.Clone(s[:8]), "…")
	}
	return strings.Join(s, "\n")
}

// --- what a restore point holds, by REST -----------------------------------------------------------------------------

// look is a restore session.
type look struct {
	w       *world
	session string
	files   bool
}

type object struct {
	ID       string    `json:"id"`
	Name     string    `json:"name"`
	Email    string    `json:"email"`
	Subject  string    `json:"subject"`
	Received time.Time `json:"received"`
	Modified time.Time `json:"modificationTime"`
	Size     int64     `json:"sizeBytes"`
	Type     string    `json:"type"`      // of a folder of a mailbox
	Class    string    `json:"itemClass"` // of an item of a mailbox
}

// other says that an item, or a folder, of a mailbox is not of mail.
func (o object) other() bool {
	switch o.Class {
	case "IPM.Contact", "IPM.Appointment", "IPM.Task":
		return true
	}
	if strings.HasPrefix(o.Class, "IPM.Configuration.") || strings.HasPrefix(o.Class, "IPM.Rule.") {
		return true
	}
	return o.Type == "Contact" || o.Type == "Appointment" || o.Type == "Task"
}

// explore opens the newest restore point at a time; zero is now.
func (w *world) explore(files bool, at time.Time) *look {
	w.Helper()
	body := map[string]any{"type": map[bool]string{false: "Vex", true: "Veod"}[files], "showDeleted": false, "showAllVersions": true}
	if !at.IsZero() {
		body["dateTime"] = at.UTC().Format(time.RFC3339Nano)
	}
	var s object
	w.call(http.MethodPost, "/v8/Organizations/"+w.org+"/explore", body, &s)
	return &look{w: w, session: s.ID, files: files}
}

func (l *look) path(parts ...string) string {
	kind := "Mailboxes"
	if l.files {
		kind = "OneDrives"
	}
	for i, p := range parts {
		parts[i] = url.PathEscape(p)
	}
	return strings.Join(append([]string{"/v8/RestoreSessions", l.session, "organization", kind}, parts...), "/")
}

// list reads all pages of a collection.
func (l *look) list(path string, body any) []object {
	l.w.Helper()
	var all []object
	for {
		method, sep := http.MethodGet, "?"
		if body != nil {
			method = http.MethodPost
		}
		if strings.Contains(path, "?") {
			sep = "&"
		}
		var p struct{ Results []object }
		l.w.call(method, fmt.Sprintf("%s%slimit=500&offset=%d", path, sep, len(all)), body, &p)
		all = append(all, p.Results...)
		if len(p.Results) < 500 {
			return all
		}
	}
}

// boxes are the mailboxes or drives.
func (l *look) boxes() []object { return l.list(l.path(), nil) }

// box is the mailbox or drive of a user.
func (l *look) box(user int) object {
	l.w.Helper()
	u := l.w.sim.Tenant.Users[user]
	for _, b := range l.boxes() {
		if l.owner(b) == strings.ToLower(u.UPN) {
			return b
		}
	}
	l.w.Fatalf("the restore point has nothing of %s", u.UPN)
	return object{}
}

// owner is whose mailbox or drive it is. A drive has its owner's name only.
func (l *look) owner(b object) string {
	if b.Email != "" {
		return strings.ToLower(b.Email)
	}
	return strings.ToLower(l.w.addressOf(b.Name))
}

// addressOf finds the user by name, in the directory as the contract shows it.
func (w *world) addressOf(name string) string {
	w.Helper()
	if strings.Contains(name, "@") {
		return name
	}
	var p struct {
		Results []struct{ DisplayName, Name string }
	}
	w.call(http.MethodGet, "/v8/Organizations/"+w.org+"/Users?limit=1000", nil, &p)
	for _, u := range p.Results {
		if u.DisplayName == name {
			return u.Name
		}
	}
	w.Fatalf("no user is called %q: %v", name, p.Results)
	return ""
}

// each walks folders and calls fn for each folder (leaf false) and each mail or file.
func (l *look) each(b object, fn func(folder string, o object, leaf bool)) {
	l.w.Helper()
	folders, leaves := "folders", "items"
	if l.files {
		folders, leaves = "Folders", "Documents"
	}
	var walk func(parent, path string)
	walk = func(parent, path string) {
		query := ""
		if parent != "" {
			query = "?parentId=" + url.QueryEscape(parent)
		}
		if l.files || parent != "" {
			for _, o := range l.list(l.path(b.ID, leaves)+query, nil) {
				fn(path, o, true)
			}
		}
		for _, f := range l.list(l.path(b.ID, folders)+query, nil) {
			name := f.Name
			if !l.files {
				name = strings.ReplaceAll(name, "/", `\/`)
			}
			below := strings.TrimPrefix(path+"/"+name, "/")
			fn(below, f, false)
			walk(f.ID, below)
		}
	}
	walk("", "")
}

// save reads the bytes of one mail or file.
func (l *look) save(box, item string) []byte {
	l.w.Helper()
	kind, body := "items", map[string]any{}
	if l.files {
		kind, body = "Documents", map[string]any{"asZip": false}
	}
	var raw []byte
	l.w.call(http.MethodPost, l.path(box, kind, item, "save"), body, &raw)
	return raw
}

func (l *look) stop() {
	l.w.Helper()
	l.w.call(http.MethodPost, "/v8/RestoreSessions/"+l.session+"/Stop", nil, nil)
}

// contents reads every byte of a restore point through REST; its keys are as those of state.contents.
func (w *world) contents(at time.Time) map[string]int {
	w.Helper()
	out := map[string]int{}
	for _, files := range []bool{false, true} {
		l := w.explore(files, at)
		for _, b := range l.boxes() {
			owner := l.owner(b)
			l.each(b, func(folder string, o object, leaf bool) {
				if !files && o.other() {
					if leaf {
						l.save(b.ID, o.ID)
						out[otherText(owner, o.Class, folder, o.Name+o.Subject)]++
					}
					return
				}
				if !leaf {
					out[fmt.Sprintf("%s: %s folder %s", owner, map[bool]string{false: "mail", true: "drive"}[files], folder)]++
					return
				}
				raw := l.save(b.ID, o.ID)
				if files {
					out[fileText(owner, strings.TrimPrefix(folder+"/"+o.Name, "/"), int64(len(raw)), o.Modified, sum(raw))]++
				} else {
					out[mailText(owner, folder, o.Subject, o.Received, sum(raw))]++
				}
			})
		}
		l.stop()
	}
	return out
}

func sum(b []byte) string {
	s := sha256.Sum256(b)
	return hex.EncodeToString(s[:])
}

// event is what a restore session says.
type event struct {
	Type, Status, ItemName, Title, Message string
}

// ended says that what a restore session does is at its end.
func (l *look) ended() bool {
	l.w.Helper()
	var p struct{ Results []event }
	l.w.call(http.MethodGet, "/v8/RestoreSessions/"+l.session+"/Events?limit=10000", nil, &p)
	return !slices.ContainsFunc(p.Results, func(e event) bool { return e.Type == "Restore" && e.Status == "Running" })
}

// events waits for the end of what a restore session does and gives its events.
func (l *look) events() []event {
	l.w.Helper()
	var out []event
	l.w.must(harness.Until(l.w.ctx, 100*time.Millisecond, func() (bool, error) {
		var p struct{ Results []event }
		if err := l.w.server.Call(l.w.ctx, http.MethodGet, "/v8/RestoreSessions/"+l.session+"/Events?limit=10000", nil, &p); err != nil {
			return false, err
		}
		out = out[:0]
		for _, e := range p.Results {
			if e.Type == "Restore" {
				out = append(out, e)
			}
		}
		return len(out) > 0 && !slices.ContainsFunc(out, func(e event) bool { return e.Status == "Running" }), nil
	}))
	return out
}

// restored waits for the end of what a restore session does and demands that all of it succeeded.
func (l *look) restored() []event {
	l.w.Helper()
	out := l.events()
	for _, e := range out {
		if e.Status != "Success" {
			l.w.Errorf("restore of %q (%s): %s: %s", e.ItemName, e.Title, e.Status, e.Message)
		}
	}
	return out
}

// --- Graph, as any client would call it ------------------------------------------------------------------------------

// graph calls the simulated Graph by its real name with the application's secret.
func (w *world) graph(method, path string, body []byte, contentType string) []byte {
	w.Helper()
	c, err := w.sim.Client()
	w.must(err)
	t := w.sim.Tenant
	resp, err := c.PostForm("https://"+t.LoginHost+"/"+t.TenantID+"/oauth2/v2.0/token", url.Values{"grant_type": {"client_credentials"},
		"client_id": {t.ApplicationID}, "client_secret": {t.ApplicationSecret}, "scope": {"https://" + t.GraphHost + "/.default"}})
	w.must(err)
	var token struct {
		Access string `json:"access_token"`
	}
	err = json.NewDecoder(resp.Body).Decode(&token)
	w.must(errors.Join(err, resp.Body.Close()))
	req, err := http.NewRequestWithContext(w.ctx, method, "https://"+t.GraphHost+"/v1.0"+path, bytes.NewReader(body))
	w.must(err)
	req.Header.Set("Authorization", "Bearer "+token.Access)
	req.Header.Set("Prefer", `IdType="ImmutableId"`)
	if contentType != "" {
		req.Header.Set("Content-Type", contentType)
	}
	resp, err = c.Do(req)
	w.must(err)
	raw, err := io.ReadAll(resp.Body)
	w.must(errors.Join(err, resp.Body.Close()))
	if resp.StatusCode >= 400 {
		w.Fatalf("Graph: %s %s: %s: %s", method, path, resp.Status, raw)
	}
	return raw
}
