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
	return teamToContract(r.links, p), nil
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
