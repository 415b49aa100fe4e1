package e2e_test

import (
	"encoding/json"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"holdfast/internal/sim"
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

// sectionOf are the sections of docs/fidelity.md for what a mailbox has beside mail; rowOf are rows that are called otherwise than the oracle's properties.
var (
	sectionOf = map[string]string{"contact": "Contacts", "event": "Events", "todoTask": "Tasks"}
	rowOf     = map[string]string{"myResponse": "responseStatus"}
)

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

// others are the contacts, events and tasks of a state as a restore gives them back.
func (w *world) others(s state) map[string]int {
	w.Helper()
	out, lost := map[string]int{}, map[string]map[string]bool{}
	for kind, section := range sectionOf {
		lost[kind] = lostOf(w, section)
	}
	users := w.users()
	for id, t := range s {
		for _, r := range t.others {
			if r.Folder == "Birthdays" {
				continue // nobody writes that calendar
			}
			text, err := json.Marshal(promised(lost[r.Kind], r))
			w.must(err)
			out[users[id]+": "+string(text)]++
		}
	}
	return out
}

// An organization of users, a shared mailbox and a room, with mail, calendars, contacts, tasks, OneDrive, sites and a team, is backed up, emptied and rebuilt.
// What differs is what docs/fidelity.md says, and nobody is told.
func TestAnOrganizationIsRebuilt(t *testing.T) {
	t.Parallel()
	s := newSim(t, "--users", "4", "--limits", "off", "--mail-messages", "10", "--files", "8")
	users := s.Tenant.Users
	w := newServer(t, s, "--m365-limits", "off")
	w.mutate(sim.Mutation{Op: "shared", User: users[2].ID})
	w.mutate(sim.Mutation{Op: "room", User: users[3].ID})
	var err error
	w.org, err = w.server.AddOrganization(w.ctx, true)
	w.must(err)
	w.call(http.MethodPut, "/v8/Organizations/"+w.org, map[string]any{"isTeamsOnline": true, "isTeamsChatsOnline": true}, nil)
	w.repo, err = w.server.AddRepository(w.ctx, "main", w.place)
	w.must(err)
	w.job, err = w.server.AddJob(w.ctx, "everything", w.org, w.repo, map[string]any{"backupType": "SelectedItems",
		"selectedItems": []map[string]any{{"type": "PartialOrganization", "mailbox": true, "oneDrive": true, "sites": true, "teams": true, "teamsChats": true}}})
	w.must(err)
	var sites []sim.SiteInfo
	w.must(w.sim.Ask(w.ctx, http.MethodGet, "/sites", nil, &sites))
	var teams []sim.TeamInfo
	w.must(w.sim.Ask(w.ctx, http.MethodGet, "/teams", nil, &teams))
	var own []sim.SiteInfo // the site of a team goes and comes with its team
	for _, x := range sites {
		if x.Lists["Incidents"] != "" {
			own = append(own, x)
		}
	}
	if len(own) == 0 || len(teams) == 0 {
		t.Fatalf("the organization has %d sites and %d teams", len(own), len(teams))
	}
	w.backup()

	before := w.truth()
	siteBefore, teamBefore := map[string]map[string]int{}, map[string]map[string]int{}
	for _, u := range users {
		if u.Drive != "" {
			w.mutate(sim.Mutation{Op: "wipe", User: u.ID})
		} else {
			w.mutate(sim.Mutation{Op: "wipeMailbox", User: u.ID})
		}
	}
	for _, x := range own {
		siteBefore[x.ID] = w.site(x)
		for _, list := range x.Lists {
			w.must(w.sim.Ask(w.ctx, http.MethodPost, "/sites/empty", map[string]any{"site": x.ID, "list": list}, nil))
		}
	}
	for _, x := range teams {
		teamBefore[x.Name] = w.team(x.ID)
		w.must(w.sim.Ask(w.ctx, http.MethodPost, "/teams/delete", map[string]any{"team": x.ID, "purge": true}, nil))
	}
	for user, left := range w.truth() {
		if len(left.mails)+len(left.files) > 0 {
			t.Fatalf("%s still has %d mails and %d files", user, len(left.mails), len(left.files))
		}
	}

	for _, files := range []bool{false, true} {
		l := w.explore(files, time.Time{})
		for _, b := range l.boxes() {
			w.call(http.MethodPost, l.path(b.ID, "restore"), map[string]any{}, nil)
			l.events() // what an item lost is said with it
		}
		l.stop()
	}
	for kind, restore := range map[string]func(session, id, url string){
		"Vesp": func(session, id, url string) {
			for _, x := range own {
				if strings.EqualFold(x.URL, url) {
					w.call(http.MethodPost, "/v8/RestoreSessions/"+session+"/Organization/Sites/"+id+"/restore", map[string]any{"documentVersion": "All", "documentLastVersionAction": "Overwrite", "restorePermissions": true}, nil)
				}
			}
		},
		"Vet": func(session, id, _ string) {
			w.call(http.MethodPost, "/holdfast/v1/Restore", map[string]any{"restoreSessionId": session, "containerId": id, "mode": "skip", "permissions": true}, nil)
		},
	} {
		var o object
		w.call(http.MethodPost, "/v8/Organizations/"+w.org+"/explore", map[string]any{"type": kind, "showAllVersions": true}, &o)
		at := map[string]string{"Vesp": "/v8/RestoreSessions/" + o.ID + "/Organization/Sites", "Vet": "/holdfast/v1/RestoreSessions/" + o.ID + "/Containers"}[kind]
		var found struct{ Results []struct{ ID, URL string } }
		w.call(http.MethodGet, at, nil, &found)
		for _, one := range found.Results {
			restore(o.ID, one.ID, one.URL)
		}
		(&look{w: w, session: o.ID}).events()
	}

	after := w.truth()
	w.comparesEqual(before, after)
	w.same("contacts, events and tasks", w.others(after), w.others(before))
	for _, x := range own {
		w.same("the site "+x.URL, w.site(x), siteBefore[x.ID])
	}
	for name, want := range teamBefore {
		w.same("the team "+name, w.team(name), want)
	}
	if st := w.stats(); st.MailsSentN != 0 {
		t.Errorf("%d mails, invitations or notifications were sent: %+v", st.MailsSentN, st.MailsSent)
	}
	w.verified()
}
