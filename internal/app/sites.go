package app

import (
	"context"
	"net/url"
	"slices"
	"strings"

	"holdfast/internal/holdfast"
	"holdfast/internal/m365"
	"holdfast/internal/m365/graph"
	"holdfast/internal/service"
)

// Sites gives the sites that q asks for, live.
func (m *microsoft) Sites(ctx context.Context, org holdfast.Organization, cred holdfast.Credential, q service.SiteQuery) ([]service.DirectorySite, error) {
	g, err := m.Graph(ctx, org, cred)
	if err != nil {
		return nil, err
	}
	var first *graph.Page[graph.Site]
	l := graph.List{}
	if q.Parent != "" {
		first, err = g.Subsites(ctx, q.Parent, l)
	} else {
		first, err = g.AllSites(ctx, l)
	}
	return window(graph.All(ctx, g, first, err, l), q.Offset, q.Limit, func(x *graph.Site) bool {
		return x.Removed == nil && (!x.Personal || q.Personal) && siteOf(x).Has(q.Text)
	}, func(x *graph.Site) service.DirectorySite {
		s := siteOf(x)
		if q.Parent != "" {
			s.Parent = q.Parent
		}
		return s
	})
}

func siteOf(x *graph.Site) service.DirectorySite {
	s := service.DirectorySite{ID: x.ID, Name: x.DisplayName, URL: x.WebURL, Personal: x.Personal}
	if s.Name == "" {
		s.Name = x.Name
	}
	return s
}

// sharePointRoles are the application permissions in a token for the organization's SharePoint; known is false when it has none, or Graph may not tell its
// address.
func sharePointRoles(ctx context.Context, g *graph.Client) (roles []string, known bool, err error) {
	root, err := g.Site(ctx, "root", graph.List{Select: []string{"id", "webUrl"}})
	if kind := m365.KindOf(err); kind == m365.Denied || kind == m365.NotFound || kind == m365.Invalid {
		return nil, false, nil
	} else if err != nil {
		return nil, false, err
	}
	u, err := url.Parse(root.WebURL)
	if err != nil {
		return nil, false, err
	}
	if err := g.M365().LearnSharePoint(u.Hostname()); err != nil {
		return nil, false, err
	}
	roles, err = g.M365().RolesAt(ctx, u.Hostname())
	return roles, err == nil, err
}

// grantedAt tells whether roles at SharePoint have a permission, or one that has it within.
func grantedAt(roles []string, name string) bool {
	order := []string{"Sites.Read.All", "Sites.ReadWrite.All", "Sites.Manage.All", "Sites.FullControl.All"}
	for _, r := range order[max(slices.Index(order, name), 0):] {
		if slices.Contains(roles, r) {
			return true
		}
	}
	return false
}

// Site looks one site up by its id or address.
func (m *microsoft) Site(ctx context.Context, org holdfast.Organization, cred holdfast.Credential, id string) (service.DirectorySite, error) {
	g, err := m.Graph(ctx, org, cred)
	if err != nil {
		return service.DirectorySite{}, err
	}
	var x *graph.Site
	if u, perr := url.Parse(id); perr == nil && u.Scheme == "https" && u.Host != "" {
		if strings.Trim(u.Path, "/") == "" {
			x, err = g.Site(ctx, u.Host, graph.List{})
		} else {
			x, err = g.SiteAt(ctx, u.Host, u.Path)
		}
	} else {
		x, err = g.Site(ctx, id, graph.List{})
	}
	if kind := m365.KindOf(err); kind == m365.NotFound || kind == m365.Invalid {
		return service.DirectorySite{}, holdfast.NotFound("the organization has no site %q: %w", id, err)
	} else if err != nil {
		return service.DirectorySite{}, forUser(err)
	}
	return siteOf(x), nil
}

// GroupSite gives the site of a Microsoft 365 group; one that was never opened is a KindNotFound error.
func (m *microsoft) GroupSite(ctx context.Context, org holdfast.Organization, cred holdfast.Credential, group string) (service.DirectorySite, error) {
	g, err := m.Graph(ctx, org, cred)
	if err != nil {
		return service.DirectorySite{}, err
	}
	x, err := g.GroupSite(ctx, group)
	if m365.KindOf(err) == m365.NotFound {
		return service.DirectorySite{}, holdfast.NotFound("the group has no site: %w", err)
	} else if err != nil {
		return service.DirectorySite{}, forUser(err)
	}
	return siteOf(x), nil
}
