package sim

import (
	"encoding/json"
	"fmt"
	"html"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// chatControl are the chats' endpoints of the control port:
//
//	GET  /chats                  see ChatInfo
//	POST /chats/say              {"chat", "user", "text", "quote"}: answers {"id"}; quote is the id of a message that it replies to
//	POST /chats/edit             {"chat", "id", "text"}
//	POST /chats/unsay            {"chat", "id"}: the message is deleted, and stays without its words
//	POST /chats/join, /leave     {"chat", "user", "since"}
//	POST /chats/churn            {"chat", "changes", "seed"}
//	POST /chats/empty            {"chat"}: its messages go for good
//	POST /chats/delete           {"chat", "purge"}: it stays restorable for seven days unless purged
//	GET  /chats/notices          see ChatNotice
//	GET  /oracle/chats?chat=     the chat and its messages, one JSON line each
func (sv *teamService) chatControl() {
	s := sv.s
	s.control.HandleFunc("GET /chats", func(w http.ResponseWriter, _ *http.Request) { controlJSON(w, s.Chats()) })
	s.control.HandleFunc("GET /chats/notices", func(w http.ResponseWriter, _ *http.Request) { controlJSON(w, s.ChatNotices()) })
	type call struct {
		Chat    string    `json:"chat"`
		User    string    `json:"user"`
		ID      string    `json:"id"`
		Text    string    `json:"text"`
		Quote   string    `json:"quote"`
		Since   time.Time `json:"since"`
		Changes int       `json:"changes"`
		Seed    uint64    `json:"seed"`
		Purge   bool      `json:"purge"`
	}
	post := func(what string, do func(in call) (any, error)) {
		s.control.HandleFunc("POST /chats/"+what, func(w http.ResponseWriter, r *http.Request) {
			var in call
			if !controlDecode(w, r, &in) {
				return
			}
			out, err := do(in)
			if err != nil {
				controlError(w, http.StatusBadRequest, err)
				return
			}
			controlJSON(w, out)
		})
	}
	post("say", func(in call) (any, error) {
		id, err := s.QuoteInChat(in.Chat, in.User, in.Quote, in.Text)
		return map[string]string{"id": id}, err
	})
	post("edit", func(in call) (any, error) { return in, s.EditInChat(in.Chat, in.ID, in.Text) })
	post("unsay", func(in call) (any, error) { return in, s.DeleteInChat(in.Chat, in.ID) })
	post("join", func(in call) (any, error) { return in, s.JoinChat(in.Chat, in.User, in.Since) })
	post("leave", func(in call) (any, error) { return in, s.LeaveChat(in.Chat, in.User) })
	post("churn", func(in call) (any, error) { return s.ChurnChat(in.Chat, in.Changes, in.Seed) })
	post("empty", func(in call) (any, error) { return in, s.EmptyChat(in.Chat) })
	post("delete", func(in call) (any, error) { return in, s.DeleteChat(in.Chat, in.Purge) })
	s.control.HandleFunc("GET /oracle/chats", func(w http.ResponseWriter, r *http.Request) {
		rows, err := s.DumpChat(r.URL.Query().Get("chat"))
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

// ChatInfo tells what a chat is.
type ChatInfo struct {
	ID       string           `json:"id"`
	Type     string           `json:"type"` // oneOnOne, group, meeting
	Topic    string           `json:"topic"`
	Tenant   string           `json:"tenant"` // where it was begun
	Created  time.Time        `json:"created"`
	Members  []ChatMemberInfo `json:"members"`
	Messages int              `json:"messages"`
	Deleted  bool             `json:"deleted"`
}

// ChatMemberInfo is a member of a chat.
type ChatMemberInfo struct {
	ID    string    `json:"id"`
	Name  string    `json:"name"` // the user principal name, or the mail address of who is of another organization
	Role  string    `json:"role"`
	Since time.Time `json:"since,omitzero"` // from when on messages are seen; zero for all
}

// Chats lists the chats, those that are deleted but can be restored too.
func (s *Sim) Chats() []ChatInfo {
	sv := s.teams
	sv.mu.Lock()
	defer sv.mu.Unlock()
	out := []ChatInfo{}
	for _, ch := range sv.chats {
		info := ChatInfo{ID: ch.id, Type: ch.kind, Topic: ch.topic, Tenant: ch.tenant, Created: ch.created, Messages: ch.posts + len(ch.added), Deleted: !ch.deleted.IsZero()}
		for _, m := range ch.members {
			info.Members = append(info.Members, ChatMemberInfo{ID: m.user, Name: sv.name(m.user), Role: m.role, Since: m.since})
		}
		if !ch.purged(s.now()) {
			out = append(out, info)
		}
	}
	return out
}

// ChatNotices are the notifications that people got of what applications did in chats, and would have got of what was refused.
func (s *Sim) ChatNotices() []ChatNotice {
	s.teams.mu.Lock()
	defer s.teams.mu.Unlock()
	return slices.Clone(s.teams.notices)
}

// inChat does something to a chat that is there.
func (s *Sim) inChat(id string, fn func(ch *chat) error) error {
	s.teams.mu.Lock()
	defer s.teams.mu.Unlock()
	ch := s.teams.chat(id)
	if ch == nil {
		return fmt.Errorf("no chat %q", id)
	}
	return fn(ch)
}

// inMessage does something to a message of a chat that still says something.
func (s *Sim) inMessage(id, message string, fn func(p *post, now time.Time)) error {
	return s.inChat(id, func(ch *chat) error {
		n, err := strconv.ParseInt(message, 10, 64)
		if err != nil {
			return fmt.Errorf("message %q: %w", message, err)
		}
		p := ch.find(0, n)
		if p == nil || p.event || !p.deleted.IsZero() {
			return fmt.Errorf("no message %q in the chat %s", message, id)
		}
		fn(ch.own(p), s.now().UTC().Truncate(time.Millisecond))
		return nil
	})
}

// SayInChat has a member write a message in HTML and gives its id.
func (s *Sim) SayInChat(id, user, text string) (message string, err error) {
	return s.QuoteInChat(id, user, "", text)
}

// tagIn is markup in what a message says.
var tagIn = regexp.MustCompile(`<[^>]*>`)

// QuoteInChat is SayInChat for a reply to a message, which Teams quotes as an attachment. Without a message it replies to none.
func (s *Sim) QuoteInChat(id, user, quote, text string) (message string, err error) {
	err = s.inChat(id, func(ch *chat) error {
		who := s.teams.person(user)
		if ch.member(who) == nil {
			return fmt.Errorf("%q is not in the chat %s", user, id)
		}
		p := &post{at: ch, id: s.now().UTC().UnixMilli(), author: who, importance: "normal", body: text}
		if quote != "" {
			n, err := strconv.ParseInt(quote, 10, 64)
			if err != nil {
				return fmt.Errorf("message %q: %w", quote, err)
			}
			of := ch.find(0, n)
			if of == nil || of.event || !of.deleted.IsZero() {
				return fmt.Errorf("no message %q in the chat %s", quote, id)
			}
			preview := html.UnescapeString(tagIn.ReplaceAllString(of.body, ""))
			content, err := json.Marshal(map[string]any{"messageId": quote, "messagePreview": preview, "messageSender": map[string]any{"application": nil, "device": nil, "user": s.teamsUser(of.author)}})
			if err != nil {
				return err
			}
			p.body = `<attachment id="` + quote + `"></attachment>` + text
			p.attachments = []map[string]any{{"id": quote, "contentType": "messageReference", "contentUrl": nil, "content": string(content), "name": nil, "thumbnailUrl": nil, "teamsAppId": nil}}
		}
		ch.addFree(p)
		message = strconv.FormatInt(p.id, 10)
		return nil
	})
	return message, err
}

// person is the id of a person by id, user principal name or mail address.
func (sv *teamService) person(key string) string {
	if u := sv.s.dir.find(key); u != nil {
		return u.ID
	}
	for _, x := range sv.outsiders {
		if strings.EqualFold(x.mail, key) {
			return x.id
		}
	}
	return key
}

// EditInChat has the author of a message write it anew.
func (s *Sim) EditInChat(id, message, text string) error {
	return s.inMessage(id, message, func(p *post, now time.Time) {
		p.body, p.edited, p.modified = text, now, later(p.modified, now)
	})
}

// DeleteInChat has the author of a message delete it: it stays without its words.
func (s *Sim) DeleteInChat(id, message string) error {
	return s.inMessage(id, message, func(p *post, now time.Time) { p.deleted, p.modified = now, later(p.modified, now) })
}

// JoinChat adds a member to a group or a meeting, who sees what was said since a time; zero is all.
func (s *Sim) JoinChat(id, user string, since time.Time) error {
	return s.inChat(id, func(ch *chat) error {
		who := s.teams.person(user)
		if s.dir.find(who) == nil && s.teams.outsider(who) == nil {
			return fmt.Errorf("no person %q", user)
		}
		return ch.join(s.now(), ch.members[0].user, chatMember{who, "owner", since})
	})
}

// LeaveChat has a member leave a group or a meeting.
func (s *Sim) LeaveChat(id, user string) error {
	return s.inChat(id, func(ch *chat) error {
		who := s.teams.person(user)
		return ch.leave(s.now(), who, who)
	})
}

// EmptyChat takes the messages of a chat away for good, as a policy of retention does.
func (s *Sim) EmptyChat(id string) error {
	return s.inChat(id, func(ch *chat) error {
		ch.clear()
		return nil
	})
}

// DeleteChat deletes a chat; purge leaves nothing to restore.
func (s *Sim) DeleteChat(id string, purge bool) error {
	return s.inChat(id, func(ch *chat) error {
		ch.deleted = s.now()
		if purge {
			ch.deleted = ch.deleted.Add(-chatRestorable)
		}
		return nil
	})
}

// ChatChurn counts what a churn did.
type ChatChurn struct {
	Posted, Edited, Deleted, Reacted, Renamed int
}

// ChurnChat changes a chat as its members would: messages, edits, deletions, reactions, and the topic of a group.
func (s *Sim) ChurnChat(id string, changes int, seed uint64) (ChatChurn, error) {
	var out ChatChurn
	err := s.inChat(id, func(ch *chat) error {
		r := newRand(s.opt.Seed, "chat churn", ch.seed, seed, uint64(len(ch.added)))
		for i := range changes {
			now := s.now().UTC().Truncate(time.Millisecond)
			who := pick(r, ch.members).user
			total := ch.posts + len(ch.added)
			var p *post // a message that still says something
			for range 20 {
				if total == 0 {
					break
				}
				if x := ch.nth(r.IntN(total), len(ch.added)); x.deleted.IsZero() && !x.event {
					p = x
					break
				}
			}
			roll := r.IntN(12)
			switch {
			case roll < 6 || p == nil:
				ch.addFree(&post{at: ch, id: now.UnixMilli(), author: who, importance: "normal", body: fmt.Sprintf("<div>Churned %d-%d %s</div>", seed, i, html.EscapeString(string(prose(r, 60))))})
				out.Posted++
			case roll < 8:
				p = ch.own(p)
				p.body += "<p>Edited " + strconv.FormatUint(r.Uint64()%1000, 36) + "</p>"
				p.edited, p.modified = now, later(p.modified, now)
				out.Edited++
			case roll < 9:
				p = ch.own(p)
				p.deleted, p.modified = now, later(p.modified, now)
				out.Deleted++
			case roll < 11 || ch.kind != chatGroup:
				p = ch.own(p)
				p.reactions = append(slices.Clone(p.reactions), reaction{"heart", who, now})
				p.modified = later(p.modified, now)
				out.Reacted++
			default:
				ch.rename(now, who, fmt.Sprintf("Churned %d-%d", seed, i))
				out.Renamed++
			}
		}
		return nil
	})
	return out, err
}

// DumpChat is the state of a chat and of its messages, the oldest first. Its id and those of its messages are left out, also of addresses of
// pictures, so that the dump of a restored chat can be compared with the one from before.
func (s *Sim) DumpChat(id string) ([]TeamRow, error) {
	var rows []TeamRow
	err := s.inChat(id, func(ch *chat) error {
		row := TeamRow{Kind: "chat", Type: ch.kind, Name: ch.topic, Open: ch.migrating != "", Created: ch.created}
		for _, m := range ch.members {
			name := s.teams.name(m.user) + ": " + m.role
			if !m.since.IsZero() {
				name += " since " + millis(m.since)
			}
			row.Members = append(row.Members, name)
		}
		slices.Sort(row.Members)
		var said []TeamRow
		for n := range ch.posts + len(ch.added) {
			p := ch.nth(n, len(ch.added))
			r := s.teams.postRow(p)
			r.Body = strings.ReplaceAll(r.Body, s.graphURL(p.path()+"/"), "")
			said = append(said, r)
		}
		slices.SortStableFunc(said, func(a, b TeamRow) int { return a.Created.Compare(b.Created) })
		rows = append([]TeamRow{row}, said...)
		return nil
	})
	return rows, err
}
