package main

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"os"
	"time"

	"github.com/spf13/cobra"

	"holdfast/internal/sys"
)

// restoreEvent is what a restore session says of one item, or of a whole request.
type restoreEvent struct {
	ID      string     `json:"id"`
	Type    string     `json:"type"`
	Status  string     `json:"status"`
	Item    string     `json:"itemName"`
	Kind    string     `json:"itemType"`
	Source  string     `json:"source"`
	Target  string     `json:"target"`
	Title   string     `json:"title"`
	Message string     `json:"message"`
	Order   int        `json:"order"`
	Ended   *time.Time `json:"endTime"`
}

func (e restoreEvent) running() bool { return e.Status == "Running" }

func newRestoreCommand() *cobra.Command {
	var l lookAt
	var s selection
	var p place
	var app, certificate, certificatePassword string
	var everything, dry bool
	cmd := &cobra.Command{
		Use:   "restore [PATH…]",
		Short: "Give mails, files, folders or messages of chats back: to their place, to another folder or to another user",
		Long: `Give mails, files or folders back and wait for the result of each. What is still there and unchanged is left alone; a restore that is
repeated makes no second copy. No mail and no invitation is sent.

Messages of a chat go back to it with their authors and times, as long as it takes its members can't write to it; with --new-chat they go into a new group of
the same people. Chats of meetings, and those that another organization began, can't be given back: save them with "explore save --chat".`,
		Example: `  holdfast restore --user ada --query 'subject:budget'
  holdfast restore --user ada --files --at 2026-01-31 Documents/Reports
  holdfast restore --user ada --all --to bob@contoso.com --folder "Mail of Ada"
  holdfast restore --chat "Project Apollo" --all --new-chat --topic "Apollo, as of May"`,
		RunE: with(func(cmd *cobra.Command, c *client, args []string) error {
			ctx := cmd.Context()
			e, err := l.enter(cmd, c)
			if err != nil {
				return err
			}
			defer e.stop(ctx)
			things, err := s.things(ctx, e, args)
			if err != nil {
				return err
			}
			if everything != (len(things) == 0) {
				return errors.New("say what to restore: paths, --id, --query, or --all for everything of the user, team or chat")
			}
			if (p.newChat || p.topic != "") && !e.chats {
				return errors.New("--new-chat and --topic go with --chat")
			}
			if dry {
				if app != "" || certificate != "" {
					return errors.New("a dry run is made with the organization's own application")
				}
				return e.plan(cmd, things, p)
			}
			body := map[string]any{}
			if app != "" || certificate != "" {
				if app == "" || certificate == "" {
					return errors.New("an application of its own needs --application and --certificate")
				}
				raw, err := os.ReadFile(certificate)
				if err != nil {
					return err
				}
				body["applicationId"], body["applicationCertificate"] = app, base64.StdEncoding.EncodeToString(raw)
				if certificatePassword != "" {
					if body["applicationCertificatePassword"], err = readSecret(cmd, certificatePassword, ""); err != nil {
						return err
					}
				}
			}
			if err := e.restore(ctx, things, body, p); err != nil {
				return err
			}
			return e.results(cmd)
		}),
	}
	l.flags(cmd)
	s.flags(cmd)
	f := cmd.Flags()
	f.BoolVar(&dry, "dry-run", false, "only tell what would be done and what it takes")
	f.BoolVar(&everything, "all", false, "everything of the user")
	f.BoolVar(&p.newChat, "new-chat", false, "of a chat: restore into a new group of the same people")
	f.StringVar(&p.topic, "topic", "", "name of the new chat (default: that of the chat, and that it was restored)")
	f.StringVar(&p.to, "to", "", "restore to this user instead")
	f.StringVar(&p.folder, "folder", "", "restore into this folder, with \"/\" between names (default: the original places)")
	f.BoolVar(&p.overwrite, "overwrite", false, "replace what was changed since, also when it is newer (default: files are kept beside it, mails are left alone)")
	f.StringVar(&app, "application", "", "restore with this application instead of the organization's")
	f.StringVar(&certificate, "certificate", "", "file with that application's certificate and key (PFX or PEM)")
	f.StringVar(&certificatePassword, "certificate-password-file", "", "file with the password of the PFX file")
	return cmd
}

// place says where a restore goes.
type place struct {
	to, folder string
	overwrite  bool
	newChat    bool // of a chat: into a new one, called topic
	topic      string
}

func (p place) elsewhere() bool { return p.to != "" || p.folder != "" }

// restoreInSite asks for a restore of a whole site, or of what is in it, one thing after the other.
func restoreInSite(things []thing, body map[string]any, p place, ask func(in map[string]any, parts ...string) error) error {
	if p.folder != "" {
		return errors.New("a site's content goes to lists and libraries of its own names: leave --folder out")
	}
	body["documentVersion"], body["documentLastVersionAction"] = "All", "Merge"
	if p.overwrite {
		body["documentLastVersionAction"] = "Overwrite"
	}
	verb := "restore"
	if p.to != "" {
		verb, body["siteURL"] = "restoreTo", p.to
	} else {
		body["restorePermissions"] = true
	}
	if len(things) == 0 {
		return ask(body, verb)
	}
	for _, t := range things {
		if t.what == "" {
			return fmt.Errorf("what %s is, is not known: name it by its path, such as \"Documents/plan.docx\"", t.ID)
		}
		if err := ask(body, t.what, t.ID, verb); err != nil {
			return err
		}
	}
	return nil
}

// teamBody is a restore of a whole team, with its members and settings, or of a whole chat, or of what is in one.
func (e *explorer) teamBody(things []thing, p place) map[string]any {
	body := map[string]any{"restoreSessionId": e.session, "containerId": e.object, "to": p.to, "folder": p.folder, "mode": "skip", "permissions": len(things) == 0 && !e.chats}
	if p.overwrite {
		body["mode"], body["overwriteNewer"] = "overwrite", true
	}
	if p.newChat || p.topic != "" {
		body["newChat"], body["topic"] = p.newChat, p.topic
	}
	var ids []string
	for _, t := range things {
		ids = append(ids, t.ID)
	}
	if len(ids) > 0 {
		body["items"] = ids
	}
	return body
}

// restore asks for the restore in the contract's words.
func (e *explorer) restore(ctx context.Context, things []thing, body map[string]any, p place) error {
	if e.teams {
		if len(body) > 0 {
			return errors.New("teams and chats are restored with the organization's own application")
		}
		return e.c.call(ctx, http.MethodPost, "/holdfast/v1/Restore", e.teamBody(things, p), nil)
	}
	folders, items := split(things)
	if e.files {
		action := "Keep"
		if p.overwrite {
			action = "Overwrite"
		}
		body["documentAction"] = action
		if p.elsewhere() {
			body["documentVersion"], body["documentLastVersionAction"] = "Last", "Merge"
			if p.overwrite {
				body["documentLastVersionAction"] = "Overwrite"
			}
			body["folder"] = p.folder
			body["changedItems"], body["deletedItems"] = true, true
			if p.to != "" {
				body["onedrive"] = map[string]string{"name": p.to}
			}
		}
	} else if p.elsewhere() && !e.sites {
		body["folder"], body["changedItems"], body["deletedItems"] = p.folder, true, true
		body["mailbox"] = p.to
	}
	ask := func(in map[string]any, parts ...string) error {
		path := e.path(append([]string{e.object}, parts...)...)
		if p.overwrite && !e.files && !e.sites {
			path += "?overwriteNewer=true"
		}
		return e.c.call(ctx, http.MethodPost, path, in, nil)
	}
	if e.sites {
		return restoreInSite(things, body, p, ask)
	}
	if e.files {
		verb := "restore"
		if p.elsewhere() {
			verb = "copyTo"
		}
		if len(things) == 0 {
			return ask(body, verb)
		}
		if len(folders) > 0 {
			if err := ask(merge(body, "folders", refs(folders)), "Folders", verb); err != nil {
				return err
			}
		}
		if len(items) > 0 {
			return ask(merge(body, "documents", refs(items)), "Documents", verb)
		}
		return nil
	}
	verb := "restore"
	if p.elsewhere() {
		verb = "restoreTo"
	}
	if len(things) == 0 {
		return ask(body, verb)
	}
	for _, f := range folders {
		if err := ask(body, "folders", f.ID, verb); err != nil {
			return err
		}
	}
	if len(items) > 0 {
		return ask(merge(body, "items", refs(items)), "items", verb)
	}
	return nil
}

func merge(body map[string]any, name string, value any) map[string]any {
	out := map[string]any{name: value}
	for k, v := range body {
		out[k] = v
	}
	return out
}

// wait waits until as many requests were taken and nothing runs any more.
func (e *explorer) wait(ctx context.Context, requests int) ([]restoreEvent, error) {
	for {
		events, err := list[restoreEvent](ctx, e.c, join("RestoreSessions", e.session, "Events"), nil, 0)
		if err != nil {
			return nil, interrupted(ctx, err)
		}
		running, taken := false, 0
		for _, ev := range events {
			running = running || ev.running()
			if ev.Type == "Restore" {
				taken++
			}
		}
		if taken >= requests && !running {
			return events, nil
		}
		if err := sys.System.Sleep(ctx, 300*time.Millisecond); err != nil {
			return nil, interrupted(ctx, err)
		}
	}
}

// results waits until nothing runs any more and shows what became of each item, and of the whole last.
func (e *explorer) results(cmd *cobra.Command) error {
	events, err := e.wait(cmd.Context(), 1)
	if err != nil {
		return err
	}
	failed := 0
	var items, whole []restoreEvent
	for _, ev := range events {
		switch {
		case ev.Type != "Restore":
			continue
		case ev.Item == "":
			whole = append(whole, ev)
		default:
			items = append(items, ev)
		}
		if ev.Status == "Failed" {
			failed++
		}
	}
	if err := show(cmd, append(items, whole...), []string{"result", "what", "where", "message"}, func(ev restoreEvent) []any {
		what := ev.Item
		if what == "" {
			what = ev.Title
		}
		return []any{ev.Status, cut(what, 50), cut(dash(ev.Target), 40), cut(ev.Message, 100)}
	}, "nothing was restored"); err != nil {
		return err
	}
	if failed > 0 {
		return &exitError{code: 1, err: fmt.Errorf("%d could not be restored", failed)}
	}
	return nil
}
