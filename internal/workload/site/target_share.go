package site

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"holdfast/internal/engine"
	"holdfast/internal/holdfast"
	"holdfast/internal/m365"
	"holdfast/internal/m365/sharepoint"
)

// share gives a list or item permissions of its own again.
func (r *restore) share(ctx context.Context, p engine.Put, at sharepoint.Scope, lost []string) ([]string, error) {
	var assignments []sharepoint.Assignment
	if err := read(ctx, p, formRoles, &assignments); err != nil {
		return lost, err
	}
	if err := r.web.BreakInheritance(ctx, at); err != nil {
		return lost, err
	}
	r.mu.Lock()
	roles := r.roles
	r.mu.Unlock()
	if roles == nil {
		var err error
		if roles, err = r.web.Roles(ctx); err != nil {
			return lost, err
		}
		r.mu.Lock()
		r.roles = roles
		r.mu.Unlock()
	}
	for _, a := range assignments {
		id, err := r.principal(ctx, a.Member)
		if err != nil {
			if m365.Skip(err) == nil {
				return lost, err
			}
			lost = append(lost, "permission of "+a.Member.Title)
			continue
		}
		for _, role := range a.Roles {
			if role.Name == "Limited Access" {
				continue // SharePoint gives it by itself to who may see something below
			}
			i := slices.IndexFunc(roles, func(r sharepoint.Role) bool { return r.Name == role.Name })
			if i < 0 {
				lost = append(lost, "permission level "+role.Name)
				continue
			}
			if err := r.web.Assign(ctx, at, id, roles[i].ID); err != nil {
				return lost, err
			}
		}
	}
	return lost, nil
}

// principal is the number that somebody has at the target.
func (r *restore) principal(ctx context.Context, who sharepoint.Principal) (int, error) {
	if r.same {
		return who.ID, nil
	}
	if who.Type == 8 { // a group of SharePoint's own: the one of the same kind, by the end of its name (Owners, Members, Visitors), or of the same name
		groups, err := r.web.Groups(ctx)
		if err != nil {
			return 0, err
		}
		for _, g := range groups {
			if g.Title == who.Title || strings.HasSuffix(who.Title, lastWord(g.Title)) && slices.Contains([]string{" Owners", " Members", " Visitors"}, lastWord(g.Title)) {
				return g.ID, nil
			}
		}
		return 0, &holdfast.Skip{Reason: holdfast.SkipUnsupported, Err: fmt.Errorf("the site has no group %q", who.Title)}
	}
	known, err := r.web.EnsureUser(ctx, who.Login)
	if err != nil {
		return 0, err
	}
	return known.ID, nil
}

func lastWord(s string) string { return s[max(strings.LastIndexByte(s, ' '), 0):] }
