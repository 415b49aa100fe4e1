package service

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"holdfast/internal/holdfast"
)

// Protected is what backups hold, seen from the users.
type Protected struct{ *core }

// ProtectedFilter narrows a list of protected data. Zero fields do not.
type ProtectedFilter struct {
	Organization holdfast.OrganizationID
	Repository   holdfast.RepositoryID
	Point        holdfast.RestorePointID
	Name         string    // part of the owner's name or address
	At           time.Time // only what was there at that time
}

// ProtectedUser is a user of whom backups hold something.
type ProtectedUser struct {
	ID           string // derived from organization and Entra object id
	ObjectID     string // Entra object id
	Organization holdfast.OrganizationID
	Name         string
	Address      string
	Containers   []holdfast.ContainerRecord // his mailboxes and drives, in each repository
}

// Users gives the users of whom backups hold something, by name.
func (p *Protected) Users(ctx context.Context, u User, f ProtectedFilter, page holdfast.Page) ([]ProtectedUser, error) {
	held, err := p.containers(ctx, u, "", f)
	if err != nil {
		return nil, err
	}
	byOwner := map[string]int{}
	var users []ProtectedUser
	for _, c := range held {
		if c.Nobodys() {
			continue // nobody's
		}
		id := c.OwnerID()
		i, ok := byOwner[id]
		if !ok {
			i = len(users)
			byOwner[id] = i
			users = append(users, ProtectedUser{ID: id, ObjectID: c.Owner, Organization: c.Organization, Name: c.Name, Address: c.Address})
		}
		users[i].Containers = append(users[i].Containers, c)
	}
	slices.SortStableFunc(users, func(a, b ProtectedUser) int {
		return cmp.Or(strings.Compare(strings.ToLower(a.Name), strings.ToLower(b.Name)), strings.Compare(a.ID, b.ID))
	})
	return window(users, page), nil
}

// User gives one protected user by his derived id or his Entra object id.
func (p *Protected) User(ctx context.Context, u User, id string, f ProtectedFilter) (ProtectedUser, error) {
	all, err := p.Users(ctx, u, f, holdfast.Page{})
	if err != nil {
		return ProtectedUser{}, err
	}
	for _, one := range all {
		if one.ID == id || one.ObjectID == id {
			return one, nil
		}
	}
	return ProtectedUser{}, holdfast.NotFound("no backup holds anything of user %s", id)
}

// ProtectedGroup is a Microsoft 365 group of which backups hold the mailbox.
type ProtectedGroup struct {
	ID           string // derived from organization and Entra object id
	ObjectID     string // Entra object id
	Organization holdfast.OrganizationID
	Name         string
	Address      string
	Containers   []holdfast.ContainerRecord // its mailbox, in each repository
}

// Groups gives the groups of which backups hold the mailbox, by name.
func (p *Protected) Groups(ctx context.Context, u User, f ProtectedFilter, page holdfast.Page) ([]ProtectedGroup, error) {
	held, err := p.containers(ctx, u, holdfast.Mailbox, f)
	if err != nil {
		return nil, err
	}
	at := map[string]int{}
	var groups []ProtectedGroup
	for _, c := range held {
		if !c.OfGroup() {
			continue
		}
		id := holdfast.DerivedID(string(c.Organization), "group/"+c.Owner)
		i, ok := at[id]
		if !ok {
			i = len(groups)
			at[id] = i
			groups = append(groups, ProtectedGroup{ID: id, ObjectID: c.Owner, Organization: c.Organization, Name: c.Name, Address: c.Address})
		}
		groups[i].Containers = append(groups[i].Containers, c)
	}
	return window(groups, page), nil
}

// Group gives one protected group by its derived id or its Entra object id.
func (p *Protected) Group(ctx context.Context, u User, id string, f ProtectedFilter) (ProtectedGroup, error) {
	all, err := p.Groups(ctx, u, f, holdfast.Page{})
	if err != nil {
		return ProtectedGroup{}, err
	}
	for _, one := range all {
		if one.ID == id || one.ObjectID == id {
			return one, nil
		}
	}
	return ProtectedGroup{}, holdfast.NotFound("no backup holds anything of group %s", id)
}

// ProtectedOrganization is an organization of which backups hold something.
type ProtectedOrganization struct {
	ID      holdfast.OrganizationID
	Name    string
	Tenant  string
	Removed bool // it is not known here any more, or not yet again
}

// Organizations gives the organizations of which backups hold something, by name.
func (p *Protected) Organizations(ctx context.Context, u User, f ProtectedFilter, page holdfast.Page) ([]ProtectedOrganization, error) {
	held, err := p.containers(ctx, u, "", f)
	if err != nil {
		return nil, err
	}
	all, err := readAs(ctx, p.core, u, ActSeeOrgs, func(ctx context.Context, tx Tx) ([]ProtectedOrganization, error) {
		var all []ProtectedOrganization
		seen := map[holdfast.OrganizationID]bool{}
		for _, c := range held {
			if seen[c.Organization] {
				continue
			}
			seen[c.Organization] = true
			one := ProtectedOrganization{ID: c.Organization}
			o, err := tx.Organization(ctx, c.Organization)
			switch {
			case err == nil:
				one.Name, one.Tenant = o.Name, o.TenantID
			case holdfast.KindOf(err) == holdfast.KindNotFound:
				one.Removed = true
			default:
				return nil, err
			}
			all = append(all, one)
		}
		return all, nil
	})
	slices.SortFunc(all, func(a, b ProtectedOrganization) int {
		return cmp.Or(strings.Compare(strings.ToLower(a.Name), strings.ToLower(b.Name)), strings.Compare(string(a.ID), string(b.ID)))
	})
	return window(all, page), err
}

// Containers gives the mailboxes or drives that backups hold, by name. An empty kind means all.
func (p *Protected) Containers(ctx context.Context, u User, kind holdfast.ContainerKind, f ProtectedFilter, page holdfast.Page) ([]holdfast.ContainerRecord, error) {
	all, err := p.containers(ctx, u, kind, f)
	return window(all, page), err
}

// Container gives one by its public id (Container.PublicID).
func (p *Protected) Container(ctx context.Context, u User, kind holdfast.ContainerKind, f ProtectedFilter, id string) (holdfast.ContainerRecord, error) {
	all, err := p.containers(ctx, u, kind, f)
	if err != nil {
		return holdfast.ContainerRecord{}, err
	}
	for _, c := range all {
		if c.PublicID() == id {
			return c, nil
		}
	}
	return holdfast.ContainerRecord{}, holdfast.NotFound("no backup holds a %s with id %s", kind, id)
}

func (p *Protected) containers(ctx context.Context, u User, kind holdfast.ContainerKind, f ProtectedFilter) ([]holdfast.ContainerRecord, error) {
	held, err := readAs(ctx, p.core, u, ActSeeProtected, func(ctx context.Context, tx Tx) ([]holdfast.ContainerRecord, error) {
		if f.Repository != "" {
			if _, err := tx.Repository(ctx, f.Repository); err != nil {
				return nil, err
			}
		}
		all, err := tx.Containers(ctx, holdfast.ContainerFilter{Organization: f.Organization, Repository: f.Repository, Kind: kind}, holdfast.Page{})
		if err != nil || f.Point == "" {
			return all, err
		}
		point, err := tx.RestorePoint(ctx, f.Point)
		if err != nil {
			return nil, err
		}
		in := map[string]holdfast.PointEntry{}
		for _, e := range point.Entries {
			if e.Head > 0 {
				in[e.Container.Key()] = e
			}
		}
		all = slices.DeleteFunc(all, func(c holdfast.ContainerRecord) bool {
			_, ok := in[c.Key()]
			return !ok || c.Organization != point.Organization || c.Repository != point.Repository
		})
		for i := range all {
			e := in[all[i].Key()]
			all[i].Head, all[i].HeadTime = e.Head, e.HeadTime
		}
		return all, nil
	})
	return slices.DeleteFunc(held, func(c holdfast.ContainerRecord) bool {
		name := strings.ToLower(f.Name)
		return c.Head == 0 || !f.At.IsZero() && c.First.After(f.At) ||
			name != "" && !strings.Contains(strings.ToLower(c.Name), name) && !strings.Contains(strings.ToLower(c.Address), name)
	}), err
}
