package sim

import (
	"slices"
	"strings"
	"time"
)

// Application permissions of chats, as Microsoft's table has them, and the pages where it has fewer.
var (
	chatList         = []string{"Chat.ReadBasic.All", "Chat.Read.All", "Chat.ReadWrite.All"}
	chatRead         = []string{"Chat.ReadBasic.All", "Chat.Read.All"}
	chatWrite        = []string{"Chat.ReadWrite.All"}
	chatCreate       = []string{"Chat.Create"}
	chatDelete       = []string{"Chat.ManageDeletion.All"}
	chatMembers      = []string{"ChatMember.Read.All", "ChatMember.ReadWrite.All", "Chat.ReadBasic.All", "Chat.Read.All", "Chat.ReadWrite.All"}
	chatMemberAdd    = []string{"ChatMember.ReadWrite.All", "Chat.ReadWrite.All"}
	chatMemberDelete = []string{"ChatMember.ReadWrite.All"}
	chatExport       = []string{"Chat.Read.All", "Chat.ReadWrite.All"}
	chatMessageRead  = []string{"Chat.Read.All"}
)

// expandedMembers is how many members an expansion gives at most ("List chats", known issue).
const expandedMembers = 25

// pageOfChats is the largest page of chats.
const pageOfChats = 50

func (s *Sim) chatRoutes() []Route {
	var out []Route
	add := func(method, pattern string, permissions []string, h func(sv *teamService, c *Call) (*Reply, error)) {
		out = append(out, Route{Host: HostGraph, Method: method, Pattern: "/v1.0" + pattern, Class: ClassTeams, Permissions: permissions, Handle: func(c *Call) (*Reply, error) {
			s.teams.mu.Lock()
			defer s.teams.mu.Unlock()
			return h(s.teams, c)
		}})
	}
	const user, one, message = "/users/{user}/chats", "/chats/{chat}", "/chats/{chat}/messages/{message}"
	add("GET", user, chatList, (*teamService).getChats)
	add("GET", user+"/getAllMessages", chatExport, (*teamService).allChatMessages)
	add("GET", user+"/getAllMessages/delta", chatExport, (*teamService).chatMessagesDelta)
	add("GET", one, chatRead, (*teamService).getChat)
	add("GET", one+"/members", chatMembers, (*teamService).getChatMembers)
	add("GET", one+"/messages", chatExport, (*teamService).getChatMessages)
	add("GET", message, chatMessageRead, (*teamService).getMessage)
	add("GET", message+"/hostedContents", chatExport, (*teamService).getHosted)
	add("GET", message+"/hostedContents/{content}/$value", chatExport, (*teamService).getHostedValue)
	add("POST", "/chats", chatCreate, (*teamService).postChat)
	add("PATCH", one, chatWrite, (*teamService).patchChat)
	add("DELETE", one, chatDelete, (*teamService).deleteChat)
	add("POST", one+"/members", chatMemberAdd, (*teamService).postChatMember)
	add("DELETE", one+"/members/{member}", chatMemberDelete, (*teamService).deleteChatMember)
	add("POST", one+"/startMigration", messageImport, (*teamService).startChatMigration)
	add("POST", one+"/completeMigration", messageImport, (*teamService).completeChatMigration)
	add("POST", one+"/messages", messageImport, (*teamService).postChatMessage)
	add("GET", "/teamwork/deletedChats/{deleted}", chatDelete, (*teamService).getDeletedChat)
	add("POST", "/teamwork/deletedChats/{deleted}/undoDelete", chatDelete, (*teamService).undoDeleteChat)
	return out
}

// chatOf finds the chat that a call names.
func (sv *teamService) chatOf(c *Call) (*chat, error) {
	ch := sv.chat(c.Params["chat"])
	if ch == nil {
		return nil, Fail(404, "NotFound", "No chat found with id %s", c.Params["chat"])
	}
	return ch, nil
}

// ownChat is chatOf for its messages, which only the organization may read where it was begun ("List messages in a chat").
func (sv *teamService) ownChat(c *Call) (*chat, error) {
	ch, err := sv.chatOf(c)
	if err == nil && ch.tenant != sv.s.tenant.TenantID {
		return nil, Fail(403, "Forbidden", "The chat belongs to another tenant.")
	}
	return ch, err
}

// json writes a chat with what of it is expanded.
func (ch *chat) json(c *Call, expand []Expand) (map[string]any, error) {
	s := ch.s
	m := map[string]any{"id": ch.id, "topic": nil, "createdDateTime": millis(ch.created), "lastUpdatedDateTime": millis(ch.updated), "chatType": ch.kind, "tenantId": ch.tenant,
		"webUrl": "https://teams.microsoft.com/l/chat/" + strings.ReplaceAll(ch.id, ":", "%3A") + "/0?tenantId=" + ch.tenant, "onlineMeetingInfo": nil, "viewpoint": nil, "isHiddenForAllMembers": false}
	if ch.topic != "" {
		m["topic"] = ch.topic
	}
	if ch.organizer != "" {
		m["onlineMeetingInfo"] = map[string]any{"calendarEventId": ch.event, "joinWebUrl": "https://teams.microsoft.com/l/meetup-join/" + strings.ReplaceAll(ch.id, ":", "%3A") + "/0", "organizer": s.teamsUser(ch.organizer)}
	}
	if s.cloud.has("chat.migrationMode") {
		m["migrationMode"] = nil
		switch {
		case ch.migrating != "":
			m["migrationMode"] = "inProgress"
		case ch.migrated:
			m["migrationMode"] = "completed"
		}
		m["originalCreatedDateTime"] = millisOrNil(ch.original)
	}
	for _, e := range expand {
		switch e.Name {
		case "members":
			rows := ch.memberRows()
			m["members"] = rows[:min(len(rows), expandedMembers)]
		case "lastMessagePreview":
			m["lastMessagePreview"] = nil
			if p := ch.last(); p != nil {
				full := p.json(knows(c))
				m["lastMessagePreview"] = map[string]any{"id": full["id"], "createdDateTime": full["createdDateTime"], "isDeleted": !p.deleted.IsZero(), "messageType": full["messageType"],
					"body": full["body"], "from": full["from"], "eventDetail": full["eventDetail"]}
			}
		default:
			return nil, Fail(400, "BadRequest", "Parsing OData Select and Expand failed: '%s' can't be expanded here.", e.Name)
		}
	}
	return m, nil
}

func (ch *chat) memberRows() []map[string]any {
	rows := []map[string]any{}
	for _, m := range ch.members {
		if row := ch.of.memberRow(ch.id, m); row != nil {
			rows = append(rows, row)
		}
	}
	return rows
}

// chatsOf are the chats that a user takes part in.
func (sv *teamService) chatsOf(user string) []*chat {
	var out []*chat
	for _, ch := range sv.chats {
		if ch.deleted.IsZero() && ch.member(user) != nil {
			out = append(out, ch)
		}
	}
	return out
}

func (sv *teamService) getChats(c *Call) (*Reply, error) {
	u, err := sv.s.user(c)
	if err != nil {
		return nil, err
	}
	q, err := c.OData("expand", "filter", "top", "orderby", "skiptoken")
	if err != nil {
		return nil, err
	}
	chats := sv.chatsOf(u.ID)
	for _, o := range q.OrderBy {
		if len(q.OrderBy) > 1 || o.Path != "lastMessagePreview/createdDateTime" || !o.Desc {
			return nil, Fail(400, "BadRequest", "Only lastMessagePreview/createdDateTime desc is supported by $orderby.")
		}
		newest := map[*chat]int64{}
		for _, ch := range chats {
			if p := ch.last(); p != nil {
				newest[ch] = p.id
			}
		}
		slices.SortStableFunc(chats, func(a, b *chat) int { return int(min(max(newest[b]-newest[a], -1), 1)) })
	}
	var all []map[string]any
	for _, ch := range chats {
		m, err := ch.json(c, q.Expand)
		if err != nil {
			return nil, err
		}
		if q.Filter != nil {
			if ok, err := q.Filter.Match(lookupIn(m)); err != nil {
				return nil, err
			} else if !ok {
				continue
			}
		}
		all = append(all, m)
	}
	if q.Top == -1 {
		q.Top = 20
	}
	return sv.rows(c, q, "chat", all, pageOfChats)
}

func (sv *teamService) getChat(c *Call) (*Reply, error) {
	ch, err := sv.chatOf(c)
	if err != nil {
		return nil, err
	}
	q, err := c.OData("expand")
	if err != nil {
		return nil, err
	}
	m, err := ch.json(c, q.Expand)
	if err != nil {
		return nil, err
	}
	m["@odata.context"] = c.context("chats/$entity")
	return JSON(200, m), nil
}

func (sv *teamService) getChatMembers(c *Call) (*Reply, error) {
	ch, err := sv.chatOf(c)
	if err != nil {
		return nil, err
	}
	q, err := c.OData("skiptoken")
	if err != nil {
		return nil, err
	}
	return sv.rows(c, q, "conversationMember", ch.memberRows(), 100)
}

// getChatMessages gives the messages of a chat; a filter is by the time by which they are ordered ("List messages in a chat").
func (sv *teamService) getChatMessages(c *Call) (*Reply, error) {
	ch, err := sv.ownChat(c)
	if err != nil {
		return nil, err
	}
	q, err := c.OData("top", "filter", "orderby", "skiptoken")
	if err != nil {
		return nil, err
	}
	by := "lastModifiedDateTime"
	for _, o := range q.OrderBy {
		if len(q.OrderBy) > 1 || o.Path != by && o.Path != "createdDateTime" || !o.Desc {
			return nil, Fail(400, "BadRequest", "Only lastModifiedDateTime and createdDateTime are supported by $orderby, in descending order.")
		}
		by = o.Path
	}
	top, err := q.messages()
	if err != nil {
		return nil, err
	}
	l := ch.messages()
	type row struct {
		n  int
		at time.Time
	}
	var found []row
	for n := range l.posts + len(l.added) {
		at := l.modifiedAt(n, len(l.added))
		if by == "createdDateTime" {
			at = l.createdAt(n, len(l.added))
		}
		if q.Filter != nil {
			ok, err := q.Filter.Match(func(path string) (any, bool) { return at, path == by })
			if err != nil {
				return nil, err
			} else if !ok {
				continue
			}
		}
		found = append(found, row{n, at})
	}
	slices.SortStableFunc(found, func(a, b row) int { return b.at.Compare(a.at) })
	tok := messageToken{Of: "chat " + ch.id, Issued: c.Now.Unix()}
	if q.Token != "" && (!openToken(q.Token, &tok) || tok.Of != "chat "+ch.id || tok.At > len(found)) {
		return nil, Fail(400, "BadRequest", "The skip token is not valid.")
	}
	rows := []any{}
	for tok.At < len(found) && len(rows) < top {
		rows = append(rows, l.nth(found[tok.At].n, len(l.added)).json(knows(c)))
		tok.At++
	}
	if tok.At == len(found) {
		return sv.messagePage(c, rows, nil, false), nil
	}
	return sv.messagePage(c, rows, &tok, false), nil
}

// walkChats begins or goes on with a walk over the messages of all chats of a user, chat by chat, of which keep says by the time of the
// last change which count. What a member must not see of the past is left out.
func (sv *teamService) walkChats(c *Call, u *User, of string, keep func(modified time.Time) bool, q *Query) (rows []any, next *messageToken, err error) {
	tok := messageToken{Of: of, Added: sv.came, Issued: c.Now.Unix()}
	if q.Token != "" && (!openToken(q.Token, &tok) || tok.Of != of) {
		return nil, nil, Fail(400, "BadRequest", "The skip token is not valid.")
	}
	top, err := q.messages()
	if err != nil {
		return nil, nil, err
	}
	rows = []any{}
	for ; tok.Chat < len(sv.chats); tok.Chat, tok.At = tok.Chat+1, 0 {
		ch := sv.chats[tok.Chat]
		m := ch.member(u.ID)
		if m == nil || !ch.deleted.IsZero() {
			continue
		}
		added := ch.earlier(tok.Added)
		for ; tok.At < ch.posts+added; tok.At++ {
			if !keep(ch.modifiedAt(tok.At, added)) || ch.createdAt(tok.At, added).Before(m.since) {
				continue
			}
			if len(rows) == top {
				return rows, &tok, nil
			}
			rows = append(rows, ch.nth(tok.At, added).json(knows(c)))
		}
	}
	return rows, nil, nil
}

// allChatMessages exports the messages of all chats of a user; a filter is by the time of the last change alone.
func (sv *teamService) allChatMessages(c *Call) (*Reply, error) {
	u, err := sv.s.user(c)
	if err != nil {
		return nil, err
	}
	q, err := c.OData("top", "filter", "skiptoken")
	if err != nil {
		return nil, err
	}
	keep, err := q.byTime(c.Now)
	if err != nil {
		return nil, err
	}
	rows, next, err := sv.walkChats(c, u, "chats "+u.ID, keep, q)
	if err != nil {
		return nil, err
	}
	return sv.messagePage(c, rows, next, true), nil
}

// byTime is a filter of messages by the time of their last change; without one all pass.
func (q *Query) byTime(now time.Time) (func(time.Time) bool, error) {
	if q.Filter == nil {
		return func(time.Time) bool { return true }, nil
	}
	if _, err := q.Filter.Match(lookTime(now)); err != nil {
		return nil, err
	}
	return func(at time.Time) bool {
		ok, err := q.Filter.Match(lookTime(at))
		return err == nil && ok
	}, nil
}

// chatMessagesDelta tells of the messages of all chats of a user that came or changed in the last eight months.
func (sv *teamService) chatMessagesDelta(c *Call) (*Reply, error) {
	u, err := sv.s.user(c)
	if err != nil {
		return nil, err
	}
	q, err := c.OData("top", "filter", "skiptoken")
	if err != nil {
		return nil, err
	}
	filter, err := q.byTime(c.Now)
	if err != nil {
		return nil, err
	}
	of := "chats delta " + u.ID
	since, begun, err := sv.round(c, of, q)
	if err != nil {
		return nil, err
	}
	rows, next, err := sv.walkChats(c, u, of, func(at time.Time) bool { return at.After(since) && filter(at) }, q)
	if err != nil {
		return nil, err
	}
	return sv.deltaPage(c, of, rows, next, since, begun), nil
}
