package site

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"

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
	switch kind := m365.KindOf(err); {
	case plan.To.Personal() && (kind == m365.NotFound || kind == m365.Invalid):
		return nil, holdfast.Conflict("the personal site %s is not there now, and only Microsoft makes one: give it back in the SharePoint admin center, where deleted sites are kept for 93 days, or have its user, with a licence that has OneDrive, open OneDrive, or restore to another site: %w", plan.To.Address, err)
	case kind == m365.NotFound || kind == m365.Invalid:
		return nil, holdfast.Conflict("the site %s is not there now: give it back in the SharePoint admin center, where deleted sites are kept for 93 days, or make it again there, or restore to another site: %w", plan.To.Address, err)
	case kind == m365.Locked:
		return nil, holdfast.Conflict("the site %s is locked: unlock it in the SharePoint admin center, or restore to another site: %w", plan.To.Address, err)
	}
	if err != nil {
		return nil, err
	}
	r := &restore{g: t.g, plan: plan, site: plan.To.Source, same: plan.From.Key() == plan.To.Key() && plan.From.Organization == plan.To.Organization,
		lists: map[string]*place{}, opening: map[string]*sync.Mutex{}, made: map[string]string{}, gone: map[string]bool{}, folders: map[string]bool{}, users: map[int]sharepoint.Principal{}, logins: map[string]string{}}
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

	access access

	mu      sync.Mutex             // guards all below
	lists   map[string]*place      // by what Folder gave out
	opening map[string]*sync.Mutex // held while a list is looked for or made: two items must not make one list twice
	users   map[int]sharepoint.Principal
	logins  map[string]string // of people, by their ids in the directory; empty: not known
	// made has the new id of each list item that this restore put back, by stored list and item: lookups follow it.
	made    map[string]string
	gone    map[string]bool // of the own site, by list and item as stored: whether what a lookup names is not there any more
	waiting []waiting       // lookups of items that were not there yet
	folders map[string]bool // of lists, by what Folder gave out: those that this restore made
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
	root    string // server-relative path; empty until it was asked for
	drive   string
	files   engine.Restore // of a library
	isNew   bool
	pages   bool
	columns map[string]graph.Column // as stored, by name
	there   map[string]graph.Column // as there
	types   map[string]string       // content types there, by name
	own     []string                // of a library: names of the stored columns that its site made
	rules   *sharepoint.Rules       // of a list that was made: what Close sets

	settling sync.Mutex
	set      bool // settings and content types are, but for unset
	unset    []string
	settled  bool // columns and views are as far there as they can be
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
	if err := r.setRules(ctx); err != nil {
		return err
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
		token, err := r.listFolder(ctx, folder, parent)
		return token, itemError(ctx, err)
	}
	id, err := p.files.Folder(ctx, folder, at)
	return tokenFiles + p.id + "|" + id, err
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
		if err := r.readAccess(ctx, p); err != nil {
			return err
		}
		r.mu.Lock()
		for _, u := range users {
			r.users[u.ID] = u
		}
		r.mu.Unlock()
		if r.plan.Permissions && (r.plan.Whole || p.Selected) {
			return r.settleAccess(ctx, p)
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
		return itemError(ctx, r.settleListFolder(ctx, p))
	}
	p.NewID = id
	if s, ok := place.files.(engine.FolderSettler); ok {
		if err := s.SettleFolder(ctx, p); err != nil {
			return err
		}
	}
	return itemError(ctx, r.settleFileFolder(ctx, p, place))
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
		return r.file(ctx, p, place)
	case holdfast.KindListItem:
		res, err := r.item(ctx, p)
		return res, itemError(ctx, err)
	case holdfast.KindPage:
		res, err := r.page(ctx, p)
		return res, itemError(ctx, err)
	}
	return engine.Restored{}, &holdfast.Skip{Reason: holdfast.SkipUnsupported, Err: fmt.Errorf("a %s is not restored by itself", p.Item.Kind)}
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
