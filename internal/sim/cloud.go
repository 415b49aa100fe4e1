package sim

import (
	"fmt"
	"slices"
	"strings"
)

// Microsoft runs several clouds that know nothing of each other. The simulator is one of them at a time; the hosts of the others it serves
// only as a canary: whoever offers a token there has sent it to the wrong cloud.

// cloud is what one of them is called and lacks. Hosts: "Microsoft Graph national cloud deployments"; what is missing: the metadata of each
// cloud (v1.0-Fairfax.csdl, v1.0-Mooncake.csdl), by which a test judges.
type cloud struct {
	name       string   // as the REST contract has it
	other      []string // other usual names
	login      []string // the first is the one that its answers name
	graph      string
	sharePoint string // organizations have NAME.domain and NAME-my.domain
	outlook    []string
	domain     string // of the names that organizations begin with
	issuer     string // of tokens of version 1.0
	instance   string // cloud_instance_name
	device     string // where a person enters the code of a device
	lacks      []string
}

// What a cloud lacks: the end of a path without its ids, or a property of a type.
var clouds = []cloud{
	{name: "Worldwide", other: []string{"global"}, login: []string{"login.microsoftonline.com"}, graph: "graph.microsoft.com", sharePoint: "sharepoint.com",
		outlook: []string{"outlook.office365.com", "outlook.office.com"}, domain: "onmicrosoft.com", issuer: "sts.windows.net", instance: "microsoftonline.com",
		device: "https://microsoft.com/devicelogin"},
	{name: "USGovernment", other: []string{"l4", "usgov", "gcchigh"}, login: []string{"login.microsoftonline.us"}, graph: "graph.microsoft.us", sharePoint: "sharepoint.us",
		outlook: []string{"outlook.office365.us"}, domain: "onmicrosoft.us", issuer: "sts.windows.net", instance: "microsoftonline.us",
		device: "https://microsoft.com/deviceloginus", lacks: governmentLacks},
	{name: "USDefence", other: []string{"l5", "usdod", "dod"}, login: []string{"login.microsoftonline.us"}, graph: "dod-graph.microsoft.us", sharePoint: "sharepoint-mil.us",
		outlook: []string{"webmail.apps.mil", "outlook-dod.office365.us"}, domain: "onmicrosoft.us", issuer: "sts.windows.net", instance: "microsoftonline.us",
		device: "https://microsoft.com/deviceloginus", lacks: governmentLacks},
	{name: "China", other: []string{"21vianet"}, login: []string{"login.partner.microsoftonline.cn", "login.chinacloudapi.cn"}, graph: "microsoftgraph.chinacloudapi.cn", sharePoint: "sharepoint.cn",
		outlook: []string{"partner.outlook.cn"}, domain: "partner.onmschina.cn", issuer: "sts.chinacloudapi.cn", instance: "partner.microsoftonline.cn",
		device: "https://microsoft.com/deviceloginchina",
		lacks: []string{"/messages/delta", "/mailFolders/delta", "/contacts/delta", "/contactFolders/delta", "/todo", "/messageRules", "/masterCategories", "/admin/exchange", "/settings/exchange", "/teams", "/teamwork", "/team", "/chats", "channel.migrationMode", "channel.shared",
			"message.flag", "message.conversationIndex", "message.internetMessageHeaders", "mailFolder.singleValueExtendedProperties",
			"event.cancelledOccurrences", "event.exceptionOccurrences", "contact.primaryEmailAddress", "contact.secondaryEmailAddress", "contact.tertiaryEmailAddress"}},
}

var governmentLacks = []string{"channel.migrationMode", "channel.shared", "chat.migrationMode", "/startMigration", "/completeMigration", "/getAllMessages/delta", "/admin/exchange", "/settings/exchange", "/translateExchangeIds", "message.conversationIndex", "mailFolder.isHidden",
	"event.cancelledOccurrences", "event.exceptionOccurrences", "contact.primaryEmailAddress", "contact.secondaryEmailAddress", "contact.tertiaryEmailAddress"}

func cloudNamed(name string) (cloud, error) {
	for _, c := range clouds {
		if name == "" || strings.EqualFold(name, c.name) || slices.Contains(c.other, strings.ToLower(name)) {
			return c, nil
		}
	}
	return cloud{}, fmt.Errorf("simulator: cloud %q: want worldwide, usgovernment (l4), usdefence (l5) or china", name)
}

// hosts gives the cloud's hosts for an organization of that name.
func (c cloud) hosts(organization string) map[string]HostKind {
	out := map[string]HostKind{c.graph: HostGraph, organization + "." + c.sharePoint: HostSharePoint, organization + "-my." + c.sharePoint: HostSharePoint}
	for _, h := range c.login {
		out[h] = HostLogin
	}
	for _, h := range c.outlook {
		out[h] = HostOutlook
	}
	return out
}

// foreign gives the hosts of all other clouds, and one that is nobody's.
func (c cloud) foreign(organization string) map[string]bool {
	out := map[string]bool{ForeignHost: true}
	own := c.hosts(organization)
	for _, o := range clouds {
		for h := range o.hosts(organization) {
			if own[h] == 0 {
				out[h] = true
			}
		}
	}
	return out
}

// has tells whether a property of a type exists in this cloud.
func (c cloud) has(property string) bool { return !slices.Contains(c.lacks, property) }

// serves tells whether a path exists in this cloud: one that it lacks ends in, or goes on from, one of those listed.
func (c cloud) serves(pattern string) bool {
	return !slices.ContainsFunc(c.lacks, func(l string) bool {
		return strings.HasPrefix(l, "/") && (strings.HasSuffix(pattern, l) || strings.Contains(pattern, l+"/"))
	})
}
