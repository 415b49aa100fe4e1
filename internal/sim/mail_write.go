package sim

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// newMessage is a message before anything is said of it: a draft of now.
func newMessage(now time.Time) *message {
	now = now.UTC().Truncate(time.Second)
	return &message{created: now, modified: now, received: now, sent: now, importance: "normal", inference: "focused", isDraft: true, unmodified: true, flag: flag{status: "notFlagged"}, isRead: false}
}

// --- create, change, move, delete ------------------------------------------------------------------------------------

func (s *Sim) messageCreate(c *Call) (*Reply, error) {
	v, err := c.view()
	if err != nil {
		return nil, err
	}
	b, err := s.box(c)
	if err != nil {
		return nil, err
	}
	m := newMessage(c.Now)
	ct := strings.ToLower(strings.TrimSpace(strings.Split(c.Header.Get("Content-Type"), ";")[0]))
	switch {
	case ct == "text/plain":
		if m, err = s.fromMIME(c); err != nil {
			return nil, err
		}
	default:
		var f fields
		if err := c.Decode(&f); err != nil {
			return nil, err
		}
		if f == nil {
			return nil, badJSON(fmt.Errorf("the body must be an object"))
		}
		m.isRead = true // a draft is read by who writes it
		if err := s.fill(m, f, onCreate); err != nil {
			return nil, err
		}
		if !m.isDraft && isNull(f["isRead"]) {
			n, _ := strconv.Atoi(m.ext["Integer 0xe07"])
			m.isRead = n&1 != 0
		}
	}
	self := mailAddress{b.user.DisplayName, b.user.Mail}
	if m.isDraft {
		if m.from == nil {
			m.from = &self
		}
		if m.sender == nil {
			m.sender = &self
		}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	id := c.Params["folder"]
	if id == "" {
		id = "drafts"
	}
	f, err := b.folder(id)
	if err != nil {
		return nil, err
	}
	b.add(m, f, c.Now)
	j, err := b.messageJSON(v, m, nil, nil)
	if err != nil {
		return nil, err
	}
	j["@odata.context"] = c.context("users('" + c.Params["user"] + "')/messages/$entity")
	return v.applied(JSON(201, j)).With("Location", c.URL("/v1.0/users('"+c.Params["user"]+"')/messages('"+b.itemID(m, v.immutable)+"')")), nil
}

// add gives a new message its key and puts it into a folder.
func (b *mailbox) add(m *message, f *folder, now time.Time) {
	b.nextItem++
	m.key = newItemBit | uint64(b.nextItem)
	m.folder = f.key
	if m.messageID == "" {
		r := newRand(b.s.opt.Seed, "messageid", b.index, m.key)
		m.messageID = fmt.Sprintf("<%X@%s>", r.bytes(16), b.s.tenant.Domain)
	}
	if m.conversationIndex == nil {
		r := newRand(b.s.opt.Seed, "newconversation", b.index, m.key)
		m.conversationIndex = conversationIndex(r.bytes(16), now, 0)
	}
	b.store(nil, m, now.UTC().Truncate(time.Second))
}

// fromMIME makes a draft from MIME in base64. The exact bytes are not kept: the service generates MIME anew.
func (s *Sim) fromMIME(c *Call) (*message, error) {
	raw, err := base64.StdEncoding.DecodeString(strings.NewReplacer("\r", "", "\n", "").Replace(string(c.Body)))
	if err != nil {
		return nil, Fail(400, "ErrorMimeContentInvalidBase64String", "Invalid base64 string for MIME content.")
	}
	if len(raw) == 0 || len(parseMIME(raw, maxMIMEDepth).headers) == 0 {
		return nil, Fail(400, "ErrorMimeContentInvalid", "The MIME content is invalid.")
	}
	m, err := s.messageFromMIME(raw)
	if err != nil {
		return nil, err
	}
	n := newMessage(c.Now)
	m.created, m.modified, m.received, m.sent = n.created, n.modified, n.received, n.sent
	m.isDraft, m.raw, m.isRead = true, nil, true
	m.headers = slices.DeleteFunc(m.headers, func(h header) bool { return !strings.HasPrefix(strings.ToLower(h.Name), "x-") })
	return m, nil
}

// ifMatch checks an If-Match header against a message.
func (b *mailbox) ifMatch(c *Call, m *message) error {
	want := c.Header.Get("If-Match")
	if want == "" || want == "*" || strings.Contains(want, changeKey(b.tag, m)) {
		return nil
	}
	return Fail(412, "ErrorIrresolvableConflict", "The send or update operation could not be performed because the change key passed in the request does not match the current change key for the item.")
}

func (s *Sim) messagePatch(c *Call) (*Reply, error) {
	v, err := c.view()
	if err != nil {
		return nil, err
	}
	var f fields
	if err := c.Decode(&f); err != nil {
		return nil, err
	}
	b, err := s.box(c)
	if err != nil {
		return nil, err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	old, err := b.inFolder(c)
	if err != nil {
		return nil, err
	}
	if err := b.ifMatch(c, old); err != nil {
		return nil, err
	}
	m := b.edit(old)
	if err := s.fill(m, f, onPatch); err != nil {
		return nil, err
	}
	b.store(old, m, c.Now.UTC().Truncate(time.Second))
	j, err := b.messageJSON(v, m, nil, nil)
	if err != nil {
		return nil, err
	}
	j["@odata.context"] = c.context("users('" + c.Params["user"] + "')/messages/$entity")
	return v.applied(JSON(200, j)), nil
}

func (s *Sim) messageDelete(c *Call) (*Reply, error) {
	b, err := s.box(c)
	if err != nil {
		return nil, err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	m, err := b.inFolder(c)
	if err != nil {
		return nil, err
	}
	if err := b.ifMatch(c, m); err != nil {
		return nil, err
	}
	b.remove(m, c.Now)
	return nil, nil
}

// remove takes a message out of the mailbox.
func (b *mailbox) remove(m *message, now time.Time) {
	n := b.edit(m)
	n.deleted = true
	b.store(m, n, now)
	b.items[m.key] = &message{key: m.key, folder: m.folder, generation: m.generation, version: n.version, deleted: true, isRead: true}
}

func (s *Sim) destination(c *Call) (string, error) {
	var f fields
	if err := c.Decode(&f); err != nil {
		return "", err
	}
	for k, raw := range f {
		if strings.EqualFold(k, "destinationId") {
			return readAs[string](k, "Edm.String", raw)
		}
	}
	return "", Fail(400, "ErrorInvalidRequest", "The parameter 'DestinationId' is missing.")
}

func (s *Sim) messageMove(c *Call) (*Reply, error) { return s.relocate(c, true) }

func (s *Sim) messageCopy(c *Call) (*Reply, error) { return s.relocate(c, false) }

func (s *Sim) relocate(c *Call, move bool) (*Reply, error) {
	v, err := c.view()
	if err != nil {
		return nil, err
	}
	dest, err := s.destination(c)
	if err != nil {
		return nil, err
	}
	b, err := s.box(c)
	if err != nil {
		return nil, err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	old, err := b.inFolder(c)
	if err != nil {
		return nil, err
	}
	f, err := b.folder(dest)
	if err != nil {
		return nil, err
	}
	m := b.edit(old)
	if move {
		m.folder = f.key
		m.generation++
		b.store(old, m, c.Now.UTC().Truncate(time.Second))
	} else {
		m.generation, m.born = 0, time.Time{}
		m.created = c.Now.UTC().Truncate(time.Second)
		b.add(m, f, c.Now)
	}
	j, err := b.messageJSON(v, m, nil, nil)
	if err != nil {
		return nil, err
	}
	j["@odata.context"] = c.context("users('" + c.Params["user"] + "')/messages/$entity")
	return v.applied(JSON(201, j)), nil
}

// --- attachments -----------------------------------------------------------------------------------------------------

func (s *Sim) attachmentCreate(c *Call) (*Reply, error) {
	v, err := c.view()
	if err != nil {
		return nil, err
	}
	var raw json.RawMessage
	if err := c.Decode(&raw); err != nil {
		return nil, err
	}
	a, err := s.readAttachment(raw, c.Now.UTC().Truncate(time.Second), 0)
	if err != nil {
		return nil, err
	}
	b, err := s.box(c)
	if err != nil {
		return nil, err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	m, err := b.addAttachment(c, a)
	if err != nil {
		return nil, err
	}
	j, err := b.attachmentJSON(v, m, a, nil, nil)
	if err != nil {
		return nil, err
	}
	j["@odata.context"] = c.context("users('" + c.Params["user"] + "')/messages('" + c.Params["message"] + "')/attachments/$entity")
	return v.applied(JSON(201, j)).With("Location", c.URL(c.Path+"/"+b.attachmentID(m, a, v.immutable))), nil
}

func (b *mailbox) addAttachment(c *Call, a *attachment) (*message, error) {
	old, err := b.inFolder(c)
	if err != nil {
		return nil, err
	}
	m := b.edit(old)
	m.attach(a)
	m.raw = nil
	b.store(old, m, c.Now.UTC().Truncate(time.Second))
	return m, nil
}

func (s *Sim) attachmentDelete(c *Call) (*Reply, error) {
	b, err := s.box(c)
	if err != nil {
		return nil, err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	old, err := b.inFolder(c)
	if err != nil {
		return nil, err
	}
	a, err := b.attachment(old, c.Params["attachment"])
	if err != nil {
		return nil, err
	}
	m := b.edit(old)
	m.attachments = slices.DeleteFunc(slices.Clone(m.attachments), func(x *attachment) bool { return x == a })
	m.raw = nil
	b.store(old, m, c.Now.UTC().Truncate(time.Second))
	return nil, nil
}

// --- folders ---------------------------------------------------------------------------------------------------------

// messageSend records what send, reply, replyAll and forward would have sent. Nothing is delivered.
func (s *Sim) messageSend(c *Call) (*Reply, error) {
	b, err := s.box(c)
	if err != nil {
		return nil, err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	old, err := b.inFolder(c)
	if err != nil {
		return nil, err
	}
	verb := c.Path[strings.LastIndexByte(c.Path, '/')+1:]
	if _, after, ok := strings.Cut(verb, "microsoft.graph."); ok {
		verb = after
	}
	if verb == "send" {
		if !old.isDraft {
			return nil, Fail(400, "ErrorInvalidOperation", "The message is not a draft.")
		}
		m := b.edit(old)
		if f, err := b.folder("sentitems"); err == nil {
			m.folder = f.key
		}
		m.isDraft = false
		m.generation++
		m.sent = c.Now.UTC().Truncate(time.Second)
		b.store(old, m, m.sent)
	}
	s.stats.mail(SentMail{Time: c.Now, User: b.user.UPN, How: verb, Subject: old.subject, Recipients: allRecipients(old)})
	return &Reply{Status: 202}, nil
}

func allRecipients(m *message) []string {
	out := []string{}
	for _, l := range [][]mailAddress{m.to, m.cc, m.bcc} {
		for _, a := range l {
			out = append(out, a.Address)
		}
	}
	return out
}

func (s *Sim) sendMail(c *Call) (*Reply, error) {
	u, err := s.user(c)
	if err != nil {
		return nil, err
	}
	if _, err := s.box(c); err != nil {
		return nil, err
	}
	m := newMessage(c.Now)
	if strings.HasPrefix(strings.ToLower(c.Header.Get("Content-Type")), "text/plain") {
		if m, err = s.fromMIME(c); err != nil {
			return nil, err
		}
	} else {
		var in fields
		if err := c.Decode(&in); err != nil {
			return nil, err
		}
		var msg fields
		for k, raw := range in {
			if strings.EqualFold(k, "message") && json.Unmarshal(raw, &msg) != nil {
				return nil, wrongType("message", "microsoft.graph.message")
			}
		}
		if msg == nil {
			return nil, Fail(400, "ErrorInvalidRequest", "The parameter 'Message' is missing.")
		}
		if err := s.fill(m, msg, onCreate); err != nil {
			return nil, err
		}
	}
	if len(m.to)+len(m.cc)+len(m.bcc) == 0 {
		return nil, Fail(400, "ErrorInvalidRecipients", "At least one recipient is required.")
	}
	s.stats.mail(SentMail{Time: c.Now, User: u.UPN, How: "sendMail", Subject: m.subject, Recipients: allRecipients(m)})
	return &Reply{Status: 202}, nil
}

// translateIDs turns ids of one form into the other, at most 1,000.
func (s *Sim) translateIDs(c *Call) (*Reply, error) {
	var in struct {
		InputIDs     []string `json:"inputIds"`
		TargetIDType string   `json:"targetIdType"`
		SourceIDType string   `json:"sourceIdType"`
	}
	if err := c.Decode(&in); err != nil {
		return nil, err
	}
	if len(in.InputIDs) > 1000 {
		return nil, Fail(400, "ErrorInvalidRequest", "At most 1000 ids can be translated at once.")
	}
	b, err := s.box(c)
	if err != nil {
		return nil, err
	}
	immutable := strings.EqualFold(in.TargetIDType, "restImmutableEntryId")
	if !immutable && !strings.EqualFold(in.TargetIDType, "restId") {
		return nil, Fail(400, "ErrorInvalidRequest", "The simulator translates to restId and restImmutableEntryId only.")
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	out := []any{}
	for _, id := range in.InputIDs {
		m, err := b.message(id)
		if err != nil {
			return nil, err
		}
		out = append(out, map[string]any{"sourceId": id, "targetId": b.itemID(m, immutable)})
	}
	return JSON(200, map[string]any{"@odata.context": c.context("Collection(microsoft.graph.convertIdResult)"), "value": out}), nil
}
