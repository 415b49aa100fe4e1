package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/spf13/cobra"
)

// searched says what is searched, and how.
type searched struct {
	lookAt
	most                        int
	ids, deleted, oldest, plain bool
	wait                        bool
	saved, export, out          string
}

// question is a search of the index.
type question struct {
	Query        string     `json:"query"`
	Organization string     `json:"organizationId,omitempty"`
	Kinds        []string   `json:"kinds,omitempty"`
	At           *time.Time `json:"at,omitempty"`
	Deleted      bool       `json:"deleted,omitempty"`
	Sort         string     `json:"sort,omitempty"`
	Limit        int        `json:"limit,omitempty"`
	Cursor       string     `json:"cursor,omitempty"`
	Format       string     `json:"format,omitempty"`
}

// searchHit is what the index finds.
type searchHit struct {
	ID        string `json:"id"`
	Kind      string `json:"kind"`
	Container struct {
		ID      string `json:"id"`
		Kind    string `json:"kind"`
		Name    string `json:"name"`
		Address string `json:"address"`
	} `json:"container"`
	Name    string      `json:"name"`
	From    string      `json:"from,omitempty"`
	Time    *time.Time  `json:"time,omitempty"`
	Size    int64       `json:"size"`
	Folder  string      `json:"folder,omitempty"`
	First   searchPoint `json:"firstPoint"`
	Last    searchPoint `json:"lastPoint"`
	Deleted bool        `json:"deleted"`
	Snippet string      `json:"snippet,omitempty"`
}

type searchPoint struct {
	ID   string    `json:"id"`
	Time time.Time `json:"time"`
}

type notIndexed struct {
	Container struct {
		Name    string `json:"name"`
		Address string `json:"address"`
	} `json:"container"`
	Since   time.Time `json:"since"`
	Problem string    `json:"problem,omitempty"`
}

const (
	searchPath = "/holdfast/v1/Search"
	searchPage = 500
)

func newSearchCommand() *cobra.Command {
	var s searched
	cmd := &cobra.Command{
		Use:   "search QUERY",
		Short: "Find mails and files by their words in all restore points",
		Long: `Find mails and files by their words in the search index, in everything that you may see: all restore points, or with --at those up to a time.
docs/search.md describes what a QUERY may say: words, "phrases", subject:, from:, to:, received:, size:, AND, OR, NOT and more. What the index
does not have yet is said; --plain does without the index and reads one mailbox or OneDrive at one restore point.`,
		Example: `  holdfast search 'subject:budget from:ada received:>2026-01-01'
  holdfast search --user ada --files --at 2026-01-31 plan
  holdfast search --export csv --out found.csv budget
  holdfast search --plain --user ada 'subject:budget'`,
		RunE: with(func(cmd *cobra.Command, c *client, args []string) error {
			if len(args) == 0 && s.saved == "" {
				return errors.New("say what to search: holdfast search QUERY, or --saved NAME")
			}
			if s.plain {
				return s.read(cmd, c, strings.Join(args, " "))
			}
			return s.ask(cmd, c, strings.Join(args, " "))
		}),
	}
	s.lookAt.flags(cmd)
	f := cmd.Flags()
	f.Lookup("user").Usage = "only in mailboxes and OneDrives of those whose name or address has this in it"
	f.Lookup("files").Usage = "only files"
	f.Lookup("org").Usage = "only in this organization"
	f.Lookup("at").Usage = "what restore points held at this time: 2026-01-31, \"2026-01-31 18:00\" or RFC 3339 (default: at any time)"
	f.BoolVarP(&s.ids, "long", "l", false, "show ids, for --id of save and restore")
	f.IntVar(&s.most, "limit", 50, "at most so many (0: all)")
	f.BoolVar(&s.deleted, "deleted", false, "only what the newest restore point no longer has")
	f.BoolVar(&s.oldest, "oldest", false, "oldest first")
	f.StringVar(&s.saved, "saved", "", "ask a saved search of this name")
	f.StringVar(&s.export, "export", "", "write all that is found as csv or jsonl")
	f.StringVar(&s.out, "out", "", "file to write with --export; - is standard output (default: the name that the server gives)")
	f.BoolVar(&s.wait, "wait", false, "wait until the index has everything that was backed up so far")
	f.BoolVar(&s.plain, "plain", false, "without the index: read the mailbox or OneDrive of --user at one restore point")
	return cmd
}

// read looks at every item of a mailbox or drive.
func (s *searched) read(cmd *cobra.Command, c *client, query string) error {
	for name, given := range map[string]bool{"deleted": s.deleted, "oldest": s.oldest, "saved": s.saved != "", "export": s.export != "", "wait": s.wait} {
		if given {
			return fmt.Errorf("--%s needs the index: leave --plain out", name)
		}
	}
	e, err := s.enter(cmd, c)
	if err != nil {
		return err
	}
	defer e.stop(cmd.Context())
	things, err := e.search(cmd.Context(), query, s.most)
	if err != nil {
		return err
	}
	return showThings(cmd, things, s.files, s.ids, "nothing found")
}

// ask asks the index.
func (s *searched) ask(cmd *cobra.Command, c *client, query string) error {
	q, err := s.question(cmd, c, query)
	if err != nil {
		return err
	}
	if s.wait {
		if err := indexed(cmd.Context(), c); err != nil {
			return err
		}
	}
	if s.export != "" {
		q.Format = s.export
		resp, err := c.send(cmd.Context(), http.MethodPost, searchPath+"/Export", q)
		if err != nil {
			return err
		}
		defer resp.Body.Close()
		if err := saveAnswer(cmd, resp, s.out); err != nil {
			return err
		}
		if n := resp.Header.Get("Holdfast-Not-Indexed"); n != "" && n != "0" {
			fmt.Fprintf(cmd.ErrOrStderr(), "not indexed yet, so there may be more: %s mailboxes or drives; wait with --wait\n", clean(n))
		}
		return nil
	}
	if s.out != "" {
		return errors.New("--out goes with --export csv or --export jsonl")
	}
	hits, missing, err := find(cmd.Context(), c, q, s.most)
	if err != nil {
		return err
	}
	if err := s.show(cmd, hits); err != nil {
		return err
	}
	sayNotIndexed(cmd, missing)
	return nil
}

func (s *searched) question(cmd *cobra.Command, c *client, query string) (q question, err error) {
	q = question{Query: query, Deleted: s.deleted}
	if s.oldest {
		q.Sort = "oldest"
	}
	if s.files {
		q.Kinds = []string{"file", "folder"}
	}
	if q.At, err = parseTime(s.at); err != nil {
		return q, err
	}
	if s.saved != "" {
		if err := s.recall(cmd.Context(), c, &q); err != nil {
			return q, err
		}
	}
	if s.org != "" {
		o, err := organizationNamed(cmd, c, s.org)
		if err != nil {
			return q, err
		}
		q.Organization = o.ID
	}
	if s.user != "" {
		if strings.Contains(s.user, "\"") {
			return q, fmt.Errorf("--user %s: a name has no quotation mark", s.user)
		}
		q.Query = strings.TrimSpace(fmt.Sprintf("mailbox:%q (%s)", s.user, q.Query))
	}
	return q, nil
}

// recall takes a saved search; words that were given too narrow it.
func (s *searched) recall(ctx context.Context, c *client, q *question) error {
	one, err := savedSearchNamed(ctx, c, s.saved)
	if err != nil {
		return err
	}
	words := q.Query
	q.Query, q.Organization, q.Deleted = one.Query, one.Organization, q.Deleted || one.Deleted
	if words != "" {
		q.Query = fmt.Sprintf("(%s) (%s)", one.Query, words)
	}
	if q.Kinds == nil {
		q.Kinds = one.Kinds
	}
	if q.Sort == "" {
		q.Sort = one.Sort
	}
	return nil
}

// find asks page by page.
func find(ctx context.Context, c *client, q question, most int) (hits []searchHit, missing []notIndexed, err error) {
	for {
		q.Limit = searchPage
		if most > 0 {
			q.Limit = min(searchPage, most-len(hits))
		}
		var page struct {
			Results    []searchHit  `json:"results"`
			Cursor     string       `json:"cursor"`
			NotIndexed []notIndexed `json:"notIndexed"`
		}
		if err := c.call(ctx, http.MethodPost, searchPath, q, &page); err != nil {
			return nil, nil, err
		}
		hits, missing, q.Cursor = append(hits, page.Results...), page.NotIndexed, page.Cursor
		if q.Cursor == "" || most > 0 && len(hits) >= most {
			return hits, missing, nil
		}
	}
}

func (s *searched) show(cmd *cobra.Command, hits []searchHit) error {
	header := []string{"kind", "time", "from", "name", "of", "folder", "newest restore point"}
	row := func(h searchHit) []any {
		at := "-"
		if h.Time != nil {
			at = when(h.Time)
		}
		of := h.Container.Address
		if of == "" {
			of = h.Container.Name
		}
		return []any{h.Kind, at, cut(dash(h.From), 40), cut(h.Name, 60), cut(dash(of), 40), cut(dash(h.Folder), 40), when(&h.Last.Time)}
	}
	if !s.ids {
		return show(cmd, hits, header, row, "nothing found")
	}
	return show(cmd, hits, append(header, "id"), func(h searchHit) []any { return append(row(h), h.ID) }, "nothing found")
}

// sayNotIndexed says on standard error what the answer may lack.
func sayNotIndexed(cmd *cobra.Command, missing []notIndexed) {
	if len(missing) == 0 {
		return
	}
	first := missing[0]
	for _, m := range missing {
		if m.Since.Before(first.Since) {
			first = m
		}
	}
	of := first.Container.Address
	if of == "" {
		of = first.Container.Name
	}
	fmt.Fprintf(cmd.ErrOrStderr(), "not indexed yet, so there may be more: %d mailboxes or drives, for example %s since %s; wait with --wait, or read one with --plain --user\n", len(missing), clean(of), when(&first.Since))
	for _, m := range missing {
		if m.Problem != "" {
			fmt.Fprintf(cmd.ErrOrStderr(), "%s can't be indexed: %s\n", clean(m.Container.Name), clean(m.Problem))
			return
		}
	}
}

// indexed waits until the index has everything, or says why it will not.
func indexed(ctx context.Context, c *client) error {
	for {
		var all []struct {
			NotIndexed []notIndexed `json:"notIndexed"`
			Working    bool         `json:"working"`
			Problem    string       `json:"problem"`
		}
		if err := c.get(ctx, searchPath+"/Status", &all); err != nil {
			return err
		}
		left := 0
		for _, o := range all {
			if left += len(o.NotIndexed); o.Problem != "" && !o.Working {
				return fmt.Errorf("the index has a problem: %s", clean(o.Problem))
			}
		}
		if left == 0 {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(500 * time.Millisecond):
		}
	}
}
