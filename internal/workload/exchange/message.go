package exchange

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"holdfast/internal/holdfast"
	"holdfast/internal/m365"
	"holdfast/internal/m365/graph"
)

// messages reads the changes of one folder.
func (r *reader) messages(ctx context.Context, folder string) error {
	cursor := r.folders[folder]
	if cursor == unread {
		cursor = ""
	}
	restart := strings.HasPrefix(cursor, resyncing)
	resets := 0
	var page *graph.Page[graph.Message]
	var err error
	size := pageSize
	attachments := expandDeep
	if r.shallow || r.exporter != nil {
		attachments = expandAttachments
	}
	var seen map[[12]byte]struct{} // of a resync
	begin := func(resync bool) {
		if resync {
			seen = map[[12]byte]struct{}{}
			// What was put before and is deleted before it is listed again is in no list and not in prev either. When it was too much to remember, the next
			// read finds it in its prev.
			w := r.put[folder]
			r.relist[folder] = r.relist[folder] || w != nil && w.more
			r.news = true
		}
		page, err = r.g.MessageDelta(ctx, r.mailbox, folder, r.rows(size, attachments))
	}
	link := ""
	if cursor == "" || restart {
		begin(restart)
	} else {
		link = cursor
		if page = r.peeked[link]; page == nil {
			page, err = graph.Follow[graph.Message](ctx, r.g, link, r.rows(size, attachments))
		}
		delete(r.peeked, link)
	}
	news := cursor == "" || restart
	for {
		kind := m365.KindOf(err)
		if kind == m365.Invalid && link != "" {
			kind = m365.Resync // a link that the service does not understand any more
		}
		switch kind {
		case m365.Resync:
			if resets++; resets > maxResets {
				return fmt.Errorf("read folder %s: the service reset it again and again: %w", folder, err)
			}
			news = true
			link = ""
			begin(true)
			continue
		case m365.NotFound:
			// Gone since the tree was read.
			if err := r.wait(ctx); err != nil {
				return err
			}
			if err := r.goneFolder(ctx, folder, map[string]bool{}); err != nil {
				return err
			}
			if _, there := r.folders[folder]; !there {
				return nil
			}
			// The folder is there and its changes are not.
			if resets++; resets > maxResets {
				return fmt.Errorf("read folder %s, which is there: %w", folder, err)
			}
			news, link = true, ""
			begin(true)
			continue
		case m365.Unavailable:
			// Bodies are in the rows: a fat page may never come, a thin one does.
			if size > smallPageSize {
				size = max(size/5, smallPageSize)
				if link == "" {
					begin(seen != nil)
				} else {
					page, err = graph.Follow[graph.Message](ctx, r.g, link, r.rows(size, attachments))
				}
				continue
			}
			if attachments == expandDeep {
				// One attached item may be too much for any page. A link keeps asking for what its first call did.
				attachments = expandAttachments
				restart = restart || link != ""
				link = ""
				begin(restart)
				continue
			}
		case m365.Invalid:
			if attachments == expandDeep {
				r.shallow, attachments = true, expandAttachments
				begin(restart)
				continue
			}
		}
		if err != nil {
			return fmt.Errorf("read folder %s: %w", folder, err)
		}
		last := make(map[string]int, len(page.Value))
		for i := range page.Value {
			last[page.Value[i].ID] = i
		}
		for i := range page.Value {
			m := &page.Value[i]
			news = true
			r.news = r.news || cursor == "" // a listing takes long
			if last[m.ID] != i {
				continue // of several rows of one message the last counts; two fetches of one message could overtake each other
			}
			if m.Removed != nil {
				if err := r.left(ctx, m.ID, folder); err != nil {
					return err
				}
				continue
			}
			if seen != nil {
				seen[short(m.ID)] = struct{}{}
			}
			if err := r.row(ctx, m, folder); err != nil {
				return err
			}
		}
		page.Value = nil // most of a page is bodies, and its mails are long in coming
		// The link is good for what was put before it, so everything of this page must have been.
		if err := r.wait(ctx); err != nil {
			return err
		}
		link = page.NextLink
		if link == "" {
			break
		}
		value := link
		if seen != nil {
			value = resyncing + link
		}
		if err := r.sink.Cursor(ctx, cursorMessages+folder, value); err != nil {
			return err
		}
		if err := r.sink.Savepoint(ctx); err != nil {
			return err
		}
		page, err = graph.Follow[graph.Message](ctx, r.g, link, r.rows(size, attachments))
	}
	if page.DeltaLink == "" {
		return fmt.Errorf("read folder %s: the last page has no delta link", folder)
	}
	if seen != nil {
		// What a reset does not list any more may have left; that alone deletes nothing.
		for child, err := range r.prev.Children(ctx, folder) {
			if err != nil {
				return err
			}
			if _, ok := seen[short(child.ID)]; !ok && child.Kind == holdfast.KindMail {
				if err := r.left(ctx, child.ID, folder); err != nil {
					return err
				}
			}
		}
		if w := r.put[folder]; w != nil {
			for _, id := range w.ids {
				if _, ok := seen[short(id)]; !ok {
					if err := r.left(ctx, id, folder); err != nil {
						return err
					}
				}
			}
		}
	}
	r.folders[folder] = page.DeltaLink
	if news || r.stale() {
		value := page.DeltaLink
		if r.relist[folder] {
			value = resyncing
		}
		if err := r.sink.Cursor(ctx, cursorMessages+folder, value); err != nil {
			return err
		}
		return r.sink.Savepoint(ctx)
	}
	return nil
}

// peek asks for the changes of several folders in one batch: in most of them there are none. What it does not bring, messages asks for.
//
// The parts are answered in any order. A mail that moves between two of these folders meanwhile may be in neither answer only when both came
// before it moved, or when one of them tells of it: then all folders are read again.
func (r *reader) peek(ctx context.Context, folders []string) error {
	r.peeked = nil // of the folders before
	if r.versions != nil {
		return nil
	}
	size, attachments := peekBodies, expandDeep
	if r.exporter != nil {
		size = peekSize
	}
	if r.shallow || r.exporter != nil {
		attachments = expandAttachments
	}
	var parts []graph.Part
	for _, folder := range folders {
		if cursor := r.folders[folder]; cursor != "" && cursor != unread && !strings.HasPrefix(cursor, resyncing) {
			parts = append(parts, graph.Part{Link: cursor, List: r.rows(size, attachments), Once: true})
		}
	}
	if len(parts) < 2 {
		return nil
	}
	results, err := r.g.Batch(ctx, parts)
	if err != nil {
		return context.Cause(ctx) // each folder's own call tells what is wrong
	}
	r.peeked = make(map[string]*graph.Page[graph.Message], len(parts))
	for i, res := range results {
		if page, err := graph.Rows[graph.Message](res); err == nil {
			r.peeked[parts[i].Link] = page
		}
	}
	return nil
}

func short(id string) (h [12]byte) {
	sum := sha256.Sum256([]byte(id))
	copy(h[:], sum[:])
	return h
}

// row stores what a row says, at once when the MIME that is stored is still right, else by a fetch that wait makes.
func (r *reader) row(ctx context.Context, m *graph.Message, folder string) error {
	if m.ID == "" {
		return errors.New("a message without an id")
	}
	twice := false // this read has put it before, so that what prev says of it is old
	if !r.prev.Empty() || r.versions != nil {
		k := short(m.ID)
		_, twice = r.placed[k]
		r.placed[k] = folder
		if r.versions != nil {
			r.versions[k] = versionOf(m.ChangeKey)
		}
	}
	if err := supply(m, r.g.M365().Cloud()); err != nil {
		return fmt.Errorf("message %s: %w", m.ID, err)
	}
	if was, ok := r.pending[m.ID]; ok && was == folder {
		// It came back after it left.
		delete(r.pending, m.ID)
		if err := r.sink.Cursor(ctx, cursorPending+m.ID, ""); err != nil {
			return err
		}
	}
	beyond, err := takeItems(m)
	if err != nil {
		return fmt.Errorf("message %s: %w", m.ID, err)
	}
	raw, err := graph.Without(m.Raw, "body", "uniqueBody", "@odata.context")
	if err != nil {
		return fmt.Errorf("message %s: %w", m.ID, err)
	}
	signature, err := sign(m.Raw)
	if err != nil {
		return fmt.Errorf("message %s: %w", m.ID, err)
	}
	item := itemOf(m, signature)
	if item.Parent == "" {
		item.Parent = folder
	}
	if r.exporter != nil {
		delete(item.Fields, holdfast.FieldBody)
	}
	if !r.prev.Empty() && !twice && !r.retrying(m.ID) {
		old, ok, err := r.prev.Item(ctx, m.ID)
		switch {
		case err != nil:
			return err
		case r.exporter != nil:
			// Every change of an item is in what is exported, so that nothing but the version says whether it is needed again.
			if ok && old.Version == item.Version && old.Parent == item.Parent && !r.prev.Anew() {
				return nil
			}
		case ok && old.Version == item.Version && old.Parent == item.Parent && (!r.prev.Anew() || old.Fields[holdfast.FieldBody] == signature):
			return nil
		case ok && signature != "" && old.Fields[holdfast.FieldBody] == signature:
			r.wrote(folder, m.ID)
			payloads := []holdfast.Payload{holdfast.Whole(holdfast.FormJSON, bytes.NewReader(raw), int64(len(raw))), holdfast.Kept(holdfast.FormMIME)}
			if len(beyond) > 0 {
				payloads = append(payloads, holdfast.Kept(holdfast.FormAttachments))
			}
			return r.sink.Put(ctx, item, payloads...)
		}
	}
	r.wrote(folder, m.ID)
	if m.IsDraft {
		r.drafts[m.ID] = m.ChangeKey
	}
	raw = bytes.Clone(raw) // without the room that its body had
	for i := range beyond {
		beyond[i].raw = bytes.Clone(beyond[i].raw)
	}
	r.fetches = append(r.fetches, fetch{item, raw, beyond})
	return nil
}

// wait fetches what rows asked for, and is back when all of it is stored.
func (r *reader) wait(ctx context.Context) error {
	if r.exporter != nil {
		r.exportAll(ctx)
		return r.sink.Wait()
	}
	for i, f := range r.fetches {
		r.fetches[i] = fetch{}
		r.sink.Go(ctx, max(f.item.Size, 16<<10), func(ctx context.Context) error { return r.fetch(ctx, f.item, f.raw, f.beyond) })
	}
	r.fetches = r.fetches[:0]
	return r.sink.Wait()
}

func (r *reader) retrying(id string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.retry[id]
}

// fetch reads a mail's MIME and what MIME cannot carry, and stores it.
func (r *reader) fetch(ctx context.Context, item holdfast.Item, raw []byte, beyond []attachedItem) error {
	var err error
	var early []ended
	for broken := 0; broken < mimeAttempts && len(early) < endAttempts; {
		err = r.fetchOnce(ctx, item, raw, beyond, early)
		var ends *endsError
		if errors.As(err, &ends) {
			early = append(early, ends.got)
			err = &holdfast.Skip{Reason: holdfast.SkipChanging, Err: fmt.Errorf("%d reads did not agree: %w", len(early), err)}
			continue
		}
		if kind := m365.KindOf(err); kind != m365.Unavailable && kind != m365.Corrupt {
			break
		}
		broken++
	}
	if err == nil {
		return r.retried(ctx, item.ID)
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	s := m365.Skip(err)
	switch {
	case s == nil:
		return err
	case s.Reason == holdfast.SkipVanished:
		_, err := r.g.Message(ctx, r.mailbox, item.ID, graph.List{Select: []string{"id"}})
		switch {
		case m365.KindOf(err) == m365.NotFound:
			// Deleted since its row was served: it was not there for the whole of the backup.
			return r.notThere(ctx, item.ID)
		case err != nil:
			return fmt.Errorf("look up message: %w", err)
		}
		s = &holdfast.Skip{Reason: holdfast.SkipCorrupt, Err: fmt.Errorf("the message is there and its content is not: %w", s.Err)}
	}
	return r.missed(ctx, item, s)
}

// missed names a message that could not be read, and has the next read try again.
func (r *reader) missed(ctx context.Context, item holdfast.Item, s *holdfast.Skip) error {
	r.sink.Skip(ctx, item, s)
	r.mu.Lock()
	r.retry[item.ID] = true
	r.mu.Unlock()
	return r.sink.Cursor(ctx, cursorRetry+item.ID, string(s.Reason))
}

// notThere hides a message that the mailbox does not have.
func (r *reader) notThere(ctx context.Context, id string) error {
	r.mu.Lock()
	r.gone = true
	r.mu.Unlock()
	if err := r.sink.Delete(ctx, id); err != nil {
		return err
	}
	return r.retried(ctx, id)
}

// retried forgets that an item could not be read.
func (r *reader) retried(ctx context.Context, id string) error {
	r.mu.Lock()
	was := r.retry[id]
	delete(r.retry, id)
	r.mu.Unlock()
	if !was {
		return nil
	}
	return r.sink.Cursor(ctx, cursorRetry+id, "")
}

// fetchOnce stores nothing of a MIME that ends early, unless the earlier reads that did show that the mail has no end.
func (r *reader) fetchOnce(ctx context.Context, item holdfast.Item, raw []byte, beyond []attachedItem, early []ended) error {
	payloads := []holdfast.Payload{holdfast.Whole(holdfast.FormJSON, bytes.NewReader(raw), int64(len(raw)))}
	if len(beyond) > 0 {
		attachments, err := r.attachments(ctx, item.ID, beyond)
		if err != nil {
			return err
		}
		payloads = append(payloads, holdfast.Whole(holdfast.FormAttachments, bytes.NewReader(attachments), int64(len(attachments))))
	}
	mime, err := r.g.OpenMIME(ctx, r.mailbox, item.ID)
	if err != nil {
		return err
	}
	defer mime.Close()
	// What is stored decoded must give back what was served: the vault compares its own sum with this one.
	served := holdfast.NewSum()
	whole := &ending{r: io.TeeReader(mime, served), sum: served.Sum64, earlier: early}
	payloads = append(payloads, holdfast.Payload{Form: holdfast.FormMIME, Pieces: split(whole), Served: served.Sum64})
	return r.sink.Put(ctx, item, payloads...)
}

// attachedItem is an attachment that is an item: MIME carries it, but not its read state, flags and categories, and of events and contacts only
// a rendering. (Of a reference attachment v1.0 tells no more than the row has.)
type attachedItem struct {
	id  string
	raw json.RawMessage // the attachment with its item; nil: to be asked for
}

// attachments gives the JSON of attached items as an array.
func (r *reader) attachments(ctx context.Context, message string, items []attachedItem) ([]byte, error) {
	all := make([]json.RawMessage, 0, len(items))
	for _, i := range items {
		if i.raw == nil {
			a, err := r.g.Attachment(ctx, r.mailbox, message, i.id, graph.List{Expand: []string{"microsoft.graph.itemattachment/item"}})
			if err != nil {
				return nil, err
			}
			i.raw = a.Raw
		}
		all = append(all, i.raw)
	}
	return json.Marshal(all)
}

// takeItems takes the attached items out of a row, so that the row is the same whether or not the service put them into it.
func takeItems(m *graph.Message) ([]attachedItem, error) {
	var items []attachedItem
	within := false
	for i := range m.Attachments {
		if a := &m.Attachments[i]; a.Type == graph.ItemAttachment {
			item := attachedItem{id: a.ID}
			if len(a.Item) > 0 && a.Item[0] == '{' {
				item.raw, within = a.Raw, true
			}
			items = append(items, item)
		}
	}
	if !within {
		return items, nil
	}
	rest := []byte{'['}
	for i := range m.Attachments {
		bare, err := graph.Without(m.Attachments[i].Raw, "item", "item@odata.context", "item@odata.associationLink", "item@odata.navigationLink")
		if err != nil {
			return nil, err
		}
		if i > 0 {
			rest = append(rest, ',')
		}
		rest = append(rest, bare...)
	}
	raw, err := graph.With(m.Raw, "attachments", append(rest, ']'))
	if err != nil {
		return nil, err
	}
	m.Raw = raw
	return items, nil
}

// sign hashes what must change when the MIME does. A row without a body has no signature.
func sign(raw []byte) (string, error) {
	h := sha256.New()
	body := false
	for m, err := range graph.Members(raw) {
		if err != nil {
			return "", err
		}
		body = body || m.Name == "body"
		if slices.Contains(signed, m.Name) {
			fmt.Fprintf(h, "%s %d ", m.Name, len(m.Value))
			h.Write(m.Value)
		}
	}
	if !body {
		return "", nil
	}
	return hex.EncodeToString(h.Sum(nil)[:16]), nil
}

func itemOf(m *graph.Message, signature string) holdfast.Item {
	item := holdfast.Item{ID: m.ID, Parent: m.ParentFolderID, Kind: holdfast.KindMail, Version: m.ChangeKey, Time: m.Received, Name: m.Subject,
		Fields: map[string]string{}}
	if signature != "" {
		item.Fields[holdfast.FieldBody] = signature
	}
	if item.Time.IsZero() {
		item.Time = m.Created
	}
	set := func(key, value string) {
		if value != "" {
			item.Fields[key] = value
		}
	}
	instant := func(key string, t time.Time) {
		if !t.IsZero() {
			set(key, t.UTC().Format(time.RFC3339))
		}
	}
	for _, p := range m.Properties {
		switch {
		case sameProperty(p.ID, propSize):
			item.Size, _ = strconv.ParseInt(p.Value, 10, 64) // no number, no size: it is for lists
		case sameProperty(p.ID, propClass):
			set(holdfast.FieldClass, p.Value)
		}
	}
	if m.From != nil {
		set(holdfast.FieldFrom, names([]graph.Recipient{*m.From}))
	}
	set(holdfast.FieldTo, names(m.To))
	set(holdfast.FieldCc, names(m.Cc))
	instant(holdfast.FieldSent, m.Sent)
	instant(holdfast.FieldCreated, m.Created)
	instant(holdfast.FieldModified, m.Modified)
	if m.IsRead {
		set(holdfast.FieldRead, "true")
	}
	if m.HasAttachments {
		set(holdfast.FieldAttached, "true")
	}
	if m.Flag != nil && m.Flag.FlagStatus != "notFlagged" {
		set(holdfast.FieldFlag, m.Flag.FlagStatus)
	}
	if m.Importance != "normal" {
		set(holdfast.FieldImportance, m.Importance)
	}
	if len(m.Categories) > 0 {
		if b, err := json.Marshal(m.Categories); err == nil {
			set(holdfast.FieldCategories, string(b))
		}
	}
	return item
}

// names writes recipients for a list, at most about a kilobyte of them; all of them are in the JSON.
func names(rs []graph.Recipient) string {
	var b strings.Builder
	for i, r := range rs {
		if b.Len() > 1000 {
			b.WriteString("; …")
			break
		}
		if i > 0 {
			b.WriteString("; ")
		}
		name, address := r.EmailAddress.Name, r.EmailAddress.Address
		switch {
		case name == "" || name == address:
			b.WriteString(address)
		case address == "":
			b.WriteString(name)
		default:
			b.WriteString(name + " <" + address + ">")
		}
	}
	return b.String()
}
