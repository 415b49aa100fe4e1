package site

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"

	"holdfast/internal/engine"
	"holdfast/internal/holdfast"
	"holdfast/internal/m365"
	"holdfast/internal/m365/graph"
	"holdfast/internal/m365/sharepoint"
)

// access is who may do what, in the stored site and in the one there, as far as a restore needs it.
type access struct {
	groups []sharepoint.Group // stored
	levels []sharepoint.Level // stored
	web    sharepoint.Access  // stored

	mu          sync.Mutex // guards what is below: what the site there has; nil until it is asked for
	groupsThere []sharepoint.Group
	levelsThere []sharepoint.Level
	webThere    *sharepoint.Access
}

// Kinds of permission levels that every site has, by SP.RoleType.
const (
	kindLimited    = 1
	kindRead       = 2
	kindContribute = 3
	kindFull       = 5
)

// readAccess takes in what is stored of a site's groups and levels.
func (r *restore) readAccess(ctx context.Context, p engine.Put) error {
	for form, v := range map[holdfast.Form]any{formTeam: &r.access.groups, formLevels: &r.access.levels, formAccess: &r.access.web} {
		if err := read(ctx, p, form, v); err != nil {
			return err
		}
	}
	return nil
}

// look asks the site there for its groups and levels, once.
func (r *restore) lookAccess(ctx context.Context) error {
	a := &r.access
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.webThere != nil {
		return nil
	}
	groups, err := r.web.Groups(ctx)
	if err != nil {
		return err
	}
	levels, err := r.web.Levels(ctx)
	if err != nil {
		return err
	}
	web, err := r.web.Access(ctx)
	if err != nil {
		return err
	}
	a.groupsThere, a.levelsThere, a.webThere = groups, levels, &web
	return nil
}

// ofItself says that SharePoint makes a group by itself, for a sharing link or to give limited access.
func ofItself(title string) bool {
	return strings.HasPrefix(title, "SharingLinks.") || strings.HasPrefix(title, "Limited Access System Group")
}

// group is the group there that a stored one is: in its own site that of its number, elsewhere the one that the site uses for the same, else the one
// of its title. nil: there is none.
func (r *restore) group(who sharepoint.Principal) *sharepoint.Group {
	a := &r.access
	a.mu.Lock()
	defer a.mu.Unlock()
	is := func(same func(g *sharepoint.Group) bool) *sharepoint.Group {
		for i := range a.groupsThere {
			if same(&a.groupsThere[i]) {
				g := a.groupsThere[i]
				return &g
			}
		}
		return nil
	}
	if r.same {
		if g := is(func(g *sharepoint.Group) bool { return g.ID == who.ID }); g != nil {
			return g
		}
	} else {
		for _, pair := range [][2]int{{a.web.Owners, a.webThere.Owners}, {a.web.Members, a.webThere.Members}, {a.web.Visitors, a.webThere.Visitors}} {
			if pair[0] != 0 && pair[0] == who.ID && pair[1] != 0 {
				return is(func(g *sharepoint.Group) bool { return g.ID == pair[1] })
			}
		}
	}
	if g := is(func(g *sharepoint.Group) bool { return strings.EqualFold(g.Title, who.Title) }); g != nil {
		return g
	}
	if a.web == (sharepoint.Access{}) && slices.Contains([]string{" Owners", " Members", " Visitors"}, lastWord(who.Title)) { // of a backup that did not ask what a group is used for
		return is(func(g *sharepoint.Group) bool { return lastWord(g.Title) == lastWord(who.Title) })
	}
	return nil
}

// level is the permission level there that a stored one is: by its number in its own site and those that every site has, whose names are in the site's language.
func (r *restore) level(role sharepoint.Role) (id int, ok bool) {
	a := &r.access
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, l := range a.levelsThere {
		if l.ID == role.ID && (l.Kind != 0 || r.same) {
			return l.ID, true
		}
	}
	for _, l := range a.levelsThere {
		if strings.EqualFold(l.Name, role.Name) {
			return l.ID, true
		}
	}
	return 0, false
}

// settleAccess puts back the groups of a site, their members, its permission levels and who has which in it. What is there besides stays: nobody loses
// anything, and nobody is mailed. It may be done again.
func (r *restore) settleAccess(ctx context.Context, p engine.Put) error {
	if r.web == nil {
		return &holdfast.Skip{Reason: holdfast.SkipUnsupported, Err: fmt.Errorf("its groups, their members and its permission levels are put back by applications alone that sign in by certificate")}
	}
	var assignments []sharepoint.Assignment
	if err := read(ctx, p, formRoles, &assignments); err != nil {
		return err
	}
	if err := r.lookAccess(ctx); err != nil {
		return itemError(ctx, err)
	}
	lost, err := r.settleLevels(ctx, assignments)
	if err == nil {
		var more []string
		more, err = r.settleGroups(ctx)
		lost = append(lost, more...)
	}
	if err == nil && (r.access.web.Unique || r.access.web == (sharepoint.Access{})) {
		lost, err = r.settleAssignments(ctx, assignments, lost)
	}
	if err != nil {
		return itemError(ctx, err)
	}
	if len(lost) > 0 {
		return &holdfast.Skip{Reason: holdfast.SkipUnsupported, Err: fmt.Errorf("of who may do what in the site these could not be put back: %s", strings.Join(lost, "; "))}
	}
	return nil
}

// settleLevels makes the permission levels that are missing. One of the same name with other rights stays as it is.
func (r *restore) settleLevels(ctx context.Context, assignments []sharepoint.Assignment) (lost []string, err error) {
	for _, l := range r.access.levels {
		if l.Hidden || l.Kind == kindLimited {
			continue
		}
		if id, ok := r.level(l.Role); ok {
			r.access.mu.Lock()
			i := slices.IndexFunc(r.access.levelsThere, func(t sharepoint.Level) bool { return t.ID == id })
			same := r.access.levelsThere[i].Rights == l.Rights
			r.access.mu.Unlock()
			if !same {
				lost = append(lost, fmt.Sprintf("permission level %q, which has other rights there", l.Name))
			}
			continue
		}
		made, err := r.web.CreateLevel(ctx, l)
		if m365.KindOf(err) == m365.Conflict || m365.OutcomeUnknown(err) { // by another, or by a call whose answer was lost
			var levels []sharepoint.Level
			if levels, err = r.web.Levels(ctx); err == nil {
				i := slices.IndexFunc(levels, func(t sharepoint.Level) bool { return strings.EqualFold(t.Name, l.Name) })
				if i < 0 {
					return lost, holdfast.Unavailable("the permission level %q was not made", l.Name)
				}
				made = &levels[i]
			}
		}
		if err != nil {
			if !m365.Lasting(err) {
				return lost, err
			}
			lost = append(lost, fmt.Sprintf("permission level %q (%v)", l.Name, err))
			continue
		}
		r.access.mu.Lock()
		r.access.levelsThere = append(slices.Clone(r.access.levelsThere), *made)
		r.access.mu.Unlock()
	}
	return lost, nil
}

// settleGroups makes the groups that are missing and adds the members that they lack.
func (r *restore) settleGroups(ctx context.Context) (lost []string, err error) {
	for _, g := range r.access.groups {
		if ofItself(g.Title) {
			continue
		}
		there := r.group(g.Principal)
		if there == nil {
			if there, err = r.makeGroup(ctx, g); err != nil {
				if !m365.Lasting(err) {
					return lost, err
				}
				lost = append(lost, fmt.Sprintf("group %q (%v)", g.Title, err))
				continue
			}
		}
		for _, who := range g.Users {
			if slices.ContainsFunc(there.Users, func(u sharepoint.Principal) bool { return strings.EqualFold(u.Login, who.Login) }) {
				continue
			}
			if err := r.web.AddMember(ctx, there.ID, who.Login); err != nil {
				if !m365.Lasting(err) {
					return lost, err
				}
				lost = append(lost, fmt.Sprintf("%q as a member of %q", who.Title, g.Title))
			}
		}
	}
	return lost, nil
}

func (r *restore) makeGroup(ctx context.Context, g sharepoint.Group) (*sharepoint.Group, error) {
	made, err := r.web.CreateGroup(ctx, g)
	if m365.KindOf(err) == m365.Conflict || m365.OutcomeUnknown(err) {
		var groups []sharepoint.Group
		if groups, err = r.web.Groups(ctx); err == nil {
			i := slices.IndexFunc(groups, func(t sharepoint.Group) bool { return strings.EqualFold(t.Title, g.Title) })
			if i < 0 {
				return nil, holdfast.Unavailable("the group %q was not made", g.Title)
			}
			made = &groups[i]
		}
	}
	if err != nil {
		return nil, err
	}
	r.access.mu.Lock()
	defer r.access.mu.Unlock()
	r.access.groupsThere = append(slices.Clone(r.access.groupsThere), *made)
	return made, nil
}

// settleAssignments gives in the site itself what is not given. A site that inherits and did not keeps what it inherits besides.
func (r *restore) settleAssignments(ctx context.Context, assignments []sharepoint.Assignment, lost []string) ([]string, error) {
	if !r.access.webThere.Unique {
		if err := r.web.BreakInheritance(ctx, sharepoint.Scope{}, true); err != nil {
			return lost, err
		}
	}
	have, err := r.web.Assignments(ctx, sharepoint.Scope{})
	if err != nil {
		return lost, err
	}
	return r.assign(ctx, sharepoint.Scope{}, assignments, have, lost)
}

// assign gives what is not given yet; lost names what can't be.
func (r *restore) assign(ctx context.Context, at sharepoint.Scope, want, have []sharepoint.Assignment, lost []string) ([]string, error) {
	for _, a := range want {
		if a.Member.Type == 8 && ofItself(a.Member.Title) {
			continue
		}
		id, err := r.principal(ctx, a.Member)
		if err != nil {
			if !m365.Lasting(err) {
				return lost, err
			}
			lost = append(lost, "permission of "+a.Member.Title)
			continue
		}
		for _, role := range a.Roles {
			if r.limited(role) {
				continue // SharePoint gives it by itself to who may see something below
			}
			level, ok := r.level(role)
			if !ok {
				lost = append(lost, "permission level "+role.Name)
				continue
			}
			given := slices.ContainsFunc(have, func(h sharepoint.Assignment) bool {
				return h.Member.ID == id && slices.ContainsFunc(h.Roles, func(o sharepoint.Role) bool { return o.ID == level })
			})
			if given {
				continue
			}
			err := r.web.Assign(ctx, at, id, level)
			if m365.KindOf(err) == m365.NotFound && a.Member.Type != 8 { // whom the site forgot
				known, kerr := r.web.EnsureUser(ctx, a.Member.Login)
				if kerr != nil {
					if !m365.Lasting(kerr) {
						return lost, kerr
					}
					lost = append(lost, "permission of "+a.Member.Title)
					break
				}
				err = r.web.Assign(ctx, at, known.ID, level)
			}
			if err != nil {
				return lost, err
			}
		}
	}
	return lost, nil
}

// limited says that a level is the one which SharePoint gives by itself.
func (r *restore) limited(role sharepoint.Role) bool {
	if role.Name == "Limited Access" {
		return true
	}
	return slices.ContainsFunc(r.access.levels, func(l sharepoint.Level) bool { return l.ID == role.ID && l.Kind == kindLimited })
}

// share gives a list or item permissions of its own again.
func (r *restore) share(ctx context.Context, p engine.Put, at sharepoint.Scope, lost []string) ([]string, error) {
	var assignments []sharepoint.Assignment
	if err := read(ctx, p, formRoles, &assignments); err != nil {
		return lost, err
	}
	if err := r.lookAccess(ctx); err != nil {
		return lost, err
	}
	if err := r.web.BreakInheritance(ctx, at, false); err != nil {
		return lost, err
	}
	return r.assign(ctx, at, assignments, nil, lost)
}

// principal is the number that somebody has at the target.
func (r *restore) principal(ctx context.Context, who sharepoint.Principal) (int, error) {
	if who.Type == 8 {
		if g := r.group(who); g != nil {
			return g.ID, nil
		}
		return 0, &holdfast.Skip{Reason: holdfast.SkipUnsupported, Err: fmt.Errorf("the site has no group %q", who.Title)}
	}
	if r.same {
		return who.ID, nil
	}
	known, err := r.web.EnsureUser(ctx, who.Login)
	if err != nil {
		return 0, err
	}
	return known.ID, nil
}

func lastWord(s string) string { return s[max(strings.LastIndexByte(s, ' '), 0):] }

// groupsOf shares files and folders of one library with groups of SharePoint's own, which Graph's invitation can't name.
type groupsOf struct {
	r *restore
	l *place
}

// Share gives an item of the library the permissions that groups had of their own, in Graph's words: it stops inheriting, unless it has permissions of its own
// already or there is none of the groups. A role that Graph calls "write" comes back as Contribute.
func (s groupsOf) Share(ctx context.Context, item string, grants []graph.Permission) (lost []string, err error) {
	if s.r.web == nil {
		return []string{"permission"}, nil
	}
	if err := s.r.lookAccess(ctx); err != nil {
		return nil, err
	}
	var give [][2]int // group and level
	for _, p := range grants {
		of := p.GrantedTo.SiteGroup
		id, err := strconv.Atoi(of.ID)
		if err != nil {
			id = -1 // found by its title
		}
		if ofItself(of.DisplayName) {
			continue // it comes with its link
		}
		g := s.r.group(sharepoint.Principal{ID: id, Type: 8, Title: of.DisplayName})
		if g == nil {
			lost = append(lost, "permission of "+of.DisplayName)
			continue
		}
		for _, role := range p.Roles {
			kind, ok := map[string]int{"owner": kindFull, "sp.full control": kindFull, "write": kindContribute, "read": kindRead}[strings.ToLower(role)]
			s.r.access.mu.Lock()
			i := slices.IndexFunc(s.r.access.levelsThere, func(l sharepoint.Level) bool { return l.Kind == kind })
			if ok && i >= 0 {
				give = append(give, [2]int{g.ID, s.r.access.levelsThere[i].ID})
			} else {
				lost = append(lost, "permission "+role+" of "+of.DisplayName)
			}
			s.r.access.mu.Unlock()
		}
	}
	if len(give) == 0 {
		return lost, nil
	}
	it, err := s.r.g.FileListItem(ctx, s.l.drive, item, false)
	if err != nil {
		return lost, err
	}
	at := sharepoint.Scope{List: s.l.id, Item: it.ID}
	if err := s.r.web.BreakInheritance(ctx, at, false); err != nil {
		return lost, err
	}
	for _, one := range give {
		if err := s.r.web.Assign(ctx, at, one[0], one[1]); err != nil {
			return lost, err
		}
	}
	return lost, nil
}
