package sim

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// controlRoutes are the teams' endpoints of the control port:
//
//	GET  /teams                     ids, names and channels
//	GET|POST /teams/settings        see TeamSettings
//	POST /teams/churn               {"team", "changes", "seed"}
//	POST /teams/empty               {"team", "channel"}: its messages go for good; of all channels without one
//	POST /teams/delete              {"team", "channel", "purge"}: a channel, or the team with its group, which stays restorable unless purged
//	POST /teams/undelete            {"team", "channel"}: a deleted channel comes back with all that was in it, as an owner restores it
//	POST /teams/archive             {"team", "archived"}
//	GET  /oracle/teams?team=        team, channels, tabs and messages, one JSON line each
func (sv *teamService) controlRoutes() {
	s := sv.s
	s.control.HandleFunc("GET /teams", func(w http.ResponseWriter, _ *http.Request) { controlJSON(w, s.Teams()) })
	s.control.HandleFunc("GET /teams/settings", func(w http.ResponseWriter, _ *http.Request) {
		sv.mu.Lock()
		defer sv.mu.Unlock()
		controlJSON(w, sv.settings)
	})
	s.control.HandleFunc("POST /teams/settings", func(w http.ResponseWriter, r *http.Request) {
		sv.mu.Lock()
		defer sv.mu.Unlock()
		in := sv.settings
		if controlDecode(w, r, &in) {
			sv.settings = in
			controlJSON(w, in)
		}
	})
	answer := func(w http.ResponseWriter, v any, err error) {
		if err != nil {
			controlError(w, http.StatusBadRequest, err)
			return
		}
		controlJSON(w, v)
	}
	s.control.HandleFunc("POST /teams/churn", func(w http.ResponseWriter, r *http.Request) {
		var in struct {
			Team    string `json:"team"`
			Changes int    `json:"changes"`
			Seed    uint64 `json:"seed"`
		}
		if controlDecode(w, r, &in) {
			done, err := s.ChurnTeam(in.Team, in.Changes, in.Seed)
			answer(w, done, err)
		}
	})
	s.control.HandleFunc("POST /teams/empty", func(w http.ResponseWriter, r *http.Request) {
		var in struct {
			Team    string `json:"team"`
			Channel string `json:"channel"`
		}
		if controlDecode(w, r, &in) {
			answer(w, in, s.EmptyTeam(in.Team, in.Channel))
		}
	})
	s.control.HandleFunc("POST /teams/delete", func(w http.ResponseWriter, r *http.Request) {
		var in struct {
			Team    string `json:"team"`
			Channel string `json:"channel"`
			Purge   bool   `json:"purge"`
		}
		if controlDecode(w, r, &in) {
			answer(w, in, s.DeleteTeam(in.Team, in.Channel, in.Purge))
		}
	})
	s.control.HandleFunc("POST /teams/undelete", func(w http.ResponseWriter, r *http.Request) {
		var in struct {
			Team    string `json:"team"`
			Channel string `json:"channel"`
		}
		if controlDecode(w, r, &in) {
			answer(w, in, s.UndeleteChannel(in.Team, in.Channel))
		}
	})
	s.control.HandleFunc("POST /teams/archive", func(w http.ResponseWriter, r *http.Request) {
		var in struct {
			Team     string `json:"team"`
			Archived bool   `json:"archived"`
		}
		if controlDecode(w, r, &in) {
			answer(w, in, s.ArchiveTeam(in.Team, in.Archived))
		}
	})
	s.control.HandleFunc("GET /oracle/teams", func(w http.ResponseWriter, r *http.Request) {
		rows, err := s.DumpTeam(r.URL.Query().Get("team"))
		if err != nil {
			controlError(w, http.StatusNotFound, err)
			return
		}
		w.Header().Set("Content-Type", "application/x-ndjson")
		enc := json.NewEncoder(w)
		enc.SetEscapeHTML(false)
		for _, row := range rows {
			if enc.Encode(row) != nil {
				return // the reader has gone
			}
		}
	})
}

// TeamRow is a team, a channel, a tab, a chat or a message in a dump. Ids are left out: people are named by their addresses, messages by their times,
// so that the dump of a restored team can be compared with the one from before.
type TeamRow struct {
	Kind     string            `json:"kind"` // team, channel, tab, chat, post
	Channel  string            `json:"channel,omitempty"`
	Name     string            `json:"name,omitempty"`
	About    string            `json:"about,omitempty"`
	Type     string            `json:"type,omitempty"`
	Settings map[string]any    `json:"settings,omitempty"`
	Members  []string          `json:"members,omitempty"`
	Apps     []string          `json:"apps,omitempty"`
	Archived bool              `json:"archived,omitempty"`
	Open     bool              `json:"migrating,omitempty"`
	Content  map[string]any    `json:"configuration,omitempty"`
	Created  time.Time         `json:"created,omitzero"`
	ReplyTo  string            `json:"replyTo,omitempty"` // the message's time
	Author   string            `json:"author,omitempty"`
	Subject  string            `json:"subject,omitempty"`
	Body     string            `json:"body,omitempty"`
	Mark     string            `json:"importance,omitempty"`
	Deleted  bool              `json:"deleted,omitempty"`
	Edited   bool              `json:"edited,omitempty"`
	Event    bool              `json:"event,omitempty"`
	Reacted  []string          `json:"reactions,omitempty"`
	Attached []string          `json:"attachments,omitempty"`
	Hosted   []string          `json:"hosted,omitempty"` // SHA-256
	Extra    map[string]string `json:"extra,omitempty"`
}

func (sv *teamService) name(user string) string {
	if u := sv.s.dir.find(user); u != nil {
		return u.UPN
	} else if x := sv.outsider(user); x != nil {
		return x.mail
	}
	return user
}

func (sv *teamService) memberNames(members []channelMember) []string {
	var out []string
	for _, m := range members {
		name := sv.name(m.user)
		if m.owner {
			name += ": owner"
		}
		out = append(out, name)
	}
	slices.Sort(out)
	return out
}

// DumpTeam is the state of a team and all in it but its files.
func (s *Sim) DumpTeam(key string) ([]TeamRow, error) {
	sv := s.teams
	sv.mu.Lock()
	defer sv.mu.Unlock()
	t := sv.named(key)
	if t == nil {
		return nil, fmt.Errorf("no team %q", key)
	}
	m := t.json()
	row := TeamRow{Kind: "team", Name: t.group.DisplayName, About: t.group.Description, Archived: t.archived, Open: t.migrating, Members: sv.memberNames(t.members()), Settings: map[string]any{"visibility": m["visibility"]}, Created: t.created}
	for name, set := range t.settings {
		for k, v := range set {
			row.Settings[name+"."+k] = v
		}
	}
	for _, a := range t.apps {
		row.Apps = append(row.Apps, a.app)
	}
	slices.Sort(row.Apps)
	rows := []TeamRow{row}
	for _, ch := range t.live() {
		r := TeamRow{Kind: "channel", Name: ch.name, About: ch.description, Type: ch.kind, Open: ch.migrating}
		if ch.kind != "standard" {
			r.Members = sv.memberNames(ch.members)
		}
		rows = append(rows, r)
		for _, tab := range ch.tabs {
			rows = append(rows, TeamRow{Kind: "tab", Channel: ch.name, Name: tab.name, Type: tab.app, Content: tab.configuration})
		}
	}
	for n := t.posts + len(t.added) - 1; n >= 0; n-- {
		if p := t.nth(n, len(t.added)); p.at.(*channel).deleted.IsZero() {
			row := sv.postRow(p)
			row.Channel = p.at.(*channel).name
			rows = append(rows, row)
		}
	}
	slices.SortStableFunc(rows[1:], func(a, b TeamRow) int {
		return strings.Compare(a.Channel+a.Kind, b.Channel+b.Kind)*1000 + a.Created.Compare(b.Created)
	})
	return rows, nil
}

func (sv *teamService) postRow(p *post) TeamRow {
	r := TeamRow{Kind: "post", Created: p.created(), Author: sv.name(p.author), Deleted: !p.deleted.IsZero(), Edited: !p.edited.IsZero(), Event: p.event, Mark: p.importance}
	if p.app {
		r.Author = "application"
	}
	if p.root != 0 {
		r.ReplyTo = millis(time.UnixMilli(p.root))
	}
	if r.Deleted {
		return r
	}
	r.Subject, r.Body = p.subject, p.body
	for _, x := range p.reactions {
		r.Reacted = append(r.Reacted, x.kind+" "+sv.name(x.user))
	}
	for _, a := range p.attachments {
		r.Attached = append(r.Attached, fmt.Sprint(a["contentType"], " ", a["name"], " ", a["contentUrl"]))
	}
	for _, h := range p.hosted {
		sum := sha256.Sum256(h.bytes())
		r.Hosted = append(r.Hosted, hex.EncodeToString(sum[:]))
	}
	return r
}

// named finds a team by id or name. mu is held.
func (sv *teamService) named(key string) *team {
	for _, t := range sv.teams {
		if (strings.EqualFold(t.id(), key) || strings.EqualFold(t.group.DisplayName, key)) && !t.group.gone(sv.s) {
			return t
		}
	}
	return nil
}

func (t *team) namedChannel(key string) *channel {
	for _, ch := range t.live() {
		if ch.id == key || strings.EqualFold(ch.name, key) {
			return ch
		}
	}
	return nil
}

// inTeam does something to a team and, when it is named, a channel of it.
func (s *Sim) inTeam(key, at string, fn func(t *team, ch *channel) error) error {
	s.teams.mu.Lock()
	defer s.teams.mu.Unlock()
	t := s.teams.named(key)
	if t == nil {
		return fmt.Errorf("no team %q", key)
	}
	var ch *channel
	if at != "" {
		if ch = t.namedChannel(at); ch == nil {
			return fmt.Errorf("no channel %q in the team %s", at, key)
		}
	}
	return fn(t, ch)
}

// EmptyTeam takes the messages of a channel, or of all, away for good, as a policy of retention does.
func (s *Sim) EmptyTeam(key, at string) error {
	return s.inTeam(key, at, func(t *team, ch *channel) error {
		if ch == nil {
			t.clear()
			return nil
		}
		kept := []*post{} // what the seed makes can't be left out one by one, so the rest is written out
		for n := t.posts + len(t.added) - 1; n >= 0; n-- {
			if p := t.nth(n, len(t.added)); p.at != place(ch) {
				kept = append(kept, p)
			}
		}
		t.clear()
		for _, p := range kept {
			t.add(p)
		}
		return nil
	})
}

// DeleteTeam deletes a channel, or a team with its group; purge leaves nothing to restore.
func (s *Sim) DeleteTeam(key, at string, purge bool) error {
	return s.inTeam(key, at, func(t *team, ch *channel) error {
		if ch != nil {
			ch.deleted = s.now()
			t.tell(s.now(), "channelDeletedEventMessageDetail", map[string]any{"channelId": ch.id, "channelDisplayName": ch.name})
			return nil
		}
		s.dir.deleteGroup(t.group, purge)
		return s.SetSite(t.site.id(), DriveGone)
	})
}

// UndeleteChannel gives a team a deleted channel back, with all that was in it, as an owner does in Teams. No event of it is known.
func (s *Sim) UndeleteChannel(key, name string) error {
	return s.inTeam(key, "", func(t *team, _ *channel) error {
		for _, ch := range t.channels {
			if strings.EqualFold(ch.name, name) && !ch.deleted.IsZero() {
				ch.deleted = time.Time{}
				return nil
			}
		}
		return fmt.Errorf("no deleted channel %q in the team %s", name, key)
	})
}

// ArchiveTeam makes a team read-only, or opens it again.
func (s *Sim) ArchiveTeam(key string, archived bool) error {
	return s.inTeam(key, "", func(t *team, _ *channel) error {
		t.archived = archived
		return nil
	})
}

// TeamChurn counts what a churn did.
type TeamChurn struct {
	Posted, Replied, Edited, Deleted, Reacted, Tabs int
	Library                                         DriveChurn
}

// ChurnTeam changes a team as its members would: messages and replies, edits, deletions, reactions, a tab, and files in its library.
func (s *Sim) ChurnTeam(key string, changes int, seed uint64) (TeamChurn, error) {
	var out TeamChurn
	var library *drive
	err := s.inTeam(key, "", func(t *team, _ *channel) error {
		r := newRand(s.opt.Seed, "team churn", t.seed, seed, uint64(len(t.added)))
		channels := t.live()
		users := s.dir.seeded
		for i := range changes {
			now := s.now().UTC().Truncate(time.Millisecond)
			total := t.posts + len(t.added)
			some := func() *post { // a message that still says something
				for range 20 {
					if total == 0 {
						return nil
					}
					if p := t.nth(r.IntN(total), len(t.added)); p.deleted.IsZero() && !p.event && p.at.(*channel).deleted.IsZero() {
						return p
					}
				}
				return nil
			}
			p := some()
			roll := r.IntN(12)
			if p == nil {
				roll = 0
			}
			switch {
			case roll < 6:
				n := &post{at: pick(r, channels), id: now.UnixMilli(), modified: now, author: pick(r, users).ID, importance: "normal", body: fmt.Sprintf("<div>Churned %d-%d %s</div>", seed, i, prose(r, 60))}
				if roll >= 3 {
					n.at, n.root = p.at, p.id
					if p.root != 0 {
						n.root = p.root
					}
					out.Replied++
				} else {
					out.Posted++
				}
				t.addFree(n)
				if top := n.at.find(0, n.root); top != nil {
					top = t.own(top)
					top.modified = later(top.modified, n.modified)
				}
			case roll < 8:
				p = t.own(p)
				p.body += "<p>Edited " + strconv.FormatUint(r.Uint64()%1000, 36) + "</p>"
				p.edited, p.modified = now, later(p.modified, now)
				out.Edited++
			case roll < 9:
				p = t.own(p)
				p.deleted, p.modified = now, later(p.modified, now)
				out.Deleted++
			case roll < 11:
				p = t.own(p)
				p.reactions = append(slices.Clone(p.reactions), reaction{"heart", pick(r, users).ID, now})
				p.modified = later(p.modified, now)
				out.Reacted++
			default:
				ch := pick(r, channels)
				ch.tabs = append(ch.tabs, &teamTab{id: r.uuid(), name: fmt.Sprintf("Churned %d-%d", seed, i), app: teamApps[0].id, configuration: map[string]any{"entityId": nil, "contentUrl": "https://example.com/" + strconv.Itoa(i), "removeUrl": nil, "websiteUrl": "https://example.com/" + strconv.Itoa(i)}})
				t.tell(now, "tabUpdatedEventMessageDetail", map[string]any{"tabId": ch.tabs[len(ch.tabs)-1].id})
				out.Tabs++
			}
		}
		t.site.of.mu.Lock()
		defer t.site.of.mu.Unlock()
		library = t.site.libraries()[0].drive
		return nil
	})
	if err == nil {
		out.Library = s.drives.churn(library, changes/2, seed)
	}
	return out, err
}

// later is a change after the one before, which differs from it even within a millisecond.
func later(before, now time.Time) time.Time {
	if !now.After(before) {
		return before.Add(time.Millisecond)
	}
	return now
}
