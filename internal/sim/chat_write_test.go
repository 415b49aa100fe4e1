package sim_test

import (
	"encoding/base64"
	"fmt"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"holdfast/internal/sim"
)

// chatOf is a chat of a kind that began in this organization.
func (c *client) chatOf(kind string) sim.ChatInfo {
	c.t.Helper()
	for _, info := range c.s.Chats() {
		if info.Type == kind && info.Tenant == c.s.Tenant().TenantID && !slices.ContainsFunc(info.Members, func(m sim.ChatMemberInfo) bool { return strings.HasSuffix(m.Name, ".example") }) {
			return info
		}
	}
	c.t.Fatalf("no %s", kind)
	return sim.ChatInfo{}
}

// imported is a message of the past as a request has it.
func imported(c *client, at string, more ...any) map[string]any {
	m := map[string]any{"createdDateTime": at, "from": map[string]any{"user": map[string]any{"id": c.s.Tenant().Users[1].ID, "displayName": "x", "userIdentityType": "aadUser"}}, "body": map[string]any{"contentType": "html", "content": "<b>hi</b>"}}
	for i := 0; i < len(more); i += 2 {
		m[more[i].(string)] = more[i+1]
	}
	return m
}

func TestAChatIsMadeOnceForTwoAndAnewForMany(t *testing.T) {
	c := chatClient(t, sim.Options{})
	pair := c.chatOf("oneOnOne")
	a, b := slices.IndexFunc(c.s.Tenant().Users, func(u sim.TenantUser) bool { return u.ID == pair.Members[0].ID }), slices.IndexFunc(c.s.Tenant().Users, func(u sim.TenantUser) bool { return u.ID == pair.Members[1].ID })
	guest := len(c.s.Tenant().Users) - 1
	body := func(kind, topic string, members ...any) map[string]any {
		m := map[string]any{"chatType": kind, "members": members}
		if topic != "" {
			m["topic"] = topic
		}
		return m
	}
	owner, o := func(n int) map[string]any { return member(c, n, "owner") }, c.s.Chats()
	if got := c.want(201, "POST", "/chats", body("oneOnOne", "", owner(b), owner(a))).m["id"]; got != pair.ID || len(c.s.Chats()) != len(o) {
		t.Errorf("the two have %v besides %s", got, pair.ID)
	}
	group := c.want(201, "POST", "/chats", body("group", "New", owner(0), owner(1), member(c, guest, "guest"))).m
	if group["topic"] != "New" || group["chatType"] != "group" || !strings.HasSuffix(group["id"].(string), "@thread.v2") {
		t.Errorf("%v", group)
	}
	outside := map[string]any{"@odata.type": "#microsoft.graph.aadUserConversationMember", "roles": []string{"owner"}, "user@odata.bind": "https://graph.microsoft.com/v1.0/users('00000000-0000-0000-0000-000000000009')"}
	for name, tc := range map[string]struct {
		in   map[string]any
		code int
	}{
		"a meeting":             {body("meeting", "", owner(0), owner(1)), 400},
		"one alone":             {body("group", "", owner(0)), 400},
		"three as two":          {body("oneOnOne", "", owner(0), owner(1), owner(2)), 400},
		"a topic of two":        {body("oneOnOne", "x", owner(0), owner(1)), 400},
		"somebody twice":        {body("group", "", owner(0), owner(0)), 400},
		"a member without role": {body("group", "", owner(0), member(c, 1)), 400},
		"a guest as owner":      {body("group", "", owner(0), owner(guest)), 400},
		"a stranger":            {body("group", "", owner(0), outside), 404},
	} {
		if a := c.call("POST", "/chats", tc.in); a.status != tc.code {
			t.Errorf("%s: %d %s, want %d", name, a.status, a.raw, tc.code)
		}
	}
	at := inChat(group["id"].(string))
	c.want(200, "PATCH", at, map[string]any{"topic": "Newer"})
	since := member(c, 2, "owner")
	since["visibleHistoryStartDateTime"] = "0001-01-01T00:00:00Z"
	c.want(201, "POST", at+"/members", since)
	if a := c.call("POST", at+"/members", since); a.status != 400 {
		t.Errorf("a member twice: %d", a.status)
	}
	c.want(201, "POST", at+"/members", member(c, 3, "owner"))
	members := c.want(200, "GET", at+"/members", nil).rows()
	if len(members) != 5 || members[3]["visibleHistoryStartDateTime"] != "0001-01-01T00:00:00Z" || members[4]["visibleHistoryStartDateTime"] == "0001-01-01T00:00:00Z" {
		t.Errorf("%v", members)
	}
	c.want(204, "DELETE", at+"/members/"+url.PathEscape(members[4]["id"].(string)), nil)
	if a := c.call("POST", inChat(pair.ID)+"/members", member(c, 3, "owner")); a.status != 400 {
		t.Errorf("a third of two: %d", a.status)
	}
	told := map[any]int{}
	for _, m := range c.want(200, "GET", at+"/messages", nil).rows() {
		told[m["eventDetail"].(map[string]any)["@odata.type"]]++
	}
	if want := map[any]int{"#microsoft.graph.chatRenamedEventMessageDetail": 1, "#microsoft.graph.membersAddedEventMessageDetail": 2, "#microsoft.graph.membersDeletedEventMessageDetail": 1}; !reflect.DeepEqual(told, want) {
		t.Errorf("told %v", told)
	}
}

func TestADeletedChatComesBackForSevenDays(t *testing.T) {
	c := chatClient(t, sim.Options{Limits: sim.LimitsOff})
	group := c.chatOf("group")
	before, err := c.s.DumpChat(group.ID)
	if err != nil {
		t.Fatal(err)
	}
	at, bin := inChat(group.ID), "/teamwork/deletedChats/"+url.PathEscape(group.ID)
	c.want(404, "GET", bin, nil)
	c.want(204, "DELETE", at, nil)
	c.want(404, "GET", at, nil)
	for _, m := range c.chatMessages("/users/" + group.Members[0].ID + "/chats/getAllMessages?$top=50") {
		if m["chatId"] == group.ID {
			t.Fatal("a message of a deleted chat")
		}
	}
	c.want(200, "GET", bin, nil)
	c.want(204, "POST", bin+"/undoDelete", nil)
	if after, err := c.s.DumpChat(group.ID); err != nil || !reflect.DeepEqual(before, after) {
		t.Errorf("the chat is not what it was: %v", err)
	}
	c.want(204, "DELETE", at, nil)
	c.s.Clock().Move(8 * 24 * time.Hour)
	c.login()
	c.want(404, "POST", bin+"/undoDelete", nil)
	// The same two can begin anew.
	pair := c.chatOf("oneOnOne")
	if err := c.s.DeleteChat(pair.ID, true); err != nil {
		t.Fatal(err)
	}
	c.want(404, "GET", "/teamwork/deletedChats/"+url.PathEscape(pair.ID), nil)
	members := []any{}
	for i, u := range c.s.Tenant().Users {
		if u.ID == pair.Members[0].ID || u.ID == pair.Members[1].ID {
			members = append(members, member(c, i, "owner"))
		}
	}
	if got := c.want(201, "POST", "/chats", map[string]any{"chatType": "oneOnOne", "members": members}).m["id"]; got != pair.ID {
		t.Errorf("the new chat is %v, not %s", got, pair.ID)
	}
	if n := len(c.want(200, "GET", inChat(pair.ID)+"/messages", nil).rows()); n != 0 {
		t.Errorf("%d messages in a new chat", n)
	}
}

func TestMigrationTakesMessagesOfThePastIntoAChat(t *testing.T) {
	c := chatClient(t, sim.Options{})
	made := c.want(201, "POST", "/chats", map[string]any{"chatType": "group", "topic": "Old", "members": []any{member(c, 0, "owner"), member(c, 1, "owner")}}).m
	id := made["id"].(string)
	at := inChat(id)
	if a := c.call("POST", at+"/messages", imported(c, "2021-01-02T03:04:05.678Z")); a.status != 403 {
		t.Errorf("a message without migration: %d", a.status)
	}
	if n := c.s.ChatNotices(); len(n) != 1 || !n[0].Refused || n[0].Why != "posted" || len(n[0].To) != 2 {
		t.Errorf("notices %+v", n)
	}
	for name, when := range map[string]any{"the future": "2099-01-01T00:00:00Z", "its beginning": made["createdDateTime"], "no time": "yesterday"} {
		if a := c.call("POST", at+"/startMigration", map[string]any{"conversationCreationDateTime": when}); a.status != 400 {
			t.Errorf("%s: %d", name, a.status)
		}
	}
	c.want(204, "POST", at+"/startMigration", map[string]any{"conversationCreationDateTime": "2020-01-01T00:00:00Z"})
	if a := c.call("POST", at+"/startMigration", map[string]any{}); a.status != 400 {
		t.Errorf("started twice: %d", a.status)
	}
	open := c.want(200, "GET", at, nil).m
	if open["migrationMode"] != "inProgress" || open["createdDateTime"] != "2020-01-01T00:00:00.000Z" || open["originalCreatedDateTime"] != made["createdDateTime"] {
		t.Errorf("%v", open)
	}
	first := c.want(201, "POST", at+"/messages", imported(c, "2021-01-02T03:04:05.678Z", "importance", "high")).m
	if first["id"] != "1609556645678" || first["chatId"] != id || first["createdDateTime"] != "2021-01-02T03:04:05.678Z" || first["from"].(map[string]any)["user"].(map[string]any)["id"] != c.s.Tenant().Users[1].ID {
		t.Errorf("%v", first)
	}
	foreign := ""
	for _, info := range c.s.Chats() {
		if info.Tenant != c.s.Tenant().TenantID {
			foreign = info.ID
		}
	}
	for name, tc := range map[string]struct {
		path string
		body map[string]any
		code int
	}{
		"the same millisecond":              {at + "/messages", imported(c, "2021-01-02T03:04:05.678Z"), 409},
		"the future":                        {at + "/messages", imported(c, "2099-01-01T00:00:00Z"), 400},
		"before the chat":                   {at + "/messages", imported(c, "2019-01-01T00:00:00Z"), 400},
		"an author of another organization": {at + "/messages", imported(c, "2021-01-02T03:04:06Z", "from", map[string]any{"user": map[string]any{"id": "00000000-0000-0000-0000-000000000000"}}), 400},
		"no author":                         {at + "/messages", imported(c, "2021-01-02T03:04:06Z", "from", map[string]any{}), 400},
		"too large":                         {at + "/messages", imported(c, "2021-01-02T03:04:06Z", "body", map[string]any{"contentType": "html", "content": strings.Repeat("x", 30<<10)}), 413},
		"a meeting":                         {inChat(c.chatOf("meeting").ID) + "/startMigration", map[string]any{}, 400},
		"a chat of another organization":    {inChat(foreign) + "/startMigration", map[string]any{}, 403},
		"one that is not there":             {inChat("19:no@thread.v2") + "/startMigration", map[string]any{}, 404},
		"one that is not open":              {inChat(c.chatOf("oneOnOne").ID) + "/completeMigration", nil, 400},
	} {
		if a := c.call("POST", tc.path, tc.body); a.status != tc.code {
			t.Errorf("%s: %d %s, want %d", name, a.status, a.raw, tc.code)
		}
	}
	picture := []byte("\x89PNG picture")
	shown := c.want(201, "POST", at+"/messages", imported(c, "2021-01-02T03:04:07Z", "body", map[string]any{"contentType": "html", "content": `<img src="../hostedContents/1/$value">`},
		"hostedContents", []any{map[string]any{"@microsoft.graph.temporaryId": "1", "contentBytes": base64.StdEncoding.EncodeToString(picture), "contentType": "image/png"}})).m
	_, src, _ := strings.Cut(shown["body"].(map[string]any)["content"].(string), `src="`)
	if a := c.want(200, "GET", strings.TrimSuffix(src, `">`), nil); string(a.raw) != string(picture) {
		t.Errorf("the picture is %q", a.raw)
	}
	c.want(201, "POST", at+"/messages", imported(c, "2021-01-02T03:04:09Z", "mentions", []any{map[string]any{"id": 0, "mentionText": "x", "mentioned": map[string]any{"user": map[string]any{"id": c.s.Tenant().Users[0].ID}}}}))
	if n := c.s.ChatNotices(); len(n) != 2 || n[1].Why != "mentioned" || n[1].Refused || fmt.Sprint(n[1].To) != fmt.Sprint([]string{c.s.Tenant().Users[0].UPN}) {
		t.Errorf("notices %+v", n)
	}
	c.want(204, "POST", at+"/completeMigration", nil)
	if a := c.call("POST", at+"/messages", imported(c, "2021-01-02T03:04:08Z")); a.status != 403 {
		t.Errorf("a message after the migration: %d", a.status)
	}
	if m := c.want(200, "GET", at, nil).m; m["migrationMode"] != "completed" {
		t.Errorf("%v", m["migrationMode"])
	}
	// What was imported is what its members read, and what a filter of the time finds.
	got := 0
	for _, m := range c.chatMessages("/users/" + c.s.Tenant().Users[0].ID + "/chats/getAllMessages?$top=50") {
		if m["chatId"] == id {
			got++
		}
	}
	if got != 3 {
		t.Errorf("%d messages of three imported ones", got)
	}
	// A chat that has messages is opened too; a millisecond of its own is taken.
	pair := c.chatOf("oneOnOne")
	own := c.want(200, "GET", inChat(pair.ID)+"/messages?$top=1", nil).rows()[0]
	c.want(204, "POST", inChat(pair.ID)+"/startMigration", map[string]any{})
	if a := c.call("POST", inChat(pair.ID)+"/messages", imported(c, own["createdDateTime"].(string))); a.status != 409 {
		t.Errorf("over a message that is there: %d", a.status)
	}
}

func TestWhatChangesInAChatIsToldByTheTime(t *testing.T) {
	c := chatClient(t, sim.Options{Chat: sim.ChatShape{Posts: 40}})
	c.s.Clock().Move(time.Until(time.Date(2026, 7, 1, 0, 0, 0, 0, time.UTC)))
	c.login()
	group := c.chatOf("group")
	user := group.Members[0].ID
	all := "/users/" + user + "/chats/getAllMessages"
	rows, delta := c.pages(all + "/delta?$top=50")
	for _, m := range rows {
		if m["lastModifiedDateTime"].(string) < "2025-10" {
			t.Errorf("%v of %v in a round of the last eight months", m["id"], m["lastModifiedDateTime"])
		}
	}
	if len(rows) == 0 || len(rows) >= len(c.chatMessages(all+"?$top=50")) {
		t.Errorf("%d messages of the last eight months", len(rows))
	}
	before := c.s.Clock().Now()
	c.s.Clock().Move(time.Second)
	id, err := c.s.SayInChat(group.ID, group.Members[0].Name, "<p>one</p>")
	if err != nil {
		t.Fatal(err)
	}
	other, err := c.s.SayInChat(group.ID, group.Members[1].ID, "<p>two</p>")
	if err != nil {
		t.Fatal(err)
	}
	if err := c.s.EditInChat(group.ID, id, "<p>one more</p>"); err != nil {
		t.Fatal(err)
	}
	if err := c.s.DeleteInChat(group.ID, other); err != nil {
		t.Fatal(err)
	}
	if err := c.s.EditInChat(group.ID, other, "x"); err == nil {
		t.Error("a deleted message was edited")
	}
	if _, err := c.s.SayInChat(group.ID, "stranger@partner.example", "x"); err == nil {
		t.Error("somebody outside wrote")
	}
	if _, err := c.s.ChurnChat(group.ID, 30, 1); err != nil {
		t.Fatal(err)
	}
	byFilter := c.chatMessages(all + "?$top=50&$filter=lastModifiedDateTime gt " + before.UTC().Format("2006-01-02T15:04:05.000Z"))
	again, _ := c.pages(delta)
	if len(byFilter) == 0 || len(byFilter) != len(again) {
		t.Errorf("%d by the time, %d by the delta", len(byFilter), len(again))
	}
	for _, m := range again {
		if byFilter[fmt.Sprint(m["chatId"], "/", m["id"])] == nil {
			t.Errorf("%v is told by the delta alone", m["id"])
		}
		if m["id"] == id && (m["body"].(map[string]any)["content"] != "<p>one more</p>" && m["deletedDateTime"] == nil) {
			t.Errorf("%v", m)
		}
	}
	for name, q := range map[string]string{"top": "$top=51", "filter": "$filter=createdDateTime gt 2020-01-01T00:00:00Z", "select": "$select=id", "order": "$orderby=id"} {
		if a := c.call("GET", all+"?"+strings.ReplaceAll(q, " ", "%20"), nil); a.status != 400 {
			t.Errorf("%s: %d", name, a.status)
		}
	}
	if err := c.s.SetFaults(sim.Fault{Name: sim.FaultSyncState}); err != nil {
		t.Fatal(err)
	}
	if a := c.call("GET", delta, nil); a.status != 410 {
		t.Errorf("a delta link that is refused: %d", a.status)
	}
	if err := c.s.SetFaults(); err != nil {
		t.Fatal(err)
	}
	// Who leaves has the messages no more, who joins has those since then.
	if err := c.s.LeaveChat(group.ID, user); err != nil {
		t.Fatal(err)
	}
	if len(c.chatMessages(all+"?$top=50")) >= len(rows) && slices.ContainsFunc(c.want(200, "GET", "/users/"+user+"/chats", nil).rows(), func(m map[string]any) bool { return m["id"] == group.ID }) {
		t.Error("who left is still there")
	}
	if err := c.s.JoinChat(group.ID, user, before); err != nil {
		t.Fatal(err)
	}
	for key, m := range c.chatMessages(all + "?$top=50") {
		if m["chatId"] == group.ID && m2time(m["createdDateTime"]).Before(before.Truncate(time.Millisecond)) {
			t.Errorf("%s is from before", key)
		}
	}
	if err := c.s.EmptyChat(group.ID); err != nil {
		t.Fatal(err)
	}
	if rows, _ := c.pages(inChat(group.ID) + "/messages"); len(rows) != 0 {
		t.Errorf("%d messages in an emptied chat", len(rows))
	}
}

func TestAWalkOverChatsGoesOnWhileMessagesCome(t *testing.T) {
	c := chatClient(t, sim.Options{})
	group := c.chatOf("group")
	all := "/users/" + group.Members[0].ID + "/chats/getAllMessages?$top=7"
	want := c.chatMessages(all)
	got := map[string]bool{}
	for next := all; next != ""; {
		a := c.want(200, "GET", next, nil)
		for _, m := range a.rows() {
			key := fmt.Sprint(m["chatId"], "/", m["id"])
			if got[key] {
				t.Errorf("%s came twice", key)
			}
			got[key] = true
		}
		next, _ = a.m["@odata.nextLink"].(string)
		if _, err := c.s.SayInChat(group.ID, group.Members[0].ID, "meanwhile"); err != nil {
			t.Fatal(err)
		}
	}
	if len(got) != len(want) {
		t.Errorf("%d messages, want the %d of the beginning", len(got), len(want))
	}
	if a := c.call("GET", "/users/"+group.Members[1].ID+"/chats/getAllMessages?$skiptoken=x", nil); a.status != 400 {
		t.Errorf("an invented token: %d", a.status)
	}
}

func TestCloudsLackPartsOfChats(t *testing.T) {
	for _, where := range []string{"usgovernment", "usdefence"} {
		c := start(t, sim.Options{Users: 4, Cloud: where}).login()
		user := "/users/" + c.s.Tenant().Users[0].ID + "/chats"
		c.want(200, "GET", user, nil)
		c.want(200, "GET", user+"/getAllMessages", nil)
		if m := c.want(200, "GET", inChat(c.chatOf("group").ID), nil).m; m["id"] == nil {
			t.Error("no chat")
		} else if _, ok := m["migrationMode"]; ok {
			t.Errorf("a mode of migration in %s", where)
		}
		for method, path := range map[string]string{"POST": inChat(c.chatOf("group").ID) + "/startMigration", "GET": user + "/getAllMessages/delta"} {
			if a := c.call(method, path, nil); a.status < 400 {
				t.Errorf("%s in %s: %d", path, where, a.status)
			}
		}
	}
	c := start(t, sim.Options{Users: 4, Cloud: "china"}).login()
	if n := len(c.s.Chats()); n != 0 {
		t.Errorf("%d chats in China", n)
	}
	for _, path := range []string{"/users/" + c.s.Tenant().Users[0].ID + "/chats", "/users/" + c.s.Tenant().Users[0].ID + "/chats/getAllMessages", "/chats/19:x@thread.v2"} {
		if a := c.call("GET", path, nil); a.status < 400 {
			t.Errorf("%s in China: %d", path, a.status)
		}
	}
}

func TestChatsHaveLimitsOfTheirOwn(t *testing.T) {
	c := start(t, sim.Options{Users: 4, Limits: sim.LimitsEnforce, Clock: still{}}).login()
	group, pair := inChat(c.chatOf("group").ID), inChat(c.chatOf("oneOnOne").ID)
	c.want(200, "GET", group, nil)
	if a := c.want(429, "GET", group+"/members", nil); a.header.Get("Retry-After") != "1" {
		t.Errorf("Retry-After %q", a.header.Get("Retry-After"))
	}
	c.want(200, "GET", pair, nil)
	for range 50 {
		c.want(200, "GET", "/users/"+c.s.Tenant().Users[0].ID+"/chats/getAllMessages", nil)
	}
	c.s.Clock().Move(time.Second)
	c.want(204, "DELETE", group, nil)
	c.want(429, "DELETE", pair, nil)
	c.s.Clock().Move(time.Second)
	for range 30 {
		c.want(200, "GET", "/users/"+c.s.Tenant().Users[0].ID+"/chats", nil)
	}
	c.want(429, "GET", "/users/"+c.s.Tenant().Users[0].ID+"/chats", nil)
}

func TestChatsNeedTheirPermissions(t *testing.T) {
	c := chatClient(t, sim.Options{})
	group := inChat(c.chatOf("group").ID)
	user := "/users/" + c.s.Tenant().Users[0].ID + "/chats"
	c.s.SetRoles([]string{"Chat.ReadBasic.All"})
	c.login()
	c.want(200, "GET", user, nil)
	c.want(200, "GET", group+"/members", nil)
	for method, paths := range map[string][]string{"GET": {user + "/getAllMessages", user + "/getAllMessages/delta", group + "/messages", group + "/messages/1"},
		"POST": {"/chats", group + "/startMigration", group + "/completeMigration", group + "/messages", group + "/members"}, "DELETE": {group}, "PATCH": {group}} {
		for _, path := range paths {
			if a := c.call(method, path, map[string]any{}); a.status != 403 {
				t.Errorf("%s %s: %d", method, path, a.status)
			}
		}
	}
}
