package m365_test

import (
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	"holdfast/internal/m365"
	"holdfast/internal/m365/graph"
	"holdfast/internal/sim"
)

// The hosts of each cloud, as Microsoft documents them.
func TestHostsOfEachCloud(t *testing.T) {
	for region, want := range map[string][]string{
		"Worldwide":    {"*.sharepoint.com", "graph.microsoft.com", "login.microsoftonline.com", "outlook.office.com", "outlook.office365.com"},
		"USGovernment": {"*.sharepoint.us", "graph.microsoft.us", "login.microsoftonline.us", "outlook.office365.us"},
		"USDefence":    {"*.sharepoint-mil.us", "dod-graph.microsoft.us", "login.microsoftonline.us", "outlook-dod.office365.us", "webmail.apps.mil"},
		"China":        {"*.sharepoint.cn", "login.partner.microsoftonline.cn", "microsoftgraph.chinacloudapi.cn", "partner.outlook.cn"},
	} {
		cloud, err := m365.CloudNamed(strings.ToLower(region))
		if err != nil || cloud.Name != region {
			t.Errorf("%s: %v, %v", region, cloud.Name, err)
		}
		var got []string
		for _, c := range m365.Connections(m365.Config{Cloud: cloud}) {
			got = append(got, c.Host)
		}
		if slices.Sort(got); !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", region, got, want)
		}
	}
}

func TestHostsAreSettings(t *testing.T) {
	p, err := m365.ParseHosts([]string{"China.login=login.chinacloudapi.cn", "l5.exchange=a.example.mil,b.example.mil worldwide.graph=Graph.Example.com"})
	if err != nil {
		t.Fatal(err)
	}
	china, _ := p.Named("China")
	l5, _ := p.Named("USDefence")
	worldwide, _ := p.Named("")
	if china.Login != "login.chinacloudapi.cn" || china.Graph != "microsoftgraph.chinacloudapi.cn" || !slices.Equal(l5.Exchange, []string{"a.example.mil", "b.example.mil"}) || worldwide.Graph != "graph.example.com" {
		t.Errorf("got %+v, %+v, %+v", china, l5, worldwide)
	}
	if other, _ := (m365.Presets{}).Named("China"); other.Login != "login.partner.microsoftonline.cn" || len(p.All()) != len(m365.Clouds()) {
		t.Errorf("without a setting: %+v", other)
	}
	for setting, want := range map[string]string{
		"China.graph=graph.microsoft.com":            "belongs to the cloud Worldwide",
		"USDefence.sharepoint=contoso.sharepoint.cn": "belongs to the cloud China",
		"China.sharepoint=microsoftonline.com":       "has hosts of the cloud",
		"China.mail=x.example.com":                   "login, graph, sharepoint or exchange",
		"China.graph=a.example.com,b.example.com":    "only exchange",
		"Moon.graph=a.example.com":                   "unknown region",
		"China.graph=https://a.example.com":          "no name of a host",
		"China.graph=10.0.0.1":                       "no name of a host",
		"China.graph":                                "write REGION.KIND=HOST",
	} {
		if _, err := m365.ParseHosts([]string{setting}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", setting, err, want)
		}
	}
	if _, err := m365.ParseHosts([]string{"USDefence.login=login.microsoftonline.us"}); err != nil {
		t.Errorf("a host that both have: %v", err)
	}
}

// A link or redirect into another cloud gets no token, and no request at all.
func TestNoTokenCrossesClouds(t *testing.T) {
	for _, name := range []string{"worldwide", "usgovernment", "usdefence", "china"} {
		t.Run(name, func(t *testing.T) {
			s, config := simulated(t, sim.Options{Cloud: name, Users: 8, FilesPer: 5})
			c := open(t, config)
			user := s.Tenant().Users[0]
			foreign := map[string]string{"graph": "graph.microsoft.com", "files": "holdfastsim-my.sharepoint.com"}
			if name == "worldwide" {
				foreign = map[string]string{"graph": "microsoftgraph.chinacloudapi.cn", "files": "holdfastsim-my.sharepoint.cn"}
			}
			if err := s.SetFaults(sim.Fault{Name: sim.FaultForeignLink, Host: foreign["graph"]}, sim.Fault{Name: sim.FaultForeignRedirect, Host: foreign["files"]}); err != nil {
				t.Fatal(err)
			}
			refused := func(what string, err error) {
				t.Helper()
				if m365.KindOf(err) != m365.Invalid || !strings.Contains(err.Error(), "not among the connections") {
					t.Errorf("%s into another cloud: %v", what, err)
				}
			}
			l := graph.List{Top: 2}
			page, err := c.Messages(t.Context(), user.ID, "", l)
			if err != nil || page.NextLink == "" {
				t.Fatal(page, err)
			}
			_, err = graph.Follow[graph.Message](t.Context(), c, page.NextLink, l)
			refused("a next link of mail", err)
			delta, err := c.DriveDelta(t.Context(), user.Drive, l)
			if err != nil || !strings.Contains(delta.NextLink, foreign["graph"]) {
				t.Fatal(delta, err)
			}
			_, err = graph.Follow[graph.DriveItem](t.Context(), c, delta.NextLink, l)
			refused("a next link of files", err)
			file := ""
			for i := 0; file == ""; i++ {
				if delta.Value[i].File != nil {
					file = delta.Value[i].ID
				}
			}
			resp, err := c.M365().Open(t.Context(), m365.Call{Method: http.MethodGet, URL: "/v1.0/drives/" + user.Drive + "/items/" + file + "/content", Follow: true})
			if err == nil {
				_ = resp.Close()
			}
			refused("a redirect", err)
			st := s.Stats()
			if st.TokenCanary != 0 || len(st.RefusedHosts) != 0 {
				t.Errorf("%d tokens at other hosts; others were asked: %v", st.TokenCanary, st.RefusedHosts)
			}
			if st.FaultsFired[sim.FaultForeignLink] < 2 || st.FaultsFired[sim.FaultForeignRedirect] == 0 {
				t.Errorf("the faults struck %v", st.FaultsFired)
			}
			for h := range maps.Keys(st.Hosts) {
				if !slices.Contains(s.HTTPHosts(), h) {
					t.Errorf("host %s", h)
				}
			}
		})
	}
}
