package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"
)

// listColumn is a column of a list or library.
type listColumn struct {
	Name  string `json:"name"`
	Title string `json:"title"`
	Kind  string `json:"kind"`
}

// columnValue is what something has in a column.
type columnValue struct {
	listColumn
	Value string `json:"value"`
}

// listRow is an item of a list, or a file, by the names of the columns.
type listRow struct {
	ID     string            `json:"id"`
	Name   string            `json:"name"`
	Time   time.Time         `json:"time"`
	Values map[string]string `json:"values"`
}

// rowsAtOnce is how many rows one answer brings.
const rowsAtOnce = 500

// mostColumns are shown of a list on a terminal; JSON has all.
const mostColumns = 6

func newExploreValuesCommand() *cobra.Command {
	var l lookAt
	var s selection
	var most int
	cmd := &cobra.Command{
		Use: "values [PATH]", Short: "Show the values of columns: of the items of a list, the files of a library or of a folder in it, or of one item or file",
		Long: `Show the values of columns of a SharePoint list or library at a restore point: a line for each item or file, with the first columns as a table and all of them with --json.
Of one item or file all columns are shown, a line for each.`,
		Example: `  holdfast explore values --site Marketing Incidents
  holdfast explore values --site Marketing Documents/Contracts/c.docx --json`,
		Args: between(0, 1),
		RunE: with(func(cmd *cobra.Command, c *client, args []string) error {
			if l.site == "" {
				return errors.New("columns are of lists and libraries: say with --site which site's")
			}
			e, err := l.enter(cmd, c)
			if err != nil {
				return err
			}
			defer e.stop(cmd.Context())
			t, err := s.one(cmd.Context(), e, args)
			if err != nil {
				return err
			}
			if t.Kind == "folder" || t.Kind == "list" || t.Kind == "library" {
				return showRows(cmd, e, t, most)
			}
			return showValues(cmd, e, t)
		}),
	}
	l.flags(cmd)
	s.flags(cmd)
	cmd.Flags().IntVar(&most, "limit", 50, "at most so many items or files (0: all)")
	return cmd
}

// showValues shows all that one item or file has.
func showValues(cmd *cobra.Command, e *explorer, t thing) error {
	var preview struct {
		Row struct {
			Values []columnValue `json:"values"`
		} `json:"row"`
	}
	if err := e.c.get(cmd.Context(), e.own("Items", t.ID, "Preview"), &preview); err != nil {
		return err
	}
	return show(cmd, preview.Row.Values, []string{"column", "value"}, func(v columnValue) []any { return []any{v.Title, v.Value} }, "nothing is stored of it in columns")
}

// rows gives the columns of a list and its rows, at most so many (0: all).
func (e *explorer) rows(ctx context.Context, list string, most int) (columns []listColumn, rows []listRow, err error) {
	for {
		var page struct {
			Columns []listColumn `json:"columns"`
			Results []listRow    `json:"results"`
		}
		limit := rowsAtOnce
		if most > 0 {
			limit = min(limit, most-len(rows))
		}
		if err := e.c.get(ctx, e.own("Items", list, "Rows")+fmt.Sprintf("?sort=name&offset=%d&limit=%d", len(rows), limit), &page); err != nil {
			return nil, nil, err
		}
		columns, rows = page.Columns, append(rows, page.Results...)
		if len(page.Results) < limit || len(rows) == most {
			return columns, rows, nil
		}
	}
}

func showRows(cmd *cobra.Command, e *explorer, list thing, most int) error {
	columns, rows, err := e.rows(cmd.Context(), list.ID, most)
	if err != nil {
		return err
	}
	header := []string{"name"}
	shown := columns[:min(len(columns), mostColumns)]
	for _, c := range shown {
		header = append(header, c.Title)
	}
	return show(cmd, rows, header, func(r listRow) []any {
		cells := []any{cut(r.Name, 40)}
		for _, c := range shown {
			cells = append(cells, cut(dash(r.Values[c.Name]), 40))
		}
		return cells
	}, "nothing is in it")
}
