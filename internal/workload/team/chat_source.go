package team

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"hash/maphash"
	"strings"
	"time"

	"holdfast/internal/engine"
	"holdfast/internal/holdfast"
	"holdfast/internal/m365"
	"holdfast/internal/m365/graph"
)

// Read brings a chat up to date. The hint says when the last change was that a member's list heard of, and whose list that was: a chat that has been
// read up to then costs nothing. Events that Teams itself tells have its members looked at again.
func (s *chatSource) Read(ctx context.Context, c holdfast.Container, prev engine.Previous, sink engine.Sink) error {
	mark, rest, _ := strings.Cut(engine.HintOf(ctx), " ")
	user, from, _ := strings.Cut(rest, " ")
	r := &chatReader{g: s.g, tenant: s.tenant, c: c, prev: prev, sink: sink, now: s.g.M365().Clock().Now(), mark: mark, user: user, from: from, missed: map[string]bool{}, seed: maphash.MakeSeed(), compares: engine.Comparing(ctx)}
	err := r.run(ctx)
	var skip *holdfast.Skip
	if err == nil || errors.As(err, &skip) {
		return err
	}
	return fmt.Errorf("read %s: %w", c, err)
}

type chatReader struct {
	g      *graph.Client
	tenant string
	c      holdfast.Container
	prev   engine.Previous
	sink   engine.Sink

	now        time.Time
	mark, from string // of the list that found the chat: when it last changed, and the earliest change that was heard of with that one
	user       string // whose list it is
	root       holdfast.Item
	missed     map[string]bool
	seed       maphash.Seed
	compares   bool // all is listed, for a policy of retention tells nobody what it took away
	looked     bool // the chat itself was read
	events     bool // something besides messages changed
}

func (r *chatReader) run(ctx context.Context) error {
	for m, err := range engine.MissedItems(ctx, r.prev) {
		if err != nil {
			return err
		}
		if m.Reason != holdfast.SkipUnsupported { // those will not come
			r.missed[m.Item.ID] = true
		}
	}
	root, known, err := r.prev.Item(ctx, chatRoot)
	if err != nil {
		return err
	}
	r.root = root
	since, _, err := r.prev.Cursor(ctx, cursorSince)
	if err != nil {
		return err
	}
	if known && !r.prev.Anew() && len(r.missed) == 0 && since != "" && r.mark != "" && r.mark <= since {
		r.describe()
		return nil
	}
	if !known || r.prev.Anew() || r.compares || r.missed[chatRoot] {
		if err := r.chat(ctx); err != nil {
			return err
		}
	}
	if err := r.messages(ctx, since); err != nil {
		return err
	}
	if r.events && !r.looked {
		if err := r.chat(ctx); err != nil {
			return err
		}
	}
	r.describe()
	return nil
}

// describe tells whose the chat is now.
func (r *chatReader) describe() {
	c := r.c
	c.Name, c.Address, c.Owner = r.root.Name, r.root.Name, r.root.Fields[fieldMembers]
	if to := r.root.Fields[holdfast.FieldTo]; to != "" && to != c.Name {
		c.Address = c.Name + " (" + to + ")"
	}
	engine.Describe(r.sink, c)
}

// chat reads the chat and who is in it.
func (r *chatReader) chat(ctx context.Context) error {
	r.looked = true
	ch, err := r.g.Chat(ctx, r.c.Source)
	if err != nil {
		return placeError(err)
	}
	first, err := r.g.ChatMembers(ctx, r.c.Source)
	rows, err := collect(graph.All(ctx, r.g, first, err, graph.List{}))
	skip := m365.Skip(err)
	if err != nil && skip == nil {
		return err
	}
	item := holdfast.Item{ID: chatRoot, Kind: holdfast.KindFolder, Time: ch.Created, Size: int64(len(ch.Raw)),
		Fields: map[string]string{holdfast.FieldSpecial: chatRoot, fieldType: ch.Type, holdfast.FieldCreated: stamp(ch.Created)}}
	if r.tenant != "" && ch.TenantID != "" && !strings.EqualFold(ch.TenantID, r.tenant) {
		item.Fields[fieldHere] = "false"
	}
	payloads := []holdfast.Payload{whole(holdfast.FormJSON, ch.Raw)}
	var members []byte
	if skip == nil {
		members = arrayOf(rows, func(m *graph.ConversationMember) json.RawMessage { return m.Raw })
		payloads = append(payloads, whole(formMembers, members))
		item.Fields[holdfast.FieldTo] = names(rows)
		var ids []string
		for _, m := range rows {
			ids = append(ids, m.UserID)
		}
		item.Fields[fieldMembers] = holdfast.OwnedBy(ids...)
	} else { // those that were known, else who found it
		item.Fields[holdfast.FieldTo], item.Fields[fieldMembers] = r.root.Fields[holdfast.FieldTo], r.root.Fields[fieldMembers]
		if item.Fields[fieldMembers] == "" {
			item.Fields[fieldMembers] = r.user
		}
	}
	item.Name = nameOf(ch, item.Fields[holdfast.FieldTo])
	item.Version = fingerprint(ch.Raw, members)
	if r.root.Version != item.Version || r.missed[chatRoot] {
		if err := r.sink.Put(ctx, item, payloads...); err != nil {
			return err
		}
	}
	if skip != nil {
		r.sink.Skip(ctx, item, skip)
	}
	r.root = item
	return nil
}

// list gives the first page of messages that changed after since, or of all. Of a chat that another organization began Microsoft gives them with all
// messages of a member only; those of other chats are passed over.
func (r *chatReader) list(ctx context.Context, l graph.List) (*graph.Page[graph.ChatMessage], error) {
	if r.root.Fields[fieldHere] != "false" {
		l.OrderBy = "lastModifiedDateTime desc"
		return r.g.ChatMessages(ctx, r.c.Source, l)
	}
	user := r.user
	if user == "" {
		user, _, _ = strings.Cut(r.root.Fields[fieldMembers], " ")
	}
	return r.g.AllChatMessages(ctx, user, l)
}

// messages reads what changed after since. A listing that was broken off goes on where it was.
func (r *chatReader) messages(ctx context.Context, since string) error {
	next, _, err := r.prev.Cursor(ctx, cursorNext)
	if err != nil {
		return err
	}
	begun, _, err := r.prev.Cursor(ctx, cursorStart)
	if err != nil {
		return err
	}
	l := graph.List{Top: pageSize, Prefer: unknownMembers}
	var seen map[uint64]bool
	var page *graph.Page[graph.ChatMessage]
	first, began := false, noNews // began is when the whole listing did, by a clock that may be wrong
	if next != "" && !r.prev.Anew() && !r.compares {
		if page, err = graph.Follow[graph.ChatMessage](ctx, r.g, next, l); err != nil && m365.Skip(err) != nil && m365.KindOf(err) != m365.Denied {
			page, err = nil, nil // it is too old: from the beginning
		}
	}
	if page == nil && err == nil {
		begun, began, first = since, changed(r.now.Add(-margin)), true
		if r.from != "" && r.from < since {
			since = r.from
		}
		if at, perr := time.Parse(change, since); perr == nil && !r.prev.Anew() && !r.compares && len(r.missed) == 0 {
			l.Filter = "lastModifiedDateTime gt " + at.Add(-overlap).UTC().Format("2006-01-02T15:04:05.000Z")
		} else {
			seen = map[uint64]bool{}
		}
		page, err = r.list(ctx, l)
	}
	for n := 1; ; n++ {
		if err != nil {
			return placeError(err)
		}
		for i := range page.Value {
			m := &page.Value[i]
			if m.Chat != r.c.Source && (m.Chat != "" || r.root.Fields[fieldHere] == "false") {
				continue // of another chat
			}
			if first { // what changes while the listing goes on has a later time than what it began with
				begun = max(begun, changed(m.Modified))
			}
			if err := r.message(ctx, m, seen); err != nil {
				return err
			}
		}
		first = false
		if page.NextLink == "" {
			break
		}
		if n%savePages == 0 {
			if err := r.sink.Wait(); err != nil {
				return err
			}
			if err := errors.Join(r.sink.Cursor(ctx, cursorNext, page.NextLink), r.sink.Cursor(ctx, cursorStart, begun)); err != nil {
				return err
			}
			if err := r.sink.Savepoint(ctx); err != nil {
				return err
			}
		}
		page, err = graph.Follow[graph.ChatMessage](ctx, r.g, page.NextLink, l)
	}
	if err := r.sink.Wait(); err != nil {
		return err
	}
	if seen != nil && !r.prev.Empty() {
		if err := r.vanished(ctx, seen); err != nil {
			return err
		}
	}
	if r.mark != noNews { // the list that told of a change is not told of it again
		begun = max(begun, r.mark)
	}
	begun = max(begun, began)
	return errors.Join(r.sink.Cursor(ctx, cursorSince, begun), r.sink.Cursor(ctx, cursorNext, ""), r.sink.Cursor(ctx, cursorStart, ""))
}

func (r *chatReader) key(id string) uint64 { return maphash.String(r.seed, id) }

// message puts a message that changed.
func (r *chatReader) message(ctx context.Context, m *graph.ChatMessage, seen map[uint64]bool) error {
	if m.ID == "" {
		return &m365.Error{Kind: m365.Corrupt, Call: "GET messages", Code: "a message without an id"}
	}
	item := holdfast.Item{ID: messageID(m.ID), Parent: chatRoot, Kind: holdfast.KindPost, Version: m.ETag, Time: m.Created, Size: int64(len(m.Raw)), Name: title(m),
		Fields: map[string]string{fieldMessage: m.ID, holdfast.FieldModified: stamp(m.Modified)}}
	if seen != nil {
		seen[r.key(item.ID)] = true
	}
	before, ok, err := r.prev.Item(ctx, item.ID)
	if err != nil {
		return err
	}
	// A message that was imported in the place of one that is gone may have that one's version.
	if ok && before.Version == item.Version && !r.missed[item.ID] && !(r.compares && before.Name != item.Name) {
		return nil
	}
	r.events = r.events || isEvent(m)
	described(item, m)
	id := m.ID // pages are not kept
	return putMessage(ctx, r.sink, item, before, m, func(ctx context.Context, hosted string) (*m365.Stream, error) {
		if r.root.Fields[fieldHere] == "false" {
			return nil, &holdfast.Skip{Reason: holdfast.SkipUnsupported, Err: errors.New("another organization began the chat, and Microsoft gives its pictures to that one's applications only")}
		}
		return r.g.OpenChatHosted(ctx, r.c.Source, id, hosted)
	})
}

// vanished asks for the messages that a listing of everything did not show: only those that are not there when they are asked for are gone.
func (r *chatReader) vanished(ctx context.Context, seen map[uint64]bool) error {
	for item, err := range r.prev.All(ctx) {
		if err != nil {
			return err
		}
		if item.Kind != holdfast.KindPost || seen[r.key(item.ID)] {
			continue
		}
		all := r.compares && r.root.Fields[fieldHere] != "false" // else one member's list told, who need not see all
		var err error
		if !all {
			_, err = r.g.MessageOfChat(ctx, r.c.Source, item.Fields[fieldMessage])
		}
		if all || m365.KindOf(err) == m365.NotFound {
			err = r.sink.Delete(ctx, item.ID)
		} else if err != nil && m365.Skip(err) != nil {
			err = nil
		}
		if err != nil {
			return err
		}
	}
	return nil
}
