package graph

import (
	"context"
	"slices"
	"strings"
)

// Organization is the tenant.
type Organization struct {
	Row
	ID              string           `json:"id"`
	DisplayName     string           `json:"displayName"`
	VerifiedDomains []VerifiedDomain `json:"verifiedDomains"`
}

// VerifiedDomain is a domain name of the tenant.
type VerifiedDomain struct {
	Name      string `json:"name"`
	IsDefault bool   `json:"isDefault"`
	IsInitial bool   `json:"isInitial"`
}

// DefaultDomain is the default domain's name, else the initial one's.
func (o Organization) DefaultDomain() string {
	name := ""
	for _, d := range o.VerifiedDomains {
		if d.IsDefault || d.IsInitial && name == "" {
			name = d.Name
		}
	}
	return name
}

// InitialDomain is NAME.onmicrosoft.com or the national cloud's form; SharePoint's hosts begin with NAME.
func (o Organization) InitialDomain() string {
	for _, d := range o.VerifiedDomains {
		if d.IsInitial {
			return d.Name
		}
	}
	return ""
}

// SharePointName is the organization's name in SharePoint's hosts as far as the initial domain tells.
func (o Organization) SharePointName() string {
	name, _, _ := strings.Cut(o.InitialDomain(), ".")
	return name
}

// Organization reads the tenant that the application is signed in to.
func (c *Client) Organization(ctx context.Context) (*Organization, error) {
	p, err := list[Organization](ctx, c, "/organization", List{}, "Organization.Read.All")
	if err != nil {
		return nil, err
	}
	if len(p.Value) != 1 {
		return nil, &Error{Call: "GET /organization", Code: "answer not understood", Message: "not exactly one organization"}
	}
	return &p.Value[0], nil
}

// Removed marks a row of a delta as taken out: reason "deleted", or "changed" when it can come back.
type Removed struct {
	Reason string `json:"reason"`
}

// User is an account.
type User struct {
	Row
	ID                string            `json:"id"`
	DisplayName       string            `json:"displayName"`
	UserPrincipalName string            `json:"userPrincipalName"`
	Mail              string            `json:"mail"`
	UserType          string            `json:"userType"`
	AccountEnabled    *bool             `json:"accountEnabled"`
	UsageLocation     string            `json:"usageLocation"`
	Office            string            `json:"officeLocation"`
	AssignedLicenses  []AssignedLicense `json:"assignedLicenses"`
	Removed           *Removed          `json:"@removed"`
}

// AssignedLicense names a licence of a user.
type AssignedLicense struct {
	SkuID string `json:"skuId"`
}

// UserFields are what User shows.
var UserFields = []string{"id", "displayName", "userPrincipalName", "mail", "userType", "accountEnabled", "usageLocation", "officeLocation", "assignedLicenses"}

// Group is a group of any kind.
type Group struct {
	Row
	ID          string   `json:"id"`
	DisplayName string   `json:"displayName"`
	Description string   `json:"description"`
	Mail        string   `json:"mail"`
	GroupTypes  []string `json:"groupTypes"`
	MailEnabled *bool    `json:"mailEnabled"`
	Security    *bool    `json:"securityEnabled"`
	Removed     *Removed `json:"@removed"`
	// Members are who came and went; only a delta that selects members has them, those of a large group over several rows.
	Members []GroupMember `json:"members@delta"`
}

// GroupFields are what Group shows.
var GroupFields = []string{"id", "displayName", "mail", "groupTypes", "mailEnabled", "securityEnabled"}

func withFields(l List, fields []string) List {
	if len(l.Select) == 0 {
		l.Select = fields
	}
	return l
}

// Users gives the first page of accounts.
func (c *Client) Users(ctx context.Context, l List) (*Page[User], error) {
	return list[User](ctx, c, "/users", withFields(l, UserFields), "User.Read.All")
}

// UsersDelta gives the first page of accounts as a delta.
func (c *Client) UsersDelta(ctx context.Context, l List) (*Page[User], error) {
	return list[User](ctx, c, "/users/delta", withFields(l, UserFields), "User.Read.All")
}

// User reads an account by id or user principal name.
func (c *Client) User(ctx context.Context, id string) (*User, error) {
	return one[User](ctx, c, request{path: join("users", id), query: List{Select: UserFields}.query(), permission: "User.Read.All"})
}

// Groups gives the first page of groups.
func (c *Client) Groups(ctx context.Context, l List) (*Page[Group], error) {
	return list[Group](ctx, c, "/groups", withFields(l, GroupFields), "Group.Read.All")
}

// GroupsDelta gives the first page of groups as a delta.
func (c *Client) GroupsDelta(ctx context.Context, l List) (*Page[Group], error) {
	return list[Group](ctx, c, "/groups/delta", withFields(l, GroupFields), "Group.Read.All")
}

// Group reads a group.
func (c *Client) Group(ctx context.Context, id string) (*Group, error) {
	return one[Group](ctx, c, request{path: join("groups", id), query: List{Select: GroupFields}.query(), permission: "Group.Read.All"})
}

// GroupMember is what is in a group: a user, or another group.
type GroupMember struct {
	Row
	Type    string   `json:"@odata.type"`
	ID      string   `json:"id"`
	Removed *Removed `json:"@removed"`
}

// TransitiveMembers gives the first page of all that is in a group and in the groups within it, each once.
func (c *Client) TransitiveMembers(ctx context.Context, id string, l List) (*Page[GroupMember], error) {
	return list[GroupMember](ctx, c, join("groups", id, "transitiveMembers"), withFields(l, []string{"id"}), "GroupMember.Read.All")
}

// GroupMembers gives the first page of what is directly in a group.
func (c *Client) GroupMembers(ctx context.Context, id string, l List) (*Page[GroupMember], error) {
	return list[GroupMember](ctx, c, join("groups", id, "members"), withFields(l, []string{"id"}), "GroupMember.Read.All")
}

// stronger lists for a permission those that include it.
var stronger = map[string][]string{
	"User.Read.All":         {"User.ReadWrite.All", "Directory.Read.All", "Directory.ReadWrite.All"},
	"Group.Read.All":        {"Group.ReadWrite.All", "Directory.Read.All", "Directory.ReadWrite.All"},
	"GroupMember.Read.All":  {"GroupMember.ReadWrite.All", "Group.Read.All", "Group.ReadWrite.All", "Directory.Read.All", "Directory.ReadWrite.All"},
	"Organization.Read.All": {"Organization.ReadWrite.All", "Directory.Read.All", "Directory.ReadWrite.All"},
	"Mail.Read":             {"Mail.ReadWrite"},
	exportPermission:        {importPermission},

	"Group-Conversation.Read.All": {"Group-Conversation.ReadWrite.All", "Group.Read.All", "Group.ReadWrite.All"},
	"Mail.ReadBasic.All":          {"Mail.Read", "Mail.ReadWrite"},
	"Contacts.Read":               {"Contacts.ReadWrite"},
	"MailboxSettings.Read":        {"MailboxSettings.ReadWrite"},
	"Tasks.Read.All":              {"Tasks.ReadWrite.All"},
	"Files.Read.All":              {"Files.ReadWrite.All", "Sites.Read.All", "Sites.ReadWrite.All", "Sites.Manage.All", "Sites.FullControl.All"},
	"Files.ReadWrite.All":         {"Sites.ReadWrite.All", "Sites.Manage.All", "Sites.FullControl.All"},
	"Sites.Read.All":              {"Sites.ReadWrite.All", "Sites.Manage.All", "Sites.FullControl.All"},
	"Sites.ReadWrite.All":         {"Sites.Manage.All", "Sites.FullControl.All"},
}

// Includes tells whether a role of an application's token has a permission within it, as Microsoft's table of permissions says.
func Includes(role, permission string) bool { return slices.Contains(stronger[permission], role) }

// CheckPermissions tells which of the wanted application permissions the application has not been granted, by the
// roles of its token. An included permission counts.
func (c *Client) CheckPermissions(ctx context.Context, want ...string) (missing []string, err error) {
	have, err := c.m.Roles(ctx)
	if err != nil {
		return nil, err
	}
	for _, w := range want {
		if !slices.ContainsFunc(append([]string{w}, stronger[w]...), func(p string) bool { return slices.Contains(have, p) }) {
			missing = append(missing, w)
		}
	}
	return missing, nil
}
