package exchange

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"slices"
	"strings"
	"sync"
	"time"

	"holdfast/internal/engine"
	"holdfast/internal/holdfast"
	"holdfast/internal/m365"
	"holdfast/internal/m365/graph"
)

type target struct{ g *graph.Client }

// Open prepares a restore: the application may write, the mailbox is there, and its well-known folders are known.
func (t *target) Open(ctx context.Context, plan engine.RestorePlan) (engine.Restore, error) {
	if plan.From.OfGroup() || plan.To.OfGroup() {
		return nil, holdfast.Conflict(GroupMailError)
	}
	missing, err := t.g.CheckPermissions(ctx, "Mail.ReadWrite")
	if err != nil {
		return nil, err
	}
	if len(missing) > 0 {
		return nil, holdfast.Denied("the application may not write mail: grant it %s in Microsoft Entra, or restore with an application that has it", strings.Join(missing, ", "))
	}
	r := &restore{g: t.g, plan: plan, mailbox: plan.To.Source, same: plan.From.Key() == plan.To.Key() && plan.From.Organization == plan.To.Organization, special: map[string]string{}, children: map[string]map[string]string{}, shelves: map[string]bool{}, shelfLists: map[string][]*graph.Shelf{}, taskMarks: map[string]marks{}}
	found, err := wellKnownFolders(ctx, t.g, r.mailbox)
	switch m365.KindOf(err) {
	case m365.NotFound, m365.Unlicensed:
		return nil, holdfast.Conflict("%s has no mailbox now: give the user a licence with Exchange Online, or restore to another user: %w", plan.To.Address, err)
	}
	if err != nil {
		return nil, err
	}
	for name, f := range found {
		r.special[name] = f.ID
	}
	r.root = r.special[rootName]
	if t.g.M365().Cloud().Has(m365.MailboxExport) {
		lacks, err := t.g.CheckPermissions(ctx, importRight)
		if err != nil {
			return nil, err
		}
		r.imports = len(lacks) == 0
	}
	for _, name := range strings.FieldsFunc(plan.Folder, func(c rune) bool { return c == '/' }) {
		if r.root, err = r.child(ctx, r.root, name, false); err != nil {
			return nil, fmt.Errorf("folder %q: %w", plan.Folder, err)
		}
	}
	return r, nil
}

type restore struct {
	g       *graph.Client
	plan    engine.RestorePlan
	mailbox string
	same    bool              // the mailbox that the items came from
	root    string            // what the stored root becomes
	special map[string]string // well-known name -> folder id, at the target
	imports bool              // what was exported may be imported
	importing

	mu       sync.Mutex                   // guards all below
	children map[string]map[string]string // folder id -> lower-case name -> id
	// Of contacts, calendars and tasks.
	shelves    map[string]bool           // ids of shelves
	shelfLists map[string][]*graph.Shelf // by kind and parent
	taskMarks  map[string]marks          // by list of tasks
}

// Folder finds the folder at the target: a well-known one by what it is for, one of the same mailbox by its id, any other by name.
func (r *restore) Folder(ctx context.Context, folder holdfast.Item, parent string) (string, error) {
	special := folder.Fields[holdfast.FieldSpecial]
	if special == rootName {
		return r.root, nil
	}
	if strings.HasPrefix(folder.ID, ownItem) {
		return r.otherFolder(ctx, folder, parent)
	}
	if p := personalShelf(folder.Fields[holdfast.FieldClass]); p != nil {
		return r.personalFolder(ctx, p, folder, parent)
	}
	if parent == "" {
		parent = r.root
	}
	if r.plan.Folder == "" {
		if id := r.special[special]; special != "" && id != "" {
			return id, nil
		}
		if r.same {
			f, err := r.g.MailFolder(ctx, r.mailbox, folder.ID, graph.List{})
			if err == nil {
				return f.ID, nil
			} else if m365.KindOf(err) != m365.NotFound {
				return "", err
			}
		}
	}
	return r.child(ctx, parent, folder.Name, folder.Fields[holdfast.FieldHidden] == "true")
}

// child finds or makes the folder called name in parent. Exchange compares names without case.
func (r *restore) child(ctx context.Context, parent, name string, hidden bool) (string, error) {
	r.mu.Lock()
	defer r.mu.Unlock() // also while asking: two items must not make one folder twice
	known, ok := r.children[parent]
	if !ok {
		var err error
		if known, err = r.list(ctx, parent); err != nil {
			return "", err
		}
		r.children[parent] = known
	}
	if id := known[strings.ToLower(name)]; id != "" {
		return id, nil
	}
	if r.plan.DryRun {
		id := engine.Planned + parent + "/" + name
		known[strings.ToLower(name)], r.children[id] = id, map[string]string{}
		return id, nil
	}
	body := object{"displayName": name}
	if hidden && r.g.M365().Cloud().Has(m365.FolderHidden) {
		body["isHidden"] = true
	}
	f, err := r.g.CreateMailFolder(ctx, r.mailbox, parent, body)
	if m365.KindOf(err) == m365.Conflict || m365.OutcomeUnknown(err) {
		again, lerr := r.list(ctx, parent)
		if lerr != nil {
			return "", lerr
		}
		r.children[parent] = again
		if id := again[strings.ToLower(name)]; id != "" {
			return id, nil
		}
	}
	if err != nil {
		return "", err
	}
	known[strings.ToLower(name)] = f.ID
	return f.ID, nil
}

func (r *restore) list(ctx context.Context, parent string) (map[string]string, error) {
	l := graph.List{Select: []string{"id", "displayName"}, Hidden: true, Top: 250}
	known := map[string]string{}
	first, err := r.g.ChildFolders(ctx, r.mailbox, parent, l)
	for f, err := range graph.All(ctx, r.g, first, err, l) {
		if err != nil {
			return nil, err
		}
		known[strings.ToLower(f.DisplayName)] = f.ID
	}
	return known, nil
}

// Planned counts the folders of the plan's folder that are not there.
func (r *restore) Planned() int { return strings.Count(r.root, engine.Planned) }

// Close has nothing to do.
func (r *restore) Close(context.Context) error { return nil }

// Put restores one mail, contact, event or task.
func (r *restore) Put(ctx context.Context, p engine.Put) (engine.Restored, error) {
	if p.Item.Kind == holdfast.KindSetting {
		res, err := r.putSetting(ctx, p)
		return res, r.itemError(ctx, err)
	}
	if strings.HasPrefix(p.Item.ID, ownItem) {
		res, err := r.putOther(ctx, p)
		return res, r.itemError(ctx, err)
	}
	if k := personalOf(p.Item.Kind); k != nil {
		res, err := r.putPersonal(ctx, k, p)
		return res, r.itemError(ctx, err)
	}
	res, err := r.put(ctx, p)
	return res, r.itemError(ctx, err)
}

// itemError gives an error as a *Skip when it is the item's own, as unavailable when the engine shall wait and try again, else as it is.
func (r *restore) itemError(ctx context.Context, err error) error {
	if err == nil || ctx.Err() != nil || m365.OutcomeUnknown(err) {
		return err
	}
	switch m365.KindOf(err) {
	case m365.Unavailable, m365.Throttled:
		out := &holdfast.Error{Kind: holdfast.KindUnavailable, Message: err.Error(), Cause: err}
		var e *m365.Error
		if errors.As(err, &e) {
			out.RetryAfter = e.RetryAfter
		}
		return out
	}
	if s := m365.Skip(err); s != nil {
		return s
	}
	return err
}

func (r *restore) put(ctx context.Context, p engine.Put) (engine.Restored, error) {
	parent := p.Parent
	if parent == "" {
		parent = r.root
	}
	found, err := r.find(ctx, p)
	if err != nil {
		return engine.Restored{}, err
	}
	if found.mine != "" {
		// What an earlier attempt of this act left. Whether it is whole is seen by comparing; a half one is made anew.
		s, err := r.content(ctx, p, true)
		if err != nil {
			return engine.Restored{}, err
		}
		defer s.close()
		lost, whole, err := s.compare(ctx, r, found.mine)
		if err != nil {
			return engine.Restored{}, err
		}
		if whole && found.over {
			return engine.Restored{Outcome: engine.Overwritten, NewID: found.mine, Lost: lost}, nil
		}
		if whole {
			return r.replaced(ctx, found, engine.Restored{Outcome: engine.Created, NewID: found.mine, Lost: lost}, true)
		}
		if found.over {
			return engine.Restored{NewID: found.mine, Lost: lost}, &holdfast.Skip{Reason: holdfast.SkipConflict, Err: errors.New("the item was overwritten by an earlier attempt and is not as it was stored; it is left as it is")}
		}
		if err := r.g.DeleteMessage(ctx, r.mailbox, found.mine); err != nil && m365.KindOf(err) != m365.NotFound {
			return engine.Restored{}, err
		}
	}
	if found.unsure {
		if err := r.unchanged(ctx, p, &found); err != nil {
			return engine.Restored{}, err
		}
	}
	if out, err := r.decide(found); out != nil {
		return *out, err
	}
	if r.plan.DryRun {
		return r.planned(found, p), nil
	}
	s, err := r.content(ctx, p, true)
	if err != nil {
		return engine.Restored{}, err
	}
	defer s.close()
	id, notSet, over, err := s.make(ctx, r, parent, p, found)
	if err != nil {
		return engine.Restored{}, err
	}
	if r.imports {
		// What an import made is named by an id that a move changes.
		m, err := r.g.Message(ctx, r.mailbox, id, graph.List{Select: []string{"id"}})
		if err != nil {
			return engine.Restored{NewID: id}, fmt.Errorf("read back: %w", err)
		}
		id = m.ID
	}
	lost, whole, err := s.compare(ctx, r, id)
	if err != nil {
		return engine.Restored{NewID: id}, err
	}
	if over {
		return engine.Restored{Outcome: engine.Overwritten, NewID: id, Lost: union(lost, notSet)}, nil
	}
	return r.replaced(ctx, found, engine.Restored{Outcome: engine.Created, NewID: id, Lost: union(lost, notSet)}, whole)
}

// decide says what becomes of an item by what is there and what was asked for; nil: it is made.
func (r *restore) decide(found state) (*engine.Restored, error) {
	conflict := func(text string) (*engine.Restored, error) {
		return &engine.Restored{Outcome: engine.Skipped}, &holdfast.Skip{Reason: holdfast.SkipConflict, Err: errors.New(text)}
	}
	switch only := r.plan; {
	case found.existing == "" && only.ChangedItems && !only.MissingItems, found.existing != "" && !found.equal && only.MissingItems && !only.ChangedItems:
		return &engine.Restored{Outcome: engine.Skipped, NewID: found.existing}, nil // only the others were asked for
	case found.existing == "":
		return nil, nil
	case found.equal && only.Mode != engine.KeepBoth:
		return &engine.Restored{Outcome: engine.Existing, NewID: found.existing}, nil
	case only.Mode == engine.SkipExisting || only.Mode == "":
		return conflict("the item is there and was changed; restore with \"keep both\" or \"overwrite\"")
	case only.Mode == engine.Overwrite && found.newer && !only.Newer:
		return conflict("the item there was changed after the restore point or after it was restored; it is overwritten only when that is asked for")
	}
	return nil, nil
}

// overwrites says whether what is there is deleted once the restored mail is whole.
func (r *restore) overwrites(found state) bool {
	return found.existing != "" && r.plan.Mode == engine.Overwrite && !found.equal && (!found.newer || r.plan.Newer)
}

// planned is what put would do, and what it would take: to look for the mail, to make it, to read it back in two calls, and an upload for
// what does not fit into one call.
func (r *restore) planned(found state, p engine.Put) engine.Restored {
	out := engine.Restored{Outcome: engine.Created, Cost: holdfast.Cost{Requests: 4, Bytes: p.Item.Size}}
	if r.same && r.plan.Folder == "" {
		out.Cost.Requests++
	}
	if n := p.Item.Size; n > inlineLimit*4/3 {
		out.Cost.Requests += 1 + (n+graph.Fragment-1)/graph.Fragment
	}
	if r.overwrites(found) {
		out.Outcome = engine.Overwritten
		out.Cost.Requests++
	}
	return out
}

// unavoidable are the properties that no restored mail has as they were.
var unavoidable = []string{"conversationId", "createdDateTime", "lastModifiedDateTime", "alternative body"}

// unchanged compares what an earlier restore made of this very version, and was written to after it was made, with the restore point.
func (r *restore) unchanged(ctx context.Context, p engine.Put, found *state) error {
	s, err := r.content(ctx, p, false)
	if err != nil {
		return err
	}
	defer s.close()
	lost, whole, err := s.compare(ctx, r, found.existing)
	if m365.KindOf(err) == m365.NotFound {
		*found = state{mine: found.mine} // deleted since it was found
		return nil
	} else if err != nil {
		return err
	}
	found.equal = whole && !slices.ContainsFunc(lost, func(name string) bool { return !slices.Contains(unavoidable, name) })
	found.newer = !found.equal
	return nil
}

// replaced deletes, when that was asked for, what the restored mail stands for. When the restored one lacks content both stay, and it is said.
func (r *restore) replaced(ctx context.Context, found state, out engine.Restored, whole bool) (engine.Restored, error) {
	if !r.overwrites(found) {
		return out, nil
	}
	if !whole {
		out.Lost = union(out.Lost, []string{"overwriting: the mail that was there is kept beside it"})
		return out, nil
	}
	if err := r.g.DeleteMessage(ctx, r.mailbox, found.existing); err != nil && m365.KindOf(err) != m365.NotFound {
		return out, err
	}
	out.Outcome = engine.Overwritten
	return out, nil
}

// mark makes the mail what the user wants restored ones to be.
func (s *stored) mark(plan engine.RestorePlan) {
	if plan.MarkRestored == holdfast.MarkUnread && s.json != nil {
		s.json["isRead"] = json.RawMessage("false")
	}
}

// load reads the stored forms of a mail.
func load(ctx context.Context, p engine.Put) (*stored, error) {
	s := &stored{}
	read := func(f holdfast.Form, use func(io.Reader) error) (bool, error) {
		r, ok, err := p.Open(ctx, f)
		if err != nil || !ok {
			return false, err
		}
		defer r.Close()
		return true, use(r)
	}
	if _, err := read(holdfast.FormJSON, func(r io.Reader) error { return json.NewDecoder(r).Decode(&s.json) }); err != nil {
		return nil, fmt.Errorf("stored properties: %w", err)
	}
	if _, err := read(holdfast.FormAttachments, func(r io.Reader) error { return json.NewDecoder(r).Decode(&s.beyond) }); err != nil {
		return nil, fmt.Errorf("stored attachments: %w", err)
	}
	ok, err := read(holdfast.FormMIME, func(r io.Reader) (err error) { s.mail, err = takeApart(r); return err })
	if err != nil {
		return nil, fmt.Errorf("stored MIME: %w", err)
	}
	if !ok { // stored as it was exported, perhaps
		if err := loadStream(ctx, p, s); err != nil {
			return nil, err
		}
	}
	s.dropRenderings()
	return s, nil
}

// keepWhole attaches the whole message to one whose parts can't be told apart, so that nothing of it is lost.
func (s *stored) keepWhole(ctx context.Context, p engine.Put) error {
	if !s.mail.damaged {
		return nil
	}
	r, ok, err := p.Open(ctx, holdfast.FormMIME)
	if err != nil || !ok {
		return err
	}
	defer r.Close()
	a := attachment{name: "original.eml", contentType: "application/octet-stream"}
	if err := a.content.readFrom(r); err != nil {
		return fmt.Errorf("stored MIME: %w", err)
	}
	s.mail.parts = append(s.mail.parts, a)
	return nil
}

// state is what the target mailbox has of an item.
type state struct {
	mine     string // made by an earlier attempt of this very act
	existing string // the item itself, or what another restore made of it
	equal    bool   // and it is as the restore point has it
	folder   string // where it is
	key      string // its version there
	over     bool   // mine is the item itself, which the earlier attempt wrote over
	newer    bool   // and it was changed after the restore point, or after the restore that made it
	invited  bool   // it is a meeting whose attendees are told when it goes
	unsure   bool   // the other restore made it of this version; whether it was changed since is seen by comparing
}

// settled is how long after its creation a restored mail may have its last change from the restore itself. With attachments that were uploaded one by one
// it may be longer; such a mail is compared, or taken for changed.
const settled = 5 * time.Second

// find looks for the item at the target: by its own id in its own mailbox, by the mark of origin anywhere.
func (r *restore) find(ctx context.Context, p engine.Put) (state, error) {
	var st state
	if r.same && r.plan.Folder == "" {
		m, err := r.g.Message(ctx, r.mailbox, p.Item.ID, graph.List{Select: []string{"id", "changeKey", "parentFolderId", "lastModifiedDateTime"}})
		switch {
		case m365.KindOf(err) == m365.NotFound:
		case err != nil:
			return st, err
		case m.ParentFolderID == r.special["deleteditems"] && p.Parent != m.ParentFolderID:
			// In the bin is as good as gone for who asks for it back; it is left there.
		default:
			st.existing, st.equal = m.ID, m.ChangeKey == p.Item.Version
			st.folder, st.key = m.ParentFolderID, m.ChangeKey
			modified, err := time.Parse(time.RFC3339, p.Item.Fields[holdfast.FieldModified])
			st.newer = err != nil || m.Modified.Truncate(time.Second).After(modified)
		}
	}
	l := graph.List{Select: []string{"id", "changeKey", "parentFolderId", "createdDateTime", "lastModifiedDateTime"}, Top: 50,
		Filter: fmt.Sprintf("singleValueExtendedProperties/Any(ep: ep/id eq '%s' and ep/value eq '%s')", propOrigin, origin(r.plan.From, p.Item)),
		Expand: []string{fmt.Sprintf("singleValueExtendedProperties($filter=id eq '%s' or id eq '%s' or id eq '%s')", propMarker, propVersion, propImported)}}
	first, err := r.g.Messages(ctx, r.mailbox, "", l)
	for m, err := range graph.All(ctx, r.g, first, err, l) {
		if err != nil {
			return st, err
		}
		var marker, version string
		made := m.Created
		for _, prop := range m.Properties {
			switch {
			case strings.EqualFold(prop.ID, propMarker):
				marker = prop.Value
			case strings.EqualFold(prop.ID, propVersion):
				version = prop.Value
			case strings.EqualFold(prop.ID, propImported):
				if at, err := time.Parse(time.RFC3339, prop.Value); err == nil {
					made = at
				}
			}
		}
		switch {
		case marker == p.Marker:
			st.mine = m.ID
		case m.ParentFolderID == r.special["deleteditems"] && p.Parent != m.ParentFolderID:
		case st.existing == "" && m.ParentFolderID == p.Parent:
			touched := m.Modified.After(made.Add(settled))
			st.existing, st.newer = m.ID, touched
			st.folder, st.key = m.ParentFolderID, m.ChangeKey
			st.equal = version == p.Item.Version && !touched
			st.unsure = version == p.Item.Version && touched
		}
	}
	if st.mine != "" && st.mine == st.existing {
		st.existing, st.over = "", true
	}
	return st, nil
}

// origin names an item for ever: whoever restores it finds what earlier restores made of it.
func origin(c holdfast.Container, item holdfast.Item) string {
	sum := sha256.Sum256([]byte(string(c.Organization) + "\x00" + c.Key() + "\x00" + item.ID))
	return hex.EncodeToString(sum[:20])
}

// create makes the mail with as many attachments as the request takes, and adds the others. notSet names what could not be set.
func (r *restore) create(ctx context.Context, parent string, p engine.Put, s *stored) (id string, notSet []string, err error) {
	body := s.message(property{propOrigin, origin(r.plan.From, p.Item)}, property{propMarker, p.Marker}, property{propVersion, p.Item.Version})
	var inline []object
	var later []*attachment
	var room int64 = inlineLimit - int64(len(s.mail.body))
	for i := range s.mail.parts {
		a := &s.mail.parts[i]
		if a.content.size > room {
			later = append(later, a)
			continue
		}
		o, n, err := a.graph(s.itemOf(a))
		if err != nil {
			return "", nil, err
		}
		room -= n
		inline = append(inline, o)
	}
	for _, b := range s.beyond {
		if o := foreignItem(b); o != nil {
			inline = append(inline, o)
		}
	}
	if s.references() {
		notSet = append(notSet, "reference attachments")
	}
	if len(inline) > 0 {
		body["attachments"] = inline
	}
	suit(body, r.g.M365().Cloud())
	m, err := r.g.CreateMessage(ctx, r.mailbox, parent, body)
	for try := 0; m365.OutcomeUnknown(err) && try < 3; try++ {
		found, ferr := r.find(ctx, p)
		if ferr != nil {
			return "", nil, ferr
		}
		if found.mine != "" {
			m, err = &graph.Message{ID: found.mine}, nil
			break
		}
		m, err = r.g.CreateMessage(ctx, r.mailbox, parent, body)
	}
	if err != nil {
		return "", nil, err
	}
	to := &below{there: len(inline), count: func(ctx context.Context) (int, error) { return r.attachmentCount(ctx, m.ID) }}
	for _, a := range later {
		if err := to.add(ctx, func() error { return r.attach(ctx, m.ID, a, s.itemOf(a)) }); err != nil {
			err = fmt.Errorf("attachment %q: %w", a.title(), err)
			// Half a mail must not pass for one. When it can't be deleted, another attempt finds it by its mark.
			if derr := r.g.DeleteMessage(context.WithoutCancel(ctx), r.mailbox, m.ID); derr != nil && m365.KindOf(derr) != m365.NotFound {
				err = errors.Join(err, derr)
			}
			return "", nil, err
		}
		if a.nested != nil {
			notSet = append(notSet, "nested message as item")
		}
	}
	return m.ID, notSet, nil
}

// attachmentCount is how many attachments a mail at the target has.
func (r *restore) attachmentCount(ctx context.Context, message string) (n int, err error) {
	page, err := r.g.Attachments(ctx, r.mailbox, message, graph.List{Select: []string{"id"}})
	for _, err := range graph.All(ctx, r.g, page, err, graph.List{}) {
		if err != nil {
			return 0, err
		}
		n++
	}
	return n, nil
}

// attach adds one attachment to a mail that exists.
func (r *restore) attach(ctx context.Context, message string, a *attachment, item map[string]json.RawMessage) error {
	if a.content.size < uploadFrom {
		o, _, err := a.graph(item)
		if err != nil {
			return err
		}
		suit(object{"attachments": []object{o}}, r.g.M365().Cloud())
		_, err = r.g.AddAttachment(ctx, r.mailbox, message, o)
		return err
	}
	name, kind := a.title(), a.contentType
	if a.nested != nil && !strings.HasSuffix(strings.ToLower(name), ".eml") {
		name += ".eml" // there is no upload of items, so it goes as the file that it is in MIME
	}
	up, err := r.g.CreateAttachmentUpload(ctx, r.mailbox, message, graph.NewAttachment{Name: name, ContentType: kind, ContentID: a.contentID, Size: a.content.size, IsInline: a.inline})
	if err != nil {
		return err
	}
	in, err := a.content.open()
	if err != nil {
		return err
	}
	defer in.Close()
	_, _, err = up.Send(ctx, in)
	return err
}

// references says that the mail had reference attachments.
func (s *stored) references() bool {
	var list []struct {
		Type string `json:"@odata.type"`
	}
	return json.Unmarshal(s.json["attachments"], &list) == nil && slices.ContainsFunc(list, func(a struct {
		Type string `json:"@odata.type"`
	}) bool {
		return a.Type == graph.ReferenceAttachment
	})
}

// dropRenderings takes out of the MIME what only renders an attached event or contact, which goes back itself.
func (s *stored) dropRenderings() {
	for _, b := range s.beyond {
		if foreignItem(b) == nil {
			continue
		}
		var name string
		var item struct{ Subject, DisplayName string }
		if json.Unmarshal(b["name"], &name) != nil || json.Unmarshal(b["item"], &item) != nil {
			continue
		}
		i := slices.IndexFunc(s.mail.parts, func(a attachment) bool {
			return a.nested != nil && a.name != "" && (a.name == name || a.name == item.Subject || a.name == item.DisplayName)
		})
		if i >= 0 {
			s.mail.parts[i].close()
			s.mail.parts = slices.Delete(s.mail.parts, i, i+1)
		}
	}
}

// foreignItem is an attached item that is no message (an event, a contact), as Graph takes it; nil for what MIME carries or nothing can.
func foreignItem(b map[string]json.RawMessage) object {
	var item map[string]json.RawMessage
	if json.Unmarshal(b["item"], &item) != nil || item == nil {
		return nil
	}
	if isMessage(item) {
		return nil
	}
	for name := range item {
		if slices.Contains(readOnly, name) || strings.HasPrefix(name, "@odata.") && name != "@odata.type" || strings.Contains(name, "@odata.") && !strings.HasPrefix(name, "@") {
			delete(item, name)
		}
	}
	o := object{"@odata.type": graph.ItemAttachment, "item": item}
	if !isNull(b["name"]) {
		o["name"] = b["name"]
	}
	return o
}

// readOnly are properties of items that Graph sets itself.
var readOnly = []string{"id", "changeKey", "createdDateTime", "lastModifiedDateTime", "iCalUId", "webLink", "onlineMeetingUrl", "isOrganizer",
	"organizer", "responseStatus", "seriesMasterId", "type", "hasAttachments", "bodyPreview", "parentFolderId", "uid", "occurrenceId", "cancelledOccurrences",
	"isCancelled", "originalStartTimeZone", "originalEndTimeZone", "originalStart"}

// compare reads a restored mail back, in two calls and one for each attached event or contact, and names what differs from the stored one. whole is
// false when content is missing.
func (r *restore) compare(ctx context.Context, id string, s *stored) (lost []string, whole bool, err error) {
	cloud := r.g.M365().Cloud()
	fields, expand := fieldsIn(cloud)
	l := graph.List{Select: fields, Prefer: []string{`outlook.body-content-type="html"`, "outlook.allow-unsafe-html"}}
	if expand != expandProperties {
		l.Expand = []string{expand}
	}
	var foreign []map[string]json.RawMessage
	for _, b := range s.beyond {
		if o := foreignItem(b); o != nil {
			foreign = append(foreign, o["item"].(map[string]json.RawMessage))
		}
	}
	if len(foreign) > 0 {
		l.Expand = append(l.Expand, "attachments($select=id,name,contentType)")
	}
	m, err := r.g.Message(ctx, r.mailbox, id, l)
	if err != nil {
		return nil, false, fmt.Errorf("read back: %w", err)
	}
	if err := supply(m, cloud); err != nil {
		return nil, false, fmt.Errorf("read back: %w", err)
	}
	var now map[string]json.RawMessage
	if err := json.Unmarshal(m.Raw, &now); err != nil {
		return nil, false, fmt.Errorf("read back: %w", err)
	}
	for _, name := range []string{"subject", "importance", "isRead", "isDraft", "isDeliveryReceiptRequested", "isReadReceiptRequested", "from", "sender",
		"toRecipients", "ccRecipients", "bccRecipients", "replyTo", "categories", "flag", "inferenceClassification", "internetMessageId",
		"sentDateTime", "receivedDateTime", "conversationIndex", "conversationId", "createdDateTime", "lastModifiedDateTime"} {
		if s.draft() && (name == "sentDateTime" || name == "receivedDateTime") {
			continue // a draft was not sent
		}
		if (name == "conversationIndex" || name == "internetMessageId") && s.text(name) == "" {
			continue // the service gives one to what has none
		}
		if !sameJSON(s.json[name], now[name]) {
			lost = append(lost, name)
		}
	}
	stream, err := r.g.OpenMIME(ctx, r.mailbox, id)
	if err != nil {
		return nil, false, fmt.Errorf("read back: %w", err)
	}
	back, err := takeApart(stream)
	stream.Close()
	if err != nil {
		return nil, false, fmt.Errorf("read back: %w", err)
	}
	defer back.close()
	whole = true
	if text(back.body) != text(s.mail.body) || back.html != s.mail.html {
		lost, whole = append(lost, "body"), false
	}
	if s.mail.alternative && !back.alternative {
		lost = append(lost, "alternative body")
	}
	want, err := fingerprints(s.mail)
	if err != nil {
		return nil, false, err
	}
	have, err := fingerprints(back)
	if err != nil {
		return nil, false, err
	}
	for _, f := range want {
		if i := slices.Index(have, f); i >= 0 {
			have = slices.Delete(have, i, i+1)
		} else {
			lost, whole = append(lost, "attachments"), false
			break
		}
	}
	if len(foreign) > 0 {
		same, err := r.foreign(ctx, m, foreign)
		if err != nil {
			return nil, false, err
		}
		if !same {
			lost, whole = append(lost, "attached events and contacts"), false
		}
	}
	return lost, whole, nil
}

// foreign tells whether a restored mail has the attached events and contacts that it was given, with all their properties.
func (r *restore) foreign(ctx context.Context, m *graph.Message, want []map[string]json.RawMessage) (bool, error) {
	for i := range m.Attachments {
		if m.Attachments[i].Type != graph.ItemAttachment || len(want) == 0 {
			continue
		}
		a, err := r.g.Attachment(ctx, r.mailbox, m.ID, m.Attachments[i].ID, graph.List{Expand: []string{"microsoft.graph.itemattachment/item"}})
		if err != nil {
			return false, fmt.Errorf("read back: %w", err)
		}
		var have map[string]json.RawMessage
		if json.Unmarshal(a.Item, &have) != nil || have == nil || isMessage(have) {
			continue
		}
		if i := slices.IndexFunc(want, func(item map[string]json.RawMessage) bool { return within(item, have) }); i >= 0 {
			want = slices.Delete(want, i, i+1)
		}
	}
	return len(want) == 0, nil
}

// within tells that have has all that item has. The service may add what it gives to every item.
func within(item, have map[string]json.RawMessage) bool {
	for name, v := range item {
		if name != "@odata.type" && !sameJSON(v, have[name]) {
			return false
		}
	}
	return true
}

func text(s string) string { return strings.TrimSpace(strings.ReplaceAll(s, "\r\n", "\n")) }

// fingerprints names each attachment by its content, whatever its place; of a nested message its body and attachments count.
func fingerprints(m *mail) ([]string, error) {
	var out []string
	for i := range m.parts {
		a := &m.parts[i]
		h := sha256.New()
		if err := a.fingerprint(h); err != nil {
			return nil, err
		}
		out = append(out, hex.EncodeToString(h.Sum(nil)))
	}
	slices.Sort(out)
	return out, nil
}

func (a *attachment) fingerprint(h hash.Hash) error {
	if a.nested != nil {
		fmt.Fprintf(h, "message %s\n", text(a.nested.body))
		inner, err := fingerprints(a.nested)
		if err != nil {
			return err
		}
		fmt.Fprintln(h, inner)
		return nil
	}
	r, err := a.content.open()
	if err != nil {
		return err
	}
	defer r.Close()
	_, err = io.Copy(h, r)
	return err
}

// sameJSON compares values; absent, null, empty list and empty text are one, and so are instants written differently.
func sameJSON(a, b json.RawMessage) bool {
	if bytes.Equal(a, b) {
		return true
	}
	var x, y any
	if !isNull(a) && json.Unmarshal(a, &x) != nil || !isNull(b) && json.Unmarshal(b, &y) != nil {
		return false
	}
	return sameValue(x, y)
}

func sameValue(x, y any) bool {
	if empty(x) && empty(y) {
		return true
	}
	switch x := x.(type) {
	case map[string]any:
		y, ok := y.(map[string]any)
		if !ok {
			return false
		}
		for k := range x {
			if !strings.Contains(k, "@odata") && !sameValue(x[k], y[k]) {
				return false
			}
		}
		for k := range y {
			if _, ok := x[k]; !ok && !strings.Contains(k, "@odata") && !empty(y[k]) {
				return false
			}
		}
		return true
	case []any:
		y, ok := y.([]any)
		return ok && slices.EqualFunc(x, y, sameValue)
	case string:
		y, ok := y.(string)
		if !ok {
			return false
		}
		if x == y {
			return true
		}
		t, err := time.Parse(time.RFC3339Nano, x)
		u, err2 := time.Parse(time.RFC3339Nano, y)
		return err == nil && err2 == nil && t.Truncate(time.Second).Equal(u.Truncate(time.Second))
	}
	return x == y
}

func empty(v any) bool {
	switch v := v.(type) {
	case nil:
		return true
	case string:
		return v == ""
	case []any:
		return len(v) == 0
	case map[string]any:
		return len(v) == 0
	}
	return false
}

func union(a, b []string) []string {
	for _, v := range b {
		if !slices.Contains(a, v) {
			a = append(a, v)
		}
	}
	return a
}
