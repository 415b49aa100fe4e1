package sim_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"holdfast/internal/sim"
	"holdfast/internal/sim/judge"
)

// Each cloud serves its own hosts, and none of another's.
func TestEachCloudServesItsOwnHosts(t *testing.T) {
	for name, want := range map[string][]string{
		"worldwide":    {"graph.microsoft.com", "holdfastsim-my.sharepoint.com", "holdfastsim.sharepoint.com", "localhost", "login.microsoftonline.com", "outlook.office.com", "outlook.office365.com"},
		"usgovernment": {"graph.microsoft.us", "holdfastsim-my.sharepoint.us", "holdfastsim.sharepoint.us", "localhost", "login.microsoftonline.us", "outlook.office365.us"},
		"usdefence": {"dod-graph.microsoft.us", "holdfastsim-my.sharepoint-mil.us", "holdfastsim.sharepoint-mil.us", "localhost", "login.microsoftonline.us", "outlook-dod.office365.us",
			"webmail.apps.mil"},
		"china": {"holdfastsim-my.sharepoint.cn", "holdfastsim.sharepoint.cn", "localhost", "login.chinacloudapi.cn", "login.partner.microsoftonline.cn", "microsoftgraph.chinacloudapi.cn",
			"partner.outlook.cn"},
	} {
		t.Run(name, func(t *testing.T) {
			c := start(t, sim.Options{Cloud: name, Users: 2})
			if got := slices.Sorted(slices.Values(c.s.HTTPHosts())); !slices.Equal(got, want) {
				t.Errorf("hosts %q, want %q", got, want)
			}
			c.login()
			u := c.want(200, "GET", "/users?$top=1", nil)
			if next := u.m["@odata.nextLink"].(string); !strings.HasPrefix(next, "https://"+c.s.Tenant().GraphHost+"/") {
				t.Errorf("the next page is at %s", next)
			}
			// Whoever offers a token to another cloud's host is counted; who only asks for the name is not.
			other := "https://graph.microsoft.com/v1.0/users"
			if name == "worldwide" {
				other = "https://microsoftgraph.chinacloudapi.cn/v1.0/users"
			}
			c.want(421, "GET", other, nil, "Authorization", "")
			if n := c.s.Stats().TokenCanary; n != 0 {
				t.Errorf("%d tokens were counted, none was offered", n)
			}
			c.want(421, "GET", other, nil)
			c.want(421, "POST", strings.Replace(other, "/v1.0/users", "/x", 1), "grant_type=client_credentials&client_secret=x", "Authorization", "")
			if n := c.s.Stats().TokenCanary; n != 2 {
				t.Errorf("%d tokens were counted of 2", n)
			}
		})
	}
	if _, err := sim.New(sim.Options{Dir: t.TempDir(), Cloud: "moon"}); err == nil {
		t.Error("a cloud that there is not was taken")
	}
}

// What a national cloud's metadata does not have is refused there, and nothing else of it is in any answer.
func TestNationalCloudsAnswerWhatTheirMetadataHas(t *testing.T) {
	dir := os.Getenv("HOLDFAST_GRAPH_METADATA")
	if dir == "" {
		dir = "../../../shared/data/graph"
	}
	for cloud, file := range map[string]string{"china": "v1.0-Mooncake.csdl", "usgovernment": "v1.0-Fairfax.csdl"} {
		t.Run(cloud, func(t *testing.T) {
			var mu sync.Mutex
			var seen []sim.Exchange
			c := start(t, sim.Options{Cloud: cloud, Users: 2, OnResponse: func(x sim.Exchange) {
				mu.Lock()
				defer mu.Unlock()
				seen = append(seen, x)
			}}).login()
			user := c.s.Tenant().Users[0]
			u, d := "/users/"+user.ID, "/drives/"+user.Drive
			for _, path := range []string{"/organization", "/users?$top=5", "/users/delta", "/groups", u, u + "/mailFolders?includeHiddenFolders=true", u + "/messages?$top=3",
				u + "/messages?$top=3&$expand=attachments,singleValueExtendedProperties($filter=id eq 'Integer 0x1090' or id eq 'Binary 0x0071')", d, d + "/root/delta"} {
				c.want(200, "GET", path, nil)
			}
			refused := map[string][]string{
				"china": {u + "/mailFolders/inbox/messages/delta", u + "/mailFolders/delta", u + "/messages?$select=flag", u + "/messages?$select=conversationIndex",
					u + "/mailFolders/inbox?$expand=singleValueExtendedProperties($filter=id eq 'String 0x3613')"},
				"usgovernment": {u + "/messages?$select=conversationIndex", u + "/mailFolders?$select=isHidden"},
			}
			for _, path := range refused[cloud] {
				if a := c.call("GET", path, nil); a.status != 400 && a.status != 404 {
					t.Errorf("GET %s: %d %.200s", path, a.status, a.raw)
				}
			}
			if a := c.call("GET", u+"/mailFolders/inbox/messages/delta", nil); cloud == "usgovernment" && a.status != 200 {
				t.Errorf("delta of messages: %d", a.status)
			}
			body := map[string]any{"subject": "x", "flag": map[string]any{"flagStatus": "flagged"}}
			if a := c.call("POST", u+"/messages", body); (a.status == 201) != (cloud == "usgovernment") {
				t.Errorf("a message with a flag: %d %.200s", a.status, a.raw)
			}
			table, err := judge.FromFolder(dir, file)
			if errors.Is(err, fs.ErrNotExist) {
				t.Logf("not judged: %s is not at hand", filepath.Join(dir, file))
				return
			} else if err != nil {
				t.Fatal(err)
			}
			for _, x := range seen {
				if x.Kind != sim.HostGraph || x.Status >= 400 {
					continue
				}
				for _, problem := range table.Response(x.Method, x.Path, x.Status, x.Body) {
					t.Errorf("%s does not know: %.300s", file, problem)
				}
			}
		})
	}
}
