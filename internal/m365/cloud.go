package m365

import (
	"fmt"
	"net"
	"path"
	"slices"
	"strings"
)

// Cloud is one of Microsoft's separate clouds: which hosts serve it. It is data; any host may be replaced.
type Cloud struct {
	// Name is the region's name in the REST contract.
	Name string
	// Login signs applications in.
	Login string
	// Graph serves Microsoft Graph.
	Graph string
	// SharePoint is the domain under which organizations have their hosts: NAME.domain, NAME-my.domain, NAME-admin.domain.
	SharePoint string
	// Exchange serves Outlook; upload sessions of attachments live on these hosts too.
	Exchange []string
	// MailDelta says that messages and mail folders can be read by delta here.
	MailDelta bool
}

var clouds = []Cloud{
	{Name: "Worldwide", Login: "login.microsoftonline.com", Graph: "graph.microsoft.com", SharePoint: "sharepoint.com",
		Exchange: []string{"outlook.office365.com", "outlook.office.com"}, MailDelta: true},
	{Name: "USGovernment", Login: "login.microsoftonline.us", Graph: "graph.microsoft.us", SharePoint: "sharepoint.us",
		Exchange: []string{"outlook.office365.us"}, MailDelta: true}, // L4, GCC High
	{Name: "USDefence", Login: "login.microsoftonline.us", Graph: "dod-graph.microsoft.us", SharePoint: "sharepoint-mil.us",
		Exchange: []string{"webmail.apps.mil", "outlook-dod.office365.us"}, MailDelta: true}, // L5, DoD
	{Name: "China", Login: "login.partner.microsoftonline.cn", Graph: "microsoftgraph.chinacloudapi.cn", SharePoint: "sharepoint.cn",
		Exchange: []string{"partner.outlook.cn"}},
}

// aliases are other usual names of clouds.
var aliases = map[string]string{
	"usgovl4": "USGovernment", "usgovgcchigh": "USGovernment", "usgovl5": "USDefence", "usgovdod": "USDefence",
}

// Clouds lists the known clouds.
func Clouds() []Cloud { return slices.Clone(clouds) }

// CloudNamed finds a cloud by the region's name in the contract, case-insensitively. An empty name is Worldwide.
func CloudNamed(name string) (Cloud, error) {
	if name == "" {
		return clouds[0], nil
	}
	if other := aliases[strings.ToLower(name)]; other != "" {
		name = other
	}
	for _, c := range clouds {
		if strings.EqualFold(c.Name, name) {
			return c, nil
		}
	}
	if strings.EqualFold(name, "Germany") {
		return Cloud{}, fmt.Errorf("the German cloud was closed by Microsoft in 2021; choose Worldwide")
	}
	return Cloud{}, fmt.Errorf("unknown region %q; known are Worldwide, USGovernment, USDefence and China", name)
}

// With replaces hosts of the cloud; empty fields of o keep what is there.
func (c Cloud) With(o Cloud) Cloud {
	replace := func(to *string, from string) {
		if from != "" {
			*to = from
		}
	}
	replace(&c.Login, o.Login)
	replace(&c.Graph, o.Graph)
	replace(&c.SharePoint, o.SharePoint)
	if len(o.Exchange) > 0 {
		c.Exchange = o.Exchange
	}
	return c
}

// Connection is one row of the table of hosts that may be called. Host is a name, or "*.domain" for any name under it.
type Connection struct {
	Cloud   string
	Host    string
	Port    int
	Purpose string
	// Dial is where the connection really goes when the dial is redirected, else empty.
	Dial string
}

// Connections is the table for a configuration. The dialler refuses every other host, and "holdfast ports" prints it.
func Connections(c Config) []Connection {
	var out []Connection
	add := func(host, purpose string) {
		out = append(out, Connection{Cloud: c.Cloud.Name, Host: strings.ToLower(host), Port: 443, Purpose: purpose, Dial: c.Network.Dial})
	}
	add(c.Cloud.Login, "sign in the application")
	add(c.Cloud.Graph, "read and write by Microsoft Graph")
	add("*."+c.Cloud.SharePoint, "content of OneDrive and SharePoint files")
	for i, h := range c.Cloud.Exchange {
		purpose := "upload large attachments"
		if i == 0 {
			purpose = "Exchange Online"
		}
		add(h, purpose)
	}
	return out
}

// allows tells whether the table has a row for host and port.
func allows(table []Connection, host, port string) bool {
	return slices.ContainsFunc(table, func(c Connection) bool {
		return fmt.Sprint(c.Port) == port && hostMatches(c.Host, host)
	})
}

func hostMatches(pattern, host string) bool {
	host = strings.ToLower(host)
	if domain, ok := strings.CutPrefix(pattern, "*."); ok {
		name, ok := strings.CutSuffix(host, "."+domain)
		return ok && name != "" && !strings.Contains(name, ".") && net.ParseIP(host) == nil && path.Clean(name) == name
	}
	return pattern == host
}
