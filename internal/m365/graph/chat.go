package graph

import (
	"context"
	"net/http"
	"time"

	"holdfast/internal/m365"
)

// Chat is a conversation of people outside of teams. Its id tells its kind to nobody: Type does.
type Chat struct {
	Row
	ID        string               `json:"id"`
	Type      string               `json:"chatType"` // oneOnOne, group, meeting
	Topic     string               `json:"topic"`    // of a group or a meeting
	Created   time.Time            `json:"createdDateTime"`
	Updated   time.Time            `json:"lastUpdatedDateTime"` // of topic and members, not of messages
	TenantID  string               `json:"tenantId"`            // where it was begun; those of other organizations take no import
	WebURL    string               `json:"webUrl"`
	Hidden    bool                 `json:"isHiddenForAllMembers"`
	Meeting   *OnlineMeeting       `json:"onlineMeetingInfo"`
	Original  time.Time            `json:"originalCreatedDateTime"` // before an import moved Created into the past
	Migration string               `json:"migrationMode"`           // inProgress, completed or empty
	Members   []ConversationMember `json:"members"`                 // when they are expanded: at most ExpandedMembers of them
}

// OnlineMeeting is the meeting that a chat belongs to.
type OnlineMeeting struct {
	EventID   string     `json:"calendarEventId"`
	JoinURL   string     `json:"joinWebUrl"`
	Organizer *Principal `json:"organizer"`
}

// ExpandedMembers is how many members an expansion gives at most; a chat that shows as many may have more, which ChatMembers
// gives ("List chats", known issue).
const ExpandedMembers = 25

// ChatMessagePath are the segments of the address of a message in a chat.
func ChatMessagePath(chat, id string, more ...string) []string {
	return append([]string{"chats", chat, "messages", id}, more...)
}

// UserChats gives the chats that a user takes part in. Its pages have up to 50 rows; Expand takes members and lastMessagePreview.
func (c *Client) UserChats(ctx context.Context, user string, l List) (*Page[Chat], error) {
	return list[Chat](ctx, c, join("users", user, "chats"), l, "Chat.Read.All")
}

// Chat gives one chat, without its members.
func (c *Client) Chat(ctx context.Context, id string) (*Chat, error) {
	return one[Chat](ctx, c, request{path: join("chats", id), permission: "Chat.Read.All"})
}

// ChatMembers gives the members of a chat, those of other organizations too.
func (c *Client) ChatMembers(ctx context.Context, chat string) (*Page[ConversationMember], error) {
	return list[ConversationMember](ctx, c, join("chats", chat, "members"), List{}, "Chat.Read.All")
}

// AllChatMessages gives the messages of all chats that a user takes part in: each member of a chat gets the same ones, which Chat and ID tell.
// Its filter is by lastModifiedDateTime alone.
func (c *Client) AllChatMessages(ctx context.Context, user string, l List) (*Page[ChatMessage], error) {
	return list[ChatMessage](ctx, c, join("users", user, "chats", "getAllMessages"), l, "Chat.Read.All")
}

// ChatMessageDelta begins a round of changes of the messages that AllChatMessages gives, none older than eight months. A link that is too
// old answers 410. US Government has no such function (v1.0-Fairfax.csdl).
func (c *Client) ChatMessageDelta(ctx context.Context, user string, l List) (*Page[ChatMessage], error) {
	return list[ChatMessage](ctx, c, join("users", user, "chats", "getAllMessages", "delta"), l, "Chat.Read.All")
}

// ChatMessages gives the messages of a chat that began in this organization, newest first.
func (c *Client) ChatMessages(ctx context.Context, chat string, l List) (*Page[ChatMessage], error) {
	return list[ChatMessage](ctx, c, join("chats", chat, "messages"), l, "Chat.Read.All")
}

// MessageOfChat gives one message of a chat.
func (c *Client) MessageOfChat(ctx context.Context, chat, id string) (*ChatMessage, error) {
	return one[ChatMessage](ctx, c, request{path: join(ChatMessagePath(chat, id)...), permission: "Chat.Read.All"})
}

// OpenChatHosted gives a picture in a message of a chat. The caller closes it.
func (c *Client) OpenChatHosted(ctx context.Context, chat, id, content string) (*m365.Stream, error) {
	return c.open(ctx, request{path: join(ChatMessagePath(chat, id, "hostedContents", content, "$value")...), permission: "Chat.Read.All", noHTML: true})
}

// NewMember is a member to be: Roles are owner, or guest for a guest of the organization. In a chat each has one of them.
type NewMember struct {
	User  string
	Roles []string
	// Since is from when on the member sees what was said, nil for from now on and the zero time for all. Not for new chats.
	Since *time.Time
}

func (c *Client) newMember(m NewMember) map[string]any {
	in := c.member(m.User, m.Roles)
	if m.Since != nil {
		in["visibleHistoryStartDateTime"] = m.Since.UTC().Format(time.RFC3339Nano)
	}
	return in
}

// NewChat says what chat to make: oneOnOne of two, or a group with a topic or without. Those of meetings come with their meetings alone.
type NewChat struct {
	Type, Topic string
	Members     []NewMember // all of them
}

// CreateChat makes a chat. Between the same two there is one oneOnOne, which is given when it exists.
func (c *Client) CreateChat(ctx context.Context, n NewChat) (*Chat, error) {
	in := map[string]any{"chatType": n.Type}
	if n.Topic != "" {
		in["topic"] = n.Topic
	}
	members := []any{}
	for _, m := range n.Members {
		members = append(members, c.newMember(m))
	}
	in["members"] = members
	return one[Chat](ctx, c, request{method: http.MethodPost, path: join("chats"), in: in, permission: "Chat.Create", repeatable: n.Type == "oneOnOne"})
}

// RenameChat changes the topic of a group.
func (c *Client) RenameChat(ctx context.Context, chat, topic string) error {
	return c.do(ctx, request{method: http.MethodPatch, path: join("chats", chat), in: map[string]any{"topic": topic}, permission: "Chat.ReadWrite.All", repeatable: true}, nil)
}

// AddChatMember adds a member to a group or a meeting; Teams tells the chat so.
func (c *Client) AddChatMember(ctx context.Context, chat string, m NewMember) error {
	return c.do(ctx, request{method: http.MethodPost, path: join("chats", chat, "members"), in: c.newMember(m), permission: "ChatMember.ReadWrite.All"}, nil)
}

// StartChatMigration opens a chat for messages of the past. A time moves its beginning there and must be before it; zero leaves it. The
// application that starts is the only one that can post and complete. Meetings and chats of other organizations are refused.
func (c *Client) StartChatMigration(ctx context.Context, chat string, from time.Time) error {
	in := map[string]any{}
	if !from.IsZero() {
		in["conversationCreationDateTime"] = from.UTC().Format("2006-01-02T15:04:05.000Z")
	}
	return c.do(ctx, request{method: http.MethodPost, path: join("chats", chat, "startMigration"), permission: "Teamwork.Migrate.All", in: in}, nil)
}

// CompleteChatMigration closes a chat for messages of the past.
func (c *Client) CompleteChatMigration(ctx context.Context, chat string) error {
	return c.do(ctx, request{method: http.MethodPost, path: join("chats", chat, "completeMigration"), permission: "Teamwork.Migrate.All"}, nil)
}

// PostChatMessage imports a message into a chat that is open for it. Its millisecond must be free in the chat, its author of the organization.
func (c *Client) PostChatMessage(ctx context.Context, chat string, body any) (*ChatMessage, error) {
	return one[ChatMessage](ctx, c, request{method: http.MethodPost, path: join("chats", chat, "messages"), in: body, permission: "Teamwork.Migrate.All"})
}

// DeletedChat tells of a deleted chat that can still be restored: within seven days.
func (c *Client) DeletedChat(ctx context.Context, id string) error {
	return c.do(ctx, request{path: join("teamwork", "deletedChats", id), permission: "Chat.ManageDeletion.All"}, nil)
}

// RestoreChat restores a deleted chat with all its messages.
func (c *Client) RestoreChat(ctx context.Context, id string) error {
	return c.do(ctx, request{method: http.MethodPost, path: join("teamwork", "deletedChats", id, "undoDelete"), permission: "Chat.ManageDeletion.All"}, nil)
}
