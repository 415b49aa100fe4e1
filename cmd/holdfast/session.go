package main

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"time"

	"github.com/spf13/cobra"
	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"
	"golang.org/x/term"

	"holdfast/internal/sys"
)

type jobSession struct {
	ID         string     `json:"id"`
	Job        string     `json:"jobId"`
	Status     string     `json:"status"`
	Type       string     `json:"jobSessionConfigType"`
	Details    string     `json:"details"`
	Created    *time.Time `json:"creationTime"`
	Ended      *time.Time `json:"endTime"`
	Progress   int        `json:"progress"`
	Statistics struct {
		Rate        int64  `json:"processingRateBytesPS"`
		Transferred int64  `json:"transferredDataBytes"`
		Objects     int64  `json:"processedObjects"`
		Bottleneck  string `json:"bottleneck"`
	} `json:"statistics"`
}

type logLine struct {
	ID      string     `json:"id"`
	Type    string     `json:"type"`
	Message string     `json:"message"`
	Created *time.Time `json:"creationTime"`
	Ended   *time.Time `json:"endTime"`
}

func (s jobSession) over() bool {
	switch s.Status {
	case "Running", "Queued":
		return false
	}
	return true
}

func newSessionCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "session", Short: "Job sessions: the runs of jobs"}
	cmd.AddCommand(newSessionListCommand(), newSessionLogCommand(), newSessionWaitCommand())
	return cmd
}

func newSessionListCommand() *cobra.Command {
	var name, status string
	var most int
	cmd := &cobra.Command{
		Use: "list", Short: "List the sessions, newest first", Args: exact(0),
		RunE: with(func(cmd *cobra.Command, c *client, _ []string) error {
			jobs, err := list[job](cmd.Context(), c, "/Jobs", nil, 0)
			if err != nil {
				return err
			}
			names := map[string]string{}
			for _, j := range jobs {
				names[j.ID] = j.Name
			}
			q := url.Values{}
			if name != "" {
				j, err := jobNamed(cmd, c, name)
				if err != nil {
					return err
				}
				q.Set("jobId", j.ID)
			}
			if status != "" {
				q.Set("status", status)
			}
			path := "/JobSessions"
			if len(q) > 0 {
				path += "?" + q.Encode()
			}
			all, err := list[jobSession](cmd.Context(), c, path, nil, most)
			if err != nil {
				return err
			}
			return show(cmd, all, []string{"job", "started", "ended", "kind", "result", "objects", "transferred", "id"}, func(s jobSession) []any {
				return []any{names[s.Job], when(s.Created), when(s.Ended), s.Type, s.Status, s.Statistics.Objects, size(s.Statistics.Transferred), s.ID}
			}, `no session yet: start a job with "holdfast job start"`)
		}),
	}
	cmd.Flags().StringVar(&name, "job", "", "of this job only")
	cmd.Flags().StringVar(&status, "status", "", "only these: Running, Queued, Success, Warning, Failed or Stopped")
	cmd.Flags().IntVar(&most, "limit", 20, "at most so many (0: all)")
	return cmd
}

func newSessionLogCommand() *cobra.Command {
	return &cobra.Command{
		Use: "log ID", Short: "Show the log of a session", Args: exact(1),
		RunE: with(func(cmd *cobra.Command, c *client, args []string) error {
			lines, err := list[logLine](cmd.Context(), c, join("JobSessions", args[0], "LogItems"), nil, 0)
			if err != nil {
				return err
			}
			return show(cmd, lines, []string{"time", "kind", "message"}, func(l logLine) []any {
				return []any{when(l.Created), l.Type, l.Message}
			}, "the log is empty")
		}),
	}
}

func newSessionWaitCommand() *cobra.Command {
	return &cobra.Command{
		Use: "wait ID", Short: "Show the progress of a session until it ends", Args: exact(1),
		RunE: with(func(cmd *cobra.Command, c *client, args []string) error {
			return follow(cmd, c, "session", args[0])
		}),
	}
}

// follow shows a session's progress until it ends. It ends with status 1 when the session failed or was stopped.
func follow(cmd *cobra.Command, c *client, name, id string) error {
	ctx := cmd.Context()
	var p *mpb.Progress
	var bar *mpb.Bar
	var s jobSession
	if f, ok := cmd.ErrOrStderr().(*os.File); ok && term.IsTerminal(int(f.Fd())) && !wantsJSON(cmd) {
		p = mpb.NewWithContext(ctx, mpb.WithOutput(f), mpb.WithWidth(60))
		bar = p.AddBar(100, mpb.PrependDecorators(decor.Name(name+" ")),
			mpb.AppendDecorators(decor.Percentage(decor.WC{W: 5}), decor.Any(func(decor.Statistics) string {
				return fmt.Sprintf("  %s, %s, %s/s", count(int(s.Statistics.Objects), "object"), size(s.Statistics.Transferred), size(s.Statistics.Rate))
			})))
	}
	for {
		var now jobSession
		if err := c.get(ctx, join("JobSessions", id), &now); err != nil {
			if bar != nil {
				bar.Abort(true)
				p.Wait()
			}
			return interrupted(ctx, err)
		}
		s = now
		if bar != nil {
			bar.SetCurrent(int64(min(now.Progress, 99)))
		}
		if now.over() {
			break
		}
		if err := sys.System.Sleep(ctx, 300*time.Millisecond); err != nil {
			if bar != nil {
				bar.Abort(true)
				p.Wait()
			}
			return interrupted(ctx, err)
		}
	}
	if bar != nil {
		bar.SetCurrent(100)
		p.Wait()
	}
	took := time.Duration(0)
	if s.Created != nil && s.Ended != nil {
		took = s.Ended.Sub(*s.Created).Round(time.Second)
	}
	if err := done(cmd, s, "%s: %s in %s, %s, %s transferred", name, s.Status, took, count(int(s.Statistics.Objects), "object"), size(s.Statistics.Transferred)); err != nil {
		return err
	}
	switch s.Status {
	case "Success":
		return nil
	case "Warning":
		fmt.Fprintf(cmd.ErrOrStderr(), "some of it was left out: holdfast session log %s\n", id)
		return nil
	}
	if s.Details == "" {
		s.Details = "see: holdfast session log " + id
	}
	return &exitError{code: 1, err: errors.New(s.Details)}
}

// interrupted tells a user who pressed Ctrl-C that the work goes on without him.
func interrupted(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return &exitError{code: 130, err: errors.New("no longer watching; the work goes on at the server")}
	}
	return err
}
