package main

import (
	"context"
	"net/http"
	"strings"

	"github.com/spf13/cobra"
)

// savedSearch is a question that is kept under a name.
type savedSearch struct {
	question
	ID   string `json:"id"`
	Name string `json:"name"`
}

const savedSearchesPath = ownAPI + "/searches"

func newSavedSearchCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "saved-search",
		Short: "Saved searches: searches that are asked again",
		Long:  `Keep searches that are asked again. "holdfast search --saved NAME" asks one. They are their maker's own.`,
		Example: `  holdfast saved-search add invoices 'subject:invoice from:ada' --deleted
  holdfast search --saved invoices`,
	}
	cmd.AddCommand(newSavedSearchAddCommand(), newSavedSearchListCommand(), newSavedSearchRemoveCommand())
	return cmd
}

func newSavedSearchAddCommand() *cobra.Command {
	var org string
	var kinds []string
	var deleted, oldest bool
	cmd := &cobra.Command{
		Use:     "add NAME QUERY",
		Short:   "Keep a search; docs/search.md describes what a QUERY may say",
		Example: `  holdfast saved-search add "lost plans" 'filename:plan' --kind file --deleted`,
		Args:    exact(2),
		RunE: with(func(cmd *cobra.Command, c *client, args []string) error {
			body := struct {
				Name string `json:"name"`
				question
			}{args[0], question{Query: args[1], Kinds: kinds, Deleted: deleted, Sort: "newest"}}
			if oldest {
				body.Sort = "oldest"
			}
			if org != "" {
				o, err := organizationNamed(cmd, c, org)
				if err != nil {
					return err
				}
				body.Organization = o.ID
			}
			var s savedSearch
			if err := c.call(cmd.Context(), http.MethodPost, savedSearchesPath, body, &s); err != nil {
				return err
			}
			return done(cmd, s, "search %s is kept\nnext: holdfast search --saved NAME", clean(s.Name))
		}),
	}
	f := cmd.Flags()
	f.StringVar(&org, "org", "", "only in this organization")
	f.StringSliceVar(&kinds, "kind", nil, "only these: mail, file, folder (default: all)")
	f.BoolVar(&deleted, "deleted", false, "only what the newest restore point no longer has")
	f.BoolVar(&oldest, "oldest", false, "oldest first")
	return cmd
}

func savedSearches(ctx context.Context, c *client) ([]savedSearch, error) {
	return list[savedSearch](ctx, c, savedSearchesPath, nil, 0)
}

func savedSearchNamed(ctx context.Context, c *client, name string) (savedSearch, error) {
	all, err := savedSearches(ctx, c)
	if err != nil {
		return savedSearch{}, err
	}
	return pick("saved search", "saved-search", all, name, func(s savedSearch) []string { return []string{s.ID, s.Name} })
}

func newSavedSearchListCommand() *cobra.Command {
	return &cobra.Command{
		Use: "list", Short: "List your saved searches, newest first", Args: exact(0),
		RunE: with(func(cmd *cobra.Command, c *client, _ []string) error {
			all, err := savedSearches(cmd.Context(), c)
			if err != nil {
				return err
			}
			return show(cmd, all, []string{"name", "query", "kinds", "deleted", "order", "id"}, func(s savedSearch) []any {
				return []any{cut(s.Name, 40), cut(s.Query, 60), dash(strings.Join(s.Kinds, ", ")), map[bool]string{true: "only", false: "-"}[s.Deleted], s.Sort, s.ID}
			}, `no saved search yet: keep one with "holdfast saved-search add NAME QUERY"`)
		}),
	}
}

func newSavedSearchRemoveCommand() *cobra.Command {
	return &cobra.Command{
		Use: "remove NAME", Short: "Forget a saved search", Args: exact(1),
		RunE: with(func(cmd *cobra.Command, c *client, args []string) error {
			s, err := savedSearchNamed(cmd.Context(), c, args[0])
			if err != nil {
				return err
			}
			if err := c.call(cmd.Context(), http.MethodDelete, savedSearchesPath+join(s.ID), nil, nil); err != nil {
				return err
			}
			return done(cmd, s, "saved search %s is forgotten", clean(s.Name))
		}),
	}
}
