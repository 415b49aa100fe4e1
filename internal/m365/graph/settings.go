package graph

import (
	"context"
	"net/http"
)

// Setting is a rule of an inbox, a category, or a permission of a calendar.
type Setting struct {
	Row
	ID          string `json:"id"`
	DisplayName string `json:"displayName"`
	Color       string `json:"color"` // of categories
	Role        string `json:"role"`  // of permissions
	Email       struct {
		Name    string `json:"name"`
		Address string `json:"address"`
	} `json:"emailAddress"` // of permissions
	UserPurpose string `json:"userPurpose"` // of the settings of a mailbox
}

const (
	settingsRead  = "MailboxSettings.Read"
	settingsWrite = "MailboxSettings.ReadWrite"
)

// SettingsOf names what a mailbox is set to, as a kind that is asked for beside the others. It has no list of its own.
var SettingsOf = PersonalKind{Read: settingsRead, Write: settingsWrite}

// SettingsPath, RulesPath, CategoriesPath and SharesPath are where the settings of a mailbox are.
func SettingsPath(mailbox string) []string { return []string{"users", mailbox, "mailboxSettings"} }

// RulesPath is where the rules of the inbox are; v1.0 has them of no other folder.
func RulesPath(mailbox string, more ...string) []string {
	return append([]string{"users", mailbox, "mailFolders", "inbox", "messageRules"}, more...)
}

// CategoriesPath is where the categories of a mailbox are.
func CategoriesPath(mailbox string, more ...string) []string {
	return append([]string{"users", mailbox, "outlook", "masterCategories"}, more...)
}

// SharesPath is where the permissions of a calendar are.
func SharesPath(mailbox, calendar string, more ...string) []string {
	return append([]string{"users", mailbox, "calendars", calendar, "calendarPermissions"}, more...)
}

// permissionFor is what a call on one of those paths takes.
func permissionFor(path []string, write bool) string {
	switch {
	case len(path) > 2 && path[2] == "calendars" && write:
		return calendarsWrite
	case len(path) > 2 && path[2] == "calendars":
		return calendarsRead
	case write:
		return settingsWrite
	}
	return settingsRead
}

// Setting reads the settings of a mailbox, or one thing of a list of them.
func (c *Client) Setting(ctx context.Context, path []string) (*Setting, error) {
	return one[Setting](ctx, c, request{path: join(path...), permission: permissionFor(path, false)})
}

// Settings gives the first page of a list.
func (c *Client) Settings(ctx context.Context, path []string, l List) (*Page[Setting], error) {
	return list[Setting](ctx, c, join(path...), l, permissionFor(path, false))
}

// AddSetting adds to a list. It is not repeated when its outcome is not known: see m365.OutcomeUnknown.
func (c *Client) AddSetting(ctx context.Context, path []string, body any) (*Setting, error) {
	return one[Setting](ctx, c, request{method: http.MethodPost, path: join(path...), in: body, permission: permissionFor(path, true)})
}

// ChangeSetting changes the settings of a mailbox, or one thing of a list.
func (c *Client) ChangeSetting(ctx context.Context, path []string, body any) (*Setting, error) {
	return one[Setting](ctx, c, request{method: http.MethodPatch, path: join(path...), in: body, permission: permissionFor(path, true), repeatable: true})
}
