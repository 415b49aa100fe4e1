package sim

import (
	"net/http"
	"slices"
	"strings"
	"time"
)

// chatRestorable is how long a deleted chat can be restored ("Delete chat").
const chatRestorable = 7 * 24 * time.Hour

// purged says whether a chat is deleted for good.
func (ch *chat) purged(now time.Time) bool {
	return !ch.deleted.IsZero() && now.Sub(ch.deleted) >= chatRestorable
}

// rename gives a group another topic, of which Teams tells.
func (ch *chat) rename(now time.Time, who, topic string) {
	ch.topic, ch.updated = topic, now.UTC().Truncate(time.Millisecond)
	ch.told(ch, now, who, "chatRenamedEventMessageDetail", map[string]any{"chatId": ch.id, "chatDisplayName": topic})
}

// join adds a member, of which Teams tells. The two of a oneOnOne stay two.
func (ch *chat) join(now time.Time, who string, m chatMember) error {
	if ch.kind == chatOneOnOne {
		return Fail(400, "BadRequest", "Members can't be added to a one on one chat.")
	}
	if ch.member(m.user) != nil {
		return Fail(400, "BadRequest", "The user is a member of the chat already.")
	}
	ch.members = append(ch.members, m)
	ch.updated = now.UTC().Truncate(time.Millisecond)
	ch.told(ch, now, who, "membersAddedEventMessageDetail", map[string]any{"visibleHistoryStartDateTime": historyStart(m.since), "members": []any{ch.s.teamsUser(m.user)}})
	return nil
}

// historyStart is from when on a member sees messages, as Teams writes it.
func historyStart(since time.Time) string {
	if since.IsZero() {
		return "0001-01-01T00:00:00Z"
	}
	return millis(since)
}

// leave takes a member out, of which Teams tells.
func (ch *chat) leave(now time.Time, who, user string) error {
	if ch.kind == chatOneOnOne {
		return Fail(400, "BadRequest", "Members can't be removed from a one on one chat.")
	}
	if ch.member(user) == nil {
		return Fail(404, "NotFound", "The user is not a member of the chat.")
	}
	ch.members = slices.DeleteFunc(slices.Clone(ch.members), func(m chatMember) bool { return strings.EqualFold(m.user, user) })
	ch.updated = now.UTC().Truncate(time.Millisecond)
	ch.told(ch, now, who, "membersDeletedEventMessageDetail", map[string]any{"members": []any{ch.s.teamsUser(user)}})
	return nil
}

// chatMember reads a member of a chat from a request: each is an owner, or a guest when he is a guest of the organization ("Create chat").
func (sv *teamService) chatMember(b memberBody) (chatMember, error) {
	m, err := sv.member(b)
	if err != nil {
		return chatMember{}, err
	}
	role := "owner"
	if sv.s.dir.find(m.user).guest {
		role = "guest"
	}
	if len(b.Roles) != 1 || b.Roles[0] != role {
		return chatMember{}, Fail(400, "BadRequest", "Invalid role specified for member: every member of a chat is an owner, a guest of the tenant a guest.")
	}
	return chatMember{user: m.user, role: role}, nil
}

// postChat makes a chat; a oneOnOne that is there is given instead.
func (sv *teamService) postChat(c *Call) (*Reply, error) {
	var in struct {
		Type    string       `json:"chatType"`
		Topic   *string      `json:"topic"`
		Members []memberBody `json:"members"`
	}
	if err := c.Decode(&in); err != nil {
		return nil, err
	}
	var members []chatMember
	var who []string
	for _, b := range in.Members {
		m, err := sv.chatMember(b)
		if err != nil {
			return nil, err
		}
		if slices.Contains(who, m.user) {
			return nil, Fail(400, "BadRequest", "Duplicate chat members are specified in the request body.")
		}
		members, who = append(members, m), append(who, m.user)
	}
	topic := ""
	if in.Topic != nil {
		topic = *in.Topic
	}
	switch {
	case in.Type != chatOneOnOne && in.Type != chatGroup:
		return nil, Fail(400, "BadRequest", "Invalid chat type: oneOnOne or group is expected.")
	case in.Type == chatOneOnOne && len(who) != 2:
		return nil, Fail(400, "BadRequest", "For a one on one chat exactly 2 members are expected, %d were given.", len(who))
	case in.Type == chatOneOnOne && topic != "":
		return nil, Fail(400, "BadRequest", "A topic can't be given for a one on one chat.")
	case in.Type == chatGroup && len(who) < 2:
		return nil, Fail(400, "BadRequest", "For a group chat at least 2 members are expected, %d were given.", len(who))
	case strings.ContainsAny(topic, ":"):
		return nil, Fail(400, "BadRequest", "The topic of a chat can't have a colon.")
	}
	var ch *chat
	if in.Type == chatOneOnOne {
		ch = sv.pair(who[0], who[1])
	}
	switch {
	case ch == nil || ch.purged(c.Now):
		// The same two begin anew under the same id.
		ch = sv.newChat(in.Type, topic, c.Now, who...)
		ch.members = members
	case !ch.deleted.IsZero():
		return nil, Fail(404, "NotFound", "The chat is deleted.")
	}
	m, err := ch.json(c, nil)
	if err != nil {
		return nil, err
	}
	m["@odata.context"] = c.context("chats/$entity")
	return JSON(http.StatusCreated, m), nil
}

func (sv *teamService) patchChat(c *Call) (*Reply, error) {
	ch, err := sv.ownChat(c)
	if err != nil {
		return nil, err
	}
	var in map[string]any
	if err := c.Decode(&in); err != nil {
		return nil, err
	}
	topic, ok := in["topic"].(string)
	if !ok || len(in) != 1 {
		return nil, Fail(400, "BadRequest", "Only the topic of a chat can be changed.")
	}
	if ch.kind != chatGroup {
		return nil, Fail(400, "BadRequest", "Only the topic of a group chat can be changed.")
	}
	ch.rename(c.Now, ch.members[0].user, topic)
	m, err := ch.json(c, nil)
	if err != nil {
		return nil, err
	}
	m["@odata.context"] = c.context("chats/$entity")
	return JSON(200, m), nil
}

// postChatMember adds a member. Without a time he sees what is said from now on, with the first of years all.
func (sv *teamService) postChatMember(c *Call) (*Reply, error) {
	ch, err := sv.ownChat(c)
	if err != nil {
		return nil, err
	}
	var in struct {
		memberBody
		Since *time.Time `json:"visibleHistoryStartDateTime"`
	}
	if err := c.Decode(&in); err != nil {
		return nil, err
	}
	m, err := sv.chatMember(in.memberBody)
	if err != nil {
		return nil, err
	}
	m.since = c.Now.UTC().Truncate(time.Millisecond)
	if in.Since != nil {
		m.since = in.Since.UTC().Truncate(time.Millisecond)
	}
	if err := ch.join(c.Now, ch.members[0].user, m); err != nil {
		return nil, err
	}
	return (&Reply{Status: http.StatusCreated}).With("Location", "/chats('"+ch.id+"')/members('"+memberID(sv.s, ch.id, m.user)+"')"), nil
}

func (sv *teamService) deleteChatMember(c *Call) (*Reply, error) {
	ch, err := sv.ownChat(c)
	if err != nil {
		return nil, err
	}
	return nil, ch.leave(c.Now, ch.members[0].user, memberUser(c.Params["member"]))
}

func (sv *teamService) deleteChat(c *Call) (*Reply, error) {
	ch, err := sv.ownChat(c)
	if err != nil {
		return nil, err
	}
	ch.deleted = c.Now
	return nil, nil
}

// deletedChatOf finds a deleted chat that can be restored.
func (sv *teamService) deletedChatOf(c *Call) (*chat, error) {
	ch := sv.chatByID[c.Params["deleted"]]
	if ch == nil || ch.deleted.IsZero() || ch.purged(c.Now) || ch.tenant != sv.s.tenant.TenantID {
		return nil, Fail(404, "NotFound", "No deleted chat found with id %s", c.Params["deleted"])
	}
	return ch, nil
}

func (sv *teamService) getDeletedChat(c *Call) (*Reply, error) {
	ch, err := sv.deletedChatOf(c)
	if err != nil {
		return nil, err
	}
	return JSON(200, map[string]any{"@odata.context": c.context("teamwork/deletedChats/$entity"), "id": ch.id}), nil
}

func (sv *teamService) undoDeleteChat(c *Call) (*Reply, error) {
	ch, err := sv.deletedChatOf(c)
	if err != nil {
		return nil, err
	}
	ch.deleted = time.Time{}
	return nil, nil
}

// migratable is ownChat for a migration, which meetings have none of ("chat: startMigration").
func (sv *teamService) migratable(c *Call) (*chat, error) {
	ch, err := sv.ownChat(c)
	if err != nil {
		return nil, err
	}
	if ch.kind == chatMeeting {
		return nil, Fail(400, "BadRequest", "Migration mode is not supported for meeting chats.")
	}
	if ch.migrating != "" && ch.migrating != c.App {
		return nil, Fail(403, "Forbidden", "Another application migrates messages to the chat.")
	}
	return ch, nil
}

func (sv *teamService) startChatMigration(c *Call) (*Reply, error) {
	ch, err := sv.migratable(c)
	if err != nil {
		return nil, err
	}
	var in map[string]any
	if len(c.Body) > 0 {
		if err := c.Decode(&in); err != nil {
			return nil, err
		}
	}
	if ch.migrating != "" {
		return nil, Fail(400, "BadRequest", "The chat is in migration mode already.")
	}
	if in["conversationCreationDateTime"] != nil {
		at, err := createdAt(c, in, "conversationCreationDateTime")
		if err != nil {
			return nil, err
		}
		if !at.Before(ch.created) {
			return nil, Fail(400, "BadRequest", "conversationCreationDateTime must be before the chat's createdDateTime.")
		}
		if ch.original.IsZero() {
			ch.original = ch.created
		}
		ch.created = at
	}
	ch.migrating = c.App
	return nil, nil
}

func (sv *teamService) completeChatMigration(c *Call) (*Reply, error) {
	ch, err := sv.migratable(c)
	if err != nil {
		return nil, err
	}
	if ch.migrating == "" {
		return nil, Fail(400, "BadRequest", "The chat is not in migration mode.")
	}
	if sv.s.faults.hit(c, FaultNotClosed) {
		return nil, Fail(400, "BadRequest", "The request could not be processed.")
	}
	ch.migrating, ch.migrated = "", true
	return nil, nil
}

// postChatMessage imports a message: applications may post in migration mode alone. Whoever would be notified is noted.
func (sv *teamService) postChatMessage(c *Call) (*Reply, error) {
	ch, err := sv.migratable(c)
	if err != nil {
		return nil, err
	}
	notice := ChatNotice{Time: c.Now, Chat: ch.id}
	if ch.migrating == "" {
		notice.Why, notice.Refused = "posted", true
		for _, m := range ch.members {
			notice.To = append(notice.To, sv.name(m.user))
		}
		sv.notices = append(sv.notices, notice)
		return nil, Fail(403, "Forbidden", "Message POST is allowed in application-only context only for import purposes. The chat is not in migration mode.")
	}
	p, mentioned, err := sv.imported(c, ch)
	if err != nil {
		return nil, err
	}
	if len(mentioned) > 0 {
		notice.Why = "mentioned"
		for _, id := range mentioned {
			notice.To = append(notice.To, sv.name(id))
		}
		sv.notices = append(sv.notices, notice)
	}
	return sv.took(c, p), nil
}
