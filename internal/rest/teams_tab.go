package rest

import (
	"context"
	"strings"

	"github.com/google/uuid"

	"holdfast/internal/holdfast"
	"holdfast/internal/rest/contract"
	"holdfast/internal/service"
)

func (a *API) teamsTabGet(ctx context.Context, r *request) (any, error) {
	return a.searchTabs(ctx, r, "")
}

func (a *API) teamsTabSearch(ctx context.Context, r *request) (any, error) {
	var in contract.RESTSearchOptions
	if err := r.decodeOptional(&in); err != nil {
		return nil, err
	}
	return a.searchTabs(ctx, r, value(in.Query))
}

func (a *API) searchTabs(ctx context.Context, r *request, query string) (any, error) {
	w, err := r.window()
	if err != nil {
		return nil, err
	}
	c, err := a.channel(ctx, r)
	if err != nil {
		return nil, err
	}
	out := []contract.RestTeamsTab{}
	q := service.ItemQuery{Kinds: tabKinds, Search: searchText(query), Sort: sortOf(tabKinds), Offset: w.Offset, Limit: w.Limit}
	if err := a.searchChannels(ctx, r, []channel{c}, q, func(c channel, e service.Entry) { out = append(out, tabToContract(r.links, c, e)) }); err != nil {
		return nil, err
	}
	return page(r, w, out, func(t contract.RestTeamsTab) contract.RestTeamsTab { return t }), nil
}

func (a *API) teamsTabGetTab(ctx context.Context, r *request) (any, error) {
	c, e, err := a.tab(ctx, r)
	if err != nil {
		return nil, err
	}
	return tabToContract(r.links, c, e), nil
}

// tab is the one that the path names.
func (a *API) tab(ctx context.Context, r *request) (channel, service.Entry, error) {
	c, err := a.channel(ctx, r)
	if err != nil {
		return c, service.Entry{}, err
	}
	e, err := a.tabByID(ctx, r, c, r.param("tabId"))
	return c, e, err
}

func (a *API) tabByID(ctx context.Context, r *request, c channel, id string) (service.Entry, error) {
	e, err := a.services.RestoreSessions.Item(ctx, r.user, c.session, c.place.id, "tab."+c.id()+"."+strings.ToLower(id))
	if holdfast.KindOf(err) == holdfast.KindNotFound || err == nil && e.Kind != holdfast.KindTab {
		return e, holdfast.NotFound("channel %q has no tab %s", c.entry.Name, id)
	}
	return e, err
}

func tabToContract(l links, c channel, e service.Entry) contract.RestTeamsTab {
	// Teams' own id is a UUID and the end of the item's.
	id, err := uuid.Parse(e.ID[strings.LastIndexByte(e.ID, '.')+1:])
	if err != nil {
		id = uuid.MustParse(holdfast.DerivedID(c.place.id, e.ID))
	}
	out := contract.RestTeamsTab{ID: id, DisplayName: &e.Name, ContentURL: optional(e.Fields[fieldShows]), Type: optional(e.Fields[fieldApp]), ChannelID: new(c.id()), TeamID: uid(c.place.id),
		Links: map[string]contract.RESTLinkHAL{"self": l.to(channelPath+"/tabs/{tabId}", string(c.session), c.place.id, c.id(), id.String()), "channel": l.to(channelPath, string(c.session), c.place.id, c.id())}}
	deletedLink(l, out.Links, e)
	return out
}

func (a *API) teamsTabRestoreById(ctx context.Context, r *request) (any, error) {
	c, e, err := a.tab(ctx, r)
	if err != nil {
		return nil, err
	}
	var in teamRestore
	if err := r.decodeOptional(&in); err != nil {
		return nil, err
	}
	return a.restoreTeam(ctx, r, c.place, in, e.ID)
}

// teamsTabRestore restores tabs of one channel: those that the body lists.
func (a *API) teamsTabRestore(ctx context.Context, r *request) (any, error) {
	c, err := a.channel(ctx, r)
	if err != nil {
		return nil, err
	}
	return a.restoreTabs(ctx, r, c.place, c.id())
}

// teamsTabRestoreByMultipleChannels restores tabs of several channels, each of which says in which it is.
func (a *API) teamsTabRestoreByMultipleChannels(ctx context.Context, r *request) (any, error) {
	p, err := a.team(ctx, r)
	if err != nil {
		return nil, err
	}
	return a.restoreTabs(ctx, r, p, "")
}

func (a *API) teamsTabOperatorRestore(ctx context.Context, r *request) (any, error) {
	return a.teamsTabRestore(ctx, r)
}

func (a *API) teamsTabOperatorRestoreByMultipleChannels(ctx context.Context, r *request) (any, error) {
	return a.teamsTabRestoreByMultipleChannels(ctx, r)
}

// restoreTabs restores the tabs of the body; within is the only channel that they may be in, empty is any.
func (a *API) restoreTabs(ctx context.Context, r *request, p place, within string) (any, error) {
	var in teamRestore
	if err := r.decode(&in); err != nil {
		return nil, err
	}
	if len(in.Tabs) == 0 {
		return nil, holdfast.Invalid("tabs is missing; it lists what is meant by id")
	}
	var ids []string
	for i, t := range in.Tabs {
		switch {
		case t.ID == "":
			return nil, holdfast.Invalid("tabs[%d].id is missing", i)
		case within != "" && t.Channel != "" && t.Channel != within:
			return nil, holdfast.Invalid("tabs[%d] is of another channel than the path's", i)
		case within != "":
			t.Channel = within
		}
		c, err := a.channelNamed(ctx, r, p, t.Channel)
		if err != nil {
			return nil, err
		}
		e, err := a.tabByID(ctx, r, c, t.ID)
		if err != nil {
			return nil, err
		}
		ids = append(ids, e.ID)
	}
	return a.restoreTeam(ctx, r, p, in, ids...)
}
