package sim

import (
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// nameKept is how long the name of a deleted channel can't be given again.
const nameKept = 30 * 24 * time.Hour

// messageBytes is the largest message, text and links, that Teams takes.
const messageBytes = 28 << 10

// memberBody is a member as a request names one.
type memberBody struct {
	Type  string   `json:"@odata.type"`
	Roles []string `json:"roles"`
	User  string   `json:"user@odata.bind"`
}

var boundUser = regexp.MustCompile(`(?i)^https://[^/]+/v1\.0/users[/(]'?([^')]+)'?\)?$`)

// member reads a member of a request.
func (sv *teamService) member(b memberBody) (channelMember, error) {
	if b.Type != "#microsoft.graph.aadUserConversationMember" {
		return channelMember{}, Fail(400, "BadRequest", "Bad Request: the member must be a #microsoft.graph.aadUserConversationMember.")
	}
	m := boundUser.FindStringSubmatch(b.User)
	if m == nil {
		return channelMember{}, Fail(400, "BadRequest", "Invalid bind property name user in request.")
	}
	u := sv.s.dir.find(m[1])
	if u == nil {
		return channelMember{}, Fail(404, "NotFound", "User with id '%s' does not exist.", m[1])
	}
	owner := false
	for _, r := range b.Roles {
		if r != "owner" && r != "guest" {
			return channelMember{}, Fail(400, "BadRequest", "Invalid role specified for member.")
		}
		owner = owner || r == "owner"
	}
	return channelMember{u.ID, owner}, nil
}

// settingsOf takes the settings of a request into a team.
func (t *team) settingsOf(in map[string]any) error {
	for name, set := range t.settings {
		given, ok := in[name].(map[string]any)
		if !ok {
			continue
		}
		for k, v := range given {
			if _, known := set[k]; !known {
				return Fail(400, "BadRequest", "The property '%s' does not exist on type 'microsoft.graph.team%s'.", k, strings.ToUpper(name[:1])+name[1:])
			}
			set[k] = v
		}
	}
	return nil
}

func text(in map[string]any, key string) string {
	s, _ := in[key].(string)
	return s
}

// createdAt reads the time of creation that a migration gives.
func createdAt(c *Call, in map[string]any, key string) (time.Time, error) {
	at, err := time.Parse(time.RFC3339Nano, text(in, key))
	if err != nil {
		return at, Fail(400, "BadRequest", "%s is missing or not valid.", key)
	}
	if at.After(c.Now) {
		return at, Fail(400, "BadRequest", "%s can't be in the future.", key)
	}
	return at.UTC().Truncate(time.Millisecond), nil
}

func (sv *teamService) migrates() error {
	if !sv.s.cloud.has("channel.migrationMode") {
		return Fail(400, "BadRequest", "Migration mode is not supported in this cloud.")
	}
	return nil
}

func (sv *teamService) postTeam(c *Call) (*Reply, error) {
	var in map[string]any
	if err := c.Decode(&in); err != nil {
		return nil, err
	}
	var members struct {
		Members []memberBody `json:"members"`
	}
	if err := c.Decode(&members); err != nil {
		return nil, err
	}
	if !strings.Contains(text(in, "template@odata.bind"), "/teamsTemplates('") {
		return nil, Fail(400, "BadRequest", "Invalid bind property name template in request.")
	}
	name := text(in, "displayName")
	if name == "" {
		return nil, Fail(400, "BadRequest", "A team name is required.")
	}
	created := c.Now.UTC().Truncate(time.Millisecond)
	migrating := text(in, "@microsoft.graph.teamCreationMode") == "migration"
	var owner string
	switch {
	case migrating:
		if !sv.s.entra.holds(c, messageImport) {
			return nil, Fail(403, "Forbidden", "Migration mode needs Teamwork.Migrate.All.")
		}
		if err := sv.migrates(); err != nil {
			return nil, err
		}
		var err error
		if created, err = createdAt(c, in, "createdDateTime"); err != nil {
			return nil, err
		}
	case len(members.Members) != 1:
		return nil, Fail(400, "BadRequest", "A team owner must be provided when creating a team in application context.")
	default:
		m, err := sv.member(members.Members[0])
		if err != nil {
			return nil, err
		}
		if !m.owner {
			return nil, Fail(400, "BadRequest", "A team owner must be provided when creating a team in application context.")
		}
		owner = m.user
	}
	nick := strings.ToLower(siteName(name))
	sv.s.dir.mu.Lock()
	for n, base := 2, nick; slices.ContainsFunc(sv.s.dir.groups, func(g *Group) bool { return g.Nickname == nick }); n++ {
		nick = base + strconv.Itoa(n)
	}
	g := &Group{ID: newRand(sv.s.opt.Seed, "new team", uint64(len(sv.s.dir.groups))).uuid(), DisplayName: name, Description: text(in, "description"), Mail: nick + "@" + sv.s.tenant.Domain,
		Nickname: nick, Unified: true, Team: true, Public: text(in, "visibility") == "public", Created: created}
	if owner != "" {
		g.Owners, g.Members = []string{owner}, []string{owner}
	}
	sv.s.dir.addGroup(g)
	sv.s.dir.mu.Unlock()
	t := sv.newTeam(g, created)
	t.index = len(sv.teams)
	t.migrating = migrating
	t.addSite(0)
	t.newChannel("General", "standard", created, 0).migrating = migrating
	if err := t.settingsOf(in); err != nil {
		return nil, err
	}
	op := &teamOperation{id: newRand(sv.s.opt.Seed, "operation", uint64(len(sv.operations))).uuid(), kind: "createTeam", team: t, at: c.Now, due: c.Now.Add(time.Duration(sv.settings.Provision))}
	sv.operations[op.id] = op
	return (&Reply{Status: http.StatusAccepted}).With("Location", "/teams('"+t.id()+"')/operations('"+op.id+"')").With("Content-Location", "/teams('"+t.id()+"')"), nil
}

func (sv *teamService) getOperation(c *Call) (*Reply, error) {
	op := sv.operations[c.Params["operation"]]
	if op == nil || !strings.EqualFold(op.team.id(), c.Params["team"]) {
		return nil, Fail(404, "NotFound", "The operation was not found.")
	}
	status := "succeeded"
	if c.Now.Before(op.due) {
		status = "inProgress"
	}
	return sv.one(c, "teamsAsyncOperation", map[string]any{"id": op.id, "operationType": op.kind, "createdDateTime": millis(op.at), "status": status, "lastActionDateTime": millis(c.Now), "attemptsCount": 1,
		"targetResourceId": op.team.id(), "targetResourceLocation": "/teams('" + op.team.id() + "')", "error": nil})
}

// accepted answers a change of a team that goes on behind it.
func (sv *teamService) accepted(c *Call, t *team, kind string) *Reply {
	op := &teamOperation{id: newRand(sv.s.opt.Seed, "operation", uint64(len(sv.operations))).uuid(), kind: kind, team: t, at: c.Now, due: c.Now.Add(time.Duration(sv.settings.Provision))}
	sv.operations[op.id] = op
	return (&Reply{Status: http.StatusAccepted}).With("Location", "/teams('"+t.id()+"')/operations('"+op.id+"')")
}

func (sv *teamService) archive(c *Call) (*Reply, error) {
	t, err := sv.teamOf(c)
	if err != nil {
		return nil, err
	}
	t.archived = true
	return sv.accepted(c, t, "archiveTeam"), nil
}

func (sv *teamService) unarchive(c *Call) (*Reply, error) {
	t, err := sv.teamOf(c)
	if err != nil {
		return nil, err
	}
	t.archived = false
	return sv.accepted(c, t, "unarchiveTeam"), nil
}

func (sv *teamService) patchTeam(c *Call) (*Reply, error) {
	t, err := sv.writable(c)
	if err != nil {
		return nil, err
	}
	var in map[string]any
	if err := c.Decode(&in); err != nil {
		return nil, err
	}
	if err := t.settingsOf(in); err != nil {
		return nil, err
	}
	sv.s.dir.mu.Lock()
	defer sv.s.dir.mu.Unlock()
	if v, ok := in["displayName"].(string); ok {
		t.group.DisplayName = v
	}
	if v, ok := in["description"].(string); ok {
		t.group.Description = v
	}
	if v, ok := in["visibility"].(string); ok {
		t.group.Public = v == "public"
	}
	return nil, nil
}

func (sv *teamService) completeTeam(c *Call) (*Reply, error) {
	t, err := sv.teamOf(c)
	if err != nil {
		return nil, err
	}
	if !t.migrating {
		return nil, Fail(400, "BadRequest", "The team is not in migration mode.")
	}
	if slices.ContainsFunc(t.live(), func(ch *channel) bool { return ch.migrating }) {
		return nil, Fail(400, "BadRequest", "A channel of the team is still in migration mode.")
	}
	t.migrating = false
	return nil, nil
}

// join adds a member to a team's group, or gives one another role.
func (t *team) join(m channelMember) {
	t.of.s.dir.mu.Lock()
	defer t.of.s.dir.mu.Unlock()
	g := t.group
	if !slices.Contains(g.Members, m.user) {
		g.Members = append(slices.Clone(g.Members), m.user)
		t.of.s.dir.note(dirChange{group: true, id: g.ID, member: "user/" + m.user})
	}
	g.Owners = slices.DeleteFunc(slices.Clone(g.Owners), func(id string) bool { return id == m.user })
	if m.owner {
		g.Owners = append(g.Owners, m.user)
	}
	t.of.s.dir.changed(g)
	t.joined = append(t.joined, m.user)
}

// tellJoined has Teams tell of the members who joined.
func (t *team) tellJoined(c *Call) {
	for _, u := range t.joined {
		t.tell(c.Now, "membersAddedEventMessageDetail", map[string]any{"visibleHistoryStartDateTime": "0001-01-01T00:00:00Z", "members": []any{t.of.s.teamsUser(u)}})
	}
	t.joined = nil
}

func (sv *teamService) postMember(c *Call) (*Reply, error) {
	t, err := sv.writable(c)
	if err != nil {
		return nil, err
	}
	var in memberBody
	if err := c.Decode(&in); err != nil {
		return nil, err
	}
	m, err := sv.mayJoin(t, in)
	if err != nil {
		return nil, err
	}
	t.join(m)
	t.tellJoined(c)
	return JSON(http.StatusCreated, sv.memberRows(t.id(), []channelMember{m})[0]), nil
}

func (sv *teamService) mayJoin(t *team, in memberBody) (channelMember, error) {
	if t.migrating {
		return channelMember{}, Fail(403, "Forbidden", "Members can't be added to a team in migration mode.")
	}
	return sv.member(in)
}

// addMembers adds up to 200 members; each has an answer of its own.
func (sv *teamService) addMembers(c *Call) (*Reply, error) {
	t, err := sv.writable(c)
	if err != nil {
		return nil, err
	}
	var in struct {
		Values []memberBody `json:"values"`
	}
	if err := c.Decode(&in); err != nil {
		return nil, err
	}
	if len(in.Values) > 200 {
		return nil, Fail(400, "BadRequest", "At most 200 members can be added at once.")
	}
	rows := []any{}
	for _, b := range in.Values {
		m, err := sv.mayJoin(t, b)
		user := ""
		if found := boundUser.FindStringSubmatch(b.User); found != nil {
			user = found[1]
		}
		row := map[string]any{"@odata.type": "#microsoft.graph.aadUserConversationMemberResult", "userId": user, "error": nil}
		if err != nil {
			row["error"] = map[string]any{"code": "NotFound", "message": err.Error()}
		} else {
			t.join(m)
		}
		rows = append(rows, row)
	}
	t.tellJoined(c)
	return JSON(200, map[string]any{"@odata.context": c.context("Collection(actionResultPart)"), "value": rows}), nil
}

func (sv *teamService) postApp(c *Call) (*Reply, error) {
	t, err := sv.writable(c)
	if err != nil {
		return nil, err
	}
	var in map[string]any
	if err := c.Decode(&in); err != nil {
		return nil, err
	}
	a := boundApp(in)
	if a == nil {
		return nil, Fail(404, "NotFound", "App definition not found.")
	}
	if slices.ContainsFunc(t.apps, func(i installedApp) bool { return i.app == a.id }) {
		return nil, Fail(409, "Conflict", "App is already installed in the team.")
	}
	t.apps = append(t.apps, installedApp{base64URL([]byte(t.id() + "##" + a.id)), a.id})
	t.tell(c.Now, "teamsAppInstalledEventMessageDetail", map[string]any{"teamsAppId": a.id, "teamsAppDisplayName": a.name})
	return &Reply{Status: http.StatusCreated}, nil
}

// boundApp is the app of the catalog that a request names.
func boundApp(in map[string]any) *teamApp {
	_, id, ok := strings.Cut(text(in, "teamsApp@odata.bind"), "/appCatalogs/teamsApps/")
	if !ok {
		return nil
	}
	return findApp(id)
}

func (sv *teamService) postChannel(c *Call) (*Reply, error) {
	t, err := sv.writable(c)
	if err != nil {
		return nil, err
	}
	var in map[string]any
	if err := c.Decode(&in); err != nil {
		return nil, err
	}
	var members struct {
		Members []memberBody `json:"members"`
	}
	if err := c.Decode(&members); err != nil {
		return nil, err
	}
	name, kind := text(in, "displayName"), text(in, "membershipType")
	if kind == "" {
		kind = "standard"
	}
	if name == "" || utf8.RuneCountInString(name) > 50 || strings.ContainsAny(name, `~#%&*{}/\:<>?+|'"`) || strings.HasPrefix(name, "_") || strings.HasPrefix(name, ".") || strings.HasSuffix(name, ".") {
		return nil, Fail(400, "BadRequest", "Channel name contains invalid characters or is too long.")
	}
	for _, ch := range t.channels {
		if strings.EqualFold(ch.name, name) && (ch.deleted.IsZero() || c.Now.Sub(ch.deleted) < nameKept) {
			return nil, Fail(400, "BadRequest", "Channel name already existed, please use other name.").with("NameAlreadyExists")
		}
	}
	if kind == "shared" && !sv.s.cloud.has("channel.shared") {
		return nil, Fail(400, "BadRequest", "Shared channels are not supported in this cloud.")
	}
	created := c.Now.UTC().Truncate(time.Millisecond)
	migrating := text(in, "@microsoft.graph.channelCreationMode") == "migration"
	if migrating {
		if !sv.s.entra.holds(c, messageImport) {
			return nil, Fail(403, "Forbidden", "Migration mode needs Teamwork.Migrate.All.")
		}
		if err := sv.migrates(); err != nil {
			return nil, err
		}
		if kind != "standard" {
			return nil, Fail(400, "BadRequest", "Only standard channels can be created in migration mode.")
		}
		if created, err = createdAt(c, in, "createdDateTime"); err != nil {
			return nil, err
		}
		if created.Before(t.created) {
			return nil, Fail(400, "BadRequest", "The channel can't be older than its team.")
		}
	}
	var who []channelMember
	for _, b := range members.Members {
		m, err := sv.member(b)
		if err != nil {
			return nil, err
		}
		if kind == "private" && !slices.ContainsFunc(t.members(), func(x channelMember) bool { return x.user == m.user }) {
			return nil, Fail(400, "BadRequest", "Only members of the team can be members of its private channels.")
		}
		who = append(who, m)
	}
	switch {
	case kind == "standard" && len(who) > 0:
		return nil, Fail(400, "BadRequest", "Members can't be given for a standard channel.")
	case kind != "standard" && !slices.ContainsFunc(who, func(m channelMember) bool { return m.owner }):
		return nil, Fail(400, "BadRequest", "A private or shared channel needs an owner.")
	}
	ch := t.newChannel(name, kind, created, 0)
	ch.description, ch.members, ch.migrating = text(in, "description"), who, migrating
	t.tell(c.Now, "channelAddedEventMessageDetail", map[string]any{"channelId": ch.id, "channelDisplayName": ch.name})
	m := ch.json()
	m["@odata.context"] = c.context("channels/$entity")
	return JSON(http.StatusCreated, m), nil
}

func (sv *teamService) patchChannel(c *Call) (*Reply, error) {
	ch, err := sv.writableChannel(c)
	if err != nil {
		return nil, err
	}
	var in map[string]any
	if err := c.Decode(&in); err != nil {
		return nil, err
	}
	if v, ok := in["description"].(string); ok {
		ch.description = v
	}
	if v, ok := in["displayName"].(string); ok && v != ch.name {
		if ch == ch.team.channels[0] {
			return nil, Fail(400, "BadRequest", "The general channel can't be renamed.")
		}
		ch.name = v
	}
	return nil, nil
}

func (sv *teamService) deleteChannel(c *Call) (*Reply, error) {
	ch, err := sv.writableChannel(c)
	if err != nil {
		return nil, err
	}
	if ch == ch.team.channels[0] {
		return nil, Fail(400, "BadRequest", "The general channel can't be deleted.")
	}
	ch.deleted = c.Now
	ch.team.tell(c.Now, "channelDeletedEventMessageDetail", map[string]any{"channelId": ch.id, "channelDisplayName": ch.name})
	return nil, nil
}

func (sv *teamService) postChannelMember(c *Call) (*Reply, error) {
	ch, err := sv.writableChannel(c)
	if err != nil {
		return nil, err
	}
	if ch.kind == "standard" {
		return nil, Fail(400, "BadRequest", "Members of a standard channel are those of its team.")
	}
	var in memberBody
	if err := c.Decode(&in); err != nil {
		return nil, err
	}
	m, err := sv.member(in)
	if err != nil {
		return nil, err
	}
	if ch.kind == "private" && !slices.ContainsFunc(ch.team.members(), func(x channelMember) bool { return x.user == m.user }) {
		return nil, Fail(400, "BadRequest", "Only members of the team can be members of its private channels.")
	}
	ch.members = append(slices.DeleteFunc(ch.members, func(x channelMember) bool { return x.user == m.user }), m)
	return JSON(http.StatusCreated, sv.memberRows(ch.id, []channelMember{m})[0]), nil
}

func (sv *teamService) postTab(c *Call) (*Reply, error) {
	ch, err := sv.writableChannel(c)
	if err != nil {
		return nil, err
	}
	var in map[string]any
	if err := c.Decode(&in); err != nil {
		return nil, err
	}
	a := boundApp(in)
	if a == nil {
		return nil, Fail(404, "NotFound", "App definition not found.")
	}
	if !slices.ContainsFunc(ch.team.apps, func(i installedApp) bool { return i.app == a.id }) && a.method != "store" {
		return nil, Fail(403, "Forbidden", "The app %s is not installed in the team.", a.id)
	}
	tab := &teamTab{id: newRand(sv.s.opt.Seed, "tab "+ch.id, uint64(len(ch.tabs))).uuid(), name: text(in, "displayName"), app: a.id, configuration: map[string]any{"entityId": nil, "contentUrl": nil, "removeUrl": nil, "websiteUrl": nil}}
	given, _ := in["configuration"].(map[string]any)
	for k, v := range given {
		tab.configuration[k] = v
	}
	ch.tabs = append(ch.tabs, tab)
	ch.team.tell(c.Now, "tabUpdatedEventMessageDetail", map[string]any{"tabId": tab.id})
	return JSON(http.StatusCreated, tab.json(ch, false)), nil
}

func (sv *teamService) deleteTab(c *Call) (*Reply, error) {
	ch, err := sv.writableChannel(c)
	if err != nil {
		return nil, err
	}
	before := len(ch.tabs)
	ch.tabs = slices.DeleteFunc(ch.tabs, func(t *teamTab) bool { return t.id == c.Params["tab"] })
	if len(ch.tabs) == before {
		return nil, Fail(404, "NotFound", "Tab not found.")
	}
	return nil, nil
}

// startMigration opens a channel that is there for messages of the past.
func (sv *teamService) startMigration(c *Call) (*Reply, error) {
	ch, err := sv.writableChannel(c)
	if err != nil {
		return nil, err
	}
	if err := sv.migrates(); err != nil {
		return nil, err
	}
	var in map[string]any
	if len(c.Body) > 0 {
		if err := c.Decode(&in); err != nil {
			return nil, err
		}
	}
	if ch.migrating {
		return nil, Fail(400, "BadRequest", "The channel is in migration mode already.")
	}
	if in["conversationCreationDateTime"] != nil {
		at, err := createdAt(c, in, "conversationCreationDateTime")
		if err != nil {
			return nil, err
		}
		if at.Before(ch.since()) {
			ch.original = at
		}
	}
	ch.migrating = true
	return nil, nil
}

// since is the time before which a channel takes no messages.
func (ch *channel) since() time.Time {
	if !ch.original.IsZero() && ch.original.Before(ch.created) {
		return ch.original
	}
	return ch.created
}

func (sv *teamService) completeChannel(c *Call) (*Reply, error) {
	ch, err := sv.channelOf(c)
	if err != nil {
		return nil, err
	}
	if !ch.migrating {
		return nil, Fail(400, "BadRequest", "The channel is not in migration mode.")
	}
	if sv.s.faults.hit(c, FaultNotClosed) {
		return nil, Fail(400, "BadRequest", "The request could not be processed.")
	}
	ch.migrating, ch.migrated = false, true
	return nil, nil
}

// postMessage imports a message or a reply: applications may post in migration mode alone.
func (sv *teamService) postMessage(c *Call) (*Reply, error) {
	ch, err := sv.writableChannel(c)
	if err != nil {
		return nil, err
	}
	if !ch.migrating {
		return nil, Fail(403, "Forbidden", "Message POST is allowed in application-only context only for import purposes. The channel is not in migration mode.")
	}
	p, _, err := sv.imported(c, ch)
	if err != nil {
		return nil, err
	}
	return sv.took(c, p), nil
}
