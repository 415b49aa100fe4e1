package sim_test

import (
	"fmt"
	"strings"
	"testing"

	"holdfast/internal/sim"
)

// Folders of a list are made by _api alone, are items for Graph, and take along what is in them.
func TestFoldersOfAList(t *testing.T) {
	c := start(t, sim.Options{Site: sim.SiteShape{Sites: 2, Items: 3, Files: 3}}).login()
	x := siteAt(t, c.s, "/sites/Falcon")
	id := x.Lists["Categories"]
	items := "/sites/" + x.ID + "/lists/" + id + "/items"
	r := c.rest()
	list := x.URL + "/_api/web/lists(guid'" + id + "')"
	add := func(in, folder, title string) answer {
		info := map[string]any{"FolderPath": map[string]any{"DecodedUrl": in}, "UnderlyingObjectType": 0}
		if folder != "" {
			info["LeafName"], info["UnderlyingObjectType"] = map[string]any{"DecodedUrl": folder}, 1
		}
		return r.want(200, "POST", list+"/AddValidateUpdateItemUsingPath", map[string]any{"listItemCreateInfo": info, "formValues": []any{map[string]any{"FieldName": "Title", "FieldValue": title}}, "bNewDocumentUpdate": false})
	}
	made := func(a answer) string {
		for _, row := range a.m["value"].([]any) {
			if m := row.(map[string]any); m["FieldName"] == "Id" {
				return fmt.Sprint(m["FieldValue"])
			}
		}
		t.Fatalf("nothing was made: %s", a.raw)
		return ""
	}
	root := "/sites/Falcon/Lists/Categories"
	outer := made(add(root, "A & b", "A & b"))
	inner := made(add(root+"/A & b", "größe", "größe"))
	item := made(add("https://"+x.URL[len("https://"):strings.Index(x.URL, "/sites")]+root+"/A & b/größe", "", "An item"))
	if got := add(root, "a & B", "again").m["value"]; !strings.Contains(fmt.Sprint(got), "already exists") {
		t.Errorf("a folder that is there is made again: %v", got)
	}
	r.want(404, "POST", list+"/AddValidateUpdateItemUsingPath", map[string]any{"listItemCreateInfo": map[string]any{"FolderPath": map[string]any{"DecodedUrl": root + "/None"}}, "formValues": []any{}})
	at := r.want(200, "GET", x.URL+"/_api/web/GetFolderByServerRelativePath(decodedurl='%2Fsites%2FFalcon%2FLists%2FCategories%2FA%20%26%20b%2Fgr%C3%B6%C3%9Fe')/ListItemAllFields?$select=Id,FileSystemObjectType", nil)
	if fmt.Sprint(at.m["Id"]) != inner {
		t.Errorf("the folder is %v, want %s", at.m, inner)
	}
	r.want(404, "GET", x.URL+"/_api/web/GetFolderByServerRelativePath(decodedurl='%2Fsites%2FFalcon%2FLists%2FCategories%2FNone')/ListItemAllFields", nil)
	row := c.want(200, "GET", items+"/"+item, nil).m
	if want := root + "/A%20&%20b/gr%C3%B6%C3%9Fe/" + item + "_.000"; !strings.HasSuffix(row["webUrl"].(string), want) {
		t.Errorf("the item is at %v, want …%s", row["webUrl"], want)
	}
	row = c.want(200, "GET", items+"/"+outer, nil).m
	if kind := row["contentType"].(map[string]any); kind["name"] != "Folder" || !strings.HasPrefix(kind["id"].(string), "0x0120") || !strings.HasSuffix(row["webUrl"].(string), "/A%20&%20b") {
		t.Errorf("a folder is %v", row)
	}
	_, link := c.pages(items + "/delta")
	c.want(204, "DELETE", items+"/"+outer, nil)
	for _, id := range []string{outer, inner, item} {
		c.want(404, "GET", items+"/"+id, nil)
	}
	if rows, _ := c.pages(link); len(rows) != 1 || rows[0]["id"] != outer {
		t.Errorf("told: %v", rows)
	}
}
