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

// ProtectedOwner is a user or a Microsoft 365 group of whom backups hold something.
type ProtectedOwner struct {
	ID           string // derived from organization and Entra object id
	ObjectID     string // Entra object id
	Organization holdfast.OrganizationID
	Name         string
	Address      string
	Shared       bool                       // the mailbox is nobody's own; see holdfast.SharedPurpose
	Containers   []holdfast.ContainerRecord // a user's mailboxes and drives, a group's mailbox, in each repository
}

// Users gives the users of whom backups hold something, by name.
func (p *Protected) Users(ctx context.Context, u User, f ProtectedFilter, page holdfast.Page) ([]ProtectedOwner, error) {
	users, err := p.users(ctx, u, f)
	if err != nil {
		return nil, err
	}
	return p.shared(ctx, window(users, page))
}

func (p *Protected) users(ctx context.Context, u User, f ProtectedFilter) ([]ProtectedOwner, error) {
	return p.owners(ctx, u, "", f, func(c holdfast.ContainerRecord) string {
		if c.Nobodys() {
			return "" // nobody's
		}
		return c.OwnerID()
	})
}

// User gives one protected user by his derived id or his Entra object id.
func (p *Protected) User(ctx context.Context, u User, id string, f ProtectedFilter) (ProtectedOwner, error) {
	all, err := p.users(ctx, u, f)
	if err != nil {
		return ProtectedOwner{}, err
	}
	one, err := ownerIn(all, id, "user")
	if err != nil {
		return one, err
	}
	marked, err := p.shared(ctx, []ProtectedOwner{one})
	if err != nil {
		return one, err
	}
	return marked[0], nil
}

// Groups gives the groups of which backups hold the mailbox, by name.
func (p *Protected) Groups(ctx context.Context, u User, f ProtectedFilter, page holdfast.Page) ([]ProtectedOwner, error) {
	groups, err := p.groups(ctx, u, f)
	return window(groups, page), err
}

func (p *Protected) groups(ctx context.Context, u User, f ProtectedFilter) ([]ProtectedOwner, error) {
	return p.owners(ctx, u, holdfast.Mailbox, f, func(c holdfast.ContainerRecord) string {
		if !c.OfGroup() {
			return ""
		}
		return holdfast.DerivedID(string(c.Organization), "group/"+c.Owner)
	})
}

// Group gives one protected group by its derived id or its Entra object id.
func (p *Protected) Group(ctx context.Context, u User, id string, f ProtectedFilter) (ProtectedOwner, error) {
	all, err := p.groups(ctx, u, f)
	if err != nil {
		return ProtectedOwner{}, err
	}
	return ownerIn(all, id, "group")
}

// owners gives whose the containers are, by name; of gives the derived id of a container's owner, empty when he is not asked for.
func (p *Protected) owners(ctx context.Context, u User, kind holdfast.ContainerKind, f ProtectedFilter, of func(holdfast.ContainerRecord) string) ([]ProtectedOwner, error) {
	held, err := p.containers(ctx, u, kind, f)
	if err != nil {
		return nil, err
	}
	at := map[string]int{}
	var owners []ProtectedOwner
	for _, c := range held {
		id := of(c)
		if id == "" {
			continue
		}
		i, ok := at[id]
		if !ok {
			i = len(owners)
			at[id] = i
			owners = append(owners, ProtectedOwner{ID: id, ObjectID: c.Owner, Organization: c.Organization, Name: c.Name, Address: c.Address})
		} else if owners[i].Containers[0].Personal() && !c.Personal() { // a personal site has an address, its user's name is another
			owners[i].Name, owners[i].Address = c.Name, c.Address
			owners[i].Containers = slices.Insert(owners[i].Containers, 0, c)
			continue
		}
		owners[i].Containers = append(owners[i].Containers, c)
	}
	slices.SortStableFunc(owners, func(a, b ProtectedOwner) int {
		return cmp.Or(strings.Compare(strings.ToLower(a.Name), strings.ToLower(b.Name)), strings.Compare(a.ID, b.ID))
	})
	return owners, nil
}

func ownerIn(all []ProtectedOwner, id, kind string) (ProtectedOwner, error) {
	i := slices.IndexFunc(all, func(o ProtectedOwner) bool { return o.ID == id || o.ObjectID == id })
	if i < 0 {
		return ProtectedOwner{}, holdfast.NotFound("no backup holds anything of %s %s", kind, id)
	}
	return all[i], nil
}

// shared says of users whose mailbox is shared, as backups have told the copy of the directory, and of those who have only a personal site stored their
// name in the directory.
func (p *Protected) shared(ctx context.Context, users []ProtectedOwner) ([]ProtectedOwner, error) {
	ids := map[holdfast.OrganizationID][]string{}
	for _, o := range users {
		ids[o.Organization] = append(ids[o.Organization], o.ObjectID)
	}
	return read(ctx, p.core, func(ctx context.Context, tx Tx) ([]ProtectedOwner, error) {
		for i, o := range users {
			if !o.Containers[0].Personal() {
				continue
			}
			u, err := tx.DirectoryObject(ctx, o.Organization, holdfast.DirectoryUser, o.ObjectID)
			if missing(err) {
				continue
			} else if err != nil {
				return nil, err
			}
			users[i].Address = u.Name
		}
		for org, of := range ids {
			purpose, err := purposes(ctx, tx, org, of)
			if err != nil {
				return nil, err
			}
			for i := range users {
				if users[i].Organization == org {
					users[i].Shared = holdfast.SharedPurpose(purpose[users[i].ObjectID])
				}
			}
		}
		return users, nil
	})
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
