package service

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"holdfast/internal/holdfast"
)

// errChatsChina is why chats are not protected there: Teams of 21Vianet has no interface that gives all messages, nor one to put them back
// (learn.microsoft.com/microsoftteams/platform/…/teamwork-national-cloud-differences).
var errChatsChina = holdfast.Invalid("chats can't be protected in the region China: Microsoft has no interface there that reads them; leave chats out or set it to false")

// asksForChats says whether a job protects chats.
func asksForChats(whole bool, selected []holdfast.JobItem) bool {
	return whole || slices.ContainsFunc(selected, func(i holdfast.JobItem) bool { return i.Chats })
}

// allowChats says whether a job that is saved asks for chats, and fails when the organization can't give them: by its cloud, or because its
// application lacks the permission, which nobody grants before a job asks.
func (j *Jobs) allowChats(ctx context.Context, u User, job holdfast.Job, spec JobSpec) (bool, error) {
	if spec.Scope != "" {
		job.Scope = spec.Scope
	}
	selected, whole := job.Selected, value(spec.Chats, job.Chats)
	if spec.Selected != nil {
		selected = spec.Selected
	}
	if job.Scope == holdfast.EntireOrganization {
		selected = nil
	} else {
		whole = false
	}
	if !asksForChats(whole, selected) {
		return false, nil
	}
	org, cred, err := (&Organizations{j.core}).access(ctx, u, job.Organization)
	switch {
	case err != nil:
		return false, err
	case org.Region == holdfast.China:
		return false, errChatsChina
	case org.Chats:
		return true, nil
	}
	tenant, err := j.Directory.Check(ctx, org, cred)
	if err != nil {
		return false, err
	}
	return true, granted(tenant.Permissions, cred.ApplicationID, UseChatsBackup)
}

// chatKind is the field that says of a chat what kind of chat it is, chatHere one that says "false" of a chat which another organization began.
const (
	chatKind = "membership"
	chatHere = "here"
)

// mostTopic is the longest name of a chat, in characters.
const mostTopic = 250

// chatMayReturn refuses to restore a chat that Microsoft takes no messages into, to a place that is none for a chat, and by who may not. Of what is no
// chat it refuses what only a chat has.
func (r *RestoreSessions) chatMayReturn(ctx context.Context, u User, c SessionContainer, spec RestoreSpec) error {
	if c.Container.Kind != holdfast.Chat {
		if spec.NewChat || spec.Topic != "" {
			return holdfast.Invalid("only a chat is restored into a new chat: leave newChat and topic out")
		}
		return nil
	}
	if err := r.may(u, ActRestoreChat, c.object()); err != nil {
		return err
	}
	switch {
	case spec.Credential != nil: // a chat that is left open is closed later, when nobody has the credential of the request any more, and only the application that opened it can
		return holdfast.Invalid("a chat is restored by the organization's own application, which alone can close it for messages of the past should the restore break off: leave the application out")
	case spec.To != "" || spec.Folder != "":
		return holdfast.Invalid("a chat is restored to itself, or with newChat into a new group of the same people: leave the user and the folder to restore to out")
	case spec.Topic != "" && !spec.NewChat:
		return holdfast.Invalid("topic is the name of the new chat: set newChat too, or leave it out")
	case strings.Contains(spec.Topic, ":") || utf8.RuneCountInString(spec.Topic) > mostTopic:
		return holdfast.Invalid("the topic of a chat has no colon and at most %d characters", mostTopic)
	}
	root, err := r.Explorer.Item(ctx, c.View, holdfast.SpecialChat)
	if holdfast.KindOf(err) == holdfast.KindNotFound {
		return holdfast.Invalid("nothing is stored of the chat itself, so it can't be restored: save it as a page of HTML or as a ZIP")
	}
	if err != nil {
		return err
	}
	switch {
	case root.Fields[chatKind] == "meeting":
		return holdfast.Invalid("%q is the chat of a meeting, into which Microsoft takes no messages of the past: save it as a page of HTML or as a ZIP", c.Container.Name)
	case root.Fields[chatHere] == "false":
		return holdfast.Invalid("%q was begun in another organization, which alone can put messages into it: save it as a page of HTML or as a ZIP", c.Container.Name)
	}
	return nil
}

// Closing a chat that a restore left open for messages of the past: nobody can write to it until then.
const (
	closeChatFirst = 15 * time.Second // how long after the restore's end, doubled each time it fails
	closeChatMost  = time.Hour
	closeChatTries = 200 // more than a week
)

// closeChat has a chat closed that a restore which goes on no more left open, as its note tells: one that was stopped after its worker had died, or that
// could not close it. req is the restore's.
func (c *core) closeChat(ctx context.Context, tx Tx, t holdfast.TaskRecord, req holdfast.RestoreRequest) error {
	if t.Container.Kind != holdfast.Chat {
		return nil
	}
	note, ok, err := tx.RestoreItem(ctx, req.ID, holdfast.RestoreNote(holdfast.NoteOpenChat), "")
	if err != nil || !ok || note.Result == nil || note.Result.NewID == "" {
		return err
	}
	if req.End++; req.End > closeChatTries {
		c.Log.ErrorContext(ctx, "a chat stays open for messages of the past", "restore_session", req.Session, "chat", note.Result.NewID)
		return nil
	}
	body, err := json.Marshal(req)
	if err != nil {
		return fmt.Errorf("encode the restore request: %w", err)
	}
	id, err := c.id()
	if err != nil {
		return err
	}
	wait := min(closeChatFirst<<min(req.End-1, 10), closeChatMost)
	if req.End == 1 {
		wait = 0
	}
	return tx.PutTasks(ctx, holdfast.TaskRecord{Task: holdfast.Task{ID: holdfast.TaskID(id), Kind: holdfast.TaskRestore, Organization: t.Organization, Repository: t.Repository, RestoreSession: req.Session, Container: t.Container, Request: body},
		State: holdfast.TaskReady, NotBefore: c.now().Add(wait)})
}

// chatClosed tells how closing a chat went, in the event of the closing, and has it tried again when it did not.
func (c *core) chatClosed(ctx context.Context, tx Tx, t holdfast.TaskRecord, req holdfast.RestoreRequest, r holdfast.TaskResult) error {
	now := c.now()
	e := holdfast.RestoreEvent{ID: holdfast.DerivedID(string(req.Session), req.ID+" is closed"), Session: req.Session, Request: req.ID, Type: "None", Status: "Success", ItemName: t.Container.Name, ItemType: string(t.Container.Kind),
		Source: t.Container.Address, Target: t.Container.Address, Title: "Closed " + t.Container.Name + " for messages of the past", Message: "its members can write to it again", Organization: t.Organization, User: t.Container.Owner, Started: now, Ended: now}
	if r.Err != "" || t.Cancel {
		e.Status, e.Title = "Warning", "Could not close "+t.Container.Name+" for messages of the past"
		e.Message = fmt.Sprintf("nobody can write to it until it is closed, which is tried again (%d): %s", req.End, r.Err)
		if req.End >= closeChatTries {
			e.Status, e.Message = "Failed", "nobody can write to it until it is closed: restore a message of it again, with the same application: "+r.Err
		}
	}
	if err := tx.PutRestoreEvent(ctx, e); err != nil {
		return err
	}
	return c.closeChat(ctx, tx, t, req)
}
