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
	// Issuer is the host that tokens of version 1.0 name as their issuer; those of version 2.0 name Login.
	Issuer string
	// Lacks are the parts of Microsoft Graph that are missing here.
	Lacks []string
}

// What a cloud may lack. The metadata of each (v1.0-Prod.csdl, v1.0-Fairfax.csdl, v1.0-Mooncake.csdl) says so.
const (
	MessageDelta      = "message/delta" // and mailFolder/delta
	MailboxExport     = "mailbox/exportItems"
	MessageFlag       = "message.flag"
	ConversationIndex = "message.conversationIndex"
	FolderHidden      = "mailFolder.isHidden"
	ContactDelta      = "contact/delta"              // and contactFolder/delta
	SeriesExceptions  = "event.exceptionOccurrences" // and cancelledOccurrences
	ToDo              = "todo"
	Teams             = "teams"
	ChatDelta         = "chats/getAllMessages/delta"
	TeamsMigration    = "channel/startMigration" // and the import of messages
	InboxRules        = "messageRule"            // and outlookCategory
)

// Has tells whether a part of Microsoft Graph is there.
func (c Cloud) Has(part string) bool { return !slices.Contains(c.Lacks, part) }

var clouds = []Cloud{
	{Name: "Worldwide", Login: "login.microsoftonline.com", Graph: "graph.microsoft.com", SharePoint: "sharepoint.com",
		Exchange: []string{"outlook.office365.com", "outlook.office.com"}, Issuer: "sts.windows.net"},
	{Name: "USGovernment", Login: "login.microsoftonline.us", Graph: "graph.microsoft.us", SharePoint: "sharepoint.us",
		Exchange: []string{"outlook.office365.us"}, Issuer: "sts.windows.net",
		Lacks: []string{MailboxExport, ConversationIndex, FolderHidden, SeriesExceptions, TeamsMigration, ChatDelta}}, // L4, GCC High
	{Name: "USDefence", Login: "login.microsoftonline.us", Graph: "dod-graph.microsoft.us", SharePoint: "sharepoint-mil.us",
		Exchange: []string{"webmail.apps.mil", "outlook-dod.office365.us"}, Issuer: "sts.windows.net",
		Lacks: []string{MailboxExport, ConversationIndex, FolderHidden, SeriesExceptions, TeamsMigration, ChatDelta}}, // L5, DoD
	// 21Vianet. login.chinacloudapi.cn is another name of the login host, which some of Microsoft's pages give.
	{Name: "China", Login: "login.partner.microsoftonline.cn", Graph: "microsoftgraph.chinacloudapi.cn", SharePoint: "sharepoint.cn",
		Exchange: []string{"partner.outlook.cn"}, Issuer: "sts.chinacloudapi.cn", Lacks: []string{MessageDelta, MailboxExport, MessageFlag, ConversationIndex, ContactDelta, SeriesExceptions, ToDo, InboxRules, Teams, TeamsMigration, ChatDelta}},
}

// aliases are other usual names of clouds.
var aliases = map[string]string{
	"usgovl4": "USGovernment", "usgovgcchigh": "USGovernment", "l4": "USGovernment", "usgovl5": "USDefence", "usgovdod": "USDefence", "l5": "USDefence", "21vianet": "China",
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

// Presets are the known clouds with what an administrator set otherwise. The zero value is as Microsoft documents them.
type Presets struct{ changed map[string]Cloud }

// Named is CloudNamed with the hosts as they are set.
func (p Presets) Named(name string) (Cloud, error) {
	c, err := CloudNamed(name)
	if set, ok := p.changed[c.Name]; ok && err == nil {
		c = set
	}
	return c, err
}

// All lists the known clouds with the hosts as they are set.
func (p Presets) All() []Cloud {
	all := Clouds()
	for i, c := range all {
		if set, ok := p.changed[c.Name]; ok {
			all[i] = set
		}
	}
	return all
}

// ParseHosts reads settings such as "China.login=login.chinacloudapi.cn": a region, what its host is for (login, graph, sharepoint, exchange), and
// the host; for exchange there may be several with commas between them. Spaces part settings. A host that is another cloud's is refused: tokens do not cross clouds.
func ParseHosts(settings []string) (Presets, error) {
	p := Presets{changed: map[string]Cloud{}}
	for _, s := range strings.Fields(strings.Join(settings, " ")) {
		at, value, ok := strings.Cut(s, "=")
		region, kind, named := strings.Cut(at, ".")
		if !ok || !named {
			return p, fmt.Errorf("%q: write REGION.KIND=HOST, for instance China.login=login.chinacloudapi.cn", s)
		}
		c, err := p.Named(region)
		if err != nil {
			return p, err
		}
		hosts := strings.Split(strings.ToLower(value), ",")
		for _, h := range hosts {
			if !isHostName(h) {
				return p, fmt.Errorf("%q: %q is no name of a host", s, h)
			}
			if owner := ownerOf(h); owner != "" && !sharesHost(owner, c.Name, h) {
				return p, fmt.Errorf("%q: %s belongs to the cloud %s, and tokens do not cross clouds", s, h, owner)
			}
		}
		if len(hosts) > 1 && !strings.EqualFold(kind, "exchange") {
			return p, fmt.Errorf("%q: only exchange has several hosts", s)
		}
		switch strings.ToLower(kind) {
		case "login":
			c.Login = hosts[0]
		case "graph":
			c.Graph = hosts[0]
		case "sharepoint":
			// All names below it may be called.
			if owner := ownerBelow(hosts[0], c.Name); owner != "" {
				return p, fmt.Errorf("%q: %s has hosts of the cloud %s below it, and tokens do not cross clouds", s, hosts[0], owner)
			}
			c.SharePoint = hosts[0]
		case "exchange":
			c.Exchange = hosts
		default:
			return p, fmt.Errorf("%q: a host is for login, graph, sharepoint or exchange", s)
		}
		p.changed[c.Name] = c
	}
	return p, nil
}

func isHostName(h string) bool {
	return strings.Contains(h, ".") && net.ParseIP(h) == nil && !strings.ContainsFunc(h, func(r rune) bool {
		return r != '.' && r != '-' && (r < 'a' || r > 'z') && (r < '0' || r > '9')
	}) && !slices.ContainsFunc(strings.Split(h, "."), func(label string) bool { return label == "" || label[0] == '-' })
}

// has tells whether a host is one of the cloud's, or below its domain of SharePoint.
func (c Cloud) has(host string) bool {
	return host == c.Login || host == c.Graph || host == c.SharePoint || strings.HasSuffix(host, "."+c.SharePoint) || slices.Contains(c.Exchange, host)
}

// ownerOf is the first cloud that documents a host as its own, or "".
func ownerOf(host string) string {
	for _, c := range clouds {
		if c.has(host) {
			return c.Name
		}
	}
	return ""
}

// ownerBelow is the first cloud that has a host below a domain and is another than the one named, or "".
func ownerBelow(domain, name string) string {
	for _, c := range clouds {
		for _, h := range append([]string{c.Login, c.Graph, c.SharePoint}, c.Exchange...) {
			if strings.HasSuffix(h, "."+domain) && !sharesHost(c.Name, name, h) {
				return c.Name
			}
		}
	}
	return ""
}

// sharesHost tells whether two clouds have a host in common, as both of US Government have the login host.
func sharesHost(owner, name, host string) bool {
	return owner == name || slices.ContainsFunc(clouds, func(c Cloud) bool { return c.Name == name && c.has(host) })
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
