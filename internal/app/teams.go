package app

import (
	"context"
	"strings"

	"holdfast/internal/holdfast"
	"holdfast/internal/m365"
	"holdfast/internal/m365/graph"
	"holdfast/internal/service"
)

// teamFields are what a team is shown with.
var teamFields = []string{"id", "displayName", "description", "mail", "resourceProvisioningOptions"}

// Teams gives the teams that q asks for, live.
func (m *microsoft) Teams(ctx context.Context, org holdfast.Organization, cred holdfast.Credential, q service.DirectoryQuery) ([]service.DirectoryTeam, error) {
	g, err := m.Graph(ctx, org, cred)
	if err != nil {
		return nil, err
	}
	if !g.M365().Cloud().Has(m365.Teams) {
		return nil, nil
	}
	l := graph.List{Select: teamFields, Top: 999}
	first, err := g.TeamGroups(ctx, l)
	return window(graph.All(ctx, g, first, err, l), q.Offset, q.Limit, func(x *graph.Group) bool {
		return hasPrefix(x.DisplayName, q.DisplayName) && hasPrefix(x.Mail, q.Name)
	}, teamOf)
}

func teamOf(x *graph.Group) service.DirectoryTeam {
	return service.DirectoryTeam{ID: x.ID, Name: x.DisplayName, Description: x.Description, Mail: x.Mail}
}

// Team looks one team up by its id, mail address or name.
func (m *microsoft) Team(ctx context.Context, org holdfast.Organization, cred holdfast.Credential, id string) (service.DirectoryTeam, error) {
	all, err := m.Teams(ctx, org, cred, service.DirectoryQuery{})
	if err != nil {
		return service.DirectoryTeam{}, err
	}
	var named []service.DirectoryTeam
	for _, t := range all {
		if strings.EqualFold(t.ID, id) || strings.EqualFold(t.Mail, id) {
			return t, nil
		}
		if strings.EqualFold(t.Name, id) {
			named = append(named, t)
		}
	}
	switch len(named) {
	case 0:
		return service.DirectoryTeam{}, holdfast.NotFound("the organization has no team %q", id)
	case 1:
		return named[0], nil
	}
	return service.DirectoryTeam{}, holdfast.Conflict("the organization has %d teams called %q: give the id or the mail address", len(named), id)
}
