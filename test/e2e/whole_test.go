package e2e_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net/http"
	"net/mail"
	"net/textproto"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"holdfast/internal/sim"
	"holdfast/test/harness"
)

// lostOf reads which properties a section of docs/fidelity.md calls lost or not promised.
func lostOf(t testing.TB, section string) map[string]bool {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join("..", "..", "docs", "fidelity.md"))
	if err != nil {
		t.Fatal(err)
	}
	out, in := map[string]bool{}, false
	for line := range strings.Lines(string(raw)) {
		if title, ok := strings.CutPrefix(strings.TrimSpace(line), "## "); ok {
			in = title == section
		}
		cells := strings.Split(line, "|")
		if !in || len(cells) < 5 {
			continue
		}
		if after := strings.TrimSpace(cells[2]); strings.HasPrefix(after, "lost") || strings.HasPrefix(after, "not promised") {
			for name := range strings.SplitSeq(cells[1], ",") {
				out[strings.TrimSpace(name)] = true
			}
		}
	}
	if len(out) == 0 {
		t.Fatalf("docs/fidelity.md has no section %q that calls anything lost", section)
	}
	return out
}

// rowOf are properties of the oracle that docs/fidelity.md calls otherwise.
var rowOf = map[string]string{"myResponse": "responseStatus"}

// attendeeList is what a restore adds to the text of a meeting, as the row "body" says.
var attendeeList = regexp.MustCompile(`(?s)<hr><p>Attendees, from the backup.*?</p>|\r\n\r\nAttendees, from the backup.*$`)

// promised is a contact, an event or a task without what the documentation calls lost.
func promised(lost map[string]bool, r sim.PIMRow) sim.PIMRow {
	if lost["id"] {
		r.ID, r.Version = "", 0
	}
	if lost["createdDateTime"] {
		r.Created = time.Time{}
	}
	if lost["lastModifiedDateTime"] {
		r.Modified = time.Time{}
	}
	if lost["organizer"] {
		r.Organizer = ""
	}
	r.Extended = nil // marks of a restore are among them
	r.Props = maps.Clone(r.Props)
	for name, v := range r.Props {
		row := name
		if rowOf[name] != "" {
			row = rowOf[name]
		}
		if list, ok := v.([]any); lost[row] || v == nil || ok && len(list) == 0 {
			delete(r.Props, name)
		}
	}
	if body, _ := r.Props["body"].(map[string]any); body != nil {
		text, _ := body["content"].(string)
		r.Props["body"] = map[string]any{"contentType": body["contentType"], "content": attendeeList.ReplaceAllString(text, "")}
	}
	exceptions := map[string]sim.PIMRow{}
	for day, x := range r.Exceptions {
		exceptions[day] = promised(lost, x)
	}
	r.Exceptions = exceptions
	return r
}

// rebuildable is an organization with an object of every kind, in a server's care.
type rebuildable struct {
	*world
	sites []sim.SiteInfo // with personal ones; a team's own goes and comes with it
	teams []sim.TeamInfo
	group string         // with a mailbox
	posts map[string]int // of that group

	disturb func() // makes the service fail while all is restored, unless it is nil
}

// incidents is the list with every type of column. That of the first site is deleted, all others are emptied.
const incidents = "Incidents"

// gone is the list of a site that is deleted.
func (w *rebuildable) gone(site sim.SiteInfo) string {
	if site.ID == w.sites[0].ID {
		return incidents
	}
	return ""
}

// oneDrive is the library of a personal site that is its user's OneDrive, which is told of, emptied and restored as such.
const oneDrive = "Documents"

func isPersonal(x sim.SiteInfo) bool { return strings.HasPrefix(x.Path, "/personal/") }

// allSites are the organization's sites, personal ones too.
func (w *world) allSites() []sim.SiteInfo {
	w.Helper()
	var sites, personal []sim.SiteInfo
	w.must(w.sim.Ask(w.ctx, http.MethodGet, "/sites", nil, &sites))
	w.must(w.sim.Ask(w.ctx, http.MethodGet, "/sites/personal", nil, &personal))
	return append(sites, personal...)
}

// newRebuildable starts one; flags say how large it is.
func newRebuildable(t *testing.T, flags ...string) *rebuildable {
	t.Helper()
	s := newSim(t, append([]string{"--users", "4", "--limits", "off"}, flags...)...)
	w := &rebuildable{world: newServer(t, s, "--m365-limits", "off")}
	users := s.Tenant.Users
	w.mutate(sim.Mutation{Op: "shared", User: users[2].ID})
	w.mutate(sim.Mutation{Op: "room", User: users[3].ID})
	personal := 0
	for i, x := range w.allSites() {
		if x.Lists[incidents] != "" {
			w.sites = append(w.sites, x)
			if isPersonal(x) {
				personal++
			}
			w.must(w.sim.Ask(w.ctx, http.MethodPost, "/sites/churn", map[string]any{"site": x.ID, "changes": 12, "seed": i}, nil))
		}
	}
	w.must(w.sim.Ask(w.ctx, http.MethodGet, "/teams", nil, &w.teams))
	for i, x := range w.teams {
		w.must(w.sim.Ask(w.ctx, http.MethodPost, "/teams/churn", map[string]any{"team": x.ID, "changes": 20, "seed": i}, nil))
	}
	var groups []sim.GroupRow
	w.must(w.sim.Ask(w.ctx, http.MethodGet, "/groups", nil, &groups))
	for _, g := range groups {
		if g.Kind == sim.GroupUnified {
			w.group = g.ID
		}
	}
	if len(w.sites) <= personal || personal == 0 || len(w.teams) < 2 || w.group == "" {
		t.Fatalf("the organization has %d sites, %d of them personal, %d teams and the group %q", len(w.sites), personal, len(w.teams), w.group)
	}
	w.posts = w.groupPosts()
	w.must(w.sim.Ask(w.ctx, http.MethodPost, "/teams/archive", map[string]any{"team": w.teams[1].ID, "archived": true}, nil))
	w.churn(sim.Churn{Seed: 3, Drive: 12}) // shared files, versions
	about := 0
	for user, t := range w.truth() {
		for _, f := range t.files {
			if about < 3 && !f.Folder && f.Size > 0 {
				about++
				w.graph(http.MethodPatch, "/users/"+user+"/drive/items/"+f.ID, []byte(`{"description":"what it is about, größe"}`), "application/json")
			}
		}
		if about > 0 {
			break
		}
	}
	var err error
	w.org, err = w.server.AddOrganization(w.ctx, true)
	w.must(err)
	w.call(http.MethodPut, "/v8/Organizations/"+w.org, map[string]any{"isTeamsOnline": true, "isTeamsChatsOnline": true}, nil)
	for i, c := range w.chats() {
		w.must(w.sim.Ask(w.ctx, http.MethodPost, "/chats/churn", map[string]any{"chat": c.ID, "changes": 6, "seed": i}, nil))
		var said struct{ ID string }
		w.must(w.sim.Ask(w.ctx, http.MethodPost, "/chats/say", map[string]any{"chat": c.ID, "user": c.Members[0].ID, "text": "<p>Größe &amp; weight?</p>"}, &said))
		w.must(w.sim.Ask(w.ctx, http.MethodPost, "/chats/say", map[string]any{"chat": c.ID, "user": c.Members[0].ID, "text": "<p>both</p>", "quote": said.ID}, nil))
	}
	w.repo, err = w.server.AddRepository(w.ctx, "main", w.place)
	w.must(err)
	w.job, err = w.server.AddJob(w.ctx, "everything", w.org, w.repo, map[string]any{"backupType": "SelectedItems",
		"selectedItems": []map[string]any{{"type": "PartialOrganization", "mailbox": true, "oneDrive": true, "sites": true, "personalSite": true, "teams": true, "teamsChats": true, "groupMailboxes": true, "chats": true}}})
	w.must(err)
	return w
}

// all is everything that the oracle tells of the organization; mail is told of apart. posts counts posts and, with "chat: " before it, messages of chats.
func (w *rebuildable) all() (state, things, map[string]int) {
	w.Helper()
	mail, out, posts := w.truth(), things{}, map[string]int{}
	take := func(prefix string, in things) {
		for name, rows := range in {
			for _, r := range rows {
				for _, p := range []string{"list", "of", "path", "channel"} {
					if text, ok := r[p].(string); ok {
						r[p] = prefix + text
					}
				}
			}
			out[name] = append(out[name], rows...)
		}
	}
	users := w.users()
	for id, t := range mail {
		w.personal(out, users[id], t.others)
		w.settings(out, users[id], t)
		drive := things{}
		w.files(drive, "file", users[id], t.files)
		take("", drive)
	}
	for _, x := range w.sites {
		take(x.Path+" ", w.siteThings(x, w.gone(x)))
	}
	for _, x := range w.teams {
		in, n := w.teamThings(x.Name)
		take(x.Name+" ", in)
		for name, n := range n {
			posts[name] += n
		}
	}
	in, n := w.chatThings()
	maps.Copy(out, in)
	for name, n := range n {
		posts["chat: "+name] = n
	}
	return mail, out, posts
}

// empty takes everything away, as a mishap would, and changes what can't be taken away.
func (w *rebuildable) empty() {
	w.Helper()
	for _, u := range w.sim.Tenant.Users {
		at := "/users/" + u.ID
		for _, list := range []string{"/mailFolders/inbox/messageRules", "/outlook/masterCategories"} {
			var rows struct{ Value []struct{ ID string } }
			w.must(json.Unmarshal(w.graph(http.MethodGet, at+list, nil, ""), &rows))
			for _, r := range rows.Value {
				w.graph(http.MethodDelete, at+list+"/"+url.PathEscape(r.ID), nil, "")
			}
		}
		var calendars struct {
			Value []struct {
				ID        string
				IsDefault bool `json:"isDefaultCalendar"`
			}
		}
		w.must(json.Unmarshal(w.graph(http.MethodGet, at+"/calendars?$select=id,isDefaultCalendar", nil, ""), &calendars))
		for _, c := range calendars.Value {
			var roles struct {
				Value []struct {
					ID, Role  string
					Removable bool `json:"isRemovable"`
				}
			}
			if !c.IsDefault {
				continue
			}
			list := at + "/calendars/" + url.PathEscape(c.ID) + "/calendarPermissions"
			w.must(json.Unmarshal(w.graph(http.MethodGet, list, nil, ""), &roles))
			for _, r := range roles.Value {
				if r.Removable {
					w.graph(http.MethodPatch, list+"/"+url.PathEscape(r.ID), []byte(`{"role":"freeBusyRead"}`), "application/json")
				}
			}
		}
		w.graph(http.MethodPatch, at+"/mailboxSettings", []byte(`{"timeZone":"Tokyo Standard Time","dateFormat":"yyyy","workingHours":{"daysOfWeek":["sunday"]},"automaticRepliesSetting":{"internalReplyMessage":"gone"}}`), "application/json")
		if u.Drive != "" {
			w.mutate(sim.Mutation{Op: "wipe", User: u.ID})
		} else {
			w.mutate(sim.Mutation{Op: "wipeMailbox", User: u.ID})
		}
	}
	for _, x := range w.allSites() { // lists that were restored have new ids
		if !slices.ContainsFunc(w.sites, func(of sim.SiteInfo) bool { return of.ID == x.ID }) {
			continue
		}
		w.must(w.sim.Ask(w.ctx, http.MethodPost, "/sites/strip", map[string]any{"site": x.ID}, nil))
		for title, list := range x.Lists {
			if isPersonal(x) && title == oneDrive {
				continue
			}
			how := "empty"
			if title == w.gone(x) {
				how = "drop"
			}
			w.must(w.sim.Ask(w.ctx, http.MethodPost, "/sites/"+how, map[string]any{"site": x.ID, "list": list}, nil))
		}
	}
	for _, x := range w.teams {
		w.must(w.sim.Ask(w.ctx, http.MethodPost, "/teams/delete", map[string]any{"team": x.Name, "purge": true}, nil))
	}
	for _, c := range w.chats() {
		switch {
		case w.returns(c):
			w.must(w.sim.Ask(w.ctx, http.MethodPost, "/chats/delete", map[string]any{"chat": c.ID, "purge": true}, nil))
		case c.Type != "meeting" && c.Tenant == w.sim.Tenant.TenantID: // nobody could make it again with strangers in it
			w.must(w.sim.Ask(w.ctx, http.MethodPost, "/chats/empty", map[string]any{"chat": c.ID}, nil))
		}
	}
	for user, left := range w.truth() {
		if len(left.mails)+len(left.files) > 0 {
			w.Fatalf("%s still has %d mails and %d files", user, len(left.mails), len(left.files))
		}
	}
}

// rebuild restores everything from the newest restore point and gives what the events of items say, by status. Mailboxes, drives and sites are restored at
// once; then teams, for their sites are made with them, and chats.
func (w *rebuildable) rebuild() map[string][]event {
	w.Helper()
	out := map[string][]event{}
	for _, kinds := range [][]string{{"Vex", "Veod", "Vesp"}, {"Vet", "Chats"}} {
		var begun []*look
		for _, kind := range kinds {
			l, refused := w.restoreAll(kind)
			begun, out["Refused"] = append(begun, l), append(out["Refused"], refused...)
		}
		for _, l := range begun {
			for _, e := range l.events() {
				out[e.Status] = append(out[e.Status], e)
			}
			l.stop()
		}
	}
	return out
}

// restoreAll begins the restore of everything of a kind. refused are the chats that are not put back.
func (w *rebuildable) restoreAll(kind string) (l *look, refused []event) {
	w.Helper()
	var o object
	w.call(http.MethodPost, "/v8/Organizations/"+w.org+"/explore", map[string]any{"type": kind, "showAllVersions": true}, &o)
	var found struct {
		Results []struct{ ID, Name, Address, Owner string }
	}
	w.call(http.MethodGet, "/holdfast/v1/RestoreSessions/"+o.ID+"/Containers?limit=1000", nil, &found)
	n := 0
	for _, c := range found.Results {
		if kind == "Vex" && c.Owner == w.group {
			continue // nothing of it is put back, see groupMailbox
		}
		if kind == "Vesp" && !slices.ContainsFunc(w.sites, func(x sim.SiteInfo) bool { return strings.EqualFold(x.URL, c.Address) }) {
			continue // the site of a team or of a channel
		}
		if kind == "Vex" && !slices.ContainsFunc(w.sim.Tenant.Users, func(u harness.User) bool { return u.ID == c.Owner }) {
			continue // of another group
		}
		err := w.server.Call(w.ctx, http.MethodPost, "/holdfast/v1/Restore", map[string]any{"restoreSessionId": o.ID, "containerId": c.ID, "mode": "overwrite", "overwriteNewer": true, "allVersions": true, "permissions": true}, nil)
		if kind == "Chats" && err != nil && strings.Contains(err.Error(), "page of HTML") {
			refused = append(refused, event{ItemName: c.Name, Message: err.Error()})
			continue
		}
		w.must(err)
		n++
	}
	if n == 0 {
		w.Fatalf("the session %s shows nothing to restore: %v", kind, found.Results)
	}
	return &look{w: w.world, session: o.ID}, refused
}

// groupMailbox demands that posts of a group are shown and saved, with what is in them, and that a restore is refused with the reason.
func (w *rebuildable) groupMailbox() {
	w.Helper()
	session, id := w.explore(false, time.Time{}).session, ""
	var found struct{ Results []struct{ ID, Owner string } }
	w.call(http.MethodGet, "/holdfast/v1/RestoreSessions/"+session+"/Containers?limit=1000", nil, &found)
	for _, c := range found.Results {
		if c.Owner == w.group {
			id = c.ID
		}
	}
	if id == "" {
		w.Fatalf("the restore point has no mailbox of the group: %v", found.Results)
	}
	w.call(http.MethodPost, "/holdfast/v1/Restore", map[string]any{"restoreSessionId": session, "containerId": id, "mode": "skip"}, nil)
	l := &look{w: w.world, session: session}
	refused := l.events()
	if len(refused) != 1 || refused[0].Status != "Failed" || !strings.Contains(refused[0].Message, "mailing it to the members") {
		w.Errorf("the restore of a group's mailbox says %v", refused)
	}
	got := map[string]int{}
	l.each(object{ID: id}, func(_ string, o object, leaf bool) {
		if !leaf {
			return
		}
		got[w.postOf(l.save(id, o.ID))]++
	})
	w.same("the posts of a group, saved", got, w.posts)
}

// groupPosts are the posts of the group's mailbox, as postOf has them.
func (w *rebuildable) groupPosts() map[string]int {
	w.Helper()
	want := map[string]int{}
	attached := 0
	w.lines("/oracle/groups/"+w.group, func(line []byte) error {
		var r sim.GroupPostRow
		err := json.Unmarshal(line, &r)
		files := []string{}
		for name, data := range r.Files {
			files = append(files, name+" "+sum(data))
			attached++
		}
		slices.Sort(files)
		want[fmt.Sprintf("%s | %s | %s | %v | %s", r.Topic, strings.ToLower(r.From), r.Received.UTC().Format(time.RFC3339), files, strings.Join(strings.Fields(r.HTML), " "))]++
		return err
	})
	if len(want) == 0 || attached == 0 {
		w.Fatalf("the group has %d posts and %d files", len(want), attached)
	}
	return want
}

// postOf reads a saved mail as groupMailbox describes a post.
func (w *rebuildable) postOf(raw []byte) string {
	w.Helper()
	m, err := mail.ReadMessage(bytes.NewReader(raw))
	w.must(err)
	words := new(mime.WordDecoder)
	topic, err := words.DecodeHeader(m.Header.Get("Subject"))
	w.must(err)
	from, err := mail.ParseAddress(m.Header.Get("From"))
	w.must(err)
	at, err := m.Header.Date()
	w.must(err)
	files, html := []string{}, ""
	var read func(h textproto.MIMEHeader, body io.Reader)
	read = func(h textproto.MIMEHeader, body io.Reader) {
		typ, params, err := mime.ParseMediaType(h.Get("Content-Type"))
		w.must(err)
		if strings.HasPrefix(typ, "multipart/") {
			parts := multipart.NewReader(body, params["boundary"])
			for {
				p, err := parts.NextRawPart()
				if errors.Is(err, io.EOF) {
					return
				}
				w.must(err)
				read(p.Header, p)
			}
		}
		switch strings.ToLower(h.Get("Content-Transfer-Encoding")) {
		case "base64":
			body = base64.NewDecoder(base64.StdEncoding, body)
		case "quoted-printable":
			body = quotedprintable.NewReader(body)
		}
		data, err := io.ReadAll(body)
		w.must(err)
		_, disposed, err := mime.ParseMediaType(h.Get("Content-Disposition"))
		name := disposed["filename"]
		if err != nil || name == "" {
			name = params["name"]
		}
		switch {
		case name != "":
			name, err = words.DecodeHeader(name)
			w.must(err)
			files = append(files, name+" "+sum(data))
		case typ == "text/html":
			html = strings.Join(strings.Fields(string(data)), " ")
		}
	}
	read(textproto.MIMEHeader(m.Header), m.Body)
	slices.Sort(files)
	return fmt.Sprintf("%s | %s | %s | %v | %s", topic, strings.ToLower(from.Address), at.UTC().Format(time.RFC3339), files, html)
}

// An organization with an object of every kind (users, a shared mailbox, a room, sites, teams, chats, a group's mailbox) is backed up, emptied and rebuilt. What differs is
// what docs/fidelity.md says, and nobody is told.
func TestAnOrganizationIsRebuilt(t *testing.T) {
	t.Parallel()
	w := newRebuildable(t, "--mail-messages", "10", "--files", "8")
	w.backup()
	w.rebuilt("as it should be", true)
	w.groupMailbox()
	w.verified()
}

// rebuilt loses everything and demands it back.
func (w *rebuildable) rebuilt(how string, complete bool) {
	w.Helper()
	mail, was, posts := w.all()
	if w.disturb != nil {
		w.faults([]sim.Fault{}, []sim.DriveFault{})
	}
	w.empty() // which is nobody's restore
	if w.disturb != nil {
		w.disturb()
	}
	events := w.rebuild()
	for status, rows := range events {
		for _, e := range rows {
			if status == "Failed" || status == "Warning" && how == "with every fault" {
				w.Logf("%s: %s: %q: %s", how, status, e.ItemName, e.Message)
			}
		}
	}
	mailAfter, is, postsAfter := w.all()
	w.comparesEqual(mail, mailAfter)
	holds(w.T, how, wholeKinds, was, is, complete)
	w.Logf("%s: posts %v, after %v", how, posts, postsAfter)
	if complete {
		types, attached := map[string]bool{}, map[string]bool{}
		for _, r := range was["channel"] {
			types[fmt.Sprint(r["type"])] = true
		}
		for _, t := range mail {
			for _, m := range t.mails {
				for _, a := range m.Attachments {
					attached[a.Kind] = true
				}
			}
		}
		if !types["standard"] || !types["private"] || !types["shared"] || !attached["file"] {
			w.Errorf("the organization has channels of the types %v and mails with attachments of the kinds %v", types, attached)
		}
		if posts["event"] == 0 || posts["deleted"] == 0 || posts["application"] == 0 {
			w.Errorf("the teams have no posts that can't be posted: %v", posts)
		}
	}
	if n := posts["chat: chat that takes none"]; n == 0 || len(events["Refused"]) != n {
		w.Errorf("%d chats take no messages, and the restore of %d was refused", n, len(events["Refused"]))
	}
	for _, sort := range []string{"message", "quotation"} {
		if posts["chat: "+sort] == 0 || posts["chat: "+sort] != postsAfter["chat: "+sort] {
			w.Errorf("%d times there was a %s in chats, and %d times after", posts["chat: "+sort], sort, postsAfter["chat: "+sort])
		}
	}
	if complete && (posts["chat: event"] == 0 || posts["chat: deleted"] == 0 || posts["chat: stranger"] == 0) {
		w.Errorf("the chats have no messages that can't be posted: %v", posts)
	}
	w.quiet()
	if posts["application"] > 0 && postsAfter["files of posts"] == 0 {
		w.Errorf("posts of applications were not written into files: %v", postsAfter)
	}
	if st := w.stats(); st.MailsSentN != 0 {
		w.Errorf("%d mails, invitations or notifications were sent: %+v", st.MailsSentN, st.MailsSent)
	}
}
