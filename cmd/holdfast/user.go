package main

import (
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/spf13/cobra"
)

const ownAPI = "/holdfast/v1"

type localUser struct {
	ID           string     `json:"id"`
	Name         string     `json:"name"`
	Role         string     `json:"role"`
	Disabled     bool       `json:"disabled"`
	SecondFactor bool       `json:"secondFactor"`
	LastLogin    *time.Time `json:"lastLogin,omitzero"`
}

// userNamed finds a user by id, name or the beginning of his name.
func userNamed(cmd *cobra.Command, c *client, name string) (localUser, error) {
	var all []localUser
	if err := c.get(cmd.Context(), ownAPI+"/users", &all); err != nil {
		return localUser{}, err
	}
	return pick("user", "user", all, name, func(u localUser) []string { return []string{u.ID, u.Name} })
}

func newUserCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "user", Short: "Users of this installation, their roles, passwords and second factors"}
	cmd.AddCommand(newUserAddCommand(), newUserListCommand(), newUserRemoveCommand(), newUserResetCommand())
	return cmd
}

func newUserAddCommand() *cobra.Command {
	var role, passwordFile string
	cmd := &cobra.Command{
		Use:   "add NAME",
		Short: "Make a user",
		Long: `Make a user. The role is one of
  Owner                 everything
  BackupAdministrator   organizations and jobs; no content of backups
  StorageAdministrator  repositories and proxies; no content of backups
  Auditor               sees everything but content, changes nothing
  RestoreOperator       restores what restore roles grant (holdfast role)`,
		Example: "  holdfast user add carol --role Auditor --password-file ./password",
		Args:    exact(1),
		RunE: with(func(cmd *cobra.Command, c *client, args []string) error {
			password, err := readSecret(cmd, passwordFile, "Password for "+args[0]+": ")
			if err != nil {
				return err
			}
			var made localUser
			if err := c.call(cmd.Context(), http.MethodPost, ownAPI+"/users", map[string]string{"name": args[0], "role": role, "password": password}, &made); err != nil {
				return err
			}
			return done(cmd, made, "user %s is there, with the role %s", clean(made.Name), made.Role)
		}),
	}
	cmd.Flags().StringVar(&role, "role", "Auditor", "what the user may do")
	cmd.Flags().StringVar(&passwordFile, "password-file", "", "file with the password, - for standard input (default: ask)")
	return cmd
}

func newUserListCommand() *cobra.Command {
	return &cobra.Command{
		Use: "list", Short: "List the users", Args: exact(0),
		RunE: with(func(cmd *cobra.Command, c *client, _ []string) error {
			var all []localUser
			if err := c.get(cmd.Context(), ownAPI+"/users", &all); err != nil {
				return err
			}
			return show(cmd, all, []string{"name", "role", "second factor", "state", "last login"}, func(u localUser) []any {
				return []any{u.Name, u.Role, map[bool]string{true: "yes", false: "no"}[u.SecondFactor], map[bool]string{true: "disabled", false: "enabled"}[u.Disabled], when(u.LastLogin)}
			}, "no user")
		}),
	}
}

func newUserRemoveCommand() *cobra.Command {
	return &cobra.Command{
		Use: "remove NAME", Short: "Remove a user with his logins and API keys", Args: exact(1),
		RunE: with(func(cmd *cobra.Command, c *client, args []string) error {
			u, err := userNamed(cmd, c, args[0])
			if err != nil {
				return err
			}
			if err := c.call(cmd.Context(), http.MethodDelete, ownAPI+join("users", u.ID), nil, nil); err != nil {
				return err
			}
			return done(cmd, u, "user %s is removed", clean(u.Name))
		}),
	}
}

func newUserResetCommand() *cobra.Command {
	var passwordFile string
	var factor, enable, disable bool
	var role string
	cmd := &cobra.Command{
		Use:   "reset NAME",
		Short: "Give a user a new password, take a lost second factor away, change his role, or switch him off or on",
		Long:  "Each of these ends the user's logins (but switching him on does not need to).",
		Example: `  holdfast user reset carol --password-file ./password
  holdfast user reset carol --second-factor
  holdfast user reset carol --role BackupAdministrator
  holdfast user reset carol --disable`,
		Args: exact(1),
		RunE: with(func(cmd *cobra.Command, c *client, args []string) error {
			u, err := userNamed(cmd, c, args[0])
			if err != nil {
				return err
			}
			var did []string
			if cmd.Flags().Changed("password-file") {
				password, err := readSecret(cmd, passwordFile, "New password of "+u.Name+": ")
				if err != nil {
					return err
				}
				if err := c.call(cmd.Context(), http.MethodPost, ownAPI+join("users", u.ID, "password"), map[string]string{"password": password}, nil); err != nil {
					return err
				}
				did = append(did, "has a new password")
			}
			if factor {
				if err := c.call(cmd.Context(), http.MethodDelete, ownAPI+join("users", u.ID, "totp"), nil, nil); err != nil {
					return err
				}
				did = append(did, "has no second factor")
			}
			change := map[string]any{}
			if role != "" {
				change["role"] = role
				did = append(did, "has the role "+role)
			}
			if enable || disable {
				change["disabled"] = disable
				did = append(did, map[bool]string{true: "is disabled", false: "is enabled"}[disable])
			}
			if len(change) > 0 {
				if err := c.call(cmd.Context(), http.MethodPatch, ownAPI+join("users", u.ID), change, nil); err != nil {
					return err
				}
			}
			if len(did) == 0 {
				return fmt.Errorf("say what to reset: --password-file, --second-factor, --role, --disable or --enable")
			}
			return done(cmd, map[string]any{"user": u.Name, "did": did}, "user %s %s", clean(u.Name), strings.Join(did, ", "))
		}),
	}
	cmd.Flags().StringVar(&passwordFile, "password-file", "", "file with a new password, - for standard input")
	cmd.Flags().BoolVar(&factor, "second-factor", false, "take the second factor away")
	cmd.Flags().StringVar(&role, "role", "", "a new role")
	cmd.Flags().BoolVar(&disable, "disable", false, "keep the user from signing in")
	cmd.Flags().BoolVar(&enable, "enable", false, "let the user sign in again")
	cmd.MarkFlagsMutuallyExclusive("disable", "enable")
	return cmd
}
