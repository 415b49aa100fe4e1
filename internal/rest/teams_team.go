package rest

import (
	"context"
	"strings"

	"github.com/google/uuid"

	"holdfast/internal/holdfast"
	"holdfast/internal/rest/contract"
)

func (a *API) teamsTeamGet(ctx context.Context, r *request) (any, error) {
	w, err := r.window()
	if err != nil {
		return nil, err
	}
	all, err := a.places(ctx, r, holdfast.Team, holdfast.Page{})
	if err != nil {
		return nil, err
	}
	if name, given := r.query("displayName"); given {
		kept := all[:0]
		for _, p := range all {
			if strings.Contains(strings.ToLower(p.container.Container.Name), strings.ToLower(name)) {
				kept = append(kept, p)
			}
		}
		all = kept
	}
	return page(r, w, cut(w, all), func(p place) contract.RESTTeamsTeam { return teamToContract(r.links, p) }), nil
}

func (a *API) teamsTeamGetById(ctx context.Context, r *request) (any, error) {
	p, err := a.team(ctx, r)
	if err != nil {
		return nil, err
	}
	out := teamToContract(r.links, p)
	root, err := a.root(ctx, r, p)
	if err != nil || root == "" {
		return out, err
	}
	shows, err := a.services.RestoreSessions.Preview(ctx, r.user, p.session, p.id, root)
	if holdfast.KindOf(err) == holdfast.KindNotFound { // the backup had no more of it than its name
		return out, nil
	} else if err != nil {
		return nil, err
	}
	if c := shows.Card; c != nil && c.Team != nil {
		describeTeam(&out, *c.Team)
	}
	return out, nil
}

// describeTeam adds what is stored of a team itself; lists of teams leave it out, since it is read team by team.
func describeTeam(out *contract.RESTTeamsTeam, c holdfast.TeamCard) {
	out.Description, out.IsArchived = optional(c.Description), &c.Archived
	for _, p := range []contract.RESTTeamsTeamPrivacy{contract.RESTTeamsTeamPrivacyPublic, contract.RESTTeamsTeamPrivacyPrivate, contract.RESTTeamsTeamPrivacyHiddenMembership} {
		if strings.EqualFold(string(p), c.Visibility) {
			out.Privacy = &p
		}
	}
	is := func(group, name string) *bool {
		if on, ok := c.Settings[group][name].(bool); ok {
			return &on
		}
		return nil
	}
	fun := &contract.RESTTeamsTeamFunSettings{AllowCustomMemes: is("funSettings", "allowCustomMemes"), AllowGiphy: is("funSettings", "allowGiphy"),
		AllowStickersAndMemes: is("funSettings", "allowStickersAndMemes")}
	if word, ok := c.Settings["funSettings"]["giphyContentRating"].(string); ok {
		rating := contract.RESTTeamsTeamFunSettingsGiphyContentRatingUnknownFutureValue
		for _, r := range []contract.RESTTeamsTeamFunSettingsGiphyContentRating{contract.RESTTeamsTeamFunSettingsGiphyContentRatingModerate, contract.RESTTeamsTeamFunSettingsGiphyContentRatingStrict} {
			if strings.EqualFold(string(r), word) {
				rating = r
			}
		}
		fun.GiphyContentRating = &rating
	}
	const guests, members, messages = "guestSettings", "memberSettings", "messagingSettings"
	out.Settings = &contract.RESTTeamsTeamSettings{
		FunSettings:   fun,
		GuestSettings: &contract.RESTTeamsTeamGuestSettings{AllowCreateUpdateChannels: is(guests, "allowCreateUpdateChannels"), AllowDeleteChannels: is(guests, "allowDeleteChannels")},
		MemberSettings: &contract.RESTTeamsTeamMemberSettings{AllowCreatePrivateChannel: is(members, "allowCreatePrivateChannels"), AllowCreateUpdateChannel: is(members, "allowCreateUpdateChannels"),
			AllowDeleteChannel: is(members, "allowDeleteChannels"), AllowAddRemoveApp: is(members, "allowAddRemoveApps"), AllowCreateUpdateRemoveTab: is(members, "allowCreateUpdateRemoveTabs"),
			AllowCreateUpdateRemoveConnector: is(members, "allowCreateUpdateRemoveConnectors")},
		MessagingSettings: &contract.RESTTeamsTeamMessagingSettings{AllowUserEditMessage: is(messages, "allowUserEditMessages"), AllowUserDeleteMessage: is(messages, "allowUserDeleteMessages"),
			AllowOwnerDeleteMessage: is(messages, "allowOwnerDeleteMessages"), AllowTeamMention: is(messages, "allowTeamMentions"), AllowChannelMention: is(messages, "allowChannelMentions")},
	}
}

func teamToContract(l links, p place) contract.RESTTeamsTeam {
	session, c := string(p.session), p.container.Container
	out := contract.RESTTeamsTeam{ID: uuid.MustParse(p.id), DisplayName: &c.Name, Links: map[string]contract.RESTLinkHAL{
		"self":     l.to(teamPath, session, p.id),
		"channels": l.to(teamPath+"/channels", session, p.id),
		"files":    l.to(teamPath+"/files", session, p.id),
		"posts":    l.to(teamPath+"/posts", session, p.id),
	}}
	if name, _, mail := strings.Cut(c.Address, "@"); mail {
		out.GroupEmail, out.Alias = &c.Address, &name
	}
	return out
}

func (a *API) teamsTeamSearch(ctx context.Context, r *request) (any, error) {
	p, err := a.team(ctx, r)
	if err != nil {
		return nil, err
	}
	all, err := a.channels(ctx, r, p)
	if err != nil {
		return nil, err
	}
	return a.searchEntities(ctx, r, all)
}

func (a *API) teamsTeamRestoreById(ctx context.Context, r *request) (any, error) {
	p, err := a.team(ctx, r)
	if err != nil {
		return nil, err
	}
	var in teamRestore
	if err := r.decodeOptional(&in); err != nil {
		return nil, err
	}
	return a.restoreTeam(ctx, r, p, in)
}

// teamsTeamRestore restores several teams to where they were. All must be there before the first is begun.
func (a *API) teamsTeamRestore(ctx context.Context, r *request) (any, error) {
	session, err := a.restoreSession(ctx, r)
	if err != nil {
		return nil, err
	}
	var in teamRestore
	if err := r.decode(&in); err != nil {
		return nil, err
	}
	if len(in.Teams) == 0 {
		return nil, holdfast.Invalid("teams is missing; it lists what is meant by id")
	}
	var all []place
	for _, id := range idsOf(in.Teams) {
		p, err := a.placeOf(ctx, r, session.ID, strings.ToLower(id))
		if err == nil && p.container.Container.Kind != holdfast.Team {
			err = otherKind(holdfast.Team)
		}
		if err != nil {
			return nil, err
		}
		all = append(all, p)
	}
	spec, err := in.spec(r)
	if err != nil {
		return nil, err
	}
	for _, p := range all {
		if err := a.restoreOne(ctx, r, p, spec, in.login()); err != nil {
			return nil, err
		}
	}
	return contract.RESTAsyncRestoreResponse{SessionID: uuid.MustParse(string(session.ID))}, nil
}

func (a *API) teamsTeamOperatorRestore(ctx context.Context, r *request) (any, error) {
	return a.teamsTeamRestore(ctx, r)
}
