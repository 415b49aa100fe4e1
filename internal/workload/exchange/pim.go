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
	"iter"
	"slices"
	"strings"
	"time"

	"holdfast/internal/engine"
	"holdfast/internal/holdfast"
	"holdfast/internal/m365"
	"holdfast/internal/m365/graph"
)

// personal is one of the kinds of things in a mailbox that are not mail: contacts, events, tasks. They lie in shelves: contact folders,
// calendars, lists. In the vault both are items of the mailbox, the shelves beside its mail folders.
type personal struct {
	graph.PersonalKind
	part    engine.MailboxPart
	name    string            // in cursors
	kind    holdfast.ItemKind // of items
	class   string            // of items
	shelf   string            // class of shelves
	special string            // what the default shelf is for
	also    []string          // what the application may do besides PersonalKind.Read
	needs   string            // of Microsoft Graph; a cloud that lacks it has this kind neither read nor written
	fields  []string          // of items; nil: all that a list gives
	expand  []string
	// deep says what the row of an item lacks and has to be asked for.
	deep func(r *reader, p *personal, shelf string, row *graph.Personal, old *holdfast.Item) bool
	// fetch asks for it. It may replace the row by a newer one.
	fetch func(ctx context.Context, r *reader, p *personal, shelf string, row *graph.Personal) ([]holdfast.Payload, error)
	// describe says what a list shows of an item.
	describe func(row *graph.Personal, item *holdfast.Item)
	whole    []string // what is expanded to read one back
	back     putBack
}

// Cursors of a kind: name + one of these.
const (
	cursorTree    = "/tree"    // delta link of the shelves; not of calendars
	cursorRoot    = "/root"    // id of the default contact folder, which no list has
	cursorShelf   = "/shelf/"  // + id: delta link of its items; of a calendar "known"
	cursorAgain   = "/again/"  // + id of an item that could not be read: the shelf that it was in
	cursorRefused = "/refused" // the application may not read the kind, which is named as skipped
)

const (
	personalPage = 100  // items in a page of a delta: their text is in the rows
	idPage       = 1000 // ids in a page of a list
	shelfPage    = 100
	maxPhoto     = 4 << 20
	known        = "known"
)

// personals are the kinds, in the order in which they are read.
func personals() []*personal { return []*personal{contacts, calendars, tasks, settings, others} }

// shelves is what a read knows of one kind.
type shelves struct {
	*personal
	tree    string
	root    string
	refused bool
	broken  *holdfast.Skip    // why this read does not read the kind
	cursors map[string]string // shelf -> cursor; unread when it is new
	again   map[string]string // item -> shelf
	placed  map[string]string // item -> shelf that this read saw it in
	plain   bool              // the service refuses rows with what is expanded
	lists   bool              // this read reads the kind
	names   map[string]string // shelf -> its name
	// Of calendars: the events that this read listed, and those that are stored.
	events map[string]string        // event -> calendar
	before map[string]holdfast.Item // by event
}

// question is a call of the first round, which asks everything in one batch.
type question struct {
	of     *shelves
	part   graph.Part
	answer func(ctx context.Context, res graph.PartResult) error
}

// rememberPersonal takes a cursor of the kinds that are read; false when it is none of theirs.
func (r *reader) rememberPersonal(c engine.Cursor) bool {
	for _, p := range personals() {
		rest, ok := strings.CutPrefix(c.Name, p.name+"/")
		if !ok {
			continue
		}
		s := r.shelvesOf(p)
		switch rest = "/" + rest; {
		case rest == cursorTree:
			s.tree = c.Value
		case rest == cursorRefused:
			s.refused = true
		case rest == cursorRoot:
			s.root = c.Value
		case strings.HasPrefix(rest, cursorShelf):
			s.cursors[rest[len(cursorShelf):]] = c.Value
		case strings.HasPrefix(rest, cursorAgain):
			s.again[rest[len(cursorAgain):]] = c.Value
		}
		return true
	}
	return false
}

func (r *reader) shelvesOf(p *personal) *shelves {
	for _, s := range r.personal {
		if s.personal == p {
			return s
		}
	}
	s := &shelves{personal: p, cursors: map[string]string{}, again: map[string]string{}, placed: map[string]string{}, names: map[string]string{}}
	r.personal = append(r.personal, s)
	return s
}

// readPersonal brings contacts, events and tasks up to date. What is known is asked for in one batch; an idle mailbox answers all of it by that.
func (r *reader) readPersonal(ctx context.Context) error {
	var asked []question
	var read []*shelves
	for _, p := range personals() {
		s := r.shelvesOf(p)
		if !engine.Reads(ctx, p.part) || !r.g.M365().Cloud().Has(p.needs) {
			if err := r.accepted(ctx, s); err != nil {
				return err
			}
			continue
		}
		if p == others && r.exporter == nil { // mail is not exported, because of the job or of what the application may do
			continue
		}
		missing, err := r.g.CheckPermissions(ctx, append([]string{p.Read}, p.also...)...)
		if err != nil {
			return err
		}
		if len(missing) > 0 {
			why := fmt.Errorf("the application may not read %s: grant it %s in Microsoft Entra, or leave them out of the job", s.name, strings.Join(missing, ", "))
			if err := r.refuse(ctx, s, &holdfast.Skip{Reason: holdfast.SkipDenied, Err: why}); err != nil {
				return err
			}
			continue
		}
		read = append(read, s)
		s.lists = true
		questions, err := r.questions(ctx, s)
		if err != nil {
			return err
		}
		for _, q := range questions {
			q.of = s
			asked = append(asked, q)
		}
	}
	if len(asked) > 0 {
		parts := make([]graph.Part, len(asked))
		for i := range asked {
			parts[i] = asked[i].part
		}
		results, err := r.g.Batch(ctx, parts)
		if err != nil {
			return err
		}
		for i, res := range results {
			if s := asked[i].of; s.broken == nil {
				if err := r.unreadable(ctx, s, asked[i].answer(ctx, res)); err != nil {
					return err
				}
			}
		}
	}
	for _, s := range read {
		if s.broken == nil {
			if err := r.unreadable(ctx, s, r.finishShelves(ctx, s)); err != nil {
				return fmt.Errorf("read %s: %w", s.name, err)
			}
		}
		if s.broken == nil {
			if err := r.accepted(ctx, s); err != nil {
				return err
			}
		} else if err := r.refuse(ctx, s, s.broken); err != nil {
			return err
		}
	}
	return r.sink.Wait()
}

// unreadable takes an error that is the kind's own: a mailbox may have mail and no To Do, or a rule may keep the application from its calendars. The kind is then
// named as skipped, and what is stored of it stays. Any other error it gives back.
func (r *reader) unreadable(ctx context.Context, s *shelves, err error) error {
	if err == nil || ctx.Err() != nil {
		return err
	}
	reason := map[m365.Kind]holdfast.SkipReason{m365.Denied: holdfast.SkipDenied, m365.NotFound: holdfast.SkipUnsupported, m365.Unlicensed: holdfast.SkipUnlicensed, m365.Invalid: holdfast.SkipUnsupported}[m365.KindOf(err)]
	if reason == "" {
		return err
	}
	if gone := r.mailboxThere(ctx); gone != nil {
		return gone
	}
	s.broken = &holdfast.Skip{Reason: reason, Err: fmt.Errorf("%s can't be read: %w", s.name, err)}
	return nil
}

// refuse names a kind as skipped.
func (r *reader) refuse(ctx context.Context, s *shelves, why *holdfast.Skip) error {
	r.sink.Skip(ctx, holdfast.Item{ID: s.name, Kind: holdfast.KindFolder, Name: s.name}, why)
	if s.refused {
		return nil
	}
	return r.sink.Cursor(ctx, s.name+cursorRefused, "true")
}

// accepted forgets that a kind was named as skipped.
func (r *reader) accepted(ctx context.Context, s *shelves) error {
	if !s.refused {
		return nil
	}
	return errors.Join(r.sink.Delete(ctx, s.name), r.sink.Cursor(ctx, s.name+cursorRefused, ""))
}

// questions are the calls that tell whether anything changed.
func (r *reader) questions(ctx context.Context, s *shelves) ([]question, error) {
	switch s.personal {
	case calendars:
		return r.calendarQuestions(ctx, s)
	case settings:
		return r.settingQuestions(ctx, s), nil
	case others:
		return r.otherQuestions(s), nil
	}
	if r.prev.Anew() {
		return nil, nil
	}
	var out []question
	if s.tree != "" {
		out = append(out, question{part: graph.Part{Link: s.tree, List: graph.List{PageSize: shelfPage}}, answer: func(ctx context.Context, res graph.PartResult) error {
			page, err := graph.Rows[graph.Shelf](res)
			return r.tree2(ctx, s, page, err)
		}})
	}
	for _, shelf := range sortedKeys(s.cursors) {
		cursor := s.cursors[shelf]
		if cursor == unread {
			continue
		}
		out = append(out, question{part: graph.Part{Link: cursor, List: s.rows(personalPage)}, answer: func(ctx context.Context, res graph.PartResult) error {
			if _, there := s.cursors[shelf]; !there {
				return nil // its shelf went
			}
			page, err := graph.Rows[graph.Personal](res)
			return r.delta(ctx, s, shelf, cursor, page, err)
		}})
	}
	return out, nil
}

// rows asks for items as they are stored.
func (s *shelves) rows(size int) graph.List {
	l := graph.List{PageSize: size, Select: s.fields, Prefer: []string{"outlook.allow-unsafe-html"}}
	if !s.plain {
		l.Expand = s.expand
	}
	return l
}

// finishShelves reads what no question was asked of: a first read, what is new, and what could not be read before.
func (r *reader) finishShelves(ctx context.Context, s *shelves) error {
	switch s.personal {
	case calendars:
		return r.finishCalendars(ctx, s)
	case settings:
		return r.finishSettings(ctx, s)
	case others:
		return r.finishOthers(ctx, s)
	}
	if s.personal == contacts && s.root == "" {
		if err := r.defaultContacts(ctx, s); err != nil {
			return err
		}
	}
	if s.tree == "" || r.prev.Anew() {
		page, err := r.g.ShelvesOf(ctx, s.PersonalKind, s.ShelfPath(r.mailbox, "", "delta"), graph.List{PageSize: shelfPage})
		if err := r.tree2(ctx, s, page, err); err != nil {
			return err
		}
	}
	for _, shelf := range sortedKeys(s.cursors) {
		if s.cursors[shelf] != unread && !r.prev.Anew() {
			continue
		}
		if err := r.delta(ctx, s, shelf, "", nil, nil); err != nil {
			return err
		}
	}
	var ids []string
	for id := range s.again {
		if s.placed[id] == "" {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return r.askPersonal(ctx, s, ids, s.again)
}

func sortedKeys[V any](m map[string]V) []string {
	out := make([]string, 0, len(m))
	for k := range m {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}

// tree2 follows the delta of the shelves. page and err are what its first call gave.
func (r *reader) tree2(ctx context.Context, s *shelves, page *graph.Page[graph.Shelf], err error) error {
	l := graph.List{PageSize: shelfPage}
	reset := s.tree == "" || r.prev.Anew()
	seen := map[string]bool{}
	var gone []string
	changed := reset
	for resets := 0; ; {
		switch kind := m365.KindOf(err); {
		case err == nil:
		case (kind == m365.Resync || kind == m365.Invalid || kind == m365.NotFound) && resets < maxResets:
			if kind == m365.NotFound {
				if err := r.mailboxThere(ctx); err != nil {
					return err
				}
			}
			resets++
			reset, changed, gone = true, true, nil
			clear(seen)
			page, err = r.g.ShelvesOf(ctx, s.PersonalKind, s.ShelfPath(r.mailbox, "", "delta"), l)
			continue
		default:
			return fmt.Errorf("list the folders of %s: %w", s.name, err)
		}
		for i := range page.Value {
			f := &page.Value[i]
			changed = true
			if f.Removed != nil {
				gone = append(gone, f.ID)
				continue
			}
			seen[f.ID] = true
			if err := r.newShelf(ctx, s, f); err != nil {
				return err
			}
		}
		if page.NextLink == "" {
			break
		}
		page, err = graph.Follow[graph.Shelf](ctx, r.g, page.NextLink, l)
	}
	if page.DeltaLink == "" {
		return fmt.Errorf("list the folders of %s: the last page has no delta link", s.name)
	}
	if reset {
		for shelf := range s.cursors {
			if !seen[shelf] && shelf != s.root {
				gone = append(gone, shelf)
			}
		}
	}
	for _, shelf := range gone {
		if err := r.shelfGone(ctx, s, shelf); err != nil {
			return err
		}
	}
	if !changed && !r.stale() {
		return nil
	}
	return r.sink.Cursor(ctx, s.name+cursorTree, page.DeltaLink)
}

// newShelf stores a shelf when it is new or changed.
func (r *reader) newShelf(ctx context.Context, s *shelves, f *graph.Shelf) error {
	if f.ID == "" {
		return fmt.Errorf("a folder of %s without an id", s.name)
	}
	if f.WellKnown == "flaggedEmails" {
		return nil // its tasks are mails with a flag, which are mails
	}
	s.names[f.ID] = f.Title()
	if _, there := s.cursors[f.ID]; !there {
		s.cursors[f.ID] = unread
		if err := r.sink.Cursor(ctx, s.name+cursorShelf+f.ID, unread); err != nil {
			return err
		}
	}
	item, raw, err := r.shelfItem(s, f)
	if err != nil {
		return err
	}
	if old, ok, err := r.prev.Item(ctx, f.ID); err != nil {
		return err
	} else if ok && old.Version == item.Version && old.Parent == item.Parent && old.Fields[holdfast.FieldSpecial] == item.Fields[holdfast.FieldSpecial] {
		return nil
	}
	return r.sink.Put(ctx, item, holdfast.Whole(holdfast.FormJSON, bytes.NewReader(raw), int64(len(raw))))
}

// shelfItem is a shelf as the vault has it, with its JSON.
func (r *reader) shelfItem(s *shelves, f *graph.Shelf) (holdfast.Item, []byte, error) {
	raw, err := graph.Without(f.Raw, "changeKey", "@odata.context", "@odata.etag", "@odata.type")
	if err != nil {
		return holdfast.Item{}, nil, fmt.Errorf("folder %s: %w", f.ID, err)
	}
	item := holdfast.Item{ID: f.ID, Parent: r.rootID(), Kind: holdfast.KindFolder, Name: f.Title(), Fields: map[string]string{holdfast.FieldClass: s.shelf}}
	if f.ID == s.root || f.IsDefault || f.WellKnown == "defaultList" {
		item.Fields[holdfast.FieldSpecial] = s.special
	} else if _, nested := s.cursors[f.ParentFolderID]; nested {
		item.Parent = f.ParentFolderID
	}
	sum := sha256.Sum256(raw)
	item.Version = hex.EncodeToString(sum[:12])
	return item, raw, nil
}

// rootID is the mailbox's top folder, in which the shelves are shown.
func (r *reader) rootID() string {
	for id, name := range r.special {
		if name == rootName {
			return id
		}
	}
	return ""
}

// defaultContacts finds the default contact folder by what is in it: no list has it, and v1.0 has no name for it. When it is empty there is
// nothing to find.
func (r *reader) defaultContacts(ctx context.Context, s *shelves) error {
	page, err := r.g.PersonalItems(ctx, s.PersonalKind, s.ListPath(r.mailbox, ""), graph.List{Top: 1, Select: []string{"id", "parentFolderId"}})
	for c, err := range graph.All(ctx, r.g, page, err, graph.List{}) {
		if err != nil {
			return err
		}
		if c.ParentFolderID == "" {
			continue
		}
		f, err := r.g.ShelfOf(ctx, s.PersonalKind, r.mailbox, c.ParentFolderID)
		if m365.KindOf(err) == m365.NotFound {
			return nil // it moves on; the next read finds it
		} else if err != nil {
			return err
		}
		s.root = f.ID
		if err := r.sink.Cursor(ctx, s.name+cursorRoot, f.ID); err != nil {
			return err
		}
		return r.newShelf(ctx, s, f)
	}
	return nil
}

// shelfGone makes sure that a shelf is gone, and hides it with what is in it.
func (r *reader) shelfGone(ctx context.Context, s *shelves, shelf string) error {
	f, err := r.g.ShelfOf(ctx, s.PersonalKind, r.mailbox, shelf)
	switch {
	case err == nil:
		return r.newShelf(ctx, s, f)
	case m365.KindOf(err) != m365.NotFound:
		return fmt.Errorf("look up a folder of %s: %w", s.name, err)
	}
	if err := r.mailboxThere(ctx); err != nil {
		return err
	}
	if err := r.sink.Wait(); err != nil {
		return err
	}
	var ids []string
	for item, err := range r.prev.Children(ctx, shelf) {
		if err != nil {
			return err
		}
		if item.Kind == s.kind {
			ids = append(ids, item.ID)
		}
	}
	if err := r.leftShelf(ctx, s, shelf, ids); err != nil {
		return err
	}
	delete(s.cursors, shelf)
	if err := r.sink.Delete(ctx, shelf); err != nil {
		return err
	}
	return r.sink.Cursor(ctx, s.name+cursorShelf+shelf, "")
}

// delta follows the changes of one shelf. page and err are what link gave; without a link all is listed and compared.
func (r *reader) delta(ctx context.Context, s *shelves, shelf, link string, page *graph.Page[graph.Personal], err error) error {
	size, resets := personalPage, 0
	var seen map[string]bool // of a listing
	var gone []string
	begin := func() {
		seen, gone, link = map[string]bool{}, nil, ""
		page, err = r.g.PersonalItems(ctx, s.PersonalKind, s.ListPath(r.mailbox, shelf, "delta"), s.rows(size))
	}
	if link == "" {
		begin()
	}
	news := link == ""
	for {
		kind := m365.KindOf(err)
		switch {
		case err == nil:
		case kind == m365.Resync || kind == m365.Invalid && link != "" || kind == m365.NotFound:
			if resets++; resets > maxResets {
				return fmt.Errorf("read a folder of %s: the service reset it again and again: %w", s.name, err)
			}
			if kind == m365.NotFound {
				if err := r.shelfGone(ctx, s, shelf); err != nil {
					return err
				}
				if _, there := s.cursors[shelf]; !there {
					return nil
				}
			}
			news = true
			begin()
			continue
		case kind == m365.Invalid && !s.plain && len(s.expand) > 0:
			s.plain = true
			begin()
			continue
		case kind == m365.Unavailable && size > smallPageSize:
			size = max(size/5, smallPageSize)
			if link == "" {
				begin()
			} else {
				page, err = graph.Follow[graph.Personal](ctx, r.g, link, s.rows(size))
			}
			continue
		default:
			return fmt.Errorf("read a folder of %s: %w", s.name, err)
		}
		last := map[string]int{}
		for i := range page.Value {
			last[page.Value[i].ID] = i
		}
		for i := range page.Value {
			row := &page.Value[i]
			news = true
			switch {
			case row.ID == "":
				return fmt.Errorf("a row of %s without an id", s.name)
			case last[row.ID] != i: // of several rows of one item the last counts
			case row.Removed != nil:
				gone = append(gone, row.ID)
			default:
				gone = slices.DeleteFunc(gone, func(id string) bool { return id == row.ID })
				if seen != nil {
					seen[row.ID] = true
				}
				if err := r.personalRow(ctx, s, shelf, row); err != nil {
					return err
				}
			}
		}
		if page.NextLink == "" {
			break
		}
		link = page.NextLink
		page, err = graph.Follow[graph.Personal](ctx, r.g, link, s.rows(size))
	}
	if page.DeltaLink == "" {
		return fmt.Errorf("read a folder of %s: the last page has no delta link", s.name)
	}
	if err := r.sink.Wait(); err != nil {
		return err
	}
	if seen != nil {
		for item, err := range r.prev.Children(ctx, shelf) {
			if err != nil {
				return err
			}
			if item.Kind == s.kind && !seen[item.ID] {
				gone = append(gone, item.ID)
			}
		}
	}
	if err := r.leftShelf(ctx, s, shelf, gone); err != nil {
		return err
	}
	s.cursors[shelf] = page.DeltaLink
	if !news && !r.stale() {
		return nil
	}
	if err := r.sink.Cursor(ctx, s.name+cursorShelf+shelf, page.DeltaLink); err != nil {
		return err
	}
	return r.sink.Savepoint(ctx)
}

// leftShelf asks for what left a shelf. Only "not found" deletes; what is elsewhere is stored there.
func (r *reader) leftShelf(ctx context.Context, s *shelves, shelf string, ids []string) error {
	at := map[string]string{}
	var ask []string
	for _, id := range ids {
		if to := s.placed[id]; to != "" && to != shelf {
			continue
		}
		if old, ok, err := r.prev.Item(ctx, id); err != nil {
			return err
		} else if ok && old.Parent != shelf && s.placed[id] == "" {
			continue // it is stored elsewhere
		}
		at[id] = shelf
		ask = append(ask, id)
	}
	return r.askPersonal(ctx, s, ask, at)
}

// askPersonal reads items by id, twenty to a round trip. at has the shelf of each.
func (r *reader) askPersonal(ctx context.Context, s *shelves, ids []string, at map[string]string) error {
	for chunk := range slices.Chunk(ids, 20) {
		parts := make([]graph.Part, len(chunk))
		for i, id := range chunk {
			parts[i] = graph.Part{Path: s.ItemPath(r.mailbox, at[id], id), List: s.rows(0)}
		}
		results, err := r.g.Batch(ctx, parts)
		if err != nil {
			return fmt.Errorf("look up items: %w", err)
		}
		for i, res := range results {
			row, err := graph.Object[graph.Personal](res)
			id := chunk[i]
			switch {
			case err == nil:
				shelf := at[id]
				if row.ParentFolderID != "" {
					shelf = row.ParentFolderID
				}
				if err := r.personalRow(ctx, s, shelf, row); err != nil {
					return err
				}
			case m365.KindOf(err) == m365.NotFound:
				r.mu.Lock()
				r.gone = true
				r.mu.Unlock()
				if err := errors.Join(r.sink.Delete(ctx, id), r.readAgain(ctx, s, id)); err != nil {
					return err
				}
			case m365.Skip(err) != nil:
				old, ok, perr := r.prev.Item(ctx, id)
				if perr != nil {
					return perr
				} else if !ok {
					old = holdfast.Item{ID: id, Kind: s.kind, Parent: at[id]}
				}
				if err := r.personalMissed(ctx, s, at[id], old, m365.Skip(err)); err != nil {
					return err
				}
			default:
				return fmt.Errorf("look up an item of %s: %w", s.name, err)
			}
		}
	}
	return r.sink.Wait()
}

// personalRow stores an item when it is new or changed, at once or when what its row lacks has come.
func (r *reader) personalRow(ctx context.Context, s *shelves, shelf string, row *graph.Personal) error {
	s.placed[row.ID] = shelf
	old, ok, err := r.prev.Item(ctx, row.ID)
	if err != nil {
		return err
	}
	version, err := s.versionOf(row)
	if err != nil {
		return err
	}
	r.mu.Lock()
	_, again := s.again[row.ID]
	r.mu.Unlock()
	if ok && old.Version == version && old.Parent == shelf && !again && !r.prev.Anew() {
		return nil
	}
	var before *holdfast.Item
	if ok {
		before = &old
	}
	if s.deep == nil || !s.deep(r, s.personal, shelf, row, before) {
		return r.putPersonal(ctx, s, shelf, row, nil)
	}
	r.sink.Go(ctx, 64<<10, func(ctx context.Context) error {
		var err error
		for attempt := 0; attempt < mimeAttempts; attempt++ {
			var payloads []holdfast.Payload
			if payloads, err = s.fetch(ctx, r, s.personal, shelf, row); err == nil {
				err = r.putPersonal(ctx, s, shelf, row, payloads)
			}
			if kind := m365.KindOf(err); kind != m365.Unavailable && kind != m365.Corrupt {
				break
			}
		}
		if err == nil || ctx.Err() != nil {
			return errors.Join(err, ctx.Err())
		}
		why := m365.Skip(err)
		switch {
		case why == nil:
			return err
		case why.Reason == holdfast.SkipVanished:
			return nil // deleted since its row was served: the next read is told
		}
		item := holdfast.Item{ID: row.ID, Parent: shelf, Kind: s.kind, Version: version}
		s.describe(row, &item)
		return r.personalMissed(ctx, s, shelf, item, why)
	})
	return nil
}

// versionOf is the item's changeKey; To Do has none, so there it is a hash of what was served.
func (p *personal) versionOf(row *graph.Personal) (string, error) {
	if row.ChangeKey != "" {
		return row.ChangeKey, nil
	}
	raw, err := graph.Without(row.Raw, unstored...)
	if err != nil {
		return "", fmt.Errorf("item %s: %w", row.ID, err)
	}
	sum := sha256.Sum256(raw)
	return hex.EncodeToString(sum[:16]), nil
}

// unstored are members of rows that say nothing of the item.
var unstored = []string{"@odata.context", "@odata.type", "exceptionOccurrences@odata.context", "checklistItems@odata.context", "linkedResources@odata.context"}

func (r *reader) putPersonal(ctx context.Context, s *shelves, shelf string, row *graph.Personal, more []holdfast.Payload) error {
	raw, err := graph.Without(row.Raw, unstored...)
	if err != nil {
		return fmt.Errorf("item %s: %w", row.ID, err)
	}
	item := holdfast.Item{ID: row.ID, Parent: shelf, Kind: s.kind, Size: int64(len(raw)), Time: row.Modified, Fields: map[string]string{holdfast.FieldClass: s.class}}
	if item.Version, err = s.versionOf(row); err != nil {
		return err
	}
	set := func(key, value string) {
		if value != "" {
			item.Fields[key] = value
		}
	}
	set(holdfast.FieldCreated, instant(row.Created))
	set(holdfast.FieldModified, instant(row.Modified))
	if row.HasAttachments {
		set(holdfast.FieldAttached, "true")
	}
	if row.Importance != "" && row.Importance != "normal" {
		set(holdfast.FieldImportance, row.Importance)
	}
	if len(row.Categories) > 0 {
		if b, err := json.Marshal(row.Categories); err == nil {
			set(holdfast.FieldCategories, string(b))
		}
	}
	s.describe(row, &item)
	for _, p := range more {
		if p.Form == holdfast.FormPhoto {
			set(holdfast.FieldPhoto, "true")
		}
	}
	payloads := append([]holdfast.Payload{holdfast.Whole(holdfast.FormJSON, bytes.NewReader(raw), int64(len(raw)))}, more...)
	if err := r.sink.Put(ctx, item, payloads...); err != nil {
		return err
	}
	return r.readAgain(ctx, s, item.ID)
}

func instant(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}

// personalMissed names an item that could not be read, and has the next read try again.
func (r *reader) personalMissed(ctx context.Context, s *shelves, shelf string, item holdfast.Item, why *holdfast.Skip) error {
	r.sink.Skip(ctx, item, why)
	r.mu.Lock()
	s.again[item.ID] = shelf
	r.mu.Unlock()
	return r.sink.Cursor(ctx, s.name+cursorAgain+item.ID, shelf)
}

// readAgain forgets that an item could not be read.
func (r *reader) readAgain(ctx context.Context, s *shelves, id string) error {
	r.mu.Lock()
	_, was := s.again[id]
	delete(s.again, id)
	r.mu.Unlock()
	if !was {
		return nil
	}
	return r.sink.Cursor(ctx, s.name+cursorAgain+id, "")
}

// --- contacts --------------------------------------------------------------------------------------------------------

// propPicture is PidLidHasPicture: Graph's rows do not tell whether a contact has a photo, and asking for each would cost a call a contact.
// https://learn.microsoft.com/openspecs/exchange_server_protocols/ms-oxocntc
const propPicture = "Boolean {00062004-0000-0000-C000-000000000046} Id 0x8015"

var contacts = &personal{PersonalKind: graph.Contacts, part: engine.PartContacts, name: "contacts", kind: holdfast.KindContact, class: "IPM.Contact", shelf: "IPF.Contact", special: "contacts", needs: m365.ContactDelta,
	expand: []string{"singleValueExtendedProperties($filter=id eq '" + propPicture + "')"}}

func init() { // the functions name the kind
	contacts.deep, contacts.fetch, contacts.describe, contacts.back = pictured, photo, describeContact, contactBack
}

// pictured says whether a contact's photo is to be asked for: it says that it has one, it had one, or nothing that it says is trusted.
func pictured(r *reader, _ *personal, _ string, row *graph.Personal, old *holdfast.Item) bool {
	return len(row.Properties) > 0 && strings.EqualFold(row.Properties[0].Value, "true") || old != nil && old.Fields[holdfast.FieldPhoto] != "" || r.prev.Anew() || r.shelvesOf(contacts).plain
}

func photo(ctx context.Context, r *reader, p *personal, shelf string, row *graph.Personal) ([]holdfast.Payload, error) {
	var data []byte
	// A picture that was cut off on the way shows it by its end. One that came without is the same when it is read again.
	for whole := false; !whole; {
		body, err := r.g.OpenBit(ctx, p.PersonalKind, p.ItemPath(r.mailbox, shelf, row.ID, "photo", "$value"))
		if m365.KindOf(err) == m365.NotFound {
			return nil, nil
		} else if err != nil {
			return nil, err
		}
		got, err := io.ReadAll(io.LimitReader(body, maxPhoto+1))
		if err = errors.Join(err, body.Close()); err != nil {
			return nil, err
		}
		whole = bytes.HasSuffix(got, []byte{0xff, 0xd9}) || data != nil && bytes.Equal(got, data)
		data = got
	}
	if len(data) > maxPhoto {
		return nil, &holdfast.Skip{Reason: holdfast.SkipTooLarge, Err: fmt.Errorf("the photo has more than %d bytes", maxPhoto)}
	}
	return []holdfast.Payload{holdfast.Whole(holdfast.FormPhoto, bytes.NewReader(data), int64(len(data)))}, nil
}

func describeContact(row *graph.Personal, item *holdfast.Item) {
	set := func(key, value string) {
		if value != "" {
			item.Fields[key] = value
		}
	}
	if item.Fields == nil {
		item.Fields = map[string]string{}
	}
	var mails []string
	for _, e := range row.Emails {
		if e.Address != "" {
			mails = append(mails, e.Address)
		}
	}
	item.Name = row.DisplayName
	for _, other := range append([]string{row.FileAs, row.CompanyName}, mails...) {
		if item.Name == "" {
			item.Name = other
		}
	}
	set(holdfast.FieldTo, strings.Join(mails, "; "))
	set(holdfast.FieldCompany, row.CompanyName)
	set(holdfast.FieldTitle, row.JobTitle)
	set(holdfast.FieldMobile, row.MobilePhone)
	set(holdfast.FieldFileAs, row.FileAs)
	if len(row.BusinessPhones) > 0 {
		set(holdfast.FieldPhone, row.BusinessPhones[0])
	}
	if len(row.HomePhones) > 0 {
		set(holdfast.FieldHome, row.HomePhones[0])
	}
}

// smallFile is up to which size a file's bytes are asked for in JSON, of which a part is noticed to be one. Larger ones come as they are.
const smallFile = 3 << 20

// fileOf is the payload of an attached file.
func (r *reader) fileOf(ctx context.Context, p *personal, form holdfast.Form, path []string, size int64) (holdfast.Payload, error) {
	if size > smallFile {
		return streamed(form, func() (*m365.Stream, error) {
			return r.g.OpenBit(ctx, p.PersonalKind, append(slices.Clone(path), "$value"))
		}), nil
	}
	bit, err := r.g.Bit(ctx, p.PersonalKind, path, graph.List{})
	if err != nil {
		return holdfast.Payload{}, err
	}
	return holdfast.Whole(form, bytes.NewReader(bit.Content), int64(len(bit.Content))), nil
}

// streamed is a payload of bytes that are asked for when they are stored.
func streamed(form holdfast.Form, open func() (*m365.Stream, error)) holdfast.Payload {
	var pieces iter.Seq2[holdfast.Piece, error] = func(yield func(holdfast.Piece, error) bool) {
		body, err := open()
		if err != nil {
			yield(holdfast.Piece{}, err)
			return
		}
		defer body.Close()
		yield(holdfast.Piece{Reader: body, Size: -1, Apart: true}, nil)
	}
	return holdfast.Payload{Form: form, Pieces: pieces}
}
