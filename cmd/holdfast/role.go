package main

import (
	"cmp"
	"net/http"
	"strings"

	"github.com/spf13/cobra"
)

type restoreRole struct {
	ID           string `json:"id"`
	Organization string `json:"organizationId"`
	Name         string `json:"name"`
	Description  string `json:"description"`
	Type         string `json:"roleType"`
}

// roleItem is a user, a group, a site or a team in a restore role.
type roleItem struct {
	ID    string          `json:"id,omitzero"`
	Type  string          `json:"type"`
	User  *roleItemObject `json:"user,omitzero"`
	Group *roleItemObject `json:"group,omitzero"`
	Site  *roleItemPlace  `json:"site,omitzero"`
	Team  *roleItemPlace  `json:"team,omitzero"`
}

// roleItemPlace is a site, by its address, or a team, by its mail address or name.
type roleItemPlace struct {
	ID          string  `json:"id"`
	URL         string  `json:"url,omitzero"`
	Title       string  `json:"title,omitzero"`
	Mail        *string `json:"mail,omitzero"` // the contract wants this one and the next of a team
	Description *string `json:"description,omitzero"`
	DisplayName string  `json:"displayName,omitzero"`
	Cloud       *bool   `json:"isCloud,omitzero"` // and these of a site
	Personal    *bool   `json:"isPersonal,omitzero"`
}

// noTeam is the id of a team that is looked up by its name: the contract wants one.
const noTeam = "00000000-0000-0000-0000-000000000000"

func (p *roleItemPlace) names() []string {
	all := []string{p.ID, p.URL, p.Title, p.DisplayName}
	if p.Mail != nil {
		all = append(all, *p.Mail)
	}
	return all
}

type roleItemObject struct {
	ID          string `json:"id"`
	DisplayName string `json:"displayName"`
	Name        string `json:"name"`
	Type        string `json:"type,omitzero"`
}

func (i roleItem) String() string {
	o := i.User
	switch {
	case i.Site != nil:
		return clean(cmp.Or(i.Site.URL, i.Site.Title))
	case i.Team != nil:
		return clean(cmp.Or(i.Team.DisplayName, i.Team.ID))
	case o == nil:
		o = i.Group
	}
	if o == nil {
		return i.ID
	}
	if o.Name != "" {
		return clean(o.Name)
	}
	return clean(o.DisplayName)
}

// roleItems reads names: a user by name or id, or "group:ID", "site:ADDRESS", "team:NAME".
func roleItems(names []string) []roleItem {
	items := []roleItem{}
	for _, n := range names {
		if id, ok := strings.CutPrefix(n, "group:"); ok {
			items = append(items, roleItem{Type: "Group", Group: &roleItemObject{ID: id, Type: "Unknown"}})
			continue
		}
		if url, ok := strings.CutPrefix(n, "site:"); ok {
			items = append(items, roleItem{Type: "Site", Site: &roleItemPlace{URL: url, Title: url, Cloud: new(true), Personal: new(false)}})
			continue
		}
		if name, ok := strings.CutPrefix(n, "team:"); ok {
			items = append(items, roleItem{Type: "Team", Team: &roleItemPlace{ID: noTeam, DisplayName: name, Mail: new(""), Description: new("")}})
			continue
		}
		items = append(items, roleItem{Type: "User", User: &roleItemObject{Name: n, Type: "User"}})
	}
	return items
}

func newRoleCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "role", Short: "Restore roles: who may restore, and for whom"}
	cmd.AddCommand(newRoleAddCommand(), newRoleListCommand(), newRoleShowCommand(), newRoleChangeCommand(), newRoleRemoveCommand())
	return cmd
}

func newRoleAddCommand() *cobra.Command {
	var org, description string
	var operators, manage, exclude, acts []string
	cmd := &cobra.Command{
		Use:   "add NAME",
		Short: "Make a restore role",
		Long: `Make a restore role. Operators are users of the organization, or users of Holdfast with the role RestoreOperator. They restore for the whole
organization, or for those whom --manage names, and never for those whom --exclude names. A group counts as its members: write group:ID. A site is named by site:ADDRESS, a team
by team:NAME or its mail address.`,
		Example: `  holdfast role add helpdesk --org contoso --operator carol --exclude ceo@contoso.com
  holdfast role add london --org contoso --operator bob@contoso.com --manage group:5b1f… --allow read,restore`,
		Args: exact(1),
		RunE: with(func(cmd *cobra.Command, c *client, args []string) error {
			o, err := organizationNamed(cmd, c, org)
			if err != nil {
				return err
			}
			body := map[string]any{"name": args[0], "description": description, "roleType": "EntireOrganization", "operators": roleItems(operators), "excludedItems": roleItems(exclude)}
			if len(manage) > 0 {
				body["roleType"], body["selectedItems"] = "SpecificObjects", roleItems(manage)
			}
			var made restoreRole
			if err := c.call(cmd.Context(), http.MethodPost, join("Organizations", o.ID, "RbacRoles"), body, &made); err != nil {
				return err
			}
			if len(acts) > 0 {
				if err := c.call(cmd.Context(), http.MethodPut, ownAPI+join("RbacRoles", made.ID, "acts"), map[string]any{"acts": acts}, nil); err != nil {
					return err
				}
			}
			return done(cmd, made, "restore role %s is there", clean(made.Name))
		}),
	}
	cmd.Flags().StringVar(&org, "org", "", "the organization")
	cmd.Flags().StringVar(&description, "description", "", "what the role is for")
	cmd.Flags().StringSliceVar(&operators, "operator", nil, "who may restore")
	cmd.Flags().StringSliceVar(&manage, "manage", nil, "for whom (default: everybody)")
	cmd.Flags().StringSliceVar(&exclude, "exclude", nil, "for whom not, whatever else")
	cmd.Flags().StringSliceVar(&acts, "allow", nil, "some of read, download, restore, restoreElsewhere (default: all)")
	return cmd
}

func roles(cmd *cobra.Command, c *client) ([]restoreRole, error) {
	var all []restoreRole
	return all, c.get(cmd.Context(), "/RbacRoles", &all)
}

func roleNamed(cmd *cobra.Command, c *client, name string) (restoreRole, error) {
	all, err := roles(cmd, c)
	if err != nil {
		return restoreRole{}, err
	}
	return pick("restore role", "role", all, name, func(r restoreRole) []string { return []string{r.ID, r.Name} })
}

func newRoleListCommand() *cobra.Command {
	return &cobra.Command{
		Use: "list", Short: "List the restore roles", Args: exact(0),
		RunE: with(func(cmd *cobra.Command, c *client, _ []string) error {
			all, err := roles(cmd, c)
			if err != nil {
				return err
			}
			return show(cmd, all, []string{"name", "manages", "description", "organization", "id"}, func(r restoreRole) []any {
				return []any{r.Name, map[bool]string{true: "everybody", false: "some"}[r.Type == "EntireOrganization"], cut(clean(r.Description), 60), r.Organization, r.ID}
			}, "no restore role")
		}),
	}
}

func newRoleShowCommand() *cobra.Command {
	return &cobra.Command{
		Use: "show NAME", Short: "Show who may restore for whom by a restore role", Args: exact(1),
		RunE: with(func(cmd *cobra.Command, c *client, args []string) error {
			r, err := roleNamed(cmd, c, args[0])
			if err != nil {
				return err
			}
			type line struct {
				What string `json:"what"`
				Who  string `json:"who"`
			}
			var lines []line
			for _, l := range []struct{ what, path string }{{"operator", "operators"}, {"manages", "selectedItems"}, {"excluded", "excludedItems"}} {
				var items []roleItem
				if err := c.get(cmd.Context(), join("RbacRoles", r.ID, l.path), &items); err != nil {
					return err
				}
				if l.what == "manages" && r.Type == "EntireOrganization" {
					lines = append(lines, line{l.what, "everybody"})
					continue
				}
				for _, i := range items {
					lines = append(lines, line{l.what, i.String()})
				}
			}
			var allowed struct {
				Acts []string `json:"acts"`
			}
			if err := c.get(cmd.Context(), ownAPI+join("RbacRoles", r.ID, "acts"), &allowed); err != nil {
				return err
			}
			lines = append(lines, line{"allows", strings.Join(allowed.Acts, ", ")})
			return show(cmd, lines, []string{"", "who or what"}, func(l line) []any { return []any{l.What, l.Who} }, "")
		}),
	}
}

func newRoleRemoveCommand() *cobra.Command {
	return &cobra.Command{
		Use: "remove NAME", Short: "Remove a restore role; its operators lose it at once", Args: exact(1),
		RunE: with(func(cmd *cobra.Command, c *client, args []string) error {
			r, err := roleNamed(cmd, c, args[0])
			if err != nil {
				return err
			}
			if err := c.call(cmd.Context(), http.MethodDelete, join("RbacRoles", r.ID), nil, nil); err != nil {
				return err
			}
			return done(cmd, r, "restore role %s is removed", clean(r.Name))
		}),
	}
}
