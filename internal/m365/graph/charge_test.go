package graph

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"holdfast/internal/m365/throttle"
)

// A list costs SharePoint two units, one object one, whatever holds them: what is counted too low here is refused there.
func TestWhatCallsOnSitesCost(t *testing.T) {
	for path, want := range map[string]int64{
		"sites/getAllSites": 2, "sites/S": 1, "sites/S/sites": 2, "sites/S/drives": 2, "sites/S/drive": 1, "sites/S/lists": 2, "sites/S/lists/L": 1,
		"sites/S/lists/L/columns": 2, "sites/S/lists/L/contentTypes": 2, "sites/S/lists/L/items": 2, "sites/S/lists/L/items/7": 1, "sites/S/lists/L/items/7/versions": 2,
		"sites/S/lists/L/items/delta": 2, "sites/S/lists/L/items/delta?token=t": 1, "sites/S/pages/microsoft.graph.sitePage": 2, "sites/S/pages/P/microsoft.graph.sitePage": 1,
		"drives/D/items/I/permissions": 5, "drives/D/root/delta": 2, "drives/D/root/delta(token='t')": 1, "drives/D/items/I": 1,
	} {
		u, err := url.Parse("https://graph.microsoft.com/v1.0/" + path)
		if err != nil {
			t.Fatal(err)
		}
		got := int64(-1)
		for _, c := range charges(http.MethodGet, u, 0) {
			if c.Service == throttle.SharePoint {
				got = int64(c.Units)
			}
		}
		if got != want {
			t.Errorf("%s costs %d units, not %d", path, got, want)
		}
	}
}

// Messages of chats have limits of their own, and each chat one request per second: what is counted elsewhere is refused there.
func TestWhatCallsOnChatsCount(t *testing.T) {
	for call, want := range map[string][]string{
		"GET users/U/chats":                              {"other"},
		"GET users/U/chats/getAllMessages":               {"export"},
		"GET users/U/chats/getAllMessages/delta":         {"export"},
		"GET chats/C":                                    {"other", "chat/c"},
		"GET chats/C/members":                            {"other", "chat/c"},
		"GET chats/C/messages":                           {"messages", "chat/c"},
		"GET chats/C/messages/1/hostedContents/x/$value": {"messages", "chat/c"},
		"POST chats":                                     {"write"},
		"POST chats/C/messages":                          {"chatPost", "chat/c"},
		"POST chats/C/startMigration":                    {"write", "chat/c"},
		"POST teamwork/deletedChats/C/undoDelete":        {"write"},
		"GET teams/T/channels/C/members":                 {"lists", "team/t"},
		"POST teams/T/channels/C/messages":               {"post", "team/t", "post/c"},
	} {
		method, path, _ := strings.Cut(call, " ")
		u, err := url.Parse("https://graph.microsoft.com/v1.0/" + path)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, c := range charges(method, u, 0) {
			if c.Service == throttle.Teams {
				got = append(got, c.Mailbox)
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s counts as %q, not %q", call, got, want)
		}
	}
}
