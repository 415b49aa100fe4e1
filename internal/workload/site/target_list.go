package site

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"holdfast/internal/engine"
	"holdfast/internal/holdfast"
	"holdfast/internal/m365"
	"holdfast/internal/m365/graph"
	"holdfast/internal/m365/sharepoint"
	"holdfast/internal/workload/drive"
)

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
		if row.ID != stored { // perhaps an earlier attempt made it and died before it gave it its views and permissions
			if p.isNew, err = r.plan.Made(ctx, "list "+stored); err != nil {
				return nil, err
			}
		}
	case p.pages:
		return nil, &holdfast.Skip{Reason: holdfast.SkipUnsupported, Err: errors.New("the site there has no library of pages: activate its feature \"Site Pages\", or restore to another site")}
	case r.plan.DryRun:
		p.id, p.isNew = engine.Planned+"list/"+stored, true
	default:
		if err := r.plan.Making(ctx, "list "+stored); err != nil {
			return nil, err
		}
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
	p.files, err = drive.RestoreLibrary(ctx, r.g, plan, groupsOf{r, p})
	return err
}

// storedList is what a restore takes out of a list's JSON.
type storedList struct {
	Columns []graph.Column      `json:"columns"`
	Types   []graph.ContentType `json:"contentTypes"`
}

func (r *restore) settleList(ctx context.Context, p engine.Put, l *place) error {
	var stored storedList
	if err := read(ctx, p, holdfast.FormJSON, &stored); err != nil {
		return err
	}
	l.settling.Lock()
	defer l.settling.Unlock()
	if l.settled {
		return nil
	}
	columns := map[string]graph.Column{}
	own := ownColumns(stored.Columns, stored.Types)
	for _, c := range stored.Columns {
		if l.files == nil || slices.Contains(own, c.Name) { // what else a file has is a drive's
			columns[c.Name] = c
		}
	}
	r.mu.Lock()
	l.columns = columns
	l.own = slices.DeleteFunc(own, func(name string) bool { return name == columnType })
	r.mu.Unlock()
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
		if !l.set {
			more, err := r.settings(ctx, p, l, stored.Types)
			if err != nil {
				return err
			}
			l.unset, l.set = more, true
		}
		lost = append(lost, l.unset...)
		more, err := r.dress(ctx, p, l)
		if err != nil {
			return err
		}
		lost = append(lost, more...)
	}
	l.settled = true
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
		if v.Hidden || v.Personal {
			continue
		}
		if err := r.view(ctx, l, v, there); err != nil {
			if !m365.Lasting(err) {
				return lost, err // the next attempt goes on
			}
			lost = append(lost, "view "+v.Title)
		}
	}
	if !r.plan.Permissions || p.Item.Fields[fieldUnique] != "true" {
		return lost, nil
	}
	return r.share(ctx, p, sharepoint.Scope{List: l.id}, lost)
}

// view makes a view unless there is one of that title, which an earlier attempt may have left without its columns.
func (r *restore) view(ctx context.Context, l *place, v sharepoint.View, there []sharepoint.View) error {
	i := slices.IndexFunc(there, func(t sharepoint.View) bool { return t.Title == v.Title })
	if i >= 0 && slices.Equal(there[i].Fields.Items, v.Fields.Items) {
		return nil
	}
	var id string
	if i >= 0 {
		id = there[i].ID
	} else {
		var err error
		if id, err = r.createView(ctx, l, v); err != nil {
			return err
		}
	}
	return r.web.SetViewFields(ctx, l.id, id, v.Fields.Items)
}

// createView makes a view; a call that was not answered is made again only when the list does not show it.
func (r *restore) createView(ctx context.Context, l *place, v sharepoint.View) (id string, err error) {
	for attempt := 1; ; attempt++ {
		if id, err = r.web.CreateView(ctx, l.id, v); !m365.OutcomeUnknown(err) || attempt == turns {
			return id, err
		}
		now, lerr := r.web.Views(ctx, l.id)
		if lerr != nil {
			return "", lerr
		}
		if i := slices.IndexFunc(now, func(t sharepoint.View) bool { return t.Title == v.Title }); i >= 0 {
			return now[i].ID, nil
		}
	}
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
