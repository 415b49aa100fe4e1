package sim_test

import (
	"context"
	"encoding/base64"
	"fmt"
	"net/url"
	"reflect"
	"strings"
	"testing"
	"time"

	"holdfast/internal/sim"
)

// teamClient is a client of a tenant with teams, each answer of which is judged by the metadata.
func teamClient(t *testing.T, o sim.Options) *client {
	t.Helper()
	if o.Users == 0 {
		o.Users = 4
	}
	return start(t, judged(t, o)).login()
}

func (c *client) team() (sim.TeamInfo, string) {
	c.t.Helper()
	info := c.s.Teams()[0]
	return info, "/teams/" + info.ID
}

func escaped(channel string) string { return "/channels/" + url.PathEscape(channel) }

func TestTeamsAreGroupsWithChannelsTabsAppsAndMembers(t *testing.T) {
	c := teamClient(t, sim.Options{})
	groups := c.want(200, "GET", "/groups?$filter=resourceProvisioningOptions/Any(x:x eq 'Team')&$select=id,displayName", nil).rows()
	if len(groups) != len(c.s.Teams()) || len(groups) == 0 {
		t.Fatalf("%d groups with a team, want %d", len(groups), len(c.s.Teams()))
	}
	info, team := c.team()
	c.want(200, "GET", team, nil)
	c.want(200, "GET", "/groups/"+info.ID+"/photo/$value", nil)
	c.want(200, "GET", "/groups/"+info.ID+"/owners", nil)
	if members := c.want(200, "GET", team+"/members", nil).rows(); len(members) != 4 || members[0]["roles"].([]any)[0] != "owner" {
		t.Errorf("members %v", members)
	}
	if apps := c.want(200, "GET", team+"/installedApps?$expand=teamsAppDefinition,teamsApp", nil).rows(); len(apps) != 4 {
		t.Errorf("apps %v", apps)
	}
	kinds := map[string]int{}
	drives := map[string]bool{}
	for _, ch := range c.want(200, "GET", team+"/channels", nil).rows() {
		kinds[ch["membershipType"].(string)]++
		at := team + escaped(ch["id"].(string))
		c.want(200, "GET", at, nil)
		if tabs := c.want(200, "GET", at+"/tabs?$expand=teamsApp", nil).rows(); len(tabs) == 0 {
			t.Errorf("no tabs in %v", ch["displayName"])
		}
		c.want(200, "GET", at+"/members", nil)
		folder := c.want(200, "GET", at+"/filesFolder", nil).m
		drives[folder["parentReference"].(map[string]any)["driveId"].(string)] = true
		c.want(200, "GET", "/drives/"+folder["parentReference"].(map[string]any)["driveId"].(string)+"/items/"+folder["id"].(string), nil)
	}
	if kinds["standard"] != 2 || kinds["private"] != 1 || kinds["shared"] != 1 || len(drives) != 3 {
		t.Errorf("channels %v in %d libraries: want 2 standard ones in one library, a private and a shared one in their own", kinds, len(drives))
	}
	if a := c.call("GET", "/teams/00000000-0000-0000-0000-000000000000", nil); a.status != 404 {
		t.Errorf("a team that is not there: %d", a.status)
	}
}

// messages gives all rows of a walk, by channel and id.
func (c *client) messages(u string) map[string]map[string]any {
	c.t.Helper()
	out := map[string]map[string]any{}
	rows, _ := c.pages(u)
	for _, m := range rows {
		key := m["channelIdentity"].(map[string]any)["channelId"].(string) + "/" + m["id"].(string)
		if out[key] != nil {
			c.t.Errorf("%s came twice", key)
		}
		out[key] = m
	}
	return out
}

func TestMessagesComeByTheTeamByTheChannelAndByWhatChanged(t *testing.T) {
	c := teamClient(t, sim.Options{Team: sim.TeamShape{Posts: 700}})
	info, team := c.team()
	all := c.messages(team + "/channels/getAllMessages?$top=50")
	if len(all) != 700 {
		t.Fatalf("%d messages, want 700", len(all))
	}
	byChannel, replies, kinds := 0, 0, map[string]bool{}
	for _, id := range info.Channels {
		rows, _ := c.pages(team + escaped(id) + "/messages?$top=50&$expand=replies")
		for _, m := range rows {
			byChannel++
			if all[id+"/"+m["id"].(string)] == nil {
				t.Errorf("message %v is not among all", m["id"])
			}
			for _, r := range m["replies"].([]any) {
				reply := r.(map[string]any)
				if reply["replyToId"] != m["id"] || reply["id"].(string) <= m["id"].(string) {
					t.Errorf("reply %v to %v of message %v", reply["id"], reply["replyToId"], m["id"])
				}
				replies++
			}
		}
	}
	if byChannel+replies != 700 {
		t.Errorf("%d messages and %d replies by channel, want 700", byChannel, replies)
	}
	for key, m := range all {
		for what, has := range map[string]bool{"edited": m["lastEditedDateTime"] != nil, "deleted": m["deletedDateTime"] != nil, "event": m["eventDetail"] != nil,
			"reaction": len(m["reactions"].([]any)) > 0, "mention": len(m["mentions"].([]any)) > 0, "attachment": len(m["attachments"].([]any)) > 0, "urgent": m["importance"] == "urgent",
			"application": m["from"] != nil && m["from"].(map[string]any)["application"] != nil} {
			if has {
				kinds[what] = true
			}
		}
		if m["eventDetail"] != nil && m["messageType"] != "unknownFutureValue" {
			t.Errorf("%s is a %v for who does not know it", key, m["messageType"])
		}
	}
	for _, what := range []string{"edited", "deleted", "event", "reaction", "mention", "attachment", "urgent", "application"} {
		if !kinds[what] {
			t.Errorf("no message is or has: %s", what)
		}
	}
	known := c.want(200, "GET", team+"/channels/getAllMessages?$top=50", nil, "Prefer", "include-unknown-enum-members").rows()
	for _, m := range known {
		if m["eventDetail"] != nil && m["messageType"] != "systemEventMessage" {
			t.Errorf("an event is a %v", m["messageType"])
		}
	}
	// What changed since is what a filter by time gives.
	before := c.s.Clock().Now()
	c.s.Clock().Move(time.Second)
	done, err := c.s.ChurnTeam(info.ID, 40, 1)
	if err != nil {
		t.Fatal(err)
	}
	changed := c.messages(team + "/channels/getAllMessages?$top=50&$filter=lastModifiedDateTime gt " + before.UTC().Format("2006-01-02T15:04:05.000Z"))
	if n := done.Posted + done.Replied; len(changed) < n || len(changed) > 2*40 || n == 0 {
		t.Errorf("%d changed after %+v", len(changed), done)
	}
	for name, tc := range map[string]struct {
		query string
		code  int
	}{"top": {"$top=51", 400}, "filter": {"$filter=createdDateTime gt 2020-01-01T00:00:00Z", 400}, "select": {"$select=id", 400}, "order": {"$orderby=id", 400}} {
		if a := c.call("GET", team+"/channels/getAllMessages?"+strings.ReplaceAll(tc.query, " ", "%20"), nil); a.status != tc.code {
			t.Errorf("%s: %d, want %d", name, a.status, tc.code)
		}
	}
}

// What a team says is the seed's: somebody who comes to the organization later has said none of it.
func TestANewcomerChangesNoMessageOfATeam(t *testing.T) {
	c := teamClient(t, sim.Options{Users: 4, Team: sim.TeamShape{Posts: 200}})
	info, _ := c.team()
	before, err := c.s.DumpTeam(info.ID)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.s.ChangeGroup(sim.GroupChange{NewUsers: 3}); err != nil {
		t.Fatal(err)
	}
	after, err := c.s.DumpTeam(info.ID)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(before, after) {
		t.Error("messages changed")
	}
}

func TestDeltaOfAChannelTellsOfEightMonthsOfRoots(t *testing.T) {
	c := teamClient(t, sim.Options{Team: sim.TeamShape{Posts: 300}})
	c.s.Clock().Move(time.Until(time.Date(2026, 7, 1, 0, 0, 0, 0, time.UTC)))
	info, team := c.team()
	at := team + escaped(info.Channels["General"]) + "/messages/delta"
	rows, delta := c.pages(at + "?$top=50")
	if len(rows) == 0 || len(rows) > 40 {
		t.Fatalf("%d messages of the last eight months", len(rows))
	}
	for _, m := range rows {
		if m["replyToId"] != nil || m["lastModifiedDateTime"].(string) < "2025-10" {
			t.Errorf("%v of %v replies to %v", m["id"], m["lastModifiedDateTime"], m["replyToId"])
		}
	}
	c.s.Clock().Move(time.Second)
	if _, err := c.s.ChurnTeam(info.ID, 40, 2); err != nil {
		t.Fatal(err)
	}
	if rows, _ = c.pages(delta); len(rows) == 0 || len(rows) > 40 {
		t.Errorf("%d messages changed", len(rows))
	}
}

func TestPicturesInMessages(t *testing.T) {
	c := teamClient(t, sim.Options{Team: sim.TeamShape{Posts: 200, Hosted: 5}})
	_, team := c.team()
	n := 0
	for _, m := range c.messages(team + "/channels/getAllMessages?$top=50") {
		body := m["body"].(map[string]any)["content"].(string)
		_, rest, ok := strings.Cut(body, `src="`)
		if !ok {
			continue
		}
		u, _, _ := strings.Cut(rest, `"`)
		if a := c.want(200, "GET", u, nil); len(a.raw) < 100 || a.header.Get("Content-Type") != "image/png" {
			t.Errorf("%s is %d bytes of %s", u, len(a.raw), a.header.Get("Content-Type"))
		}
		list, _, _ := strings.Cut(u, "/hostedContents/")
		c.want(200, "GET", list+"/hostedContents", nil)
		n++
	}
	if n == 0 {
		t.Error("no message has a picture")
	}
}

// member is a user as a request names him.
func member(c *client, n int, roles ...string) map[string]any {
	if roles == nil {
		roles = []string{}
	}
	return map[string]any{"@odata.type": "#microsoft.graph.aadUserConversationMember", "roles": roles, "user@odata.bind": "https://graph.microsoft.com/v1.0/users('" + c.s.Tenant().Users[n].ID + "')"}
}

// made waits for the team that a POST made.
func (c *client) made(a answer) string {
	c.t.Helper()
	if a.status != 202 {
		c.t.Fatalf("%d: %s", a.status, a.raw)
	}
	op := a.header.Get("Location")
	if got := c.want(200, "GET", op, nil).m["status"]; got != "inProgress" {
		c.t.Errorf("the operation is %v at once", got)
	}
	c.s.Clock().Move(3 * time.Second)
	if got := c.want(200, "GET", op, nil).m["status"]; got != "succeeded" {
		c.t.Errorf("the operation is %v", got)
	}
	id, _, _ := strings.Cut(strings.TrimPrefix(a.header.Get("Content-Location"), "/teams('"), "')")
	return id
}

func TestATeamIsMadeChangedAndArchived(t *testing.T) {
	c := teamClient(t, sim.Options{})
	template := "https://graph.microsoft.com/v1.0/teamsTemplates('standard')"
	if a := c.call("POST", "/teams", map[string]any{"template@odata.bind": template, "displayName": "Nobody's"}); a.status != 400 {
		t.Errorf("a team without an owner: %d", a.status)
	}
	id := c.made(c.call("POST", "/teams", map[string]any{"template@odata.bind": template, "displayName": "Made", "description": "By hand", "members": []any{member(c, 0, "owner")}, "funSettings": map[string]any{"allowGiphy": false}}))
	team := "/teams/" + id
	if got := c.want(200, "GET", team, nil).m; got["funSettings"].(map[string]any)["allowGiphy"] != false || got["displayName"] != "Made" {
		t.Errorf("%v", got)
	}
	c.want(201, "POST", team+"/members", member(c, 1))
	c.want(200, "POST", team+"/members/add", map[string]any{"values": []any{member(c, 2, "owner"), map[string]any{"@odata.type": "#microsoft.graph.aadUserConversationMember", "roles": []string{}, "user@odata.bind": "https://graph.microsoft.com/v1.0/users('nobody')"}}})
	if n := len(c.want(200, "GET", team+"/members", nil).rows()); n != 3 {
		t.Errorf("%d members", n)
	}
	c.want(204, "PATCH", team, map[string]any{"description": "Changed", "messagingSettings": map[string]any{"allowTeamMentions": false}})
	ch := c.want(201, "POST", team+"/channels", map[string]any{"displayName": "Plans"}).m["id"].(string)
	if a := c.call("POST", team+"/channels", map[string]any{"displayName": "Plans"}); a.status != 400 {
		t.Errorf("a name twice: %d", a.status)
	}
	if a := c.call("POST", team+"/channels", map[string]any{"displayName": "Secret", "membershipType": "private", "members": []any{member(c, 3, "owner")}}); a.status != 400 {
		t.Errorf("a private channel of somebody outside: %d", a.status)
	}
	private := c.want(201, "POST", team+"/channels", map[string]any{"displayName": "Secret", "membershipType": "private", "members": []any{member(c, 0, "owner")}}).m["id"].(string)
	c.want(201, "POST", team+escaped(private)+"/members", member(c, 1))
	c.want(201, "POST", team+"/installedApps", map[string]any{"teamsApp@odata.bind": "https://graph.microsoft.com/v1.0/appCatalogs/teamsApps/com.microsoft.teamspace.tab.web"})
	if a := c.call("POST", team+"/installedApps", map[string]any{"teamsApp@odata.bind": "https://graph.microsoft.com/v1.0/appCatalogs/teamsApps/com.microsoft.teamspace.tab.web"}); a.status != 409 {
		t.Errorf("an app twice: %d", a.status)
	}
	tab := c.want(201, "POST", team+escaped(ch)+"/tabs", map[string]any{"displayName": "Home", "teamsApp@odata.bind": "https://graph.microsoft.com/v1.0/appCatalogs/teamsApps/com.microsoft.teamspace.tab.web", "configuration": map[string]any{"contentUrl": "https://example.com"}}).m["id"].(string)
	c.want(204, "DELETE", team+escaped(ch)+"/tabs/"+tab, nil)
	c.want(202, "POST", team+"/archive", nil)
	if a := c.call("PATCH", team+escaped(ch), map[string]any{"description": "no"}); a.status != 403 {
		t.Errorf("a change of an archived team: %d", a.status)
	}
	c.want(202, "POST", team+"/unarchive", nil)
	c.want(204, "PATCH", team+escaped(ch), map[string]any{"description": "yes"})
	c.want(204, "DELETE", team+escaped(ch), nil)
	if a := c.call("POST", team+"/channels", map[string]any{"displayName": "Plans"}); a.status != 400 {
		t.Errorf("the name of a channel that was just deleted: %d", a.status)
	}
	c.s.Clock().Move(31 * 24 * time.Hour)
	c.login()
	c.want(201, "POST", team+"/channels", map[string]any{"displayName": "Plans"})
}

func TestADeletedTeamComesBackWithItsGroup(t *testing.T) {
	c := teamClient(t, sim.Options{})
	info, team := c.team()
	c.want(204, "DELETE", "/groups/"+info.ID, nil)
	if a := c.call("GET", team, nil); a.status != 404 {
		t.Errorf("a deleted team: %d", a.status)
	}
	c.want(200, "GET", "/teamwork/deletedTeams/"+info.ID+"/channels/getAllMessages", nil)
	c.want(200, "GET", "/directory/deletedItems/"+info.ID, nil)
	c.want(200, "POST", "/directory/deletedItems/"+info.ID+"/restore", nil)
	c.want(200, "GET", team, nil)
	if err := c.s.DeleteTeam(info.ID, "", true); err != nil {
		t.Fatal(err)
	}
	if a := c.call("POST", "/directory/deletedItems/"+info.ID+"/restore", nil); a.status != 404 {
		t.Errorf("a purged group: %d", a.status)
	}
}

func TestMigrationTakesMessagesOfThePast(t *testing.T) {
	c := teamClient(t, sim.Options{})
	template := "https://graph.microsoft.com/v1.0/teamsTemplates('standard')"
	id := c.made(c.call("POST", "/teams", map[string]any{"@microsoft.graph.teamCreationMode": "migration", "createdDateTime": "2020-03-14T11:22:17.043Z", "template@odata.bind": template, "displayName": "Old"}))
	team := "/teams/" + id
	if a := c.call("POST", team+"/members", member(c, 0, "owner")); a.status != 403 {
		t.Errorf("a member during migration: %d", a.status)
	}
	ch := c.want(201, "POST", team+"/channels", map[string]any{"@microsoft.graph.channelCreationMode": "migration", "createdDateTime": "2020-03-14T11:22:18Z", "displayName": "Past"}).m["id"].(string)
	at := team + escaped(ch)
	message := func(at string, more ...any) map[string]any {
		m := map[string]any{"createdDateTime": at, "from": map[string]any{"user": map[string]any{"id": c.s.Tenant().Users[1].ID, "displayName": "x", "userIdentityType": "aadUser"}}, "body": map[string]any{"contentType": "html", "content": "<b>hi</b>"}}
		for i := 0; i < len(more); i += 2 {
			m[more[i].(string)] = more[i+1]
		}
		return m
	}
	first := c.want(201, "POST", at+"/messages", message("2021-01-02T03:04:05.678Z", "subject", "Old news")).m
	if first["id"] != "1609556645678" || first["createdDateTime"] != "2021-01-02T03:04:05.678Z" || first["from"].(map[string]any)["user"].(map[string]any)["id"] != c.s.Tenant().Users[1].ID {
		t.Errorf("%v", first)
	}
	for name, tc := range map[string]struct {
		body map[string]any
		path string
		code int
	}{
		"the same millisecond":     {message("2021-01-02T03:04:05.678Z"), "/messages", 409},
		"the future":               {message("2099-01-01T00:00:00Z"), "/messages", 400},
		"before the channel":       {message("2019-01-01T00:00:00Z"), "/messages", 400},
		"an author who is unknown": {message("2021-01-02T03:04:06Z", "from", map[string]any{"user": map[string]any{"id": "00000000-0000-0000-0000-000000000000"}}), "/messages", 400},
		"no author":                {message("2021-01-02T03:04:06Z", "from", map[string]any{}), "/messages", 400},
		"too large":                {message("2021-01-02T03:04:06Z", "body", map[string]any{"contentType": "html", "content": strings.Repeat("x", 30<<10)}), "/messages", 413},
		"an unknown picture":       {message("2021-01-02T03:04:06Z", "body", map[string]any{"contentType": "html", "content": `<img src="../hostedContents/1/$value">`}), "/messages", 400},
		"a reply to nothing":       {message("2021-01-02T03:04:06Z"), "/messages/1/replies", 404},
		"a reply before":           {message("2021-01-02T03:04:04Z"), "/messages/1609556645678/replies", 400},
	} {
		if a := c.call("POST", at+tc.path, tc.body); a.status != tc.code {
			t.Errorf("%s: %d %s, want %d", name, a.status, a.raw, tc.code)
		}
	}
	picture := []byte("\x89PNG picture")
	reply := c.want(201, "POST", at+"/messages/1609556645678/replies", message("2021-01-02T03:04:07Z", "body", map[string]any{"contentType": "html", "content": `<img src="../hostedContents/1/$value">`},
		"hostedContents", []any{map[string]any{"@microsoft.graph.temporaryId": "1", "contentBytes": base64.StdEncoding.EncodeToString(picture), "contentType": "image/png"}})).m
	_, src, _ := strings.Cut(reply["body"].(map[string]any)["content"].(string), `src="`)
	if a := c.want(200, "GET", strings.TrimSuffix(src, `">`), nil); string(a.raw) != string(picture) {
		t.Errorf("the picture is %q", a.raw)
	}
	if a := c.call("POST", team+"/completeMigration", nil); a.status != 400 {
		t.Errorf("the team is complete before its channels: %d", a.status)
	}
	c.want(204, "POST", at+"/completeMigration", nil)
	general := c.s.Teams()[len(c.s.Teams())-1].Channels["General"]
	c.want(204, "POST", team+escaped(general)+"/completeMigration", nil)
	c.want(204, "POST", team+"/completeMigration", nil)
	c.want(201, "POST", team+"/members", member(c, 0, "owner"))
	if a := c.call("POST", at+"/messages", message("2021-01-02T03:04:08Z")); a.status != 403 {
		t.Errorf("a message after the migration: %d", a.status)
	}
	// A channel that is there is opened again, and its conversation begins earlier.
	if a := c.call("POST", at+"/messages", message("2020-01-01T00:00:00Z")); a.status != 403 {
		t.Errorf("%d", a.status)
	}
	c.want(204, "POST", at+"/startMigration", map[string]any{"conversationCreationDateTime": "2020-01-01T00:00:00Z"})
	c.want(201, "POST", at+"/messages", message("2020-01-01T00:00:01Z"))
	c.want(204, "POST", at+"/completeMigration", nil)
}

func TestCloudsLackPartsOfTeams(t *testing.T) {
	for _, where := range []string{"usgovernment", "usdefence"} {
		c := start(t, sim.Options{Users: 4, Cloud: where}).login()
		info, team := c.team()
		for _, ch := range c.want(200, "GET", team+"/channels", nil).rows() {
			if ch["membershipType"] == "shared" {
				t.Errorf("a shared channel in %s", where)
			}
		}
		c.want(200, "GET", team+"/channels/getAllMessages", nil)
		if a := c.call("POST", team+escaped(info.Channels["General"])+"/startMigration", map[string]any{}); a.status < 400 {
			t.Errorf("migration in %s: %d", where, a.status)
		}
	}
	c := start(t, sim.Options{Users: 4, Cloud: "china"}).login()
	if n := len(c.s.Teams()); n != 0 {
		t.Errorf("%d teams in China", n)
	}
	if a := c.call("GET", "/teams/x", nil); a.status < 400 {
		t.Errorf("teams in China: %d", a.status)
	}
}

func TestTeamsLimitsBySecondAndByTeam(t *testing.T) {
	c := start(t, sim.Options{Users: 4, Limits: sim.LimitsEnforce, Clock: still{}}).login()
	_, team := c.team()
	other := "/teams/" + c.s.Teams()[1].ID
	for range 4 {
		c.want(200, "GET", team, nil)
	}
	a := c.want(429, "GET", team, nil)
	if a.header.Get("Retry-After") != "1" {
		t.Errorf("Retry-After %q", a.header.Get("Retry-After"))
	}
	c.want(200, "GET", other, nil)
	c.s.Clock().Move(time.Second)
	c.want(200, "GET", team, nil)
}

// still is a clock that stands, but for what the simulator moves.
type still struct{}

func (still) Now() time.Time                                   { return time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC) }
func (still) Sleep(ctx context.Context, _ time.Duration) error { return ctx.Err() }
func (still) After(d time.Duration) <-chan time.Time           { return time.After(d) }

func TestALargeTeamCostsNoMemoryAndItsMessagesStayWhatTheyAre(t *testing.T) {
	c := start(t, sim.Options{Users: 4, Team: sim.TeamShape{Teams: 1, Posts: 100_000}}).login()
	info, team := c.team()
	a := c.want(200, "GET", team+"/channels/getAllMessages?$top=50", nil)
	for _, m := range a.rows() {
		at := team + escaped(m["channelIdentity"].(map[string]any)["channelId"].(string)) + "/messages/"
		if root, ok := m["replyToId"].(string); ok {
			at += root + "/replies/"
		}
		if got := c.want(200, "GET", at+m["id"].(string), nil).m; fmt.Sprint(got["body"], got["etag"]) != fmt.Sprint(m["body"], m["etag"]) {
			t.Errorf("%v is %v by its address, %v in the list", m["id"], got["body"], m["body"])
		}
	}
	if err := c.s.EmptyTeam(info.ID, ""); err != nil {
		t.Fatal(err)
	}
	if rows, _ := c.pages(team + "/channels/getAllMessages?$top=50"); len(rows) != 0 {
		t.Errorf("%d messages in an emptied team", len(rows))
	}
}
