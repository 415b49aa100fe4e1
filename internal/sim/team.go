package sim

import (
	"encoding/base64"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// teamService is Microsoft Teams: teams, channels, messages, tabs, apps, members and chats by Graph.
type teamService struct {
	s *Sim

	mu         sync.Mutex // guards all below and everything in a team or a chat; taken before the locks of directory, sites and drives
	teams      []*team
	operations map[string]*teamOperation
	settings   TeamSettings
	came       int // messages that came since the simulator began
	chats      []*chat
	chatByID   map[string]*chat
	outsiders  []outsider // fixed from the beginning on
	notices    []ChatNotice
}

// TeamSettings are switches of the teams that POST /teams/settings changes.
type TeamSettings struct {
	// Replies is how many replies come with their message before there is a link to the rest, default 1,000.
	Replies int `json:"replies"`
	// Provision is how long the creation of a team takes, default 2 s.
	Provision Duration `json:"provision"`
}

// TeamShape describes the generated teams.
type TeamShape struct {
	Teams    int // negative for none
	Channels int // channels in a team; the last ones are a private and, where the cloud has those, a shared one
	Posts    int // messages and replies in a team
	Files    int // files and folders in the library of a team's site
	Hosted   int // one of so many messages has a picture of its own; default 13
}

// team is a group's team.
type team struct {
	messageLog
	of             *teamService
	group          *Group
	index          int
	created        time.Time
	settings       map[string]map[string]any // memberSettings, guestSettings, messagingSettings, funSettings
	classification any
	archived       bool
	migrating      bool
	channels       []*channel
	apps           []installedApp
	site           *site
	photo          []byte
	joined         []string // users of whom Teams has still to tell
}

// channel is a channel of a team.
type channel struct {
	team        *team
	id          string
	name        string
	description string
	kind        string // standard, private, shared
	created     time.Time
	original    time.Time // the conversation's beginning that a migration named
	deleted     time.Time
	migrating   bool
	migrated    bool
	members     []channelMember // of a private or shared one
	tabs        []*teamTab
	site        *site // of a private or shared one
	seeded      bool
}

type channelMember struct {
	user  string
	owner bool
}

type teamTab struct {
	id, name, app string
	configuration map[string]any
}

type installedApp struct{ id, app string }

// teamOperation is the making of a team.
type teamOperation struct {
	id, kind string
	team     *team
	at, due  time.Time
}

// teamApp is an app of the catalog.
type teamApp struct{ id, name, method, about string }

// The catalog of apps; the ids are Microsoft's own for those in the store.
var teamApps = []teamApp{
	{"com.microsoft.teamspace.tab.web", "Website", "store", "A page in a tab."},
	{"com.microsoft.teamspace.tab.files.sharepoint", "Document Library", "store", "A library in a tab."},
	{"com.microsoft.teamspace.tab.planner", "Planner", "store", "A plan in a tab."},
	{"0d820ecd-def2-4297-adad-78056cde7c78", "OneNote", "store", "A notebook in a tab."},
	{"5b4a0f0e-6a5f-4d0e-9f5a-3f0c6f2c9b11", "Holiday calendar", "organization", "Made by the organization."},
}

func findApp(id string) *teamApp {
	for i := range teamApps {
		if strings.EqualFold(teamApps[i].id, id) {
			return &teamApps[i]
		}
	}
	return nil
}

var teamNames = []string{"Apollo", "Borealis", "Cascade", "Delta Works", "Estuary", "Fjord"}

var channelNames = []string{"General", "Planning", "Ünïcödé and more", "Releases", "Customers", "Ideas"}

func (s *Sim) initTeams() {
	sv := &teamService{s: s, operations: map[string]*teamOperation{}, settings: TeamSettings{Replies: 1000, Provision: Duration(2 * time.Second)}}
	s.teams = sv
	s.limiters[ClassTeams] = newTeamsLimiter(s)
	if s.cloud.has("/teams") {
		for i := range s.shape.teams.Teams {
			sv.generate(i)
		}
	}
	sv.initChats()
	sv.controlRoutes()
	sv.chatControl()
}

// generate makes the team of an index with its group and its site.
func (sv *teamService) generate(i int) {
	s, shape := sv.s, sv.s.shape.teams
	r := newRand(s.opt.Seed, "team", uint64(i))
	name := teamNames[i%len(teamNames)]
	if i >= len(teamNames) {
		name += " " + strconv.Itoa(i)
	}
	nick := strings.ToLower(strings.ReplaceAll(name, " ", "-"))
	g := &Group{ID: r.uuid(), DisplayName: name, Description: "All about " + name, Mail: nick + "@" + s.tenant.Domain, Nickname: nick, Unified: true, Team: true,
		Created: epoch.Add(time.Duration(i+1) * 24 * time.Hour)}
	for n := range min(len(s.dir.users), 8) {
		u := s.dir.users[(i+n)%len(s.dir.users)]
		g.Members = append(g.Members, u.ID)
		if n < 2 {
			g.Owners = append(g.Owners, u.ID)
		}
	}
	s.dir.mu.Lock()
	s.dir.groups = append(s.dir.groups, g)
	s.dir.mu.Unlock()
	t := sv.newTeam(g, g.Created)
	t.index = i
	t.fill(shape.Posts)
	t.photo = append([]byte("\x89PNG\r\n\x1a\n"), r.bytes(2000)...)
	t.settings["funSettings"]["giphyContentRating"] = "strict"
	t.addSite(shape.Files)
	n := max(shape.Channels, 1)
	for c := range n {
		name := channelNames[c%len(channelNames)]
		if c >= len(channelNames) {
			name += " " + strconv.Itoa(c)
		}
		kind := "standard"
		switch {
		case c == n-1 && n > 2 && s.cloud.has("channel.shared"):
			kind = "shared"
		case c == n-2 && n > 3 || c == n-1 && n > 2:
			kind = "private"
		}
		ch := t.newChannel(name, kind, t.created.Add(time.Duration(c)*time.Minute), s.shape.teams.Files/3)
		ch.seeded, ch.description = true, "Where "+strings.ToLower(name)+" is talked about"
		if kind != "standard" {
			ch.members = []channelMember{{g.Members[0], true}}
			if len(g.Members) > 2 {
				ch.members = append(ch.members, channelMember{g.Members[2], false})
			}
		}
		ch.tabs = append(ch.tabs, &teamTab{id: r.uuid(), name: "Handbook", app: teamApps[0].id, configuration: map[string]any{"entityId": nil, "contentUrl": "https://example.com/handbook/" + strconv.Itoa(c), "removeUrl": nil, "websiteUrl": "https://example.com/handbook/" + strconv.Itoa(c)}})
		if c%2 == 0 {
			library := ch.filesSite().url() + "/Shared%20Documents"
			ch.tabs = append(ch.tabs, &teamTab{id: r.uuid(), name: "Papers", app: teamApps[1].id, configuration: map[string]any{"entityId": "", "contentUrl": library, "removeUrl": nil, "websiteUrl": nil}})
		}
	}
	for a := range 3 {
		t.apps = append(t.apps, installedApp{base64URL([]byte(t.id() + "##" + teamApps[a].id)), teamApps[a].id})
	}
	t.apps = append(t.apps, installedApp{base64URL([]byte(t.id() + "##" + teamApps[4].id)), teamApps[4].id})
}

func (sv *teamService) newTeam(g *Group, created time.Time) *team {
	t := &team{messageLog: newMessageLog(sv.s, hash64("team "+g.ID), created), of: sv, group: g, created: created, settings: map[string]map[string]any{
		"memberSettings": {"allowCreateUpdateChannels": true, "allowCreatePrivateChannels": true, "allowDeleteChannels": true, "allowAddRemoveApps": true, "allowCreateUpdateRemoveTabs": true,
			"allowCreateUpdateRemoveConnectors": true},
		"guestSettings":     {"allowCreateUpdateChannels": false, "allowDeleteChannels": false},
		"messagingSettings": {"allowUserEditMessages": true, "allowUserDeleteMessages": true, "allowOwnerDeleteMessages": true, "allowTeamMentions": true, "allowChannelMentions": true},
		"funSettings":       {"allowGiphy": true, "giphyContentRating": "moderate", "allowStickersAndMemes": true, "allowCustomMemes": true},
	}}
	t.make = t.generatedPost
	sv.teams = append(sv.teams, t)
	return t
}

// addSite makes the site of a team's group, which has one library.
func (t *team) addSite(files int) {
	t.site = t.of.s.sites.addTeamSite(t.group.DisplayName, "/sites/"+t.group.Nickname, "GROUP#0", t.created, files)
}

// addTeamSite makes a site with nothing but its library of documents.
func (sv *siteService) addTeamSite(title, path, template string, at time.Time, files int) *site {
	sv.mu.Lock()
	defer sv.mu.Unlock()
	for n, base := 2, path; sv.find(path) != nil; n++ { // the name of a site that is gone is not given again
		path = base + strconv.Itoa(n)
	}
	r := newRand(sv.s.opt.Seed, "team site "+path)
	x := &site{of: sv, index: len(sv.sites), collection: r.uuid(), web: r.uuid(), title: title, about: "Files of the team " + title, template: template, path: path,
		created: at, changed: at, owner: sv.s.drives.user(0), state: DriveOpen, ensured: map[int]string{}}
	x.access = newAccess(x, func(int) []int { return []int{0} })
	x.newLibrary(r, "Documents", "Shared Documents", files)
	sv.sites = append(sv.sites, x)
	sv.changes = append(sv.changes, siteChange{x, at})
	return x
}

// newChannel makes a channel with its folder, or its site with so many files.
func (t *team) newChannel(name, kind string, at time.Time, files int) *channel {
	r := newRand(t.of.s.opt.Seed, "channel "+t.id(), uint64(len(t.channels)))
	suffix := "@thread.tacv2"
	ch := &channel{team: t, id: fmt.Sprintf("19:%x%s", r.bytes(16), suffix), name: name, kind: kind, created: at.UTC().Truncate(time.Millisecond)}
	if kind != "standard" {
		template := map[string]string{"private": "TEAMCHANNEL#0", "shared": "TEAMCHANNEL#1"}[kind]
		ch.site = t.of.s.sites.addTeamSite(t.group.DisplayName+"-"+name, t.site.path+"-"+siteName(name), template, at, files)
	}
	t.channels = append(t.channels, ch)
	ch.filesFolder()
	return ch
}

// siteName is a title as it stands in an address.
func siteName(title string) string {
	return strings.Map(func(c rune) rune {
		if c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' {
			return c
		}
		return -1
	}, title)
}

func (ch *channel) filesSite() *site {
	if ch.site != nil {
		return ch.site
	}
	return ch.team.site
}

// filesFolder is the folder of a channel's files, which is made again when it is not there.
func (ch *channel) filesFolder() (*drive, *node) {
	x := ch.filesSite()
	x.of.mu.Lock()
	d := x.libraries()[0].drive
	x.of.mu.Unlock()
	d.mu.Lock()
	defer d.mu.Unlock()
	name := ch.folderName()
	if n, ok := d.child(0, name); ok && n.folder {
		return d, n
	}
	n := d.newFolder(0, name)
	n.created, n.modified, n.added = ch.created.Truncate(time.Second), ch.created.Truncate(time.Second), ch.created.Truncate(time.Second)
	return d, n
}

// folderName is a channel's name without what a folder's can't have.
func (ch *channel) folderName() string {
	return strings.TrimRight(strings.NewReplacer("/", "", `\`, "", ":", "", "*", "", "?", "", `"`, "", "<", "", ">", "", "|", "").Replace(ch.name), ". ")
}

func (t *team) id() string { return t.group.ID }

// team finds a team that is there. mu is held.
func (sv *teamService) team(id string) *team {
	for _, t := range sv.teams {
		if strings.EqualFold(t.id(), id) && !t.group.gone(sv.s) {
			return t
		}
	}
	return nil
}

// gone says whether a group is deleted; the directory's lock must not be held.
func (g *Group) gone(s *Sim) bool {
	s.dir.mu.Lock()
	defer s.dir.mu.Unlock()
	return g.deleted
}

// channel finds a channel that is there.
func (t *team) channel(id string) *channel {
	for _, ch := range t.channels {
		if strings.EqualFold(ch.id, id) && ch.deleted.IsZero() {
			return ch
		}
	}
	return nil
}

// live are the channels that are there.
func (t *team) live() []*channel {
	return slices.DeleteFunc(slices.Clone(t.channels), func(ch *channel) bool { return !ch.deleted.IsZero() })
}

// memberID is the id of a membership: in it are tenant, team or channel, and user.
func memberID(s *Sim, of, user string) string {
	return base64.StdEncoding.EncodeToString([]byte(s.tenant.TenantID + "##" + of + "##" + user))
}

// memberUser is the user in the id of a membership.
func memberUser(id string) string {
	b, err := base64.StdEncoding.DecodeString(id)
	parts := strings.Split(string(b), "##")
	if err != nil || len(parts) != 3 {
		return ""
	}
	return parts[2]
}

// TeamInfo tells a team's names.
type TeamInfo struct {
	ID, Name string
	Archived bool
	Site     string            // path
	Channels map[string]string // name -> id
	Sites    map[string]string // of private and shared channels: name -> path of its own site
}

// Teams lists the teams that are there.
func (s *Sim) Teams() []TeamInfo {
	s.teams.mu.Lock()
	defer s.teams.mu.Unlock()
	out := []TeamInfo{}
	for _, t := range s.teams.teams {
		if t.group.gone(s) {
			continue
		}
		info := TeamInfo{ID: t.id(), Name: t.group.DisplayName, Archived: t.archived, Site: t.site.path, Channels: map[string]string{}, Sites: map[string]string{}}
		for _, ch := range t.live() {
			info.Channels[ch.name] = ch.id
			if ch.site != nil {
				info.Sites[ch.name] = ch.site.path
			}
		}
		out = append(out, info)
	}
	return out
}
