package rest

import (
	"context"
	"strings"

	"holdfast/internal/holdfast"
	"holdfast/internal/rest/contract"
)

func (a *API) teamsChannelGet(ctx context.Context, r *request) (any, error) {
	w, err := r.window()
	if err != nil {
		return nil, err
	}
	p, err := a.team(ctx, r)
	if err != nil {
		return nil, err
	}
	all, err := a.channels(ctx, r, p)
	if err != nil {
		return nil, err
	}
	if name, given := r.query("displayName"); given {
		kept := all[:0]
		for _, c := range all {
			if strings.Contains(strings.ToLower(c.entry.Name), strings.ToLower(name)) {
				kept = append(kept, c)
			}
		}
		all = kept
	}
	return page(r, w, cut(w, all), func(c channel) contract.RESTTeamsChannelPreview {
		kind := contract.RESTTeamsChannelPreviewTypeUnknownFutureValue
		switch c.entry.Fields[fieldMembers] {
		case "standard":
			kind = contract.RESTTeamsChannelPreviewTypeStandard
		case "private":
			kind = contract.RESTTeamsChannelPreviewTypePrivate
		case "shared":
			kind = contract.RESTTeamsChannelPreviewTypeShared
		}
		return contract.RESTTeamsChannelPreview{ID: c.id(), DisplayName: &c.entry.Name, TeamID: uid(p.id), Type: &kind, Links: channelLinks(r.links, c)}
	}), nil
}

func (a *API) teamsChannelGetByChannelId(ctx context.Context, r *request) (any, error) {
	c, err := a.channel(ctx, r)
	if err != nil {
		return nil, err
	}
	return contract.RESTTeamsChannel{ID: c.id(), DisplayName: &c.entry.Name, TeamID: uid(c.place.id), Links: channelLinks(r.links, c)}, nil
}

func channelLinks(l links, c channel) map[string]contract.RESTLinkHAL {
	session, team := string(c.session), c.place.id
	out := map[string]contract.RESTLinkHAL{
		"self":     l.to(channelPath, session, team, c.id()),
		"team":     l.to(teamPath, session, team),
		"children": l.to(channelPath+"/children", session, team, c.id()),
		"tabs":     l.to(channelPath+"/tabs", session, team, c.id()),
		"files":    l.with(l.to(teamPath+"/files", session, team), "channelId", c.id()),
		"posts":    l.with(l.to(teamPath+"/posts", session, team), "channelId", c.id()),
	}
	deletedLink(l, out, c.entry)
	return out
}

// teamsChannelGetChildrenPage tells the three lists that each channel has.
func (a *API) teamsChannelGetChildrenPage(ctx context.Context, r *request) (any, error) {
	w, err := r.window()
	if err != nil {
		return nil, err
	}
	c, err := a.channel(ctx, r)
	if err != nil {
		return nil, err
	}
	links := channelLinks(r.links, c)
	kinds := []contract.RESTTeamsNodeType{contract.RESTTeamsNodeTypePosts, contract.RESTTeamsNodeTypeFiles, contract.RESTTeamsNodeTypeTabs}
	return page(r, w, cut(w, kinds), func(kind contract.RESTTeamsNodeType) contract.RESTTeamsNode {
		return contract.RESTTeamsNode{TeamID: uid(c.place.id), ChannelID: new(c.id()), DisplayName: new(string(kind)), Type: &kind,
			Links: map[string]contract.RESTLinkHAL{"self": links[strings.ToLower(string(kind))], "channel": links["self"]}}
	}), nil
}

func (a *API) teamsChannelSearch(ctx context.Context, r *request) (any, error) {
	c, err := a.channel(ctx, r)
	if err != nil {
		return nil, err
	}
	return a.searchEntities(ctx, r, []channel{c})
}

// teamsChannelRestore restores a channel with its tabs, posts and files.
func (a *API) teamsChannelRestore(ctx context.Context, r *request) (any, error) {
	c, err := a.channel(ctx, r)
	if err != nil {
		return nil, err
	}
	var in teamRestore
	if err := r.decodeOptional(&in); err != nil {
		return nil, err
	}
	ids := []string{c.entry.ID}
	if c.entry.Fields[fieldMembers] == "standard" { // the files of other channels lie in the channel
		folder, err := a.filesFolder(ctx, r, c)
		if err == nil {
			ids = append(ids, folder)
		} else if holdfast.KindOf(err) != holdfast.KindNotFound {
			return nil, err
		}
	}
	return a.restoreTeam(ctx, r, c.place, in, ids...)
}

func (a *API) teamsChannelOperatorRestore(ctx context.Context, r *request) (any, error) {
	return a.teamsChannelRestore(ctx, r)
}

// teamsChannelOperatorStartExportTask prepares a page of all posts of a channel.
func (a *API) teamsChannelOperatorStartExportTask(ctx context.Context, r *request) (any, error) {
	c, err := a.channel(ctx, r)
	if err != nil {
		return nil, err
	}
	return a.preparePosts(ctx, r, c.place, c.entry.Name, holdfast.PostsQuery{Folder: c.entry.ID})
}

// teamsChannelDownloadExportedPosts answers the page that was prepared of a channel.
func (a *API) teamsChannelDownloadExportedPosts(ctx context.Context, r *request) (any, error) {
	c, err := a.channel(ctx, r)
	if err != nil {
		return nil, err
	}
	return a.preparedPosts(r, c.place, c.entry.ID)
}
