package exchange

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"holdfast/internal/engine"
	"holdfast/internal/holdfast"
	"holdfast/internal/m365"
	"holdfast/internal/m365/graph"
)

// What only the import/export API has goes back by an import and by nothing else, into a folder of the type that it was in.

// noImport says why such an item, or folder, can't be put back; nil when it can.
func (r *restore) noImport() error {
	cloud := r.g.M365().Cloud()
	switch {
	case r.imports:
		return nil
	case !cloud.Has(m365.MailboxExport):
		return &holdfast.Skip{Reason: holdfast.SkipUnsupported, Err: fmt.Errorf("the cloud %s has no import of mailboxes, and nothing else puts this back", cloud.Name)}
	}
	return &holdfast.Skip{Reason: holdfast.SkipDenied, Err: fmt.Errorf("the application may not import into mailboxes: grant it %s in Microsoft Entra, or restore with an application that has it", importRight)}
}

// mailboxOf is the mailbox as the import/export API calls it.
func (r *restore) mailboxOf(ctx context.Context) (graph.MailboxOf, error) {
	x := &r.importing
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.mailbox(ctx, r)
}

func (x *importing) mailbox(ctx context.Context, r *restore) (graph.MailboxOf, error) {
	if x.of.ID == "" {
		id, err := r.g.MailboxID(ctx, r.mailbox)
		if err != nil {
			return x.of, fmt.Errorf("look up the mailbox: %w", err)
		}
		x.of = graph.MailboxOf{User: r.mailbox, ID: id}
	}
	return x.of, nil
}

// otherFolder finds or makes the folder at the target: one of the same mailbox by its id, any other by name and type; the journal, of which a mailbox has one at
// the top whatever it is called, by its type.
func (r *restore) otherFolder(ctx context.Context, folder holdfast.Item, parent string) (string, error) {
	if err := r.noImport(); err != nil {
		return "", err
	}
	mailbox, err := r.mailboxOf(ctx)
	if err != nil {
		return "", err
	}
	class := folder.Fields[holdfast.FieldClass]
	if r.plan.Folder == "" && r.same {
		f, err := r.g.MailboxFolder(ctx, mailbox, strings.TrimPrefix(folder.ID, ownItem), graph.List{Select: otherFolders.Select})
		if err == nil {
			return f.ID, nil
		} else if m365.KindOf(err) != m365.NotFound {
			return "", err
		}
	}
	if parent == "" {
		parent = r.root
	}
	return r.otherNamed(ctx, mailbox, parent, folder.Name, class)
}

// otherNamed finds or makes the folder of that name and type in parent.
func (r *restore) otherNamed(ctx context.Context, mailbox graph.MailboxOf, parent, name, class string) (string, error) {
	top := r.plan.Folder == "" && parent == r.root
	if top {
		parent = ""
	}
	r.mu.Lock()
	defer r.mu.Unlock() // also while asking: two items must not make one folder twice
	for try := 0; ; try++ {
		if strings.HasPrefix(parent, engine.Planned) {
			return engine.Planned + parent + "/" + name, nil
		}
		l := graph.List{Top: folderPage, Select: append([]string{"id"}, otherFolders.Select...)}
		taken, first := false, ""
		page, err := r.g.MailboxFolders(ctx, mailbox, parent, l)
		for f, err := range graph.All(ctx, r.g, page, err, of(mailbox, l)) {
			if err != nil {
				return "", err
			}
			switch {
			case strings.EqualFold(f.DisplayName, name) && f.Type == class:
				return f.ID, nil
			case strings.EqualFold(f.DisplayName, name):
				taken = true
			case f.Type == class && first == "":
				first = f.ID
			}
		}
		if top && class == ofJournal && first != "" {
			return first, nil
		}
		if taken {
			name += " (restored)"
			continue
		}
		if r.plan.DryRun {
			return engine.Planned + parent + "/" + name, nil
		}
		f, err := r.g.CreateMailboxFolder(ctx, mailbox, parent, name, class)
		if (m365.KindOf(err) == m365.Conflict || m365.OutcomeUnknown(err)) && try < 3 {
			continue
		} else if err != nil {
			return "", err
		}
		return f.ID, nil
	}
}

// shelfOfOther is the folder at the target that an item goes into.
func (r *restore) shelfOfOther(ctx context.Context, mailbox graph.MailboxOf, p engine.Put) (string, error) {
	if p.Parent != "" && p.Parent != defaultShelf {
		return p.Parent, nil
	}
	name, class := "Contacts", ofContacts
	switch kind := strings.ToUpper(p.Item.Fields[holdfast.FieldClass]); {
	case strings.HasPrefix(kind, "IPM.ACTIVITY"):
		name, class = "Journal", ofJournal
	case strings.HasPrefix(kind, "IPM.STICKYNOTE"):
		name, class = "Notes", ofNotes
	case strings.HasPrefix(kind, "IPM.TASK"):
		name, class = "Tasks", ofTasks
	}
	if class == ofContacts && r.plan.Folder == "" { // v1.0 has no name for the default one; what lies in it tells
		page, err := r.g.PersonalItems(ctx, contacts.PersonalKind, contacts.ListPath(r.mailbox, ""), graph.List{Top: 1, Select: []string{"id", "parentFolderId"}})
		if err != nil {
			return "", err
		}
		if len(page.Value) > 0 && page.Value[0].ParentFolderID != "" {
			return page.Value[0].ParentFolderID, nil
		}
	}
	return r.otherNamed(ctx, mailbox, r.root, name, class)
}

// putOther restores one item.
func (r *restore) putOther(ctx context.Context, p engine.Put) (engine.Restored, error) {
	if err := r.noImport(); err != nil {
		return engine.Restored{}, err
	}
	mailbox, err := r.mailboxOf(ctx)
	if err != nil {
		return engine.Restored{}, err
	}
	folder, err := r.shelfOfOther(ctx, mailbox, p)
	if err != nil {
		return engine.Restored{}, err
	}
	s := &exportedMail{p: p}
	found, err := r.findOther(ctx, mailbox, folder, p)
	if err != nil {
		return engine.Restored{}, err
	}
	if found.mine != "" { // an import makes all of an item or nothing
		lost, _, err := s.compare(ctx, r, found.mine)
		out := engine.Restored{Outcome: engine.Created, NewID: ownItem + found.mine, Lost: lost}
		if found.over {
			out.Outcome = engine.Overwritten
		}
		return out, err
	}
	if found.unsure {
		lost, whole, err := s.compare(ctx, r, found.existing)
		switch {
		case m365.KindOf(err) == m365.NotFound:
			found = state{}
		case err != nil:
			return engine.Restored{}, err
		default:
			found.equal = whole && !slices.ContainsFunc(lost, func(name string) bool { return !slices.Contains(unavoidable, name) })
			found.newer = !found.equal
		}
	}
	if out, err := r.decide(found); out != nil {
		if out.NewID != "" {
			out.NewID = ownItem + out.NewID
		}
		return *out, err
	}
	over := r.overwrites(found)
	if r.plan.DryRun {
		out := engine.Restored{Outcome: engine.Created, Cost: holdfast.Cost{Requests: 4, Bytes: p.Item.Size}}
		if over {
			out.Outcome = engine.Overwritten
		}
		return out, nil
	}
	id, err := r.importOther(ctx, mailbox, folder, p, s, found, over)
	if err != nil {
		return engine.Restored{}, err
	}
	// What an import made is named by an id that a move changes.
	row, err := r.g.MailboxItem(ctx, mailbox, folder, id, graph.List{})
	if err != nil {
		return engine.Restored{NewID: ownItem + id}, fmt.Errorf("read back: %w", err)
	}
	lost, _, err := s.compare(ctx, r, row.ID)
	out := engine.Restored{Outcome: engine.Created, NewID: ownItem + row.ID, Lost: lost}
	if over {
		out.Outcome = engine.Overwritten
	}
	return out, err
}

// importOther imports an item, or puts it into the place of the one that is there.
func (r *restore) importOther(ctx context.Context, mailbox graph.MailboxOf, folder string, p engine.Put, s *exportedMail, found state, over bool) (string, error) {
	in := graph.Import{Folder: folder, Size: p.Item.Size + 64<<10, Write: func(w io.Writer) error { return s.write(ctx, r, w) }}
	if over {
		in.ItemID, in.ChangeKey = found.existing, found.key
	}
	session, err := r.session(ctx, nil)
	if err != nil {
		return "", err
	}
	for try := 0; ; try++ {
		out, err := session.Import(ctx, in)
		switch kind := m365.KindOf(err); {
		case err == nil:
			return out.ItemID, nil
		case try >= importTries:
			return "", err
		case m365.OutcomeUnknown(err):
			if p.Item.Fields[holdfast.FieldUnreadable] != "" {
				return "", err // nothing tells it from another one
			}
			again, ferr := r.findOther(ctx, mailbox, folder, p)
			if ferr != nil {
				return "", ferr
			}
			if again.mine != "" {
				return again.mine, nil
			}
		case kind == m365.Unauthorized || kind == m365.NotFound && !over:
			if session, err = r.session(ctx, session); err != nil {
				return "", err
			}
		case over && (kind == m365.Changed || kind == m365.Invalid || kind == m365.NotFound):
			return "", &holdfast.Skip{Reason: holdfast.SkipConflict, Err: errors.New("the item there was changed while it was to be overwritten")}
		case kind == m365.Corrupt || kind == m365.Invalid:
			return "", &holdfast.Skip{Reason: holdfast.SkipUnsupported, Err: fmt.Errorf("the service did not take the item as it was exported: %w", err)}
		default:
			return "", err
		}
	}
}

// findOther looks for an item in its folder at the target: by its own id in its own mailbox, by the mark of origin anywhere.
func (r *restore) findOther(ctx context.Context, mailbox graph.MailboxOf, folder string, p engine.Put) (state, error) {
	var st state
	if strings.HasPrefix(folder, engine.Planned) {
		return st, nil
	}
	if r.same && r.plan.Folder == "" {
		now, err := r.g.MailboxItem(ctx, mailbox, folder, strings.TrimPrefix(p.Item.ID, ownItem), graph.List{})
		if err == nil {
			st.existing, st.key, st.equal = now.ID, now.ChangeKey, now.ChangeKey == p.Item.Version
			modified, perr := time.Parse(time.RFC3339, p.Item.Fields[holdfast.FieldModified])
			st.newer = perr != nil || now.Modified.Truncate(time.Second).After(modified)
		} else if m365.KindOf(err) != m365.NotFound {
			return st, err
		}
	}
	l := graph.List{Top: 50, Filter: fmt.Sprintf("singleValueExtendedProperties/Any(ep: ep/id eq '%s' and ep/value eq '%s')", propOrigin, origin(r.plan.From, p.Item)),
		Expand: []string{fmt.Sprintf("singleValueExtendedProperties($filter=id eq '%s' or id eq '%s' or id eq '%s')", propMarker, propVersion, propImported)}}
	first, err := r.g.MailboxItems(ctx, mailbox, folder, l)
	for m, err := range graph.All(ctx, r.g, first, err, of(mailbox, l)) {
		if err != nil {
			return st, err
		}
		var marker, version string
		made := m.Created
		for _, prop := range m.Properties {
			switch {
			case sameProperty(prop.ID, propMarker):
				marker = prop.Value
			case sameProperty(prop.ID, propVersion):
				version = prop.Value
			case sameProperty(prop.ID, propImported):
				if at, err := time.Parse(time.RFC3339, prop.Value); err == nil {
					made = at
				}
			}
		}
		switch {
		case marker == p.Marker:
			st.mine = m.ID
		case st.existing == "":
			touched := m.Modified.After(made.Add(settled))
			st.existing, st.key, st.newer = m.ID, m.ChangeKey, touched
			st.equal, st.unsure = version == p.Item.Version && !touched, version == p.Item.Version && touched
		}
	}
	if st.mine != "" && st.mine == st.existing {
		st.existing, st.over = "", true
	}
	return st, nil
}
