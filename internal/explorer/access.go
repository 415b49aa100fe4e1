package explorer

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"holdfast/internal/holdfast"
)

// formRoles are the role assignments of an item of a site, as SharePoint has them.
const formRoles = holdfast.Form("roles")

// formMembers are the members of a team, a channel or a chat, as Microsoft Graph has them.
const formMembers = holdfast.Form("members")

// deepest bounds how many folders up permissions are looked for.
const deepest = 1_000

// Access tells who may do what with an item, of what is stored of it. What has no permissions of its own has those of what it lies in.
func (e *Explorer) Access(ctx context.Context, at holdfast.View, id string) (out holdfast.ItemAccess, err error) {
	o, err := e.At(ctx, at)
	if err != nil {
		return out, err
	}
	defer func() { err = errors.Join(err, o.Close()) }()
	entry, err := o.Item(ctx, id)
	if err != nil {
		return out, err
	}
	for depth := range deepest {
		grants, found, err := o.grants(ctx, entry)
		if err != nil {
			return out, err
		}
		if found || entry.Parent == "" {
			return holdfast.ItemAccess{Own: found && depth == 0, From: entry.Name, Grants: grants}, nil
		}
		if entry, err = o.Item(ctx, entry.Parent); holdfast.KindOf(err) == holdfast.KindNotFound {
			break
		} else if err != nil {
			return out, err
		}
	}
	return holdfast.ItemAccess{Grants: []holdfast.ItemGrant{}}, nil
}

// grants are the permissions that are stored with an item; found is false without any.
func (o *Opened) grants(ctx context.Context, entry holdfast.Entry) (grants []holdfast.ItemGrant, found bool, err error) {
	grants = []holdfast.ItemGrant{}
	raw, err := o.whole(ctx, entry, formRoles)
	if err != nil {
		return nil, false, err
	}
	if raw != nil {
		found = true
		if grants, err = assigned(raw); err != nil {
			return nil, false, holdfast.Damaged("the permissions of %q can't be read: %w", entry.Name, err)
		}
	}
	if raw, err = o.whole(ctx, entry, formMembers); err != nil {
		return nil, false, err
	} else if raw != nil {
		if grants, err = members(raw); err != nil {
			return nil, false, holdfast.Damaged("the members of %q can't be read: %w", entry.Name, err)
		}
		return grants, true, nil
	}
	if raw, err = o.whole(ctx, entry, holdfast.FormPermissions); err != nil || raw == nil {
		return grants, found, err
	}
	shared, err := shared(raw)
	if err != nil {
		return nil, false, holdfast.Damaged("the permissions of %q can't be read: %w", entry.Name, err)
	}
	return append(grants, shared...), true, nil
}

// assigned reads role assignments. SharePoint's numbers of kinds of principals: 1 a user, 4 a group of the directory, 8 one of the site.
// https://learn.microsoft.com/previous-versions/office/developer/sharepoint-2010/ee537186(v=office.14)
func assigned(raw []byte) ([]holdfast.ItemGrant, error) {
	var all []struct {
		Member struct {
			Title, Email  string
			PrincipalType int
		}
		RoleDefinitionBindings []struct{ Name string }
	}
	if err := json.Unmarshal(raw, &all); err != nil {
		return nil, fmt.Errorf("role assignments: %w", err)
	}
	out := []holdfast.ItemGrant{}
	for _, a := range all {
		g := holdfast.ItemGrant{Who: a.Member.Title, Address: a.Member.Email, Kind: "user", Roles: []string{}}
		switch a.Member.PrincipalType {
		case 2, 4:
			g.Kind = "group"
		case 8:
			g.Kind = "site group"
		}
		for _, r := range a.RoleDefinitionBindings {
			g.Roles = append(g.Roles, r.Name)
		}
		out = append(out, g)
	}
	return out, nil
}

// members reads who is in a team, a channel or a chat. Who has no role is a member.
func members(raw []byte) ([]holdfast.ItemGrant, error) {
	var all []struct {
		DisplayName, Email, UserID string
		Roles                      []string
	}
	if err := json.Unmarshal(raw, &all); err != nil {
		return nil, fmt.Errorf("members: %w", err)
	}
	out := []holdfast.ItemGrant{}
	for _, m := range all {
		g := holdfast.ItemGrant{Who: cmp.Or(m.DisplayName, m.Email, m.UserID), Address: m.Email, Kind: "user", Roles: append([]string{}, m.Roles...)}
		if len(g.Roles) == 0 {
			g.Roles = []string{"member"}
		}
		out = append(out, g)
	}
	return out, nil
}

// shared reads permissions of a file or folder as Microsoft Graph has them.
func shared(raw []byte) ([]holdfast.ItemGrant, error) {
	type principal struct{ DisplayName, Email string }
	type identity struct{ User, Group, SiteUser, SiteGroup, Application *principal }
	var all []struct {
		Roles               []string
		GrantedToV2         *identity
		GrantedToIdentities []identity `json:"grantedToIdentitiesV2"`
		Link                *struct{ Scope, Type string }
		Invitation          *struct{ Email string }
		ExpirationDateTime  *time.Time
	}
	if err := json.Unmarshal(raw, &all); err != nil {
		return nil, fmt.Errorf("permissions: %w", err)
	}
	out := []holdfast.ItemGrant{}
	for _, p := range all {
		who := p.GrantedToIdentities
		if p.GrantedToV2 != nil {
			who = append(who, *p.GrantedToV2)
		}
		base := holdfast.ItemGrant{Roles: append([]string{}, p.Roles...), Expires: p.ExpirationDateTime}
		if p.Link != nil {
			base.Kind, base.Who = "link", cmp.Or(p.Link.Scope, "users")
			out = append(out, base)
			base.Kind, base.Who = "", ""
		}
		n := len(out)
		for _, i := range who {
			g := base
			for _, x := range []struct {
				kind string
				*principal
			}{{"user", i.User}, {"group", i.Group}, {"user", i.SiteUser}, {"site group", i.SiteGroup}, {"user", i.Application}} {
				if x.principal != nil && (x.DisplayName != "" || x.Email != "") {
					g.Kind, g.Who, g.Address = x.kind, cmp.Or(x.DisplayName, x.Email), x.Email
					out = append(out, g)
					break
				}
			}
		}
		if len(out) == n && p.Link == nil && p.Invitation != nil {
			base.Kind, base.Who, base.Address = "user", p.Invitation.Email, p.Invitation.Email
			out = append(out, base)
		}
	}
	return out, nil
}
