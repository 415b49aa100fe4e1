package main

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
)

type repository struct {
	ID            string `json:"id"`
	Name          string `json:"name"`
	Path          string `json:"path"`
	Capacity      int64  `json:"capacityBytes"`
	Free          int64  `json:"freeSpaceBytes"`
	Period        string `json:"retentionPeriodType"`
	Daily         int    `json:"dailyRetentionPeriod"`
	Monthly       int    `json:"monthlyRetentionPeriod"`
	Yearly        string `json:"yearlyRetentionPeriod"`
	RetentionType string `json:"retentionType"`
}

func (r repository) keeps() string {
	switch r.Period {
	case "Daily":
		return count(r.Daily, "day")
	case "Monthly":
		return count(r.Monthly, "month")
	}
	if r.Yearly == "Keep" {
		return "for ever"
	}
	if n, err := strconv.Atoi(strings.TrimLeft(r.Yearly, "Years")); err == nil {
		return count(n, "year")
	}
	return r.Yearly
}

func repositoryNamed(cmd *cobra.Command, c *client, name string) (repository, error) {
	all, err := list[repository](cmd.Context(), c, "/BackupRepositories", nil, 0)
	if err != nil {
		return repository{}, err
	}
	return pick("repository", "repo", all, name, func(r repository) []string { return []string{r.ID, r.Name} })
}

func newRepoCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "repo", Aliases: []string{"repository"}, Short: "Backup repositories: the places where backups are kept"}
	cmd.AddCommand(newRepoAddCommand(), newRepoListCommand(), newRepoSetCommand(), newRepoKitCommand(), newRepoRemoveCommand())
	return cmd
}

var keepPattern = regexp.MustCompile(`^(\d+)(d|m|y)$`)

// retention turns 30d, 6m, 3y or "forever" into the contract's fields.
func retention(keep string, body map[string]any) error {
	body["retentionType"] = "SnapshotBased"
	if keep == "forever" {
		body["retentionPeriodType"], body["yearlyRetentionPeriod"] = "Yearly", "Keep"
		return nil
	}
	m := keepPattern.FindStringSubmatch(keep)
	if m == nil {
		return fmt.Errorf("--keep %q: write 30d, 6m, 3y or forever", keep)
	}
	n, err := strconv.Atoi(m[1])
	if err != nil {
		return err
	}
	switch m[2] {
	case "d":
		body["retentionPeriodType"], body["dailyRetentionPeriod"] = "Daily", n
	case "m":
		body["retentionPeriodType"], body["monthlyRetentionPeriod"] = "Monthly", n
	case "y":
		name := map[int]string{1: "Year1", 2: "Years2", 3: "Years3", 5: "Years5", 7: "Years7", 10: "Years10", 25: "Years25"}[n]
		if name == "" {
			body["retentionPeriodType"], body["monthlyRetentionPeriod"] = "Monthly", 12*n
			return nil
		}
		body["retentionPeriodType"], body["yearlyRetentionPeriod"] = "Yearly", name
	}
	return nil
}

func newRepoAddCommand() *cobra.Command {
	var path, keep, description string
	cmd := &cobra.Command{
		Use:     "add NAME --path DIR",
		Short:   "Make a repository in a folder of the server; everything in it is encrypted",
		Example: "  holdfast repo add main --path /srv/backup --keep 3y",
		Args:    exact(1),
		RunE: with(func(cmd *cobra.Command, c *client, args []string) error {
			abs, err := filepath.Abs(path)
			if err != nil {
				return err
			}
			body := map[string]any{"name": args[0], "path": abs, "description": description}
			if err := retention(keep, body); err != nil {
				return err
			}
			var proxies []struct {
				ID string `json:"id"`
			}
			if proxies, err = list[struct {
				ID string `json:"id"`
			}](cmd.Context(), c, "/Proxies", nil, 0); err != nil {
				return err
			} else if len(proxies) == 0 {
				return errors.New("the server has no proxy")
			}
			body["proxyId"] = proxies[0].ID
			var r repository
			if err := c.call(cmd.Context(), http.MethodPost, "/BackupRepositories", body, &r); err != nil {
				return err
			}
			return done(cmd, r, "made repository %s in %s, restore points are kept %s\nnext: holdfast job add NAME, and after the first backup: holdfast repo kit %s --out %s-kit.age", r.Name, r.Path, r.keeps(), r.Name, r.Name)
		}),
	}
	f := cmd.Flags()
	f.StringVar(&path, "path", "", "folder on the server")
	f.StringVar(&keep, "keep", "3y", "how long restore points are kept: 30d, 6m, 3y, forever")
	f.StringVar(&description, "description", "", "for people")
	cobra.CheckErr(cmd.MarkFlagRequired("path"))
	return cmd
}

func newRepoSetCommand() *cobra.Command {
	var keep, description, rename string
	cmd := &cobra.Command{
		Use:   "set NAME",
		Short: "Change how long a repository keeps restore points, its name or its description",
		Long: `Change how long a repository keeps restore points, its name or its description. A shorter time lets restore points expire at the next
retention run: what is gone then is gone.`,
		Example: "  holdfast repo set main --keep 5y",
		Args:    exact(1),
		RunE: with(func(cmd *cobra.Command, c *client, args []string) error {
			r, err := repositoryNamed(cmd, c, args[0])
			if err != nil {
				return err
			}
			body := map[string]any{}
			if cmd.Flags().Changed("keep") {
				if err := retention(keep, body); err != nil {
					return err
				}
			}
			if cmd.Flags().Changed("description") {
				body["description"] = description
			}
			if rename != "" {
				body["name"] = rename
			}
			if len(body) == 0 {
				return errors.New("say what to change: --keep, --description or --name")
			}
			if err := c.call(cmd.Context(), http.MethodPut, join("BackupRepositories", r.ID), body, nil); err != nil {
				return err
			}
			if r, err = repositoryNamed(cmd, c, r.ID); err != nil {
				return err
			}
			return done(cmd, r, "repository %s keeps restore points %s", r.Name, r.keeps())
		}),
	}
	f := cmd.Flags()
	f.StringVar(&keep, "keep", "", "how long restore points are kept: 30d, 6m, 3y, forever")
	f.StringVar(&description, "description", "", "for people")
	f.StringVar(&rename, "name", "", "another name")
	return cmd
}

func newRepoListCommand() *cobra.Command {
	return &cobra.Command{
		Use: "list", Short: "List the repositories", Args: exact(0),
		RunE: with(func(cmd *cobra.Command, c *client, _ []string) error {
			all, err := list[repository](cmd.Context(), c, "/BackupRepositories", nil, 0)
			if err != nil {
				return err
			}
			c.warn(cmd)
			return show(cmd, all, []string{"name", "path", "kept", "free", "capacity", "id"}, func(r repository) []any {
				return []any{r.Name, r.Path, r.keeps(), size(r.Free), size(r.Capacity), r.ID}
			}, `no repository yet: make one with "holdfast repo add NAME --path DIR"`)
		}),
	}
}

func newRepoKitCommand() *cobra.Command {
	var out, passphraseFile string
	var recipients []string
	cmd := &cobra.Command{
		Use:   "kit NAME --out FILE",
		Short: "Export a repository's recovery kit",
		Long: `Export the recovery kit of a repository: an age file, encrypted to a passphrase or to age recipients. The repository and its
kit bring everything back when the server is lost ("holdfast vault rebuild"). Without the kit, losing the server loses the backups.`,
		Args: exact(1),
		RunE: with(func(cmd *cobra.Command, c *client, args []string) error {
			if _, err := os.Lstat(out); err == nil {
				return fmt.Errorf("%s is there already: choose another name", out)
			}
			r, err := repositoryNamed(cmd, c, args[0])
			if err != nil {
				return err
			}
			body := map[string]any{"recipients": recipients}
			if len(recipients) == 0 {
				p, err := readSecret(cmd, passphraseFile, "Passphrase for the kit: ")
				if err != nil {
					return err
				}
				body["passphrase"] = p
			}
			resp, err := c.send(cmd.Context(), http.MethodPost, "/holdfast/v1/BackupRepositories/"+r.ID+"/RecoveryKit", body)
			if err != nil {
				return err
			}
			defer resp.Body.Close()
			raw, err := io.ReadAll(resp.Body)
			if err != nil {
				return err
			}
			if err := writeFile(out, raw); err != nil {
				return err
			}
			return done(cmd, map[string]string{"file": out}, "wrote the recovery kit to %s: keep it apart from the server and the repository", out)
		}),
	}
	f := cmd.Flags()
	f.StringVar(&out, "out", "", "file to write")
	f.StringVar(&passphraseFile, "passphrase-file", "", "file with the passphrase, - for standard input (default: ask)")
	f.StringSliceVar(&recipients, "recipient", nil, "age recipient (age1…) instead of a passphrase; may be given several times")
	cobra.CheckErr(cmd.MarkFlagRequired("out"))
	return cmd
}

func newRepoRemoveCommand() *cobra.Command {
	return &cobra.Command{
		Use: "remove NAME", Short: "Forget a repository; the files in its folder stay", Args: exact(1),
		RunE: with(func(cmd *cobra.Command, c *client, args []string) error {
			r, err := repositoryNamed(cmd, c, args[0])
			if err != nil {
				return err
			}
			if err := c.call(cmd.Context(), http.MethodDelete, join("BackupRepositories", r.ID), nil, nil); err != nil {
				return err
			}
			return done(cmd, r, "removed repository %s; the files in %s are still there", r.Name, r.Path)
		}),
	}
}
