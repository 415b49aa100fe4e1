package sim_test

import (
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"holdfast/internal/sim"
)

// siteAt is a site of the simulator by its path.
func siteAt(t *testing.T, s *sim.Sim, path string) sim.SiteInfo {
	t.Helper()
	for _, x := range s.Sites() {
		if x.Path == path {
			return x
		}
	}
	t.Fatalf("no site at %q: %v", path, s.Sites())
	return sim.SiteInfo{}
}

// rest connects to SharePoint's own interface with a token that was got by certificate.
func (c *client) rest() *client {
	c.t.Helper()
	other := *c
	other.loginTo("https://" + strings.TrimSuffix(c.s.Tenant().Domain, ".onmicrosoft.com") + ".sharepoint.com/.default")
	return &other
}

func TestSitesAreFoundInEveryWay(t *testing.T) {
	c := start(t, sim.Options{Users: 10, Site: sim.SiteShape{Sites: 4, Items: 3, Files: 6}, Team: sim.TeamShape{Teams: -1}}).login()
	rows, _ := c.pages("/sites/getAllSites?$top=3")
	personal, own := 0, 0
	for _, r := range rows {
		if r["isPersonalSite"] == true {
			personal++
		} else {
			own++
		}
	}
	if personal != 9 || own != 4 { // the tenth user never opened OneDrive
		t.Fatalf("%d personal and %d other sites", personal, own)
	}
	falcon, below := siteAt(t, c.s, "/sites/Falcon"), siteAt(t, c.s, "/sites/Falcon/planning")
	host := strings.Split(falcon.ID, ",")[0]
	for u, id := range map[string]string{"/sites/" + falcon.ID: falcon.ID, "/sites/" + host + ":/sites/Falcon": falcon.ID, "/sites/" + host + ":/sites/falcon/planning": below.ID, "/sites/root": siteAt(t, c.s, "").ID} {
		if a := c.want(200, "GET", u, nil); a.m["id"] != id {
			t.Errorf("%s is %v, want %s", u, a.m["id"], id)
		}
	}
	if rows := c.want(200, "GET", "/sites/"+falcon.ID+"/sites", nil).rows(); len(rows) != 1 || rows[0]["id"] != below.ID {
		t.Errorf("sites below: %v", rows)
	}
	c.want(404, "GET", "/sites/"+host+",11111111-1111-1111-1111-111111111111,11111111-1111-1111-1111-111111111111", nil)
	all, link := c.pages("/sites/delta")
	if len(all) != 4 {
		t.Fatalf("delta of sites: %d", len(all))
	}
	if _, err := c.s.ChurnSite(falcon.ID, 1, 1); err != nil {
		t.Fatal(err)
	}
	if rows, _ := c.pages(link); len(rows) > 1 {
		t.Fatalf("changed sites: %v", rows)
	}
	if err := c.s.SetSite(falcon.ID, sim.DriveGone); err != nil {
		t.Fatal(err)
	}
	c.want(404, "GET", "/sites/"+falcon.ID, nil)
	if err := c.s.SetSite(falcon.ID, sim.DriveLocked); err != nil {
		t.Fatal(err)
	}
	c.want(423, "GET", "/sites/"+falcon.ID+"/lists", nil)
}

func TestListsAndLibrariesOfASite(t *testing.T) {
	c := start(t, sim.Options{Site: sim.SiteShape{Sites: 2, Items: 10, Files: 20}}).login()
	x := siteAt(t, c.s, "/sites/Falcon")
	at := "/sites/" + x.ID
	titles := func(rows []map[string]any) (out []string) {
		for _, r := range rows {
			out = append(out, r["displayName"].(string))
		}
		slices.Sort(out)
		return out
	}
	seen := titles(c.want(200, "GET", at+"/lists", nil).rows())
	hidden := titles(c.want(200, "GET", at+"/lists?$select=id,displayName,list,system", nil).rows())
	if slices.Contains(seen, "AppSettings") || !slices.Contains(hidden, "AppSettings") {
		t.Fatalf("hidden lists appear only when system is selected: %v and %v", seen, hidden)
	}
	drives := c.want(200, "GET", at+"/drives", nil).rows()
	if len(drives) != 3 || drives[0]["driveType"] != "documentLibrary" {
		t.Fatalf("drives: %v", drives)
	}
	// A library is a drive: delta, content, versions and uploads are those of drives.
	d := "/drives/" + drives[0]["id"].(string)
	rows, _ := c.pages(d + "/root/delta")
	if n := len(files(rows)); n == 0 {
		t.Fatal("the library is empty")
	}
	f := files(rows)[1]
	body := c.content(d + "/items/" + f["id"].(string))
	if int64(len(body)) != sizeOf(f) || quickXorOf(body) != hashOf(f) {
		t.Fatal("content is not what the row says")
	}
	up := c.want(200, "POST", d+"/root:/new.txt:/createUploadSession", map[string]any{"item": map[string]any{"@microsoft.graph.conflictBehavior": "fail"}}).m["uploadUrl"].(string)
	if !strings.HasPrefix(up, x.URL) {
		t.Fatalf("the upload goes to %s", up)
	}
	c.want(201, "PUT", up, []byte("hello"), "Authorization", "", "Content-Range", "bytes 0-4/5")
	if got := string(c.content(d + "/root:/new.txt:")); got != "hello" {
		t.Fatalf("read back %q", got)
	}
	all := c.want(200, "GET", at+"/lists/Incidents?$expand=columns,contentTypes", nil)
	kinds := map[string]bool{}
	for _, col := range all.m["columns"].([]any) {
		for k := range col.(map[string]any) {
			kinds[k] = true
		}
	}
	for _, k := range []string{"text", "number", "currency", "boolean", "dateTime", "choice", "personOrGroup", "lookup", "hyperlinkOrPicture", "calculated", "term", "thumbnail", "geolocation"} {
		if !kinds[k] {
			t.Errorf("no column of type %s", k)
		}
	}
}

func TestItemsOfAListAndTheirDelta(t *testing.T) {
	c := start(t, sim.Options{Site: sim.SiteShape{Sites: 2, Items: 25, Files: 3}}).login()
	x := siteAt(t, c.s, "/sites/Falcon")
	at := "/sites/" + x.ID + "/lists/" + x.Lists["Incidents"] + "/items"
	rows, link := c.pages(at + "/delta?$expand=fields&$top=10")
	if len(rows) != 27 { // two of them folders
		t.Fatalf("%d items", len(rows))
	}
	f := rows[1]["fields"].(map[string]any)
	for _, k := range []string{"Title", "Status", "Details", "Cost", "Weight", "Urgent", "Due", "Tags", "AssignedToLookupId", "Watchers", "CategoryLookupId", "Related", "Page", "Doubled", "Region", "Topics", "Image", "Place"} {
		if _, ok := f[k]; !ok {
			t.Errorf("an item has no %s: %v", k, f)
		}
	}
	if v := c.want(200, "GET", at+"/3/versions?$expand=fields", nil).rows(); len(v) != 3 || v[0]["id"] != "3.0" {
		t.Errorf("versions of item 3: %v", v)
	}
	if again, _ := c.pages(link); len(again) != 0 {
		t.Fatalf("nothing changed, and %d rows were told", len(again))
	}
	made := c.want(201, "POST", at, map[string]any{"fields": map[string]any{"Title": "made", "Weight": 2.5, "Tags": []string{"red"}, "Tags@odata.type": "Collection(Edm.String)", "CategoryLookupId": 2}}).m
	id := made["id"].(string)
	c.want(200, "PATCH", at+"/"+id+"/fields", map[string]any{"Title": "changed", "Weight": nil})
	c.want(204, "DELETE", at+"/1", nil)
	for what, fields := range map[string]map[string]any{"unknown": {"Nowhere": 1}, "read-only": {"Created": "2020-01-01T00:00:00Z"}, "a link": {"Page": map[string]any{"Url": "https://x", "Description": "x"}},
		"a collection without type": {"Tags": []string{"red"}}, "of another type": {"Weight": "heavy"}, "a lookup that is not there": {"CategoryLookupId": 99}, "a person by name": {"AssignedTo": "x"}} {
		t.Run(what, func(*testing.T) { c.want(400, "PATCH", at+"/"+id+"/fields", fields) })
	}
	rows, _ = c.pages(link)
	state := map[string]map[string]any{}
	apply(state, rows)
	if len(rows) != 2 || state[id] == nil || state[id]["fields"].(map[string]any)["Title"] != "changed" || !slices.ContainsFunc(rows, func(r map[string]any) bool { return r["id"] == "1" && r["deleted"] != nil }) {
		t.Fatalf("changes: %v", rows)
	}
	c.control("POST", "/clock", map[string]any{"advance": "1464h"})
	c.login()
	a := c.want(410, "GET", link, nil)
	if a.code() != "resyncChangesApplyDifferences" {
		t.Fatalf("an old token: %s", a.raw)
	}
	if rows, _ := c.pages(a.header.Get("Location")); len(rows) != 27 {
		t.Fatalf("after a resync %d items", len(rows))
	}
}

func TestRestInterfaceTakesCertificatesOnly(t *testing.T) {
	c := start(t, sim.Options{}).login()
	host := "https://" + strings.TrimSuffix(c.s.Tenant().Domain, ".onmicrosoft.com") + ".sharepoint.com"
	at := siteAt(t, c.s, "/sites/Falcon").URL + "/_api"
	bySecret := *c
	bySecret.loginBySecret(host + "/.default")
	if a := bySecret.want(401, "GET", at+"/web", nil); !strings.Contains(string(a.raw), "Unsupported app only token") {
		t.Fatalf("a token by secret: %s", a.raw)
	}
	r := c.rest()
	if a := r.want(200, "GET", at+"/web?$select=Title", nil); a.m["Title"] != "Falcon" || len(a.m) != 1 {
		t.Fatalf("web: %s", a.raw)
	}
	digest := r.want(200, "POST", at+"/contextinfo", map[string]any{}).m["FormDigestValue"].(string)
	r.want(200, "POST", at+"/web/ensureuser", map[string]any{"LogonName": "i:0#.f|membership|" + c.s.Tenant().Users[1].UPN}, "X-RequestDigest", digest)
	r.want(403, "POST", at+"/web/ensureuser", map[string]any{"LogonName": c.s.Tenant().Users[1].UPN}, "X-RequestDigest", "0xFFFF,24 Nov 2026 12:00:00 -0000")
	c.control("POST", "/clock", map[string]any{"advance": "31m"})
	r.want(403, "POST", at+"/web/ensureuser", map[string]any{"LogonName": c.s.Tenant().Users[1].UPN}, "X-RequestDigest", digest)
	r.want(200, "POST", at+"/web/ensureuser", map[string]any{"LogonName": c.s.Tenant().Users[1].UPN})
	r.want(404, "POST", at+"/web/ensureuser", map[string]any{"LogonName": "nobody@example.com"})
}

func TestAttachmentsPermissionsViewsAndForms(t *testing.T) {
	c := start(t, sim.Options{Site: sim.SiteShape{Sites: 2, Items: 12, Files: 3}}).login()
	x := siteAt(t, c.s, "/sites/Falcon")
	r := c.rest()
	list := x.URL + "/_api/web/lists(guid'" + x.Lists["Incidents"] + "')"
	value := func(a answer) []any { return a.m["value"].([]any) }
	got := value(r.want(200, "GET", list+"/items(2)/AttachmentFiles", nil))
	if len(got) != 2 {
		t.Fatalf("attachments: %v", got)
	}
	for _, f := range got {
		name := f.(map[string]any)["FileName"].(string)
		if b := r.want(200, "GET", list+"/items(2)/AttachmentFiles('"+url.PathEscape(name)+"')/$value", nil).raw; len(b) == 0 {
			t.Errorf("%s is empty", name)
		}
	}
	r.want(200, "POST", list+"/items(2)/AttachmentFiles/add(FileName='it''s%20new.txt')", []byte("new"))
	r.want(400, "POST", list+"/items(2)/AttachmentFiles/add(FileName='it''s%20new.txt')", []byte("new"))
	if b := r.want(200, "GET", list+"/items(2)/AttachmentFiles('it''s%20new.txt')/$value", nil).raw; string(b) != "new" {
		t.Fatalf("read back %q", b)
	}
	unique := 0
	for _, i := range value(r.want(200, "GET", list+"/items?$select=Id,HasUniqueRoleAssignments&$top=5000", nil)) {
		if i.(map[string]any)["HasUniqueRoleAssignments"] == true {
			unique++
		}
	}
	if unique != 2 { // an item and a folder
		t.Fatalf("%d items have permissions of their own", unique)
	}
	r.want(400, "POST", list+"/items(1)/roleassignments/addroleassignment(principalid=10,roledefid=1073741826)", nil)
	r.want(200, "POST", list+"/items(1)/breakroleinheritance(copyRoleAssignments=false,clearSubscopes=true)", nil)
	r.want(200, "POST", list+"/items(1)/roleassignments/addroleassignment(principalid=10,roledefid=1073741826)", nil)
	if rows := value(r.want(200, "GET", list+"/items(1)/roleassignments?$expand=Member,RoleDefinitionBindings", nil)); len(rows) != 1 || !strings.Contains(fmt.Sprint(rows), "Read") {
		t.Fatalf("roles: %v", rows)
	}
	made := r.want(201, "POST", list+"/views", map[string]any{"Title": "Mine", "ViewQuery": "", "RowLimit": 10, "Paged": true}).m["Id"].(string)
	r.want(200, "POST", list+"/views(guid'"+made+"')/viewfields/addviewfield('Status')", nil)
	if n := len(value(r.want(200, "GET", list+"/views?$expand=ViewFields", nil))); n != 3 {
		t.Fatalf("%d views", n)
	}
	form := func(utc, update bool, pairs ...string) []any {
		var values []map[string]any
		for i := 0; i < len(pairs); i += 2 {
			values = append(values, map[string]any{"FieldName": pairs[i], "FieldValue": pairs[i+1]})
		}
		return value(r.want(200, "POST", list+"/items(3)/ValidateUpdateListItem", map[string]any{"formValues": values, "bNewDocumentUpdate": update, "datesInUTC": utc, "numberInInvariantCulture": true}))
	}
	users := c.s.Tenant().Users
	person := func(i int) string {
		b, _ := json.Marshal([]map[string]string{{"Key": "i:0#.f|membership|" + users[i].UPN}})
		return string(b)
	}
	c.control("POST", "/sites/settings", map[string]any{"deltaLife": "1440h", "timeZone": -60})
	before := itemRow(t, c.s, x.ID, 3)
	if got := form(true, true, "Author", person(2), "Editor", person(1), "Created", "1/2/2020 3:04:05 PM", "Modified", "2021-02-03 04:05:06", "Page", "https://example.com/a, b, c", "Region", "Asia|0d3d2c2e-6d5e-4f0a-9b5c-000000000002",
		"Related", "2;#;#4;#", "Watchers", person(0), "Tags", "green;#red", "Urgent", "2", "Weight", "1.5"); strings.Contains(fmt.Sprint(got), "HasException:true") {
		t.Fatalf("form values: %v", got)
	}
	after := itemRow(t, c.s, x.ID, 3)
	want := time.Date(2020, 1, 2, 15, 4, 5, 0, time.UTC)
	if after.Author != users[2].UPN || after.Editor != users[1].UPN || !after.Created.Equal(want) || len(after.Versions) != len(before.Versions) || after.Fields["Page"] != "https://example.com/a b, c" {
		t.Fatalf("after form values: %+v", after)
	}
	if got := form(true, true, "Title", "no", "Weight", "heavy"); !strings.Contains(fmt.Sprint(got), "HasException:true") || itemRow(t, c.s, x.ID, 3).Title == "no" {
		t.Fatalf("a refused value must leave everything as it was: %v", got)
	}
	form(false, true, "Modified", "1/2/2020 3:04 PM")
	if m := itemRow(t, c.s, x.ID, 3).Modified; !m.Equal(want.Truncate(time.Minute).Add(-time.Hour)) {
		t.Fatalf("a local time is %s", m)
	}
	form(true, false, "Title", "another version")
	if got := itemRow(t, c.s, x.ID, 3); got.Editor != "application" || len(got.Versions) != len(before.Versions)+1 {
		t.Fatalf("without bNewDocumentUpdate a version is made: %+v", got)
	}
}

func itemRow(t *testing.T, s *sim.Sim, site string, id int) sim.SiteRow {
	t.Helper()
	rows, err := s.DumpSite(site)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range rows {
		if r.Kind == "item" && r.ID == id && r.List == "Incidents" {
			return r
		}
	}
	t.Fatalf("no item %d", id)
	return sim.SiteRow{}
}

func TestChangeLogNamesListsOfEveryChange(t *testing.T) {
	c := start(t, sim.Options{Site: sim.SiteShape{Sites: 2, Items: 12, Files: 30}}).login()
	x := siteAt(t, c.s, "/sites/Falcon")
	r := c.rest()
	token := r.want(200, "GET", x.URL+"/_api/web?$select=CurrentChangeToken", nil).m["CurrentChangeToken"].(map[string]any)["StringValue"].(string)
	ask := func(status int) answer {
		return r.want(status, "POST", x.URL+"/_api/web/getchanges", map[string]any{"query": map[string]any{"Item": true, "Add": true, "ChangeTokenStart": map[string]any{"StringValue": token}}})
	}
	if rows := ask(200).m["value"].([]any); len(rows) != 0 {
		t.Fatalf("nothing changed: %v", rows)
	}
	if _, err := c.s.ChurnSite(x.ID, 30, 4); err != nil {
		t.Fatal(err)
	}
	lists := map[string]int{}
	for _, row := range ask(200).m["value"].([]any) {
		lists[row.(map[string]any)["ListId"].(string)]++
		token = row.(map[string]any)["ChangeToken"].(map[string]any)["StringValue"].(string)
	}
	if lists[x.Lists["Incidents"]] == 0 || lists[x.Lists["Documents"]] == 0 || len(lists) != 2 {
		t.Fatalf("changed lists: %v", lists)
	}
	if rows := ask(200).m["value"].([]any); len(rows) != 0 {
		t.Fatalf("told twice: %v", rows)
	}
	c.control("POST", "/clock", map[string]any{"advance": "1464h"})
	r = c.login().rest()
	ask(400)
}

func TestPagesOfASite(t *testing.T) {
	c := start(t, sim.Options{}).login()
	at := "/sites/" + siteAt(t, c.s, "/sites/Falcon").ID + "/pages"
	rows := c.want(200, "GET", at+"/microsoft.graph.sitePage?$expand=canvasLayout", nil).rows()
	if len(rows) != 2 || rows[0]["canvasLayout"] == nil {
		t.Fatalf("pages: %v", rows)
	}
	made := c.want(201, "POST", at, map[string]any{"@odata.type": "#microsoft.graph.sitePage", "name": "new.aspx", "title": "New", "pageLayout": "article", "canvasLayout": rows[0]["canvasLayout"]}).m
	id := made["id"].(string)
	c.want(409, "POST", at, map[string]any{"@odata.type": "#microsoft.graph.sitePage", "name": "new.aspx", "title": "New", "pageLayout": "article"})
	c.want(204, "POST", at+"/"+id+"/microsoft.graph.sitePage/publish", nil)
	if p := c.want(200, "GET", at+"/"+id+"/microsoft.graph.sitePage?$expand=canvasLayout", nil).m; p["publishingState"].(map[string]any)["level"] != "published" {
		t.Fatalf("page: %v", p)
	}
	c.want(204, "DELETE", at+"/"+id, nil)
	c.want(404, "GET", at+"/"+id, nil)
}

// A file of a library is an item of its list: the same by drive, list and _api, and what is set there the drive's delta tells.
func TestFilesAreItemsOfTheirLibrary(t *testing.T) {
	c := start(t, sim.Options{Site: sim.SiteShape{Sites: 2, Items: 3, Files: 60}}).login()
	x := siteAt(t, c.s, "/sites/Falcon")
	at := "/sites/" + x.ID + "/lists/" + x.Lists["Contracts"]
	d := ""
	for _, row := range c.want(200, "GET", "/sites/"+x.ID+"/drives", nil).rows() {
		if row["name"] == "Contracts" {
			d = "/drives/" + row["id"].(string)
		}
	}
	rows, link := c.pages(d + "/root/delta")
	byGUID := map[string]string{}
	guid := func(tag any) string {
		id, _, _ := strings.Cut(strings.ToLower(strings.Trim(tag.(string), `"`)), ",")
		return strings.Trim(id, "{}")
	}
	for _, row := range rows {
		byGUID[guid(row["eTag"])] = row["id"].(string)
	}
	asItem := func(id string) map[string]any {
		return c.want(200, "GET", d+"/items/"+id+"?$select=id&$expand=listItem($expand=fields)", nil).m["listItem"].(map[string]any)
	}
	items, _ := c.pages(at + "/items?$expand=fields&$top=7")
	if len(items) != len(rows)-1 || len(items) < 15 { // the root is no item
		t.Fatalf("%d items and %d rows of the drive", len(items), len(rows))
	}
	types := map[string]bool{}
	for _, it := range items {
		same := asItem(byGUID[guid(it["eTag"])])
		if same["id"] != it["id"] || fmt.Sprint(same["fields"]) != fmt.Sprint(it["fields"]) {
			t.Fatalf("by the drive %v, by the list %v", same, it)
		}
		types[it["contentType"].(map[string]any)["name"].(string)] = true
	}
	if !types["Contract"] || !types["Document"] {
		t.Fatalf("content types: %v", types)
	}
	f := files(rows)[2]
	before := asItem(f["id"].(string))
	versions := func() int {
		return len(c.want(200, "GET", d+"/items/"+f["id"].(string)+"/versions", nil).rows())
	}
	had := versions()
	c.want(400, "PATCH", at+"/items/"+before["id"].(string)+"/fields", map[string]any{"Nothing": "x"})
	c.want(200, "PATCH", at+"/items/"+before["id"].(string)+"/fields", map[string]any{"Details": "by Graph"})
	if n := versions(); n != had+1 {
		t.Fatalf("a change of a value makes a version: %d after %d", n, had)
	}
	told, _ := c.pages(link)
	if fs := files(told); len(fs) != 1 || fs[0]["id"] != f["id"] || fs[0]["eTag"] == f["eTag"] || fs[0]["cTag"] != f["cTag"] {
		t.Fatalf("the drive's delta tells %v", told)
	}
	r := c.rest()
	user := c.s.Tenant().Users[1].UPN
	who, _ := json.Marshal([]map[string]string{{"Key": "i:0#.f|membership|" + user}})
	r.want(200, "POST", x.URL+"/_api/web/lists(guid'"+x.Lists["Contracts"]+"')/items("+before["id"].(string)+")/ValidateUpdateListItem", map[string]any{"bNewDocumentUpdate": true, "datesInUTC": true, "formValues": []map[string]string{
		{"FieldName": "Details", "FieldValue": "by form"}, {"FieldName": "Author", "FieldValue": string(who)}, {"FieldName": "Created", "FieldValue": "2020-01-02 03:04:05"}, {"FieldName": "ContentType", "FieldValue": "Contract"}}})
	now := c.want(200, "GET", d+"/items/"+f["id"].(string), nil).m
	it := asItem(f["id"].(string))
	if versions() != had+1 || now["createdDateTime"] != "2020-01-02T03:04:05Z" || !strings.Contains(fmt.Sprint(now["createdBy"]), c.s.Tenant().Users[1].ID) ||
		it["fields"].(map[string]any)["Details"] != "by form" || it["fields"].(map[string]any)["ContentType"] != "Contract" {
		t.Fatalf("after the form: %v, %v", now, it)
	}
	c.want(400, "GET", d+"/root/delta?$expand=listItem", nil)
}
