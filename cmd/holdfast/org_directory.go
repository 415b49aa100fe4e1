package main

import (
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/spf13/cobra"
)

// directoryGroup is a group as the copy of the directory has it.
type directoryGroup struct {
	ID          string `json:"id"`
	Name        string `json:"name"`
	DisplayName string `json:"displayName"`
	Type        string `json:"type"`
}

// groupNamed finds a group of an organization by its id, name or address.
func groupNamed(cmd *cobra.Command, c *client, o organization, name string) (directoryGroup, error) {
	all, err := list[directoryGroup](cmd.Context(), c, join("Organizations", o.ID, "Groups"), nil, 0)
	if err != nil {
		return directoryGroup{}, err
	}
	return pick("group", "org groups", all, name, func(g directoryGroup) []string { return []string{g.ID, g.Name, g.DisplayName} })
}

func newOrgGroupsCommand() *cobra.Command {
	var org, members string
	var most int
	cmd := &cobra.Command{
		Use: "groups", Short: "List the organization's groups, or who is in one", Args: exact(0),
		Example: `  holdfast org groups
  holdfast org groups --members Finance`,
		RunE: with(func(cmd *cobra.Command, c *client, _ []string) error {
			o, err := organizationNamed(cmd, c, org)
			if err != nil {
				return err
			}
			if members == "" {
				groups, err := list[directoryGroup](cmd.Context(), c, join("Organizations", o.ID, "Groups"), nil, most)
				if err != nil {
					return err
				}
				return show(cmd, groups, []string{"display name", "type", "address", "id"}, func(g directoryGroup) []any { return []any{g.DisplayName, g.Type, g.Name, g.ID} }, "the organization has no groups")
			}
			g, err := groupNamed(cmd, c, o, members)
			if err != nil {
				return err
			}
			type member struct {
				Name  string `json:"name"`
				Login string `json:"login"`
				Type  string `json:"type"`
			}
			all, err := list[member](cmd.Context(), c, join("Organizations", o.ID, "Groups", g.ID, "Members"), nil, most)
			if err != nil {
				return err
			}
			return show(cmd, all, []string{"name", "type", "login"}, func(m member) []any { return []any{m.Name, m.Type, m.Login} }, "nobody is in that group")
		}),
	}
	cmd.Flags().StringVar(&org, "org", "", "organization (default: the only one)")
	cmd.Flags().StringVar(&members, "members", "", "list who is directly in this group")
	cmd.Flags().IntVar(&most, "limit", 0, "at most so many (0: all)")
	return cmd
}

// syncRun is a synchronisation, the last one or the one that waits or runs.
type syncRun struct {
	Type      string     `json:"type"`
	Result    string     `json:"result"`
	Status    string     `json:"status"`
	StartTime *time.Time `json:"startTime"`
	EndTime   *time.Time `json:"endTime"`
	Error     string     `json:"error"`
}

func newOrgSyncCommand() *cobra.Command {
	var org string
	var full, state bool
	cmd := &cobra.Command{
		Use: "sync", Short: "Bring the copy of the organization's directory up to date", Args: exact(0),
		RunE: with(func(cmd *cobra.Command, c *client, _ []string) error {
			o, err := organizationNamed(cmd, c, org)
			if err != nil {
				return err
			}
			if !state {
				kind := map[bool]string{true: "Full", false: "Incremental"}[full]
				if err := c.call(cmd.Context(), http.MethodPost, join("Organizations", o.ID, "Sync"), map[string]any{"type": kind}, nil); err != nil {
					return err
				}
				return done(cmd, map[string]any{"organizationId": o.ID, "type": kind}, "asked for; next: holdfast org sync --state")
			}
			var s struct {
				Last    *syncRun `json:"lastSyncState"`
				Current *syncRun `json:"currentSyncState"`
			}
			if err := c.call(cmd.Context(), http.MethodGet, join("Organizations", o.ID, "SyncState"), nil, &s); err != nil {
				return err
			}
			last, current := "never", ""
			if s.Last != nil {
				last = fmt.Sprintf("%s, %s, ended %v", s.Last.Type, s.Last.Result, when(s.Last.EndTime))
				if s.Last.Error != "" {
					last += ": " + clean(s.Last.Error)
				}
			}
			if s.Current != nil {
				current = fmt.Sprintf("; now: %s, %s", s.Current.Type, s.Current.Status)
			}
			return done(cmd, s, "last: %s%s", last, current)
		}),
	}
	cmd.Flags().StringVar(&org, "org", "", "organization (default: the only one)")
	cmd.Flags().BoolVar(&full, "full", false, "read everything again instead of what changed")
	cmd.Flags().BoolVar(&state, "state", false, "only say how far the copy is")
	return cmd
}

// jobItem is an item of a job, as far as a list shows it.
type jobItem struct {
	List  string `json:"list"`
	ID    string `json:"id"`
	Type  string `json:"type"`
	User  *struct{ DisplayName, Name string }
	Group *struct{ DisplayName, Name, Type string }
	Site  *struct{ Title, URL string }
	Team  *struct{ DisplayName string }
	// What of it.
	Mailbox, OneDrive, ArchiveMailbox, Sites, PersonalSite                              bool
	Members, MemberMailbox, MemberArchiveMailbox, MemberOnedrive, MemberSite, GroupSite bool
	Teams, TeamsChats, GroupMailboxes, Chats                                            bool
}

func (i jobItem) name() string {
	switch {
	case i.User != nil:
		return i.User.DisplayName + " <" + i.User.Name + ">"
	case i.Group != nil:
		return i.Group.DisplayName + " (" + i.Group.Type + ")"
	case i.Site != nil:
		return i.Site.URL
	case i.Team != nil:
		return i.Team.DisplayName
	case i.Type == "PersonalSites":
		return "all personal sites"
	}
	return "everybody"
}

func (i jobItem) what() string {
	text := ""
	for _, part := range []struct {
		has  bool
		name string
	}{{i.Mailbox, "mailbox"}, {i.ArchiveMailbox, "archive"}, {i.OneDrive, "OneDrive"}, {i.Sites, "sites"}, {i.PersonalSite && i.User == nil, "personal sites"}, {i.PersonalSite && i.User != nil, "personal site"}, {i.Type == "PersonalSites", "personal sites"}, {i.MemberMailbox, "members' mailboxes"},
		{i.MemberArchiveMailbox, "members' archives"}, {i.MemberOnedrive, "members' OneDrives"}, {i.MemberSite, "members' personal sites"}, {i.GroupSite, "group site"}, {i.Site != nil, "the site and those below it"},
		{i.GroupMailboxes, "mailboxes of groups"}, {i.Teams && i.Team == nil, "teams"}, {i.Team != nil, "the team"}, {i.TeamsChats, "posts"}, {i.Chats, "chats"}} {
		if part.has {
			if text != "" {
				text += ", "
			}
			text += part.name
		}
	}
	return text
}

func newJobScopeCommand() *cobra.Command {
	return &cobra.Command{
		Use: "scope [NAME]", Short: "Show what a job selects and excludes", Args: between(0, 1),
		RunE: with(func(cmd *cobra.Command, c *client, args []string) error {
			name := ""
			if len(args) > 0 {
				name = args[0]
			}
			j, err := jobNamed(cmd, c, name)
			if err != nil {
				return err
			}
			all := []jobItem{}
			if j.BackupType == "EntireOrganization" {
				o, err := organizationNamed(cmd, c, j.Organization)
				if err != nil {
					return err
				}
				all = append(all, jobItem{List: "selected", Type: j.BackupType, Mailbox: o.Exchange, OneDrive: o.SharePoint, Sites: o.SharePoint, Teams: o.Teams, Chats: j.Chats, PersonalSite: j.Personal})
			}
			for _, l := range [][2]string{{"selected", "SelectedItems"}, {"excluded", "ExcludedItems"}} {
				which, path := l[0], l[1]
				items, err := list[jobItem](cmd.Context(), c, "/Jobs/"+url.PathEscape(j.ID)+"/"+path, nil, 0)
				if err != nil {
					return err
				}
				for _, i := range items {
					i.List = which
					all = append(all, i)
				}
			}
			return show(cmd, all, []string{"list", "type", "name", "what", "id"}, func(i jobItem) []any { return []any{i.List, i.Type, clean(i.name()), i.what(), i.ID} }, "the job has no items")
		}),
	}
}
