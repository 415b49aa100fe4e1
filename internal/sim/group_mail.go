package sim

import (
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"
)

// The mailbox of a Microsoft 365 group: conversations of one thread each, with posts. There is no delta, no MIME and no call that makes a post without mailing it
// to the members.

var (
	groupMailRead  = []string{"Group-Conversation.Read.All", "Group-Conversation.ReadWrite.All", "Group.Read.All", "Group.ReadWrite.All"}
	groupMailWrite = []string{"Group-Conversation.ReadWrite.All", "Group.ReadWrite.All"}
)

// groupBoxes are the mailboxes of groups, each generated at its first use.
type groupBoxes struct {
	mu    sync.Mutex // guards all below
	boxes map[string]*groupBox
}

type groupBox struct {
	group   *Group
	threads []*groupThread
	next    uint64
}

type groupThread struct {
	id    string
	topic string
	posts []*groupPost
}

type groupPost struct {
	id       string
	version  uint64
	from     map[string]any // recipient
	html     string
	received time.Time
	files    []groupFile
}

type groupFile struct {
	name, kind string
	data       []byte
	inline     string // content id
}

func (b *groupBox) newID(kind byte) string {
	b.next++
	sum := sha([]byte(fmt.Sprint(b.group.ID, " ", kind, " ", b.next)))
	return "AAQk" + base64.URLEncoding.EncodeToString(append([]byte{kind}, sum[:29]...))
}

func recipientOf(u *User) map[string]any {
	return map[string]any{"emailAddress": map[string]any{"name": u.DisplayName, "address": u.Mail}}
}

// groupBoxOf is the mailbox of a group; the lock is held.
func (s *Sim) groupBoxOf(g *Group) *groupBox {
	if b := s.groupMail.boxes[g.ID]; b != nil {
		return b
	}
	b := &groupBox{group: g}
	if s.groupMail.boxes == nil {
		s.groupMail.boxes = map[string]*groupBox{}
	}
	s.groupMail.boxes[g.ID] = b
	r := newRand(s.opt.Seed, "group mail "+g.ID)
	users := s.dir.all()
	for i := range 7 {
		topic := []string{"Plan of the week", "Lunch, \"again\"", "Grüße aus Köln / 北京", "Minutes", "Rota", "Budget & forecast", "Parking"}[i]
		at := epochEnd.Add(-time.Duration(7-i)*24*time.Hour - time.Duration(r.IntN(3600))*time.Second)
		t := &groupThread{id: b.newID('t'), topic: topic}
		for j := range 1 + i%3 {
			p := &groupPost{id: b.newID('p'), version: 1, from: recipientOf(users[(i+j)%len(users)]), received: at.Add(time.Duration(j) * time.Hour),
				html: fmt.Sprintf("<html><body><p>%s: note %d of %s, für alle</p>\n<p>=equals at an end=</p></body></html>", topic, j, g.DisplayName)}
			if j == 1 {
				p.files = []groupFile{{name: "Übersicht.bin", kind: "application/octet-stream", data: r.bytes(5000 + r.IntN(40_000))}, {name: "logo.png", kind: "image/png", data: r.bytes(900), inline: fmt.Sprintf("logo%d@group", i)}}
			}
			t.posts = append(t.posts, p)
		}
		b.threads = append(b.threads, t)
	}
	return b
}

func (t *groupThread) last() time.Time {
	var at time.Time
	for _, p := range t.posts {
		if p.received.After(at) {
			at = p.received
		}
	}
	return at
}

func (s *Sim) groupMailRoutes() []Route {
	var out []Route
	add := func(method, pattern string, perms []string, fn func(c *Call, b *groupBox) (*Reply, error)) {
		h := func(c *Call) (*Reply, error) {
			g, err := s.group(c)
			if err != nil {
				return nil, err
			}
			if !g.Unified {
				return nil, Fail(404, "ResourceNotFound", "Resource could not be discovered.")
			}
			s.groupMail.mu.Lock()
			defer s.groupMail.mu.Unlock()
			return fn(c, s.groupBoxOf(g))
		}
		out = append(out, Route{Host: HostGraph, Method: method, Pattern: "/v1.0/groups/{group}" + pattern, Class: ClassOutlook, Permissions: perms, Handle: h})
	}
	add("GET", "/conversations", groupMailRead, s.conversationList)
	add("GET", "/conversations/{conversation}/threads", groupMailRead, s.threadList)
	add("GET", "/threads", groupMailRead, s.threadList)
	add("GET", "/threads/{thread}", groupMailRead, s.threadGet)
	add("GET", "/threads/{thread}/posts", groupMailRead, s.postList)
	add("GET", "/threads/{thread}/posts/{post}", groupMailRead, s.postGet)
	add("DELETE", "/threads/{thread}", groupMailWrite, s.threadDelete)
	add("POST", "/threads/{thread}/posts/{post}/reply", groupMailWrite, s.postReply)
	return out
}

func (b *groupBox) thread(c *Call) (*groupThread, error) {
	for _, t := range b.threads {
		if t.id == c.Params["thread"] {
			return t, nil
		}
	}
	return nil, errNotInStore
}

func (t *groupThread) post(c *Call) (*groupPost, error) {
	for _, p := range t.posts {
		if p.id == c.Params["post"] {
			return p, nil
		}
	}
	return nil, errNotInStore
}

func (b *groupBox) summary(t *groupThread) map[string]any {
	senders, files := []string{}, false
	for _, p := range t.posts {
		e, _ := p.from["emailAddress"].(map[string]any)
		if name := fmt.Sprint(e["name"]); !slices.Contains(senders, name) {
			senders = append(senders, name)
		}
		files = files || len(p.files) > 0
	}
	return map[string]any{"id": t.id, "topic": t.topic, "hasAttachments": files, "lastDeliveredDateTime": stamp(t.last()), "uniqueSenders": senders, "preview": "A note"}
}

func (b *groupBox) threadJSON(t *groupThread) map[string]any {
	m := b.summary(t)
	m["isLocked"], m["ccRecipients"] = false, []any{}
	m["toRecipients"] = []any{map[string]any{"emailAddress": map[string]any{"name": b.group.DisplayName, "address": b.group.Mail}}}
	return m
}

// newest are the threads as they are listed.
func (b *groupBox) newest() []*groupThread {
	all := slices.Clone(b.threads)
	slices.SortStableFunc(all, func(x, y *groupThread) int { return y.last().Compare(x.last()) })
	return all
}

func (s *Sim) conversationList(c *Call, b *groupBox) (*Reply, error) {
	q, err := c.OData("select", "top", "skip", "count")
	if err != nil {
		return nil, err
	}
	var rows []map[string]any
	for _, t := range b.newest() {
		m, err := project(b.summary(t), q.Select, "microsoft.graph.conversation", func(string) bool { return false })
		if err != nil {
			return nil, err
		}
		rows = append(rows, m)
	}
	return listPage(c, q, "groups('"+b.group.ID+"')/conversations", rows)
}

func (s *Sim) threadList(c *Call, b *groupBox) (*Reply, error) {
	q, err := c.OData("select", "top", "skip", "count")
	if err != nil {
		return nil, err
	}
	var rows []map[string]any
	for _, t := range b.newest() {
		if of := c.Params["conversation"]; of != "" && of != t.id { // a conversation has one thread, which has its id here
			continue
		}
		m, err := project(b.threadJSON(t), q.Select, "microsoft.graph.conversationThread", func(string) bool { return false })
		if err != nil {
			return nil, err
		}
		rows = append(rows, m)
	}
	return listPage(c, q, "groups('"+b.group.ID+"')/threads", rows)
}

func (s *Sim) threadGet(c *Call, b *groupBox) (*Reply, error) {
	t, err := b.thread(c)
	if err != nil {
		return nil, err
	}
	m := b.threadJSON(t)
	m["@odata.context"] = c.context("groups('" + b.group.ID + "')/threads/$entity")
	return JSON(200, m), nil
}

// postJSON shows a post; its attachments come with their bytes, and only when they are expanded.
func (b *groupBox) postJSON(t *groupThread, p *groupPost, q *Query) (map[string]any, error) {
	tag := sha([]byte(p.id))
	full := map[string]any{"id": p.id, "changeKey": pimChangeKey([16]byte(tag[:16]), p.version, uint64(p.received.Unix())), "createdDateTime": stamp(p.received), "lastModifiedDateTime": stamp(p.received),
		"receivedDateTime": stamp(p.received), "hasAttachments": len(p.files) > 0, "categories": []any{}, "from": p.from, "sender": p.from, "newParticipants": []any{},
		"body": map[string]any{"contentType": "html", "content": p.html}, "conversationThreadId": t.id, "conversationId": t.id}
	out, err := project(full, q.Select, "microsoft.graph.post", func(n string) bool { return n == "attachments" })
	if err != nil {
		return nil, err
	}
	for _, e := range q.Expand {
		if e.Name != "attachments" {
			return nil, Fail(400, "BadRequest", "Parsing OData Select and Expand failed: Could not find a property named '%s' on type 'microsoft.graph.post'.", e.Name)
		}
		list := []any{}
		for i, f := range p.files {
			m := map[string]any{"@odata.type": "#microsoft.graph.fileAttachment", "id": fmt.Sprintf("%s-%d", p.id, i), "lastModifiedDateTime": stamp(p.received), "name": f.name,
				"contentType": f.kind, "size": len(f.data), "isInline": f.inline != "", "contentId": nil, "contentLocation": nil, "contentBytes": base64.StdEncoding.EncodeToString(f.data)}
			if f.inline != "" {
				m["contentId"] = f.inline
			}
			list = append(list, m)
		}
		out["attachments"] = list
	}
	return out, nil
}

func (s *Sim) postList(c *Call, b *groupBox) (*Reply, error) {
	q, err := c.OData("select", "top", "skip", "count", "expand")
	if err != nil {
		return nil, err
	}
	t, err := b.thread(c)
	if err != nil {
		return nil, err
	}
	var rows []map[string]any
	for _, p := range t.posts {
		m, err := b.postJSON(t, p, q)
		if err != nil {
			return nil, err
		}
		rows = append(rows, m)
	}
	return listPage(c, q, "groups('"+b.group.ID+"')/threads('"+t.id+"')/posts", rows)
}

func (s *Sim) postGet(c *Call, b *groupBox) (*Reply, error) {
	q, err := c.OData("select", "expand")
	if err != nil {
		return nil, err
	}
	t, err := b.thread(c)
	if err != nil {
		return nil, err
	}
	p, err := t.post(c)
	if err != nil {
		return nil, err
	}
	m, err := b.postJSON(t, p, q)
	if err != nil {
		return nil, err
	}
	m["@odata.context"] = c.context("groups('" + b.group.ID + "')/threads('" + t.id + "')/posts/$entity")
	return JSON(200, m), nil
}

func (s *Sim) threadDelete(c *Call, b *groupBox) (*Reply, error) {
	t, err := b.thread(c)
	if err != nil {
		return nil, err
	}
	b.threads = slices.DeleteFunc(slices.Clone(b.threads), func(x *groupThread) bool { return x == t })
	return nil, nil
}

// postReply adds a post, which goes to the members by mail: that is recorded.
func (s *Sim) postReply(c *Call, b *groupBox) (*Reply, error) {
	var in struct {
		Post struct {
			Body struct{ Content string }
		}
	}
	if err := c.Decode(&in); err != nil {
		return nil, err
	}
	t, err := b.thread(c)
	if err != nil {
		return nil, err
	}
	if _, err := t.post(c); err != nil {
		return nil, err
	}
	t.posts = append(t.posts, &groupPost{id: b.newID('p'), version: 1, from: recipientOf(s.dir.all()[0]), html: in.Post.Body.Content, received: c.Now.UTC().Truncate(time.Second)})
	s.stats.mail(SentMail{Time: c.Now, User: b.group.Mail, How: "post to a group", Subject: t.topic, Recipients: []string{b.group.Mail}})
	return &Reply{Status: 202}, nil
}

// --- control ---------------------------------------------------------------------------------------------------------

// GroupPostRow is a post in a dump.
type GroupPostRow struct {
	Thread, ID, Topic, From, HTML string
	Received                      time.Time
	Files                         map[string][]byte
}

func (s *Sim) groupNamed(id string) (*Group, error) {
	for _, g := range s.groups() {
		if strings.EqualFold(g.ID, id) && g.Unified && !g.deleted {
			return g, nil
		}
	}
	return nil, fmt.Errorf("simulator: no Microsoft 365 group has the id %s", id)
}

// DumpGroup gives the posts of a group's mailbox.
func (s *Sim) DumpGroup(group string) ([]GroupPostRow, error) {
	g, err := s.groupNamed(group)
	if err != nil {
		return nil, err
	}
	s.groupMail.mu.Lock()
	defer s.groupMail.mu.Unlock()
	var out []GroupPostRow
	for _, t := range s.groupBoxOf(g).threads {
		for _, p := range t.posts {
			e, _ := p.from["emailAddress"].(map[string]any)
			row := GroupPostRow{Thread: t.id, ID: p.id, Topic: t.topic, From: fmt.Sprint(e["address"]), HTML: p.html, Received: p.received, Files: map[string][]byte{}}
			for _, f := range p.files {
				row.Files[f.name] = f.data
			}
			out = append(out, row)
		}
	}
	return out, nil
}

// PostToGroup adds a post to a group's thread of that topic, as a member does; a new topic makes a thread.
func (s *Sim) PostToGroup(group, topic, html string) error {
	g, err := s.groupNamed(group)
	if err != nil {
		return err
	}
	s.groupMail.mu.Lock()
	defer s.groupMail.mu.Unlock()
	b := s.groupBoxOf(g)
	i := slices.IndexFunc(b.threads, func(t *groupThread) bool { return t.topic == topic })
	if i < 0 {
		b.threads = append(b.threads, &groupThread{id: b.newID('t'), topic: topic})
		i = len(b.threads) - 1
	}
	b.threads[i].posts = append(b.threads[i].posts, &groupPost{id: b.newID('p'), version: 1, from: recipientOf(s.dir.all()[0]), html: html, received: s.clock.Now().UTC().Truncate(time.Second)})
	return nil
}

// DeleteGroupThread deletes the thread of a topic.
func (s *Sim) DeleteGroupThread(group, topic string) error {
	g, err := s.groupNamed(group)
	if err != nil {
		return err
	}
	s.groupMail.mu.Lock()
	defer s.groupMail.mu.Unlock()
	b := s.groupBoxOf(g)
	b.threads = slices.DeleteFunc(slices.Clone(b.threads), func(t *groupThread) bool { return t.topic == topic })
	return nil
}
