package exchange

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"holdfast/internal/engine"
	"holdfast/internal/holdfast"
	"holdfast/internal/m365"
	"holdfast/internal/m365/graph"
)

// The mailbox of a Microsoft 365 group is read as threads and posts: Graph gives no MIME, no delta and no folders of it. Threads are listed newest first by
// when something was last delivered to them, until a page of them is as it was; all of them are listed every 48 hours and by a full backup, which
// finds what was deleted. Posts lie in one folder, as mails whose MIME is made of them (post.go); their JSON is stored as it was served.

// Cursors of a group's mailbox, besides cursorFresh: when all threads were listed.
const cursorThread = "thread/" // + id of a thread: when something was last delivered to it, as it was read

const (
	groupFolder = "conversations"
	threadPage  = 100
	postPage    = 50
)

// GroupMailError is why nothing of a group's mailbox is put back.
const GroupMailError = "posts of a Microsoft 365 group can't be put back: Microsoft Graph makes one only by mailing it to the members; save them as .eml files instead"

var threadFields = []string{"id", "topic", "lastDeliveredDateTime", "toRecipients", "ccRecipients"}

// discoverGroups gives the mailboxes of groups: all of the organization, or those with these ids.
func (s *source) discoverGroups(ctx context.Context, ids []string, all bool, yield func(engine.Found, error) bool) bool {
	give := func(g *graph.Group) bool {
		return yield(engine.Found{Container: holdfast.Container{Organization: s.org, Kind: holdfast.Mailbox, Source: holdfast.GroupSource + g.ID, Owner: g.ID, Name: g.DisplayName, Address: g.Mail}}, nil)
	}
	if !all {
		for _, id := range ids {
			g, err := s.g.Group(ctx, id)
			f := engine.Found{Container: holdfast.Container{Organization: s.org, Kind: holdfast.Mailbox, Source: holdfast.GroupSource + id, Owner: id, Address: id}}
			switch {
			case m365.KindOf(err) == m365.NotFound:
				f.Err = &holdfast.Skip{Reason: holdfast.SkipGone, Err: errors.New(holdfast.SayGroupLeft.With())}
			case err != nil:
				yield(engine.Found{}, fmt.Errorf("look up group %s: %w", id, err))
				return false
			case !slices.Contains(g.GroupTypes, "Unified"):
				f.Container.Name, f.Container.Address = g.DisplayName, g.Mail
				f.Err = &holdfast.Skip{Reason: holdfast.SkipUnsupported, Err: errors.New(holdfast.SayNoGroupMailbox.With())}
			default:
				if !give(g) {
					return false
				}
				continue
			}
			if !yield(f, nil) {
				return false
			}
		}
		return true
	}
	l := graph.List{Filter: "groupTypes/any(c:c eq 'Unified')", Top: 999}
	first, err := s.g.Groups(ctx, l)
	for g, err := range graph.All(ctx, s.g, first, err, l) {
		if err != nil {
			yield(engine.Found{}, fmt.Errorf("list groups: %w", err))
			return false
		}
		if !give(g) {
			return false
		}
	}
	return true
}

// groupReader reads the mailbox of one group once.
type groupReader struct {
	g      *graph.Client
	group  holdfast.Container
	id     string
	prev   engine.Previous
	sink   engine.Sink
	now    time.Time
	known  map[string]string // thread -> when something was last delivered to it
	before map[string]map[string]holdfast.Item
}

func (s *source) readGroup(ctx context.Context, c holdfast.Container, prev engine.Previous, sink engine.Sink) error {
	r := &groupReader{g: s.g, group: c, id: c.Owner, prev: prev, sink: sink, now: s.g.M365().Clock().Now(), known: map[string]string{}}
	var fresh time.Time
	for cur, err := range prev.Cursors(ctx) {
		if err != nil {
			return err
		}
		if cur.Name == cursorFresh {
			fresh, _ = time.Parse(time.RFC3339, cur.Value) // an unreadable time is an old one
		} else if len(cur.Name) > len(cursorThread) && cur.Name[:len(cursorThread)] == cursorThread {
			r.known[cur.Name[len(cursorThread):]] = cur.Value
		}
	}
	whole := prev.Anew() || r.now.Sub(fresh) > keepLinks
	seen, err := r.threads(ctx, whole)
	if err != nil {
		return err
	}
	if !whole {
		return sink.Wait()
	}
	for _, thread := range sortedKeys(r.known) {
		if seen[thread] {
			continue
		}
		_, err := r.g.Thread(ctx, r.id, thread)
		switch {
		case err == nil:
			continue // listed while it moved; the next whole list has it
		case m365.KindOf(err) != m365.NotFound:
			return fmt.Errorf("look up a thread: %w", err)
		}
		if err := r.there(ctx); err != nil {
			return err
		}
		if err := r.gone(ctx, thread, nil); err != nil {
			return err
		}
		if err := sink.Cursor(ctx, cursorThread+thread, ""); err != nil {
			return err
		}
	}
	if err := sink.Wait(); err != nil {
		return err
	}
	return sink.Cursor(ctx, cursorFresh, r.now.UTC().Format(time.RFC3339))
}

// there gives the error of a group that is gone: then nothing in it is found, and that deletes nothing.
func (r *groupReader) there(ctx context.Context) error {
	if _, err := r.g.Group(ctx, r.id); err != nil {
		return mailboxError(err)
	}
	return nil
}

// threads reads what came to the threads. Unless whole says otherwise it ends at a page on which nothing is new, provided that they do come newest first.
func (r *groupReader) threads(ctx context.Context, whole bool) (seen map[string]bool, err error) {
	seen = map[string]bool{}
	l := graph.List{Select: threadFields, Top: threadPage}
	page, err := r.g.Threads(ctx, r.id, l)
	if err != nil {
		return nil, r.listError(err)
	}
	ordered := true
	var last time.Time
	for {
		news := false
		for i := range page.Value {
			t := &page.Value[i]
			if t.ID == "" {
				return nil, errors.New("a thread without an id")
			}
			ordered = ordered && (last.IsZero() || !t.LastDelivered.After(last))
			last, seen[t.ID] = t.LastDelivered, true
			if r.known[t.ID] == stampOf(t) && !r.prev.Anew() {
				continue
			}
			news = true
			if err := r.thread(ctx, t); err != nil {
				return nil, err
			}
		}
		if page.NextLink == "" || !whole && ordered && !news && len(page.Value) > 0 {
			return seen, nil
		}
		if page, err = graph.Follow[graph.Thread](ctx, r.g, page.NextLink, l); err != nil {
			return nil, fmt.Errorf("list the threads of group %s: %w", r.group.Address, err)
		}
	}
}

// listError is what an error of the first call means for the whole mailbox.
func (r *groupReader) listError(err error) error {
	if m365.KindOf(err) == m365.Denied {
		return &holdfast.Skip{Reason: holdfast.SkipDenied, Err: fmt.Errorf("the application may not read conversations of groups: grant it Group-Conversation.Read.All or Group.Read.All in Microsoft Entra: %w", err)}
	}
	return mailboxError(err)
}

func stampOf(t *graph.Thread) string { return t.LastDelivered.UTC().Format(time.RFC3339Nano) }

// thread reads the posts of one thread that are new or changed.
func (r *groupReader) thread(ctx context.Context, t *graph.Thread) error {
	if err := r.folder(ctx); err != nil {
		return err
	}
	l := graph.List{Top: postPage, Prefer: []string{"outlook.allow-unsafe-html"}}
	seen := map[string]bool{}
	page, err := r.g.Posts(ctx, r.id, t.ID, l)
	var fetched []*graph.Post
	for p, err := range graph.All(ctx, r.g, page, err, l) {
		if m365.KindOf(err) == m365.NotFound {
			return nil // it went since it was listed: the next whole list tells
		} else if err != nil {
			return fmt.Errorf("list the posts of a thread: %w", err)
		}
		seen[p.ID] = true
		old, ok, err := r.prev.Item(ctx, p.ID)
		if err != nil {
			return err
		}
		if !ok || old.Version != p.ChangeKey || r.prev.Anew() {
			fetched = append(fetched, p)
		}
	}
	missed := make([]bool, len(fetched))
	for i, p := range fetched {
		r.sink.Go(ctx, 64<<10, func(ctx context.Context) error {
			err := r.post(ctx, t, p)
			why := m365.Skip(err)
			switch {
			case err == nil || ctx.Err() != nil:
				return err
			case why == nil:
				return err
			case why.Reason == holdfast.SkipVanished:
				return nil
			}
			missed[i] = true
			r.sink.Skip(ctx, r.itemOf(t, p), why)
			return nil
		})
	}
	if err := r.sink.Wait(); err != nil {
		return err
	}
	if err := r.gone(ctx, t.ID, seen); err != nil {
		return err
	}
	if slices.Contains(missed, true) {
		return nil // it is read again by the next backup
	}
	if err := r.sink.Cursor(ctx, cursorThread+t.ID, stampOf(t)); err != nil {
		return err
	}
	return r.sink.Savepoint(ctx)
}

// folder stores the folder in which the posts are shown, once.
func (r *groupReader) folder(ctx context.Context) error {
	if _, ok, err := r.prev.Item(ctx, groupFolder); err != nil || ok || r.before != nil {
		return err
	}
	r.before = map[string]map[string]holdfast.Item{}
	raw := []byte(`{"displayName":"Conversations"}`)
	return r.sink.Put(ctx, holdfast.Item{ID: groupFolder, Kind: holdfast.KindFolder, Version: "1", Name: "Conversations", Fields: map[string]string{holdfast.FieldSpecial: "inbox"}},
		holdfast.Whole(holdfast.FormJSON, bytes.NewReader(raw), int64(len(raw))))
}

// gone hides the posts of a thread that are not among seen.
func (r *groupReader) gone(ctx context.Context, thread string, seen map[string]bool) error {
	if r.before == nil {
		r.before = map[string]map[string]holdfast.Item{}
		for item, err := range r.prev.Children(ctx, groupFolder) {
			if err != nil {
				return err
			}
			of := item.Fields[holdfast.FieldThread]
			if r.before[of] == nil {
				r.before[of] = map[string]holdfast.Item{}
			}
			r.before[of][item.ID] = item
		}
	}
	for _, id := range sortedKeys(r.before[thread]) {
		if !seen[id] {
			if err := r.sink.Delete(ctx, id); err != nil {
				return err
			}
		}
	}
	return nil
}

func (r *groupReader) itemOf(t *graph.Thread, p *graph.Post) holdfast.Item {
	item := holdfast.Item{ID: p.ID, Parent: groupFolder, Kind: holdfast.KindMail, Version: p.ChangeKey, Time: p.Received, Name: t.Topic,
		Fields: map[string]string{holdfast.FieldThread: t.ID, holdfast.FieldClass: "IPM.Post", holdfast.FieldRead: "true"}}
	if p.From != nil {
		item.Fields[holdfast.FieldFrom] = names([]graph.Recipient{*p.From})
	}
	for key, value := range map[string]string{holdfast.FieldTo: names(t.To), holdfast.FieldCc: names(t.Cc), holdfast.FieldCreated: instant(p.Created), holdfast.FieldModified: instant(p.Modified), holdfast.FieldSent: instant(p.Received)} {
		if value != "" {
			item.Fields[key] = value
		}
	}
	if p.HasAttachments {
		item.Fields[holdfast.FieldAttached] = "true"
	}
	if len(p.Categories) > 0 {
		if b, err := json.Marshal(p.Categories); err == nil {
			item.Fields[holdfast.FieldCategories] = string(b)
		}
	}
	return item
}

// post stores one post with what is attached to it, which only a call for the post itself gives.
func (r *groupReader) post(ctx context.Context, t *graph.Thread, p *graph.Post) error {
	if p.HasAttachments {
		whole, err := r.g.Post(ctx, r.id, t.ID, p.ID, graph.List{Expand: []string{"attachments"}, Prefer: []string{"outlook.allow-unsafe-html"}})
		if err != nil {
			return err
		}
		p = whole
	}
	mime, err := mimeOf(r.group, t, p)
	if err != nil {
		return fmt.Errorf("post %s: %w", p.ID, err)
	}
	raw, err := graph.Without(p.Raw, "body", "attachments", "attachments@odata.context", "@odata.context")
	if err != nil {
		return fmt.Errorf("post %s: %w", p.ID, err)
	}
	item := r.itemOf(t, p)
	item.Size = int64(len(mime))
	payloads := []holdfast.Payload{holdfast.Whole(holdfast.FormJSON, bytes.NewReader(raw), int64(len(raw))), {Form: holdfast.FormMIME, Pieces: split(bytes.NewReader(mime))}}
	if beyond := beyondFiles(p); len(beyond) > 0 {
		payloads = append(payloads, holdfast.Whole(holdfast.FormAttachments, bytes.NewReader(beyond), int64(len(beyond))))
	}
	return r.sink.Put(ctx, item, payloads...)
}
