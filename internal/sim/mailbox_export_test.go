package sim_test

import (
	"encoding/base64"
	"encoding/json"
	"reflect"
	"slices"
	"strings"
	"testing"

	"holdfast/internal/sim"
	"holdfast/internal/sim/export"
)

// exchangeMailbox is the address of a user's mailbox in the import/export API.
func (c *client) exchangeMailbox(user string) string {
	c.t.Helper()
	id := c.want(200, "GET", "/users/"+user+"/settings/exchange", nil).m["primaryMailboxId"].(string)
	if !strings.HasPrefix(id, "MBX:") {
		c.t.Fatalf("mailbox id %q", id)
	}
	return "/admin/exchange/mailboxes/" + id
}

func (c *client) export(at string, ids ...string) []map[string]any {
	c.t.Helper()
	return c.want(200, "POST", at+"/exportItems", map[string]any{"itemIds": ids}).rows()
}

// importURL begins an import session.
func (c *client) importURL(at string) string {
	c.t.Helper()
	return c.want(201, "POST", at+"/createImportSession", nil).m["importUrl"].(string)
}

func rowsOf(t *testing.T, s *sim.Sim, user string) map[string]sim.MailRow {
	t.Helper()
	out := map[string]sim.MailRow{}
	if err := s.DumpMailbox(user, false, func(sim.MailFolderRow) error { return nil }, func(r sim.MailRow) error { out[r.ID] = r; return nil }); err != nil {
		t.Fatal(err)
	}
	return out
}

func asJSON(t *testing.T, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestMailboxFoldersAndItemsAreListedByTheExportAPI(t *testing.T) {
	c, u := mailbox(t, sim.Options{Seed: 21})
	at := c.exchangeMailbox(strings.TrimPrefix(u, "/users/"))
	want := rowsOf(t, c.s, strings.TrimPrefix(u, "/users/"))
	have := 0
	var walk func(at string)
	base := at
	walk = func(path string) {
		folders, _ := c.pages(path + "?$top=3")
		for _, f := range folders {
			c.want(200, "GET", base+"/folders/"+f["id"].(string), nil)
			if f["type"] != "IPF.Note" && f["type"] != "IPF.StickyNote" {
				continue // TestFoldersOfEveryTypeAreInTheExportAPI
			}
			rows, _ := c.pages(base + "/folders/" + f["id"].(string) + "/items?$top=5&$select=id,changeKey,type,size")
			delta, link := c.pages(base + "/folders/" + f["id"].(string) + "/items/delta?$expand=singleValueExtendedProperties($filter=id eq 'String 0x37')")
			if len(rows) != len(delta) || link == "" || len(rows) != int(f["totalItemCount"].(float64)) {
				t.Errorf("folder %v: %d items, %d in the delta", f["displayName"], len(rows), len(delta))
			}
			if again, _ := c.pages(link); len(again) != 0 {
				t.Errorf("an idle delta has %d rows", len(again))
			}
			for i, r := range rows {
				have++
				m := want[r["id"].(string)]
				if m.ID == "" || r["type"] != m.Class || r["subject"] != nil || len(r) != 6 { // with the type and the etag
					t.Fatalf("item %v", r)
				}
				if delta[i]["singleValueExtendedProperties"] == nil {
					t.Errorf("no subject in %v", delta[i])
				}
			}
			walk(base + "/folders/" + f["id"].(string) + "/childFolders")
		}
	}
	walk(at + "/folders")
	if have != len(want) {
		t.Errorf("%d items, want %d", have, len(want))
	}
	tree, link := c.pages(at + "/folders/delta")
	if len(tree) == 0 || tree[0]["type"] != "IPF.Note" || link == "" {
		t.Errorf("delta of folders: %v", tree)
	}
}

// What is exported and imported is the same mail with all its properties, in another mailbox too, and nobody is told.
func TestAnImportedItemHasAllThatWasExported(t *testing.T) {
	c, u := mailbox(t, sim.Options{Seed: 22})
	from, to := strings.TrimPrefix(u, "/users/"), c.s.Tenant().Users[1].ID
	mark := "String {8ad5b2a1-9c0e-4b7a-8f6d-2f2f8f0f7a11} Name Mark"
	c.want(201, "POST", u+"/mailFolders/inbox/messages", map[string]any{"subject": "own", "categories": []string{"Red category"}, "replyTo": []any{map[string]any{"emailAddress": map[string]any{"name": "A", "address": "a@example.com"}}, map[string]any{"emailAddress": map[string]any{"name": "no address", "address": ""}}},
		"singleValueExtendedProperties": []any{map[string]any{"id": mark, "value": "x"}, map[string]any{"id": "Integer 0x0E07", "value": "4"}, map[string]any{"id": "Binary 0x7abc", "value": "AAEC"},
			map[string]any{"id": "Boolean {00062008-0000-0000-C000-000000000046} Id 0x8503", "value": "true"}, map[string]any{"id": "Double 0x7abd", "value": "1.5"}},
		"multiValueExtendedProperties": []any{map[string]any{"id": "StringArray {8ad5b2a1-9c0e-4b7a-8f6d-2f2f8f0f7a11} Name Many", "value": []string{"a", "b"}}}})
	src, dst := c.exchangeMailbox(from), c.exchangeMailbox(to)
	address := c.importURL(dst)
	folder := c.want(201, "POST", "/users/"+to+"/mailFolders", map[string]any{"displayName": "imported"}).m["id"].(string)
	before, sent := rowsOf(t, c.s, to), len(c.s.Stats().MailsSent)
	all := rowsOf(t, c.s, from)
	ids := slices.Sorted(func(yield func(string) bool) {
		for id := range all {
			if !yield(id) {
				return
			}
		}
	})
	made := map[string]string{} // the new item's id -> the old one's
	for chunk := range slices.Chunk(ids, 20) {
		for i, r := range c.export(src, chunk...) {
			if r["itemId"] != chunk[i] || r["error"] != nil {
				t.Fatalf("export %v", r)
			}
			data, err := base64.StdEncoding.DecodeString(r["data"].(string))
			if err != nil {
				t.Fatal(err)
			}
			if _, err := export.Decode(data); err != nil {
				t.Fatal(err)
			}
			a := c.want(200, "POST", address, map[string]any{"FolderId": folder, "Mode": "create", "Data": r["data"]}, "Authorization", "")
			id := c.want(200, "GET", "/users/"+to+"/messages/"+a.m["itemId"].(string), nil).m["id"].(string)
			made[id] = chunk[i]
		}
	}
	after := rowsOf(t, c.s, to)
	if len(after) != len(before)+len(all) || len(made) != len(all) {
		t.Fatalf("%d items after %d and %d", len(after), len(before), len(all))
	}
	for id, old := range made {
		got, want := after[id], all[old]
		got.ID, got.Version, got.Folder, got.Modified, got.MIMESHA256 = want.ID, want.Version, want.Folder, want.Modified, want.MIMESHA256
		if g, w := asJSON(t, got), asJSON(t, want); g != w {
			t.Fatalf("imported\n%s\nwant\n%s", g, w)
		}
		again, err := c.s.Exported(to, id)
		if err != nil {
			t.Fatal(err)
		}
		first, err := c.s.Exported(from, old)
		if err != nil {
			t.Fatal(err)
		}
		x, _ := export.Decode(first)
		y, _ := export.Decode(again)
		drop := func(p export.Property) bool { return p.ID == 0x3008 }
		x.Properties, y.Properties = slices.DeleteFunc(x.Properties, drop), slices.DeleteFunc(y.Properties, drop)
		if !reflect.DeepEqual(x, y) {
			t.Fatalf("%s exports as\n%.2000v\nwant\n%.2000v", id, y, x)
		}
	}
	if n := len(c.s.Stats().MailsSent); n != sent {
		t.Errorf("%d mails were sent by imports", n-sent)
	}
	served := 0
	if err := c.s.MailServed(from, ids[0], func(x sim.Served) error {
		if x.Kind == "export" {
			served++
		}
		return nil
	}); err != nil || served != 1 {
		t.Errorf("the oracle knows of %d exports: %v", served, err)
	}
}

func TestExportAndImportRefuseWhatIsWrong(t *testing.T) {
	c, u := mailbox(t, sim.Options{Seed: 23})
	user := strings.TrimPrefix(u, "/users/")
	at := c.exchangeMailbox(user)
	list := ids(c.want(200, "GET", u+"/messages?$select=id&$top=21", nil).rows())
	if a := c.want(400, "POST", at+"/exportItems", map[string]any{"itemIds": list}); a.code() != "ErrorInvalidRequest" {
		t.Errorf("21 items: %s", a.code())
	}
	if err := c.s.DeleteMessage(user, list[1]); err != nil {
		t.Fatal(err)
	}
	rows := c.export(at, list[0], list[1], "nonsense")
	if rows[0]["data"] == nil || rows[1]["error"] == nil || rows[2]["error"] == nil || rows[1]["data"] != nil {
		t.Errorf("partial success: %.300v", rows)
	}
	data := rows[0]["data"]
	address := c.importURL(at)
	inbox := c.want(200, "GET", u+"/mailFolders/inbox", nil).m["id"].(string)
	post := func(status int, body map[string]any, head ...string) answer {
		t.Helper()
		return c.want(status, "POST", address, body, append([]string{"Authorization", ""}, head...)...)
	}
	post(400, map[string]any{"FolderId": inbox, "Mode": "create", "Data": "AAAA"})
	post(400, map[string]any{"FolderId": inbox, "Mode": "create", "Data": data, "ItemId": list[0], "ChangeKey": rows[0]["changeKey"]})
	post(400, map[string]any{"FolderId": inbox, "Mode": "update", "Data": data})
	post(409, map[string]any{"FolderId": inbox, "Mode": "update", "Data": data, "ItemId": list[0], "ChangeKey": "CQAAAA=="})
	at0 := c.want(200, "GET", u+"/messages/"+list[0], nil).m
	done := post(200, map[string]any{"FolderId": at0["parentFolderId"], "Mode": "update", "Data": data, "ItemId": list[0], "ChangeKey": at0["changeKey"]})
	if now := c.want(200, "GET", u+"/messages/"+list[0], nil).m; now["changeKey"] != done.m["changeKey"] || now["changeKey"] == at0["changeKey"] || now["subject"] != at0["subject"] {
		t.Errorf("updated to %v", now)
	}
	if n := c.s.Stats().TokenCanary; n != 0 {
		t.Fatalf("%d tokens at wrong places", n)
	}
	c.want(401, "POST", address, map[string]any{"FolderId": inbox, "Mode": "create", "Data": data})
	if n := c.s.Stats().TokenCanary; n != 1 || c.s.Stats().Violations == 0 {
		t.Errorf("a token at the import address counts %d", n)
	}
	if err := c.s.SetFaults(sim.Fault{Name: sim.FaultImportExpired, Times: 1}); err != nil {
		t.Fatal(err)
	}
	post(401, map[string]any{"FolderId": inbox, "Mode": "create", "Data": data})
	post(401, map[string]any{"FolderId": inbox, "Mode": "create", "Data": data}) // it is gone
	for fault, want := range map[string]string{sim.FaultExportPartial: "ErrorInternalServerTransientError", sim.FaultExportIDs: "ErrorInvalidIdMalformed"} {
		if err := c.s.SetFaults(sim.Fault{Name: fault, Times: 1}); err != nil {
			t.Fatal(err)
		}
		rows := c.export(at, list[0], list[2])
		if e, _ := rows[0]["error"].(map[string]any); e["code"] != want || rows[1]["data"] == nil {
			t.Errorf("%s: %.300v", fault, rows)
		}
	}
	if err := c.s.SetFaults(sim.Fault{Name: sim.FaultExportCut}); err != nil {
		t.Fatal(err)
	}
	cut, err := base64.StdEncoding.DecodeString(c.export(at, list[0])[0]["data"].(string))
	if err != nil || !strings.HasSuffix(string(cut), "=== Truncated Data ===") {
		t.Errorf("not cut off: %v", err)
	}
	c.s.SetRoles([]string{"MailboxItem.Export.All", "User.Read.All", "Mail.ReadWrite"})
	c.login()
	c.export(at, list[0])
	c.want(403, "POST", at+"/createImportSession", nil)
	c.want(403, "GET", at+"/folders", nil)
	c.s.SetRoles([]string{"Mail.ReadWrite", "User.Read.All"})
	c.login()
	c.want(403, "POST", at+"/exportItems", map[string]any{"itemIds": list[:1]})
}

func TestOtherCloudsHaveNoExport(t *testing.T) {
	for _, cloud := range []string{"l4", "china"} {
		c := start(t, sim.Options{Users: 2, Cloud: cloud}).login()
		c.want(400, "GET", "/users/"+c.s.Tenant().Users[0].ID+"/settings/exchange", nil)
		c.want(400, "POST", "/admin/exchange/mailboxes/x/exportItems", map[string]any{"itemIds": []string{"x"}})
	}
}
