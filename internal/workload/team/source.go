package team

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"hash/maphash"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"holdfast/internal/engine"
	"holdfast/internal/holdfast"
	"holdfast/internal/m365"
	"holdfast/internal/m365/graph"
	"holdfast/internal/workload/drive"
)

// Cursors of a team. Those of a library have its drive's id behind a slash.
const (
	cursorSince     = "since"     // change time before which all posts were read, RFC 3339
	cursorNext      = "next"      // next link of a walk over posts that is not finished
	cursorStart     = "start"     // what cursorSince will be when that walk ends
	cursorStructure = "structure" // when team, channels, tabs, members and apps were last looked at, RFC 3339
	cursorBack      = "back"      // that channels came back whose posts are not read yet
	cursorLibrary   = "library/"
)

const (
	pageSize = 50 // Microsoft's largest page of messages
	// savePages is how many pages of posts come between two points to go on from.
	savePages = 20
	// overlap is read again at each reading: a change may be listed a little after its time.
	overlap = 2 * time.Minute
	// reconcileAfter is when team, channels, tabs, members and apps are read although no event told of a change: not every setting has one.
	reconcileAfter = 12 * time.Hour
	// photoMost bounds a picture, of the team or in a post.
	photoMost = 64 << 20
)

// unknownMembers has the service name the kinds of messages that came later, such as events, instead of hiding them.
var unknownMembers = []string{"include-unknown-enum-members"}

type source struct {
	g   *graph.Client
	org holdfast.OrganizationID
}

// Meter counts the calls of one container.
func (s *source) Meter(ctx context.Context) (context.Context, func() holdfast.Statistics) {
	return m365.Meter(ctx)
}

// Read brings a team up to date. Posts of all its channels come by one listing of what changed since; the events among them, a while and a first
// reading have the rest of it looked at.
func (s *source) Read(ctx context.Context, c holdfast.Container, prev engine.Previous, sink engine.Sink) error {
	r := &reader{g: s.g, c: c, prev: prev, sink: sink, now: s.g.M365().Clock().Now(), channels: map[string]*channel{}, missed: map[string]holdfast.Item{}, seed: maphash.MakeSeed()}
	err := r.run(ctx)
	var skip *holdfast.Skip
	if err == nil || errors.As(err, &skip) {
		return err
	}
	return fmt.Errorf("read %s: %w", c, err)
}

type reader struct {
	g    *graph.Client
	c    holdfast.Container
	prev engine.Previous
	sink engine.Sink
	now  time.Time

	root     holdfast.Item
	channels map[string]*channel // by id, those that are there
	missed   map[string]holdfast.Item
	seed     maphash.Seed
	events   bool // something besides posts changed
	looked   bool // structure was read

	since time.Time // what cursorSince was
	// back says that a channel is there that the state before does not have and that is older than it, such as one that was deleted and restored.
	// A listing of changes does not have its posts, which nobody changed: everything is listed.
	back  bool
	whole bool                // everything is being listed
	added map[string][]string // posts that this read put, by channel, until it looks at the channels: the state before does not have them
}

// channel is a channel as this read sees it.
type channel struct {
	id    string
	item  holdfast.Item // its folder
	parts []*drive.Part // its own library
}

func (r *reader) run(ctx context.Context) error {
	var all []string
	for m, err := range engine.MissedItems(ctx, r.prev) {
		if err != nil {
			return err
		}
		r.missed[m.Item.ID] = m.Item
		all = append(all, m.Item.ID)
	}
	if err := r.stored(ctx); err != nil {
		return err
	}
	since, _, err := r.prev.Cursor(ctx, cursorSince)
	if err != nil {
		return err
	}
	back, _, err := r.prev.Cursor(ctx, cursorBack)
	if err != nil {
		return err
	}
	r.since, r.back = timeOf(since), back != ""
	due, err := r.due(ctx)
	if err != nil {
		return err
	}
	if due || len(all) > 0 {
		if err := r.structure(ctx); err != nil {
			return err
		}
	}
	if engine.Reads(ctx, holdfast.PartPosts) {
		if err := r.posts(ctx); err != nil {
			return err
		}
	}
	if r.events && !r.looked {
		if err := r.structure(ctx); err != nil {
			return err
		}
		if r.back && engine.Reads(ctx, holdfast.PartPosts) {
			if err := r.posts(ctx); err != nil {
				return err
			}
		}
	}
	return r.files(ctx)
}

// stored takes over what the state before knows of the channels.
func (r *reader) stored(ctx context.Context) error {
	root, ok, err := r.prev.Item(ctx, rootID)
	if err != nil || !ok {
		return err
	}
	r.root = root
	for item, err := range r.prev.Children(ctx, rootID) {
		if err != nil {
			return err
		}
		if item.Fields[holdfast.FieldSpecial] == specialChannel {
			id := item.Fields[fieldChannel]
			r.channels[id] = &channel{id: id, item: item}
		}
	}
	return nil
}

// due says whether the team itself is looked at before its posts.
func (r *reader) due(ctx context.Context) (bool, error) {
	if r.root.ID == "" || r.prev.Anew() || !engine.Reads(ctx, holdfast.PartPosts) {
		return true, nil
	}
	text, _, err := r.prev.Cursor(ctx, cursorStructure)
	if err != nil {
		return false, err
	}
	at, err := time.Parse(time.RFC3339, text)
	return err != nil || r.now.Before(at) || r.now.Sub(at) > reconcileAfter, nil // an unreadable time is an old one
}

// arrayOf joins rows as an array of what was served.
func arrayOf[T any](rows []*T, raw func(*T) json.RawMessage) []byte {
	all := make([]json.RawMessage, len(rows))
	for i, x := range rows {
		all[i] = raw(x)
	}
	out, err := json.Marshal(all)
	if err != nil {
		return []byte("[]") // rows are JSON that was read
	}
	return out
}

func collect[T any](rows func(func(*T, error) bool)) ([]*T, error) {
	var out []*T
	for x, err := range rows {
		if err != nil {
			return nil, err
		}
		out = append(out, x)
	}
	return out, nil
}

func whole(form holdfast.Form, raw []byte) holdfast.Payload {
	return holdfast.Whole(form, bytes.NewReader(raw), int64(len(raw)))
}

// structure reads the team, its members and apps, its channels and their tabs, and puts what changed.
func (r *reader) structure(ctx context.Context) error {
	r.looked = true
	team, err := r.g.Team(ctx, r.c.Source)
	if err != nil {
		return placeError(err)
	}
	if err := r.team(ctx, team); err != nil {
		return err
	}
	first, err := r.g.Channels(ctx, r.c.Source)
	rows, err := collect(graph.All(ctx, r.g, first, err, graph.List{}))
	if err != nil {
		return placeError(err)
	}
	there := map[string]bool{}
	for _, ch := range rows {
		there[ch.ID] = true
		if err := r.channel(ctx, ch); err != nil {
			return err
		}
	}
	for _, id := range slices.Sorted(maps.Keys(r.channels)) {
		if there[id] {
			continue
		}
		// Only what is not there when it is asked for by its id is gone.
		if _, err := r.g.Channel(ctx, r.c.Source, id); m365.KindOf(err) == m365.NotFound {
			if err := r.gone(ctx, r.channels[id].item); err != nil {
				return err
			}
			delete(r.channels, id)
		} else if err != nil && m365.Skip(err) == nil {
			return err
		}
	}
	if err := r.sink.Wait(); err != nil {
		return err
	}
	return r.sink.Cursor(ctx, cursorStructure, r.now.UTC().Format(time.RFC3339))
}

// gone deletes a channel with all in it.
func (r *reader) gone(ctx context.Context, item holdfast.Item) error {
	open := []string{item.ID}
	for len(open) > 0 {
		at := open[len(open)-1]
		open = open[:len(open)-1]
		for child, err := range r.prev.Children(ctx, at) {
			if err != nil {
				return err
			}
			open = append(open, child.ID)
		}
		if err := r.sink.Delete(ctx, at); err != nil {
			return err
		}
	}
	for _, id := range r.added[item.Fields[fieldChannel]] {
		if err := r.sink.Delete(ctx, id); err != nil {
			return err
		}
	}
	if item.Fields[fieldType] == "standard" {
		return nil
	}
	prefix := cursorLibrary + item.Fields[fieldDrive] + "/"
	for cur, err := range r.prev.Cursors(ctx) {
		if err != nil {
			return err
		}
		if strings.HasPrefix(cur.Name, prefix) {
			if err := r.sink.Cursor(ctx, cur.Name, ""); err != nil {
				return err
			}
		}
	}
	return nil
}

// put stores an item whose version differs from the state before, or that was missed.
func (r *reader) put(ctx context.Context, item holdfast.Item, payloads func() []holdfast.Payload) error {
	before, ok, err := r.prev.Item(ctx, item.ID)
	if err != nil {
		return err
	}
	_, missed := r.missed[item.ID]
	if ok && before.Version == item.Version && !missed {
		return nil
	}
	return r.sink.Put(ctx, item, payloads()...)
}

// part reads a part of an item that may be refused without the rest: nil and a skip then.
func (r *reader) part(err error) (*holdfast.Skip, error) {
	if err == nil {
		return nil, nil
	}
	if skip := m365.Skip(err); skip != nil {
		return skip, nil
	}
	return nil, err
}

// team puts the team's folder.
func (r *reader) team(ctx context.Context, t *graph.Team) error {
	l := graph.List{Top: 999}
	first, err := r.g.TeamMembers(ctx, r.c.Source, l)
	members, err := collect(graph.All(ctx, r.g, first, err, l))
	skip, err := r.part(err)
	if err != nil {
		return err
	}
	firstApp, err := r.g.TeamApps(ctx, r.c.Source)
	apps, err := collect(graph.All(ctx, r.g, firstApp, err, graph.List{}))
	without, err := r.part(err)
	if err != nil {
		return err
	}
	photo, err := r.photo(ctx)
	unseen, err := r.part(err)
	if err != nil {
		return err
	}
	item := holdfast.Item{ID: rootID, Kind: holdfast.KindFolder, Name: t.DisplayName, Time: t.Created, Size: int64(len(t.Raw)),
		Fields: map[string]string{holdfast.FieldSpecial: specialTeam, holdfast.FieldCreated: stamp(t.Created)}}
	if o := owner(members); o != "" {
		item.Fields[fieldOwner] = o
	}
	forms := []struct {
		form holdfast.Form
		raw  []byte
		skip *holdfast.Skip
	}{{holdfast.FormJSON, t.Raw, nil},
		{formMembers, arrayOf(members, func(m *graph.ConversationMember) json.RawMessage { return m.Raw }), skip},
		{formApps, arrayOf(apps, func(a *graph.AppInstallation) json.RawMessage { return a.Raw }), without}}
	if photo != nil || unseen != nil {
		forms = append(forms, struct {
			form holdfast.Form
			raw  []byte
			skip *holdfast.Skip
		}{holdfast.FormPhoto, photo, unseen})
	}
	var parts [][]byte
	for _, f := range forms {
		if f.skip == nil {
			parts = append(parts, []byte(f.form), f.raw)
		}
	}
	item.Version = fingerprint(parts...)
	if err := r.put(ctx, item, func() []holdfast.Payload {
		var out []holdfast.Payload
		for _, f := range forms {
			if f.skip == nil {
				out = append(out, whole(f.form, f.raw))
			}
		}
		return out
	}); err != nil {
		return err
	}
	r.root = item
	for _, f := range forms {
		if f.skip != nil {
			r.sink.Skip(ctx, item, f.skip)
		}
	}
	return nil
}

// owner is the first owner among members.
func owner(members []*graph.ConversationMember) string {
	for _, m := range members {
		if slices.Contains(m.Roles, "owner") {
			return m.UserID
		}
	}
	return ""
}

// photo is the team's picture; nil when it has none.
func (r *reader) photo(ctx context.Context) ([]byte, error) {
	b, err := pictureOf(ctx, "", func(ctx context.Context, _ string) (*m365.Stream, error) { return r.g.OpenGroupPhoto(ctx, r.c.Source) })
	if m365.KindOf(err) == m365.NotFound {
		return nil, nil
	}
	return b, err
}

// channel puts a channel's folder and its tabs.
func (r *reader) channel(ctx context.Context, ch *graph.Channel) error {
	created := ch.Created
	if !ch.Original.IsZero() && ch.Original.Before(created) {
		created = ch.Original // posts that were imported are older than the channel
	}
	item := holdfast.Item{ID: channelFolder(ch.ID), Parent: rootID, Kind: holdfast.KindFolder, Name: ch.DisplayName, Time: created, Size: int64(len(ch.Raw)),
		Fields: map[string]string{holdfast.FieldSpecial: specialChannel, fieldChannel: ch.ID, fieldType: ch.Membership, holdfast.FieldCreated: stamp(created)}}
	var members []byte
	if ch.Membership != "standard" {
		l := graph.List{Top: 999}
		first, err := r.g.ChannelMembers(ctx, r.c.Source, ch.ID, l)
		rows, err := collect(graph.All(ctx, r.g, first, err, l))
		skip, err := r.part(err)
		if err != nil {
			return err
		}
		if skip != nil {
			r.sink.Skip(ctx, item, skip)
		} else {
			members = arrayOf(rows, func(m *graph.ConversationMember) json.RawMessage { return m.Raw })
			if o := owner(rows); o != "" {
				item.Fields[fieldOwner] = o
			}
		}
	}
	if folder, err := r.g.FilesFolder(ctx, r.c.Source, ch.ID); err == nil {
		item.Fields[fieldFolder], item.Fields[fieldFilesURL] = folder.ID, folder.WebURL
		if folder.Parent != nil {
			item.Fields[fieldDrive] = folder.Parent.DriveID
		}
	} else if skip := m365.Skip(err); skip == nil {
		return err
	} else {
		if known := r.channels[ch.ID]; known != nil {
			for _, f := range []string{fieldDrive, fieldFolder, fieldFilesURL} {
				item.Fields[f] = known.item.Fields[f]
			}
		}
		if skip.Reason != holdfast.SkipVanished {
			r.sink.Skip(ctx, item, skip)
		}
	}
	item.Version = fingerprint(ch.Raw, members, []byte(item.Fields[fieldDrive]+" "+item.Fields[fieldFolder]))
	if err := r.put(ctx, item, func() []holdfast.Payload {
		out := []holdfast.Payload{whole(holdfast.FormJSON, ch.Raw)}
		if members != nil {
			out = append(out, whole(formMembers, members))
		}
		return out
	}); err != nil {
		return err
	}
	if r.channels[ch.ID] == nil && ch.Created.Before(r.since) && !r.whole {
		r.back = true
		if err := r.sink.Cursor(ctx, cursorBack, stamp(r.now)); err != nil {
			return err
		}
	}
	r.channels[ch.ID] = &channel{id: ch.ID, item: item}
	return r.tabs(ctx, item)
}

// tabs puts a channel's tabs and deletes those that are gone.
func (r *reader) tabs(ctx context.Context, folder holdfast.Item) error {
	id := folder.Fields[fieldChannel]
	first, err := r.g.Tabs(ctx, r.c.Source, id)
	rows, err := collect(graph.All(ctx, r.g, first, err, graph.List{}))
	if skip, err := r.part(err); err != nil {
		return err
	} else if skip != nil {
		if skip.Reason != holdfast.SkipVanished {
			r.sink.Skip(ctx, holdfast.Item{ID: tabID(id, "tabs"), Parent: folder.ID, Kind: holdfast.KindTab, Name: "tabs of " + folder.Name}, skip)
		}
		return nil
	}
	there := map[string]bool{}
	for _, t := range rows {
		item := holdfast.Item{ID: tabID(id, t.ID), Parent: folder.ID, Kind: holdfast.KindTab, Name: t.DisplayName, Version: fingerprint(t.Raw), Time: folder.Time, Size: int64(len(t.Raw)),
			Fields: map[string]string{fieldChannel: id, fieldApp: t.App.DisplayName, fieldURL: t.Configuration.ContentURL}}
		there[item.ID] = true
		if err := r.put(ctx, item, func() []holdfast.Payload { return []holdfast.Payload{whole(holdfast.FormJSON, t.Raw)} }); err != nil {
			return err
		}
	}
	if _, missed := r.missed[tabID(id, "tabs")]; missed {
		if err := r.sink.Delete(ctx, tabID(id, "tabs")); err != nil {
			return err
		}
	}
	for child, err := range r.prev.Children(ctx, folder.ID) {
		if err != nil {
			return err
		}
		if child.Kind == holdfast.KindTab && !there[child.ID] {
			if err := r.sink.Delete(ctx, child.ID); err != nil {
				return err
			}
		}
	}
	return nil
}

// postsID is the item that a skip of all posts names.
const postsID = "posts"

// errBack says that a listing of changes came upon a channel that came back.
var errBack = errors.New("a channel came back")

// posts reads what changed of the posts of all channels, or everything when a channel came back.
func (r *reader) posts(ctx context.Context) error {
	r.added = map[string][]string{}
	r.whole = r.back
	err := r.listing(ctx)
	if errors.Is(err, errBack) {
		r.whole = true
		err = r.listing(ctx)
	}
	return err
}

// listing reads posts. One that was broken off goes on where it was.
func (r *reader) listing(ctx context.Context) error {
	since, _, err := r.prev.Cursor(ctx, cursorSince)
	if err != nil {
		return err
	}
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
	if r.whole {
		next = "" // it is of changes; the one of everything forgets cursorBack with its first link
	}
	if next != "" && !r.prev.Anew() {
		if page, err = graph.Follow[graph.ChatMessage](ctx, r.g, next, l); err != nil && m365.Skip(err) != nil && m365.KindOf(err) != m365.Denied {
			next, err = "", nil // it is too old: from the beginning
		}
	} else {
		next = ""
	}
	first := next == "" && err == nil
	if first {
		if at, perr := time.Parse(time.RFC3339Nano, since); perr == nil && !r.prev.Anew() {
			l.Filter = "lastModifiedDateTime gt " + at.Add(-overlap).UTC().Format("2006-01-02T15:04:05.000Z")
		} else {
			seen = map[uint64]bool{}
		}
		if r.whole {
			l.Filter = ""
		}
		page, err = r.g.AllMessages(ctx, r.c.Source, l)
	}
	changed := false
	for n := 1; ; n++ {
		if err != nil {
			return r.noPosts(ctx, err)
		}
		if first { // what changes while the listing goes on has a later time than what it began with
			first, begun = false, since
			for i := range page.Value {
				if at := page.Value[i].Modified.UTC().Format(time.RFC3339Nano); page.Value[i].Modified.After(timeOf(begun)) {
					begun = at
				}
			}
		}
		for i := range page.Value {
			m := &page.Value[i]
			put, err := r.post(ctx, m, seen)
			if err != nil {
				return err
			}
			changed = changed || put
		}
		if r.back && !r.whole {
			return errors.Join(r.sink.Wait(), errBack)
		}
		if page.NextLink == "" {
			break
		}
		if n%savePages == 0 {
			if err := r.sink.Wait(); err != nil {
				return err
			}
			if r.whole {
				if err := r.sink.Cursor(ctx, cursorBack, ""); err != nil {
					return err
				}
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
	if _, missed := r.missed[postsID]; missed {
		if err := r.sink.Delete(ctx, postsID); err != nil {
			return err
		}
	}
	if r.whole {
		r.back = false
		if err := r.sink.Cursor(ctx, cursorBack, ""); err != nil {
			return err
		}
	}
	if !changed && since != "" && next == "" { // an idle team keeps its time, so that an idle backup writes nothing
		return nil
	}
	return errors.Join(r.sink.Cursor(ctx, cursorSince, begun), r.sink.Cursor(ctx, cursorNext, ""), r.sink.Cursor(ctx, cursorStart, ""))
}

// timeOf reads a time in a cursor; an unreadable one is the earliest.
func timeOf(text string) time.Time {
	at, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		return time.Time{}
	}
	return at
}

// noPosts says what an error of the listing of posts means: the rest of the team is protected without them.
func (r *reader) noPosts(ctx context.Context, err error) error {
	switch m365.KindOf(err) {
	case m365.Denied:
		r.sink.Skip(ctx, holdfast.Item{ID: postsID, Parent: rootID, Kind: holdfast.KindPost, Name: "posts of all channels"}, &holdfast.Skip{Reason: holdfast.SkipDenied,
			Err: fmt.Errorf("%w; Microsoft may also ask for its approval of applications that read posts (protected APIs)", err)})
		return nil
	case m365.NotFound:
		return placeError(err)
	}
	return err
}

func (r *reader) key(id string) uint64 { return maphash.String(r.seed, id) }

// post puts a post that changed and says whether it did.
func (r *reader) post(ctx context.Context, m *graph.ChatMessage, seen map[uint64]bool) (bool, error) {
	if m.Channel == nil || m.ID == "" {
		return false, &m365.Error{Kind: m365.Corrupt, Call: "GET messages", Code: "a message without a channel"}
	}
	ch := m.Channel.ChannelID
	item := holdfast.Item{ID: postID(ch, m.ReplyTo, m.ID), Parent: channelFolder(ch), Kind: holdfast.KindPost, Version: m.ETag, Time: m.Created, Size: int64(len(m.Raw)), Name: title(m),
		Fields: map[string]string{fieldChannel: ch, fieldMessage: m.ID, holdfast.FieldModified: stamp(m.Modified)}}
	if m.ReplyTo != "" {
		item.Parent, item.Fields[holdfast.FieldReplyTo] = postID(ch, "", m.ReplyTo), m.ReplyTo
	}
	if seen != nil {
		seen[r.key(item.ID)] = true
	}
	before, ok, err := r.prev.Item(ctx, item.ID)
	if err != nil {
		return false, err
	}
	if _, missed := r.missed[item.ID]; ok && before.Version == item.Version && !missed {
		return false, nil
	}
	if isEvent(m) {
		r.events = true
	}
	if known, err := r.known(ctx, ch); err != nil || !known {
		return false, err
	}
	described(item, m)
	if !r.looked {
		r.added[ch] = append(r.added[ch], item.ID)
	}
	root, id := m.ReplyTo, m.ID // pages are not kept
	return true, putMessage(ctx, r.sink, item, before, m, func(ctx context.Context, hosted string) (*m365.Stream, error) {
		return r.g.OpenHosted(ctx, r.c.Source, ch, root, id, hosted)
	})
}

// described puts what lists show of a message into its item.
func described(item holdfast.Item, m *graph.ChatMessage) {
	_, item.Fields[holdfast.FieldFrom] = author(m)
	if id, _ := author(m); id != "" {
		item.Fields[holdfast.FieldAuthor] = id
	}
	if isEvent(m) {
		item.Fields[holdfast.FieldClass] = "event"
	}
	if m.Importance == "high" || m.Importance == "urgent" {
		item.Fields[holdfast.FieldImportance] = m.Importance
	}
	if len(m.Attachments) > 0 {
		item.Fields[holdfast.FieldAttached] = "true"
	}
	if !m.Edited.IsZero() {
		item.Fields[fieldEdited] = stamp(m.Edited)
	}
	if !m.Deleted.IsZero() {
		item.Fields[fieldDeleted] = stamp(m.Deleted)
	}
}

// opener opens a picture in a message.
type opener func(ctx context.Context, hosted string) (*m365.Stream, error)

// putMessage puts a message with the pictures in it.
func putMessage(ctx context.Context, sink engine.Sink, item, before holdfast.Item, m *graph.ChatMessage, open opener) error {
	hosted := hostedIn(m)
	if len(hosted) == 0 {
		return sink.Put(ctx, item, whole(holdfast.FormJSON, m.Raw))
	}
	kept, raw := strings.Split(before.Fields[holdfast.FieldHosted], "\n"), m.Raw
	sink.Go(ctx, 64<<10, func(ctx context.Context) error { return withPictures(ctx, sink, item, raw, hosted, kept, open) })
	return nil
}

// withPictures puts a message with the pictures in it; those that the state before has are kept, for they never change.
func withPictures(ctx context.Context, sink engine.Sink, item holdfast.Item, raw []byte, hosted, kept []string, open opener) error {
	payloads := []holdfast.Payload{whole(holdfast.FormJSON, raw)}
	var missing *holdfast.Skip
	for _, h := range hosted {
		if slices.Contains(kept, h) {
			payloads = append(payloads, holdfast.Kept(hostedForm(h)))
		} else {
			picture, err := pictureOf(ctx, h, open)
			if err != nil {
				if missing = m365.Skip(err); missing == nil {
					return err
				}
				continue
			}
			payloads = append(payloads, whole(hostedForm(h), picture))
		}
		item.Fields[holdfast.FieldHosted] += h + "\n"
	}
	if err := sink.Put(ctx, item, payloads...); err != nil {
		return err
	}
	if missing != nil {
		sink.Skip(ctx, item, missing)
	}
	return nil
}

// pictureAttempts bounds how often a picture is asked for whose answer broke off.
const pictureAttempts = 3

func pictureOf(ctx context.Context, hosted string, open opener) ([]byte, error) {
	for attempt := 1; ; attempt++ {
		stream, err := open(ctx, hosted)
		if err != nil {
			return nil, err
		}
		b, err := io.ReadAll(io.LimitReader(stream, photoMost+1))
		if cerr := stream.Close(); err == nil {
			err = cerr
		}
		switch {
		case err == nil && len(b) > photoMost:
			return nil, &holdfast.Skip{Reason: holdfast.SkipTooLarge, Err: fmt.Errorf("a picture is larger than %d bytes", photoMost)}
		case err == nil, ctx.Err() != nil, attempt == pictureAttempts:
			return b, err
		}
	}
}

// known makes sure that the channel of a post is in the backup: one that came after the channels were listed is read now. It is false for a
// channel that is gone again.
func (r *reader) known(ctx context.Context, id string) (bool, error) {
	if r.channels[id] != nil {
		return true, nil
	}
	if r.root.ID == "" {
		return false, nil
	}
	ch, err := r.g.Channel(ctx, r.c.Source, id)
	if m365.KindOf(err) == m365.NotFound {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	return true, r.channel(ctx, ch)
}

// vanished asks for the posts that a listing of everything did not show: only those that are not there when they are asked for are gone.
func (r *reader) vanished(ctx context.Context, seen map[uint64]bool) error {
	for item, err := range r.prev.All(ctx) {
		if err != nil {
			return err
		}
		if item.Kind != holdfast.KindPost || seen[r.key(item.ID)] || r.channels[item.Fields[fieldChannel]] == nil {
			continue
		}
		_, err := r.g.ChatMessage(ctx, r.c.Source, item.Fields[fieldChannel], item.Fields[holdfast.FieldReplyTo], item.Fields[fieldMessage])
		if m365.KindOf(err) == m365.NotFound {
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

// libraryID is the item that a skip of a library as a whole names.
func libraryID(drive string) string { return "library." + drive }

// libraryName is what the folder of a library is called.
const libraryName = "Files"

// files reads the libraries that hold the channels' files.
func (r *reader) files(ctx context.Context) error {
	var parts []*drive.Part
	seen := map[string]bool{}
	for _, id := range slices.Sorted(maps.Keys(r.channels)) {
		ch := r.channels[id]
		d := ch.item.Fields[fieldDrive]
		if d == "" || seen[d] {
			continue
		}
		seen[d] = true
		parent := ch.item.ID
		if ch.item.Fields[fieldType] == "standard" {
			parent = rootID
		}
		folder := holdfast.Item{Parent: parent, Kind: holdfast.KindFolder, Name: libraryName, Time: r.root.Time, Fields: map[string]string{holdfast.FieldSpecial: specialLibrary, fieldDrive: d}}
		p := &drive.Part{Organization: r.c.Organization, Drive: d, Name: libraryName, Prefix: cursorLibrary + d + "/", Item: folder}
		for child, err := range r.prev.Children(ctx, parent) {
			if err != nil {
				return err
			}
			if child.Fields[holdfast.FieldSpecial] == specialLibrary && child.Fields[fieldDrive] == d {
				p.Folder = child.ID
			}
		}
		p.Item.Version = fingerprint([]byte(parent), []byte(d))
		p.Payloads = func() []holdfast.Payload { return nil }
		parts = append(parts, p)
	}
	quiet := map[*drive.Part]bool{}
	if len(parts) > 1 && !r.prev.Anew() && len(r.missed) == 0 {
		var err error
		if quiet, err = drive.Quiet(ctx, r.g, parts, r.prev); err != nil {
			return err
		}
	}
	for _, p := range parts {
		if quiet[p] {
			continue
		}
		err := drive.ReadPart(ctx, r.g, p, r.prev, r.sink)
		if _, missed := r.missed[libraryID(p.Drive)]; missed && err == nil {
			err = r.sink.Delete(ctx, libraryID(p.Drive))
		}
		if err == nil {
			err = r.sink.Savepoint(ctx)
		}
		if err == nil {
			continue
		}
		skip := m365.Skip(err)
		if skip == nil || ctx.Err() != nil {
			return err
		}
		r.sink.Skip(ctx, holdfast.Item{ID: libraryID(p.Drive), Parent: p.Item.Parent, Kind: holdfast.KindFolder, Name: libraryName}, skip)
	}
	return r.sink.Wait()
}
