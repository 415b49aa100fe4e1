package rest

import (
	"context"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"holdfast/internal/holdfast"
	"holdfast/internal/rest/contract"
	"holdfast/internal/service"
)

// What the operations on teams share. A team's container has one folder at its top, in which channels are folders; in a channel are tabs and posts,
// below a post its replies. The files of a channel are a folder of a library, which lies in the team or in the channel.

// Values of holdfast.FieldSpecial in a team, and the fields of its items that the contract shows.
const (
	specialChannel = "channel"
	fieldChannel   = "channel"    // of a channel, a tab and a post: the channel's id
	fieldMembers   = "membership" // of a channel: standard, private, shared
	fieldMessage   = "message"    // of a post: its id in the channel, a number
	fieldFiles     = "files"      // of a channel: the folder that its files are in
	fieldApp       = "app"        // of a tab: its app
	fieldShows     = "url"        // of a tab: what it shows
	fieldGone      = "deleted"    // of a post: when its author deleted it
)

var (
	tabKinds  = []holdfast.ItemKind{holdfast.KindTab}
	postKinds = []holdfast.ItemKind{holdfast.KindPost}
)

// channel is a channel as a restore session sees it.
type channel struct {
	place
	entry service.Entry
}

func (c channel) id() string { return c.entry.Fields[fieldChannel] }

func (a *API) team(ctx context.Context, r *request) (place, error) {
	return a.place(ctx, r, holdfast.Team, "teamId")
}

// channels lists the channels of a team, by name.
func (a *API) channels(ctx context.Context, r *request, p place) ([]channel, error) {
	root, err := a.root(ctx, r, p)
	if err != nil {
		return nil, err
	}
	if root == "" {
		return nil, nil
	}
	found, err := a.services.RestoreSessions.Items(ctx, r.user, p.session, p.id, service.ItemQuery{Parent: root, Kinds: folderKinds, Sort: "name", Limit: maxLimit})
	if err != nil {
		return nil, err
	}
	var all []channel
	for _, e := range found.Entries {
		if e.Fields[holdfast.FieldSpecial] == specialChannel {
			all = append(all, channel{p, e})
		}
	}
	return all, nil
}

// channelByID is a channel by the id that Teams has for it.
func (a *API) channelByID(ctx context.Context, r *request, p place, id string) (channel, error) {
	e, err := a.services.RestoreSessions.Item(ctx, r.user, p.session, p.id, "channel."+id)
	if holdfast.KindOf(err) == holdfast.KindNotFound || err == nil && e.Fields[holdfast.FieldSpecial] != specialChannel {
		return channel{}, holdfast.NotFound("%s has no channel %s", p.container.Container, id)
	}
	return channel{p, e}, err
}

// channel is the one that the path names.
func (a *API) channel(ctx context.Context, r *request) (channel, error) {
	p, err := a.team(ctx, r)
	if err != nil {
		return channel{}, err
	}
	return a.channelByID(ctx, r, p, r.param("channelId"))
}

// channelsAsked are the channel that query channelId names, or all of the team.
func (a *API) channelsAsked(ctx context.Context, r *request) (place, []channel, error) {
	p, err := a.team(ctx, r)
	if err != nil {
		return p, nil, err
	}
	id, given := r.query("channelId")
	if !given || id == "" {
		all, err := a.channels(ctx, r, p)
		return p, all, err
	}
	one, err := a.channelByID(ctx, r, p, id)
	return p, []channel{one}, err
}

// channelNamed is the channel that a body names, which it must.
func (a *API) channelNamed(ctx context.Context, r *request, p place, id string) (channel, error) {
	if id == "" {
		return channel{}, holdfast.Invalid("channelId is missing; it names the channel")
	}
	return a.channelByID(ctx, r, p, id)
}

// spots are where things of channels are searched. Of files that is the channel's folder, which a channel that never had a file has not.
func (a *API) spots(ctx context.Context, r *request, channels []channel, files bool) ([]spot, map[string]channel, error) {
	var all []spot
	of := map[string]channel{}
	for _, c := range channels {
		below := c.entry.ID
		if files {
			folder, err := a.filesFolder(ctx, r, c)
			if holdfast.KindOf(err) == holdfast.KindNotFound {
				continue
			} else if err != nil {
				return nil, nil, err
			}
			below = folder
		}
		all = append(all, spot{c.place, below})
		of[c.place.id+" "+below] = c
	}
	return all, of, nil
}

// filesFolder is the folder of a channel's files.
func (a *API) filesFolder(ctx context.Context, r *request, c channel) (string, error) {
	id := c.entry.Fields[fieldFiles]
	if id == "" {
		return "", holdfast.NotFound("channel %q has no files", c.entry.Name)
	}
	_, err := a.services.RestoreSessions.Item(ctx, r.user, c.session, c.place.id, id)
	return id, err
}

// searchChannels finds things of one kind in channels as if they were one list.
func (a *API) searchChannels(ctx context.Context, r *request, channels []channel, q service.ItemQuery, each func(channel, service.Entry)) error {
	files := len(q.Kinds) > 0 && (q.Kinds[0] == holdfast.KindFile || q.Kinds[0] == holdfast.KindFolder)
	spots, of, err := a.spots(ctx, r, channels, files)
	if err != nil {
		return err
	}
	return a.searchIn(ctx, r, spots, q, func(s spot, e service.Entry) { each(of[s.place.id+" "+s.parent], e) })
}

// searchEntities answers a search of one of the kinds of the contract.
func (a *API) searchEntities(ctx context.Context, r *request, channels []channel) (any, error) {
	w, err := r.window()
	if err != nil {
		return nil, err
	}
	var in contract.RESTTeamsSearchOptions
	if err := r.decode(&in); err != nil {
		return nil, err
	}
	kinds := map[string][]holdfast.ItemKind{"tabs": tabKinds, "files": {holdfast.KindFile, holdfast.KindFolder}, "posts": postKinds}[strings.ToLower(string(in.Type))]
	if kinds == nil {
		return nil, holdfast.Invalid("type must be one of Tabs, Files and Posts, not %q", in.Type)
	}
	q := service.ItemQuery{Kinds: kinds, Search: searchText(in.Query), Sort: sortOf(kinds), Offset: w.Offset, Limit: w.Limit}
	out := []contract.RESTChannelEntity{}
	if err := a.searchChannels(ctx, r, channels, q, func(c channel, e service.Entry) { out = append(out, entityToContract(r.links, c, e)) }); err != nil {
		return nil, err
	}
	return page(r, w, out, func(e contract.RESTChannelEntity) contract.RESTChannelEntity { return e }), nil
}

// sortOf is the order of lists: posts by time, newest first, all else by name.
func sortOf(kinds []holdfast.ItemKind) string {
	if kinds[0] == holdfast.KindPost {
		return "time"
	}
	return "name"
}

func entityToContract(l links, c channel, e service.Entry) contract.RESTChannelEntity {
	switch e.Kind {
	case holdfast.KindTab:
		t := tabToContract(l, c, e)
		return contract.RESTChannelEntity{ID: &t.ID, DisplayName: t.DisplayName, ContentURL: t.ContentURL, Type: t.Type, ChannelID: t.ChannelID, TeamID: t.TeamID, Links: t.Links}
	case holdfast.KindPost:
		p := postToContract(l, c, e)
		return contract.RESTChannelEntity{PostID: p.PostID, ChangeKey: p.ChangeKey, IsImportant: p.IsImportant, Author: p.Author, Subject: p.Subject, CreatedTime: p.CreatedTime,
			LastModifiedTime: p.LastModifiedTime, IsDeleted: p.IsDeleted, ChannelID: p.ChannelID, TeamID: p.TeamID, ParentID: p.ParentID, Links: p.Links}
	}
	f := teamsFileToContract(l, c, e)
	return contract.RESTChannelEntity{ID: &f.ID, Name: f.Name, SizeBytes: f.SizeBytes, Version: f.Version, UiVersion: f.UiVersion, Modified: f.Modified, ModifiedBy: f.ModifiedBy, ChannelID: &f.ChannelID,
		TeamID: f.TeamID, FileType: new(contract.RESTChannelEntityFileType(*f.FileType)), Links: f.Links}
}

// teamRestore is what the bodies of restores of teams and of what is in them have in common.
type teamRestore struct {
	Changed           *bool                  `json:"restoreChangedItems,omitzero"`
	Missing           *bool                  `json:"restoreMissingItems,omitzero"`
	ChangedTabs       *bool                  `json:"restoreChangedTabs,omitzero"`
	MissingTabs       *bool                  `json:"restoreMissingTabs,omitzero"`
	Members           *bool                  `json:"restoreMembers,omitzero"`
	Settings          *bool                  `json:"restoreSettings,omitzero"`
	Version           *string                `json:"fileVersion,omitzero"`
	Impersonate       *string                `json:"impersonationAccountName,omitzero"`
	Reason            *string                `json:"reason,omitzero"`
	UserCode          *string                `json:"userCode,omitzero"`
	Application       *uuid.UUID             `json:"applicationId,omitzero"`
	Certificate       *string                `json:"applicationCertificate,omitzero"`
	CertificateSecret *contract.SecureString `json:"applicationCertificatePassword,omitzero"`
	UserName          *string                `json:"userName,omitzero"`
	UserPassword      *contract.SecureString `json:"userPassword,omitzero"`

	Channel string     `json:"channelId,omitzero"`
	From    *time.Time `json:"from,omitzero"`
	To      *time.Time `json:"to,omitzero"`
	Teams   []withID   `json:"teams,omitzero"`
	Tabs    []teamsRef `json:"tabs,omitzero"`
	Files   []teamsRef `json:"files,omitzero"`
	Posts   []postRef  `json:"posts,omitzero"`
}

// teamsRef names a tab or a file in a body, in which channel when it says so.
type teamsRef struct {
	ID      string `json:"id"`
	Channel string `json:"channelId,omitzero"`
}

// postRef names a post in a body.
type postRef struct {
	ID      *int64 `json:"postId,omitzero"`
	Parent  *int64 `json:"parentId,omitzero"`
	Channel string `json:"channelId,omitzero"`
}

// spec is a restore of items of a team (none: all of it) as the body says.
func (in teamRestore) spec(r *request, ids ...string) (service.RestoreSpec, error) {
	spec := service.RestoreSpec{Items: ids, Reason: value(in.Reason), Permissions: value(in.Members) || value(in.Settings)}
	if value(in.Impersonate) != "" {
		return spec, holdfast.Invalid("impersonationAccountName is not built: a restore acts as its application; leave it out")
	}
	if in.Settings != nil && value(in.Members) != value(in.Settings) {
		return spec, holdfast.Invalid("a team's members and settings are put back together: give restoreMembers and restoreSettings the same value")
	}
	switch version := value(in.Version); {
	case strings.EqualFold(version, "All"):
		spec.AllVersions = true
	case version != "" && !strings.EqualFold(version, "Last"):
		return spec, holdfast.Invalid("fileVersion must be All or Last, not %q", version)
	}
	changed, missing := in.Changed, in.Missing
	if in.ChangedTabs != nil || in.MissingTabs != nil {
		changed, missing = in.ChangedTabs, in.MissingTabs
	}
	if err := whichItems(&spec, changed, missing); err != nil {
		return spec, err
	}
	return spec, overwriteNewer(r, &spec)
}

func (in teamRestore) login() login {
	return login{UserName: in.UserName, Password: in.UserPassword, UserCode: in.UserCode, Application: in.Application, Certificate: in.Certificate, Secret: in.CertificateSecret}
}

// restoreTeam restores items of a team (none: all of it) as the body says.
func (a *API) restoreTeam(ctx context.Context, r *request, p place, in teamRestore, ids ...string) (any, error) {
	spec, err := in.spec(r, ids...)
	if err != nil {
		return nil, err
	}
	return a.restore(ctx, r, p, spec, in.login())
}

// postNumber is an id of a post, which is a whole number.
func postNumber(text string) *int64 {
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return nil
	}
	return &n
}
