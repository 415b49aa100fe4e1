package team

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"
	"time"

	"holdfast/internal/engine"
	"holdfast/internal/holdfast"
	"holdfast/internal/m365"
	"holdfast/internal/m365/graph"
)

// NewChatLists is the workload of the lists of chats that users take part in.
func NewChatLists(dial Dial) engine.Workload { return chatLists{dial} }

type chatLists struct{ dial Dial }

func (chatLists) Kind() holdfast.ContainerKind { return holdfast.ChatList }

func (w chatLists) Source(ctx context.Context, org holdfast.Organization, cred holdfast.Credential) (engine.Source, error) {
	g, err := w.dial(ctx, org, cred)
	if err != nil {
		return nil, err
	}
	return &listSource{g: g, org: org.ID}, nil
}

// Target refuses: a list is nothing that somebody has.
func (chatLists) Target(context.Context, holdfast.Organization, holdfast.Credential) (engine.Target, error) {
	return nil, holdfast.Invalid("the list of a user's chats can't be restored: restore the chats")
}

// Cursors of a list of chats, besides cursorSince.
const (
	cursorDelta  = "delta"  // link to what changed in all chats of the user
	cursorListed = "listed" // when the chats were last listed, RFC 3339
)

const (
	// listEvery is how often the chats of a user are listed, to learn of those that nobody writes in and of those that he has left.
	listEvery = 24 * time.Hour
	// margin is how much earlier than now the first changes begin: this clock and the service's differ, and a change may be listed late.
	margin = time.Hour
	// noNews is the mark of a chat of which no change was heard.
	noNews = "0"
)

type listSource struct {
	g   *graph.Client
	org holdfast.OrganizationID
}

// Meter counts the calls of one container.
func (s *listSource) Meter(ctx context.Context) (context.Context, func() holdfast.Statistics) {
	return m365.Meter(ctx)
}

// Discover gives the lists of the users, or of all who are no guests.
func (s *listSource) Discover(ctx context.Context, users []string) iter.Seq2[engine.Found, error] {
	return func(yield func(engine.Found, error) bool) {
		if !s.g.M365().Cloud().Has(m365.Teams) {
			for _, id := range users {
				none := &holdfast.Skip{Reason: holdfast.SkipUnsupported, Err: errors.New("Microsoft has no interface in this cloud that reads chats")}
				if !yield(engine.Found{Container: s.container(id, id, id), Err: none}, nil) {
					return
				}
			}
			return
		}
		known := engine.KnownUsers(ctx)
		if users != nil {
			s.chosen(ctx, users, known, yield)
			return
		}
		if known != nil {
			for _, u := range known {
				if !u.Guest && u.Gone.IsZero() && !yield(engine.Found{Container: s.container(u.ID, u.DisplayName, u.Name)}, nil) {
					return
				}
			}
			return
		}
		l := graph.List{Select: []string{"id", "displayName", "userPrincipalName", "userType"}, Top: 999}
		first, err := s.g.Users(ctx, l)
		for u, err := range graph.All(ctx, s.g, first, err, l) {
			if err != nil {
				yield(engine.Found{}, fmt.Errorf("list users: %w", err))
				return
			}
			if !strings.EqualFold(u.UserType, "Guest") && !yield(engine.Found{Container: s.container(u.ID, u.DisplayName, u.UserPrincipalName)}, nil) {
				return
			}
		}
	}
}

func (s *listSource) chosen(ctx context.Context, users []string, known []holdfast.DirectoryObject, yield func(engine.Found, error) bool) {
	for _, id := range users {
		found := engine.Found{Container: s.container(id, id, id)}
		if i := slices.IndexFunc(known, func(u holdfast.DirectoryObject) bool { return u.ID == id }); i >= 0 {
			found.Container = s.container(id, known[i].DisplayName, known[i].Name)
			if !known[i].Gone.IsZero() {
				found.Err = &holdfast.Skip{Reason: holdfast.SkipGone, Err: errors.New("the user is not in the organization any more")}
			}
		} else {
			u, err := s.g.User(ctx, id)
			switch {
			case m365.KindOf(err) == m365.NotFound, m365.KindOf(err) == m365.Invalid:
				found.Err = &holdfast.Skip{Reason: holdfast.SkipGone, Err: err}
			case err != nil:
				yield(engine.Found{}, fmt.Errorf("look up user %s: %w", id, err))
				return
			default:
				found.Container = s.container(u.ID, u.DisplayName, u.UserPrincipalName)
			}
		}
		if !yield(found, nil) {
			return
		}
	}
}

func (s *listSource) container(id, name, address string) holdfast.Container {
	return holdfast.Container{Organization: s.org, Kind: holdfast.ChatList, Source: id, Owner: id, Name: name, Address: address}
}

// Read follows what changed in the chats of a user and finds them all, each with the time of its last change that was heard of.
func (s *listSource) Read(ctx context.Context, c holdfast.Container, prev engine.Previous, sink engine.Sink) error {
	r := &listReader{g: s.g, c: c, prev: prev, sink: sink, now: s.g.M365().Clock().Now(), rows: map[string]*listRow{}}
	err := r.run(ctx)
	var skip *holdfast.Skip
	if err == nil || errors.As(err, &skip) {
		return err
	}
	return fmt.Errorf("read %s: %w", c, err)
}

type listReader struct {
	g    *graph.Client
	c    holdfast.Container
	prev engine.Previous
	sink engine.Sink
	now  time.Time

	rows  map[string]*listRow // by chat
	since string              // the latest change that was heard of
	fresh bool                // what is heard was never heard before
}

// listRow is a chat in the list: mark is the time of its last change that was heard of, from that of the earliest which was heard with it.
type listRow struct {
	mark, from, name string
	new, there       bool
}

// fieldFrom is a row's from.
const fieldFrom = "from"

func (r *listReader) run(ctx context.Context) error {
	for item, err := range r.prev.All(ctx) {
		if err != nil {
			return err
		}
		r.rows[item.ID] = &listRow{mark: item.Version, from: item.Fields[fieldFrom], name: item.Name}
	}
	var err error
	if r.since, _, err = r.prev.Cursor(ctx, cursorSince); err != nil {
		return err
	}
	if _, err := time.Parse(change, r.since); err != nil || r.prev.Anew() {
		r.since = changed(r.now.Add(-margin)) // what was before is read with each chat
	}
	link, err := r.changes(ctx)
	if err != nil {
		return listError(err)
	}
	text, _, err := r.prev.Cursor(ctx, cursorListed)
	if err != nil {
		return err
	}
	listed, perr := time.Parse(time.RFC3339, text)
	due := perr != nil || r.prev.Anew() || r.now.Before(listed) || r.now.Sub(listed) > listEvery
	if due {
		if err := r.list(ctx); err != nil {
			return listError(err)
		}
		listed = r.now
	}
	if err := r.put(ctx, due); err != nil {
		return err
	}
	return errors.Join(r.sink.Cursor(ctx, cursorDelta, link), r.sink.Cursor(ctx, cursorSince, r.since), r.sink.Cursor(ctx, cursorListed, listed.UTC().Format(time.RFC3339)))
}

// chatResets bounds how often the service may refuse a link within one reading.
const chatResets = 4

// changes hears what changed since, and gives the link to go on from; empty where there is none, and times are gone by.
func (r *listReader) changes(ctx context.Context) (link string, err error) {
	l := graph.List{Top: pageSize, Prefer: unknownMembers}
	var page *graph.Page[graph.ChatMessage]
	if link, _, err = r.prev.Cursor(ctx, cursorDelta); err != nil {
		return "", err
	}
	if link != "" && !r.prev.Anew() {
		page, err = graph.Follow[graph.ChatMessage](ctx, r.g, link, l)
		if m365.KindOf(err) == m365.Resync || err != nil && m365.Skip(err) != nil && m365.KindOf(err) != m365.Denied {
			page, err = nil, nil // it is too old
		}
		r.fresh = page != nil
	}
	begin := func() {
		at, perr := time.Parse(change, r.since)
		if perr != nil {
			at = r.now.Add(-margin)
		}
		l.Filter = "lastModifiedDateTime gt " + at.Add(-overlap).UTC().Format("2006-01-02T15:04:05.000Z")
		if r.g.M365().Cloud().Has(m365.ChatDelta) {
			page, err = r.g.ChatMessageDelta(ctx, r.c.Source, l)
		} else {
			page, err = r.g.AllChatMessages(ctx, r.c.Source, l)
		}
	}
	if page == nil && err == nil {
		begin()
	}
	for resets := 0; ; {
		if m365.KindOf(err) == m365.Resync && resets < chatResets {
			resets++
			begin()
			continue
		}
		if err != nil {
			return "", err
		}
		for i := range page.Value {
			r.heard(&page.Value[i])
		}
		if page.NextLink == "" {
			return page.DeltaLink, nil
		}
		page, err = graph.Follow[graph.ChatMessage](ctx, r.g, page.NextLink, l)
	}
}

// heard notes that a message changed.
func (r *listReader) heard(m *graph.ChatMessage) {
	if m.Chat == "" {
		return // of no chat: there is nothing to read anew
	}
	row := r.rows[m.Chat]
	if row == nil {
		row = &listRow{new: true}
		r.rows[m.Chat] = row
	}
	row.there = true
	at := m.Modified
	if at.IsZero() {
		at = r.now
	}
	mark := changed(at)
	r.since = max(r.since, mark)
	if mark <= row.mark {
		last, err := time.Parse(change, row.mark)
		if !r.fresh || err != nil {
			return // it was heard of before
		}
		if !row.new { // it came late: the chat must be read anew although nothing in it is newer
			row.from, row.mark = mark, changed(last.Add(time.Microsecond))
		}
		row.from, row.new = min(row.from, mark), true
		return
	}
	if !row.new || row.from == "" {
		row.from = mark
	}
	row.mark, row.from, row.new = mark, min(row.from, mark), true
}

// list learns of all chats of the user.
func (r *listReader) list(ctx context.Context) error {
	l := graph.List{Top: pageSize}
	first, err := r.g.UserChats(ctx, r.c.Source, l)
	for c, err := range graph.All(ctx, r.g, first, err, l) {
		if err != nil {
			return err
		}
		row := r.rows[c.ID]
		if row == nil {
			row = &listRow{mark: noNews, new: true}
			r.rows[c.ID] = row
		}
		row.there = true
		if name := nameOf(c, ""); row.name != name {
			row.name, row.new = name, true
		}
	}
	return nil
}

// put stores what is new in the list and finds its chats. Those that a whole listing does not have are no longer his.
func (r *listReader) put(ctx context.Context, whole bool) error {
	for _, id := range slices.Sorted(maps.Keys(r.rows)) {
		row := r.rows[id]
		if whole && !row.there {
			if err := r.sink.Delete(ctx, id); err != nil {
				return err
			}
			continue
		}
		if row.new {
			item := holdfast.Item{ID: id, Kind: holdfast.KindFolder, Version: row.mark, Name: row.name, Fields: map[string]string{holdfast.FieldSpecial: chatRoot}}
			if row.from != "" {
				item.Fields[fieldFrom] = row.from
			}
			if at, err := time.Parse(change, row.mark); err == nil {
				item.Time = at
			}
			if err := r.sink.Put(ctx, item); err != nil {
				return err
			}
		}
		name := row.name
		if name == "" {
			name = id
		}
		engine.Find(r.sink, holdfast.Container{Organization: r.c.Organization, Kind: holdfast.Chat, Source: id, Name: name, Address: name, Owner: r.c.Owner}, row.mark+" "+r.c.Owner+" "+row.from)
	}
	return nil
}

// listError says what an error of a call for all chats of a user means.
func listError(err error) error {
	if m365.KindOf(err) == m365.Denied {
		return &holdfast.Skip{Reason: holdfast.SkipDenied, Err: fmt.Errorf("%w; Microsoft may also ask for its approval of applications that read chats (protected APIs)", err)}
	}
	return placeError(err)
}
