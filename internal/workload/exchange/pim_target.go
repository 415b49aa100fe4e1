package exchange

import (
	"bytes"
	"context"
	"encoding/json"
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

// putBack is how a kind of personal items goes back.
type putBack struct {
	// settable are the properties that a client may set, with the values as stored.
	settable []string
	// compared are properties that are read back and compared besides; unavoidable are those among all of them that no restored item has as they were.
	compared, unavoidable []string
	// build changes what is sent, and names what cannot be.
	build func(st *kept, body object) (notSet []string)
	// complete adds what the creating call cannot carry.
	complete func(ctx context.Context, r *restore, shelf, id string, st *kept) (notSet []string, err error)
	// differs names what is not as it was, beyond single properties. whole is false when content is missing.
	differs func(ctx context.Context, r *restore, shelf string, now map[string]json.RawMessage, st *kept) (lost []string, whole bool, err error)
}

// kept is an item as the vault has it.
type kept struct {
	json map[string]json.RawMessage
	put  engine.Put
	sent object // what was sent of it; nil until then
}

func (k *kept) text(name string) string {
	var v string
	if json.Unmarshal(k.json[name], &v) != nil {
		return ""
	}
	return v
}

func personalOf(kind holdfast.ItemKind) *personal {
	for _, p := range personals() {
		if p.kind == kind {
			return p
		}
	}
	return nil
}

func personalShelf(class string) *personal {
	for _, p := range personals() {
		if p.shelf == class {
			return p
		}
	}
	return nil
}

// defaultShelf stands for the default shelf where it has no id that v1.0 tells.
const defaultShelf = "default"

func shelfPath(shelf string) string {
	if shelf == defaultShelf {
		return ""
	}
	return shelf
}

// mayWrite says whether the application may write a kind; it is asked for when the first such item comes, for most restores are of mail.
func (r *restore) mayWrite(ctx context.Context, p *personal) error {
	if cloud := r.g.M365().Cloud(); !cloud.Has(p.needs) {
		return &holdfast.Skip{Reason: holdfast.SkipUnsupported, Err: fmt.Errorf("the cloud %s lacks what restoring %s takes of Microsoft Graph", cloud.Name, p.name)}
	}
	missing, err := r.g.CheckPermissions(ctx, p.Read, p.Write)
	if err != nil {
		return err
	}
	if len(missing) > 0 {
		return &holdfast.Skip{Reason: holdfast.SkipDenied, Err: fmt.Errorf("the application may not write %s: grant it %s in Microsoft Entra, or restore with an application that has it", p.name, strings.Join(missing, ", "))}
	}
	return nil
}

// flat is a path as the name of one shelf: calendars and lists do not nest.
func flat(path string) string {
	return strings.Join(strings.FieldsFunc(path, func(c rune) bool { return c == '/' }), " - ")
}

// personalFolder finds the shelf at the target: the default one by what it is for, one of the same mailbox by its id, any other by name.
func (r *restore) personalFolder(ctx context.Context, p *personal, folder holdfast.Item, parent string) (string, error) {
	if p == settings {
		return r.shelf(settingsFolder), nil // no folder there: settings are of the mailbox itself
	}
	if err := r.mayWrite(ctx, p); err != nil {
		return "", err
	}
	nested := r.isShelf(parent)
	if r.plan.Folder == "" {
		if folder.Fields[holdfast.FieldSpecial] == p.special {
			return r.defaultOf(ctx, p)
		}
		if r.same {
			f, err := r.g.ShelfOf(ctx, p.PersonalKind, r.mailbox, folder.ID)
			if err == nil { // though it may be one that is only shown: what it has is found there
				return r.shelf(f.ID), nil
			} else if m365.KindOf(err) != m365.NotFound {
				return "", err
			}
		}
		if !nested {
			parent = ""
		}
		return r.shelfNamed(ctx, p, parent, folder.Name)
	}
	if len(p.Shelves) > 1 || p.PersonalKind.Items == graph.Calendars.Items {
		return r.shelfNamed(ctx, p, "", folder.Name+" ("+flat(r.plan.Folder)+")")
	}
	if !nested {
		var err error
		if parent, err = r.shelfNamed(ctx, p, "", flat(r.plan.Folder)); err != nil {
			return "", err
		}
	}
	return r.shelfNamed(ctx, p, parent, folder.Name)
}

// shelf remembers that an id is that of a shelf.
func (r *restore) shelf(id string) string {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.shelves[id] = true
	return id
}

func (r *restore) isShelf(id string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.shelves[id]
}

// writable says whether a shelf takes items: of calendars some are only shown.
func (p *personal) writable(f *graph.Shelf) bool {
	return p.PersonalKind.Items != graph.Calendars.Items || f.CanEdit
}

// defaultOf is the default shelf of a kind at the target.
func (r *restore) defaultOf(ctx context.Context, p *personal) (string, error) {
	if p.PersonalKind.Items == graph.Contacts.Items {
		return r.shelf(defaultShelf), nil
	}
	all, err := r.shelvesIn(ctx, p, "")
	if err != nil {
		return "", err
	}
	for _, f := range all {
		if f.IsDefault || f.WellKnown == "defaultList" {
			return r.shelf(f.ID), nil
		}
	}
	return "", fmt.Errorf("the mailbox has no default folder of %s", p.name)
}

// shelvesIn lists shelves at the target, once for each place.
func (r *restore) shelvesIn(ctx context.Context, p *personal, parent string) ([]*graph.Shelf, error) {
	key := p.name + "/" + parent
	r.mu.Lock()
	all, ok := r.shelfLists[key]
	r.mu.Unlock()
	if ok {
		return all, nil
	}
	path := p.ShelfPath(r.mailbox, "")
	if parent != "" && parent != defaultShelf {
		path = p.ShelfPath(r.mailbox, parent, "childFolders")
	}
	l := graph.List{Top: 100}
	page, err := r.g.ShelvesOf(ctx, p.PersonalKind, path, l)
	for f, err := range graph.All(ctx, r.g, page, err, l) {
		if err != nil {
			return nil, err
		}
		all = append(all, f)
	}
	r.mu.Lock()
	r.shelfLists[key] = all
	r.mu.Unlock()
	return all, nil
}

// shelfNamed finds or makes the shelf of that name. Folders are made by one goroutine, so no two of a name are.
func (r *restore) shelfNamed(ctx context.Context, p *personal, parent, name string) (string, error) {
	key := p.name + "/" + parent
	for try := 0; ; try++ {
		all, err := r.shelvesIn(ctx, p, parent)
		if err != nil {
			return "", err
		}
		taken := false
		for _, f := range all {
			if strings.EqualFold(f.Title(), name) && f.WellKnown != "flaggedEmails" {
				if p.writable(f) {
					return r.shelf(f.ID), nil
				}
				taken = true
			}
		}
		if taken {
			name += " (restored)"
			continue
		}
		if r.plan.DryRun {
			return r.shelf(engine.Planned + key + "/" + name), nil
		}
		path := p.ShelfPath(r.mailbox, "")
		if parent != "" && parent != defaultShelf {
			path = p.ShelfPath(r.mailbox, parent, "childFolders")
		}
		title := "displayName"
		if p.PersonalKind.Items == graph.Calendars.Items {
			title = "name"
		}
		f, err := r.g.CreateShelf(ctx, p.PersonalKind, path, object{title: name})
		r.mu.Lock()
		delete(r.shelfLists, key) // what is there now is listed again
		r.mu.Unlock()
		if (m365.KindOf(err) == m365.Conflict || m365.OutcomeUnknown(err)) && try < 3 {
			continue
		} else if err != nil {
			return "", err
		}
		return r.shelf(f.ID), nil
	}
}

// putPersonal restores one contact, event or task.
func (r *restore) putPersonal(ctx context.Context, k *personal, p engine.Put) (engine.Restored, error) {
	if err := r.mayWrite(ctx, k); err != nil {
		return engine.Restored{}, err
	}
	shelf := p.Parent
	if shelf == "" {
		var err error
		if r.plan.Folder == "" {
			shelf, err = r.defaultOf(ctx, k)
		} else {
			shelf, err = r.shelfNamed(ctx, k, "", flat(r.plan.Folder))
		}
		if err != nil {
			return engine.Restored{}, err
		}
	}
	found, err := r.findPersonal(ctx, k, shelf, p)
	if err != nil {
		return engine.Restored{}, err
	}
	if found.mine != "" {
		// What an earlier attempt of this act left. Whether it is whole is seen by comparing; a half one is made anew.
		st, err := keptOf(ctx, p)
		if err != nil {
			return engine.Restored{}, err
		}
		k.back.build(st, r.bodyOf(k, st))
		lost, whole, err := r.comparePersonal(ctx, k, shelf, found.mine, st)
		if err != nil {
			return engine.Restored{}, err
		}
		if whole {
			return r.replacedPersonal(ctx, k, shelf, found, engine.Restored{Outcome: engine.Created, NewID: found.mine, Lost: lost}, true)
		}
		if err := r.g.DeletePersonal(ctx, k.PersonalKind, k.ItemPath(r.mailbox, shelf, found.mine)); err != nil && m365.KindOf(err) != m365.NotFound {
			return engine.Restored{}, err
		}
	}
	if found.unsure {
		st, err := keptOf(ctx, p)
		if err != nil {
			return engine.Restored{}, err
		}
		k.back.build(st, r.bodyOf(k, st))
		lost, whole, err := r.comparePersonal(ctx, k, shelf, found.existing, st)
		switch {
		case m365.KindOf(err) == m365.NotFound:
			found = state{}
		case err != nil:
			return engine.Restored{}, err
		default:
			found.equal = whole && !slices.ContainsFunc(lost, func(name string) bool { return !slices.Contains(k.back.unavoidable, name) })
			found.newer = !found.equal
		}
	}
	if out, err := r.decide(found); out != nil {
		return *out, err
	}
	if found.invited && r.overwrites(found) {
		return engine.Restored{Outcome: engine.Skipped}, &holdfast.Skip{Reason: holdfast.SkipConflict, Err: errors.New("the meeting there has attendees, whom Exchange would tell when it is replaced; restore with \"keep both\"")}
	}
	if r.plan.DryRun {
		out := engine.Restored{Outcome: engine.Created, Cost: holdfast.Cost{Requests: 4, Bytes: p.Item.Size}}
		if r.overwrites(found) {
			out.Outcome = engine.Overwritten
			out.Cost.Requests++
		}
		return out, nil
	}
	st, err := keptOf(ctx, p)
	if err != nil {
		return engine.Restored{}, err
	}
	id, notSet, err := r.createPersonal(ctx, k, shelf, p, st)
	if err != nil {
		return engine.Restored{}, err
	}
	lost, whole, err := r.comparePersonal(ctx, k, shelf, id, st)
	if err != nil {
		return engine.Restored{NewID: id}, err
	}
	return r.replacedPersonal(ctx, k, shelf, found, engine.Restored{Outcome: engine.Created, NewID: id, Lost: union(lost, notSet)}, whole)
}

// keptOf reads the stored JSON of an item.
func keptOf(ctx context.Context, p engine.Put) (*kept, error) {
	st := &kept{put: p}
	body, ok, err := p.Open(ctx, holdfast.FormJSON)
	if err != nil {
		return nil, err
	}
	if !ok {
		return nil, &holdfast.Skip{Reason: holdfast.SkipCorrupt, Err: errors.New("the restore point has no content of this item")}
	}
	defer body.Close()
	if err := json.NewDecoder(body).Decode(&st.json); err != nil {
		return nil, fmt.Errorf("stored properties: %w", err)
	}
	return st, nil
}

// bodyOf is what creates an item, but for what build does with it.
func (r *restore) bodyOf(k *personal, st *kept) object {
	body := object{}
	for _, name := range k.back.settable {
		if v := st.json[name]; !isNull(v) && string(v) != `""` && string(v) != "[]" && string(v) != "{}" {
			body[name] = v
		}
	}
	st.sent = body
	return body
}

func (r *restore) createPersonal(ctx context.Context, k *personal, shelf string, p engine.Put, st *kept) (id string, notSet []string, err error) {
	body := r.bodyOf(k, st)
	notSet = k.back.build(st, body)
	mark := func(body object) {
		if k.Direct {
			body["singleValueExtendedProperties"] = []property{{propOrigin, origin(r.plan.From, p.Item)}, {propMarker, p.Marker}, {propVersion, p.Item.Version}}
			return
		}
		body["extensions"] = []object{{"@odata.type": "#microsoft.graph.openTypeExtension", "extensionName": extensionName, "origin": origin(r.plan.From, p.Item), "marker": p.Marker, "version": p.Item.Version}}
	}
	mark(body)
	made, err := r.g.CreatePersonal(ctx, k.PersonalKind, r.mailbox, shelfPath(shelf), body)
	p.Again = true // from here on it may be there
	for try := 0; m365.OutcomeUnknown(err) && try < 3; try++ {
		found, ferr := r.findPersonal(ctx, k, shelf, p)
		if ferr != nil {
			return "", nil, ferr
		}
		if found.mine != "" {
			made, err = &graph.Personal{ID: found.mine}, nil
			break
		}
		made, err = r.g.CreatePersonal(ctx, k.PersonalKind, r.mailbox, shelfPath(shelf), body)
	}
	if err != nil {
		return "", nil, err
	}
	if k.back.complete != nil {
		more, err := k.back.complete(ctx, r, shelf, made.ID, st)
		if err != nil {
			// Half an item must not pass for a whole one. When it can't be deleted, another attempt finds it by its mark.
			if derr := r.g.DeletePersonal(context.WithoutCancel(ctx), k.PersonalKind, k.ItemPath(r.mailbox, shelf, made.ID)); derr != nil && m365.KindOf(derr) != m365.NotFound {
				err = errors.Join(err, derr)
			}
			return "", nil, err
		}
		notSet = union(notSet, more)
	}
	return made.ID, notSet, nil
}

// extensionName is the open extension that marks restored tasks, which have no extended properties. There is one name, as names are few in a mailbox.
const extensionName = "com.holdfast.restore"

// findPersonal looks for an item at the target: by its own id in its own mailbox, by the mark of origin anywhere.
func (r *restore) findPersonal(ctx context.Context, k *personal, shelf string, p engine.Put) (state, error) {
	var st state
	if r.same && r.plan.Folder == "" {
		now, err := r.g.PersonalItem(ctx, k.PersonalKind, k.ItemPath(r.mailbox, shelf, p.Item.ID), graph.List{})
		switch {
		case m365.KindOf(err) == m365.NotFound:
		case err != nil:
			return st, err
		default:
			version, err := k.versionOf(now)
			if err != nil {
				return st, err
			}
			st.existing, st.equal = now.ID, version == p.Item.Version
			modified, err := time.Parse(time.RFC3339, p.Item.Fields[holdfast.FieldModified])
			st.newer = err != nil || now.Modified.Truncate(time.Second).After(modified)
			st.unsure = !k.Direct && !st.equal && !st.newer // what a list gives is less than what was stored
			st.invited = now.IsOrganizer && len(now.Attendees) > 0
		}
	}
	if strings.HasPrefix(shelf, engine.Planned) {
		return st, nil
	}
	own := origin(r.plan.From, p.Item)
	marked, err := r.markedPersonal(ctx, k, shelf, own, p.Again)
	if err != nil {
		return st, err
	}
	for _, m := range marked {
		switch {
		case m.marker == p.Marker:
			st.mine = m.id
		case st.existing == "":
			st.existing, st.newer = m.id, m.touched
			st.equal = m.version == p.Item.Version && !m.touched
			st.unsure = m.version == p.Item.Version && m.touched
			st.invited = m.invited
		}
	}
	return st, nil
}

// mark is what a restored item at the target says of itself.
type mark struct {
	id, marker, version string
	touched             bool // since it was restored
	invited             bool // an event to which its owner invited others
}

// marks are the restored items of a shelf by their origins.
type marks map[string][]mark

func markOf(now *graph.Personal, marker, version string) mark {
	return mark{id: now.ID, marker: marker, version: version, touched: now.Modified.After(now.Created.Add(settled)), invited: now.IsOrganizer && len(now.Attendees) > 0}
}

// markedPersonal gives the items of a shelf that were restored from an origin. Tasks can't be searched by their marks: a list is read once, and again when
// fresh is set since an attempt may have made what is looked for. What it told of an item is asked for anew when that item's turn comes.
func (r *restore) markedPersonal(ctx context.Context, k *personal, shelf, origin string, fresh bool) ([]mark, error) {
	if !k.Direct {
		r.mu.Lock()
		known, ok := r.taskMarks[shelf]
		r.mu.Unlock()
		if !ok || fresh {
			var err error
			if known, err = r.marksOfTasks(ctx, k, shelf); err != nil {
				return nil, err
			}
			r.mu.Lock()
			r.taskMarks[shelf] = known
			r.mu.Unlock()
		}
		if !ok || fresh {
			return known[origin], nil
		}
		return r.marksNow(ctx, k, shelf, known[origin])
	}
	l := graph.List{Top: 50, Filter: fmt.Sprintf("singleValueExtendedProperties/Any(ep: ep/id eq '%s' and ep/value eq '%s')", propOrigin, origin),
		Expand: []string{fmt.Sprintf("singleValueExtendedProperties($filter=id eq '%s' or id eq '%s')", propMarker, propVersion)}}
	var out []mark
	first, err := r.g.PersonalItems(ctx, k.PersonalKind, k.ListPath(r.mailbox, shelfPath(shelf)), l)
	for now, err := range graph.All(ctx, r.g, first, err, l) {
		if err != nil {
			return nil, err
		}
		var marker, version string
		for _, prop := range now.Properties {
			switch {
			case strings.EqualFold(prop.ID, propMarker):
				marker = prop.Value
			case strings.EqualFold(prop.ID, propVersion):
				version = prop.Value
			}
		}
		out = append(out, markOf(now, marker, version))
	}
	return out, nil
}

// marksNow gives marks as their items are now: since the list was read they may have been edited, which nobody may overwrite unasked, or deleted, which is
// no reason to leave the stored one out.
func (r *restore) marksNow(ctx context.Context, k *personal, shelf string, known []mark) ([]mark, error) {
	var out []mark
	for _, m := range known {
		now, err := r.g.PersonalItem(ctx, k.PersonalKind, k.ItemPath(r.mailbox, shelf, m.id), graph.List{})
		switch {
		case m365.KindOf(err) == m365.NotFound:
		case err != nil:
			return nil, err
		default:
			out = append(out, markOf(now, m.marker, m.version))
		}
	}
	return out, nil
}

func (r *restore) marksOfTasks(ctx context.Context, k *personal, shelf string) (marks, error) {
	out := marks{}
	l := graph.List{Top: 100, Expand: []string{"extensions"}}
	first, err := r.g.PersonalItems(ctx, k.PersonalKind, k.ListPath(r.mailbox, shelfPath(shelf)), l)
	for now, err := range graph.All(ctx, r.g, first, err, l) {
		if err != nil {
			return nil, err
		}
		for _, x := range now.Extensions {
			if x.Name == extensionName {
				out[x.Origin] = append(out[x.Origin], markOf(now, x.Marker, x.Version))
			}
		}
	}
	return out, nil
}

// comparePersonal reads a restored item back and names what differs from the stored one. whole is false when content is missing.
func (r *restore) comparePersonal(ctx context.Context, k *personal, shelf, id string, st *kept) (lost []string, whole bool, err error) {
	now, err := r.g.PersonalItem(ctx, k.PersonalKind, k.ItemPath(r.mailbox, shelf, id), graph.List{Select: k.fields, Expand: k.whole})
	if err != nil {
		return nil, false, fmt.Errorf("read back: %w", err)
	}
	var back map[string]json.RawMessage
	if err := json.Unmarshal(now.Raw, &back); err != nil {
		return nil, false, fmt.Errorf("read back: %w", err)
	}
	for _, name := range slices.Concat(k.back.settable, k.back.compared) {
		want := st.json[name]
		if sent, ok := st.sent[name].(json.RawMessage); ok {
			want = sent // as it had to be sent
		}
		if !sameJSON(want, back[name]) {
			lost = append(lost, name)
		}
	}
	whole = true
	if k.back.differs != nil {
		more, ok, err := k.back.differs(ctx, r, shelf, back, st)
		if err != nil {
			return nil, false, fmt.Errorf("read back: %w", err)
		}
		lost, whole = union(lost, more), ok
	}
	return lost, whole, nil
}

// replacedPersonal deletes, when that was asked for, what the restored item stands for.
func (r *restore) replacedPersonal(ctx context.Context, k *personal, shelf string, found state, out engine.Restored, whole bool) (engine.Restored, error) {
	if !r.overwrites(found) {
		return out, nil
	}
	if !whole {
		out.Lost = union(out.Lost, []string{"overwriting: what was there is kept beside it"})
		return out, nil
	}
	if err := r.g.DeletePersonal(ctx, k.PersonalKind, k.ItemPath(r.mailbox, shelf, found.existing)); err != nil && m365.KindOf(err) != m365.NotFound {
		return out, err
	}
	out.Outcome = engine.Overwritten
	return out, nil
}

// --- contacts --------------------------------------------------------------------------------------------------------

// https://learn.microsoft.com/graph/api/user-post-contacts
var contactBack = putBack{
	settable: []string{"assistantName", "birthday", "businessAddress", "businessHomePage", "businessPhones", "categories", "children", "companyName", "department", "displayName",
		"emailAddresses", "fileAs", "generation", "givenName", "homeAddress", "homePhones", "imAddresses", "initials", "jobTitle", "manager", "middleName", "mobilePhone", "nickName",
		"officeLocation", "otherAddress", "personalNotes", "profession", "spouseName", "surname", "title", "yomiCompanyName", "yomiGivenName", "yomiSurname"},
	compared:    []string{"createdDateTime", "lastModifiedDateTime"},
	unavoidable: []string{"createdDateTime", "lastModifiedDateTime"},
	build:       func(*kept, object) []string { return nil },
	complete:    putPhoto,
	differs:     samePhoto,
}

func (k *kept) photo(ctx context.Context) ([]byte, error) {
	body, ok, err := k.put.Open(ctx, holdfast.FormPhoto)
	if err != nil || !ok {
		return nil, err
	}
	defer body.Close()
	return io.ReadAll(io.LimitReader(body, maxPhoto+1))
}

func putPhoto(ctx context.Context, r *restore, _, id string, st *kept) ([]string, error) {
	data, err := st.photo(ctx)
	if err != nil || data == nil {
		return nil, err
	}
	return nil, r.g.PutPhoto(ctx, r.mailbox, id, data)
}

func samePhoto(ctx context.Context, r *restore, _ string, now map[string]json.RawMessage, st *kept) ([]string, bool, error) {
	want, err := st.photo(ctx)
	if err != nil || want == nil {
		return nil, true, err
	}
	var id string
	if err := json.Unmarshal(now["id"], &id); err != nil {
		return nil, false, err
	}
	body, err := r.g.OpenBit(ctx, contacts.PersonalKind, contacts.ItemPath(r.mailbox, "", id, "photo", "$value"))
	if m365.KindOf(err) == m365.NotFound {
		return []string{"photo"}, false, nil
	} else if err != nil {
		return nil, false, err
	}
	defer body.Close()
	have, err := io.ReadAll(io.LimitReader(body, maxPhoto+1))
	if err != nil {
		return nil, false, err
	}
	if !bytes.Equal(have, want) {
		return []string{"photo"}, len(have) > 0, nil // the service may scale it
	}
	return nil, true, nil
}
