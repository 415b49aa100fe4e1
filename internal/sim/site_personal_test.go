package sim_test

import (
	"strings"
	"testing"

	"holdfast/internal/sim"
)

// A personal site is served at the host of OneDrives, by all of its names, and its default library is the OneDrive.
func TestPersonalSitesAreSitesOfOneDrives(t *testing.T) {
	c := start(t, sim.Options{Users: 10, Site: sim.SiteShape{Sites: 2, Items: 3, Files: 9}}).login()
	u := c.s.Tenant().Users[0]
	d := c.want(200, "GET", "/users/"+u.ID+"/drive?$select=id,sharePointIds", nil).m
	ids := d["sharePointIds"].(map[string]any)
	address := ids["siteUrl"].(string)
	host, path, _ := strings.Cut(strings.TrimPrefix(address, "https://"), "/")
	id := host + "," + ids["siteId"].(string) + "," + ids["webId"].(string)
	if _, told := c.want(200, "GET", "/users/"+u.ID+"/drive", nil).m["sharePointIds"]; told || !strings.Contains(host, "-my.") {
		t.Errorf("the drive tells %v unasked, at %s", told, host)
	}
	for _, at := range []string{"/sites/" + id, "/sites/" + host + ":/" + path, "/sites/" + host + ":/" + strings.ToUpper(path)} {
		x := c.want(200, "GET", at, nil).m
		if x["id"] != id || x["isPersonalSite"] != true || x["webUrl"] != address {
			t.Errorf("%s is %v", at, x)
		}
	}
	c.want(404, "GET", "/sites/"+strings.Replace(host, "-my", "", 1)+":/"+path, nil)
	if own := c.want(200, "GET", "/sites/"+id+"/drive?$select=id,sharePointIds", nil).m; own["id"] != d["id"] || own["sharePointIds"].(map[string]any)["listId"] != ids["listId"] {
		t.Errorf("the default library is %v", own)
	}
	names := map[string]string{}
	for _, l := range c.want(200, "GET", "/sites/"+id+"/lists", nil).rows() {
		names[l["displayName"].(string)] = l["id"].(string)
	}
	if len(names) != 5 || names["Documents"] != ids["listId"] || names["Incidents"] == "" || names["Drafts"] == "" {
		t.Errorf("lists %v", names)
	}
	if l := c.want(200, "GET", "/sites/"+id+"/lists/"+names["Documents"]+"?$expand=drive", nil).m["drive"].(map[string]any); l["id"] != d["id"] || l["driveType"] != "business" {
		t.Errorf("the OneDrive's list is the drive %v", l)
	}
	if l := c.want(200, "GET", "/sites/"+id+"/lists/"+names["Drafts"]+"?$expand=drive", nil).m["drive"].(map[string]any); l["id"] == d["id"] || l["driveType"] != "documentLibrary" {
		t.Errorf("the other library is the drive %v", l)
	}
	if rows := c.want(200, "GET", "/sites/"+id+"/lists/"+names["Incidents"]+"/items?$expand=fields", nil).rows(); len(rows) != 3 {
		t.Errorf("%d items", len(rows))
	}

	other := *c
	other.loginTo("https://" + host + "/.default")
	other.want(200, "GET", address+"/_api/web/lists", nil)
	c.want(401, "GET", address+"/_api/web/lists", nil)

	// Whose OneDrive is locked or gone, his site is too.
	for state, status := range map[string]int{sim.DriveLocked: 423, sim.DriveGone: 404} {
		if err := c.s.SetDrive(u.ID, state); err != nil {
			t.Fatal(err)
		}
		c.want(status, "GET", "/sites/"+id, nil)
	}
	rows, _ := c.pages("/sites/getAllSites")
	for _, r := range rows {
		if r["id"] == id {
			t.Error("a site that is gone is among all")
		}
	}
	if err := c.s.SetDrive(u.ID, sim.DriveOpen); err != nil {
		t.Fatal(err)
	}
	c.want(200, "GET", "/sites/"+id, nil)
}
