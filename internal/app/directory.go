package app

import (
	"context"
	"iter"
	"strings"

	"holdfast/internal/holdfast"
	"holdfast/internal/m365"
	"holdfast/internal/m365/graph"
	"holdfast/internal/service"
)

// Users gives the users that q asks for, live. Graph has no offset, so pages before it are read and passed over.
func (m *microsoft) Users(ctx context.Context, org holdfast.Organization, cred holdfast.Credential, q service.DirectoryQuery) ([]service.DirectoryUser, error) {
	g, err := m.Graph(ctx, org, cred)
	if err != nil {
		return nil, err
	}
	l := graph.List{Top: pageFor(q)}
	first, err := g.Users(ctx, l)
	return window(graph.All(ctx, g, first, err, l), q.Offset, q.Limit, func(u *graph.User) bool {
		return hasPrefix(u.UserPrincipalName, q.Name) && hasPrefix(u.DisplayName, q.DisplayName)
	}, userOf)
}

// window gives the rows that keep takes, as they are shown: limit of them (0: all) after the first offset.
func window[T, D any](rows iter.Seq2[*T, error], offset, limit int, keep func(*T) bool, show func(*T) D) ([]D, error) {
	var out []D
	for x, err := range rows {
		if err != nil {
			return nil, forUser(err)
		}
		if !keep(x) {
			continue
		}
		if offset > 0 {
			offset--
			continue
		}
		out = append(out, show(x))
		if limit > 0 && len(out) == limit {
			break
		}
	}
	return out, nil
}

func pageFor(q service.DirectoryQuery) int {
	if n := q.Offset + q.Limit; q.Limit > 0 && n < 999 && q.Name == "" && q.DisplayName == "" {
		return n
	}
	return 999
}

func hasPrefix(s, prefix string) bool {
	return len(s) >= len(prefix) && strings.EqualFold(s[:len(prefix)], prefix)
}

func userOf(u *graph.User) service.DirectoryUser {
	d := service.DirectoryUser{ID: u.ID, Name: u.UserPrincipalName, DisplayName: u.DisplayName, Office: u.Office}
	for _, l := range u.AssignedLicenses {
		d.Licenses = append(d.Licenses, service.License{SKU: l.SkuID})
	}
	return d
}

// User looks one user up by object id or user principal name.
func (m *microsoft) User(ctx context.Context, org holdfast.Organization, cred holdfast.Credential, id string) (service.DirectoryUser, error) {
	g, err := m.Graph(ctx, org, cred)
	if err != nil {
		return service.DirectoryUser{}, err
	}
	u, err := g.User(ctx, id)
	if err != nil {
		if m365.KindOf(err) == m365.NotFound {
			return service.DirectoryUser{}, holdfast.NotFound("the organization has no user %q: %w", id, err)
		}
		return service.DirectoryUser{}, forUser(err)
	}
	return userOf(u), nil
}

// Groups gives the groups that q asks for, live.
func (m *microsoft) Groups(ctx context.Context, org holdfast.Organization, cred holdfast.Credential, q service.DirectoryQuery) ([]service.DirectoryGroup, error) {
	g, err := m.Graph(ctx, org, cred)
	if err != nil {
		return nil, err
	}
	l := graph.List{Top: pageFor(q)}
	first, err := g.Groups(ctx, l)
	return window(graph.All(ctx, g, first, err, l), q.Offset, q.Limit, func(gr *graph.Group) bool {
		return hasPrefix(gr.Mail, q.Name) && hasPrefix(gr.DisplayName, q.DisplayName)
	}, func(gr *graph.Group) service.DirectoryGroup {
		return service.DirectoryGroup{ID: gr.ID, Name: gr.Mail, DisplayName: gr.DisplayName, Type: groupType(gr)}
	})
}

func groupType(g *graph.Group) string {
	for _, t := range g.GroupTypes {
		if t == "Unified" {
			return "Office365"
		}
	}
	if g.Security != nil && *g.Security {
		return "Security"
	}
	return "Distribution"
}

// Members gives the users in a group and in the groups within it, each once.
func (m *microsoft) Members(ctx context.Context, org holdfast.Organization, cred holdfast.Credential, group string) ([]string, error) {
	g, err := m.Graph(ctx, org, cred)
	if err != nil {
		return nil, err
	}
	members := []string{}
	l := graph.List{Top: 999}
	first, err := g.TransitiveMembers(ctx, group, l)
	for one, err := range graph.All(ctx, g, first, err, l) {
		if err != nil {
			return nil, forUser(err)
		}
		if strings.HasSuffix(one.Type, ".user") {
			members = append(members, one.ID)
		}
	}
	return members, nil
}

// Drives gives a user's drive; a user who never opened OneDrive has none.
func (m *microsoft) Drives(ctx context.Context, org holdfast.Organization, cred holdfast.Credential, user string) ([]service.DirectoryDrive, error) {
	g, err := m.Graph(ctx, org, cred)
	if err != nil {
		return nil, err
	}
	d, err := g.UserDrive(ctx, user)
	switch {
	case m365.KindOf(err) == m365.NotFound, m365.KindOf(err) == m365.Unlicensed:
		return nil, nil
	case err != nil:
		return nil, forUser(err)
	}
	return []service.DirectoryDrive{{ID: d.ID, Name: d.Name, URL: d.WebURL}}, nil
}

// Changes tells what changed in the directory after a position, by deltas of users and groups; sites, which are few, are listed whole.
func (m *microsoft) Changes(ctx context.Context, org holdfast.Organization, cred holdfast.Credential, from holdfast.DirectoryPosition, tell func(service.DirectoryChanges) error) (holdfast.DirectoryPosition, error) {
	next := from
	g, err := m.Graph(ctx, org, cred)
	if err != nil {
		return next, err
	}
	next.Users, err = deltaOf(from.Users,
		func() (*graph.Page[graph.User], error) { return g.UsersDelta(ctx, graph.List{Select: syncedUser}) },
		func(link string) (*graph.Page[graph.User], error) {
			return graph.Follow[graph.User](ctx, g, link, graph.List{})
		}, func(rows []graph.User) error {
			var c service.DirectoryChanges
			for i := range rows {
				u := &rows[i]
				if u.Removed != nil {
					c.Gone = append(c.Gone, service.DirectoryRef{Kind: holdfast.DirectoryUser, ID: u.ID})
					continue
				}
				o := holdfast.DirectoryObject{Organization: org.ID, Kind: holdfast.DirectoryUser, ID: u.ID, Name: u.UserPrincipalName, DisplayName: u.DisplayName, Mail: u.Mail,
					Guest: strings.EqualFold(u.UserType, "Guest"), Office: u.Office}
				for _, l := range u.AssignedLicenses {
					o.Licenses = append(o.Licenses, l.SkuID)
				}
				c.Objects = append(c.Objects, o)
			}
			return tell(c)
		})
	if err != nil {
		return next, err
	}
	next.Groups, err = deltaOf(from.Groups,
		func() (*graph.Page[graph.Group], error) { return g.GroupsDelta(ctx, graph.List{Select: syncedGroup}) },
		func(link string) (*graph.Page[graph.Group], error) {
			return graph.Follow[graph.Group](ctx, g, link, graph.List{})
		}, func(rows []graph.Group) error {
			var c service.DirectoryChanges
			for i := range rows {
				gr := &rows[i]
				if gr.Removed != nil {
					c.Gone = append(c.Gone, service.DirectoryRef{Kind: holdfast.DirectoryGroup, ID: gr.ID})
					continue
				}
				c.Objects = append(c.Objects, holdfast.DirectoryObject{Organization: org.ID, Kind: holdfast.DirectoryGroup, ID: gr.ID, Name: gr.Mail, DisplayName: gr.DisplayName, Mail: gr.Mail, Type: groupType(gr)})
				for _, x := range gr.Members {
					kind := holdfast.DirectoryUser
					switch {
					case strings.HasSuffix(x.Type, ".group"):
						kind = holdfast.DirectoryGroup
					case !strings.HasSuffix(x.Type, ".user"):
						continue // devices, contacts and applications have no data
					}
					c.Members = append(c.Members, holdfast.DirectoryMember{Group: gr.ID, Kind: kind, Member: x.ID, Gone: x.Removed != nil})
				}
			}
			return tell(c)
		})
	if err != nil || !org.SharePoint {
		return next, err
	}
	c := service.DirectoryChanges{Listed: holdfast.DirectorySite}
	l := graph.List{}
	first, err := g.AllSites(ctx, l)
	for x, err := range graph.All(ctx, g, first, err, l) {
		if m365.KindOf(err) == m365.Denied {
			return next, nil // sites are not among what this application may see; the rest is
		}
		if err != nil {
			return next, forUser(err)
		}
		if x.Removed != nil {
			continue
		}
		s := siteOf(x)
		c.Objects = append(c.Objects, holdfast.DirectoryObject{Organization: org.ID, Kind: holdfast.DirectorySite, ID: s.ID, Name: s.URL, DisplayName: s.Name, Personal: s.Personal})
	}
	return next, tell(c)
}

var (
	syncedUser  = []string{"id", "displayName", "userPrincipalName", "mail", "userType", "officeLocation", "assignedLicenses"}
	syncedGroup = append([]string{"members"}, graph.GroupFields...)
)

// deltaOf reads a delta from a link, or without one from the beginning, page by page, and gives the link to go on from.
// A link that is no longer known is service.ErrDirectoryReset.
func deltaOf[T any](from string, begin func() (*graph.Page[T], error), follow func(link string) (*graph.Page[T], error), rows func([]T) error) (string, error) {
	next := begin
	if from != "" {
		next = func() (*graph.Page[T], error) { return follow(from) }
	}
	for {
		page, err := next()
		if m365.KindOf(err) == m365.Resync {
			return "", service.ErrDirectoryReset
		} else if err != nil {
			return "", forUser(err)
		}
		if err := rows(page.Value); err != nil {
			return "", err
		}
		if page.NextLink == "" {
			return page.DeltaLink, nil
		}
		next = func() (*graph.Page[T], error) { return follow(page.NextLink) }
	}
}
