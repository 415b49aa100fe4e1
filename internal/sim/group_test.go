package sim_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"holdfast/internal/sim"
)

// TestGroupsHaveKindsNestingAndOwners: groups of all kinds list what is in them, a circle of groups ends, and no deleted user or group shows.
func TestGroupsHaveKindsNestingAndOwners(t *testing.T) {
	c := start(t, sim.Options{Users: 6}).login()
	users := c.s.Tenant().Users
	group := func(in map[string]any) sim.GroupRow { return control[sim.GroupRow](t, c, "POST", "/groups", in) }
	inner := group(map[string]any{"displayName": "Inner", "add": []string{users[0].ID, users[1].UPN}})
	outer := group(map[string]any{"displayName": "Outer", "kind": "mailEnabledSecurity", "add": []string{inner.ID, users[2].ID}, "owners": []string{users[3].ID}})
	group(map[string]any{"id": inner.ID, "add": []string{outer.ID}}) // a circle
	list := group(map[string]any{"kind": "distribution", "displayName": "List", "add": []string{users[4].ID}})
	ids := func(path string) string {
		t.Helper()
		rows, _ := c.pages(path)
		var out []string
		for _, r := range rows {
			out = append(out, strings.TrimPrefix(fmt.Sprint(r["@odata.type"]), "#microsoft.graph.")+"/"+fmt.Sprint(r["id"]))
		}
		return strings.Join(out, " ")
	}
	u := func(i int) string { return "user/" + users[i].ID }
	same := func(what, got string, want ...string) {
		t.Helper()
		if got != strings.Join(want, " ") {
			t.Errorf("%s: got %s\nwant %s", what, got, strings.Join(want, " "))
		}
	}
	same("direct", ids("/groups/"+outer.ID+"/members?$select=id"), "group/"+inner.ID, u(2))
	same("transitive", ids("/groups/"+outer.ID+"/transitiveMembers?$select=id&$top=2"), "group/"+inner.ID, u(0), u(1), u(2))
	same("owners", ids("/groups/"+outer.ID+"/owners?$select=id"), u(3))
	for id, want := range map[string][3]bool{inner.ID: {false, true, false}, outer.ID: {true, true, false}, list.ID: {true, false, false}} {
		g := c.want(200, "GET", "/groups/"+id+"?$select=mailEnabled,securityEnabled,groupTypes,mail", nil).m
		types, _ := g["groupTypes"].([]any)
		if got := [3]bool{g["mailEnabled"] == true, g["securityEnabled"] == true, len(types) > 0}; got != want || (g["mail"] != nil) != want[0] {
			t.Errorf("group %s: %v", id, g)
		}
	}
	c.control("POST", "/mutate", map[string]any{"op": "deleteUser", "user": users[0].ID})
	group(map[string]any{"id": inner.ID, "deleted": true})
	same("what is gone", ids("/groups/"+outer.ID+"/transitiveMembers?$select=id"), u(2))
	c.want(404, "GET", "/groups/"+inner.ID, nil)
	group(map[string]any{"id": inner.ID, "deleted": false})
	c.control("POST", "/mutate", map[string]any{"op": "restoreUser", "user": users[0].ID})
	same("what came back", ids("/groups/"+outer.ID+"/transitiveMembers?$select=id"), "group/"+inner.ID, u(0), u(1), u(2))
	c.control("POST", "/mutate", map[string]any{"op": "renameUser", "user": users[1].ID, "name": "Other Name", "address": "other@" + c.s.Tenant().Domain})
	if got := c.want(200, "GET", "/users/other@"+c.s.Tenant().Domain+"?$select=id,displayName", nil).m; got["id"] != users[1].ID || got["displayName"] != "Other Name" {
		t.Errorf("renamed: %v", got)
	}
}

// TestGroupDeltaTellsMembers: the first round has all members in parts, later ones tell who came, who went and which groups are gone; links live seven days.
func TestGroupDeltaTellsMembers(t *testing.T) {
	c := start(t, sim.Options{Users: 3}).login()
	users := c.s.Tenant().Users
	group := func(in map[string]any) sim.GroupRow { return control[sim.GroupRow](t, c, "POST", "/groups", in) }
	big := group(map[string]any{"displayName": "Big", "newUsers": 250})
	for _, bad := range []string{"$top=5", "$orderby=displayName", "$expand=members"} {
		c.want(400, "GET", "/groups/delta?"+bad, nil)
	}
	state := map[string]map[string]bool{}
	apply := func(rows []map[string]any) (parts int) {
		for _, r := range rows {
			id := fmt.Sprint(r["id"])
			if gone, _ := r["@removed"].(map[string]any); gone != nil {
				state[id] = map[string]bool{fmt.Sprint(gone["reason"]): true}
				continue
			}
			if state[id] == nil {
				state[id] = map[string]bool{}
			}
			members, _ := r["members@delta"].([]any)
			if id == big.ID && len(members) > 0 {
				parts++
			}
			for _, x := range members {
				m := x.(map[string]any)
				if m["@removed"] != nil {
					delete(state[id], fmt.Sprint(m["id"]))
					continue
				}
				state[id][fmt.Sprint(m["id"])] = true
			}
		}
		return parts
	}
	rows, link := c.pages("/groups/delta?$select=displayName,members")
	if parts := apply(rows); parts != 3 || len(state[big.ID]) != 250 {
		t.Errorf("%d members in %d parts, want 250 in 3", len(state[big.ID]), parts)
	}
	small := group(map[string]any{"displayName": "Small", "add": []string{users[0].ID, big.ID}})
	group(map[string]any{"id": big.ID, "remove": []string{big.Members[0][len("user/"):]}, "add": []string{users[2].ID}})
	c.control("POST", "/mutate", map[string]any{"op": "deleteUser", "user": users[0].ID})
	rows, link = c.pages(link)
	apply(rows)
	if len(rows) > 8 || len(state[big.ID]) != 250 || !state[big.ID][users[2].ID] || state[big.ID][big.Members[0][len("user/"):]] || len(state[small.ID]) != 1 || !state[small.ID][big.ID] {
		t.Errorf("%d rows; big has %d, small %v", len(rows), len(state[big.ID]), state[small.ID])
	}
	if rows, link = c.pages(link); len(rows) != 0 {
		t.Errorf("nothing changed, but %v", rows)
	}
	group(map[string]any{"id": big.ID, "deleted": true})
	group(map[string]any{"id": small.ID, "purged": true})
	rows, link = c.pages(link)
	apply(rows)
	if !state[big.ID]["changed"] || !state[small.ID]["deleted"] {
		t.Errorf("gone: %v", rows)
	}
	c.s.Clock().Move(8 * 24 * time.Hour)
	c.login()
	if a := c.want(410, "GET", link, nil); a.code() != "syncStateNotFound" {
		t.Errorf("code %s", a.code())
	}
}
