package sim

import (
	"bytes"
	"fmt"
	"html"
	"image"
	"image/png"
	"strconv"
	"strings"
	"time"
)

// post is a message of a channel or a reply to one, or a message of a chat.
type post struct {
	at          place
	id          int64 // milliseconds of its creation
	root        int64 // the message that it replies to; 0 for none
	modified    time.Time
	edited      time.Time
	deleted     time.Time
	author      string // user's id
	app         bool   // by an application
	event       bool   // told by the service
	told        string // the type of its eventDetail; empty is that of a member who was added
	detail      map[string]any
	subject     string
	body        string // HTML
	plain       bool   // the body is text
	importance  string
	mentions    []string // users, in the order of the <at> elements
	attachments []map[string]any
	reactions   []reaction
	hosted      []hosted
	index       int // of a generated one; -1 else
	came        int // of an added one: its number of all that came
}

type reaction struct {
	kind, user string
	at         time.Time
}

// hosted is a picture in a message.
type hosted struct {
	kind string
	seed uint64 // of a generated one
	data []byte
}

func (h hosted) bytes() []byte {
	if h.data != nil {
		return h.data
	}
	r := newRand(h.seed, "hosted")
	side := 12 + r.IntN(18)
	img := image.NewRGBA(image.Rect(0, 0, side, side))
	copy(img.Pix, r.bytes(len(img.Pix)))
	var out bytes.Buffer
	if err := png.Encode(&out, img); err != nil {
		panic(err) // a buffer takes everything
	}
	return out.Bytes()
}

// hostedID is the id of the n-th picture of a message.
func hostedID(n int) string { return base64URL(fmt.Appendf(nil, "id=x_%d,type=1,url=", n)) }

func (p *post) created() time.Time { return time.UnixMilli(p.id).UTC() }

// threadLength is how many generated messages are one thread: a message and its replies.
const threadLength = 4

// generatedChannel is where the thread of the i-th message is: half are in the first channel.
func (t *team) generatedChannel(i int) *channel {
	n := 0
	for _, ch := range t.channels {
		if ch.seeded {
			n++
		}
	}
	h := t.h(i/threadLength, 2)
	if h%2 == 0 {
		return t.channels[0]
	}
	return t.channels[(h>>8)%uint64(n)]
}

// generatedPost makes the i-th message of a team.
func (t *team) generatedPost(i int) *post {
	r := newRand(t.s.opt.Seed, "post", t.seed, uint64(i))
	everybody := t.s.dir.seeded
	p := &post{at: t.generatedChannel(i), id: t.generatedID(i), modified: t.generatedModified(i), author: everybody[r.IntN(min(len(everybody), 8))].ID, importance: "normal", index: i}
	if i%threadLength != 0 {
		p.root = t.generatedID(i - i%threadLength)
	} else if r.IntN(3) == 0 {
		p.subject = "About " + strings.ToLower(pick(r, departments)) + " " + strconv.Itoa(i)
	}
	t.write(p, r, sayings{people: len(everybody), person: func(n int) string { return everybody[n].ID }, every: t.s.shape.teams.Hosted, file: func() (name, address string) {
		ch := p.at.(*channel)
		name = "Paper " + strconv.Itoa(i) + ".docx"
		return name, ch.filesSite().url() + "/Shared%20Documents/" + strings.ReplaceAll(ch.folderName(), " ", "%20") + "/" + strings.ReplaceAll(name, " ", "%20")
	}})
	return p
}

// sayings are what generated messages speak of.
type sayings struct {
	people int
	person func(n int) string
	file   func() (name, address string) // that a message refers to; an empty name is none
	every  int                           // one of so many messages has a picture of its own; 0 for none
}

// write has a generated message say something.
func (l *messageLog) write(p *post, r random, of sayings) {
	i := p.index
	text := string(prose(r, 40+r.IntN(300)))
	p.body = "<div>" + html.EscapeString(text) + "</div>"
	switch h := l.h(i, 3); {
	case h%61 == 0:
		p.deleted = p.modified
	case h%17 == 0:
		p.edited = p.modified
	case h%5 == 0:
		p.reactions = []reaction{{pick(r, []string{"like", "heart", "laugh", "surprised"}), of.person(0), p.modified}}
	}
	if r.IntN(97) == 0 && p.root == 0 {
		p.event, p.body, p.subject, p.reactions, p.edited, p.deleted = true, "<systemEventMessage/>", "", nil, time.Time{}, time.Time{}
		return
	}
	if r.IntN(43) == 0 {
		p.app = true
	}
	switch r.IntN(29) {
	case 0:
		p.importance = "high"
	case 1:
		p.importance = "urgent"
	}
	if r.IntN(11) == 0 {
		who := of.person(r.IntN(of.people))
		p.mentions = []string{who}
		name, _ := l.s.teamsUser(who)["displayName"].(string)
		p.body += `<div><at id="0">` + html.EscapeString(name) + "</at> please look</div>"
	}
	if r.IntN(23) == 0 {
		id := r.uuid()
		if name, address := of.file(); name != "" {
			p.body += `<attachment id="` + id + `"></attachment>`
			p.attachments = []map[string]any{{"id": id, "contentType": "reference", "contentUrl": address, "content": nil, "name": name, "thumbnailUrl": nil, "teamsAppId": nil}}
		}
	}
	if of.every > 0 && l.h(i, 4)%uint64(of.every) == 0 {
		p.hosted = []hosted{{kind: "image/png", seed: l.h(i, 5)}}
		p.body += `<div><img alt="image" src="` + l.s.graphURL(p.path()+"/hostedContents/"+hostedID(0)+"/$value") + `" width="300" height="200"></div>`
	}
}

func (s *Sim) graphURL(path string) string { return "https://" + s.cloud.graph + "/v1.0" + path }

// tell has Teams tell of a change in the team's first channel.
func (t *team) tell(at time.Time, kind string, detail map[string]any) {
	t.told(t.channels[0], at, t.s.dir.seeded[0].ID, kind, detail)
}

// told has Teams tell of what somebody did.
func (l *messageLog) told(where place, at time.Time, who, kind string, detail map[string]any) {
	l.addFree(&post{at: where, id: at.UTC().UnixMilli(), author: who, event: true, told: kind, detail: detail, body: "<systemEventMessage/>", importance: "normal"})
}

func (ch *channel) placeID() string { return ch.id }

func (ch *channel) messagesPath() string {
	return "/teams/" + ch.team.id() + "/channels/" + ch.id + "/messages"
}

func (ch *channel) describe(m map[string]any) {
	m["channelIdentity"] = map[string]any{"teamId": ch.team.id(), "channelId": ch.id}
	m["webUrl"] = "https://teams.microsoft.com/l/message/" + strings.ReplaceAll(ch.id, ":", "%3A") + "/" + fmt.Sprint(m["id"])
}

func (ch *channel) messages() *messageLog { return &ch.team.messageLog }

func (ch *channel) generated(i int) bool { return ch.seeded && ch.team.generatedChannel(i) == ch }

func (ch *channel) find(root, id int64) *post {
	p := ch.team.messageLog.find(ch, id)
	if p == nil || p.root != root {
		return nil
	}
	return p
}

// channelAt is the channel of the n-th message.
func (t *team) channelAt(n, added int) *channel {
	if n < added {
		return t.added[added-1-n].at.(*channel)
	}
	return t.generatedChannel(t.posts - 1 - (n - added))
}

// millis is a time as Teams writes it.
func millis(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }

func millisOrNil(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return millis(t)
}

// teamsUser is a person as Teams names one.
func (s *Sim) teamsUser(id string) map[string]any {
	name, kind := any(nil), "aadUser"
	if u := s.dir.find(id); u != nil {
		name = u.DisplayName
	} else if x := s.teams.outsider(id); x != nil {
		name, kind = x.name, "federatedUser"
	}
	return map[string]any{"@odata.type": "#microsoft.graph.teamworkUserIdentity", "id": id, "displayName": name, "userIdentityType": kind}
}

// json writes a message; known says that the reader knows members of enumerations which came after the first ones.
func (p *post) json(known bool) map[string]any {
	s := p.at.messages().s
	m := map[string]any{
		"id": strconv.FormatInt(p.id, 10), "replyToId": nil, "etag": strconv.FormatInt(p.modified.UnixMilli(), 10), "messageType": "message",
		"createdDateTime": millis(p.created()), "lastModifiedDateTime": millis(p.modified), "lastEditedDateTime": millisOrNil(p.edited), "deletedDateTime": millisOrNil(p.deleted),
		"subject": nil, "summary": nil, "chatId": nil, "importance": p.importance, "locale": "en-us", "policyViolation": nil, "eventDetail": nil,
		"webUrl": nil, "channelIdentity": nil,
		"body":        map[string]any{"contentType": "html", "content": p.body},
		"from":        map[string]any{"application": nil, "device": nil, "user": s.teamsUser(p.author)},
		"attachments": []any{}, "mentions": []any{}, "reactions": []any{},
	}
	p.at.describe(m)
	if p.root != 0 {
		m["replyToId"] = strconv.FormatInt(p.root, 10)
	}
	if p.subject != "" {
		m["subject"] = p.subject
	}
	if p.plain {
		m["body"] = map[string]any{"contentType": "text", "content": p.body}
	}
	if p.app {
		m["from"] = map[string]any{"application": map[string]any{"@odata.type": "#microsoft.graph.teamworkApplicationIdentity", "id": teamApps[4].id, "displayName": teamApps[4].name, "applicationIdentityType": "bot"}, "device": nil, "user": nil}
	}
	if p.event {
		m["from"] = nil
		m["messageType"] = "unknownFutureValue"
		if known {
			m["messageType"] = "systemEventMessage"
		}
		m["eventDetail"] = map[string]any{"@odata.type": "#microsoft.graph.membersAddedEventMessageDetail", "visibleHistoryStartDateTime": "0001-01-01T00:00:00Z",
			"members":   []any{s.teamsUser(p.author)},
			"initiator": map[string]any{"application": nil, "device": nil, "user": s.teamsUser(p.author)}}
		if p.told != "" {
			detail := map[string]any{"@odata.type": "#microsoft.graph." + p.told, "initiator": map[string]any{"application": nil, "device": nil, "user": s.teamsUser(p.author)}}
			for k, v := range p.detail {
				detail[k] = v
			}
			m["eventDetail"] = detail
		}
		return m
	}
	if !p.deleted.IsZero() { // what it said is gone
		m["body"] = map[string]any{"contentType": "html", "content": ""}
		m["subject"] = nil
		return m
	}
	attachments, mentions, reactions := []any{}, []any{}, []any{}
	for _, a := range p.attachments {
		attachments = append(attachments, a)
	}
	for i, u := range p.mentions {
		who := s.teamsUser(u)
		mentions = append(mentions, map[string]any{"id": i, "mentionText": who["displayName"], "mentioned": map[string]any{"application": nil, "device": nil, "conversation": nil, "user": who}})
	}
	for _, r := range p.reactions {
		reactions = append(reactions, map[string]any{"reactionType": r.kind, "createdDateTime": millis(r.at), "user": map[string]any{"application": nil, "device": nil, "user": s.teamsUser(r.user)}})
	}
	m["attachments"], m["mentions"], m["reactions"] = attachments, mentions, reactions
	return m
}
