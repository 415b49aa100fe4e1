package judge

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Notice is the licence of the data in every table; it stays with each copy.
const Notice = "Derived from Microsoft Graph metadata (microsoftgraph/msgraph-metadata f54f11b6, microsoftgraph/microsoft-graph-devx-content 6cbd6bb). " +
	"Copyright (c) Microsoft Corporation. MIT License. " +
	"Permission is hereby granted, free of charge, to any person obtaining a copy of this software and associated documentation files (the \"Software\"), to deal in the Software without restriction, including without limitation the rights to use, copy, modify, merge, publish, distribute, sublicense, and/or sell copies of the Software, and to permit persons to whom the Software is furnished to do so, subject to the following conditions: " +
	"The above copyright notice and this permission notice shall be included in all copies or substantial portions of the Software. " +
	"THE SOFTWARE IS PROVIDED \"AS IS\", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING BUT NOT LIMITED TO THE WARRANTIES OF MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE AUTHORS OR COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR OTHERWISE, ARISING FROM, OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE SOFTWARE."

type csdlProperty struct {
	Name     string `xml:"Name,attr"`
	Type     string `xml:"Type,attr"`
	Nullable string `xml:"Nullable,attr"`
}

type csdlType struct {
	Name  string         `xml:"Name,attr"`
	Base  string         `xml:"BaseType,attr"`
	Props []csdlProperty `xml:"Property"`
	Nav   []csdlProperty `xml:"NavigationProperty"`
}

type csdlOperation struct {
	Name    string         `xml:"Name,attr"`
	Bound   bool           `xml:"IsBound,attr"`
	Params  []csdlProperty `xml:"Parameter"`
	Returns *csdlProperty  `xml:"ReturnType"`
}

type csdlSchema struct {
	Namespace string     `xml:"Namespace,attr"`
	Alias     string     `xml:"Alias,attr"`
	Entities  []csdlType `xml:"EntityType"`
	Complexes []csdlType `xml:"ComplexType"`
	Enums     []struct {
		Name    string         `xml:"Name,attr"`
		Flags   bool           `xml:"IsFlags,attr"`
		Members []csdlProperty `xml:"Member"`
	} `xml:"EnumType"`
	Actions    []csdlOperation `xml:"Action"`
	Functions  []csdlOperation `xml:"Function"`
	Containers []struct {
		Sets []struct {
			Name string `xml:"Name,attr"`
			Type string `xml:"EntityType,attr"`
		} `xml:"EntitySet"`
		Singletons []csdlProperty `xml:"Singleton"`
	} `xml:"EntityContainer"`
}

// FromFiles reads Microsoft's full files: the CSDL of one cloud and the permission table.
func FromFiles(csdl, permissions io.Reader) (*Table, error) {
	var doc struct {
		Schemas []csdlSchema `xml:"DataServices>Schema"`
	}
	if err := xml.NewDecoder(csdl).Decode(&doc); err != nil {
		return nil, fmt.Errorf("read the CSDL: %w", err)
	}
	t := &Table{
		Notice: Notice, Source: "full",
		Sets: map[string]string{}, Types: map[string]*Type{}, Enums: map[string]*Enum{},
		Operations: map[string][]*Bound{}, Permissions: map[string][]string{},
	}
	aliases := map[string]string{}
	for _, s := range doc.Schemas {
		if s.Alias != "" && s.Alias != "self" {
			aliases[s.Alias] = s.Namespace
		}
	}
	for _, s := range doc.Schemas {
		name := func(typ string) string {
			inner, collection := strings.CutPrefix(typ, "Collection(")
			inner = strings.TrimSuffix(inner, ")")
			if i := strings.LastIndexByte(inner, '.'); i > 0 {
				ns := inner[:i]
				if ns == s.Alias || ns == "self" {
					ns = s.Namespace
				} else if full, ok := aliases[ns]; ok {
					ns = full
				}
				inner = ns + inner[i:]
			}
			inner = strings.TrimPrefix(inner, "microsoft.graph.")
			if collection {
				return "[" + inner + "]"
			}
			return inner
		}
		own := func(n string) string { return strings.TrimPrefix(s.Namespace+"."+n, "microsoft.graph.") }
		for _, list := range [][]csdlType{s.Entities, s.Complexes} {
			for _, c := range list {
				x := &Type{Base: name(c.Base), Props: map[string]string{}, Nav: map[string]string{}}
				for _, p := range c.Props {
					x.Props[p.Name] = name(p.Type)
					if p.Nullable == "false" && !strings.HasPrefix(p.Type, "Collection(") {
						x.Required = append(x.Required, p.Name)
					}
				}
				slices.Sort(x.Required)
				for _, p := range c.Nav {
					x.Nav[p.Name] = name(p.Type)
				}
				t.Types[own(c.Name)] = x
			}
		}
		for _, e := range s.Enums {
			x := &Enum{Flags: e.Flags}
			for _, m := range e.Members {
				x.Members = append(x.Members, m.Name)
			}
			t.Enums[own(e.Name)] = x
		}
		for i, list := range [][]csdlOperation{s.Actions, s.Functions} {
			for _, o := range list {
				if !o.Bound || len(o.Params) == 0 {
					continue
				}
				b := &Bound{On: name(o.Params[0].Type), Action: i == 0}
				if o.Returns != nil {
					b.Returns = name(o.Returns.Type)
				}
				t.Operations[o.Name] = append(t.Operations[o.Name], b)
			}
		}
		for _, c := range s.Containers {
			for _, set := range c.Sets {
				t.Sets[set.Name] = "[" + name(set.Type) + "]"
			}
			for _, one := range c.Singletons {
				t.Sets[one.Name] = name(one.Type)
			}
		}
	}
	return t, t.readPermissions(permissions)
}

func (t *Table) readPermissions(r io.Reader) error {
	var doc struct {
		Permissions map[string]struct {
			PathSets []struct {
				SchemeKeys []string          `json:"schemeKeys"`
				Methods    []string          `json:"methods"`
				Paths      map[string]string `json:"paths"`
			} `json:"pathSets"`
		} `json:"permissions"`
	}
	if err := json.NewDecoder(r).Decode(&doc); err != nil {
		return fmt.Errorf("read the permission table: %w", err)
	}
	for role, p := range doc.Permissions {
		for _, set := range p.PathSets {
			if !slices.Contains(set.SchemeKeys, "Application") {
				continue
			}
			for path := range set.Paths {
				for _, m := range set.Methods {
					key := m + " " + normalise(path)
					t.Permissions[key] = append(t.Permissions[key], role)
				}
			}
		}
	}
	for _, roles := range t.Permissions {
		slices.Sort(roles)
	}
	for key, roles := range t.Permissions {
		t.Permissions[key] = slices.Compact(roles)
	}
	return nil
}

// kept are the types whose navigation and operations the simulator serves; their structural properties follow.
var kept = []string{
	"assignedLicense", "attachment", "attachmentItem", "baseItem", "baseItemVersion", "contact", "directoryObject", "domain", "drive", "driveItem",
	"driveItemUploadableProperties", "driveItemVersion", "driveRecipient", "entity", "event", "eventMessage", "eventMessageRequest",
	"eventMessageResponse", "extension", "fileAttachment", "group", "itemAttachment", "mailFolder", "mailSearchFolder", "message",
	"multiValueLegacyExtendedProperty", "openTypeExtension", "organization", "outlookItem", "permission", "referenceAttachment",
	"servicePrincipal", "sharePointIdentitySet", "sharedDriveItem", "singleValueLegacyExtendedProperty", "site", "subscribedSku",
	"uploadSession", "user", "appRoleAssignment", "application", "oAuth2PermissionGrant", "mailboxSettings", "exchangeSettings", "admin", "exchangeAdmin", "mailbox", "mailboxFolder", "mailboxItem", "mailboxItemImportSession", "exportItemResponse", "userSettings",
	"list", "listItem", "columnDefinition", "contentType", "fieldValueSet", "listItemVersion", "baseSitePage", "sitePage", "canvasLayout",
	"horizontalSection", "horizontalSectionColumn", "verticalSection", "webPart", "textWebPart", "standardWebPart",
	"contactFolder", "calendar", "calendarGroup", "profilePhoto", "todo", "todoTaskList", "todoTask", "checklistItem", "linkedResource", "attachmentBase", "taskFileAttachment",
	"team", "channel", "chatMessage", "chatMessageHostedContent", "teamsTab", "teamsApp", "teamsAppInstallation", "teamsAppDefinition", "conversationMember",
	"aadUserConversationMember", "teamsAsyncOperation", "teamwork", "deletedTeam", "directory", "membersAddedEventMessageDetail", "tabUpdatedEventMessageDetail", "teamsAppInstalledEventMessageDetail", "channelAddedEventMessageDetail", "channelDeletedEventMessageDetail", "teamworkUserIdentity",
	"teamworkApplicationIdentity", "actionResultPart", "aadUserConversationMemberResult",
	"chat", "chatMessageInfo", "deletedChat", "membersDeletedEventMessageDetail", "membersLeftEventMessageDetail", "chatRenamedEventMessageDetail",
	"messageRule", "outlookUser", "outlookCategory", "calendarPermission", "conversation", "conversationThread", "post",
}

// keptPaths are the beginnings of the addresses whose permission rows stay.
var keptPaths = []string{
	"/users", "/users/{}", "/users/{}/drive", "/users/{}/drives", "/users/{}/mailfolders", "/users/{}/messages", "/users/{}/mailboxsettings",
	"/users/{}/sendmail", "/users/{}/contacts", "/users/{}/contactfolders", "/users/{}/calendars", "/users/{}/calendargroups", "/users/{}/calendarview", "/users/{}/events", "/users/{}/todo",
	"/users/{}/mailboxsettings", "/users/{}/translateexchangeids", "/users/delta", "/users/{}/settings", "/users/{}/licensedetails",
	"/groups", "/groups/{}", "/groups/{}/members", "/groups/{}/transitivemembers", "/groups/{}/sites/{}", "/groups/{}/sites/root", "/groups/delta", "/organization", "/organization/{}", "/drives", "/shares",
	"/serviceprincipals", "/serviceprincipals/{}", "/serviceprincipals/{}/approleassignments", "/serviceprincipals/{}/approleassignments/{}",
	"/applications", "/applications/{}", "/applications/{}/addkey", "/applications/{}/removekey", "/oauth2permissiongrants", "/oauth2permissiongrants/{}", "/sites/{}/drive", "/sites/{}/drives", "/subscribedskus", "/domains",
	"/admin/exchange/mailboxes", "/sites/getallsites", "/sites/delta", "/sites/root", "/sites/{}", "/sites/{}/sites", "/sites/{}/lists", "/sites/{}/pages",
	"/teams", "/teams/{}", "/teams/{}/channels", "/teams/{}/allchannels", "/teams/{}/members", "/teams/{}/installedapps", "/teams/{}/archive", "/teams/{}/unarchive",
	"/teams/{}/completemigration", "/teamwork/deletedteams/{}/channels/getallmessages", "/groups/{}/owners", "/groups/{}/photo",
	"/users/{}/outlook", "/groups/{}/threads", "/groups/{}/conversations", "/users/{}/chats", "/chats", "/teamwork/deletedchats",
}

// branches says which of keptPaths carry everything below them.
var branches = map[string]bool{
	"/users/{}/contacts": true, "/users/{}/contactfolders": true, "/users/{}/calendars": true, "/users/{}/calendargroups": true, "/users/{}/calendarview": true, "/users/{}/events": true, "/users/{}/todo": true,
	"/users/{}/drive": true, "/users/{}/drives": true, "/users/{}/mailfolders": true, "/users/{}/messages": true, "/drives": true,
	"/admin/exchange/mailboxes": true, "/sites/{}/drive": true, "/shares": true, "/teams/{}/channels": true, "/teams/{}/members": true, "/sites/{}/lists": true, "/sites/{}/pages": true,
	"/users/{}/outlook": true, "/groups/{}/threads": true, "/groups/{}/conversations": true, "/users/{}/chats": true, "/chats": true, "/teamwork/deletedchats": true,
}

// Reduce keeps what the simulator can serve.
func (t *Table) Reduce() (*Table, error) {
	out := &Table{
		Notice: Notice, Source: "reduced",
		Sets: map[string]string{}, Types: map[string]*Type{}, Enums: map[string]*Enum{},
		Operations: map[string][]*Bound{}, Permissions: map[string][]string{},
	}
	var need func(typ string)
	need = func(typ string) {
		typ, _ = element(typ)
		if typ == "" || strings.HasPrefix(typ, "Edm.") {
			return
		}
		if e := t.Enums[typ]; e != nil {
			out.Enums[typ] = e
			return
		}
		x := t.Types[typ]
		if x == nil || out.Types[typ] != nil {
			return
		}
		out.Types[typ] = &Type{Base: x.Base, Props: x.Props, Required: x.Required, Nav: map[string]string{}}
		need(x.Base)
		for _, p := range x.Props {
			need(p)
		}
	}
	for _, k := range kept {
		if t.Types[k] == nil {
			return nil, fmt.Errorf("the metadata has no type %q", k)
		}
		need(k)
	}
	for name, list := range t.Operations { // first results, which may bring types
		for _, b := range list {
			on, _ := element(b.On)
			if slices.Contains(kept, on) && !strings.Contains(b.Returns, "workbook") {
				out.Operations[name] = append(out.Operations[name], b)
				need(b.Returns)
			}
		}
	}
	for name, x := range out.Types {
		for nav, target := range t.Types[name].Nav {
			elem, _ := element(target)
			if out.Types[elem] != nil {
				x.Nav[nav] = target
			}
		}
	}
	for name, target := range t.Sets {
		elem, _ := element(target)
		if out.Types[elem] != nil {
			out.Sets[name] = target
		}
	}
	for key, roles := range t.Permissions {
		_, path, _ := strings.Cut(key, " ")
		for _, k := range keptPaths {
			if path == k || branches[k] && strings.HasPrefix(path, k+"/") && !strings.Contains(path, "/workbook") && !strings.Contains(path, "/streams") {
				out.Permissions[key] = roles
			}
		}
	}
	return out, nil
}

// Write writes the table as JSON, one type, enum, operation or path a line, in a fixed order.
func (t *Table) Write(w io.Writer) error {
	var b bytes.Buffer
	section := func(name string, keys []string, value func(string) any, last bool) error {
		slices.Sort(keys)
		fmt.Fprintf(&b, "%q: {\n", name)
		for i, k := range keys {
			row, err := json.Marshal(value(k))
			if err != nil {
				return fmt.Errorf("write %s: %w", k, err)
			}
			comma := ","
			if i == len(keys)-1 {
				comma = ""
			}
			fmt.Fprintf(&b, "%q: %s%s\n", k, row, comma)
		}
		b.WriteString("}")
		if !last {
			b.WriteString(",")
		}
		b.WriteString("\n")
		return nil
	}
	notice, err := json.Marshal(t.Notice)
	if err != nil {
		return fmt.Errorf("write the notice: %w", err)
	}
	fmt.Fprintf(&b, "{\n\"notice\": %s,\n\"source\": %q,\n", notice, t.Source)
	for _, err := range []error{
		section("sets", keysOf(t.Sets), func(k string) any { return t.Sets[k] }, false),
		section("types", keysOf(t.Types), func(k string) any { return t.Types[k] }, false),
		section("enums", keysOf(t.Enums), func(k string) any { return t.Enums[k] }, false),
		section("operations", keysOf(t.Operations), func(k string) any { return t.Operations[k] }, false),
		section("permissions", keysOf(t.Permissions), func(k string) any { return t.Permissions[k] }, true),
	} {
		if err != nil {
			return err
		}
	}
	b.WriteString("}\n")
	_, err = w.Write(b.Bytes())
	return err
}

func keysOf[V any](m map[string]V) []string {
	out := make([]string, 0, len(m))
	for k := range m {
		out = append(out, k)
	}
	return out
}

// FromFolder reads the metadata of a cloud and permissions.json from a folder; the file of the worldwide cloud is v1.0-Prod.csdl.
func FromFolder(dir, metadata string) (*Table, error) {
	csdl, err := os.Open(filepath.Join(dir, metadata))
	if err != nil {
		return nil, fmt.Errorf("open the metadata: %w", err)
	}
	defer csdl.Close()
	permissions, err := os.Open(filepath.Join(dir, "permissions.json"))
	if err != nil {
		return nil, fmt.Errorf("open the permission table: %w", err)
	}
	defer permissions.Close()
	return FromFiles(csdl, permissions)
}
