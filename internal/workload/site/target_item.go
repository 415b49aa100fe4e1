package site

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"maps"
	"slices"
	"strings"
	"time"

	"holdfast/internal/engine"
	"holdfast/internal/holdfast"
	"holdfast/internal/m365"
	"holdfast/internal/m365/graph"
	"holdfast/internal/m365/sharepoint"
)

// storedItem is what a restore takes out of an item's JSON.
type storedItem struct {
	ID          string                     `json:"id"`
	ETag        string                     `json:"eTag"`
	Created     time.Time                  `json:"createdDateTime"`
	Modified    time.Time                  `json:"lastModifiedDateTime"`
	CreatedBy   *graph.Identity            `json:"createdBy"`
	ModifiedBy  *graph.Identity            `json:"lastModifiedBy"`
	ContentType graph.ContentType          `json:"contentType"`
	Fields      map[string]json.RawMessage `json:"fields"`
}

func (r *restore) item(ctx context.Context, p engine.Put) (engine.Restored, error) {
	l, at := r.inList(p.Parent)
	if l == nil || l.columns == nil && !r.plan.DryRun {
		return engine.Restored{}, &holdfast.Skip{Reason: holdfast.SkipUnsupported, Err: errors.New("the list that it is of could not be put back")}
	}
	var stored storedItem
	if err := read(ctx, p, holdfast.FormJSON, &stored); err != nil {
		return engine.Restored{}, err
	}
	if strings.HasPrefix(p.Item.Version, "version ") { // an older version is restored as the item was then
		stored.Modified, stored.ETag = p.Item.Time, ""
		if stored.Created.IsZero() {
			stored.Created, _ = time.Parse(time.RFC3339, p.Item.Fields[holdfast.FieldCreated]) // else it stays unset
		}
	}
	list, id, _ := strings.Cut(p.Item.ID, ".")
	there, ours, err := r.existing(ctx, p, l, id)
	if err != nil {
		return engine.Restored{}, err
	}
	out := engine.Restored{Outcome: engine.Created}
	half := there != nil && titled(there, p.Marker) // an earlier attempt died while it filled it
	switch {
	case there == nil:
		if r.plan.ChangedItems && !r.plan.MissingItems {
			return engine.Restored{Outcome: engine.Skipped}, nil // only what differs was asked for
		}
	case ours:
	case half:
		out.Outcome = engine.Overwritten
	case r.equal(l, there, &stored):
		r.remember(list, id, there.ID)
		return engine.Restored{Outcome: engine.Existing, NewID: there.ID}, nil
	case !r.plan.ChangedItems && r.plan.MissingItems:
		return engine.Restored{Outcome: engine.Skipped, NewID: there.ID}, nil // only what is missing was asked for
	case r.plan.Mode == engine.KeepBoth:
		there = nil
	case r.plan.Mode == engine.Overwrite:
		if there.Modified.After(stored.Modified) && !r.plan.Newer {
			return engine.Restored{Outcome: engine.Skipped}, &holdfast.Skip{Reason: holdfast.SkipConflict, Err: errors.New("the item there is newer than the restore point; it is overwritten only when that is asked for")}
		}
		out.Outcome = engine.Overwritten
	default:
		return engine.Restored{Outcome: engine.Skipped}, &holdfast.Skip{Reason: holdfast.SkipConflict, Err: errors.New("the item is there and was changed; restore with \"keep both\" or \"overwrite\"")}
	}
	if r.plan.DryRun {
		out.Cost = holdfast.Cost{Requests: 3, ResourceUnits: 5, Bytes: p.Item.Size}
		return out, nil
	}
	versions := p.Versions
	if ours && versions != nil {
		whole, err := r.whole(ctx, l, there, &stored, versions)
		if err != nil {
			return engine.Restored{}, err
		}
		versions = nil
		if !whole { // versions can't be taken back: it is made anew
			if err := r.g.DeleteListItem(ctx, r.site, l.id, there.ID); err != nil && m365.KindOf(err) != m365.NotFound {
				return engine.Restored{}, err
			}
			there, versions = nil, p.Versions
		}
	}
	if there == nil {
		fields := map[string]any{}
		if _, ok := l.there["Title"]; ok {
			fields["Title"] = markerTitle(p.Marker)
		}
		if there, err = r.create(ctx, l, at, stored.ContentType.Name, fields); err != nil {
			return engine.Restored{}, err
		}
		if err := p.Made(ctx, there.ID); err != nil {
			return engine.Restored{}, err
		}
	}
	out.NewID = there.ID
	if out.Outcome == engine.Overwritten {
		versions = nil
		if !half { // a version of its own, so that what is overwritten can be had back from SharePoint
			if err := r.turn(ctx, l, there.ID, there.ETag, p.Marker); err != nil {
				return out, err
			}
		}
	}
	if out.Lost, err = r.fill(ctx, p, l, there.ID, &stored, versions); err != nil {
		return out, err
	}
	r.remember(list, id, there.ID) // not before: one that is half made may get another id
	return out, nil
}

// Resumed takes up the id of a list item that an earlier attempt put back, and its lookups of what was not there then.
func (r *restore) Resumed(ctx context.Context, p engine.Put) error {
	l, _ := r.inList(p.Parent)
	if p.Item.Kind != holdfast.KindListItem || l == nil || l.columns == nil {
		return nil
	}
	var stored storedItem
	if err := read(ctx, p, holdfast.FormJSON, &stored); err != nil {
		return err
	}
	list, id, _ := strings.Cut(p.Item.ID, ".")
	r.remember(list, id, p.NewID)
	if r.web != nil {
		if err := r.lookUp(ctx, l, &stored); err != nil {
			return err
		}
		_, _, late := r.formValues(l, &stored)
		r.await(l, p.NewID, p.Item.Kind, late)
	}
	return nil
}

// whole tells that an item that an earlier attempt made has its values, which are set last, and all its versions.
func (r *restore) whole(ctx context.Context, l *place, there *graph.ListItem, stored *storedItem, older iter.Seq2[engine.PutVersion, error]) (bool, error) {
	var now map[string]json.RawMessage
	if err := json.Unmarshal(there.Fields, &now); err != nil {
		return false, fmt.Errorf("read what an earlier attempt made: %w", err)
	}
	if len(r.differs(l, now, stored.Fields, false)) > 0 || !there.Modified.Equal(stored.Modified.Truncate(time.Second)) {
		return false, nil
	}
	want := 1
	for _, err := range older {
		if err != nil {
			return false, err
		}
		want++
	}
	first, err := r.g.ListItemVersions(ctx, r.site, l.id, there.ID, graph.List{})
	for _, err := range graph.All(ctx, r.g, first, err, graph.List{}) {
		if err != nil {
			return false, err
		}
		want--
	}
	return want == 0, nil
}

// markerTitle is what an item is called until it is whole, so that another attempt finds it.
func markerTitle(marker string) string { return "holdfast-restoring-" + marker[:min(16, len(marker))] }

func (r *restore) remember(list, id, now string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.made[list+"/"+id] = now
}

// existing finds the item in its own list, or what an earlier attempt of this act made, which is then ours.
func (r *restore) existing(ctx context.Context, p engine.Put, l *place, id string) (there *graph.ListItem, ours bool, err error) {
	if strings.HasPrefix(l.id, engine.Planned) {
		return nil, false, nil
	}
	own := r.same && l.id == l.stored
	ask := graph.List{Expand: []string{"fields"}}
	for _, one := range []string{p.NewID, map[bool]string{true: id}[own]} {
		if one == "" {
			continue
		}
		there, err = r.g.ListItem(ctx, r.site, l.id, one, ask)
		if m365.KindOf(err) == m365.NotFound {
			continue
		}
		return there, err == nil && one == p.NewID && (!own || one != id), err
	}
	if !p.Again {
		return nil, false, nil
	}
	first, err := r.g.ListItems(ctx, r.site, l.id, ask)
	for row, err := range graph.All(ctx, r.g, first, err, ask) {
		if err != nil {
			return nil, false, err
		}
		if titled(row, p.Marker) {
			return row, true, nil
		}
	}
	return nil, false, nil
}

// titled tells that an item bears the title of what this act has half made.
func titled(there *graph.ListItem, marker string) bool {
	var fields struct{ Title string }
	return json.Unmarshal(there.Fields, &fields) == nil && fields.Title == markerTitle(marker)
}

// equal tells that an item has the values of the restore point.
func (r *restore) equal(l *place, there *graph.ListItem, stored *storedItem) bool {
	if there.ETag == stored.ETag {
		return true
	}
	var now map[string]json.RawMessage
	if json.Unmarshal(there.Fields, &now) != nil {
		return false
	}
	if !there.Modified.Truncate(time.Second).Equal(stored.Modified.Truncate(time.Second)) {
		return false // attachments may differ
	}
	return len(r.differs(l, now, stored.Fields, true)) == 0
}

// differs names the columns whose values differ. exact compares lookups by number too, which holds in one list only.
func (r *restore) differs(l *place, now, stored map[string]json.RawMessage, exact bool) []string {
	var out []string
	for _, name := range slices.Sorted(maps.Keys(stored)) {
		column := strings.TrimSuffix(name, "LookupId")
		c, ok := l.columns[column]
		if !ok {
			c, ok = l.columns[name]
		}
		if !ok || c.ReadOnly || name == "id" {
			continue
		}
		if !exact && (c.Lookup != nil || c.Person != nil) {
			continue
		}
		if !sameJSON(now[name], stored[name]) {
			out = append(out, column)
		}
	}
	return out
}

func sameJSON(a, b json.RawMessage) bool {
	var x, y any
	if json.Unmarshal(a, &x) != nil || json.Unmarshal(b, &y) != nil {
		return string(a) == string(b)
	}
	p, err1 := json.Marshal(x)
	q, err2 := json.Marshal(y)
	return err1 == nil && err2 == nil && string(p) == string(q)
}

// fill gives an item that is there its attachments, older versions, values, authors, times and permissions, reads it back and compares.
func (r *restore) fill(ctx context.Context, p engine.Put, l *place, id string, stored *storedItem, versions iter.Seq2[engine.PutVersion, error]) (lost []string, err error) {
	files, lost, err := r.attach(ctx, p, l, id)
	if err != nil {
		return lost, err
	}
	if versions != nil {
		more, err := r.history(ctx, p.Marker, l, id, stored, versions)
		lost = append(lost, more...)
		if err != nil {
			return lost, err
		}
	}
	more, late, err := r.values(ctx, l, id, stored)
	lost = append(lost, more...)
	if err != nil {
		return lost, err
	}
	lost = append(lost, r.await(l, id, p.Item.Kind, late)...)
	if r.plan.Permissions && p.Item.Fields[fieldUnique] == "true" {
		if r.web == nil {
			lost = append(lost, "permissions")
		} else if lost, err = r.share(ctx, p, sharepoint.Scope{List: l.id, Item: id}, lost); err != nil {
			return lost, err
		}
	}
	return r.compare(ctx, l, id, stored, files, lost)
}

// compare reads an item back.
func (r *restore) compare(ctx context.Context, l *place, id string, stored *storedItem, files []string, lost []string) ([]string, error) {
	now, err := r.g.ListItem(ctx, r.site, l.id, id, graph.List{Expand: []string{"fields"}})
	if err != nil {
		return lost, err
	}
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(now.Fields, &fields); err != nil {
		return lost, fmt.Errorf("read the item back: %w", err)
	}
	lost = append(lost, r.differs(l, fields, stored.Fields, false)...)
	if name := stored.ContentType.Name; name != "" && (now.ContentType == nil || now.ContentType.Name != name) {
		lost = append(lost, "contentType")
	}
	if !now.Created.Equal(stored.Created.Truncate(time.Second)) {
		lost = append(lost, "created")
	}
	if !now.Modified.Equal(stored.Modified.Truncate(time.Second)) {
		lost = append(lost, "modified")
	}
	for what, pair := range map[string][2]*graph.Identity{"author": {now.CreatedBy, stored.CreatedBy}, "editor": {now.ModifiedBy, stored.ModifiedBy}} {
		if pair[1] != nil && person(pair[0]) != person(pair[1]) {
			lost = append(lost, what)
		}
	}
	if len(files) > 0 {
		have, err := r.web.Attachments(ctx, l.id, id)
		if err != nil {
			return lost, err
		}
		for _, f := range files {
			if !slices.ContainsFunc(have, func(a sharepoint.Attachment) bool { return strings.EqualFold(a.Name, f) }) {
				return lost, holdfast.Unavailable("the attachment %q does not read back", f)
			}
		}
	}
	slices.Sort(lost)
	return slices.Compact(lost), nil
}

// attach adds the files that an item had and has not.
func (r *restore) attach(ctx context.Context, p engine.Put, l *place, id string) (names, lost []string, err error) {
	names, err = attachmentNames(ctx, p)
	if err != nil || len(names) == 0 {
		return nil, nil, err
	}
	if r.web == nil {
		return nil, []string{"attachments"}, nil
	}
	have, err := r.web.Attachments(ctx, l.id, id)
	if err != nil {
		return nil, nil, err
	}
	for _, name := range names {
		if slices.ContainsFunc(have, func(a sharepoint.Attachment) bool { return strings.EqualFold(a.Name, name) }) {
			continue
		}
		body, ok, err := p.Open(ctx, attachmentForm(name))
		if err != nil || !ok {
			return nil, nil, errors.Join(err, fmt.Errorf("the attachment %q can't be opened", name))
		}
		data, err := io.ReadAll(io.LimitReader(body, largestAttachment+1))
		if err := errors.Join(err, body.Close()); err != nil {
			return nil, nil, fmt.Errorf("read the vault: %w", err)
		}
		if len(data) > largestAttachment {
			lost = append(lost, "attachment "+name)
			continue
		}
		if err := r.web.Attach(ctx, l.id, id, name, data); err != nil && m365.KindOf(err) != m365.Conflict {
			if m365.KindOf(err) == m365.Invalid {
				lost = append(lost, "attachment "+name)
				continue
			}
			return nil, nil, err
		}
	}
	return slices.DeleteFunc(names, func(n string) bool { return slices.Contains(lost, "attachment "+n) }), lost, nil
}

// largestAttachment is what SharePoint takes in one request.
const largestAttachment = 250 << 20

// attachmentNames are the names of the files that the item had.
func attachmentNames(ctx context.Context, p engine.Put) ([]string, error) {
	var names []string
	err := read(ctx, p, formFiles, &names)
	return names, err
}

// history makes the older versions: each is set in place and then becomes one by the change that follows it. lost are their
// lookups of what is not there yet: no version can be changed later.
func (r *restore) history(ctx context.Context, marker string, l *place, id string, stored *storedItem, versions iter.Seq2[engine.PutVersion, error]) (lost []string, err error) {
	for v, err := range versions {
		if err != nil {
			return lost, err
		}
		body, err := v.Open(ctx)
		if err != nil {
			return lost, err
		}
		var older struct {
			Modified time.Time                  `json:"lastModifiedDateTime"`
			By       *graph.Identity            `json:"lastModifiedBy"`
			Fields   map[string]json.RawMessage `json:"fields"`
		}
		err = json.NewDecoder(body).Decode(&older)
		if err := errors.Join(err, body.Close()); err != nil {
			return lost, fmt.Errorf("stored version %s: %w", v.Item.Version, err)
		}
		was := *stored
		was.Fields, was.Modified, was.ModifiedBy = older.Fields, older.Modified, older.By
		_, late, err := r.values(ctx, l, id, &was)
		if err != nil {
			return lost, err
		}
		for _, w := range late {
			lost = append(lost, w.column+ofVersions)
		}
		if r.web == nil {
			continue // Graph has made a version already
		}
		// What is there becomes an older version by a change that Graph makes.
		if err := r.turn(ctx, l, id, "", marker); err != nil {
			return lost, err
		}
	}
	return lost, nil
}

// turns bounds how often a change that was not answered is made again.
const turns = 4

// turn makes what is there an older version, by a change that gives the item the title of what is half made. Each such change is a version, so that one
// without an answer is looked for before it is made again.
func (r *restore) turn(ctx context.Context, l *place, id, ifMatch, marker string) error {
	for attempt := 1; ; attempt++ {
		err := r.g.UpdateListItem(ctx, r.site, l.id, id, ifMatch, map[string]any{"Title": markerTitle(marker)})
		if !m365.OutcomeUnknown(err) || attempt == turns {
			return err
		}
		there, lerr := r.g.ListItem(ctx, r.site, l.id, id, graph.List{Expand: []string{"fields"}})
		if lerr != nil {
			return lerr
		}
		if titled(there, marker) {
			return nil
		}
	}
}

// ofVersions ends the name of a column that older versions lost.
const ofVersions = " of older versions"

// values sets all values of an item in place, and more, which only a certificate allows; late are lookups of what is not there yet. Without a certificate Graph sets what it can, which makes a
// version.
func (r *restore) values(ctx context.Context, l *place, id string, stored *storedItem, more ...sharepoint.FormValue) (lost []string, late []waiting, err error) {
	if r.web == nil {
		fields, lost := r.graphValues(l, stored)
		return lost, nil, r.g.UpdateListItem(ctx, r.site, l.id, id, "", fields)
	}
	if err := r.lookUp(ctx, l, stored); err != nil {
		return nil, nil, err
	}
	values, lost, late := r.formValues(l, stored)
	values = append(values, more...)
	for attempt := 0; ; attempt++ {
		refused, err := r.web.Validate(ctx, l.id, id, values)
		if err != nil {
			return lost, nil, err
		}
		if len(refused) == 0 {
			return lost, late, nil
		}
		if attempt == 3 {
			return lost, nil, &holdfast.Skip{Reason: holdfast.SkipUnsupported, Err: fmt.Errorf("SharePoint does not take its values: %s: %s", refused[0].Name, refused[0].Message)}
		}
		// One refused value keeps all from being set: the others are.
		for _, f := range refused {
			lost = append(lost, lostName(f.Name))
			values = slices.DeleteFunc(values, func(v sharepoint.FormValue) bool { return v.Name == f.Name })
		}
	}
}

// await keeps lookups until Close. lost are those of lists of which nothing is restored, or not yet: should it come, they are set all the same. None are
// of a folder, which comes before most lists: Close names those that no list came for.
func (r *restore) await(l *place, id string, of holdfast.ItemKind, late []waiting) (lost []string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, w := range late {
		if of != holdfast.KindFolder && !slices.ContainsFunc(slices.Collect(maps.Values(r.lists)), func(p *place) bool { return p.stored == w.list }) {
			lost = append(lost, w.column)
			w.list = ""
		}
		w.place, w.id = l, id
		r.waiting = append(r.waiting, w)
	}
	return lost
}

// lostName is what fidelity calls a column.
func lostName(column string) string {
	if name, ok := map[string]string{"Author": "author", "Editor": "editor", "Created": "created", "Modified": "modified"}[column]; ok {
		return name
	}
	return column
}
