package sim

import (
	"fmt"
	"html"
	"strconv"
	"strings"
	"time"
)

// post is a message of a channel or a reply to one.
type post struct {
	ch          *channel
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
	return append([]byte("\x89PNG\r\n\x1a\n"), r.bytes(500+r.IntN(3000))...)
}

// hostedID is the id of the n-th picture of a message.
func hostedID(n int) string { return base64URL(fmt.Appendf(nil, "id=x_%d,type=1,url=", n)) }

func (p *post) created() time.Time { return time.UnixMilli(p.id).UTC() }

func (p *post) key() string { return postKey(p.ch, p.id) }

func postKey(ch *channel, id int64) string { return ch.id + "/" + strconv.FormatInt(id, 10) }

// threadLength is how many generated messages are one thread: a message and its replies.
const threadLength = 4

func (t *team) h(i int, purpose uint64) uint64 {
	return mix(t.seed ^ mix(uint64(i)*0x9e3779b97f4a7c15+purpose))
}

// generatedID is when the i-th generated message was written.
func (t *team) generatedID(i int) int64 {
	jitter := time.Duration(t.h(i, 1) % uint64(max(t.step/2/time.Millisecond, 1)))
	return t.created.Add(time.Hour).Add(time.Duration(i)*t.step).UnixMilli() + int64(jitter)
}

// generatedIndex is the inverse of generatedID.
func (t *team) generatedIndex(id int64) (int, bool) {
	if t.step == 0 || t.posts == 0 {
		return 0, false
	}
	i := int((id - t.created.Add(time.Hour).UnixMilli()) / t.step.Milliseconds())
	return i, i >= 0 && i < t.posts && t.generatedID(i) == id
}

// generatedChannel is where the thread of the i-th message is: half are in the first channel.
func (t *team) generatedChannel(i int) *channel {
	n := 0
	for _, ch := range t.channels {
		if ch.generated {
			n++
		}
	}
	h := t.h(i/threadLength, 2)
	if h%2 == 0 {
		return t.channels[0]
	}
	return t.channels[(h>>8)%uint64(n)]
}

// generatedModified is when the i-th generated message last changed, without making the message.
func (t *team) generatedModified(i int) time.Time {
	at := time.UnixMilli(t.generatedID(i)).UTC()
	switch h := t.h(i, 3); {
	case h%61 == 0: // deleted
		return at.Add(time.Hour)
	case h%17 == 0: // edited
		return at.Add(10 * time.Minute)
	case h%5 == 0: // somebody reacted
		return at.Add(5 * time.Minute)
	}
	return at
}

// post gives the i-th generated message as it is now.
func (t *team) post(i int) *post {
	if p := t.over[i]; p != nil {
		return p
	}
	r := newRand(t.of.s.opt.Seed, "post", t.seed, uint64(i))
	everybody := t.of.s.dir.users
	p := &post{ch: t.generatedChannel(i), id: t.generatedID(i), modified: t.generatedModified(i), author: everybody[r.IntN(min(len(everybody), 8))].ID, importance: "normal", index: i}
	if i%threadLength != 0 {
		p.root = t.generatedID(i - i%threadLength)
	} else if r.IntN(3) == 0 {
		p.subject = "About " + strings.ToLower(pick(r, departments)) + " " + strconv.Itoa(i)
	}
	text := string(prose(r, 40+r.IntN(300)))
	p.body = "<div>" + html.EscapeString(text) + "</div>"
	switch h := t.h(i, 3); {
	case h%61 == 0:
		p.deleted = p.modified
	case h%17 == 0:
		p.edited = p.modified
	case h%5 == 0:
		p.reactions = []reaction{{pick(r, []string{"like", "heart", "laugh", "surprised"}), everybody[0].ID, p.modified}}
	}
	if r.IntN(97) == 0 && p.root == 0 {
		p.event, p.body, p.subject, p.reactions, p.edited, p.deleted = true, "<systemEventMessage/>", "", nil, time.Time{}, time.Time{}
		return p
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
		u := everybody[r.IntN(len(everybody))]
		p.mentions = []string{u.ID}
		p.body += `<div><at id="0">` + html.EscapeString(u.DisplayName) + "</at> please look</div>"
	}
	if r.IntN(23) == 0 {
		id := r.uuid()
		name := "Paper " + strconv.Itoa(i) + ".docx"
		p.body += `<attachment id="` + id + `"></attachment>`
		p.attachments = []map[string]any{{"id": id, "contentType": "reference", "contentUrl": p.ch.filesSite().url() + "/Shared%20Documents/" + strings.ReplaceAll(p.ch.folderName(), " ", "%20") + "/" + strings.ReplaceAll(name, " ", "%20"),
			"content": nil, "name": name, "thumbnailUrl": nil, "teamsAppId": nil}}
	}
	if every := t.of.s.shape.teams.Hosted; every > 0 && t.h(i, 4)%uint64(every) == 0 {
		p.hosted = []hosted{{kind: "image/png", seed: t.h(i, 5)}}
		p.body += `<div><img alt="image" src="` + t.of.s.graphURL(p.path()+"/hostedContents/"+hostedID(0)+"/$value") + `" width="300" height="200"></div>`
	}
	return p
}

func (s *Sim) graphURL(path string) string { return "https://" + s.cloud.graph + "/v1.0" + path }

// path is the address of a message below /v1.0.
func (p *post) path() string {
	at := "/teams/" + p.ch.team.id() + "/channels/" + p.ch.id + "/messages/"
	if p.root != 0 {
		return at + strconv.FormatInt(p.root, 10) + "/replies/" + strconv.FormatInt(p.id, 10)
	}
	return at + strconv.FormatInt(p.id, 10)
}

// tell has Teams tell of a change in the team's first channel.
func (t *team) tell(at time.Time, kind string, detail map[string]any) {
	p := &post{ch: t.channels[0], id: at.UTC().UnixMilli(), author: t.of.s.dir.users[0].ID, event: true, told: kind, detail: detail, body: "<systemEventMessage/>", importance: "normal"}
	for t.taken(p.ch, p.id) {
		p.id++
	}
	p.modified = p.created()
	t.add(p)
}

// find gives a message of a channel; root 0 is one that replies to none.
func (ch *channel) find(root, id int64) *post {
	t := ch.team
	p := t.byID[postKey(ch, id)]
	if p == nil {
		i, ok := t.generatedIndex(id)
		if !ok || !ch.generated {
			return nil
		}
		p = t.post(i)
	}
	if p.ch != ch || p.root != root {
		return nil
	}
	return p
}

// own gives a message that may be changed.
func (t *team) own(p *post) *post {
	if p.index < 0 {
		return p
	}
	if o := t.over[p.index]; o != nil {
		return o
	}
	t.over[p.index] = p
	return p
}

// add takes a message; its id must be free.
func (t *team) add(p *post) {
	p.index = -1
	t.added = append(t.added, p)
	t.byID[p.key()] = p
}

// at is the n-th message of the team, newest first: what was added, then what the seed makes. added is how many were added when the walk began.
func (t *team) at(n, added int) *post {
	if n < added {
		return t.added[added-1-n]
	}
	return t.post(t.posts - 1 - (n - added))
}

// modifiedAt is when the n-th message last changed.
func (t *team) modifiedAt(n, added int) time.Time {
	if n < added {
		return t.added[added-1-n].modified
	}
	i := t.posts - 1 - (n - added)
	if p := t.over[i]; p != nil {
		return p.modified
	}
	return t.generatedModified(i)
}

// channelAt is the channel of the n-th message.
func (t *team) channelAt(n, added int) *channel {
	if n < added {
		return t.added[added-1-n].ch
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

func (s *Sim) teamsUser(id string) map[string]any {
	name := any(nil)
	if u := s.dir.find(id); u != nil {
		name = u.DisplayName
	}
	return map[string]any{"@odata.type": "#microsoft.graph.teamworkUserIdentity", "id": id, "displayName": name, "userIdentityType": "aadUser"}
}

// json writes a message; known says that the reader knows members of enumerations which came after the first ones.
func (p *post) json(known bool) map[string]any {
	s := p.ch.team.of.s
	m := map[string]any{
		"id": strconv.FormatInt(p.id, 10), "replyToId": nil, "etag": strconv.FormatInt(p.modified.UnixMilli(), 10), "messageType": "message",
		"createdDateTime": millis(p.created()), "lastModifiedDateTime": millis(p.modified), "lastEditedDateTime": millisOrNil(p.edited), "deletedDateTime": millisOrNil(p.deleted),
		"subject": nil, "summary": nil, "chatId": nil, "importance": p.importance, "locale": "en-us", "policyViolation": nil, "eventDetail": nil,
		"webUrl":          "https://teams.microsoft.com/l/message/" + strings.ReplaceAll(p.ch.id, ":", "%3A") + "/" + strconv.FormatInt(p.id, 10),
		"channelIdentity": map[string]any{"teamId": p.ch.team.id(), "channelId": p.ch.id},
		"body":            map[string]any{"contentType": "html", "content": p.body},
		"from":            map[string]any{"application": nil, "device": nil, "user": s.teamsUser(p.author)},
		"attachments":     []any{}, "mentions": []any{}, "reactions": []any{},
	}
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
