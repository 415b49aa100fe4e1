package rest

import (
	"context"

	"github.com/google/uuid"

	"holdfast/internal/holdfast"
	"holdfast/internal/rest/contract"
	"holdfast/internal/service"
)

func (a *API) organizationTeamGet(ctx context.Context, r *request) (any, error) {
	id, err := r.id("organizationId")
	if err != nil {
		return nil, err
	}
	w, err := r.window()
	if err != nil {
		return nil, err
	}
	q := service.DirectoryQuery{Offset: w.Offset, Limit: w.Limit}
	q.DisplayName, _ = r.query("displayName")
	teams, err := a.services.Organizations.Teams(ctx, r.user, holdfast.OrganizationID(id), q)
	if err != nil {
		return nil, err
	}
	return page(r, w, teams, func(t service.DirectoryTeam) contract.RESTTeam { return directoryTeamToContract(r.links, id, t) }).inSet(r), nil
}

func (a *API) organizationTeamGetById(ctx context.Context, r *request) (any, error) {
	id, err := r.id("organizationId")
	if err != nil {
		return nil, err
	}
	t, err := a.services.Organizations.Team(ctx, r.user, holdfast.OrganizationID(id), r.param("teamId"))
	if err != nil {
		return nil, err
	}
	return directoryTeamToContract(r.links, id, t), nil
}

func directoryTeamToContract(l links, organization string, t service.DirectoryTeam) contract.RESTTeam {
	out := contract.RESTTeam{DisplayName: t.Name, Description: optional(t.Description), Mail: t.Mail, Links: contract.RESTLinkHALDictionary{
		"self":         l.to(organizationPath+"/Teams/{teamId}", organization, t.ID),
		"organization": l.to(organizationPath, organization),
	}}
	if id, err := uuid.Parse(t.ID); err == nil {
		out.ID, out.Msid = id, &id
	}
	return out
}
