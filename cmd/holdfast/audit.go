package main

import (
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"time"

	"github.com/spf13/cobra"
)

func newAuditCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "audit", Short: "The chain of security-relevant acts: who did what, and whether it is whole"}
	cmd.AddCommand(newAuditListCommand(), newAuditVerifyCommand())
	return cmd
}

func newAuditListCommand() *cobra.Command {
	var most int
	cmd := &cobra.Command{
		Use: "list", Short: "List the acts, newest first", Args: exact(0),
		RunE: with(func(cmd *cobra.Command, c *client, _ []string) error {
			type entry struct {
				Number  int64      `json:"number"`
				Time    *time.Time `json:"time"`
				Actor   string     `json:"actor"`
				Address string     `json:"address"`
				Act     string     `json:"act"`
				Object  string     `json:"object"`
				Detail  string     `json:"detail"`
				Hash    string     `json:"hash"`
			}
			all, err := list[entry](cmd.Context(), c, "/holdfast/v1/Audit", nil, most)
			if err != nil {
				return err
			}
			return show(cmd, all, []string{"no", "time", "who", "from", "act", "what"}, func(e entry) []any {
				return []any{e.Number, when(e.Time), clean(e.Actor), clean(e.Address), e.Act, cut(clean(e.Detail), 80)}
			}, "no entry")
		}),
	}
	cmd.Flags().IntVar(&most, "limit", 50, "at most so many (0: all)")
	return cmd
}

func newAuditVerifyCommand() *cobra.Command {
	var number int64
	var hash string
	cmd := &cobra.Command{
		Use:   "verify",
		Short: "Walk the chain of hashes and name the first entry that is wrong or missing",
		Long: `Walk the chain of hashes in the server from its first entry. An entry that was changed, removed or reordered is named, and the exit status is 1.

By itself the chain can't show that its newest entries were cut off, or that somebody who can write the database wrote it anew from some entry on. A head that
you keep elsewhere shows that up to it: note down the number and hash that this command prints, and give them with --number and --hash the next time.`,
		Example: "  holdfast audit verify --number 1200 --hash 5be1…",
		Args:    exact(0),
		RunE: with(func(cmd *cobra.Command, c *client, _ []string) error {
			path := "/holdfast/v1/Audit/Verification"
			if (number == 0) != (hash == "") {
				return errors.New("give --number and --hash together: both are of one entry that you noted down")
			}
			if number != 0 {
				path += "?" + url.Values{"number": {strconv.FormatInt(number, 10)}, "hash": {hash}}.Encode()
			}
			var v struct {
				Sound   bool     `json:"sound"`
				Entries int64    `json:"entries"`
				Hash    string   `json:"hash"`
				Broken  int64    `json:"firstBroken,omitempty"`
				What    string   `json:"what,omitempty"`
				Remarks []string `json:"remarks"`
			}
			if err := c.get(cmd.Context(), path, &v); err != nil {
				return err
			}
			if wantsJSON(cmd) {
				if err := printJSON(cmd, v); err != nil {
					return err
				}
			} else {
				out := cmd.OutOrStdout()
				if v.Sound {
					fmt.Fprintf(out, "sound: %d entries; the last one's number and hash, to be kept elsewhere: %d %s\n", v.Entries, v.Entries, v.Hash)
				} else {
					fmt.Fprintf(out, "BROKEN at entry %d: %s; the %d before it are as they were written\n", v.Broken, v.What, v.Entries)
				}
				for _, s := range v.Remarks {
					fmt.Fprintln(out, "remark:", s)
				}
			}
			if !v.Sound {
				return &exitError{code: exitDamaged}
			}
			return nil
		}),
	}
	cmd.Flags().Int64Var(&number, "number", 0, "number of an entry that you noted down")
	cmd.Flags().StringVar(&hash, "hash", "", "the hash that it had")
	return cmd
}
