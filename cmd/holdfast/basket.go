package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/spf13/cobra"

	"holdfast/internal/holdfast"
	"holdfast/internal/sys"
)

type basket struct {
	ID      string      `json:"id"`
	Name    string      `json:"name"`
	Created *time.Time  `json:"created"`
	Runs    []basketRun `json:"runs"`
}

// basketRun is a restore of everything in a basket.
type basketRun struct {
	ID       string         `json:"id"`
	Started  *time.Time     `json:"started"`
	Status   string         `json:"status,omitzero"`
	Restored int64          `json:"restored"`
	Skipped  int64          `json:"skipped"`
	Failed   int64          `json:"failed"`
	Parts    []basketPart   `json:"parts"`
	Results  []basketResult `json:"results"`
}

// basketPart is the part of a run that is of one mailbox or OneDrive at one restore point.
type basketPart struct {
	Session string `json:"restoreSessionId,omitzero"`
	Request string `json:"requestId,omitzero"`
	Error   string `json:"error,omitzero"`
}

type basketResult struct {
	Entry   string `json:"entryId,omitzero"`
	Session string `json:"restoreSessionId,omitzero"`
	Item    string `json:"itemId"`
	Name    string `json:"name"`
	Status  string `json:"status"`
	Message string `json:"message,omitzero"`
	Outcome string `json:"outcome,omitzero"`
}

type basketEntry struct {
	ID      string     `json:"id"`
	Item    string     `json:"itemId"`
	Kind    string     `json:"kind"`
	Name    string     `json:"name"`
	Path    string     `json:"path"`
	Size    int64      `json:"size"`
	Time    *time.Time `json:"time,omitzero"`
	Point   string     `json:"restorePointId"`
	Owner   string     `json:"owner"`
	Address string     `json:"address"`
}

const basketsPath = ownAPI + "/Baskets"

func (b basket) path(parts ...string) string {
	return basketsPath + join(append([]string{b.ID}, parts...)...)
}

func newBasketCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "basket",
		Short: "Baskets: gather mails and files of several users and restore points, and restore or save them as one",
		Long: `Gather mails and files of several users and restore points in a basket, and restore or save them as one. What is in a basket stays as the restore
point has it. Baskets are their maker's own.`,
		Example: `  holdfast basket add move
  holdfast basket put move --user ada --query 'subject:budget'
  holdfast basket put move --user bob --files --at 2026-01-31 Documents/Plans
  holdfast basket restore move --dry-run
  holdfast basket restore move`,
	}
	cmd.AddCommand(newBasketAddCommand(), newBasketListCommand(), newBasketPutCommand(), newBasketShowCommand(), newBasketTakeCommand(), newBasketRestoreCommand(), newBasketResultsCommand(), newBasketSaveCommand(), newBasketRemoveCommand())
	return cmd
}

func newBasketAddCommand() *cobra.Command {
	return &cobra.Command{
		Use: "add NAME", Short: "Make an empty basket", Args: exact(1),
		RunE: with(func(cmd *cobra.Command, c *client, args []string) error {
			var made basket
			if err := c.call(cmd.Context(), http.MethodPost, basketsPath, map[string]any{"name": args[0]}, &made); err != nil {
				return err
			}
			return done(cmd, made, "basket %s is there\nnext: holdfast basket put NAME --user USER PATH", clean(made.Name))
		}),
	}
}

func baskets(ctx context.Context, c *client) ([]basket, error) {
	return list[basket](ctx, c, basketsPath, nil, 0)
}

func basketNamed(ctx context.Context, c *client, name string) (basket, error) {
	all, err := baskets(ctx, c)
	if err != nil {
		return basket{}, err
	}
	return pick("basket", "basket", all, name, func(b basket) []string { return []string{b.ID, b.Name} })
}

// withBasket gives run the basket that the first argument names.
func withBasket(run func(cmd *cobra.Command, c *client, b basket, args []string) error) func(*cobra.Command, []string) error {
	return with(func(cmd *cobra.Command, c *client, args []string) error {
		b, err := basketNamed(cmd.Context(), c, args[0])
		if err != nil {
			return err
		}
		return run(cmd, c, b, args[1:])
	})
}

func newBasketListCommand() *cobra.Command {
	return &cobra.Command{
		Use: "list", Short: "List your baskets, newest first", Args: exact(0),
		RunE: with(func(cmd *cobra.Command, c *client, _ []string) error {
			all, err := baskets(cmd.Context(), c)
			if err != nil {
				return err
			}
			return show(cmd, all, []string{"name", "made", "restored", "id"}, func(b basket) []any {
				restored := "-"
				if len(b.Runs) > 0 {
					restored = when(b.Runs[0].Started)
				}
				return []any{cut(b.Name, 60), when(b.Created), restored, b.ID}
			}, `no basket yet: make one with "holdfast basket add NAME"`)
		}),
	}
}

func newBasketPutCommand() *cobra.Command {
	var l lookAt
	var s selection
	cmd := &cobra.Command{
		Use:   "put NAME [PATH…]",
		Short: "Put mails, files or folders of a user into a basket",
		Example: `  holdfast basket put move --user ada --query 'subject:budget'
  holdfast basket put move --user ada --files --at 2026-01-31 Documents/Reports`,
		Args: cobra.MinimumNArgs(1),
		RunE: withBasket(func(cmd *cobra.Command, c *client, b basket, paths []string) error {
			ctx := cmd.Context()
			e, err := l.enter(cmd, c)
			if err != nil {
				return err
			}
			defer e.stop(ctx)
			things, err := s.things(ctx, e, paths)
			if err != nil {
				return err
			}
			if len(things) == 0 {
				return errors.New("nothing is selected: name paths, --id or --query")
			}
			items := make([]string, len(things))
			for i, t := range things {
				items[i] = t.ID
			}
			var added []basketEntry
			if err := c.call(ctx, http.MethodPost, b.path("Items"), map[string]any{"restoreSessionId": e.session, "containerId": e.object, "items": items}, &added); err != nil {
				return err
			}
			return done(cmd, added, "basket %s has %s of %s", clean(b.Name), count(len(added), "item"), clean(e.name))
		}),
	}
	l.flags(cmd)
	s.flags(cmd)
	return cmd
}

func newBasketShowCommand() *cobra.Command {
	return &cobra.Command{
		Use: "show NAME", Short: "List what is in a basket", Args: exact(1),
		RunE: withBasket(func(cmd *cobra.Command, c *client, b basket, _ []string) error {
			all, err := list[basketEntry](cmd.Context(), c, b.path("Items"), nil, 0)
			if err != nil {
				return err
			}
			return show(cmd, all, []string{"kind", "name", "of", "time", "size", "id"}, func(e basketEntry) []any {
				return []any{e.Kind, cut(e.Name, 60), cut(e.Address, 60), when(e.Time), size(e.Size), e.ID}
			}, `the basket is empty: "holdfast basket put --help" shows how to fill it`)
		}),
	}
}

func newBasketTakeCommand() *cobra.Command {
	return &cobra.Command{
		Use: "take NAME ITEM…", Short: "Take items out of a basket, by their names or the ids that \"basket show\" lists", Args: cobra.MinimumNArgs(2),
		RunE: withBasket(func(cmd *cobra.Command, c *client, b basket, names []string) error {
			all, err := list[basketEntry](cmd.Context(), c, b.path("Items"), nil, 0)
			if err != nil {
				return err
			}
			taken := make([]basketEntry, len(names)) // all are known before the first is taken out
			for i, name := range names {
				if taken[i], err = pick("item", "basket show "+b.ID, all, name, func(e basketEntry) []string { return []string{e.ID, e.Name} }); err != nil {
					return err
				}
			}
			for _, e := range taken {
				if err := c.call(cmd.Context(), http.MethodDelete, b.path("Items", e.ID), nil, nil); err != nil {
					return err
				}
			}
			return done(cmd, taken, "%s taken out of basket %s", count(len(taken), "item"), clean(b.Name))
		}),
	}
}

func newBasketRestoreCommand() *cobra.Command {
	var p place
	var reason string
	var dry bool
	cmd := &cobra.Command{
		Use:   "restore NAME",
		Short: "Give everything in a basket back and wait for the result of each item",
		Long: `Give everything in a basket back and wait for the result of each item. What is still there and unchanged is left alone. The basket stays as it is, so that
what failed can be tried again.`,
		Example: `  holdfast basket restore move --dry-run
  holdfast basket restore move --to bob@contoso.com --folder "From Ada" --reason "ticket 4711"`,
		Args: exact(1),
		RunE: withBasket(func(cmd *cobra.Command, c *client, b basket, _ []string) error {
			// Of what differs: "keepBoth" would make a second copy of mails that are equal.
			body := map[string]any{"to": p.to, "folder": p.folder, "mode": "overwrite", "overwriteNewer": p.overwrite, "reason": reason}
			if dry {
				var plan planned
				if err := c.inquire(cmd, b.path("Plan"), body, &plan); err != nil {
					return err
				}
				return plan.show(cmd)
			}
			var run basketRun
			if err := c.call(cmd.Context(), http.MethodPost, b.path("Restore"), body, &run); err != nil {
				return err
			}
			return b.results(cmd, c, run.ID)
		}),
	}
	f := cmd.Flags()
	f.BoolVar(&dry, "dry-run", false, "only tell what would be done and what it takes")
	f.StringVar(&p.to, "to", "", "restore everything to this user instead of to its owners")
	f.StringVar(&p.folder, "folder", "", "restore into this folder, with \"/\" between names (default: the original places)")
	f.BoolVar(&p.overwrite, "overwrite", false, "replace what was changed since, also when it is newer")
	f.StringVar(&reason, "reason", "", "why; it is kept with the restore")
	return cmd
}

// results waits until a run has ended and shows what became of each item.
func (b basket) results(cmd *cobra.Command, c *client, id string) error {
	ctx := cmd.Context()
	at := b.path("Runs", id)
	var run basketRun
	for {
		if err := c.get(ctx, at+"?limit=1", &run); err != nil {
			return interrupted(ctx, err)
		}
		if run.Status != "Running" {
			break
		}
		if err := sys.System.Sleep(ctx, 300*time.Millisecond); err != nil {
			return interrupted(ctx, err)
		}
	}
	var err error
	if run.Results, err = list[basketResult](ctx, c, at, nil, 0); err != nil {
		return err
	}
	whole, err := run.failed(ctx, c)
	if err != nil {
		return err
	}
	run.Results = append(run.Results, whole...)
	if wantsJSON(cmd) {
		err = printJSON(cmd, run)
	} else if err = show(cmd, run.Results, []string{"result", "what", "message"}, func(r basketResult) []any {
		return []any{r.Status, cut(r.Name, 60), cut(r.Message, 120)}
	}, "nothing was restored"); err == nil {
		var there int64 // the server counts it with what is restored
		for _, r := range run.Results {
			if r.Status == "Success" && r.Outcome == "existing" {
				there++
			}
		}
		_, err = fmt.Fprintf(cmd.OutOrStdout(), "%d restored, %d there already, %d skipped, %d failed\n", run.Restored-there, there, run.Skipped, run.Failed)
	}
	switch {
	case err != nil:
		return err
	case run.Failed > 0:
		return &exitError{code: 1, err: fmt.Errorf("%d could not be restored", run.Failed)}
	case len(whole) > 0:
		return &exitError{code: 1, err: errors.New("not everything could be restored: put right what the messages say, and restore the basket again")}
	}
	return nil
}

// failed gives the parts that failed as a whole, with the reason.
func (run *basketRun) failed(ctx context.Context, c *client) ([]basketResult, error) {
	var out []basketResult
	for _, p := range run.Parts {
		if p.Error != "" || run.Status == "Success" { // an error is a result of each of its items
			continue
		}
		var e restoreEvent
		if err := c.get(ctx, join("RestoreSessions", p.Session, "Events", holdfast.DerivedID(p.Session, p.Request)), &e); err != nil {
			return nil, err
		}
		if e.Status == "Failed" {
			out = append(out, basketResult{Session: p.Session, Name: e.Title, Status: e.Status, Message: e.Message})
		}
	}
	return out, nil
}

func newBasketResultsCommand() *cobra.Command {
	return &cobra.Command{
		Use: "results NAME", Short: "Show what became of each item in a basket's newest restore", Args: exact(1),
		RunE: withBasket(func(cmd *cobra.Command, c *client, b basket, _ []string) error {
			if len(b.Runs) == 0 {
				return fmt.Errorf("basket %s was not restored yet: restore it with \"holdfast basket restore\"", clean(b.Name))
			}
			return b.results(cmd, c, b.Runs[0].ID)
		}),
	}
}

func newBasketSaveCommand() *cobra.Command {
	var out string
	cmd := &cobra.Command{
		Use: "save NAME", Short: "Save everything in a basket as one ZIP with a manifest of hashes", Args: exact(1),
		RunE: withBasket(func(cmd *cobra.Command, c *client, b basket, _ []string) error {
			resp, err := c.send(cmd.Context(), http.MethodGet, b.path("Content"), nil)
			if err != nil {
				return err
			}
			defer resp.Body.Close()
			return saveAnswer(cmd, resp, out)
		}),
	}
	cmd.Flags().StringVar(&out, "out", "", "file to write; - is standard output (default: the name that the server gives)")
	return cmd
}

func newBasketRemoveCommand() *cobra.Command {
	return &cobra.Command{
		Use: "remove NAME", Short: "Remove a basket; what it restored stays restored", Args: exact(1),
		RunE: withBasket(func(cmd *cobra.Command, c *client, b basket, _ []string) error {
			if err := c.call(cmd.Context(), http.MethodDelete, b.path(), nil, nil); err != nil {
				return err
			}
			return done(cmd, b, "basket %s is removed", clean(b.Name))
		}),
	}
}
