package main

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/spf13/cobra"
)

type job struct {
	ID           string     `json:"id"`
	Name         string     `json:"name"`
	Enabled      bool       `json:"isEnabled"`
	BackupType   string     `json:"backupType"`
	LastStatus   string     `json:"lastStatus"`
	LastRun      *time.Time `json:"lastRun"`
	NextRun      *time.Time `json:"nextRun"`
	Organization string     `json:"organizationId"`
	Repository   string     `json:"repositoryId"`
	Chats        bool       `json:"chats"`         // of everybody
	Personal     bool       `json:"personalSites"` // of everybody
}

// result is that of the last run; the contract says Stopped of a job that never ran.
func (j job) result() string {
	if j.LastRun == nil || j.LastRun.IsZero() {
		return "-"
	}
	return j.LastStatus
}

func (j job) protects() string {
	switch j.BackupType {
	case "EntireOrganization":
		return "everyone"
	case "SelectedItems":
		return "selected"
	}
	return j.BackupType
}

func jobNamed(cmd *cobra.Command, c *client, name string) (job, error) {
	all, err := list[job](cmd.Context(), c, "/Jobs", nil, 0)
	if err != nil {
		return job{}, err
	}
	return pick("job", "job", all, name, func(j job) []string { return []string{j.ID, j.Name} })
}

func newJobCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "job", Short: "Backup jobs"}
	cmd.AddCommand(newJobAddCommand(), newJobListCommand(), newJobScopeCommand(), newJobStartCommand(),
		newJobVerbCommand("stop", "Stop a running job; what is finished is kept", http.MethodPost, "stop", "stopping job %s"),
		newJobVerbCommand("enable", "Let a job run by its schedule again", http.MethodPost, "enable", "enabled job %s"),
		newJobVerbCommand("disable", "Keep a job from running by its schedule", http.MethodPost, "disable", "disabled job %s"),
		newJobVerbCommand("remove", "Remove a job; its restore points stay", http.MethodDelete, "", "removed job %s; its restore points stay"))
	return cmd
}

// scheduleEvery are the intervals that the contract has.
var scheduleEvery = map[string]string{"5m": "Minutes5", "10m": "Minutes10", "15m": "Minutes15", "30m": "Minutes30",
	"1h": "Hours1", "2h": "Hours2", "4h": "Hours4", "8h": "Hours8"}

func newJobAddCommand() *cobra.Command {
	var org, repo, daily, every string
	var users, groups, sites, teams, exclude, excludeGroups, leaveOut []string
	var noMail, noFiles, noSites, noTeams, noPosts, groupMailboxes, chats, personal, run bool
	cmd := &cobra.Command{
		Use:   "add NAME",
		Short: "Make a backup job for the whole organization, or for chosen users, groups, sites and teams",
		Example: `  holdfast job add all --daily 22:00
  holdfast job add board --user ada@contoso.com --user bob@contoso.com --every 1h --run`,
		Args: exact(1),
		RunE: with(func(cmd *cobra.Command, c *client, args []string) error {
			ctx := cmd.Context()
			o, err := organizationNamed(cmd, c, org)
			if err != nil {
				return err
			}
			r, err := repositoryNamed(cmd, c, repo)
			if err != nil {
				return err
			}
			item := func(user string) (map[string]any, error) {
				found, err := list[directoryUser](ctx, c, join("Organizations", o.ID, "Users"), nil, 0)
				if err != nil {
					return nil, err
				}
				u, err := pick("user", "org users", found, user, func(u directoryUser) []string { return []string{u.ID, u.Name, u.DisplayName} })
				if err != nil {
					return nil, err
				}
				return map[string]any{"type": "User", "user": map[string]any{"id": u.ID, "name": u.Name, "displayName": u.DisplayName}, "mailbox": !noMail, "oneDrive": !noFiles, "leaveOut": leaveOut, "chats": chats, "personalSite": personal}, nil
			}
			body := map[string]any{"name": args[0], "organizationId": o.ID, "repositoryId": r.ID, "backupType": "EntireOrganization", "isEnabled": true, "runNow": false}
			var selected, excluded []map[string]any
			for _, u := range users {
				i, err := item(u)
				if err != nil {
					return err
				}
				selected = append(selected, i)
			}
			ofGroup := func(name string) (map[string]any, error) {
				g, err := groupNamed(cmd, c, o, name)
				if err != nil {
					return nil, err
				}
				return map[string]any{"type": "Group", "group": map[string]any{"id": g.ID, "name": g.Name, "displayName": g.DisplayName}, "members": true, "memberMailbox": !noMail, "memberOnedrive": !noFiles, "memberSite": personal, "chats": chats}, nil
			}
			for _, g := range groups {
				i, err := ofGroup(g)
				if err != nil {
					return err
				}
				selected = append(selected, i)
			}
			for _, g := range excludeGroups {
				i, err := ofGroup(g)
				if err != nil {
					return err
				}
				i["memberSite"] = true
				excluded = append(excluded, i)
			}
			for _, s := range sites {
				id := map[string]any{"id": "", "url": "", "isCloud": true, "isPersonal": false, "title": ""}
				if strings.HasPrefix(s, "https://") {
					id["url"] = s
				} else {
					id["id"] = s
				}
				selected = append(selected, map[string]any{"type": "Site", "site": id})
			}
			for _, name := range teams {
				found, err := list[directoryTeam](ctx, c, join("Organizations", o.ID, "Teams"), nil, 0)
				if err != nil {
					return err
				}
				t, err := pick("team", "org teams", found, name, func(t directoryTeam) []string { return []string{t.ID, t.Mail, t.DisplayName} })
				if err != nil {
					return err
				}
				selected = append(selected, map[string]any{"type": "Team", "team": map[string]any{"id": t.ID, "displayName": t.DisplayName, "mail": t.Mail}, "teams": true, "teamsChats": !noPosts})
			}
			for _, u := range exclude {
				i, err := item(u)
				if err != nil {
					return err
				}
				i["personalSite"] = true
				excluded = append(excluded, i)
			}
			if len(selected) > 0 {
				body["backupType"], body["selectedItems"] = "SelectedItems", selected
			} else if noMail || noFiles || noSites || noTeams || noPosts || groupMailboxes || len(leaveOut) > 0 {
				body["backupType"] = "SelectedItems"
				whole := map[string]any{"type": "PartialOrganization", "mailbox": !noMail, "oneDrive": !noFiles, "sites": !noSites, "groupMailboxes": groupMailboxes, "leaveOut": leaveOut, "chats": chats, "personalSite": personal}
				if o.Teams && !noTeams {
					whole["teams"], whole["teamsChats"] = true, !noPosts
				}
				body["selectedItems"] = []map[string]any{whole}
			} else {
				body["chats"], body["personalSites"] = chats, personal
			}
			if len(excluded) > 0 {
				body["excludedItems"] = excluded
			}
			policy := map[string]any{"scheduleEnabled": false}
			switch {
			case daily != "" && every != "":
				return errors.New("give --daily or --every, not both")
			case daily != "":
				if len(strings.Split(daily, ":")) == 2 {
					daily += ":00"
				}
				policy = map[string]any{"scheduleEnabled": true, "type": "Daily", "dailyType": "Everyday", "dailyTime": daily}
			case every != "":
				e := scheduleEvery[every]
				if e == "" {
					return fmt.Errorf("--every %q: one of 5m, 10m, 15m, 30m, 1h, 2h, 4h, 8h", every)
				}
				policy = map[string]any{"scheduleEnabled": true, "type": "Periodically", "periodicallyEvery": e}
			}
			if policy["scheduleEnabled"] == true {
				policy["retryEnabled"], policy["retryNumber"], policy["retryWaitInterval"] = true, 3, 10
			}
			body["schedulePolicy"] = policy
			var j job
			if err := c.call(ctx, http.MethodPost, "/Jobs", body, &j); err != nil {
				return err
			}
			if !run {
				return done(cmd, j, "made job %s\nnext: holdfast job start %s", j.Name, j.Name)
			}
			return startJob(cmd, c, j, false, true)
		}),
	}
	f := cmd.Flags()
	f.StringVar(&org, "org", "", "organization (default: the only one)")
	f.StringVar(&repo, "repo", "", "repository (default: the only one)")
	f.StringSliceVar(&users, "user", nil, "protect this user only; may be given several times")
	f.StringArrayVar(&groups, "group", nil, "protect who is in this group, also in groups within it (repeatable)")
	f.StringArrayVar(&excludeGroups, "exclude-group", nil, "leave out who is in this group (repeatable)")
	f.StringSliceVar(&exclude, "exclude", nil, "leave this user out; may be given several times")
	f.StringVar(&daily, "daily", "", "run every day at HH:MM, server's time")
	f.StringVar(&every, "every", "", "run every 5m, 10m, 15m, 30m, 1h, 2h, 4h or 8h")
	f.BoolVar(&noMail, "no-mail", false, "leave mailboxes out")
	f.BoolVar(&groupMailboxes, "group-mailboxes", false, "take the mailboxes of all Microsoft 365 groups too")
	f.StringSliceVar(&leaveOut, "leave-out", nil, "of mailboxes, leave contacts, calendars, tasks, settings or items (contact groups, journal, notes in subfolders, tasks that To Do does not show) out, or export: then mail is read as MIME; may be given several times")
	f.BoolVar(&noFiles, "no-files", false, "leave OneDrive out")
	f.BoolVar(&noSites, "no-sites", false, "leave SharePoint sites out")
	f.StringArrayVar(&sites, "site", nil, "protect this site, by its address or id, with those below it (repeatable)")
	f.BoolVar(&noTeams, "no-teams", false, "leave Microsoft Teams out")
	f.BoolVar(&noPosts, "no-posts", false, "of teams, leave posts out")
	f.BoolVar(&chats, "chats", false, "take chats of Microsoft Teams too: those of the chosen users, or of everybody")
	f.BoolVar(&personal, "personal-sites", false, "take personal sites too, lists, pages and libraries besides the OneDrive: those of the chosen users and of members of groups, or of everybody")
	f.StringArrayVar(&teams, "team", nil, "protect this team, by its name, address or id (repeatable)")
	f.BoolVar(&run, "run", false, "run it now and wait")
	return cmd
}

func newJobListCommand() *cobra.Command {
	return &cobra.Command{
		Use: "list", Short: "List the jobs", Args: exact(0),
		RunE: with(func(cmd *cobra.Command, c *client, _ []string) error {
			all, err := list[job](cmd.Context(), c, "/Jobs", nil, 0)
			if err != nil {
				return err
			}
			return show(cmd, all, []string{"name", "protects", "last run", "result", "next run", "enabled", "id"}, func(j job) []any {
				return []any{j.Name, j.protects(), when(j.LastRun), j.result(), when(j.NextRun), yes(j.Enabled), j.ID}
			}, `no job yet: make one with "holdfast job add NAME"`)
		}),
	}
}

func newJobStartCommand() *cobra.Command {
	var full, detach bool
	cmd := &cobra.Command{
		Use: "start [NAME]", Short: "Run a job now and show its progress", Args: between(0, 1),
		RunE: with(func(cmd *cobra.Command, c *client, args []string) error {
			j, err := jobNamed(cmd, c, strings.Join(args, ""))
			if err != nil {
				return err
			}
			return startJob(cmd, c, j, full, !detach)
		}),
	}
	cmd.Flags().BoolVar(&full, "full", false, "list everything again and compare it with what is kept, instead of reading what changed")
	cmd.Flags().BoolVar(&detach, "detach", false, "do not wait for the end")
	return cmd
}

func startJob(cmd *cobra.Command, c *client, j job, full, wait bool) error {
	var s jobSession
	if err := c.call(cmd.Context(), http.MethodPost, join("Jobs", j.ID, "start"), map[string]any{"full": full}, &s); err != nil {
		return err
	}
	if !wait {
		return done(cmd, s, "started job %s\nnext: holdfast session wait %s", j.Name, s.ID)
	}
	defer c.warn(cmd)
	return follow(cmd, c, j.Name, s.ID)
}

func newJobVerbCommand(name, short, method, verb, said string) *cobra.Command {
	return &cobra.Command{
		Use: name + " NAME", Short: short, Args: exact(1),
		RunE: with(func(cmd *cobra.Command, c *client, args []string) error {
			j, err := jobNamed(cmd, c, args[0])
			if err != nil {
				return err
			}
			path := join("Jobs", j.ID)
			if verb != "" {
				path = join("Jobs", j.ID, verb)
			}
			if err := c.call(cmd.Context(), method, path, nil, nil); err != nil {
				return err
			}
			return done(cmd, j, said, j.Name)
		}),
	}
}
