package sim_test

import (
	"strings"
	"testing"

	"holdfast/internal/sim"
)

func TestSettingsAreServedAndChangedAsTheMetadataHasThem(t *testing.T) {
	c, u := mailbox(t, sim.Options{Seed: 5})
	m := c.want(200, "GET", u+"/mailboxSettings", nil).m
	if m["userPurpose"] != "user" || m["timeZone"] == "" {
		t.Errorf("settings: %v", m)
	}
	m = c.want(200, "PATCH", u+"/mailboxSettings", map[string]any{"userPurpose": "room", "automaticRepliesSetting": map[string]any{"status": "alwaysEnabled", "internalReplyMessage": "away"}}).m
	r := m["automaticRepliesSetting"].(map[string]any)
	if r["status"] != "alwaysEnabled" || r["internalReplyMessage"] != "away" || r["externalAudience"] != "all" || m["userPurpose"] != "user" {
		t.Errorf("after the change: %v", m)
	}
	for name, tc := range map[string]struct {
		method, path string
		body         map[string]any
		status       int
	}{
		"a zone that nobody knows":        {"PATCH", "/mailboxSettings", map[string]any{"timeZone": "Atlantis"}, 400},
		"a property that is none":         {"PATCH", "/mailboxSettings", map[string]any{"colour": "red"}, 400},
		"a rule without an action":        {"POST", "/mailFolders/inbox/messageRules", map[string]any{"displayName": "x", "sequence": 1}, 400},
		"a rule into a folder of nowhere": {"POST", "/mailFolders/inbox/messageRules", map[string]any{"displayName": "x", "actions": map[string]any{"moveToFolder": "AAAA"}}, 400},
		"a second category of its name":   {"POST", "/outlook/masterCategories", map[string]any{"displayName": "once", "color": "preset3"}, 409},
	} {
		if name == "a second category of its name" {
			c.want(201, "POST", u+tc.path, tc.body)
		}
		if a := c.call(tc.method, u+tc.path, tc.body); a.status != tc.status {
			t.Errorf("%s: %d %.200s", name, a.status, a.raw)
		}
	}
	rules := c.want(200, "GET", u+"/mailFolders/inbox/messageRules", nil).rows()
	if len(rules) != 3 {
		t.Fatalf("%d rules", len(rules))
	}
	at := u + "/mailFolders/inbox/messageRules/" + rules[0]["id"].(string)
	if got := c.want(200, "PATCH", at, map[string]any{"isEnabled": false}).m; got["isEnabled"] != false || got["displayName"] != rules[0]["displayName"] {
		t.Errorf("a rule after its change: %v", got)
	}
	c.want(204, "DELETE", at, nil)
	if n := len(c.want(200, "GET", u+"/mailFolders/inbox/messageRules", nil).rows()); n != 2 {
		t.Errorf("%d rules after one was deleted", n)
	}
	cal := ""
	for _, k := range c.want(200, "GET", u+"/calendars", nil).rows() {
		if k["isDefaultCalendar"] == true {
			cal = u + "/calendars/" + k["id"].(string) + "/calendarPermissions"
		}
	}
	shares := c.want(200, "GET", cal, nil).rows()
	if len(shares) != 2 || shares[0]["isRemovable"] != false {
		t.Fatalf("permissions: %v", shares)
	}
	c.want(200, "PATCH", cal+"/"+shares[1]["id"].(string), map[string]any{"role": "read"})
	if n := len(c.s.Stats().MailsSent); n != 0 {
		t.Errorf("changing a role is recorded as %d mails", n)
	}
	c.want(201, "POST", cal, map[string]any{"role": "read", "emailAddress": map[string]any{"address": "stranger@example.org", "name": "Stranger"}})
	if sent := c.s.Stats().MailsSent; len(sent) != 1 || !strings.Contains(sent[0].How, "calendar") {
		t.Errorf("sharing a calendar is recorded as %v", sent)
	}
}
