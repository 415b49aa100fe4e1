package sim_test

import (
	"slices"
	"strings"
	"testing"

	"holdfast/internal/sim"
)

// dumpItems are the items that only the import/export API has.
func dumpItems(t *testing.T, s *sim.Sim, user string) map[string]sim.MailRow {
	t.Helper()
	out := map[string]sim.MailRow{}
	if err := s.DumpItems(user, func(r sim.MailRow) error { out[r.ID] = r; return nil }); err != nil {
		t.Fatal(err)
	}
	return out
}

func TestFoldersOfEveryTypeAreInTheExportAPI(t *testing.T) {
	c, u := mailbox(t, sim.Options{Seed: 21, Items: true})
	user := strings.TrimPrefix(u, "/users/")
	at := c.exchangeMailbox(user)
	want := dumpItems(t, c.s, user)
	tree, link := c.pages(at + "/folders/delta?$select=displayName,parentFolderId,type")
	types := map[string]int{}
	have, contacts := 0, 0
	var group, groups string
	for _, f := range tree {
		types[f["type"].(string)]++
		if strings.HasPrefix(f["type"].(string), "IPF.Note") {
			continue
		}
		id := f["id"].(string)
		got := c.want(200, "GET", at+"/folders/"+id, nil).m
		rows, _ := c.pages(at + "/folders/" + id + "/items/delta")
		listed, _ := c.pages(at + "/folders/" + id + "/items?$top=3")
		if len(rows) != len(listed) || len(rows) != int(got["totalItemCount"].(float64)) {
			t.Errorf("%v has %v items, its delta %d, its list %d", got["displayName"], got["totalItemCount"], len(rows), len(listed))
		}
		for _, r := range rows {
			if r["type"] == "IPM.Contact" {
				contacts++
			}
			m, ours := want[r["id"].(string)]
			if !ours {
				continue
			}
			if have++; r["type"] != m.Class {
				t.Errorf("%q has the class %v, want %s", m.Subject, r["type"], m.Class)
			}
			one := c.want(200, "GET", at+"/folders/"+id+"/items/"+m.ID+"?$expand=singleValueExtendedProperties($filter=id eq 'String 0x37')", nil).m
			if s, _ := one["singleValueExtendedProperties"].([]any); len(s) != 1 {
				t.Errorf("no subject of %q in %v", m.Subject, one)
			}
			if m.Class == "IPM.DistList" {
				group, groups = m.ID, id
			}
		}
	}
	if have != len(want) || have < 6 || contacts != 10 {
		t.Errorf("%d items and %d contacts, want %d and 10", have, contacts, len(want))
	}
	for _, class := range []string{"IPF.Note", "IPF.StickyNote", "IPF.Journal", "IPF.Contact", "IPF.Task", "IPF.Appointment"} {
		if types[class] == 0 {
			t.Errorf("no folder of type %s", class)
		}
	}
	if only, _ := c.pages(at + "/folders?$filter=type eq 'IPF.Journal'&$select=id,displayName"); len(only) != 1 || only[0]["displayName"] != "Journal" {
		t.Errorf("folders of journals: %v", only)
	}
	// A group that is exported and imported is the same group, in a folder that was made for it.
	folder := c.want(201, "POST", at+"/folders", map[string]any{"displayName": "Groups", "type": "IPF.Contact"}).m["id"].(string)
	made := c.want(200, "GET", u+"/contactFolders/"+folder, nil).m["displayName"]
	if fresh, _ := c.pages(link); len(fresh) != 1 || fresh[0]["id"] != folder || made != "Groups" {
		t.Errorf("a new folder: %v, and as a contact folder %v", fresh, made)
	}
	data := c.export(at, group)[0]["data"]
	c.want(200, "POST", c.importURL(at), map[string]any{"FolderId": folder, "Mode": "create", "Data": data}, "Authorization", "")
	n := 0
	for _, m := range dumpItems(t, c.s, user) {
		if m.Class == "IPM.DistList" {
			if n++; asJSON(t, m.Multi) != asJSON(t, want[group].Multi) || m.Subject != want[group].Subject {
				t.Errorf("the group %q came back otherwise", m.Subject)
			}
		}
	}
	if n != 2 {
		t.Errorf("%d groups, want 2", n)
	}
	// A delta tells of what was deleted, whether it is of the folder's own kind or not.
	_, before := c.pages(at + "/folders/" + groups + "/items/delta")
	rows, _ := c.pages(u + "/contacts?$top=1")
	c.want(204, "DELETE", u+"/contacts/"+rows[0]["id"].(string), nil)
	if err := c.s.DeleteMessage(user, group); err != nil {
		t.Fatal(err)
	}
	gone, _ := c.pages(before)
	if len(gone) != 2 || slices.ContainsFunc(gone, func(r map[string]any) bool { return r["@removed"] == nil }) {
		t.Errorf("after two deletions the delta has %v", gone)
	}
	c.want(404, "GET", at+"/folders/"+groups+"/items/"+group, nil)
	// None of it is in the lists of mail.
	if err := c.s.WipeMailbox(user); err != nil {
		t.Fatal(err)
	}
	if left := dumpItems(t, c.s, user); len(left) != 0 {
		t.Errorf("a mailbox that was emptied has %v", left)
	}
}
