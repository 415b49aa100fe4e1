package rest

import (
	"context"

	"holdfast/internal/holdfast"
	"holdfast/internal/rest/contract"
	"holdfast/internal/service"
)

// What a restore point holds, as versions before 8 list it. Version 8 has lists of what is protected that a restore point narrows.

type pointMailbox struct {
	ID      string `json:"id"`
	Name    string `json:"displayName"`
	Address string `json:"email"`
	Archive bool   `json:"isArchive"`
}

type pointOneDrive struct {
	ID   string `json:"id"`
	Name string `json:"name"`
	URL  string `json:"url,omitzero"`
}

type pointSite struct {
	ID   string `json:"siteId"`
	Name string `json:"name"`
	URL  string `json:"url"`
}

type pointTeam struct {
	ID   string `json:"id"`
	Name string `json:"displayName"`
}

type pointGroup struct {
	ID           string                         `json:"id"`
	Account      string                         `json:"accountId"`
	Name         string                         `json:"displayName"`
	Address      string                         `json:"email"`
	Mailbox      bool                           `json:"isMailboxBackedUp"`
	Organization string                         `json:"organizationId"`
	BackedUp     string                         `json:"backedUpOrganizationId"`
	Links        contract.RESTLinkHALDictionary `json:"_links"`
}

type pointUser struct {
	ID           string                         `json:"id"`
	Account      string                         `json:"accountId,omitzero"`
	Name         string                         `json:"displayName"`
	Address      string                         `json:"email"`
	Type         string                         `json:"accountType"`
	Mailbox      bool                           `json:"isMailboxBackedUp"`
	Archive      bool                           `json:"isArchiveBackedUp"`
	OneDrive     bool                           `json:"isOneDriveBackedUp"`
	PersonalSite bool                           `json:"isPersonalSiteBackedUp"`
	Organization string                         `json:"organizationId"`
	BackedUp     string                         `json:"backedUpOrganizationId"`
	Links        contract.RESTLinkHALDictionary `json:"_links"`
}

func (r *request) inPoint() (service.ProtectedFilter, error) {
	id, err := r.id("restorePointId")
	return service.ProtectedFilter{Point: holdfast.RestorePointID(id)}, err
}

// pointContainers answers the containers of a kind in a restore point.
func pointContainers[T any](ctx context.Context, a *API, r *request, kind holdfast.ContainerKind, encode func(holdfast.ContainerRecord) T) (any, error) {
	w, err := r.window()
	if err != nil {
		return nil, err
	}
	f, err := r.inPoint()
	if err != nil {
		return nil, err
	}
	all, err := a.services.Protected.Containers(ctx, r.user, kind, f, w.page())
	if err != nil {
		return nil, err
	}
	return page(r, w, all, encode), nil
}

func (a *API) pointProtectedMailboxes(ctx context.Context, r *request) (any, error) {
	return pointContainers(ctx, a, r, holdfast.Mailbox, func(c holdfast.ContainerRecord) pointMailbox {
		return pointMailbox{ID: c.PublicID(), Name: c.Name, Address: c.Address}
	})
}

func (a *API) pointProtectedOneDrives(ctx context.Context, r *request) (any, error) {
	return pointContainers(ctx, a, r, holdfast.Drive, func(c holdfast.ContainerRecord) pointOneDrive {
		return pointOneDrive{ID: c.PublicID(), Name: c.Name}
	})
}

func (a *API) pointProtectedSites(ctx context.Context, r *request) (any, error) {
	return pointContainers(ctx, a, r, holdfast.Site, func(c holdfast.ContainerRecord) pointSite {
		return pointSite{ID: c.PublicID(), Name: c.Name, URL: c.Address}
	})
}

func (a *API) pointProtectedUsers(ctx context.Context, r *request) (any, error) {
	w, err := r.window()
	if err != nil {
		return nil, err
	}
	f, err := r.inPoint()
	if err != nil {
		return nil, err
	}
	users, err := a.services.Protected.Users(ctx, r.user, f, w.page())
	if err != nil {
		return nil, err
	}
	return page(r, w, users, func(u service.ProtectedOwner) pointUser {
		out := pointUser{ID: u.ID, Account: u.ObjectID, Name: u.Name, Address: u.Address, Type: "User", Organization: string(u.Organization), BackedUp: string(u.Organization),
			Links: contract.RESTLinkHALDictionary{"restorePoint": r.links.to("/RestorePoints/{restorePointId}", string(f.Point)), "organization": r.links.to(organizationPath, string(u.Organization))}}
		for _, c := range u.Containers {
			out.Mailbox, out.OneDrive = out.Mailbox || c.Kind == holdfast.Mailbox, out.OneDrive || c.Kind == holdfast.Drive
			out.PersonalSite = out.PersonalSite || c.Personal()
		}
		return out
	}), nil
}

func (a *API) pointProtectedTeams(ctx context.Context, r *request) (any, error) {
	return pointContainers(ctx, a, r, holdfast.Team, func(c holdfast.ContainerRecord) pointTeam {
		return pointTeam{ID: c.PublicID(), Name: c.Name}
	})
}

func (a *API) pointProtectedGroups(ctx context.Context, r *request) (any, error) {
	w, err := r.window()
	if err != nil {
		return nil, err
	}
	f, err := r.inPoint()
	if err != nil {
		return nil, err
	}
	groups, err := a.services.Protected.Groups(ctx, r.user, f, w.page())
	if err != nil {
		return nil, err
	}
	return page(r, w, groups, func(g service.ProtectedOwner) pointGroup {
		return pointGroup{ID: g.ID, Account: g.ObjectID, Name: g.Name, Address: g.Address, Mailbox: true, Organization: string(g.Organization), BackedUp: string(g.Organization),
			Links: contract.RESTLinkHALDictionary{"restorePoint": r.links.to("/RestorePoints/{restorePointId}", string(f.Point)), "organization": r.links.to(organizationPath, string(g.Organization))}}
	}), nil
}
