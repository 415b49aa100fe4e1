package service

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"holdfast/internal/holdfast"
)

// RbacRoles are restore roles: who may restore, and for whom.
type RbacRoles struct{ *core }

// RbacSpec says what a restore role is to be. nil leaves a part as it is.
type RbacSpec struct {
	Name        *string
	Description *string
	Whole       *bool
	Acts        []holdfast.GrantAct
	Operators   []holdfast.RbacItem
	Selected    []holdfast.RbacItem
	Excluded    []holdfast.RbacItem
}

// RbacList is one of a role's lists.
type RbacList string

// The lists of a role.
const (
	RbacOperators RbacList = "operator"
	RbacSelected  RbacList = "selected"
	RbacExcluded  RbacList = "excluded"
)

// List gives roles by name; an empty organization means all.
func (r *RbacRoles) List(ctx context.Context, u User, org holdfast.OrganizationID) ([]holdfast.RbacRole, error) {
	if err := r.may(u, ActSeeRoles); err != nil {
		return nil, err
	}
	return read(ctx, r.core, func(ctx context.Context, tx Tx) ([]holdfast.RbacRole, error) {
		if org != "" {
			if _, err := tx.Organization(ctx, org); err != nil {
				return nil, err
			}
		}
		return tx.RbacRoles(ctx, org)
	})
}

// Get gives one role.
func (r *RbacRoles) Get(ctx context.Context, u User, id string) (holdfast.RbacRole, error) {
	if err := r.may(u, ActSeeRoles); err != nil {
		return holdfast.RbacRole{}, err
	}
	return read(ctx, r.core, func(ctx context.Context, tx Tx) (holdfast.RbacRole, error) { return tx.RbacRole(ctx, id) })
}

// Create makes a role in an organization. Users and groups are looked up in its directory, operators also among the local users.
func (r *RbacRoles) Create(ctx context.Context, u User, org holdfast.OrganizationID, spec RbacSpec) (holdfast.RbacRole, error) {
	if err := r.may(u, ActChangeRoles); err != nil {
		return holdfast.RbacRole{}, err
	}
	id, err := r.id()
	if err != nil {
		return holdfast.RbacRole{}, err
	}
	role := holdfast.RbacRole{ID: id, Organization: org, Acts: holdfast.GrantActs, Created: r.now()}
	return r.save(ctx, u, role, spec, "rbac_role.create")
}

// Update changes what spec names. What it takes away is gone at the next request of those whom it concerns.
func (r *RbacRoles) Update(ctx context.Context, u User, id string, spec RbacSpec) (holdfast.RbacRole, error) {
	if err := r.may(u, ActChangeRoles); err != nil {
		return holdfast.RbacRole{}, err
	}
	role, err := read(ctx, r.core, func(ctx context.Context, tx Tx) (holdfast.RbacRole, error) { return tx.RbacRole(ctx, id) })
	if err != nil {
		return role, err
	}
	return r.save(ctx, u, role, spec, "rbac_role.update")
}

// Delete forgets a role.
func (r *RbacRoles) Delete(ctx context.Context, u User, id string) error {
	if err := r.may(u, ActChangeRoles); err != nil {
		return err
	}
	return r.Store.Write(ctx, func(ctx context.Context, tx Tx) error {
		role, err := tx.RbacRole(ctx, id)
		if err != nil {
			return err
		}
		if err := r.audit(ctx, tx, u, "rbac_role.delete", "rbac_role/"+id, role.Name); err != nil {
			return err
		}
		return tx.DeleteRbacRole(ctx, id)
	})
}

// Add puts items into one of a role's lists; one that is there already is replaced.
func (r *RbacRoles) Add(ctx context.Context, u User, id string, list RbacList, items []holdfast.RbacItem) error {
	return r.edit(ctx, u, id, list, func(_ holdfast.RbacRole, old []holdfast.RbacItem) ([]holdfast.RbacItem, error) {
		return append(slices.Clone(old), items...), nil
	})
}

// Remove takes items out of a list. Unknown ids are an error and nothing changes.
func (r *RbacRoles) Remove(ctx context.Context, u User, id string, list RbacList, ids []string) error {
	return r.edit(ctx, u, id, list, func(role holdfast.RbacRole, old []holdfast.RbacItem) ([]holdfast.RbacItem, error) {
		left := slices.Clone(old)
		for _, id := range ids {
			i := slices.IndexFunc(left, func(o holdfast.RbacItem) bool { return o.ID == id })
			if i < 0 {
				return nil, holdfast.NotFound("restore role %q has no %s item %s", role.Name, list, id)
			}
			left = slices.Delete(left, i, i+1)
		}
		return left, nil
	})
}

// Item gives one item of a list.
func (r *RbacRoles) Item(ctx context.Context, u User, id string, list RbacList, item string) (holdfast.RbacItem, error) {
	role, err := r.Get(ctx, u, id)
	if err != nil {
		return holdfast.RbacItem{}, err
	}
	for _, i := range *rbacItems(&role, list) {
		if i.ID == item {
			return i, nil
		}
	}
	return holdfast.RbacItem{}, holdfast.NotFound("restore role %q has no %s item %s", role.Name, list, item)
}

// Items gives one of a role's lists.
func (r *RbacRoles) Items(ctx context.Context, u User, id string, list RbacList) ([]holdfast.RbacItem, error) {
	role, err := r.Get(ctx, u, id)
	return *rbacItems(&role, list), err
}

func rbacItems(r *holdfast.RbacRole, list RbacList) *[]holdfast.RbacItem {
	switch list {
	case RbacOperators:
		return &r.Operators
	case RbacExcluded:
		return &r.Excluded
	}
	return &r.Selected
}

func (r *RbacRoles) edit(ctx context.Context, u User, id string, list RbacList, edit func(holdfast.RbacRole, []holdfast.RbacItem) ([]holdfast.RbacItem, error)) error {
	if err := r.may(u, ActChangeRoles); err != nil {
		return err
	}
	role, err := read(ctx, r.core, func(ctx context.Context, tx Tx) (holdfast.RbacRole, error) { return tx.RbacRole(ctx, id) })
	if err != nil {
		return err
	}
	items, err := edit(role, *rbacItems(&role, list))
	if err != nil {
		return err
	}
	if items == nil {
		items = []holdfast.RbacItem{}
	}
	var spec RbacSpec
	switch list {
	case RbacOperators:
		spec.Operators = items
	case RbacExcluded:
		spec.Excluded = items
	case RbacSelected:
		spec.Selected = items
	}
	_, err = r.save(ctx, u, role, spec, "rbac_role.update")
	return err
}

// save completes, checks and keeps a role. What the directory is asked for comes before the transaction.
func (r *RbacRoles) save(ctx context.Context, u User, role holdfast.RbacRole, spec RbacSpec, act string) (holdfast.RbacRole, error) {
	org, cred, err := r.withCredential(ctx, role.Organization)
	if err != nil {
		return role, err
	}
	before := role
	role.Name, role.Description, role.Whole = strings.TrimSpace(value(spec.Name, role.Name)), value(spec.Description, role.Description), value(spec.Whole, role.Whole)
	if role.Name == "" || len(role.Name) > 255 {
		return role, holdfast.Invalid("a restore role needs a name of at most 255 bytes")
	}
	if spec.Acts != nil {
		role.Acts = spec.Acts
	}
	for _, a := range role.Acts {
		if !slices.Contains(holdfast.GrantActs, a) {
			return role, holdfast.Invalid("a restore role can't allow %q; it is some of read, download, restore, restoreElsewhere", a)
		}
	}
	for list, items := range map[RbacList][]holdfast.RbacItem{RbacOperators: spec.Operators, RbacSelected: spec.Selected, RbacExcluded: spec.Excluded} {
		if items == nil {
			continue
		}
		if *rbacItems(&role, list), err = r.resolve(ctx, role, list, items, org, cred); err != nil {
			return role, err
		}
	}
	if !role.Whole && len(role.Selected) == 0 && (act == "rbac_role.create" || before.Whole) {
		return role, holdfast.Invalid("a restore role for specific objects needs selectedItems")
	}
	_, err = write(ctx, r.core, func(ctx context.Context, tx Tx) (holdfast.RbacRole, error) {
		if act == "rbac_role.update" {
			now, err := tx.RbacRole(ctx, role.ID)
			if err != nil {
				return now, err
			} else if !rbacSame(now, before) {
				return now, holdfast.Conflict("restore role %q was changed by somebody else meanwhile: read it again", now.Name)
			}
		}
		all, err := tx.RbacRoles(ctx, role.Organization)
		if err != nil {
			return role, err
		}
		if slices.ContainsFunc(all, func(o holdfast.RbacRole) bool { return o.ID != role.ID && strings.EqualFold(o.Name, role.Name) }) {
			return role, holdfast.Conflict("there is a restore role %q already", role.Name)
		}
		acts := strings.Trim(fmt.Sprint(role.Acts), "[]")
		detail := holdfast.SayRoleForAll.With(role.Name, len(role.Operators), len(role.Excluded), acts)
		if !role.Whole {
			detail = holdfast.SayRoleForSome.With(role.Name, len(role.Operators), len(role.Selected), len(role.Excluded), acts)
		}
		if err := r.audit(ctx, tx, u, act, "rbac_role/"+role.ID, detail); err != nil {
			return role, err
		}
		return role, tx.PutRbacRole(ctx, role)
	})
	if err != nil {
		return role, err
	}
	r.refreshGroups(ctx, role.Organization, groupsStale)
	return role, nil
}

func rbacSame(a, b holdfast.RbacRole) bool {
	return a.Name == b.Name && a.Description == b.Description && a.Whole == b.Whole && slices.Equal(a.Acts, b.Acts) && slices.Equal(a.Operators, b.Operators) &&
		slices.Equal(a.Selected, b.Selected) && slices.Equal(a.Excluded, b.Excluded)
}

// rbacMost bounds a list of a role.
const rbacMost = 1000

// resolve looks items up in the directory, so that a role never names what is not there, and gives them their ids.
func (r *RbacRoles) resolve(ctx context.Context, role holdfast.RbacRole, list RbacList, items []holdfast.RbacItem, org holdfast.Organization, cred holdfast.Credential) ([]holdfast.RbacItem, error) {
	if len(items) > rbacMost {
		return nil, holdfast.Invalid("a list of a restore role has at most %d items: use groups", rbacMost)
	}
	out := []holdfast.RbacItem{}
	for _, item := range items {
		if item.ID != "" && item.ID == rbacItemID(role, list, item) { // it was resolved before
			out = append(out, item)
			continue
		}
		switch item.Type {
		case "User":
			local, err := r.localOperator(ctx, list, item)
			if err != nil {
				return nil, err
			} else if local != nil {
				item.ObjectID, item.Name, item.DisplayName, item.Kind = string(local.ID), local.Name, local.DisplayName, "User"
				break
			}
			which := item.ObjectID
			if which == "" {
				which = item.Name
			}
			if which == "" {
				return nil, holdfast.Invalid("a user of a restore role needs an id or a name")
			}
			one, err := r.liveUser(ctx, org, cred, which)
			if err != nil {
				return nil, err
			}
			item.ObjectID, item.Name, item.DisplayName, item.Kind = one.ID, one.Name, one.DisplayName, "User"
			if one.Shared {
				item.Kind = "SharedMailbox"
			}
		case "Group":
			if item.ObjectID == "" {
				return nil, holdfast.Invalid("a group of a restore role needs its id")
			}
			members, err := r.Directory.Members(ctx, org, cred, item.ObjectID)
			if err != nil {
				return nil, fmt.Errorf("read the members of group %s: %w", item.ObjectID, err)
			}
			if err := r.Store.Write(ctx, func(ctx context.Context, tx Tx) error {
				return tx.PutGroupMembers(ctx, holdfast.GroupMembers{Organization: org.ID, Group: item.ObjectID, Members: members, Read: r.now()})
			}); err != nil {
				return nil, err
			}
			if item.DisplayName == "" {
				item.DisplayName = item.Name
			}
			if item.Kind == "" {
				item.Kind = "Unknown"
			}
		case "Site", "Team":
			if list == RbacOperators {
				return nil, holdfast.Invalid("an operator of a restore role is of type User or Group, not %q", item.Type)
			}
			if err := r.resolvePlace(ctx, &item, org, cred); err != nil {
				return nil, err
			}
		default:
			return nil, holdfast.Invalid("an item of a restore role is of type User, Group, Site or Team, not %q", item.Type)
		}
		item.ID = rbacItemID(role, list, item)
		if i := slices.IndexFunc(out, func(o holdfast.RbacItem) bool { return o.ID == item.ID }); i >= 0 {
			out[i] = item
			continue
		}
		out = append(out, item)
	}
	return out, nil
}

// resolvePlace looks a site or a team up, which is managed by itself: who manages a group manages its members.
func (r *RbacRoles) resolvePlace(ctx context.Context, item *holdfast.RbacItem, org holdfast.Organization, cred holdfast.Credential) error {
	which := cmp.Or(item.ObjectID, item.Name)
	if which == "" {
		return holdfast.Invalid("a %s of a restore role needs an id, or a site its url and a team its mail or displayName", strings.ToLower(item.Type))
	}
	if item.Type == "Team" {
		one, err := r.Directory.Team(ctx, org, cred, which)
		if err != nil {
			return err
		}
		item.ObjectID, item.Name, item.DisplayName = one.ID, one.Mail, one.Name
		return nil
	}
	one, err := r.Directory.Site(ctx, org, cred, which)
	if err != nil {
		return err
	}
	if one.Personal {
		return holdfast.Invalid("%s is somebody's personal site: name the user", one.URL)
	}
	item.ObjectID, item.Name, item.DisplayName = one.ID, one.URL, one.Name
	return nil
}

func rbacItemID(role holdfast.RbacRole, list RbacList, item holdfast.RbacItem) string {
	return holdfast.DerivedID(role.ID, string(list)+"/"+item.Type+"/"+item.ObjectID)
}

// localOperator finds the local user that an operator names, by id or name; nil when it is none.
func (r *RbacRoles) localOperator(ctx context.Context, list RbacList, item holdfast.RbacItem) (*holdfast.Account, error) {
	if list != RbacOperators {
		return nil, nil
	}
	a, err := read(ctx, r.core, func(ctx context.Context, tx Tx) (holdfast.Account, error) {
		if item.ObjectID != "" {
			return tx.Account(ctx, holdfast.UserID(item.ObjectID))
		}
		return tx.AccountByName(ctx, item.Name)
	})
	switch {
	case missing(err) || err == nil && !a.Local():
		return nil, nil
	case err != nil:
		return nil, err
	case a.Role != string(RoleOperator):
		return nil, holdfast.Invalid("%s has the role %s: only a user with the role %s can be an operator of a restore role", a.Name, a.Role, RoleOperator)
	}
	return &a, nil
}

// grants are what an account may see by restore roles, and as a directory user his own objects first. A role grants nothing while it is not
// known whom an excluded group excludes.
func (c *core) grants(ctx context.Context, tx Tx, a holdfast.Account) ([]holdfast.Grant, error) {
	var out []holdfast.Grant
	id := string(a.ID)
	if !a.Local() {
		id = a.ObjectID
		out = append(out, holdfast.Grant{Organization: a.Organization, Owners: []string{a.ObjectID}, Acts: []holdfast.GrantAct{holdfast.GrantRead, holdfast.GrantDownload, holdfast.GrantRestore}})
	}
	roles, err := tx.RbacRoles(ctx, a.Organization)
	if err != nil {
		return nil, err
	}
	for _, r := range roles {
		operators, _, err := expand(ctx, tx, r.Organization, r.Operators)
		if err != nil {
			return nil, err
		}
		if !slices.Contains(operators, id) {
			continue
		}
		g := holdfast.Grant{Organization: r.Organization, Whole: r.Whole, Acts: r.Acts}
		excluded, whole, err := expand(ctx, tx, r.Organization, r.Excluded)
		if err != nil {
			return nil, err
		} else if !whole {
			c.Log.WarnContext(ctx, "a restore role grants nothing: the members of an excluded group are not known", "role", r.ID)
			continue
		}
		g.Excluded = excluded
		if !r.Whole {
			if g.Owners, _, err = expand(ctx, tx, r.Organization, r.Selected); err != nil {
				return nil, err
			}
		}
		out = append(out, g)
	}
	return out, nil
}

// expand gives the users that items stand for, sorted; all is false when the members of a group were never read.
func expand(ctx context.Context, tx Tx, org holdfast.OrganizationID, items []holdfast.RbacItem) (ids []string, all bool, err error) {
	all = true
	for _, i := range items {
		if i.Type != "Group" {
			ids = append(ids, i.ObjectID)
			continue
		}
		g, err := tx.GroupMembers(ctx, org, i.ObjectID)
		if missing(err) {
			all = false
			continue
		} else if err != nil {
			return nil, false, err
		}
		ids = append(ids, g.Members...)
	}
	slices.Sort(ids)
	return slices.Compact(ids), all, nil
}

// groupsStale is how old a group's members may be when somebody signs in.
const groupsStale = 15 * time.Minute

// refreshGroups reads the members of the groups in an organization's restore roles anew where they are older than stale. What can't be
// read stays as it was: a directory that is down must not lock operators out.
func (c *core) refreshGroups(ctx context.Context, org holdfast.OrganizationID, stale time.Duration) {
	var groups []string
	err := c.Store.Read(ctx, func(ctx context.Context, tx Tx) error {
		groups = nil
		roles, err := tx.RbacRoles(ctx, org)
		if err != nil {
			return err
		}
		for _, r := range roles {
			for _, i := range slices.Concat(r.Operators, r.Selected, r.Excluded) {
				if i.Type != "Group" || slices.Contains(groups, i.ObjectID) {
					continue
				}
				if g, err := tx.GroupMembers(ctx, org, i.ObjectID); err == nil && c.now().Sub(g.Read) < stale {
					continue
				} else if err != nil && !missing(err) {
					return err
				}
				groups = append(groups, i.ObjectID)
			}
		}
		return nil
	})
	if err == nil && len(groups) > 0 {
		err = c.readGroups(ctx, org, groups)
	}
	if err != nil && ctx.Err() == nil {
		c.Log.WarnContext(ctx, "members of groups in restore roles could not be read", "organization", org, "error", err)
	}
}

func (c *core) readGroups(ctx context.Context, id holdfast.OrganizationID, groups []string) error {
	org, cred, err := c.withCredential(ctx, id)
	if err != nil {
		return err
	}
	for _, g := range groups {
		members, err := c.Directory.Members(ctx, org, cred, g)
		if missing(err) {
			members = nil // the group is gone, and with it what it stood for
		} else if err != nil {
			return err
		}
		if err := c.Store.Write(ctx, func(ctx context.Context, tx Tx) error {
			return tx.PutGroupMembers(ctx, holdfast.GroupMembers{Organization: id, Group: g, Members: members, Read: c.now()})
		}); err != nil {
			return err
		}
	}
	return nil
}
