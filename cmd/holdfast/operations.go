package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"holdfast/internal/rest"
)

// operations is what `holdfast operations --json` answers.
type operations struct {
	Total      int              `json:"total"`
	Built      int              `json:"built"`
	Operations []rest.Operation `json:"operations"`
}

func newOperationsCommand() *cobra.Command {
	var all bool
	cmd := &cobra.Command{
		Use:   "operations [WORD]",
		Short: "Count the operations of the REST API that are built, with a reason for each one that is not",
		Long: `Count the operations of the REST API that this version has, and list those that it does not have, each with the reason. What is not
built answers 409 with the same reason. A word narrows the list to ids and paths that have it; --json has methods and paths too.`,
		Example: `  holdfast operations
  holdfast operations --all OneDrive`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			out := operations{Operations: []rest.Operation{}}
			word := strings.ToLower(strings.Join(args, ""))
			for _, op := range rest.Operations() {
				out.Total++
				if op.Built {
					out.Built++
				}
				if (all || !op.Built) && strings.Contains(strings.ToLower(op.ID+" "+op.Path), word) {
					out.Operations = append(out.Operations, op)
				}
			}
			if wantsJSON(cmd) {
				return printJSON(cmd, out)
			}
			if err := show(cmd, out.Operations, []string{"operation", "why it is not built"}, func(op rest.Operation) []any {
				return []any{op.ID, dash(op.Why)}
			}, "no such operation"); err != nil {
				return err
			}
			_, err := fmt.Fprintf(cmd.OutOrStdout(), "%d of %d operations are built, %d are not\n", out.Built, out.Total, out.Total-out.Built)
			return err
		},
	}
	cmd.Flags().BoolVar(&all, "all", false, "list those that are built too")
	return cmd
}
