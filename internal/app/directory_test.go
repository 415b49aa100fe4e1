package app

import (
	"errors"
	"slices"
	"testing"
	"time"

	"holdfast/internal/holdfast"
	"holdfast/internal/service"
	"holdfast/internal/sim"
)

// TestDirectoryChangesFollowMicrosoft: a first reading has every user, group, member and site; what changes comes by few calls; an old position is told.
func TestDirectoryChangesFollowMicrosoft(t *testing.T) {
	o := startOnboarding(t, sim.Options{Users: 230})
	tenant := o.sim.Tenant()
	org := holdfast.Organization{ID: "o", Name: tenant.Domain, TenantID: tenant.TenantID, Region: holdfast.Region(tenant.Region), Exchange: true, SharePoint: true, ApplicationID: tenant.ApplicationID}
	cred := holdfast.Credential{TenantID: tenant.TenantID, ApplicationID: tenant.ApplicationID, ApplicationSecret: holdfast.Secret(tenant.ApplicationSecret)}
	var got map[holdfast.DirectoryKind]map[string]holdfast.DirectoryObject
	var members []holdfast.DirectoryMember
	var gone []service.DirectoryRef
	read := func(from holdfast.DirectoryPosition) (holdfast.DirectoryPosition, int64, error) {
		t.Helper()
		got, members, gone = map[holdfast.DirectoryKind]map[string]holdfast.DirectoryObject{}, nil, nil
		before := o.sim.Stats().Calls
		next, err := o.m.Changes(t.Context(), org, cred, from, func(c service.DirectoryChanges) error {
			for _, x := range c.Objects {
				if got[x.Kind] == nil {
					got[x.Kind] = map[string]holdfast.DirectoryObject{}
				}
				got[x.Kind][x.ID] = x
			}
			members, gone = append(members, c.Members...), append(gone, c.Gone...)
			return nil
		})
		return next, o.sim.Stats().Calls - before, err
	}
	inner, err := o.sim.ChangeGroup(sim.GroupChange{Add: []string{tenant.Users[0].ID}})
	if err != nil {
		t.Fatal(err)
	}
	outer, err := o.sim.ChangeGroup(sim.GroupChange{Kind: sim.GroupDistribution, Add: []string{inner.ID}, NewUsers: 150})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := o.sim.ChangeGroup(sim.GroupChange{ID: inner.ID, Add: []string{outer.ID}}); err != nil { // a circle
		t.Fatal(err)
	}
	position, calls, err := read(holdfast.DirectoryPosition{})
	if err != nil {
		t.Fatal(err)
	}
	if n := len(got[holdfast.DirectoryUser]); n != 380 {
		t.Errorf("%d users, want 380", n)
	}
	u := got[holdfast.DirectoryUser][tenant.Users[0].ID]
	if u.Name != tenant.Users[0].UPN || u.Mail == "" || len(u.Licenses) != 1 {
		t.Errorf("user %+v", u)
	}
	if g := got[holdfast.DirectoryGroup][outer.ID]; g.Type != holdfast.GroupDistribution {
		t.Errorf("group %+v", g)
	}
	of := func(group string) (n int) {
		for _, m := range members {
			if m.Group == group && !m.Gone {
				n++
			}
		}
		return n
	}
	if of(outer.ID) != 151 || !slices.Contains(members, holdfast.DirectoryMember{Group: inner.ID, Kind: holdfast.DirectoryGroup, Member: outer.ID}) {
		t.Errorf("outer has %d members", of(outer.ID))
	}
	if len(got[holdfast.DirectorySite]) == 0 || calls > 12 {
		t.Errorf("%d sites; %d calls for everything", len(got[holdfast.DirectorySite]), calls)
	}
	all, err := o.m.Members(t.Context(), org, cred, inner.ID)
	if err != nil || len(all) != 151 {
		t.Errorf("%d people in a circle of groups, want 151: %v", len(all), err)
	}

	if err := o.sim.DeleteUser(tenant.Users[0].ID); err != nil {
		t.Fatal(err)
	}
	position, calls, err = read(position)
	if err != nil || calls > 4 {
		t.Errorf("%d calls for a change: %v", calls, err)
	}
	if !slices.Contains(gone, service.DirectoryRef{Kind: holdfast.DirectoryUser, ID: tenant.Users[0].ID}) || !slices.Contains(members, holdfast.DirectoryMember{Group: inner.ID, Kind: holdfast.DirectoryUser, Member: tenant.Users[0].ID, Gone: true}) {
		t.Errorf("gone %+v, members %+v", gone, members)
	}
	o.sim.Clock().Move(8 * 24 * time.Hour)
	if _, _, err := read(position); !errors.Is(err, service.ErrDirectoryReset) {
		t.Errorf("an old position: %v", err)
	}
}
