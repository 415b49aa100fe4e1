package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"
)

// own is the path of the user's mailbox or OneDrive in our own part of the API.
func (e *explorer) own(parts ...string) string {
	return "/holdfast/v1" + join(append([]string{"RestoreSessions", e.session, "Containers", e.object}, parts...)...)
}

// one is the single thing that a path or --id names.
func (s *selection) one(ctx context.Context, e *explorer, paths []string) (thing, error) {
	things, err := s.things(ctx, e, paths)
	if err != nil {
		return thing{}, err
	}
	if len(things) != 1 {
		return thing{}, fmt.Errorf("name one mail or file, not %d", len(things))
	}
	return things[0], nil
}

type pointOf struct {
	ID   string     `json:"restorePointId"`
	Time *time.Time `json:"time"`
}

// itemVersion is one version of an item over all restore points.
type itemVersion struct {
	ID      string     `json:"id"`
	Name    string     `json:"name"`
	Time    *time.Time `json:"time"`
	Stored  int64      `json:"storedSize"`
	Newest  pointOf    `json:"newestRestorePoint"`
	Oldest  pointOf    `json:"oldestRestorePoint"`
	Current bool       `json:"current"`
}

func newExploreVersionsCommand() *cobra.Command {
	var l lookAt
	var s selection
	cmd := &cobra.Command{
		Use:   "versions [PATH]",
		Short: "List the versions of one mail or file over all restore points",
		Example: `  holdfast explore versions --user ada --files Documents/plan.docx
  holdfast explore versions --user ada --query 'subject:"the budget"'`,
		Args: between(0, 1),
		RunE: with(func(cmd *cobra.Command, c *client, args []string) error {
			ctx := cmd.Context()
			e, err := l.enter(cmd, c)
			if err != nil {
				return err
			}
			defer e.stop(ctx)
			t, err := s.one(ctx, e, args)
			if err != nil {
				return err
			}
			all, err := list[itemVersion](ctx, c, e.own("Items", t.ID, "Versions"), nil, 0)
			if err != nil {
				return err
			}
			return show(cmd, all, []string{"name", "time", "size", "in restore points from", "until", "shown", "id"}, func(v itemVersion) []any {
				shown := "-"
				if v.Current {
					shown = "here"
				}
				return []any{cut(v.Name, 50), when(v.Time), size(v.Stored), when(v.Oldest.Time), when(v.Newest.Time), shown, v.ID}
			}, "no restore point has it")
		}),
	}
	l.flags(cmd)
	s.flags(cmd)
	return cmd
}

type comparedItem struct {
	Path string     `json:"path"`
	Kind string     `json:"kind"`
	Size int64      `json:"size"`
	Time *time.Time `json:"time"`
}

type difference struct {
	Kind       string        `json:"kind"`
	ID         string        `json:"id"`
	Before     *comparedItem `json:"before,omitempty"`
	After      *comparedItem `json:"after,omitempty"`
	Properties []string      `json:"properties,omitempty"`
}

func (d difference) path() string {
	if d.Before != nil {
		return d.Before.Path
	}
	return d.After.Path
}

func newCompareCommand() *cobra.Command {
	var l lookAt
	var against string
	var live bool
	var most int
	cmd := &cobra.Command{
		Use:   "compare [FOLDER]",
		Short: "Tell what differs between a restore point and another one, or Microsoft 365 as it is now",
		Long: `Tell what differs between what a restore point (--at) has of a mailbox or OneDrive, or of one folder, and another restore point (--with) or what
Microsoft 365 has now (--live). "added" is what only the other side has, "removed" what only the restore point has.`,
		Example: `  holdfast compare --user ada --live
  holdfast compare --user ada --files --at 2026-01-31 --with 2026-02-28 Documents`,
		Args: between(0, 1),
		RunE: with(func(cmd *cobra.Command, c *client, args []string) error {
			ctx := cmd.Context()
			other, err := parseTime(against)
			if err != nil {
				return err
			}
			if live == (other != nil) {
				return errors.New("say what to compare with: --live or --with TIME")
			}
			e, err := l.enter(cmd, c)
			if err != nil {
				return err
			}
			defer e.stop(ctx)
			at, err := e.walk(ctx, strings.Join(args, ""))
			if err != nil {
				return err
			}
			if at.Kind != "folder" {
				return fmt.Errorf("%q is not a folder", at.Name)
			}
			body := map[string]any{"restoreSessionId": e.session, "containerId": e.object, "folderId": at.ID, "live": live}
			if other != nil {
				body["dateTime"] = other
			}
			all := []difference{}
			for more := true; more && (most == 0 || len(all) < most); {
				var page struct {
					Total   int          `json:"total"`
					Results []difference `json:"results"`
				}
				body["offset"], body["limit"] = len(all), pageSize
				if most > 0 {
					body["limit"] = min(pageSize, most-len(all))
				}
				if err := c.inquire(cmd, "/holdfast/v1/Compare", body, &page); err != nil {
					return err
				}
				all = append(all, page.Results...)
				more = len(page.Results) > 0 && len(all) < page.Total
			}
			return show(cmd, all, []string{"", "path", "what differs"}, func(d difference) []any {
				return []any{d.Kind, cut(d.path(), 90), dash(strings.Join(d.Properties, ", "))}
			}, "nothing differs")
		}),
	}
	l.flags(cmd)
	f := cmd.Flags()
	f.BoolVar(&live, "live", false, "compare with what Microsoft 365 has now")
	f.StringVar(&against, "with", "", "compare with the newest restore point up to this time")
	f.IntVar(&most, "limit", 200, "at most so many differences (0: all)")
	return cmd
}

// planned is what a restore would do.
type planned struct {
	Created       int64         `json:"created"`
	Overwritten   int64         `json:"overwritten"`
	Existing      int64         `json:"existing"`
	Skipped       int64         `json:"skipped"`
	Folders       int64         `json:"folders"`
	Requests      int64         `json:"requests"`
	ResourceUnits int64         `json:"resourceUnits"`
	Bytes         int64         `json:"bytes"`
	Seconds       float64       `json:"seconds"`
	Limit         string        `json:"limit"`
	Items         []plannedItem `json:"items"`
	More          bool          `json:"more"`
}

type plannedItem struct {
	ID      string `json:"id"`
	Name    string `json:"name"`
	Path    string `json:"path"`
	Outcome string `json:"outcome"`
	Reason  string `json:"reason,omitempty"`
	Detail  string `json:"detail,omitempty"`
}

// plan asks what a restore would do, with the options that restore has for the same flags.
func (e *explorer) plan(cmd *cobra.Command, things []thing, p place) error {
	body := map[string]any{"restoreSessionId": e.session, "containerId": e.object, "to": p.to, "folder": p.folder, "mode": "overwrite", "overwriteNewer": p.overwrite}
	if e.files {
		body["permissions"] = !p.elsewhere()
		if !p.overwrite {
			body["mode"] = "keepBoth"
		}
	}
	var ids []string
	for _, t := range things {
		ids = append(ids, t.ID)
	}
	if len(ids) > 0 {
		body["items"] = ids
	}
	if e.teams {
		body = e.teamBody(things, p)
	}
	var plan planned
	if err := e.c.inquire(cmd, "/holdfast/v1/Restore/Plan", body, &plan); err != nil {
		return err
	}
	return plan.show(cmd)
}

func (plan planned) show(cmd *cobra.Command) error {
	if wantsJSON(cmd) {
		return printJSON(cmd, plan)
	}
	if err := show(cmd, plan.Items, []string{"would be", "what", "where", "why"}, func(i plannedItem) []any {
		return []any{i.Outcome, cut(i.Name, 50), cut(dash(i.Path), 60), cut(dash(i.Detail), 90)}
	}, "there is nothing to restore"); err != nil {
		return err
	}
	_, err := fmt.Fprintf(cmd.OutOrStdout(), "%d created, %d overwritten, %d there already, %d skipped; %d folders made. About %d requests, %d resource units and %s, which takes %s at the published limit of %s. Nothing was changed.\n",
		plan.Created, plan.Overwritten, plan.Existing, plan.Skipped, plan.Folders, plan.Requests, plan.ResourceUnits, size(plan.Bytes), time.Duration(plan.Seconds*float64(time.Second)).Round(time.Second), plan.Limit)
	return err
}
