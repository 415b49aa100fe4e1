package main

import (
	"errors"
	"net/http"
	"strings"

	"github.com/spf13/cobra"
)

// folderExclusions are the folders that no job backs up; a nil one is left as it is.
type folderExclusions struct {
	DeletedItems *bool `json:"deletedItems,omitempty"`
	Drafts       *bool `json:"drafts,omitempty"`
	JunkEmail    *bool `json:"junkEmail,omitempty"`
	Outbox       *bool `json:"outbox,omitempty"`
	SyncIssues   *bool `json:"syncIssues,omitempty"`
}

// parts pairs each folder with its flag and its name for people.
func (e *folderExclusions) parts() []struct {
	at          **bool
	flag, title string
} {
	return []struct {
		at          **bool
		flag, title string
	}{{&e.DeletedItems, "deleted-items", "Deleted Items"}, {&e.Drafts, "drafts", "Drafts"}, {&e.JunkEmail, "junk-email", "Junk Email"}, {&e.Outbox, "outbox", "Outbox"}, {&e.SyncIssues, "sync-issues", "Sync Issues"}}
}

// retentionExclusion is what retention spares.
type retentionExclusion struct {
	Contacts bool `json:"contacts"`
	Calendar bool `json:"calendar"`
}

func (e retentionExclusion) String() string {
	var spared []string
	if e.Contacts {
		spared = append(spared, "contacts")
	}
	if e.Calendar {
		spared = append(spared, "calendar")
	}
	return nothingOr(spared)
}

func nothingOr(names []string) string {
	if len(names) == 0 {
		return "nothing"
	}
	return strings.Join(names, ", ")
}

const (
	folderExclusionPath    = "/ExclusionSettings"
	retentionExclusionPath = "/GlobalRetentionExclusionSettings"
)

func newExclusionCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "exclusion", Short: "What no job backs up, and what retention spares"}
	cmd.AddCommand(newExclusionShowCommand(), newExclusionFoldersCommand(), newExclusionRetentionCommand())
	return cmd
}

func newExclusionShowCommand() *cobra.Command {
	var org string
	cmd := &cobra.Command{
		Use: "show", Short: "Show the exclusions that hold for all jobs", Args: exact(0),
		RunE: with(func(cmd *cobra.Command, c *client, _ []string) error {
			var all struct {
				Folders   folderExclusions   `json:"folders"`
				Retention retentionExclusion `json:"retention"`
			}
			if err := c.get(cmd.Context(), folderExclusionPath, &all.Folders); err != nil {
				return err
			}
			path, whose := retentionExclusionPath, ""
			if org != "" {
				o, err := organizationNamed(cmd, c, org)
				if err != nil {
					return err
				}
				path, whose = join("Organizations", o.ID, "RetentionExclusion"), " of "+o.Name
			}
			if err := c.get(cmd.Context(), path, &all.Retention); err != nil {
				return err
			}
			var left []string
			for _, p := range all.Folders.parts() {
				if *p.at != nil && **p.at {
					left = append(left, p.title)
				}
			}
			return done(cmd, all, "left out of all backups   %s\nspared by retention%s   %s", nothingOr(left), whose, all.Retention)
		}),
	}
	cmd.Flags().StringVar(&org, "org", "", "what retention spares of this organization")
	return cmd
}

func newExclusionFoldersCommand() *cobra.Command {
	values := map[string]*bool{}
	cmd := &cobra.Command{
		Use: "folders", Short: "Choose folders of mailboxes that no job backs up",
		Long: `Choose folders of mailboxes that no job backs up, with the folders in them, whatever a job selects. It takes effect with the next run of each job.
Restore points that there are keep what they have of such a folder; those made from then on do not have it. What is not named stays as it is.`,
		Example: `  holdfast exclusion folders --junk-email --deleted-items
  holdfast exclusion folders --junk-email=false`,
		Args: exact(0),
		RunE: with(func(cmd *cobra.Command, c *client, _ []string) error {
			var e folderExclusions
			named := false
			for _, p := range e.parts() {
				if cmd.Flags().Changed(p.flag) {
					*p.at, named = values[p.flag], true
				}
			}
			if !named {
				return errors.New("name at least one folder, for example --junk-email or --junk-email=false")
			}
			if err := c.call(cmd.Context(), http.MethodPut, folderExclusionPath, e, nil); err != nil {
				return err
			}
			return done(cmd, e, "changed; it takes effect with the next run of each job\nnext: holdfast exclusion show")
		}),
	}
	for _, p := range (&folderExclusions{}).parts() {
		values[p.flag] = cmd.Flags().Bool(p.flag, false, "leave "+p.title+" out")
	}
	return cmd
}

func newExclusionRetentionCommand() *cobra.Command {
	var e retentionExclusion
	var org string
	var inherit bool
	cmd := &cobra.Command{
		Use: "retention", Short: "Choose what retention spares",
		Long: `Choose what of mailboxes retention spares, in all organizations or (--org) in one, for which that of all does not hold then. What is not named is not
spared. Restore points expire whole: while contacts or calendars are spared, restore points that hold mailboxes do not expire, and their mail stays
with them.`,
		Example: `  holdfast exclusion retention --contacts --calendar
  holdfast exclusion retention --org contoso --inherit`,
		Args: exact(0),
		RunE: with(func(cmd *cobra.Command, c *client, _ []string) error {
			if inherit && (org == "" || e.Contacts || e.Calendar) {
				return errors.New("--inherit needs --org, and goes with neither --contacts nor --calendar")
			}
			path, whose := retentionExclusionPath, "all organizations"
			if org != "" {
				o, err := organizationNamed(cmd, c, org)
				if err != nil {
					return err
				}
				path, whose = join("Organizations", o.ID, "RetentionExclusion"), o.Name
			}
			if inherit {
				if err := c.call(cmd.Context(), http.MethodDelete, path, nil, nil); err != nil {
					return err
				}
				return done(cmd, map[string]any{"organization": whose, "inherits": true}, "for %s holds what holds for all organizations", whose)
			}
			if err := c.call(cmd.Context(), http.MethodPut, path, e, nil); err != nil {
				return err
			}
			note := ""
			if e.Contacts || e.Calendar {
				note = "\nrestore points that hold mailboxes do not expire while this holds"
			}
			return done(cmd, e, "retention of %s spares: %s%s", whose, e, note)
		}),
	}
	cmd.Flags().BoolVar(&e.Contacts, "contacts", false, "spare contacts")
	cmd.Flags().BoolVar(&e.Calendar, "calendar", false, "spare calendars")
	cmd.Flags().StringVar(&org, "org", "", "of this organization only")
	cmd.Flags().BoolVar(&inherit, "inherit", false, "have what holds for all organizations hold for --org again")
	return cmd
}
