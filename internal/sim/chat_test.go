package sim_test

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"holdfast/internal/sim"
)

// chatClient is a client of a tenant with chats and a guest, each answer of which is judged by the metadata.
func chatClient(t *testing.T, o sim.Options) *client {
	t.Helper()
	if o.Users == 0 {
		o.Users = 5
	}
	if o.Chat.Guests == 0 {
		o.Chat.Guests = 1
	}
	return start(t, o).login()
}

func inChat(id string) string { return "/chats/" + url.PathEscape(id) }

// chatMessages gives all rows of a walk, by chat and id.
func (c *client) chatMessages(u string) map[string]map[string]any {
	c.t.Helper()
	out := map[string]map[string]any{}
	rows, _ := c.pages(u)
	for _, m := range rows {
		key := fmt.Sprint(m["chatId"], "/", m["id"])
		if out[key] != nil {
			c.t.Errorf("%s came twice", key)
		}
		out[key] = m
	}
	return out
}

func TestChatsAreOfTwoOfManyAndOfMeetings(t *testing.T) {
	c := chatClient(t, sim.Options{})
	kinds, guests, elsewhere, foreign, late := map[string]int{}, 0, 0, 0, 0
	seen := map[string]bool{}
	own := c.s.Tenant().TenantID
	for _, u := range c.s.Tenant().Users {
		rows, _ := c.pages("/users/" + u.ID + "/chats?$top=2&$expand=members")
		for _, ch := range rows {
			members := ch["members"].([]any)
			mine := false
			for _, m := range members {
				mine = mine || m.(map[string]any)["userId"] == u.ID
			}
			if !mine {
				t.Errorf("%s is not in the chat %v", u.UPN, ch["id"])
			}
			id := ch["id"].(string)
			if seen[id] {
				continue
			}
			seen[id] = true
			kinds[ch["chatType"].(string)]++
			if ch["tenantId"] != own {
				foreign++
			}
			for _, x := range members {
				m := x.(map[string]any)
				if slices.Contains(m["roles"].([]any), any("guest")) {
					guests++
				}
				if m["tenantId"] != own {
					elsewhere++
				}
				if m["visibleHistoryStartDateTime"] != "0001-01-01T00:00:00Z" {
					late++
				}
			}
			switch ch["chatType"] {
			case "oneOnOne":
				if len(members) != 2 || ch["topic"] != nil || !strings.HasSuffix(id, "@unq.gbl.spaces") {
					t.Errorf("%s of %d with the topic %v", id, len(members), ch["topic"])
				}
			case "meeting":
				if ch["onlineMeetingInfo"] == nil {
					t.Errorf("%s has no meeting", id)
				}
			}
			one := c.want(200, "GET", inChat(id), nil).m
			if one["chatType"] != ch["chatType"] || one["members"] != nil {
				t.Errorf("%v by its address", one)
			}
			if n := len(c.want(200, "GET", inChat(id)+"/members", nil).rows()); n != len(members) {
				t.Errorf("%s has %d members, of which %d were expanded", id, n, len(members))
			}
		}
	}
	if kinds["oneOnOne"] == 0 || kinds["group"] == 0 || kinds["meeting"] == 0 || guests == 0 || elsewhere == 0 || foreign != 1 || late == 0 {
		t.Errorf("kinds %v, %d guests, %d of another organization, %d chats from there, %d late", kinds, guests, elsewhere, foreign, late)
	}
	user := "/users/" + c.s.Tenant().Users[0].ID + "/chats"
	for _, ch := range c.want(200, "GET", user+"?$filter=chatType eq 'group'&$expand=lastMessagePreview&$orderby=lastMessagePreview/createdDateTime desc", nil).rows() {
		if ch["chatType"] != "group" || ch["lastMessagePreview"] == nil {
			t.Errorf("%v", ch)
		}
	}
	for _, q := range []string{"$top=51", "$select=id", "$expand=messages", "$orderby=topic"} {
		if a := c.call("GET", user+"?"+q, nil); a.status != 400 {
			t.Errorf("%s: %d", q, a.status)
		}
	}
	if a := c.call("GET", inChat("19:none@thread.v2"), nil); a.status != 404 {
		t.Errorf("a chat that is not there: %d", a.status)
	}
}

func TestMessagesOfChatsComeFromEachMember(t *testing.T) {
	c := chatClient(t, sim.Options{Chat: sim.ChatShape{Chats: 3, Posts: 70, Guests: 1}})
	users := c.s.Tenant().Users
	all, kinds := map[string]map[string]any{}, map[string]int{}
	times := map[string]int{}
	for _, u := range users {
		for key, m := range c.chatMessages("/users/" + u.ID + "/chats/getAllMessages?$top=50") {
			if was := all[key]; was != nil && fmt.Sprint(was) != fmt.Sprint(m) {
				t.Errorf("%s differs from one member to the other", key)
			}
			all[key] = m
			times[key]++
		}
	}
	for key, m := range all {
		if m["channelIdentity"] != nil || m["replyToId"] != nil {
			t.Errorf("%s is of a channel: %v", key, m["channelIdentity"])
		}
		from, _ := m["from"].(map[string]any)
		who, _ := from["user"].(map[string]any)
		for what, has := range map[string]bool{"edited": m["lastEditedDateTime"] != nil, "deleted": m["deletedDateTime"] != nil, "event": m["eventDetail"] != nil,
			"reaction": len(m["reactions"].([]any)) > 0, "mention": len(m["mentions"].([]any)) > 0, "attachment": len(m["attachments"].([]any)) > 0, "urgent": m["importance"] == "urgent",
			"application": from["application"] != nil, "of another organization": who["userIdentityType"] == "federatedUser", "twice": times[key] > 1} {
			if has {
				kinds[what]++
			}
		}
	}
	for _, what := range []string{"edited", "deleted", "event", "reaction", "mention", "attachment", "urgent", "application", "of another organization", "twice"} {
		if kinds[what] == 0 {
			t.Errorf("no message is or has: %s", what)
		}
	}
	// A member who came later sees nothing from before.
	early := 0
	for _, info := range c.s.Chats() {
		byChat := c.call("GET", inChat(info.ID)+"/messages?$top=50", nil)
		if info.Tenant != c.s.Tenant().TenantID {
			if byChat.status != 403 {
				t.Errorf("messages of a chat of another organization: %d", byChat.status)
			}
			continue
		}
		rows, _ := c.pages(inChat(info.ID) + "/messages?$top=50")
		if len(rows) != 70 {
			t.Errorf("%s has %d messages, want 70", info.ID, len(rows))
		}
		last := "9"
		for _, m := range rows {
			if at := m["lastModifiedDateTime"].(string); at > last {
				t.Errorf("%s is not in order", info.ID)
			} else {
				last = at
			}
			key := fmt.Sprint(m["chatId"], "/", m["id"])
			if all[key] == nil {
				t.Errorf("%s is not among what the members have", key)
			}
			want := 0
			for _, member := range info.Members {
				if slices.ContainsFunc(users, func(u sim.TenantUser) bool { return u.ID == member.ID }) && !m2time(m["createdDateTime"]).Before(member.Since) {
					want++
				}
			}
			if times[key] != want {
				t.Errorf("%s came from %d of %d members", key, times[key], want)
			}
			if want < len(info.Members) {
				early++
			}
		}
		one := c.want(200, "GET", inChat(info.ID)+"/messages/"+rows[0]["id"].(string), nil).m
		if fmt.Sprint(one["body"], one["etag"]) != fmt.Sprint(rows[0]["body"], rows[0]["etag"]) {
			t.Errorf("%v by its address, %v in the list", one, rows[0])
		}
	}
	if early == 0 {
		t.Error("nobody missed anything")
	}
}

func m2time(v any) time.Time {
	at, _ := time.Parse(time.RFC3339Nano, fmt.Sprint(v))
	return at
}
