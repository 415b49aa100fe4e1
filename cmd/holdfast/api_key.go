package main

import (
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"holdfast/internal/sys"
)

type apiKey struct {
	ID            string     `json:"id"`
	Name          string     `json:"name"`
	User          string     `json:"user"`
	Role          string     `json:"role"`
	Organizations []string   `json:"organizationIds,omitzero"`
	Expires       *time.Time `json:"expires,omitzero"`
	LastUsed      *time.Time `json:"lastUsed,omitzero"`
	Key           string     `json:"key,omitzero"`
}

func newKeyCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "api-key", Short: "API keys: what programs log in with"}
	cmd.AddCommand(newKeyAddCommand(), newKeyListCommand(), newKeyRemoveCommand())
	return cmd
}

func newKeyAddCommand() *cobra.Command {
	var role, out string
	var orgs []string
	var days int
	cmd := &cobra.Command{
		Use:   "add NAME",
		Short: "Make an API key; it is shown this once",
		Example: `  holdfast api-key add monitoring --role Auditor --out ./key
  curl --cacert D/tls/rest.pem -H "Authorization: Bearer $(cat key)" https://127.0.0.1:4443/v8/Jobs`,
		Args: exact(1),
		RunE: with(func(cmd *cobra.Command, c *client, args []string) error {
			body := map[string]any{"name": args[0], "role": role, "expires": sys.System.Now().Add(time.Duration(days) * 24 * time.Hour).UTC()}
			var ids []string
			for _, name := range orgs {
				o, err := organizationNamed(cmd, c, name)
				if err != nil {
					return err
				}
				ids = append(ids, o.ID)
			}
			if ids != nil {
				body["organizationIds"] = ids
			}
			var made apiKey
			if err := c.call(cmd.Context(), http.MethodPost, ownAPI+"/api-keys", body, &made); err != nil {
				return err
			}
			if out == "" {
				return done(cmd, made, "%s", made.Key)
			}
			if err := os.WriteFile(out, []byte(made.Key+"\n"), 0o600); err != nil {
				return err
			}
			made.Key = ""
			return done(cmd, made, "API key %s is in %s; it ends %s", clean(made.Name), out, when(made.Expires))
		}),
	}
	cmd.Flags().StringVar(&role, "role", "", "what the key may do (default: what you may)")
	cmd.Flags().StringSliceVar(&orgs, "org", nil, "limit the key to these organizations")
	cmd.Flags().IntVar(&days, "days", 90, "days that the key lives, at most 366")
	cmd.Flags().StringVar(&out, "out", "", "write the key to this file of mode 0600 instead of showing it")
	return cmd
}

func apiKeys(cmd *cobra.Command, c *client) ([]apiKey, error) {
	var all []apiKey
	return all, c.get(cmd.Context(), ownAPI+"/api-keys", &all)
}

func newKeyListCommand() *cobra.Command {
	return &cobra.Command{
		Use: "list", Short: "List API keys: your own, or as an Owner everybody's", Args: exact(0),
		RunE: with(func(cmd *cobra.Command, c *client, _ []string) error {
			all, err := apiKeys(cmd, c)
			if err != nil {
				return err
			}
			return show(cmd, all, []string{"name", "user", "role", "organizations", "ends", "last used", "id"}, func(k apiKey) []any {
				orgs := "all"
				if k.Organizations != nil {
					orgs = strings.Join(k.Organizations, ", ")
				}
				return []any{k.Name, k.User, k.Role, orgs, when(k.Expires), when(k.LastUsed), k.ID}
			}, "no API key")
		}),
	}
}

func newKeyRemoveCommand() *cobra.Command {
	return &cobra.Command{
		Use: "remove NAME", Short: "End an API key, by its name or id", Args: exact(1),
		RunE: with(func(cmd *cobra.Command, c *client, args []string) error {
			all, err := apiKeys(cmd, c)
			if err != nil {
				return err
			}
			k, err := pick("API key", "api-key", all, args[0], func(k apiKey) []string { return []string{k.ID, k.Name} })
			if err != nil {
				return err
			}
			if err := c.call(cmd.Context(), http.MethodDelete, ownAPI+join("api-keys", k.ID), nil, nil); err != nil {
				return err
			}
			return done(cmd, k, "API key %s is ended", clean(k.Name))
		}),
	}
}
