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
	"strconv"
	"strings"
	"sync"
	"time"

	"holdfast/internal/engine"
	"holdfast/internal/holdfast"
	"holdfast/internal/m365"
	"holdfast/internal/m365/graph"
	"holdfast/internal/m365/sharepoint"
	"holdfast/internal/workload/drive"
)

type target struct {
	g   *graph.Client
	org holdfast.OrganizationID
}

// Meter counts the calls of one restore, which goes before backups.
func (t *target) Meter(ctx context.Context) (context.Context, func() holdfast.Statistics) {
	return m365.Meter(m365.ForRestore(ctx))
}

// Open prepares a restore: the application may write, and the site is there.
func (t *target) Open(ctx context.Context, plan engine.RestorePlan) (engine.Restore, error) {
	ctx = m365.ForRestore(ctx)
	missing, err := t.g.CheckPermissions(ctx, "Sites.ReadWrite.All", "Sites.Manage.All")
	if err != nil {
		return nil, err
	}
	if len(missing) > 0 {
		return nil, holdfast.Denied("the application may not write sites: grant it %s in Microsoft Entra, or restore with an application that has it", strings.Join(missing, ", "))
	}
	if plan.Folder != "" {
		return nil, holdfast.Invalid("a site's content is restored to lists and libraries of its own names: leave the folder out")
	}
	site, err := t.g.Site(ctx, plan.To.Source, graph.List{})
	switch m365.KindOf(err) {
	case m365.NotFound, m365.Invalid:
		return nil, holdfast.Conflict("the site %s is not there now: create it again, or restore to another site: %w", plan.To.Address, err)
	case m365.Locked:
		return nil, holdfast.Conflict("the site %s is locked: unlock it in the SharePoint admin center, or restore to another site: %w", plan.To.Address, err)
	}
	if err != nil {
		return nil, err
	}
	r := &restore{g: t.g, plan: plan, site: plan.To.Source, same: plan.From.Key() == plan.To.Key() && plan.From.Organization == plan.To.Organization,
		lists: map[string]*place{}, opening: map[string]*sync.Mutex{}, made: map[string]string{}, gone: map[string]bool{}, users: map[int]sharepoint.Principal{}}
	if t.g.M365().ByCertificate() {
		if r.web, err = sharepoint.At(t.g.M365(), site.WebURL); err != nil {
			return nil, err
		}
	}
	return r, nil
}

type restore struct {
	g    *graph.Client
	plan engine.RestorePlan
	site string
	same bool            // the site that the items came from
	web  *sharepoint.Web // nil without a certificate

	mu      sync.Mutex             // guards all below
	lists   map[string]*place      // by what Folder gave out
	opening map[string]*sync.Mutex // held while a list is looked for or made: two items must not make one list twice
	users   map[int]sharepoint.Principal
	roles   []sharepoint.Role // of the target; nil until they are asked for
	// made has the new id of each list item that this restore put back, by stored list and item: lookups follow it.
	made    map[string]string
	gone    map[string]bool // of the own site, by list and item as stored: whether what a lookup names is not there any more
	waiting []waiting       // lookups of items that were not there yet
}

// waiting is an item whose lookup names items, of list, that may still come.
type waiting struct {
	place  *place
	id     string
	column string
	list   string
	as     []sharepoint.FormValue // who changed it and when, else this change would be the last one
	value  func() (sharepoint.FormValue, bool)
}

// place is a list of the target.
type place struct {
	id      string // of the list there, or of what would be made
	stored  string // id of the list that it was
	title   string
	drive   string
	files   engine.Restore // of a library
	isNew   bool
	pages   bool
	columns map[string]graph.Column // as stored, by name
	there   map[string]graph.Column // as there
	types   map[string]string       // content types there, by name
}

const (
	tokenSite  = "site"
	tokenFiles = "files:" // a library's drive, "|" and an item there
)

// Close sets the lookups of items that came after those that name them, and says which items did not come.
func (r *restore) Close(ctx context.Context) error {
	ctx = m365.ForRestore(ctx)
	var left []string
	for _, w := range r.waiting {
		v, ok := w.value()
		if !ok {
			if len(left) < 5 && w.list != "" { // else it was named when the item was put
				left = append(left, fmt.Sprintf("%q of item %s in %q", w.column, w.id, w.place.title))
			}
			continue
		}
		if _, err := r.web.Validate(ctx, w.place.id, w.id, append([]sharepoint.FormValue{v}, w.as...)); err != nil && m365.Skip(err) == nil {
			return err
		}
	}
	for _, p := range r.lists {
		if p.files != nil {
			if err := p.files.Close(ctx); err != nil {
				return err
			}
		}
	}
	if len(left) > 0 {
		return holdfast.Invalid("lookups that name items which this restore did not put back are empty, among them %s: restore those items, then these again", strings.Join(left, ", "))
	}
	return nil
}

// itemError gives an error of one item as a *Skip when it is the item's own, else the kind that the engine wants.
func itemError(ctx context.Context, err error) error {
	if err == nil || ctx.Err() != nil || m365.OutcomeUnknown(err) {
		return err
	}
	switch m365.KindOf(err) {
	case m365.Unavailable, m365.Throttled:
		var e *m365.Error
		out := &holdfast.Error{Kind: holdfast.KindUnavailable, Message: err.Error(), Cause: err}
		if errors.As(err, &e) {
			out.RetryAfter = e.RetryAfter
		}
		return out
	case m365.NotFound:
		return err // of a restore, what vanished may be made again
	}
	if s := m365.Skip(err); s != nil {
		return s
	}
	return err
}

// Folder finds the list, the library or the folder in one at the target, or makes it.
func (r *restore) Folder(ctx context.Context, folder holdfast.Item, parent string) (string, error) {
	ctx = m365.ForRestore(ctx)
	switch folder.Fields[holdfast.FieldSpecial] {
	case specialRoot:
		return tokenSite, nil
	case specialList, specialLibrary, specialPages:
		p, err := r.list(ctx, folder)
		if err != nil {
			return "", itemError(ctx, err)
		}
		if p.files == nil {
			return p.id, nil
		}
		root, err := p.files.Folder(ctx, drive.AsRoot(folder), "")
		return tokenFiles + p.id + "|" + root, err
	}
	p, at := r.inFiles(parent)
	if p == nil {
		return "", &holdfast.Skip{Reason: holdfast.SkipUnsupported, Err: errors.New("a folder in a list comes back by SharePoint alone; its items are restored into the list itself")}
	}
	id, err := p.files.Folder(ctx, folder, at)
	return tokenFiles + p.id + "|" + id, err
}

// inFiles is the library and the folder in it that a token names.
func (r *restore) inFiles(token string) (p *place, folder string) {
	rest, ok := strings.CutPrefix(token, tokenFiles)
	if !ok {
		return nil, ""
	}
	id, folder, _ := strings.Cut(rest, "|")
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.lists[id], folder
}

// list finds the list that a folder was: in its own site by its id, else by its title; or makes one.
func (r *restore) list(ctx context.Context, folder holdfast.Item) (*place, error) {
	stored := folder.Fields[fieldList]
	r.mu.Lock()
	lock := r.opening[stored]
	if lock == nil {
		lock = &sync.Mutex{}
		r.opening[stored] = lock
	}
	r.mu.Unlock()
	lock.Lock()
	defer lock.Unlock()
	r.mu.Lock()
	for _, p := range r.lists {
		if p.stored == stored {
			r.mu.Unlock()
			return p, nil
		}
	}
	r.mu.Unlock()
	row, err := r.find(ctx, stored, folder.Name)
	if err != nil {
		return nil, err
	}
	p := &place{stored: stored, title: folder.Name, pages: folder.Fields[holdfast.FieldSpecial] == specialPages}
	template := folder.Fields[fieldTemplate]
	switch {
	case row != nil:
		p.id = row.ID
		if (row.Info.Template == "documentLibrary") != (folder.Fields[holdfast.FieldSpecial] == specialLibrary) {
			return nil, &holdfast.Skip{Reason: holdfast.SkipConflict, Err: fmt.Errorf("there is a list called %q of another type (%s)", folder.Name, row.Info.Template)}
		}
	case p.pages:
		return nil, &holdfast.Skip{Reason: holdfast.SkipUnsupported, Err: errors.New("the site there has no library of pages: activate its feature \"Site Pages\", or restore to another site")}
	case r.plan.DryRun:
		p.id, p.isNew = engine.Planned+"list/"+stored, true
	default:
		n := graph.NewSiteList{DisplayName: folder.Name}
		n.List.Template = template
		made, err := r.g.CreateList(ctx, r.site, n)
		if m365.KindOf(err) == m365.Conflict || m365.OutcomeUnknown(err) {
			var there *graph.SiteList
			if there, err = r.find(ctx, "", folder.Name); err == nil && there == nil {
				err = holdfast.Unavailable("the list %q was not made", folder.Name)
			}
			made = there
		}
		if err != nil {
			return nil, err
		}
		p.id, p.isNew = made.ID, true
	}
	if err := r.look(ctx, p); err != nil {
		return nil, err
	}
	if folder.Fields[holdfast.FieldSpecial] == specialLibrary {
		if err := r.openFiles(ctx, p, folder); err != nil {
			return nil, err
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.lists[p.id] = p
	return p, nil
}

// find looks for a list by its id, in its own site, and by its title.
func (r *restore) find(ctx context.Context, id, title string) (*graph.SiteList, error) {
	if r.same && id != "" {
		row, err := r.g.SiteList(ctx, r.site, id, graph.List{Select: listFields})
		if m365.KindOf(err) != m365.NotFound {
			return row, err
		}
	}
	l := graph.List{Select: listFields, Top: 200}
	first, err := r.g.Lists(ctx, r.site, l)
	for row, err := range graph.All(ctx, r.g, first, err, l) {
		if err != nil {
			return nil, err
		}
		if strings.EqualFold(row.DisplayName, title) {
			return row, nil
		}
	}
	return nil, nil
}

// look reads the columns and content types that a list has there.
func (r *restore) look(ctx context.Context, p *place) error {
	p.there, p.types = map[string]graph.Column{}, map[string]string{}
	if strings.HasPrefix(p.id, engine.Planned) {
		return nil
	}
	row, err := r.g.SiteList(ctx, r.site, p.id, graph.List{Select: listFields, Expand: []string{"columns", "contentTypes"}})
	if err != nil {
		return err
	}
	for _, c := range row.Columns {
		p.there[c.Name] = c
	}
	for _, t := range row.ContentTypes {
		p.types[t.Name] = t.ID
	}
	return nil
}

func (r *restore) openFiles(ctx context.Context, p *place, folder holdfast.Item) error {
	plan := r.plan
	plan.From = drive.Library(plan.From.Organization, folder.Fields[fieldDrive], folder.Name)
	plan.To = plan.From
	if strings.HasPrefix(p.id, engine.Planned) {
		p.files = nothingThere{}
		return nil
	}
	d, err := r.g.ListDrive(ctx, r.site, p.id)
	if err != nil {
		return err
	}
	p.drive = d.ID
	plan.To = drive.Library(r.plan.To.Organization, d.ID, folder.Name)
	p.files, err = drive.RestoreLibrary(ctx, r.g, plan)
	return err
}

// nothingThere is a library that a dry run found missing.
type nothingThere struct{}

func (nothingThere) Folder(_ context.Context, folder holdfast.Item, parent string) (string, error) {
	return engine.Planned + parent + "/" + folder.Name, nil
}

func (nothingThere) Put(_ context.Context, p engine.Put) (engine.Restored, error) {
	return engine.Restored{Outcome: engine.Created, Cost: holdfast.Cost{Requests: 4, ResourceUnits: 4, Bytes: p.Item.Size}}, nil
}

func (nothingThere) Close(context.Context) error { return nil }

// SettleFolder puts back what a site or list has besides its name: whom the site knows, columns, views, permissions of a list that was made.
func (r *restore) SettleFolder(ctx context.Context, p engine.Put) error {
	ctx = m365.ForRestore(ctx)
	switch p.Item.Fields[holdfast.FieldSpecial] {
	case specialRoot:
		var users []sharepoint.Principal
		if err := read(ctx, p, formUsers, &users); err != nil {
			return err
		}
		r.mu.Lock()
		defer r.mu.Unlock()
		for _, u := range users {
			r.users[u.ID] = u
		}
		return nil
	case specialList, specialLibrary, specialPages:
		place, err := r.list(ctx, p.Item)
		if err != nil {
			return itemError(ctx, err)
		}
		return itemError(ctx, r.settleList(ctx, p, place))
	}
	place, id := r.inFiles(p.NewID)
	if place == nil {
		return nil
	}
	p.NewID = id
	if s, ok := place.files.(engine.FolderSettler); ok {
		return s.SettleFolder(ctx, p)
	}
	return nil
}

// storedList is what a restore takes out of a list's JSON.
type storedList struct {
	Columns []graph.Column `json:"columns"`
}

func (r *restore) settleList(ctx context.Context, p engine.Put, l *place) error {
	var stored storedList
	if err := read(ctx, p, holdfast.FormJSON, &stored); err != nil {
		return err
	}
	r.mu.Lock()
	done := l.columns != nil
	if !done {
		l.columns = map[string]graph.Column{}
		for _, c := range stored.Columns {
			l.columns[c.Name] = c
		}
	}
	r.mu.Unlock()
	if done {
		return nil
	}
	var lost []string
	for _, c := range stored.Columns {
		if _, ok := l.there[c.Name]; ok || l.pages {
			continue
		}
		body, why := r.newColumn(ctx, &c)
		if why == "" {
			_, err := r.g.CreateColumn(ctx, r.site, l.id, body)
			switch kind := m365.KindOf(err); {
			case err == nil, kind == m365.Conflict:
			case kind == m365.Invalid, kind == m365.Denied:
				why = c.Name + " (" + err.Error() + ")"
			default:
				return err
			}
		}
		if why != "" {
			lost = append(lost, "column "+why)
			continue
		}
		r.mu.Lock()
		l.there[c.Name] = c
		r.mu.Unlock()
	}
	if l.isNew && r.web != nil {
		more, err := r.dress(ctx, p, l)
		if err != nil {
			return err
		}
		lost = append(lost, more...)
	}
	if len(lost) > 0 {
		return &holdfast.Skip{Reason: holdfast.SkipUnsupported, Err: fmt.Errorf("of the list these could not be put back: %s", strings.Join(lost, "; "))}
	}
	return nil
}

// dress gives a list that was made its views and, when asked for, its permissions.
func (r *restore) dress(ctx context.Context, p engine.Put, l *place) (lost []string, err error) {
	var views []sharepoint.View
	if err := read(ctx, p, formViews, &views); err != nil {
		return nil, err
	}
	there, err := r.web.Views(ctx, l.id)
	if err != nil {
		return nil, err
	}
	for _, v := range views {
		if v.Hidden || v.Personal || slices.ContainsFunc(there, func(t sharepoint.View) bool { return t.Title == v.Title }) {
			continue
		}
		if err := r.web.CreateView(ctx, l.id, v); err != nil {
			if m365.Skip(err) == nil {
				return lost, err
			}
			lost = append(lost, "view "+v.Title)
		}
	}
	if !r.plan.Permissions || p.Item.Fields[fieldUnique] != "true" {
		return lost, nil
	}
	return r.share(ctx, p, sharepoint.Scope{List: l.id}, lost)
}

// readOnly are members of a column's JSON that a new one does not take.
var columnGiven = []string{"id", "readOnly", "sourceContentType", "sourceColumn", "isDeletable", "isReorderable", "isSealed", "type", "propagateChanges", "@odata.etag"}

// newColumn is a column as it is made anew: a lookup looks into the list there that has the name of the one it looked into.
func (r *restore) newColumn(ctx context.Context, c *graph.Column) (body json.RawMessage, lost string) {
	if c.ReadOnly && c.Calculated == nil || c.ContentState != nil {
		return nil, c.Name + " (only SharePoint itself makes it)"
	}
	raw, err := graph.Without(c.Raw, columnGiven...)
	if err != nil {
		return nil, c.Name + " (" + err.Error() + ")"
	}
	if c.Lookup == nil {
		return raw, ""
	}
	r.mu.Lock()
	id := ""
	for _, p := range r.lists {
		if p.stored == c.Lookup.ListID {
			id = p.id
		}
	}
	r.mu.Unlock()
	if id == "" && r.same {
		id = c.Lookup.ListID
	}
	if id == "" {
		return nil, c.Name + " (the list that it looks into is not restored; restore the whole site, or that list first)"
	}
	var m map[string]any
	if err := json.Unmarshal(raw, &m); err != nil {
		return nil, c.Name + " (" + err.Error() + ")"
	}
	lookup := map[string]any{"listId": id, "columnName": c.Lookup.Column, "allowMultipleValues": c.Lookup.Multiple}
	m["lookup"] = lookup
	raw, err = json.Marshal(m)
	if err != nil {
		return nil, c.Name + " (" + err.Error() + ")"
	}
	return raw, ""
}

// read decodes a stored form into v; a form that there is none of leaves it.
func read(ctx context.Context, p engine.Put, form holdfast.Form, v any) error {
	body, ok, err := p.Open(ctx, form)
	if err != nil || !ok {
		return err
	}
	defer body.Close()
	if err := json.NewDecoder(body).Decode(v); err != nil {
		return fmt.Errorf("stored %s: %w", form, err)
	}
	return nil
}

// Put restores a file, an item of a list or a page.
func (r *restore) Put(ctx context.Context, p engine.Put) (engine.Restored, error) {
	ctx = m365.ForRestore(ctx)
	switch p.Item.Kind {
	case holdfast.KindFile:
		place, folder := r.inFiles(p.Parent)
		if place == nil {
			return engine.Restored{}, &holdfast.Skip{Reason: holdfast.SkipUnsupported, Err: errors.New("its library is not in this restore point")}
		}
		p.Parent = folder
		return place.files.Put(ctx, p)
	case holdfast.KindListItem:
		res, err := r.item(ctx, p)
		return res, itemError(ctx, err)
	case holdfast.KindPage:
		res, err := r.page(ctx, p)
		return res, itemError(ctx, err)
	}
	return engine.Restored{}, &holdfast.Skip{Reason: holdfast.SkipUnsupported, Err: fmt.Errorf("a %s is not restored by itself", p.Item.Kind)}
}

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
	r.mu.Lock()
	l := r.lists[p.Parent]
	r.mu.Unlock()
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
		if there, err = r.g.CreateListItem(ctx, r.site, l.id, l.types[stored.ContentType.Name], fields); err != nil {
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
			if err := r.g.UpdateListItem(ctx, r.site, l.id, there.ID, there.ETag, map[string]any{"Title": markerTitle(p.Marker)}); err != nil {
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
	r.mu.Lock()
	l := r.lists[p.Parent]
	r.mu.Unlock()
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
		r.await(l, p.NewID, late)
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
	lost = append(lost, r.await(l, id, late)...)
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
		if err := r.g.UpdateListItem(ctx, r.site, l.id, id, "", map[string]any{"Title": markerTitle(marker)}); err != nil {
			return lost, err
		}
	}
	return lost, nil
}

// ofVersions ends the name of a column that older versions lost.
const ofVersions = " of older versions"

// values sets all values of an item in place; late are lookups of what is not there yet. Without a certificate Graph sets what it can, which makes a
// version.
func (r *restore) values(ctx context.Context, l *place, id string, stored *storedItem) (lost []string, late []waiting, err error) {
	if r.web == nil {
		fields, lost := r.graphValues(l, stored)
		return lost, nil, r.g.UpdateListItem(ctx, r.site, l.id, id, "", fields)
	}
	if err := r.lookUp(ctx, l, stored); err != nil {
		return nil, nil, err
	}
	values, lost, late := r.formValues(l, stored)
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

// await keeps lookups until Close. lost are those of lists of which nothing is restored, or not yet: should it come, they are set all the same.
func (r *restore) await(l *place, id string, late []waiting) (lost []string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, w := range late {
		if !slices.ContainsFunc(slices.Collect(maps.Values(r.lists)), func(p *place) bool { return p.stored == w.list }) {
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

// share gives a list or item permissions of its own again.
func (r *restore) share(ctx context.Context, p engine.Put, at sharepoint.Scope, lost []string) ([]string, error) {
	var assignments []sharepoint.Assignment
	if err := read(ctx, p, formRoles, &assignments); err != nil {
		return lost, err
	}
	if err := r.web.BreakInheritance(ctx, at); err != nil {
		return lost, err
	}
	r.mu.Lock()
	roles := r.roles
	r.mu.Unlock()
	if roles == nil {
		var err error
		if roles, err = r.web.Roles(ctx); err != nil {
			return lost, err
		}
		r.mu.Lock()
		r.roles = roles
		r.mu.Unlock()
	}
	for _, a := range assignments {
		id, err := r.principal(ctx, a.Member)
		if err != nil {
			if m365.Skip(err) == nil {
				return lost, err
			}
			lost = append(lost, "permission of "+a.Member.Title)
			continue
		}
		for _, role := range a.Roles {
			if role.Name == "Limited Access" {
				continue // SharePoint gives it by itself to who may see something below
			}
			i := slices.IndexFunc(roles, func(r sharepoint.Role) bool { return r.Name == role.Name })
			if i < 0 {
				lost = append(lost, "permission level "+role.Name)
				continue
			}
			if err := r.web.Assign(ctx, at, id, roles[i].ID); err != nil {
				return lost, err
			}
		}
	}
	return lost, nil
}

// principal is the number that somebody has at the target.
func (r *restore) principal(ctx context.Context, who sharepoint.Principal) (int, error) {
	if r.same {
		return who.ID, nil
	}
	if who.Type == 8 { // a group of SharePoint's own: the one of the same kind, by the end of its name (Owners, Members, Visitors), or of the same name
		groups, err := r.web.Groups(ctx)
		if err != nil {
			return 0, err
		}
		for _, g := range groups {
			if g.Title == who.Title || strings.HasSuffix(who.Title, lastWord(g.Title)) && slices.Contains([]string{" Owners", " Members", " Visitors"}, lastWord(g.Title)) {
				return g.ID, nil
			}
		}
		return 0, &holdfast.Skip{Reason: holdfast.SkipUnsupported, Err: fmt.Errorf("the site has no group %q", who.Title)}
	}
	known, err := r.web.EnsureUser(ctx, who.Login)
	if err != nil {
		return 0, err
	}
	return known.ID, nil
}

func lastWord(s string) string { return s[max(strings.LastIndexByte(s, ' '), 0):] }

// page restores a page: its title, its title area and its content.
func (r *restore) page(ctx context.Context, p engine.Put) (engine.Restored, error) {
	var stored graph.SitePage
	if err := read(ctx, p, holdfast.FormJSON, &stored); err != nil {
		return engine.Restored{}, err
	}
	id := strings.TrimPrefix(p.Item.ID, "page.")
	var there *graph.SitePage
	first, err := r.g.SitePages(ctx, r.site)
	for row, err := range graph.All(ctx, r.g, first, err, graph.List{}) {
		if err != nil {
			return engine.Restored{}, err
		}
		if row.ID == id && r.same || strings.EqualFold(row.Name, stored.Name) && there == nil {
			there = row
		}
	}
	out := engine.Restored{Outcome: engine.Created}
	name := stored.Name
	switch {
	case there == nil:
		if r.plan.ChangedItems && !r.plan.MissingItems {
			return engine.Restored{Outcome: engine.Skipped}, nil
		}
	case samePage(there, &stored):
		return engine.Restored{Outcome: engine.Existing, NewID: there.ID}, nil
	case !r.plan.ChangedItems && r.plan.MissingItems:
		return engine.Restored{Outcome: engine.Skipped, NewID: there.ID}, nil
	case r.plan.Mode == engine.KeepBoth:
		name = strings.TrimSuffix(name, ".aspx") + "-restored-" + p.Marker[:min(8, len(p.Marker))] + ".aspx"
		there = nil
	case r.plan.Mode == engine.Overwrite:
		if there.Modified.After(stored.Modified) && !r.plan.Newer {
			return engine.Restored{Outcome: engine.Skipped}, &holdfast.Skip{Reason: holdfast.SkipConflict, Err: errors.New("the page there is newer than the restore point; it is overwritten only when that is asked for")}
		}
		out.Outcome = engine.Overwritten
	default:
		return engine.Restored{Outcome: engine.Skipped}, &holdfast.Skip{Reason: holdfast.SkipConflict, Err: errors.New("the page is there and was changed; restore with \"keep both\" or \"overwrite\"")}
	}
	if r.plan.DryRun {
		out.Cost = holdfast.Cost{Requests: 3, ResourceUnits: 6, Bytes: p.Item.Size}
		return out, nil
	}
	body := map[string]any{"@odata.type": "#microsoft.graph.sitePage", "title": stored.Title, "titleArea": stored.TitleArea, "canvasLayout": stored.Canvas}
	at := ""
	if there != nil {
		at = there.ID
	} else {
		body["name"], body["pageLayout"] = name, stored.Layout
	}
	made, err := r.g.WritePage(ctx, r.site, at, body)
	if m365.KindOf(err) == m365.Conflict && there == nil && r.plan.Mode == engine.KeepBoth {
		return out, nil // the name says that an earlier attempt of this very act made it
	}
	if err != nil {
		return engine.Restored{}, err
	}
	out.NewID = made.ID
	if stored.Publishing != nil && stored.Publishing.Level == "published" {
		if err := r.g.PublishPage(ctx, r.site, made.ID); err != nil {
			return out, err
		}
	}
	now, err := r.g.SitePage(ctx, r.site, made.ID)
	if err != nil {
		return out, err
	}
	if !samePage(now, &stored) {
		out.Lost = append(out.Lost, "content")
	}
	out.Lost = append(out.Lost, "author", "created", "editor", "modified")
	return out, nil
}

// samePage compares what of a page is written.
func samePage(a, b *graph.SitePage) bool {
	return a.Title == b.Title && sameJSON(a.Canvas, b.Canvas) && sameJSON(a.TitleArea, b.TitleArea)
}

// number reads an id in a JSON value that may be a text.
func number(raw json.RawMessage) (int, bool) {
	var n int
	if json.Unmarshal(raw, &n) == nil {
		return n, true
	}
	var s string
	if json.Unmarshal(raw, &s) != nil {
		return 0, false
	}
	n, err := strconv.Atoi(s)
	return n, err == nil
}
