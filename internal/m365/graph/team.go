package graph

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"time"

	"holdfast/internal/m365"
)

// Team is a team of Microsoft Teams; its id is its group's.
type Team struct {
	Row
	ID          string    `json:"id"`
	DisplayName string    `json:"displayName"`
	Description string    `json:"description"`
	Visibility  string    `json:"visibility"`
	Created     time.Time `json:"createdDateTime"`
	Archived    bool      `json:"isArchived"`
}

// Channel is a channel of a team.
type Channel struct {
	Row
	ID          string    `json:"id"`
	DisplayName string    `json:"displayName"`
	Description string    `json:"description"`
	Membership  string    `json:"membershipType"` // standard, private, shared
	Created     time.Time `json:"createdDateTime"`
	Original    time.Time `json:"originalCreatedDateTime"` // of the conversation, when it was imported
	Migration   string    `json:"migrationMode"`           // inProgress, completed or empty
}

// ConversationMember is a member of a team, of a private or shared channel, or of a chat.
type ConversationMember struct {
	Row
	Type        string    `json:"@odata.type"` // #microsoft.graph.aadUserConversationMember for who has an account in some organization
	ID          string    `json:"id"`
	UserID      string    `json:"userId"`
	DisplayName string    `json:"displayName"`
	Email       string    `json:"email"`
	Roles       []string  `json:"roles"`                       // owner, guest; none of a plain member
	TenantID    string    `json:"tenantId"`                    // of the member's own organization
	Since       time.Time `json:"visibleHistoryStartDateTime"` // from when on messages are seen; zero for all
}

// TeamsApp is an app of the catalog.
type TeamsApp struct {
	ID          string `json:"id"`
	DisplayName string `json:"displayName"`
}

// AppInstallation is an app in a team.
type AppInstallation struct {
	Row
	ID  string   `json:"id"`
	App TeamsApp `json:"teamsApp"`
}

// Tab is a tab of a channel.
type Tab struct {
	Row
	ID            string           `json:"id"`
	DisplayName   string           `json:"displayName"`
	App           TeamsApp         `json:"teamsApp"`
	Configuration TabConfiguration `json:"configuration"`
}

// TabConfiguration says what a tab shows.
type TabConfiguration struct {
	EntityID   string `json:"entityId"`
	ContentURL string `json:"contentUrl"`
	WebsiteURL string `json:"websiteUrl"`
}

// ChatMessage is a message of a channel or a reply to one, or a message of a chat.
type ChatMessage struct {
	Row
	Chat        string              `json:"chatId"`
	ID          string              `json:"id"` // the millisecond of its creation
	ReplyTo     string              `json:"replyToId"`
	ETag        string              `json:"etag"`
	Type        string              `json:"messageType"`
	Created     time.Time           `json:"createdDateTime"`
	Modified    time.Time           `json:"lastModifiedDateTime"`
	Edited      time.Time           `json:"lastEditedDateTime"`
	Deleted     time.Time           `json:"deletedDateTime"`
	Subject     string              `json:"subject"`
	Importance  string              `json:"importance"`
	From        *MessageFrom        `json:"from"`
	Body        MessageBody         `json:"body"`
	Channel     *ChannelIdentity    `json:"channelIdentity"`
	Attachments []MessageAttachment `json:"attachments"`
	Mentions    []json.RawMessage   `json:"mentions"`
	Reactions   []json.RawMessage   `json:"reactions"`
	Event       json.RawMessage     `json:"eventDetail"`
	Policy      json.RawMessage     `json:"policyViolation"`
}

// MessageFrom is who wrote a message: a user or an application.
type MessageFrom struct {
	User        *Principal `json:"user"`
	Application *Principal `json:"application"`
}

// MessageBody is what a message says; ContentType is html or text.
type MessageBody struct {
	ContentType string `json:"contentType"`
	Content     string `json:"content"`
}

// ChannelIdentity says where a message is.
type ChannelIdentity struct {
	TeamID    string `json:"teamId"`
	ChannelID string `json:"channelId"`
}

// MessageAttachment is a file that a message refers to, or a card.
type MessageAttachment struct {
	ID          string `json:"id"`
	ContentType string `json:"contentType"` // reference: a file
	ContentURL  string `json:"contentUrl"`
	Name        string `json:"name"`
	Content     string `json:"content"`
	Thumbnail   string `json:"thumbnailUrl"`
	AppID       string `json:"teamsAppId"`
}

// teamJoin is a path in a team.
func teamJoin(team string, parts ...string) string {
	return join(append([]string{"teams", team}, parts...)...)
}

// MessagePath are the segments of a message's address; root is empty for one that replies to none.
func MessagePath(team, channel, root, id string, more ...string) []string {
	path := []string{"teams", team, "channels", channel, "messages"}
	if root != "" {
		path = append(path, root, "replies")
	}
	return append(append(path, id), more...)
}

// TeamGroups gives the groups that have a team.
func (c *Client) TeamGroups(ctx context.Context, l List) (*Page[Group], error) {
	l.Filter = "resourceProvisioningOptions/Any(x:x eq 'Team')"
	return list[Group](ctx, c, join("groups"), l, "Group.Read.All")
}

// Team gives one team.
func (c *Client) Team(ctx context.Context, id string) (*Team, error) {
	return one[Team](ctx, c, request{path: teamJoin(id), permission: "Team.ReadBasic.All"})
}

// Channels gives a team's own channels.
func (c *Client) Channels(ctx context.Context, team string) (*Page[Channel], error) {
	return list[Channel](ctx, c, teamJoin(team, "channels"), List{}, "Channel.ReadBasic.All")
}

// Channel gives one channel.
func (c *Client) Channel(ctx context.Context, team, id string) (*Channel, error) {
	return one[Channel](ctx, c, request{path: teamJoin(team, "channels", id), permission: "Channel.ReadBasic.All"})
}

// FilesFolder gives the folder of a channel's files; its drive is in parentReference.
func (c *Client) FilesFolder(ctx context.Context, team, channel string) (*DriveItem, error) {
	return one[DriveItem](ctx, c, request{path: teamJoin(team, "channels", channel, "filesFolder"), permission: "Files.Read.All"})
}

// TeamMembers gives the members of a team.
func (c *Client) TeamMembers(ctx context.Context, team string, l List) (*Page[ConversationMember], error) {
	return list[ConversationMember](ctx, c, teamJoin(team, "members"), l, "TeamMember.Read.All")
}

// ChannelMembers gives the members of a channel.
func (c *Client) ChannelMembers(ctx context.Context, team, channel string, l List) (*Page[ConversationMember], error) {
	return list[ConversationMember](ctx, c, teamJoin(team, "channels", channel, "members"), l, "ChannelMember.Read.All")
}

// TeamApps gives the apps that are installed in a team.
func (c *Client) TeamApps(ctx context.Context, team string) (*Page[AppInstallation], error) {
	return list[AppInstallation](ctx, c, teamJoin(team, "installedApps"), List{Expand: []string{"teamsApp"}}, "TeamsAppInstallation.ReadForTeam.All")
}

// Tabs gives the tabs of a channel.
func (c *Client) Tabs(ctx context.Context, team, channel string) (*Page[Tab], error) {
	return list[Tab](ctx, c, teamJoin(team, "channels", channel, "tabs"), List{Expand: []string{"teamsApp"}}, "TeamsTab.Read.All")
}

// AllMessages gives the messages of all channels of a team, replies as rows of their own. Its filter is by lastModifiedDateTime alone.
func (c *Client) AllMessages(ctx context.Context, team string, l List) (*Page[ChatMessage], error) {
	return list[ChatMessage](ctx, c, teamJoin(team, "channels", "getAllMessages"), l, "ChannelMessage.Read.All")
}

// ChatMessage gives one message; root is empty for one that replies to none.
func (c *Client) ChatMessage(ctx context.Context, team, channel, root, id string) (*ChatMessage, error) {
	return one[ChatMessage](ctx, c, request{path: join(MessagePath(team, channel, root, id)...), permission: "ChannelMessage.Read.All"})
}

// OpenHosted gives a picture in a message. The caller closes it.
func (c *Client) OpenHosted(ctx context.Context, team, channel, root, id, content string) (*m365.Stream, error) {
	return c.open(ctx, request{path: join(MessagePath(team, channel, root, id, "hostedContents", content, "$value")...), permission: "ChannelMessage.Read.All", noHTML: true})
}

// OpenGroupPhoto gives the picture of a group. The caller closes it.
func (c *Client) OpenGroupPhoto(ctx context.Context, group string) (*m365.Stream, error) {
	return c.open(ctx, request{path: join("groups", group, "photo", "$value"), permission: "Group.Read.All", noHTML: true})
}

// PutGroupPhoto sets the picture of a group.
func (c *Client) PutGroupPhoto(ctx context.Context, group, contentType string, photo []byte) error {
	return c.do(ctx, request{method: http.MethodPut, path: join("groups", group, "photo", "$value"), raw: photo, rawType: contentType, permission: "Group.ReadWrite.All", repeatable: true}, nil)
}

// DeletedGroup gives a deleted group that can be restored.
func (c *Client) DeletedGroup(ctx context.Context, id string) (*Group, error) {
	return one[Group](ctx, c, request{path: join("directory", "deletedItems", id), permission: "Group.Read.All"})
}

// RestoreGroup restores a deleted group with what belongs to it.
func (c *Client) RestoreGroup(ctx context.Context, id string) error {
	return c.do(ctx, request{method: http.MethodPost, path: join("directory", "deletedItems", id, "restore"), permission: "Group.ReadWrite.All"}, nil)
}

// Bind is the address by which a request names an object.
func (c *Client) Bind(parts ...string) string {
	return "https://" + c.m.Cloud().Graph + root + join(parts...)
}

// member is a member as a request names one.
func (c *Client) member(user string, roles []string) map[string]any {
	if roles == nil {
		roles = []string{}
	}
	return map[string]any{"@odata.type": "#microsoft.graph.aadUserConversationMember", "roles": roles, "user@odata.bind": "https://" + c.m.Cloud().Graph + root + "/users(" + quote(user) + ")"}
}

// NewTeam says what team to make: in migration mode as old as Created says and without members, else with one owner.
type NewTeam struct {
	DisplayName, Description, Visibility string
	Created                              time.Time
	Migration                            bool
	Owner                                string
}

// CreateTeam makes a team and gives its id. The team is not ready before its operation ends, which OperationDone tells.
func (c *Client) CreateTeam(ctx context.Context, n NewTeam) (id, operation string, err error) {
	in := map[string]any{"template@odata.bind": "https://" + c.m.Cloud().Graph + root + "/teamsTemplates('standard')", "displayName": n.DisplayName, "description": n.Description}
	if n.Visibility == "public" || n.Visibility == "private" {
		in["visibility"] = n.Visibility
	}
	if n.Migration {
		in["@microsoft.graph.teamCreationMode"], in["createdDateTime"] = "migration", n.Created.UTC().Format(time.RFC3339Nano)
	} else {
		in["members"] = []any{c.member(n.Owner, []string{"owner"})}
	}
	call, err := c.call(request{method: http.MethodPost, path: join("teams"), in: in, permission: "Team.Create"})
	if err != nil {
		return "", "", err
	}
	resp, err := c.m.Do(ctx, call)
	if err != nil {
		return "", "", err
	}
	operation = resp.Header.Get("Location")
	segments := strings.FieldsFunc(operation, func(r rune) bool { return r == '/' || r == '(' || r == ')' || r == '\'' })
	if len(segments) != 4 || segments[0] != "teams" || segments[2] != "operations" {
		return "", "", &Error{Kind: m365.Corrupt, Call: "POST /teams", Status: resp.Status, Code: "answer not understood", Unknown: true}
	}
	return segments[1], segments[3], nil
}

// OperationDone tells whether an operation on a team ended; one that failed is an error.
func (c *Client) OperationDone(ctx context.Context, team, operation string) (bool, error) {
	var op struct {
		Status string `json:"status"`
		Error  *struct {
			Code    string `json:"code"`
			Message string `json:"message"`
		} `json:"error"`
	}
	if err := c.do(ctx, request{path: teamJoin(team, "operations", operation), permission: "Team.Create"}, &op); err != nil {
		return false, err
	}
	if op.Status == "failed" {
		e := &Error{Kind: m365.Unavailable, Call: "an operation on a team", Code: "failed"}
		if op.Error != nil {
			e.Code, e.Message = op.Error.Code, op.Error.Message
		}
		return false, e
	}
	return op.Status == "succeeded", nil
}

// UpdateTeam changes a team's settings.
func (c *Client) UpdateTeam(ctx context.Context, team string, body any) error {
	return c.do(ctx, request{method: http.MethodPatch, path: teamJoin(team), in: body, permission: "TeamSettings.ReadWrite.All", repeatable: true}, nil)
}

// ArchiveTeam makes a team read-only, or opens it.
func (c *Client) ArchiveTeam(ctx context.Context, team string, archived bool) error {
	what := "unarchive"
	if archived {
		what = "archive"
	}
	return c.do(ctx, request{method: http.MethodPost, path: teamJoin(team, what), permission: "TeamSettings.ReadWrite.All", repeatable: true}, nil)
}

// AddTeamMember adds a member to a team, or gives one other roles.
func (c *Client) AddTeamMember(ctx context.Context, team, user string, roles []string) error {
	return c.do(ctx, request{method: http.MethodPost, path: teamJoin(team, "members"), in: c.member(user, roles), permission: "TeamMember.ReadWrite.All", repeatable: true}, nil)
}

// AddChannelMember adds a member to a private or shared channel.
func (c *Client) AddChannelMember(ctx context.Context, team, channel, user string, roles []string) error {
	return c.do(ctx, request{method: http.MethodPost, path: teamJoin(team, "channels", channel, "members"), in: c.member(user, roles), permission: "ChannelMember.ReadWrite.All", repeatable: true}, nil)
}

// CreateChannel makes a channel; owner is that of a private or shared one.
func (c *Client) CreateChannel(ctx context.Context, team, name, description, membership, owner string) (*Channel, error) {
	in := map[string]any{"displayName": name, "description": description, "membershipType": membership}
	if owner != "" {
		in["members"] = []any{c.member(owner, []string{"owner"})}
	}
	return one[Channel](ctx, c, request{method: http.MethodPost, path: teamJoin(team, "channels"), in: in, permission: "Channel.Create"})
}

// UpdateChannel changes a channel.
func (c *Client) UpdateChannel(ctx context.Context, team, channel string, body any) error {
	return c.do(ctx, request{method: http.MethodPatch, path: teamJoin(team, "channels", channel), in: body, permission: "ChannelSettings.ReadWrite.All", repeatable: true}, nil)
}

// InstallApp installs an app in a team; one that is there is a conflict.
func (c *Client) InstallApp(ctx context.Context, team, app string) error {
	return c.do(ctx, request{method: http.MethodPost, path: teamJoin(team, "installedApps"), in: map[string]any{"teamsApp@odata.bind": c.Bind("appCatalogs", "teamsApps", app)}, permission: "TeamsAppInstallation.ReadWriteForTeam.All"}, nil)
}

// AddTab adds a tab to a channel.
func (c *Client) AddTab(ctx context.Context, team, channel, name, app string, configuration any) (*Tab, error) {
	return one[Tab](ctx, c, request{method: http.MethodPost, path: teamJoin(team, "channels", channel, "tabs"), permission: "TeamsTab.ReadWriteForTeam.All",
		in: map[string]any{"displayName": name, "teamsApp@odata.bind": c.Bind("appCatalogs", "teamsApps", app), "configuration": configuration}})
}

// StartMigration opens a channel for messages of the past, from a time on.
func (c *Client) StartMigration(ctx context.Context, team, channel string, from time.Time) error {
	return c.do(ctx, request{method: http.MethodPost, path: teamJoin(team, "channels", channel, "startMigration"), permission: "Teamwork.Migrate.All", repeatable: true,
		in: map[string]any{"conversationCreationDateTime": from.UTC().Format("2006-01-02T15:04:05.000Z")}}, nil)
}

// CompleteMigration closes a channel, or the team when channel is empty, for messages of the past.
func (c *Client) CompleteMigration(ctx context.Context, team, channel string) error {
	path := teamJoin(team, "completeMigration")
	if channel != "" {
		path = teamJoin(team, "channels", channel, "completeMigration")
	}
	return c.do(ctx, request{method: http.MethodPost, path: path, permission: "Teamwork.Migrate.All", repeatable: true}, nil)
}

// PostMessage imports a message, or a reply when root is not empty. Its millisecond must be free in the channel.
func (c *Client) PostMessage(ctx context.Context, team, channel, root string, body any) (*ChatMessage, error) {
	path := teamJoin(team, "channels", channel, "messages")
	if root != "" {
		path = teamJoin(team, "channels", channel, "messages", root, "replies")
	}
	return one[ChatMessage](ctx, c, request{method: http.MethodPost, path: path, in: body, permission: "Teamwork.Migrate.All"})
}

// ErrorText is what the service said, without the call.
func ErrorText(err error) string {
	var e *Error
	if errors.As(err, &e) && e.Message != "" {
		return e.Message
	}
	return err.Error()
}
