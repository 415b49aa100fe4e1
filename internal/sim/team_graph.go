package sim

import (
	"encoding/base64"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Application permissions, as Microsoft's table has them.
var (
	teamRead         = []string{"Team.ReadBasic.All", "TeamSettings.Read.All", "TeamSettings.ReadWrite.All", "Group.Read.All", "Group.ReadWrite.All", "Directory.Read.All", "Directory.ReadWrite.All"}
	teamWrite        = []string{"TeamSettings.ReadWrite.All", "Group.ReadWrite.All", "Directory.ReadWrite.All"}
	teamCreate       = []string{"Team.Create", "Teamwork.Migrate.All", "Group.ReadWrite.All", "Directory.ReadWrite.All"}
	channelRead      = []string{"Channel.ReadBasic.All", "ChannelSettings.Read.All", "ChannelSettings.ReadWrite.All", "Group.Read.All", "Group.ReadWrite.All", "Directory.Read.All", "Directory.ReadWrite.All"}
	channelAll       = []string{"Channel.ReadBasic.All", "ChannelSettings.Read.All", "ChannelSettings.ReadWrite.All"}
	channelCreate    = []string{"Channel.Create", "Teamwork.Migrate.All", "Group.ReadWrite.All", "Directory.ReadWrite.All"}
	channelWrite     = []string{"ChannelSettings.ReadWrite.All", "Group.ReadWrite.All", "Directory.ReadWrite.All"}
	channelDelete    = []string{"Channel.Delete.All", "Group.ReadWrite.All", "Directory.ReadWrite.All"}
	channelMembers   = []string{"ChannelMember.Read.All", "ChannelMember.ReadWrite.All"}
	channelMemberAdd = []string{"ChannelMember.ReadWrite.All"}
	messageExport    = []string{"ChannelMessage.Read.All"}
	messageRead      = []string{"ChannelMessage.Read.All", "Group.Read.All", "Group.ReadWrite.All"}
	messageImport    = []string{"Teamwork.Migrate.All"}
	teamMemberRead   = []string{"TeamMember.Read.All", "TeamMember.ReadWrite.All"}
	teamMemberAdd    = []string{"TeamMember.ReadWrite.All", "TeamMember.ReadWriteNonOwnerRole.All"}
	tabRead          = []string{"TeamsTab.Read.All", "TeamsTab.ReadWrite.All", "TeamsTab.ReadWriteForTeam.All", "Group.Read.All", "Group.ReadWrite.All", "Directory.Read.All", "Directory.ReadWrite.All"}
	tabAdd           = []string{"TeamsTab.Create", "TeamsTab.ReadWrite.All", "TeamsTab.ReadWriteForTeam.All", "Group.ReadWrite.All", "Directory.ReadWrite.All"}
	tabWrite         = []string{"TeamsTab.ReadWrite.All", "TeamsTab.ReadWriteForTeam.All", "Group.ReadWrite.All", "Directory.ReadWrite.All"}
	appRead          = []string{"TeamsAppInstallation.Read.All", "TeamsAppInstallation.ReadWriteForTeam.All", "Group.Read.All", "Group.ReadWrite.All", "Directory.Read.All", "Directory.ReadWrite.All"}
	appAdd           = []string{"TeamsAppInstallation.ReadWriteForTeam.All", "Group.ReadWrite.All", "Directory.ReadWrite.All"}
	filesFolderRead  = []string{"Files.Read.All", "Files.ReadWrite.All", "Sites.Read.All", "Sites.ReadWrite.All", "Group.Read.All", "Group.ReadWrite.All"}
)

func (s *Sim) teamRoutes() []Route {
	var out []Route
	add := func(method, pattern string, permissions []string, h func(sv *teamService, c *Call) (*Reply, error)) {
		out = append(out, Route{Host: HostGraph, Method: method, Pattern: "/v1.0" + pattern, Class: ClassTeams, Permissions: permissions, Handle: func(c *Call) (*Reply, error) {
			s.teams.mu.Lock()
			defer s.teams.mu.Unlock()
			return h(s.teams, c)
		}})
	}
	const team, channel = "/teams/{team}", "/teams/{team}/channels/{channel}"
	add("POST", "/teams", teamCreate, (*teamService).postTeam)
	add("GET", team, teamRead, (*teamService).getTeam)
	add("PATCH", team, teamWrite, (*teamService).patchTeam)
	add("GET", team+"/operations/{operation}", teamCreate, (*teamService).getOperation)
	add("POST", team+"/archive", teamWrite, (*teamService).archive)
	add("POST", team+"/unarchive", teamWrite, (*teamService).unarchive)
	add("POST", team+"/completeMigration", messageImport, (*teamService).completeTeam)
	add("GET", team+"/members", teamMemberRead, (*teamService).getMembers)
	add("POST", team+"/members", teamMemberAdd, (*teamService).postMember)
	add("POST", team+"/members/add", teamMemberAdd, (*teamService).addMembers)
	add("GET", team+"/installedApps", appRead, (*teamService).getApps)
	add("POST", team+"/installedApps", appAdd, (*teamService).postApp)
	add("GET", team+"/allChannels", channelAll, (*teamService).getChannels)
	add("GET", team+"/channels", channelRead, (*teamService).getChannels)
	add("POST", team+"/channels", channelCreate, (*teamService).postChannel)
	add("GET", team+"/channels/getAllMessages", messageExport, (*teamService).allMessages)
	add("GET", channel, channelRead, (*teamService).getChannel)
	add("PATCH", channel, channelWrite, (*teamService).patchChannel)
	add("DELETE", channel, channelDelete, (*teamService).deleteChannel)
	add("GET", channel+"/filesFolder", filesFolderRead, (*teamService).getFilesFolder)
	add("POST", channel+"/startMigration", messageImport, (*teamService).startMigration)
	add("POST", channel+"/completeMigration", messageImport, (*teamService).completeChannel)
	add("GET", channel+"/members", channelMembers, (*teamService).getChannelMembers)
	add("GET", channel+"/allMembers", channelMembers, (*teamService).getChannelMembers)
	add("POST", channel+"/members", channelMemberAdd, (*teamService).postChannelMember)
	add("GET", channel+"/tabs", tabRead, (*teamService).getTabs)
	add("POST", channel+"/tabs", tabAdd, (*teamService).postTab)
	add("DELETE", channel+"/tabs/{tab}", tabWrite, (*teamService).deleteTab)
	add("GET", channel+"/messages", messageRead, (*teamService).getMessages)
	add("POST", channel+"/messages", messageImport, (*teamService).postMessage)
	add("GET", channel+"/messages/delta", messageRead, (*teamService).messagesDelta)
	add("GET", channel+"/messages/{message}", messageRead, (*teamService).getMessage)
	add("GET", channel+"/messages/{message}/replies", messageRead, (*teamService).getReplies)
	add("POST", channel+"/messages/{message}/replies", messageImport, (*teamService).postMessage)
	add("GET", channel+"/messages/{message}/replies/{reply}", messageRead, (*teamService).getMessage)
	add("GET", channel+"/messages/{message}/hostedContents", messageRead, (*teamService).getHosted)
	add("GET", channel+"/messages/{message}/hostedContents/{content}/$value", messageRead, (*teamService).getHostedValue)
	add("GET", channel+"/messages/{message}/replies/{reply}/hostedContents", messageRead, (*teamService).getHosted)
	add("GET", channel+"/messages/{message}/replies/{reply}/hostedContents/{content}/$value", messageRead, (*teamService).getHostedValue)
	add("GET", "/teamwork/deletedTeams/{team}/channels/getAllMessages", messageExport, (*teamService).deletedMessages)
	return out
}

// teamOf finds the team that a call names. A group that has no team is not found as one.
func (sv *teamService) teamOf(c *Call) (*team, error) {
	t := sv.team(c.Params["team"])
	if t == nil {
		return nil, Fail(404, "NotFound", "No team found with Group Id %s", c.Params["team"])
	}
	return t, nil
}

// writable is teamOf for a change; an archived team takes none.
func (sv *teamService) writable(c *Call) (*team, error) {
	t, err := sv.teamOf(c)
	if err == nil && t.archived {
		return nil, Fail(403, "Forbidden", "Team is archived and can't be changed.").with("TeamArchived")
	}
	return t, err
}

func (sv *teamService) channelOf(c *Call) (*channel, error) {
	t, err := sv.teamOf(c)
	if err != nil {
		return nil, err
	}
	ch := t.channel(c.Params["channel"])
	if ch == nil {
		return nil, Fail(404, "NotFound", "Channel not found.")
	}
	return ch, nil
}

func (sv *teamService) writableChannel(c *Call) (*channel, error) {
	if _, err := sv.writable(c); err != nil {
		return nil, err
	}
	return sv.channelOf(c)
}

func (t *team) json() map[string]any {
	s := t.of.s
	s.dir.mu.Lock()
	defer s.dir.mu.Unlock()
	m := map[string]any{"id": t.id(), "displayName": t.group.DisplayName, "description": t.group.Description, "createdDateTime": millis(t.created), "internalId": "19:" + strings.ReplaceAll(t.id(), "-", "") + "@thread.tacv2",
		"classification": t.classification, "specialization": "none", "visibility": "private", "isArchived": t.archived, "tenantId": s.tenant.TenantID,
		"webUrl":  "https://teams.microsoft.com/l/team/" + t.id() + "/conversations?groupId=" + t.id() + "&tenantId=" + s.tenant.TenantID,
		"summary": map[string]any{"ownersCount": len(t.group.Owners), "membersCount": len(t.group.Members), "guestsCount": 0}}
	for name, set := range t.settings {
		m[name] = set
	}
	if t.group.Public {
		m["visibility"] = "public"
	}
	return m
}

func (ch *channel) json() map[string]any {
	s := ch.team.of.s
	m := map[string]any{"id": ch.id, "displayName": ch.name, "description": nil, "createdDateTime": millis(ch.created), "email": "", "isFavoriteByDefault": nil, "membershipType": ch.kind,
		"tenantId": s.tenant.TenantID, "isArchived": ch.team.archived, "webUrl": "https://teams.microsoft.com/l/channel/" + strings.ReplaceAll(ch.id, ":", "%3A") + "/" + siteName(ch.name) + "?groupId=" + ch.team.id()}
	if ch.description != "" {
		m["description"] = ch.description
	}
	if s.cloud.has("channel.migrationMode") {
		m["migrationMode"] = nil
		switch {
		case ch.migrating:
			m["migrationMode"] = "inProgress"
		case ch.migrated:
			m["migrationMode"] = "completed"
		}
		m["originalCreatedDateTime"] = millisOrNil(ch.original)
	}
	return m
}

func anyKnown(names ...string) func(string) bool {
	return func(n string) bool { return slices.Contains(names, n) }
}

// rows answers a list in pages of up to most rows.
func (sv *teamService) rows(c *Call, q *Query, of string, all []map[string]any, most int) (*Reply, error) {
	at, top := 0, most
	if q.Top > most {
		return nil, Fail(400, "BadRequest", "The limit of '%d' for Top query has been exceeded. The value from the incoming request is '%d'.", most, q.Top)
	} else if q.Top > 0 {
		top = q.Top
	}
	if q.Token != "" {
		b, err := base64.RawURLEncoding.DecodeString(q.Token)
		if at, err = strconv.Atoi(string(b)); err != nil || at < 0 || at > len(all) {
			return nil, Fail(400, "BadRequest", "The skip token is not valid.")
		}
	}
	to := min(at+top, len(all))
	rows := []any{}
	for _, m := range all[at:to] {
		row, err := project(m, q.Select, "microsoft.graph."+of, func(string) bool { return false })
		if err != nil {
			return nil, err
		}
		rows = append(rows, row)
	}
	page := map[string]any{"@odata.context": c.context("Collection(" + of + ")"), "@odata.count": len(rows), "value": rows}
	if to < len(all) {
		page["@odata.nextLink"] = c.nextURL(map[string]string{"$skiptoken": base64URL([]byte(strconv.Itoa(to)))}, "skiptoken")
	}
	sv.s.faults.page(c, page, c.again(), false)
	return JSON(200, page), nil
}

func (sv *teamService) one(c *Call, of string, m map[string]any) (*Reply, error) {
	q, err := c.OData("select")
	if err != nil {
		return nil, err
	}
	m, err = project(m, q.Select, "microsoft.graph."+of, func(string) bool { return false })
	if err != nil {
		return nil, err
	}
	m["@odata.context"] = c.context(of + "/$entity")
	return JSON(200, m), nil
}

func (sv *teamService) getTeam(c *Call) (*Reply, error) {
	t, err := sv.teamOf(c)
	if err != nil {
		return nil, err
	}
	return sv.one(c, "teams", t.json())
}

func (sv *teamService) getChannels(c *Call) (*Reply, error) {
	t, err := sv.teamOf(c)
	if err != nil {
		return nil, err
	}
	q, err := c.OData("select", "filter", "skiptoken")
	if err != nil {
		return nil, err
	}
	var all []map[string]any
	for _, ch := range t.live() {
		m := ch.json()
		if q.Filter != nil {
			if ok, err := q.Filter.Match(lookupIn(m)); err != nil {
				return nil, err
			} else if !ok {
				continue
			}
		}
		all = append(all, m)
	}
	return sv.rows(c, q, "channel", all, 1000)
}

func (sv *teamService) getChannel(c *Call) (*Reply, error) {
	ch, err := sv.channelOf(c)
	if err != nil {
		return nil, err
	}
	return sv.one(c, "channel", ch.json())
}

func (sv *teamService) getFilesFolder(c *Call) (*Reply, error) {
	ch, err := sv.channelOf(c)
	if err != nil {
		return nil, err
	}
	d, n := ch.filesFolder()
	if err := d.reachable(); err != nil {
		return nil, err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	m := d.item(c, n, rowStyle{})
	m["@odata.context"] = c.context("driveItem")
	return JSON(200, m), nil
}

// memberRows are members as Teams writes them; roles of a plain member are none.
func (sv *teamService) memberRows(of string, members []channelMember) []map[string]any {
	var out []map[string]any
	for _, m := range members {
		role := ""
		if m.owner {
			role = "owner"
		}
		if row := sv.memberRow(of, chatMember{user: m.user, role: role}); row != nil {
			out = append(out, row)
		}
	}
	return out
}

// memberRow is one member, of this organization or of another; nil when there is no such person.
func (sv *teamService) memberRow(of string, m chatMember) map[string]any {
	roles := []string{}
	if m.role != "" {
		roles = append(roles, m.role)
	}
	row := map[string]any{"@odata.type": "#microsoft.graph.aadUserConversationMember", "id": memberID(sv.s, of, m.user), "roles": roles, "userId": m.user,
		"visibleHistoryStartDateTime": historyStart(m.since)}
	if u := sv.s.dir.find(m.user); u != nil {
		row["displayName"], row["email"], row["tenantId"] = u.DisplayName, u.Mail, sv.s.tenant.TenantID
	} else if x := sv.outsider(m.user); x != nil {
		row["displayName"], row["email"], row["tenantId"] = x.name, x.mail, x.tenant
	} else {
		return nil
	}
	return row
}

// members are those of the group.
func (t *team) members() []channelMember {
	t.of.s.dir.mu.Lock()
	defer t.of.s.dir.mu.Unlock()
	var out []channelMember
	for _, id := range t.group.Owners {
		out = append(out, channelMember{id, true})
	}
	for _, id := range t.group.Members {
		if !slices.Contains(t.group.Owners, id) {
			out = append(out, channelMember{id, false})
		}
	}
	return out
}

func (sv *teamService) getMembers(c *Call) (*Reply, error) {
	t, err := sv.teamOf(c)
	if err != nil {
		return nil, err
	}
	q, err := c.OData("select", "top", "skiptoken")
	if err != nil {
		return nil, err
	}
	if q.Top == -1 {
		q.Top = 100
	}
	return sv.rows(c, q, "conversationMember", sv.memberRows(t.id(), t.members()), 999)
}

func (sv *teamService) getChannelMembers(c *Call) (*Reply, error) {
	ch, err := sv.channelOf(c)
	if err != nil {
		return nil, err
	}
	q, err := c.OData("select", "top", "skiptoken")
	if err != nil {
		return nil, err
	}
	if q.Top == -1 {
		q.Top = 100
	}
	members := ch.members
	if ch.kind == "standard" {
		members = ch.team.members()
	}
	return sv.rows(c, q, "conversationMember", sv.memberRows(ch.id, members), 999)
}

func (a *teamApp) json() map[string]any {
	return map[string]any{"id": a.id, "externalId": nil, "displayName": a.name, "distributionMethod": a.method}
}

func (sv *teamService) getApps(c *Call) (*Reply, error) {
	t, err := sv.teamOf(c)
	if err != nil {
		return nil, err
	}
	q, err := c.OData("expand", "filter", "skiptoken")
	if err != nil {
		return nil, err
	}
	var all []map[string]any
	for _, in := range t.apps {
		a := findApp(in.app)
		m := map[string]any{"id": in.id}
		for _, e := range q.Expand {
			switch e.Name {
			case "teamsApp":
				m["teamsApp"] = a.json()
			case "teamsAppDefinition":
				m["teamsAppDefinition"] = map[string]any{"id": base64URL([]byte(a.id + "##1.0.0")), "teamsAppId": a.id, "displayName": a.name, "version": "1.0.0", "publishingState": "published", "shortDescription": a.about, "description": a.about}
			default:
				return nil, Fail(400, "BadRequest", "Parsing OData Select and Expand failed: Could not find a property named '%s' on type 'microsoft.graph.teamsAppInstallation'.", e.Name)
			}
		}
		all = append(all, m)
	}
	return sv.rows(c, q, "teamsAppInstallation", all, 1000)
}

func (tab *teamTab) json(ch *channel, app bool) map[string]any {
	m := map[string]any{"id": tab.id, "displayName": tab.name, "webUrl": "https://teams.microsoft.com/l/entity/" + tab.app + "/_djb2_msteams_prefix_" + tab.id + "?groupId=" + ch.team.id(), "configuration": tab.configuration}
	if app {
		m["teamsApp"] = findApp(tab.app).json()
	}
	return m
}

func (sv *teamService) getTabs(c *Call) (*Reply, error) {
	ch, err := sv.channelOf(c)
	if err != nil {
		return nil, err
	}
	q, err := c.OData("expand", "filter", "skiptoken")
	if err != nil {
		return nil, err
	}
	app := slices.ContainsFunc(q.Expand, func(e Expand) bool { return e.Name == "teamsApp" })
	var all []map[string]any
	for _, tab := range ch.tabs {
		all = append(all, tab.json(ch, app))
	}
	return sv.rows(c, q, "teamsTab", all, 1000)
}

// messageToken is where a walk over messages stands.
type messageToken struct {
	Of     string `json:"o"`
	Chat   int    `json:"c,omitempty"` // of all chats, in a walk over a user's
	At     int    `json:"a"`           // of all, newest first
	Added  int    `json:"n"`           // how many had been added when the walk began
	Since  int64  `json:"s,omitempty"` // of a round of changes: in milliseconds
	Issued int64  `json:"i"`
}

// pageOfMessages is the largest page of messages, by Microsoft's page of the channel's messages.
const pageOfMessages = 50

// messageWindow is how far back deltas of messages go.
const messageWindow = 8 * 30 * 24 * time.Hour

// messages is how many messages a page has.
func (q *Query) messages() (int, error) {
	switch {
	case q.Top > pageOfMessages:
		return 0, Fail(400, "BadRequest", "The limit of '%d' for Top query has been exceeded. The value from the incoming request is '%d'.", pageOfMessages, q.Top)
	case q.Top > 0:
		return q.Top, nil
	}
	return 20, nil
}

// walk begins or goes on with a walk over messages, each of which keep lets through.
func (sv *teamService) walk(c *Call, l *messageLog, of string, keep func(n, added int) bool, row func(p *post) (map[string]any, error), q *Query) (rows []any, next *messageToken, err error) {
	tok := messageToken{Of: of, Added: len(l.added), Issued: c.Now.Unix()}
	if q.Token != "" && (!openToken(q.Token, &tok) || tok.Of != of) {
		return nil, nil, Fail(400, "BadRequest", "The skip token is not valid.")
	}
	top, err := q.messages()
	if err != nil {
		return nil, nil, err
	}
	rows = []any{}
	end := tok.Added + l.posts
	for tok.At < end {
		n := tok.At
		if keep(n, tok.Added) {
			if len(rows) == top {
				return rows, &tok, nil
			}
			m, err := row(l.nth(n, tok.Added))
			if err != nil {
				return nil, nil, err
			}
			rows = append(rows, m)
		}
		tok.At++
	}
	return rows, nil, nil
}

// knows says whether a call asks for members of enumerations that came later.
func knows(c *Call) bool {
	_, ok := c.Prefer("include-unknown-enum-members")
	return ok
}

func (sv *teamService) allMessages(c *Call) (*Reply, error) {
	t, err := sv.teamOf(c)
	if err != nil {
		return nil, err
	}
	return sv.exported(c, t)
}

// deletedMessages exports what a deleted team still has.
func (sv *teamService) deletedMessages(c *Call) (*Reply, error) {
	for _, t := range sv.teams {
		if strings.EqualFold(t.id(), c.Params["team"]) && t.group.gone(sv.s) {
			return sv.exported(c, t)
		}
	}
	return nil, Fail(404, "NotFound", "No deleted team found with id %s", c.Params["team"])
}

// exported gives all messages of a team, replies as rows of their own; a filter is by the time of the last change alone.
func (sv *teamService) exported(c *Call, t *team) (*Reply, error) {
	q, err := c.OData("top", "filter", "skiptoken")
	if err != nil {
		return nil, err
	}
	known := knows(c)
	keep, err := q.byTime(c.Now)
	if err != nil {
		return nil, err
	}
	rows, next, err := sv.walk(c, &t.messageLog, "all "+t.id(), func(n, added int) bool {
		return t.channelAt(n, added).deleted.IsZero() && keep(t.modifiedAt(n, added))
	}, func(p *post) (map[string]any, error) { return p.json(known), nil }, q)
	if err != nil {
		return nil, err
	}
	return sv.messagePage(c, rows, next, true), nil
}

// messagePage answers with a page of messages. shaken says that its rows may come twice and in another order.
func (sv *teamService) messagePage(c *Call, rows []any, next *messageToken, shaken bool) *Reply {
	page := map[string]any{"@odata.context": c.context("Collection(chatMessage)"), "@odata.count": len(rows), "value": rows}
	if next != nil {
		page["@odata.nextLink"] = c.nextURL(map[string]string{"$skiptoken": sealToken(next)}, "skiptoken")
	}
	sv.s.faults.page(c, page, c.again(), shaken)
	return JSON(200, page)
}

// lookTime is what a filter of messages sees.
func lookTime(at time.Time) Lookup {
	return func(path string) (any, bool) { return at, path == "lastModifiedDateTime" }
}

// replies are those to a message, newest first.
func (p *post) replies() []*post {
	l := p.at.messages()
	var out []*post
	for i := len(l.added) - 1; i >= 0; i-- {
		if a := l.added[i]; a.at == p.at && a.root == p.id {
			out = append(out, a)
		}
	}
	if p.index >= 0 {
		for i := min(p.index+threadLength, l.posts) - 1; i > p.index; i-- {
			out = append(out, l.post(i))
		}
	}
	return out
}

// withReplies writes a message and, when they are asked for, its replies up to the bound.
func (sv *teamService) withReplies(c *Call, p *post, q *Query) (map[string]any, error) {
	known := knows(c)
	m := p.json(known)
	for _, e := range q.Expand {
		if e.Name != "replies" {
			return nil, Fail(400, "BadRequest", "Parsing OData Select and Expand failed: '%s' can't be expanded here.", e.Name)
		}
		replies := p.replies()
		rows := []any{}
		for _, r := range replies[:min(len(replies), sv.settings.Replies)] {
			rows = append(rows, r.json(known))
		}
		m["replies"] = rows
		m["replies@odata.count"] = len(rows)
		if len(replies) > len(rows) {
			m["replies@odata.nextLink"] = sv.s.graphURL(strings.ReplaceAll(p.path(), ":", "%3A")+"/replies") + "?$skiptoken=" + base64URL([]byte(strconv.Itoa(len(rows))))
		}
	}
	return m, nil
}

func (sv *teamService) getMessages(c *Call) (*Reply, error) {
	ch, err := sv.channelOf(c)
	if err != nil {
		return nil, err
	}
	q, err := c.OData("top", "expand", "skiptoken")
	if err != nil {
		return nil, err
	}
	rows, next, err := sv.walk(c, ch.messages(), "channel "+ch.id, ch.roots, func(p *post) (map[string]any, error) { return sv.withReplies(c, p, q) }, q)
	if err != nil {
		return nil, err
	}
	return sv.messagePage(c, rows, next, false), nil
}

// roots lets messages of the channel through that reply to none.
func (ch *channel) roots(n, added int) bool {
	t := ch.team
	if n < added {
		p := t.added[added-1-n]
		return p.at == place(ch) && p.root == 0
	}
	i := t.posts - 1 - (n - added)
	return i%threadLength == 0 && t.generatedChannel(i) == ch
}

// messagesDelta tells of messages that reply to none, of the last eight months; a reply changes its message.
func (sv *teamService) messagesDelta(c *Call) (*Reply, error) {
	ch, err := sv.channelOf(c)
	if err != nil {
		return nil, err
	}
	q, err := c.OData("top", "expand", "skiptoken")
	if err != nil {
		return nil, err
	}
	of := "delta " + ch.id
	since, begun, err := sv.round(c, of, q)
	if err != nil {
		return nil, err
	}
	rows, next, err := sv.walk(c, ch.messages(), of, func(n, added int) bool {
		return ch.roots(n, added) && ch.team.modifiedAt(n, added).After(since)
	}, func(p *post) (map[string]any, error) { return sv.withReplies(c, p, q) }, q)
	if err != nil {
		return nil, err
	}
	return sv.deltaPage(c, of, rows, next, since, begun), nil
}

// round is a round of changes that a call begins or goes on with: since when, and when it began.
func (sv *teamService) round(c *Call, of string, q *Query) (since, begun time.Time, err error) {
	since, begun = c.Now.Add(-messageWindow), c.Now
	if raw := c.Query.Get("$deltatoken"); raw != "" {
		var tok messageToken
		if !openToken(raw, &tok) || tok.Of != of {
			return since, begun, Fail(400, "BadRequest", "The delta token is not valid.")
		}
		if c.Now.Sub(time.Unix(tok.Issued, 0)) > messageWindow || sv.s.faults.syncState(c) {
			return since, begun, Fail(410, "syncStateNotFound", "The delta token is too old.")
		}
		since = time.UnixMilli(tok.Since)
	}
	if q.Token != "" {
		var tok messageToken
		if openToken(q.Token, &tok) {
			begun, since = time.Unix(tok.Issued, 0), time.UnixMilli(tok.Since)
		}
	}
	return since, begun, nil
}

// deltaPage answers with a page of a round.
func (sv *teamService) deltaPage(c *Call, of string, rows []any, next *messageToken, since, begun time.Time) *Reply {
	page := map[string]any{"@odata.context": c.context("Collection(chatMessage)"), "value": rows}
	if next != nil {
		next.Since, next.Issued = since.UnixMilli(), begun.Unix()
		page["@odata.nextLink"] = c.nextURL(map[string]string{"$skiptoken": sealToken(next)}, "skiptoken", "deltatoken")
	} else {
		page["@odata.deltaLink"] = c.URL(c.Path) + "?$deltatoken=" + sealToken(messageToken{Of: of, Since: begun.UnixMilli(), Issued: c.Now.Unix()})
	}
	sv.s.faults.page(c, page, c.again(), true)
	return JSON(200, page)
}

// messageOf finds the message or the reply that a call names.
func (sv *teamService) messageOf(c *Call) (*post, error) {
	ch, err := sv.placeOf(c)
	if err != nil {
		return nil, err
	}
	id, err := strconv.ParseInt(c.Params["message"], 10, 64)
	if err != nil {
		return nil, Fail(400, "BadRequest", "The message id is not valid.")
	}
	p := ch.find(0, id)
	if reply := c.Params["reply"]; reply != "" && p != nil {
		if id, err = strconv.ParseInt(reply, 10, 64); err != nil {
			return nil, Fail(400, "BadRequest", "The reply id is not valid.")
		}
		p = ch.find(p.id, id)
	}
	if p == nil {
		return nil, Fail(404, "NotFound", "NotFound")
	}
	return p, nil
}

// placeOf finds the channel or the chat that a call names.
func (sv *teamService) placeOf(c *Call) (place, error) {
	if c.Params["chat"] != "" {
		return sv.ownChat(c)
	}
	return sv.channelOf(c)
}

func (sv *teamService) getMessage(c *Call) (*Reply, error) {
	p, err := sv.messageOf(c)
	if err != nil {
		return nil, err
	}
	return sv.one(c, "chatMessage", p.json(knows(c)))
}

func (sv *teamService) getReplies(c *Call) (*Reply, error) {
	p, err := sv.messageOf(c)
	if err != nil {
		return nil, err
	}
	q, err := c.OData("top", "skiptoken")
	if err != nil {
		return nil, err
	}
	var all []map[string]any
	for _, r := range p.replies() {
		all = append(all, r.json(knows(c)))
	}
	if q.Top == -1 {
		q.Top = 20
	}
	return sv.rows(c, q, "chatMessage", all, pageOfMessages)
}

func (sv *teamService) getHosted(c *Call) (*Reply, error) {
	p, err := sv.messageOf(c)
	if err != nil {
		return nil, err
	}
	q, err := c.OData("skiptoken")
	if err != nil {
		return nil, err
	}
	var all []map[string]any
	for i := range p.hosted {
		all = append(all, map[string]any{"id": hostedID(i), "contentBytes": nil, "contentType": nil})
	}
	return sv.rows(c, q, "chatMessageHostedContent", all, 1000)
}

func (sv *teamService) getHostedValue(c *Call) (*Reply, error) {
	p, err := sv.messageOf(c)
	if err != nil {
		return nil, err
	}
	for i, h := range p.hosted {
		if hostedID(i) == c.Params["content"] && p.deleted.IsZero() {
			return Bytes(200, h.kind, h.bytes()), nil
		}
	}
	return nil, Fail(404, "NotFound", "The hosted content was not found.")
}
