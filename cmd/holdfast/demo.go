package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"holdfast/internal/app"
	"holdfast/internal/holdfast"
	"holdfast/internal/service"
	"holdfast/internal/sim"
	"holdfast/internal/sys"
)

func newDemoCommand() *cobra.Command {
	var dir, rest string
	var users int
	var once bool
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "The five-minute tour: a simulated organization, a server, a first backup",
		Long: `Start a simulated organization and a server in this process, back the organization up with live progress, and tell what to try next. Nothing leaves
this machine. With --once: back up, change the organization, back up again, delete everything, restore everything, compare every item
with the simulated organization's own books, print a report, and end with status 0 only when all is equal.`,
		Args: exact(0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			keep := dir != ""
			if !keep {
				var err error
				if dir, err = os.MkdirTemp("", "holdfast-demo-*"); err != nil {
					return err
				}
				defer os.RemoveAll(dir)
			}
			ctx, stop := context.WithCancel(cmd.Context())
			defer stop()
			password := rand.Text()[:16]
			level := slog.LevelError + 4 // the demonstration speaks for itself
			d, err := app.NewDemo(ctx, app.DemoConfig{Dir: dir, Users: users, REST: rest, AdminPassword: holdfast.Secret(password), Version: version,
				Log: newLogger(cmd.ErrOrStderr(), level)})
			if err != nil {
				return err
			}
			ended := make(chan error, 1)
			go func() { ended <- d.Run(ctx) }()
			t := &tour{cmd: cmd, d: d, dir: dir, password: password, out: cmd.OutOrStdout()}
			if once {
				err = t.once(ctx)
			} else if err = t.show(ctx); err == nil {
				<-ctx.Done()
				fmt.Fprintln(t.out)
			}
			stop()
			closing, cancel := context.WithTimeout(context.WithoutCancel(ctx), drainTime)
			defer cancel()
			return errors.Join(err, <-ended, d.Close(closing))
		},
	}
	f := cmd.Flags()
	f.StringVar(&dir, "dir", "", "folder for everything that the demonstration writes (default: a temporary one, removed at the end)")
	f.IntVar(&users, "users", 3, "number of users of the simulated organization")
	f.StringVar(&rest, "rest", "127.0.0.1:4443", "address of the REST API")
	f.BoolVar(&once, "once", false, "run through backup, loss and restore, compare everything and end")
	cmd.AddCommand(newDemoLoseCommand())
	return cmd
}

// tour drives the demonstration through the REST API, as the command line does.
type tour struct {
	cmd      *cobra.Command
	d        *app.Demo
	dir      string
	password string
	out      io.Writer
	c        *client
	org      organization
	job      job
	opened   time.Time
}

// prepare logs in and makes organization, repository and job.
func (t *tour) prepare(ctx context.Context) error {
	ca, err := os.ReadFile(t.d.Server.CertificateFile())
	if err != nil {
		return err
	}
	t.c = &client{file: filepath.Join(t.dir, "session.json"), connection: connection{Server: "https://" + t.d.Server.Addr(), CA: string(ca)}}
	if err := t.c.dial(); err != nil {
		return err
	}
	if err := t.c.login(ctx, url.Values{"grant_type": {"password"}, "username": {"admin"}, "password": {t.password}}); err != nil {
		return err
	}
	if err := t.c.save(); err != nil {
		return err
	}
	tenant := t.d.Sim.Tenant()
	settings := map[string]any{"useApplicationOnlyAuth": true, "officeOrganizationName": tenant.Domain, "applicationId": tenant.ApplicationID,
		"applicationCertificate": tenant.CertificatePFX, "applicationCertificatePassword": tenant.CertificatePassword}
	if err := t.c.call(ctx, http.MethodPost, "/Organizations", map[string]any{"type": "Office365", "region": "Worldwide", "isExchangeOnline": true, "isSharePointOnline": true, "isTeamsOnline": true, "isTeamsChatsOnline": true,
		"exchangeOnlineSettings": settings, "sharePointOnlineSettings": settings}, &t.org); err != nil {
		return err
	}
	proxies, err := list[struct {
		ID string `json:"id"`
	}](ctx, t.c, "/Proxies", nil, 0)
	if err != nil {
		return err
	}
	body := map[string]any{"name": "main", "path": filepath.Join(t.dir, "repository"), "proxyId": proxies[0].ID}
	if err := retention("3y", body); err != nil {
		return err
	}
	var r repository
	if err := t.c.call(ctx, http.MethodPost, "/BackupRepositories", body, &r); err != nil {
		return err
	}
	return t.c.call(ctx, http.MethodPost, "/Jobs", map[string]any{"name": "everything", "organizationId": t.org.ID, "repositoryId": r.ID, "backupType": "SelectedItems", "isEnabled": true,
		"selectedItems":  []map[string]any{{"type": "PartialOrganization", "mailbox": true, "oneDrive": true, "sites": true, "personalSite": true, "teams": true, "teamsChats": true, "chats": true}},
		"schedulePolicy": map[string]any{"scheduleEnabled": false}}, &t.job)
}

// openPortal lets the simulated organization's users sign in. A browser does not know where the simulator plays Microsoft's login host, so it
// is sent to localhost; the server asks the login host itself.
func (t *tour) openPortal(ctx context.Context) error {
	_, port, err := net.SplitHostPort(t.d.Sim.Addr())
	if err != nil {
		return err
	}
	url := "https://" + t.d.Server.Addr()
	if err := t.d.Sim.SetRedirectURIs([]string{url + service.PortalCallback}); err != nil {
		return err
	}
	return t.c.call(ctx, http.MethodPut, ownAPI+portalSettingsPath, portalSettings{Enabled: true, Application: t.d.Sim.Tenant().PortalApplicationID, URL: url,
		Authority: "https://" + net.JoinHostPort("localhost", port) + "/organizations"}, nil)
}

func (t *tour) say(format string, args ...any) { fmt.Fprintf(t.out, format+"\n", args...) }

// backup runs the job and shows its progress.
func (t *tour) backup(ctx context.Context, what string) error {
	var s jobSession
	if err := t.c.call(ctx, http.MethodPost, join("Jobs", t.job.ID, "start"), map[string]any{}, &s); err != nil {
		return err
	}
	before := t.d.Sim.Stats()
	if err := follow(t.cmd, t.c, what, s.ID); err != nil {
		return err
	}
	var end jobSession
	if err := t.c.get(ctx, join("JobSessions", s.ID), &end); err != nil {
		return err
	}
	if end.Status != "Success" {
		return fmt.Errorf("%s ended with %s: %s", what, end.Status, end.Details)
	}
	now := t.d.Sim.Stats()
	units := int64(0)
	for api, n := range now.ResourceUnits {
		units += n - before.ResourceUnits[api]
	}
	t.say("  %d calls to Microsoft 365, %d resource units", now.Calls-before.Calls, units)
	return nil
}

// show is the tour for people.
func (t *tour) show(ctx context.Context) error {
	t.say("A simulated organization of %d users and a Holdfast server run in this process.\n", len(t.d.Sim.Tenant().Users))
	if err := t.prepare(ctx); err != nil {
		return err
	}
	if err := t.openPortal(ctx); err != nil {
		return err
	}
	if err := t.backup(ctx, "first backup"); err != nil {
		return err
	}
	t.say("\nProtected:")
	total := map[string]int{}
	for _, u := range t.d.Sim.Tenant().Users {
		truth, err := t.d.Truth(u.ID)
		if err != nil {
			return err
		}
		mails, others, files := len(truth.Mails), len(truth.Others), len(truth.Files)
		total["mails"] += mails
		total["others"] += others
		total["files"] += files
		t.say("  %-50s %5d mails  %4d events, contacts and tasks  %4d files", u.UPN, mails, others, files)
	}
	for _, x := range append(t.d.Sim.Sites(), t.d.PersonalSites()...) {
		truth, err := t.d.SiteTruth(x.ID)
		if err != nil {
			return err
		}
		total["files"] += len(truth.Files)
		t.say("  %-50s %5d items of lists and pages  %4d files", siteCalled(x), len(truth.Others), len(truth.Files))
	}
	for _, x := range t.d.Sim.Teams() {
		truth, err := t.d.TeamTruth(x.Name)
		if err != nil {
			return err
		}
		total["files"] += len(truth.Files)
		t.say("  %-50s %5d posts and tabs  %4d files", "team "+x.Name, len(truth.Others), len(truth.Files))
	}
	chats, err := t.d.ChatTruth()
	if err != nil {
		return err
	}
	t.say("  %-50s %5d messages", fmt.Sprintf("%d chats of two and groups", len(chats.Folders)), len(chats.Others))
	t.say("  %-50s %5d mails  %4d events, contacts and tasks  %4d files\n", "together", total["mails"], total["others"], total["files"])
	someone := t.d.Sim.Tenant().Users[0]
	user := someone.UPN
	first, _, _ := strings.Cut(user, "@")
	self := "go run ./cmd/holdfast"
	if exe, err := os.Executable(); err == nil && !strings.Contains(exe, "go-build") {
		self = exe
	}
	t.say("console    https://%s/   (the REST API is there too; certificate %s)", t.d.Server.Addr(), t.d.Server.CertificateFile())
	t.say("account    admin, password %s", t.password)
	t.say("portal     https://%s/portal, as %s, password %s", t.d.Server.Addr(), someone.UPN, someone.Password)
	t.say("           (your browser will not know the certificates of the server and of the simulated sign-in page, and ask once for each)\n")
	t.say("Try, in another terminal: lose the newest mail of the inbox, find it in the backup, give it back (what is there is left alone).\n")
	t.say("  export HOLDFAST_SESSION=%s", filepath.Join(t.dir, "session.json"))
	t.say("  %s demo lose --control http://%s --user %s", self, t.d.Sim.ControlAddr(), first)
	t.say("  %s explore ls --user %s Inbox", self, first)
	t.say("  %s restore --user %s Inbox\n", self, first)
	t.say("Ctrl-C ends it.")
	return nil
}

// once runs through loss and restore and compares.
func (t *tour) once(ctx context.Context) error {
	start := sys.System.Now()
	users := t.d.Sim.Tenant().Users
	t.say("simulated organization of %d users, limits as Microsoft publishes them", len(users))
	if err := t.prepare(ctx); err != nil {
		return err
	}
	if err := t.backup(ctx, "first backup"); err != nil {
		return err
	}
	if _, err := t.d.Sim.Churn(sim.Churn{Seed: 2, New: 2 * len(users), Flags: 3 * len(users), Moves: 2 * len(users), Deletes: len(users), Drive: 4, Contacts: 3, Events: 6, Tasks: 3}); err != nil {
		return err
	}
	sites := t.sites()
	for _, x := range sites {
		if _, err := t.d.Sim.ChurnSite(x.ID, 6, 2); err != nil {
			return err
		}
	}
	teams := t.d.Sim.Teams()
	for _, x := range teams {
		if _, err := t.d.Sim.ChurnTeam(x.ID, 6, 2); err != nil {
			return err
		}
	}
	for _, c := range t.d.Sim.Chats() {
		if c.Type != "meeting" && c.Tenant == t.d.Sim.Tenant().TenantID {
			if _, err := t.d.Sim.ChurnChat(c.ID, 2, 2); err != nil {
				return err
			}
		}
	}
	if err := t.backup(ctx, "second backup, after changes"); err != nil {
		return err
	}
	before := make([]app.Truth, len(users))
	for i, u := range users {
		var err error
		if before[i], err = t.d.Truth(u.ID); err != nil {
			return err
		}
		if err := t.d.Lose(u.ID); err != nil {
			return err
		}
		lost, err := t.d.Truth(u.ID)
		if err != nil {
			return err
		}
		if left := len(lost.Mails) + len(lost.Files) + len(lost.Others); left > 0 {
			return fmt.Errorf("%s still has %d items after everything was deleted", u.UPN, left)
		}
	}
	sitesBefore := make([]app.Truth, len(sites))
	for i, x := range sites {
		var err error
		if sitesBefore[i], err = t.d.SiteTruth(x.ID); err != nil {
			return err
		}
		if err := t.d.LoseSite(x.ID); err != nil {
			return err
		}
		lost, err := t.d.SiteTruth(x.ID)
		if err != nil {
			return err
		}
		if left := len(lost.Files) + len(lost.Others); left > 0 {
			return fmt.Errorf("%s still has %d items after everything was deleted", x.URL, left)
		}
	}
	teamsBefore := make([]app.Truth, len(teams))
	for i, x := range teams {
		var err error
		if teamsBefore[i], err = t.d.TeamTruth(x.Name); err != nil {
			return err
		}
		if err := t.d.LoseTeam(x.Name); err != nil {
			return err
		}
	}
	if left := len(t.d.Sim.Teams()); left > 0 {
		return fmt.Errorf("%d teams are still there after all were deleted", left)
	}
	chatsBefore, err := t.d.ChatTruth()
	if err != nil {
		return err
	}
	if err := t.d.LoseChats(); err != nil {
		return err
	}
	if lost, err := t.d.ChatTruth(); err != nil {
		return err
	} else if len(lost.Folders) > 0 {
		return fmt.Errorf("%d chats are still there after all were deleted", len(lost.Folders))
	}
	t.say("everything deleted: mailboxes, drives and sites are empty, teams and chats are gone for good")
	for _, l := range []lookAt{{}, {files: true}, {site: "?"}, {team: "?"}, {chat: "?"}} {
		if err := t.restoreAll(ctx, l); err != nil {
			return err
		}
	}
	bad := 0
	t.say("\n%-52s %14s %14s %14s %14s", "compared with the state before the loss", "mails", "other items", "files", "folders")
	compare := func(name string, before, after app.Truth) {
		var cells []any
		var missing []string
		for _, pair := range [][2]map[string]map[string]string{{before.Mails, after.Mails}, {before.Others, after.Others}, {before.Files, after.Files}, {before.Folders, after.Folders}} {
			all, equal, gone := app.Equal(pair[0], pair[1])
			cells = append(cells, fmt.Sprintf("%d of %d", equal, all))
			missing = append(missing, gone...)
		}
		bad += len(missing)
		t.say("%-52s %14s %14s %14s %14s", append([]any{name}, cells...)...)
		for n, m := range missing {
			if n == 5 {
				t.say("  … and %d more", len(missing)-n)
				break
			}
			t.say("  not equal: %s", m)
		}
	}
	for i, u := range users {
		after, err := t.d.Truth(u.ID)
		if err != nil {
			return err
		}
		compare(u.UPN, before[i], after)
	}
	for i, x := range sites {
		after, err := t.d.SiteTruth(x.ID)
		if err != nil {
			return err
		}
		compare(siteCalled(x), sitesBefore[i], after)
	}
	for i, x := range teams {
		after, err := t.d.TeamTruth(x.Name)
		if err != nil {
			return err
		}
		compare("team "+x.Name, teamsBefore[i], after)
	}
	chatsAfter, err := t.d.ChatTruth()
	if err != nil {
		return err
	}
	compare(fmt.Sprintf("%d chats", len(chatsBefore.Folders)), chatsBefore, chatsAfter)
	stats, notices := t.d.Sim.Stats(), t.d.Sim.ChatNotices()
	t.say("\nmails sent by the simulated organization: %d   notifications of chats: %d   calls before their Retry-After: %d   other violations: %d", stats.MailsSentN, len(notices), stats.EarlyRetries, stats.Violations)
	for _, v := range stats.ViolationList[:min(len(stats.ViolationList), 5)] {
		t.say("  %s: %s", v.Kind, v.Detail)
	}
	t.say("took %s", sys.System.Now().Sub(start).Round(time.Second))
	switch {
	case bad > 0:
		return fmt.Errorf("%d objects are not equal", bad)
	case stats.MailsSentN > 0 || len(notices) > 0 || stats.EarlyRetries > 0 || stats.Violations > 0:
		return errors.New("the simulated organization counted violations")
	}
	t.say("all equal")
	return nil
}

// siteCalled names a site in a table.
func siteCalled(x sim.SiteInfo) string {
	if strings.HasPrefix(x.Path, "/personal/") {
		return "personal site of " + x.Title
	}
	return x.URL
}

// sites are those with lists of their own: what a team's site has is the team's files.
func (t *tour) sites() []sim.SiteInfo {
	return append(slices.DeleteFunc(t.d.Sim.Sites(), func(x sim.SiteInfo) bool { return x.Lists["Incidents"] == "" }), t.d.PersonalSites()...)
}

// restoreAll restores every mailbox, drive or site of the newest restore point.
func (t *tour) restoreAll(ctx context.Context, l lookAt) error {
	l.org = t.org.ID
	e, err := l.open(t.cmd, t.c)
	if err != nil {
		return err
	}
	defer e.stop(ctx)
	boxes, err := e.boxes(ctx)
	if err != nil {
		return err
	}
	body := func() map[string]any {
		if e.sites {
			return map[string]any{"restorePermissions": true}
		}
		return map[string]any{}
	}
	if e.sites { // the site of a team goes and comes with its team
		lost := t.sites()
		boxes = slices.DeleteFunc(boxes, func(b box) bool {
			return !slices.ContainsFunc(lost, func(x sim.SiteInfo) bool { return strings.EqualFold(x.URL, b.URL) })
		})
	}
	begun := 0
	for _, b := range boxes {
		e.object = b.ID
		err := e.restore(ctx, nil, body(), place{})
		if e.chats && err != nil && strings.Contains(err.Error(), "another organization") {
			t.say("  refused, as it should be: %s", err)
			continue
		}
		if err != nil {
			return err
		}
		begun++
	}
	events, err := e.wait(ctx, begun)
	if err != nil {
		return err
	}
	kind, failed := "mailboxes", 0
	switch {
	case l.files:
		kind = "drives"
	case l.site != "":
		kind = "sites"
	case l.team != "":
		kind = "teams"
	case l.chat != "":
		kind = "chats"
	}
	for _, ev := range events {
		if ev.Type == "Restore" && ev.Status == "Failed" {
			failed++
			t.say("  failed: %s %s: %s", ev.Item, ev.Title, ev.Message)
		}
	}
	t.say("restored %d %s: %d events, %d failed", begun, kind, len(events), failed)
	return nil
}

// newDemoLoseCommand loses a mail of a running demonstration.
func newDemoLoseCommand() *cobra.Command {
	var control, user string
	cmd := &cobra.Command{
		Use: "lose", Short: "Delete the newest mail of a user's inbox in a running demonstration", Args: exact(0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			subject, err := loseMail(cmd.Context(), control, user)
			if err != nil {
				return err
			}
			return done(cmd, map[string]string{"subject": subject}, "deleted for good: %q\nfind it: holdfast search --user %s 'subject:\"%s\"'", clean(subject), user, clean(subject))
		},
	}
	cmd.Flags().StringVar(&control, "control", "http://127.0.0.1:8480", "the simulator's control address")
	cmd.Flags().StringVar(&user, "user", "", "user")
	cobra.CheckErr(cmd.MarkFlagRequired("user"))
	return cmd
}
