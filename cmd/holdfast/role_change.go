package main

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/spf13/cobra"
)

// names says whether a user, group, site or team is the one that was named, as roleItems reads names.
func (i roleItem) names(name string) bool {
	for prefix, p := range map[string]*roleItemPlace{"site:": i.Site, "team:": i.Team} {
		if named, ok := strings.CutPrefix(name, prefix); ok {
			return p != nil && slices.ContainsFunc(p.names(), func(n string) bool { return n != "" && strings.EqualFold(n, named) })
		}
	}
	o := i.User
	if id, ok := strings.CutPrefix(name, "group:"); ok {
		o, name = i.Group, id
	}
	return o != nil && slices.ContainsFunc([]string{o.ID, o.Name, o.DisplayName}, func(n string) bool { return n != "" && strings.EqualFold(n, name) })
}

// roleEdit is what is added to one of a role's lists and taken from it.
type roleEdit struct {
	list, what string
	add, take  []string
}

func (e *roleEdit) empty() bool { return len(e.add) == 0 && len(e.take) == 0 }

// of gives the list as it will be.
func (e *roleEdit) of(items []roleItem, role string) ([]roleItem, error) {
	for _, name := range e.take {
		at := slices.IndexFunc(items, func(i roleItem) bool { return i.names(name) })
		if at < 0 {
			return nil, fmt.Errorf("%q is no %s of restore role %s: \"holdfast role show\" lists them", name, e.what, role)
		}
		items = slices.Delete(items, at, at+1)
	}
	for _, name := range e.add {
		if !slices.ContainsFunc(items, func(i roleItem) bool { return i.names(name) }) {
			items = append(items, roleItems([]string{name})...)
		}
	}
	if items == nil {
		items = []roleItem{}
	}
	return items, nil
}

func newRoleChangeCommand() *cobra.Command {
	var name, description string
	var everybody bool
	var acts []string
	edits := []*roleEdit{{list: "operators", what: "operator"}, {list: "selectedItems", what: "managed user or group"}, {list: "excludedItems", what: "excluded user or group"}}
	cmd := &cobra.Command{
		Use:   "change NAME",
		Short: "Change who may restore for whom by a restore role, and what it allows",
		Long: `Change a restore role. What is not named stays. Operators who are taken out, and acts that are no longer allowed, are lost at once.
A group counts as its members: write group:ID. A site is named by site:ADDRESS, a team by team:NAME.`,
		Example: `  holdfast role change helpdesk --operator dan --no-operator carol
  holdfast role change london --manage group:5b1f… --no-exclude ceo@contoso.com
  holdfast role change london --everybody --allow read,restore`,
		Args: exact(1),
		RunE: with(func(cmd *cobra.Command, c *client, args []string) error {
			ctx := cmd.Context()
			r, err := roleNamed(cmd, c, args[0])
			if err != nil {
				return err
			}
			body := map[string]any{}
			if cmd.Flags().Changed("rename") {
				body["name"] = name
			}
			if cmd.Flags().Changed("description") {
				body["description"] = description
			}
			if everybody {
				if !edits[1].empty() {
					return errors.New("--everybody goes without --manage and --no-manage")
				}
				body["roleType"], body["selectedItems"] = "EntireOrganization", []roleItem{}
			}
			for _, e := range edits {
				if e.empty() {
					continue
				}
				var items []roleItem
				if err := c.get(ctx, join("RbacRoles", r.ID, e.list), &items); err != nil {
					return err
				}
				if body[e.list], err = e.of(items, clean(r.Name)); err != nil {
					return err
				}
				if e.list == "selectedItems" && len(e.add) > 0 {
					body["roleType"] = "SpecificObjects"
				}
			}
			if len(body) == 0 && len(acts) == 0 {
				return errors.New(`say what to change: "holdfast role change --help" shows how`)
			}
			if len(acts) > 0 {
				if err := c.call(ctx, http.MethodPut, ownAPI+join("RbacRoles", r.ID, "acts"), map[string]any{"acts": acts}, nil); err != nil {
					return err
				}
			}
			if len(body) > 0 {
				if err := c.call(ctx, http.MethodPut, join("RbacRoles", r.ID), body, nil); err != nil {
					return err
				}
			}
			if err := c.get(ctx, join("RbacRoles", r.ID), &r); err != nil {
				return err
			}
			return done(cmd, r, "restore role %s is changed", clean(r.Name))
		}),
	}
	f := cmd.Flags()
	f.StringVar(&name, "rename", "", "a new name")
	f.StringVar(&description, "description", "", "what the role is for")
	f.StringSliceVar(&edits[0].add, "operator", nil, "who may restore from now on")
	f.StringSliceVar(&edits[0].take, "no-operator", nil, "who may not any more")
	f.StringSliceVar(&edits[1].add, "manage", nil, "for whom from now on; a role that was for everybody is then for these")
	f.StringSliceVar(&edits[1].take, "no-manage", nil, "for whom not any more")
	f.BoolVar(&everybody, "everybody", false, "for everybody in the organization, without whom it excludes")
	f.StringSliceVar(&edits[2].add, "exclude", nil, "for whom not, whatever else")
	f.StringSliceVar(&edits[2].take, "no-exclude", nil, "who is not excluded any more")
	f.StringSliceVar(&acts, "allow", nil, "what the role allows, instead of what it did: some of read, download, restore, restoreElsewhere")
	return cmd
}
