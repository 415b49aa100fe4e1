package team

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"holdfast/internal/engine"
	"holdfast/internal/holdfast"
	"holdfast/internal/m365"
	"holdfast/internal/m365/graph"
)

// A chat is put back by importing its messages: the chat is opened for messages of the past, by which its members can't write to it, and closed at the
// end whatever happens (Close; after a restore that died its next attempt, else End). A chat that is purged is made again: one of two under the id that
// it had, a group under a new one.

type chatTarget struct {
	g      *graph.Client
	tenant string
}

// Meter counts the calls of one restore, which goes before backups.
func (t *chatTarget) Meter(ctx context.Context) (context.Context, func() holdfast.Statistics) {
	return m365.Meter(m365.ForRestore(ctx))
}

// saveIt is what to do with a chat that can't be put back.
const saveIt = "save it as a page of HTML or as a ZIP"

// Open prepares a restore: the application may write chats, and the cloud takes messages of the past.
func (t *chatTarget) Open(ctx context.Context, plan engine.RestorePlan) (engine.Restore, error) {
	ctx = m365.ForRestore(ctx)
	cloud := t.g.M365().Cloud()
	switch {
	case !cloud.Has(m365.Teams):
		return nil, holdfast.Invalid("Microsoft has no Teams in this cloud")
	case !cloud.Has(m365.TeamsMigration):
		return nil, holdfast.Invalid("Microsoft takes no messages of the past in this cloud, so a chat can't be put back: %s", saveIt)
	case plan.Folder != "":
		return nil, holdfast.Invalid("messages go back to their chat, or into a new one: leave the folder out")
	}
	missing, err := t.g.CheckPermissions(ctx, "Chat.Read.All", "Chat.Create", "ChatMember.ReadWrite.All", "Teamwork.Migrate.All")
	if err != nil {
		return nil, err
	}
	if len(missing) > 0 {
		return nil, holdfast.Denied("the application may not write chats: grant it %s in Microsoft Entra", strings.Join(missing, ", "))
	}
	return &chatRestore{g: t.g, tenant: t.tenant, plan: plan, authors: map[string]bool{}}, nil
}

// End closes a chat that a restore which does not go on has left open.
func (t *chatTarget) End(ctx context.Context, plan engine.RestorePlan) error {
	ctx = m365.ForRestore(ctx)
	chat, err := plan.Notes.Noted(ctx, holdfast.NoteOpenChat)
	if err != nil || chat == "" {
		return err
	}
	if err := closeChat(ctx, t.g, chat); err != nil {
		return itemError(ctx, err)
	}
	return plan.Notes.Note(ctx, holdfast.NoteOpenChat, "")
}

// closeChat closes a chat for messages of the past. One that is gone, or that is not open any more because an answer was lost, is closed; which of the two a refusal
// means only the chat itself tells.
func closeChat(ctx context.Context, g *graph.Client, chat string) error {
	err := g.CompleteChatMigration(ctx, chat)
	if err == nil || m365.OutcomeUnknown(err) {
		return err
	}
	switch m365.KindOf(err) {
	case m365.NotFound:
		return nil
	case m365.Invalid:
		ch, lerr := g.Chat(ctx, chat)
		switch {
		case m365.KindOf(lerr) == m365.NotFound:
			return nil
		case lerr != nil:
			return lerr
		case ch.Migration != inProgress:
			return nil
		}
		return holdfast.Unavailable("the chat is open for messages of the past, and Microsoft refuses to close it: %v", err)
	}
	return err
}

// Notes of a restore.
const (
	noteMaking = "chat that is being made" // since when, as change has it
	noteChat   = "chat that was made"      // its id
)

// chatRestore is one restore of one chat.
type chatRestore struct {
	g      *graph.Client
	tenant string
	plan   engine.RestorePlan

	making  sync.Mutex      // guards what is below, and is held while the chat is looked for, made, opened or closed
	root    *holdfast.Item  // the chat as it is stored
	id      string          // of the chat there; empty while it is to be made
	created time.Time       // of the chat there
	unseen  bool            // whether it is among the deleted ones
	isNew   bool            // made by this attempt
	open    bool            // for messages of the past
	ours    bool            // this restore opened it
	refused error           // why it can't be opened
	charged bool            // of a dry run: opening and closing are in the cost
	authors map[string]bool // whether they are in the organization

	looking sync.Mutex         // guards what is below, and is held while the messages there are read
	asked   int                // messages that were asked for one by one
	known   map[string]message // of the chat there, by id; nil until they were listed
}

// message is what is known of a message there.
type message struct {
	says    string // its fingerprint
	deleted bool
}

const (
	tokenChat  = "chat"
	inProgress = "inProgress" // the Migration of a chat or channel while it is open
)

// Folder finds the chat. SettleFolder makes one that is missing: only the stored members say who is to be in it.
func (r *chatRestore) Folder(ctx context.Context, folder holdfast.Item, _ string) (string, error) {
	ctx = m365.ForRestore(ctx)
	r.making.Lock()
	defer r.making.Unlock()
	switch {
	case folder.Fields[holdfast.FieldSpecial] != chatRoot:
		return "", &holdfast.Skip{Reason: holdfast.SkipUnsupported, Err: fmt.Errorf("%q is no chat", folder.Name)}
	case folder.Fields[fieldType] == chatMeeting:
		return "", holdfast.Invalid("%q is the chat of a meeting, into which Microsoft takes no messages of the past: %s", folder.Name, saveIt)
	case folder.Fields[fieldHere] == "false":
		return "", holdfast.Invalid("%q was begun in another organization, which alone can put messages into it: %s", folder.Name, saveIt)
	}
	if r.root == nil {
		ch, err := r.find(ctx, folder)
		if err != nil {
			return "", itemError(ctx, err)
		}
		if ch != nil {
			r.is(ch)
		}
		r.root = &folder
	}
	if r.id == "" && r.plan.DryRun {
		return engine.Planned + tokenChat, nil
	}
	return tokenChat, nil
}

// is notes the chat there. making is held.
func (r *chatRestore) is(ch *graph.Chat) {
	r.id, r.created, r.open = ch.ID, ch.Created, ch.Migration == inProgress
}

func (r *chatRestore) noted(ctx context.Context, name string) (string, error) {
	if r.plan.Notes == nil {
		return "", nil
	}
	return r.plan.Notes.Noted(ctx, name)
}

// find gives the chat that the restore goes to, nil when it is to be made. A deleted one is restored first.
func (r *chatRestore) find(ctx context.Context, root holdfast.Item) (*graph.Chat, error) {
	opened, err := r.noted(ctx, holdfast.NoteOpenChat)
	if err != nil {
		return nil, err
	}
	r.ours = opened != ""
	made, err := r.noted(ctx, noteChat)
	if err != nil {
		return nil, err
	}
	if made != "" {
		ch, err := r.await(ctx, made)
		if m365.KindOf(err) == m365.NotFound {
			return nil, holdfast.Conflict("the chat that this restore had made was deleted since: restore once more")
		}
		return ch, err
	}
	if r.plan.NewChat {
		return nil, nil
	}
	ch, err := r.g.Chat(ctx, r.plan.From.Source)
	if m365.KindOf(err) != m365.NotFound {
		return ch, err
	}
	if ch, err := r.deleted(ctx); ch != nil || err != nil {
		return ch, err
	}
	if root.Fields[fieldType] == chatOneOnOne {
		return nil, nil // comes back under its id
	}
	return r.earlier(ctx, root)
}

// await reads a chat that is on its way.
func (r *chatRestore) await(ctx context.Context, id string) (*graph.Chat, error) {
	for n := 0; ; n++ {
		ch, err := r.g.Chat(ctx, id)
		if m365.KindOf(err) != m365.NotFound || n == waits {
			return ch, err
		}
		if err := r.g.M365().Clock().Sleep(ctx, waitTeam); err != nil {
			return nil, err
		}
	}
}

// deleted restores the chat when it is among the deleted ones; nil when it is not, or in a dry run.
func (r *chatRestore) deleted(ctx context.Context) (*graph.Chat, error) {
	err := r.g.DeletedChat(ctx, r.plan.From.Source)
	switch m365.KindOf(err) {
	case m365.NotFound, m365.Invalid:
		return nil, nil
	case m365.Denied: // the right to see it is the right to delete chats, which not everybody gives
		r.unseen = true
		return nil, nil
	}
	if err != nil || r.plan.DryRun {
		return nil, err
	}
	if err := r.g.RestoreChat(ctx, r.plan.From.Source); err != nil && !m365.OutcomeUnknown(err) && m365.KindOf(err) != m365.NotFound {
		return nil, err
	}
	return r.await(ctx, r.plan.From.Source)
}

// remade bounds by how much a group that was made again looks older than it was: each import into it moves its beginning.
const remade = time.Hour

// earlier finds the group that an earlier restore made of one that is gone: an import moved its beginning to that one's, and its name is the same.
func (r *chatRestore) earlier(ctx context.Context, root holdfast.Item) (*graph.Chat, error) {
	begun := root.Time.UTC().Truncate(time.Millisecond)
	nameless := root.Name == root.Fields[holdfast.FieldTo]
	return r.among(ctx, holdfast.Owners(root.Fields[fieldMembers]), func(ch *graph.Chat) (bool, error) {
		named := nameOf(ch, "") == root.Name || nameless && ch.Topic == ""
		return ch.Type == chatGroup && named && !ch.Original.IsZero() && !ch.Created.After(begun) && begun.Sub(ch.Created) <= remade, nil
	})
}

// among finds a chat that the first of the people takes part in whom the organization has.
func (r *chatRestore) among(ctx context.Context, people []string, is func(ch *graph.Chat) (bool, error)) (*graph.Chat, error) {
	for _, user := range people {
		l := graph.List{Top: pageSize}
		first, err := r.g.UserChats(ctx, user, l)
		if m365.KindOf(err) == m365.NotFound {
			continue
		}
		for ch, err := range graph.All(ctx, r.g, first, err, l) {
			if err != nil {
				return nil, err
			}
			if ok, err := is(ch); ok || err != nil {
				return ch, err
			}
		}
		break
	}
	return nil, nil
}

// unanswered finds the group that an attempt had made without hearing of it: of that topic and those members, no older than the attempt, and nobody has
// said anything in it.
func (r *chatRestore) unanswered(ctx context.Context, since, topic string, people []string) (*graph.Chat, error) {
	begun, err := time.Parse(change, since)
	if err != nil {
		return nil, fmt.Errorf("internal check: the note of when a chat was made says %q", since)
	}
	return r.among(ctx, people, func(ch *graph.Chat) (bool, error) {
		if ch.Type != chatGroup || ch.Topic != topic || ch.Created.Before(begun.Add(-overlap)) || !ch.Original.IsZero() || ch.Migration != "" {
			return false, nil
		}
		first, err := r.g.ChatMembers(ctx, ch.ID)
		there, err := collect(graph.All(ctx, r.g, first, err, graph.List{}))
		if err != nil || len(there) != len(people) {
			return false, err
		}
		for _, m := range there {
			if !slices.Contains(people, m.UserID) {
				return false, nil
			}
		}
		said, err := r.g.ChatMessages(ctx, ch.ID, graph.List{Top: pageSize, Prefer: unknownMembers})
		if err != nil {
			return false, err
		}
		return !slices.ContainsFunc(said.Value, func(m graph.ChatMessage) bool { return !isEvent(&m) }), nil
	})
}

// SettleFolder makes the chat when it is missing, with the members that it had. Members and name of a chat that is there stay as they are.
func (r *chatRestore) SettleFolder(ctx context.Context, p engine.Put) error {
	ctx = m365.ForRestore(ctx)
	r.making.Lock()
	defer r.making.Unlock()
	made, err := r.noted(ctx, noteChat)
	if err != nil {
		return err
	}
	if r.id != "" && r.id != made {
		return nil
	}
	lost, err := r.make(ctx, p)
	if err != nil {
		return itemError(ctx, err)
	}
	return lostError(lost)
}

// person is somebody who is to be in a chat.
type person struct {
	graph.NewMember
	name string
}

// people are the stored members whom the organization has: whole see all of the chat, late what was said since they came.
func (r *chatRestore) people(ctx context.Context, p engine.Put) (whole, late []person, lost []string, err error) {
	var stored []graph.ConversationMember
	if err := read(ctx, p, formMembers, &stored); err != nil {
		return nil, nil, nil, err
	}
	if len(stored) == 0 {
		return nil, nil, nil, holdfast.Conflict("the chat is gone, and the backup does not know who took part in it: %s", saveIt)
	}
	for _, m := range stored {
		if m.TenantID != "" && r.tenant != "" && !strings.EqualFold(m.TenantID, r.tenant) {
			lost = append(lost, fmt.Sprintf("the member %s, who is of another organization and must be invited by a person", m.DisplayName))
			continue
		}
		u, err := r.g.User(ctx, m.UserID)
		if m365.KindOf(err) == m365.NotFound {
			lost = append(lost, fmt.Sprintf("the member %s, who is not in the organization any more", m.DisplayName))
			continue
		}
		if err != nil {
			return nil, nil, nil, err
		}
		role := "owner"
		if strings.EqualFold(u.UserType, "Guest") {
			role = "guest"
		}
		one := person{graph.NewMember{User: m.UserID, Roles: []string{role}}, m.DisplayName}
		if m.Since.Year() > 1 {
			one.Since = &m.Since
			late = append(late, one)
		} else {
			whole = append(whole, one)
		}
	}
	return whole, late, lost, nil
}

// mostTopic is the longest topic of a chat, in characters.
const mostTopic = 250

// topic is what a chat that is made is called. A colon is not allowed in it.
func (r *chatRestore) topic(stored string) string {
	topic := stored
	if r.plan.NewChat {
		if topic = r.plan.Topic; topic == "" {
			topic = strings.TrimSpace(stored + restoredSuffix)
			if stored == "" {
				topic = r.root.Name + restoredSuffix
			}
		}
	}
	topic = strings.ReplaceAll(topic, ":", " ")
	if c := []rune(topic); len(c) > mostTopic {
		topic = string(c[:mostTopic])
	}
	return topic
}

// make makes the chat, once: of one of two there is never another one, and a group whose making was not answered is looked for. Nobody is told, but for
// what Teams writes into the chat itself. making is held.
func (r *chatRestore) make(ctx context.Context, p engine.Put) (lost []string, err error) {
	whole, late, lost, err := r.people(ctx, p)
	if err != nil {
		return nil, err
	}
	var stored graph.Chat
	if err := read(ctx, p, holdfast.FormJSON, &stored); err != nil {
		return nil, err
	}
	if r.id == "" {
		if err := r.create(ctx, stored, whole, late); err != nil {
			return nil, err
		}
	}
	if r.unseen && stored.Type == chatGroup { // one of two has its id again
		lost = append(lost, "the chat itself, if it was deleted less than seven days ago: to see that, the application needs Chat.ManageDeletion.All")
	}
	if len(late) == 0 || stored.Type == chatOneOnOne && !r.plan.NewChat {
		return lost, nil
	}
	first, err := r.g.ChatMembers(ctx, r.id)
	there, err := collect(graph.All(ctx, r.g, first, err, graph.List{}))
	if err != nil {
		return nil, err
	}
	for _, m := range late {
		if slices.ContainsFunc(there, func(t *graph.ConversationMember) bool { return t.UserID == m.User }) {
			continue
		}
		if err := r.g.AddChatMember(ctx, r.id, m.NewMember); err != nil {
			if !m365.Lasting(err) {
				return nil, err
			}
			lost = append(lost, fmt.Sprintf("the member %s (%s)", m.name, graph.ErrorText(err)))
		}
	}
	return lost, nil
}

// create makes the chat with those who see all of it. making is held.
func (r *chatRestore) create(ctx context.Context, stored graph.Chat, whole, late []person) error {
	n := graph.NewChat{Type: chatGroup, Topic: r.topic(stored.Topic)}
	if stored.Type == chatOneOnOne && !r.plan.NewChat {
		n = graph.NewChat{Type: chatOneOnOne}
		whole = append(whole, late...) // its two see all of it
		if len(whole) != 2 {
			return holdfast.Conflict("the chat is gone, and not both who took part in it are in the organization: %s", saveIt)
		}
	}
	if len(whole) < 2 {
		return holdfast.Conflict("a chat is made of two at least who may see all of it, and of its members %d are in the organization who did: %s", len(whole), saveIt)
	}
	var ids []string
	for _, m := range whole {
		n.Members, ids = append(n.Members, graph.NewMember{User: m.User, Roles: m.Roles}), append(ids, m.User)
	}
	var ch *graph.Chat
	since, err := r.noted(ctx, noteMaking)
	switch {
	case err != nil:
		return err
	case n.Type == chatOneOnOne:
	case since == "":
		if err := r.plan.Notes.Note(ctx, noteMaking, changed(r.g.M365().Clock().Now())); err != nil {
			return err
		}
	default:
		if ch, err = r.unanswered(ctx, since, n.Topic, ids); err != nil {
			return err
		}
	}
	if ch == nil {
		ch, err = r.g.CreateChat(ctx, n)
		if r.unseen && m365.KindOf(err) == m365.NotFound {
			return holdfast.Denied("the chat was deleted lately, and can be restored with all that is in it: grant the application Chat.ManageDeletion.All in Microsoft Entra, or restore it into a new chat")
		}
		if err != nil {
			return err
		}
	}
	if err := r.plan.Notes.Note(ctx, noteChat, ch.ID); err != nil {
		return err
	}
	r.is(ch)
	r.isNew = n.Type == chatGroup // one of two may be there already
	return nil
}

// start opens the chat for messages of the past, once, and gives its id. A refusal is kept.
func (r *chatRestore) start(ctx context.Context) (id string, err error) {
	r.making.Lock()
	defer r.making.Unlock()
	switch {
	case r.id == "":
		return "", holdfast.Unavailable("the chat could not be made")
	case r.refused != nil:
		return "", unposted("Microsoft does not open the chat for messages of the past (" + graph.ErrorText(r.refused) + ")")
	case r.open:
		return r.id, nil
	}
	if err := r.own(ctx); err != nil { // before it is opened: a crash in between leaves a note of a chat that is closed
		return "", err
	}
	from := r.created.Add(-time.Second) // it must be earlier than the chat's beginning
	if r.root != nil && r.root.Time.Before(r.created) {
		from = r.root.Time
	}
	err = r.g.StartChatMigration(ctx, r.id, from)
	switch m365.KindOf(err) {
	case m365.Invalid, m365.Denied, m365.Conflict:
		ch, cerr := r.g.Chat(ctx, r.id)
		if cerr != nil {
			return "", cerr
		}
		if ch.Migration != inProgress {
			r.refused = err
			return "", unposted("Microsoft does not open the chat for messages of the past (" + graph.ErrorText(err) + ")")
		}
	default:
		if err != nil {
			return "", err
		}
	}
	r.open = true
	return r.id, nil
}

// own notes that this restore closes the chat. making is held.
func (r *chatRestore) own(ctx context.Context) error {
	if r.ours {
		return nil
	}
	if err := r.plan.Notes.Note(ctx, holdfast.NoteOpenChat, r.id); err != nil {
		return err
	}
	r.ours = true
	return nil
}

// posted notes that the application may post into the chat, which somebody had opened: an earlier restore, so that this one closes it.
func (r *chatRestore) posted(ctx context.Context) error {
	r.making.Lock()
	defer r.making.Unlock()
	return r.own(ctx)
}

// again looks whether somebody else, such as another restore of the same chat, closed the chat meanwhile.
func (r *chatRestore) again(ctx context.Context) error {
	r.making.Lock()
	defer r.making.Unlock()
	ch, err := r.g.Chat(ctx, r.id)
	if err != nil {
		return err
	}
	r.open, r.created = ch.Migration == inProgress, ch.Created
	return nil
}

const (
	// closes bounds how often a chat that does not close is told to, and waitClose is the longest wait between two times.
	closes    = 30
	waitClose = 20 * time.Second
)

// Close closes the chat for messages of the past, so that its members can write to it again.
func (r *chatRestore) Close(ctx context.Context) error {
	ctx = m365.ForRestore(ctx)
	r.making.Lock()
	defer r.making.Unlock()
	if !r.ours || r.id == "" {
		return nil // whoever opened it is still at work
	}
	wait := time.Second
	for n := 1; ; n++ {
		err := closeChat(ctx, r.g, r.id)
		if err == nil {
			break
		}
		if n == closes || m365.KindOf(err) == m365.Denied {
			return fmt.Errorf("close the chat, to which nobody can write until that is done; it is tried again: %w", err)
		}
		if serr := r.g.M365().Clock().Sleep(ctx, wait); serr != nil {
			return errors.Join(err, serr)
		}
		wait = min(2*wait, waitClose)
	}
	r.open = false
	err := r.plan.Notes.Note(ctx, holdfast.NoteOpenChat, "")
	if holdfast.KindOf(err) == holdfast.KindStale {
		return nil // of a restore that was stopped: closing it once more does no harm
	}
	return err
}
