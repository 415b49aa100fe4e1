package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"
)

// newRootCommand joins the commands: one file each, one line here.
func newRootCommand() *cobra.Command {
	root := &cobra.Command{
		Use:   "holdfast",
		Short: "Backup and restore for Microsoft 365, on storage that you own",
		Long: `Backup and restore for Microsoft 365, on storage that you own.

Every flag may also stand in holdfast.yaml (./, ~/.config/holdfast/ or /etc/holdfast/, the first that is there, or --config FILE) and in a
variable HOLDFAST_…: --m365-dial is HOLDFAST_M365_DIAL. A flag goes before a variable, a variable before the file.`,
		Version:       version,
		SilenceUsage:  true,
		SilenceErrors: true,
		PersistentPreRunE: func(cmd *cobra.Command, _ []string) error {
			return configure(cmd)
		},
	}
	root.PersistentFlags().Bool("json", false, "answer in JSON")
	root.PersistentFlags().String("config", "", "file with values of flags (default: the first holdfast.yaml of ./, ~/.config/holdfast/, /etc/holdfast/)")
	group := func(id, title string, commands ...*cobra.Command) {
		root.AddGroup(&cobra.Group{ID: id, Title: title + ":"})
		for _, c := range commands {
			c.GroupID = id
			root.AddCommand(c)
		}
	}
	group("everyday", "Everyday", newLoginCommand(), newLogoutCommand(), newJobCommand(), newSessionCommand(), newPointCommand(), newExploreCommand(), newSearchCommand(), newSavedSearchCommand(), newCompareCommand(), newRestoreCommand(), newBasketCommand())
	group("administration", "Administration", newServerCommand(), newOrgCommand(), newExclusionCommand(), newRepoCommand(), newProxyCommand(), newLicenseCommand(), newUserCommand(), newKeyCommand(), newRoleCommand(), newPortalCommand(), newAuditCommand(), newPortsCommand(), newOperationsCommand())
	group("tools", "Tools", newVaultCommand(), newDemoCommand(), newSimCommand())
	root.SetHelpCommandGroupID("tools")
	root.SetCompletionCommandGroupID("tools")
	for _, c := range root.Commands() {
		if !c.Runnable() {
			c.SuggestionsMinimumDistance = 2
			c.Args, c.RunE = subcommand, func(cmd *cobra.Command, _ []string) error { return cmd.Help() }
		}
	}
	return root
}

// subcommand refuses what a group of commands does not know; a script that writes it must not see success.
func subcommand(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	if near := cmd.SuggestionsFor(args[0]); len(near) > 0 {
		return fmt.Errorf("unknown command %q for %q; did you mean %s?", args[0], cmd.CommandPath(), strings.Join(near, ", "))
	}
	return fmt.Errorf("unknown command %q for %q: \"%s --help\" lists what there is", args[0], cmd.CommandPath(), cmd.CommandPath())
}

// exact demands n arguments.
func exact(n int) cobra.PositionalArgs { return between(n, n) }

// between demands from low to high arguments and shows how the command is written.
func between(low, high int) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) >= low && len(args) <= high {
			return nil
		}
		return fmt.Errorf("%s given; write: %s", count(len(args), "argument"), cmd.UseLine())
	}
}
