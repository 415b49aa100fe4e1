package sim

import (
	"encoding/base64"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"
)

// ChatShape describes the generated chats.
type ChatShape struct {
	Chats  int // that each of the first thousand users began, in turn with one, in a group and of a meeting; negative for none
	Posts  int // messages in a chat
	Hosted int // one of so many messages has a picture of its own; default 13
	Guests int // guests of the organization, who are users of the directory and in groups
}

// chatStarters is how many users begin chats.
const chatStarters = 1000

// The kinds of chats.
const (
	chatOneOnOne = "oneOnOne"
	chatGroup    = "group"
	chatMeeting  = "meeting"
)

// chat is a conversation outside of teams.
type chat struct {
	messageLog
	of        *teamService
	index     int // in the service's list
	id        string
	kind      string
	topic     string
	tenant    string // where it was begun
	created   time.Time
	updated   time.Time // of topic and members
	original  time.Time // created, before a migration moved that into the past
	members   []chatMember
	speakers  []string // who wrote what the seed makes
	organizer string   // of a meeting
	event     string   // the meeting in the organizer's calendar
	migrating string   // the application that opened it for messages of the past
	migrated  bool
	deleted   time.Time
}

// chatMember is a person in a chat: a user, a guest or somebody of another organization.
type chatMember struct {
	user  string
	role  string    // owner, guest or empty
	since time.Time // from when on messages are seen; zero for all
}

// outsider is a person of another organization.
type outsider struct{ id, name, mail, tenant string }

// ChatNotice is a notification that people got of what an application did, or would have got had it not been refused. A restore gives none.
type ChatNotice struct {
	Time    time.Time `json:"time"`
	Chat    string    `json:"chat"`
	Why     string    `json:"why"` // posted, mentioned
	To      []string  `json:"to,omitempty"`
	Refused bool      `json:"refused"`
}

// initChats makes the generated chats and the persons in them who are no users.
func (sv *teamService) initChats() {
	s, shape := sv.s, sv.s.shape.chats
	sv.chatByID = map[string]*chat{}
	r := newRand(s.opt.Seed, "other organization")
	other := r.uuid()
	for i := range 3 {
		given, sur := givenNames[(i*5+2)%len(givenNames)], surnames[(i*7+3)%len(surnames)]
		sv.outsiders = append(sv.outsiders, outsider{r.uuid(), given + " " + sur, strings.ToLower(given + "." + sur + "@partner.example"), other})
	}
	if !s.cloud.serves("/v1.0/chats") {
		return
	}
	var guests []string
	for i := range shape.Guests {
		guests = append(guests, s.dir.invite(i).ID)
	}
	users := s.dir.seeded
	n := len(users)
	for i := range min(n, chatStarters) {
		person := func(k int) string { return users[(i+k)%n].ID }
		for c := range shape.Chats {
			at := epoch.Add(time.Duration(30+i%300+c) * 24 * time.Hour)
			switch c % 3 {
			case 0:
				if k := 1 + c/3; k < n && sv.pair(person(0), person(k)) == nil {
					sv.newChat(chatOneOnOne, "", at, person(0), person(k))
				}
			case 1:
				who := []string{person(0)}
				for k := 1; k < min(n, 4); k++ {
					who = append(who, person(k))
				}
				if len(guests) > 0 {
					who = append(who, guests[(i+c)%len(guests)])
				}
				ch := sv.newChat(chatGroup, []string{"", "Lunch", "Ünïcödé & <more>", "Release " + fmt.Sprint(i)}[(i+c/3)%4], at, who...)
				if len(who) > 2 && i%3 == 0 { // somebody joined half way and sees nothing from before
					ch.members[2].since = at.Add(epochEnd.Sub(at) / 2).Truncate(time.Millisecond)
				}
			default:
				who := []string{person(0)}
				for k := 1; k < min(n, 3); k++ {
					who = append(who, person(k))
				}
				if i%2 == 0 {
					who = append(who, sv.outsiders[i%len(sv.outsiders)].id)
				}
				sv.newChat(chatMeeting, "Meeting about "+strings.ToLower(departments[i%len(departments)]), at, who...)
			}
		}
		if shape.Chats > 0 && i < 2 { // with a person of another organization: the first began here, the second there
			ch := sv.newChat(chatOneOnOne, "", epoch.Add(time.Duration(100+i)*24*time.Hour), person(0), sv.outsiders[i].id)
			if i == 1 {
				ch.tenant = other
			}
		}
	}
	for _, ch := range sv.chats {
		ch.fill(shape.Posts)
	}
}

// invite adds a guest to the directory.
func (d *directory) invite(i int) *User {
	d.mu.Lock()
	defer d.mu.Unlock()
	name := fmt.Sprintf("visitor%d", i+1)
	upn := name + "_partner.example#EXT#@" + d.s.tenant.Domain
	u := &User{Index: len(d.users), ID: newRand(d.s.opt.Seed, "guest", uint64(i)).uuid(), UPN: strings.ToLower(upn), DisplayName: "Visitor " + fmt.Sprint(i+1), Created: epoch, guest: true}
	d.add(u)
	u.UPN, u.Mail, u.licensed, u.mailbox = upn, name+"@partner.example", false, false
	return u
}

// pair is the chat of two.
func (sv *teamService) pair(a, b string) *chat { return sv.chatByID[pairID(a, b)] }

func pairID(a, b string) string {
	if b < a {
		a, b = b, a
	}
	return "19:" + a + "_" + b + "@unq.gbl.spaces"
}

// newChat makes a chat; the first of the members began it.
func (sv *teamService) newChat(kind, topic string, at time.Time, who ...string) *chat {
	s := sv.s
	r := newRand(s.opt.Seed, "chat", uint64(len(sv.chats)))
	at = at.UTC().Truncate(time.Millisecond)
	ch := &chat{of: sv, index: len(sv.chats), kind: kind, topic: topic, tenant: s.tenant.TenantID, created: at, updated: at, speakers: who}
	switch kind {
	case chatOneOnOne:
		ch.id = pairID(who[0], who[1])
	case chatGroup:
		ch.id = fmt.Sprintf("19:%x@thread.v2", r.bytes(16))
	default:
		ch.id = "19:meeting_" + base64.RawURLEncoding.EncodeToString([]byte(r.uuid())) + "@thread.v2"
		ch.organizer, ch.event = who[0], base64.StdEncoding.EncodeToString(r.bytes(60))
	}
	ch.messageLog = newMessageLog(s, hash64("chat "+ch.id), at)
	ch.make = ch.generatedPost
	for _, id := range who {
		role := "owner"
		if u := s.dir.find(id); u != nil && u.guest {
			role = "guest"
		}
		ch.members = append(ch.members, chatMember{user: id, role: role})
	}
	sv.chats = append(sv.chats, ch)
	sv.chatByID[ch.id] = ch
	return ch
}

// generatedPost makes the i-th message of a chat.
func (ch *chat) generatedPost(i int) *post {
	r := newRand(ch.s.opt.Seed, "chat post", ch.seed, uint64(i))
	p := &post{at: ch, id: ch.generatedID(i), modified: ch.generatedModified(i), author: ch.speakers[r.IntN(len(ch.speakers))], importance: "normal", index: i}
	ch.write(p, r, sayings{people: len(ch.speakers), person: func(n int) string { return ch.speakers[n] }, every: ch.s.shape.chats.Hosted, file: func() (name, address string) {
		return ch.s.chatFile(p.author, ch.h(i, 6))
	}})
	return p
}

// chatFile is a file of a user's drive that he refers to in a chat; its name is empty when he has none.
func (s *Sim) chatFile(user string, which uint64) (name, address string) {
	u := s.dir.find(user)
	if u == nil {
		return "", ""
	}
	d := s.drives.of(u)
	if d == nil {
		return "", ""
	}
	var files []uint64
	for i, to := d.baseChildren(0); i <= to; i++ {
		if !d.baseIsFolder(i) {
			files = append(files, i)
		}
	}
	if len(files) == 0 {
		return "", ""
	}
	name = d.baseName(files[which%uint64(len(files))])
	return name, d.webURL() + "/" + url.PathEscape(name)
}

func (ch *chat) placeID() string { return ch.id }

func (ch *chat) messagesPath() string { return "/chats/" + ch.id + "/messages" }

func (ch *chat) describe(m map[string]any) { m["chatId"] = ch.id }

func (ch *chat) messages() *messageLog { return &ch.messageLog }

func (ch *chat) since() time.Time { return ch.created }

func (ch *chat) generated(int) bool { return true }

func (ch *chat) find(root, id int64) *post {
	if root != 0 {
		return nil // nothing in a chat is a reply
	}
	return ch.messageLog.find(ch, id)
}

// chat finds a chat that is there. mu is held.
func (sv *teamService) chat(id string) *chat {
	ch := sv.chatByID[id]
	if ch == nil {
		ch = sv.chatByID[strings.ToLower(id)]
	}
	if ch == nil || !ch.deleted.IsZero() {
		return nil
	}
	return ch
}

// member finds a member of a chat, nil when the user is none.
func (ch *chat) member(user string) *chatMember {
	i := slices.IndexFunc(ch.members, func(m chatMember) bool { return strings.EqualFold(m.user, user) })
	if i < 0 {
		return nil
	}
	return &ch.members[i]
}

// outsider finds a person of another organization.
func (sv *teamService) outsider(id string) *outsider {
	for i := range sv.outsiders {
		if strings.EqualFold(sv.outsiders[i].id, id) {
			return &sv.outsiders[i]
		}
	}
	return nil
}

// last is when the newest message was written, zero without one.
func (ch *chat) last() *post {
	var out *post
	for n := range ch.posts + len(ch.added) {
		if n > len(ch.added) {
			break // generated ones are in the order of their times
		}
		if p := ch.nth(n, len(ch.added)); out == nil || p.id > out.id {
			out = p
		}
	}
	return out
}
