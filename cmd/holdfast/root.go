package main

import (
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// newRootCommand joins the commands: one file each, one line here.
func newRootCommand() *cobra.Command {
	root := &cobra.Command{
		Use:           "holdfast",
		Short:         "Backup and restore for Microsoft 365, on storage that you own",
		SilenceUsage:  true,
		SilenceErrors: true,
		PersistentPreRunE: func(cmd *cobra.Command, _ []string) error {
			return flagsFromEnvironment(cmd.Flags())
		},
	}
	root.PersistentFlags().Bool("json", false, "answer in JSON")
	root.AddCommand(
		newLoginCommand(), newLogoutCommand(), newOrgCommand(), newRepoCommand(), newJobCommand(), newSessionCommand(), newPointCommand(),
		newExploreCommand(), newSearchCommand(), newRestoreCommand(), newProxyCommand(), newLicenseCommand(), newPortsCommand(), newServerCommand(), newDemoCommand(), newVaultCommand(),
		newSimCommand(),
	)
	return root
}

// flagsFromEnvironment gives every flag that the command line leaves out the value of its HOLDFAST_… variable.
func flagsFromEnvironment(flags *pflag.FlagSet) error {
	var first error
	flags.VisitAll(func(f *pflag.Flag) {
		name := "HOLDFAST_" + strings.ToUpper(strings.ReplaceAll(f.Name, "-", "_"))
		v, ok := os.LookupEnv(name)
		if !ok || f.Changed || first != nil {
			return
		}
		if err := flags.Set(f.Name, v); err != nil {
			first = fmt.Errorf("variable %s: %w", name, err)
		}
	})
	return first
}
