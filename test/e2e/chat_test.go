package e2e_test

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"holdfast/internal/sim"
	"holdfast/internal/sys"
	"holdfast/test/harness"
)

// chats are those of the organization that are there.
func (w *world) chats() []sim.ChatInfo {
	w.Helper()
	var all []sim.ChatInfo
	w.must(w.sim.Ask(w.ctx, http.MethodGet, "/chats", nil, &all))
	return slices.DeleteFunc(all, func(c sim.ChatInfo) bool { return c.Deleted })
}

// returns says that a chat can be put back: no meeting's, begun here, and all who are in it are of the organization.
func (w *world) returns(c sim.ChatInfo) bool {
	return c.Type != "meeting" && c.Tenant == w.sim.Tenant.TenantID && !slices.ContainsFunc(c.Members, func(m sim.ChatMemberInfo) bool { return strings.Contains(m.Name, "@partner.example") })
}

// chatRows are what the oracle tells of a chat.
func (w *world) chatRows(id string) (rows []sim.TeamRow) {
	w.Helper()
	w.lines("/oracle/chats?chat="+url.QueryEscape(id), func(line []byte) error {
		var row sim.TeamRow
		err := json.Unmarshal(line, &row)
		rows = append(rows, row)
		return err
	})
	return rows
}

var quoteIn = regexp.MustCompile(`<attachment id="\d+"></attachment>|<blockquote>.*?</blockquote>`)

// said is what was said in all chats that a restore can give back: a text for each chat and message. No chat may be open for messages of the past.
func (w *world) said() map[string]int {
	w.Helper()
	out := map[string]int{}
	for _, c := range w.chats() {
		rows := w.chatRows(c.ID)
		if rows[0].Open {
			w.Errorf("the chat %q is open for messages of the past", c.Topic)
		}
		if !w.returns(c) {
			continue
		}
		chat := fmt.Sprintf("%s %q of %v", c.Type, c.Topic, rows[0].Members)
		out[chat]++
		for _, row := range rows[1:] {
			if row.Event || row.Deleted || row.Author == "application" {
				continue
			}
			body := quoteIn.ReplaceAllString(atElement.ReplaceAllString(hostedLink.ReplaceAllString(row.Body, "HOSTED/"), "<b>$1</b>"), "")
			out[fmt.Sprintf("%s: %v %s %q %s %v %v", chat, row.Created, row.Author, body, row.Mark, row.Hosted, row.Attached)]++
		}
	}
	return out
}

// protectChats makes a job of everybody's chats.
func (w *world) protectChats() {
	w.Helper()
	var err error
	w.org, err = w.server.AddOrganization(w.ctx, true)
	w.must(err)
	w.repo, err = w.server.AddRepository(w.ctx, "main", w.place)
	w.must(err)
	w.job, err = w.server.AddJob(w.ctx, "chats", w.org, w.repo, map[string]any{"backupType": "SelectedItems",
		"selectedItems": []map[string]any{{"type": "PartialOrganization", "mailbox": false, "oneDrive": false, "sites": false, "teams": false, "chats": true}}})
	w.must(err)
}

// exploreChats opens a session on chats, with its containers by what they are called.
func (w *world) exploreChats() (l *look, containers []struct{ ID, Name, Address string }) {
	w.Helper()
	var o object
	w.call(http.MethodPost, "/v8/Organizations/"+w.org+"/explore", map[string]any{"type": "Chats"}, &o)
	var found struct {
		Results []struct{ ID, Name, Address string }
	}
	w.call(http.MethodGet, "/holdfast/v1/RestoreSessions/"+o.ID+"/Containers?limit=1000", nil, &found)
	return &look{w: w, session: o.ID}, found.Results
}

// Chats are backed up by a server that is killed at random times, purged or emptied, and restored by a server that is killed, too. Afterwards all that was
// said is back, once, nobody was told, and no chat is open.
func TestChats(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(seedOf(t), 5))
	s := newSim(t, "--users", "3", "--limits", "off", "--mail-messages", "1", "--files", "1")
	w := newServer(t, s, "--m365-limits", "off")
	w.protectChats()
	killed := func(i int) {
		delay := time.Duration(r.IntN(900)) * time.Millisecond
		t.Logf("%d: killed after %v", i, delay)
		w.must(sys.System.Sleep(w.ctx, delay))
		w.server.Kill()
		w.must(w.server.Start(w.ctx))
	}
	for i := range 2 {
		for _, c := range w.chats() {
			w.must(w.sim.Ask(w.ctx, http.MethodPost, "/chats/churn", map[string]any{"chat": c.ID, "changes": 4, "seed": i}, nil))
		}
		session, err := w.server.StartJob(w.ctx, w.job)
		w.must(err)
		killed(i)
		ended, err := w.server.WaitSession(w.ctx, session.ID)
		w.must(err)
		if ended.Status != "Success" && ended.Status != "Warning" { // pictures of a chat that another organization began are not given
			t.Fatalf("the session ended with %s: %s\n%s", ended.Status, ended.Details, w.server.SessionLog(w.ctx, session.ID))
		}
	}
	w.verified()
	want, purged := w.said(), 0
	for i, c := range w.chats() {
		switch {
		case !w.returns(c):
		case i%3 == 2:
			w.must(w.sim.Ask(w.ctx, http.MethodPost, "/chats/empty", map[string]any{"chat": c.ID}, nil))
		default:
			purged++
			w.must(w.sim.Ask(w.ctx, http.MethodPost, "/chats/delete", map[string]any{"chat": c.ID, "purge": true}, nil))
		}
	}
	l, containers := w.exploreChats()
	asked, refused := 0, 0
	for _, c := range containers {
		err := w.server.Call(w.ctx, http.MethodPost, "/holdfast/v1/Restore", map[string]any{"restoreSessionId": l.session, "containerId": c.ID, "mode": "skip"}, nil)
		switch {
		case err == nil:
			asked++
		case strings.Contains(err.Error(), "save it as a page of HTML"):
			refused++
		default:
			t.Fatal(err)
		}
	}
	for i := range 2 {
		killed(2 + i)
	}
	for _, e := range l.events() {
		if e.Status != "Success" {
			t.Logf("%s %q: %s", e.Status, e.ItemName, e.Message)
		}
	}
	w.same("what was said", w.said(), want)
	if purged == 0 || asked == 0 || refused == 0 {
		t.Errorf("%d chats were purged, %d restored, %d refused", purged, asked, refused)
	}
	w.quiet()
}

// quiet demands that no restore has told anybody.
func (w *world) quiet() {
	w.Helper()
	var notices []sim.ChatNotice
	w.must(w.sim.Ask(w.ctx, http.MethodGet, "/chats/notices", nil, &notices))
	if st := w.stats(); st.MailsSentN != 0 || len(notices) != 0 {
		w.Errorf("%d mails and %d notifications were sent: %+v", st.MailsSentN, len(notices), notices)
	}
}

// A restore whose server is killed while its chat is open for messages of the past, and which is then stopped, has no further attempt. The chat is closed
// all the same, and another restore goes on where it was.
func TestAChatThatAStoppedRestoreLeftOpenIsClosed(t *testing.T) {
	t.Parallel()
	s := newSim(t, "--users", "2", "--limits", "off", "--mail-messages", "1", "--files", "1")
	w := newServer(t, s, "--m365-limits", "off")
	w.protectChats()
	w.backup()
	want := w.said()
	chats := w.chats()
	group := chats[slices.IndexFunc(chats, func(c sim.ChatInfo) bool { return c.Type == "oneOnOne" && w.returns(c) })]
	w.must(w.sim.Ask(w.ctx, http.MethodPost, "/chats/empty", map[string]any{"chat": group.ID}, nil))
	w.faults([]sim.Fault{{Name: sim.FaultThrottled, Path: "POST /v1.0/chats/{chat}/messages", Skip: 3, RetryAfter: "2"}}, []sim.DriveFault{})
	l, containers := w.exploreChats()
	var id string
	for _, c := range containers {
		var one struct{ Results []struct{ Name string } }
		w.call(http.MethodGet, "/holdfast/v1/RestoreSessions/"+l.session+"/Containers/"+url.PathEscape(c.ID)+"/Items", nil, &one)
		if err := w.server.Call(w.ctx, http.MethodPost, "/holdfast/v1/Restore/Plan", map[string]any{"restoreSessionId": l.session, "containerId": c.ID}, &struct{}{}); err != nil {
			continue // of a meeting
		}
		var plan struct{ Created int }
		w.call(http.MethodPost, "/holdfast/v1/Restore/Plan", map[string]any{"restoreSessionId": l.session, "containerId": c.ID}, &plan)
		if plan.Created > 0 {
			id = c.ID
		}
	}
	w.call(http.MethodPost, "/holdfast/v1/Restore", map[string]any{"restoreSessionId": l.session, "containerId": id, "mode": "skip"}, nil)
	open := func() bool { return w.chatRows(group.ID)[0].Open }
	w.must(harness.Until(w.ctx, 50*time.Millisecond, func() (bool, error) { return open() && len(w.chatRows(group.ID)) > 2, nil }))
	w.server.Kill()
	w.must(w.server.Start(w.ctx))
	if !open() {
		t.Fatal("the chat is closed already")
	}
	w.call(http.MethodPost, "/v8/RestoreSessions/"+l.session+"/Stop", nil, nil)
	w.must(harness.Until(w.ctx, 200*time.Millisecond, func() (bool, error) { return !open(), nil }))
	var p struct {
		Results []struct{ Type, Status, Title string }
	}
	w.must(harness.Until(w.ctx, 200*time.Millisecond, func() (bool, error) {
		err := w.server.Call(w.ctx, http.MethodGet, "/v8/RestoreSessions/"+l.session+"/Events?limit=10000", nil, &p)
		return slices.ContainsFunc(p.Results, func(e struct{ Type, Status, Title string }) bool {
			return e.Type == "None" && e.Status == "Success" && strings.HasPrefix(e.Title, "Closed ")
		}), err
	}))
	w.faults([]sim.Fault{}, []sim.DriveFault{})
	l, _ = w.exploreChats()
	w.call(http.MethodPost, "/holdfast/v1/Restore", map[string]any{"restoreSessionId": l.session, "containerId": id, "mode": "skip"}, nil)
	for _, e := range l.events() {
		if e.Status == "Failed" && !strings.Contains(e.Message, "not written by a user") {
			t.Errorf("%q: %s", e.ItemName, e.Message)
		}
	}
	w.same("what was said", w.said(), want)
	w.quiet()
}

// Each chat is saved as a page that has its pictures in it, and as a ZIP with the messages as Teams served them, the pictures and the members, all listed
// with their hashes.
func TestChatsAreSaved(t *testing.T) {
	t.Parallel()
	s := newSim(t, "--users", "3", "--limits", "off", "--mail-messages", "1", "--files", "1")
	w := newServer(t, s, "--m365-limits", "off")
	w.protectChats()
	w.backup()
	l, containers := w.exploreChats()
	pictures := 0
	for _, c := range w.chats() {
		if c.Tenant != w.sim.Tenant.TenantID {
			continue // pictures of those are not given
		}
		rows := w.chatRows(c.ID)
		said, want := 0, map[string]int{}
		for _, r := range rows[1:] {
			for _, h := range r.Hosted {
				want[h]++
				pictures++
			}
			if !r.Event {
				said++
			}
		}
		var saved *zip.Reader
		for _, x := range containers { // a chat's source is no part of our interface: its JSON has the id
			at := "/holdfast/v1/RestoreSessions/" + l.session + "/Containers/" + url.PathEscape(x.ID) + "/Items/save"
			var raw, html []byte
			w.call(http.MethodPost, at, map[string]any{}, &raw)
			z, err := zip.NewReader(bytes.NewReader(raw), int64(len(raw)))
			w.must(err)
			var about struct{ ID string }
			w.must(json.Unmarshal(w.inZip(z, "/chat.json"), &about))
			if about.ID != c.ID {
				continue
			}
			saved = z
			w.call(http.MethodPost, at, map[string]any{"page": true}, &html)
			page := string(html)
			if n := strings.Count(page, `src="data:image/png;base64,`); n != len(want) || strings.Contains(page, "[image]") || strings.Count(page, "<article") != said || strings.Contains(page, "graph.microsoft.com") {
				t.Errorf("the page of %q has %d pictures and %d messages, want %d and %d", c.Topic, n, strings.Count(page, "<article"), len(want), said)
			}
		}
		if saved == nil {
			t.Fatalf("no container is the chat %s", c.ID)
		}
		var members []struct{ UserID string }
		w.must(json.Unmarshal(w.inZip(saved, "/members.json"), &members))
		if len(members) != len(c.Members) {
			t.Errorf("%d members of %d", len(members), len(c.Members))
		}
		var manifest struct {
			Files   []struct{ Path, SHA256 string }
			Missing []any
		}
		w.must(json.Unmarshal(w.inZip(saved, "manifest.json"), &manifest))
		got, messages := map[string]int{}, 0
		for _, f := range manifest.Files {
			content := w.inZip(saved, f.Path)
			if sum(content) != f.SHA256 {
				t.Errorf("the hash of %q is wrong", f.Path)
			}
			var m struct{ MessageType, ID string }
			switch {
			case strings.Contains(f.Path, " (pictures)/"):
				got[f.SHA256]++
			case json.Unmarshal(content, &m) == nil && m.MessageType != "" && m.ID != "":
				messages++
			}
		}
		w.same("pictures of "+c.Topic, got, want)
		if messages != len(rows)-1 || len(manifest.Missing) != 0 {
			t.Errorf("%d messages of %d; missing is %v", messages, len(rows)-1, manifest.Missing)
		}
	}
	if pictures == 0 {
		t.Error("no chat has a picture")
	}
}

// inZip is the file of a ZIP whose name ends so.
func (w *world) inZip(z *zip.Reader, ending string) []byte {
	w.Helper()
	for _, f := range z.File {
		if strings.HasSuffix(f.Name, ending) {
			r, err := f.Open()
			w.must(err)
			defer r.Close()
			raw, err := io.ReadAll(r)
			w.must(err)
			return raw
		}
	}
	w.Fatalf("the ZIP has no %s", ending)
	return nil
}

// A chat as a restore point has it is compared with another restore point and with the chat now: what was said, edited and deleted since, its name, and what a
// policy of retention took away, which Teams tells nobody. After a restore only what docs/fidelity.md calls lost differs.
func TestChatsAreCompared(t *testing.T) {
	t.Parallel()
	s := newSim(t, "--users", "2", "--limits", "off", "--mail-messages", "1", "--files", "1")
	w := newServer(t, s, "--m365-limits", "off")
	w.protectChats()
	ask := func(what string, in map[string]any) (out struct{ ID string }) {
		t.Helper()
		w.must(w.sim.Ask(w.ctx, http.MethodPost, "/chats/"+what, in, &out))
		return out
	}
	chats := w.chats()
	group := chats[slices.IndexFunc(chats, func(c sim.ChatInfo) bool { return c.Type == "group" && w.returns(c) })]
	say := func(text string) string {
		return ask("say", map[string]any{"chat": group.ID, "user": group.Members[0].ID, "text": text}).ID
	}
	edited, deleted, quoted := say("<p>soon other</p>"), say("<p>soon gone</p>"), say("<p>to be quoted</p>")
	ask("say", map[string]any{"chat": group.ID, "user": group.Members[1].ID, "text": "<p>indeed</p>", "quote": quoted})
	w.backup()
	first := slices.Collect(maps.Keys(w.restorePoints()))[0]
	l, containers := w.exploreChats()
	id := ""
	for _, c := range containers { // each chat's JSON has its id
		var raw []byte
		w.call(http.MethodPost, "/holdfast/v1/RestoreSessions/"+l.session+"/Containers/"+url.PathEscape(c.ID)+"/Items/save", map[string]any{}, &raw)
		z, err := zip.NewReader(bytes.NewReader(raw), int64(len(raw)))
		w.must(err)
		if bytes.Contains(w.inZip(z, "/chat.json"), []byte(`"`+group.ID+`"`)) {
			id = c.ID
		}
	}
	type difference struct {
		Kind          string
		Before, After *struct{ Name string }
		Properties    []string
	}
	compare := func(session string, with map[string]any) []string {
		t.Helper()
		in := map[string]any{"restoreSessionId": session, "containerId": id, "limit": 10000}
		maps.Copy(in, with)
		var out struct {
			Total   int
			Results []difference
		}
		w.call(http.MethodPost, "/holdfast/v1/Compare", in, &out)
		got := []string{}
		for _, d := range out.Results {
			text := d.Kind
			for _, of := range []*struct{ Name string }{d.Before, d.After} {
				if of != nil {
					text += " " + of.Name
				}
			}
			got = append(got, text+" "+strings.Join(d.Properties, ","))
		}
		if len(got) != out.Total {
			t.Errorf("%d of %d differences", len(got), out.Total)
		}
		slices.Sort(got)
		return got
	}
	live := map[string]any{"live": true}
	if got := compare(l.session, live); len(got) != 0 {
		t.Errorf("nothing changed, and these differ: %q", got)
	}
	ask("edit", map[string]any{"chat": group.ID, "id": edited, "text": "<p>now other</p>"})
	ask("unsay", map[string]any{"chat": group.ID, "id": deleted})
	say("<p>brand new</p>")
	want := []string{"added brand new ", "changed soon gone (deleted) name,deleted", "changed soon other now other name,edited"}
	if got := compare(l.session, live); !slices.Equal(got, want) {
		t.Errorf("with the chat now: %q, want %q", got, want)
	}
	w.backup()
	newest, _ := w.exploreChats()
	turned := []string{"changed (deleted) soon gone name,deleted", "changed now other soon other name,edited", "removed brand new "}
	if got := compare(newest.session, map[string]any{"restorePointId": first}); !slices.Equal(got, turned) {
		t.Errorf("with the restore point before: %q, want %q", got, turned)
	}
	ask("empty", map[string]any{"chat": group.ID})
	said := 0
	for _, d := range compare(newest.session, live) {
		if !strings.HasPrefix(d, "removed ") {
			t.Errorf("of an emptied chat differs %q", d)
		}
		said++
	}
	if said < 10 {
		t.Errorf("of an emptied chat %d messages are missing", said)
	}
	w.call(http.MethodPost, "/holdfast/v1/Restore", map[string]any{"restoreSessionId": newest.session, "containerId": id, "mode": "skip"}, nil)
	newest.events()
	equal := 0
	for _, d := range compare(newest.session, live) {
		switch {
		case strings.HasPrefix(d, "removed ") && (strings.Contains(d, "(deleted)") || strings.Contains(d, "(event)")): // can't be posted
		case strings.HasPrefix(d, "changed ") && strings.HasSuffix(d, " edited"): // the mark of an edit
		case strings.HasPrefix(d, "changed ") && strings.HasSuffix(d, " created") && strings.Contains(d, "Alder Ashgrove"): // the chat itself, a second older
		case strings.HasPrefix(d, "changed indeed ") && strings.Contains(d, "to be quoted indeed") && strings.HasSuffix(d, " name,attachments"):
			equal++
		default:
			t.Errorf("after the restore differs %q", d)
		}
	}
	if equal != 1 {
		t.Errorf("the quotation is told of %d times", equal)
	}
}
